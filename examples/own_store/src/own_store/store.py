"""Records and their histories in one SQLite file.

SQLite keeps what was committed, and lets one process at a time write. `reportflow.serialization.plain` makes the texts
that stand in the tables, `reportflow.storage.matching` answers `find` and `count`. What is left is in this file: the
transactions.
"""

from __future__ import annotations

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
    Page,
    Query,
    Record,
    RecordNotFound,
    StorageBusy,
    StorageUnavailable,
)
from reportflow.model.checks import text_problem
from reportflow.serialization.plain import from_json, to_json
from reportflow.storage import matching
from reportflow.storage.base import Group, Of, check_changes, keys_of, refuse_keys

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS record (
        id TEXT PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS entry (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        record_id TEXT NOT NULL, sequence INTEGER NOT NULL, actor TEXT NOT NULL, key TEXT, body TEXT NOT NULL,
        UNIQUE (record_id, sequence), UNIQUE (actor, key)
    )
    """,
)


class SqliteStore:
    """A store in one SQLite file, which is made where it is not there.

    Raises:
        StorageUnavailable: the file cannot be opened, or is no database.
    """

    capabilities = Capabilities(durable=True, shared=True)

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        self._lock = threading.Lock()  # one connection for all threads: one of them at a time
        with self._translated():
            self._db = sqlite3.connect(self.path, timeout=5, isolation_level=None, check_same_thread=False)
        with self._transaction("BEGIN IMMEDIATE") as db:
            for table in TABLES:
                db.execute(table)

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
        records = [(c.record.id, c.record.version, c.record.state, to_json(c.record)) for c in changes]
        entries = [
            (e.record_id, e.sequence, e.actor.id, e.key, to_json(e)) for change in changes for e in change.entries
        ]
        with self._transaction("BEGIN IMMEDIATE") as db:
            _compare(db, changes)
            db.executemany("REPLACE INTO record (id, version, state, body) VALUES (?, ?, ?, ?)", records)
            db.executemany("INSERT INTO entry (record_id, sequence, actor, key, body) VALUES (?, ?, ?, ?, ?)", entries)

    # -- reading ------------------------------------------------------------------------------------------------

    def get(self, ids: Sequence[str]) -> list[Record]:
        """See `Store.get`."""
        with self._transaction() as db:
            found = {id: _bodies(db, "SELECT body FROM record WHERE id = ?", id) for id in ids}
        if missing := [id for id, bodies in found.items() if not bodies]:
            raise RecordNotFound(missing)
        return [from_json(found[id][0]) for id in ids]

    def find(self, query: Query) -> Page:
        """See `Store.find`."""
        with self._transaction() as db:
            return matching.page(query, _records(db), lambda id: _history(db, id))

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        """See `Store.count`."""
        with self._transaction() as db:
            return matching.count(query, _records(db), lambda id: _history(db, id), of, group)

    def history(self, ids: Sequence[str]) -> list[Entry]:
        """See `Store.history`."""
        with self._transaction() as db:
            return [entry for id in ids for entry in _history(db, id)]

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        """See `Store.by_key`."""
        with self._transaction() as db:
            bodies = _bodies(db, "SELECT body FROM entry WHERE actor = ? AND key = ?", actor_id, key)
        return from_json(bodies[0]) if bodies else None

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        """See `Store.feed`. One process writes at a time, so positions are given in the order of the commits."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT position, body FROM entry WHERE position > ? ORDER BY position LIMIT ?", (after or 0, limit)
            ).fetchall()
        return [FeedItem(position, from_json(body)) for position, body in rows]

    def close(self) -> None:
        """See `Store.close`."""
        with self._lock:
            self._db.close()


def _compare(db: sqlite3.Connection, changes: Sequence[Change]) -> None:
    """Refuse what does not fit what is stored: the first error that applies, with all the records concerned."""
    found = [
        (change, db.execute("SELECT version, state FROM record WHERE id = ?", (change.record.id,)).fetchone())
        for change in changes
    ]
    if missing := [c.record.id for c, row in found if c.expected is not None and row is None]:
        raise RecordNotFound(missing)
    if taken := [c.record.id for c, row in found if c.expected is None and row is not None]:
        raise AlreadyExists(taken)
    if moved := [c.record.id for c, row in found if row is not None and row != (c.expected, c.source)]:
        raise Conflict(moved)
    used = "SELECT 1 FROM entry WHERE actor = ? AND key = ?"
    refuse_keys(changes, {pair: True for pair, _ in keys_of(changes) if db.execute(used, pair).fetchone()})


def _records(db: sqlite3.Connection) -> Iterator[Record]:
    """All of them: `matching` looks at each. An index of your own could leave out those that cannot match."""
    return (from_json(body) for (body,) in db.execute("SELECT body FROM record"))


def _history(db: sqlite3.Connection, id: str) -> list[Entry]:
    bodies = _bodies(db, "SELECT body FROM entry WHERE record_id = ? ORDER BY sequence", id)
    return [from_json(body) for body in bodies]


def _bodies(db: sqlite3.Connection, select: str, *texts: str) -> list[str]:
    """What a statement finds by some texts: nothing by one that no store may keep, such as half a character."""
    if any(text_problem(text) for text in texts):
        return []
    return [body for (body,) in db.execute(select, texts)]
