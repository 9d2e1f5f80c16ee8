"""Engines of hosts as SQLAlchemy's manual describes them: a store works on each, and leaves it as it was."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import AssertionPool, NullPool, QueuePool, SingletonThreadPool, StaticPool

from reportflow import (
    AsyncReportFlow,
    AsyncSqlStore,
    InvalidValue,
    Query,
    Relay,
    ReportFlow,
    SqlStore,
    StorageUnavailable,
)
from reportflow.office import Comment, Revision
from reportflow.storage.sql.upgrade import current, upgrade
from tests.lifecycles import OPEN_REPORT
from tests.servers import database
from tests.storage.test_host_transaction import LI, draft


class Modern(sqlite3.Connection):
    """SQLite's driver with ``autocommit=False``, as of Python 3.12: there is a transaction always."""

    autocommit = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "isolation_level": None})
        self._level: Any = ""
        self.execute("BEGIN")

    def commit(self) -> None:
        """End the transaction, and begin another one."""
        self.execute("COMMIT")
        self.execute("BEGIN")

    def rollback(self) -> None:
        """End the transaction, and begin another one."""
        self.execute("ROLLBACK")
        self.execute("BEGIN")

    @property
    def isolation_level(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]  # the driver's is one too
        """What is set here has no effect in this mode, but that None commits."""
        return self._level

    @isolation_level.setter
    def isolation_level(self, level: Any) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]  # as above
        self._level = level
        if level is None:
            self.commit()


MODERN: Final[dict[str, Any]] = {"autocommit": False} if sys.version_info >= (3, 12) else {"factory": Modern}


def begins(engine: Engine, begin: str) -> Engine:
    """An engine that begins transactions itself: the manual's recipe for savepoints."""
    event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def begins_anywhere(engine: Engine) -> Engine:
    """The recipe of older manuals: the pool's connection is set up at each checkout."""

    def connect(raw: Any, _: object) -> None:
        raw.isolation_level = None
        raw.execute("PRAGMA foreign_keys = ON")

    event.listen(engine, "connect", connect)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    event.listen(engine, "engine_connect", lambda connection: connection.exec_driver_sql("SELECT 1"))
    return engine


def listens(engine: Engine) -> Engine:
    """An engine with SQL in the events of its pool, and of its connections."""
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout = 5000"))
    event.listen(engine, "checkout", lambda raw, *_: raw.execute("CREATE TEMP TABLE IF NOT EXISTS seen (id)"))
    event.listen(engine, "engine_connect", lambda connection: connection.execute(text("SELECT 1")))
    return engine


def attached(path: Path) -> Engine:
    """An engine whose tables are in another file, by ``schema_translate_map``."""
    engine = create_engine(f"sqlite:///{path}/main.db")
    event.listen(engine, "connect", lambda raw, _: raw.execute(f"ATTACH '{path}/city.db' AS city"))
    return engine.execution_options(schema_translate_map={None: "city"})


def left_open(path: Path) -> Engine:
    """An engine whose pool takes connections back as they are; one is in the middle of a transaction."""
    engine = create_engine(f"sqlite:///{path}/x.db", pool_reset_on_return=None, pool_size=1, max_overflow=0)
    raw = engine.raw_connection()
    raw.cursor().execute("CREATE TABLE letters (id)")
    raw.cursor().execute("INSERT INTO letters VALUES (1)")
    raw.close()
    return engine


#: What is said of an engine -> how it is made in a folder.
SQLITE: Final[dict[str, Callable[[Path], Engine]]] = {
    "usual": lambda path: create_engine(f"sqlite:///{path}/x.db"),
    "begins itself": lambda path: begins(create_engine(f"sqlite:///{path}/x.db"), "BEGIN"),
    "begins at once": lambda path: begins(create_engine(f"sqlite:///{path}/x.db"), "BEGIN IMMEDIATE"),
    "begins itself, with more events": lambda path: begins_anywhere(create_engine(f"sqlite:///{path}/x.db")),
    "autocommit=False": lambda path: create_engine(f"sqlite:///{path}/x.db", connect_args=MODERN),
    "AUTOCOMMIT": lambda path: create_engine(f"sqlite:///{path}/x.db", isolation_level="AUTOCOMMIT"),
    "SERIALIZABLE": lambda path: create_engine(f"sqlite:///{path}/x.db", isolation_level="SERIALIZABLE"),
    "READ UNCOMMITTED": lambda path: create_engine(f"sqlite:///{path}/x.db").execution_options(
        isolation_level="READ UNCOMMITTED"
    ),
    "NullPool": lambda path: create_engine(f"sqlite:///{path}/x.db", poolclass=NullPool),
    "StaticPool": lambda path: create_engine(f"sqlite:///{path}/x.db", poolclass=StaticPool),
    "StaticPool in memory": lambda path: create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    ),
    "StaticPool, begins itself": lambda path: begins(create_engine("sqlite://", poolclass=StaticPool), "BEGIN"),
    "StaticPool, autocommit=False": lambda path: create_engine("sqlite://", poolclass=StaticPool, connect_args=MODERN),
    "SingletonThreadPool": lambda path: create_engine("sqlite://", poolclass=SingletonThreadPool),
    "AssertionPool": lambda path: create_engine(f"sqlite:///{path}/x.db", poolclass=AssertionPool),
    "QueuePool of one": lambda path: create_engine(
        f"sqlite:///{path}/x.db", poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=1
    ),
    "creator": lambda path: create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(path / "x.db", check_same_thread=False), poolclass=QueuePool
    ),
    "future, echo and a token": lambda path: create_engine(
        f"sqlite:///{path}/x.db", future=True, pool_pre_ping=True, query_cache_size=0, hide_parameters=True
    ).execution_options(logging_token="host"),
    "SQL in its events": lambda path: listens(create_engine(f"sqlite:///{path}/x.db")),
    "schema_translate_map": attached,
    "pool_reset_on_return=None": left_open,
}


def mode(engine: Engine) -> object:
    """How the driver is set up on a connection of the pool, which is in no transaction but where it always is."""
    raw = engine.raw_connection()
    dbapi: Any = raw.dbapi_connection
    if engine.dialect.name == "sqlite":
        found = dbapi.isolation_level, getattr(dbapi, "autocommit", None)
        assert dbapi.in_transaction is (found[1] is False)
    else:
        found = engine.dialect.get_isolation_level(dbapi), engine.dialect.detect_autocommit_setting(dbapi)
    raw.close()
    return found


def lives_on(engine: Engine, *, at_once: bool = False, migrates: bool = True) -> None:
    """A store makes its tables on an engine, writes, reads and publishes there, in and out of a host's transaction.

    Args:
        engine: The engine.
        at_once: Whether what a host writes on it is committed at once.
        migrates: Whether to make more tables by the migrations, which on a server takes its time.
    """
    published: list[str] = []
    SqlStore(engine).close()
    before = mode(engine)
    with ReportFlow(SqlStore(engine), OPEN_REPORT) as flow:
        flow.create(draft("r1", topics=["road"]), by=LI)
        flow.fire("r1", "edit", Revision(text="y"), by=LI)
        assert [one.id for one in flow.find(Query(topic="road"), by=LI)] == ["r1"]
        relay = Relay(flow.store, lambda message: published.append(message.id))
        assert [relay.run_once(), relay.run_once()] == [2, 0]
        relay.close()
        with engine.connect() as connection:
            flow.bound_to(connection).fire("r1", "comment", Comment(text="kept"), by=LI)
            connection.commit()
            with suppress(ZeroDivisionError), connection.begin():
                flow.bound_to(connection).fire("r1", "comment", Comment(text="z"), by=LI)
                raise ZeroDivisionError
        assert flow.get("r1", by=LI).version == 3 + at_once
    with ReportFlow(SqlStore(engine, create=False), OPEN_REPORT) as again:
        assert again.get("r1", by=LI).state == "edited"
    assert published == ["r1@1", "r1@2"]
    assert upgrade(engine) == current(engine)
    if migrates:
        assert upgrade(engine, prefix="other_") is None
        assert current(engine, prefix="other_") is not None
    assert mode(engine) == before


@pytest.mark.parametrize("name", SQLITE)
def test_a_store_lives_on_any_engine_of_sqlite(name: str, tmp_path: Path) -> None:
    """Opening, writing, reading, a relay, a host's transaction and the migrations; and the engine is as it was."""
    engine = SQLITE[name](tmp_path)
    lives_on(engine, at_once=name == "AUTOCOMMIT")
    engine.dispose()


def test_a_savepoint_of_an_engine_that_begins_itself(tmp_path: Path) -> None:
    """What the host set up for its savepoints still works after a store has used the same connection."""
    for name in ("begins itself", "autocommit=False"):
        engine = SQLITE[name](tmp_path)
        flow = ReportFlow(SqlStore(engine, prefix=f"{name[0]}_"), OPEN_REPORT)
        with engine.connect() as connection:
            with connection.begin_nested():
                flow.bound_to(connection).create(draft("r1"), by=LI)
            connection.rollback()
        assert flow.count(Query(), by=LI) == {(): 0}
        engine.dispose()


def test_the_one_connection_of_an_engine_in_a_transaction_of_the_host() -> None:
    """Where host and store share one connection, the host's transaction is neither committed nor rolled back."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    flow = ReportFlow(SqlStore(engine), OPEN_REPORT)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE letters (id)"))
        connection.execute(text("INSERT INTO letters VALUES (1)"))
        with pytest.raises(StorageUnavailable, match="transaction of the host"):
            flow.create(draft("r1"), by=LI)
        flow.bound_to(connection).create(draft("r2"), by=LI)
        connection.rollback()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM letters")) == 0
    assert flow.count(Query(), by=LI) == {(): 0}
    engine.dispose()


def test_the_pool_that_a_host_replaces(tmp_path: Path) -> None:
    """After the host's ``dispose`` a store takes connections of the new pool, as after a fork it must."""
    engine = create_engine(f"sqlite:///{tmp_path}/x.db")
    opened: list[object] = []
    flow = ReportFlow(SqlStore(engine), OPEN_REPORT)
    first = engine.pool
    engine.dispose(close=False)
    event.listen(engine.pool, "checkout", lambda *given: opened.append(given))
    flow.create(draft("r1"), by=LI)
    assert engine.pool is not first
    assert opened
    engine.dispose()


def test_a_connection_that_means_other_tables(tmp_path: Path) -> None:
    """A connection whose ``schema_translate_map`` names another schema than the store's is refused, not written to."""
    engine = attached(tmp_path)
    flow = ReportFlow(SqlStore(engine), OPEN_REPORT)
    with engine.connect() as connection:
        flow.bound_to(connection).create(draft("r1"), by=LI)
        connection.commit()
        assert connection.exec_driver_sql("SELECT count(*) FROM city.reportflow_record").scalar() == 1
    for schema in (None, "main", "town"):
        names: dict[str | None, str | None] = {None: schema}
        with (
            engine.connect().execution_options(schema_translate_map=names) as connection,
            pytest.raises(InvalidValue, match="schema"),
        ):
            flow.bound_to(connection).create(draft("r2"), by=LI)
    engine.dispose()


#: What is said of an asynchronous engine -> how it is made in a folder.
AWAITED: Final[dict[str, Callable[[Path], AsyncEngine]]] = {
    "usual": lambda path: create_async_engine(f"sqlite+aiosqlite:///{path}/x.db"),
    "begins itself": lambda path: _begins(create_async_engine(f"sqlite+aiosqlite:///{path}/x.db")),
    "autocommit=False": lambda path: create_async_engine(f"sqlite+aiosqlite:///{path}/x.db", connect_args=MODERN),
    "AUTOCOMMIT": lambda path: create_async_engine(f"sqlite+aiosqlite:///{path}/x.db", isolation_level="AUTOCOMMIT"),
    "NullPool": lambda path: create_async_engine(f"sqlite+aiosqlite:///{path}/x.db", poolclass=NullPool),
    "in memory": lambda path: create_async_engine("sqlite+aiosqlite://"),
    "in memory, begins itself": lambda path: _begins(create_async_engine("sqlite+aiosqlite://")),
}


def _begins(engine: AsyncEngine) -> AsyncEngine:
    begins(engine.sync_engine, "BEGIN")
    return engine


async def lives_awaited_on(engine: AsyncEngine, *, at_once: bool = False) -> None:
    """As `lives_on`, awaited."""
    async with AsyncReportFlow(AsyncSqlStore(engine), OPEN_REPORT) as flow:
        await flow.create(draft("r1", topics=["road"]), by=LI)
        await flow.fire("r1", "edit", Revision(text="y"), by=LI)
        assert [one.id for one in await flow.find(Query(topic="road"), by=LI)] == ["r1"]
        assert len(await flow.store.feed()) == 2
        async with engine.connect() as connection:
            await flow.bound_to(connection).fire("r1", "comment", Comment(text="kept"), by=LI)
            await connection.commit()
            await flow.bound_to(connection).fire("r1", "comment", Comment(text="z"), by=LI)
            await connection.rollback()
        assert (await flow.get("r1", by=LI)).version == 3 + at_once
        async with AsyncSession(engine) as session:
            with suppress(ZeroDivisionError):
                async with session.begin_nested():
                    await flow.bound_to(session).fire("r1", "comment", Comment(text="z"), by=LI)
                    raise ZeroDivisionError
            await session.commit()
        assert (await flow.get("r1", by=LI)).version == 3 + at_once
    await engine.dispose()


@pytest.mark.parametrize("name", AWAITED)
def test_an_asynchronous_store_lives_on_any_engine_of_sqlite(name: str, tmp_path: Path) -> None:
    """The same for the asynchronous store."""
    asyncio.run(lives_awaited_on(AWAITED[name](tmp_path), at_once=name == "AUTOCOMMIT"))


def in_events(engine: Engine) -> Engine:
    """An engine with SQL in the events of its pool, that leaves the driver in a transaction."""

    def connect(raw: Any, _: object) -> None:
        cursor = raw.cursor()
        cursor.execute("SELECT 1")
        cursor.close()

    event.listen(engine, "connect", connect)
    event.listen(engine, "checkout", lambda raw, record, _: connect(raw, record))
    event.listen(engine, "engine_connect", lambda connection: connection.execute(text("SELECT 1")))
    return engine


#: What is said of an engine of a server -> how it is made of a URL.
SERVED: Final[dict[str, Callable[[str], Engine]]] = {
    "AUTOCOMMIT": lambda url: create_engine(url, isolation_level="AUTOCOMMIT"),
    "REPEATABLE READ, by an option": lambda url: create_engine(url).execution_options(
        isolation_level="REPEATABLE READ"
    ),
    "SERIALIZABLE, NullPool, not reset": lambda url: create_engine(
        url, isolation_level="SERIALIZABLE", poolclass=NullPool, pool_reset_on_return=None
    ),
    "SQL in its events": lambda url: in_events(create_engine(url, pool_pre_ping=True)),
}


@pytest.mark.parametrize(
    "engine", [pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in ("postgresql", "mariadb")]
)
def test_a_store_lives_on_any_engine_of_a_server(engine: str) -> None:
    """The same on servers, where each driver has a mode of its own."""
    for name, make in SERVED.items():
        with database(engine) as url:
            made = make(url)
            lives_on(made, at_once=name == "AUTOCOMMIT", migrates=name == "SQL in its events")
            made.dispose()


@pytest.mark.xdist_group("postgresql")
def test_a_store_lives_on_engines_of_psycopg() -> None:
    """Without prepared statements, as behind a pooler; and in a schema that the engine translates to."""
    with database("postgresql") as url:
        engine = create_engine(url, connect_args={"prepare_threshold": None})
        lives_on(engine, migrates=False)
        with engine.begin() as connection:
            connection.execute(text("CREATE SCHEMA city"))
        lives_on(engine.execution_options(schema_translate_map={None: "city"}))
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM city.reportflow_record")) == 1
        engine.dispose()
