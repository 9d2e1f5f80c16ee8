"""Where two answers differ first, and a value on one short line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import attrs

from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.model.values import changed

#: How many characters of a value are shown.
LONGEST: Final = 300


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


#: What stands where one of two answers has ended.
NOTHING: Final = _Nothing()


class Difference(NamedTuple):
    """The place at which two values differ first, as Python would write it behind their name, and what is there."""

    path: str
    one: object
    other: object


def without_digests(value: Any) -> Any:
    """A record, an entry, or a sequence of them, without what the random salts of a run decide."""
    if isinstance(value, Record):
        return changed(value, {"head": ""})
    if isinstance(value, Entry):
        return changed(value, {"digest": "", "erased": tuple(changed(one, {"commitment": ""}) for one in value.erased)})
    if type(value) in (list, tuple):
        return type(value)(map(without_digests, value))
    return value


def first_difference(one: object, other: object, path: str = "") -> Difference | None:
    """Where two values differ first: inside attrs values, sequences and mappings; None where they are equal."""
    if one == other and type(one) is type(other):
        return None
    for inside, (mine, theirs) in _parts(one, other):
        found = first_difference(mine, theirs, path + inside)
        if found:
            return found
    return None if one == other else Difference(path, one, other)


def _parts(one: Any, other: Any) -> list[tuple[str, tuple[Any, Any]]]:
    """The parts that two values of one shape share: how each is reached, and both."""
    if attrs.has(type(one)) and type(one) is type(other):
        return [(f".{name}", (getattr(one, name), getattr(other, name))) for name in attrs.fields_dict(type(one))]
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = list(dict.fromkeys([*one, *other]))
        return [(f"[{key!r}]", (one.get(key, NOTHING), other.get(key, NOTHING))) for key in keys]
    if isinstance(one, Sequence) and not isinstance(one, str | bytes) and type(one) is type(other):
        both = [[*part, *[NOTHING] * (max(len(one), len(other)) - len(part))] for part in (one, other)]
        return [(f"[{number}]", pair) for number, pair in enumerate(zip(*both, strict=True))]
    return []


def shown(value: object) -> str:
    """A value on one line, its middle left out where it is long; never an error."""
    try:
        said = repr(value)
    except Exception as error:  # whatever a class of the host raises
        said = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    said = " ".join(said.split())
    half = LONGEST // 2
    return said if len(said) <= LONGEST else f"{said[:half]} … {said[-half:]}"
