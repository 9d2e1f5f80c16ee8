"""Lists of records: what fits a query, what waits for the person, and how many there are."""

from __future__ import annotations

from typing import Any, Final

import attrs
from starlette.responses import Response

from reportflow.errors import InvalidValue
from reportflow.model.query import Query
from reportflow.web.api import answers
from reportflow.web.api.asking import MOST, WANTED, asked, check_names, number
from reportflow.web.querying import PARAMETERS, query_of, sealed_cursor, values_of
from reportflow.web.routes import Route
from reportflow.web.visit import Visit

#: What keeps a cursor of the inbox from being taken for one of a query.
_INBOX: Final = "inbox"


@attrs.frozen(kw_only=True)
class ListAsked:
    """A page of a list."""

    limit: int = number(1, MOST, 100)
    cursor: str | None = None


def query(visit: Visit, more: tuple[str, ...] = ()) -> Query:
    """The query that the parameters of an address say.

    Raises:
        InvalidValue: with all unknown parameters, or the first wrong value.
    """
    check_names(visit, (*PARAMETERS, *more))
    found = query_of(visit.request.query_params, visit.flow.zone, visit.signer)
    if found.limit > MOST:
        raise InvalidValue("limit", "range", {"given": found.limit, "least": 1, "most": MOST})
    return found


async def find(visit: Visit) -> Response:
    """A page of the records that fit."""
    page = await visit.ask(visit.flow.find, query(visit))
    given = values_of(visit.request.query_params)
    cursor = None if page.next is None else sealed_cursor(page.next, given, visit.signer)
    return await answers.page(visit, page, cursor, ("api", "records"))


async def inbox(visit: Visit) -> Response:
    """A page of what waits for the person, what is due first."""
    given = asked(visit, ListAsked)
    cursor = None
    if given.cursor is not None:
        cursor = visit.signer.opened(_INBOX, given.cursor) if given.cursor.isascii() else None
        if cursor is None:
            raise InvalidValue("cursor", "cursor")
    page = await visit.ask(visit.flow.inbox, limit=given.limit, cursor=cursor)
    following = None if page.next is None else visit.signer.sealed(_INBOX, page.next)
    return await answers.page(visit, page, following, ("api", "inbox"))


async def count(visit: Visit) -> Response:
    """How many records, or entries of theirs, by group."""
    check_names(visit, (*WANTED, "of", "group"))
    wanted = query_of(visit.request.query_params, visit.flow.zone)
    of = visit.request.query_params.get("of", "records")
    group = tuple(visit.request.query_params.getlist("group"))
    numbers: dict[Any, int] = await visit.ask(visit.flow.count, wanted, of=of, group=group)
    counts = [{"group": list(one), "number": number} for one, number in numbers.items()]
    counts.sort(key=lambda one: [(value is None, str(value)) for value in one["group"]])  # type: ignore[attr-defined]  # a list
    return answers.plain(visit, {"of": of, "group": list(group), "counts": counts})


ROUTES: Final = (
    Route("GET", "/api/records", find),
    Route("GET", "/api/inbox", inbox),
    Route("GET", "/api/count", count),
)
