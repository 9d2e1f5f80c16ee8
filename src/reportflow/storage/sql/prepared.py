"""Statements that never change, compiled once for an engine and run on the cursor of its driver.

SQLAlchemy says how each engine wants them written; what it would do at every run beside that costs more than the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    PoolProxiedConnection,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.expression import ClauseElement

from reportflow.storage.sql.engine import Backend
from reportflow.storage.sql.rows import ENTRY_COLUMNS, RECORD_COLUMNS, Row
from reportflow.storage.sql.tables import Tables

#: From how many rows on a stream is begun for them.
_MANY: Final = 20
#: What is before the name of a record's column in a statement that writes an entry too.
RECORD: Final = "record_"


def columns_of(table: Table) -> list[str]:
    """The names of a table's columns, in order."""
    return [column.name for column in table.c]


class Prepared:
    """One statement, as a driver takes it."""

    __slots__ = ("_given", "_in_order", "_named", "copy", "sql")

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        open_ones = {name: None for name, parameter in compiled.binds.items() if parameter.required}
        written = compiled.construct_expanded_state(open_ones)
        self.sql: str = written.statement
        #: For many rows: how the engine takes them in one stream, where it can, and the columns in that order.
        self.copy: tuple[str, tuple[str, ...]] | None = None
        names = tuple(written.positiontup) if compiled.positional else ()
        self._in_order: Callable[[Mapping[str, Any]], tuple[Any, ...]] = (
            itemgetter(*names) if len(names) > 1 else lambda row: tuple([row[name] for name in names])
        )
        self._named = not compiled.positional
        #: The parameters that the statement itself brings.
        self._given = {name: value for name, value in written.parameters.items() if name not in open_ones}

    def values(self, row: Mapping[str, Any]) -> Any:
        """The parameters of the statement, the way its driver counts them."""
        if self._given:
            row = {**self._given, **row}
        return row if self._named else self._in_order(row)


class Asked(NamedTuple):
    """A SELECT of what is named, once or many times: the name, or the names, are its parameter ``named``."""

    one: Prepared
    many: Executable


class Work(Protocol):
    """Something that runs prepared statements, all on one connection."""

    def write(self, statement: Prepared, row: Mapping[str, Any]) -> int:
        """Run it; the number of rows that it wrote."""
        ...

    def write_all(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each row."""
        ...

    def write_each(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run it for each row; the number of rows that were written in all."""
        ...

    def read(self, statement: Prepared, row: Mapping[str, Any]) -> Sequence[Row]:
        """The rows that it gives."""
        ...


class OwnWork:
    """On the driver's cursor, of a connection whose transactions are the library's."""

    def __init__(self, pooled: PoolProxiedConnection) -> None:
        self._cursor = pooled.cursor()

    def say(self, sql: str) -> None:
        """Begin or end a transaction."""
        self._cursor.execute(sql)

    def write(self, statement: Prepared, row: Mapping[str, Any]) -> int:
        """See `Work.write`."""
        self._cursor.execute(statement.sql, statement.values(row))
        return int(self._cursor.rowcount)

    def write_all(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        """See `Work.write_all`."""
        stream: Any = getattr(self._cursor, "copy", None) if statement.copy and len(rows) >= _MANY else None
        if len(rows) == 1:
            self._cursor.execute(statement.sql, statement.values(rows[0]))
        elif stream is not None and statement.copy is not None:
            sql, names = statement.copy
            with stream(sql) as taking:
                for row in rows:
                    taking.write_row([row[name] for name in names])
        else:
            self._cursor.executemany(statement.sql, [statement.values(row) for row in rows])

    def write_each(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> int:
        """See `Work.write_each`."""
        if len(rows) == 1:
            return self.write(statement, rows[0])
        self._cursor.executemany(statement.sql, [statement.values(row) for row in rows])
        return int(self._cursor.rowcount)

    def read(self, statement: Prepared, row: Mapping[str, Any]) -> Sequence[Row]:
        """See `Work.read`."""
        self._cursor.execute(statement.sql, statement.values(row))
        found: Sequence[Row] = self._cursor.fetchall()
        return found

    def close(self) -> None:
        """Let go of the cursor."""
        self._cursor.close()


class HostWork:
    """On a connection of the host's, by way of SQLAlchemy, which must know what happens in its transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _run(self, statement: Prepared, values: Any) -> Any:
        # an INSERT's row count is -1 unless it is asked for
        return self._connection.exec_driver_sql(statement.sql, values, execution_options={"preserve_rowcount": True})

    def write(self, statement: Prepared, row: Mapping[str, Any]) -> int:
        """See `Work.write`."""
        return int(self._run(statement, statement.values(row)).rowcount)

    def write_all(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        """See `Work.write_all`."""
        self._run(statement, [statement.values(row) for row in rows])

    def write_each(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> int:
        """See `Work.write_each`."""
        return sum(self.write(statement, row) for row in rows)

    def read(self, statement: Prepared, row: Mapping[str, Any]) -> Sequence[Row]:
        """See `Work.read`."""
        found: Sequence[Row] = self._run(statement, statement.values(row)).all()
        return found


def _insert_unless(table: Table, dialect: Dialect) -> Any:
    """An INSERT that leaves alone what is there, and says so by its row count; MariaDB's raises, and breaks nothing."""
    if dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing() if dialect.name == "sqlite" else insert(table)


class Kept:
    """All the statements that never change, for one engine."""

    def __init__(self, tables: Tables, dialect: Dialect, backend: Backend) -> None:
        self._tables = tables
        self._dialect = dialect
        record, entry, label, meta = tables.record, tables.entry, tables.label, tables.meta
        self._updates: dict[tuple[str, ...], Prepared] = {}
        self._both: dict[tuple[str, ...], Prepared] = {}
        written = [name for name in columns_of(entry) if name not in ("id", "position")]
        self._entry_columns = written
        values: dict[str, Any] = {name: bindparam(name) for name in written}
        if backend.numbers:
            last = func.coalesce(func.max(entry.c.position), literal_column("0"))
            values["position"] = select(last + literal_column("1")).scalar_subquery()
        whole: dict[str, Any] = {name: bindparam(name) for name in columns_of(record)}
        self.insert_entry = self._streamed(self._made(insert(entry).values(values)), entry, written)
        self.insert_record = self._streamed(self._made(insert(record).values(whole)), record, list(whole))
        self.insert_entry_unless = self._made(_insert_unless(entry, dialect).values(values))
        self.insert_record_unless = self._made(_insert_unless(record, dialect).values(whole))
        named = columns_of(label)
        one_label = self._made(insert(label).values({name: bindparam(name) for name in named}))
        self.insert_label = self._streamed(one_label, label, named)
        its_id: BindParameter[str] = bindparam("its_id", type_=record.c.id.type)
        self.delete_labels = self._made(delete(label).where(label.c.record_id == its_id))
        self.delete_record = self._made(delete(record).where(record.c.id == its_id))
        its_sequence: BindParameter[int] = bindparam("its_sequence", type_=entry.c.sequence.type)
        self.delete_entry = self._made(
            delete(entry).where(entry.c.record_id == its_id, entry.c.sequence == its_sequence)
        )
        entries = select(*(entry.c[name] for name in ENTRY_COLUMNS))
        self.records = self._asked(select(*(record.c[name] for name in RECORD_COLUMNS)), record.c.id)
        self.versions = self._asked(select(record.c.id, record.c.version, record.c.state), record.c.id)
        self.histories = self._asked(entries.order_by(entry.c.record_id, entry.c.sequence), entry.c.record_id)
        self.keys = self._asked(select(entry.c.actor_id, entry.c.key), entry.c.key)
        self.by_key = self._made(
            entries.where(
                entry.c.actor_id == bindparam("its_actor", type_=entry.c.actor_id.type),
                entry.c.key == bindparam("its_key", type_=entry.c.key.type),
            ),
        )
        self.feed = (
            entries.add_columns(entry.c.position)
            .where(entry.c.position > bindparam("after"))
            .order_by(entry.c.position)
            .limit(bindparam("most"))
        )
        # in the order in which they were written, which for the entries of one record is their own
        self.unnumbered = (
            select(entry.c.id).where(entry.c.position.is_(None)).order_by(entry.c.id).limit(bindparam("most"))
        )
        self.number = (
            update(entry)
            .where(entry.c.id == bindparam("its_id"), entry.c.position.is_(None))
            .values(position=bindparam("its_position"))
        )
        self.last = select(meta.c.value).where(meta.c.name == "position")
        self.move = (
            update(meta)
            .where(meta.c.name == "position", meta.c.value == bindparam("seen"))
            .values(value=bindparam("reached"))
        )

    def _made(self, statement: ClauseElement) -> Prepared:
        return Prepared(statement, self._dialect)

    def _asked(self, statement: Select[Any], column: ColumnElement[str]) -> Asked:
        one: BindParameter[str] = bindparam("named", type_=column.type)
        many: BindParameter[str] = bindparam("named", expanding=True)
        return Asked(self._made(statement.where(column == one)), statement.where(column.in_(many)))

    def _streamed(self, statement: Prepared, table: Table, names: Sequence[str]) -> Prepared:
        if self._dialect.name == "postgresql":
            said = self._dialect.identifier_preparer
            columns = ", ".join(said.format_column(table.c[name]) for name in names)
            statement.copy = f"COPY {said.format_table(table)} ({columns}) FROM STDIN", tuple(names)
        return statement

    def _compared(self) -> list[Any]:
        record = self._tables.record
        return [
            record.c.id == bindparam("its_id", type_=record.c.id.type),
            record.c.version == bindparam("its_version", type_=record.c.version.type),
            record.c.state == bindparam("its_state", type_=record.c.state.type),
        ]

    def update_record(self, names: tuple[str, ...]) -> Prepared:
        """Sets some columns of a record, where version and state are as expected: the row count is the verdict."""
        made = self._updates.get(names)
        if made is None:
            record = self._tables.record
            values = {name: bindparam(RECORD + name, type_=record.c[name].type) for name in names}
            made = self._updates[names] = self._made(update(record).where(*self._compared()).values(values))
        return made

    def update_with_entry(self, names: tuple[str, ...]) -> Prepared:
        """The same, and writes the entry if that came to pass: one statement, one way to the server and back."""
        made = self._both.get(names)
        if made is None:
            record, entry = self._tables.record, self._tables.entry
            values = {name: bindparam(RECORD + name, type_=record.c[name].type) for name in names}
            moved = update(record).where(*self._compared()).values(values).returning(record.c.id).cte("moved")
            told: list[Any] = [bindparam(name, type_=entry.c[name].type) for name in self._entry_columns]
            both = insert(entry).from_select(self._entry_columns, select(*told).select_from(moved)).add_cte(moved)
            made = self._both[names] = self._made(both)
        return made
