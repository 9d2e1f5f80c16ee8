"""What all values share: they are frozen, validated once when they are built, and known by name.

A class derived from `Value` is validated by its own annotations: ``title: str`` refuses a number, NUL and a lone
surrogate, ``at: datetime`` refuses a naive time; and what its caller could change is kept as what nobody can change: a
mapping as a `FrozenDict`, a list as a tuple. The fold of a history does not validate again (`changed`): its values were
validated when they entered.
"""

from __future__ import annotations

import enum
import inspect
import linecache
import operator
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

import attrs

from reportflow.errors import InvalidValue
from reportflow.model.annotations import check, freezers
from reportflow.model.checks import Refused, cache_by_class, is_blank, plain_text
from reportflow.model.frozen import FrozenDict

#: Marks on a field of a details class: figures count by the marked field. ``body: str = attrs.field(metadata=PARTY)``.
MARK: Final = "reportflow.mark"
PARTY: Final[Mapping[str, str]] = FrozenDict({MARK: "party"})
LEVEL: Final[Mapping[str, str]] = FrozenDict({MARK: "level"})
CODE: Final[Mapping[str, str]] = FrozenDict({MARK: "code"})
#: Whom an erasure is about: the marked field of its details holds the person's id.
PERSON: Final[Mapping[str, str]] = FrozenDict({MARK: "person"})
#: Marks on a field of a record or of details that it refers to something by which others act: it is never erased.
REFERS: Final = "reportflow.reference"
REFERENCE: Final[Mapping[str, str]] = FrozenDict({REFERS: "reference"})
#: The sequence of the entry of the record that an act takes back; no such field is ever erased.
RETRACTS: Final[Mapping[str, str]] = FrozenDict({MARK: "retracts", REFERS: "reference"})

#: A mark on a field: how a form asks for it, where its type does not say.
WIDGET: Final = "reportflow.widget"
#: A text of several paragraphs.
LONG: Final = "long"
#: A mark on a text of several paragraphs: forms give it a large field, and pages show how it was changed. Marks can be
#: joined: ``metadata={**PARTY, **LONG_TEXT}``.
LONG_TEXT: Final[Mapping[str, str]] = FrozenDict({WIDGET: LONG})

#: A mark on a field: what its validator demands, in the keywords of JSON Schema; see `limits`.
LIMITS: Final = "reportflow.limits"


def limits(**keywords: object) -> Mapping[str, object]:
    """A mark on a field with what a validator of its own demands, for `schema`: ``metadata=limits(minimum=0)``.

    What `not_blank`, `not_empty` and the validators of attrs demand is known without it. The validator enforces; this
    only describes.
    """
    return FrozenDict({LIMITS: FrozenDict(keywords)})


@cache_by_class
def name_of(cls: type[Any]) -> str:
    """The name under which a class is written: this library's own classes leave the bare names to the host's."""
    own = "reportflow." if cls.__module__.startswith("reportflow.") else ""
    return str(cls.__dict__.get("_stored_name") or own + cls.__name__)


class Value:
    """The base of all values. A subclass is written under its class name, or under ``name=``."""

    __slots__ = ()
    _stored_name: ClassVar[str]
    #: Says to `checks` that it need not look inside.
    checked_when_built: ClassVar[bool] = True

    def __init_subclass__(cls, *, name: str | None = None) -> None:
        super().__init_subclass__()
        if name is not None:
            cls._stored_name = name

    def __attrs_post_init__(self) -> None:
        check(self)


class Extended(Value):
    """A value that may carry what is stored beside the fields of its class; see `serialization.evolution`.

    It is no part of the value: equality, hash and `repr` do not know it. `changed` copies it, nothing else does.
    """

    __slots__ = ("_extras",)
    _extras: object


#: Notes on a value, which was just made, what is stored beside its fields.
give_extras: Final = Extended.__dict__["_extras"].__set__


def extras_of(value: Extended) -> Any:
    """What `give_extras` noted on this value, or on one that it was made of by `changed`; None where nothing was."""
    return getattr(value, "_extras", None)


# ---------------------------------------------------------------------------------------------------------------
# Converters and validators that the values share

T = TypeVar("T")
E = TypeVar("E", bound=enum.Enum)
G = TypeVar("G")


def choice(kind: type[E], value: E | str, field: str) -> E:
    """A member of an enum, from itself or from its value; raises `InvalidValue` where there is no such member."""
    try:
        return kind(value)
    except ValueError:
        given = {"given": repr(value), "choices": [member.value for member in kind]}
        raise InvalidValue(field, "choice", given) from None


def names(value: str | Iterable[str]) -> frozenset[str]:
    """One name, or any number of them, as a set; members of a str enum as plain text."""
    return frozenset({plain_text(value)}) if isinstance(value, str) else frozenset(map(plain_text, value))


def as_tuple(value: Any) -> tuple[Any, ...]:
    """A collection as a tuple; anything else as it is, for the check to refuse."""
    return tuple(value) if isinstance(value, Iterable) else value


def as_texts(value: str | Iterable[str]) -> tuple[str, ...]:
    """One text, or any number of them, as a tuple; anything else as it is, for the check to refuse."""
    given = (value,) if isinstance(value, str) else as_tuple(value)
    return tuple(map(plain_text, given)) if isinstance(given, tuple) else given


def in_utc(value: datetime, field: str = "time") -> datetime:
    """An aware time in UTC, `InvalidValue` where UTC cannot express it; all else as it is, for the check to refuse."""
    if not isinstance(value, datetime) or value.tzinfo is UTC or value.utcoffset() is None:
        return value
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidValue(field, "time_range", {"given": value.isoformat()}) from None


def in_utc_or_none(value: datetime | None) -> datetime | None:
    """As `in_utc`, with None for no time."""
    return None if value is None else in_utc(value)


def time_text(value: datetime) -> str:
    """An aware time as text in UTC, to the microsecond, of one width: it sorts as the times do."""
    return _utc_text(value if value.tzinfo is UTC else value.astimezone(UTC))


class Latest(Generic[G, T]):
    """What a pure function gives for a value, kept for the latest one: an act is one time, and acts share much."""

    def __init__(self, function: Callable[[G], T]) -> None:
        self._function = function
        self._latest: tuple[G, T] | tuple[None, None] = (None, None)

    def __call__(self, value: G) -> T:
        """What it gives for this very value."""
        known, result = self._latest
        if known is not value or result is None:
            result = self._function(value)
            self._latest = (value, result)
        return result


def _write_time(value: datetime) -> str:
    return value.isoformat("T", "microseconds")


_utc_text: Final = Latest(_write_time)


def not_blank(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """An attrs validator that raises `InvalidValue` for a blank text; None passes, for optional ones."""
    if isinstance(value, str) and is_blank(value):
        raise InvalidValue(attribute.name, "blank")


def not_empty(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """An attrs validator that raises `InvalidValue` for an empty collection."""
    if not value:
        raise InvalidValue(attribute.name, "empty")


# ---------------------------------------------------------------------------------------------------------------
# Copies with a change


@cache_by_class
def field_names(cls: type[Any]) -> tuple[str, ...]:
    """The names of the fields of an attrs class, in order."""
    return tuple(field.name for field in attrs.fields(cls))


def is_frozen(cls: type[Any]) -> bool:
    """Whether the fields of an attrs class cannot be set once a value is made."""
    return cls.__setattr__ is _FROZEN.__setattr__


#: attrs gives all of its frozen classes one and the same `__setattr__`.
_FROZEN: Final = attrs.make_class("_FROZEN", [], frozen=True)


@cache_by_class
def setters(cls: type[Any]) -> Mapping[str, Callable[[Any, Any], None]]:
    """What puts a field into a frozen value that is being made, by name, in the order of `field_names`."""
    return {name: _setter(cls, name) for name in field_names(cls)}


def _setter(cls: type[Any], name: str) -> Callable[[Any, Any], None]:
    slot = inspect.getattr_static(cls, name, None)
    if isinstance(slot, types.MemberDescriptorType):
        return slot.__set__  # past the lookup of the name, which costs as much again
    return lambda value, content: object.__setattr__(value, name, content)


@cache_by_class
def contents(cls: type[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """What gives all fields of a value, in the order of `field_names`."""
    several = field_names(cls)
    if len(several) > 1:
        return operator.attrgetter(*several)
    return lambda value: tuple([getattr(value, name) for name in several])


@cache_by_class
def plainly_built(cls: type[Any]) -> bool:
    """Whether building a value does nothing to it that its fields do not say: converters, validators, annotations."""
    usual = Value.__attrs_post_init__
    if "__attrs_attrs__" not in vars(cls) or getattr(cls, "__attrs_post_init__", usual) is not usual:
        return False
    by_itself = not hasattr(cls, "__attrs_init__") and not hasattr(cls, "__attrs_pre_init__")
    return by_itself and all(
        field.init and not isinstance(field.converter, attrs.Converter) for field in attrs.fields(cls)
    )


@cache_by_class
def is_valid_when_built(cls: type[Any]) -> bool:
    """Whether no value of the class can be built without being held to its annotations."""
    return issubclass(cls, Value) and plainly_built(cls)


@cache_by_class
def converters(cls: type[Any]) -> Mapping[str, Callable[[Any], Any]]:
    """The fields of an attrs class that convert what they are given, with their converters.

    One that wants the instance (`attrs.Converter`) is left out: a fold has none to give.
    """
    return {
        field.name: field.converter
        for field in attrs.fields(cls)
        if field.converter is not None and not isinstance(field.converter, attrs.Converter)
    }


@cache_by_class
def conversions(cls: type[Any]) -> Mapping[str, Callable[[Any], Any]]:
    """What building a value does to what its fields are given: their converters, then what their annotations keep.

    Each raises `InvalidValue`, with its field, for what its annotation cannot keep. Fields to which nothing can be
    done, or which hold what they are given, are left out.
    """
    own = converters(cls)
    kept = {name: keep for name, keep in freezers(cls).items() if own.get(name) not in (in_utc, in_utc_or_none)}
    return {
        name: partial(_converted, name, own.get(name), kept[name]) if name in kept else own[name]
        for name in field_names(cls)
        if name in own or name in kept
    }


def _converted(name: str, own: Callable[[Any], Any] | None, keep: Callable[[Any], Any], value: Any) -> Any:
    try:
        return keep(value if own is None else own(value))
    except Refused as refused:
        raise InvalidValue(name, *refused.problem) from None


@cache_by_class
def validators(cls: type[Any]) -> tuple[tuple[str, Callable[[Any], object], bool], ...]:
    """Each field with a validator, what holds that against a value, and whether nothing but the field decides it.

    It raises what the validator raises.
    """
    return tuple(
        (field.name, partial(_validate, field), field.validator in (not_blank, not_empty))
        for field in attrs.fields(cls)
        if field.validator is not None
    )


def _validate(field: attrs.Attribute[Any], value: Any) -> None:
    assert field.validator is not None
    field.validator(value, field, getattr(value, field.name))


def changed(value: T, changes: Mapping[str, object]) -> T:
    """A copy of an attrs value with some fields changed, without validation: all of it was validated before."""
    cls = type(value)
    new: T = _copier(cls)(value)
    put = setters(cls)
    for name, content in changes.items():
        put[name](new, content)
    if isinstance(value, Extended) and (extras := getattr(value, "_extras", None)) is not None:
        give_extras(new, extras)
    return new


@cache_by_class
def _copier(cls: type[Any]) -> Callable[[Any], Any]:
    """What makes a copy of all fields of a value, written out: a loop takes twice as long, and each act makes some."""
    return _filler(cls, "copied(value)", [f"value.{name}" for name in field_names(cls)])


@cache_by_class
def maker(cls: type[Any]) -> Callable[..., Any]:
    """What makes a value of its fields, all of them in their order, without its constructor, in a quarter of the time.

    Each was validated, and is as its converter would make it.
    """
    given = [f"given{number}" for number in range(len(field_names(cls)))]
    return _filler(cls, f"made({', '.join(given)})", given)


def _filler(cls: type[Any], head: str, given: Sequence[str]) -> Callable[..., Any]:
    """A function that makes a value of the expressions that are given for its fields."""
    known: dict[str, Any] = {"new": object.__new__, "cls": cls}
    lines = [f"def {head}:", " new_value = new(cls)"]
    for number, (put, expression) in enumerate(zip(setters(cls).values(), given, strict=True)):
        known[f"put{number}"] = put
        lines.append(f" put{number}(new_value, {expression})")
    place = f"<{head.partition('(')[0]} {cls.__module__}.{cls.__qualname__}, generated by reportflow.model.values>"
    return written_out([*lines, " return new_value"], known, place)


def written_out(lines: Sequence[str], known: dict[str, Any], place: str) -> Callable[..., Any]:
    """The one function that the lines define, made for a class; tracebacks show the lines at `place`."""
    source = "\n".join([*lines, ""])
    linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
    exec(compile(source, place, "exec"), known)
    made: Callable[..., Any] = known[lines[0].removeprefix("def ").partition("(")[0]]
    return made


class Ranked(enum.StrEnum):
    """An enum of texts that are ordered as they are written, lowest first."""

    #: The place in the order, from 0.
    rank: int

    def __init__(self, *_: object) -> None:
        self.rank = len(type(self).__members__)

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
