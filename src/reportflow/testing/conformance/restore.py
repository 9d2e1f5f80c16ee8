"""The promises of `Store.restore`, and of `sealed`, from which it is fed."""

from __future__ import annotations

from reportflow.errors import Conflict, DuplicateKey, InvalidValue
from reportflow.model.query import LIMIT, Query
from reportflow.model.record import Record
from reportflow.office.report import Comment
from reportflow.serialization.digest import Sealed
from reportflow.storage.base import Store
from reportflow.testing.acts import acted, created, report
from reportflow.testing.conformance.read import lives
from reportflow.testing.conformance.suite import StoreFixtures, Stores, bounded, everything, keep, raised


def _filled(store: Store) -> Store:
    """Three lives, two of which go on in turns, so that the feed is not in the order of the ids."""
    changes = lives()
    keep(store, *changes)
    for record in (changes[2].record, changes[0].record):
        keep(store, acted(record, "comment", Comment(text="又"), key=record.id))
    store.feed()  # where commits overtake, it is now that entries get their positions
    return store


def _parts(store: Store) -> list[tuple[list[Sealed], list[Record]]]:
    """What a store holds, record by record."""
    sealed, records = store.sealed(limit=LIMIT), store.find(Query(order="id", limit=LIMIT)).records
    return [([one for one in sealed if one.record_id == record.id], [record]) for record in records]


def _whole(store: Store) -> tuple[list[Sealed], list[Record]]:
    return store.sealed(limit=LIMIT), list(store.find(Query(order="id", limit=LIMIT)).records)


@bounded
class RestoreTests(StoreFixtures):
    """From one store into another."""

    def test_sealed_reads_on(self, store: Store) -> None:
        """`sealed` gives all entries by record and sequence, `limit` at the most, and reads on behind any of them."""
        _filled(store)
        whole = store.sealed()
        assert [one.digest for one in whole] == [one.digest for one in store.history(["adopted", "merged", "rejected"])]
        for number, one in enumerate(whole, 1):
            assert store.sealed((one.record_id, one.sequence), 2) == whole[number : number + 2]

    def test_a_copy_holds_what_the_source_holds(self, stores: Stores, store: Store) -> None:
        """What `sealed` gave, restored with its records, is read as it was: bytes, keys and places in the feed too."""
        source = _filled(stores.fresh())
        store.restore(*_whole(source))
        assert store.sealed(limit=LIMIT) == source.sealed(limit=LIMIT)
        assert everything(store) == everything(source)

    def test_a_copy_in_parts(self, stores: Stores, store: Store) -> None:
        """By several calls, of which all but the last have more to follow, a copy is the same."""
        source = _filled(stores.fresh())
        for sealed, records in _parts(source):
            store.restore(sealed, records, more=True)
        store.restore((), ())
        assert store.sealed(limit=LIMIT) == source.sealed(limit=LIMIT)
        assert everything(store) == everything(source)

    def test_a_copy_goes_on(self, stores: Stores, store: Store) -> None:
        """What is committed to a copy comes behind all that was restored; versions and keys count on."""
        source = _filled(stores.fresh())
        store.restore(*_whole(source))
        (stored,) = store.get(["merged"])
        last = store.feed(limit=LIMIT)[-1].position
        keep(store, acted(stored, "comment", Comment(text="x")))
        assert [posted.entry.ref for posted in store.feed(last)] == [f"merged@{stored.version + 1}"]
        raised(Conflict, store.commit, [acted(stored, "comment", Comment(text="x"))])
        raised(DuplicateKey, store.commit, [created(report("new"), key="once")])

    def test_places_are_kept_and_given(self, stores: Stores, store: Store) -> None:
        """Places in the feed are kept with their gaps; entries without one come behind all that have one."""
        sealed, records = _whole(_filled(stores.fresh()))
        order = sorted(sealed, key=lambda one: one.record_id, reverse=True)
        places = {one.digest: 10 * number for number, one in enumerate(order[:-3], 1)}
        store.restore([one._replace(position=places.get(one.digest)) for one in sealed], records)
        feed = store.feed(limit=LIMIT)
        assert [posted.entry.digest for posted in feed] == [one.digest for one in order]
        assert [posted.position for posted in feed[:-3]] == list(places.values())
        assert store.feed(feed[2].position + 1, 2) == feed[3:5]

    def test_only_into_an_empty_store(self, stores: Stores, store: Store) -> None:
        """Into a store that holds records nothing is restored, nor behind the last part; nothing has changed then."""
        sealed, records = _whole(_filled(stores.fresh()))
        other = stores.fresh()
        keep(store, created(report("zzz")))
        other.restore(sealed, records)
        for one in (store, other):
            before = everything(one)
            error = raised(InvalidValue, one.restore, sealed, records)
            assert (error.field, error.problem) == ("store", "not_empty")
            raised(InvalidValue, one.restore, (), ())
            assert everything(one) == before

    def test_only_whole_records(self, stores: Stores, store: Store) -> None:
        """Entries that are not the whole histories of the records, in the order of their ids, are not restored."""
        sealed, records = _whole(_filled(stores.fresh()))
        first, last = records[0], records[-1]
        doubled = [one._replace(key="twice", actor_id="clerk") if one.sequence < 3 else one for one in sealed]
        wrong: list[tuple[list[Sealed], list[Record]]] = [
            (sealed[1:], records),
            (sealed[:-1], records),
            (sealed, records[:-1]),
            (sealed, [*records, created(report("zzz")).record]),
            ([sealed[1], sealed[0], *sealed[2:]], records),
            ([*sealed[-last.version :], *sealed[: -last.version]], [last, *records[:-1]]),
            ([sealed[0], *sealed], [first, *records]),
        ]
        for entries, theirs in wrong:
            raised(InvalidValue, store.restore, entries, theirs)
        raised(DuplicateKey, store.restore, doubled, records)
        assert (store.sealed(), store.feed(), store.find(Query()).records) == ([], [], ())
        store.restore(sealed, records)
        assert store.sealed(limit=LIMIT) == sealed
