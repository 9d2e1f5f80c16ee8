"""The store on a connection of Django's: what it writes is in Django's own transaction.

Django keeps one connection for each alias and thread, and opens it when it is first used. So what is kept here is the
alias; the connection is asked for at each call, and statements run on Django's own cursor: they are logged, counted
and wrapped as those of Django's models are. Each commit is an `atomic` block: a savepoint inside a transaction, and a
transaction of its own in autocommit mode.

Django raises errors of its own in place of the driver's. They are taken off again where they come in, so that they
mean the same here as those of any other host.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Final

from sqlalchemy import URL, Engine, Table, create_engine, select

from reportflow.errors import InvalidValue, SchemaMismatch, StorageUnavailable, TransactionRolledBack
from reportflow.serialization.classes import Classes
from reportflow.storage.base import Capabilities, Change
from reportflow.storage.sql.contract import SqlContract
from reportflow.storage.sql.dialects import ends_transaction, in_memory, safe_url, said, translate
from reportflow.storage.sql.executor import Executor, Row
from reportflow.storage.sql.lengths import refuse_long, written
from reportflow.storage.sql.schema import RESTORING, SCHEMA_VERSION, Tables
from reportflow.storage.sql.statements import StatementCache
from reportflow.storage.sql.writing import Write

#: (Django's name of an engine, its driver's module) -> what SQLAlchemy calls the two. PyMySQL stands in for MySQLdb
#: where a project says ``install_as_MySQLdb``.
_DIALECTS: Final[Mapping[tuple[str, str], str]] = {
    ("sqlite", "sqlite3.dbapi2"): "sqlite+pysqlite",
    ("postgresql", "psycopg"): "postgresql+psycopg",
    ("mysql", "MySQLdb"): "mysql+mysqldb",
    ("mysql", "pymysql"): "mysql+pymysql",
}

#: Django's name of an engine -> what asks for the isolation level, where some levels read a snapshot.
_LEVELS: Final[Mapping[str, str]] = {
    "postgresql": "SHOW transaction_isolation",
    "mysql": "SELECT @@tx_isolation",
}


def alias_of(host: object) -> str | None:
    """The alias of a connection of Django's; None for what is none.

    Raises:
        InvalidValue: a connection that Django does not give out under its alias, such as a copy: the next call would
            use another one.
    """
    if "django.db" not in sys.modules:  # a host that gives one has imported it
        return None
    from django.db import connection, connections
    from django.db.backends.base.base import BaseDatabaseWrapper

    if host is connection:  # it stands for the connection of the thread that uses it
        return connection.alias
    if not isinstance(host, BaseDatabaseWrapper):
        return None
    if host.alias not in connections or connections[host.alias] is not host:
        raise InvalidValue("connection", "django_copy", {"given": host.alias})
    return str(host.alias)


class DjangoDatabase:
    """The tables of one store in the database of an alias.

    Args:
        alias: One of Django's setting ``DATABASES``. Nothing connects before the first call.
        tables: The tables.

    Attributes:
        statements: The statements, as the driver takes them through Django's cursor.

    Raises:
        InvalidValue: Django's setting has no such alias, or its engine or driver is not supported.
    """

    def __init__(self, alias: str, tables: Tables) -> None:
        self.alias = alias
        self._tables = tables
        self.engine: Engine = _engine_of(alias)
        self.statements: StatementCache = StatementCache(tables, self.engine)
        self._driver: Any = self.engine.dialect.loaded_dbapi
        self._meta = self.statements.prepare(select(tables.meta.c.name, tables.meta.c.value))
        #: The databases in which the tables were found: a test runner puts another one under the same alias.
        self._verified: set[str] = set()

    @property
    def capabilities(self) -> Capabilities:
        """What a store on it can do beyond the contract."""
        on_disk = not in_memory(self.engine.url)
        return Capabilities(durable=on_disk, shared=on_disk, host_transaction=True, leases=True)

    @contextmanager
    def checkout(self) -> Iterator[Executor]:
        """Django's connection of this thread for one call. Errors of Django and of drivers come out translated.

        Raises:
            TransactionRolledBack: Django's transaction was rolled back, or can only be.
            StorageUnavailable: there are no tables.
            SchemaMismatch: the tables are of another version.
        """
        from django.db.transaction import TransactionManagementError

        connection, in_doubt = self._connection(), False
        try:
            if connection.needs_rollback or connection.closed_in_transaction:
                raise self.lose("the atomic block is to be rolled back")
            with _drivers_errors(self._driver), connection.cursor() as cursor:
                pooled: Any = _Pooled(connection)
                executor = Executor(pooled, self.engine.dialect, _DjangoCursor(cursor))
                try:
                    self._verify(connection)
                    yield executor
                finally:
                    in_doubt = executor.in_doubt
        except TransactionManagementError as error:
            raise TransactionRolledBack(safe_url(self.engine), str(error)) from error
        except Exception as error:
            if is_the_hosts(connection) and ends_transaction(self.statements.backend, error):
                raise self.lose(said(self.engine, error)) from error
            translated = translate(self.engine, error, in_doubt=in_doubt)
            if translated is None:
                raise
            raise translated from error

    def lose(self, reason: str) -> TransactionRolledBack:
        """The error of a call after which Django's transaction can only be rolled back; Django is made to do so."""
        connection = self._connection()
        if connection.in_atomic_block:
            connection.needs_rollback = True
        return TransactionRolledBack(safe_url(self.engine), reason)

    def reads_a_snapshot(self) -> bool:
        """Whether Django is in a transaction that is never shown what others have committed since it began."""
        connection = self._connection()
        level = _LEVELS.get(connection.vendor)
        if level is None or not is_the_hosts(connection):
            return False
        with connection.cursor() as cursor:
            cursor.execute(level)
            [found] = cursor.fetchone()
        return found.lower().replace("-", " ") in ("repeatable read", "serializable")

    def _connection(self) -> Any:
        from django.db import Error, connections

        connection = connections[self.alias]
        is_open = connection.connection is not None
        if is_open and connection.errors_occurred and not connection.in_atomic_block:
            connection.errors_occurred = False
            if not connection.is_usable():
                with suppress(Error):  # it may be closed already
                    connection.close()  # Django opens it again
        return connection

    @contextmanager
    def transaction(self, executor: Executor) -> Iterator[None]:
        """A savepoint where Django is in a transaction, else a transaction."""
        from django.db import connections, transaction

        executor.in_doubt = False
        connection: Any = connections[self.alias]
        manual = is_the_hosts(connection) and not connection.in_atomic_block
        if manual and connection.vendor == "sqlite" and not connection.connection.in_transaction:
            executor.execute("BEGIN")  # a savepoint that is the outermost one would be committed when it is released
        with _drivers_errors(self._driver), transaction.atomic(self.alias):
            yield
            # below a savepoint it is a host's transaction, whose COMMIT comes later
            executor.in_doubt = not connection.savepoint_ids
        executor.in_doubt = False

    def _verify(self, connection: Any) -> None:
        """See once, for each database, that it has the tables and that they are of this version."""
        name = str(connection.settings_dict["NAME"])
        if name in self._verified:
            return
        if not self.are_there(connection):
            raise StorageUnavailable(safe_url(self.engine), "no tables", "django_migrate")
        if RESTORING in self._noted(connection):
            raise StorageUnavailable(safe_url(self.engine), "a copy into it is under way", "restoring")
        self._verified.add(name)

    def are_there(self, connection: Any) -> bool:
        """Whether the tables are in the database, whole and of this version.

        Raises:
            InvalidValue: the engine is not supported.
            SchemaMismatch: there are tables of these names that are not reportflow's, of another version, or not all.
        """
        if connection.vendor == "mysql" and not connection.mysql_is_mariadb:
            raise InvalidValue("connection", "django_engine", {"given": "MySQL"})
        url = safe_url(self.engine)
        columns = self._columns(connection)
        is_noted = columns.get(self._tables.meta, set()) >= {"name", "value"}
        version = self._noted(connection).get("schema_version") if is_noted else None
        if version not in (None, SCHEMA_VERSION):
            newer = version.isdecimal() and int(version) > int(SCHEMA_VERSION)
            raise SchemaMismatch(url, version, SCHEMA_VERSION, "newer" if newer else "foreign")
        if any(found != set(table.c.keys()) for table, found in columns.items()):
            raise SchemaMismatch(url, version or "unknown", SCHEMA_VERSION, "foreign")
        if version is not None and len(columns) < len(self._tables.all):
            raise SchemaMismatch(url, version, SCHEMA_VERSION, "incomplete")
        return version is not None  # without a version they were made only in part

    def _columns(self, connection: Any) -> dict[Table, set[str]]:
        """The columns of those tables that are there."""
        look = connection.introspection
        with connection.cursor() as cursor:
            names = {info.name for info in look.get_table_list(cursor)}
            return {
                table: {column.name for column in look.get_table_description(cursor, table.name)}
                for table in self._tables.all
                if table.name in names
            }

    def _noted(self, connection: Any) -> dict[str, str]:
        """The rows of the table ``meta``."""
        with connection.cursor() as cursor:
            cursor.execute(self._meta.sql)
            return dict(cursor.fetchall())


def is_the_hosts(connection: Any) -> bool:
    """Whether a connection of Django's is in a transaction that the host ends."""
    is_open = connection.connection is not None  # to ask for autocommit would open it
    return bool(connection.in_atomic_block or (is_open and not connection.autocommit))


class DjangoSqlStore(SqlContract):
    """Records in a database of Django's, on Django's own connection of the thread that calls.

    Inside `atomic` it writes in Django's transaction, each commit under a savepoint; in autocommit mode each commit is
    a transaction of its own. It never commits or rolls back what it did not begin.
    """

    def __init__(self, database: DjangoDatabase, capabilities: Capabilities, classes: Classes) -> None:
        super().__init__(database.statements, database.checkout, capabilities, classes)
        self._database = database

    def _plan(self, changes: Sequence[Change]) -> list[Write]:
        # a session of Django's need not refuse what is too long: MariaDB may be set to cut it
        refuse_long(self._statements, *written(changes))
        return super()._plan(changes)

    def _transaction(self, executor: Executor) -> AbstractContextManager[None]:
        return self._database.transaction(executor)

    def _apply(self, executor: Executor, changes: Sequence[Change], writes: Sequence[Write]) -> None:
        """Write it all, or nothing: an error outside of a savepoint would break the transaction that it is in."""
        with self._transaction(executor):
            self._run(executor, writes)

    def _explain(self, executor: Executor, changes: Sequence[Change]) -> None:
        """As `SqlContract._explain`.

        Raises:
            TransactionRolledBack: the reason can never be seen in this transaction, however often it is tried.
        """
        super()._explain(executor, changes)
        if self._database.reads_a_snapshot():
            raise self._database.lose("another transaction has written the same since this one began")


def on_alias(statements: StatementCache, alias: str, capabilities: Capabilities, classes: Classes) -> DjangoSqlStore:
    """A store with the tables of another one, on the connections of an alias.

    Raises:
        InvalidValue: the engine of the alias is not supported, or another one than that of the store.
    """
    database: DjangoDatabase | None = statements.by_alias.get(alias)
    if database is None:
        database = DjangoDatabase(alias, statements.tables)
        if database.statements.backend is not statements.backend:
            expected, given = statements.url, safe_url(database.engine)
            raise InvalidValue("connection", "other_engine", {"expected": expected, "given": given})
        statements.by_alias[alias] = database
    return DjangoSqlStore(database, capabilities, classes)


def _engine_of(alias: str) -> Engine:
    """What knows how the driver of an alias wants statements written; it never connects."""
    from django.db import connections

    if alias not in connections:
        given, choices = repr(alias), tuple(connections)
        raise InvalidValue("connection", "choice", {"given": given, "choices": choices})
    connection: Any = connections[alias]
    driver: Any = getattr(connection, "Database", None)  # a backend that is a dummy has none
    name = _DIALECTS.get((connection.vendor, str(getattr(driver, "__name__", ""))))
    if name is None:
        given = f"{connection.vendor} ({getattr(driver, '__name__', None) or connection.settings_dict['ENGINE']})"
        raise InvalidValue("connection", "django_engine", {"given": given})
    settings = connection.settings_dict
    port = str(settings["PORT"])
    url = URL.create(
        name,
        username=settings["USER"] or None,
        host=settings["HOST"] or None,
        port=int(port) if port.isdecimal() else None,
        database=str(settings["NAME"] or "") or None,
    )
    # Django's cursors take ``%s`` on every engine
    return create_engine(url, module=driver, paramstyle="format")


@contextmanager
def _drivers_errors(driver: Any) -> Iterator[None]:
    """Raise the driver's own error in place of the one that Django makes of it."""
    from django.db import Error

    try:
        yield
    except Error as error:
        cause = error.__cause__
        if cause is not None and isinstance(cause, driver.Error):
            raise cause from None
        raise


class _Pooled:
    """What an executor asks of a connection, of Django's."""

    is_valid: Final = True

    def __init__(self, connection: Any) -> None:
        self.driver_connection = connection.connection


class _DjangoCursor:
    """Django's cursor, with the errors of the driver."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._driver = cursor.db.Database

    def execute(self, sql: str, values: Any = None) -> None:
        """Run a statement."""
        with _drivers_errors(self._driver):
            self._cursor.execute(sql, values)

    def executemany(self, sql: str, rows: Sequence[Any]) -> None:
        """Run a statement for each row."""
        with _drivers_errors(self._driver):
            self._cursor.executemany(sql, rows)

    def fetchall(self) -> Sequence[Row]:
        """All rows that the statement gave."""
        with _drivers_errors(self._driver):
            rows: Sequence[Row] = self._cursor.fetchall()
            return rows

    @property
    def rowcount(self) -> int:
        """How many rows the statement wrote."""
        return int(self._cursor.rowcount)
