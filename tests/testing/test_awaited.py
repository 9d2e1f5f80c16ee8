"""An asynchronous store goes through the very same suite, driven by `awaited`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

import pytest

from reportflow import (
    Capabilities,
    Change,
    Conflict,
    Entry,
    FeedItem,
    MemoryStore,
    Page,
    Query,
    Record,
    StorageUnavailable,
    Store,
)
from reportflow.serialization.digest import Sealed
from reportflow.storage.base import AsyncStore, Group, Of
from reportflow.storage.refusing import check_changes
from reportflow.testing import StoreTests, awaited
from reportflow.testing.acts import CLASSES, acted, created, report
from tests.testing.sessions import session


class SleepingStore:
    """Asynchronous, over a store in memory, with a pause between comparing and setting, under a lock of its loop."""

    capabilities = Capabilities()

    def __init__(self) -> None:
        self.inner = MemoryStore(CLASSES)
        self.lock = asyncio.Lock()
        self.threads: set[int] = set()

    async def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        async with self.lock:
            await self.write(changes)

    async def write(self, changes: Sequence[Change]) -> None:
        self.threads.add(threading.get_ident())
        self.inner._compare(changes)
        await asyncio.sleep(0)
        self.inner._set(changes)

    async def get(self, ids: Sequence[str]) -> list[Record]:
        await asyncio.sleep(0)
        return self.inner.get(ids)

    async def find(self, query: Query) -> Page:
        return self.inner.find(query)

    async def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        return self.inner.count(query, of, group)

    async def history(self, ids: Sequence[str]) -> list[Entry]:
        return self.inner.history(ids)

    async def by_key(self, actor_id: str, key: str) -> Entry | None:
        return self.inner.by_key(actor_id, key)

    async def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        return self.inner.feed(after, limit)

    async def sealed(self, after: tuple[str, int] | None = None, limit: int = 1000) -> list[Sealed]:
        return self.inner.sealed(after, limit)

    async def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        self.inner.restore(sealed, records, more=more)

    async def close(self) -> None:
        self.inner.close()


class HastyStore(SleepingStore):
    """The same without its lock: while one commit pauses, another compares."""

    async def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        await self.write(changes)


class TestAnAsynchronousStore(StoreTests):
    @pytest.fixture
    def new_store(self) -> Callable[[], AsyncStore]:
        return SleepingStore


class TestAStoreThatIsOpenedInItsLoop(StoreTests):
    @pytest.fixture
    def new_store(self) -> Callable[[], Awaitable[AsyncStore]]:
        async def opened() -> AsyncStore:
            await asyncio.sleep(0)
            return SleepingStore()

        return opened


def test_a_race_inside_the_loop_is_found() -> None:
    """An asynchronous store that lets others in between comparing and setting is caught by the races."""
    races = ("test_one_version_is_replaced_once", "test_one_id_is_created_once", "test_one_key_is_used_once")
    assert [one.outcome for one in session(SleepingStore, *races)] == ["passed"] * 3
    assert [one.outcome for one in session(HastyStore, *races)] == ["failed"] * 3


def test_an_awaited_store_is_a_store() -> None:
    """It has the calls of the contract and gives values and errors as they are; all calls run in one loop's thread."""
    inner = SleepingStore()
    store = awaited(inner)
    assert isinstance(store, Store)
    assert store.capabilities is inner.capabilities
    first = created(report("r1"), key="k")
    store.commit([first])
    store.commit([acted(first.record, "return")])
    assert store.get(["r1"])[0].version == store.count(Query(), "entries")[()] == 2
    assert store.by_key("clerk", "k") == first.entries[0] == store.history(["r1"])[0] == store.feed()[0].entry
    assert [record.id for record in store.find(Query())] == ["r1"]
    with pytest.raises(Conflict):
        store.commit([acted(first.record, "return")])
    store.close()
    assert len(inner.threads) == 1
    assert threading.get_ident() not in inner.threads


def test_closing_ends_the_loop() -> None:
    """Closed, it leaves no thread behind; closed twice it is fine, and asked then it says that it is closed."""
    before = threading.active_count()
    store = awaited(SleepingStore())
    assert threading.active_count() == before + 1
    store.close()
    store.close()
    assert threading.active_count() == before
    with pytest.raises(StorageUnavailable):
        store.get([])


def test_what_cannot_be_opened_raises_its_error() -> None:
    """Where opening in the loop fails, the error comes out, and no thread is left."""

    async def broken() -> AsyncStore:
        raise OSError("no space left")

    before = threading.active_count()
    with pytest.raises(OSError, match="no space left"):
        awaited(broken())
    assert threading.active_count() == before
