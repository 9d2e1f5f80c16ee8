"""Callers that are interrupted, cancelled or stand still at any moment of a shared commit, and those who share it."""

from __future__ import annotations

import asyncio
import dis
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import count, pairwise
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from sqlalchemy.util import await_only

from reportflow import AsyncSqlStore, ReportFlow, StorageUnavailable
from reportflow.flow.incidents import Incident
from reportflow.storage.sql import aio, sharing
from reportflow.storage.sql.executor import Executor
from reportflow.storage.sql.sharing import SharedWriting, Turn
from reportflow.testing import awaited
from reportflow.testing.acts import CLASSES, SAMPLE, created, sample
from tests.storage.gathering import (
    FOR_EVER,
    FULL,
    Call,
    GatedStore,
    gathered,
    is_kept,
    is_sound,
    keeping,
    refusal,
    until,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[GatedStore]:
    """An empty store in a file."""
    made = GatedStore(f"sqlite:///{tmp_path}/office.db")
    yield made
    made.close()


# -- threads ------------------------------------------------------------------------------------------------------


@cache
def _after_calls(code: CodeType) -> frozenset[int]:
    """The places where a signal may be handled, or another thread run: behind each call."""
    found = list(dis.get_instructions(code))
    return frozenset(behind.offset for one, behind in pairwise(found) if one.opname.startswith("CALL"))


class Stopping:
    """A trace function that does something once, where its thread comes to a place in the code of shared commits.

    Args:
        place: At which of the places, counted from 0.
        act: What it does; what it raises is raised there.
        skip: Whether to leave a place out.

    Attributes:
        where: The function and the line, once it was done.
    """

    def __init__(self, place: int, act: Callable[[], object], skip: Callable[[], bool] = lambda: False) -> None:
        self._left = place
        self._act = act
        self._skip = skip
        self.where: str = ""

    def __call__(self, frame: FrameType, what: str, _: object) -> Any:
        """See `sys.settrace`."""
        code = frame.f_code
        if not code.co_filename.endswith("sharing.py") and code.co_name != "transaction":
            return None
        frame.f_trace_opcodes = True
        if what == "opcode" and not self.where and frame.f_lasti in _after_calls(code) and not self._skip():
            if not self._left:
                self.where = f"{code.co_name}:{frame.f_lineno}"
                self._act()
            self._left -= 1
        return self

    def during(self, call: Callable[[], object]) -> Callable[[], object]:
        """The call, traced."""

        def traced() -> None:
            sys.settrace(self)
            try:
                call()
            finally:
                sys.settrace(None)

        return traced


def interrupt() -> None:
    """As a signal does."""
    raise KeyboardInterrupt


class Pause:
    """Stands still until its end is set."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.end = threading.Event()

    def __call__(self) -> None:
        """Stand still."""
        self.began.set()
        assert self.end.wait(FOR_EVER)


def stands_or_waits(pause: Pause, store: GatedStore) -> bool:
    """Whether the second of two callers has come as far as it comes."""
    return pause.began.is_set() or store.is_waited_for_by(2)


def test_an_interrupt_at_any_place_strands_nobody(store: GatedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the one that leads is interrupted, each of the others learns what became of its call, and that is so."""
    monkeypatch.setattr(sharing, "BUSY_TIMEOUT", 0.1)
    places = []
    for place in count():
        stopping = Stopping(place, interrupt)
        ids = [f"{place}.{number}" for number in range(3)]
        led, *others = gathered(store, stopping.during(keeping(store, ids[0])), *(keeping(store, id) for id in ids[1:]))
        if not stopping.where:
            break
        places.append(stopping.where)
        assert isinstance(led, KeyboardInterrupt)
        for id, outcome in zip(ids[1:], others, strict=True):
            unknown = isinstance(outcome, StorageUnavailable) and outcome.advice == "unknown"
            assert outcome is None or isinstance(outcome, StorageUnavailable), (stopping.where, outcome)
            assert unknown or is_kept(store, id) is (outcome is None), (stopping.where, outcome)
        assert Call(keeping(store, f"{place}.after")).ended() is None, stopping.where
    reached = {where.split(":")[0] for where in places}
    assert reached >= {"join", "wait", "commit_all", "take", "_write_all", "transaction", "settle", "_pass_on"}
    is_sound(store)


def test_who_stands_still_at_any_place_hinders_nobody(store: GatedStore) -> None:
    """Wherever a caller that holds no lock is not run for a while, those who share with it are answered meanwhile."""
    queue = store._queue
    assert queue is not None
    seen: list[Incident] = []
    flow = ReportFlow(store, SAMPLE, observe=seen.append)
    assert store.engine.url.database is not None
    other = sqlite3.connect(store.engine.url.database, isolation_level=None)
    places = []
    for place in count():
        pause = Pause()
        stopping = Stopping(place, pause, lambda: queue._lock.locked() or store.inside.is_set())
        ids = [f"{place}.{number}" for number in range(3)]
        store.inside.clear()
        other.execute("BEGIN IMMEDIATE")
        first = Call(keeping(store, ids[0]))
        until(partial(store.is_waited_for_by, 1))
        slow = Call(stopping.during(keeping(store, ids[1])))
        until(partial(stands_or_waits, pause, store))
        other.execute("ROLLBACK")
        assert first.ended() is None
        assert Call(keeping(store, ids[2])).ended() is None
        pause.end.set()
        assert slow.ended() is None
        if not stopping.where:
            break
        places.append(stopping.where)
        assert all(is_kept(store, id) for id in ids)
    assert {where.split(":")[0] for where in places} >= {"join", "commit"}
    assert seen
    assert flow.store is store
    other.close()
    is_sound(store)


# -- tasks --------------------------------------------------------------------------------------------------------


class AsyncGate:
    """Has the commits of tasks wait inside their transaction, and fail where an error is set."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.open = asyncio.Event()
        self.inside = asyncio.Event()
        self.sizes: list[int] = []
        self.error: Exception | None = None
        write_all = SharedWriting._write_all

        def gated(writing: SharedWriting, executor: Executor, taken: Sequence[Turn]) -> None:
            self.sizes.append(len(taken))
            write_all(writing, executor, taken)
            self.inside.set()
            await_only(self.open.wait())
            error, self.error = self.error, None
            if error is not None:
                raise error

        patch.setattr(SharedWriting, "_write_all", gated)


def in_loop(work: Callable[[AsyncSqlStore], Any], url: str) -> None:
    """Run a test on an asynchronous store; it must end."""

    async def run() -> None:
        store = AsyncSqlStore(url, CLASSES)
        await store.open()
        await asyncio.wait_for(work(store), FOR_EVER)
        await asyncio.wait_for(store.commit([created(sample("after"))]), FOR_EVER)
        assert store._queue is None or store._queue._leader is None
        await store.close()

    asyncio.run(run())
    store = awaited(AsyncSqlStore(url, CLASSES))
    is_sound(store)
    store.close()


async def waiting(store: AsyncSqlStore, *ids: str) -> list[asyncio.Task[None]]:
    """Tasks that each keep a record, and wait."""
    queue = store._queue
    assert queue is not None
    tasks = []
    for id in ids:
        before = len(queue._waiting)
        tasks.append(asyncio.ensure_future(store.commit([created(sample(id))])))
        while len(queue._waiting) == before:
            await asyncio.sleep(0)
    return tasks


def test_a_task_whose_patience_has_ended_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancelled task that has gone is in no later commit, though the one that it was in has failed."""
    monkeypatch.setattr(aio, "GRACE", 0.05)

    async def work(store: AsyncSqlStore) -> None:
        gate = AsyncGate(monkeypatch)
        [first] = await waiting(store, "first")
        await gate.inside.wait()
        others = await waiting(store, "s0", "s1", "s2")
        gate.inside.clear()
        gate.open.set()
        await first
        gate.open.clear()
        await gate.inside.wait()
        others[1].cancel()
        await asyncio.wait([others[1]])
        gate.error = refusal(*FULL)
        gate.open.set()
        outcomes = await asyncio.gather(*others, return_exceptions=True)
        assert [type(one) for one in outcomes] == [type(None), asyncio.CancelledError, type(None)]
        assert gate.sizes == [1, 3, 1, 1]
        assert [bool(await store.history([id])) for id in ("s0", "s1", "s2")] == [True, False, True]

    in_loop(work, f"sqlite+aiosqlite:///{tmp_path}/office.db")


@pytest.mark.parametrize("grace", [0.05, 5.0])
def test_who_leads_is_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grace: float) -> None:
    """A task that leads comes to its end, or is broken off when its grace is over: then the others are tried again."""
    monkeypatch.setattr(aio, "GRACE", grace)

    async def work(store: AsyncSqlStore) -> None:
        gate = AsyncGate(monkeypatch)
        [first] = await waiting(store, "first")
        await gate.inside.wait()
        others = await waiting(store, "s0", "s1", "s2")
        first.cancel()
        if grace < 1:
            await asyncio.wait([first])
        else:
            await asyncio.sleep(0)
        gate.open.set()
        outcomes = await asyncio.gather(first, *others, return_exceptions=True)
        assert [type(one) for one in outcomes] == [asyncio.CancelledError, type(None), type(None), type(None)]
        assert bool(await store.history(["first"])) is (grace > 1)
        assert all([await store.history([id]) for id in ("s0", "s1", "s2")])

    in_loop(work, f"sqlite+aiosqlite:///{tmp_path}/office.db")


@pytest.mark.parametrize("url", ["sqlite+aiosqlite:///{}/office.db", "sqlite+aiosqlite://"])
def test_who_is_to_lead_is_cancelled_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Tasks that are cancelled in the moment in which they would lead are out, and those behind them are kept."""

    async def work(store: AsyncSqlStore) -> None:
        gate = AsyncGate(monkeypatch)
        [first] = await waiting(store, "first")
        await gate.inside.wait()
        others = await waiting(store, "s0", "s1", "s2", "s3")
        queue = store._queue
        assert queue is not None
        settle = queue.settle

        def settled() -> None:
            settle()
            if not others[0].cancelled():
                others[0].cancel()
                others[1].cancel()

        monkeypatch.setattr(queue, "settle", settled)
        gate.open.set()
        outcomes = await asyncio.gather(first, *others, return_exceptions=True)
        given = [type(one) for one in outcomes]
        assert given == [type(None), *[asyncio.CancelledError] * 2, *[type(None)] * 2]
        there = [bool(await store.history([id])) for id in ("s0", "s1", "s2", "s3")]
        assert there == [False, False, True, True]

    if "{}" in url:
        in_loop(work, url.format(tmp_path))
    else:

        async def run() -> None:
            store = AsyncSqlStore(url, CLASSES)
            await store.open()
            await asyncio.wait_for(work(store), FOR_EVER)
            await store.close()

        asyncio.run(run())


def test_one_event_loop_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers of an event loop that was closed while they waited keep nobody from writing in the next one."""
    store = AsyncSqlStore(f"sqlite+aiosqlite:///{tmp_path}/office.db", CLASSES)
    first = asyncio.new_event_loop()
    first.run_until_complete(store.open())

    async def never(_: object) -> None:
        await asyncio.Event().wait()

    async def begin() -> list[asyncio.Task[None]]:
        return await waiting(store, "s0", "s1", "s2")

    with monkeypatch.context() as patch:
        patch.setattr(store, "_on_contract", never)
        left = first.run_until_complete(begin())
    first.close()

    async def go_on() -> None:
        await asyncio.wait_for(asyncio.gather(*(store.commit([created(sample(f"t{n}"))]) for n in range(3))), FOR_EVER)
        assert len(await store.feed()) == 3
        await store.close()

    asyncio.run(go_on())
    for task in left:
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # that is what is tested
