"""Which states the records of a lifecycle can really reach: a bounded walk, breadth-first, from drafts on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs

from reportflow.analysis import cases
from reportflow.analysis.cases import MAIN, Attempts
from reportflow.analysis.finding import Move
from reportflow.analysis.samples import START, Given
from reportflow.analysis.simulation import Decided, Simulation, Trial, World, is_of_step
from reportflow.errors import ReportflowError, Unbuildable
from reportflow.lifecycle.decision import initialize_draft
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import NOBODY, Transition
from reportflow.model.actor import Actor
from reportflow.model.entry import Command
from reportflow.model.record import Record
from reportflow.model.values import changed

#: From how many records of a state the walk goes on: of any; of those with a value that no other has there; and how
#: many values of a field count as that.
_MIXED: Final = 20
_MOST: Final = 48
_VALUES: Final = 8
#: On how many records of a state everything is tried; on the others, a few commands.
_WHOLE: Final = 4
#: How many trials there are in all.
_TRIALS: Final = 60_000
#: How many records that steps created are changed too.
_CREATED: Final = 2
#: Fields in which two records of a state may differ, and still count as one.
_BESIDE: Final = frozenset({"id", "kind", "state", "version", "lifecycle_version", "created_at", "updated_at"})


class Walk:
    """The walk; a subclass looks on."""

    def __init__(self, simulation: Simulation, given: Given, *, novelty: Novelty | None = None) -> None:
        self.simulation = simulation
        #: How many trials there were, and whether a bound was reached, so that there may be more.
        self.number: int = 0
        self.bounded: bool = False
        #: (kind, state) -> the worlds in which a record reached it, as (world, id).
        self.kept: dict[tuple[str, str], list[tuple[World, str]]] = {}
        self.people: tuple[Actor, ...] = cases.people(simulation.lifecycles)
        #: Class -> why no instance of it could be made.
        self.unbuildable: dict[type[Any], Unbuildable] = {}
        #: The trial under way.
        self.trial: Trial | None = None
        #: Rows that are tried no more.
        self.closed: set[Transition] = set()
        self.given = given
        self._novelty = novelty or Novelty(simulation.lifecycles)
        self._attempts: dict[tuple[str, str], Attempts | None] = {}

    def run(self) -> None:
        """Walk."""
        todo = deque(world for one in self.simulation.lifecycles for world in self._creations(one))
        while todo:
            world = todo.popleft()
            for move in self._moves(world):
                if self.number >= _TRIALS:
                    self.bounded = True
                    return
                following = self.attempt(world, move)
                if following is not None and self._is_news(following, world):
                    todo.append(following)

    def judge(self, lifecycle: Lifecycle, row: Transition, record: Record, command: Command) -> None:
        """Called before each decision, a step's too."""

    def note(self, trial: Trial, decisions: Sequence[Decided]) -> None:
        """Called after each trial; `decisions` are those on its way, up to the one that failed."""

    def attempt(self, world: World, move: Move) -> World | None:
        """One trial: the world after it, or None where it was refused or failed."""
        self.number += 1
        self.trial = Trial(world=world, move=move)
        decisions: list[Decided] = []
        following = None
        try:
            following = self.simulation.perform(world, move, judge=self.judge, decisions=decisions)
        except ReportflowError as error:
            self.trial = attrs.evolve(self.trial, error=error)
        self.note(self.trial, decisions)
        return following

    def attempts(self, lifecycle: Lifecycle, trigger: str) -> Attempts | None:
        """What is tried with a trigger; None where its details cannot be made."""
        key = lifecycle.name, trigger
        if key not in self._attempts:
            self._attempts[key] = None
            try:
                existing = tuple(self.simulation.existing)
                self._attempts[key] = cases.attempts(lifecycle, trigger, self.given, existing, self.people)
            except Unbuildable as error:
                cls = lifecycle.rows(trigger)[0].details
                assert cls is not None, "only details cannot be built"
                self.unbuildable[cls] = error
        return self._attempts[key]

    def bases(self, lifecycle: Lifecycle, row: Transition, number: int) -> list[tuple[World, str]]:
        """A few of the records that a row applies to, from each of its states."""
        sources = [state.name for state in lifecycle.states if state.name in row.sources]
        return [one for state in sources for one in self.kept.get((lifecycle.name, state), [])[:number]]

    def _creations(self, lifecycle: Lifecycle) -> Iterator[World]:
        try:
            drafts = cases.drafts(lifecycle, self.given, tuple(self.simulation.existing))
        except Unbuildable as error:
            self.unbuildable[lifecycle.record] = error
            return
        empty = World(records={})
        if sum(one.record is lifecycle.record for one in self.simulation.lifecycles) > 1:
            drafts = tuple(changed(one, {"kind": lifecycle.name}) for one in drafts)
        for number, draft in enumerate(drafts):
            for actor in self.people if number == 0 else self.people[:_CREATED]:
                trigger = _creation(lifecycle, draft, actor)
                if trigger is not None:
                    command = Command(trigger=trigger, actor=actor, now=START)
                    following = self.attempt(empty, Move(id=MAIN, command=command, draft=draft))
                    if following is not None and self._is_news(following, empty):
                        yield following

    def _moves(self, world: World) -> Iterator[Move]:
        created = [id for id in world.records if is_of_step(id)][:_CREATED]
        for id in [one for one in (MAIN, *created) if one in world.records]:
            record = world.records[id]
            lifecycle = self.simulation.lifecycle_of(record)
            kept = self.kept.get((lifecycle.name, record.state), [])
            first = any(one is world for one, _ in kept[:_WHOLE])
            for trigger in lifecycle.triggers:
                found = lifecycle.row(record.state, trigger)
                if found is None or not found[0].roles or NOBODY in found[0].roles:
                    continue
                tried = self.attempts(lifecycle, trigger)
                chosen = () if tried is None else tried.many if first else tried.few
                for command in (each for one in chosen for each in cases.of_entries(one, record)):
                    if found[0] not in self.closed:
                        yield Move(id=id, command=command)

    def _is_news(self, world: World, before: World) -> bool:
        """Whether a record is one that none was like before; it is kept then."""
        news = False
        for id, record in world.records.items():
            if record is not before.records.get(id) and self._novelty.takes(record):
                self.kept.setdefault((record.kind, record.state), []).append((world, id))
                news = True
        self.bounded = self.bounded or self._novelty.full
        return news


def _creation(lifecycle: Lifecycle, draft: Record, actor: Actor) -> str | None:
    """The trigger by which an actor creates a draft; None where its class does not take what a creation settles."""
    rows = [row for row in lifecycle.transitions if None in row.sources]
    try:
        command = Command(trigger=rows[0].trigger, actor=actor, now=START, id=MAIN)
        record = initialize_draft(lifecycle, draft, command)
    except ReportflowError:
        return None
    return next((row for row in rows if lifecycle.permits(row, record, actor)), rows[0]).trigger


class Novelty:
    """From which records the walk goes on: from those of a state that differ in what rules may read, up to a bound.

    Args:
        lifecycles: Their rules tell records apart.
        share: How much of the bounds.
    """

    def __init__(self, lifecycles: Sequence[Lifecycle], share: float = 1.0) -> None:
        #: Whether a record was left out.
        self.full: bool = False
        self._read = {one.name: sorted(cases.read_by_rules(one) - _BESIDE) for one in lifecycles}
        self._mixed, self._most = (max(2, int(share * one)) for one in (_MIXED, _MOST))
        #: (kind, state) -> what rules may read of the records taken, whole and field by field.
        self._known: dict[tuple[str, str], tuple[set[object], set[tuple[str, object]]]] = {}

    def takes(self, record: Record) -> bool:
        """Whether a record is taken; it is known from then on."""
        mix = tuple((name, _hashable(getattr(record, name))) for name in self._read[record.kind])
        mixes, values = self._known.setdefault((record.kind, record.state), (set(), set()))
        if mix in mixes:
            return False
        number = len(mixes)
        fresh = (pair not in values and sum(name == pair[0] for name, _ in values) < _VALUES for pair in mix)
        if number >= self._mixed and (number >= self._most or not any(fresh)):
            self.full = True
            return False
        mixes.add(mix)
        values.update(mix)
        return True


def _hashable(value: object) -> object:
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


class _StraightWalk(Walk):
    """A walk by the rows that lead to another state alone."""

    def _moves(self, world: World) -> Iterator[Move]:
        for move in super()._moves(world):
            record = world.records[move.id]
            found = self.simulation.lifecycle_of(record).row(record.state, move.command.trigger)
            if found is not None and found[0].dests(record.state) != (record.state,):
                yield move


def find_existing(lifecycles: Sequence[Lifecycle], given: Given) -> dict[str, World]:
    """A record of each kind in each of its states, to exist beside those that a path creates: id -> world.

    Found by short walks of their own, where only one record is concerned: straight on, and by all rows where that
    leaves out a state to which a row without steps leads.
    """
    simulation = Simulation(lifecycles)
    wanted = {
        f"{one.name}-{dest}"
        for one in lifecycles
        for row in one.transitions
        for source in row.sources
        for dest in row.dests(source)
        if row.then is None and dest != source
    }
    found: dict[str, World] = {}
    for kind_of_walk in (_StraightWalk, Walk):
        if wanted - found.keys():
            walk = kind_of_walk(simulation, given, novelty=Novelty(lifecycles, 0.25))
            walk.run()
            found = {**_alone(walk), **found}
    return found


def _alone(walk: Walk) -> dict[str, World]:
    """For each kind and state that a walk came to, a world with one such record and no other."""
    found: dict[str, World] = {}
    for (kind, state), kept in walk.kept.items():
        alone = [world for world, id in kept if id == MAIN and len(world.records) == 1]
        renamed = (_renamed(walk.simulation, world, f"{kind}-{state}") for world in alone)
        world = next((one for one in renamed if one is not None), None)
        if world is not None:
            found[f"{kind}-{state}"] = world
    return found


def _renamed(simulation: Simulation, world: World, id: str) -> World | None:
    """The same path with another id; None where time passes on it, or where it leads to another state."""
    again = World(records={})
    for move in world.moves:
        if move.command.now != START:
            return None
        try:
            again = simulation.perform(again, attrs.evolve(move, id=id))
        except ReportflowError:
            return None
    return again if again.records[id].state == world.records[MAIN].state else None
