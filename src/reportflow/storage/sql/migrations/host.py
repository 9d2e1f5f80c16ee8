"""What a host's own Alembic environment needs: which tables are not its own, and where our revisions are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import MetaData

from reportflow.storage.sql.schema import PREFIX, make_tables

#: Where the revisions are, as ``version_locations`` in a host's ``alembic.ini`` takes it.
VERSIONS: Final = "reportflow.storage.sql.migrations:versions"
#: The label of their branch: ``alembic upgrade reportflow@head``.
BRANCH: Final = "reportflow"


def version_table(prefix: str = PREFIX) -> str:
    """The name of the table in which Alembic keeps the revision, where it is not the host's own Alembic."""
    return f"{prefix}alembic_version"


def include_object(*, prefix: str = PREFIX, schema: str | None = None) -> Callable[..., bool]:
    """An ``include_object`` for a host's environment: autogenerate neither drops nor makes the tables of reportflow.

    Args:
        prefix: What the tables' names begin with, as the store has it.
        schema: The schema that they are in, as the store has it.

    Returns:
        A function that is False for the tables of that store, and for what belongs to them.
    """
    ours = {table.name for table in make_tables(MetaData(), prefix=prefix, schema=schema).all}
    ours.add(version_table(prefix))

    def include_object(object: Any, name: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:
        table = object if type_ == "table" else getattr(object, "table", None)
        return table is None or table.name not in ours or table.schema != schema

    return include_object
