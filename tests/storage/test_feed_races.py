"""Several readers of one feed: who loses the race to assign positions reads on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import Engine, create_engine, event

from reportflow import Actor, AsyncSqlStore, ReportFlow, SqlStore, StorageBusy, Store
from reportflow.office import REPORT, Author, Comment, Report
from reportflow.outbox.relay import Relay
from reportflow.storage.memory import MemoryStore
from reportflow.testing import awaited
from tests.many import fires
from tests.servers import database

LI: Final = Actor(id="li", roles={"editor"}, unit="yulin")
#: Engine -> what a host has set for each of its connections, so that the slower of two writers is told.
STRICT: Final = {
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "mariadb": "SET SESSION innodb_snapshot_isolation = ON",
}
ENGINES: Final = [pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in STRICT]
ROUNDS: Final = 12


def a_report(flow: ReportFlow) -> Report:
    """A new report."""
    return flow.create(Report.draft(title="t", text="x", authors=[Author(name="张三", id="zhang")]), by=LI)


@pytest.fixture(name="url")
def fixture_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database on an engine."""
    with database(request.param) as url:
        yield url


def strict(url: str) -> Engine:
    """A host's engine."""
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute(STRICT["postgresql" if url.startswith("postgresql") else "mariadb"])
        connection.commit()

    return engine


def read(store: SqlStore, start: threading.Barrier) -> list[tuple[int, str]]:
    """The whole feed, read at the same moment by all who wait for it."""
    start.wait(30)
    return [(item.position, item.entry.ref) for item in store.feed(limit=10_000)]


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("url", ENGINES, indirect=True)
def test_readers_that_lose_the_race_read_on(url: str, own: bool) -> None:
    """Three readers of new entries, of which one assigns the positions: each is given all entries, none an error."""
    store = SqlStore(url if own else strict(url))
    flow = ReportFlow(store, REPORT)
    report, total = a_report(flow), 1
    for _ in range(ROUNDS):
        total += len(list(flow.run(fires([report.id] * 10, "comment", Comment(text="x"), by=LI))))
        with ThreadPoolExecutor(3) as pool:
            found = list(pool.map(read, [store] * 3, [threading.Barrier(3)] * 3))
        assert found[0] == found[1] == found[2]
        assert [position for position, _ in found[0]] == list(range(1, total + 1))
    flow.close()
    if not own:
        store.engine.dispose()


@pytest.mark.parametrize("url", ENGINES, indirect=True)
def test_readers_that_are_awaited_read_on(url: str) -> None:
    """The same race between readers that are awaited."""
    with ReportFlow(SqlStore(url), REPORT) as flow:
        report = a_report(flow)
        list(flow.run(fires([report.id] * 10, "comment", Comment(text="x"), by=LI)))
    several = [awaited(AsyncSqlStore(url.replace("pymysql", "asyncmy"), REPORT.classes)) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda store: [item.position for item in store.feed()], several))
    assert found == [list(range(1, 12))] * 3
    for store in several:
        store.close()


@pytest.mark.parametrize("url", ENGINES, indirect=True)
def test_the_feed_is_read_in_a_transaction_of_the_host(url: str) -> None:
    """Inside a host's transaction the feed shows what it wrote too; rolled back, the positions are gone with it."""
    with ReportFlow(SqlStore(url), REPORT) as flow:
        report = a_report(flow)
        host = create_engine(url)
        with host.connect() as connection:
            transaction = connection.begin()
            bound = flow.bound_to(connection)
            bound.fire(report.id, "comment", Comment(text="x"), by=LI)
            assert [item.entry.sequence for item in bound.store.feed()] == [1, 2]
            transaction.rollback()
        host.dispose()
        flow.fire(report.id, "comment", Comment(text="y"), by=LI)
        assert [(item.position, item.entry.sequence) for item in flow.store.feed()] == [(1, 1), (2, 2)]


class Contended(MemoryStore):
    """A store whose feed another reader holds at first."""

    failures = 5

    def feed(self, after: int | None = None, limit: int = 100) -> Any:
        """See `Store.feed`."""
        if self.failures:
            self.failures -= 1
            raise StorageBusy("memory:", "held")
        return super().feed(after, limit)


def test_a_relay_does_not_sleep_when_another_writer_was_faster() -> None:
    """After a `StorageBusy` a relay goes on at once, and does not wait for the next poll."""
    store: Store = Contended()
    with ReportFlow(store, REPORT) as flow:
        a_report(flow)
        published, stop = threading.Event(), threading.Event()
        relay = Relay(store, lambda _: published.set())
        runner = threading.Thread(target=relay.run, args=(stop,), kwargs={"poll": 60.0}, daemon=True)
        begun = datetime.now(UTC)
        runner.start()
        assert published.wait(10)
        assert datetime.now(UTC) - begun < timedelta(seconds=10)
        stop.set()
        runner.join(10)
