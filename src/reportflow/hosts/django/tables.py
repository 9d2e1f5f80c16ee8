"""The tables as an operation of Django's migrations: the same as a store, or Alembic, makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from django.db import router
from django.db.migrations.operations.base import Operation
from sqlalchemy.schema import CreateIndex, CreateTable, DDLElement, SetColumnComment

from reportflow.hosts.django.configuration import configuration
from reportflow.storage.sql.django_host import DjangoDatabase
from reportflow.storage.sql.schema import FIRST_ROWS, Tables, make_tables


class MakeTables(Operation):
    """Makes the tables of version 1 where there are none; those that a store has made are left as they are.

    A migration that was interrupted where making a table is no transaction is completed by the next one. There is no
    way back: it would take the records away.
    """

    reduces_to_sql = True
    reversible = False

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing: the models are not Django's to make."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Make the tables.

        Raises:
            InvalidValue: the engine is not supported.
            SchemaMismatch: there are tables of these names that are not reportflow's, or of another version.
        """
        connection = schema_editor.connection
        if not router.allow_migrate(connection.alias, app_label):
            return
        tables = make_tables(None, prefix=configuration().prefix)
        database = DjangoDatabase(connection.alias, tables)
        if schema_editor.collect_sql or not database.are_there(connection):
            for statement in _statements(tables, database.engine.dialect):
                schema_editor.execute(statement)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """See the class: Django asks `reversible` before it calls this."""
        raise NotImplementedError("The records would be gone: drop the tables yourself if that is what you want.")

    def describe(self) -> str:
        """What ``migrate --plan`` shows."""
        return "Make the tables of reportflow"


def _statements(tables: Tables, dialect: sa.Dialect) -> Iterator[str]:
    """What makes the tables, in their order, and in the end the rows by which they are complete."""
    for table in tables.all:
        elements: list[DDLElement] = [CreateTable(table, if_not_exists=True)]
        elements += [
            CreateIndex(index, if_not_exists=True) for index in sorted(table.indexes, key=lambda one: str(one.name))
        ]
        if dialect.supports_comments and not dialect.inline_comments:
            elements += [SetColumnComment(column) for column in table.c if column.comment]
        for element in elements:
            yield str(element.compile(dialect=dialect)).strip()
    for row in FIRST_ROWS:
        insert = sa.insert(tables.meta).values(row)
        yield str(insert.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
