"""Looking on while a lifecycle is walked: what was reached, what was refused, what its functions do beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs

from reportflow.analysis.purity import OUTSIDE, Watched, watch
from reportflow.analysis.walk import Walk
from reportflow.analysis.world import Act, Case
from reportflow.errors import RecordNotFound, RuleFailed, StepsUnbounded, UnknownLifecycle, UnknownTrigger
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import Step, Transition, is_field_name
from reportflow.model.entry import Command, Entry
from reportflow.model.record import Record

#: How many calls of each function are watched: those with a new answer count anew.
_WATCHED: Final = 10


@attrs.define(eq=False)
class Tried:
    """What came of a row, or of a guard on it: how often it was tried, and the first case of each kind."""

    number: int = 0
    passed: Case | None = None
    refused: Case | None = None


@attrs.frozen(eq=False, kw_only=True)
class Impure:
    """A function of a row that did what a rule must not."""

    row: Transition
    part: str
    effects: tuple[str, ...]
    differs: bool
    case: Case


#: (kind, trigger): what a `then` asks for.
Place = tuple[str, str]


class Examiner:
    """What is known of one lifecycle, `of`, after a walk that it looked on at."""

    def __init__(self, of: Lifecycle, walk: Walk) -> None:
        self.of = of
        self.walk = walk
        self.rows: dict[Transition, Tried] = {row: Tried() for row in of.transitions}
        #: (row, place among its guards) -> what came of it.
        self.guards: dict[tuple[Transition, int], Tried] = {}
        #: state -> the first case that led to it.
        self.reached: dict[str, Case] = {}
        #: Which state followed upon which.
        self.edges: dict[str | None, set[str]] = {}
        #: What went wrong in a rule: (trigger, part) -> the first case.
        self.failed: dict[tuple[str, str], Case] = {}
        self.impure: list[Impure] = []
        #: Rows of which not all could be tried.
        self.unexamined: set[Transition] = set()
        #: What asks for what: (kind, trigger) -> what its `then` asked for -> the first case.
        self.asks: dict[Place, dict[Place, Case]] = {}
        #: Rounds that certainly do not end: trigger -> the first case.
        self.endless: dict[str, Case] = {}
        #: Classes that a step creates, of which no lifecycle was given.
        self.strange: dict[str, Case] = {}
        self._watched: dict[tuple[Transition, str], int] = {}

    # -- while the walk goes on

    def judge(self, lifecycle: Lifecycle, row: Transition, record: Record, command: Command) -> None:
        """Look at the guards of a row before they are asked."""
        if lifecycle is not self.of:
            return
        if not command.step and not lifecycle.permits(row, record, command.actor):
            return
        for place, guard in enumerate(row.guards):
            if guard.reads_details and not _fits(row, command):
                continue
            watched = self._watch(row, f"guard '{guard.code}'", guard.test, record, command)
            try:
                refused = guard.refusal(record, command) is not None if watched is None else watched.answer is not True
            except Exception:  # whatever it raises, `decide` meets it too
                continue
            if watched is not None and watched.error is not None:
                continue
            self._count(self.guards.setdefault((row, place), Tried()), refused)

    def _count(self, tried: Tried, refused: bool) -> None:
        tried.number += 1
        if refused and tried.refused is None:
            tried.refused = self.walk.case
        if not refused and tried.passed is None:
            tried.passed = self.walk.case

    def _watch(self, row: Transition, part: str, function: Callable[..., Any], *arguments: object) -> Watched | None:
        """The first calls of a function, watched; None after that."""
        number = self._watched[row, part] = self._watched.get((row, part), 0) + 1
        if number > _WATCHED:
            return None
        watched = watch(function, *arguments)
        if watched.effects or watched.differs:
            assert self.walk.case is not None, "something is being tried"
            found = Impure(row=row, part=part, effects=watched.effects, differs=watched.differs, case=self.walk.case)
            self.impure.append(found)
        if OUTSIDE in watched.effects:
            self.walk.closed.add(row)  # it is not for a check to send a hundred letters
            self.unexamined.add(row)
        return watched

    def note(self, case: Case, acts: list[Act]) -> None:
        """Take down what came of a case; where it was refused, `acts` are those before that."""
        for act in acts:
            self._note_steps(case, act)
        if case.error is not None:
            self._note_error(case)
            return
        for act in acts:
            self._note_act(case, act)

    def _note_error(self, case: Case) -> None:
        error, command = case.error, case.move.command
        record = case.move.draft or case.world.records[case.move.id]
        lifecycle = self.walk.office.of(record)
        if lifecycle is self.of:
            found = lifecycle.row(record.state if record.version else None, command.trigger)
            if found is not None:
                tried = self.rows[found[0]]
                tried.number += 1
                known = tried.refused
                if known is None or (_for_role(known) and not _for_role(case)):
                    tried.refused = case
                if isinstance(error, UnknownLifecycle):
                    self.unexamined.add(found[0])
        if isinstance(error, RuleFailed) and error.lifecycle == self.of.name:
            self.failed.setdefault((error.trigger, error.part), case)
        elif isinstance(error, UnknownTrigger) and lifecycle is self.of and not self._is_known(error.trigger):
            self.failed.setdefault((command.trigger, "then"), case)
        elif isinstance(error, UnknownLifecycle) and lifecycle is self.of:
            self.strange.setdefault(error.name, case)
        elif isinstance(error, StepsUnbounded) and lifecycle is self.of:
            self.endless.setdefault(command.trigger, case)

    def _is_known(self, trigger: str) -> bool:
        """Whether some lifecycle has it: then only the record was one of the wrong kind."""
        return any(trigger in one.triggers for one in self.walk.office.lifecycles)

    def _note_act(self, case: Case, act: Act) -> None:
        entry, lifecycle = act.decision.entry, act.lifecycle
        if lifecycle is not self.of:
            return
        self.reached.setdefault(entry.dest, case)
        self.edges.setdefault(entry.source, set()).add(entry.dest)
        found = lifecycle.row(entry.source, entry.trigger)
        assert found is not None, "it was just done"
        row = found[0]
        tried = self.rows[row]
        tried.number += 1
        if tried.passed is None:
            tried.passed = case
        for part, function in functions(row):
            before = act.decision.entry.details if entry.source is None else act.before
            self._watch(row, part, function, before, entry)

    def _note_steps(self, case: Case, act: Act) -> None:
        place = (act.lifecycle.name, act.decision.entry.trigger)
        for step in act.decision.steps:
            for asked in self._places(case, step):
                self.asks.setdefault(place, {}).setdefault(asked, case)

    def _places(self, case: Case, step: Step) -> Iterator[Place]:
        """What a step asks for: of each kind that has the trigger, where its record is not at hand."""
        office = self.walk.office
        if isinstance(step.target, Record):
            with_kind = [one for one in office.lifecycles if one.record is type(step.target)]
        else:
            known = case.world.records.get(step.target) or (
                office.there[step.target].records[step.target] if step.target in office.there else None
            )
            with_kind = list(office.lifecycles) if known is None else [office.of(known)]
        yield from ((one.name, step.trigger) for one in with_kind if step.trigger in one.triggers)


def functions(row: Transition) -> Iterator[tuple[str, Callable[[Any, Entry], Any]]]:
    """The functions of a row beside its guards, each with what an error calls it."""
    for field, setting in row.sets.items():
        if callable(setting) and not is_field_name(setting):
            yield f"sets '{field}'", setting
    if row.then is not None:
        yield "then", row.then


def _fits(row: Transition, command: Command) -> bool:
    return command.details is None if row.details is None else isinstance(command.details, row.details)


def _for_role(case: Case) -> bool:
    """Whether somebody was refused for what they are: nobody learns much from that."""
    unseen = isinstance(case.error, RecordNotFound) and case.error.ids == (case.move.id,)
    return unseen or any(getattr(one, "code", "") == "role" for one in getattr(case.error, "refusals", ()))
