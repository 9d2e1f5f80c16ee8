"""The tables. Name prefix, schema and `MetaData` are the host's to choose; there are no triggers.

``record`` holds each record as it is: what is found by stands in columns of its own, the rest of its class in
``data``. ``entry`` is the append-only history, in one line for all records (`position`). ``label`` holds what a record
has several of, its authors and topics. ``meta`` says which version of the tables this is.

Times are texts in UTC of one width, so that they sort as the times do, to the microsecond.
"""

from __future__ import annotations

from typing import Final

import attrs
from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

#: The version of the tables that this library reads and writes.
SCHEMA_VERSION: Final = "1"
PREFIX: Final = "reportflow_"

_NAME: Final = String(255)
_TIME: Final = String(32)


@attrs.frozen(kw_only=True)
class Tables:
    """The four tables of one store."""

    record: Table
    entry: Table
    label: Table
    meta: Table

    @property
    def all(self) -> list[Table]:
        """All four, in the order of their foreign keys."""
        return [self.record, self.entry, self.label, self.meta]


def make_tables(metadata: MetaData, *, prefix: str = PREFIX, schema: str | None = None) -> Tables:
    """Put the tables into a `MetaData`. Two prefixes make two stores in one database."""
    record = Table(
        f"{prefix}record",
        metadata,
        Column("id", _NAME, primary_key=True),
        Column("kind", _NAME, nullable=False),
        Column("state", _NAME, nullable=False),
        Column("version", Integer, nullable=False),
        Column("lifecycle_version", Integer, nullable=False),
        Column("unit", _NAME, nullable=False),
        Column("parent", _NAME),
        Column("title", Text, nullable=False),
        Column("category", _NAME, nullable=False),
        Column("assignee", _NAME),
        Column("due_at", _TIME, nullable=False, comment="'never' where there is none, so that it sorts last"),
        Column("secrecy", _NAME, nullable=False),
        Column("created_by", _NAME, nullable=False),
        Column("created_at", _TIME, nullable=False),
        Column("updated_at", _TIME, nullable=False),
        Column("text", Text),
        Column("data", Text, nullable=False, comment="JSON: the class and its other fields"),
        schema=schema,
    )
    Index(f"{prefix}record_queue", record.c.kind, record.c.state, record.c.due_at, record.c.created_at, record.c.id)
    Index(f"{prefix}record_age", record.c.created_at, record.c.id)
    Index(f"{prefix}record_parent", record.c.parent)
    entry = Table(
        f"{prefix}entry",
        metadata,
        Column("position", Integer, primary_key=True, autoincrement=True),
        Column("record_id", _NAME, ForeignKey(record.c.id), nullable=False),
        Column("sequence", Integer, nullable=False),
        Column("trigger", _NAME, nullable=False),
        Column("source", _NAME),
        Column("dest", _NAME, nullable=False),
        Column("actor_id", _NAME, nullable=False),
        Column("actor", Text, nullable=False, comment="JSON"),
        Column("at", _TIME, nullable=False),
        Column("recorded_at", _TIME, nullable=False),
        Column("reason", Text, nullable=False),
        Column("details", Text, comment="JSON"),
        Column("key", _NAME),
        Column("cause", _NAME),
        Column("party", _NAME),
        Column("level", _NAME),
        Column("code", _NAME),
        UniqueConstraint("record_id", "sequence", name=f"{prefix}entry_sequence"),
        UniqueConstraint("actor_id", "key", name=f"{prefix}entry_key"),
        schema=schema,
        sqlite_autoincrement=True,
    )
    Index(f"{prefix}entry_happened", entry.c.trigger, entry.c.at, entry.c.record_id)
    label = Table(
        f"{prefix}label",
        metadata,
        Column("record_id", _NAME, ForeignKey(record.c.id), primary_key=True),
        Column("name", _NAME, primary_key=True),
        Column("value", _NAME, primary_key=True),
        schema=schema,
    )
    Index(f"{prefix}label_value", label.c.name, label.c.value, label.c.record_id)
    meta = Table(
        f"{prefix}meta",
        metadata,
        Column("name", _NAME, primary_key=True),
        Column("value", Text, nullable=False),
        schema=schema,
    )
    return Tables(record=record, entry=entry, label=label, meta=meta)
