"""What a form offers to choose from, by the rules of the flow: nothing that it would refuse to this person. Pure.

What is chosen all the same, by a form that was made up, is still for the flow to refuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any, Final

import attrs

from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.erasable import REASON, erasable_names
from reportflow.lifecycle.table import Transition, is_field_name
from reportflow.model.actor import Actor, Secrecy
from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.serialization.shapes import TEXT, Choice
from reportflow.serialization.widgets import Widget

#: The room of names of fields, some of them behind the trigger that fills them in: ``edit.text``.
FIELDS: Final = "field"


def within_clearance(
    widgets: Iterable[Widget], row: Transition, record: Record | None, actor: Actor
) -> tuple[Widget, ...]:
    """Widgets without the choices that make the record more secret than the person may read.

    Args:
        widgets: Of the form.
        row: What the form is for.
        record: The record that it acts on; None for a creation, which nobody may make above their clearance.
        actor: The person.
    """
    if record is not None and (row.hands_over or "secrecy" not in row.sets):
        return tuple(widgets)
    return tuple(_within(one, row, record, actor) for one in widgets)


def _within(one: Widget, row: Transition, record: Record | None, actor: Actor) -> Widget:
    if one.kind != "choice" or not isinstance(one.shape, Choice):
        return one
    members = dict(one.shape.members)
    kept = tuple(
        each
        for each in one.constants
        if not isinstance(level := _secrecy_by(one.name, members.get(each), row, record), Secrecy)
        or level <= actor.clearance
    )
    return attrs.evolve(one, constants=kept) if kept else one


def _secrecy_by(name: str, value: Any, row: Transition, record: Record | None) -> object:
    """How secret a record is once a value was chosen for a field, as far as that says it; else None."""
    if record is None:
        return value if name == "secrecy" else None
    setting: Any = row.sets["secrecy"]
    if is_field_name(setting):
        return value if name == setting else None
    if not callable(setting) or row.details is None:
        return None
    blank = {field.name: None for field in attrs.fields(row.details)}
    try:  # such a function is pure: what it makes of the value is tried with nothing else filled in
        found: object = setting(record, SimpleNamespace(details=SimpleNamespace(**{**blank, name: value})))
    except Exception:
        return None
    return found


def with_names(
    widgets: Iterable[Widget], row: Transition, lifecycle: Lifecycle, history: Sequence[Entry]
) -> tuple[Widget, ...]:
    """Widgets in which the names of what is erased are chosen, and not typed.

    Those of acts that did not happen to the record are left out: no ``reply.text`` where nobody replied.

    Args:
        widgets: Of the form.
        row: What the form is for.
        lifecycle: The definition of the record.
        history: What happened to the record, as its reader may read it.
    """
    if not isinstance(row.erases, str):
        return tuple(widgets)
    done = {entry.trigger for entry in history}
    known = erasable_names(lifecycle.record, lifecycle.transitions)
    names = tuple(name for name in known if "." not in name or name.rpartition(".")[0] in done)
    names += tuple(dict.fromkeys(f"{entry.trigger}.{REASON}" for entry in history if entry.reason))
    return tuple(
        attrs.evolve(one, kind="choices", constants=names, room=FIELDS)
        if one.name == row.erases and one.kind == "tags" and getattr(one.shape, "item", None) == TEXT
        else one
        for one in widgets
    )
