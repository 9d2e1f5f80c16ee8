"""The storage contract on an SQL database."""

from __future__ import annotations

import weakref
from functools import cached_property, partial
from typing import Any

from sqlalchemy import Engine, MetaData

from reportflow.serialization.classes import NO_CLASSES, Classes
from reportflow.storage.base import Capabilities
from reportflow.storage.sql.bound import BoundSqlStore, bound_store
from reportflow.storage.sql.contract import SqlContract
from reportflow.storage.sql.dialects import in_memory, translate_driver_errors
from reportflow.storage.sql.django_host import DjangoSqlStore
from reportflow.storage.sql.engines import HostEngine, autocommitting, host_schema
from reportflow.storage.sql.executor import Checkout, OpenExecutor, engine_checkout
from reportflow.storage.sql.leases import SqlLeases
from reportflow.storage.sql.pool import ConnectionPool, make_engine
from reportflow.storage.sql.provision import check_exists, create_or_verify, retry_while_busy
from reportflow.storage.sql.schema import PREFIX, Tables, make_tables
from reportflow.storage.sql.sharing import CommitQueue
from reportflow.storage.sql.statements import StatementCache


class SqlStore(SqlContract):
    """Records in an SQL database: SQLite, PostgreSQL or MariaDB.

    To fire at a record that the flow gave out takes an UPDATE that compares version and head, and an INSERT of the
    entry, in one transaction; on PostgreSQL they are one statement. By id it is one SELECT more, before the
    transaction; where labels change, one or two statements more.

    Args:
        database: A database URL, or an `Engine` of the host, which then stays the host's to dispose of.
        classes: The classes of the records and details that it reads; a flow adds those of its lifecycles.
        create: Whether to make the tables where there are none.
        restoring: Whether to open it also while a `restore` into it is under way, to go on with that.
        prefix: What the tables' names begin with.
        schema: The database schema that they are in.
        metadata: The `MetaData` to put them into; one of its own unless given.

    Attributes:
        capabilities: What it can do beyond the contract.
        classes: The classes by which it reads.
        engine: The engine that it works on; one of its own is in autocommit mode.

    Raises:
        InvalidURL: the URL is mistyped, or its engine is not supported.
        MissingExtra: the URL's driver is not installed.
        StorageUnavailable: the database cannot be opened, or has no tables and `create` is False, or something is being
            restored into it.
        SchemaMismatch: the tables are of another version.
    """

    def __init__(
        self,
        database: str | Engine,
        classes: Classes = NO_CLASSES,
        *,
        create: bool = True,
        restoring: bool = False,
        prefix: str = PREFIX,
        schema: str | None = None,
        metadata: MetaData | None = None,
    ) -> None:
        tables = make_tables(metadata, prefix=prefix, schema=schema)
        if isinstance(database, Engine) and host_schema(database, schema) != schema:
            tables = make_tables(None, prefix=prefix, schema=host_schema(database, schema))
        #: Closes the connections that are its own; done too when the store is dropped without a `close`.
        self._close_pool: weakref.finalize[..., SqlStore] | None = None
        if isinstance(database, Engine):
            engine: Engine = HostEngine(database)
            checkout: OpenExecutor = partial(engine_checkout, engine)
        else:
            engine = make_engine(database)
            pool = ConnectionPool(engine)
            checkout, self._close_pool = partial(Checkout, pool), weakref.finalize(self, pool.close)
        super().__init__(StatementCache(tables, engine, schema), checkout, capabilities_of(engine), classes)
        if self._close_pool is not None and self._statements.backend.shares_commits:
            self._queue = CommitQueue(self._statements.url)
        self.engine: Engine = database if isinstance(database, Engine) else engine
        try:
            retry_while_busy(lambda: self._open(engine, tables, create, restoring))
        except BaseException:
            self.close()
            raise

    def _open(self, engine: Engine, tables: Tables, create: bool, restoring: bool) -> None:
        if not create:
            check_exists(engine)
        with translate_driver_errors(engine), engine.connect() as connection, autocommitting(connection):
            create_or_verify(connection, tables, create=create, restoring=restoring)

    @cached_property
    def leases(self) -> SqlLeases:
        """Where relays keep how far they are."""
        return SqlLeases(self._statements, self._checkout, self._transaction)

    def bound_to(self, host: Any) -> BoundSqlStore | DjangoSqlStore:
        """A store that writes inside a transaction of the host's, and never begins, commits or rolls back there.

        Args:
            host: A `Connection` or a `Session` of SQLAlchemy, or a connection of Django, on the same database.

        Raises:
            InvalidValue: it is none of them, or a connection of another engine.
        """
        return bound_store(self._statements, host, self.capabilities.bound(), self.classes)

    def close(self) -> None:
        """See `Store.close`. A host's engine stays open."""
        super().close()
        if "leases" in vars(self):
            self.leases.close()
        if self._close_pool is not None:
            self._close_pool()


def capabilities_of(engine: Engine, *, leases: bool = True) -> Capabilities:
    """What a store on an engine can do beyond the contract."""
    on_disk = not in_memory(engine.url)
    return Capabilities(durable=on_disk, shared=on_disk, host_transaction=True, leases=leases)
