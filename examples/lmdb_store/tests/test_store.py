"""The store keeps the contract: the suite has the tests, this file has its factory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lmdb_store import LmdbStore, proof
from reportflow.testing import StoreTests


class TestLmdbStore(StoreTests):
    profile = "brief"  # `reportflow conform` runs it whole

    @pytest.fixture
    def new_store(self) -> Callable[[], LmdbStore]:
        return proof.fresh

    @pytest.fixture
    def reopen(self) -> Callable[[LmdbStore], LmdbStore]:
        return proof.reopen
