"""What goes wrong while callers share a commit: each gets its own clear error, and nobody waits for ever."""

from __future__ import annotations

import multiprocessing
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import event

from reportflow import Conflict, SqlStore, StorageBusy, StorageClosed, StorageUnavailable
from reportflow.storage.sql import sharing
from reportflow.storage.sql.executor import Executor
from reportflow.testing.acts import CLASSES, Note, acted, created, sample
from tests.storage.gathering import (
    FOR_EVER,
    FULL,
    Call,
    GatedStore,
    Gathering,
    gathered,
    hold_to,
    is_kept,
    is_sound,
    keeping,
    refusal,
    until,
)

ROOT: Final = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[GatedStore]:
    """An empty store in a file."""
    made = GatedStore(f"sqlite:///{tmp_path}/office.db")
    yield made
    made.close()


# -- the disk -----------------------------------------------------------------------------------------------------


def test_a_disk_that_fills_in_the_middle(store: GatedStore) -> None:
    """Of those who share, who finds no room has an error that says so, the others are kept; with room all goes on."""
    pages: list[int] = []

    def limit(connection: Any, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages[-1]}")

    def large(id: str) -> Callable[[], object]:
        return lambda: store.commit([created(sample(id, title="x" * 300_000))])

    with store.engine.connect() as connection:
        pages.append(connection.exec_driver_sql("PRAGMA page_count").scalar_one() + 20)
    event.listen(store.engine, "connect", limit)
    store.engine.dispose()
    outcomes = gathered(store, keeping(store, "s0"), large("l0"), keeping(store, "s1"), large("l1"))
    for outcome in (outcomes[1], outcomes[3]):
        assert isinstance(outcome, StorageUnavailable)
        assert (outcome.advice, outcome.given) == ("disk", FULL[1])
    assert outcomes[0] is outcomes[2] is None
    hold_to(store, dict(zip(("s0", "l0", "s1", "l1"), outcomes, strict=True)))
    pages.append(1_000_000)
    store.engine.dispose()
    assert gathered(store, large("l0"), large("l1")) == [None, None]
    hold_to(store, {"l0": None, "l1": None})


def test_a_database_that_takes_all_of_it_back(store: GatedStore) -> None:
    """Where an error of one has undone the whole transaction, each of those who share is tried alone."""

    def take_back(executor: Executor) -> None:
        executor.execute("ROLLBACK")
        raise refusal(*FULL)

    store.faults["s1"] = take_back
    ids = [f"s{number}" for number in range(4)]
    assert gathered(store, *(keeping(store, id) for id in ids)) == [None] * 4
    assert [len(commit) for commit in store.commits] == [1, 4, 1, 1, 1, 1]
    hold_to(store, dict.fromkeys(ids))


# -- COMMIT -------------------------------------------------------------------------------------------------------


def test_a_commit_that_is_known_to_have_failed(store: GatedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing was kept each is tried alone, and those who fail again have the error of their own COMMIT."""
    execute = Executor.execute
    failing = [False, True, True, False, True]  # of the one before, of all three, then of each

    def run(executor: Executor, sql: str) -> None:
        if sql == "COMMIT" and failing and failing.pop(0):
            raise refusal(*FULL)
        execute(executor, sql)

    gathering = Gathering(store)
    for number in range(3):
        gathering.add(keeping(store, f"s{number}"))
    monkeypatch.setattr(Executor, "execute", run)
    outcomes = gathering.go_on()
    assert failing == []
    assert [getattr(one, "advice", None) for one in outcomes] == ["disk", None, "disk"]
    assert outcomes[0] is not outcomes[2]
    assert [len(commit) for commit in store.commits] == [1, 3, 1, 1, 1]
    hold_to(store, {f"s{number}": outcome for number, outcome in enumerate(outcomes)})


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [refusal("SQLITE_IOERR_FSYNC", "disk I/O error"), KeyboardInterrupt()])
def test_a_commit_in_doubt(
    store: GatedStore, monkeypatch: pytest.MonkeyPatch, after: bool, error: BaseException
) -> None:
    """Where it is unknown whether anything was kept, each has an error that says so, and none is tried again."""
    gathering = Gathering(store)
    for number in range(3):
        gathering.add(keeping(store, f"s{number}"))
    until(lambda: store.waiting == 3)
    execute = Executor.execute
    commits: list[int] = []

    def run(executor: Executor, sql: str) -> None:
        if sql == "COMMIT":
            commits.append(1)
            if len(commits) == 2:
                if after:
                    execute(executor, sql)
                raise error
        execute(executor, sql)

    monkeypatch.setattr(Executor, "execute", run)
    outcomes = gathering.go_on()
    monkeypatch.undo()
    led, *others = outcomes
    assert type(led) is (KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else StorageUnavailable)
    assert [getattr(one, "advice", None) for one in others] == ["unknown"] * 2
    assert others[0] is not others[1]
    assert [is_kept(store, f"s{number}") for number in range(3)] == [after] * 3
    assert len(commits) == 2
    is_sound(store)


def test_the_lock_of_another_process(store: GatedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another one holds the database for too long each caller has an error that says so; then all goes on."""
    monkeypatch.setattr(sharing, "BUSY_TIMEOUT", 0.2)
    event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 200"))
    store.engine.dispose()
    assert store.engine.url.database is not None
    other = sqlite3.connect(store.engine.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    calls = [Call(keeping(store, f"s{number}")) for number in range(8)]
    outcomes = [call.ended() for call in calls]
    assert {type(one) for one in outcomes} == {StorageBusy}
    assert {getattr(one, "given", None) for one in outcomes} == {"database is locked"}
    assert len(set(map(id, outcomes))) == 8
    other.execute("ROLLBACK")
    other.close()
    hold_to(store, {f"s{number}": outcome for number, outcome in enumerate(outcomes)})


def test_a_store_that_is_closed_while_callers_wait(store: GatedStore) -> None:
    """Who is inside a commit is kept; who waits has an error: the store is closed."""
    gathering = Gathering(store)
    for number in range(8):
        gathering.add(keeping(store, f"s{number}"))
    store.close()
    outcomes = gathering.go_on()
    assert {type(one) for one in outcomes} == {StorageClosed}
    again = SqlStore(store.engine.url.render_as_string(), CLASSES)
    assert is_kept(again, "lead0")
    hold_to(again, {f"s{number}": outcome for number, outcome in enumerate(outcomes)})
    again.close()


# -- processes ----------------------------------------------------------------------------------------------------

FORKED = """
import os, sys, threading
from reportflow import SqlStore
from reportflow.testing.acts import CLASSES
from tests.storage.gathering import Call, hold_to, keeping, until

# who leads stands before SQLite's door: a child of one that is inside would find SQLite's own locks held for ever
gate = threading.Event()
class Outside(SqlStore):
    def commit_all(self, queue):
        assert gate.wait(30)
        super().commit_all(queue)

store = Outside(sys.argv[1], CLASSES)
ids = [f"s{number}" for number in range(4)]
calls = [Call(keeping(store, id)) for id in ids]
until(lambda: len(store._queue._waiting) == 4)
child = os.fork()
gate.set()
if not child:
    keeping(store, "child")()
    others = [Call(keeping(store, f"c{number}")) for number in range(4)]
    assert [call.ended() for call in others] == [None] * 4
    store.close()
    os._exit(0)
assert [call.ended() for call in calls] == [None] * 4
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
hold_to(store, dict.fromkeys([*ids, "child", "c0", "c1", "c2", "c3"]))
store.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
def test_a_fork_while_callers_wait(tmp_path: Path) -> None:
    """Forked while others wait for a commit, a process can commit on the same store at once, and so can its parent."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED, f"sqlite:///{tmp_path}/office.db"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def write_without_end(url: str, name: str, tell: Any) -> None:
    """A process that will be killed: eight threads write, and say of each call what became of it after it came back."""
    store, lock = SqlStore(url, CLASSES), threading.Lock()

    def work(thread: int) -> None:
        for number in count():
            change = acted(store.get([f"s{number % 2}"])[0], "note", Note(party=f"{name}.{thread}.{number}"))
            try:
                store.commit([change, created(sample(f"{name}.{thread}.{number}"))])
            except Conflict:
                said = False
            else:
                said = True
            with lock:
                tell.send((f"{name}.{thread}.{number}", said))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()


def test_sigkill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """After SIGKILL each acknowledged act is there, none that was refused is, and none is half there."""
    url = f"sqlite:///{tmp_path}/killed.db"
    store = SqlStore(url, CLASSES)
    store.commit([created(sample("s0")), created(sample("s1"))])
    context = multiprocessing.get_context("spawn")
    heard: dict[str, bool] = {}
    for turn in range(4):
        listening, speaking = context.Pipe(duplex=False)
        process = context.Process(target=write_without_end, args=(url, f"k{turn}", speaking), daemon=True)
        process.start()
        speaking.close()
        said = [listening.recv() for _ in range(8)]
        time.sleep(random.Random(turn).uniform(0, 0.1))
        process.kill()
        try:
            while True:
                said.append(listening.recv())
        except (EOFError, OSError):  # the pipe ends, perhaps in the middle of a word
            listening.close()
        process.join(FOR_EVER)
        assert process.exitcode == -9
        heard.update(said)
    notes = {entry.details.party for entry in store.history(["s0", "s1"]) if isinstance(entry.details, Note)}
    assert {id for id, done in heard.items() if done} <= notes
    assert not notes & {id for id, done in heard.items() if not done}
    assert {item.entry.record_id for item in store.feed(limit=100_000)} - {"s0", "s1"} == notes
    is_sound(store)
    store.close()
