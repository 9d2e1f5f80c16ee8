"""Load, decide, commit, retry: the one place where they meet.

Everything here is a generator that yields what it wants of the outside, a `Call` of the store or a `Wait`, and is sent
the answer; so it knows no I/O, and the blocking and the asynchronous driver run the very same lines.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import attrs

from reportflow.errors import (
    Conflict,
    DuplicateKey,
    InvalidValue,
    RecordNotFound,
    ReportflowError,
    StaleRecord,
    StorageBusy,
    StorageUnavailable,
    TransitionRefused,
)
from reportflow.flow.definitions import Definitions
from reportflow.flow.queries import Reader
from reportflow.flow.requests import Call, Create, Fire, Request, Steps, Wait, check_target
from reportflow.flow.unit_of_work import Plan, Work
from reportflow.lifecycle import decision as judging
from reportflow.lifecycle.decision import Option
from reportflow.lifecycle.history import replay
from reportflow.lifecycle.table import OnConflict, Refusal, Step
from reportflow.model.actor import Actor
from reportflow.model.checks import type_problem
from reportflow.model.entry import Command, Entry, same_content
from reportflow.model.record import SET_BY_FOLD, Record
from reportflow.model.values import changed

#: How long a call is decided again after conflicts, in seconds.
RETRY_TIMEOUT: Final = 5.0
#: The pauses after conflicts, in seconds. Longer ones let a few more acts through in all, for one rival is alone then
#: most of the time; but the unluckiest of them waits four times as long.
_PAUSE: Final = 0.0005
_LONGEST_PAUSE: Final = 0.002


class Handler:
    """What a flow writes and offers."""

    def __init__(
        self,
        definitions: Definitions,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        retry_timeout: float = RETRY_TIMEOUT,
    ) -> None:
        self._definitions = definitions
        self._clock = clock
        self._new_id = new_id
        self._patience = retry_timeout

    def once(self) -> Handler:
        """The same, deciding nothing again."""
        return Handler(self._definitions, clock=self._clock, new_id=self._new_id, retry_timeout=-1.0)

    def run(self, requests: Sequence[Request]) -> Steps[list[Record]]:
        """Decide several requests together, each on what the ones before it came to, and keep them in one commit.

        Raises:
            Everything that `ReportFlow.create` and `ReportFlow.fire` raise.
        """
        now = self._clock()
        named = [self._named(request) for request in requests]
        deadline = time.monotonic() + self._patience
        attempt = 0
        looked_again = False
        while True:
            plan = Plan()
            try:
                results: list[Record] = []
                for request in named:
                    results.append((yield from self._perform(plan, request, now, again=attempt > 0)))
                changes = plan.changes()
                if changes:
                    yield Call("commit", (changes,))
                return results
            except (DuplicateKey, StaleRecord, TransitionRefused) as error:
                if looked_again or not (yield from self._kept_meanwhile(named)):
                    if isinstance(error, TransitionRefused):
                        yield from self._raise_if_moved(plan)
                    raise
                looked_again = True
            except Conflict as conflict:
                if not (yield from self._kept_meanwhile(named)):
                    yield from self._raise_if_seen(plan, conflict, named)
                if time.monotonic() > deadline:
                    raise
            except StorageBusy:
                if time.monotonic() > deadline:
                    raise
            attempt += 1
            yield Wait(_pause(attempt))

    def run_all(self, requests: Sequence[Request], *, skip: bool) -> Steps[list[Record | ReportflowError]]:
        """What comes of each of many requests: all that is allowed is kept, in as few commits as can be.

        A refusal stands in the place of its record where it is skipped; else it is the last of the answers, as is
        any other error, and what comes before it is kept.

        Raises:
            Nothing that is one request's own: that is among the answers.
        """
        try:
            return (yield from self._together(requests, skip=skip))
        except ReportflowError:  # somebody else was there, or one of them is wrong: each has its own chance
            results: list[Record | ReportflowError] = []
            for request in requests:
                try:
                    results += yield from self.run([request])
                except ReportflowError as error:
                    results.append(error)
                    if not (skip and isinstance(error, TransitionRefused)):
                        break
            return results

    def _together(self, requests: Sequence[Request], *, skip: bool) -> Steps[list[Record | ReportflowError]]:
        """Decide all, and keep what is allowed in one commit.

        Raises:
            ReportflowError: one of them cannot be decided here, or the commit failed: nothing was kept.
        """
        now, plan = self._clock(), Plan(apart=True)
        yield from self._load_all(plan, requests)
        results: list[Record | ReportflowError] = []
        for request in requests:
            plan.begin()
            try:
                results.append((yield from self._perform(plan, self._named(request), now, again=False)))
                continue
            except StorageUnavailable:
                raise
            except ReportflowError as error:
                plan.undo()
                results.append((yield from self._heard(request, error)))
            if not (skip and isinstance(results[-1], TransitionRefused)):
                break
        changes = plan.changes()
        if changes:
            yield Call("commit", (changes,))
        return results

    def _load_all(self, plan: Plan, requests: Sequence[Request]) -> Steps[None]:
        """Read all records that are named by id at once; one that is not there is told in its turn."""
        ids = list(dict.fromkeys(one.id for one in requests if isinstance(one, Fire) and isinstance(one.target, str)))
        stored: list[Record] = []
        try:
            if ids:
                stored = yield Call("get", (ids,))
        except RecordNotFound as missing:
            there = [id for id in ids if id not in missing.ids]
            if there:
                stored = yield Call("get", (there,))
        plan.work.update((one.id, Work(before=one, record=one)) for one in stored)

    def _heard(self, request: Request, error: ReportflowError) -> Steps[ReportflowError]:
        """What the caller must hear of an error: a refusal of a record in hand may only mean that it has moved.

        What commutes was judged by the stored record.
        """
        if not isinstance(error, TransitionRefused) or not isinstance(request, Fire):
            return error
        target = request.target
        if isinstance(target, Record) and not self._commutes(target, request.trigger):
            try:
                yield from self._compare(target.id, target.version, request.by)
            except ReportflowError as moved:
                return moved
        return error

    def _named(self, request: Request) -> Request:
        """A creation with its id, taken once, so that deciding again creates the same record."""
        if isinstance(request, Fire):
            check_target(request)
            return request
        if not isinstance(request, Create) or not isinstance(request.draft, Record):
            raise InvalidValue("draft", *type_problem("Record", getattr(request, "draft", request)))
        draft = request.draft
        if draft.version or draft.state:
            facts = {"version": draft.version, "owner": type(draft).__name__}
            raise InvalidValue("draft", "not_a_draft", facts)
        return request if draft.id else attrs.evolve(request, draft=changed(draft, {"id": self._new_id()}))

    def _perform(self, plan: Plan, request: Request, now: datetime, *, again: bool) -> Steps[Record]:
        done = None if request.key is None else (yield from self._done_before(request, request.key, now))
        if done is not None:
            return done
        if isinstance(request, Create):
            return (yield from self._create(plan, request, now))
        return (yield from self._fire(plan, request, now, again=again))

    def _done_before(self, request: Request, key: str, now: datetime) -> Steps[Record | None]:
        """What the same command came to under this key, if it was kept before.

        Raises:
            DuplicateKey: the key was used for another command.
            RecordNotFound: the actor may no longer see the record.
        """
        entry: Entry | None = yield Call("by_key", (request.by.id, key))
        if entry is None:
            return None
        history: list[Entry] = yield Call("history", ([entry.record_id],))
        lifecycle = self._definitions.of_history(history)
        self._definitions.check_visible(replay(history, lifecycle), request.by)
        if not self._same(request, entry, now):
            raise DuplicateKey([entry.record_id], [key])
        last = entry
        for following in history[entry.sequence :]:
            if following.cause not in (entry.ref, last.ref):
                break
            last = following  # a step of the same act on the same record
        return replay(history[: last.sequence], lifecycle)

    def _kept_meanwhile(self, requests: Sequence[Request]) -> Steps[bool]:
        """Whether a key is used by now: a twin of this call may have been faster, then its outcome is the answer."""
        for request in requests:
            if request.key is not None and (yield Call("by_key", (request.by.id, request.key))) is not None:
                return True
        return False

    def _same(self, request: Request, entry: Entry, now: datetime) -> bool:
        """Whether an entry is what the request asks for: the same trigger, record, details and reason."""
        if isinstance(request, Fire):
            same = entry.record_id == request.id and entry.trigger == request.trigger
            return same and entry.details == request.details and entry.reason == request.reason
        if not isinstance(entry.details, Record) or type(entry.details) is not type(request.draft):
            return False
        lifecycle = self._definitions.of(request.draft)
        command = Command(trigger=entry.trigger, actor=request.by, now=now)
        initialize_draft = judging.initialize_draft(lifecycle, request.draft, command)
        return same_content(initialize_draft, entry.details, but=SET_BY_FOLD | {"id"})

    def _create(self, plan: Plan, request: Create, now: datetime) -> Steps[Record]:
        lifecycle = self._definitions.of(request.draft)
        command = Command(trigger="create", actor=request.by, now=now, at=request.at, key=request.key)
        command = changed(command, {"trigger": judging.creation(lifecycle, request.draft, command)})
        return (yield from self._act(plan, request.draft, command, ()))

    def _fire(self, plan: Plan, request: Fire, now: datetime, *, again: bool) -> Steps[Record]:
        command = Command(
            trigger=request.trigger,
            actor=request.by,
            now=now,
            at=request.at,
            details=request.details,
            reason=request.reason,
            key=request.key,
        )
        target = request.target
        # trusted, unless the act commutes and so goes by what is stored
        trusted = target if isinstance(target, Record) and not self._commutes(target, request.trigger) else None
        work = plan.work.get(request.id)
        if work is None and trusted is not None and not again:
            work = plan.add(trusted.id, Work(before=trusted, record=trusted, holder=request.by))
        elif work is None:
            stored: Record = (yield Call("get", ([request.id],)))[0]
            work = plan.add(stored.id, Work(before=stored, record=stored))
        self._definitions.check_visible(work.record, request.by)
        seen = request.seen
        if seen is not None and (work.record is trusted or not self._commutes(work.record, request.trigger)):
            if seen != work.record.version and (plan.apart or seen != work.expected):
                raise StaleRecord(request.id, seen, work.record.version)
            plan.see(work, work.expected)
        return (yield from self._act(plan, work.record, command, ()))

    def _raise_if_moved(self, plan: Plan) -> Steps[None]:
        """A refusal may only mean that a record in hand has moved meanwhile: then that is what its holder must hear.

        Raises:
            StaleRecord: the stored version is another.
            RecordNotFound: there is none that the holder may see.
        """
        for id, work in plan.work.items():
            if work.holder is not None and work.before is not None:
                yield from self._compare(id, work.before.version, work.holder)

    def _compare(self, id: str, seen: int, actor: Actor) -> Steps[None]:
        stored: Record = (yield Call("get", ([id],)))[0]
        self._definitions.check_visible(stored, actor)
        if stored.version != seen:
            raise StaleRecord(id, seen, stored.version)

    def _commutes(self, record: Record, trigger: str) -> bool:
        return self._definitions.of(record).commutes(trigger)

    def _act(self, plan: Plan, record: Record, command: Command, path: tuple[str, ...]) -> Steps[Record]:
        """Decide one act, put it into the plan, then its steps. `path` is the chain of acts that led here."""
        path = judging.check_step_cycle(path, record, command.trigger)
        lifecycle = self._definitions.of(record)
        decision = judging.decide(lifecycle, record, command)
        work = plan.work.get(record.id)
        if work is None:
            work = plan.add(record.id, Work(before=None, record=decision.record))
        elif not record.version:
            raise InvalidValue("id", "twice", {"given": record.id})
        plan.move(work, decision.record, decision.entry)
        found = lifecycle.row(decision.entry.source, command.trigger)
        if found and found[0].on_conflict is OnConflict.STALE:
            plan.see(work, work.expected)
        for step in decision.steps:
            yield from self._step(plan, step, command, decision.entry, path)
        return plan.work[record.id].record

    def _step(self, plan: Plan, step: Step, command: Command, cause: Entry, path: tuple[str, ...]) -> Steps[None]:
        target: Record
        if isinstance(step.target, Record) and not step.target.version:
            target = step.target if step.target.id else changed(step.target, {"id": self._new_id()})
        else:
            id = step.target if isinstance(step.target, str) else step.target.id
            if id not in plan.work:
                stored: Record = (yield Call("get", ([id],)))[0]
                plan.add(id, Work(before=stored, record=stored))
            target = plan.work[id].record
            if not step.system:
                self._definitions.check_visible(target, command.actor)
        yield from self._act(plan, target, judging.command_for_step(command, step, cause, target), path)

    def _raise_if_seen(self, plan: Plan, conflict: Conflict, requests: Sequence[Request]) -> Steps[None]:
        """A conflict about a version that somebody saw is theirs to hear of.

        Raises:
            StaleRecord: the stored version is another.
            RecordNotFound: there is none that they may see any more.
        """
        actor = {request.id: request.by for request in requests if isinstance(request, Fire)}
        for id in conflict.ids:
            work = plan.work.get(id)
            if work is not None and work.seen is not None:
                yield from self._compare(id, work.seen, actor.get(id, requests[0].by))

    def options(self, target: Record | str, actor: Actor) -> Steps[tuple[Option, ...]]:
        """What the actor may do with a record, and why not.

        Raises:
            RecordNotFound: there is none that the actor may see.
        """
        record: Record
        if isinstance(target, Record):
            if not target.version:
                raise InvalidValue("target", "not_stored")
            record = target
            self._definitions.check_visible(record, actor)
        else:
            record = yield from Reader(self._definitions).get(target, actor)
        lifecycle = self._definitions.of(record)
        now = self._clock()
        offered = []
        for option in judging.options(lifecycle, record, actor, now=now):
            if option.allowed and option.row.then is not None and option.details is None:
                refusals = yield from self._refusals_of_steps(record, option, actor, now)
                option = attrs.evolve(option, allowed=not refusals, refusals=refusals)
            offered.append(option)
        return tuple(offered)

    def _refusals_of_steps(
        self, record: Record, option: Option, actor: Actor, now: datetime
    ) -> Steps[tuple[Refusal, ...]]:
        """Why the steps of an act that needs no details would be refused; found by deciding it all, unkept."""
        reason = "?" if option.reason_required else ""
        command = Command(trigger=option.trigger, actor=actor, now=now, reason=reason)
        try:
            yield from self._act(Plan(), record, command, ())
        except TransitionRefused as refused:
            return tuple(one for one in refused.refusals if isinstance(one, Refusal))
        except RecordNotFound as missing:
            params = {"lifecycle": record.kind, "trigger": option.trigger, "ids": missing.ids}
            return (Refusal(code="step", params=params),)
        return ()


def _pause(attempt: int) -> float:
    """How long to wait before deciding again: by chance, so that rivals part, and longer each time."""
    from random import uniform  # only a conflict needs it

    return uniform(0, min(_LONGEST_PAUSE, _PAUSE * 2 ** min(attempt, 10)))
