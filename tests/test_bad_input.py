"""Bad input: each ends in one clear error of the project's own tree, with nothing written and nothing lost."""

from __future__ import annotations

import contextlib
import enum
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, event
from sqlalchemy.pool import Pool

from reportflow import (
    Actor,
    AlreadyExists,
    Create,
    DuplicateKey,
    Fire,
    Happened,
    Interval,
    InvalidURL,
    InvalidValue,
    MemoryStore,
    MissingExtra,
    Query,
    Record,
    RecordNotFound,
    ReportFlow,
    ReportflowError,
    SchemaMismatch,
    SqlStore,
    StaleRecord,
    StorageBusy,
    StorageUnavailable,
    TransitionRefused,
    UnknownLifecycle,
    UnknownTrigger,
    open_flow,
    replay,
)
from reportflow.i18n.catalog import STANDARD
from reportflow.office import REPORT, Adoption, Attachment, Author, Comment, Level, Merge, Rejection, Report, Revision
from tests.many import fires

MIB = 1 << 20
ZHANG = Actor(id="zhang", name="张三", roles={"contributor"}, unit="yulin")
LI = Actor(id="li", roles={"editor"}, unit="yulin")
WANG = Actor(id="wang", roles={"reviewer"}, unit="yulin")
FAR = Actor(id="far", roles={"editor"}, unit="ankang")
STALE = "read it again"


def draft(**fields: Any) -> Report:
    """A draft that is in order, but for these fields."""
    return Report.draft(**{"title": "校园安全", "text": "…", "authors": [Author(name="张三", id="zhang")], **fields})


@attrs.frozen(kw_only=True)
class BadSheet(Record):
    """A record of a kind that is asked for in vain."""


@attrs.frozen
class Office:
    """A flow with one report: `old` is version 1, `now` is version 2, edited."""

    flow: ReportFlow
    old: Report
    now: Report

    @property
    def id(self) -> str:
        return self.now.id

    def fire(self, target: object = None, trigger: object = "edit", details: object = None, **more: Any) -> object:
        """Fire at the report by its id, as the editor, unless something else is said."""
        more.setdefault("by", LI)
        at = self.id if target is None else target
        told = Revision(text="again") if details is None and trigger == "edit" else details
        return self.flow.fire(at, trigger, told, **more)  # type: ignore[call-overload]  # bad input is the point

    def content(self) -> object:
        """Everything that the store holds."""
        store = self.flow.store
        return store.find(Query(limit=10_000)).records, store.feed(limit=10_000)


def set_up(flow: ReportFlow) -> Office:
    """An office with its one report."""
    old = flow.create(draft(), by=ZHANG)
    now = flow.fire(old, "edit", Revision(text="edited"), by=LI, key="used")
    return Office(flow=flow, old=old, now=now)


@pytest.fixture(params=["memory:", "sqlite"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """An office on each store that ships."""
    url = request.param if request.param == "memory:" else f"sqlite:///{tmp_path}/office.db"
    with open_flow(url) as flow:
        yield set_up(flow)


def clear(error: ReportflowError, *words: str) -> None:
    """The error has these words; in both languages it names its record, version, field or URL, and leaves no gap.

    A clerk reads of a field by its label.
    """
    english, chinese = str(error), error.message("zh", reader="developer")
    for word in words:
        assert word in english
    assert re.search("[\u4e00-\u9fff]", chinese)
    for said in (english, chinese, error.message("en"), error.message("zh")):
        assert not re.search(r"\{[a-z_]*\}", said), "a gap was not filled"
    for name, value in vars(error).items():
        if value is not None and name in {
            "id",
            "version",
            "seen",
            "stored",
            "url",
            "found",
            "expected",
            "package",
            "ids",
            "keys",
        }:
            for one in value if isinstance(value, tuple) else [value]:
                assert str(one) in english
                assert str(one) in chinese or one == "unknown"
    if isinstance(error, InvalidValue):
        assert english.startswith(error.field)
        assert chinese.startswith(error.field)
        assert error.message("en").startswith(f"'{STANDARD.label('field', error.field, 'en')}' ")
        assert error.message("zh").startswith(f"“{STANDARD.label('field', error.field, 'zh')}”")


def refused(codes: set[str]) -> Callable[[ReportflowError], None]:
    """Expect `TransitionRefused` with just these codes."""

    def check(error: ReportflowError) -> None:
        assert isinstance(error, TransitionRefused)
        assert {one.code for one in error.refusals} == codes

    return check


def invalid(field: str, problem: str) -> Callable[[ReportflowError], None]:
    """Expect `InvalidValue` about this field."""

    def check(error: ReportflowError) -> None:
        assert isinstance(error, InvalidValue)
        assert (error.field, error.problem) == (field, problem)
        assert error.field in str(error)

    return check


def a(kind: type[ReportflowError]) -> Callable[[ReportflowError], None]:
    """Expect an error of just this class."""

    def check(error: ReportflowError) -> None:
        assert type(error) is kind

    return check


Check = Callable[[ReportflowError], None]
HOUR = timedelta(hours=1)
BEYOND = datetime.min.replace(tzinfo=timezone(8 * HOUR))

#: What is done -> what it comes to, and words that its message says in both languages.
ACTS: dict[str, tuple[Callable[[Office], object], Check, tuple[str, ...]]] = {
    "an unknown trigger": (lambda o: o.fire(trigger="edti"), a(UnknownTrigger), ("'edti'", "one of: edit, ")),
    "no trigger": (lambda o: o.fire(trigger=None), invalid("trigger", "type"), ("str", "None")),
    "a number as trigger": (lambda o: o.fire(trigger=5), invalid("trigger", "type"), ("str", "int 5")),
    "a list as trigger": (lambda o: o.fire(trigger=[]), invalid("trigger", "type"), ("str", "list []")),
    "a wrong state": (
        lambda o: o.fire(trigger="unmerge"),
        refused({"state"}),
        ("version 2", "state 'edited'", "it can in: merged"),
    ),
    "a wrong role": (
        lambda o: o.fire(trigger="edit", by=Actor(id="chen", roles={"registrar"}, unit="yulin")),
        refused({"role"}),
        ("version 2", "editor", "chen holds: registrar"),
    ),
    "everything wrong at once": (
        lambda o: o.fire(trigger="reject", by=WANG, details=Comment(text="x")),
        refused({"details", "reason"}),
        ("Rejection", "Comment", "reason="),
    ),
    "missing details": (
        lambda o: o.flow.fire(o.id, "edit", by=LI),
        refused({"details"}),
        ("takes these details: Revision", "nothing"),
    ),
    "details of another class": (
        lambda o: o.fire(details=Comment(text="x")),
        refused({"details"}),
        ("Revision", "Comment"),
    ),
    "a dict as details": (lambda o: o.fire(details={"text": "x"}), refused({"details"}), ("Revision", "dict")),
    "a class as details": (lambda o: o.fire(details=Revision), refused({"details"}), ("Revision",)),
    "details where none are taken": (
        lambda o: o.fire(trigger="review", details=Comment(text="x"), by=WANG),
        refused({"details"}),
        ("nothing", "Comment"),
    ),
    "a wrong type in details": (lambda o: o.fire(details=Revision(text=5)), invalid("text", "type"), ("str", "int 5")),  # type: ignore[arg-type]  # bad input
    "an unknown level in details": (
        lambda o: Adoption(body="省政协", level="moon"),
        invalid("level", "choice"),
        ("'moon'", "county", "central"),
    ),
    "a missing reason": (lambda o: o.fire(trigger="return"), refused({"reason"}), ("reason=",)),
    "a blank reason": (lambda o: o.fire(trigger="return", reason=" \n"), refused({"reason"}), ("reason=",)),
    "None as reason": (lambda o: o.fire(reason=None), invalid("reason", "type"), ("str", "None")),
    "NUL in the reason": (lambda o: o.fire(reason="a\0b"), invalid("reason", "nul"), ("NUL", "remove it")),
    "a stale record": (lambda o: o.fire(o.old), a(StaleRecord), ("version 1", "version 2", STALE)),
    "a stale version": (lambda o: o.fire(version=1), a(StaleRecord), ("version 1", "version 2", STALE)),
    "a version to come": (lambda o: o.fire(version=99), a(StaleRecord), ("version 99", "version 2")),
    "a text as version": (lambda o: o.fire(version="2"), invalid("version", "type"), ("int", "str '2'")),
    "True as version": (lambda o: o.fire(version=True), invalid("version", "type"), ("int", "bool True")),
    "another version than in hand": (
        lambda o: o.fire(o.now, version=1),
        invalid("version", "other_version"),
        ("version 2",),
    ),
    "an unknown id": (lambda o: o.fire("nope"), a(RecordNotFound), ("nope", "check the id")),
    "a record of another unit": (lambda o: o.fire(by=FAR), a(RecordNotFound), ("check the id",)),
    "no target": (lambda o: o.flow.fire(None, "edit", by=LI), invalid("id", "type"), ("str", "None")),  # type: ignore[call-overload]  # bad input
    "a number as target": (lambda o: o.fire(5), invalid("id", "type"), ("str", "int 5")),
    "a blank id": (lambda o: o.fire(" "), invalid("id", "blank"), ("must not be blank",)),
    "NUL in an id": (lambda o: o.fire("a\0b"), invalid("id", "nul"), ("NUL",)),
    "a lone surrogate in an id": (lambda o: o.fire("\ud800"), invalid("id", "surrogate"), ("UTF-8",)),
    "a draft that was never created": (lambda o: o.fire(draft()), invalid("target", "not_stored"), ("call create",)),
    "a naive time": (
        lambda o: o.fire(at=datetime(2022, 1, 1)),
        invalid("at", "naive"),
        ("2022-01-01", "datetime.now(UTC)"),
    ),
    "a text as time": (lambda o: o.fire(at="2022-01-01"), invalid("at", "type"), ("datetime", "'2022-01-01'")),
    "a date as time": (lambda o: o.fire(at=date(2022, 1, 1)), invalid("at", "type"), ("datetime",)),
    "a time before the creation": (
        lambda o: o.fire(at=datetime(2020, 1, 1, tzinfo=UTC)),
        invalid("at", "before_creation"),
        ("2020-01-01", "later"),
    ),
    "a time in the future": (
        lambda o: o.fire(at=datetime.now(UTC) + HOUR),
        invalid("at", "in_future"),
        ("now is", "at which it happened"),
    ),
    "a time that UTC cannot say": (lambda o: o.fire(at=BEYOND), invalid("at", "time_range"), ("1 to 9999",)),
    "a text as actor": (lambda o: o.fire(by="li"), invalid("by", "type"), ("Actor", "str 'li'")),
    "no actor": (lambda o: o.fire(by=None), invalid("by", "type"), ("Actor", "None")),
    "a blank key": (lambda o: o.fire(key=""), invalid("key", "blank"), ("must not be blank",)),
    "a number as key": (lambda o: o.fire(key=5), invalid("key", "type"), ("str",)),
    "a key used before": (lambda o: o.fire(key="used"), a(DuplicateKey), ("used", "a new key")),
    "merging with itself": (
        lambda o: o.fire(trigger="merge", details=Merge(target=o.id)),
        refused({"itself"}),
        ("name another one",),
    ),
    "merging with nothing": (
        lambda o: o.fire(trigger="merge", details=Merge(target="gone")),
        a(RecordNotFound),
        ("gone",),
    ),
    "a dict as draft": (
        lambda o: o.flow.create({"title": "x"}, by=ZHANG),  # type: ignore[type-var]  # bad input
        invalid("draft", "type"),
        ("Record", "dict"),
    ),
    "no draft": (lambda o: o.flow.create(None, by=ZHANG), invalid("draft", "type"), ("Record", "None")),  # type: ignore[type-var]  # bad input
    "creating a stored record": (
        lambda o: o.flow.create(o.now, by=ZHANG),
        invalid("draft", "not_a_draft"),
        ("version 2", "Report.draft(…)"),
    ),
    "creating under a taken id": (lambda o: o.flow.create(draft(id=o.id), by=ZHANG), a(AlreadyExists), ("another id",)),
    "creating under a blank id": (lambda o: o.flow.create(draft(id=" "), by=ZHANG), invalid("id", "blank"), ()),
    "creating what has no lifecycle": (
        lambda o: o.flow.create(Record.draft(), by=ZHANG),
        a(UnknownLifecycle),
        ("'Record'", "lifecycles="),
    ),
    "creating of an unknown kind": (
        lambda o: o.flow.create(draft(kind="leave"), by=ZHANG),
        a(UnknownLifecycle),
        ("'leave'", "report 1"),
    ),
    "creating in a wrong role": (lambda o: o.flow.create(draft(), by=WANG), refused({"role"}), ("contributor",)),
    "creating in the future": (
        lambda o: o.flow.create(draft(), by=ZHANG, at=datetime.now(UTC) + HOUR),
        invalid("at", "in_future"),
        (),
    ),
    "creating at a naive time": (
        lambda o: o.flow.create(draft(), by=ZHANG, at=datetime(2022, 1, 1)),
        invalid("at", "naive"),
        (),
    ),
    "a batch of which one is refused": (
        lambda o: o.flow.batch(
            [Create(draft(), by=ZHANG), Fire(o.id, "comment", Comment(text="x"), by=LI), Fire(o.id, "edti", by=LI)]
        ),
        a(UnknownTrigger),
        (),
    ),
    "a batch of nothing": (lambda o: o.flow.batch(None), invalid("requests", "type"), ("Create", "None")),  # type: ignore[arg-type]  # bad input
    "a batch of numbers": (lambda o: o.flow.batch([5]), invalid("draft", "type"), ("Record",)),  # type: ignore[list-item]  # bad input
    "many targets of a wrong type": (
        lambda o: list(o.flow.run(fires([5], "edit", by=LI))),  # type: ignore[list-item]  # bad input
        invalid("id", "type"),
        (),
    ),
    "many requests that are none": (
        lambda o: list(o.flow.run([o.id])),  # type: ignore[list-item]  # bad input
        invalid("requests", "type"),
        ("Create | Fire",),
    ),
    "no requests": (lambda o: o.flow.run(None), invalid("requests", "type"), ("None",)),  # type: ignore[arg-type]  # bad input
    "an unknown on_error": (
        lambda o: o.flow.run(fires([o.id], "edit", by=LI), on_error="sikp"),  # type: ignore[arg-type]  # bad input
        invalid("on_error", "choice"),
        ("'sikp'", "stop", "skip"),
    ),
    "a chunk of nothing": (lambda o: o.flow.run([], chunk=0), invalid("chunk", "range"), ("0",)),
    "a record of another class": (
        lambda o: o.flow.get(o.id, by=LI, type=BadSheet),
        invalid("type", "type"),
        ("BadSheet",),
    ),
    "a class that is none": (lambda o: o.flow.get(o.id, by=LI, type="Report"), invalid("type", "type"), ()),  # type: ignore[arg-type]  # bad input
    "reading without an id": (lambda o: o.flow.get(None, by=LI), invalid("id", "type"), ()),  # type: ignore[arg-type]  # bad input
    "reading as nobody": (lambda o: o.flow.get(o.id, by=None), invalid("by", "type"), ("Actor",)),  # type: ignore[arg-type]  # bad input
    "the inbox of a number": (lambda o: o.flow.inbox(by=5), invalid("by", "type"), ("Actor",)),  # type: ignore[arg-type]  # bad input
    "an inbox of no size": (lambda o: o.flow.inbox(by=LI, limit=0), invalid("limit", "range"), ("1 to 10000",)),
    "a cursor of nothing": (lambda o: o.flow.inbox(by=LI, cursor="x"), invalid("cursor", "cursor"), ("Page.next",)),
    "a cursor of another order": (
        lambda o: o.flow.find(Query(cursor=Query(order="title").cursor_after(["a", "b"])), by=LI),
        invalid("cursor", "cursor"),
        ("Page.next",),
    ),
    "a dict as query": (lambda o: o.flow.find({"kind": "report"}, by=LI), invalid("query", "type"), ("Query",)),  # type: ignore[arg-type]  # bad input
    "an unknown group": (
        lambda o: o.flow.count(Query(), by=LI, group="nope"),
        invalid("group", "choice"),
        ("'nope'", "kind"),
    ),
    "a number as group": (lambda o: o.flow.count(Query(), by=LI, group=5), invalid("group", "type"), ()),  # type: ignore[arg-type]  # bad input
    "a group twice": (lambda o: o.flow.count(Query(), by=LI, group=["kind", "kind"]), invalid("group", "twice"), ()),
    "counting nonsense": (lambda o: o.flow.count(Query(), by=LI, of="x"), invalid("of", "choice"), ("records",)),  # type: ignore[arg-type]  # bad input
    "as of nothing": (lambda o: o.flow.as_of(o.id, by=LI), invalid("as_of", "version_or_time"), ("version=", "time=")),
    "as of version 0": (lambda o: o.flow.as_of(o.id, by=LI, version=0), invalid("version", "range"), ("1 to 2",)),
    "as of a text": (lambda o: o.flow.as_of(o.id, by=LI, version="1"), invalid("version", "type"), ("int",)),  # type: ignore[arg-type]  # bad input
    "as of a naive time": (
        lambda o: o.flow.as_of(o.id, by=LI, time=datetime(2022, 1, 1)),
        invalid("time", "naive"),
        (),
    ),
    "as of a time before it was": (
        lambda o: o.flow.as_of(o.id, by=LI, time=datetime(2022, 1, 1, tzinfo=UTC)),
        invalid("time", "no_such_time"),
        ("did not exist then",),
    ),
    "options of a draft": (lambda o: o.flow.options(draft(), by=LI), invalid("target", "not_stored"), ()),
    "an id that is no text": (
        lambda o: ReportFlow(o.flow.store, REPORT, new_id=lambda: 5).create(draft(), by=ZHANG),  # type: ignore[arg-type, return-value]  # bad input
        invalid("id", "type"),
        (),
    ),
    "a naive clock": (
        lambda o: ReportFlow(o.flow.store, REPORT, clock=datetime.now).create(draft(), by=ZHANG),
        invalid("now", "naive"),
        (),
    ),
}


@pytest.mark.parametrize("case", ACTS)
def test_a_bad_act_ends_in_one_clear_error(office: Office, case: str) -> None:
    """A bad act raises the error that names what is wrong, in both languages, and the store holds what it held."""
    act, check, words = ACTS[case]
    before = office.content()
    with pytest.raises(ReportflowError) as caught:
        act(office)
    check(caught.value)
    clear(caught.value, *words)
    assert office.content() == before


#: What is built -> the field and the problem.
VALUES: dict[str, tuple[Callable[[], object], str, str]] = {
    "a blank title": (lambda: draft(title=" \n"), "title", "blank"),
    "a blank text": (lambda: draft(text=""), "text", "blank"),
    "no title": (lambda: Report.draft(text="x", authors=[]), "title", "missing_field"),  # type: ignore[call-arg]  # bad input
    "no author": (lambda: draft(authors=[]), "authors", "empty"),
    "authors None": (lambda: draft(authors=None), "authors", "empty"),
    "authors as text": (lambda: draft(authors="zhang"), "authors", "type"),
    "topics None": (lambda: draft(topics=None), "topics", "type"),
    "topics a number": (lambda: draft(topics=5), "topics", "type"),
    "a mistyped field": (lambda: draft(tilte="x"), "tilte", "unknown_field"),
    "a state in a draft": (lambda: draft(state="edited"), "state", "set_by_flow"),
    "a version in a draft": (lambda: draft(version=3), "version", "set_by_flow"),
    "an unknown secrecy": (lambda: draft(secrecy="x"), "secrecy", "choice"),
    "an unknown source": (lambda: draft(source="x"), "source", "choice"),
    "a naive due date": (lambda: draft(due_at=datetime(2022, 1, 1)), "due_at", "naive"),
    "a text as due date": (lambda: draft(due_at="2022"), "due_at", "type"),
    "NUL in a text": (lambda: draft(text="a\0b"), "text", "nul"),
    "NUL in a topic": (lambda: draft(topics=["a\0b"]), "topics", "nul"),
    "a lone surrogate in a text": (lambda: draft(text="a\udc00"), "text", "surrogate"),
    "a text too long": (lambda: draft(text="x" * (MIB + 1)), "text", "too_long"),
    "a Chinese text too long": (lambda: draft(text="好" * (MIB // 3 + 1)), "text", "too_long"),
    "a title too long": (lambda: draft(title="x" * (MIB + 1)), "title", "too_long"),
    "a revision too long": (lambda: Revision(text="x" * (MIB + 1)), "text", "too_long"),
    "an author without name": (lambda: Author(name=" "), "name", "blank"),
    "a file of negative size": (
        lambda: Attachment(name="a", media_type="b", size=-1, sha256="0" * 64),
        "size",
        "negative",
    ),
    "a file without digest": (lambda: Attachment(name="a", media_type="b", size=1, sha256="x"), "sha256", "digest"),
    "a rejection without ground": (lambda: Rejection(code=""), "code", "blank"),
    "an actor without id": (lambda: Actor(id=" "), "id", "blank"),
    "a number as actor's id": (lambda: Actor(id=5), "id", "type"),  # type: ignore[arg-type]  # bad input
    "roles None": (lambda: Actor(id="a", roles=None), "roles", "type"),  # type: ignore[arg-type]  # bad input
    "roles of numbers": (lambda: Actor(id="a", roles=[5]), "roles", "type"),  # type: ignore[list-item]  # bad input
    "roles of lists": (lambda: Actor(id="a", roles=[[]]), "roles", "type"),  # type: ignore[list-item]  # bad input
    "an unknown clearance": (lambda: Actor(id="a", clearance="x"), "clearance", "choice"),
    "a page of no size": (lambda: Query(limit=0), "limit", "range"),
    "a page too large": (lambda: Query(limit=10_001), "limit", "range"),
    "a text as limit": (lambda: Query(limit="5"), "limit", "type"),  # type: ignore[arg-type]  # bad input
    "an unknown order": (lambda: Query(order="nope"), "order", "choice"),
    "a number as order": (lambda: Query(order=5), "order", "type"),  # type: ignore[arg-type]  # bad input
    "a number as kind": (lambda: Query(kind=5), "kind", "type"),
    "numbers as kinds": (lambda: Query(kind=[5]), "kind", "type"),
    "lists as kinds": (lambda: Query(kind=[[]]), "kind", "type"),
    "a text as interval": (lambda: Query(created_at="2022"), "created_at", "type"),  # type: ignore[arg-type]  # bad input
    "a naive interval": (lambda: Interval(datetime(2022, 1, 1)), "start", "naive"),
    "an interval turned round": (
        lambda: Interval(datetime(2023, 1, 1, tzinfo=UTC), datetime(2022, 1, 1, tzinfo=UTC)),
        "interval",
        "interval",
    ),
    "a year out of range": (lambda: Interval.year(0, UTC), "year", "range"),
    "a flow without a store": (lambda: ReportFlow(None, REPORT), "store", "type"),  # type: ignore[arg-type]  # bad input
    "a URL as store": (lambda: ReportFlow("memory:", REPORT), "store", "type"),  # type: ignore[arg-type]  # bad input
    "a flow of numbers": (lambda: ReportFlow(MemoryStore(), [5]), "lifecycles", "type"),  # type: ignore[list-item]  # bad input
    "a history of nothing": (lambda: replay([], REPORT), "history", "history"),
}


@pytest.mark.parametrize("case", VALUES)
def test_a_bad_value_cannot_be_built(case: str) -> None:
    """A value that may not be kept is refused where it is built, and the error names its field."""
    build, field, problem = VALUES[case]
    with pytest.raises(InvalidValue) as caught:
        build()
    invalid(field, problem)(caught.value)
    clear(caught.value)


@pytest.mark.parametrize("longest", ["x" * MIB, "好" * (MIB // 3) + "x", "🀄" * (MIB // 4)])
def test_a_text_of_one_mib_is_kept(office: Office, longest: str) -> None:
    """A text of exactly 1 MiB of UTF-8 is kept whole, in a draft, in details and as a reason."""
    assert len(longest.encode()) == MIB
    report = office.flow.create(draft(text=longest), by=ZHANG)
    report = office.flow.fire(report, "edit", Revision(text=longest), by=LI)
    office.flow.fire(report, "return", by=LI, reason=longest)
    assert office.flow.get(report.id, by=LI, type=Report).text == longest
    history = office.flow.history(report.id, by=LI)
    assert (history[0].details.text, history[1].details.text, history[2].reason) == (longest,) * 3  # type: ignore[attr-defined]  # a draft and a Revision


# -- database URLs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "kind", "words"),
    [
        ("sqlit:///x", InvalidURL, ("sqlite:///office.db",)),
        ("office.db", InvalidURL, ("sqlite:///office.db",)),
        ("", InvalidURL, ("sqlite:///office.db",)),
        ("  ", InvalidURL, ("sqlite:///office.db",)),
        ("memory", InvalidURL, ("memory:",)),
        ("sqlite:///", InvalidURL, ("sqlite:///office.db",)),
        ("sqlite:/x.db", InvalidURL, ("three slashes",)),
        ("sqlite://x.db", InvalidURL, ("three slashes",)),
        ("sqlite:office.db", InvalidURL, ("three slashes",)),
        ("sqlite:///a\0b.db", InvalidURL, ()),
        ("sqlite:///\ud800.db", InvalidURL, ()),
        ("sqlite:///x.db?synchronous=LOUD", InvalidURL, ("OFF, NORMAL, FULL, EXTRA",)),
        ("sqlite:///x.db?mode=ro", InvalidURL, ("uri=true",)),
        ("http://h/db", InvalidURL, ("sqlite:///office.db",)),
        ("C:\\office.db", InvalidURL, ("sqlite:///office.db",)),
        ("postgresql://h/db", InvalidURL, ("name the driver", "postgresql+psycopg://")),
        ("postgresql+psycopg://h:port/db", InvalidURL, ()),
        (5, InvalidValue, ("url", "str")),
        (None, InvalidValue, ("url", "str")),
        ("sqlite:////no/such/folder/x.db", StorageUnavailable, ("/no/such/folder/x.db", "folder exists")),
        ("sqlite:///file:/no/such.db?mode=ro&uri=true", StorageUnavailable, ("such.db",)),
    ],
)
def test_a_bad_url_opens_nothing(
    url: Any, kind: type[ReportflowError], words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database URL that is mistyped is refused with what to write instead, and no file is made."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReportflowError) as caught:
        open_flow(url)
    assert type(caught.value) is kind
    clear(caught.value, *words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "mysql+pymysql", "sqlite+aiosqlite", "mysql+asyncmy"])
def test_a_url_without_its_driver_says_what_to_install(driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL whose driver is not installed ends in `MissingExtra`, which says what to install; no password is told."""
    package = driver.split("+")[1]
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra) as caught:
        open_flow(f"{driver}://user:s3cret@host/db")
    assert caught.value.package == package
    clear(caught.value, f"pip install {package}")
    assert "s3cret" not in str(caught.value)


def test_a_driver_that_is_awaited_is_for_the_asynchronous_flow() -> None:
    """A driver that is awaited, given to the blocking flow, is refused with what to call instead."""
    with pytest.raises(InvalidURL) as caught:
        open_flow("sqlite+aiosqlite://")
    clear(caught.value, "open_async_flow")


@pytest.mark.parametrize("url", ["postgresql://user:s3cret@host/db", "oracle+x://user:s3cret@host/db"])
def test_a_url_in_a_message_keeps_its_password(url: str) -> None:
    """The password of a URL is in no message."""
    with pytest.raises(InvalidURL) as caught:
        open_flow(url)
    assert "s3cret" not in str(caught.value) + caught.value.message("zh") + repr(caught.value)


# -- files --------------------------------------------------------------------------------------------------------


def rows_of(path: Path) -> object:
    """All tables of a SQLite file with all their rows."""
    connection = sqlite3.connect(path)
    try:
        found = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        names = [name for name, sql in found if sql and sql.startswith("CREATE TABLE")]
        return found, {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
    finally:
        connection.close()


def filled(folder: Path) -> tuple[str, Path, str]:
    """A database with one report: its URL, its file and the report's id."""
    path = folder / "office.db"
    with open_flow(f"sqlite:///{path}") as flow:
        return f"sqlite:///{path}", path, set_up(flow).id


def altered(path: Path, *commands: str) -> None:
    """Change a database behind the store's back."""
    connection = sqlite3.connect(path)
    for command in commands:
        connection.execute(command)
    connection.commit()
    connection.close()


def test_a_file_opened_for_reading_is_read_and_not_written(tmp_path: Path) -> None:
    """A file opened read-only gives its records; each act asks for the right to write and changes nothing."""
    _, path, id = filled(tmp_path)
    before = rows_of(path)
    with open_flow(f"sqlite:///file:{path}?mode=ro&uri=true") as flow:
        assert flow.get(id, by=LI).version == 2
        for act in (
            lambda: flow.fire(id, "comment", Comment(text="x"), by=LI),
            lambda: flow.create(draft(), by=ZHANG),
            lambda: flow.batch([Create(draft(), by=ZHANG), Fire(id, "comment", Comment(text="x"), by=LI)]),
        ):
            with pytest.raises(StorageUnavailable) as caught:
                act()
            assert type(caught.value) is StorageUnavailable
            clear(caught.value, "office.db", "right to write")
        assert flow.get(id, by=LI).version == 2
    assert rows_of(path) == before


READ_ONLY = """
import os, sys
from reportflow import Actor, StorageUnavailable, open_flow, open_store
from reportflow.office import Comment
from tests.many import fires
open_store("sqlite://").close()  # everything is imported while it still can be
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
by = Actor(id="li", roles={"editor"}, unit="yulin")
try:
    with open_flow(sys.argv[1]) as flow:
        flow.fire(sys.argv[2], "comment", Comment(text="x"), by=by)
except StorageUnavailable as error:
    assert type(error) is StorageUnavailable
    print(error)
    print(error.message("zh", reader="developer"))
"""


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="only where files have owners")
@pytest.mark.parametrize("folder_mode", [0o555, 0o777])
def test_a_file_of_somebody_else_is_not_written(folder_mode: int) -> None:
    """A file that the user may only read, in whatever folder, stays as it is, and they are told."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url, path, id = filled(folder)
        before = rows_of(path)
        path.chmod(0o444)
        folder.chmod(folder_mode)
        command = [sys.executable, "-c", READ_ONLY, url, id]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
        environment["PYTHONIOENCODING"] = "utf-8"
        done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, timeout=60, check=False)
        folder.chmod(0o700)
        assert (done.returncode, done.stderr) == (0, "")
        english, chinese = done.stdout.splitlines()
        assert "office.db" in english
        assert "office.db" in chinese
        assert "writ" in english
        assert "写" in chinese
        assert rows_of(path) == before


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    """A folder named as database ends in `StorageUnavailable`."""
    (tmp_path / "office").mkdir()
    with pytest.raises(StorageUnavailable) as caught:
        open_flow(f"sqlite:///{tmp_path}/office")
    clear(caught.value, "no folder itself")


@pytest.mark.parametrize(
    "content", [b"hi", b"hello, this is a letter. " * 1000, bytes(5000), b"SQLite format 3\0" + b"x" * 5000]
)
@pytest.mark.parametrize("create", [True, False])
def test_a_file_that_is_no_database_stays_as_it_is(tmp_path: Path, content: bytes, create: bool) -> None:
    """A file that is no database ends in `StorageUnavailable`, and not one byte of it changes."""
    path = tmp_path / "letter.txt"
    path.write_bytes(content)
    with pytest.raises(StorageUnavailable) as caught:
        open_flow(f"sqlite:///{path}", create=create)
    clear(caught.value, "letter.txt", "another file")
    assert path.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir()] == ["letter.txt"]


def test_a_damaged_database_says_so(tmp_path: Path) -> None:
    """A database whose pages were overwritten ends in an error of the tree, at opening or at reading."""
    url, path, id = filled(tmp_path)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(bytes(content))
    with pytest.raises(StorageUnavailable) as caught, open_flow(url) as flow:
        flow.get(id, by=LI)
    clear(caught.value, "office.db")


@pytest.mark.parametrize("made", [False, True])
def test_without_tables_and_leave_to_make_them(tmp_path: Path, made: bool) -> None:
    """With ``create=False`` a database without tables is refused; no file is made, and an empty one stays empty."""
    path = tmp_path / "office.db"
    if made:
        path.touch()
    with pytest.raises(StorageUnavailable) as caught:
        open_flow(f"sqlite:///{path}", create=False)
    clear(caught.value, "office.db", "create=True")
    assert [(one.name, one.stat().st_size) for one in tmp_path.iterdir()] == ([("office.db", 0)] if made else [])


FOREIGN = [
    "CREATE TABLE reportflow_record (id, what)",
    "CREATE TABLE reportflow_meta (name, what)",
    "CREATE TABLE reportflow_meta (name, value)",
    "CREATE TABLE reportflow_label (id)",
    "CREATE VIEW reportflow_entry AS SELECT 1 AS position",
]


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("foreign", FOREIGN)
def test_foreign_tables_of_our_names_are_left_alone(tmp_path: Path, foreign: str, create: bool) -> None:
    """A database where somebody else has tables of our names is refused with `SchemaMismatch`, and stays as it is."""
    path = tmp_path / "office.db"
    altered(path, foreign)
    before = rows_of(path)
    with pytest.raises(SchemaMismatch) as caught:
        open_flow(f"sqlite:///{path}", create=create)
    clear(caught.value, "office.db", "prefix=")
    assert rows_of(path) == before
    store = SqlStore(f"sqlite:///{path}", prefix="ours_")
    assert store.feed() == []
    store.close()


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ("0", ("version 0", "reads version 2", "reportflow db upgrade")),
        ("1", ("version 1", "reads version 2", "reportflow db upgrade")),
        ("3", ("version 3", "reads version 2", "newer reportflow")),
        ("17", ("version 17", "newer reportflow")),
        ("one", ("version one",)),
    ],
)
def test_tables_of_another_version_are_left_alone(tmp_path: Path, found: str, words: tuple[str, ...]) -> None:
    """Tables of an older or newer version are refused with both versions and what to do, and stay as they are."""
    url, path, _ = filled(tmp_path)
    altered(path, f"UPDATE reportflow_meta SET value = '{found}' WHERE name = 'schema_version'")
    before = rows_of(path)
    with pytest.raises(SchemaMismatch) as caught:
        open_flow(url)
    assert (caught.value.found, caught.value.expected) == (found, "2")
    clear(caught.value, "office.db", *words)
    assert rows_of(path) == before


def test_tables_that_are_gone_are_not_made_anew(tmp_path: Path) -> None:
    """A database that lost one of our tables is refused, not quietly mended with an empty one."""
    url, path, _ = filled(tmp_path)
    altered(path, "DROP TABLE reportflow_label")
    before = rows_of(path)
    with pytest.raises(SchemaMismatch) as caught:
        open_flow(url)
    clear(caught.value, "office.db", "backup")
    assert rows_of(path) == before


#: What somebody else wrote into a cell that nobody may write to.
CELLS = {
    "a time of an entry": "UPDATE reportflow_entry SET at = 'yesterday'",
    "the actor of an entry": "UPDATE reportflow_entry SET actor = '{\"id\": 7}'",
    "the details of an entry": 'UPDATE reportflow_entry SET details = \'{"$type": "reportflow.Nothing"}\'',
    "a time of a record": "UPDATE reportflow_record SET created_at = 'yesterday'",
    "the level of a record": "UPDATE reportflow_record SET secrecy = 'hidden'",
    "the rest of a record": 'UPDATE reportflow_record SET data = \'{"$type": "reportflow.Report", "authors": 7}\'',
}


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_that_makes_no_sense_says_so(tmp_path: Path, cell: str) -> None:
    """What cannot be read is `InvalidValue` with what stands there, and neither a wrong value nor a foreign error."""
    url, path, id = filled(tmp_path)
    altered(path, CELLS[cell])
    with open_flow(url) as flow, pytest.raises(InvalidValue) as caught:
        flow.history(id, by=LI)
    assert caught.value.field


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """On a full disk an act ends in `StorageUnavailable`; what was kept is there; with room it succeeds."""
    url, path, id = filled(tmp_path)
    before = rows_of(path)

    def fill(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 20")

    event.listen(Pool, "connect", fill)
    try:
        with open_flow(url) as flow:
            for act in (
                lambda: flow.fire(id, "edit", Revision(text="x" * 500_000), by=LI),
                lambda: flow.batch([Create(draft(), by=ZHANG), Create(draft(text="x" * 500_000), by=ZHANG)]),
            ):
                with pytest.raises(StorageUnavailable) as caught:
                    act()
                clear(caught.value, "office.db", "room on the disk")
                assert flow.get(id, by=LI).version == 2
    finally:
        event.remove(Pool, "connect", fill)
    assert rows_of(path) == before
    with open_flow(url) as flow:
        assert flow.fire(id, "edit", Revision(text="x" * 500_000), by=LI).version == 3


def test_a_store_held_by_another_writer_says_so(tmp_path: Path) -> None:
    """While another program holds the write lock beyond the retry_timeout, acts end in `StorageBusy`; reads go on."""
    url, path, id = filled(tmp_path)
    engine = create_engine(url, connect_args={"timeout": 0.01})
    other = sqlite3.connect(path, isolation_level=None)
    with ReportFlow(SqlStore(engine), REPORT, retry_timeout=0.05) as flow:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageBusy) as caught:
            flow.fire(id, "comment", Comment(text="x"), by=LI)
        clear(caught.value, "office.db", "locked by another writer", "try again")
        assert flow.get(id, by=LI).version == 2
        other.execute("ROLLBACK")
        assert flow.fire(id, "comment", Comment(text="x"), by=LI).version == 3
    other.close()
    engine.dispose()


def test_what_the_driver_says_is_translated(tmp_path: Path) -> None:
    """A store whose table is changed under it raises an error of the tree, not the driver's."""
    url, path, id = filled(tmp_path)
    with open_flow(url) as flow:
        altered(path, "ALTER TABLE reportflow_record RENAME COLUMN title TO headline")
        with pytest.raises(ReportflowError) as caught:
            flow.get(id, by=LI)
        clear(caught.value, "title")


# -- fuzz ---------------------------------------------------------------------------------------------------------


class Junk(enum.Enum):
    A = 1


TEXTS = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    ["", " ", "\0", "\ud800", "edit", "review", "draft", "kind"]
)
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.binary(max_size=8),
    TEXTS,
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.sampled_from([UTC, timezone(8 * HOUR), timezone(-8 * HOUR)])),
    st.timedeltas(),
    st.sampled_from([object(), Junk.A, Junk, Level.CITY, Report, Revision, len, ..., NotImplemented]),
)
JUNK: st.SearchStrategy[Any] = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=3),
    st.tuples(SCALARS),
    st.frozensets(TEXTS, max_size=3),
    st.dictionaries(TEXTS, SCALARS, max_size=3),
    st.lists(st.lists(SCALARS, max_size=2), min_size=1, max_size=2),
    st.builds(draft),
    st.sampled_from(
        [
            Record(),
            Record(id="x", kind="report", state="draft", version=1),
            Revision(text="x"),
            Merge(target="x"),
            ZHANG,
            LI,
            Query(),
            Interval(),
            Happened(),
            REPORT,
            Fire("x", "edit", by=LI),
        ]
    ),
)

VERBS: dict[str, Callable[[Office], dict[str, Any]]] = {
    "create": lambda o: {"draft": draft(), "by": ZHANG, "at": None, "key": None},
    "fire": lambda o: {
        "target": o.id, "trigger": "edit", "details": Revision(text="y"), "by": LI, "reason": "", "at": None,
        "key": None, "version": None,
    },
    "batch": lambda o: {"requests": [Fire(o.id, "edit", Revision(text="y"), by=LI)]},
    "run": lambda o: {"requests": [Fire(o.id, "edit", Revision(text="y"), by=LI)], "on_error": "skip"},
    "options": lambda o: {"target": o.id, "by": LI},
    "get": lambda o: {"id": o.id, "by": LI, "type": Report},
    "find": lambda o: {"query": Query(), "by": LI},
    "inbox": lambda o: {"by": LI, "limit": 10, "cursor": None},
    "count": lambda o: {"query": Query(), "by": LI, "of": "records", "group": ()},
    "history": lambda o: {"id": o.id, "by": LI},
    "as_of": lambda o: {"id": o.id, "by": LI, "version": 1, "time": None},
}  # fmt: skip
WRITING = {"create", "fire", "batch", "run"}


@pytest.mark.parametrize("verb", VERBS)
@given(url=st.sampled_from(["memory:", "sqlite://"]), data=st.data())
def test_junk_brings_out_errors_of_the_tree_only(verb: str, url: str, data: st.DataObject) -> None:
    """Whatever is given to a verb, only errors of the project's tree come out, and then the store is as it was."""
    with open_flow(url) as flow:
        office = set_up(flow)
        arguments = VERBS[verb](office)
        names = data.draw(st.lists(st.sampled_from(sorted(arguments)), min_size=1, unique=True))
        arguments.update((name, data.draw(JUNK, label=name)) for name in names)
        before = office.content()
        error: ReportflowError | None = None
        try:
            answer = getattr(flow, verb)(**arguments)
            if verb == "run":
                list(answer)
        except ReportflowError as raised:
            error = raised
        if error is not None:
            assert error.message("en") != error.message("zh")
        if error is not None or verb not in WRITING:
            assert office.content() == before
        for record in flow.store.find(Query(limit=10_000)).records:
            assert replay(flow.store.history([record.id]), REPORT) == record


@pytest.mark.parametrize(
    ("build", "fields"),
    [
        (Report.draft, {"title": "t", "text": "x", "authors": [Author(name="a")]}),
        (Actor, {"id": "a"}),
        (Author, {"name": "a"}),
        (Attachment, {"name": "a", "media_type": "b", "size": 1, "sha256": "0" * 64}),
        (Revision, {"text": "x"}),
        (Adoption, {"body": "a", "level": "city"}),
        (Query, {}),
        (Happened, {}),
        (Interval, {}),
    ],
    ids=lambda given: getattr(given, "__qualname__", ""),
)
@given(data=st.data())
def test_junk_in_a_value_is_invalid(build: Callable[..., Any], fields: dict[str, Any], data: st.DataObject) -> None:
    """Whatever a value is built of, it is built or `InvalidValue` comes out."""
    cls: Any = getattr(build, "__self__", build)
    known = [field.alias for field in attrs.fields(cls)]
    junk = data.draw(st.dictionaries(st.sampled_from(known), JUNK, min_size=1, max_size=3))
    with contextlib.suppress(InvalidValue):
        assert isinstance(build(**{**fields, **junk}), cls)
