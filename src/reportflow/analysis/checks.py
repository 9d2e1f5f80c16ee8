"""Deeper findings about a definition: what its table allows, but no case that was tried ever comes to.

`faults` looks at the table alone and refuses it; a check tries it out. Pure as far as the definition is: nothing is
stored, the clock is not read, and the same definition gives the same findings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from reportflow.analysis import cases, purity
from reportflow.analysis.detours import answer, find_detour
from reportflow.analysis.examiner import Examiner, Place
from reportflow.analysis.finding import Finding, Move, Severity, lines, sort
from reportflow.analysis.samples import START, Given
from reportflow.analysis.walk import Walk, find_there
from reportflow.analysis.world import Case, Office, refusals, said
from reportflow.errors import ReportflowError, RuleFailed, StepsUnbounded
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import EVERYBODY, NOBODY, Guard, Transition, is_field_name
from reportflow.model.values import MARK
from reportflow.serialization.source import python

#: From how many records it is tried what a field of the details, or their absence, changes.
_BASES: Final = 6


def check(lifecycle: Lifecycle, *others: Lifecycle, samples: Given | None = None) -> tuple[Finding, ...]:
    """Try a definition out, and say what is wrong with it, the gravest first.

    Args:
        lifecycle: The definition.
        others: Those that its steps act on, or whose steps act on it.
        samples: Instances of record and details classes (records as drafts), where annotations do not say enough;
            they stand for all that would be made.

    Returns:
        Nothing above a note where nothing is wrong. What could not be tried is a finding too, and so is a bound that
        was reached.
    """
    given = dict(samples or {})
    lifecycles = [lifecycle, *(one for one in others if one is not lifecycle)]
    with purity.quiet():
        there = find_there(lifecycles, given) if any(_steps(one) for one in lifecycles) else {}
        walk = Walk(Office(lifecycles, there), given)
        examiner = Examiner(lifecycle, walk)
        walk.run(examiner.note, examiner.judge)
        return sort(list(_Report(examiner, given).findings()))


def _steps(lifecycle: Lifecycle) -> bool:
    return any(row.then is not None for row in lifecycle.transitions)


class _Report:
    """What an examiner saw, as findings."""

    def __init__(self, examiner: Examiner, given: Given) -> None:
        self._seen = examiner
        self._walk = examiner.walk
        self._of = examiner.of
        self._given = given
        for row in self._of.transitions:
            if row.details in self._walk.unbuildable:
                examiner.unexamined.add(row)

    def findings(self) -> Iterator[Finding]:
        yield from self._of_classes()
        if self._of.record in self._walk.unbuildable:
            return
        yield from self._of_rules()
        yield from self._of_undeclared()
        yield from self._of_states()
        yield from self._of_rows()
        yield from self._of_guards()
        yield from self._of_detours()
        yield from self._of_steps()
        yield from self._of_roles()
        yield from self._of_fields()
        if self._walk.bounded:
            yield self._finding("bounded", Severity.NOTE, number=self._walk.cases)

    def _finding(self, code: str, level: Severity, example: Sequence[str] = (), **facts: object) -> Finding:
        return Finding(
            code=code,
            level=level,
            facts={"lifecycle": self._of.name, **facts},
            example=tuple(example),
            labels=self._of.labels,
        )

    def _shown(self, case: Case, ends: str | None = None) -> tuple[str, ...]:
        """A case as Python, with what it comes to behind the last line."""
        if ends is None:
            ends = "done" if case.error is None else said(case.error)
        return lines(self._walk.office.needed(case.moves), START, ends=ends)

    # -- what could not be tried

    def _of_classes(self) -> Iterator[Finding]:
        for cls, error in self._walk.unbuildable.items():
            triggers = [row.trigger for row in self._of.transitions if row.details is cls]
            if cls is self._of.record:
                triggers = list(self._of.triggers)
            facts = {"name": error.name, "given": error.given, "triggers": tuple(dict.fromkeys(triggers))}
            yield self._finding("unbuildable", Severity.ERROR, (), **facts)
        for name, case in self._seen.strange.items():
            facts = {"trigger": case.move.command.trigger, "name": name}
            yield self._finding("step_unknown", Severity.WARNING, self._shown(case), **facts)

    # -- functions

    def _of_rules(self) -> Iterator[Finding]:
        for (trigger, part), case in self._seen.failed.items():
            given = case.error.given if isinstance(case.error, RuleFailed) else str(case.error)
            facts = {"trigger": trigger, "part": part, "given": given.rstrip(".")}
            yield self._finding("rule_raises", Severity.ERROR, self._shown(case), **facts)
        known: set[tuple[str, str, str]] = set()
        for one in self._seen.impure:
            for effect in (*one.effects, *(["differs"] if one.differs else [])):
                key = (one.row.trigger, one.part, effect)
                if key in known:
                    continue
                known.add(key)
                code = "rule_differs" if effect == "differs" else "rule_effect"
                facts = {"trigger": one.row.trigger, "part": one.part, "effect": effect}
                yield self._finding(code, Severity.ERROR, self._shown(one.case, f"calls {one.part}"), **facts)

    def _of_undeclared(self) -> Iterator[Finding]:
        """Guards that look at the details and do not say so: an offer asks them before there are any."""
        for row in self._of.transitions:
            if row.details is None or row in self._seen.unexamined:
                continue
            for guard in row.guards:
                found = None if guard.reads_details else self._undeclared(row, guard)
                if found is not None:
                    facts = {"trigger": row.trigger, "guard": guard.code}
                    yield self._finding("guard_undeclared", Severity.ERROR, found, **facts)

    def _undeclared(self, row: Transition, guard: Guard) -> tuple[str, ...] | None:
        asked = self._walk.asked(self._of, row.trigger)
        assert asked is not None, "rows whose details cannot be made are left out"
        for world, id in self._walk.bases(self._of, row, _BASES):
            record, first = world.records[id], asked.few[0]
            answers = {
                answer(guard, record, attrs.evolve(first, details=told)): told for told in (None, *asked.details)
            }
            if len(answers) > 1:
                told = next(one for one in answers.values() if one is not None) if None in answers.values() else None
                move = Move(id=id, command=attrs.evolve(first, details=told or asked.details[0]))
                shown = self._shown(Case(world=world, move=move), "its answer goes by the details")
                offer = f"flow.options({id!r}, by={python(first.actor)})"
                fails = isinstance(answer(guard, record, attrs.evolve(first, details=None)), str)
                return (*shown, f"{offer}  # {'fails: rule_failed' if fails else 'answers without them'}")
        return None

    # -- states and rows

    def _perhaps(self) -> set[str]:
        """States that could be reached by rows of which not all could be tried."""
        found = {row.leads_to(source) for row in self._seen.unexamined for source in row.sources}
        while True:
            fresh = {row.leads_to(source) for row in self._of.transitions for source in row.sources if source in found}
            if fresh <= found:
                return found
            found |= fresh

    def _of_states(self) -> Iterator[Finding]:
        reached, perhaps = self._seen.reached, self._perhaps()
        for state in self._of.states:
            if state.name in reached or state.name in perhaps:
                continue
            rows = [row for row in self._of.transitions if any(row.leads_to(one) == state.name for one in row.sources)]
            case = next((found for row in rows if (found := self._seen.rows[row].refused)), None)
            facts = {"state": state.name, "triggers": tuple(dict.fromkeys(row.trigger for row in rows))}
            yield self._finding(
                "state_unreachable",
                Severity.WARNING,
                () if case is None else self._shown(case),
                number=self._walk.cases,
                **facts,
            )
        ending = {state.name for state in self._of.states if state.final} | perhaps
        ending |= {str(source) for row in self._seen.unexamined for source in row.sources}
        while True:
            fresh = {str(source) for source, dests in self._seen.edges.items() if source and dests & ending} - ending
            if not fresh:
                break
            ending |= fresh
        for state in self._of.states:
            if state.name in reached and state.name not in ending:
                example = self._shown(reached[state.name], f"it stays '{state.name}'")
                yield self._finding("state_trap", Severity.WARNING, example, state=state.name, number=self._walk.cases)

    def _of_rows(self) -> Iterator[Finding]:
        asked = {place for places in self._seen.asks.values() for place in places}
        for row in self._of.transitions:
            if row in self._seen.unexamined:
                continue
            sources = tuple(state.name for state in self._of.states if state.name in row.sources)
            tried = self._seen.rows[row]
            facts: dict[str, object] = {"trigger": row.trigger, "states": sources}
            if (not row.roles or NOBODY in row.roles) and (self._of.name, row.trigger) not in asked:
                yield self._finding("row_unasked", Severity.WARNING, (), **facts)
            elif tried.passed is None and self._is_told(row):
                continue
            elif tried.passed is None and tried.refused is not None:
                error = tried.refused.error
                facts["codes"] = () if error is None else refusals(error)
                facts["number"] = tried.number
                yield self._finding("row_never", Severity.WARNING, self._shown(tried.refused), **facts)
            elif tried.number == 0 and None in row.sources:
                yield self._finding("row_shadowed", Severity.WARNING, (), **facts)
            elif tried.number == 0 and row.sources & self._seen.reached.keys():
                yield self._finding("row_untried", Severity.WARNING, (), **facts)

    def _is_told(self, row: Transition) -> bool:
        """Whether it is said already why a row never passes: by a guard, a function that fails, steps without end."""
        seen = self._seen
        if row.trigger in seen.endless or any(trigger == row.trigger for trigger, _ in seen.failed):
            return True
        return any(found.passed is None for (of, _), found in seen.guards.items() if of is row)

    # -- guards

    def _of_guards(self) -> Iterator[Finding]:
        for (row, place), tried in self._seen.guards.items():
            guard = row.guards[place]
            if row in self._seen.unexamined or (tried.passed is not None and tried.refused is not None):
                continue
            never = tried.passed is None
            case = tried.refused if never else tried.passed
            assert case is not None, "it was tried"
            yield self._finding(
                "guard_never" if never else "guard_always",
                Severity.WARNING,
                self._shown(case, f"'{guard.code}' {'refuses' if never else 'passes'}"),
                trigger=row.trigger,
                guard=guard.code,
                number=tried.number,
            )

    def _of_detours(self) -> Iterator[Finding]:
        for row in self._of.transitions:
            if row not in self._seen.unexamined:
                for guard in row.guards:
                    found = find_detour(self._walk, self._of, row, guard)
                    if found is not None:
                        facts = {
                            "trigger": row.trigger,
                            "guard": guard.code,
                            "actor": found.actor,
                            "state": found.state,
                        }
                        code = "detour_fired" if found.fired else "detour_reached"
                        yield self._finding(code, Severity.WARNING, found.example, **facts)

    # -- steps

    def _of_steps(self) -> Iterator[Finding]:
        for trigger, case in self._seen.endless.items():
            path = " → ".join(case.error.path) if isinstance(case.error, StepsUnbounded) else ""
            yield self._finding("steps_endless", Severity.ERROR, self._shown(case), trigger=trigger, path=path)
        for round_ in _rounds(self._seen.asks):
            if round_[0][0] != self._of.name or round_[0][1] in self._seen.endless:
                continue
            case = self._seen.asks[round_[0]][round_[1]]
            path = " → ".join(f"{trigger} ({kind})" for kind, trigger in round_)
            example = self._shown(case, "asks for " + round_[1][1])
            yield self._finding("steps_may_circle", Severity.WARNING, example, trigger=round_[0][1], path=path)

    # -- what nothing uses

    def _of_roles(self) -> Iterator[Finding]:
        used = {role for row in self._of.transitions for role in row.roles}
        everybody = EVERYBODY in used
        for role in self._of.roles:
            if role not in used:
                facts = {"role": role, "scope": self._of.roles[role].value}
                yield self._finding("role_idle" if everybody else "role_unused", Severity.NOTE, **facts)

    def _of_fields(self) -> Iterator[Finding]:
        classes: dict[type[Any], list[Transition]] = {}
        for row in self._of.transitions:
            if row.details is not None and row not in self._seen.unexamined:
                classes.setdefault(row.details, []).append(row)
        for cls, rows in classes.items():
            dead = [field.name for field in attrs.fields(cls) if field.init and self._is_unread(cls, field, rows)]
            if dead:
                triggers = tuple(dict.fromkeys(row.trigger for row in rows))
                facts = {"name": cls.__name__, "fields": tuple(dead), "triggers": triggers}
                yield self._finding("details_unread", Severity.NOTE, (), **facts)

    def _is_unread(self, cls: type[Any], field: attrs.Attribute[Any], rows: Sequence[Transition]) -> bool:
        """Whether a field was changed in some case, and never anything else with it."""
        if MARK in field.metadata:
            return False
        if any(is_field_name(setting) and setting == field.name for row in rows for setting in row.sets.values()):
            return False
        if not any(row.guards or row.then or row.sets for row in rows):
            return any(self._seen.rows[row].passed for row in rows)
        changes = 0
        for row in rows:
            for case in self._cases_of(row):
                told = case.move.command.details
                made = self._walk.asked(self._of, row.trigger)
                pool = cases.values(cls, field, () if made is None else made.details, self._given)
                for other in cases.others(told, field, pool) if isinstance(told, cls) else ():
                    changes += 1
                    if self._outcome(case, other, field.name) != self._outcome(case, told, field.name):
                        return False
        return changes > 0

    def _cases_of(self, row: Transition) -> Iterator[Case]:
        """Cases of a row, passed and refused, for as many people as may ask."""
        asked = self._walk.asked(self._of, row.trigger)
        tried = self._seen.rows[row]
        known = [tried.passed, *(self._seen.guards[key].refused for key in self._seen.guards if key[0] is row)]
        yield from (case for case in known if case is not None and case.move.command.trigger == row.trigger)
        for world, id in self._walk.bases(self._of, row, _BASES) if asked is not None else ():
            assert asked is not None, "it is asked for"
            yield from (Case(world=world, move=Move(id=id, command=one)) for one in asked.few[:1])

    def _outcome(self, case: Case, told: object, field: str) -> object:
        """All that comes of a case with some details, whoever asks, but that they are kept."""
        move = attrs.evolve(case.move, command=attrs.evolve(case.move.command, details=told, step=True))
        try:
            after, acts = self._walk.office.act(case.world, move)
        except ReportflowError as error:
            return str(error)
        steps = tuple(act.decision.steps for act in acts)
        return [after.records[id] for id in sorted(after.records)], steps


def _rounds(asks: Mapping[Place, Mapping[Place, Case]]) -> Iterator[list[Place]]:
    """The rounds among what asks for what, each once, from where it was first seen."""
    known: set[frozenset[Place]] = set()
    for start in asks:
        path = _way_back(asks, start)
        if path is not None and frozenset(path) not in known:
            known.add(frozenset(path))
            yield path


def _way_back(asks: Mapping[Place, Mapping[Place, Case]], start: Place) -> list[Place] | None:
    """The shortest way from a place to itself."""
    todo: list[list[Place]] = [[start]]
    seen: set[Place] = set()
    while todo:
        path = todo.pop(0)
        for following in asks.get(path[-1], ()):
            if following == start:
                return [*path, start]
            if following not in seen:
                seen.add(following)
                todo.append([*path, following])
    return None
