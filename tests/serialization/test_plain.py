"""Every value goes to plain data and back without loss; other data is `InvalidValue`."""

from __future__ import annotations

import contextlib
import enum
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import attrs
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from reportflow import (
    ANY,
    OWN,
    UNIT,
    Actor,
    Command,
    Details,
    Entry,
    Happened,
    Interval,
    InvalidValue,
    Query,
    Record,
    Refusal,
    Secrecy,
    Transition,
)
from reportflow.model.checks import is_blank
from reportflow.model.query import ORDERS, Grant, Visibility
from reportflow.office import (
    REPORT,
    Adoption,
    Assignment,
    Attachment,
    Author,
    Classification,
    Comment,
    Credit,
    Erasure,
    Forwarding,
    Instruction,
    Level,
    Merge,
    Rejection,
    Reply,
    Report,
    Retraction,
    Revision,
    Source,
    Supplement,
    Uptake,
    Usage,
)
from reportflow.serialization import plain as serialization
from reportflow.serialization.classes import Classes
from reportflow.serialization.evolution import TYPE


class Colour(enum.Enum):
    """An enum of a host, of numbers."""

    RED = 1
    BLUE = 2


@attrs.frozen(kw_only=True)
class Inner(Details):
    day: date
    next: Inner | None = None


@attrs.frozen(kw_only=True)
class Outer(Details):
    """A details class of a host with everything that can be stored."""

    day: date
    time: datetime
    amount: Decimal
    uid: UUID
    colour: Colour
    level: Level | None
    share: float
    number: int
    flag: bool
    words: tuple[str, ...]
    pair: tuple[int, Colour]
    days: frozenset[date]
    colours: frozenset[Colour]
    table: Mapping[str, Decimal]
    by_colour: Mapping[Level, tuple[int, ...]]
    either: int | str | None
    choice: Literal["a", "b"]
    inner: tuple[Inner, ...]
    maybe: Inner | None
    several: frozenset[Inner]
    anything: Any = None


# ---------------------------------------------------------------------------------------------------------------
# All values

texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    st.sampled_from(
        ["完善校园安全", "👨‍👩‍👧", "مرحبا", "\u202eabc", '"\\', "a\nb\r\t", "\x85\u2028", "null", "$type", "$$x"]
    ),
)
names = texts.filter(lambda text: not is_blank(text))
optional_texts = st.none() | texts
times = st.datetimes(
    min_value=datetime(2, 1, 1),
    max_value=datetime(9998, 12, 30),
    timezones=st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours))),
)
numbers = st.integers(-(2**63), 2**63 - 1)
several = st.none() | texts | st.frozensets(st.none() | texts, max_size=3)
json_scalars = st.none() | st.booleans() | numbers | st.floats(allow_nan=False, allow_infinity=False) | texts
#: Plain data of a host, with keys among it that look like this library's own.
open_data: st.SearchStrategy[Any] = st.recursive(
    json_scalars,
    lambda deeper: st.lists(deeper, max_size=2) | st.dictionaries(texts, deeper, max_size=2),
    max_leaves=4,
)

actors = st.builds(
    Actor,
    id=names,
    name=texts,
    roles=st.frozensets(texts, max_size=3),
    unit=texts,
    clearance=st.sampled_from(Secrecy),
    kind=st.sampled_from(("person", "system")),
    on_behalf_of=optional_texts,
)
authors = st.builds(Author, name=names, id=optional_texts, unit=texts, level=st.none() | st.sampled_from(Level))
attachments = st.builds(
    Attachment,
    name=names,
    media_type=texts,
    size=st.integers(0, 2**62),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
)
reports = st.builds(
    Report,
    id=texts,
    kind=texts,
    state=texts,
    version=numbers,
    lifecycle_version=numbers,
    unit=texts,
    parent=optional_texts,
    title=names,
    category=texts,
    assignee=optional_texts,
    due_at=st.none() | times,
    secrecy=st.sampled_from(Secrecy),
    created_by=texts,
    created_at=st.none() | times,
    updated_at=st.none() | times,
    number=texts,
    text=names,
    authors=st.lists(authors, min_size=1, max_size=2),
    source=st.sampled_from(Source),
    topics=st.lists(texts, max_size=3),
    attachments=st.lists(attachments, max_size=2),
    commission=optional_texts,
    origin=texts,
    merged_into=optional_texts,
    credits=st.lists(texts, max_size=2),
    revision=numbers,
    edited_by=optional_texts,
)
levels = st.sampled_from(Level)
details: st.SearchStrategy[Any] = st.one_of(
    st.builds(Revision, text=names, title=st.none() | names),
    st.builds(
        Classification,
        topics=st.none() | st.lists(texts, max_size=2),
        category=optional_texts,
        secrecy=st.none() | st.sampled_from(Secrecy),
    ),
    st.builds(Assignment, assignee=optional_texts, due_at=st.none() | times),
    st.builds(Adoption, body=names, level=levels, carrier=texts, issue=texts, usage=st.sampled_from(Usage)),
    st.builds(Forwarding, to=names, level=levels, upward=st.booleans(), due_at=st.none() | times, note=texts),
    st.builds(Instruction, leader=names, level=levels, text=texts, post=texts, principal=st.booleans()),
    st.builds(Uptake, department=names, measure=texts, evidence=texts),
    st.builds(Rejection, code=names),
    st.builds(
        Supplement, attachments=st.lists(attachments, max_size=2), authors=st.none() | st.lists(authors, min_size=1)
    ),
    st.builds(Reply, department=names, text=texts, result=st.none() | names),
    st.builds(Retraction, sequence=st.integers(1, 2**63 - 1)),
    st.builds(Merge, target=names),
    st.builds(Credit, source=names),
    st.builds(Comment, text=names),
    st.builds(Erasure, fields=st.lists(texts, max_size=2), person=st.none() | names),
)
decimals = st.decimals(allow_nan=False, allow_infinity=False)
inners = st.recursive(
    st.builds(Inner, day=st.dates()), lambda deeper: st.builds(Inner, day=st.dates(), next=deeper), max_leaves=3
)
outers = st.builds(
    Outer,
    day=st.dates(),
    time=times,
    amount=decimals,
    uid=st.uuids(),
    colour=st.sampled_from(Colour),
    level=st.none() | levels,
    share=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000),
    number=numbers,
    flag=st.booleans(),
    words=st.lists(texts, max_size=3).map(tuple),
    pair=st.tuples(numbers, st.sampled_from(Colour)),
    days=st.frozensets(st.dates(), max_size=3),
    colours=st.frozensets(st.sampled_from(Colour)),
    table=st.dictionaries(texts, decimals, max_size=3),
    by_colour=st.dictionaries(levels, st.lists(numbers, max_size=2).map(tuple), max_size=2),
    either=st.none() | numbers | texts,
    choice=st.sampled_from(("a", "b")),
    inner=st.lists(inners, max_size=2).map(tuple),
    maybe=st.none() | inners,
    several=st.frozensets(inners, max_size=2),
    anything=open_data,
)
intervals = st.one_of(
    st.builds(Interval, start=st.none() | times),
    st.builds(Interval, end=st.none() | times),
    st.lists(times, min_size=2, max_size=2).map(sorted).map(lambda pair: Interval(pair[0], pair[1])),
)
happened = st.builds(
    Happened,
    trigger=several,
    party=several,
    level=several,
    code=several,
    actor=several,
    at=st.none() | intervals,
    recorded_at=st.none() | intervals,
)
visibilities = st.builds(
    Visibility,
    actor=texts,
    unit=texts,
    clearance=st.sampled_from(Secrecy),
    grants=st.lists(
        st.builds(
            Grant,
            kind=texts,
            scopes=st.frozensets(st.sampled_from((ANY, OWN, UNIT))),
            states=st.none() | st.frozensets(texts, max_size=2),
        ),
        max_size=2,
    ).map(tuple),
)
queries = st.builds(
    Query,
    id=several,
    kind=several,
    state=several,
    assignee=several,
    secrecy=several,
    topic=several,
    text=several,
    created_at=st.none() | intervals,
    due_at=st.none() | intervals,
    happened=st.none() | happened,
    visible=st.none() | visibilities,
    order=st.lists(st.sampled_from([*ORDERS, *(f"-{name}" for name in ORDERS)]), max_size=3),
    limit=st.integers(1, 10_000),
    cursor=optional_texts,
)


KINDS: list[type[Any]] = [Outer, *{row.details for row in REPORT.transitions if row.details}]


class Known:
    """As much of a lifecycle as its classes need: each details class has the trigger of its name."""

    name, version, record = "k", 1, Report
    transitions = tuple(Transition(cls.__name__, source="x", dest="x", roles="r", details=cls) for cls in KINDS)


CLASSES = Classes(Known())


def of_kind(entry: Entry, told: Any) -> Entry:
    """An entry whose kind and trigger say the class of its details."""
    if told is None:
        return entry
    creation = isinstance(told, Report)
    trigger, source = ("create", None) if creation else (type(told).__name__, "x")
    return attrs.evolve(entry, details=told, kind="k", lifecycle_version=1, trigger=trigger, source=source)


entries = st.builds(
    Entry,
    record_id=texts,
    sequence=numbers,
    trigger=texts,
    source=optional_texts,
    dest=texts,
    actor=actors,
    at=times,
    recorded_at=times,
    reason=texts,
    key=optional_texts,
    cause=optional_texts,
    audience=st.none() | st.frozensets(names, min_size=1, max_size=2),
    retracts=st.none() | numbers,
).flatmap(lambda entry: st.builds(of_kind, st.just(entry), st.none() | details | outers | reports))
commands = st.builds(Command, trigger=texts, actor=actors, now=times, at=st.none() | times, reason=texts)
refusals = st.builds(
    Refusal,
    code=texts,
    params=st.dictionaries(texts, json_scalars | st.lists(texts, max_size=2).map(tuple), max_size=3),
    texts=st.dictionaries(st.sampled_from(["en", "zh"]), texts),
)
values: st.SearchStrategy[Any] = st.one_of(
    actors,
    authors,
    attachments,
    reports,
    details,
    outers,
    intervals,
    happened,
    visibilities,
    queries,
    entries,
    commands,
    refusals,
)


def is_plain(plain: object) -> bool:
    """Whether it is JSON data, of exactly these types."""
    if isinstance(plain, dict):
        return type(plain) is dict and all(type(key) is str and is_plain(one) for key, one in plain.items())
    if isinstance(plain, list):
        return type(plain) is list and all(is_plain(one) for one in plain)
    return plain is None or type(plain) in (bool, int, float, str)


@given(value=values)
def test_every_value_goes_to_plain_data_and_back(value: Any) -> None:
    """Plain data is dicts, lists, texts, numbers, booleans and None, and gives the equal value of the same class."""
    plain = serialization.to_plain(value)
    assert is_plain(plain)
    back = serialization.from_plain(plain, type(value), CLASSES)
    assert back == value
    assert type(back) is type(value)


@given(value=values)
def test_every_value_goes_to_json_and_back(value: Any) -> None:
    """JSON text, read by any JSON reader, gives the equal value."""
    text = serialization.to_json(value)
    cls = type(value)
    assert serialization.from_json(text, cls, CLASSES) == value
    assert serialization.from_json(json.dumps(json.loads(text)), cls, CLASSES) == value
    assert serialization.to_json(serialization.from_json(text, cls, CLASSES)) == text


@given(value=values)
def test_a_value_of_a_known_class_is_read_with_and_without_its_name(value: Any) -> None:
    """Plain data is read with the name of the class and without it, and refused where it names another."""
    plain = serialization.to_plain(value)
    assert serialization.from_plain(plain, type(value), CLASSES) == value
    del plain[TYPE]
    assert serialization.from_plain(plain, type(value), CLASSES) == value
    other = Inner if type(value) is not Inner else Actor
    with pytest.raises(InvalidValue):
        serialization.from_plain(serialization.to_plain(value), other, CLASSES)


@given(record=reports)
def test_a_record_is_read_by_the_kind_it_names(record: Report) -> None:
    """Of a record of any kind the `Classes` have the class; an unknown kind is refused by name."""
    known = attrs.evolve(record, kind="k", lifecycle_version=1)
    back: Record = serialization.from_plain(serialization.to_plain(known), Record, CLASSES)
    assert back == known
    with pytest.raises(InvalidValue, match="no such kind"):
        serialization.from_plain({**serialization.to_plain(known), "kind": "no such kind"}, Record, CLASSES)


def test_a_megabyte_of_text_is_preserved() -> None:
    """A text of the greatest length comes back unchanged."""
    revision = Revision(text="中" * ((1 << 20) // 3), title="x" * (1 << 20))
    assert serialization.from_json(serialization.to_json(revision), Revision) == revision


def test_chinese_is_written_as_it_is_read() -> None:
    """JSON text has the characters themselves, not their escapes."""
    assert "张三" in serialization.to_json(Author(name="张三"))


def test_equal_sets_are_equal_texts() -> None:
    """The plain data of a set does not depend on the order in which it was filled."""
    words = [f"w{number}" for number in range(50)]
    assert serialization.to_json(Query(state=words)) == serialization.to_json(Query(state=words[::-1]))


@pytest.mark.parametrize("row", [row for row in REPORT.transitions if row.details], ids=lambda row: row.trigger)
def test_every_details_class_is_tried(row: Transition) -> None:
    """The properties above cover each details class of the report's table."""
    few = settings(database=None, max_examples=1000, phases=[Phase.generate])  # whichever it is, nobody looks at it
    find(details, lambda value: type(value) is row.details, settings=few)


def addressless(value: object) -> str:
    """The name of a case, the same in each process."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, b"x", datetime(2022, 1, 1, tzinfo=UTC), Decimal(1), Details(), [object()]],
    ids=addressless,
)
def test_what_is_no_attrs_class_is_refused(value: object) -> None:
    """What is no attrs class cannot be written where no annotation says how, neither by itself nor inside."""
    for given_value in (
        value,
        {"x": value},
        Command(trigger="x", actor=Actor(id="x"), now=datetime(2022, 1, 1, tzinfo=UTC), details=value),
    ):
        with pytest.raises(InvalidValue):
            serialization.to_plain(given_value)


@pytest.mark.parametrize(
    ("cls", "plain"),
    [
        (Actor, {"$type": "NoSuchClass", "id": "x"}),
        (Actor, {"$type": 7, "id": "x"}),
        (Actor, {"$type": ["Actor"], "id": "x"}),
        (Actor, {"$type": "Actor", "id": "x"}),  # the library's own names have its prefix
        (Actor, {}),
        (Actor, {"id": 7}),
        (Actor, {"id": ""}),
        (Actor, {"id": "x", "roles": 7}),
        (Actor, {"id": "x", "colour": "red"}),
        (Actor, {"id": "x", "kind": "robot"}),
        (Interval, {"start": "yesterday"}),
        (Interval, {"start": "2022-01-01T00:00:00"}),
        (Interval, {"start": 7}),
        (Interval, {"start": ["2022"]}),
        (Inner, {"day": "2022-13-01"}),
        (Inner, {"day": "2022-01-01", "next": {"day": 7}}),
        (Inner, {"day": "2022-01-01", "next": 7}),
        (Attachment, {"name": "x", "media_type": "t", "size": "1", "sha256": "0" * 64}),
        (Attachment, {"name": "x", "media_type": "t", "size": True, "sha256": "0" * 64}),
        (Author, {"name": "a\0b"}),
        (Author, {"name": "\ud800"}),
        (Record, {"kind": "no such", "lifecycle_version": 1}),
        (Record, {}),
        (Entry, {}),
        (Entry, 7),
        (Actor, [{"id": "x"}]),
        (Actor, object()),
        (Refusal, {"code": "x", "params": {"x": object()}}),
        (Actor, {1, 2}),
        (Actor, b"x"),
    ],
    ids=addressless,
)
def test_malformed_plain_data_is_an_invalid_value(cls: type[Any], plain: object) -> None:
    """Malformed plain data is `InvalidValue`: never a foreign error, never another class."""
    with pytest.raises(InvalidValue):
        serialization.from_plain(plain, cls, CLASSES)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "nul", "{'a': 1}", '{"$type": "NoSuchClass"}', "1" * 5000])
def test_malformed_json_is_an_invalid_value(text: str) -> None:
    """A text that is no JSON, or no JSON of a value, is `InvalidValue`."""
    with pytest.raises(InvalidValue):
        serialization.from_json(text, Actor)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(st.text(), deeper, max_size=3),
    max_leaves=8,
)


@given(value=values, data=st.data())
def test_altered_plain_data_is_a_value_or_an_invalid_value(value: Any, data: st.DataObject) -> None:
    """With any data in place of a field, reading gives a value of the class, or `InvalidValue`."""
    plain = serialization.to_plain(value)
    field = data.draw(st.sampled_from([*plain, "colour"]))
    plain[field] = data.draw(json_like)
    with contextlib.suppress(InvalidValue):
        assert type(serialization.from_plain(plain, type(value), CLASSES)) is type(value)


@given(plain=json_like)
def test_any_plain_data_is_read_or_refused(plain: Any) -> None:
    """Reading any JSON as a value gives one of that class, or `InvalidValue`."""
    for cls in (Actor, Entry, Query, Outer, Report):
        with contextlib.suppress(InvalidValue):
            assert type(serialization.from_plain(plain, cls, CLASSES)) is cls
