"""Values to the rows of the tables and back; `wire` says what is in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import RowMapping

from reportflow import wire
from reportflow.model.entry import Entry
from reportflow.model.query import NEVER
from reportflow.model.record import Record
from reportflow.model.values import field_names

#: What a driver gives for a row, by column.
Row = RowMapping | Mapping[str, Any]

#: The fields that every record has; each is a column.
_COLUMNS: Final = field_names(Record)
BASE_FIELDS: Final = frozenset(_COLUMNS)


def record_row(record: Record) -> dict[str, Any]:
    """The row of a record."""
    plain: dict[str, Any] = wire.to_plain(record)
    row = {name: plain.pop(name) for name in _COLUMNS}
    row["due_at"] = row["due_at"] or NEVER
    row["text"] = plain.pop("text") if isinstance(plain.get("text"), str) else None
    row["data"] = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return row


def record_of(row: Row) -> Record:
    """The record of a row."""
    plain = json.loads(row["data"])
    plain.update((name, row[name]) for name in _COLUMNS)
    if plain["due_at"] == NEVER:
        plain["due_at"] = None
    if row["text"] is not None:
        plain["text"] = row["text"]
    record = wire.from_plain(plain)
    assert isinstance(record, Record)
    return record


def entry_row(entry: Entry) -> dict[str, Any]:
    """The row of an entry, its marks beside it."""
    plain: dict[str, Any] = wire.to_plain(entry)
    del plain[wire.TYPE]
    plain["actor"] = json.dumps(plain["actor"], ensure_ascii=False, separators=(",", ":"))
    if plain["details"] is not None:
        plain["details"] = json.dumps(plain["details"], ensure_ascii=False, separators=(",", ":"))
    marks = {name: entry.mark(name) for name in ("party", "level", "code")}
    return {**plain, **marks, "actor_id": entry.actor.id}


_ENTRY_FIELDS: Final = field_names(Entry)


def entry_of(row: Row) -> Entry:
    """The entry of a row."""
    plain = {name: row[name] for name in _ENTRY_FIELDS}
    plain["actor"] = json.loads(plain["actor"])
    if plain["details"] is not None:
        plain["details"] = json.loads(plain["details"])
    return wire.read(Entry, plain)


def label_rows(record: Record) -> list[dict[str, Any]]:
    """One row for each author and topic of a record."""
    return [
        {"record_id": record.id, "name": name, "value": value}
        for name, values in record.labels().items()
        for value in dict.fromkeys(values)
    ]
