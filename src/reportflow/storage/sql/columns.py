"""Stored texts and JSON as columns of native types: how each engine is given that.

What cannot be read as its type is NULL, so that one broken row harms no other.
"""

from __future__ import annotations

import enum
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from reportflow.model.values import field_names
from reportflow.storage.sql.dialects import BACKENDS

Expression = sa.ColumnElement[Any]

#: The sort of a column by the annotation of its field; all others are JSON.
_SORTS: Final[Mapping[Any, str]] = {
    str: "text", UUID: "text", bool: "boolean", int: "number", Decimal: "decimal", float: "real",
    datetime: "time", date: "day",
}  # fmt: skip


class Field(NamedTuple):
    """A field of some classes as a column.

    Attributes:
        name: Its name, in the stored JSON too.
        sort: "text", "boolean", "number", "decimal", "real", "time", "day", or "json" for all else.
        choices: The values of an enum, each with the room of its labels.
    """

    name: str
    sort: str
    choices: Mapping[str, str]


def fields_of(classes: Iterable[type[Any]]) -> list[Field]:
    """The fields of some classes; one that several have is of the sort that all say, else JSON."""
    found: dict[str, Field] = {}
    for cls in classes:
        hints = typing.get_type_hints(cls)
        for name in field_names(cls):
            one = _field(name, hints.get(name, Any))
            other = found.get(name, one)
            sort = one.sort if one.sort == other.sort else "json"
            found[name] = Field(name, sort, {**other.choices, **one.choices} if sort == "text" else {})
    return list(found.values())


def _field(name: str, hint: Any) -> Field:
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) in (typing.Union, UnionType):
        kept = [one for one in arguments if one is not NoneType]
        hint = kept[0] if len(kept) == 1 else Any
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        values = [one.value for one in hint]
        if all(isinstance(value, str) for value in values):
            return Field(name, "text", dict.fromkeys(values, name))
        return Field(name, "json", {})
    return Field(name, _SORTS.get(hint, "json"), {})


class Reader(NamedTuple):
    """How an engine is given stored values as native ones.

    Attributes:
        zoned: Whether its times have a zone; else they are in UTC.
        native: A stored text, or what stands in JSON for it, as a sort.
        inside: One field of a JSON text; what it gives is made `native`.
        record: Where the engine takes all fields of a JSON text at once: a table of them, under a name.
    """

    zoned: bool
    native: Callable[[Expression, str], Expression]
    inside: Callable[[Expression, Field], Expression] | None = None
    record: Callable[[Expression, Sequence[Field], str], sa.FromClause] | None = None

    def read(
        self, source: sa.FromClause, document: Expression, fields: Sequence[Field], name: str
    ) -> tuple[list[Expression], sa.FromClause]:
        """The fields of a JSON text as native columns, and what they are selected from."""
        if not fields:
            return [], source
        if self.inside is not None:
            return [self.native(self.inside(document, one), one.sort) for one in fields], source
        assert self.record is not None, "a reader has one or the other"
        parts = self.record(document, fields, name)
        columns = [self.native(parts.c[one.name], one.sort) for one in fields]
        return columns, source.outerjoin(parts, sa.true())


def reader_of(dialect: sa.Dialect) -> Reader:
    """The reader of an engine that is supported."""
    name = "mysql" if dialect.name == "mariadb" else dialect.name
    assert name in BACKENDS, "the engine was checked"
    return _READERS[name]


def _path(field: Field) -> str:
    return f'$."{field.name}"'


# -- SQLite: its times are texts in the form that its own functions write, and its booleans are 0 and 1


def _sqlite(value: Expression, sort: str) -> Expression:
    if sort == "time":
        return sa.case((value.like("____-__-__T%"), sa.func.replace(sa.func.substr(value, 1, 26), "T", " ")))
    return sa.cast(value, sa.Numeric()) if sort == "decimal" else value


def _in_sqlite(document: Expression, field: Field) -> Expression:
    # of no JSON, `json_extract` is an error
    return sa.case((sa.func.json_valid(document) == 1, sa.func.json_extract(document, _path(field))))


# -- PostgreSQL: a cast of what is none is an error, so each text is looked at first

_DAY: Final = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_FORMS: Final[Mapping[str, tuple[str, Any]]] = {
    "time": (f"^{_DAY}T([01][0-9]|2[0-3])(:[0-5][0-9]){{2}}([.][0-9]+)?[+]00:00$", sa.TIMESTAMP(timezone=True)),
    "day": (f"^{_DAY}$", sa.Date()),
    "number": ("^-?[0-9]+$", sa.Numeric()),
    "decimal": ("^-?[0-9]+([.][0-9]+)?(E[-+]?[0-9]{1,3})?$", sa.Numeric()),
    "real": ("^-?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]{1,3})?$", sa.Double()),
    "boolean": ("^(true|false)$", sa.Boolean()),
}


def _postgresql(value: Expression, sort: str) -> Expression:
    if sort not in _FORMS:
        return value
    form, type_ = _FORMS[sort]
    return sa.case((value.regexp_match(form), sa.cast(value, type_)))


def _in_postgresql(document: Expression, fields: Sequence[Field], name: str) -> sa.FromClause:
    """All fields by one function, so that the text is read once."""
    whole = sa.case((document.op("IS JSON")(sa.literal_column("OBJECT")), sa.cast(document, postgresql.JSONB())))
    columns = [sa.column(one.name, postgresql.JSONB() if one.sort == "json" else sa.Text()) for one in fields]
    parts = sa.func.jsonb_to_record(whole).table_valued(*columns, name=name)
    return parts.render_derived(with_types=True)


# -- MariaDB


def _mariadb(value: Expression, sort: str) -> Expression:
    if sort == "time":
        return sa.cast(sa.func.left(sa.func.nullif(value, "never"), 26), mysql.DATETIME(fsp=6))
    if sort == "real":
        return value + sa.literal_column("0e0")
    types: dict[str, Any] = {
        "day": sa.Date(),
        "number": sa.Numeric(65, 0),
        "decimal": sa.Numeric(65, 20),
        "boolean": mysql.INTEGER(),
    }
    return sa.cast(value, types[sort]) if sort in types else value


def _in_mariadb(document: Expression, field: Field) -> Expression:
    if field.sort == "json":
        return sa.func.nullif(sa.func.json_extract(document, _path(field)), "null")
    return sa.func.json_value(document, _path(field))


_READERS: Final[Mapping[str, Reader]] = {
    "sqlite": Reader(zoned=False, native=_sqlite, inside=_in_sqlite),
    "postgresql": Reader(zoned=True, native=_postgresql, record=_in_postgresql),
    "mysql": Reader(zoned=False, native=_mariadb, inside=_in_mariadb),
}
