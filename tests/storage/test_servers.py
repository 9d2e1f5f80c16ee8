"""The contract on PostgreSQL and MariaDB, for real: each server is started by the tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

from reportflow import Actor, AlreadyExists, Query, ReportFlow, SqlStore, Store, open_flow, replay
from reportflow.office import REPORT, Author, Comment, Report, Revision
from reportflow.testing import LifecycleMachine, StoreTests
from reportflow.testing.conformance.suite import RolledBack
from tests.host import rolled_back
from tests.lifecycles import OPEN_REPORT
from tests.many import creates
from tests.servers import SERVERS, database
from tests.testing.test_lifecycle_machine import LOAN, REMINDER, run

pytestmark = pytest.mark.filterwarnings("ignore::reportflow.testing.broken.NeverFired")  # a short run says so

LI: Final = Actor(id="li", roles={"editor"}, unit="yulin")

_NUMBERS = itertools.count(1)


class OnAServer(StoreTests):
    profile = "brief"  # with the state machines of two lifecycles beside it
    engine: ClassVar[str]
    url: ClassVar[str]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _database(cls) -> Iterator[None]:
        with database(cls.engine) as cls.url:
            yield

    @pytest.fixture
    def prefixes(self) -> dict[Store, str]:
        return {}

    def opened(self, prefixes: dict[Store, str], prefix: str, *, create: bool = True) -> Store:
        store = SqlStore(self.url, prefix=prefix, create=create)
        prefixes[store] = prefix
        return store

    @pytest.fixture
    def new_store(self, prefixes: dict[Store, str]) -> Callable[[], Store]:
        return lambda: self.opened(prefixes, f"t{next(_NUMBERS)}_")

    @pytest.fixture
    def reopen(self, prefixes: dict[Store, str]) -> Callable[[Store], Store]:
        return lambda store: self.opened(prefixes, prefixes[store], create=False)

    @pytest.fixture
    def rolled_back(self) -> RolledBack:
        return rolled_back


@pytest.mark.xdist_group("postgresql")
class TestPostgreSQL(OnAServer):
    engine = "postgresql"


@pytest.mark.xdist_group("mariadb")
class TestMariaDB(OnAServer):
    engine = "mariadb"


@pytest.mark.parametrize("engine", [pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in SERVERS])
def test_any_lifecycle_holds_on_a_server(engine: str) -> None:
    """The state machines of two lifecycles, one of them with steps, find nothing wrong with the store."""
    with database(engine) as url:
        for several in ((REPORT,), (LOAN, REMINDER)):
            machine = LifecycleMachine.of(*several, store=lambda: SqlStore(url, prefix=f"m{next(_NUMBERS)}_"))
            run(machine, examples=4, steps=15)


@contextmanager
def traced(connection: Any, path: Path) -> Iterator[list[str]]:
    """The statements sent to PostgreSQL meanwhile, as the client library traces them."""
    found: list[str] = []
    with path.open("w+", encoding="utf-8") as file:
        connection.pgconn.trace(file.fileno())
        try:
            yield found
        finally:
            connection.pgconn.untrace()
        messages = path.read_text("utf-8", "replace").splitlines()
    found += [one for one in messages if one.split("\t")[1:2] == ["F"] and one.split("\t")[3] in ("Query", "Execute")]


#: What is done -> how many statements the server runs for it.
COSTS: dict[str, tuple[Callable[[ReportFlow, Report], object], int]] = {
    "fire of a snapshot": (lambda flow, report: flow.fire(report, "edit", Revision(text="y"), by=LI), 1),
    "fire by id": (lambda flow, report: flow.fire(report.id, "edit", Revision(text="y"), by=LI), 2),
    "commuting fire of a snapshot": (
        lambda flow, report: flow.fire(report, "comment", Comment(text="y"), by=LI),
        2,
    ),
    "get": (lambda flow, report: flow.get(report.id, by=LI), 1),
    "find": (lambda flow, _: flow.find(Query(), by=LI), 1),
}


def test_what_an_act_asks_of_postgresql(tmp_path: Path) -> None:
    """A fire is one statement with a snapshot, and two by id, also when the driver has prepared them."""
    connections: list[Any] = []

    def made(connection: Any, _: object) -> None:
        connections.append(connection)

    event.listen(Pool, "connect", made)
    try:
        with database("postgresql") as url, open_flow(url) as flow:
            [first] = [one for one in connections if f"/{one.info.dbname}?" in url]
            count = len(connections)
            for act, (work, statements) in COSTS.items():
                for number in range(8):  # the driver prepares what it has run five times, once a connection
                    report = flow.create(
                        Report.draft(title="t", text="x", authors=[Author(name="张三", id="zhang")]), by=LI
                    )
                    with traced(first, tmp_path / "trace") as statements_sent:
                        work(flow, report)
                    assert len(statements_sent) == statements, (act, number, statements_sent)
            assert len(connections) == count, "no other connection was used"
    finally:
        event.remove(Pool, "connect", made)


@pytest.mark.parametrize("engine", [pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in SERVERS])
def test_many_are_created_together(engine: str) -> None:
    """Many records created together come back letter for letter, each with its history and its labels."""
    with database(engine) as url, open_flow(url, lifecycles=OPEN_REPORT) as flow:
        texts = ["\\N", "tab\tnew\nline\\", "完善校园安全防控体系的建议 😀", "", "'\"%s%(x)s", "\r\n\x01\x7f", "NULL"]
        drafts = [
            Report(id=f"r{n:03}", title=f"-{text}", text=f"x{text}", authors=[Author(name="张三", id=text or "zhang")])
            for n, text in enumerate(texts * 20)
        ]
        outcomes = list(flow.run(creates(drafts, by=LI), chunk=100))
        for draft, one in zip(drafts, outcomes, strict=True):
            record = flow.get(draft.id, by=LI, type=Report)
            assert record == one.record == replay(flow.history(draft.id, by=LI), REPORT)
            assert (record.title, record.text, record.authors) == (draft.title, draft.text, draft.authors)
        assert flow.count(Query(author="\\N"), by=LI) == {(): 20}
        twice = flow.run(creates(drafts[:50], by=LI))
        with pytest.raises(AlreadyExists):
            next(twice)
        assert flow.count(Query(), by=LI) == {(): 140}


def test_the_servers_are_those_of_the_table() -> None:
    """There is a server for each engine that the tests are run on."""
    assert set(SERVERS) == {"postgresql", "mariadb"}
