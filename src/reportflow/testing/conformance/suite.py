"""What the parts of the suite share: fixtures for the stores of a test, and short words for writing and reading."""

from __future__ import annotations

import functools
import unittest
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, ClassVar, TypeVar, cast

import attrs
import pytest

from reportflow.errors import ReportflowError
from reportflow.model.query import LIMIT, Query
from reportflow.model.record import Record
from reportflow.storage.base import Change, Group, Store
from reportflow.testing.acts import CLERK
from reportflow.testing.broken import BrokenPromise, Explained
from reportflow.testing.conformance.races import TIMEOUT, within
from reportflow.testing.differences import shown
from reportflow.testing.factory import Factory, looks_empty

#: Takes a store and gives a transaction of the host around it, which is rolled back at its end.
RolledBack = Callable[[Any], AbstractContextManager[Any]]

C = TypeVar("C", bound=type[Any])
E = TypeVar("E", bound=Exception)
F = TypeVar("F", bound=Callable[..., None])


class Skipped(Explained, unittest.SkipTest):
    """Why a test is skipped."""


class Stores:
    """The stores of one test, closed after it."""

    def __init__(self, factory: Factory) -> None:
        self.factory = factory
        self._open: list[Store] = []

    def add(self, store: Store) -> Store:
        """The store itself, which is closed after the test."""
        self._open.append(store)
        return store

    def fresh(self) -> Store:
        """One more fresh, empty store."""
        return self.add(self.factory.fresh())

    def again(self, store: Store) -> Store:
        """One more store on the data of this one, which holds something."""
        again = self.add(self.factory.reopened(store))
        if looks_empty(again):
            raise BrokenPromise("reopen_empty")
        return again

    def close(self) -> None:
        """Close all of them, the last one first."""
        while self._open:
            self._open.pop().close()


class StoreFixtures:
    """What a backend gives, and what the tests take.

    A backend gives the fixture ``new_store``: a function without arguments that returns a fresh, empty store at each
    call, synchronous or asynchronous.

    Attributes:
        profile: How hard the random part tries: "default", "brief" for a quick look, or "thorough" for the night.
        seed: Makes the random part repeat its calls; None for other calls each time.
        timeout: How long a test may take, in seconds: a store that waits for itself is a failure, not a silence.
    """

    profile: str = "default"
    seed: int | None = None
    timeout: ClassVar[float] = TIMEOUT

    @pytest.fixture
    def reopen(self) -> Callable[[Any], Any] | None:
        """Takes a store, which may be closed, and returns one more on the same data, as a new process would open it.

        Needed where `capabilities` says `durable` or `shared`.
        """
        return None

    @pytest.fixture
    def rolled_back(self) -> RolledBack | None:
        """Takes a store and gives a transaction of the host, rolled back at its end.

        It gives the store that writes inside the transaction, or None where that is the store itself in this thread.
        Used where `capabilities` says `host_transaction`, whose promise is skipped without it.
        """
        return None

    @pytest.fixture
    def stores(
        self, new_store: Callable[[], Any], reopen: Callable[[Any], Any] | None, request: pytest.FixtureRequest
    ) -> Iterator[Stores]:
        """What opens the stores of a test, and closes them after it."""
        stores = Stores(Factory(new_store, reopen))
        yield stores
        if not request.node.stash.get(HUNG, False):  # closing would wait as well
            within(self.timeout, stores.close)

    @pytest.fixture
    def store(self, stores: Stores) -> Store:
        """A fresh, empty store."""
        return stores.fresh()

    @pytest.fixture(autouse=True)
    def _item(self, request: pytest.FixtureRequest) -> None:
        self._stash = request.node.stash


#: Whether a test did not come back.
HUNG = pytest.StashKey[bool]()


def bounded(part: C) -> C:
    """A part of the suite whose tests end: a store that does not come back fails the test."""

    def bound(test: F) -> F:
        @functools.wraps(test)
        def run(self: StoreFixtures, **fixtures: object) -> None:
            try:
                within(self.timeout, lambda: test(self, **fixtures))
            except BrokenPromise as broken:
                self._stash[HUNG] = broken.code == "hung"
                raise

        return cast(F, run)

    for name, function in list(vars(part).items()):
        if name.startswith("test_"):
            setattr(part, name, bound(function))
    return part


def needs(store: Store, capability: str) -> None:
    """Skip the test where the store does not declare a capability."""
    if not getattr(store.capabilities, capability):
        raise Skipped("skip.capability", capability=capability)


# -- short words ------------------------------------------------------------------------------------------------


def keep(store: Store, *changes: Change) -> Record:
    """Commit the changes together; the last one's record."""
    store.commit(changes)
    return changes[-1].record


def found(store: Store, **asked: Any) -> list[str]:
    """The ids of the records that a query finds."""
    return [record.id for record in store.find(Query(**asked))]


def counted(store: Store, *group: str, of: str = "records", **asked: Any) -> dict[Group, int]:
    """The answer to a count."""
    return store.count(Query(**asked), of, group)  # type: ignore[arg-type]  # a wrong `of` is tested too


def pages(store: Store, query: Query) -> list[list[str]]:
    """The ids on each page, from the query's own on."""
    pages: list[list[str]] = []
    while True:
        page = store.find(query)
        pages.append([record.id for record in page])
        if page.next is None:
            return pages
        if len(pages) == 100:
            raise BrokenPromise("pages")
        query = attrs.evolve(query, cursor=page.next)


def everything(store: Store) -> tuple[Any, ...]:
    """All that a store shows of itself, to be compared."""
    records = store.find(Query(order="id", limit=LIMIT)).records
    feed = store.feed(limit=LIMIT)
    keyed = [store.by_key(one.entry.actor.id, one.entry.key or "") for one in feed]
    counts = store.count(Query(), "entries", ["kind", "state", "trigger"])
    return records, store.history([record.id for record in records]), feed, keyed, counts


def seen(store: Store, id: str, key: str) -> tuple[int | None, ...]:
    """The version of a record according to each of the reads; `key` is the one of its last entry."""
    keyed = store.by_key(CLERK.id, key)
    return (
        store.get([id])[0].version,
        next((record.version for record in store.find(Query(id=id))), None),
        store.count(Query(id=id), "entries")[()],
        len(store.history([id])),
        keyed.sequence if keyed else None,
        max((posted.entry.sequence for posted in store.feed(limit=LIMIT)), default=None),
    )


def raised(kind: type[E], call: Callable[..., object], *arguments: object) -> E:
    """The error that a call must raise, of this very class."""
    result: object
    try:
        result = call(*arguments)
    except ReportflowError as error:
        if type(error) is kind:
            return cast(E, error)
        result = error
    raise BrokenPromise("due", kind=kind.__name__, given=shown(result))
