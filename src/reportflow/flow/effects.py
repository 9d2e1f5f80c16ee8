"""What the flow asks of the outside, as typed generator functions: the calls of a store, and a pause.

The handler and the queries are generators. They know no I/O: each effect that they yield is carried out by a driver,
`flow.driving.drive` or `flow.aio.drive`, which sends the answer back or throws the error in. So the blocking and the
asynchronous flow run the very same lines. The functions here give each call its types::

    (record,) = yield from store.get([id])

An effect of the store is a function of it. On an asynchronous store it returns an awaitable, which its driver awaits.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from reportflow.model.entry import Entry
from reportflow.model.query import Page, Query
from reportflow.model.record import Record
from reportflow.serialization.digest import Sealed
from reportflow.storage.base import Change, FeedItem, Group, Of, Store

T = TypeVar("T")

#: The pauses after conflicts, in seconds. Longer ones let a few more commands through in all, since one writer is alone
#: most of the time; but the unluckiest writer waits four times as long.
_PAUSE: Final = 0.0005
_LONGEST_PAUSE: Final = 0.002


class Pause(NamedTuple):
    """Let some seconds pass before going on: back-off after a conflict."""

    seconds: float


class StoreCall(NamedTuple):
    """A call of the store, by name for logs and tests."""

    name: str
    run: Callable[[Store], Any]
    arguments: tuple[Any, ...]


class HostCall(NamedTuple):
    """Ask a function of the host's; on an asynchronous flow the answer may be an awaitable."""

    run: Callable[[], Any]


class BlockingCall(NamedTuple):
    """Do what blocks, beside the store; an asynchronous flow does it in a thread. Its errors are thrown in."""

    run: Callable[[], Any]


Effect = StoreCall | HostCall | BlockingCall | Pause
#: A generator of the flow: it yields effects, is sent their results, and returns its own.
Effects = Generator[Effect, Any, T]


def pause(seconds: float) -> Effects[None]:
    """Wait."""
    yield Pause(seconds)


def back_off(attempt: int) -> Effects[None]:
    """Wait before a retry: randomly, so that writers part, and exponentially longer up to a limit."""
    from random import uniform  # only a conflict needs it

    yield Pause(uniform(0, min(_LONGEST_PAUSE, _PAUSE * 2 ** min(attempt, 10))))


def ask_host(run: Callable[[], Any]) -> Effects[Any]:
    """What a function of the host's answers."""
    return (yield HostCall(run))


def in_a_thread(run: Callable[[], T]) -> Effects[T]:
    """The result of a function that blocks."""
    result: T = yield BlockingCall(run)
    return result


class StoreEffects:
    """The calls of a store as effects; see `Store` for what each promises."""

    __slots__ = ()

    def commit(self, changes: Sequence[Change]) -> Effects[None]:
        """See `Store.commit`."""
        yield StoreCall("commit", lambda store: store.commit(changes), (changes,))

    def get(self, ids: Sequence[str]) -> Effects[list[Record]]:
        """See `Store.get`."""
        records: list[Record] = yield StoreCall("get", lambda store: store.get(ids), (ids,))
        return records

    def find(self, query: Query) -> Effects[Page[Record]]:
        """See `Store.find`."""
        page: Page[Record] = yield StoreCall("find", lambda store: store.find(query), (query,))
        return page

    def count(self, query: Query, of: Of, group: Sequence[str]) -> Effects[dict[Group, int]]:
        """See `Store.count`."""
        counts: dict[Group, int]
        counts = yield StoreCall("count", lambda store: store.count(query, of, group), (query, of, group))
        return counts

    def history(self, ids: Sequence[str]) -> Effects[list[Entry]]:
        """See `Store.history`."""
        entries: list[Entry] = yield StoreCall("history", lambda store: store.history(ids), (ids,))
        return entries

    def by_key(self, actor_id: str, key: str) -> Effects[Entry | None]:
        """See `Store.by_key`."""
        entry: Entry | None
        entry = yield StoreCall("by_key", lambda store: store.by_key(actor_id, key), (actor_id, key))
        return entry

    def feed(self, after: int | None, limit: int) -> Effects[list[FeedItem]]:
        """See `Store.feed`."""
        items: list[FeedItem] = yield StoreCall("feed", lambda store: store.feed(after, limit), (after, limit))
        return items

    def sealed(self, after: tuple[str, int] | None, limit: int) -> Effects[list[Sealed]]:
        """See `Store.sealed`."""
        some: list[Sealed] = yield StoreCall("sealed", lambda store: store.sealed(after, limit), (after, limit))
        return some


#: What the handler and the queries call.
store: Final = StoreEffects()
