"""Which records a role reaches, and which actors a row permits: access as data.

A scope of a role is turned into a `Grant`, which each store turns into a condition of its query; the same scope decides
here whether a role counts for one record. So what a person finds and what a person may do cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

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
        """Whether a row permits one of the actor's roles for a record, and clearance reaches it."""
        return record.readable_by(actor) and self._takes(row, record, actor)

    def _takes(self, row: Transition, record: Record, actor: Actor) -> bool:
        """Whether a row takes one of the actor's roles for a record, whatever its secrecy."""
        if EVERYBODY in row.roles:
            return not record.version or self.sees(record, actor)
        for role in row.roles & actor.roles:  # noqa: SIM110 - no generator: this is asked at each act
            if self.reaches(role, record, actor):
                return True
        return False

    def sees(self, record: Record, actor: Actor) -> bool:
        """Whether one of the actor's roles counts for a record."""
        if record.readable_by(actor):
            for role in actor.roles:
                if self.reaches(role, record, actor):
                    return True
        return False

    def why_not(self, rows: Iterable[Transition], record: Record, actor: Actor) -> Iterator[tuple[str, dict[str, Any]]]:
        """Why no row permits the actor: the code and the facts of each refusal; nothing where one does."""
        if not record.readable_by(actor):
            yield _above("clearance", record, actor)
        rows = tuple(rows)
        if not any(self._takes(row, record, actor) for row in rows):
            known = actor.roles & self.roles.keys()
            held = {role for role in known if self.reaches(role, record, actor)}
            rest = {"elsewhere": known - held, "unknown": actor.roles - known}
            facts: dict[str, Iterable[str]] = {"roles": {one for row in rows for one in row.roles}, "held": held}
            facts.update((name, roles) for name, roles in rest.items() if roles)
            yield "role", {**{name: tuple(sorted(roles)) for name, roles in facts.items()}, **_who(actor)}

    def lost(self, before: Record, after: Record, actor: Actor) -> Iterator[tuple[str, dict[str, Any]]]:
        """Why an act may not have this result: its actor, who saw the record, would see it no more."""
        if not self.sees(after, actor) and self.sees(before, actor):
            yield _above("clearance", after, actor) if not after.readable_by(actor) else ("out_of_sight", _who(actor))

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


def _above(code: str, record: Record, actor: Actor) -> tuple[str, dict[str, Any]]:
    return code, {"secrecy": record.secrecy.value, "clearance": actor.clearance.value, **_who(actor)}


def _who(actor: Actor) -> dict[str, str]:
    return {"actor": actor.id, "name": actor.name or actor.id}
