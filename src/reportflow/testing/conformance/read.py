"""The promises of `Store.get`, `history`, `by_key` and `close`."""

from __future__ import annotations

from reportflow.errors import InvalidValue, RecordNotFound
from reportflow.model.actor import Actor
from reportflow.model.query import Query
from reportflow.office.report import Comment, Revision
from reportflow.testing.acts import acted, created, joined, report
from reportflow.testing.conformance.suite import Suite, raised, seen

#: What may not be kept in a text, in the middle of one.
_UNKEPT = ("{}\0", "\0{}", "{}\0x", "{}\ud800", "{}\udfff")


class ReadSuite(Suite, bounded=True):
    """Reading what one thread committed."""

    def test_get_in_the_order_asked(self) -> None:
        """Records come in the order asked, one asked for twice is given twice, and none asked for is none."""
        self.keep(*(created(report(id)) for id in ("r1", "r2", "r3")))
        asked = ["r3", "r1", "r2", "r1"]
        assert [record.id for record in self.store.get(asked)] == asked
        assert self.store.get([]) == []

    def test_get_names_all_that_are_missing(self) -> None:
        """RecordNotFound names all that are missing, each once, in the order asked."""
        self.keep(created(report("r1")))
        error = raised(RecordNotFound, self.store.get, ["r9", "r1", "r0", "r9"])
        assert error.ids == ("r9", "r0")

    def test_history_in_the_order_of_the_ids(self) -> None:
        """Entries come in the order of the ids, then of their sequence; unknown ids have none."""
        r1, r2 = created(report("r1")), created(report("r2"))
        self.keep(r1, r2)
        later = [acted(change.record, "comment", Comment(text="later")) for change in (r2, r1)]
        self.keep(*later)
        refs = [entry.ref for entry in self.store.history(["r2", "unknown", "r1"])]
        assert refs == ["r2@1", "r2@2", "r1@1", "r1@2"]
        assert [entry.ref for entry in self.store.history(["r1", "r1"])] == ["r1@1", "r1@2"] * 2
        assert self.store.history([]) == []

    def test_keyed_gives_the_entry_of_the_key(self) -> None:
        """`by_key` gives the entry by which this actor used this key, or None."""
        first = created(report("r1"), key="k1")
        second = acted(first.record, "comment", Comment(text="x"), key="k2", by=Actor(id="other"))
        self.keep(joined(first, second))
        assert self.store.by_key("clerk", "k1") == first.entries[0]
        assert self.store.by_key("other", "k2") == second.entries[0]
        assert self.store.by_key("clerk", "k2") is None
        assert self.store.by_key("nobody", "k1") is None

    def test_closing_twice(self) -> None:
        """Closing twice is fine."""
        self.keep(created(report("r1")))
        self.store.close()
        self.store.close()

    def test_what_may_not_be_kept_is_not_there(self) -> None:
        """A text that may not be kept, with NUL or a lone surrogate in it, is the id, actor or key of nothing."""
        self.keep(created(report("r1"), key="k"))
        for form in _UNKEPT:
            error = raised(RecordNotFound, self.store.get, ["r1", form.format("r1")])
            assert error.ids == (form.format("r1"),)
            assert self.store.history([form.format("r1")]) == []
            assert self.store.by_key(form.format("clerk"), "k") is None
            assert self.store.by_key("clerk", form.format("k")) is None

    def test_every_read_shows_the_commits_before_it(self) -> None:
        """What one commit keeps, every later read shows, whatever was read before."""
        record = self.keep(created(report("r1"), key="k1"))
        for version in range(2, 8):
            record = self.keep(acted(record, "edit", Revision(text=f"text {version}"), key=f"k{version}"))
            assert seen(self.store, "r1", f"k{version}") == (version,) * 6
            assert self.found(text=f"text {version}") == ["r1"]
            assert self.found(text=f"text {version - 1}") == []

    def test_a_refused_read_changes_nothing(self) -> None:
        """A read that raises has changed nothing either."""
        self.keep(created(report("r1"), key="k"))
        before = self.everything()
        raised(RecordNotFound, self.store.get, ["r1", "r2"])
        raised(InvalidValue, self.store.find, Query(cursor="nonsense"))
        raised(InvalidValue, self.store.count, Query(), "records", ["nonsense"])
        after = self.everything()
        assert after == before

    def test_what_a_read_gives_is_the_readers_own(self) -> None:
        """Reads give values: whatever a reader does with the lists that it was given, the store shows the same."""
        self.keep(created(report("r1"), key="k"))
        before = self.everything()
        store = self.store
        for given in (store.get(["r1"]), store.history(["r1"]), store.feed(), store.count(Query(), group=["kind"])):
            given.clear()
        after = self.everything()
        assert after == before

    def test_what_a_writer_gave_is_the_stores_own(self) -> None:
        """A commit is done when it returns: whatever the writer does with its list of changes then."""
        change = created(report("r1"))
        changes = [change]
        self.store.commit(changes)
        changes[:] = [created(report("r2"))]
        assert self.store.get(["r1"]) == [change.record]
        assert self.found() == ["r1"]
