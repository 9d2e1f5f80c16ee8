"""How fast reportflow is here, each thing beside its floor: ``make bench``. Writes RESULTS.md beside this file.

The floor of an act on an SQLite file is sqlite3 by hand that stores the very same rows, nothing checked and nothing
judged. That they are the same is compared at the end, row for row.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportflow import Actor, Adoption, Author, Report, ReportFlow, Revision, open_flow

if TYPE_CHECKING:
    from benchmarks import measure
else:
    import measure  # run as a script, the folder of the script is where modules are looked for

RESULTS = Path(__file__).with_name("RESULTS.md")
RECORDS = 100  # each sample does its work on all of them
PACKAGES = ("reportflow", "transitions", "attrs", "cattrs", "sqlalchemy")

EDITOR = Actor(id="li", name="Li", roles={"editor"}, unit="office")
REVIEWER = Actor(id="wang", name="Wang", roles={"reviewer"}, unit="office")
REGISTRAR = Actor(id="chen", name="Chen", roles={"registrar"}, unit="office")

TEXT = "The pavement in front of the school has been broken since spring. " * 15


class Ticks:
    """A clock that gives the same times in each run, so that two stores can hold the same rows."""

    def __init__(self) -> None:
        self._time = datetime(2022, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """A millisecond later than the time before."""
        self._time += timedelta(milliseconds=1)
        return self._time


# ---------------------------------------------------------------------------------------------------------------
# The work, by reportflow


def draft(id: str) -> Report:
    """A report of one page."""
    return Report.draft(
        id=id, title="Mend the pavement", text=TEXT, authors=[Author(name="Zhang", id="zhang")], topics=["transport"]
    )


def adoption() -> Adoption:
    """What an adoption is told."""
    return Adoption(body="City Committee", level="city", carrier="The Gazette")


def adopted(flow: ReportFlow) -> list[Report]:
    """Reports that can be adopted again and again."""
    found: list[Report] = []
    for number in range(RECORDS):
        report = flow.create(draft(f"report-{number}"), by=EDITOR)
        report = flow.fire(report, "edit", Revision(text=TEXT), by=EDITOR)
        report = flow.fire(report, "review", by=REVIEWER)
        found.append(flow.fire(report, "adopt", adoption(), by=REGISTRAR))
    return found


class Ours:
    """Acts by the public calls of a flow."""

    def __init__(self, flow: ReportFlow, records: Sequence[Report]) -> None:
        self._flow = flow
        self._records = list(records)
        self._made = 0

    def fire_in_hand(self, number: int) -> None:
        """Adopt the record in hand."""
        self._records[number] = self._flow.fire(self._records[number], "adopt", adoption(), by=REGISTRAR)

    def fire_by_id(self, number: int) -> None:
        """Adopt the record of an id."""
        self._records[number] = self._flow.fire(self._records[number].id, "adopt", adoption(), by=REGISTRAR)

    def create(self, _: int) -> None:
        """Create a report."""
        self._made += 1
        self._flow.create(draft(f"new-{self._made}"), by=EDITOR)


# ---------------------------------------------------------------------------------------------------------------
# The same rows, by hand


def text_of(plain: object) -> str:
    """JSON, as it is stored."""
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def actor_of(actor: Actor) -> str:
    """An actor, as it is stored."""
    return text_of(
        {
            "id": actor.id, "name": actor.name, "roles": sorted(actor.roles), "unit": actor.unit,
            "clearance": "internal", "kind": "person", "on_behalf_of": None,
        }
    )  # fmt: skip


ENTRY = (
    "record_id", "sequence", "trigger", "source", "dest", "actor_id", "actor", "at", "recorded_at", "reason",
    "details", "key", "cause", "party", "level", "code",
)  # fmt: skip
RECORD = (
    "id", "kind", "state", "version", "lifecycle_version", "unit", "parent", "title", "category", "assignee",
    "due_at", "secrecy", "created_by", "created_at", "updated_at", "text", "data",
)  # fmt: skip
CHANGED = ("version", "updated_at")  # an adoption of what is adopted leaves all else alone


def insert(table: str, columns: Sequence[str]) -> str:
    """An INSERT of one row."""
    names, marks = ", ".join(f'"{one}"' for one in columns), ", ".join(f":{one}" for one in columns)
    return f"INSERT INTO reportflow_{table} ({names}) VALUES ({marks})"


INSERT_ENTRY = (
    insert("entry", ENTRY).replace(") VALUES (", ", position) VALUES (")[:-1]
    + ", (SELECT coalesce(max(position), 0) + 1 FROM reportflow_entry))"
)
INSERT_RECORD = insert("record", RECORD)
INSERT_LABEL = insert("label", ("record_id", "name", "value"))
UPDATE_RECORD = (
    f"UPDATE reportflow_record SET {', '.join(f'{name} = :{name}' for name in CHANGED)} "
    "WHERE id = :id AND version = :expected AND state = :source"
)


class ByHand:
    """The same acts, as little as can be: sqlite3 on one connection that is held open."""

    def __init__(self, path: Path, clock: Ticks) -> None:
        self._clock = clock
        self._made = 0
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._records = [self._row(f"report-{number}") for number in range(RECORDS)]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def fire_in_hand(self, number: int) -> None:
        """Adopt the record in hand."""
        self._records[number] = self._adopt(self._records[number])

    def fire_by_id(self, number: int) -> None:
        """Adopt the record of an id: read it, then as above."""
        self._records[number] = self._adopt(self._row(f"report-{number}"))

    def _row(self, id: str) -> dict[str, Any]:
        row = dict(self._connection.execute("SELECT * FROM reportflow_record WHERE id = ?", (id,)).fetchone())
        json.loads(row["data"])
        return row

    def _adopt(self, row: Mapping[str, Any]) -> dict[str, Any]:
        now = self._clock().isoformat(timespec="microseconds")
        told = {
            "$type": "reportflow.Adoption", "body": "City Committee", "level": "city", "carrier": "The Gazette",
            "issue": "", "usage": "single",
        }  # fmt: skip
        after = {**row, "version": row["version"] + 1, "updated_at": now}
        entry = {
            "record_id": row["id"], "sequence": after["version"], "trigger": "adopt", "source": row["state"],
            "dest": row["state"], "actor_id": REGISTRAR.id, "actor": actor_of(REGISTRAR), "at": now, "recorded_at": now,
            "reason": "", "details": text_of(told), "key": None, "cause": None,
            "party": told["body"], "level": told["level"], "code": told["usage"],
        }  # fmt: skip
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        moved = execute(UPDATE_RECORD, {**after, "expected": row["version"], "source": row["state"]})
        if moved.rowcount != 1:
            raise RuntimeError("somebody else wrote to the benchmark's file")
        execute(INSERT_ENTRY, entry)
        execute("COMMIT")
        return after

    def create(self, _: int) -> None:
        """Create a report."""
        self._made += 1
        id, now = f"new-{self._made}", self._clock().isoformat(timespec="microseconds")
        base = {
            "id": id, "kind": "report", "state": "", "version": 0, "lifecycle_version": 1, "unit": "office",
            "parent": None, "category": "", "assignee": None, "due_at": None, "secrecy": "internal",
            "created_by": EDITOR.id, "created_at": now, "updated_at": None,
        }  # fmt: skip
        own = {
            "authors": [{"name": "Zhang", "id": "zhang", "unit": "", "level": None}], "number": "", "source": "member",
            "topics": ["transport"], "attachments": [], "commission": None, "origin": "", "merged_into": None,
            "credits": [], "revision": 0, "edited_by": None,
        }  # fmt: skip
        title = "Mend the pavement"
        record = {
            **base, "state": "draft", "version": 1, "due_at": "never", "updated_at": now, "title": title, "text": TEXT,
            "data": text_of({"$type": "reportflow.Report", **own}),
        }  # fmt: skip
        entry = {
            "record_id": id, "sequence": 1, "trigger": "create", "source": None, "dest": "draft",
            "actor_id": EDITOR.id, "actor": actor_of(EDITOR), "at": now, "recorded_at": now, "reason": "",
            "details": text_of({"$type": "reportflow.Report", **base, "title": title, "text": TEXT, **own}),
            "key": None, "cause": None, "party": None, "level": None, "code": own["source"],
        }  # fmt: skip
        labels = [
            {"record_id": id, "name": "author", "value": "zhang"},
            {"record_id": id, "name": "topic", "value": "transport"},
        ]
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        execute(INSERT_RECORD, record)
        execute(INSERT_ENTRY, entry)
        self._connection.executemany(INSERT_LABEL, labels)
        execute("COMMIT")


def rows_of(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a file."""
    connection = sqlite3.connect(path)
    try:
        return {
            name: connection.execute(f"SELECT * FROM reportflow_{name} ORDER BY 1, 2, 3").fetchall()
            for name in ("record", "entry", "label")
        }
    finally:
        connection.close()


# ---------------------------------------------------------------------------------------------------------------
# The rows of the table


def import_sample(statement: str) -> measure.Sample:
    """How long an import takes in a fresh process, the start of Python not counted."""
    code = f"import time; start = time.perf_counter()\n{statement}\nprint(time.perf_counter() - start)"
    # compiled files are written and used, as they are wherever a package is installed
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def sample() -> float:
        run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        return float(run.stdout)

    return sample


def measure_imports(rounds: int) -> list[measure.Row]:
    """Importing, beside what it cannot do without."""
    needed = "import transitions, attrs, cattrs"
    statements = ("import reportflow", "from reportflow import REPORT, open_flow", f"{needed}, reportflow")
    *ours, floor = measure.measure(*map(import_sample, (*statements, needed)), rounds=rounds)
    names = (f"`{needed}`", "the same", "the same")
    bounds = (1.3, None, None)
    return [
        measure.Row(name=f"`{statement}`", seconds=seconds, floor_name=name, floor=floor, bound=bound)
        for statement, seconds, name, bound in zip(statements, ours, names, bounds, strict=True)
    ]


def measure_sqlite(folder: Path, rounds: int) -> list[measure.Row]:
    """Acts on an SQLite file, beside the same rows by hand.

    Raises:
        RuntimeError: the rows were not the same, so the comparison would say nothing.
    """
    paths = [folder / "ours.db", folder / "by_hand.db"]
    clocks = [Ticks(), Ticks()]
    flows = [open_flow(f"sqlite:///{path}", clock=clock) for path, clock in zip(paths, clocks, strict=True)]
    records = [adopted(flow) for flow in flows]
    flows[1].close()
    ours, hand = Ours(flows[0], records[0]), ByHand(paths[1], clocks[1])
    found = []
    for name, mine, least in (
        ("`fire`, the record in hand", ours.fire_in_hand, hand.fire_in_hand),
        ("`fire`, by id", ours.fire_by_id, hand.fire_by_id),
        ("`create`", ours.create, hand.create),
    ):
        samples = (measure.timed(mine, RECORDS), measure.timed(least, RECORDS))
        seconds, floor = measure.measure(*samples, rounds=rounds)
        found.append(measure.Row(name=f"SQLite: {name}", seconds=seconds, floor_name="by hand", floor=floor))
    flows[0].close()
    hand.close()
    if rows_of(paths[0]) != rows_of(paths[1]):
        raise RuntimeError("the rows by hand are not those that reportflow stores: bring ByHand up to date")
    return found


def measure_memory(rounds: int) -> list[measure.Row]:
    """Acts in memory; there is no floor but a dict."""
    with open_flow("memory:") as flow:
        ours = Ours(flow, adopted(flow))
        works = (("`fire`, the record in hand", ours.fire_in_hand), ("`create`", ours.create))
        samples = [measure.timed(work, RECORDS) for _, work in works]
        return [
            measure.Row(name=f"memory: {name}", seconds=seconds)
            for (name, _), seconds in zip(works, measure.measure(*samples, rounds=rounds), strict=True)
        ]


def versions() -> str:
    """What was measured, with what."""
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # on the path, but not installed
            found.append(name)
    return ", ".join(found)


def main() -> int:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description="How fast reportflow is here, each thing beside its floor.")
    parser.add_argument("--rounds", type=int, default=25, help="how often each is measured (25)")
    rounds: int = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        rows = [*measure_imports(2 * rounds), *measure_sqlite(Path(folder), rounds), *measure_memory(rounds)]
    shown = measure.table(rows)
    RESULTS.write_text(
        f"""# How fast it is

Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}; do not edit. {rounds} rounds \
(imports, which scatter most: {2 * rounds}) \
on {os.cpu_count()} cores, \
{platform.system()} {platform.machine()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, \
{versions()}.

{shown}

The times are medians for one time of each. The ratio says how many times its floor a thing takes: both are measured \
in turns in the same run, a ratio for each round, and the least, the greatest and the median of these are shown.

By hand means sqlite3 on a connection held open, in the same WAL file with `synchronous=NORMAL`, one `BEGIN IMMEDIATE` \
an act, `UPDATE … WHERE id, version, state` and `INSERT`, with a `SELECT` before them where only the id is named, and \
nothing checked or judged. Both files hold the same rows in the end; the benchmark compares them. Imports are measured \
inside fresh processes, the start of Python not counted. `import reportflow` leaves for later what not every program \
needs: the office with `REPORT`, `open_flow`, and cattrs, which comes with the SQL store. So its floor holds cattrs \
and it does not; the third row has them both.
""",
        encoding="utf-8",
    )
    print(shown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
