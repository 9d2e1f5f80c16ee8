"""A value as the Python expression that makes it: what a person pastes to see the same again."""

from __future__ import annotations

import enum
import math
import sys
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import attrs

from reportflow.model.frozen import FrozenDict
from reportflow.model.record import SET_BY_FOLD, Record

#: Where the names of an expression come from: name -> module.
Names = dict[str, str]


def python(value: object, names: Names | None = None) -> str:
    """The expression that makes a value; fields that have their default are left out.

    Values of reportflow, attrs values, enums, times and plain collections come out so that ``eval`` gives an equal
    value, but for one of which content was erased where its class refuses the blank in its place; anything else as its
    `repr`. `names` is filled with what the expression needs to import.
    """
    return _Writer({} if names is None else names).expression(value)


def imports(names: Mapping[str, str]) -> list[str]:
    """The import lines for names, sorted; those of nested classes are left out, they cannot be imported."""
    by_module: dict[str, list[str]] = {}
    for name, module in names.items():
        by_module.setdefault(module, []).append(name)
    return [f"from {module} import {', '.join(sorted(by_module[module]))}" for module in sorted(by_module)]


def named(value: Any, names: Names) -> str | None:
    """The name by which a module has this very value, noted among the names; None where none has it.

    The module that says it is its own comes first, then one that lists it in ``__all__``, then the plainest name.
    """
    own, called = getattr(value, "__module__", None), str(getattr(value, "__qualname__", ""))
    if isinstance(own, str) and called and getattr(sys.modules.get(own), called, None) is value:
        names[called] = own
        return called
    homes: list[tuple[bool, bool, bool, int, str, str]] = [
        (module == "__main__", name not in _public(holder), name.startswith("_"), module.count("."), module, name)
        for module, holder in list(sys.modules.items())
        for name, held in list(getattr(holder, "__dict__", {}).items())
        if held is value and name.isidentifier() and not name.startswith("__")
    ]
    if not homes:
        return None
    *_, module, name = min(homes)
    names[name] = module
    return name


def _public(module: object) -> Collection[str]:
    listed = getattr(module, "__all__", ())
    return listed if isinstance(listed, list | tuple | set | frozenset) else ()


class _Writer:
    def __init__(self, names: Names) -> None:
        self._names = names

    def _named(self, name: str, module: str) -> str:
        # a public name is imported from the package that exports it
        for public in ("reportflow", "reportflow.office") if module.startswith("reportflow.") else ():
            if name in getattr(sys.modules.get(public), "__all__", ()):
                module = public
                break
        self._names[name] = module
        return name

    def _class(self, cls: type[Any]) -> str:
        if "<locals>" in cls.__qualname__:
            return cls.__name__
        outer = cls.__qualname__.partition(".")[0]
        self._named(outer, cls.__module__)
        return cls.__qualname__

    def expression(self, value: Any) -> str:
        if isinstance(value, enum.Enum):
            named = value.name in type(value).__members__  # several flags together have a name that is none
            return self._class(type(value)) + (f".{value.name}" if named else f"({value.value!r})")
        if isinstance(value, datetime):
            return self._time(value)
        if isinstance(value, date):
            return f"{self._class(type(value))}({value.year}, {value.month}, {value.day})"
        if isinstance(value, timedelta):
            parts = {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
            return f"{self._class(type(value))}({', '.join(f'{name}={part}' for name, part in parts.items() if part)})"
        if isinstance(value, float) and not math.isfinite(value):
            return f"float('{value}')"
        if isinstance(value, tuple) and type(value) is tuple:
            return f"({', '.join(self._each(value))}{',' if len(value) == 1 else ''})"
        if isinstance(value, list):
            return f"[{', '.join(self._each(value))}]"
        if isinstance(value, set | frozenset):
            return self._set(value)
        if isinstance(value, Mapping):
            return self._mapping(value)
        if attrs.has(type(value)):
            return self._attrs(value)
        if type(value).__module__ in ("decimal", "uuid"):
            return f"{self._class(type(value))}('{value}')"
        return repr(value)

    def _each(self, values: Iterable[Any]) -> list[str]:
        return [self.expression(value) for value in values]

    def _set(self, value: set[Any] | frozenset[Any]) -> str:
        inside = f"{{{', '.join(sorted(self._each(value)))}}}" if value else ""
        if isinstance(value, frozenset):
            return f"frozenset({inside})"
        return inside or "set()"

    def _mapping(self, value: Mapping[Any, Any]) -> str:
        inside = ", ".join(f"{self.expression(key)}: {self.expression(one)}" for key, one in value.items())
        if isinstance(value, FrozenDict):
            return f"{self._class(FrozenDict)}({{{inside}}})"
        if isinstance(value, MappingProxyType):
            return f"{self._named('MappingProxyType', 'types')}({{{inside}}})"
        return f"{{{inside}}}"

    def _time(self, value: datetime) -> str:
        parts = [value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond]
        while len(parts) > 3 and not parts[-1]:
            parts.pop()
        arguments = [str(part) for part in parts]
        if value.fold:
            arguments.append("fold=1")
        if value.tzinfo is not None:
            arguments.append(f"tzinfo={self._zone(value)}")
        return f"{self._named('datetime', 'datetime')}({', '.join(arguments)})"

    def _zone(self, value: datetime) -> str:
        if value.tzinfo is UTC:
            return self._named("UTC", "datetime")
        if key := getattr(value.tzinfo, "key", None):  # a ZoneInfo: at the hour that comes twice no other equals it
            return f"{self._class(type(value.tzinfo))}({key!r})"
        offset = value.utcoffset()
        assert offset is not None, "a zone has an offset"
        return f"{self._class(timezone)}({self.expression(offset)})"

    def _field(self, field: attrs.Attribute[Any], value: Any) -> str:
        if isinstance(value, frozenset) and value and _takes(field.converter, set(value), value):
            return self._set(set(value))
        if isinstance(value, FrozenDict):
            return self._mapping(dict(value))  # a field makes it of any mapping
        return self.expression(value)

    def _attrs(self, value: Any) -> str:
        cls = type(value)
        written = [
            field
            for field in attrs.fields(cls)
            if field.init and field.eq and not _is_default(field, getattr(value, field.name))
        ]
        given = [f"{field.alias}={self._field(field, getattr(value, field.name))}" for field in written]
        # a record that has nothing of what only the flow sets is what `draft` would take
        draft = isinstance(value, Record) and SET_BY_FOLD.isdisjoint({one.name for one in written} - {"kind"})
        return f"{self._class(cls)}{'.draft' if draft else ''}({', '.join(given)})"


def _takes(converter: Any, plain: object, value: object) -> bool:
    """Whether a field's converter makes the value of a plainer one, so that this may be written."""
    if converter is None or isinstance(converter, attrs.Converter):
        return False
    try:
        return bool(converter(plain) == value)
    except Exception:  # whatever a converter of a host's class raises
        return False


def _is_default(field: attrs.Attribute[Any], value: object) -> bool:
    default = field.default
    if default is attrs.NOTHING:
        return False
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # attrs types its class as a function
        default = default.factory() if not default.takes_self else attrs.NOTHING  # type: ignore[union-attr]  # the same
    one, other = _as_kept(default), _as_kept(value)
    return type(one) is type(other) and bool(one == other)


def _as_kept(value: object) -> object:
    """A collection as the one that a field keeps of it."""
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, set):
        return frozenset(value)
    return FrozenDict(value) if isinstance(value, Mapping) else value
