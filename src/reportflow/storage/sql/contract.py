"""The calls of the storage contract in SQL, written once: on a connection from anywhere, sync and asynchronous."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

from reportflow.errors import Conflict, RecordNotFound, UnreadableRecord
from reportflow.model.checks import text_problem
from reportflow.model.entry import Entry
from reportflow.model.query import LIMIT, Page, Query, grouping, place_of
from reportflow.model.record import Record
from reportflow.model.values import changed
from reportflow.serialization.classes import Classes
from reportflow.serialization.digest import Sealed
from reportflow.serialization.evolution import was_upgraded
from reportflow.storage.base import Capabilities, Change, FeedItem, Group, Of
from reportflow.storage.closing import Closed
from reportflow.storage.refusing import check_changes, keys_of, refuse_keys, refuse_stale, refuse_used
from reportflow.storage.restoring import sealed_keys
from reportflow.storage.sql import positions, restoring
from reportflow.storage.sql.codec import (
    changed_row,
    entry_of,
    entry_row,
    label_rows,
    record_row,
    records_of,
    remains_row,
    sealed_of,
    shown,
)
from reportflow.storage.sql.dialects import BUSY_TIMEOUT
from reportflow.storage.sql.executor import Executor, OpenExecutor, PreparedStatement, Reading, Row, transaction
from reportflow.storage.sql.lengths import refuse_long, written
from reportflow.storage.sql.queries import PLACE
from reportflow.storage.sql.schema import RECORD_COLUMNS, Tables
from reportflow.storage.sql.statements import RECORD, Lookup, Stale, StatementCache
from reportflow.storage.sql.visible import Visible, visible

#: How many rows at the least are read to fill a page from which records were left out.
_FURTHER: Final = 100


class Write(NamedTuple):
    """A statement with its rows.

    Attributes:
        statement: What is run for each row.
        rows: Their parameters.
        compares: Whether it must write as many rows as it is given: else `Stale` is raised.
    """

    statement: PreparedStatement
    rows: Sequence[Mapping[str, Any]]
    compares: bool = False


class SqlContract:
    """The calls of `Store`. Its connections are in autocommit mode, so that each statement reads one moment."""

    def __init__(
        self, statements: StatementCache, checkout: OpenExecutor, capabilities: Capabilities, classes: Classes
    ) -> None:
        self._statements = statements
        self._checkout = checkout
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
            rows = _look_up(executor, self._statements.records, ids)
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
            rows = _look_up(executor, self._statements.histories, by_id)
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
        if len(_storable((actor_id, key))) < 2:
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
                    used = _look_up(executor, self._statements.keys, keys, "keys")
                    refuse_used(sealed_keys(sealed), {(actor_id, key) for actor_id, key in used})
                    restoring.write(executor, self._statements, sealed, records, under_way=under_way, more=more)
            except self._statements.conflicts:
                raise Conflict([record.id for record in records]) from None

    def _transaction(self, executor: Executor) -> AbstractContextManager[None]:
        return transaction(executor, self._statements.backend.begin)

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store.commit`."""
        check_changes(changes)
        if not changes:
            return
        writes = self._plan(changes)  # before the write lock is taken, so that it is held for the database alone
        statements = self._statements
        with self._checkout() as executor:
            try:
                self._apply(executor, changes, writes)
            except statements.conflicts:
                self._explain(executor, changes)
                raise Conflict([change.record.id for change in changes]) from None
            except statements.misfits:
                refuse_long(statements, *written(changes))
                raise

    def _plan(self, changes: Sequence[Change]) -> list[Write]:
        """What a commit writes, in this order."""
        statements = self._statements
        if len(changes) == 1 and _is_plain(changes[0]):
            [change] = changes
            entry = entry_row(change.sealed[0])
            names, row = _update_of(change)
            if statements.backend.single_statement:
                return [Write(statements.update_with_entry(names), [{**row, **entry}], compares=True)]
            update = Write(statements.update_record(names), [row], compares=True)
            return [update, Write(statements.insert_entry, [entry])]
        # entries keep the order of the call: in the feed a cause comes before what follows from it
        entries = [entry_row(sealed) for change in changes for sealed in change.sealed]
        changes = _in_one_order(changes)
        writes = []
        created = [record_row(change.record) for change in changes if change.expected is None]
        if created:
            writes.append(Write(statements.insert_record, created))
        updates = (_update_of(change) for change in changes if change.expected is not None)
        for names, some in groupby(updates, key=itemgetter(0)):  # side by side only: the order of the rows stays
            writes.append(Write(statements.update_record(names), [row for _, row in some], compares=True))
        writes.append(Write(statements.insert_entry, entries))
        return [*writes, *self._plan_erased(changes), *self._plan_labels(changes)]

    def _plan_erased(self, changes: Sequence[Change]) -> list[Write]:
        """What replaces erased content: an UPDATE each, which compares the digest."""
        rows = [remains_row(sealed) for change in changes for _, sealed in change.erased]
        return [Write(self._statements.replace_content, rows, compares=True)] if rows else []

    def _plan_labels(self, changes: Sequence[Change]) -> list[Write]:
        moved = [change for change in changes if not _same_labels(change)]
        old = [{"its_id": change.record.id} for change in moved if change.expected is not None]
        rows = [row for change in moved for row in label_rows(change.record)]
        deleted = [Write(self._statements.delete_labels, old)] if old else []
        return [*deleted, Write(self._statements.insert_label, rows)] if rows else deleted

    def _apply(self, executor: Executor, changes: Sequence[Change], writes: Sequence[Write]) -> None:
        """Write it all, by one statement where that can be, else in one transaction.

        Raises:
            Stale: a version or head is not the expected one.
            IntegrityError: an id or a key is taken.
        """
        if len(writes) == 1 and self._statements.backend.single_statement:
            executor.in_doubt = True  # it is its own commit
            self._run(executor, writes)
        else:
            with self._transaction(executor):
                self._run(executor, writes)

    def _run(self, executor: Executor, writes: Sequence[Write]) -> None:
        for statement, rows, compares in writes:
            if not compares:
                executor.write_all(statement, rows)
            elif executor.write_each(statement, rows) != len(rows):
                raise Stale

    def _explain(self, executor: Executor, changes: Sequence[Change]) -> None:
        """Say in the contract's order why a commit failed, if it can still be seen.

        Raises:
            RecordNotFound, AlreadyExists, Conflict, DuplicateKey: the first that applies, naming all ids.
        """
        executor.in_doubt = False
        ids = [change.record.id for change in changes]
        keys = [key for (_, key), _ in keys_of(changes)]
        stored = {id: (version, head) for id, version, head in _look_up(executor, self._statements.versions, ids)}
        used = {(actor_id, key) for actor_id, key in _look_up(executor, self._statements.keys, keys, "keys")}
        refuse_stale(changes, stored)
        refuse_keys(changes, used)


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


def _in_one_order(changes: Sequence[Change]) -> list[Change]:
    """The order in which every commit locks its records, so that two commits do not wait for each other."""
    return sorted(changes, key=lambda change: change.record.id)


def _is_plain(change: Change) -> bool:
    """Whether a record is replaced, with one entry, its labels stay, and nothing is erased."""
    return change.expected is not None and len(change.entries) == 1 and _same_labels(change) and not change.erased


def _same_labels(change: Change) -> bool:
    """Whether the labels that are stored are those of the record."""
    before = change.before
    return before is not None and not was_upgraded(before) and before.labels() == change.record.labels()


def _update_of(change: Change) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Which columns a change sets, and the parameters of the UPDATE that compares version and head."""
    before, record = change.before, change.record
    row = record_row(record) if before is None else changed_row(before, record)
    row.pop("id", None)
    assert change.expected is not None, "a creation updates nothing"
    version, head = change.expected
    expected = {"its_id": record.id, "its_version": version, "its_head": head}
    return tuple(row), {**{RECORD + name: value for name, value in row.items()}, **expected}


def _look_up(executor: Executor, lookup: Lookup, names: Iterable[str], of: Reading = "records") -> Sequence[Row]:
    """The rows of what is named; of what cannot have been stored there are none."""
    storable = _storable(names)
    if len(storable) == 1:
        return executor.read(lookup.one, {"name_0": storable[0]}, of)
    return [row for statement, values in lookup.parts(storable) for row in executor.read(statement, values, of)]


def _storable(texts: Iterable[str]) -> list[str]:
    """The texts that may be stored: a driver need not take any other, and there are none to be found."""
    return [text for text in texts if text_problem(text) is None]
