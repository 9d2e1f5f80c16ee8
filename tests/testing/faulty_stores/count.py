"""Faults of `count`."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from reportflow import Entry, InvalidValue, MemoryStore, Query
from reportflow.model.query import ENTRY_GROUPS, LIMIT, RECORD_GROUPS, grouping
from reportflow.storage import matching
from reportflow.storage.base import Group, Of
from tests.testing.faulty_stores.fault import caught_by
from tests.testing.faulty_stores.find import Misreading


@caught_by("test_adopted_twice_at_one_level_counts_once")
class CountsEntriesForRecords(MemoryStore):
    """Counts a record as often as it has entries that fit."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        return super().count(query, "entries" if query.happened and of == "records" else of, group)


@caught_by("test_groups_by_fields_of_the_entries")
class CountsWhatItGroups(MemoryStore):
    """Counts entries wherever it groups by what entries have."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        grouping(of, group)
        by_entry = query.happened is None and bool(set(group) & set(ENTRY_GROUPS))
        return super().count(query, "entries" if by_entry else of, group)


@caught_by("test_entries_by_fields_of_their_record")
class CountsRecordsInGroups(MemoryStore):
    """Counts records where it was asked for entries by fields of their records."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        grouping(of, group)
        return super().count(query, "records" if group and set(group) <= set(RECORD_GROUPS) else of, group)


@caught_by("test_records_and_entries")
class CountsRecordsForEntries(MemoryStore):
    """Counts records where it was asked for entries, in all."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        grouping(of, group)
        return super().count(query, of if group or query.happened else "records", group)


@caught_by("test_groups_letter_for_letter")
class FoldsGroups(MemoryStore):
    """Counts what differs in case alone as one group."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        counted: dict[Group, int] = {}
        for one, number in super().count(query, of, group).items():
            folded = tuple(value.lower() if isinstance(value, str) else value for value in one)
            counted[folded] = counted.get(folded, 0) + number
        return counted


@caught_by("test_happened_chooses_the_entries")
class CountsAllTheirEntries(Misreading):
    """Counts all entries of the records that fit, and not the entries that fit."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        if of == "entries" and query.happened is not None:
            every = attrs.evolve(query, limit=LIMIT, order="id", cursor=None)
            ids = {record.id for record in super().find(every)}
            query = self.narrowed(attrs.evolve(query, happened=None), lambda one: one.id in ids)
        return super().count(query, of, group)


@caught_by("test_what_is_taken_back_does_not_count")
class CountsWhatIsTakenBack(MemoryStore):
    """Counts entries whether or not a later one takes them back."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        return matching.count(query, self._records.values(), self._as_if_none, of, group)

    def _as_if_none(self, id: str) -> list[Entry]:
        return [attrs.evolve(entry, retracts=None) for entry in self._history(id)]


@caught_by("test_conditions_hold_together")
class TakesBackByNumberAlone(MemoryStore):
    """Leaves out the entries of all records whose number some record has taken back."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        gone = {entry.retracts for entry in self._feed}
        return matching.count(
            query,
            self._records.values(),
            lambda id: [one for one in self._history(id) if one.sequence not in gone],
            of,
            group,
        )


@caught_by("test_what_was_known_before_it_was_taken_back")
class ForgetsWhatWasKnown(MemoryStore):
    """Leaves out what was taken back at any time, whatever time is asked about."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        return matching.count(query, self._records.values(), self._of_today, of, group)

    def _of_today(self, id: str) -> list[Entry]:
        entries = self._history(id)
        return [one for one in entries if one.sequence not in {other.retracts for other in entries}]


@caught_by("test_order_limit_and_cursor_do_not_matter")
class CountsThePage(MemoryStore):
    """Counts no further than a page goes."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        return {one: min(number, query.limit) for one, number in super().count(query, of, group).items()}


@caught_by("test_nothing_to_count")
class SaysNothingOfNothing(MemoryStore):
    """Gives no number where there is nothing to count."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        return {one: number for one, number in super().count(query, of, group).items() if number}


@caught_by("test_groups_by_labels")
class JoinsLabels(MemoryStore):
    """Leaves out the records without a label, as a join does."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        labels = [place for place, name in enumerate(group) if name in ("author", "topic")]
        counted = super().count(query, of, group)
        return {one: number for one, number in counted.items() if not any(one[place] is None for place in labels)}


@caught_by("test_groups_by_fields_of_the_record")
class CountsNoneAsBlank(MemoryStore):
    """Counts what has no value under the blank text."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        counted: dict[Group, int] = {}
        for one, number in super().count(query, of, group).items():
            blank = tuple("" if value is None else value for value in one)
            counted[blank] = counted.get(blank, 0) + number
        return counted


@caught_by("test_several_groups")
class SortsTheGroup(MemoryStore):
    """Gives the values of a group in the order of the alphabet, and not of the names asked for."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        return super().count(query, of, group if isinstance(group, str) else sorted(group))


@caught_by("test_unknown_groups")
class TakesAnyGroup(MemoryStore):
    """Passes over a group that it does not know."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        try:
            return super().count(query, of, group)
        except InvalidValue:
            return super().count(query)
