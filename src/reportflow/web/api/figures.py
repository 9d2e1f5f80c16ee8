"""The figures of a year: those that are declared for a kind, else how often what happened, and how many are where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
from starlette.exceptions import HTTPException
from starlette.responses import Response

from reportflow.errors import InvalidValue
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.checks import shown
from reportflow.model.query import Happened, Interval, Query
from reportflow.office.figures import DECLARED
from reportflow.office.measures import Ask, Yearly, plan
from reportflow.web.api import answers
from reportflow.web.api.asking import asked
from reportflow.web.routes import Route
from reportflow.web.visit import Visit

#: The years that there are.
YEARS: Final = (2, 9998)


@attrs.frozen(kw_only=True)
class OfKind:
    """Which kind's; all kinds' unless given."""

    kind: str | None = None


async def figures(visit: Visit) -> Response:
    """The figures of a year, of what the person may see."""
    wanted, kinds = asked(visit, OfKind).kind, visit.site.lifecycles
    if wanted is not None and wanted not in kinds:
        raise InvalidValue("kind", "choice", {"given": shown(wanted), "choices": tuple(kinds)})
    year = visit.params["year"]
    if not (year.isascii() and year.isdecimal() and len(year) < 5 and YEARS[0] <= int(year) <= YEARS[1]):
        raise HTTPException(404)
    interval = Interval.year(int(year), visit.flow.zone)
    given = visit.site.settings.figures
    declared: Mapping[str, Any] = DECLARED if given is None else given
    several = [one for name, one in kinds.items() if wanted in (None, name)]
    return answers.texts(
        visit,
        {
            "year": int(year),
            "kinds": [
                {
                    "kind": one.name,
                    "label": visit.t.label("lifecycle", one.name, one.name),
                    "figures": [],
                    "breakdowns": [],
                    "triggers": [],
                    "states": [],
                    **(
                        await _declared(visit, one, declared[one.name], interval)
                        if one.name in declared
                        else await _counted(visit, one, interval)
                    ),
                }
                for one in several
            ],
        },
    )


async def _ask(visit: Visit, ask: Ask) -> dict[Any, int]:
    found: dict[Any, int] = await visit.ask(visit.flow.count, ask.query, of=ask.of, group=ask.group)
    return found


async def _declared(visit: Visit, lifecycle: Lifecycle, yearly: Yearly, interval: Interval) -> dict[str, Any]:
    counted = plan(yearly.measures, interval)
    numbers = counted.read([await _ask(visit, one) for one in counted.asks])
    breakdowns = []
    for one in yearly.breakdowns:
        found = await _ask(visit, Ask(one.measure.query(interval), one.measure.unit, (one.group,)))
        values = [
            {"name": value, "label": _value_label(visit, lifecycle, one.room, value), "number": number}
            for (value,), number in sorted(found.items(), key=lambda pair: (-pair[1], str(pair[0])))
        ]
        label = visit.t.label("field", one.name, lifecycle.name)
        breakdowns.append({"name": one.name, "label": label, "of": one.measure.name, "values": values})
    figures = [
        {
            "name": one.name,
            "label": visit.t.label("figure", one.name, lifecycle.name),
            "number": numbers[one.name],
            "unit": one.unit,
            "share_of": one.share_of or None,
            "share": numbers[one.name] / whole if (whole := numbers.get(one.share_of, 0)) else None,
        }
        for one in yearly.measures
    ]
    return {"figures": figures, "breakdowns": breakdowns}


def _value_label(visit: Visit, lifecycle: Lifecycle, room: str, value: str | None) -> str:
    if value is None or not room:
        return value or ""
    return visit.t.label(room, value, lifecycle.name)


async def _counted(visit: Visit, lifecycle: Lifecycle, interval: Interval) -> dict[str, Any]:
    kind = lifecycle.name
    happened = Query(kind=kind, happened=Happened(at=interval))
    records = await _ask(visit, Ask(happened, "records", ("trigger",)))
    acts = await _ask(visit, Ask(happened, "entries", ("trigger",)))
    states = await _ask(visit, Ask(happened, "records", ("state",)))
    triggers = [
        {
            "name": name,
            "label": visit.t.label("trigger", name, kind),
            "records": records.get((name,), 0),
            "entries": acts.get((name,), 0),
        }
        for name in lifecycle.triggers
    ]
    return {
        "triggers": triggers,
        "states": [
            {"name": one.name, "label": visit.t.label("state", one.name, kind), "records": states.get((one.name,), 0)}
            for one in lifecycle.states
        ],
    }


ROUTES: Final = (Route("GET", "/api/figures/{year}", figures),)
