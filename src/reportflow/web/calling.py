"""Calls of a flow from the event loop: an asynchronous one is awaited, a blocking one runs in a thread.

The threads are the portal's own: those of AnyIO's default limit belong to the host.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
from anyio.lowlevel import RunVar

from reportflow.errors import StorageBusy


class Caller:
    """Calls what blocks in one of so many threads, and awaits what does not; each for so many seconds at the most."""

    def __init__(self, threads: int, timeout: float) -> None:
        self._threads = threads
        self._timeout = timeout
        self._limiter: RunVar[anyio.CapacityLimiter] = RunVar("reportflow.web.threads")

    async def __call__(self, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """The result of a function, or of the coroutine that it gives.

        Raises:
            StorageBusy: it took too long.
            Exception: whatever it raises.
        """
        try:
            with anyio.fail_after(self._timeout):
                if inspect.iscoroutinefunction(function):
                    return await function(*args, **named)
                call = partial(function, *args, **named)
                # a thread cannot be stopped: it goes on by itself when the time is over
                result = await anyio.to_thread.run_sync(call, abandon_on_cancel=True, limiter=self._threads_here())
                return await result if inspect.isawaitable(result) else result
        except TimeoutError as error:
            raise StorageBusy("web:", f"no answer within {self._timeout:g} s") from error

    def _threads_here(self) -> anyio.CapacityLimiter:
        try:
            return self._limiter.get()
        except LookupError:
            limiter = anyio.CapacityLimiter(self._threads)
            self._limiter.set(limiter)
            return limiter
