"""Many records in one go: their creation, an act on each, and how much memory an import needs.

The floor takes as many into one transaction as reportflow does, and what is measured begins with the fields as they
come from outside: reportflow makes drafts of them, the floor rows. Run as a program, with a file and a number of
records, it is one import, and says how much memory it needed at the most.
"""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from benchmarks.acts import compare
from benchmarks.by_hand import (
    ENTRY,
    INSERT_ENTRY,
    INSERT_LABEL,
    INSERT_RECORD,
    LABEL,
    RECORD,
    Created,
    Values,
    created,
    fired,
    opened,
    quoted,
    time_of,
    update,
)
from benchmarks.measure import Found, megabytes
from benchmarks.setting import Setting
from benchmarks.work import CHUNK, EDITOR, OFFICE, Ticks, draft

from reportflow import Create, Fire, open_flow
from reportflow.office import Assignment

#: How much memory an import may need, in bytes.
LIMIT = 500e6
ASSIGNEE = "zhao"
UPDATE_ASSIGNED = update("version", "head", "assignee", "updated_at")


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(rows)
    while some := list(islice(rest, CHUNK)):
        yield some


class Hand(Protocol):
    """Writes chunks by hand."""

    def create(self, chunk: Sequence[Created]) -> None:
        """Records, their first entries, their labels."""
        ...

    def assign(self, rows: Sequence[Values], entries: Sequence[Values]) -> None:
        """Records moved on, and the entries of that."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class SqliteHand:
    """sqlite3 and its executemany. See `Hand`."""

    def __init__(self, path: Path) -> None:
        self._connection = opened(path)

    def create(self, chunk: Sequence[Created]) -> None:
        """See `Hand.create`."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(INSERT_RECORD, [record for record, _, _ in chunk])
        self._connection.executemany(INSERT_ENTRY, [entry for _, entry, _ in chunk])
        self._connection.executemany(INSERT_LABEL, [label for _, _, labels in chunk for label in labels])
        self._connection.execute("COMMIT")

    def assign(self, rows: Sequence[Values], entries: Sequence[Values]) -> None:
        """See `Hand.assign`."""
        self._connection.execute("BEGIN IMMEDIATE")
        if self._connection.executemany(UPDATE_ASSIGNED, rows).rowcount != len(rows):
            raise RuntimeError("another program wrote to the benchmark's file")
        self._connection.executemany(INSERT_ENTRY, entries)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """See `Hand.close`."""
        self._connection.close()


class PostgresHand:
    """psycopg and COPY; what is updated is copied to a table beside and joined. See `Hand`."""

    _STAGED = ("id", "expected", "seen", "version", "head", "assignee", "updated_at")

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        connection.execute(
            "CREATE TEMPORARY TABLE staged "
            "(id text, expected int, seen text, version int, head text, assignee text, updated_at text) "
            "ON COMMIT DELETE ROWS"
        )

    def _copy(self, table: str, columns: Sequence[str], rows: Iterable[Values]) -> None:
        with self._connection.cursor().copy(f"COPY {table} ({quoted(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row[name] for name in columns])

    def create(self, chunk: Sequence[Created]) -> None:
        """See `Hand.create`."""
        with self._connection.transaction():
            self._copy("reportflow_record", RECORD, (record for record, _, _ in chunk))
            self._copy("reportflow_entry", ENTRY, (entry for _, entry, _ in chunk))
            self._copy("reportflow_label", LABEL, (label for _, _, labels in chunk for label in labels))

    def assign(self, rows: Sequence[Values], entries: Sequence[Values]) -> None:
        """See `Hand.assign`."""
        with self._connection.transaction():
            self._copy("staged", self._STAGED, rows)
            moved = self._connection.execute(
                "UPDATE reportflow_record AS r "
                "SET version = s.version, head = s.head, assignee = s.assignee, updated_at = s.updated_at "
                "FROM staged AS s "
                "WHERE r.id = s.id AND r.version = s.expected AND r.head = s.seen"
            )
            if moved.rowcount != len(rows):
                raise RuntimeError("another program wrote to the benchmark's database")
            self._copy("reportflow_entry", ENTRY, entries)

    def close(self) -> None:
        """See `Hand.close`."""
        self._connection.close()


# ---------------------------------------------------------------------------------------------------------------


Round = tuple[str, Hand]
#: Gives the URL of an empty database for reportflow, and a way by hand into another one with the same tables.
Places = Callable[[Setting], AbstractContextManager[Round]]


@contextmanager
def on_sqlite(setting: Setting) -> Iterator[Round]:
    """Two files, compared in the end."""
    paths = setting.path(), setting.path()
    open_flow(f"sqlite:///{paths[1]}").close()
    with closing(SqliteHand(paths[1])) as hand:
        yield f"sqlite:///{paths[0]}", hand
    with closing(sqlite3.connect(paths[0])) as one, closing(sqlite3.connect(paths[1])) as other:
        compare(one, other)
    for path in paths:
        path.unlink()


@contextmanager
def on_postgresql(setting: Setting) -> Iterator[Round]:
    """Two databases, compared in the end."""
    with setting.postgresql() as first, setting.postgresql() as second:
        open_flow(second.url).close()
        with closing(PostgresHand(second.connect())) as hand:
            yield first.url, hand
        with first.connect() as one, second.connect() as other:
            compare(one, other)


class Bulk:
    """What a bulk costs, in seconds, reportflow and by hand, each round on empty databases."""

    def __init__(self, url: str, hand: Hand, names: Sequence[str]) -> None:
        self._flow = open_flow(url, lifecycles=OFFICE, clock=Ticks())
        self._hand = hand
        self._clock = Ticks()
        self._names = names
        self._records: list[Any] = []
        self._rows: list[Values] = []

    def create(self) -> None:
        """Make them all."""
        made = self._flow.run(Create(draft(name), by=EDITOR) for name in self._names)
        self._records = [outcome.record for outcome in made]

    def create_by_hand(self) -> None:
        """The same."""
        for names in _chunks(self._names):
            now = time_of(self._clock())
            chunk = [created(name, now) for name in names]
            self._hand.create(chunk)
            self._rows += [record for record, _, _ in chunk]

    def fire(self) -> None:
        """Assign them all, from snapshots."""
        details = Assignment(assignee=ASSIGNEE)
        for _ in self._flow.run(Fire(record, "assign", details, by=EDITOR) for record in self._records):
            pass

    def fire_by_hand(self) -> None:
        """The same."""
        details = {"$type": "reportflow.Assignment", "assignee": ASSIGNEE, "due_at": None}
        for rows in _chunks(self._rows):
            now = time_of(self._clock())
            entries = [fired(row, now, "assign", EDITOR, details) for row in rows]
            moved = [
                {
                    "id": row["id"], "expected": row["version"], "seen": row["head"],
                    "version": entry["sequence"], "head": entry["digest"], "assignee": ASSIGNEE,
                    "updated_at": entry["recorded_at"],
                }
                for row, entry in zip(rows, entries, strict=True)
            ]  # fmt: skip
            self._hand.assign(moved, entries)

    def close(self) -> None:
        """Close the flow."""
        self._flow.close()


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def create_many(places: Places) -> Callable[[Setting], Found]:
    """What measures creations by `run` on a kind of database."""

    def found(setting: Setting) -> Found:
        return _found(setting, places, lambda bulk: (_seconds(bulk.create), _seconds(bulk.create_by_hand)))

    return found


def fire_many(places: Places) -> Callable[[Setting], Found]:
    """What measures transitions by `run` on a kind of database."""

    def both(bulk: Bulk) -> tuple[float, float]:
        bulk.create()
        bulk.create_by_hand()
        return _seconds(bulk.fire), _seconds(bulk.fire_by_hand)

    return lambda setting: _found(setting, places, both)


def _found(setting: Setting, places: Places, both: Callable[[Bulk], tuple[float, float]]) -> Found:
    taken = []
    names = [f"report-{number:08}" for number in range(setting.bulk)]  # in their own order: a chunk is written in it
    for _ in range(setting.long_rounds):
        with places(setting) as (url, hand), closing(Bulk(url, hand, names)) as bulk:
            taken.append(both(bulk))
    ours, floor = zip(*taken, strict=True)
    return Found(ours=ours, floor=floor, note=f"{setting.bulk / min(ours):,.0f} a second")


# ---------------------------------------------------------------------------------------------------------------


def _import(path: Path, number: int) -> None:
    with open_flow(f"sqlite:///{path}", lifecycles=OFFICE) as flow:
        for _ in flow.run(Create(draft(f"report-{one}"), by=EDITOR) for one in range(number)):
            pass


def _import_by_hand(path: Path, number: int) -> None:
    open_flow(f"sqlite:///{path}").close()
    clock = Ticks()
    with closing(SqliteHand(path)) as hand:
        for names in _chunks(f"report-{one}" for one in range(number)):
            now = time_of(clock())
            hand.create([created(name, now) for name in names])


HOW = {"ours": _import, "by_hand": _import_by_hand}


def _peak() -> int:
    """The most memory that this process ever had in use, in bytes."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


def memory(setting: Setting) -> Found:
    """The memory of an import from a generator, in a process of its own, beside what it may need."""
    peaks = []
    for how in HOW:
        path = setting.path()
        command = [sys.executable, "-m", "benchmarks.bulk", how, str(path), str(setting.imported)]
        run = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True)
        peaks.append(int(run.stdout))
        path.unlink()
    ours, hand = peaks
    return Found(
        ours=[ours], floor=[LIMIT], floor_name=f"the limit; by hand {megabytes(hand)}", as_text=megabytes,
        note=f"{setting.imported:,} records",
    )  # fmt: skip


if __name__ == "__main__":
    _how, _path, _number = sys.argv[1:]
    HOW[_how](Path(_path), int(_number))
    print(_peak())
