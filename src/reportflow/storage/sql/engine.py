"""A database URL to an engine that keeps the contract: what differs from engine to engine is a row of a table.

Each of the library's connections is in the driver's autocommit mode: a read is one statement, and a transaction that
writes begins where the store says so.
"""

from __future__ import annotations

import os
import re
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
from sqlalchemy import URL, Connection, Engine, PoolProxiedConnection, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool

from reportflow.errors import InvalidURL, MissingExtra
from reportflow.model.checks import text_problem

#: How long a writer waits for another one in SQLite, and a caller for a server or a free connection, in seconds.
BUSY_TIMEOUT: Final = 5.0
#: How many connections there are at the most; a server lets in a hundred. Each is opened when it is first needed and
#: then kept: with more callers than that, opening a connection for each of their calls would cost more than the calls.
CONNECTIONS: Final = 24
#: A connection comes back without a transaction, or not at all: nothing is to be rolled back once more.
_AUTOCOMMIT: Final[Mapping[str, Any]] = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
_SYNCHRONOUS: Final = ("OFF", "NORMAL", "FULL", "EXTRA")


@attrs.frozen(kw_only=True)
class Backend:
    """What differs from engine to engine.

    Attributes:
        begin: Begins a transaction that writes. SQLite takes its one write lock at once, for it cannot be had later.
        finds: The function that gives the place of a text in another one.
        numbers: Whether an entry gets its position where it is written: only where writers go one at a time.
        one_statement: Whether a record and its entry may be written by one statement.
        limits: Whether a column holds no more characters than its type says.
        lock: Takes a lock by which one process at a time makes the tables, where making them is no transaction.
        unlock: Gives it back.
    """

    begin: str
    finds: str
    numbers: bool = False
    one_statement: bool = False
    limits: bool = True
    lock: str | None = None
    unlock: str | None = None


BACKENDS: Final[Mapping[str, Backend]] = {
    "sqlite": Backend(begin="BEGIN IMMEDIATE", finds="instr", numbers=True, limits=False),
    "postgresql": Backend(
        begin="BEGIN",
        finds="strpos",
        one_statement=True,
        lock="SELECT pg_advisory_lock(7270446)",
        unlock="SELECT pg_advisory_unlock(7270446)",
    ),
    "mysql": Backend(
        begin="START TRANSACTION",
        finds="instr",
        lock="SELECT GET_LOCK('reportflow', 30)",
        unlock="SELECT RELEASE_LOCK('reportflow')",
    ),
}
#: SQLAlchemy's names for one and the same engine.
_ALIASES: Final[Mapping[str, str]] = {"mariadb": "mysql"}
#: The drivers that the contract was proven on, by the name of their engine.
DRIVERS: Final = frozenset(
    {
        ("sqlite", "pysqlite"), ("sqlite", "aiosqlite"), ("postgresql", "psycopg"), ("mysql", "pymysql"),
        ("mysql", "asyncmy"),
    }
)  # fmt: skip

#: The engines that this process has made, but for databases in memory.
_MADE: Final[weakref.WeakSet[Engine]] = weakref.WeakSet()
#: In a forked child: the parent's connections. SQLite forbids to use or to close them here; a server would hear both.
_INHERITED: Final[list[object]] = []


def _after_fork() -> None:
    for engine in _MADE:
        _INHERITED.append(engine.pool)
        engine.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def backend_of(engine: Engine) -> Backend:
    """The row of an engine.

    Raises:
        InvalidURL: there is none for it.
    """
    found = BACKENDS.get(engine_name(engine.url))
    if found is None:
        raise InvalidURL(engine.url.render_as_string(), "engine")
    return found


def engine_name(url: URL) -> str:
    """What `BACKENDS` calls the engine of a URL, whether it is there or not."""
    name = url.get_backend_name()
    return _ALIASES.get(name, name)


def hidden(url: str) -> str:
    """A text that should be a URL and is none, without what may be a password in it."""
    return re.sub("(://[^:/@]*:)[^@]*@", r"\1***@", url)


def in_memory(url: URL) -> bool:
    """Whether a URL names an SQLite database that lives in one connection, and no file."""
    named = url.database or ":memory:"
    return engine_name(url) == "sqlite" and (":memory:" in named or url.query.get("mode") == "memory")


def missing(url: URL) -> bool:
    """Whether a URL names an SQLite file that is not there: connecting would make it."""
    on_disk = engine_name(url) == "sqlite" and not in_memory(url)
    return on_disk and not os.path.exists(str(url.database).removeprefix("file:"))


def make_engine(url: str | URL) -> Engine:
    """The engine of a database URL, set up as the contract needs it.

    ``?synchronous=FULL`` (or OFF, NORMAL, EXTRA) sets how SQLite waits for the disk; NORMAL unless given: the death of
    the process loses nothing, a power cut may lose the last commits.

    Raises:
        InvalidURL: mistyped, without its driver's name, or of an engine that is not supported.
        MissingExtra: the driver is not installed.
    """
    return _made(url, awaited=False)


def make_async_engine(url: str | URL) -> Any:
    """As `make_engine`, an `AsyncEngine`.

    Raises:
        InvalidURL, MissingExtra: see `make_engine`.
    """
    try:
        from sqlalchemy.ext.asyncio import AsyncEngine
    except ImportError as error:
        raise MissingExtra("greenlet", "reportflow[async]") from error
    return AsyncEngine(_made(url, awaited=True))


def _made(url: str | URL, *, awaited: bool) -> Engine:
    parsed = _parse(url, awaited)
    engine = _MAKERS[engine_name(parsed)](parsed, awaited)
    if not in_memory(parsed):
        _MADE.add(engine)
    return engine


def _parse(url: str | URL, awaited: bool) -> URL:
    if text_problem(str(url)):
        raise InvalidURL(ascii(str(url))[1:-1])
    try:
        parsed = make_url(url)
        named = "+" in parsed.drivername or parsed.drivername == "sqlite"
        if awaited:
            parsed = _awaited(parsed)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise InvalidURL(hidden(str(url))) from error
    if not named:
        raise InvalidURL(parsed.render_as_string(), "driver")
    dialect = parsed.get_dialect()
    if (engine_name(parsed), dialect.driver) not in DRIVERS:
        raise InvalidURL(parsed.render_as_string(), "engine")
    try:
        dialect.import_dbapi()
    except ImportError as error:
        raise MissingExtra(parsed.get_driver_name(), error.name or parsed.get_driver_name()) from error
    if dialect.is_async is not awaited:
        raise InvalidURL(parsed.render_as_string(), "not_awaited" if awaited else "awaited")
    return parsed


def _awaited(url: URL) -> URL:
    """One name for both kinds of psycopg; SQLite's own driver stands for the one that is awaited."""
    instead = {"sqlite": "sqlite+aiosqlite", "postgresql+psycopg": "postgresql+psycopg_async"}
    return url.set(drivername=instead.get(url.drivername, url.drivername))


def _sqlite(url: URL, awaited: bool) -> Engine:
    if url.database == "" or url.host:
        raise InvalidURL(url.render_as_string())  # SQLAlchemy would keep the records in memory, and lose them
    if "uri" not in url.query and set(url.query) - {"synchronous"}:
        raise InvalidURL(url.render_as_string(), "option")
    synchronous = str(url.query.get("synchronous", "NORMAL")).upper()
    if synchronous not in _SYNCHRONOUS:
        raise InvalidURL(url.render_as_string(), "synchronous")
    # One connection is one database in memory; a file takes as many as there are threads.
    one = in_memory(url)
    pool: dict[str, Any] = (
        {"pool_size": 1, "max_overflow": 0} if one else {"pool_size": CONNECTIONS, "max_overflow": -1}
    )
    connect: dict[str, Any] = {"timeout": BUSY_TIMEOUT, "check_same_thread": False}
    if awaited:
        del connect["check_same_thread"]
    engine = create_engine(
        url.difference_update_query(["synchronous"]),
        poolclass=AsyncAdaptedQueuePool if awaited else QueuePool if one else KeptConnectionPool,
        connect_args=connect,
        **_AUTOCOMMIT,
        **pool,
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA synchronous = {synchronous}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    return engine


class KeptConnectionPool(QueuePool):
    """A pool with idle connections at hand: to hand one over and take it back as usual costs as much as an UPDATE.

    Only while fewer were made than it keeps: who waits for a connection would not see those at hand.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._at_hand: deque[PoolProxiedConnection] = deque()

    def connect(self) -> PoolProxiedConnection:
        """One at hand, or one as usual."""
        try:
            return self._at_hand.pop()
        except IndexError:
            return super().connect()

    def give_back(self, connection: PoolProxiedConnection) -> None:
        """Take back a sound connection."""
        if self.overflow() < 0 and not _is_outdated(connection.info):
            self._at_hand.append(connection)
        else:
            connection.close()

    def put_away(self) -> None:
        """Have nothing at hand."""
        while self._at_hand:
            self._at_hand.pop().close()

    def dispose(self) -> None:
        """Close what is open."""
        self.put_away()
        super().dispose()


def give_back(engine: Engine, connection: PoolProxiedConnection) -> None:
    """Give a sound connection back to the pool of its engine."""
    if isinstance(engine.pool, KeptConnectionPool):
        engine.pool.give_back(connection)
    else:
        connection.close()


def _postgresql(url: URL, awaited: bool) -> Engine:
    connect = {"connect_timeout": int(BUSY_TIMEOUT), "client_encoding": "utf8"}
    return _healing(create_engine(url, connect_args=connect, **_AUTOCOMMIT, **_pool(awaited)))


def _pool(awaited: bool) -> Mapping[str, Any]:
    """How many connections to a server there are, and who keeps them."""
    kept = AsyncAdaptedQueuePool if awaited else KeptConnectionPool
    return {"poolclass": kept, "pool_size": CONNECTIONS, "max_overflow": 0, "pool_timeout": BUSY_TIMEOUT}


class _Losses:
    """How often a connection to a server was found lost."""

    count = 0


#: The engines of servers.
_LOSSES: Final[weakref.WeakKeyDictionary[Engine, _Losses]] = weakref.WeakKeyDictionary()


def lost(engine: Engine) -> None:
    """One connection was lost, so the others most likely are too: none made before now is used again."""
    if engine in _LOSSES:
        _LOSSES[engine].count += 1
        if isinstance(engine.pool, KeptConnectionPool):
            engine.pool.put_away()


def _is_outdated(info: Mapping[Any, Any]) -> bool:
    """Whether another connection was lost since this one was made; files lose none."""
    losses, seen = info.get(_Losses, (None, 0))
    return losses is not None and losses.count != seen


def _healing(engine: Engine) -> Engine:
    losses = _LOSSES[engine] = _Losses()

    @event.listens_for(engine, "connect")
    def made(_: object, record: Any) -> None:
        record.info[_Losses] = losses, losses.count

    @event.listens_for(engine, "checkout")
    def taken(_: object, record: Any, __: object) -> None:
        if _is_outdated(record.info):
            raise DisconnectionError  # the pool makes another one

    return engine


def _mysql(url: URL, awaited: bool) -> Engine:
    connect = {"connect_timeout": int(BUSY_TIMEOUT), "charset": "utf8mb4"}
    engine = create_engine(url, connect_args=connect, **_AUTOCOMMIT, **_pool(awaited))

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        # what does not fit is refused, not cut; a waiting writer sees what was committed meanwhile
        cursor.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'")
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {int(BUSY_TIMEOUT)}")
        cursor.close()

    return _healing(engine)


_MAKERS: Final[Mapping[str, Callable[[URL, bool], Engine]]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "mysql": _mysql,
}


def use_wal(connection: Connection) -> None:
    """Switch an SQLite file to write-ahead logging, which lasts; one that may not be written stays as it is."""
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    if mode not in ("wal", "memory"):
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
