"""Completing acts that look back: the history of the record is read, for what is erased of it or taken back."""

from __future__ import annotations

from collections.abc import Callable

from reportflow.errors import Conflict
from reportflow.flow.definitions import Definitions
from reportflow.flow.effects import Effects, store
from reportflow.flow.unit_of_work import TrackedRecord
from reportflow.lifecycle.decision import Decision
from reportflow.lifecycle.refusing import refused
from reportflow.lifecycle.retraction import retraction_refusals
from reportflow.model.entry import Command, Entry
from reportflow.serialization.digest import Sealed


def with_removal(
    definitions: Definitions,
    tracked: TrackedRecord,
    decided: Decision,
    command: Command,
    new_salt: Callable[[], str],
) -> Effects[Decision]:
    """The decision of an act that erases, with what it erased of the entries before it.

    Raises:
        InvalidValue: what is to be erased may not be, by the history; see `lifecycle.erasure.remove`.
        Conflict: the stored history is no longer that of the record as it was read.
    """
    from reportflow.lifecycle.erasure import complete_erasure, removal_of, seal_remains  # few programs erase

    lifecycle = definitions.of(tracked.record)
    history, sealed = yield from _history(tracked)
    removal = removal_of(decided, lifecycle, tracked.record, history, definitions)
    salts = {sequence: new_salt() for sequence in removal.entries}
    remains = seal_remains(removal, history, sealed, salts)
    return complete_erasure(decided, removal, lifecycle, tracked.record, command, remains)


def check_retraction(definitions: Definitions, tracked: TrackedRecord, decided: Decision) -> Effects[None]:
    """See that the entry that an act takes back still stands, and takes nothing back itself.

    Raises:
        TransitionRefused: it does not.
        Conflict: as `with_removal`.
    """
    history, _ = yield from _history(tracked)
    record, entry = tracked.record, decided.entry
    lifecycle = definitions.of(record)
    refusals = tuple(retraction_refusals(entry, history, lifecycle.labels))
    if refusals:
        raise refused(lifecycle, record, entry.trigger, refusals)


def _history(tracked: TrackedRecord) -> Effects[tuple[list[Entry], list[Sealed]]]:
    """All entries of a record in a unit of work, and the same as they are stored, or will be."""
    entries: list[Entry] = []
    sealed: list[Sealed] = []
    if tracked.before is not None:
        id, (version, head) = tracked.before.id, tracked.before.seen
        entries = yield from store.history([id])
        sealed = yield from store.sealed((id, 0), version)
        digests = [one.digest for one in sealed if one.record_id == id]
        if len(entries) != version or entries[-1].digest != head or [one.digest for one in entries] != digests:
            raise Conflict([id])
        for sequence, (entry, rest) in tracked.erased.items():
            entries[sequence - 1], sealed[sequence - 1] = entry, rest
    return [*entries, *tracked.entries], [*sealed, *tracked.sealed]
