"""A database behind the back of its store: rows changed bit by bit, copied, removed and exchanged by plain SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from reportflow import Actor, MemoryStore, ReportFlow, Secrecy, SqlStore, Store
from reportflow.flow.verification import Verification
from reportflow.office import (
    REPORT,
    Adoption,
    Author,
    Classification,
    Comment,
    Instruction,
    Level,
    Merge,
    Rejection,
    Report,
    Revision,
    Usage,
)
from reportflow.serialization.digest import Sealed, commitment_of, digest_of
from reportflow.storage.sql.schema import BASE, SEALED_COLUMNS, make_tables

LI: Final = Actor(id="li", name="李", roles=set(REPORT.roles), unit="yulin", clearance=Secrecy.TOP_SECRET)
WU: Final = Actor(id="wu", roles=set(REPORT.roles), unit="yulin", clearance=Secrecy.TOP_SECRET)
STRANGER: Final = Actor(id="ma", roles={"editor"}, unit="elsewhere")

TABLES: Final = make_tables(None)
#: The columns of an entry that the chain covers, and those of a record.
COVERED: Final = tuple(name for name in SEALED_COLUMNS if name != "position")
FIELDS: Final = (*BASE, "text", "data")


def clock() -> Callable[[], datetime]:
    """A clock that moves on by a minute at each call."""
    return (datetime(2026, 3, 1, 8, tzinfo=UTC) + timedelta(minutes=one) for one in range(100_000)).__next__


def office(store: Store) -> ReportFlow:
    """A flow whose clock and ids are the same each time: r1, r2 and so on."""
    return ReportFlow(store, REPORT, clock=clock(), new_id=(f"r{number}" for number in count(1)).__next__)


def play(flow: ReportFlow) -> None:
    """Four reports, r1 to r4, with all that an entry can have: steps, levels, codes, keys, reasons, secrecy."""
    qian = Author(name="钱", id="qian")
    draft = Report.draft(title="路灯不亮", text="东门外八盏。\n\u2028\x01", authors=[qian])
    one = flow.create(draft, by=LI, key="k1")
    one = flow.fire(one, "edit", Revision(text="东门外路灯八盏不亮。" * 20), by=LI, reason="更短")
    one = flow.fire(one, "review", by=WU)
    adoption = Adoption(body="省政协", level=Level.PROVINCE, carrier="专报", usage=Usage.SINGLE)
    one = flow.fire(one, "adopt", adoption, by=LI, key="k2")
    flow.fire(one, "instruct", Instruction(leader="马", post="省长", level=Level.PROVINCE, text="阅。"), by=LI)
    two = flow.create(Report.draft(title="Dark lamps", text="Eight.", authors=[qian]), by=LI)
    two = flow.fire(two, "classify", Classification(secrecy=Secrecy.SECRET, topics=("street",)), by=LI)
    flow.fire(two, "merge", Merge(target="r1"), by=LI, reason="the same lamps")
    three = flow.create(Report.draft(title="Bins", text="Full.", authors=[Author(name="Sun")]), by=WU)
    flow.fire(flow.fire(three, "comment", Comment(text="ask them"), by=LI), "keep", by=LI, reason="for later")
    four = flow.create(Report.draft(title="Noise", text="At night.", authors=[qian]), by=WU)
    flow.fire(four, "reject", Rejection(code="duplicate"), by=LI, reason="as r3")


def played(url: str) -> ReportFlow:
    """A flow on a database with these reports."""
    flow = office(SqlStore(url))
    play(flow)
    return flow


#: How the foreign keys of a connection are turned off, and on again.
_UNBOUND: Final = {
    "sqlite": ("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = OFF"),
    "postgresql": ("SET session_replication_role = replica", "SET session_replication_role = origin"),
    "mysql": ("SET foreign_key_checks = 0", "SET foreign_key_checks = 1"),
}


@contextmanager
def sql(flow: ReportFlow) -> Iterator[sa.Connection]:
    """A connection of its own to the database of a flow, without its foreign keys."""
    assert isinstance(flow.store, SqlStore)
    with flow.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        off, on = _UNBOUND[connection.dialect.name]
        connection.exec_driver_sql(off)
        yield connection
        connection.exec_driver_sql(on)


class Rows:
    """All rows of a database as they are now, to be put back."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        tables = (TABLES.record, TABLES.label, TABLES.entry)
        self._kept = [(table, connection.execute(sa.select(table)).mappings().all()) for table in tables]

    def put_back(self) -> None:
        """As they were."""
        for table, rows in self._kept:
            self._connection.execute(sa.delete(table))
            self._connection.execute(sa.insert(table), [dict(row) for row in rows])


class Cell:
    """One column of one row, whatever stands in it.

    Args:
        connection: Where it is.
        table: The table: "record" or "entry".
        number: The number of the row, in the order of the ids and sequences.
        column: The column.
    """

    def __init__(self, connection: sa.Connection, table: str, number: int, column: str) -> None:
        self._connection = connection
        self._table: sa.Table = getattr(TABLES, table)
        self._column = self._table.c[column]
        self._on_sqlite = connection.dialect.name == "sqlite"
        names = ["record_id", "sequence", "id"] if table == "entry" else ["id"]
        rows = connection.execute(sa.select(*(self._table.c[one] for one in names)).order_by(*names[:2])).all()
        row = rows[number % len(rows)]
        self.record_id: str = row[0]
        self._key: Any = row[-1]

    @property
    def _its_row(self) -> Any:
        key = self._key if not isinstance(self._key, bytes) else self._text(self._key)
        return self._table.c.id == key

    def _text(self, value: bytes) -> Any:
        """A text of these bytes, which on SQLite need not be UTF-8."""
        return sa.cast(sa.literal(value, sa.LargeBinary), sa.Text) if self._on_sqlite else value.decode()

    @property
    def _is_text(self) -> bool:
        return isinstance(self._column.type, sa.String)

    @property
    def value(self) -> Any:
        """What stands in it; a text as its bytes."""
        as_bytes = sa.cast(self._column, sa.LargeBinary) if self._is_text and self._on_sqlite else self._column
        found = self._connection.execute(sa.select(as_bytes).where(self._its_row)).scalar_one()
        return found.encode() if isinstance(found, str) else found

    def put(self, value: Any) -> None:
        """Put a value into it, a text by its bytes.

        Raises:
            SQLAlchemyError: the engine refuses it.
            UnicodeDecodeError: bytes that its driver cannot even send.
        """
        new = self._text(value) if isinstance(value, bytes) else value
        self._connection.execute(sa.update(self._table).where(self._its_row).values({self._column: new}))
        if self._column.name == "id":
            self._key = value

    def flip(self, bit: int) -> bool:
        """Change one bit; whether the engine let it be changed."""
        before = self.value
        if before is None or before == b"":
            return False
        if isinstance(before, bytes):
            place, mask = divmod(bit % (8 * len(before)), 8)
            after: Any = before[:place] + bytes([before[place] ^ (1 << mask)]) + before[place + 1 :]
        else:
            after = before ^ (1 << bit % 31)
        try:
            self.put(after)
        except (SQLAlchemyError, UnicodeDecodeError):
            return False
        return bool(self.value != before)


class Stored:
    """The sealed entries of a record in memory, to be changed behind the back of their store."""

    def __init__(self, flow: ReportFlow, id: str) -> None:
        assert isinstance(flow.store, MemoryStore)
        self.store = flow.store
        self.rows = flow.store._sealed[id]
        self.id = id

    def __getitem__(self, sequence: int) -> Sealed:
        return Sealed(*self.rows[sequence - 1][1])

    def change(self, place: int, **columns: Any) -> None:
        """Change some columns of an entry."""
        position, sealed = self.rows[place - 1]
        self.rows[place - 1] = position, Sealed(*sealed)._replace(**columns)

    def chain(self, *kept: int) -> None:
        """Compute all digests anew, as a person could, and the head of the record; `kept` keep their commitments."""
        previous = ""
        for sequence in range(1, len(self.rows) + 1):
            if sequence not in kept:
                contents = self[sequence].actor, self[sequence].reason, self[sequence].details, self[sequence].party
                self.change(sequence, commitment=commitment_of(self[sequence].salt, *contents))
            previous = digest_of(previous, self[sequence])
            self.change(sequence, digest=previous)
        record = self.store._records[self.id]
        object.__setattr__(record, "head", previous)


def codes(verification: Verification) -> list[tuple[str, str, int | None]]:
    """What was found."""
    return [(one.code, one.record_id, one.sequence) for one in verification.flaws]
