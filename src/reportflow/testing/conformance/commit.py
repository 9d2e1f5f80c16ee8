"""The promises of `Store.commit`."""

from __future__ import annotations

import attrs

from reportflow.errors import AlreadyExists, Conflict, DuplicateKey, InvalidValue, RecordNotFound
from reportflow.model.actor import Actor
from reportflow.office.report import Classification, Comment, Revision
from reportflow.storage.base import Store
from reportflow.testing.acts import CLERK, acted, created, erased, joined, report, sample
from reportflow.testing.conformance.suite import StoreFixtures, bounded, everything, found, keep, raised


@bounded
class CommitTests(StoreFixtures):
    """Commits one after the other; `threads` has those at the same moment."""

    def test_what_was_committed_is_there(self, store: Store) -> None:
        """A commit keeps a record together with its entries."""
        change = created(report("r1"))
        store.commit([change])
        assert store.get(["r1"]) == [change.record]
        assert store.history(["r1"]) == list(change.entries)

    def test_a_change_replaces_the_record_and_adds_to_its_history(self, store: Store) -> None:
        """The next record takes the place of the one before; entries are only ever added."""
        first = created(report("r1"))
        second = acted(first.record, "edit", Revision(text="new"))
        keep(store, first)
        keep(store, second)
        assert store.get(["r1"]) == [second.record]
        assert store.history(["r1"]) == [*first.entries, *second.entries]

    def test_a_change_may_hold_several_entries(self, store: Store) -> None:
        """A change may take a record several versions further, from its creation on or later."""
        first = created(report("r1"))
        second = acted(first.record, "edit", Revision(text="new"))
        third = acted(second.record, "comment", Comment(text="good"))
        fourth = acted(third.record, "comment", Comment(text="very good"))
        keep(store, joined(first, second))
        keep(store, joined(third, fourth))
        assert store.get(["r1"]) == [fourth.record]
        assert [entry.sequence for entry in store.history(["r1"])] == [1, 2, 3, 4]

    def test_all_changes_of_a_commit_are_kept(self, store: Store) -> None:
        """A commit keeps all its changes: creations and replacements, of several kinds."""
        old = keep(store, created(report("r1")))
        keep(store, acted(old, "edit", Revision(text="new")), created(report("r2")), created(sample("s1")))
        assert [record.version for record in store.get(["r1", "r2", "s1"])] == [2, 1, 1]

    def test_many_changes_in_one_commit(self, store: Store) -> None:
        """A commit takes a thousand changes, and reads take a thousand ids."""
        ids = [f"s{number:04}" for number in range(1_100)]
        keep(store, *(created(sample(id, topics=["many"])) for id in ids))
        keep(store, *(acted(record, "close") for record in store.get(ids)))
        assert [record.state for record in store.get(ids)] == ["closed"] * len(ids)
        assert len(store.history(ids)) == 2 * len(ids)

    def test_what_is_erased_is_gone_from_every_read(self, store: Store) -> None:
        """Erased content is gone with the commit, from record, labels, entries and what is sealed; all else stays."""
        first = created(report("r1", text="token", title="token", topics=["token"]), key="k")
        keep(store, joined(first, acted(first.record, "edit", Revision(text="token", title="new"), key="l")))
        kept = keep(store, acted(store.get(["r1"])[0], "comment", Comment(text="stays")))
        keep(store, created(report("r2", text="another token")))
        feed, before = store.feed(), store.sealed()  # where it is read, an entry has its place
        change = erased(kept, store.history(["r1"]), [one for one in before if one.record_id == "r1"], "text", "topics")
        keep(store, attrs.evolve(change, before=kept))
        gone = {entry.sequence: entry for entry, _ in change.erased}
        assert sorted(gone) == [1, 2]
        history = store.history(["r1"])
        assert history[:2] == [gone[1], gone[2]]
        assert history[2:] == [feed[2].entry, *change.entries]
        assert store.get(["r1"]) == [change.record]
        assert [store.by_key(CLERK.id, key) for key in ("k", "l")] == history[:2]
        assert [item.position for item in store.feed()][:4] == [item.position for item in feed]
        assert [item.entry for item in store.feed()][:3] == history[:3]
        after = {(one.record_id, one.sequence): one for one in store.sealed()}
        for entry, sealed in change.erased:
            stored = after.pop((entry.record_id, entry.sequence))
            assert stored._replace(position=sealed.position) == sealed
        stays = [one for one in before if (one.record_id, one.sequence) in after]
        assert [after[one.record_id, one.sequence] for one in stays] == stays
        assert found(store, topic="token") == []
        assert found(store, text="token") == ["r2"]

    def test_a_commit_that_is_refused_erases_nothing(self, store: Store) -> None:
        """All or nothing: with a change that does not go in, nothing is removed."""
        kept = keep(store, created(report("r1", text="token"), key="used"))
        change = erased(kept, store.history(["r1"]), store.sealed(), "text")
        before = everything(store), store.sealed()
        for kind, wrong in ((AlreadyExists, created(report("r1x"))), (DuplicateKey, created(report("r2"), key="used"))):
            if kind is AlreadyExists:
                keep(store, wrong)
                before = everything(store), store.sealed()
            raised(kind, store.commit, [change, wrong])
            raised(kind, store.commit, [wrong, change])
            assert (everything(store), store.sealed()) == before
        keep(store, acted(kept, "comment", Comment(text="faster")))
        before = everything(store), store.sealed()
        raised(Conflict, store.commit, [change])
        assert (everything(store), store.sealed()) == before

    def test_a_commit_of_nothing(self, store: Store) -> None:
        """No changes at all is a commit too, of nothing."""
        before = everything(store)
        store.commit([])
        assert everything(store) == before

    def test_a_refused_commit_changes_nothing(self, store: Store) -> None:
        """All or nothing: whichever change is refused, and for whatever cause, none of the commit is kept."""
        r1 = keep(store, created(report("r1", topics=["old"]), key="used"))
        r2 = keep(store, created(report("r2")))
        good = acted(r2, "classify", Classification(topics=("new",)), key="fresh")
        ahead = acted(acted(r1, "return").record, "revise", Revision(text="too early"))
        refused = {
            InvalidValue: [created(report("r3")), created(report("r3"))],
            RecordNotFound: [acted(created(report("r4")).record, "return")],
            AlreadyExists: [created(report("r1"))],
            Conflict: [ahead],
            DuplicateKey: [acted(r1, "return", key="used")],
        }
        before = everything(store)
        for kind, bad in refused.items():
            for changes in ([good, *bad], [*bad, good], [created(report("r5")), *bad]):
                raised(kind, store.commit, changes)
                assert everything(store) == before, kind.__name__
        assert found(store, topic="new") == []

    def test_the_version_is_compared(self, store: Store) -> None:
        """A change goes in only where the stored version is the expected one, neither older nor newer."""
        first = keep(store, created(report("r1")))
        second = acted(first, "comment", Comment(text="first"))
        third = acted(second.record, "comment", Comment(text="second"))
        assert raised(Conflict, store.commit, [third]).ids == ("r1",)
        keep(store, second)
        assert raised(Conflict, store.commit, [second]).ids == ("r1",)
        keep(store, third)

    def test_the_head_is_compared(self, store: Store) -> None:
        """A change goes in only where the stored head is the expected one: a version number is not a content."""
        first = keep(store, created(report("r1")))
        kept, other = acted(first, "edit", Revision(text="new")), acted(first, "return")
        keep(store, kept)
        from_other = acted(other.record, "comment", Comment(text="on a return that never was"))
        assert from_other.expected is not None
        assert from_other.expected.version == kept.record.version
        assert raised(Conflict, store.commit, [from_other]).ids == ("r1",)

    def test_what_the_writer_saw_does_not_stand_in_for_what_is_stored(self, store: Store) -> None:
        """`before` never stands in for the comparison with what is stored."""
        first = keep(store, created(report("r1")))
        keep(store, acted(first, "edit", Revision(text="new")))
        stale = attrs.evolve(acted(first, "return"), before=first)
        assert raised(Conflict, store.commit, [stale]).ids == ("r1",)

    def test_what_the_writer_saw_changes_nothing_in_what_is_kept(self, store: Store) -> None:
        """With `before` a store may leave alone what did not change; all that did change is kept."""
        before = keep(store, created(report("r1", topics=["old"], authors=report("r1").authors)))
        for trigger, details in (
            ("comment", Comment(text="nothing but the version")),
            ("classify", Classification(topics=("new",), category="roads", secrecy="secret")),
            ("edit", Revision(text="a new text", title="a new title")),
        ):
            change = attrs.evolve(acted(before, trigger, details), before=before)
            before = keep(store, change)
            assert store.get(["r1"]) == [before]
        assert found(store, topic="new", text="a new text") == ["r1"]
        assert found(store, topic="old") == []

    def test_one_record_in_two_changes(self, store: Store) -> None:
        """A record named by two changes is InvalidValue, whatever else is wrong with them."""
        missing = acted(created(report("r1")).record, "return")
        raised(InvalidValue, store.commit, [missing, missing])

    def test_missing_records_are_all_named(self, store: Store) -> None:
        """RecordNotFound names all records that are not there, and no other, in the order given."""
        there = keep(store, created(report("r1")))
        r3, r2 = (created(report(id)).record for id in ("r3", "r2"))
        changes = [acted(r3, "return"), acted(there, "return"), acted(r2, "return")]
        assert raised(RecordNotFound, store.commit, changes).ids == ("r3", "r2")

    def test_existing_records_are_all_named(self, store: Store) -> None:
        """AlreadyExists names all records to be created that are there, and no other, in the order given."""
        keep(store, created(report("r1")), created(sample("r2")))
        changes = [created(report(id)) for id in ("r2", "r3", "r1")]
        assert raised(AlreadyExists, store.commit, changes).ids == ("r2", "r1")

    def test_conflicts_are_all_named(self, store: Store) -> None:
        """Conflict names all records whose version or state differs, and no other, in the order given."""
        r1, r2, r3 = (created(report(id)) for id in ("r1", "r2", "r3"))
        keep(store, r1, r2, r3)
        late = [acted(change.record, "return") for change in (r3, r2, r1)]
        keep(store, late[0], late[2])
        assert raised(Conflict, store.commit, late).ids == ("r3", "r1")

    def test_a_key_used_before(self, store: Store) -> None:
        """DuplicateKey names all records that bring a key which their actor used before, and the keys."""
        keep(store, created(report("r1"), key="k1"), created(report("r2"), key="k2"))
        changes = [created(report(id), key=key) for id, key in (("r5", "k2"), ("r4", "new"), ("r3", "k1"))]
        error = raised(DuplicateKey, store.commit, changes)
        assert (error.ids, error.keys) == (("r5", "r3"), ("k2", "k1"))

    def test_a_key_used_twice_in_one_commit(self, store: Store) -> None:
        """A key is used once: by two changes of a commit, or by two entries of a change, it is DuplicateKey."""
        first = created(report("r1"), key="k")
        again = acted(first.record, "comment", Comment(text="again"), key="k")
        for changes in ([first, created(report("r2"), key="k")], [created(report("r0")), joined(first, again)]):
            error = raised(DuplicateKey, store.commit, changes)
            assert (error.ids, error.keys) == ((changes[-1].record.id,), ("k",))

    def test_keys_are_an_actors_own(self, store: Store) -> None:
        """Two actors may use the same key."""
        other = Actor(id="other")
        keep(store, created(report("r1"), by=CLERK, key="k"), created(report("r2"), by=other, key="k"))
        assert found(store) == ["r1", "r2"]

    def test_a_refused_commit_uses_no_key(self, store: Store) -> None:
        """A key that came with a refused commit is free."""
        keep(store, created(report("r1")))
        raised(AlreadyExists, store.commit, [created(report("r1"), key="k")])
        keep(store, created(report("r2"), key="k"))

    def test_the_order_of_errors(self, store: Store) -> None:
        """Of several errors the first is raised: RecordNotFound, AlreadyExists, Conflict, DuplicateKey."""
        r1, r2 = keep(store, created(report("r1"), key="used")), keep(store, created(report("r2")))
        keep(store, acted(r2, "return"))
        wrong = {
            DuplicateKey: acted(r1, "return", key="used"),
            Conflict: acted(r2, "return", key="used"),
            AlreadyExists: created(report("r1x"), key="used"),
            RecordNotFound: acted(created(report("missing")).record, "return", key="used"),
        }
        keep(store, created(report("r1x")))
        changes = []
        for kind, change in wrong.items():
            changes.append(change)
            raised(kind, store.commit, changes)
