"""Values to the rows of the tables and back. What is in a JSON column is up to `serialization.plain`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import compress
from operator import attrgetter, is_not
from typing import Any, Final

from reportflow.model.actor import Actor
from reportflow.model.checks import cache_by_class
from reportflow.model.entry import Entry
from reportflow.model.query import NEVER
from reportflow.model.record import Record
from reportflow.model.values import contents, field_names, registered, time_text
from reportflow.serialization import plain as wire
from reportflow.storage.sql.executor import Row
from reportflow.storage.sql.schema import BASE, ENTRY_COLUMNS

_COLUMNS: Final = frozenset(BASE)
#: How those fields are written that are neither texts nor numbers.
_WRITE: Final[Mapping[str, Callable[[Any], str]]] = {
    "due_at": lambda value: NEVER if value is None else time_text(value),
    "created_at": time_text,
    "updated_at": time_text,
    "secrecy": lambda value: str(value.value),
}


def record_row(record: Record) -> dict[str, Any]:
    """The row of a record."""
    row = {**dict(zip(BASE, attrgetter(*BASE)(record), strict=True)), **_long(record)}
    for name, write in _WRITE.items():
        row[name] = write(row[name])
    return row


def changed_row(before: Record, record: Record) -> dict[str, Any]:
    """What of a record's row is not as it was before. The long columns are written anew if any of theirs changed."""
    cls = type(record)
    if type(before) is not cls:
        return record_row(record)
    then, now = contents(cls)(before), contents(cls)(record)
    others = compress(zip(field_names(cls), then, now, strict=True), map(is_not, then, now))
    moved = [(name, new) for name, old, new in others if old != new]
    row = {name: _WRITE[name](new) if name in _WRITE else new for name, new in moved if name in _COLUMNS}
    return row if len(row) == len(moved) else {**row, **_long(record)}


def _long(record: Record) -> dict[str, Any]:
    plain = _long_writer(type(record))(record)
    text = plain.pop("text") if isinstance(plain.get("text"), str) else None
    return {"text": text, "data": wire.json_text(plain)}


@cache_by_class
def _long_writer(cls: type[Any]) -> Callable[[Any], dict[str, Any]]:
    return wire.part_writer(cls, BASE)


def records_of(rows: Sequence[Row]) -> list[Record]:
    """The records of some rows of `RECORD_COLUMNS`."""
    # read as one JSON text, which is half the work of reading each by itself
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
        except Exception:  # the class has other fields today: the slow path adds them, or raises the right error
            pass
    plain.update(zip(BASE, row, strict=False))
    plain["due_at"] = None if plain["due_at"] == NEVER else plain["due_at"]
    return wire.read(Record, plain)


@cache_by_class
def _assembly(cls: type[Any]) -> tuple[int, Callable[..., Any] | None]:
    """How many keys the long column has for a class of today, and what puts a record together."""
    return len(field_names(cls)) - len(BASE) + 1, wire.assembly(cls, BASE, {"due_at": _due_at})


def _due_at(text: str) -> datetime | None:
    return None if text == NEVER else datetime.fromisoformat(text)


def entry_rows(entries: Iterable[Entry]) -> Iterator[dict[str, Any]]:
    """The rows of entries, with their marks. Those of a bulk share their details, which are then written once."""
    text: str | None = None
    last: object = None
    for entry in entries:
        if entry.details is not last:
            last = entry.details
            text = None if last is None else wire.to_json(last)
        yield _entry_row(entry, text)


def _entry_row(entry: Entry, details: str | None) -> dict[str, Any]:
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
        "details": details,
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
    return wire.json_text(plain)


@lru_cache(maxsize=1024)
def _actor_of(text: str) -> Actor:
    return wire.read(Actor, json.loads(text))


def _details_of(text: str | None) -> Any:
    return None if text is None else wire.load_trusted(json.loads(text))


_assembled: Final = wire.assembly(Entry, ENTRY_COLUMNS, {"actor": _actor_of, "details": _details_of})


def entry_of(row: Row) -> Entry:
    """The entry of a row of `ENTRY_COLUMNS`."""
    assert _assembled is not None
    try:
        entry: Entry = _assembled({}, row)
        return entry
    except Exception:  # the slow path raises the right error
        plain = dict(zip(ENTRY_COLUMNS, row, strict=True))
        for name in ("actor", "details"):
            plain[name] = None if plain[name] is None else json.loads(plain[name])
        return wire.read(Entry, plain)


def label_rows(record: Record) -> list[dict[str, Any]]:
    """One row for each author and topic of a record."""
    return [
        {"record_id": record.id, "name": name, "value": value}
        for name, values in record.labels().items()
        for value in dict.fromkeys(values)
    ]
