"""`bound_to`: the flow inside a transaction of the host's, on each engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import attrs
import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, create_engine, event, func, select
from sqlalchemy.orm import Session

from reportflow import (
    Actor,
    Change,
    Conflict,
    DuplicateKey,
    InvalidValue,
    MemoryStore,
    Query,
    RecordNotFound,
    ReportFlow,
    SqlStore,
    StaleRecord,
    TransitionRefused,
    open_flow,
    replay,
)
from reportflow.office import REPORT, Author, Comment, Report, Revision
from reportflow.storage.sql.schema import make_tables
from tests.lifecycles import OPEN_REPORT
from tests.servers import database

LI = Actor(id="li", roles={"editor"}, unit="yulin")
ENGINES = ("sqlite", "postgresql", "mariadb")


def draft(id: str, **fields: Any) -> Report:
    """A draft that is in order."""
    return Report.draft(**{"id": id, "title": "t", "text": "x", "authors": [Author(name="张三", id="zhang")], **fields})


@pytest.fixture(scope="module", params=[pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in ENGINES])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('host')}/host.db"
    else:
        with database(request.param) as made:
            yield made


@pytest.fixture
def host(url: str) -> Iterator[Engine]:
    """The host's own engine on it."""
    engine = create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def flow(url: str, request: pytest.FixtureRequest) -> Iterator[ReportFlow]:
    """A flow on tables of the test's own."""
    prefix = f"t{abs(hash(request.node.name)) % 10**8}_"
    with ReportFlow(SqlStore(url, prefix=prefix), OPEN_REPORT) as made:
        yield made


def test_a_commit_of_the_host_stores_everything(flow: ReportFlow, host: Engine) -> None:
    """Record, entry and feed item are stored by the host's commit, and not visible before."""
    with host.connect() as connection, connection.begin():
        bound = flow.bound_to(connection)
        report = bound.create(draft("r1"), by=LI, key="k")
        report = bound.fire(report, "edit", Revision(text="y"), by=LI)
        assert bound.get("r1", by=LI) == report
        if host.dialect.name != "sqlite":  # which lets nobody else in meanwhile, or reads what was before
            with pytest.raises(RecordNotFound):
                flow.get("r1", by=LI)
            assert flow.store.feed() == []
    assert flow.get("r1", by=LI) == report == replay(flow.history("r1", by=LI), REPORT)
    assert [posted.entry.ref for posted in flow.store.feed()] == ["r1@1", "r1@2"]
    assert flow.create(draft("r1"), by=LI, key="k").version == 1


def test_a_rollback_of_the_host_removes_everything(flow: ReportFlow, host: Engine) -> None:
    """A rollback of the host's takes record, entry, key and message with it."""
    first = flow.create(draft("r1"), by=LI)
    with host.connect() as connection:
        transaction = connection.begin()
        bound = flow.bound_to(connection)
        bound.fire(first, "edit", Revision(text="y"), by=LI, key="k")
        bound.create(draft("r2", topics=["road"]), by=LI)
        transaction.rollback()
    assert flow.get("r1", by=LI) == first
    assert flow.store.by_key("li", "k") is None
    assert flow.count(Query(), by=LI) == {(): 1}
    assert [posted.entry.ref for posted in flow.store.feed()] == ["r1@1"]


#: What may be too long for a column of a server -> a draft with it, and the field that is named.
LONG: Final[Mapping[str, tuple[Callable[[str], Report], str]]] = {
    "id": (lambda text: draft(text), "id"),
    "category": (lambda text: draft("r9", category=text), "category"),
    "topic": (lambda text: draft("r9", topics=["road", text]), "topic"),
    "author": (lambda text: draft("r9", authors=[Author(name="李", id=text)]), "author"),
}


@pytest.mark.parametrize("what", LONG)
def test_a_name_longer_than_its_column_is_refused_by_name(flow: ReportFlow, host: Engine, what: str) -> None:
    """A value that a server refuses and SQLite stores is an error with its field; the host's transaction goes on."""
    made, field = LONG[what]
    flow.create(made("长" * 255), by=LI)
    longer = made("长" * 256) if what == "id" else attrs.evolve(made("长" * 256), id="r8")
    if host.dialect.name == "sqlite":
        assert flow.create(longer, by=LI).version == 1
        return
    with host.connect() as connection, connection.begin():
        bound = flow.bound_to(connection)
        for one in (flow, bound):
            with pytest.raises(InvalidValue) as caught:
                one.create(longer, by=LI)
            assert (caught.value.field, caught.value.problem) == (field, "too_many")
            assert "at most 255" in str(caught.value)
        assert bound.create(draft("r7"), by=LI, key="k" * 255).version == 1
        with pytest.raises(InvalidValue, match="key"):
            bound.fire("r7", "edit", Revision(text="y"), by=LI, key="k" * 256)
    with pytest.raises(InvalidValue, match="key"):
        flow.fire("r7", "edit", Revision(text="y"), by=LI, key="k" * 256)
    assert flow.fire("r7", "edit", Revision(text="y"), by=LI).version == 2


def test_under_a_savepoint(flow: ReportFlow, host: Engine) -> None:
    """A rollback to a savepoint removes what was written after it, and nothing before."""
    with host.connect() as connection, connection.begin():
        bound = flow.bound_to(connection)
        report = bound.create(draft("r1"), by=LI)
        savepoint = connection.begin_nested()
        bound.fire(report, "edit", Revision(text="y"), by=LI)
        savepoint.rollback()
        bound.fire(report, "comment", Comment(text="z"), by=LI)
    assert [entry.trigger for entry in flow.history("r1", by=LI)] == ["create", "comment"]


def test_under_a_savepoint_that_comes_first(flow: ReportFlow, host: Engine) -> None:
    """A savepoint before anything else is one too, and the host's rollback removes what was written.

    SQLite's driver begins no transaction before a savepoint, so the host has to, as SQLAlchemy's manual says:
    https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#serializable-isolation-savepoints-transactional-ddl
    """
    if host.dialect.name == "sqlite":
        event.listen(host, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
        event.listen(host, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    for name, ends in (("r1", "rollback"), ("r2", "commit")):
        with Session(host) as session:
            with session.begin_nested():
                report = flow.bound_to(session).create(draft(name), by=LI)
            with suppress(ZeroDivisionError), session.begin_nested():
                flow.bound_to(session).fire(report, "edit", Revision(text="y"), by=LI)
                raise ZeroDivisionError
            getattr(session, ends)()
    assert [entry.ref for entry in flow.history("r2", by=LI)] == ["r2@1"]
    assert [record.id for record in flow.find(Query(), by=LI)] == ["r2"]
    assert [posted.entry.ref for posted in flow.store.feed()] == ["r2@1"]


def test_a_session_of_the_orm(flow: ReportFlow, host: Engine) -> None:
    """A `Session` is a host too: its commit stores what the flow wrote."""
    with Session(host) as session:
        flow.bound_to(session).create(draft("r1"), by=LI)
        session.rollback()
        flow.bound_to(session).create(draft("r2"), by=LI)
        session.commit()
    assert [record.id for record in flow.find(Query(), by=LI)] == ["r2"]


def test_nothing_but_a_savepoint_is_begun_or_ended_there(flow: ReportFlow, host: Engine) -> None:
    """The library sends no COMMIT or ROLLBACK on the host's connection; a savepoint of its own it begins and ends.

    On SQLite it sends the BEGIN that the driver would have sent before the first statement that writes.
    """
    statements: list[str] = []
    with host.connect() as connection, connection.begin():
        event.listen(host, "before_cursor_execute", lambda *given: statements.append(given[2]))
        for name in ("commit", "rollback"):
            event.listen(host, name, lambda *given, name=name: statements.append(name))
        bound = flow.bound_to(connection)
        report = bound.create(draft("r1"), by=LI)
        with pytest.raises(TransitionRefused):
            bound.fire(report, "review", by=LI)
        bound.close()
        words = [one.split()[0].upper() for one in statements]
    assert set(words) - {"SELECT", "INSERT", "UPDATE", "DELETE"} <= {"BEGIN", "SAVEPOINT", "RELEASE"}
    assert words.count("BEGIN") == (host.dialect.name == "sqlite")
    assert words.count("SAVEPOINT") == words.count("RELEASE") > 0
    assert flow.get("r1", by=LI) == report


def test_a_refused_call_leaves_the_transaction_usable(flow: ReportFlow, host: Engine) -> None:
    """After a stale record, a used key and a taken id, the host's transaction goes on."""
    first = flow.create(draft("r1"), by=LI, key="k")
    second = flow.fire(first, "edit", Revision(text="y"), by=LI)
    with host.connect() as connection, connection.begin():
        bound = flow.bound_to(connection)
        with pytest.raises(StaleRecord):
            bound.fire(first, "edit", Revision(text="z"), by=LI)
        with pytest.raises(DuplicateKey):
            bound.fire(second, "comment", Comment(text="z"), by=LI, key="k")
        assert bound.create(draft("r1"), by=LI, key="k").version == 1
        bound.create(draft("r3"), by=LI)
    assert flow.count(Query(), by=LI) == {(): 2}


def test_a_concurrent_duplicate_that_commits_first(flow: ReportFlow, host: Engine) -> None:
    """If another transaction commits the same key first, the host's transaction gets the error and goes on.

    On PostgreSQL an error of the database would have broken the host's transaction.
    """
    if host.dialect.name == "sqlite":
        pytest.skip("one writer at a time: nobody commits in between")
    first, other = flow.create(draft("r1"), by=LI), flow.create(draft("r2"), by=LI)
    with host.connect() as connection, connection.begin():
        bound = flow.bound_to(connection)
        store: Any = bound.store
        plan = store._plan
        rivals: list[object] = []

        def lose_then_write(changes: list[Change]) -> object:
            if not rivals:
                rivals.append(flow.fire(other, "comment", Comment(text="a"), by=LI, key="k"))
            return plan(changes)

        store._plan = lose_then_write
        with pytest.raises((DuplicateKey, Conflict)):
            bound.fire(first, "comment", Comment(text="b"), by=LI, key="k")
        assert len(rivals) == 1
        report = bound.fire(first, "edit", Revision(text="y"), by=LI)
    assert flow.get("r1", by=LI) == report == replay(flow.history("r1", by=LI), REPORT)
    assert [entry.trigger for entry in flow.history("r1", by=LI)] == ["create", "edit"]


def test_many_labels_in_one_call(flow: ReportFlow, host: Engine) -> None:
    """A record with many topics is stored in the host's transaction, and found by each."""
    topics = [f"road {number}" for number in range(30)]
    with host.connect() as connection, connection.begin():
        flow.bound_to(connection).create(draft("r1", topics=topics), by=LI)
    for topic in topics:
        assert [record.id for record in flow.find(Query(topic=topic), by=LI)] == ["r1"]


def test_one_key_sixteen_threads(flow: ReportFlow) -> None:
    """Of sixteen threads with one key one writes, and the others get its result."""
    first = flow.create(draft("r1"), by=LI)
    barrier, versions = threading.Barrier(16), []

    def act() -> None:
        barrier.wait()
        versions.append(flow.fire("r1", "comment", Comment(text="once"), by=LI, key="k").version)

    threads = [threading.Thread(target=act) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert versions == [first.version + 1] * 16
    assert len(flow.history("r1", by=LI)) == 2


def test_tables_among_the_hosts_own(url: str, host: Engine) -> None:
    """`make_tables` puts the tables into the host's `MetaData`, twice under two prefixes, and stores work on them."""
    metadata = MetaData()
    north, south = (make_tables(metadata, prefix=prefix) for prefix in ("north_", "south_"))
    metadata.drop_all(host)
    with (
        ReportFlow(SqlStore(url, prefix="north_"), OPEN_REPORT) as one,
        ReportFlow(SqlStore(url, prefix="south_"), OPEN_REPORT) as other,
    ):
        one.create(draft("r1"), by=LI)
        other.create(draft("r1"), by=LI)
        other.create(draft("r2"), by=LI)
    with host.connect() as connection:
        counted = [connection.scalar(select(func.count()).select_from(table.record)) for table in (north, south)]
    assert counted == [1, 2]


def test_the_host_makes_the_tables_with_its_own(host: Engine) -> None:
    """`metadata.create_all` of the host's makes tables that a store opens, with or without that `MetaData`."""
    metadata = MetaData()
    Table("letters_of_the_host", metadata, Column("id", Integer, primary_key=True))
    tables = [make_tables(metadata, prefix=prefix) for prefix in ("east_", "west_")]
    assert make_tables(metadata, prefix="east_") is tables[0]
    for _ in range(2):  # what is there stays as it is
        metadata.create_all(host)
    for given in (metadata, None):
        for prefix in ("east_", "west_"):
            with ReportFlow(SqlStore(host, create=False, prefix=prefix, metadata=given), OPEN_REPORT) as flow:
                record = flow.create(draft(f"{prefix}{given is None}"), by=LI)
                assert flow.get(record.id, by=LI) == record
                assert flow.store.feed()[-1].entry.record_id == record.id
    metadata.drop_all(host)
    metadata.create_all(host, tables[1].all)
    with ReportFlow(SqlStore(host, create=False, prefix="west_"), OPEN_REPORT) as flow:
        assert flow.count(Query(), by=LI) == {(): 0}
    metadata.drop_all(host)


def test_what_is_no_connection_is_refused(flow: ReportFlow) -> None:
    """What is neither a connection nor a session is refused, and so is a store that knows no host."""
    with pytest.raises(InvalidValue, match="Connection"):
        flow.bound_to("sqlite://")
    with open_flow("memory:") as memory, pytest.raises(InvalidValue, match="host_transaction"):
        memory.bound_to(flow)
    assert isinstance(memory.store, MemoryStore)
