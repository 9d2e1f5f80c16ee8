"""Version 2: texts by code point on every engine; entries are counted by `id`, their `position` may come later.

Version 1 was for SQLite only, where nearly nothing of a table can be changed in place. So the tables are made anew, and
the rows copied. Each entry keeps its place in the feed; its old position is its id too.

This is the latest version: its tables are those of `schema.py`, whichever these are. Who adds version 3 first copies
here what they are now.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateIndex

from reportflow.storage.sql.migrations.place import Place, place

revision = "reportflow_2"
down_revision = "reportflow_1"
branch_labels = None
depends_on = None

#: The tables of version 1, those that refer to others first.
_OLD: Final = ("label", "entry", "record", "meta")


def upgrade() -> None:
    """Put the rows aside, make the tables anew, and take the rows back."""
    here = place()
    if here.standing >= 2:
        return
    today = {table.name: table for table in here.today().all}
    columns = {name: [column.name for column in today[here.name(name)].c] for name in _OLD}
    columns["entry"].remove("id")
    for name in _OLD:
        old = here.table(name, *columns[name])
        op.execute(sa.CreateTableAs(sa.select(old), here.name(_aside(name)), schema=here.schema))
    for name in _OLD:
        op.drop_table(here.name(name), schema=here.schema)
    for name, table in reversed(today.items()):
        if name not in {here.name(one) for one in _OLD}:  # a host's `create_all` makes what is not there yet
            op.drop_table(table.name, schema=here.schema, if_exists=True)
    for table in today.values():
        _make(table)
    for name in reversed(_OLD):
        _take_back(here.table(_aside(name), *columns[name]), today[here.name(name)])
        op.drop_table(here.name(_aside(name)), schema=here.schema)
    _count_on(today[here.name("entry")])
    _note(here, today[here.name("entry")])


def _aside(name: str) -> str:
    return f"{name}_of_version_1"


def _make(table: sa.Table) -> None:
    indexes = sorted(table.indexes, key=lambda one: str(one.name))
    table.indexes.clear()  # else they are made in any order, and no two scripts of the same upgrade are the same
    op.get_context().impl.create_table(table)
    for index in indexes:
        op.execute(CreateIndex(index))


def _take_back(aside: sa.TableClause, table: sa.Table) -> None:
    found: dict[str, sa.ColumnElement[object]] = {column.name: column for column in aside.c}
    if "position" in found:
        found["id"] = found["position"].label("id")
    op.execute(sa.insert(table).from_select(list(found), sa.select(*found.values())))


def _count_on(entry: sa.Table) -> None:
    """PostgreSQL's counter does not see what was counted elsewhere; the others' do."""
    dialect = op.get_context().dialect
    if dialect.name == "postgresql":
        last = sa.func.max(entry.c.id)
        named = dialect.identifier_preparer.format_table(entry)
        counter = sa.func.pg_get_serial_sequence(sa.literal(named, sa.Text), sa.literal("id", sa.Text))
        op.execute(sa.select(sa.func.setval(counter, last)).having(last.is_not(None)))


def _note(here: Place, entry: sa.Table) -> None:
    """Say in ``meta`` which version this is, and which position was given last."""
    meta = here.table("meta", "name", "value")
    last = sa.cast(sa.func.coalesce(sa.func.max(entry.c.position), 0), sa.Text)
    op.execute(sa.insert(meta).from_select(["name", "value"], sa.select(sa.literal("position", sa.Text), last)))
    op.execute(sa.update(meta).where(meta.c.name == "schema_version").values(value="2"))


def downgrade() -> None:
    """There is no way back."""
    raise NotImplementedError("Tables go forward only: to go back, restore the backup that was made before.")
