"""The names that a query may ask for: a mistyped one is an error that says what there is, and not an empty page."""

from __future__ import annotations

import enum
import typing
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from reportflow.errors import InvalidValue
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Secrecy
from reportflow.model.checks import cache_by_class
from reportflow.model.entry import marked
from reportflow.model.query import Query

_SECRECIES: Final = tuple(level.value for level in Secrecy)
#: Kind -> its names of one sort, in the order of the table; None where they are not known.
_ByKind = dict[str, dict[str, None] | None]


class Names:
    """The states, triggers and levels of some lifecycles, of all their versions."""

    def __init__(self, lifecycles: Iterable[Lifecycle]) -> None:
        self._states: _ByKind = {}
        self._triggers: _ByKind = {}
        self._levels: _ByKind = {}
        for one in lifecycles:
            _add(self._states, one.name, (state.name for state in one.states))
            _add(self._triggers, one.name, one.triggers)
            for row in one.transitions:
                if row.details is not None and "level" in marked(row.details):
                    _add(self._levels, one.name, _levels(row.details))

    def check(self, query: Query, unknown: Collection[str]) -> None:
        """Refuse a query for a kind, state, trigger, level or secrecy that there is none of.

        Args:
            query: What is asked for.
            unknown: Kinds that records have, and of which no definition was given: they may be asked for.

        Raises:
            InvalidValue: it asks for such a one; its details have those that there are.
        """
        kinds = self._states.keys() if query.kind is None else {str(kind) for kind in query.kind}
        _check("kind", query.kind, (*self._states, *unknown))
        _check("secrecy", query.secrecy, _SECRECIES)
        if kinds <= self._states.keys():
            kind = next(iter(kinds)) if len(kinds) == 1 else ""  # whose labels the choices have
            _check("state", query.state, _of(self._states, kinds), kind)
            if query.happened is not None:
                _check("trigger", query.happened.trigger, _of(self._triggers, kinds), kind)
                _check("level", query.happened.level, _of(self._levels, kinds), kind)


def _add(names: _ByKind, kind: str, more: Iterable[str] | None) -> None:
    known = names.setdefault(kind, {})
    names[kind] = None if more is None or known is None else {**known, **dict.fromkeys(more)}


def _of(names: Mapping[str, dict[str, None] | None], kinds: Iterable[str]) -> tuple[str, ...] | None:
    """The names of some kinds; None where those of one are not known."""
    found = [names.get(kind, {}) for kind in names if kind in set(kinds)]
    if any(one is None for one in found):
        return None
    return tuple(dict.fromkeys(name for one in found for name in one or ()))


def _check(
    field: str, wanted: Iterable[str | None] | None, choices: Collection[str] | None, lifecycle: str = ""
) -> None:
    if wanted is None or choices is None:
        return
    wrong = sorted(str(one) for one in wanted if one is not None and one not in choices)
    if wrong:
        facts = {"given": repr(wrong[0]), "choices": tuple(choices), "lifecycle": lifecycle}
        raise InvalidValue(field, "choice", facts)


@cache_by_class
def _levels(details: type[object]) -> tuple[str, ...] | None:
    """What the field of a details class that is marked as its level may be; None where that is no enum."""
    try:
        annotation = typing.get_type_hints(details)[marked(details)["level"]]
    except Exception:  # of a class whose annotations cannot be evaluated nothing is known
        return None
    options = [one for one in (typing.get_args(annotation) or (annotation,)) if one is not type(None)]
    if not all(isinstance(one, type) and issubclass(one, enum.Enum) for one in options):
        return None
    return tuple(str(member.value) for one in options for member in one)
