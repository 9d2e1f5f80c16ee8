"""What a query means, written a second time: as plainly as can be, and without a line of a store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from reportflow.model.actor import Scope
from reportflow.model.entry import Entry
from reportflow.model.query import Happened, Interval, Visibility
from reportflow.model.record import Record
from reportflow.testing.acts import START


def among(wanted: frozenset[str | None] | None, values: Sequence[str | None]) -> bool:
    """Whether one of the values is wanted."""
    return wanted is None or any(value in wanted for value in values)


def within(wanted: Interval | None, time: datetime | None) -> bool:
    """Whether a time is wanted."""
    if wanted is None or time is None:
        return wanted is None
    return (wanted.start or time) <= time and (wanted.end is None or time < wanted.end)


def fitting(wanted: Happened | None, history: Sequence[Entry]) -> list[Entry]:
    """Those that are asked for, less what a later one takes back, if that was known by the time that is asked about."""
    end = None if wanted is None or wanted.recorded_at is None else wanted.recorded_at.end
    gone = [one.retracts for one in history if end is None or one.recorded_at < end]
    return [one for one in history if one.sequence not in gone and _entry_fits(wanted, one)]


def _entry_fits(wanted: Happened | None, entry: Entry) -> bool:
    if wanted is None:
        return True
    marks = all(among(getattr(wanted, name), [entry.mark(name)]) for name in ("party", "level", "code"))
    act = among(wanted.trigger, [entry.trigger]) and among(wanted.actor, [entry.actor.id])
    return marks and act and within(wanted.at, entry.at) and within(wanted.recorded_at, entry.recorded_at)


def seen(rule: Visibility, record: Record) -> bool:
    """Whether a rule shows a record."""
    mine = [record.created_by, *record.labels().get("author", ())]
    scopes = {Scope.ANY}
    if rule.actor in mine:
        scopes.add(Scope.OWN)
    if rule.unit == record.unit:
        scopes.add(Scope.UNIT)
    return record.secrecy.rank <= rule.clearance.rank and any(
        grant.kind == record.kind
        and (grant.states is None or record.state in grant.states)
        and (grant.versions is None or record.lifecycle_version in grant.versions)
        and grant.scopes & scopes
        for grant in rule.grants
    )


def sort_key(record: Record, name: str) -> Any:
    """What a record is ordered by."""
    value = getattr(record, name)
    return (value is None, value or START) if name == "due_at" else value


def group_values(name: str, record: Record, entry: Entry) -> Iterator[Any]:
    """The groups by a name to which an entry of a record belongs."""
    if name in ("author", "topic"):
        yield from set(record.labels().get(name, ())) or [None]
    elif name in ("trigger", "source", "dest"):
        yield getattr(entry, name)
    elif name == "actor":
        yield entry.actor.id
    elif name in ("party", "level", "code"):
        yield entry.mark(name)
    else:
        yield getattr(record, name)
