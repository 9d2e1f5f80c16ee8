"""The contract on an SQL database, written once, sync."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, MetaData, insert, select
from sqlalchemy import inspect as inspect_engine
from sqlalchemy.exc import IntegrityError

from reportflow.errors import (
    AlreadyExists,
    Conflict,
    RecordNotFound,
    SchemaMismatch,
    StorageBusy,
    StorageUnavailable,
)
from reportflow.model.checks import text_problem
from reportflow.model.entry import Entry, same_content
from reportflow.model.query import Page, Query, grouping, place_of
from reportflow.model.record import Record
from reportflow.storage.contract import Capabilities, Change, Group, Of, Posted, check_changes, keys_of, refuse_keys
from reportflow.storage.sql import statements
from reportflow.storage.sql.engine import (
    BUSY_TIMEOUT,
    WRITES,
    in_memory,
    make_engine,
    missing,
    translated,
    use_wal,
)
from reportflow.storage.sql.rows import BASE_FIELDS, entry_of, entry_row, label_rows, record_of, record_row
from reportflow.storage.sql.tables import PREFIX, SCHEMA_VERSION, make_tables

#: How many ids one statement names.
_CHUNK: Final = 500

T = TypeVar("T")


class _Moved(Exception):
    """A version or state was not the expected one."""


class SqlStore:
    """Records in an SQL database.

    A fire on a record in hand takes three statements in one transaction: the write lock, an UPDATE that compares
    version and state, an INSERT of the entry. By id it is one SELECT more, before the lock; where labels change, one
    or two more.

    Args:
        database: A database URL, or an `Engine` of the host, which then stays the host's to dispose of.
        create: Whether to make the tables where there are none.
        prefix: What the tables' names begin with.
        schema: The database schema that they are in.
        metadata: The `MetaData` to put them into; one of its own unless given.

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
        self._owned = not isinstance(database, Engine)
        self._engine = database if isinstance(database, Engine) else make_engine(database)
        self._tables = make_tables(metadata if metadata is not None else MetaData(), prefix=prefix, schema=schema)
        self._writes = self._engine.execution_options(**{WRITES: True})
        self._kept = statements.Kept(self._tables)
        on_disk = not in_memory(self._engine.url)
        self.capabilities = Capabilities(durable=on_disk, shared=on_disk)
        try:
            self._patiently(lambda: self._open(create))
        except BaseException:
            self.close()
            raise

    # -- opening ------------------------------------------------------------------------------------------------

    def _patiently(self, work: Callable[[], T]) -> T:
        """Do it again while another process holds the file: several may open a new one at the same moment."""
        deadline = time.monotonic() + BUSY_TIMEOUT
        while True:
            try:
                return work()
            except StorageBusy:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _open(self, create: bool) -> None:
        if not create and missing(self._engine.url):
            raise StorageUnavailable(self._said, "no tables", "create")
        with translated(self._engine):
            with self._engine.connect() as connection:
                ready = self._ready(connection)
            if ready:
                return
            if not create:
                raise StorageUnavailable(self._said, "no tables", "create")
            use_wal(self._engine)
            with self._writes.begin() as connection:
                if not self._ready(connection):
                    self._tables.meta.metadata.create_all(connection, self._tables.all)
                    row = {"name": "schema_version", "value": SCHEMA_VERSION}
                    connection.execute(insert(self._tables.meta), row)

    def _ready(self, connection: Connection) -> bool:
        """Whether the tables are there, and of this version.

        Raises:
            SchemaMismatch: they are there, and are of another.
        """
        look, schema = inspect_engine(connection), self._tables.meta.schema
        names = {*look.get_table_names(schema), *look.get_view_names(schema)}
        mine = {table.name for table in self._tables.all}
        if not names & mine:
            return False
        found = None
        if self._tables.meta.name in names and {c["name"] for c in self._columns(connection)} >= {"name", "value"}:
            meta = self._tables.meta.c
            found = connection.scalar(select(meta.value).where(meta.name == "schema_version"))
        if found is None:
            raise SchemaMismatch(self._said, "unknown", SCHEMA_VERSION, "foreign")
        if found == SCHEMA_VERSION and not mine <= names:
            raise SchemaMismatch(self._said, found, SCHEMA_VERSION, "incomplete")
        if found != SCHEMA_VERSION:
            advice = "newer" if found.isdecimal() and int(found) > int(SCHEMA_VERSION) else "older"
            raise SchemaMismatch(self._said, found, SCHEMA_VERSION, advice)
        return True

    def _columns(self, connection: Connection) -> list[Any]:
        return list(inspect_engine(connection).get_columns(self._tables.meta.name, self._tables.meta.schema))

    @property
    def _said(self) -> str:
        return self._engine.url.render_as_string(hide_password=True)

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
        with translated(self._engine):
            try:
                with self._writes.begin() as connection:
                    self._keep(connection, changes)
            except (IntegrityError, _Moved):
                self._explain(changes)
                raise Conflict([change.record.id for change in changes]) from None

    def _keep(self, connection: Connection, changes: Sequence[Change]) -> None:
        """Write it all.

        Raises:
            _Moved: a version or state is not the expected one.
            IntegrityError: an id or a key is taken.
        """
        fresh = [record_row(change.record) for change in changes if change.expected is None]
        if fresh:
            connection.execute(self._kept.insert_record, fresh)
        for change in changes:
            if change.expected is not None:
                self._replace(connection, change)
        entries = [entry_row(entry) for change in changes for entry in change.entries]
        connection.execute(self._kept.insert_entry, entries)
        self._label(connection, changes)

    def _replace(self, connection: Connection, change: Change) -> None:
        """The compare-and-set: version and state are compared inside the UPDATE, its row count is the verdict."""
        row = record_row(change.record)
        if change.before is not None and same_content(change.before, change.record, but=BASE_FIELDS):
            del row["text"], row["data"]  # most acts leave the long columns as they are
        where = {"its_id": row.pop("id"), "its_version": change.expected, "its_state": change.source}
        if connection.execute(self._kept.update_record, {**row, **where}).rowcount != 1:
            raise _Moved

    def _label(self, connection: Connection, changes: Sequence[Change]) -> None:
        moved = [c for c in changes if c.before is None or c.before.labels() != c.record.labels()]
        old = [change.record.id for change in moved if change.expected is not None]
        if old:
            connection.execute(self._kept.delete_labels, {"ids": old})
        rows = [row for change in moved for row in label_rows(change.record)]
        if rows:
            connection.execute(self._kept.insert_label, rows)

    def _explain(self, changes: Sequence[Change]) -> None:
        """Say in the contract's order why a commit failed, if it can still be seen.

        Raises:
            RecordNotFound, AlreadyExists, Conflict, DuplicateKey: the first that applies, naming all ids.
        """
        ids = [change.record.id for change in changes]
        keys = [key for (_, key), _ in keys_of(changes)]
        now: dict[str, tuple[int, str]] = {}
        used: dict[tuple[str, str], bool] = {}
        with self._reading() as connection:
            for some in _chunks(ids):
                found = connection.execute(self._kept.versions, {"ids": some})
                now.update((row.id, (row.version, row.state)) for row in found)
            for some in _chunks(keys):
                taken_keys = connection.execute(self._kept.keys, {"keys": some})
                used.update(((row.actor_id, row.key), True) for row in taken_keys)
        missing = [c.record.id for c in changes if c.expected is not None and c.record.id not in now]
        if missing:
            raise RecordNotFound(missing)
        taken = [c.record.id for c in changes if c.expected is None and c.record.id in now]
        if taken:
            raise AlreadyExists(taken)
        moved = [c.record.id for c in changes if c.expected and now[c.record.id] != (c.expected, c.source)]
        if moved:
            raise Conflict(moved)
        refuse_keys(changes, used)

    # -- reading ------------------------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated(self._engine), self._engine.connect() as connection:
            yield connection

    def get(self, ids: Sequence[str]) -> list[Record]:
        """See `Store.get`."""
        found: dict[str, Record] = {}
        with self._reading() as connection:
            for some in _chunks(_storable(ids)):
                rows = connection.execute(self._kept.records, {"ids": some}).mappings()
                found.update((row["id"], record_of(row)) for row in rows)
        missing = [id for id in ids if id not in found]
        if missing:
            raise RecordNotFound(dict.fromkeys(missing))
        return [found[id] for id in ids]

    def find(self, query: Query) -> Page:
        """See `Store.find`."""
        statement = statements.page(self._tables, query)
        with self._reading() as connection:
            rows = connection.execute(statement).mappings().all()
        records = tuple(record_of(row) for row in rows[: query.limit])
        if len(rows) <= query.limit:
            return Page(records)
        names = [name for name, _ in query.sort_keys()]
        return Page(records, query.cursor_after(place_of(records[-1], names)))

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        """See `Store.count`."""
        chosen = grouping(of, group)
        statement = statements.count(self._tables, query, of, chosen)
        with self._reading() as connection:
            return {tuple(row[:-1]): row[-1] for row in connection.execute(statement)}

    def history(self, ids: Sequence[str]) -> list[Entry]:
        """See `Store.history`."""
        by_id: dict[str, list[Entry]] = {id: [] for id in ids}
        with self._reading() as connection:
            for some in _chunks(_storable(by_id)):
                for row in connection.execute(self._kept.history, {"ids": some}).mappings():
                    by_id[row["record_id"]].append(entry_of(row))
        return [one for id in ids for one in by_id[id]]

    def keyed(self, actor_id: str, key: str) -> Entry | None:
        """See `Store.keyed`."""
        if len(_storable((actor_id, key))) < 2:
            return None
        with self._reading() as connection:
            row = connection.execute(self._kept.keyed, {"actor_id": actor_id, "its_key": key}).mappings().first()
        return None if row is None else entry_of(row)

    def feed(self, after: int | None = None, limit: int = 100) -> list[Posted]:
        """See `Store.feed`."""
        with self._reading() as connection:
            rows = connection.execute(self._kept.feed, {"after": after or 0, "most": limit}).mappings().all()
        return [Posted(position=row["position"], entry=entry_of(row)) for row in rows]


def _storable(texts: Iterable[str]) -> list[str]:
    """Those that may be kept: a driver need not take any other, and there are none to be found."""
    return [text for text in texts if text_problem(text) is None]


def _chunks(ids: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while some := list(islice(rest, _CHUNK)):
        yield some
