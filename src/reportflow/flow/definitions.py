"""The lifecycles of a flow: which one a record lives by, and what an actor may see of them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

from reportflow.errors import (
    Fault,
    InvalidDefinition,
    InvalidValue,
    RecordNotFound,
    UnknownLifecycle,
)
from reportflow.flow.names import Names
from reportflow.flow.requests import actor_of
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Actor
from reportflow.model.query import Grant, Query, Visibility
from reportflow.model.record import Record
from reportflow.model.values import Latest, changed
from reportflow.serialization.classes import Classes


class Definitions:
    """Lifecycles by name and version.

    Raises:
        InvalidDefinition: two of one name and version.
    """

    def __init__(self, lifecycles: Iterable[Lifecycle]) -> None:
        # Actors are values and come again and again; what they may see only depends on them.
        self._visibility = Latest(lru_cache(maxsize=1024)(self._all_visible))
        self._listed = lru_cache(maxsize=1024)(self._all_listed)
        self._awaiting = lru_cache(maxsize=1024)(self._all_awaiting)
        #: Kinds and versions that are in the store and were not given, with the number of their records.
        self.unknown: Mapping[tuple[str, int], int] = MappingProxyType({})
        self._given: dict[tuple[str, int], Lifecycle] = {}
        self._newest: dict[str, Lifecycle] = {}
        for one in lifecycles:
            if (one.name, one.version) in self._given:
                facts = {"name": one.name, "version": one.version}
                raise InvalidDefinition(one.name, [Fault("lifecycle_twice", facts)])
            self._given[one.name, one.version] = one
            if one.name not in self._newest or self._newest[one.name].version < one.version:
                self._newest[one.name] = one
        self._names = Names(self._given.values())

    def __iter__(self) -> Iterator[Lifecycle]:
        return iter(self._given.values())

    @property
    def classes(self) -> Classes:
        """The classes of their records and details."""
        return Classes(*self)

    def of(self, record: Record) -> Lifecycle:
        """The definition that a record lives by; for a draft the newest of its kind.

        Raises:
            UnknownLifecycle: it was not given to this flow.
            InvalidValue: a draft whose class has several lifecycles, and which names no kind.
        """
        if record.version:
            found = self._given.get((record.kind, record.lifecycle_version))
            if found is None:
                raise self._unknown(record.kind, record.lifecycle_version)
            return found
        if record.kind:
            if record.kind not in self._newest:
                raise self._unknown(record.kind, None)
            return self._newest[record.kind]
        fitting = [one for one in self._newest.values() if one.record is type(record)]
        if len(fitting) > 1:
            raise InvalidValue("kind", "ambiguous", {"choices": [one.name for one in fitting]})
        if not fitting:
            raise self._unknown(type(record).__name__, None)
        return fitting[0]

    def has(self, kind: str) -> bool:
        """Whether some version of the definition was given."""
        return kind in self._newest

    def knows(self, kind: str, version: int) -> bool:
        """Whether the definition was given."""
        return (kind, version) in self._given

    def check_known(self, kind: str, version: int) -> None:
        """Refuse a definition that was not given.

        Raises:
            UnknownLifecycle: it is such a one.
        """
        if (kind, version) not in self._given:
            raise self._unknown(kind, version)

    def leave_out(self, unknown: Mapping[tuple[str, int], int]) -> None:
        """Leave these kinds and versions out of lists from now on: a store can make no record of them."""
        self.unknown = MappingProxyType(dict(unknown))
        self._listed.cache_clear()
        self._awaiting.cache_clear()

    def _unknown(self, name: str, version: int | None) -> UnknownLifecycle:
        return UnknownLifecycle(name, version, [f"{one} {number}" for one, number in self._given])

    def visibility(self, actor: Actor) -> Visibility:
        """What an actor may see, as data for a query."""
        return self._visibility(actor_of(actor))

    def _all_visible(self, actor: Actor) -> Visibility:
        return _rule(actor, (grant for one in self._newest.values() for grant in one.grants(actor)))

    def listed(self, actor: Actor) -> Visibility:
        """As `visibility`, less the versions that were not given."""
        return self._listed(actor_of(actor))

    def _all_listed(self, actor: Actor) -> Visibility:
        rule = self._all_visible(actor)
        return changed(rule, {"grants": tuple(map(self._known_part, rule.grants))}) if self.unknown else rule

    def _known_part(self, grant: Grant) -> Grant:
        if all(kind != grant.kind for kind, _ in self.unknown):
            return grant
        return changed(grant, {"versions": frozenset(version for kind, version in self._given if kind == grant.kind)})

    def awaiting(self, actor: Actor) -> Visibility:
        """As `listed`, less what does not await the actor."""
        return self._awaiting(actor_of(actor))

    def _all_awaiting(self, actor: Actor) -> Visibility:
        grants = (grant for one in self._newest.values() for grant in one.awaiting_grants(actor))
        return _rule(actor, map(self._known_part, grants))

    def audits(self, record: Record) -> frozenset[str]:
        """The roles whose holders read each entry of a record whole."""
        return self._newest[record.kind].audits

    def check_names(self, query: Query) -> None:
        """Refuse a query for a kind, state, trigger or level that no definition has.

        Raises:
            InvalidValue: it asks for such a one.
        """
        self._names.check(query, {kind for kind, _ in self.unknown})

    def check_visible(self, record: Record, actor: Actor) -> None:
        """Refuse what the actor may not see, as if it were not there.

        Raises:
            RecordNotFound: the actor may not see the record.
        """
        if not self.sees(record, actor):
            raise RecordNotFound([record.id])

    def sees(self, record: Record, actor: Actor) -> bool:
        """Whether the actor may see a record."""
        return self.visibility(actor).covers(record)


def _rule(actor: Actor, grants: Iterable[Grant]) -> Visibility:
    return Visibility(actor=actor.id, unit=actor.unit, clearance=actor.clearance, grants=tuple(grants))
