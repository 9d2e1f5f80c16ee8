"""Classes change: older rows are upgraded, what a newer program wrote is kept, and a faulty schema is told."""

import copy
import enum
import json
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from reportflow import (
    ANY,
    SAME,
    Actor,
    Details,
    InvalidDefinition,
    InvalidValue,
    Lifecycle,
    MemoryStore,
    Query,
    Record,
    ReportFlow,
    Schema,
    SqlStore,
    State,
    Transition,
    UnreadableRecord,
    Value,
    replay,
)
from reportflow.model.values import extras_of, field_names, not_blank
from reportflow.serialization.evolution import VERSION
from reportflow.serialization.plain import from_json, from_plain, to_json, to_plain
from reportflow.serialization.stored import load_stored, load_trusted

ANN = Actor(id="ann", roles={"clerk"})


def own_fields(record: type[Any]) -> list[str]:
    """The fields that a class adds to `Record`."""
    return [name for name in field_names(record) if name not in field_names(Record)]


def lifecycle(record: type[Any], details: type[Any] | None = None, *, version: int = 1, **sets: Any) -> Lifecycle:
    """A lifecycle of a class of records, and of one of details."""
    return Lifecycle(
        name="request",
        version=version,
        record=record,
        roles={"clerk": ANY},
        states=[State("open", final=True)],
        transitions=[
            Transition("create", source=None, dest="open", roles={"clerk"}, accepts=own_fields(record)),
            Transition("move", source="open", dest=SAME, roles={"clerk"}, details=details, sets=sets),
            Transition("touch", source="open", dest=SAME, roles={"clerk"}),
        ],
    )


# -- one office, before and after -----------------------------------------------------------------------------------


class Urgency(enum.Enum):
    """How urgent something was, before there were only two degrees."""

    LOW = "low"
    HIGH = "high"
    EXTREME = "extreme"


class Degree(enum.Enum):
    """The degrees of today."""

    LOW = "low"
    HIGH = "high"


def old() -> SimpleNamespace:
    """The classes of the first version."""

    @attrs.frozen
    class Place:  # not derived from Value
        name: str
        floor: str = "0"

    @attrs.frozen(kw_only=True)
    class Inquiry(Record):
        text: str = ""
        days: str = "1"
        urgency: Urgency = Urgency.LOW
        forgotten: int = 0
        place: Place | None = None
        places: tuple[Place, ...] = ()

    @attrs.frozen(kw_only=True)
    class Move(Details):
        days: str
        why: str = attrs.field(validator=not_blank)

    return SimpleNamespace(Place=Place, Record=Inquiry, Move=Move, lifecycle=lifecycle(Inquiry, Move, days="days"))


def _request(plain: dict[str, Any]) -> dict[str, Any]:
    plain["body"] = plain.pop("text")
    plain["days"] = int(plain["days"])
    if plain["urgency"] == "extreme":
        plain["urgency"] = "high"
    del plain["forgotten"]
    return plain


def new() -> SimpleNamespace:
    """The classes of today: a field added, removed, renamed and retyped, a class renamed, a member dropped."""

    @attrs.frozen
    class Place:
        __schema__ = Schema(version=2, upgraders={1: lambda plain: {**plain, "floor": int(plain["floor"])}})
        name: str
        floor: int = 0

    @attrs.frozen(kw_only=True)
    class Request(Record):
        __schema__ = Schema(version=2, upgraders={1: _request}, formerly=("Inquiry",))
        body: str = ""
        days: int = 1
        urgency: Degree = Degree.LOW
        place: Place | None = None
        places: tuple[Place, ...] = ()
        added: tuple[str, ...] = attrs.field(default=("x",), converter=tuple)

    @attrs.frozen(kw_only=True)
    class Move(Details):
        __schema__ = Schema(
            version=3,
            upgraders={
                1: lambda plain: {"days": int(plain["days"]), "reason": plain["why"]},
                2: lambda plain: {"days": plain["days"], "why": plain["reason"]},
            },
        )
        days: int
        why: str = attrs.field(validator=not_blank)

    return SimpleNamespace(Place=Place, Record=Request, Move=Move, lifecycle=lifecycle(Request, Move, days="days"))


words = st.text("ab字 ", min_size=1, max_size=5)
places = st.tuples(words, st.integers(0, 9))


@contextmanager
def one_database() -> Iterator[Callable[[Lifecycle], ReportFlow]]:
    """What opens flows of any lifecycle on one and the same database."""
    first = SqlStore("sqlite://")

    def opened(one: Lifecycle) -> ReportFlow:
        store = SqlStore(first.engine)  # without the classes of the first
        return ReportFlow(store, one)

    try:
        yield opened
    finally:
        first.close()


def data_of(flow: ReportFlow, id: str) -> dict[str, Any]:
    """What is stored of a record in its long columns."""
    with flow.store.engine.connect() as connection:  # type: ignore[attr-defined]  # an SqlStore
        row = connection.execute(text("SELECT data FROM reportflow_record WHERE id = :id"), {"id": id}).scalar_one()
    found: dict[str, Any] = json.loads(row)
    return found


def entries_of(flow: ReportFlow) -> list[Any]:
    """The entries as they are stored."""
    return flow.store.sealed()


@settings(max_examples=12)
@given(words, st.integers(0, 99), st.sampled_from(Urgency), st.none() | places, st.lists(places, max_size=3))
def test_old_rows_are_read_by_the_classes_of_today(
    body: str, days: int, urgency: Urgency, place: tuple[str, int] | None, several: list[tuple[str, int]]
) -> None:
    """A record and a history of the first version are read in today's shape; only writing it rewrites its row."""
    before, today = old(), new()
    with one_database() as opened:
        flow = opened(before.lifecycle)
        there = None if place is None else before.Place(place[0], str(place[1]))
        draft = before.Record.draft(
            text=body, days="5", urgency=urgency, place=there,
            places=tuple(before.Place(name, str(floor)) for name, floor in several),
        )  # fmt: skip
        record = flow.create(draft, by=ANN)
        flow.fire(record, "move", before.Move(days=str(days), why="w"), by=ANN)
        sealed, stored = entries_of(flow), data_of(flow, record.id)
        assert VERSION not in stored

        flow = opened(today.lifecycle)
        read: Any = flow.get(record.id, by=ANN)
        assert type(read) is today.Record
        assert (read.body, read.days, read.added) == (body, days, ("x",))
        assert read.urgency.value == ("low" if urgency is Urgency.LOW else "high")
        assert read.place == (None if place is None else today.Place(*place))
        assert read.places == tuple(today.Place(*one) for one in several)
        assert flow.find(Query(), by=ANN).records == (read,)
        assert replay(flow.store.history([read.id]), today.lifecycle) == read
        assert flow.history(read.id, by=ANN)[1].details == today.Move(days=days, why="w")
        assert (entries_of(flow), data_of(flow, read.id)) == (sealed, stored)

        after = flow.fire(read, "touch", by=ANN)
        assert entries_of(flow)[:2] == sealed
        assert data_of(flow, read.id)[VERSION] == 2
        assert data_of(flow, read.id)["$type"] == "Request"
        assert flow.store.get([read.id]) == [after]
        assert replay(flow.store.history([read.id]), today.lifecycle) == after


def test_data_of_today_carries_its_version_where_it_is_above_the_first() -> None:
    """`$version` stands beside `$type`, and in nested values too, only where a class is above its first version."""
    today, before = new(), old()
    plain = to_plain(today.Record.draft(place=today.Place("a", 1)))
    assert list(plain)[:2] == ["$type", "$version"]
    assert plain["place"] == {"$version": 2, "name": "a", "floor": 1}
    assert "$version" not in to_json(before.Record.draft(place=before.Place("a")))
    value = today.Move(days=1, why="w")
    assert from_plain(to_plain(value), today.Move) == from_json(to_json(value), today.Move) == value
    assert load_trusted(to_plain(value), today.Move) == load_stored(to_plain(value), today.Move) == value


def test_what_a_caller_hands_in_of_an_older_version_is_upgraded_and_validated() -> None:
    """`from_plain` upgrades too, and judges by the validators; what was stored is judged by none."""
    today = new()
    assert from_plain({"days": "4", "why": "w"}, today.Move) == today.Move(days=4, why="w")
    with pytest.raises(InvalidValue):
        from_plain({"days": "4", "why": ""}, today.Move)
    assert load_stored({"days": "4", "why": ""}, today.Move).why == ""
    with pytest.raises(InvalidValue):
        load_stored({VERSION: 3, "days": "4", "why": ""}, today.Move)


@pytest.mark.parametrize("tags", [None, (), ("a",)])
@pytest.mark.parametrize("several", [None, (), (Urgency.LOW,)])
def test_what_has_the_shape_of_today_is_read_as_it_was(tags: Any, several: Any) -> None:
    """The fast path and the slow path give the same value, empty and absent collections told apart."""

    @attrs.frozen(kw_only=True)
    class Tagged(Details):
        tags: tuple[str, ...] | None
        several: tuple[Urgency, ...] | None

    value = Tagged(tags=tags, several=several)
    assert load_trusted(to_plain(value), Tagged) == load_stored(to_plain(value), Tagged) == value
    wrong: dict[str, Any]
    for wrong in ({"tags": "ab"}, {"tags": [1]}, {"several": ["none"]}, {"several": {}}):
        with pytest.raises(InvalidValue):
            load_trusted({**to_plain(value), **wrong}, Tagged)


def test_an_upgrader_is_given_a_copy() -> None:
    """An upgrader that changes what it is given changes nothing of its caller's."""

    def spoil(plain: dict[str, Any]) -> dict[str, Any]:
        plain["tags"].append("y")
        return plain

    @attrs.frozen
    class Tagged:
        __schema__ = Schema(version=2, upgraders={1: spoil})
        tags: tuple[str, ...]

    plain = {"tags": ["x"]}
    kept = copy.deepcopy(plain)
    assert load_stored(plain, Tagged).tags == ("x", "y")
    assert plain == kept


def test_an_upgrader_of_a_record_sees_what_its_class_adds() -> None:
    """The columns that every record has are neither shown to an upgrader nor set by one."""
    seen: list[set[str]] = []

    def upgrade(plain: dict[str, Any]) -> dict[str, Any]:
        seen.append(set(plain))
        return plain

    @attrs.frozen(kw_only=True)
    class Paper(Record):
        __schema__ = Schema(version=2, upgraders={1: upgrade})
        text: str = ""

    plain = to_plain(Paper.draft(text="a", title="b"))
    del plain[VERSION]
    assert load_stored(plain, Paper).title == "b"
    assert seen == [{"text"}]


# -- a newer program beside an older one ------------------------------------------------------------------------------


def older() -> SimpleNamespace:
    """The classes of the program that is replaced."""

    @attrs.frozen
    class Author(Value):
        name: str

    @attrs.frozen(kw_only=True)
    class Paper(Record):
        text: str = ""
        authors: tuple[Author, ...] = ()
        by_role: Author | None = None

    @attrs.frozen(kw_only=True)
    class Write(Details):
        text: str

    @attrs.frozen(kw_only=True)
    class Sign(Details):
        authors: tuple[Author, ...]

    return SimpleNamespace(Author=Author, Paper=Paper, Write=Write, Sign=Sign, lifecycle=_papers(Paper, Write, Sign))


def newer(version: int) -> SimpleNamespace:
    """The classes of the program that replaces it: a field more in a record and in its authors."""
    schema = Schema(version=version, upgraders=dict.fromkeys(range(1, version), dict))

    @attrs.frozen
    class Author(Value):
        __schema__ = schema
        name: str
        post: str = ""

    @attrs.frozen(kw_only=True)
    class Paper(Record):
        __schema__ = schema
        text: str = ""
        authors: tuple[Author, ...] = ()
        by_role: Author | None = None
        mood: tuple[int, ...] = ()
        day: date | None = None

    @attrs.frozen(kw_only=True)
    class Write(Details):
        __schema__ = schema
        text: str
        pen: str = ""

    @attrs.frozen(kw_only=True)
    class Sign(Details):
        authors: tuple[Author, ...]

    return SimpleNamespace(Author=Author, Paper=Paper, Write=Write, Sign=Sign, lifecycle=_papers(Paper, Write, Sign))


def _papers(record: type[Any], write: type[Any], sign: type[Any]) -> Lifecycle:
    return Lifecycle(
        name="paper",
        version=1,
        record=record,
        roles={"clerk": ANY},
        states=[State("open", final=True)],
        transitions=[
            Transition("create", source=None, dest="open", roles={"clerk"}, accepts=own_fields(record)),
            Transition("write", source="open", dest=SAME, roles={"clerk"}, details=write, sets={"text": "text"}),
            Transition("sign", source="open", dest=SAME, roles={"clerk"}, details=sign, sets={"authors": "authors"}),
            Transition("touch", source="open", dest=SAME, roles={"clerk"}),
        ],
    )


posts = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["", "p", "q"])), max_size=4)


@settings(max_examples=12)
@given(posts, st.integers(1, 3), st.booleans(), st.booleans(), st.randoms(use_true_random=False))
def test_an_older_program_keeps_what_a_newer_one_wrote(
    several: list[tuple[str, str]], version: int, by_id: bool, longer: bool, chance: Any
) -> None:
    """In a rolling deploy an older program writes a record, reorders and lengthens its tuples, and nothing is lost."""
    past, today = older(), newer(version)
    with one_database() as opened:
        young, aged = opened(today.lifecycle), opened(past.lifecycle)
        authors = tuple(today.Author(*one) for one in several)
        draft = today.Paper.draft(
            text="t", authors=authors, by_role=today.Author("r", "post"), mood=(1, 2), day=date(2026, 1, 2)
        )
        first = young.create(draft, by=ANN)
        young.fire(first, "write", today.Write(text="u", pen="ink"), by=ANN)

        read: Any = aged.get(first.id, by=ANN)
        assert replay(aged.store.history([read.id]), past.lifecycle) == read
        target: Any = read.id if by_id else read
        target = aged.fire(target, "write", past.Write(text="changed"), by=ANN)
        order = list(range(len(several)))
        chance.shuffle(order)
        # equal ones are told apart by their order alone, so they must keep it
        if len({name for name, _ in several}) < len(several):
            order.sort()
        signed = [read.authors[n] for n in order] + [past.Author("new")] * longer
        aged.fire(read.id if by_id else target, "sign", past.Sign(authors=tuple(signed)), by=ANN)
        aged.fire(read.id, "touch", by=ANN)

        back: Any = young.get(first.id, by=ANN)
        assert (back.text, back.mood, back.day, back.by_role) == (
            "changed", (1, 2), date(2026, 1, 2), today.Author("r", "post"),
        )  # fmt: skip
        expected = [authors[n] for n in order] + [today.Author("new")] * longer
        assert list(back.authors) == expected
        if version > 1:
            assert data_of(young, first.id)[VERSION] == version


def test_what_is_kept_beside_a_record_is_no_part_of_it() -> None:
    """Equality, hash, `repr`, copies and pickles know nothing of what a newer program wrote."""
    past, today = older(), newer(2)
    plain = to_plain(today.Paper.draft(id="r", text="t", mood=(1,)))
    record = load_stored(plain, past.Paper)
    known = load_stored(to_plain(past.Paper.draft(id="r", text="t")), past.Paper)
    assert record == known
    assert hash(record) == hash(known)
    assert repr(record) == repr(known)
    assert extras_of(record) is not None
    assert extras_of(known) is extras_of(attrs.evolve(record, text="u")) is extras_of(copy.copy(record)) is None
    assert to_plain(record) == plain


def test_equal_values_keep_what_is_beside_each() -> None:
    """Of two authors who are equal to the older program each gets back what was stored beside it, in their order."""
    past, today = older(), newer(2)
    authors = (today.Author("a", "p"), today.Author("a", "q"), today.Author("b", "r"))
    record = load_stored(to_plain(today.Paper.draft(authors=authors)), past.Paper)
    assert load_stored(to_plain(record), today.Paper).authors == authors


def test_unknown_fields_are_refused_where_no_newer_program_wrote_them() -> None:
    """Plain data of a caller in this program's version with a field more is refused, as a slip would be."""
    past = older()
    with pytest.raises(InvalidValue):
        from_plain({"text": "a", "colour": "red"}, past.Write)
    assert from_plain({VERSION: 2, "text": "a", "colour": "red"}, past.Write) == past.Write(text="a")


# -- what cannot be read ----------------------------------------------------------------------------------------------


def raises(plain: dict[str, Any]) -> dict[str, Any]:
    """An upgrader with a fault."""
    raise KeyError("秘密")


FAULTY: dict[str, Any] = {
    "raises": raises,
    "gives no dict": lambda plain: "秘密",
    "gives nothing": lambda plain: None,
    "leaves a field": lambda plain: {**plain, "left": "秘密"},
    "leaves a value that does not fit": lambda plain: {**plain, "days": "秘密"},
    "sets a column": lambda plain: {**plain, "title": "秘密"},
    "gives keys that are no names": lambda plain: {**plain, 1: "秘密"},
}


@pytest.mark.parametrize("kind", FAULTY)
def test_a_faulty_upgrader_makes_its_record_unreadable(kind: str) -> None:
    """An upgrader that raises or gives what cannot be built is told with class, version and place, never content."""

    @attrs.frozen(kw_only=True)
    class Old(Record):
        days: str = "1"

    @attrs.frozen(kw_only=True)
    class Today(Record):
        __schema__ = Schema(version=2, upgraders={1: FAULTY[kind]}, formerly=("Old",))
        days: int = 1

    with one_database() as opened:
        record = opened(lifecycle(Old)).create(Old.draft(days="秘密"), by=ANN)
        flow = opened(lifecycle(Today))
        fine = flow.create(Today.draft(days=3), by=ANN)
        with pytest.raises(UnreadableRecord) as caught:
            flow.get(record.id, by=ANN)
        error = caught.value
        assert (error.ids, error.owner, error.version) == ((record.id,), "Today", 1)
        for shown in (str(error), error.message("zh"), error.message("zh", reader="developer"), repr(error)):
            assert "秘密" not in shown
        assert error.__cause__ is None
        assert pickle.loads(pickle.dumps(error)).ids == (record.id,)
        page = flow.find(Query(), by=ANN)
        assert (page.records, page.unreadable) == ((fine,), (record.id,))


WRONG: dict[str, Any] = {
    "schema": 2,
    "schema_version": Schema(version=0),
    "upgraders": Schema(version=3, upgraders={1: dict}),
    "upgraders more": Schema(version=2, upgraders={1: dict, 2: dict}),
    "upgraders none": Schema(version=2),
    "upgraders no function": Schema(version=2, upgraders={1: "x"}),
    "upgraders no names": Schema(formerly=(1,)),  # type: ignore[arg-type]  # ditto
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("where", ["record", "details", "nested"])
def test_a_faulty_schema_is_a_fault_of_the_definition(kind: str, where: str) -> None:
    """A version without its upgraders is told when the lifecycle is built, in its record, its details and in these."""

    @attrs.frozen
    class Inner:
        if where == "nested":
            __schema__ = WRONG[kind]
        name: str = ""

    @attrs.frozen(kw_only=True)
    class Paper(Record):
        if where == "record":
            __schema__ = WRONG[kind]

    @attrs.frozen(kw_only=True)
    class Told(Details):
        if where == "details":
            __schema__ = WRONG[kind]
        several: tuple[Inner | None, ...] = ()

    with pytest.raises(InvalidDefinition) as caught:
        lifecycle(Paper, Told)
    assert [fault.code for fault in caught.value.faults] == [kind.split()[0]]
    for language in ("en", "zh"):
        assert {"record": "Paper", "details": "Told", "nested": "Inner"}[where] in caught.value.message(language)


# -- names side by side -----------------------------------------------------------------------------------------------


def plug_in(name: str, **fields: Any) -> tuple[Lifecycle, type[Any]]:
    """A lifecycle with a class `Ask` of its own, as another plug-in has it too."""
    ask: type[Any] = attrs.make_class("Ask", fields, bases=(Details,), frozen=True, kw_only=True)
    record: type[Any] = attrs.make_class("Sheet", {}, bases=(Record,), frozen=True, kw_only=True)
    made = Lifecycle(
        name=name,
        version=1,
        record=record,
        roles={"clerk": ANY},
        states=[State("open", final=True)],
        transitions=[
            Transition("create", source=None, dest="open", roles={"clerk"}),
            Transition("ask", source="open", dest=SAME, roles={"clerk"}, details=ask),
        ],
    )
    return made, ask


@settings(max_examples=12)
@given(words, st.integers())
def test_two_plug_ins_may_each_have_a_class_of_one_name(question: str, number: int) -> None:
    """Two lifecycles of one flow, each with a class `Ask` and a class `Sheet`, share a process and a database."""
    leave, ask_leave = plug_in("leave", question=attrs.field(type=str))
    goods, ask_goods = plug_in("goods", number=attrs.field(type=int))
    for store in (MemoryStore(), SqlStore("sqlite://")):
        with ReportFlow(store, [leave, goods]) as flow:
            one = flow.create(leave.record.draft(kind="leave"), by=ANN)
            two = flow.create(goods.record.draft(kind="goods"), by=ANN)
            one = flow.fire(one, "ask", ask_leave(question=question), by=ANN)
            two = flow.fire(two, "ask", ask_goods(number=number), by=ANN)
            assert flow.store.get([one.id, two.id]) == [one, two]
            assert [entry.details for entry in store.history([one.id, two.id])[1::2]] == [
                ask_leave(question=question),
                ask_goods(number=number),
            ]
            assert type(flow.get(one.id, by=ANN)) is leave.record
            for record in (one, two):
                assert replay(store.history([record.id]), [leave, goods]) == record


@settings(max_examples=12)
@given(st.lists(st.sampled_from([1, 2]), min_size=1, max_size=4))
def test_versions_live_side_by_side(versions: list[int]) -> None:
    """Records of two versions of a definition, with classes of their own, are read and folded by the one they name."""

    def made(version: int, field: str) -> Lifecycle:
        record: type[Any] = attrs.make_class(
            "Sheet", {field: attrs.field(type=str, default="")}, bases=(Record,), frozen=True, kw_only=True
        )
        told: type[Any] = attrs.make_class("Told", {field: attrs.field(type=str)}, bases=(Details,), frozen=True)
        return lifecycle(record, told, version=version, **{field: field})

    first, second = made(1, "text"), made(2, "body")
    by_version = {1: (first, "text"), 2: (second, "body")}
    for store in (MemoryStore(), SqlStore("sqlite://")):
        records = []
        for number, version in enumerate(versions):  # each was written when its version was the newest
            one, field = by_version[version]
            with_one = ReportFlow(store, one)
            draft = one.record.draft(**{field: f"old {number}"})
            record = with_one.create(draft, by=ANN)
            row = one.rows("move")[0]
            assert row.details is not None
            records.append(with_one.fire(record, "move", row.details(f"new {number}"), by=ANN))
        with ReportFlow(store, [first, second]) as flow:
            for number, (version, record) in enumerate(zip(versions, records, strict=True)):
                one, field = by_version[version]
                assert flow.get(record.id, by=ANN) == record
                assert type(record) is one.record
                assert [entry.lifecycle_version for entry in flow.history(record.id, by=ANN)] == [version] * 2
                then = flow.as_of(record.id, by=ANN, version=1)
                assert getattr(then, field) == f"old {number}"
                assert replay(store.history([record.id]), [first, second]) == record
