"""Sound stores of several handles, or awaited ones, for the faults that only these can have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Self, TypeVar

from reportflow import Capabilities, Change, Entry, FeedItem, MemoryStore, Page, Query, Record, Store
from reportflow.serialization.classes import Classes
from reportflow.serialization.digest import Sealed
from reportflow.storage.awaited import AsyncCalls
from reportflow.storage.base import Group, Of

T = TypeVar("T")


class Handle:
    """A sound store of which several may be open on the same data, which outlives them all.

    Args:
        data: What it shares with others; new unless given.
    """

    capabilities = Capabilities(durable=True, shared=True)

    def __init__(self, data: MemoryStore | None = None) -> None:
        self.data = data or MemoryStore()

    def reopened(self) -> Self:
        """One more on the same data."""
        return type(self)(self.data)

    def add_classes(self, classes: Classes) -> None:
        self.data.add_classes(classes)

    def commit(self, changes: Sequence[Change]) -> None:
        self.data.commit(changes)

    def get(self, ids: Sequence[str]) -> list[Record]:
        return self.data.get(ids)

    def find(self, query: Query) -> Page:
        return self.data.find(query)

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        return self.data.count(query, of, group)

    def history(self, ids: Sequence[str]) -> list[Entry]:
        return self.data.history(ids)

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        return self.data.by_key(actor_id, key)

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        return self.data.feed(after, limit)

    def sealed(self, after: tuple[str, int] | None = None, limit: int = 1000) -> list[Sealed]:
        return self.data.sealed(after, limit)

    def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        self.data.restore(sealed, records, more=more)

    def close(self) -> None:
        """Nothing to let go of: the data goes with the last handle."""


class Awaiting(AsyncCalls):
    """A sound asynchronous store whose calls wait, as those of a driver do: once before and once after the work."""

    capabilities = Capabilities()

    def __init__(self) -> None:
        self.data = MemoryStore()

    def add_classes(self, classes: Classes) -> None:
        self.data.add_classes(classes)

    async def _run(self, call: Callable[[Store], T]) -> T:
        await asyncio.sleep(0)
        answer = call(self.data)
        await asyncio.sleep(0)
        return answer

    async def close(self) -> None:
        """Nothing to let go of."""
