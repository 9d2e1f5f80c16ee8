"""Faults of the visibility rule: who may see what."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import attrs

from reportflow import Entry, MemoryStore, Page, Query, Record, Secrecy
from reportflow.model.actor import Scope
from reportflow.model.query import Grant, Visibility
from reportflow.storage import matching
from reportflow.storage.base import Group, Of
from tests.testing.faulty_stores.fault import caught_by
from tests.testing.faulty_stores.find import Misreading


class Oversight(Misreading):
    """Judges by itself who may see a record."""

    def covers(self, rule: Visibility, record: Record) -> bool:
        """Whether the rule shows the record."""
        return rule.covers(record)

    def misread(self, query: Query) -> Query:
        rule = query.visible
        if rule is None:
            return query
        seen = [one for one in self._records.values() if self.covers(rule, one)]
        everything = [Grant(kind=kind, scopes=frozenset({Scope.ANY})) for kind in {one.kind for one in seen}]
        clearance = max([rule.clearance, *(one.secrecy for one in seen)])
        # the entries are for the rule itself to judge
        wide = attrs.evolve(rule, clearance=clearance, grants=(*rule.grants, *everything))
        return self.narrowed(attrs.evolve(query, visible=wide), lambda one: one in seen)


@caught_by("test_the_scopes")
class ForgetsAuthors(Oversight):
    """Takes OWN for what one created, and not for what one wrote."""

    def covers(self, rule: Visibility, record: Record) -> bool:
        others = [grant for grant in rule.grants if Scope.OWN not in grant.scopes]
        own = attrs.evolve(rule, grants=tuple(grant for grant in rule.grants if Scope.OWN in grant.scopes))
        mine = own.covers(record) and record.created_by == rule.actor
        return mine or attrs.evolve(rule, grants=tuple(others)).covers(record)


@caught_by("test_the_scopes")
class ShowsOtherUnits(Oversight):
    """Drops the rule for one scope: UNIT shows every unit's."""

    def covers(self, rule: Visibility, record: Record) -> bool:
        return attrs.evolve(rule, unit=record.unit).covers(record)


@caught_by("test_no_grant")
class ShowsAllWithoutGrants(Oversight):
    """Takes a rule without grants for no rule."""

    def covers(self, rule: Visibility, record: Record) -> bool:
        return not rule.grants or rule.covers(record)


@caught_by("test_the_states_of_a_grant")
class ForgetsTheStatesOfAGrant(Oversight):
    """Shows a record in any state, whatever the grant says."""

    def covers(self, rule: Visibility, record: Record) -> bool:
        return _with_grants(rule, states=None).covers(record)


@caught_by("test_the_versions_of_a_grant")
class ForgetsTheVersionsOfAGrant(Oversight):
    """Shows a record of any version of its definition, whatever the grant says."""

    def covers(self, rule: Visibility, record: Record) -> bool:
        return _with_grants(rule, versions=None).covers(record)


@caught_by("test_the_kind_of_a_grant")
class ForgetsTheKindOfAGrant(Oversight):
    """Shows a record of any kind, whatever the grant says."""

    def covers(self, rule: Visibility, record: Record) -> bool:
        return _with_grants(rule, kind=record.kind).covers(record)


@caught_by("test_the_clearance")
class ForgetsClearance(Oversight):
    """Drops the rule for clearance: everybody reads what is secret."""

    def covers(self, rule: Visibility, record: Record) -> bool:
        return attrs.evolve(rule, clearance=Secrecy.TOP_SECRET).covers(record)


@caught_by("test_the_clearance")
class ClearsOneLevelMore(Oversight):
    """Shows what lies one level above the clearance."""

    def covers(self, rule: Visibility, record: Record) -> bool:
        above = list(Secrecy)[: rule.clearance.rank + 2]
        return attrs.evolve(rule, clearance=above[-1]).covers(record)


@caught_by("test_who_one_is_letter_for_letter")
class FoldsPeople(Oversight):
    """Takes people for the same whose ids differ in case alone."""

    def covers(self, rule: Visibility, record: Record) -> bool:
        folded = attrs.evolve(record, created_by=record.created_by.lower())
        return attrs.evolve(rule, actor=rule.actor.lower()).covers(folded)


@caught_by("test_a_blank_unit_reaches_nothing")
class TakesNoUnitForOne(Oversight):
    """Compares units alone: who has none sees what has none."""

    def covers(self, rule: Visibility, record: Record) -> bool:
        same = bool(not rule.unit.strip() and record.unit == rule.unit)
        return rule.covers(record) or (same and attrs.evolve(rule, unit="?").covers(attrs.evolve(record, unit="?")))


@caught_by("test_a_rule_narrows_what_is_asked")
class ForgetsTheRuleOnTheNextPage(Misreading):
    """Honours the visibility rule on the first page alone."""

    def misread(self, query: Query) -> Query:
        return query if query.cursor is None else attrs.evolve(query, visible=None)


@caught_by("test_the_scopes")
class CountsWhatIsHidden(MemoryStore):
    """Drops the visibility rule for count alone."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        return super().count(attrs.evolve(query, visible=None), of, group)


class Overhears(MemoryStore):
    """Judges by itself which entries of a record somebody may read."""

    def reads(self, rule: Visibility, record: Record, entry: Entry) -> bool:
        """Whether the rule shows the entry."""
        return rule.reads(record, entry)

    def find(self, query: Query) -> Page:
        return matching.page(self._loosened(query), self._records.values(), self._history)

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        return matching.count(self._loosened(query), self._records.values(), self._history, of, group)

    def _loosened(self, query: Query) -> Query:
        if query.visible is None:
            return query
        rule = Loosened(**{field.name: getattr(query.visible, field.name) for field in attrs.fields(Visibility)})
        object.__setattr__(rule, "reads", partial(self.reads, query.visible))
        return attrs.evolve(query, visible=rule)


class Loosened(Visibility):
    """A rule that another one's `reads` can be put in the place of."""


@caught_by("test_what_happened_above_the_clearance")
class TellsOfSecretActs(Overhears):
    """Hides a record above the clearance, and not what happened to it while it was."""

    def reads(self, rule: Visibility, record: Record, entry: Entry) -> bool:
        return attrs.evolve(rule, clearance=Secrecy.TOP_SECRET).reads(record, entry)


@caught_by("test_the_audience_of_an_entry")
class ForgetsTheAudience(Overhears):
    """Tells everybody who sees a record of all that happened to it."""

    def reads(self, rule: Visibility, record: Record, entry: Entry) -> bool:
        return rule.reads(record, attrs.evolve(entry, audience=None))


@caught_by("test_the_audience_of_an_entry")
class TakesAnyRoleForTheAudience(Overhears):
    """Takes a role for one of the audience that does not reach the record."""

    def reads(self, rule: Visibility, record: Record, entry: Entry) -> bool:
        roles = {role for grant in rule.grants for role in grant.roles}
        anyone = attrs.evolve(entry, audience=None)
        return rule.reads(record, anyone if entry.audience is None or entry.audience & roles else entry)


def _with_grants(rule: Visibility, **changes: Any) -> Visibility:
    grants: list[Grant] = [attrs.evolve(grant, **changes) for grant in rule.grants]
    return attrs.evolve(rule, grants=tuple(grants))
