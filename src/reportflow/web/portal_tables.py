"""The portal's own tables, ``{prefix}web_…``; what is in them, `reportflow.web.portal_store` says."""

from __future__ import annotations

from typing import Any

import attrs
import sqlalchemy as sa

from reportflow.storage.sql.schema import NAME, PREFIX, TIME, WORD, text


@attrs.frozen
class WebTables:
    """Drafts of forms, saved views, open forms, readings of what is secret, and the key of signatures."""

    draft: sa.Table
    view: sa.Table
    presence: sa.Table
    read: sa.Table
    secret: sa.Table
    metadata: sa.MetaData


def make_web_tables(
    metadata: sa.MetaData | None = None, *, prefix: str = PREFIX, schema: str | None = None
) -> WebTables:
    """Put the portal's tables into a `MetaData`, one of their own unless given: for a host's own migrations."""
    held = sa.MetaData() if metadata is None else metadata

    def table(name: str, *columns: sa.Column[Any]) -> sa.Table:
        engine: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_default_charset": "utf8mb4"}
        return sa.Table(f"{prefix}web_{name}", held, *columns, schema=schema, **engine)

    def key(name: str, kind: sa.String = NAME) -> sa.Column[Any]:
        return sa.Column(name, kind, primary_key=True)

    draft = table(
        "draft",
        key("actor"),
        key("record"),
        key("trigger", WORD),
        key("tab", WORD),
        sa.Column("head", WORD, nullable=False),
        sa.Column("fields", text(), nullable=False, comment="JSON"),
        sa.Column("saved_at", TIME, nullable=False),
    )
    view = table(
        "view", key("actor"), key("name", WORD), sa.Column("query", text(), nullable=False), sa.Column("saved_at", TIME)
    )
    presence = table(
        "presence",
        key("record"),
        key("actor"),
        sa.Column("name", NAME, nullable=False),
        sa.Column("trigger", WORD, nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
    )
    read = table(
        "read",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("actor", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("record", NAME, nullable=False),
        sa.Column("secrecy", WORD, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    sa.Index(f"{prefix}web_read_record", read.c.record, read.c.id)
    secret = table("secret", key("name", WORD), sa.Column("value", WORD, nullable=False))
    return WebTables(draft, view, presence, read, secret, held)
