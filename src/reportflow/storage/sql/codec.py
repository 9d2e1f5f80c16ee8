"""Values to the rows of the tables and back. What is in a JSON column is up to `serialization`.

A row that cannot be read gives an `UnreadableRecord` in the place of its value, so that it harms no other row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import compress
from operator import attrgetter, is_not
from typing import Any, Final

from reportflow.errors import InvalidValue, UnreadableRecord
from reportflow.model.actor import Actor, Secrecy
from reportflow.model.checks import cache_by_class
from reportflow.model.entry import Entry
from reportflow.model.query import NEVER, searched
from reportflow.model.record import Record
from reportflow.model.values import contents, field_names, time_text
from reportflow.serialization.classes import Classes
from reportflow.serialization.digest import ERASED, Sealed
from reportflow.serialization.evolution import TYPE, VERSION, was_upgraded
from reportflow.serialization.jsontext import json_text
from reportflow.serialization.plain import part_writer
from reportflow.serialization.stored import Assembly, assembly, assembly_of, aware_time, load_stored
from reportflow.serialization.unsealing import APART, put_details, read_audience
from reportflow.storage.sql.executor import Row
from reportflow.storage.sql.schema import BASE, CONTENT_COLUMNS, ENTRY_COLUMNS, RECORD_COLUMNS, SEALED_COLUMNS

_COLUMNS: Final = frozenset(BASE)
_base_of: Final = attrgetter(*BASE)
#: How those fields are written that are neither texts nor numbers.
_WRITE: Final[Mapping[str, Callable[[Any], str]]] = {
    "due_at": lambda value: NEVER if value is None else time_text(value),
    "created_at": time_text,
    "updated_at": time_text,
    "secrecy": lambda value: str(value.value),
}


def record_row(record: Record) -> dict[str, Any]:
    """The row of a record."""
    row: dict[str, Any] = dict(zip(BASE, _base_of(record), strict=True))
    for name, write in _WRITE.items():
        row[name] = write(row[name])
    row.update(_long(record))
    row["folded"] = searched(record)
    return row


def changed_row(before: Record, record: Record) -> dict[str, Any]:
    """What of a record's row is not as it was before. The long columns are written anew if any of theirs changed.

    A row of an older shape is written whole.
    """
    cls = type(record)
    if type(before) is not cls or was_upgraded(before):
        return record_row(record)
    then, now = contents(cls)(before), contents(cls)(record)
    others = compress(zip(field_names(cls), then, now, strict=True), map(is_not, then, now))
    moved = [(name, new) for name, old, new in others if old != new]
    row = {name: _WRITE[name](new) if name in _WRITE else new for name, new in moved if name in _COLUMNS}
    if len(row) != len(moved):
        row.update(_long(record))
    if "title" in row or "text" in row:
        row["folded"] = searched(record)
    return row


def _long(record: Record) -> dict[str, Any]:
    plain = _long_writer(type(record))(record)
    text = plain.pop("text") if isinstance(plain.get("text"), str) else None
    return {"text": text, "data": json_text(plain)}


@cache_by_class
def _long_writer(cls: type[Any]) -> Callable[[Any], dict[str, Any]]:
    return part_writer(cls, BASE)


def records_of(rows: Sequence[Row], classes: Classes) -> list[Record | UnreadableRecord]:
    """The record of each row of `RECORD_COLUMNS`, or why it cannot be read."""
    try:
        # read as one JSON text, which is half the work of reading each by itself
        long = json.loads(f"[{','.join([row[-1] for row in rows])}]")
        return [_record_of(row, plain, classes) for row, plain in zip(rows, long, strict=True)]
    except Exception:  # one of them is broken: read each by itself
        return [_read_slowly(row, classes) for row in rows]


def _record_of(row: Row, plain: dict[str, Any], classes: Classes) -> Record | UnreadableRecord:
    text = row[-2]
    if text is not None:
        plain["text"] = text
    cls = classes.record(row[_KIND], row[_LIFECYCLE_VERSION])
    if cls is not None:
        size, name, version, made = _assembly(cls)
        try:
            fits = len(plain) == size and plain[TYPE] == name and (version is None or plain.get(VERSION) == version)
            if made is not None and fits:
                record: Record = made(plain, row)
                return record
        except Exception:  # it has another shape than today's, or cannot be read: the slow path tells
            pass
    return _read_slowly(row, classes)


def _read_slowly(row: Row, classes: Classes) -> Record | UnreadableRecord:
    """The record of a row of any shape; what is wrong with a row is found here, and nowhere else."""
    columns = dict(zip(RECORD_COLUMNS, row, strict=True))
    ids = (shown(columns["id"]),)
    wrong = _wrong_column(columns, _RECORD_NUMBERS)
    if wrong is not None:
        return UnreadableRecord(ids, *wrong)
    text, data = columns.pop("text"), columns.pop("data")
    plain = _json(data)
    if not isinstance(plain, dict):
        return UnreadableRecord(ids, "data", "json")
    cls = classes.record(columns["kind"], columns["lifecycle_version"])
    if cls is None:
        return UnreadableRecord(ids, "kind", "kind")
    if columns["due_at"] == NEVER:
        columns["due_at"] = None
    plain |= columns if text is None else {**columns, "text": text}
    try:
        return load_stored(plain, cls)
    except InvalidValue as error:
        return UnreadableRecord(ids, *_wrong_value("data", error))


_KIND: Final = BASE.index("kind")
_LIFECYCLE_VERSION: Final = BASE.index("lifecycle_version")
#: The columns of numbers; all others are texts.
_RECORD_NUMBERS: Final = frozenset({"version", "lifecycle_version"})
_ENTRY_NUMBERS: Final = frozenset({"sequence", "lifecycle_version", "retracts"})


@cache_by_class
def _assembly(cls: type[Any]) -> Assembly:
    """How a record is put together from the long columns and the others."""
    return assembly_of(cls, BASE, {"due_at": _due_at})


def _due_at(text: str) -> datetime | None:
    return None if text == NEVER else aware_time(text)


# -- what cannot be read ----------------------------------------------------------------------------------------------


def shown(stored: object) -> str:
    """A stored text as it can be shown, whatever is in its column."""
    if isinstance(stored, bytes):
        return stored.decode("utf-8", "backslashreplace")
    return str(stored).encode("utf-8", "backslashreplace").decode()


def _wrong_column(columns: Mapping[str, Any], numbers: Collection[str]) -> tuple[str, str] | None:
    """The first column that has a value of another type, and what is wrong with it."""
    for name, value in columns.items():
        if isinstance(value, bytes):
            return name, "encoding" if _is_no_text(value) else "column"
        if value is not None and type(value) is not (int if name in numbers else str):
            return name, "column"
    return None


def _is_no_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return True
    return False


def _json(text: Any) -> Any:
    """What is in a JSON column; None where it has none."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None


def _wrong_value(column: str, error: InvalidValue) -> tuple[str, str, str, int | None]:
    """Place, problem, class and schema version of a value that cannot be made."""
    problem = error.problem if error.problem in _PROBLEMS else "value"
    owner, version = error.details.get("owner", ""), error.details.get("version")
    return f"{column}: {error.field}", problem, str(owner), version if isinstance(version, int) else None


#: The problems of `InvalidValue` that have a text of their own in the room ``unreadable``.
_PROBLEMS: Final = frozenset({"other_class", "schema_version", "upgrade", "leftover"})


# -- entries ----------------------------------------------------------------------------------------------------------


def entry_row(sealed: Sealed) -> dict[str, Any]:
    """The row of an entry: what is sealed, as it is."""
    return dict(zip(SEALED_COLUMNS, sealed, strict=True))


def remains_row(sealed: Sealed) -> dict[str, Any]:
    """The parameters by which the content of a stored entry is replaced: the digest says that it is the same entry."""
    place = {"its_id": sealed.record_id, "its_sequence": sealed.sequence, "its_digest": sealed.digest}
    return {**place, **{name: getattr(sealed, name) for name in CONTENT_COLUMNS}}


def sealed_of(row: Row) -> Sealed:
    """What is stored in a row of `SEALED_COLUMNS`, texts or their bytes, whatever it is."""
    if bytes not in map(type, row):
        return tuple.__new__(Sealed, row)  # past a function for each row
    values: list[Any] = [one.decode("utf-8", "surrogateescape") if isinstance(one, bytes) else one for one in row]
    return Sealed._make(values)


@lru_cache(maxsize=1024)
def _actor_of(text: str) -> Actor:
    if type(text) is not str:
        raise TypeError
    return load_stored(json.loads(text), Actor)


_assembled: Final = assembly(
    Entry, ENTRY_COLUMNS, {"actor": _actor_of, "audience": read_audience, "details": None, "erased": None}
)


def entry_of(row: Row, classes: Classes) -> Entry | UnreadableRecord:
    """The entry of a row of `ENTRY_COLUMNS` and, behind them, its details; or why it cannot be read."""
    assert _assembled is not None
    *_, text = row
    try:
        entry: Entry = _assembled(APART, row)
        if text is not None:
            put_details(entry, text, classes)
        return entry
    except Exception:  # what is wrong is found column by column
        pass
    return _unreadable(row, classes)


def _unreadable(row: Row, classes: Classes) -> UnreadableRecord:
    columns = dict(zip((*ENTRY_COLUMNS, "details"), row, strict=True))
    number = columns["sequence"]
    sequence = number if type(number) is int else None
    place, problem, owner, version = _wrong_entry(columns, classes)
    return UnreadableRecord((shown(columns["record_id"]),), place, problem, owner, version, sequence)


def _wrong_entry(columns: dict[str, Any], classes: Classes) -> tuple[str, str, str, int | None]:
    """Place, problem, class and schema version of an entry that cannot be read."""
    wrong = _wrong_column(columns, _ENTRY_NUMBERS)
    if wrong is not None:
        return (*wrong, "", None)
    for name, reads in _READS.items():
        try:
            reads(columns[name])
        except Exception:  # its text may quote the content
            return name, "json" if name == "actor" and _json(columns[name]) is None else "value", "", None
    plain = _json(columns["details"])
    if plain is None:
        return "details", "json", "", None
    if isinstance(plain, dict):
        plain.pop(ERASED, None)  # of the act, not of its details
    kind, version, trigger = columns["kind"], columns["lifecycle_version"], columns["trigger"]
    cls = classes.of_details(kind, version, trigger, creation=columns["source"] is None)
    if cls is None:
        return "trigger", "kind", "", None
    try:
        load_stored(plain, cls)
    except InvalidValue as error:
        return _wrong_value("details", error)
    return "details", "value", "", None


_READS: Final[Mapping[str, Callable[[Any], object]]] = {
    "at": aware_time,
    "recorded_at": aware_time,
    "secrecy": Secrecy,
    "audience": read_audience,
    "actor": _actor_of,
}


def label_rows(record: Record) -> list[dict[str, Any]]:
    """One row for each author and topic of a record."""
    return [
        {"record_id": record.id, "name": name, "value": value}
        for name, values in record.labels().items()
        for value in dict.fromkeys(values)
    ]
