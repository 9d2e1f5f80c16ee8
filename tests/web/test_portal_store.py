"""The portal's own tables: drafts, saved views, open forms, readings, the key; on each engine, for many at once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from reportflow import MemoryStore, SqlStore, StorageError, StorageUnavailable
from reportflow.model.actor import Secrecy
from reportflow.web.portal_store import Draft, PortalStore
from reportflow.web.portal_tables import make_web_tables
from tests.servers import database

BEGIN: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)

#: Makes stores on one database, more than one where it is asked again.
Open = Callable[..., PortalStore]


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(params=["memory", "sqlite", "postgresql", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str | None]:
    """An empty database of each engine."""
    if request.param == "memory":
        yield None
    elif request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/portal.db"
    else:
        with database(request.param) as found:
            yield found


DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql+psycopg": "postgresql+psycopg",
    "mysql+pymysql": "mysql+asyncmy",
}


def draft(**more: Any) -> Draft:
    """A draft."""
    plain = Draft("li", "r1", "edit", "", "h1", {"text": ["灯不亮。\n“八”盏\x00"], "topics": ["a", "b"]}, BEGIN)
    return plain._replace(**more)


async def everything(store: PortalStore, clock: Clock) -> bytes:
    """All that is kept comes back, to its person alone, and goes when it is dropped; the key that was made."""
    assert await store.save_draft(draft()) == BEGIN
    clock.now += timedelta(minutes=1)
    await store.save_draft(draft(trigger="revise", tab="t2", fields={"text": ["长" * 400_000]}))
    await store.save_draft(draft(actor="LI", record=":report"))
    found = await store.drafts("li")
    assert [(one.trigger, one.tab) for one in found] == [("revise", "t2"), ("edit", "")]
    assert found[1] == draft()
    clock.now += timedelta(minutes=1)
    await store.save_draft(draft(head="h2", fields={"text": ["new"]}))
    [again] = await store.drafts("li", "r1", "edit")
    assert (again.head, again.fields, again.saved_at) == ("h2", {"text": ["new"]}, clock.now)
    assert await store.drafts("li", "r2") == []
    await store.drop_drafts("li", "r1", "revise", "t1")
    assert len(await store.drafts("li")) == 2
    await store.drop_drafts("li", "r1", "revise", "t2")
    await store.drop_drafts("li", "r1", "edit")
    assert await store.drafts("li") == []
    assert len(await store.drafts("LI")) == 1
    await store.drop_drafts("LI")
    assert await store.drafts("LI") == []

    await store.save_view("li", "迟的", "late=yes")
    await store.save_view("li", "Mine", "by=li")
    await store.save_view("li", "迟的", "late=yes&order=due_at")
    assert await store.views("li") == {"Mine": "by=li", "迟的": "late=yes&order=due_at"}
    assert await store.views("zhou") == {}
    await store.drop_view("li", "Mine")
    await store.drop_view("zhou", "迟的")
    assert list(await store.views("li")) == ["迟的"]
    await store.save_view("li", "n" * 300 + "\x00", "q")
    await store.drop_view("li", "n" * 300 + "\x00")
    assert list(await store.views("li")) == ["迟的"]

    await store.open_form("r1", "li", "李", "edit")
    clock.now += timedelta(minutes=1)
    await store.open_form("r1", "zhou", "Zhou" * 100, "review")
    await store.open_form("r1", "li", "李", "revise")
    assert [(one.actor, one.trigger) for one in await store.present("r1", but="zhou")] == [("li", "revise")]
    assert [one.actor for one in await store.present("r1", but="li")] == ["zhou"]
    await store.close_form("r1", "zhou")
    assert await store.present("r1", but="li") == []
    clock.now += timedelta(minutes=31)
    assert await store.present("r1", but="zhou") == []

    await store.note_reading("li", "李", "r1", Secrecy.SECRET)
    await store.note_reading("zhou", "周", "r2", Secrecy.CONFIDENTIAL)
    assert [(one.name, one.record, one.secrecy) for one in await store.readings()] == [
        ("周", "r2", Secrecy.CONFIDENTIAL),
        ("李", "r1", Secrecy.SECRET),
    ]
    assert [one.actor for one in await store.readings(["r1"])] == ["li"]
    assert await store.readings([]) == []
    assert [one.actor for one in await store.readings(limit=1)] == ["zhou"]

    key = await store.secret()
    assert len(key) == 32
    assert await store.secret() == key
    return key


async def left(store: PortalStore) -> tuple[bytes, list[str], list[str]]:
    """What is there after `everything`: the key, the views of one person, who read."""
    return await store.secret(), list(await store.views("li")), [one.actor for one in await store.readings()]


def test_all_that_is_kept_comes_back(url: str | None) -> None:
    """Drafts, views, open forms, readings and the key come back as they went in, on every engine."""
    clock = Clock()
    store = PortalStore(url, clock=clock)
    key = asyncio.run(everything(store, clock))
    again = store if url is None else PortalStore(url, clock=clock)  # as after a restart
    assert asyncio.run(left(again)) == (key, ["迟的"], ["zhou", "li"])


def test_on_an_asynchronous_engine_too(url: str | None) -> None:
    """The same on an asynchronous engine of the host's."""
    if url is None:
        pytest.skip("memory has no asynchronous engine")
    driver = next(name for name in DRIVERS if url.startswith(name))

    async def whole() -> bytes:
        async with disposed(url.replace(driver, DRIVERS[driver], 1)) as engine:
            clock = Clock()
            return await everything(PortalStore(engine, clock=clock), clock)

    key = asyncio.run(whole())
    assert asyncio.run(left(PortalStore(url))) == (key, ["迟的"], ["zhou", "li"])


@asynccontextmanager
async def disposed(url: str) -> AsyncIterator[Any]:
    """An asynchronous engine, disposed of at the end."""
    engine = create_async_engine(url)
    try:
        yield engine
    finally:
        await engine.dispose()


def test_many_at_once_lose_nothing(url: str | None) -> None:
    """Twenty people and tabs at the same moment, on tables that nobody has made yet, all keep what is theirs."""
    stores = [PortalStore(url)] if url is None else [PortalStore(url) for _ in range(3)]

    async def whole() -> None:
        calls: list[Awaitable[Any]] = []
        for number in range(24):
            store = stores[number % len(stores)]
            calls += [
                store.save_draft(draft(tab=f"t{number}")),
                store.save_draft(draft(actor="same", tab="same")),
                store.save_view("li", "same", f"q={number}"),
                store.open_form("r1", f"p{number}", "P", "edit"),
                store.secret(),
            ]
        done = await asyncio.gather(*calls)
        assert len(set(done[4::5])) == 1
        assert len(await stores[0].drafts("li")) == 24
        assert len(await stores[0].drafts("same")) == 1
        assert list(await stores[0].views("li")) == ["same"]
        assert len(await stores[0].present("r1", but="p0")) == 10

    asyncio.run(whole())


SECRET: Final = """
import asyncio, sys
from reportflow.web.portal_store import PortalStore
print(asyncio.run(PortalStore(sys.argv[1]).secret()).hex())
"""


def test_processes_that_begin_at_once_have_one_key(url: str | None) -> None:
    """Workers that make the tables at the same moment sign with the same key."""
    if url is None:
        pytest.skip("memory is of one process")
    command = [sys.executable, "-W", "error", "-c", SECRET, url]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [worker.communicate(timeout=60) for worker in workers]
    assert {err for _, err in said} == {""}
    assert len({out for out, _ in said}) == 1


def test_old_drafts_and_open_forms_are_deleted(url: str | None) -> None:
    """A draft is kept for 30 days, also where its person never comes back; then its row is gone, as an open form's."""
    clock = Clock()
    store = PortalStore(url, clock=clock)

    async def rows() -> int:
        tables = store._tables
        both = [sa.select(sa.func.count()).select_from(one) for one in (tables.draft, tables.presence)]
        return sum([await store._run(partial(_scalar, one)) for one in both])

    async def whole() -> None:
        await store.save_draft(draft(actor="gone"))
        await store.open_form("r1", "gone", "Gone", "edit")
        clock.now += timedelta(days=29)
        await store.save_draft(draft())
        assert len(await store.drafts("gone")) == 1
        clock.now += timedelta(days=2)
        assert await store.drafts("gone") == []
        await store.save_draft(draft(tab="other"))
        assert await rows() == 2

    asyncio.run(whole())


def _scalar(statement: Any, connection: sa.Connection) -> int:
    return int(connection.execute(statement).scalar_one())


def test_it_is_beside_the_records_of_an_sql_store(tmp_path: Path) -> None:
    """Beside an SQL store the tables have its prefix and engine; beside any other store they are in memory."""
    store = SqlStore(f"sqlite:///{tmp_path}/office.db", prefix="rf_")
    try:
        asyncio.run(PortalStore.of(store).save_view("li", "n", "q"))
        names = sa.inspect(store.engine).get_table_names()
        assert {"rf_web_draft", "rf_web_view", "rf_web_presence", "rf_web_read", "rf_web_secret"} <= set(names)
        assert asyncio.run(PortalStore.of(store).views("li")) == {"n": "q"}
    finally:
        store.close()
    beside = PortalStore.of(MemoryStore())
    asyncio.run(beside.save_view("li", "n", "q"))
    assert asyncio.run(beside.views("li")) == {"n": "q"}
    assert asyncio.run(PortalStore.of(MemoryStore()).views("li")) == {}


def test_tables_are_made_only_where_it_may(tmp_path: Path) -> None:
    """With `create=False` a database without tables is an error; with those of a host's migration it goes on."""
    engine = sa.create_engine(f"sqlite:///{tmp_path}/host.db")
    store = PortalStore(engine, prefix="own_", create=False)
    with pytest.raises(StorageError):
        asyncio.run(store.views("li"))
    metadata = sa.MetaData()
    make_web_tables(metadata, prefix="own_")
    metadata.create_all(engine)
    assert asyncio.run(store.views("li")) == {}
    engine.dispose()


def test_a_schema_may_be_chosen() -> None:
    """The tables are in the schema that the host says."""
    with database("postgresql") as url:
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE SCHEMA portal"))
        asyncio.run(PortalStore(engine, schema="portal").save_view("li", "n", "q"))
        assert "reportflow_web_view" in sa.inspect(engine).get_table_names("portal")
        assert "reportflow_web_view" not in sa.inspect(engine).get_table_names()
        engine.dispose()


def test_a_database_that_cannot_be_reached_is_said_at_once(tmp_path: Path) -> None:
    """A folder that is not there is `StorageUnavailable`, and is tried again at the next call."""
    folder = tmp_path / "later"
    store = PortalStore(f"sqlite:///{folder}/portal.db")
    with pytest.raises(StorageUnavailable):
        asyncio.run(store.secret())
    folder.mkdir()
    assert asyncio.run(store.secret())
