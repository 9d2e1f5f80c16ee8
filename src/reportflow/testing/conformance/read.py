"""The promises of `Store.get`, `history`, `by_key` and `close`: what goes in comes out, and stays what it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final
from uuid import UUID

from reportflow.errors import InvalidValue, RecordNotFound
from reportflow.lifecycle.history import replay
from reportflow.model.actor import Actor, Secrecy
from reportflow.model.attachment import Attachment
from reportflow.model.checks import TEXT_LIMIT
from reportflow.model.query import Happened, Query
from reportflow.office.report import (
    REPORT,
    Adoption,
    Assignment,
    Author,
    Classification,
    Comment,
    Credit,
    Erasure,
    Forwarding,
    Instruction,
    Level,
    Merge,
    Rejection,
    Reply,
    Retraction,
    Revision,
    Supplement,
    Uptake,
    Usage,
)
from reportflow.storage.base import Change, Store
from reportflow.testing.acts import CLERK, SAMPLE, START, Note, acted, created, day, joined, report, sample
from reportflow.testing.conformance.suite import StoreFixtures, Stores, bounded, everything, found, keep, raised, seen

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


#: Texts that a careless store would change.
TEXTS: Final = (
    "完善校园安全防控体系的建议", "𠮷野家 😀👩‍👩‍👧‍👦", "مرحبا بالعالم שלום", "é e\u0301", " around ",
    "tab\tline\r\nend\n", "'; DROP TABLE record; --", '"\\%_*?[]{}$', "null", "0012", "\ufeffa\u200b\u2028",
    "\x01b\x7f", "\ufffd\uffff",
)  # fmt: skip
#: Pairs that a careless store would take for the same text.
ALIKE: Final = (("a", "A"), ("a", "a "), ("é", "e\u0301"), ("ß", "ss"), ("1", "01"), ("张", "張"), ("a", "ａ"))


@bounded
class ValueTests(StoreFixtures):
    """What goes in comes out."""

    def test_every_details_class_of_the_report_comes_back(self, store: Store) -> None:
        """Every details class comes back equal in its entry, and the history replays to the record."""
        kept = lives()
        chosen = {type(entry.details) for change in kept for entry in change.entries}
        assert chosen >= {row.details for row in REPORT.transitions if row.details}, "lives() tells of every class"
        keep(store, *kept)
        for change in kept:
            history = store.history([change.record.id])
            assert history == list(change.entries)
            assert store.get([change.record.id]) == [change.record] == [replay(history, REPORT)]

    def test_every_field_type_comes_back(self, store: Store) -> None:
        """A record class of one's own comes back equal, with each type of field, and as the same class."""
        full = sample(
            "s1", title="样本", unit="u", parent="p", category="c", assignee="a", due_at=day(0.5), secrecy="top_secret",
            authors=["x", "y"], topics=["t"], day=date(2022, 2, 28), amount=Decimal("12.3400"), ratio=0.1,
            token=UUID(int=7), flags={"b", "a"}, numbers={"二": 2, "": 0},
        )  # fmt: skip
        first = created(full)
        second = acted(first.record, "note", Note(party="党", level="x", code=True))
        keep(store, joined(first, second), created(sample("s2")))
        record, bare = store.get(["s1", "s2"])
        assert record == second.record
        assert type(record) is SAMPLE.record
        assert bare == created(sample("s2")).record
        assert replay(store.history(["s1"]), SAMPLE) == record

    def test_every_text_comes_back(self, store: Store) -> None:
        """Texts come back letter for letter: Chinese, emoji, right-to-left, blanks, quotes, control characters."""
        for number, text in enumerate(TEXTS):
            by = Actor(id=text, name=text, roles={text}, unit=text, on_behalf_of=text)
            fields = dict.fromkeys(("title", "text", "category", "parent", "assignee", "unit", "origin"), text)
            first = created(report(f"r{number}{text}", **fields, topics=[text, text]), by=by, key=text)
            second = acted(first.record, "comment", Comment(text=text), by=by, reason=text)
            keep(store, joined(first, second))
            assert store.get([second.record.id]) == [second.record]
            assert store.history([second.record.id]) == [*first.entries, *second.entries]
            assert store.by_key(text, text) == first.entries[0]

    def test_every_text_is_found(self, store: Store) -> None:
        """Every text is found again by each field that has it, and by nothing else."""
        fields = ("title", "unit", "parent", "category", "assignee")
        for number, text in enumerate(TEXTS):
            labels = {"topics": [text], "authors": [text]}
            first = created(sample(f"s{number}", **dict.fromkeys(fields, text), **labels), by=Actor(id=text))
            keep(store, joined(first, acted(first.record, "note", Note(party=text, level=text))))
        for number, text in enumerate(TEXTS):
            for name in (*fields[1:], "created_by", "topic", "author"):
                assert found(store, **{name: text}) == [f"s{number}"], (name, text)
            happened = Happened(party=text, level=text)
            assert found(store, happened=happened) == found(store, happened=Happened(actor=text)) == [f"s{number}"]

    def test_the_longest_text_comes_back(self, store: Store) -> None:
        """A text of one MiB comes back equal, in a record and in details."""
        longest = "长" * (TEXT_LIMIT // 3)
        first = created(report("r1", text=longest))
        second = acted(first.record, "edit", Revision(text=longest[::-1] + "a"))
        keep(store, joined(first, second))
        assert store.get(["r1"]) == [second.record]
        assert store.history(["r1"]) == [*first.entries, *second.entries]

    def test_times_come_back_to_the_microsecond(self, store: Store) -> None:
        """Times come back as the same moment, to the microsecond, whatever zone they were given in."""
        zone = timezone(timedelta(hours=8))
        now = datetime(2022, 12, 31, 23, 59, 59, 999_999, tzinfo=zone)
        at = datetime(1999, 12, 31, 23, 59, 59, 1, tzinfo=zone)
        due = datetime(9998, 1, 1, tzinfo=UTC)
        change = created(report("r1", due_at=due), now=now, at=at)
        keep(store, change)
        (record,), (entry,) = store.get(["r1"]), store.history(["r1"])
        assert (record.created_at, record.updated_at, record.due_at) == (at, now, due)
        assert (entry.at, entry.recorded_at) == (at, now)
        assigned = acted(record, "assign", Assignment(assignee="li", due_at=at))
        keep(store, assigned)
        assert store.history(["r1"])[1].details == assigned.entries[0].details
        assert store.get(["r1"])[0].due_at == at

    def test_none_is_not_blank(self, store: Store) -> None:
        """None and the blank text are two values."""
        fields = {"assignee": "", "parent": "", "topics": [""]}
        keep(store, created(sample("blank", **fields)), created(sample("none")))
        blank, none = store.get(["blank", "none"])
        assert (blank.assignee, blank.parent, none.assignee, none.parent) == ("", "", None, None)
        for name in ("assignee", "parent", "topic"):
            assert (found(store, **{name: ""}), found(store, **{name: {None}})) == (["blank"], ["none"]), name

    def test_ids_and_keys_are_told_apart_letter_for_letter(self, stores: Stores) -> None:
        """Ids, keys and actors that merely look alike are different ones."""
        for one, other in ALIKE:
            store = stores.fresh()
            changes = [created(sample(id), key=id) for id in (one, other)]
            others = [created(sample(f"{id}/2"), by=Actor(id=id), key="k") for id in (one, other)]
            store.commit([*changes, *others])
            assert store.get([one, other]) == [change.record for change in changes]
            assert store.by_key(CLERK.id, other) == changes[1].entries[0]
            assert store.by_key(other, "k") == others[1].entries[0]
            assert len(store.find(Query(created_by=one))) == 1


def lives() -> list[Change]:
    """Three reports that between them went through every kind of act."""
    return [joined(*_adopted()), joined(*_merged()), joined(*_rejected())]


def _adopted() -> Iterator[Change]:
    full = report(
        "adopted", number="2022-001", unit="榆林", parent="p", category="民生", assignee="li", due_at=day(3),
        secrecy="secret", source="contact_point",
        authors=[Author(name="张三", id="zhang", unit="民盟", level="city"), Author(name="李四")],
        topics=["education", "safety"], commission="c", origin="https://example.org/?q=1",
        attachments=[Attachment(name="附件.pdf", media_type="application/pdf", size=0, sha256="0f" * 32)],
    )  # fmt: skip
    yield (now := created(full, at=START - timedelta(days=9)))
    yield (now := acted(now.record, "classify", Classification(topics=("roads",), secrecy=Secrecy.INTERNAL)))
    yield (now := acted(now.record, "assign", Assignment(assignee="wang", due_at=day(30))))
    yield (now := acted(now.record, "return", reason="请补充数据"))
    yield (now := acted(now.record, "revise", Revision(text="第二稿", title="新标题")))
    yield (now := acted(now.record, "edit", Revision(text="第三稿")))
    yield (now := acted(now.record, "credit", Credit(source="merged")))
    yield (now := acted(now.record, "discredit", Credit(source="merged")))
    yield (now := acted(now.record, "review", by=Actor(id="wang", kind="system")))
    yield (now := acted(now.record, "forward", Forwarding(to="省政协", level=Level.PROVINCE, upward=True, note="急")))
    yield (now := acted(now.record, "adopt", Adoption(body="省政协", level=Level.PROVINCE, usage=Usage.COMBINED)))
    yield (now := acted(now.record, "instruct", Instruction(leader="王市长", level=Level.CITY, principal=True)))
    yield (now := acted(now.record, "reply", Reply(department="教育局", text="已办", result="solved")))
    yield (now := acted(now.record, "absorb", Uptake(department="教育局", measure="新建", evidence="文号")))
    yield (now := acted(now.record, "retract", Retraction(sequence=11)))
    yield (now := acted(now.record, "supplement", Supplement(authors=full.authors[:1], source="party", origin="o")))
    yield acted(now.record, "comment", Comment(text="好 👍"), now=day(2))


def _merged() -> Iterator[Change]:
    yield (now := created(report("merged"), key="once"))
    yield (now := acted(now.record, "merge", Merge(target="adopted")))
    yield (now := acted(now.record, "unmerge"))
    yield (now := acted(now.record, "withdraw"))
    yield acted(now.record, "reopen")


def _rejected() -> Iterator[Change]:
    yield (now := created(report("rejected")))
    yield (now := acted(now.record, "reject", Rejection(code="duplicate")))
    yield acted(now.record, "erase", Erasure(fields=("comment.text",)))  # there is none
