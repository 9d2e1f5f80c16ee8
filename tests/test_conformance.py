"""The stores that ship keep the contract: each gives the suite a factory."""

from __future__ import annotations

from pathlib import Path

import pytest

from reportflow import MemoryStore, SqlStore, Store
from reportflow.testing.conformance import StoreConformance


class TestMemoryStore(StoreConformance):
    def make_store(self) -> Store:
        return MemoryStore()


class TestSqlStoreInMemory(StoreConformance):
    def make_store(self) -> Store:
        return SqlStore("sqlite://")


class TestSqlStoreOnAFile(StoreConformance):
    @pytest.fixture(autouse=True)
    def _in_a_folder(self, tmp_path: Path) -> None:
        self.folder, self.made = tmp_path, 0

    def make_store(self) -> Store:
        self.made += 1
        return SqlStore(f"sqlite:///{self.folder}/office{self.made}.db")

    def reopen(self, store: Store) -> Store:
        store.close()
        return SqlStore(f"sqlite:///{self.folder}/office{self.made}.db")


def test_no_test_of_the_suite_hides_another() -> None:
    """The parts of the suite have no two tests of one name: each is run."""
    parts = [part for part in StoreConformance.__mro__ if part is not StoreConformance]
    names = [name for part in parts for name in vars(part) if name.startswith("test_")]
    assert len(names) == len(set(names))
