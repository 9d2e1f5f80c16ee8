"""The positions of entries in the feed, where writers overtake each other: assigned when the feed is read.

A counter at the time of writing would not be the order of the commits, and a reader who has seen 8 would never see the
7 that is committed late. Entries that are committed and have no position yet come behind all that have one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from reportflow.storage.sql.dialects import is_conflict
from reportflow.storage.sql.executor import Executor
from reportflow.storage.sql.statements import StatementCache

#: How many entries are given a feed position at a time.
POSITIONS: Final = 500


def assign(
    executor: Executor, statements: StatementCache, transaction: Callable[[], AbstractContextManager[None]]
) -> bool:
    """Give positions to some entries that have none yet; whether there were any.

    The last position is compared and set: of several readers that assign at once, one does. A reader that loses this
    race, in whatever way its engine says so, needs to do nothing: the entries have their positions, or soon will.

    Args:
        executor: On the connection of the reader.
        statements: The statements of its store.
        transaction: Begins a transaction on it, and ends it.
    """
    some = executor.read(statements.without_position, {"most": POSITIONS})
    if not some:
        return False
    last = int(some[0][1])
    try:
        with transaction():
            moved = {"seen": str(last), "reached": str(last + len(some))}
            if executor.write(statements.move_last_position, moved) == 1:
                rows = [{"its_id": id, "its_position": position} for position, (id, _) in enumerate(some, last + 1)]
                executor.write_all(statements.assign_position, rows)
    except Exception as error:
        if executor.is_bound or not is_conflict(statements.backend, error):
            raise
        executor.in_doubt = False
    return True
