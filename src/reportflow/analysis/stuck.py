"""Records that are stuck in a state which others leave: whatever anybody does with them, they stay there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

import attrs

from reportflow.analysis.finding import Move
from reportflow.analysis.people import able
from reportflow.analysis.simulation import World
from reportflow.analysis.walk import Novelty, Walk
from reportflow.errors import ReportflowError
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import NOBODY
from reportflow.model.entry import Command

#: How many records of a state are looked at, how many moves are tried with each, and how many people beside the usual.
_RECORDS: Final = 20
_MOVES: Final = 1_500
_PEOPLE: Final = 24


def find_stuck(walk: Walk, lifecycle: Lifecycle) -> Iterator[tuple[World, str]]:
    """For each state that is not final, the first record found that never leaves it, though others do.

    A record that steps may still move is not claimed to be stuck; nor is one where the bound was reached.
    """
    by_steps = {source for row in lifecycle.transitions if NOBODY in row.roles for source in row.sources}
    for state in lifecycle.states:
        if state.final or state.name in by_steps:
            continue
        kept = walk.kept.get((lifecycle.name, state.name), [])[:_RECORDS]
        stays = [(world, id) for world, id in kept if _stays(walk, lifecycle, world, id)]
        if len(stays) < len(kept):  # of a state that none leaves, the state is said
            yield from stays[:1]


def _stays(walk: Walk, lifecycle: Lifecycle, world: World, id: str) -> bool:
    """Whether a record is in its state for good: all that was tried from there on, with it and what follows, stays."""
    state, left = world.records[id].state, _MOVES
    novelty = Novelty(walk.simulation.lifecycles)
    todo = deque([world])
    while todo:
        here = todo.popleft()
        for move in _moves(walk, lifecycle, here, id):
            left -= 1
            if not left:
                return False
            try:
                following = walk.simulation.perform(here, move)
            except ReportflowError:
                continue
            if following.records[id].state != state:
                return False
            if novelty.takes(following.records[id]):
                todo.append(following)
    return not novelty.full


def _moves(walk: Walk, lifecycle: Lifecycle, world: World, id: str) -> Iterator[Move]:
    record = world.records[id]
    for trigger in lifecycle.triggers:
        found = lifecycle.row(record.state, trigger)
        tried = None if found is None or NOBODY in found[0].roles else walk.attempts(lifecycle, trigger)
        if found is None or tried is None:
            continue
        others = islice(able(lifecycle, found[0], record), _PEOPLE)
        commands: Iterator[Command] = chain(tried.many, (attrs.evolve(tried.few[0], actor=one) for one in others))
        yield from (Move(id=id, command=command) for command in commands)
