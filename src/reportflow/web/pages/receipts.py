"""The receipt of an act: what was entered, under which number, whose turn it is now, and who may read it."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from reportflow.errors import RecordNotFound
from reportflow.model.record import Record
from reportflow.web.answering import definition
from reportflow.web.lookups import person_text
from reportflow.web.pages.reading import note_reading
from reportflow.web.routes import Route
from reportflow.web.visit import Visit


async def receipt(visit: Visit) -> Response:
    """The receipt of one entry."""
    id, sequence = visit.params["id"], visit.params["sequence"]
    asked = visit.request.query_params
    back = visit.urls.own(asked.get("from"), "")
    try:
        record = await visit.ask(visit.flow.get, id)
        history = await visit.ask(visit.flow.history, id)
    except RecordNotFound:
        # who passed a record on may have lost it from sight: they know that they acted on it, and nobody else does
        if visit.signer.opened("receipt" + visit.actor.id, asked.get("done", "")) != f"{id}/{sequence}":
            raise
        return visit.page("receipt.html", record=None, entry=None, back=back, following=None)
    entry = next((one for one in history if str(one.sequence) == sequence), None)
    if entry is None:
        raise HTTPException(404)
    await note_reading(visit, record, entry)
    lifecycle = definition(visit, record)
    state = lifecycle.state(record.state)
    readers = lifecycle.roles if entry.audience is None else [one for one in lifecycle.roles if one in entry.audience]
    return visit.page(
        "receipt.html",
        record=record,
        entry=entry,
        lifecycle=lifecycle,
        turn=[visit.t.label("role", role, record.kind) for role in lifecycle.roles if role in state.awaits],
        final=state.final,
        assignee=await _assignee(visit, record, {one.actor.id: visit.t.person(one.actor) for one in history}),
        readers=[visit.t.label("role", role, record.kind) for role in readers],
        draft_key=f":{record.kind}" if entry.source is None else record.id,
        back=back,
        following=await _following(visit, record, asked.get("next", ""), back),
    )


async def _assignee(visit: Visit, record: Record, acted: dict[str, str]) -> str:
    """The name of the person whose turn it is; blank where nobody in particular has it."""
    if not record.assignee:
        return ""
    if record.assignee in acted:
        return acted[record.assignee]
    found = await visit.ask(visit.flow.people, [record.assignee])
    return person_text(found[record.assignee]) if record.assignee in found else visit.t("page.nameless")


async def _following(visit: Visit, record: Record, id: str, back: str) -> Record | None:
    """The next record of the list that the form was opened from; None where there is none."""
    found: Record | None = None
    if id and id != record.id:
        try:
            found = await visit.ask(visit.flow.get, id)
        except RecordNotFound:
            return None
    elif back and back.partition("?")[0].rstrip("/") == visit.urls.to("").rstrip("/"):
        page = await visit.ask(visit.flow.inbox, limit=2)
        found = next((one for one in page.records if one.id != record.id), None)
    if found is not None:
        visit.shows(found.secrecy)
    return found


ROUTES: Final = (Route("GET", "/receipt/{id}/{sequence}", receipt),)
