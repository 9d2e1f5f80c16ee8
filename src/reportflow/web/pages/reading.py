"""Who read what is secret is noted, before it is shown."""

from __future__ import annotations

from reportflow.model.actor import Secrecy
from reportflow.model.attachment import attachments_in
from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.web.visit import Visit


async def note_reading(visit: Visit, *several: Record | Entry) -> None:
    """Note that the person reads some records or entries, those above internal secrecy; call it before they are shown.

    A record may be less secret than it was: what is shown of its past is as secret as that was then. The answer is
    kept by no browser.

    Raises:
        StorageError: it could not be noted; nothing of them may be shown then.
    """
    secret: dict[str, Secrecy] = {}
    for one in several:
        visit.shows(one.secrecy)
        if one.secrecy > Secrecy.INTERNAL:
            id = one.id if isinstance(one, Record) else one.record_id
            secret[id] = max(one.secrecy, secret.get(id, Secrecy.INTERNAL))
    if secret:
        await visit.site.kept.note_readings(visit.actor.id, visit.actor.name, secret)


async def note_file(visit: Visit, record: Record, sha256: str) -> None:
    """Note that the person reads a file of a record: one that only its past names is as secret as that was.

    Raises:
        StorageError: it could not be noted.
    """
    entries: list[Entry] = []
    if not _names(record, sha256):
        entries = [one for one in await visit.ask(visit.flow.history, record.id) if _names(one.details, sha256)]
    await note_reading(visit, record, *entries)


def _names(value: object, sha256: str) -> bool:
    return any(one.sha256 == sha256 for _, one in attachments_in(value))
