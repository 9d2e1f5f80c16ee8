"""What all parts of the suite share: the store under test, and short words for keeping and asking."""

from __future__ import annotations

import threading
import unittest
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, Final, TypeVar

import attrs

from reportflow.errors import StorageBusy, StorageError
from reportflow.model.query import LIMIT, Query
from reportflow.model.record import Record
from reportflow.storage.contract import Change, Group, Store

#: How many threads do the same at the same moment.
THREADS: Final = 8

E = TypeVar("E", bound=Exception)
T = TypeVar("T")


class Suite:
    """A test class with a store: made when a test first asks for it, closed behind each test."""

    def make_store(self) -> Store:
        """A fresh, empty store. The suite closes it."""
        raise NotImplementedError("give make_store: a fresh, empty store")

    def reopen(self, store: Store) -> Store:
        """The same data opened anew, as a new process would; asked for only where `capabilities.durable` is set."""
        raise NotImplementedError("a store that says it is durable is opened anew: give reopen")

    @cached_property
    def store(self) -> Store:
        """The store of this test."""
        return self.make_store()

    def teardown_method(self) -> None:
        """Close the store, if the test made one."""
        if "store" in vars(self):
            self.store.close()

    def keep(self, *changes: Change) -> Record:
        """Commit the changes together; the last one's record."""
        self.store.commit(changes)
        return changes[-1].record

    def found(self, **asked: Any) -> list[str]:
        """The ids of what a query finds."""
        return [record.id for record in self.store.find(Query(**asked))]

    def counted(self, *group: str, of: str = "records", **asked: Any) -> dict[Group, int]:
        """The answer to a count."""
        return self.store.count(Query(**asked), of, group)  # type: ignore[arg-type]  # a wrong `of` is tested too

    def pages(self, query: Query) -> list[list[str]]:
        """The ids on each page, from the query's own on."""
        pages: list[list[str]] = []
        while True:
            page = self.store.find(query)
            pages.append([record.id for record in page])
            if page.next is None:
                return pages
            assert len(pages) < 100, "the pages have no end"
            query = attrs.evolve(query, cursor=page.next)

    def everything(self) -> object:
        """All that the store shows of itself, to be compared."""
        records = self.store.find(Query(order="id", limit=LIMIT)).records
        posted = self.store.feed(limit=LIMIT)
        keyed = [self.store.keyed(one.entry.actor.id, one.entry.key or "") for one in posted]
        return records, self.store.history([record.id for record in records]), posted, keyed


def raised(kind: type[E], call: Callable[..., object], *arguments: object) -> E:
    """The error that a call ends in, which must be of this very class."""
    ended: object
    try:
        ended = call(*arguments)
    except kind as error:
        if type(error) is kind:
            return error
        ended = error
    raise AssertionError(f"{kind.__name__} was due, not {ended!r}")


def skip(why: str) -> None:
    """Leave a test out, and say why."""
    raise unittest.SkipTest(why)


def together(calls: Sequence[Callable[[], T]]) -> list[T | StorageError]:
    """Each call in a thread of its own, all let go at one moment: what each gave, or the storage error it raised."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T | StorageError:
        barrier.wait()
        while True:
            try:
                return call()
            except StorageBusy:
                continue  # nothing was written, and trying again is right
            except StorageError as error:
                return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
