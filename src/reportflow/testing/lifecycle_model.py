"""The due result of each call, computed a second time over plain lists: the model of a lifecycle's machine.

`decide` gives the result of one act; visibility, expected versions, idempotency keys and steps are written here as
plainly as can be, and share no code with the flow.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from reportflow.errors import (
    AlreadyExists,
    ContentErased,
    DuplicateKey,
    InvalidValue,
    RecordNotFound,
    ReportflowError,
    RuleFailed,
    StaleRecord,
    StepsUnbounded,
    TransitionRefused,
    UnknownTrigger,
)
from reportflow.flow.requests import Create, Fire, Request, request_of
from reportflow.lifecycle.decision import DEPTH, Decision, decide, initialize_draft
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.erasure import erase
from reportflow.lifecycle.history import replay
from reportflow.lifecycle.refusing import refused, refused_for_step
from reportflow.lifecycle.retraction import retraction_refusals
from reportflow.lifecycle.table import EVERYBODY, OnConflict, Step, Transition
from reportflow.model.actor import Actor
from reportflow.model.entry import Command, Entry
from reportflow.model.record import Record
from reportflow.model.values import changed
from reportflow.testing.broken import BrokenPromise, Raised, outcome, raised
from reportflow.testing.differences import shown
from reportflow.testing.doubles import Surroundings
from reportflow.testing.lifecycle_requests import UsedKey
from reportflow.testing.lifecycle_sight import Sight

#: `decide`, or what stands for it.
Judge = Callable[[Lifecycle, Record, Command], Decision]
#: How often a rule is judged again before a different result is taken for the flow's fault.
_OFTEN: Final = 40


class Model(Sight):
    """Each record at each version, and the due results of calls.

    Attributes:
        versions: id -> the record at each version, oldest first.
        entries: id -> its entries.
        keys: (actor, key) -> the request that used it.
        number: How many ids were given.
        given_out: The id and version of each record that the flow gave out: that very object spares it the read.
    """

    def __init__(self, lifecycles: Iterable[Lifecycle]) -> None:
        self.versions: dict[str, list[Record]] = {}
        self.entries: dict[str, list[Entry]] = {}
        self.keys: dict[tuple[str, str], UsedKey] = {}
        self.number: int = 0
        self.given_out: set[tuple[str, int]] = set()
        super().__init__(lifecycles)
        self._surroundings = Surroundings(self._given.values())
        self._last: list[tuple[Lifecycle, Record, Command, Decision | Raised]] = []

    @property
    def records(self) -> dict[str, Record]:
        """Each record as it is."""
        return {id: versions[-1] for id, versions in self.versions.items()}

    def new_id(self) -> str:
        """The next id: known beforehand, so that a run can be replayed."""
        self.number += 1
        return f"r{self.number}"

    # -- the due results -----------------------------------------------------------------------------------

    def judged(self, lifecycle: Lifecycle, record: Record, command: Command) -> Decision:
        """What `decide` says, asked twice.

        Raises:
            BrokenPromise: a rule raised, answered differently the second time, or changed something.
            ReportflowError: what `decide` raises.
        """
        chosen, around = copy.deepcopy(command.details), self._surroundings.now()
        one: Decision | Raised = outcome(lambda: decide(lifecycle, record, command))
        self._last.append((lifecycle, record, command, one))
        self._ask_again(lifecycle, record, command, one)
        facts = {"lifecycle": lifecycle.name, "trigger": command.trigger}
        now = self._surroundings.now()
        around, now = {**around, "the details": chosen}, {**now, "the details": command.details}
        for name, before in around.items():
            if now.get(name) != before:
                raise BrokenPromise("side_effect", **facts, what=name, one=shown(before), other=shown(now.get(name)))
        if isinstance(one, Raised):
            if isinstance(one.error, RuleFailed):
                raise BrokenPromise("rule", given=str(one.error)) from one.error
            raise one.error
        return one

    def ask_again(self) -> None:
        """Ask everything again that the last call was judged by, often enough to distinguish chance from a wrong flow.

        Raises:
            BrokenPromise: an answer differs.
        """
        for asked in self._last:
            for _ in range(_OFTEN):
                self._ask_again(*asked)

    def _ask_again(self, lifecycle: Lifecycle, record: Record, command: Command, one: Decision | Raised) -> None:
        other = outcome(lambda: decide(lifecycle, record, command))
        if one != other:
            facts = {"lifecycle": lifecycle.name, "trigger": command.trigger}
            raise BrokenPromise("fickle", **facts, one=shown(one), other=shown(other))

    def call(self, requests: Sequence[Request], now: datetime, between: Callable[[], object] | None = None) -> Any:
        """The due result of requests made together: the records, kept in the model, or `Raised` and nothing kept.

        `between` is the concurrent write before the first commit.
        """
        ids = [self._id_of(request) for request in requests]
        self._last.clear()
        again = False
        while True:
            attempt = Attempt(self, now, again=again, judged=self.judged)
            try:
                results = [attempt.perform(request, id) for request, id in zip(requests, ids, strict=True)]
            except TransitionRefused as refused:
                return self._moved(attempt.holders, attempt.loaded) or raised(refused)
            except ReportflowError as error:
                return raised(error)
            if between is not None and attempt.acts:
                between()
                between = None
            written = dict.fromkeys(entry.record_id for _, entry in attempt.acts)
            taken = [id for id in written if attempt.loaded.get(id) is None and id in self.versions]
            if taken:
                return raised(AlreadyExists(taken))
            moved = [id for id in written if len(self.versions.get(id, ())) != (attempt.loaded.get(id) or 0)]
            if not moved:
                self._keep(attempt, requests, results)
                return results
            again = True
            if any(one.key is not None and (one.by.id, one.key) in self.keys for one in requests):
                continue  # a duplicate request was faster: its result is the answer
            fires = {one.id: one for one in requests if isinstance(one, Fire)}
            seen = {id: fires.get(id, requests[0]).by for id in moved if id in attempt.seen}
            unnamed = {id for id in seen if id not in fires or not fires[id].saw_something}
            stale = self._moved(seen, attempt.loaded, unnamed)
            if stale is not None:
                return stale

    def tried(self, target: Record, command: Command) -> None:
        """Try a command on a record, or the creation of a draft, as things are; nothing is kept.

        Raises:
            ReportflowError: it is refused, or one of its steps is.
            BrokenPromise: a rule of the definition raised, or answered differently the second time.
        """
        acts = self._acts_of(target, command)
        again = outcome(lambda: self._acts_of(target, command))
        lifecycle = self.lifecycle_of(target)
        if again != acts:
            said = {"one": shown(acts), "other": shown(again)}
            raise BrokenPromise("fickle", lifecycle=lifecycle.name, trigger=command.trigger, **said)
        if acts[0][1].trigger != command.trigger:  # another creation takes the actor first
            raise UnknownTrigger(lifecycle.name, command.trigger, ())

    def _acts_of(self, target: Record, command: Command) -> list[tuple[Record, Entry]]:
        """What a command would write."""
        number = self.number
        attempt, request = Attempt(self, command.now, again=False), request_of(target, command)
        try:
            attempt.perform(request, self._id_of(request))
        except RuleFailed as error:
            raise BrokenPromise("rule", given=str(error)) from error
        finally:
            self.number = number
        return attempt.acts

    def _id_of(self, request: Request) -> str:
        """The id of the record that a request is about; a new one for what it creates."""
        return request.id if isinstance(request, Fire) else request.draft.id or self.new_id()

    def _moved(
        self, holders: dict[str, Actor], loaded: dict[str, int | None], unnamed: Collection[str] = ()
    ) -> Raised | None:
        """The error due to the first of them whose record has moved since they saw it; some named no version."""
        for id, actor in holders.items():
            stored = self.versions[id][-1]
            if not self.sees(actor, stored):
                return raised(RecordNotFound([id]))
            if stored.version != loaded[id]:
                return raised(StaleRecord(id, loaded[id] or 0, stored.version, named=id not in unnamed))
        return None

    def _keep(self, attempt: Attempt, requests: Sequence[Request], results: Sequence[Record]) -> None:
        for record, entry in attempt.acts:
            self.versions.setdefault(record.id, []).append(record)
            self.entries.setdefault(record.id, []).append(entry)
        for request, record in zip(requests, results, strict=True):
            if request.key is not None:
                self.keys.setdefault((request.by.id, request.key), UsedKey(request, record))
        for id, erased in attempt.erased.items():
            self._erase(id, erased)

    def _erase(self, id: str, erased: Mapping[int, Entry]) -> None:
        """Put what remains of entries in their place: each version, and each result of a key, is then without it."""
        entries = self.entries[id] = [erased.get(one.sequence, one) for one in self.entries[id]]
        definitions = self._given.values()
        versions = self.versions[id] = [replay(entries[:number], definitions) for number in range(1, len(entries) + 1)]
        for key, (request, record) in self.keys.items():
            if record.id == id:
                self.keys[key] = UsedKey(request, versions[record.version - 1])


class Attempt:
    """Requests decided once, one upon the other, on what the model holds.

    Attributes:
        acts: What would be written, in order.
        loaded: The version at which each record came in; None for one that is created.
        erased: id -> what remains of those entries of a record of which something is erased.
        seen: The records of which a caller saw a version and decided on it.
        holders: The actors whose snapshots they are.
    """

    def __init__(self, model: Model, now: datetime, *, again: bool, judged: Judge = decide) -> None:
        self.acts: list[tuple[Record, Entry]] = []
        self.loaded: dict[str, int | None] = {}
        self.erased: dict[str, dict[int, Entry]] = {}
        self.seen: set[str] = set()
        self.holders: dict[str, Actor] = {}
        self._model = model
        self._now = now
        self._again = again
        self._judged = judged
        self._records: dict[str, Record] = {}

    def perform(self, request: Request, id: str) -> Record:
        """The due result of one request about the record of an id.

        Raises:
            ReportflowError: the error that is due.
        """
        model = self._model
        kept = None if request.key is None else model.keys.get((request.by.id, request.key))
        if kept is not None and request.key is not None:
            used = kept.record.id
            if not model.sees(request.by, model.versions[used][-1]):
                raise RecordNotFound([used])
            entries = model.entries[used]
            entry = next(one for one in entries if (one.actor.id, one.key) == (request.by.id, request.key))
            noted = [one for later in entries for one in later.erased if one.sequence == entry.sequence]
            erased = {part for one in noted for part in one.fields}
            if not self._same(request, kept.request) or erased - {"actor"}:
                if erased and self._may_be(request, entry):
                    raise ContentErased(used, entry.sequence)
                raise DuplicateKey([used], [request.key])
            if not model.sees(request.by, kept.record):
                raise RecordNotFound([used])
            return kept.record
        command = Command(trigger="", actor=request.by, now=self._now, at=request.at, key=request.key, id=id)
        if isinstance(request, Create):
            trigger = self._creation(request.draft, command)
            return self._act(request.draft, attrs.evolve(command, trigger=trigger), ())
        chosen: dict[str, Any] = {"trigger": request.trigger, "details": request.details, "reason": request.reason}
        return self._act(self._aimed(request), attrs.evolve(command, **chosen), ())

    def _creation(self, draft: Record, command: Command) -> str:
        """Of several creations the first that takes the actor, else the first."""
        lifecycle = self._model.lifecycle_of(draft)
        complete = initialize_draft(lifecycle, draft, command)
        rows = [row for row in lifecycle.transitions if None in row.sources]
        return next((row for row in rows if self._takes(lifecycle, row, complete, command.actor)), rows[0]).trigger

    def _takes(self, lifecycle: Lifecycle, row: Transition, draft: Record, actor: Actor) -> bool:
        if EVERYBODY in row.roles:
            return draft.secrecy.rank <= actor.clearance.rank
        return bool(row.roles & self._model.held(lifecycle, draft, actor))

    def _may_be(self, request: Request, entry: Entry) -> bool:
        """Whether an entry whose content was erased may be that of a request."""
        if isinstance(request, Create):
            return type(request.draft) is type(entry.details)
        return (request.id, request.trigger) == (entry.record_id, entry.trigger)

    def _same(self, one: Request, other: Request) -> bool:
        """Whether two requests ask for the same, so that one key serves both."""
        if isinstance(one, Create) and isinstance(other, Create):
            return self._asked_for(one) == self._asked_for(other)
        if isinstance(one, Create) or isinstance(other, Create):
            return False
        chosen = ("id", "trigger", "details", "reason")
        return all(getattr(one, name) == getattr(other, name) for name in chosen)

    def _asked_for(self, request: Create) -> Record:
        """What a creation asks for, whatever its id: a draft without a unit is one of its creator's unit."""
        draft = request.draft
        return changed(draft, {"id": "", "kind": self._kind(draft), "unit": draft.unit or request.by.unit})

    def _kind(self, draft: Record) -> str:
        """The kind of a draft; where it names none, the one lifecycle of its class."""
        return draft.kind or next(name for name, one in self._model._newest.items() if one.record is type(draft))

    def _aimed(self, request: Fire) -> Record:
        """The record that a request is about: the snapshot, or the stored one."""
        model, id = self._model, request.id
        if id not in self._records:
            target = request.target
            known = isinstance(target, Record) and (id, target.version) in model.given_out
            if known and isinstance(target, Record) and not self._again and not model.commutes(target, request.trigger):
                self._records[id], self.loaded[id] = target, target.version
                self.holders[id] = request.by
            else:
                self._load(id)
        record = self._records[id]
        if not model.sees(request.by, record):
            raise RecordNotFound([id])
        if request.saw_something and not model.commutes(record, request.trigger):
            if request.version_seen not in (record.version, self.loaded[id]):
                raise StaleRecord(id, request.version_seen, record.version)
            self.seen.add(id)
        return record

    def _load(self, id: str) -> None:
        if id not in self._model.versions:
            raise RecordNotFound([id])
        self._records[id] = self._model.versions[id][-1]
        self.loaded[id] = self._records[id].version

    def _act(self, record: Record, command: Command, path: tuple[str, ...]) -> Record:
        id = record.id or command.id
        here = f"{command.trigger} {id}"
        if here in path or len(path) > DEPTH:
            raise StepsUnbounded(id, command.trigger, [*path, here])
        lifecycle = self._model.lifecycle_of(record)
        decision = self._judged(lifecycle, record, command)
        found = lifecycle.row(decision.entry.source, command.trigger)
        if found is not None and found[0].erases is not None:
            decision = self._erased(lifecycle, record, command, decision)
        if refusals := tuple(retraction_refusals(decision.entry, self._written(id), lifecycle.labels)):
            raise refused(lifecycle, record, command.trigger, refusals)
        if id not in self._records:
            self.loaded[id] = None
        elif not record.version:
            raise InvalidValue("id", "twice", {"given": id})
        self._records[id] = decision.record
        self.acts.append((decision.record, decision.entry))
        if found is not None and found[0].on_conflict is OnConflict.STALE:
            self.seen.add(id)
        for step in decision.steps:
            self._step(step, command, record, decision.entry, (*path, here))
        return self._records[id]

    def _written(self, id: str) -> list[Entry]:
        """All entries of a record, of this call too."""
        return [*self._model.entries.get(id, ()), *(entry for _, entry in self.acts if entry.record_id == id)]

    def _erased(self, lifecycle: Lifecycle, record: Record, command: Command, decision: Decision) -> Decision:
        """An act that erases, with what it erases of the entries before it."""
        id, definitions = record.id, self._model._given.values()
        known = self.erased.setdefault(id, {})
        written = self._written(id)
        if len(written) != record.version:
            return decision  # of a version that is no longer the stored one: it will be stale
        history = [known.get(one.sequence, one) for one in written]
        decision, rest = erase(decision, lifecycle, record, command, history, definitions)
        known.update((one.sequence, one) for one in rest)
        return decision

    def _step(self, step: Step, command: Command, before: Record, cause: Entry, path: tuple[str, ...]) -> None:
        at, new_id = cause.at, ""
        if isinstance(step.target, Record) and not step.target.version:
            new_id = step.target.id or self._model.new_id()
            target = changed(step.target, {"kind": self._kind(step.target)})
        else:
            id = step.target if isinstance(step.target, str) else step.target.id
            if id not in self._records:
                self._load(id)
            target = self._records[id]
            if not step.system and not self._model.sees(command.actor, target):
                raise RecordNotFound([id])
            at = max(at, min(target.created_at or at, command.now))
        asked: dict[str, Any] = {"trigger": step.trigger, "details": step.details, "reason": step.reason, "id": new_id}
        try:
            self._act(target, attrs.evolve(command, **asked, at=at, step=True, key=None, cause=cause.ref), path)
        except TransitionRefused as error:
            if error.id != target.id or not target.version or self._model.sees(command.actor, target):
                raise
            raise refused_for_step(self._model.lifecycle_of(before), before, command) from None
