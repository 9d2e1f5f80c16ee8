"""Faults of asynchronous stores whose tasks are cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TypeVar

from reportflow import Change, Page, Query
from reportflow.storage.refusing import check_changes
from tests.testing.faulty_stores.fault import caught_by
from tests.testing.faulty_stores.handles import Awaiting

T = TypeVar("T")


@caught_by("test_what_a_cancelled_commit_leaves")
class LeavesHalfWhenCancelled(Awaiting):
    """Writes change by change, and waits between: a task that is cancelled leaves the first ones."""

    async def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        self.data._compare(changes)
        for change in changes:
            await asyncio.sleep(0)
            self.data._set([change])


@caught_by("test_what_a_cancelled_commit_leaves")
class PostsAfterwards(Awaiting):
    """Keeps a commit, waits, and posts it then: a task that is cancelled leaves entries that nobody is shown."""

    async def commit(self, changes: Sequence[Change]) -> None:
        await asyncio.sleep(0)
        known = len(self.data._feed)
        self.data.commit(changes)
        new = self.data._feed[known:]
        del self.data._feed[known:]
        await asyncio.sleep(0)
        self.data._feed.extend(new)


@caught_by("test_what_a_cancelled_commit_leaves")
class StaysLockedWhenCancelled(Awaiting):
    """Takes a lock, and lets go of it where the work is done, not where the task ends."""

    def __init__(self) -> None:
        super().__init__()
        self._busy = asyncio.Lock()

    async def commit(self, changes: Sequence[Change]) -> None:
        await self._busy.acquire()
        await asyncio.sleep(0)
        try:
            self.data.commit(changes)
        except Exception:
            self._busy.release()
            raise
        await asyncio.sleep(0)
        self._busy.release()


@caught_by("test_what_a_cancelled_commit_leaves")
class GoesOnWhenCancelled(Awaiting):
    """Writes in the background: what a cancelled task had begun is written at any later time."""

    async def commit(self, changes: Sequence[Change]) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def later() -> None:
            for _ in range(60):
                await asyncio.sleep(0)
            try:
                self.data.commit(changes)
            except Exception as error:
                if not done.cancelled():
                    done.set_exception(error)
            else:
                if not done.cancelled():
                    done.set_result(None)

        self._task = asyncio.ensure_future(later())
        await done


@caught_by("test_what_a_cancelled_read_leaves")
class ReadsStayLocked(Awaiting):
    """Takes a lock to read, and lets go of it where the page is there, not where the task ends."""

    def __init__(self) -> None:
        super().__init__()
        self._busy = asyncio.Lock()

    async def find(self, query: Query) -> Page:
        await self._busy.acquire()
        await asyncio.sleep(0)
        try:
            return self.data.find(query)
        finally:
            self._busy.release()
