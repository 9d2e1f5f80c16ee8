"""What readers see: the same entries by every call, and of those who acted no more than is a reader's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    ANY,
    EVERYBODY,
    OWN,
    SAME,
    UNIT,
    Actor,
    Entry,
    FeedItem,
    Happened,
    InvalidDefinition,
    InvalidValue,
    Lifecycle,
    MemoryStore,
    Query,
    Record,
    RecordNotFound,
    ReportFlow,
    Secrecy,
    SqlStore,
    State,
    Store,
    Transition,
    TransitionRefused,
)
from reportflow.errors import RuleFailed
from reportflow.model.query import Interval
from reportflow.office import REPORT, Author, Classification, Comment, Credit, Merge, Report, Revision
from reportflow.office.figures import figures

START = datetime(2022, 3, 1, 8, tzinfo=UTC)
STORES: list[Callable[[], Store]] = [MemoryStore, lambda: SqlStore("sqlite://")]

ZHAO = Actor(id="zhao", name="赵敏", roles={"contributor"}, unit="yulin")
LI = Actor(id="li", name="李娜", post="编辑科科长", roles={"editor", "reviewer"}, unit="yulin", clearance="top_secret")
SUN = Actor(id="sun", name="孙强", roles={"auditor"}, unit="yulin", clearance="secret")
#: Colleagues who read: of each role or several, of each unit, up to each clearance.
READERS = st.builds(
    Actor,
    id=st.sampled_from(["zhao", "li", "he"]),
    roles=st.sets(st.sampled_from([*REPORT.roles, "stranger"])),
    unit=st.sampled_from(["yulin", "mizhi"]),
    clearance=st.sampled_from(Secrecy),
)
#: What happens to a report: an act with its details.
ACTS = st.one_of(
    st.builds(lambda level: ("classify", Classification(secrecy=level)), st.sampled_from(Secrecy)),
    st.builds(lambda internal: ("comment", Comment(text="!", internal=internal)), st.booleans()),
    st.integers().map(lambda number: ("edit", Revision(text=f"{number}."))),
)


#: What happens in an office: new reports, by their secrecy, and acts on one of those that there are.
EVENTS = st.lists(st.one_of(st.sampled_from(Secrecy), st.tuples(st.integers(0, 9), ACTS)), max_size=9)


def draft(**fields: Any) -> Report:
    """The draft of a report."""
    return Report.draft(**{"title": "题", "text": "文", "authors": [Author(name="赵敏", id="zhao")], **fields})


def remarks(history: list[Entry]) -> list[str]:
    """What was said."""
    return [entry.details.text for entry in history if isinstance(entry.details, Comment)]


def flow_on(store: Store) -> ReportFlow:
    """A flow whose clock ticks by minutes."""
    minutes = count()
    return ReportFlow(store, REPORT, clock=lambda: START + timedelta(minutes=next(minutes)))


@pytest.mark.parametrize("store", STORES, ids=["memory", "sqlite"])
@given(acts=st.lists(ACTS, max_size=5), readers=st.lists(READERS, min_size=1, max_size=3))
def test_every_call_tells_of_the_same_entries(
    store: Callable[[], Store], acts: list[tuple[str, object]], readers: list[Actor]
) -> None:
    """Counts of entries and of records, conditions on the history, and figures tell of what the history shows."""
    with flow_on(store()) as flow:
        report: Report = flow.create(draft(), by=ZHAO)
        for trigger, details in acts:
            with suppress(TransitionRefused):  # what changes nothing
                report = flow.fire(report, trigger, details, by=LI)
        for reader in readers:
            try:
                history = flow.history(report.id, by=reader)
            except RecordNotFound:
                history = []
            triggers = Counter(entry.trigger for entry in history)
            told = flow.count(Query(), by=reader, of="entries", group=("trigger", "actor"))
            assert told == Counter((entry.trigger, entry.actor.id) for entry in history)
            assert flow.count(Query(), by=reader, group="trigger") == {(trigger,): 1 for trigger in triggers}
            for trigger in ("create", "classify", "comment", "edit"):
                happened = Query(happened=Happened(trigger=trigger))
                assert (
                    len(flow.find(happened, by=reader))
                    == flow.count(happened, by=reader)[()]
                    == bool(triggers[trigger])
                )
            for actor in ("zhao", "li"):
                found = flow.find(Query(happened=Happened(actor=actor)), by=reader)
                assert len(found) == any(entry.actor.id == actor for entry in history)
            counted = figures(flow, by=reader, interval=Interval.year(2022, UTC))
            assert (counted.collected, counted.edited) == (triggers["create"], bool(triggers["edit"]))


def office_of(flow: ReportFlow, events: list[Any]) -> None:
    """Let it happen; each third report is of another unit, each new one is credited with another."""
    made: list[str] = []
    for event in events:
        if isinstance(event, Secrecy):
            unit = "mizhi" if len(made) % 3 == 2 else "yulin"
            made.append(flow.create(draft(secrecy=event), by=attrs.evolve(LI, unit=unit)).id)
            if len(made) % 3 == 2:
                source = flow.create(draft(secrecy=event), by=LI)
                flow.fire(source, "merge", Merge(target=made[0]), by=LI)
        elif made:
            number, (trigger, details) = event
            with suppress(TransitionRefused, RecordNotFound):  # what changes nothing, and other units
                flow.fire(made[number % len(made)], trigger, details, by=LI)


@pytest.mark.parametrize("store", STORES, ids=["memory", "sqlite"])
@given(events=EVENTS, reader=READERS, after=st.integers(0, 20), limit=st.integers(1, 4))
def test_the_feed_of_a_reader_is_their_histories_in_one_order(
    store: Callable[[], Store], events: list[Any], reader: Actor, after: int, limit: int
) -> None:
    """It has the entries of all histories that they may read, as `history` gives them, where the store's feed has them.

    By pages of any size, from any position on, nothing is left out, and only the last page is not full.
    """
    with flow_on(store()) as flow:
        office_of(flow, events)
        shown = {entry.ref: entry for one in flow.find(Query(), by=reader) for entry in flow.history(one.id, by=reader)}
        expected = [
            FeedItem(item.position, shown[item.entry.ref])
            for item in flow.store.feed(limit=1000)
            if item.entry.ref in shown
        ]
        assert len(expected) == len(shown)
        assert flow.feed(by=reader, limit=1000) == expected
        rest, read, place = [item for item in expected if item.position > after], list[FeedItem](), after
        while page := flow.feed(place, by=reader, limit=limit):
            read += page
            assert len(page) == limit or read == rest
            place = page[-1].position
        assert read == rest


@pytest.mark.parametrize("store", STORES, ids=["memory", "sqlite"])
@given(events=EVENTS, reader=READERS, limit=st.integers(1, 4), order=st.sampled_from(["created_at", "-id"]))
def test_histories_are_the_records_found_with_their_history(
    store: Callable[[], Store], events: list[Any], reader: Actor, limit: int, order: str
) -> None:
    """By pages of any size, each record that a reader finds comes once, in its order, with what `history` gives."""
    with flow_on(store()) as flow:
        office_of(flow, events)
        found = flow.find(Query(order=order), by=reader)
        expected = [(one, flow.history(one.id, by=reader)) for one in found]
        assert list(flow.histories(Query(order=order, limit=limit), by=reader)) == expected


def test_histories_are_read_when_they_are_asked_for() -> None:
    """Nothing is read before its page is due, a history goes as far as its record, and a record may be acted on."""
    with flow_on(MemoryStore()) as flow:
        one, other = (flow.create(draft(), by=ZHAO) for _ in range(2))
        histories = flow.histories(Query(limit=1), by=LI)
        flow.fire(one, "comment", Comment(text="!"), by=LI)
        record, entries = next(histories)
        assert (record.id, [entry.trigger for entry in entries]) == (one.id, ["create", "comment"])
        assert flow.fire(record, "edit", Revision(text="新"), by=LI).version == 3
        flow.fire(other, "edit", Revision(text="新"), by=LI)
        assert [(record.version, len(entries)) for record, entries in histories] == [(2, 2)]


def test_a_history_that_grows_meanwhile_ends_with_its_record() -> None:
    """What is committed between the reading of a page and of its histories is in neither."""

    class Growing(MemoryStore):
        def history(self, ids: Sequence[str]) -> list[Entry]:
            if growing:
                growing.pop()
                flow.fire(report.id, "comment", Comment(text="!"), by=LI)
            return super().history(ids)

    growing: list[bool] = []
    with flow_on(Growing()) as flow:
        report = flow.create(draft(), by=ZHAO)
        growing.append(True)
        ((record, entries),) = flow.histories(Query(), by=LI)
        assert (record, [entry.trigger for entry in entries]) == (report, ["create"])
        assert flow.get(report.id, by=LI).version == 2


def test_what_is_hidden_stops_no_reader_of_the_feed() -> None:
    """Behind any number of hidden entries, a reader gets the next ones that are theirs, as many as they ask for."""
    with flow_on(MemoryStore()) as flow:
        first = flow.create(draft(), by=ZHAO)
        for _ in range(700):
            flow.create(draft(secrecy="secret"), by=LI)
        last = flow.create(draft(), by=ZHAO)
        (one,), (other,) = flow.feed(by=ZHAO, limit=1), flow.feed(1, by=ZHAO, limit=1)
        assert (one.entry.record_id, one.position, other.entry.record_id, other.position) == (first.id, 1, last.id, 702)
        assert flow.feed(by=ZHAO) == [one, other]
        assert flow.feed(702, by=ZHAO) == []


def test_what_was_secret_is_told_to_nobody_below() -> None:
    """Issue 12: by `count` and `find` nothing is told of an act that the history hides: no trigger, actor or time."""
    with flow_on(MemoryStore()) as flow:
        report = flow.create(draft(secrecy="secret"), by=attrs.evolve(ZHAO, clearance="secret"))
        report = flow.fire(report, "classify", Classification(secrecy="internal"), by=LI)
        assert [entry.trigger for entry in flow.history(report.id, by=ZHAO)] == []
        assert flow.count(Query(), by=ZHAO, of="entries", group=("trigger", "actor")) == {}
        assert not flow.find(Query(happened=Happened(at=Interval(START))), by=ZHAO).records


def test_an_internal_comment_is_for_the_office() -> None:
    """A contributor reads what is said to all, and not what the office says to itself."""
    with flow_on(MemoryStore()) as flow:
        report = flow.create(draft(), by=ZHAO)
        for internal in (False, True):
            report = flow.fire(report, "comment", Comment(text=str(internal), internal=internal), by=LI)
        said = {reader: remarks(flow.history(report.id, by=reader)) for reader in (ZHAO, LI)}
        assert said == {ZHAO: ["False"], LI: ["False", "True"]}
        assert flow.history(report.id, by=LI)[-1].audience == frozenset({"editor", "reviewer", "registrar", "auditor"})
        elsewhere = attrs.evolve(ZHAO, roles={"contributor", "editor"}, unit="mizhi")  # that role does not reach it
        assert remarks(flow.history(report.id, by=elsewhere)) == ["False"]


def test_a_reader_knows_name_post_and_the_role_used() -> None:
    """Of who acted, a reader gets name, post, the role by which the act was theirs, and on whose behalf; no more."""
    with flow_on(MemoryStore()) as flow:
        acting = attrs.evolve(LI, on_behalf_of="chen")
        report = flow.create(draft(), by=ZHAO, key="k1")
        report = flow.fire(report, "edit", Revision(text="新"), by=acting, key="k2")
        report = flow.fire(report, "comment", Comment(text="!"), by=acting)
        for reader in (ZHAO, LI):
            created, edited, commented = flow.history(report.id, by=reader)
            assert created.actor == Actor(id="zhao", name="赵敏", roles={"contributor"})
            assert edited.actor == Actor(id="li", name="李娜", post="编辑科科长", roles={"editor"}, on_behalf_of="chen")
            assert commented.actor == attrs.evolve(edited.actor, roles=())  # everybody may: no role was used
            assert [one.key for one in (created, edited, commented)] == [None] * 3
        assert flow.history(report.id, by=SUN) == flow.store.history([report.id])


def test_a_role_that_did_not_reach_was_not_used() -> None:
    """A role of the row that the actor held elsewhere is not one by which they acted."""
    with flow_on(MemoryStore()) as flow:
        both = Actor(id="he", roles={"contributor", "editor"}, unit="mizhi")
        report = flow.create(draft(), by=both)
        report = flow.fire(
            report, "withdraw", by=attrs.evolve(both, unit="yulin", roles={"contributor", "registrar"}), reason="x"
        )
        assert [entry.actor.roles for entry in flow.history(report.id, by=both)] == [
            {"contributor", "editor"}, {"contributor"},
        ]  # fmt: skip


def test_the_cause_in_a_hidden_record_is_not_told() -> None:
    """The ref of the act that an entry followed from is told to those who may read that act."""
    with flow_on(MemoryStore()) as flow:
        target = flow.create(draft(), by=ZHAO)
        source = flow.create(draft(secrecy="secret", authors=[Author(name="x")]), by=LI)
        flow.fire(source, "merge", Merge(target=target.id), by=LI)
        credit = flow.history(target.id, by=LI)[-1]
        assert (credit.trigger, credit.cause) == ("credit", f"{source.id}@2")
        assert flow.history(target.id, by=ZHAO)[-1] == attrs.evolve(credit, cause=None)
        shown = flow.fire(flow.create(draft(), by=ZHAO), "merge", Merge(target=target.id), by=LI)
        assert flow.history(target.id, by=ZHAO)[-1].cause == f"{shown.id}@2"
        assert isinstance(credit.details, Credit)


@pytest.mark.parametrize("store", STORES, ids=["memory", "sqlite"])
@pytest.mark.parametrize("blank", ["", " ", "\u3000", "\u200b"])
def test_a_blank_unit_reaches_nothing(store: Callable[[], Store], blank: str) -> None:
    """Who has no unit sees no record without one by a role for a unit, and may do nothing there."""
    with flow_on(store()) as flow:
        report = flow.create(draft(), by=attrs.evolve(ZHAO, unit=blank))
        assert report.unit == blank
        stranger = attrs.evolve(LI, unit=blank)
        assert not flow.find(Query(), by=stranger).records
        assert flow.inbox(by=stranger).records == ()
        assert flow.count(Query(), by=stranger, of="entries") == {(): 0}
        with pytest.raises(RecordNotFound):
            flow.fire(report.id, "edit", Revision(text="x"), by=stranger)


@pytest.mark.parametrize(
    ("field", "query", "one"),
    [
        ("kind", Query(kind="repot"), "report"),
        ("state", Query(state="nonsense"), "edited"),
        ("state", Query(kind="report", state={"edited", "nonsense"}), "edited"),
        ("state", Query(kind={"report", "file"}, state="nonsense"), "open"),
        ("state", Query(kind="file", state="edited"), "open"),
        ("secrecy", Query(secrecy="hush"), "top_secret"),
        ("trigger", Query(happened=Happened(trigger="adpot")), "adopt"),
        ("trigger", Query(kind="file", happened=Happened(trigger="adopt")), "remark"),
        ("level", Query(happened=Happened(level="town")), "county"),
    ],
)
def test_a_mistyped_name_is_an_error_that_says_what_there_is(field: str, query: Query, one: str) -> None:
    """A kind, state, trigger, level or secrecy that no definition has is refused by each call that takes a query."""
    with ReportFlow(MemoryStore(), [REPORT, table()]) as flow:
        for call in (flow.find, flow.count):
            with pytest.raises(InvalidValue) as raised:
                call(query, by=LI)
            assert (raised.value.field, raised.value.problem) == (field, "choice")
            assert one in raised.value.details["choices"]  # type: ignore[operator]  # a tuple
            assert one in str(raised.value)
        if query == Query(kind="report", state={"edited", "nonsense"}):
            assert "待审核" in raised.value.message("zh")
        known = Query(state={"open", None}, happened=Happened(trigger={"adopt", "remark"}, level="city", code="x"))
        assert flow.find(known, by=LI).records == ()


def test_kinds_that_the_flow_lacks_may_be_asked_for() -> None:
    """What records are of, and the flow was not given, is no mistyped name: there are none that it can show."""
    store = MemoryStore(table().classes)
    with ReportFlow(store, table()) as flow:
        flow.create(Record.draft(), by=Actor(id="p", roles={"one"}))
        other = ReportFlow(store, REPORT)
        assert other.find(Query(kind="file", state="open"), by=LI).records == ()


def test_paging_over_what_one_changes_ends() -> None:
    """By an order that an act does not change, each record comes once, whatever is done to it on the way."""
    with flow_on(MemoryStore()) as flow:
        ids = {flow.create(draft(title=f"{n}"), by=ZHAO).id for n in range(7)}
        query: Query | None = Query(order="created_at", limit=2)
        seen = []
        while query is not None:
            page = flow.find(query, by=LI)
            for report in page:
                seen.append(flow.fire(report, "classify", Classification(category="x"), by=LI).id)
            query = attrs.evolve(query, cursor=page.next) if page.next else None
        assert (len(seen), set(seen)) == (7, ids)


# -- the table -------------------------------------------------------------------------------------------------------


def table(**changes: Any) -> Lifecycle:
    """A small lifecycle whose remark has an audience."""
    remark = Transition("remark", source="open", dest=SAME, roles=EVERYBODY, **changes.pop("row", {}))
    given: dict[str, Any] = {
        "roles": {"one": ANY, "two": UNIT, "mine": OWN},
        "transitions": [Transition("open", source=None, dest="open", roles={"one", "mine"}), remark],
        **changes,
    }
    return Lifecycle(name="file", version=1, record=Record, states=[State("open", final=True)], **given)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"row": {"audience": {"three"}}}, "unknown_audience"),
        ({"row": {"audience": set()}}, "no_audience"),
        ({"row": {"audience": {"one"}}, "roles": {"one": ANY, "mine": OWN, "a,b": ANY}}, "role_comma"),
        ({"audits": {"three"}}, "unknown_auditor"),
        ({"audits": {3}}, "name_type"),
    ],
)
def test_faults_of_an_audience(changes: dict[str, Any], code: str) -> None:
    """Roles of an audience and of auditors are the table's, and can be stored as one text."""
    with pytest.raises(InvalidDefinition) as raised:
        table(**changes)
    assert [fault.code for fault in raised.value.faults] == [code]


def test_an_audience_that_is_no_role_fails() -> None:
    """A function that gives no roles of the table, or none at all, is a rule that failed, and nothing is written."""
    person = Actor(id="p", roles={"one"})
    for roles in ({"three"}, set[str](), 3):
        with ReportFlow(MemoryStore(), table(row={"audience": lambda details, roles=roles: roles})) as flow:
            record = flow.create(Record.draft(), by=person)
            with pytest.raises(RuleFailed, match="audience of 'remark'"):
                flow.fire(record, "remark", by=person)
            assert flow.get(record.id, by=person).version == 1
