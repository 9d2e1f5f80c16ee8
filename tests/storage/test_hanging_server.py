"""A server that hangs: it keeps its connections, and says nothing."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, Final

import pytest
from sqlalchemy import create_engine, make_url, text

from reportflow import (
    Actor,
    Conflict,
    InvalidURL,
    ReportFlow,
    StorageBusy,
    StorageError,
    StorageUnavailable,
    open_async_flow,
    open_flow,
)
from reportflow.office import REPORT, Author, Comment, Report
from reportflow.storage.memory import MemoryStore
from reportflow.storage.sql.provision import exclusive_ddl
from reportflow.storage.sql.schema import PREFIX, make_tables
from tests.servers import database

LI: Final = Actor(id="li", roles={"editor"}, unit="yulin")
ENGINES: Final = [pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in ("postgresql", "mariadb")]
#: Seconds of silence in these tests, so that they are short; without the option there are five.
SILENCE: Final = 0.4


class Proxy:
    """Forwards what goes to a server and comes from it, until it hangs."""

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self._connect = connect
        self._forwards = threading.Event()
        self._forwards.set()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def hang(self, hangs: bool = True) -> None:
        """From now on nothing goes through, or what has waited and all else does again."""
        (self._forwards.clear if hangs else self._forwards.set)()

    def close(self) -> None:
        """End all of it."""
        self._forwards.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                server = self._connect()
                self._open += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=(source, target), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while some := source.recv(65536):
                self._forwards.wait()
                target.sendall(some)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        source.close()


@contextmanager
def proxied(engine: str, *, option: str = f"?read_timeout={SILENCE}") -> Iterator[tuple[str, Proxy]]:
    """The URL of a new database on a server, by way of a proxy."""
    with database(engine) as found:
        url = make_url(found)
        if engine == "postgresql":
            path = f"{url.query['host']}/.s.PGSQL.5432"

            def connect() -> socket.socket:
                one = socket.socket(socket.AF_UNIX)
                one.connect(path)
                return one

            name = f"postgresql+psycopg://postgres@127.0.0.1:%s/{url.database}"
        else:

            def connect() -> socket.socket:
                return socket.create_connection((str(url.host), int(url.port or 0)))

            name = f"mysql+pymysql://root@127.0.0.1:%s/{url.database}"
        with closing(Proxy(connect)) as proxy:
            yield name % proxy.port + option, proxy


def a_report() -> Report:
    """A draft."""
    return Report.draft(title="t", text="x", authors=[Author(name="张三", id="zhang")])


#: What is called on a flow.
CALLS: Final[dict[str, Callable[[Any, Report], Any]]] = {
    "get": lambda flow, report: flow.get(report.id, by=LI),
    "fire": lambda flow, report: flow.fire(report.id, "comment", Comment(text="x"), by=LI),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_server_that_hangs_is_unavailable(engine: str) -> None:
    """Each call ends in time, with a kept connection and with a new one; when the server goes on, so does the flow."""
    with proxied(engine) as (url, proxy), open_flow(url) as flow:
        report = flow.create(a_report(), by=LI)
        for name in ("get", "fire"):
            proxy.hang()
            begun = time.monotonic()
            with pytest.raises(StorageUnavailable):
                CALLS[name](flow, report)
            assert time.monotonic() - begun < 4
            proxy.hang(False)
            assert flow.get(report.id, by=LI).version >= 1
        version = flow.get(report.id, by=LI).version
        assert flow.fire(report.id, "comment", Comment(text="y"), by=LI).version == version + 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_server_that_hangs_is_unavailable_to_who_awaits_it(engine: str) -> None:
    """The same of an asynchronous flow, while other tasks of its event loop go on."""

    async def ask(url: str, proxy: Proxy) -> None:
        async with open_async_flow(url.replace("pymysql", "asyncmy")) as flow:
            report = await flow.create(a_report(), by=LI)
            for name in ("get", "fire"):
                proxy.hang()
                call = asyncio.ensure_future(CALLS[name](flow, report))
                done, _ = await asyncio.wait([call], timeout=4)
                assert done
                assert isinstance(call.exception(), StorageUnavailable)
                proxy.hang(False)
                assert (await flow.get(report.id, by=LI)).version >= 1

    with proxied(engine) as (url, proxy):
        asyncio.run(ask(url, proxy))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_server_that_works_for_long_may(engine: str) -> None:
    """The option of the URL says how long a server may say nothing; making tables may take longer than that."""
    slow = f"SELECT {'pg_sleep' if engine == 'postgresql' else 'SLEEP'}({2 * SILENCE})"
    with proxied(engine) as (url, _), open_flow(url) as flow:
        store: Any = flow.store
        with store.engine.connect() as connection:
            with exclusive_ddl(connection, make_tables(None, prefix="x_")):
                connection.execute(text(slow))
            with pytest.raises(Exception, match=r"said nothing|Lost connection|timed out"):
                connection.execute(text(slow))
            connection.invalidate()
    with proxied(engine, option="?read_timeout=30") as (url, _), open_flow(url) as flow:
        store = flow.store
        with store.engine.connect() as connection:
            connection.execute(text(slow))


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "mysql+pymysql"])
@pytest.mark.parametrize("given", ["0", "-1", "x", "nan", "inf"])
def test_the_option_is_a_number_of_seconds(driver: str, given: str) -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidURL, match="read_timeout"):
        open_flow(f"{driver}://h/x?read_timeout={given}")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_writer_that_waits_for_another_one_is_told_before_the_server_seems_to_hang(engine: str) -> None:
    """A row that a host holds for long is `StorageBusy`, known to have written nothing; no connection is lost."""
    with database(engine) as url, open_flow(url, retry_timeout=-1.0) as flow:
        report = flow.create(a_report(), by=LI)
        host = create_engine(url)
        with host.begin() as other:
            other.execute(text(f"UPDATE {PREFIX}record SET title = 'y'"))
            with pytest.raises(StorageBusy):
                flow.fire(report.id, "comment", Comment(text="x"), by=LI)
            other.rollback()
        assert flow.fire(report.id, "comment", Comment(text="x"), by=LI).version == 2
        host.dispose()


class Stalling(MemoryStore):
    """A store whose commits take longer than the deadline, and are then told that another writer was faster."""

    stalls = 1
    commits = 0
    error: StorageError = Conflict(["x"])

    def commit(self, changes: Any) -> None:
        """See `Store.commit`."""
        self.commits += 1
        if self.commits <= self.stalls and any(change.record.version > 1 for change in changes):
            time.sleep(0.03)
            raise self.error
        super().commit(changes)


@pytest.mark.parametrize(("stalls", "done"), [(2, True), (3, False)])
def test_after_a_long_stall_there_is_one_more_try(stalls: int, done: bool) -> None:
    """A first try that takes longer than the deadline is followed by one more, and by no third."""
    store = Stalling()
    store.stalls = stalls
    flow = ReportFlow(store, REPORT, retry_timeout=0.01)
    report = flow.create(a_report(), by=LI)
    if done:
        assert flow.fire(report.id, "comment", Comment(text="x"), by=LI).version == 2
    else:
        with pytest.raises(Conflict):
            flow.fire(report.id, "comment", Comment(text="x"), by=LI)
    assert store.commits == 3


def test_who_waited_for_a_lock_until_the_deadline_does_not_wait_again() -> None:
    """`StorageBusy` after the deadline is raised at once, so that the deadline holds."""
    store = Stalling()
    store.stalls, store.error = 2, StorageBusy("memory:", "held")
    flow = ReportFlow(store, REPORT, retry_timeout=0.01)
    report = flow.create(a_report(), by=LI)
    with pytest.raises(StorageBusy):
        flow.fire(report.id, "comment", Comment(text="x"), by=LI)
    assert store.commits == 2
