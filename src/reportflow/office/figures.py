"""The figures of an office: how many reports came in, what happened to them, and the shares.

The first eight stand in the yearly circular (通报), in its order; those after them describe the office's own work and
do not. All of them are counted by the store, from the entries of the histories, distinct by report (条, not 件次): a
report that three leaders instructed on counts once. An entry counts where its `at` lies in the interval, so a late
fact counts in the year in which it happened, whenever it was recorded. Both sides of a share are counted so: a
share compares what happened in an interval with what came in during it; it does not follow single reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import attrs

from reportflow.flow.sync import ReportFlow
from reportflow.model.actor import Actor
from reportflow.model.query import Interval
from reportflow.model.values import Value, choice
from reportflow.office.measures import Answer, Ask, Breakdown, Measure, Yearly, plan
from reportflow.office.report import REPORT, Level, Source

#: 民生: the topics of daily life. Seven are the fields that the state counts as its people's livelihood (幼有所育,
#: 学有所教, 劳有所得, 病有所医, 老有所养, 住有所居, 弱有所扶); food and transport are the daily needs beside them.
LIVELIHOOD: Final = frozenset(
    {
        "childcare", "education", "elderly_care", "employment", "food_safety", "healthcare", "housing",
        "social_security", "transport",
    }
)  # fmt: skip


@attrs.frozen(kw_only=True)
class Figures(Value):
    """How many reports, each counted once in each figure.

    Attributes:
        collected: Created in the interval.
        issued: Adopted at the office's own level, by its own body where one was named.
        submitted: Forwarded upward, to a higher body.
        adopted: Adopted at a level above the office's own.
        instructed: Instructed on by a leader of any level.
        absorbed: Made into a measure by a department.
        forwarded: Forwarded to a department.
        livelihood: Of those collected, the ones with a topic in `LIVELIHOOD`, as they are classified now.
        edited: Edited.
        reviewed: Passed by a reviewer.
        returned: Returned for changes.
        revised: Revised by the contributor.
        kept: Kept on file.
        rejected: Not used.
        merged: Merged into another.
        withdrawn: Withdrawn.
        sources: Those collected, by source; sources without reports are left out.
    """

    collected: int
    issued: int
    submitted: int
    adopted: int
    instructed: int
    absorbed: int
    forwarded: int
    livelihood: int
    edited: int
    reviewed: int
    returned: int
    revised: int
    kept: int
    rejected: int
    merged: int
    withdrawn: int
    sources: Mapping[str, int] = attrs.field(factory=dict, hash=False)

    def share(self, name: str) -> float | None:
        """A figure's share of its denominator, such as 0.195; None where it has none, or the denominator is 0."""
        whole = getattr(self, DENOMINATORS[name]) if name in DENOMINATORS else 0
        return getattr(self, name) / whole if whole else None

    def as_dict(self) -> dict[str, Any]:
        """Plain data, in the order of the fields."""
        return {**attrs.asdict(self, recurse=False), "sources": dict(self.sources)}


#: The names of the figures, in their order; `sources` is not a single figure.
NAMES: Final = tuple(field.name for field in attrs.fields(Figures) if field.name != "sources")


# -- the declarations --------------------------------------------------------------------------------------------------


def yearly(*, level: Level | str = Level.CITY, body: str | None = None) -> Yearly:
    """What a year of reports is counted by: for `figures`, and for the pages of the year.

    Args:
        level: The office's own level.
        body: The office's own body; None: each body of its level is.

    Raises:
        InvalidValue: an unknown level.
    """
    own = choice(Level, level, "level")
    of_kind = partial(Measure, kind=REPORT.name)
    figure = partial(of_kind, share_of="collected")
    circular = partial(figure, circular=True)
    collected = of_kind(name="collected", trigger="create", circular=True, funnel=True, monthly=True)
    return Yearly(
        measures=(
            collected,
            circular(name="issued", trigger="adopt", level=own.value, party=body, funnel=True, monthly=True),
            circular(name="submitted", trigger="forward", code="upward", funnel=True),
            circular(
                name="adopted",
                trigger="adopt",
                level=[one.value for one in Level if one > own],
                share_of="submitted",
                funnel=True,
            ),
            circular(name="instructed", trigger="instruct", funnel=True),
            of_kind(name="instructions", trigger="instruct", unit="entries", beside="instructed", circular=True),
            of_kind(
                name="principal",
                trigger="instruct",
                code="principal",
                unit="entries",
                beside="instructed",
                circular=True,
            ),
            circular(name="absorbed", trigger="absorb"),
            circular(name="forwarded", trigger="forward", code={None}),
            circular(name="livelihood", trigger="create", topic=LIVELIHOOD),
            figure(name="edited", trigger="edit"),
            figure(name="reviewed", trigger="review"),
            figure(name="returned", trigger="return"),
            figure(name="revised", trigger="revise", share_of="returned"),
            figure(name="kept", trigger="keep"),
            figure(name="rejected", trigger="reject"),
            figure(name="merged", trigger="merge"),
            figure(name="withdrawn", trigger="withdraw"),
        ),
        breakdowns=(
            Breakdown(name="source", measure=collected, group="code", room="source"),
            Breakdown(name="topics", measure=collected, group="topic", room="topic"),
            Breakdown(name="unit", measure=collected, group="unit", room="unit"),
        ),
    )


#: The declarations for a city's office.
YEARLY: Final = yearly()
#: Its measures.
MEASURES: Final = YEARLY.measures
#: kind -> the declarations of this library.
DECLARED: Final[Mapping[str, Yearly]] = MappingProxyType({REPORT.name: YEARLY})

#: Figure -> its denominator, the figure that it is a share of. Others have no share.
DENOMINATORS: Final[Mapping[str, str]] = MappingProxyType({one.name: one.share_of for one in MEASURES if one.share_of})
#: Those of the circular, in its order; the others describe the office's own work.
CIRCULAR: Final = tuple(one.name for one in MEASURES if one.circular and one.name in NAMES)


# -- counting them -----------------------------------------------------------------------------------------------------


def figures(
    flow: ReportFlow,
    *,
    by: Actor,
    interval: Interval | int,
    body: str | None = None,
    level: Level | str = Level.CITY,
) -> Figures:
    """The figures of the reports that an actor may see.

    Args:
        flow: Holds the reports.
        by: The actor; reports that they may not see are not counted.
        interval: The time of the entries, by `Entry.at`; or a year, in the time zone of the flow.
        body: The office's own body: `issued` then counts its adoptions only, not those of other bodies at its level.
        level: The office's own level.

    Raises:
        InvalidValue: an unknown level.
        StorageError: the store cannot be read.
    """
    declared = yearly(level=level, body=body)
    at = _interval(flow, interval)
    counted = plan((one for one in declared.measures if one.name in NAMES), at)
    numbers = counted.read([_count(flow, by, one) for one in counted.asks])
    source = next(one for one in declared.breakdowns if one.name == "source")
    found = _count(flow, by, Ask(source.measure.query(at), "records", (source.group,)))
    sources = {one.value: found[one.value,] for one in Source if found.get((one.value,))}
    return Figures(**numbers, sources=sources)


def _count(flow: ReportFlow, by: Actor, ask: Ask) -> Answer:
    return flow.count(ask.query, by=by, of=ask.of, group=ask.group)


def _interval(flow: ReportFlow, given: Interval | int) -> Interval:
    return given if isinstance(given, Interval) else Interval.year(given, flow.zone)


def instructions(flow: ReportFlow, *, by: Actor, interval: Interval | int) -> tuple[int, int]:
    """How many instructions (件次) leaders gave in an interval, and how many of them principal leaders.

    One report that two leaders instructed on counts twice; `Figures.instructed` counts it once.

    Raises:
        StorageError: the store cannot be read.
    """
    wanted = ("instructions", "principal")
    counted = plan((one for one in MEASURES if one.name in wanted), _interval(flow, interval))
    numbers = counted.read([_count(flow, by, one) for one in counted.asks])
    return numbers["instructions"], numbers["principal"]
