"""A report as it really was, by the times at which things happened, as far as that was known at another time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import Actor, InvalidValue, MemoryStore, RecordNotFound, ReportFlow, StaleRecord, replay
from reportflow.office import Adoption, Author, Classification, Comment, Report, Retraction, Revision
from tests.lifecycles import OPEN_REPORT
from tests.office.test_report import CHEN, LI, START, WANG, Clock, details_for, draft

DAY = timedelta(days=1)
FACTS = {"instruct": "instructed", "adopt": "adopted", "forward": "forwarded"}


def reviewed(flow: ReportFlow) -> Report:
    """A report that was reviewed within the first day."""
    report = flow.create(draft(), by=LI)
    report = flow.fire(report, "edit", details_for("edit"), by=LI)
    return flow.fire(report, "review", by=WANG)


@given(data=st.data())
def test_what_stood_at_a_time_as_far_as_it_was_known_at_another(data: st.DataObject) -> None:
    """The facts that stood are those that had happened, were entered and were not taken back by then.

    And the state is what they make of the report, in whatever order they were entered.
    """
    clock = Clock()
    flow = ReportFlow(MemoryStore(), OPEN_REPORT, clock=clock)
    report = reviewed(flow)
    #: Sequence -> what was done, at which day, entered at which day, and taken back at which.
    facts: dict[int, tuple[str, int, int, int]] = {}
    days = data.draw(st.integers(1, 6))
    for day in range(1, days + 1):
        clock.now = START + day * DAY
        trigger = data.draw(st.sampled_from([*FACTS, "retract"]))
        if trigger == "retract" and report.facts:
            gone = data.draw(st.sampled_from([fact.sequence for fact in report.facts]))
            report = flow.fire(report, "retract", Retraction(sequence=gone), by=CHEN, reason="wrong")
            facts[gone] = (*facts[gone][:3], day)
        elif trigger != "retract" and OPEN_REPORT.row(report.state, trigger):
            happened = data.draw(st.integers(1, day))
            at = START + happened * DAY
            report = flow.fire(report, trigger, details_for(trigger), by=CHEN, at=at)
            facts[report.version] = (trigger, happened, day, days + 1)
    for happened in range(1, days + 1):
        for known in (*range(1, days + 1), None):
            time = None if known is None else START + known * DAY + DAY / 2
            then = flow.as_of(report.id, by=CHEN, time=time, happened=START + happened * DAY + DAY / 2, type=Report)
            by = days if known is None else known
            stood = {
                sequence: trigger
                for sequence, (trigger, at, entered, back) in facts.items()
                if at <= happened and entered <= by < back
            }
            assert {fact.sequence: fact.trigger for fact in then.facts} == stood
            assert then.state == next((state for fact, state in FACTS.items() if fact in stood.values()), "reviewed")
            assert then.head == ""


def test_in_the_order_of_the_entries_it_is_what_was_stored() -> None:
    """Where nothing was entered late or taken back, both times give the record of then, but for its head."""
    clock = Clock()
    flow = ReportFlow(MemoryStore(), OPEN_REPORT, clock=clock)
    report = reviewed(flow)
    report = flow.fire(report, "forward", details_for("forward"), by=CHEN)
    history = flow.history(report.id, by=CHEN)
    for number, entry in enumerate(history, 1):
        stored = replay(history[:number], OPEN_REPORT)
        then = flow.as_of(report.id, by=CHEN, happened=entry.at)
        assert then == attrs.evolve(stored, head="")
        assert flow.as_of(report.id, by=CHEN, time=entry.recorded_at) == stored


def test_what_was_never_stored_is_taken_by_no_act() -> None:
    """No act takes what `as_of(happened=)` gave, a comment neither, though it commutes."""
    flow = ReportFlow(MemoryStore(), OPEN_REPORT, clock=Clock())
    report = reviewed(flow)
    assert report.updated_at is not None
    then = flow.as_of(report.id, by=LI, happened=report.updated_at)
    for trigger, details in (("edit", Revision(text="new")), ("comment", Comment(text="x"))):
        with pytest.raises(StaleRecord):
            flow.fire(then, trigger, details, by=LI)
    assert flow.get(report.id, by=LI) == report


def test_what_was_said_while_it_was_secret_stays_secret() -> None:
    """A late text that was entered while the report was secret is not shown as if it had come before that."""
    clock = Clock()
    flow = ReportFlow(MemoryStore(), OPEN_REPORT, clock=clock)
    high = Actor(id="high", roles={"editor"}, unit="yulin", clearance="secret")
    report = flow.create(draft(text="open"), by=LI)
    clock.now = START + 5 * DAY
    flow.fire(report.id, "classify", Classification(secrecy="secret"), by=high)
    flow.fire(report.id, "edit", Revision(text="hidden"), by=high, at=START + 3 * DAY)
    flow.fire(report.id, "edit", Revision(text="for all"), by=high)
    last = flow.fire(report.id, "classify", Classification(secrecy="internal"), by=high)
    assert last.updated_at is not None
    when = START + 4 * DAY
    assert flow.as_of(report.id, by=high, happened=when, type=Report).text == "hidden"
    with pytest.raises(RecordNotFound):
        flow.as_of(report.id, by=LI, happened=when)
    assert flow.as_of(report.id, by=LI, happened=last.updated_at, type=Report).text == "for all"
    assert flow.as_of(report.id, by=LI, happened=START + 2 * DAY, type=Report).text == "open"


def test_what_is_no_time_of_the_record_is_refused() -> None:
    """Before its creation there was no record, in either time; a version has no times beside it."""
    clock = Clock()
    flow = ReportFlow(MemoryStore(), OPEN_REPORT, clock=clock)
    clock.now = START + 10 * DAY
    report = flow.create(Report.draft(title="t", text="x", authors=[Author(name="a")]), by=LI, at=START + 5 * DAY)
    flow.fire(report, "edit", Revision(text="y"), by=LI)
    assert flow.as_of(report.id, by=LI, happened=START + 5 * DAY).state == "draft"
    early = START + 4 * DAY
    for times, field, problem in (
        ({"happened": early}, "happened", "no_such_time"),
        ({"happened": START + 20 * DAY, "time": START + 6 * DAY}, "time", "no_such_time"),
        ({"happened": datetime(2022, 1, 20)}, "happened", "naive"),
        ({"happened": START + 20 * DAY, "version": 1}, "as_of", "version_or_time"),
        ({}, "as_of", "version_or_time"),
    ):
        with pytest.raises(InvalidValue) as raised:
            flow.as_of(report.id, by=LI, **times)
        assert (raised.value.field, raised.value.problem) == (field, problem)
        for language in ("en", "zh"):
            assert raised.value.message(language)


def test_a_late_act_goes_from_the_state_of_then() -> None:
    """A forwarding that was entered after the adoption, but came before it, made the report forwarded at the time."""
    clock = Clock()
    flow = ReportFlow(MemoryStore(), OPEN_REPORT, clock=clock)
    report = reviewed(flow)
    clock.now = START + 9 * DAY
    report = flow.fire(report, "adopt", Adoption(body="省政协", level="province"), by=CHEN)
    flow.fire(report, "forward", details_for("forward"), by=CHEN, at=START + 3 * DAY)
    now = datetime(2022, 2, 1, tzinfo=UTC)
    for happened, state in ((START + DAY, "reviewed"), (START + 4 * DAY, "forwarded"), (now, "adopted")):
        assert flow.as_of(report.id, by=CHEN, happened=happened).state == state
