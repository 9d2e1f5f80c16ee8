"""What a store on an SQL database reads, and whose connection it reads on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Engine, PoolProxiedConnection

from reportflow.errors import RecordNotFound
from reportflow.model.checks import text_problem
from reportflow.model.entry import Entry
from reportflow.model.query import Page, Query, grouping, place_of
from reportflow.model.record import Record
from reportflow.model.values import changed
from reportflow.storage.base import Capabilities, FeedItem, Group, Of
from reportflow.storage.sql import numbering, statements
from reportflow.storage.sql.engine import backend_of, give_back, in_memory, lost
from reportflow.storage.sql.meanings import Border
from reportflow.storage.sql.prepared import Asked, Kept, OwnWork, Prepared
from reportflow.storage.sql.rows import Row, entry_of, records_of
from reportflow.storage.sql.tables import Tables

#: How many ids one statement names.
_CHUNK: Final = 500


class SqlReading:
    """The reading half of the contract. Its connections are in autocommit mode: each statement is one moment."""

    def _prepare(self, engine: Engine, owned: bool, tables: Tables) -> None:
        self._engine, self._owned = engine, owned
        self._backend = backend_of(engine)
        self._tables = tables
        self._kept = Kept(self._tables, engine.dialect, self._backend)
        # queries are values, and the same few people ask the same again and again, page by page
        self._page = lru_cache(maxsize=256)(self._prepared_page)
        self._given: Connection | None = None
        on_disk = not in_memory(engine.url)
        self.capabilities = Capabilities(durable=on_disk, shared=on_disk, host_transaction=True)

    @property
    def engine(self) -> Engine:
        """The engine that it works on, in autocommit mode."""
        return self._engine

    # -- connections --------------------------------------------------------------------------------------------

    def _connected(self) -> AbstractContextManager[Connection]:
        return self._engine.connect() if self._given is None else nullcontext(self._given)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with Border(self._engine), self._connected() as connection:
            yield connection

    def _pooled(self) -> Pooled:
        return Pooled(self)

    def _work(self, pooled: PoolProxiedConnection) -> OwnWork:
        return OwnWork(pooled)

    def _ask(self, statement: Prepared, given: Mapping[str, Any]) -> Sequence[Row]:
        with Border(self._engine), self._pooled() as pooled:
            work = self._work(pooled)
            try:
                return work.read(statement, given)
            finally:
                work.close()

    def _named(self, asked: Asked, names: Iterable[str]) -> Sequence[Row]:
        """The rows of what is named; of what cannot have been kept there are none."""
        those = storable(names)
        if len(those) == 1:
            return self._ask(asked.one, {"named": those[0]})
        if not those:
            return ()
        with self._reading() as connection:
            return [row for some in chunks(those) for row in connection.execute(asked.many, {"named": some})]

    # -- the calls of the contract ------------------------------------------------------------------------------

    def get(self, ids: Sequence[str]) -> list[Record]:
        """See `Store.get`."""
        found = {one.id: one for one in records_of(self._named(self._kept.records, ids))}
        missing = [id for id in ids if id not in found]
        if missing:
            raise RecordNotFound(dict.fromkeys(missing))
        return [found[id] for id in ids]

    def find(self, query: Query) -> Page:
        """See `Store.find`."""
        place = query.place()
        statement = self._page(query if place is None else changed(query, {"cursor": ""}))
        given = {statements.PLACE.format(number): value for number, value in enumerate(place or ())}
        rows = self._ask(statement, given)
        records = tuple(records_of(rows[: query.limit]))
        if len(rows) <= query.limit:
            return Page(records)
        names = [name for name, _ in query.sort_keys()]
        return Page(records, query.cursor_after(place_of(records[-1], names)))

    def _prepared_page(self, query: Query) -> Prepared:
        return Prepared(statements.page(self._tables, query, self._backend.finds), self._engine.dialect)

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        """See `Store.count`."""
        chosen = grouping(of, group)
        statement = statements.count(self._tables, query, of, chosen, self._backend.finds)
        with self._reading() as connection:
            return {tuple(row[:-1]): row[-1] for row in connection.execute(statement)}

    def history(self, ids: Sequence[str]) -> list[Entry]:
        """See `Store.history`."""
        by_id: dict[str, list[Entry]] = {id: [] for id in ids}
        for entry in map(entry_of, self._named(self._kept.histories, by_id)):
            by_id[entry.record_id].append(entry)
        return [one for id in ids for one in by_id[id]]

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        """See `Store.by_key`."""
        if len(storable((actor_id, key))) < 2:
            return None
        found = self._ask(self._kept.by_key, {"its_actor": actor_id, "its_key": key})
        return entry_of(found[0]) if found else None

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        """See `Store.feed`."""
        asked = {"after": after or 0, "most": limit}
        with self._reading() as connection:
            while True:
                # looked for first: whatever was committed by now, and by now has no place to come, is in the rows
                more = not self._backend.numbers and numbering.number(
                    connection, self._work(connection.connection), self._kept, self._backend
                )
                rows = connection.execute(self._kept.feed, asked).all()
                if not more or len(rows) == limit:
                    break
        return [FeedItem(position=position, entry=entry_of(row)) for *row, position in rows]

    def _is_lost(self, error: Exception, pooled: PoolProxiedConnection) -> bool:
        """Whether a connection is of no use any more."""
        dialect = self._engine.dialect
        known: Any = error if isinstance(error, dialect.loaded_dbapi.Error) else None
        return isinstance(error, OSError) or (known is not None and dialect.is_disconnect(known, pooled, None))


class Pooled:
    """A connection as the driver knows it, for a while: nothing between who uses it and the database.

    It goes back to the pool only if it is of use, and with it all others, if it was lost.
    """

    __slots__ = ("_connection", "_pooled", "_store")

    def __init__(self, store: SqlReading) -> None:
        self._store = store
        self._connection: Connection | None = None

    def __enter__(self) -> PoolProxiedConnection:
        store = self._store
        if store._owned:
            self._pooled = store._engine.raw_connection()
        else:  # only by way of SQLAlchemy's own is a host's engine in autocommit mode
            self._connection = store._given or store._engine.connect()
            self._pooled = self._connection.connection
        return self._pooled

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is None and self._connection is None:
            give_back(self._store._engine, self._pooled)
            return
        try:
            if error is not None and not isinstance(error, Exception):
                self._pooled.invalidate()  # whoever is stopped in the middle leaves no half of it behind
            elif error is not None and self._store._is_lost(error, self._pooled):
                self._pooled.invalidate()
                lost(self._store._engine)
        finally:
            if self._connection is None:
                self._pooled.close()
            elif self._store._given is None:
                self._connection.close()


def storable(texts: Iterable[str]) -> list[str]:
    """Those that may be kept: a driver need not take any other, and there are none to be found."""
    return [text for text in texts if text_problem(text) is None]


def chunks(ids: Sequence[str]) -> Iterator[list[str]]:
    """As many as one statement names, and the next ones."""
    rest = iter(ids)
    while some := list(islice(rest, _CHUNK)):
        yield some
