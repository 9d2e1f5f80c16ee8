"""What holds for calls from several threads at the same moment."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Final

from reportflow.errors import AlreadyExists, Conflict, DuplicateKey, StorageError
from reportflow.lifecycle.history import replay
from reportflow.model.actor import Actor
from reportflow.model.query import LIMIT, Happened, Query
from reportflow.office.report import REPORT, Comment, Revision
from reportflow.storage.base import Change, Store
from reportflow.testing.acts import acted, created, report
from reportflow.testing.conformance.races import ROUNDS, THREADS, insist, together
from reportflow.testing.conformance.suite import StoreFixtures, bounded, found, keep, seen

NUMBERS: Final = range(THREADS)


def _race(store: Store, *commits: list[Change]) -> Counter[type[StorageError] | None]:
    """How the commits, one a thread, ended: None for a success."""
    calls: list[Callable[[], None]] = [lambda changes=changes: store.commit(changes) for changes in commits]  # type: ignore[misc]  # a lambda's default has no type
    return Counter(None if answer is None else type(answer) for answer in together(calls))


@bounded
class ThreadTests(StoreFixtures):
    """All threads begin at one moment, and again in each round."""

    def test_one_version_is_replaced_once(self, store: Store) -> None:
        """Of several threads that replace one version exactly one wins; the others get Conflict."""
        record = keep(store, created(report("r1")))
        for version in range(2, ROUNDS + 2):
            changes = [acted(record, "comment", Comment(text=str(n)), by=Actor(id=f"a{n}")) for n in NUMBERS]
            ended = _race(store, *([change] for change in changes))
            assert ended == {None: 1, Conflict: THREADS - 1}
            (record,) = store.get(["r1"])
            history = store.history(["r1"])
            assert record.version == len(history) == version
            assert replay(history, REPORT) == record

    def test_one_id_is_created_once(self, store: Store) -> None:
        """Of several threads that create one id exactly one wins; the others get AlreadyExists."""
        for number in range(4 * ROUNDS):  # a creation is quick: this race is lost least often
            changes = [created(report(f"r{number}", title=f"from {n}")) for n in NUMBERS]
            ended = _race(store, *([change] for change in changes))
            assert ended == {None: 1, AlreadyExists: THREADS - 1}
            (record,), history = store.get([f"r{number}"]), store.history([f"r{number}"])
            assert record in [change.record for change in changes]
            assert replay(history, REPORT) == record

    def test_one_key_is_used_once(self, store: Store) -> None:
        """Of several threads that use one actor's key exactly one wins; the others get DuplicateKey."""
        for number in range(ROUNDS):
            changes = [created(report(f"r{number}/{n}"), key=f"k{number}") for n in NUMBERS]
            ended = _race(store, *([change] for change in changes))
            assert ended == {None: 1, DuplicateKey: THREADS - 1}
            keyed = store.by_key("clerk", f"k{number}")
            assert keyed is not None
            assert found(store, id={change.record.id for change in changes}) == [keyed.record_id]

    def test_commits_that_cross(self, store: Store) -> None:
        """Commits of the same records in different orders: one wins whole, none waits for ever."""
        records = [created(report(f"r{number}")).record for number in NUMBERS]
        keep(store, *(created(report(record.id)) for record in records))
        for _ in range(ROUNDS // 2):
            commits = [
                [acted(record, "comment", Comment(text=str(number))) for record in records[number:] + records[:number]]
                for number in NUMBERS
            ]
            ended = _race(store, *commits)
            assert ended == {None: 1, Conflict: THREADS - 1}
            records = store.get([record.id for record in records])
            last = [store.history([record.id])[-1] for record in records]
            assert [entry.sequence for entry in last] == [record.version for record in records]
            assert len({entry.details.text for entry in last if isinstance(entry.details, Comment)}) == 1

    def test_commits_that_do_not_meet(self, store: Store) -> None:
        """Commits of different records do not disturb each other."""
        kept = []
        for number in range(ROUNDS // 2):
            kept += [f"r{number:02}/{n}" for n in NUMBERS]
            ended = _race(store, *([created(report(id))] for id in kept[-THREADS:]))
            assert ended == {None: THREADS}
        assert found(store, order="id", limit=LIMIT) == kept
        assert [entry.record_id for entry in store.history(kept)] == kept
        assert sorted(posted.entry.record_id for posted in store.feed(limit=LIMIT)) == kept

    def test_other_threads_see_what_was_committed(self, store: Store) -> None:
        """What one commit keeps, every later read of any thread shows, whatever that thread read before."""
        turn, versions = threading.Barrier(THREADS), range(2, 8)
        first = keep(store, created(report("r1"), key="k1"))

        def write() -> list[object]:
            record = first
            for version in versions:
                change = acted(record, "edit", Revision(text=f"text {version}"), key=f"k{version}")
                insist(lambda change=change: store.commit([change]))  # type: ignore[misc]  # a lambda's default has no type
                record = change.record
                turn.wait()
                turn.wait()
            return []

        def read() -> list[object]:
            known: list[object] = [seen(store, "r1", "k1")]
            for version in versions:
                turn.wait()
                known.append(insist(lambda version=version: seen(store, "r1", f"k{version}")))  # type: ignore[misc]  # a lambda's default has no type
                turn.wait()
            return known[1:]

        def or_nobody(call: Callable[[], list[object]]) -> list[object]:
            try:
                return call()
            except BaseException:
                turn.abort()
                raise

        _, *known = together([lambda: or_nobody(write), *[lambda: or_nobody(read)] * (THREADS - 1)])
        assert known == [[(version,) * 6 for version in versions]] * (THREADS - 1)

    def test_no_read_shows_half_a_commit(self, store: Store) -> None:
        """A read beside writers shows each commit whole or not at all."""
        pair = [created(report(id)) for id in ("r1", "r2")]
        keep(store, *pair)
        ended = threading.Event()
        commits = [pair]  # made before the race, so that its threads stop inside the store
        while len(commits) <= 3 * ROUNDS:
            commits.append([acted(change.record, "comment", Comment(text="x")) for change in commits[-1]])

        def write() -> None:
            try:
                for changes in commits[1:]:
                    insist(lambda changes=changes: store.commit(changes))  # type: ignore[misc]  # a lambda's default has no type
            finally:
                ended.set()

        def half(read: Callable[[], list[int]]) -> Callable[[], list[int]]:
            """The first answer to a read in which the two records have not come equally far, or nothing."""

            def watch() -> list[int]:
                while True:
                    last = ended.is_set()
                    first, second = insist(read)
                    if first != second or last:
                        return [] if first == second else [first, second]

            return watch

        def counted() -> list[int]:
            answer = store.count(Query(), "entries", ["created_by"])
            return [sum(answer.values()) // 2, -(-sum(answer.values()) // 2)]

        def listed() -> list[int]:
            known = Counter(posted.entry.record_id for posted in store.feed(limit=LIMIT))
            return [known["r1"], known["r2"]]

        def chosen() -> list[int]:
            known = Counter(entry.record_id for entry in store.history(["r1", "r2"]))
            return [known["r1"], known["r2"]]

        answers = together(
            [
                half(lambda: [record.version for record in store.get(["r1", "r2"])]),
                half(lambda: [record.version for record in store.find(Query(happened=Happened(trigger="create")))]),
                half(counted),
                half(chosen),
                half(listed),
                write,
            ],
            steady=5,
        )
        assert answers == [[], [], [], [], [], None]
