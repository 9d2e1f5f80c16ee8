"""Faults of what is kept of a commit: its parts, its numbers, texts and times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import attrs

from reportflow import Change, Entry, MemoryStore, Page, Query, Record
from reportflow.serialization.digest import Sealed
from reportflow.serialization.plain import to_json
from reportflow.storage import matching
from reportflow.storage.base import Group, Of
from tests.testing.faulty_stores.fault import caught_by
from tests.testing.faulty_stores.find import Misreading
from tests.testing.faulty_stores.read import Rewriting

T = TypeVar("T")


@caught_by("test_a_change_that_cannot_be_written")
class SerializesAsItGoes(MemoryStore):
    """Makes the texts of a change when it writes it: where one cannot be made, those before are written."""

    def _set(self, changes: Sequence[Change]) -> None:
        for change in changes:
            to_json(change.record)
            super()._set([change])


@caught_by("test_a_change_that_cannot_be_written")
class PostsAsItGoes(MemoryStore):
    """Posts the entries of a commit, and then makes the texts of its records."""

    def _set(self, changes: Sequence[Change]) -> None:
        feed = list(self._feed)
        super()._set(changes)
        feed = list(self._feed)
        try:
            for change in changes:
                to_json(change.record)
        except Exception:
            for change in changes:
                del self._records[change.record.id], self._histories[change.record.id], self._sealed[change.record.id]
            self._feed = feed
            raise


@caught_by("test_long_texts_are_told_apart")
class CutsReasons(Rewriting):
    """Keeps 4,000 letters of a reason."""

    def retold(self, entry: Entry) -> Entry:
        return attrs.evolve(entry, reason=entry.reason[:4000])


@caught_by("test_long_texts_are_told_apart")
class CutsNames(Rewriting):
    """Keeps 64 letters of an actor's name."""

    def retold(self, entry: Entry) -> Entry:
        return attrs.evolve(entry, actor=attrs.evolve(entry.actor, name=entry.actor.name[:64]))


@caught_by("test_texts_are_told_apart")
class CutsCategories(Rewriting):
    """Keeps 100 letters of a category."""

    def rewritten(self, record: Record) -> Record:
        return attrs.evolve(record, category=record.category[:100])


@caught_by("test_numbers_come_back")
class RoundsIntegers(Rewriting):
    """Keeps whole numbers as JSON has them in a browser: as floats."""

    def rewritten(self, record: Record) -> Record:
        numbers = getattr(record, "numbers", None)
        if not numbers:
            return record
        fields: dict[str, Any] = {"numbers": {name: int(float(number)) for name, number in numbers.items()}}
        return attrs.evolve(record, **fields)


@caught_by("test_numbers_come_back")
class KeepsIntegersIn64Bits(Rewriting):
    """Keeps whole numbers as a database does, in 64 bits: a larger one becomes the largest."""

    def rewritten(self, record: Record) -> Record:
        numbers = getattr(record, "numbers", None)
        if not numbers:
            return record
        fields: dict[str, Any] = {
            "numbers": {name: max(min(number, 2**63 - 1), -(2**63)) for name, number in numbers.items()}
        }
        return attrs.evolve(record, **fields)


@caught_by("test_numbers_come_back")
class RoundsDecimals(Rewriting):
    """Keeps decimal numbers to 28 digits."""

    def rewritten(self, record: Record) -> Record:
        amount = getattr(record, "amount", None)
        fields: dict[str, Any] = {} if amount is None else {"amount": +amount}
        return attrs.evolve(record, **fields)


@caught_by("test_times_are_told_apart")
class KeepsTimesAsFloats(Rewriting):
    """Keeps times as seconds since 1970, as floats: far from today microseconds are lost."""

    def rewritten(self, record: Record) -> Record:
        due = record.due_at
        return attrs.evolve(record, due_at=due and datetime.fromtimestamp(due.timestamp(), UTC))


@caught_by("test_times_are_told_apart")
class KeepsTimesSince1970(Rewriting):
    """Keeps times as seconds since 1970 that are never negative."""

    def retold(self, entry: Entry) -> Entry:
        return attrs.evolve(entry, at=max(entry.at, datetime(1970, 1, 1, tzinfo=UTC)))


@caught_by("test_numbers_come_back")
class KeepsPeopleOnce(Rewriting):
    """Has a table of people: an entry shows who somebody was at first, and not as they were then."""

    def __init__(self) -> None:
        super().__init__()
        self._people: dict[str, Any] = {}

    def retold(self, entry: Entry) -> Entry:
        return attrs.evolve(entry, actor=self._people.setdefault(entry.actor.id, entry.actor))


@caught_by("test_numbers_come_back")
class SortsLabels(Rewriting):
    """Keeps topics in a table of their own, without their order."""

    def rewritten(self, record: Record) -> Record:
        topics = getattr(record, "topics", None)
        fields: dict[str, Any] = {} if topics is None else {"topics": sorted(topics)}
        return attrs.evolve(record, **fields)


@caught_by("test_numbers_come_back")
class HandsOutItsMappings(MemoryStore):
    """Reads mappings as plain dicts, and hands out the very ones that it remembers."""

    def _set(self, changes: Sequence[Change]) -> None:
        super()._set(changes)
        for change in changes:
            numbers = getattr(change.record, "numbers", None)
            if numbers is not None:
                kept = attrs.evolve(change.record)
                object.__setattr__(kept, "numbers", dict(numbers))
                self._records[kept.id] = kept


@caught_by("test_conditions_hold_together")
class HandsOutItsCounts(MemoryStore):
    """Remembers the answer of a count until the next commit, and hands out the very dict."""

    def __init__(self) -> None:
        super().__init__()
        self._counted: dict[Any, dict[Group, int]] = {}

    def _set(self, changes: Sequence[Change]) -> None:
        super()._set(changes)
        self._counted.clear()

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        asked = (query, of, tuple(group))
        if asked not in self._counted:
            self._counted[asked] = super().count(query, of, group)
        return self._counted[asked]


@caught_by("test_every_read_between_commits")
class GivesOutWhatIsErased(MemoryStore):
    """Remembers the entries of keys, those too whose content was erased."""

    def __init__(self) -> None:
        super().__init__()
        self._used: dict[tuple[str, str], Entry] = {}

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        entry = super().by_key(actor_id, key)
        return entry and self._used.setdefault((actor_id, key), entry)


@caught_by("test_every_read_between_commits")
class FindsByWhatIsErased(MemoryStore):
    """Has an index of what happened that keeps the marks of entries whose content was erased."""

    def __init__(self) -> None:
        super().__init__()
        self._indexed: dict[str, list[Entry]] = {}

    def _replace(self, entry: Entry, sealed: Sealed) -> None:
        self._indexed.setdefault(entry.record_id, []).append(self._histories[entry.record_id][entry.sequence - 1])
        super()._replace(entry, sealed)

    def find(self, query: Query) -> Page:
        if query.happened is None or query.happened.party is None:
            return super().find(query)
        return matching.page(query, self._records.values(), lambda id: [*self._history(id), *self._indexed.get(id, [])])


@caught_by("test_conditions_hold_together")
class RestoresWithoutAnIndex(Misreading):
    """Fills its index of parties as it commits, and not as it restores."""

    def __init__(self) -> None:
        super().__init__()
        self._indexed: set[str] = set()

    def _set(self, changes: Sequence[Change]) -> None:
        super()._set(changes)
        self._indexed.update(change.record.id for change in changes)

    def misread(self, query: Query) -> Query:
        if query.happened is None or query.happened.party is None:
            return query
        return self.narrowed(query, lambda record: record.id in self._indexed)


@caught_by("test_every_read_between_commits")
class AddsToItsLabels(Misreading):
    """Has a table of topics that is added to: a topic that was taken away is found."""

    def __init__(self) -> None:
        super().__init__()
        self._topics: dict[str, set[str]] = {}

    def _set(self, changes: Sequence[Change]) -> None:
        super()._set(changes)
        for change in changes:
            self._topics.setdefault(change.record.id, set()).update(change.record.labels().get("topic", ()))

    def misread(self, query: Query) -> Query:
        wanted = query.topic
        if wanted is None or None in wanted:
            return query
        return self.narrowed(
            attrs.evolve(query, topic=None), lambda one: bool(wanted & self._topics.get(one.id, set()))
        )
