"""What becomes of a statement on a driver's connection, which each driver says in its own way."""

from __future__ import annotations

from enum import Enum
from typing import Any

from sqlalchemy import PoolProxiedConnection


class Mode(Enum):
    """What becomes of a statement that is run now on a driver's connection."""

    #: It is part of a transaction: of one that has begun, or that the driver begins with any statement.
    OPEN = "open"
    #: The driver begins a transaction before one that writes, and only then.
    BEFORE_A_WRITE = "before a write"
    #: It is committed at once.
    AT_ONCE = "at once"


def sqlite_autocommit(connection: PoolProxiedConnection) -> bool | None:
    """Python 3.12's attribute of SQLite's driver; None where it leaves it to the older one, ``isolation_level``.

    Where it is False the driver is in a transaction always.
    """
    dbapi: Any = connection.dbapi_connection
    driver: Any = connection.driver_connection
    raw = getattr(driver, "_conn", driver)  # that of aiosqlite is inside
    if not hasattr(type(raw), "autocommit"):
        return None
    if raw is driver:
        found = raw.autocommit
    else:  # which may only be asked in its own thread
        found = dbapi.run_async(lambda awaited: awaited._execute(lambda: raw.autocommit))
    return found if isinstance(found, bool) else None


def of_sqlite(connection: PoolProxiedConnection) -> Mode:
    """SQLite's driver, which begins a transaction before a statement that writes, unless it was set up otherwise."""
    driver: Any = connection.driver_connection
    if driver.in_transaction:
        return Mode.OPEN
    at_once = driver.isolation_level is None or sqlite_autocommit(connection)
    return Mode.AT_ONCE if at_once else Mode.BEFORE_A_WRITE


def of_postgresql(connection: PoolProxiedConnection) -> Mode:
    """Psycopg, which begins one with any statement, unless it commits each."""
    driver: Any = connection.driver_connection
    idle = driver.pgconn.transaction_status == 0  # PQTRANS_IDLE
    return Mode.AT_ONCE if idle and driver.autocommit else Mode.OPEN


def of_mysql(connection: PoolProxiedConnection) -> Mode:
    """PyMySQL and asyncmy, whose server begins one with any statement, unless it commits each."""
    driver: Any = connection.driver_connection
    begun, at_once = driver.server_status & 1, driver.server_status & 2  # SERVER_STATUS_IN_TRANS, _AUTOCOMMIT
    return Mode.AT_ONCE if at_once and not begun else Mode.OPEN
