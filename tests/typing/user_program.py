"""A small program of a user: mypy checks the types that it gets; `test_user_program` runs it.

Each `assert_type` fails the type check where a public call gives another type than the one a user expects.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import assert_type

import attrs

from reportflow import (
    ANY,
    SAME,
    Actor,
    AsyncReportFlow,
    Command,
    Create,
    Details,
    Entry,
    FeedItem,
    Fire,
    KeyUse,
    Lifecycle,
    MemoryStore,
    Option,
    Outcome,
    Page,
    Query,
    Record,
    Refusal,
    ReportFlow,
    State,
    Transition,
    TransitionRefused,
    guard,
    open_async_flow,
    open_flow,
)
from reportflow.office import Author, Report, Revision

LI = Actor(id="li", roles={"editor"}, unit="yulin")
CLERK = Actor(id="clerk", roles={"clerk"})


@attrs.frozen(kw_only=True)
class Weighing(Details):
    """The weight of a parcel."""

    grams: int


@attrs.frozen(kw_only=True)
class WeighedParcel(Record):
    """A record of the user's own."""

    grams: int = 0


@guard("too_heavy", reads_details=True)
def light_enough(parcel: WeighedParcel, command: Command[Weighing]) -> bool:
    """A guard reads the details with their type."""
    assert_type(command.details, Weighing)
    assert_type(command.details.grams, int)
    assert_type(command.actor, Actor)
    return command.details.grams <= 20_000


PARCELS = Lifecycle(
    name="weighed_parcel",
    version=1,
    record=WeighedParcel,
    roles={"clerk": ANY},
    states=[State("open", final=True)],
    transitions=[
        Transition("create", source=None, dest="open", roles={"clerk"}),
        Transition(
            "weigh",
            source="open",
            dest=SAME,
            roles={"clerk"},
            details=Weighing,
            guards=[light_enough],
            sets={"grams": "grams"},
        ),
    ],
)


def draft() -> Report:
    """A draft has the type of its class."""
    made = Report.draft(title="完善校园安全的建议", text="…", authors=[Author(name="张三")])
    assert_type(made, Report)
    return made


def use_reports() -> Report:
    """The blocking flow: a record keeps its class; an id gives `Record`, or the class of `type=`."""
    with open_flow("memory:") as flow:
        assert_type(flow, ReportFlow)
        report = flow.create(draft(), by=LI)
        assert_type(report, Report)
        edited = flow.fire(report, "edit", Revision(text="edited"), by=LI)
        assert_type(edited, Report)
        assert_type(flow.fire(report.id, "edit", Revision(text="again"), by=LI, type=Report), Report)
        assert_type(flow.get(report.id, by=LI), Record)
        assert_type(flow.get(report.id, by=LI, type=Report), Report)
        page = flow.find(Query(kind="report"), by=LI, type=Report)
        assert_type(page, Page[Report])
        assert_type(page.records, tuple[Report, ...])
        assert_type([one.text for one in page], list[str])
        assert_type(page.next, str | None)
        assert_type(flow.find(Query(), by=LI), Page[Record])
        assert_type(flow.as_of(report.id, by=LI, version=1, type=Report), Report)
        assert_type(flow.as_of(report.id, by=LI, time=datetime.now(UTC)), Record)
        assert_type(flow.as_of(report.id, by=LI, happened=datetime.now(UTC), type=Report), Report)
        assert_type(flow.by_key("k", by=LI), KeyUse | None)
        assert_type(flow.history(report.id, by=LI), list[Entry])
        assert_type(flow.feed(by=LI), list[FeedItem])
        assert_type(flow.histories(Query(), by=LI), Iterator[tuple[Record, list[Entry]]])
        assert_type(flow.options(report, by=LI), tuple[Option, ...])
        assert_type(flow.batch([Create(draft(), by=LI)]), list[Record])
        outcomes = flow.run([Fire(report.id, "edit", Revision(text="third"), by=LI)], on_error="skip")
        assert_type(outcomes, Iterator[Outcome])
        for outcome in outcomes:
            assert_type(outcome.record, Record | None)
        return edited


async def use_reports_asynchronously() -> Report:
    """The asynchronous flow gives the same types, awaited."""
    async with await open_async_flow("memory:") as flow:
        assert_type(flow, AsyncReportFlow)
        report = await flow.create(draft(), by=LI)
        assert_type(report, Report)
        edited = await flow.fire(report, "edit", Revision(text="edited"), by=LI)
        assert_type(edited, Report)
        assert_type(await flow.fire(report.id, "edit", Revision(text="again"), by=LI, type=Report), Report)
        assert_type(await flow.get(report.id, by=LI), Record)
        assert_type(await flow.get(report.id, by=LI, type=Report), Report)
        page = await flow.find(Query(kind="report"), by=LI, type=Report)
        assert_type(page, Page[Report])
        assert_type([one.text for one in page], list[str])
        assert_type(await flow.as_of(report.id, by=LI, version=1, type=Report), Report)
        assert_type(await flow.by_key("k", by=LI), KeyUse | None)
        assert_type(await flow.history(report.id, by=LI), list[Entry])
        assert_type(await flow.feed(by=LI), list[FeedItem])
        async for record, entries in flow.histories(Query(), by=LI):
            assert_type((record, entries), tuple[Record, list[Entry]])
        assert_type(await flow.options(report, by=LI), tuple[Option, ...])
        assert_type(await flow.batch([Create(draft(), by=LI)]), list[Record])
        async for outcome in flow.run([Fire(report.id, "edit", Revision(text="third"), by=LI)]):
            assert_type(outcome, Outcome)
        return edited


def use_parcels() -> tuple[WeighedParcel, list[str]]:
    """A lifecycle of the user's own, and the refusals of an error."""
    with ReportFlow(MemoryStore(), PARCELS) as flow:
        parcel = flow.create(WeighedParcel.draft(), by=CLERK)
        assert_type(parcel, WeighedParcel)
        weighed = flow.fire(parcel, "weigh", Weighing(grams=900), by=CLERK)
        assert_type(weighed, WeighedParcel)
        assert_type(weighed.grams, int)
        try:
            flow.fire(weighed, "weigh", Weighing(grams=90_000), by=CLERK)
        except TransitionRefused as refused:
            assert_type(refused.refusals, tuple[Refusal, ...])
            codes = [refusal.code for refusal in refused.refusals]
            assert_type(codes, list[str])
            assert_type(refused.message("zh"), str)
            return weighed, codes
    return weighed, []
