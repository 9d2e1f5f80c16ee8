"""How the API answers: a record with its tag, a page with the link to the next, anything else as plain data.

What is above internal secrecy is noted as read by the person, before it is answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
from starlette.responses import JSONResponse, Response

from reportflow.errors import InvalidDefinition
from reportflow.lifecycle.decision import Option
from reportflow.model.entry import Entry
from reportflow.model.query import Page
from reportflow.model.record import Record
from reportflow.serialization.plain import to_plain
from reportflow.web.pages.reading import note_reading
from reportflow.web.visit import Visit


async def shows(visit: Visit, several: Iterable[Record | Entry]) -> None:
    """Note what is shown: how secret it is, and that the person has read what is above internal secrecy."""
    await note_reading(visit, *several)


def plain(visit: Visit, data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Plain data."""
    return visit.complete(JSONResponse(data, status, headers))


def texts(visit: Visit, data: Any) -> Response:
    """Plain data with texts in the reader's language."""
    return plain(visit, data, headers={"Content-Language": visit.t.tag})


def options(visit: Visit, several: Iterable[Option]) -> Response:
    """Offers, with their texts; one that takes what JSON cannot say has no schema."""
    return texts(visit, [_described(visit, one) for one in several])


def _described(visit: Visit, option: Option) -> dict[str, Any]:
    try:
        return option.describe(visit.language, catalog=visit.flow.catalog)
    except InvalidDefinition:
        return attrs.evolve(option, details=None, draft=None).describe(visit.language, catalog=visit.flow.catalog)


async def record(visit: Visit, found: Record, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A record; ``ETag`` has its head. One that was never stored has none."""
    heads = {**(headers or {}), **({"ETag": f'"{found.head}"'} if found.head else {})}
    visit.shows(found.secrecy)
    if visit.request.method in ("GET", "HEAD") and found.head and _has(visit, found.head):
        return visit.complete(Response(status_code=304, headers=heads))
    await shows(visit, [found])
    return plain(visit, to_plain(found), status, heads)


def _has(visit: Visit, head: str) -> bool:
    tags = visit.request.headers.get("if-none-match", "").split(",")
    return any(tag.strip().removeprefix("W/") in (f'"{head}"', "*") for tag in tags)


async def page(visit: Visit, found: Page, cursor: str | None, parts: tuple[str, ...]) -> Response:
    """A page of records, with the signed cursor of the next one."""
    await shows(visit, found)
    data = {"records": to_plain(found.records), "next": cursor, "unreadable": list(found.unreadable)}
    if cursor is None:
        return plain(visit, data)
    query: dict[str, Any] = {}
    for name, value in visit.request.query_params.multi_items():
        query.setdefault(name, []).append(value)
    following = visit.urls.to(*parts, **{**query, "cursor": [cursor]})
    return plain(visit, data, headers={"Link": f'<{following}>; rel="next"'})
