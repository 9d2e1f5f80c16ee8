"""The year of the demonstration: the plan as acts, and the acts played through the flow.

Each act has an idempotency key that does not depend on the seed: an interrupted run is started again and continues
where it ended, and the first act of another seed meets a key that is in use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from functools import cache
from random import Random
from typing import Any

import attrs

from reportflow.demo import plan, vocabulary
from reportflow.flow.sync import ReportFlow
from reportflow.model.actor import Actor
from reportflow.office import report as office


@attrs.frozen(kw_only=True)
class DemoAct:
    """One call of the flow.

    Attributes:
        number: Of the report.
        trigger: What is done.
        by: Who does it.
        at: When.
        key: The idempotency key; the same for every seed.
        details: Its details; for a creation the draft.
        reason: Why.
        into: For a merge: the number of its target, whose id only the flow knows.
    """

    number: int
    trigger: str
    by: Actor
    at: datetime
    key: str
    details: Any = None
    reason: str = ""
    into: int | None = None


# ---------------------------------------------------------------------------------------------------------------
# The acts


@cache
def contributors() -> tuple[tuple[office.Source, Actor, office.Author], ...]:
    """Who hands in each report, by number less 1. The same for every seed: keys are an actor's own."""
    rng = Random(plan.YEAR)
    found = []
    for source, (many, stem, names, what, level) in vocabulary.SOURCES.items():
        for turn in range(many):
            place = turn % len(names)
            actor = Actor(id=f"{stem}-{place + 1:02}", name=names[place], roles={"contributor"}, unit=vocabulary.UNIT)
            author = office.Author(name=actor.name, id=actor.id, unit=what, level=level)
            found.append((source, actor, author))
    rng.shuffle(found)
    return tuple(found)


def acts(seed: int) -> list[DemoAct]:
    """The year's acts as they happened: by time, and by number where the time is the same."""
    found = [act for report in plan.plan_year(seed) for act in _Acts(report, seed).write()]
    found.sort(key=lambda act: (act.at, act.number))
    merged = {act.into: act.at for act in reversed(found) if act.into is not None}  # number -> its first merger
    issue = 0
    for place, act in enumerate(found):
        if isinstance(act.details, office.Adoption) and act.details.body == vocabulary.BODY:
            issue += 1
            combined = act.number in merged and merged[act.number] < act.at
            usage = office.Usage.COMBINED if combined else office.Usage.SINGLE
            details = attrs.evolve(act.details, issue=f"2022年第{issue}期", usage=usage)
            found[place] = attrs.evolve(act, details=details)
    return found


class _Acts:
    """The acts of one report, each later than the one before."""

    def __init__(self, report: plan.ReportPlan, seed: int) -> None:
        self.report = report
        self.origin = f"reportflow demo --seed {seed}"
        self.rng = Random(f"{seed}/{report.number}")
        self.day = report.day
        self.minute = report.minute
        self.acts: list[DemoAct] = []
        self.source, self.contributor, self.author = contributors()[report.number - 1]
        self.editor = self.rng.choice(vocabulary.EDITORS)
        self.reviewer = self.rng.choice(vocabulary.REVIEWERS)
        self.facts = {
            **report.matter._asdict(),
            "place": report.place,
            "department": vocabulary.TOPICS[report.matter.topic][1],
            "villages": self.rng.randint(3, 18),
            "people": self.rng.randint(24, 260),
        }

    def write(self) -> list[DemoAct]:
        """All of them, the first one the creation."""
        report = self.report
        draft = office.Report.draft(
            title=self.rng.choice(vocabulary.TITLES).format_map(self.facts),
            text=vocabulary.RAW.format_map(self.facts),
            authors=[self.author],
            source=self.source,
            topics=[report.matter.topic],
            origin=self.origin,
        )
        self._act("create", self.contributor, details=draft)
        number = office.Classification(number=f"{plan.YEAR}-{report.number:03}")
        self._act("classify", self.editor, details=number)
        if "assigned" in report.marks:
            due = self._time() + timedelta(days=10)
            self._act("assign", self.editor, details=office.Assignment(assignee=self.editor.id, due_at=due))
        if "commented" in report.marks:
            self._act("comment", self.reviewer, details=office.Comment(text=self.rng.choice(vocabulary.COMMENTS)))
        if "returned" in report.marks:
            self._return_and_revise()
        if report.end in plan.OUT:
            self._leave_the_office()
        elif report.end in plan.WAITING:
            self._wait()
        else:
            self._end_inside()
        return self.acts

    def _return_and_revise(self) -> None:
        reason = self.rng.choice(vocabulary.RETURNS)
        by = self.editor
        if self.report.number % 2:
            self._edit((1, 2))
            by = self.reviewer
        self._act("return", by, (1, 2), reason=reason)
        text = vocabulary.REVISED.format_map(self.facts)
        self._act("revise", self.contributor, (1, 4), details=office.Revision(text=text))

    def _edit(self, days: tuple[int, int]) -> None:
        title = vocabulary.TITLES[0].format_map(self.facts)
        revision = office.Revision(title=title, text=vocabulary.EDITED.format_map(self.facts))
        self._act("edit", self.editor, days, details=revision)

    def _edit_and_classify(self) -> None:
        self._edit((1, 3))
        category = vocabulary.TOPICS[self.report.matter.topic][0]
        self._act("classify", self.editor, details=office.Classification(category=category))

    def _leave_the_office(self) -> None:
        report, registrar = self.report, vocabulary.REGISTRAR
        self._edit_and_classify()
        self._act("review", self.reviewer, (1, 2))
        if report.end in plan.ISSUED:
            adoption = office.Adoption(body=vocabulary.BODY, level=office.Level.CITY, carrier=vocabulary.CARRIER)
            self._act("adopt", registrar, (1, 4), details=adoption)
        if report.end in plan.SUBMITTED:
            upward = office.Forwarding(to=vocabulary.ABOVE, level=office.Level.PROVINCE, upward=True)
            self._act("forward", registrar, (1, 3), details=upward)
        if "above" in report.marks:
            usage = self.rng.choice((office.Usage.SINGLE, office.Usage.COMBINED))
            adoption = office.Adoption(body=vocabulary.ABOVE, level=office.Level.PROVINCE, usage=usage)
            self._act("adopt", registrar, (15, 30), details=adoption)
        for leader in report.leaders:
            who, level, principal, text = vocabulary.LEADERS[leader]
            text = text.format_map(self.facts)
            instruction = office.Instruction(leader=who, level=level, principal=principal, text=text)
            self._act("instruct", registrar, (4, 12), details=instruction)
        if report.end != "handled" and "absorbed" not in report.marks and not report.leaders:
            return
        department, due = self.facts["department"], self._time() + timedelta(days=60)
        handling = office.Forwarding(to=department, level=office.Level.CITY, due_at=due)
        self._act("forward", registrar, (1, 2), details=handling)
        if "absorbed" in report.marks:
            measure = self.rng.choice(vocabulary.MEASURES).format_map(self.facts)
            self._act("absorb", registrar, (15, 30), details=office.Uptake(department=department, measure=measure))

    def _end_inside(self) -> None:
        end, by = self.report.end, self.editor
        if end == "withdrawn":
            self._act("withdraw", self.contributor, (1, 3), reason=self.rng.choice(vocabulary.WITHDRAWALS))
            return
        if self.rng.random() < 0.5:
            self._edit_and_classify()
            by = by if end == "merged" else self.reviewer
        if end == "merged":
            self._act("merge", by, (1, 2), into=self.report.into)
        elif end == "kept":
            self._act("keep", by, (1, 3), reason=self.rng.choice(vocabulary.KEEPS))
        else:
            code, reason = self.rng.choice(vocabulary.REJECTIONS)
            self._act("reject", by, (1, 3), details=office.Rejection(code=code), reason=reason)

    def _wait(self) -> None:
        if self.rng.random() < 0.6:
            due = self._time() + timedelta(days=self.rng.randint(7, 21))
            self._act("assign", self.editor, details=office.Assignment(due_at=due))
        if self.report.end != "in_draft":
            self._edit((1, 2))
        if self.report.end == "in_reviewed":
            self._act("review", self.reviewer, (1, 2))
        if self.report.end == "in_returned":
            self._act("return", self.reviewer, (1, 2), reason=self.rng.choice(vocabulary.RETURNS))

    def _act(self, trigger: str, by: Actor, days: tuple[int, int] = (0, 0), **more: Any) -> None:
        """One act, some working days after the one before, or some minutes."""
        ahead = self.rng.randint(*days)
        if ahead:
            self.day += ahead
            self.minute = self.rng.randint(plan.OPENS, plan.LATEST_START)
        elif self.acts:
            self.minute += self.rng.randint(4, 18)
        number = self.report.number
        key = f"demo-{plan.YEAR}/{number:03}/{len(self.acts) + 1:02}"
        self.acts.append(DemoAct(number=number, trigger=trigger, by=by, at=self._time(), key=key, **more))

    def _time(self) -> datetime:
        return datetime.combine(plan.DAYS[self.day], time(self.minute // 60, self.minute % 60), plan.ZONE)


# ---------------------------------------------------------------------------------------------------------------
# Playing


def play(flow: ReportFlow, script: Iterable[DemoAct]) -> Iterator[DemoAct]:
    """Play acts through the flow, one commit each, and yield each once it is stored; those stored before are replays.

    Raises:
        DuplicateKey: the store holds the year of another seed.
        StorageError: the store cannot be written.
    """
    ids: dict[int, str] = {}
    for act in script:
        if act.trigger == "create":
            ids[act.number] = flow.create(act.details, by=act.by, at=act.at, key=act.key).id
        else:
            details = act.details if act.into is None else office.Merge(target=ids[act.into])
            flow.fire(ids[act.number], act.trigger, details, by=act.by, reason=act.reason, at=act.at, key=act.key)
        yield act
