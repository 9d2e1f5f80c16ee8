"""A class as JSON Schema 2020-12: what `parse` takes and `to_plain` writes, for forms, APIs and other programs.

Every rule of a value that JSON Schema has a word for is in it: types, choices with their labels, formats, lengths,
bounds, what must not be blank. A few rules have none: the size of a text in bytes, the depth of plain data, what a
function of a class demands of several fields together. `parse` knows these too.
"""

from __future__ import annotations

import inspect
import sys
import unicodedata
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Final

import attrs

from reportflow.errors import InvalidValue, ReportflowError
from reportflow.i18n.catalog import ENGLISH, NO_LABELS, STANDARD, Catalog, Renderer
from reportflow.model.checks import TEXT_LIMIT, is_blank
from reportflow.model.values import name_of
from reportflow.serialization.constraints import AMONG, LEAST, MOST, VISIBLE, constraints_of
from reportflow.serialization.evolution import TYPE, VERSION, schema_of
from reportflow.serialization.parse import DATE, DECIMAL, TIME, UUID_TEXT, Labelled
from reportflow.serialization.plain import write_fact
from reportflow.serialization.shapes import (
    NULL,
    Choice,
    Either,
    FieldShape,
    Items,
    Nested,
    Pairs,
    Row,
    Scalar,
    Shape,
    check_class,
    fields_of,
)

#: The dialect of every schema.
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

#: How a class of ``$defs`` is referred to inside the schema.
REF_TEMPLATE: Final = "#/$defs/{name}"
#: A text that can be stored has no NUL.
_NO_NUL: Final = "^[^\\u0000]*$"
_SCALARS: Final[Mapping[str, Mapping[str, Any]]] = {
    "string": {"type": "string", "maxLength": TEXT_LIMIT, "pattern": _NO_NUL},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "null": {"type": "null"},
    "date-time": {"type": "string", "format": "date-time", "pattern": TIME},
    "date": {"type": "string", "format": "date", "pattern": DATE},
    "decimal": {"type": "string", "format": "decimal", "pattern": DECIMAL},
    "uuid": {"type": "string", "format": "uuid", "pattern": UUID_TEXT},
    "plain": {},
    "value": {},
}
#: Type of JSON -> its keywords for a least and a greatest length.
_LENGTHS: Final[Mapping[str, tuple[str, str]]] = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}
_TYPES: Final[Mapping[type[Any], str]] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}


def schema(
    cls: type[Any],
    language: str = ENGLISH,
    *,
    accepts: Collection[str] | None = None,
    lifecycle: Labelled | None = None,
    catalog: Catalog = STANDARD,
    ref_template: str = REF_TEMPLATE,
) -> dict[str, Any]:
    """The JSON Schema (2020-12) of the plain data of a class.

    Args:
        cls: An attrs class: details, a record, `Query`, `Actor`, one of the caller's own.
        language: Of the titles; English where there is none.
        accepts: The fields that may be given; all of the class unless said otherwise. Of a creation, `Option.accepts`.
        lifecycle: Whose labels the fields and choices have; the catalog's own unless given.
        catalog: Has the labels that the lifecycle does not give itself.
        ref_template: How a class of ``$defs`` is referred to; for a schema that is put into another document, such as
            ``#/components/schemas/{name}``.

    Raises:
        InvalidValue: it is no attrs class, or `accepts` names what is no field of it.
        InvalidDefinition: a field of the class is of no type that JSON can say, with the path to it.
    """
    labels = NO_LABELS if lifecycle is None else lifecycle.labels
    kind = None if lifecycle is None else lifecycle.name
    return describe_class(cls, Renderer(catalog, language, labels=labels), kind, accepts, ref_template)


def describe_class(
    cls: type[Any],
    renderer: Renderer,
    lifecycle: str | None = None,
    accepts: Collection[str] | None = None,
    ref_template: str = REF_TEMPLATE,
) -> dict[str, Any]:
    """As `schema`, with the texts of a renderer, for records of a kind."""
    check_class(cls)
    return _Describer(cls, renderer, lifecycle, ref_template).whole(accepts)


class _Describer:
    """One schema being written, with the classes that it names."""

    def __init__(self, root: type[Any], renderer: Renderer, lifecycle: str | None, ref_template: str) -> None:
        self._root = root
        self._renderer = renderer
        self._lifecycle = lifecycle
        self._names: dict[type[Any], str] = {}
        self._ref_template = ref_template
        self._by_itself = ref_template == REF_TEMPLATE  # so that "#" is the root, where that has all its fields

    def whole(self, accepts: Collection[str] | None) -> dict[str, Any]:
        self._by_itself &= accepts is None
        written = {"$schema": DIALECT, **self._of_class(self._root, accepts)}
        definitions: dict[str, Any] = {}
        while len(definitions) < len(self._names):  # those of a definition are found while it is written
            cls, name = list(self._names.items())[len(definitions)]
            definitions[name] = self._of_class(cls)
        return {**written, "$defs": definitions} if definitions else written

    def _of_class(self, cls: type[Any], accepts: Collection[str] | None = None) -> dict[str, Any]:
        fields = fields_of(cls, accepts)
        about = paragraph(cls)
        version = schema_of(cls).version
        return {
            "title": cls.__name__,
            **({"description": about} if about else {}),
            "type": "object",
            "properties": {
                TYPE: {"const": name_of(cls)},
                **({VERSION: {"const": version}} if version > 1 else {}),
                **{one.name: self._of_field(one) for one in fields},
            },
            "required": [one.name for one in fields if one.required],
            "additionalProperties": False,
        }

    def _of_field(self, field: FieldShape) -> dict[str, Any]:
        written = self._of_shape(field.shape, field.name)
        for name, value in constraints_of(field.attribute):
            written = _constrained(written, name, value)
        title = self._label("field", field.name)
        return {"title": title, **written, **_default(field)}

    def _label(self, room: str, name: object) -> str:
        return self._renderer.label(room, name, self._lifecycle)

    def _of_shape(self, shape: Shape, name: str) -> dict[str, Any]:
        match shape:
            case Scalar(kind=kind):
                return dict(_SCALARS[kind])
            case Choice(members=members):
                kinds = sorted({_TYPES[type(constant)] for constant, _ in members})
                rooms = (name, shape.room)
                listed = [{"const": constant, "title": self._of_choice(rooms, constant)} for constant, _ in members]
                return {"type": kinds[0] if len(kinds) == 1 else kinds, "oneOf": listed}
            case Nested(cls=cls):
                return {"$ref": self._reference(cls)}
            case Items(item=item, unique=unique):
                written = {"type": "array", "items": self._of_shape(item, name)}
                return {**written, "uniqueItems": True} if unique else written
            case Row(items=items):
                several = [self._of_shape(one, name) for one in items]
                return {"type": "array", "prefixItems": several, "items": False, "minItems": len(items)}
            case Pairs(key=key, item=item):
                names, values = self._of_shape(key, name), self._of_shape(item, name)
                return {"type": "object", "propertyNames": names, "additionalProperties": values}
            case Either(several=several):
                return self._of_several([self._of_shape(one, name) for one in several if one != NULL], NULL in several)

    def _of_several(self, written: list[dict[str, Any]], nullable: bool) -> dict[str, Any]:
        """One of several; null goes into the type where there is a plain one, so that forms find it."""
        [first, *others] = written
        if not others and nullable and isinstance(first.get("type"), str) and "oneOf" not in first:
            return {**first, "type": [first["type"], "null"]}
        if not others and not nullable:
            return first
        return {"anyOf": [*written, *([{"type": "null"}] if nullable else [])]}

    def _of_choice(self, rooms: tuple[str, ...], constant: object) -> str:
        """The label of a choice, in the room of its field or of its class."""
        labels = (self._label(room, constant) for room in rooms if room)
        return next((label for label in labels if label != str(constant)), str(constant))

    def _reference(self, cls: type[Any]) -> str:
        if cls is self._root and self._by_itself:
            return "#"
        if cls not in self._names:
            taken = sum(one.__name__ == cls.__name__ for one in self._names)
            self._names[cls] = f"{cls.__name__}{taken + 1}" if taken else cls.__name__
        return self._ref_template.replace("{name}", self._names[cls])


def _constrained(written: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """A schema with one more constraint; of alternatives, each that it can hold for has it."""
    if "anyOf" in written:
        return {**written, "anyOf": [_constrained(one, name, value) for one in written["anyOf"]]}
    kinds = written.get("type", "")
    kind = kinds if isinstance(kinds, str) else next(one for one in kinds if one != "null")
    if kind == "null":
        return written
    if name == VISIBLE:
        if kind != "string":
            return written
        return {**written, "minLength": max(1, written.get("minLength", 0)), "pattern": _not_blank()}
    if name in (LEAST, MOST):
        if kind not in _LENGTHS:
            return written
        keyword = _LENGTHS[kind][name == MOST]
        tighter = min if name == MOST else max
        return {**written, keyword: tighter(value, written.get(keyword, value))}
    if name == AMONG:
        return _among(written, [write_fact(one) for one in value])
    if name == "pattern" and "pattern" in written:
        # its own comes first, since forms look for it
        return {**written, "pattern": value, "allOf": [*written.get("allOf", ()), {"pattern": written["pattern"]}]}
    return {**written, name: write_fact(value)}


def _among(written: dict[str, Any], values: list[Any]) -> dict[str, Any]:
    if "oneOf" in written:
        return {**written, "oneOf": [one for one in written["oneOf"] if one["const"] in values]}
    if all(value is None or isinstance(value, str | int | float) for value in values):
        nullable = [None] if isinstance(written.get("type"), list) and None not in values else []
        return {**written, "enum": [*sorted(values, key=str), *nullable]}
    return written


def _default(field: FieldShape) -> dict[str, Any]:
    """What a field is where it is not given; a factory is left to speak for itself."""
    default = field.attribute.default
    if default is attrs.NOTHING or isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # a class, though typed as a function
        return {}
    try:
        return {"default": write_fact(default)}
    except (InvalidValue, ReportflowError):
        return {}


def paragraph(cls: type[Any]) -> str:
    """The first paragraph of a class's docstring; "" where it has none of its own. attrs writes none."""
    text = inspect.cleandoc(cls.__dict__.get("__doc__") or "")
    first = " ".join(text.partition("\n\n")[0].split())
    return "" if first.startswith("Method generated by attrs") else first


@cache
def _not_blank() -> str:
    """The pattern of a text of which a person sees something, and that has no NUL."""
    unseen = [code for code in range(1, sys.maxunicode + 1) if not 0xD800 <= code < 0xE000 and _is_unseen(chr(code))]
    ranges: list[list[int]] = []
    for code in unseen:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    written = "".join(_escaped(first) + (f"-{_escaped(last)}" if last > first else "") for first, last in ranges)
    return f"^(?=[\\s\\S]*[^\\u0000{written}])[^\\u0000]*$"


def _is_unseen(letter: str) -> bool:
    return unicodedata.category(letter) not in _SEEN and is_blank(letter)


#: The categories of nearly all letters, none of whose members but a few is blank: asked first, for speed.
_SEEN: Final = frozenset({"Cn", "Co", "Lu", "Ll", "Nd", "Sm"})


def _escaped(code: int) -> str:
    """A character of a pattern, as JavaScript and Python both read it; one beyond 16 bits stands for itself."""
    return f"\\u{code:04x}" if code < 0x10000 else chr(code)
