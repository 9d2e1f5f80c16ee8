"""What the fields of a class look like as JSON: read from their annotations once, for `schema` and `parse` alike.

An annotation is turned into a shape, a small tree of the classes below. `schema` writes it as JSON Schema, `parse`
reads data by it, so what the one describes the other takes. What is kept of a value, and which annotations can be
stored at all, `model.annotations` says; a shape only adds how that looks from outside.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Literal, TypeVar, Union
from uuid import UUID

import attrs

from reportflow.errors import Fault, InvalidDefinition, InvalidValue
from reportflow.model.annotations import VALUE, keepers, spelt_out
from reportflow.model.checks import cache_by_class, type_problem
from reportflow.model.record import Record

#: What JSON itself tells apart.
JsonScalar = str | int | float | bool | None


@attrs.frozen
class Scalar:
    """One text, number or flag, null, a time or another value written as a text; or any plain data.

    `kind` is ``string``, ``integer``, ``number``, ``boolean``, ``null``, ``date-time``, ``date``, ``decimal``,
    ``uuid``, ``plain`` (whatever JSON can say), or ``value`` (a value of a class that its field does not tell).
    """

    kind: str


@attrs.frozen
class Choice:
    """One of some constants: what JSON says -> the value. `room` is where the catalog may have their labels."""

    members: tuple[tuple[JsonScalar, object], ...]
    room: str = ""


@attrs.frozen
class Items:
    """Any number of things alike: a tuple, or a frozenset, where each stands once."""

    item: Shape
    unique: bool


@attrs.frozen
class Row:
    """A tuple with a place for each thing."""

    items: tuple[Shape, ...]


@attrs.frozen
class Pairs:
    """A mapping from texts to things alike."""

    key: Shape
    item: Shape


@attrs.frozen
class Nested:
    """A value of another attrs class."""

    cls: type[Any]


@attrs.frozen
class Either:
    """One of several; null is among them where a field may hold None."""

    several: tuple[Shape, ...]


Shape = Scalar | Choice | Items | Row | Pairs | Nested | Either

NULL: Final = Scalar("null")
TEXT: Final = Scalar("string")
#: A value of a class that its field does not tell: it can be described, and not read.
ANY_VALUE: Final = Scalar("value")
_SCALARS: Final[Mapping[Any, Scalar]] = {
    str: TEXT,
    int: Scalar("integer"),
    float: Scalar("number"),
    bool: Scalar("boolean"),
    type(None): NULL,
    datetime: Scalar("date-time"),
    date: Scalar("date"),
    Decimal: Scalar("decimal"),
    UUID: Scalar("uuid"),
    Any: Scalar("plain"),
    object: Scalar("plain"),
}


@attrs.frozen
class FieldShape:
    """One field of a class, as JSON has it.

    Attributes:
        name: Its name, in the data.
        attribute: The field of attrs, with its default, converter and validator.
        shape: What it holds.
    """

    name: str
    attribute: attrs.Attribute[Any]
    shape: Shape

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.attribute.default is attrs.NOTHING


class _NotJson(Exception):
    """An annotation that JSON cannot say."""


def check_class(cls: object) -> None:
    """See that a class is an attrs class.

    Raises:
        InvalidValue: it is not.
    """
    if not isinstance(cls, type) or not attrs.has(cls):
        raise InvalidValue("cls", *type_problem("attrs class", cls))


def fields_of(cls: type[Any], accepts: Collection[str] | None = None) -> tuple[FieldShape, ...]:
    """The fields of an attrs class that its plain data has, in order; all of them, or those that are accepted.

    A record may say its kind in any case: a draft does where several lifecycles have its class.

    Raises:
        InvalidValue: `accepts` names what is no field.
        InvalidDefinition: with one fault for each field that JSON cannot say, of the classes of its fields too, each
            with the path to it.
    """
    if accepts is None:
        return _fields_of(cls)
    known = [one.name for one in _plain_fields(cls)]
    for name in accepts:
        if name not in known:
            raise InvalidValue("accepts", "unknown_field", {"owner": cls.__name__, "given": name, "choices": known})
    named = {*accepts, "kind"} if issubclass(cls, Record) else accepts
    return tuple(one for one in _fields_of(cls) if one.name in named)


@cache_by_class
def _fields_of(cls: type[Any]) -> tuple[FieldShape, ...]:
    faults = _faults(cls, cls.__name__, ())
    if faults:
        raise InvalidDefinition(cls.__name__, faults)
    return _own_fields(cls)


@cache_by_class
def _own_fields(cls: type[Any]) -> tuple[FieldShape, ...]:
    hints = typing.get_type_hints(cls)
    return tuple(FieldShape(one.name, one, _shape_of_field(one, hints)) for one in _plain_fields(cls))


def _plain_fields(cls: type[Any]) -> list[attrs.Attribute[Any]]:
    """The fields that `to_plain` writes: those that are part of the value, and that its constructor takes."""
    return [one for one in attrs.fields(cls) if one.init and one.eq is not False]


def _shape_of_field(field: attrs.Attribute[Any], hints: Mapping[str, Any]) -> Shape:
    return ANY_VALUE if VALUE in field.metadata else _shape(hints.get(field.name, Any))


def _faults(cls: type[Any], path: str, above: tuple[type[Any], ...]) -> list[Fault]:
    """What JSON cannot say of a class and of those in it, each with the path to it."""
    try:
        keepers(cls)
    except InvalidDefinition as error:
        return [Fault(one.code, {**one.facts, "owner": path}) for one in error.faults]
    hints = typing.get_type_hints(cls)
    found: list[Fault] = []
    for field in _plain_fields(cls):
        try:
            shape = _shape_of_field(field, hints)
        except _NotJson as error:
            facts = {"owner": path, "name": field.name, "given": hints[field.name], "why": str(error)}
            found.append(Fault("field_json", facts))
            continue
        for nested in nested_in(shape):
            if nested not in (cls, *above):
                found += _faults(nested, f"{path}.{field.name}", (*above, cls))
    return found


def nested_in(shape: Shape) -> tuple[type[Any], ...]:
    """The attrs classes that a shape names."""
    match shape:
        case Nested(cls=cls):
            return (cls,)
        case Items(item=item):
            return nested_in(item)
        case Pairs(item=item):
            return nested_in(item)
        case Row(items=several) | Either(several=several):
            return tuple(cls for one in several for cls in nested_in(one))
        case _:
            return ()


def _shape(kind: Any) -> Shape:
    """The shape of one annotation; those that cannot be stored were refused before."""
    kind = spelt_out(kind)
    if kind in _SCALARS:
        return _SCALARS[kind]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is None:
        return _shape_of_class(kind)
    if origin in (Union, types.UnionType):
        return Either(tuple(_shape(one) for one in arguments))
    if origin is Literal:
        return Choice(tuple((_constant(one), one) for one in arguments))
    if origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        return Row(tuple(_shape(one) for one in arguments))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return Pairs(_shape(arguments[0]), _shape(arguments[1]))
    return Items(_shape(arguments[0]), unique=origin in (set, frozenset))


def _shape_of_class(kind: Any) -> Shape:
    if isinstance(kind, TypeVar):
        if kind.__bound__ is None:
            raise _NotJson("name a class in place of the type variable")
        return _shape_of_class(kind.__bound__)
    if issubclass(kind, enum.Enum):
        return Choice(tuple((_constant(one), one) for one in kind), room=kind.__name__.lower())
    if issubclass(kind, str):
        return TEXT
    # a record of no class in particular is written with the name of its class
    return ANY_VALUE if kind is Record else Nested(kind)


def _constant(member: object) -> JsonScalar:
    value = member.value if isinstance(member, enum.Enum) else member
    if value is None or isinstance(value, str | int | float):
        return value
    raise _NotJson(f"{value!r:.40} is no constant of JSON; give its members texts or numbers as their values")
