"""The promises of `Store.find`: what matches, in which order, page by page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import attrs

from reportflow.errors import InvalidValue
from reportflow.model.actor import Actor
from reportflow.model.query import Happened, Interval, Query
from reportflow.office.report import Author, Comment, Revision
from reportflow.storage.base import Store
from reportflow.testing.acts import START, Note, acted, created, day, joined, report, sample
from reportflow.testing.conformance.suite import StoreFixtures, bounded, found, keep, pages, raised

#: Each field that takes a text -> its value in the one record, and in the other.
FIELDS: Final = {
    "id": ("r1", "s1"),
    "kind": ("report", "conformance"),
    "state": ("edited", "open"),
    "unit": ("north", "south"),
    "parent": ("p1", "p2"),
    "category": ("roads", "water"),
    "assignee": ("li", "ma"),
    "secrecy": ("secret", "internal"),
    "created_by": ("wu", "he"),
    "author": ("zhang", "sun"),
    "topic": ("ice", "dams"),
    "text": ("Frost", "Flood"),
}
#: Texts in the order of their code points, which is neither an alphabet's nor UTF-16's.
IN_ORDER: Final = ("-", "10", "9", "A", "Z", "a", "a ", "b", "é", "中", "文", "\uff21", "😀", "𠮷")
_MICROSECOND: Final = timedelta(microseconds=1)


def _keep_two(store: Store) -> None:
    """Two records that differ in each of `FIELDS`."""
    first, second = ({name: pair[number] for name, pair in FIELDS.items()} for number in (0, 1))
    same = ("id", "unit", "parent", "category", "assignee", "secrecy")
    authors = [Author(name="x", id="zhang"), Author(name="y", id="zhao")]
    one = created(
        report(**{name: first[name] for name in same}, topics=["ice", "snow"], authors=authors, text="-Frost-"),
        by=Actor(id="wu"),
    )
    other = sample(**{name: second[name] for name in same}, topics=["dams"], authors=["sun"], title="-Flood-")
    edited = acted(one.record, "comment", Comment(text="x"))
    edited = joined(one, edited, acted(edited.record, "edit", Revision(text="-Frost-", title="edited")))
    keep(store, edited, created(other, by=Actor(id="he")))


@bounded
class MatchTests(StoreFixtures):
    """What a query fits."""

    def test_one_value(self, store: Store) -> None:
        """Each field that takes a text finds the records that have it; labels find by any of theirs."""
        _keep_two(store)
        for name, (one, other) in FIELDS.items():
            assert found(store, **{name: one}) == ["r1"], name
            assert found(store, **{name: other}) == ["s1"], name
            assert found(store, **{name: "neither"}) == [], name
        assert found(store, topic="snow") == found(store, author="zhao") == ["r1"]

    def test_a_set_of_values(self, store: Store) -> None:
        """A set finds the records that have any of its values; an empty one finds none."""
        _keep_two(store)
        for name, (one, other) in FIELDS.items():
            assert found(store, **{name: {one, other, "neither"}}) == ["r1", "s1"], name
            assert found(store, **{name: {one, "neither"}}) == ["r1"], name
            assert found(store, **{name: set()}) == [], name

    def test_none_inside_a_set(self, store: Store) -> None:
        """Inside a set, None finds the records that have no value."""
        _keep_two(store)
        keep(store, created(report("t1")))
        for name in ("parent", "assignee", "author", "topic"):
            assert found(store, **{name: {None}}) == ["t1"], name
            assert found(store, **{name: {None, FIELDS[name][0]}}) == ["r1", "t1"], name

    def test_all_that_is_asked_must_fit(self, store: Store) -> None:
        """A record is found where all that is asked for fits; a query that asks for nothing finds all."""
        _keep_two(store)
        every = {name: pair[0] for name, pair in FIELDS.items()}
        assert found(store, **every) == ["r1"]
        for name, pair in FIELDS.items():
            assert found(store, **{**every, name: pair[1]}) == [], name
        assert found(store) == ["r1", "s1"]

    def test_text_in_any_case(self, store: Store) -> None:
        """`text` is found in the title or the text, whatever its case: accents count, and nothing is a wildcard."""
        title, body = "Road to 榆林 100%", "e\u0301tat_1 *\\ 😀 [x] Straße ΟΔΌΣ Été Дом Ｗｉｄｅ"
        keep(store, created(report("r1", title=title, text=body)), created(sample("s1", title="PLAIN")))
        for text in (
            *("Road", "road", "ROAD", "榆林", "100%", " ", "e\u0301t", "E\u0301T", "at_1", "*\\", "😀", "[x]", "[X]"),
            *("STRASSE", "straße", "οδός", "Οδόσ", "éTÉ", "ДОМ", "дом", "ｗＩＤＥ", title, body, title.upper()),
        ):
            assert found(store, text=text, kind="report") == ["r1"], text
        for text in (
            *("R%d", "R_ad", "ét ", "ete", "at%1", "1_0", "[a-z]", "*x", "林榆", "1  ", "wide", "100%e", "100% e"),
            *("oδός", "100%\x1fe", "100%\ne", "\uffff"),
        ):
            assert found(store, text=text) == [], text
        assert found(store, text={"plain", "nowhere"}) == ["s1"]
        keep(store, acted(store.get(["r1"])[0], "edit", Revision(text="Neu", title="Über")))
        assert found(store, text="ROAD") == found(store, text="straße") == []
        assert found(store, text="ÜBER") == found(store, text={"neU"}) == ["r1"]

    def test_names_letter_for_letter(self, store: Store) -> None:
        """Texts that merely look alike are different values of a field."""
        keep(store, created(sample("s1", category="Ab", topics=["É"], parent="p ")))
        for asked in ({"category": "ab"}, {"category": "Ab "}, {"topic": "é"}, {"topic": "E\u0301"}, {"parent": "p"}):
            assert found(store, **asked) == [], asked
        assert found(store, category="Ab", topic="É", parent="p ") == ["s1"]

    def test_intervals_are_half_open(self, store: Store) -> None:
        """An interval holds its start, not its end, and is open where either is None."""
        first = created(report("r1", due_at=day(3)), now=day(1), at=day(0))
        keep(store, joined(first, acted(first.record, "comment", Comment(text="x"), now=day(2))))
        for name, time in (("created_at", day(0)), ("updated_at", day(2)), ("due_at", day(3))):
            for interval, inside in (
                (Interval(time, time + _MICROSECOND), True),
                (Interval(time - _MICROSECOND, time), False),
                (Interval(time + _MICROSECOND, None), False),
                (Interval(time, None), True),
                (Interval(None, time), False),
                (Interval(None, time + _MICROSECOND), True),
                (Interval(time, time), False),
                (Interval(), True),
            ):
                assert found(store, **{name: interval}) == ["r1"] * inside, (name, interval)

    def test_no_due_date_is_in_no_interval(self, store: Store) -> None:
        """A record without a due date lies in no interval, not even in the open one."""
        keep(store, created(report("r1")))
        for interval in (Interval(), Interval(start=START), Interval(end=day(9))):
            assert found(store, due_at=interval) == []

    def test_one_entry_must_fit_all_that_happened(self, store: Store) -> None:
        """`happened` asks for one entry that fits all that is given, not for several that fit a part each."""
        first = created(sample("s1"), by=Actor(id="wu"))
        second = acted(
            first.record, "note", Note(party="p", level="l", code=True), by=Actor(id="li"), now=day(2), at=day(1)
        )
        keep(store, joined(first, second))
        note: dict[str, Any] = {
            "trigger": "note", "party": "p", "level": {"l", "x"}, "code": "code", "actor": "li",
            "at": Interval(day(1), day(2)), "recorded_at": Interval(day(2), day(3)),
        }  # fmt: skip
        creation: dict[str, Any] = {
            "trigger": "create", "party": {None}, "level": {None}, "code": {None}, "actor": "wu",
            "at": Interval(day(0), day(1)), "recorded_at": Interval(day(0), day(1)),
        }  # fmt: skip
        assert found(store, happened=Happened(**note)) == found(store, happened=Happened(**creation)) == ["s1"]
        assert found(store, happened=Happened()) == ["s1"]
        for name in note:
            assert found(store, happened=Happened(**{name: note[name]})) == ["s1"], name
            assert found(store, happened=Happened(**{**note, name: creation[name]})) == [], name
            assert found(store, happened=Happened(**{**creation, name: note[name]})) == [], name
        nothing: frozenset[str] = frozenset()
        for happened in (Happened(trigger=nothing), Happened(party=nothing), Happened(level=nothing)):
            assert found(store, happened=happened) == [], happened


def _keep_a_mix(store: Store) -> None:
    """Eight records of two categories, with equal due dates and with none."""
    due = [day(2), day(1), None, day(1)]
    for category in ("b", "a"):
        keep(store, *(created(sample(f"{category}{n}", category=category, due_at=due[n])) for n in range(4)))


@bounded
class OrderTests(StoreFixtures):
    """In which order, and page by page."""

    def test_texts_by_code_point(self, store: Store) -> None:
        """Texts are ordered by code point; "-" turns the order round."""
        pairs = list(zip(IN_ORDER, reversed(range(len(IN_ORDER))), strict=True))
        for text, number in pairs:
            keep(store, created(sample(f"s{number:02}", title=text, unit=text, category=text)))
        expected = [f"s{number:02}" for _, number in pairs]
        for name in ("title", "unit", "category"):
            assert found(store, order=name) == expected, name
            assert found(store, order=f"-{name}") == expected[::-1], name

    def test_ids_by_code_point(self, store: Store) -> None:
        """Ids are ordered by code point."""
        keep(store, *(created(sample(id)) for id in reversed(IN_ORDER)))
        assert found(store, order="id") == list(IN_ORDER)
        assert found(store, order="-id") == list(IN_ORDER)[::-1]

    def test_times_by_moment(self, store: Store) -> None:
        """Times are ordered by the moment, to the microsecond."""
        for number in range(3):
            time = START - number * _MICROSECOND
            first = created(report(f"r{number}", due_at=time), now=START, at=time)
            later = START + timedelta(seconds=9) - number * _MICROSECOND
            keep(store, joined(first, acted(first.record, "comment", Comment(text="x"), now=later)))
        for name in ("created_at", "updated_at", "due_at"):
            assert found(store, order=name) == ["r2", "r1", "r0"], name
            assert found(store, order=f"-{name}") == ["r0", "r1", "r2"], name

    def test_kinds_and_states_by_name(self, store: Store) -> None:
        """Kinds and states are ordered by their names."""
        r1 = created(report("r1"))
        keep(store, r1, created(report("r2")), created(sample("s1")))
        keep(store, acted(r1.record, "edit", Revision(text="x")))
        assert found(store, order="kind") == ["s1", "r1", "r2"]
        assert found(store, order="state") == ["r2", "r1", "s1"]

    def test_no_due_date_comes_after_all_dates(self, store: Store) -> None:
        """Without a due date comes after all dates; "-" turns that round too."""
        keep(store, created(report("r1")), created(report("r2", due_at=day(9))), created(report("r3", due_at=day(1))))
        assert found(store, order="due_at") == ["r3", "r2", "r1"]
        assert found(store, order="-due_at") == ["r1", "r2", "r3"]

    def test_equals_by_id(self, store: Store) -> None:
        """Equals come by id, the way of the last key of the order."""
        _keep_a_mix(store)
        assert (
            found(store, order=()) == found(store, order="category") == ["a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3"]
        )
        assert found(store, order="-category") == ["b3", "b2", "b1", "b0", "a3", "a2", "a1", "a0"]

    def test_each_key_its_own_way(self, store: Store) -> None:
        """In an order of several keys each runs its own way."""
        _keep_a_mix(store)
        assert found(store, order=("category", "-due_at")) == ["a2", "a0", "a3", "a1", "b2", "b0", "b3", "b1"]
        assert found(store, order=("-category", "due_at")) == ["b1", "b3", "b0", "b2", "a1", "a3", "a0", "a2"]
        assert found(store, order=("-category", "due_at", "-id")) == ["b3", "b1", "b0", "b2", "a3", "a1", "a0", "a2"]
        assert found(store, order=("-due_at", "category")) == ["a2", "b2", "a0", "b0", "a1", "a3", "b1", "b3"]

    def test_pages_show_each_record_once_in_order(self, store: Store) -> None:
        """In any order and with any limit, full pages one after the other show each record once, in that order."""
        _keep_a_mix(store)
        orders = ("id", "-id", "due_at", "-due_at", ("category", "-due_at"), ("-due_at", "category", "-id"), "-title")
        for order in orders:
            whole = found(store, order=order)
            for limit in range(1, 9):
                shown = pages(store, Query(order=order, limit=limit))
                assert [id for page in shown for id in page] == whole, (order, limit)
                assert len(shown) == -(-len(whole) // limit), (order, limit)

    def test_pages_of_awkward_texts(self, store: Store) -> None:
        """A cursor finds its place behind any text."""
        keep(store, *(created(sample(text, category=text)) for text in IN_ORDER))
        for order in ("category", "-id", ("-category", "id")):
            shown = pages(store, Query(order=order, limit=1))
            assert [id for page in shown for id in page] == found(store, order=order), order

    def test_writing_between_pages(self, store: Store) -> None:
        """Whatever is written between two pages, a record that keeps its place is shown once, and none is skipped."""
        keep(store, *(created(report(f"r{number}"), at=START - timedelta(days=9 - number)) for number in range(1, 7)))
        query = Query(order="created_at", limit=2, state="draft")
        first = store.find(query)
        assert [record.id for record in first] == ["r1", "r2"]
        for record in first:
            keep(store, acted(record, "edit", Revision(text="no longer a draft")))
        before, behind = (created(report(f"r{n}x"), at=START - timedelta(days=9 - n, hours=-1)) for n in (1, 4))
        keep(store, before, behind)
        rest = pages(store, attrs.evolve(query, cursor=first.next))
        assert rest == [["r3", "r4"], ["r4x", "r5"], ["r6"]]

    def test_a_record_that_moved_is_shown_where_it_is_now(self, store: Store) -> None:
        """A record that moved behind the pages shown is shown again where it is now."""
        for number in range(4):
            keep(store, created(report(f"r{number}"), now=day(number)))
        query = Query(order="updated_at", limit=2)
        first = store.find(query)
        keep(store, acted(first.records[0], "comment", Comment(text="x"), now=day(9)))
        assert pages(store, attrs.evolve(query, cursor=first.next)) == [["r2", "r3"], ["r0"]]

    def test_cursors_that_are_none(self, store: Store) -> None:
        """A cursor that is not one of this query's order is InvalidValue."""
        _keep_a_mix(store)
        foreign = store.find(Query(order="due_at", limit=1)).next
        assert foreign is not None
        unkept = Query(order=("category", "due_at")).cursor_after(["a\0", "never", "a1"])
        for wrong in ("", "nonsense", "游标", "AAAA", foreign, unkept):
            raised(InvalidValue, store.find, Query(order=("category", "due_at"), cursor=wrong))
        raised(InvalidValue, store.find, Query(order="-due_at", cursor=foreign))
