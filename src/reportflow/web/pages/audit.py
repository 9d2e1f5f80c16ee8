"""The inspection: what was done last, who read what is secret, and whether what is stored is what was done.

It is for those who hold a role that audits; for everybody else there is no such page. Of the readings an auditor sees
those of the records that a role of theirs audits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from time import monotonic
from typing import Any, Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import Response

from reportflow.errors import RecordNotFound
from reportflow.flow.verification import Verification
from reportflow.lifecycle.chain import Flaw
from reportflow.model.actor import Secrecy
from reportflow.model.entry import Entry
from reportflow.model.query import Page, Query
from reportflow.model.record import Record
from reportflow.web.pages.reading import note_reading
from reportflow.web.portal_store import Reading
from reportflow.web.routes import Route
from reportflow.web.rows import histories, lifecycle_of
from reportflow.web.visit import Visit

#: How many acts the page shows, and of how many secret records it shows who read them.
ACTS: Final = 30
_SECRET: Final = 300
#: How many records are verified in one step at the most, and at how many flaws it stops.
STEP: Final = 2000
_FLAWS: Final = 20
_PURPOSE: Final = "verify"


class AuditedAct(NamedTuple):
    """An entry, with its record."""

    entry: Entry
    record: Record


class SeenReading(NamedTuple):
    """A reading, with the record."""

    reading: Reading
    record: Record


class FoundFlaw(NamedTuple):
    """A flaw: what is wrong, and its record, None where that cannot be read."""

    text: str
    flaw: Flaw
    record: Record | None


class VerifyProgress(NamedTuple):
    """How far a verification has come: the last record, and what was found in all steps."""

    after: str | None = None
    records: int = 0
    entries: int = 0
    flaws: int = 0


class _Enough(Exception):
    """Ends a verification that has done its step; carries how far it has come."""

    def __init__(self, so_far: Verification) -> None:
        super().__init__()
        self.so_far = so_far


async def audit(visit: Visit) -> Response:
    """What was done last, and who read what is secret."""
    _check(visit)
    return visit.page("audit.html", **await _overview(visit), result=None)


async def record(visit: Visit) -> Response:
    """Who read one record."""
    _check(visit)
    found: Record = await visit.ask(visit.flow.get, visit.params["id"])
    if not _audits(visit, found):
        raise RecordNotFound([found.id])  # as if it were not there
    visit.shows(found.secrecy)
    readings = await visit.site.kept.readings([found.id])
    return visit.page("audit_record.html", record=found, lifecycle=lifecycle_of(visit, found), readings=readings)


async def verify(visit: Visit) -> Response:
    """Verify some records that the person sees, behind those that were verified before."""
    _check(visit)
    form = await visit.form()
    before = _progress(visit, form.get("after"))
    step = await _step(visit, before.after)
    reached = VerifyProgress(
        step.reached or before.after,
        before.records + step.records,
        before.entries + step.entries,
        before.flaws + len(step.flaws),
    )
    ids = {flaw.record_id for flaw in step.flaws}
    page: Page = await visit.ask(visit.flow.find, Query(id=ids, limit=len(ids))) if ids else Page(())
    found = {one.id: one for one in page}
    visit.shows(*(one.secrecy for one in page))
    return visit.page(
        "audit.html",
        **await _overview(visit),
        result=reached,
        finished=step.finished,
        unknown=sum(step.unknown.values()),
        flaws=[FoundFlaw(_text(visit, flaw), flaw, found.get(flaw.record_id)) for flaw in step.flaws],
        after=None if step.finished else visit.signer.sealed(_PURPOSE, json.dumps(reached)),
    )


def _check(visit: Visit) -> None:
    """There is no such page for those who audit nothing."""
    if not visit.site.audits(visit.actor):
        raise HTTPException(404)


def _audits(visit: Visit, one: Record) -> bool:
    """Whether a role of the person audits a record."""
    lifecycle = visit.site.lifecycles[one.kind]
    return bool(lifecycle.audits & lifecycle.roles_held(one, visit.actor))


async def _overview(visit: Visit) -> dict[str, Any]:
    return {"acts": await _acts(visit), "readings": await _readings(visit)}


async def _acts(visit: Visit) -> list[AuditedAct]:
    """What was done last: the last entries stand in the records that were changed last. Their reasons are read, too."""
    page: Page = await visit.ask(visit.flow.find, Query(order=("-updated_at",), limit=ACTS))
    records = {one.id: one for one in page}
    entries = [entry for history in (await histories(visit, page.records)).values() for entry in history]
    entries.sort(key=_when, reverse=True)
    found = [AuditedAct(entry, records[entry.record_id]) for entry in entries[:ACTS]]
    visit.shows(*(part.secrecy for one in found for part in (one.record, one.entry)))
    await note_reading(visit, *(part for one in found if one.entry.reason for part in (one.record, one.entry)))
    return found


def _when(entry: Entry) -> tuple[datetime, int]:
    return entry.recorded_at, entry.sequence


async def _readings(visit: Visit) -> list[SeenReading]:
    """Who read what is secret, of the records that the person audits: others take no place in the list."""
    levels = [one for one in Secrecy.up_to(visit.actor.clearance) if one > Secrecy.INTERNAL]
    if not levels:
        return []
    query = Query(secrecy=levels, order=("-updated_at",), limit=_SECRET)
    page: Page = await visit.ask(visit.flow.find, query)
    records = {one.id: one for one in page if _audits(visit, one)}
    if not records:
        return []
    found = [SeenReading(one, records[one.record]) for one in await visit.site.kept.readings(list(records), limit=50)]
    visit.shows(*(one.record.secrecy for one in found))
    return found


# -- verifying ---------------------------------------------------------------------------------------------------------


async def _step(visit: Visit, after: str | None) -> Verification:
    """Verify as many records as one request may take."""
    until = monotonic() + visit.site.settings.timeout / 2

    def stop(so_far: Verification) -> None:
        if not so_far.finished and (so_far.records >= STEP or monotonic() > until):
            raise _Enough(so_far)

    try:
        done: Verification = await visit.ask(visit.flow.verify, after=after, limit=_FLAWS, progress=stop)
    except _Enough as enough:
        return enough.so_far
    return done


def _progress(visit: Visit, given: object) -> VerifyProgress:
    """How far the steps before have come, as this portal has signed it; else the beginning."""
    opened = visit.signer.opened(_PURPOSE, given) if isinstance(given, str) and given.isascii() else None
    return VerifyProgress(*json.loads(opened)) if opened else VerifyProgress()


def _text(visit: Visit, flaw: Flaw) -> str:
    """What is wrong, as an auditor reads it."""
    if visit.t.has(f"audit.flaw_{flaw.code}"):
        lifecycles: Iterable[str] = visit.site.lifecycles
        fields = (_field(visit, name, lifecycles) for name in flaw.fields)
        return visit.t(f"audit.flaw_{flaw.code}", fields=visit.t.join(fields))
    return flaw.text(visit.language, catalog=visit.flow.catalog)


def _field(visit: Visit, name: str, kinds: Iterable[str]) -> str:
    return next((label for kind in kinds if (label := visit.t.known_label("field", name, kind))), name)


ROUTES: Final = (
    Route("GET", "/audit", audit),
    Route("GET", "/audit/r/{id}", record),
    Route("POST", "/audit/verify", verify),
)
