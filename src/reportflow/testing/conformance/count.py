"""The promises of `Store.count`."""

from __future__ import annotations

from typing import Any, Final

from reportflow.errors import InvalidValue
from reportflow.model.actor import Actor
from reportflow.model.query import ENTRY_GROUPS, LABEL_GROUPS, RECORD_GROUPS, Happened, Interval
from reportflow.office.report import Adoption, Level, Revision
from reportflow.storage.base import Group
from reportflow.testing.acts import CLERK, Note, acted, created, day, joined, report, sample
from reportflow.testing.conformance.suite import Suite, raised
from reportflow.testing.conformance.values import ALIKE

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


class CountSuite(Suite, bounded=True):
    """How many."""

    def _keep_three(self) -> None:
        """A report, a sample, and a sample with three notes that is closed."""
        one = created(report("r1", unit="u1", parent="p1", category="c", assignee="li", topics=["x", "y", "x"]), by=WU)
        two = created(
            sample("s1", unit="u1", assignee="li", secrecy="secret", topics=["y"], authors=["a1", "a2"]), by=WU
        )
        steps = [created(sample("s2", unit="u2", category="c"))]
        for note in (Note(party="a", level="l"), Note(party="a", level="l", code=True), Note(party="b")):
            steps.append(acted(steps[-1].record, "note", note, now=day(len(steps))))
        self.keep(one, two, joined(*steps, acted(steps[-1].record, "close")))

    def test_records_and_entries(self) -> None:
        """Without a group the answer is ``{(): number}``: of the records that match, or of all their entries."""
        self._keep_three()
        assert self.counted() == {(): 3}
        assert self.counted(of="entries") == {(): 7}
        assert self.counted(of="entries", kind="conformance") == {(): 6}

    def test_nothing_to_count(self) -> None:
        """Of nothing there are ``{(): 0}`` without a group, and no groups at all with one."""
        for of in ("records", "entries"):
            assert self.counted(of=of) == {(): 0}
            for group in ("state", "topic", "trigger"):
                assert self.counted(group, of=of) == {}

    def test_happened_chooses_the_entries(self) -> None:
        """With `happened` the entries that fit it are counted, or the records that have such an entry."""
        self._keep_three()
        for happened, entries in (
            (Happened(trigger="note"), 3),
            (Happened(trigger="note", party="a"), 2),
            (Happened(recorded_at=Interval(day(1), day(3))), 2),
            (Happened(trigger="note", party={None}), 0),
        ):
            assert self.counted(of="entries", happened=happened) == {(): entries}
            assert self.counted(happened=happened) == {(): min(entries, 1)}
        assert self.counted("party", happened=Happened(level="l"), of="entries") == {("a",): 2}
        assert self.counted("state", happened=Happened(trigger="create")) == BY_RECORD["state"]

    def test_groups_by_fields_of_the_record(self) -> None:
        """Records are grouped by each of `RECORD_GROUPS`, under None where there is no value."""
        self._keep_three()
        assert set(BY_RECORD) == set(RECORD_GROUPS)
        for name, expected in BY_RECORD.items():
            assert self.counted(name) == expected, name

    def test_entries_by_fields_of_their_record(self) -> None:
        """Entries too are grouped by fields of their record."""
        self._keep_three()
        assert self.counted("kind", of="entries") == {("report",): 1, ("conformance",): 6}
        assert self.counted("lifecycle_version", of="entries") == {(1,): 1, (2,): 6}

    def test_groups_by_labels(self) -> None:
        """A record counts once under each of its values of a label, and under None where it has none."""
        self._keep_three()
        assert set(LABEL_GROUPS) == {"author", "topic"}
        assert self.counted("topic") == {("x",): 1, ("y",): 2, (None,): 1}
        assert self.counted("author") == {("a1",): 1, ("a2",): 1, (None,): 2}
        assert self.counted("author", "topic", unit="u1") == {
            (None, "x"): 1, (None, "y"): 1, ("a1", "y"): 1, ("a2", "y"): 1,
        }  # fmt: skip
        assert self.counted("topic", of="entries") == {("x",): 1, ("y",): 2, (None,): 5}

    def test_groups_by_fields_of_the_entries(self) -> None:
        """Records and entries are grouped by each of `ENTRY_GROUPS`; records are distinct in each group."""
        self._keep_three()
        assert set(BY_ENTRY) == set(ENTRY_GROUPS)
        for name, (records, entries) in BY_ENTRY.items():
            assert self.counted(name) == records, name
            assert self.counted(name, of="entries") == entries, name

    def test_several_groups(self) -> None:
        """Groups of several names hold one value for each, in the order of the names."""
        self._keep_three()
        assert self.counted("unit", "assignee") == {("u1", "li"): 2, ("u2", None): 1}
        assert self.counted("party", "kind", of="entries", happened=Happened(trigger="note")) == {
            ("a", "conformance"): 2, ("b", "conformance"): 1,
        }  # fmt: skip
        assert self.counted("topic", "trigger", kind="report") == {("x", "create"): 1, ("y", "create"): 1}

    def test_adopted_twice_at_one_level_counts_once(self) -> None:
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
        self.keep(joined(*steps))
        adopted = Happened(trigger="adopt")
        assert self.counted("level", happened=adopted) == {("city",): 1, ("province",): 1}
        assert self.counted("level", happened=adopted, of="entries") == {("city",): 2, ("province",): 1}

    def test_groups_letter_for_letter(self) -> None:
        """Texts that merely look alike are different groups."""
        alike = list(dict.fromkeys(text for pair in ALIKE for text in pair))
        for number, text in enumerate(alike):
            first = created(sample(f"s{number}", category=text, unit=text, topics=[text]), by=Actor(id=text))
            self.keep(joined(first, acted(first.record, "note", Note(party=text))))
        expected: dict[Group, int] = {(text,): 1 for text in alike}
        for name in ("category", "unit", "topic", "created_by"):
            assert self.counted(name) == expected, name
        assert self.counted("party", happened=Happened(trigger="note"), of="entries") == expected

    def test_order_limit_and_cursor_do_not_matter(self) -> None:
        """All that match are counted, whatever the query says of order and pages."""
        self._keep_three()
        asked: dict[str, Any] = {"order": "-title", "limit": 1, "cursor": "no cursor"}
        assert self.counted(**asked) == {(): 3}
        assert self.counted("kind", of="entries", **asked) == {("report",): 1, ("conformance",): 6}

    def test_unknown_groups(self) -> None:
        """An unknown group, one named twice, and an unknown `of` are InvalidValue."""
        self._keep_three()
        for group in (["title"], ["kind", "nonsense"], ["kind", "kind"]):
            raised(InvalidValue, lambda group=group: self.counted(*group))
        raised(InvalidValue, lambda: self.counted(of="reports"))
