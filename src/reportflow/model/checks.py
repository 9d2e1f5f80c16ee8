"""What of a text, a number, a time, of plain data is kept, and what is wrong with what cannot be stored."""

from __future__ import annotations

import itertools
import math
import operator
import re
import typing
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, TypeVar

from reportflow.model.frozen import FrozenDict

#: The longest text that is stored, in bytes of UTF-8.
TEXT_LIMIT: Final = 1 << 20
#: The longest number: what Python turns into text and back whatever limit a host sets (`sys.set_int_max_str_digits`).
INT_BITS: Final = 2126
INT_DIGITS: Final = 640
FLOAT_DIGITS: Final = 308
#: How deep plain data may be nested in a field, and of how many parts it may be made.
DEPTH_LIMIT: Final = 64
PARTS_LIMIT: Final = 100_000

T = TypeVar("T")


def cache_by_class(function: Callable[[type[Any]], T]) -> Callable[[type[Any]], T]:
    """`functools.cache` for functions of a class, typed: mypy does not hold a class to be hashable."""
    return typing.cast(Callable[[type[Any]], T], cache(function))


#: What is wrong with a value: the code in the catalog and its facts.
Problem = tuple[str, Mapping[str, object]]


class Refused(Exception):
    """A value that cannot be kept, inside a field that the caller names."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(*problem)
        self.problem = problem


def type_problem(expected: str, value: object) -> Problem:
    """The problem of a value of the wrong type, for `InvalidValue`."""
    given = "None" if value is None else f"{type(value).__name__} {shown(value)}"
    return "type", {"expected": _MODULES.sub("", expected), "given": given}


def shown(value: object, most: int = 60) -> str:
    """The beginning of a value's `repr`, or the name of its class where it has none."""
    try:
        return repr(value)[:most]
    except Exception:  # too deep, a number of too many digits, or any error of a host's own repr
        return type(value).__name__


#: The modules in the text of a type.
_MODULES: Final = re.compile(r"\b(?:\w+\.)+(?=\w)")


def plain_text(value: Any) -> Any:
    """A text of a class derived from `str`, such as a member of a str enum, as plain text; all else as it is."""
    return str.__str__(value) if isinstance(value, str) and type(value) is not str else value


def is_blank(text: str) -> bool:
    """Whether a person would see nothing of a text: it has only spaces, control and invisible characters.

    NUL is none of them: it is refused for itself.
    """
    first = text[:1]
    if first.isalnum() and first not in _INVISIBLE:
        return False  # nearly all texts
    for one in text:
        unseen = one.isspace() or one in _INVISIBLE or unicodedata.category(one) in _UNSEEN
        if not unseen or one == "\0":
            return False
    return True


#: Spaces, and what controls a terminal or the letters around it: a zero-width space, a soft hyphen, a byte order mark.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
#: Letters and marks that are drawn as nothing by themselves: fillers, the joiner of marks, the empty Braille pattern,
#: and the selectors of variants.
_INVISIBLE: Final = frozenset(
    ["\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u2800", "\u3164", "\uffa0"]
    + [chr(code) for code in (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))]
)


def text_problem(value: object) -> Problem | None:
    """Why a text cannot be stored: NUL, a lone surrogate, more than `TEXT_LIMIT` bytes."""
    return _problem(keep_text, value)


def time_problem(value: object) -> Problem | None:
    """Why a time cannot be stored: no time zone, or a time that UTC cannot express."""
    return _problem(keep_time, value)


def _problem(keep: Callable[[Any], object], value: object) -> Problem | None:
    try:
        keep(value)
    except Refused as refused:
        return refused.problem
    return None


# What is kept of one value; each raises `Refused` where it cannot be stored.


def keep_text(value: object) -> str:
    """A text as plain text."""
    if type(value) is not str:
        if not isinstance(value, str):
            raise Refused(type_problem("str", value))
        value = str.__str__(value)
    if "\0" in value:
        raise Refused(("nul", {}))
    if value.isascii():
        size = len(value)
    else:
        try:
            size = len(value.encode())
        except UnicodeEncodeError as error:
            raise Refused(("surrogate", {"index": error.start})) from None
    if size > TEXT_LIMIT:
        raise Refused(("too_long", {"bytes": size, "limit": TEXT_LIMIT}))
    return value


def keep_time(value: object) -> datetime:
    """In UTC: times of one instant are equal there, whatever zone they came from, and `fold` is spent."""
    if not isinstance(value, datetime):
        raise Refused(type_problem("datetime", value))
    if value.tzinfo is UTC:
        return value
    if value.utcoffset() is None:
        raise Refused(("naive", {"given": value.isoformat()}))
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise Refused(("time_range", {"given": value.isoformat()})) from None


def keep_int(value: object) -> int:
    """A whole number of at most `INT_DIGITS` digits."""
    if type(value) is not int:
        raise Refused(type_problem("int", value))
    if value.bit_length() > INT_BITS:
        raise Refused(("digits", {"limit": INT_DIGITS}))
    return value


def keep_float(value: object) -> float:
    """A finite number; one that was given as an int stays one."""
    if type(value) is int:
        try:
            float(value)
        except OverflowError:
            raise Refused(("digits", {"limit": FLOAT_DIGITS})) from None
        return value
    if type(value) is not float:
        raise Refused(type_problem("float", value))
    if not math.isfinite(value):
        raise Refused(("not_finite", {"given": value}))
    return value


def keep_decimal(kind: type[Any], value: Any) -> Any:
    """A finite decimal number."""
    if not isinstance(value, kind):
        raise Refused(type_problem("Decimal", value))
    if not value.is_finite():
        raise Refused(("not_finite", {"given": value}))
    return value


def keep_exactly(kind: type[Any], value: object) -> Any:
    """A value of just this class: a time is no day, a flag no number."""
    if type(value) is not kind:
        raise Refused(type_problem(kind.__name__, value))
    return value


def keep_plain_data(value: object) -> Any:
    """Plain data, as JSON has it: what is read is what was written, and nothing in it is ever taken for a class."""
    return _part(value, DEPTH_LIMIT, itertools.count(1))


def _part(value: Any, depth: int, parts: Iterator[int]) -> Any:
    if next(parts) > PARTS_LIMIT:
        raise Refused(("too_many_parts", {"limit": PARTS_LIMIT}))
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return keep_text(value)
    if isinstance(value, int):
        return keep_int(int.__pos__(value))
    if isinstance(value, float):
        return keep_float(float.__pos__(value))
    if not isinstance(value, list | tuple | Mapping):
        raise Refused(type_problem("plain data (None, bool, int, float, str, tuple, Mapping[str, …])", value))
    if depth == 0:
        raise Refused(("too_deep", {"limit": DEPTH_LIMIT}))
    if isinstance(value, Mapping):
        kept = [_part(one, depth - 1, parts) for one in value.values()]
        return same_or_frozen(value, [keep_text(key) for key in value], kept)
    kept = [_part(one, depth - 1, parts) for one in value]
    return unless_same(value, tuple, kept)


def unless_same(value: Any, container: type[Any], kept: list[Any]) -> Any:
    """The collection itself where it is such a one already, and nothing in it was changed."""
    return value if type(value) is container and all(map(operator.is_, kept, value)) else container(kept)


def same_or_frozen(value: Mapping[Any, Any], keys: list[Any], kept: list[Any]) -> Mapping[Any, Any]:
    """The same for a mapping."""
    same = type(value) is FrozenDict and all(map(operator.is_, keys, value))
    if same and all(map(operator.is_, kept, value.values())):
        return value
    return FrozenDict(zip(keys, kept, strict=True))
