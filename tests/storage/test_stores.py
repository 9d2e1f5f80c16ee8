"""The stores of the library pass the contract: each gives the suite a factory."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from reportflow import MemoryStore, SqlStore, Store
from reportflow.testing import StoreTests
from reportflow.testing.conformance.suite import RolledBack
from reportflow.testing.conformance.whole import every_test
from tests.host import rolled_back


class TestMemoryStore(StoreTests):
    @pytest.fixture
    def new_store(self) -> Callable[[], Store]:
        return MemoryStore


class OnSqlite(StoreTests):
    @pytest.fixture
    def rolled_back(self) -> RolledBack:
        return rolled_back


class TestSqlStoreInMemory(OnSqlite):
    @pytest.fixture
    def new_store(self) -> Callable[[], Store]:
        return lambda: SqlStore("sqlite://")


class TestSqlStoreOnAFile(OnSqlite):
    @pytest.fixture
    def new_store(self, tmp_path: Path) -> Callable[[], Store]:
        numbers = itertools.count()
        return lambda: SqlStore(f"sqlite:///{tmp_path}/office{next(numbers)}.db")

    @pytest.fixture
    def reopen(self) -> Callable[[SqlStore], Store]:
        return lambda store: SqlStore(str(store.engine.url))


def test_no_test_of_the_suite_hides_another() -> None:
    """The parts of the suite have no two tests of one name: each is run."""
    assert len(every_test()) == len(set(every_test()))
