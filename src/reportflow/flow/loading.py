"""What a flow reads of records whose definitions it may not have: said at the opening, and where one is named."""

from __future__ import annotations

from reportflow.errors import RecordNotFound, UnreadableRecord
from reportflow.flow.definitions import Definitions
from reportflow.flow.effects import Effects, store
from reportflow.model.actor import Actor
from reportflow.model.query import Query
from reportflow.model.record import Record


def load(definitions: Definitions, id: str, actor: Actor) -> Effects[Record]:
    """A stored record, if the actor may see it.

    Raises:
        RecordNotFound: there is none that the actor may see; of a kind that the flow was not given nobody sees any.
        UnknownLifecycle: the flow was given its kind, but not the version of the definition.
        UnreadableRecord: the actor may see it, and its row cannot be read.
    """
    try:
        (record,) = yield from store.get([id])
    except UnreadableRecord:
        found = yield from store.count(Query(id=id, visible=definitions.visibility(actor)), "records", ())
        if not any(found.values()):
            raise RecordNotFound([id]) from None
        for kind, version in (yield from _unknown(definitions, Query(id=id))):
            definitions.check_known(kind, version)
        raise
    definitions.check_visible(record, actor)
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
