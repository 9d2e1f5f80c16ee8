"""The `transitions` machine of a table, and the lookups that are read from it once.

One `Machine` stands for one version of a definition, is built from the table and never changed after. Records are
never registered with it: what `decide` needs are the two plain dicts of `compile_lookups`, read from the machine when
the definition is built. The machine itself stays as the reference meaning, for the tools of that package and for the
test that holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from transitions import EventData, Machine

from reportflow.lifecycle.table import START, State, Transition

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
    """The machine of a table without faults.

    Fire it with ``machine.events[trigger].trigger(model, record=…, command=…)``, where the model is any object with
    a ``state``: it answers True, or False where a guard refuses, and raises `transitions.MachineError` where the
    state has no such row.
    """
    return Machine(
        model=None,
        states=[START, *(state.name for state in states)],
        initial=START,
        transitions=[
            {
                "trigger": row.trigger,
                "source": START if source is None else source,
                "dest": row.leads_to(source),
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


def compile_lookups(machine: Machine) -> Lookup:
    """Read a machine once into an immutable lookup, without touching its default dicts."""
    found: dict[tuple[str | None, str], tuple[Transition, str]] = {}
    for trigger, event in machine.events.items():
        for source, edges in event.transitions.items():
            for edge in edges:
                found[None if source == START else source, trigger] = (_row(edge), str(edge.dest))
    return MappingProxyType(found)


def _row(edge: Any) -> Transition:
    passes = edge.conditions[0].func
    assert isinstance(passes, Passes)
    return passes.row
