"""What a flow reads of records whose definitions it may not have: said at the opening, and where one is named."""

from __future__ import annotations

from reportflow.errors import RecordNotFound, StorageError, StorageUnavailable
from reportflow.flow.definitions import Definitions
from reportflow.flow.effects import Effects, store
from reportflow.model.query import Query
from reportflow.model.record import Record


def load(definitions: Definitions, id: str) -> Effects[Record]:
    """A record, as `Store.get` gives it.

    Raises:
        RecordNotFound: there is none, or it is of a kind that the flow was not given, of which nobody sees any.
        UnknownLifecycle: the flow was given its kind, but not the version of the definition.
    """
    try:
        (record,) = yield from store.get([id])
    except (RecordNotFound, StorageUnavailable):
        raise
    except StorageError:
        for kind, version in (yield from _unknown(definitions, Query(id=id))):
            if not definitions.has(kind):
                raise RecordNotFound([id]) from None
            definitions.check_known(kind, version)
        raise
    return record


def look_around(definitions: Definitions) -> Effects[dict[tuple[str, int], int]]:
    """How many records there are of each kind and version that the flow was not given; its lists leave them out."""
    found = yield from _unknown(definitions, Query())
    definitions.leave_out(found)
    return found


def _unknown(definitions: Definitions, query: Query) -> Effects[dict[tuple[str, int], int]]:
    counted = yield from store.count(query, "records", ("kind", "lifecycle_version"))
    kinds = {(str(kind), int(version or 0)): number for (kind, version), number in counted.items()}
    return {one: kinds[one] for one in sorted(kinds) if not definitions.knows(*one)}
