"""Where the tables of a revision are: prefix and schema come from Alembic's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from alembic import op
from sqlalchemy import MetaData

from reportflow.storage.sql import provision, views
from reportflow.storage.sql.schema import PREFIX, Tables, make_tables


@attrs.frozen(kw_only=True)
class Place:
    """The prefix and the schema of one store's tables, for the revision that runs."""

    prefix: str = PREFIX
    schema: str | None = None

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

    def drop_views(self) -> None:
        """Drop the views of the tables, which would keep them from being changed; the next `make_views` makes them."""
        if not op.get_context().as_sql:
            views.drop(op.get_bind(), self.today())


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


def run_revisions(context: Any) -> None:
    """Run the revisions in Alembic's environment: all it needs is in the attributes that `upgrade` sets."""
    attributes: Mapping[str, Any] = context.config.attributes
    context.configure(**attributes["configure"])
    with context.begin_transaction():
        for statement in attributes.get("first", ()):
            context.execute(statement)
        context.run_migrations()
