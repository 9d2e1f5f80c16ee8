"""The `transitions` machine of a table, and the lookup that deciding uses in its place.

The machine is the reference meaning, for the tools of that package. Records are never registered with it: deciding
needs one plain dict, compiled from the rows. A property test holds the two to the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from reportflow.lifecycle.table import START, State, Transition
from reportflow.model.entry import Command
from reportflow.model.record import Record

if TYPE_CHECKING:
    from transitions import EventData, Machine

#: (state, or None for a creation; trigger) -> the row and the state that it leads to, by `Transition.leads_to`.
Lookup = Mapping[tuple[str | None, str], tuple[Transition, str]]
#: Gives the state that a row leads to: the row, the state before, the record and the command.
Chosen = Callable[[Transition, str | None, Record, Command], str]


class Passes(NamedTuple):
    """The one condition of a row in the machine: whether all guards pass. It carries the row itself."""

    row: Transition

    def __call__(self, event: EventData) -> bool:
        """Whether no guard refuses the record and command that the event brings."""
        record, command = event.kwargs["record"], event.kwargs["command"]
        return all(guard.refusal(record, command) is None for guard in self.row.guards)


class Leads(NamedTuple):
    """The second condition of an edge of a row that leads to one of several states: whether it is this one."""

    row: Transition
    dest: str
    chosen: Chosen

    def __call__(self, event: EventData) -> bool:
        """Whether this is the state for the record and command that the event brings."""
        source = None if event.state.name == START else event.state.name
        return self.chosen(self.row, source, event.kwargs["record"], event.kwargs["command"]) == self.dest


def build_machine(states: Sequence[State], transitions: Sequence[Transition], chosen: Chosen) -> Machine:
    """The machine of a table without faults; names are plain `str`.

    A row that leads to one of several states has an edge to each; `chosen` gives the one for a record and a command.

    Fire it with ``machine.events[trigger].trigger(model, record=…, command=…)``, where the model is any object with
    a ``state``: it answers True, or False where a guard refuses, and raises `transitions.MachineError` where the
    state has no such row.
    """
    from transitions import Machine  # only its tools need it, and it takes as long to import as all of the core

    return Machine(
        model=None,
        states=[START, *(str(state.name) for state in states)],
        initial=START,
        transitions=[
            {
                "trigger": str(row.trigger),
                "source": START if source is None else str(source),
                "dest": str(dest),
                "conditions": [Passes(row), *([Leads(row, dest, chosen)] if row.chooses else ())],
            }
            for row in transitions
            for source in sorted(row.sources, key=str)
            for dest in row.dests(source)
        ],
        auto_transitions=False,
        send_event=True,
        queued=False,
        ignore_invalid_triggers=False,
    )


def compile_lookup(transitions: Sequence[Transition]) -> Lookup:
    """The rows by state and trigger; a valid table has at most one for each pair."""
    return MappingProxyType(
        {(source, row.trigger): (row, row.leads_to(source)) for row in transitions for source in row.sources}
    )
