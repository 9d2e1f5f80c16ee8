"""Version 1: records, entries in one line (`position`), labels, meta. It was for SQLite only.

On the other engines it is only ever passed through, on the way from no tables to today's.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from reportflow.storage.sql.migrations.place import Place, place

revision = "reportflow_1"
down_revision = None
branch_labels = ("reportflow",)
depends_on = None

_NAME = sa.String(255)
_TIME = sa.String(32)


def upgrade() -> None:
    """Make the four tables, where there are none."""
    here = place()
    if here.standing >= 1:
        return
    _table(
        here,
        "record",
        sa.Column("id", _NAME, primary_key=True),
        sa.Column("kind", _NAME, nullable=False),
        sa.Column("state", _NAME, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("lifecycle_version", sa.Integer, nullable=False),
        sa.Column("unit", _NAME, nullable=False),
        sa.Column("parent", _NAME),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("category", _NAME, nullable=False),
        sa.Column("assignee", _NAME),
        sa.Column("due_at", _TIME, nullable=False, comment="'never' where there is none, so that it sorts last"),
        sa.Column("secrecy", _NAME, nullable=False),
        sa.Column("created_by", _NAME, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("data", sa.Text, nullable=False, comment="JSON: the class and its other fields"),
    )
    # an index of InnoDB is at most 3072 bytes wide
    short = {"mysql_length": {"kind": 100, "state": 100}}
    _index(here, "record", "queue", "kind", "state", "due_at", "created_at", "id", **short)
    _index(here, "record", "age", "created_at", "id")
    _index(here, "record", "parent", "parent")
    _table(
        here,
        "entry",
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("record_id", _NAME, _of_record(here), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("trigger", _NAME, nullable=False),
        sa.Column("source", _NAME),
        sa.Column("dest", _NAME, nullable=False),
        sa.Column("actor_id", _NAME, nullable=False),
        sa.Column("actor", sa.Text, nullable=False, comment="JSON"),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("details", sa.Text, comment="JSON"),
        sa.Column("key", _NAME),
        sa.Column("cause", _NAME),
        sa.Column("party", _NAME),
        sa.Column("level", _NAME),
        sa.Column("code", _NAME),
        sa.UniqueConstraint("record_id", "sequence", name=here.name("entry_sequence")),
        sa.UniqueConstraint("actor_id", "key", name=here.name("entry_key")),
        sqlite_autoincrement=True,
    )
    _index(here, "entry", "happened", "trigger", "at", "record_id")
    _table(
        here,
        "label",
        sa.Column("record_id", _NAME, _of_record(here), primary_key=True),
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("value", _NAME, primary_key=True),
    )
    _index(here, "label", "value", "name", "value", "record_id")
    _table(here, "meta", sa.Column("name", _NAME, primary_key=True), sa.Column("value", sa.Text, nullable=False))
    op.execute(sa.insert(here.table("meta", "name", "value")).values(name="schema_version", value="1"))


def _table(here: Place, name: str, *columns: sa.schema.SchemaItem, **options: Any) -> None:
    options |= {"mysql_engine": "InnoDB", "mysql_default_charset": "utf8mb4"}
    op.create_table(here.name(name), *columns, schema=here.schema, **options)


def _of_record(here: Place) -> sa.ForeignKey:
    record = here.name("record") if here.schema is None else f"{here.schema}.{here.name('record')}"
    return sa.ForeignKey(f"{record}.id")


def _index(here: Place, table: str, name: str, *columns: str, **options: Any) -> None:
    op.create_index(here.name(f"{table}_{name}"), here.name(table), list(columns), schema=here.schema, **options)


def downgrade() -> None:
    """There is no way back: it would take the records away."""
    raise NotImplementedError("The records would be gone: drop the tables yourself if that is what you want.")
