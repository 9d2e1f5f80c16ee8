"""The office's own tables, by Flask-SQLAlchemy, and its transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, Engine, Numeric, String, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The tables of the office."""


db = SQLAlchemy(model_class=Base)


class Person(Base):
    """An account of a person."""

    __tablename__ = "person"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str] = mapped_column(String(100))
    roles: Mapped[list[str]] = mapped_column(JSON)
    password: Mapped[str] = mapped_column(String(200))


class Supplier(Base):
    """A supplier, and for how much was ordered there."""

    __tablename__ = "supplier"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    blocked: Mapped[bool] = mapped_column(default=False)
    ordered: Mapped[Decimal] = mapped_column(Numeric(14, 2), default=Decimal(0))


@contextmanager
def transaction() -> Iterator[None]:
    """A transaction of the session of this request: kept at its end, or undone where something is raised.

    On SQLite it waits for its turn when it begins, so it never has to be done again.
    """
    db.session.rollback()  # what the request has read before is no part of it
    with db.session.begin():
        db.session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
        yield


def prepare(engine: Engine) -> None:
    """On SQLite people read while one writes, and transactions have savepoints; see SQLAlchemy's manual on these."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _connected)
        event.listen(engine, "begin", _begun)


def _connected(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself
    connection.execute("PRAGMA journal_mode = WAL").close()


def _begun(connection: Any) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', '')}")
