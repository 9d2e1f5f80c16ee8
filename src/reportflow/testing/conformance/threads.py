"""What holds for calls from several threads at the same moment."""

from __future__ import annotations

import threading
import time
from collections import Counter

from reportflow.errors import AlreadyExists, Conflict, DuplicateKey, StorageError
from reportflow.lifecycle.replay import replay
from reportflow.model.actor import Actor
from reportflow.model.query import Query
from reportflow.office.report import REPORT, Comment
from reportflow.testing.acts import acted, created, report
from reportflow.testing.conformance.suite import THREADS, Suite, together

NUMBERS = range(THREADS)


class ThreadSuite(Suite):
    """All threads begin at a barrier."""

    def _race(self, *commits: object) -> Counter[type[StorageError] | None]:
        """How the commits, one a thread, ended: None for a success."""
        store = self.store
        answers = together([lambda changes=changes: store.commit(changes) for changes in commits])  # type: ignore[misc]  # a lambda's default has no type
        return Counter(None if answer is None else type(answer) for answer in answers)

    def test_one_version_is_replaced_once(self) -> None:
        """Of several threads that replace one version exactly one wins; the others get Conflict."""
        record = self.keep(created(report("r1")))
        for version in range(2, 12):
            changes = [acted(record, "comment", Comment(text=str(n)), by=Actor(id=f"a{n}")) for n in NUMBERS]
            assert self._race(*([change] for change in changes)) == {None: 1, Conflict: THREADS - 1}
            (record,) = self.store.get(["r1"])
            history = self.store.history(["r1"])
            assert record.version == len(history) == version
            assert replay(history, REPORT) == record

    def test_one_id_is_created_once(self) -> None:
        """Of several threads that create one id exactly one wins; the others get AlreadyExists."""
        changes = [created(report("r1", title=f"from {number}")) for number in NUMBERS]
        assert self._race(*([change] for change in changes)) == {None: 1, AlreadyExists: THREADS - 1}
        assert [change for change in changes if self.store.get(["r1"]) == [change.record]] != []
        assert len(self.store.history(["r1"])) == 1

    def test_one_key_is_used_once(self) -> None:
        """Of several threads that use one actor's key exactly one wins; the others get DuplicateKey."""
        changes = [created(report(f"r{number}"), key="k") for number in NUMBERS]
        assert self._race(*([change] for change in changes)) == {None: 1, DuplicateKey: THREADS - 1}
        keyed = self.store.keyed("clerk", "k")
        assert keyed is not None
        assert self.found() == [keyed.record_id]

    def test_commits_that_cross(self) -> None:
        """Commits of the same records in different orders: one wins whole, none waits for ever."""
        records = [created(report(f"r{number}")).record for number in NUMBERS]
        self.keep(*(created(report(record.id)) for record in records))
        commits = [
            [acted(record, "comment", Comment(text=str(number))) for record in records[number:] + records[:number]]
            for number in NUMBERS
        ]
        assert self._race(*commits) == {None: 1, Conflict: THREADS - 1}
        texts = {
            entry.details.text
            for entry in self.store.history([record.id for record in records])
            if isinstance(entry.details, Comment)
        }
        assert len(texts) == 1

    def test_commits_that_do_not_meet(self) -> None:
        """Commits of different records do not disturb each other."""
        assert self._race(*([created(report(f"r{number}"))] for number in NUMBERS)) == {None: THREADS}
        assert self.found() == [f"r{number}" for number in NUMBERS]

    def test_other_threads_see_what_was_committed(self) -> None:
        """What one commit keeps, every later read of any thread shows."""
        store, record = self.store, self.keep(created(report("r1")))
        for version in range(2, 7):
            record = self.keep(acted(record, "comment", Comment(text="x")))
            seen = together([lambda: (store.get(["r1"])[0].version, len(store.history(["r1"])))] * THREADS)
            assert seen == [(version, version)] * THREADS

    def test_no_read_shows_half_a_commit(self) -> None:
        """A read beside writers shows each commit whole or not at all."""
        pair = [created(report("r1")), created(report("r2"))]
        self.keep(*pair)
        ended = threading.Event()

        def write() -> None:
            records = [change.record for change in pair]
            try:
                for _ in range(30):
                    changes = [acted(record, "comment", Comment(text="x")) for record in records]
                    self.store.commit(changes)
                    records = [change.record for change in changes]
                    time.sleep(0.001)  # the readers shall have their turn
            finally:
                ended.set()

        def read() -> set[bool]:
            equal: set[bool] = set()
            while not equal or not ended.wait(0.001):  # the writer shall have its turn
                for records in (self.store.get(["r1", "r2"]), self.store.find(Query())):
                    equal.add(len({record.version for record in records}) == 1)
                sequences = [entry.sequence for entry in self.store.history(["r1", "r2"])]
                equal.add(sequences == sequences[: len(sequences) // 2] * 2)
            return equal

        assert together([write, *[read] * 3]) == [None, *[{True}] * 3]
