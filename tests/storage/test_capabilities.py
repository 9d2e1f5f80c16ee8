"""For each store of the library, a capability and the Protocol that types it agree."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Session

from reportflow import AsyncSqlStore, InvalidValue, MemoryStore, Relay, SqlStore
from reportflow.storage.base import AsyncStore, Capabilities, Store, SupportsHostTransaction
from reportflow.storage.leases import Leases, MemoryLeases, SupportsLeases
from reportflow.storage.memory import AsyncMemoryStore

STORES: Final[dict[str, tuple[Callable[[], Any], Capabilities]]] = {
    "memory": (MemoryStore, Capabilities(leases=True)),
    "memory, awaited": (AsyncMemoryStore, Capabilities()),
    "SQLite in memory": (lambda: SqlStore("sqlite://"), Capabilities(host_transaction=True, leases=True)),
    "SQLite in memory, awaited": (lambda: AsyncSqlStore("sqlite+aiosqlite://"), Capabilities(host_transaction=True)),
}


def agree(store: Any, declared: Capabilities, protocol: type[Any]) -> None:
    """The store declares these capabilities, keeps the contract, and is what its capabilities say."""
    assert store.capabilities == declared
    assert isinstance(store, protocol)
    assert isinstance(store, SupportsHostTransaction) == declared.host_transaction
    assert isinstance(store, SupportsLeases) == declared.leases
    assert not declared.leases or isinstance(store.leases, Leases)


@pytest.mark.parametrize("name", STORES)
def test_a_store_can_do_what_it_declares(name: str) -> None:
    """`host_transaction` and `leases` are declared exactly where the store has the methods."""
    make, declared = STORES[name]
    store = make()
    agree(store, declared, AsyncStore if "awaited" in name else Store)
    closed = store.close()
    if closed is not None:
        asyncio.run(closed)


def test_a_store_on_disk_is_durable_and_shared(tmp_path: Path) -> None:
    """A store on a file declares all of it; bound to a host it does neither bind again nor keep leases."""
    store = SqlStore(f"sqlite:///{tmp_path}/office.db")
    agree(store, Capabilities(durable=True, shared=True, host_transaction=True, leases=True), Store)
    host = create_engine(store.engine.url)
    with host.connect() as connection, Session(host) as session:
        for given in (connection, session):
            agree(store.bound_to(given), Capabilities(durable=True, shared=True), Store)
    host.dispose()
    store.close()


def test_an_asynchronous_store_bound_to_a_host(tmp_path: Path) -> None:
    """The same holds for the asynchronous store."""

    async def main() -> None:
        store = AsyncSqlStore(f"sqlite+aiosqlite:///{tmp_path}/office.db")
        agree(store, Capabilities(durable=True, shared=True, host_transaction=True), AsyncStore)
        assert isinstance(store.engine, AsyncEngine)
        async with store.engine.connect() as connection:
            agree(store.bound_to(connection), Capabilities(durable=True, shared=True), AsyncStore)
        await store.close()

    asyncio.run(main())


class Odd:
    """Something with a method `connection` that gives no connection."""

    def connection(self) -> object:
        """No connection."""
        return self


class OddSession(Session):
    """A session that gives something else than a connection."""

    def connection(self, *_: Any, **__: Any) -> Any:
        """No connection."""
        return "office"


class DemandingSession(Session):
    """A session whose connection cannot be asked for."""

    def connection(self, tenant: str, /) -> Any:  # type: ignore[override]  # that it differs is what is tried
        """No connection without a tenant."""
        raise AssertionError(tenant)


@pytest.mark.parametrize("host", [None, "sqlite://", 5, Odd(), Odd, Session, create_engine("sqlite://")])
def test_what_gives_no_connection_is_refused(host: object) -> None:
    """What is neither a `Connection` nor a `Session` is refused as "connection"."""
    store = SqlStore("sqlite://")
    with pytest.raises(InvalidValue, match="Connection \\| Session") as caught:
        store.bound_to(host)
    assert caught.value.field == "connection"
    store.close()


def test_a_session_that_gives_no_connection_is_refused_when_it_is_asked() -> None:
    """A session is asked at each call; one that gives something else is refused then, and so is one that cannot be."""
    store = SqlStore("sqlite://")
    for session in (OddSession(), DemandingSession()):
        with pytest.raises(InvalidValue, match="Connection \\| Session") as caught:
            store.bound_to(session).get(["r1"])
        assert caught.value.field == "connection"
    store.close()


def test_a_relay_asks_for_leases_where_the_store_has_none() -> None:
    """A relay uses the leases of its store, and needs given ones where the store has none."""
    store = SqlStore("sqlite://")
    Relay(store, print)
    with store.engine.connect() as connection:
        with_none: Any = store.bound_to(connection)
        with pytest.raises(InvalidValue) as caught:
            Relay(with_none, print)
        assert caught.value.field == "leases"
        Relay(with_none, print, leases=MemoryLeases())
    store.close()
