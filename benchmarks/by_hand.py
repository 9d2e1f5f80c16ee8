"""The very rows that reportflow stores, by hand: without checks or decisions, in as few statements as possible.

Digests, salts and heads are constants here: the columns are written and compared, but nothing is hashed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from benchmarks.work import EDITOR, REGISTRAR, TEXT, TITLE, Ticks, ids

from reportflow import Actor
from reportflow.model.query import BETWEEN, folded

Values = dict[str, Any]
#: A record, its first entry and its labels.
Created = tuple[Values, Values, list[Values]]

ENTRY: Final = (
    "kind", "lifecycle_version", "record_id", "sequence", "trigger", "source", "dest", "actor_id", "at", "recorded_at",
    "precision", "cause", "cause_digest", "key", "secrecy", "audience", "level", "code", "retracts", "irregular",
    "actor", "reason", "details", "party", "salt", "commitment", "digest",
)  # fmt: skip
RECORD: Final = (
    "id", "kind", "state", "version", "head", "lifecycle_version", "unit", "parent", "title", "category", "assignee",
    "due_at", "secrecy", "created_by", "created_for", "created_at", "updated_at", "folded", "text", "data",
)  # fmt: skip
LABEL: Final = ("record_id", "name", "value")
NUMBERS: Final = ("sequence", "version", "lifecycle_version", "retracts")
SALT: Final = "0" * 32
DIGEST: Final = "0" * 64
#: The columns of an entry that are the same in each of these acts.
CONSTANT: Final[Values] = {
    "kind": "report", "lifecycle_version": 1, "precision": None, "cause": None, "cause_digest": None, "key": None,
    "secrecy": "internal", "audience": None, "retracts": None, "irregular": None, "reason": "", "salt": SALT,
    "commitment": DIGEST, "digest": DIGEST,
}  # fmt: skip


def text_of(plain: object) -> str:
    """JSON, as it is stored."""
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def actor_of(actor: Actor) -> str:
    """An actor, as it is stored."""
    return text_of(
        {
            "id": actor.id, "name": actor.name, "roles": sorted(actor.roles), "unit": actor.unit,
            "clearance": "internal", "kind": "person", "on_behalf_of": None, "post": actor.post,
        }
    )  # fmt: skip


def time_of(time: datetime) -> str:
    """A time, as it is stored."""
    return time.isoformat(timespec="microseconds")


def created(id: str, now: str) -> Created:
    """What the creation of a report stores."""
    base = {
        "id": id, "kind": "report", "state": "", "version": 0, "head": "", "lifecycle_version": 1, "unit": "office",
        "parent": None, "category": "", "assignee": None, "due_at": None, "secrecy": "internal",
        "created_by": EDITOR.id, "created_for": None, "created_at": now, "updated_at": None,
    }  # fmt: skip
    own = {
        "authors": [{"name": "Zhang", "id": "zhang", "unit": "", "level": None}], "number": "", "source": "member",
        "topics": ["transport"], "attachments": [], "commission": None, "origin": "", "merged_into": None,
        "credits": [], "revision": 0, "edited_by": None, "edited_for": None, "facts": [],
    }  # fmt: skip
    record = {
        **base, "state": "draft", "version": 1, "head": DIGEST, "due_at": "never", "updated_at": now,
        "title": TITLE, "text": TEXT, "folded": folded(TITLE) + BETWEEN + folded(TEXT),
        "data": text_of({"$type": "reportflow.Report", **own}),
    }  # fmt: skip
    entry = {
        **CONSTANT, "record_id": id, "sequence": 1, "trigger": "create", "source": None, "dest": "draft",
        "actor_id": EDITOR.id, "actor": actor_of(EDITOR), "at": now, "recorded_at": now,
        "details": text_of({"$type": "reportflow.Report", **base, "title": TITLE, "text": TEXT, **own}),
        "party": None, "level": None, "code": own["source"],
    }  # fmt: skip
    labels = [
        {"record_id": id, "name": "author", "value": "zhang"},
        {"record_id": id, "name": "topic", "value": "transport"},
    ]
    return record, entry, labels


def fired(row: Mapping[str, Any], now: str, trigger: str, actor: Actor, details: Mapping[str, Any]) -> Values:
    """The entry of an act that leaves the state alone."""
    return {
        **CONSTANT, "record_id": row["id"], "sequence": row["version"] + 1, "trigger": trigger,
        "source": row["state"], "dest": row["state"], "actor_id": actor.id, "actor": actor_of(actor), "at": now,
        "recorded_at": now, "details": text_of(details), "party": details.get("body"),
        "level": details.get("level"), "code": details.get("usage"),
    }  # fmt: skip


def adopting(row: Mapping[str, Any], now: str) -> tuple[Values, Values]:
    """A record after an adoption, and the entry of it."""
    details = {
        "$type": "reportflow.Adoption", "body": "City Committee", "level": "city", "carrier": "The Gazette",
        "issue": "", "usage": "single",
    }  # fmt: skip
    entry = fired(row, now, "adopt", REGISTRAR, details)
    data = json.loads(row["data"])
    data["facts"].append({"sequence": entry["sequence"], "trigger": "adopt"})
    after = {"version": entry["sequence"], "head": entry["digest"], "updated_at": now, "data": text_of(data)}
    return {**row, **after}, entry


# ---------------------------------------------------------------------------------------------------------------
# SQLite


def insert(table: str, columns: Sequence[str]) -> str:
    """An INSERT of one row."""
    names, marks = ", ".join(f'"{one}"' for one in columns), ", ".join(f":{one}" for one in columns)
    return f"INSERT INTO reportflow_{table} ({names}) VALUES ({marks})"


def update(*columns: str) -> str:
    """An UPDATE that compares version and head."""
    return (
        f"UPDATE reportflow_record SET {', '.join(f'{name} = :{name}' for name in columns)} "
        "WHERE id = :id AND version = :expected AND head = :seen"
    )


INSERT_ENTRY: Final = (
    insert("entry", ENTRY).replace(") VALUES (", ", position) VALUES (")[:-1]
    + ", (SELECT coalesce(max(position), 0) + 1 FROM reportflow_entry))"
)
INSERT_RECORD: Final = insert("record", RECORD)
INSERT_LABEL: Final = insert("label", LABEL)
UPDATE_RECORD: Final = update("version", "head", "updated_at", "data")  # an adoption of what is adopted adds a fact
SELECT_RECORD: Final = f"SELECT {', '.join(RECORD)} FROM reportflow_record WHERE id = ?"


def opened(path: Path, synchronous: str = "NORMAL") -> sqlite3.Connection:
    """A connection with the durability that the library has, or with another one."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def read(connection: sqlite3.Connection, id: str) -> Values:
    """A record, its JSON read too."""
    row = dict(connection.execute(SELECT_RECORD, (id,)).fetchone())
    json.loads(row["data"])
    return row


class Hand(Protocol):
    """The acts of `Ours`, by hand."""

    def fire_snapshot(self, number: int) -> None:
        """Adopt a snapshot of the record."""
        ...

    def fire_by_id(self, number: int) -> None:
        """Adopt the record of an id: read it, then as above."""
        ...

    def create(self, _: int) -> None:
        """Create a report."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class SqliteHand:
    """sqlite3 on one connection that is held open. See `Hand`."""

    def __init__(self, path: Path, clock: Ticks) -> None:
        self._clock = clock
        self._made = 0
        self._connection = opened(path)
        self._records = [read(self._connection, id) for id in ids()]

    def close(self) -> None:
        """See `Hand.close`."""
        self._connection.close()

    def fire_snapshot(self, number: int) -> None:
        """See `Hand.fire_snapshot`."""
        self._records[number] = self._adopt(self._records[number])

    def fire_by_id(self, number: int) -> None:
        """See `Hand.fire_by_id`."""
        self._records[number] = self._adopt(read(self._connection, f"report-{number}"))

    def _adopt(self, row: Mapping[str, Any]) -> Values:
        after, entry = adopting(row, time_of(self._clock()))
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        moved = execute(UPDATE_RECORD, {**after, "expected": row["version"], "seen": row["head"]})
        if moved.rowcount != 1:
            raise RuntimeError("another program wrote to the benchmark's file")
        execute(INSERT_ENTRY, entry)
        execute("COMMIT")
        return after

    def create(self, _: int) -> None:
        """See `Hand.create`."""
        self._made += 1
        record, entry, labels = created(f"new-{self._made}", time_of(self._clock()))
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        execute(INSERT_RECORD, record)
        execute(INSERT_ENTRY, entry)
        self._connection.executemany(INSERT_LABEL, labels)
        execute("COMMIT")


# ---------------------------------------------------------------------------------------------------------------
# PostgreSQL


def _cast(columns: Sequence[str], prefix: str = "") -> str:
    return ", ".join(f"%({prefix}{name})s::{'int' if name in NUMBERS else 'text'}" for name in columns)


def quoted(columns: Sequence[str]) -> str:
    """The names of columns."""
    return ", ".join(f'"{name}"' for name in columns)


#: The compare-and-set and the entry in one statement.
ADOPT: Final = f"""
    WITH moved AS (
        UPDATE reportflow_record
        SET version = %(sequence)s, head = %(digest)s, updated_at = %(recorded_at)s, data = %(data)s
        WHERE id = %(record_id)s AND version = %(expected)s AND head = %(seen)s RETURNING id
    )
    INSERT INTO reportflow_entry ({quoted(ENTRY)}) SELECT {_cast(ENTRY)} FROM moved"""
#: A record, its entry and its two labels in one statement.
CREATE: Final = f"""
    WITH made AS (
        INSERT INTO reportflow_record ({quoted(RECORD)}) VALUES ({_cast(RECORD, "record_")})
    ), written AS (
        INSERT INTO reportflow_entry ({quoted(ENTRY)}) VALUES ({_cast(ENTRY)})
    )
    INSERT INTO reportflow_label VALUES (%(id)s, 'author', %(author)s), (%(id)s, 'topic', %(topic)s)"""


class PostgresHand:
    """psycopg on one connection that is held open, one statement an act. See `Hand`."""

    def __init__(self, connect: Callable[[], Any], clock: Callable[[], datetime], names: Sequence[str]) -> None:
        self._clock = clock
        self._made = 0
        self._names = names
        self._connection = connect()
        self._records = [self._read(id) for id in names]

    def close(self) -> None:
        """See `Hand.close`."""
        self._connection.close()

    def _read(self, id: str) -> Values:
        found = self._connection.execute(
            f"SELECT {', '.join(RECORD)} FROM reportflow_record WHERE id = %s", (id,)
        ).fetchone()
        row = dict(zip(RECORD, found, strict=True))
        json.loads(row["data"])
        return row

    def fire_snapshot(self, number: int) -> None:
        """See `Hand.fire_snapshot`."""
        self._records[number] = self._adopt(self._records[number])

    def fire_by_id(self, number: int) -> None:
        """See `Hand.fire_by_id`."""
        self._records[number] = self._adopt(self._read(self._names[number]))

    def _adopt(self, row: Mapping[str, Any]) -> Values:
        after, entry = adopting(row, time_of(self._clock()))
        values = {**entry, "data": after["data"], "expected": row["version"], "seen": row["head"]}
        if self._connection.execute(ADOPT, values).rowcount != 1:
            raise RuntimeError("another program wrote to the benchmark's database")
        return after

    def create(self, _: int) -> None:
        """See `Hand.create`."""
        self._made += 1
        record, entry, labels = created(f"new-{self._made}", time_of(self._clock()))
        values = {f"record_{name}": value for name, value in record.items()}
        values.update(entry, id=record["id"], author=labels[0]["value"], topic=labels[1]["value"])
        self._connection.execute(CREATE, values)
