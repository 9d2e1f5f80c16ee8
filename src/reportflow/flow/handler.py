"""The command handler: load, decide, commit, retry.

Theory of operation. A request becomes a `Command`, with the time and the id taken once, and a salt of its own. The
handler loads the record; of a record that the caller hands in only the id counts, and the version and head that were
seen. The very object that this flow gave out spares the read. `decide` gives the next record, its entry and further
steps; steps are decided in the same way, and everything is committed at once. The store compares version and head
(optimistic concurrency). Where it reports a conflict, the whole is decided again on what is stored now, with jittered
exponential back-off and until a deadline, unless the caller acts on a version that they saw: then it is stale. A key
that was used before makes a request an idempotent replay: the result of then is given back.

All methods are generators of effects (`flow.effects`); nothing here does I/O.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from reportflow.errors import (
    AlreadyExists,
    Conflict,
    ContentErased,
    DuplicateKey,
    InvalidValue,
    ReportflowError,
    StaleRecord,
    StorageBusy,
    StorageError,
    TransitionRefused,
)
from reportflow.flow.definitions import Definitions
from reportflow.flow.effects import Effects, back_off, store
from reportflow.flow.incidents import Incident, Observer, note
from reportflow.flow.loading import load
from reportflow.flow.people import Directory, People
from reportflow.flow.removals import check_retraction, with_removal
from reportflow.flow.requests import Create, Fire, Request, check_target, command_of, may_be_of, new_salt
from reportflow.flow.unit_of_work import TrackedRecord, UnitOfWork
from reportflow.lifecycle import decision, refusing
from reportflow.lifecycle.decision import Decision
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.history import is_erased, replay, until_end_of_command
from reportflow.lifecycle.table import OnConflict, Step
from reportflow.model.actor import Actor
from reportflow.model.checks import type_problem
from reportflow.model.entry import CLOCK_TOLERANCE, Command, Entry, same_content
from reportflow.model.record import SET_BY_FOLD, Record, Seen, give_out, given_by

if TYPE_CHECKING:
    from reportflow.flow.attachments import AttachedFiles

#: How long a call is retried after conflicts, in seconds.
RETRY_TIMEOUT: Final = 5.0


class Handler:
    """Decides requests and commits the result.

    Args:
        definitions: The lifecycles.
        clock: Gives the time, aware.
        new_id: Gives the ids of new records.
        retry_timeout: How long a call is retried after conflicts, in seconds; negative for never.
        decide: Decides a command; `lifecycle.decision.decide`, or a function around it that watches.
        observe: Takes each incident; see `flow.incidents`.
        people: Whom the host knows.
        files: The files that an act may name; None where the host keeps them and nothing is checked.
        new_salt: Gives the salt of each command; "" where nothing is ever committed.
        clock_tolerance: By how many seconds a caller's clock may differ from this one.
    """

    def __init__(
        self,
        definitions: Definitions,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        retry_timeout: float = RETRY_TIMEOUT,
        decide: Callable[[Lifecycle, Record, Command], Decision] = decision.decide,
        observe: Observer | None = None,
        people: People | None = None,
        files: AttachedFiles | None = None,
        new_salt: Callable[[], str] = new_salt,
        clock_tolerance: float = CLOCK_TOLERANCE,
    ) -> None:
        self.definitions = definitions
        self.clock = clock
        self._new_id = new_id
        self._retry_timeout = retry_timeout
        self._decide = decide
        self._observe = observe
        self.people: Directory = Directory(definitions, people)
        self.files = files
        self._new_salt = new_salt
        self._clock_tolerance = clock_tolerance

    def give_out(self, record: Record) -> Record:
        """Note on a record, as it was committed or read, that this flow gave it out: so it is known again."""
        give_out(record, self)
        return record

    # -- one unit of work -------------------------------------------------------------------------------------------

    def run(self, requests: Sequence[Request]) -> Effects[list[Record]]:
        """Decide several requests together, each on the result of the ones before it, and commit them at once.

        Raises:
            Everything that `ReportFlow.create` and `ReportFlow.fire` raise.
        """
        return [result for result, _ in (yield from self.run_keyed(requests))]

    def run_keyed(self, requests: Sequence[Request]) -> Effects[list[tuple[Record, bool]]]:
        """As `run`; says of each record, too, whether its key had been used before (an idempotent replay)."""
        now = self.clock()
        ids = [self.id_of(request) for request in requests]
        deadline = time.monotonic() + self._retry_timeout
        attempt = 0
        replayed = False
        while True:
            unit = UnitOfWork()
            try:
                results: list[tuple[Record, bool]] = []
                for request, id in zip(requests, ids, strict=True):
                    results.append((yield from self.perform(unit, request, now, id=id, retried=attempt > 0)))
                changes = unit.changes()
                if changes:
                    yield from store.commit(changes)
                return self.committed(results)
            except (DuplicateKey, StaleRecord, TransitionRefused) as error:
                # a concurrent duplicate of this call may have committed: then its result is the answer
                if replayed or not (yield from self._key_is_used(requests)):
                    if isinstance(error, TransitionRefused):
                        yield from self._raise_if_snapshot_is_stale(unit)
                    raise
                replayed = True
                failure: ReportflowError = error
            except Conflict as error:
                if not (yield from self._key_is_used(requests)):
                    yield from self._raise_if_pinned(unit, error, requests)
                self._raise_if_too_late(error, deadline, requests, ids, attempt)
                failure = error
            except StorageBusy as error:
                self._raise_if_too_late(error, deadline, requests, ids, attempt)
                failure = error
            attempt += 1
            self._note("retry", failure, requests, ids, attempt)
            yield from back_off(attempt)

    def committed(self, results: list[tuple[Record, bool]]) -> list[tuple[Record, bool]]:
        """Results whose records were just committed, noted as given out; one of an earlier commit may have moved."""
        for record, repeated in results:
            if not repeated:
                self.give_out(record)
        return results

    def _raise_if_too_late(
        self, error: StorageError, deadline: float, requests: Sequence[Request], ids: Sequence[str], attempt: int
    ) -> None:
        # after a long stall one more; who waited for a lock as long as one waits has had theirs
        last = attempt > 0 or self._retry_timeout <= 0 or isinstance(error, StorageBusy)
        if time.monotonic() > deadline and last:
            self._note("gave_up", error, requests, ids, attempt + 1)
            raise error

    def _note(
        self, kind: str, error: ReportflowError, requests: Sequence[Request], ids: Sequence[str], attempt: int
    ) -> None:
        trigger = requests[0].trigger if len(requests) == 1 and isinstance(requests[0], Fire) else ""
        note(
            Incident(kind=kind, code=error.code, ids=tuple(dict.fromkeys(ids)), trigger=trigger, attempt=attempt),
            self._observe,
        )

    # -- one request ------------------------------------------------------------------------------------------------

    def id_of(self, request: Request) -> str:
        """The id of the record that a request is about; a new one is taken once, so that a retry creates the same.

        Raises:
            InvalidValue: it names no record, or has no draft.
        """
        if isinstance(request, Fire):
            check_target(request)
            return request.id
        if not isinstance(request, Create) or not isinstance(request.draft, Record):
            raise InvalidValue(
                "draft", *type_problem("Record", request.draft if isinstance(request, Create) else request)
            )
        draft = request.draft
        if draft.version or draft.state:
            facts = {"version": draft.version, "owner": type(draft).__name__}
            raise InvalidValue("draft", "not_a_draft", facts)
        return draft.id or self._new_id()

    def perform(
        self, unit: UnitOfWork, request: Request, now: datetime, *, id: str, retried: bool, look_up: bool = True
    ) -> Effects[tuple[Record, bool]]:
        """Decide one request into a unit of work; the record, and whether its key, if looked up, had been used before.

        `id` is what `id_of` gave.
        """
        if look_up:
            earlier = yield from self.earlier_result(request, now)
            if earlier is not None:
                return earlier, True
        try:
            if isinstance(request, Create):
                return (yield from self._create(unit, request, now, id)), False
            return (yield from self._fire(unit, request, now, retried=retried)), False
        except TransitionRefused as refused:
            named = yield from self.people.name_all(refused.refusals, unit.record(refused.id), request.by)
            raise refused.with_refusals(named) from None

    def earlier_result(self, request: Request, now: datetime) -> Effects[Record | None]:
        """The result of the same request under its key, if it was committed before (an idempotent replay).

        Raises:
            DuplicateKey: the key was used for another request.
            ContentErased: what the request of then said was erased, so the two cannot be compared.
            RecordNotFound: the actor may no longer see the record.
        """
        entry = None if request.key is None else (yield from store.by_key(request.by.id, request.key))
        if entry is None:
            return None
        history = yield from store.history([entry.record_id])
        self.definitions.check_visible(replay(history, self.definitions), request.by)
        if not self._is_same(request, entry, now):
            if is_erased(history, entry.sequence) and may_be_of(request, entry):
                raise ContentErased(entry.record_id, entry.sequence)
            raise DuplicateKey([entry.record_id], [request.key or ""])
        result = replay(until_end_of_command(history, entry), self.definitions)
        self.definitions.check_visible(result, request.by)  # it may have been more secret then
        return result

    def _key_is_used(self, requests: Sequence[Request]) -> Effects[bool]:
        """Whether one of the keys is used by now: by a concurrent duplicate of this call."""
        for request in requests:
            if request.key is not None and (yield from store.by_key(request.by.id, request.key)) is not None:
                return True
        return False

    def _is_same(self, request: Request, entry: Entry, now: datetime) -> bool:
        """Whether an entry is the result of the same request: trigger, record, details and reason."""
        if not may_be_of(request, entry):
            return False
        if isinstance(request, Fire):
            return entry.details == request.details and entry.reason == request.reason
        lifecycle = self.definitions.of(request.draft)
        command: Command = Command(trigger=entry.trigger, actor=request.by, now=now, id=entry.record_id)
        draft = decision.initialize_draft(lifecycle, request.draft, command)
        return same_content(draft, entry.details, but=SET_BY_FOLD | {"id"})

    def _create(self, unit: UnitOfWork, request: Create, now: datetime, id: str) -> Effects[Record]:
        lifecycle = self.definitions.of(request.draft)
        salt, trigger = self._new_salt(), request.trigger
        if trigger is None:
            unnamed = command_of(request, "", now, salt, self._clock_tolerance, id)
            trigger = decision.creation(lifecycle, request.draft, unnamed)
        command = command_of(request, trigger, now, salt, self._clock_tolerance, id)
        return (yield from self.act(unit, request.draft, command, ()))

    def _fire(self, unit: UnitOfWork, request: Fire, now: datetime, *, retried: bool) -> Effects[Record]:
        command = command_of(request, request.trigger, now, self._new_salt(), self._clock_tolerance)
        snapshot = self.snapshot(request)
        tracked = unit.tracked.get(request.id)
        if tracked is None and snapshot is not None and not retried:
            snapshot_of = request.by
            tracked = unit.add(snapshot.id, TrackedRecord(before=snapshot, record=snapshot, snapshot_of=snapshot_of))
        elif tracked is None:
            stored = yield from load(self.definitions, request.id, request.by)
            tracked = unit.add(stored.id, TrackedRecord(before=stored, record=stored))
        self.definitions.check_visible(tracked.record, request.by)
        if tracked.record is snapshot:
            unit.pin(tracked, tracked.expected)
        elif request.saw_nothing_stored or (
            request.saw_something and not self.commutes(tracked.record, request.trigger)
        ):
            before = tracked.record if unit.independent else tracked.before
            if not request.saw(tracked.record) and (before is None or not request.saw(before)):
                raise StaleRecord(request.id, request.version_seen, tracked.record.version)
            unit.pin(tracked, tracked.expected)
        return (yield from self.act(unit, tracked.record, command, ()))

    def snapshot(self, request: Fire) -> Record | None:
        """The record that a caller handed in, if this flow gave out that very object, and it may be decided on.

        What commutes is decided on what is stored.
        """
        target = request.target
        if not isinstance(target, Record) or given_by(target) is not self:
            return None
        return None if self.commutes(target, request.trigger) else target

    def commutes(self, record: Record, trigger: str) -> bool:
        """Whether a transition is decided on what is stored, whatever version its caller saw."""
        return self.definitions.of(record).commutes(trigger)

    def act(self, unit: UnitOfWork, record: Record, command: Command, path: tuple[str, ...]) -> Effects[Record]:
        """Decide one command and its steps into the unit of work. `path` is the chain of commands that led here."""
        id = record.id or command.id
        path = decision.check_step_cycle(path, id, command.trigger)
        lifecycle = self.definitions.of(record)
        decided = self._decide(lifecycle, record, command)
        tracked = unit.tracked.get(id)
        if tracked is None:
            tracked = unit.add(id, TrackedRecord(before=None, record=decided.record))
        elif not record.version:
            if unit.independent:
                raise AlreadyExists([id])
            raise InvalidValue("id", "twice", {"given": id})
        found = lifecycle.row(decided.entry.source, command.trigger)
        if found and found[0].erases is not None and command.salt:  # without one nothing will be committed
            decided = yield from with_removal(self.definitions, tracked, decided, command, self._new_salt)
        if decided.entry.retracts is not None and command.salt:
            yield from check_retraction(self.definitions, tracked, decided)
        yield from self.people.check_named(lifecycle, record, decided.record, command)
        if self.files is not None:
            yield from self.files.check_named(record, decided.record, decided.entry)
        unit.advance(tracked, decided)
        if found and found[0].on_conflict is OnConflict.STALE:
            unit.pin(tracked, tracked.expected)
        for step in decided.steps:
            yield from self._step(unit, step, command, record, decided.entry, path)
        return unit.tracked[id].record

    def _step(
        self, unit: UnitOfWork, step: Step, command: Command, before: Record, cause: Entry, path: tuple[str, ...]
    ) -> Effects[None]:
        target, new_id = step.target, ""
        if isinstance(target, Record) and not target.version:
            new_id = target.id or self._new_id()
        else:
            id = target if isinstance(target, str) else target.id
            if id not in unit.tracked:
                if step.system:
                    (stored,) = yield from store.get([id])
                else:
                    stored = yield from load(self.definitions, id, command.actor)
                unit.add(id, TrackedRecord(before=stored, record=stored))
            target = unit.tracked[id].record
            if not step.system:
                self.definitions.check_visible(target, command.actor)
        following = decision.command_for_step(command, step, cause, target, id=new_id, salt=self._new_salt())
        try:
            yield from self.act(unit, target, following, path)
        except TransitionRefused as refused:
            if refused.id != target.id or not target.version or self.definitions.sees(target, command.actor):
                raise
            raise refusing.refused_for_step(self.definitions.of(before), before, command) from None

    # -- staleness --------------------------------------------------------------------------------------------------

    def _raise_if_snapshot_is_stale(self, unit: UnitOfWork) -> Effects[None]:
        """A refusal may only mean that the caller's snapshot is no longer current: then say that.

        Raises:
            StaleRecord: the stored version is another.
            RecordNotFound: there is none that the caller may see.
        """
        for id, tracked in unit.tracked.items():
            if tracked.snapshot_of is not None and tracked.before is not None:
                yield from self.check_current(id, tracked.before.seen, tracked.snapshot_of)

    def _raise_if_pinned(self, unit: UnitOfWork, conflict: Conflict, requests: Sequence[Request]) -> Effects[None]:
        """A conflict about a version that a caller saw is not retried.

        Raises:
            StaleRecord: the stored version is another.
            RecordNotFound: there is none that they may see any more.
        """
        fires = {request.id: request for request in requests if isinstance(request, Fire)}
        for id in conflict.ids:
            if (tracked := unit.tracked.get(id)) is not None and tracked.pinned is not None:
                actor, named = (fires[id].by, fires[id].saw_something) if id in fires else (requests[0].by, False)
                yield from self.check_current(id, tracked.pinned, actor, named=named)

    def check_current(self, id: str, seen: Seen, actor: Actor, *, named: bool = True) -> Effects[None]:
        """See that what was seen is still what is stored.

        Raises:
            StaleRecord: it is not.
            RecordNotFound: the actor may not see the record any more.
        """
        stored = yield from load(self.definitions, id, actor)
        if stored.seen != seen:
            raise StaleRecord(id, seen.version, stored.version, named=named)
