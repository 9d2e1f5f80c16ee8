"""`AsyncReportFlow`: the verbs of `ReportFlow`, awaited, each driving the same generators of `handle`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Sequence
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
from reportflow.storage.base import AsyncStore, Group, Of

T = TypeVar("T")
R = TypeVar("R", bound=Record)


class AsyncReportFlow(Calls[AsyncStore]):
    """`ReportFlow`, awaited: the same verbs, with the same arguments, answers and errors.

    An asynchronous context manager; awaited itself, it opens its store and gives itself. All calls may be made from
    several tasks of one event loop. A call that is cancelled has written everything or nothing.

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

    _lock = asyncio.Lock

    def __await__(self) -> Generator[Any, None, Self]:
        return self._opened().__await__()

    async def _opened(self) -> Self:
        try:
            await self._store.get(())  # a store that opens itself at its first call does so now
        except BaseException:
            await self.close()
            raise
        return self

    async def __aenter__(self) -> Self:
        return await self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the store."""
        await self._store.close()

    # -- writing ------------------------------------------------------------------------------------------------

    async def create(self, draft: R, *, by: Actor, at: datetime | None = None, key: str | None = None) -> R:
        """See `ReportFlow.create`."""
        created: R = await self._one(Create(draft, by=by, at=at, key=key))
        return created

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
    ) -> Any: ...

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
    ) -> Any:
        """See `ReportFlow.fire`."""
        return await self._one(Fire(target, trigger, details, by=by, reason=reason, at=at, key=key, version=version))

    async def batch(self, requests: Iterable[Request]) -> list[Record]:
        """See `ReportFlow.batch`."""
        return await self._drive(self._batch(requests))

    def create_all(
        self,
        drafts: Iterable[Record],
        *,
        by: Actor,
        on_refusal: Literal["abort", "skip"] = "abort",
        at: datetime | None = None,
        progress: Callable[[int], object] | None = None,
        chunk: int = CHUNK,
    ) -> AsyncIterator[Outcome]:
        """See `ReportFlow.create_all`."""
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
    ) -> AsyncIterator[Outcome]:
        """See `ReportFlow.fire_all`."""
        requests = (
            Fire(target, trigger, details, by=by, reason=reason, at=at) for target in several("targets", targets)
        )
        return self._all(requests, on_refusal, progress, chunk)

    async def _all(
        self, requests: Iterable[Request], on_refusal: str, progress: Callable[[int], object] | None, chunk: int
    ) -> AsyncIterator[Outcome]:
        done = 0
        for some, steps in self._chunks(requests, on_refusal, chunk):
            results = await self._drive(steps)
            for request, result in zip(some, results, strict=False):
                done += 1
                yield outcome(request, result, on_refusal)
            if progress is not None:
                progress(done)

    # -- reading ------------------------------------------------------------------------------------------------

    async def options(self, target: Record | str, *, by: Actor) -> tuple[Option, ...]:
        """See `ReportFlow.options`."""
        return await self._drive(self._handler.options(target, by))

    async def get(self, id: str, *, by: Actor) -> Any:
        """See `ReportFlow.get`."""
        return await self._drive(self._reader.get(id, by))

    async def find(self, query: Query, *, by: Actor) -> Page:
        """See `ReportFlow.find`."""
        return await self._drive(self._reader.find(query, by))

    async def inbox(self, *, by: Actor, limit: int = 100, cursor: str | None = None) -> Page:
        """See `ReportFlow.inbox`."""
        return await self._drive(self._reader.inbox(by, limit=limit, cursor=cursor))

    async def count(
        self, query: Query, *, by: Actor, of: Of = "records", group: str | Sequence[str] = ()
    ) -> dict[Group, int]:
        """See `ReportFlow.count`."""
        return await self._drive(self._reader.count(query, by, of, grouping(of, group)))

    async def history(self, id: str, *, by: Actor) -> list[Entry]:
        """See `ReportFlow.history`."""
        return await self._drive(self._reader.history(id, by))

    async def as_of(self, id: str, *, by: Actor, version: int | None = None, time: datetime | None = None) -> Any:
        """See `ReportFlow.as_of`."""
        return await self._drive(self._reader.as_of(id, by, version, time))

    # ---------------------------------------------------------------------------------------------------------------

    async def _one(self, request: Request) -> Any:
        return (await self._drive(self._handler.run([request])))[0]

    async def _drive(self, steps: Steps[T]) -> T:
        return await drive(self._store, steps, self._turn)


async def drive(store: AsyncStore, steps: Steps[T], turn: asyncio.Lock) -> T:
    """Run a generator of `handle` on a store, as the blocking `drive` does: calls that lost take turns."""
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
                mine = mine or await _taken(turn)
                await asyncio.sleep(asked.seconds)
                continue
            try:
                answer = await getattr(store, asked.name)(*asked.arguments)
            except ReportflowError as raised:
                error = raised
    finally:
        if mine:
            turn.release()


async def _taken(turn: asyncio.Lock) -> bool:
    try:
        async with asyncio.timeout(TURN):
            return await turn.acquire()
    except TimeoutError:
        return False
