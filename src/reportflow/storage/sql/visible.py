"""What an actor may see, as a condition of a host's SELECT: the very conditions by which a store finds and counts.

It never shows more where it is used wrongly: the tables that it names come from the SELECT alone, so in a SELECT that
is not from them the database knows no such column.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError
from sqlalchemy.sql import coercions, roles
from sqlalchemy.sql.visitors import InternalTraversal

from reportflow.errors import InvalidValue
from reportflow.model.checks import type_problem
from reportflow.model.query import Query
from reportflow.storage.base import Of
from reportflow.storage.sql.conditions import exactly
from reportflow.storage.sql.executor import PreparedStatement
from reportflow.storage.sql.queries import found, found_entries
from reportflow.storage.sql.schema import NAME
from reportflow.storage.sql.statements import StatementCache

#: How a text may have its parameters, by PEP 249.
_STYLES: Final = ("format", "qmark", "named", "pyformat", "numeric")


class Visible(Protocol):
    """Whether a row is of what an actor may see: a clause of SQLAlchemy, for the WHERE or ON of a host's SELECT.

    Attributes:
        ids: The SELECT of the ids of all that they may see.
    """

    ids: sa.Select[Any]

    def as_sql(self, paramstyle: str = "format") -> tuple[str, Any]:
        """The SELECT of the ids as text, with its parameters, for programs that do without SQLAlchemy.

        Django takes it as ``filter(id__in=RawSQL(*visible.as_sql()))``.

        Args:
            paramstyle: How the text has its parameters, as PEP 249 calls it: "format" is ``%s``, "qmark" is ``?``.

        Returns:
            The text, and its parameters: a tuple, or a dict where they have names.

        Raises:
            InvalidValue: no such style.
        """
        ...

    def __clause_element__(self) -> sa.ColumnElement[bool]: ...

    def __and__(self, other: Any) -> sa.ColumnElement[bool]: ...

    def __or__(self, other: Any) -> sa.ColumnElement[bool]: ...

    def __invert__(self) -> sa.ColumnElement[bool]: ...


class VisibleClause(sa.ColumnElement[bool]):
    """What `visible` gives; see `Visible`."""

    __visit_name__ = "grouping"  # written as one is; no `Grouping`, which SQLAlchemy takes apart inside an AND
    _traverse_internals = (("element", InternalTraversal.dp_clauseelement),)  # type: ignore[assignment]  # never changed
    inherit_cache = True
    type: sa.types.TypeEngine[bool] = sa.Boolean()

    def __init__(self, condition: sa.ColumnElement[bool], ids: sa.Select[Any], dialect: sa.Dialect) -> None:
        self.element = condition
        self.ids: sa.Select[Any] = ids
        self._dialect = dialect

    @property
    def _from_objects(self) -> list[Any]:
        """No table: one that the SELECT forgot would be joined with each of its rows, and let them all pass."""
        return []

    def __clause_element__(self) -> VisibleClause:
        return self

    def as_sql(self, paramstyle: str = "format") -> tuple[str, Any]:
        """See `Visible.as_sql`."""
        if paramstyle not in _STYLES:
            raise InvalidValue("paramstyle", "choice", {"given": repr(paramstyle), "choices": _STYLES})
        dialect: Any = type(self._dialect)
        statement = PreparedStatement(self.ids, dialect(paramstyle=paramstyle))
        return statement.sql, statement.values({})


def visible(statements: StatementCache, query: Query, of: Of, on: Any) -> Visible:
    """The condition for the table ``record``, or ``entry``, or for a column that has ids of it.

    Raises:
        InvalidValue: `of` is neither "records" nor "entries", or `on` is no column.
    """
    tables, function = statements.tables, statements.backend.position_function
    if of not in ("records", "entries"):
        raise InvalidValue("of", "choice", {"given": repr(of), "choices": ("records", "entries")})
    if of == "entries":
        key: sa.ColumnElement[Any] = tables.entry.c.id
        conditions = found_entries(tables, query, function)
        ids = sa.select(key).select_from(tables.entry.join(tables.record))
    else:
        key = tables.record.c.id
        conditions = found(tables, query, function)
        ids = sa.select(key)
    ids = ids.where(*conditions).correlate(None)
    if of == "records" and on is None:  # the conditions themselves, for which its indexes serve
        return VisibleClause(sa.and_(sa.true(), *conditions), ids, statements.dialect)
    column = key if on is None else _column(on)
    if of == "records" and column.type is not NAME:
        column = exactly(column)
    return VisibleClause(column.in_(ids), ids, statements.dialect)


def _column(on: Any) -> sa.ColumnElement[Any]:
    try:
        column: sa.ColumnElement[Any] = coercions.expect(roles.ColumnArgumentRole, on)
    except ArgumentError:
        raise InvalidValue("on", *type_problem("sqlalchemy Column", on)) from None
    return column
