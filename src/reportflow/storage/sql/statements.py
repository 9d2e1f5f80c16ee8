"""The statements of a store, prepared once for its engine: those that never change, and those of the latest queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.sql.expression import ClauseElement

from reportflow.model.checks import text_problem
from reportflow.model.query import Query
from reportflow.storage.base import Of
from reportflow.storage.sql import queries
from reportflow.storage.sql.dialects import Backend, backend_of, safe_url
from reportflow.storage.sql.executor import Executor, PreparedStatement, Reading, Row
from reportflow.storage.sql.schema import CONTENT_COLUMNS, ENTRY_COLUMNS, RECORD_COLUMNS, SEALED_COLUMNS, Tables
from reportflow.storage.sql.shapes import shape_of

#: What is before the name of a record's column in a statement that writes an entry too.
RECORD: Final = "record_"
#: How many names one statement looks up at the most: a power of two.
_MOST_NAMES: Final = 512


class Stale(Exception):
    """A stored version or head was not the expected one, or something existed already."""


class Lookup:
    """A SELECT of the rows whose column is one of some names.

    Prepared for one name, two, four and so on: the last name is repeated up to the next of these numbers, so that few
    statements serve any number of names.
    """

    def __init__(
        self, statement: sa.Select[*tuple[Any, ...]], column: sa.ColumnElement[str], dialect: sa.Dialect
    ) -> None:
        self._statement = statement
        self._column = column
        self._dialect = dialect
        self._sized = cache(self._prepare)
        self.one: PreparedStatement = self._sized(1)

    def parts(self, names: Sequence[str]) -> Iterator[tuple[PreparedStatement, dict[str, str]]]:
        """The statements to run, with their parameters: one, unless there are very many names."""
        for start in range(0, len(names), _MOST_NAMES):
            some = names[start : start + _MOST_NAMES]
            size = 1 << (len(some) - 1).bit_length()
            padded = (*some, *[some[-1]] * (size - len(some)))
            yield self._sized(size), {f"name_{number}": name for number, name in enumerate(padded)}

    def rows(self, executor: Executor, names: Iterable[str], of: Reading = "records") -> Sequence[Row]:
        """The rows of what is named; of what cannot have been stored there are none."""
        some = storable(names)
        if len(some) == 1:
            return executor.read(self.one, {"name_0": some[0]}, of)
        return [row for statement, values in self.parts(some) for row in executor.read(statement, values, of)]

    def _prepare(self, size: int) -> PreparedStatement:
        names: list[sa.BindParameter[str]] = [sa.bindparam(f"name_{n}", type_=self._column.type) for n in range(size)]
        where = self._column == names[0] if size == 1 else self._column.in_(names)
        return PreparedStatement(self._statement.where(where), self._dialect)


def storable(texts: Iterable[str]) -> list[str]:
    """The texts that may be stored: a driver need not take any other, and there are none to be found."""
    return [text for text in texts if text_problem(text) is None]


def bound(*names: str) -> dict[str, Any]:
    """The values of an INSERT or UPDATE: each column has the parameter of its name."""
    return {name: sa.bindparam(name) for name in names}


def equals(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """Whether a column has the value of a parameter of its type."""
    return column == sa.bindparam(name, type_=column.type)


class StatementCache:
    """All prepared statements of one store's tables on one engine. Safe for threads.

    Attributes:
        schema: The name of the tables' schema, for which an engine may put another one.
        engine: The engine.
        url: Its URL, without the password.
        conflicts: The errors of a write that was too late: `Stale`, and what the driver and SQLAlchemy raise where an
            id, a sequence or a key is taken.
        misfits: The errors of a value that does not fit its column.
        by_alias: The same tables by the connections of Django on which a host used them, by their alias.
    """

    def __init__(self, tables: Tables, engine: sa.Engine, schema: str | None = None) -> None:
        dialect, backend = engine.dialect, backend_of(engine)
        self.tables: Tables = tables
        self.dialect: sa.Dialect = dialect
        self.backend: Backend = backend
        self.schema: str | None = schema
        self.engine: sa.Engine = engine
        self.url: str = safe_url(engine)
        self.by_alias: dict[str, Any] = {}
        driver = dialect.loaded_dbapi
        self.conflicts: tuple[type[Exception], ...] = (Stale, IntegrityError, driver.IntegrityError)
        misfit = getattr(driver, "DataError", DataError)  # aiosqlite has none
        self.misfits: tuple[type[Exception], ...] = (DataError, misfit)
        # queries are values, and people ask the same again and again, page by page, but for whom and what they name
        self._pages: Callable[[Query, int | None], PreparedStatement] = lru_cache(maxsize=256)(self._page)
        self._counts: Callable[[Query, Of, tuple[str, ...]], PreparedStatement] = lru_cache(maxsize=64)(self._count)
        self.update_record: Callable[[tuple[str, ...]], PreparedStatement] = cache(self._update_record)
        self.update_with_entry: Callable[[tuple[str, ...]], PreparedStatement] = cache(self._update_with_entry)
        record, entry, label = tables.record, tables.entry, tables.label
        self._entry_columns = [column.name for column in entry.c if column.name not in ("id", "position")]
        record_row, entry_row, label_row = bound(*record.c.keys()), bound(*self._entry_columns), bound(*label.c.keys())
        if backend.positions_on_insert:
            last = sa.func.coalesce(sa.func.max(entry.c.position), sa.literal_column("0"))
            entry_row["position"] = sa.select(last + sa.literal_column("1")).scalar_subquery()
        prepare = self.prepare
        self.insert_record: PreparedStatement = self.streamed(record, record_row)
        self.insert_entry: PreparedStatement = self.streamed(entry, entry_row)
        self.insert_label: PreparedStatement = self.streamed(label, label_row)
        its_place = equals(entry.c.record_id, "its_id"), equals(entry.c.sequence, "its_sequence")
        self.delete_labels: PreparedStatement = prepare(sa.delete(label).where(equals(label.c.record_id, "its_id")))
        the_same = equals(entry.c.digest, "its_digest")
        remains = sa.update(entry).where(*its_place, the_same).values(bound(*CONTENT_COLUMNS))
        self.replace_content: PreparedStatement = prepare(remains)
        self._prepare_reads(record, entry)
        self._prepare_positions(entry, tables.meta)

    def _prepare_reads(self, record: sa.Table, entry: sa.Table) -> None:
        dialect, entries = self.dialect, sa.select(*(entry.c[name] for name in (*ENTRY_COLUMNS, "details")))
        in_order = entries.order_by(entry.c.record_id, entry.c.sequence)
        self.records: Lookup = Lookup(sa.select(*(record.c[name] for name in RECORD_COLUMNS)), record.c.id, dialect)
        self.longest_title: PreparedStatement = self.prepare(
            sa.select(sa.func.max(sa.func.char_length(record.c.title)))
        )
        self.versions: Lookup = Lookup(sa.select(record.c.id, record.c.version, record.c.head), record.c.id, dialect)
        self.histories: Lookup = Lookup(in_order, entry.c.record_id, dialect)
        self.keys: Lookup = Lookup(sa.select(entry.c.actor_id, entry.c.key), entry.c.key, dialect)
        its_key = equals(entry.c.actor_id, "its_actor"), equals(entry.c.key, "its_key")
        self.by_key: PreparedStatement = self.prepare(entries.where(*its_key))
        behind = entry.c.position > sa.bindparam("after", type_=entry.c.position.type)
        feed = entries.add_columns(entry.c.position).where(behind).order_by(entry.c.position)
        self.feed: PreparedStatement = self.prepare(feed.limit(sa.bindparam("most")))
        stored: list[Any] = [entry.c[name] for name in SEALED_COLUMNS]
        its_id, its_sequence = entry.c.record_id, entry.c.sequence
        after_id: Any = sa.bindparam("after_record_id", type_=its_id.type)
        if dialect.name == "sqlite":  # it is given the bytes of an id that is no text
            after_id = sa.cast(sa.bindparam("after_record_id", type_=sa.LargeBinary()), sa.Text)
        after = sa.tuple_(after_id, sa.bindparam("after_sequence", type_=its_sequence.type))
        behind_place = sa.tuple_(its_id, its_sequence) > after
        sealed = sa.select(*stored).order_by(entry.c.record_id, entry.c.sequence).limit(sa.bindparam("most"))
        self.sealed: PreparedStatement = self.prepare(sealed)
        self.sealed_after: PreparedStatement = self.prepare(sealed.where(behind_place))

    def _prepare_positions(self, entry: sa.Table, meta: sa.Table) -> None:
        no_position, last = entry.c.position.is_(None), meta.c.name == "position"
        # in the order in which they were written, which for the entries of one record is their own
        waiting = sa.select(entry.c.id).where(no_position).order_by(entry.c.id).limit(sa.bindparam("most"))
        # with the last position of that moment: of a later one the entries might have theirs
        last_value = sa.select(meta.c.value).where(last).scalar_subquery()
        assign = sa.update(entry).where(equals(entry.c.id, "its_id"), no_position)
        move = sa.update(meta).where(last, equals(meta.c.value, "seen"))
        self.without_position: PreparedStatement = self.prepare(waiting.add_columns(last_value))
        self.assign_position: PreparedStatement = self.prepare(assign.values(position=sa.bindparam("its_position")))
        self.last_position: PreparedStatement = self.prepare(sa.select(meta.c.value).where(last))
        self.move_last_position: PreparedStatement = self.prepare(move.values(value=sa.bindparam("reached")))

    def prepare(self, statement: ClauseElement) -> PreparedStatement:
        """Any statement, compiled for this engine."""
        return PreparedStatement(statement, self.dialect)

    def streamed(self, table: sa.Table, values: dict[str, Any]) -> PreparedStatement:
        """An INSERT of rows; on PostgreSQL, where a driver can, many of them in one stream."""
        made = self.prepare(sa.insert(table).values(values))
        if self.dialect.name == "postgresql" and not self.dialect.is_async:
            preparer = self.dialect.identifier_preparer
            columns = ", ".join(preparer.format_column(table.c[name]) for name in values)
            made.copy = f"COPY {preparer.format_table(table)} ({columns}) FROM STDIN", tuple(values)
        return made

    def page(self, query: Query, key_bytes: int | None) -> PreparedStatement:
        """The records of a query; see `_page`."""
        shape, values = shape_of(query)
        return self._pages(shape, key_bytes).filled(values)

    def count(self, query: Query, of: Of, group: tuple[str, ...]) -> PreparedStatement:
        """How many records or entries of a query there are, by group."""
        shape, values = shape_of(query)
        return self._counts(shape, of, group).filled(values)

    def _page(self, query: Query, key_bytes: int | None) -> PreparedStatement:
        """A page; of MariaDB, sorted by keys of so many bytes, for some of which it must have memory."""
        made = self.prepare(queries.page(self.tables, query, self.backend.position_function))
        if key_bytes is not None:
            memory = 2**21 + 20 * key_bytes
            made.sql = f"SET STATEMENT max_sort_length = {key_bytes}, sort_buffer_size = {memory} FOR {made.sql}"
        return made

    def _count(self, query: Query, of: Of, group: tuple[str, ...]) -> PreparedStatement:
        return self.prepare(queries.count(self.tables, query, of, group, self.backend.position_function))

    def _update(self, names: tuple[str, ...]) -> sa.Update:
        record = self.tables.record
        expected = [equals(record.c[name], f"its_{name}") for name in ("id", "version", "head")]
        values: dict[str, Any] = {name: sa.bindparam(RECORD + name, type_=record.c[name].type) for name in names}
        return sa.update(record).where(*expected).values(values)

    def _update_record(self, names: tuple[str, ...]) -> PreparedStatement:
        """Sets some columns of a record, where version and head are as expected: the row count is the verdict."""
        return self.prepare(self._update(names))

    def _update_with_entry(self, names: tuple[str, ...]) -> PreparedStatement:
        """The same, and inserts the entry if a row was updated: one statement, one way to the server and back."""
        entry, columns = self.tables.entry, self._entry_columns
        updated = self._update(names).returning(self.tables.record.c.id).cte("updated")
        values: list[Any] = [sa.bindparam(name, type_=entry.c[name].type) for name in columns]
        found = sa.select(*values).select_from(updated)
        return self.prepare(sa.insert(entry).from_select(columns, found).add_cte(updated))
