"""Does a record match a query, and in which order: pure, for stores without a query engine of their own."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cmp_to_key
from itertools import product
from typing import Any

from reportflow.lifecycle.retraction import retracted
from reportflow.model.entry import Entry
from reportflow.model.query import (
    ENTRY_GROUPS,
    LABEL_GROUPS,
    RECORD_GROUPS,
    Happened,
    Interval,
    Page,
    Query,
    folded,
    grouping,
    place_of,
    searched,
)
from reportflow.model.record import Record
from reportflow.storage.base import Group, Of

_ONE_OF = (*RECORD_GROUPS, "id", "state")
_TIMES = ("created_at", "updated_at", "due_at")

#: Gives the history of a record.
Histories = Callable[[str], Sequence[Entry]]


def matches(query: Query, record: Record, history: Histories) -> bool:
    """Whether a record is what the query asks for, its visibility rule included."""
    return (
        (query.visible is None or query.visible.covers(record))
        and all(_chosen(getattr(query, name, None), getattr(record, name)) for name in _ONE_OF)
        and all(_inside(getattr(query, name), getattr(record, name)) for name in _TIMES)
        and all(_shared(getattr(query, name), record.labels().get(name, ())) for name in LABEL_GROUPS)
        and (query.text is None or any(folded(str(text)) in searched(record) for text in query.text))
        and (query.happened is None or any(_shown_of(query, record, history)))
    )


def fitting(happened: Happened | None, history: Sequence[Entry]) -> Iterator[Entry]:
    """The entries of one record that stand and are what is asked for: all that stand where nothing is.

    What a later entry takes back does not stand, if that one was recorded before the end of `happened.recorded_at`.
    """
    known = None if happened is None or happened.recorded_at is None else happened.recorded_at.end
    gone = retracted(history, until=known)
    for entry in history:
        if entry.sequence not in gone and (happened is None or fits(happened, entry)):
            yield entry


def _shown_of(query: Query, record: Record, history: Histories) -> Iterator[Entry]:
    """Those entries of a record that the query's visibility rule shows."""
    found, rule = fitting(query.happened, history(record.id)), query.visible
    return found if rule is None else (entry for entry in found if rule.reads(record, entry))


def fits(happened: Happened, entry: Entry) -> bool:
    """Whether an entry is what is asked for."""
    return (
        _chosen(happened.trigger, entry.trigger)
        and _chosen(happened.actor, entry.actor.id)
        and all(_chosen(getattr(happened, mark), entry.mark(mark)) for mark in ("party", "level", "code"))
        and _inside(happened.at, entry.at)
        and _inside(happened.recorded_at, entry.recorded_at)
    )


def _chosen(wanted: frozenset[str | None] | None, value: object) -> bool:
    return wanted is None or value in wanted


def _shared(wanted: frozenset[str | None] | None, values: Sequence[str]) -> bool:
    return wanted is None or bool(wanted & set(values)) or (None in wanted and not values)


def _inside(wanted: Interval | None, time: datetime | None) -> bool:
    return wanted is None or time in wanted


#: A record with its place in an order.
_Placed = tuple[tuple[str, ...], Record]


def page(query: Query, records: Iterable[Record], history: Histories) -> Page:
    """The page of a query over all the records of a store.

    Raises:
        InvalidValue: the cursor is not one of this query's order.
    """
    keys = query.sort_keys()
    names = [name for name, _ in keys]
    place = query.place()

    def compare(one: _Placed, other: _Placed) -> int:
        for mine, theirs, (_, downward) in zip(one[0], other[0], keys, strict=True):
            if mine != theirs:
                return 1 if (mine > theirs) is not downward else -1
        return 0

    placed: list[_Placed] = [(place_of(record, names), record) for record in records if matches(query, record, history)]
    rest = [one for one in placed if place is None or compare(one, (place, one[1])) > 0]
    rest.sort(key=cmp_to_key(compare))
    shown = rest[: query.limit]
    following = query.cursor_after(shown[-1][0]) if len(rest) > len(shown) else None
    return Page(tuple(record for _, record in shown), following)


def count(
    query: Query, records: Iterable[Record], history: Histories, of: Of, group: Sequence[str]
) -> dict[Group, int]:
    """The answer to `Store.count` over all the records of a store.

    Raises:
        InvalidValue: an unknown group.
    """
    chosen = grouping(of, group)
    by_entry = of == "entries" or any(name in ENTRY_GROUPS for name in chosen)
    found: Counter[Group] = Counter()
    for record in records:
        if matches(query, record, history):
            entries = _shown_of(query, record, history) if by_entry else [None]
            # one group for each combination of the record's labels
            groups = [one for e in entries for one in product(*(_group_values(name, record, e) for name in chosen))]
            found.update(groups if of == "entries" else set(groups))
    return {(): found[()]} if not chosen else dict(found)


def _group_values(name: str, record: Record, entry: Entry | None) -> Sequence[Any]:
    if name in LABEL_GROUPS:
        return tuple(dict.fromkeys(record.labels().get(name, ()))) or (None,)
    if name in RECORD_GROUPS:
        value = getattr(record, name)
        return (value.value if isinstance(value, enum.Enum) else value,)
    assert entry is not None, "an entry group counts entries"
    if name in ("party", "level", "code"):
        return (entry.mark(name),)
    return (entry.actor.id if name == "actor" else getattr(entry, name),)
