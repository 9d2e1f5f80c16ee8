"""A request's transaction, run again where it lost a race: `retrying`.

An engine may take a whole transaction back (a deadlock, a snapshot that is too old), and only the program that
began it can do all of it again. So the function that begins the transaction is what is retried.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Iterator
from functools import wraps
from random import uniform
from typing import Any, Final, TypeVar, overload

from reportflow.errors import Conflict, InvalidValue, StorageBusy, TransactionRolledBack
from reportflow.model.checks import type_problem

F = TypeVar("F", bound=Callable[..., Any])

#: How long a transaction is tried again, in seconds.
TIMEOUT: Final = 5.0
#: The pauses between, in seconds: random up to a bound that doubles.
_PAUSE: Final = 0.005
_LONGEST_PAUSE: Final = 0.25


@overload
def retrying(function: F, /) -> F: ...
@overload
def retrying(*, timeout: float = TIMEOUT) -> Callable[[F], F]: ...
def retrying(function: Any = None, /, *, timeout: float = TIMEOUT) -> Any:
    """A function that begins and ends a transaction of its own, run again where it lost a race against another one.

    That is where it raises `StorageBusy`, `Conflict` or `TransactionRolledBack`, or a driver says the like in an error
    of its own, of a statement or a COMMIT of the host's. The pauses are random, and become longer.

    Everything in it is done again; so it must begin its transaction itself, and do nothing outside of it that must not
    be done twice, such as sending mail. A `StaleRecord` is not tried again: a person has read what is no longer there.

    Args:
        function: What is run again: a function, or a coroutine function.
        timeout: For how long, in seconds from the first call; then the last error is raised.

    Raises:
        InvalidValue: what is decorated is no function, or a generator function.
    """
    if function is None:
        return lambda given: _retrying(given, timeout)
    return _retrying(function, timeout)


def _retrying(function: Any, timeout: float) -> Any:
    if not callable(function) or inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidValue("function", *type_problem("a function that is no generator", function))

    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def again_awaited(*arguments: Any, **options: Any) -> Any:
            pauses = _pauses(timeout)
            while True:
                try:
                    return await function(*arguments, **options)
                except Exception as error:
                    pause = next(pauses, None) if lost_a_race(error) else None
                    if pause is None:
                        raise
                await asyncio.sleep(pause)

        return again_awaited

    @wraps(function)
    def again(*arguments: Any, **options: Any) -> Any:
        pauses = _pauses(timeout)
        while True:
            try:
                return function(*arguments, **options)
            except Exception as error:
                pause = next(pauses, None) if lost_a_race(error) else None
                if pause is None:
                    raise
            time.sleep(pause)

    return again


def lost_a_race(error: BaseException) -> bool:
    """Whether the same transaction, run again, may well be kept."""
    if isinstance(error, StorageBusy | Conflict | TransactionRolledBack):
        return True
    # a driver's error has a class of this name among its bases, and so has that of SQLAlchemy or Django around it
    if not any(base.__name__ == "DatabaseError" for base in type(error).__mro__):
        return False
    from reportflow.storage.sql.dialects import BACKENDS, is_conflict  # only such an error needs it

    said = [one for one in (error, error.__cause__) if one is not None]
    return any(is_conflict(backend, one) for backend in BACKENDS.values() for one in said)


def _pauses(timeout: float) -> Iterator[float]:
    """The pauses between the runs, until the time is over."""
    deadline, longest = time.monotonic() + timeout, _PAUSE
    while time.monotonic() < deadline:
        yield uniform(0, longest)
        longest = min(2 * longest, _LONGEST_PAUSE)
