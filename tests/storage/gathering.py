"""Commits that are made to come together: the calls of a test wait while another one is inside its transaction."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from reportflow import ReportFlow, SqlStore, StorageUnavailable, Store
from reportflow.storage.base import Change
from reportflow.storage.sql.executor import Executor
from reportflow.storage.sql.sharing import Turn
from reportflow.storage.sql.writing import Write
from reportflow.testing.acts import CLASSES, SAMPLE, acted, created, sample
from reportflow.testing.conformance.suite import everything

#: How long anything here may take, in seconds, before it counts as waiting for ever.
FOR_EVER: Final = 30.0


class Call(threading.Thread):
    """A call in a thread of its own, which has begun.

    Attributes:
        outcome: What it has raised; None where it came back.
    """

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.outcome: BaseException | None = None
        self._call = call
        self.start()

    def run(self) -> None:
        """See `Thread.run`."""
        try:
            self._call()
        except BaseException as error:
            self.outcome = error

    def ended(self) -> BaseException | None:
        """What it has raised, once it has ended: which it must."""
        self.join(FOR_EVER)
        assert not self.is_alive(), "it waits for ever"
        return self.outcome


class GatedStore(SqlStore):
    """A store whose commits wait inside their transaction while the gate is shut.

    Attributes:
        gate: Open unless it is cleared.
        inside: Set once a commit is at the gate.
        commits: For each commit the number of changes of each call in it, and the id of the first.
        faults: Id of a record -> what fails where it is written together with others.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, CLASSES)
        self.gate = threading.Event()
        self.inside = threading.Event()
        self.commits: list[list[tuple[str, int]]] = []
        self.faults: dict[str, Callable[[Executor], object]] = {}
        self.gate.set()

    @property
    def waiting(self) -> int:
        """How many calls wait, with the one that leads."""
        assert self._queue is not None
        return len(self._queue._waiting)

    def is_waited_for_by(self, number: int) -> bool:
        """Whether so many calls wait."""
        return self.waiting == number

    def _write_all(self, executor: Executor, taken: Sequence[Turn]) -> None:
        self.commits.append([(turn.changes[0].record.id, len(turn.changes)) for turn in taken])
        self.inside.set()
        assert self.gate.wait(FOR_EVER)
        super()._write_all(executor, taken)

    def _run(self, executor: Executor, writes: Sequence[Write]) -> None:
        written = {row.get("id") for write in writes for row in write.rows}
        for id, fault in self.faults.items():
            if id in written and len(self.commits[-1]) > 1:
                fault(executor)
        super()._run(executor, writes)


def until(condition: Callable[[], object]) -> None:
    """Wait for what must come."""
    deadline = time.monotonic() + FOR_EVER
    while not condition():
        assert time.monotonic() < deadline, "it never comes"
        time.sleep(0.0005)


class Gathering:
    """Calls that gather behind a commit, in the order in which they are added, until it goes on.

    Args:
        store: Where.
        lead: The call that makes the others wait; unless given, it keeps a record of its own.
    """

    def __init__(self, store: GatedStore, lead: Callable[[], object] | None = None) -> None:
        self.store = store
        self.calls: list[Call] = []
        store.gate.clear()
        store.inside.clear()
        self.leader = Call(lead or keeping(store, f"lead{len(store.commits)}"))
        assert store.inside.wait(FOR_EVER)

    def add(self, call: Callable[[], object]) -> Call:
        """One more: it waits, or has ended."""
        waiting = self.store.waiting
        added = Call(call)
        until(lambda: self.store.waiting > waiting or not added.is_alive())
        self.calls.append(added)
        return added

    def go_on(self) -> list[BaseException | None]:
        """What becomes of the calls."""
        self.store.gate.set()
        assert self.leader.ended() is None
        return [call.ended() for call in self.calls]


def gathered(store: GatedStore, *calls: Callable[[], object]) -> list[BaseException | None]:
    """What becomes of calls that all go into one commit."""
    gathering = Gathering(store)
    for call in calls:
        gathering.add(call)
    return gathering.go_on()


def keeping(store: Store, id: str) -> Callable[[], object]:
    """A call that keeps a new record."""
    return lambda: store.commit([created(sample(id))])


def is_kept(store: Store, id: str) -> bool:
    """Whether a record is there, whole."""
    return bool(store.history([id]))


def hold_to(store: Store, outcomes: Mapping[str, BaseException | None]) -> None:
    """Each record is there if its call came back, and not if it failed, unless that is unknown; all is sound."""
    for id, outcome in outcomes.items():
        unknown = isinstance(outcome, StorageUnavailable) and outcome.advice == "unknown"
        if not unknown and not isinstance(outcome, KeyboardInterrupt):
            assert is_kept(store, id) is (outcome is None), (id, outcome)
    is_sound(store)


def is_sound(store: Store) -> None:
    """The chain of each record holds, the feed has each entry once, and the store goes on."""
    _, histories, feed, *_ = everything(store)
    assert sorted(item.entry.digest for item in feed) == sorted(entry.digest for entry in histories)
    positions = [item.position for item in feed]
    assert positions == sorted(set(positions))
    assert ReportFlow(store, SAMPLE).verify().ok
    id = f"after{len(feed)}"
    keeping(store, id)()
    store.commit([acted(store.get([id])[0], "close")])


def one_by_one(calls: Sequence[Sequence[Change]], store: Store) -> list[tuple[type[Exception], str] | None]:
    """What becomes of the same commits, one after the other, in a plain store."""
    outcomes: list[tuple[type[Exception], str] | None] = []
    for changes in calls:
        try:
            store.commit(changes)
        except Exception as error:
            outcomes.append((type(error), str(error)))
        else:
            outcomes.append(None)
    return outcomes


#: The name and the text of an error of SQLite.
FULL: Final = ("SQLITE_FULL", "database or disk is full")


def refusal(name: str, text: str) -> sqlite3.OperationalError:
    """An error as SQLite's driver raises it."""
    error = sqlite3.OperationalError(text)
    error.sqlite_errorname = name
    return error
