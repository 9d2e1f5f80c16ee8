"""What a commit writes, and how: the writing half of the storage contract in SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from reportflow.errors import Conflict
from reportflow.serialization.evolution import was_upgraded
from reportflow.storage.base import Change
from reportflow.storage.refusing import check_changes, keys_of, refuse_keys, refuse_stale
from reportflow.storage.sql.codec import changed_row, entry_row, label_rows, record_row, remains_row
from reportflow.storage.sql.executor import Executor, OpenExecutor, PreparedStatement, transaction
from reportflow.storage.sql.lengths import refuse_long, written
from reportflow.storage.sql.statements import RECORD, Stale, StatementCache


class Write(NamedTuple):
    """A statement with its rows.

    Attributes:
        statement: What is run for each row.
        rows: Their parameters.
        compares: Whether it must write as many rows as it is given: else `Stale` is raised.
    """

    statement: PreparedStatement
    rows: Sequence[Mapping[str, Any]]
    compares: bool = False


#: Writes what some changes come to, on one connection.
Apply = Callable[[Executor, Sequence[Change], Sequence[Write]], None]


class SqlWriting:
    """`Store.commit`. Each call is one transaction, unless commits are shared: see `sharing`."""

    def __init__(self, statements: StatementCache, checkout: OpenExecutor) -> None:
        self._statements: StatementCache = statements
        self._checkout: OpenExecutor = checkout

    def _transaction(self, executor: Executor) -> AbstractContextManager[None]:
        return transaction(executor, self._statements.backend.begin)

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store.commit`."""
        check_changes(changes)
        if not changes:
            return
        writes = self._plan(changes)  # before the write lock is taken, so that it is held for the database alone
        with self._checkout() as executor:
            self._write(executor, changes, writes, self._apply)

    def _write(self, executor: Executor, changes: Sequence[Change], writes: Sequence[Write], apply: Apply) -> None:
        """Write by way of `apply`, and say in the words of the contract why it failed."""
        statements = self._statements
        try:
            apply(executor, changes, writes)
        except statements.conflicts:
            self._explain(executor, changes)
            raise Conflict([change.record.id for change in changes]) from None
        except statements.misfits:
            refuse_long(statements, *written(changes))
            raise

    def _plan(self, changes: Sequence[Change]) -> list[Write]:
        return plan(self._statements, changes)

    def _apply(self, executor: Executor, changes: Sequence[Change], writes: Sequence[Write]) -> None:
        """Write it all, by one statement where that can be, else in one transaction.

        Raises:
            Stale: a version or head is not the expected one.
            IntegrityError: an id or a key is taken.
        """
        if len(writes) == 1 and self._statements.backend.single_statement:
            executor.in_doubt = True  # it is its own commit
            self._run(executor, writes)
        else:
            with self._transaction(executor):
                self._run(executor, writes)

    def _run(self, executor: Executor, writes: Sequence[Write]) -> None:
        for statement, rows, compares in writes:
            if not compares:
                executor.write_all(statement, rows)
            elif executor.write_each(statement, rows) != len(rows):
                raise Stale

    def _explain(self, executor: Executor, changes: Sequence[Change]) -> None:
        """Say in the contract's order why a commit failed, if it can still be seen.

        Raises:
            RecordNotFound, AlreadyExists, Conflict, DuplicateKey: the first that applies, naming all ids.
        """
        executor.in_doubt = False
        ids = [change.record.id for change in changes]
        keys = [key for (_, key), _ in keys_of(changes)]
        stored = {id: (version, head) for id, version, head in self._statements.versions.rows(executor, ids)}
        used = {(actor_id, key) for actor_id, key in self._statements.keys.rows(executor, keys, "keys")}
        refuse_stale(changes, stored)
        refuse_keys(changes, used)


def plan(statements: StatementCache, changes: Sequence[Change]) -> list[Write]:
    """What a commit writes, in this order."""
    if len(changes) == 1 and _is_plain(changes[0]):
        [change] = changes
        entry = entry_row(change.sealed[0])
        names, row = _update_of(change)
        if statements.backend.single_statement:
            return [Write(statements.update_with_entry(names), [{**row, **entry}], compares=True)]
        update = Write(statements.update_record(names), [row], compares=True)
        return [update, Write(statements.insert_entry, [entry])]
    # entries keep the order of the call: in the feed a cause comes before what follows from it
    entries = [entry_row(sealed) for change in changes for sealed in change.sealed]
    changes = _in_one_order(changes)
    writes = []
    created = [record_row(change.record) for change in changes if change.expected is None]
    if created:
        writes.append(Write(statements.insert_record, created))
    updates = (_update_of(change) for change in changes if change.expected is not None)
    for names, some in groupby(updates, key=itemgetter(0)):  # side by side only: the order of the rows stays
        writes.append(Write(statements.update_record(names), [row for _, row in some], compares=True))
    writes.append(Write(statements.insert_entry, entries))
    return [*writes, *_plan_erased(statements, changes), *_plan_labels(statements, changes)]


def _plan_erased(statements: StatementCache, changes: Sequence[Change]) -> list[Write]:
    """What replaces erased content: an UPDATE each, which compares the digest."""
    rows = [remains_row(sealed) for change in changes for _, sealed in change.erased]
    return [Write(statements.replace_content, rows, compares=True)] if rows else []


def _plan_labels(statements: StatementCache, changes: Sequence[Change]) -> list[Write]:
    moved = [change for change in changes if not _same_labels(change)]
    old = [{"its_id": change.record.id} for change in moved if change.expected is not None]
    rows = [row for change in moved for row in label_rows(change.record)]
    deleted = [Write(statements.delete_labels, old)] if old else []
    return [*deleted, Write(statements.insert_label, rows)] if rows else deleted


def _in_one_order(changes: Sequence[Change]) -> list[Change]:
    """The order in which every commit locks its records, so that two commits do not wait for each other."""
    return sorted(changes, key=lambda change: change.record.id)


def _is_plain(change: Change) -> bool:
    """Whether a record is replaced, with one entry, its labels stay, and nothing is erased."""
    return change.expected is not None and len(change.entries) == 1 and _same_labels(change) and not change.erased


def _same_labels(change: Change) -> bool:
    """Whether the labels that are stored are those of the record."""
    before = change.before
    return before is not None and not was_upgraded(before) and before.labels() == change.record.labels()


def _update_of(change: Change) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Which columns a change sets, and the parameters of the UPDATE that compares version and head."""
    before, record = change.before, change.record
    row = record_row(record) if before is None else changed_row(before, record)
    row.pop("id", None)
    assert change.expected is not None, "a creation updates nothing"
    version, head = change.expected
    expected = {"its_id": record.id, "its_version": version, "its_head": head}
    return tuple(row), {**{RECORD + name: value for name, value in row.items()}, **expected}
