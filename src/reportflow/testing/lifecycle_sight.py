"""Who sees what, written a second time as plainly as can be: for the model of a lifecycle's machine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

import attrs

from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import OnConflict
from reportflow.model.actor import Actor, Scope
from reportflow.model.checks import is_blank
from reportflow.model.entry import Entry
from reportflow.model.record import Record

_NAIVE: Final[dict[Scope, Callable[[Record, Actor], bool]]] = {
    Scope.OWN: lambda record, actor: actor.id in (record.created_by, *record.labels().get("author", ())),
    Scope.UNIT: lambda record, actor: record.unit == actor.unit and not is_blank(actor.unit),
    Scope.ANY: lambda record, actor: True,
}


class Sight:
    """The definitions by which records are seen."""

    def __init__(self, lifecycles: Iterable[Lifecycle]) -> None:
        self._given = {(one.name, one.version): one for one in lifecycles}
        self._newest = {name: one for (name, _), one in sorted(self._given.items(), key=lambda pair: pair[0])}

    def lifecycle_of(self, record: Record) -> Lifecycle:
        """The definition of a record; for a draft, the newest of its kind."""
        return self._given[record.kind, record.lifecycle_version] if record.version else self._newest[record.kind]

    def held(self, lifecycle: Lifecycle, record: Record, actor: Actor) -> set[str]:
        """The roles that count: the scope holds, and the clearance reaches the record."""
        if record.secrecy.rank > actor.clearance.rank:
            return set()
        roles = lifecycle.roles
        return {role for role in actor.roles if role in roles and _NAIVE[roles[role]](record, actor)}

    def sees(self, actor: Actor, record: Record) -> bool:
        """Whether an actor may see a record: any role counts."""
        return bool(self.held(self._newest[record.kind], record, actor))

    def reads(self, actor: Actor, record: Record, old: Record, new: Record, entry: Entry) -> bool:
        """Whether an actor may read the entry between two versions of a record, which is now as given."""
        roles = self.held(self._newest[record.kind], record, actor)
        clear = max(old.secrecy.rank, new.secrecy.rank) <= actor.clearance.rank
        return bool(roles) and clear and (entry.audience is None or not roles.isdisjoint(entry.audience))

    def audits(self, actor: Actor, record: Record) -> bool:
        """Whether an actor reads each entry of a record whole."""
        newest = self._newest[record.kind]
        return not newest.audits.isdisjoint(self.held(newest, record, actor))

    def reduced(self, entry: Entry, old: Record, known: Collection[str]) -> Entry:
        """An entry as a reader gets it, who may read the entries of these refs."""
        lifecycle = self._given[entry.kind, entry.lifecycle_version]
        row = next(one for one in lifecycle.rows(entry.trigger) if entry.source in one.sources)
        who, reach = entry.actor, lifecycle.roles
        used = {role for role in who.roles if role in row.roles and role in reach and _NAIVE[reach[role]](old, who)}
        cause = entry.cause if entry.cause in known else None
        known_of_them = attrs.evolve(who, roles=used, unit="", clearance="internal")
        return attrs.evolve(entry, actor=known_of_them, key=None, cause=cause)

    def awaits(self, actor: Actor, record: Record) -> bool:
        """Whether a record is in the inbox of an actor."""
        newest = self._newest[record.kind]
        awaited = next((state.awaits for state in newest.states if state.name == record.state), frozenset())
        return bool(awaited & self.held(newest, record, actor)) and record.assignee in (None, actor.id)

    def commutes(self, record: Record, trigger: str) -> bool:
        """Whether the version seen does not matter to a trigger."""
        return all(row.on_conflict is OnConflict.COMMUTES for row in self.lifecycle_of(record).rows(trigger))
