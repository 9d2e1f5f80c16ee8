"""Two stores as one: each call goes to both, and a difference of their answers is an error."""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import attrs

from reportflow.model.entry import Entry
from reportflow.model.query import LIMIT, Page, Query
from reportflow.model.record import Record
from reportflow.serialization.classes import Classes
from reportflow.serialization.digest import Sealed
from reportflow.storage.base import AsyncStore, Capabilities, Change, FeedItem, Group, Of, Store, SupportsClasses
from reportflow.testing.broken import Raised, outcome
from reportflow.testing.differences import first_difference, shown
from reportflow.testing.factory import driven

T = TypeVar("T")

#: What two errors are compared by, beside their class.
_FACTS: Final = ("ids", "keys", "field", "problem")


class StoresDiffer(AssertionError):
    """Two stores answered one call differently; `str` of it says the call, its arguments and both answers."""


class Twin:
    """A store that makes each call on two stores, which hold the same, and gives the first one's answer.

    After each commit, kept or refused, the records and histories that it names and all that is new in the feed are
    compared too. What the contract leaves open may differ: the numbers of positions, the texts of cursors, and the
    order in which the feed has the records of one commit.

    Calls of several threads are made one after the other. Closing it closes both.

    Raises:
        StoresDiffer: from any call whose answers differ, and from the start if the two do not hold the same.
    """

    def __init__(self, one: Store, other: Store) -> None:
        self.one = one
        self.other = other
        self._lock = threading.RLock()
        self._feeds: tuple[list[FeedItem], list[FeedItem]] = ([], [])
        self._cursors: dict[str, str] = {}
        self._compare_feeds("feed()")

    @property
    def capabilities(self) -> Capabilities:
        """What both can do. A host's transaction is of one store, never of two."""
        one, other = self.one.capabilities, self.other.capabilities
        return Capabilities(durable=one.durable and other.durable, shared=one.shared and other.shared)

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store.commit`."""
        with self._lock:
            call = f"commit({_summary(changes)})"
            ended = self._both(call, lambda store: store.commit(changes))
            if not isinstance(ended, Raised):
                self._erase(changes)
            for id in dict.fromkeys(change.record.id for change in changes):
                self._both(f"get([{id!r}]) after {call}", operator.methodcaller("get", [id]))
                self._both(f"history([{id!r}]) after {call}", operator.methodcaller("history", [id]))
            self._compare_feeds(f"feed() after {call}")
            self._value(ended)

    def _erase(self, changes: Sequence[Change]) -> None:
        """Expect of the feeds what remains of the entries whose content was removed."""
        remains = {(entry.record_id, entry.sequence): entry for change in changes for entry, _ in change.erased}
        for known in self._feeds if remains else ():
            for place, item in enumerate(known):
                its = remains.get((item.entry.record_id, item.entry.sequence))
                if its is not None:
                    known[place] = FeedItem(item.position, its)

    def get(self, ids: Sequence[str]) -> list[Record]:
        """See `Store.get`."""
        return self._asked(f"get({shown(ids)})", lambda store: store.get(ids))

    def find(self, query: Query) -> Page:
        """See `Store.find`."""
        call = f"find({shown(query)})"
        with self._lock:
            translated = attrs.evolve(query, cursor=self._cursors.get(query.cursor or "", query.cursor))
            pages = outcome(lambda: self.one.find(query)), outcome(lambda: self.other.find(translated))
            self._compare(call, *pages)
            page: Page = self._value(pages[0])
            if page.next is not None:
                self._cursors[page.next] = pages[1].next
            return page

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        """See `Store.count`."""
        call = f"count({shown(query)}, of={of!r}, group={group!r})"
        return self._asked(call, lambda store: store.count(query, of, group))

    def history(self, ids: Sequence[str]) -> list[Entry]:
        """See `Store.history`."""
        return self._asked(f"history({shown(ids)})", lambda store: store.history(ids))

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        """See `Store.by_key`."""
        return self._asked(f"by_key({actor_id!r}, {key!r})", lambda store: store.by_key(actor_id, key))

    def add_classes(self, classes: Classes) -> None:
        """See `SupportsClasses.add_classes`: for those of the two stores that take them."""
        for store in (self.one, self.other):
            if isinstance(store, SupportsClasses):
                store.add_classes(classes)

    def sealed(self, after: tuple[str, int] | None = None, limit: int = 1000) -> list[Sealed]:
        """See `Store.sealed`. The places in the feed are those of the first store, as `feed` shows them."""
        call = f"sealed({after!r}, {limit!r})"
        with self._lock:
            self._asked(call, lambda store: [one._replace(position=None) for one in store.sealed(after, limit)])
            return self.one.sealed(after, limit)

    def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        """See `Store.restore`."""
        with self._lock:
            call = f"restore({shown(sealed)}, {shown(records)}, more={more})"
            ended = self._both(call, lambda store: store.restore(sealed, records, more=more))
            if not more:
                self._compare_feeds(f"feed() after {call}")
            self._value(ended)

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        """See `Store.feed`. Each store's answer must be what that very store showed when it was committed."""
        call = f"feed({after!r}, {limit!r})"
        with self._lock:
            seen = sum(1 for posted in self._feeds[0] if after is not None and posted.position <= after)
            answers = []
            for store, known in zip((self.one, self.other), self._feeds, strict=True):
                behind = None if after is None else (known[seen - 1].position if seen else after)
                answer = store.feed(after if store is self.one else behind, limit)
                self._compare(call, answer, known[seen : seen + limit], ("now", "before"))
                answers.append(answer)
            return answers[0]

    def close(self) -> None:
        """See `Store.close`."""
        try:
            self.one.close()
        finally:
            self.other.close()

    # -- comparing ----------------------------------------------------------------------------------------------

    def _asked(self, call: str, ask: Callable[[Store], T]) -> T:
        with self._lock:
            answer: T = self._value(self._both(call, ask))
            return answer

    def _both(self, call: str, ask: Callable[[Store], object]) -> Any:
        one, other = outcome(lambda: ask(self.one)), outcome(lambda: ask(self.other))
        self._compare(call, one, other)
        return one

    def _compare(self, call: str, one: Any, other: Any, names: Sequence[str] = ()) -> None:
        found = first_difference(in_common(one), in_common(other))
        if found is None:
            return
        first, second = names or self._names()
        lines = [f"{call} has two answers.", f"{first} {_text(one)}.", f"{second} {_text(other)}."]
        if found.path and not isinstance(one, Raised) and not isinstance(other, Raised):
            lines.append(f"They differ first at answer{found.path}: {shown(found.one)} and {shown(found.other)}.")
        raise StoresDiffer("\n".join(lines))

    def _names(self) -> list[str]:
        kinds = [type(store).__name__ for store in (self.one, self.other)]
        return kinds if kinds[0] != kinds[1] else [f"one {kinds[0]}", f"the other {kinds[1]}"]

    @staticmethod
    def _value(answer: Any) -> Any:
        if isinstance(answer, Raised):
            raise answer.error
        return answer

    def _compare_feeds(self, call: str) -> None:
        """All that is new: the same entries, each record's in sequence, at positions that only grow."""
        new = []
        for store, known in zip((self.one, self.other), self._feeds, strict=True):
            fresh: list[FeedItem] = []
            while some := store.feed((known + fresh)[-1].position if known or fresh else None, LIMIT):
                fresh += some
            positions = [posted.position for posted in [*known[-1:], *fresh]]
            if positions != sorted(set(positions)):
                raise StoresDiffer(f"{call} has positions that do not grow.\n{type(store).__name__} gives {positions}.")
            known += fresh
            by_record: dict[str, list[Entry]] = {}
            for posted in fresh:
                by_record.setdefault(posted.entry.record_id, []).append(posted.entry)
            new.append(dict(sorted(by_record.items())))
        self._compare(call, new[0], new[1])


def run_on_both(
    make_one: Callable[[], Store | AsyncStore], make_other: Callable[[], Store | AsyncStore], play: Callable[[Store], T]
) -> T:
    """Make the same calls on two fresh stores, compared after each call; the result of `play`.

    Args:
        make_one: Gives a fresh store, asynchronous or not; it is closed in the end.
        make_other: Gives the one to compare it with.
        play: Calls a store in any way, the same way each time: by hand, or through a flow.

    Raises:
        StoresDiffer: as soon as the two differ.
    """
    one = driven(make_one())
    try:
        other = driven(make_other())
    except BaseException:
        one.close()
        raise
    try:
        return play(Twin(one, other))
    finally:
        try:
            one.close()
        finally:
            other.close()


def in_common(answer: object) -> object:
    """An answer in a form that two stores have in common: of an error, its class and what it names."""
    if isinstance(answer, Page):  # a cursor is opaque: whether there is one is the answer
        return answer.records, "another page" if answer.next else "no more"
    if not isinstance(answer, Raised):
        return answer
    return answer.kind.__name__, {name: fact for name, fact in answer.facts.items() if name in _FACTS}


def _text(answer: object) -> str:
    if not isinstance(answer, Raised):
        return f"gives {shown(in_common(answer))}"
    named = "".join(f", {name}={answer.facts[name]!r}" for name in _FACTS if name in answer.facts)
    return f"raises {answer.kind.__name__}{named}"


def _summary(changes: Sequence[Change]) -> str:
    """Changes in a few words: which record, from which version to which, by which triggers."""
    parts = [
        f"{change.record.id!r} {change.expected.version if change.expected else 'new'} → {change.record.version} "
        f"by {', '.join(entry.trigger for entry in change.entries)}"
        for change in changes
    ]
    return "; ".join(parts) or "nothing"
