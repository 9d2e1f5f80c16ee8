"""What `restore` runs, inside a transaction.

While more is to come, a row ``restoring`` in the table ``meta`` says so: a store does not open until it is gone. Two
that begin at the same moment both write that row, so one of them fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from reportflow.errors import InvalidValue
from reportflow.model.record import Record
from reportflow.serialization.digest import Sealed
from reportflow.storage.restoring import check_restored
from reportflow.storage.sql.codec import entry_row, label_rows, record_row
from reportflow.storage.sql.executor import Executor
from reportflow.storage.sql.positions import POSITIONS
from reportflow.storage.sql.schema import RESTORING, SEALED_COLUMNS
from reportflow.storage.sql.statements import StatementCache, bound


def check(executor: Executor, statements: StatementCache, sealed: Sequence[Sealed], records: Sequence[Record]) -> bool:
    """See that it can be restored here, and whether other parts were before; keys are looked up by the caller.

    Raises:
        InvalidValue: see `Store.restore`.
    """
    record, meta = statements.tables.record, statements.tables.meta
    [[last]] = executor.read(statements.prepare(sa.select(sa.func.max(record.c.id))), {})
    mark = statements.prepare(sa.select(meta.c.name).where(meta.c.name == RESTORING))
    under_way = bool(executor.read(mark, {}))
    if last is not None and not under_way:
        raise InvalidValue("store", "not_empty")
    check_restored(sealed, records, last)
    return under_way


def write(
    executor: Executor,
    statements: StatementCache,
    sealed: Sequence[Sealed],
    records: Sequence[Record],
    *,
    under_way: bool,
    more: bool,
) -> None:
    """Write the rows; see `Store.restore`.

    Raises:
        IntegrityError: another one restores into it at the same moment.
    """
    entry, meta, prepare = statements.tables.entry, statements.tables.meta, statements.prepare
    if more and not under_way:
        executor.write(prepare(sa.insert(meta).values(name=RESTORING, value="")), {})
    rows: tuple[tuple[Any, list[dict[str, Any]]], ...] = (
        (statements.insert_record, [record_row(one) for one in records]),
        (statements.streamed(entry, bound(*SEALED_COLUMNS)), [entry_row(one) for one in sealed]),
        (statements.insert_label, [row for one in records for row in label_rows(one)]),
    )
    for statement, some in rows:
        if some:
            executor.write_all(statement, some)
    if not more:
        executor.write(prepare(sa.delete(meta).where(meta.c.name == RESTORING)), {})
        _end(executor, statements)


def _end(executor: Executor, statements: StatementCache) -> None:
    """Count on from the last position; where entries get theirs as they are written, those without one get it now."""
    entry = statements.tables.entry
    [[before]] = executor.read(statements.last_position, {})
    greatest = sa.select(sa.func.coalesce(sa.func.max(entry.c.position), sa.literal_column("0")))
    [[last]] = executor.read(statements.prepare(greatest), {})
    while statements.backend.positions_on_insert:
        some = executor.read(statements.without_position, {"most": POSITIONS})
        if not some:
            break
        places = [{"its_id": id, "its_position": position} for position, (id, _) in enumerate(some, last + 1)]
        executor.write_each(statements.assign_position, places)
        last += len(some)
    if str(last) != before:
        executor.write(statements.move_last_position, {"seen": before, "reached": str(last)})
