"""Which text is longer than its column: what an engine refuses without a name is refused by its field."""

from __future__ import annotations

from collections.abc import Sequence

from reportflow.errors import InvalidValue
from reportflow.model.record import Record
from reportflow.serialization.digest import Sealed
from reportflow.storage.base import Change
from reportflow.storage.sql.codec import entry_row, label_rows, record_row
from reportflow.storage.sql.statements import StatementCache


def refuse_long(statements: StatementCache, records: Sequence[Record], sealed: Sequence[Sealed]) -> None:
    """Say which text of some records and entries is longer than its column, where the engine limits lengths.

    Raises:
        InvalidValue: there is such a text; names its field.
    """
    if not statements.backend.limits_lengths:
        return
    tables = statements.tables
    written = (
        (tables.record, [record_row(record) for record in records]),
        (tables.entry, [entry_row(one) for one in sealed]),
        (tables.label, [row for record in records for row in label_rows(record)]),
    )
    for table, rows in written:
        limits = {column.name: length for column in table.c if (length := getattr(column.type, "length", None))}
        for row in rows:
            for name, limit in limits.items():
                if isinstance(row.get(name), str) and len(row[name]) > limit:
                    field = row["name"] if table is tables.label else name
                    raise InvalidValue(field, "too_many", {"characters": len(row[name]), "limit": limit})


def written(changes: Sequence[Change]) -> tuple[list[Record], list[Sealed]]:
    """The records and entries of a commit."""
    return [change.record for change in changes], [one for change in changes for one in change.sealed]
