"""The store inside a transaction of the host's, on the connection that the host gives.

Theory of operation. The host's transaction is never committed or rolled back here. What a call writes is inside a
savepoint, so a call that raises has changed nothing, whatever raised. Where the driver commits each statement at once,
there is no transaction of the host's, and a call that writes is one of its own.

Some errors leave no transaction to go on with: the engine has rolled it back, or lets it do nothing else. That is
`TransactionRolledBack`, then and at each further call in the same transaction; what notes it stays with that.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Final

import attrs
from sqlalchemy import Connection
from sqlalchemy.exc import InvalidRequestError, ResourceClosedError, UnboundExecutionError

from reportflow.errors import InvalidValue, ReportflowError, StorageClosed, TransactionRolledBack
from reportflow.model.checks import type_problem
from reportflow.serialization.classes import Classes
from reportflow.storage.base import Capabilities, Change
from reportflow.storage.sql.contract import SqlContract
from reportflow.storage.sql.dialects import ends_transaction, said, translate
from reportflow.storage.sql.django_host import DjangoSqlStore, alias_of, on_alias
from reportflow.storage.sql.engines import host_schema
from reportflow.storage.sql.executor import ConnectionCursor, Executor, PreparedStatement, Reading, Row
from reportflow.storage.sql.lengths import refuse_long, written
from reportflow.storage.sql.modes import Mode
from reportflow.storage.sql.statements import Stale, StatementCache
from reportflow.storage.sql.writing import Write

#: Gives the connection of a host for one call.
Host = Callable[[], object]
#: Where a connection has the notes about its transaction.
_NOTES: Final = "reportflow_transaction"
_BEGIN: Final = "SAVEPOINT reportflow"
_KEEP: Final = "RELEASE SAVEPOINT reportflow"
_TAKE_BACK: Final[Sequence[str]] = ("ROLLBACK TO SAVEPOINT reportflow", _KEEP)
#: The levels of isolation at which a transaction of PostgreSQL goes on reading as of its beginning.
_SNAPSHOTS: Final = ("repeatable read", "serializable")


@attrs.define(eq=False)
class Notes:
    """What the calls in one transaction of a host note for those that follow.

    Attributes:
        lost: Why it was rolled back, or can only be; blank while it was not.
        changed: What another transaction has changed since this one began, so that it is to be read as it is now.
    """

    lost: str = ""
    changed: set[Reading] = attrs.field(factory=set)


class HostExecutor(Executor):
    """An executor on a connection of a host's, in a transaction of the host's.

    Attributes:
        notes: The notes of that transaction.
        is_hosts: Whether there is one: not where the driver commits at once, and a call that writes has its own.
    """

    __slots__ = ("_host", "_statements", "is_hosts", "notes")

    def __init__(self, host: Connection, statements: StatementCache) -> None:
        super().__init__(host.connection, host.dialect, ConnectionCursor(host))
        self._host = host
        self._statements = statements
        self.notes: Notes = _notes_of(host)
        self.is_hosts: bool = True

    def read(self, statement: PreparedStatement, row: Mapping[str, Any], of: Reading = None) -> Sequence[Row]:
        """As `Executor.read`; what was changed since the transaction began is locked, and read as it is now."""
        lock = self._statements.backend.for_update
        if of not in self.notes.changed or not lock:
            return super().read(statement, row, of)
        self._cursor.execute(statement.sql + lock, statement.values(row))
        rows: Sequence[Row] = self._cursor.fetchall()
        return rows

    def reads_a_snapshot(self) -> bool:
        """Whether the transaction is never shown what others have committed since it began."""
        level = self._statements.backend.level
        if not level or not self.is_hosts:
            return False
        self.execute(level)
        return self._cursor.fetchall()[0][0] in _SNAPSHOTS

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What is written inside is kept in the host's transaction, or nothing of it.

        Raises:
            TransactionRolledBack: it could not be taken back, since the transaction is gone.
        """
        driver: Any = self._connection.driver_connection
        mode, begin, keep, take_back = self._statements.backend.mode(self._connection), _BEGIN, _KEEP, _TAKE_BACK
        self.is_hosts = mode is not Mode.AT_ONCE
        if not self.is_hosts:
            begin, keep, take_back = self._statements.backend.begin, "COMMIT", ["ROLLBACK"]
        elif mode is Mode.BEFORE_A_WRITE:  # a savepoint would not make this driver begin one
            self.execute(f"BEGIN {driver.isolation_level}")
        self.execute(begin)
        try:
            yield
            self.execute(keep)
        except BaseException as error:
            # after a conflict the write lock of SQLite stays, so that nobody comes in between when it is tried again
            if mode is Mode.BEFORE_A_WRITE and not isinstance(error, self._statements.conflicts):
                take_back = ["ROLLBACK"]
            self._take_back(take_back, error)
            raise

    def _take_back(self, statements: Sequence[str], error: BaseException) -> None:
        if self._host.invalidated or (self.is_hosts and ends_transaction(self._statements.backend, error)):
            return  # there is nothing left of it
        try:
            for statement in statements:
                self.execute(statement)
        except Exception as failure:
            if not self.is_hosts:
                self._host.invalidate()
                return
            refusal = self.lose(said(self._host.engine, failure))
            if isinstance(error, Exception):
                raise refusal from error

    def lose(self, reason: str) -> TransactionRolledBack:
        """The error of this call, and of each that follows in this transaction."""
        self.notes.lost = reason
        return TransactionRolledBack(self._statements.url, reason)


def _notes_of(connection: Connection) -> Notes:
    """The notes of the transaction that a connection is in, or that begins now, as it would with any statement."""
    root = connection.get_transaction() or connection.begin()
    reference, notes = connection.info.get(_NOTES, (None, None))
    if reference is None or reference() is not root:
        notes = Notes()
        connection.info[_NOTES] = (weakref.ref(root), notes)
    found: Notes = notes
    return found


def connection_of(host: object) -> Host:
    """How to get the connection of a host for one call.

    Raises:
        InvalidValue: it is nothing that gives one.
    """
    if isinstance(host, Connection):
        return lambda: host
    from sqlalchemy.orm import Session, scoped_session  # a host that gives one has imported it

    if isinstance(host, Session | scoped_session):
        return lambda: host.connection()  # looked up at each call: of a scoped one, the session is another by then
    raise _no_host(host)


def _no_host(given: object) -> InvalidValue:
    return InvalidValue(
        "connection", *type_problem("sqlalchemy Connection | Session, or a connection of Django", given)
    )


def _connection(host: Host, statements: StatementCache) -> Connection:
    """The connection of a host for this call.

    Raises:
        InvalidValue: it gives something else, a connection to a database of another engine, or one whose
            ``schema_translate_map`` names other tables.
    """
    try:
        connection = host()
    except TypeError as error:
        raise _no_host(host) from error
    if not isinstance(connection, Connection):
        raise _no_host(connection)
    schema = host_schema(connection, statements.schema)
    if schema != statements.tables.meta.schema:
        raise InvalidValue("connection", *type_problem(f"schema {statements.tables.meta.schema}", schema))
    theirs, ours = connection.dialect, statements.dialect
    if (theirs.name, theirs.paramstyle) != (ours.name, ours.paramstyle):
        raise InvalidValue("connection", *type_problem(f"sqlalchemy Connection to {statements.url}", connection))
    return connection


@contextmanager
def host_errors(statements: StatementCache) -> Iterator[None]:
    """What a host's connection or session raises, and its driver, comes out as an error of the library."""
    try:
        yield
    except Exception as error:
        translated = _translated(statements, error)
        if translated is None:
            raise
        raise translated from error


def _translated(statements: StatementCache, error: Exception) -> ReportflowError | None:
    not_started = type(error).__name__ == "AsyncContextNotStarted"  # of a package that needs an extra
    if isinstance(error, UnboundExecutionError) or not_started:
        return InvalidValue("connection", *type_problem("a sqlalchemy Connection that is open", error))
    if isinstance(error, ResourceClosedError) or "permanently closed" in str(error):
        return StorageClosed(statements.url)
    if isinstance(error, InvalidRequestError):  # it ended, and its host has not noticed yet
        return TransactionRolledBack(statements.url, said(statements.engine, error))
    return translate(statements.engine, error)


@contextmanager
def host_transaction(host: Host, statements: StatementCache) -> Iterator[HostExecutor]:
    """A connection of the host's for one call, in a transaction of the host's.

    Raises:
        TransactionRolledBack: that was rolled back, or can only be.
        StorageClosed: the connection is closed, or the session for good.
        InvalidValue: the host gives no connection, or one to another engine.
        StorageError: what a driver raises.
    """
    with host_errors(statements):
        executor = HostExecutor(_connection(host, statements), statements)
        if executor.notes.lost:
            raise executor.lose(executor.notes.lost)
        try:
            yield executor
        except Exception as error:
            if not executor.is_hosts or not ends_transaction(statements.backend, error):
                raise
            reason = said(statements.engine, error)
            if statements.backend.refuses_the_rest:
                raise TransactionRolledBack(statements.url, reason) from error
            raise executor.lose(reason) from error


class BoundSqlStore(SqlContract):
    """The store inside a transaction of the host's: what it wrote is kept if the host commits, and only then.

    A call that raises leaves the transaction usable, and nothing of itself in it; but see `TransactionRolledBack`.
    """

    def _plan(self, changes: Sequence[Change]) -> list[Write]:
        # a host's session need not refuse what is too long: MariaDB may be set to cut it
        refuse_long(self._statements, *written(changes))
        return super()._plan(changes)

    def _transaction(self, executor: Executor) -> AbstractContextManager[None]:
        assert isinstance(executor, HostExecutor)
        return executor.savepoint()

    def _apply(self, executor: Executor, changes: Sequence[Change], writes: Sequence[Write]) -> None:
        assert isinstance(executor, HostExecutor)
        try:
            with executor.savepoint():
                self._run(executor, writes)
        except self._statements.conflicts as error:
            executor.notes.changed |= {"records"} if isinstance(error, Stale) else {"records", "keys"}
            raise
        executor.notes.changed.clear()

    def _explain(self, executor: Executor, changes: Sequence[Change]) -> None:
        """As `SqlContract._explain`.

        Raises:
            TransactionRolledBack: the reason can never be seen in this transaction, however often it is tried.
        """
        super()._explain(executor, changes)
        assert isinstance(executor, HostExecutor)
        if executor.reads_a_snapshot():
            raise executor.lose("another transaction has written the same since this one began")


def bound_store(
    statements: StatementCache, host: object, capabilities: Capabilities, classes: Classes
) -> BoundSqlStore | DjangoSqlStore:
    """A store on the connection of a host's `Connection` or `Session`, which is asked for it at each call; or Django's.

    Raises:
        InvalidValue: the host is none of them.
    """
    if (alias := alias_of(host)) is not None:
        return on_alias(statements, alias, capabilities, classes)
    return BoundSqlStore(statements, partial(host_transaction, connection_of(host), statements), capabilities, classes)
