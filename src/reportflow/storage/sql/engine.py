"""A database URL to an engine that keeps the contract, and what the errors of its driver mean: one table."""

from __future__ import annotations

import os
import re
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from reportflow.errors import InvalidURL, MissingExtra, StorageBusy, StorageError, StorageUnavailable
from reportflow.model.checks import text_problem

#: How long a writer waits for another one in SQLite, in seconds.
BUSY_TIMEOUT: Final = 5.0
_SYNCHRONOUS: Final = ("OFF", "NORMAL", "FULL", "EXTRA")
#: An execution option: this transaction writes, so it takes the write lock when it begins.
WRITES: Final = "reportflow_writes"

#: What SQLite says (the beginning of its error's name) -> the error and the code of its advice.
_SQLITE_ERRORS: Final[Mapping[str, tuple[type[StorageUnavailable], str]]] = {
    "SQLITE_BUSY": (StorageBusy, "retry"),
    "SQLITE_LOCKED": (StorageBusy, "retry"),
    "SQLITE_PROTOCOL": (StorageBusy, "retry"),
    "SQLITE_READONLY": (StorageUnavailable, "read_only"),
    "SQLITE_PERM": (StorageUnavailable, "read_only"),
    "SQLITE_AUTH": (StorageUnavailable, "read_only"),
    "SQLITE_CANTOPEN": (StorageUnavailable, "folder"),
    "SQLITE_NOTADB": (StorageUnavailable, "not_a_database"),
    "SQLITE_CORRUPT": (StorageUnavailable, "not_a_database"),
    "SQLITE_FULL": (StorageUnavailable, "disk"),
    "SQLITE_IOERR": (StorageUnavailable, "disk"),
}


#: The engines of files that this process has open.
_FILES: Final[weakref.WeakSet[Engine]] = weakref.WeakSet()
#: In a forked child: the parent's connections, which SQLite forbids to use or to close here.
_INHERITED: Final[list[object]] = []


def _after_fork() -> None:
    for engine in _FILES:
        _INHERITED.append(engine.pool)
        engine.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def in_memory(url: URL) -> bool:
    """Whether a SQLite URL names a database that lives in one connection, and no file."""
    named = url.database or ":memory:"
    return ":memory:" in named or url.query.get("mode") == "memory"


def missing(url: URL) -> bool:
    """Whether a SQLite URL names a file that is not there: connecting would make it."""
    return not in_memory(url) and not os.path.exists(str(url.database).removeprefix("file:"))


def make_engine(url: str | URL) -> Engine:
    """The engine of a database URL, set up as the contract needs it.

    ``?synchronous=FULL`` (or OFF, NORMAL, EXTRA) sets how SQLite waits for the disk; NORMAL unless given: the death of
    the process loses nothing, a power cut may lose the last commits.

    Raises:
        InvalidURL: mistyped, without its driver's name, or of an engine that is not supported.
        MissingExtra: the driver is not installed.
    """
    parsed = _parse(url)
    if (parsed.get_backend_name(), parsed.get_driver_name()) != ("sqlite", "pysqlite"):
        raise InvalidURL(parsed.render_as_string(), "engine")
    if parsed.database == "" or parsed.host:
        raise InvalidURL(parsed.render_as_string())  # SQLAlchemy would keep the records in memory, and lose them
    if "uri" not in parsed.query and set(parsed.query) - {"synchronous"}:
        raise InvalidURL(parsed.render_as_string(), "option")
    synchronous = str(parsed.query.get("synchronous", "NORMAL")).upper()
    if synchronous not in _SYNCHRONOUS:
        raise InvalidURL(parsed.render_as_string(), "synchronous")
    return _sqlite_engine(parsed.difference_update_query(["synchronous"]), synchronous)


def _parse(url: str | URL) -> URL:
    if text_problem(str(url)):
        raise InvalidURL(ascii(str(url))[1:-1])
    try:
        parsed = make_url(url)
        named = "+" in parsed.drivername or parsed.drivername == "sqlite"
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise InvalidURL(re.sub("(://[^:/@]*:)[^@]*@", r"\1***@", str(url))) from error
    if not named:
        raise InvalidURL(parsed.render_as_string(), "driver")
    try:
        parsed.get_dialect().import_dbapi()
    except ImportError as error:
        raise MissingExtra(parsed.get_driver_name(), error.name or parsed.get_driver_name()) from error
    return parsed


def _sqlite_engine(url: URL, synchronous: str) -> Engine:
    # One connection is one database in memory; a file takes as many as there are threads.
    one = in_memory(url)
    pool: dict[str, Any] = {"pool_size": 1, "max_overflow": 0} if one else {"pool_size": 8, "max_overflow": -1}
    connect = {"timeout": BUSY_TIMEOUT, "check_same_thread": False}
    engine = create_engine(url, poolclass=_queue_pool(), connect_args=connect, **pool)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver must not begin by itself: BEGIN IMMEDIATE is ours to say
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    if not one:
        _FILES.add(engine)
    return engine


def _queue_pool() -> type[Any]:
    from sqlalchemy.pool import QueuePool

    return QueuePool


def use_wal(engine: Engine) -> None:
    """Switch a SQLite file to write-ahead logging, which lasts; one that may not be written stays as it is."""
    connection = engine.raw_connection()
    try:
        mode = connection.cursor().execute("PRAGMA journal_mode").fetchone()
        if mode and mode[0] not in ("wal", "memory"):
            connection.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


@contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Turn what the driver raises into the errors of this library, once, here at the border.

    Raises:
        StorageBusy: another writer holds the database; nothing was written.
        StorageUnavailable: the database cannot be opened, read or written.
        StorageError: anything else that the driver says.
    """
    try:
        yield
    except PoolTimeout as error:
        raise StorageUnavailable(_said(engine), str(error)) from error
    except DBAPIError as error:
        raise _meaning(engine, error.orig or error) from error
    except engine.dialect.loaded_dbapi.Error as error:
        raise _meaning(engine, error) from error


def _meaning(engine: Engine, error: BaseException) -> StorageError:
    said = str(getattr(error, "sqlite_errorname", ""))
    for beginning, (kind, advice) in _SQLITE_ERRORS.items():
        if said.startswith(beginning):
            return kind(_said(engine), str(error), advice)
    return StorageError(f"{type(error).__name__}: {error}")


def _said(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)
