"""What a faulty store is to the suite: a class, the test made for it, and how to run the one against the other."""

from __future__ import annotations

import operator
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self, TypeVar

import pytest

from reportflow import Capabilities, MemoryStore, SqlStore, Store
from reportflow.storage.base import AsyncStore
from reportflow.testing import ConformanceReport
from reportflow.testing.conformance import chance
from tests.host import rolled_back
from tests.testing.sessions import session

#: Each faulty store -> the test of the suite that is made for its fault.
FAULTS: Final[dict[type[Store] | type[AsyncStore], str]] = {}

S = TypeVar("S", bound=type[Store] | type[AsyncStore])


def caught_by(test: str) -> Callable[[S], S]:
    """Say which test of the suite is made for the fault of a store."""

    def enter(store: S) -> S:
        FAULTS[store] = test
        return store

    return enter


class DurableStore(MemoryStore):
    """A sound store that outlives itself: it is opened anew from what it holds."""

    capabilities = Capabilities(durable=True)

    def reopened(self) -> Self:
        """The same data in another store."""
        again = type(self)()
        again._records = dict(self._records)
        again._histories = {id: list(history) for id, history in self._histories.items()}
        again._keys = dict(self._keys)
        again._feed = list(self._feed)
        again._sealed = {id: list(sealed) for id, sealed in self._sealed.items()}
        again._restored = list(self._restored)
        return again


class SqliteStore(SqlStore):
    """A sound store on SQLite, in memory."""

    def __init__(self) -> None:
        super().__init__("sqlite://")


class Folder:
    """A folder that goes with the last store that has a file in it."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp())
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


class FileStore(SqlStore):
    """A sound store on an SQLite file in a folder of its own."""

    def __init__(self, folder: Folder | None = None) -> None:
        self._folder = folder or Folder()
        super().__init__(f"sqlite:///{self._folder.path / 'office.db'}")

    def reopened(self) -> Self:
        """One more store on the same file."""
        return type(self)(self._folder)


def found_by_chance(store: Callable[[], Store | AsyncStore], seed: int) -> bool:
    """Whether the random part of the suite alone comes upon the fault, with a seed."""
    with pytest.MonkeyPatch.context() as patch:
        # the shortest of the calls that fail are not asked for here, and take their time
        patch.setitem(chance.PROFILES, "default", chance.PROFILES["default"]._replace(shrinking=0.0))
        return bool(held(store, "test_any_calls_in_any_order", seed=seed).failures)


def held(store: Callable[[], Store | AsyncStore], *tests: str, seed: int) -> ConformanceReport:
    """The report of some tests of the suite on a store; of all of them where none is named."""
    reopen = operator.methodcaller("reopened")
    return session(store, *tests, reopen=reopen, rolled_back=rolled_back, seed=seed)
