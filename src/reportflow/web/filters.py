"""What a list can be filtered by, of the tables; and what an address filters by, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Scope, Secrecy
from reportflow.model.query import Query
from reportflow.web.labelled import label_of
from reportflow.web.querying import ENTRY_FIELDS, FIELDS, WITHOUT, params_of
from reportflow.web.urls import query_text
from reportflow.web.visit import Visit

#: The order of a list that says none: the newest first.
NEWEST: Final = ("-created_at",)
#: What a list can be ordered by, as the form offers it.
ORDERS: Final = ("-created_at", "created_at", "-updated_at", "due_at", "title")
#: Parameters whose values are ids of people.
_PEOPLE: Final = frozenset({"assignee", "created_by", "author", "by"})
#: Parameters whose values have labels, and the room of the catalog that has them.
_ROOMS: Final[Mapping[str, str]] = MappingProxyType(
    {"state": "state", "secrecy": "secrecy", "happened": "trigger", "level": "level", "code": "code"}
)
#: Parameters whose values are typed, by their labels where they have some.
LABELLED: Final = frozenset({"category", "topic"})
#: Parameters that the form has controls of its own for; the others are kept as they are.
_SHOWN: Final = frozenset({"text", "kind", "state", "category", "topic", "unit", "secrecy", "assignee", "order"})
_SHOWN_TIMES: Final = frozenset({"created_from", "created_to", "due_from", "due_to"})

Params = Mapping[str, Sequence[str]]


class FilterChoice(NamedTuple):
    """One value of a filter that has a few."""

    value: str
    text: str
    chosen: bool


class ActiveFilter(NamedTuple):
    """A filter that is set: what it says, and the address of the list without it."""

    name: str
    text: str
    address: str


class ListFilters(NamedTuple):
    """The form over a list.

    Attributes:
        kinds: The kinds that the person may find; none where there is but one.
        states: Kind -> its states.
        secrecies: Up to the person's clearance; none where that is the lowest.
        orders: What it can be ordered by.
        assignees: Whose turn it is: anybody's, mine, nobody's; and people, where they are few.
        search_people: Whether a person is to be typed.
        units: Whether the person may find what is of several units.
        said: What each field of the form says.
        kept: Parameters that the form has no field for: names and values.
    """

    kinds: Sequence[FilterChoice]
    states: Mapping[str, Sequence[FilterChoice]]
    secrecies: Sequence[FilterChoice]
    orders: Sequence[FilterChoice]
    assignees: Sequence[FilterChoice]
    search_people: bool
    units: bool
    said: Mapping[str, str]
    kept: Sequence[tuple[str, str]]


def list_params(visit: Visit, query: Query) -> dict[str, list[str]]:
    """The parameters that say the query of a list, without its place."""
    params = params_of(query, visit.flow.zone, order=NEWEST)
    return {name: values for name, values in params.items() if name not in ("cursor", "limit")}


def find_address(visit: Visit, params: Params, cursor: str | None = None) -> str:
    """The address of the list that parameters say, at a place of it."""
    text = query_text({**params, "cursor": cursor})
    return visit.urls.to("find") + (f"?{text}" if text else "")


def kinds_of(visit: Visit) -> list[Lifecycle]:
    """The kinds that a role of the person reaches."""
    return [one for one in visit.site.lifecycles.values() if one.grants(visit.actor)]


def filters(visit: Visit, params: Params, people: Mapping[str, Any] | None, *, few: bool) -> ListFilters:
    """The form over a list.

    Args:
        visit: Who asks.
        params: What the list says now.
        people: Whom an assignee can be chosen of; None where they cannot be searched.
        few: Whether these are all that there are.
    """
    t, given = visit.t, {name: frozenset(values) for name, values in params.items()}
    kinds = kinds_of(visit)
    several = len(kinds) > 1
    order = params.get("order", NEWEST)

    def choices(name: str, values: Iterable[str], texts: Iterable[str]) -> list[FilterChoice]:
        chosen = given.get(name, frozenset())
        return [FilterChoice(value, text, value in chosen) for value, text in zip(values, texts, strict=True)]

    levels = [one.value for one in Secrecy.up_to(visit.actor.clearance)]
    mine = visit.actor.id
    persons = {id: one for id, one in (people or {}).items() if id != mine and one.name} if few else {}
    chosen = given.get("assignee", frozenset()) - {mine}
    nobody = "assignee" in given.get(WITHOUT, frozenset())
    return ListFilters(
        kinds=choices("kind", [one.name for one in kinds], (t.label("lifecycle", one.name, one.name) for one in kinds))
        if several
        else (),
        states={
            one.name: choices(
                "state", [state.name for state in one.states], (t.label("state", s.name, one.name) for s in one.states)
            )
            for one in kinds
        },
        secrecies=choices("secrecy", levels, (t.label("secrecy", one) for one in levels)) if len(levels) > 1 else (),
        orders=[FilterChoice(one, t(f"find.order_{one.replace('-', 'down_')}"), [*order] == [one]) for one in ORDERS],
        assignees=[
            FilterChoice("me", t("find.assignee_me"), mine in given.get("assignee", ())),
            FilterChoice("nobody", t("find.assignee_nobody"), nobody),
            *(FilterChoice(f"={id}", t.person(one), id in chosen) for id, one in persons.items()),
        ],
        search_people=people is not None and not few,
        units=any(one.roles.get(role) is Scope.ANY for one in kinds for role in visit.actor.roles),
        said={
            name: label_of(values[0], name, t, kinds) if name in LABELLED else values[0]
            for name, values in params.items()
            if name in _SHOWN | _SHOWN_TIMES
        },
        kept=list(_kept(params, persons, mine)),
    )


def _kept(params: Params, persons: Mapping[str, Any], mine: str) -> Iterable[tuple[str, str]]:
    """What the form has no field for: it goes along unseen."""
    for name, values in params.items():
        if name == "assignee":
            rest = [one for one in values if one != mine and one not in persons]
        elif name == WITHOUT:
            rest = [one for one in values if one != "assignee"]
        elif name in ("state", "order"):
            rest = []
        else:
            rest = list(values[1:] if name in _SHOWN | _SHOWN_TIMES else values)
        yield from ((name, one) for one in rest)


def active(visit: Visit, params: Params, people: Mapping[str, Any]) -> list[ActiveFilter]:
    """The filters that are set, each with the address of the list without it.

    Args:
        visit: Who asks.
        params: What the list says.
        people: The people whose names are known, by id.
    """
    found = []
    for name, values in params.items():
        if name == "order":
            continue
        for value in values:
            rest = {other: [one for one in kept if (other, one) != (name, value)] for other, kept in params.items()}
            found.append(ActiveFilter(name, _said(visit, name, value, params, people), find_address(visit, rest)))
    return found


def _said(visit: Visit, name: str, value: str, params: Params, people: Mapping[str, Any]) -> str:
    """What one filter says."""
    t = visit.t
    if name == WITHOUT:
        return t("find.without", field=_field(visit, value))
    return t("find.is", field=_field(visit, name), value=value_text(visit, name, value, params.get("kind", ()), people))


def _field(visit: Visit, name: str) -> str:
    assert name in (*FIELDS, *ENTRY_FIELDS) or name.endswith(("_from", "_to"))
    return visit.t(f"find.field_{name}")


def value_text(visit: Visit, name: str, value: str, kinds: Iterable[str], people: Mapping[str, Any]) -> str:
    """A value of a parameter as people call it; never the id of a person."""
    t = visit.t
    if name in _PEOPLE:
        return t("find.assignee_me") if value == visit.actor.id else t.person(people.get(value))
    if name == "kind":
        return t.label("lifecycle", value, value)
    if name in _ROOMS:
        for kind in [*kinds, *(one.name for one in kinds_of(visit))]:
            if label := t.known_label(_ROOMS[name], value, kind):
                return label
    if name in LABELLED:
        return label_of(value, name, t, kinds_of(visit))
    return t("find.some_record") if name in ("id", "parent") else value


def person_ids(params: Params) -> list[str]:
    """The ids of the people whom parameters name."""
    return sorted({one for name in _PEOPLE for one in params.get(name, ())})
