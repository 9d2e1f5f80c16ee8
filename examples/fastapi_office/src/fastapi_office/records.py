"""The records as an API: reading them, and one operation for each act in the table of `REPORT`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal, TypeVar

import attrs
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from fastapi_office.describing import RESPONSES, Components, asks, gives, takes
from fastapi_office.http import Body, Head, Key, Language, plain_answer, record_answer
from fastapi_office.office import Here
from fastapi_office.people import Who
from reportflow import NOBODY, Entry, FieldProblem, InvalidValue, Query, Transition, parse
from reportflow.office import REPORT, Report

T = TypeVar("T")

#: What a list may be asked for.
ASKED: Final = (
    "kind", "state", "unit", "category", "assignee", "topic", "text", "order", "limit", "cursor",
)  # fmt: skip


@attrs.frozen(kw_only=True)
class Creation:
    """A new record. `at` is when it came to be, now unless given."""

    kind: Literal["report"]
    trigger: Literal["create"] = "create"
    draft: Any
    at: datetime | None = None


@attrs.frozen(kw_only=True)
class Act:
    """What is done. `at` is when it happened, now unless given."""

    reason: str = ""
    at: datetime | None = None


def body_class(row: Transition) -> type[Act]:
    """The class of the body of an act: with its details, where it takes any."""
    own = {} if row.details is None else {"details": attrs.field(type=row.details)}
    return attrs.make_class(f"{row.trigger}_act", own, bases=(Act,), frozen=True, kw_only=True)


def acts() -> Iterator[Transition]:
    """A row for each act of people on a record."""
    for trigger in REPORT.triggers:
        row = next((one for one in REPORT.rows(trigger) if one.sources != {None} and NOBODY not in one.roles), None)
        if row is not None:
            yield row


def parse_with_draft(cls: type[T], body: Any) -> tuple[T, Report]:
    """A body that has the draft of a report in it, and the draft; what is wrong with either is named at once."""
    reads: list[Callable[[], Any]] = [partial(parse, cls, body)]
    if isinstance(body, dict) and "draft" in body:
        around, draft = {**body, "draft": None}, body["draft"]
        accepts = REPORT.accepted("create")
        reads = [partial(parse, cls, around), partial(parse, Report, draft, accepts=accepts, at="/draft")]
    parts: list[Any] = []
    problems: list[FieldProblem] = []
    for read in reads:
        try:
            parts.append(read())
        except InvalidValue as error:
            problems += error.problems
    if problems:
        raise InvalidValue.of(problems)
    given, report = parts
    return given, report


def records_router(components: Components) -> APIRouter:
    """The operations on records."""
    router = APIRouter(responses=RESPONSES)
    record = components.referred(Report)
    several = {"type": "array", "items": {"type": "object"}}
    texts = {"type": "array", "items": {"type": "string"}}
    page = {"records": {"type": "array", "items": record}, "next": {"type": ["string", "null"]}, "unreadable": texts}
    asked = components.of(Query, accepts=ASKED)["properties"]

    @router.get(
        "/records",
        responses=gives({"type": "object", "properties": page}),
        openapi_extra=asks({name: asked[name] for name in ASKED}),
    )
    async def find(request: Request, who: Who, office: Here) -> JSONResponse:
        """Find records, page by page: `next`, and the link of that name, have the cursor of the page after it."""
        query = query_of(request)
        found = await office.flow.find(query, by=who)
        if found.next is None:
            return plain_answer(found)
        after = request.url.include_query_params(cursor=found.next).query
        return plain_answer(found, Link=f'<?{after}>; rel="next"')

    @router.get("/records/{id}", responses=gives(record))
    async def get(id: str, who: Who, office: Here) -> JSONResponse:
        """A record; `ETag` has its head."""
        return record_answer(await office.flow.get(id, by=who))

    @router.get("/records/{id}/history", responses=gives({"type": "array", "items": components.referred(Entry)}))
    async def history(id: str, who: Who, office: Here) -> JSONResponse:
        """What happened to a record, as the reader may see it."""
        return plain_answer(await office.flow.history(id, by=who))

    @router.get("/records/{id}/options", responses=gives(several))
    async def options(id: str, who: Who, office: Here, language: Language) -> JSONResponse:
        """What may be done with a record, with which fields, and why not."""
        return JSONResponse([one.describe(language) for one in await office.flow.options(id, by=who)])

    @router.get("/kinds/{kind}/options", responses=gives(several))
    async def creations(kind: str, who: Who, office: Here, language: Language) -> JSONResponse:
        """What may be created of a kind."""
        return JSONResponse([one.describe(language) for one in await office.flow.options(kind, by=who)])

    creation = components.of(Creation)
    creation["properties"]["draft"] = components.of(Report, accepts=REPORT.accepted("create"))

    @router.post("/records", status_code=201, responses=gives(record, 201), openapi_extra=takes(creation))
    async def create(body: Body, who: Who, office: Here, key: Key = None) -> JSONResponse:
        """Create a record."""
        given, draft = parse_with_draft(Creation, body)
        made = await office.flow.create(draft, by=who, trigger=given.trigger, at=given.at, key=key)
        return record_answer(made, 201, Location=f"records/{made.id}")

    for row in acts():
        add_act(router, row, components, record)
    return router


def add_act(router: APIRouter, row: Transition, components: Components, record: dict[str, Any]) -> None:
    """The operation of one act, with the label of its row and the schema of its details."""
    cls = body_class(row)

    @router.post(
        f"/records/{{id}}/{row.trigger}",
        name=row.trigger,
        summary=REPORT.label_of("trigger", row.trigger),
        responses=gives(record),
        openapi_extra=takes(components.of(cls)),
    )
    async def act(id: str, body: Body, who: Who, office: Here, head: Head = None, key: Key = None) -> JSONResponse:
        given = parse(cls, body)
        details = getattr(given, "details", None)
        done = await office.flow.fire(
            id, row.trigger, details, by=who, reason=given.reason, at=given.at, key=key, head=head
        )
        return record_answer(done)


def query_of(request: Request) -> Query:
    """What the query of a URL asks for."""
    sent = request.query_params
    alone: dict[str, Any] = {name: sent[name] for name in ("limit", "cursor") if name in sent}
    if alone.get("limit", "").isdecimal() and len(alone["limit"]) < 10:
        alone["limit"] = int(alone["limit"])
    return parse(Query, {**{name: sent.getlist(name) for name in sent}, **alone}, accepts=ASKED)
