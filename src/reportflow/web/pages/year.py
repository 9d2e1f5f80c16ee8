"""The year: its figures, compared with the year before; their parts; and the months. Each number leads to its records.

A page counts one kind, and takes at most twelve statements: so the parts and the months are views of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import Response

from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.query import Interval, Query
from reportflow.office.measures import Measure, Yearly
from reportflow.web import charts, counting
from reportflow.web.querying import params_of
from reportflow.web.routes import Route
from reportflow.web.urls import query_text
from reportflow.web.visit import Visit

#: The views of a year; the first one is that which the address need not name.
VIEWS: Final = ("figures", "parts", "months")


class YearPage(NamedTuple):
    """A year of one kind, as a person looks at it.

    Attributes:
        number: The year.
        lifecycle: The kind.
        kinds: All kinds that the person sees.
        declared: What it is counted by.
        is_declared: Whether that was declared; else it is counted by act and state.
        interval: The year in the zone of the flow.
    """

    number: int
    lifecycle: Lifecycle
    kinds: Mapping[str, Lifecycle]
    declared: Yearly
    is_declared: bool
    interval: Interval


class FigureLine(NamedTuple):
    """A line of the year's figures.

    Attributes:
        label: What it is called.
        number: How many.
        address: Of the list of what it counts.
        share: What share it is of another figure; blank for none.
        of: The label of that figure.
        before: The number of the year before; None where it is not compared.
        change: How it has changed since, in words; blank where it is not compared.
        beside: What is said beside it, in words.
    """

    label: str
    number: int
    address: str
    share: str
    of: str
    before: int | None
    change: str
    beside: tuple[str, ...]


# -- what is asked for -------------------------------------------------------------------------------------------------


async def latest(visit: Visit) -> Response:
    """The latest year in which the person sees a record."""
    kinds = _kinds(visit)
    years = await counting.years_of(visit, kinds)
    return visit.redirect(visit.urls.to("year", str(years[1] if years else visit.t.now.year)))


async def year(visit: Visit) -> Response:
    """A year, in one of its views."""
    asked = _asked(visit)
    visit.shows(visit.actor.clearance)  # as it counts what is secret, and names parts of it
    view = visit.request.query_params.get("view") or VIEWS[0]
    if view not in VIEWS:
        raise HTTPException(404)
    context = await _VIEWS[view](visit, asked)
    now = visit.t.now
    return visit.page(
        "year.html",
        year=asked,
        view=view,
        as_of=now,
        compared=_compared(visit, asked),
        tabs=[(_address(visit, asked, view=one), visit.t(f"year.{one}"), one == view) for one in VIEWS],
        kind_tabs=[
            (
                _address(visit, asked, kind=name, view=view),
                visit.t.label("lifecycle", name, name),
                one is asked.lifecycle,
            )
            for name, one in asked.kinds.items()
        ],
        before=_address(visit, asked, number=asked.number - 1, view=view) if asked.number > _FIRST else "",
        after=_address(visit, asked, number=asked.number + 1, view=view) if asked.number < now.year else "",
        **context,
    )


async def figure(visit: Visit) -> Response:
    """Leads to the list of what a figure, or a part of one, counts."""
    asked = _asked(visit)
    name, given = visit.params["name"], visit.request.query_params
    if (by := given.get("by")) is not None:
        parted = asked.declared.breakdown(by)
        if parted is None or parted.measure.name != name:
            raise HTTPException(404)
        none = "" if parted.group in _BLANK else None
        return visit.redirect(_list(visit, parted.query(asked.interval, given.get("value") or none)))
    measure = asked.declared.measure(name)
    if measure is None:
        raise HTTPException(404)
    return visit.redirect(_list(visit, measure.query(asked.interval)))


#: The fields of a record that are blank where they have no value; the others are None then.
_BLANK: Final = frozenset({"unit", "category", "created_by"})
_FIRST, _LAST = 2, 9998


def _kinds(visit: Visit) -> dict[str, Lifecycle]:
    found = counting.kinds_of(visit.site, visit.actor)
    if not found:
        raise HTTPException(404)
    return found


def _asked(visit: Visit) -> YearPage:
    """The year and kind of an address.

    Raises:
        HTTPException: 404, there is no such year, or no such kind that the person sees.
    """
    text, kinds = visit.params["year"], _kinds(visit)
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else 0
    lifecycle = kinds.get(visit.request.query_params.get("kind") or next(iter(kinds)))
    if lifecycle is None or not _FIRST <= number <= _LAST or text != str(number):
        raise HTTPException(404)
    declared = counting.declared(visit.site, lifecycle)
    interval = Interval.year(number, visit.flow.zone)
    return YearPage(number, lifecycle, kinds, declared or counting.by_act(lifecycle), declared is not None, interval)


# -- views -------------------------------------------------------------------------------------------------------------


async def _figures(visit: Visit, asked: YearPage) -> dict[str, Any]:
    """The figures beside those of the year before, the way from stage to stage, and what was entered late."""
    measures = asked.declared.measures
    numbers = await counting.numbers(visit, measures, asked.interval)
    if not any(numbers.values()):
        years = await counting.years_of(visit, [asked.lifecycle.name])
        near = sorted(set(years or ()) - {asked.number}, reverse=True)
        return {"empty": True, "near": [(str(one), _address(visit, asked, number=one)) for one in near]}
    before: dict[str, int] = {}
    if asked.number > _FIRST:
        interval = counting.year_before(asked.number, visit.t.now, visit.flow.zone)
        before = await counting.numbers(visit, (one for one in measures if one.unit == "records"), interval)
    if not any(before.values()):
        before = {}
    alone = [one for one in measures if not one.beside]
    lines = {one.name: _line(visit, asked, one, numbers, before) for one in alone}
    circular = [lines[one.name] for one in alone if one.circular]
    stages = [one for one in alone if one.funnel]
    return {
        "empty": False,
        "has_before": bool(before),
        "circular": circular,
        "process": [lines[one.name] for one in alone if not one.circular],
        "summary": _summary(visit, asked, circular),
        "funnel": _funnel(visit, asked, stages, numbers) if len(stages) > 1 else None,
        "stages": [(lines[one.name], _share(visit, numbers, one.name, stages[0].name)) for one in stages],
        "late": await _late(visit, asked, numbers),
    }


async def _late(visit: Visit, asked: YearPage, numbers: Mapping[str, int]) -> list[tuple[str, str]] | None:
    """What was entered only after the year's end, each act in words with its list; None where all of the year was."""
    if asked.interval.end is None or asked.interval.end > visit.t.now:
        return []
    kind, measures = asked.lifecycle.name, asked.declared.measures
    late = await counting.late(visit, kind, asked.interval)
    new = counting.creations(asked.lifecycle)
    begun = sum(numbers[one.name] for one in measures if one.trigger in new and not one.marks and one.topic is None
                and one.unit == "records")  # fmt: skip
    if begun and sum(late.get(name, 0) for name in new) >= begun:
        return None
    counted = dict.fromkeys(one.trigger for one in measures if one.circular or not asked.is_declared)
    return [
        (
            visit.t("year.item", label=visit.t.label("trigger", name, kind), number=late[name]),
            _list(visit, counting.late_query(kind, asked.interval, name)),
        )
        for name in counted
        if name in late
    ]


def _line(
    visit: Visit, asked: YearPage, measure: Measure, numbers: Mapping[str, int], before: Mapping[str, int]
) -> FigureLine:
    number = numbers[measure.name]
    earlier = before.get(measure.name)
    beside = tuple(
        _acts(visit, _label(visit, asked, one.name), numbers[one.name])
        for one in asked.declared.measures
        if one.beside == measure.name and numbers[one.name]
    )
    return FigureLine(
        _label(visit, asked, measure.name),
        number,
        _address(visit, asked, measure.name),
        _share(visit, numbers, measure.name, measure.share_of),
        _label(visit, asked, measure.share_of) if measure.share_of else "",
        earlier,
        "" if earlier is None else _change(visit, number, earlier),
        beside,
    )


def _acts(visit: Visit, label: str, number: int) -> str:
    """A number of acts, with its name where it has one."""
    code = "year.acts" if label else "year.acts_only"
    return visit.t(code, label=label, number=visit.t.number(number))


def _label(visit: Visit, asked: YearPage, name: str) -> str:
    """What a figure is called; one that is an act is called as the act, and counts of acts need no name."""
    kind = asked.lifecycle.name
    if asked.is_declared:
        return visit.t.label("figure", name, kind)
    return "" if name.endswith(counting.ACTS) else visit.t.label("trigger", name, kind)


def _share(visit: Visit, numbers: Mapping[str, int], name: str, whole: str) -> str:
    """A share in per cent; blank where it is one of nothing, or of itself."""
    if not whole or whole == name or not numbers[whole]:
        return ""
    return visit.t.percent(numbers[name] / numbers[whole])


def _change(visit: Visit, number: int, before: int) -> str:
    """How a number has changed since the year before, in words."""
    if not before:
        return visit.t("year.same" if not number else "year.new")
    if number == before:
        return visit.t("year.same")
    code = "year.more" if number > before else "year.less"
    return visit.t(code, share=visit.t.percent(abs(number - before) / before))


def _summary(visit: Visit, asked: YearPage, lines: Iterable[FigureLine]) -> str:
    """The figures of the circular as one sentence."""
    items = []
    for one in lines:
        text = visit.t("year.item", label=one.label, number=visit.t.number(one.number))
        items.append(text + visit.t("year.bracket", text=visit.t.join(one.beside)) if one.beside else text)
    code = "year.summary_so_far" if asked.number == visit.t.now.year else "year.summary"
    return visit.t(code, items=visit.t.join(items), date=visit.t.day(visit.t.now)) if items else ""


def _funnel(visit: Visit, asked: YearPage, stages: Iterable[Measure], numbers: Mapping[str, int]) -> object:
    t = visit.t
    found = []
    for one in stages:
        share = _share(visit, numbers, one.name, one.share_of)
        number = t.number(numbers[one.name])
        text = t("year.share", number=number, share=share) if share else number
        found.append(charts.Stage(_label(visit, asked, one.name), numbers[one.name], text))
    return charts.funnel(t("year.funnel"), found)


async def _parts(visit: Visit, asked: YearPage) -> dict[str, Any]:
    """The breakdowns: each value with its number, its share and a bar."""
    kind, t = asked.lifecycle.name, visit.t
    found = []
    for one in await counting.parts(visit, asked.declared.breakdowns, asked.interval):
        parted, most = one.breakdown, max(part.number for part in one.parts)
        rows = [
            (
                t("year.none") if part.value is None else t.label(parted.room, part.value, kind),
                part.number,
                _address(visit, asked, parted.measure.name, by=parted.name, value=part.value or ""),
                t.percent(part.number / one.total) if one.total else "",
                charts.bar(part.number, most),
            )
            for part in one.parts
        ]
        own = f"year.field_{parted.name}"
        field = t(own) if t.has(own) else t.label("field", parted.name, kind)
        found.append((t("year.by", field=field), field, rows, one.others, parted.open))
    return {"parts": found}


async def _months(visit: Visit, asked: YearPage) -> dict[str, Any]:
    """The months that have begun: a chart, and its table."""
    t = visit.t
    intervals = counting.months_of(asked.number, t.now, visit.flow.zone)
    measures, numbers = await counting.by_month(visit, asked.lifecycle, asked.declared.measures, intervals)
    labels = [t(f"year.month_{place}") for place in range(1, len(intervals) + 1)]
    names = [_label(visit, asked, one.name) for one in measures]
    series = [charts.Series(name, numbers[one.name]) for name, one in zip(names, measures, strict=True)]
    title = t("year.months_title", year=asked.number, figures=t.join(names))
    rows = [
        (label, [(numbers[one.name][place], _list(visit, one.query(intervals[place]))) for one in measures])
        for place, label in enumerate(labels)
    ]
    return {
        "chart": charts.columns(title, labels, series) if rows and series else None,
        "chart_title": title,
        "months": rows,
        "series": names,
    }


_VIEWS: Final = {"figures": _figures, "parts": _parts, "months": _months}


# -- addresses ---------------------------------------------------------------------------------------------------------


def _compared(visit: Visit, asked: YearPage) -> str:
    """What the year is compared with, in words."""
    code = "year.same_period" if asked.number == visit.t.now.year else "year.year_before"
    return visit.t(code)


def _address(
    visit: Visit, asked: YearPage, *name: str, number: int = 0, kind: str = "", view: str = "", **query: str
) -> str:
    """An address of the year; what is the default is left out."""
    chosen = kind or asked.lifecycle.name
    default = next(iter(asked.kinds))
    return visit.urls.to(
        "year",
        str(number or asked.number),
        *name,
        kind=None if chosen == default else chosen,
        view=None if view == VIEWS[0] else view,
        **query,
    )


def _list(visit: Visit, query: Query) -> str:
    """The address of the list of what a query finds."""
    params = params_of(query, visit.flow.zone)
    return visit.urls.to("find") + f"?{query_text(params)}" * bool(params)


ROUTES: Final = (
    Route("GET", "/year", latest),
    Route("GET", "/year/{year}", year),
    Route("GET", "/year/{year}/{name}", figure),
)
