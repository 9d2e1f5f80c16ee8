"""Plain data that a store kept, to values: fast where it has the shape of today, and with care where it has not.

What was stored was checked when it entered. So the fast path puts a value together without its constructor: one
function, generated for each class, that compares the types of the scalars and calls no validator. Whatever is not of
today's shape goes the slow path, which upgrades it and checks it by the annotations. Validators judge on entering only:
a text that was erased must be readable.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from functools import partial
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Final, NamedTuple, TypeVar, cast

import attrs

from reportflow.errors import InvalidValue
from reportflow.model.annotations import check
from reportflow.model.checks import cache_by_class
from reportflow.model.values import Value, field_names, name_of, plainly_built, setters, written_out
from reportflow.serialization.classes import NO_CLASSES, Classes
from reportflow.serialization.evolution import TYPE, VERSION, NotOfToday, fit, note, schema_of
from reportflow.serialization.plain import make_converter, read_as, writer_of

T = TypeVar("T")

#: What reads some fields in the place of what their annotations ask for; None: they are taken as they are.
Readers = Mapping[str, Callable[[Any], Any] | None]


def load_stored(plain: Any, cls: type[T], classes: Classes = NO_CLASSES) -> T:
    """As `from_plain`, for what a store kept: upgraded, checked by the annotations, and judged by no validator.

    A record keeps what is stored beside the fields of its class.

    Raises:
        InvalidValue: no value of the class can be made of it. `field` is the place, `details` may name the class as
            ``owner`` and the schema ``version``; the content is in neither.
    """
    wrong = InvalidValue(cls.__name__, "plain", {"owner": name_of(cls)})
    try:
        return read_as(plain, cls, classes, _converter)
    except InvalidValue as error:
        wrong = error
    except Exception:  # its text may quote the content
        pass
    raise wrong from None


def load_trusted(plain: Any, cls: type[T]) -> T:
    """As `load_stored`, fast where the data has today's shape.

    Raises:
        InvalidValue: see `load_stored`.
    """
    size, name, version, made = assembled(cls)
    try:
        fits = len(plain) == size and plain[TYPE] == name and (version is None or plain.get(VERSION) == version)
        if made is not None and fits:
            return cast(T, made(plain))
    except Exception:
        made = None  # the slow path says what is wrong
    return load_stored(plain, cls)


class Assembly(NamedTuple):
    """How a value of a class is put together from plain data of today's shape.

    Attributes:
        size: How many keys that has, the name of the class included.
        name: The name of the class.
        version: What it has under `VERSION`; None for nothing.
        made: ``made(plain, row=())``, see `assembly`; None where only the slow path makes such a value.
    """

    size: int
    name: str
    version: int | None
    made: Callable[..., Any] | None


@cache_by_class
def assembled(cls: type[Any]) -> Assembly:
    """The assembly of a class without columns."""
    return assembly_of(cls)


def assembly_of(cls: type[Any], columns: Sequence[str] = (), instead: Readers = MappingProxyType({})) -> Assembly:
    """The assembly of a class, some of whose fields come as a row; see `assembly`."""
    version = schema_of(cls).version
    size = len(field_names(cls)) - len(columns) + 1 + (version > 1)
    return Assembly(size, name_of(cls), version if version > 1 else None, assembly(cls, columns, instead))


def assembly(
    cls: type[Any], columns: Sequence[str] = (), instead: Readers = MappingProxyType({})
) -> Callable[..., Any] | None:
    """What puts a value of a class together from plain data that was checked when it was stored.

    What its converters make of a field, they made of it before it was stored. It is written out as one function, as
    attrs writes ``__init__``: a loop over the fields takes half as long again, and a page has forty records.

    Args:
        cls: An attrs class.
        columns: The fields whose plain data will come as a row, in its order.
        instead: For some fields, what reads them.

    Returns:
        ``made(plain, row=())``: the value of a dict with the other fields, and of the row. It raises whatever comes
        where they are not such. None where only building it the usual way makes it whole.
    """
    if not plainly_built(cls):
        return None
    hints = typing.get_type_hints(cls)
    known: dict[str, Any] = {"new": object.__new__, "cls": cls, "utc": UTC, "none": NoneType}
    lines = ["def made(plain, row=()):", " value = new(cls)"]
    if columns:
        lines.append(f" {', '.join(f'column{n}' for n in range(len(columns)))}, *_ = row")
    for number, (name, put) in enumerate(setters(cls).items()):
        content = f"column{columns.index(name)}" if name in columns else f"plain[{name!r}]"
        known[f"put{number}"] = put
        if name in instead:
            hook = known[f"read{number}"] = instead[name]
            lines.append(f" put{number}(value, {content if hook is None else f'read{number}({content})'})")
            continue
        hint, optional = _required(hints[name])
        x = content if name in columns else "x"
        if x != content:
            lines.append(f" x = {content}")
        if hint in _SCALARS:
            wanted = f"type({x}) is not {hint.__name__}"
            lines.append(f" if {wanted}{f' and {x} is not None' if optional else ''}: raise TypeError")
        elif (part := _part_of_tuple(hint)) is not None:
            known[f"read{number}"] = {part} if part in _SCALARS else _hook(part)
            absent = f"{x} is not None and " if optional else ""
            lines.append(f" if {absent}type({x}) is not list: raise TypeError")
            if part in _SCALARS:
                lines.append(f" if {x} and set(map(type, {x})) != read{number}: raise TypeError")
            each = x if part in _SCALARS else f"map(read{number}, {x})"
            empty = f"None if {x} is None else ()" if optional else "()"
            lines.append(f" {x} = tuple({each}) if {x} else {empty}")
        else:
            hook = known[f"read{number}"] = _hook(hint)
            indent = " "
            if optional:
                lines.append(f" if {x} is not None:")
                indent = "  "
            lines.append(f"{indent}{x} = read{number}({x})")
            if hint is datetime:  # as it is written: in UTC, which makes it aware
                lines.append(f"{indent}if {x}.tzinfo is not utc: raise ValueError")
        lines.append(f" put{number}(value, {x})")
    place = f"<decoder of {cls.__module__}.{cls.__qualname__}, generated by reportflow.serialization.stored>"
    return written_out([*lines, " return value"], known, place)


def aware_time(text: str) -> datetime:
    """A time as it is stored: in UTC.

    Raises:
        ValueError, TypeError: it is not.
    """
    time = datetime.fromisoformat(text)
    if time.tzinfo is not UTC:
        raise ValueError
    return time


# ---------------------------------------------------------------------------------------------------------------


def _required(hint: Any) -> tuple[Any, bool]:
    """An annotation without its None, and whether it had one."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) in (typing.Union, UnionType) and len(arguments) == 2 and NoneType in arguments:
        return next(one for one in arguments if one is not NoneType), True
    return hint, False


def _hook(hint: Any) -> Callable[[Any], Any]:
    """How a field is read, or a part of one, that is not None and no plain scalar by its annotation."""
    if hint in _DIRECT:
        return _DIRECT[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {member.value: member for member in hint}.__getitem__
    usual = partial(_converter.structure, cl=hint)
    if isinstance(hint, type) and issubclass(hint, Value):
        return partial(_nested, hint, usual)
    return usual


def _nested(cls: type[Any], usual: Callable[[Any], Any], plain: Any) -> Any:
    size, _, version, made = assembled(cls)
    if made is not None and len(plain) == size - 1 and (version is None or plain.get(VERSION) == version):
        return made(plain)
    return usual(plain)


def _part_of_tuple(hint: Any) -> Any:
    """The annotation of each value in a tuple of any length; None for another annotation."""
    arguments = typing.get_args(hint)
    return arguments[0] if typing.get_origin(hint) is tuple and arguments[1:] == (...,) else None


_SCALARS: Final = (str, int, bool)
#: The collections that are written as a list.
_LISTED: Final = (tuple, list, set, frozenset)
#: How times and days are read.
_DIRECT: Final[Mapping[Any, Callable[[Any], Any]]] = {datetime: datetime.fromisoformat, date: date.fromisoformat}


@cache_by_class
def _reader(cls: type[Any]) -> Callable[[Any, Any], Any]:
    """What makes a value of plain data of any version of its class."""
    cls = typing.get_origin(cls) or cls
    hints = {name: _bound(hint) for name, hint in typing.get_type_hints(cls).items()}
    listed = {name for name, hint in hints.items() if typing.get_origin(_required(hint)[0]) in _LISTED}
    owner = name_of(cls)

    def read(plain: Any, _: object = None) -> Any:
        if not isinstance(plain, dict):
            raise InvalidValue(cls.__name__, "plain", {"owner": owner})
        fitted = fit(cls, plain)
        contents, name = {}, ""
        facts = {"owner": owner, "version": fitted.version}
        try:
            for name, one in fitted.fields.items():
                if name in listed and not isinstance(one, list | NoneType):
                    raise TypeError  # a text, or the keys of a mapping, would be taken for a list
                contents[name] = _converter.structure(one, hints.get(name, Any))
            name = ""
            value = _rebuilt(cls, contents)
        except NotOfToday:
            raise
        except InvalidValue as error:
            place = ".".join(filter(None, (name, error.field)))
            wrong = InvalidValue(place, error.problem, {**facts, **_place_of(error)})
        except Exception:
            wrong = InvalidValue(name or cls.__name__, "plain", facts)
        else:
            note(value, cls, fitted)
            return value
        raise wrong

    return read


def _place_of(error: InvalidValue) -> dict[str, object]:
    return {name: error.details[name] for name in ("owner", "version") if name in error.details}


def _bound(hint: Any) -> Any:
    """An annotation, its type variables set to what they are bound to."""
    if isinstance(hint, TypeVar):
        return hint.__bound__ or Any
    parameters = getattr(hint, "__parameters__", ())
    return hint[tuple(one.__bound__ or Any for one in parameters)] if parameters else hint


def _rebuilt(cls: type[Any], contents: dict[str, Any]) -> Any:
    """A value of what was stored: converted, and checked by its annotations, but judged by no validator.

    A class with a constructor of its own, or with `__attrs_pre_init__`, is built by it. An `__attrs_post_init__` of its
    own is run, since it may set fields.
    """
    if hasattr(cls, "__attrs_init__") or hasattr(cls, "__attrs_pre_init__"):
        return cls(**{field.alias: contents[field.name] for field in attrs.fields(cls) if field.name in contents})
    new = object.__new__(cls)
    put = setters(cls)
    for field in attrs.fields(cls):
        if field.name not in contents and field.default is attrs.NOTHING:
            if field.init:
                raise InvalidValue(field.name, "missing_field", {"owner": name_of(cls)})
            continue
        content = contents[field.name] if field.name in contents else _default(field, new)
        put[field.name](new, _converted(field, new, content))
    finish = getattr(cls, "__attrs_post_init__", Value.__attrs_post_init__)
    if finish is not Value.__attrs_post_init__:
        finish(new)
    check(new)
    return new


def _default(field: attrs.Attribute[Any], new: Any) -> Any:
    made: Any = field.default
    if not isinstance(made, attrs.Factory):  # type: ignore[arg-type]  # attrs types it as a function
        return made
    return made.factory(new) if made.takes_self else made.factory()


def _converted(field: attrs.Attribute[Any], new: Any, content: Any) -> Any:
    convert: Any = field.converter
    if convert is None:
        return content
    if not isinstance(convert, attrs.Converter):
        return convert(content)
    given: Any = convert  # attrs types none of its attributes
    more = [new] if given.takes_self else []
    return given.converter(content, *more, *([field] if given.takes_field else []))


_converter: Final = make_converter(_reader, writer_of)
