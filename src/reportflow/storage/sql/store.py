"""The contract on an SQL database, written once, sync."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from itertools import islice
from typing import Any, Final, Self, TypeVar

from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.exc import IntegrityError

from reportflow.errors import AlreadyExists, Conflict, InvalidValue, RecordNotFound, StorageBusy, StorageUnavailable
from reportflow.model.checks import text_problem, wrong
from reportflow.model.entry import Entry
from reportflow.model.query import Page, Query, grouping, place_of
from reportflow.model.record import Record
from reportflow.storage.contract import Capabilities, Change, Group, Of, Posted, check_changes, keys_of, refuse_keys
from reportflow.storage.sql import numbering, schema, statements
from reportflow.storage.sql.engine import BUSY_TIMEOUT, backend_of, in_memory, make_engine, missing
from reportflow.storage.sql.meanings import Fate, said, translated
from reportflow.storage.sql.prepared import ENTRY, RECORD, HostWork, Kept, OwnWork, Work
from reportflow.storage.sql.relay import SqlOffsets
from reportflow.storage.sql.rows import changed_row, entry_of, entry_row, label_rows, record_of, record_row
from reportflow.storage.sql.tables import PREFIX, Tables, make_tables

#: How many ids one statement names.
_CHUNK: Final = 500

T = TypeVar("T")


class _Moved(Exception):
    """A version or state was not the expected one, or something was there already."""


class SqlStore:
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
        made = make_tables(metadata if metadata is not None else MetaData(), prefix=prefix, schema=schema)
        self._prepare(database, made)
        try:
            self._patiently(lambda: self._open(create))
        except BaseException:
            self.close()
            raise

    def _prepare(self, database: str | Engine, tables: Tables) -> None:
        self._owned = not isinstance(database, Engine)
        engine = database if isinstance(database, Engine) else make_engine(database)
        self._backend = backend_of(engine)
        self._engine = engine if self._owned else engine.execution_options(isolation_level="AUTOCOMMIT")
        self._tables = tables
        self._kept = Kept(self._tables, engine.dialect, self._backend)
        self._given: Connection | None = None
        on_disk = not in_memory(engine.url)
        self.capabilities = Capabilities(durable=on_disk, shared=on_disk, host_transaction=True)

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
            raise InvalidValue("connection", *wrong("sqlalchemy Connection | Session", host))
        return self._like(BoundSqlStore, connection)

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
            raise StorageUnavailable(said(self._engine), "no tables", "create")
        with self._reading() as connection:
            schema.ensure(connection, self._tables, self._backend, create=create)

    @property
    def engine(self) -> Engine:
        """The engine that it works on, in autocommit mode."""
        return self._engine

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
        with translated(self._engine, fate):
            try:
                self._keep(changes, fate)
            except (IntegrityError, self._engine.dialect.loaded_dbapi.IntegrityError, _Moved):
                self._explain(changes)
                raise Conflict([change.record.id for change in changes]) from None

    def _keep(self, changes: Sequence[Change], fate: Fate) -> None:
        """Write it all, in one statement where that can be, else in one transaction.

        Raises:
            _Moved: a version or state is not the expected one.
            IntegrityError: an id or a key is taken.
        """
        with self._connected() as connection:
            work = self._work(connection)
            try:
                if self._backend.one_statement and len(changes) == 1 and self._is_plain(changes[0]):
                    fate.unknown = True
                    self._replace_with_entry(work, changes[0])
                    return
                work.say(self._backend.begin)
                self._write(work, changes)
                fate.unknown = True
                work.say("COMMIT")
            except Exception as error:
                if self._is_lost(error, connection):
                    connection.invalidate()
                else:
                    with suppress(Exception):  # what went wrong first is what must be heard
                        work.say("ROLLBACK")
                raise
            except BaseException:  # whoever is stopped in the middle leaves no half of it behind
                connection.invalidate()
                raise
            finally:
                with suppress(Exception):
                    work.close()

    def _is_lost(self, error: Exception, connection: Connection) -> bool:
        dialect = self._engine.dialect
        known: Any = error if isinstance(error, dialect.loaded_dbapi.Error) else None
        return known is not None and dialect.is_disconnect(known, connection.connection.dbapi_connection, None)

    @staticmethod
    def _is_plain(change: Change) -> bool:
        """Whether a record is replaced, with one entry, and its labels stay."""
        before = change.before
        same = before is not None and before.labels() == change.record.labels()
        return change.expected is not None and len(change.entries) == 1 and same

    def _write(self, work: Work, changes: Sequence[Change]) -> None:
        changes = sorted(changes, key=lambda change: change.record.id)  # in one order, so that none waits for another
        fresh = [record_row(change.record) for change in changes if change.expected is None]
        if fresh:
            work.write_all(self._kept.insert_record, fresh)
        for change in changes:
            if change.expected is not None:
                self._replace(work, change)
        work.write_all(self._kept.insert_entry, [entry_row(entry) for change in changes for entry in change.entries])
        self._label(work, changes)

    def _set(self, change: Change) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Which columns a change sets, and the parameters of the UPDATE that compares version and state."""
        before, record = change.before, change.record
        row = record_row(record) if before is None else changed_row(before, record)
        row.pop("id", None)
        where = {"its_id": record.id, "its_version": change.expected, "its_state": change.source}
        return tuple(row), {**{RECORD + name: value for name, value in row.items()}, **where}

    def _replace(self, work: Work, change: Change) -> None:
        """The compare-and-set: version and state are compared inside the UPDATE, its row count is the verdict."""
        names, row = self._set(change)
        if work.write(self._kept.update_record(names), row) != 1:
            raise _Moved

    def _replace_with_entry(self, work: Work, change: Change) -> None:
        """The same, with the entry in the very statement."""
        names, row = self._set(change)
        row.update((ENTRY + name, value) for name, value in entry_row(change.entries[0]).items())
        if work.write(self._kept.update_with_entry(names), row) != 1:
            raise _Moved

    def _label(self, work: Work, changes: Sequence[Change]) -> None:
        moved = [c for c in changes if c.before is None or c.before.labels() != c.record.labels()]
        old = [{"its_id": change.record.id} for change in moved if change.expected is not None]
        if old:
            work.write_all(self._kept.delete_labels, old)
        rows = [row for change in moved for row in label_rows(change.record)]
        if rows:
            work.write_all(self._kept.insert_label, rows)

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

    def _connected(self) -> AbstractContextManager[Connection]:
        return self._engine.connect() if self._given is None else nullcontext(self._given)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated(self._engine), self._connected() as connection:
            yield connection

    def _work(self, connection: Connection) -> OwnWork:
        return OwnWork(connection)

    @contextmanager
    def _looking(self) -> Iterator[Work]:
        with self._reading() as connection:
            work = self._work(connection)
            try:
                yield work
            finally:
                work.close()

    def get(self, ids: Sequence[str]) -> list[Record]:
        """See `Store.get`."""
        found: dict[str, Record] = {}
        asked = _storable(ids)
        if len(asked) == 1:
            with self._looking() as work:
                one = work.read(self._kept.record, {"its_id": asked[0]})
            found.update((row["id"], record_of(row)) for row in one)
        elif asked:
            with self._reading() as connection:
                for some in _chunks(asked):
                    rows = connection.execute(self._kept.records, {"ids": some}).mappings()
                    found.update((row["id"], record_of(row)) for row in rows)
        missing = [id for id in ids if id not in found]
        if missing:
            raise RecordNotFound(dict.fromkeys(missing))
        return [found[id] for id in ids]

    def find(self, query: Query) -> Page:
        """See `Store.find`."""
        statement = statements.page(self._tables, query, self._backend.finds)
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
        statement = statements.count(self._tables, query, of, chosen, self._backend.finds)
        with self._reading() as connection:
            return {tuple(row[:-1]): row[-1] for row in connection.execute(statement)}

    def history(self, ids: Sequence[str]) -> list[Entry]:
        """See `Store.history`."""
        by_id: dict[str, list[Entry]] = {id: [] for id in ids}
        asked = _storable(by_id)
        if len(asked) == 1:
            with self._looking() as work:
                by_id[asked[0]] = [entry_of(row) for row in work.read(self._kept.history, {"its_id": asked[0]})]
        elif asked:
            with self._reading() as connection:
                for some in _chunks(asked):
                    for row in connection.execute(self._kept.histories, {"ids": some}).mappings():
                        by_id[row["record_id"]].append(entry_of(row))
        return [one for id in ids for one in by_id[id]]

    def keyed(self, actor_id: str, key: str) -> Entry | None:
        """See `Store.keyed`."""
        if len(_storable((actor_id, key))) < 2:
            return None
        with self._looking() as work:
            found = work.read(self._kept.keyed, {"its_actor": actor_id, "its_key": key})
        return entry_of(found[0]) if found else None

    def feed(self, after: int | None = None, limit: int = 100) -> list[Posted]:
        """See `Store.feed`."""
        asked = {"after": after or 0, "most": limit}
        with self._reading() as connection:
            while True:
                # looked for first: whatever was committed by now, and by now has no place to come, is in the rows
                more = not self._backend.numbers and numbering.number(
                    connection, self._work(connection), self._kept, self._backend
                )
                rows = connection.execute(self._kept.feed, asked).mappings().all()
                if not more or len(rows) == limit:
                    break
        return [Posted(position=row["position"], entry=entry_of(row)) for row in rows]


class BoundSqlStore(SqlStore):
    """The store inside a transaction of the host's: what it wrote is kept if the host commits, and only then.

    Nothing is begun, committed, rolled back or decided again here. A call that raises leaves the transaction usable,
    and nothing of itself in it.
    """

    def _keep(self, changes: Sequence[Change], fate: Fate) -> None:
        connection = self._given
        assert connection is not None
        self._explain(changes)  # an error inside somebody's transaction may break it: look first
        self._write(HostWork(connection), changes)

    @contextmanager
    def _looking(self) -> Iterator[Work]:
        with self._reading() as connection:
            yield HostWork(connection)

    def close(self) -> None:
        """Nothing: the connection is the host's."""


def _storable(texts: Iterable[str]) -> list[str]:
    """Those that may be kept: a driver need not take any other, and there are none to be found."""
    return [text for text in texts if text_problem(text) is None]


def _chunks(ids: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while some := list(islice(rest, _CHUNK)):
        yield some
