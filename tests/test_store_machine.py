"""The stores that ship, each against the naive model."""

from __future__ import annotations

from tempfile import TemporaryDirectory

from hypothesis import settings

from reportflow import MemoryStore, SqlStore
from reportflow.testing.machine import store_machine


class FileStore(SqlStore):
    """A store on a file in a folder of its own, gone when it is closed."""

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
    stateful_step_count=20
)
