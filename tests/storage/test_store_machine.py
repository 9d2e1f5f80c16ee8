"""The stores that ship, each against the naive model; and what that needs."""

from __future__ import annotations

import importlib
import sys
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from reportflow import MemoryStore, MissingExtra, SqlStore
from reportflow.testing.machine import store_machine


class FileStore(SqlStore):
    """A store on a file in a folder of its own, which is removed when the store is closed."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        super().__init__(f"sqlite:///{self._folder.name}/office.db")

    def close(self) -> None:
        super().close()
        self._folder.cleanup()


TestMemoryStore = store_machine(MemoryStore).TestCase
TestSqlStoreInMemory = store_machine(lambda: SqlStore("sqlite://")).TestCase
TestSqlStoreOnAFile = store_machine(FileStore).TestCase

TestMemoryStore.settings = TestSqlStoreInMemory.settings = TestSqlStoreOnAFile.settings = settings(
    max_examples=25, stateful_step_count=20
)


@pytest.mark.parametrize("module", ["machine", "strategies"])
def test_without_hypothesis(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Hypothesis the parts of the test kit that need it name the extra to install."""
    for name in ("hypothesis", "hypothesis.strategies", "hypothesis.stateful"):
        monkeypatch.setitem(sys.modules, name, None)
    loaded = ("reportflow.testing.machine", "reportflow.testing.strategies")
    for name in [one for one in sys.modules if one.startswith(loaded)]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtra) as caught:
        importlib.import_module(f"reportflow.testing.{module}")
    assert caught.value.package == "reportflow[testing]"
    assert importlib.import_module("reportflow.testing").StoreTests
