"""The unit of work of one or several requests: each record as it was loaded, as it is now, and the entries between."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import attrs

from reportflow.lifecycle.decision import Decision
from reportflow.model.actor import Actor
from reportflow.model.entry import Entry
from reportflow.model.record import Record, Seen
from reportflow.serialization.digest import Sealed
from reportflow.storage.base import Change


@attrs.define(eq=False)
class TrackedRecord:
    """One record of a unit of work: as it was loaded (None for a creation), as it is now, and what happened between."""

    before: Record | None
    record: Record
    entries: list[Entry] = attrs.field(factory=list)
    sealed: list[Sealed] = attrs.field(factory=list)
    #: What remains of stored entries, some of whose content is to be removed, by their sequence.
    erased: dict[int, tuple[Entry, Sealed]] = attrs.field(factory=dict)
    #: How many bytes of content are removed.
    removed: int = 0
    #: What a caller saw and acts on; a conflict is then a `StaleRecord`.
    pinned: Seen | None = None
    #: Whose snapshot it is, where it was not read from the store, which may be ahead of it.
    snapshot_of: Actor | None = None

    #: What undoes the request that added it, and it with all that became of it.
    added_with: list[Callable[[], object]] | None = None

    #: What the commit replaces; None for a creation.
    expected: Seen | None = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.expected = None if self.before is None else self.before.seen

    def replace(self, entry: Entry, sealed: Sealed) -> None:
        """Put what remains of an entry in its place; one of this unit of work never is stored as it was."""
        place = entry.sequence - 1 - (0 if self.before is None else self.before.version)
        if place < 0:
            self.erased[entry.sequence] = entry, sealed
        else:
            self.entries[place], self.sealed[place] = entry, sealed


class UnitOfWork:
    """All records that some requests touch, and what is to be committed. One request of it can be rolled back.

    Args:
        independent: Whether each request stands for itself, as if it had a commit of its own; otherwise the version
            that was seen before the first of them holds for all.
    """

    def __init__(self, *, independent: bool = False) -> None:
        self.independent = independent
        self.tracked: dict[str, TrackedRecord] = {}
        #: What undoes each thing that was done since `begin`; None where nothing is ever undone.
        self._undo: list[Callable[[], object]] | None = None

    def begin(self) -> None:
        """From here on, what is done can be rolled back."""
        self._undo = []

    def roll_back(self) -> None:
        """Undo all since `begin`."""
        while self._undo:
            self._undo.pop()()

    def add(self, id: str, tracked: TrackedRecord) -> TrackedRecord:
        """Track one more record."""
        self.tracked[id] = tracked
        if self._undo is not None:
            tracked.added_with = self._undo
            self._undo.append(partial(self.tracked.pop, id, None))  # of the dict: else it holds itself
        return tracked

    def advance(self, tracked: TrackedRecord, decided: Decision) -> None:
        """Set a record to what a command made of it."""
        if self._undo is not None and tracked.added_with is not self._undo:
            undone = partial(setattr, tracked, "record", tracked.record)
            kept = (list(tracked.entries), list(tracked.sealed), dict(tracked.erased))
            self._undo += [undone, partial(_restore, tracked, *kept)]
        for one in decided.erased:
            tracked.replace(one.entry, one.sealed)
            tracked.removed += one.removed
        tracked.record = decided.record
        tracked.entries.append(decided.entry)
        if decided.sealed is not None:
            tracked.sealed.append(decided.sealed)

    def record(self, id: str) -> Record | None:
        """A record as it is now; None where it is not tracked, as of a creation that was refused."""
        return self.tracked[id].record if id in self.tracked else None

    def pin(self, tracked: TrackedRecord, seen: Seen | None) -> None:
        """Remember what the caller saw."""
        if self._undo is not None and tracked.added_with is not self._undo:
            self._undo.append(partial(setattr, tracked, "pinned", tracked.pinned))
        tracked.pinned = seen

    def changes(self) -> list[Change]:
        """What is to be committed."""
        return [
            Change(
                record=one.record,
                expected=one.expected,
                entries=one.entries,
                sealed=one.sealed,
                erased=one.erased.values(),
                before=one.before,
            )
            for one in self.tracked.values()
            if one.entries
        ]


def _restore(
    tracked: TrackedRecord, entries: list[Entry], sealed: list[Sealed], erased: dict[int, tuple[Entry, Sealed]]
) -> None:
    tracked.entries, tracked.sealed, tracked.erased = entries, sealed, erased
