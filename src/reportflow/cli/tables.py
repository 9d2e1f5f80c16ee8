"""The tables of a database on a terminal: their version, their upgrade, and its SQL."""

from __future__ import annotations

import importlib
from typing import Any

from reportflow.cli.translation import text


def upgrade(database: str, **place: str | None) -> str:
    """Upgrade them; the result as a sentence."""
    migrations = _migrations()
    before, number = migrations.upgrade(database, **_given(place)), migrations.SCHEMA_VERSION
    code = "made" if before is None else "already" if before == number else "upgraded"
    return text(f"db.{code}", before=before, number=number)


def current(database: str, **place: str | None) -> str:
    """Their version, as a sentence."""
    migrations = _migrations()
    before = migrations.current(database, **_given(place))
    return text("db.none" if before is None else "db.current", before=before, number=migrations.SCHEMA_VERSION)


def sql(database: str, **place: str | None) -> str:
    """The SQL of an upgrade."""
    statements: str = _migrations().offline_sql(database, **_given(place))
    return statements


def _migrations() -> Any:
    """The module that upgrades; imported when needed, because it has an extra of its own.

    Raises:
        MissingExtra: Alembic is not installed.
    """
    return importlib.import_module("reportflow.storage.sql.upgrade")


def _given(place: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in place.items() if value is not None}
