"""The office's own tables, beside those of the records, and its engine."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from reportflow.storage.sql.schema import make_tables


class Base(DeclarativeBase):
    """The tables of the office."""


#: The tables of the records, in the same `MetaData`, so that the office's own can refer to them.
RECORDS = make_tables(Base.metadata)


class Clerk(Base):
    """A person of the office. Of their token only the SHA-256 is kept."""

    __tablename__ = "clerk"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str] = mapped_column(String(100))
    roles: Mapped[list[str]] = mapped_column(JSON)
    token: Mapped[str] = mapped_column(String(64), unique=True)


class Letter(Base):
    """A letter that came in, and the report that was made of it."""

    __tablename__ = "letter"

    number: Mapped[str] = mapped_column(String(40), primary_key=True)
    sender: Mapped[str] = mapped_column(String(100))
    received: Mapped[date]
    report_id: Mapped[str] = mapped_column(ForeignKey(RECORDS.record.c.id))


def make_engine(url: str) -> AsyncEngine:
    """The engine of a database URL. On SQLite people read while one writes, and transactions have savepoints."""
    engine = create_async_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _connected)
        event.listen(engine.sync_engine, "begin", _begun)
    return engine


def _connected(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: SQLAlchemy's manual on savepoints
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begun(connection: Any) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', '')}")
