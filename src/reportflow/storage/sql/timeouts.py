"""How long a server may say nothing: a time-out on every driver that talks to one.

A server that hangs keeps its connections open, so nothing but a clock tells that it is gone. PyMySQL and asyncmy have
time-outs of their own; psycopg waits in a loop that its connection may bound. What counts is silence: a long answer may
take as long as it keeps coming.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from sqlalchemy import URL, Connection

from reportflow.errors import InvalidURL
from reportflow.storage.sql.dialects import BUSY_TIMEOUT

#: The option of a URL that says it, in seconds.
OPTION: Final = "read_timeout"


def read_timeout(url: URL) -> float:
    """How long the server of a URL may say nothing, in seconds.

    Raises:
        InvalidURL: the option is no number of seconds.
    """
    given = url.query.get(OPTION, str(BUSY_TIMEOUT))
    try:
        seconds = float(str(given))
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise InvalidURL(url.render_as_string(), "read_timeout")
    return seconds


def connect_options(driver: str, seconds: float, *, asynchronous: bool) -> dict[str, Any]:
    """What a driver is given for each connection, so that it waits no longer than this."""
    if driver == "pymysql":
        return {"read_timeout": seconds, "write_timeout": seconds}
    if driver == "asyncmy":
        return {"read_timeout": seconds}
    return {"async_creator_fn": _psycopg()[1].connect} if driver == "psycopg" and asynchronous else {}


def connect(driver: str, dialect: Any, seconds: float, arguments: Any, options: Any) -> Any:
    """A connection of a driver that waits no longer than this."""
    if driver != "psycopg":
        return dialect.connect(*arguments, **options)
    if dialect.is_async:
        adapted = dialect.connect(*arguments, **options)
        adapted.driver_connection.read_timeout = seconds
        return adapted
    connection = _psycopg()[0].connect(*arguments, **options)
    connection.read_timeout = seconds
    return connection


@contextmanager
def silence_allowed(connection: Connection, seconds: float) -> Iterator[None]:
    """The server may say nothing for so long meanwhile, as while it makes an index of a large table."""
    driver: Any = connection.connection.driver_connection
    name = next((one for one in ("read_timeout", "_read_timeout") if hasattr(driver, one)), None)
    if name is None:  # a file, or a host's connection
        yield
        return
    usual = getattr(driver, name)
    setattr(driver, name, seconds)
    try:
        yield
    finally:
        setattr(driver, name, usual)


@cache
def _psycopg() -> tuple[Any, Any]:
    """Psycopg's two connections, each with a bound on how long it waits for its server."""
    import psycopg

    def bounded(connection: Any, steps: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        seconds = connection.read_timeout
        deadline = time.monotonic() + seconds
        try:
            wanted = next(steps)
            while True:
                ready = yield wanted  # from time to time nothing is
                now = time.monotonic()
                if ready:
                    deadline = now + seconds
                elif now > deadline:
                    connection.pgconn.finish()
                    raise psycopg.OperationalError(f"the server has said nothing for {seconds:g} seconds")
                wanted = steps.send(ready)
        except StopIteration as end:
            return end.value

    class BoundedConnection(psycopg.Connection[Any]):
        read_timeout: float = BUSY_TIMEOUT

        def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
            return super().wait(bounded(self, gen), *arguments, **options)

    class BoundedAsyncConnection(psycopg.AsyncConnection[Any]):
        read_timeout: float = BUSY_TIMEOUT

        async def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
            return await super().wait(bounded(self, gen), *arguments, **options)

    return BoundedConnection, BoundedAsyncConnection
