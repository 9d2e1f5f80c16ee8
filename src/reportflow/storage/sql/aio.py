"""The contract on an SQL database, awaited: each call runs the sync body of `SqlStore` on a connection held for it.

SQLAlchemy's `run_sync` lets sync code wait in the event loop wherever a driver does; so nothing here knows SQL. What is
here is whose a connection is, and what becomes of it when a call is cancelled.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import URL, MetaData

from reportflow.errors import InvalidValue, StorageBusy
from reportflow.model.checks import type_problem
from reportflow.model.entry import Entry
from reportflow.model.query import Page, Query
from reportflow.model.record import Record
from reportflow.storage.base import Change, FeedItem, Group, Of
from reportflow.storage.sql import schema as tables
from reportflow.storage.sql.engine import BUSY_TIMEOUT, in_memory, make_async_engine
from reportflow.storage.sql.meanings import Border
from reportflow.storage.sql.store import SqlStore
from reportflow.storage.sql.tables import PREFIX, make_tables

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_scoped_session

T = TypeVar("T")

#: How long a call that is cancelled may still take to come to its end, in seconds; then it is broken off.
GRACE: Final = BUSY_TIMEOUT


class AsyncSqlStore:
    """`SqlStore`, awaited: over aiosqlite, psycopg or asyncmy.

    The tables are looked for, and made, at the first call, or by `open`. A store belongs to one event loop.

    A call that is cancelled comes to its end before the cancellation goes on, so that what it wrote is whole and its
    connection is back. Where that takes longer than `GRACE`, as on a server that does not answer, it is broken off and
    its connection thrown away; then what it wrote is whole or absent.

    Args:
        database: A database URL, or an `AsyncEngine` of the host, which then stays the host's to dispose of.
        create: Whether to make the tables where there are none.
        prefix: What the tables' names begin with.
        schema: The database schema that they are in.
        metadata: The `MetaData` to put them into; one of its own unless given.

    Attributes:
        capabilities: What it can do beyond the contract.

    Raises:
        InvalidURL: the URL is mistyped, its engine is not supported, or its driver blocks.
        MissingExtra: the URL's driver, or greenlet, is not installed.
        InvalidValue: neither a URL nor an `AsyncEngine`.
    """

    def __init__(
        self,
        database: str | URL | AsyncEngine,
        *,
        create: bool = True,
        prefix: str = PREFIX,
        schema: str | None = None,
        metadata: MetaData | None = None,
    ) -> None:
        self._owned = isinstance(database, str | URL)
        self._engine = _engine(database)
        self._store = SqlStore.unopened(self._engine.sync_engine, make_tables(metadata, prefix=prefix, schema=schema))
        self._create = create
        self._opening = asyncio.Lock()
        self._there = False
        self.capabilities = self._store.capabilities
        # a database in memory lives in its one connection, which must never be thrown away
        self._grace = None if in_memory(self._engine.url) else GRACE

    @property
    def engine(self) -> AsyncEngine:
        """The engine that it works on, in autocommit mode."""
        return self._engine

    async def open(self) -> None:
        """See that the tables are there, and make them where there are none. Opening twice is fine.

        Raises:
            StorageUnavailable: the database cannot be opened, or has no tables and `create` is False.
            SchemaMismatch: the tables are of another version.
        """
        if self._there:
            return
        async with self._opening:
            try:
                await _to_its_end(self._opened(), self._grace)
            except BaseException:
                if not self._there:
                    await self.close()
                raise

    async def _opened(self) -> None:
        """Look for the tables, again while another process makes them."""
        tables.look_for(self._engine.sync_engine, create=self._create)
        deadline = time.monotonic() + BUSY_TIMEOUT
        while not self._there:
            try:
                await self._held(lambda store: store._open(self._create))
                self._there = True
            except StorageBusy:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.01)

    def bound_to(self, host: AsyncConnection | AsyncSession | async_scoped_session[Any]) -> BoundAsyncSqlStore:
        """A store that writes inside a transaction of the host's, and never begins, commits or rolls back there.

        Args:
            host: An `AsyncConnection` or an `AsyncSession` of SQLAlchemy on the same database.

        Raises:
            InvalidValue: it is neither.
        """
        if not hasattr(host, "run_sync"):
            raise InvalidValue("connection", *type_problem("sqlalchemy AsyncConnection | AsyncSession", host))
        return BoundAsyncSqlStore(self, host)

    async def close(self) -> None:
        """See `Store.close`."""
        if self._owned:
            self._there = False
            await _to_its_end(self._engine.dispose(), self._grace)

    async def _run(self, call: Callable[[SqlStore], T]) -> T:
        await self.open()
        return await _to_its_end(self._held(call), self._grace)

    async def _held(self, call: Callable[[SqlStore], T]) -> T:
        """Run a call of the store on a connection that is held for it."""
        with Border(self._engine.sync_engine):
            async with self._engine.connect() as connection:
                try:
                    return await connection.run_sync(lambda held: call(self._store.on(held)))
                except asyncio.CancelledError:
                    await connection.invalidate()  # nobody knows in which state it is
                    raise

    # -- the calls of the contract ------------------------------------------------------------------------------

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


class BoundAsyncSqlStore(AsyncSqlStore):
    """The store inside a transaction of the host's: what it wrote is kept if the host commits, and only then.

    Nothing is begun, committed, rolled back or decided again here. A call that raises leaves the transaction usable,
    and nothing of itself in it; one that is cancelled loses the transaction, as SQLAlchemy has it.
    """

    def __init__(self, unbound: AsyncSqlStore, host: Any) -> None:
        vars(self).update(vars(unbound), _owned=False)
        self._unbound = unbound
        self._host = host

    async def open(self) -> None:
        """See `AsyncSqlStore.open`: on a connection of its own, since making tables is nothing for the host's."""
        await self._unbound.open()

    async def _run(self, call: Callable[[SqlStore], T]) -> T:
        await self.open()
        found: T = await self._host.run_sync(lambda held: call(self._store.bound_to(held)))
        return found

    async def close(self) -> None:
        """Nothing: the connection is the host's."""


def _engine(database: str | URL | AsyncEngine) -> AsyncEngine:
    if isinstance(database, str | URL):
        made: AsyncEngine = make_async_engine(database)
        return made
    if not hasattr(database, "sync_engine"):
        raise InvalidValue("database", *type_problem("str | URL | sqlalchemy AsyncEngine", database))
    return database.execution_options(isolation_level="AUTOCOMMIT")


async def _to_its_end(call: Coroutine[Any, Any, T], grace: float | None) -> T:
    """Await a call that a cancellation does not stop in the middle: it goes on to its end first, within the grace."""
    work = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        if not await _ended(work, grace):
            work.cancel()
            await _ended(work, None)
        if not work.cancelled():
            work.exception()  # heard, so that nobody complains that it was not
        raise


async def _ended(work: asyncio.Future[Any], seconds: float | None) -> bool:
    """Wait until it ended, or for so long; who is cancelled may be so again meanwhile, as anyio does all the time."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while not work.done():
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return False
        try:
            await asyncio.wait([work], timeout=left)
        except asyncio.CancelledError:
            continue
    return True
