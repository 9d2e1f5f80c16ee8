"""The contract on PostgreSQL and MariaDB, for real: each server is started by the tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import pytest

from reportflow.storage.contract import Store
from reportflow.storage.sql.store import SqlStore
from reportflow.testing import StoreConformance
from tests.host import rolled_back
from tests.servers import SERVERS, database

_NUMBERS = itertools.count(1)


class OnAServer(StoreConformance):
    engine: ClassVar[str]
    url: ClassVar[str]
    prefixes: ClassVar[dict[Store, str]] = {}

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _database(cls) -> Iterator[None]:
        with database(cls.engine) as cls.url:
            yield

    def make_store(self) -> Store:
        prefix = f"t{next(_NUMBERS)}_"
        store = SqlStore(self.url, prefix=prefix)
        self.prefixes[store] = prefix
        return store

    def reopen(self, store: Any) -> Store:
        return SqlStore(self.url, prefix=self.prefixes[store], create=False)

    def rolled_back(self, store: Any) -> AbstractContextManager[Store]:
        return rolled_back(store)


@pytest.mark.xdist_group("postgresql")
class TestPostgreSQL(OnAServer):
    engine = "postgresql"


@pytest.mark.xdist_group("mariadb")
class TestMariaDB(OnAServer):
    engine = "mariadb"


def test_the_servers_are_those_of_the_table() -> None:
    """There is a server for each engine that the tests are run on."""
    assert set(SERVERS) == {"postgresql", "mariadb"}
