"""Whether the tables exist, and of which version; and making them, by one process at a time."""

from __future__ import annotations

import hashlib
import os
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, Table, insert, inspect, select
from sqlalchemy.exc import NoSuchTableError

from reportflow.errors import SchemaMismatch, StorageBusy, StorageUnavailable
from reportflow.storage.sql import timeouts
from reportflow.storage.sql.dialects import backend_of, in_memory, safe_url, translate_driver_errors
from reportflow.storage.sql.engines import HostEngine, autocommitting
from reportflow.storage.sql.executor import Checkout, transaction
from reportflow.storage.sql.pool import HeldConnection, make_engine
from reportflow.storage.sql.schema import FIRST_ROWS, PREFIX, RESTORING, SCHEMA_VERSION, Tables

T = TypeVar("T")

#: How long a process that opens a database waits for another one that makes or upgrades its tables, in seconds.
OPENING_TIMEOUT: Final = 30.0
#: How long one statement that makes or changes a table may take, in seconds.
DDL_TIMEOUT: Final = 3600.0
#: An asynchronous driver -> the blocking one of the same engine.
_BLOCKING: Final[Mapping[str, str]] = {
    "sqlite+aiosqlite": "sqlite",
    "postgresql+psycopg_async": "postgresql+psycopg",
    "mysql+asyncmy": "mysql+pymysql",
}


def check_exists(engine: Engine) -> None:
    """Check, before anything connects, that there is a file to connect to: SQLite makes one that is missing.

    Raises:
        StorageUnavailable: there is no such file.
    """
    on_disk = engine.dialect.name == "sqlite" and not in_memory(engine.url)
    if on_disk and not os.path.exists(str(engine.url.database).removeprefix("file:")):
        raise StorageUnavailable(safe_url(engine), "no tables", "create")


def create_or_verify(connection: Connection, tables: Tables, *, create: bool, restoring: bool = False) -> None:
    """Verify that the tables exist and are of this version, and make them where there are none.

    What is not as it should be is looked at again under the lock by which tables are made: without it they may be seen
    half made, by a process that opens the same database at this moment.

    Args:
        connection: In autocommit mode.
        tables: The tables.
        create: Whether to make them.
        restoring: Whether those are taken too into which something is being restored.

    Raises:
        StorageUnavailable: there are none, and `create` is False; or something is being restored into them.
        StorageBusy: another process makes or upgrades them, and does not come to an end.
        SchemaMismatch: they are of another version.
    """
    backend = backend_of(connection.engine)
    # SQLite shows the tables when all of them are made, and may be a file that must not be written
    look, alone = (_is_current, create) if backend.lock is None else (_seems_current, True)
    if not look(connection, tables):
        if create and connection.dialect.name == "sqlite":
            use_wal(connection)
        with exclusive_ddl(connection, tables) if alone else nullcontext():
            if not _is_current(connection, tables):
                if not create:
                    raise StorageUnavailable(safe_url(connection.engine), "no tables", "create")
                make(connection, tables)
    meta = tables.meta.c
    if not restoring and connection.scalar(select(meta.name).where(meta.name == RESTORING)) is not None:
        raise StorageUnavailable(safe_url(connection.engine), "a copy into it is under way", "restoring")


def make(connection: Connection, tables: Tables) -> None:
    """Make the tables and indexes that are not there, and then the rows by which they are complete.

    Where making a table is no transaction, a process that was killed leaves some of them: these are completed.
    """
    tables.meta.metadata.create_all(connection, tables.all)
    for table in tables.all:
        for index in table.indexes:
            index.create(connection, checkfirst=True)
    meta = tables.meta
    if not connection.scalars(select(meta.c.name)).all():
        connection.execute(insert(meta), list(FIRST_ROWS))


def use_wal(connection: Connection) -> None:
    """Switch an SQLite file to write-ahead logging, which lasts; one that may not be written stays as it is."""
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    if mode not in ("wal", "memory"):
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def retry_while_busy(work: Callable[[], T]) -> T:
    """Retry while another process makes the tables, or holds the file: several may open a new one at the same moment.

    Raises:
        StorageBusy: it does so for longer than `OPENING_TIMEOUT`.
    """
    deadline = time.monotonic() + OPENING_TIMEOUT
    while True:
        try:
            return work()
        except StorageBusy:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


@contextmanager
def exclusive_ddl(connection: Connection, tables: Tables) -> Iterator[None]:
    """No other process makes or changes these tables meanwhile; it is one transaction, where the engine can do that.

    SQLite's one write lock serves for it; on a server it is a lock with the schema and the prefix in its name.

    Args:
        connection: In autocommit mode.
        tables: The tables.

    Raises:
        StorageBusy: another process has the lock, and keeps it.
    """
    engine = connection.engine
    backend, checkout = backend_of(engine), Checkout(HeldConnection(connection))
    if backend.lock is None:
        with checkout as executor, transaction(executor, backend.begin):
            yield
        return
    schema = tables.meta.schema or connection.dialect.default_schema_name
    name = hashlib.sha256(f"{schema}.{tables.meta.name}".encode()).hexdigest()[:32]
    take, release = backend.lock.format(name), backend.unlock.format(name)

    def lock() -> None:
        with translate_driver_errors(engine):
            if connection.exec_driver_sql(take).scalar() == 0:  # MariaDB gave up waiting
                raise StorageBusy(safe_url(engine), "another process makes the tables")

    retry_while_busy(lock)
    try:
        with (
            timeouts.silence_allowed(connection, DDL_TIMEOUT),
            checkout as executor,
            transaction(executor, backend.begin),
        ):
            yield
    finally:
        if not connection.invalidated:  # a lock does not outlive its connection
            connection.exec_driver_sql(release)


def version(connection: Connection, tables: Tables) -> str | None:
    """The version of the tables in the database; None where there are none, or they are not made to the end.

    Raises:
        SchemaMismatch: there are tables of these names that are not reportflow's.
    """
    there = standing(connection, tables)
    found = _noted(connection, tables) if tables.meta in there else None
    if found is None and not all(_is_ours(connection, table) for table in there):
        raise SchemaMismatch(safe_url(connection.engine), "unknown", SCHEMA_VERSION, "foreign")
    return found


def _noted(connection: Connection, tables: Tables) -> str | None:
    """The version that the table ``meta`` says, which is there; None where it says none, or has other columns."""
    columns = {column["name"] for column in inspect(connection).get_columns(tables.meta.name, tables.meta.schema)}
    if not columns >= {"name", "value"}:
        return None
    meta = tables.meta.c
    found = connection.scalar(select(meta.value).where(meta.name == "schema_version"))
    return found if isinstance(found, str) else None


def _is_ours(connection: Connection, table: Table) -> bool:
    """Whether a table that is there has the columns and the primary key of ours."""
    look = inspect(connection)
    columns = {column["name"] for column in look.get_columns(table.name, table.schema)}
    key = look.get_pk_constraint(table.name, table.schema)["constrained_columns"]
    return columns == set(table.c.keys()) and key == table.primary_key.columns.keys()


def _seems_current(connection: Connection, tables: Tables) -> bool:
    """Whether the tables are of this version and whole, as far as can be seen while others may be making them."""
    try:
        return _is_current(connection, tables)
    except (SchemaMismatch, NoSuchTableError):
        return False


def _is_current(connection: Connection, tables: Tables) -> bool:
    """Whether the tables exist, and are of this version.

    Raises:
        SchemaMismatch: they are of another version, or some are missing.
    """
    found = version(connection, tables)
    if found is None:
        return False
    url = safe_url(connection.engine)
    if found != SCHEMA_VERSION:
        advice = "newer" if found.isdecimal() and int(found) > int(SCHEMA_VERSION) else "older"
        raise SchemaMismatch(url, found, SCHEMA_VERSION, advice, _options(tables))
    if len(standing(connection, tables)) < len(tables.all):
        raise SchemaMismatch(url, found, SCHEMA_VERSION, "incomplete")
    return True


def standing(connection: Connection, tables: Tables) -> list[Table]:
    """Which of the tables are there, or a table or view of their name."""
    look, schema = inspect(connection), tables.meta.schema
    names = {*look.get_table_names(schema), *look.get_view_names(schema)}
    return [table for table in tables.all if table.name in names]


def _options(tables: Tables) -> str:
    """The options of a command that name these tables: none where they are named as by default."""
    prefix, schema = tables.meta.name.removesuffix("meta"), tables.meta.schema
    options = "" if prefix == PREFIX else f" --prefix {shlex.quote(prefix)}"
    return options if schema is None else f"{options} --schema {shlex.quote(schema)}"


@contextmanager
def connected(database: str | Engine) -> Iterator[Connection]:
    """A connection in autocommit mode for work on the tables, and the drivers' errors translated.

    Args:
        database: A database URL, also one with an asynchronous driver, or an `Engine` of the host.

    Raises:
        InvalidURL, MissingExtra: see `make_engine`.
        StorageUnavailable: it cannot be reached, or is an SQLite file that is not there.
    """
    engine = HostEngine(database) if isinstance(database, Engine) else make_engine(_blocking(database))
    try:
        backend_of(engine)
        check_exists(engine)
        with translate_driver_errors(engine), engine.connect() as connection, autocommitting(connection):
            yield connection
    finally:
        if not isinstance(engine, HostEngine):
            engine.dispose()


def _blocking(url: str) -> str:
    driver, colon, rest = url.partition(":")
    return _BLOCKING.get(driver, driver) + colon + rest
