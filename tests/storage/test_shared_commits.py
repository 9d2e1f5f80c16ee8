"""Commits that come together share one COMMIT, and each is as if it had been alone: result, content and feed."""

from __future__ import annotations

import asyncio
import gc
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportflow import (
    Actor,
    AsyncSqlStore,
    Conflict,
    Create,
    DuplicateKey,
    MemoryStore,
    ReportFlow,
    ReportflowError,
    StorageBusy,
    Store,
)
from reportflow.flow.incidents import Incident
from reportflow.storage.base import Change
from reportflow.storage.sql import sharing
from reportflow.testing import awaited
from reportflow.testing.acts import CLASSES, SAMPLE, Note, acted, created, sample
from reportflow.testing.conformance.suite import everything
from tests.storage.gathering import (
    FOR_EVER,
    Call,
    GatedStore,
    Gathering,
    gathered,
    hold_to,
    is_kept,
    is_sound,
    keeping,
    one_by_one,
)
from tests.storage.test_sql_store import kinds, statements

ANYBODY = Actor(id="anybody", roles={"anybody"})
#: What a driver refuses, and nothing before it, put into a column.
UNWRITABLE = (2**70, "\ud800", object())


class Drawn(NamedTuple):
    """What one caller does.

    Attributes:
        kind: "act" on a record as it was at first, "next" on what the act before makes of it, "create", "both" an act
            and a creation, "unwritable".
        number: Which record.
        key: Its key.
        gives_up: Whether its caller goes before it was taken.
    """

    kind: str
    number: int
    key: str | None
    gives_up: bool


schedules = st.lists(
    st.builds(
        Drawn,
        st.sampled_from(["act", "act", "next", "create", "create", "both", "unwritable"]),
        st.integers(0, 1),
        st.sampled_from([None, None, "k1", "k2"]),
        st.sampled_from([False, False, False, True]),
    ),
    min_size=2,
    max_size=9,
)


def prepared() -> list[Change]:
    """The records that are there at first."""
    return [created(sample(f"s{number}")) for number in (0, 1)]


def planned(drawn: Sequence[Drawn]) -> list[list[Change]]:
    """The commit of each caller."""
    first = prepared()
    latest = [change.record for change in first]
    commits = []
    for place, one in enumerate(drawn):
        note = Note(party=f"p{place}")
        new = created(sample(f"c{one.number}"), key=one.key)
        if one.kind in ("act", "both"):
            change = acted(first[one.number].record, "note", note, key=None if one.kind == "both" else one.key)
            latest[one.number] = change.record
            commits.append([change, new] if one.kind == "both" else [change])
        elif one.kind == "next":
            change = acted(latest[one.number], "note", note, key=one.key)
            latest[one.number] = change.record
            commits.append([change])
        else:
            if one.kind == "unwritable":
                forced = attrs.evolve(new.record)
                object.__setattr__(forced, "category", UNWRITABLE[place % len(UNWRITABLE)])
                new = attrs.evolve(new, record=forced)
            commits.append([new])
    return commits


def agree(store: Store, drawn: Sequence[Drawn], outcomes: Sequence[Any], begun: Sequence[Change] = ()) -> None:
    """What became of calls, and what is stored, is as it is one by one, in the order of the queue."""
    commits = planned(drawn)
    refused = {place for place, one in enumerate(drawn) if one.kind == "unwritable"}
    gone = {place for place, one in enumerate(outcomes) if isinstance(one, (StorageBusy, asyncio.CancelledError))}
    for place in refused - gone:
        assert isinstance(outcomes[place], Exception)
        assert not isinstance(outcomes[place], (Conflict, DuplicateKey))
    tried = [place for place in range(len(drawn)) if place not in refused | gone]
    model = MemoryStore()
    model.commit([*prepared(), *begun])
    expected = one_by_one([commits[place] for place in tried], model)
    given = [outcomes[place] for place in tried]
    assert [None if one is None else (type(one), str(one)) for one in given] == expected
    (records, histories, feed, keyed, counts), model_shows = everything(store), everything(model)
    assert (records, histories, keyed, counts) == (*model_shows[:2], *model_shows[3:])
    assert [item.entry for item in feed] == [item.entry for item in model_shows[2]]
    is_sound(store)


@pytest.mark.parametrize("place", ["file", "memory"])
@settings(max_examples=15, deadline=None)
@given(drawn=schedules)
def test_calls_that_share_a_commit_are_as_if_each_had_one(place: str, drawn: list[Drawn]) -> None:
    """Threads whose commits come together, some of which give up, get what they would get one by one in their order."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        store = GatedStore(f"sqlite:///{folder}/office.db" if place == "file" else "sqlite://")
        store.commit(prepared())
        lead = created(sample("lead"))
        gathering = Gathering(store, lambda: store.commit([lead]))
        for one, changes in zip(drawn, planned(drawn), strict=True):
            patch.setattr(sharing, "BUSY_TIMEOUT", 0.01 if one.gives_up else FOR_EVER)
            call = gathering.add(partial(store.commit, changes))
            if one.gives_up:
                assert isinstance(call.ended(), StorageBusy)
        outcomes = gathering.go_on()
        stayed = sum(not isinstance(one, StorageBusy) for one in outcomes)  # who began to wait late may have gone too
        assert [len(commit) for commit in store.commits[2:]] == ([stayed] if stayed else [])
        patch.undo()
        agree(store, drawn, outcomes, [lead])
        store.close()


@settings(max_examples=12, deadline=None)
@given(drawn=schedules)
def test_tasks_that_share_a_commit_are_as_if_each_had_one(drawn: list[Drawn]) -> None:
    """Tasks whose commits come together, some of which are cancelled, get what they would get one by one."""

    async def run(url: str) -> list[Any]:
        store = AsyncSqlStore(url, CLASSES)
        await store.commit(prepared())
        queue = store._queue
        assert queue is not None
        async with store.engine.connect() as other:
            await other.exec_driver_sql("BEGIN IMMEDIATE")
            tasks = []
            for number, changes in enumerate(planned(drawn), 1):
                tasks.append(asyncio.ensure_future(store.commit(changes)))
                while len(queue._waiting) < number:
                    await asyncio.sleep(0)
            # the first one leads: it comes to its end, cancelled or not
            for task, one in list(zip(tasks, drawn, strict=True))[1:]:
                if one.gives_up:
                    task.cancel()
            await asyncio.sleep(0)
            await other.exec_driver_sql("ROLLBACK")
        outcomes = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), FOR_EVER)
        assert queue._leader is None
        assert [one.gives_up for one in drawn[1:]] == [isinstance(one, asyncio.CancelledError) for one in outcomes[1:]]
        await store.close()
        return outcomes

    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{folder}/office.db"
        outcomes = asyncio.run(run(url))
        store = awaited(AsyncSqlStore(url, CLASSES))
        agree(store, drawn, outcomes)
        store.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[GatedStore]:
    """An empty store in a file."""
    made = GatedStore(f"sqlite:///{tmp_path}/office.db")
    yield made
    made.close()


def test_threads_that_do_not_wait_for_each_other(store: GatedStore) -> None:
    """Eight threads on two records, without any gate: what was acknowledged is all that is there."""
    store.commit(prepared())
    heard: list[tuple[Change, object]] = []
    start = threading.Barrier(8)

    def work(name: int) -> None:
        start.wait(FOR_EVER)
        for turn in range(15):
            change = acted(store.get([f"s{turn % 2}"])[0], "note", Note(party=f"{name}.{turn}"))
            try:
                store.commit([change])
            except Conflict as error:
                heard.append((change, error))
            else:
                heard.append((change, None))

    for call in [Call(partial(work, name)) for name in range(8)]:
        assert call.ended() is None
    entries = {item.entry.digest for item in store.feed(limit=1000)}
    for change, refused in heard:
        assert (change.record.head in entries) is (refused is None)
    assert len(entries) == 2 + sum(refused is None for _, refused in heard)
    is_sound(store)


def test_a_savepoint_is_for_those_who_share_alone(store: GatedStore) -> None:
    """Who is alone writes what it would without a queue; two share BEGIN and COMMIT, and if they can a savepoint."""
    store.commit([created(sample("s0")), created(sample("s1"))])
    acts = [attrs.evolve(acted(one, "note", Note()), before=one) for one in store.get(["s0", "s1"])]
    with statements(ReportFlow(store, SAMPLE)) as said:
        store.commit([acts[0]])
        alone = kinds(said)
        said.clear()
        outcomes = gathered(store, *(partial(store.commit, [one]) for one in acts))
    assert alone == ["BEGIN IMMEDIATE", "UPDATE", "INSERT", "COMMIT"]
    assert [type(one) for one in outcomes] == [Conflict, type(None)]
    shared = kinds(said)[kinds(said).index("COMMIT") + 1 :]
    together = ["SAVEPOINT", "UPDATE", "UPDATE", "ROLLBACK", "RELEASE"]
    refused = ["SAVEPOINT", "UPDATE", "ROLLBACK", "SELECT", "RELEASE"]
    kept = ["SAVEPOINT", "UPDATE", "INSERT", "RELEASE"]
    assert shared == ["BEGIN IMMEDIATE", *together, *refused, *kept, "COMMIT"]
    again = [attrs.evolve(acted(one, "note", Note()), before=one) for one in store.get(["s0", "s1"])]
    with statements(ReportFlow(store, SAMPLE)) as said:
        assert gathered(store, *(partial(store.commit, [one]) for one in again)) == [None, None]
    shared = kinds(said)[kinds(said).index("COMMIT") + 1 :]
    kept = ["SAVEPOINT", "UPDATE", "UPDATE", "INSERT", "INSERT", "RELEASE"]
    assert shared[: shared.index("COMMIT") + 1] == ["BEGIN IMMEDIATE", *kept, "COMMIT"]


def test_all_that_wait_are_in_the_next_commit(store: GatedStore) -> None:
    """Sixty-four callers that wait are kept by one COMMIT, in the order in which they came."""
    ids = [f"s{number:02}" for number in range(64)]
    assert gathered(store, *(keeping(store, id) for id in ids)) == [None] * 64
    assert store.commits == [[("lead0", 1)], [(id, 1) for id in ids]]
    assert [item.entry.record_id for item in store.feed()] == ["lead0", *ids]


def test_nobody_waits_for_more_than_two_commits(store: GatedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of sixteen threads that write without end each call is in the commit after it came, or in the one behind that."""
    joined: dict[str, int] = {}
    queue = store._queue
    assert queue is not None
    join = queue.join

    def noted(turn: Any) -> bool:
        leads = join(turn)
        joined[turn.changes[0].record.id] = len(store.commits)
        return leads

    monkeypatch.setattr(queue, "join", noted)

    def work(name: int) -> None:
        for turn in range(8):
            keeping(store, f"{name}.{turn}")()

    calls = [Call(partial(work, name)) for name in range(16)]
    assert [call.ended() for call in calls] == [None] * 16
    number = {id: place for place, commit in enumerate(store.commits) for id, _ in commit}
    assert sorted(number) == sorted(joined)
    assert max(number[id] - joined[id] for id in joined) <= 1
    is_sound(store)


def test_a_chunk_joins_as_one(store: GatedStore) -> None:
    """A batch and the chunks of `run` are one call each in the queue, beside single acts."""
    flow = ReportFlow(store, SAMPLE)

    def run(name: str, number: int) -> Callable[[], object]:
        creates = [Create(sample(f"{name}{place}"), by=ANYBODY) for place in range(number)]
        return lambda: [one.error for one in flow.run(creates)]

    batch = [Create(sample(f"b{place}"), by=ANYBODY) for place in range(3)]
    outcomes = gathered(store, run("r", 7), lambda: flow.batch(batch), keeping(store, "one"), run("q", 1))
    assert outcomes == [None] * 4
    assert store.commits[1] == [("r0", 7), ("b0", 3), ("one", 1), ("q0", 1)]
    is_sound(store)


def test_shared_commits_are_observed(store: GatedStore) -> None:
    """The hook is given, once, how many calls a shared commit held, how many were conflicts, how long they waited."""
    store.commit(prepared())
    seen: list[Incident] = []
    flows = [ReportFlow(store, SAMPLE, observe=seen.append) for _ in range(2)]
    act = acted(prepared()[0].record, "note", Note())
    outcomes = gathered(store, lambda: store.commit([act]), lambda: store.commit([act]), keeping(store, "s9"))
    assert [type(one) for one in outcomes] == [type(None), Conflict, type(None)]
    [incident] = seen
    assert (incident.kind, incident.code, incident.acts, incident.conflicts) == ("shared_commit", "shared_commit", 3, 1)
    assert 0 < incident.waited < FOR_EVER
    keeping(store, "alone")()
    assert len(seen) == 1
    flows.pop()
    gc.collect()
    assert gathered(store, keeping(store, "t0"), keeping(store, "t1")) == [None, None]
    assert len(seen) == 2  # the other flow is there still
    flows.pop()
    gc.collect()
    assert gathered(store, keeping(store, "t2"), keeping(store, "t3")) == [None, None]
    assert len(seen) == 2


def test_an_observer_that_raises_fails_no_call(store: GatedStore, caplog: pytest.LogCaptureFixture) -> None:
    """What the hook raises at a shared commit is logged; all calls come back, and the store goes on."""

    def observe(incident: Incident) -> None:
        raise ZeroDivisionError(incident.kind)

    flow = ReportFlow(store, SAMPLE, observe=observe)
    assert gathered(store, keeping(store, "s0"), keeping(store, "s1")) == [None, None]
    assert any(line.exc_info and line.exc_info[0] is ZeroDivisionError for line in caplog.records)
    hold_to(flow.store, {"s0": None, "s1": None})


def test_an_observer_may_write(store: GatedStore) -> None:
    """The hook is called when those who shared are answered: it may write to the same store."""
    seen: list[int] = []

    def observe(incident: Incident) -> None:
        seen.append(incident.acts)
        if len(seen) == 1:
            keeping(store, "noted")()

    flow = ReportFlow(store, SAMPLE, observe=observe)
    assert gathered(store, keeping(store, "s0"), keeping(store, "s1")) == [None, None]
    hold_to(flow.store, {"s0": None, "s1": None, "noted": None})


def test_a_refused_call_says_what_it_says_alone(store: GatedStore) -> None:
    """An error of the driver is the same alone and with others, and so is the content."""
    for place, value in enumerate(UNWRITABLE):
        change = created(sample(f"u{place}"))
        object.__setattr__(change.record, "category", value)
        with pytest.raises(Exception) as alone:  # noqa: PT011  # whatever the driver says
            store.commit([change])
        shared, other = gathered(store, partial(store.commit, [change]), keeping(store, f"s{place}"))
        assert shared is not None
        assert (type(shared), str(shared)) == (type(alone.value), str(alone.value))
        assert isinstance(shared, ReportflowError) is isinstance(alone.value, ReportflowError)
        assert type(shared.__cause__) is type(alone.value.__cause__)
        assert other is None
        assert (is_kept(store, f"u{place}"), is_kept(store, f"s{place}")) == (False, True)
    is_sound(store)
