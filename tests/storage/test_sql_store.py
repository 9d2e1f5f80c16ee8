"""What is particular to SQL: tables under a host's names, SQLite's settings, the number of statements."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, create_engine, event, inspect, text
from sqlalchemy.pool import Pool

from reportflow import Actor, Create, Query, RecordNotFound, ReportFlow, SqlStore, Store, open_flow, open_store, replay
from reportflow.office import REPORT, Adoption, Author, Comment, Merge, Report, Revision
from tests.lifecycles import OPEN_REPORT

BY = Actor(id="one", roles={"contributor", "editor", "registrar"}, unit="yulin")
WANG = Actor(id="wang", roles={"reviewer"}, unit="yulin")


def draft(**fields: Any) -> Report:
    """A draft that is in order."""
    return Report.draft(**{"title": "t", "text": "x", "authors": [Author(name="张三", id="zhang")], **fields})


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database that is not there yet."""
    return f"sqlite:///{tmp_path}/office.db"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """An engine of the host's."""
    made = create_engine(url)
    yield made
    made.dispose()


@contextmanager
def flow_on(store: Store) -> Iterator[ReportFlow]:
    """A flow that is closed after use."""
    with ReportFlow(store, OPEN_REPORT) as flow:
        yield flow


# -- names --------------------------------------------------------------------------------------------------------


def test_two_prefixes_are_two_stores(url: str) -> None:
    """Two prefixes in one database do not see each other: neither records nor entries nor keys."""
    with flow_on(SqlStore(url, prefix="north_")) as north, flow_on(SqlStore(url, prefix="south_")) as south:
        stored = north.create(draft(id="same"), by=BY, key="k")
        with pytest.raises(RecordNotFound):
            south.get("same", by=BY)
        assert south.store.feed() == []
        assert south.store.by_key(BY.id, "k") is None
        other = south.create(draft(id="same", title="other"), by=BY, key="k")
        south.fire(other, "edit", Revision(text="y"), by=BY)
        assert north.get("same", by=BY) == stored
        assert len(north.store.feed()) == 1


def test_the_tables_are_named_as_the_design_says(url: str, engine: Engine) -> None:
    """The tables are `reportflow_record` and `reportflow_entry`, with the columns that hosts may read."""
    open_store(url).close()
    look = inspect(engine)
    assert set(look.get_table_names()) == {
        "reportflow_record",
        "reportflow_entry",
        "reportflow_label",
        "reportflow_meta",
        "reportflow_relay",
        "reportflow_delivery",
    }
    assert {"id", "version"} <= {one["name"] for one in look.get_columns("reportflow_record")}
    assert {"record_id", "sequence"} <= {one["name"] for one in look.get_columns("reportflow_entry")}
    with engine.connect() as connection:
        triggers = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
        assert connection.scalar(text(triggers)) == 0


def test_a_schema_is_the_hosts_to_choose(tmp_path: Path, engine: Engine) -> None:
    """With ``schema=`` the tables are in that schema, here an attached file, and nowhere else."""

    @event.listens_for(engine, "connect")
    def attach(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"ATTACH '{tmp_path}/archive.db' AS archive")

    with flow_on(SqlStore(engine, schema="archive")) as flow:
        report = flow.create(draft(), by=BY)
        report = flow.fire(report, "edit", Revision(text="y"), by=BY)
        assert replay(flow.history(report.id, by=BY), REPORT) == flow.get(report.id, by=BY) == report
    assert inspect(engine).get_table_names() == []
    assert "reportflow_record" in inspect(engine).get_table_names("archive")


def test_a_metadata_is_the_hosts_to_choose(engine: Engine) -> None:
    """The tables are added to the host's `MetaData`, whose other tables are not created with them."""
    from sqlalchemy import Column, Integer, Table

    metadata = MetaData()
    Table("members", metadata, Column("id", Integer, primary_key=True))
    SqlStore(engine, metadata=metadata).close()
    assert {"members", "reportflow_record", "reportflow_entry"} <= set(metadata.tables)
    assert "members" not in inspect(engine).get_table_names()


# -- the host's engine --------------------------------------------------------------------------------------------


def test_a_hosts_engine_is_left_open(engine: Engine) -> None:
    """Closing the store does not dispose of the host's engine: its pool and connections are the same after."""
    store = SqlStore(engine)
    pool = engine.pool
    with engine.connect() as connection:
        store.close()
        assert connection.scalar(text("SELECT 1")) == 1
    assert engine.pool is pool


def test_an_engine_of_its_own_is_disposed(url: str) -> None:
    """Closing a store that was opened by URL closes its connections; closing it twice is fine."""
    closed: list[object] = []

    def close(connection: object, _: object) -> None:
        closed.append(connection)

    event.listen(Pool, "close", close)
    try:
        store = open_store(url)
        store.feed()
        store.close()
        assert closed
        store.close()
    finally:
        event.remove(Pool, "close", close)


# -- SQLite's settings --------------------------------------------------------------------------------------------

SETTINGS = ("journal_mode", "busy_timeout", "foreign_keys", "synchronous")
NORMAL, FULL = 1, 2


def settings_of(url: str) -> dict[str, Any]:
    """The settings of a store's connections, read from one that the store has opened."""
    found: list[dict[str, Any]] = []

    def ask(connection: sqlite3.Connection, *_: object) -> None:
        found.append({name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in SETTINGS})

    event.listen(Pool, "checkin", ask)
    try:
        with open_flow(url) as flow:
            flow.create(draft(), by=BY)
    finally:
        event.remove(Pool, "checkin", ask)
    return found[-1]


@pytest.mark.parametrize(
    ("query", "synchronous"),
    [("", NORMAL), ("?synchronous=FULL", FULL), ("?synchronous=full", FULL), ("?synchronous=NORMAL", NORMAL)],
)
def test_sqlite_is_set_up_for_offices(url: str, query: str, synchronous: int) -> None:
    """WAL, a busy timeout and foreign keys are on; ``synchronous`` is NORMAL, and FULL where the URL says so."""
    expected = {"journal_mode": "wal", "busy_timeout": 5000, "foreign_keys": 1, "synchronous": synchronous}
    assert settings_of(url + query) == expected
    assert settings_of(url + query) == expected, "also when it is opened again"


def test_every_connection_is_set_up(url: str) -> None:
    """Each thread's connection has the settings, not the first one only."""
    made: list[sqlite3.Connection] = []

    def keep(connection: sqlite3.Connection, _: object) -> None:
        made.append(connection)

    event.listen(Pool, "connect", keep)
    try:
        with open_flow(url) as flow:
            assert isinstance(flow.store, SqlStore)
            with flow.store.engine.connect(), flow.store.engine.connect():  # so that it needs some more
                flow.create(draft(), by=BY)
            with ThreadPoolExecutor(6) as pool:
                list(pool.map(lambda _: flow.create(draft(), by=BY), range(30)))
            seen = [tuple(one.execute(f"PRAGMA {name}").fetchone()[0] for name in SETTINGS) for one in made]
    finally:
        event.remove(Pool, "connect", keep)
    assert len(seen) > 2
    assert set(seen) == {("wal", 5000, 1, NORMAL)}


# -- statements ---------------------------------------------------------------------------------------------------


@contextmanager
def statements(flow: ReportFlow) -> Iterator[list[str]]:
    """The statements that SQLite runs meanwhile, with their values."""
    sql: list[str] = []
    assert isinstance(flow.store, SqlStore)
    flow.store.engine.dispose()  # so that each connection comes out of the pool
    pool = flow.store.engine.pool

    def hear(connection: sqlite3.Connection, *_: object) -> None:
        connection.set_trace_callback(sql.append)

    event.listen(pool, "checkout", hear)
    try:
        yield sql
    finally:
        event.remove(pool, "checkout", hear)


WRITE, SELECT, INSERT, UPDATE, DELETE, COMMIT = "BEGIN IMMEDIATE", "SELECT", "INSERT", "UPDATE", "DELETE", "COMMIT"


def kinds(sql: list[str]) -> list[str]:
    """The statements by kind."""
    return [WRITE if one.startswith(WRITE) else one.split()[0].upper() for one in sql]


#: What is done -> the statements that it takes, in order.
COSTS: dict[str, tuple[Callable[[ReportFlow, Report], object], list[str]]] = {
    "create": (lambda flow, _: flow.create(draft(), by=BY), [WRITE, INSERT, INSERT, INSERT, COMMIT]),
    "create without author and topic": (
        lambda flow, _: flow.create(draft(authors=[Author(name="张三")]), by=BY),
        [WRITE, INSERT, INSERT, COMMIT],
    ),
    "fire of a snapshot": (
        lambda flow, report: flow.fire(report, "edit", Revision(text="y"), by=BY),
        [WRITE, UPDATE, INSERT, COMMIT],
    ),
    "commuting fire of a snapshot": (
        lambda flow, report: flow.fire(report, "comment", Comment(text="y"), by=BY),
        [SELECT, WRITE, UPDATE, INSERT, COMMIT],
    ),
    "fire by id": (
        lambda flow, report: flow.fire(report.id, "edit", Revision(text="y"), by=BY),
        [SELECT, WRITE, UPDATE, INSERT, COMMIT],
    ),
    "fire with a key": (
        lambda flow, report: flow.fire(report, "edit", Revision(text="y"), by=BY, key="k"),
        [SELECT, WRITE, UPDATE, INSERT, COMMIT],
    ),
    "get": (lambda flow, report: flow.get(report.id, by=BY), [SELECT]),
    "find": (lambda flow, _: flow.find(Query(), by=BY), [SELECT]),
    "history": (lambda flow, report: flow.history(report.id, by=BY), [SELECT, SELECT]),
    "count": (lambda flow, _: flow.count(Query(), by=BY, group="state"), [SELECT]),
}


@pytest.mark.parametrize("act", COSTS)
def test_what_an_act_costs(url: str, act: str) -> None:
    """A fire of a snapshot takes three statements: the write lock, one UPDATE with the version, one INSERT."""
    work, expected = COSTS[act]
    with open_flow(url) as flow:
        report = flow.create(draft(), by=BY)
        with statements(flow) as sql:
            work(flow, report)
        assert kinds(sql) == expected


def test_reading_comes_before_the_write_lock(url: str) -> None:
    """An act with steps reads all that it needs before it takes the write lock, and reads nothing under it."""
    with open_flow(url) as flow:
        one, other = (flow.create(draft(), by=BY) for _ in range(2))
        with statements(flow) as sql:
            flow.fire(one.id, "merge", Merge(target=other.id), by=BY)
        kind = kinds(sql)
        assert kind.count(WRITE) == 1
        assert SELECT not in kind[kind.index(WRITE) :]


def test_an_unchanged_text_is_not_written_again(url: str) -> None:
    """What did not change is left out of the UPDATE, long texts too; and each UPDATE compares version and head."""
    with open_flow(url) as flow:
        report = flow.create(draft(text="x" * 100_000), by=BY)
        with statements(flow) as sql:
            report = flow.fire(report, "comment", Comment(text="y"), by=BY)
            report = flow.fire(report, "edit", Revision(text="z"), by=BY)
        updates = [one for one in sql if one.startswith("UPDATE")]
        assert ["data=" in one for one in updates] == [False, True]
        assert all("version = " in one.partition(" WHERE ")[2] for one in updates), "compared inside the UPDATE"
        assert all("head = " in one.partition(" WHERE ")[2] for one in updates)
        assert flow.get(report.id, by=BY) == report


# -- many ids, threads, memory ------------------------------------------------------------------------------------


def test_more_ids_than_one_statement_names(url: str) -> None:
    """`get` and `history` take more ids than one statement names, keep their order, and name all that are missing."""
    with open_flow(url, lifecycles=OPEN_REPORT) as flow:
        drafts = [Create(draft(id=f"r{number:04}"), by=BY) for number in range(1201)]
        ids = [record.id for record in flow.batch(drafts)]
        wanted = [*reversed(ids), ids[7]]
        store = flow.store
        assert [record.id for record in store.get(wanted)] == wanted
        assert [entry.record_id for entry in store.history(wanted)] == wanted
        with pytest.raises(RecordNotFound) as caught:
            store.get([*ids[:600], "gone", *ids[600:], "lost", "gone"])
        assert caught.value.ids == ("gone", "lost")


@pytest.mark.parametrize(
    "memory",
    ["sqlite://", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true", "sqlite:///file:x?mode=memory&uri=true"],
)
def test_a_database_in_memory_is_one_for_all_threads(memory: str) -> None:
    """An SQLite database in memory is the same one from every thread, and is declared as not durable."""
    with open_flow(memory) as flow:
        assert not flow.store.capabilities.durable
        assert not flow.store.capabilities.shared
        report = flow.create(draft(), by=BY)

        def work(number: int) -> int:
            return int(flow.fire(report.id, "comment", Comment(text=str(number)), by=BY).version)

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(work, range(40))) == list(range(2, 42))
        assert replay(flow.history(report.id, by=BY), REPORT) == flow.get(report.id, by=BY)


def test_a_file_is_durable_and_shared(url: str) -> None:
    """A file is declared as durable and shared, and a second store on it sees what the first one stored."""
    with open_flow(url) as flow, open_flow(url) as other:
        assert flow.store.capabilities.durable
        assert flow.store.capabilities.shared
        report = flow.create(draft(), by=BY)
        assert other.get(report.id, by=BY) == report
        other.fire(report, "edit", Revision(text="y"), by=BY)
        assert flow.get(report.id, by=BY).state == "edited"


def test_marks_stand_in_columns(url: str, engine: Engine) -> None:
    """The marks that figures count by are columns of the entry, and are counted there."""
    with open_flow(url) as flow:
        report = flow.create(draft(), by=BY)
        report = flow.fire(report, "edit", Revision(text="y"), by=BY)
        report = flow.fire(report, "review", by=WANG)
        flow.fire(report, "adopt", Adoption(body="省政协", level="province", usage="combined"), by=BY)
        with engine.connect() as connection:
            columns = "SELECT party, level, code FROM reportflow_entry WHERE trigger = 'adopt'"
            assert connection.execute(text(columns)).all() == [("省政协", "province", "combined")]
        assert flow.count(Query(), by=BY, of="entries", group=["party", "level"])[("省政协", "province")] == 1
