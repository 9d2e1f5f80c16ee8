"""A question to a store and its answer, in a form that all stores have in common; what is asked of every scenario.

A *scenario* is a list of commits, a *question* one call of a store. The right answer is what `MemoryStore` gives, whose
`find` and `count` are `matching`, after the same commits.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import attrs

from reportflow.model.frozen import FrozenDict
from reportflow.model.query import LIMIT, Query
from reportflow.storage.base import Change, Of, Store
from reportflow.testing.broken import BrokenPromise, outcome
from reportflow.testing.differences import first_difference, shown
from reportflow.testing.twin import in_common

#: Gives the handle that is asked next: always the same one, or several in turn.
Turn = Callable[[], Store]


class Question(NamedTuple):
    """One thing to ask of a store: its words, and the call.

    Attributes:
        text: What is asked, to be shown.
        ask: Gives the answer, in a form that stores have in common: cursors and positions are left out.
        whole: Whether it is about all that is kept; every handle is asked it.
    """

    text: str
    ask: Callable[[Turn], object]
    whole: bool = False


class Scenario(NamedTuple):
    """What is written, and what is asked then.

    Attributes:
        name: Its axis.
        commits: What is committed, one after the other.
        questions: What is asked.
    """

    name: str
    commits: Sequence[Sequence[Change]]
    questions: Sequence[Question]


# -- asking ---------------------------------------------------------------------------------------------------------


def found(**asked: Any) -> Question:
    """All that a query finds, on one page."""
    query = Query(**asked)
    return Question(f"find({_said(asked)})", lambda turn: [one.id for one in turn().find(query)])


def paged(limit: int, **asked: Any) -> Question:
    """The pages of a query, each asked of the next handle."""
    query = Query(limit=limit, **asked)

    def ask(turn: Turn) -> object:
        pages: list[list[str]] = []
        cursor = query.cursor
        while len(pages) < 100:
            page = turn().find(attrs.evolve(query, cursor=cursor))
            pages.append([one.id for one in page])
            cursor = page.next
            if cursor is None:
                break
        return pages

    return Question(f"find({_said(asked)}), in pages of {limit}", ask)


def turned(first: Query, second: Query) -> Question:
    """The second page by the cursor of a first one that was asked for something else in the same order."""

    def ask(turn: Turn) -> object:
        cursor = turn().find(first).next
        return None if cursor is None else [one.id for one in turn().find(attrs.evolve(second, cursor=cursor))]

    return Question(f"find({second}) by the cursor of {first}", ask)


def counted(of: Of, group: Sequence[str] = (), **asked: Any) -> Question:
    """A count."""
    query = Query(**asked)
    return Question(f"count({_said(asked)}, of={of!r}, group={group!r})", lambda turn: turn().count(query, of, group))


def kept(commits: Sequence[Sequence[Change]]) -> list[Question]:
    """All that a store shows of what was committed: each record, entry and key, what is sealed, and the feed."""
    changes = [change for commit in commits for change in commit]
    ids = list(dict.fromkeys(change.record.id for change in changes))
    keys = [(one.actor.id, one.key) for change in changes for one in change.entries if one.key is not None]
    asked: dict[str, Callable[[Turn], object]] = {}
    for id in ids:
        asked[f"get([{id!r}])"] = _call("get", [id])
        asked[f"history([{id!r}])"] = _call("history", [id])
    for actor, key in keys:
        asked[f"by_key({actor!r}, {key!r})"] = _call("by_key", actor, key)
    asked["history() of all"] = lambda turn: turn().history([*ids[::-1], *ids[:1]])
    asked["get() of all"] = lambda turn: turn().get([*ids[::-1], *ids[:1]])
    asked["find() of all, by id"] = lambda turn: turn().find(Query(order="id", limit=LIMIT)).records
    asked["sealed()"] = lambda turn: [one._replace(position=None) for one in turn().sealed(limit=LIMIT)]
    asked["sealed(), three at a time"] = _sealed_by_three
    asked["feed()"] = lambda turn: _by_commit([one.entry for one in turn().feed(limit=LIMIT)], commits)
    asked["feed(), three at a time"] = lambda turn: _by_commit(_fed_by_three(turn), commits)
    asked |= {f"sealed({place!r}, 2)": _sealed_behind(place) for place in _places(ids)}
    asked |= {f"feed({after})": _fed_behind(after) for after in AFTER}
    return [Question(text, ask, whole=True) for text, ask in asked.items()]


def _call(name: str, *given: object) -> Callable[[Turn], object]:
    call = operator.methodcaller(name, *given)
    return lambda turn: call(turn())


#: Positions before all others, and so far behind that no store has come to them.
AFTER: Final = (0, 2**31, 2**53)


def _places(ids: Sequence[str]) -> list[tuple[str, int]]:
    """Behind what `sealed` may begin: before, at and behind the entries of a record, and where there is no record."""
    some = sorted(ids)[:: max(1, len(ids) // 4)]
    found = [(id, sequence) for id in some for sequence in (0, 1, 2**31 - 1)]
    return [("", 0), ("\U0010ffff" * 3, 0), *found, *((f"{id}{more}", 0) for id in some for more in ("\x01", "0", "z"))]


def _sealed_behind(place: tuple[str, int]) -> Callable[[Turn], object]:
    return lambda turn: [(one.record_id, one.sequence) for one in turn().sealed(place, 2)]


def _fed_behind(after: int) -> Callable[[Turn], object]:
    return lambda turn: len(turn().feed(after, LIMIT))


def _sealed_by_three(turn: Turn) -> object:
    refs: list[tuple[str, int]] = []
    while len(some := turn().sealed(refs[-1] if refs else None, 3)) and len(refs) < LIMIT:
        refs += [(one.record_id, one.sequence) for one in some]
    return refs


def _fed_by_three(turn: Turn) -> list[Any]:
    read: list[Any] = []
    while len(some := turn().feed(read[-1].position if read else None, 3)) and len(read) < LIMIT:
        read += some
    return [item.entry for item in read]


def _by_commit(entries: Sequence[Any], commits: Sequence[Sequence[Change]]) -> object:
    """The entries of a feed, those of each commit by record: in which order a commit's records come is left open."""
    numbers = {
        (one.record_id, one.sequence): number for number, commit in enumerate(commits) for change in commit
        for one in change.entries
    }  # fmt: skip
    places = [numbers.get((one.record_id, one.sequence), -1) for one in entries]
    sorted_in_commits = sorted(zip(places, entries, strict=True), key=lambda pair: (pair[0], pair[1].record_id))
    return [places == sorted(places), *(one for _, one in sorted_in_commits)]


def _said(asked: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in asked.items())


# -- comparing ------------------------------------------------------------------------------------------------------


def answer(question: Question, turn: Turn) -> Any:
    """What a question comes to, be it an error, in a form that stores have in common."""
    return in_common(outcome(lambda: question.ask(turn)))


#: How many letters of a call are shown.
_LONGEST: Final = 300


def committed(store: Store, changes: Sequence[Change]) -> object:
    """What a commit comes to: None, or an error in a form that stores have in common."""
    return in_common(outcome(lambda: store.commit(changes)))


def spoil(given: Any) -> None:
    """Change what was given as far as it lets itself be changed: it is the reader's own."""
    for one in given if isinstance(given, list | tuple) else ():
        for name in attrs.fields_dict(type(one)) if attrs.has(type(one)) else ():
            value = getattr(one, name)
            if isinstance(value, dict | list | set) and not isinstance(value, FrozenDict):
                value.clear()
    if isinstance(given, list | dict):
        given.clear()


def compare(axis: str, moment: str, call: str, given: object, due: object) -> None:
    """Refuse an answer that is not the right one.

    Raises:
        BrokenPromise: names the axis, the moment, the call, both answers and where they differ first.
    """
    found = first_difference(given, due)
    if found is not None:
        place, one, other = f"answer{found.path}", shown(found.one), shown(found.other)
        text = call if len(call) <= _LONGEST else f"{call[:_LONGEST]} …"
        raise BrokenPromise("axis", axis=axis, moment=moment, call=text, place=place, given=one, due=other)
