"""An asynchronous store as a `Store`: each call runs in an event loop in a thread of its own, and is waited for."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from reportflow.errors import StorageUnavailable
from reportflow.model.entry import Entry
from reportflow.model.query import Page, Query
from reportflow.model.record import Record
from reportflow.serialization.classes import Classes
from reportflow.serialization.digest import Sealed
from reportflow.storage.base import AsyncStore, Capabilities, Change, FeedItem, Group, Of, Store, SupportsClasses

T = TypeVar("T")


def awaited(given: AsyncStore | Awaitable[AsyncStore]) -> Store:
    """Drive an asynchronous store, or what gives one when awaited in its loop, from any threads: side by side."""
    return AwaitedStore(given)


class AwaitedStore:
    """See `awaited`; `store` is what it drives."""

    def __init__(self, given: AsyncStore | Awaitable[AsyncStore]) -> None:
        ready: Future[AsyncStore] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(given, ready)), daemon=True)
        self._thread.start()
        try:
            self.store: AsyncStore = ready.result()
        except BaseException:
            self._thread.join()
            raise

    async def _serve(self, given: AsyncStore | Awaitable[AsyncStore], ready: Future[AsyncStore]) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        try:
            ready.set_result(await given if inspect.isawaitable(given) else given)
        except BaseException as error:
            ready.set_exception(error)
            return
        await self._stopped.wait()

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if not self._thread.is_alive():
            coroutine.close()
            raise StorageUnavailable(type(self.store).__name__, "closed", "retry")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    @property
    def capabilities(self) -> Capabilities:
        """See `Store.capabilities`."""
        return self.store.capabilities

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store.commit`."""
        self._wait(self.store.commit(changes))

    def get(self, ids: Sequence[str]) -> list[Record]:
        """See `Store.get`."""
        return self._wait(self.store.get(ids))

    def find(self, query: Query) -> Page:
        """See `Store.find`."""
        return self._wait(self.store.find(query))

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        """See `Store.count`."""
        return self._wait(self.store.count(query, of, group))

    def history(self, ids: Sequence[str]) -> list[Entry]:
        """See `Store.history`."""
        return self._wait(self.store.history(ids))

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        """See `Store.by_key`."""
        return self._wait(self.store.by_key(actor_id, key))

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        """See `Store.feed`."""
        return self._wait(self.store.feed(after, limit))

    def add_classes(self, classes: Classes) -> None:
        """See `SupportsClasses.add_classes`: where the store takes them."""
        if isinstance(self.store, SupportsClasses):
            self.store.add_classes(classes)

    def sealed(self, after: tuple[str, int] | None = None, limit: int = 1000) -> list[Sealed]:
        """See `Store.sealed`."""
        return self._wait(self.store.sealed(after, limit))

    def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        """See `Store.restore`."""
        self._wait(self.store.restore(sealed, records, more=more))

    def cancelled(self, call: Callable[[AsyncStore], Coroutine[Any, Any, object]], steps: int, seconds: float) -> None:
        """Begin a call, cancel its task after some steps of the loop and some seconds, and wait for its end."""

        async def cancel() -> None:
            task = asyncio.ensure_future(call(self.store))
            for _ in range(steps):
                await asyncio.sleep(0)
            if seconds:
                await asyncio.sleep(seconds)
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

        self._wait(cancel())

    def close(self) -> None:
        """Close the store and end its loop. Closed once more, the store must find nothing left to do in any loop."""
        if not self._thread.is_alive():
            return asyncio.run(self.store.close())
        try:
            self._wait(self.store.close())
        finally:
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()
