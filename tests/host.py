"""A host with a transaction of its own around the calls of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self, TypeVar

from reportflow import AsyncSqlStore, SqlStore, Store
from reportflow.storage.base import Change
from reportflow.testing import awaited
from reportflow.testing.acts import CLASSES

T = TypeVar("T")


@contextmanager
def rolled_back(store: SqlStore) -> Iterator[Store]:
    """The store inside a host's transaction, which is rolled back."""
    with store.engine.connect().execution_options(isolation_level=_level(store.engine)) as connection:
        transaction = connection.begin()
        yield store.bound_to(connection)
        transaction.rollback()


def _level(engine: Any) -> str:
    return "SERIALIZABLE" if engine.dialect.name == "sqlite" else "READ COMMITTED"


class Host(AsyncSqlStore):
    """A store with a host's transaction around all its calls, which is rolled back when it is closed."""

    async def begin(self) -> Self:
        """Begin the transaction."""
        self.connection = self.engine.connect()
        await self.connection
        await self.connection.execution_options(isolation_level=_level(self.engine))
        self.transaction = await self.connection.begin()
        return self

    async def commit(self, changes: Sequence[Change]) -> None:
        await self.bound_to(self.connection).commit(changes)

    async def _run(self, call: Callable[[Any], T]) -> T:
        return await self.bound_to(self.connection)._run(call)

    async def close(self) -> None:
        await self.transaction.rollback()
        await self.connection.close()
        await super().close()


@contextmanager
def async_rolled_back(url: str, prefix: str) -> Iterator[Store]:
    """A store inside a host's transaction, in an event loop of its own, which is rolled back."""
    store = awaited(Host(url, CLASSES, prefix=prefix, create=False).begin())
    yield store
    store.close()
