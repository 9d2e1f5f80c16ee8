"""`schema` describes what `parse` takes, and `parse` names every fault of what it does not take."""

from __future__ import annotations

import copy
import enum
import json
import pickle
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import attrs
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reportflow import (
    Actor,
    Details,
    Entry,
    FieldProblem,
    Happened,
    Interval,
    InvalidDefinition,
    InvalidValue,
    Page,
    Person,
    Query,
    Record,
    Secrecy,
    parse,
    schema,
    to_plain,
)
from reportflow.errors import pointer_of
from reportflow.model.checks import cache_by_class
from reportflow.model.values import limits, not_blank, not_empty
from reportflow.office import REPORT, Adoption, Attachment, Author, Report, Revision, Supplement
from reportflow.testing import strategies


class Colour(enum.Enum):
    """An enum whose values are texts and numbers."""

    RED = "red"
    FIVE = 5


def _even(instance: object, attribute: attrs.Attribute[Any], value: int) -> None:
    if value % 2:
        raise InvalidValue(attribute.name, "refused", {"given": "odd"})


@attrs.frozen(kw_only=True)
class Leaf(Details):
    """A leaf of a tree."""

    name: str = attrs.field(validator=attrs.validators.and_(not_blank, attrs.validators.max_len(5)))
    leaves: tuple[Leaf, ...] = ()


@attrs.frozen(kw_only=True)
class Everything(Details):
    """One field of each kind.

    The second paragraph is not shown.
    """

    text: str
    flag: bool
    whole: int = attrs.field(validator=attrs.validators.and_(attrs.validators.ge(-3), attrs.validators.lt(100)))
    number: float = 1.5
    at: datetime = datetime(2022, 1, 1, tzinfo=UTC)
    day: date | None = None
    price: Decimal = Decimal(0)
    ident: UUID | None = None
    colour: Colour = Colour.RED
    colours: frozenset[Colour] = frozenset()
    mode: Literal["a", "b", 3] = "a"
    either: str | int | None = None
    word: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.matches_re("[a-z]+"))
    )
    size: Literal["s", "m"] | None = None
    chosen: str = attrs.field(default="x", validator=attrs.validators.in_(["x", "y"]))
    pair: tuple[str, int] = ("", 0)
    several: tuple[str, ...] = attrs.field(default=("a",), validator=not_empty)
    few: tuple[int, ...] | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.max_len(2))
    )
    named: Mapping[str, int] = attrs.field(factory=dict)
    tree: Leaf | None = None
    anything: object = None
    even: int = attrs.field(default=0, validator=_even, metadata=limits(multipleOf=2))


CLASSES = (
    Everything, Leaf, Report, Actor, Person, Author, Attachment, Interval, Happened, Query,
    *dict.fromkeys(row.details for row in REPORT.transitions if row.details),
)  # fmt: skip


@cache_by_class
def validator(cls: type[Any]) -> Draft202012Validator:
    """What holds data to the schema of a class, which is itself held to the dialect."""
    described = schema(cls)
    Draft202012Validator.check_schema(described)
    return Draft202012Validator(described)


HINTS: Mapping[str, Any] = {one.name: one.type for one in attrs.fields(attrs.resolve_types(Everything))}


@cache_by_class
def values(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Instances of a class, by its annotations and validators."""
    if cls is Everything:
        few = {"even": st.integers(-9, 9).map(lambda one: one * 2), "word": st.none() | st.just("abc")}
        some = {"whole": st.integers(-3, 99), "chosen": st.sampled_from("xy"), "few": st.none() | st.just((1, 2))}
        held = {
            "several": st.lists(strategies.texts(), min_size=1, max_size=2).map(tuple),
            "tree": st.none() | values(Leaf),
        }
        own = {**few, **some, **held}
        rest = {one.name: strategies.of(HINTS[one.name]) for one in attrs.fields(cls) if one.name not in own}
        return st.builds(cls, **own, **rest)
    if cls is Leaf:
        name = st.sampled_from(["a", "松", "ab cd"])
        return st.recursive(
            st.builds(Leaf, name=name), lambda inner: st.builds(Leaf, name=name, leaves=st.tuples(inner))
        )
    return strategies.of(cls)


plain_values = st.sampled_from(CLASSES).flatmap(lambda cls: st.tuples(st.just(cls), values(cls)))
CHEAP = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@given(plain_values)
@CHEAP
def test_what_is_written_is_described_and_read(drawn: tuple[type[Any], Any]) -> None:
    """The plain data of each value fits the schema of its class, and `parse` makes an equal value of it."""
    cls, value = drawn
    plain = json.loads(json.dumps(to_plain(value)))
    assert list(validator(cls).iter_errors(plain)) == []
    assert parse(cls, plain) == value


#: What a rule of a value says beyond the words of JSON Schema, by its code: impossible days, ends before starts.
BEYOND = {"not_a_time", "not_a_date", "time_range", "interval"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 200) | st.sampled_from([0.5, 2.0]) | strategies.texts(max_size=3)
    | st.sampled_from(["", " ", "red", "a\0", "2022-01-01", "2022-01-01T00:00:00Z", "x", "12.5", "city", "\u2060"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "$type"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[type[Any], Any]:
    """The plain data of a value with a few places changed, left out or added."""
    cls, value = draw(plain_values)
    plain = {"it": json.loads(json.dumps(to_plain(value)))}
    for _ in range(draw(st.integers(1, 3))):
        here: Any = plain
        while True:
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(here[key], dict | list) and here[key] and draw(st.booleans()):
                here = here[key]
                continue
            how = draw(st.sampled_from(["change", "remove", "add"])) if here is not plain else "change"
            if how == "change":
                here[key] = draw(json_values)
            elif how == "remove":
                del here[key]
            elif isinstance(here, dict):
                here[draw(strategies.texts(max_size=3))] = draw(json_values)
            else:
                here.append(copy.deepcopy(here[key]))
            break
    return cls, plain["it"]


@given(spoilt())
@CHEAP
def test_parse_takes_what_the_schema_takes(drawn: tuple[type[Any], Any]) -> None:
    """`parse` takes what the schema takes and refuses what it refuses, but for rules that JSON Schema cannot say."""
    cls, data = drawn
    faults = faults_of(cls, data)
    if validator(cls).is_valid(data):
        assert {one.code for one in faults} <= BEYOND
    else:
        assert faults, list(validator(cls).iter_errors(data))


def faults_of(cls: type[Any], data: object) -> tuple[FieldProblem, ...]:
    """What `parse` has against data."""
    try:
        parse(cls, data)
    except InvalidValue as error:
        return error.problems
    return ()


@given(spoilt())
@CHEAP
def test_every_fault_has_its_place(drawn: tuple[type[Any], Any]) -> None:
    """Each problem has a pointer to what is there, or to what is missing; each has a text in both languages."""
    cls, data = drawn
    try:
        parse(cls, data)
    except InvalidValue as error:
        caught = error
    else:
        assume(False)
    pointers = [one.pointer for one in caught.problems]
    for one in caught.problems:
        here = data
        for step in one.path:
            if one.code == "missing_field" and step == one.path[-1] and isinstance(here, dict):
                assert step not in here
                break
            here = here[int(step)] if isinstance(here, list) else here[step]
        for language in ("en", "zh"):
            assert one.text(language) in caught.message(language)
            assert "{" not in one.text(language).replace(str(one.params), "") or "{" in one.pointer + str(one.params)
    assert len(pointers) == len(caught.problems) > 0
    again = pickle.loads(pickle.dumps(caught))
    assert (again.problems, str(again)) == (caught.problems, str(caught))


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({"whole": 2.0}, True),
        ({"whole": 2.5}, False),
        ({"whole": True}, False),
        ({"flag": 1}, False),
        ({"number": 7}, True),
        ({"colour": 5.0}, True),
        ({"colour": True}, False),
        ({"pair": ["a"]}, False),
        ({"pair": ["a", 1, 2]}, False),
        ({"at": "2022-01-01t00:00:00.123456789z"}, True),
        ({"at": "2022-01-01T00:00:00"}, False),
        ({"at": "2022-01-01 00:00:00+08:00"}, True),
        ({"price": "1e3"}, True),
        ({"price": "1_000"}, False),
        ({"price": "NaN"}, False),
        ({"price": 5}, False),
        ({"ident": "{12345678-1234-5678-1234-567812345678}"}, False),
        ({"text": "a\0"}, False),
        ({"tree": {"name": "\u2060"}}, False),
    ],
)
def test_schema_and_parse_agree_at_the_edges(changes: dict[str, Any], fits: bool) -> None:
    """Numbers that are equal, rows of another length, times and numbers as texts: both take or both refuse them."""
    data = {"text": "t", "flag": True, "whole": 1, **changes}
    assert validator(Everything).is_valid(data) == fits
    assert (faults_of(Everything, data) == ()) == fits


WRONG: dict[str, tuple[Any, str]] = {
    "text": ("a\0b", "nul"),
    "flag": (1, "type"),
    "whole": (10**700, "digits"),
    "number": (float("nan"), "not_finite"),
    "at": ("2022-02-30T00:00:00Z", "not_a_time"),
    "day": ("2022-02-30", "not_a_date"),
    "price": ("cheap", "not_a_number"),
    "ident": ("7", "not_an_id"),
    "colour": ("blue", "choice"),
    "colours": (["red", 5, "red"], "twice"),
    "mode": ("c", "choice"),
    "either": (1.5, "type"),
    "word": ("A", "refused"),
    "chosen": ("z", "choice"),
    "pair": (["a"], "type"),
    "several": ([], "empty"),
    "few": ([1, 2, 3], "refused"),
    "named": ({"a": "b"}, "type"),
    "anything": (json.loads("[" * 70 + "]" * 70), "too_deep"),
    "even": (3, "refused"),
    "extra": (1, "unknown_field"),
}


def test_one_field_of_each_wrong_kind_is_named() -> None:
    """One body with a field of each wrong kind is one error that names each of them by its path and a code."""
    tree = {"name": "  ", "leaves": [{"name": "a"}, {"name": "too long"}, {}, 7, {"name": "a", "leaves": None}]}
    data = {**{name: given for name, (given, _) in WRONG.items()}, "tree": tree, "size": {}}
    with pytest.raises(InvalidValue) as caught:
        parse(Everything, data)
    found = {one.pointer: one.code for one in caught.value.problems}
    places = {"colours": "/colours/2", "named": "/named/a"}
    assert found == {
        **{places.get(name, f"/{name}"): code for name, (_, code) in WRONG.items()},
        "/size": "choice",
        "/tree/name": "blank",
        "/tree/leaves/1/name": "too_many",
        "/tree/leaves/2/name": "missing_field",
        "/tree/leaves/3": "type",
        "/tree/leaves/4/leaves": "type",
    }
    assert (caught.value.field, caught.value.problem) == (caught.value.problems[0].field, caught.value.problems[0].code)
    with pytest.raises(InvalidValue) as missing:
        parse(Everything, {}, at="/details")
    assert [one.pointer for one in missing.value.problems] == ["/details/text", "/details/flag", "/details/whole"]


@pytest.mark.parametrize("data", [None, 7, "{}", [], [{}], True, b"{}"])
def test_what_is_no_object_is_one_fault_of_the_whole(data: object) -> None:
    """Data that is no mapping at all is refused as a whole, in words of both languages."""
    with pytest.raises(InvalidValue) as caught:
        parse(Revision, data)
    [one] = caught.value.problems
    assert (one.pointer, one.code) == ("", "type")
    assert caught.value.message("en") == "'what was filled in' is not filled in as it should be; check it."
    assert caught.value.message("zh") == "“所填内容”填写的内容不符合要求，请核对。"


def test_nesting_has_a_bound() -> None:
    """Values inside each other, deeper than can be kept, are refused and exhaust nothing."""
    data: dict[str, Any] = {"name": "a"}
    for _ in range(900):
        data = {"name": "a", "leaves": [data]}
    with pytest.raises(InvalidValue) as caught:
        parse(Leaf, data)
    assert [one.code for one in caught.value.problems] == ["too_deep"]


def test_fields_that_disagree_are_a_fault_of_the_whole() -> None:
    """What a class refuses of its fields together is said of the value, at its place."""
    with pytest.raises(InvalidValue) as caught:
        parse(Query, {"due_at": {"start": "2022-02-01T00:00:00Z", "end": "2022-01-01T00:00:00Z"}, "limit": 0})
    assert [(one.pointer, one.code) for one in caught.value.problems] == [("/due_at", "interval")]
    with pytest.raises(InvalidValue) as second:
        parse(Query, {"limit": 0})
    assert [(one.pointer, one.code) for one in second.value.problems] == [("/limit", "range")]


def test_the_name_of_a_class_is_only_compared() -> None:
    """Data that says it is of another class, or of another version, is refused; it chooses nothing."""
    assert parse(Author, {"$type": "reportflow.Author", "name": "Qian"}) == Author(name="Qian")
    with pytest.raises(InvalidValue) as caught:
        parse(Author, {"$type": "reportflow.Actor", "$version": 9, "name": "Qian"})
    assert [(one.pointer, one.code) for one in caught.value.problems] == [
        ("/$type", "other_class"),
        ("/$version", "schema_version"),
    ]


@given(st.lists(strategies.texts(max_size=4) | st.integers(0, 9), max_size=4))
@settings(max_examples=50)
def test_pointers_are_those_of_the_standard(path: list[str | int]) -> None:
    """A pointer is read back to the names and places that it was made of, whatever is in them."""
    assert FieldProblem(pointer_of(*path), "blank", {}).path == tuple(map(str, path))


def test_a_creation_accepts_what_its_row_accepts() -> None:
    """With `accepts`, a draft has these fields alone, in the schema and in `parse`."""
    accepted = REPORT.accepted("create")
    described = schema(Report, accepts=accepted)
    assert set(described["properties"]) == {*accepted, "kind", "$type"}
    body = {"title": "t", "text": "x", "authors": [{"name": "Qian"}]}
    assert parse(Report, body, accepts=accepted) == Report.draft(title="t", text="x", authors=[Author(name="Qian")])
    with pytest.raises(InvalidValue) as caught:
        parse(Report, {**body, "state": "adopted", "version": 3}, accepts=accepted)
    assert [one.pointer for one in caught.value.problems] == ["/state", "/version"]
    with pytest.raises(InvalidValue, match="accepts"):
        schema(Report, accepts={"colour"})


def test_titles_are_the_labels_of_the_office() -> None:
    """Fields and choices have the labels of the catalog, or of the lifecycle where it has its own."""
    described = schema(Adoption, "zh", lifecycle=REPORT)["properties"]
    assert described["level"]["title"] == "层级"
    assert described["level"]["oneOf"][0] == {"const": "county", "title": "县级"}
    own = attrs.evolve(REPORT, labels={"field.level": {"en": "tier", "zh": "等级"}, "level.county": {"zh": "县"}})
    described = schema(Adoption, "zh", lifecycle=own)["properties"]
    assert described["level"]["title"] == "等级"
    assert described["level"]["oneOf"][0] == {"const": "county", "title": "县"}
    assert schema(Actor)["properties"]["clearance"]["oneOf"][0]["title"] == "internal"
    assert [one["const"] for one in schema(Actor)["properties"]["clearance"]["oneOf"]] == [*Secrecy]


def test_a_schema_has_every_rule_that_it_can_say() -> None:
    """Limits, formats, choices, definitions and required fields stand in the schema, in the words of JSON Schema."""
    described = schema(Everything)
    fields = described["properties"]
    assert described["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (described["title"], described["description"]) == ("Everything", "One field of each kind.")
    assert described["required"] == ["text", "flag", "whole"]
    assert (fields["whole"]["minimum"], fields["whole"]["exclusiveMaximum"]) == (-3, 100)
    assert fields["at"]["format"] == "date-time"
    assert fields["day"]["type"] == ["string", "null"]
    assert fields["word"]["pattern"] == "^(?:[a-z]+)$"
    assert fields["chosen"]["enum"] == ["x", "y"]
    assert fields["several"]["minItems"] == 1
    assert fields["few"]["maxItems"] == 2
    assert fields["colours"]["uniqueItems"] is True
    assert fields["even"]["multipleOf"] == 2
    assert fields["tree"] == {"title": "tree", "anyOf": [{"$ref": "#/$defs/Leaf"}, {"type": "null"}], "default": None}
    leaf = described["$defs"]["Leaf"]
    assert leaf["properties"]["leaves"]["items"] == {"$ref": "#/$defs/Leaf"}
    assert (leaf["properties"]["name"]["minLength"], leaf["properties"]["name"]["maxLength"]) == (1, 5)
    assert schema(Leaf)["properties"]["leaves"]["items"] == {"$ref": "#"}
    assert json.dumps(schema(Everything)) == json.dumps(described)


def test_a_schema_can_be_put_into_another_document() -> None:
    """With `ref_template` each reference is one into the other document, and `$defs` has all that it refers to."""
    described = schema(Leaf, ref_template="#/components/schemas/{name}")
    definitions = described.pop("$defs")
    described.pop("$schema")
    assert described["properties"]["leaves"]["items"] == {"$ref": "#/components/schemas/Leaf"}
    whole = {"$ref": "#/components/schemas/Root", "components": {"schemas": {**definitions, "Root": described}}}
    assert Draft202012Validator(whole).is_valid({"name": "a", "leaves": [{"name": "b"}]})
    assert not Draft202012Validator(whole).is_valid({"name": "a", "leaves": [{"name": " "}]})


def test_equal_names_of_classes_are_told_apart() -> None:
    """Two classes of one name have a definition each."""
    other = attrs.make_class("Leaf", {"x": attrs.field(type=int)}, frozen=True)
    both = attrs.make_class("Both", {"a": attrs.field(type=Leaf), "b": attrs.field(type=other)}, frozen=True)
    described = schema(both)
    assert described["properties"]["b"]["$ref"] == "#/$defs/Leaf2"
    assert list(described["$defs"]["Leaf2"]["properties"]) == ["$type", "x"]


class Plain:
    """No attrs class."""


class Odd(enum.Enum):
    """An enum whose values JSON cannot say."""

    PLACE = (1, 2)


@attrs.frozen
class Holder:
    """A class that holds one of those."""

    good: str
    places: tuple[Odd, ...] = ()


@attrs.frozen
class Outer:
    """A class that holds that one."""

    holder: Holder | None
    bad: Plain | None = None


@attrs.frozen
class Deep:
    """A class whose fault lies in one that it holds."""

    holders: tuple[Holder, ...]
    row: Outer | None = None


def test_a_class_that_json_cannot_say_is_named_with_its_path() -> None:
    """What JSON cannot say is a fault of the definition with the path to the field; what is no class, of the value."""
    for ask in (schema, lambda cls: parse(cls, {})):
        with pytest.raises(InvalidDefinition) as caught:
            ask(Deep)
        assert {f"{one.facts['owner']}.{one.facts['name']}" for one in caught.value.faults} == {
            "Deep.holders.places",
            "Deep.row.bad",
        }
        wrongs: list[Any] = [Plain, int, "Report", None, Author(name="a")]
        for wrong in wrongs:
            with pytest.raises(InvalidValue, match="attrs class"):
                ask(wrong)
    with pytest.raises(InvalidDefinition, match="details"):
        parse(Entry, {})
    assert schema(Entry)["properties"]["details"]["title"]
    assert schema(Page)["properties"]["records"]["items"] == {}


def test_a_record_handed_in_whole_is_read_whole() -> None:
    """`parse` of a record's class reads what `to_plain` wrote of a stored record; a bare record is one, too."""
    record = Record(id="7", kind="report", state="draft", version=1, title="t")
    assert parse(Record, to_plain(record)) == record
    assert parse(Supplement, {"source": None}).source is None


def test_faults_are_said_with_the_labels_of_a_lifecycle() -> None:
    """With `lifecycle=` a fault calls its field what that lifecycle calls it, as its schema does, once pickled too."""
    table = attrs.evolve(REPORT, labels={**REPORT.labels, "field.pairs": {"en": "shoes", "zh": "鞋"}})
    cls = attrs.make_class("Pairs", {"pairs": attrs.field(type=int)}, bases=(Details,), frozen=True, kw_only=True)
    with pytest.raises(InvalidValue) as refused:
        parse(cls, {"pairs": "two"}, lifecycle=table)
    for error in (refused.value, pickle.loads(pickle.dumps(refused.value))):
        assert (error.message("zh")[:3], error.message("en")[:7]) == ("“鞋”", "'shoes'")
    assert schema(cls, "zh", lifecycle=table)["properties"]["pairs"]["title"] == "鞋"
    with pytest.raises(InvalidValue, match="pairs"):
        parse(cls, {"pairs": "two"})


def test_a_constraint_of_alternatives_is_on_those_that_it_can_hold_for() -> None:
    """Of a field of several types, a rule of texts is on the text alone; choices are narrowed wherever they stand."""

    @attrs.frozen
    class Alternatives:
        code: str | int = attrs.field(validator=not_blank)
        note: str | int | None = attrs.field(
            default=None, validator=attrs.validators.optional(attrs.validators.max_len(3))
        )
        colour: str | None = attrs.field(
            default=None, validator=attrs.validators.optional(attrs.validators.in_(("red", "blue")))
        )
        size: Literal["s", "m", "l"] = attrs.field(default="s", validator=attrs.validators.in_(("s", "m")))
        when: date | None = attrs.field(
            default=None, validator=attrs.validators.optional(attrs.validators.in_((date(2022, 1, 3),)))
        )

    described = schema(Alternatives)["properties"]
    text, number = described["code"]["anyOf"]
    assert (text["minLength"], number) == (1, {"type": "integer"})
    text, number, nothing = described["note"]["anyOf"]
    assert (text["maxLength"], number, nothing) == (3, {"type": "integer"}, {"type": "null"})
    assert described["colour"]["enum"] == ["blue", "red", None]
    assert [one["const"] for one in described["size"]["oneOf"]] == ["s", "m"]
    validator = Draft202012Validator(schema(Alternatives))
    assert validator.is_valid({"code": 7, "note": 12345, "colour": None, "size": "m"})
    for wrong in (
        {"code": " "},
        {"code": "x", "note": "four"},
        {"code": "x", "colour": "green"},
        {"code": 1, "size": "l"},
    ):
        assert not validator.is_valid(wrong)
        with pytest.raises(InvalidValue):
            parse(Alternatives, wrong)
