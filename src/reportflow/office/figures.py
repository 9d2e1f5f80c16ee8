"""The figures of an office: how many reports came in, what happened to them, and the shares.

The first eight stand in the yearly circular (通报), in its order; those after them describe the office's own work and
do not. All of them are counted by the store, from the entries of the histories, distinct by report (条, not 件次): a
report that three leaders instructed on counts once. An entry counts where its `at` lies in the interval, so a late
fact counts in the year in which it happened, whenever it was recorded. Both sides of a share are counted so: a
share compares what happened in an interval with what came in during it; it does not follow single reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import attrs

from reportflow.flow.sync import ReportFlow
from reportflow.model.actor import Actor
from reportflow.model.query import Happened, Interval, Query
from reportflow.model.values import Value, choice
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
#: Figure -> its denominator, the figure that it is a share of. Others have no share.
DENOMINATORS: Final[Mapping[str, str]] = MappingProxyType(
    {**dict.fromkeys(NAMES[1:], "collected"), "adopted": "submitted", "revised": "returned"}
)
#: Those of the circular, in its order; the others describe the office's own work.
CIRCULAR: Final = NAMES[: NAMES.index("edited")]


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
    own = choice(Level, level, "level")
    at = _interval(flow, interval)

    def count(query: Query, group: str) -> dict[object, int]:
        return {key: number for (key,), number in flow.count(query, by=by, group=group).items()}

    def count_all(query: Query) -> int:
        return flow.count(query, by=by)[()]

    def happened(trigger: str | None = None, **marks: Any) -> Query:
        return Query(kind=REPORT.name, happened=Happened(trigger=trigger, at=at, **marks))

    acts = count(happened(), "trigger")
    forwarded = count(happened("forward"), "code")
    sources = count(happened("create"), "code")
    above = [one for one in Level if one > own]
    return Figures(
        collected=acts.get("create", 0),
        issued=count_all(happened("adopt", level=own, party=body)),
        submitted=forwarded.get("upward", 0),
        adopted=count_all(happened("adopt", level=above)),
        instructed=acts.get("instruct", 0),
        absorbed=acts.get("absorb", 0),
        forwarded=forwarded.get(None, 0),
        livelihood=count_all(attrs.evolve(happened("create"), topic=LIVELIHOOD)),
        edited=acts.get("edit", 0),
        reviewed=acts.get("review", 0),
        returned=acts.get("return", 0),
        revised=acts.get("revise", 0),
        kept=acts.get("keep", 0),
        rejected=acts.get("reject", 0),
        merged=acts.get("merge", 0),
        withdrawn=acts.get("withdraw", 0),
        sources={one.value: sources[one.value] for one in Source if sources.get(one.value)},
    )


def _interval(flow: ReportFlow, given: Interval | int) -> Interval:
    return given if isinstance(given, Interval) else Interval.year(given, flow.zone)


def instructions(flow: ReportFlow, *, by: Actor, interval: Interval | int) -> tuple[int, int]:
    """How many instructions (件次) leaders gave in an interval, and how many of them principal leaders.

    One report that two leaders instructed on counts twice; `Figures.instructed` counts it once.

    Raises:
        StorageError: the store cannot be read.
    """
    query = Query(kind=REPORT.name, happened=Happened(trigger="instruct", at=_interval(flow, interval)))
    counted = flow.count(query, by=by, of="entries", group="code")
    return sum(counted.values()), counted.get(("principal",), 0)
