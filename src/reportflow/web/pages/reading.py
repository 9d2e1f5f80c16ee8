"""Who read what is secret is noted, before it is shown."""

from __future__ import annotations

from reportflow.model.actor import Secrecy
from reportflow.model.record import Record
from reportflow.web.visit import Visit


async def note_reading(visit: Visit, *records: Record) -> None:
    """Note that the person reads some records, those above internal secrecy; call it before anything is shown of them.

    The answer is then kept by no browser.

    Raises:
        StorageError: it could not be noted; nothing of them may be shown then.
    """
    visit.shows(*(record.secrecy for record in records))
    secret = {record.id: record.secrecy for record in records if record.secrecy > Secrecy.INTERNAL}
    if secret:
        await visit.site.kept.note_readings(visit.actor.id, visit.actor.name, secret)
