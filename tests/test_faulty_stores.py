"""The suite bites: each of these stores breaks the contract in one place, and is caught there."""

from __future__ import annotations

import time
import unicodedata
import unittest
from collections.abc import Callable, Sequence
from functools import cache

import attrs
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from reportflow import (
    Change,
    Conflict,
    Entry,
    MemoryStore,
    Page,
    Posted,
    Query,
    Record,
    ReportflowError,
    Store,
)
from reportflow.storage.contract import Group, Of, check_changes
from reportflow.testing.conformance import StoreConformance
from reportflow.testing.machine import store_machine


class LosesUpdates(MemoryStore):
    """The last writer wins."""

    def _compare(self, changes: Sequence[Change]) -> None:
        try:
            super()._compare(changes)
        except Conflict:
            return


class LosesRaces(MemoryStore):
    """Compares first and sets later."""

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        with self._lock:
            self._compare(changes)
        time.sleep(0.01)
        with self._lock:
            self._set(changes)


class ForgetsTheState(MemoryStore):
    """Compares the version alone."""

    def _compare(self, changes: Sequence[Change]) -> None:
        try:
            super()._compare(changes)
        except Conflict:
            if any(self._records[one.record.id].version != one.expected for one in changes if one.expected):
                raise


class KeepsEntriesAlone(MemoryStore):
    """Adds to the history and leaves the record as it was."""

    def _set(self, changes: Sequence[Change]) -> None:
        before = dict(self._records)
        super()._set(changes)
        self._records.update(before)


class KeepsHalf(MemoryStore):
    """Commits change by change, until one is refused."""

    def commit(self, changes: Sequence[Change]) -> None:
        for change in changes:
            super().commit([change])


class ShowsHalf(MemoryStore):
    """Sets change by change, and lets readers in between."""

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        with self._lock:
            self._compare(changes)
        for change in changes:
            with self._lock:
                self._set([change])
            time.sleep(0.005 if len(changes) == 2 else 0)


class NamesTheFirst(MemoryStore):
    """Names one missing record of several."""

    def get(self, ids: Sequence[str]) -> list[Record]:
        return [record for id in ids for record in super(NamesTheFirst, self).get([id])]


class TakesAnyKey(MemoryStore):
    """Does not mind a key that was used before."""

    def _compare(self, changes: Sequence[Change]) -> None:
        bare = [attrs.evolve(one, entries=[attrs.evolve(entry, key=None) for entry in one.entries]) for one in changes]
        super()._compare(bare)


class SharesKeys(MemoryStore):
    """Finds a key whoever used it."""

    def keyed(self, actor_id: str, key: str) -> Entry | None:
        return next((entry for (_, used), entry in self._keys.items() if used == key), None)


class RepeatsARecord(MemoryStore):
    """Begins each page with the last record of the page before."""

    def find(self, query: Query) -> Page:
        page = super().find(query)
        if page.next is None or len(page) < 2:
            return page
        return Page(page.records, super().find(attrs.evolve(query, limit=len(page) - 1)).next)


class CountsOffsets(MemoryStore):
    """Its cursor is a number of records to skip."""

    def find(self, query: Query) -> Page:
        skipped = int(query.cursor or 0)
        limit = min(skipped + query.limit, 10_000)
        page = super().find(attrs.evolve(query, cursor=None, limit=limit))
        return Page(page.records[skipped:], page.next and str(limit))


class FoldsCase(MemoryStore):
    """Finds text in any case."""

    def find(self, query: Query) -> Page:
        if query.text is None:
            return super().find(query)
        wanted = [str(text).lower() for text in query.text]
        page = super().find(attrs.evolve(query, text=None))
        return Page(tuple(one for one in page if any(text in _said(one) for text in wanted)), page.next)


class SortsNoneFirst(MemoryStore):
    """Puts what has no due date first."""

    def find(self, query: Query) -> Page:
        page = super().find(query)
        if query.order[:1] != ("due_at",):
            return page
        return Page(tuple(sorted(page.records, key=lambda one: one.due_at is not None)), page.next)


class CountsEntries(MemoryStore):
    """Counts a record as often as it has entries that fit."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        return super().count(query, "entries" if query.happened else of, group)


class CountsWhatIsHidden(MemoryStore):
    """Honours the visibility rule when it finds, and not when it counts."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        return super().count(attrs.evolve(query, visible=None), of, group)


class MixesHistories(MemoryStore):
    """Gives the entries of several records by time."""

    def history(self, ids: Sequence[str]) -> list[Entry]:
        return sorted(super().history(ids), key=lambda entry: (entry.recorded_at, entry.sequence))


class PostsBackward(MemoryStore):
    """Posts the entries of one commit in the wrong order."""

    def _set(self, changes: Sequence[Change]) -> None:
        known = len(self._feed)
        super()._set(changes)
        self._feed[known:] = self._feed[known:][::-1]


class PostsAgain(MemoryStore):
    """Takes `after` for the first position to show."""

    def feed(self, after: int | None = None, limit: int = 100) -> list[Posted]:
        return super().feed(after and after - 1, limit)


class RoundsTimes(MemoryStore):
    """Keeps times to the second."""

    def _set(self, changes: Sequence[Change]) -> None:
        super()._set([attrs.evolve(one, record=_rounded(one.record)) for one in changes])


class NormalisesTexts(MemoryStore):
    """Keeps titles in Unicode's normal form."""

    def _set(self, changes: Sequence[Change]) -> None:
        titles = [unicodedata.normalize("NFC", one.record.title) for one in changes]
        pairs = zip(changes, titles, strict=True)
        super()._set([attrs.evolve(one, record=attrs.evolve(one.record, title=title)) for one, title in pairs])


class ClosesOnce(MemoryStore):
    """Cannot be closed twice."""

    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


def _said(record: Record) -> str:
    return f"{record.title}\n{getattr(record, 'text', '')}".lower()


def _rounded(record: Record) -> Record:
    assert record.created_at is not None
    return attrs.evolve(record, created_at=record.created_at.replace(microsecond=0))


#: Each faulty store -> the test that is made for its fault.
FAULTS: dict[type[MemoryStore], str] = {
    LosesUpdates: "test_the_version_is_compared",
    LosesRaces: "test_one_version_is_replaced_once",
    ForgetsTheState: "test_the_state_is_compared",
    KeepsEntriesAlone: "test_a_change_replaces_the_record_and_adds_to_its_history",
    KeepsHalf: "test_a_refused_commit_changes_nothing",
    ShowsHalf: "test_no_read_shows_half_a_commit",
    NamesTheFirst: "test_get_names_all_that_are_missing",
    TakesAnyKey: "test_a_key_used_before",
    SharesKeys: "test_keyed_gives_the_entry_of_the_key",
    RepeatsARecord: "test_pages_show_each_record_once_in_order",
    CountsOffsets: "test_writing_between_pages",
    FoldsCase: "test_text_letter_for_letter",
    SortsNoneFirst: "test_no_due_date_comes_after_all_dates",
    CountsEntries: "test_adopted_twice_at_one_level_counts_once",
    CountsWhatIsHidden: "test_the_scopes",
    MixesHistories: "test_history_in_the_order_of_the_ids",
    PostsBackward: "test_entries_of_a_record_in_sequence",
    PostsAgain: "test_behind_a_position",
    RoundsTimes: "test_times_come_back_to_the_microsecond",
    NormalisesTexts: "test_every_text_comes_back",
    ClosesOnce: "test_closing_twice",
}
#: Faults that random calls come upon soon.
SOON_FOUND = (
    LosesUpdates,
    KeepsEntriesAlone,
    KeepsHalf,
    NamesTheFirst,
    SharesKeys,
    RepeatsARecord,
    MixesHistories,
    PostsBackward,
    PostsAgain,
)


@cache
def caught(name: str) -> frozenset[str]:
    """The tests of the suite that a store of this module fails."""
    make: Callable[[], Store] = globals()[name]

    class Suite(StoreConformance):
        def make_store(self) -> Store:
            return make()

    failed = set()
    for name in dir(Suite):
        if name.startswith("test_"):
            suite = Suite()
            try:
                getattr(suite, name)()
                suite.teardown_method()
            except unittest.SkipTest:
                continue
            except Exception:
                failed.add(name)
    return frozenset(failed)


def test_a_sound_store_passes() -> None:
    """No test of the suite fails on a store that keeps the contract."""
    assert caught("MemoryStore") == frozenset()


@pytest.mark.parametrize("faulty", FAULTS)
def test_a_fault_is_caught(faulty: type[MemoryStore]) -> None:
    """A store with a fault fails the test that is made for it."""
    assert FAULTS[faulty] in caught(faulty.__name__)


def test_every_fault_stays_a_fault_of_its_own() -> None:
    """No two faults are the same to the suite: each fails another set of tests."""
    assert len({caught(faulty.__name__) for faulty in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("faulty", SOON_FOUND)
def test_the_machine_finds_it_too(faulty: type[MemoryStore]) -> None:
    """Random calls against the naive model find a fault without knowing of it."""
    hard = settings(max_examples=2000, stateful_step_count=30, derandomize=True, database=None, phases=[Phase.generate])
    with pytest.raises((AssertionError, ReportflowError)):
        run_state_machine_as_test(store_machine(faulty), settings=hard)
