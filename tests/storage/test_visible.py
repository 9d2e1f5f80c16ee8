"""`flow.visible`: a host's own SELECT shows what `find` and `count` show, and never more, on each engine."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any, Final

import attrs
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Engine, MetaData, String, Table, and_, create_engine, func, insert, literal, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, with_loader_criteria

from reportflow import (
    Actor,
    AsyncReportFlow,
    AsyncSqlStore,
    Happened,
    InvalidValue,
    Query,
    ReportFlow,
    Secrecy,
    SqlStore,
    StorageClosed,
    Store,
    open_flow,
)
from reportflow.model.actor import Scope
from reportflow.model.query import Grant, Visibility
from reportflow.office import REPORT, Author, Comment, Report, Revision
from reportflow.storage.base import Of
from reportflow.storage.sql.schema import Tables, make_tables
from reportflow.testing.acts import CLASSES, START, Aside, Note, Undo, acted, created, report, sample
from reportflow.testing.strategies.storage import PEOPLE, ROLES, UNITS, WORDS, queries, visibilities
from tests.lifecycles import OPEN_REPORT
from tests.servers import database

ENGINES: Final = ("sqlite", "postgresql", "mariadb")
IDS: Final = tuple(f"r{number}" for number in range(30))
_KINDS: Final = ("report", "conformance")
_STATES: Final = ("draft", "edited", "open", "closed")
_TRIGGERS: Final = ("create", "edit", "note", "aside", "undo", "close", "comment")
asked = queries(ids=IDS, kinds=_KINDS, states=_STATES, triggers=_TRIGGERS)


class Host:
    """A database with thirty records of two kinds, and a table of the host's own whose texts are of the default kind.

    Attributes:
        engine: The host's own engine on it.
        tables: The tables of the store, in the host's `MetaData`.
        letter: A table of the host's that names records, one of which is none.
        store: The store.
    """

    def __init__(self, url: str) -> None:
        metadata = MetaData()
        self.engine: Engine = create_engine(url)
        self.tables: Tables = make_tables(metadata)
        self.letter = Table("letter", metadata, Column("report_id", String(40)))
        metadata.create_all(self.engine)
        self.store = SqlStore(self.engine, CLASSES, metadata=metadata)
        _fill(self.store)
        with self.engine.begin() as connection:
            connection.execute(insert(self.letter), [{"report_id": id} for id in (*IDS, "R1", "gone")])

    def select(self, statement: Any) -> list[Any]:
        """The first column of what a SELECT gives, in order."""
        with self.engine.connect() as connection:
            return sorted(connection.scalars(statement).all())

    def run(self, sql: str, parameters: Any) -> list[Any]:
        """The same of a text, as a driver takes it."""
        with self.engine.connect() as connection:
            return sorted(row[0] for row in connection.exec_driver_sql(sql, parameters))


def _fill(store: Store) -> None:
    """Records of both kinds, with labels, audiences, levels of secrecy, and entries that are taken back."""
    chance = random.Random(13)
    for number, id in enumerate(IDS):
        who = [Actor(id=one, unit=chance.choice(UNITS)) for one in chance.choices(PEOPLE, k=4)]
        common: dict[str, Any] = {
            "unit": chance.choice(UNITS), "category": chance.choice(WORDS), "assignee": chance.choice([None, *PEOPLE]),
            "secrecy": chance.choice(list(Secrecy)), "topics": chance.sample(WORDS, k=chance.randint(0, 2)),
            "due_at": chance.choice([None, START + timedelta(hours=number)]),
        }  # fmt: skip
        at = START + timedelta(hours=number)
        if number % 2:
            change = created(
                report(id, authors=[Author(name="x", id=chance.choice(PEOPLE))], **common), by=who[0], now=at
            )
            store.commit([change])
            if chance.random() < 0.7:
                store.commit([acted(change.record, "edit", Revision(text=chance.choice(WORDS)), by=who[1])])
            continue
        change = created(sample(id, authors=[chance.choice(PEOPLE)], **common), by=who[0], now=at)
        note = Note(party=chance.choice(WORDS), level=chance.choice(["city", None]), code=chance.random() < 0.5)
        acts: list[tuple[str, Any]] = [
            ("note", note),
            ("aside", Aside(to=chance.sample(ROLES[1:], k=1))),
            ("undo", Undo(sequence=2)),
        ]
        store.commit([change])
        for act, by in zip(acts[: chance.randint(0, 3)], who[1:], strict=False):
            change = acted(change.record, *act, by=by)
            store.commit([change])


@pytest.fixture(scope="module", params=[pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in ENGINES])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """One of each engine."""
    if request.param == "sqlite":
        made = Host(f"sqlite:///{tmp_path_factory.mktemp('visible')}/host.db")
        yield made
        made.engine.dispose()
    else:
        with database(request.param) as url:
            made = Host(url)
            yield made
            made.engine.dispose()


def paged(store: Store, query: Query) -> list[str]:
    """The ids of all pages, sorted."""
    ids, left = [], [attrs.evolve(query, cursor=None)]
    while left:
        page = store.find(left.pop())
        ids += [record.id for record in page]
        left = [attrs.evolve(query, cursor=page.next)] if page.next else []
    return sorted(ids)


bounded = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MANY: Final = frozenset({*IDS, *(f"none {number}" for number in range(600))})


@bounded
@given(query=asked, rule=st.none() | visibilities(_KINDS, _STATES))
@example(query=Query(id=MANY, author=MANY | {"li"}), rule=None)
@example(query=Query(happened=Happened(trigger="aside"), text="%"), rule=None)
def test_a_select_of_the_host_shows_what_find_shows(host: Host, query: Query, rule: Visibility | None) -> None:
    """Whatever the query and its rule: over the table, an alias, a foreign key of the host's, a join, and as text."""
    query = attrs.evolve(query, visible=rule or query.visible)
    expected, record, visible = (
        paged(host.store, query),
        host.tables.record,
        partial(host.store.visible, query, "records"),
    )
    letter, label, entry, other = host.letter, host.tables.label, host.tables.entry, host.tables.record.alias()
    here = visible(None)
    assert host.select(select(record.c.id).where(here)) == expected
    assert host.select(select(other.c.id).where(visible(other.c.id))) == expected
    assert host.select(select(letter.c.report_id).where(visible(letter.c.report_id))) == expected
    assert (
        host.select(select(letter.c.report_id).join(record, and_(record.c.id == letter.c.report_id, here))) == expected
    )
    assert host.run(*here.as_sql(host.engine.dialect.paramstyle)) == expected
    # the tables that the condition looks into may be in the host's SELECT too
    joined = select(record.c.id).outerjoin(label, label.c.record_id == record.c.id)
    joined = joined.outerjoin(entry, entry.c.record_id == record.c.id).where(here).distinct()
    assert host.select(joined) == expected


@bounded
@given(query=asked, rule=st.none() | visibilities(_KINDS, _STATES))
@example(query=Query(happened=Happened(trigger={"note", "aside"})), rule=None)
def test_entries_are_those_that_count_counts(host: Host, query: Query, rule: Visibility | None) -> None:
    """Whatever the query and its rule: entries that secrecy or an audience hides are in no SELECT either."""
    query = attrs.evolve(query, visible=rule or query.visible)
    entry, record, other = host.tables.entry, host.tables.record, host.tables.entry.alias()
    expected = host.store.count(query, "entries", ["trigger"])
    shown, visible = host.store.visible(query, "entries", None), partial(host.store.visible, query, "entries")

    def counted(statement: Any) -> dict[tuple[str], int]:
        return {(one,): number for one, number in Counter(host.select(statement)).items()}

    assert counted(select(entry.c.trigger).where(shown)) == expected
    assert counted(select(entry.c.trigger).join(record).where(shown)) == expected
    assert counted(select(other.c.trigger).where(visible(other.c.id))) == expected
    assert len(host.run(*shown.as_sql(host.engine.dialect.paramstyle))) == sum(expected.values())


@pytest.mark.parametrize("of", ["records", "entries"])
def test_it_never_shows_more_where_it_is_used_wrongly(host: Host, of: Of) -> None:
    """In a SELECT that is from an alias, or from another table, the database refuses it: it joins none by itself."""
    rule = Visibility(
        actor="li",
        unit="north",
        clearance=Secrecy.TOP_SECRET,
        grants=(Grant(kind="report", scopes=frozenset({Scope.ANY})),),
    )
    everything, table = (
        host.store.visible(Query(visible=rule), of, None),
        getattr(host.tables, of[:-1].replace("entrie", "entry")),
    )
    for wrong in (table.alias(), host.letter):
        with pytest.raises(DatabaseError):
            host.select(select(next(iter(wrong.c))).where(everything))
    with pytest.raises(DatabaseError):
        host.select(select(func.count()).where(and_(everything, literal(1) == 1)))


LI = Actor(id="li", roles={"editor"}, unit="yulin")
GAO = Actor(id="gao", roles={"reviewer"}, unit="yanan", clearance=Secrecy.SECRET)


class Base(DeclarativeBase):
    """The host's own mapped classes."""


class Row(Base):
    """The records, as a mapped class of the host's."""

    __table__ = make_tables(Base.metadata).record
    id: Mapped[str]


def _office(flow: ReportFlow) -> None:
    for id, unit in (("a", "yulin"), ("b", "yulin"), ("c", "yanan")):
        by = attrs.evolve(LI, unit=unit)
        fields: dict[str, Any] = {"id": id, "unit": unit, "title": id, "text": "x", "authors": [Author(name="x")]}
        one = flow.create(Report.draft(**fields), by=by)
        flow.fire(one, "comment", Comment(text="y", internal=True), by=LI) if unit == "yulin" else None


def test_mapped_classes_and_their_aliases() -> None:
    """With SQLAlchemy's ORM: a class mapped on the table, an alias of it, and criteria for all loading of it."""
    engine = create_engine("sqlite://")
    with ReportFlow(SqlStore(engine, metadata=Base.metadata), OPEN_REPORT) as flow, Session(engine) as session:
        _office(flow)
        for by in (LI, GAO):
            expected = [record.id for record in flow.find(Query(), by=by)]
            other = aliased(Row)
            for statement in (
                select(Row).where(flow.visible(Query(), by=by)).order_by(Row.id),
                select(other).where(flow.visible(Query(), by=by, on=other.id)).order_by(other.id),
                select(Row).options(with_loader_criteria(Row, flow.visible(Query(), by=by))).order_by(Row.id),
                select(Row).where(flow.visible(Query(id=MANY | set("abc")), by=by)).order_by(Row.id),
            ):
                assert [row.id for row in session.scalars(statement)] == expected
            with flow.bound_to(session) as bound:
                assert session.scalars(select(Row.id).where(bound.visible(Query(), by=by))).all() == expected
    engine.dispose()


def test_awaited_flows_give_it_without_waiting(tmp_path: Any) -> None:
    """Also before the store is opened; it is the clause that the blocking flow gives."""

    async def run() -> str:
        store = AsyncSqlStore(f"sqlite+aiosqlite:///{tmp_path}/a.db")
        async with AsyncReportFlow(store, REPORT) as flow:
            async with store.engine.begin() as connection:
                bound = flow.bound_to(connection).visible(Query(), by=LI)
            assert str(bound) == str(flow.visible(Query(), by=LI))
            return str(bound)

    with ReportFlow(SqlStore("sqlite://"), REPORT) as flow:
        assert asyncio.run(run()) == str(flow.visible(Query(), by=LI))


def test_entries_as_a_reader_has_them() -> None:
    """Where nothing was taken back, the entries of a SELECT are those of `history`."""
    engine = create_engine("sqlite://")
    tables = make_tables(metadata := MetaData())
    with ReportFlow(SqlStore(engine, metadata=metadata), OPEN_REPORT) as flow, engine.connect() as connection:
        _office(flow)
        for by in (LI, attrs.evolve(LI, roles={"contributor"})):
            shown = select(tables.entry.c.record_id, tables.entry.c.sequence).where(
                flow.visible(Query(), by=by, of="entries")
            )
            read = [(e.record_id, e.sequence) for _, entries in flow.histories(Query(), by=by) for e in entries]
            assert sorted(map(tuple, connection.execute(shown))) == sorted(read)
    engine.dispose()


def test_wrong_calls() -> None:
    """What is no SQL store, no column, no query, or asks for an unknown name, is said; so is a closed flow."""
    with open_flow("memory:") as memory, pytest.raises(InvalidValue, match="SqlStore"):
        memory.visible(Query(), by=LI)
    with ReportFlow(SqlStore("sqlite://"), REPORT) as flow:
        for wrong in ("report_id", Row, Row.__table__, 1):
            with pytest.raises(InvalidValue, match=r"^on\b"):
                flow.visible(Query(), by=LI, on=wrong)
        with pytest.raises(InvalidValue, match=r"^of\b"):
            flow.visible(Query(), by=LI, of="labels")  # type: ignore[arg-type]  # the mistake
        with pytest.raises(InvalidValue, match=r"^state\b"):
            flow.visible(Query(state="edlted"), by=LI)
        with pytest.raises(InvalidValue, match=r"^query\b"):
            flow.visible("report", by=LI)  # type: ignore[arg-type]  # the mistake
        with pytest.raises(InvalidValue, match=r"^paramstyle\b"):
            flow.visible(Query(), by=LI).as_sql("dollar")
    with pytest.raises(StorageClosed):
        flow.visible(Query(), by=LI)
