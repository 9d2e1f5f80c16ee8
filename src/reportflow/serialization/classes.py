"""Which classes the records and details of some lifecycles have: what a store reads its rows by.

There is no registry for the process. A row names its kind, the version of its definition and its trigger; these find
the class. So two parts of one program may each have a class of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeVar

from reportflow.errors import Fault, InvalidDefinition
from reportflow.model.record import Record
from reportflow.model.values import name_of


class Described(Protocol):
    """What is read of a lifecycle. Fields with a converter are no plain types to every type checker."""

    @property
    def name(self) -> Any:
        """The kind of its records, a text."""
        ...

    @property
    def version(self) -> int:
        """The version of the definition."""
        ...

    @property
    def record(self) -> type[Record]:
        """The class of its records."""
        ...

    @property
    def transitions(self) -> Any:
        """All rows, each with its trigger and its details class."""
        ...


class Classes:
    """The record and details classes of some lifecycles, by kind, version and trigger. Immutable; `|` joins two.

    Args:
        *lifecycles: Their definitions, each kind and version once.

    Raises:
        InvalidDefinition: two definitions of one kind and version have other classes.
    """

    def __init__(self, *lifecycles: Described) -> None:
        records: dict[tuple[str, int], type[Record]] = {}
        details: dict[tuple[str, int, str], type[Any]] = {}
        for one in lifecycles:
            _add(records, (one.name, one.version), one.record)
            for row in one.transitions:
                if row.details is not None:
                    _add(details, (one.name, one.version, row.trigger), row.details)
        self._records: Mapping[tuple[str, int], type[Record]] = MappingProxyType(records)
        self._details: Mapping[tuple[str, int, str], type[Any]] = MappingProxyType(details)

    def __or__(self, other: Classes) -> Classes:
        joined = Classes()
        joined._records = MappingProxyType(_joined(self._records, other._records))
        joined._details = MappingProxyType(_joined(self._details, other._details))
        return joined

    @property
    def kinds(self) -> tuple[tuple[str, int], ...]:
        """The kinds and versions whose classes are known."""
        return tuple(self._records)

    def record(self, kind: str, version: int) -> type[Record] | None:
        """The class of the records of a kind and version; None where it is unknown."""
        return self._records.get((kind, version))

    def of_details(self, kind: str, version: int, trigger: str, *, creation: bool) -> type[Any] | None:
        """The class of an entry's details, for a creation that of its draft; None where it is unknown."""
        return self._records.get((kind, version)) if creation else self._details.get((kind, version, trigger))


#: Of no lifecycle at all.
NO_CLASSES: Final = Classes()


K = TypeVar("K", bound=tuple[Any, ...])
C = TypeVar("C", bound=type[Any])


def _joined(mine: Mapping[K, C], theirs: Mapping[K, C]) -> dict[K, C]:
    joined = dict(mine)
    for key, cls in theirs.items():
        _add(joined, key, cls)
    return joined


def _add(known: dict[K, C], key: K, cls: C) -> None:
    before = known.setdefault(key, cls)
    if before is not cls:
        facts = {"name": " ".join(map(str, key)), "other": name_of(before), "given": name_of(cls)}
        raise InvalidDefinition(str(key[0]), [Fault("classes_differ", facts)])
