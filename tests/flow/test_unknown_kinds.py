"""A database whose records name a kind, or a version of one, that the program lacks: it says so, and lists the rest."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from sqlalchemy import event, text

from reportflow import (
    ANY,
    SAME,
    Actor,
    AsyncReportFlow,
    AsyncSqlStore,
    Fire,
    Lifecycle,
    MemoryStore,
    Query,
    Record,
    RecordNotFound,
    ReportFlow,
    SqlStore,
    State,
    StorageUnavailable,
    Store,
    Transition,
    UnknownLifecycle,
    open_flow,
)
from reportflow.flow.incidents import Incident


@attrs.frozen(kw_only=True)
class Leaf(Record):
    """A record."""


@attrs.frozen(kw_only=True)
class Twig(Record):
    """A record of another kind."""


def table(name: str, record: type[Record], version: int = 1) -> Lifecycle:
    """A small table."""
    return Lifecycle(
        name=name,
        version=version,
        record=record,
        roles={"hand": ANY},
        states=[State("open", final=True, awaits={"hand"})],
        transitions=[
            Transition("create", source=None, dest="open", roles="hand"),
            Transition("touch", source="open", dest=SAME, roles="hand"),
        ],
    )


OLD, NEW, OTHER = table("leaf", Leaf), table("leaf", Leaf, 2), table("twig", Twig, 7)
ME: Final = Actor(id="me", roles={"hand"})


@pytest.fixture(name="store", params=["memory", "sqlite"])
def fixture_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store with an old record, two new ones, and one of another kind: o, n1, n2, t."""
    store = MemoryStore() if request.param == "memory" else SqlStore(f"sqlite:///{tmp_path}/forest.db")
    for lifecycle, ids in ((OLD, ["o"]), (NEW, ["n1", "n2"]), (OTHER, ["t"])):
        flow = ReportFlow(store, lifecycle, new_id=iter(ids).__next__)
        for _ in ids:
            flow.create(lifecycle.record.draft(title="x", kind=lifecycle.name), by=ME)
    yield store
    store.close()


@pytest.fixture(name="again")
def fixture_again(store: Store) -> Store:
    """The same data, as a program finds them that was never given the other classes."""
    return SqlStore(store.engine.url.render_as_string()) if isinstance(store, SqlStore) else store


def test_it_is_said_at_the_opening(again: Store, caplog: pytest.LogCaptureFixture) -> None:
    """The hook and the log name the kinds, the versions and how many there are; a program may ask."""
    seen: list[Incident] = []
    with caplog.at_level(logging.WARNING, "reportflow.flow"):
        flow = ReportFlow(again, NEW, observe=seen.append)
    kinds = (("leaf", 1, 1), ("twig", 7, 1))
    assert seen == [Incident(kind="unknown_lifecycle", code="unknown_lifecycle", kinds=kinds)]
    (line,) = caplog.messages
    assert line.startswith("unknown_lifecycle")
    assert repr(kinds) in line
    assert flow.unknown_kinds == {("leaf", 1): 1, ("twig", 7): 1}


@pytest.mark.parametrize("given", [[OLD, NEW, OTHER], [OTHER, OLD, NEW, table("bark", Record)]])
def test_nothing_is_said_where_all_are_known(again: Store, given: list[Lifecycle]) -> None:
    """Where all kinds and versions were given, or there is nothing, nothing is said."""
    seen: list[Incident] = []
    assert ReportFlow(again, given, observe=seen.append).unknown_kinds == {}
    assert ReportFlow(MemoryStore(), NEW, observe=seen.append).unknown_kinds == {}
    assert seen == []


def test_the_rest_is_listed(again: Store) -> None:
    """Lists, inboxes and counts show what the flow has definitions for, one as the other."""
    flow = ReportFlow(again, NEW)
    assert [one.id for one in flow.find(Query(order="id"), by=ME)] == ["n1", "n2"]
    assert sorted(one.id for one in flow.inbox(by=ME)) == ["n1", "n2"]
    assert flow.count(Query(), by=ME) == {(): 2}
    assert flow.count(Query(), by=ME, of="entries", group="trigger") == {("create",): 2}
    assert [item.entry.record_id for item in flow.feed(by=ME)] == ["n1", "n2"]
    assert flow.fire("n1", "touch", by=ME).version == 2
    assert [one.id for one in ReportFlow(again, [OLD, OTHER]).find(Query(order="id"), by=ME)] == ["o", "t"]


def test_what_came_since_the_opening_stops_no_reader(again: Store) -> None:
    """A record of a version that the flow does not have, created since it was made, is left out too."""
    flow = ReportFlow(again, [OLD, NEW, OTHER])
    newest = table("leaf", Leaf, 3)
    store = SqlStore(again.engine.url.render_as_string()) if isinstance(again, SqlStore) else again
    ReportFlow(store, newest, new_id=lambda: "n3").create(Leaf.draft(title="x"), by=ME)
    flow.fire("n1", "touch", by=ME)
    assert [item.entry.ref for item in flow.feed(by=ME)] == ["o@1", "n1@1", "n2@1", "t@1", "n1@2"]


def test_acts_on_the_others(again: Store) -> None:
    """Whoever names one of them is told which version is missing; a kind that is missing altogether is not there."""
    flow = ReportFlow(again, NEW)
    for call in (
        lambda id: flow.get(id, by=ME),
        lambda id: flow.fire(id, "touch", by=ME),
        lambda id: flow.batch([Fire("n1", "touch", by=ME), Fire(id, "touch", by=ME)]),
        lambda id: flow.options(id, by=ME),
        lambda id: flow.history(id, by=ME),
        lambda id: flow.as_of(id, by=ME, version=1),
    ):
        with pytest.raises(UnknownLifecycle) as unknown:
            call("o")
        assert (unknown.value.name, unknown.value.version, unknown.value.choices) == ("leaf", 1, ("leaf 2",))
        with pytest.raises(RecordNotFound):
            call("t")
    requests = [Fire(id, "touch", by=ME) for id in ("n1", "o", "t", "n2", "nowhere")]
    outcomes = [type(one.error) for one in flow.run(requests, on_error="skip")]
    assert outcomes == [type(None), UnknownLifecycle, RecordNotFound, type(None), RecordNotFound]
    assert flow.get("n1", by=ME).version == 2


def test_one_statement_at_the_opening(tmp_path: Path) -> None:
    """Opening costs one statement, on an index alone; a flow inside a host's transaction none."""
    url = f"sqlite:///{tmp_path}/forest.db"
    SqlStore(url).close()
    store, run = SqlStore(url), list[str]()

    def traced(connection: Any, _: object) -> None:
        connection.set_trace_callback(run.append)

    event.listen(store.engine, "connect", traced)
    store.engine.dispose()
    flow = ReportFlow(store, NEW)
    (counted,) = (one for one in run if not one.startswith("PRAGMA"))
    with store.engine.connect() as connection:
        plan = connection.execute(text(f"EXPLAIN QUERY PLAN {counted}")).all()
        assert ["COVERING INDEX reportflow_record_kind" in str(step) for step in plan] == [True]
        run.clear()
        bound = flow.bound_to(connection)
        assert bound.unknown_kinds == flow.unknown_kinds
        assert run == []
    flow.close()


def test_it_is_said_asynchronously_too(tmp_path: Path) -> None:
    """An asynchronous flow says it when it is opened."""
    url = f"sqlite:///{tmp_path}/forest.db"
    with ReportFlow(SqlStore(url), OLD) as flow:
        flow.create(Leaf.draft(title="x"), by=ME)

    async def opened(lifecycle: Lifecycle) -> list[Incident]:
        seen: list[Incident] = []
        store = AsyncSqlStore(url.replace("sqlite:", "sqlite+aiosqlite:"))
        async with AsyncReportFlow(store, lifecycle, observe=seen.append) as flow:
            assert (await flow.find(Query(), by=ME)).records == () or not seen
            assert bool(flow.unknown_kinds) is bool(seen)
        return seen

    (said,) = asyncio.run(opened(NEW))
    assert said.kinds == (("leaf", 1, 1),)
    assert asyncio.run(opened(OLD)) == []


def test_a_store_that_cannot_be_read_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the store cannot be asked, `open_flow` raises that, and leaves nothing open."""
    closed: list[object] = []

    def count(*_: object) -> dict[Any, int]:
        raise StorageUnavailable("it", "gone")

    monkeypatch.setattr(SqlStore, "count", count)
    monkeypatch.setattr(SqlStore, "close", lambda store: closed.append(store))
    with pytest.raises(StorageUnavailable):
        open_flow(f"sqlite:///{tmp_path}/forest.db")
    assert len(closed) == 1
