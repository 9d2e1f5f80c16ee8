"""What a value keeps is data: nobody changes it afterwards, and each store gives it back as it went in."""

from __future__ import annotations

import copy
import enum
import json
import pickle
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reportflow import (
    ANY,
    SAME,
    Actor,
    Constant,
    Details,
    Entry,
    Fire,
    FrozenDict,
    Interval,
    InvalidValue,
    Lifecycle,
    MemoryStore,
    Query,
    Record,
    ReportFlow,
    SqlStore,
    State,
    Store,
    Transition,
    replay,
)
from reportflow.model.checks import is_blank
from reportflow.model.values import in_utc, time_text
from reportflow.office import Author, Comment, Report
from reportflow.serialization.plain import from_json, from_plain, to_json, to_plain
from tests.lifecycles import all_fields

NOW = datetime(2022, 3, 1, tzinfo=UTC)
ANN = Actor(id="ann", roles={"clerk"})


@attrs.frozen(kw_only=True)
class Parcel(Details):
    """Open fields and collections of each kind."""

    open: object = None
    anything: Any = None
    table: Mapping[str, object] = attrs.field(factory=dict)
    bare: dict = attrs.field(factory=dict)  # type: ignore[type-arg]  # that is the point
    words: list[str] = attrs.field(factory=list)
    some: set[int] = attrs.field(factory=set)
    deep: dict[str, list[dict[str, int]]] = attrs.field(factory=dict)
    share: float = 0.0
    number: int = 0
    either: float | int | str = 0
    text: str = ""
    when: datetime = NOW


@attrs.frozen(kw_only=True)
class PlainParcel:
    """The same as a class of a host that is derived from nothing."""

    table: Mapping[str, Any]
    words: list[str]
    inner: tuple[PlainParcel, ...] = ()


@attrs.frozen(kw_only=True)
class Box(Record):
    """A record that takes what it is given."""

    extra: Mapping[str, object] = attrs.field(factory=dict)
    words: list[str] = attrs.field(factory=list)
    last: object = None


BOX = Lifecycle(
    name="box",
    version=1,
    record=Box,
    roles={"clerk": ANY},
    states=[State("open", final=True)],
    transitions=[
        Transition("create", source=None, dest="open", roles={"clerk"}, accepts=all_fields(Box)),
        Transition("put", source="open", dest=SAME, roles={"clerk"}, details=Parcel, sets={"last": "open"}),
        Transition("plain", source="open", dest=SAME, roles={"clerk"}, details=PlainParcel, sets={"words": "words"}),
        Transition(
            "fix",
            source="open",
            dest=SAME,
            roles={"clerk"},
            sets={
                "extra": lambda before, entry: {"a": [1]},
                "words": Constant(["x"]),
                "last": Constant([{"$type": 1}]),
            },
        ),
    ],
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
)
keys = st.sampled_from(["$type", "$", "$$", "$$type", "a", "", "id"])
data = st.recursive(
    scalars,
    lambda deeper: (
        st.lists(deeper, max_size=3) | st.lists(deeper, max_size=2).map(tuple) | st.dictionaries(keys, deeper)
    ),
    max_leaves=6,
)


def kept(value: object) -> object:
    """What is kept of plain data, said once more in another way."""
    if isinstance(value, Mapping):
        return FrozenDict({key: kept(one) for key, one in value.items()})
    return tuple(kept(one) for one in value) if isinstance(value, list | tuple) else value


def spoil(value: object) -> None:
    """Change all that can be changed inside of plain data."""
    if isinstance(value, dict):
        for one in value.values():
            spoil(one)
        value["$spoilt"] = object()
    elif isinstance(value, list | tuple):
        for one in value:
            spoil(one)
        if isinstance(value, list):
            value.append(object())


def same(one: object, other: object) -> bool:
    """Whether two data are equal and of the same classes throughout."""
    if type(one) is not type(other):
        return False
    if isinstance(one, FrozenDict):
        assert isinstance(other, FrozenDict)
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        assert isinstance(other, tuple)
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def refused(call: Callable[[], object]) -> tuple[str, str]:
    """The field and the problem with which something is refused, with a text of both in two languages."""
    with pytest.raises(InvalidValue) as raised:
        call()
    for language in ("en", "zh"):
        for reader in ("clerk", "developer"):
            assert "value." not in raised.value.message(language, reader=cast(Any, reader))
    return raised.value.field, raised.value.problem


# ---------------------------------------------------------------------------------------------------------------
# FrozenDict


@given(items=st.dictionaries(st.text(max_size=3), scalars), other=st.dictionaries(st.text(max_size=3), scalars))
def test_a_frozen_dict_is_the_mapping_that_it_was_given(items: dict[str, Any], other: dict[str, Any]) -> None:
    """It equals any mapping of the same items, keeps their order, hashes by content, and is its own copy."""
    made = FrozenDict(items)
    assert made == items
    assert items == made
    assert made == MappingProxyType(items)
    assert (list(made), list(made.keys()), list(made.values())) == (list(items), list(items), list(items.values()))
    assert list(reversed(made)) == list(reversed(items))
    assert list(made.items()) == list(items.items())
    assert (made == FrozenDict(other)) == (items == other)
    assert hash(made) == hash(FrozenDict(dict(reversed(items.items()))))
    assert copy.copy(made) is made
    assert copy.deepcopy(made) is made
    back = pickle.loads(pickle.dumps(made))
    assert (type(back), back, hash(back)) == (FrozenDict, made, hash(made))
    assert FrozenDict(items.items()) == made
    assert len(made) == len(items)
    assert all(made.get(key) == items.get(key) and (key in made) == (key in items) for key in [*items, *other])
    assert repr(made) == f"FrozenDict({items!r})"
    assert (type(made | other), made | other) == (dict, items | other)
    assert (type(made.copy()), json.loads(json.dumps(made))) == (dict, items)


def test_a_frozen_dict_cannot_be_changed() -> None:
    """It has no method that changes it, no attribute can be set, and what it was made of is not what it holds."""
    items = {"a": 1}
    made: Any = FrozenDict(items)
    items["a"] = 2
    for change in (
        lambda: made.__setitem__("a", 2),
        lambda: made.__delitem__("a"),
        lambda: made.__ior__({"b": 1}),
        lambda: made.update(a=2),
        lambda: made.pop("a"),
        lambda: made.popitem(),
        lambda: made.clear(),
        lambda: made.setdefault("b", 2),
    ):
        with pytest.raises(TypeError, match="FrozenDict"):
            change()  # type: ignore[no-untyped-call]  # made is Any
    with pytest.raises(AttributeError):
        made.more = 1
    assert made == {"a": 1}
    assert made != [("a", 1)]
    assert made.get("b", 7) == 7


# ---------------------------------------------------------------------------------------------------------------
# Values are data


@given(given_data=data, table=st.dictionaries(keys, data))
def test_a_value_keeps_what_nobody_can_change(given_data: Any, table: dict[str, Any]) -> None:
    """Lists are kept as tuples and mappings as frozen ones, deeply: what the caller changes later changes nothing."""
    expected = (kept(given_data), kept(table))
    given_copy, table_copy = copy.deepcopy((given_data, table))
    parcel = Parcel(open=given_copy, anything=given_copy, table=table_copy, bare=table_copy)
    spoil(given_copy)
    spoil(table_copy)
    assert same(parcel.open, expected[0])
    assert same(parcel.anything, expected[0])
    assert same(parcel.table, expected[1])
    assert same(parcel.bare, expected[1])
    twin = Parcel(open=given_data, anything=given_data, table=table, bare=table)
    assert (parcel, hash(parcel)) == (twin, hash(twin))
    for back in (pickle.loads(pickle.dumps(parcel)), copy.copy(parcel), copy.deepcopy(parcel)):
        assert back == parcel
        assert same(back.open, parcel.open)
    assert attrs.evolve(parcel, number=1).open is parcel.open


@given(given_data=data, table=st.dictionaries(keys, data))
@example({"$type": "reportflow.Actor", "id": "x"}, {"$type": {"$type": "Parcel"}})
def test_open_data_comes_back_as_it_went_in(given_data: Any, table: dict[str, Any]) -> None:
    """Through plain data and JSON an open field is equal and of the same classes, whatever its keys look like."""
    parcel = Parcel(open=given_data, table=table, bare=table)
    for back in (from_plain(to_plain(parcel), Parcel), from_json(to_json(parcel), Parcel)):
        assert back == parcel
        assert same(back.open, parcel.open)
        assert same(back.table, parcel.table)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store of each kind that needs no server."""
    if request.param == "memory":
        return MemoryStore()
    return SqlStore(f"sqlite:///{tmp_path / 'kept.db'}", create=True)


def test_a_store_gives_back_what_was_put_in(store: Store) -> None:
    """Records and details come back equal, of the same classes, and as the fold of their history."""
    flow = ReportFlow(store, BOX)
    tricky = {"$type": "reportflow.Actor", "n": [1, {"$": [None]}], "big": 10**400, "z": {}}
    extra, words = copy.deepcopy(tricky), ["a"]
    box = flow.create(Box.draft(title="t", extra=extra, words=words), by=ANN)
    spoil(extra)
    words.append("b")
    box = flow.fire(box, "put", Parcel(open=tricky, deep={"a": [{"b": 1}]}, words=["x"], some={2, 1}), by=ANN)
    details = PlainParcel(table=tricky, words=["p"], inner=(PlainParcel(table={}, words=["q"]),))
    box = flow.fire(box, "plain", details, by=ANN, key="k")
    details.words.append("later")
    assert details.table is tricky  # what is the caller's is not touched
    again = PlainParcel(table=tricky, words=["p"], inner=(PlainParcel(table={}, words=["q"]),))
    assert flow.fire(box.id, "plain", again, by=ANN, key="k") == box
    entries = store.history([box.id])
    assert same(cast(Any, entries[0].details).extra, kept(tricky))
    assert entries[1].details == Parcel(open=tricky, deep={"a": [{"b": 1}]}, words=["x"], some={2, 1})
    assert same(cast(Any, entries[1].details).deep, kept({"a": [{"b": 1}]}))
    assert cast(Any, entries[1].details).some == frozenset({1, 2})
    assert same(cast(Any, entries[2].details).inner[0].words, ("q",))
    box = flow.fire(box, "fix", by=ANN)
    assert same(box.extra, FrozenDict({"a": (1,)}))
    assert same(box.words, ("x",))
    assert same(box.last, (FrozenDict({"$type": 1}),))
    (stored,) = store.get([box.id])
    assert stored == box == replay(store.history([box.id]), BOX)
    assert isinstance(stored, Box)
    assert same(stored.extra, box.extra)
    assert same(stored.last, box.last)
    assert hash(stored) == hash(box)


# ---------------------------------------------------------------------------------------------------------------
# What cannot be kept


class Shade(enum.Enum):
    DARK = "dark"


class Word(str, enum.Enum):  # noqa: UP042  # hosts have such classes
    """The older way to write a str enum; its `str` is ``Word.ASK``."""

    ASK = "ask"


class Tag(enum.StrEnum):
    ASK = "ask"


class Loud(str):
    """A text that says something else of itself."""

    __slots__ = ()

    def __contains__(self, part: object) -> bool:
        return False

    def __str__(self) -> str:
        return "LOUD"

    def encode(self, *_: object) -> bytes:
        return b""


def nested(depth: int) -> object:
    """A list in a list, so deep."""
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


def circle() -> object:
    """A list that holds itself, twice."""
    value: list[object] = []
    value += [value, value]
    return value


BAD: dict[str, tuple[Callable[[], object], str, str]] = {
    "a number beyond a float": (lambda: Parcel(share=10**400), "share", "digits"),
    "one far beyond": (lambda: Parcel(share=-(10**5000)), "share", "digits"),
    "one in a union": (lambda: Parcel(either=10**400), "either", "digits"),
    "a whole number of 5,000 digits": (lambda: Parcel(number=10**5000), "number", "digits"),
    "one in an open field": (lambda: Parcel(open=[{"a": -(10**5000)}]), "open", "digits"),
    "no number in an open field": (lambda: Parcel(open=[float("nan")]), "open", "not_finite"),
    "infinity in an open mapping": (lambda: Parcel(table={"a": [float("-inf")]}), "table", "not_finite"),
    "a thousand lists": (lambda: Parcel(open=nested(1000)), "open", "too_deep"),
    "a hundred thousand": (lambda: Parcel(bare={"a": nested(100_000)}), "bare", "too_deep"),
    "a list of itself": (lambda: Parcel(anything=circle()), "anything", "too_deep"),
    "too much": (lambda: Parcel(open=[0] * 200_000), "open", "too_many_parts"),
    "a value": (lambda: Parcel(open=ANN), "open", "type"),
    "a value inside": (lambda: Parcel(table={"a": [Author(name="x")]}), "table", "type"),
    "a member of an enum": (lambda: Parcel(open=Shade.DARK), "open", "type"),
    "bytes": (lambda: Parcel(anything=b"x"), "anything", "type"),
    "a set": (lambda: Parcel(open={1}), "open", "type"),
    "a time": (lambda: Parcel(open=[NOW]), "open", "type"),
    "a key that is no text": (lambda: Parcel(open={1: 1}), "open", "type"),
    "a bad key": (lambda: Parcel(table={"a\ud800": 1}), "table", "surrogate"),
    "a bad key inside": (lambda: Parcel(open={"a": {"b\0": 1}}), "open", "nul"),
    "a bad text inside": (lambda: Parcel(open={"a": ["\udfff"]}), "open", "surrogate"),
    "NUL in a text that hides it": (lambda: Parcel(text=Loud("a\0b")), "text", "nul"),
    "a surrogate in such a text": (lambda: Parcel(open=Loud("\ud800")), "open", "surrogate"),
    "NUL in a title that hides it": (lambda: Record.draft(title=Loud("a\0")), "title", "nul"),
    "a list of the wrong": (lambda: Parcel(words=cast(Any, [1])), "words", "type"),
    "a text as a list": (lambda: Parcel(words=cast(Any, "ab")), "words", "type"),
    "a list as a set": (lambda: Parcel(some=cast(Any, [1])), "some", "type"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_no_store_keeps_is_refused(case: str) -> None:
    """Numbers that are too long, data that is too deep, what is no plain data: `InvalidValue` with the field."""
    build, field, problem = BAD[case]
    assert refused(build) == (field, problem)


def test_bad_data_is_refused_by_a_flow_with_its_field() -> None:
    """Bad details of a plain class, which checks nothing itself, are refused when they are fired."""
    flow = ReportFlow(MemoryStore(), BOX)
    box = flow.create(Box.draft(), by=ANN)
    for table, problem in (({"a": 10**5000}, "digits"), ({"a": nested(999)}, "too_deep"), ({"a": b""}, "type")):
        details = PlainParcel(table=table, words=[])
        assert refused(lambda details=details: flow.fire(box, "plain", details, by=ANN)) == ("table", problem)  # type: ignore[misc]  # bound now
    assert flow.store.get([box.id]) == [box]


def test_the_bounds_themselves_are_kept() -> None:
    """640 digits, a depth of 64, and the greatest float are kept and come back."""
    parcel = Parcel(number=10**639, share=1.7e308, open=nested(64), either=10**308)
    assert from_json(to_json(parcel), Parcel) == parcel
    assert refused(lambda: Parcel(open=nested(65))) == ("open", "too_deep")
    assert refused(lambda: Parcel(number=10**640)) == ("number", "digits")


def test_a_text_is_kept_as_plain_text() -> None:
    """A member of a str enum, or any text of a derived class, is kept as the plain text that it is."""
    parcel = Parcel(text=Word.ASK, words=[Tag.ASK, Loud("x")], open=[Word.ASK, {Tag.ASK: Loud("y")}], either=Tag.ASK)
    assert same(
        (parcel.text, parcel.words, parcel.open, parcel.either),
        ("ask", ("ask", "x"), ("ask", FrozenDict({"ask": "y"})), "ask"),
    )
    assert [type(key) for key in cast(Any, parcel.open)[1]] == [str]
    number = Parcel(open=[enum.IntEnum("Rank", {"ONE": 1}).ONE]).open  # type: ignore[attr-defined]  # a member
    assert same(number, (1,))


INVISIBLE = ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u180e", "\u200e", "\u202e", "\u3000", "\u2028", "\u3164", "\x7f"]


@given(text=st.text(st.sampled_from([*INVISIBLE, " ", "\t", "\u2800", "\ufe0f"])))
@example("\u200b")
def test_what_nobody_sees_is_blank(text: str) -> None:
    """A title of invisible characters alone is blank; with one letter among them it is none."""
    assert is_blank(text)
    assert refused(lambda: Report.draft(title=text, text="t", authors=[Author(name="a")])) == ("title", "blank")
    assert refused(lambda: Comment(text=text)) == ("text", "blank")
    assert refused(lambda: Actor(id=text)) == ("id", "blank")
    assert Comment(text=text + "字" + text).text == text + "字" + text


@given(text=st.text(st.characters(categories=["L", "N", "P", "Sm", "Sc", "Co", "Cn"]), min_size=1))
@example("\U00031350")
@example("👩‍👩‍👧")
def test_what_somebody_sees_is_not_blank(text: str) -> None:
    """Letters, digits and signs are seen; so may be what this Python does not know yet."""
    seen = any(one not in "\u115f\u1160\u3164\uffa0" for one in text)
    assert is_blank(text) is not seen


# ---------------------------------------------------------------------------------------------------------------
# The hour that comes twice

ZONES = [ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai")]


@st.composite
def twice(draw: st.DrawFn) -> tuple[datetime, datetime]:
    """A time of the clock in a zone, as its first and as its second; mostly one that comes twice."""
    zone = draw(st.sampled_from(ZONES))
    ends = {
        "Europe/Berlin": datetime(2022, 10, 30, 2),
        "America/New_York": datetime(2022, 11, 6, 1),
        "Australia/Lord_Howe": datetime(2022, 4, 3, 1, 30),
        "Asia/Shanghai": datetime(1986, 9, 14, 1),
    }
    clock = draw(
        st.timedeltas(timedelta(0), timedelta(minutes=29)).map(lambda part: ends[zone.key] + part)
        | st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1))
    )
    return clock.replace(tzinfo=zone), clock.replace(tzinfo=zone, fold=1)


@given(both=twice(), first=st.booleans())
def test_the_hour_that_comes_twice_is_told_apart(both: tuple[datetime, datetime], first: bool) -> None:
    """A time of a zone is the same instant in texts, records, entries, queries and details, whichever came before."""
    for time in both if first else both[::-1]:
        instant = datetime.fromtimestamp(time.timestamp(), UTC)
        assert time_text(time) == instant.isoformat(timespec="microseconds")
        assert in_utc(time) == instant
        assert Record.draft(due_at=time).due_at == instant
        entry = Entry(
            record_id="r", sequence=1, trigger="t", source=None, dest="d", actor=ANN, at=time, recorded_at=time
        )
        assert (entry.at, entry.recorded_at) == (instant, instant)
        assert from_json(to_json(entry), Entry) == entry
        parcel = Parcel(when=time)
        assert parcel.when == instant
        assert from_json(to_json(parcel), Parcel) == parcel
        assert (Query(due_at=Interval(time)).due_at or Interval()).start == instant
        assert instant in Interval(time)
        assert time in Interval(instant, instant + timedelta(microseconds=1))
        assert Fire("r", "t", by=ANN, at=time).at == instant
        assert from_json(to_json(Query(due_at=Interval(time))), Query).due_at == Interval(instant)


def test_a_query_finds_by_the_second_of_two_hours(store: Store) -> None:
    """A store tells the two hours apart, when it writes and when it finds."""
    flow = ReportFlow(store, BOX)
    zone = ZoneInfo("Europe/Berlin")
    hours = [datetime(2022, 10, 30, 2, 30, tzinfo=zone, fold=fold) for fold in (0, 1)]
    made = [flow.create(Box.draft(due_at=hour, title=str(hour.fold)), by=ANN, at=hour) for hour in hours]
    for hour, box in zip(hours, made, strict=True):
        interval = Interval(hour, in_utc(hour) + timedelta(minutes=1))
        for query in (Query(due_at=interval), Query(created_at=interval)):
            assert [one.title for one in flow.find(query, by=ANN)] == [box.title]
