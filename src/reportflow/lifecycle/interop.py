"""The `transitions` machine of a table, and the lookup that deciding uses in its place.

The machine is the reference meaning, for the tools of that package. Records are never registered with it: deciding
needs one plain dict, compiled from the rows. A property test holds the two to the same answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from reportflow.lifecycle.table import START, State, Transition

if TYPE_CHECKING:
    from transitions import EventData, Machine

#: (state, or None for a creation; trigger) -> the row and the state that it leads to.
Lookup = Mapping[tuple[str | None, str], tuple[Transition, str]]


class Passes(NamedTuple):
    """The one condition of a row in the machine: whether all guards pass. It carries the row itself."""

    row: Transition

    def __call__(self, event: EventData) -> bool:
        """Whether no guard refuses the record and command that the event brings."""
        record, command = event.kwargs["record"], event.kwargs["command"]
        return all(guard.refusal(record, command) is None for guard in self.row.guards)


def build_machine(states: Sequence[State], transitions: Sequence[Transition]) -> Machine:
    """The machine of a table without faults; names are plain `str`.

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
                "dest": str(row.leads_to(source)),
                "conditions": [Passes(row)],
            }
            for row in transitions
            for source in sorted(row.sources, key=str)
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
