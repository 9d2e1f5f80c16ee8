"""Verifying databases that were changed behind the back of their store, on each engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reportflow import UNIT, Lifecycle, Record, ReportFlow, SqlStore, State, Transition
from reportflow.errors import ReportflowError
from reportflow.flow.verification import Verification
from reportflow.office import REPORT
from tests.servers import SERVERS, database
from tests.tampering import COVERED, FIELDS, LI, TABLES, Cell, Rows, played, sql

ENGINES = ["sqlite", *(pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in SERVERS)]
#: A database is made once; each example leaves it as it was.
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(scope="module", params=ENGINES)
def flow(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReportFlow]:
    """Four reports on each engine."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('verified')}/office.db"
        else:
            url = stack.enter_context(database(request.param))
        made = stack.enter_context(played(url))
        verified = made.verify()
        assert verified.ok
        assert verified.finished
        assert (verified.records, verified.entries) == (4, 14)
        yield made
        assert made.verify().ok, "each test leaves the rows as they were"


def _is_utf8(value: object) -> bool:
    try:
        return not isinstance(value, bytes) or bool(value.decode())
    except UnicodeDecodeError:
        return False


def read(flow: ReportFlow, id: str) -> Record | None:
    """A record as it is read; None where it is not there or cannot be read."""
    try:
        return flow.store.get([id])[0]
    except ReportflowError:
        return None


@SHARED
@given(row=st.integers(0, 13), column=st.sampled_from(COVERED), bit=st.integers(0, 10_000))
@example(row=0, column="salt", bit=5)
@example(row=3, column="record_id", bit=8)
@example(row=3, column="record_id", bit=7)
@example(row=13, column="sequence", bit=30)
def test_any_bit_of_an_entry(flow: ReportFlow, row: int, column: str, bit: int) -> None:
    """One bit changed in any stored column that the chain covers is found, and the record is named."""
    with sql(flow) as connection:
        cell = Cell(connection, "entry", row, column)
        before = cell.value
        if not cell.flip(bit):
            return
        try:
            found = flow.verify()
        finally:
            cell.put(before)
    assert not found.ok
    assert found.finished
    assert cell.record_id in {flaw.record_id for flaw in found.flaws}


@SHARED
@given(row=st.integers(0, 3), column=st.sampled_from(FIELDS), bit=st.integers(0, 10_000))
def test_any_bit_of_a_record(flow: ReportFlow, row: int, column: str, bit: int) -> None:
    """One bit changed in any field of a record is found, and the record is named."""
    with sql(flow) as connection:
        cell = Cell(connection, "record", row, column)
        before, id = cell.value, cell.record_id
        was = read(flow, id)
        assert was is not None
        if not cell.flip(bit):
            return
        try:
            if not _is_utf8(cell.value):
                return
            now, found = read(flow, id), flow.verify()
        finally:
            cell.put(before)
    assert now == was or id in {flaw.record_id for flaw in found.flaws}


# -- whole rows ---------------------------------------------------------------------------------------------------

ENTRY, RECORD = TABLES.entry, TABLES.record


def of(id: str, *sequences: int) -> Any:
    """The condition for entries of a record."""
    return sa.and_(ENTRY.c.record_id == id, ENTRY.c.sequence.in_(sequences))


def change(connection: sa.Connection, id: str, place: int, **values: Any) -> None:
    """Change columns of an entry."""
    connection.execute(sa.update(ENTRY).where(of(id, place)).values(values))


def move(connection: sa.Connection, *moves: tuple[int, int]) -> None:
    """Give entries of r1 other sequences."""
    for old, _ in moves:
        change(connection, "r1", old, sequence=-100 - old)
    for old, new in moves:
        change(connection, "r1", -100 - old, sequence=new)


def row_of(connection: sa.Connection, id: str, sequence: int) -> dict[str, Any]:
    """An entry, without what is unique of it."""
    (row,) = connection.execute(sa.select(ENTRY).where(of(id, sequence))).mappings()
    return {**row, "id": 1000 + sequence, "position": None, "key": None}


def _changed_text(connection: sa.Connection) -> None:
    change(connection, "r1", 2, reason="because")


def _changed_time(connection: sa.Connection) -> None:
    change(connection, "r1", 3, at="2026-03-02T08:00:00.000000+00:00")


def _blank_instead_of_null(connection: sa.Connection) -> None:
    change(connection, "r1", 3, party="")


def _null_instead_of_key(connection: sa.Connection) -> None:
    change(connection, "r1", 4, key=None)


def _no_salt(connection: sa.Connection) -> None:
    change(connection, "r1", 2, salt="", reason="", details=None)


def _swapped(connection: sa.Connection) -> None:
    move(connection, (2, 4), (4, 2))


def _swapped_neighbours(connection: sa.Connection) -> None:
    move(connection, (2, 3), (3, 2))


def _turned(connection: sa.Connection) -> None:
    move(connection, (2, 3), (3, 4), (4, 2))


def _removed(connection: sa.Connection) -> None:
    connection.execute(sa.delete(ENTRY).where(of("r1", 3)))


def _removed_and_closed(connection: sa.Connection) -> None:
    _removed(connection)
    move(connection, (4, 3), (5, 4), (6, 5))


def _without_the_first(connection: sa.Connection) -> None:
    connection.execute(sa.delete(ENTRY).where(of("r1", 1)))


def _cut(connection: sa.Connection) -> None:
    connection.execute(sa.delete(ENTRY).where(of("r1", 5, 6)))


def _appended(connection: sa.Connection) -> None:
    connection.execute(sa.insert(ENTRY).values({**row_of(connection, "r3", 2), "record_id": "r1", "sequence": 7}))


def _put_in(connection: sa.Connection) -> None:
    move(connection, (6, 7), (5, 6), (4, 5))
    connection.execute(sa.insert(ENTRY).values({**row_of(connection, "r3", 2), "record_id": "r1", "sequence": 4}))


def _put_in_twice(connection: sa.Connection) -> None:
    move(connection, (6, 7), (5, 6), (4, 5))
    connection.execute(sa.insert(ENTRY).values({**row_of(connection, "r1", 2), "sequence": 4}))


def _before_the_first(connection: sa.Connection) -> None:
    connection.execute(sa.insert(ENTRY).values({**row_of(connection, "r1", 2), "sequence": 0}))


def _overwritten(connection: sa.Connection) -> None:
    own = ("id", "position", "key", "record_id", "sequence")
    change(connection, "r1", 2, **{name: one for name, one in row_of(connection, "r3", 2).items() if name not in own})


def _old_record(connection: sa.Connection) -> None:
    row = row_of(connection, "r1", 4)
    values = {"version": 4, "head": row["digest"], "state": row["dest"], "updated_at": row["recorded_at"]}
    connection.execute(sa.update(RECORD).where(RECORD.c.id == "r1").values(values))


def _other_state(connection: sa.Connection) -> None:
    connection.execute(sa.update(RECORD).where(RECORD.c.id == "r1").values(state="kept", title="?"))


def _record_gone(connection: sa.Connection) -> None:
    connection.execute(sa.delete(RECORD).where(RECORD.c.id == "r3"))


def _entries_gone(connection: sa.Connection) -> None:
    connection.execute(sa.delete(ENTRY).where(ENTRY.c.record_id == "r3"))


def _other_cause(connection: sa.Connection) -> None:
    change(connection, "r2", 3, digest="0" * 64)


#: What is done to the rows -> the flaws that are found: code, record, place, fields. r1 has six entries, r3 three.
DEEDS: dict[Callable[[sa.Connection], None], list[tuple[str, str, int | None, tuple[str, ...]]]] = {
    _changed_text: [("content_altered", "r1", 2, ())],
    _changed_time: [("altered", "r1", 3, ())],
    _blank_instead_of_null: [("content_altered", "r1", 3, ())],
    _null_instead_of_key: [("altered", "r1", 4, ())],
    _no_salt: [("content_missing", "r1", 2, ())],
    _swapped: [("reordered", "r1", 2, ())],
    _swapped_neighbours: [("reordered", "r1", 2, ())],
    _turned: [("reordered", "r1", 2, ())],
    _removed: [("missing", "r1", 3, ())],
    _removed_and_closed: [("altered", "r1", 3, ())],
    _without_the_first: [("missing", "r1", 1, ())],
    _cut: [("missing", "r1", 5, ())],
    _appended: [("inserted", "r1", 7, ())],
    _put_in: [("inserted", "r1", 4, ())],
    _put_in_twice: [("inserted", "r1", 4, ())],
    _before_the_first: [("inserted", "r1", 0, ())],
    _overwritten: [("altered", "r1", 2, ()), ("record_differs", "r1", None, ("text", "revision", "edited_by"))],
    _old_record: [("record_differs", "r1", None, ("state", "version", "head", "updated_at"))],
    _other_state: [("record_differs", "r1", None, ("state", "title"))],
    _record_gone: [("no_record", "r3", 1, ())],
    _entries_gone: [("no_entries", "r3", None, ())],
    _other_cause: [
        ("cause", "r1", 6, ()),
        ("altered", "r2", 3, ()),
        ("record_differs", "r2", None, ("head",)),
    ],
}


@pytest.mark.parametrize("deed", DEEDS)
def test_what_was_done_to_rows(flow: ReportFlow, deed: Callable[[sa.Connection], None]) -> None:
    """Rows that were changed, exchanged, removed, copied or restored are found, with the first place of each record."""
    with sql(flow) as connection:
        rows = Rows(connection)
        try:
            deed(connection)
            found = flow.verify()
        finally:
            rows.put_back()
    assert [(one.code, one.record_id, one.sequence, one.fields) for one in found.flaws] == DEEDS[deed]


def test_a_kind_without_a_definition(tmp_path: Path) -> None:
    """Rows of a kind that the program lacks are listed apart; a row whose kind was changed is a finding."""
    parcel = Lifecycle(
        name="parcel", version=3, record=Record, roles={"editor": UNIT}, states=[State("sent", final=True)],
        transitions=[Transition("send", source=None, dest="sent", roles={"editor"}, accepts={"id"})],
    )  # fmt: skip
    url = f"sqlite:///{tmp_path}/office.db"
    played(url).close()
    with ReportFlow(SqlStore(url), [REPORT, parcel]) as both:
        both.create(Record.draft(kind="parcel", id="p1"), by=LI)
        both.create(Record.draft(kind="parcel", id="p2"), by=LI)
        assert both.verify() == Verification(records=6, entries=16, reached="r4", finished=True)
    with ReportFlow(SqlStore(url), REPORT) as flow, sql(flow) as connection:
        found = flow.verify()
        assert (found.ok, found.records, found.unknown) == (True, 6, {("parcel", 3): 2})
        for table, id, values in (
            (RECORD, "p1", {"kind": "box"}),
            (RECORD, "r3", {"kind": "parcel", "lifecycle_version": 3}),
            (ENTRY, "p2", {"dest": "lost"}),
        ):
            column = table.c.id if table is RECORD else table.c.record_id
            connection.execute(sa.update(table).where(column == id).values(values))
        found = flow.verify()
    flaws = [(one.code, one.record_id) for one in found.flaws]
    assert flaws == [("unreadable_record", "p1"), ("altered", "p2"), ("unreadable_record", "r3")]
