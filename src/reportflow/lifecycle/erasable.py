"""What can be erased from a record and its history, by which name, and in which part of an entry that stands.

============================ ====================================================================================
name                         what it stands for
============================ ====================================================================================
a field of the record        the field of the draft, and in each later entry the field of the details from which
                             `sets` takes it: by its name, or of the same name where a function sets it
``trigger.field``            that field of the details of the entries of that trigger
``reason``                   the reason of every entry but of acts that erase; ``trigger.reason`` of those of a trigger
``actor``                    what is known of the actors, but the id, of the same entries; ``trigger.actor``
============================ ====================================================================================

An erased text reads as "", an optional field as None, a collection as an empty one. A field that is none of these, or
by which others act, is never erased: what a record is found by and lives by, fields marked `REFERENCE`, and what
stands in the header of an entry (`LEVEL`, `CODE`).
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Union

import attrs

from reportflow.errors import Fault, InvalidValue
from reportflow.lifecycle.table import Constant, Transition, is_field_name
from reportflow.model.actor import Actor
from reportflow.model.checks import cache_by_class
from reportflow.model.entry import Entry, marked
from reportflow.model.frozen import FrozenDict
from reportflow.model.record import SET_BY_FOLD, Record
from reportflow.model.values import REFERS, field_names

#: Fields of every record by which others act: its place, and who and what it belongs to.
STRUCTURAL: Final = SET_BY_FOLD | {"id", "unit", "parent", "assignee", "secrecy", "due_at"}
REASON: Final = "reason"
ACTOR: Final = "actor"
#: The parts of an entry that are no fields of its details.
_OWN_PARTS: Final = frozenset({REASON, ACTOR})
#: Marks of the fields that stand in the header of an entry, which never changes.
_IN_HEADER: Final = ("level", "code", "retracts")


def parts(row: Transition, entry: Entry, name: str) -> tuple[str, ...]:
    """What a name stands for in one entry: fields of its details by their names, `REASON`, `ACTOR`."""
    known = () if entry.details is None else field_names(type(entry.details))
    trigger, dot, field = name.rpartition(".")
    if dot:
        return (field,) if trigger == entry.trigger and (field in known or field in _OWN_PARTS) else ()
    if name in _OWN_PARTS:  # of an act that erased only where its trigger is named: it says who erased, and why
        return (name,) if row.erases is None else ()
    if entry.source is None:
        return (name,) if name in known else ()
    setting = row.sets.get(name)
    if is_field_name(setting):
        return (str(setting),)
    return (name,) if callable(setting) and name in known else ()


def references(cls: type[Any]) -> frozenset[str]:
    """The fields of a class by which others act."""
    structural = STRUCTURAL if issubclass(cls, Record) else frozenset()
    return structural | {field.name for field in attrs.fields(cls) if REFERS in field.metadata}


@cache_by_class
def blanks(cls: type[Any]) -> Mapping[str, object]:
    """The fields of a class that can be erased, each with what it reads as then."""
    hints = typing.get_type_hints(cls)
    header = {field for mark, field in marked(cls).items() if mark in _IN_HEADER}
    kept = references(cls) | header
    found = {name: _blank(hints.get(name)) for name in field_names(cls) if name not in kept}
    return FrozenDict({name: value for name, value in found.items() if value is not _NEVER})


_NEVER: Final = object()
_EMPTY: Final[Mapping[Any, object]] = {str: "", tuple: (), frozenset: frozenset()}


def _blank(hint: Any) -> object:
    """What a field of a type reads as when it was erased; `_NEVER` where it cannot be."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType) and type(None) in arguments:
        return None
    if origin is tuple and arguments[1:] != (...,):
        return _NEVER
    if isinstance(origin, type) and issubclass(typing.cast("type[Any]", origin), Mapping):
        return FrozenDict()
    try:
        return _EMPTY.get(origin or hint, _NEVER)
    except TypeError:
        return _NEVER


def stripped(actor: Actor) -> Actor:
    """An actor without anything personal: the ids are opaque."""
    return Actor(id=actor.id, kind=actor.kind, on_behalf_of=actor.on_behalf_of)


# -- are these names of something -------------------------------------------------------------------------------


def erasable_names(record: type[Any], rows: Iterable[Transition]) -> tuple[str, ...]:
    """The names of what can be erased by a table: fields of the record, reason, actor, fields of details."""
    found = dict.fromkeys([*blanks(record), REASON, ACTOR])
    for row in rows:
        fields = blanks(row.details) if row.details is not None and attrs.has(row.details) else ()
        found.update({f"{row.trigger}.{name}": None for name in fields if not _sets_reference(record, row, name)})
    return tuple(found)


def _sets_reference(record: type[Any], row: Transition, field: str) -> bool:
    """Whether a row takes a field of the record by which others act from this field of its details."""
    taken = {name: setting for name, setting in row.sets.items() if name in references(record)}
    return field in taken.values() or callable(taken.get(field))


def name_problem(record: type[Any], rows: Iterable[Transition], name: str) -> tuple[str, Mapping[str, object]] | None:
    """What is wrong with a name of what is to be erased, as the code and facts of an `InvalidValue`."""
    trigger, dot, field = name.rpartition(".")
    mine: list[Transition] = []
    if dot:
        mine = [row for row in rows if row.trigger == trigger]
        owners = [record if None in row.sources else row.details for row in mine]
        if mine and field in _OWN_PARTS:
            return None
    elif name in _OWN_PARTS:
        return None
    else:
        owners = [record]
    for owner in owners:
        if owner is None or not attrs.has(owner) or field not in field_names(owner):
            continue
        if field in references(owner) or any(_sets_reference(record, row, field) for row in mine):
            return "erases_reference", {"given": name}
        return None if field in blanks(owner) else ("not_erasable", {"given": name})
    return "not_to_erase", {"given": name, "choices": erasable_names(record, rows)}


def check_names(record: type[Any], rows: Iterable[Transition], given: Iterable[object], field: str) -> None:
    """See that names are such of something that can be erased.

    Raises:
        InvalidValue: about `field`, which holds the names: one is unknown, or may not be erased.
    """
    rows = tuple(rows)
    for name in given:
        if not isinstance(name, str):
            raise InvalidValue(field, "type", {"expected": "str", "given": f"{type(name).__name__} {name!r:.60}"})
        problem = name_problem(record, rows, name)
        if problem:
            raise InvalidValue(field, *problem)


def faults_of_erasing(row: Transition, record: type[Any], rows: Iterable[Transition]) -> Iterator[Fault]:
    """What is wrong with a row that erases."""
    if row.erases is None:
        return
    if None in row.sources:
        yield Fault("erases_nothing", {"trigger": row.trigger})
    if isinstance(row.erases, str):
        known = field_names(row.details) if row.details is not None and attrs.has(row.details) else ()
        if row.erases not in known:
            yield Fault("erases_unknown_detail", {"trigger": row.trigger, "name": row.erases, "choices": known})
    elif isinstance(row.erases, Constant):
        names: Any = row.erases.value
        for name in names if isinstance(names, tuple) else (names,):
            problem = name_problem(record, rows, name) if isinstance(name, str) else ("type", {})
            if problem:
                yield Fault("erases_unknown_name", {"trigger": row.trigger, "name": str(name)})
