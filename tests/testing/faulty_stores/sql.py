"""Faults of a store on SQLite. Most of them patch what goes to the database: a statement, or a value in it."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar

import attrs
from sqlalchemy import Connection, Engine, bindparam, update
from sqlalchemy.exc import IntegrityError

from reportflow import Change, Conflict, Entry, Page, Query, Record, Secrecy, StorageError
from reportflow.storage.base import Group, Of
from reportflow.storage.refusing import check_changes, keys_of, refuse_keys
from reportflow.storage.sql.codec import entry_row
from reportflow.storage.sql.executor import Checkout, Executor
from reportflow.storage.sql.pool import HeldConnection
from reportflow.storage.sql.schema import Tables
from reportflow.storage.sql.statements import RECORD
from reportflow.storage.sql.store import SqlStore
from reportflow.storage.sql.writing import Write
from tests.testing.faulty_stores.fault import FileStore, Folder, SqliteStore, caught_by

#: Times as the tables hold them.
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")


class PatchedCursor:
    """A cursor that says something else than it is told."""

    def __init__(self, cursor: Any, patch: Callable[[str, Any], tuple[str, Any]]) -> None:
        self._cursor = cursor
        self._patch = patch

    def execute(self, statement: str, rows: Any = ()) -> None:
        self._cursor.execute(*self._patch(statement, rows))

    def executemany(self, statement: str, rows: Any) -> None:
        self._cursor.executemany(*self._patch(statement, rows))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


class Patched(SqliteStore):
    """A store that says something else to its database than it means to.

    Attributes:
        said: What it looks for in a statement, and what it says instead: a pattern and its replacement.
    """

    said: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        super().__init__()
        self._sound_checkout = self._checkout
        self._checkout = self._patched_checkout

    @contextmanager
    def _patched_checkout(self) -> Iterator[Executor]:
        with self._sound_checkout() as executor:
            executor._cursor = PatchedCursor(executor._cursor, self.patched)
            yield executor

    def given(self, value: Any, writes: bool) -> Any:
        """What it gives for a value, in a statement that writes or in one that reads."""
        return value

    def patched(self, statement: str, rows: Any) -> tuple[str, Any]:
        """What it says instead of a statement and its values."""
        for pattern, replacement in self.said.items():
            statement = re.sub(pattern, replacement, statement, flags=re.DOTALL)
        writes = statement.startswith(("INSERT", "UPDATE"))
        if isinstance(rows, list):
            return statement, [tuple(self.given(value, writes) for value in row) for row in rows]
        return statement, tuple(self.given(value, writes) for value in rows)


# -- the compare-and-set ------------------------------------------------------------------------------------------


@caught_by("test_the_version_is_compared")
class UpdatesAnyVersion(Patched):
    """Leaves version and head out of the UPDATE."""

    said: ClassVar = {r"reportflow_record\.(version|head) = \?": "? IS NOT NULL"}


@caught_by("test_the_head_is_compared")
class UpdatesAnyHead(Patched):
    """Leaves the head out of the UPDATE."""

    said: ClassVar = {r"(UPDATE .*)reportflow_record\.head = \?": r"\1? IS NOT NULL"}


@caught_by("test_a_refused_commit_changes_nothing")
class IgnoresTheRowCount(SqliteStore):
    """Does not look how many rows an UPDATE found."""

    def _run(self, executor: Executor, writes: Sequence[Write]) -> None:
        super()._run(executor, [one._replace(compares=False) for one in writes])


class Unconstrained(FileStore):
    """A sound store on a file whose tables hold no key and no sequence to be unique, so that it must see to that."""

    _mine: ClassVar = threading.local()

    def _open(self, engine: Engine, tables: Tables, create: bool, restoring: bool) -> None:
        for one in list(tables.entry.indexes):
            if one.unique:
                tables.entry.indexes.remove(one)
        self._queue = None  # it looks at the keys of one call at a time
        super()._open(engine, tables, create, restoring)

    def _plan(self, changes: Sequence[Change]) -> list[Write]:
        self._mine.changes = changes
        return super()._plan(changes)

    def _run(self, executor: Executor, writes: Sequence[Write]) -> None:
        self._refuse(executor, self._mine.changes)
        super()._run(executor, writes)

    def _refuse(self, executor: Executor, changes: Sequence[Change]) -> None:
        """Refuse keys that were used; the write lock is held."""
        used = {pair for pair, _ in keys_of(changes) if self._used(executor, *pair)}
        try:
            refuse_keys(changes, dict.fromkeys(used, True))
        except StorageError as error:
            raise IntegrityError("a key was used", {}, error) from error

    def _used(self, executor: Executor, actor_id: str, key: str) -> bool:
        return bool(executor.read(self._statements.by_key, {"its_actor": actor_id, "its_key": key}))


def _anyway(store: SqlStore, writes: Sequence[Write]) -> Iterator[Write]:
    """The same, updating whatever version there is."""
    record = store._statements.tables.record
    for one in writes:
        if one.compares:
            sets: dict[str, Any] = {
                name.removeprefix(RECORD): bindparam(name) for name in one.rows[0] if name.startswith(RECORD)
            }
            statement = update(record).where(record.c.id == bindparam("its_id")).values(sets)
            one = Write(store._statements.prepare(statement), one.rows)
        yield one


@caught_by("test_one_version_is_replaced_once")
class ComparesInPython(Unconstrained):
    """Reads the version, compares it in Python, and updates whatever is there by then."""

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        with self._checkout() as executor:
            self._explain(executor, changes)
        super().commit(changes)

    def _run(self, executor: Executor, writes: Sequence[Write]) -> None:
        super()._run(executor, [*_anyway(self, writes)])


@caught_by("test_one_key_is_used_once")
class LooksForKeysOutside(Unconstrained):
    """Looks up a key in a transaction of its own, before the one that uses it."""

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        with self._checkout() as executor:
            self._explain(executor, changes)
        super().commit(changes)

    def _refuse(self, executor: Executor, changes: Sequence[Change]) -> None:
        return


@caught_by("test_a_refused_commit_changes_nothing")
class WritesEntriesApart(FileStore):
    """Writes the entries in a transaction of their own, behind that of the records."""

    def commit(self, changes: Sequence[Change]) -> None:
        super().commit(changes)
        if changes:
            with self._checkout() as executor:
                used = {pair for pair, _ in keys_of(changes) if self._used(executor, *pair)}
                refuse_keys(changes, dict.fromkeys(used, True))
                entries = [entry_row(sealed) for change in changes for sealed in change.sealed]
                executor.write_all(self._statements.insert_entry, entries)

    def _used(self, executor: Executor, actor_id: str, key: str) -> bool:
        return bool(executor.read(self._statements.by_key, {"its_actor": actor_id, "its_key": key}))

    def _plan(self, changes: Sequence[Change]) -> list[Write]:
        return [one for one in super()._plan(changes) if one.statement is not self._statements.insert_entry]


@caught_by("test_conflicts_are_all_named")
class ReportsSuccess(SqliteStore):
    """Reports a conflict as a success."""

    def commit(self, changes: Sequence[Change]) -> None:
        try:
            super().commit(changes)
        except Conflict:
            return


@caught_by("test_existing_records_are_all_named")
class LeaksTheDriver(SqliteStore):
    """Lets the errors of its driver out."""

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        if changes and any(change.expected is None for change in changes):
            with self._checkout() as executor:
                try:
                    self._apply(executor, changes, self._plan(changes))
                    return
                except self._statements.conflicts as error:
                    leaked = error
            raise leaked
        super().commit(changes)


@caught_by("test_what_the_writer_saw_changes_nothing_in_what_is_kept")
class KeepsOldLabels(Patched):
    """Adds new topics, and leaves the old ones."""

    said: ClassVar = {
        r"^DELETE FROM reportflow_label WHERE": "DELETE FROM reportflow_label WHERE 0 AND",
        r"^INSERT INTO reportflow_label": "INSERT OR IGNORE INTO reportflow_label",
    }


# -- what is read -------------------------------------------------------------------------------------------------


@caught_by("test_other_threads_see_what_was_committed")
class ReadsOneSnapshot(FileStore):
    """Holds a connection for each thread, with a transaction that ends when the thread commits."""

    def __init__(self, folder: Folder | None = None) -> None:
        self._mine = threading.local()
        self._held: list[Connection] = []
        super().__init__(folder)
        self._sound_checkout = self._checkout
        self._checkout = self._held_checkout

    def _held_checkout(self) -> Any:
        if getattr(self._mine, "writes", False):
            return self._sound_checkout()
        held: Connection | None = getattr(self._mine, "connection", None)
        if held is None:
            held = self._mine.connection = self.engine.connect()
            self._held.append(held)
        driver: Any = held.connection.dbapi_connection
        if not driver.in_transaction:
            held.exec_driver_sql("BEGIN")
        return Checkout(HeldConnection(held))

    def commit(self, changes: Sequence[Change]) -> None:
        self._let_go()
        self._mine.writes = True
        try:
            super().commit(changes)
        finally:
            self._mine.writes = False
            self._let_go()

    def _let_go(self) -> None:
        held: Any = getattr(self._mine, "connection", None)
        if held is not None and held.connection.dbapi_connection.in_transaction:
            held.exec_driver_sql("ROLLBACK")

    def close(self) -> None:
        while self._held:
            self._held.pop().close()
        self._mine = threading.local()
        super().close()


@caught_by("test_two_stores_see_each_other")
class RemembersUntilItWrites(FileStore):
    """Keeps the records that it read until it commits itself: what another process commits is not seen."""

    def __init__(self, folder: Folder | None = None) -> None:
        self._read: dict[str, Record] = {}
        super().__init__(folder)

    def commit(self, changes: Sequence[Change]) -> None:
        super().commit(changes)
        self._read = {}

    def get(self, ids: Sequence[str]) -> list[Record]:
        if not all(id in self._read for id in ids):
            self._read |= {record.id: record for record in super().get(ids)}
        return [self._read[id] for id in ids]


@caught_by("test_two_stores_replace_a_version_once")
class LocksInItsProcess(Unconstrained):
    """Compares in Python under a lock of its own, which another process does not know."""

    def __init__(self, folder: Folder | None = None) -> None:
        self._lock = threading.Lock()
        super().__init__(folder)

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        with self._lock:
            with self._checkout() as executor:
                self._explain(executor, changes)
            super().commit(changes)

    def _run(self, executor: Executor, writes: Sequence[Write]) -> None:
        super()._run(executor, [*_anyway(self, writes)])


@caught_by("test_text_in_any_case")
class FindsByLike(Patched):
    """Finds text by LIKE: with wildcards."""

    said: ClassVar = {r"instr\((\S+), \?\) > \?": r"(\1 LIKE '%' || ? || '%' AND ? = 0)"}


@caught_by("test_names_letter_for_letter")
class ComparesWithoutCase(Patched):
    """Compares categories by a collation that knows no case."""

    said: ClassVar = {r"reportflow_record\.category = \?": r"reportflow_record.category = ? COLLATE NOCASE"}


@caught_by("test_texts_by_code_point")
class SortsWithoutCase(Patched):
    """Sorts titles by a collation that knows no case."""

    said: ClassVar = {r"ORDER BY reportflow_record\.title": "ORDER BY reportflow_record.title COLLATE NOCASE"}


@caught_by("test_equals_by_id")
class SortsWithoutTheId(Patched):
    """Sorts by the keys asked for alone, and not by the id behind them."""

    said: ClassVar = {r", reportflow_record\.id (ASC|DESC)(?=\s+LIMIT)": ""}


@caught_by("test_pages_show_each_record_once_in_order")
class ComparesTheFirstKey(Patched):
    """Begins a page behind the first key of the place: equals are skipped."""

    said: ClassVar = {r"\((\S+?), .*?\) (>|<) \(\?, (.*?)\)": r"\1 \2 ? AND (\3) IS NOT NULL"}

    def find(self, query: Query) -> Page:
        return super().find(query if len(query.order) < 2 else attrs.evolve(query, order=query.order[:1]))


@caught_by("test_writing_between_pages")
class SkipsByOffset(Patched):
    """Skips as many rows as were shown."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: dict[str, int] = {}

    def find(self, query: Query) -> Page:
        skipped = 0 if query.cursor is None else self._shown.get(query.cursor, 0)
        if not skipped:
            page = super().find(query)
        else:
            all_of_them = super().find(attrs.evolve(query, cursor=None, limit=skipped + query.limit))
            page = Page(all_of_them.records[skipped:], all_of_them.next)
        if page.next is not None:
            self._shown[page.next] = skipped + len(page)
        return page


@caught_by("test_adopted_twice_at_one_level_counts_once")
class CountsJoinedRows(Patched):
    """Counts the rows of a join with the entries: each record as often as it has some."""

    said: ClassVar = {r"count\(distinct\((\S+)\)\)": r"count(\1)", r"count\(DISTINCT (\S+)\)": r"count(\1)"}


@caught_by("test_the_clearance")
class ClearsEverybody(SqliteStore):
    """Finds and counts whatever the clearance."""

    def find(self, query: Query) -> Page:
        return super().find(_cleared(query))

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        return super().count(_cleared(query), of, group)


@caught_by("test_keyed_gives_the_entry_of_the_key")
class LooksForTheKeyAlone(Patched):
    """Looks for a key without its actor."""

    said: ClassVar = {
        r"reportflow_entry\.actor_id = \? AND (reportflow_entry\.\"?key\"? = \?)": r"? IS NOT NULL AND \1"
    }


@caught_by("test_history_in_the_order_of_the_ids")
class SortsHistoriesByPosition(SqliteStore):
    """Gives histories in the order in which they were written."""

    def history(self, ids: Sequence[str]) -> list[Any]:
        asked = set(ids)
        return [posted.entry for posted in self.feed(limit=1_000_000) if posted.entry.record_id in asked]


# -- the feed -----------------------------------------------------------------------------------------------------


@caught_by("test_by_commit_not_by_the_clock")
class SortsTheFeedByTime(Patched):
    """Sorts the feed by the time when an entry was recorded."""

    said: ClassVar = {r"ORDER BY reportflow_entry\.position": "ORDER BY reportflow_entry.recorded_at"}


@caught_by("test_a_reader_beside_writers_misses_nothing")
class TakesPositionsEarly(FileStore):
    """Takes the position of an entry from a sequence before the transaction that writes it."""

    def __init__(self, folder: Folder | None = None) -> None:
        self._numbers = itertools.count(1)
        self._taken = threading.local()
        super().__init__(folder)

    def commit(self, changes: Sequence[Change]) -> None:
        self._taken.positions = [next(self._numbers) for change in changes for _ in change.entries]
        super().commit(changes)

    def _run(self, executor: Executor, writes: Sequence[Write]) -> None:
        super()._run(executor, writes)
        entry = self._statements.tables.entry
        rows = [row for one in writes if one.statement is self._statements.insert_entry for row in one.rows]
        mine = (entry.c.record_id == bindparam("its_id")) & (entry.c.sequence == bindparam("its_sequence"))
        numbered = self._statements.prepare(entry.update().where(mine).values(position=bindparam("its_place")))
        for position, row in zip(self._taken.positions, rows, strict=True):
            place = {"its_id": row["record_id"], "its_sequence": row["sequence"], "its_place": position}
            executor.write(numbered, place)


# -- values -------------------------------------------------------------------------------------------------------


@caught_by("test_times_come_back_to_the_microsecond")
class WritesSeconds(Patched):
    """Writes times to the second."""

    def given(self, value: Any, writes: bool) -> Any:
        return value[:19] + ".000000+00:00" if writes and isinstance(value, str) and TIME.fullmatch(value) else value


@caught_by("test_intervals_are_half_open")
class WritesLocalTimes(Patched):
    """Writes times as an office's clock shows them, and asks for them in UTC."""

    def given(self, value: Any, writes: bool) -> Any:
        if not writes or not isinstance(value, str) or not TIME.fullmatch(value):
            return value
        return datetime.fromisoformat(value).astimezone(timezone(timedelta(hours=8))).isoformat(timespec="microseconds")


@caught_by("test_every_text_comes_back")
class WritesLatin1(Patched):
    """Writes texts in Latin-1: what is not in it becomes a question mark."""

    def given(self, value: Any, writes: bool) -> Any:
        return value.encode("latin-1", "replace").decode("latin-1") if isinstance(value, str) else value


@caught_by("test_what_may_not_be_kept_is_not_there")
class EndsKeysAtNul(SqliteStore):
    """Looks for a key up to NUL."""

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        return super().by_key(actor_id, key.partition("\0")[0])


@caught_by("test_ids_and_keys_are_told_apart_letter_for_letter")
class PadsTexts(Patched):
    """Takes the blanks off the end of each text, as a column of fixed width does."""

    def given(self, value: Any, writes: bool) -> Any:
        return value.rstrip(" ") if isinstance(value, str) else value


def _cleared(query: Query) -> Query:
    return attrs.evolve(query, visible=query.visible and attrs.evolve(query.visible, clearance=Secrecy.TOP_SECRET))
