"""Whether the tables are there, and which version of them; and making them, by one process at a time."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, inspect, select

from reportflow.errors import SchemaMismatch, StorageBusy, StorageUnavailable
from reportflow.storage.sql.engine import BUSY_TIMEOUT, Backend, missing, use_wal
from reportflow.storage.sql.meanings import said
from reportflow.storage.sql.tables import PREFIX, SCHEMA_VERSION, Tables

T = TypeVar("T")


def look_for(engine: Engine, *, create: bool) -> None:
    """See, before anything connects, that there is something to connect to: SQLite makes a file that is missing.

    Raises:
        StorageUnavailable: there is no such file, and `create` is False.
    """
    if not create and missing(engine.url):
        raise StorageUnavailable(said(engine), "no tables", "create")


def ensure(connection: Connection, tables: Tables, backend: Backend, *, create: bool) -> None:
    """See that the tables are there and of this version, and make them where there are none.

    Raises:
        StorageUnavailable: there are none, and `create` is False.
        SchemaMismatch: they are of another version.
    """
    if _ready(connection, tables):
        return
    if not create:
        raise StorageUnavailable(said(connection.engine), "no tables", "create")
    if connection.dialect.name == "sqlite":
        use_wal(connection)
    with alone(connection, backend):
        if not _ready(connection, tables):
            tables.meta.metadata.create_all(connection, tables.all)


def patiently(work: Callable[[], T]) -> T:
    """Do it again while another process holds the file: several may open a new one at the same moment.

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
def alone(connection: Connection, backend: Backend) -> Iterator[None]:
    """Nobody else makes or changes the tables meanwhile: by a transaction, or where that cannot be, by a lock.

    Raises:
        StorageBusy: somebody else has the lock, and keeps it.
    """
    if backend.lock is not None:
        if connection.exec_driver_sql(backend.lock).scalar() in (0, None):  # MariaDB gives up waiting by a 0
            raise StorageBusy(said(connection.engine), backend.lock)
        try:
            yield
        finally:
            if not connection.invalidated:  # a lock does not outlive its connection
                connection.exec_driver_sql(str(backend.unlock))
        return
    connection.exec_driver_sql(backend.begin)
    try:
        yield
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


def version(connection: Connection, tables: Tables) -> str | None:
    """The version of the tables that are there; None where there are none.

    Raises:
        SchemaMismatch: there are tables of these names that are somebody else's.
    """
    look, place = inspect(connection), tables.meta.schema
    names = {*look.get_table_names(place), *look.get_view_names(place)}
    if not names & {table.name for table in tables.all}:
        return None
    found = None
    if tables.meta.name in names and {one["name"] for one in _columns(connection, tables)} >= {"name", "value"}:
        meta = tables.meta.c
        found = connection.scalar(select(meta.value).where(meta.name == "schema_version"))
    if not isinstance(found, str):
        raise SchemaMismatch(said(connection.engine), "unknown", SCHEMA_VERSION, "foreign")
    return found


def _ready(connection: Connection, tables: Tables) -> bool:
    """Whether the tables are there, and of this version.

    Raises:
        SchemaMismatch: they are there, and are of another.
    """
    found = version(connection, tables)
    if found is None:
        return False
    url, place = said(connection.engine), tables.meta.schema
    if found != SCHEMA_VERSION:
        advice = "newer" if found.isdecimal() and int(found) > int(SCHEMA_VERSION) else "older"
        raise SchemaMismatch(url, found, SCHEMA_VERSION, advice, _options(tables))
    look = inspect(connection)
    if not {table.name for table in tables.all} <= {*look.get_table_names(place), *look.get_view_names(place)}:
        raise SchemaMismatch(url, found, SCHEMA_VERSION, "incomplete")
    return True


def _options(tables: Tables) -> str:
    """What names these tables in a command: nothing where they are named as by default."""
    prefix, place = tables.meta.name.removesuffix("meta"), tables.meta.schema
    named = "" if prefix == PREFIX else f" --prefix {shlex.quote(prefix)}"
    return named if place is None else f"{named} --schema {shlex.quote(place)}"


def _columns(connection: Connection, tables: Tables) -> list[Any]:
    return list(inspect(connection).get_columns(tables.meta.name, tables.meta.schema))
