"""The store inside a transaction of the host's, on the connection that the host gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from sqlalchemy import Connection

from reportflow.errors import InvalidValue
from reportflow.model.checks import type_problem
from reportflow.serialization.classes import Classes
from reportflow.storage.base import Capabilities, Change
from reportflow.storage.sql.codec import entry_row, record_row
from reportflow.storage.sql.contract import SqlContract, Write, in_one_order, update_of
from reportflow.storage.sql.executor import Executor, PreparedStatement, host_transaction
from reportflow.storage.sql.lengths import refuse_long, written
from reportflow.storage.sql.statements import StatementCache


class BoundSqlStore(SqlContract):
    """The store inside a transaction of the host's: what it wrote is kept if the host commits, and only then.

    Nothing is begun, committed, rolled back or retried here. A call that raises leaves the transaction usable, and
    nothing of itself in it.
    """

    def _plan(self, changes: Sequence[Change]) -> list[Write]:
        """What a commit writes, row by row, each with what takes it back.

        An entry goes in before its record is updated, unless its sequence or its key is taken: then another
        transaction has it, and the record is stale.
        """
        refuse_long(self._statements, *written(changes))
        changes, statements = in_one_order(changes), self._statements
        writes = []
        for change in changes:
            if change.expected is None:
                undo = (statements.delete_record, {"its_id": change.record.id})
                writes.append(Write(statements.insert_record_unless, [record_row(change.record)], True, undo))
        for row in (entry_row(sealed) for change in changes for sealed in change.sealed):
            its_place = {"its_id": row["record_id"], "its_sequence": row["sequence"]}
            writes.append(Write(statements.insert_entry_unless, [row], True, (statements.delete_entry, its_place)))
        for change in changes:
            if change.expected is not None:
                names, row = update_of(change)
                writes.append(Write(statements.update_record(names), [row], compares=True))
        return [*writes, *self._plan_erased(changes), *self._plan_labels(changes)]

    def _transaction(self, executor: Executor) -> AbstractContextManager[None]:
        return nullcontext()

    def _apply(self, executor: Executor, changes: Sequence[Change], writes: Sequence[Write]) -> None:
        """Write it all, or take back what was written: an error of the database would break the host's transaction."""
        self._explain(executor, changes)
        undo: list[tuple[PreparedStatement, Mapping[str, Any]]] = []
        try:
            for write in writes:
                self._run(executor, [write])
                if write.undo is not None:
                    undo.append(write.undo)
        except self._statements.conflicts:
            for statement, row in reversed(undo):
                executor.write(statement, row)
            raise


def bound_store(
    statements: StatementCache, host: object, capabilities: Capabilities, classes: Classes
) -> BoundSqlStore:
    """A store on the connection of a host's `Connection` or `Session`.

    Raises:
        InvalidValue: the host is neither, or its ``connection()`` gives something else.
    """
    connection: object = host
    if not isinstance(host, Connection):
        from sqlalchemy.orm import Session, scoped_session  # a host that gives one has imported it

        connection = host.connection() if isinstance(host, Session | scoped_session) else None
    if not isinstance(connection, Connection):
        raise InvalidValue("connection", *type_problem("sqlalchemy Connection | Session", host))
    return BoundSqlStore(statements, partial(host_transaction, connection), capabilities, classes)
