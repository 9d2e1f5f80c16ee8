"""Values to the rows of the tables and back. What is in a JSON column is up to `serialization.plain`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import compress
from operator import attrgetter, is_not
from typing import Any, Final

from reportflow.errors import InvalidValue
from reportflow.model.actor import Actor
from reportflow.model.checks import cache_by_class
from reportflow.model.entry import Entry
from reportflow.model.query import NEVER
from reportflow.model.record import Record
from reportflow.model.values import contents, field_names, name_of, setters, time_text
from reportflow.serialization import plain as wire
from reportflow.serialization.classes import Classes
from reportflow.serialization.digest import Sealed
from reportflow.storage.sql.executor import Row
from reportflow.storage.sql.schema import BASE, ENTRY_COLUMNS, SEALED_COLUMNS

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


def records_of(rows: Sequence[Row], classes: Classes) -> list[Record]:
    """The records of some rows of `RECORD_COLUMNS`."""
    # read as one JSON text, which is half the work of reading each by itself
    long = json.loads(f"[{','.join([row[-1] for row in rows])}]")
    return [_record_of(row, plain, classes) for row, plain in zip(rows, long, strict=True)]


def _record_of(row: Row, plain: dict[str, Any], classes: Classes) -> Record:
    text = row[-2]
    if text is not None:
        plain["text"] = text
    cls = classes.record(row[_KIND], row[_LIFECYCLE_VERSION])
    size, name, made = (0, "", None) if cls is None else _assembly(cls)
    if made is not None and len(plain) == size and plain[wire.TYPE] == name:
        try:
            record: Record = made(plain, row)
            return record
        except Exception:  # the class has other fields today: the slow path adds them, or raises the right error
            pass
    plain.update(zip(BASE, row, strict=False))
    plain["due_at"] = None if plain["due_at"] == NEVER else plain["due_at"]
    return wire.from_plain(plain, Record, classes)


_KIND: Final = BASE.index("kind")
_LIFECYCLE_VERSION: Final = BASE.index("lifecycle_version")


@cache_by_class
def _assembly(cls: type[Any]) -> tuple[int, str, Callable[..., Any] | None]:
    """How many keys the long column has for a class of today, its name there, and what puts a record together."""
    return len(field_names(cls)) - len(BASE) + 1, name_of(cls), wire.assembly(cls, BASE, {"due_at": _due_at})


def _due_at(text: str) -> datetime | None:
    return None if text == NEVER else datetime.fromisoformat(text)


def entry_row(sealed: Sealed) -> dict[str, Any]:
    """The row of an entry: what is sealed, as it is."""
    return dict(zip(SEALED_COLUMNS, sealed, strict=True))


def sealed_of(row: Row) -> Sealed:
    """What is stored in a row of `SEALED_COLUMNS`, texts or their bytes, whatever it is."""
    try:
        return Sealed._make([one.decode() if type(one) is bytes else one for one in row])
    except UnicodeDecodeError:
        values: list[Any] = [one.decode("utf-8", "surrogateescape") if isinstance(one, bytes) else one for one in row]
        return Sealed._make(values)


@lru_cache(maxsize=1024)
def _actor_of(text: str) -> Actor:
    return wire.from_plain(json.loads(text), Actor)


def _audience_of(text: str | None) -> frozenset[str] | None:
    return None if text is None else frozenset(text.split(","))


_assembled: Final = wire.assembly(Entry, ENTRY_COLUMNS, {"actor": _actor_of, "audience": _audience_of})


def entry_of(row: Row, classes: Classes) -> Entry:
    """The entry of a row of `ENTRY_COLUMNS` and, behind them, its details.

    Raises:
        InvalidValue: its kind, definition or trigger is unknown, or it cannot be read.
    """
    assert _assembled is not None
    *_, text = row
    entry: Entry = _assembled({"details": None}, row)
    if text is None:
        return entry
    creation = entry.source is None
    cls = classes.of_details(entry.kind, entry.lifecycle_version, entry.trigger, creation=creation)
    if cls is None:
        given = f"{entry.kind} {entry.lifecycle_version} {entry.trigger}"
        raise InvalidValue("details", "plain", {"expected": "a known kind and trigger", "given": given})
    _put_details(entry, wire.load_trusted(json.loads(text), cls))  # it was just made, and is nobody else's yet
    return entry


_put_details: Final = setters(Entry)["details"]


def label_rows(record: Record) -> list[dict[str, Any]]:
    """One row for each author and topic of a record."""
    return [
        {"record_id": record.id, "name": name, "value": value}
        for name, values in record.labels().items()
        for value in dict.fromkeys(values)
    ]
