"""Queries answered a second time, as plainly as can be: for the model of `machine`. It shares no code with a store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from reportflow.model.actor import Scope
from reportflow.model.entry import Entry
from reportflow.model.query import Grant, Happened, Interval, Query, Visibility
from reportflow.model.record import Record
from reportflow.testing.acts import START


def fits(query: Query, record: Record, entries: Sequence[Entry]) -> bool:
    """Whether a record with its entries is what a query asks for."""
    for name in ("id", "kind", "state", "unit", "parent", "category", "assignee", "secrecy", "created_by"):
        if not among(getattr(query, name), [getattr(record, name)]):
            return False
    for name in ("author", "topic"):
        if not among(getattr(query, name), list(record.labels().get(name, ())) or [None]):
            return False
    for name in ("created_at", "updated_at", "due_at"):
        if not within(getattr(query, name), getattr(record, name)):
            return False
    if query.text is not None and not any(
        str(text).casefold() in said.casefold()
        for text in query.text
        for said in (record.title, getattr(record, "text", ""))
    ):
        return False
    if query.happened and not asked_of(query, record, entries):
        return False
    return query.visible is None or seen(query.visible, record)


def asked_of(query: Query, record: Record, entries: Sequence[Entry]) -> Sequence[Entry]:
    """The entries of a record that a query asks for, without those that its rule hides."""
    return shown(query.visible, record, fitting(query.happened, entries))


def shown(rule: Visibility | None, record: Record, entries: Sequence[Entry]) -> Sequence[Entry]:
    """The entries of a record, without those that a rule hides."""
    if rule is None:
        return entries
    roles = {role for grant in reaching(rule, record) for role in grant.roles}
    clear = [one for one in entries if one.secrecy.rank <= rule.clearance.rank]
    return [one for one in clear if one.audience is None or not one.audience.isdisjoint(roles)]


def among(wanted: frozenset[str | None] | None, values: Sequence[str | None]) -> bool:
    """Whether one of some values is wanted."""
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
    return record.secrecy.rank <= rule.clearance.rank and bool(reaching(rule, record))


def reaching(rule: Visibility, record: Record) -> list[Grant]:
    """The grants that cover a record, its secrecy aside."""
    mine = [record.created_by, *record.labels().get("author", ())]
    scopes = {Scope.ANY}
    if rule.actor in mine:
        scopes.add(Scope.OWN)
    if rule.unit == record.unit and rule.unit.strip():
        scopes.add(Scope.UNIT)
    return [
        grant
        for grant in rule.grants
        if grant.kind == record.kind
        and (grant.states is None or record.state in grant.states)
        and (grant.versions is None or record.lifecycle_version in grant.versions)
        and grant.scopes & scopes
    ]


def sort_key(record: Record, name: str) -> Any:
    """What a record is sorted by."""
    value = getattr(record, name)
    return (value is None, value or START) if name == "due_at" else value


def group_values(name: str, record: Record, entry: Entry) -> Iterator[Any]:
    """What a record with its entry is grouped under."""
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


def by_ref(entry: Entry) -> tuple[str, int]:
    """The place of an entry."""
    return entry.record_id, entry.sequence
