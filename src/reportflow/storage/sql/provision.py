"""Whether the tables exist, and of which version; and making them, by one process at a time."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, Engine, inspect, select

from reportflow.errors import SchemaMismatch, StorageBusy, StorageUnavailable
from reportflow.storage.sql.dialects import BUSY_TIMEOUT, backend_of, in_memory, safe_url
from reportflow.storage.sql.executor import Checkout, transaction
from reportflow.storage.sql.pool import HeldConnection
from reportflow.storage.sql.schema import PREFIX, RESTORING, SCHEMA_VERSION, Tables

T = TypeVar("T")


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

    Args:
        connection: In autocommit mode.
        tables: The tables.
        create: Whether to make them.
        restoring: Whether those are taken too into which something is being restored.

    Raises:
        StorageUnavailable: there are none, and `create` is False; or something is being restored into them.
        SchemaMismatch: they are of another version.
    """
    if _is_current(connection, tables):
        meta = tables.meta.c
        if not restoring and connection.scalar(select(meta.name).where(meta.name == RESTORING)) is not None:
            raise StorageUnavailable(safe_url(connection.engine), "a copy into it is under way", "restoring")
        return
    if not create:
        raise StorageUnavailable(safe_url(connection.engine), "no tables", "create")
    if connection.dialect.name == "sqlite":
        use_wal(connection)
    with exclusive_ddl(connection):
        if not _is_current(connection, tables):
            tables.meta.metadata.create_all(connection, tables.all)


def use_wal(connection: Connection) -> None:
    """Switch an SQLite file to write-ahead logging, which lasts; one that may not be written stays as it is."""
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    if mode not in ("wal", "memory"):
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def retry_while_busy(work: Callable[[], T]) -> T:
    """Retry while another process holds the file: several may open a new one at the same moment.

    Raises:
        StorageBusy: it holds it for longer than a writer waits.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            return work()
        except StorageBusy:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


@contextmanager
def exclusive_ddl(connection: Connection, *, atomic: bool = False) -> Iterator[None]:
    """No other process makes or changes the tables meanwhile: by a transaction, or where that cannot be, by a lock.

    Args:
        connection: In autocommit mode.
        atomic: Whether it is to be one transaction under a lock too, where the engine can do that.

    Raises:
        StorageBusy: another process has the lock, and keeps it.
    """
    backend, checkout = backend_of(connection.engine), Checkout(HeldConnection(connection))
    if backend.lock is None:
        with checkout as executor, transaction(executor, backend.begin):
            yield
        return
    if connection.exec_driver_sql(backend.lock).scalar() in (0, None):  # MariaDB gives up waiting by a 0
        raise StorageBusy(safe_url(connection.engine), backend.lock)
    try:
        if atomic:
            with checkout as executor, transaction(executor, backend.begin):
                yield
        else:
            yield
    finally:
        if not connection.invalidated:  # a lock does not outlive its connection
            connection.exec_driver_sql(str(backend.unlock))


def version(connection: Connection, tables: Tables) -> str | None:
    """The version of the tables in the database; None where there are none.

    Raises:
        SchemaMismatch: there are tables of these names that are not reportflow's.
    """
    found = None
    names = _names(connection, tables)
    if not names & {table.name for table in tables.all}:
        return None
    if tables.meta.name in names:
        columns = inspect(connection).get_columns(tables.meta.name, tables.meta.schema)
        if {column["name"] for column in columns} >= {"name", "value"}:
            meta = tables.meta.c
            found = connection.scalar(select(meta.value).where(meta.name == "schema_version"))
    if not isinstance(found, str):
        raise SchemaMismatch(safe_url(connection.engine), "unknown", SCHEMA_VERSION, "foreign")
    return found


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
    if not {table.name for table in tables.all} <= _names(connection, tables):
        raise SchemaMismatch(url, found, SCHEMA_VERSION, "incomplete")
    return True


def _names(connection: Connection, tables: Tables) -> set[str]:
    """The names of all tables and views of the schema."""
    look, schema = inspect(connection), tables.meta.schema
    return {*look.get_table_names(schema), *look.get_view_names(schema)}


def _options(tables: Tables) -> str:
    """The options of a command that name these tables: none where they are named as by default."""
    prefix, schema = tables.meta.name.removesuffix("meta"), tables.meta.schema
    options = "" if prefix == PREFIX else f" --prefix {shlex.quote(prefix)}"
    return options if schema is None else f"{options} --schema {shlex.quote(schema)}"
