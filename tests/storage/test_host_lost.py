"""A host's transaction that goes wrong: nothing of a call that raises, an error of its own where it is lost."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import pytest
from sqlalchemy import Connection, Engine, String, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError, PendingRollbackError
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, scoped_session, sessionmaker

from reportflow import (
    AsyncReportFlow,
    AsyncSqlStore,
    Conflict,
    Create,
    Fire,
    InvalidValue,
    Query,
    ReportFlow,
    ReportflowError,
    SqlStore,
    StaleRecord,
    StorageBusy,
    StorageClosed,
    StorageError,
    TransactionRolledBack,
)
from reportflow.hosts.retry import retrying
from reportflow.office import Comment, Revision
from reportflow.storage.sql.executor import ConnectionCursor
from reportflow.storage.sql.schema import make_tables
from tests.lifecycles import OPEN_REPORT
from tests.servers import database
from tests.storage.test_host_transaction import ENGINES, LI, draft

EDIT: Final = Revision(text="y")


@pytest.fixture(scope="module", params=[pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in ENGINES])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('lost')}/host.db"
    else:
        with database(request.param) as made:
            yield made


@pytest.fixture
def host(url: str) -> Iterator[Engine]:
    """The host's own engine on it."""
    engine = create_engine(url, pool_size=20)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def store(url: str) -> Iterator[SqlStore]:
    """The tables on it, for all tests: on a server, making them takes longer than most of these."""
    made = SqlStore(url, prefix="lost_")
    yield made
    made.close()


@pytest.fixture
def flow(store: SqlStore) -> Iterator[ReportFlow]:
    """A flow on empty tables. It is not closed, since its store is that of all tests."""
    yield ReportFlow(store, OPEN_REPORT)
    tables = make_tables(None, prefix="lost_")
    with store.engine.connect() as connection:
        for table in (tables.label, tables.entry, tables.record):
            connection.execute(table.delete())


@pytest.fixture
def letters(host: Engine) -> Iterator[Callable[[Connection], list[str]]]:
    """A table of the host's, and what is in it."""
    with host.begin() as connection:
        connection.execute(text("CREATE TABLE letters (id VARCHAR(20) PRIMARY KEY)"))
    yield lambda connection: list(connection.scalars(text("SELECT id FROM letters ORDER BY id")))
    with host.begin() as connection:
        connection.execute(text("DROP TABLE letters"))


def write(connection: Connection, letter: str) -> None:
    """Write one letter."""
    connection.execute(text("INSERT INTO letters VALUES (:id)"), {"id": letter})


def stored(flow: ReportFlow) -> object:
    """All that a store shows."""
    records = flow.find(Query(), by=LI).records
    return records, flow.store.history([one.id for one in records]), flow.count(Query(topic="road"), by=LI)


# -- a call that raises has changed nothing ----------------------------------------------------------------------------


class Stopped(BaseException):
    """What is no `Exception`, as a KeyboardInterrupt."""


@pytest.mark.parametrize("raised", [RuntimeError, Stopped])
def test_whatever_statement_fails_nothing_is_changed(
    flow: ReportFlow,
    host: Engine,
    raised: type[BaseException],
    letters: Callable[[Connection], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At whatever statement of an act something raises, the host commits what it wrote itself, and nothing of the act.

    The act creates a record with labels, changes another one, and writes three entries.
    """
    first = flow.create(draft("r1"), by=LI)
    made = Create(draft("r2", topics=["road"]), by=LI)
    act: list[Create | Fire] = [Fire(first, "edit", EDIT, by=LI), made, Fire("r2", "edit", EDIT, by=LI)]
    before, execute = stored(flow), ConnectionCursor.execute
    at, left = 0, 0

    def fail(*given: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise raised
        execute(*given)

    monkeypatch.setattr(ConnectionCursor, "execute", fail)
    monkeypatch.setattr(ConnectionCursor, "executemany", fail)
    while True:
        at, left = at + 1, at + 1
        with host.connect() as connection:
            write(connection, f"before {at}")
            with suppress(raised):
                flow.bound_to(connection).batch(act)
            if left > 0:
                break
            write(connection, f"after {at}")
            connection.commit()
            assert len(letters(connection)) == 2 * at
        assert stored(flow) == before
    assert at > 6
    assert stored(flow) == before  # the last one was rolled back


def test_a_locked_row_of_the_second_record(flow: ReportFlow, host: Engine) -> None:
    """Where another transaction holds the second record, the act is `StorageBusy`, and the first is as it was.

    MariaDB undoes only the statement that waited; PostgreSQL would undo everything without a savepoint.
    """
    if host.dialect.name == "sqlite":
        pytest.skip("the one write lock is had or not before anything is written")
    for id in ("r1", "r2"):
        flow.create(draft(id), by=LI)
    before = stored(flow)
    wait = "SET lock_timeout = 50" if host.dialect.name == "postgresql" else "SET innodb_lock_wait_timeout = 1"
    impatient = ReportFlow(flow.store, OPEN_REPORT, retry_timeout=0)
    with host.connect() as other:
        flow.bound_to(other).fire("r2", "comment", Comment(text="z"), by=LI)
        with host.connect() as connection:
            connection.execute(text(wait))
            bound = impatient.bound_to(connection)
            with pytest.raises(StorageBusy):
                bound.batch([Fire(id, "edit", EDIT, by=LI) for id in ("r1", "r2")])
            connection.commit()
        other.rollback()
        assert stored(flow) == before


def test_a_connection_that_commits_at_once(flow: ReportFlow, host: Engine) -> None:
    """In autocommit mode there is no transaction of the host's: an act is one of its own, whole or absent."""
    first = flow.create(draft("r1"), by=LI)
    with host.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        bound = flow.bound_to(connection)
        bound.fire("r1", "edit", EDIT, by=LI)
        done = stored(flow)
        with pytest.raises(ReportflowError):
            bound.batch([Create(draft("r2"), by=LI), Fire(first, "edit", EDIT, by=LI, version=1)])
        other: Any = bound.store
        other._run = lambda *_: (_ for _ in ()).throw(ZeroDivisionError)
        with pytest.raises(ZeroDivisionError):
            bound.fire("r1", "comment", Comment(text="z"), by=LI)
        assert stored(flow) == done


# -- bindings ----------------------------------------------------------------------------------------------------------


def test_a_scoped_session_is_bound_once(flow: ReportFlow, host: Engine) -> None:
    """A flow bound once to a `scoped_session` writes in the session of each thread, and again after its commit."""
    sessions = scoped_session(sessionmaker(host))
    bound = flow.bound_to(sessions)
    errors: list[object] = []

    def request(name: str) -> None:
        try:
            for turn in range(2):
                bound.create(draft(f"{name}{turn}"), by=LI)
                sessions.commit()
            bound.create(draft(f"{name} lost"), by=LI)
        except Exception as error:
            errors.append(error)
        finally:
            sessions.remove()

    for name in "abc":
        thread = threading.Thread(target=request, args=(name,))
        thread.start()
        thread.join()
    assert errors == []
    assert [one.id for one in flow.find(Query(order="id"), by=LI)] == ["a0", "a1", "b0", "b1", "c0", "c1"]


def _closed(host: Engine) -> Any:
    connection = host.connect()
    connection.close()
    return connection


def _closed_for_good(host: Engine) -> Any:
    session = Session(host, close_resets_only=False)
    session.close()
    return session


def _ended(host: Engine) -> Any:
    connection = host.connect()
    connection.begin().__enter__().rollback()
    return connection


class _Base(DeclarativeBase):
    """What the host maps."""


class _Letter(_Base):
    """A letter of the host's."""

    __tablename__ = "mapped_letters"
    id: Mapped[str] = mapped_column(String(20), primary_key=True)


def _failed_flush(host: Engine) -> Any:
    _Base.metadata.create_all(host)
    session = Session(host)
    session.add_all([_Letter(id="a"), _Letter(id="a")])
    with suppress(IntegrityError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that both are the same
        session.flush()
    return session


def _invalidated(host: Engine) -> Any:
    connection = host.connect()
    connection.execute(text("SELECT 1"))
    connection.invalidate()
    return connection


DEAD: Final[dict[str, tuple[Callable[[Engine], Any], type[ReportflowError]]]] = {
    "a connection that is closed": (_closed, StorageClosed),
    "a session that is closed for good": (_closed_for_good, StorageClosed),
    "a transaction that was ended inside its block": (_ended, TransactionRolledBack),
    "a session whose flush failed": (_failed_flush, TransactionRolledBack),
    "a connection that was lost": (_invalidated, TransactionRolledBack),
    "a session without an engine": (lambda host: Session(), InvalidValue),
}


@pytest.mark.parametrize("kind", DEAD)
def test_a_dead_binding_is_an_error_of_the_library(flow: ReportFlow, host: Engine, kind: str) -> None:
    """What can give no connection any more is an error of the library for every call, and it can be told which."""
    make, error = DEAD[kind]
    given = make(host)
    bound = flow.bound_to(given)
    for call in (lambda: bound.get("r1", by=LI), lambda: bound.create(draft("r1"), by=LI), lambda: bound.store.feed()):
        with pytest.raises(error):
            call()
    given.close()


def test_a_connection_to_another_engine(url: str) -> None:
    """A store cannot write on a connection to another engine than its own: that is said, and nothing is sent."""
    if url.startswith("sqlite"):
        pytest.skip("the other one of each pair is SQLite")
    with (
        ReportFlow(SqlStore(url), OPEN_REPORT) as flow,
        create_engine("sqlite://").connect() as connection,
        pytest.raises(InvalidValue, match="Connection to"),
    ):
        flow.bound_to(connection).get("r1", by=LI)


def test_a_connection_of_another_thread(tmp_path: Any) -> None:
    """SQLite refuses a connection in another thread than its own: an error of the library."""
    store = SqlStore(f"sqlite:///{tmp_path}/x.db")
    engine = create_engine(f"sqlite:///{tmp_path}/x.db", connect_args={"check_same_thread": True})
    errors: list[BaseException] = []

    def use() -> None:
        try:
            store.bound_to(connection).get(["r1"])
        except Exception as error:
            errors.append(error)

    with engine.connect() as connection:
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    assert [isinstance(error, StorageError) for error in errors] == [True]
    engine.dispose()
    store.close()


# -- a transaction that is lost ----------------------------------------------------------------------------------------


def _snapshot(level: str) -> Callable[[ReportFlow, Engine], Connection]:
    def lose(flow: ReportFlow, host: Engine) -> Connection:
        connection = host.connect().execution_options(isolation_level=level)
        flow.bound_to(connection).get("r1", by=LI)
        flow.fire("r1", "comment", Comment(text="sooner"), by=LI)
        return connection

    return lose


def _read_before(flow: ReportFlow, host: Engine) -> Connection:
    connection = host.connect()
    connection.exec_driver_sql("BEGIN")
    flow.bound_to(connection).get("r1", by=LI)
    flow.fire("r1", "comment", Comment(text="sooner"), by=LI)
    return connection


def _deadlock(flow: ReportFlow, host: Engine) -> Connection:
    """The connection has r2, and is about to wait for r1, whose holder waits for r2; it is the one that gives up."""
    connection, other = host.connect(), host.connect()
    if host.dialect.name == "postgresql":  # who first notices gives up
        connection.execute(text("SET deadlock_timeout = '10ms'"))
        other.execute(text("SET deadlock_timeout = '30s'"))
    for number in range(50):  # on MariaDB, who has written less
        write(other, f"much {number}")
    flow.bound_to(other).fire("r1", "comment", Comment(text="z"), by=LI)
    flow.bound_to(connection).fire("r2", "comment", Comment(text="z"), by=LI)
    waiting = threading.Event()

    def wait() -> None:
        event.listen(other, "before_cursor_execute", lambda *_: waiting.set())
        flow.bound_to(other).fire("r2", "comment", Comment(text="z"), by=LI)
        other.rollback()
        other.close()

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait()
    time.sleep(0.1)
    return connection


def _snapshot_isolation(flow: ReportFlow, host: Engine) -> Connection:
    """A server that tells where a row was changed since the transaction began, as MariaDB does from 11.6 on."""
    connection = host.connect()
    connection.execute(text("SET innodb_snapshot_isolation = ON"))
    flow.bound_to(connection).get("r1", by=LI)
    flow.fire("r1", "comment", Comment(text="sooner"), by=LI)
    return connection


def _gone(flow: ReportFlow, host: Engine) -> Connection:
    """A statement of the host's own failed, and was ignored."""
    connection = host.connect()
    with suppress(DBAPIError):
        connection.execute(text("SELECT nothing"))
    return connection


#: Engine -> how a host's transaction is lost there.
LOST: Final[dict[str, dict[str, Callable[[ReportFlow, Engine], Connection]]]] = {
    "sqlite": {"has read": _read_before},
    "postgresql": {
        "repeatable read": _snapshot("REPEATABLE READ"),
        "serializable": _snapshot("SERIALIZABLE"),
        "deadlock": _deadlock,
        "failed": _gone,
    },
    "mysql": {"deadlock": _deadlock, "repeatable read": _snapshot_isolation},
}


@pytest.mark.parametrize("how", sorted({how for ways in LOST.values() for how in ways}))
def test_a_lost_transaction_is_an_error_of_its_own(
    flow: ReportFlow, host: Engine, how: str, letters: Callable[[Connection], list[str]]
) -> None:
    """Where the engine leaves no transaction to go on with, each call in it says so; the next transaction is another.

    So does a second flow that is bound to it. On a server, what the host wrote before is gone even where it commits.
    """
    lose = LOST[host.dialect.name].get(how)
    if lose is None:
        pytest.skip("it is not lost on this engine")
    for id in ("r1", "r2"):
        flow.create(draft(id), by=LI)
    connection = lose(flow, host)
    with suppress(DBAPIError):  # on SQLite, and after an error of its own, the host can write nothing itself
        write(connection, "A")
    bound = flow.bound_to(connection)
    with pytest.raises(TransactionRolledBack) as caught:
        bound.fire("r1", "edit", EDIT, by=LI)
    assert "begin again" in str(caught.value)
    again = flow.bound_to(connection)
    for call in (lambda: again.get("r2", by=LI), lambda: again.create(draft("r3"), by=LI), again.store.feed):
        with pytest.raises(TransactionRolledBack):
            call()
    if how == "has read":
        connection.rollback()
    else:
        connection.commit()
    assert letters(connection) == []
    assert bound.fire("r1", "edit", EDIT, by=LI).state == "edited"
    connection.commit()
    connection.close()
    assert [one.trigger for one in flow.history("r1", by=LI)][-1] == "edit"
    assert [one.id for one in flow.find(Query(order="id"), by=LI)] == ["r1", "r2"]


def test_a_savepoint_of_the_host_saves_a_transaction_of_postgresql(flow: ReportFlow, host: Engine) -> None:
    """After a rollback to a savepoint of the host's, what was before is still there, and the library works again."""
    if host.dialect.name != "postgresql":
        pytest.skip("elsewhere all of it is gone")
    for id in ("r1", "r2"):
        flow.create(draft(id), by=LI)
    with host.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        bound = flow.bound_to(connection)
        bound.fire("r2", "edit", EDIT, by=LI)
        flow.fire("r1", "comment", Comment(text="sooner"), by=LI)
        with pytest.raises(TransactionRolledBack), connection.begin_nested():
            bound.fire("r1", "edit", EDIT, by=LI)
        bound.fire("r2", "comment", Comment(text="later"), by=LI)
        connection.commit()
    assert [one.trigger for one in flow.history("r2", by=LI)] == ["create", "edit", "comment"]


def test_a_race_on_connections_that_commit_at_once(flow: ReportFlow, host: Engine) -> None:
    """In autocommit mode a transaction is the act's own: one that is lost is tried again, and no host sees it."""
    for id in ("r1", "r2"):
        flow.create(draft(id), by=LI)
    level = {"sqlite": "", "postgresql": "SET default_transaction_isolation = 'serializable'"}.get(host.dialect.name)
    errors: list[object] = []

    def act(ids: tuple[str, str]) -> None:
        try:
            with host.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text(level or "SELECT 1"))
                for _ in range(5):
                    comments = [Fire(id, "comment", Comment(text="z"), by=LI) for id in ids]
                    flow.bound_to(connection).batch(comments)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=act, args=(ids,)) for ids in (("r1", "r2"), ("r2", "r1")) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [len(flow.history(id, by=LI)) for id in ("r1", "r2")] == [21, 21]


# -- retries -----------------------------------------------------------------------------------------------------------

#: Engine -> the levels of isolation at which a conflict is settled inside the transaction; None for the usual one.
SETTLED: Final[dict[str, tuple[str | None, ...]]] = {
    "sqlite": (None,),
    "postgresql": (None, "READ COMMITTED"),
    "mysql": (None, "READ COMMITTED", "REPEATABLE READ"),
}
LEVELS: Final = (None, "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


@pytest.mark.parametrize("level", LEVELS)
def test_many_hosts_comment_on_one_record(flow: ReportFlow, host: Engine, level: str | None) -> None:
    """Comments commute: transactions of twenty hosts at once all get theirs in, where the engine shows them the latest.

    Elsewhere each is told that its transaction is lost, and `retrying` does it again.
    """
    if host.dialect.name == "sqlite" and level is not None:
        pytest.skip("SQLite has one level")
    options = {} if level is None else {"isolation_level": level}
    settled = level in SETTLED[host.dialect.name]
    barrier, runs, errors = threading.Barrier(20), [], []
    flow.create(draft("r1"), by=LI)

    def comment(number: int) -> None:
        with host.connect().execution_options(**options) as connection, connection.begin():
            runs.append(number)
            flow.bound_to(connection).fire("r1", "comment", Comment(text=f"{number}"), by=LI, key=f"k{number}")

    def request(number: int) -> None:
        barrier.wait()
        try:
            (comment if settled else retrying(timeout=30)(comment))(number)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=request, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    comments = [one.details for one in flow.history("r1", by=LI)[1:]]
    assert sorted(int(one.text) for one in comments if isinstance(one, Comment)) == list(range(20))
    assert len(runs) == 20 or not settled


def test_an_act_by_id_is_tried_again_on_what_is_stored(flow: ReportFlow, host: Engine) -> None:
    """A row that does not commute is decided again too, where its caller names an id; not where a version was seen."""
    if host.dialect.name == "sqlite":
        pytest.skip("nobody comes in between")
    first = flow.create(draft("r1"), by=LI)
    with host.connect() as connection:
        bound = flow.bound_to(connection)
        assert bound.get("r1", by=LI) == first
        flow.fire("r1", "comment", Comment(text="sooner"), by=LI)
        assert bound.fire("r1", "edit", EDIT, by=LI).version == 3
        connection.rollback()
        with pytest.raises((StaleRecord, Conflict)):
            bound.fire("r1", "edit", EDIT, by=LI, version=1)
        connection.commit()
    assert [one.trigger for one in flow.history("r1", by=LI)] == ["create", "comment"]


# -- awaited -----------------------------------------------------------------------------------------------------------

_AWAITED: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+asyncmy"}


@pytest.fixture
def awaited_url(url: str) -> str:
    """The database, by its asynchronous driver."""
    made = make_url(url)
    return made.set(drivername=_AWAITED[made.get_backend_name()]).render_as_string(hide_password=False)


def test_hosts_of_the_asynchronous_store(awaited_url: str) -> None:
    """A session of each task, many comments at once, what is dead, and what is lost: as with the blocking store."""

    async def main() -> None:
        engine = create_async_engine(awaited_url, pool_size=12)
        store = AsyncSqlStore(engine, prefix="awaited_")
        flow = AsyncReportFlow(store, OPEN_REPORT)
        await flow.create(draft("r1"), by=LI)
        sessions = async_scoped_session(async_sessionmaker(engine), scopefunc=asyncio.current_task)
        bound = flow.bound_to(sessions)

        async def request(number: int) -> None:
            await bound.fire("r1", "comment", Comment(text=f"{number}"), by=LI, key=f"k{number}")
            await sessions.commit()
            await bound.create(draft(f"lost{number}"), by=LI)
            await sessions.remove()

        await asyncio.gather(*(request(number) for number in range(10)))
        assert len(await flow.history("r1", by=LI)) == 11
        assert await flow.count(Query(), by=LI) == {(): 1}

        connection = await engine.connect()
        await connection.close()
        for host, error in (
            (connection, StorageClosed),
            (engine.connect(), InvalidValue),
            (AsyncSession(), InvalidValue),
        ):
            with pytest.raises(error):
                await flow.bound_to(host).get("r1", by=LI)

        async with engine.connect() as connection:
            begin = await connection.begin()
            if engine.dialect.name == "sqlite":
                await connection.exec_driver_sql("BEGIN")
            elif engine.dialect.name == "postgresql":
                await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            hosted = flow.bound_to(connection)
            before = await hosted.get("r1", by=LI)
            await flow.fire("r1", "comment", Comment(text="sooner"), by=LI)
            if engine.dialect.name == "mysql":  # which reads it again, with a lock
                assert (await hosted.fire("r1", "edit", EDIT, by=LI)).version == before.version + 2
            else:
                for _ in range(2):
                    with pytest.raises(TransactionRolledBack):
                        await hosted.fire("r1", "edit", EDIT, by=LI)
            await begin.rollback()
            assert (await hosted.fire("r1", "edit", EDIT, by=LI)).state == "edited"
            await connection.rollback()
        await flow.close()
        await engine.dispose()

    asyncio.run(main())


def test_a_task_that_is_cancelled_has_changed_nothing(awaited_url: str) -> None:
    """At whatever statement a task is cancelled, what its host commits has nothing of the act."""

    async def main() -> None:
        engine = create_async_engine(awaited_url)
        flow = AsyncReportFlow(AsyncSqlStore(engine, prefix="cancelled_"), OPEN_REPORT)
        for id in ("r1", "r2"):
            await flow.create(draft(id), by=LI)
        act = [Fire(id, "edit", EDIT, by=LI) for id in ("r1", "r2")]
        at = 0
        while True:
            at, left = at + 1, at + 1
            async with engine.connect() as connection:
                task: asyncio.Task[Any] = asyncio.ensure_future(flow.bound_to(connection).batch(act))

                def cancel(*_: object, task: asyncio.Task[Any] = task) -> None:
                    nonlocal left
                    left -= 1
                    if left == 0:
                        task.cancel()

                event.listen(connection.sync_connection, "before_cursor_execute", cancel)
                with suppress(asyncio.CancelledError):
                    await task
                if left > 0:
                    break
                with suppress(PendingRollbackError):
                    await connection.commit()
            del task, cancel
            gc.collect()  # SQLite's lock lasts as long as a statement, which the error's traceback has
            assert [len(await flow.history(id, by=LI)) for id in ("r1", "r2")] == [1, 1]
        assert at > 4
        await flow.close()
        await engine.dispose()

    asyncio.run(main())
