"""Faults of groups and conditions that are asked for together."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

import attrs

from reportflow import Change, MemoryStore, Page, Query, Record
from reportflow.model.query import ENTRY_GROUPS, LABEL_GROUPS, Interval, Visibility
from reportflow.storage.base import Group, Of
from tests.testing.faulty_stores.fault import caught_by
from tests.testing.faulty_stores.find import Misreading
from tests.testing.faulty_stores.visibility import Oversight


@caught_by("test_conditions_hold_together")
class AddsUpGroups(MemoryStore):
    """Counts records distinct by all they have, a group's hits included: two hits under one label count twice."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        by_hit = query.happened is not None and set(group) & set(LABEL_GROUPS) and of == "records"
        return super().count(query, "entries" if by_hit else of, group)


@caught_by("test_conditions_hold_together")
class GroupsWhatItFoundBy(Misreading):
    """Groups by the same join that it finds by: only the labels asked for are groups."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        counted = super().count(query, of, group)
        for place, name in enumerate(group):
            wanted = getattr(query, name, None) if name in LABEL_GROUPS else None
            if wanted is not None:
                counted = {one: number for one, number in counted.items() if one[place] in wanted}
        return counted


@caught_by("test_joined_texts_are_told_apart")
class PairsLabels(MemoryStore):
    """Reads two labels side by side: authors and topics are paired, not crossed."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        counted = super().count(query, of, group)
        if not set(LABEL_GROUPS) <= set(group):
            return counted
        places = [list(group).index(name) for name in LABEL_GROUPS]
        seen: set[tuple[Any, ...]] = set()
        kept = {}
        for one, number in counted.items():
            pair = tuple(one[place] for place in places)
            if pair[0] is None or pair not in seen:
                kept[one] = number
            seen.add(pair)
        crossed = [one for one in kept if None not in [one[place] for place in places]]
        return {one: number for one, number in kept.items() if one not in crossed[1:]}


@caught_by("test_conditions_hold_together")
class CountsLevelsAsRanks(MemoryStore):
    """Groups by the number that it keeps a secrecy as."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        ranks: dict[Any, Any] = {"internal": 0, "confidential": 1, "secret": 2, "top_secret": 3}
        places = [place for place, name in enumerate(group) if name == "secrecy"]
        counted = super().count(query, of, group)
        if not places or len(group) < 2:
            return counted
        return {
            tuple(ranks[value] if place in places else value for place, value in enumerate(one)): number
            for one, number in counted.items()
        }


@caught_by("test_ids_far_apart")
class TakesFewIds(Misreading):
    """Looks for as many ids as one statement has variables."""

    def misread(self, query: Query) -> Query:
        if query.id is None or len(query.id) <= 999:
            return query
        return attrs.evolve(query, id=set(sorted(map(str, query.id))[:999]))


@caught_by("test_times_are_told_apart")
class ClosesIntervalsOfEntries(Misreading):
    """Counts the end of an interval in where it asks for what happened."""

    def misread(self, query: Query) -> Query:
        from tests.testing.faulty_stores.find import _closed

        happened = query.happened
        if happened is None or happened.recorded_at is None:
            return query
        return attrs.evolve(query, happened=attrs.evolve(happened, recorded_at=_closed(happened.recorded_at)))


@caught_by("test_times_are_told_apart")
class OpensIntervals(Misreading):
    """Leaves the start of an interval out."""

    def misread(self, query: Query) -> Query:
        interval = query.updated_at
        if interval is None or interval.start is None:
            return query
        return self.narrowed(query, lambda one: one.updated_at != interval.start)


@caught_by("test_conditions_hold_together")
class ForgetsNoneAmongMarks(Misreading):
    """Compares a mark with None as SQL does with NULL, where a value is asked for beside."""

    def misread(self, query: Query) -> Query:
        happened = query.happened
        if happened is None or happened.party is None or len(happened.party) < 2:
            return query
        return attrs.evolve(query, happened=attrs.evolve(happened, party=happened.party - {None}))


@caught_by("test_conditions_hold_together")
class ForgetsTheRuleWhereSomethingHappened(Misreading):
    """Drops the visibility rule where it looks at the histories."""

    def misread(self, query: Query) -> Query:
        return query if query.happened is None else attrs.evolve(query, visible=None)


@caught_by("test_conditions_hold_together")
class LooksInTitlesAlone(Misreading):
    """Looks for a text in titles alone where it is asked for a kind as well."""

    def misread(self, query: Query) -> Query:
        wanted = query.text
        if wanted is None or query.kind is None:
            return query
        return self.narrowed(query, lambda one: any(str(text) in one.title for text in wanted))


@caught_by("test_conditions_hold_together")
class CountsWithoutTheText(MemoryStore):
    """Has no index on texts for counting by entries, and leaves the condition out."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        by_entry = of == "entries" and set(group) & set(ENTRY_GROUPS)
        return super().count(attrs.evolve(query, text=None) if by_entry else query, of, group)


@caught_by("test_times_are_told_apart")
class TakesOneTimeOfARecordForTheOther(Misreading):
    """Looks at when a record was entered where it is asked when it came to be."""

    def misread(self, query: Query) -> Query:
        wanted = query.created_at
        if wanted is None:
            return query
        return self.narrowed(
            attrs.evolve(query, created_at=None), lambda one: self._history(one.id)[0].recorded_at in wanted
        )


@caught_by("test_texts_are_told_apart")
class FoldsActors(Misreading):
    """Compares who acted in any case."""

    def misread(self, query: Query) -> Query:
        happened = query.happened
        wanted = None if happened is None else happened.actor
        if happened is None or not wanted:
            return query
        folded = {str(one).lower() for one in wanted}
        alike = {
            one.actor.id for entries in self._histories.values() for one in entries if one.actor.id.lower() in folded
        }
        return attrs.evolve(query, happened=attrs.evolve(happened, actor=alike | wanted))


@caught_by("test_conditions_hold_together")
class TakesFewCategories(Misreading):
    """Looks for as many categories as an IN takes."""

    def misread(self, query: Query) -> Query:
        wanted = query.category
        if wanted is None or len(wanted) < 1000:
            return query
        return attrs.evolve(query, category=set(sorted(map(str, wanted))[:999]))


@caught_by("test_conditions_hold_together")
class TakesFewParties(Misreading):
    """Looks for as many parties as an IN takes."""

    def misread(self, query: Query) -> Query:
        happened = query.happened
        if happened is None or happened.party is None or len(happened.party) < 1000:
            return query
        few = set(sorted(map(str, happened.party))[:999])
        return attrs.evolve(query, happened=attrs.evolve(happened, party=few))


@caught_by("test_texts_are_told_apart")
class LooksInTitleAndTextTogether(Misreading):
    """Looks in title and text, written one behind the other: what begins in one may end in the other."""

    def misread(self, query: Query) -> Query:
        wanted = query.text
        if wanted is None:
            return query

        def fits(record: Record) -> bool:
            whole = f"{record.title} {getattr(record, 'text', '')}"
            return any(str(text) in whole for text in wanted)

        return self.narrowed(attrs.evolve(query, text=None), fits)


@caught_by("test_texts_are_told_apart")
class LooksAtTheBeginningOfWords(Misreading):
    """Has an index of words, and finds what a word begins with."""

    def misread(self, query: Query) -> Query:
        wanted = query.text
        if wanted is None or not all(str(one).isalpha() for one in wanted):
            return query
        words = re.compile("|".join(rf"\b{re.escape(str(one))}" for one in wanted))
        return self.narrowed(
            query, lambda record: bool(words.search(record.title) or words.search(getattr(record, "text", "")))
        )


@caught_by("test_conditions_hold_together")
class CrossesKindsAndVersions(Oversight):
    """Takes the versions of all grants together: one kind is seen in the versions of another."""

    def covers(self, rule: Visibility, record: Record) -> bool:
        pairs = itertools.product(rule.grants, rule.grants)
        crossed = [attrs.evolve(one, versions=other.versions) for one, other in pairs]
        return attrs.evolve(rule, grants=tuple(crossed)).covers(record)


@caught_by("test_times_are_told_apart")
class ComparesToTheMillisecond(Misreading):
    """Compares ends of intervals to the millisecond."""

    def misread(self, query: Query) -> Query:
        wanted = query.updated_at
        if wanted is None or wanted.end is None or wanted.start is not None:
            return query
        end = wanted.end.replace(microsecond=wanted.end.microsecond // 1000 * 1000)
        return attrs.evolve(query, updated_at=Interval(end=end))


@caught_by("test_conditions_hold_together")
class RemembersPagesWithoutTheRule(MemoryStore):
    """Remembers pages until the next commit, by all that was asked for but the rule."""

    def __init__(self) -> None:
        super().__init__()
        self._pages: dict[Query, Page] = {}

    def _set(self, changes: Sequence[Change]) -> None:
        super()._set(changes)
        self._pages.clear()

    def find(self, query: Query) -> Page:
        if query.visible is None or query.happened is None:
            return super().find(query)
        asked = attrs.evolve(query, visible=None)
        if asked not in self._pages:
            self._pages[asked] = super().find(query)
        return self._pages[asked]


@caught_by("test_texts_are_told_apart")
class FoldsASetOfAssignees(Misreading):
    """Takes two assignees in one set for the same where only the case differs."""

    def misread(self, query: Query) -> Query:
        wanted = query.assignee
        if wanted is None or len(wanted) < 2:
            return query
        folded = {str(one).casefold(): one for one in sorted(map(str, wanted - {None}))}
        return attrs.evolve(query, assignee={*folded.values(), *(wanted & {None})})
