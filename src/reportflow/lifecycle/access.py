"""Which records a role reaches, and which actors a row permits: access as data.

A scope of a role is turned into a `Grant`, which each store turns into a condition of its query; the same scope decides
here whether a role counts for one record. So what a person finds and what a person may do cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reportflow.lifecycle.table import EVERYBODY, State, Transition
from reportflow.model.actor import Actor, Scope
from reportflow.model.query import Grant
from reportflow.model.record import Record


class Access:
    """How far each role reaches: the part of a `Lifecycle` that judges who may see a record and act on it."""

    __slots__ = ()
    name: str
    roles: Mapping[str, Scope]
    states: tuple[State, ...]

    def roles_held(self, record: Record, actor: Actor) -> frozenset[str]:
        """The actor's roles that count for a record: the scope holds, and clearance reaches it."""
        if not record.readable_by(actor):
            return frozenset()
        return frozenset([role for role in actor.roles if self.reaches(role, record, actor)])

    def reaches(self, role: str, record: Record, actor: Actor) -> bool:
        """Whether a role of the actor reaches a record, whatever its secrecy."""
        scope = self.roles.get(role)
        return scope is not None and record.within(scope, actor.id, actor.unit)

    def permits(self, row: Transition, record: Record, actor: Actor) -> bool:
        """Whether a row permits one of the actor's roles for a record."""
        if EVERYBODY in row.roles:
            return bool(self.roles_held(record, actor)) if record.version else record.readable_by(actor)
        if record.readable_by(actor):
            for role in row.roles & actor.roles:  # no generator: this is asked at each act
                if self.reaches(role, record, actor):
                    return True
        return False

    def grants(self, actor: Actor) -> tuple[Grant, ...]:
        """What the actor's roles let them see of this kind, scope by scope, as data for a query."""
        by_scope: dict[Scope, set[str]] = {}
        for role in actor.roles:
            if role in self.roles:
                by_scope.setdefault(self.roles[role], set()).add(role)
        return tuple(
            Grant(kind=self.name, scopes=frozenset({scope}), roles=frozenset(by_scope[scope]))
            for scope in sorted(by_scope)
        )

    def awaiting_grants(self, actor: Actor, roles: Iterable[str] | None = None) -> tuple[Grant, ...]:
        """The records of this kind whose state awaits a role of the actor, where that role's scope holds."""
        mine = {role: self.roles[role] for role in roles or actor.roles if role in self.roles}
        return tuple(
            Grant(kind=self.name, scopes=scopes, states=frozenset({state.name}))
            for state in self.states
            if (scopes := frozenset(scope for role, scope in mine.items() if role in state.awaits))
        )
