"""What is checked of an act that nothing refuses: the record that it results in, and the names of what it erases.

A record that `sets` changed is validated by its own class, as if it were built anew. What was erased before does not
fit the validators of its class any more, and need not: a validator that refuses the record before the act, too, says
nothing about the act, unless its field changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import attrs

from reportflow.errors import InvalidValue, RuleFailed
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import Transition, is_field_name
from reportflow.model.annotations import check, keepers
from reportflow.model.entry import Command, Entry
from reportflow.model.record import Record
from reportflow.model.values import converters, field_names, plainly_built, validators


def check_whole(lifecycle: Lifecycle, row: Transition, before: Record, after: Record, entry: Entry) -> None:
    """Validate a record that `sets` changed by its own class.

    Raises:
        InvalidValue: a changed value is refused.
        RuleFailed: the class makes something else of it.
    """
    cls = type(after)
    known = before if before.version else None
    try:
        plain = plainly_built(cls)
        wrong = _wrong_of_changed(known, after, row, entry) if plain else _wrong_of_whole(known, after)
    except InvalidValue:
        raise
    except Exception as error:
        raise InvalidValue(cls.__name__, "refused", {"given": f"{type(error).__name__}: {error}"}) from error
    if wrong:
        raise lifecycle.failed(entry, "sets", f"{cls.__name__} converts {', '.join(wrong)} into something else")


def _wrong_of_whole(before: Record | None, after: Record) -> list[str]:
    """The fields that differ once the record is built anew."""
    every = field_names(type(after))
    try:
        built = _built_anew(after)
    except Exception:
        if before is None or not _raises(_built_anew, before):
            raise
        return []
    return [name for name in every if getattr(built, name) != getattr(after, name)]


def _built_anew(record: Record) -> Record:
    return type(record)(**{name.lstrip("_"): getattr(record, name) for name in field_names(type(record))})


def _raises(judge: Callable[[Any], object], value: object) -> bool:
    try:
        judge(value)
    except Exception:
        return True
    return False


def _wrong_of_changed(before: Record | None, after: Record, row: Transition, entry: Entry) -> list[str]:
    """The same where the changed fields decide it: the others were validated when they were set."""
    cls, names = type(after), row.sets
    check(after, _to_check(row, cls, type(entry.details)))  # type: ignore[arg-type]  # a class is hashable
    for name, validate, alone in validators(cls):
        if alone and before is not None and name not in names:
            continue  # it says now what it said of the record before
        try:
            validate(after)
        except Exception:
            if before is None or getattr(before, name) != getattr(after, name) or not _raises(validate, before):
                raise
    convert = converters(cls)
    return [name for name in names if name in convert and convert[name](getattr(after, name)) != getattr(after, name)]


@lru_cache(maxsize=1024)
def _to_check(row: Transition, cls: type[Any], details: type[Any]) -> tuple[str, ...]:
    """The fields that a row changes, less those that it takes from details where the annotation is the same."""
    kept, given = keepers(cls), keepers(details) if attrs.has(details) else {}
    own = converters(cls)
    checked = {
        name
        for name, setting in row.sets.items()
        if is_field_name(setting) and name not in own and kept[name] is given.get(str(setting))
    }
    return tuple(name for name in row.sets if name not in checked)


def audience_of(lifecycle: Lifecycle, row: Transition, record: Record, command: Command) -> frozenset[str] | None:
    """The roles that may read the entry of an act, by the row's `audience`.

    Raises:
        RuleFailed: the function of `audience` raised, or gave something else than roles of the lifecycle.
    """
    place = (lifecycle.name, command.trigger, "audience", record.id)
    try:
        roles = row.read_by(command.details if record.version else record)
    except Exception as error:
        raise RuleFailed(*place, f"{type(error).__name__}: {error}") from error
    if roles is not None and (not roles or not roles <= lifecycle.roles.keys()):
        raise RuleFailed(*place, f"{sorted(roles)} are no roles of the lifecycle")
    return roles


def names_erased(lifecycle: Lifecycle, row: Transition, before: Record, entry: Entry) -> tuple[str, ...]:
    """The names of what an act erases.

    Raises:
        RuleFailed: the function of `erases` raised.
    """
    try:
        return row.names_erased(before, entry)
    except Exception as error:
        raise lifecycle.failed(entry, "erases", f"{type(error).__name__}: {error}") from error


def field_of_names(row: Transition) -> str:
    """The field of the details that holds the names of what a row erases, for errors about these."""
    return row.erases if isinstance(row.erases, str) else "erases"


def check_erasing(lifecycle: Lifecycle, row: Transition, record: Record, entry: Entry) -> None:
    """See that what an act erases is named, and may be erased by the table; what the history says is judged later.

    Raises:
        InvalidValue: nothing is named, or what is may not be erased.
        RuleFailed: the function of `erases` raised.
    """
    from reportflow.lifecycle.erasable import check_names  # few acts erase

    names, field = names_erased(lifecycle, row, record, entry), field_of_names(row)
    if not names and entry.mark("person") is None:
        raise InvalidValue(field, "empty")
    check_names(type(record), lifecycle.transitions, names, field)
