"""What a store refuses of a `restore`, before it writes anything."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from reportflow.errors import InvalidValue
from reportflow.model.record import Record
from reportflow.serialization.digest import Sealed


def check_restored(sealed: Sequence[Sealed], records: Sequence[Record], last: str | None) -> None:
    """See that the entries are the whole histories of the records, in the order of their ids, behind those there.

    Args:
        sealed: What is to be restored.
        records: The records that are its fold.
        last: The greatest id that was restored before; None for none.

    Raises:
        InvalidValue: they are not; names the first record where it is so.
    """
    rows = iter(sealed)
    for record in records:
        id, version, head = record.id, record.version, record.head
        its = list(islice(rows, version))
        whole = len(its) == version > 0 and its[-1].digest == head
        if not whole or any((one.record_id, one.sequence) != (id, number) for number, one in enumerate(its, 1)):
            raise InvalidValue("sealed", "not_whole", {"given": id})
        if last is not None and id <= last:
            raise InvalidValue("sealed", "not_in_order", {"given": id, "other": last})
        last = id
    for one in rows:
        raise InvalidValue("sealed", "not_whole", {"given": one.record_id})


def sealed_keys(sealed: Sequence[Sealed]) -> list[tuple[tuple[str, str], str]]:
    """The idempotency keys of what is restored: ((actor, key), record id)."""
    return [((one.actor_id, one.key), one.record_id) for one in sealed if one.key is not None]
