"""`ReportFlow`: the verbs, each driving the generators of `handle` on a store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, Self, TypeVar, overload

from reportflow.errors import ReportflowError
from reportflow.flow.base import CHUNK, TURN, Calls, Outcome, outcome, several
from reportflow.flow.requests import Create, Fire, Request, Steps, Wait
from reportflow.lifecycle.decision import Option
from reportflow.model.actor import Actor
from reportflow.model.entry import Entry
from reportflow.model.query import Page, Query, grouping
from reportflow.model.record import Record
from reportflow.storage.base import Group, Of, Store

T = TypeVar("T")
R = TypeVar("R", bound=Record)


class ReportFlow(Calls[Store]):
    """Records of any kinds, moved by their lifecycles and kept by a store. A context manager.

    Every call says who asks, reads too: what they may not see does not exist for them. All calls may be made from
    several threads.

    Args:
        store: Keeps the records; closed with the flow.
        lifecycles: The definitions, one or several, also several versions of one.
        clock: Gives the time, aware.
        new_id: Gives the ids of new records.
        retry_timeout: How long a call is decided again after conflicts, in seconds.

    Raises:
        InvalidDefinition: two lifecycles of one name and version.
        InvalidValue: what was given is no store, or no lifecycle.
    """

    _lock = threading.Lock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    # -- writing ------------------------------------------------------------------------------------------------

    def create(self, draft: R, *, by: Actor, at: datetime | None = None, key: str | None = None) -> R:
        """Create a record from a draft.

        Args:
            draft: Made by ``X.draft(…)``. Its unit is the actor's unless it names one.
            by: Who creates it.
            at: When it came to be, up to now; now unless given.
            key: With a key of this actor used before for the same draft, the record of then is given back.

        Raises:
            TransitionRefused: with every refusal.
            InvalidValue: a value that may not be kept.
            AlreadyExists: the draft brings an id that is taken.
            DuplicateKey: the key was used for another command.
            StorageError: the store cannot keep it.
        """
        created: R = self._one(Create(draft, by=by, at=at, key=key))
        return created

    @overload
    def fire(
        self,
        target: R,
        trigger: str,
        details: object = None,
        *,
        by: Actor,
        reason: str = "",
        at: datetime | None = None,
        key: str | None = None,
        version: int | None = None,
    ) -> R: ...

    @overload
    def fire(
        self,
        target: str,
        trigger: str,
        details: object = None,
        *,
        by: Actor,
        reason: str = "",
        at: datetime | None = None,
        key: str | None = None,
        version: int | None = None,
    ) -> Any: ...

    def fire(
        self,
        target: Record | str,
        trigger: str,
        details: object = None,
        *,
        by: Actor,
        reason: str = "",
        at: datetime | None = None,
        key: str | None = None,
        version: int | None = None,
    ) -> Any:
        """Do something to a record, and get the record after it.

        Args:
            target: The record as it was seen, or its id.
            trigger: What to do.
            details: What the transition must be told.
            by: Who does it.
            reason: Why.
            at: When it happened, from the record's creation up to now; now unless given.
            key: With a key of this actor used before for the same command, the record of then is given back.
            version: With an id: the version that was seen.

        Raises:
            TransitionRefused: with every refusal.
            StaleRecord: the version that was seen is no longer the stored one.
            RecordNotFound: there is no such record that the actor may see.
            UnknownTrigger: the lifecycle has no such trigger.
            InvalidValue: a value that may not be kept, or a time out of range.
            DuplicateKey: the key was used for another command.
            Conflict: others were faster for longer than the retry_timeout lasts.
            StorageError: the store cannot keep it.
        """
        return self._one(Fire(target, trigger, details, by=by, reason=reason, at=at, key=key, version=version))

    def batch(self, requests: Iterable[Request]) -> list[Record]:
        """Several creations and transitions, decided together and kept in one commit: all of them, or none.

        Each is decided on what the ones before it came to. Gives one record for each request, as it was after it.

        Raises:
            Whatever `create` and `fire` raise; then nothing was kept.
        """
        return self._drive(self._batch(requests))

    def create_all(
        self,
        drafts: Iterable[Record],
        *,
        by: Actor,
        on_refusal: Literal["abort", "skip"] = "abort",
        at: datetime | None = None,
        progress: Callable[[int], object] | None = None,
        chunk: int = CHUNK,
    ) -> Iterator[Outcome]:
        """Create many records; gives one outcome a draft, in their order. See `fire_all`.

        Raises:
            Whatever `create` raises.
        """
        requests = (Create(draft, by=by, at=at) for draft in several("drafts", drafts))
        return self._all(requests, on_refusal, progress, chunk)

    def fire_all(
        self,
        targets: Iterable[Record | str],
        trigger: str,
        details: object = None,
        *,
        by: Actor,
        on_refusal: Literal["abort", "skip"] = "abort",
        reason: str = "",
        at: datetime | None = None,
        progress: Callable[[int], object] | None = None,
        chunk: int = CHUNK,
    ) -> Iterator[Outcome]:
        """Do the same to many records; gives one outcome a record, in their order, as it is asked for.

        They are taken from the iterable `chunk` at a time, and each chunk is kept in one commit, or, where somebody
        else is faster, record by record. With ``on_refusal="skip"`` a refusal is the outcome of its record; with
        "abort" it is raised, and those before it stay done.

        Args:
            targets: Any iterable of records as they were seen, and of ids.
            trigger: What to do.
            details: What the transition must be told.
            by: Who does it.
            on_refusal: "abort" or "skip".
            reason: Why.
            at: When it happened; now unless given.
            progress: Called with the number of records done, after each chunk.
            chunk: How many are held in memory, and kept in one commit.

        Raises:
            Whatever `fire` raises.
        """
        requests = (
            Fire(target, trigger, details, by=by, reason=reason, at=at) for target in several("targets", targets)
        )
        return self._all(requests, on_refusal, progress, chunk)

    def _all(
        self, requests: Iterable[Request], on_refusal: str, progress: Callable[[int], object] | None, chunk: int
    ) -> Iterator[Outcome]:
        done = 0
        for some, steps in self._chunks(requests, on_refusal, chunk):
            results = self._drive(steps)
            for request, result in zip(some, results, strict=False):
                done += 1
                yield outcome(request, result, on_refusal)
            if progress is not None:
                progress(done)

    # -- reading ------------------------------------------------------------------------------------------------

    def options(self, target: Record | str, *, by: Actor) -> tuple[Option, ...]:
        """Everything that can be done to a record, each allowed or not with every reason.

        Raises:
            RecordNotFound: there is no such record that the actor may see.
        """
        return self._drive(self._handler.options(target, by))

    def get(self, id: str, *, by: Actor) -> Any:
        """A record as it is now.

        Raises:
            RecordNotFound: there is no such record that the actor may see.
        """
        return self._drive(self._reader.get(id, by))

    def find(self, query: Query, *, by: Actor) -> Page:
        """A page of what the actor may see of a query.

        Raises:
            InvalidValue: the cursor is not one of this query's order.
        """
        return self._drive(self._reader.find(query, by))

    def inbox(self, *, by: Actor, limit: int = 100, cursor: str | None = None) -> Page:
        """What waits for the actor: visible, in a state that awaits one of their roles, not assigned to another.

        What is due comes first, then the oldest.

        Raises:
            InvalidValue: the cursor is not one of an inbox.
        """
        return self._drive(self._reader.inbox(by, limit=limit, cursor=cursor))

    def count(
        self, query: Query, *, by: Actor, of: Of = "records", group: str | Sequence[str] = ()
    ) -> dict[Group, int]:
        """How many records, or entries of theirs, by group; see `Store.count`. Computed in the store.

        Raises:
            InvalidValue: an unknown group.
        """
        return self._drive(self._reader.count(query, by, of, grouping(of, group)))

    def history(self, id: str, *, by: Actor) -> list[Entry]:
        """What happened to a record, oldest first.

        Raises:
            RecordNotFound: there is no such record that the actor may see.
        """
        return self._drive(self._reader.history(id, by))

    def as_of(self, id: str, *, by: Actor, version: int | None = None, time: datetime | None = None) -> Any:
        """A record as it was at a version, or as it was known at a time.

        Raises:
            RecordNotFound: there is no such record that the actor may see, now or as it was.
            InvalidValue: not exactly one of the two, or there was no such version or record then.
        """
        return self._drive(self._reader.as_of(id, by, version, time))

    # ---------------------------------------------------------------------------------------------------------------

    def _one(self, request: Request) -> Any:
        return self._drive(self._handler.run([request]))[0]

    def _drive(self, steps: Steps[T]) -> T:
        return drive(self._store, steps, self._turn)


def drive(store: Store, steps: Steps[T], turn: threading.Lock) -> T:
    """Run a generator of `handle` on a store: make its calls, and send it the answers and errors.

    Calls that lost and are decided again take turns. Without that, sixteen threads on one record mostly make each other
    lose: they take twice as long, and the unluckiest one waits four times as long.
    """
    answer: Any = None
    error: ReportflowError | None = None
    mine = False
    try:
        while True:
            try:
                asked = steps.send(answer) if error is None else steps.throw(error)
            except StopIteration as done:
                result: T = done.value
                return result
            answer, error = None, None
            if isinstance(asked, Wait):
                mine = mine or turn.acquire(timeout=TURN)
                time.sleep(asked.seconds)
                continue
            try:
                answer = getattr(store, asked.name)(*asked.arguments)
            except ReportflowError as raised:
                error = raised
    finally:
        if mine:
            turn.release()
