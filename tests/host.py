"""A host with a transaction of its own, around what a store does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reportflow.storage.sql.store import BoundSqlStore, SqlStore


@contextmanager
def rolled_back(store: SqlStore) -> Iterator[BoundSqlStore]:
    """The store inside a transaction of somebody's, which is rolled back."""
    level = "SERIALIZABLE" if store.engine.dialect.name == "sqlite" else "READ COMMITTED"
    with store.engine.connect().execution_options(isolation_level=level) as connection:
        transaction = connection.begin()
        yield store.bound_to(connection)
        transaction.rollback()
