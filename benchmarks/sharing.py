"""How fast writers are together, each on records of its own: ``python -m benchmarks.sharing``.

The floor is SQL by hand with one act a commit. One row holds ours against threads that take turns by a lock of their
process, too: without it they poll for SQLite's, and sleep while it is free. Both are given the same spells of time
alternately; an act counts where its caller had its answer before the spell was over.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from benchmarks import contention
from benchmarks.crowds import PROCESSES, Crowd, MakeCrowd, Shares, process_crowd, task_crowd, thread_crowd
from benchmarks.measure import Found, Missing, Row, duration, measure, rate, table
from benchmarks.setting import Setting
from benchmarks.work import OFFICE, adopted, ids

from reportflow import open_flow

#: All writers together have so many records.
RECORDS: Final = 1600
THREADS: Final = 16
THREADS_OF_A_PROCESS: Final = 4
TASKS: Final = 100
#: So many writers at once are looked at for one that waits much longer than the others,
MANY: Final = 64
#: which is so many times as long as the median one.
LONGEST: Final = 10


@contextmanager
def crowds(
    setting: Setting, make: MakeCrowd, writers: int, mode: str, floor: str = "hand"
) -> Iterator[tuple[Crowd, Crowd]]:
    """Ours and by hand, each on a file of its own that begins with the same rows; in the end no act is lost.

    Raises:
        RuntimeError: one is.
    """
    first, paths = setting.folder / "sharing.db", (setting.path(), setting.path())
    if not first.exists():
        with open_flow(f"sqlite:///{first}?synchronous=OFF", lifecycles=OFFICE) as flow:
            adopted(flow, ids(RECORDS))
    for path in paths:
        shutil.copy(first, path)
    shares = [ids(RECORDS)[number::writers] for number in range(writers)]
    with make("ours", paths[0], mode, shares) as ours, make(floor, paths[1], mode, shares) as hand:
        yield ours, hand
    for path, crowd in zip(paths, (ours, hand), strict=True):
        none_lost(path, shares, crowd.acts)


def none_lost(path: Path, shares: Shares, acts: Sequence[int]) -> None:
    """As many acts as a writer had answers for are in the versions and histories of its records, no more and no fewer.

    Raises:
        RuntimeError: one is not, or one is too many.
    """
    with closing(sqlite3.connect(path)) as connection:
        heads = {id: (version, head) for id, version, head in connection.execute(_HEADS)}
        last = {id: (count, digest) if count == most else None for id, count, most, digest in connection.execute(_LAST)}
    if heads != last:
        raise RuntimeError("versions or heads are not those of the histories")
    for share, done in zip(shares, acts, strict=True):
        stored = sum(heads[id][0] - 4 for id in share)
        if stored != done:
            raise RuntimeError(f"the writer of {share[0]} had {done} answers, and {stored} acts are stored")


_HEADS: Final = "SELECT id, version, head FROM reportflow_record"
#: How many entries a record has, the greatest sequence, and the digest of that one, as SQLite gives it beside a max.
_LAST: Final = "SELECT record_id, count(*), max(sequence), digest FROM reportflow_entry GROUP BY record_id"


def throughput(
    make: MakeCrowd, writers: int, mode: str, floor: str = "hand", named: str = "by hand"
) -> Callable[[Setting], Found]:
    """What measures how many acts a second all writers do."""

    def found(setting: Setting) -> Found:
        with crowds(setting, make, writers, mode, floor) as (ours, hand):
            seconds, least = measure(ours.each, hand.each, rounds=setting.rounds)
        return Found(ours=seconds, floor=least, as_text=rate, note=ours.summary, floor_name=f"{named}, {hand.summary}")

    return found


def slowest(writers: int, mode: str) -> Callable[[Setting], Found]:
    """What measures how long 99 of 100 callers wait at the most."""

    def found(setting: Setting) -> Found:
        with crowds(setting, thread_crowd, writers, mode) as (ours, hand):
            seconds, floor = measure(ours.p99, hand.p99, rounds=_fewer(setting))
        return Found(ours=seconds, floor=floor, note=ours.fairness, floor_name=f"by hand, {hand.fairness}")

    return found


def fairness(setting: Setting) -> Found:
    """Of many writers, the longest wait beside what it must not reach: so many times the median of the same spell."""
    with crowds(setting, thread_crowd, MANY, "FULL") as (ours, hand):
        seconds, _ = measure(ours.longest, hand.longest, rounds=_fewer(setting))
    most = [LONGEST * median for _, median, _ in ours.long[-len(seconds) :]]  # the first one only warmed up
    return Found(
        ours=seconds,
        floor=most,
        note=ours.fairness,
        floor_name=f"{LONGEST} times the median; by hand {hand.fairness}",
    )


def _fewer(setting: Setting) -> int:
    return max(setting.rounds // 3, 1)


#: A row, what is asked of it and wanted, and how it is measured. What one writer does is to stay as it stands.
ROWS: Sequence[tuple[Row, Callable[[Setting], Found]]] = (
    (Row("SQLite FULL: `fire`, 16 threads, own records", 2.5, 4.0), throughput(thread_crowd, THREADS, "FULL")),
    (
        Row("SQLite FULL: the same, by hand in turns"),
        throughput(thread_crowd, THREADS, "FULL", "turns", "by hand, by a lock of the process"),
    ),
    (Row("SQLite NORMAL: `fire`, 16 threads, own records", 1.0, 1.5), throughput(thread_crowd, THREADS, "NORMAL")),
    (Row("SQLite FULL: async `fire`, 100 tasks", 2.0, 3.0), throughput(task_crowd, TASKS, "FULL")),
    (
        Row("SQLite FULL: `fire`, 4 processes of 4 threads", 1.2, 2.0),
        throughput(process_crowd, PROCESSES * THREADS_OF_A_PROCESS, "FULL"),
    ),
    (Row("SQLite FULL: `fire`, 16 threads, p99 of a caller", 1.0, 2.0), slowest(THREADS, "FULL")),
    (Row("SQLite FULL: `fire`, 64 threads, longest wait", 1.0), fairness),
    (Row("SQLite FULL: `fire`, one writer", 0.50, 0.80), throughput(thread_crowd, 1, "FULL")),
    (Row("SQLite NORMAL: `fire`, one writer", 0.50, 0.80), throughput(thread_crowd, 1, "NORMAL")),
    (Row("PostgreSQL: `fire`, 16 threads, own records", 0.85, 1.2), contention.threads),
)


def disk(folder: Path) -> str:
    """What waiting for the disk costs in a folder, as text: without that, the shares with FULL say little."""
    taken = []
    handle = os.open(folder / "disk", os.O_CREAT | os.O_RDWR | os.O_APPEND)
    try:
        for _ in range(200):
            os.write(handle, bytes(8192))
            start = time.perf_counter()
            os.fsync(handle)
            taken.append(time.perf_counter() - start)
    finally:
        os.close(handle)
    return f"an fsync takes {duration(min(taken))} / {duration(statistics.median(taken))} / {duration(max(taken))}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How fast writers are together, beside SQL by hand, one act a commit.")
    parser.add_argument("--rounds", type=int, default=15, help="how often each is measured (15)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows whose name has this")
    parser.add_argument("--folder", help="where the files lie; one for temporary files unless given")
    given = parser.parse_args()
    lines = []
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        print(f"{os.cpu_count()} cores; in {Path(folder).parent}, {disk(Path(folder))} (min / median / max)")
        setting = Setting(Path(folder), rounds=given.rounds, bulk=0, imported=0, read=0)
        with closing(setting):
            for row, find in ROWS:
                if given.only in row.name:
                    print(row.name, file=sys.stderr, flush=True)
                    try:
                        found: Found | Missing = find(setting)
                    except Missing as missing:
                        found = missing
                    lines.append([*row.cells(found)])
        print(table(lines))
        print(f"In the end {disk(Path(folder))}.")


if __name__ == "__main__":
    main()
