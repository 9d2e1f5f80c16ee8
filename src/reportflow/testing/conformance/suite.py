"""What all parts of the suite share: the store under test, short words for keeping and asking, and a bounded wait."""

from __future__ import annotations

import functools
import math
import random
import sys
import threading
import time
import unittest
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Final, TypeVar, cast

import attrs

from reportflow.errors import ReportflowError, StorageBusy, StorageError
from reportflow.model.query import LIMIT, Query
from reportflow.model.record import Record
from reportflow.storage.base import AsyncStore, Change, Group, Store
from reportflow.testing.acts import CLERK
from reportflow.testing.conformance import texts
from reportflow.testing.loop import Awaited, awaited, is_async

#: How many threads do the same at the same moment, and how often.
THREADS: Final = 8
ROUNDS: Final = 12
#: How long a test may take, in seconds, and how long threads that were let go together may.
RETRY_TIMEOUT: Final = 60.0
#: How long Python lets a thread run in a race before it looks at another one, in seconds.
_SWITCH: Final = 1e-5

#: How a thread in a race stumbles: how likely at a call or a return, after how many stops how much less, how long.
_OFTEN: Final = 1 / 8
_STOPS: Final = 80
_SELDOM: Final = 1 / 256
_STOP: Final = 1e-5

E = TypeVar("E", bound=Exception)
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Unmet(AssertionError):
    """A promise that was not kept, by the store or by who gives the stores: a code of `texts`, and its facts."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        return texts.CATALOG.text(f"conformance.{self.code}", facts=self.facts)


class Missing(unittest.SkipTest):
    """Why a test is left out: a code of `texts`, and its facts."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(texts.CATALOG.text(f"conformance.{code}", facts=facts))
        self.code = code
        self.facts = facts


class Suite:
    """A test class with a store: made when a test first asks for it, closed behind each test."""

    #: How long a test may take, in seconds: a store that waits for itself ends in a failure, not in silence.
    retry_timeout: ClassVar[float] = RETRY_TIMEOUT

    def __init_subclass__(cls, *, bounded: bool = False) -> None:
        """The parts of the suite are `bounded`: each of their tests ends within the retry_timeout."""
        for name, function in list(vars(cls).items()) if bounded else ():
            if name.startswith("test_"):
                setattr(cls, name, _bounded(function))

    # -- what the author of a store gives -----------------------------------------------------------------------

    def make_store(self) -> Store | AsyncStore:
        """A fresh, empty store, asynchronous or not. The suite closes it."""
        raise NotImplementedError("give make_store: a fresh, empty store")

    def reopen(self, store: Any) -> Store | AsyncStore:
        """One more store on the data of this one, as a new process would open it.

        Asked for only where `capabilities` says `durable` or `shared`. The suite closes both.
        """
        raise Unmet("reopen.missing")

    def rolled_back(self, store: Any) -> AbstractContextManager[object]:
        """A transaction of the host's, rolled back at its end; it gives the store that writes inside it.

        Where it gives None, it is around the calls that this thread makes of the store itself. Asked for only where
        `capabilities` says `host_transaction`.
        """
        raise Missing("rolled_back.missing")  # not every owner of a store has a host at hand

    # -- the stores of a test -----------------------------------------------------------------------------------

    @functools.cached_property
    def store(self) -> Store:
        """The store of this test."""
        return self.another_store()

    @functools.cached_property
    def _opened(self) -> list[Store]:
        return []

    def another_store(self) -> Store:
        """One more fresh store, closed behind the test."""
        return self.closed_later(self.fresh_store())

    def store_again(self, store: Store) -> Store:
        """One more store on the data of this one, closed behind the test."""
        return self.closed_later(self.reopened_store(store))

    def closed_later(self, store: Store) -> Store:
        """The store itself, which is closed behind the test."""
        self._opened.append(store)
        return store

    def fresh_store(self) -> Store:
        """One more fresh store, which whoever asks closes.

        Raises:
            Unmet: `make_store` gives no fresh store.
        """
        store = self.given_store()
        if not looks_empty(store):
            store.close()
            raise Unmet("factory.not_empty")
        return store

    def given_store(self) -> Store:
        """What the factory gives, as a store.

        Raises:
            Unmet: it raises, or gives no store.
        """
        return _given("factory", self.make_store)

    def reopened_store(self, store: Store) -> Store:
        """One more store on the data of this one, which whoever asks closes.

        Raises:
            Unmet: `reopen` raises, or gives no such store.
        """
        again = _given("reopen", functools.partial(self.reopen, undriven(store)))
        if looks_empty(again):
            again.close()
            raise Unmet("reopen.empty")
        return again

    def needs(self, capability: str) -> None:
        """Leave the test out where the store does not declare a capability."""
        if not getattr(self.store.capabilities, capability, False):
            raise Missing("skip.capability", capability=capability)

    def teardown_method(self) -> None:
        """Close the stores that the test opened."""
        while self._opened:
            within(self.retry_timeout, self._opened.pop().close)

    def abandon(self) -> None:
        """Leave the stores as they are: they do not come back, and closing them would wait too."""
        self._opened.clear()

    # -- short words --------------------------------------------------------------------------------------------

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
            if len(pages) == 100:
                raise Unmet("pages")
            query = attrs.evolve(query, cursor=page.next)

    def everything(self, store: Store | None = None) -> object:
        """All that a store shows of itself, to be compared."""
        store = store or self.store
        records = store.find(Query(order="id", limit=LIMIT)).records
        posted = store.feed(limit=LIMIT)
        keyed = [store.by_key(one.entry.actor.id, one.entry.key or "") for one in posted]
        counted = store.count(Query(), "entries", ["kind", "state", "trigger"])
        return records, store.history([record.id for record in records]), posted, keyed, counted


def _given(hole: str, give: Callable[[], Any]) -> Store:
    """What a hole of the suite gives, as a store; an asynchronous one is driven."""
    try:
        given = give()
        store = driven(given)
    except (Unmet, NotImplementedError):
        raise
    except Exception as error:  # whatever it does
        raise Unmet(f"{hole}.raised", kind=type(error).__name__, given=str(error)) from error
    lacking = [name for name in texts.CALLS if not hasattr(store, name)]
    if lacking:
        raise Unmet(f"{hole}.lacks", kind=type(store).__name__, names=lacking)
    return store


def driven(given: Any) -> Store:
    """A store that somebody gives, asynchronous or not, to be called."""
    return awaited(given) if is_async(given) else cast(Store, given)


def undriven(store: Store) -> object:
    """The store that the factory gave: an asynchronous one itself, not what drives it."""
    return store.store if isinstance(store, Awaited) else store


def looks_empty(store: Store) -> bool:
    """Whether a store shows nothing; one that cannot be asked is for the tests to judge."""
    try:
        return not store.find(Query(limit=1)).records and not store.feed(limit=1)
    except Exception:  # whatever a store does wrong, one of the tests says it better
        return True


def raised(kind: type[E], call: Callable[..., object], *arguments: object) -> E:
    """The error that a call ends in, which must be of this very class."""
    given: object
    try:
        given = call(*arguments)
    except ReportflowError as error:
        if type(error) is kind:
            return cast(E, error)
        given = error
    raise Unmet("due", kind=kind.__name__, given=repr(given))


def seen(store: Store, id: str, key: str) -> tuple[int | None, ...]:
    """How far each of the reads says that a record has come; `key` is the one of its last entry."""
    keyed = store.by_key(CLERK.id, key)
    return (
        store.get([id])[0].version,
        next((record.version for record in store.find(Query(id=id))), None),
        store.count(Query(id=id), "entries")[()],
        len(store.history([id])),
        keyed.sequence if keyed else None,
        max((posted.entry.sequence for posted in store.feed(limit=LIMIT)), default=None),
    )


# ---------------------------------------------------------------------------------------------------------------
# Threads


def within(seconds: float, *calls: Callable[[], T]) -> list[T]:
    """What each call gives, run in a thread of its own.

    Raises:
        Unmet: some have not ended in so many seconds; their threads are left behind.
        BaseException: the first error that a call raised.
    """
    given: dict[int, T] = {}
    errors: list[BaseException] = []
    initialize_draft = threading.Semaphore(0)

    def run(number: int, call: Callable[[], T]) -> None:
        initialize_draft.release()
        try:
            given[number] = call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(calls)]
    for thread in threads:  # one after the other: Python cannot begin two at one moment where somebody traces them
        thread.start()
        initialize_draft.acquire()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if errors:
        raise next((one for one in errors if not isinstance(one, threading.BrokenBarrierError)), errors[0])
    if len(given) < len(calls):
        raise Unmet("hung", seconds=f"{seconds:g}", number=len(calls) - len(given))
    return [given[number] for number in range(len(calls))]


def together(
    calls: Sequence[Callable[[], T]], *, steady: int = 0, retry_timeout: float = RETRY_TIMEOUT / 2
) -> list[T | StorageError]:
    """Each call in a thread of its own, all let go at one moment: what each gave, or the storage error it raised.

    Python is told to look at the other threads all the time meanwhile, and each thread stops for a moment now and then
    where it calls or returns, so that a race that can be lost is lost soon. The first `steady` threads do not stop.
    """
    barrier = threading.Barrier(len(calls), action=lambda: sys.setswitchinterval(_SWITCH))
    deadline = time.monotonic() + retry_timeout
    there: list[None] = []

    def run(number: int, call: Callable[[], T]) -> T | StorageError:
        barrier.wait()
        there.append(None)
        while len(there) < len(calls) and time.monotonic() < deadline:
            pass  # a barrier lets its threads go one after the other
        if number >= steady:
            _stumble()
        try:
            return insist(call, deadline)
        except StorageError as error:
            return error

    before = sys.getswitchinterval()
    try:
        return within(retry_timeout, *(functools.partial(run, *pair) for pair in enumerate(calls)))
    finally:
        sys.setswitchinterval(before)


#: Python lets one thread at a time say what it wants to be told.
_PROFILING: Final = threading.Lock()


def _stumble() -> None:
    """Let this thread stumble from here on, unless somebody measures it."""
    with _PROFILING:
        if sys.getprofile() is None:
            sys.setprofile(_stumbling())


def _stumbling() -> Callable[..., None]:
    """What Python is to do at each call and return of a thread: nothing mostly, and let others go first at times."""
    stops = 0

    def stumble(_frame: object, _event: str, _argument: object) -> None:
        nonlocal stops
        often = _OFTEN if stops < _STOPS else _SELDOM
        if random.random() < often:
            stops += 1
            time.sleep(_STOP)

    return stumble


def insist(call: Callable[[], T], deadline: float = math.inf) -> T:
    """What a call gives in the end, where another writer holds the store: nothing was written, so it is tried again."""
    while True:
        try:
            return call()
        except StorageBusy:
            if time.monotonic() > deadline:
                raise


def _bounded(test: F) -> F:
    """A test that ends: with a failure, where the store does not come back."""

    @functools.wraps(test)
    def bounded(self: Suite) -> None:
        within(self.retry_timeout, functools.partial(test, self))

    return cast(F, bounded)
