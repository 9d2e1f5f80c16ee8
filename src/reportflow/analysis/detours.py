"""Separation of duties: what one person can bring about alone, though a guard is against them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

import attrs

from reportflow.analysis import cases
from reportflow.analysis.finding import Move, lines
from reportflow.analysis.samples import PEOPLE, START
from reportflow.analysis.walk import Novelty, Walk
from reportflow.analysis.world import World, said
from reportflow.errors import ReportflowError
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import NOBODY, Guard, Transition
from reportflow.model.actor import Actor
from reportflow.model.entry import Command
from reportflow.model.record import Record

#: From how many records of each state it is looked for one that the guard keeps a person from, from how many of these
#: it is gone on, and how much one person alone tries.
_BASES: Final = 48
_STARTS: Final = 8
_ALONE: Final = 1_000
#: With how many details each act is tried after the first one.
_FEW: Final = 3
#: Of what a walk goes on from, how much one person does.
_SHARE: Final = 0.5


@attrs.frozen(kw_only=True)
class Detour:
    """A way for one person to get past a guard that is about the person.

    Attributes:
        actor: The id of the person.
        state: The state that the guarded row leads to.
        fired: Whether the row itself lets them pass in the end; else they reach its state by other rows.
        example: The way, as Python.
    """

    actor: str
    state: str
    fired: bool
    example: tuple[str, ...]


def find_detour(walk: Walk, lifecycle: Lifecycle, row: Transition, guard: Guard) -> Detour | None:
    """How one person gets past a guard, if it is one about the person and there is a way."""
    if None in row.sources or walk.asked(lifecycle, row.trigger) is None:
        return None
    roles = tuple(dict.fromkeys(role for one in walk.office.lifecycles for role in one.roles))
    barred = []
    for world, id in walk.bases(lifecycle, row, _BASES):
        for name in PEOPLE:
            person = cases.able(name, roles, world.records[id].unit)
            refused = _barred(walk, lifecycle, row, guard, world.records[id], person)
            if refused is not None:
                barred.append((world, Move(id=id, command=refused)))
    # those that are far apart differ most
    chosen = barred[:: max(1, len(barred) // _STARTS)]
    ways = (_way_round(walk, lifecycle, row, world, refused) for world, refused in chosen)
    return next((way for way in ways if way is not None), None)


def _barred(
    walk: Walk, lifecycle: Lifecycle, row: Transition, guard: Guard, record: Record, person: Actor
) -> Command | None:
    """What a guard refuses to a person, whatever they tell it, and lets pass when a stranger like them asks."""
    asked = walk.asked(lifecycle, row.trigger)
    assert asked is not None, "its details can be made"
    mine = [attrs.evolve(asked.few[0], actor=person, details=told) for told in asked.details]
    if any(answer(guard, record, command) is not False for command in mine):
        return None
    stranger = attrs.evolve(person, id=cases.STRANGER)
    theirs = (one for one in mine if answer(guard, record, attrs.evolve(one, actor=stranger)) is True)
    return next(theirs, None)


def answer(guard: Guard, record: Record, command: Command) -> object:
    """What a guard says, to be compared: True, False, or the name of what it raises."""
    try:
        return guard.refusal(record, command) is None
    except Exception as error:  # whatever it raises is what is asked
        return type(error).__name__


def _way_round(walk: Walk, lifecycle: Lifecycle, row: Transition, world: World, refused: Move) -> Detour | None:
    id, person = refused.id, refused.command.actor
    try:
        walk.office.act(world, refused)
    except ReportflowError as error:
        ends = said(error)
    else:
        return None
    start = world.records[id].state
    dest = row.leads_to(start)
    for here, move, after in alone(walk, world, id, person):
        if after is None:
            continue
        found = lifecycle.row(here.records[id].state, move.command.trigger)
        fired = found is not None and found[0] is row
        came = after.records[id].state == dest and dest not in {*world.states, start}
        if fired or came:
            way = (*here.moves, move)[len(world.moves) :]
            before = lines(walk.office.needed((*world.moves, refused)), START, ends=ends)
            example = (*before, *lines(way, refused.command.now, ends="done"))
            return Detour(actor=person.id, state=dest, fired=fired, example=example)
    return None


def alone(walk: Walk, world: World, id: str, actor: Actor) -> Iterator[tuple[World, Move, World | None]]:
    """All that one person alone can bring about from a world: each move, and what came of it."""
    novelty = Novelty(walk.office.lifecycles, _SHARE)
    novelty.takes(world.records[id])
    todo = deque([world])
    tried = 0
    while todo:
        here = todo.popleft()
        record = here.records[id]
        lifecycle = walk.office.of(record)
        for trigger in lifecycle.triggers:
            found = lifecycle.row(record.state, trigger)
            asked = None if found is None or NOBODY in found[0].roles else walk.asked(lifecycle, trigger)
            details_tried = () if asked is None else asked.details if here is world else asked.details[:_FEW]
            for details in details_tried:
                if tried >= _ALONE:
                    return
                tried += 1
                assert asked is not None, "it has details"
                move = Move(id=id, command=attrs.evolve(asked.few[0], actor=actor, details=details))
                following = walk.tried(here, move)
                yield here, move, following
                if following is not None and novelty.takes(following.records[id]):
                    todo.append(following)
