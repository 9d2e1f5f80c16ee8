"""The contract's meaning in plain dicts."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar, cast

from reportflow.errors import InvalidValue, RecordNotFound
from reportflow.model.entry import Entry
from reportflow.model.query import Page, Query
from reportflow.model.record import Record
from reportflow.serialization.classes import NO_CLASSES, Classes
from reportflow.serialization.digest import Sealed
from reportflow.storage import matching
from reportflow.storage.awaited import AsyncCalls
from reportflow.storage.base import Capabilities, Change, FeedItem, Group, Of, Store
from reportflow.storage.closing import Closed
from reportflow.storage.refusing import check_changes, refuse_keys, refuse_stale, refuse_used
from reportflow.storage.restoring import check_restored, sealed_keys

if TYPE_CHECKING:
    from reportflow.storage.leases import MemoryLeases

T = TypeVar("T")


class MemoryStore:
    """A store that lives as long as its process. Safe for threads: one lock makes each call atomic.

    Args:
        classes: The classes of what is restored into it.

    Attributes:
        capabilities: What it can do beyond the contract.
        classes: The classes of what is restored into it.
    """

    capabilities: Capabilities = Capabilities(leases=True)

    @cached_property
    def leases(self) -> MemoryLeases:
        """Where relays keep how far they are."""
        from reportflow.storage.leases import MemoryLeases  # a program without a relay need not load them

        return MemoryLeases()

    def __init__(self, classes: Classes = NO_CLASSES) -> None:
        self.classes: Classes = classes
        self._lock = threading.Lock()
        self._records: dict[str, Record] = {}
        self._histories: dict[str, list[Entry]] = {}
        self._keys: dict[tuple[str, str], Entry] = {}
        self._feed: list[Entry] = []
        #: For each record its sealed entries, with their positions; as plain tuples, which the garbage collector skips.
        self._sealed: dict[str, list[tuple[int | None, tuple[Any, ...]]]] = {}
        self._in_order: list[str] = []
        #: The positions of the entries that were restored, first in the feed; later ones are counted on.
        self._restored: list[int] = []
        #: What was restored so far, while more is to come.
        self._arrived: list[tuple[int | None, Entry]] | None = None

    def add_classes(self, classes: Classes) -> None:
        """See `SupportsClasses.add_classes`."""
        with self._lock:
            self.classes = self.classes | classes

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store.commit`."""
        check_changes(changes)
        with self._lock:
            self._compare(changes)
            self._set(changes)

    def _compare(self, changes: Sequence[Change]) -> None:
        stored: dict[str, tuple[int, str]] = {}
        for change in changes:
            one = self._records.get(change.record.id)
            if one is not None:
                stored[one.id] = one.version, one.head
        refuse_stale(changes, stored)
        refuse_keys(changes, self._keys)

    def _set(self, changes: Sequence[Change]) -> None:
        position = self._position(len(self._feed))
        for change in changes:
            for entry, sealed in change.erased:
                self._replace(entry, sealed)
            id = change.record.id
            self._records[id] = change.record
            history, kept = self._histories.setdefault(id, []), self._sealed.setdefault(id, [])
            for entry, sealed in zip(change.entries, change.sealed, strict=True):
                history.append(entry)
                kept.append((position, tuple(sealed)))
                self._feed.append(entry)
                if entry.key is not None:
                    self._keys[entry.actor.id, entry.key] = entry
                position += 1

    def _replace(self, entry: Entry, sealed: Sealed) -> None:
        """Put what remains of an entry in its place."""
        id, place = entry.record_id, entry.sequence - 1
        position, _ = self._sealed[id][place]
        assert position is not None, "what was restored has its place in the feed"
        self._sealed[id][place] = position, tuple(sealed)
        self._histories[id][place] = self._feed[self._place(position)] = entry
        if entry.key is not None:
            self._keys[entry.actor.id, entry.key] = entry

    def get(self, ids: Sequence[str]) -> list[Record]:
        """See `Store.get`."""
        with self._lock:
            found = [self._records.get(id) for id in ids]
        missing = [id for id, record in zip(ids, found, strict=True) if record is None]
        if missing:
            raise RecordNotFound(dict.fromkeys(missing))
        return [record for record in found if record is not None]

    def find(self, query: Query) -> Page:
        """See `Store.find`."""
        with self._lock:
            return matching.page(query, self._records.values(), self._history)

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        """See `Store.count`."""
        with self._lock:
            return matching.count(query, self._records.values(), self._history, of, group)

    def history(self, ids: Sequence[str]) -> list[Entry]:
        """See `Store.history`."""
        with self._lock:
            return [entry for id in ids for entry in self._history(id)]

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        """See `Store.by_key`."""
        with self._lock:
            return self._keys.get((actor_id, key))

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        """See `Store.feed`."""
        after = after or 0
        with self._lock:
            start = self._place(after + 1)
            entries = self._feed[start : start + limit]
            return [FeedItem(self._position(place), entry) for place, entry in enumerate(entries, start)]

    def sealed(self, after: tuple[str, int] | None = None, limit: int = 1000) -> list[Sealed]:
        """See `Store.sealed`."""
        id, sequence = after or ("", 0)
        some: list[Sealed] = []
        with self._lock:
            if len(self._in_order) != len(self._sealed):
                self._in_order = sorted(self._sealed)
            for record_id in self._in_order[bisect_left(self._in_order, id) :]:
                start = max(sequence, 0) if record_id == id else 0
                some += [Sealed(*one)._replace(position=position) for position, one in self._sealed[record_id][start:]]
                if len(some) >= limit:
                    break
        return some[:limit]

    def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        """See `Store.restore`."""
        from reportflow.serialization.unsealing import unseal  # only what is restored has to be read

        with self._lock:
            if self._records and self._arrived is None:
                raise InvalidValue("store", "not_empty")
            check_restored(sealed, records, max(self._records, default=None))
            refuse_used(sealed_keys(sealed), self._keys)
            arrived = [(one.position, unseal(one, self.classes)) for one in sealed]
            self._records.update((one.id, one) for one in records)
            for one, (position, entry) in zip(sealed, arrived, strict=True):
                self._histories.setdefault(entry.record_id, []).append(entry)
                self._sealed.setdefault(entry.record_id, []).append((position, one))
                if entry.key is not None:
                    self._keys[entry.actor.id, entry.key] = entry
            self._arrived = [*(self._arrived or ()), *arrived]
            if not more:
                self._end_restoring(self._arrived)
                self._arrived = None

    def _end_restoring(self, arrived: Sequence[tuple[int | None, Entry]]) -> None:
        """Put what was restored into the feed: in the order of its positions, then what had none."""
        placed = sorted([(position, entry) for position, entry in arrived if position is not None], key=itemgetter(0))
        self._restored = [position for position, _ in placed]
        self._feed = [*(entry for _, entry in placed), *(entry for position, entry in arrived if position is None)]
        for place, entry in enumerate(self._feed[len(placed) :], len(placed)):
            its = self._sealed[entry.record_id]
            its[entry.sequence - 1] = (self._position(place), its[entry.sequence - 1][1])

    def close(self) -> None:
        """See `Store.close`. What it holds is gone with it."""
        self._lock = cast(threading.Lock, Closed("memory:"))  # as far as its calls use one

    def _position(self, place: int) -> int:
        """The position in the feed of the entry at this place of it."""
        restored = self._restored
        return restored[place] if place < len(restored) else (restored or [0])[-1] + place - len(restored) + 1

    def _place(self, position: int) -> int:
        """The place in the feed of the first entry at this position or behind it."""
        restored = self._restored
        last = restored[-1] if restored else 0
        return bisect_left(restored, position) if position <= last else len(restored) + position - last - 1

    def _history(self, record_id: str) -> Sequence[Entry]:
        return self._histories.get(record_id, ())


class AsyncMemoryStore(AsyncCalls):
    """`MemoryStore`, awaited: nothing in it waits, so each call is one step of the event loop."""

    capabilities: Capabilities = Capabilities()

    def __init__(self, classes: Classes = NO_CLASSES) -> None:
        self._store = MemoryStore(classes)

    def add_classes(self, classes: Classes) -> None:
        """See `SupportsClasses.add_classes`."""
        self._store.add_classes(classes)

    async def _run(self, call: Callable[[Store], T]) -> T:
        return call(self._store)

    async def close(self) -> None:
        """See `Store.close`."""
        self._store.close()
