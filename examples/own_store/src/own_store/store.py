"""Records and their histories in one SQLite file.

SQLite keeps what was committed, and lets one process at a time write. `reportflow.serialization` makes the texts that
stand in the tables: an entry is kept as it is sealed, byte by byte. `reportflow.storage.matching` answers `find` and
`count`. What is left is in this file: the transactions.
"""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reportflow import (
    AlreadyExists,
    Capabilities,
    Change,
    Conflict,
    Entry,
    FeedItem,
    InvalidValue,
    Page,
    Query,
    Record,
    RecordNotFound,
    StorageBusy,
    StorageUnavailable,
)
from reportflow.model.checks import text_problem
from reportflow.serialization.classes import NO_CLASSES, Classes
from reportflow.serialization.digest import Sealed
from reportflow.serialization.plain import to_json
from reportflow.serialization.stored import load_stored
from reportflow.serialization.unsealing import unseal
from reportflow.storage import matching
from reportflow.storage.base import Group, Of
from reportflow.storage.refusing import check_changes, keys_of, refuse_used
from reportflow.storage.restoring import check_restored, sealed_keys

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS record (
        id TEXT PRIMARY KEY, version INTEGER NOT NULL, head TEXT NOT NULL, body TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS entry (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        record_id TEXT NOT NULL, sequence INTEGER NOT NULL, actor TEXT NOT NULL, key TEXT, sealed TEXT NOT NULL,
        UNIQUE (record_id, sequence), UNIQUE (actor, key)
    )
    """,
)


class SqliteStore:
    """A store in one SQLite file, which is made where it is not there.

    Args:
        path: The file.
        classes: The classes of the records and details that it reads; a flow adds those of its lifecycles.
        restoring: Whether to open it also while a `restore` into it is under way, to go on with that.

    Raises:
        StorageUnavailable: the file cannot be opened, is no database, or something is being restored into it.
    """

    capabilities = Capabilities(durable=True, shared=True)

    def __init__(self, path: str | os.PathLike[str], classes: Classes = NO_CLASSES, *, restoring: bool = False) -> None:
        self.classes = classes
        self.path = Path(path).absolute()
        self._lock = threading.Lock()  # one connection for all threads: one of them at a time
        with self._translated():
            self._db = sqlite3.connect(self.path, timeout=5, isolation_level=None, check_same_thread=False)
        with self._transaction("BEGIN IMMEDIATE") as db:
            for table in TABLES:
                db.execute(table)
            under_way = _is_restoring(db)
        if under_way and not restoring:
            self.close()
            raise StorageUnavailable(str(self.path), "a copy into it is under way", "restoring")

    def add_classes(self, classes: Classes) -> None:
        """See `SupportsClasses.add_classes`."""
        self.classes = self.classes | classes

    @contextmanager
    def _transaction(self, begin: str = "BEGIN") -> Iterator[sqlite3.Connection]:
        """One moment of the file: all of it is kept where it ends well, nothing where something is raised."""
        with self._lock, self._translated(), self._db:
            self._db.execute(begin)
            yield self._db

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what SQLite raises into the errors of the contract."""
        try:
            yield
        except sqlite3.Error as error:
            busy = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            raise (StorageBusy if busy else StorageUnavailable)(str(self.path), str(error)) from error

    # -- writing ------------------------------------------------------------------------------------------------

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store.commit`. The write lock is taken before anything is compared, and held until all is written."""
        check_changes(changes)
        with self._transaction("BEGIN IMMEDIATE") as db:
            _compare(db, changes)
            remains = [(json.dumps(one), one.record_id, one.sequence) for c in changes for _, one in c.erased]
            db.executemany("UPDATE entry SET sealed = ? WHERE record_id = ? AND sequence = ?", remains)
            _write(db, [c.record for c in changes], [one for c in changes for one in c.sealed])

    def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        """See `Store.restore`. The version number of the file, which is SQLite's own, says that more is to come.

        What has no place in the feed yet is put before its beginning until then, where no reader looks.
        """
        with self._transaction("BEGIN IMMEDIATE") as db:
            ((last, last_place),) = db.execute("SELECT (SELECT max(id) FROM record), (SELECT min(position) FROM entry)")
            if last is not None and not _is_restoring(db):
                raise InvalidValue("store", "not_empty")
            check_restored(sealed, records, last)
            refuse_used(sealed_keys(sealed), _used(db, [pair for pair, _ in sealed_keys(sealed)]))
            before = itertools.count(min(last_place or 0, 0) - 1, -1)
            _write(db, records, [one if one.position else one._replace(position=next(before)) for one in sealed])
            if not more:
                unplaced = db.execute("SELECT position FROM entry WHERE position < 0 ORDER BY position DESC").fetchall()
                behind = "SELECT max(max(position), 0) + 1 FROM entry"
                db.executemany(f"UPDATE entry SET position = ({behind}) WHERE position = ?", unplaced)
            db.execute(f"PRAGMA user_version = {int(more)}")

    # -- reading ------------------------------------------------------------------------------------------------

    def get(self, ids: Sequence[str]) -> list[Record]:
        """See `Store.get`."""
        with self._transaction() as db:
            found = {id: _bodies(db, "SELECT body FROM record WHERE id = ?", id) for id in ids}
        if missing := [id for id, bodies in found.items() if not bodies]:
            raise RecordNotFound(missing)
        return [self._record(found[id][0]) for id in ids]

    def find(self, query: Query) -> Page:
        """See `Store.find`."""
        with self._transaction() as db:
            return matching.page(query, self._records(db), lambda id: self._history(db, id))

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        """See `Store.count`."""
        with self._transaction() as db:
            return matching.count(query, self._records(db), lambda id: self._history(db, id), of, group)

    def history(self, ids: Sequence[str]) -> list[Entry]:
        """See `Store.history`."""
        with self._transaction() as db:
            return [entry for id in ids for entry in self._history(db, id)]

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        """See `Store.by_key`."""
        with self._transaction() as db:
            found = _bodies(db, "SELECT sealed FROM entry WHERE actor = ? AND key = ?", actor_id, key)
        return self._entry(found[0]) if found else None

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        """See `Store.feed`. One process writes at a time, so positions are given in the order of the commits."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT position, sealed FROM entry WHERE position > ? ORDER BY position LIMIT ?", (after or 0, limit)
            ).fetchall()
        return [FeedItem(position, self._entry(sealed)) for position, sealed in rows]

    def sealed(self, after: tuple[str, int] | None = None, limit: int = 1000) -> list[Sealed]:
        """See `Store.sealed`. SQLite compares texts by their bytes in UTF-8, which is by code point."""
        behind = "WHERE (record_id, sequence) > (?, ?) ORDER BY record_id, sequence LIMIT ?"
        with self._transaction() as db:
            rows = db.execute(f"SELECT position, sealed FROM entry {behind}", (*(after or ("", 0)), limit)).fetchall()
        return [_sealed(sealed)._replace(position=position) for position, sealed in rows]

    def close(self) -> None:
        """See `Store.close`."""
        with self._lock:
            self._db.close()

    # -- rows ---------------------------------------------------------------------------------------------------

    def _records(self, db: sqlite3.Connection) -> Iterator[Record]:
        """All of them: `matching` looks at each. An index of your own could leave out those that cannot match."""
        return (self._record(body) for (body,) in db.execute("SELECT body FROM record"))

    def _record(self, body: str) -> Record:
        """The record of a row, not validated again: what was erased from it reads as blank."""
        return load_stored(json.loads(body), Record, self.classes)

    def _history(self, db: sqlite3.Connection, id: str) -> list[Entry]:
        rows = _bodies(db, "SELECT sealed FROM entry WHERE record_id = ? ORDER BY sequence", id)
        return [self._entry(sealed) for sealed in rows]

    def _entry(self, sealed: str) -> Entry:
        return unseal(_sealed(sealed), self.classes)


def _sealed(text: str) -> Sealed:
    return Sealed(*json.loads(text))


def _compare(db: sqlite3.Connection, changes: Sequence[Change]) -> None:
    """Refuse what does not fit what is stored: the first error that applies, with all the records concerned."""
    found = [
        (change, db.execute("SELECT version, head FROM record WHERE id = ?", (change.record.id,)).fetchone())
        for change in changes
    ]
    if missing := [c.record.id for c, row in found if c.expected is not None and row is None]:
        raise RecordNotFound(missing)
    if taken := [c.record.id for c, row in found if c.expected is None and row is not None]:
        raise AlreadyExists(taken)
    if moved := [c.record.id for c, row in found if row is not None and row != c.expected]:
        raise Conflict(moved)
    refuse_used(keys_of(changes), _used(db, [pair for pair, _ in keys_of(changes)]))


def _used(db: sqlite3.Connection, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of the keys are there."""
    used = "SELECT 1 FROM entry WHERE actor = ? AND key = ?"
    return {pair for pair in keys if db.execute(used, pair).fetchone()}


def _write(db: sqlite3.Connection, records: Sequence[Record], sealed: Sequence[Sealed]) -> None:
    """Write records and entries; an entry without a position gets the next one."""
    bodies = [(one.id, one.version, one.head, to_json(one)) for one in records]
    rows = [(one.position, one.record_id, one.sequence, one.actor_id, one.key, json.dumps(one)) for one in sealed]
    db.executemany("REPLACE INTO record (id, version, head, body) VALUES (?, ?, ?, ?)", bodies)
    columns = "position, record_id, sequence, actor, key, sealed"
    db.executemany(f"INSERT INTO entry ({columns}) VALUES (?, ?, ?, ?, ?, ?)", rows)


def _is_restoring(db: sqlite3.Connection) -> bool:
    ((version,),) = db.execute("PRAGMA user_version")
    return bool(version)


def _bodies(db: sqlite3.Connection, select: str, *texts: str) -> list[str]:
    """What a statement finds by some texts: nothing by one that no store may keep, such as half a character."""
    if any(text_problem(text) for text in texts):
        return []
    return [body for (body,) in db.execute(select, texts)]
