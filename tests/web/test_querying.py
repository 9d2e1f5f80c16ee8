"""A query and its address: they say the same, and nothing else is taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from reportflow import Interval, InvalidValue, Query
from reportflow.model.query import LIMIT, ORDERS, Happened
from reportflow.web.querying import ENTRY_FIELDS, FIELDS, PARAMETERS, params_of, query_of
from reportflow.web.signing import Signer
from reportflow.web.urls import query_text

XIAN = ZoneInfo("Asia/Shanghai")
SIGNER = Signer(b"k" * 32)

_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8).filter(
    lambda one: bool(one.strip())
)
_TIMES = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)) | st.dates(
    datetime(2020, 1, 1).date(), datetime(2024, 1, 1).date()
).map(lambda day: datetime(day.year, day.month, day.day, tzinfo=XIAN))


@st.composite
def intervals(draw: st.DrawFn) -> Interval | None:
    """Stretches of time that say something."""
    ends = sorted(draw(st.lists(_TIMES, min_size=2, max_size=2)))
    start, end = draw(st.sampled_from([(ends[0], ends[1]), (ends[0], None), (None, ends[1]), (None, None)]))
    return None if start is end is None else Interval(start, end)


def chosen(none: str | None, texts: st.SearchStrategy[str] = _TEXTS) -> st.SearchStrategy[Any]:
    """Values of a field, "has none" among them."""
    return st.none() | st.frozensets(texts | st.just(none), min_size=1, max_size=4)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """Queries that an address can say."""
    blank = {"unit", "category", "created_by"}
    fields = {name: draw(chosen("" if name in blank else None)) for name in FIELDS}
    times: dict[str, Any] = {name: draw(intervals()) for name in ("created_at", "updated_at", "due_at")}
    entry: dict[str, Any] = {name: draw(chosen(None)) for name in ENTRY_FIELDS.values()}
    entry |= {"at": draw(intervals()), "recorded_at": draw(intervals())}
    order = draw(st.lists(st.sampled_from([*ORDERS, *(f"-{one}" for one in ORDERS)]), unique=True, max_size=3))
    return Query(
        **fields,
        **times,
        happened=Happened(**entry) if any(one is not None for one in entry.values()) else None,
        order=tuple(order) or ("created_at",),
        limit=draw(st.integers(1, LIMIT)),
    )


@given(queries(), st.booleans(), st.sampled_from([None, SIGNER]))
def test_a_query_is_its_address(query: Query, paged: bool, signer: Signer | None) -> None:
    """A query goes into an address and comes back as it was, its cursor too."""
    if paged:
        query = Query(**{**_fields(query), "cursor": query.cursor_after(["x" for _ in query.sort_keys()])})
    address = query_text(params_of(query, XIAN, signer))
    assert query_of(QueryParams(address), XIAN, signer) == query
    assert set(QueryParams(address)) <= set(PARAMETERS)


def _fields(query: Query) -> dict[str, Any]:
    names = (*FIELDS, "created_at", "updated_at", "due_at", "happened", "order", "limit")
    return {name: getattr(query, name) for name in names}


def test_dates_are_days_of_the_flows_zone() -> None:
    """From and to are days in the zone, both included; a time stands for itself."""
    query = query_of({"created_from": "2022-04-27", "created_to": "2022-04-27"}, XIAN)
    assert query.created_at == Interval.day(datetime(2022, 4, 27).date(), XIAN)
    assert params_of(query, XIAN) == {"created_from": ["2022-04-27"], "created_to": ["2022-04-27"]}
    exact = query_of({"due_to": "2022-04-27T10:00:00+08:00"}, XIAN)
    assert exact.due_at == Interval(None, datetime(2022, 4, 27, 2, tzinfo=UTC))
    late = Query(due_at=Interval(datetime.max.replace(tzinfo=UTC), None))
    assert query_of(params_of(late, XIAN), XIAN) == late


def test_what_is_no_parameter_of_a_query_is_left_alone() -> None:
    """Blank values and other parameters say nothing; several values of a form are taken each once."""
    params = QueryParams("tab=done&kind=&state=a&state=a&state=b&without=assignee&text=%20")
    assert query_of(params, XIAN) == Query(state={"a", "b"}, assignee=[None])
    assert query_of({"state": ["a", "b"], "x": "y"}, XIAN) == Query(state={"a", "b"})


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("created_from", {"created_from": "27.4.2022"}),
        ("created_to", {"created_to": "9999-12-31"}),
        ("due_from", {"due_from": "2022-04-27T10:00:00"}),
        ("happened_to", {"happened_from": "2022-04-27", "happened_to": "2022-04-25"}),
        ("known_from", {"known_from": ["2022-04-27", "2022-04-28"]}),
        ("limit", {"limit": "0"}),
        ("limit", {"limit": "ten"}),
        ("limit", {"limit": "9" * 5000}),
        ("order", {"order": "text"}),
        ("order", {"order": "--title"}),
        ("without", {"without": "title"}),
        ("cursor", {"cursor": "nonsense"}),
        ("text", {"text": [str(one) for one in range(21)]}),
        ("state", {"state": [str(one) for one in range(201)]}),
        ("by", {"by": "a\0b"}),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_parameter(name: str, params: dict[str, Any]) -> None:
    """Each wrong value is an error that names the parameter."""
    with pytest.raises(InvalidValue) as caught:
        query_of(params, XIAN)
    assert caught.value.field == name


@pytest.mark.parametrize("query", [Query(state=[]), Query(parent={""})])
def test_what_no_address_says_is_not_written(query: Query) -> None:
    """A set of nothing, and a blank where "has none" is another, would read as something else: they are refused."""
    with pytest.raises(InvalidValue):
        params_of(query, XIAN)


def test_a_cursor_belongs_to_its_query() -> None:
    """A cursor that was altered, made elsewhere, or is of another query is refused; another size of page is not."""
    query = Query(state={"a"})
    params = params_of(Query(state={"a"}, cursor=query.cursor_after(["x", "y"])), XIAN, SIGNER)
    assert query_of({**params, "limit": "5"}, XIAN, SIGNER).cursor is not None
    sealed = params["cursor"][0]
    other = Signer(b"o" * 32).sealed("cursor", SIGNER.opened("cursor", sealed) or "")
    raw = query.cursor_after(["x", "y"])
    for changed in (
        {"state": ["b"]},
        {"order": ["-created_at"]},
        {"cursor": [sealed[:-1] + ("0" if sealed[-1] != "0" else "1")]},
        {"cursor": ["é"]},
        {"cursor": [other]},
        {"cursor": [raw]},
    ):
        with pytest.raises(InvalidValue) as caught:
            query_of({**params, **changed}, XIAN, SIGNER)
        assert caught.value.field == "cursor"


def test_a_day_on_which_the_clock_is_turned_is_a_day() -> None:
    """Where a day has 23 or 25 hours, its date stands for all of them."""
    berlin = ZoneInfo("Europe/Berlin")
    for day, hours in (("2022-03-27", 23), ("2022-10-30", 25)):
        query = query_of({"due_from": day, "due_to": day}, berlin)
        assert query.due_at is not None
        assert query.due_at.start is not None
        assert query.due_at.end is not None
        assert query.due_at.end - query.due_at.start == timedelta(hours=hours)
        assert params_of(query, berlin) == {"due_from": [day], "due_to": [day]}
