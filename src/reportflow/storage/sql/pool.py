"""The engines that the library makes, and their connections: kept open, shared by threads, replaced when lost.

Each connection is in the driver's autocommit mode: a read is one statement, and a transaction that writes begins where
the store says so. To check a connection out of SQLAlchemy's pool and in again costs as much as an UPDATE; so idle ones
are kept in a free list in front of it.
"""

from __future__ import annotations

import os
import socket
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import URL, Connection, Engine, PoolProxiedConnection, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool

from reportflow.errors import InvalidURL, InvalidValue, MissingExtra, StorageClosed
from reportflow.model.checks import type_problem
from reportflow.storage.sql import timeouts
from reportflow.storage.sql.dialects import (
    BACKENDS,
    BUSY_TIMEOUT,
    engine_name,
    in_memory,
    parse_url,
    safe_url,
    synchronous_mode,
)
from reportflow.storage.sql.engines import HostEngine

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

#: How many connections there are at the most; a server lets in a hundred. Each is opened when it is first needed and
#: then kept: with more callers than that, opening a connection for each of their calls would cost more than the calls.
CONNECTIONS: Final = 24
#: A connection comes back without a transaction, or not at all: nothing is to be rolled back once more.
_AUTOCOMMIT: Final[Mapping[str, Any]] = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
#: Where a connection notes of which generation it is.
_GENERATION: Final = "reportflow_generation"


def make_engine(url: str | URL) -> Engine:
    """The engine of a database URL, set up as the contract needs it.

    ``?synchronous=FULL`` (or OFF, NORMAL, EXTRA) sets how SQLite waits for the disk; NORMAL unless given: the death of
    the process loses nothing, a power cut may lose the last commits.

    Raises:
        InvalidURL: mistyped, without its driver's name, or of an engine that is not supported.
        MissingExtra: the driver is not installed.
    """
    return _make(parse_url(url, asynchronous=False), QueuePool)


def make_async_engine(database: str | URL | AsyncEngine) -> AsyncEngine:
    """As `make_engine`, an `AsyncEngine`; for one of the host's, what works on its pool.

    Raises:
        InvalidURL, MissingExtra: see `make_engine`.
        InvalidValue: neither a URL nor an `AsyncEngine`.
    """
    try:
        from sqlalchemy.ext.asyncio import AsyncEngine
    except ImportError as error:
        raise MissingExtra("greenlet", "reportflow[async]") from error
    if isinstance(database, str | URL):
        return AsyncEngine(_make(parse_url(database, asynchronous=True), AsyncAdaptedQueuePool))
    if not isinstance(database, AsyncEngine):
        raise InvalidValue("database", *type_problem("str | URL | sqlalchemy AsyncEngine", database))
    return AsyncEngine(HostEngine(database.sync_engine))


def _make(url: URL, poolclass: type[QueuePool]) -> Engine:
    backend, memory = BACKENDS[engine_name(url)], in_memory(url)
    options: dict[str, Any] = {"pool_size": CONNECTIONS, "max_overflow": 0, "pool_timeout": BUSY_TIMEOUT}
    connect, session, silence = dict(backend.connect), backend.session, BUSY_TIMEOUT
    asynchronous, driver = poolclass is AsyncAdaptedQueuePool, url.get_dialect().driver
    if engine_name(url) == "sqlite":
        session = (f"PRAGMA synchronous = {synchronous_mode(url)}", *session)
        url = url.difference_update_query(["synchronous"])
        if memory:  # one connection is one database
            options = {"pool_size": 1, "max_overflow": 0}
        if poolclass is QueuePool:
            connect["check_same_thread"] = False
    else:
        silence = timeouts.read_timeout(url)
        url = url.difference_update_query([timeouts.OPTION])
        connect |= timeouts.connect_options(driver, silence, asynchronous=asynchronous)
    if poolclass is QueuePool and not memory:
        poolclass = FreeListPool
    engine = create_engine(url, poolclass=poolclass, connect_args=connect, **options, **_AUTOCOMMIT)

    @event.listens_for(engine, "do_connect")
    def connect_to(dialect: Any, _: object, arguments: Any, options: Any) -> Any:
        try:
            return timeouts.connect(driver, dialect, silence, arguments, options)
        except (TypeError, UnicodeError):  # what it says may quote the option
            raise InvalidURL(safe_url(engine), "driver_option") from None

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        for statement in session:
            cursor.execute(statement)
        cursor.close()

    return engine


class FreeListPool(QueuePool):
    """A pool with a free list of kept connections, which are given without a checkout.

    Only while fewer connections were made than it has room for: a caller that waits for one would not see those kept.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._kept: deque[PoolProxiedConnection] = deque()

    def connect(self) -> PoolProxiedConnection:
        """A kept connection, or one by a checkout."""
        try:
            return self._kept.pop()
        except IndexError:
            return super().connect()

    def keep(self, connection: PoolProxiedConnection) -> None:
        """Return a sound connection."""
        if self.overflow() < 0:
            self._kept.append(connection)
        else:
            connection.close()

    def drop_kept(self) -> None:
        """Empty the free list: its connections go back by a check-in."""
        while self._kept:
            self._kept.pop().close()

    def dispose(self) -> None:
        """Close what is open."""
        self.drop_kept()
        super().dispose()


def _discard(driver: str, connections: Iterable[Any]) -> None:
    for adapted in connections:
        connection = adapted.driver_connection
        with suppress(Exception):  # it may be lost, or closed
            if driver == "aiosqlite":
                connection.stop()
            elif driver == "psycopg":
                connection.pgconn.finish()
            else:
                connection._transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
                connection.close()


class ConnectionPool:
    """The connections of an engine that the library has made: a source of connections for `Checkout`.

    Where one connection to a server is lost, the others most likely are too: they are invalidated by generation. A
    connection notes the generation in which it was made, each loss begins the next one, and one of an earlier
    generation is not used again.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._generation = 0
        self._closed = False
        #: The connections of an asynchronous driver: where there is no event loop any more, they are thrown away.
        self._open: set[Any] = set()
        if not in_memory(engine.url):  # such a database would be lost with its connection
            _POOLS.add(self)
        self._is_server = engine_name(engine.url) != "sqlite"  # a file loses no connection
        if self._is_server:
            event.listen(engine, "connect", self._note)
            event.listen(engine, "checkout", self._check)
        if engine.dialect.is_async:
            event.listen(engine, "connect", lambda connection, _: self._open.add(connection))
            event.listen(engine, "close", lambda connection, _: self._open.discard(connection))

    def take(self) -> PoolProxiedConnection:
        """A connection, as the driver knows it.

        Raises:
            StorageClosed: the pool is closed.
        """
        if self._closed:
            raise StorageClosed(safe_url(self.engine))
        return self.engine.raw_connection()

    def put_back(self, connection: PoolProxiedConnection) -> None:
        """Return a connection, which may be invalidated."""
        pool = self.engine.pool
        if self._closed and connection.is_valid:  # it was in use when the others were closed
            connection.detach()
            connection.close()
        elif isinstance(pool, FreeListPool) and connection.is_valid and not self._is_outdated(connection.info):
            pool.keep(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close what is idle; what is in use is closed when it is put back."""
        self._closed = True
        self.engine.dispose()

    def discard(self) -> None:
        """Close the connections of an asynchronous driver outside of its event loop, which may have ended."""
        self._closed = True
        some, self._open = self._open, set()
        with suppress(RuntimeError):  # a process that ends starts no thread any more
            # a thread of its own: aiosqlite would make an event loop for this one
            discarding = threading.Thread(target=_discard, args=(self.engine.dialect.driver, some))
            discarding.start()
            discarding.join()

    def invalidate_all(self) -> None:
        """Use no connection again that was made before now: one was found lost."""
        if self._is_server:
            self._generation += 1
            if isinstance(self.engine.pool, FreeListPool):
                self.engine.pool.drop_kept()

    def _is_outdated(self, info: Mapping[Any, Any]) -> bool:
        return self._generation > 0 and info.get(_GENERATION) != self._generation

    def _note(self, _: object, record: Any) -> None:
        record.info[_GENERATION] = self._generation

    def _check(self, _: object, record: Any, __: object) -> None:
        if self._is_outdated(record.info):
            raise DisconnectionError  # the pool makes another one


class HeldConnection:
    """One connection that is held for the call: by an asynchronous store, or from the engine of a host.

    Such a connection is put into autocommit mode where it is taken from its engine.
    """

    def __init__(self, connection: Connection, pool: ConnectionPool | None = None) -> None:
        self.engine: Engine = connection.engine
        self._connection = connection
        self._pool = pool

    def take(self) -> PoolProxiedConnection:
        """See `ConnectionPool.take`."""
        return self._connection.connection

    def put_back(self, connection: PoolProxiedConnection) -> None:
        """See `ConnectionPool.put_back`: it stays where it is held."""

    def invalidate_all(self) -> None:
        """See `ConnectionPool.invalidate_all`; the pool of a host sees to that itself."""
        if self._pool is not None:
            self._pool.invalidate_all()


#: The pools of this process, for a fork.
_POOLS: Final[weakref.WeakSet[ConnectionPool]] = weakref.WeakSet()
#: In a forked child: the parent's connections. SQLite forbids to use or to close them here, and a server would take
#: what is sent on them for the parent's.
_INHERITED: Final[list[object]] = []


def _after_fork() -> None:
    """In a forked child: leave the parent's connections alone, and begin with none."""
    for pool in _POOLS:
        _INHERITED.append(pool.engine.pool)
        pool.engine.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
