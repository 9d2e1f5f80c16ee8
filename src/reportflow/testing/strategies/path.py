"""A path: a draft and the allowed commands that follow, which says itself as the Python lines that replay it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import count
from typing import Any, Final

import attrs

from reportflow.analysis.desk import Desk
from reportflow.flow.sync import ReportFlow
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.entry import Command, Entry
from reportflow.model.record import Record
from reportflow.serialization.source import Names, imports, named, python
from reportflow.storage.base import Store
from reportflow.storage.memory import MemoryStore

#: What the lines call a lifecycle that no module holds.
_UNNAMED: Final = "lifecycle"


@attrs.frozen(kw_only=True, repr=False, slots=False)
class Path:
    """What happens to one record, from its creation on. Its `repr` is the script that replays it.

    Attributes:
        lifecycle: The definition that it goes by.
        draft: What is created.
        commands: The allowed commands, the creation first.
        others: The lifecycles of what its steps may touch.
        beside: Further drafts, created right after it, which its steps may name: each with its command.
    """

    lifecycle: Lifecycle
    draft: Record
    commands: tuple[Command, ...]
    others: tuple[Lifecycle, ...] = ()
    beside: tuple[tuple[Record, Command], ...] = ()

    def __len__(self) -> int:
        return len(self.commands)

    @cached_property
    def desk(self) -> Desk:
        """All that is there at its end, by `decide` alone."""
        desk = initialize_draft(self.lifecycle, self.others, self.draft, self.commands[0], self.beside)
        for command in self.commands[1:]:
            desk = desk.fired(self.id, command)
        return desk

    @property
    def id(self) -> str:
        """The record's id, in the path itself and in a flow that `open` gives."""
        return self.draft.id or "r1"

    @property
    def history(self) -> tuple[Entry, ...]:
        """The record's entries, oldest first: of the commands, and of steps that came back to it."""
        return self.desk.histories[self.id]

    @property
    def record(self) -> Record:
        """The record at its end."""
        return self.desk.records[self.id]

    def open(self, store: Store | None = None) -> ReportFlow:
        """A flow on a store (in memory unless given) with the path's own clock and ids, for `play`."""
        times, numbers = iter(self._times()), count(1)
        return ReportFlow(
            MemoryStore() if store is None else store,
            (self.lifecycle, *self.others),
            clock=lambda: next(times),
            new_id=lambda: f"r{next(numbers)}",
        )

    def play(self, flow: ReportFlow) -> Record:
        """Do it all in a flow, and give the record: in a flow that `open` gave that of the path, but for its head.

        Another flow gives ids and times of its own; ids in details are then put right.

        Raises:
            Whatever `ReportFlow.create` and `ReportFlow.fire` raise.
        """
        first = self.commands[0]
        record = flow.create(self.draft, by=first.actor, at=first.at)
        desk = initialize_draft(self.lifecycle, self.others, self.draft, first, ())
        ids = {self.id: record.id}
        for draft, command in self.beside:
            its = draft.id or desk.next_id  # the last one of the desk may be a record that its steps created
            desk = desk.created(draft, command)
            ids[its] = flow.create(draft, by=command.actor, at=command.at).id
        for one in self.commands[1:]:
            chosen = renamed(one.details, ids)
            record = flow.fire(record, one.trigger, chosen, by=one.actor, reason=one.reason, at=one.at)
        return record

    def _times(self) -> list[Any]:
        return [one.now for one in (self.commands[0], *(command for _, command in self.beside), *self.commands[1:])]

    def lines(self) -> list[str]:
        """The Python lines that replay it; the record at the end is ``record``.

        A lifecycle that is no module's attribute is called ``lifecycle``, and a caller that runs the lines provides it.
        """
        names: Names = {"MemoryStore": "reportflow", "ReportFlow": "reportflow"}
        tables = [named(one, names) or _UNNAMED for one in (self.lifecycle, *self.others)]
        given = tables[0] if len(tables) == 1 else f"[{', '.join(tables)}]"
        first = self.commands[0]
        body = [
            "clock = iter([",
            *(f"    {python(time, names)}," for time in self._times()),
            "])",
            'ids = (f"r{number}" for number in count(1))',
            f"flow = ReportFlow(MemoryStore(), {given}, clock=clock.__next__, new_id=ids.__next__)",
            f"record = flow.create({_call(names, python(self.draft, names), first)})",
            *(f"flow.create({_call(names, python(draft, names), one)})" for draft, one in self.beside),
        ]
        for one in self.commands[1:]:
            chosen = "" if one.details is None else f", {python(one.details, names)}"
            body.append(f"record = flow.fire({_call(names, f'record, {one.trigger!r}{chosen}', one)})")
        names["count"] = "itertools"
        missing = [f"# {_UNNAMED}: the definition that was drawn; no module holds it"] if _UNNAMED in tables else []
        return [*imports(names), *missing, *body]

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """How Hypothesis prints it: from the margin, so that it can be pasted as it stands."""
        printer.text(f"# to replay:\n{self!r}\n")


def initialize_draft(
    lifecycle: Lifecycle,
    others: tuple[Lifecycle, ...],
    draft: Record,
    command: Command,
    beside: tuple[tuple[Record, Command], ...],
) -> Desk:
    """The desk after the creations of a path.

    Raises:
        Whatever `ReportFlow.create` raises.
    """
    desk = Desk.of((lifecycle, *others)).created(draft, command)
    for one, its in beside:
        desk = desk.created(one, its)
    return desk


def renamed(chosen: Any, ids: Mapping[str, str]) -> Any:
    """Details that name the ids of another flow."""
    if chosen is None or not attrs.has(type(chosen)):
        return chosen
    texts = {
        field.alias or field.name: getattr(chosen, field.name) for field in attrs.fields(type(chosen)) if field.init
    }
    named = {name: ids[text] for name, text in texts.items() if isinstance(text, str) and ids.get(text, text) != text}
    return attrs.evolve(chosen, **named) if named else chosen


# -- lines ------------------------------------------------------------------------------------------------------


def _call(names: Names, what: str, command: Command) -> str:
    given = [what, f"by={python(command.actor, names)}"]
    if command.reason:
        given.append(f"reason={command.reason!r}")
    if command.at is not None:
        given.append(f"at={python(command.at, names)}")
    return ", ".join(given)
