"""The promises of `Store.get`, `history`, `by_key` and `close`."""

from __future__ import annotations

from reportflow.errors import InvalidValue, RecordNotFound
from reportflow.model.actor import Actor
from reportflow.model.query import Query
from reportflow.office.report import Comment, Revision
from reportflow.storage.base import Store
from reportflow.testing.acts import acted, created, joined, report
from reportflow.testing.conformance.suite import StoreFixtures, bounded, everything, found, keep, raised, seen

#: What may not be kept in a text, in the middle of one.
_UNKEPT = ("{}\0", "\0{}", "{}\0x", "{}\ud800", "{}\udfff")


@bounded
class ReadTests(StoreFixtures):
    """Reading what one thread committed."""

    def test_get_in_the_order_asked(self, store: Store) -> None:
        """Records come in the order asked, one asked for twice is given twice, and none asked for is none."""
        keep(store, *(created(report(id)) for id in ("r1", "r2", "r3")))
        asked = ["r3", "r1", "r2", "r1"]
        assert [record.id for record in store.get(asked)] == asked
        assert store.get([]) == []

    def test_get_names_all_that_are_missing(self, store: Store) -> None:
        """RecordNotFound names all that are missing, each once, in the order asked."""
        keep(store, created(report("r1")))
        error = raised(RecordNotFound, store.get, ["r9", "r1", "r0", "r9"])
        assert error.ids == ("r9", "r0")

    def test_history_in_the_order_of_the_ids(self, store: Store) -> None:
        """Entries come in the order of the ids, then of their sequence; unknown ids have none."""
        r1, r2 = created(report("r1")), created(report("r2"))
        keep(store, r1, r2)
        later = [acted(change.record, "comment", Comment(text="later")) for change in (r2, r1)]
        keep(store, *later)
        refs = [entry.ref for entry in store.history(["r2", "unknown", "r1"])]
        assert refs == ["r2@1", "r2@2", "r1@1", "r1@2"]
        assert [entry.ref for entry in store.history(["r1", "r1"])] == ["r1@1", "r1@2"] * 2
        assert store.history([]) == []

    def test_keyed_gives_the_entry_of_the_key(self, store: Store) -> None:
        """`by_key` gives the entry by which this actor used this key, or None."""
        first = created(report("r1"), key="k1")
        second = acted(first.record, "comment", Comment(text="x"), key="k2", by=Actor(id="other"))
        keep(store, joined(first, second))
        assert store.by_key("clerk", "k1") == first.entries[0]
        assert store.by_key("other", "k2") == second.entries[0]
        assert store.by_key("clerk", "k2") is None
        assert store.by_key("nobody", "k1") is None

    def test_closing_twice(self, store: Store) -> None:
        """Closing twice is fine."""
        keep(store, created(report("r1")))
        store.close()
        store.close()

    def test_what_may_not_be_kept_is_not_there(self, store: Store) -> None:
        """A text that may not be kept, with NUL or a lone surrogate in it, is the id, actor or key of nothing."""
        keep(store, created(report("r1"), key="k"))
        for form in _UNKEPT:
            error = raised(RecordNotFound, store.get, ["r1", form.format("r1")])
            assert error.ids == (form.format("r1"),)
            assert store.history([form.format("r1")]) == []
            assert store.by_key(form.format("clerk"), "k") is None
            assert store.by_key("clerk", form.format("k")) is None

    def test_every_read_shows_the_commits_before_it(self, store: Store) -> None:
        """What one commit keeps, every later read shows, whatever was read before."""
        record = keep(store, created(report("r1"), key="k1"))
        for version in range(2, 8):
            record = keep(store, acted(record, "edit", Revision(text=f"text {version}"), key=f"k{version}"))
            assert seen(store, "r1", f"k{version}") == (version,) * 6
            assert found(store, text=f"text {version}") == ["r1"]
            assert found(store, text=f"text {version - 1}") == []

    def test_a_refused_read_changes_nothing(self, store: Store) -> None:
        """A read that raises has changed nothing either."""
        keep(store, created(report("r1"), key="k"))
        before = everything(store)
        raised(RecordNotFound, store.get, ["r1", "r2"])
        raised(InvalidValue, store.find, Query(cursor="nonsense"))
        raised(InvalidValue, store.count, Query(), "records", ["nonsense"])
        after = everything(store)
        assert after == before

    def test_what_a_read_gives_is_the_readers_own(self, store: Store) -> None:
        """Reads give values: whatever a reader does with the lists that it was given, the store shows the same."""
        keep(store, created(report("r1"), key="k"))
        before = everything(store)
        for given in (store.get(["r1"]), store.history(["r1"]), store.feed(), store.count(Query(), group=["kind"])):
            given.clear()
        after = everything(store)
        assert after == before

    def test_what_a_writer_gave_is_the_stores_own(self, store: Store) -> None:
        """A commit is done when it returns: whatever the writer does with its list of changes then."""
        change = created(report("r1"))
        changes = [change]
        store.commit(changes)
        changes[:] = [created(report("r2"))]
        assert store.get(["r1"]) == [change.record]
        assert found(store) == ["r1"]
