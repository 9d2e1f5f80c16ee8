"""Faults of several handles on the same data, and of what is opened anew."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, ClassVar, Self, TypeVar

import attrs

from reportflow import Change, Entry, FeedItem, InvalidValue, MemoryStore, Page, Query, Record, StorageUnavailable
from reportflow.model.query import LIMIT
from reportflow.serialization.digest import Sealed
from reportflow.storage.base import Group, Of
from reportflow.storage.refusing import check_changes, keys_of
from tests.testing.faulty_stores.commit import without_keys
from tests.testing.faulty_stores.fault import DurableStore, caught_by
from tests.testing.faulty_stores.handles import Handle

T = TypeVar("T")


@caught_by("test_long_texts_are_told_apart")
class KeepsCursorsToItself(Handle):
    """Has cursors that only the handle knows which gave them."""

    def __init__(self, data: MemoryStore | None = None) -> None:
        super().__init__(data)
        self._cursors: dict[str, str] = {}

    def find(self, query: Query) -> Page:
        if query.cursor is not None:
            if query.cursor not in self._cursors:
                raise InvalidValue("cursor", "cursor")
            query = attrs.evolve(query, cursor=self._cursors[query.cursor])
        page = super().find(query)
        if page.next is None:
            return page
        name = f"{len(self._cursors)}"
        self._cursors[name] = page.next
        return Page(page.records, name)


class Positioned(Handle):
    """Gives entries positions of its own."""

    numbers: ClassVar[dict[int, Any]] = {}

    def __init__(self, data: MemoryStore | None = None) -> None:
        super().__init__(data)
        self.placed: dict[int, Entry] = vars(self.data).setdefault("placed", {})

    def position(self) -> int:
        """The next position."""
        return len(self.placed) + 1

    def commit(self, changes: Sequence[Change]) -> None:
        super().commit(changes)
        for change in changes:
            for entry in change.entries:
                self.placed[self.position()] = entry

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        positions = sorted(one for one in self.placed if one > (after or 0))[:limit]
        placed = [(one, self.placed[one]) for one in positions]
        return [FeedItem(one, self.data.history([entry.record_id])[entry.sequence - 1]) for one, entry in placed]

    def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        super().restore(sealed, records, more=more)
        self.placed.update({item.position: item.entry for item in self.data.feed(limit=LIMIT)})


@caught_by("test_numbers_come_back")
class DrawsPositionsInBlocks(Positioned):
    """Draws positions in blocks, as a sequence with a cache does: each handle has its own."""

    def __init__(self, data: MemoryStore | None = None) -> None:
        super().__init__(data)
        self._block: list[int] = []

    def position(self) -> int:
        if not self._block:
            start: int = vars(self.data).setdefault("drawn", 0)
            vars(self.data)["drawn"] = start + 20
            self._block = list(range(start + 1, start + 21))
        return self._block.pop(0)


@caught_by("test_every_read_between_commits")
class CountsPositionsByItself(Positioned):
    """Counts positions on from what it saw when it was opened."""

    def __init__(self, data: MemoryStore | None = None) -> None:
        super().__init__(data)
        self._next = len(self.placed)

    def position(self) -> int:
        self._next += 1
        while self._next in self.placed:
            self._next += 100
        return self._next


@caught_by("test_no_read_goes_back")
class PostsBeforeItCanBeGot(MemoryStore):
    """Posts an entry first and sets its record then: who reads the feed may find no record."""

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        with self._writing:
            with self._lock:
                self._compare(changes)
                start = len(self._feed)
                self._feed.extend(entry for change in changes for entry in change.entries)
            with self._lock:
                del self._feed[start:]
                self._set(changes)

    def __init__(self) -> None:
        super().__init__()
        self._writing = threading.Lock()


@caught_by("test_every_read_between_commits")
class CachesRecords(Handle):
    """Keeps the records that it read until its feed shows something new of them."""

    def __init__(self, data: MemoryStore | None = None) -> None:
        super().__init__(data)
        self._known: dict[str, Record] = {}
        self._read = 0

    def commit(self, changes: Sequence[Change]) -> None:
        super().commit(changes)
        self._known.clear()

    def find(self, query: Query) -> Page:
        page = super().find(query)
        self._known.update({one.id: one for one in page.records})
        return page

    def get(self, ids: Sequence[str]) -> list[Record]:
        found = super().get(ids)
        return [self._known.setdefault(one.id, one) for one in found]


@caught_by("test_every_read_between_commits")
class CachesKeys(Handle):
    """Remembers that a key was not used."""

    def __init__(self, data: MemoryStore | None = None) -> None:
        super().__init__(data)
        self._known: dict[tuple[str, str], Entry | None] = {}

    def commit(self, changes: Sequence[Change]) -> None:
        super().commit(changes)
        self._known.clear()

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        if (actor_id, key) not in self._known:
            self._known[actor_id, key] = super().by_key(actor_id, key)
        return self._known[actor_id, key]


@caught_by("test_every_read_between_commits")
class CachesCounts(Handle):
    """Remembers what it counted until it commits itself."""

    def __init__(self, data: MemoryStore | None = None) -> None:
        super().__init__(data)
        self._known: dict[Any, dict[Group, int]] = {}

    def commit(self, changes: Sequence[Change]) -> None:
        super().commit(changes)
        self._known.clear()

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        if not group:
            return super().count(query, of, group)
        asked = (query, of, tuple(group))
        if asked not in self._known:
            self._known[asked] = super().count(query, of, group)
        return dict(self._known[asked])


class Filed(DurableStore):
    """A sound store that writes each commit to its file.

    Attributes:
        written: What the file holds: the changes, in their order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.written: list[Sequence[Change]] = []


@caught_by("test_what_was_committed_needs_no_close")
class WritesAtClose(DurableStore):
    """Writes to its file when it is closed: a process that is killed leaves nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._file: DurableStore | None = None

    def close(self) -> None:
        self._file = super().reopened()

    def reopened(self) -> Self:
        return type(self)() if self._file is None else super().reopened()


@caught_by("test_texts_are_told_apart")
class ForgetsTheCaseOfNamesWhenReopened(DurableStore):
    """Reads its file with another collation than it was written with."""

    def reopened(self) -> Self:
        again = super().reopened()
        again._records = {id: attrs.evolve(one, category=one.category.rstrip()) for id, one in again._records.items()}
        return again


@caught_by("test_numbers_come_back")
class SortsTheFeedAsTextsWhenReopened(DurableStore):
    """Reads the feed of its file in the order of positions as texts: 10 before 2."""

    def reopened(self) -> Self:
        again = super().reopened()
        order = sorted(range(len(self._feed)), key=lambda place: str(place + 1))
        again._feed = [self._feed[place] for place in order]
        return again


@caught_by("test_numbers_come_back")
class ReadsFloatsWhenReopened(DurableStore):
    """Reads whole numbers of its file as floats."""

    def reopened(self) -> Self:
        again = super().reopened()
        for id, record in again._records.items():
            numbers = getattr(record, "numbers", None)
            if numbers:
                fields: dict[str, Any] = {"numbers": {name: int(float(one)) for name, one in numbers.items()}}
                again._records[id] = attrs.evolve(record, **fields)
        return again


@caught_by("test_a_store_that_was_closed")
class ClosesForAll(Handle):
    """Closes the connection that all its handles share."""

    def __init__(self, data: MemoryStore | None = None) -> None:
        super().__init__(data)
        vars(self.data)["closed"] = False

    def commit(self, changes: Sequence[Change]) -> None:
        if vars(self.data)["closed"]:
            raise StorageUnavailable("shared", "it is closed")
        super().commit(changes)

    def close(self) -> None:
        vars(self.data)["closed"] = True


@caught_by("test_a_store_that_was_closed")
class DropsWhatComesAfterClose(DurableStore):
    """Takes a commit after it was closed, and forgets it."""

    _closed = False

    def close(self) -> None:
        self._closed = True

    def commit(self, changes: Sequence[Change]) -> None:
        if not self._closed:
            super().commit(changes)


@caught_by("test_two_stores_use_a_key_and_an_id_once")
class LocksForItself(Handle):
    """Looks at the keys that are used under a lock of its own, and writes then."""

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        stripped = [without_keys(change) for change in changes]
        used = set(self.data._keys)
        if any(pair in used for pair, _ in keys_of(changes)):
            return super().commit(changes)
        with self.data._lock:
            self.data._compare(stripped)
            self.data._set(changes)
