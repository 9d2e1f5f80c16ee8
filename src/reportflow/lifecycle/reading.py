"""What a reader gets of a history: who did what in which role, and no more about those who acted. Pure.

A history is read by colleagues and by authors. Of a person who acted they get the name, the post and the role by which
the act was theirs. Their clearance, their other roles and their unit, idempotency keys, and acts in records that the
reader does not see, stay with the store and with those whom the table names as auditors (`Lifecycle.audits`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.history import lifecycle_of
from reportflow.model.actor import Actor
from reportflow.model.entry import Entry
from reportflow.model.query import Visibility
from reportflow.model.record import Record
from reportflow.model.values import changed

#: What every reader knows of those who acted, beside the role.
_KNOWN: Final = ("id", "name", "post", "kind", "on_behalf_of")
_ANYBODY: Final = Actor(id="?")


def as_read(
    history: Sequence[Entry], lifecycles: Iterable[Lifecycle], record: Record, rule: Visibility, causes: Collection[str]
) -> Iterator[Entry]:
    """The entries of a record that a rule shows, each without what is not for its reader.

    Args:
        history: All entries of the record, from its creation on.
        lifecycles: The definitions.
        record: The record as it is now.
        rule: The reader's visibility rule, which shows the record.
        causes: The refs of those entries of other records that the reader may read.

    Raises:
        UnknownLifecycle: an entry's definition is not among those given.
    """
    known = tuple(lifecycles)
    own = {entry.ref for entry in history if rule.reads(record, entry)}
    readable = own.union(causes)
    before: Record | None = None
    last: tuple[Lifecycle, Entry] | None = None
    for entry in history:
        lifecycle = lifecycle_of(entry, known)
        if last is not None:
            before = last[0].fold(before, last[1])
        last = lifecycle, entry
        if entry.ref in own:
            at_hand = entry.details if before is None else before
            assert isinstance(at_hand, Record), "the first entry has the draft"
            yield _reduced(entry, lifecycle, at_hand, entry.cause if entry.cause in readable else None)


def foreign_causes(history: Iterable[Entry], *, but: str) -> list[str]:
    """The ids of the records, but for one, from whose entries some of these followed."""
    ids = (entry.cause.rpartition("@")[0] for entry in history if entry.cause is not None)
    return [id for id in dict.fromkeys(ids) if id != but]


def _reduced(entry: Entry, lifecycle: Lifecycle, before: Record, cause: str | None) -> Entry:
    """An entry with its actor as a reader may know them, and without its key."""
    actor = entry.actor
    found = lifecycle.row(entry.source, entry.trigger)
    permitted = found[0].roles if found else frozenset[str]()
    used = frozenset(role for role in actor.roles & permitted if lifecycle.reaches(role, before, actor))
    known: dict[str, Any] = {name: getattr(actor, name) for name in _KNOWN} | {"roles": used}
    # whose parts were checked before; one of a class of the host's is made as any
    reader_knows = changed(_ANYBODY, known) if type(actor) is Actor else type(actor)(**known)
    return changed(entry, {"actor": reader_knows, "key": None, "cause": cause})
