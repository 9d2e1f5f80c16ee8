"""Moves in worlds: the results and errors of a flow on a store, and nothing kept but in the world after."""

from __future__ import annotations

import attrs
import pytest

from reportflow import AlreadyExists, Command, MemoryStore, RecordNotFound, ReportFlow, ReportflowError, Step
from reportflow.analysis.cases import MAIN, able
from reportflow.analysis.finding import Move
from reportflow.analysis.samples import START
from reportflow.analysis.simulation import Decided, Simulation, World
from reportflow.testing.differences import without_digests
from tests.analysis.test_checks import CHILD, CheckedCase, CheckedChild, row, spawn, table

FIXED = table(
    row("send", then=spawn),
    row("name", then=lambda before, entry: Step(target=CheckedChild.draft(id="c", unit=before.unit), trigger="create")),
)
ANA = able("ana", {"clerk", "chief"})
FAR = able("far", {"clerk"}, "elsewhere")


def move(trigger: str, id: str = MAIN, actor: object = ANA) -> Move:
    """A move at the start of time; a creation makes a case."""
    command = Command(trigger=trigger, actor=actor, now=START)  # type: ignore[arg-type]  # a person of this module
    return Move(id=id, command=command, draft=CheckedCase.draft() if trigger == "create" else None)


PATHS = [
    [move("create"), move("send"), move("send"), move("close")],
    [move("create"), move("name"), move("name")],
    [move("create"), move("create")],
    [move("create"), move("close"), move("send")],
    [move("create"), move("finish", "s1")],
    [move("create"), move("send"), move("finish", "s1")],
    [move("create"), move("send", actor=FAR)],
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: "-".join(one.command.trigger for one in path))
def test_a_move_results_in_what_a_flow_results_in(path: list[Move]) -> None:
    """A path of moves leads to the records, or ends in the error, of the same calls of a flow on a store."""
    simulation, world = Simulation([FIXED, CHILD]), World(records={})
    numbers = iter(range(1, 100))
    store = MemoryStore()
    ids = iter([""])
    flow = ReportFlow(store, [FIXED, CHILD], clock=lambda: START, new_id=lambda: next(ids, "") or f"s{next(numbers)}")
    for one in path:
        ids = iter([one.id] if one.draft is not None else [])
        errors: list[ReportflowError | None] = [None, None]
        try:
            world = simulation.perform(world, one)
        except ReportflowError as error:
            errors[0] = error
        try:
            if one.draft is not None:
                flow.create(one.draft, by=one.command.actor)
            else:
                flow.fire(one.id, one.command.trigger, by=one.command.actor)
        except ReportflowError as error:
            errors[1] = error
        assert [type(error) for error in errors] == [type(errors[1])] * 2
        assert str(errors[0]) == str(errors[1])
    known = sorted(world.records)
    there = without_digests([world.records[id] for id in known])
    assert [attrs.asdict(one) for one in there] == [attrs.asdict(one) for one in without_digests(store.get(known))]


def test_an_id_that_is_taken_is_refused() -> None:
    """A creation of a record that exists, also as a step, is refused, and the world before is as it was."""
    simulation = Simulation([FIXED, CHILD])
    world = simulation.perform(simulation.perform(World(records={}), move("create")), move("name"))
    before = dict(world.records)
    decisions: list[Decided] = []
    with pytest.raises(AlreadyExists, match="c"):
        simulation.perform(world, move("name"), decisions=decisions)
    assert [one.decision.entry.trigger for one in decisions] == ["name", "create"]
    assert world.records == before


def test_an_invisible_record_is_not_found() -> None:
    """A person who may not see a record gets the error of one that does not exist."""
    simulation = Simulation([FIXED, CHILD])
    world = simulation.perform(World(records={}), move("create"))
    with pytest.raises(RecordNotFound):
        simulation.perform(world, move("send", actor=FAR))
