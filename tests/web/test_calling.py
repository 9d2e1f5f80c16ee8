"""Calls from the event loop: what blocks goes into so many threads, and nothing takes longer than it may."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import anyio
import anyio.from_thread
import pytest

from reportflow import StorageBusy
from reportflow.web.calling import Caller, is_async


class Blocking:
    """An object that is called."""

    def __call__(self, *given: int) -> int:
        return sum(given)

    async def awaited(self, *given: int) -> int:
        return sum(given)


class Awaited:
    """An object whose call is awaited."""

    async def __call__(self, *given: int) -> int:
        return sum(given)


async def awaited(*given: int) -> int:
    """A coroutine function."""
    return sum(given)


def gives_one(*given: int) -> Any:
    """A function that gives a coroutine."""
    return awaited(*given)


@pytest.mark.parametrize(
    ("function", "waits"),
    [
        (lambda *given: sum(given), False),
        (Blocking(), False),
        (gives_one, False),
        (awaited, True),
        (partial(awaited), True),
        (partial(partial(Awaited())), True),
        (Awaited(), True),
        (Blocking().awaited, True),
    ],
)
def test_what_is_awaited_runs_in_the_loop_and_what_blocks_in_a_thread(function: Any, waits: bool) -> None:
    """Functions, methods, partials and objects are called as they are, sync or async, with the same result."""
    assert is_async(function) == waits
    assert anyio.run(partial(Caller(1, 5), function, 1, 2)) == 3


def test_what_hangs_holds_no_more_threads_than_there_are() -> None:
    """While all threads hang every other call ends in time, and is never begun; when they end, calls go on."""
    go_on, begun = threading.Event(), []

    def hang() -> None:
        begun.append(1)
        go_on.wait(20)

    async def whole() -> int:
        caller, busy = Caller(2, 0.05), []

        async def call() -> None:
            with pytest.raises(StorageBusy):
                await caller(hang)
            busy.append(1)

        async with anyio.create_task_group() as group:
            for _ in range(7):
                group.start_soon(call)
        assert (len(busy), len(begun)) == (7, 2)
        go_on.set()
        with anyio.fail_after(10):
            while caller._threads_here().borrowed_tokens:
                await anyio.sleep(0.01)
        return int(await caller(Blocking(), 1, 2))

    assert anyio.run(whole) == 3


def test_a_thread_may_outlive_the_loop() -> None:
    """A call that ends after the event loop does no harm."""
    go_on, ended = threading.Event(), threading.Event()

    def hang() -> None:
        go_on.wait(20)
        ended.set()

    caught: list[Any] = []
    before, threading.excepthook = threading.excepthook, caught.append
    try:
        with pytest.raises(StorageBusy):
            anyio.run(partial(Caller(1, 0.05), hang))
        go_on.set()
        assert ended.wait(10)
    finally:
        threading.excepthook = before
    assert not caught


@pytest.mark.parametrize("function", [Blocking(), Awaited()])
def test_an_error_of_a_call_is_its_own(function: Any) -> None:
    """What a call raises comes out, also where it is the error of a time that was up inside it."""

    def late() -> None:
        raise TimeoutError("of its own")

    async def awaited_late() -> None:
        raise TimeoutError("of its own")

    chosen: Callable[[], Any] = late if isinstance(function, Blocking) else awaited_late
    with pytest.raises(TimeoutError, match="of its own"):
        anyio.run(partial(Caller(1, 5), chosen))


def test_the_host_is_asked_around_each_call_in_its_thread() -> None:
    """What a host enters around a call is entered in the thread of the call, and left when it raises too."""
    threads: list[int] = []

    @contextmanager
    def around() -> Iterator[None]:
        threads.append(threading.get_ident())
        try:
            yield
        finally:
            threads.append(threading.get_ident())

    def where() -> int:
        return threading.get_ident()

    async def whole() -> None:
        caller = Caller(1, 5, around)
        here = await caller(where)
        assert threads == [here, here]
        with pytest.raises(ZeroDivisionError):
            await caller(lambda: 1 // 0)
        assert len(threads) == 4

    anyio.run(whole)


def test_a_call_that_is_cancelled_gives_its_thread_back() -> None:
    """A request that was cancelled while it waited for a thread leaves the threads to the others."""

    async def whole() -> None:
        caller, go_on = Caller(1, 5), threading.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(caller, partial(go_on.wait, 20))
            await anyio.sleep(0.02)
            with anyio.move_on_after(0.02):
                await caller(Blocking())
            go_on.set()
        assert await caller(Blocking(), 2) == 2

    anyio.run(whole)


def steps(calls: list[Any]) -> Any:
    """Steps that note what each call gave or raised, and in which thread the first was made."""
    noted: list[Any] = []
    for call in calls:
        try:
            noted.append((yield call))
        except ValueError as error:
            noted.append(str(error))
    return noted


def wrong() -> int:
    """A call that raises."""
    raise ValueError("wrong")


async def wrong_later() -> int:
    """The same, awaited."""
    raise ValueError("wrong")


@pytest.mark.parametrize("awaits", [False, True])
def test_steps_are_made_in_turn_and_get_what_each_gives(awaits: bool) -> None:
    """Each call is made after the one before it; the steps get what it gives or raises; what they raise comes out."""
    calls = [partial(awaited, 1), wrong_later, partial(awaited, 2)] if awaits else [lambda: 1, wrong, lambda: 2]
    assert anyio.run(partial(Caller(1, 5).in_turn, awaits=awaits), steps(calls)) == [1, "wrong", 2]

    def fails() -> Any:
        yield calls[0]
        yield calls[1]

    with pytest.raises(ValueError, match="wrong"):
        anyio.run(partial(Caller(1, 5).in_turn, awaits=awaits), fails())


def test_steps_that_block_share_one_thread_and_one_time() -> None:
    """All are made in one thread, which is not that of the loop, and together in the time of one call."""
    threads = anyio.run(partial(Caller(1, 5).in_turn, awaits=False), steps([threading.get_ident] * 3))
    assert len(set(threads)) == 1
    assert threading.get_ident() not in threads
    go_on = threading.Event()
    with pytest.raises(StorageBusy):
        anyio.run(partial(Caller(1, 0.05).in_turn, awaits=False), steps([lambda: 1, partial(go_on.wait, 0.3)]))
