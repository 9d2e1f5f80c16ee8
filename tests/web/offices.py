"""Offices whose portals the tests visit: the reports of one with several units, and a table of forty lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import attrs
import sqlalchemy as sa

from reportflow import ANY, OWN, Actor, Lifecycle, Record, ReportFlow, Secrecy, State, Transition
from reportflow.model.actor import Person
from reportflow.web import Portal, portal

START = datetime(2022, 3, 1, 9, tzinfo=UTC)
SECRET = b"the key of the tests"
_READ_OR_WRITE = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")

MEMBER = Actor(id="qian", name="钱进", roles={"contributor"}, unit="u")
EDITOR = Actor(id="li", name="李娜", post="编辑", roles={"editor"}, unit="u")
BOTH = Actor(id="both", name="Bo Tan", roles={"editor", "contributor"}, unit="u")
AUDITOR = Actor(id="zhao", name="赵敏", roles={"auditor"}, unit="u", clearance=Secrecy.CONFIDENTIAL)
CHIEF = Actor(
    id="chief",
    name="Chief",
    roles={"contributor", "editor", "reviewer", "registrar", "auditor"},
    unit="u",
    clearance=Secrecy.TOP_SECRET,
)
PEOPLE = {"li": Person("李娜", "编辑"), "both": Person("Bo Tan"), "qian": Person("钱进")}


class Clock:
    """A clock that stands, and is set by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        """Let some time pass."""
        self.now += timedelta(**time)


@attrs.frozen(kw_only=True)
class Permit(Record):
    """A record without text, authors or number."""


@attrs.frozen(kw_only=True)
class Hint:
    """What the chief says when a permit goes back."""

    text: str = ""


PERMIT = Lifecycle(
    name="permit",
    version=1,
    record=Permit,
    roles={"citizen": OWN, "chief": ANY, "watcher": ANY},
    audits={"watcher"},
    label="permit",
    states=[
        State("asked", label="asked for", awaits={"chief"}),
        State("sent_back", label="sent back", awaits={"citizen"}),
        State("granted", label="granted", final=True),
    ],
    transitions=[
        Transition("ask", source=None, dest="asked", roles={"citizen"}, label="ask"),
        Transition("amend", source="sent_back", dest="asked", roles={"citizen"}, label="amend"),
        Transition(
            "send_back", source="asked", dest="sent_back", roles={"chief"}, details=Hint, reason_required=True,
            label="send back",
        ),
        Transition("grant", source="asked", dest="granted", roles={"chief"}, label="grant"),
    ],
)  # fmt: skip
CITIZEN = Actor(id="ci", name="Citizen", roles={"citizen"})
HEAD = Actor(id="he", name="Head", roles={"chief"})
WATCHER = Actor(id="wa", name="Watcher", roles={"watcher"})


def numbered() -> Any:
    """Gives ids that sort in their order."""
    numbers = count(1)
    return lambda: f"id-{next(numbers):04}"


def portal_for(flow: ReportFlow, actor: Actor, **settings: Any) -> Portal:
    """A portal whose visitor is always the same person."""
    return portal(flow, authenticate=lambda request: actor, secret=SECRET, rate=None, **settings)


@contextmanager
def counted(engine: sa.Engine) -> Iterator[list[str]]:
    """The statements that an SQLite engine runs meanwhile, on whatever connection, those of its cursors too."""
    seen: list[str] = []

    def trace(text: str) -> None:
        if text.startswith(_READ_OR_WRITE):
            seen.append(text)

    def note(connection: Any, *_: Any) -> None:
        connection.set_trace_callback(trace)

    sa.event.listen(engine, "checkout", note)
    engine.pool.dispose()  # so that each connection is taken anew
    try:
        yield seen
    finally:
        sa.event.remove(engine, "checkout", note)
        engine.pool.dispose()
