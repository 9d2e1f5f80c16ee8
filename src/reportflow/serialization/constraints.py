"""The constraints of a field: what its validators demand, as far as JSON Schema can say it, and what violates them.

Known are `not_blank`, `not_empty`, the validators that attrs brings, and what a field says itself by `limits`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, Final

import attrs

from reportflow.errors import InvalidValue
from reportflow.model.checks import Problem, shown
from reportflow.model.values import LIMITS, not_blank, not_empty

#: The class of each validator of attrs that limits something; attrs has no public names for them.
_LONGEST: Final[Any] = type(attrs.validators.max_len(0))
_SHORTEST: Final[Any] = type(attrs.validators.min_len(0))
_NUMBER: Final[Any] = type(attrs.validators.ge(0))
_MATCHES: Final[Any] = type(attrs.validators.matches_re(""))
_ONE_OF: Final[Any] = type(attrs.validators.in_(()))
_ALL: Final[Any] = type(attrs.validators.and_())
_OPTIONAL: Final[Any] = type(attrs.validators.optional(not_blank))

_COMPARED: Final[Mapping[str, str]] = {
    ">=": "minimum",
    "<=": "maximum",
    ">": "exclusiveMinimum",
    "<": "exclusiveMaximum",
}
#: How a pattern is written that is found anywhere, by the function of `re` that looks for it.
_ANCHORED: Final[Mapping[str, str]] = {"fullmatch": "^(?:{})$", "match": "^(?:{})", "search": "{}"}

#: A text of which a person sees something.
VISIBLE: Final = "visible"
#: The least and the greatest number of characters, of parts, or of names, whatever the field holds.
LEAST: Final = "least"
MOST: Final = "most"
#: One of some values.
AMONG: Final = "among"


def constraints_of(field: attrs.Attribute[Any]) -> tuple[tuple[str, Any], ...]:
    """The constraints of a field: keywords of JSON Schema, or `VISIBLE`, `LEAST`, `MOST` and `AMONG`."""
    found = [pair for validator in _simple(field.validator) for pair in _keywords(validator)]
    return (*found, *field.metadata.get(LIMITS, {}).items())


def _simple(validator: Any, value: object = attrs.NOTHING) -> Iterator[Any]:
    """A validator, or those that it is composed of; without those that let a value of None pass."""
    if isinstance(validator, _ALL):
        for one in validator._validators:
            yield from _simple(one, value)
    elif isinstance(validator, _OPTIONAL):
        if value is not None:
            yield from _simple(validator.validator, value)
    elif validator is not None:
        yield validator


def _keywords(validator: Any) -> Iterator[tuple[str, Any]]:
    if validator is not_blank:
        yield VISIBLE, True
    elif validator is not_empty:
        yield LEAST, 1
    elif isinstance(validator, _SHORTEST):
        yield LEAST, validator.min_length
    elif isinstance(validator, _LONGEST):
        yield MOST, validator.max_length
    elif isinstance(validator, _NUMBER):
        yield _COMPARED[validator.compare_op], validator.bound
    elif isinstance(validator, _MATCHES) and validator.pattern.flags == re.UNICODE:
        yield "pattern", _ANCHORED[validator.match_func.__name__].format(validator.pattern.pattern)
    elif isinstance(validator, _ONE_OF):
        yield AMONG, tuple(validator.options)


def violations(field: attrs.Attribute[Any], value: object, known: Mapping[str, object]) -> list[Problem]:
    """What the validators of a field refuse of a value that was converted.

    Args:
        field: The field.
        value: Its value.
        known: The fields of the instance that have a value. A validator that reads another one is left out: it speaks
            when the instance is made.
    """
    found: list[Problem] = []
    for validator in _simple(field.validator, value):
        try:
            validator(SimpleNamespace(**known), field, value)
        except InvalidValue as error:
            found.append((error.problem, error.details))
        except AttributeError:
            continue
        except Exception as error:
            found.append(_violation(validator, value, error))
    return found


def _violation(validator: Any, value: Any, error: Exception) -> Problem:
    """What one of the validators of attrs refuses; any other's refusal in its own words."""
    if isinstance(validator, _LONGEST) and isinstance(value, str):
        return "too_many", {"characters": len(value), "limit": validator.max_length}
    if isinstance(validator, _SHORTEST) and validator.min_length == 1:
        return "blank" if isinstance(value, str) else "empty", {}
    if isinstance(validator, _ONE_OF):
        return "choice", {"given": shown(value), "choices": tuple(validator.options)}
    return "refused", {"given": str(error)[:200] or type(error).__name__}
