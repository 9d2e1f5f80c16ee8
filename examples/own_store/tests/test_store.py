"""The store keeps the contract: the suite does the asking, this file is its factory."""

from __future__ import annotations

from own_store import SqliteStore
from own_store.proof import fresh, reopen
from reportflow.testing import StoreConformance


class TestSqliteStore(StoreConformance):
    def make_store(self) -> SqliteStore:
        return fresh()

    def reopen(self, store: SqliteStore) -> SqliteStore:
        return reopen(store)
