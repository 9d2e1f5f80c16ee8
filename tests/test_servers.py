"""The contract on PostgreSQL and MariaDB, for real: each server is started by the tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import pytest

from reportflow import REPORT, Actor, AlreadyExists, Author, Query, Report, open_flow, replay
from reportflow.storage.contract import Store
from reportflow.storage.sql.store import SqlStore
from reportflow.testing import LifecycleMachine, StoreConformance
from tests.host import rolled_back
from tests.servers import SERVERS, database
from tests.test_lifecycle_machine import LOAN, REMINDER, run

pytestmark = pytest.mark.filterwarnings("ignore::reportflow.testing.broken.NeverFired")  # a short run says so

_NUMBERS = itertools.count(1)


class OnAServer(StoreConformance):
    profile = "brief"  # with the state machines of two lifecycles beside it
    engine: ClassVar[str]
    url: ClassVar[str]
    prefixes: ClassVar[dict[Store, str]] = {}

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _database(cls) -> Iterator[None]:
        with database(cls.engine) as cls.url:
            yield

    def make_store(self) -> Store:
        return self.opened(f"t{next(_NUMBERS)}_")

    def reopen(self, store: Any) -> Store:
        return self.opened(self.prefixes[store], create=False)

    def opened(self, prefix: str, *, create: bool = True) -> Store:
        store = SqlStore(self.url, prefix=prefix, create=create)
        self.prefixes[store] = prefix
        return store

    def rolled_back(self, store: Any) -> AbstractContextManager[Store]:
        return rolled_back(store)


@pytest.mark.xdist_group("postgresql")
class TestPostgreSQL(OnAServer):
    engine = "postgresql"


@pytest.mark.xdist_group("mariadb")
class TestMariaDB(OnAServer):
    engine = "mariadb"


@pytest.mark.parametrize("engine", [pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in SERVERS])
def test_any_lifecycle_keeps_every_promise_there(engine: str) -> None:
    """The state machines of two lifecycles, one of them with steps, find nothing wrong with the store."""
    with database(engine) as url:
        for several in ((REPORT,), (LOAN, REMINDER)):
            machine = LifecycleMachine.of(*several, store=lambda: SqlStore(url, prefix=f"m{next(_NUMBERS)}_"))
            run(machine, examples=4, steps=15)


@pytest.mark.parametrize("engine", [pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in SERVERS])
def test_many_are_created_together(engine: str) -> None:
    """Many records created together come back letter for letter, each with its history and its labels."""
    li = Actor(id="li", roles={"editor"}, unit="yulin")
    with database(engine) as url, open_flow(url) as flow:
        texts = ["\\N", "tab\tnew\nline\\", "完善校园安全防控体系的建议 😀", "", "'\"%s%(x)s", "\r\n\x01\x7f", "NULL"]
        drafts = [
            Report.draft(
                id=f"r{n:03}", title=text or "-", text=text or "x", authors=[Author(name="张三", id=text or "zhang")]
            )
            for n, text in enumerate(texts * 20)
        ]
        outcomes = list(flow.create_all(drafts, by=li, chunk=100))
        for draft, one in zip(drafts, outcomes, strict=True):
            record = flow.get(draft.id, by=li)
            assert record == one.record == replay(flow.history(draft.id, by=li))
            assert (record.title, record.text, record.authors) == (draft.title, draft.text, draft.authors)
        assert flow.count(Query(author="\\N"), by=li) == {(): 20}
        twice = flow.create_all(drafts[:50], by=li)
        with pytest.raises(AlreadyExists):
            next(twice)
        assert flow.count(Query(), by=li) == {(): 140}


def test_the_servers_are_those_of_the_table() -> None:
    """There is a server for each engine that the tests are run on."""
    assert set(SERVERS) == {"postgresql", "mariadb"}
