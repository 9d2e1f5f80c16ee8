"""Bad arguments of a flow's calls: each ends in one clear error of the project's own tree, with nothing written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timezone
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    Actor,
    AlreadyExists,
    Create,
    DuplicateKey,
    Fire,
    Query,
    Record,
    RecordNotFound,
    ReportFlow,
    ReportflowError,
    StaleRecord,
    UnknownLifecycle,
    UnknownTrigger,
    open_flow,
    replay,
)
from reportflow.office import REPORT, Adoption, Comment, Merge, Report, Revision
from reportflow.testing.strategies.definitions import ERRAND, Errand
from tests.bad_input import HOUR, JUNK, LI, MIB, WANG, ZHANG, Office, clear, draft, exactly, invalid, refused, set_up
from tests.lifecycles import OPEN_REPORT
from tests.many import fires

FAR = Actor(id="far", roles={"editor"}, unit="ankang")
STALE = "read it again"


@attrs.frozen(kw_only=True)
class BadSheet(Record):
    """A record of a kind that the flow does not have."""


@pytest.fixture(params=["memory:", "sqlite"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """An office on each store that ships."""
    url = request.param if request.param == "memory:" else f"sqlite:///{tmp_path}/office.db"
    with open_flow(url) as flow:
        yield set_up(flow)


Check = Callable[[ReportflowError], None]
BEYOND = datetime.min.replace(tzinfo=timezone(8 * HOUR))

#: The call -> the error that it results in, and words of its English message.
CALLS: dict[str, tuple[Callable[[Office], object], Check, tuple[str, ...]]] = {
    "an unknown trigger": (lambda o: o.fire(trigger="edti"), exactly(UnknownTrigger), ("'edti'", "one of: edit, ")),
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
    "a stale record": (lambda o: o.fire(o.old), exactly(StaleRecord), ("version 1", "version 2", STALE)),
    "a stale version": (lambda o: o.fire(version=1), exactly(StaleRecord), ("version 1", "version 2", STALE)),
    "a version to come": (lambda o: o.fire(version=99), exactly(StaleRecord), ("version 99", "version 2")),
    "a text as version": (lambda o: o.fire(version="2"), invalid("version", "type"), ("int", "str '2'")),
    "True as version": (lambda o: o.fire(version=True), invalid("version", "type"), ("int", "bool True")),
    "another version than that of the snapshot": (
        lambda o: o.fire(o.now, version=1),
        invalid("version", "other_version"),
        ("version 2",),
    ),
    "an unknown id": (lambda o: o.fire("nope"), exactly(RecordNotFound), ("nope", "check the id")),
    "a record of another unit": (lambda o: o.fire(by=FAR), exactly(RecordNotFound), ("check the id",)),
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
    "a time out of the range of UTC": (lambda o: o.fire(at=BEYOND), invalid("at", "time_range"), ("1 to 9999",)),
    "a text as actor": (lambda o: o.fire(by="li"), invalid("by", "type"), ("Actor", "str 'li'")),
    "no actor": (lambda o: o.fire(by=None), invalid("by", "type"), ("Actor", "None")),
    "a blank key": (lambda o: o.fire(key=""), invalid("key", "blank"), ("must not be blank",)),
    "a number as key": (lambda o: o.fire(key=5), invalid("key", "type"), ("str",)),
    "a key used before": (lambda o: o.fire(key="used"), exactly(DuplicateKey), ("used", "a new key")),
    "merging with itself": (
        lambda o: o.fire(trigger="merge", details=Merge(target=o.id)),
        refused({"itself"}),
        ("name another one",),
    ),
    "merging with nothing": (
        lambda o: o.fire(trigger="merge", details=Merge(target="gone")),
        exactly(RecordNotFound),
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
    "creating under a taken id": (
        lambda o: ReportFlow(o.flow.store, OPEN_REPORT).create(draft(id=o.id), by=ZHANG),
        exactly(AlreadyExists),
        ("another id",),
    ),
    "creating under a blank id": (
        lambda o: ReportFlow(o.flow.store, OPEN_REPORT).create(draft(id=" "), by=ZHANG),
        invalid("id", "blank"),
        (),
    ),
    "creating under an id of one's own": (
        lambda o: o.flow.create(draft(id=o.id), by=ZHANG),
        invalid("id", "not_accepted"),
        ("'create'", "accepts: parent, category, secrecy, title", "leave out of the draft: id", "accepts="),
    ),
    "creating with what others enter": (
        lambda o: o.flow.create(
            draft(merged_into="r", credits=["r"], revision=99, edited_by="li", number="1", unit="elsewhere"), by=ZHANG
        ),
        invalid("unit", "not_accepted"),
        ("unit, number, merged_into, credits, revision, edited_by",),
    ),
    "creating with what the flow enters": (
        lambda o: o.flow.create(
            attrs.evolve(draft(), updated_at=datetime(2099, 1, 1, tzinfo=UTC), created_by="li"), by=ZHANG
        ),
        invalid("created_by", "not_accepted"),
        ("created_by, updated_at",),
    ),
    "creating of another lifecycle's kind": (
        lambda o: ReportFlow(o.flow.store, [REPORT, ERRAND]).create(Errand.draft(kind="report"), by=ZHANG),
        invalid("kind", "other_kind"),
        ("'report'", "Errand", "Report"),
    ),
    "creating a record without a lifecycle": (
        lambda o: o.flow.create(Record.draft(), by=ZHANG),
        exactly(UnknownLifecycle),
        ("'Record'", "lifecycles="),
    ),
    "creating of an unknown kind": (
        lambda o: o.flow.create(draft(kind="leave"), by=ZHANG),
        exactly(UnknownLifecycle),
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
        exactly(UnknownTrigger),
        (),
    ),
    "a batch of nothing": (lambda o: o.flow.batch(None), invalid("requests", "type"), ("Create", "None")),  # type: ignore[arg-type]  # bad input
    "a batch of numbers": (lambda o: o.flow.batch([5]), invalid("draft", "type"), ("Record",)),  # type: ignore[list-item]  # bad input
    "a run with a number as target": (
        lambda o: list(o.flow.run(fires([5], "edit", by=LI))),  # type: ignore[list-item]  # bad input
        invalid("id", "type"),
        (),
    ),
    "a run of ids": (
        lambda o: list(o.flow.run([o.id])),  # type: ignore[list-item]  # bad input
        invalid("requests", "type"),
        ("Create | Fire",),
    ),
    "a run of nothing": (lambda o: o.flow.run(None), invalid("requests", "type"), ("None",)),  # type: ignore[arg-type]  # bad input
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
    "a text as class": (lambda o: o.flow.get(o.id, by=LI, type="Report"), invalid("type", "type"), ()),  # type: ignore[arg-type]  # bad input
    "reading without an id": (lambda o: o.flow.get(None, by=LI), invalid("id", "type"), ()),  # type: ignore[arg-type]  # bad input
    "reading without an actor": (lambda o: o.flow.get(o.id, by=None), invalid("by", "type"), ("Actor",)),  # type: ignore[arg-type]  # bad input
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
    "histories of a dict": (
        lambda o: o.flow.histories({"kind": "report"}, by=LI),  # type: ignore[arg-type]  # bad input
        invalid("query", "type"),
        ("Query",),
    ),
    "histories of an unknown kind": (lambda o: o.flow.histories(Query(kind="x"), by=LI), invalid("kind", "choice"), ()),
    "histories behind nothing": (
        lambda o: o.flow.histories(Query(cursor="x"), by=LI),
        invalid("cursor", "cursor"),
        ("Page.next",),
    ),
    "the histories of nobody": (lambda o: o.flow.histories(Query(), by=None), invalid("by", "type"), ("Actor",)),  # type: ignore[arg-type]  # bad input
    "a feed of no size": (lambda o: o.flow.feed(by=LI, limit=0), invalid("limit", "range"), ("1 to 10000",)),
    "a feed behind a text": (lambda o: o.flow.feed("1", by=LI), invalid("after", "type"), ("int", "str '1'")),  # type: ignore[arg-type]  # bad input
    "a feed behind no position": (lambda o: o.flow.feed(2**63, by=LI), invalid("after", "range"), ("0 to",)),
    "the feed of nobody": (lambda o: o.flow.feed(by=None), invalid("by", "type"), ("Actor",)),  # type: ignore[arg-type]  # bad input
    "as of nothing": (lambda o: o.flow.as_of(o.id, by=LI), invalid("as_of", "version_or_time"), ("version=", "time=")),
    "as of version 0": (lambda o: o.flow.as_of(o.id, by=LI, version=0), invalid("version", "range"), ("1 to 2",)),
    "as of a text": (lambda o: o.flow.as_of(o.id, by=LI, version="1"), invalid("version", "type"), ("int",)),  # type: ignore[arg-type]  # bad input
    "as of a naive time": (
        lambda o: o.flow.as_of(o.id, by=LI, time=datetime(2022, 1, 1)),
        invalid("time", "naive"),
        (),
    ),
    "as of a time before the creation": (
        lambda o: o.flow.as_of(o.id, by=LI, time=datetime(2022, 1, 1, tzinfo=UTC)),
        invalid("time", "no_such_time"),
        ("did not exist then",),
    ),
    "options of an unknown kind": (lambda o: o.flow.options("repot", by=LI), exactly(RecordNotFound), ("repot",)),
    "a kind offered to nobody": (lambda o: o.flow.options("report", by=None), invalid("by", "type"), ("Actor",)),  # type: ignore[arg-type]  # bad input
    "options of a draft": (lambda o: o.flow.options(draft(), by=LI), invalid("target", "not_stored"), ()),
    "a number as new id": (
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


@pytest.mark.parametrize("case", CALLS)
def test_a_bad_call_is_one_clear_error(office: Office, case: str) -> None:
    """A bad call raises an error that names the problem in both languages, and the store is unchanged."""
    call, check, words = CALLS[case]
    before = office.content()
    with pytest.raises(ReportflowError) as caught:
        call(office)
    check(caught.value)
    clear(caught.value, *words)
    assert office.content() == before


@pytest.mark.parametrize("longest", ["x" * MIB, "好" * (MIB // 3) + "x", "🀄" * (MIB // 4)])
def test_a_text_of_one_mib_is_stored(office: Office, longest: str) -> None:
    """A text of exactly 1 MiB of UTF-8 is stored unchanged, in a draft, in details and as a reason."""
    assert len(longest.encode()) == MIB
    report = office.flow.create(draft(text=longest), by=ZHANG)
    report = office.flow.fire(report, "edit", Revision(text=longest, title="other"), by=LI)
    office.flow.fire(report, "return", by=LI, reason=longest)
    assert office.flow.get(report.id, by=LI, type=Report).text == longest
    history = office.flow.history(report.id, by=LI)
    assert (history[0].details.text, history[1].details.text, history[2].reason) == (longest,) * 3  # type: ignore[attr-defined]  # a draft and a Revision


ARGUMENTS: dict[str, Callable[[Office], dict[str, Any]]] = {
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
    "histories": lambda o: {"query": Query(), "by": LI},
    "feed": lambda o: {"after": None, "by": LI, "limit": 3},
    "as_of": lambda o: {"id": o.id, "by": LI, "version": 1, "time": None},
}  # fmt: skip
WRITING = {"create", "fire", "batch", "run"}


@pytest.mark.parametrize("call", ARGUMENTS)
@given(url=st.sampled_from(["memory:", "sqlite://"]), data=st.data())
def test_junk_raises_errors_of_the_tree_only(call: str, url: str, data: st.DataObject) -> None:
    """With any arguments, a call raises errors of the project's tree only, and then the store is unchanged."""
    with open_flow(url) as flow:
        office = set_up(flow)
        arguments = ARGUMENTS[call](office)
        names = data.draw(st.lists(st.sampled_from(sorted(arguments)), min_size=1, unique=True))
        arguments.update((name, data.draw(JUNK, label=name)) for name in names)
        before = office.content()
        error: ReportflowError | None = None
        try:
            answer = getattr(flow, call)(**arguments)
            if call in ("run", "histories"):
                list(answer)
        except ReportflowError as raised:
            error = raised
        if error is not None:
            assert error.message("en") != error.message("zh")
        if error is not None or call not in WRITING:
            assert office.content() == before
        for record in flow.store.find(Query(limit=10_000)).records:
            assert replay(flow.store.history([record.id]), REPORT) == record
