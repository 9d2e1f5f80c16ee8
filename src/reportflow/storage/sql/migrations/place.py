"""Where the tables of a revision are: prefix and schema come from Alembic's configuration."""

from __future__ import annotations

import attrs
from alembic import op
from sqlalchemy import MetaData, TableClause, Text, column, table

from reportflow.storage.sql import provision
from reportflow.storage.sql.schema import PREFIX, Tables, make_tables


@attrs.frozen(kw_only=True)
class Place:
    """The prefix and the schema of one store's tables, for the revision that runs."""

    prefix: str = PREFIX
    schema: str | None = None

    def name(self, table: str) -> str:
        """What a table is called here."""
        return f"{self.prefix}{table}"

    def table(self, name: str, *columns: str) -> TableClause:
        """A table as statements name it; its columns are taken for texts, which in these statements is no matter."""
        return table(self.name(name), *[column(one, Text()) for one in columns], schema=self.schema)

    def today(self) -> Tables:
        """The tables as they are in `schema.py`."""
        return make_tables(MetaData(), prefix=self.prefix, schema=self.schema)

    @property
    def standing(self) -> int:
        """The version of the tables in the database; 0 where there are none, or where there is no database (offline).

        The table ``meta`` counts. Alembic knows nothing of tables that a store has made.
        """
        if op.get_context().as_sql:
            return 0
        return int(provision.version(op.get_bind(), self.today()) or 0)


def place() -> Place:
    """Where the tables are, by the configuration of the Alembic that runs.

    ``reportflow_prefix`` and ``reportflow_schema`` are attributes of its `Config`, or lines of its ``alembic.ini``.
    """
    config = op.get_context().config
    if config is None:
        return Place()

    def option(name: str) -> str | None:
        found: str | None = config.attributes.get(name)
        return config.get_main_option(name) if found is None else found

    prefix = option("reportflow_prefix")
    return Place(prefix=PREFIX if prefix is None else prefix, schema=option("reportflow_schema") or None)
