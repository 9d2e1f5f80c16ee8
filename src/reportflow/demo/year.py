"""The year of the demonstration: the plan as acts, and the acts played through the flow.

Each act has an idempotency key that does not depend on the seed: an interrupted run is started again and continues
where it ended, and the first act of another seed meets a key that is in use.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Final

import attrs

from reportflow.demo import people, plan, texts, vocabulary
from reportflow.demo.writing import DemoWords
from reportflow.errors import InvalidValue
from reportflow.flow.sync import ReportFlow
from reportflow.model.actor import Actor
from reportflow.model.attachment import Attachment
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
        files: The files that it names, with their contents.
    """

    number: int
    trigger: str
    by: Actor
    at: datetime
    key: str
    details: Any = None
    reason: str = ""
    into: int | None = None
    files: Sequence[tuple[Attachment, bytes]] = ()


#: What happens to a text that is written out, in what order.
_ORDER: Final = {"above": 1, "instruct": 2, "refer": 2, "reply": 3, "uptake": 4}


# ---------------------------------------------------------------------------------------------------------------
# The acts


def acts(seed: int) -> list[DemoAct]:
    """The year's acts as they happened: by time, and by number where the time is the same."""
    reports = plan.plan_year(seed)
    titles = {one.number: DemoWords(one, _random(seed, one)).title for one in reports}
    days = {one.number: one.day for one in reports}
    turns = Counter[str]()
    found = []
    for report in reports:
        turn = 0
        if report.matter is not None and report.end in plan.ISSUED:
            turn = turns[report.matter.name]
            turns[report.matter.name] += 1
        found += _Acts(report, seed, turn, titles, days).write()
    found.sort(key=lambda act: (act.at, act.number))
    issues = Counter[str]()
    for place, act in enumerate(found):
        if isinstance(act.details, office.Adoption) and act.details.body == vocabulary.BODY:
            series = act.details.issue
            issues[series] += 1
            details = attrs.evolve(act.details, issue=f"{plan.YEAR}年{series}第{issues[series]}期")
            found[place] = attrs.evolve(act, details=details)
    return found


def _random(seed: int, report: plan.ReportPlan) -> Random:
    return Random(f"{seed}/{report.number}")


class _Acts:
    """The acts of one report, each later than the one before."""

    def __init__(
        self, report: plan.ReportPlan, seed: int, turn: int, titles: dict[int, str], days: dict[int, int]
    ) -> None:
        self.report = report
        self.origin = f"虚构示例（第{seed}套）"
        self.turn, self.titles, self.days = turn, titles, days
        self.rng = _random(seed, report)
        self.words = DemoWords(report, self.rng)
        self.day = report.day
        self.minute = report.minute
        self.acts: list[DemoAct] = []
        self.contributor = report.contributor.actor
        self.editor = self.rng.choice(people.EDITORS)
        self.reviewer = self.rng.choice(people.REVIEWERS)

    def write(self) -> list[DemoAct]:
        """All of them, the first one the creation."""
        report = self.report
        files = [self.words.attachment(name) for name in self._named("attachment")]
        draft = office.Report.draft(
            title=self.words.title,
            text=self.words.raw,
            authors=[one.author for one in report.authors],
            source=report.contributor.source,
            topics=[report.topic],
            attachments=[one for one, _ in files],
            origin=self.origin,
        )
        self._act("create", self.contributor, details=draft, files=files)
        number = office.Classification(number=f"{plan.YEAR}-{report.number:03}")
        self._act("classify", self.editor, details=number)
        if "assigned" in report.marks or self._named("marks"):
            due = self._time() + timedelta(days=10)
            self._act("assign", self.editor, details=office.Assignment(assignee=self.editor.id, due_at=due))
        comments = self._named("comment")
        if "commented" in report.marks and not comments:
            comments = [self._remark(vocabulary.COMMENTS)]
        for comment in comments:
            internal = self.rng.random() < 0.5
            self._act("comment", self.reviewer, details=office.Comment(text=comment, internal=internal))
        if "supplemented" in report.marks:
            file = self.words.attachment()
            self._act("supplement", self.contributor, details=office.Supplement(attachments=[file[0]]), files=[file])
        if "returned" in report.marks:
            self._return_and_revise()
        if report.end in plan.OUT:
            self._leave_the_office()
        elif report.end in plan.WAITING:
            self._wait()
        else:
            self._end_inside()
        return self.acts

    def _named(self, key: str) -> list[str]:
        """What a text that is written out says under a key."""
        events = () if self.report.text is None else self.report.text.events
        return [value[0] for one, value in events if one == key]

    def _remark(self, texts: tuple[str, ...]) -> str:
        return self.words.remark(self.rng.choice(texts))

    def _return_and_revise(self) -> None:
        reason = self._remark(vocabulary.RETURNS)
        by = self.editor
        if self.report.number % 2:
            self._edit((1, 2))
            by = self.reviewer
        self._act("return", by, (1, 2), reason=reason)
        self._act("revise", self.contributor, (1, 4), details=office.Revision(text=self.words.revised()))

    def _edit(self, days: tuple[int, int]) -> None:
        title, text = self.words.edited(self.turn, [self.titles[one] for one in self.report.sources])
        self._act("edit", self.editor, days, details=office.Revision(title=title, text=text))

    def _edit_and_classify(self, days: tuple[int, int] = (1, 3)) -> None:
        self._edit(days)
        category = office.Classification(category=vocabulary.CATEGORIES[self.report.topic])
        self._act("classify", self.editor, details=category)

    def _leave_the_office(self) -> None:
        report, registrar = self.report, people.REGISTRAR
        self._edit_and_classify((3, 4) if report.sources else (1, 3))
        self._act("review", self.reviewer, (1, 2))
        if report.end in plan.ISSUED:
            adoption = office.Adoption(
                body=vocabulary.BODY,
                level=office.Level.CITY,
                carrier=vocabulary.CARRIER,
                issue="增刊" if self._named("issue") else "",
                usage=office.Usage.COMBINED if report.sources else office.Usage.SINGLE,
            )
            self._act("adopt", registrar, (1, 4), details=adoption)
        if report.end in plan.SUBMITTED:
            upward = office.Forwarding(to=vocabulary.ABOVE, level=office.Level.PROVINCE, upward=True)
            self._act("forward", registrar, (1, 3), details=upward)
        if report.text is not None:
            for key, value in sorted(report.text.events, key=lambda event: _ORDER.get(event[0], 0)):
                if key in _ORDER:
                    getattr(self, f"_{key}")(*value)
        elif report.end == "handled":
            self._handle()
        elif "error" in report.marks:
            wrong = office.Adoption(body=vocabulary.ABOVE, level=office.Level.PROVINCE, carrier="《省政协信息》")
            self._act("adopt", registrar, (10, 15), details=wrong)
            mistake = office.Retraction(sequence=len(self.acts))
            self._act("retract", registrar, (1, 1), details=mistake, reason=vocabulary.ERROR)

    # What happens to a text that is written out, with the parts of its lines.

    def _above(self, days: str, carrier: str, usage: str) -> None:
        adoption = office.Adoption(
            body=vocabulary.ABOVE, level=office.Level.PROVINCE, carrier=f"《{carrier}》", usage=office.Usage(usage)
        )
        self._act("adopt", people.REGISTRAR, (int(days), int(days) + 4), details=adoption)

    def _instruct(self, leader: str, level: str, *more: str) -> None:
        instruction = office.Instruction(
            leader=leader, level=office.Level(level), principal=more[0] == "principal", text=more[-1]
        )
        self._act("instruct", people.REGISTRAR, (4, 9), details=instruction)

    def _refer(self, department: str, days: str, note: str = "") -> None:
        due = self._time() + timedelta(days=int(days))
        handling = office.Forwarding(to=department, level=office.Level.CITY, due_at=due, note=note)
        self._act("forward", people.REGISTRAR, (1, 2), details=handling)

    def _reply(self, days: str, department: str, result: str | None, text: str) -> None:
        reply = office.Reply(department=department, result=result, text=text)
        self._act("reply", people.REGISTRAR, (int(days), int(days) + 3), details=reply)

    def _uptake(self, days: str, department: str, measure: str, evidence: str = "") -> None:
        uptake = office.Uptake(department=department, measure=measure, evidence=evidence)
        if days.startswith("+"):  # a day of the next January, by its date
            ahead = plan.DAYS.index(date.fromisoformat(days[1:])) - self.day
            self._act("absorb", people.REGISTRAR, (ahead, ahead), late=True, details=uptake)
            return
        self._act("absorb", people.REGISTRAR, (int(days), int(days) + 6), details=uptake)

    # What happens to the others.

    def _handle(self) -> None:
        report, department = self.report, self.words.facts["department"]
        assert report.matter is not None
        if "refused" in report.marks:
            wrong = self.rng.choice(sorted({one.department for one in texts.matters()} - {department}))
            self._refer(wrong, "60")
            self._reply("3", wrong, None, self.words.remark(vocabulary.NOT_OURS))
            self._refer(department, "60", vocabulary.PASSED_ON)
        else:
            self._refer(department, "60")
        if "absorbed" in report.marks:
            self._uptake(str(self.rng.randint(30, 90)), department, report.matter.uptake)
        elif self.day + 48 < plan.LAST_DAY and self.rng.random() < 0.8:
            result, text = self.rng.choice(vocabulary.REPLIES)
            self._reply(str(self.rng.randint(15, 44)), department, result, self.words.remark(text))

    def _end_inside(self) -> None:
        end, by = self.report.end, self.editor
        if end == "withdrawn":
            self._act("withdraw", self.contributor, (1, 3), reason=self._remark(vocabulary.WITHDRAWALS))
            return
        if end == "merged":
            assert self.report.into is not None
            ahead = self.days[self.report.into] + 1 - self.day  # before the target is edited
            self._act("merge", by, (max(1, ahead), max(1, ahead) + 1), into=self.report.into)
            return
        if self.rng.random() < 0.5:
            self._edit_and_classify()
            by = self.reviewer
        if end == "kept":
            self._act("keep", by, (1, 3), reason=self._remark(vocabulary.KEEPS))
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
            self._act("return", self.reviewer, (1, 2), reason=self._remark(vocabulary.RETURNS))

    def _act(self, trigger: str, by: Actor, days: tuple[int, int] = (0, 0), *, late: bool = False, **more: Any) -> None:
        """One act, some working days after the one before, or some minutes; in the year unless it is late."""
        day = self.day + self.rng.randint(*days)
        if not late:
            day = min(day, plan.LAST_DAY)
        if day > self.day:
            self.day = day
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

    The contents of the files are kept where the flow has a place for files; elsewhere the files are only named.

    Raises:
        DuplicateKey: the store holds the year of another seed.
        StorageError: the store cannot be written.
    """
    ids: dict[int, str] = {}
    for act in script:
        for file, content in act.files:
            _keep(flow, file, content, act.by)
        if act.trigger == "create":
            ids[act.number] = flow.create(act.details, by=act.by, at=act.at, key=act.key).id
        else:
            details = act.details if act.into is None else office.Merge(target=ids[act.into])
            flow.fire(ids[act.number], act.trigger, details, by=act.by, reason=act.reason, at=act.at, key=act.key)
        yield act


def _keep(flow: ReportFlow, file: Attachment, content: bytes, by: Actor) -> None:
    try:
        flow.upload(content, name=file.name, media_type=file.media_type, by=by)
    except InvalidValue as error:
        if error.field != "files":  # this flow has none
            raise
