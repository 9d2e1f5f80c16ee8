"""The calls of an asynchronous store over those of a blocking one: only how one is run is left to say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

from reportflow.model.entry import Entry
from reportflow.model.query import Page, Query
from reportflow.model.record import Record
from reportflow.serialization.digest import Sealed
from reportflow.storage.base import Change, FeedItem, Group, Of, Store

T = TypeVar("T")


class AsyncCalls(ABC):
    """The calls of `AsyncStore` over those of a `Store`: only how one is run is left to say."""

    @abstractmethod
    async def _run(self, call: Callable[[Store], T]) -> T:
        """Run a call of a store."""

    async def commit(self, changes: Sequence[Change]) -> None:
        """See `Store.commit`."""
        await self._run(lambda store: store.commit(changes))

    async def get(self, ids: Sequence[str]) -> list[Record]:
        """See `Store.get`."""
        return await self._run(lambda store: store.get(ids))

    async def find(self, query: Query) -> Page:
        """See `Store.find`."""
        return await self._run(lambda store: store.find(query))

    async def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        """See `Store.count`."""
        return await self._run(lambda store: store.count(query, of, group))

    async def history(self, ids: Sequence[str]) -> list[Entry]:
        """See `Store.history`."""
        return await self._run(lambda store: store.history(ids))

    async def by_key(self, actor_id: str, key: str) -> Entry | None:
        """See `Store.by_key`."""
        return await self._run(lambda store: store.by_key(actor_id, key))

    async def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        """See `Store.feed`."""
        return await self._run(lambda store: store.feed(after, limit))

    async def sealed(self, after: tuple[str, int] | None = None, limit: int = 1000) -> list[Sealed]:
        """See `Store.sealed`."""
        return await self._run(lambda store: store.sealed(after, limit))

    async def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        """See `Store.restore`."""
        await self._run(lambda store: store.restore(sealed, records, more=more))
