"""Separation of duties: what one person can do alone to get past a guard that is against them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import zip_longest
from typing import Final, NamedTuple

import attrs

from reportflow.analysis import cases
from reportflow.analysis.finding import Move, lines
from reportflow.analysis.samples import PEOPLE, START
from reportflow.analysis.simulation import World, outcome
from reportflow.analysis.walk import Novelty, Walk
from reportflow.errors import ReportflowError
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.guards import Guard
from reportflow.lifecycle.table import NOBODY, Transition
from reportflow.model.actor import Actor
from reportflow.model.entry import Command
from reportflow.model.record import Record

#: Among how many records of each state one is looked for that the guard keeps a person from, from how many of these
#: the search goes on, and how many moves one person alone tries.
_BASES: Final = 48
_STARTS: Final = 8
_ALONE: Final = 1_000
#: With how many details each act is tried after the first one.
_FEW: Final = 3
#: From how much of what a walk goes on from, one person goes on.
_SHARE: Final = 0.5


class Detour(NamedTuple):
    """A way for one person to get past a guard that is about the person."""

    #: The id of the person.
    actor: str
    #: The state that the guarded row leads to.
    state: str
    #: Whether the row itself lets them pass in the end; else they reach its state by other rows.
    fired: bool
    #: The way, as Python.
    example: tuple[str, ...]


def find_detour(walk: Walk, lifecycle: Lifecycle, row: Transition, guard: Guard) -> Detour | None:
    """How one person gets past a guard, if it is one about the person and there is a way."""
    tried = walk.attempts(lifecycle, row.trigger)
    if None in row.sources or tried is None:
        return None
    roles = tuple(dict.fromkeys(role for one in walk.simulation.lifecycles for role in one.roles))
    barred = []
    for world, id in walk.bases(lifecycle, row, _BASES):
        for name in PEOPLE:
            person = cases.able(name, roles, world.records[id].unit)
            refused = _barred(tried, guard, world.records[id], person)
            if refused is not None:
                barred.append((world, Move(id=id, command=refused)))
    # those that are far apart differ most
    chosen = barred[:: max(1, len(barred) // _STARTS)]
    ways = (_way_round(walk, lifecycle, row, world, refused) for world, refused in chosen)
    return next((way for way in ways if way is not None), None)


def _barred(tried: cases.Attempts, guard: Guard, record: Record, person: Actor) -> Command | None:
    """A command that a guard refuses to a person, with any details, but not to a stranger like them."""
    mine = [attrs.evolve(tried.few[0], actor=person, details=details) for details in tried.details]
    if any(answer(guard, record, command) is not False for command in mine):
        return None
    stranger = attrs.evolve(person, id=cases.STRANGER)
    theirs = (one for one in mine if answer(guard, record, attrs.evolve(one, actor=stranger)) is True)
    return next(theirs, None)


def answer(guard: Guard, record: Record, command: Command) -> object:
    """The answer of a guard, to be compared: True, False, or the name of what it raises."""
    try:
        return guard.refusal(record, command) is None
    except Exception as error:  # any error of a host's guard
        return type(error).__name__


def _way_round(walk: Walk, lifecycle: Lifecycle, row: Transition, world: World, refused: Move) -> Detour | None:
    id, person = refused.id, refused.command.actor
    try:
        walk.simulation.perform(world, refused)
    except ReportflowError as error:
        ends = outcome(error)
    else:
        return None
    start = world.records[id].state
    for here, move, after in _alone(walk, world, id, person):
        found = lifecycle.row(here.records[id].state, move.command.trigger)
        fired = found is not None and found[0] is row
        reached = after.records[id].state
        arrived = reached in row.dests(start) and reached not in {*world.states, start}
        if fired or arrived:
            way = (*here.moves, move)[len(world.moves) :]
            before = lines(walk.simulation.needed((*world.moves, refused)), START, ends=ends)
            example = (*before, *lines(way, refused.command.now, ends="done"))
            dest = reached if row.chooses else row.leads_to(start)
            return Detour(actor=person.id, state=dest, fired=fired, example=example)
    return None


def _alone(walk: Walk, world: World, id: str, actor: Actor) -> Iterator[tuple[World, Move, World]]:
    """All that one person alone can do from a world on: each move that passes, with the worlds before and after it."""
    novelty = Novelty(walk.simulation.lifecycles, _SHARE)
    novelty.takes(world.records[id])
    todo = deque([world])
    left = _ALONE
    while todo:
        here = todo.popleft()
        for command in _commands(walk, here.records[id], actor, None if here is world else _FEW):
            if not left:
                return
            left -= 1
            move = Move(id=id, command=command)
            try:
                following = walk.simulation.perform(here, move)
            except ReportflowError:
                continue
            yield here, move, following
            if novelty.takes(following.records[id]):
                todo.append(following)


def _commands(walk: Walk, record: Record, actor: Actor, few: int | None) -> Iterator[Command]:
    """What a person tries: each trigger in turn, so that none with many details leaves no room for the others."""
    lifecycle = walk.simulation.lifecycle_of(record)
    turns: list[list[Command]] = []
    for trigger in lifecycle.triggers:
        found = lifecycle.row(record.state, trigger)
        tried = None if found is None or NOBODY in found[0].roles else walk.attempts(lifecycle, trigger)
        if tried is not None:
            first = attrs.evolve(tried.few[0], actor=actor)
            commands = (attrs.evolve(first, details=details) for details in tried.details[:few])
            turns.append([each for one in commands for each in cases.of_entries(one, record)])
    return (command for turn in zip_longest(*turns) for command in turn if command is not None)
