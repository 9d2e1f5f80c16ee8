"""Reading one record: as it is, as it was, what happened to it, what may be done with it, what changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, cast

import attrs
from starlette.responses import Response

from reportflow.errors import InvalidValue, RecordNotFound
from reportflow.model.record import Record
from reportflow.serialization.plain import to_plain
from reportflow.web.api import answers
from reportflow.web.api.asking import asked, check_names, id_of, number
from reportflow.web.routes import Route
from reportflow.web.visit import Visit

#: The highest version that may be asked for.
_LAST: Final = 2**31 - 1
#: What of a record is different after each act.
_ALWAYS: Final = frozenset({"version", "head", "updated_at", "lifecycle_version"})


@attrs.frozen(kw_only=True)
class AsOf:
    """Which state of a record: a version, or what was recorded by a time, or what had happened by one."""

    version: int | None = number(1, _LAST, None)
    time: datetime | None = None
    happened: datetime | None = None


@attrs.frozen(kw_only=True)
class Between:
    """Two versions of a record; the later one is the newest unless given."""

    from_: int = number(1, _LAST)
    to: int | None = number(1, _LAST, None)


async def get(visit: Visit) -> Response:
    """A record as it is now."""
    check_names(visit, ())
    return await answers.record(visit, await found(visit))


async def found(visit: Visit) -> Record:
    """The record of the path.

    Raises:
        RecordNotFound: there is none that the person may see.
    """
    return cast(Record, await visit.ask(visit.flow.get, id_of(visit)))


async def history(visit: Visit) -> Response:
    """What happened to it, as the person may read it."""
    check_names(visit, ())
    entries = await visit.ask(visit.flow.history, id_of(visit))
    await answers.shows(visit, entries)
    return answers.plain(visit, to_plain(entries))


async def options(visit: Visit) -> Response:
    """What may be done with it, and why not."""
    check_names(visit, ())
    record = await found(visit)  # an id may also be the name of a kind
    visit.shows(record.secrecy)
    several = await visit.ask(visit.flow.options, record)
    return answers.options(visit, several)


async def at(visit: Visit) -> Response:
    """The record as it was."""
    given = asked(visit, AsOf)
    if given == AsOf():
        return await answers.record(visit, await found(visit))
    if given.version is not None and (given.time is not None or given.happened is not None):
        raise InvalidValue("version", "version_or_time")
    return await answers.record(visit, await _as_of(visit, **attrs.asdict(given)))


async def _as_of(visit: Visit, **when: Any) -> Record:
    """The record as it was.

    Raises:
        RecordNotFound: there was none then that the person may see.
    """
    id = id_of(visit)
    try:
        return cast(Record, await visit.ask(visit.flow.as_of, id, **when))
    except InvalidValue as error:
        raise RecordNotFound((id,)) from error


async def diff(visit: Visit) -> Response:
    """What is different between two versions."""
    given = asked(visit, Between)
    old = await _as_of(visit, version=given.from_)
    new = await found(visit) if given.to is None else await _as_of(visit, version=given.to)
    await answers.shows(visit, [old, new])
    before, after = to_plain(old), to_plain(new)
    changes = [
        {"field": name, "label": visit.t.label("field", name, new.kind), "from": before.get(name), "to": after[name]}
        for name in after
        if not name.startswith("$") and name not in _ALWAYS and before.get(name) != after[name]
    ]
    return answers.texts(visit, {"from": old.version, "to": new.version, "changes": changes})


ROUTES: Final = (
    Route("GET", "/api/records/{id}", get),
    Route("GET", "/api/records/{id}/history", history),
    Route("GET", "/api/records/{id}/options", options),
    Route("GET", "/api/records/{id}/at", at),
    Route("GET", "/api/records/{id}/diff", diff),
)
#: The names of the parts of a record, which are read only.
PARTS: Final = frozenset(route.path.rpartition("/")[2] for route in ROUTES) - {"{id}"}
