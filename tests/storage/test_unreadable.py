"""One stored row that cannot be read harms nobody else: on each engine, blocking and awaited, in lists and relays."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam, create_engine, text

from reportflow import (
    Actor,
    FeedItem,
    Fire,
    MemoryStore,
    Page,
    Query,
    RecordNotFound,
    Relay,
    ReportFlow,
    SqlStore,
    UnreadableRecord,
    open_async_flow,
    open_flow,
)
from reportflow.office import REPORT, Author, Report, Revision
from reportflow.storage.sql.schema import make_tables
from tests.servers import SERVERS, database

#: What stands in each row that is broken, and must stand in no message.
TOPIC: Final = "绝密专题"
LI: Final = Actor(id="li", roles={"contributor", "editor"}, unit="yulin")
STRANGER: Final = Actor(id="zhou", roles={"editor"}, unit="mizhi")

#: What is done to the row of a record: the column, what is put there, and the problem that is told.
RECORDS: Final[dict[str, tuple[str, Any, str]]] = {
    "broken JSON": ("data", '{"$type": "reportflow.Report", "topics": ["绝密专题"', "json"),
    "no JSON at all": ("data", TOPIC, "json"),
    "JSON of two values": ("data", '{}, {"绝密专题": 1}', "json"),
    "a JSON list": ("data", '["绝密专题"]', "json"),
    "JSON too deep": ("data", "[" * 100_000, "json"),
    "a number with too many digits": ("data", "9" * 10_000, "json"),
    "another class": ("data", '{"$type": "绝密专题"}', "other_class"),
    "a class that is no name": ("data", '{"$type": ["绝密专题"]}', "other_class"),
    "fields of no class": ("data", '{"$type": "reportflow.Report", "topics": 5, "origin": "绝密专题"}', "value"),
    "an enum member that is none": (
        "data",
        '{"$type": "reportflow.Report", "authors": [{"name": "a"}], "source": "绝密专题"}',
        "value",
    ),
    "a text where a number is": (
        "data",
        '{"$type": "reportflow.Report", "authors": [{"name": "a"}], "revision": "绝密专题"}',
        "value",
    ),
    "no schema version": ("data", '{"$type": "reportflow.Report", "$version": "绝密专题"}', "schema_version"),
    "an unknown kind": ("kind", TOPIC, "kind"),
    "an unknown version": ("lifecycle_version", 77, "kind"),
    "a secrecy that is none": ("secrecy", TOPIC, "value"),
    "a due date that is none": ("due_at", TOPIC, "value"),
    "a time that is none": ("created_at", TOPIC, "value"),
    "a time without a zone": ("updated_at", "2026-01-01T00:00:00.000000", "value"),
}
#: The same for the row of an entry.
ENTRIES: Final[dict[str, tuple[str, Any, str]]] = {
    "broken details": ("details", '{"text": "绝密专题"', "json"),
    "details of another class": ("details", '{"$type": "绝密专题"}', "other_class"),
    "details that are a list": ("details", '["绝密专题"]', "value"),
    "details without a field": ("details", '{"$type": "reportflow.Revision", "绝密专题": 1}', "value"),
    "a broken actor": ("actor", "绝密专题", "json"),
    "an actor without an id": ("actor", '{"name": "绝密专题"}', "value"),
    "an unknown trigger": ("trigger", TOPIC, "kind"),
    "an unknown kind": ("kind", TOPIC, "kind"),
    "an unknown version": ("lifecycle_version", 77, "kind"),
    "a secrecy that is none": ("secrecy", TOPIC, "value"),
    "a time that is none": ("at", TOPIC, "value"),
    "a day without a time": ("recorded_at", "2026-01-01", "value"),
}
#: What is done on servers too, one of each sort.
ON_SERVERS: Final = {
    "broken JSON", "an enum member that is none", "a time that is none", "broken details", "a broken actor",
    "an unknown trigger", "an unknown kind",
}  # fmt: skip
#: What only SQLite takes: bytes that are no text, and values of another type.
RECORDS_ON_SQLITE: Final[dict[str, tuple[str, Any, str]]] = {
    "a title that is no text": ("title", b"\xff\xfe" + TOPIC.encode(), "encoding"),
    "data that are no text": ("data", b'{"\xff', "encoding"),
    "a title of bytes": ("title", TOPIC.encode(), "column"),
    "a version of words": ("version", TOPIC, "column"),
    "a version of parts": ("version", 1.5, "column"),
    "a unit of bytes": ("head", b"\x00", "column"),
}
ENTRIES_ON_SQLITE: Final[dict[str, tuple[str, Any, str]]] = {
    "a reason that is no text": ("reason", b"\xff" + TOPIC.encode(), "encoding"),
    "details that are no text": ("details", b"\xff", "encoding"),
    "an actor of bytes": ("actor", b'{"id": "li"}', "column"),
    "a reason of bytes": ("reason", TOPIC.encode(), "column"),
    "an audience of parts": ("retracts", 1.5, "column"),
}


def alter(url: str, table: str, column: str, value: Any, id: str, more: str = "") -> None:
    """Put something into a column past the library. Bytes go in as SQLite keeps texts that are none, or as bytes."""
    engine = create_engine(url)
    quoted = engine.dialect.identifier_preparer.quote(column)
    where = "id" if table == "record" else "record_id"
    as_text = isinstance(value, bytes) and b"\xff" in value
    given = "CAST(:value AS TEXT)" if as_text else ":value"
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA foreign_keys = OFF"))
        statement = text(f"UPDATE reportflow_{table} SET {quoted} = {given} WHERE {where} = :id {more}")
        done = connection.execute(statement.bindparams(bindparam("value", value), bindparam("id", id)))
        assert done.rowcount == 1
    engine.dispose()


def quiet(error: BaseException) -> None:
    """The error and what led to it quote nothing that was stored."""
    one: BaseException | None = error
    while one is not None:
        texts = [str(one), repr(one)]
        if isinstance(one, UnreadableRecord):
            texts += [one.message("zh"), one.message("en"), one.message("zh", reader="developer")]
        for shown in texts:
            assert TOPIC not in shown
            assert not re.search(r"JSONDecode|Traceback|KeyError", shown)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def draft(number: int) -> Report:
    """A report that is in order."""
    return Report.draft(title=f"t{number}", text="x", authors=[Author(name="a")])


@contextmanager
def filled(url: str, reports: int = 5) -> Iterator[tuple[ReportFlow, list[Report]]]:
    """A database with some reports of two entries each."""
    with open_flow(url) as flow:
        made = [flow.create(draft(number), by=LI) for number in range(reports)]
        yield flow, [flow.fire(one, "edit", Revision(text=f"y{one.title}"), by=LI, key=one.id) for one in made]


def check_record(flow: ReportFlow, url: str, reports: list[Report], kind: tuple[str, Any, str]) -> None:
    """One broken record is an error of its own, and all else of the office goes on."""
    column, value, problem = kind
    broken, rest = reports[2], [*reports[:2], *reports[3:]]
    alter(url, "record", column, value, broken.id)
    store = flow.store
    with pytest.raises(UnreadableRecord) as caught:
        store.get([reports[0].id, broken.id, broken.id])
    assert (caught.value.ids, caught.value.problem) == ((broken.id,), problem)
    assert column in caught.value.where or problem == "kind"
    quiet(caught.value)
    with pytest.raises(RecordNotFound):
        store.get([broken.id, "nowhere"])
    assert store.get([one.id for one in rest]) == rest
    whole = store.find(Query())
    assert set(whole.records) == set(rest)
    assert whole.unreadable == (broken.id,)
    for limit in (1, 2, 4):
        shown, left_out = walk(store.find, limit)
        assert (shown, set(left_out)) == (list(whole.records), {broken.id})
    assert store.history([one.id for one in reports])[5].record_id == broken.id
    for id in (reports[0].id, reports[4].id):
        assert flow.fire(id, "edit", Revision(text="again"), by=LI).state == "edited"
    assert sum(store.count(Query(), "records", ["state"]).values()) == 5


def walk(find: Callable[[Query], Page], limit: int) -> tuple[list[Any], list[str]]:
    """All pages: the records, and those left out; every page but the last is full."""
    page = find(Query(limit=limit))
    shown, left_out = list(page), list(page.unreadable)
    while page.next is not None:
        assert len(page) == limit
        page = find(Query(limit=limit, cursor=page.next))
        shown += page
        left_out += page.unreadable
    return shown, left_out


def check_entry(flow: ReportFlow, url: str, reports: list[Report], kind: tuple[str, Any, str]) -> None:
    """One broken entry is an error of its own, has its place in the feed, and becomes a dead letter at once."""
    column, value, problem = kind
    broken, store = reports[2], flow.store
    before = store.feed()
    alter(url, "entry", column, value, broken.id, "AND sequence = 2")
    with pytest.raises(UnreadableRecord) as caught:
        store.history([reports[0].id, broken.id])
    assert (caught.value.ids, caught.value.sequence, caught.value.problem) == ((broken.id,), 2, problem)
    assert column in caught.value.where or problem == "kind"
    quiet(caught.value)
    with pytest.raises(UnreadableRecord) as caught:
        store.by_key("li", broken.id)
    quiet(caught.value)
    rest = [one.id for one in reports if one is not broken]
    assert len(store.history(rest)) == 8
    assert store.get([broken.id]) == [broken]
    after = store.feed()
    [place] = [n for n, item in enumerate(after) if item.unreadable is not None]
    assert after[place].position == before[place].position
    assert [item for item in after if item.unreadable is None] == before[:place] + before[place + 1 :]
    unreadable = after[place].unreadable
    assert unreadable is not None
    assert (unreadable.ids, unreadable.sequence) == ((broken.id,), 2)
    with pytest.raises(UnreadableRecord):
        _ = after[place].entry

    sent: list[str] = []
    relay = Relay(store, lambda message: sent.append(message.id), batch=3)
    while relay.run_once():
        pass
    assert sent == [item.entry.ref for item in after if item.unreadable is None]
    [dead] = relay.dead_letters()
    assert (dead.id, dead.state, dead.tries) == (f"{broken.id}@2", "dead", 1)
    assert TOPIC not in dead.error
    assert relay.requeue(dead.id)
    relay.run_once()
    [dead] = relay.dead_letters()
    assert dead.id == f"{broken.id}@2"


@pytest.mark.parametrize("kind", [*RECORDS, *RECORDS_ON_SQLITE])
def test_a_broken_record_harms_no_other(kind: str, tmp_path: Path) -> None:
    """Whatever is in the row of a record on SQLite, only that record cannot be read, and the error quotes nothing."""
    url = f"sqlite:///{tmp_path}/office.db"
    with filled(url) as (flow, reports):
        check_record(flow, url, reports, {**RECORDS, **RECORDS_ON_SQLITE}[kind])


@pytest.mark.parametrize("kind", [*ENTRIES, *ENTRIES_ON_SQLITE])
def test_a_broken_entry_harms_no_other(kind: str, tmp_path: Path) -> None:
    """Whatever is in the row of an entry on SQLite, only its record's history cannot be read, and the relay goes on."""
    url = f"sqlite:///{tmp_path}/office.db"
    with filled(url) as (flow, reports):
        check_entry(flow, url, reports, {**ENTRIES, **ENTRIES_ON_SQLITE}[kind])


@pytest.mark.parametrize("engine", [pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in SERVERS])
def test_a_broken_row_harms_no_other_on_a_server(engine: str) -> None:
    """The same on PostgreSQL and MariaDB, with the rows that these take."""
    with database(engine) as url, open_flow(url) as flow:
        for check, kinds in ((check_record, RECORDS), (check_entry, ENTRIES)):
            for name in ON_SERVERS & kinds.keys():
                kind = kinds[name]
                clear(url)
                made = [flow.create(draft(number), by=LI) for number in range(5)]
                edited = [flow.fire(one, "edit", Revision(text="y"), by=LI, key=one.id) for one in made]
                check(flow, url, edited, kind)


def clear(url: str) -> None:
    """Empty the tables of records, entries and relays."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in ("delivery", "relay", "label", "entry", "record"):
            connection.execute(text(f"DELETE FROM reportflow_{table}"))
    engine.dispose()


def test_the_same_holds_when_it_is_awaited(tmp_path: Path) -> None:
    """The asynchronous store leaves out what cannot be read, a text that is no UTF-8 too, and says so."""
    url = f"sqlite:///{tmp_path}/office.db"
    with filled(url) as (_, reports):
        ids = [one.id for one in reports]
    alter(url, "record", "title", b"\xff", ids[1])
    alter(url, "record", "data", "{", ids[3])
    alter(url, "entry", "reason", b"\xff", ids[0], "AND sequence = 1")

    async def read() -> None:
        async with open_async_flow(url) as flow:
            page = await flow.find(Query(order="id"), by=LI)
            assert [one.id for one in page] == sorted([ids[0], ids[2], ids[4]])
            assert set(page.unreadable) == {ids[1], ids[3]}
            for id in page.unreadable:
                with pytest.raises(UnreadableRecord) as caught:
                    await flow.get(id, by=LI)
                quiet(caught.value)
            with pytest.raises(UnreadableRecord):
                await flow.history(ids[0], by=LI)
            assert [item.position for item in await flow.store.feed() if item.unreadable is not None] == [1]

    asyncio.run(read())


def test_the_same_holds_in_the_transaction_of_a_host(tmp_path: Path) -> None:
    """A store on the connection of a host leaves out what cannot be read, and the connection stays usable."""
    url = f"sqlite:///{tmp_path}/office.db"
    with filled(url) as (_, reports):
        ids = [one.id for one in reports]
    alter(url, "record", "title", b"\xff", ids[1])
    store = SqlStore(url)
    with ReportFlow(store, REPORT) as flow, store.engine.connect() as connection:
        bound = flow.bound_to(connection)
        assert bound.find(Query(), by=LI).unreadable == (ids[1],)
        assert connection.execute(text("SELECT 'é'")).scalar_one() == "é"


@pytest.mark.parametrize(("table", "column"), [("record", "data"), ("entry", "details")])
@pytest.mark.parametrize("reader", [LI, attrs.evolve(LI, roles={"auditor"})], ids=["editor", "auditor"])
def test_readers_of_many_histories_go_on_behind_what_cannot_be_read(
    tmp_path: Path, table: str, column: str, reader: Actor
) -> None:
    """A record whose row or history cannot be read is left out of what a reader gets, and all others are there."""
    url = f"sqlite:///{tmp_path}/office.db"
    with filled(url) as (flow, reports):
        whole = flow.feed(by=reader)
        for broken in (reports[1].id, reports[4].id):
            alter(url, table, column, "{", broken, "AND sequence = 2" if table == "entry" else "")
        expected = [item for item in whole if item.entry.record_id not in (reports[1].id, reports[4].id)]
        assert (len(whole), len(expected)) == (10, 6)
        assert flow.feed(by=reader) == expected
        read = [entry for _, entries in flow.histories(Query(limit=2), by=reader) for entry in entries]
        assert {entry.ref for entry in read} == {item.entry.ref for item in expected}
        assert [item for n in (0, 3, 6) for item in flow.feed(whole[n].position, by=reader, limit=1)] == [
            next(item for item in expected if item.position > whole[n].position) for n in (0, 3, 6)
        ]


def test_what_cannot_be_read_does_not_exist_for_those_who_may_not_see_it(tmp_path: Path) -> None:
    """A broken record is not found by an actor who may not see it; whoever may is told that it cannot be read."""
    url = f"sqlite:///{tmp_path}/office.db"
    with filled(url) as (flow, reports):
        id = reports[0].id
        alter(url, "record", "data", "{", id)
        for call in (
            lambda by: flow.get(id, by=by),
            lambda by: flow.history(id, by=by),
            lambda by: flow.options(id, by=by),
            lambda by: flow.fire(id, "edit", Revision(text="z"), by=by),
            lambda by: flow.as_of(id, by=by, version=1),
        ):
            with pytest.raises(RecordNotFound):
                call(STRANGER)
            with pytest.raises(UnreadableRecord):
                call(LI)
        assert flow.find(Query(), by=STRANGER) == Page(())
        assert flow.inbox(by=attrs.evolve(LI, id="wang", roles={"reviewer"})).unreadable == (id,)


@settings(max_examples=15)
@given(st.lists(st.booleans(), min_size=1, max_size=12), st.integers(1, 5), st.sampled_from(["id", "-id", "title"]))
def test_pages_are_filled_and_show_everything_once(broken: list[bool], limit: int, order: str) -> None:
    """Whichever records cannot be read, every page but the last is full, and each record is shown or named."""
    with contextlib.closing(SqlStore("sqlite://")) as store:
        flow = ReportFlow(store, REPORT)
        made = [flow.create(draft(number), by=LI) for number in range(len(broken))]
        with store.engine.connect() as connection:
            for one, wrong in zip(made, broken, strict=True):
                if wrong:
                    update = text("UPDATE reportflow_record SET data = '' WHERE id = :id")
                    connection.execute(update, {"id": one.id})
        shown, left_out = walk(lambda query: store.find(attrs.evolve(query, order=order)), limit)
        by_order = sorted(made, key=lambda one: getattr(one, order.lstrip("-")), reverse=order[0] == "-")
        readable = {one.id for one, wrong in zip(made, broken, strict=True) if not wrong}
        assert shown == [one for one in by_order if one.id in readable]
        assert sorted(left_out) == sorted({one.id for one in made} - readable)


@pytest.mark.parametrize("on_error", ["skip", "stop"])
def test_a_bulk_run_names_what_cannot_be_read_in_its_turn(on_error: Any, tmp_path: Path) -> None:
    """Of many requests only the one at a broken record fails; with "skip" the ones behind it are done."""
    url = f"sqlite:///{tmp_path}/office.db"
    with filled(url) as (flow, reports):
        alter(url, "record", "data", "{", reports[2].id)
        requests = [Fire(id, "edit", Revision(text="z"), by=LI) for id in (*(one.id for one in reports), "nowhere")]
        outcomes: list[Any] = []
        with contextlib.suppress(UnreadableRecord):
            outcomes.extend(flow.run(requests, on_error=on_error))
        if on_error == "skip":
            errors = [one.error and one.error.code for one in outcomes]
            assert errors == [None, None, "unreadable_record", None, None, "record_not_found"]
        texts = {one.text for one in flow.store.find(Query(limit=10)) if isinstance(one, Report)}
        assert texts == ({"z"} if on_error == "skip" else {"z", "yt3", "yt4"})


def _any_column(table: str, but: set[str]) -> st.SearchStrategy[tuple[str, str]]:
    columns = vars_of(table) - but
    return st.tuples(st.just(table), st.sampled_from(sorted(columns)))


def vars_of(table: str) -> set[str]:
    """The columns of a table."""
    return set(getattr(make_tables(None), table).c.keys())


junk = st.one_of(
    st.text(max_size=4), st.binary(max_size=4), st.integers(-(2**62), 2**62), st.floats(allow_nan=False),
    st.sampled_from(["{", "[]", "{}", "null", "1e999", '{"$type": 1}']),
    st.just('{"$type": "reportflow.Report", "$version": 9}'),
    st.sampled_from(["2026-01-01", "9999-12-31T23:59:59+14:00", b"\xff"]),
)  # fmt: skip


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(_any_column("record", {"id"}) | _any_column("entry", {"id", "record_id", "position"}), junk),
        min_size=1,
        max_size=3,
    )
)
def test_whatever_is_in_the_columns_reading_raises_no_other_error(altered: list[tuple[tuple[str, str], Any]]) -> None:
    """Any value in any column of a record and its entry is read, or is `UnreadableRecord`; no other record suffers."""
    with contextlib.closing(SqlStore("sqlite://")) as store:
        flow = ReportFlow(store, REPORT)
        broken, other = (flow.create(draft(number), by=LI) for number in range(2))
        with store.engine.connect() as connection:
            for (table, column), value in altered:
                name = connection.dialect.identifier_preparer.quote(column)
                where = "id" if table == "record" else "record_id"
                given = "CAST(:value AS TEXT)" if value == b"\xff" else ":value"
                update = text(f"UPDATE OR IGNORE reportflow_{table} SET {name} = {given} WHERE {where} = :id")
                connection.execute(update, {"value": value, "id": broken.id})
        for call in (
            lambda: store.get([broken.id]),
            lambda: store.history([broken.id]),
            lambda: store.by_key("li", "k"),
        ):
            with contextlib.suppress(UnreadableRecord):
                call()
        assert store.get([other.id]) == [other]
        assert len(store.history([other.id])) == 1
        assert other in walk(store.find, 1)[0]
        assert any(item.unreadable is None and item.entry.record_id == other.id for item in store.feed())
        store.count(Query(), "entries", ["kind", "state", "actor", "level"])


def test_very_many_broken_rows_end_a_page_with_a_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where more rows in a row are broken than one call may read, the page ends early, and the next goes on."""
    monkeypatch.setattr("reportflow.storage.sql.contract.LIMIT", 4)
    monkeypatch.setattr("reportflow.storage.sql.contract._FURTHER", 2)
    with contextlib.closing(SqlStore("sqlite://")) as store:
        flow = ReportFlow(store, REPORT)
        made = [flow.create(draft(number), by=LI) for number in range(20)]
        with store.engine.connect() as connection:
            update = text("UPDATE reportflow_record SET data = '' WHERE id < :id")
            connection.execute(update, {"id": max(one.id for one in made)})
        page = store.find(query := Query(limit=2, order="id"))
        pages = [page]
        while page.next is not None:
            page = store.find(attrs.evolve(query, cursor=page.next))
            pages.append(page)
        assert len(pages) > 2
        assert [one.id for page in pages for one in page] == [max(one.id for one in made)]
        assert sorted(id for page in pages for id in page.unreadable) == sorted(one.id for one in made)[:-1]


def test_a_count_groups_what_is_no_text(tmp_path: Path) -> None:
    """A group whose value is no UTF-8 is counted under its bytes, written as text."""
    url = f"sqlite:///{tmp_path}/office.db"
    with filled(url) as (flow, reports):
        alter(url, "record", "category", b"\xffx", reports[0].id)
        assert flow.store.count(Query(), "records", ["category"]) == {("",): 4, ("\\xffx",): 1}


def test_a_delivery_whose_row_is_gone_is_a_dead_letter(tmp_path: Path) -> None:
    """An entry that was deleted while it waited to be retried becomes a dead letter, and the relay goes on."""
    url = f"sqlite:///{tmp_path}/office.db"
    with filled(url, 2) as (flow, reports):

        def refuse(message: object) -> None:
            raise ValueError

        relay = Relay(flow.store, refuse, pause=0.001, longest_pause=0.001)
        relay.run_once()
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM reportflow_entry WHERE position = 1"))
        engine.dispose()
        while relay.run_once() or not relay.dead_letters():
            pass
        assert relay.dead_letters()[0].id == f"{reports[0].id}@1"


def test_a_feed_item_says_what_it_is() -> None:
    """The entry of an item that can be read is its entry, and nothing is unreadable in memory."""
    with ReportFlow(MemoryStore(), REPORT) as flow:
        flow.create(draft(1), by=LI)
        [item] = flow.store.feed()
        assert item == FeedItem(1, item.entry)
        assert item.unreadable is None
        assert flow.find(Query(), by=LI).unreadable == ()
