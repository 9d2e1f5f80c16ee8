"""Single acts, one after the other: a fire, a creation, an import of the package."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import zip_longest
from operator import attrgetter
from pathlib import Path
from typing import Any

from benchmarks.by_hand import ENTRY, LABEL, RECORD, Hand, PostgresHand, SqliteHand, quoted
from benchmarks.measure import Found, Sample, measure, rate, timed
from benchmarks.setting import Setting
from benchmarks.work import OFFICE, RECORDS, Ours, Ticks, adopted, ids

from reportflow import open_flow

#: What is not compared: by hand these are constants.
_HASHED = ("head", "salt", "commitment", "digest")
#: All that is stored, but for the number that an engine gives an entry, and for what is hashed.
STORED = {
    name: sorted(set(columns) - set(_HASHED), key=columns.index)
    for name, columns in (
        ("record", RECORD),
        (
            "entry",
            ("record_id", "sequence", *(one for one in ENTRY if one not in ("record_id", "sequence")), "position"),
        ),
        ("label", LABEL),
    )
}


def rows_of(connection: Any) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a database."""
    return {
        name: [
            tuple(row)
            for row in connection.execute(f"SELECT {quoted(columns)} FROM reportflow_{name} ORDER BY 1, 2, 3")
        ]
        for name, columns in STORED.items()
    }


def compare(ours: Any, hand: Any) -> None:
    """Hold the rows of two databases against each other.

    Raises:
        RuntimeError: they are not the same, so the comparison says nothing.
    """
    for (table, mine), others in zip(rows_of(ours).items(), rows_of(hand).values(), strict=True):
        if mine != others:
            differing = next(pair for pair in zip_longest(mine, others) if pair[0] != pair[1])
            raise RuntimeError(f"by hand, {table} is not what reportflow stores: {differing}; bring by_hand up to date")


Pair = Callable[[Setting], Any]


@contextmanager
def on_sqlite(setting: Setting) -> Iterator[tuple[Ours, Hand]]:
    """Both on SQLite files that hold the same rows at the beginning, and must in the end."""
    paths = setting.path(), setting.path()
    with ExitStack() as stack:
        ours = stack.enter_context(closing(_ours(f"sqlite:///{paths[0]}")))
        _ours(f"sqlite:///{paths[1]}").close()
        hand = stack.enter_context(closing(SqliteHand(paths[1], _later())))
        yield ours, hand
    with closing(sqlite3.connect(paths[0])) as one, closing(sqlite3.connect(paths[1])) as other:
        compare(one, other)


@contextmanager
def on_postgresql(setting: Setting) -> Iterator[tuple[Ours, Hand]]:
    """Both on PostgreSQL, each with a database and a connection of its own."""
    with setting.postgresql() as first, setting.postgresql() as second:
        with ExitStack() as stack:
            ours = stack.enter_context(closing(_ours(first.url)))
            _ours(second.url).close()
            hand = stack.enter_context(closing(PostgresHand(second.connect, _later(), ids())))
            yield ours, hand
        with first.connect() as one, second.connect() as other:
            compare(one, other)


def _ours(url: str) -> Ours:
    flow = open_flow(url, lifecycles=OFFICE, clock=Ticks())
    return Ours(flow, adopted(flow, ids()))


def _later() -> Ticks:
    """The clock of a flow that has made its records: four acts for each."""
    clock = Ticks()
    for _ in range(4 * RECORDS):
        clock()
    return clock


def act(pair: Pair, name: str, *, read: bool = False) -> Callable[[Setting], Found]:
    """What measures one act of `Ours` beside the same by hand; ours on records just read, where that is asked."""

    def found(setting: Setting) -> Found:
        with pair(setting) as both:
            samples = [timed(attrgetter(name)(one), RECORDS) for one in both]
            if read:
                samples[0] = _after(both[0].read, samples[0])
            ours, floor = measure(*samples, rounds=setting.rounds)
        return Found(ours=ours, floor=floor)

    return found


def _after(prepare: Callable[[], object], sample: Sample) -> Sample:
    """A sample that is taken after some work, which does not count."""

    def taken() -> float:
        prepare()
        return sample()

    return taken


def in_memory(name: str) -> Callable[[Setting], Found]:
    """What measures one act of `Ours` in memory; there is no floor but a dict."""

    def found(setting: Setting) -> Found:
        with closing(_ours("memory:")) as ours:
            [seconds] = measure(timed(attrgetter(name)(ours), RECORDS), rounds=setting.rounds)
        return Found(ours=seconds, as_text=rate)

    return found


# ---------------------------------------------------------------------------------------------------------------


NEEDED = "import transitions, attrs, cattrs"


def _import_sample(statement: str) -> Sample:
    """How long an import takes in a fresh process, the start of Python not counted."""
    code = f"import time; start = time.perf_counter()\n{statement}\nprint(time.perf_counter() - start)"
    # compiled files are written and used, as they are wherever a package is installed
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    here = Path(__file__).parent

    def sample() -> float:
        run = subprocess.run(
            [sys.executable, "-c", code], cwd=here, env=env, capture_output=True, text=True, check=True
        )
        return float(run.stdout)

    return sample


def imported(statement: str) -> Callable[[Setting], Found]:
    """What measures an import beside what it cannot do without."""

    def found(setting: Setting) -> Found:
        ours, floor = measure(_import_sample(statement), _import_sample(NEEDED), rounds=setting.rounds)
        return Found(ours=ours, floor=floor, floor_name=f"`{NEEDED}`")

    return found
