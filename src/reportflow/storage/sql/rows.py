"""Values to the rows of the tables and back; `wire` says what is in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import RowMapping

from reportflow import wire
from reportflow.model.actor import Actor
from reportflow.model.checks import once_a_class
from reportflow.model.entry import Entry
from reportflow.model.query import NEVER
from reportflow.model.record import Record
from reportflow.model.values import field_names, time_text

#: What a driver gives for a row, by column.
Row = RowMapping | Mapping[str, Any]

#: The fields that every record has; each is a column.
BASE: Final = field_names(Record)
#: What of a class that derives from `Record` is in the two long columns.
LONG: Final = ("text", "data")
#: How those fields are written that are neither texts nor numbers.
_WRITE: Final[Mapping[str, Callable[[Any], str]]] = {
    "due_at": lambda value: NEVER if value is None else time_text(value),
    "created_at": time_text,
    "updated_at": time_text,
    "secrecy": lambda value: str(value.value),
}


def record_row(record: Record) -> dict[str, Any]:
    """The row of a record."""
    return {**{name: _written(record, name) for name in BASE}, **_long(record)}


def changed_row(before: Record, record: Record) -> dict[str, Any]:
    """What of a record's row is not as it was before. The long columns are written anew if any of theirs changed."""
    row = {name: _written(record, name) for name in BASE if getattr(record, name) != getattr(before, name)}
    if type(before) is not type(record) or any(getattr(record, n) != getattr(before, n) for n in _own(type(record))):
        row.update(_long(record))
    return row


def _written(record: Record, name: str) -> Any:
    value = getattr(record, name)
    write = _WRITE.get(name)
    return value if write is None else write(value)


@once_a_class
def _own(cls: type[Any]) -> tuple[str, ...]:
    return tuple(name for name in field_names(cls) if name not in BASE)


def _long(record: Record) -> dict[str, Any]:
    plain: dict[str, Any] = wire.to_plain(record)
    for name in BASE:
        del plain[name]
    text = plain.pop("text") if isinstance(plain.get("text"), str) else None
    return {"text": text, "data": _json(plain)}


def _json(plain: object) -> str:
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def record_of(row: Row) -> Record:
    """The record of a row."""
    plain = json.loads(row["data"])
    plain.update((name, row[name]) for name in BASE)
    if plain["due_at"] == NEVER:
        plain["due_at"] = None
    if row["text"] is not None:
        plain["text"] = row["text"]
    record = wire.read_kept(plain)
    assert isinstance(record, Record)
    return record


def entry_row(entry: Entry) -> dict[str, Any]:
    """The row of an entry, its marks beside it."""
    return {
        "record_id": entry.record_id,
        "sequence": entry.sequence,
        "trigger": entry.trigger,
        "source": entry.source,
        "dest": entry.dest,
        "actor_id": entry.actor.id,
        "actor": _actor_text(entry.actor),
        "at": time_text(entry.at),
        "recorded_at": time_text(entry.recorded_at),
        "reason": entry.reason,
        "details": None if entry.details is None else wire.to_json(entry.details),
        "key": entry.key,
        "cause": entry.cause,
        "party": entry.mark("party"),
        "level": entry.mark("level"),
        "code": entry.mark("code"),
    }


@lru_cache(maxsize=1024)
def _actor_text(actor: Actor) -> str:
    """An actor as JSON; the same few people act again and again."""
    plain: dict[str, Any] = wire.to_plain(actor)
    del plain[wire.TYPE]
    return _json(plain)


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
