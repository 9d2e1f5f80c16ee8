"""9,972 real requests for information, with dates as they were published: each is in, or is named with its reason.

    python examples/imports/information_requests.py requests.csv.gz --database sqlite:///requests.db

Years from 1301 to 3101, decisions before the request, numbers that are used again: the file says much that cannot be.
The table says what can be. What it refuses is counted by its reason, and listed row by row with ``--all``; all else is
counted by the store and straight from the file, and both must agree. Started again, it makes nothing twice.

The file: requests to the City of Toronto, as collected in jpmckinney/information_request_summaries_and_responses.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs

from importing import BrokenFile, Import, Reading, Row, Rows, Texts, Unreadable, parser, read_csv, readable, report
from reportflow import (
    ANY,
    CODE,
    UNIT,
    Actor,
    Command,
    Create,
    Details,
    Fire,
    Happened,
    Interval,
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

FILE = "requests.csv.gz"
ZONE = ZoneInfo("America/Toronto")
COLUMNS = (
    "identifier", "abstract", "classification", "applicant_type", "date_accepted", "date", "decision",
    "number_of_pages",
)  # fmt: skip
CLERK = Actor(id="clerk", roles={"clerk"}, unit="toronto")
READER = Actor(id="reader", roles={"reader"})
#: The act by which everybody may ask came into force.
FIRST_YEAR = 1991


@attrs.frozen(kw_only=True)
class InformationRequest(Record):
    """A request: its abstract is the title, its number the id, its classification the category."""

    applicant: str


@attrs.frozen(kw_only=True)
class Decision(Details):
    """What was disclosed, and on how many pages."""

    decision: str = attrs.field(metadata=CODE)
    pages: int | None = None


@guard(
    "other_year",
    {
        "en": "It was accepted in {year}, but its number is of {numbered}: correct the date.",
        "zh": "受理年份为{year}年，而编号年份为{numbered}年：请更正日期。",
    },
)
def of_its_year(request: InformationRequest, command: Command) -> bool | dict[str, object]:
    """A request is accepted in the year of its number, or is carried over into the next one."""
    assert request.created_at is not None
    year, numbered = request.created_at.astimezone(ZONE).year, year_of(request.id)
    if numbered is None:
        return year >= FIRST_YEAR or {"year": year, "numbered": "?"}
    return year - numbered in (0, 1) or {"year": year, "numbered": numbered}


def year_of(identifier: str) -> int | None:
    """The year in a number such as AG-2014-02332."""
    found = re.search(r"(?<!\d)(?:19|20)\d\d(?!\d)", identifier)
    return int(found[0]) if found else None


REQUEST = Lifecycle(
    name="information_request",
    version=1,
    record=InformationRequest,
    roles={"clerk": UNIT, "reader": ANY},
    states=[
        State("accepted", label={"en": "not decided yet", "zh": "尚未决定"}, awaits={"clerk"}),
        State("decided", label={"en": "decided", "zh": "已决定"}, final=True),
    ],
    transitions=[
        Transition(
            "accept",
            source=None,
            dest="accepted",
            roles={"clerk"},
            guards=[of_its_year],
            accepts={"id", "title", "category", "applicant"},
            label={"en": "accept", "zh": "受理"},
        ),
        Transition(
            "decide",
            source="accepted",
            dest="decided",
            roles={"clerk"},
            details=Decision,
            label={"en": "decide", "zh": "决定"},
        ),
    ],
)

TEXTS: Texts = {
    "accepted": {"en": "accepted", "zh": "已受理"},
    "undecided": {"en": "not decided yet", "zh": "尚未决定"},
    **{f"accepted in {year}": {"en": f"accepted in {year}", "zh": f"{year}年受理"} for year in range(1991, 2100)},
    **{
        f"decided: {decision}": {"en": f"decided: {decision}", "zh": f"决定：{chinese}"}
        for decision, chinese in {
            "all disclosed": "全部公开",
            "disclosed in part": "部分公开",
            "nothing disclosed": "不予公开",
            "discontinued": "终止办理",
            "correction": "更正",
        }.items()
    },
    "other_year": {"en": "accepted in a year that is not its number's", "zh": "受理年份与编号不符"},
    "half": {"en": "a decision without its date, or the reverse", "zh": "决定与日期缺一"},
}


@attrs.frozen
class Facts:
    """What a row says."""

    identifier: str
    abstract: str
    classification: str
    applicant: str
    accepted: date
    decided: date | None
    decision: str
    pages: int | None


def facts_of(row: Row) -> Facts:
    """What a row says.

    Raises:
        Unreadable: it cannot be read, or lacks what it must have.
    """
    given = Reading(row.fields)
    decided, decision, pages = given.day("date"), given.any_text("decision").strip(), given.any_text("number_of_pages")
    if (decided is None) is bool(decision):
        raise Unreadable("half", decision or decided)
    if pages.strip() and not (pages.isascii() and pages.strip().isdecimal() and len(pages) < 10):
        raise Unreadable("no_number", pages)
    return Facts(
        identifier=given.text("identifier"),
        abstract=given.any_text("abstract"),
        classification=given.any_text("classification"),
        applicant=given.any_text("applicant_type"),
        accepted=given.needed_day("date_accepted"),
        decided=decided,
        decision=decision,
        pages=int(pages) if pages.strip() else None,
    )


def midnight(day: date) -> datetime:
    """The beginning of a day in Toronto."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)


def accepted(row: Row) -> Iterator[Create]:
    """A row's request."""
    facts = facts_of(row)
    draft = InformationRequest.draft(
        id=facts.identifier, title=facts.abstract, category=facts.classification, applicant=facts.applicant
    )
    yield Create(draft, by=CLERK, at=midnight(facts.accepted), key=f"{row.key}/accept")


def decided(row: Row) -> Iterator[Fire]:
    """A row's decision; none where the file has none yet."""
    facts = facts_of(row)
    if facts.decided is not None:
        details = Decision(decision=facts.decision, pages=facts.pages)
        yield Fire(facts.identifier, "decide", details, by=CLERK, at=midnight(facts.decided), key=f"{row.key}/decide")


def enter(flow: ReportFlow, rows: Rows, language: str = "en") -> Import:
    """Enter all requests and their decisions."""
    found = Import(flow, rows, "identifier", language)
    found.create(accepted)
    found.act(decided)
    return found


def count_in_store(flow: ReportFlow) -> dict[str, int]:
    """The figures as the store counts them."""
    kind = REQUEST.name
    found = {"accepted": flow.count(Query(kind=kind), by=READER)[()]}
    for year in years(flow):
        happened = Happened(trigger="accept", at=Interval.year(year, ZONE))
        if number := flow.count(Query(kind=kind, happened=happened), by=READER)[()]:
            found[f"accepted in {year}"] = number
    codes = flow.count(Query(kind=kind, happened=Happened(trigger="decide")), by=READER, group="code")
    found.update({f"decided: {code}": number for (code,), number in sorted(codes.items(), key=lambda one: -one[1])})
    found["undecided"] = flow.count(Query(kind=kind, state="accepted"), by=READER)[()]
    return found


def years(flow: ReportFlow) -> range:
    """The years from the first request that was accepted to the last one."""
    ends = [
        flow.find(Query(kind=REQUEST.name, order=order, limit=1), by=READER) for order in ("created_at", "-created_at")
    ]
    found = [record.created_at.astimezone(ZONE).year for page in ends for record in page if record.created_at]
    return range(found[0], found[1] + 1) if found else range(0)


def count_in_file(rows: Rows) -> dict[str, int]:
    """The same figures, counted straight from the file: of the first row of each number that can be true."""
    today = datetime.now(ZONE).date()
    found: Counter[str] = Counter({"accepted": 0, "undecided": 0})
    taken: set[str] = set()
    for facts in readable(rows, facts_of):
        year, numbered = facts.accepted.year, year_of(facts.identifier)
        of_that_year = year >= FIRST_YEAR if numbered is None else numbered <= year <= numbered + 1
        if facts.identifier in taken or not of_that_year or facts.accepted > today:
            continue
        taken.add(facts.identifier)
        sound = facts.decided is not None and facts.accepted <= facts.decided <= today
        found.update(["accepted", f"accepted in {year}", f"decided: {facts.decision}" if sound else "undecided"])
    return dict(found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Enter the requests, and show both counts. 0 where they are equal, 1 where not, 2 where there is no input."""
    chosen = parser("Real requests for information, as they were published.", FILE).parse_args(arguments)
    path: Path = chosen.path / FILE if chosen.path.is_dir() else chosen.path
    rows = partial(read_csv, path, COLUMNS)
    try:
        with open_flow(chosen.database, lifecycles=REQUEST, zone=ZONE) as flow:
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
    return report(found, stored, _in_order(expected, stored), TEXTS, chosen.language, every=chosen.all)


def _in_order(figures: Mapping[str, int], like: Mapping[str, int]) -> dict[str, int]:
    """The figures, those of the store first and in its order."""
    return {**{name: figures[name] for name in like if name in figures}, **figures}


if __name__ == "__main__":
    sys.exit(main())
