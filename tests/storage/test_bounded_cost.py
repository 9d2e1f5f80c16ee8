"""The contract's order, and a bounded cost, on every engine: long titles, very many values, very many texts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, Final

import attrs
import pytest
from sqlalchemy import create_engine

from reportflow import Interval, InvalidValue, Query, RecordNotFound, SqlStore, Store
from reportflow.model.actor import Scope, Secrecy
from reportflow.model.query import Grant, Happened, Visibility
from reportflow.office import Author, Comment, Report
from reportflow.storage.memory import MemoryStore
from reportflow.testing.acts import CLASSES, acted, created, report
from tests.servers import database


def rule(*grants: Grant) -> Visibility:
    """What a person of a small unit may see."""
    return Visibility(actor="clerk", unit="small", clearance=Secrecy.INTERNAL, grants=grants)


ENGINES: Final = [
    "sqlite",
    *(pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in ("postgresql", "mariadb")),
]
MANY: Final = 70_000
#: Texts that are alike for longer than engines compare when they sort, and the ends by which they differ.
ALIKE: Final = ["s", "t", "a" * 1024, "县" * 341 + "a", "😀" * 256, "b" * 3000, "c" * 70_000]


@pytest.fixture(name="url", params=ENGINES, scope="module")
def fixture_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty database on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('bounded')}/office.db"
    else:
        with database(request.param) as found:
            yield found


def filled(store: Any) -> Any:
    """A store with reports whose titles are alike, each with labels and a second entry."""
    for number, (alike, end) in enumerate(product(ALIKE, ["z", "b", "a", "县", "ab", " ", "\u0001"])):
        draft = report(f"r{number:03}", title=alike + end, authors=[Author(name="a", id=f"z{number % 5}")])
        first = created(draft)
        store.commit([first])
        store.commit([acted(first.record, "comment", Comment(text="x"))])
    return store


@pytest.fixture(name="stores", scope="module")
def fixture_stores(url: str) -> Iterator[tuple[SqlStore, MemoryStore]]:
    """A store on the engine, and one in memory, of the same content."""
    store = SqlStore(url, CLASSES)
    yield filled(store), filled(MemoryStore(CLASSES))
    store.close()


def paged(store: Store, query: Query) -> list[str]:
    """The ids of all that is found, page by page."""
    found: list[str] = []
    while True:
        page = store.find(query)
        found += [record.id for record in page]
        if page.next is None:
            return found
        query = attrs.evolve(query, cursor=page.next)


@pytest.mark.parametrize("order", [("title",), ("-title",), ("state", "-title"), ("-title", "created_at")])
def test_pages_by_long_titles_lose_nothing(stores: tuple[SqlStore, MemoryStore], order: tuple[str, ...]) -> None:
    """Titles that are alike for kilobytes are in the contract's order, and page by page none is lost or shown twice."""
    store, memory = stores
    expected = paged(memory, Query(order=order))
    for limit in (4, 100):
        assert paged(store, Query(order=order, limit=limit)) == expected


def test_long_titles_on_an_engine_of_a_host(url: str, stores: tuple[SqlStore, MemoryStore]) -> None:
    """The order does not rest on how the library sets up its own connections."""
    host = create_engine(url)
    assert paged(SqlStore(host, CLASSES), Query(order="title", limit=9)) == paged(stores[1], Query(order="title"))
    host.dispose()


#: What is asked with very many values; ``None`` among them means none at all.
ASKED: Final[dict[str, Query]] = {
    "ids": Query(id=[f"x{number}" for number in range(MANY)] + ["r001", "r007"]),
    "authors": Query(author=[f"x{number}" for number in range(MANY)] + ["z3"]),
    "no topic, or one of many": Query(topic=[None, *(f"x{number}" for number in range(MANY))]),
    "assignees": Query(assignee=[None, *(f"x'\"{number}" for number in range(MANY))]),
    "who did it": Query(happened=Happened(actor=[f"x{number}" for number in range(MANY)] + ["clerk"])),
    "party": Query(happened=Happened(party=[f"x\\{number}" for number in range(MANY)])),
}


@pytest.mark.parametrize("name", ASKED)
def test_very_many_values_in_one_query(stores: tuple[SqlStore, MemoryStore], name: str) -> None:
    """Seventy thousand values are found by as few are, though no engine takes as many parameters."""
    store, memory = stores
    query = attrs.evolve(ASKED[name], limit=1000)
    assert paged(store, query) == paged(memory, query)
    assert store.count(query, group=("author",)) == memory.count(query, group=("author",))
    assert store.count(query, "entries") == memory.count(query, "entries")


def test_very_many_ids_in_one_call(stores: tuple[SqlStore, MemoryStore]) -> None:
    """`get` and `history` of seventy thousand ids name all that are missing, and give what is there."""
    store, memory = stores
    ids = [f"x{number}" for number in range(MANY)]
    with pytest.raises(RecordNotFound) as caught:
        store.get(["r001", *ids])
    assert caught.value.ids == tuple(ids)
    assert store.history([*ids, "r001"]) == memory.history(["r001"])
    assert [record.id for record in store.get(["r001"] * MANY)] == ["r001"] * MANY


def test_a_query_looks_for_so_many_texts_and_no_more() -> None:
    """Each text is looked for in the whole of each record, so their number is bounded."""
    assert Query(text={f"x{number}" for number in range(20)}).text is not None
    with pytest.raises(InvalidValue, match="at most 20 texts"):
        Query(text={f"x{number}" for number in range(21)})


def test_times_beside_many_values(stores: tuple[SqlStore, MemoryStore]) -> None:
    """Very many values go with every other condition."""
    store, memory = stores
    query = attrs.evolve(ASKED["ids"], created_at=Interval(), author={"z1", "z2"}, kind="report")
    assert paged(store, query) == paged(memory, query) != []


def test_labels_are_counted_at_a_cost_that_grows_with_their_number() -> None:
    """On PostgreSQL, before its tables were ever analyzed, no plan joins each record with each label."""
    with database("postgresql") as url, SqlStoreOf(url) as store:
        number = 0
        for more in (80, 320, 600):
            store.commit([created(labelled(one)) for one in range(number, number + more)])
            number += more
            for group, query in product(
                (("topic",), ("author",), ("topic", "author")), (Query(), Query(kind="report"))
            ):
                statement = store._statements.count(query, "records", group)
                with store.engine.connect() as connection:
                    sql = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}"
                    plan = connection.exec_driver_sql(sql, statement.values({})).scalar_one()
                assert worst(plan[0]["Plan"]) <= 30 * number, (number, group, plan)


#: What a page asks for, as somebody of a unit, or with what is their own: the person has little of what there is.
FEW_OF_MANY: Final[dict[str, Query]] = {
    "inbox": Query(
        visible=rule(Grant(kind="report", scopes=frozenset({Scope.UNIT}), states=frozenset({"draft"}))),
        assignee={None, "clerk"},
        order=("due_at", "created_at"),
        limit=50,
    ),
    "list of a unit": Query(
        visible=rule(Grant(kind="report", scopes=frozenset({Scope.UNIT}))), order="-created_at", limit=50
    ),
    "what is their own": Query(
        visible=rule(Grant(kind="report", scopes=frozenset({Scope.OWN}))), order="-created_at", limit=50
    ),
    "what changed last": Query(
        visible=rule(Grant(kind="report", scopes=frozenset({Scope.ANY}))), order="-updated_at", limit=50
    ),
}


def test_a_page_reads_no_more_where_others_have_more() -> None:
    """On PostgreSQL, what a page reads of a person who has little does not grow with what all others have."""
    with database("postgresql") as url, SqlStoreOf(url) as store:
        store.commit([created(report(f"r{number}", unit="small")) for number in range(20)])
        with store.engine.begin() as connection:
            record = store.tables.record
            names = [column.name for column in record.c]
            given = ", ".join("id || '-' || n" if one == "id" else one for one in names)
            given = given.replace("unit", "'unit ' || n %% 9").replace("created_by", "'person ' || n %% 9")
            copied = f"SELECT {given} FROM {record.name}, generate_series(1, 400) AS n"
            connection.exec_driver_sql(f"INSERT INTO {record.name} ({', '.join(names)}) {copied}")
            connection.exec_driver_sql("ANALYZE")
        for name, query in FEW_OF_MANY.items():
            statement = store._statements.page(query, None)
            with store.engine.connect() as connection:
                sql = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}"
                plan = connection.exec_driver_sql(sql, statement.values({})).scalar_one()
            assert worst(plan[0]["Plan"]) <= 60, (name, plan)


class SqlStoreOf:
    """A store that is closed at the end."""

    def __init__(self, url: str) -> None:
        self.store = SqlStore(url)

    def __enter__(self) -> SqlStore:
        return self.store

    def __exit__(self, *_: object) -> None:
        self.store.close()


def labelled(number: int) -> Report:
    """A report with several topics."""
    return report(f"r{number:05}", topics=[f"t{(number + n) % 40}" for n in range(4)])


def worst(node: dict[str, Any]) -> float:
    """The most rows that a step of a plan looked at, those that it threw away too."""
    removed = sum(value for name, value in node.items() if name.startswith("Rows Removed by"))
    here = (node["Actual Rows"] + removed) * node["Actual Loops"]
    return float(max([here, *(worst(one) for one in node.get("Plans", []))]))
