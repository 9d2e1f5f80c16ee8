"""2,707 real questions to ministers: tabled, answered, late or not; each is in, or is named with its reason.

    python examples/imports/questions.py questions.jsonl.gz --database sqlite:///questions.db

A question is tabled by a member of parliament and due on a day; it gets a holding answer where more time is needed, an
answer, sometimes with those of other questions, and now and then a correction. The store counts what happened, and
from the histories that it gives come the days from tabling to the answer; both are compared with the file's. Started
again, it makes nothing twice.

The file: written questions tabled in July 2024, UK Parliament (Open Parliament Licence), as collected in
mysociety/uk-parl-written-questions.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import partial
from math import ceil
from pathlib import Path
from statistics import median_low
from zoneinfo import ZoneInfo

import attrs

from importing import BrokenFile, Import, Reading, Row, Rows, Texts, parser, read_jsonl, readable, report
from reportflow import (
    ANY,
    SAME,
    Actor,
    Command,
    Create,
    Details,
    Fire,
    Happened,
    Lifecycle,
    Query,
    Record,
    ReportFlow,
    ReportflowError,
    State,
    Transition,
    guard,
    open_flow,
)

FILE = "questions.jsonl.gz"
ZONE = ZoneInfo("Europe/London")
READER = Actor(id="reader", roles={"reader"})


@attrs.frozen(kw_only=True)
class Question(Record):
    """A question: its heading is the title, the body that is asked the category; it is due at `due_at`."""

    number: str
    text: str
    grouped: tuple[str, ...] = ()
    named_day: bool = False
    answered_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Answer(Details):
    """What was answered."""

    text: str


@guard(
    "before_answer",
    {"en": "It is dated before the answer that it corrects.", "zh": "更正日期早于所更正的答复。"},
)
def after_the_answer(question: Question, command: Command) -> bool:
    """An answer is corrected once it was given, whenever that is entered."""
    assert question.answered_at is not None
    return (command.at or command.now) >= question.answered_at


QUESTION = Lifecycle(
    name="question",
    version=1,
    record=Question,
    roles={"member": ANY, "minister": ANY, "reader": ANY},
    states=[
        State("tabled", label={"en": "not answered yet", "zh": "尚未答复"}, awaits={"minister"}),
        State("answered", label={"en": "answered", "zh": "已答复"}, final=True),
        State("withdrawn", label={"en": "withdrawn", "zh": "已撤回"}, final=True),
    ],
    transitions=[
        Transition(
            "table",
            source=None,
            dest="tabled",
            roles={"member"},
            accepts={"id", "title", "category", "due_at", "number", "text", "grouped", "named_day"},
            label={"en": "table", "zh": "提出"},
        ),
        Transition(
            "hold",
            source="tabled",
            dest=SAME,
            roles={"minister"},
            label={"en": "give a holding answer", "zh": "先行告知"},
        ),
        Transition(
            "answer",
            source="tabled",
            dest="answered",
            roles={"minister"},
            details=Answer,
            sets={"answered_at": lambda question, entry: entry.at},
            label={"en": "answer", "zh": "答复"},
        ),
        Transition(
            "correct",
            source="answered",
            dest=SAME,
            roles={"minister"},
            guards=[after_the_answer],
            details=Answer,
            label={"en": "correct the answer", "zh": "更正答复"},
        ),
        Transition(
            "withdraw",
            source="tabled",
            dest="withdrawn",
            roles={"member"},
            label={"en": "withdraw", "zh": "撤回"},
        ),
    ],
)

#: Figure -> the trigger by which it comes about.
FIGURES = {"tabled": "table", "held": "hold", "answered": "answer", "corrected": "correct", "withdrawn": "withdraw"}

TEXTS: Texts = {
    "tabled": {"en": "tabled", "zh": "已提出"},
    "held": {"en": "with a holding answer", "zh": "曾先行告知"},
    "answered": {"en": "answered", "zh": "已答复"},
    "corrected": {"en": "answer corrected", "zh": "答复经更正"},
    "withdrawn": {"en": "withdrawn", "zh": "已撤回"},
    "waiting": {"en": "not answered yet", "zh": "尚未答复"},
    "grouped": {"en": "answered together with others", "zh": "与其他问题一并答复"},
    "late": {"en": "answered after the due date", "zh": "逾期答复"},
    "median": {"en": "days from tabling to answer, median", "zh": "提出至答复天数，中位数"},
    "before_answer": {"en": "a correction before its answer", "zh": "更正早于答复"},
    "most": {"en": "days within which 90 % were answered", "zh": "90%的问题在多少天内答复"},
}


@attrs.frozen
class Facts:
    """What a row says."""

    number: int
    uin: str
    heading: str
    text: str
    body: str
    asked_by: int | None
    tabled: date
    due: date | None
    named_day: bool
    grouped: tuple[str, ...]
    held: date | None
    answered: date | None
    corrected: date | None
    answered_by: int | None
    answer: str
    withdrawn: bool

    @property
    def id(self) -> str:
        """The id of its question."""
        return f"question-{self.number}"

    @property
    def acts(self) -> list[tuple[str, date]]:
        """What happened after it was tabled, with the day, in this order; a correction comes last in any case."""
        days = (("hold", self.held), ("answer", self.answered), ("correct", self.corrected))
        return sorted([(trigger, day) for trigger, day in days if day], key=lambda one: (one[0] == "correct", one[1]))


def facts_of(row: Row) -> Facts:
    """What a row says.

    Raises:
        Unreadable: it cannot be read, or lacks what it must have.
    """
    given = Reading(row.fields)
    answered, corrected = given.day("dateAnswered"), given.day("dateAnswerCorrected")
    return Facts(
        number=given.needed("id", int),
        uin=given.text("uin"),
        heading=given.text("heading"),
        text=given.text("questionText"),
        body=given.text("answeringBodyName"),
        asked_by=given.value("askingMemberId", int),
        tabled=given.needed_day("dateTabled"),
        due=given.day("dateForAnswer"),
        named_day=given.value("isNamedDay", bool) or False,
        grouped=given.texts("groupedQuestions"),
        held=given.day("dateHoldingAnswer"),
        answered=answered,
        corrected=corrected,
        answered_by=given.value("answeringMemberId", int),
        answer=given.text("answerText") if answered or corrected else "",
        withdrawn=given.value("isWithdrawn", bool) or False,
    )


def midnight(day: date) -> datetime:
    """The beginning of a day in London."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)


def actor(number: int | None, role: str) -> Actor:
    """A member of parliament, who is only known by number."""
    return Actor(id=f"member-{'unknown' if number is None else number}", roles={role})


def tabled(row: Row) -> Iterator[Create]:
    """A row's question."""
    facts = facts_of(row)
    draft = Question.draft(
        id=facts.id,
        number=facts.uin,
        title=facts.heading,
        text=facts.text,
        category=facts.body,
        due_at=None if facts.due is None else midnight(facts.due),
        grouped=facts.grouped,
        named_day=facts.named_day,
    )
    yield Create(draft, by=actor(facts.asked_by, "member"), at=midnight(facts.tabled), key=f"{row.key}/table")


def later(row: Row) -> Iterator[Fire]:
    """What else happened to a row's question, in the order in which it happened."""
    facts = facts_of(row)
    minister = actor(facts.answered_by, "minister")
    for trigger, day in facts.acts:
        details = None if trigger == "hold" else Answer(text=facts.answer)  # of two answers the file has the last one
        yield Fire(facts.id, trigger, details, by=minister, at=midnight(day), key=f"{row.key}/{trigger}")
    if facts.withdrawn:  # on which day the file does not say
        yield Fire(facts.id, "withdraw", by=actor(facts.asked_by, "member"), key=f"{row.key}/withdraw")


def enter(flow: ReportFlow, rows: Rows, language: str = "en") -> Import:
    """Enter all questions and what happened to them."""
    found = Import(flow, rows, "uin", language)
    found.create(tabled)
    found.act(later)
    return found


def count_in_store(flow: ReportFlow) -> dict[str, int]:
    """The figures as the store counts them, and those of its histories."""
    kind = QUESTION.name
    counted = flow.count(Query(kind=kind, happened=Happened()), by=READER, group="trigger")
    found = {figure: counted.get((trigger,), 0) for figure, trigger in FIGURES.items()}
    found["waiting"] = flow.count(Query(kind=kind, state="tabled"), by=READER)[()]
    days: list[int] = []
    late = grouped = 0
    for question, history in flow.histories(Query(kind=kind, state="answered"), by=READER):
        assert isinstance(question, Question)
        asked, answered = (
            next(entry.at.astimezone(ZONE).date() for entry in history if entry.trigger == trigger)
            for trigger in ("table", "answer")
        )
        days.append((answered - asked).days)
        late += question.due_at is not None and answered > question.due_at.astimezone(ZONE).date()
        grouped += bool(question.grouped)
    return {**found, "grouped": grouped, "late": late, **_spread(days), **_by_body(flow)}


def _by_body(flow: ReportFlow) -> dict[str, int]:
    counted = flow.count(Query(kind=QUESTION.name), by=READER, group="category")
    return {str(body): number for (body,), number in sorted(counted.items(), key=lambda one: (-one[1], one[0]))}


def _spread(days: list[int]) -> dict[str, int]:
    """The median, and within how many days 90 % of them are."""
    if not days:
        return {"median": 0, "most": 0}
    return {"median": median_low(days), "most": sorted(days)[ceil(0.9 * len(days)) - 1]}


def count_in_file(rows: Rows) -> dict[str, int]:
    """The same figures, counted straight from the file: of what it says, all that can be true in this order."""
    today = datetime.now(ZONE).date()
    found: Counter[str] = Counter()
    bodies: Counter[str] = Counter()
    days: list[int] = []
    seen: set[int] = set()
    for facts in readable(rows, facts_of):
        if facts.number in seen or facts.tabled > today:
            continue
        seen.add(facts.number)
        bodies[facts.body] += 1
        happened: list[str] = []
        for trigger, day in facts.acts:
            begin = facts.answered or day if trigger == "correct" else facts.tabled
            if begin <= day <= today and (trigger == "correct") == ("answer" in happened):
                happened.append(trigger)
        if facts.answered and "answer" in happened:
            days.append((facts.answered - facts.tabled).days)
            found["grouped"] += bool(facts.grouped)
            found["late"] += facts.due is not None and facts.answered > facts.due
        elif facts.withdrawn:
            happened.append("withdraw")
        else:
            found["waiting"] += 1
        found.update(["table", *happened])
    figures = {figure: found[trigger] for figure, trigger in FIGURES.items()}
    return {**figures, **{name: found[name] for name in ("waiting", "grouped", "late")}, **_spread(days), **bodies}


def main(arguments: Sequence[str] | None = None) -> int:
    """Enter the questions, and show both counts. 0 where they are equal, 1 where not, 2 where there is no input."""
    chosen = parser("Real questions to ministers, and how long they took to be answered.", FILE).parse_args(arguments)
    path: Path = chosen.path / FILE if chosen.path.is_dir() else chosen.path
    rows = partial(read_jsonl, path)
    try:
        with open_flow(chosen.database, lifecycles=QUESTION, zone=ZONE) as flow:
            found = enter(flow, rows, chosen.language)
            stored, expected = count_in_store(flow), count_in_file(rows)
    except BrokenFile as error:
        print(
            f"{error}. Name {FILE}, or its folder; what came before is in, and is not entered twice.", file=sys.stderr
        )
        return 2
    except ReportflowError as error:
        print(error.message(chosen.language, reader="developer"), file=sys.stderr)
        return 1
    return report(found, stored, expected, TEXTS, chosen.language, every=chosen.all)


if __name__ == "__main__":
    sys.exit(main())
