"""The promises of `Store.count`."""

from __future__ import annotations

from typing import Any, Final

from reportflow.errors import InvalidValue
from reportflow.model.actor import Actor
from reportflow.model.query import ENTRY_GROUPS, LABEL_GROUPS, RECORD_GROUPS, Happened, Interval, Query
from reportflow.office.report import Adoption, Level, Revision
from reportflow.storage.base import Group, Store
from reportflow.testing.acts import CLERK, Note, Undo, acted, created, day, joined, report, sample
from reportflow.testing.conformance.read import ALIKE
from reportflow.testing.conformance.suite import StoreFixtures, bounded, counted, keep, raised

WU: Final = Actor(id="wu")
#: Each group by a field of the record -> what `_keep_three` comes to.
BY_RECORD: Final[dict[str, dict[Group, int]]] = {
    "kind": {("report",): 1, ("conformance",): 2},
    "state": {("draft",): 1, ("open",): 1, ("closed",): 1},
    "unit": {("u1",): 2, ("u2",): 1},
    "parent": {("p1",): 1, (None,): 2},
    "category": {("c",): 2, ("",): 1},
    "assignee": {("li",): 2, (None,): 1},
    "secrecy": {("internal",): 2, ("secret",): 1},
    "created_by": {("wu",): 2, ("clerk",): 1},
    "lifecycle_version": {(1,): 1, (2,): 2},
}
#: Each group by a field of the entries -> how many records, and how many entries, `_keep_three` comes to.
BY_ENTRY: Final[dict[str, tuple[dict[Group, int], dict[Group, int]]]] = {
    "trigger": ({("create",): 3, ("note",): 1, ("close",): 1}, {("create",): 3, ("note",): 3, ("close",): 1}),
    "source": ({(None,): 3, ("open",): 1}, {(None,): 3, ("open",): 4}),
    "dest": ({("draft",): 1, ("open",): 2, ("closed",): 1}, {("draft",): 1, ("open",): 5, ("closed",): 1}),
    "actor": ({("clerk",): 1, ("wu",): 2}, {("clerk",): 5, ("wu",): 2}),
    "party": ({(None,): 3, ("a",): 1, ("b",): 1}, {(None,): 4, ("a",): 2, ("b",): 1}),
    "level": ({(None,): 3, ("l",): 1}, {(None,): 5, ("l",): 2}),
    "code": ({("member",): 1, (None,): 2, ("code",): 1}, {("member",): 1, (None,): 5, ("code",): 1}),
}


def _keep_three(store: Store) -> None:
    """A report, a sample, and a sample with three notes that is closed."""
    one = created(report("r1", unit="u1", parent="p1", category="c", assignee="li", topics=["x", "y", "x"]), by=WU)
    two = created(sample("s1", unit="u1", assignee="li", secrecy="secret", topics=["y"], authors=["a1", "a2"]), by=WU)
    steps = [created(sample("s2", unit="u2", category="c"))]
    for note in (Note(party="a", level="l"), Note(party="a", level="l", code=True), Note(party="b")):
        steps.append(acted(steps[-1].record, "note", note, now=day(len(steps))))
    keep(store, one, two, joined(*steps, acted(steps[-1].record, "close")))


@bounded
class CountTests(StoreFixtures):
    """How many."""

    def test_records_and_entries(self, store: Store) -> None:
        """Without a group the answer is ``{(): number}``: of the records that match, or of all their entries."""
        _keep_three(store)
        assert counted(store) == {(): 3}
        assert counted(store, of="entries") == {(): 7}
        assert counted(store, of="entries", kind="conformance") == {(): 6}

    def test_nothing_to_count(self, store: Store) -> None:
        """Of nothing there are ``{(): 0}`` without a group, and no groups at all with one."""
        for of in ("records", "entries"):
            assert counted(store, of=of) == {(): 0}
            for group in ("state", "topic", "trigger"):
                assert counted(store, group, of=of) == {}

    def test_happened_chooses_the_entries(self, store: Store) -> None:
        """With `happened` the entries that fit it are counted, or the records that have such an entry."""
        _keep_three(store)
        for happened, entries in (
            (Happened(trigger="note"), 3),
            (Happened(trigger="note", party="a"), 2),
            (Happened(recorded_at=Interval(day(1), day(3))), 2),
            (Happened(trigger="note", party={None}), 0),
        ):
            assert counted(store, of="entries", happened=happened) == {(): entries}
            assert counted(store, happened=happened) == {(): min(entries, 1)}
        assert counted(store, "party", happened=Happened(level="l"), of="entries") == {("a",): 2}
        assert counted(store, "state", happened=Happened(trigger="create")) == BY_RECORD["state"]

    def test_what_is_taken_back_does_not_count(self, store: Store) -> None:
        """What a later entry takes back is neither counted nor found, though the history keeps both."""
        one = created(sample("s1"))
        steps = [one]
        for number, party in enumerate("aab", 1):
            steps.append(acted(steps[-1].record, "note", Note(party=party), now=day(number)))
        other = [created(sample("s2"))]
        for trigger in ("close", "reopen", "close"):
            other.append(acted(other[-1].record, trigger))
        keep(store, joined(*steps), joined(*other))
        noted, by_a = Happened(trigger="note"), Happened(trigger="note", party="a")
        assert counted(store, of="entries", happened=noted) == {(): 3}
        keep(store, acted(steps[-1].record, "undo", Undo(sequence=4), now=day(9)))
        assert counted(store, of="entries") == {(): 8}
        stand = {("create",): 2, ("note",): 2, ("undo",): 1, ("close",): 2, ("reopen",): 1}
        assert counted(store, "trigger", of="entries") == stand
        assert counted(store, "party", of="entries", happened=noted) == {("a",): 2}
        assert counted(store, happened=Happened(trigger="note", party="b")) == {(): 0}
        last = store.get(["s1"])[0]
        for sequence, left in ((2, 1), (3, 0)):
            last = keep(store, acted(last, "undo", Undo(sequence=sequence), now=day(10)))
            assert counted(store, of="entries", happened=by_a) == {(): left}
            assert counted(store, happened=by_a) == {(): min(left, 1)}
            assert counted(store, "trigger", happened=noted) == ({("note",): 1} if left else {})
            assert [one.id for one in store.find(Query(happened=by_a))] == ["s1"][:left]
        assert [entry.retracts for entry in store.history(["s1"])] == [None, None, None, None, 4, 2, 3]

    def test_what_was_known_before_it_was_taken_back(self, store: Store) -> None:
        """Where `happened` asks for what was recorded before a time, what was taken back only then still counts."""
        steps = [created(sample("s1"))]
        steps.append(acted(steps[-1].record, "note", Note(), now=day(1)))
        steps.append(acted(steps[-1].record, "undo", Undo(sequence=2), now=day(3)))
        keep(store, joined(*steps))
        for end, number in ((day(1), 0), (day(2), 1), (day(3), 1), (day(4), 0), (None, 0)):
            known = Happened(trigger="note", recorded_at=Interval(None, end))
            assert counted(store, happened=known) == counted(store, of="entries", happened=known) == {(): number}
            assert len(store.find(Query(happened=known)).records) == number

    def test_groups_by_fields_of_the_record(self, store: Store) -> None:
        """Records are grouped by each of `RECORD_GROUPS`, under None where there is no value."""
        _keep_three(store)
        assert set(BY_RECORD) == set(RECORD_GROUPS)
        for name, expected in BY_RECORD.items():
            assert counted(store, name) == expected, name

    def test_entries_by_fields_of_their_record(self, store: Store) -> None:
        """Entries too are grouped by fields of their record."""
        _keep_three(store)
        assert counted(store, "kind", of="entries") == {("report",): 1, ("conformance",): 6}
        assert counted(store, "lifecycle_version", of="entries") == {(1,): 1, (2,): 6}

    def test_groups_by_labels(self, store: Store) -> None:
        """A record counts once under each of its values of a label, and under None where it has none."""
        _keep_three(store)
        assert set(LABEL_GROUPS) == {"author", "topic"}
        assert counted(store, "topic") == {("x",): 1, ("y",): 2, (None,): 1}
        assert counted(store, "author") == {("a1",): 1, ("a2",): 1, (None,): 2}
        assert counted(store, "author", "topic", unit="u1") == {
            (None, "x"): 1, (None, "y"): 1, ("a1", "y"): 1, ("a2", "y"): 1,
        }  # fmt: skip
        assert counted(store, "topic", of="entries") == {("x",): 1, ("y",): 2, (None,): 5}

    def test_groups_by_fields_of_the_entries(self, store: Store) -> None:
        """Records and entries are grouped by each of `ENTRY_GROUPS`; records are distinct in each group."""
        _keep_three(store)
        assert set(BY_ENTRY) == set(ENTRY_GROUPS)
        for name, (records, entries) in BY_ENTRY.items():
            assert counted(store, name) == records, name
            assert counted(store, name, of="entries") == entries, name

    def test_several_groups(self, store: Store) -> None:
        """Groups of several names hold one value for each, in the order of the names."""
        _keep_three(store)
        assert counted(store, "unit", "assignee") == {("u1", "li"): 2, ("u2", None): 1}
        assert counted(store, "party", "kind", of="entries", happened=Happened(trigger="note")) == {
            ("a", "conformance"): 2, ("b", "conformance"): 1,
        }  # fmt: skip
        assert counted(store, "topic", "trigger", kind="report") == {("x", "create"): 1, ("y", "create"): 1}

    def test_adopted_twice_at_one_level_counts_once(self, store: Store) -> None:
        """A record adopted twice at one level counts once there; its adoptions are two."""
        steps = [created(report("r1"))]
        for trigger, details, by in (
            ("edit", Revision(text="x"), CLERK),
            ("review", None, WU),
            ("adopt", Adoption(body="政协", level=Level.CITY), CLERK),
            ("adopt", Adoption(body="政府", level=Level.CITY), CLERK),
            ("adopt", Adoption(body="省政协", level=Level.PROVINCE), CLERK),
        ):
            steps.append(acted(steps[-1].record, trigger, details, by=by))
        keep(store, joined(*steps))
        adopted = Happened(trigger="adopt")
        assert counted(store, "level", happened=adopted) == {("city",): 1, ("province",): 1}
        assert counted(store, "level", happened=adopted, of="entries") == {("city",): 2, ("province",): 1}

    def test_groups_letter_for_letter(self, store: Store) -> None:
        """Texts that merely look alike are different groups."""
        alike = list(dict.fromkeys(text for pair in ALIKE for text in pair))
        for number, text in enumerate(alike):
            first = created(sample(f"s{number}", category=text, unit=text, topics=[text]), by=Actor(id=text))
            keep(store, joined(first, acted(first.record, "note", Note(party=text))))
        expected: dict[Group, int] = {(text,): 1 for text in alike}
        for name in ("category", "unit", "topic", "created_by"):
            assert counted(store, name) == expected, name
        assert counted(store, "party", happened=Happened(trigger="note"), of="entries") == expected

    def test_order_limit_and_cursor_do_not_matter(self, store: Store) -> None:
        """All that match are counted, whatever the query says of order and pages."""
        _keep_three(store)
        asked: dict[str, Any] = {"order": "-title", "limit": 1, "cursor": "no cursor"}
        assert counted(store, **asked) == {(): 3}
        assert counted(store, "kind", of="entries", **asked) == {("report",): 1, ("conformance",): 6}

    def test_unknown_groups(self, store: Store) -> None:
        """An unknown group, one named twice, and an unknown `of` are InvalidValue."""
        _keep_three(store)
        for group in (["title"], ["kind", "nonsense"], ["kind", "kind"]):
            raised(InvalidValue, lambda group=group: counted(store, *group))
        raised(InvalidValue, lambda: counted(store, of="reports"))
