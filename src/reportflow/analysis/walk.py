"""Where the records of a lifecycle can really come to: a bounded walk, breadth-first, from drafts on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import attrs

from reportflow.analysis import cases
from reportflow.analysis.cases import MAIN, Asked
from reportflow.analysis.finding import Move
from reportflow.analysis.samples import START, Given
from reportflow.analysis.world import Act, Case, Judge, Office, World, is_of_step
from reportflow.errors import ReportflowError, Unbuildable
from reportflow.lifecycle.decision import initialize_draft
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import NOBODY, Transition
from reportflow.model.entry import Command
from reportflow.model.record import Record
from reportflow.model.values import changed, field_names

#: How many records of a state are gone on from: of any; of those that some rule may tell apart; of those with a value
#: that no other has there, in a field that some rule may read; and how many values of a field count as that.
_ANY: Final = 8
_MIXED: Final = 20
_MOST: Final = 48
_VALUES: Final = 8
#: How many records of a state everything is tried on; on the others, a few things.
_WHOLE: Final = 4
#: How many cases are tried in all.
_CASES: Final = 60_000
#: How many records that steps created are moved too.
_CREATED: Final = 2
#: What two records of a state may differ in, and still be the same for a walk.
_BESIDE: Final = frozenset({"id", "kind", "state", "version", "lifecycle_version", "created_at", "updated_at"})


class Walk:
    """The walk itself. `note` is told of each case, `watched` looks at each act before it is made."""

    def __init__(self, office: Office, given: Given, *, novelty: Novelty | None = None) -> None:
        self.office = office
        self.cases = 0
        #: Whether a bound was reached, so that there may be more.
        self.bounded = False
        #: (kind, state) -> the worlds in which a record came to be in it, as (world, id).
        self.kept: dict[tuple[str, str], list[tuple[World, str]]] = {}
        self.people = cases.people(office.lifecycles)
        #: Class -> why no instance of it could be made.
        self.unbuildable: dict[type[Any], Unbuildable] = {}
        self._given = given
        self._novelty = novelty or Novelty(office.lifecycles)
        #: What is tried just now.
        self.case: Case | None = None
        #: Rows that are tried no more.
        self.closed: set[Transition] = set()
        self._asked: dict[tuple[str, str], Asked | None] = {}

    def run(self, note: Callable[[Case, list[Act]], None] | None = None, judge: Judge | None = None) -> None:
        """Walk, and tell `note` what came of each case, `judge` what is about to be decided."""
        todo: deque[World] = deque()
        for lifecycle in self.office.lifecycles:
            todo.extend(self._begin(lifecycle, note, judge))
        while todo:
            world = todo.popleft()
            for move in self._moves(world):
                if self.cases >= _CASES:
                    self.bounded = True
                    return
                following = self.tried(world, move, note, judge)
                if following is not None and self._is_news(following, world):
                    todo.append(following)

    def tried(
        self,
        world: World,
        move: Move,
        note: Callable[[Case, list[Act]], None] | None = None,
        judge: Judge | None = None,
    ) -> World | None:
        """One case: the world after it, or None where it was refused or failed."""
        self.cases += 1
        self.case = Case(world=world, move=move)
        acts: list[Act] = []
        try:
            following, _ = self.office.act(world, move, judge, acts)
        except ReportflowError as error:
            if note is not None:
                note(attrs.evolve(self.case, error=error), acts)
            return None
        if note is not None:
            note(self.case, acts)
        return following

    def asked(self, lifecycle: Lifecycle, trigger: str) -> Asked | None:
        """What is tried with a trigger; None where its details cannot be made."""
        key = lifecycle.name, trigger
        if key not in self._asked:
            try:
                made = cases.asked(lifecycle, trigger, self._given, tuple(self.office.there), self.people)
            except Unbuildable as error:
                cls = lifecycle.rows(trigger)[0].details
                assert cls is not None, "only details cannot be built"
                self.unbuildable[cls] = error
                self._asked[key] = None
            else:
                self._asked[key] = made
        return self._asked[key]

    def bases(self, lifecycle: Lifecycle, row: Transition, number: int) -> list[tuple[World, str]]:
        """A few of the records that a row applies to, from each of its states."""
        found: list[tuple[World, str]] = []
        for state in lifecycle.states:
            if state.name in row.sources:
                found += self.kept.get((lifecycle.name, state.name), [])[:number]
        return found

    def _begin(
        self, lifecycle: Lifecycle, note: Callable[[Case, list[Act]], None] | None, judge: Judge | None
    ) -> Iterator[World]:
        rows = [row for row in lifecycle.transitions if None in row.sources]
        try:
            drafts = cases.drafts(lifecycle, self._given, tuple(self.office.there))
        except Unbuildable as error:
            self.unbuildable[lifecycle.record] = error
            return
        empty = World(records={})
        several = sum(one.record is lifecycle.record for one in self.office.lifecycles) > 1
        for number, plain in enumerate(drafts):
            draft = changed(plain, {"kind": lifecycle.name}) if several else plain
            for actor in self.people if number == 0 else self.people[:_CREATED]:
                command = Command(trigger=rows[0].trigger, actor=actor, now=START)
                record = begun_or_none(lifecycle, draft, command)
                if record is None:
                    continue
                taking = [row for row in rows if lifecycle.permits(row, record, actor)]
                command = attrs.evolve(command, trigger=(taking or rows)[0].trigger)
                following = self.tried(empty, Move(id=MAIN, command=command, draft=draft), note, judge)
                if following is not None and self._is_news(following, empty):
                    yield following

    def _moves(self, world: World) -> Iterator[Move]:
        created = [id for id in world.records if is_of_step(id)][:_CREATED]
        for id in [one for one in (MAIN, *created) if one in world.records]:
            record = world.records[id]
            lifecycle = self.office.of(record)
            kept = self.kept.get((lifecycle.name, record.state), [])
            first = any(one is world for one, _ in kept[:_WHOLE])
            for trigger in lifecycle.triggers:
                found = lifecycle.row(record.state, trigger)
                if found is None or not found[0].roles or NOBODY in found[0].roles:
                    continue
                asked = self.asked(lifecycle, trigger)
                for command in () if asked is None else asked.many if first else asked.few:
                    if found[0] not in self.closed:
                        yield Move(id=id, command=command)

    def _is_news(self, world: World, before: World) -> bool:
        """Whether a record came to be as none was yet; it is kept then."""
        news = False
        for id, record in world.records.items():
            if record is not before.records.get(id) and self._novelty.takes(record):
                self.kept.setdefault((record.kind, record.state), []).append((world, id))
                news = True
        self.bounded = self.bounded or self._novelty.full
        return news


class Novelty:
    """Which records are worth going on from.

    Args:
        lifecycles: By what their rules may read, records are told apart.
        share: Of the bounds, how much.
    """

    def __init__(self, lifecycles: Sequence[Lifecycle], share: float = 1.0) -> None:
        #: Whether one was left aside.
        self.full = False
        self._read = {one.name: cases.read_by_rules(one) for one in lifecycles}
        self._any, self._mixed, self._most = (max(2, int(share * one)) for one in (_ANY, _MIXED, _MOST))
        self._records: dict[tuple[str, str], set[object]] = {}
        self._mixes: dict[tuple[str, str], set[object]] = {}
        self._values: dict[tuple[str, str], set[tuple[str, object]]] = {}

    def takes(self, record: Record) -> bool:
        """Whether a record is taken; it is known from then on."""
        place, told = (record.kind, record.state), _plain(record)
        records, mixes = self._records.setdefault(place, set()), self._mixes.setdefault(place, set())
        if told in records:
            return False
        values = self._values.setdefault(place, set())
        mix = tuple(pair for pair in told if pair[0] in self._read[record.kind])
        fresh = [pair for pair in mix if pair not in values and _number(values, pair[0]) < _VALUES]
        number = len(records)
        taken = (
            number < self._any or (number < self._mixed and mix not in mixes) or (number < self._most and bool(fresh))
        )
        if not taken:
            self.full = True
            return False
        records.add(told)
        mixes.add(mix)
        values.update(mix)
        return True


def _number(values: set[tuple[str, object]], field: str) -> int:
    return sum(name == field for name, _ in values)


def _plain(record: Record) -> tuple[tuple[str, object], ...]:
    """A record's fields as far as they tell it apart from others in its state."""
    return tuple((name, _hashable(getattr(record, name))) for name in field_names(type(record)) if name not in _BESIDE)


def _hashable(value: object) -> object:
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def begun_or_none(lifecycle: Lifecycle, draft: Record, command: Command) -> Record | None:
    """A draft with what its creation settles; None where its class does not take that."""
    try:
        return initialize_draft(lifecycle, draft, command)
    except ReportflowError:
        return None


def find_there(lifecycles: Sequence[Lifecycle], given: Given) -> dict[str, World]:
    """A record of each kind in each of its states, to be there beside those that a path creates: id -> world.

    Found by a short walk of its own, where only one record is concerned.
    """
    office = Office(lifecycles)
    walk = Walk(office, given, novelty=Novelty(lifecycles, 0.25))
    walk.run()
    found: dict[str, World] = {}
    for (kind, state), kept in walk.kept.items():
        for world, id in kept:
            renamed = _again(office, world, f"{kind}-{state}") if id == MAIN and len(world.records) == 1 else None
            if renamed is not None:
                found[f"{kind}-{state}"] = renamed
                break
    return found


def _again(office: Office, world: World, id: str) -> World | None:
    """The same path with another id, by one who moves it at the same time; None where it does not come to the same."""
    again = World(records={})
    for move in world.moves:
        if move.command.now != START:
            return None
        draft = None if move.draft is None else changed(move.draft, {"id": id})
        try:
            again, _ = office.act(again, attrs.evolve(move, id=id, draft=draft))
        except ReportflowError:
            return None
    return again if again.records[id].state == world.records[MAIN].state else None
