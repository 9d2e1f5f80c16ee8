"""What a store can do beyond the contract, where it says so: outlive itself, share its data, obey a host."""

from __future__ import annotations

from collections import Counter

from reportflow.errors import AlreadyExists, Conflict, DuplicateKey
from reportflow.model.actor import Actor
from reportflow.model.query import Query
from reportflow.office.report import Comment, Revision
from reportflow.storage.base import Store
from reportflow.testing.acts import acted, created, report
from reportflow.testing.conformance.races import ROUNDS, THREADS, together
from reportflow.testing.conformance.read import lives
from reportflow.testing.conformance.suite import (
    RolledBack,
    Skipped,
    StoreFixtures,
    Stores,
    bounded,
    everything,
    keep,
    needs,
    raised,
    seen,
)
from reportflow.testing.factory import driven, undriven


@bounded
class HandleTests(StoreFixtures):
    """Several stores on the same data, one after the other or side by side."""

    def test_what_was_committed_outlives_the_store(self, stores: Stores, store: Store) -> None:
        """Where `durable` is declared, a store opened anew shows all that was committed."""
        needs(store, "durable")
        keep(store, *lives())
        before = everything(store)
        store.close()
        after = everything(stores.again(store))
        assert after == before

    def test_a_store_opened_anew_goes_on(self, stores: Stores, store: Store) -> None:
        """Where `durable` is declared, a store opened anew goes on: versions, keys and positions are as they were."""
        needs(store, "durable")
        first = keep(store, created(report("r1"), key="k"))
        read = store.feed()[-1].position
        store.close()
        again = stores.again(store)
        raised(AlreadyExists, again.commit, [created(report("r1"))])
        raised(DuplicateKey, again.commit, [created(report("r2"), key="k")])
        again.commit([acted(first, "return")])
        raised(Conflict, again.commit, [acted(first, "return")])
        assert [posted.entry.ref for posted in again.feed(read)] == ["r1@2"]

    def test_two_stores_see_each_other(self, stores: Stores, store: Store) -> None:
        """Where `shared` is declared, what one store commits, every later read of another on the same data shows."""
        needs(store, "shared")
        record = keep(store, created(report("r1"), key="k1"))
        one, other = store, stores.again(store)
        for version in range(2, 8):
            writer, reader = (one, other) if version % 4 < 2 else (other, one)  # each twice: it reads between
            change = acted(record, "edit", Revision(text=f"text {version}"), key=f"k{version}")
            writer.commit([change])
            record = change.record
            assert seen(reader, "r1", f"k{version}") == (version,) * 6
            assert everything(reader) == everything(writer)

    def test_two_stores_replace_a_version_once(self, stores: Stores, store: Store) -> None:
        """Where `shared` is declared, of writers through several stores exactly one replaces a version."""
        needs(store, "shared")
        record = keep(store, created(report("r1")))
        both = [store, stores.again(store)]
        for _ in range(ROUNDS // 2):
            changes = [acted(record, "comment", Comment(text="x"), by=Actor(id=f"a{n}")) for n in range(THREADS)]
            answers = together(
                [lambda n=n, one=one: both[n % 2].commit([one]) for n, one in enumerate(changes)]  # type: ignore[misc]  # a lambda's default has no type
            )
            ended = Counter(type(answer) for answer in answers)
            assert ended == {type(None): 1, Conflict: THREADS - 1}
            (record,) = store.get(["r1"])
            assert both[1].get(["r1"]) == [record]

    def test_a_rollback_of_the_host_takes_everything_back(self, store: Store, rolled_back: RolledBack | None) -> None:
        """Where `host_transaction` is declared, a rollback of the host's leaves no record, entry, key or position."""
        needs(store, "host_transaction")
        if rolled_back is None:
            raise Skipped("skip.rolled_back")  # not every owner of a store has a host for it
        first = keep(store, created(report("r1")))
        before = everything(store)
        with rolled_back(undriven(store)) as inside:
            bound = store if inside is None else driven(inside)
            bound.commit([acted(first, "return", key="k"), created(report("r2"))])
            assert [record.id for record in bound.find(Query(order="id"))] == ["r1", "r2"]
        after = everything(store)
        assert after == before
        keep(store, acted(first, "return", key="k"))
