"""The stores that ship keep the contract: each gives the suite a factory."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from reportflow import MemoryStore, SqlStore, Store
from reportflow.testing.conformance import StoreConformance
from tests.host import rolled_back


class TestMemoryStore(StoreConformance):
    def make_store(self) -> Store:
        return MemoryStore()


class TestSqlStoreInMemory(StoreConformance):
    def make_store(self) -> Store:
        return SqlStore("sqlite://")

    def rolled_back(self, store: Any) -> AbstractContextManager[Store]:
        return rolled_back(store)


class TestSqlStoreOnAFile(StoreConformance):
    @pytest.fixture(autouse=True)
    def _in_a_folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.urls: dict[object, str] = {}

    def make_store(self) -> Store:
        return self.opened(f"sqlite:///{self.folder}/office{len(self.urls)}.db")

    def reopen(self, store: Store) -> Store:
        return self.opened(self.urls[store])

    def rolled_back(self, store: Any) -> AbstractContextManager[Store]:
        return rolled_back(store)

    def opened(self, url: str) -> Store:
        store = SqlStore(url)
        self.urls[store] = url
        return store


def test_no_test_of_the_suite_hides_another() -> None:
    """The parts of the suite have no two tests of one name: each is run."""
    parts = [part for part in StoreConformance.__mro__ if part is not StoreConformance]
    names = [name for part in parts for name in vars(part) if name.startswith("test_")]
    assert len(names) == len(set(names))
