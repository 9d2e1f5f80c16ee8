"""One statement serves all who ask alike, and each of them gets what they asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import Actor, InvalidValue, Query, SqlStore
from reportflow.model.actor import Scope, Secrecy
from reportflow.model.query import Grant, Happened, Visibility
from reportflow.office import Author
from reportflow.storage.memory import MemoryStore
from reportflow.storage.sql.shapes import shape_of
from reportflow.testing.acts import CLASSES, created, report

PEOPLE = ["a", "b", "c", "%", "id0", "by", "é"]
names = st.sampled_from(PEOPLE)
several = st.none() | st.frozensets(st.none() | names, min_size=1)
scopes = st.frozensets(st.sampled_from(sorted(Scope)), min_size=1)
rules = st.builds(
    lambda actor, unit, scopes: Visibility(
        actor=actor, unit=unit, clearance=Secrecy.INTERNAL, grants=(Grant(kind="report", scopes=scopes),)
    ),
    names,
    st.just("") | names,
    scopes,
)
queries = st.builds(
    Query,
    id=several,
    parent=several,
    unit=several,
    assignee=several,
    created_by=several,
    author=several,
    happened=st.none() | st.builds(Happened, actor=st.none() | st.frozensets(names, min_size=1)),
    visible=st.none() | rules,
    text=st.none() | names,
)


@pytest.fixture(name="stores", scope="module")
def fixture_stores() -> Iterator[tuple[SqlStore, MemoryStore]]:
    """A store of SQLite and one in memory, with the same records of several people and units."""
    stores = SqlStore("sqlite://", CLASSES), MemoryStore(CLASSES)
    for number, unit in enumerate(PEOPLE):
        draft = report(
            unit,
            unit=PEOPLE[number // 2],
            title=PEOPLE[-number - 1] + "x",
            assignee=PEOPLE[number // 3] if number % 3 else None,
            authors=[Author(name="n", id=PEOPLE[(number + 1) % 7])],
        )
        change = created(draft, by=Actor(id=PEOPLE[number // 2], name="n", unit="u"))
        for store in stores:
            store.commit([change])
    yield stores
    stores[0].close()


@given(first=queries, second=queries)
def test_each_gets_their_own(stores: tuple[SqlStore, MemoryStore], first: Query, second: Query) -> None:
    """Whoever asked before, in whatever order: a query finds and counts what it does in a store without statements."""
    store, memory = stores
    for query in (first, second, first):
        assert store.find(query).records == memory.find(query).records
        assert store.count(query, group="unit") == memory.count(query, group="unit")
        assert store.count(query, "entries") == memory.count(query, "entries")


@given(query=queries, by=rules)
def test_a_shape_names_nobody(query: Query, by: Visibility) -> None:
    """Two people who ask alike share a shape, which holds no name of theirs; all that it leaves out is given."""
    shape, values = shape_of(query)
    assert shape_of(attrs.evolve(query))[0] == shape
    for field in ("id", "parent", "unit", "assignee", "created_by", "author"):
        named = getattr(query, field)
        there = getattr(shape, field)
        assert (named is None) is (there is None)
        if named is not None:
            assert {values.get(one, one) if one is not None else None for one in there} == named
            assert not {one for one in named if one} & there
    first = attrs.evolve(query, visible=attrs.evolve(by, actor="first", unit="its unit"))
    second = attrs.evolve(query, visible=attrs.evolve(by, actor="second", unit="another"))
    assert shape_of(first)[0] == shape_of(second)[0]
    nowhere = attrs.evolve(query, visible=attrs.evolve(by, unit=""))
    assert shape_of(nowhere)[0] != shape_of(first)[0]


def test_no_text_is_a_mark() -> None:
    """A query takes no text that could be taken for a mark: it would ask for somebody else's."""
    make: Any = Query
    _, values = shape_of(Query(id={"a", "b"}, happened=Happened(actor="c")))
    assert len(values) == 3
    for mark in values:
        for field in ("id", "text", "category", "state"):
            with pytest.raises(InvalidValue):
                make(**{field: mark})
