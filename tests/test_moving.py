"""Moving: a store or a database copied into another, on any engine, with all that makes it what it is."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportflow import (
    Actor,
    AsyncSqlStore,
    Change,
    DuplicateKey,
    InvalidURL,
    InvalidValue,
    MemoryStore,
    Query,
    Record,
    ReportFlow,
    SqlStore,
    StorageUnavailable,
    Store,
)
from reportflow import moving as module
from reportflow.lifecycle.decision import decide
from reportflow.model.entry import Command
from reportflow.moving import Copying, copy_database, copy_store
from reportflow.office import REPORT, Author, Comment, Report, Revision
from reportflow.serialization.digest import Sealed
from reportflow.testing.acts import CLASSES, SAMPLE, START, Note, acted, created, joined, sample
from reportflow.testing.conformance.read import lives
from reportflow.testing.conformance.suite import everything
from reportflow.testing.strategies import storage as strategies
from tests.servers import database

BOTH: Final = (REPORT, SAMPLE)
LI: Final = Actor(id="li", roles={"contributor", "editor"}, unit="yulin")


def filled(store: Store) -> Store:
    """An office of two kinds, with keys, steps, labels, and acts in turns."""
    changes = [*lives(), created(sample("s1"), key="k"), created(sample("s2"))]
    store.commit(changes)
    for change in (changes[2], changes[0], changes[4]):
        trigger, details = ("comment", Comment(text="又")) if change.record.kind == "report" else ("note", Note())
        store.commit([acted(change.record, trigger, details, key=change.record.id)])
    store.feed()
    return store


def all_of(store: Store) -> object:
    """All that a store shows, and all that it has stored of its entries."""
    labels = store.find(Query(author="zhang")).records, store.find(Query(topic="roads")).records
    return everything(store), store.sealed(limit=1000), labels


@pytest.fixture(name="url")
def fixture_url(tmp_path: Path) -> str:
    """A database of SQLite with an office in it."""
    url = f"sqlite:///{tmp_path}/from.db"
    with contextlib.closing(SqlStore(url, CLASSES)) as store:
        filled(store)
    return url


@pytest.fixture(name="to")
def fixture_to(tmp_path: Path) -> str:
    """Where there is no database yet."""
    return f"sqlite:///{tmp_path}/to.db"


def contents(url: str) -> object:
    """All that a database shows."""
    with contextlib.closing(SqlStore(url, CLASSES, create=False)) as store:
        return all_of(store)


# -- what a copy is ---------------------------------------------------------------------------------------------


@pytest.mark.xdist_group("mariadb")
def test_from_engine_to_engine_nothing_changes(url: str, to: str) -> None:
    """By way of all engines, digests, salts, keys, places, records and labels are at the end what they were."""
    with database("postgresql") as postgresql, database("mariadb") as mariadb:
        for source, target in ((url, postgresql), (postgresql, mariadb), (mariadb, to)):
            done = copy_database(source, target, BOTH)
            assert contents(target) == contents(url)
    assert (done.stage, done.records) == ("finished", 5)
    assert done.entries == len(SqlStore(url, CLASSES).sealed())


@settings(max_examples=30)
@given(data=st.data())
def test_any_history_can_be_copied(data: st.DataObject) -> None:
    """Whatever records and texts there are, a copy in memory and one in SQLite show the same."""
    source, memory, sql = MemoryStore(CLASSES), MemoryStore(), SqlStore("sqlite://")
    for id in data.draw(st.lists(st.sampled_from("abcdé好"), unique=True, max_size=4)):
        first = created(data.draw(strategies.drafts(id)), key=data.draw(st.none() | st.just(id)))
        source.commit([first])
        if first.record.kind == SAMPLE.name:
            source.commit([acted(first.record, "note", data.draw(strategies.details(SAMPLE.rows("note")[0].details)))])
    for target in (memory, sql):
        copy_store(source, target, BOTH)
        assert all_of(target) == all_of(source)
    sql.close()


def test_a_copy_goes_on(url: str, to: str) -> None:
    """A flow works on the copy: acts come behind all that was copied, and keys are used already."""
    copy_database(url, to, BOTH)
    with ReportFlow(SqlStore(to, create=False), BOTH) as flow:
        last = flow.store.feed(limit=1000)[-1].position
        draft = Report.draft(title="t", text="x", authors=[Author(name="a")])
        made = flow.create(draft, by=LI, key="mine")
        flow.fire(made, "edit", Revision(text="y"), by=LI)
        assert [posted.position for posted in flow.store.feed(last)] == [last + 1, last + 2]
        with pytest.raises(DuplicateKey):
            flow.store.commit([created(sample("new"), key="k")])
        assert flow.verify().ok


def test_places_that_were_not_given_yet(to: str) -> None:
    """Entries that nobody has read in the feed of the source get their places before they are copied."""
    with database("postgresql") as source:
        with contextlib.closing(SqlStore(source, CLASSES)) as store:
            store.commit([created(sample("b"))])
            store.commit([created(sample("a"))])
            assert {one.position for one in store.sealed()} == {None}
        copy_database(source, to, BOTH)
    with contextlib.closing(SqlStore(to, CLASSES)) as store:
        assert [posted.entry.record_id for posted in store.feed()] == ["b", "a"]


def test_some_whole_records_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is restored at once than a chunk and the rest of a record, however many there are."""
    monkeypatch.setattr(module, "CHUNK", 4)
    source, target, sizes = MemoryStore(CLASSES), MemoryStore(), []
    for number in range(20):
        change = created(sample(f"r{number:02}"))
        more = [acted(change.record, "note", Note())] if number % 3 else []
        source.commit([joined(change, *more)])
    restore = target.restore

    def measured(sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        sizes.append(len(sealed))
        restore(sealed, records, more=more)

    monkeypatch.setattr(target, "restore", measured)
    copy_store(source, target, BOTH)
    assert max(sizes) <= 6
    assert all_of(target) == all_of(source)


def test_progress_is_told(url: str, to: str) -> None:
    """Each stage says how far it is."""
    told: list[Copying] = []
    done = copy_database(url, to, BOTH, progress=told.append)
    assert list(dict.fromkeys(one.stage for one in told)) == ["verifying", "copying", "comparing", "finished"]
    assert all((one.records, one.entries) == (done.records, done.entries) for one in told)


# -- interrupted ------------------------------------------------------------------------------------------------

_KILLED = """
import os, sys
from reportflow import moving
from reportflow.testing.acts import SAMPLE
from reportflow.office import REPORT

moving.CHUNK = 2
parts = 0


def told(now):
    global parts
    parts += now.stage == {stage!r}
    if parts == {number}:
        os._exit(9)


moving.copy_database({source!r}, {target!r}, (REPORT, SAMPLE), progress=told)
"""


@pytest.mark.parametrize(("stage", "number"), [("copying", 1), ("copying", 3), ("comparing", 2)])
def test_a_copy_that_was_killed_goes_on(url: str, to: str, stage: str, number: int) -> None:
    """A process that dies in the middle leaves a copy that opens for nothing else, and that the next one ends."""
    script = _KILLED.format(stage=stage, number=number, source=url, target=to)
    assert subprocess.run([sys.executable, "-c", script]).returncode == 9
    for create in (True, False):
        with pytest.raises(StorageUnavailable) as caught:
            SqlStore(to, create=create)
        assert caught.value.advice == "restoring"
    with contextlib.closing(SqlStore(to, CLASSES, restoring=True)) as store:
        there = len(store.find(Query()).records)
    copied: list[Copying] = []
    copy_database(url, to, BOTH, progress=copied.append)
    assert contents(to) == contents(url)
    assert [one.records for one in copied if one.stage == "copying"][-1:] == ([5 - there] if there < 5 else [])


def test_nor_does_it_open_asynchronously(to: str) -> None:
    """An asynchronous store does not open on a copy that is under way either, but to go on."""
    SqlStore(to).restore((), (), more=True)

    async def call(restoring: bool, call: Callable[[AsyncSqlStore], Awaitable[object]]) -> None:
        store = AsyncSqlStore(to.replace("sqlite:", "sqlite+aiosqlite:"), restoring=restoring)
        try:
            await call(store)
        finally:
            await store.close()

    with pytest.raises(StorageUnavailable, match="under way"):
        asyncio.run(call(False, lambda store: store.feed()))
    asyncio.run(call(True, lambda store: store.restore((), ())))
    SqlStore(to).close()


@pytest.mark.parametrize("parts", range(4))
def test_a_part_that_fails_is_not_kept(url: str, parts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the target fails in the middle, the same call ends the copy later."""
    monkeypatch.setattr(module, "CHUNK", 2)
    source, target = SqlStore(url, CLASSES), SqlStore("sqlite://")
    write, calls = target.restore, 0

    def failing(sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        nonlocal calls
        calls += 1
        if calls > parts:
            raise StorageUnavailable("it", "gone")
        write(sealed, records, more=more)

    monkeypatch.setattr(target, "restore", failing)
    with pytest.raises(StorageUnavailable):
        copy_store(source, target, BOTH)
    monkeypatch.setattr(target, "restore", write)
    copy_store(source, target, BOTH)
    assert all_of(target) == all_of(source)
    source.close()
    target.close()


# -- what is refused ----------------------------------------------------------------------------------------------


def refused(problem: str, copy: Callable[..., object], *arguments: Any, **facts: object) -> None:
    """A copy ends in `InvalidValue` with this problem, and names the place."""
    with pytest.raises(InvalidValue) as caught:
        copy(*arguments)
    assert caught.value.problem == problem
    assert facts.items() <= caught.value.details.items()


def change(url: str, statement: str) -> None:
    """Change a database behind the library's back."""
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute(statement)


@contextlib.contextmanager
def unchanged(*urls: str) -> Iterator[None]:
    """Nothing is written to the files, and none is made."""

    def rows(url: str) -> list[str] | None:
        path = Path(url.removeprefix("sqlite:///"))
        if not path.exists():
            return None
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return list(connection.iterdump())

    before = [rows(url) for url in urls]
    yield
    assert [rows(url) for url in urls] == before


def test_a_database_that_is_not_empty(url: str, to: str) -> None:
    """Into a database that holds records nothing is copied, also where it is a finished copy of the same."""
    with contextlib.closing(SqlStore(to)) as store:
        store.commit([created(sample("zzz"))])
    with unchanged(url, to):
        refused("not_empty", copy_database, url, to, BOTH)
    other = to.replace("to.db", "other.db")
    copy_database(url, other, BOTH)
    with unchanged(url, other):
        refused("not_empty", copy_database, url, other, BOTH)


def test_the_source_itself(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database is not copied into itself, however its URL is written."""
    monkeypatch.chdir(tmp_path)
    with unchanged(url):
        for same in (url, "sqlite:///from.db", "sqlite:///./from.db?synchronous=FULL"):
            refused("same", copy_database, url, same, BOTH)
    store = MemoryStore()
    refused("same", copy_store, store, store, BOTH)


@pytest.mark.parametrize("source", ["sqlite:///nowhere.db", "sqlite:///empty.db"])
def test_a_source_without_tables(source: str, to: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are no tables nothing is copied, and no file is made."""
    monkeypatch.chdir(tmp_path)
    Path("empty.db").touch()
    with unchanged(to, "sqlite:///nowhere.db"), pytest.raises(StorageUnavailable) as caught:
        copy_database(source, to, BOTH)
    assert caught.value.advice == "create"


def test_no_database(url: str, to: str) -> None:
    """A store in memory, or a URL of nothing, is no side of a copy by URLs."""
    for source, target in ((url, "memory:"), ("memory:", to), (url, "x"), ("oracle://x", to)):
        with unchanged(url, to), pytest.raises(InvalidURL):
            copy_database(source, target, BOTH)


def test_kinds_that_were_not_given(url: str, to: str) -> None:
    """Kinds and versions without a definition are listed with their numbers, and nothing is copied."""
    with unchanged(url, to):
        refused("unknown_kinds", copy_database, url, to, REPORT, given="conformance 2 (2)")
        newer = attrs.evolve(SAMPLE, version=3)
        refused("unknown_kinds", copy_database, url, to, newer, given="conformance 2 (2), report 1 (3)")


def test_an_entry_of_a_version_that_was_not_given() -> None:
    """Neither is anything copied where an entry was made by a definition that was not given."""
    by, older = Actor(id="anybody", roles={"anybody"}), attrs.evolve(SAMPLE, version=1)
    command = Command(trigger="create", actor=by, now=START, salt="0" * 32)
    made = decide(older, sample("x"), command)
    assert made.sealed is not None
    source, record = MemoryStore(), attrs.evolve(made.record, lifecycle_version=2)
    source.commit([Change(record=record, expected=None, entries=(made.entry,), sealed=(made.sealed,))])
    refused("unknown_kinds", copy_store, source, SqlStore("sqlite://"), SAMPLE, given="conformance 1 (1)")


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE reportflow_entry SET reason = 'no' WHERE record_id = 'adopted' AND sequence = 4", "adopted@4"),
        ("UPDATE reportflow_entry SET at = replace(at, '2022', '2021') WHERE record_id = 's1'", "s1@1"),
        ("DELETE FROM reportflow_entry WHERE record_id = 'merged' AND sequence = 2", "merged@2"),
        ("UPDATE reportflow_record SET title = 'no' WHERE id = 'rejected'", "rejected"),
    ],
)
def test_a_damaged_source(url: str, to: str, statement: str, place: str) -> None:
    """A source that was altered is refused with the place, before anything is written."""
    change(url, statement)
    with unchanged(url, to), pytest.raises(InvalidValue) as caught:
        copy_database(url, to, BOTH)
    assert caught.value.problem == "damaged"
    assert str(caught.value.details["given"]).partition(" ")[0] == place


def test_a_source_that_is_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the source changes while it is copied, the copy ends with the record, and stays closed."""
    monkeypatch.setattr(module, "CHUNK", 1)
    source, target = filled(MemoryStore(CLASSES)), SqlStore("sqlite://", CLASSES)
    written = iter([source.get(["s2"])[0]])

    def write(now: Copying) -> None:
        if now.stage == "comparing":
            for record in written:
                source.commit([acted(record, "note", Note())])

    with pytest.raises(InvalidValue) as caught:
        copy_store(source, target, BOTH, progress=write)
    assert (caught.value.problem, caught.value.details) == ("differs", {"given": "s2"})
    refused("differs", copy_store, source, target, BOTH, given="s2")
    target.close()


def test_a_copy_of_another_database_is_not_gone_on_with(url: str, to: str) -> None:
    """A copy that another source began is refused."""
    other = MemoryStore()
    other.commit([created(sample("other"))])
    with contextlib.closing(SqlStore(to)) as store:
        store.restore(other.sealed(), other.get(["other"]), more=True)
    with unchanged(url, to):
        refused("differs", copy_database, url, to, BOTH, given="other")


@pytest.mark.xdist_group("mariadb")
def test_a_text_that_the_other_engine_cannot_hold(to: str) -> None:
    """What is too long for a column of the target is refused with its field; nothing of that part is kept."""
    source = MemoryStore()
    long = created(sample("x", category="c" * 300))
    source.commit([long])
    with database("mariadb") as url, contextlib.closing(SqlStore(url, CLASSES)) as target:
        with pytest.raises(InvalidValue, match="category"):
            copy_store(source, target, BOTH)
        assert target.find(Query()).records == ()
