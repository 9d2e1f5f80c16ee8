"""Faults around a server: killed writers and servers, refused and lost connections, full pools."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy import create_engine, event, text

from reportflow import Actor, Conflict, Fire, Query, ReportFlow, SqlStore, StorageUnavailable, open_flow, replay
from reportflow.office import REPORT, Author, Comment, Report
from reportflow.storage.sql.dialects import translate
from reportflow.storage.sql.pool import make_engine
from tests.servers import MariaDB, PostgreSQL, database

pymysql: Any = pytest.importorskip("pymysql")  # it has no types
LI = Actor(id="li", roles={"editor"}, unit="yulin")
KINDS = {"postgresql": PostgreSQL, "mariadb": MariaDB}
ENGINES = [pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in KINDS]

WRITER = """
import sys
from reportflow import Actor, open_flow
from reportflow.office import Comment
li = Actor(id="li", roles={"editor"}, unit="yulin")
flow = open_flow(sys.argv[1], retry_timeout=60.0)
number = 0
while True:
    number += 1
    record = flow.fire(f"r{number % 3}", "comment", Comment(text="x"), by=li)
    print(record.id, record.version, flush=True)
"""


def filled(url: str) -> None:
    """Three reports."""
    with open_flow(url, new_id=iter(["r0", "r1", "r2"]).__next__) as flow:
        for _ in range(3):
            authors = [Author(name="张三", id="zhang")]
            flow.create(Report.draft(title="t", text="x", authors=authors), by=LI)


def check(url: str, acknowledged: dict[str, int]) -> int:
    """Every record equals its replay, and has every version that was acknowledged; how many entries there are."""
    with open_flow(url, create=False) as flow:
        records = flow.find(Query(order="id"), by=LI).records
        for record in records:
            history = flow.history(record.id, by=LI)
            assert replay(history, REPORT) == record
            assert [entry.sequence for entry in history] == list(range(1, record.version + 1))
            assert record.version >= acknowledged.get(record.id, 1)
        refs = [posted.entry.ref for posted in flow.store.feed(limit=100_000)]
        assert len(refs) == len(set(refs)) == sum(record.version for record in records)
        return len(refs)


def acknowledged(lines: list[str]) -> dict[str, int]:
    """The highest version of each record that was returned to a writer."""
    found: dict[str, int] = {}
    for line in lines:
        if line.endswith("\n"):  # the last one may be half of one
            id, version = line.split()
            found[id] = max(found.get(id, 0), int(version))
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_killed_writers_leave_whole_records(engine: str) -> None:
    """Writers are killed in the middle of it: every record equals its replay, and what was acknowledged is there."""
    with database(engine) as url:
        filled(url)
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True) for _ in range(3)
        ]
        lines: list[str] = []
        for writer in writers:
            assert writer.stdout is not None
            lines += [writer.stdout.readline() for _ in range(20)]  # they are under way
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
        for writer in writers:
            assert writer.stdout is not None
            lines += writer.stdout.readlines()
            writer.stdout.close()
            writer.wait()
        assert check(url, acknowledged(lines)) >= 3 + 60


@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_server_has_all_that_it_acknowledged(engine: str) -> None:
    """The server is killed while four threads write: after its restart, what was acknowledged is there, and no half."""
    if engine == "mariadb":
        database_there = database(engine)  # skips where there is none
        with database_there:
            pass
    server: Any = KINDS[engine]()
    try:
        admin = create_engine(server.url(), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("CREATE DATABASE office"))
        admin.dispose()
        url = server.url("office")
        filled(url)
        flow = open_flow(url)
        acknowledged: dict[str, int] = {}
        began, errors = threading.Semaphore(0), []

        def write(number: int) -> None:
            id = f"r{number % 3}"
            try:
                while True:
                    version = flow.fire(id, "comment", Comment(text="x"), by=LI).version
                    acknowledged[id] = max(acknowledged.get(id, 0), version)
                    began.release()
            except (StorageUnavailable, Conflict) as error:
                errors.append(error)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(40):
            began.acquire()
        os.kill(server.pid, signal.SIGKILL)
        for thread in threads:
            thread.join()
        assert errors
        assert all("s3cret" not in str(error) for error in errors)
        if engine == "mariadb":
            server.process.wait()
        server.restart()
        check(url, acknowledged)
        deadline = time.monotonic() + 60
        while True:  # the flow that saw it die goes on
            with contextlib.suppress(StorageUnavailable):
                flow.fire("r0", "comment", Comment(text="y"), by=LI)
                break
            assert time.monotonic() < deadline
        flow.close()
        check(url, acknowledged)
    finally:
        server.stop()


def free_port() -> int:
    """A port without a listener."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "mysql+pymysql"])
def test_a_missing_server_is_unavailable(driver: str) -> None:
    """A server that does not answer is `StorageUnavailable`, in both languages, without the password."""
    with pytest.raises(StorageUnavailable) as caught:
        open_flow(f"{driver}://li:s3cret@127.0.0.1:{free_port()}/office")
    assert "Check that the server runs" in str(caught.value)
    assert "请确认服务器已在该地址启动" in caught.value.message("zh", reader="developer")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_missing_database_names_the_remedy(engine: str) -> None:
    """A missing database on a server is an error with the remedy."""
    with database(engine) as url, pytest.raises(StorageUnavailable) as caught:
        open_flow(url.replace("rf_", "no_"))
    assert "has this database" in str(caught.value) or "no such database" in str(caught.value)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_exhausted_pool_is_unavailable(engine: str) -> None:
    """When all connections of a host's engine are in use, it is `StorageUnavailable`, and nothing is written."""
    with database(engine) as url:
        filled(url)
        host = create_engine(url, pool_size=1, max_overflow=0, pool_timeout=0.05)
        flow = ReportFlow(SqlStore(host), REPORT)
        with host.connect(), pytest.raises(StorageUnavailable) as caught:
            flow.fire("r0", "comment", Comment(text="x"), by=LI)
        assert "in use" in str(caught.value)
        assert flow.fire("r0", "comment", Comment(text="x"), by=LI).version == 2
        host.dispose()


#: A program that opens a flow and then forks: all four of it write.
FORKED: Final = """
import os, sys
from reportflow import Actor, open_flow
from reportflow.office import Comment

li = Actor(id="li", roles={"editor"}, unit="yulin")
flow = open_flow(sys.argv[1], create=False)
flow.get("r0", by=li)


def write():
    for number in range(20):
        flow.fire("r0", "comment", Comment(text=str(number)), by=li)


children = []
for _ in range(3):
    child = os.fork()
    if not child:
        write()
        flow.close()
        os._exit(0)
    children.append(child)
write()
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
assert codes == [0, 0, 0], codes
assert flow.get("r0", by=li).version == 81
flow.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_fork_has_connections_of_its_own(engine: str) -> None:
    """A flow that was opened and used before a fork works in both processes, with connections of their own."""
    with database(engine) as url:
        filled(url)
        command = [sys.executable, "-c", FORKED, url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        check(url, {"r0": 81})


def interposed(store: SqlStore, before: Callable[[str, Any], None], after: Callable[[str], None]) -> Any:
    """A source of connections as that of the store, with something done before and after each statement."""
    checkout: Any = store._checkout

    class Interposed:
        """A cursor."""

        def __init__(self, cursor: Any, connection: Any) -> None:
            self._cursor = cursor
            self._connection = connection

        def execute(self, sql: str, *values: Any) -> Any:
            before(sql, self._connection)
            done = self._cursor.execute(sql, *values)
            after(sql)
            return done

        def __getattr__(self, name: str) -> Any:
            return getattr(self._cursor, name)

    @contextlib.contextmanager
    def source() -> Iterator[Any]:
        with checkout() as executor:
            executor._cursor = Interposed(executor._cursor, executor._connection)
            yield executor

    return source


@contextlib.contextmanager
def cut_at(store: Any, word: str) -> Iterator[None]:
    """The connection of the next write breaks right before a statement that begins with this word, or has it in it."""

    def cut(sql: str, connection: Any) -> None:
        if word in sql:
            broken(connection)

    checkout = store._checkout
    store._checkout = interposed(store, cut, lambda _: None)  # what is tested is a connection that breaks
    try:
        yield
    finally:
        store._checkout = checkout


@contextlib.contextmanager
def failing_at(store: Any, word: str, error: Exception) -> Iterator[None]:
    """The statement that begins with this word is run, and its driver then raises this."""

    def fail(sql: str) -> None:
        if sql.startswith(word):
            raise error

    checkout = store._checkout
    store._checkout = interposed(store, lambda *_: None, fail)
    try:
        yield
    finally:
        store._checkout = checkout


def broken(pooled: Any) -> None:
    """Break a connection under its driver."""
    driver = pooled.dbapi_connection
    number = driver.fileno() if hasattr(driver, "fileno") else driver._sock.fileno()
    one = socket.socket(fileno=os.dup(number))
    one.shutdown(socket.SHUT_RDWR)
    one.close()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("word", "known"), [("UPDATE", True), ("COMMIT", False)])
def test_a_lost_connection_may_leave_the_commit_in_doubt(
    engine: str, word: str, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection lost before the commit wrote nothing; lost during it, it is in doubt, and the error says so."""
    with database(engine) as url:
        filled(url)
        with open_flow(url) as flow:
            store: Any = flow.store
            if engine == "postgresql":  # where an act is one statement, its loss is a loss with the commit
                if word == "COMMIT":
                    word = "WITH updated"
                else:
                    monkeypatch.setattr("reportflow.storage.sql.writing._is_plain", lambda change: False)
            with cut_at(store, word), pytest.raises(StorageUnavailable) as caught:
                flow.fire(store.get(["r0"])[0], "comment", Comment(text="x"), by=LI)
            assert ("not known" not in str(caught.value)) == known
            assert ("nothing was written" in str(caught.value)) == known
            version = flow.get("r0", by=LI).version
            assert version == 1 or not known
            assert flow.fire("r0", "comment", Comment(text="y"), by=LI).version == version + 1
        check(url, {})


def sqlstate(code: str) -> Exception:
    """What psycopg raises for a state that the server gives."""
    kind = psycopg.errors.lookup(code)
    return kind("the server said so")


#: Engine, what its driver raises at the commit, whether it is known then that nothing was written, the English advice.
AT_COMMIT: Final = [
    ("mariadb", pymysql.err.OperationalError(1180, "Got error 1 during COMMIT"), False, "not known"),
    ("mariadb", pymysql.err.OperationalError(1317, "Query execution was interrupted"), False, "not known"),
    ("mariadb", pymysql.err.InternalError(1105, "Unknown error"), False, "not known"),
    ("mariadb", pymysql.err.OperationalError(1047, "WSREP has not yet prepared node"), False, "not known"),
    ("mariadb", pymysql.err.OperationalError(1021, "Disk full"), False, "not known"),
    ("mariadb", pymysql.err.OperationalError(1290, "--read-only"), True, "read-only"),
    ("mariadb", pymysql.err.OperationalError(1836, "Running in read-only mode"), True, "read-only"),
    ("postgresql", sqlstate("40003"), False, "not known"),
    ("postgresql", sqlstate("08007"), False, "not known"),
    ("postgresql", sqlstate("57P01"), False, "not known"),
    ("postgresql", psycopg.OperationalError("lost"), False, "not known"),
    ("postgresql", sqlstate("25006"), True, "read-only"),
    ("postgresql", sqlstate("53100"), True, "nothing was written"),
]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_commit_that_fails_is_not_known_unless_it_is(engine: str) -> None:
    """An error at the commit says that it is not known whether it was written, unless the code says that it was not."""
    with database(engine) as url:
        filled(url)
        with open_flow(url) as flow:
            store: Any = flow.store
            word = "WITH updated" if engine == "postgresql" else "COMMIT"  # on PostgreSQL an act is one statement
            several = [one[1:] for one in AT_COMMIT if one[0] == engine]
            for error, known, advice in several:
                with failing_at(store, word, error), pytest.raises(StorageUnavailable) as caught:
                    flow.fire(store.get(["r0"])[0], "comment", Comment(text="x"), by=LI)
                assert advice in str(caught.value), error
                assert ("nothing was written" in str(caught.value)) == known, error
                assert ("未写入任何内容" in caught.value.message("zh", reader="developer")) == known
            # several in one commit: a transaction on each engine
            with failing_at(store, "COMMIT", several[0][0]), pytest.raises(StorageUnavailable):
                flow.batch([Fire(id, "comment", Comment(text="x"), by=LI) for id in ("r1", "r2")])
        check(url, {})


def test_a_server_that_takes_no_writes_says_so() -> None:
    """A read-only server, and a node without a quorum, are named as such in both languages."""
    for engine, error, english, chinese in (
        ("mariadb", pymysql.err.OperationalError(1047, "WSREP"), "quorum", "法定多数"),
        ("mariadb", pymysql.err.OperationalError(1290, "--read-only"), "standby", "备用"),
        ("postgresql", sqlstate("25006"), "standby", "备用"),
    ):
        url = "postgresql+psycopg://h/x" if engine == "postgresql" else "mysql+pymysql://h/x"
        told = translate(make_engine(url), error)
        assert isinstance(told, StorageUnavailable)
        assert english in str(told)
        assert "nothing was written" in str(told)
        assert chinese in told.message("zh", reader="developer")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_server_that_was_set_read_only_says_so(engine: str) -> None:
    """The real thing: a session, or a server, that takes no writes; what is read is still read."""
    with database(engine) as url:
        filled(url)
        host = create_engine(url)

        @event.listens_for(host, "connect")
        def read_only(connection: Any, _: object) -> None:
            cursor = connection.cursor()
            cursor.execute(
                "SET default_transaction_read_only = on"
                if engine == "postgresql"
                else "SET SESSION TRANSACTION READ ONLY"
            )
            connection.commit()

        flow = ReportFlow(SqlStore(host), REPORT)
        with pytest.raises(StorageUnavailable, match="The server is read-only"):
            flow.fire("r0", "comment", Comment(text="x"), by=LI)
        assert flow.get("r0", by=LI).version == 1
        host.dispose()


@pytest.mark.parametrize("engine", ENGINES)
def test_processes_on_one_report_lose_nothing(engine: str) -> None:
    """Two processes write to the same records: no version is assigned twice, and none is missing."""
    with database(engine) as url:
        filled(url)
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True) for _ in range(2)
        ]
        lines: list[str] = []
        for writer in writers:
            assert writer.stdout is not None
            lines += [writer.stdout.readline() for _ in range(40)]
        for writer in writers:
            writer.kill()
            assert writer.stdout is not None
            lines += [line for line in writer.stdout.readlines() if line.endswith("\n")]
            writer.stdout.close()
            writer.wait()
        assert len(lines) == len(set(lines)), "no version was given twice"
        check(url, acknowledged(lines))
