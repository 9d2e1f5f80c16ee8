"""Who waits for what happens: one look at the store for all readers of a portal in a process, and one ping.

Theory of operation. A `FeedRoom` has the readers of one event loop. While it has any, one task looks behind the last
position of the feed every second. Where something is new, it reads the records concerned, once for all. Each reader who
sees one of them is woken, and asks the flow what of it they may read; readers who see the same, since all that they see
is by role and unit, share the answer. No reader has a timer: the same task pings
those who have heard nothing for a while, ends the streams that are old, since a server that shuts down waits for them,
and closes those whose reader does not take what is sent. What waits for a reader is one mark, so it cannot grow.

Calls have threads of their own, so that many readers do not keep pages waiting.
"""

from __future__ import annotations

import asyncio
import json
from asyncio import AbstractEventLoop
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

import attrs

from reportflow.errors import ReportflowError
from reportflow.flow.aio import AsyncReportFlow
from reportflow.flow.sync import ReportFlow
from reportflow.model.actor import Actor, Scope
from reportflow.model.query import Page, Query
from reportflow.model.record import Record
from reportflow.serialization.plain import to_plain
from reportflow.storage.base import FeedItem
from reportflow.web.calling import Caller
from reportflow.web.site import LOG

#: How many items are read at a time.
_SOME: Final = 100
#: How many new items are looked at one by one, to find out whom they concern.
_MANY: Final = 500
#: How far roles reach whose holders see the same, all of a unit.
_BY_UNIT: Final = frozenset({Scope.UNIT, Scope.ANY})
#: The last position that a feed can have.
_LAST: Final = 2**63 - 1
#: How many calls for readers run at once.
_THREADS: Final = 2


class Listening:
    """The rooms of a portal, one for each event loop.

    Args:
        flow: Whose feed.
        timeout: How many seconds a call may take.
        look: Every how many seconds the store is asked for more.
        ping: After how many seconds without news a reader is sent a line that says nothing.
        life: After how many seconds a stream ends.
        patience: How many seconds a reader may leave what was sent.
        most: How many readers there may be at once in a room.
    """

    def __init__(
        self,
        flow: ReportFlow | AsyncReportFlow,
        timeout: float,
        *,
        look: float = 1.0,
        ping: float = 15.0,
        life: float = 300.0,
        patience: float = 30.0,
        most: int = 1000,
    ) -> None:
        self.flow = flow
        self.call: Caller = Caller(_THREADS, timeout)
        self.look: float = look
        self.ping: float = ping
        self.life: float = life
        self.patience: float = patience
        self.most: int = most
        self._rooms: WeakKeyDictionary[AbstractEventLoop, FeedRoom] = WeakKeyDictionary()

    def room(self) -> FeedRoom:
        """The room of the running event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._rooms:
            self._rooms[loop] = FeedRoom(self)
        return self._rooms[loop]


class FeedReader:
    """One stream, and how far it has come.

    Attributes:
        actor: Who reads.
        after: The position behind which nothing was sent yet that the reader may see.
        until: When the stream ends, by the clock of the event loop.
        fresh: Whether something may be new.
        close: Ends the stream at once.
    """

    def __init__(self, actor: Actor, after: int, until: float) -> None:
        self.actor = actor
        self.after = after
        self.until = until
        self.fresh: bool = False
        self.is_over = False
        self.close: Callable[[], object] = lambda: None
        self.woken_at: float | None = None
        self.heard_at: float = 0.0
        self._awake = asyncio.Event()

    def wake(self, now: float) -> None:
        """Let it go on."""
        if self.woken_at is None:
            self.woken_at = now
        self._awake.set()

    async def wait(self) -> None:
        """Until there is something to do."""
        if not self.fresh and not self.is_over:
            await self._awake.wait()
        self._awake.clear()
        self.woken_at = None
        self.heard_at = asyncio.get_running_loop().time()

    def take_fresh(self) -> bool:
        """Whether something may be new; from now on it is not."""
        fresh = self.fresh
        self.fresh = False
        return fresh


class FeedLine(NamedTuple):
    """An item of the feed, and its entry as JSON: written once for all who read the same."""

    item: FeedItem
    text: str


class FeedRoom:
    """The readers of one event loop."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening
        self._readers: set[FeedReader] = set()
        self._end: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._reads: dict[tuple[Actor, int, int], asyncio.Task[list[FeedLine]]] = {}
        self._finding: asyncio.Task[int] | None = None

    @property
    def is_full(self) -> bool:
        """Whether there are as many readers as there may be."""
        return len(self._readers) >= self._listening.most

    def reader(self, actor: Actor, after: int) -> FeedReader:
        """A reader who is not here yet."""
        return FeedReader(actor, after, asyncio.get_running_loop().time() + self._listening.life)

    def enter(self, reader: FeedReader) -> None:
        """Wake a reader from now on."""
        reader.fresh = self._end is None or reader.after < self._end
        reader.heard_at = asyncio.get_running_loop().time()
        self._readers.add(reader)
        if self._task is None:
            self._task = asyncio.create_task(self._watch())

    def leave(self, reader: FeedReader) -> None:
        """Wake it no more; nobody is left to look for after the last one."""
        self._readers.discard(reader)
        if not self._readers and self._task is not None:
            self._task.cancel()
            self._task = None

    # -- reading --------------------------------------------------------------------------------------------------

    async def end(self) -> int:
        """The last position of the feed; while there are readers, as of the last look.

        Raises:
            ReportflowError: the store cannot be read.
        """
        if self._task is not None and self._end is not None:
            return self._end
        if self._finding is None:
            self._finding = asyncio.create_task(self._find_end())
            self._finding.add_done_callback(self._found_end)
        return await asyncio.shield(self._finding)

    def _found_end(self, task: asyncio.Task[int]) -> None:
        self._finding = None
        if not task.cancelled():
            task.exception()  # those who wait for it raise it

    async def _find_end(self) -> int:
        """The last position, from the last one that was known on; each look takes one item.

        Positions only grow, so it lies between one that something is behind, and one that nothing is behind.
        """
        known = self._end or 0
        step = 1
        if await self._any_behind(known):
            least, most = known, known + step
            while await self._any_behind(most):
                step *= 2
                least, most = most, min(most + step, _LAST)
            while most - least > 1:
                middle = (least + most) // 2
                if await self._any_behind(middle):
                    least = middle
                else:
                    most = middle
            known = most
        self._end = known
        return known

    async def _any_behind(self, position: int) -> bool:
        return bool(await self._listening.call(self._listening.flow.store.feed, position, 1))

    async def items(self, reader: FeedReader) -> AsyncGenerator[list[FeedLine]]:
        """What is new for a reader, page by page.

        Raises:
            ReportflowError: the store cannot be read.
        """
        while True:
            end = reader.after if self._end is None else self._end
            items = await self._read(reader.actor, reader.after, end)
            if items:
                yield items
                reader.after, reader.woken_at = items[-1].item.position, None
            if len(items) < _SOME:  # so all up to the end was looked at
                reader.after = max(reader.after, end)
                return

    async def _read(self, actor: Actor, after: int, end: int) -> list[FeedLine]:
        """What a person may see behind a position, shared by those who ask at the same time."""
        key = (
            self._sight(actor),
            after,
            end,
        )  # one that was begun when the end was another one may have missed what is new
        task = self._reads.get(key)
        if task is None:
            task = asyncio.create_task(self._lines(actor, after))
            self._reads[key] = task

            def done(ended: asyncio.Task[list[FeedLine]]) -> None:
                self._reads.pop(key, None)
                if not ended.cancelled():
                    ended.exception()

            task.add_done_callback(done)
        return await asyncio.shield(task)

    async def _lines(self, actor: Actor, after: int) -> list[FeedLine]:
        items = await self._listening.call(self._listening.flow.feed, after, by=actor, limit=_SOME)
        return [FeedLine(item, json.dumps(to_plain(item.entry), ensure_ascii=False)) for item in items]

    def _sight(self, actor: Actor) -> Actor:
        """What stands for all actors who see the same: those all of whose roles reach by unit, or everywhere."""
        scopes = {one.roles[role] for one in self._listening.flow.lifecycles for role in actor.roles & one.roles.keys()}
        return attrs.evolve(actor, id="-", name="", post="") if scopes <= _BY_UNIT else actor

    # -- watching -------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Look for what is new, and after the readers, until cancelled."""
        while True:
            before = self._end
            try:
                fresh = await self._look()
            except ReportflowError as error:
                LOG.warning("the feed cannot be read: %s", type(error).__name__)
                fresh = () if self._end == before else None
            now = asyncio.get_running_loop().time()
            for reader in tuple(self._readers):
                self._tend(reader, fresh, now)
            await asyncio.sleep(self._listening.look)

    async def _look(self) -> Sequence[Record] | None:
        """The records to which something happened since the last look; None: they are too many, or not known."""
        before = self._end
        if await self._find_end() == before:
            return ()
        if before is None:
            return None
        store, call = self._listening.flow.store, self._listening.call
        items: list[FeedItem] = await call(store.feed, before, _MANY)
        if len(items) == _MANY:
            return None
        ids = {item.entry.record_id for item in items if item.unreadable is None}
        page: Page = await call(store.find, Query(id=ids, limit=_MANY)) if ids else Page(())
        return page.records

    def _concerns(self, actor: Actor, records: Sequence[Record] | None) -> bool:
        """Whether an actor may see one of some records."""
        return records is None or any(
            one.name == record.kind and one.sees(record, actor)
            for record in records
            for one in self._listening.flow.lifecycles
        )

    def _tend(self, reader: FeedReader, news: Sequence[Record] | None, now: float) -> None:
        if reader.woken_at is not None and now - reader.woken_at > self._listening.patience:
            reader.close()
            return
        reader.fresh = reader.fresh or self._concerns(reader.actor, news)
        reader.is_over = reader.is_over or now >= reader.until
        if reader.fresh or reader.is_over or now - reader.heard_at >= self._listening.ping:
            reader.wake(now)
