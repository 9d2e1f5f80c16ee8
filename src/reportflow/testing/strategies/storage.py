"""Changes to store and queries to answer: the strategies of `machine`.

What is found by (units, words, people, times) comes from small pools, so that random queries match something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from reportflow.analysis.samples import annotated
from reportflow.model.actor import Actor, Scope, Secrecy
from reportflow.model.query import (
    ENTRY_GROUPS,
    LABEL_GROUPS,
    ORDERS,
    RECORD_GROUPS,
    Grant,
    Happened,
    Interval,
    Query,
    Visibility,
)
from reportflow.model.record import Record
from reportflow.office.report import Author, Level, Report, Source
from reportflow.testing.acts import START, Sample
from reportflow.testing.strategies.values import names, of, secrecies, texts

UNITS: Final = ("north", "south", "榆林")
WORDS: Final = ("roads", "Roads", "水利", "a%b")
PEOPLE: Final = ("li", "wu", "张三")
#: Of both kinds: those that an audience may name.
ROLES: Final = ("editor", "one", "other")
KEYS: Final = tuple(f"key {number}" for number in range(9))


def moments() -> SearchStrategy[datetime]:
    """The full hours of the first two days: few enough to meet again."""
    return st.integers(0, 48).map(lambda hours: START + timedelta(hours=hours))


def actors() -> SearchStrategy[Actor]:
    """Actors without a role, of one of the units."""
    who, where = st.sampled_from(PEOPLE), st.sampled_from(UNITS)
    return st.builds(Actor, id=who, name=texts(max_size=4), unit=where, clearance=secrecies())


# -- records, and the details of their transitions --------------------------------------------------------------


def _some(pool: Sequence[str]) -> SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(pool), max_size=2)


def _or_none(pool: Sequence[str]) -> SearchStrategy[str | None]:
    return st.none() | st.sampled_from(pool)


def reports(id: str) -> SearchStrategy[Report]:
    """Drafts of reports under an id."""
    return st.builds(
        Report.draft,
        **_common(id),
        title=names() | st.sampled_from(WORDS),
        text=names(),
        authors=st.lists(st.builds(Author, name=names(), id=_or_none(PEOPLE)), min_size=1, max_size=2),
        source=st.sampled_from(Source),
    )


def samples(id: str) -> SearchStrategy[Sample]:
    """Drafts of the record beside the report under an id."""
    fields = {"amount": st.decimals(allow_nan=False, allow_infinity=False), "day": st.none() | st.dates()}
    return st.builds(Sample.draft, **_common(id), title=st.sampled_from(WORDS), authors=_some(PEOPLE), **fields)


def drafts(id: str) -> SearchStrategy[Record]:
    """Drafts of either kind under an id."""
    return reports(id) | samples(id)


def _common(id: str) -> dict[str, SearchStrategy[Any]]:
    return {
        "id": st.just(id),
        "unit": st.sampled_from(UNITS),
        "parent": _or_none(WORDS),
        "category": st.sampled_from(WORDS),
        "assignee": _or_none(PEOPLE),
        "due_at": st.none() | moments(),
        "secrecy": secrecies(),
        "topics": _some(WORDS),
    }


_TEXT: Final = st.sampled_from(WORDS) | names()
#: A field of details by its name or its annotation -> what it may be, so that queries match some of it.
_FIELDS: Final[Mapping[Any, SearchStrategy[Any]]] = {
    "assignee": _or_none(PEOPLE),
    frozenset[str] | None: st.none() | st.frozensets(st.sampled_from(ROLES[1:])),
    str: _TEXT,
    str | None: st.none() | _TEXT,
    datetime | None: st.none() | moments(),
    tuple[str, ...] | None: st.none() | _some(WORDS),
    tuple[Author, ...] | None: st.none() | st.lists(of(Author), min_size=1, max_size=2),
}


def details(cls: type[Any] | None) -> SearchStrategy[Any]:
    """Details of a class, or nothing where a transition takes nothing."""
    if cls is None:
        return st.none()
    known = {field.name: field.name if field.name in _FIELDS else kind for field, kind in annotated(cls)}
    return st.builds(cls, **{name: _FIELDS[one] if one in _FIELDS else of(one) for name, one in known.items()})


# -- queries ----------------------------------------------------------------------------------------------------


def intervals() -> SearchStrategy[Interval]:
    """Stretches of time between `moments`, open ones and empty ones among them."""
    pair = st.tuples(moments(), moments()).map(sorted)
    ends = st.sampled_from([(True, True), (True, False), (False, True), (False, False)])
    return st.builds(lambda two, kept: Interval(two[0] if kept[0] else None, two[1] if kept[1] else None), pair, ends)


def orders() -> SearchStrategy[tuple[str, ...]]:
    """Orders of up to three keys, each its own way."""
    keys = st.tuples(st.sampled_from(["", "-"]), st.sampled_from(ORDERS))
    several = st.lists(keys, max_size=3, unique_by=lambda key: key[1])
    return several.map(lambda chosen: tuple(way + name for way, name in chosen))


def groups() -> SearchStrategy[list[str]]:
    """What a count is grouped by: up to three names."""
    return st.lists(st.sampled_from(RECORD_GROUPS + LABEL_GROUPS + ENTRY_GROUPS), max_size=3, unique=True)


def visibilities(kinds: Sequence[str], states: Sequence[str]) -> SearchStrategy[Visibility]:
    """Visibility rules of up to two grants."""
    grant = st.builds(
        Grant,
        kind=st.sampled_from(kinds),
        scopes=st.frozensets(st.sampled_from(Scope)),
        states=st.none() | st.frozensets(st.sampled_from(states)),
        versions=st.none() | st.frozensets(st.integers(1, 3)),
        roles=st.frozensets(st.sampled_from(ROLES)),
    )
    return st.builds(
        Visibility,
        actor=st.sampled_from(PEOPLE),
        unit=st.sampled_from(UNITS),
        clearance=secrecies(),
        grants=st.lists(grant, max_size=2).map(tuple),
    )


def _asked(pool: Sequence[str]) -> SearchStrategy[Any]:
    """One value of a pool, or a set of them with None perhaps."""
    return st.sampled_from(pool) | st.frozensets(st.none() | st.sampled_from(pool), max_size=3)


def _few(fields: Mapping[str, SearchStrategy[Any]]) -> SearchStrategy[dict[str, Any]]:
    """Values for up to two of the fields: with more, nothing would match."""
    none: SearchStrategy[list[str]] = st.just([])
    chosen = none | st.lists(st.sampled_from(sorted(fields)), max_size=2, unique=True)
    return chosen.flatmap(lambda some: st.fixed_dictionaries({name: fields[name] for name in some}))


def happenings(triggers: Sequence[str]) -> SearchStrategy[Happened]:
    """Conditions on a history."""
    marks = (*WORDS, *(level.value for level in Level), "member", "single", "upward", "code")
    fields = {
        "trigger": _asked(triggers), "party": _asked(WORDS), "level": _asked(marks), "code": _asked(marks),
        "actor": _asked(PEOPLE), "at": intervals(), "recorded_at": intervals(),
    }  # fmt: skip
    return _few(fields).map(lambda asked: Happened(**asked))


def queries(
    *, ids: Sequence[str], kinds: Sequence[str], states: Sequence[str], triggers: Sequence[str]
) -> SearchStrategy[Query]:
    """Queries of any kind, with an order and a limit, without a cursor."""
    text = st.sampled_from([*WORDS, "", "校园", "%", "é"])
    fields = {
        "id": _asked(ids), "kind": _asked(kinds), "state": _asked(states), "unit": _asked(UNITS),
        "parent": _asked(WORDS), "category": _asked(WORDS), "assignee": _asked(PEOPLE),
        "secrecy": _asked([level.value for level in Secrecy]), "created_by": _asked(PEOPLE),
        "author": _asked(PEOPLE), "topic": _asked(WORDS), "text": text | st.frozensets(text, max_size=2),
        "created_at": intervals(), "updated_at": intervals(), "due_at": intervals(),
        "happened": happenings(triggers), "visible": visibilities(kinds, states),
    }  # fmt: skip
    return st.builds(
        lambda asked, order, limit: Query(**asked, order=order, limit=limit), _few(fields), orders(), st.integers(1, 5)
    )
