"""Calls at the same moment, each in a thread of its own, and a bound on how long they may take."""

from __future__ import annotations

import functools
import math
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from reportflow.errors import StorageBusy, StorageError
from reportflow.testing.broken import BrokenPromise

#: How many threads do the same at the same moment, and how often.
THREADS: Final = 8
ROUNDS: Final = 12
#: How long a test may take, in seconds; threads that start together may take half of it.
TIMEOUT: Final = 60.0
#: For how long a process may stand still, in seconds, and by how much more time of a processor it has not.
IDLE: Final = 10.0
_STIRRING: Final = 0.05
#: How long Python lets a thread run in a race before it switches to another one, in seconds.
_SWITCH: Final = 1e-5
#: A thread in a race pauses at a call or a return: how likely, after how many pauses how much less likely, how long.
_OFTEN: Final = 1 / 8
_PAUSES: Final = 80
_SELDOM: Final = 1 / 256
_PAUSE: Final = 1e-5

T = TypeVar("T")


def within(seconds: float, *calls: Callable[[], T]) -> list[T]:
    """The result of each call, run in a thread of its own.

    Raises:
        BrokenPromise: some have not ended in so many seconds; their threads are left behind.
        BaseException: the first error that a call raised.
    """
    results: dict[int, T] = {}
    errors: list[BaseException] = []
    started = threading.Semaphore(0)

    def run(number: int, call: Callable[[], T]) -> None:
        started.release()
        try:
            results[number] = call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(calls)]
    for thread in threads:  # one after the other: under a tracer Python cannot start two at one moment
        thread.start()
        started.acquire()
    _join(threads, time.monotonic() + seconds)
    if errors:
        raise next((one for one in errors if not isinstance(one, threading.BrokenBarrierError)), errors[0])
    if len(results) < len(calls):
        raise BrokenPromise("hung", seconds=f"{seconds:g}", number=len(calls) - len(results))
    return [results[number] for number in range(len(calls))]


def _join(threads: Sequence[threading.Thread], deadline: float) -> None:
    """Wait for the end of threads: until a deadline, or until this process has stood still for too long.

    Threads that wait for each other use no time of a processor, however many other programs want it.
    """
    moved, used = time.monotonic(), time.process_time()
    for thread in threads:
        while thread.is_alive() and (now := time.monotonic()) < min(deadline, moved + IDLE):
            thread.join(min(0.1, deadline - now))
            if time.process_time() > used + _STIRRING:
                moved, used = time.monotonic(), time.process_time()


def together(
    calls: Sequence[Callable[[], T]], *, steady: int = 0, timeout: float = TIMEOUT / 2
) -> list[T | StorageError]:
    """Each call in a thread of its own, all released at one moment: its result, or the storage error that it raised.

    Python switches between the threads all the time meanwhile, and each thread pauses now and then where it calls or
    returns, so that a race that can be lost is lost soon. The first `steady` threads do not pause.
    """
    barrier = threading.Barrier(len(calls), action=lambda: sys.setswitchinterval(_SWITCH))
    deadline = time.monotonic() + timeout
    released: list[None] = []

    def run(number: int, call: Callable[[], T]) -> T | StorageError:
        barrier.wait()
        released.append(None)
        while len(released) < len(calls) and time.monotonic() < deadline:
            pass  # a barrier releases its threads one after the other
        if number >= steady:
            _pause_at_calls()
        try:
            return insist(call, deadline)
        except StorageError as error:
            return error

    before = sys.getswitchinterval()
    try:
        return within(timeout, *(functools.partial(run, *pair) for pair in enumerate(calls)))
    finally:
        sys.setswitchinterval(before)


#: `sys.setprofile` is not safe in several threads at once.
_PROFILING: Final = threading.Lock()


def _pause_at_calls() -> None:
    """Let this thread pause at its calls and returns from here on, unless it is profiled already."""
    pauses = 0

    def pause(_frame: object, _event: str, _argument: object) -> None:
        nonlocal pauses
        if random.random() < (_OFTEN if pauses < _PAUSES else _SELDOM):
            pauses += 1
            time.sleep(_PAUSE)

    with _PROFILING:
        if sys.getprofile() is None:
            sys.setprofile(pause)


def insist(call: Callable[[], T], deadline: float = math.inf) -> T:
    """The result of a call that is retried while another writer holds the store: `StorageBusy` wrote nothing."""
    while True:
        try:
            return call()
        except StorageBusy:
            if time.monotonic() > deadline:
                raise
