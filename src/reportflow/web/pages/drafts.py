"""Drafts: what was typed and not sent, kept until it is, and dropped when its person says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from reportflow.model.query import Query
from reportflow.model.record import Record
from reportflow.web.portal_store import Draft
from reportflow.web.routes import Route
from reportflow.web.sending import DRAFT, HEAD, Task, draft_of, received
from reportflow.web.typed import Typed
from reportflow.web.visit import Visit

#: How long the id of a record is at the most, or its kind.
_ID: Final = 190
#: The field that says which tab's draft is dropped; ``*`` stands for all of the form.
DROP: Final = "_drop"


class DraftLink(NamedTuple):
    """A draft as a list shows it.

    Attributes:
        title: Of the record; what is created, for a new one.
        action: What the form does.
        address: The form, with what was typed.
        draft: The draft.
        record: The record; None for a new one.
    """

    title: str
    action: str
    address: str
    draft: Draft
    record: Record | None


def address_of(visit: Visit, draft: Draft) -> str:
    """Where the person goes on with a draft."""
    tab = draft.tab or "-"
    if draft.record.startswith(":"):
        return visit.urls.to("new", draft.record[1:], draft.trigger, draft=tab)
    return visit.urls.to("r", draft.record, "do", draft.trigger, draft=tab)


async def draft_links(visit: Visit) -> list[DraftLink]:
    """The person's drafts, the newest first; without those of records that they may no longer see."""
    drafts = await visit.site.kept.drafts(visit.actor.id)
    ids = {one.record for one in drafts if not one.record.startswith(":")}
    records: dict[str, Record] = {}
    if ids:
        page = await visit.ask(visit.flow.find, Query(id=ids, limit=len(ids)))
        records = {one.id: one for one in page.records}
        visit.shows(*(one.secrecy for one in page.records))
    links = []
    for draft in drafts:
        record = records.get(draft.record)
        kind = draft.record[1:] if draft.record.startswith(":") else record.kind if record else ""
        if kind in visit.site.lifecycles:
            typed = (draft.fields.get("title") or [""])[0]
            title = visit.t.title(record) if record else typed or visit.t.label("lifecycle", kind, kind)
            action = visit.t.label("trigger", draft.trigger, kind)
            links.append(DraftLink(title, action, address_of(visit, draft), draft, record))
    return links


def resumed(
    visit: Visit, task: Task, typed: Typed, drafts: Sequence[Draft]
) -> tuple[Typed, list[tuple[str, str]], bool]:
    """What stands in a form at first: what a draft has, where one is asked for by ``?draft=``.

    Returns:
        It, what is said above the form, and whether it is as if no draft had been asked for.
    """
    asked = visit.request.query_params.get("draft")
    found = None if asked is None else next((one for one in drafts if (one.tab or "-") == asked), None)
    if found is None:
        return typed, [], True
    at = visit.t.time(found.saved_at)
    older = task.record is not None and found.head != task.record.head
    banner = visit.t("together.resumed_older" if older else "together.resumed", at=at)
    kept: Typed = {name: list(values) for name, values in found.fields.items()}
    # the head that the draft was written on stays, so that sending it shows what changed since
    now: Typed = {**kept, HEAD: [found.head], DRAFT: [found.tab]}
    return now, [("warn" if older else "good", banner)], False


async def save(visit: Visit) -> Response:
    """Keep what was typed, for a script; or drop what was kept."""
    form = await visit.form()
    typed = received(form)
    record, trigger = visit.params["record"], visit.params["trigger"]
    kept, actor = visit.site.kept, visit.actor.id
    if DROP in form:
        tab = str(form.get(DROP, ""))
        await kept.drop_drafts(actor, record, trigger, None if tab == "*" else tab)
        return visit.redirect(visit.urls.own(str(form.get("_from", "")), visit.urls.to("drafts")))
    if len(record) > _ID or not (record + trigger).isprintable():
        raise HTTPException(400)
    at = await kept.save_draft(draft_of(record, trigger[:64], visit, typed))
    clock = visit.t.clock(at)
    return visit.complete(JSONResponse({"at": clock, "text": visit.t("together.kept", at=clock)}))


async def listed(visit: Visit) -> Response:
    """The person's drafts."""
    return visit.page("drafts.html", drafts=await draft_links(visit))


async def forget(visit: Visit) -> Response:
    """Drop all of the person's drafts."""
    await visit.form()
    await visit.site.kept.drop_drafts(visit.actor.id)
    return visit.redirect(visit.urls.to("drafts"))


ROUTES: Final = (
    Route("GET", "/drafts", listed),
    Route("POST", "/draft/{record}/{trigger}", save),
    Route("POST", "/forget", forget),
)
