"""What all values share: they are frozen, checked once when they are built, and known by name.

A class derived from `Value` is checked by its own annotations: ``title: str`` refuses a number, NUL and a lone
surrogate, ``at: datetime`` refuses a naive time. The fold of a history does not check again (`changed`): what
it puts together was checked when it entered.
"""

from __future__ import annotations

import enum
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cache, partial
from typing import Any, ClassVar, Final, Literal, NamedTuple, Self, TypeVar, Union

import attrs

from reportflow import messages
from reportflow.errors import InvalidDefinition, InvalidValue

#: The longest text that is kept, in bytes of UTF-8.
TEXT_LIMIT: Final = 1 << 20

#: Marks on a field of a details class: figures count by the marked field. ``body: str = attrs.field(metadata=PARTY)``.
MARK: Final = "reportflow.mark"
PARTY: Final[Mapping[str, str]] = types.MappingProxyType({MARK: "party"})
LEVEL: Final[Mapping[str, str]] = types.MappingProxyType({MARK: "level"})
CODE: Final[Mapping[str, str]] = types.MappingProxyType({MARK: "code"})

#: name -> class, for all values; a class is written under its name and found again by it.
_REGISTRY: dict[str, type[Any]] = {}


T = TypeVar("T")


def once_a_class(function: Callable[[type[Any]], T]) -> Callable[[type[Any]], T]:
    """Remember what a function says of each class."""
    return typing.cast(Callable[[type[Any]], T], cache(function))


class Fault(NamedTuple):
    """One thing that is wrong with a definition: a stable code and its facts."""

    code: str
    facts: Mapping[str, object]

    def text(self, language: str = messages.ENGLISH) -> str:
        """What is wrong, in a language."""
        return messages.text(f"fault.{self.code}", language, **self.facts)


def register(cls: type[Any], name: str | None = None) -> None:
    """Make a class known by its name. Defining the same class again (a reload, a slotted copy) replaces it.

    Raises:
        InvalidDefinition: another class has the name already.
    """
    name = name or cls.__name__
    known = _REGISTRY.get(name)
    if known is not None and _origin(known) != _origin(cls):
        facts = {"name": name, "other": ".".join(_origin(known)), "given": ".".join(_origin(cls))}
        raise InvalidDefinition(name, [Fault("registered_twice", facts)])
    _REGISTRY[name] = cls


def registered(name: str) -> type[Any] | None:
    """The class of a name, if any."""
    return _REGISTRY.get(name)


def name_of(cls: type[Any]) -> str:
    """The name under which a class is written."""
    return str(cls.__dict__.get("_registered_name") or cls.__name__)


def _origin(cls: type[Any]) -> tuple[str, str]:
    return cls.__module__, cls.__qualname__


class Value:
    """The base of all values. A subclass is registered under its class name, or under ``name=``."""

    __slots__ = ()
    _registered_name: ClassVar[str]

    def __init_subclass__(cls, *, name: str | None = None) -> None:
        super().__init_subclass__()
        if name is not None:
            cls._registered_name = name
        register(cls, name_of(cls))

    def __attrs_post_init__(self) -> None:
        check(self)


# ---------------------------------------------------------------------------------------------------------------
# Checking by annotation

#: What is wrong with a value: the code in `messages` and its facts; None where nothing is.
Problem = tuple[str, Mapping[str, object]]
Test = Callable[[Any], Problem | None]


def check(value: object) -> None:
    """Hold an attrs instance against its own annotations.

    Raises:
        InvalidValue: names the field.
    """
    for name, test in tests(type(value)):
        problem = test(getattr(value, name))
        if problem:
            raise InvalidValue(name, *problem)


def check_fields(value: object, names: Iterable[str]) -> None:
    """As `check`, for some fields only.

    Raises:
        InvalidValue: names the field.
    """
    known = dict(tests(type(value)))
    for name in names:
        problem = known[name](getattr(value, name))
        if problem:
            raise InvalidValue(name, *problem)


class UnsupportedType(TypeError):
    """An annotation that no store could keep."""


@once_a_class
def tests(cls: type[Any]) -> tuple[tuple[str, Test], ...]:
    """The test of each field of an attrs class.

    Raises:
        InvalidDefinition: with one fault for each annotation that cannot be kept.
    """
    try:
        hints: Mapping[str, Any] = typing.get_type_hints(cls)
    except NameError as error:
        facts = {"owner": cls.__name__, "name": error.name, "given": error.name, "why": str(error)}
        raise InvalidDefinition(cls.__name__, [Fault("field_type", facts)]) from error
    made: list[tuple[str, Test]] = []
    faults: list[Fault] = []
    for field in attrs.fields(cls):
        try:
            made.append((field.name, _test(hints.get(field.name, Any))))
        except UnsupportedType as error:
            facts = {"owner": cls.__name__, "name": field.name, "given": hints[field.name], "why": str(error)}
            faults.append(Fault("field_type", facts))
    if faults:
        raise InvalidDefinition(cls.__name__, faults)
    return tuple(made)


def _wrong(expected: str, value: object) -> Problem:
    return "type", {"expected": expected, "given": f"{type(value).__name__} {value!r:.60}"}


def text_problem(value: object) -> Problem | None:
    """What keeps a text from being kept: NUL, a lone surrogate, more than `TEXT_LIMIT` bytes."""
    if not isinstance(value, str):
        return _wrong("str", value)
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


def _time_problem(value: object) -> Problem | None:
    if not isinstance(value, datetime):
        return _wrong("datetime", value)
    return ("naive", {"given": value.isoformat()}) if value.utcoffset() is None else None


def _float_problem(value: object) -> Problem | None:
    if type(value) is not float and type(value) is not int:
        return _wrong("float", value)
    return None if math.isfinite(value) else ("not_finite", {"given": value})


def _decimal_problem(kind: type[Any], value: Any) -> Problem | None:
    if not isinstance(value, kind):
        return _wrong("Decimal", value)
    return None if value.is_finite() else ("not_finite", {"given": value})


def _exactly(kind: type[Any], value: object) -> Problem | None:
    return None if type(value) is kind else _wrong(kind.__name__, value)


def _instance(kind: type[Any], value: object) -> Problem | None:
    return None if isinstance(value, kind) else _wrong(kind.__name__, value)


def _anything(value: object) -> Problem | None:
    return None


_SCALARS: Final[Mapping[Any, Test]] = {
    str: text_problem,
    datetime: _time_problem,
    float: _float_problem,
    bool: partial(_exactly, bool),
    int: partial(_exactly, int),
    date: partial(_exactly, date),
    type(None): partial(_exactly, type(None)),
    Any: _anything,
    object: _anything,
}
#: By name, so that only who uses them pays for importing them.
_BY_NAME: Final[Mapping[str, Callable[[Any, Any], Problem | None]]] = {
    "decimal.Decimal": _decimal_problem,
    "uuid.UUID": _instance,
}


def _test(kind: Any) -> Test:
    """The test of one annotation."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is None:
        return _class_test(kind)
    if origin is typing.Annotated:
        return _test(arguments[0])
    if origin in (Union, types.UnionType):
        return partial(_any_of, [_test(one) for one in arguments], str(kind))
    if origin is Literal:
        return partial(_one_of, arguments)
    if origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        return partial(_row, [_test(one) for one in arguments])
    if origin in (tuple, frozenset, list, set):
        return partial(_each, origin, _test(arguments[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return partial(_pairs, _test(arguments[0]), _test(arguments[1]))
    raise UnsupportedType("write tuple[…], frozenset[…], a union, or an attrs class")


def _class_test(kind: Any) -> Test:
    by_name = _BY_NAME.get(f"{getattr(kind, '__module__', '')}.{getattr(kind, '__qualname__', '')}")
    if by_name is not None:
        return partial(by_name, kind)
    if isinstance(kind, type) and (attrs.has(kind) or issubclass(kind, enum.Enum | Value)):
        return partial(_instance, kind)
    if isinstance(kind, TypeVar):
        return _anything
    raise UnsupportedType("write str, int, float, bool, Decimal, date, an aware datetime, an Enum or an attrs class")


def _any_of(choices: list[Test], said: str, value: object) -> Problem | None:
    problems = [problem for test in choices if (problem := test(value))]
    if len(problems) < len(choices):
        return None
    return next((problem for problem in problems if problem[0] != "type"), _wrong(said, value))


def _one_of(choices: tuple[Any, ...], value: object) -> Problem | None:
    return None if value in choices else ("choice", {"given": repr(value), "choices": choices})


def _row(parts: list[Test], value: object) -> Problem | None:
    if not isinstance(value, tuple) or len(value) != len(parts):
        return _wrong(f"tuple of {len(parts)}", value)
    return next((problem for test, one in zip(parts, value, strict=True) if (problem := test(one))), None)


def _each(container: type[Any], test: Test, value: Any) -> Problem | None:
    if not isinstance(value, container):
        return _wrong(container.__name__, value)
    return next((problem for one in value if (problem := test(one))), None)


def _pairs(key: Test, item: Test, value: object) -> Problem | None:
    if not isinstance(value, Mapping):
        return _wrong("mapping", value)
    return next((problem for pair in value.items() if (problem := key(pair[0]) or item(pair[1]))), None)


# ---------------------------------------------------------------------------------------------------------------
# Converters and validators that the values share

E = TypeVar("E", bound=enum.Enum)


def choice(kind: type[E], value: E | str, field: str) -> E:
    """A member of an enum, from itself or from its value.

    Raises:
        InvalidValue: no such member.
    """
    try:
        return kind(value)
    except ValueError:
        given = {"given": repr(value), "choices": [member.value for member in kind]}
        raise InvalidValue(field, "choice", given) from None


def names(value: str | Iterable[str]) -> frozenset[str]:
    """One name, or any number of them, as a set."""
    return frozenset({value}) if isinstance(value, str) else frozenset(value)


def in_utc(value: datetime) -> datetime:
    """An aware time in UTC; anything else as it is, for the check to refuse.

    Raises:
        InvalidValue: the time cannot be said in UTC.
    """
    if not isinstance(value, datetime) or value.utcoffset() is None:
        return value
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidValue("time", "time_range", {"given": value.isoformat()}) from None


def in_utc_or_none(value: datetime | None) -> datetime | None:
    """As `in_utc`, with None for no time.

    Raises:
        InvalidValue: the time cannot be said in UTC.
    """
    return None if value is None else in_utc(value)


def time_text(value: datetime) -> str:
    """An aware time as text in UTC, to the microsecond, of one width: it sorts as the times do."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def not_blank(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """An attrs validator: a text with something in it (None passes, for optional ones).

    Raises:
        InvalidValue: the text is blank.
    """
    if isinstance(value, str) and not value.strip():
        raise InvalidValue(attribute.name, "blank")


def not_empty(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """An attrs validator: a collection with something in it.

    Raises:
        InvalidValue: it is empty.
    """
    if not value:
        raise InvalidValue(attribute.name, "empty")


# ---------------------------------------------------------------------------------------------------------------
# Copies with a change


class Frozen(typing.Protocol):
    """Any attrs value."""

    __attrs_attrs__: ClassVar[Any]


V = TypeVar("V", bound=Frozen)


@once_a_class
def field_names(cls: type[Any]) -> tuple[str, ...]:
    """The names of the fields of an attrs class, in order."""
    return tuple(field.name for field in attrs.fields(cls))


def changed(value: V, changes: Mapping[str, object]) -> V:
    """A copy with some fields changed, unchecked: for values that were checked when they entered."""
    new = object.__new__(type(value))
    put = object.__setattr__
    for name in field_names(type(value)):
        put(new, name, changes[name] if name in changes else getattr(value, name))
    return new


class Ranked(enum.StrEnum):
    """An enum of texts that are ordered as they are written, lowest first."""

    @property
    def rank(self) -> int:
        """The place in the order, from 0."""
        return list(type(self)).index(self)

    @classmethod
    def up_to(cls, highest: Self) -> tuple[Self, ...]:
        """All members up to and with the highest."""
        return tuple(cls)[: highest.rank + 1]

    def __lt__(self, other: object) -> bool:
        return self.rank < other.rank if isinstance(other, type(self)) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self.rank <= other.rank if isinstance(other, type(self)) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.rank > other.rank if isinstance(other, type(self)) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self.rank >= other.rank if isinstance(other, type(self)) else NotImplemented
