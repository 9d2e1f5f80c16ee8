"""What stands in a form before anything is typed, by what its row declares: pure.

A field of the details starts with what the record holds only where the row puts it back there, so that sending it
unchanged changes nothing. Everything else starts blank: an opinion that was once given is not repeated by itself.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final

from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import Transition, is_field_name
from reportflow.model.actor import Actor
from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.model.values import field_names
from reportflow.serialization.plain import write_fact
from reportflow.serialization.shapes import NULL, Either, Shape, fields_of
from reportflow.serialization.widgets import Widget, long_fields

#: From how many characters on a text of a record is shown as one, though it is not declared so.
_LONG: Final = 120


def prefilled(row: Transition, record: Record) -> dict[str, Any]:
    """What the details of a row start with, as plain data, from the record that it is about to act on."""
    if row.details is None:
        return {}
    own = {one.name: one.shape for one in fields_of(row.details)}
    record_shapes = {one.name: one.shape for one in fields_of(type(record))}
    same = [
        name
        for name, shape in own.items()
        if name in row.sets and name in record_shapes and _bare(shape) == _bare(record_shapes[name])
    ]
    details = SimpleNamespace(**{name: getattr(record, name) if name in same else None for name in own})
    return {name: write_fact(getattr(record, name)) for name in same if _stays(row, record, name, details)}


def _bare(shape: Shape) -> Shape:
    """A shape without null."""
    if isinstance(shape, Either) and NULL in shape.several:
        rest = tuple(one for one in shape.several if one != NULL)
        return rest[0] if len(rest) == 1 else Either(rest)
    return shape


def _stays(row: Transition, record: Record, name: str, details: SimpleNamespace) -> bool:
    """Whether a row puts into a field what the field of the details holds, so that what is there stays as it is."""
    setting: Any = row.sets[name]
    if is_field_name(setting):
        return bool(setting == name)
    if not callable(setting):
        return False
    try:  # such a function is pure: that it gives back what the record holds is tried with nothing else filled in
        return bool(setting(record, SimpleNamespace(details=details)) == getattr(record, name))
    except Exception:
        return False


def of_actor(widgets: tuple[Widget, ...], actor: Actor) -> dict[str, Any]:
    """What a new record starts with of its creator: the first of several people with a name and an id."""
    me = {"name": actor.name, "id": actor.id, "unit": ""}
    return {
        one.name: [{name: me.get(name) for name in (part.name for part in one.parts) if name in me}]
        for one in widgets
        if one.kind == "groups" and actor.name and any(part.kind == "identity" for part in one.parts)
    }


def texts_of(record: Record) -> tuple[tuple[str, str], ...]:
    """The texts of a record that are read as such: the name of each field, and the text."""
    cls = type(record)
    marked = long_fields(cls)
    own = [name for name in field_names(cls) if name not in field_names(Record)]
    values = {name: getattr(record, name) for name in own}
    found = marked or [
        name for name, one in values.items() if isinstance(one, str) and (len(one) > _LONG or "\n" in one)
    ]
    return tuple((name, values[name]) for name in found if isinstance(values.get(name), str) and values[name])


def last_revision(lifecycle: Lifecycle, record: Record, history: list[Entry]) -> Entry | None:
    """The entry that made a record's text what it is, where its state still follows from it; None where none does.

    That is what the next person is to judge.
    """
    texts = set(long_fields(type(record)))
    for entry in reversed(history):
        row = lifecycle.row(entry.source, entry.trigger)
        if row is None or entry.source is None:
            continue
        if texts & row[0].sets.keys():
            return entry if entry.dest == record.state else None
    return None
