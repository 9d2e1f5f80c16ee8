"""The compiled lookups and the `transitions` machine are one: the machine is the reference meaning."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transitions import MachineError

from reportflow import ANY, Actor, Command, Guard, Lifecycle, OneOf, Record, State, Transition, TransitionRefused
from reportflow.lifecycle.decision import decide
from reportflow.office import REPORT, Author, Report
from reportflow.testing.strategies import lifecycles
from reportflow.testing.strategies.definitions import ERRAND, Casework, Remark, valid_details
from tests.lifecycles import OVERSEER, PEOPLE, accepting_everything

NOW = datetime(2022, 6, 1, tzinfo=UTC)
START = "[*]"


def all_states(lifecycle: Lifecycle) -> list[str | None]:
    """Every state, and None for a record before its creation."""
    return [None, *(state.name for state in lifecycle.states)]


def ask_machine(lifecycle: Lifecycle, state: str | None, trigger: str, record: Record, command: Command) -> str | None:
    """Where the machine goes: a state, None where a guard refuses.

    Raises:
        MachineError: the state has no such row.
    """
    model = SimpleNamespace(state=START if state is None else state)
    moved = lifecycle.machine.events[trigger].trigger(model, record=record, command=command)
    return str(model.state) if moved else None


def ask_lookup(lifecycle: Lifecycle, state: str | None, trigger: str, record: Record, command: Command) -> str | None:
    """The same by the compiled lookup."""
    found = lifecycle.row(state, trigger)
    if found is None:
        raise MachineError(f"no row for {trigger} from {state}")
    row, dest = found
    if any(guard.refusal(record, command) is not None for guard in row.guards):
        return None
    return chosen(lifecycle, row, record, command) if row.chooses else dest


def chosen(lifecycle: Lifecycle, row: Transition, record: Record, command: Command) -> str:
    """The state that such a row leads to, by hand: the choice is that of the count once the row has set it."""
    assert isinstance(row.dest, OneOf)
    assert isinstance(record, Casework)
    setting = row.sets.get("count")
    count = record.count + 1 if callable(setting) else record.count
    if setting == "count":
        assert isinstance(command.details, Remark)
        count = command.details.count
    return row.dest.states[count % len(row.dest.states)]


def cases(lifecycle: Lifecycle) -> Iterator[tuple[str | None, str]]:
    """Every pair of a state and a trigger."""
    return itertools.product(all_states(lifecycle), lifecycle.triggers)


@given(
    lifecycle=lifecycles(),
    actor=st.sampled_from(PEOPLE),
    count=st.integers(0, 3),
    assignee=st.sampled_from([None, "ana"]),
)
def test_lookups_and_machine_agree(lifecycle: Lifecycle, actor: Actor, count: int, assignee: str | None) -> None:
    """For every state and trigger the lookup and the machine agree: a state, a guard that refuses, or no row."""
    for state, trigger in cases(lifecycle):
        record = Casework(id="r", state=state or "", unit="a", created_by="ana", count=count, assignee=assignee)
        details = valid_details(lifecycle.rows(trigger)[0].details)
        command = Command(trigger=trigger, actor=actor, now=NOW, details=details)
        answers: list[object] = []
        for ask in (ask_machine, ask_lookup):
            try:
                answers.append(ask(lifecycle, state, trigger, record, command))
            except MachineError:
                answers.append(MachineError)
        assert answers[0] == answers[1]


@given(lifecycle=lifecycles(), outcomes=st.lists(st.booleans(), min_size=1, max_size=4))
def test_they_agree_on_every_guard_outcome(lifecycle: Lifecycle, outcomes: list[bool]) -> None:
    """For all results of the guards, the machine goes to the state of the lookup exactly when all of them pass."""
    guards = [Guard(code=f"g{number}", test=lambda *_, passes=passes: passes) for number, passes in enumerate(outcomes)]
    rows = [attrs.evolve(row, guards=guards) for row in lifecycle.transitions]
    guarded = attrs.evolve(lifecycle, transitions=rows)
    record = Casework(id="r")
    for state, trigger in cases(guarded):
        details = valid_details(lifecycle.rows(trigger)[0].details)
        command = Command(trigger=trigger, actor=OVERSEER, now=NOW, details=details)
        found = guarded.row(state, trigger)
        if found is None:
            with pytest.raises(MachineError):
                ask_machine(guarded, state, trigger, record, command)
        else:
            went = ask_machine(guarded, state, trigger, record, command)
            assert went == (ask_lookup(guarded, state, trigger, record, command) if all(outcomes) else None)


@given(lifecycle=lifecycles())
def test_a_decision_goes_where_the_machine_goes(lifecycle: Lifecycle) -> None:
    """Given role, details and reason, `decide` gives the machine's state, or a refusal."""
    lifecycle = accepting_everything(lifecycle)
    for state, trigger in cases(lifecycle):
        version = 0 if state is None else 1
        record = Casework(id="r", kind="casework", state=state or "", version=version, unit="c", title="t")
        command = Command(
            trigger=trigger,
            actor=OVERSEER,
            now=NOW,
            details=valid_details(lifecycle.rows(trigger)[0].details),
            reason="because",
            step=True,
        )
        try:
            expected = ask_machine(lifecycle, state, trigger, record, command)
        except MachineError:
            expected = None
        if expected is None:
            with pytest.raises(TransitionRefused):
                decide(lifecycle, record, command)
        else:
            assert decide(lifecycle, record, command).record.state == expected


@given(lifecycle=lifecycles())
def test_every_row_is_in_the_lookup_and_nothing_else(lifecycle: Lifecycle) -> None:
    """The lookup holds exactly the pairs of the table's rows, each with its row."""
    expected = {
        (source, row.trigger): (row, row.leads_to(source)) for row in lifecycle.transitions for source in row.sources
    }
    found = {pair: lifecycle.row(*pair) for pair in cases(lifecycle)}
    assert {pair: row for pair, row in found.items() if row is not None} == expected


def shape(lifecycle: Lifecycle) -> object:
    """The content of the machine's default dicts."""
    return {
        trigger: {source: [edge.dest for edge in edges] for source, edges in event.transitions.items()}
        for trigger, event in lifecycle.machine.events.items()
    }


@given(lifecycle=lifecycles())
def test_the_machine_has_the_rows_and_no_more(lifecycle: Lifecycle) -> None:
    """No automatic transitions, no models, and in each event one edge for each source and dest of its rows."""
    expected: dict[str, dict[str, list[str]]] = {}
    for row in lifecycle.transitions:
        for source in row.sources:
            place = expected.setdefault(row.trigger, {}).setdefault(START if source is None else source, [])
            place += row.dests(source)
    assert shape(lifecycle) == expected
    assert lifecycle.machine.models == []
    assert set(lifecycle.machine.states) == {START, *(state.name for state in lifecycle.states)}


@given(lifecycle=lifecycles())
def test_reading_leaves_the_machine_alone(lifecycle: Lifecycle) -> None:
    """Lookups, with and without a row, add nothing to the machine's default dicts."""
    before = shape(lifecycle)
    for state, trigger in cases(lifecycle):
        lifecycle.row(state, trigger)
        lifecycle.row("nowhere", trigger)
        lifecycle.row(state, "nonsense")
    assert shape(lifecycle) == before


@pytest.mark.parametrize("lifecycle", [REPORT, ERRAND], ids=lambda one: one.name)
def test_the_lifecycles_that_ship_agree_too(lifecycle: Lifecycle) -> None:
    """`REPORT`'s lookup and machine agree for every state and trigger, for all results of its guards."""
    for state, trigger in cases(lifecycle):
        found = lifecycle.row(state, trigger)
        edges = lifecycle.machine.events[trigger].transitions.get(START if state is None else state, [])
        assert [edge.dest for edge in edges] == ([] if found is None else [*found[0].dests(state)])


def test_the_machine_calls_the_guards_of_the_row() -> None:
    """The machine refuses a review by the last editor, and passes one by another."""
    report = Report(id="r", title="t", text="t", authors=[Author(name="x")], state="edited", edited_by="li")
    went = [
        ask_machine(REPORT, "edited", "review", report, Command(trigger="review", actor=Actor(id=who), now=NOW))
        for who in ("li", "wang")
    ]
    assert went == [None, "reviewed"]


def test_names_of_the_machine_s_attributes_are_ordinary_names() -> None:
    """States and triggers with the names of a Machine's own attributes work as any others."""
    states = [State("trigger"), State("to_end", final=True)]
    rows = [
        Transition("create", source=None, dest="trigger", roles={"r"}),
        Transition("initial", source="trigger", dest="to_end", roles={"r"}),
    ]
    odd = Lifecycle(name="odd", version=1, record=Casework, roles={"r": ANY}, states=states, transitions=rows)
    found = odd.row("trigger", "initial")
    assert found is not None
    assert found[1] == "to_end"
