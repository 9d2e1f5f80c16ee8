"""Conditions that an engine must be given in its own way, or it takes no answer or a very long time to give one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal

#: How many values are parameters of their own at the most.
FEW: Final = 500


def among(column: sa.ColumnElement[Any], values: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether a column has one of the values, of which there may be very many.

    Each value is a parameter of its own while they are few, so that an index serves. An engine takes so many parameters
    and no more; beyond that the values are one parameter, where the engine can take a list as one.
    """
    if len(values) == 1:
        return column == values[0]
    return column.in_(values) if len(values) <= FEW else _Among(column, values)


class _Among(sa.ColumnElement[bool]):
    """The condition for very many values, which each engine writes in its own way."""

    inherit_cache = False
    type = sa.Boolean()

    def __init__(self, column: sa.ColumnElement[Any], values: Sequence[str]) -> None:
        self.column = column
        self.values = values


@compiles(_Among)
def _as_parameters(one: _Among, compiler: Any, **options: Any) -> str:
    return str(compiler.process(one.column.in_(one.values), **options))


@compiles(_Among, "postgresql")
def _as_array(one: _Among, compiler: Any, **options: Any) -> str:
    values = sa.bindparam(None, list(one.values), type_=postgresql.ARRAY(sa.Text()), unique=True)
    return str(compiler.process(one.column == sa.any_(values), **options))


@compiles(_Among, "sqlite")
def _as_json(one: _Among, compiler: Any, **options: Any) -> str:
    values = sa.bindparam(None, json.dumps(one.values), type_=sa.Text(), unique=True)
    found = sa.select(sa.func.json_each(values).table_valued("value").c.value)
    # an expression: by an index it would look for each of the values at each row
    return str(compiler.process((one.column + sa.literal_column("''", sa.Text())).in_(found), **options))


def label_named(column: sa.ColumnElement[str], name: str) -> sa.ColumnElement[bool]:
    """Whether a label has a name, for a join of records with very many labels.

    Of a table that it has not analyzed yet, PostgreSQL takes an equation to be true of one row in two hundred, and then
    looks through all labels for each record; of a function it takes that to be one in three.
    """
    return _Named(column, name)


class _Named(sa.ColumnElement[bool]):
    """The condition, which PostgreSQL is given as a function."""

    inherit_cache = False
    type = sa.Boolean()

    def __init__(self, column: sa.ColumnElement[str], name: str) -> None:
        self.column = column
        self.name = name


@compiles(_Named)
def _as_equation(one: _Named, compiler: Any, **options: Any) -> str:
    return str(compiler.process(one.column == one.name, **options))


@compiles(_Named, "postgresql")
def _as_function(one: _Named, compiler: Any, **options: Any) -> str:
    return str(compiler.process(sa.func.texteq(one.column, one.name), **options))


def exactly(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """A column of a host's as a text that is compared as ours are: by code point, whatever its own collation.

    PostgreSQL compares no two columns of different collations, unless one is named.
    """
    return _Exactly(column)


class _Exactly(sa.ColumnElement[str]):
    """The text, which each engine is given with its own name of the collation."""

    _traverse_internals = (("column", InternalTraversal.dp_clauseelement),)  # type: ignore[assignment]  # never changed
    inherit_cache = True
    type = sa.Text()

    def __init__(self, column: sa.ColumnElement[Any]) -> None:
        self.column = column


@compiles(_Exactly)
def _as_binary(one: _Exactly, compiler: Any, **options: Any) -> str:
    return f"{compiler.process(one.column, **options)} COLLATE BINARY"


@compiles(_Exactly, "postgresql")
def _as_text(one: _Exactly, compiler: Any, **options: Any) -> str:
    return f'CAST({compiler.process(one.column, **options)} AS TEXT) COLLATE "C"'


@compiles(_Exactly, "mysql", "mariadb")
def _as_converted(one: _Exactly, compiler: Any, **options: Any) -> str:
    return f"CONVERT({compiler.process(one.column, **options)} USING utf8mb4) COLLATE utf8mb4_nopad_bin"
