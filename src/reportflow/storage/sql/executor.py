"""What runs statements on a connection, where the connections come from, and the one `transaction`.

A statement that never changes is compiled once for an engine and runs on the cursor of its driver: SQLAlchemy knows how
each engine wants it written, but what it would do at each run beside that costs more than the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from operator import itemgetter
from typing import Any, Final, Literal

from sqlalchemy import Connection, Dialect, Engine, PoolProxiedConnection
from sqlalchemy.sql.expression import ClauseElement

from reportflow.errors import ReportflowError, StorageError
from reportflow.storage.sql.dialects import is_undecodable, translate, translate_driver_errors
from reportflow.storage.sql.engines import autocommitting
from reportflow.storage.sql.pool import ConnectionPool, HeldConnection

#: What a driver gives for a row: its columns, in the order in which they were asked for.
Row = Sequence[Any]
#: What a commit depends on: the stored versions and contents of records, or the keys that were used.
Reading = Literal["records", "keys"] | None
#: From how many rows on they are streamed, where an engine can do that.
_STREAMED: Final = 20


class PreparedStatement:
    """One statement, as a driver takes it."""

    __slots__ = ("_constants", "_named", "_positional", "copy", "sql")

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        required = {name: None for name, parameter in compiled.binds.items() if parameter.required}
        written = compiled.construct_expanded_state(required)
        self.sql: str = written.statement
        #: For many rows: how the engine takes them in one stream, where it can, and the columns in that order.
        self.copy: tuple[str, tuple[str, ...]] | None = None
        names = tuple(written.positiontup) if compiled.positional else ()
        self._positional: Callable[[Mapping[str, Any]], tuple[Any, ...]] = (
            itemgetter(*names) if len(names) > 1 else lambda row: tuple([row[name] for name in names])
        )
        self._named = not compiled.positional
        #: The parameters whose values stand in the statement itself.
        self._constants = {name: value for name, value in written.parameters.items() if name not in required}

    def filled(self, values: Mapping[str, Any]) -> PreparedStatement:
        """The same statement with other values in the place of marks that stand in it."""
        made = object.__new__(PreparedStatement)
        made.sql, made.copy, made._positional, made._named = self.sql, self.copy, self._positional, self._named
        made._constants = {
            name: values.get(value, value) if isinstance(value, str) else value
            for name, value in self._constants.items()
        }
        return made

    def values(self, row: Mapping[str, Any]) -> Any:
        """The parameters of the statement, the way its driver counts them."""
        if self._constants:
            row = {**self._constants, **row}
        return row if self._named else self._positional(row)


def _text_or_bytes(stored: bytes) -> str | bytes:
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored


class Executor:
    """Runs statements on a cursor, all on one connection.

    Attributes:
        is_bound: Whether it runs them inside a transaction of the host's.
        in_doubt: Whether a commit is under way: should it fail, it may be unknown if what was written is kept.
    """

    __slots__ = ("_connection", "_cursor", "_dialect", "in_doubt", "is_bound")

    def __init__(self, connection: PoolProxiedConnection, dialect: Dialect, cursor: Any = None) -> None:
        self._connection = connection
        self._dialect = dialect
        self.is_bound: bool = cursor is not None
        self._cursor = connection.cursor() if cursor is None else cursor
        self.in_doubt: bool = False

    def execute(self, sql: str) -> None:
        """Run a statement without parameters, such as BEGIN and COMMIT."""
        self._cursor.execute(sql)

    def write(self, statement: PreparedStatement, row: Mapping[str, Any]) -> int:
        """Run a statement; the number of rows that it wrote."""
        self._cursor.execute(statement.sql, statement.values(row))
        return int(self._cursor.rowcount)

    def write_all(self, statement: PreparedStatement, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement for each row."""
        if statement.copy is not None and not self.is_bound and len(rows) >= _STREAMED:
            sql, names = statement.copy
            with self._cursor.copy(sql) as stream:
                for row in rows:
                    stream.write_row([row[name] for name in names])
        else:
            self.write_each(statement, rows)

    def write_each(self, statement: PreparedStatement, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run a statement for each row; the number of rows that were written in all."""
        if len(rows) == 1:
            return self.write(statement, rows[0])
        self._cursor.executemany(statement.sql, [statement.values(row) for row in rows])
        return int(self._cursor.rowcount)

    def read(self, statement: PreparedStatement, row: Mapping[str, Any], of: Reading = None) -> Sequence[Row]:
        """The rows that a statement gives. A text that is no UTF-8, which SQLite takes, is given as its bytes.

        `of` names what is decided on by what is read; see `HostExecutor`.
        """
        try:
            self._cursor.execute(statement.sql, statement.values(row))
            found: Sequence[Row] = self._cursor.fetchall()
        except Exception as error:
            if not is_undecodable(error):
                raise
        else:
            return found
        driver: Any = self._connection.driver_connection
        usual, driver.text_factory = driver.text_factory, _text_or_bytes
        try:
            self._cursor.execute(statement.sql, statement.values(row))
            found = self._cursor.fetchall()
        finally:
            driver.text_factory = usual
        return found

    def is_lost(self, error: BaseException) -> bool:
        """Whether an error means that the connection cannot be used any more."""
        known: Any = error if isinstance(error, self._dialect.loaded_dbapi.Error) else None
        return (
            isinstance(error, OSError)
            or not self._connection.is_valid
            or (known is not None and self._dialect.is_disconnect(known, self._connection, None))
        )

    def invalidate(self) -> None:
        """Have the connection closed, and not used again."""
        if self._connection.is_valid:
            if self._dialect.name == "sqlite":  # a statement that is left would keep it open, and its lock
                self.close()
            self._connection.invalidate()

    def close(self) -> None:
        """Close the cursor, which on a lost connection may fail."""
        try:
            self._cursor.close()
        except Exception:
            return


class ConnectionCursor:
    """A cursor by way of SQLAlchemy's connection, which must know what happens in a transaction of its own.

    Its methods are those of a driver's cursor.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._result: Any = None

    def execute(self, sql: str, values: Any = None) -> None:
        """Run a statement, for each of a list of values."""
        # an INSERT's row count is -1 unless it is asked for
        options = {"preserve_rowcount": True}
        self._result = self._connection.exec_driver_sql(sql, values, execution_options=options)

    executemany = execute

    @property
    def rowcount(self) -> int:
        """How many rows the statement wrote."""
        return int(self._result.rowcount)

    def fetchall(self) -> Sequence[Row]:
        """All rows that the statement gave."""
        rows: Sequence[Row] = self._result.all()
        return rows


@contextmanager
def transaction(executor: Executor, begin: str) -> Iterator[None]:
    """A transaction of the library's own on a connection in autocommit mode: COMMIT, or ROLLBACK on an error.

    Where it is stopped by what is no error, as by a KeyboardInterrupt or a cancellation, nothing more is sent: the
    connection is then invalidated where it was checked out, and the database rolls back.
    """
    executor.in_doubt = False
    executor.execute(begin)
    try:
        yield
        executor.in_doubt = True
        executor.execute("COMMIT")
    except Exception as error:
        if not executor.is_lost(error):
            try:
                executor.execute("ROLLBACK")
            except Exception:  # the first error is the one to raise
                executor.invalidate()
        raise
    executor.in_doubt = False


#: Gives a store an executor on a connection, for one call.
OpenExecutor = Callable[[], AbstractContextManager["Executor"]]


class Checkout:
    """A connection of a source for one call, with its executor: a context manager. Drivers' errors come out translated.

    Where the connection was lost, or the call was stopped in the middle by what is no error, it is not used again.
    """

    __slots__ = ("_executor", "_pooled", "_source")

    def __init__(self, source: ConnectionPool | HeldConnection) -> None:
        self._source = source
        self._pooled: PoolProxiedConnection | None = None
        self._executor: Executor | None = None

    def __enter__(self) -> Executor:
        try:
            self._pooled = self._source.take()
            self._executor = Executor(self._pooled, self._source.engine.dialect)
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self._executor

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        translated = None
        if error is not None and not isinstance(error, ReportflowError):
            translated = self._translated(error)
        if self._executor is not None:
            self._executor.close()
        if self._pooled is not None:
            self._source.put_back(self._pooled)
        if translated is not None:
            raise translated from error

    def _translated(self, error: BaseException) -> StorageError | None:
        executor, engine = self._executor, self._source.engine
        if executor is None:
            return translate(engine, error)
        lost = executor.is_lost(error)
        if lost:
            self._source.invalidate_all()
        if lost or not isinstance(error, Exception):  # what is stopped in the middle may hold half of a transaction
            executor.invalidate()
        return translate(engine, error, in_doubt=executor.in_doubt)


@contextmanager
def engine_checkout(engine: Engine) -> Iterator[Executor]:
    """A connection of a host's engine for one call. Drivers' errors come out translated."""
    with (
        translate_driver_errors(engine),
        engine.connect() as connection,
        autocommitting(connection),
        Checkout(HeldConnection(connection)) as executor,
    ):
        yield executor
