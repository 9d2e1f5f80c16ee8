"""What a walk shows about one lifecycle: states reached, rows and guards passed and refused, effects of functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

from reportflow.analysis.cases import functions
from reportflow.analysis.purity import OUTSIDE, Observation, Watcher
from reportflow.analysis.samples import Given
from reportflow.analysis.simulation import Decided, Simulation, Trial
from reportflow.analysis.walk import Walk
from reportflow.errors import InvalidValue, RecordNotFound, RuleFailed, StepsUnbounded, UnknownLifecycle, UnknownTrigger
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import Step, Transition
from reportflow.model.entry import Command
from reportflow.model.record import Record

#: How many calls of each function are watched.
_WATCHED: Final = 10


@attrs.define(eq=False)
class Tally:
    """How often a row, or a guard on it, was tried, and the first trial of each result."""

    number: int = 0
    passed: Trial | None = None
    refused: Trial | None = None


#: (kind, trigger): what the steps of a `then` are about.
Place = tuple[str, str]


class Examiner(Walk):
    """A walk that collects what it shows about one lifecycle, `of`; without a watcher no function is watched."""

    def __init__(self, of: Lifecycle, simulation: Simulation, given: Given, watcher: Watcher | None) -> None:
        super().__init__(simulation, given)
        self.of = of
        self.rows: dict[Transition, Tally] = {row: Tally() for row in of.transitions}
        #: (row, place among its guards) -> its results.
        self.guards: dict[tuple[Transition, int], Tally] = {}
        #: state -> the first trial that led to it, and the id of the record that reached it.
        self.reached: dict[str, tuple[Trial, str]] = {}
        #: Which states followed upon which.
        self.edges: dict[str | None, set[str]] = {}
        #: The errors of rules: (trigger, part) -> the first trial.
        self.failed: dict[tuple[str, str], Trial] = {}
        #: What functions did that a rule must not: (trigger, part, effect or "differs") -> the first trial.
        self.impure: dict[tuple[str, str, str], Trial] = {}
        #: Rows of which not all could be tried.
        self.unexamined: set[Transition] = set()
        #: (kind, trigger) -> what its steps are about -> the first trial.
        self.steps: dict[Place, dict[Place, Trial]] = {}
        #: Rounds that certainly do not end: trigger -> the first trial.
        self.endless: dict[str, Trial] = {}
        #: Classes that a step creates, of which no lifecycle was given.
        self.strange: dict[str, Trial] = {}
        self._watcher = watcher
        self._watched: dict[tuple[Transition, str], int] = {}

    def judge(self, lifecycle: Lifecycle, row: Transition, record: Record, command: Command) -> None:
        """Look at the guards of a row before `decide` does."""
        if lifecycle is not self.of or not (command.step or lifecycle.permits(row, record, command.actor)):
            return
        for place, guard in enumerate(row.guards):
            if guard.reads_details and not _fits(row, command):
                continue
            seen = self._watch(row, f"guard '{guard.code}'", guard.test, record, command)
            try:
                refused = guard.refusal(record, command) is not None if seen is None else seen.answer is not True
            except Exception:  # any error: `decide` meets it too
                continue
            if seen is None or seen.error is None:
                self._count(self.guards.setdefault((row, place), Tally()), refused)

    def _count(self, tally: Tally, refused: bool) -> None:
        tally.number += 1
        if refused:
            tally.refused = tally.refused or self.trial
        else:
            tally.passed = tally.passed or self.trial

    def _watch(
        self, row: Transition, part: str, function: Callable[..., Any], *arguments: object
    ) -> Observation | None:
        """The first calls of a function, watched; None after that."""
        number = self._watched[row, part] = self._watched.get((row, part), 0) + 1
        if number > _WATCHED or self._watcher is None:
            return None
        seen = self._watcher.watch(function, *arguments)
        assert self.trial is not None, "a trial is under way"
        for effect in (*seen.effects, *(["differs"] if seen.differs else [])):
            self.impure.setdefault((row.trigger, part, effect), self.trial)
        if OUTSIDE in seen.effects:
            self.closed.add(row)  # a check must not send a hundred letters
            self.unexamined.add(row)
        return seen

    def note(self, trial: Trial, decisions: Sequence[Decided]) -> None:
        """Collect the results of a trial; where it was refused, `decisions` are those before that."""
        for decided in decisions:
            self._note_steps(trial, decided)
        if trial.error is not None:
            self._note_error(trial, in_step=bool(decisions))
            return
        for decided in decisions:
            if decided.lifecycle is self.of:
                self._note_decision(trial, decided)

    def _note_error(self, trial: Trial, *, in_step: bool) -> None:
        error, trigger = trial.error, trial.move.command.trigger
        if isinstance(error, RuleFailed) and error.lifecycle == self.of.name:
            self.failed.setdefault((error.trigger, error.part), trial)
        record = trial.move.draft or trial.world.records[trial.move.id]
        if self.simulation.lifecycle_of(record) is not self.of:
            return
        found = self.of.row(record.state if record.version else None, trigger)
        if found is not None:
            tally = self.rows[found[0]]
            tally.number += 1
            if tally.refused is None or (_for_role(tally.refused) and not _for_role(trial)):
                tally.refused = trial
            if isinstance(error, UnknownLifecycle):
                self.unexamined.add(found[0])
        if isinstance(error, UnknownTrigger):  # if some lifecycle has it, only the record was of the wrong kind
            if not any(error.trigger in one.triggers for one in self.simulation.lifecycles):
                self.failed.setdefault((trigger, "then"), trial)
        elif in_step and isinstance(error, InvalidValue) and error.problem in ("not_accepted", "other_kind"):
            self.failed.setdefault((trigger, "then"), trial)
        elif isinstance(error, UnknownLifecycle):
            self.strange.setdefault(error.name, trial)
        elif isinstance(error, StepsUnbounded):
            self.endless.setdefault(trigger, trial)

    def _note_decision(self, trial: Trial, decided: Decided) -> None:
        entry = decided.decision.entry
        self.reached.setdefault(entry.dest, (trial, decided.decision.record.id))
        self.edges.setdefault(entry.source, set()).add(entry.dest)
        found = self.of.row(entry.source, entry.trigger)
        assert found is not None, "it was just done"
        self._count(self.rows[found[0]], refused=False)
        before = entry.details if entry.source is None else decided.before
        for part, function in functions(found[0]):
            self._watch(found[0], part, function, before, entry)

    def _note_steps(self, trial: Trial, decided: Decided) -> None:
        place = (decided.lifecycle.name, decided.decision.entry.trigger)
        for step in decided.decision.steps:
            for one in self._possible(trial, step):
                if step.trigger in one.triggers:
                    self.steps.setdefault(place, {}).setdefault((one.name, step.trigger), trial)

    def _possible(self, trial: Trial, step: Step) -> Sequence[Lifecycle]:
        """The lifecycles that a step may be about: all of them where its record does not exist."""
        if isinstance(step.target, Record):
            return [one for one in self.simulation.lifecycles if one.record is type(step.target)]
        record = self.simulation.stored(trial.world, step.target)
        return self.simulation.lifecycles if record is None else [self.simulation.lifecycle_of(record)]


def _fits(row: Transition, command: Command) -> bool:
    return command.details is None if row.details is None else isinstance(command.details, row.details)


def _for_role(trial: Trial) -> bool:
    """Whether a trial was refused for the actor's roles: that shows little about a row."""
    unseen = isinstance(trial.error, RecordNotFound) and trial.error.ids == (trial.move.id,)
    return unseen or any(getattr(one, "code", "") == "role" for one in getattr(trial.error, "refusals", ()))
