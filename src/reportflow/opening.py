"""The quick way in: a database URL to a store and a flow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from reportflow.errors import InvalidURL, InvalidValue
from reportflow.flow.base import new_id, now
from reportflow.flow.handler import RETRY_TIMEOUT
from reportflow.flow.incidents import Observer
from reportflow.flow.people import People
from reportflow.flow.sync import ReportFlow
from reportflow.i18n.catalog import STANDARD, Catalog
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.checks import type_problem
from reportflow.model.entry import CLOCK_TOLERANCE
from reportflow.office.report import REPORT
from reportflow.serialization.classes import Classes
from reportflow.storage.base import AsyncStore, Store
from reportflow.storage.memory import AsyncMemoryStore, MemoryStore

if TYPE_CHECKING:
    from reportflow.flow.aio import AsyncReportFlow
    from reportflow.storage.files import Files
    from reportflow.storage.filetypes import FileRules


def open_store(url: str, *, create: bool = True, lifecycles: Lifecycle | Iterable[Lifecycle] = (REPORT,)) -> Store:
    """A store by its URL: ``memory:``, or a database's such as ``sqlite:///office.db``.

    Args:
        url: ``?synchronous=FULL`` makes SQLite wait for the disk at each commit.
        create: Whether to make the tables where there are none. In production only the program that deploys should.
        lifecycles: The definitions whose records it reads; the standard lifecycle `REPORT` unless given.

    Raises:
        InvalidURL: mistyped, or its engine is not supported.
        MissingExtra: the driver that it names is not installed.
        StorageUnavailable: it cannot be opened, or has no tables and `create` is False.
        SchemaMismatch: its tables are of another version.
    """
    classes = _classes(lifecycles)
    if _in_memory(url):
        return MemoryStore(classes)
    # SQLAlchemy takes longer to import than all the rest; a program that keeps records in memory need not pay for it
    from reportflow.storage.sql.store import SqlStore

    return SqlStore(url, classes, create=create)


def _classes(lifecycles: Lifecycle | Iterable[Lifecycle]) -> Classes:
    return lifecycles.classes if isinstance(lifecycles, Lifecycle) else Classes(*lifecycles)


def _in_memory(url: str) -> bool:
    """Whether a URL asks for a store without a database; raises `InvalidURL` where it asks for nothing."""
    if not isinstance(url, str):
        raise InvalidValue("url", *type_problem("str", url))
    if ":" not in url:
        raise InvalidURL(url)
    return url in ("memory:", "memory://")


def open_flow(
    url: str,
    *,
    create: bool = True,
    lifecycles: Lifecycle | Iterable[Lifecycle] = (REPORT,),
    clock: Callable[[], datetime] = now,
    new_id: Callable[[], str] = new_id,
    retry_timeout: float = RETRY_TIMEOUT,
    catalog: Catalog = STANDARD,
    observe: Observer | None = None,
    clock_tolerance: float = CLOCK_TOLERANCE,
    people: People | None = None,
    zone: tzinfo | str | None = None,
    files: Files | None = None,
    file_rules: FileRules | None = None,
) -> ReportFlow:
    """A flow on the store of a URL; closing the flow closes the store.

    Args:
        url: See `open_store`.
        create: Whether to make the tables where there are none.
        lifecycles: The definitions; the standard lifecycle `REPORT` unless given.
        clock: See `ReportFlow`, as for the arguments below.
        new_id: Gives the ids of new records.
        retry_timeout: How long a call is retried after conflicts, in seconds.
        catalog: The texts of its errors.
        observe: Called with each `Incident`.
        clock_tolerance: By how many seconds a caller's clock may differ.
        people: Who exists; see `ReportFlow`.
        zone: The time zone of its days and years, or its name.
        files: Keeps the contents of files; see `ReportFlow`.
        file_rules: Which files are taken.

    Raises:
        InvalidURL, MissingExtra, StorageUnavailable, SchemaMismatch: see `open_store`.
    """
    store = open_store(url, create=create, lifecycles=())
    try:
        return ReportFlow(
            store,
            lifecycles,
            clock=clock,
            new_id=new_id,
            retry_timeout=retry_timeout,
            catalog=catalog,
            observe=observe,
            clock_tolerance=clock_tolerance,
            people=people,
            zone=zone,
            files=files,
            file_rules=file_rules,
        )
    except BaseException:
        store.close()
        raise


def open_async_flow(
    url: str,
    *,
    create: bool = True,
    lifecycles: Lifecycle | Iterable[Lifecycle] = (REPORT,),
    clock: Callable[[], datetime] = now,
    new_id: Callable[[], str] = new_id,
    retry_timeout: float = RETRY_TIMEOUT,
    catalog: Catalog = STANDARD,
    observe: Observer | None = None,
    clock_tolerance: float = CLOCK_TOLERANCE,
    people: People | None = None,
    zone: tzinfo | str | None = None,
    files: Files | None = None,
    file_rules: FileRules | None = None,
) -> AsyncReportFlow:
    """An asynchronous flow on the store of a URL; closing the flow closes the store.

    Either ``async with open_async_flow(url) as flow:``, or ``flow = await open_async_flow(url)`` and, in the end,
    ``await flow.close()``.

    Args:
        url: ``memory:``, or a database's: ``sqlite+aiosqlite:///office.db``, ``postgresql+psycopg://…``,
            ``mysql+asyncmy://…``; see `open_store`.
        create: Whether to make the tables where there are none.
        lifecycles: The definitions; the standard lifecycle `REPORT` unless given.
        clock: See `AsyncReportFlow`, as for the arguments below.
        new_id: Gives the ids of new records.
        retry_timeout: How long a call is retried after conflicts, in seconds.
        catalog: The texts of its errors.
        observe: Called with each `Incident`.
        clock_tolerance: By how many seconds a caller's clock may differ.
        people: Who exists; see `ReportFlow`.
        zone: The time zone of its days and years, or its name.
        files: Keeps the contents of files; see `ReportFlow`.
        file_rules: Which files are taken.

    Raises:
        InvalidURL: mistyped, its engine is not supported, or its driver blocks.
        MissingExtra: the driver that it names, or greenlet, is not installed.
        StorageUnavailable, SchemaMismatch: when it is entered or awaited; see `open_store`.
    """
    from reportflow.flow.aio import AsyncReportFlow  # asyncio takes long to import; a blocking program needs it not

    return AsyncReportFlow(
        _async_store(url, create),
        lifecycles,
        clock=clock,
        new_id=new_id,
        retry_timeout=retry_timeout,
        catalog=catalog,
        observe=observe,
        clock_tolerance=clock_tolerance,
        people=people,
        zone=zone,
        files=files,
        file_rules=file_rules,
    )


def _async_store(url: str, create: bool) -> AsyncStore:
    if _in_memory(url):
        return AsyncMemoryStore()
    from reportflow.storage.sql.aio import AsyncSqlStore

    return AsyncSqlStore(url, create=create)
