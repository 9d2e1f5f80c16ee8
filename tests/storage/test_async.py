"""Asynchronous: the same contract, the same flow, and nothing half done by a call that is cancelled."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import QueuePool

from reportflow import (
    Actor,
    AsyncReportFlow,
    AsyncSqlStore,
    Conflict,
    Create,
    Fire,
    InvalidURL,
    InvalidValue,
    Query,
    RecordNotFound,
    ReportFlow,
    SqlStore,
    StorageUnavailable,
    TransitionRefused,
    open_async_flow,
    open_flow,
    replay,
)
from reportflow.office import REPORT, Author, Comment, Report, Revision
from reportflow.storage.base import AsyncStore
from reportflow.storage.memory import AsyncMemoryStore
from reportflow.storage.sql import aio
from reportflow.testing import StoreTests
from reportflow.testing.conformance.suite import RolledBack
from tests.host import async_rolled_back
from tests.lifecycles import OPEN_REPORT
from tests.many import fires
from tests.servers import database

T = TypeVar("T")
LI = Actor(id="li", roles={"contributor", "editor"}, unit="yulin")
WANG = Actor(id="wang", roles={"reviewer"}, unit="yulin")
_NUMBERS = itertools.count(1)

#: Engine -> the driver of it that is awaited.
DRIVERS = {"postgresql": "psycopg", "mariadb": "asyncmy"}
ENGINES = [
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql")),
    pytest.param("mariadb", marks=pytest.mark.xdist_group("mariadb")),
]


class Awaited(StoreTests):
    profile = "brief"  # the body is that of the store that is not awaited
    url: ClassVar[str]

    @pytest.fixture
    def prefixes(self) -> dict[object, str]:
        return {}

    def opened(self, prefixes: dict[object, str], prefix: str, *, create: bool = True) -> AsyncStore:
        store = AsyncSqlStore(self.url, prefix=prefix, create=create)
        prefixes[store] = prefix
        return store

    @pytest.fixture
    def new_store(self, prefixes: dict[object, str]) -> Callable[[], AsyncStore]:
        return lambda: self.opened(prefixes, f"t{next(_NUMBERS)}_")

    @pytest.fixture
    def reopen(self, prefixes: dict[object, str]) -> Callable[[object], AsyncStore]:
        return lambda store: self.opened(prefixes, prefixes[store], create=False)

    @pytest.fixture
    def rolled_back(self, prefixes: dict[object, str]) -> RolledBack:
        return lambda store: async_rolled_back(self.url, prefixes[store])


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


class TestAsyncMemoryStore(StoreTests):
    @pytest.fixture
    def new_store(self) -> Callable[[], AsyncStore]:
        return AsyncMemoryStore


# -- the flow -------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> str:
    """The path of an SQLite file that is not there yet."""
    return f"{tmp_path}/office.db"


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, file: str) -> Iterator[str]:
    """A fresh database: a file, or on a server."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{file}"
    else:
        with database(request.param, DRIVERS[request.param]) as made:
            yield made


def draft(**fields: Any) -> Report:
    """A draft that is in order."""
    return Report.draft(**{"title": "t", "text": "x", "authors": [Author(name="张三", id="zhang")], **fields})


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run it in an event loop of its own."""
    return asyncio.run(main)


async def played(flow: AsyncReportFlow) -> str:
    """A little of everything that writes; the id of a record with some history."""
    one, other = await flow.batch([Create(draft(), by=LI), Create(draft(), by=LI)])
    await flow.fire(one, "edit", Revision(text="y"), by=LI, key="edited")
    await flow.fire(one.id, "review", by=WANG, reason="well written")
    await flow.batch(
        [Fire(one.id, "comment", Comment(text="c"), by=WANG), Fire(other, "edit", Revision(text="z"), by=LI)]
    )
    return one.id


async def read(flow: AsyncReportFlow, id: str) -> list[object]:
    """What every verb that reads answers."""
    return [
        await flow.get(id, by=LI),
        await flow.options(id, by=LI),
        await flow.options("report", by=WANG),
        await flow.options(await flow.get(id, by=LI), by=WANG),
        await flow.find(Query(order="-created_at", limit=1), by=LI),
        await flow.inbox(by=WANG),
        await flow.count(Query(), by=LI, of="entries", group=("state", "trigger")),
        await flow.count(Query(), by=LI, group="state"),
        await flow.history(id, by=WANG),
        await flow.feed(1, by=WANG, limit=2),
        [one async for one in flow.histories(Query(limit=1), by=WANG)],
        await flow.as_of(id, by=LI, version=2),
        await flow.as_of(id, by=LI, happened=(await flow.get(id, by=LI)).updated_at),
        await flow.by_key("edited", by=LI),
        await flow.by_key("unused", by=LI),
    ]


def read_blocking(flow: ReportFlow, id: str) -> list[object]:
    """The same, not awaited."""
    return [
        flow.get(id, by=LI),
        flow.options(id, by=LI),
        flow.options("report", by=WANG),
        flow.options(flow.get(id, by=LI), by=WANG),
        flow.find(Query(order="-created_at", limit=1), by=LI),
        flow.inbox(by=WANG),
        flow.count(Query(), by=LI, of="entries", group=("state", "trigger")),
        flow.count(Query(), by=LI, group="state"),
        flow.history(id, by=WANG),
        flow.feed(1, by=WANG, limit=2),
        list(flow.histories(Query(limit=1), by=WANG)),
        flow.as_of(id, by=LI, version=2),
        flow.as_of(id, by=LI, happened=flow.get(id, by=LI).updated_at),
        flow.by_key("edited", by=LI),
        flow.by_key("unused", by=LI),
    ]


def test_both_flows_read_the_same(url: str) -> None:
    """Both kinds of flow read what asynchronous calls wrote: each call gives equal results."""

    async def main() -> tuple[str, list[object]]:
        async with open_async_flow(url) as flow:
            id = await played(flow)
            return id, await read(flow, id)

    id, awaited = run(main())
    with open_flow(url.replace("+aiosqlite", "").replace("+asyncmy", "+pymysql")) as flow:
        assert read_blocking(flow, id) == awaited
        assert flow.get(id, by=LI).version == 4


def test_an_office_in_memory_reads_the_same() -> None:
    """An asynchronous flow in memory gives the same answers as one on a file, the times aside."""

    async def main() -> tuple[int, list[str], dict[Any, int]]:
        async with open_async_flow("memory:") as flow:
            id = await played(flow)
            history = await flow.history(id, by=LI)
            assert replay(history, REPORT) == await flow.get(id, by=LI)
            assert flow.lifecycles == (REPORT,)
            assert isinstance(flow.store, AsyncMemoryStore)
            return len(await read(flow, id)), [one.trigger for one in history], await flow.count(Query(), by=LI)

    assert run(main()) == (15, ["create", "edit", "review", "comment"], {(): 2})


def test_run_is_iterated_over() -> None:
    """`run` gives one outcome a request as it is iterated: "skip" gives the refusal, "stop" raises it."""

    async def main() -> None:
        async with open_async_flow("memory:") as flow:
            one = await played(flow)
            (other,) = [each.id for each in (await flow.find(Query(), by=LI)).records if each.id != one]
            outcomes = [each async for each in flow.run(fires([one, other], "review", by=WANG), on_error="skip")]
            assert [(each.place, type(each.error)) for each in outcomes] == [(0, TransitionRefused), (1, type(None))]
            await flow.fire(other, "edit", Revision(text="w"), by=LI)
            both = flow.run(fires([other, one], "review", by=WANG))
            assert (await anext(both)).place == 0
            with pytest.raises(TransitionRefused):
                await anext(both)
            assert (await flow.get(other, by=LI)).state == "reviewed"

    run(main())


def test_it_is_entered_or_awaited(file: str) -> None:
    """`async with open_async_flow(…)` and `await open_async_flow(…)` both open the store, which makes its tables."""
    url = f"sqlite+aiosqlite:///{file}"

    async def main() -> None:
        flow = await open_async_flow(url)
        assert isinstance(flow, AsyncReportFlow)
        await flow.close()
        SqlStore(f"sqlite:///{file}", create=False).close()
        async with open_async_flow(url, create=False) as flow:
            assert await flow.count(Query(), by=LI) == {(): 0}
        with pytest.raises(TypeError), flow:  # type: ignore[attr-defined]  # what a caller may forget
            pass

    run(main())


def test_no_update_is_lost(url: str) -> None:
    """Fifty tasks on one record: each update is there, and in the history, once."""

    async def main() -> None:
        async with open_async_flow(url, retry_timeout=60) as flow:
            report = await flow.create(draft(), by=LI)
            texts = [f"text {number}" for number in range(50)]
            await asyncio.gather(*(flow.fire(report.id, "edit", Revision(text=one), by=LI) for one in texts))
            after, history = await flow.get(report.id, by=LI), await flow.history(report.id, by=LI)
            assert after.version == 51
            assert replay(history, REPORT) == after
            assert sorted(cast(Revision, one.details).text for one in history[1:]) == sorted(texts)
            assert not flow._retry_lock.locked()

    run(main())


def test_a_call_goes_on_without_the_retry_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that cannot acquire the retry lock in time goes on without it, and does not release it."""
    monkeypatch.setattr("reportflow.flow.aio.RETRY_LOCK_TIMEOUT", 0.01)

    class Losing(AsyncMemoryStore):
        lost = 0

        async def commit(self, changes: Any) -> None:
            self.lost += 1
            if self.lost < 4:
                raise Conflict([change.record.id for change in changes])
            await super().commit(changes)

    async def main() -> None:
        flow = AsyncReportFlow(Losing(), REPORT)
        async with flow._retry_lock:
            assert (await flow.create(draft(), by=LI)).version == 1
            assert flow._retry_lock.locked()
        assert not flow._retry_lock.locked()

    run(main())


# -- cancelled ------------------------------------------------------------------------------------------------------


async def _once(task: asyncio.Task[Any]) -> None:
    task.cancel()


async def _again_and_again(task: asyncio.Task[Any]) -> None:
    """As anyio does: until it has ended."""
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)


async def serves(store: AsyncSqlStore) -> None:
    """Every connection that the pool may hold open is there, and works."""
    pool = cast(QueuePool, store.engine.pool)
    assert pool.checkedout() == 0
    connections = [store.engine.connect() for _ in range(pool.size())]
    for connection in connections:
        await connection.start()
        assert (await connection.execute(text("SELECT 1"))).scalar() == 1
    for connection in connections:
        await connection.close()
    assert pool.checkedout() == 0


async def whole(flow: AsyncReportFlow, ids: list[str]) -> dict[str, int]:
    """The versions of records, each of which is the fold of its history.

    What was broken off may still be going on in the server: both are of one moment if the record is the same after.
    """
    versions = {}
    for id in ids:
        record, history, after = None, [], await flow.get(id, by=LI)
        while record != after:
            record, history, after = after, await flow.history(id, by=LI), await flow.get(id, by=LI)
        assert replay(history, REPORT) == record
        versions[id] = after.version
    return versions


@pytest.mark.parametrize("cancel", [_once, _again_and_again])
@pytest.mark.parametrize("grace", [aio.GRACE, 0.0])
def test_what_is_cancelled_is_whole_or_absent(
    url: str, grace: float, cancel: Callable[[asyncio.Task[Any]], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fire that is cancelled at any moment has written all or nothing, and leaves the pool as it was.

    So it is where it may come to its end, and where it is broken off at once; cancelled once, or again and again.
    """
    monkeypatch.setattr(aio, "GRACE", grace)
    chance = random.Random(7)

    async def main() -> None:
        async with open_async_flow(url) as flow:
            ids = [(await flow.create(draft(), by=LI)).id for _ in range(3)]
            began = time.perf_counter()
            for id in ids:
                await flow.fire(id, "edit", Revision(text="first"), by=LI)
            took = (time.perf_counter() - began) / len(ids)
            versions, done, lost = await whole(flow, ids), 0, 0
            for number in range(60):
                tasks = [
                    asyncio.ensure_future(flow.fire(id, "edit", Revision(text=f"{number}"), by=LI))
                    for id in (ids if number % 3 == 0 else [chance.choice(ids)])
                ]
                await asyncio.sleep(chance.uniform(0, 1.5 * took * len(tasks)))
                for task in tasks:
                    await cancel(task)
                await asyncio.wait(tasks)
                after = await whole(flow, ids)
                # and what was broken off the time before may have come in since
                assert all(0 <= after[id] - versions[id] <= 1 + (grace == 0) for id in ids)
                assert sum(after.values()) - sum(versions.values()) >= sum(not task.cancelled() for task in tasks)
                assert not any(task.exception() for task in tasks if not task.cancelled())
                done += sum(after.values()) - sum(versions.values())
                lost += sum(task.cancelled() for task in tasks)
                versions = after
            assert done
            assert lost
            await serves(cast(AsyncSqlStore, flow.store))

    run(main())


def test_what_was_cancelled_is_made_again_by_its_key(url: str) -> None:
    """A cancelled call with a key can be repeated and is done once, whether or not it was committed the first time."""
    chance = random.Random(3)

    async def main() -> None:
        async with open_async_flow(url) as flow:
            report = await flow.create(draft(), by=LI)
            for number in range(20):
                comment = Comment(text=f"{number}")
                task = asyncio.ensure_future(flow.fire(report.id, "comment", comment, by=LI, key=f"k{number}"))
                await asyncio.sleep(chance.uniform(0, 0.01))
                task.cancel()
                await asyncio.wait([task])
                assert (await flow.fire(report.id, "comment", comment, by=LI, key=f"k{number}")).version == number + 2
            assert len(await flow.history(report.id, by=LI)) == 21

    run(main())


def test_a_timeout_ends_a_call(file: str) -> None:
    """`asyncio.timeout` around a call that waits for a lock ends the call in time, and nothing is written."""

    async def main() -> None:
        async with open_async_flow(f"sqlite+aiosqlite:///{file}") as flow:
            store = cast(AsyncSqlStore, flow.store)
            store._grace = 0.1
            report = await flow.create(draft(), by=LI)
            async with store.engine.connect() as other:
                await other.exec_driver_sql("BEGIN IMMEDIATE")
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await flow.fire(report, "edit", Revision(text="y"), by=LI)
                await other.exec_driver_sql("ROLLBACK")
            assert await flow.get(report.id, by=LI) == report
            await serves(store)

    run(main())


@pytest.mark.parametrize(
    "engine", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in ("postgresql", "mariadb")]
)
def test_a_connection_that_the_server_ends_is_replaced(engine: str) -> None:
    """When the server ends a connection, its call is `StorageUnavailable`, and later calls work."""
    others = {
        "postgresql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        "mariadb": "SELECT concat('KILL ', id) FROM information_schema.processlist"
        " WHERE db = database() AND id <> connection_id()",
    }

    def end_all(host: Engine) -> None:
        with host.connect() as connection:
            for statement in connection.scalars(text(others[engine])).all():
                if engine == "mariadb":
                    connection.execute(text(statement))

    async def main(url: str, host: Engine) -> None:
        async with open_async_flow(url) as flow:
            report = await flow.create(draft(), by=LI)
            end_all(host)
            with pytest.raises(StorageUnavailable):
                await flow.fire(report, "edit", Revision(text="y"), by=LI)
            assert await flow.get(report.id, by=LI) == report
            end_all(host)
            with pytest.raises(StorageUnavailable):
                await flow.get(report.id, by=LI)
            assert await flow.get(report.id, by=LI) == report
            await serves(cast(AsyncSqlStore, flow.store))

    with database(engine, DRIVERS[engine]) as url:
        host = create_engine(url.replace("asyncmy", "pymysql"), isolation_level="AUTOCOMMIT")
        run(main(url, host))
        host.dispose()


def test_a_database_in_memory_outlives_a_cancelled_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database in memory lives in its one connection: no cancelled call throws that away."""
    monkeypatch.setattr(aio, "GRACE", 0.0)

    async def main() -> None:
        async with open_async_flow("sqlite+aiosqlite://") as flow:
            report = await flow.create(draft(), by=LI)
            for number in range(40):
                task = asyncio.ensure_future(flow.fire(report.id, "edit", Revision(text=f"{number}"), by=LI))
                for _ in range(number):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
            assert replay(await flow.history(report.id, by=LI), REPORT) == await flow.get(report.id, by=LI)
            await serves(cast(AsyncSqlStore, flow.store))

    run(main())


def test_opening_may_be_cancelled(file: str) -> None:
    """Who is cancelled while the store opens leaves nothing open, and the next one opens it."""

    async def main() -> None:
        store = AsyncSqlStore(f"sqlite+aiosqlite:///{file}")
        for steps in range(30):
            task = asyncio.ensure_future(open_async_flow(f"sqlite+aiosqlite:///{file}{steps}")._opened())
            other = asyncio.ensure_future(store.get([]))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            other.cancel()
            await asyncio.wait([task, other])
            if not task.cancelled():
                await task.result().close()
        assert await store.get([]) == []
        await serves(store)
        await store.close()

    run(main())


def test_many_open_a_new_file_at_once(file: str) -> None:
    """Of many stores that open a file which is not there yet, each waits for the one that makes the tables."""

    async def main() -> None:
        stores = [AsyncSqlStore(f"sqlite+aiosqlite:///{file}") for _ in range(8)]
        assert await asyncio.gather(*(store.feed() for store in stores)) == [[]] * 8
        for store in stores:
            await store.close()

    run(main())


# -- a host ---------------------------------------------------------------------------------------------------------


def test_a_hosts_engine_stays_the_hosts(file: str) -> None:
    """On a host's `AsyncEngine`, closing the store closes no connection, and the host's settings stay unchanged."""

    async def main() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{file}")
        async with AsyncReportFlow(AsyncSqlStore(engine, prefix="north_"), OPEN_REPORT) as flow:
            await flow.create(draft(id="r1"), by=LI)
        async with engine.connect() as connection:
            await connection.execute(text("DELETE FROM north_record"))
            await connection.rollback()
            assert (await connection.execute(text("SELECT id FROM north_record"))).scalar() == "r1"
        await engine.dispose()

    run(main())


def test_a_session_of_the_host_has_the_last_word(url: str) -> None:
    """Bound to an `AsyncSession` or an `AsyncConnection`, what was written is there if the host commits, else not."""

    async def main() -> None:
        store = AsyncSqlStore(url)
        await store.open()
        engine = create_async_engine(url)
        flow = AsyncReportFlow(store, REPORT)
        async with AsyncSession(engine) as session:
            async with AsyncReportFlow(store.bound_to(session), OPEN_REPORT) as bound:
                report = await bound.create(draft(id="r1"), by=LI)
                await bound.fire(report, "edit", Revision(text="y"), by=LI)
            with pytest.raises(RecordNotFound):
                await flow.get("r1", by=LI)
            await session.rollback()
            with pytest.raises(RecordNotFound):
                await flow.get("r1", by=LI)
            await AsyncReportFlow(store.bound_to(session), OPEN_REPORT).create(draft(id="r2"), by=LI)
            await session.commit()
        async with engine.begin() as connection:
            bound = AsyncReportFlow(store.bound_to(connection), REPORT)
            await bound.fire("r2", "edit", Revision(text="y"), by=LI)
        assert (await flow.get("r2", by=LI)).version == 2
        await engine.dispose()
        await flow.close()

    run(main())


# -- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql+pymysql://root@127.0.0.1/office", "mysql+asyncmy"),
        ("sqlite+pysqlite:///office.db", "sqlite+aiosqlite"),
        ("postgresql://localhost/office", "postgresql+psycopg"),
        ("postgresql+asyncpg://localhost/office", "postgresql+psycopg"),
        ("office.db", "sqlite"),
        ("oracle+oracledb://", "sqlite"),
    ],
)
def test_a_driver_that_blocks_is_refused(url: str, message: str) -> None:
    """A URL whose driver blocks, is not named or is not known is refused, and the message names one that will do."""
    with pytest.raises(InvalidURL, match=message.replace("+", r"\+")):
        open_async_flow(url)


def test_a_driver_that_is_awaited_is_refused_by_a_flow_that_blocks() -> None:
    """The other way round, `open_flow` names `open_async_flow`."""
    with pytest.raises(InvalidURL, match="open_async_flow"):
        open_flow("mysql+asyncmy://root@127.0.0.1/office")


def test_what_is_no_database_is_refused(file: str) -> None:
    """Neither a URL nor an `AsyncEngine`, an `Engine` that blocks too: refused with what to give."""
    engine = create_engine(f"sqlite:///{file}")
    for given in (5, None, engine):
        with pytest.raises(InvalidValue, match="AsyncEngine"):
            AsyncSqlStore(given)  # type: ignore[arg-type]  # bad input
    store = AsyncSqlStore(f"sqlite+aiosqlite:///{file}")
    with pytest.raises(InvalidValue, match="AsyncSession"), engine.connect() as connection:
        store.bound_to(connection)  # type: ignore[arg-type]  # bad input
    with pytest.raises(InvalidValue, match="url"):
        open_async_flow(5)  # type: ignore[arg-type]  # bad input
    with pytest.raises(InvalidValue, match="store"):
        AsyncReportFlow(5, REPORT)  # type: ignore[arg-type]  # bad input


def test_a_url_that_cannot_be_opened_is_an_error(file: str, tmp_path: Path) -> None:
    """A missing file that may not be made, a folder, a server that is not there: `StorageUnavailable`, nothing left."""

    async def main() -> None:
        for url, create in [
            (f"sqlite+aiosqlite:///{file}", False),
            (f"sqlite+aiosqlite:///{tmp_path}", True),
            ("postgresql+psycopg://nobody@/x?host=/nowhere", True),
            ("mysql+asyncmy://nobody@127.0.0.1:1/x", True),
        ]:
            with pytest.raises(StorageUnavailable):
                await open_async_flow(url, create=create)
            with pytest.raises(StorageUnavailable):
                async with open_async_flow(url, create=create):
                    pass

    run(main())
    assert not Path(file).exists()


def test_bad_input_of_a_verb_is_refused_alike() -> None:
    """What `ReportFlow` refuses, `AsyncReportFlow` does, in the same words."""

    async def main() -> None:
        async with open_async_flow("memory:") as flow:
            with open_flow("memory:") as blocking:
                calls: dict[str, list[Any]] = {
                    "create": [5],
                    "fire": [5, "edit"],
                    "get": [5],
                    "find": [5],
                    "history": [" "],
                    "options": [5],
                }
                for name, arguments in calls.items():
                    with pytest.raises(InvalidValue) as awaited:
                        await getattr(flow, name)(*arguments, by=LI)
                    with pytest.raises(InvalidValue) as called:
                        getattr(blocking, name)(*arguments, by=LI)
                    assert str(awaited.value) == str(called.value)
            with pytest.raises(InvalidValue):
                await flow.batch(5)  # type: ignore[arg-type]  # bad input
            with pytest.raises(InvalidValue):
                async for _ in flow.run(fires(["x"], "edit", by=LI), on_error="no"):  # type: ignore[arg-type]  # bad input
                    pass

    run(main())
