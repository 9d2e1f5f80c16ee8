"""Time zones: days, months and years are those of the zone that is given, or of the machine."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    STANDARD,
    Actor,
    AsyncReportFlow,
    Interval,
    InvalidValue,
    MemoryStore,
    ReportFlow,
    SqlStore,
    open_async_flow,
    open_flow,
)
from reportflow.model.zones import MachineZone, zone_of
from reportflow.office import REPORT, Author, Report
from reportflow.office.figures import figures, instructions

ZONES: list[tzinfo | str] = [
    UTC,
    timezone(timedelta(hours=-9, minutes=-30)),
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/Sao_Paulo",
    ZoneInfo("Asia/Kathmandu"),
]
TIMES = st.datetimes(datetime(1980, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))


@given(when=TIMES, zone=st.sampled_from(ZONES))
def test_a_time_is_in_the_day_month_and_year_of_its_zone(when: datetime, zone: tzinfo | str) -> None:
    """A time is in those that a clock of the zone shows, and not in those beside them."""
    shown = when.astimezone(zone_of(zone))
    day = shown.date()
    assert when in Interval.day(day, zone)
    assert when in Interval.month(day.year, day.month, zone)
    assert when in Interval.year(day.year, zone)
    for beside in (day - timedelta(days=1), day + timedelta(days=1)):
        assert when not in Interval.day(beside, zone)
        assert (when in Interval.month(beside.year, beside.month, zone)) == (beside.month == day.month)
    assert Interval.day(day, zone).end == Interval.day(day + timedelta(days=1), zone).start
    assert Interval.month(day.year, 12, zone).end == Interval.year(day.year, zone).end


@pytest.fixture(scope="module", params=["Europe/Berlin", "Asia/Shanghai", "America/New_York"])
def machine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The machine is somewhere else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


@given(when=TIMES | st.datetimes(datetime(2022, 10, 29), datetime(2022, 11, 7), timezones=st.just(UTC)))
def test_the_zone_of_the_machine_is_that_of_its_name(machine: str, when: datetime) -> None:
    """It shows each time as the zone of that name does, with the hour that a turned clock shows twice."""
    shown, expected = when.astimezone(MachineZone()), when.astimezone(ZoneInfo(machine))
    assert (shown.replace(tzinfo=None), shown.fold) == (expected.replace(tzinfo=None), expected.fold)
    assert shown.utcoffset() == expected.utcoffset()
    assert shown.astimezone(UTC) == when
    assert Interval.day(shown.date()) == Interval.day(shown.date(), machine)
    assert Interval.year(shown.year) == Interval.year(shown.year, ZoneInfo(machine))


def test_the_zone_of_the_machine_is_a_value() -> None:
    """It is equal to itself, out of a pickle too, and has a name and an offset now."""
    zone = MachineZone()
    assert zone == pickle.loads(pickle.dumps(zone)) == zone_of(None)
    assert hash(zone) == hash(MachineZone())
    assert datetime.now(zone).utcoffset() == datetime.now().astimezone().utcoffset() == zone.utcoffset(None)
    assert zone.tzname(None) == datetime.now().astimezone().tzname()
    assert zone != UTC


@pytest.mark.parametrize("given_zone", ["", "Mars/Base", "../etc/passwd", "Europe", 8, b"UTC"])
def test_what_is_no_zone_is_refused(given_zone: object) -> None:
    """A name that the machine does not know, and what is neither a name nor a zone, is refused by each call."""
    for call in (
        lambda: zone_of(given_zone),  # type: ignore[arg-type]  # bad input
        lambda: Interval.year(2022, given_zone),  # type: ignore[arg-type]  # bad input
        lambda: ReportFlow(MemoryStore(), REPORT, zone=given_zone),  # type: ignore[arg-type]  # bad input
        lambda: open_flow("memory:", zone=given_zone),  # type: ignore[arg-type]  # bad input
    ):
        with pytest.raises(InvalidValue) as raised:
            call()
        assert raised.value.field == "zone"
        for language in ("en", "zh"):
            assert raised.value.message(language)


@pytest.mark.parametrize(
    "call",
    [
        lambda: Interval.month(2022, 0),
        lambda: Interval.month(2022, 13),
        lambda: Interval.month(2022, "1"),  # type: ignore[arg-type]  # bad input
        lambda: Interval.year("2022"),  # type: ignore[arg-type]  # bad input
        lambda: Interval.day(datetime(2022, 1, 1)),
        lambda: Interval.day("2022-01-01"),  # type: ignore[arg-type]  # bad input
        lambda: Interval.day(date(9999, 12, 31)),
    ],
)
def test_what_is_no_day_month_or_year_is_refused(call: object) -> None:
    """A month that no calendar has, or what is no date, is refused."""
    with pytest.raises(InvalidValue):
        call()  # type: ignore[operator]  # bad input


@pytest.mark.parametrize(("zone", "counted"), [("Asia/Shanghai", 1), ("UTC", 0), ("America/New_York", 0)])
def test_a_year_of_the_figures_is_one_of_the_flow(zone: str, counted: int) -> None:
    """Figures of a year are of the year in the flow's zone: this report came at five in the evening, or at one."""
    li = Actor(id="li", roles={"editor"}, unit="here")
    new_year = datetime(2021, 12, 31, 17, tzinfo=UTC)
    with ReportFlow(MemoryStore(), REPORT, clock=lambda: new_year, zone=zone) as flow:
        flow.create(Report.draft(title="t", text="x", authors=[Author(name="a")]), by=li)
        assert figures(flow, by=li, interval=2022).collected == counted
        assert figures(flow, by=li, interval=2021).collected == 1 - counted
        assert figures(flow, by=li, interval=Interval.year(2022, flow.zone)) == figures(flow, by=li, interval=2022)
        assert instructions(flow, by=li, interval=2022) == (0, 0)


def test_the_times_in_an_error_are_of_the_zone_of_the_flow() -> None:
    """A refusal shows the times that it is about as the office's clock does, whatever zone they were given in."""
    li = Actor(id="li", roles={"editor"}, unit="here")
    now = datetime(2022, 1, 1, 20, tzinfo=UTC)
    draft = Report.draft(title="t", text="x", authors=[Author(name="a")])
    for zone, shown in (("Asia/Shanghai", "2022-01-02 05:00:00+08:00"), (UTC, "2022-01-01 21:00:00+00:00")):
        flow = ReportFlow(MemoryStore(), REPORT, clock=lambda: now, zone=zone)
        with pytest.raises(InvalidValue) as raised:
            flow.create(draft, by=li, at=now + timedelta(hours=1))
        assert shown in str(raised.value)
    edge = InvalidValue("at", "in_future", {"given": datetime(1, 1, 1, tzinfo=UTC), "now": now})
    edge.use(STANDARD, ZoneInfo("America/New_York"))
    assert "0001-01-01" in str(edge)


def test_a_flow_has_the_zone_of_the_machine_unless_given() -> None:
    """All flows have a zone; one that is bound to a host's transaction has that of its flow."""
    assert open_flow("memory:").zone == MachineZone()
    assert ReportFlow(MemoryStore(), REPORT, zone=UTC).zone is UTC
    found: AsyncReportFlow = open_async_flow("memory:", zone="Asia/Shanghai")
    assert found.zone == ZoneInfo("Asia/Shanghai")
    store = SqlStore("sqlite://")
    with ReportFlow(store, REPORT, zone="Asia/Shanghai") as flow, store.engine.connect() as connection:
        assert flow.bound_to(connection).zone == flow.zone
