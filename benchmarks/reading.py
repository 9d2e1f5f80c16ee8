"""Reading a large store: pages, an inbox, counts. Reportflow and the SQL by hand read one and the same SQLite file.

The rows are put there by hand, in the form in which the store puts them: reports of two units, in several states, each
with the entries that led there. That both give the same is compared before they are measured.
"""

from __future__ import annotations

import itertools
import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
from benchmarks.by_hand import ENTRY, INSERT_LABEL, INSERT_RECORD, Values, adopting, created, insert, opened, time_of
from benchmarks.measure import Found, Sample, measure, quantile, timed
from benchmarks.setting import Setting
from benchmarks.work import REGISTRAR

from reportflow import Page, Query, Record, ReportFlow, open_flow

#: How many records a page has.
PAGE = 40
#: How many calls a round has; p99 is taken of these.
CALLS = 100
UNITS = (*["office"] * 9, "branch")
CATEGORIES = ("transport", "schools", "housing", "water")
STATES = ("draft", "edited", "reviewed", "adopted", "kept")
#: How many of a hundred records are in each of these states: four entries each, on the average.
REACHED = (5, 5, 15, 35, 40)
INSERT_ENTRY = insert("entry", (*ENTRY, "position"))


def _grown(number: int) -> Iterator[tuple[Values, list[Values], list[Values]]]:
    """Records with one to five entries each, four on the average, and labels: as the store keeps them."""
    chance = random.Random(7)
    start = datetime(2022, 1, 1, tzinfo=UTC)
    positions = itertools.count(1)
    for one in range(number):
        now = time_of(start + timedelta(minutes=one))
        record, first, labels = created(f"report-{one:08}", now)
        [reached] = chance.choices(range(len(STATES)), REACHED)
        entries = [first]
        for _ in range(reached):
            record, entry = adopting(record, now)
            entries.append(entry)
        record.update(unit=chance.choice(UNITS), category=chance.choice(CATEGORIES), state=STATES[reached])
        if chance.random() < 0.5:
            record["due_at"] = time_of(start + timedelta(days=chance.randrange(1000)))
        for entry in entries:
            entry["position"] = next(positions)
        yield record, entries, labels


def fill(path: Path, number: int) -> None:
    """Make the file."""
    open_flow(f"sqlite:///{path}").close()
    with closing(opened(path)) as connection:
        grown = _grown(number)
        while some := list(itertools.islice(grown, 5_000)):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(INSERT_RECORD, [record for record, _, _ in some])
            connection.executemany(INSERT_ENTRY, [entry for _, entries, _ in some for entry in entries])
            connection.executemany(INSERT_LABEL, [label for _, _, labels in some for label in labels])
            connection.execute("COMMIT")


# ---------------------------------------------------------------------------------------------------------------

# an entry has a kind and a secrecy too
_VISIBLE = "reportflow_record.secrecy IN ('internal') AND reportflow_record.kind = 'report' AND unit = 'office'"
_PAGE = f"SELECT * FROM reportflow_record WHERE {_VISIBLE}"
SQL_FIRST = f"{_PAGE} ORDER BY created_at, id LIMIT {PAGE + 1}"
SQL_LATER = f"{_PAGE} AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT {PAGE + 1}"
SQL_INBOX = (
    f"{_PAGE} AND state = 'reviewed' AND (assignee IS NULL OR assignee = ?) "
    f"ORDER BY due_at, created_at, id LIMIT {PAGE + 1}"
)
SQL_RECORDS = f"SELECT state, category, count(*) FROM reportflow_record WHERE {_VISIBLE} GROUP BY state, category"
SQL_ENTRIES = (
    "SELECT trigger, level, count(*) FROM reportflow_record JOIN reportflow_entry ON record_id = reportflow_record.id "
    f"WHERE {_VISIBLE} GROUP BY trigger, level"
)


@attrs.frozen
class Library:
    """A large file, opened both ways."""

    flow: ReportFlow
    connection: sqlite3.Connection

    def rows(self, sql: str, *values: object) -> list[Values]:
        """A page by hand: rows as dicts, their JSON read; the row that shows that more follows is left out."""
        found = [dict(row) for row in self.connection.execute(sql, values).fetchall()][:PAGE]
        for row in found:
            row["data"] = json.loads(row["data"])
        return found

    def counted(self, sql: str) -> dict[tuple[Any, ...], int]:
        """A count by hand."""
        return {tuple(row)[:-1]: row[-1] for row in self.connection.execute(sql)}


@contextmanager
def _library(setting: Setting) -> Iterator[Library]:
    path = setting.folder / f"grown-{setting.read}.db"
    if not path.exists():
        fill(path, setting.read)
    with open_flow(f"sqlite:///{path}") as flow, closing(opened(path)) as connection:
        yield Library(flow, connection)


#: Both ways to do one thing, and what of ours is to be the same as theirs.
Ways = tuple[Callable[[], Any], Callable[[], Any], Callable[[Any], Any]]


def _pages(by_flow: Callable[[], Page], by_hand: Callable[[], list[Values]]) -> Ways:
    return by_flow, by_hand, lambda found: [one.id if isinstance(one, Record) else one["id"] for one in found]


def first_page(library: Library) -> Ways:
    """The first page of what an actor may see."""
    query = Query(limit=PAGE)
    return _pages(lambda: library.flow.find(query, by=REGISTRAR), lambda: library.rows(SQL_FIRST))


def later_page(library: Library) -> Ways:
    """A page far behind, reached from page to page beforehand: the 10,000th, or the last full one before."""
    query = Query(limit=PAGE)
    page = before = library.flow.find(query, by=REGISTRAR)
    for _ in range(9_998):
        if page.next is None:
            break
        before = page
        query = attrs.evolve(query, cursor=page.next)
        page = library.flow.find(query, by=REGISTRAR)
    last = before.records[-1]
    assert last.created_at is not None
    place = time_of(last.created_at), last.id
    return _pages(
        lambda: library.flow.find(query, by=REGISTRAR),
        lambda: library.rows(SQL_LATER, *place),
    )


def inbox(library: Library) -> Ways:
    """The first page of an actor's inbox."""
    return _pages(
        lambda: library.flow.inbox(by=REGISTRAR, limit=PAGE), lambda: library.rows(SQL_INBOX, REGISTRAR.id)
    )  # fmt: skip


def count_records(library: Library) -> Ways:
    """Records by state and category."""
    group = ("state", "category")
    return (
        lambda: library.flow.count(Query(), by=REGISTRAR, group=group),
        lambda: library.counted(SQL_RECORDS),
        dict,
    )


def count_entries(library: Library) -> Ways:
    """Entries by trigger and level."""
    group = ("trigger", "level")
    return (
        lambda: library.flow.count(Query(), by=REGISTRAR, of="entries", group=group),
        lambda: library.counted(SQL_ENTRIES),
        dict,
    )


def paged(ways: Callable[[Library], Ways], per_cent: int) -> Callable[[Setting], Found]:
    """What measures the time that so many per cent of the calls keep to."""
    return _measuring(ways, lambda way: quantile(lambda _: way(), CALLS, per_cent))


def counted(ways: Callable[[Library], Ways]) -> Callable[[Setting], Found]:
    """What measures a count, which takes long."""
    return _measuring(ways, lambda way: timed(lambda _: way(), 1))


def _measuring(
    ways: Callable[[Library], Ways], sampled: Callable[[Callable[[], Any]], Sample]
) -> Callable[[Setting], Found]:
    def found(setting: Setting) -> Found:
        with _library(setting) as library:
            by_flow, by_hand, compared = ways(library)
            if compared(by_flow()) != compared(by_hand()):
                raise RuntimeError("by hand something else is found than reportflow finds")
            ours, floor = measure(sampled(by_flow), sampled(by_hand), rounds=setting.rounds)
        return Found(ours=ours, floor=floor)

    return found
