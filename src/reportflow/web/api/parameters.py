"""The parameters of lists and counts as OpenAPI says them: those of `querying`, with the names that the tables have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from reportflow.errors import InvalidDefinition
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Secrecy
from reportflow.model.entry import marked
from reportflow.model.query import ENTRY_GROUPS, LABEL_GROUPS, ORDERS, RECORD_GROUPS, TEXTS
from reportflow.serialization.shapes import Choice, Either, Shape, fields_of
from reportflow.web.api.asking import MOST, PAGING
from reportflow.web.api.schemas import SEEN
from reportflow.web.querying import ENTRY_FIELDS, FIELDS, PARAMETERS, WITHOUT
from reportflow.web.querying import MOST as VALUES

#: What a signed cursor looks like.
_CURSOR: Final = r"^[A-Za-z0-9_-]+\.[0-9a-f]{32}$"
_WHEN: Final[Mapping[str, Any]] = {
    "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]
}


def finding(lifecycles: Iterable[Lifecycle]) -> list[dict[str, Any]]:
    """The parameters of a list."""
    names = _names(lifecycles)
    return [_parameter(name, names) for name in PARAMETERS]


def counting(lifecycles: Iterable[Lifecycle]) -> list[dict[str, Any]]:
    """The parameters of a count."""
    names = _names(lifecycles)
    groups = [*RECORD_GROUPS, *LABEL_GROUPS, *ENTRY_GROUPS]
    return [
        *(_parameter(name, names) for name in PARAMETERS if name not in PAGING),
        _query("of", {"type": "string", "enum": ["records", "entries"], "default": "records"}),
        _query("group", {"type": "array", "items": {"type": "string", "enum": groups}, "uniqueItems": True}),
    ]


def _query(name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": dict(described)}


def _parameter(name: str, names: Mapping[str, list[str] | None]) -> dict[str, Any]:
    match name:
        case "limit":
            return _query(name, {"type": "integer", "minimum": 1, "maximum": MOST, "default": 100})
        case "cursor":
            return _query(name, {"type": "string", "pattern": _CURSOR})
        case "order":
            items: Mapping[str, Any] = {"type": "string", "enum": [*ORDERS, *map("-{}".format, ORDERS)]}
        case _ if name == WITHOUT:
            items = {"type": "string", "enum": [*FIELDS, *ENTRY_FIELDS]}
        case _ if name.endswith(("_from", "_to")):
            return _query(name, _WHEN)
        case _:
            known = names.get(name)
            items = SEEN if known is None else {"type": "string", "enum": known}
    return _query(name, {"type": "array", "items": items, "maxItems": TEXTS if name == "text" else VALUES})


def _names(lifecycles: Iterable[Lifecycle]) -> dict[str, list[str] | None]:
    """Parameter -> the values that it may have; None where any will do."""
    several = tuple(lifecycles)
    triggers = dict.fromkeys(trigger for one in several for trigger in one.triggers)
    states = dict.fromkeys(state.name for one in several for state in one.states)
    levels = {level: None for one in several for level in _levels(one)}
    return {
        "kind": list(dict.fromkeys(one.name for one in several)),
        "state": list(states),
        "happened": list(triggers),
        "secrecy": [one.value for one in Secrecy],
        "level": list(levels) or None,
    }


def _levels(lifecycle: Lifecycle) -> Iterator[str]:
    """The levels that the details of a kind may have, as far as they are a choice."""
    for row in lifecycle.transitions:
        name = None if row.details is None else marked(row.details).get("level")
        if row.details is None or name is None:
            continue
        try:
            fields = fields_of(row.details)
        except InvalidDefinition:
            continue
        for field in fields:
            if field.name == name:
                yield from _choices(field.shape)


def _choices(shape: Shape) -> Iterator[str]:
    for one in shape.several if isinstance(shape, Either) else (shape,):
        if isinstance(one, Choice):
            yield from (constant for constant, _ in one.members if isinstance(constant, str))
