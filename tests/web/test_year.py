"""The pages of the year and of the lifecycle: their numbers, where they lead, and who sees what."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportflow import Actor, AsyncReportFlow, Interval, MemoryStore, ReportFlow, SqlStore, open_async_flow
from reportflow.office import REPORT
from reportflow.office.figures import MEASURES, YEARLY, figures, yearly
from reportflow.office.measures import Breakdown, Measure, Yearly
from reportflow.web import counting, portal
from reportflow.web.querying import query_of
from tests.web.client import Client
from tests.web.offices_of_the_year import (
    ALL,
    ASKER,
    CLEARED,
    CLERK,
    ELSEWHERE,
    NOW,
    QUESTION,
    ZONE,
    Answered,
    Question,
    StoppedClock,
    portal_of,
    report,
    statements,
)


@pytest.fixture(autouse=True)
def fixture_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages are looked at on one day."""
    monkeypatch.setattr("reportflow.web.site.now", lambda: NOW)


@pytest.fixture(name="flow", params=["memory", "sqlite"])
def fixture_flow(request: pytest.FixtureRequest) -> Iterator[ReportFlow]:
    """A flow of reports and questions on each kind of store, whose clock stands in 2026."""
    store = MemoryStore() if request.param == "memory" else SqlStore("sqlite:///:memory:")
    with ReportFlow(store, [REPORT, QUESTION], clock=StoppedClock(), zone=ZONE) as made:
        yield made


def text_of(html: str) -> str:
    """The text of a page, without its blanks."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html.partition("<main")[2])))


def found_by(flow: ReportFlow, location: str, actor: Actor) -> int:
    """How many records a list has, by its address."""
    query = query_of(parse_qs(urlsplit(location).query), flow.zone)
    return len(flow.find(query, by=actor))


def play(flow: ReportFlow) -> None:
    """Some reports of 2022, and one of 2021."""
    report(flow, acts="aIi", source="member", topics=["housing", "culture"])
    report(flow, month=4, acts="afp", source="party", topics=["education"])
    report(flow, month=4, acts="f", source="member")
    report(flow, month=12)
    report(flow, 2021, 5, acts="a")


# -- the figures -------------------------------------------------------------------------------------------------------


def test_the_year_shows_the_figures_with_shares_and_the_year_before(flow: ReportFlow) -> None:
    """Each figure of the circular stands with its share, its acts, and how it has changed."""
    play(flow)
    with Client(portal_of(flow, ALL)) as client:
        text = text_of(client.get("/year/2022").text)

    counted = figures(flow, by=ALL, interval=2022)
    assert (counted.collected, counted.issued, counted.instructed) == (4, 2, 1)
    assert "Collected 4" in text
    assert "Issued in the office's own serial 2 50% of collected" in text
    assert "Instructed on by leaders 1 25% of collected 2 instructions 1 of these by principal leaders" in text
    assert "In all: 4 collected, 2 issued in the office's own serial" in text
    assert "Collected 4 1 +300%" in text
    assert "Adopted above 1 50% 0 none before" in text
    assert "Taken up by a department 0 0% 0 unchanged" in text


def test_the_year_speaks_as_the_office_writes(flow: ReportFlow) -> None:
    """The Chinese page is in the order and words of the circular, with 件次 beside 条."""
    play(flow)
    with Client(portal_of(flow, ALL), language="zh") as client:
        text = text_of(client.get("/year/2022").text).replace(" ", "")

    assert "全年情况：收集4条、编发2条、报送上级2条、上级采用1条、领导批示1条（批示2件次、其中主要领导1件次）" in text
    assert "截至" in text
    assert "增长300%" in text


@pytest.mark.parametrize("name", [one.name for one in MEASURES])
def test_each_figure_leads_to_its_records(flow: ReportFlow, name: str) -> None:
    """The address of a figure leads to the list of exactly what it counts."""
    play(flow)
    measure = YEARLY.measure(name)
    assert measure is not None
    with Client(portal_of(flow, ALL)) as client:
        led = client.get(f"/year/2022/{name}", follow=False)

    assert led.status_code == 303
    assert found_by(flow, led.headers["location"], ALL) == len(
        flow.find(measure.query(Interval.year(2022, ZONE)), by=ALL)
    )


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from((2021, 2022)),
            st.integers(1, 12),
            st.text(st.sampled_from("apfiI"), max_size=4),
            st.sampled_from(("member", "party")),
            st.lists(st.sampled_from(("housing", "culture", "a&b=c~d")), max_size=2, unique=True),
        ),
        max_size=6,
    )
)
def test_every_number_is_that_of_the_list_behind_it(years: list[tuple[int, int, str, str, list[str]]]) -> None:
    """In each view, each linked number is the number of records in the list that it leads to."""
    with ReportFlow(MemoryStore(), REPORT, clock=StoppedClock(), zone=ZONE) as flow:
        for year, month, acts, source, topics in years:
            report(flow, year, month, acts=acts, source=source, topics=topics)
        with Client(portal_of(flow, ALL)) as client:
            for view in ("figures", "parts", "months"):
                page = client.get(f"/year/2022?view={view}").text
                links = re.findall(r'<a href="([^"]*)">(\d+)</a>', page.partition("<main")[2])
                for address, number in links:
                    address = address.replace("&amp;", "&")
                    if not address.startswith("/find"):
                        address = client.get(address, follow=False).headers["location"]
                    assert found_by(flow, address, ALL) == int(number)


def test_what_was_entered_later_is_named() -> None:
    """What happened in the year and was entered after it is named, by act; a year that was, is said to be."""
    clock = StoppedClock(datetime(2022, 12, 30, 12, tzinfo=ZONE))
    with ReportFlow(MemoryStore(), REPORT, clock=clock, zone=ZONE) as flow:
        for _ in range(2):
            report(flow, acts="a")
        clock.now = datetime(2023, 2, 1, 12, tzinfo=ZONE)
        late = report(flow, 2022, 12, acts="i")
        with Client(portal_of(flow, ALL)) as client:
            page = client.get("/year/2022").text
            assert "Entered after the year's end: 1 create 1 record an instruction" in text_of(page)
            (address,) = re.findall(r'<a href="(/find[^"]*)">1 record an instruction', page)
            query = query_of(parse_qs(urlsplit(address.replace("&amp;", "&")).query), flow.zone)
            assert [one.id for one in flow.find(query, by=ALL)] == [late.id]
    with ReportFlow(MemoryStore(), REPORT, clock=clock, zone=ZONE) as flow:
        report(flow)
        with Client(portal_of(flow, ALL)) as client:
            assert "The whole year was entered only after its end." in client.get("/year/2022").text


def test_a_running_year_is_compared_with_the_same_period(flow: ReportFlow) -> None:
    """The year before ends on the same day, where the year is not over; 29 February has its day in any year."""
    now = datetime(2024, 2, 29, 12, tzinfo=ZONE)

    assert counting.year_before(2024, now, ZONE) == Interval(
        Interval.year(2023, ZONE).start, datetime(2023, 3, 1, tzinfo=ZONE)
    )
    assert counting.year_before(2023, now, ZONE) == Interval.year(2022, ZONE)
    assert [len(counting.months_of(year, now, ZONE)) for year in (2023, 2024, 2025)] == [12, 2, 0]


def test_the_running_year_says_what_it_is_compared_with(flow: ReportFlow) -> None:
    """The page of the running year compares with the same period, and looks for nothing entered later."""
    report(flow, NOW.year, 2)
    report(flow, NOW.year - 1, 4)
    report(flow, NOW.year - 1, 6)
    with Client(portal_of(flow, ALL)) as client:
        text = text_of(client.get("/year").text)
    assert "As of 4 May 2026" in text
    assert "Same period of the year before" in text
    assert "Compared with the same period" in text
    assert "Collected 1 1 unchanged" in text
    assert "By 4 May 2026: 1 collected" in text


def test_a_year_without_data_leads_to_those_with_some(flow: ReportFlow) -> None:
    """A year of nothing says so and names the first and the last year with records; `/year` is the last."""
    play(flow)
    with Client(portal_of(flow, ALL)) as client:
        page = client.get("/year/2019")
        assert "No data for 2019" in page.text
        assert 'href="/year/2022"' in page.text
        assert 'href="/year/2021"' in page.text
        assert client.get("/year").url.path == "/year/2022"
        assert "There is nothing to show here" in client.get("/year/2019?view=parts").text
        assert client.get("/year/2").status_code == 200
    with Client(portal_of(flow, ELSEWHERE)) as client:
        assert client.get("/year").url.path != "/year/2022"


# -- parts and months --------------------------------------------------------------------------------------------------


def test_the_parts_lead_to_their_records(flow: ReportFlow) -> None:
    """Sources and fields stand with their shares, and each leads to exactly its records; those without one, too."""
    play(flow)
    with Client(portal_of(flow, ALL)) as client:
        page = client.get("/year/2022?view=parts").text
        text = text_of(page)
        assert "member 3 75%" in text
        assert "housing 1 25%" in text
        assert "(not given) 2 50%" in text
        assert "A record may count under several of these." in text
        links = re.findall(r'<a href="(/year/2022/[^"]*)">(\d+)</a>', page)
        assert len(links) >= 5
        for address, number in links:
            led = client.get(address.replace("&amp;", "&"), follow=False)
            assert found_by(flow, led.headers["location"], ALL) == int(number)


def test_many_values_are_cut(flow: ReportFlow) -> None:
    """The largest values are shown, and how many more there are."""
    for place in range(counting.SHOWN + 3):
        report(flow, topics=[f"topic {place}"])
    with Client(portal_of(flow, ALL)) as client:
        assert "and 3 more" in client.get("/year/2022?view=parts").text


def test_the_months_are_drawn_and_listed(flow: ReportFlow) -> None:
    """A chart of what came in and what was issued, month by month, with its table beside."""
    play(flow)
    with Client(portal_of(flow, ALL)) as client:
        page = client.get("/year/2022?view=months").text
        assert "2022 by month: collected, issued in the office&#39;s own serial" in page
        assert "Mar 1 1 Apr 2 1 May 0 0" in text_of(page)
        assert "There is nothing to draw by month." in client.get("/year/9000?view=months").text


# -- own lifecycles ----------------------------------------------------------------------------------------------------


def questions(flow: ReportFlow) -> None:
    """Two questions of 2022: one reminded of twice, one answered twice and differently."""
    at = datetime(2022, 6, 1, 12, tzinfo=ZONE)
    first = flow.create(Question.draft(title="Dark lamps"), by=ASKER, at=at)
    second = flow.create(Question.draft(title="Wet roof"), by=ASKER, at=at)
    for _ in range(2):
        flow.fire(first.id, "remind", by=ASKER, at=at)
    for way in ("letter", "telephone"):
        flow.fire(second.id, "answer", Answered(way=way), by=CLERK, at=at)


def test_an_own_lifecycle_is_counted_by_act_and_state(flow: ReportFlow) -> None:
    """A table that nothing was declared for has its year: records and acts of each trigger, and the states."""
    questions(flow)
    with Client(portal_of(flow, CLERK)) as client:
        text = text_of(client.get("/year/2022").text)
        assert "Ask (2 acts) 2" in text
        assert "Answer (2 acts) 1" in text
        assert "Remind (2 acts) 1" in text
        assert "Drop 0" in text
        page = client.get("/year/2022?view=parts").text
        assert "By state" in page
        assert "answered 1 50%" in text_of(page)
        for address, number in re.findall(r'<a href="(/year/2022/[^"]*)">(\d+)</a>', page):
            led = client.get(address.replace("&amp;", "&"), follow=False)
            assert found_by(flow, led.headers["location"], CLERK) == int(number)
        assert found_by(flow, client.get("/year/2022/remind", follow=False).headers["location"], CLERK) == 1
        assert "Jun 2" in text_of(client.get("/year/2022?view=months").text)
    with Client(portal_of(flow, CLERK), language="zh") as client:
        assert "已答复" in client.get("/year/2022?view=parts").text


def test_a_host_declares_figures_of_its_own(flow: ReportFlow) -> None:
    """`figures=` of a portal says what is counted, of the own kind and of the office's own level."""
    questions(flow)
    report(flow, acts="a")
    declared = {
        "question": [Measure(name="by_letter", kind="question", trigger="answer", code="letter", circular=True)],
        "report": yearly(level="county"),
    }
    both = Actor(id="both", name="Both", roles={*REPORT.roles, "clerk"}, unit="u")
    with Client(portal_of(flow, both, figures=declared)) as client:
        page = client.get("/year/2022?kind=question").text
        assert "Answered by letter 1" in text_of(page)
        assert 'href="/year/2022/by_letter?kind=question"' in page
        assert 'href="/year/2022"' in page
        assert "Issued in the office's own serial 0" in text_of(client.get("/year/2022").text)
        assert client.get("/year/2022/by_letter?kind=question", follow=False).status_code == 303
        assert client.get("/year/2022/by_letter").status_code == 404


def test_a_breakdown_by_a_mark_of_any_act_leads_to_its_records(flow: ReportFlow) -> None:
    """What a host breaks down by a mark, of all acts, leads to the records of each value, or of none."""
    questions(flow)
    anything = Measure(name="any", kind="question")
    declared = {
        "question": Yearly(measures=[anything], breakdowns=[Breakdown(name="way", measure=anything, group="code")])
    }
    with Client(portal_of(flow, CLERK, figures=declared)) as client:
        page = client.get("/year/2022?view=parts").text
        links = re.findall(r'<a href="(/year/2022/[^"]*)">(\d+)</a>', page)
        assert [number for _, number in links] == ["2", "1", "1"]
        for address, number in links:
            led = client.get(address.replace("&amp;", "&"), follow=False)
            assert found_by(flow, led.headers["location"], CLERK) == int(number)


# -- who sees what -----------------------------------------------------------------------------------------------------


def test_what_is_hidden_changes_nothing() -> None:
    """Records of another unit, or above one's clearance, change no byte of one's pages of the year."""
    pages = []
    for hidden in (False, True):
        with ReportFlow(MemoryStore(), REPORT, clock=StoppedClock(), zone=ZONE) as flow:
            play(flow)
            if hidden:
                for year in (2018, 2021, 2022):
                    report(flow, year, by=ELSEWHERE, topics=["secret matter"], acts="")
                    report(flow, year, by=CLEARED, secrecy="confidential", topics=["secret matter"])
            with Client(portal_of(flow, ALL)) as client:
                addresses = ["/year", "/year/2018", "/year/2022?view=parts", "/year/2022?view=months", "/year/2022"]
                pages.append([re.sub(r'value="[^"]*"', "", client.get(one).text) for one in addresses])
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    "address",
    ["/year/abc", "/year/0", "/year/1", "/year/02022", "/year/9999", "/year/２０２２", "/year/2022?kind=question",
     "/year/2022?kind=nothing", "/year/2022?view=nothing", "/year/2022/nothing", "/year/2022/collected?by=nothing",
     "/year/2022/issued?by=source&value=member", "/lifecycle/question", "/lifecycle/nothing"],
)  # fmt: skip
def test_what_there_is_not_is_not_found(flow: ReportFlow, address: str) -> None:
    """No year, kind, view, figure or part that there is not; and a kind that one sees nothing of is none."""
    with Client(portal_of(flow, ALL)) as client:
        assert client.get(address).status_code == 404


def test_without_any_role_there_is_no_year(flow: ReportFlow) -> None:
    """A person without a role of any kind has neither year nor lifecycle."""
    with Client(portal_of(flow, Actor(id="nobody", name="N"))) as client:
        assert client.get("/year").status_code == 404
        assert client.get("/year/2022").status_code == 404
        assert "There is no procedure that concerns you." in client.get("/lifecycle").text


def test_a_page_takes_at_most_twelve_statements() -> None:
    """Each view of the year, of the standard and of an own lifecycle, and the lifecycle, on an SQL store."""
    store = SqlStore("sqlite:///:memory:")
    with ReportFlow(store, [REPORT, QUESTION], clock=StoppedClock(), zone=ZONE) as flow:
        play(flow)
        questions(flow)
        both = Actor(id="both", name="Both", roles={*REPORT.roles, "clerk"}, unit="u")
        with Client(portal_of(flow, both)) as client:
            client.get("/year/2022")
            for kind in ("report", "question"):
                for address in (
                    f"/year/2022?kind={kind}",
                    f"/year/2022?kind={kind}&view=parts",
                    f"/year/2022?kind={kind}&view=months",
                    f"/year/1990?kind={kind}",
                    f"/lifecycle/{kind}?state=open",
                ):
                    with statements(store.engine) as seen:
                        assert client.get(address).status_code == 200
                    assert len(seen) <= 12, address


# -- the lifecycle -----------------------------------------------------------------------------------------------------


def test_the_lifecycle_is_said_in_words(flow: ReportFlow) -> None:
    """Drawing, states, rows with what they need, and roles with how far they reach, in both languages."""
    with Client(portal_of(flow, ALL)) as client:
        page = client.get("/lifecycle?x=1")
        assert page.url.path == "/lifecycle/report"
        text = text_of(page.text)
        assert '<svg class="diagram"' in page.text
        assert "any but merged" in text
        assert "any state" in text
        assert "condition: not its last editor" in text
        assert "▶" not in text
        marked = text_of(client.get("/lifecycle/report?state=returned").text)
        assert "▶ now here" in marked
        assert "revise → submitted" in marked
    with Client(portal_of(flow, ALL), language="zh") as client:
        text = text_of(client.get("/lifecycle/report?state=edited").text)
        assert "前置条件：不得为编辑人本人" in text
        assert "除已并入外" in text
        assert "待审核人办理" in text
        assert "本单位的，可查看全部内容" in text
        assert "系统自动" in text


def test_an_own_lifecycle_is_said_in_words(flow: ReportFlow) -> None:
    """A table of forty lines has its page; who sees several kinds chooses one."""
    with Client(portal_of(flow, CLERK)) as client:
        text = text_of(client.get("/lifecycle").text)
        assert "Answer open, answered answered clerk way (optional), note (optional)" in text
        assert "Drop open dropped clerk a reason" in text
        assert "Nothing is done here any more." in text
        assert "Without a change of state: answer." in text
    both = Actor(id="both", name="Both", roles={*REPORT.roles, "clerk"}, unit="u")
    with Client(portal_of(flow, both)) as client:
        page = client.get("/lifecycle")
        assert 'href="/lifecycle/question"' in page.text
        assert 'aria-current="page">Question' in client.get("/lifecycle/question").text


def test_an_asynchronous_flow_has_the_same_pages() -> None:
    """Year and lifecycle are those of an asynchronous flow, too."""

    async def opened() -> AsyncReportFlow:
        flow = await open_async_flow("memory:", lifecycles=[QUESTION], zone=ZONE)
        at = datetime(2022, 6, 1, 12, tzinfo=ZONE)
        await flow.create(Question.draft(title="Dark lamps"), by=ASKER, at=at)
        return flow

    flow = asyncio.run(opened())
    app: Any = portal(flow, authenticate=lambda request: CLERK, secret=b"the key of the tests")
    with Client(app) as client:
        assert "Ask (1 acts) 1" in text_of(client.get("/year").text)
        assert "Jun 1" in text_of(client.get("/year/2022?view=months").text)
        assert "open 1 100%" in text_of(client.get("/year/2022?view=parts").text)
        assert client.get("/lifecycle").status_code == 200
