"""What is closed, and what is dropped without a `close`: calls of the former, and the connections of both."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, cast

import pytest
from sqlalchemy import create_engine, text

from reportflow import (
    Actor,
    AsyncSqlStore,
    Query,
    ReportFlow,
    SqlStore,
    StorageClosed,
    Store,
    open_async_flow,
    open_flow,
)
from reportflow.office import REPORT, Author, Comment, Report
from reportflow.outbox.relay import Relay
from reportflow.storage.base import SupportsHostTransaction
from reportflow.storage.memory import MemoryStore
from tests.servers import database

LI: Final = Actor(id="li", roles={"editor", "auditor"}, unit="yulin")
ENGINES: Final = [
    "memory",
    "sqlite",
    *(pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in ("postgresql", "mariadb")),
]
#: Engine -> how a URL of its names the asynchronous driver.
AWAITED: Final = {"sqlite": ("sqlite", "sqlite+aiosqlite"), "mariadb": ("pymysql", "asyncmy")}


@pytest.fixture(name="url", params=ENGINES)
def fixture_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """An engine, and the URL of an empty database on it."""
    engine = request.param
    if engine == "memory":
        yield engine, "memory:"
    elif engine == "sqlite":
        yield engine, f"sqlite:///{tmp_path}/office.db"
    else:
        with database(engine) as found:
            yield engine, found


def asynchronous(engine: str, url: str) -> str:
    """The URL for the asynchronous driver."""
    return url.replace(*AWAITED[engine]) if engine in AWAITED else url


def a_report() -> Report:
    """A draft."""
    return Report.draft(title="t", text="x", authors=[Author(name="张三", id="zhang")])


#: Every call of a flow, as it is made on the record that it gave out.
CALLS: Final[dict[str, Callable[[Any, Report], Any]]] = {
    "create": lambda flow, _: flow.create(a_report(), by=LI),
    "fire": lambda flow, report: flow.fire(report, "comment", Comment(text="x"), by=LI),
    "batch": lambda flow, _: flow.batch([]),
    "options": lambda flow, report: flow.options(report, by=LI),
    "get": lambda flow, report: flow.get(report.id, by=LI),
    "find": lambda flow, _: flow.find(Query(), by=LI),
    "inbox": lambda flow, _: flow.inbox(by=LI),
    "count": lambda flow, _: flow.count(Query(), by=LI),
    "history": lambda flow, report: flow.history(report.id, by=LI),
    "feed": lambda flow, _: flow.feed(by=LI),
    "as_of": lambda flow, report: flow.as_of(report.id, by=LI, version=1),
    "verify": lambda flow, _: flow.verify(by=LI),
    "erase": lambda flow, _: flow.erase("zhang", by=LI, reason="x"),
}
#: Every call of a store.
STORE_CALLS: Final[dict[str, Callable[[Store], object]]] = {
    "get": lambda store: store.get(["x"]),
    "find": lambda store: store.find(Query()),
    "count": lambda store: store.count(Query()),
    "history": lambda store: store.history(["x"]),
    "by_key": lambda store: store.by_key("li", "k"),
    "feed": lambda store: store.feed(),
    "sealed": lambda store: store.sealed(),
    "restore": lambda store: store.restore([], []),
}


def test_every_call_of_a_closed_flow_is_an_error(url: tuple[str, str]) -> None:
    """After `close`, each call of a flow and of its store is `StorageClosed`, and closing once more is fine."""
    with open_flow(url[1]) as flow:
        report = flow.create(a_report(), by=LI)
        relay = Relay(flow.store, lambda _: None) if url[0] != "memory" else None
        assert relay is None or relay.run_once() == 1
    for call in CALLS.values():
        with pytest.raises(StorageClosed, match="closed"):
            call(flow, report)
    for ask in STORE_CALLS.values():
        with pytest.raises(StorageClosed):
            ask(flow.store)
    if relay is not None:
        with pytest.raises(StorageClosed):
            relay.run_once()
    flow.close()
    if url[0] != "memory":
        with open_flow(url[1], create=False) as again:
            assert again.get(report.id, by=LI) == report


def test_every_call_of_a_closed_asynchronous_flow_is_an_error(url: tuple[str, str]) -> None:
    """The same of a flow that is awaited."""

    async def ask() -> None:
        async with open_async_flow(asynchronous(*url)) as flow:
            report = await flow.create(a_report(), by=LI)
        for call in CALLS.values():
            with pytest.raises(StorageClosed):
                await call(flow, report)
        await flow.close()
        store: Any = flow.store
        for one in STORE_CALLS.values():
            with pytest.raises(StorageClosed):
                await cast(Any, one(store))

    asyncio.run(ask())


def test_a_commit_to_a_closed_store_is_an_error() -> None:
    """A flow on a store that was closed by another hand is told so too."""
    flow = ReportFlow(MemoryStore(), REPORT)
    flow.store.close()
    with pytest.raises(StorageClosed):
        flow.create(a_report(), by=LI)


def test_a_host_s_engine_outlives_the_flow(url: tuple[str, str]) -> None:
    """On a host's engine, and in its transaction, closing closes the flow alone."""
    if url[0] == "memory":
        assert not isinstance(MemoryStore(), SupportsHostTransaction)
        return
    host = create_engine(url[1])
    with ReportFlow(SqlStore(host), REPORT) as flow:
        with host.begin() as connection:
            with flow.bound_to(connection) as bound:
                report = bound.create(a_report(), by=LI)
            with pytest.raises(StorageClosed):
                bound.fire(report, "comment", Comment(text="x"), by=LI)
            with pytest.raises(StorageClosed):
                bound.store.get([report.id])
            assert flow.bound_to(connection).get(report.id, by=LI) == report
        assert flow.get(report.id, by=LI) == report
    with pytest.raises(StorageClosed):
        flow.get(report.id, by=LI)
    with host.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    host.dispose()


# -- connections ----------------------------------------------------------------------------------------------------


def connections(engine: str, url: str) -> int:
    """How many connections to a database there are, but for the one that asks."""
    if engine == "sqlite":
        path = url.rpartition("///")[2]
        return sum(path in one for one in map(_target, os.listdir("/proc/self/fd")))
    asked = {
        "postgresql": "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()",
        "mariadb": "SELECT count(*) - 1 FROM information_schema.processlist WHERE db = database()",
    }
    asking = create_engine(url)
    with asking.connect() as connection:
        found = connection.scalar(text(asked[engine]))
    asking.dispose()
    return int(found or 0)


def _target(number: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{number}")
    except OSError:
        return ""


def all_closed(engine: str, url: str) -> bool:
    """Whether there is none any more; a server takes a moment to see that one is gone."""
    deadline = time.monotonic() + 10
    while connections(engine, url):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts open files by /proc")
def test_a_flow_that_is_dropped_leaves_no_connection(url: tuple[str, str]) -> None:
    """Where a program lets go of a flow without `close`, its connections are closed at once, without a collection."""
    engine, name = url
    if engine == "memory":
        return
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            flow = open_flow(name)
            report = flow.create(a_report(), by=LI)
            threads = [threading.Thread(target=flow.get, args=(report.id,), kwargs={"by": LI}) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert connections(engine, name)
            del flow, threads, thread
            assert all_closed(engine, name)
    finally:
        gc.enable()


@pytest.mark.filterwarnings("ignore:.*_SelectorTransport|.*socket:pytest.PytestUnraisableExceptionWarning")  # asyncio's
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts open files by /proc")
@pytest.mark.parametrize("loop_ended", [False, True])
def test_a_dropped_asynchronous_flow_leaves_no_connection(url: tuple[str, str], loop_ended: bool) -> None:
    """The same of one that is awaited, in its event loop or after it."""
    engine, name = url
    if engine == "memory":
        return

    async def one() -> Any:
        flow = await open_async_flow(asynchronous(engine, name))
        report = await flow.create(a_report(), by=LI)
        await asyncio.gather(*(flow.get(report.id, by=LI) for _ in range(4)))
        assert connections(engine, name)
        return flow if loop_ended else None

    flow = asyncio.run(one())
    del flow
    gc.collect()
    assert all_closed(engine, name)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts open files by /proc")
def test_many_tasks_share_a_bounded_number_of_connections(url: tuple[str, str]) -> None:
    """A hundred tasks at once wait for one another; on SQLite a connection each would use up the process's files."""
    engine, name = url
    if engine == "memory":
        return

    async def ask() -> int:
        async with open_async_flow(asynchronous(engine, name)) as flow:
            report = await flow.create(a_report(), by=LI)
            await asyncio.gather(*(flow.get(report.id, by=LI) for _ in range(100)))
            return connections(engine, name)

    assert asyncio.run(ask()) <= 24 * (3 if engine == "sqlite" else 1)  # with the files -wal and -shm
    assert all_closed(engine, name)


def test_threads_share_a_bounded_number_of_connections(url: tuple[str, str]) -> None:
    """Forty threads at once wait for one another too."""
    if url[0] == "memory":
        return
    start = threading.Barrier(40)
    with open_flow(url[1]) as flow:
        report = flow.create(a_report(), by=LI)
        failed = []

        def ask() -> None:
            start.wait(30)
            try:
                flow.get(report.id, by=LI)
            except Exception as error:
                failed.append(error)

        threads = [threading.Thread(target=ask) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        pool: Any = getattr(flow.store, "engine").pool  # noqa: B009
        assert pool.checkedin() + len(pool._kept) <= 24


def test_what_is_in_use_while_it_is_closed_is_closed_when_it_is_put_back(tmp_path: Path) -> None:
    """A call that runs while its store is closed comes to its end, and leaves no connection."""
    name = f"sqlite:///{tmp_path}/office.db"
    store = SqlStore(name)
    with store._checkout() as executor:
        store.close()
        assert executor.read(store._statements.last_position, {}) == [("0",)]
    assert connections("sqlite", name) == 0


def test_an_asynchronous_store_that_is_closed_while_it_works(tmp_path: Path) -> None:
    """The same of one that is awaited."""
    name = f"sqlite:///{tmp_path}/office.db"

    async def work() -> None:
        store = AsyncSqlStore(name.replace("sqlite", "sqlite+aiosqlite"))
        await store.open()
        calls = [asyncio.ensure_future(store.feed()) for _ in range(8)]
        await asyncio.sleep(0)
        await store.close()
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert all(one == [] or isinstance(one, StorageClosed) for one in done)

    asyncio.run(work())
    assert connections("sqlite", name) == 0
