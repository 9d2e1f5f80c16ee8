"""Faults of rules of several grants, and of cursors."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import attrs

from reportflow import (
    MemoryStore,
    Page,
    Query,
    Record,
)
from reportflow.model.query import Visibility
from reportflow.storage.base import Group, Of
from tests.testing.faulty_stores.fault import caught_by
from tests.testing.faulty_stores.find import Misreading
from tests.testing.faulty_stores.visibility import Oversight


@caught_by("test_conditions_hold_together")
class CrossesKindsAndScopes(Oversight):
    """Makes one condition of the kinds of all grants and one of their scopes: each kind is seen by any scope."""

    def covers(self, rule: Visibility, record: Record) -> bool:
        pairs = itertools.product(rule.grants, rule.grants)
        crossed = [attrs.evolve(one, scopes=other.scopes) for one, other in pairs]
        return attrs.evolve(rule, grants=tuple(crossed)).covers(record)


@caught_by("test_conditions_hold_together")
class CrossesKindsAndStates(Oversight):
    """Takes the states of all grants together: one kind is seen in the states of another."""

    def covers(self, rule: Visibility, record: Record) -> bool:
        pairs = itertools.product(rule.grants, rule.grants)
        crossed = [attrs.evolve(one, states=other.states) for one, other in pairs]
        return attrs.evolve(rule, grants=tuple(crossed)).covers(record)


@caught_by("test_conditions_hold_together")
class TakesOneGrantAKind(Oversight):
    """Keeps the grants in a dict by kind: the last one of a kind counts."""

    def covers(self, rule: Visibility, record: Record) -> bool:
        last = {grant.kind: grant for grant in rule.grants}
        return attrs.evolve(rule, grants=tuple(last.values())).covers(record)


@caught_by("test_conditions_hold_together")
class RemembersTheQueryOfACursor(Misreading):
    """Goes on with the query of the first page, whoever brings its cursor."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: dict[str, Query] = {}

    def find(self, query: Query) -> Page:
        known = self._asked.get(query.cursor or "")
        if known is not None and known.order == query.order:
            query = attrs.evolve(known, cursor=query.cursor, limit=query.limit)
        page = super().find(query)
        if page.next is not None:
            self._asked[page.next] = query
        return page


@caught_by("test_conditions_hold_together")
class TakesABlankUnitForAny(Oversight):
    """Leaves the condition on the unit out where the actor has none."""

    def covers(self, rule: Visibility, record: Record) -> bool:
        return (rule if rule.unit else attrs.evolve(rule, unit=record.unit or "?")).covers(record) or rule.covers(
            record
        )


@caught_by("test_conditions_hold_together")
class KeepsABlankUnitAsNone(MemoryStore):
    """Has no blank texts, as Oracle: what has no unit is in no group and is not found by it."""

    def find(self, query: Query) -> Page:
        return super().find(attrs.evolve(query, unit=query.unit and query.unit - {""}))

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        places = [place for place, name in enumerate(group) if name == "unit"]
        counted = super().count(attrs.evolve(query, unit=query.unit and query.unit - {""}), of, group)
        return {
            tuple(None if place in places and not value else value for place, value in enumerate(one)): number
            for one, number in counted.items()
        }
