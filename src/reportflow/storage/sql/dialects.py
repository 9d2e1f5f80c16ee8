"""What differs from engine to engine: one row each, how a URL names it, and what the errors of its drivers mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import attrs
from sqlalchemy import URL, Engine, PoolProxiedConnection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from reportflow.errors import InvalidURL, MissingExtra, StorageBusy, StorageError, StorageUnavailable
from reportflow.model.checks import text_problem
from reportflow.redaction import is_secret, redacted, redacted_text
from reportflow.storage.sql import modes

#: How long a writer waits for another one in SQLite, and a caller for an answer or a free connection, in seconds.
BUSY_TIMEOUT: Final = 5.0
#: How long a writer waits for another one on a server, in seconds: the server says so before it is taken for hanging.
LOCK_TIMEOUT: Final = 3.0
_SYNCHRONOUS: Final = ("OFF", "NORMAL", "FULL", "EXTRA")

#: The beginning of a driver's error code -> the error, and the code of its advice. The longest that fits counts.
ErrorMap = Mapping[str, tuple[type[StorageUnavailable], str]]


def _map(busy: str, **advice: str) -> ErrorMap:
    """An error map: the codes of conflicts with other writers, and for each advice the codes of what is unavailable."""
    found: dict[str, tuple[type[StorageUnavailable], str]] = dict.fromkeys(busy.split(), (StorageBusy, "retry"))
    for name, codes in advice.items():
        found.update((code, (StorageUnavailable, name)) for code in codes.split())
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


_SQLITE_ERRORS: Final = _map(
    "SQLITE_BUSY SQLITE_LOCKED SQLITE_PROTOCOL",
    read_only="SQLITE_READONLY SQLITE_PERM SQLITE_AUTH",
    folder="SQLITE_CANTOPEN",
    not_a_database="SQLITE_NOTADB SQLITE_CORRUPT",
    disk="SQLITE_FULL SQLITE_IOERR",
)
#: SQLSTATEs, https://www.postgresql.org/docs/current/errcodes-appendix.html; "client" is libpq's own word that there is
#: no server, or no longer.
_POSTGRESQL_ERRORS: Final = _map(
    "40001 40P01 55P03",
    standby="25006",
    rights="42501 28",
    database="3D",
    disk="53100 58",
    connections="53",
    server="57 08 client",
)
#: Error numbers, https://mariadb.com/kb/en/mariadb-error-code-reference/; PyMySQL gives 0 for a connection that it
#: has closed itself.
_MYSQL_ERRORS: Final = _map(
    "1213 1205 1020",
    standby="1290 1792 1836",
    no_quorum="1047",
    rights="1044 1045 1142",
    database="1049",
    disk="1021 1114",
    connections="1040 1203",
    server="0 1053 1180 1927 2002 2003 2005 2006 2013 2014 2055",
)


def _postgresql_code(error: BaseException) -> str | None:
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return str(state)
    # an error without a state comes from the client; a wrong call is an error of another class
    return "client" if type(error).__name__ == "OperationalError" or isinstance(error, OSError) else None


def _mysql_code(error: BaseException) -> str | None:
    if isinstance(error, OSError):
        return "2013"  # a socket that broke under the driver
    return str(error.args[0]) if error.args and isinstance(error.args[0], int) else None


@attrs.frozen(kw_only=True)
class Backend:
    """What differs from engine to engine.

    Attributes:
        begin: Begins a transaction that writes. SQLite takes its one write lock at once, for it cannot be had later.
        position_function: The function that gives the position of a text in another one.
        error_code: The code in an error of the drivers, None where there is none.
        errors: What the codes mean.
        rolled_back: The beginnings of the codes by which a COMMIT that failed is known to have kept nothing.
        not_rolled_back: Those of them by which it is not.
        ends_transaction: The beginnings of the codes after which a transaction can only be rolled back, or was.
        refuses_the_rest: Whether the engine itself refuses all else in such a transaction, until its host rolls back,
            to a savepoint or all of it.
        mode: What becomes of a statement that is run now on a connection.
        level: Asks for the isolation level of a transaction, where some read as of its beginning and never go on.
        for_update: Makes a SELECT read, and lock, what is committed by now, where a transaction reads as of its
            beginning and its writes do not.
        connect: What the driver is given for each connection.
        session: The statements that set up each connection.
        positions_on_insert: Whether an entry gets its feed position where it is written: only where writers go one at
            a time.
        single_statement: Whether a record and its entry may be written by one statement.
        limits_lengths: Whether a column holds no more characters than its type says.
        sorted_bytes: How many bytes of a text it compares when it sorts, unless it is set otherwise; None for all.
        shares_commits: Whether calls that come at one moment are kept by one COMMIT; see `sharing`.
        lock: Takes the lock of a name, by which one process at a time makes the tables; gives 0 where it gave up
            waiting. None where the engine has one writer at a time.
        unlock: Releases it.
    """

    begin: str
    position_function: str
    error_code: Callable[[BaseException], str | None]
    errors: ErrorMap
    rolled_back: tuple[str, ...]
    not_rolled_back: tuple[str, ...] = ()
    ends_transaction: tuple[str, ...]
    refuses_the_rest: bool = False
    mode: Callable[[PoolProxiedConnection], modes.Mode]
    level: str = ""
    for_update: str = ""
    connect: Mapping[str, Any]
    session: tuple[str, ...] = ()
    positions_on_insert: bool = False
    single_statement: bool = False
    limits_lengths: bool = True
    sorted_bytes: int | None = None
    shares_commits: bool = False
    lock: str | None = None
    unlock: str = ""


BACKENDS: Final[Mapping[str, Backend]] = {
    "sqlite": Backend(
        begin="BEGIN IMMEDIATE",
        position_function="instr",
        error_code=lambda error: str(getattr(error, "sqlite_errorname", "")),
        errors=_SQLITE_ERRORS,
        # the transaction is open still, or was rolled back; only of what was not written out nobody knows
        rolled_back=("SQLITE_",),
        not_rolled_back=("SQLITE_IOERR",),
        # it has read, and another one has written since
        ends_transaction=("SQLITE_BUSY_SNAPSHOT",),
        mode=modes.of_sqlite,
        connect={"timeout": BUSY_TIMEOUT},
        session=("PRAGMA foreign_keys = ON",),
        positions_on_insert=True,
        shares_commits=True,
        limits_lengths=False,
    ),
    "postgresql": Backend(
        begin="BEGIN",
        position_function="strpos",
        error_code=_postgresql_code,
        errors=_POSTGRESQL_ERRORS,
        # a server that answers with an error has rolled back; not so one that is shut down, or says that it is unknown
        rolled_back=(*"0123456789FHPX",),
        not_rolled_back=("08", "40003", "57P", "58", "XX"),
        # serialization, deadlock; and a transaction in which a statement failed before, or that was idle for too long
        ends_transaction=("40001", "40P01", "25P"),
        refuses_the_rest=True,
        mode=modes.of_postgresql,
        level="SHOW transaction_isolation",
        connect={"connect_timeout": int(BUSY_TIMEOUT), "client_encoding": "utf8"},
        session=(f"SET lock_timeout = {int(LOCK_TIMEOUT * 1000)}",),
        single_statement=True,
        lock="SELECT pg_advisory_lock(hashtextextended('reportflow {}', 0))",
        unlock="SELECT pg_advisory_unlock(hashtextextended('reportflow {}', 0))",
    ),
    "mysql": Backend(
        begin="START TRANSACTION",
        position_function="instr",
        error_code=_mysql_code,
        errors=_MYSQL_ERRORS,
        # conflicts, and what a read-only server refuses before it begins
        rolled_back=("1213", "1205", "1020", "1290", "1792", "1836"),
        # deadlock; and a row that was changed since the transaction began, where the server tells
        ends_transaction=("1213", "1020"),
        mode=modes.of_mysql,
        for_update=" FOR UPDATE",
        connect={"connect_timeout": int(BUSY_TIMEOUT), "charset": "utf8mb4"},
        session=(
            # what does not fit is refused, not cut; a waiting writer sees what was committed meanwhile
            "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
            f"SET SESSION innodb_lock_wait_timeout = {int(LOCK_TIMEOUT)}",
        ),
        sorted_bytes=1024,
        lock="SELECT GET_LOCK('reportflow {}', 1)",
        unlock="SELECT RELEASE_LOCK('reportflow {}')",
    ),
}
#: SQLAlchemy's names for one and the same engine.
_ALIASES: Final[Mapping[str, str]] = {"mariadb": "mysql"}
#: The drivers that the contract was proven on, by the name of their engine.
DRIVERS: Final[Mapping[str, tuple[str, ...]]] = {
    "sqlite": ("pysqlite", "aiosqlite"),
    "postgresql": ("psycopg",),
    "mysql": ("pymysql", "asyncmy"),
}
#: One name for both kinds of psycopg; SQLite's own driver stands for the asynchronous one.
_ASYNCHRONOUS: Final[Mapping[str, str]] = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql+psycopg": "postgresql+psycopg_async",
}


# -- URLs -----------------------------------------------------------------------------------------------------------


def backend_of(engine: Engine) -> Backend:
    """The row of an engine.

    Raises:
        InvalidURL: there is none for it.
    """
    found = BACKENDS.get(engine_name(engine.url))
    if found is None:
        raise InvalidURL(engine.url.render_as_string(), "engine")
    return found


def engine_name(url: URL) -> str:
    """What `BACKENDS` calls the engine of a URL, whether it is supported or not."""
    name = url.get_backend_name()
    return _ALIASES.get(name, name)


def safe_url(engine: Engine) -> str:
    """The URL of an engine, without the password."""
    return redacted(engine.url.render_as_string(hide_password=True))


def said(engine: Engine, error: BaseException) -> str:
    """What a driver says, on one line, without the passwords of the engine's URL."""
    named = (one for name, one in engine.url.normalized_query.items() if is_secret(name))
    secrets = [str(engine.url.password or ""), *(value for values in named for value in values)]
    return redacted_text(" ".join(str(error).split()), secrets)


def in_memory(url: URL) -> bool:
    """Whether a URL names an SQLite database that lives in one connection, and no file."""
    named = url.database or ":memory:"
    return engine_name(url) == "sqlite" and (":memory:" in named or url.query.get("mode") == "memory")


def parse_url(url: str | URL, *, asynchronous: bool) -> URL:
    """A database URL of a supported engine, whose driver is installed and of the kind wanted.

    Raises:
        InvalidURL: mistyped, without its driver's name, or of an engine that is not supported.
        MissingExtra: the driver is not installed.
    """
    if text_problem(str(url)):
        raise InvalidURL(ascii(str(url))[1:-1])
    try:
        parsed = make_url(url)
        named = "+" in parsed.drivername or parsed.drivername == "sqlite"
        if asynchronous:
            parsed = parsed.set(drivername=_ASYNCHRONOUS.get(parsed.drivername, parsed.drivername))
        dialect = parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise InvalidURL(str(url)) from None  # what SQLAlchemy says quotes parts of it
    if "@" in (parsed.host or ""):  # the beginning of it was taken for the password
        raise InvalidURL(str(url), "encode")
    if not named:
        raise InvalidURL(parsed.render_as_string(), "driver")
    if dialect.driver not in DRIVERS.get(engine_name(parsed), ()):
        raise InvalidURL(parsed.render_as_string(), "engine")
    try:
        dialect.import_dbapi()
    except ImportError as error:
        raise MissingExtra(parsed.get_driver_name(), error.name or parsed.get_driver_name()) from error
    if dialect.is_async is not asynchronous:
        raise InvalidURL(parsed.render_as_string(), "not_awaited" if asynchronous else "awaited")
    return parsed


def synchronous_mode(url: URL) -> str:
    """How an SQLite URL wants the disk waited for: its option ``synchronous``, NORMAL without it.

    Raises:
        InvalidURL: another value or option, a host, or an empty file name, for which SQLAlchemy would keep the records
            in memory, and lose them.
    """
    if url.database == "" or url.host:
        raise InvalidURL(url.render_as_string())
    if "uri" not in url.query and set(url.query) - {"synchronous"}:
        raise InvalidURL(url.render_as_string(), "option")
    mode = str(url.query.get("synchronous", "NORMAL")).upper()
    if mode not in _SYNCHRONOUS:
        raise InvalidURL(url.render_as_string(), "synchronous")
    return mode


# -- errors ---------------------------------------------------------------------------------------------------------


@contextmanager
def translate_driver_errors(engine: Engine) -> Iterator[None]:
    """Turn what a driver raises into the errors of this library.

    Raises:
        StorageBusy: another writer was faster; nothing was written.
        StorageUnavailable: the database cannot be reached, opened, read or written.
        StorageError: any other error of the driver.
    """
    try:
        yield
    except Exception as error:
        translated = translate(engine, error)
        if translated is None:
            raise
        raise translated from error


def is_undecodable(error: Exception) -> bool:
    """Whether the driver of SQLite met a text that is no UTF-8: it then gives no row of the whole statement."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return type(cause).__name__ == "OperationalError" and str(cause).startswith("Could not decode to UTF-8")


def is_conflict(backend: Backend, error: BaseException) -> bool:
    """Whether an error of a driver means that another writer was faster, or holds what is to be written."""
    meaning = _meaning(backend, (error.orig or error) if isinstance(error, DBAPIError) else error)
    return meaning is not None and meaning[0] is StorageBusy


def ends_transaction(backend: Backend, error: BaseException) -> bool:
    """Whether an error of a driver means that the transaction was rolled back, or can only be."""
    code = backend.error_code((error.orig or error) if isinstance(error, DBAPIError) else error)
    return code is not None and code.startswith(backend.ends_transaction)


def is_rolled_back(backend: Backend, error: BaseException) -> bool:
    """Whether an error of a driver's COMMIT says that nothing of the transaction was kept."""
    code = backend.error_code((error.orig or error) if isinstance(error, DBAPIError) else error) or ""
    return code.startswith(backend.rolled_back) and not code.startswith(backend.not_rolled_back)


def _meaning(backend: Backend, error: BaseException) -> tuple[type[StorageUnavailable], str] | None:
    """What an error of the driver itself means; None where no code says so."""
    code = backend.error_code(error)
    if code is None:
        return None
    return next((found for beginning, found in backend.errors.items() if code.startswith(beginning)), None)


def translate(engine: Engine, error: BaseException, *, in_doubt: bool = False) -> StorageError | None:
    """The error of this library for one of a driver's; None where it is none.

    Args:
        engine: Whose driver it is.
        error: What was raised.
        in_doubt: Whether it failed in a commit: then it is unknown if that was kept, unless the code says so.
    """
    if isinstance(error, PoolTimeout):
        return StorageUnavailable(safe_url(engine), said(engine, error), "connections")
    if isinstance(error, DBAPIError):
        error = error.orig or error
    elif not isinstance(error, (engine.dialect.loaded_dbapi.Error, OSError)):
        return None
    backend = backend_of(engine)
    kind, advice = _meaning(backend, error) or (None, "")
    if in_doubt and not is_rolled_back(backend, error):
        return StorageUnavailable(safe_url(engine), said(engine, error), "unknown")
    if kind is None:
        return StorageError(f"{type(error).__name__}: {said(engine, error)}")
    return kind(safe_url(engine), said(engine, error), advice)
