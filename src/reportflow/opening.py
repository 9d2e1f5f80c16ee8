"""The quick way in: a database URL to a store and a flow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reportflow.errors import InvalidURL, InvalidValue
from reportflow.flow.blocking import ReportFlow
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.checks import wrong
from reportflow.office.report import REPORT
from reportflow.storage.contract import Store
from reportflow.storage.memory import MemoryStore


def open_store(url: str, *, create: bool = True) -> Store:
    """A store by its URL: ``memory:``, or a database's such as ``sqlite:///office.db``.

    Args:
        url: ``?synchronous=FULL`` makes SQLite wait for the disk at each commit.
        create: Whether to make the tables where there are none.

    Raises:
        InvalidURL: mistyped, or its engine is not supported.
        MissingExtra: the driver that it names is not installed.
        StorageUnavailable: it cannot be opened, or has no tables and `create` is False.
        SchemaMismatch: its tables are of another version.
    """
    if not isinstance(url, str):
        raise InvalidValue("url", *wrong("str", url))
    if url in ("memory:", "memory://"):
        return MemoryStore()
    if ":" not in url:
        raise InvalidURL(url)
    # SQLAlchemy takes longer to import than all the rest; who keeps records in memory should not pay for it.
    from reportflow.storage.sql.store import SqlStore

    return SqlStore(url, create=create)


def open_flow(
    url: str, *, create: bool = True, lifecycles: Lifecycle | Iterable[Lifecycle] = (REPORT,), **options: Any
) -> ReportFlow:
    """A flow on the store of a URL; closing the flow closes the store.

    Args:
        url: See `open_store`.
        create: Whether to make the tables where there are none.
        lifecycles: The definitions; the standard lifecycle `REPORT` unless given.
        options: What `ReportFlow` takes besides: ``clock=``, ``new_id=``, ``patience=``.

    Raises:
        InvalidURL, MissingExtra, StorageUnavailable, SchemaMismatch: see `open_store`.
    """
    return ReportFlow(open_store(url, create=create), lifecycles, **options)
