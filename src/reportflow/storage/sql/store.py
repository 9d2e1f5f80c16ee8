"""The contract on an SQL database, written once, sync."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, Self, TypeVar

from sqlalchemy import Connection, Engine, MetaData, PoolProxiedConnection
from sqlalchemy.exc import DataError, IntegrityError

from reportflow.errors import AlreadyExists, Conflict, InvalidValue, RecordNotFound
from reportflow.model.checks import type_problem
from reportflow.storage.base import Change, check_changes, keys_of, refuse_keys
from reportflow.storage.sql import schema
from reportflow.storage.sql.engine import make_engine
from reportflow.storage.sql.meanings import Border, Fate
from reportflow.storage.sql.prepared import RECORD, HostWork, OwnWork, Prepared, Work
from reportflow.storage.sql.reading import SqlReading
from reportflow.storage.sql.relay import SqlOffsets
from reportflow.storage.sql.rows import Row, changed_row, entry_rows, label_rows, record_row
from reportflow.storage.sql.schema import patiently
from reportflow.storage.sql.tables import PREFIX, Tables, make_tables

T = TypeVar("T")


class Write(NamedTuple):
    """A statement with its rows. One that compares raises `_Moved` unless it finds as many as it was given."""

    statement: Prepared
    rows: Sequence[dict[str, Any]]
    compares: bool = False


class _Moved(Exception):
    """A version or state was not the expected one, or something was there already."""


class SqlStore(SqlReading):
    """Records in an SQL database: SQLite, PostgreSQL or MariaDB.

    A fire on a record in hand is an UPDATE that compares version and state, and an INSERT of the entry, in one
    transaction; on PostgreSQL they are one statement. By id it is one SELECT more, before the transaction; where labels
    change, one or two statements more.

    Args:
        database: A database URL, or an `Engine` of the host, which then stays the host's to dispose of.
        create: Whether to make the tables where there are none.
        prefix: What the tables' names begin with.
        schema: The database schema that they are in.
        metadata: The `MetaData` to put them into; one of its own unless given.

    Attributes:
        capabilities: What it can do beyond the contract.

    Raises:
        InvalidURL: the URL is mistyped, or its engine is not supported.
        MissingExtra: the URL's driver is not installed.
        StorageUnavailable: the database cannot be opened, or has no tables and `create` is False.
        SchemaMismatch: the tables are of another version.
    """

    def __init__(
        self,
        database: str | Engine,
        *,
        create: bool = True,
        prefix: str = PREFIX,
        schema: str | None = None,
        metadata: MetaData | None = None,
    ) -> None:
        tables = make_tables(metadata, prefix=prefix, schema=schema)
        if isinstance(database, Engine):
            self._prepare(database.execution_options(isolation_level="AUTOCOMMIT"), False, tables)
        else:
            self._prepare(make_engine(database), True, tables)
        try:
            patiently(lambda: self._open(create))
        except BaseException:
            self.close()
            raise

    @classmethod
    def unopened(cls, engine: Engine, tables: Tables) -> Self:
        """A store whose tables nobody has looked for yet, on an engine of somebody's that is in autocommit mode."""
        made = cls.__new__(cls)
        made._prepare(engine, False, tables)
        return made

    def _like(self, kind: type[T], connection: Connection) -> T:
        """The same store, on one connection."""
        made = kind.__new__(kind)
        vars(made).update(vars(self), _given=connection, _owned=False)
        return made

    def on(self, connection: Connection) -> Self:
        """This store on a connection that somebody holds for it, without a transaction."""
        return self._like(type(self), connection)

    def bound_to(self, host: Any) -> BoundSqlStore:
        """A store that writes inside a transaction of the host's, and never begins, commits or rolls back there.

        Args:
            host: A `Connection` or a `Session` of SQLAlchemy on the same database.

        Raises:
            InvalidValue: it is neither.
        """
        connection = host if isinstance(host, Connection) else getattr(host, "connection", lambda: None)()
        if not isinstance(connection, Connection):
            raise InvalidValue("connection", *type_problem("sqlalchemy Connection | Session", host))
        return self._like(BoundSqlStore, connection)

    def _open(self, create: bool) -> None:
        schema.look_for(self._engine, create=create)
        with self._reading() as connection:
            schema.ensure(connection, self._tables, self._backend, create=create)

    @property
    def offsets(self) -> SqlOffsets:
        """Where relays keep how far they are; written outside any transaction of a host's."""
        return SqlOffsets(self._engine, self._tables, self._backend)

    def close(self) -> None:
        """See `Store.close`."""
        if self._owned:
            self._engine.dispose()

    # -- writing ------------------------------------------------------------------------------------------------

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store.commit`."""
        check_changes(changes)
        if not changes:
            return
        fate = Fate()
        with Border(self._engine, fate):
            try:
                self._keep(changes, fate)
            except (IntegrityError, self._engine.dialect.loaded_dbapi.IntegrityError, _Moved):
                self._explain(changes)
                raise Conflict([change.record.id for change in changes]) from None
            except (DataError, self._engine.dialect.loaded_dbapi.DataError):
                self._refuse_long(changes)
                raise

    def _keep(self, changes: Sequence[Change], fate: Fate) -> None:
        """Write it all, in one statement where that can be, else in one transaction.

        Raises:
            _Moved: a version or state is not the expected one.
            IntegrityError: an id or a key is taken.
        """
        # all of it is made before: whoever waits for the write lock waits for the database alone
        writes = [*self._writes(changes)]
        with self._pooled() as pooled:
            work = self._work(pooled)
            try:
                if len(writes) == 1 and self._backend.one_statement:
                    fate.unknown = True
                    self._write(work, writes)
                    return
                work.say(self._backend.begin)
                try:
                    self._write(work, writes)
                    fate.unknown = True
                    work.say("COMMIT")
                except Exception as error:
                    if not self._is_lost(error, pooled):
                        fate.unknown = False
                        self._roll_back(work, pooled)
                    raise
            finally:
                with suppress(Exception):
                    work.close()

    @staticmethod
    def _roll_back(work: OwnWork, pooled: PoolProxiedConnection) -> None:
        try:
            work.say("ROLLBACK")
        except Exception:  # what went wrong first is what must be heard
            pooled.invalidate()

    def _write(self, work: Work, writes: Sequence[Write]) -> None:
        for statement, rows, compares in writes:
            if not compares:
                work.write_all(statement, rows)
            elif work.write_each(statement, rows) != len(rows):
                raise _Moved

    def _writes(self, changes: Sequence[Change]) -> Iterator[Write]:
        """What a commit writes, in this order."""
        kept = self._kept
        if len(changes) == 1 and self._is_plain(changes[0]):
            [change] = changes
            [entry] = entry_rows(change.entries)
            names, row = self._set(change)
            if self._backend.one_statement:
                yield Write(kept.update_with_entry(names), [{**row, **entry}], compares=True)
            else:
                yield Write(kept.update_record(names), [row], compares=True)
                yield Write(kept.insert_entry, [entry])
            return
        changes = sorted(changes, key=lambda change: change.record.id)  # in one order, so that none waits for another
        fresh = [record_row(change.record) for change in changes if change.expected is None]
        if fresh:
            yield Write(kept.insert_record, fresh)
        sets = (self._set(change) for change in changes if change.expected is not None)
        for names, some in groupby(sets, key=itemgetter(0)):  # side by side only: the order of the rows stays
            yield Write(kept.update_record(names), [row for _, row in some], compares=True)
        yield Write(kept.insert_entry, [*entry_rows(entry for change in changes for entry in change.entries)])
        yield from self._labels(changes)

    @staticmethod
    def _is_plain(change: Change) -> bool:
        """Whether a record is replaced, with one entry, and its labels stay."""
        before = change.before
        same = before is not None and before.labels() == change.record.labels()
        return change.expected is not None and len(change.entries) == 1 and same

    def _set(self, change: Change) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Which columns a change sets, and the parameters of the UPDATE that compares version and state."""
        before, record = change.before, change.record
        row = record_row(record) if before is None else changed_row(before, record)
        row.pop("id", None)
        where = {"its_id": record.id, "its_version": change.expected, "its_state": change.source}
        return tuple(row), {**{RECORD + name: value for name, value in row.items()}, **where}

    def _labels(self, changes: Sequence[Change]) -> Iterator[Write]:
        moved = [c for c in changes if c.before is None or c.before.labels() != c.record.labels()]
        old = [{"its_id": change.record.id} for change in moved if change.expected is not None]
        if old:
            yield Write(self._kept.delete_labels, old)
        rows = [row for change in moved for row in label_rows(change.record)]
        if rows:
            yield Write(self._kept.insert_label, rows)

    def _explain(self, changes: Sequence[Change]) -> None:
        """Say in the contract's order why a commit failed, if it can still be seen.

        Raises:
            RecordNotFound, AlreadyExists, Conflict, DuplicateKey: the first that applies, naming all ids.
        """
        ids = [change.record.id for change in changes]
        keys = [key for (_, key), _ in keys_of(changes)]
        now = {id: at for id, *at in self._named(self._kept.versions, ids)}
        used = {(actor_id, key) for actor_id, key in self._named(self._kept.keys, keys)}
        missing = [c.record.id for c in changes if c.expected is not None and c.record.id not in now]
        if missing:
            raise RecordNotFound(missing)
        taken = [c.record.id for c in changes if c.expected is None and c.record.id in now]
        if taken:
            raise AlreadyExists(taken)
        moved = [c.record.id for c in changes if c.expected and now[c.record.id] != [c.expected, c.source]]
        if moved:
            raise Conflict(moved)
        refuse_keys(changes, used)

    def _refuse_long(self, changes: Sequence[Change]) -> None:
        """Say which text is longer than its column.

        Raises:
            InvalidValue: there is such a text; names its field.
        """
        if not self._backend.limits:
            return
        tables = self._tables
        written = (
            (tables.record, [record_row(change.record) for change in changes]),
            (tables.entry, [*entry_rows(entry for change in changes for entry in change.entries)]),
            (tables.label, [row for change in changes for row in label_rows(change.record)]),
        )
        for table, rows in written:
            limits = {column.name: length for column in table.c if (length := getattr(column.type, "length", None))}
            for row in rows:
                for name, limit in limits.items():
                    if isinstance(row.get(name), str) and len(row[name]) > limit:
                        field = row["name"] if table is tables.label else name
                        raise InvalidValue(field, "too_many", {"characters": len(row[name]), "limit": limit})


class BoundSqlStore(SqlStore):
    """The store inside a transaction of the host's: what it wrote is kept if the host commits, and only then.

    Nothing is begun, committed, rolled back or decided again here. A call that raises leaves the transaction usable,
    and nothing of itself in it.
    """

    def _keep(self, changes: Sequence[Change], fate: Fate) -> None:
        connection = self._given
        assert connection is not None
        self._refuse_long(changes)
        self._explain(changes)
        self._write_or_undo(HostWork(connection), changes)

    def _write_or_undo(self, work: Work, changes: Sequence[Change]) -> None:
        """Write it all, or take back what was written: an error of the database would break the host's transaction.

        An entry goes in first, unless its place or its key is taken: who has put it in may replace the record.
        """
        changes = sorted(changes, key=lambda change: change.record.id)
        kept = self._kept
        undo: list[tuple[Prepared, dict[str, Any]]] = []
        try:
            for change in changes:
                if change.expected is None:
                    self._put(work, kept.insert_record_unless, record_row(change.record))
                    undo.append((kept.delete_record, {"its_id": change.record.id}))
            for change in changes:
                for row in entry_rows(change.entries):
                    self._put(work, kept.insert_entry_unless, row)
                    place = {"its_id": row["record_id"], "its_sequence": row["sequence"]}
                    undo.append((kept.delete_entry, place))
            for change in changes:
                if change.expected is not None:
                    names, row = self._set(change)
                    self._put(work, kept.update_record(names), row)
        except (IntegrityError, _Moved):
            for statement, row in reversed(undo):
                work.write(statement, row)
            raise
        self._write(work, [*self._labels(changes)])

    @staticmethod
    def _put(work: Work, statement: Prepared, row: dict[str, Any]) -> None:
        if work.write(statement, row) != 1:
            raise _Moved

    def _ask(self, statement: Prepared, given: Mapping[str, Any]) -> Sequence[Row]:
        with self._reading() as connection:
            return HostWork(connection).read(statement, given)

    def close(self) -> None:
        """Nothing: the connection is the host's."""
