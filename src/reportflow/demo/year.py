"""The year of the demonstration: the stories as acts, and the acts played through the flow.

Each act has an idempotency key that does not depend on the seed: a run that was interrupted is started again and goes
on where it ended, and the first act of another seed meets a key that is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from functools import cache
from random import Random
from typing import Any

import attrs

from reportflow.demo import words
from reportflow.demo.stories import DAYS, ISSUED, LATEST_START, OPENS, OUT, SUBMITTED, WAITING, YEAR, ZONE, Story, plan
from reportflow.flow.sync import ReportFlow
from reportflow.model.actor import Actor
from reportflow.office.report import (
    Adoption,
    Assignment,
    Author,
    Classification,
    Comment,
    Forwarding,
    Instruction,
    Level,
    Merge,
    Rejection,
    Report,
    Revision,
    Source,
    Uptake,
    Usage,
)


@attrs.frozen(kw_only=True)
class Act:
    """One call of the flow.

    Attributes:
        number: Of the report.
        trigger: What is done.
        by: Who does it.
        at: When.
        key: The idempotency key; the same for every seed.
        details: What it is told; for a creation the draft.
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
def contributors() -> tuple[tuple[Source, Actor, Author], ...]:
    """Who hands in each report, by number less 1. The same for every seed: keys are an actor's own."""
    rng = Random(YEAR)
    found = []
    for source, (many, stem, names, what, level) in words.SOURCES.items():
        for turn in range(many):
            place = turn % len(names)
            actor = Actor(id=f"{stem}-{place + 1:02}", name=names[place], roles={"contributor"}, unit=words.UNIT)
            author = Author(name=actor.name, id=actor.id, unit=what, level=level)
            found.append((source, actor, author))
    rng.shuffle(found)
    return tuple(found)


def acts(seed: int) -> list[Act]:
    """The year's acts as they happened: by time, and by number where the time is the same."""
    found = [act for story in plan(seed) for act in _Diary(story, seed).write()]
    found.sort(key=lambda act: (act.at, act.number))
    merged = {act.into: act.at for act in reversed(found) if act.into is not None}  # number -> its first merger
    issue = 0
    for place, act in enumerate(found):
        if isinstance(act.details, Adoption) and act.details.body == words.BODY:
            issue += 1
            combined = act.number in merged and merged[act.number] < act.at
            usage = Usage.COMBINED if combined else Usage.SINGLE
            details = attrs.evolve(act.details, issue=f"2022年第{issue}期", usage=usage)
            found[place] = attrs.evolve(act, details=details)
    return found


class _Diary:
    """Writes the acts of one story, each later than the one before."""

    def __init__(self, story: Story, seed: int) -> None:
        self.story = story
        self.origin = f"reportflow demo --seed {seed}"
        self.rng = Random(f"{seed}/{story.number}")
        self.day = story.day
        self.minute = story.minute
        self.acts: list[Act] = []
        self.source, self.contributor, self.author = contributors()[story.number - 1]
        self.editor = self.rng.choice(words.EDITORS)
        self.reviewer = self.rng.choice(words.REVIEWERS)
        self.facts = {
            **story.matter._asdict(),
            "place": story.place,
            "villages": self.rng.randint(3, 18),
            "people": self.rng.randint(24, 260),
        }

    def write(self) -> list[Act]:
        """All of them, the first one the creation."""
        story = self.story
        self._create()
        if story.assigned:
            due = self._time() + timedelta(days=10)
            self._act("assign", self.editor, details=Assignment(assignee=self.editor.id, due_at=due))
        if story.commented:
            self._act("comment", self.reviewer, details=Comment(text=self.rng.choice(words.COMMENTS)))
        if story.returned:
            self._return_and_revise()
        if story.end in OUT:
            self._leave_the_office()
        elif story.end in WAITING:
            self._wait()
        else:
            self._end_inside()
        return self.acts

    def _create(self) -> None:
        pattern = self.rng.choice(words.TITLES)
        draft = Report.draft(
            title=pattern.format_map(self.facts),
            text=words.RAW.format_map(self.facts),
            authors=[self.author],
            source=self.source,
            topics=[self.story.matter.topic],
            number=f"{YEAR}-{self.story.number:03}",
            origin=self.origin,
        )
        self._act("create", self.contributor, details=draft)

    def _return_and_revise(self) -> None:
        reason = self.rng.choice(words.RETURNS)
        if self.story.number % 2:
            self._edit((1, 2))
            self._act("return", self.reviewer, (1, 2), reason=reason)
        else:
            self._act("return", self.editor, (1, 2), reason=reason)
        text = words.REVISED.format_map(self.facts)
        self._act("revise", self.contributor, (1, 4), details=Revision(text=text))

    def _edit(self, days: tuple[int, int]) -> None:
        title = words.TITLES[0].format_map(self.facts)
        revision = Revision(title=title, text=words.EDITED.format_map(self.facts))
        self._act("edit", self.editor, days, details=revision)

    def _classify(self) -> None:
        category = words.TOPICS[self.story.matter.topic][0]
        self._act("classify", self.editor, details=Classification(category=category))

    def _leave_the_office(self) -> None:
        story, registrar = self.story, words.REGISTRAR
        self._edit((1, 3))
        self._classify()
        self._act("review", self.reviewer, (1, 2))
        if story.end in ISSUED:
            adoption = Adoption(body=words.BODY, level=Level.CITY, carrier=words.CARRIER)
            self._act("adopt", registrar, (1, 4), details=adoption)
        if story.end in SUBMITTED:
            upward = Forwarding(to=words.ABOVE, level=Level.PROVINCE, upward=True)
            self._act("forward", registrar, (1, 3), details=upward)
        if story.above:
            usage = self.rng.choice((Usage.SINGLE, Usage.COMBINED))
            adoption = Adoption(body=words.ABOVE, level=Level.PROVINCE, usage=usage)
            self._act("adopt", registrar, (15, 30), details=adoption)
        for leader in story.leaders:
            who, post, level, principal, text = words.LEADERS[leader]
            instruction = Instruction(leader=who, post=post, level=level, principal=principal, text=text)
            self._act("instruct", registrar, (4, 12), details=instruction)
        if story.end == "handled" or story.absorbed or story.leaders:
            self._hand_over()

    def _hand_over(self) -> None:
        department = words.TOPICS[self.story.matter.topic][1]
        due = self._time() + timedelta(days=60)
        handling = Forwarding(to=department, level=Level.CITY, due_at=due)
        self._act("forward", self.editor, (1, 2), details=handling)
        if self.story.absorbed:
            measure = self.rng.choice(words.MEASURES).format_map(self.facts)
            self._act("absorb", words.REGISTRAR, (15, 30), details=Uptake(department=department, measure=measure))

    def _end_inside(self) -> None:
        end, by = self.story.end, self.editor
        if end == "withdrawn":
            self._act("withdraw", self.contributor, (1, 3), reason=self.rng.choice(words.WITHDRAWALS))
            return
        if self.rng.random() < 0.5:
            self._edit((1, 3))
            self._classify()
            by = by if end == "merged" else self.reviewer
        if end == "merged":
            self._act("merge", by, (1, 2), into=self.story.into)
        elif end == "kept":
            self._act("keep", by, (1, 3), reason=self.rng.choice(words.KEEPS))
        else:
            code, reason = self.rng.choice(words.REJECTIONS)
            self._act("reject", by, (1, 3), details=Rejection(code=code), reason=reason)

    def _wait(self) -> None:
        if self.rng.random() < 0.6:
            due = self._time() + timedelta(days=self.rng.randint(7, 21))
            self._act("assign", self.editor, details=Assignment(due_at=due))
        if self.story.end != "in_draft":
            self._edit((1, 2))
        if self.story.end == "in_reviewed":
            self._act("review", self.reviewer, (1, 2))
        if self.story.end == "in_returned":
            self._act("return", self.reviewer, (1, 2), reason=self.rng.choice(words.RETURNS))

    def _act(
        self,
        trigger: str,
        by: Actor,
        days: tuple[int, int] = (0, 0),
        *,
        details: object = None,
        reason: str = "",
        into: int | None = None,
    ) -> None:
        """One act, some working days after the one before, or some minutes."""
        ahead = self.rng.randint(*days)
        if ahead:
            self.day += ahead
            self.minute = self.rng.randint(OPENS, LATEST_START)
        elif self.acts:
            self.minute += self.rng.randint(4, 18)
        key = f"demo-{YEAR}/{self.story.number:03}/{len(self.acts) + 1:02}"
        self.acts.append(
            Act(
                number=self.story.number,
                trigger=trigger,
                by=by,
                at=self._time(),
                key=key,
                details=details,
                reason=reason,
                into=into,
            )
        )

    def _time(self) -> datetime:
        return datetime.combine(DAYS[self.day], time(self.minute // 60, self.minute % 60), ZONE)


# ---------------------------------------------------------------------------------------------------------------
# Playing


def play(flow: ReportFlow, script: Iterable[Act]) -> Iterator[Act]:
    """Play acts through the flow, one commit each; gives each act when it is kept. What was kept before is passed.

    Raises:
        DuplicateKey: the store holds the year of another seed.
        StorageError: the store cannot keep it.
    """
    ids: dict[int, str] = {}
    for act in script:
        if act.trigger == "create":
            ids[act.number] = flow.create(act.details, by=act.by, at=act.at, key=act.key).id
        else:
            details = act.details if act.into is None else Merge(target=ids[act.into])
            flow.fire(ids[act.number], act.trigger, details, by=act.by, reason=act.reason, at=act.at, key=act.key)
        yield act
