"""Concurrent writers on one record: threads, processes, and another writer just before the commit."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.synchronize import Barrier as ProcessBarrier
from pathlib import Path
from typing import Any, TypeVar

import attrs
import pytest

from reportflow import (
    ANY,
    SAME,
    Actor,
    Details,
    Lifecycle,
    MemoryStore,
    Query,
    Record,
    ReportFlow,
    SqlStore,
    StaleRecord,
    State,
    Store,
    Transition,
    TransitionRefused,
    open_flow,
    replay,
)

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]


@attrs.frozen(kw_only=True)
class RacedTally(Record):
    total: int = 0
    marks: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class RacedAddition(Details):
    number: int
    mark: str


RACED = Lifecycle(
    name="raced",
    version=1,
    record=RacedTally,
    roles={"clerk": ANY},
    states=[State("open"), State("shut", final=True)],
    transitions=[
        Transition("create", source=None, dest="open", roles={"clerk"}),
        *(
            Transition(
                trigger,
                source="open",
                dest=SAME,
                roles={"clerk"},
                details=RacedAddition,
                sets={
                    "total": lambda before, entry: before.total + entry.details.number,
                    "marks": lambda before, entry: (*before.marks, entry.details.mark),
                },
                on_conflict=on_conflict,
            )
            for trigger, on_conflict in (("add", "retry"), ("seal", "stale"), ("note", "commutes"))
        ),
        Transition("shut", source="open", dest="shut", roles={"clerk"}),
    ],
)

CLERK = Actor(id="clerk", roles={"clerk"})


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each store that ships, empty."""
    made: Store = MemoryStore() if request.param == "memory" else SqlStore(url_in(tmp_path))
    yield made
    made.close()


def url_in(folder: Path) -> str:
    """A database in a folder."""
    return f"sqlite:///{folder}/raced.db"


def all_at_once(jobs: Iterable[Callable[[], T]]) -> list[T]:
    """Start each job in its own thread at the same moment; gives the results, or raises the first error."""
    several = list(jobs)
    start = threading.Barrier(len(several))

    def run(job: Callable[[], T]) -> T:
        start.wait(60)
        return job()

    with ThreadPoolExecutor(len(several)) as pool:
        return list(pool.map(run, several))


def add_by_id(flow: ReportFlow, id: str, mark: str, times: int) -> list[int]:
    """Fire by id; the versions that were acknowledged."""
    details = [RacedAddition(number=number, mark=f"{mark}.{number}") for number in range(1, times + 1)]
    return [flow.fire(id, "add", one, by=CLERK).version for one in details]


def add_by_snapshot(flow: ReportFlow, id: str, mark: str, times: int) -> list[int]:
    """Fire on the record as it was read; read it again when that was stale."""
    versions = []
    for number in range(1, times + 1):
        while True:
            seen = flow.get(id, by=CLERK)
            try:
                done = flow.fire(seen, "add", RacedAddition(number=number, mark=f"{mark}.{number}"), by=CLERK)
            except StaleRecord as error:
                stale = error
            else:
                assert done.version == seen.version + 1
                versions.append(done.version)
                break
            assert (stale.id, stale.seen) == (id, seen.version)
            assert stale.stored > seen.version
    return versions


def hold_together(flow: ReportFlow, id: str, versions: Iterable[int], marks: Iterable[str]) -> None:
    """Each version was acknowledged once, each mark stands once, and the history replays to the record."""
    record, history = flow.get(id, by=CLERK, type=RacedTally), flow.history(id, by=CLERK)
    assert sorted(versions) == list(range(2, record.version + 1))
    assert [entry.sequence for entry in history] == list(range(1, record.version + 1))
    assert sorted(record.marks) == sorted(marks)
    assert record.total == sum(one.details.number for one in history if isinstance(one.details, RacedAddition))
    assert replay(history, RACED) == record


@pytest.mark.parametrize("add", [add_by_id, add_by_snapshot])
def test_eight_threads_lose_nothing(store: Store, add: Callable[[ReportFlow, str, str, int], list[int]]) -> None:
    """Eight threads that fire at one record, by id or by snapshot, make each version once and lose no entry."""
    flow = ReportFlow(store, RACED)
    id = flow.create(RacedTally.draft(), by=CLERK).id
    done = all_at_once(partial(add, flow, id, str(name), 10) for name in range(8))
    marks = [f"{name}.{number}" for name in range(8) for number in range(1, 11)]
    hold_together(flow, id, (version for versions in done for version in versions), marks)


def test_sixteen_threads_do_not_run_out_of_patience(store: Store) -> None:
    """Sixteen threads that fire twenty times each at one record all succeed within the default deadline."""
    flow = ReportFlow(store, RACED)
    id = flow.create(RacedTally.draft(), by=CLERK).id
    done = all_at_once(partial(add_by_id, flow, id, str(name), 20) for name in range(16))
    marks = [f"{name}.{number}" for name in range(16) for number in range(1, 21)]
    hold_together(flow, id, (version for versions in done for version in versions), marks)


# -- processes ----------------------------------------------------------------------------------------------------

_start: ProcessBarrier


def _begin(start: ProcessBarrier) -> None:
    global _start
    _start = start


def in_processes(work: Callable[..., T], arguments: list[tuple[Any, ...]]) -> list[T]:
    """Do some work in fresh processes, one for each tuple of arguments; `work` begins at `_start`."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(len(arguments), _begin, (context.Barrier(len(arguments)),)) as pool:
        done = pool.starmap(work, arguments, chunksize=1)
        pool.close()
        pool.join()
    return done


def fire_in_process(url: str, id: str, name: str, by_snapshot: bool) -> list[int]:
    """One process: fire, by id or by snapshot."""
    with open_flow(url, lifecycles=RACED) as flow:
        flow.get(id, by=CLERK)
        _start.wait(120)
        return (add_by_snapshot if by_snapshot else add_by_id)(flow, id, name, 15)


def open_in_process(url: str, name: str) -> str:
    """What one process does: open a database that is not there yet, and create a record."""
    _start.wait(120)
    with open_flow(url, lifecycles=RACED) as flow:
        return flow.create(RacedTally.draft(title=name), by=CLERK).id


def test_four_processes_lose_nothing(tmp_path: Path) -> None:
    """Four processes that fire at one record, by id and by snapshot, make each version once and lose no entry."""
    url = url_in(tmp_path)
    with open_flow(url, lifecycles=RACED) as flow:
        id = flow.create(RacedTally.draft(), by=CLERK).id
        done = in_processes(fire_in_process, [(url, id, str(name), name % 2 == 0) for name in range(4)])
        marks = [f"{name}.{number}" for name in range(4) for number in range(1, 16)]
        hold_together(flow, id, (version for versions in done for version in versions), marks)


def test_several_processes_open_one_fresh_database(tmp_path: Path) -> None:
    """Processes that open one fresh database at the same moment all succeed, and see one another's records."""
    url = url_in(tmp_path)
    ids = in_processes(open_in_process, [(url, str(name)) for name in range(4)])
    with open_flow(url, lifecycles=RACED, create=False) as flow:
        assert {one.id for one in flow.find(Query(kind="raced"), by=CLERK)} == set(ids)


def test_several_threads_open_one_fresh_database(tmp_path: Path) -> None:
    """Threads that open one fresh database at the same moment, each a flow of its own, all succeed."""

    def work(name: str) -> str:
        with open_flow(url_in(tmp_path), lifecycles=RACED) as flow:
            return flow.create(RacedTally.draft(title=name), by=CLERK).id

    ids = all_at_once(partial(work, str(name)) for name in range(8))
    with open_flow(url_in(tmp_path), lifecycles=RACED, create=False) as flow:
        assert {one.id for one in flow.find(Query(kind="raced"), by=CLERK)} == set(ids)


FORKED = """
import os, sys
from sqlalchemy import event
from sqlalchemy.pool import Pool
from reportflow import open_flow
from tests.storage.test_concurrency import CLERK, RACED, RacedTally, add_by_id, hold_together

connected = []
event.listen(Pool, "connect", lambda connection, record: connected.append(os.getpid()))
flow = open_flow(sys.argv[1], lifecycles=RACED)
id = flow.create(RacedTally.draft(), by=CLERK).id
children = []
for name in range(3):
    child = os.fork()
    if not child:
        add_by_id(flow, id, str(name), 10)
        flow.close()
        os._exit(0 if os.getpid() in connected else 7)
    children.append(child)
add_by_id(flow, id, "parent", 10)
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
assert codes == [0, 0, 0], codes
marks = [f"{name}.{number}" for name in (0, 1, 2, "parent") for number in range(1, 11)]
hold_together(flow, id, range(2, 42), marks)
flow.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
def test_a_flow_opened_before_a_fork_works_in_the_child(tmp_path: Path) -> None:
    """A flow that was opened and used before a fork works on both sides, the child by connections of its own."""
    command = [sys.executable, "-c", FORKED, url_in(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# -- another writer just before the commit -------------------------------------------------------------------------


class WrittenBefore:
    """A store in which another writer writes once, between the decision and its commit."""

    def __init__(self, store: Store, before_commit: Callable[[], object]) -> None:
        self._store = store
        self._before_commit = [before_commit]

    def commit(self, changes: Any) -> None:
        if self._before_commit:
            self._before_commit.pop()()
        self._store.commit(changes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


#: Row, how the record is named, when the other writer wrote -> whether it is decided on what is stored then.
DONE, STALE = "done", "stale"
VERDICTS = {
    ("add", "snapshot", "before"): STALE,
    ("add", "snapshot", "meanwhile"): STALE,
    ("add", "id and version", "before"): STALE,
    ("add", "id and version", "meanwhile"): STALE,
    ("add", "id", "before"): DONE,
    ("add", "id", "meanwhile"): DONE,
    ("seal", "snapshot", "before"): STALE,
    ("seal", "snapshot", "meanwhile"): STALE,
    ("seal", "id and version", "before"): STALE,
    ("seal", "id and version", "meanwhile"): STALE,
    ("seal", "id", "before"): DONE,
    ("seal", "id", "meanwhile"): STALE,
    ("note", "snapshot", "before"): DONE,
    ("note", "snapshot", "meanwhile"): DONE,
    ("note", "id and version", "before"): DONE,
    ("note", "id and version", "meanwhile"): DONE,
    ("note", "id", "before"): DONE,
    ("note", "id", "meanwhile"): DONE,
}


def named(seen: RacedTally, how: str) -> dict[str, Any]:
    """How an act names its record."""
    if how == "snapshot":
        return {"target": seen}
    return {"target": seen.id, "version": seen.version if how == "id and version" else None}


@pytest.mark.parametrize(("trigger", "how", "moment"), VERDICTS)
def test_a_conflict_follows_on_conflict(store: Store, trigger: str, how: str, moment: str) -> None:
    """After a conflict the call is `StaleRecord` or retried, by `on_conflict` and whether it named a version."""
    calm = ReportFlow(store, RACED)
    seen = calm.create(RacedTally.draft(), by=CLERK)

    def write_first() -> None:
        calm.fire(seen.id, "add", RacedAddition(number=1, mark="other"), by=CLERK)

    flow = calm
    if moment == "before":
        write_first()
    else:
        flow = ReportFlow(WrittenBefore(store, write_first), RACED)
    details = RacedAddition(number=10, mark="mine")

    def act() -> RacedTally:
        done: RacedTally = flow.fire(trigger=trigger, details=details, by=CLERK, **named(seen, how))
        return done

    if VERDICTS[trigger, how, moment] == DONE:
        done = act()
        assert (done.version, done.total, done.marks) == (3, 11, ("other", "mine"))
    else:
        with pytest.raises(StaleRecord) as caught:
            act()
        assert (caught.value.id, caught.value.seen, caught.value.stored) == (seen.id, 1, 2)
        assert calm.get(seen.id, by=CLERK, type=RacedTally).marks == ("other",)
    hold_together(
        calm,
        seen.id,
        range(2, calm.get(seen.id, by=CLERK).version + 1),
        calm.get(seen.id, by=CLERK, type=RacedTally).marks,
    )


@pytest.mark.parametrize(
    ("trigger", "how", "error"),
    [
        ("add", "snapshot", StaleRecord),
        ("add", "id and version", StaleRecord),
        ("add", "id", TransitionRefused),
        ("seal", "snapshot", StaleRecord),
        ("seal", "id", StaleRecord),
        ("note", "snapshot", TransitionRefused),
        ("note", "id", TransitionRefused),
    ],
)
def test_who_is_decided_again_is_judged_again(store: Store, trigger: str, how: str, error: type[Exception]) -> None:
    """If another writer moved the record to a state without the transition, the retry is refused."""
    calm = ReportFlow(store, RACED)
    seen = calm.create(RacedTally.draft(), by=CLERK)
    overtaken = WrittenBefore(store, lambda: calm.fire(seen.id, "shut", by=CLERK))
    flow = ReportFlow(overtaken, RACED)
    with pytest.raises(error):
        flow.fire(trigger=trigger, details=RacedAddition(number=1, mark="mine"), by=CLERK, **named(seen, how))
    assert [entry.trigger for entry in calm.history(seen.id, by=CLERK)] == ["create", "shut"]
