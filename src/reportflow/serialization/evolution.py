"""How classes change: the schema version of a class, and what becomes of data of an older or a newer one.

Theory of operation. A class says beside itself of which version its stored shape is, and how data of each older version
is made into data of the next one::

    __schema__ = Schema(version=2, upgraders={1: level_as_code}, formerly=("Inquiry",))

Plain data carries the version under `VERSION` where it is above 1. Upgraders act on reading only: what is stored stays
as it is, and the digests over it hold; the row of a record is written in today's shape when the record is written.

In a rolling deploy an older program meets data of a newer one. What it does not know of a record it keeps beside the
value (`Extras`), and writes it back unharmed. What is an older program's own to change, it changes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final, NamedTuple, TypeVar

import attrs

from reportflow.errors import Fault, InvalidValue
from reportflow.model.checks import cache_by_class
from reportflow.model.frozen import FrozenDict
from reportflow.model.record import Record
from reportflow.model.values import Extended, as_texts, extras_of, field_names, give_extras, name_of

T = TypeVar("T")

#: Where plain data says which class it is.
TYPE: Final = "$type"
#: Where plain data says of which schema version it is; without it, of the first.
VERSION: Final = "$version"

#: Plain data of one version -> that of the next.
Upgrader = Callable[[dict[str, Any]], dict[str, Any]]


def _upgraders(value: Any) -> Any:
    return FrozenDict(value) if isinstance(value, Mapping) else value


@attrs.frozen(kw_only=True)
class Schema:
    """The stored shape of a class, declared beside it as ``__schema__``; a class without one is of version 1.

    Attributes:
        version: Counts the shapes, from 1.
        upgraders: For each older version, the function that makes plain data of it into that of the next one. It is
            given a copy, without class name and version; of a record the fields that its class adds to `Record`.
        formerly: The names under which values of the class were written before. They hold for this class alone; the
            rest holds for the classes derived from it too.
    """

    version: int = 1
    upgraders: Mapping[int, Upgrader] = attrs.field(factory=dict, converter=_upgraders)
    formerly: tuple[str, ...] = attrs.field(default=(), converter=as_texts)


_FIRST: Final = Schema()
#: The columns of a record; an upgrader neither sees nor sets them.
_BASE: Final = frozenset(field_names(Record))


class Part(NamedTuple):
    """What is stored of one value beside the fields of its class.

    Attributes:
        value: The value.
        version: The schema version in which it is stored.
        unknown: The fields that its class does not have, as plain data.
    """

    value: object
    version: int
    unknown: Mapping[str, Any]


class Extras(NamedTuple):
    """What is stored of a record beside the fields of its class.

    Attributes:
        upgraded: Whether it was stored in an older shape, so that writing it must write the whole of it.
        own: The part of the record itself.
        nested: The parts of values in it, in their order.
    """

    upgraded: bool
    own: Part | None
    nested: tuple[Part, ...]


class Fitted(NamedTuple):
    """Plain data in today's shape.

    Attributes:
        fields: The fields of the class, without class name and version.
        version: The schema version in which it was stored.
        unknown: What is no field of the class.
    """

    fields: dict[str, Any]
    version: int
    unknown: Mapping[str, Any]


@cache_by_class
def schema_of(cls: type[Any]) -> Schema:
    """The schema of a class, its own or that of a class that it is derived from."""
    found = getattr(cls, "__schema__", _FIRST)
    return found if isinstance(found, Schema) else _FIRST


@cache_by_class
def names_of(cls: type[Any]) -> frozenset[str]:
    """The names under which values of a class may be written: today's, and the former ones."""
    own = vars(cls).get("__schema__")
    return frozenset({name_of(cls), *(own.formerly if isinstance(own, Schema) else ())})


def fit(cls: type[Any], plain: Mapping[str, Any]) -> Fitted:
    """Plain data of some version of a class, without the class name, in today's shape.

    Raises:
        InvalidValue: it has no version, or an upgrader raised, returned something else, or left an unknown field.
    """
    schema, names = schema_of(cls), field_names(cls)
    fields = dict(plain)
    version = fields.pop(VERSION, 1)
    if type(version) is not int or version < 1:
        raise InvalidValue(VERSION, "schema_version", {"given": repr(version)[:20], "owner": name_of(cls)})
    if version < schema.version:
        fields = _upgraded(cls, fields, version)
    unknown = {name: fields.pop(name) for name in [*fields] if name not in names}
    if unknown and version < schema.version:
        raise InvalidValue(cls.__name__, "leftover", {"owner": name_of(cls), "version": version})
    return Fitted(fields, version, unknown)


def _upgraded(cls: type[Any], fields: dict[str, Any], version: int) -> dict[str, Any]:
    schema = schema_of(cls)
    columns = {}
    if issubclass(cls, Record):
        columns = {name: fields.pop(name) for name in [*fields] if name in _BASE}
    given = ""
    fields = copy.deepcopy(fields)
    for one in range(version, schema.version):
        try:
            fields = dict(schema.upgraders[one](fields))
        except Exception as error:  # an upgrader is the host's, and may raise anything
            given = type(error).__name__
        if given or any(type(name) is not str or (columns and name in _BASE) for name in fields):
            facts = {"owner": name_of(cls), "version": one, "given": given or "it gives other fields"}
            raise InvalidValue(cls.__name__, "upgrade", facts)
    return {**columns, **fields}


def schema_faults(cls: type[Any]) -> Iterator[Fault]:
    """What is wrong with the schema of a class."""
    owner, schema = cls.__name__, getattr(cls, "__schema__", _FIRST)
    if not isinstance(schema, Schema):
        yield Fault("schema", {"owner": owner, "given": repr(schema)[:60]})
    elif type(schema.version) is not int or schema.version < 1:
        yield Fault("schema_version", {"owner": owner, "given": repr(schema.version)[:20]})
    else:
        given, versions = schema.upgraders, range(1, schema.version)
        whole = isinstance(given, Mapping) and set(given) == set(versions) and all(map(callable, given.values()))
        if not whole or not all(isinstance(name, str) for name in schema.formerly):
            named = sorted(map(str, given)) if isinstance(given, Mapping) else repr(given)[:60]
            facts = {"owner": owner, "version": schema.version, "given": named, "choices": [*versions]}
            yield Fault("upgraders", facts)


# -- what is read and written beside the fields ----------------------------------------------------------------------


class Collected:
    """What was found beside the fields while one value is read."""

    def __init__(self) -> None:
        self.upgraded = False
        self.parts: list[Part] = []


class NotOfToday(Exception):
    """Data of another shape than today's was met where only that is read."""


#: What is being read, or written, in this thread or task.
_reading: Final[ContextVar[Collected | None]] = ContextVar("reading", default=None)
_writing: Final[ContextVar[list[Part] | None]] = ContextVar("writing", default=None)


def collect(read: Callable[[], T]) -> T:
    """Read a value; where it is a record, note on it what is stored beside its fields."""
    found = Collected()
    token = _reading.set(found)
    try:
        value = read()
    finally:
        _reading.reset(token)
    if isinstance(value, Extended) and (found.upgraded or found.parts):
        own = next((one for one in found.parts if one.value is value), None)
        # the record would refer to itself
        nested = tuple(one for one in found.parts if one.value is not value)
        give_extras(value, Extras(found.upgraded, own and own._replace(value=None), nested))
    return value


def note(value: object, cls: type[Any], fitted: Fitted) -> None:
    """Note of a value that was just read what is stored beside its fields.

    Raises:
        NotOfToday: there is such, or it was upgraded, and nobody collects it.
    """
    version = schema_of(cls).version
    if fitted.version == version and not fitted.unknown:
        return
    found = _reading.get()
    if found is None:
        raise NotOfToday
    if fitted.version < version:
        found.upgraded = True
    elif fitted.unknown or fitted.version > version:
        found.parts.append(Part(value, fitted.version, fitted.unknown))


def was_upgraded(record: Record) -> bool:
    """Whether a record was read from a row of an older shape: then writing it must write the whole row."""
    extras: Extras | None = extras_of(record)
    return extras is not None and extras.upgraded


def write_merged(record: Extended, write: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """The plain data of a record that carries extras, with these in it.

    Args:
        record: The record.
        write: Writes it, its nested values by `merge`.
    """
    extras: Extras = extras_of(record)
    token = _writing.set(list(extras.nested))
    try:
        plain = write(record)
    finally:
        _writing.reset(token)
    return plain if extras.own is None else _with(plain, extras.own)


def merge(value: object, plain: dict[str, Any]) -> dict[str, Any]:
    """The plain data of a nested value with what was stored beside its fields.

    Of several equal values each gets its own part, in their order, and more of them get the last one's.
    """
    parts = _writing.get() or []
    fitting = [n for n, one in enumerate(parts) if type(one.value) is type(value) and one.value == value]
    if not fitting:
        return plain
    return _with(plain, parts[fitting[0]] if len(fitting) == 1 else parts.pop(fitting[0]))


def _with(plain: dict[str, Any], part: Part) -> dict[str, Any]:
    first = {TYPE: plain[TYPE]} if TYPE in plain else {}
    if part.version > 1:
        first[VERSION] = part.version
    return {**first, **{name: one for name, one in plain.items() if name not in (TYPE, VERSION)}, **part.unknown}
