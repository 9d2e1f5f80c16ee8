"""What the tests of the year count: reports of two years, and a table of forty lines with its own records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import attrs
import sqlalchemy as sa

from reportflow import ANY, OWN, SAME, Actor, Lifecycle, Record, ReportFlow, Secrecy, State, Transition
from reportflow.model.values import CODE
from reportflow.office import REPORT, Adoption, Author, Forwarding, Instruction, Report, Revision
from reportflow.web import Portal, portal

ZONE = timezone(timedelta(hours=8))
NOW = datetime(2026, 5, 4, 12, tzinfo=ZONE)

ALL = Actor(id="all", name="王强", roles=REPORT.roles, unit="u")
OTHER = Actor(id="other", name="赵敏", roles=REPORT.roles, unit="u")
ELSEWHERE = Actor(id="else", name="Else", roles=REPORT.roles, unit="elsewhere")
CLEARED = Actor(id="cleared", name="Cleared", roles=REPORT.roles, unit="u", clearance=Secrecy.CONFIDENTIAL)
CLERK = Actor(id="clerk", name="Clerk", roles={"clerk"})
ASKER = Actor(id="asker", name="Asker", roles={"asker"})


@attrs.frozen(kw_only=True)
class Question(Record):
    """A record without text, authors or number."""


@attrs.frozen(kw_only=True)
class Answered:
    """How a question was answered."""

    way: str = attrs.field(default="letter", metadata=CODE)
    note: str | None = None


QUESTION = Lifecycle(
    name="question",
    version=1,
    record=Question,
    roles={"asker": OWN, "clerk": ANY},
    label={"en": "question", "zh": "咨询"},
    labels={"role.asker": {"en": "asker"}, "figure.by_letter": {"en": "answered by letter"}},
    states=[
        State("open", label={"en": "open", "zh": "待答复"}, awaits={"clerk"}),
        State("answered", label={"en": "answered", "zh": "已答复"}, final=True),
        State("dropped", final=True),
    ],
    transitions=[
        Transition("ask", source=None, dest="open", roles={"asker", "clerk"}, label={"en": "ask", "zh": "咨询"}),
        Transition("answer", source={"open", "answered"}, dest="answered", roles={"clerk"}, details=Answered),
        Transition("remind", source="open", dest=SAME, roles={"asker"}),
        Transition("drop", source="open", dest="dropped", roles={"clerk"}, reason_required=True),
    ],
)


class StoppedClock:
    """A clock that stands."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def report(
    flow: ReportFlow, year: int = 2022, month: int = 3, *, acts: str = "", by: Actor = ALL, **fields: Any
) -> Report:
    """A report of a month, with what happened to it then.

    Each letter of `acts` is one: adopted by the office itself (``a``) or above (``p``), forwarded upward (``f``),
    instructed on (``i``), and by a principal leader (``I``).
    """
    at = datetime(year, month, 10, 12, tzinfo=ZONE)
    given = {"title": "Lamps", "text": "Eight.", "authors": [Author(name="钱进")], **fields}
    made = flow.create(Report.draft(**given), by=by, at=at)
    if acts:
        flow.fire(made.id, "edit", Revision(text="Eight lamps."), by=by, at=at)
        flow.fire(made.id, "review", by=OTHER, at=at)
    details = {
        "a": ("adopt", Adoption(body="own", level="city")),
        "p": ("adopt", Adoption(body="province", level="province")),
        "f": ("forward", Forwarding(to="province", level="province", upward=True)),
        "i": ("instruct", Instruction(leader="x", level="city")),
        "I": ("instruct", Instruction(leader="y", level="city", principal=True)),
    }
    for act in acts:
        trigger, detail = details[act]
        flow.fire(made.id, trigger, detail, by=by, at=at)
    return made


def portal_of(flow: ReportFlow, actor: Actor, **settings: Any) -> Portal:
    """A portal whose visitor is always the same person."""
    return portal(flow, authenticate=lambda request: actor, secret=b"the key of the tests", rate=None, **settings)


@contextmanager
def statements(engine: sa.Engine) -> Iterator[list[str]]:
    """The statements that an engine runs meanwhile."""
    seen: list[str] = []

    def note(*given: Any) -> None:
        seen.append(given[2])

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
