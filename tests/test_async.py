"""Asynchronous: the same contract, the same flow, and nothing half done by a call that is cancelled."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import pytest

from reportflow import AsyncSqlStore, Store
from reportflow.storage.contract import AsyncStore
from reportflow.testing import StoreConformance
from tests.host import async_rolled_back
from tests.servers import SERVERS, database

_NUMBERS = itertools.count(1)

#: Engine -> the driver of it that is awaited.
DRIVERS = {"postgresql": "psycopg", "mariadb": "asyncmy"}


class Awaited(StoreConformance):
    url: ClassVar[str]

    @pytest.fixture(autouse=True)
    def _remembered(self) -> None:
        self.prefixes: dict[object, str] = {}

    def opened(self, prefix: str, **options: Any) -> AsyncStore:
        store = AsyncSqlStore(self.url, prefix=prefix, **options)
        self.prefixes[store] = prefix
        return store

    def make_store(self) -> AsyncStore:
        return self.opened(f"t{next(_NUMBERS)}_")

    def reopen(self, store: object) -> AsyncStore:
        return self.opened(self.prefixes[store], create=False)

    def rolled_back(self, store: object) -> AbstractContextManager[Store]:
        return async_rolled_back(self.url, self.prefixes[store])


class TestAiosqlite(Awaited):
    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _file(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        cls.url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('office')}/office.db"


class OnAServer(Awaited):
    engine: ClassVar[str]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _database(cls) -> Iterator[None]:
        with database(cls.engine, DRIVERS[cls.engine]) as cls.url:
            yield


@pytest.mark.xdist_group("postgresql")
class TestPsycopg(OnAServer):
    engine = "postgresql"


@pytest.mark.xdist_group("mariadb")
class TestAsyncmy(OnAServer):
    engine = "mariadb"
