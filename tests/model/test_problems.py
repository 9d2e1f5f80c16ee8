"""Values in detail: each problem with all its facts, and orders, cursors, groups and matching."""

from __future__ import annotations

import enum
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar, cast

import attrs
import pytest

from reportflow import (
    ANY,
    CODE,
    LEVEL,
    OWN,
    PARTY,
    UNIT,
    Actor,
    AlreadyExists,
    Change,
    Conflict,
    Details,
    Entry,
    Happened,
    Interval,
    InvalidDefinition,
    InvalidValue,
    MemoryStore,
    Page,
    Query,
    Record,
    RecordNotFound,
    Secrecy,
    Value,
)
from reportflow.errors import Fault
from reportflow.model.checks import cache_by_class, type_problem
from reportflow.model.entry import same_content
from reportflow.model.query import (
    ENTRY_GROUPS,
    LABEL_GROUPS,
    ORDERS,
    RECORD_GROUPS,
    Grant,
    Visibility,
    grouping,
    place_of,
)
from reportflow.model.record import Seen
from reportflow.model.values import (
    as_texts,
    as_tuple,
    changed,
    choice,
    converters,
    in_utc,
    in_utc_or_none,
    name_of,
    names,
    not_blank,
    not_empty,
    time_text,
)
from reportflow.serialization.digest import seal
from reportflow.storage import matching

NOW = datetime(2022, 6, 1, 12, tzinfo=UTC)
#: The longest text, in bytes of UTF-8.
TEXT_LIMIT = 1 << 20
INFINITE = float("inf")
#: What a field of no annotation in particular holds.
PLAIN = "plain data (None, bool, int, float, str, tuple, Mapping[str, …])"
EAST = timezone(timedelta(hours=8))
T = TypeVar("T")


def problem(call: Callable[[], object]) -> tuple[str, str, dict[str, object]]:
    """The field, the problem and all the facts with which something is refused."""
    with pytest.raises(InvalidValue) as raised:
        call()
    return raised.value.field, raised.value.problem, raised.value.details


# ---------------------------------------------------------------------------------------------------------------
# Checks


class Tone(enum.Enum):
    HIGH = "high"
    LOW = "low"


@attrs.frozen
class Inside:
    """A plain attrs value, checked where it stands."""

    depth: int = 0
    day: date = date(2022, 1, 1)


#: (annotation, values that pass, values that do not: what the type should have been, or the whole problem)
KINDS: list[tuple[Any, list[object], list[tuple[object, str | tuple[str, dict[str, object]]]]]] = [
    (str, ["", "x"], [(7, "str"), (None, "str"), ("\0", ("nul", {})), ("ab\ud800", ("surrogate", {"index": 2}))]),
    (int, [0, -1], [(True, "int"), (1.0, "int")]),
    (bool, [True, False], [(0, "bool")]),
    (
        float,
        [0.5, 1],
        [
            (True, "float"),
            ("1", "float"),
            (INFINITE, ("not_finite", {"given": INFINITE})),
        ],
    ),
    (Decimal, [Decimal("1.5")], [(1, "Decimal"), (Decimal("-inf"), ("not_finite", {"given": Decimal("-inf")}))]),
    (uuid.UUID, [uuid.UUID(int=7)], [("7", "UUID")]),
    (date, [date(2022, 1, 1)], [(NOW, "date")]),
    (
        datetime,
        [NOW],
        [(date(2022, 1, 1), "datetime"), (datetime(2022, 1, 1), ("naive", {"given": "2022-01-01T00:00:00"}))],
    ),
    (Tone, [Tone.LOW], [("low", "Tone")]),
    (Inside, [Inside(depth=1)], [(7, "Inside"), (Inside(depth=cast(int, "x")), "int"), (Inside(day=NOW), "date")]),
    (Actor, [Actor(id="x")], [("x", "Actor")]),
    (type(None), [None], [(0, "NoneType")]),
    (Any, [7, None, "x", (1, {"a": [2.5]})], [(object, PLAIN), ([b"x"], PLAIN), ({"a": NOW}, PLAIN), ({1: 2}, "str")]),
    (
        object,
        [True, {"$type": ("x",)}],
        [({1}, PLAIN), (Tone.LOW, PLAIN), ([INFINITE], ("not_finite", {"given": INFINITE}))],
    ),
    (T, [7, "x"], []),
    (Annotated[int, "days"], [7], [("7", "int")]),
    (str | None, ["x", None], [(7, "str"), ("\0", ("nul", {}))]),
    (
        int | str,
        [7, "x"],
        [(1.5, "int | str"), (None, "int | str"), ("\0", ("nul", {})), (b"x", "int | str")],
    ),
    (int | str | None, [7, "x", None], [(1.5, "int | str | None")]),
    (float | bool, [0.5, True], [("x", "float | bool"), (INFINITE, ("not_finite", {"given": INFINITE}))]),
    (Literal["a", 7], ["a", 7], [("b", ("choice", {"given": "'b'", "choices": ("a", 7)}))]),
    (tuple[int, ...], [(), (1, 2)], [([1], "tuple"), ((1, "x"), "int"), (("x", 1), "int")]),
    (list[str], [[], ["x"], ("x",)], [({"x"}, "list"), ("x", "list"), ([7], "str")]),
    (set[str], [{"x"}, frozenset({"x"})], [(["x"], "set")]),
    (frozenset[int], [frozenset({1})], [({1}, "frozenset"), (frozenset({"x"}), "int")]),
    (
        tuple[int, str],
        [(1, "x")],
        [((1,), "tuple of 2"), ([1, "x"], "tuple of 2"), ((1, 2), "str"), (("x", "x"), "int")],
    ),
    (tuple[int], [(1,)], [((1, 2), "tuple of 1")]),
    (
        Mapping[str, int],
        [{}, {"a": 1}, MappingProxyType({"a": 1})],
        [([], "mapping"), ({"a": "b"}, "int"), ({1: 1}, "str"), ({"\0": 1}, ("nul", {}))],
    ),
    (dict[str, list[int]], [{"a": [1]}], [({"a": {1}}, "list"), ({"a": ["x"]}, "int")]),
]


def held_class(**annotations: Any) -> Callable[..., Value]:
    """A value class with these fields."""
    body = {"__module__": __name__, "__annotations__": annotations}
    cls: Callable[..., Value] = attrs.frozen(type("Held", (Value,), body))
    return cls


def given_of(value: object) -> str:
    """How a value is named in a problem."""
    return "None" if value is None else f"{type(value).__name__} {value!r:.60}"


def parts_of(value: object) -> Iterator[object]:
    """A value and all that is in it."""
    yield value
    inside: Iterable[object] = ()
    if isinstance(value, Mapping):
        inside = [*value.keys(), *value.values()]
    elif isinstance(value, Inside):
        inside = [value.depth, value.day]
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        inside = value
    for one in inside:
        yield from parts_of(one)


@pytest.mark.parametrize(("kind", "valid", "invalid"), KINDS, ids=[str(kind) for kind, _, _ in KINDS])
def test_an_annotation_decides_what_can_be_stored(
    kind: Any, valid: list[object], invalid: list[tuple[object, Any]]
) -> None:
    """Each annotation accepts its own values; any other is a problem with what was expected and what was given."""
    held = held_class(value=kind)
    for value in valid:
        held(value)
    for value, expected in invalid:
        found = problem(lambda value=value: held(value))  # type: ignore[misc]  # bound now
        assert found[0] == "value"
        if isinstance(expected, str):
            assert found[1] == "type"
            assert found[2] == {"expected": expected, "given": found[2]["given"]}
            assert found[2]["given"] in {given_of(one) for one in parts_of(value)}
        else:
            assert found[1:] == expected


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (Decimal | str, "write one class, with or without None; what is read must tell which it was"),
        (Mapping[int, str], "write Mapping[str, …], for JSON has no other keys"),
        (dict[Any, str], "write Mapping[str, …], for JSON has no other keys"),
        (Iterable[str], "write tuple[…], frozenset[…], a union, or an attrs class"),
        (bytes, "write str, int, float, bool, Decimal, date, an aware datetime, an Enum or an attrs class"),
    ],
    ids=str,
)
def test_an_annotation_that_cannot_be_stored_is_a_fault(kind: Any, why: str) -> None:
    """Each such field is one fault with the class, the field, the annotation and what to write instead."""
    held = held_class(one=kind, fine=int, two=kind)
    with pytest.raises(InvalidDefinition) as raised:
        held(1, 2, 3)
    assert raised.value.name == "Held"
    facts = {"owner": "Held", "given": kind, "why": why}
    assert raised.value.faults == tuple(Fault("field_type", {**facts, "name": name}) for name in ("one", "two"))


def test_a_value_that_checks_itself_is_checked_for_its_class_only() -> None:
    """A value that was checked when it was built is not checked again inside another value, but for its class."""
    held = held_class(value=Actor)
    held(changed(Actor(id="x"), {"name": 7}))
    assert problem(lambda: held(7))[1] == "type"


def test_a_function_of_a_class_is_computed_once() -> None:
    """`cache_by_class` calls the function once for each class."""
    computed: list[type[Any]] = []

    @cache_by_class
    def name_in_capitals(cls: type[Any]) -> str:
        computed.append(cls)
        return cls.__name__.upper()

    assert [name_in_capitals(cls) for cls in (int, str, int, str)] == ["INT", "STR", "INT", "STR"]
    assert computed == [int, str]


def test_an_annotation_that_cannot_be_resolved_is_a_fault() -> None:
    """An annotation with an unknown name is a fault with the class and the name."""
    held = held_class(value="NoSuchName")
    with pytest.raises(InvalidDefinition) as raised:
        held(1)
    facts = {"owner": "Held", "name": "NoSuchName", "given": "NoSuchName", "why": "name 'NoSuchName' is not defined"}
    assert (raised.value.name, raised.value.faults) == ("Held", (Fault("field_type", facts),))


def test_a_fault_has_a_text_in_each_language() -> None:
    """The text is English by default, and its facts are filled in."""
    fault = Fault("unreachable", {"name": "x-y"})
    assert fault.text() == fault.text("en") != fault.text("zh")
    assert "x-y" in fault.text("zh")


def test_a_type_problem() -> None:
    """Types are named without their modules; a long value is cut."""
    assert type_problem("datetime.datetime | a.b.C", None) == (
        "type",
        {"expected": "datetime | C", "given": "None"},
    )
    assert type_problem("int", "x" * 100) == ("type", {"expected": "int", "given": "str " + repr("x" * 100)[:60]})


def test_a_text_problem_and_a_time_problem() -> None:
    """The size of a text is counted in bytes of UTF-8, and the limit itself is allowed."""
    for text in ("", "x" * TEXT_LIMIT, "é" * (TEXT_LIMIT // 2)):
        assert Record.draft(title=text).title == text
    facts: dict[str, object] = {"bytes": TEXT_LIMIT + 1, "limit": 1 << 20}
    for text in ("x" * (TEXT_LIMIT + 1), "é" * (TEXT_LIMIT // 2) + "x"):
        assert problem(lambda text=text: Record.draft(title=text)) == ("title", "too_long", facts)  # type: ignore[misc]  # bound now
    facts = {"expected": "str", "given": "bytes b'x'"}
    assert problem(lambda: Record.draft(title=cast(str, b"x"))) == ("title", "type", facts)
    facts = {"expected": "datetime", "given": "str 'now'"}
    assert problem(lambda: Interval(cast(datetime, "now"))) == ("start", "type", facts)


# ---------------------------------------------------------------------------------------------------------------
# Converters, validators, names


def test_a_choice_is_a_member() -> None:
    """A choice takes a member or its value; anything else is a problem of the field, with the choices."""
    assert choice(Tone, "low", "tone") is choice(Tone, Tone.LOW, "tone") is Tone.LOW
    facts = {"given": "'loud'", "choices": ["high", "low"]}
    assert problem(lambda: choice(Tone, "loud", "tone")) == ("tone", "choice", facts)
    assert problem(lambda: Record.draft(secrecy=cast(Any, "loud")))[0] == "secrecy"
    assert Record.draft(secrecy=cast(Any, "secret")).secrecy is Secrecy.SECRET
    assert problem(lambda: Actor(id="x", clearance=cast(Secrecy, "loud")))[0] == "clearance"
    assert problem(lambda: Actor(id="x", kind=cast(Any, "loud")))[0] == "kind"
    assert problem(lambda: Actor(id="x", roles=cast(Any, 7))) == (
        "roles",
        "type",
        {"expected": "str | set[str]", "given": "int 7"},
    )
    made = Actor(id="x", roles="one", clearance=cast(Secrecy, "secret"), kind=cast(Any, "system"))
    assert (made.roles, made.clearance, made.kind) == (frozenset({"one"}), Secrecy.SECRET, "system")


def test_one_text_or_several() -> None:
    """One text is a collection of one, not of its letters; any other value stays for the check to refuse."""
    assert names("ab") == {"ab"}
    assert names(["a", "b", "a"]) == {"a", "b"}
    assert as_texts("ab") == ("ab",)
    assert as_texts(["a", "b"]) == as_tuple(iter(["a", "b"])) == ("a", "b")
    seven = cast(Any, 7)
    assert (as_tuple(seven), as_texts(seven)) == (seven, seven)


def test_times_are_converted_to_utc() -> None:
    """Aware times become UTC, other values stay for the check; a time out of the range of UTC is `time_range`."""
    east = datetime(2022, 6, 1, 20, tzinfo=EAST)
    naive = datetime(2022, 6, 1, 20)
    assert in_utc(east) == NOW
    assert in_utc(east).tzinfo is UTC
    assert in_utc(naive) is naive
    assert in_utc(cast(datetime, "x")) == "x"
    assert in_utc_or_none(None) is None
    assert cast(datetime, in_utc_or_none(east)).tzinfo is UTC
    edge = datetime(1, 1, 1, tzinfo=EAST)
    facts = {"given": "0001-01-01T00:00:00+08:00"}
    assert problem(lambda: in_utc(edge)) == ("time", "time_range", facts)
    assert problem(lambda: in_utc(edge, "when")) == ("when", "time_range", facts)
    assert time_text(east) == "2022-06-01T12:00:00.000000+00:00"


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="skipped: this system has no other time zone to set")
def test_the_text_of_a_time_does_not_depend_on_the_zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are written in UTC, whatever time zone the machine has."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        text = time_text(NOW)
    time.tzset()
    assert text == "2022-06-01T12:00:00.000000+00:00"


def test_validators_name_the_field() -> None:
    """Blank and empty values are problems of the attribute; None and other types pass `not_blank`."""
    field = cast("attrs.Attribute[Any]", attrs.fields(Inside).depth)
    for value in (None, 7, "x", " x "):
        not_blank(object(), field, value)
    assert problem(lambda: not_blank(object(), field, " \t")) == ("depth", "blank", {})
    not_empty(object(), field, (0,))
    assert problem(lambda: not_empty(object(), field, ())) == ("depth", "empty", {})


def test_converters_are_those_without_an_instance() -> None:
    """A converter that takes the instance is left out."""
    with_instance: Any = attrs.Converter(lambda value, own: value, takes_self=True)

    @attrs.frozen
    class Converted:
        one: Any = attrs.field(converter=str)
        two: Any = 0
        three: Any = attrs.field(default=0, converter=with_instance)  # type: ignore[misc]  # mypy wants a named function
        four: Any = attrs.field(default=0, converter=int)

    assert converters(Converted) == {"one": str, "four": int}


def test_a_class_is_written_under_its_name() -> None:
    """Classes of the library have its name as a prefix; a class may be given another name."""
    assert name_of(Tone) == "Tone"
    assert name_of(MemoryStore) == "reportflow.MemoryStore"
    assert name_of(type("ReportflowLike", (), {"__module__": "reportflowers"})) == "ReportflowLike"

    class Renamed(Value, name="ProblemsRenamed"):
        pass

    class Below(Renamed):
        pass

    assert (name_of(Renamed), name_of(Below)) == ("ProblemsRenamed", "Below")


def test_ranks_do_not_compare_with_texts() -> None:
    """Members are ordered among themselves by their place; with texts they do not compare."""
    assert [one.rank for one in Secrecy] == [0, 1, 2, 3]
    assert Secrecy.up_to(Secrecy.CONFIDENTIAL) == (Secrecy.INTERNAL, Secrecy.CONFIDENTIAL)
    for method in ("__lt__", "__le__", "__gt__", "__ge__"):
        assert getattr(Secrecy.SECRET, method)("secret") is NotImplemented
        assert getattr(Secrecy.SECRET, method)(Secrecy.SECRET) is (method in ("__le__", "__ge__"))


# ---------------------------------------------------------------------------------------------------------------
# Records and entries


@attrs.frozen(kw_only=True)
class Volume(Record):
    """A record with labels and a text."""

    text: object = ""
    authors: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Its authors and topics."""
        return {"author": self.authors, "topic": self.topics} if self.authors or self.topics else {}


@attrs.frozen(kw_only=True)
class Loan(Details):
    reader: str | None = attrs.field(default=None, metadata=PARTY)
    grade: Tone | None = attrs.field(default=None, metadata=LEVEL)
    overdue: bool = attrs.field(default=False, metadata=CODE)
    days: int = 0


def volume(id: str = "V", **changes: Any) -> Volume:
    """A volume as it is stored."""
    fields: dict[str, Any] = {"id": id, "kind": "volume", "state": "in", "version": 1, "unit": "a", "created_by": "ann"}
    return Volume(**{**fields, "created_at": NOW, "updated_at": NOW, **changes})


def entry(record: str = "V", sequence: int = 1, **changes: Any) -> Entry:
    """An entry of a volume."""
    fields: dict[str, Any] = {
        "record_id": record,
        "sequence": sequence,
        "trigger": "lend",
        "source": "in" if sequence > 1 else None,
        "dest": "in",
        "actor": Actor(id="kai"),
        "at": NOW,
        "recorded_at": NOW + timedelta(hours=1),
    }
    return Entry(**{**fields, **changes})


def test_a_draft_refuses_fields_with_the_choices() -> None:
    """An unknown field is refused with the fields that a draft takes, a missing one with the class."""

    @attrs.frozen(kw_only=True)
    class Shelf(Record):
        width: int

    taken = [
        "id",
        "unit",
        "parent",
        "title",
        "category",
        "assignee",
        "due_at",
        "secrecy",
        "width",
    ]
    assert problem(lambda: Shelf.draft(width=1, colour="red")) == (
        "colour",
        "unknown_field",
        {"owner": "Shelf", "choices": taken},
    )
    assert problem(Shelf.draft) == ("width", "missing_field", {"owner": "Shelf"})
    assert problem(lambda: Shelf.draft(width=1, version=1)) == ("version", "set_by_flow", {})
    made = Shelf.draft(width=1, kind="shelf", title="t")
    assert (type(made), made.width, made.kind, made.title) == (Shelf, 1, "shelf", "t")


def test_a_record_belongs_to_its_creator_and_authors() -> None:
    """A record belongs to its creator and authors; the scopes OWN, UNIT and ANY cover it accordingly."""
    made = volume(authors=("bo",))
    assert [made.belongs_to(id) for id in ("ann", "bo", "kai")] == [True, True, False]
    assert Record(created_by="ann").belongs_to("ann")
    assert not Record(created_by="ann").belongs_to("bo")
    assert Record().labels() == {}
    for scope, held in ((OWN, [True, True, False]), (UNIT, [False, True, True]), (ANY, [True, True, True])):
        people = [("ann", "z"), ("bo", "a"), ("kai", "a")]
        assert [made.within(scope, id, unit) for id, unit in people] == held
    assert volume(secrecy="secret").readable_by(Actor(id="x", clearance=Secrecy.SECRET))
    assert not volume(secrecy="secret").readable_by(Actor(id="x", clearance=Secrecy.CONFIDENTIAL))


def test_the_marks_of_an_entry_are_fields_of_its_details() -> None:
    """A mark is the value of the marked field: a text as it is, an enum's value, the name of a true flag."""
    marked = entry(details=Loan(reader="R", grade=Tone.HIGH, overdue=True))
    assert [marked.mark(name) for name in ("party", "level", "code", "other")] == ["R", "high", "overdue", None]
    unmarked = entry(details=Loan())
    assert [unmarked.mark(name) for name in ("party", "level", "code")] == [None, None, None]
    assert entry().mark("party") is entry(details={"party": "x"}).mark("party") is None
    assert entry(details=cast(Any, Loan(reader=cast(str, None)))).mark("party") is None

    @attrs.frozen
    class Numbered:
        number: int = attrs.field(metadata=LEVEL)

    assert entry(details=Numbered(7)).mark("level") == "7"
    assert entry(record="R", sequence=3).ref == "R@3"


def test_the_same_content_but_for_some_fields() -> None:
    """`same_content` compares values of one class, without some fields."""
    one = Loan(reader="R", days=1)
    assert same_content(one, Loan(reader="R", days=2), but=frozenset({"days"}))
    assert not same_content(one, Loan(reader="S", days=1), but=frozenset({"days"}))
    assert not same_content(one, Loan(reader="R", days=2), but=frozenset())
    assert not same_content(Inside(), Loan(), but=frozenset({"depth", "day"}))


# ---------------------------------------------------------------------------------------------------------------
# Queries


def test_an_interval_has_two_ends() -> None:
    """An end before the start is refused with both; an interval of one instant holds nothing; times become UTC."""
    late = NOW + timedelta(hours=1)
    assert problem(lambda: Interval(late, NOW)) == ("interval", "interval", {"start": late, "end": NOW})
    assert NOW not in Interval(NOW, NOW)
    assert Interval(start=datetime(2022, 6, 1, 20, tzinfo=EAST)).start is not None
    assert cast(datetime, Interval(end=datetime(2022, 6, 1, 20, tzinfo=EAST)).end).tzinfo is UTC
    with pytest.raises(InvalidValue):
        Interval(cast(datetime, "x"))


def test_the_range_of_years() -> None:
    """The years 2 to 9998 are intervals in any zone; others are refused with the range."""
    facts = {"least": 2, "most": 9998}
    for year in (1, 9999):
        assert problem(lambda year=year: Interval.year(year, UTC)) == ("year", "range", {"given": year, **facts})  # type: ignore[misc]  # bound now
    for year in (2, 9998):
        found = Interval.year(year, EAST)
        assert (found.start, found.end) == (
            datetime(year, 1, 1, tzinfo=EAST),
            datetime(year + 1, 1, 1, tzinfo=EAST),
        )


def test_a_query_refuses_with_the_choices() -> None:
    """An unknown order and a limit out of range are refused with the choices; both ends of the range are allowed."""
    facts = {"given": "'-colour'", "choices": ORDERS}
    assert problem(lambda: Query(order=["title", "-colour"])) == ("order", "choice", facts)
    for limit in (0, 10_001):
        range_of = {"given": limit, "least": 1, "most": 10_000}
        assert problem(lambda limit=limit: Query(limit=limit)) == ("limit", "range", range_of)  # type: ignore[misc]  # bound now
    assert (Query(limit=1).limit, Query(limit=10_000).limit, Query().limit) == (1, 10_000, 100)
    assert problem(lambda: Query(state=cast(Any, 7)))[:2] == ("state", "type")


@pytest.mark.parametrize(
    ("order", "keys"),
    [
        ("title", (("title", False), ("id", False))),
        ("-title", (("title", True), ("id", True))),
        (["-title", "state"], (("title", True), ("state", False), ("id", False))),
        (["state", "-title"], (("state", False), ("title", True), ("id", True))),
        (["-title", "title"], (("title", True), ("id", True))),
        (["-id", "title"], (("id", True), ("title", False))),
        ([], (("id", False),)),
    ],
)
def test_an_order_is_total(order: Any, keys: tuple[tuple[str, bool], ...]) -> None:
    """Each key is used once, as it was named first; the id is last, in the direction of the key before it."""
    assert Query(order=order).sort_keys() == keys


def test_a_cursor_is_a_position_in_an_order() -> None:
    """A cursor is safe in a URL, whatever its texts, and gives back the position; another order refuses it."""
    query = Query(order="-title", limit=1)
    for place in (("?>~ü中", "id"), ("", ""), ("a" * 50, "\x7f>>>???")):
        cursor = query.cursor_after(place)
        assert not set(cursor) & set("+/ \n")
        assert attrs.evolve(query, cursor=cursor).place() == place
        torn = cursor[:4] + "!\n" + cursor[4:]
        assert problem(attrs.evolve(query, cursor=torn).place) == ("cursor", "cursor", {})
        assert problem(Query(cursor=cursor).place) == ("cursor", "cursor", {})
    assert query.place() is None
    assert problem(attrs.evolve(query, cursor=query.cursor_after(("x",))).place) == ("cursor", "cursor", {})
    assert problem(attrs.evolve(query, cursor="?").place) == ("cursor", "cursor", {})
    fresh = Query(order="-title").cursor_after(("x", "y"))
    assert fresh == "WyItdGl0bGUsLWlkIiwgIngiLCAieSJd"
    assert Query(order="title").cursor_after(("中", "y")) == "WyJ0aXRsZSxpZCIsICLkuK0iLCAieSJd"


def test_a_position_is_made_of_sortable_texts() -> None:
    """Times have one width, no time sorts after all times, numbers and texts are texts."""
    made = volume(due_at=datetime(2022, 6, 1, 20, tzinfo=EAST), title="t")
    assert place_of(made, ["due_at", "title", "id", "parent", "version"]) == (
        "2022-06-01T12:00:00.000000+00:00",
        "t",
        "V",
        "never",
        "1",
    )


def test_a_page_is_its_records() -> None:
    """A page is iterable, has a length, and keeps the order."""
    made = Page((volume("a"), volume("b")), "next")
    assert ([one.id for one in made], len(made), made.next) == (["a", "b"], 2, "next")


def test_a_group_refuses_with_the_choices() -> None:
    """A group is one name or several, each known and named once; records or entries are counted."""
    choices = RECORD_GROUPS + LABEL_GROUPS + ENTRY_GROUPS
    assert grouping("records", "kind") == ("kind",)
    assert grouping("entries", ["kind", "level"]) == ("kind", "level")
    assert grouping("records", ()) == ()
    assert problem(lambda: grouping("records", ["kind", "hue"])) == (
        "group",
        "choice",
        {"given": "'hue'", "choices": choices},
    )
    assert problem(lambda: grouping("records", ["kind", "state", "kind"])) == ("group", "twice", {"given": "kind"})
    assert problem(lambda: grouping("words", "kind")) == (
        "of",
        "choice",
        {"given": "'words'", "choices": ("records", "entries")},
    )
    assert problem(lambda: grouping("records", cast(Any, 7))) == (
        "group",
        "type",
        {"expected": "str | list[str]", "given": "int 7"},
    )


def test_a_visibility_rule_covers_a_record() -> None:
    """A record is covered by a grant with its kind, its state and one scope that holds, within the clearance."""
    own = Grant(kind="volume", scopes=frozenset({OWN}))
    here = Grant(kind="volume", scopes=frozenset({UNIT, OWN}), states=frozenset({"in"}))
    other = Grant(kind="other", scopes=frozenset({ANY}))

    def sees(*grants: Grant, **changes: Any) -> bool:
        rule = Visibility(actor="ann", unit="a", clearance=Secrecy.CONFIDENTIAL, grants=grants)
        return rule.covers(volume(**changes))

    assert sees(own)
    assert sees(other, own)
    assert not sees(other)
    assert not sees()
    assert not sees(own, created_by="kai")
    assert sees(here, created_by="kai")
    assert not sees(here, created_by="kai", unit="z")
    assert not sees(here, state="out")
    assert sees(own, secrecy="confidential")
    assert not sees(own, secrecy="secret")


# ---------------------------------------------------------------------------------------------------------------
# Matching and memory


HISTORY = {
    "V": [
        entry(details=Loan(reader="R", grade=Tone.HIGH)),
        entry(
            sequence=2, trigger="back", actor=Actor(id="ann"), at=NOW - timedelta(days=9), details=Loan(overdue=True)
        ),
    ]
}


def matched(record: Volume | None = None, **fields: Any) -> bool:
    """Whether a query finds a volume."""
    return matching.matches(Query(**fields), record or volume(), lambda id: HISTORY.get(id, []))


def test_a_query_matches_by_each_field() -> None:
    """A query matches by each field that it names, and by no other."""
    made = volume(
        state="in",
        unit="a",
        parent="P",
        category="C",
        assignee="kai",
        secrecy="secret",
        title="Tide and time",
        text="Wind",
        authors=("bo", "cy"),
        topics=("sea",),
        due_at=NOW,
    )
    right: dict[str, Any] = {
        "id": "V",
        "kind": "volume",
        "state": ["in", "out"],
        "unit": "a",
        "parent": "P",
        "category": "C",
        "assignee": {None, "kai"},
        "secrecy": Secrecy.SECRET,
        "created_by": "ann",
        "author": "cy",
        "topic": {"sea", "sky"},
        "text": "and t",
        "created_at": Interval(NOW, NOW + timedelta(1)),
        "updated_at": Interval(NOW),
        "due_at": Interval(NOW),
        "happened": Happened(trigger="lend"),
    }
    assert matched(made)
    assert matched(made, **right)
    wrong_ones: dict[str, Any] = {
        **{name: "no" for name, value in right.items() if not isinstance(value, Interval | Happened)},
        **{name: Interval(None, NOW) for name in ("created_at", "updated_at", "due_at")},
        "happened": Happened(trigger="no"),
    }
    for name, value in wrong_ones.items():
        assert matched(made, **{name: right[name]}), name
        assert not matched(made, **{**right, name: value}), name
    assert matched(made, text="Wind")
    assert matched(made, text={"no", "Wind"})
    assert matched(made, text="wIND")
    assert not matched(made, text="winds")
    assert not matched(volume(text=7), text="7")
    bare = Record(id="V", title="t")
    assert [matching.matches(Query(text=text), bare, lambda _: []) for text in ("t", "", "X")] == [True, True, False]
    assert not matched(volume(due_at=None), due_at=Interval())
    assert matched(author={None})
    assert matched(volume(topics=("sea",)), author={None, "x"})
    assert not matched(volume(authors=("bo",)), author={None})
    rule = Visibility(actor="x", unit="z", clearance=Secrecy.INTERNAL, grants=())
    assert not matched(visible=rule)


def test_one_entry_meets_all_conditions_of_happened() -> None:
    """All conditions of a `Happened` are met by one and the same entry."""
    one, two = HISTORY["V"]
    right: dict[str, Any] = {
        "trigger": "lend",
        "actor": "kai",
        "party": "R",
        "level": Tone.HIGH,
        "code": {None},
        "at": Interval(NOW),
        "recorded_at": Interval(NOW),
    }
    assert matching.fits(Happened(**right), one)
    assert matching.fits(Happened(), two)
    wrong_ones = {
        "trigger": "back",
        "actor": "ann",
        "party": {None},
        "level": "low",
        "code": "overdue",
        "at": Interval(None, NOW),
        "recorded_at": Interval(None, NOW),
    }
    for name, value in wrong_ones.items():
        assert not matching.fits(Happened(**{**right, name: value}), one), name
    assert matched(happened=Happened(trigger="back", code="overdue"))
    assert not matched(happened=Happened(trigger="lend", code="overdue"))
    assert not matched(volume("other"), happened=Happened())


def test_pages_follow_each_other() -> None:
    """The pages have each record once, in the order, and a cursor as long as more records follow."""
    shelf = [volume(id, title=title) for id, title in (("a", "x"), ("b", "y"), ("c", "x"), ("d", "z"), ("e", "y"))]
    for order, ids in (("title", "acbed"), ("-title", "debca"), ("id", "abcde"), (["-title", "id"], "dbeac")):
        for limit in (1, 2, 3, 4, 5, 6):
            seen: list[str] = []
            query = Query(order=order, limit=limit)
            while True:
                page = matching.page(query, shelf, lambda _: [])
                assert len(page) == min(limit, 5 - len(seen))
                seen += [one.id for one in page]
                if page.next is None:
                    break
                query = attrs.evolve(query, cursor=page.next)
            assert "".join(seen) == ids
            assert len(seen) == 5
    nothing = matching.page(Query(id="no"), shelf, lambda _: [])
    assert (nothing.records, nothing.next) == ((), None)


def test_counts_are_of_records_or_entries() -> None:
    """A record counts once in each group, an entry each time; each value of a label is a group, None without one."""
    shelf = [
        volume("V", authors=("bo", "cy", "bo"), secrecy="secret"),
        volume("W", unit="b"),
        volume("X"),
    ]
    histories = {
        **HISTORY,
        "W": [entry("W", trigger="lend"), entry("W", 2, trigger="lend", details=Loan(reader="R"))],
    }

    def counted(of: Any = "records", group: Any = (), **fields: Any) -> dict[Any, int]:
        return matching.count(Query(**fields), shelf, lambda id: histories.get(id, []), of, group)

    assert counted() == {(): 3}
    assert counted(id="no") == {(): 0}
    assert counted("entries") == {(): 4}
    assert counted(group="unit") == {("a",): 2, ("b",): 1}
    assert counted(group="unit", id="no") == {}
    assert counted(group=["unit", "author"]) == {("a", "bo"): 1, ("a", "cy"): 1, ("b", None): 1, ("a", None): 1}
    assert counted(group="secrecy") == {("secret",): 1, ("internal",): 2}
    assert {type(key) for (key,) in counted(group="secrecy")} == {str}
    assert counted(group="trigger") == {("lend",): 2, ("back",): 1}
    assert counted("entries", "trigger") == {("lend",): 3, ("back",): 1}
    assert counted("entries", "author") == {("bo",): 2, ("cy",): 2, (None,): 2}
    assert counted("entries", "trigger", happened=Happened(party="R")) == {("lend",): 2}
    assert counted(group="party", happened=Happened(trigger="lend")) == {("R",): 2, (None,): 1}
    assert counted("entries", ["level", "code"]) == {("high", None): 1, (None, "overdue"): 1, (None, None): 2}
    assert counted("entries", "actor") == {("kai",): 3, ("ann",): 1}
    assert counted("entries", "source") == {(None,): 2, ("in",): 2}
    assert counted(happened=Happened(trigger="back")) == {(): 1}
    assert problem(lambda: counted(group="hue"))[:2] == ("group", "choice")
    assert problem(lambda: counted("words"))[:2] == ("of", "choice")


def change(record: Volume, expected: int | None, **changes: Any) -> Change:
    """A change with all its entries; the head of each version is the same at each call."""

    def head(version: int) -> str:
        return f"{record.id}@{version}" if version else ""

    numbers = range((expected or 0) + 1, record.version + 1)
    entries = [entry(record.id, number, **{"digest": head(number), **changes}) for number in numbers]
    sealed = [seal(one, previous="", salt="00" * 16)._replace(digest=one.digest) for one in entries]
    record = attrs.evolve(record, head=entries[-1].digest)
    seen = None if expected is None else Seen(expected, head(expected))
    return Change(record=record, expected=seen, entries=entries, sealed=sealed)


def test_memory_refuses_in_the_contract_s_order() -> None:
    """Missing, existing, conflicting: each error names all records in the order of the changes; nothing is written."""
    store = MemoryStore()
    store.commit([change(volume("a"), None), change(volume("b"), None), change(volume("c"), None)])
    later = [change(volume(id, version=2), 1) for id in ("x", "y")]
    taken = [change(volume(id), None) for id in ("b", "a")]
    moved = [change(volume("c", version=3), 2)]
    rewritten = attrs.evolve(change(volume("a", version=2), 1), expected=Seen(1, "another content"))
    for changes, error, ids in (
        ([*moved, *taken, *later], RecordNotFound, ("x", "y")),
        ([*moved, *taken, change(volume("new"), None)], AlreadyExists, ("b", "a")),
        ([change(volume("new"), None), *moved, rewritten], Conflict, ("c", "a")),
    ):
        with pytest.raises(error) as raised:
            store.commit(changes)
        assert raised.value.ids == ids
        assert len(store.feed()) == 3
    assert problem(lambda: store.commit([*taken, *taken]))[:2] == ("changes", "twice")
    with pytest.raises(RecordNotFound) as missing:
        store.get(["no", "a", "none", "no"])
    assert missing.value.ids == ("no", "none")


def test_memory_returns_what_it_stored() -> None:
    """Records, histories, keys and the feed, in the orders of the contract."""
    store = MemoryStore()
    store.commit([change(volume("a", version=2), None, key=None), change(volume("b"), None, key="k")])
    store.commit([change(volume("a", version=3), 2)])
    assert [one.version for one in store.get(["b", "a", "b"])] == [1, 3, 1]
    assert [(one.record_id, one.sequence) for one in store.history(["b", "no", "a"])] == [
        ("b", 1),
        ("a", 1),
        ("a", 2),
        ("a", 3),
    ]
    assert store.by_key("kai", "k") == store.history(["b"])[0]
    assert store.by_key("ann", "k") is None
    items = [(one.position, one.entry.record_id, one.entry.sequence) for one in store.feed()]
    assert items == [(1, "a", 1), (2, "a", 2), (3, "b", 1), (4, "a", 3)]
    assert [one.position for one in store.feed(1, 2)] == [2, 3]
    assert [one.position for one in store.feed(after=3)] == [4]
    assert [one.position for one in store.feed(0, 1)] == [1]
    assert store.count(Query()) == {(): 2}
    assert store.find(Query(order="id")).records == tuple(store.get(["a", "b"]))
    assert store.count(Query(happened=Happened(trigger="lend")), "entries", ["kind"]) == {("volume",): 4}
    store.commit([change(volume(f"z{number:03}"), None) for number in range(120)])
    assert (len(store.feed()), len(store.feed(limit=1000))) == (100, 124)
