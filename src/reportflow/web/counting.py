"""The numbers of a year, for a page: asked of the flow in few counts, as the person who looks at them.

What a kind's year is counted by is declared, by the host or this library. Where it is not, each act of the table is
counted, and the records are counted by their state: so a lifecycle that was written yesterday has its year.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Final, NamedTuple

from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Actor
from reportflow.model.query import Happened, Interval, Query
from reportflow.office.figures import DECLARED
from reportflow.office.measures import Answer, Ask, Breakdown, Measure, Yearly, months, plan
from reportflow.web.site import Site
from reportflow.web.visit import Visit

#: How many values of a breakdown are shown; the others are summed up.
SHOWN: Final = 50
#: What stands behind the name of an act, for the measure that counts the acts and not the records.
ACTS: Final = ":acts"
#: The name of the measure of the records to which anything happened.
ANYTHING: Final = "-"


class Portion(NamedTuple):
    """A number of a breakdown."""

    value: str | None
    number: int


class Portions(NamedTuple):
    """A breakdown with its numbers, the largest first.

    Attributes:
        breakdown: What was counted.
        total: How many records there are in all.
        parts: The largest ones.
        others: How many further values there are.
    """

    breakdown: Breakdown
    total: int
    parts: tuple[Portion, ...]
    others: int


def kinds_of(site: Site, actor: Actor) -> dict[str, Lifecycle]:
    """The kinds of which a person may see any record at all, by their roles."""
    return {name: one for name, one in site.lifecycles.items() if one.grants(actor)}


def declared(site: Site, lifecycle: Lifecycle) -> Yearly | None:
    """What the year of a kind is counted by, as it was declared; None where nothing was."""
    given = DECLARED if site.settings.figures is None else site.settings.figures
    found = given.get(lifecycle.name)
    return Yearly(measures=found) if found is not None and not isinstance(found, Yearly) else found


def by_act(lifecycle: Lifecycle) -> Yearly:
    """What a year is counted by where nothing was declared: each act, as records and as acts; and the states."""
    kind, new = lifecycle.name, creations(lifecycle)
    measures = [
        one
        for name in lifecycle.triggers
        for one in (
            Measure(name=name, kind=kind, trigger=name, monthly=name in new),
            Measure(name=name + ACTS, kind=kind, trigger=name, unit="entries", beside=name),
        )
    ]
    everything = Measure(name=ANYTHING, kind=kind)
    return Yearly(
        measures=measures,
        breakdowns=[
            Breakdown(name=name, measure=everything, group=name, room=name) for name in ("state", "category", "unit")
        ],
    )


def creations(lifecycle: Lifecycle) -> frozenset[str]:
    """The acts that create a record of a kind: each record has one of them, once."""
    return frozenset(row.trigger for row in lifecycle.creations)


# -- intervals ---------------------------------------------------------------------------------------------------------


def year_before(year: int, now: datetime, zone: tzinfo) -> Interval:
    """What a year is compared with: the year before; for the running year, the same part of it."""
    whole = Interval.year(year - 1, zone)
    if year != now.year:
        return whole
    try:
        day = date(year - 1, now.month, now.day)
    except ValueError:  # 29 February
        day = date(year - 1, now.month, now.day - 1)
    return Interval(whole.start, Interval.day(day, zone).end)


def months_of(year: int, now: datetime, zone: tzinfo) -> list[Interval]:
    """The months of a year that have begun."""
    last = 12 if year < now.year else now.month if year == now.year else 0
    return [Interval.month(year, month, zone) for month in range(1, last + 1)]


# -- asking ------------------------------------------------------------------------------------------------------------


async def _answer(visit: Visit, ask: Ask) -> Answer:
    found: Answer = await visit.ask(visit.flow.count, ask.query, of=ask.of, group=ask.group)
    return found


async def numbers(visit: Visit, measures: Iterable[Measure], interval: Interval) -> dict[str, int]:
    """The numbers of some measures, by name."""
    asked = plan(measures, interval)
    return asked.read([await _answer(visit, one) for one in asked.asks])


def late_query(kind: str, interval: Interval, trigger: str | None = None) -> Query:
    """What happened in a stretch of time and was entered only after it."""
    return Query(kind=kind, happened=Happened(trigger=trigger, at=interval, recorded_at=Interval(interval.end)))


async def late(visit: Visit, kind: str, interval: Interval) -> dict[str, int]:
    """Of how many records what happened in an interval was entered only after it: by act."""
    found = await _answer(visit, Ask(late_query(kind, interval), "records", ("trigger",)))
    return {str(trigger): number for (trigger,), number in found.items()}


async def parts(visit: Visit, breakdowns: Iterable[Breakdown], interval: Interval) -> list[Portions]:
    """Some breakdowns, each with its numbers; those without any are left out."""
    totals: dict[str, int] = {}
    found = []
    for one in breakdowns:
        if one.measure.name not in totals:
            totals.update(await numbers(visit, [one.measure], interval))
        answer = await _answer(visit, Ask(one.measure.query(interval), "records", (one.group,)))
        counted = [Portion(None if value in (None, "") else str(value), number) for (value,), number in answer.items()]
        counted.sort(key=lambda part: (-part.number, part.value or ""))
        if len(counted) > (one.group == "unit"):  # a single unit says nothing
            shown = tuple(counted[:SHOWN])
            found.append(Portions(one, totals[one.measure.name], shown, len(counted) - len(shown)))
    return found


async def by_month(
    visit: Visit, lifecycle: Lifecycle, measures: Iterable[Measure], intervals: Sequence[Interval]
) -> tuple[tuple[Measure, ...], Mapping[str, Sequence[int]]]:
    """The measures that are drawn by month, and their numbers: one count a month."""
    asked = months(measures, intervals, creations(lifecycle))
    return asked.measures, asked.read([await _answer(visit, one) for one in asked.asks])


async def years_of(visit: Visit, kinds: Iterable[str]) -> tuple[int, int] | None:
    """The years of the first and the last record of some kinds; None where the person sees none."""
    found = []
    for order in ("created_at", "-created_at"):
        page = await visit.ask(visit.flow.find, Query(kind=frozenset(kinds), order=order, limit=1))
        found += [visit.t.local(record.created_at).year for record in page]
    return (found[0], found[-1]) if found else None
