"""The tables of a database on a terminal: their version, their upgrade, and its SQL."""

from __future__ import annotations

import importlib
from typing import Any

from reportflow.cli.speech import say


def upgrade(database: str, **place: str | None) -> str:
    """Upgrade them; what came of it, as a sentence."""
    migrations = _migrations()
    before, number = migrations.upgrade(database, **_given(place)), migrations.SCHEMA_VERSION
    if before is None:
        return say("db.made", number=number)
    if before == number:
        return say("db.already", number=number)
    return say("db.upgraded", before=before, number=number)


def current(database: str, **place: str | None) -> str:
    """Of which version they are, as a sentence."""
    migrations = _migrations()
    before, number = migrations.current(database, **_given(place)), migrations.SCHEMA_VERSION
    return say("db.none", number=number) if before is None else say("db.current", before=before, number=number)


def sql(database: str, **place: str | None) -> str:
    """The SQL of an upgrade."""
    text: str = _migrations().offline_sql(database, **_given(place))
    return text


def _migrations() -> Any:
    """The module that upgrades; imported by who needs it, for it needs an extra of its own.

    Raises:
        MissingExtra: Alembic is not installed.
    """
    return importlib.import_module("reportflow.storage.sql.upgrade")


def _given(place: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in place.items() if value is not None}
