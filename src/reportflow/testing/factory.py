"""What gives stores to a test, held to its promises: where these are broken, nothing else proves anything."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from typing import Any, Final, cast

from reportflow.model.query import Query
from reportflow.storage.base import Store, SupportsClasses
from reportflow.testing.acts import CLASSES, created, report
from reportflow.testing.broken import BrokenPromise
from reportflow.testing.loop import AwaitedStore

#: The calls of the contract, and its one attribute.
CALLS: Final = (
    "capabilities", "commit", "get", "find", "count", "history", "by_key", "feed", "sealed", "restore", "close",
)  # fmt: skip


def driven(given: Any) -> Store:
    """A store to be called: an asynchronous one, or what gives one when awaited, is driven in a loop of its own."""
    is_async = inspect.isawaitable(given) or inspect.iscoroutinefunction(getattr(given, "commit", None))
    return AwaitedStore(given) if is_async else cast(Store, given)


def undriven(store: Store) -> object:
    """The store that was given: an asynchronous one itself, not what drives it."""
    return store.store if isinstance(store, AwaitedStore) else store


def looks_empty(store: Store) -> bool:
    """Whether a store shows nothing; one that cannot be read is for the tests to judge."""
    try:
        return not store.find(Query(limit=1)).records and not store.feed(None, 1)
    except Exception:  # whatever a store does wrong, one of the tests says it better
        return True


class Factory:
    """A function that makes stores, and one that opens the data of a store again.

    An asynchronous store is driven: what is given out is synchronous.
    """

    def __init__(self, make: Callable[[], Any], reopen: Callable[[Any], Any] | None = None) -> None:
        self.make = make
        self.reopen = reopen
        self._checked = False
        self._broken: BrokenPromise | None = None

    def fresh(self) -> Store:
        """A fresh, empty store, which the caller closes.

        Raises:
            BrokenPromise: the function raised, gave no store, or one that is not empty.
        """
        store = _given("factory", self.make)
        if not looks_empty(store):
            store.close()
            raise BrokenPromise("factory_not_empty")
        return store

    def reopened(self, store: Store) -> Store:
        """One more store on the data of this one, which the caller closes.

        Raises:
            BrokenPromise: there is no such function, it raised, or gave no store.
        """
        if self.reopen is None:
            raise BrokenPromise("reopen_missing")
        reopen, given = self.reopen, undriven(store)
        return _given("reopen", lambda: reopen(given))

    def check(self) -> None:
        """See that two stores share nothing.

        Raises:
            BrokenPromise: they do, or one of them is no fresh store.
        """
        one = self.fresh()
        with contextlib.closing(one):
            with contextlib.suppress(Exception):  # a commit that fails is for the tests to judge
                one.commit([created(report("r1"))])
            other = _given("factory", self.make)
            if undriven(other) is undriven(one):
                raise BrokenPromise("factory_same")
            with contextlib.closing(other):
                if not looks_empty(other):
                    raise BrokenPromise("factory_same_data")

    def checked(self) -> Store:
        """A fresh store; before the first one, `check`. A broken promise is raised again at each call."""
        if self._broken is not None:
            raise self._broken
        try:
            if not self._checked:
                self.check()
                self._checked = True
            return self.fresh()
        except BrokenPromise as broken:
            self._broken = broken
            raise


def _given(what: str, give: Callable[[], Any]) -> Store:
    try:
        given = give()
        store = driven(given)
        if isinstance(store, SupportsClasses):
            store.add_classes(CLASSES)
    except Exception as error:  # whatever it does
        raise BrokenPromise(f"{what}_raised", kind=type(error).__name__, given=str(error)) from error
    lacking = [name for name in CALLS if name not in dir(store)]
    if lacking:
        raise BrokenPromise(f"{what}_lacks", kind=type(store).__name__, names=lacking)
    return store
