"""The store keeps the contract: the suite has the tests, this file has its factory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from own_store import SqliteStore, proof
from reportflow.testing import StoreTests


class TestSqliteStore(StoreTests):
    profile = "brief"  # `reportflow conform` runs it whole

    @pytest.fixture
    def new_store(self) -> Callable[[], SqliteStore]:
        return proof.fresh

    @pytest.fixture
    def reopen(self) -> Callable[[SqliteStore], SqliteStore]:
        return proof.reopen
