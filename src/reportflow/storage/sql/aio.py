"""The contract on an SQL database, awaited: each call runs a call of `SqlContract` on a connection held for it.

SQLAlchemy's `run_sync` lets sync code wait in the event loop wherever a driver does; so nothing here knows SQL. What is
here is where a connection comes from, and what happens to it when a call is cancelled.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import URL, Connection, MetaData

from reportflow.errors import InvalidValue, StorageBusy, StorageClosed
from reportflow.model.checks import type_problem
from reportflow.model.query import Query
from reportflow.serialization.classes import NO_CLASSES, Classes
from reportflow.storage.awaited import AsyncCalls
from reportflow.storage.base import Capabilities, Change, Of, SharedCommit, Store
from reportflow.storage.refusing import check_changes
from reportflow.storage.sql.bound import bound_store, host_errors
from reportflow.storage.sql.contract import SqlContract
from reportflow.storage.sql.dialects import BUSY_TIMEOUT, in_memory, translate_driver_errors
from reportflow.storage.sql.engines import autocommitting, host_schema
from reportflow.storage.sql.executor import Checkout
from reportflow.storage.sql.pool import ConnectionPool, HeldConnection, make_async_engine
from reportflow.storage.sql.provision import OPENING_TIMEOUT, check_exists, create_or_verify
from reportflow.storage.sql.schema import PREFIX, Tables, make_tables
from reportflow.storage.sql.sharing import CommitQueue, Turn, nothing
from reportflow.storage.sql.statements import StatementCache
from reportflow.storage.sql.store import capabilities_of
from reportflow.storage.sql.visible import Visible, visible
from reportflow.storage.sql.writing import Write, plan

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_scoped_session

T = TypeVar("T")

#: How long a call that is cancelled may still take to come to its end, in seconds; then it is broken off.
GRACE: Final = BUSY_TIMEOUT


class AsyncSqlStore(AsyncCalls):
    """`SqlStore`, awaited: over aiosqlite, psycopg or asyncmy.

    The tables are verified, and made, at the first call, or by `open`. A store belongs to one event loop.

    A call that is cancelled comes to its end before the cancellation goes on, so that what it wrote is whole and its
    connection is back. Where that takes longer than `GRACE`, as on a server that does not answer, it is broken off and
    its connection thrown away; then what it wrote is whole or absent.

    Args:
        database: A database URL, or an `AsyncEngine` of the host, which then stays the host's to dispose of.
        classes, create, restoring, prefix, schema, metadata: See `SqlStore`.

    Attributes:
        capabilities: What it can do beyond the contract.
        classes: The classes by which it reads.
        engine: The engine that it works on; one of its own is in autocommit mode.

    Raises:
        InvalidURL: the URL is mistyped, its engine is not supported, or its driver blocks.
        MissingExtra: the URL's driver, or greenlet, is not installed.
        InvalidValue: neither a URL nor an `AsyncEngine`.
    """

    def __init__(
        self,
        database: str | URL | AsyncEngine,
        classes: Classes = NO_CLASSES,
        *,
        create: bool = True,
        restoring: bool = False,
        prefix: str = PREFIX,
        schema: str | None = None,
        metadata: MetaData | None = None,
    ) -> None:
        self._engine = make_async_engine(database)
        self.engine: AsyncEngine = self._engine if isinstance(database, str | URL) else database
        self.classes: Classes = classes
        self._sync_engine = self._engine.sync_engine
        self._pool = ConnectionPool(self._sync_engine) if isinstance(database, str | URL) else None
        #: Throws the connections that are its own away, where the store is dropped without a `close`.
        self._discard = None if self._pool is None else weakref.finalize(self, self._pool.discard)
        self._closed = False
        self.capabilities: Capabilities = capabilities_of(self._sync_engine, leases=False)
        tables = make_tables(metadata, prefix=prefix, schema=schema)
        if self._pool is None and host_schema(self.engine.sync_engine, schema) != schema:
            tables = make_tables(None, prefix=prefix, schema=host_schema(self.engine.sync_engine, schema))
        self._statements = StatementCache(tables, self._sync_engine, schema)
        shares = self._pool is not None and self._statements.backend.shares_commits
        self._queue = CommitQueue(self._statements.url) if shares else None
        self._create = create
        self._restoring = restoring
        self._opening = asyncio.Lock()
        self._is_open = False
        # a database in memory lives in its one connection, which must never be thrown away
        self._grace = None if in_memory(self.engine.url) else GRACE

    @property
    def tables(self) -> Tables:
        """Its tables, as SQLAlchemy has them."""
        return self._statements.tables

    def add_classes(self, classes: Classes) -> None:
        """See `SupportsClasses.add_classes`."""
        self.classes = self.classes | classes

    def observe_commits(self, observe: Callable[[SharedCommit], object]) -> Callable[[], None]:
        """See `SupportsSharedCommits.observe_commits`."""
        return nothing if self._queue is None else self._queue.observe(observe)

    async def open(self) -> None:
        """Verify that the tables exist, and make them where there are none. Opening twice is fine.

        Raises:
            StorageUnavailable: the database cannot be opened, or has no tables and `create` is False.
            SchemaMismatch: the tables are of another version.
            StorageClosed: the store was closed.
        """
        if self._closed:
            raise StorageClosed(self._statements.url)
        if self._is_open:
            return
        async with self._opening:
            try:
                await _to_its_end(self._opened(), self._grace)
            except BaseException:
                if not self._is_open:
                    await self._dispose()
                raise

    async def _opened(self) -> None:
        """Open, again while another process makes the tables."""
        if not self._create:
            check_exists(self._sync_engine)
        provide = partial(
            create_or_verify, tables=self._statements.tables, create=self._create, restoring=self._restoring
        )
        deadline = time.monotonic() + OPENING_TIMEOUT
        while not self._is_open:
            try:
                await self._on_connection(provide)
                self._is_open = True
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
        from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_scoped_session

        if not isinstance(host, AsyncConnection | AsyncSession | async_scoped_session):
            raise InvalidValue("connection", *type_problem("sqlalchemy AsyncConnection | AsyncSession", host))
        # of a scoped one, the session of the task that calls
        return BoundAsyncSqlStore(
            self, self._statements, host if isinstance(host, async_scoped_session) else lambda: host
        )

    def visible(self, query: Query, of: Of, on: Any) -> Visible:
        """See `SupportsVisible.visible`; not awaited, since nothing is read."""
        return visible(self._statements, query, of, on)

    async def close(self) -> None:
        """See `Store.close`. A host's engine stays open."""
        if not self._closed:
            self._closed = True
            await self._dispose()

    async def _dispose(self) -> None:
        self._is_open = False
        if self._pool is not None:
            await _to_its_end(self.engine.dispose(), self._grace)

    async def commit(self, changes: Sequence[Change]) -> None:
        """See `Store.commit`."""
        queue = self._queue
        if queue is None:
            await super().commit(changes)
            return
        check_changes(changes)
        if not changes:
            return
        await self.open()
        turn = TaskTurn(changes, plan(self._statements, changes))
        try:
            leads = queue.join(turn) or await turn.wait(queue, self._grace)
            while leads and not turn.done:
                await self._on_contract(lambda contract: contract.commit_all(queue))
        finally:
            queue.leave(turn)
        turn.raise_error()

    async def _run(self, call: Callable[[Store], T]) -> T:
        return await self._on_contract(call)

    async def _on_contract(self, call: Callable[[SqlContract], T]) -> T:
        await self.open()

        def run(connection: Connection) -> T:
            checkout = partial(Checkout, HeldConnection(connection, self._pool))
            return call(SqlContract(self._statements, checkout, self.capabilities, self.classes))

        return await _to_its_end(self._on_connection(run), self._grace)

    async def _on_connection(self, run: Callable[[Connection], T]) -> T:
        """Run sync code on a connection that is held for it, in autocommit mode."""

        def autocommitted(connection: Connection) -> T:
            with autocommitting(connection):
                return run(connection)

        with translate_driver_errors(self._sync_engine):
            async with self._engine.connect() as connection:
                try:
                    return await connection.run_sync(autocommitted)
                except asyncio.CancelledError:
                    await connection.invalidate()  # it may hold half of a transaction
                    raise
                finally:
                    if self._closed and self._pool is not None and not connection.invalidated:
                        await connection.invalidate()  # the others are closed


class BoundAsyncSqlStore(AsyncCalls):
    """`BoundSqlStore`, awaited. A call that is cancelled loses the transaction, as SQLAlchemy has it."""

    def __init__(self, unbound: AsyncSqlStore, statements: StatementCache, host: Callable[[], Any]) -> None:
        self.capabilities: Capabilities = unbound.capabilities.bound()
        self._unbound = unbound
        self._statements = statements
        self._host = host
        self._closed = False

    async def open(self) -> None:
        """See `AsyncSqlStore.open`: on a connection of its own, since the host's is not for making tables."""
        await self._unbound.open()

    async def _run(self, call: Callable[[Store], T]) -> T:
        if self._closed:
            raise StorageClosed(self._statements.url)
        await self.open()

        def run(host: Any) -> T:
            return call(bound_store(self._statements, host, self.capabilities, self._unbound.classes))

        with host_errors(self._statements):
            found: T = await self._host().run_sync(run)
        return found

    def visible(self, query: Query, of: Of, on: Any) -> Visible:
        """See `SupportsVisible.visible`; not awaited, since nothing is read."""
        return visible(self._statements, query, of, on)

    async def close(self) -> None:
        """See `Store.close`: the connection is the host's, and stays open."""
        self._closed = True


class TaskTurn(Turn):
    """The call of a task."""

    __slots__ = ("_woken",)

    def __init__(self, changes: Sequence[Change], writes: Sequence[Write]) -> None:
        super().__init__(changes, writes)
        self._woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wake(self) -> None:
        """See `Turn.wake`."""
        if not self._woken.done():
            self._woken.set_result(None)

    def is_stranded(self) -> bool:
        """See `Turn.is_stranded`: its event loop has ended."""
        return self._woken.get_loop().is_closed()

    async def wait(self, queue: CommitQueue, grace: float | None) -> bool:
        """Wait until it is done, or is to lead: whether it is to. Who is cancelled learns first what became of it.

        Raises:
            StorageBusy: it was not taken into a commit for as long as a writer waits for the database.
        """
        try:
            while not (await asyncio.wait([self._woken], timeout=BUSY_TIMEOUT))[0]:
                if queue.is_due(self):
                    break
        except asyncio.CancelledError:
            if not queue.withdraw(self):
                await _ended(self._woken, grace)
            raise
        return not self.done


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
            work.exception()  # retrieved, or asyncio would log that it never was
        raise


async def _ended(work: asyncio.Future[Any], seconds: float | None) -> bool:
    """Wait until it ended, or for so long; the caller may be cancelled again meanwhile, as anyio does all the time."""
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
