"""Many requests, each for itself: taken from a stream, decided together, committed in as few commits as can be.

Theory of operation. A chunk of the stream is decided in one unit of work and committed at once. Its keys are not looked
up first, nor are the ids that drafts bring: a first import would ask for each in vain. What was used before shows all
the same: the store then refuses the whole commit, so that nothing decided beside it counts, and a request that is
refused asks for its own key. The chunk is then decided again with all of them looked up, and so are the chunks behind
it for as long as some are found. What cannot be committed together even so, because another writer was faster, is done
one by one.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

import attrs

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
from reportflow.i18n.catalog import DEVELOPER, ENGLISH, Catalog
from reportflow.model.annotations import VALUE
from reportflow.model.checks import type_problem
from reportflow.model.record import Record, given_by

#: How many requests of a `run` are held in memory, and committed at once.
CHUNK: Final = 500


@attrs.frozen(kw_only=True)
class Outcome:
    """The outcome of one request of a `run`: its record, or its own error.

    Attributes:
        place: Its place in the stream, from 0.
        request: The request, as it was given.
        record: The record after it; None where it failed.
        error: Why it failed; None where it did not.
        repeated: Its key had been used before for the same request: nothing was written, `record` is what it gave then.
    """

    place: int
    request: Create | Fire = attrs.field(metadata={VALUE: True})
    record: Record | None = None
    error: ReportflowError | None = attrs.field(default=None, metadata={VALUE: True})
    repeated: bool = False


class Result(NamedTuple):
    """The result of one of many requests: its record or its error, and whether its key had been used before."""

    outcome: Record | ReportflowError
    repeated: bool = False


class Stream:
    """The requests of one `run`, chunk by chunk, and the outcomes of each chunk.

    Args:
        handler: Runs them.
        requests: An iterable, or an asynchronous one where `awaits` says that it may be.
        on_error: "stop" or "skip".
        chunk: How many are held in memory, and committed at once; from 1.
        progress: What the flow calls with the number of requests done, after each chunk.
        catalog: The texts of the errors.
        zone: The time zone in which they show times.
        awaits: Whether the requests may be an asynchronous iterable.

    Raises:
        InvalidValue: an argument is none of these.
    """

    def __init__(
        self,
        handler: Handler,
        requests: Iterable[Request] | AsyncIterable[Request],
        *,
        on_error: str,
        chunk: int,
        progress: Callable[[int], object] | None,
        catalog: Catalog,
        zone: tzinfo,
        awaits: bool = False,
    ) -> None:
        if not isinstance(requests, Iterable) and not (awaits and isinstance(requests, AsyncIterable)):
            either = " | AsyncIterable[Create | Fire]" if awaits else ""
            raise InvalidValue("requests", *type_problem(f"Iterable[Create | Fire]{either}", requests))
        if on_error not in ("stop", "skip"):
            raise InvalidValue("on_error", "choice", {"given": repr(on_error), "choices": ("stop", "skip")})
        if type(chunk) is not int or chunk < 1:
            raise InvalidValue("chunk", "range", {"given": chunk, "least": 1, "most": "∞"})
        if progress is not None and not callable(progress):
            raise InvalidValue("progress", *type_problem("Callable", progress))
        self._handler = handler
        self._requests = requests
        self._skip = on_error == "skip"
        self._chunk = chunk
        self._catalog = catalog
        self._zone = zone
        self._repeating = False
        self.progress: Callable[[int], object] | None = progress
        self.done: int = 0

    def chunks(self) -> Iterator[list[Request]]:
        """The requests, some at a time.

        Raises:
            Exception: what the iterable raises, after all that it gave before; it names the place.
        """
        assert isinstance(self._requests, Iterable), "else the stream is awaited"
        rest, broken = iter(self._requests), None
        while broken is None:
            some: list[Request] = []
            try:
                for one in rest:
                    some.append(one)
                    if len(some) == self._chunk:
                        break
            except Exception as error:
                broken = error
            if some:
                yield some
            if broken is None and len(some) < self._chunk:
                return
        raise self._at(broken, self.done)

    async def awaited_chunks(self) -> AsyncIterator[list[Request]]:
        """As `chunks`, also of an asynchronous iterable."""
        if not isinstance(self._requests, AsyncIterable):
            for some in self.chunks():
                yield some
            return
        rest, broken = aiter(self._requests), None
        while broken is None:
            some = []
            try:
                async for one in rest:
                    some.append(one)
                    if len(some) == self._chunk:
                        break
            except Exception as error:
                broken = error
            if some:
                yield some
            if broken is None and len(some) < self._chunk:
                return
        raise self._at(broken, self.done)

    def effects(self, requests: list[Request]) -> Effects[list[Result]]:
        """Run a chunk; see `run_each`."""
        results = yield from run_each(self._handler, requests, skip=self._skip, look_up=self._repeating)
        self._repeating = any(one.repeated or isinstance(one.outcome, AlreadyExists) for one in results)
        return results

    @contextmanager
    def placed(self) -> Iterator[None]:
        """What is raised meanwhile names the place from which on nothing was done, or may not have been."""
        try:
            yield
        except Exception as error:
            self._at(error, self.done)
            raise

    def outcomes(self, requests: list[Request], results: list[Result]) -> Iterator[Outcome]:
        """The outcome of each request of a chunk.

        Raises:
            ReportflowError: the first error, where errors are not skipped, or one that ends a run in any case; its
                `place` is that of the request.
        """
        for request, (outcome, repeated) in zip(requests, results, strict=False):
            place = self.done
            self.done += 1
            if isinstance(outcome, Record):
                yield Outcome(place=place, request=request, record=outcome, repeated=repeated)
                continue
            if not self._skip or ends_a_run(outcome):
                raise self._at(outcome, place)
            outcome.place = place
            outcome.use(self._catalog, self._zone)
            yield Outcome(place=place, request=request, error=outcome)

    def _at(self, error: Exception, place: int) -> Exception:
        """An error that ends the run, with its place: as `place` if it is ours, and as a note for the traceback."""
        if isinstance(error, ReportflowError):
            error.place = place
            error.use(self._catalog, self._zone)
        error.add_note(self._catalog.text("word.at_place", ENGLISH, {"place": place}, reader=DEVELOPER))
        return error


def run_each(
    handler: Handler, requests: Sequence[object], *, skip: bool, look_up: bool = False
) -> Effects[list[Result]]:
    """The result of each of many requests: all that is allowed is committed, in as few commits as can be.

    An error of one request stands in its place. Without `skip` it is the last result, and what comes before it is
    committed. An error that ends a run is the last result in any case.

    Args:
        handler: Runs them.
        requests: The requests, or what was given as such.
        skip: Whether to go on after an error of a request.
        look_up: Whether keys and ids are looked up before anything is decided, as where some of the chunk before were
            used.

    Raises:
        Nothing that concerns one request: that is among the results.
    """
    results: list[Result] = []
    for some in _without_repeated_keys(requests):
        results += yield from _run_some(handler, some, skip=skip, look_up=look_up)
        last = results[-1].outcome
        if isinstance(last, ReportflowError) and (not skip or ends_a_run(last)):
            break
    return results


def _without_repeated_keys(requests: Sequence[object]) -> Iterator[Sequence[object]]:
    """The requests in pieces in which each key occurs once: what a key was used for is known once that is committed."""
    start, used = 0, set[tuple[str, str]]()
    for place, one in enumerate(requests):
        if isinstance(one, Create | Fire) and one.key is not None:
            if (one.by.id, one.key) in used:
                yield requests[start:place]
                start, used = place, set()
            used.add((one.by.id, one.key))
    yield requests[start:]


def _run_some(handler: Handler, requests: Sequence[object], *, skip: bool, look_up: bool) -> Effects[list[Result]]:
    for first in (True,) if look_up else (False, True):
        try:
            return (yield from _run_together(handler, requests, skip=skip, look_up=first))
        except ReportflowError as failure:
            if ends_a_run(failure) and not isinstance(failure, StorageBusy):
                return [Result(failure)]  # it may be unknown whether the chunk was committed: nothing is done twice
    # another writer is faster again and again: fall back to one by one
    results: list[Result] = []
    for request in requests:
        try:
            ((record, repeated),) = yield from handler.run_keyed([_request(request)])
            results.append(Result(record, repeated))
        except ReportflowError as error:
            results.append(Result(error))
            if not skip or ends_a_run(error):
                break
    return results


def _run_together(handler: Handler, requests: Sequence[object], *, skip: bool, look_up: bool) -> Effects[list[Result]]:
    """Decide all, and commit what is allowed at once.

    Raises:
        ReportflowError: one of them cannot be decided here, or the commit failed: nothing was written.
    """
    now, unit = handler.clock(), UnitOfWork(independent=True)
    yield from _load_all(handler, unit, requests, created=look_up)
    results: list[Result] = []
    for request in requests:
        unit.begin()
        try:
            done = yield from _perform(handler, unit, _request(request), now, look_up=look_up)
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


def _perform(
    handler: Handler, unit: UnitOfWork, request: Request, now: datetime, *, look_up: bool
) -> Effects[tuple[Record, bool]]:
    """Decide one request; the record, and whether its key had been used before.

    Without `look_up` only a request that fails asks for its key. That the key of another one was not used before is
    known once the commit succeeds.
    """
    id, look_up = handler.id_of(request), look_up or request.key is None
    try:
        return (yield from handler.perform(unit, request, now, id=id, retried=False, look_up=look_up))
    except ReportflowError as error:
        if look_up or isinstance(error, StorageUnavailable | Conflict):
            raise
        unit.roll_back()
        earlier = yield from handler.earlier_result(request, now)
        if earlier is None:
            raise
        return earlier, True


def _load_all(handler: Handler, unit: UnitOfWork, requests: Sequence[object], *, created: bool) -> Effects[None]:
    """Read all records at once that this flow did not give out, and with `created` those under the ids of drafts.

    What cannot be read is reported in its turn.
    """
    fires = [one for one in requests if isinstance(one, Fire)]
    ids = list(dict.fromkeys(one.id for one in fires if _is_to_be_read(handler, one.target)))
    if created:
        drafts = (one.draft for one in requests if isinstance(one, Create) and isinstance(one.draft, Record))
        ids = list(dict.fromkeys((*ids, *(draft.id for draft in drafts if draft.id))))
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


def ends_a_run(error: ReportflowError) -> bool:
    """Whether an error means that the store is lost to all requests, and is not that of one of them.

    A bare `StorageError` is that of what was to be written: the store answered.
    """
    of_a_request = (RecordNotFound, UnreadableRecord, AlreadyExists, Conflict, DuplicateKey)
    return isinstance(error, StorageError) and type(error) is not StorageError and not isinstance(error, of_a_request)


def _request(value: object) -> Request:
    if not isinstance(value, Create | Fire):
        raise InvalidValue("requests", *type_problem("Create | Fire", value))
    return value
