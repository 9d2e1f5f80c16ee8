"""What a figure counts, as data: so that every number leads to the records behind it.

A `Measure` stands for one query; `Measure.query` is what its number counts, and what a list of these records asks for.
`plan` asks a store for many of them in few counts: those that differ by their trigger alone are one count grouped by
trigger, those that differ by trigger and code are another one, and each other one is a count of its own. No name of a
lifecycle stands here: the declarations are in `figures`, or a host's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import attrs

from reportflow.errors import InvalidValue
from reportflow.model.checks import type_problem
from reportflow.model.query import LABEL_GROUPS, Happened, Interval, Query, grouping
from reportflow.model.values import Value, as_tuple
from reportflow.storage.base import Group, Of

#: The marks of an entry that a measure may ask for.
MARKS: Final = ("party", "level", "code")


def _set(value: Any) -> Any:
    """One value or several, as a set; None for "does not matter"; inside a set None means "has none"."""
    if value is None or isinstance(value, frozenset):
        return value
    return frozenset({value} if isinstance(value, str) else value)


@attrs.frozen(kw_only=True)
class Measure(Value):
    """A figure: of what happened in an interval, how many records, or how many acts.

    Attributes:
        name: Unique among those of its kind; its label is ``figure.<name>``.
        kind: The lifecycle.
        trigger: What was done; None for anything.
        party, level, code: Which marks of the details; None for any, and in a set for "has none".
        topic: Which topics of the record; None for any.
        unit: ``records`` counts each record once (条), ``entries`` each act (件次).
        share_of: The measure that it is a share of; blank for none.
        beside: The measure beside which it is shown, such as the acts of the same records; blank where it stands alone.
        circular: Whether it stands in the yearly circular; else it describes the office's own work.
        funnel: Whether it is a stage of the way that few records go to its end.
        monthly: Whether it is drawn by month.
    """

    name: str
    kind: str
    trigger: str | None = None
    party: frozenset[str | None] | None = attrs.field(default=None, converter=_set)
    level: frozenset[str | None] | None = attrs.field(default=None, converter=_set)
    code: frozenset[str | None] | None = attrs.field(default=None, converter=_set)
    topic: frozenset[str | None] | None = attrs.field(default=None, converter=_set)
    unit: Of = "records"
    share_of: str = ""
    beside: str = ""
    circular: bool = False
    funnel: bool = False
    monthly: bool = False

    def query(self, interval: Interval, *, known: Interval | None = None) -> Query:
        """What it counts of an interval: the records that this finds, or their acts that fit it.

        Args:
            interval: The time of the acts, by `Entry.at`.
            known: When they were recorded; None: at any time.
        """
        marks = {name: getattr(self, name) for name in MARKS}
        happened = Happened(trigger=self.trigger, at=interval, recorded_at=known, **marks)
        return Query(kind=self.kind, topic=self.topic, happened=happened)

    @property
    def marks(self) -> tuple[str, ...]:
        """The marks that it asks for."""
        return tuple(name for name in MARKS if getattr(self, name) is not None)


@attrs.frozen(kw_only=True)
class Breakdown(Value):
    """The records of a measure, by one of their properties or of the act's.

    Attributes:
        name: Unique among those of its kind; its label is ``field.<name>``.
        measure: Whose records.
        group: By what, as `Store.count` groups.
        room: The room of the labels of its values; blank where a value is shown as it is.
    """

    name: str
    measure: Measure
    group: str
    room: str = ""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        grouping("records", self.group)  # refuses an unknown one

    @property
    def open(self) -> bool:
        """Whether a record may count under several values: the numbers may then be more than all records."""
        return self.group in LABEL_GROUPS or (self.group in MARKS and self.measure.trigger is None)

    def query(self, interval: Interval, value: str | None) -> Query:
        """What one of its numbers counts."""
        query = self.measure.query(interval)
        chosen: dict[str, Any] = {self.group: frozenset({value})}
        if self.group in MARKS and query.happened is not None:
            chosen = {"happened": attrs.evolve(query.happened, **chosen)}
        return attrs.evolve(query, **chosen)


def _breakdowns(value: Iterable[Breakdown]) -> tuple[Breakdown, ...]:
    return as_tuple(value)


def _measures(value: Iterable[Measure]) -> tuple[Measure, ...]:
    return as_tuple(value)


@attrs.frozen(kw_only=True)
class Yearly(Value):
    """What a kind's year is counted by, in the order in which it is shown.

    Attributes:
        measures: At least one; their names are unique.
        breakdowns: Theirs are unique, too.

    Raises:
        InvalidValue: names that are not unique, or a measure that names one which is not there.
    """

    measures: tuple[Measure, ...] = attrs.field(converter=_measures)
    breakdowns: tuple[Breakdown, ...] = attrs.field(default=(), converter=_breakdowns)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        known = [one.name for one in self.measures]
        for field, names in (("measures", known), ("breakdowns", [one.name for one in self.breakdowns])):
            if len(set(names)) < len(names):
                raise InvalidValue(field, *type_problem("each name once", names))
        if not known:
            raise InvalidValue("measures", "empty")
        for one in self.measures:
            for name in filter(None, (one.share_of, one.beside)):
                if name not in known:
                    raise InvalidValue("measures", "choice", {"given": repr(name), "choices": tuple(known)})

    def measure(self, name: str) -> Measure | None:
        """The measure of a name; None where there is none."""
        return next((one for one in self.measures if one.name == name), None)

    def breakdown(self, name: str) -> Breakdown | None:
        """The breakdown of a name; None where there is none."""
        return next((one for one in self.breakdowns if one.name == name), None)


# -- counting in few counts --------------------------------------------------------------------------------------------


class Ask(NamedTuple):
    """One `count` of a flow or store."""

    query: Query
    of: Of
    group: tuple[str, ...]


#: What a count answers.
Answer = Mapping[Group, int]


def _sum(measure: Measure, group: Sequence[str], answer: Answer) -> int:
    """The number of a measure in an answer: the sum of the groups that fit it."""
    wanted = {"trigger": frozenset({measure.trigger}), **{name: getattr(measure, name) for name in measure.marks}}
    chosen = [wanted.get(name) for name in group]
    return sum(
        number
        for values, number in answer.items()
        if all(one is None or value in one for one, value in zip(chosen, values, strict=True))
    )


class Plan(NamedTuple):
    """What to ask for some measures, and where in the answers each number stands.

    Attributes:
        asks: The counts.
        places: Each measure, and which of the counts has its number.
    """

    asks: tuple[Ask, ...]
    places: tuple[tuple[Measure, int], ...]

    def read(self, answers: Sequence[Answer]) -> dict[str, int]:
        """The numbers, by the names of the measures, of the answers to `asks` in their order."""
        return {one.name: _sum(one, self.asks[place].group, answers[place]) for one, place in self.places}


def plan(measures: Iterable[Measure], interval: Interval) -> Plan:
    """How to count some measures in few counts.

    Args:
        measures: The measures; their names are unique.
        interval: The time of the acts.
    """
    asks: dict[Ask, int] = {}
    places = []
    for one in measures:
        group = _group(one)
        query = Query(kind=one.kind, happened=Happened(at=interval)) if group else one.query(interval)
        places.append((one, asks.setdefault(Ask(query, one.unit, group), len(asks))))
    return Plan(tuple(asks), tuple(places))


def _group(measure: Measure) -> tuple[str, ...]:
    """By what to group a count that several measures share; none where a measure needs one of its own.

    A record may be in several groups, an act is in one: so only acts are summed.
    """
    if measure.trigger is None or measure.topic is not None or measure.marks not in ((), ("code",)):
        return ()
    if measure.unit == "entries" or (measure.code is not None and len(measure.code) == 1):
        return ("trigger", "code")
    return () if measure.marks else ("trigger",)


class Months(NamedTuple):
    """What to ask for a chart by month: one count a month, whatever the number of measures.

    Attributes:
        measures: Those that can be read exactly from these counts.
        asks: One count an interval.
    """

    measures: tuple[Measure, ...]
    asks: tuple[Ask, ...]

    def read(self, answers: Sequence[Answer]) -> dict[str, list[int]]:
        """The measure's name -> its numbers, an interval after another, of the answers to `asks`."""
        return {
            one.name: [_sum(one, ask.group, answer) for ask, answer in zip(self.asks, answers, strict=True)]
            for one in self.measures
        }


def months(measures: Iterable[Measure], intervals: Iterable[Interval], once: frozenset[str]) -> Months:
    """How to count the monthly ones of some measures of a kind, each interval in one count.

    Counts are grouped by trigger and by the marks that are asked for. A record may be in two such groups, so a sum over
    several of them is exact only for what happens to a record once; of anything else the group must be a single one.

    Args:
        measures: The measures, all of one kind.
        intervals: The months.
        once: The triggers that a record can have once only: its creations.
    """
    wanted = [one for one in measures if one.monthly and one.trigger and one.topic is None and one.unit == "records"]
    group = next((one.marks for one in wanted if one.trigger not in once), ())
    fitting = tuple(
        one
        for one in wanted
        if (one.trigger in once and set(one.marks) <= set(group))
        or (one.marks == group and all(len(getattr(one, mark)) == 1 for mark in group))
    )
    triggers = frozenset(one.trigger for one in fitting)
    kind = fitting[0].kind if fitting else None
    asks = tuple(
        Ask(Query(kind=kind, happened=Happened(trigger=triggers, at=one)), "records", ("trigger", *group))
        for one in intervals
    )
    return Months(fitting, asks if fitting else ())
