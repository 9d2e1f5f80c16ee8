"""Who sees what, written a second time as plainly as can be: for the model of a lifecycle's machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import OnConflict
from reportflow.model.actor import Actor, Scope
from reportflow.model.checks import is_blank
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

    def awaits(self, actor: Actor, record: Record) -> bool:
        """Whether a record is in the inbox of an actor."""
        newest = self._newest[record.kind]
        awaited = next((state.awaits for state in newest.states if state.name == record.state), frozenset())
        return bool(awaited & self.held(newest, record, actor)) and record.assignee in (None, actor.id)

    def commutes(self, record: Record, trigger: str) -> bool:
        """Whether the version seen does not matter to a trigger."""
        return all(row.on_conflict is OnConflict.COMMUTES for row in self.lifecycle_of(record).rows(trigger))
