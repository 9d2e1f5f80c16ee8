"""All records that a person may find: filtered, searched and ordered by the address alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from reportflow.errors import InvalidValue
from reportflow.model.actor import Person
from reportflow.model.query import Page, Query
from reportflow.model.values import changed
from reportflow.web.filters import (
    LABELLED,
    NEWEST,
    Params,
    active,
    filters,
    find_address,
    kinds_of,
    list_params,
    person_ids,
)
from reportflow.web.labelled import code_of
from reportflow.web.pages.reading import note_reading
from reportflow.web.querying import WITHOUT, query_of, sealed_cursor
from reportflow.web.routes import Route
from reportflow.web.rows import rows
from reportflow.web.typed import date_read
from reportflow.web.visit import Visit

#: How many records a page has.
PAGE: Final = 50
#: How many people the form offers at the most; where there are more, a name is typed.
_FEW: Final = 20
#: The form's own fields, of which the parameters of a query are made: whose turn it is, and a name.
_WHO, _NAME = "who", "name"


async def find(visit: Visit) -> Response:
    """A page of the list that the address says; an address as the form makes it leads to the short one."""
    given = visit.request.query_params
    asked: dict[str, list[str]] = {}
    for name, value in given.multi_items():
        asked.setdefault(name, []).append(value)
    found = await _of_the_form(visit, asked)
    query = query_of(found, visit.flow.zone, visit.signer, order=NEWEST)
    params = list_params(visit, query)
    address = find_address(visit, params)
    matches = await _people(visit, asked)
    is_short = asked.keys() <= {*params, "cursor", _NAME} and all(any(values) for values in asked.values())
    if not is_short and not visit.is_partial and not matches:
        return visit.redirect(address)
    page: Page = await visit.ask(visit.flow.find, changed(query, {"limit": PAGE}))
    people = await _named(visit, params, page)
    shown = rows(visit, page, names=people)
    if query.text:  # the places that it finds are shown
        await note_reading(visit, *(one.record for one in shown if one.text))
    following = None
    if page.next is not None:
        following = find_address(visit, params, sealed_cursor(page.next, params, visit.signer))
    context: dict[str, Any] = {
        "rows": shown,
        "unreadable": len(page.unreadable),
        "active": active(visit, params, people),
        "next": following,
        "first": None if query.cursor is None else address,
        "address": address,
        "place": find_address(visit, params, given.get("cursor")),
        "texts": sorted(str(one) for one in query.text or ()),
        "params": params,
        "matches": [
            (visit.t.person(one), one.unit, find_address(visit, {**params, "assignee": [id]})) for id, one in matches
        ],
        "asked_name": next(iter(asked.get(_NAME, ())), ""),
    }
    if visit.is_partial:
        answer = visit.page("find_results.html", **context)
        answer.headers["HX-Push-Url"] = address
        return answer
    offered, few = await _offered(visit)
    views = await visit.site.kept.views(visit.actor.id)
    return visit.page(
        "find.html", filters=filters(visit, params, offered, few=few), views=views_of(visit, views), **context
    )


def views_of(visit: Visit, views: Mapping[str, str]) -> list[tuple[str, str]]:
    """Saved views: name and address."""
    base = visit.urls.to("find")
    return [(name, f"{base}?{query}" if query else base) for name, query in views.items()]


async def _of_the_form(visit: Visit, asked: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Parameters as a query has them: what the form's own fields say of whose turn it is, codes for labels, dates."""
    found = {name: list(values) for name, values in asked.items()}
    for name in LABELLED & asked.keys():
        found[name] = [code_of(one, name, visit.t, kinds_of(visit)) for one in asked[name]]
    for name in asked:
        if name.endswith(("_from", "_to")):
            found[name] = [date_read(one) for one in asked[name]]
    for who in asked.get(_WHO, ()):
        if who == "me":
            found.setdefault("assignee", []).append(visit.actor.id)
        elif who == "nobody":
            found.setdefault(WITHOUT, []).append("assignee")
        elif who.startswith("="):
            found.setdefault("assignee", []).append(who[1:])
    return found


async def _people(visit: Visit, asked: Mapping[str, list[str]]) -> list[tuple[str, Person]]:
    """The people whom the name that was typed finds: people are the office's to search."""
    name = next((one.strip() for one in asked.get(_NAME, ()) if one.strip()), "")
    if not name or not visit.is_staff:
        return []
    try:
        found: dict[str, Person] = await visit.ask(visit.flow.people, name, limit=_FEW)
    except InvalidValue:  # they cannot be searched
        return []
    return list(found.items())


async def _offered(visit: Visit) -> tuple[dict[str, Person] | None, bool]:
    """Whom an assignee can be chosen of, and whether these are all; None where nobody knows."""
    if not visit.is_staff:
        return None, False
    try:
        found: dict[str, Person] = await visit.ask(visit.flow.people, "", limit=_FEW + 1)
    except InvalidValue:
        return None, False
    return found, len(found) <= _FEW


async def _named(visit: Visit, params: Params, page: Page) -> dict[str, Person]:
    """The people whom a list names, as far as they are known."""
    creators = {record.created_by for record in page if not getattr(record, "authors", ())}
    ids = sorted({*person_ids(params), *creators})
    return await visit.ask(visit.flow.people, ids, limit=len(ids)) if ids else {}


def saved_query(visit: Visit, params: Mapping[str, list[str]]) -> Query:
    """The query of a list that is to be kept, without its place."""
    return query_of({**params, "cursor": []}, visit.flow.zone, order=NEWEST)


ROUTES: Final = (Route("GET", "/find", find),)
