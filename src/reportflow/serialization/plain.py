"""Values to plain data and back: the one place that serialises.

Plain data is what JSON can say: dicts, lists, texts, numbers, booleans, None. A value that stands where its class is
not known from an annotation (a record, an entry's details) carries the name of its class under `TYPE`. The name is
only compared: which class is built is said by the reader's annotation or by its `Classes`, so plain data from a
stranger can make no other value. A field that is annotated `object` or `Any` holds plain data: it is written and read
as it is, a key ``$type`` too. Data of an older or a newer version of a class is read as `serialization.evolution` says;
`serialization.stored` reads what a store kept.
"""

from __future__ import annotations

import json
import math
import operator
import typing
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from functools import partial
from types import NoneType
from typing import Any, Final, TypeVar, cast
from uuid import UUID

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.strategies import configure_union_passthrough

from reportflow.errors import FieldProblem, InvalidValue, Refusal, ReportflowError
from reportflow.model.annotations import VALUE, spelt_out
from reportflow.model.checks import DEPTH_LIMIT, cache_by_class, shown
from reportflow.model.entry import Entry
from reportflow.model.frozen import FrozenDict
from reportflow.model.record import Record
from reportflow.model.values import Extended, changed, extras_of, name_of, time_text
from reportflow.serialization.classes import NO_CLASSES, Classes
from reportflow.serialization.evolution import (
    TYPE,
    VERSION,
    collect,
    fit,
    merge,
    names_of,
    note,
    schema_of,
    write_merged,
)
from reportflow.serialization.jsontext import json_text

T = TypeVar("T")


def to_plain(value: object) -> Any:
    """A value as plain data: of an attrs class, an error, a collection of such. It carries the name of its class.

    It says all that the value says. What a flow gives is what its reader may see: records, the entries of a history,
    pages, options, outcomes. The class of an option's details is written as its name; an error as its code and facts.
    For an answer to a stranger an error is written by `problem`.

    Raises:
        InvalidValue: the value is of no class that can be written.
    """
    try:
        return _write_any(value)
    except RecursionError:  # values inside each other
        raise InvalidValue(type(value).__name__, "too_deep", {"limit": DEPTH_LIMIT}) from None


def part_writer(cls: type[Any], but: Iterable[str]) -> Callable[[Any], dict[str, Any]]:
    """What does as `to_plain` with values of an attrs class, some of their fields left out."""
    omitted = {name: override(omit=True) for name in but}
    write = make_dict_unstructure_fn(cls, _converter, **omitted)  # type: ignore[arg-type]
    merging = make_dict_unstructure_fn(cls, _merging, **omitted)  # type: ignore[arg-type]
    named, extended = {TYPE: name_of(cls), **_versioned(cls)}, issubclass(cls, Extended)

    def part(value: Any) -> dict[str, Any]:
        if extended and extras_of(value) is not None:
            return write_merged(value, lambda one: {**named, **merging(one)})
        return {**named, **write(value)}

    return part


@cache_by_class
def _versioned(cls: type[Any]) -> dict[str, Any]:
    version = schema_of(cls).version
    return {VERSION: version} if version > 1 else {}


def from_plain(plain: object, cls: type[T], classes: Classes = NO_CLASSES) -> T:
    """The value of a class that `to_plain` was given.

    Args:
        plain: The plain data; the name of the class in it may be missing.
        cls: The class of the value; of a `Record` by itself, and of an entry's details, `classes` has the class.
        classes: The record and details classes of some lifecycles.

    Raises:
        InvalidValue: not such plain data, of another class, or its values may not be kept.
    """
    try:
        return read_as(plain, cls, classes, _converter)
    except ReportflowError:
        raise
    except Exception as error:
        given = {"expected": cls.__name__, "given": f"{type(error).__name__}: {error} in {shown(plain, 80)}"}
        raise InvalidValue("plain data", "plain", given) from error


def read_as(plain: Any, cls: type[T], classes: Classes, converter: cattrs.Converter) -> T:
    """A value of plain data by a converter; see `from_plain`. It raises whatever comes."""
    if cls is Entry:
        return cast(T, _read_entry(plain, classes, converter))
    if cls is Record:
        cls = cast("type[T]", _record_class(plain, classes))
    return _read_named(plain, cls, converter)


def _read_named(plain: Any, cls: type[T], converter: cattrs.Converter) -> T:
    """A value of plain data that may name its class, and must then name this one, by today's name or a former one."""
    if isinstance(plain, dict) and TYPE in plain:
        name = plain[TYPE]
        if not isinstance(name, str) or name not in names_of(cls):
            raise InvalidValue(TYPE, "other_class", {"owner": name_of(cls)})
        plain = {key: one for key, one in plain.items() if key != TYPE}
    value = collect(lambda: converter.structure(plain, cls))
    if not isinstance(value, cls):
        raise TypeError(f"it is a {type(value).__name__}")
    return value


def _record_class(plain: Any, classes: Classes) -> type[Record]:
    kind, version = plain["kind"], plain["lifecycle_version"]
    cls = classes.record(kind, version)
    if cls is None:
        raise InvalidValue("kind", "plain", {"expected": "a known kind", "given": f"{kind!r:.60} {version!r:.20}"})
    return cls


def _read_entry(plain: Any, classes: Classes, converter: cattrs.Converter) -> Entry:
    """An entry, whose kind, definition and trigger tell the class of its details."""
    known = {key: one for key, one in plain.items() if key not in (TYPE, "details")}
    entry = collect(lambda: converter.structure(known, Entry))
    details = plain.get("details")
    if details is None:
        return entry
    cls = classes.of_details(entry.kind, entry.lifecycle_version, entry.trigger, creation=entry.source is None)
    if cls is None:
        given = f"{entry.kind} {entry.lifecycle_version} {entry.trigger}"
        raise InvalidValue("details", "plain", {"expected": "a known kind and trigger", "given": given})
    return changed(entry, {"details": _read_named(details, cls, converter)})


def to_json(value: object) -> str:
    """As `to_plain`, as JSON text, Chinese as it is read.

    Raises:
        InvalidValue: the value is of no class that can be written.
    """
    return json_text(to_plain(value))


def from_json(text: str, cls: type[T], classes: Classes = NO_CLASSES) -> T:
    """The value of a class that `to_json` was given; see `from_plain`.

    Raises:
        InvalidValue: not such a text, or its values may not be kept.
    """
    try:
        plain = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidValue("JSON", "plain", {"expected": "JSON", "given": str(error)}) from error
    return from_plain(plain, cls, classes)


# ---------------------------------------------------------------------------------------------------------------


def _write_any(value: object) -> Any:
    """Where no annotation tells the class: scalars as they are, values with their name."""
    cls = type(value)
    if cls in _AS_THEY_ARE:
        return value
    if attrs.has(cls):
        if isinstance(value, Extended) and extras_of(value) is not None:
            return write_merged(value, lambda one: {TYPE: name_of(cls), **_merging_writer(cls)(one)})
        return {TYPE: name_of(cls), **(_write_refusal if cls is Refusal else writer_of(cls))(value)}
    if isinstance(value, list | tuple):
        return [_write_any(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _write_any(one) for key, one in value.items()}
    if isinstance(value, ReportflowError):
        return {TYPE: name_of(cls), "code": value.code, **{name: write_fact(one) for name, one in value.said().items()}}
    return name_of(value) if isinstance(value, type) else _write_open(value)


def _write_open(value: object) -> Any:
    """Plain data, as a field holds it that says no more of what it holds."""
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, Enum):
        return _write_open(value.value)
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_write_open(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _write_open(one) for key, one in value.items()}
    given = {"expected": "plain data, or an attrs class", "given": f"{type(value).__name__} {shown(value)}"}
    raise InvalidValue("value", "type", given)


def write_fact(value: object) -> Any:
    """A fact of an error or a refusal, which may be of any class: a guard gives what it likes."""
    if isinstance(value, Enum):
        return write_fact(value.value)
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): write_fact(one) for key, one in value.items()}
    if isinstance(value, list | tuple) and not isinstance(value, FieldProblem):
        return [write_fact(one) for one in value]
    if isinstance(value, set | frozenset):
        return _in_order([write_fact(one) for one in value])
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if type(value) in _AS_THEY_ARE or isinstance(value, type | ReportflowError) or attrs.has(type(value)):
        return _write_any(value)
    return value._asdict() if isinstance(value, FieldProblem) else str(value)


def _write_refusal(refusal: Any) -> dict[str, Any]:
    return {"code": refusal.code, "params": write_fact(refusal.params), "texts": dict(refusal.texts)}


_AS_THEY_ARE: Final = frozenset({str, int, float, bool, NoneType})


def _read_open(plain: Any, _: object = None) -> Any:
    """Plain data where the annotation asks for no class: nothing in it is interpreted."""
    if isinstance(plain, list):
        return tuple(_read_open(one) for one in plain)
    if isinstance(plain, dict):
        return FrozenDict({key: _read_open(one) for key, one in plain.items()})
    if plain is None or isinstance(plain, bool | int | float | str):
        return plain
    raise InvalidValue("value", "plain", {"expected": "JSON", "given": f"{type(plain).__name__} {shown(plain)}"})


@cache_by_class
def _holding_values(cls: type[Any]) -> frozenset[str]:
    """The fields that hold a value of a class that their annotation does not tell."""
    return frozenset(field.name for field in attrs.fields(cls) if VALUE in field.metadata)


@cache_by_class
def writer_of(cls: type[Any]) -> Callable[[Any], dict[str, Any]]:
    """What writes the values of an attrs class, without its name."""
    return _writer_of(cls, _converter)


@cache_by_class
def _merging_writer(cls: type[Any]) -> Callable[[Any], dict[str, Any]]:
    """What writes a value inside a record that carries extras, with its own."""
    write = _writer_of(cls, _merging)
    return lambda value: merge(value, write(value))


def _writer_of(cls: type[Any], converter: cattrs.Converter) -> Callable[[Any], dict[str, Any]]:
    # a field that is no part of the value, such as the labels of a refusal, is not written
    beside = {field.name: override(omit=True) for field in attrs.fields(cls) if field.eq is False}
    beside.update((name, override(unstruct_hook=_write_any)) for name in _holding_values(cls))
    write = make_dict_unstructure_fn(_bound(cls), converter, **beside)  # type: ignore[arg-type]  # cattrs types one of them alone
    first = _versioned(typing.get_origin(cls) or cls)
    return (lambda value: {**first, **write(value)}) if first else write


@cache_by_class
def _reader(cls: type[Any]) -> Callable[[Mapping[str, Any], Any], Any]:
    read = make_dict_structure_fn(_bound(cls), _converter, _cattrs_forbid_extra_keys=True)
    owner = typing.get_origin(cls) or cls
    version = schema_of(owner).version

    def fitted(plain: Mapping[str, Any], hint: Any) -> Any:
        if version == 1 and VERSION not in plain:
            return read(plain, hint)
        found = fit(owner, plain)
        unknown = found.unknown if found.version == version else {}  # refused, as in plain data of a first version
        value = read({**found.fields, **unknown}, hint)
        note(value, owner, found)
        return value

    return fitted


def _bound(cls: Any) -> Any:
    """A generic class with its parameters set to what they are bound to; any other class as it is."""
    parameters = getattr(cls, "__parameters__", ())
    return cls[tuple(one.__bound__ or Any for one in parameters)] if parameters else cls


def _exactly(plain: object, kind: type[Any]) -> Any:
    """A scalar as it is, never one made of another; a member of an enum of scalars by its value."""
    if kind not in (str, int, bool):
        return kind(plain)
    if type(plain) is not kind:
        raise InvalidValue("value", "type", {"expected": kind.__name__, "given": repr(plain)[:60]})
    return plain


def _number(plain: object, _: object) -> float:
    if type(plain) not in (int, float):
        raise InvalidValue("value", "type", {"expected": "number", "given": repr(plain)[:60]})
    return plain  # type: ignore[return-value]  # narrowed by the line above, which mypy does not follow


def _is_frozen_twin(kind: Any) -> bool:
    """Whether a field so annotated holds a collection of another class: a `FrozenDict`, a tuple, a frozenset."""
    origin = typing.get_origin(spelt_out(kind))
    return origin in (list, set) or (isinstance(origin, type) and issubclass(origin, Mapping))


def _read_twin(converter: cattrs.Converter, kind: Any) -> Callable[[Any, Any], Any]:
    kind = spelt_out(kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (list, set):
        twin: Any = tuple[arguments[0], ...] if origin is list else frozenset[arguments[0]]  # type: ignore[valid-type]  # a value
        return lambda plain, _: converter.structure(plain, twin)
    read_key, read_one = (partial(converter.structure, cl=one) for one in arguments)

    def read_mapping(plain: Any, _: object) -> FrozenDict[Any, Any]:
        if not isinstance(plain, dict):
            raise InvalidValue("value", "plain", {"expected": "a mapping", "given": shown(plain)})
        return FrozenDict({read_key(key): read_one(one) for key, one in plain.items()})

    return read_mapping


def _in_order(plain: Iterable[Any]) -> list[Any]:
    """A set has no order; its plain data has one, so that equal values are equal texts."""
    return sorted(plain, key=lambda one: (one is not None, str(one)))


def make_converter(reader: Callable[[Any], Any], writer: Callable[[Any], Any]) -> cattrs.Converter:
    """A converter of all plain data, by what makes the reader of an attrs class, and its writer."""
    made = cattrs.Converter(
        detailed_validation=False,
        unstruct_collection_overrides={frozenset: _in_order, set: _in_order, tuple: list},
    )
    configure_union_passthrough(str | int | float | bool | None, made)
    made.register_unstructure_hook(datetime, time_text)
    made.register_structure_hook(datetime, lambda plain, _: datetime.fromisoformat(plain))
    made.register_unstructure_hook(date, lambda value: value.isoformat())
    made.register_structure_hook(date, lambda plain, _: date.fromisoformat(plain))
    for kind in (Decimal, UUID):
        made.register_unstructure_hook(kind, str)
        made.register_structure_hook(kind, lambda plain, cls: cls(plain))
    for exact in (str, int, bool):
        made.register_structure_hook(exact, _exactly)
    made.register_structure_hook(float, _number)
    made.register_unstructure_hook(StrEnum, operator.attrgetter("value"))
    made.register_unstructure_hook_factory(attrs.has, writer)
    made.register_structure_hook_factory(attrs.has, reader)
    made.register_structure_hook_factory(_is_frozen_twin, partial(_read_twin, made))
    made.register_unstructure_hook_factory(
        lambda kind: spelt_out(kind) is not kind, lambda kind: made.get_unstructure_hook(spelt_out(kind))
    )
    made.register_unstructure_hook_func(partial(operator.is_, Refusal), _write_refusal)
    # a record of no class in particular is written with its name; all else here is plain data
    for anything, write in ((object, _write_open), (Any, _write_open), (Record, _write_any)):
        made.register_unstructure_hook_func(partial(operator.is_, anything), write)
        made.register_structure_hook_func(partial(operator.is_, anything), _read_open)
    return made


_converter: Final = make_converter(_reader, writer_of)
#: As that, for what stands in a record that carries extras.
_merging: Final = make_converter(_reader, _merging_writer)
