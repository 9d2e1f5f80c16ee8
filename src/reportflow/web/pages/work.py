"""My work: what awaits me, what was returned to me, what I did, what I began; for contributors, what is theirs.

What was returned to a person is what awaits a role of theirs that reaches only what is their own: the table says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple

import attrs
from starlette.responses import Response

from reportflow.lifecycle.table import EVERYBODY
from reportflow.model.actor import Actor, Scope, Secrecy
from reportflow.model.entry import Entry
from reportflow.model.query import Happened, Page, Query
from reportflow.web.calling import Steps
from reportflow.web.pages.reading import note_reading
from reportflow.web.portal_store import Draft
from reportflow.web.querying import ORDER, opened_cursor, sealed_cursor
from reportflow.web.routes import Route
from reportflow.web.rows import ListedRecord, histories, reading_histories, rows
from reportflow.web.visit import Visit

#: How many records a page has.
PAGE: Final = 50
#: How much of a draft without a title is shown, in characters.
_BEGINNING: Final = 40
#: The newest records first: an index serves that, and none the time of the last act.
_NEWEST: Final = ("-created_at",)


class WorkTab(NamedTuple):
    """One part of the page: its name, address, how many wait in it (as text), and whether it is this one."""

    name: str
    address: str
    number: str
    current: bool


class BegunDraft(NamedTuple):
    """A draft as the page shows it: of what, by which button, when it was kept, and where to go on."""

    title: str
    act: str
    draft: Draft
    address: str


async def work(visit: Visit) -> Response:
    """The first page."""
    begun = await drafts(visit)
    if not visit.is_staff:
        return await _own(visit, begun)
    names = ["waiting", *(["returned"] if _returns(visit) else []), "done", "drafts"]
    given = visit.request.query_params.get("tab", "")
    tab = given if given in names else names[0]
    context: dict[str, Any] = {"tab": tab, "drafts": begun, "rows": [], "next": None, "unreadable": 0}
    counts = {"drafts": _count(visit, len(begun), more=False)}
    for name, roles in (("waiting", _office_roles(visit)), ("returned", _own_roles(visit))):
        if name in names:
            place = _cursor(visit, tab) if name == tab else None
            page, known = await visit.ask_in_turn(_reading_inbox(visit, roles, place, whole=name == tab))
            if name == tab:
                context |= _shown(visit, tab, page, rows(visit, page, known))
                if tab == "returned":
                    await _note_reasons(visit, context["rows"])
            if name != tab or "cursor" not in visit.request.query_params:
                counts[name] = _count(visit, len(page), more=page.next is not None)
    if tab == "done":
        page = await _done(visit, _cursor(visit, tab))
        context |= _shown(visit, tab, page, await _done_rows(visit, page))
    tabs = [WorkTab(name, _address(visit, name), counts.get(name, ""), name == tab) for name in names]
    return visit.page("work.html", tabs=tabs, can_create=can_create(visit), **context)


async def _own(visit: Visit, begun: list[BegunDraft]) -> Response:
    """The first page of who works only with what is their own: what was returned first, then what became of each."""
    place = _cursor(visit, "own")
    returned, mine, found = await visit.ask_in_turn(_reading_own(visit, place))
    above = {record.id for record in returned}
    others = [record for record in mine if record.id not in above]
    first, then = rows(visit, returned, found), rows(visit, others, found)
    await _note_reasons(visit, [*first, *then])
    return visit.page(
        "own.html",
        returned=first,
        rows=then,
        unreadable=len(mine.unreadable),
        drafts=begun,
        next=_next(visit, "own", mine),
        can_create=can_create(visit),
        whole=visit.urls.to("find"),
    )


async def listed(visit: Visit, tab: str, cursor: str) -> tuple[list[str], str | None]:
    """The ids of the records that the first page shows, in order, and the address of the page after it.

    Args:
        visit: Who asks.
        tab: As its address says it.
        cursor: The same.

    Raises:
        InvalidValue: the cursor is none of this tab's.
    """
    if not visit.is_staff:
        tab, place = "own", _opened(visit, "own", cursor)
        page: Page = await visit.ask(visit.flow.find, Query(order=_NEWEST, limit=PAGE, cursor=place))
        first = () if place else await visit.site.call(_inbox(visit, visit.actor.roles))
        return list(dict.fromkeys(one.id for several in (first, page) for one in several)), _next(visit, tab, page)
    if tab == "done":
        page = await _done(visit, _opened(visit, tab, cursor))
        return [row.record.id for row in await _done_rows(visit, page)], _next(visit, tab, page)
    tab = "returned" if tab == "returned" and _returns(visit) else "waiting"
    roles = _own_roles(visit) if tab == "returned" else _office_roles(visit)
    page = await visit.site.call(_inbox(visit, roles, _opened(visit, tab, cursor)))
    return [one.id for one in page], _next(visit, tab, page)


def can_create(visit: Visit) -> bool:
    """Whether a row lets a role of the person create something."""
    roles = {*visit.actor.roles, EVERYBODY}
    return any(roles & row.roles for one in visit.site.lifecycles.values() for row in one.creations)


# -- the tabs ----------------------------------------------------------------------------------------------------------


def _roles(visit: Visit, fits: Callable[[Scope], bool]) -> frozenset[str]:
    """The person's roles of a scope in some kind."""
    kinds = visit.site.lifecycles.values()
    return frozenset(role for role in visit.actor.roles if any(role in k.roles and fits(k.roles[role]) for k in kinds))


def _office_roles(visit: Visit) -> frozenset[str]:
    return _roles(visit, lambda scope: scope is not Scope.OWN)


def _own_roles(visit: Visit) -> frozenset[str]:
    return _roles(visit, lambda scope: scope is Scope.OWN)


def _returns(visit: Visit) -> bool:
    """Whether a state of some kind awaits a role of the person that reaches only what is their own."""
    own = _own_roles(visit)
    return any(state.awaits & own for one in visit.site.lifecycles.values() for state in one.states)


def _inbox(visit: Visit, roles: Iterable[str], cursor: str | None = None) -> Callable[[], Any]:
    """What asks for what awaits some of the person's roles."""
    narrow: Actor = attrs.evolve(visit.actor, roles=roles)
    return partial(visit.flow.inbox, by=narrow, limit=PAGE, cursor=cursor)


def _reading_inbox(
    visit: Visit, roles: Iterable[str], cursor: str | None, *, whole: bool
) -> Steps[tuple[Page, dict[str, list[Entry]]]]:
    """What awaits some of the person's roles, with the histories where the whole is shown."""
    page: Page = yield _inbox(visit, roles, cursor)
    found = (yield from reading_histories(visit, page.records)) if whole else {}
    return page, found


def _reading_own(visit: Visit, place: str | None) -> Steps[tuple[Page, Page, dict[str, list[Entry]]]]:
    """What was returned to the person, on the first page; what is their own from a place on; the histories of both."""
    returned: Page = Page(()) if place else (yield _inbox(visit, visit.actor.roles))
    mine: Page = yield visit.asking(visit.flow.find, Query(order=_NEWEST, limit=PAGE, cursor=place))
    every = {record.id: record for record in (*returned, *mine)}
    return returned, mine, (yield from reading_histories(visit, every.values()))


async def _done(visit: Visit, cursor: str | None) -> Page:
    """What the person had a hand in."""
    query = Query(happened=Happened(actor=visit.actor.id), order=_NEWEST, limit=PAGE, cursor=cursor)
    page: Page = await visit.ask(visit.flow.find, query)
    return page


async def _done_rows(visit: Visit, page: Page) -> list[ListedRecord]:
    """The rows of what the person had a hand in, by what they did last."""
    found = await histories(visit, page.records)
    shown = rows(visit, page, found, tells=lambda entry: entry.actor.id == visit.actor.id)
    return sorted(shown, key=_last_act, reverse=True)


def _shown(visit: Visit, tab: str, page: Page, several: list[ListedRecord]) -> dict[str, Any]:
    return {"rows": several, "next": _next(visit, tab, page), "unreadable": len(page.unreadable)}


async def _note_reasons(visit: Visit, shown: Iterable[ListedRecord]) -> None:
    """Note that the person reads the reasons that some rows show."""
    reasons = [(row.record, row.moved) for row in shown if row.moved is not None and row.moved.reason]
    await note_reading(visit, *(part for pair in reasons for part in pair))


def _last_act(row: ListedRecord) -> datetime:
    return datetime.min.replace(tzinfo=UTC) if row.last is None else row.last.recorded_at


def _address(visit: Visit, tab: str) -> str:
    return visit.urls.to("", tab=tab if tab != "waiting" else "")


def _cursor(visit: Visit, tab: str) -> str | None:
    """The cursor of the address, which is one of this tab.

    Raises:
        InvalidValue: it is none of this tab's.
    """
    return _opened(visit, tab, visit.request.query_params.get("cursor", ""))


def _opened(visit: Visit, tab: str, given: str) -> str | None:
    return opened_cursor(given, {"tab": [tab]}, visit.signer) if given else None


def _next(visit: Visit, tab: str, page: Page) -> str | None:
    if page.next is None:
        return None
    cursor = sealed_cursor(page.next, {"tab": [tab]}, visit.signer)
    return visit.urls.to("", tab="" if tab in ("waiting", "own") else tab, cursor=cursor)


def _count(visit: Visit, number: int, *, more: bool) -> str:
    """How many, as far as they were counted."""
    return visit.t("work.more_than", number=number) if more else str(number)


# -- drafts ------------------------------------------------------------------------------------------------------------


async def drafts(visit: Visit) -> list[BegunDraft]:
    """What the person typed and has not sent. Of a record that they may see no more, only that there is a draft."""
    kept = await visit.site.kept.drafts(visit.actor.id)
    ids = {draft.record for draft in kept if not draft.record.startswith(":")}
    seen = {}
    if ids:
        page: Page = await visit.ask(visit.flow.find, Query(id=ids, limit=len(ids), order=ORDER))
        seen = {record.id: record for record in page}
    found = []
    for draft in kept:
        kind = draft.record[1:]
        if draft.record.startswith(":"):
            if kind not in visit.site.lifecycles:
                continue
            visit.shows(*_secrecy(draft))
            title = _beginning(draft) or visit.t("work.untitled")
            act = visit.t.label("lifecycle", kind, kind)
            address = visit.urls.to("new", kind, draft.trigger, draft=draft.tab)
        elif draft.record in seen:
            record = seen[draft.record]
            visit.shows(record.secrecy)
            title, act = visit.t.title(record), visit.t.label("trigger", draft.trigger, record.kind)
            address = visit.urls.to("r", record.id, "do", draft.trigger, draft=draft.tab)
        else:
            title, act, address = visit.t("work.draft_gone"), "", ""
        found.append(BegunDraft(title, act, draft, address))
    return found


def _beginning(draft: Draft) -> str:
    """The title that was typed, else the beginning of the longest text; blank where nothing was."""
    values = [one for name, given in draft.fields.items() if not name.startswith("_") for one in given]
    typed = next((one for one in draft.fields.get("title", ()) if one.strip()), max(values, key=len, default=""))
    text = " ".join(typed.split())
    return text if len(text) <= _BEGINNING else f"{text[:_BEGINNING]}…"


def _secrecy(draft: Draft) -> list[Secrecy]:
    """What a draft says of its own secrecy."""
    levels = {one.value for one in Secrecy}
    return [Secrecy(one) for values in draft.fields.values() for one in values if one in levels]


ROUTES: Final = (Route("GET", "/", work),)
