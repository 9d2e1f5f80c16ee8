"""Calls of a flow from the event loop: an asynchronous one is awaited, a blocking one runs in a thread.

The threads are the portal's own: those of AnyIO's default limit belong to the host. A thread cannot be stopped. One
whose time is over goes on by itself, and counts as used until it ends: while a database hangs, no more than so many
threads wait for it, and all other calls end in time.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from threading import Lock
from typing import Any, TypeVar

import anyio
from anyio.lowlevel import RunVar

from reportflow.errors import StorageBusy

T = TypeVar("T")
#: Yields calls, is sent what each of them gives, or gets what it raises, and gives something in the end.
Steps = Generator[Callable[[], Any], Any, T]


class Caller:
    """Calls what blocks in one of so many threads, and awaits what does not; each for so many seconds at the most.

    Args:
        threads: How many at once.
        timeout: How many seconds.
        around: Makes what is entered around each call in a thread, in that thread: for a host that keeps connections
            for each thread, and must be asked to look after them.
    """

    def __init__(
        self, threads: int, timeout: float, around: Callable[[], AbstractContextManager[Any]] = nullcontext
    ) -> None:
        self._threads = threads
        self._timeout = timeout
        self._around = around
        self._limiter: RunVar[anyio.CapacityLimiter] = RunVar("reportflow.web.threads")

    async def __call__(self, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """The result of a function, or of the coroutine that it gives.

        Raises:
            StorageBusy: it took too long.
            Exception: whatever it raises.
        """
        call = partial(function, *args, **named)
        with anyio.move_on_after(self._timeout):
            result = call() if is_async(function) else await self._in_thread(call)
            return await result if inspect.isawaitable(result) else result
        raise StorageBusy("web:", f"no answer within {self._timeout:g} s")

    async def in_turn(self, steps: Steps[T], *, awaits: bool) -> T:
        """What some steps give: calls that block are all made in one thread, since to change it takes as long as each.

        Args:
            steps: The calls.
            awaits: Whether they give what is to be awaited, and do not block.

        Raises:
            StorageBusy: all together took too long.
            Exception: whatever the steps raise.
        """
        result: T = await self(_awaited if awaits else _called, steps)
        return result

    async def _in_thread(self, call: Callable[[], Any]) -> Any:
        limiter, job = self._threads_here(), _Job(call, self._around)
        await limiter.acquire_on_behalf_of(job)
        try:
            return await anyio.to_thread.run_sync(job.run, limiter, abandon_on_cancel=True, limiter=_any_number())
        finally:
            if not job.abandon():
                limiter.release_on_behalf_of(job)

    def _threads_here(self) -> anyio.CapacityLimiter:
        return _limiter_here(self._limiter, self._threads)


def _called(steps: Steps[T]) -> T:
    """Make the calls of some steps."""
    try:
        call = next(steps)
        while True:
            try:
                result = call()
            except Exception as error:
                call = steps.throw(error)
            else:
                call = steps.send(result)
    except StopIteration as end:
        given: T = end.value
        return given


async def _awaited(steps: Steps[T]) -> T:
    """Make the calls of some steps, and await what they give."""
    try:
        call = next(steps)
        while True:
            try:
                result = await call()
            except Exception as error:
                call = steps.throw(error)
            else:
                call = steps.send(result)
    except StopIteration as end:
        given: T = end.value
        return given


class _Job:
    """One call in a thread, which may go on when nothing waits for it any more."""

    def __init__(self, call: Callable[[], Any], around: Callable[[], AbstractContextManager[Any]]) -> None:
        self._call = call
        self._around = around
        self._lock = Lock()
        self._begun = self._ended = self._abandoned = False

    def run(self, limiter: anyio.CapacityLimiter) -> Any:
        """Call it, in the thread."""
        with self._lock:
            if self._abandoned:  # its time was over before the thread began
                return None
            self._begun = True
        try:
            with self._around():
                return self._call()
        finally:
            with self._lock:
                self._ended, abandoned = True, self._abandoned
            if abandoned:
                with suppress(RuntimeError):  # the loop has ended meanwhile
                    anyio.from_thread.run_sync(limiter.release_on_behalf_of, self)

    def abandon(self) -> bool:
        """Wait for it no longer; gives whether it goes on, and will give back its thread itself."""
        with self._lock:
            self._abandoned = True
            return self._begun and not self._ended


_NO_LIMIT: RunVar[anyio.CapacityLimiter] = RunVar("reportflow.web.no_limit")


def _any_number() -> anyio.CapacityLimiter:
    return _limiter_here(_NO_LIMIT, math.inf)


def _limiter_here(held: RunVar[anyio.CapacityLimiter], most: float) -> anyio.CapacityLimiter:
    """The limiter of this event loop; one is made for each."""
    try:
        return held.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(most)
        held.set(limiter)
        return limiter


def is_async(function: Callable[..., Any]) -> bool:
    """Whether a call gives a coroutine: of a function, a method, a `partial`, or an object whose ``__call__`` does."""
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
