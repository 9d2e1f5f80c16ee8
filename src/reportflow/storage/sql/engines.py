"""The engines of hosts, and their connections in autocommit mode, whatever the host has set up on them.

SQLAlchemy's option ``AUTOCOMMIT`` does not suffice: it leaves the events by which a host begins transactions on SQLite
itself, it knows nothing of the modes of Python 3.12's driver, and when it is over it sets the driver to the usual mode
instead of the one that was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Pool, event
from sqlalchemy.pool import SingletonThreadPool, StaticPool

from reportflow.errors import StorageUnavailable
from reportflow.storage.sql.dialects import safe_url
from reportflow.storage.sql.modes import sqlite_autocommit


class HostEngine(Engine):
    """An engine on the pool of a host's, without the events by which the host begins and ends its transactions.

    What the host does to each connection (the events of its pool, and ``engine_connect``) is done here too. Disposing
    of the host's engine replaces the pool of both.
    """

    _sa_propagate_class_events = False  # as with SQLAlchemy's own engines on the pool of another one

    def __init__(self, host: Engine) -> None:
        self._host = host
        super().__init__(host.pool, host.dialect, host.url, hide_parameters=host.hide_parameters)

        @event.listens_for(self, "engine_connect")
        def connected(connection: Connection) -> None:
            host.dispatch.engine_connect(connection)
            if connection.in_transaction():
                connection.commit()

    if not TYPE_CHECKING:  # where it is an attribute

        @property
        def pool(self) -> Pool:
            """The pool of the host, which its `dispose` replaces."""
            return self._host.pool

        @pool.setter
        def pool(self, pool: Pool) -> None:
            """Engines are made with a pool; this one has no other than the host's."""


def host_schema(database: str | Engine | Connection, schema: str | None) -> str | None:
    """The database schema that a name stands for there: the option ``schema_translate_map`` of a host says so."""
    if isinstance(database, str):
        return schema
    names: Any = database.get_execution_options().get("schema_translate_map") or {}
    found: str | None = names.get(schema, schema)
    return found


@contextmanager
def autocommitting(connection: Connection) -> Iterator[None]:
    """A connection is in autocommit mode meanwhile, and afterwards as it was.

    Raises:
        StorageUnavailable: it is the only connection of its engine, and has a transaction of the host's.
    """
    if not isinstance(connection.engine, HostEngine):  # the library's own are in that mode
        yield
        return
    if connection.dialect.name == "sqlite":
        with _sqlite_autocommitting(connection):
            yield
        return
    if connection.dialect.name == "postgresql":  # whose driver changes no mode where an event has sent a statement
        connection.dialect.do_commit(connection.connection)
    connection.execution_options(isolation_level="AUTOCOMMIT")
    yield


@contextmanager
def _sqlite_autocommitting(connection: Connection) -> Iterator[None]:
    dbapi: Any = connection.connection.dbapi_connection
    driver: Any = connection.connection.driver_connection
    modern = sqlite_autocommit(connection.connection)
    always_begun, level = modern is False, dbapi.isolation_level if modern is None else None
    if driver.in_transaction:
        if not always_begun and isinstance(connection.engine.pool, StaticPool | SingletonThreadPool):
            # waiting would not help: most likely it is that of the caller
            raise StorageUnavailable(safe_url(connection.engine), "its one connection is in a transaction of the host")
        _execute(dbapi, "ROLLBACK")  # it was returned to the pool like that
    if level is not None:
        dbapi.isolation_level = None
    try:
        yield
    finally:
        if not connection.invalidated:
            if level is not None:
                dbapi.isolation_level = level
            if always_begun and not driver.in_transaction:
                _execute(dbapi, "BEGIN")


def _execute(dbapi: Any, statement: str) -> None:
    cursor = dbapi.cursor()
    cursor.execute(statement)
    cursor.close()
