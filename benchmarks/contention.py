"""Many writers at once: processes on one record of an SQLite file, threads on records of their own on PostgreSQL.

Run as a program it is one of the processes: it does so many acts as each line of its input says, and answers each line
with the number of its conflicts, and the seconds of each act.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.by_hand import INSERT_ENTRY, UPDATE_RECORD, PostgresHand, adopting, opened, read, time_of
from benchmarks.measure import Found, Sample, duration, measure, rate
from benchmarks.setting import Setting
from benchmarks.work import OFFICE, REGISTRAR, Ours, adopted, adoption, ids

from reportflow import Change, Conflict, ReportFlow, SqlStore, open_flow
from reportflow.office import REPORT

PROCESSES = 4
THREADS = 16
#: How many acts each of them does in a round. Processes start and end their rounds at different moments, which must not
#: be most of the round.
ACTS_OF_A_PROCESS = 100
ACTS_OF_A_THREAD = 25
CONTENDED = "report-0"


class CountingStore(SqlStore):
    """A store that counts how often a commit was rejected by a conflict."""

    conflicts = 0

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store.commit`."""
        try:
            super().commit(changes)
        except Conflict:
            self.conflicts += 1
            raise


def _ours(path: Path) -> Iterator[bool]:
    """Opens the file, then acts; gives after each attempt whether it was committed: `fire` retries by itself."""
    store = CountingStore(f"sqlite:///{path}")
    flow = ReportFlow(store, REPORT)
    yield True
    while True:
        before = store.conflicts
        flow.fire(CONTENDED, "adopt", adoption(), by=REGISTRAR)
        yield from [False] * (store.conflicts - before)
        yield True


def _by_hand(path: Path) -> Iterator[bool]:
    connection = opened(path)
    execute = connection.execute
    execute("PRAGMA busy_timeout = 5000")
    yield True
    while True:
        row = read(connection, CONTENDED)
        after, entry = adopting(row, time_of(datetime.now(UTC)))
        execute("BEGIN IMMEDIATE")
        if execute(UPDATE_RECORD, {**after, "expected": row["version"], "seen": row["head"]}).rowcount != 1:
            execute("ROLLBACK")
            yield False
            continue
        execute(INSERT_ENTRY, entry)
        execute("COMMIT")
        yield True


HOW = {"ours": _ours, "by_hand": _by_hand}


def _serve(how: str, path: str) -> None:
    attempts = HOW[how](Path(path))
    next(attempts)
    print("[]", flush=True)
    for line in sys.stdin:
        conflicts, taken = 0, []
        for _ in range(int(line)):
            start = time.perf_counter()
            while not next(attempts):
                conflicts += 1
            taken.append(time.perf_counter() - start)
        print(json.dumps([conflicts, taken]), flush=True)


class _Crowd:
    """Processes that do their acts at the same time."""

    def __init__(self, how: str, path: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.contention", how, str(path)]
        root = Path(__file__).parents[1]
        self._all = [
            subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(PROCESSES)
        ]
        self.conflicts = 0
        self.taken: list[float] = []
        self._answers()

    def _answers(self) -> list[Any]:
        answers = []
        for one in self._all:
            assert one.stdout is not None
            answers.append(one.stdout.readline())
        if "" in answers:
            raise RuntimeError("a process of the benchmark ended")
        return [json.loads(one) for one in answers]

    def sample(self) -> float:
        """The seconds of one act, all processes counted."""
        start = time.perf_counter()
        for one in self._all:
            assert one.stdin is not None
            one.stdin.write(f"{ACTS_OF_A_PROCESS}\n")
            one.stdin.flush()
        answers = self._answers()
        seconds = time.perf_counter() - start
        for conflicts, taken in answers:
            self.conflicts += conflicts
            self.taken += taken
        return seconds / (PROCESSES * ACTS_OF_A_PROCESS)

    def close(self) -> None:
        """Let them end."""
        for one in self._all:
            one.communicate()

    @property
    def summary(self) -> str:
        """The conflicts an act, and how long the slowest acts took, as text."""
        slow = statistics.quantiles(self.taken, n=100, method="inclusive")[98]
        return f"{self.conflicts / len(self.taken):.2f} conflicts an act, p99 {duration(slow)}"


def contended(setting: Setting) -> Found:
    """Processes that all act on one record by its id."""
    paths = setting.path(), setting.path()
    for path in paths:
        with open_flow(f"sqlite:///{path}", lifecycles=OFFICE) as flow:
            adopted(flow, [CONTENDED])
    with ExitStack() as stack:
        crowds = [
            stack.enter_context(closing(_Crowd(how, path)))
            for how, path in zip(("ours", "by_hand"), paths, strict=True)
        ]
        seconds, floor = measure(*(crowd.sample for crowd in crowds), rounds=setting.rounds)
    for path, crowd in zip(paths, crowds, strict=True):
        _none_lost(path, len(crowd.taken))
    ours, hand = crowds
    return Found(ours=seconds, floor=floor, note=ours.summary, floor_name=f"by hand, {hand.summary}", as_text=rate)


def _none_lost(path: Path, done: int) -> None:
    """Each act is in the record's version and in its history.

    Raises:
        RuntimeError: one is not.
    """
    with closing(sqlite3.connect(path)) as connection:
        [version] = connection.execute("SELECT version FROM reportflow_record").fetchone()
        sequences = [row[0] for row in connection.execute("SELECT sequence FROM reportflow_entry ORDER BY sequence")]
    if version != done + 4 or sequences != list(range(1, version + 1)):
        raise RuntimeError(f"{done} acts, version {version}, {len(sequences)} entries")


def _together(pool: ThreadPoolExecutor, works: Sequence[Callable[[int], object]]) -> Sample:
    def many(work: Callable[[int], object]) -> None:
        for _ in range(ACTS_OF_A_THREAD):
            work(0)

    def sample() -> float:
        start = time.perf_counter()
        for _ in pool.map(many, works):
            pass
        return (time.perf_counter() - start) / (ACTS_OF_A_THREAD * len(works))

    return sample


@contextmanager
def _hands(connect: Callable[[], object]) -> Iterator[list[PostgresHand]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(closing(PostgresHand(connect, lambda: datetime.now(UTC), [name])))
            for name in ids(THREADS)
        ]


def threads(setting: Setting) -> Found:
    """Threads that each act on a snapshot of their own record."""
    with setting.postgresql() as first, setting.postgresql() as second, ThreadPoolExecutor(THREADS) as pool:
        with open_flow(second.url, lifecycles=OFFICE) as other:
            adopted(other, ids(THREADS))
        with open_flow(first.url, lifecycles=OFFICE) as flow, _hands(second.connect) as hands:
            mine = [Ours(flow, [record]).fire_snapshot for record in adopted(flow, ids(THREADS))]
            samples = _together(pool, mine), _together(pool, [hand.fire_snapshot for hand in hands])
            seconds, floor = measure(*samples, rounds=setting.rounds)
    return Found(ours=seconds, floor=floor, as_text=rate)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
