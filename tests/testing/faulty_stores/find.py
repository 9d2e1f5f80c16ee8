"""Faults of `find`: what matches, in which order and page by page."""

from __future__ import annotations

import binascii
import json
import unicodedata
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import attrs

from reportflow import Happened, Interval, InvalidValue, MemoryStore, Page, Query, Record
from reportflow.model.query import LIMIT, NEVER, place_of
from reportflow.office import REPORT
from reportflow.storage.base import Group, Of
from tests.testing.faulty_stores.fault import caught_by


class Misreading(MemoryStore):
    """Takes a query for another one."""

    def misread(self, query: Query) -> Query:
        """The query that it takes one for."""
        return query

    def find(self, query: Query) -> Page:
        return super().find(self.misread(query))

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        return super().count(self.misread(query), of, group)

    def narrowed(self, query: Query, fits: Callable[[Record], bool]) -> Query:
        """A query for those records too that fit alone."""
        with self._lock:
            ids = {id for id, record in self._records.items() if fits(record)}
        return attrs.evolve(query, id=ids if query.id is None else ids & query.id)


# -- what matches -------------------------------------------------------------------------------------------------


@caught_by("test_one_value")
class LooksAtTheFirstLabel(Misreading):
    """Finds a record by the first of its topics alone."""

    def misread(self, query: Query) -> Query:
        wanted = query.topic
        if wanted is None:
            return query
        return self.narrowed(query, lambda one: next(iter(one.labels().get("topic", ())), None) in wanted)


@caught_by("test_a_set_of_values")
class TakesAnEmptySetForAnything(Misreading):
    """Takes an empty set of states as if none had been given."""

    def misread(self, query: Query) -> Query:
        return attrs.evolve(query, state=query.state or None)


@caught_by("test_none_inside_a_set")
class ComparesWithNull(Misreading):
    """Compares with None as SQL does with NULL: nothing is equal to it."""

    def misread(self, query: Query) -> Query:
        names = ("parent", "assignee", "author", "topic")
        wanted = {name: values for name in names if (values := getattr(query, name)) is not None}
        return attrs.evolve(query, **{name: values - {None} for name, values in wanted.items()})


@caught_by("test_all_that_is_asked_must_fit")
class LooksAtOneThing(Misreading):
    """Passes over the unit where a category is asked for too."""

    def misread(self, query: Query) -> Query:
        return query if query.category is None else attrs.evolve(query, unit=None)


@caught_by("test_every_text_is_found")
class LooksForNormalForms(Misreading):
    """Looks for a category in Unicode's normal form, in which it was not kept."""

    def misread(self, query: Query) -> Query:
        wanted = query.category
        normal = wanted and frozenset(text and unicodedata.normalize("NFC", text) for text in wanted)
        return attrs.evolve(query, category=normal)


@caught_by("test_text_in_any_case")
class KeepsCase(Misreading):
    """Finds text in its own case alone."""

    def misread(self, query: Query) -> Query:
        wanted = query.text
        if wanted is None:
            return query
        rest = attrs.evolve(query, text=None)
        return self.narrowed(rest, lambda one: any(str(text) in said_in(one) for text in wanted))


@caught_by("test_text_in_any_case")
class FoldsAsciiAlone(Misreading):
    """Knows no case but that of the letters from A to Z."""

    def misread(self, query: Query) -> Query:
        wanted = query.text
        if wanted is None:
            return query
        rest = attrs.evolve(query, text=None)
        return self.narrowed(
            rest, lambda one: any(str(text).encode().lower() in said_in(one).encode().lower() for text in wanted)
        )


@caught_by("test_names_letter_for_letter")
class FoldsNames(Misreading):
    """Compares categories in any case."""

    def misread(self, query: Query) -> Query:
        wanted = query.category
        if wanted is None:
            return query
        folded = {str(name).lower() for name in wanted}
        return self.narrowed(attrs.evolve(query, category=None), lambda one: one.category.lower() in folded)


@caught_by("test_intervals_are_half_open")
class ClosesIntervals(Misreading):
    """Counts the end of an interval in."""

    def misread(self, query: Query) -> Query:
        return attrs.evolve(query, created_at=query.created_at and _closed(query.created_at))


@caught_by("test_no_due_date_is_in_no_interval")
class FindsNoneInTheOpenInterval(Misreading):
    """Takes an interval that is open on both sides for none: what has no due date is found too."""

    def misread(self, query: Query) -> Query:
        return attrs.evolve(query, due_at=None) if query.due_at == Interval() else query


@caught_by("test_one_entry_must_fit_all_that_happened")
class PutsEntriesTogether(Misreading):
    """Finds a record where each thing asked for happened, but not in one entry."""

    def misread(self, query: Query) -> Query:
        if query.happened is None:
            return query
        names = [field.name for field in attrs.fields(Happened)]
        parts = [{name: value} for name in names if (value := getattr(query.happened, name)) is not None]
        for part in parts:
            asked = Query(happened=Happened(**part), limit=LIMIT)
            ids = {record.id for record in MemoryStore.find(self, asked)}
            query = self.narrowed(query, lambda one, ids=ids: one.id in ids)  # type: ignore[misc]  # a lambda's default has no type
        return attrs.evolve(query, happened=None)


# -- in which order -----------------------------------------------------------------------------------------------


class Misordering(MemoryStore):
    """Shows a page in an order of its own."""

    def key(self, name: str, record: Record) -> Any:
        """What it sorts the records of a page by, for the first key of the order."""
        return place_of(record, [name])

    def find(self, query: Query) -> Page:
        page = super().find(query)
        ((name, downward), *_) = query.sort_keys()
        return Page(tuple(sorted(page.records, key=lambda one: self.key(name, one), reverse=downward)), page.next)


@caught_by("test_texts_by_code_point")
class SortsAsADictionary(Misordering):
    """Puts texts in the order of a dictionary, in which case comes last."""

    def key(self, name: str, record: Record) -> Any:
        (text,) = place_of(record, [name])
        return (text.lower(), text) if name in ("title", "unit", "category") else text


@caught_by("test_ids_by_code_point")
class SortsAsUtf16(Misordering):
    """Puts ids in the order of UTF-16, in which emoji come before full-width letters."""

    def key(self, name: str, record: Record) -> Any:
        (text,) = place_of(record, [name])
        return text.encode("utf-16-be") if name == "id" else text


@caught_by("test_times_by_moment")
class SortsBySeconds(Misordering):
    """Takes times for equal within a second."""

    def key(self, name: str, record: Record) -> Any:
        (text,) = place_of(record, [name])
        return (text[:19], record.id) if name.endswith("_at") and text != NEVER else (text, record.id)


@caught_by("test_kinds_and_states_by_name")
class PutsReportsFirst(Misordering):
    """Puts reports before all other kinds."""

    def key(self, name: str, record: Record) -> Any:
        (text,) = place_of(record, [name])
        return text != REPORT.name if name == "kind" else text


@caught_by("test_no_due_date_comes_after_all_dates")
class SortsNoneFirst(Misordering):
    """Puts what has no due date first, as NULL is in SQL."""

    def key(self, name: str, record: Record) -> Any:
        (text,) = place_of(record, [name])
        return "" if text == NEVER else text


@caught_by("test_equals_by_id")
class LeavesEqualsAsTheyAre(MemoryStore):
    """Has no total order: equals on a page come as they were created, whichever way the order runs."""

    def find(self, query: Query) -> Page:
        page = super().find(query)
        keys = [(name, downward) for name, downward in query.sort_keys() if name != "id"]
        if not page.records or not keys or len(keys) < len(query.order):
            return page
        with self._lock:
            created = list(self._records)
        records = sorted(page.records, key=lambda one: created.index(one.id))
        for name, downward in reversed(keys):
            records.sort(key=lambda one: place_of(one, [name]), reverse=downward)
        return Page(tuple(records), page.next)


@caught_by("test_each_key_its_own_way")
class TurnsAllKeysRound(Misreading):
    """Turns every key of an order the way of its last one."""

    def misread(self, query: Query) -> Query:
        bare = [key.removeprefix("-") for key in query.order]
        down = "-" if query.order and query.order[-1].startswith("-") else ""
        return attrs.evolve(query, order=tuple(down + key for key in bare)) if query.cursor is None else query


# -- page by page -------------------------------------------------------------------------------------------------


@caught_by("test_pages_show_each_record_once_in_order")
class RepeatsARecord(MemoryStore):
    """Has a cursor that repeats: each page begins with the last record of the page before."""

    def find(self, query: Query) -> Page:
        page = super().find(query)
        if page.next is None or len(page) < 2:
            return page
        return Page(page.records, super().find(attrs.evolve(query, limit=len(page) - 1)).next)


@caught_by("test_pages_show_each_record_once_in_order")
class SkipsARecord(MemoryStore):
    """Has a cursor that skips: it points behind the first record of the next page."""

    def find(self, query: Query) -> Page:
        page = super().find(query)
        return Page(page.records, page.next and super().find(attrs.evolve(query, limit=query.limit + 1)).next)


@caught_by("test_pages_of_awkward_texts")
class SkipsLookAlikes(MemoryStore):
    """Has a cursor of the first letters of the place alone."""

    def find(self, query: Query) -> Page:
        page = super().find(query)
        if page.next is None:
            return page
        place = [text[:1] if len(text) == 2 else text for text in attrs.evolve(query, cursor=page.next).place() or ()]
        return Page(page.records, query.cursor_after(place))


@caught_by("test_writing_between_pages")
class CountsOffsets(MemoryStore):
    """Has a cursor that is a number of records to skip."""

    def find(self, query: Query) -> Page:
        skipped = 0
        if query.cursor is not None:
            try:
                skipped = int(query.cursor)
            except ValueError:
                raise InvalidValue("cursor", "cursor") from None
        limit = min(skipped + query.limit, LIMIT)
        page = super().find(attrs.evolve(query, cursor=None, limit=limit))
        return Page(page.records[skipped:], page.next and str(limit))


@caught_by("test_a_record_that_moved_is_shown_where_it_is_now")
class PagesBySnapshot(MemoryStore):
    """Shows on later pages what was there when the first page was shown."""

    def __init__(self) -> None:
        super().__init__()
        self._first: dict[str, Record] = {}

    def find(self, query: Query) -> Page:
        if query.cursor is None:
            self._first = dict(self._records)
            return super().find(query)
        now, self._records = self._records, self._first
        try:
            return super().find(query)
        finally:
            self._records = now


@caught_by("test_a_rule_narrows_what_is_asked")
class PromisesMore(MemoryStore):
    """Gives a cursor behind the last full page, where nothing follows."""

    def find(self, query: Query) -> Page:
        page = super().find(query)
        if len(page) < query.limit:
            return page
        return Page(page.records, query.cursor_after(place_of(page.records[-1], [n for n, _ in query.sort_keys()])))


@caught_by("test_cursors_that_are_none")
class TakesAnyCursor(MemoryStore):
    """Begins anew where it does not understand a cursor."""

    def find(self, query: Query) -> Page:
        try:
            return super().find(query)
        except InvalidValue:
            return super().find(attrs.evolve(query, cursor=None))


@caught_by("test_cursors_that_are_none")
class TakesNulInACursor(MemoryStore):
    """Accepts a cursor in which there is NUL, and reads its texts up to there."""

    def find(self, query: Query) -> Page:
        try:
            return super().find(query)
        except InvalidValue:
            place = [text.partition("\0")[0] for text in _texts_with_nul(query.cursor or "")]
            if not place:
                raise
            return super().find(attrs.evolve(query, cursor=query.cursor_after(place)))


def said_in(record: Record) -> str:
    """The texts that a query's text is looked for in."""
    return f"{record.title}\n{getattr(record, 'text', '')}"


def _texts_with_nul(cursor: str) -> list[str]:
    try:
        _, *texts = json.loads(binascii.a2b_base64(cursor.translate(str.maketrans("-_", "+/"))))
    except (ValueError, TypeError):
        return []
    return texts if any("\0" in text for text in texts) else []


def _closed(interval: Interval) -> Interval:
    return attrs.evolve(interval, end=interval.end and interval.end + timedelta(microseconds=1))
