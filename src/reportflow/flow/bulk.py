"""Many requests, each for itself: decided together, committed in as few commits as can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from reportflow.errors import (
    AlreadyExists,
    Conflict,
    DuplicateKey,
    InvalidValue,
    RecordNotFound,
    ReportflowError,
    StorageBusy,
    StorageError,
    StorageUnavailable,
    TransitionRefused,
    UnreadableRecord,
)
from reportflow.flow.effects import Effects, store
from reportflow.flow.handler import Handler
from reportflow.flow.requests import Create, Fire, Request
from reportflow.flow.unit_of_work import TrackedRecord, UnitOfWork
from reportflow.model.checks import type_problem
from reportflow.model.record import Record, given_by


class Result(NamedTuple):
    """The result of one of many requests: its record or its error, and whether its key had been used before."""

    outcome: Record | ReportflowError
    repeated: bool = False


def run_each(handler: Handler, requests: Sequence[object], *, skip: bool) -> Effects[list[Result]]:
    """The result of each of many requests: all that is allowed is committed, in as few commits as can be.

    An error of one request stands in its place. Without `skip` it is the last result, and what comes before it is
    committed. An error of the store ends it in any case.

    Raises:
        Nothing that concerns one request: that is among the results.
    """
    try:
        return (yield from _run_together(handler, requests, skip=skip))
    except ReportflowError as failure:
        if isinstance(failure, StorageUnavailable) and not isinstance(failure, StorageBusy):
            return [Result(failure)]  # it may be unknown whether the chunk was committed: nothing is done twice
        # a conflict, or one of them is invalid: fall back to one by one
        results: list[Result] = []
        for request in requests:
            try:
                ((record, repeated),) = yield from handler.run_keyed([_request(request)])
                results.append(Result(record, repeated))
            except ReportflowError as error:
                results.append(Result(error))
                if not skip or is_of_the_store(error):
                    break
        return results


def _run_together(handler: Handler, requests: Sequence[object], *, skip: bool) -> Effects[list[Result]]:
    """Decide all, and commit what is allowed at once.

    Raises:
        ReportflowError: one of them cannot be decided here, or the commit failed: nothing was written.
    """
    now, unit = handler.clock(), UnitOfWork(independent=True)
    yield from _load_all(handler, unit, requests)
    results: list[Result] = []
    for request in requests:
        unit.begin()
        try:
            one = _request(request)
            done = yield from handler.perform(unit, one, now, id=handler.id_of(one), retried=False)
            results.append(Result(*done))
            continue
        except (StorageUnavailable, Conflict):
            raise
        except ReportflowError as error:
            unit.roll_back()
            results.append(Result((yield from _stale_or(handler, request, error))))
        if not skip:
            break
    changes = unit.changes()
    if changes:
        yield from store.commit(changes)
    for outcome, repeated in results:
        if isinstance(outcome, Record) and not repeated:
            handler.give_out(outcome)
    return results


def _load_all(handler: Handler, unit: UnitOfWork, requests: Sequence[object]) -> Effects[None]:
    """Read all records at once that this flow did not give out; what cannot be read is reported in its turn."""
    fires = [one for one in requests if isinstance(one, Fire)]
    ids = list(dict.fromkeys(one.id for one in fires if _is_to_be_read(handler, one.target)))
    stored: list[Record] = []
    while ids and not stored:
        try:
            stored = yield from store.get(ids)
        except (RecordNotFound, UnreadableRecord) as error:  # the first of them names all that are missing
            rest = [id for id in ids if id not in error.ids]
            if len(rest) == len(ids):
                raise
            ids = rest
    unit.tracked.update((one.id, TrackedRecord(before=one, record=one)) for one in stored)


def _stale_or(handler: Handler, request: object, error: ReportflowError) -> Effects[ReportflowError]:
    """The error of a request; where a snapshot was refused that is no longer current, that it is stale.

    What commutes was decided on the stored record.
    """
    if isinstance(error, TransitionRefused) and isinstance(request, Fire):
        snapshot = handler.snapshot(request)
        if snapshot is not None:
            try:
                yield from handler.check_current(snapshot.id, snapshot.seen, request.by)
            except ReportflowError as stale:
                return stale
    return error


def _is_to_be_read(handler: Handler, target: object) -> bool:
    if isinstance(target, Record):
        return target.version > 0 and given_by(target) is not handler
    return isinstance(target, str)


def is_of_the_store(error: ReportflowError) -> bool:
    """Whether an error is one of the store itself, and not of one request."""
    of_a_request = (RecordNotFound, UnreadableRecord, AlreadyExists, Conflict, DuplicateKey)
    return isinstance(error, StorageError) and not isinstance(error, of_a_request)


def _request(value: object) -> Request:
    if not isinstance(value, Create | Fire):
        raise InvalidValue("requests", *type_problem("Create | Fire", value))
    return value
