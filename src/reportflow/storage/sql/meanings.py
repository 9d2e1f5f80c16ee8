"""What the errors of the drivers mean: one table an engine, read once, at the border."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from reportflow.errors import StorageBusy, StorageError, StorageUnavailable

#: What an engine says, by the beginning of its error's code -> the error, and the code of its advice.
Meanings = Mapping[str, tuple[type[StorageUnavailable], str]]

_SQLITE: Final[Meanings] = {
    "SQLITE_BUSY": (StorageBusy, "retry"),
    "SQLITE_LOCKED": (StorageBusy, "retry"),
    "SQLITE_PROTOCOL": (StorageBusy, "retry"),
    "SQLITE_READONLY": (StorageUnavailable, "read_only"),
    "SQLITE_PERM": (StorageUnavailable, "read_only"),
    "SQLITE_AUTH": (StorageUnavailable, "read_only"),
    "SQLITE_CANTOPEN": (StorageUnavailable, "folder"),
    "SQLITE_NOTADB": (StorageUnavailable, "not_a_database"),
    "SQLITE_CORRUPT": (StorageUnavailable, "not_a_database"),
    "SQLITE_FULL": (StorageUnavailable, "disk"),
    "SQLITE_IOERR": (StorageUnavailable, "disk"),
}
#: SQLSTATEs, https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL: Final[Meanings] = {
    "40001": (StorageBusy, "retry"),
    "40P01": (StorageBusy, "retry"),
    "55P03": (StorageBusy, "retry"),
    "25006": (StorageUnavailable, "read_only"),
    "42501": (StorageUnavailable, "rights"),
    "28": (StorageUnavailable, "rights"),
    "3D": (StorageUnavailable, "database"),
    "53100": (StorageUnavailable, "disk"),
    "53": (StorageUnavailable, "connections"),
    "57": (StorageUnavailable, "server"),
    "08": (StorageUnavailable, "server"),
    "58": (StorageUnavailable, "disk"),
    "client": (StorageUnavailable, "server"),  # it says itself that there is no server, or no longer
}
#: Error numbers, https://mariadb.com/kb/en/mariadb-error-code-reference/
_MYSQL: Final[Meanings] = {
    "0": (StorageUnavailable, "server"),  # PyMySQL, of a connection that it has closed itself
    "1213": (StorageBusy, "retry"),
    "1205": (StorageBusy, "retry"),
    "1020": (StorageBusy, "retry"),
    "1047": (StorageUnavailable, "server"),
    "1180": (StorageUnavailable, "server"),
    "1290": (StorageUnavailable, "read_only"),
    "1792": (StorageUnavailable, "read_only"),
    "1836": (StorageUnavailable, "read_only"),
    "1044": (StorageUnavailable, "rights"),
    "1045": (StorageUnavailable, "rights"),
    "1142": (StorageUnavailable, "rights"),
    "1049": (StorageUnavailable, "database"),
    "1021": (StorageUnavailable, "disk"),
    "1114": (StorageUnavailable, "disk"),
    "1040": (StorageUnavailable, "connections"),
    "1203": (StorageUnavailable, "connections"),
    "1053": (StorageUnavailable, "server"),
    "2002": (StorageUnavailable, "server"),
    "2003": (StorageUnavailable, "server"),
    "2005": (StorageUnavailable, "server"),
    "2006": (StorageUnavailable, "server"),
    "2013": (StorageUnavailable, "server"),
    "2014": (StorageUnavailable, "server"),
    "2055": (StorageUnavailable, "server"),
}


def _of_sqlite(error: BaseException) -> str:
    return str(getattr(error, "sqlite_errorname", ""))


def _of_postgresql(error: BaseException) -> str | None:
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return str(state)
    # without a state the client says it; a wrong call is an error of another class
    return "client" if type(error).__name__ == "OperationalError" or isinstance(error, OSError) else None


def _of_mysql(error: BaseException) -> str | None:
    if isinstance(error, OSError):
        return "2013"  # a socket that broke under the driver
    return str(error.args[0]) if error.args and isinstance(error.args[0], int) else None


#: Engine -> by which code it says what is wrong, and what the codes mean.
_ENGINES: Final[Mapping[str, tuple[Callable[[BaseException], str | None], Meanings]]] = {
    "sqlite": (_of_sqlite, _SQLITE),
    "postgresql": (_of_postgresql, _POSTGRESQL),
    "mysql": (_of_mysql, _MYSQL),
    "mariadb": (_of_mysql, _MYSQL),
}


class Fate:
    """How far a write has come: whether an error leaves it unknown if it was kept."""

    unknown = False


class Border:
    """Turns what a driver raises into the errors of this library, once, where a store calls it.

    Raises:
        StorageBusy: another writer was faster; nothing was written.
        StorageUnavailable: the database cannot be reached, opened, read or written.
        StorageError: anything else that the driver says.
    """

    __slots__ = ("_engine", "_fate")

    def __init__(self, engine: Engine, fate: Fate | None = None) -> None:
        self._engine = engine
        self._fate = fate

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        engine = self._engine
        if isinstance(error, PoolTimeout):
            raise StorageUnavailable(said(engine), str(error), "connections") from error
        if isinstance(error, DBAPIError):
            raise meaning(engine, error.orig or error, self._fate) from error
        if isinstance(error, (engine.dialect.loaded_dbapi.Error, OSError)):
            raise meaning(engine, error, self._fate) from error


def meaning(engine: Engine, error: BaseException, fate: Fate | None = None) -> StorageError:
    """The error of this library for one of a driver's."""
    code_of, meanings = _ENGINES[engine.dialect.name]
    code = code_of(error)
    # the longest that fits: "53100" before "53"
    for beginning in sorted(meanings, key=len, reverse=True) if code is not None else ():
        if code is not None and code.startswith(beginning):
            kind, advice = meanings[beginning]
            lost = kind is StorageUnavailable and fate is not None and fate.unknown
            return kind(said(engine), " ".join(str(error).split()), "unknown" if lost else advice)
    return StorageError(f"{type(error).__name__}: {error}")


def said(engine: Engine) -> str:
    """The URL of an engine, without the password."""
    return engine.url.render_as_string(hide_password=True)
