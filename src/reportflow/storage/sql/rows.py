"""Values to the rows of the tables and back; `wire` says what is in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from reportflow import wire
from reportflow.model.actor import Actor
from reportflow.model.checks import once_a_class
from reportflow.model.entry import Entry
from reportflow.model.query import NEVER
from reportflow.model.record import Record
from reportflow.model.values import field_names, registered, time_text

#: What a driver gives for a row: its columns, in the order in which they were asked for.
Row = Sequence[Any]

#: The fields that every record has; each is a column.
BASE: Final = field_names(Record)
#: The columns that a record is read from. What of a class derives from `Record` is in the last two.
RECORD_COLUMNS: Final = (*BASE, "text", "data")
#: The columns that an entry is read from.
ENTRY_COLUMNS: Final = field_names(Entry)
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


def records_of(rows: Sequence[Row]) -> list[Record]:
    """The records of some rows of `RECORD_COLUMNS`."""
    # read as one text, which is half the work of reading each for itself
    long = json.loads(f"[{','.join([row[-1] for row in rows])}]")
    return [_record_of(row, plain) for row, plain in zip(rows, long, strict=True)]


def _record_of(row: Row, plain: dict[str, Any]) -> Record:
    text = row[-2]
    if text is not None:
        plain["text"] = text
    cls = registered(plain[wire.TYPE])
    size, made = (0, None) if cls is None else _assembly(cls)
    if made is not None and len(plain) == size:
        try:
            record: Record = made(plain, row)
            return record
        except Exception:  # the class has other fields today: the long way fills them in, or says what is wrong
            pass
    plain.update(zip(BASE, row, strict=False))
    plain["due_at"] = None if plain["due_at"] == NEVER else plain["due_at"]
    return wire.read(Record, plain)


@once_a_class
def _assembly(cls: type[Any]) -> tuple[int, Callable[..., Any] | None]:
    """How many keys the long column has for a class of today, and what puts a record together."""
    return len(_own(cls)) + 1, wire.assembly(cls, BASE, {"due_at": _due_at})


def _due_at(text: str) -> datetime | None:
    return None if text == NEVER else datetime.fromisoformat(text)


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


@lru_cache(maxsize=1024)
def _actor_of(text: str) -> Actor:
    return wire.read(Actor, json.loads(text))


def _details_of(text: str | None) -> Any:
    return None if text is None else wire.read_kept(json.loads(text))


_assembled: Final = wire.assembly(Entry, ENTRY_COLUMNS, {"actor": _actor_of, "details": _details_of})


def entry_of(row: Row) -> Entry:
    """The entry of a row of `ENTRY_COLUMNS`."""
    assert _assembled is not None
    entry: Entry = _assembled({}, row)
    return entry


def label_rows(record: Record) -> list[dict[str, Any]]:
    """One row for each author and topic of a record."""
    return [
        {"record_id": record.id, "name": name, "value": value}
        for name, values in record.labels().items()
        for value in dict.fromkeys(values)
    ]
