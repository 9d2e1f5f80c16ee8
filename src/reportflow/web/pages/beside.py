"""From a record to the one before or after it in the list that its reader came from.

The list is looked up when the link is followed, as its address says it and as it is then: so the page of a record costs
nothing more, and leads to no record that the list does not show to this person.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.responses import Response

from reportflow.errors import InvalidValue
from reportflow.model.query import Page
from reportflow.model.values import changed
from reportflow.web.filters import NEWEST, find_address, list_params
from reportflow.web.pages import finding, work
from reportflow.web.querying import query_of, sealed_cursor
from reportflow.web.routes import Route
from reportflow.web.visit import Visit

_ROW: Final = re.compile(r"row-([1-9][0-9]{0,3})")


class ListPlace(NamedTuple):
    """A place in a list: the ids that are shown there, in order, and the address of what follows."""

    ids: list[str]
    following: str | None


async def beside(visit: Visit) -> Response:
    """The record before or after another one in a list; the list itself where there is none."""
    step = {"next": 1, "previous": -1}.get(visit.params["way"])
    back = visit.urls.own(visit.request.query_params.get("from"), "")
    if step is None or not back:
        raise HTTPException(404)
    address, _, row = back.partition("#")
    try:
        place = await _place(visit, address)
        at = _index(place.ids, visit.params["id"], row, step)
        if at is not None and at == len(place.ids) and place.following is not None:
            address, at = place.following, 0
            place = await _place(visit, address)
    except InvalidValue:  # the list says itself what is wrong with its address
        return visit.redirect(back)
    if at is None or not 0 <= at < len(place.ids):
        return visit.redirect(back)
    return visit.redirect(visit.urls.to("r", place.ids[at], from_=f"{address}#row-{at + 1}"))


def _index(ids: list[str], id: str, row: str, step: int) -> int | None:
    """Where the record beside another one is; where that one has left the list, by the row in which it was."""
    if id in ids:
        return ids.index(id) + step
    found = _ROW.fullmatch(row)
    return None if found is None else int(found[1]) - 1 + min(step, 0)


async def _place(visit: Visit, address: str) -> ListPlace:
    """What a list shows.

    Raises:
        InvalidValue: the address asks for what is none.
        HTTPException: 404, it is no address of a list.
    """
    path, _, text = address.partition("?")
    try:
        asked = parse_qs(text, max_num_fields=1000)
    except ValueError:
        raise HTTPException(404) from None
    if path == visit.urls.to(""):
        return ListPlace(*await work.listed(visit, *(asked.get(name, [""])[0] for name in ("tab", "cursor"))))
    if path != visit.urls.to("find"):
        raise HTTPException(404)
    query = query_of(asked, visit.flow.zone, visit.signer, order=NEWEST)
    page: Page = await visit.ask(visit.flow.find, changed(query, {"limit": finding.PAGE}))
    params = list_params(visit, query)
    cursor = None if page.next is None else sealed_cursor(page.next, params, visit.signer)
    return ListPlace([one.id for one in page], None if cursor is None else find_address(visit, params, cursor))


ROUTES: Final = (Route("GET", "/r/{id}/beside/{way}", beside),)
