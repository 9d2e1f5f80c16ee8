"""The calls of the storage contract in SQL, written once: on a connection from anywhere, sync and asynchronous.

Those that read are here, `commit` is in `writing`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from reportflow.errors import Conflict, RecordNotFound, UnreadableRecord
from reportflow.model.checks import text_problem
from reportflow.model.entry import Entry
from reportflow.model.query import LIMIT, Page, Query, grouping, place_of
from reportflow.model.record import Record
from reportflow.model.values import changed
from reportflow.serialization.classes import Classes
from reportflow.serialization.digest import Sealed
from reportflow.storage.base import Capabilities, FeedItem, Group, Of
from reportflow.storage.closing import Closed
from reportflow.storage.refusing import refuse_used
from reportflow.storage.restoring import sealed_keys
from reportflow.storage.sql import positions, restoring
from reportflow.storage.sql.codec import (
    entry_of,
    records_of,
    sealed_of,
    shown,
)
from reportflow.storage.sql.dialects import BUSY_TIMEOUT
from reportflow.storage.sql.executor import Executor, OpenExecutor, Row
from reportflow.storage.sql.lengths import refuse_long
from reportflow.storage.sql.queries import PLACE
from reportflow.storage.sql.schema import RECORD_COLUMNS, Tables
from reportflow.storage.sql.sharing import SharedWriting
from reportflow.storage.sql.statements import StatementCache, storable
from reportflow.storage.sql.visible import Visible, visible

#: How many rows at the least are read to fill a page from which records were left out.
_FURTHER: Final = 100


class SqlContract(SharedWriting):
    """The calls of `Store`. Its connections are in autocommit mode, so that each statement reads one moment."""

    def __init__(
        self, statements: StatementCache, checkout: OpenExecutor, capabilities: Capabilities, classes: Classes
    ) -> None:
        super().__init__(statements, checkout)
        self.capabilities = capabilities
        self.classes: Classes = classes

    @property
    def tables(self) -> Tables:
        """Its tables, as SQLAlchemy has them."""
        return self._statements.tables

    def add_classes(self, classes: Classes) -> None:
        """See `SupportsClasses.add_classes`."""
        self.classes = self.classes | classes

    def close(self) -> None:
        """See `Store.close`; connections that are another's stay open."""
        self._checkout = Closed(self._statements.url)

    # -- reading ------------------------------------------------------------------------------------------------

    def get(self, ids: Sequence[str]) -> list[Record]:
        """See `Store.get`."""
        with self._checkout() as executor:
            rows = self._statements.records.rows(executor, ids)
        read = records_of(rows, self.classes)
        found = {record.id: record for record in read if isinstance(record, Record)}
        missing = [id for id in ids if id not in found]
        if missing:
            unreadable = {one.ids[0]: one for one in read if isinstance(one, UnreadableRecord)}
            _refuse_missing(missing, unreadable)
        return [found[id] for id in ids]

    def find(self, query: Query) -> Page:
        """See `Store.find`."""
        place: Sequence[Any] | None = query.place()
        with self._checkout() as executor:
            rows = self._page_rows(executor, query, place)
            read = records_of(rows, self.classes)
            if UnreadableRecord in set(map(type, read)):
                return self._filled_page(executor, query, rows, read)
        records: tuple[Any, ...] = tuple(read[: query.limit])
        if len(rows) <= query.limit:
            return Page(records)
        names = [name for name, _ in query.sort_keys()]
        return Page(records, query.cursor_after(place_of(records[-1], names)))

    def _page_rows(self, executor: Executor, query: Query, place: Sequence[Any] | None) -> Sequence[Row]:
        """The rows behind a place, one more than the query's limit where there are."""
        query = query if place is None else changed(query, {"cursor": ""})
        statement = self._statements.page(query, self._key_bytes(executor, query))
        return executor.read(statement, {PLACE.format(number): value for number, value in enumerate(place or ())})

    def _key_bytes(self, executor: Executor, query: Query) -> int | None:
        """How many bytes of a title the engine must compare when it sorts; None where it does so by itself.

        A power of two, so that few statements serve.
        """
        usual = self._statements.backend.sorted_bytes
        if usual is None or not any(name == "title" for name, _ in query.sort_keys()):
            return None
        needed = 4 * (executor.read(self._statements.longest_title, {})[0][0] or 0)  # UTF-8
        return min(2**23, 1 << needed.bit_length()) if needed > usual else None

    def _filled_page(
        self, executor: Executor, query: Query, rows: Sequence[Row], read: Sequence[Record | UnreadableRecord]
    ) -> Page:
        """A page without the records that cannot be read, filled with those behind them.

        It ends before it is full where very many in a row cannot be read; then the next page goes on behind them.
        """
        names = [name for name, _ in query.sort_keys()]
        columns = [RECORD_COLUMNS.index(name) for name in names]
        records: list[Record] = []
        unreadable: list[str] = []
        skipped: list[str] = []  # behind the last of the records: of this page only if no record follows
        further, seen = changed(query, {"limit": max(query.limit, _FURTHER)}), 0
        asked = query.limit
        while True:
            for one in read:
                if isinstance(one, UnreadableRecord):
                    skipped += one.ids
                elif len(records) == query.limit:
                    return Page(tuple(records), query.cursor_after(place_of(records[-1], names)), tuple(unreadable))
                else:
                    records.append(one)
                    unreadable, skipped = [*unreadable, *skipped], []
            if len(rows) <= asked:
                return Page(tuple(records), None, (*unreadable, *skipped))
            place, seen = [rows[-1][column] for column in columns], seen + len(rows)
            if seen > LIMIT and not any(text_problem(one) for one in place):
                return Page(tuple(records), query.cursor_after(place), (*unreadable, *skipped))
            rows, asked = self._page_rows(executor, further, place), further.limit
            read = records_of(rows, self.classes)

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        """See `Store.count`."""
        statement = self._statements.count(query, of, tuple(grouping(of, group)))
        with self._checkout() as executor:
            rows = executor.read(statement, {})
        return {tuple([shown(one) if isinstance(one, bytes) else one for one in row[:-1]]): row[-1] for row in rows}

    def visible(self, query: Query, of: Of, on: Any) -> Visible:
        """See `SupportsVisible.visible`."""
        return visible(self._statements, query, of, on)

    def history(self, ids: Sequence[str]) -> list[Entry]:
        """See `Store.history`."""
        by_id: dict[str, list[Entry]] = {id: [] for id in ids}
        with self._checkout() as executor:
            rows = self._statements.histories.rows(executor, by_id)
        unreadable: dict[str, UnreadableRecord] = {}
        for row in rows:
            entry = entry_of(row, self.classes)
            if isinstance(entry, UnreadableRecord):
                unreadable.setdefault(entry.ids[0], entry)
            else:
                by_id[entry.record_id].append(entry)
        if unreadable:
            raise _all_unreadable([unreadable[id] for id in by_id if id in unreadable])
        return [one for id in ids for one in by_id[id]]

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        """See `Store.by_key`."""
        if len(storable((actor_id, key))) < 2:
            return None
        with self._checkout() as executor:
            rows = executor.read(self._statements.by_key, {"its_actor": actor_id, "its_key": key}, "keys")
        found = entry_of(rows[0], self.classes) if rows else None
        if isinstance(found, UnreadableRecord):
            raise found
        return found

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        """See `Store.feed`."""
        statements, deadline = self._statements, time.monotonic() + BUSY_TIMEOUT
        with self._checkout() as executor:
            more = not statements.backend.positions_on_insert
            while True:
                # before the rows are read: what is committed by now then has its position, and is among them
                more = more and positions.assign(executor, statements, partial(self._transaction, executor))
                rows = executor.read(statements.feed, {"after": after or 0, "most": limit})
                if not more or len(rows) == limit or time.monotonic() > deadline:
                    break
        items = []
        for *row, position in rows:
            entry = entry_of(row, self.classes)
            item = (None, entry) if isinstance(entry, UnreadableRecord) else (entry, None)
            items.append(FeedItem(position, *item))
        return items

    def sealed(self, after: tuple[str, int] | None = None, limit: int = 1000) -> list[Sealed]:
        """See `Store.sealed`."""
        statements = self._statements
        parameters: dict[str, Any] = {"most": limit}
        if after is not None:
            id = after[0].encode("utf-8", "surrogateescape") if statements.dialect.name == "sqlite" else after[0]
            parameters |= {"after_record_id": id, "after_sequence": after[1]}
        with self._checkout() as executor:
            rows = executor.read(statements.sealed if after is None else statements.sealed_after, parameters)
        return [sealed_of(row) for row in rows]

    # -- writing ------------------------------------------------------------------------------------------------

    def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        """See `Store.restore`."""
        refuse_long(self._statements, records, sealed)
        keys = [key for (_, key), _ in sealed_keys(sealed)]
        with self._checkout() as executor:
            try:
                with self._transaction(executor):
                    under_way = restoring.check(executor, self._statements, sealed, records)
                    used = self._statements.keys.rows(executor, keys, "keys")
                    refuse_used(sealed_keys(sealed), {(actor_id, key) for actor_id, key in used})
                    restoring.write(executor, self._statements, sealed, records, under_way=under_way, more=more)
            except self._statements.conflicts:
                raise Conflict([record.id for record in records]) from None


def _all_unreadable(several: Sequence[UnreadableRecord]) -> UnreadableRecord:
    """One error of some, at least one: with the ids of all, and for the rest as the first of them."""
    first = several[0]
    ids = dict.fromkeys(id for one in several for id in one.ids)
    return UnreadableRecord(ids, first.where, first.problem, first.owner, first.version, first.sequence)


def _refuse_missing(ids: Sequence[str], unreadable: Mapping[str, UnreadableRecord]) -> None:
    """Say why some records cannot be given, those of `unreadable` since they cannot be read.

    Raises:
        RecordNotFound, UnreadableRecord: the first that applies; names all the records concerned.
    """
    missing = [id for id in dict.fromkeys(ids) if id not in unreadable]
    if missing:
        raise RecordNotFound(missing)
    raise _all_unreadable([unreadable[id] for id in dict.fromkeys(ids)])
