"""What a batch comes to while it is decided: each record as it was loaded, as it is now, and what happened between."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import attrs

from reportflow.model.actor import Actor
from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.storage.base import Change


@attrs.define(eq=False)
class Work:
    """One record on its way through a batch: as it was loaded, as it is now, and what happened in between."""

    before: Record | None
    record: Record
    entries: list[Entry] = attrs.field(factory=list)
    #: The version that somebody saw and decided on; a conflict is then theirs to hear of.
    seen: int | None = None
    #: Whose record in hand this is: it was not read from the store, which may be ahead of it.
    holder: Actor | None = None

    @property
    def expected(self) -> int | None:
        """The version that it replaces; None for a creation."""
        return None if self.before is None else self.before.version


class Plan:
    """What a batch comes to: every record that it touches. One request of it can be undone.

    Args:
        apart: Whether each request stands for itself, as if it had a commit of its own; in a batch the version that
            was seen before the batch holds for all of it.
    """

    def __init__(self, *, apart: bool = False) -> None:
        self.apart = apart
        self.work: dict[str, Work] = {}
        #: What takes back each thing that was done; None where nothing is ever taken back.
        self._undo: list[Callable[[], object]] | None = None

    def begin(self) -> None:
        """From here on, what is done can be undone."""
        self._undo = []

    def undo(self) -> None:
        """Take back all since `begin`."""
        while self._undo:
            self._undo.pop()()

    def add(self, id: str, work: Work) -> Work:
        """Take one more record in."""
        self.work[id] = work
        if self._undo is not None:
            self._undo.append(lambda: self.work.pop(id, None))
        return work

    def move(self, work: Work, record: Record, entry: Entry) -> None:
        """Let a record be as an act left it."""
        if self._undo is not None:
            self._undo += [partial(setattr, work, "record", work.record), work.entries.pop]
        work.record = record
        work.entries.append(entry)

    def see(self, work: Work, version: int | None) -> None:
        """Remember the version that somebody decided on."""
        if self._undo is not None:
            self._undo.append(partial(setattr, work, "seen", work.seen))
        work.seen = version

    def changes(self) -> list[Change]:
        """What is to be kept."""
        return [
            Change(record=one.record, expected=one.expected, entries=one.entries, before=one.before)
            for one in self.work.values()
            if one.entries
        ]
