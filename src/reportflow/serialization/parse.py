"""Plain data from outside to a value, or every fault of it by path: what a form or an API takes.

`from_plain` reads what this library wrote, and stops at the first fault. `parse` reads what people and programs send:
it looks at each field, at each level, and raises one `InvalidValue` that names all that are wrong. It takes what
`schema` describes. Pure, safe with data from a stranger: which classes are built says the caller alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Protocol, TypeVar, cast
from uuid import UUID

import attrs

from reportflow.errors import Fault, FieldProblem, InvalidDefinition, InvalidValue, pointer_of
from reportflow.i18n.catalog import NO_LABELS, Labels
from reportflow.model.checks import (
    DEPTH_LIMIT,
    Problem,
    Refused,
    keep_float,
    keep_int,
    keep_plain_data,
    keep_text,
    keep_time,
    shown,
    type_problem,
)
from reportflow.model.frozen import FrozenDict
from reportflow.model.values import name_of
from reportflow.serialization.constraints import violations
from reportflow.serialization.evolution import TYPE, VERSION, names_of, schema_of
from reportflow.serialization.shapes import (
    ANY_VALUE,
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

T = TypeVar("T")

#: A time as RFC 3339 writes it, a decimal number and a UUID: what `schema` says of them.
TIME: Final = r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$"
DATE: Final = r"^\d{4}-\d{2}-\d{2}$"
DECIMAL: Final = r"^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$"
UUID_TEXT: Final = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
#: Behind how many problems the rest of an array or object is not looked at.
MANY: Final = 100


class Labelled(Protocol):
    """What is read of a lifecycle, for the labels of its fields and choices."""

    @property
    def name(self) -> Any:
        """The kind of its records, a text."""
        ...

    @property
    def labels(self) -> Labels:
        """What people call the names of its table."""
        ...


def parse(
    cls: type[T],
    data: object,
    *,
    accepts: Collection[str] | None = None,
    at: str = "",
    lifecycle: Labelled | None = None,
) -> T:
    """A value of a class, from data as JSON gives it.

    Args:
        cls: An attrs class: details, a record, `Query`, `Actor`, one of the caller's own.
        data: What `json.loads` gives: a dict with the names of the fields. ``$type`` and ``$version``, which
            `to_plain` writes, may stand in it; they are only compared.
        accepts: The fields that may be given; all of the class unless said otherwise. Of a creation, `Option.accepts`.
        at: Where the data stands in the whole that was received, as a JSON pointer; it begins each path.
        lifecycle: Whose labels the fields have in the texts of what is wrong; the catalog's own unless given.

    Raises:
        InvalidValue: with every field that is wrong in `problems`: a pointer, a code and its facts. Behind a hundred,
            the rest of an array or object is not looked at: an error is no larger than its reader can use.
        InvalidDefinition: a field of the class is of no type that JSON can say, with the path to it.
    """
    check_class(cls)
    reader = _Reader()
    value = reader.value_of(cls, data, at, 0, accepts)
    if reader.problems:
        raise InvalidValue.of(reader.problems, NO_LABELS if lifecycle is None else lifecycle.labels)
    return cast(T, value)


class _Reader:
    """What is read, and the problems that were found on the way."""

    def __init__(self) -> None:
        self.problems: list[FieldProblem] = []

    def has_many(self, before: int) -> bool:
        """Whether so many problems have been found that more would help nobody."""
        return len(self.problems) - before >= MANY

    def refuse(self, at: str, problem: Problem) -> Any:
        """Note a problem; the answer stands for no value."""
        self.problems.append(FieldProblem(at, *problem))
        return attrs.NOTHING

    def value_of(self, cls: type[Any], data: Any, at: str, depth: int, accepts: Collection[str] | None = None) -> Any:
        """An instance of a class."""
        if depth > DEPTH_LIMIT:
            return self.refuse(at, ("too_deep", {"limit": DEPTH_LIMIT}))
        if not isinstance(data, Mapping):
            return self.refuse(at, type_problem("object", data))
        before = len(self.problems)
        fields = {one.name: one for one in fields_of(cls, accepts)}
        _check_readable(cls, fields)
        self._check_names(cls, data, at, list(fields))
        known: dict[str, Any] = {}
        for name, field in fields.items():
            place = at + pointer_of(name)
            if name in data:
                given = self.read(field.shape, data[name], place, depth, name)
                if given is not attrs.NOTHING and self._is_valid(field, given, place, known):
                    known[name] = given
            elif field.required:
                self.refuse(place, ("missing_field", {"owner": cls.__name__}))
        return attrs.NOTHING if len(self.problems) > before else self._built(cls, fields, known, at)

    def _check_names(self, cls: type[Any], data: Mapping[Any, Any], at: str, choices: list[str]) -> None:
        """Refuse what is no field, and another class or version."""
        before = len(self.problems)
        for name, one in data.items():
            if self.has_many(before):
                break
            if name == TYPE:
                if not isinstance(one, str) or one not in names_of(cls):
                    self.refuse(at + pointer_of(TYPE), ("other_class", {"owner": name_of(cls)}))
            elif name == VERSION:
                if type(one) is not int or one != schema_of(cls).version:
                    facts = {"given": shown(one, 20), "owner": name_of(cls)}
                    self.refuse(at + pointer_of(VERSION), ("schema_version", facts))
            elif name not in choices:
                self.refuse(at + pointer_of(str(name)), ("unknown_field", {"owner": cls.__name__, "choices": choices}))

    def _is_valid(self, field: FieldShape, given: Any, place: str, known: Mapping[str, Any]) -> bool:
        """Whether the converter and the validators of a field take a value."""
        convert: Any = field.attribute.converter
        try:
            kept = given if convert is None or isinstance(convert, attrs.Converter) else convert(given)
        except InvalidValue as error:
            self.refuse(place, (error.problem, error.details))
            return False
        except Exception as error:
            self.refuse(place, ("refused", {"given": str(error)[:200] or type(error).__name__}))
            return False
        found = violations(field.attribute, kept, {**known, field.name: kept})
        for problem in found:
            self.refuse(place, problem)
        return not found

    def _built(self, cls: type[Any], fields: Mapping[str, FieldShape], known: Mapping[str, Any], at: str) -> Any:
        """The instance, which may still refuse what its fields come to together."""
        try:
            return cls(**{str(fields[name].attribute.alias): one for name, one in known.items()})
        except InvalidValue as error:
            for pointer, code, params in error.problems:
                own = error.field in fields or len(error.problems) > 1
                self.refuse(at + pointer if own else at, (code, params))
        except Exception as error:
            self.refuse(at, ("refused", {"given": f"{type(error).__name__}: {error}"[:200]}))
        return attrs.NOTHING

    def read(self, shape: Shape, data: Any, at: str, depth: int, name: str) -> Any:
        """What one shape makes of data; NOTHING where that was refused."""
        match shape:
            case Scalar(kind=kind):
                try:
                    return _SCALARS[kind](data)
                except Refused as refused:
                    return self.refuse(at, refused.problem)
            case Choice(members=members):
                for constant, member in members:
                    if constant == data and isinstance(constant, bool) == isinstance(
                        data, bool
                    ):  # 5.0 is 5, 1 not true
                        return member
                choices = tuple(constant for constant, _ in members)
                return self.refuse(
                    at, ("choice", {"given": shown(data), "choices": choices, "room": shape.room or name})
                )
            case Nested(cls=cls):
                return self.value_of(cls, data, at, depth + 1)
            case Either():
                return self._one_of(shape, data, at, depth, name)
            case Pairs():
                return self._pairs(shape, data, at, depth, name)
            case Row(items=shapes):
                return self._row(shapes, data, at, depth, name)
            case Items():
                return self._items(shape, data, at, depth, name)

    def _one_of(self, shape: Either, data: Any, at: str, depth: int, name: str) -> Any:
        """The first that takes it; where none does, what the one that is not null has against it."""
        if data is None and NULL in shape.several:
            return None
        rest = [one for one in shape.several if one != NULL]
        before = len(self.problems)
        for one in rest:
            value = self.read(one, data, at, depth, name)
            if value is not attrs.NOTHING:
                del self.problems[before:]
                return value
        if len(rest) > 1:
            own = [one for one in self.problems[before:] if one.code != "type"][:1]
            kinds = " or ".join(one.kind for one in shape.several if isinstance(one, Scalar))
            self.problems[before:] = own or [FieldProblem(at, *type_problem(kinds, data))]
        return attrs.NOTHING

    def _row(self, shapes: tuple[Shape, ...], data: Any, at: str, depth: int, name: str) -> Any:
        if not isinstance(data, list | tuple) or len(data) != len(shapes):
            return self.refuse(at, type_problem(f"array of {len(shapes)}", data))
        places = zip(shapes, data, range(len(data)), strict=True)
        values = [self.read(one, given, at + pointer_of(place), depth, name) for one, given, place in places]
        return attrs.NOTHING if attrs.NOTHING in values else tuple(values)

    def _items(self, shape: Items, data: Any, at: str, depth: int, name: str) -> Any:
        if not isinstance(data, list | tuple):
            return self.refuse(at, type_problem("array", data))
        before = len(self.problems)
        values: dict[Any, None] | list[Any] = {} if shape.unique else []
        for number, given in enumerate(data):
            if self.has_many(before):
                break
            place = at + pointer_of(number)
            value = self.read(shape.item, given, place, depth, name)
            if isinstance(values, list):
                values.append(value)
            elif value is not attrs.NOTHING and value in values:
                self.refuse(place, ("twice", {"given": shown(given)}))
            else:
                values[value] = None
        if len(self.problems) > before:
            return attrs.NOTHING
        return frozenset(values) if shape.unique else tuple(values)

    def _pairs(self, shape: Pairs, data: Any, at: str, depth: int, name: str) -> Any:
        if not isinstance(data, Mapping):
            return self.refuse(at, type_problem("object", data))
        before = len(self.problems)
        read = {}
        for key, one in data.items():
            if self.has_many(before):
                break
            place = at + pointer_of(str(key))
            known = self.read(shape.key, key, place, depth, name)
            value = self.read(shape.item, one, place, depth, name)
            if known is not attrs.NOTHING:
                read[known] = value
        return FrozenDict(read) if len(self.problems) == before else attrs.NOTHING


def _check_readable(cls: type[Any], fields: Mapping[str, FieldShape]) -> None:
    """See that JSON tells of which class each value is."""
    faults = [
        Fault("field_json", {"owner": cls.__name__, "name": name, "given": field.attribute.type, "why": _NOT_TOLD})
        for name, field in fields.items()
        if field.shape == ANY_VALUE or (isinstance(field.shape, Either) and ANY_VALUE in field.shape.several)
    ]
    if faults:
        raise InvalidDefinition(cls.__name__, faults)


_NOT_TOLD: Final = "its value may be of any class; leave it out by accepts="


def _integer(data: Any) -> int:
    """A whole number; JSON has one kind of numbers, so 2.0 is one."""
    if type(data) is float and data.is_integer():
        data = int(data)
    return keep_int(data) if type(data) is int else _refused("integer", data)


def _exactly(kind: type[Any], expected: str) -> Callable[[Any], Any]:
    return lambda data: data if type(data) is kind else _refused(expected, data)


def _refused(expected: str, data: Any) -> Any:
    raise Refused(type_problem(expected, data))


def _string(data: Any) -> str:
    return keep_text(data) if isinstance(data, str) else _refused("string", data)


def _number(data: Any) -> float:
    return keep_float(data) if type(data) in (int, float) else _refused("number", data)


def _written(pattern: str, make: Callable[[str], Any], code: str) -> Callable[[Any], Any]:
    """What reads a value that is written as a text of a pattern."""
    form = re.compile(pattern)

    def read(data: Any) -> Any:
        if not isinstance(data, str):
            return _refused("string", data)
        try:
            if form.search(data) is None:
                raise ValueError
            return make(data)
        except (ValueError, InvalidOperation):
            raise Refused((code, {"given": shown(data)})) from None

    return read


def _time(text: str) -> datetime:
    return keep_time(datetime.fromisoformat(text.upper()))


_SCALARS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _exactly(bool, "boolean"),
    "null": _exactly(type(None), "null"),
    "date-time": _written(TIME, _time, "not_a_time"),
    "date": _written(DATE, date.fromisoformat, "not_a_date"),
    "decimal": _written(DECIMAL, Decimal, "not_a_number"),
    "uuid": _written(UUID_TEXT, UUID, "not_an_id"),
    "plain": keep_plain_data,
}
