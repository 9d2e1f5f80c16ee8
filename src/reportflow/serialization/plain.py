"""Values to plain data and back: the one place that serialises.

Plain data is what JSON can say: dicts, lists, texts, numbers, booleans, None. A value that stands where its class is
not known from an annotation (a record, an entry's details) carries the name of its class under `TYPE`. The name is
only compared: which class is built is said by the reader's annotation or by its `Classes`, so plain data from a
stranger can make no other value. A field that is annotated `object` or `Any` holds plain data:
it is written and read as it is, a key ``$type`` too.
"""

from __future__ import annotations

import json
import linecache
import operator
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from functools import partial
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Final, TypeVar, cast
from uuid import UUID

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.strategies import configure_union_passthrough

from reportflow.errors import InvalidValue, ReportflowError
from reportflow.model.annotations import VALUE, spelt_out
from reportflow.model.checks import DEPTH_LIMIT, cache_by_class, shown
from reportflow.model.entry import Entry
from reportflow.model.frozen import FrozenDict
from reportflow.model.record import Record
from reportflow.model.values import Value, changed, field_names, name_of, plainly_built, setters, time_text
from reportflow.serialization.classes import NO_CLASSES, Classes

#: Where plain data says which class it is.
TYPE: Final = "$type"

T = TypeVar("T")


def to_plain(value: object) -> Any:
    """A value as plain data. Values of attrs classes carry the name of their class.

    Raises:
        InvalidValue: the value is of no class that can be written.
    """
    try:
        return _write_any(value)
    except RecursionError:  # values inside each other
        raise InvalidValue(type(value).__name__, "too_deep", {"limit": DEPTH_LIMIT}) from None


def part_writer(cls: type[Any], but: Iterable[str]) -> Callable[[Any], dict[str, Any]]:
    """What does as `to_plain` with values of an attrs class, some of their fields left out."""
    write = make_dict_unstructure_fn(cls, _converter, **{name: override(omit=True) for name in but})  # type: ignore[arg-type]
    return lambda value: {TYPE: name_of(cls), **write(value)}


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
        if cls is Entry:
            return cast(T, _read_entry(plain, classes))
        if cls is Record:
            cls = cast("type[T]", _record_class(plain, classes))
        return _read_named(plain, cls)
    except ReportflowError:
        raise
    except Exception as error:
        given = {"expected": cls.__name__, "given": f"{type(error).__name__}: {error} in {shown(plain, 80)}"}
        raise InvalidValue("plain data", "plain", given) from error


def _read_named(plain: Any, cls: type[T]) -> T:
    """A value of plain data that may name its class, and must then name this one."""
    if isinstance(plain, dict) and TYPE in plain:
        name, expected = plain[TYPE], name_of(cls)
        if name != expected:
            raise InvalidValue(TYPE, "plain", {"expected": expected, "given": shown(name)})
        plain = {key: one for key, one in plain.items() if key != TYPE}
    value = _converter.structure(plain, cls)
    if not isinstance(value, cls):
        raise TypeError(f"it is a {type(value).__name__}")
    return value


def _record_class(plain: Any, classes: Classes) -> type[Record]:
    kind, version = plain["kind"], plain["lifecycle_version"]
    cls = classes.record(kind, version)
    if cls is None:
        raise InvalidValue("kind", "plain", {"expected": "a known kind", "given": f"{kind!r:.60} {version!r:.20}"})
    return cls


def _read_entry(plain: Any, classes: Classes) -> Entry:
    """An entry, whose kind, definition and trigger tell the class of its details."""
    known = {key: one for key, one in plain.items() if key not in (TYPE, "details")}
    entry = _converter.structure(known, Entry)
    details = plain.get("details")
    if details is None:
        return entry
    cls = classes.of_details(entry.kind, entry.lifecycle_version, entry.trigger, creation=entry.source is None)
    if cls is None:
        given = f"{entry.kind} {entry.lifecycle_version} {entry.trigger}"
        raise InvalidValue("details", "plain", {"expected": "a known kind and trigger", "given": given})
    return changed(entry, {"details": _read_named(details, cls)})


def load_trusted(plain: Any, cls: type[T]) -> T:
    """As `from_plain`, for what a store kept: what it is made of was checked when it entered, and is not checked again.

    Raises:
        InvalidValue: not such plain data.
    """
    made = None
    if plain.get(TYPE) == name_of(cls):
        try:
            made = _assemble(cls, plain, 1)
        except Exception:
            made = None
    # where the class has other fields today, the long way fills them in, or says what is wrong
    return from_plain(plain, cls) if made is None else cast(T, made)


def assembly(
    cls: type[Any], columns: Sequence[str] = (), instead: Mapping[str, Callable[[Any], Any]] = MappingProxyType({})
) -> Callable[..., Any] | None:
    """What puts a value of a class together from plain data that was checked when it was kept; unchecked.

    What its converters make of a field, they made of it before it was kept. It is written out as one function, as
    attrs writes ``__init__``: a loop over the fields takes half as long again, and a page has forty records.

    Args:
        cls: An attrs class.
        columns: The fields whose plain data will come as a row, in its order.
        instead: For some fields, what reads them in the place of what their annotation asks for.

    Returns:
        ``made(plain, row=())``: the value of a dict with the other fields, and of the row. It raises whatever comes
        where they are not such. None where only building it the usual way makes it whole.
    """
    if not plainly_built(cls):
        return None
    hints = typing.get_type_hints(cls)
    known: dict[str, Any] = {"new": object.__new__, "cls": cls}
    lines = ["def made(plain, row=()):", " value = new(cls)"]
    for number, (name, put) in enumerate(setters(cls).items()):
        content = f"row[{columns.index(name)}]" if name in columns else f"plain[{name!r}]"
        known[f"put{number}"] = put
        hook = instead.get(name) or _kept_hook(hints[name])
        if hook is not None:
            known[f"read{number}"] = hook
            content = f"read{number}({content})"
        lines.append(f" put{number}(value, {content})")
    source = "\n".join([*lines, " return value", ""])
    place = f"<decoder of {cls.__module__}.{cls.__qualname__}, generated by reportflow.serialization.plain>"
    linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)  # shown by tracebacks
    exec(compile(source, place, "exec"), known)
    made: Callable[..., Any] = known["made"]
    return made


def to_json(value: object) -> str:
    """As `to_plain`, as JSON text, Chinese as it is read.

    Raises:
        InvalidValue: the value is of no class that can be written.
    """
    return json_text(to_plain(value))


#: Plain data as JSON text; kept, since `json.dumps` makes an encoder for each call that wants more than the usual.
json_text: Final[Callable[[object], str]] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


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
        return {TYPE: name_of(cls), **_writer(cls)(value)}
    if isinstance(value, list | tuple):
        return [_write_any(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _write_any(one) for key, one in value.items()}
    return _write_open(value)


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
def _writer(cls: type[Any]) -> Callable[[Any], dict[str, Any]]:
    # a field that is no part of the value, such as the labels of a refusal, is not written
    beside = {field.name: override(omit=True) for field in attrs.fields(cls) if field.eq is False}
    beside.update((name, override(unstruct_hook=_write_any)) for name in _holding_values(cls))
    return make_dict_unstructure_fn(_bound(cls), _converter, **beside)  # type: ignore[arg-type]  # cattrs types one of them alone


@cache_by_class
def _reader(cls: type[Any]) -> Callable[[Mapping[str, Any], Any], Any]:
    return make_dict_structure_fn(_bound(cls), _converter, _cattrs_forbid_extra_keys=True)


def _bound(cls: Any) -> Any:
    """A generic class with its parameters set to what they are bound to; any other class as it is."""
    parameters = getattr(cls, "__parameters__", ())
    return cls[tuple(one.__bound__ or Any for one in parameters)] if parameters else cls


def _assemble(cls: type[Any], plain: Mapping[str, Any], more: int = 0) -> Any:
    """A value of plain data that has all of its fields, and so many keys more; None where it has others."""
    made = _whole(cls)
    return None if made is None or len(plain) != len(field_names(cls)) + more else made(plain)


_whole: Final = cache_by_class(assembly)


def _kept_hook(hint: Any) -> Callable[[Any], Any] | None:
    """How a field is read whose plain data was kept; None where that is what it holds."""
    if hint in (str, int, bool):
        return None
    if hint in _KEPT:
        return _KEPT[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {member.value: member for member in hint}.__getitem__
    usual = partial(_converter.structure, cl=hint)
    if isinstance(hint, type) and issubclass(hint, Value):
        return lambda plain: _assemble(hint, plain) or usual(plain)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and arguments[1:] == (...,):
        each = _kept_hook(arguments[0])
        return tuple if each is None else lambda plain: tuple(map(each, plain))
    if origin in (typing.Union, UnionType) and len(arguments) == 2 and arguments[1] is NoneType:
        one = _kept_hook(arguments[0])
        return None if one is None else lambda plain: None if plain is None else one(plain)
    return usual


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


def _read_twin(kind: Any) -> Callable[[Any, Any], Any]:
    kind = spelt_out(kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (list, set):
        twin: Any = tuple[arguments[0], ...] if origin is list else frozenset[arguments[0]]  # type: ignore[valid-type]  # a value
        return lambda plain, _: _converter.structure(plain, twin)
    read_key, read_one = (partial(_converter.structure, cl=one) for one in arguments)

    def read_mapping(plain: Any, _: object) -> FrozenDict[Any, Any]:
        if not isinstance(plain, dict):
            raise InvalidValue("value", "plain", {"expected": "a mapping", "given": shown(plain)})
        return FrozenDict({read_key(key): read_one(one) for key, one in plain.items()})

    return read_mapping


def _in_order(plain: Iterable[Any]) -> list[Any]:
    """A set has no order; its plain data has one, so that equal values are equal texts."""
    return sorted(plain, key=lambda one: (one is not None, str(one)))


def _make_converter() -> cattrs.Converter:
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
    made.register_unstructure_hook_factory(attrs.has, _writer)
    made.register_structure_hook_factory(attrs.has, _reader)
    made.register_structure_hook_factory(_is_frozen_twin, _read_twin)
    made.register_unstructure_hook_factory(
        lambda kind: spelt_out(kind) is not kind, lambda kind: made.get_unstructure_hook(spelt_out(kind))
    )
    # a record of no class in particular is written with its name; all else here is plain data
    for anything, write in ((object, _write_open), (Any, _write_open), (Record, _write_any)):
        made.register_unstructure_hook_func(partial(operator.is_, anything), write)
        made.register_structure_hook_func(partial(operator.is_, anything), _read_open)
    return made


_converter: Final = _make_converter()

#: How times and days are read that were kept.
_KEPT: Final[Mapping[Any, Callable[[Any], Any]]] = {datetime: datetime.fromisoformat, date: date.fromisoformat}
