"""What people fill in for the rows of a definition, and which of it no form can show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from reportflow.errors import InvalidDefinition
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import NOBODY, Transition
from reportflow.serialization.widgets import unshown, widgets_of


class Formless(NamedTuple):
    """A class with fields that no form can show.

    Attributes:
        cls: The class, of details or of the record.
        fields: The paths of the fields.
        required: Whether one of them must be filled in: then there is no form at all.
        rows: The rows for which people fill it in.
    """

    cls: type[Any]
    fields: tuple[str, ...]
    required: bool
    rows: tuple[Transition, ...]


def find_formless(lifecycle: Lifecycle) -> Iterator[Formless]:
    """The classes that a person may be asked for, and no form can show whole."""
    asked = [(row, cls, accepts) for row in lifecycle.transitions for cls, accepts in _asked(lifecycle, row)]
    for cls in dict.fromkeys(cls for _, cls, _ in asked):
        own = [(row, accepts) for row, one, accepts in asked if one is cls]
        found = dict(pair for _, accepts in own for pair in _unshown(cls, accepts))
        if found:
            fields = tuple(pointer[1:].replace("/", ".") for pointer in found)
            yield Formless(cls, fields, any(found.values()), tuple(row for row, _ in own))


def _asked(lifecycle: Lifecycle, row: Transition) -> Iterator[tuple[type[Any], frozenset[str] | None]]:
    """The class that a person fills in for a row; of a draft, with the fields that they may."""
    if NOBODY in row.roles:
        return
    if None in row.sources:
        yield lifecycle.record, lifecycle.accepted(row.trigger)
    elif row.details is not None:
        yield row.details, None


def _unshown(cls: type[Any], accepts: frozenset[str] | None) -> tuple[tuple[str, bool], ...]:
    """The fields that no form can show; none of a class that JSON cannot say, whose faults are others."""
    try:
        return tuple(unshown(widgets_of(cls, accepts)))
    except InvalidDefinition:
        return ()
