"""How a person fills in the fields of a class: one widget a field, by its shape, its limits and its marks.

The forms of the portal are made of these, and a check of a definition says by them what no form can show. Nothing here
knows a page: what a widget looks like, and what is typed into it, is for the portal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

import attrs

from reportflow.errors import pointer_of
from reportflow.model.attachment import Attachment
from reportflow.model.checks import cache_by_class
from reportflow.model.record import SET_BY_FOLD, Record
from reportflow.model.values import CODE, LONG, MARK, PERSON, REFERENCE, REFERS, RETRACTS, WIDGET
from reportflow.serialization.constraints import AMONG, LEAST, MOST, VISIBLE, constraints_of
from reportflow.serialization.shapes import (
    NULL,
    TEXT,
    Choice,
    Either,
    FieldShape,
    Items,
    JsonScalar,
    Nested,
    Pairs,
    Row,
    Scalar,
    Shape,
    fields_of,
)

#: What is typed as one text, by the kind of its `Scalar`.
_WRITTEN: Final = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "decimal": "number",
    "date": "date",
    "date-time": "time",
    "uuid": "text",
}
#: Fields of every record that name a person, or another record.
_PEOPLE, _RECORDS = frozenset({"assignee"}), frozenset({"parent"})


@attrs.frozen(kw_only=True)
class Widget:
    """What one field is filled in with.

    Attributes:
        name: The field's name; the place, for the parts of a tuple with a place for each.
        kind: ``text``, ``long``, ``integer``, ``number``, ``date``, ``time``, ``flag``, ``choice``, ``choices``,
            ``coded`` (a code that may have labels), ``person``, ``record``, ``identity`` (the id that belongs to the
            name beside it), ``entry`` (one of the record's history), ``tags`` (any number of texts or numbers),
            ``pairs`` (names with a text or number each), ``group`` (one value of a class), ``groups`` (any number of
            them), ``row``, ``file``, ``files``, or ``none``: no form can show it.
        required: Whether it must be filled in.
        nullable: Whether left blank it is None.
        shape: What it holds, without None.
        constants: Of a choice: what JSON says.
        room: Where the catalog may have the labels of a choice.
        parts: Of a group, groups or a row: its own widgets.
        most: How many characters it may have, where that is limited.
        default: What it holds unless it is filled in; NOTHING where there is no such value.
    """

    name: str
    kind: str
    required: bool = False
    nullable: bool = False
    shape: Shape = NULL
    constants: tuple[JsonScalar, ...] = ()
    room: str = ""
    parts: tuple[Widget, ...] = ()
    most: int | None = None
    default: Any = attrs.field(factory=lambda: attrs.NOTHING, eq=False)


def widgets_of(cls: type[Any], accepts: Collection[str] | None = None) -> tuple[Widget, ...]:
    """The widgets of a class's fields, in order; of a record's, those of what its creation accepts.

    Raises:
        InvalidValue: `accepts` names what is no field.
        InvalidDefinition: a field is of no type that JSON can say.
    """
    left_out = SET_BY_FOLD if issubclass(cls, Record) else frozenset()
    return tuple(one for one in _widgets(cls, accepts, (cls,)) if one.name not in left_out)


def _widgets(cls: type[Any], accepts: Collection[str] | None, above: tuple[type[Any], ...]) -> Iterator[Widget]:
    return (_widget(field, above) for field in fields_of(cls, accepts))


def unshown(widgets: Collection[Widget], path: str = "") -> Iterator[tuple[str, bool]]:
    """What no form can show: the pointer of each field, and whether it must be filled in."""
    for one in widgets:
        here = path + pointer_of(one.name)
        if one.kind == "none":
            yield here, one.required
        yield from unshown(one.parts, here)


def can_be_shown(widgets: Collection[Widget]) -> bool:
    """Whether a form can show all that must be filled in."""
    return not any(required for _, required in unshown(widgets))


@cache_by_class
def long_fields(cls: type[Any]) -> tuple[str, ...]:
    """The fields of a class that are marked as long texts, in order."""
    return tuple(one.name for one in attrs.fields(cls) if one.metadata.get(WIDGET) == LONG)


def _widget(field: FieldShape, above: tuple[type[Any], ...]) -> Widget:
    shape, nullable = _without_null(field.shape)
    found = constraints_of(field.attribute)
    limits = dict(found)
    demands = VISIBLE in limits or limits.get(LEAST, 0) > 0
    made = _of_shape(field.name, shape, above)
    most = limits.get(MOST, limits.get("maxLength"))
    if made.kind == "flag" and nullable:  # three answers
        made = attrs.evolve(made, kind="choice", constants=(True, False))
    constants = made.constants
    if AMONG in limits:
        among = [getattr(one, "value", one) for one in limits[AMONG]]
        if made.kind == "choice":
            constants = tuple(one for one in constants if one in among)
        elif made.kind == "text" and all(isinstance(one, str) for one in among):
            made, constants = attrs.evolve(made, kind="choice", room=field.name), tuple(among)
    default: Any = field.attribute.default
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # a class, though typed as a function
        default = attrs.NOTHING if default.takes_self else default.factory()
    return attrs.evolve(
        made,
        kind=_by_marks(made, field),
        constants=constants,
        nullable=nullable,
        required=(field.required or demands) and not nullable,
        most=most if made.kind == "text" else None,
        default=default,
    )


def _without_null(shape: Shape) -> tuple[Shape, bool]:
    """A shape without null, and whether null was in it."""
    if isinstance(shape, Either) and NULL in shape.several:
        rest = tuple(one for one in shape.several if one != NULL)
        return (rest[0] if len(rest) == 1 else Either(rest)), True
    return shape, False


def _with_identity(parts: tuple[Widget, ...]) -> tuple[Widget, ...]:
    """The parts of a class that has a name, and the id that may belong to it: nobody types an id."""
    named = any(one.name == "name" and one.kind == "text" for one in parts)
    return tuple(
        attrs.evolve(one, kind="identity")
        if named and one.name == "id" and one.kind == "text" and one.nullable
        else one
        for one in parts
    )


def _by_marks(made: Widget, field: FieldShape) -> str:
    """The kind of a widget, as the marks of its field say more of it than its shape."""
    metadata, name = field.attribute.metadata, field.name
    if made.kind == "integer" and metadata.get(MARK) == RETRACTS[MARK]:
        return "entry"
    if made.kind != "text" or made.shape != TEXT:
        return made.kind
    if metadata.get(WIDGET) == LONG:
        return "long"
    if name in _PEOPLE or metadata.get(MARK) == PERSON[MARK]:
        return "person"
    if name in _RECORDS or metadata.get(REFERS) == REFERENCE[REFERS]:
        return "record"
    return "coded" if metadata.get(MARK) == CODE[MARK] else made.kind


def _of_shape(name: str, shape: Shape, above: tuple[type[Any], ...]) -> Widget:
    """The widget of a shape, whatever its field demands."""
    kind, room = "none", ""
    parts: tuple[Widget, ...] = ()
    constants: tuple[JsonScalar, ...] = ()
    match shape:
        case Scalar(kind="boolean"):
            kind = "flag"
        case Scalar(kind=scalar):
            kind = _WRITTEN.get(scalar, "none")
        case Choice(members=members, room=named):
            kind, room, constants = "choice", named, tuple(constant for constant, _ in members)
        case Nested(cls=cls) if cls is Attachment:
            kind = "file"
        case Nested(cls=cls) if cls not in above:  # a class inside itself has no end
            kind, parts = "group", _with_identity(tuple(_widgets(cls, None, (*above, cls))))
        case Items(item=item):
            part = _of_shape(name, item, above)
            if part.kind == "file":
                kind = "files"
            elif part.kind == "group":
                kind, parts = "groups", part.parts
            elif isinstance(item, Scalar) and part.kind != "none" and item.kind != "boolean":
                kind = "tags"
            elif part.kind == "choice":
                kind, room, constants = "choices", part.room, part.constants
        case Pairs(key=key, item=item):
            written = isinstance(item, Scalar) and item.kind in _WRITTEN
            kind = "pairs" if key == TEXT and written else "none"
        case Row(items=items):
            parts = tuple(
                attrs.evolve(_of_shape(str(place), one, above), required=True) for place, one in enumerate(items)
            )
            kind = "row"
    if not can_be_shown(parts):
        kind, parts = "none", ()
    return Widget(name=name, kind=kind, shape=shape, constants=constants, room=room, parts=parts)
