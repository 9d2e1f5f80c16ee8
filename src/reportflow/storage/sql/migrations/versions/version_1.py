"""Version 1: the first tables.

This is the latest version: its tables are those of `schema.py`, whichever these are. Who adds version 2 first copies
here what they are now, and begins with `Place.drop_views`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateIndex

from reportflow.storage.sql.migrations.place import place
from reportflow.storage.sql.schema import FIRST_ROWS

revision = "reportflow_1"
down_revision = None
branch_labels: tuple[str, ...] = ("reportflow",)
depends_on = None


def upgrade() -> None:
    """Make the tables, where there are none."""
    here = place()
    if here.standing >= 1:
        return
    today = here.today()
    for table in today.all:
        _make(table)
    for row in FIRST_ROWS:
        op.execute(sa.insert(today.meta).values(row))


def _make(table: sa.Table) -> None:
    indexes = sorted(table.indexes, key=lambda one: str(one.name))
    table.indexes.clear()  # else they are made in any order, and no two scripts of the same upgrade are the same
    op.get_context().impl.create_table(table)
    for index in indexes:
        op.execute(CreateIndex(index))


def downgrade() -> None:
    """There is no way back: it would take the records away."""
    raise NotImplementedError("The records would be gone: drop the tables yourself if that is what you want.")
