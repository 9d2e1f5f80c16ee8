"""`retrying`: a function that begins a transaction, run again where that lost a race."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest
from sqlalchemy.exc import OperationalError

from reportflow import (
    Conflict,
    InvalidValue,
    RecordNotFound,
    StaleRecord,
    StorageBusy,
    StorageUnavailable,
    TransactionRolledBack,
)
from reportflow.hosts.retry import retrying


def of_driver(**facts: Any) -> sqlite3.OperationalError:
    """An error of a driver with some attributes."""
    error = sqlite3.OperationalError(*facts.pop("args", ()))
    for name, value in facts.items():
        setattr(error, name, value)
    return error


def wrapped(error: sqlite3.OperationalError) -> OperationalError:
    """The same, as SQLAlchemy raises it."""
    return OperationalError("COMMIT", None, error)


def caused(error: sqlite3.OperationalError) -> sqlite3.OperationalError:
    """The same behind another one, as Django raises it."""
    outer = sqlite3.OperationalError("of Django")
    outer.__cause__ = error
    return outer


RACES: Final[dict[str, Exception]] = {
    "busy": StorageBusy("sqlite://", "locked"),
    "conflict": Conflict(["r1"]),
    "rolled back": TransactionRolledBack("sqlite://", "deadlock"),
    "PostgreSQL at its COMMIT": wrapped(of_driver(sqlstate="40001")),
    "MariaDB, a statement": wrapped(of_driver(args=(1213, "Deadlock found"))),
    "SQLite, a statement": of_driver(sqlite_errorname="SQLITE_BUSY"),
    "Django": caused(of_driver(sqlstate="40P01")),
}
OTHERS: Final[dict[str, Exception]] = {
    "stale": StaleRecord("r1", 1, 2),
    "not found": RecordNotFound(["r1"]),
    "unavailable": StorageUnavailable("sqlite://", "gone"),
    "no table": wrapped(of_driver(sqlite_errorname="SQLITE_ERROR")),
    "syntax": wrapped(of_driver(sqlstate="42601")),
    "a number": ValueError(1213),
}


class Failing:
    """Something that raises some times, and then goes well."""

    def __init__(self, error: BaseException, times: int) -> None:
        self.error = error
        self.left = times
        self.runs = 0

    def run(self, value: int, *, more: int = 0) -> int:
        """What is given, added up."""
        self.runs += 1
        if self.left > 0:
            self.left -= 1
            raise self.error
        return value + more

    async def awaited(self, value: int, *, more: int = 0) -> int:
        """The same, awaited."""
        return self.run(value, more=more)


def called(failing: Failing, *, awaited: bool, **options: Any) -> int:
    """Call it retried, in one of both ways."""
    if not awaited:
        return retrying(**options)(failing.run)(1, more=2)

    async def main() -> int:
        return await retrying(**options)(failing.awaited)(1, more=2)

    return asyncio.run(main())


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("race", RACES)
def test_what_lost_a_race_is_run_again(race: str, awaited: bool) -> None:
    """After an error of the library or of a driver that says so, it is run again with the same arguments."""
    failing = Failing(RACES[race], 3)
    assert called(failing, awaited=awaited) == 3
    assert failing.runs == 4


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("other", OTHERS)
def test_any_other_error_is_raised_at_once(other: str, awaited: bool) -> None:
    """What would fail again is run once; a stale record is for a person to look at."""
    failing = Failing(OTHERS[other], 1)
    with pytest.raises(type(OTHERS[other])):
        called(failing, awaited=awaited)
    assert failing.runs == 1


@pytest.mark.parametrize("awaited", [False, True])
def test_it_ends_with_the_last_error(awaited: bool) -> None:
    """When the time is over the error is raised; without any time it is run once."""
    begun, failing = time.monotonic(), Failing(Conflict(["r1"]), 10**9)
    with pytest.raises(Conflict):
        called(failing, awaited=awaited, timeout=0.1)
    assert failing.runs > 1
    assert time.monotonic() - begun < 5
    once = Failing(Conflict(["r1"]), 10**9)
    with pytest.raises(Conflict):
        called(once, awaited=awaited, timeout=0)
    assert once.runs == 1


def test_it_keeps_what_the_function_is() -> None:
    """The name and the text stay, with or without arguments for the decorator; a coroutine function stays one."""

    @retrying
    def request() -> str:
        """What it does."""
        return "kept"

    @retrying(timeout=1)
    async def awaited_request() -> str:
        return "kept"

    assert (request(), request.__name__, request.__doc__) == ("kept", "request", "What it does.")
    assert asyncio.iscoroutinefunction(awaited_request)
    assert asyncio.run(awaited_request()) == "kept"


def _generator() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize("given", [5, _generator, "request"])
def test_what_is_no_function_is_refused(given: Any) -> None:
    """What cannot be called, or gives its values one by one and so cannot be run again, is refused by name."""
    with pytest.raises(InvalidValue) as caught:
        retrying(given)
    assert caught.value.field == "function"


def test_a_cancelled_task_is_not_run_again() -> None:
    """A cancellation during a pause ends it."""

    async def main() -> int:
        failing = Failing(Conflict(["r1"]), 10**9)
        task = asyncio.ensure_future(retrying(timeout=30)(failing.awaited)(1))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return failing.runs

    assert asyncio.run(main()) > 0
