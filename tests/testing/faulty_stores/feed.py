"""Faults of `feed`, and of calls from several threads: none of them waits for the race to be lost."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack

from reportflow import AlreadyExists, Change, Entry, FeedItem, MemoryStore, Record, StorageError
from reportflow.storage.refusing import check_changes, refuse_keys
from tests.testing.faulty_stores.commit import without_keys
from tests.testing.faulty_stores.fault import caught_by


@caught_by("test_entries_of_a_record_in_sequence")
class PostsBackward(MemoryStore):
    """Posts the entries of one commit in the wrong order."""

    def _set(self, changes: Sequence[Change]) -> None:
        known = len(self._feed)
        super()._set(changes)
        self._feed[known:] = self._feed[known:][::-1]


@caught_by("test_each_entry_once_oldest_first")
class PostsNewestFirst(MemoryStore):
    """Gives the newest entry first."""

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        return super().feed(after, limit)[::-1]


@caught_by("test_positions_grow")
class SortsTheFeed(MemoryStore):
    """Orders the feed by record, the last id first: what comes new moves what was there."""

    def _set(self, changes: Sequence[Change]) -> None:
        super()._set(changes)
        self._feed.sort(key=lambda entry: entry.record_id, reverse=True)


@caught_by("test_behind_a_position")
class PostsAgain(MemoryStore):
    """Takes `after` for the first position to show."""

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        return super().feed(after and after - 1, limit)


@caught_by("test_no_more_than_the_limit")
class PostsAll(MemoryStore):
    """Gives the whole feed, whatever the limit."""

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        return super().feed(after, len(self._feed))


@caught_by("test_behind_a_position")
class NumbersEachAnswer(MemoryStore):
    """Numbers the entries of each answer from 1 on."""

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        return [FeedItem(number, posted.entry) for number, posted in enumerate(super().feed(after, limit), 1)]


@caught_by("test_by_commit_not_by_the_clock")
class PostsByTheClock(MemoryStore):
    """Orders the feed by the time when an entry was recorded."""

    def _set(self, changes: Sequence[Change]) -> None:
        super()._set(changes)
        self._feed.sort(key=lambda entry: entry.recorded_at)


@caught_by("test_a_refused_commit_is_not_in_the_feed")
class PostsTheRefused(MemoryStore):
    """Keeps the outbox row of a commit that was rolled back."""

    def _compare(self, changes: Sequence[Change]) -> None:
        try:
            super()._compare(changes)
        except StorageError:
            self._feed += [entry for change in changes for entry in change.entries]
            raise


@caught_by("test_a_reader_beside_writers_misses_nothing")
class PostsLate(MemoryStore):
    """Takes a position before the commit: a late commit shows up behind what was read."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)
        self._posted: dict[int, Entry] = {}

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        with self._lock:
            positions = sorted(position for position in self._posted if position > (after or 0))[:limit]
            return [FeedItem(position, self._posted[position]) for position in positions]

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        posted = {next(self._numbers): entry for change in changes for entry in change.entries}
        with self._lock:
            self._compare(changes)
            self._set(changes)
            self._posted.update(posted)


# -- races --------------------------------------------------------------------------------------------------------


@caught_by("test_one_version_is_replaced_once")
class LocksNothing(MemoryStore):
    """Compares and sets without a lock."""

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        self._compare(changes)
        self._set(changes)


@caught_by("test_one_version_is_replaced_once")
class LocksTwice(MemoryStore):
    """Compares under one lock, and sets under another."""

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        with self._lock:
            self._compare(changes)
        with self._lock:
            refuse_keys(changes, self._keys)
            self._compare([change for change in changes if change.expected is None])
            self._set(changes)


@caught_by("test_one_id_is_created_once")
class CreatesTwice(MemoryStore):
    """Looks whether an id is taken before it takes the lock to create it."""

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        with self._lock:
            self._compare(changes)
        with self._lock:
            self._compare([change for change in changes if change.expected is not None])
            refuse_keys(changes, self._keys)
            self._set(changes)


@caught_by("test_one_key_is_used_once")
class ChecksKeysOutside(MemoryStore):
    """Looks up a key outside the transaction that uses it."""

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        with self._lock:
            self._compare(changes)
        with self._lock:
            self._compare([without_keys(change) for change in changes])
            self._set(changes)


@caught_by("test_no_read_shows_half_a_commit")
class ShowsHalf(MemoryStore):
    """Sets change by change, and lets readers in between."""

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        with self._lock:
            self._compare(changes)
        for change in changes:
            with self._lock:
                self._compare([change])
                self._set([change])


@caught_by("test_commits_that_cross")
class WaitsCrosswise(MemoryStore):
    """Locks record by record, in the order of the changes: two commits wait for each other."""

    def __init__(self) -> None:
        super().__init__()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        with ExitStack() as locked:
            for change in changes:
                lock = self._locks[change.record.id]
                if not lock.acquire(timeout=0.5):
                    raise StorageError("deadlock")
                locked.callback(lock.release)
            super().commit(changes)


@caught_by("test_commits_that_do_not_meet")
class LetsOneIn(MemoryStore):
    """Refuses a commit while another one is under way."""

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        if not self._lock.acquire(blocking=False):
            raise StorageError("locked")
        try:
            self._compare(changes)
            self._set(changes)
        finally:
            self._lock.release()


@caught_by("test_other_threads_see_what_was_committed")
class BelongsToOneThread(MemoryStore):
    """Lets nobody read but the thread that opened it."""

    def __init__(self) -> None:
        super().__init__()
        self._owner = threading.get_ident()

    def get(self, ids: Sequence[str]) -> list[Record]:
        if threading.get_ident() != self._owner:
            raise RuntimeError("objects created in a thread can only be used in that same thread")
        return super().get(ids)


@caught_by("test_other_threads_see_what_was_committed")
class RemembersInEachThread(MemoryStore):
    """Keeps for each thread what it read, until that thread commits."""

    def __init__(self) -> None:
        super().__init__()
        self._mine = threading.local()

    def commit(self, changes: Sequence[Change]) -> None:
        super().commit(changes)
        self._mine.read = {}

    def get(self, ids: Sequence[str]) -> list[Record]:
        read: dict[str, Record] = getattr(self._mine, "read", {})
        self._mine.read = {**{record.id: record for record in super().get(ids)}, **read}
        return [self._mine.read[id] for id in ids]


@caught_by("test_other_threads_see_what_was_committed")
class TellsLater(MemoryStore):
    """Shows a commit to the thread that made it at once, and to the others with the next one."""

    def __init__(self) -> None:
        super().__init__()
        self._writer = 0
        self._before: dict[str, Record] = {}

    def _set(self, changes: Sequence[Change]) -> None:
        self._before = dict(self._records)
        self._writer = threading.get_ident()
        super()._set(changes)

    def get(self, ids: Sequence[str]) -> list[Record]:
        now = super().get(ids)
        if threading.get_ident() == self._writer:
            return now
        return [self._before.get(record.id, record) for record in now]


@caught_by("test_one_id_is_created_once")
class SaysTheWrongThing(MemoryStore):
    """Calls it a conflict when somebody else has just created an id."""

    def commit(self, changes: Sequence[Change]) -> None:
        with self._lock:
            early = all(change.record.id not in self._records for change in changes)
        try:
            super().commit(changes)
        except AlreadyExists as error:
            raise (StorageError("UNIQUE constraint failed") if early else error) from None
