"""The contract's meaning in plain dicts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from reportflow.errors import RecordNotFound
from reportflow.model.entry import Entry
from reportflow.model.query import Page, Query
from reportflow.model.record import Record
from reportflow.storage import matching
from reportflow.storage.base import (
    AsyncCalls,
    Capabilities,
    Change,
    FeedItem,
    Group,
    Of,
    Store,
    check_changes,
    refuse_keys,
    refuse_stale,
)

if TYPE_CHECKING:
    from reportflow.storage.leases import MemoryLeases

T = TypeVar("T")


class MemoryStore:
    """A store that lives as long as its process. Safe for threads: one lock makes each call atomic.

    Attributes:
        capabilities: What it can do beyond the contract.
    """

    capabilities: Capabilities = Capabilities(leases=True)

    @cached_property
    def leases(self) -> MemoryLeases:
        """Where relays keep how far they are."""
        from reportflow.storage.leases import MemoryLeases  # a program without a relay need not load them

        return MemoryLeases()

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, Record] = {}
        self._histories: dict[str, list[Entry]] = {}
        self._keys: dict[tuple[str, str], Entry] = {}
        self._feed: list[Entry] = []

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store.commit`."""
        check_changes(changes)
        with self._lock:
            self._compare(changes)
            self._set(changes)

    def _compare(self, changes: Sequence[Change]) -> None:
        stored = [one for change in changes if (one := self._records.get(change.record.id)) is not None]
        refuse_stale(changes, {one.id: (one.version, one.state) for one in stored})
        refuse_keys(changes, self._keys)

    def _set(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._records[change.record.id] = change.record
            self._histories.setdefault(change.record.id, []).extend(change.entries)
            self._feed.extend(change.entries)
            self._keys.update(((one.actor.id, one.key), one) for one in change.entries if one.key is not None)

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
        start = after or 0
        with self._lock:
            entries = self._feed[start : start + limit]
        return [FeedItem(position=start + number, entry=entry) for number, entry in enumerate(entries, 1)]

    def close(self) -> None:
        """See `Store.close`."""

    def _history(self, record_id: str) -> Sequence[Entry]:
        return self._histories.get(record_id, ())


class AsyncMemoryStore(AsyncCalls):
    """`MemoryStore`, awaited: nothing in it waits, so each call is one step of the event loop."""

    capabilities: Capabilities = Capabilities()

    def __init__(self) -> None:
        self._store = MemoryStore()

    async def _run(self, call: Callable[[Store], T]) -> T:
        return call(self._store)

    async def close(self) -> None:
        """See `Store.close`."""
