"""Rows that are declared to commute, and do not: in the other order, two acts lead to another record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from reportflow.analysis.finding import Move
from reportflow.analysis.simulation import World
from reportflow.analysis.walk import Walk
from reportflow.errors import ReportflowError
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import NOBODY, OnConflict, Transition
from reportflow.model.record import Record
from reportflow.model.values import field_names

#: From how many records of each state two acts are tried, and with how many commands of each trigger.
_BASES: Final = 3
_COMMANDS: Final = 8
#: What differs after any two acts: the last of them is another one.
_OF_LAST_ACT: Final = frozenset({"head", "version", "updated_at"})


def find_conflicts(walk: Walk, lifecycle: Lifecycle, row: Transition) -> tuple[World, Move, Move, str] | None:
    """A world, the two acts, and a field that is another one when they are done in the other order; None without any.

    Only `sets` makes a difference; collections that hold the same in another order count as the same.
    """
    if row.on_conflict is not OnConflict.COMMUTES or not row.sets or NOBODY in row.roles:
        return None
    for world, id in walk.bases(lifecycle, row, _BASES):
        state = world.records[id].state
        acts = [one for one in lifecycle.triggers if lifecycle.row(state, one) is not None]
        for mine in _passing(walk, lifecycle, world, id, (row.trigger,)):
            for other in _passing(walk, lifecycle, world, id, acts):
                field = _differs(walk, world, id, mine, other)
                if field is not None:
                    return world, mine, other, field
    return None


def _passing(walk: Walk, lifecycle: Lifecycle, world: World, id: str, triggers: Sequence[str]) -> Iterator[Move]:
    for trigger in triggers:
        found = lifecycle.row(world.records[id].state, trigger)
        tried = None if found is None or NOBODY in found[0].roles else walk.attempts(lifecycle, trigger)
        commands = () if tried is None else tried.many
        moves = (Move(id=id, command=command) for command in commands)
        yield from islice((move for move in moves if _after(walk, world, move) is not None), _COMMANDS)


def _after(walk: Walk, world: World | None, move: Move) -> World | None:
    try:
        return None if world is None else walk.simulation.perform(world, move)
    except ReportflowError:
        return None


def _differs(walk: Walk, world: World, id: str, mine: Move, other: Move) -> str | None:
    """The first field that is another one in the other order; None where one order does not go through."""
    one = _after(walk, _after(walk, world, mine), other)
    two = _after(walk, _after(walk, world, other), mine)
    if one is None or two is None:
        return None
    here, there = one.records[id], two.records[id]
    return next((name for name in field_names(type(here)) if _value(here, name) != _value(there, name)), None)


def _value(record: Record, name: str) -> object:
    if name in _OF_LAST_ACT:
        return None
    value = getattr(record, name)
    return sorted(map(repr, value)) if isinstance(value, tuple | list) else value
