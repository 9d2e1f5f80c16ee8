"""The tables of the lifecycles as data: kinds, their states and rows; what may be created; the people of the host."""

from __future__ import annotations

from typing import Any, Final

import attrs
from starlette.exceptions import HTTPException
from starlette.responses import Response

from reportflow.errors import InvalidValue
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import Transition
from reportflow.web.api import answers
from reportflow.web.api.asking import asked, check_names, number
from reportflow.web.routes import Route
from reportflow.web.visit import Visit


@attrs.frozen(kw_only=True)
class Sought:
    """What was typed of a person's name, post, unit or id."""

    q: str = ""
    limit: int = number(1, 100, 20)


async def kinds(visit: Visit) -> Response:
    """The kinds of records."""
    check_names(visit, ())
    return answers.texts(visit, [_kind(visit, one) for one in visit.site.lifecycles.values()])


def _kind(visit: Visit, lifecycle: Lifecycle) -> dict[str, Any]:
    label = visit.t.label("lifecycle", lifecycle.name, lifecycle.name)
    return {"kind": lifecycle.name, "label": label, "version": lifecycle.version}


def _of_path(visit: Visit) -> Lifecycle:
    """The newest definition of the kind in the path.

    Raises:
        HTTPException: 404, there is none.
    """
    lifecycle = visit.site.lifecycles.get(visit.params["kind"])
    if lifecycle is None:
        raise HTTPException(404)
    return lifecycle


async def kind(visit: Visit) -> Response:
    """The states, roles and rows of a kind."""
    check_names(visit, ())
    lifecycle = _of_path(visit)

    def named(room: str, name: str) -> dict[str, Any]:
        return {"name": name, "label": visit.t.label(room, name, lifecycle.name)}

    states = [
        {**named("state", one.name), "final": one.final, "awaits": sorted(one.awaits)} for one in lifecycle.states
    ]
    roles = [{**named("role", name), "reaches": scope.value} for name, scope in lifecycle.roles.items()]
    rows = [{**named("trigger", row.trigger), **_row(row)} for row in lifecycle.transitions]
    return answers.texts(visit, {**_kind(visit, lifecycle), "states": states, "roles": roles, "rows": rows})


def _row(row: Transition) -> dict[str, Any]:
    return {
        "sources": sorted(row.sources - {None}, key=str),
        "creates": None in row.sources,
        "dests": sorted({dest for source in row.sources for dest in row.dests(source)}),
        "roles": sorted(row.roles),
        "reason_required": row.reason_required,
    }


async def creations(visit: Visit) -> Response:
    """What may be created of a kind, and why not."""
    check_names(visit, ())
    several = await visit.ask(visit.flow.options, _of_path(visit).name)
    return answers.options(visit, several)


async def people(visit: Visit) -> Response:
    """The people whom a text finds; none where the host's cannot be searched."""
    given = asked(visit, Sought)
    try:
        found = await visit.ask(visit.flow.people, given.q, limit=given.limit)
    except InvalidValue as error:
        if error.problem != "not_searchable":
            raise
        found = {}
    several = [{"id": id, "name": one.name, "post": one.post, "unit": one.unit} for id, one in found.items()]
    return answers.plain(visit, {"people": several})


ROUTES: Final = (
    Route("GET", "/api/kinds", kinds),
    Route("GET", "/api/kinds/{kind}", kind),
    Route("GET", "/api/kinds/{kind}/options", creations),
    Route("GET", "/api/people", people),
)
