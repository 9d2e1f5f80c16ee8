"""Holding a value to its own annotations: what is kept of it, and what is wrong with what cannot be kept.

Each annotation is turned into one function, once for a class. It gives back what is kept, mostly the very thing that it
was given: a list becomes a tuple, a mapping a `FrozenDict`, so that nobody can change a value afterwards; a text of a
derived class becomes plain text and a time UTC, so that a value is the same before it is written and after it was read.
"""

from __future__ import annotations

import copy
import enum
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any, Final, Literal, TypeVar, Union

import attrs

from reportflow.errors import Fault, InvalidDefinition, InvalidValue
from reportflow.model.checks import (
    Problem,
    Refused,
    cache_by_class,
    keep_decimal,
    keep_exactly,
    keep_float,
    keep_int,
    keep_plain_data,
    keep_text,
    keep_time,
    plain_text,
    same_or_frozen,
    shown,
    type_problem,
    unless_same,
)
from reportflow.model.frozen import FrozenDict

#: A mark on a field, in its metadata: it holds a value of any class, where the annotation says `object` or `Any`.
VALUE: Final = "reportflow.value"

T = TypeVar("T")

#: What a field keeps of what it is given: mostly the very value, else one that cannot be changed; or `Refused`.
Keep = Callable[[Any], Any]


def check(value: object, names: Iterable[str] | None = None) -> None:
    """Validate an attrs instance that is being made, or some of its fields, by its own annotations.

    A field that holds what its caller could change, or what no store gives back, holds what is kept of it after this:
    a `FrozenDict` for a mapping, a tuple for a list, plain text for one of a class derived from `str`, a time in UTC.
    Only an instance of a plain attrs class is left as it is, for it is its maker's (`kept_copy`).

    Raises:
        InvalidValue: names the field.
    """
    keep = keepers(type(value))
    name = ""
    try:
        for name in keep if names is None else names:
            given = getattr(value, name)
            kept = keep[name](given)
            if kept is not given and _keeps_itself(type(value)):
                object.__setattr__(value, name, kept)
    except Refused as refused:
        raise InvalidValue(name, *refused.problem) from None


def kept_copy(value: T) -> T:
    """An attrs value as it is kept: itself, or a copy where a field holds what its caller could change.

    Raises:
        Refused: a field cannot be kept.
        InvalidDefinition: an annotation of its class cannot be.
    """
    changes: dict[str, object] = {}
    for name, keep in keepers(type(value)).items():
        given = getattr(value, name)
        kept = keep(given)
        if kept is not given:
            changes[name] = kept
    if not changes:
        return value
    made = copy.copy(value)
    for name, kept in changes.items():
        object.__setattr__(made, name, kept)
    return made


class UnsupportedType(TypeError):
    """An annotation of which no value could be stored."""


@cache_by_class
def keepers(cls: type[Any]) -> Mapping[str, Keep]:
    """What each field of an attrs class keeps of what it is given.

    Raises:
        InvalidDefinition: with one fault for each annotation of which no value could be stored.
    """
    try:
        hints: Mapping[str, Any] = typing.get_type_hints(cls)
    except NameError as error:
        facts = {"owner": cls.__name__, "name": error.name, "given": error.name, "why": str(error)}
        raise InvalidDefinition(cls.__name__, [Fault("field_type", facts)]) from error
    made: dict[str, Keep] = {}
    faults: list[Fault] = []
    for field in attrs.fields(cls):
        try:
            made[field.name] = keep_value if VALUE in field.metadata else _keep(hints.get(field.name, Any))
        except UnsupportedType as error:
            facts = {"owner": cls.__name__, "name": field.name, "given": hints[field.name], "why": str(error)}
            faults.append(Fault("field_type", facts))
    if faults:
        raise InvalidDefinition(cls.__name__, faults)
    return made


@cache_by_class
def freezers(cls: type[Any]) -> Mapping[str, Keep]:
    """The fields of an attrs class that may keep something else than they are given, with what makes it.

    For a fold, whose values were validated when they entered: a text is not read through again.
    """
    hints = typing.get_type_hints(cls)
    found = {name: _freezer(hints.get(name, Any), keep) for name, keep in keepers(cls).items()}
    return {name: freeze for name, freeze in found.items() if freeze is not None}


def _freezer(kind: Any, keep: Keep) -> Keep | None:
    union = typing.get_origin(kind) in (Union, types.UnionType)
    rest = [one for one in (typing.get_args(kind) if union else (kind,)) if one is not type(None)]
    if rest == [str]:
        return plain_text
    return None if all(one in _AS_GIVEN or (isinstance(one, type) and _keeps_itself(one)) for one in rest) else keep


def _keeps_itself(cls: type[Any]) -> bool:
    return issubclass(cls, enum.Enum) or getattr(cls, "checked_when_built", False)


def _instance(kind: type[Any], value: object) -> Any:
    if not isinstance(value, kind):
        raise Refused(type_problem(kind.__name__, value))
    return value


def _nested(kind: type[Any], value: object) -> Any:
    """A plain attrs class checks nothing itself."""
    return kept_copy(_instance(kind, value))


def _anything(value: object) -> Any:
    return value


def keep_value(value: T) -> T:
    """A value of a class that the annotation does not tell; who knows the class says what is wrong with it."""
    if value is None or getattr(value, "checked_when_built", False) or not attrs.has(type(value)):
        return value
    try:
        return kept_copy(value)
    except (Refused, InvalidDefinition):
        return value


_SCALARS: Final[Mapping[Any, Keep]] = {
    str: keep_text,
    datetime: keep_time,
    float: keep_float,
    bool: partial(keep_exactly, bool),
    int: keep_int,
    date: partial(keep_exactly, date),
    type(None): partial(keep_exactly, type(None)),
    Any: keep_plain_data,
    object: keep_plain_data,
}
#: What is kept as it is given.
_AS_GIVEN: Final = frozenset({bool, int, float, date})
#: By name, so that only a program that uses them pays for importing them.
_BY_NAME: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "decimal.Decimal": keep_decimal,
    "uuid.UUID": _instance,
}


#: What may stand beside each other in a union: JSON itself tells them apart.
_JSON_SCALARS: Final = frozenset({str, int, float, bool, type(None)})

#: Mappings that say nothing of what is in them hold plain data.
_OPEN: Final = (dict, Mapping, FrozenDict)


def spelt_out(kind: Any) -> Any:
    """The annotation of a bare mapping (``dict``, ``Mapping``) with what it holds; any other as it is."""
    bare = typing.get_origin(kind) or kind
    return Mapping[str, object] if bare in _OPEN and not typing.get_args(kind) else kind


def _keep(kind: Any) -> Keep:
    """What is kept of a value of one annotation."""
    kind = spelt_out(kind)
    if kind in _SCALARS:
        return _SCALARS[kind]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is None:
        return _keep_of_class(kind)
    if origin in (Union, types.UnionType):
        rest = [one for one in arguments if one is not type(None)]
        if len(rest) == 1:
            return partial(_optional, _keep(rest[0]))
        if not _JSON_SCALARS.issuperset(arguments):
            raise UnsupportedType("write one class, with or without None; what is read must tell which it was")
        # a float may be written as an int, so that beside it an int says no more
        choices = [one for one in arguments if one is not int or float not in arguments]
        return partial(_any_of, [_keep(one) for one in choices], str(kind))
    if origin is Literal:
        return partial(_one_of, arguments)
    if origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        return partial(_row, [_keep(one) for one in arguments])
    if origin in _CONTAINERS:
        return partial(_each, origin, *_CONTAINERS[origin], _keep(arguments[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not (len(arguments) == 2 and isinstance(arguments[0], type) and issubclass(arguments[0], str)):
            raise UnsupportedType("write Mapping[str, …], for JSON has no other keys")
        return partial(_pairs, _keep(arguments[0]), _keep(arguments[1]))
    raise UnsupportedType("write tuple[…], frozenset[…], a union, or an attrs class")


#: A collection -> what is taken for it, and what is kept. A field annotated as a list or a set keeps its frozen twin.
_CONTAINERS: Final[Mapping[Any, tuple[Any, type[Any]]]] = {
    tuple: (tuple, tuple),
    frozenset: (frozenset, frozenset),
    list: ((list, tuple), tuple),
    set: ((set, frozenset), frozenset),
}


def _keep_of_class(kind: Any) -> Keep:
    by_name = _BY_NAME.get(f"{getattr(kind, '__module__', '')}.{getattr(kind, '__qualname__', '')}")
    if by_name is not None:
        return partial(by_name, kind)
    if isinstance(kind, type) and attrs.has(kind) and not getattr(kind, "checked_when_built", False):
        return partial(_nested, kind)
    if isinstance(kind, type) and (attrs.has(kind) or issubclass(kind, enum.Enum)):
        return partial(_instance, kind)
    if isinstance(kind, TypeVar):
        return _anything if kind.__bound__ is None else partial(_instance, kind.__bound__)
    if kind in _CONTAINERS:
        raise UnsupportedType(f"write {kind.__name__}[…] with the type of what is in it")
    raise UnsupportedType("write str, int, float, bool, Decimal, date, an aware datetime, an Enum or an attrs class")


def _optional(keep: Keep, value: object) -> Any:
    return None if value is None else keep(value)


def _any_of(choices: list[Keep], kinds: str, value: object) -> Any:
    problems: list[Problem] = []
    for keep in choices:
        try:
            return keep(value)
        except Refused as refused:
            problems.append(refused.problem)
    raise Refused(next((problem for problem in problems if problem[0] != "type"), type_problem(kinds, value)))


def _one_of(choices: tuple[Any, ...], value: object) -> Any:
    plain = value if any(one is value for one in choices) else plain_text(value)
    if plain not in choices:
        raise Refused(("choice", {"given": shown(value), "choices": choices}))
    return plain


def _row(parts: list[Keep], value: object) -> Any:
    if not isinstance(value, tuple) or len(value) != len(parts):
        raise Refused(type_problem(f"tuple of {len(parts)}", value))
    return unless_same(value, tuple, [keep(one) for keep, one in zip(parts, value, strict=True)])


def _each(kind: type[Any], taken: Any, container: type[Any], keep: Keep, value: Any) -> Any:
    if type(value) is container:  # nearly always, and nothing in it is changed: then no list is made
        for one in value:
            if keep(one) is not one:
                break
        else:
            return value
    if not isinstance(value, taken):
        raise Refused(type_problem(kind.__name__, value))
    return container([keep(one) for one in value])


def _pairs(key: Keep, item: Keep, value: object) -> Any:
    if not isinstance(value, Mapping):
        raise Refused(type_problem("mapping", value))
    return same_or_frozen(value, [key(name) for name in value], [item(one) for one in value.values()])
