"""Two stores as one: equal ones are one store, and a fault in either is said in full sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import pytest
from hypothesis import settings

from reportflow import (
    Actor,
    AlreadyExists,
    Capabilities,
    Change,
    Conflict,
    Entry,
    FeedItem,
    MemoryStore,
    Page,
    Query,
    Record,
    ReportFlow,
    SqlStore,
    Store,
)
from reportflow.office import REPORT, Author, Report, Revision
from reportflow.office.report import Comment
from reportflow.storage.base import Group, Of
from reportflow.testing import StoresDiffer, StoreTests, Twin, run_on_both
from reportflow.testing.acts import CLASSES, acted, created, report, sample
from reportflow.testing.machine import store_machine
from tests.testing.sessions import session
from tests.testing.test_awaited import SleepingStore


class SparseFeed(MemoryStore):
    """Leaves gaps between its positions."""

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        some = super().feed(None if after is None else after // 7, limit)
        return [FeedItem(posted.position * 7, posted.entry) for posted in some]


class OwnCursors(MemoryStore):
    """Has cursors of its own form."""

    def find(self, query: Query) -> Page:
        page = super().find(attrs.evolve(query, cursor=query.cursor and query.cursor.removeprefix("own-")))
        return Page(page.records, page.next and f"own-{page.next}")


class TestATwinOfTwoKinds(StoreTests):
    """The twin of two stores that keep the contract keeps it too: nothing that is left open is a difference."""

    @pytest.fixture
    def new_store(self) -> Callable[[], Store]:
        return lambda: Twin(OwnCursors(), SparseFeed())


#: Whatever Hypothesis calls, the store in memory and the one on SQL answer the same.
TestTheStoresThatShipAreOne = store_machine(lambda: Twin(MemoryStore(), SqlStore("sqlite://"))).TestCase
TestTheStoresThatShipAreOne.settings = settings(max_examples=10, stateful_step_count=20)


# -- a fault in one of them -------------------------------------------------------------------------------------------


class Lowers(MemoryStore):
    """Keeps titles in small letters."""

    def _set(self, changes: Sequence[Change]) -> None:
        lowered = [attrs.evolve(one.record, title=one.record.title.lower()) for one in changes]
        super()._set([attrs.evolve(one, record=record) for one, record in zip(changes, lowered, strict=True)])


class TakesConflicts(MemoryStore):
    """Says nothing of a conflict."""

    def _compare(self, changes: Sequence[Change]) -> None:
        try:
            super()._compare(changes)
        except Conflict:
            return


class NamesOthers(MemoryStore):
    """Names another record than the one that is there."""

    def _compare(self, changes: Sequence[Change]) -> None:
        try:
            super()._compare(changes)
        except AlreadyExists:
            raise AlreadyExists(["another"]) from None


class DropsFromTheFeed(MemoryStore):
    """Shows nothing of comments."""

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        return [one for one in super().feed(after, limit) if one.entry.trigger != "comment"]


class ForgetsAnEntry(MemoryStore):
    """Keeps the last entry of a change only."""

    def history(self, ids: Sequence[str]) -> list[Entry]:
        return super().history(ids)[-1:]


class CountsDouble(MemoryStore):
    """Counts each record twice."""

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        return {one: 2 * number for one, number in super().count(query, of, group).items()}


class HasNoKeys(MemoryStore):
    """Finds no key."""

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        return None


class EndsEarly(MemoryStore):
    """Has one page of everything."""

    def find(self, query: Query) -> Page:
        return Page(super().find(query).records)


def history(store: Store) -> None:
    """What is played on two stores."""
    first = created(report("R1", title="Title"), key="k")
    store.commit([first])
    second = acted(first.record, "comment", Comment(text="x"))
    store.commit([second])
    for wrong in (created(report("R1")), second):
        with pytest.raises((AlreadyExists, Conflict)):
            store.commit([wrong])
    store.commit([created(sample(f"S{number}")) for number in range(3)])
    assert store.count(Query())[()] == 4
    store.by_key("clerk", "k")
    page = store.find(Query(limit=2))
    assert len(store.find(Query(limit=2, cursor=page.next))) == 2
    assert [len(store.feed(one, 2)) for one in (None, store.feed()[1].position)] == [2, 2]


#: A faulty store -> how the difference begins, and what it says further on.
FAULTS: dict[Callable[[], Store], tuple[str, str]] = {
    Lowers: ("get(['R1']) after commit('R1' new → 1 by create) has two", "at answer[0].title: 'Title' and 'title'."),
    TakesConflicts: ("commit('R1' 1 → 2 by comment) has two answers.", "raises Conflict, ids=('R1',)"),
    NamesOthers: (
        "commit('R1' new → 1 by create) has two answers.",
        "NamesOthers raises AlreadyExists, ids=('another',)",
    ),
    DropsFromTheFeed: ("feed() after commit('R1' 1 → 2 by comment) has two answers.", "at answer['R1']"),
    ForgetsAnEntry: ("history(['R1']) after commit('R1' 1 → 2 by comment) has two", "at answer[0]."),
    CountsDouble: ("count(Query(", "at answer[()]: 4 and 8."),
    HasNoKeys: ("by_key('clerk', 'k') has two answers.", "HasNoKeys gives None."),
    EndsEarly: ("find(Query(", "at answer[1]: 'another page' and 'no more'."),
}


@pytest.mark.parametrize("faulty", FAULTS)
@pytest.mark.parametrize("turned", [False, True], ids=["other", "one"])
def test_a_fault_is_a_difference(faulty: Callable[[], Store], turned: bool) -> None:
    """A fault in one of two stores is found where it shows first, whichever of them has it."""
    begins, further = FAULTS[faulty]
    with pytest.raises(StoresDiffer) as caught:
        run_on_both(faulty if turned else MemoryStore, MemoryStore if turned else faulty, history)
    said = str(caught.value)
    assert said.startswith(begins)
    assert "MemoryStore" in said
    if not turned:
        assert further in said


def test_equal_stores_play_to_the_end() -> None:
    """Two stores that keep the contract show no difference, an asynchronous one among them; `play` gives its answer."""
    others: list[Callable[[], Any]] = [
        MemoryStore,
        SparseFeed,
        OwnCursors,
        SleepingStore,
        lambda: SqlStore("sqlite://", CLASSES),
    ]
    for other in others:
        run_on_both(MemoryStore, other, history)
    assert run_on_both(MemoryStore, MemoryStore, lambda store: store.count(Query())) == {(): 0}


def test_a_flow_runs_on_two_stores() -> None:
    """A flow of commands is compared after each step: what a store loses is found at the step that loses it."""
    li = Actor(id="li", roles={"editor"}, unit="u")

    def play(store: Store) -> Record:
        flow = ReportFlow(store, REPORT, new_id=lambda: "r1")
        draft = Report.draft(title="t", text="x", authors=[Author(name="a")])
        flow.create(draft, by=li)
        edited: Record = flow.fire("r1", "edit", Revision(text="y", title="New"), by=li)
        return edited

    assert run_on_both(MemoryStore, lambda: SqlStore("sqlite://"), play).version == 2
    with pytest.raises(StoresDiffer, match=r"after commit\('r1' 1 → 2 by edit\)"):
        run_on_both(MemoryStore, Lowers, play)


def test_stores_that_begin_differently_are_no_twins() -> None:
    """Two stores that do not hold the same from the beginning differ at once."""
    full = MemoryStore()
    full.commit([created(report("r1"))])
    with pytest.raises(StoresDiffer, match="'r1'"):
        Twin(full, MemoryStore())


def test_positions_that_fall_are_a_difference() -> None:
    """A feed whose positions do not grow is said, even where both have the same entries."""

    class Falls(MemoryStore):
        def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
            return [
                FeedItem(-posted.position, posted.entry) for posted in super().feed(None if after is None else -after)
            ]

    with pytest.raises(StoresDiffer, match="positions that do not grow"):
        run_on_both(MemoryStore, Falls, history)


def test_a_twin_can_do_what_both_can() -> None:
    """A twin is durable or shared where both are, and never writes in a host's transaction."""
    every = MemoryStore()
    every.capabilities = Capabilities(durable=True, shared=True, host_transaction=True)
    assert Twin(every, every).capabilities == Capabilities(durable=True, shared=True)
    assert Twin(every, MemoryStore()).capabilities == Capabilities()


def test_both_are_closed_in_the_end() -> None:
    """Both stores are closed, whatever the first one's closing or the play does."""
    closed: list[str] = []

    class Closes(MemoryStore):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def close(self) -> None:
            closed.append(self.name)
            if self.name == "one":
                raise OSError(self.name)

    with pytest.raises(OSError, match="one"):
        run_on_both(lambda: Closes("one"), lambda: Closes("other"), lambda store: None)
    with pytest.raises(OSError, match="one"):
        Twin(Closes("one"), Closes("other")).close()
    with pytest.raises(ZeroDivisionError):
        run_on_both(lambda: Closes("a"), lambda: Closes("b"), lambda store: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        run_on_both(lambda: Closes("left"), lambda: Closes(str(1 // 0)), lambda store: None)
    assert closed == ["one", "other", "one", "other", "a", "b", "left"]


def test_the_suite_says_what_a_twin_found() -> None:
    """A report on a twin whose stores differ gives the difference as the reason."""
    tests = ("test_what_was_committed_is_there", "test_every_text_is_found")
    assert session(lambda: Twin(MemoryStore(), CountsDouble()), *tests).passed
    (failed,) = session(lambda: Twin(MemoryStore(), HasNoAuthors()), *tests).failures
    assert "\nfind(Query(" in failed.reason
    assert "HasNoAuthors gives" in failed.reason


class HasNoAuthors(MemoryStore):
    """Finds nobody's records."""

    def find(self, query: Query) -> Page:
        return Page(()) if query.author else super().find(query)
