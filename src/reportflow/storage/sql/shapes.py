"""What is the same in the queries of many people: everything but whom and what they name.

To compile a statement takes ten times as long as to run it, and hardly two people ask for the same records: a statement
is compiled for the shape of a query, in which marks stand for ids, and runs with what stood in their places.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from reportflow.model.checks import is_blank
from reportflow.model.query import Query
from reportflow.model.values import changed
from reportflow.storage.sql.conditions import FEW

#: The fields of a query that name people and records.
_NAMING: Final = ("id", "parent", "unit", "assignee", "created_by", "author")
#: What a mark begins with: no text of a query has it.
_MARK: Final = "\x00"
_ACTOR: Final = f"{_MARK}by"
_UNIT: Final = f"{_MARK}of"


def shape_of(query: Query) -> tuple[Query, Mapping[str, str]]:
    """A query with marks in the places of ids, and what each mark stands for.

    What it names is filled up to one name, two, four and so on by the last one, so that few shapes serve.
    """
    values: dict[str, str] = {}
    changes: dict[str, Any] = {}
    for name in _NAMING:
        if named := getattr(query, name):
            changes[name] = _marked(name, named, values)
    if query.happened is not None and query.happened.actor:
        changes["happened"] = changed(query.happened, {"actor": _marked("actor", query.happened.actor, values)})
    if query.visible is not None:
        values[_ACTOR], values[_UNIT] = query.visible.actor, query.visible.unit
        its_unit = query.visible.unit if is_blank(query.visible.unit) else _UNIT  # which reaches nothing
        changes["visible"] = changed(query.visible, {"actor": _ACTOR, "unit": its_unit})
    return changed(query, changes), values


def _marked(name: str, named: frozenset[str | None], values: dict[str, str]) -> frozenset[str | None]:
    """Marks for some names; where they are very many, the names themselves."""
    texts = [one for one in named if one is not None]
    if not texts or len(texts) > FEW:
        return named
    marks = _marks(name, min(1 << (len(texts) - 1).bit_length(), FEW))
    texts += [texts[-1]] * (len(marks) - len(texts))
    values.update(zip(marks, texts, strict=True))
    return frozenset((*marks, None) if None in named else marks)


@cache
def _marks(name: str, number: int) -> tuple[str, ...]:
    return tuple(f"{_MARK}{name}{one}" for one in range(number))
