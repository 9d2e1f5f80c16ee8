"""Driving the generators of a flow on a store that blocks; the asynchronous flow has a driver of its own."""

from __future__ import annotations

import threading
import time
from typing import Any, TypeVar

from reportflow.errors import ReportflowError
from reportflow.flow.base import RETRY_LOCK_TIMEOUT
from reportflow.flow.effects import BlockingCall, Effects, HostCall, Pause
from reportflow.storage.base import Store

T = TypeVar("T")


def drive(store: Store, effects: Effects[T], retry_lock: threading.Lock) -> T:
    """Run a generator of effects on a store: make its calls, and send it the results and errors.

    Calls that are retried take turns by a lock. Without it, sixteen threads on one record mostly make each other fail:
    they take twice as long, and the unluckiest one waits four times as long.
    """
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
                locked = locked or retry_lock.acquire(timeout=RETRY_LOCK_TIMEOUT)
                time.sleep(effect.seconds)
                continue
            if isinstance(effect, HostCall):
                answer = effect.run()
                continue
            try:
                answer = effect.run() if isinstance(effect, BlockingCall) else effect.run(store)
            except ReportflowError as error:
                failure = error
    finally:
        if locked:
            retry_lock.release()
