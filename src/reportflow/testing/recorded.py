"""Recorded rows: hold the classes of a program against what is stored, so that CI finds a change that breaks reading.

`record_rows` writes a few rows of each shape into a file, without salts; the file is committed beside the tests of a
host. `check_rows` reads every row of it by the classes of today. The rows hold what is stored in them: record from a
database of tests, or of examples.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from reportflow.errors import InvalidValue
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.query import Query
from reportflow.model.values import Extended, extras_of
from reportflow.serialization.classes import Classes
from reportflow.serialization.digest import ERASED
from reportflow.serialization.evolution import TYPE, VERSION, schema_of
from reportflow.serialization.jsontext import json_text
from reportflow.serialization.plain import to_plain
from reportflow.serialization.stored import load_stored
from reportflow.storage.base import Store
from reportflow.testing.broken import BrokenPromise

#: How many records and entries are read at a time.
_PAGE = 1000


def record_rows(store: Store, path: str | Path, *, each: int = 3) -> int:
    """Write a file of recorded rows: JSON lines, some records and details of each shape, as they are stored.

    Args:
        store: Whose rows are recorded. Of a record the latest content is written in today's shape; its first one
            stands in the entry of its creation as it was stored.
        path: The file; one that is there is replaced.
        each: How many rows at the most of each kind, definition, trigger and set of schema versions.

    Returns:
        How many rows were written.

    Raises:
        BrokenPromise: there is no row that can be read.
        StorageError: the store cannot be read.
    """
    written: Counter[str] = Counter()
    lines = []
    for row in _rows(store):
        key = json_text({**row, "plain": _versions(row["plain"])})
        written[key] += 1
        if written[key] <= each:
            lines.append(json_text(row))
    if not lines:
        raise BrokenPromise("rows_none", path=str(path))
    Path(path).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)


def check_rows(path: str | Path, *lifecycles: Lifecycle) -> int:
    """Read every row of a file that `record_rows` wrote by the classes of today.

    Args:
        path: The file.
        *lifecycles: The definitions of today, and the older ones that records still name.

    Returns:
        How many rows were read.

    Raises:
        BrokenPromise: rows cannot be read, or are read with a loss: a field that the classes no longer have and no
            upgrader takes away, or a value that is written as another one. It names every one.
    """
    classes = Classes(*lifecycles)
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    wrong = []
    for number, line in enumerate(lines, 1):
        problem = _problem(line, classes)
        if problem is not None:
            wrong.append(f"{number} ({problem})")
    if wrong:
        raise BrokenPromise("rows_unreadable", path=str(path), number=len(wrong), names=wrong)
    if not lines:
        raise BrokenPromise("rows_none", path=str(path))
    return len(lines)


def _rows(store: Store) -> Iterator[dict[str, Any]]:
    query: Query | None = Query(order="id", limit=_PAGE)
    while query is not None:
        page = store.find(query)
        for record in page:
            yield {"kind": record.kind, "version": record.lifecycle_version, "plain": to_plain(record)}
        query = None if page.next is None else attrs.evolve(query, cursor=page.next)
    place: tuple[str, int] | None = None
    while entries := store.sealed(place, _PAGE):
        for one in entries:
            try:
                plain = None if one.details is None else json.loads(one.details)
            except (ValueError, RecursionError):  # not readable today either: `verify` names it
                continue
            if isinstance(plain, dict):
                plain.pop(ERASED, None)  # of the act, not of its details
            if isinstance(plain, dict) and plain:
                about = {"trigger": one.trigger, "creation": one.source is None}
                yield {"kind": one.kind, "version": one.lifecycle_version, **about, "plain": plain}
        place = entries[-1].record_id, entries[-1].sequence


def _versions(plain: Any) -> Any:
    """The schema versions in plain data, by their places."""
    if isinstance(plain, list):
        return sorted({json_text(_versions(one)) for one in plain})
    if not isinstance(plain, dict):
        return None
    found = {name: _versions(one) for name, one in plain.items()}
    return {VERSION: plain.get(VERSION, 1), **{name: one for name, one in sorted(found.items()) if one}}


def _problem(line: str, classes: Classes) -> str | None:
    """What is wrong with a recorded row; None where it is read without a loss."""
    try:
        row = json.loads(line)
        kind, version, trigger, plain = row["kind"], row["version"], row.get("trigger"), row["plain"]
        creation = trigger is None or row["creation"]
        cls = classes.of_details(kind, version, trigger or "", creation=creation)
    except (ValueError, KeyError, TypeError) as error:
        return f"{type(error).__name__}: no recorded row"
    named = " ".join(map(str, filter(None, (kind, version, trigger))))
    if cls is None:
        return f"{named}: no lifecycle that was given has this kind, version and trigger"
    try:
        value = load_stored(plain, cls)
        again = to_plain(value)
        same = load_stored(again, cls) == value
    except InvalidValue as error:
        return f"{named}: {error}"
    if isinstance(value, Extended) and (extras := extras_of(value)) is not None:
        parts = [*extras.nested] + ([] if extras.own is None else [extras.own])
        unknown = sorted({name for part in parts for name in part.unknown})
        if unknown:
            return f"{named}: unknown fields {', '.join(unknown)}"
    lost = list(_lost(plain, again, "")) if plain.get(VERSION, 1) == schema_of(cls).version else []
    if lost or not same:
        return f"{named}: read with a loss at {', '.join(lost) or cls.__name__}"
    return None


def _lost(plain: Any, again: Any, place: str) -> Iterator[str]:
    """The places of plain data that are written otherwise, where it is of the version of today."""
    if isinstance(plain, dict) and isinstance(again, dict):
        if plain.get(VERSION, 1) != again.get(VERSION, 1):
            return  # upgraded: only the upgrader knows what becomes of it
        for name, one in plain.items():
            if name not in again:
                yield f"{place}{name}"
            elif name != TYPE:
                yield from _lost(one, again[name], f"{place}{name}.")
    elif isinstance(plain, list) and isinstance(again, list) and len(plain) == len(again):
        for one, other in zip(plain, again, strict=True):
            yield from _lost(one, other, place)
    elif plain != again or type(plain) is not type(again):
        yield place.rstrip(".")
