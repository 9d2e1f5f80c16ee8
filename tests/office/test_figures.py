"""The figures: equal to a naive count over the histories, on every store, and the rules of counting one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportflow import Actor, Entry, Interval, InvalidValue, ReportFlow, ReportflowError, open_flow
from reportflow.i18n.catalog import STANDARD
from reportflow.office import (
    REPORT,
    Adoption,
    Author,
    Comment,
    Forwarding,
    Instruction,
    Level,
    Merge,
    Rejection,
    Report,
    Revision,
    Source,
    Uptake,
)
from reportflow.office.figures import (
    DECLARED,
    DENOMINATORS,
    LIVELIHOOD,
    MEASURES,
    NAMES,
    YEARLY,
    Figures,
    figures,
    instructions,
    yearly,
)
from reportflow.office.measures import Breakdown, Measure, Yearly, months, plan
from reportflow.serialization import plain as serialization

ZONE = timezone(timedelta(hours=8))
ALL = Actor(id="all", roles=REPORT.roles, unit="u")
OTHER = Actor(id="other", roles=REPORT.roles, unit="u")
BODIES = ("own", "another", "province's")
TOPICS = ("education", "housing", "industry", "culture")


def when(days: int) -> datetime:
    """A day, counted from the end of 2021."""
    return datetime(2021, 12, 30, 12, tzinfo=ZONE) + timedelta(days=days)


def create(
    flow: ReportFlow, at: datetime, topics: tuple[str, ...] = (), source: Source = Source.MEMBER, unit: str = "u"
) -> Report:
    """A report of a unit, by its editor."""
    draft = Report.draft(title="t", text="t", authors=[Author(name="a")], topics=topics, source=source)
    return flow.create(draft, by=Actor(id=f"editor of {unit}", roles="editor", unit=unit), at=at)


def reviewed(flow: ReportFlow, at: datetime) -> str:
    """A report that may leave the office."""
    report = create(flow, at)
    flow.fire(report.id, "edit", Revision(text="e"), by=ALL, at=at)
    flow.fire(report.id, "review", by=OTHER, at=at)
    return report.id


LEVELS = st.sampled_from(Level)
ACTS: dict[str, st.SearchStrategy[object]] = {
    "edit": st.builds(Revision, text=st.just("e")),
    "review": st.none(),
    "return": st.none(),
    "revise": st.builds(Revision, text=st.just("r")),
    "adopt": st.builds(Adoption, body=st.sampled_from(BODIES), level=LEVELS),
    "forward": st.builds(Forwarding, to=st.just("x"), level=LEVELS, upward=st.booleans()),
    "instruct": st.builds(Instruction, leader=st.just("x"), level=LEVELS, principal=st.booleans()),
    "absorb": st.builds(Uptake, department=st.just("x")),
    "keep": st.none(),
    "reject": st.builds(Rejection, code=st.sampled_from(("upward", "member", "a"))),
    "withdraw": st.none(),
    "reopen": st.none(),
    "merge": st.just("merge"),
    "comment": st.builds(Comment, text=st.just("c")),
}
# A path that leaves the office, and then anything: random triggers alone seldom reach that.
FAR = st.lists(st.sampled_from(("adopt", "forward", "instruct", "absorb", "keep")), max_size=4)
PATHS = st.builds(
    lambda start, far, rest: [*start, *far, *rest],
    st.sampled_from(([], ["edit"], ["edit", "review"])),
    FAR,
    st.lists(st.sampled_from(sorted(ACTS)), max_size=4),
)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, tuple[str, ...], Source, list[tuple[str, object, int]]]]:
    """Reports: the day of each, its topics, its source, and what is tried on it on which day."""
    found = []
    for _ in range(draw(st.integers(0, 4))):
        acts = [(trigger, draw(ACTS[trigger]), draw(st.integers(0, 400))) for trigger in draw(PATHS)]
        topics = tuple(draw(st.lists(st.sampled_from(TOPICS), max_size=3, unique=True)))
        found.append((draw(st.integers(0, 400)), topics, draw(st.sampled_from(Source)), acts))
    return found


def play(flow: ReportFlow, script: list[tuple[int, tuple[str, ...], Source, list[tuple[str, object, int]]]]) -> None:
    """Try it all; refusals are ignored."""
    first = create(flow, when(0))
    for day, topics, source, acts in script:
        report = create(flow, when(day), topics, source)
        for trigger, details, later in acts:
            given = Merge(target=first.id) if details == "merge" else details
            by = OTHER if trigger == "review" else ALL
            try:
                flow.fire(report.id, trigger, given, by=by, reason="r", at=when(day + later))
            except ReportflowError:
                continue


def naive(flow: ReportFlow, interval: Interval, body: str | None, level: Level) -> Figures:
    """The same figures, counted naively from all entries."""
    entries = [item.entry for item in flow.store.feed(None, 10_000) if item.entry.at in interval]

    def number(fits: Callable[[Entry], bool]) -> int:
        return len({entry.record_id for entry in entries if fits(entry)})

    def happened(trigger: str) -> int:
        return number(lambda entry: entry.trigger == trigger)

    def adopted(entry: Entry, levels: list[Level]) -> bool:
        return isinstance(entry.details, Adoption) and entry.details.level in levels

    created = [e.details for e in entries if isinstance(e.details, Report)]
    triggers = {
        "edited": "edit", "reviewed": "review", "returned": "return", "revised": "revise", "kept": "keep",
        "rejected": "reject", "merged": "merge", "withdrawn": "withdraw", "instructed": "instruct",
        "absorbed": "absorb", "collected": "create",
    }  # fmt: skip
    return Figures(
        **{name: happened(trigger) for name, trigger in triggers.items()},
        issued=number(
            lambda e: (
                adopted(e, [level]) and (body is None or (isinstance(e.details, Adoption) and e.details.body == body))
            )
        ),
        adopted=number(lambda e: adopted(e, [one for one in Level if one.rank > level.rank])),
        submitted=number(lambda e: isinstance(e.details, Forwarding) and e.details.upward),
        forwarded=number(lambda e: isinstance(e.details, Forwarding) and not e.details.upward),
        livelihood=sum(bool(set(one.topics) & LIVELIHOOD) for one in created),
        sources={source.value: many for source in Source if (many := sum(one.source is source for one in created))},
    )


@pytest.mark.parametrize("url", ["memory:", "sqlite:///:memory:"])
@settings(max_examples=30)
@given(script=histories(), body=st.sampled_from((None, *BODIES)), level=LEVELS)
def test_figures_equal_a_naive_count_of_the_entries(
    url: str,
    script: list[tuple[int, tuple[str, ...], Source, list[tuple[str, object, int]]]],
    body: str | None,
    level: Level,
) -> None:
    """For any reports and acts, the store's figures are those counted naively from the entries."""
    with open_flow(url) as flow:
        play(flow, script)
        for interval in (Interval.year(2022, ZONE), Interval(), Interval(when(100), when(101))):
            counted = figures(flow, by=ALL, interval=interval, body=body, level=level)

            assert counted == naive(flow, interval, body, level)


@pytest.fixture(name="flow", params=["memory:", "sqlite:///:memory:"])
def fixture_flow(request: pytest.FixtureRequest) -> Iterator[ReportFlow]:
    """An empty flow on each kind of store."""
    with open_flow(request.param) as flow:
        yield flow


def of_2022(flow: ReportFlow, *, body: str | None = None, level: str = "city") -> Figures:
    """The figures of the year 2022."""
    return figures(flow, by=ALL, interval=Interval.year(2022, ZONE), body=body, level=level)


def test_a_report_counts_once_in_a_figure(flow: ReportFlow) -> None:
    """A report that three leaders instructed on is one instructed report."""
    id = reviewed(flow, when(40))
    for leader in ("a", "b", "c"):
        flow.fire(id, "instruct", Instruction(leader=leader, level="city"), by=ALL, at=when(50))

    assert of_2022(flow).instructed == 1


def test_a_late_fact_counts_where_it_happened(flow: ReportFlow) -> None:
    """An entry recorded now with the `at` of another year counts in that year."""
    id = reviewed(flow, when(40))
    flow.fire(id, "adopt", Adoption(body="p", level="province"), by=ALL, at=datetime(2023, 2, 1, tzinfo=UTC))

    assert of_2022(flow).adopted == 0
    assert figures(flow, by=ALL, interval=Interval.year(2023, ZONE)).adopted == 1


def test_a_year_has_a_time_zone(flow: ReportFlow) -> None:
    """New Year's morning in China counts in the new year there, and in the old one by UTC."""
    create(flow, datetime(2022, 1, 1, 7, tzinfo=ZONE))

    assert of_2022(flow).collected == 1
    assert figures(flow, by=ALL, interval=Interval.year(2022, UTC)).collected == 0


def test_issued_is_by_the_named_body_and_at_the_own_level(flow: ReportFlow) -> None:
    """With `body`, another body's adoption at the office's level is no issue; `level` says which level that is."""
    flow.fire(reviewed(flow, when(40)), "adopt", Adoption(body="own", level="city"), by=ALL, at=when(41))
    flow.fire(reviewed(flow, when(40)), "adopt", Adoption(body="another", level="city"), by=ALL, at=when(41))
    flow.fire(reviewed(flow, when(40)), "adopt", Adoption(body="low", level="county"), by=ALL, at=when(41))

    assert (of_2022(flow).issued, of_2022(flow, body="own").issued) == (2, 1)
    assert (of_2022(flow).adopted, of_2022(flow, level="county").adopted) == (0, 2)
    assert of_2022(flow, level="county").issued == 1


def test_figures_count_what_the_actor_may_see(flow: ReportFlow) -> None:
    """Reports of another unit are not in an actor's figures."""
    create(flow, when(40), unit="u")
    create(flow, when(40), unit="elsewhere")

    assert of_2022(flow).collected == 1


def test_an_unknown_level_is_refused(flow: ReportFlow) -> None:
    """An unknown level is `InvalidValue`."""
    with pytest.raises(InvalidValue, match="level"):
        of_2022(flow, level="village")


def test_shares_are_of_the_denominators() -> None:
    """The shares of Yulin's year are the published ones; the share of a figure that is 0 is None."""
    none = Figures(**dict.fromkeys(NAMES, 0), sources={})
    counted = attrs.evolve(none, collected=446, issued=87, submitted=78, adopted=5, livelihood=281)

    shares = {name: f"{counted.share(name):.1%}" for name in ("issued", "submitted", "adopted", "livelihood")}
    assert shares == {"issued": "19.5%", "submitted": "17.5%", "adopted": "6.4%", "livelihood": "63.0%"}
    assert counted.share("collected") is None
    assert counted.share("revised") is None
    assert set(DENOMINATORS) | set(DENOMINATORS.values()) == set(NAMES)


@given(st.integers(0, 9))
def test_figures_go_to_plain_data_and_back(number: int) -> None:
    """Figures go to plain data and back, and `as_dict` is in the order of the fields."""
    counted = Figures(**dict.fromkeys(NAMES, number), sources={"member": number})

    assert serialization.from_json(serialization.to_json(counted), type(counted)) == counted
    assert list(counted.as_dict()) == [*NAMES, "sources"]


@pytest.mark.parametrize("url", ["memory:", "sqlite:///:memory:"])
@settings(max_examples=15)
@given(script=histories(), body=st.sampled_from((None, *BODIES)), level=LEVELS)
def test_each_figure_counts_what_its_query_finds(
    url: str,
    script: list[tuple[int, tuple[str, ...], Source, list[tuple[str, object, int]]]],
    body: str | None,
    level: Level,
) -> None:
    """Each number, and each one of a breakdown, is that of the records or acts that its query finds."""
    with open_flow(url) as flow:
        play(flow, script)
        declared = yearly(level=level, body=body)
        at = Interval.year(2022, ZONE)
        asked = plan(declared.measures, at)
        numbers = asked.read([flow.count(one.query, by=ALL, of=one.of, group=one.group) for one in asked.asks])

        assert list(numbers) == [one.name for one in declared.measures]
        for one in declared.measures:
            if one.unit == "records":
                assert numbers[one.name] == len(flow.find(one.query(at), by=ALL))
        assert (numbers["instructions"], numbers["principal"]) == instructions(flow, by=ALL, interval=2022)
        for parted in declared.breakdowns:
            groups = flow.count(parted.measure.query(at), by=ALL, group=parted.group)
            for (value,), number in groups.items():
                assert value is None or isinstance(value, str)
                assert number == len(flow.find(parted.query(at, value), by=ALL))


@settings(max_examples=15)
@given(script=histories(), body=st.sampled_from((None, *BODIES)))
def test_figures_by_month_are_those_of_each_month(
    script: list[tuple[int, tuple[str, ...], Source, list[tuple[str, object, int]]]], body: str | None
) -> None:
    """The numbers of a chart by month are the figures of each month, from one count a month."""
    with open_flow("memory:") as flow:
        play(flow, script)
        intervals = [Interval.month(2022, month, ZONE) for month in range(1, 13)]
        asked = months(yearly(body=body).measures, intervals, frozenset({"create"}))
        numbers = asked.read([flow.count(one.query, by=ALL, of=one.of, group=one.group) for one in asked.asks])

        assert len(asked.asks) == 12
        for month, interval in enumerate(intervals):
            counted = figures(flow, by=ALL, interval=interval, body=body)
            assert (numbers["collected"][month], numbers["issued"][month]) == (counted.collected, counted.issued)


def test_figures_by_month_leave_out_what_one_count_cannot_give() -> None:
    """A measure of several values of a mark, of a topic or of acts is not read from a count by groups."""
    measure = Measure(name="a", kind="report", trigger="adopt", level={"city", "county"}, monthly=True)
    others = (
        Measure(name="b", kind="report", trigger="create", topic="housing", monthly=True),
        Measure(name="c", kind="report", trigger="instruct", unit="entries", monthly=True),
        Measure(name="d", kind="report", trigger="edit"),
    )

    assert months((measure, *others), [Interval()], frozenset({"create"})) == ((), ())


def test_a_year_is_counted_in_few_counts() -> None:
    """All measures of the standard year take six counts."""
    assert len(plan(MEASURES, Interval()).asks) == 6
    assert DECLARED["report"] is YEARLY


def test_declarations_are_checked() -> None:
    """A name twice, a share of nothing, a group that there is not, and a year of no measures are `InvalidValue`."""
    one = Measure(name="a", kind="report", trigger="edit")
    with pytest.raises(InvalidValue, match="measures"):
        Yearly(measures=[one, one])
    with pytest.raises(InvalidValue, match="measures"):
        Yearly(measures=[])
    with pytest.raises(InvalidValue, match="measures"):
        Yearly(measures=[attrs.evolve(one, share_of="nothing")])
    with pytest.raises(InvalidValue, match="group"):
        Breakdown(name="b", measure=one, group="weather")
    with pytest.raises(InvalidValue, match="breakdowns"):
        Yearly(measures=[one], breakdowns=[Breakdown(name="b", measure=one, group="topic")] * 2)
    declared = Yearly(measures=[one], breakdowns=[Breakdown(name="b", measure=one, group="topic")])
    assert declared.measure("a") is one
    assert declared.measure("b") is None
    assert declared.breakdown("b") is declared.breakdowns[0]
    assert declared.breakdown("a") is None


@pytest.mark.parametrize("name", [one.name for one in MEASURES])
def test_each_measure_has_a_name_in_both_languages(name: str) -> None:
    """The labels of measures are in the catalog, in English and Chinese."""
    assert all(f"figure.{name}" in STANDARD.codes(language) for language in ("en", "zh"))


@pytest.mark.parametrize(
    "code", [*(f"figure.{name}" for name in NAMES), *(f"topic.{name}" for name in sorted(LIVELIHOOD))]
)
def test_each_figure_and_topic_has_a_name_in_both_languages(code: str) -> None:
    """The labels of figures and of topics of livelihood are in the catalog, in English and Chinese."""
    assert all(code in STANDARD.codes(language) for language in ("en", "zh"))
