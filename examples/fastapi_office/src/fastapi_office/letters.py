"""Letters: rows of the office's own, written with their reports in one transaction, and listed beside them."""

from __future__ import annotations

from datetime import date
from typing import Any

import attrs
from attrs import validators
from fastapi import APIRouter, HTTPException
from fastapi.responses import JSONResponse
from sqlalchemy import select

from fastapi_office.describing import RESPONSES, Components, gives, takes
from fastapi_office.http import Body, Key, record_answer
from fastapi_office.office import Here
from fastapi_office.people import Who
from fastapi_office.records import parse_with_draft
from fastapi_office.tables import RECORDS, Letter
from reportflow import Query
from reportflow.hosts.retry import retrying
from reportflow.office import REPORT, Report


@attrs.frozen(kw_only=True)
class NewLetter:
    """A letter, and the report that is made of it."""

    number: str = attrs.field(validator=[validators.min_len(1), validators.max_len(40)])
    sender: str = attrs.field(validator=validators.max_len(100))
    received: date
    draft: Any


def letters_router(components: Components) -> APIRouter:
    """The operations on letters."""
    router = APIRouter(responses=RESPONSES)
    entered = components.of(NewLetter)
    entered["properties"]["draft"] = components.of(Report, accepts=REPORT.accepted("create"))

    @router.post(
        "/letters", status_code=201, responses=gives(components.referred(Report), 201), openapi_extra=takes(entered)
    )
    @retrying
    async def enter(body: Body, who: Who, office: Here, key: Key = None) -> JSONResponse:
        """Enter a letter: its row and its report, both or neither. Sent again under the same key, it is done once."""
        given, draft = parse_with_draft(NewLetter, body)
        async with office.writing.begin() as session:
            report = await office.flow.bound_to(session).create(draft, by=who, key=key)
            letter = await session.get(Letter, given.number)
            if letter is None:
                row = Letter(number=given.number, sender=given.sender, received=given.received, report_id=report.id)
                session.add(row)
            elif letter.report_id != report.id:
                raise HTTPException(409, f"There is a letter {given.number} already.")
        return record_answer(report, 201)

    @router.get("/letters")
    async def letters(who: Who, office: Here) -> list[dict[str, Any]]:
        """The letters whose reports the reader may see, the last ones first."""
        record = RECORDS.record
        listed = (
            select(Letter, record.c.title, record.c.state)
            .join(record, record.c.id == Letter.report_id)
            .where(office.flow.visible(Query(), by=who))
            .order_by(Letter.received.desc(), Letter.number)
            .limit(100)
        )
        async with office.reading() as session:
            return [
                {"number": one.number, "sender": one.sender, "received": one.received, "report": one.report_id}
                | {"title": title, "state": state}
                for one, title, state in await session.execute(listed)
            ]

    return router
