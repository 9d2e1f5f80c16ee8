"""The few values that stand for a type: each may be kept, the simplest first, and what cannot be made is said."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import Details, Record
from reportflow.analysis.samples import annotated, instances, nearest, samples
from reportflow.errors import Unbuildable
from reportflow.model.annotations import UnsupportedType, check
from reportflow.office import REPORT, Attachment, Author, Level, Report, Revision

T = TypeVar("T")


@attrs.frozen
class Held:
    """A class whose one field is given the annotation that a test is about."""

    value: Any


KINDS = (
    str, bool, int, float, date, datetime, Decimal, UUID, Any, object, T, Level, Author, Report, type(None),
    str | None, int | str, Author | None, Annotated[int, "a remark"], Literal["a", 7, None],
    tuple[()], tuple[int, str, Level], tuple[str, ...], list[int], set[str], frozenset[Level], tuple[Author, ...],
    Mapping[str, int], dict[str, tuple[int, ...]], Mapping[Level, str], tuple[Attachment, ...],
)  # fmt: skip

simple = st.sampled_from((str, bool, int, float, date, datetime, Decimal, UUID, Level))
kinds = st.recursive(
    simple,
    lambda inner: st.one_of(
        inner.map(lambda one: tuple[one, ...]),  # type: ignore[valid-type]  # a type that is drawn
        inner.map(lambda one: list[one]),  # type: ignore[valid-type]  # the same
        inner.map(lambda one: Mapping[str, one]),  # type: ignore[valid-type]  # the same
        st.builds(lambda one, two: tuple[one, two], inner, inner),  # type: ignore[valid-type]  # the same
        inner.map(lambda one: one | None),
    ),
    max_leaves=4,
)


def held(kind: Any) -> type[Any]:
    """A class with one field of a kind."""
    return attrs.make_class("OneField", {"value": attrs.field(type=kind)}, frozen=True)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_samples_may_be_kept(kind: Any) -> None:
    """There are samples of every annotation that is supported, and each passes the check of that annotation."""
    cls = held(kind)
    found = samples(kind)
    assert found
    for value in found:
        check(cls(value))


@given(kind=kinds)
def test_samples_of_any_annotation(kind: Any) -> None:
    """However annotations are put together, there are samples, and each passes the check."""
    cls = held(kind)
    assert samples(kind)
    for value in samples(kind):
        check(cls(value))


@pytest.mark.parametrize(
    ("kind", "first"),
    [(str, "text"), (int, 1), (bool, False), (str | None, None), (tuple[int, ...], ()), (tuple[int, str], (1, "text"))],
    ids=str,
)
def test_the_simplest_comes_first(kind: Any, first: object) -> None:
    """The first sample is the one that a person would write."""
    assert samples(kind)[0] == first


class Nobody(enum.Enum):
    """An enum without members."""


@pytest.mark.parametrize("kind", [bytearray, complex, type[int], list, Nobody], ids=str)
def test_what_no_store_keeps_has_no_samples(kind: Any) -> None:
    """Of an annotation that no store could keep there are no samples, and it is said."""
    with pytest.raises(UnsupportedType):
        samples(kind)


@pytest.mark.parametrize(
    "cls", [row.details for row in REPORT.transitions if row.details], ids=lambda one: one.__name__
)
def test_instances_may_be_kept(cls: type[Any]) -> None:
    """Instances are of the class, may be kept, differ, and the plainest is the first."""
    found = instances(cls)
    assert len(found) > 1
    for one in found:
        assert type(one) is cls
        check(one)
    assert len({repr(one) for one in found}) == len(found)


def test_the_plainest_leaves_defaults() -> None:
    """The first instance has its defaults wherever it may; the next differ from it in one field."""
    first, second, *_ = instances(Revision)
    assert first == Revision(text="text")
    assert second in (Revision(text="ana"), Revision(text="text", title="text"))


def test_fields_that_are_left() -> None:
    """Fields that are to be left alone keep their defaults in every instance."""
    assert all(one.title == "" for one in instances(Record, leave=frozenset({"title"})))


@attrs.frozen
class Even:
    """A class whose plainest values do not go together."""

    one: int
    two: int

    def __attrs_post_init__(self) -> None:
        if self.one + self.two != 12:
            raise ArithmeticError(f"{self.one} and {self.two} are not twelve")


def test_values_that_must_go_together() -> None:
    """Where fields must go together, values that do are found."""
    assert {(one.one, one.two) for one in instances(Even)} == {(2, 10), (10, 2)}


@attrs.frozen
class Never(Details):
    """A class that refuses everything."""

    word: str

    def __attrs_post_init__(self) -> None:
        raise LookupError(f"{self.word} is no word")


@attrs.frozen
class Lost:
    """A class with an annotation that leads nowhere."""

    place: Nowhere  # type: ignore[name-defined]  # noqa: F821  # what is tested


@attrs.frozen
class Odd:
    """A class with a default that may not be kept, and a field that it takes nothing else for."""

    count: int = attrs.field(default="many")  # type: ignore[assignment]  # what is tested


@attrs.define
class Loose:
    """A class whose instances cannot be members of a set."""

    word: str = ""


@attrs.frozen
class Sets:
    """A set of what cannot be in one."""

    loose: frozenset[Loose]


@pytest.mark.parametrize(
    ("cls", "said"), [(Never, "LookupError: text is no word"), (Lost, "Nowhere"), (Sets, "unhashable")]
)
def test_what_cannot_be_built_is_said(cls: type[Any], said: str) -> None:
    """A class of which there is no instance is named, with what stands in the way."""
    with pytest.raises(Unbuildable, match=said) as raised:
        instances(cls)
    assert raised.value.name == cls.__name__


def test_a_default_that_may_not_be_kept_is_not_taken() -> None:
    """A default that the class itself has, but that may not be kept, is passed over."""
    assert instances(Odd)[0] == Odd(count=1)


def test_given_instances_stand_for_all_others() -> None:
    """Given instances of a class are used for it and for what holds it."""
    never = object.__new__(Never)
    object.__setattr__(never, "word", "given")
    known = {Never: [never]}
    assert samples(Never, known) == (never,)
    assert samples(tuple[Never, ...], known)[1] == (never,)
    assert samples(tuple[Never, ...]) == ((),)
    assert samples(Never | None) == (None,)


@attrs.frozen
class Chain:
    """A class that holds itself."""

    word: str
    rest: Chain | None = None


@attrs.frozen
class Endless:
    """A class that holds itself and cannot do without."""

    rest: Endless


def test_a_class_that_holds_itself() -> None:
    """A class that may hold itself is not gone into without end; one that must is said to be beyond building."""
    assert instances(Chain)[0] == Chain("text")
    assert all(one.rest is None for one in instances(Chain))
    with pytest.raises(Unbuildable, match="holds itself"):
        instances(Endless)


@given(sizes=st.lists(st.integers(1, 3), max_size=4))
def test_nearest_comes_first(sizes: list[int]) -> None:
    """All ways to choose are given once, and those with fewer changes before those with more."""
    pools = [range(size) for size in sizes]
    ways = list(nearest(pools))
    assert len(ways) == len(set(ways))
    total = 1
    for size in sizes:
        total *= size
    assert len(ways) == total
    changes = [sum(1 for one in way if one) for way in ways]
    assert changes == sorted(changes)


def test_annotations_of_a_class() -> None:
    """Each field has its annotation, written as text or not."""
    assert [(field.name, kind) for field, kind in annotated(Chain)] == [("word", str), ("rest", Chain | None)]


@attrs.frozen
class Pair:
    """A class that holds itself in a row, and cannot do without."""

    both: tuple[int, Pair]


@attrs.frozen
class Either:
    """A class that holds itself or a number."""

    one: Either | int


@attrs.frozen
class Remarked:
    """A class that holds itself, with a remark."""

    rest: Annotated[Remarked, "a remark"]


@attrs.frozen
class Tree:
    """A class that may hold itself by name."""

    leaves: Mapping[str, Tree] = attrs.field(factory=dict)
    first: Tree | None = None


@attrs.frozen
class Keys:
    """A class whose keys hold it."""

    by: Mapping[Keys, int]


@pytest.mark.parametrize("cls", [Endless, Pair, Either, Remarked, Keys], ids=lambda one: one.__name__)
def test_whatever_holds_a_class_in_itself_is_gone_into_once(cls: type[Any]) -> None:
    """In a row, a choice, with a remark or as a key: a class that needs itself is said to hold itself, by its name."""
    with pytest.raises(Unbuildable) as raised:
        instances(cls)
    assert (raised.value.name, raised.value.given) == (cls.__name__, "it holds itself")


def test_a_class_that_may_hold_itself_by_name() -> None:
    """One that can do without itself is built without."""
    assert set(map(repr, instances(Tree))) == {repr(Tree())}


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Annotated[Author, "a remark"], (Author(name="given"),)),
        (tuple[Author, bool], ((Author(name="given"), False), (Author(name="given"), True))),
        (Mapping[str, Author], ({}, {"text": Author(name="given")})),
        (Mapping[Author, bool], ({}, {Author(name="given"): False})),
        (Author | int, (Author(name="given"), *samples(int))),
        (Author | None, (None, Author(name="given"))),
        (list[Author], ([], [Author(name="given")])),
    ],
    ids=str,
)
def test_what_was_given_is_found_wherever_it_stands(kind: Any, found: tuple[Any, ...]) -> None:
    """Given instances of a class are taken in a row, a mapping, a choice and a list too."""
    assert samples(kind, {Author: [Author(name="given")]}) == found


def test_what_was_given_is_found_in_fields() -> None:
    """The fields of a class are filled with what was given for theirs, and with nothing else."""
    cls = held(Author)
    assert [one.value for one in instances(cls, {Author: [Author(name="given")]})] == [Author(name="given")]
    assert len(instances(cls)) > 1


@pytest.mark.parametrize("kind", [bytearray, list, type[int]], ids=str)
def test_what_has_no_samples_is_named(kind: Any) -> None:
    """The annotation of which no values are known is in what is said."""
    with pytest.raises(UnsupportedType, match=r"no values of .*(bytearray|list|int)"):
        samples(kind)


def test_a_field_without_an_annotation_may_be_anything() -> None:
    """Where nothing is said of a field, it is filled as one that takes anything."""
    cls = attrs.make_class("Bare", ["value"])
    assert [kind for _, kind in annotated(cls)] == [Any]


def test_the_first_refusal_is_reported() -> None:
    """Of all that a class refuses the one of the plainest is reported."""

    @attrs.frozen
    class Picky:
        number: int

        def __attrs_post_init__(self) -> None:
            raise LookupError(f"not {self.number}")

    with pytest.raises(Unbuildable, match="LookupError: not 1"):
        instances(Picky)


@pytest.mark.parametrize(
    ("pools", "ways"),
    [
        ([], [()]),
        ([[1, 2, 3]], [(1,), (2,), (3,)]),
        ([[1, 2, 3], "ab"], [(1, "a"), (2, "a"), (1, "b"), (3, "a"), (2, "b"), (3, "b")]),
        ([[1, 2], [3], "ab"], [(1, 3, "a"), (2, 3, "a"), (1, 3, "b"), (2, 3, "b")]),
    ],
)
def test_each_pool_in_turn(pools: list[Any], ways: list[Any]) -> None:
    """With one change each pool has its turn; then come two changes, and so on."""
    assert list(nearest(pools)) == ways
