"""The promises of `Store.feed`."""

from __future__ import annotations

import functools

from reportflow.errors import AlreadyExists
from reportflow.office.report import Comment
from reportflow.storage.base import FeedItem, Store
from reportflow.testing.acts import acted, created, day, joined, report, sample
from reportflow.testing.conformance.races import ROUNDS, THREADS, insist, together
from reportflow.testing.conformance.suite import StoreFixtures, bounded, keep, raised


def _keep_some(store: Store) -> None:
    """Five entries in three commits."""
    r1 = created(report("r1"))
    keep(store, r1)
    r2 = created(report("r2"))
    keep(store, joined(r2, acted(r2.record, "comment", Comment(text="x"))), created(report("r3")))
    keep(store, acted(r1.record, "comment", Comment(text="x")))


@bounded
class FeedTests(StoreFixtures):
    """Entries, out to the world."""

    def test_each_entry_once_oldest_first(self, store: Store) -> None:
        """The feed holds each entry of each commit once, as it was committed, oldest first."""
        assert store.feed() == []
        _keep_some(store)
        entries = [posted.entry for posted in store.feed()]
        assert [entry.ref for entry in (entries[0], entries[-1])] == ["r1@1", "r1@2"]
        assert sorted(entry.ref for entry in entries[1:-1]) == ["r2@1", "r2@2", "r3@1"]
        assert {entry.ref: entry for entry in entries} == {
            entry.ref: entry for entry in store.history(["r1", "r2", "r3"])
        }

    def test_positions_grow(self, store: Store) -> None:
        """Positions grow from one entry to the next, and an entry keeps its own."""
        _keep_some(store)
        before = store.feed()
        positions = [posted.position for posted in before]
        assert positions == sorted(set(positions))
        keep(store, created(report("r4")))
        assert store.feed()[: len(before)] == before

    def test_by_commit_not_by_the_clock(self, store: Store) -> None:
        """The feed goes by commit: an entry that was recorded earlier and committed later comes behind."""
        late, early = created(report("r1"), now=day(2)), created(report("r2"), now=day(1), at=day(0))
        keep(store, late)
        read = store.feed()
        keep(store, early)
        assert [posted.entry.ref for posted in store.feed(read[-1].position)] == ["r2@1"]
        assert [posted.entry.ref for posted in store.feed()] == ["r1@1", "r2@1"]

    def test_entries_of_a_record_in_sequence(self, store: Store) -> None:
        """Entries of one record come in their sequence, those of one commit too."""
        for commit in range(3):
            steps = [created(report(f"r{commit}")), created(report(f"a{commit}"))]
            for number in range(5):
                steps.append(acted(steps[-1].record, "comment", Comment(text=str(number))))
            keep(store, joined(*steps[1:]), steps[0])
        seen: dict[str, int] = {}
        for posted in store.feed():
            assert posted.entry.sequence == seen.get(posted.entry.record_id, 0) + 1
            seen[posted.entry.record_id] = posted.entry.sequence

    def test_behind_a_position(self, store: Store) -> None:
        """`after` shows the entries behind a position; behind the last one there are none until one is committed."""
        _keep_some(store)
        whole = store.feed()
        for number, posted in enumerate(whole, 1):
            assert store.feed(posted.position) == whole[number:]
        keep(store, created(report("new")))
        assert [posted.entry.ref for posted in store.feed(whole[-1].position)] == ["new@1"]

    def test_no_more_than_the_limit(self, store: Store) -> None:
        """The feed gives `limit` entries at the most, the oldest, and read on from there nothing is missing."""
        _keep_some(store)
        whole = store.feed()
        for limit in range(1, 7):
            read: list[FeedItem] = []
            while some := store.feed(read[-1].position if read else None, limit):
                assert len(some) == min(limit, len(whole) - len(read))
                read += some
            assert read == whole
        keep(store, *(created(sample(f"s{number}")) for number in range(200)))
        assert len(store.feed()) == 100

    def test_a_refused_commit_is_not_in_the_feed(self, store: Store) -> None:
        """Nothing of a refused commit is ever in the feed."""
        _keep_some(store)
        before = store.feed()
        raised(AlreadyExists, store.commit, [created(report("r9")), created(report("r1"))])
        keep(store, created(report("r10")))
        assert [posted.entry.ref for posted in store.feed()[len(before) :]] == ["r10@1"]

    def test_a_reader_beside_writers_misses_nothing(self, store: Store) -> None:
        """Who has read up to a position has seen everything up to it, whatever commits late."""
        rounds, ended = 2 * ROUNDS, list[int]()
        total = THREADS * rounds

        # made before the race, so that its threads stop inside the store
        lives = [[created(report(f"r{number}"))] for number in range(THREADS)]
        for life in lives:
            while len(life) < rounds:
                life.append(acted(life[-1].record, "comment", Comment(text="x")))

        def write(number: int) -> list[FeedItem]:
            try:
                for change in lives[number]:
                    insist(lambda change=change: keep(store, change))  # type: ignore[misc]  # a lambda's default has no type
            finally:
                ended.append(number)
            return []

        def follow() -> list[FeedItem]:
            read: list[FeedItem] = []
            while len(read) <= total:
                last = len(ended) == THREADS
                after = read[-1].position if read else None
                some = insist(functools.partial(store.feed, after))
                read += some
                if last and not some:
                    break
            return read

        writers = [lambda number=number: write(number) for number in range(THREADS)]
        answers = together([follow, follow, *writers], steady=2)
        whole = store.feed(limit=2 * total)
        assert len(whole) == total
        assert answers == [whole, whole, *[[]] * THREADS]
