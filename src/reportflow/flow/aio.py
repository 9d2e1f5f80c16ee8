"""`AsyncReportFlow`: the verbs of `ReportFlow`, awaited, each driving the very same generators."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Generator,
    Iterable,
    Iterator,
    Sequence,
)
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, cast, overload

from reportflow.errors import ReportflowError
from reportflow.flow import offers
from reportflow.flow.base import GRACE, LIMIT, RETRY_LOCK_TIMEOUT, FlowBase, typed, typed_page
from reportflow.flow.bulk import CHUNK, Outcome, Stream
from reportflow.flow.effects import BlockingCall, Effects, HostCall, Pause
from reportflow.flow.queries import KeyUse
from reportflow.flow.requests import Create, Fire, Request
from reportflow.lifecycle.decision import Option
from reportflow.model.actor import Actor, Person
from reportflow.model.attachment import Attachment
from reportflow.model.entry import Entry
from reportflow.model.query import Page, Query, R, grouping
from reportflow.model.record import Record
from reportflow.storage.base import AsyncStore, FeedItem, Group, Of

if TYPE_CHECKING:
    from reportflow.flow.attachments import Download, SupportsRead
    from reportflow.flow.erasing import ErasurePlan
    from reportflow.flow.heads import FilePath
    from reportflow.flow.verification import Verification, Verifier


T = TypeVar("T")


class AsyncReportFlow(FlowBase[AsyncStore]):
    """`ReportFlow`, awaited: records of any kinds, moved by their lifecycles and kept by an asynchronous store.

    An asynchronous context manager; awaited itself, it opens its store and gives itself. Every call says who asks,
    reads too: what the actor may not see does not exist for them. All calls may be made from several tasks of one event
    loop. A call that is cancelled has written everything or nothing.

    Args:
        store: Keeps the records; closed with the flow.
        lifecycles: The definitions, one or several, also several versions of one.
        clock: Gives the time, aware.
        new_id: Gives the ids of new records.
        retry_timeout: How long a call is retried after conflicts, in seconds.
        catalog: The texts of its errors; those of this library unless given.
        clock_tolerance: By how many seconds a caller's clock may differ: so far `at` may lie after the clock's now, or
            before the record's creation.
        zone: The time zone in which days, months and years are counted and times shown, or its name, such as
            ``Asia/Shanghai``; that of the machine unless given.
        observe: Called with each `Incident`: retries and conflicts that were given up.
        people: Who exists, by id, where the host can say: a mapping, a function, or an object that can be searched
            too; see `People`.
        files: Keeps the contents of files, such as `DirectoryFiles`. Without it attachments are only named, and their
            bytes are the host's.
        file_rules: Which files are taken; see `FileRules` for those that are unless it is given.

    Raises:
        InvalidDefinition: two lifecycles of one name and version.
        InvalidValue: what was given is no store, or no lifecycle.
    """

    _new_lock = asyncio.Lock

    def __await__(self) -> Generator[Any, None, Self]:
        return self._opened().__await__()

    async def _opened(self) -> Self:
        try:
            await self._drive(self._look_around())  # a store that opens itself at its first call does so now
        except BaseException:
            await self.close()
            raise
        return self

    async def __aenter__(self) -> Self:
        return await self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the store. Closing twice is fine; every other call then raises `StorageClosed`."""
        self._closed = True
        await self._store.close()

    # -- writing ------------------------------------------------------------------------------------------------

    async def create(
        self, draft: R, *, by: Actor, trigger: str | None = None, at: datetime | None = None, key: str | None = None
    ) -> R:
        """Create a record from a draft.

        Args:
            draft: Made by ``X.draft(…)``, with what its creation accepts. Its unit is the actor's unless it names one.
            by: Who creates it.
            trigger: By which row, where several create; else the first that permits the actor.
            at: When it came to be, up to now; now unless given.
            key: The idempotency key: used before by this actor for the same draft, it gives the record of then.

        Raises:
            TransitionRefused: with every refusal.
            UnknownTrigger: the lifecycle has no such trigger.
            InvalidValue: a value that cannot be stored.
            AlreadyExists: the draft brings an id that is taken.
            DuplicateKey: the key was used for another request.
            StorageError: the store cannot keep it.
        """
        return typed((await self._one(Create(draft, by=by, trigger=trigger, at=at, key=key))), type(draft))

    @overload
    async def fire(
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
        head: str | None = None,
    ) -> R: ...

    @overload
    async def fire(
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
        head: str | None = None,
        type: type[R] = ...,
    ) -> R: ...

    async def fire(
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
        head: str | None = None,
        type: type[Record] = Record,
    ) -> Record:
        """Fire a transition of a record, and get the record after it.

        Args:
            target: The record as the caller saw it, or its id. Of a record its id, version and head count.
            trigger: What to do.
            details: The details that the transition needs.
            by: Who does it.
            reason: Why.
            at: When it happened, from the record's creation up to now; now unless given.
            key: The idempotency key: used before by this actor for the same request, it gives the record of then.
            version: With an id: the version that the caller saw.
            head: With an id: the head that the caller saw, which stands for the content too.
            type: With an id: the class of the record.

        Raises:
            TransitionRefused: with every refusal.
            StaleRecord: the version or head that the caller saw is no longer the stored one.
            RecordNotFound: there is no such record that the actor may see.
            UnknownTrigger: the lifecycle has no such trigger.
            InvalidValue: a value that cannot be stored, a time out of range, or a record of another class.
            DuplicateKey: the key was used for another request.
            Conflict: other writers were faster until the deadline.
            StorageError: the store cannot keep it.
        """
        request = Fire(target, trigger, details, by=by, reason=reason, at=at, key=key, version=version, head=head)
        return typed((await self._one(request)), type)

    async def erase(
        self,
        target: Record | str | Query,
        *,
        by: Actor,
        fields: Iterable[str] = (),
        person: str | None = None,
        reason: str = "",
        plan: bool = False,
        key: str | None = None,
    ) -> ErasurePlan:
        """See `ReportFlow.erase`; a call that is cancelled has erased some of the records, each whole."""
        from reportflow.flow.erasing import ErasureRequest, erase  # few programs erase

        asked = ErasureRequest(target, by=by, fields=fields, person=person, reason=reason, key=key)
        return await self._drive(erase(self._handler, self._queries, asked, plan=plan))

    async def batch(self, requests: Iterable[Request]) -> list[Record]:
        """Several creations and transitions, decided together and committed at once: all of them, or none.

        Each is decided on the result of the ones before it. Gives one record for each request, as it was after it.

        Raises:
            Whatever `create` and `fire` raise; then nothing was written.
        """
        return await self._drive(self._batch(requests))

    def run(
        self,
        requests: Iterable[Request] | AsyncIterable[Request],
        *,
        on_error: Literal["stop", "skip"] = "stop",
        progress: Callable[[int], object] | None = None,
        chunk: int = CHUNK,
    ) -> AsyncIterator[Outcome]:
        """Run many requests, each for itself; gives one outcome a request, in order. Lazy: use ``async for``.

        The requests are taken from the iterable `chunk` at a time; each chunk is committed at once, or one by one where
        there is a conflict. The arguments are checked when this is called.

        Args:
            requests: Any iterable of `Create` and `Fire`, each with its own actor, time, key and trigger;
                or an asynchronous one.
                What it raises is raised here, after the outcomes of all that it gave before.
            on_error: With "stop" the first error is raised; with "skip" it is the outcome of its request, and only a
                lost store ends the run. What was committed before stays in both cases, and an error names its `place`
                in the stream.
            progress: Called with the number of requests done, after each chunk; awaited where it can be.
            chunk: How many are held in memory, and committed at once.

        Raises:
            InvalidValue: an argument is none of these.
            Whatever `create` and `fire` raise, while it is iterated over; `InvalidValue` also for an object of the
                stream that is no request.
        """
        return self._run(self._stream(requests, on_error, progress, chunk, awaits=True))

    async def _run(self, stream: Stream) -> AsyncIterator[Outcome]:
        async for requests in stream.awaited_chunks():
            with stream.placed():
                results = await self._drive(stream.effects(requests))
            for outcome in stream.outcomes(requests, results):
                yield outcome
            if stream.progress is not None:
                said = stream.progress(stream.done)
                if isinstance(said, Awaitable):
                    await said

    # -- reading ------------------------------------------------------------------------------------------------

    async def options(self, target: Record | str, *, by: Actor) -> tuple[Option, ...]:
        """See `ReportFlow.options`."""
        return await self._drive(offers.options(self._handler, target, by))

    async def get(self, id: str, *, by: Actor, type: type[R] = Record) -> R:  # type: ignore[assignment]  # R's default
        """A record as it is now.

        Args:
            id: Its id.
            by: Who asks.
            type: The class of the record.

        Raises:
            RecordNotFound: there is no such record that the actor may see.
            UnreadableRecord: its row cannot be read.
            InvalidValue: it is of another class.
        """
        return typed(self._given_out(await self._drive(self._queries.get(id, by))), type)

    async def find(self, query: Query, *, by: Actor, type: type[R] = Record) -> Page[R]:  # type: ignore[assignment]  # ditto
        """A page of what the actor may see of a query; records that cannot be read are named by `Page.unreadable`.

        Raises:
            InvalidValue: a name that no definition has, a cursor of another order, or a record of another class.
        """
        return typed_page(self._all_given_out(await self._drive(self._queries.find(query, by))), type)

    async def inbox(self, *, by: Actor, limit: int = 100, cursor: str | None = None) -> Page:
        """What waits for the actor: visible, in a state that awaits one of their roles, not assigned to another.

        What is due comes first, then the oldest.

        Raises:
            InvalidValue: the cursor is not one of an inbox.
        """
        return self._all_given_out(await self._drive(self._queries.inbox(by, limit=limit, cursor=cursor)))

    async def count(
        self, query: Query, *, by: Actor, of: Of = "records", group: str | Sequence[str] = ()
    ) -> dict[Group, int]:
        """How many records, or entries of theirs, by group; see `Store.count`. Computed in the store.

        Raises:
            InvalidValue: an unknown group, or a name that no definition has.
        """
        return await self._drive(self._queries.count(query, by, of, grouping(of, group)))

    async def history(self, id: str, *, by: Actor) -> list[Entry]:
        """What happened to a record, oldest first.

        Raises:
            RecordNotFound: there is no such record that the actor may see.
        """
        return await self._drive(self._queries.history(id, by))

    def histories(self, query: Query, *, by: Actor) -> AsyncIterator[tuple[Record, list[Entry]]]:
        """See `ReportFlow.histories`; use ``async for``."""
        return self._histories(self._queries.histories(query, by))

    async def _histories(
        self, pages: Iterator[Effects[list[tuple[Record, list[Entry]]]]]
    ) -> AsyncIterator[tuple[Record, list[Entry]]]:
        for effects in pages:
            for record, entries in await self._drive(effects):
                yield self._given_out(record), entries

    async def feed(self, after: int | None = None, *, by: Actor, limit: int = 100) -> list[FeedItem]:
        """See `ReportFlow.feed`."""
        return await self._drive(self._queries.feed(after, by, limit))

    async def as_of(
        self,
        id: str,
        *,
        by: Actor,
        version: int | None = None,
        time: datetime | None = None,
        happened: datetime | None = None,
        type: type[R] = Record,  # type: ignore[assignment]  # ditto
    ) -> R:
        """See `ReportFlow.as_of`."""
        return typed((await self._drive(self._queries.as_of(id, by, version, time, happened))), type)

    async def by_key(self, key: str, *, by: Actor) -> KeyUse | None:
        """See `ReportFlow.by_key`."""
        return await self._drive(self._queries.by_key(key, by))

    async def people(self, asked: str | Collection[str], *, by: Actor, limit: int = 20) -> dict[str, Person]:
        """See `ReportFlow.people`."""
        return await self._drive(self._handler.people.shown(asked, by, limit))

    # -- files --------------------------------------------------------------------------------------------------

    async def upload(
        self, content: bytes | SupportsRead, *, name: str, by: Actor, media_type: str = "", size: int | None = None
    ) -> Attachment:
        """See `ReportFlow.upload`; what blocks is done in a thread."""
        return await self._drive(self._upload(content, name, by, media_type, size))

    async def download(self, id: str, attachment: Attachment | str, *, by: Actor) -> Download:
        """See `ReportFlow.download`; what blocks is done in a thread."""
        return await self._drive(self._download(id, attachment, by))

    async def sweep_files(self, *, grace: float = GRACE) -> list[str]:
        """See `ReportFlow.sweep_files`; what blocks is done in a thread."""
        return await self._drive(self._sweep(grace))

    # -- verifying ----------------------------------------------------------------------------------------------

    async def verify(
        self,
        *,
        by: Actor | None = None,
        after: str | None = None,
        limit: int = LIMIT,
        against: FilePath | None = None,
        progress: Callable[[Verification], object] | None = None,
    ) -> Verification:
        """See `ReportFlow.verify`."""
        verifier = self._verifier(by=by, after=after, limit=limit, against=against, progress=progress)
        return await self._drive(verifier.verify())

    def heads(self, *, by: Actor | None = None) -> AsyncIterator[str]:
        """The heads of all records as lines of a file, each with its line end, to be kept elsewhere. Lazy.

        Args:
            by: Whose view it is: only records that they may see. None: all records, for the operator of the host.
        """
        return self._heads(self._verifier(by=by))

    async def _heads(self, verifier: Verifier) -> AsyncIterator[str]:
        for effects in verifier.heads():
            for line in await self._drive(effects):
                yield line

    # ---------------------------------------------------------------------------------------------------------------

    async def _one(self, request: Request) -> Record:
        (record,) = await self._drive(self._handler.run([request]))
        return record

    async def _drive(self, effects: Effects[T]) -> T:
        try:
            self._check_open()
            return await drive(self._store, effects, self._retry_lock)
        except ReportflowError as error:
            error.use(self._catalog, self._zone)
            raise


async def drive(store: AsyncStore, effects: Effects[T], retry_lock: asyncio.Lock) -> T:
    """Run a generator of effects on an asynchronous store; calls that are retried take turns, as in `driving.drive`."""
    answer: Any = None
    failure: ReportflowError | None = None
    locked = False
    try:
        while True:
            try:
                effect = effects.send(answer) if failure is None else effects.throw(failure)
            except StopIteration as stop:
                result: T = stop.value
                return result
            answer, failure = None, None
            if isinstance(effect, Pause):
                locked = locked or await _acquired(retry_lock)
                await asyncio.sleep(effect.seconds)
                continue
            if isinstance(effect, HostCall):
                found = effect.run()
                answer = await found if isinstance(found, Awaitable) else found
                continue
            try:
                if isinstance(effect, BlockingCall):
                    answer = await asyncio.to_thread(effect.run)
                else:
                    answer = await effect.run(cast(Any, store))  # the same calls, which return awaitables
            except ReportflowError as error:
                failure = error
    finally:
        if locked:
            retry_lock.release()


async def _acquired(lock: asyncio.Lock) -> bool:
    try:
        async with asyncio.timeout(RETRY_LOCK_TIMEOUT):
            return await lock.acquire()
    except TimeoutError:
        return False
