"""Positions in the feed, where writers overtake each other: given when the feed is read, not when an entry is written.

A counter at the time of writing would not be the order of the commits: who took 7 may commit behind who took 8, and a
reader who has seen 8 would never see 7. Entries that are committed and have no position yet come behind all that have
one, whenever that is; so none ever shows up before one that was shown.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from sqlalchemy import Connection

from reportflow.storage.sql.engine import Backend
from reportflow.storage.sql.prepared import Kept, OwnWork

#: How many entries are numbered at a time.
_MOST: Final = 500


def number(connection: Connection, work: OwnWork, kept: Kept, backend: Backend) -> bool:
    """Give positions to some entries that have none yet; whether there were any.

    The last position given is compared and set: of several who number at once, one does.
    """
    try:
        some = connection.execute(kept.unnumbered, {"most": _MOST}).all()
        if not some:
            return False
        last = int(connection.scalar(kept.last) or 0)
        work.say(backend.begin)
        try:
            moved = connection.execute(kept.move, {"seen": str(last), "reached": str(last + len(some))})
            if moved.rowcount == 1:
                numbers = enumerate(some, last + 1)
                connection.execute(kept.number, [{"its_id": one.id, "its_position": place} for place, one in numbers])
            work.say("COMMIT")
        except BaseException:
            with suppress(Exception):  # what went wrong first is what must be heard
                work.say("ROLLBACK")
            raise
        return True
    finally:
        work.close()
