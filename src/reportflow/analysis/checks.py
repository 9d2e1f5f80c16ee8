"""Deeper findings about a definition: what its table allows, but no record that was tried ever does.

Building a definition refuses the faults of its table; a check tries the definition out. It runs in a child process and
is pure as far as the definition is: nothing is stored, the clock is not read, and the same definition gives the same
findings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Final

import attrs

from reportflow.analysis import isolation
from reportflow.analysis.cases import mentioned_by
from reportflow.analysis.commuting import find_conflicts
from reportflow.analysis.detours import answer, find_detour
from reportflow.analysis.examiner import Examiner, Place
from reportflow.analysis.finding import Finding, Move, Severity, accepting, lines
from reportflow.analysis.formless import find_formless
from reportflow.analysis.purity import Watcher
from reportflow.analysis.samples import START, Given
from reportflow.analysis.search import Search
from reportflow.analysis.simulation import Simulation, Trial, outcome, refusals
from reportflow.analysis.stuck import find_stuck
from reportflow.analysis.tries import plain_of
from reportflow.analysis.walk import find_existing
from reportflow.errors import ReportflowError, RuleFailed, StepsUnbounded
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.guards import Guard
from reportflow.lifecycle.table import EVERYBODY, NOBODY, Transition, is_field_name
from reportflow.model.values import MARK
from reportflow.serialization.source import python

#: With how many records it is tried what details change in a guard's answer.
_BASES: Final = 6


def check(
    lifecycle: Lifecycle, *others: Lifecycle, samples: Given | None = None, accept: Mapping[str, str] | None = None
) -> tuple[Finding, ...]:
    """Try a definition out in a child process, and return what is wrong with it, the gravest first.

    Args:
        lifecycle: The definition.
        others: Those that its steps act on, or whose steps act on it; of one name the first counts.
        samples: Instances of record and details classes (records as drafts), where annotations do not say enough; no
            others of these classes are tried.
        accept: The codes of findings that may be, each with the reason: they are notes then. A code of which nothing
            is found is a finding.

    Returns:
        Nothing above a note where nothing is wrong. What could not be tried is a finding too, and so is a bound that
        was reached: that is a note.

    Raises:
        InvalidValue: `accept` has a code that no finding can have, or a blank reason.
    """
    accepted = dict(accept or {})
    accepting((), accepted, lifecycle.name)  # a wrong code is refused before anything is tried
    by_name: dict[str, Lifecycle] = {}
    for one in (lifecycle, *others):
        by_name.setdefault(one.name, one)
    found = accepting(isolation.run(_findings, tuple(by_name.values()), dict(samples or {})), accepted, lifecycle.name)
    return tuple(sorted(found, key=lambda one: list(Severity).index(one.level)))


def _findings(watcher: Watcher | None, lifecycles: Sequence[Lifecycle], given: Given) -> tuple[Finding, ...]:
    steps = any(row.then is not None for one in lifecycles for row in one.transitions)
    simulation = Simulation(lifecycles, find_existing(lifecycles, given) if steps else {})
    examiner = Examiner(lifecycles[0], simulation, given, watcher)
    examiner.run()
    found = list(_Report(examiner).findings())
    if watcher is None:
        found.append(Finding(code="purity_unchecked", level=Severity.NOTE, facts={"lifecycle": lifecycles[0].name}))
    return tuple(found)


class _Report:
    """What an examiner collected, as findings."""

    def __init__(self, examiner: Examiner) -> None:
        self._seen = examiner
        self._of = examiner.of
        unbuildable = (row for row in self._of.transitions if row.details in examiner.unbuildable)
        examiner.unexamined.update(unbuildable)
        self._examined = [row for row in self._of.transitions if row not in examiner.unexamined]

    @cached_property
    def _search(self) -> Search | None:
        """What a deeper search comes to, where rows never passed; None without any, or where rules fail or do harm."""
        seen = self._seen
        never = [row for row in self._examined if seen.rows[row].passed is None and self._is_asked(row)]
        if not never or seen.unexamined or seen.failed or seen.impure or seen.endless:
            return None
        with suppress(ReportflowError):  # what fails was not met by the walk, which alone can say it with an example
            return Search(seen.simulation.lifecycles, plain_of(seen.given)).run()
        return None

    def _passes_later(self, row: Transition) -> bool:
        """Whether a row that never passed in the walk passes after more acts."""
        return self._search is not None and row in self._search.rows

    def _claimed(self, *rows: Transition) -> Severity:
        """How grave it is that rows never passed: a note where a bound was reached before all was tried."""
        unfinished = self._search is not None and not self._search.unfinished.isdisjoint(rows)
        return Severity.NOTE if unfinished else Severity.WARNING

    def findings(self) -> Iterator[Finding]:
        yield from self._of_classes()
        if self._of.record in self._seen.unbuildable:
            return
        yield from self._of_rules()
        yield from self._of_undeclared()
        yield from self._of_states()
        yield from self._of_stuck()
        yield from self._of_rows()
        yield from self._of_guards()
        yield from self._of_detours()
        yield from self._of_commuting()
        yield from self._of_steps()
        yield from self._of_roles()
        yield from self._of_fields()
        yield from self._of_forms()
        if self._seen.bounded:
            yield self._finding("bounded", Severity.NOTE, number=self._seen.number)

    def _finding(self, code: str, level: Severity, example: Sequence[str] = (), **facts: object) -> Finding:
        return Finding(
            code=code,
            level=level,
            facts={"lifecycle": self._of.name, **facts},
            example=tuple(example),
            labels=self._of.labels,
        )

    def _shown(self, trial: Trial, ends: str | None = None) -> tuple[str, ...]:
        """A trial as Python, with its result behind the last line."""
        ends = outcome(trial.error) if ends is None else ends
        return lines(self._seen.simulation.needed(trial.moves), START, ends=ends)

    # -- what could not be tried

    def _of_classes(self) -> Iterator[Finding]:
        for cls, error in self._seen.unbuildable.items():
            triggers = _triggers(row for row in self._of.transitions if cls in (self._of.record, row.details))
            yield self._finding("unbuildable", Severity.ERROR, name=error.name, given=error.given, triggers=triggers)
        for name, trial in self._seen.strange.items():
            trigger = trial.move.command.trigger
            yield self._finding("step_unknown", Severity.WARNING, self._shown(trial), trigger=trigger, name=name)

    # -- functions

    def _of_rules(self) -> Iterator[Finding]:
        for (trigger, part), trial in self._seen.failed.items():
            given = trial.error.given if isinstance(trial.error, RuleFailed) else str(trial.error)
            facts = {"trigger": trigger, "part": part, "given": given.rstrip(".")}
            yield self._finding("rule_raises", Severity.ERROR, self._shown(trial), **facts)
        for (trigger, part, effect), trial in self._seen.impure.items():
            code = "rule_differs" if effect == "differs" else "rule_effect"
            facts = {"trigger": trigger, "part": part, "effect": effect}
            yield self._finding(code, Severity.ERROR, self._shown(trial, f"calls {part}"), **facts)

    def _of_undeclared(self) -> Iterator[Finding]:
        """Guards that read the details without saying so: an offer asks them before there are any."""
        for row in self._examined:
            for guard in row.guards if row.details is not None else ():
                example = None if guard.reads_details else self._undeclared(row, guard)
                if example is not None:
                    facts = {"trigger": row.trigger, "guard": guard.code}
                    yield self._finding("guard_undeclared", Severity.ERROR, example, **facts)

    def _undeclared(self, row: Transition, guard: Guard) -> tuple[str, ...] | None:
        tried = self._seen.attempts(self._of, row.trigger)
        assert tried is not None, "rows whose details cannot be made are left out"
        first = attrs.evolve(tried.few[0], details=None)
        for world, id in self._seen.bases(self._of, row, _BASES):
            record = world.records[id]
            without = answer(guard, record, first)
            commands = [attrs.evolve(first, details=details) for details in tried.details]
            other = next((one for one in commands if answer(guard, record, one) != without), None)
            if other is not None:
                trial = Trial(world=world, move=Move(id=id, command=other))
                fails = "fails: rule_failed" if isinstance(without, str) else "answers without them"
                offer = f"flow.options({id!r}, by={python(first.actor)})  # {fails}"
                return (*self._shown(trial, "its answer depends on the details"), offer)
        return None

    # -- states and rows

    def _of_states(self) -> Iterator[Finding]:
        reached, number = self._seen.reached, self._seen.number
        later = {
            dest
            for row in self._examined
            if self._passes_later(row)
            for source in row.sources
            for dest in row.dests(source)
        }
        # nothing is claimed of what a row that was not tried may lead to
        unexamined = self._seen.unexamined | {row for row in self._examined if self._is_untried(row)}
        sources = {str(source) for row in unexamined for source in row.sources}
        perhaps = {dest for row in unexamined for source in row.sources for dest in row.dests(source)}
        arrows = [(s, dest) for row in self._of.transitions for s in row.sources for dest in row.dests(s)]
        perhaps = _closure(perhaps, arrows)
        for state in self._of.states:
            if state.name not in {*reached, *later} and state.name not in perhaps:
                rows = [row for row in self._of.transitions if any(state.name in row.dests(one) for one in row.sources)]
                trial = next((found for row in rows if (found := self._seen.rows[row].refused)), None)
                facts = {"state": state.name, "number": number, "triggers": _triggers(rows)}
                example = () if trial is None else self._shown(trial)
                yield self._finding("state_unreachable", self._claimed(*rows), example, **facts)
        sources |= {str(source) for row in self._examined if self._passes_later(row) for source in row.sources}
        unfinished = [row for row in self._examined if self._claimed(row) is Severity.NOTE]
        sources |= {str(source) for row in unfinished for source in row.sources}
        ending = {state.name for state in self._of.states if state.final} | perhaps | sources
        ending = _closure(ending, [(dest, source) for source, dests in self._seen.edges.items() for dest in dests])
        for name in [state.name for state in self._of.states if state.name in reached and state.name not in ending]:
            trial, id = reached[name]
            subject = "it" if id == trial.move.id else repr(id)  # a step may have moved another record
            example = self._shown(trial, f"{subject} stays '{name}'")
            yield self._finding("state_trap", Severity.WARNING, example, state=name, number=number)

    def _of_stuck(self) -> Iterator[Finding]:
        """Records of a state that others leave, which never do."""
        if self._seen.unexamined:  # what was not tried may move them; what reaches outside is called no more
            return
        for world, id in find_stuck(self._seen, self._of):
            state = world.records[id].state
            subject = "it" if world.move is not None and id == world.move.id else repr(id)
            example = lines(self._seen.simulation.needed(world.moves), START, ends=f"{subject} stays '{state}'")
            yield self._finding("record_trap", Severity.WARNING, example, state=state)

    def _of_rows(self) -> Iterator[Finding]:
        for row in self._examined:
            tally = self._seen.rows[row]
            sources = tuple(state.name for state in self._of.states if state.name in row.sources)
            facts: dict[str, object] = {"trigger": row.trigger, "states": sources}
            code, example, level = "", tuple[str, ...](), Severity.WARNING
            if not self._is_asked(row):
                code = "row_unasked"
            elif self._passes_later(row) or (tally.passed is None and self._is_explained(row)):
                continue
            elif tally.passed is None and tally.refused is not None:
                assert tally.refused.error is not None, "it was refused"
                code, example, level = "row_never", self._shown(tally.refused), self._claimed(row)
                facts.update(codes=refusals(tally.refused.error), number=tally.number)
            elif tally.number == 0 and None in row.sources:
                code = "row_shadowed"
            elif self._is_untried(row):
                code, level = "row_untried", Severity.NOTE
            if code:
                yield self._finding(code, level, example, **facts)

    def _is_asked(self, row: Transition) -> bool:
        """Whether an actor or a step may ask for a row."""
        by_steps = any((self._of.name, row.trigger) in places for places in self._seen.steps.values())
        return by_steps or bool(row.roles and NOBODY not in row.roles)

    def _is_untried(self, row: Transition) -> bool:
        """Whether a row that may be asked for was never tried, though records reached a state that it leaves."""
        tried = self._seen.rows[row].number
        return not tried and self._is_asked(row) and not row.sources.isdisjoint(self._seen.reached)

    def _is_explained(self, row: Transition) -> bool:
        """Whether another finding says why a row never passes: a guard, a function that fails, steps without end."""
        seen = self._seen
        if row.trigger in seen.endless or any(trigger == row.trigger for trigger, _ in seen.failed):
            return True
        return any(found.passed is None for (of, _), found in seen.guards.items() if of is row)

    # -- guards

    def _of_guards(self) -> Iterator[Finding]:
        for (row, place), tally in self._seen.guards.items():
            if row in self._seen.unexamined or (tally.passed and tally.refused):
                continue
            if tally.refused and self._passes_later(row):
                continue
            trial = tally.passed or tally.refused
            assert trial is not None, "it was tried"
            code, does = ("guard_always", "passes") if tally.passed else ("guard_never", "refuses")
            guard = row.guards[place].code
            facts = {"trigger": row.trigger, "guard": guard, "number": tally.number}
            level = Severity.WARNING if tally.passed else self._claimed(row)
            yield self._finding(code, level, self._shown(trial, f"'{guard}' {does}"), **facts)

    def _of_detours(self) -> Iterator[Finding]:
        for row in self._examined:
            for guard in row.guards:
                found = find_detour(self._seen, self._of, row, guard)
                if found is not None:
                    code = "detour_fired" if found.fired else "detour_reached"
                    facts = {"trigger": row.trigger, "guard": guard.code, "actor": found.actor, "state": found.state}
                    yield self._finding(code, Severity.WARNING, found.example, **facts)

    def _of_commuting(self) -> Iterator[Finding]:
        for row in self._examined if not self._seen.closed else ():
            found = find_conflicts(self._seen, self._of, row)
            if found is not None:
                world, mine, other, field = found
                example = lines(self._seen.simulation.needed((*world.moves, mine, other)), START, ends="done")
                facts = {"trigger": row.trigger, "other": other.command.trigger, "field": field}
                yield self._finding("not_commuting", Severity.WARNING, example, **facts)

    # -- steps

    def _of_steps(self) -> Iterator[Finding]:
        for trigger, trial in self._seen.endless.items():
            path = " → ".join(trial.error.path) if isinstance(trial.error, StepsUnbounded) else ""
            yield self._finding("steps_endless", Severity.ERROR, self._shown(trial), trigger=trigger, path=path)
        for (kind, trigger), *others in _rounds(self._seen.steps):
            if kind == self._of.name and trigger not in self._seen.endless:
                path = " → ".join(f"{trigger} ({kind})" for kind, trigger in [(kind, trigger), *others])
                example = self._shown(self._seen.steps[kind, trigger][others[0]], f"asks for {others[0][1]}")
                yield self._finding("steps_may_circle", Severity.WARNING, example, trigger=trigger, path=path)

    # -- what nothing uses

    def _of_roles(self) -> Iterator[Finding]:
        used = {role for row in self._of.transitions for role in row.roles}
        code = "role_idle" if EVERYBODY in used else "role_unused"
        for role, scope in self._of.roles.items():
            if role not in used:
                yield self._finding(code, Severity.NOTE, role=role, scope=scope.value)

    def _of_fields(self) -> Iterator[Finding]:
        for cls in dict.fromkeys(row.details for row in self._examined if row.details is not None):
            rows = [row for row in self._examined if row.details is cls]
            read = mentioned_by(rows, cls)
            taken = {one for row in rows for one in (*row.sets.values(), row.erases) if is_field_name(one)}
            fields = [one.name for one in attrs.fields(cls) if one.init and MARK not in one.metadata]
            unread = tuple(name for name in fields if read is not None and name not in read | taken)
            if unread:
                facts = {"name": cls.__name__, "fields": unread, "triggers": _triggers(rows)}
                yield self._finding("details_unread", Severity.NOTE, **facts)

    def _of_forms(self) -> Iterator[Finding]:
        for one in find_formless(self._of):
            level = Severity.WARNING if one.required else Severity.NOTE
            facts = {"name": one.cls.__name__, "fields": one.fields, "triggers": _triggers(one.rows)}
            yield self._finding("no_form", level, **facts)


def _triggers(rows: Iterator[Transition] | Sequence[Transition]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.trigger for row in rows))


def _closure(found: set[str], edges: Sequence[tuple[str | None, str | None]]) -> set[str]:
    """What can be reached from some states along edges, these too."""
    while fresh := {str(dest) for source, dest in edges if source in found} - found:
        found = found | fresh
    return found


def _rounds(steps: Mapping[Place, Mapping[Place, Trial]]) -> Iterator[list[Place]]:
    """The rounds among the steps, each once, from where it was first seen."""
    known: set[frozenset[Place]] = set()
    for start in steps:
        path = _way_back(steps, start)
        if path is not None and frozenset(path) not in known:
            known.add(frozenset(path))
            yield path


def _way_back(steps: Mapping[Place, Mapping[Place, Trial]], start: Place) -> list[Place] | None:
    """The shortest way from a place to itself."""
    todo: list[list[Place]] = [[start]]
    seen: set[Place] = set()
    for path in todo:
        for following in steps.get(path[-1], ()):
            if following == start:
                return [*path, start]
            if following not in seen:
                seen.add(following)
                todo.append([*path, following])
    return None
