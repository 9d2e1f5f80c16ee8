"""A value as the expression that makes it: pasted, it gives an equal value."""

from __future__ import annotations

import enum
import math
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import Actor, Command, Entry, Happened, Interval, Query, Record, Secrecy
from reportflow.lifecycle.history import is_erased
from reportflow.model.query import Grant, Visibility
from reportflow.office import REPORT, Attachment, Author, Level, Report, Revision
from reportflow.serialization.source import Names, imports, named, python
from reportflow.testing import strategies
from reportflow.testing.acts import Note, Sample
from reportflow.testing.strategies.definitions import Casework, ShiftHandover
from reportflow.testing.strategies.storage import queries

#: Every class of the library whose values a person may meet, beside the queries.
CLASSES: tuple[type[Any], ...] = (
    *dict.fromkeys(row.details for row in REPORT.transitions if row.details),
    Actor, Attachment, Author, Record, Report, Note, Sample, Casework, ShiftHandover, Grant, Visibility, Entry, Command,
)  # fmt: skip


def evaluated(value: object) -> Any:
    """The value of the expression, evaluated with nothing but the imports that it names."""
    names: Names = {}
    expression = python(value, names)
    known: dict[str, Any] = {}
    exec("\n".join(imports(names)), known)
    return eval(expression, known)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_values_of_the_library(cls: type[Any], data: st.DataObject) -> None:
    """Each record, each details class and each other value of the library comes back equal, and of its class."""
    value = data.draw(strategies.details(cls))
    assert evaluated(value) == value
    assert type(evaluated(value)) is cls


@given(data=st.data())
def test_stored_records_and_their_entries(data: st.DataObject) -> None:
    """Stored records at the end of paths, and each entry, come back equal.

    What an act erased is left out: the class refuses the blank that stands in its place.
    """
    path = data.draw(strategies.paths(REPORT))
    if not any(entry.erased for entry in path.history):
        assert evaluated(path.record) == path.record
    for entry in path.history:
        assert is_erased(path.history, entry.sequence) or evaluated(entry) == entry


@given(query=queries(ids=["r1"], kinds=["report"], states=["draft"], triggers=["edit"]))
def test_queries(query: Query) -> None:
    """Any query comes back equal."""
    assert evaluated(query) == query


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.dates() | st.uuids()
    | st.floats(allow_nan=False) | st.decimals(allow_nan=False) | st.timedeltas() | st.sampled_from(Level)
    | st.datetimes(timezones=st.none() | st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))])),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(value=plain | st.frozensets(st.text()) | st.sets(st.integers()))
def test_plain_values(value: object) -> None:
    """Numbers, texts, times and collections of them come back equal, and of their type."""
    assert evaluated(value) == value
    assert type(evaluated(value)) is type(value)


class Access(enum.Flag):
    """Flags, several of which together have no name."""

    READ = 1
    WRITE = 2


class Point(NamedTuple):
    """A tuple with a name of its own."""

    x: int
    y: int


@attrs.frozen
class Odd:
    """Positional, with a private field, a computed one, and defaults by a factory."""

    _hidden: int
    words: list[str] = attrs.field(factory=list)
    length: int = attrs.field(init=False)
    double: int = attrs.field(default=attrs.Factory(lambda self: self._hidden * 2, takes_self=True))

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "length", len(self.words))


@pytest.mark.parametrize(
    "value",
    [
        Access.READ,
        Access.READ | Access.WRITE,
        Odd(3),
        Odd(3, ["a"], 7),
        MappingProxyType({"a": 1}),
        timedelta(days=123456789, microseconds=1),
        timedelta(0),
        math.inf,
        -math.inf,
        Decimal("-0.10"),
        datetime(2022, 10, 30, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
        set(),
        frozenset({frozenset({1})}),
        (1,),
    ],
    ids=repr,
)
def test_odd_values(value: object) -> None:
    """Flags, private and computed fields, infinities, folds and empty sets come back equal."""
    assert evaluated(value) == value


def test_not_a_number() -> None:
    """NaN, which equals nothing, comes back as NaN."""
    assert math.isnan(evaluated(math.nan))


def test_a_value_without_an_expression_is_its_repr() -> None:
    """A value of a foreign class is written as its `repr`."""
    assert python(Point(1, 2)) == "Point(x=1, y=2)"
    assert python(range(3)) == "range(0, 3)"


def test_the_shortest_text() -> None:
    """Defaults are left out, a set is written as a set where the class converts it, times are short."""
    assert python(Actor(id="li", roles={"editor"})) == "Actor(id='li', roles={'editor'})"
    assert python(Revision(text="正文")) == "Revision(text='正文')"
    assert python(Record.draft(title="t")) == "Record.draft(title='t')"
    assert python(datetime(2022, 1, 3, 9, tzinfo=UTC)) == "datetime(2022, 1, 3, 9, tzinfo=UTC)"
    assert python(Report.draft(title="t", text="x", authors=[Author(name="n")], secrecy=Secrecy.SECRET)) == (
        "Report.draft(secrecy=Secrecy.SECRET, title='t', text='x', authors=(Author(name='n'),))"
    )


def test_imports_use_public_packages() -> None:
    """Names that the package exports are imported from there, others from their module; sorted."""
    names: Names = {}
    python(Happened(trigger="adopt", at=Interval(datetime(2022, 1, 1, tzinfo=UTC), None)), names)
    python(Note(), names)
    assert imports(names) == [
        "from datetime import UTC, datetime",
        "from reportflow import Happened, Interval",
        "from reportflow.testing.acts import Note",
    ]


def test_a_class_that_cannot_be_imported() -> None:
    """A class made inside a function is written by its name, and not imported."""

    @attrs.frozen
    class Inner:
        day: date

    names: Names = {}
    expression = python(Inner(date(2022, 1, 3)), names)
    assert imports(names) == ["from datetime import date"]
    known: Mapping[str, Any] = {"Inner": Inner, "date": date}
    assert eval(expression, dict(known)) == Inner(date(2022, 1, 3))


# ---------------------------------------------------------------------------------------------------------------
# Word for word


class Outer:
    """A class with a class in it."""

    @attrs.frozen
    class Inner:
        """The class in it."""

        number: int = 1


_TAKES_SELF: Any = attrs.Converter(lambda given, self: frozenset(given), takes_self=True)


@attrs.frozen
class Held:
    """Sets, with and without a converter that makes one."""

    plain: frozenset[str] = frozenset()
    made: frozenset[str] = attrs.field(default=frozenset(), converter=frozenset)
    converted: frozenset[str] = attrs.field(default=frozenset(), converter=_TAKES_SELF)  # type: ignore[misc]  # not followed
    words: list[str] = attrs.field(factory=list)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([1, "a", None], "[1, 'a', None]"),
        ((1, 2), "(1, 2)"),
        ({"a": [1]}, "{'a': [1]}"),
        ({3, 1}, "{1, 3}"),
        (Decimal("1.50"), "Decimal('1.50')"),
        (UUID(int=1), "UUID('00000000-0000-0000-0000-000000000001')"),
        (datetime(2022, 1, 3), "datetime(2022, 1, 3)"),
        (datetime(2022, 1, 3, 9, tzinfo=UTC), "datetime(2022, 1, 3, 9, tzinfo=UTC)"),
        (datetime(2022, 1, 3, 0, 5), "datetime(2022, 1, 3, 0, 5)"),
        (datetime(2022, 1, 3, 0, 0, 0, 7), "datetime(2022, 1, 3, 0, 0, 0, 7)"),
        (Outer.Inner(), "Outer.Inner()"),
        (Outer.Inner(2), "Outer.Inner(number=2)"),
        (Odd(3), "Odd(hidden=3, double=6)"),
        (Held(), "Held()"),
        (cast(Any, Held)(["b"], ["b"], ["b"], ["b"]),
         "Held(plain=['b'], made={'b'}, converted=frozenset({'b'}), words=['b'])"),
        (cast(Any, Held)(frozenset("b"), "b"), "Held(plain=frozenset({'b'}), made={'b'})"),
        (Report.draft(kind="x", title="t", text="y", authors=[Author(name="z")]),
         "Report.draft(kind='x', title='t', text='y', authors=(Author(name='z'),))"),
        (Record(id="r", state="s"), "Record(id='r', state='s')"),
        (Actor(id="a", roles={"b", "a"}), "Actor(id='a', roles={'a', 'b'})"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)  # fmt: skip
def test_a_value_is_written_in_its_shortest_form(value: object, text: str) -> None:
    """Defaults are left out, sets are sorted, times have no trailing zeros, a draft is made by `draft`."""
    assert python(value) == text


def test_a_nested_class_is_imported_by_its_outermost() -> None:
    """Of a nested class the outer one is imported; values of the library are imported from the package."""
    names: Names = {}
    python([Outer.Inner(), Author(name="x"), Revision(text="x"), UUID(int=1)], names)
    assert names == {"Outer": __name__, "Author": "reportflow.office", "Revision": "reportflow.office", "UUID": "uuid"}


# ---------------------------------------------------------------------------------------------------------------
# The name of a value


def test_a_function_is_named_by_the_module_that_defines_it() -> None:
    """A function or class is found in its `__module__`; a lifecycle in the package with the shortest name."""
    names: Names = {}
    assert named(evaluated, names) == "evaluated"
    assert named(Report, names) == "Report"
    assert named(REPORT, names) == "REPORT"
    assert (names["evaluated"], names["Report"]) == (__name__, "reportflow.office.report")
    home = names["REPORT"]  # the package that lists it, whatever else has imported it
    assert home == "reportflow.office"
    assert vars(sys.modules[home])["REPORT"] is REPORT
    assert named(object(), names) is None
    assert len(names) == 3


def test_of_several_names_the_shortest_public_one_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A public name goes before a private one, a short module before a long one, and `__main__` last."""

    def place(module: str, **held: object) -> None:
        made = ModuleType(module)
        vars(made).update(held)
        monkeypatch.setitem(sys.modules, module, made)

    value = object()
    monkeypatch.setitem(sys.modules, "zz_nothing", None)
    place("__main__", plain=value)
    names: Names = {}
    assert named(value, names) == "plain"
    assert names == {"plain": "__main__"}
    place("zz_far.away.indeed", **{"a-b": value, "__dunder__": value, "_hidden": value})
    assert (named(value, names), names["_hidden"]) == ("_hidden", "zz_far.away.indeed")
    place("zz_far.away", shown=value)
    assert (named(value, names), names["shown"]) == ("shown", "zz_far.away")
    place("zz_near", shown_too=value, other=object())
    assert (named(value, names), names["shown_too"]) == ("shown_too", "zz_near")
    place("aa_near", z_shown=value, _a=value)
    assert (named(value, names), names["z_shown"]) == ("z_shown", "aa_near")
    place("zz_odd", __only__=value)
    lone = object()
    place("zz_lone", **{"a b": lone, "__lone__": lone})
    assert named(lone, names) is None


def test_a_value_that_only_claims_a_name_is_not_named_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value whose `__module__` has another object under its name is looked up elsewhere."""

    def copied() -> None: ...

    copied.__module__, copied.__qualname__ = __name__, "evaluated"
    names: Names = {}
    assert named(copied, names) is None
    assert names == {}
    made = ModuleType("zz_copies")
    vars(made)["copied"] = copied
    monkeypatch.setitem(sys.modules, "zz_copies", made)
    assert (named(copied, names), names) == ("copied", {"copied": "zz_copies"})
