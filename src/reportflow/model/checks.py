"""Validating a value by its own annotations: what can be stored, and what is wrong with what cannot."""

from __future__ import annotations

import enum
import math
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import cache, partial
from typing import Any, Final, Literal, TypeVar, Union

import attrs

from reportflow.errors import Fault, InvalidDefinition, InvalidValue

#: The longest text that is stored, in bytes of UTF-8.
TEXT_LIMIT: Final = 1 << 20

T = TypeVar("T")


def cache_by_class(function: Callable[[type[Any]], T]) -> Callable[[type[Any]], T]:
    """`functools.cache` for functions of a class, typed: mypy does not hold a class to be hashable."""
    return typing.cast(Callable[[type[Any]], T], cache(function))


#: What is wrong with a value: the code in the catalog and its facts; None where nothing is.
Problem = tuple[str, Mapping[str, object]]
Test = Callable[[Any], Problem | None]


def check(value: object, names: Iterable[str] | None = None) -> None:
    """Validate an attrs instance, or some of its fields, by its own annotations.

    Raises:
        InvalidValue: names the field.
    """
    test = tests(type(value))
    for name in test if names is None else names:
        problem = test[name](getattr(value, name))
        if problem:
            raise InvalidValue(name, *problem)


class UnsupportedType(TypeError):
    """An annotation of which no value could be stored."""


@cache_by_class
def tests(cls: type[Any]) -> Mapping[str, Test]:
    """The test of each field of an attrs class.

    Raises:
        InvalidDefinition: with one fault for each annotation of which no value could be stored.
    """
    try:
        hints: Mapping[str, Any] = typing.get_type_hints(cls)
    except NameError as error:
        facts = {"owner": cls.__name__, "name": error.name, "given": error.name, "why": str(error)}
        raise InvalidDefinition(cls.__name__, [Fault("field_type", facts)]) from error
    made: dict[str, Test] = {}
    faults: list[Fault] = []
    for field in attrs.fields(cls):
        try:
            made[field.name] = _test(hints.get(field.name, Any))
        except UnsupportedType as error:
            facts = {"owner": cls.__name__, "name": field.name, "given": hints[field.name], "why": str(error)}
            faults.append(Fault("field_type", facts))
    if faults:
        raise InvalidDefinition(cls.__name__, faults)
    return made


def type_problem(expected: str, value: object) -> Problem:
    """The problem of a value of the wrong type, for `InvalidValue`."""
    given = "None" if value is None else f"{type(value).__name__} {value!r:.60}"
    return "type", {"expected": _MODULES.sub("", expected), "given": given}


#: The modules in the text of a type.
_MODULES: Final = re.compile(r"\b(?:\w+\.)+(?=\w)")


def text_problem(value: object) -> Problem | None:
    """Why a text cannot be stored: NUL, a lone surrogate, more than `TEXT_LIMIT` bytes."""
    if not isinstance(value, str):
        return type_problem("str", value)
    if "\0" in value:
        return "nul", {}
    if value.isascii():
        size = len(value)
    else:
        try:
            size = len(value.encode())
        except UnicodeEncodeError as error:
            return "surrogate", {"index": error.start}
    return ("too_long", {"bytes": size, "limit": TEXT_LIMIT}) if size > TEXT_LIMIT else None


def time_problem(value: object) -> Problem | None:
    """Why a time cannot be stored: no time zone."""
    if not isinstance(value, datetime):
        return type_problem("datetime", value)
    return ("naive", {"given": value.isoformat()}) if value.utcoffset() is None else None


def _float_problem(value: object) -> Problem | None:
    if type(value) is not float and type(value) is not int:
        return type_problem("float", value)
    return None if math.isfinite(value) else ("not_finite", {"given": value})


def _decimal_problem(kind: type[Any], value: Any) -> Problem | None:
    if not isinstance(value, kind):
        return type_problem("Decimal", value)
    return None if value.is_finite() else ("not_finite", {"given": value})


def _exactly(kind: type[Any], value: object) -> Problem | None:
    return None if type(value) is kind else type_problem(kind.__name__, value)


def _instance(kind: type[Any], value: object) -> Problem | None:
    return None if isinstance(value, kind) else type_problem(kind.__name__, value)


def _nested(kind: type[Any], value: object) -> Problem | None:
    """A plain attrs class checks nothing itself."""
    if not isinstance(value, kind):
        return type_problem(kind.__name__, value)
    return next((problem for name, test in tests(type(value)).items() if (problem := test(getattr(value, name)))), None)


def _anything(value: object) -> Problem | None:
    return None


_SCALARS: Final[Mapping[Any, Test]] = {
    str: text_problem,
    datetime: time_problem,
    float: _float_problem,
    bool: partial(_exactly, bool),
    int: partial(_exactly, int),
    date: partial(_exactly, date),
    type(None): partial(_exactly, type(None)),
    Any: _anything,
    object: _anything,
}
#: By name, so that only a program that uses them pays for importing them.
_BY_NAME: Final[Mapping[str, Callable[[Any, Any], Problem | None]]] = {
    "decimal.Decimal": _decimal_problem,
    "uuid.UUID": _instance,
}


#: What may stand beside each other in a union: JSON itself tells them apart.
_JSON_SCALARS: Final = frozenset({str, int, float, bool, type(None)})


def _test(kind: Any) -> Test:
    """The test of one annotation."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is None:
        return _class_test(kind)
    if origin in (Union, types.UnionType):
        rest = [one for one in arguments if one is not type(None)]
        if len(rest) == 1:
            return partial(_optional, _test(rest[0]))
        if not _JSON_SCALARS.issuperset(arguments):
            raise UnsupportedType("write one class, with or without None; what is read must tell which it was")
        return partial(_any_of, [_test(one) for one in arguments], str(kind))
    if origin is Literal:
        return partial(_one_of, arguments)
    if origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        return partial(_row, [_test(one) for one in arguments])
    if origin in (tuple, frozenset, list, set):
        return partial(_each, origin, _test(arguments[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not (isinstance(arguments[0], type) and issubclass(arguments[0], str)):
            raise UnsupportedType("write Mapping[str, …], for JSON has no other keys")
        return partial(_pairs, _test(arguments[0]), _test(arguments[1]))
    raise UnsupportedType("write tuple[…], frozenset[…], a union, or an attrs class")


def _class_test(kind: Any) -> Test:
    by_name = _BY_NAME.get(f"{getattr(kind, '__module__', '')}.{getattr(kind, '__qualname__', '')}")
    if by_name is not None:
        return partial(by_name, kind)
    if isinstance(kind, type) and attrs.has(kind) and not getattr(kind, "checked_when_built", False):
        return partial(_nested, kind)
    if isinstance(kind, type) and (attrs.has(kind) or issubclass(kind, enum.Enum)):
        return partial(_instance, kind)
    if isinstance(kind, TypeVar):
        return _anything if kind.__bound__ is None else partial(_instance, kind.__bound__)
    raise UnsupportedType("write str, int, float, bool, Decimal, date, an aware datetime, an Enum or an attrs class")


def _optional(test: Test, value: object) -> Problem | None:
    return None if value is None else test(value)


def _any_of(choices: list[Test], kinds: str, value: object) -> Problem | None:
    problems = [problem for test in choices if (problem := test(value))]
    if len(problems) < len(choices):
        return None
    return next((problem for problem in problems if problem[0] != "type"), type_problem(kinds, value))


def _one_of(choices: tuple[Any, ...], value: object) -> Problem | None:
    return None if value in choices else ("choice", {"given": repr(value), "choices": choices})


def _row(parts: list[Test], value: object) -> Problem | None:
    if not isinstance(value, tuple) or len(value) != len(parts):
        return type_problem(f"tuple of {len(parts)}", value)
    return next((problem for test, one in zip(parts, value, strict=True) if (problem := test(one))), None)


def _each(container: type[Any], test: Test, value: Any) -> Problem | None:
    if not isinstance(value, container):
        return type_problem(container.__name__, value)
    return next((problem for one in value if (problem := test(one))), None)


def _pairs(key: Test, item: Test, value: object) -> Problem | None:
    if not isinstance(value, Mapping):
        return type_problem("mapping", value)
    return next((problem for pair in value.items() if (problem := key(pair[0]) or item(pair[1]))), None)
