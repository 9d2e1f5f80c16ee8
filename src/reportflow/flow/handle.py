"""Load, decide, commit, retry: the one place where they meet.

Everything here is a generator that yields what it wants of the outside, a `Call` of the store or a `Wait`, and is sent
the answer; so it knows no I/O, and the blocking and the asynchronous driver run the very same lines.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar

import attrs

from reportflow.errors import (
    Conflict,
    DuplicateKey,
    InvalidDefinition,
    InvalidValue,
    RecordNotFound,
    StaleRecord,
    StepsUnbounded,
    StorageBusy,
    TransitionRefused,
    UnknownLifecycle,
)
from reportflow.lifecycle import decide, replay
from reportflow.lifecycle.decide import Option
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.guard import Refusal
from reportflow.lifecycle.rows import OnConflict, Step
from reportflow.model.actor import Actor
from reportflow.model.entry import Command, Entry, same_content
from reportflow.model.query import Grant, Page, Query, Visibility
from reportflow.model.record import SET_BY_FOLD, Record
from reportflow.model.values import Fault, changed, not_blank, text_problem
from reportflow.storage.contract import Change, Group, Of

#: How long a call is decided again after conflicts, in seconds.
PATIENCE: Final = 5.0
#: How deep `then` steps may go.
DEPTH: Final = 8
_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.05


class Call(NamedTuple):
    """Asks the driver for a call of the store; its answer, or its error, comes back."""

    name: str
    arguments: tuple[Any, ...]


class Wait(NamedTuple):
    """Asks the driver to let some seconds pass."""

    seconds: float


T = TypeVar("T")
Steps = Generator[Call | Wait, Any, T]


def _at(value: datetime | None) -> datetime | None:
    if value is not None and (not isinstance(value, datetime) or value.utcoffset() is None):
        given = value.isoformat() if isinstance(value, datetime) else repr(value)
        raise InvalidValue("at", "naive", {"given": given})
    return value


def _actor(value: Any) -> Actor:
    if not isinstance(value, Actor):
        raise InvalidValue("by", "type", {"expected": "Actor", "given": repr(value)[:60]})
    return value


def _text(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    problem = None if value is None else text_problem(value)
    if problem:
        raise InvalidValue(attribute.name, *problem)


@attrs.frozen
class Create:
    """A creation asked for, as `ReportFlow.create` takes it."""

    draft: Record
    by: Actor = attrs.field(kw_only=True, converter=_actor)
    at: datetime | None = attrs.field(default=None, kw_only=True, converter=_at)
    key: str | None = attrs.field(default=None, kw_only=True, validator=[_text, not_blank])


@attrs.frozen
class Fire:
    """A transition asked for, as `ReportFlow.fire` takes it."""

    target: Record | str
    trigger: str
    details: object = None
    by: Actor = attrs.field(kw_only=True, converter=_actor)
    reason: str = attrs.field(default="", kw_only=True, validator=_text)
    at: datetime | None = attrs.field(default=None, kw_only=True, converter=_at)
    key: str | None = attrs.field(default=None, kw_only=True, validator=[_text, not_blank])
    version: int | None = attrs.field(default=None, kw_only=True)

    @property
    def id(self) -> str:
        """The id of the record."""
        return self.target if isinstance(self.target, str) else self.target.id

    @property
    def seen(self) -> int | None:
        """The version that the caller saw; None where only an id was named."""
        return self.target.version if isinstance(self.target, Record) else self.version


Request = Create | Fire


@attrs.define(eq=False)
class _Work:
    """One record on its way through a batch: as it was loaded, as it is now, and what happened in between."""

    before: Record | None
    record: Record
    entries: list[Entry] = attrs.field(factory=list)
    #: The version that somebody saw and decided on; a conflict is then theirs to hear of.
    seen: int | None = None

    @property
    def expected(self) -> int | None:
        return None if self.before is None else self.before.version


class _Plan:
    """What a batch comes to: every record that it touches."""

    def __init__(self) -> None:
        self.work: dict[str, _Work] = {}

    def changes(self) -> list[Change]:
        return [
            Change(record=one.record, expected=one.expected, entries=one.entries, before=one.before)
            for one in self.work.values()
            if one.entries
        ]


class Handler:
    """What a flow does, as generators.

    Raises:
        InvalidDefinition: two lifecycles of one name and version.
    """

    def __init__(
        self,
        lifecycles: Iterable[Lifecycle],
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        patience: float = PATIENCE,
    ) -> None:
        self._clock = clock
        self._new_id = new_id
        self._patience = patience
        self._lifecycles: dict[tuple[str, int], Lifecycle] = {}
        self._newest: dict[str, Lifecycle] = {}
        for one in lifecycles:
            if (one.name, one.version) in self._lifecycles:
                facts = {"name": one.name, "version": one.version}
                raise InvalidDefinition(one.name, [Fault("lifecycle_twice", facts)])
            self._lifecycles[one.name, one.version] = one
            if one.name not in self._newest or self._newest[one.name].version < one.version:
                self._newest[one.name] = one

    # -- lifecycles ---------------------------------------------------------------------------------------------

    @property
    def lifecycles(self) -> tuple[Lifecycle, ...]:
        """All definitions that were given."""
        return tuple(self._lifecycles.values())

    def lifecycle_of(self, record: Record) -> Lifecycle:
        """The definition that a record lives by; for a draft the newest of its kind.

        Raises:
            UnknownLifecycle: it was not given to this flow.
            InvalidValue: a draft whose class has several lifecycles, and which names no kind.
        """
        if record.version:
            found = self._lifecycles.get((record.kind, record.lifecycle_version))
            if found is None:
                raise self._unknown(record.kind, record.lifecycle_version)
            return found
        if record.kind:
            if record.kind not in self._newest:
                raise self._unknown(record.kind, None)
            return self._newest[record.kind]
        fitting = [one for one in self._newest.values() if one.record is type(record)]
        if len(fitting) > 1:
            raise InvalidValue("kind", "ambiguous", {"choices": [one.name for one in fitting]})
        if not fitting:
            raise self._unknown(type(record).__name__, None)
        return fitting[0]

    def _unknown(self, name: str, version: int | None) -> UnknownLifecycle:
        return UnknownLifecycle(name, version, [f"{one} {number}" for one, number in self._lifecycles])

    def visibility(self, actor: Actor, grants: Callable[[Lifecycle], tuple[Grant, ...]] | None = None) -> Visibility:
        """What an actor may see, as data for a query."""
        _actor(actor)
        given = grants or (lambda lifecycle: lifecycle.grants(actor))
        return Visibility(
            actor=actor.id,
            unit=actor.unit,
            clearance=actor.clearance,
            grants=tuple(grant for one in self._newest.values() for grant in given(one)),
        )

    def _check_visible(self, record: Record, actor: Actor) -> None:
        if not self.visibility(actor).covers(record):
            raise RecordNotFound([record.id])

    # -- writing ------------------------------------------------------------------------------------------------

    def run(self, requests: Sequence[Request]) -> Steps[list[Record]]:
        """Decide several requests together, each on what the ones before it came to, and keep them in one commit.

        Raises:
            Everything that `ReportFlow.create` and `ReportFlow.fire` raise.
        """
        now = self._clock()
        named = [self._named(request) for request in requests]
        deadline = time.monotonic() + self._patience
        attempt = 0
        while True:
            plan = _Plan()
            try:
                results: list[Record] = []
                for request in named:
                    results.append((yield from self._perform(plan, request, now, again=attempt > 0)))
                changes = plan.changes()
                if changes:
                    yield Call("commit", (changes,))
                return results
            except Conflict as conflict:
                yield from self._raise_if_seen(plan, conflict)
                if time.monotonic() > deadline:
                    raise
            except DuplicateKey:
                if attempt or not any(request.key for request in named):
                    raise  # the second look finds what a racing twin has kept, or somebody else's key
            except StorageBusy:
                if time.monotonic() > deadline:
                    raise
            attempt += 1
            yield Wait(_pause(attempt))

    def _named(self, request: Request) -> Request:
        """A creation with its id, taken once, so that deciding again creates the same record."""
        if isinstance(request, Fire):
            _check_target(request)
            return request
        if not isinstance(request, Create) or not isinstance(request.draft, Record):
            raise InvalidValue("draft", "type", {"expected": "Record", "given": repr(request)[:60]})
        draft = request.draft
        if draft.version or draft.state:
            facts = {"version": draft.version, "owner": type(draft).__name__}
            raise InvalidValue("draft", "not_a_draft", facts)
        return request if draft.id else attrs.evolve(request, draft=changed(draft, {"id": self._new_id()}))

    def _perform(self, plan: _Plan, request: Request, now: datetime, *, again: bool) -> Steps[Record]:
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
        """
        entry: Entry | None = yield Call("keyed", (request.by.id, key))
        if entry is None:
            return None
        history: list[Entry] = yield Call("history", ([entry.record_id],))
        record = replay.replay(history[: entry.sequence], self._lifecycle_in(history))
        if not self._same(request, entry, now):
            raise DuplicateKey([entry.record_id], [key])
        return record

    def _same(self, request: Request, entry: Entry, now: datetime) -> bool:
        """Whether an entry is what the request asks for: the same trigger, record, details and reason."""
        if isinstance(request, Fire):
            same = entry.record_id == request.id and entry.trigger == request.trigger
            return same and entry.details == request.details and entry.reason == request.reason
        if not isinstance(entry.details, Record) or type(entry.details) is not type(request.draft):
            return False
        lifecycle = self.lifecycle_of(request.draft)
        command = Command(trigger=entry.trigger, actor=request.by, now=now)
        begun = decide.begun(lifecycle, request.draft, command)
        return same_content(begun, entry.details, but=SET_BY_FOLD | {"id"})

    def _create(self, plan: _Plan, request: Create, now: datetime) -> Steps[Record]:
        lifecycle = self.lifecycle_of(request.draft)
        command = Command(trigger=_creation(lifecycle), actor=request.by, now=now, at=request.at, key=request.key)
        return (yield from self._act(plan, request.draft, command, ()))

    def _fire(self, plan: _Plan, request: Fire, now: datetime, *, again: bool) -> Steps[Record]:
        command = Command(
            trigger=request.trigger,
            actor=request.by,
            now=now,
            at=request.at,
            details=request.details,
            reason=request.reason,
            key=request.key,
        )
        work = plan.work.get(request.id)
        if work is None:
            work = yield from self._load(plan, request, again=again)
        self._check_visible(work.record, request.by)
        seen = request.seen
        if seen is not None and not self._commutes(work.record, request.trigger):
            if seen not in (work.record.version, work.expected):
                raise StaleRecord(request.id, seen, work.record.version)
            work.seen = work.expected
        try:
            return (yield from self._act(plan, work.record, command, ()))
        except TransitionRefused as refused:
            in_hand = isinstance(request.target, Record) and not again and refused.id == request.id
            if not in_hand or work.entries:
                raise
            return (yield from self._after_refusal(plan, request, command, refused))

    def _load(self, plan: _Plan, request: Fire, *, again: bool) -> Steps[_Work]:
        """The record in hand, trusted; else the stored one."""
        if isinstance(request.target, Record) and not again:
            record = request.target
        else:
            record = (yield Call("get", ([request.id],)))[0]
        work = plan.work[request.id] = _Work(before=record, record=record)
        return work

    def _after_refusal(self, plan: _Plan, request: Fire, command: Command, refused: TransitionRefused) -> Steps[Record]:
        """A refusal of a record in hand may only mean that it has moved meanwhile."""
        stored: Record = (yield Call("get", ([request.id],)))[0]
        self._check_visible(stored, request.by)
        assert isinstance(request.target, Record)
        if stored.version == request.target.version:
            raise refused
        if not self._commutes(stored, request.trigger):
            raise StaleRecord(request.id, request.target.version, stored.version) from refused
        plan.work[request.id] = _Work(before=stored, record=stored)
        return (yield from self._act(plan, stored, command, ()))

    def _commutes(self, record: Record, trigger: str) -> bool:
        rows = self.lifecycle_of(record).rows(trigger)
        return all(row.on_conflict is OnConflict.COMMUTES for row in rows)

    def _act(self, plan: _Plan, record: Record, command: Command, path: tuple[str, ...]) -> Steps[Record]:
        """Decide one act, put it into the plan, then its steps. `path` is the chain of acts that led here."""
        here = f"{command.trigger} {record.id}"
        if here in path or len(path) > DEPTH:
            raise StepsUnbounded(record.id, command.trigger, [*path, here])
        lifecycle = self.lifecycle_of(record)
        decision = decide.decide(lifecycle, record, command)
        work = plan.work.get(record.id)
        if work is None:
            work = plan.work[record.id] = _Work(before=None, record=decision.record)
        elif not record.version:
            raise InvalidValue("id", "twice", {"given": record.id})
        work.record = decision.record
        work.entries.append(decision.entry)
        found = lifecycle.row(decision.entry.source, command.trigger)
        if found and found[0].on_conflict is OnConflict.STALE:
            work.seen = work.expected
        for step in decision.steps:
            yield from self._step(plan, step, command, decision.entry, (*path, here))
        return plan.work[record.id].record

    def _step(self, plan: _Plan, step: Step, command: Command, cause: Entry, path: tuple[str, ...]) -> Steps[None]:
        target: Record
        if isinstance(step.target, Record) and not step.target.version:
            target = step.target if step.target.id else changed(step.target, {"id": self._new_id()})
            at = cause.at
        else:
            id = step.target if isinstance(step.target, str) else step.target.id
            if id not in plan.work:
                stored: Record = (yield Call("get", ([id],)))[0]
                plan.work[id] = _Work(before=stored, record=stored)
            target = plan.work[id].record
            if not step.system:
                self._check_visible(target, command.actor)
            # A step happens with its cause; but nothing can happen to a record before it was there.
            at = max(cause.at, target.created_at or cause.at)
        follow_up = attrs.evolve(
            command,
            trigger=step.trigger,
            now=max(command.now, cause.recorded_at),
            at=at,
            details=step.details,
            reason=step.reason,
            key=None,
            cause=cause.ref,
            step=True,
        )
        yield from self._act(plan, target, follow_up, path)

    def _raise_if_seen(self, plan: _Plan, conflict: Conflict) -> Steps[None]:
        """A conflict about a version that somebody saw is theirs to hear of."""
        for id in conflict.ids:
            work = plan.work.get(id)
            if work is not None and work.seen is not None:
                stored: Record = (yield Call("get", ([id],)))[0]
                raise StaleRecord(id, work.seen, stored.version) from conflict

    # -- reading ------------------------------------------------------------------------------------------------

    def get(self, id: str, actor: Actor) -> Steps[Record]:
        """The record, if the actor may see it.

        Raises:
            RecordNotFound: there is none that the actor may see.
        """
        rule = self.visibility(actor)
        record: Record = (yield Call("get", ([_checked_id(id)],)))[0]
        if not rule.covers(record):
            raise RecordNotFound([id])
        return record

    def options(self, target: Record | str, actor: Actor) -> Steps[tuple[Option, ...]]:
        """What the actor may do with a record, and why not.

        Raises:
            RecordNotFound: there is none that the actor may see.
        """
        record: Record
        if isinstance(target, Record):
            record = target
            self._check_visible(record, actor)
        else:
            record = yield from self.get(target, actor)
        lifecycle = self.lifecycle_of(record)
        now = self._clock()
        offered = []
        for option in decide.options(lifecycle, record, actor, now=now):
            if option.allowed and option.row.then is not None and option.details is None:
                refusals = yield from self._refusals_of_steps(record, option, actor, now)
                option = attrs.evolve(option, allowed=not refusals, refusals=refusals)
            offered.append(option)
        return tuple(offered)

    def _refusals_of_steps(
        self, record: Record, option: Option, actor: Actor, now: datetime
    ) -> Steps[tuple[Refusal, ...]]:
        """Why the steps of an act that needs no details would be refused; found by deciding it all, unkept."""
        plan = _Plan()
        plan.work[record.id] = _Work(before=record, record=record)
        reason = "?" if option.reason_required else ""
        command = Command(trigger=option.trigger, actor=actor, now=now, reason=reason)
        try:
            yield from self._act(plan, record, command, ())
        except TransitionRefused as refused:
            return tuple(one for one in refused.refusals if isinstance(one, Refusal))
        return ()

    def find(self, query: Query, actor: Actor) -> Steps[Page]:
        """A page of what the actor may see of a query.

        Raises:
            InvalidValue: the cursor is not one of this query's order.
        """
        page: Page = yield Call("find", (attrs.evolve(query, visible=self.visibility(actor)),))
        return page

    def inbox(self, actor: Actor, *, limit: int, cursor: str | None) -> Steps[Page]:
        """What waits for the actor: in a state that awaits a role of theirs, not assigned to another.

        Raises:
            InvalidValue: the cursor is not one of an inbox.
        """
        page: Page = yield Call(
            "find",
            (
                Query(
                    assignee={None, actor.id},
                    visible=self.visibility(actor, lambda lifecycle: lifecycle.turns(actor)),
                    order=("due_at", "created_at"),
                    limit=limit,
                    cursor=cursor,
                ),
            ),
        )
        return page

    def count(self, query: Query, actor: Actor, of: Of, group: Sequence[str]) -> Steps[dict[Group, int]]:
        """How many, of what the actor may see.

        Raises:
            InvalidValue: an unknown group.
        """
        visible = attrs.evolve(query, visible=self.visibility(actor))
        found: dict[Group, int] = yield Call("count", (visible, of, group))
        return found

    def history(self, id: str, actor: Actor) -> Steps[list[Entry]]:
        """What happened to a record, oldest first.

        Raises:
            RecordNotFound: there is none that the actor may see.
        """
        yield from self.get(id, actor)
        entries: list[Entry] = yield Call("history", ([id],))
        return entries

    def as_of(self, id: str, actor: Actor, version: int | None, time: datetime | None) -> Steps[Record]:
        """The record as it was.

        Raises:
            RecordNotFound: there is none that the actor may see, now or as it was.
            InvalidValue: not exactly one of version and time, or there was no such version or record then.
        """
        history = yield from self.history(id, actor)
        record = replay.as_of(history, self._lifecycle_in(history), version=version, time=time)
        self._check_visible(record, actor)
        return record

    def _lifecycle_in(self, history: Sequence[Entry]) -> Lifecycle:
        """The definition that a history was written under: its draft says so."""
        draft = history[0].details
        assert isinstance(draft, Record)
        found = self._lifecycles.get((draft.kind, draft.lifecycle_version))
        if found is None:
            raise self._unknown(draft.kind, draft.lifecycle_version)
        return found


def _pause(attempt: int) -> float:
    """How long to wait before deciding again: by chance, so that rivals part, and longer each time."""
    from random import uniform  # only a conflict needs it

    return uniform(0, min(_LONGEST_PAUSE, _PAUSE * 2 ** min(attempt, 10)))


def _creation(lifecycle: Lifecycle) -> str:
    """The trigger that creates: "create" where there is one, else the first row without a source."""
    creations = [row.trigger for row in lifecycle.transitions if None in row.sources]
    return "create" if "create" in creations else creations[0]


def _checked_id(id: object) -> str:
    if not isinstance(id, str):
        raise InvalidValue("id", "type", {"expected": "str", "given": repr(id)[:60]})
    return id


def _check_target(request: Fire) -> None:
    if not isinstance(request.target, Record):
        _checked_id(request.target)
    elif not request.target.version:
        raise InvalidValue("target", "not_stored")
    elif request.version not in (None, request.target.version):
        raise InvalidValue("version", "other_version", {"given": request.version, "version": request.target.version})
