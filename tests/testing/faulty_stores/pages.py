"""Faults of orders and pages of which one key alone does not tell."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import attrs

from reportflow import FeedItem, MemoryStore, Page, Query, Record
from reportflow.model.query import LIMIT, place_of
from reportflow.serialization.digest import Sealed
from reportflow.storage import matching
from tests.testing.faulty_stores.fault import caught_by


class CutPlaces(MemoryStore):
    """Pages by places that lost something on their way into the index."""

    def cut(self, name: str, text: str) -> str:
        """What is left of a value in the index."""
        return text

    def find(self, query: Query) -> Page:
        keys = query.sort_keys()
        names = [name for name, _ in keys]

        def cut(place: Sequence[str]) -> tuple[str, ...]:
            return tuple(self.cut(name, text) for name, text in zip(names, place, strict=True))

        def compare(one: Sequence[str], other: Sequence[str]) -> int:
            for mine, theirs, (_, down) in zip(one, other, keys, strict=True):
                if mine != theirs:
                    return 1 if (mine > theirs) is not down else -1
            return 0

        every = super().find(attrs.evolve(query, cursor=None, limit=LIMIT, order=())).records
        placed = [(cut(place_of(one, names)), one) for one in every]
        behind = query.place()
        if behind is not None:
            placed = [one for one in placed if compare(one[0], cut(behind)) > 0]
        key = functools.cmp_to_key(compare)
        placed.sort(key=lambda one: key(one[0]))
        shown = tuple(record for _, record in placed[: query.limit])
        rest = len(placed) > len(shown)
        return Page(shown, query.cursor_after(place_of(shown[-1], names)) if rest else None)


@caught_by("test_long_texts_are_told_apart")
class CutsSortKeys(CutPlaces):
    """Sorts by the first kilobyte, as MariaDB does unless told otherwise."""

    def cut(self, name: str, text: str) -> str:
        return text[:1024] if name == "title" else text


@caught_by("test_times_are_told_apart")
class WritesWholeSecondsShort(CutPlaces):
    """Writes times as `isoformat` does, with a Z: a whole second has no fraction, and sorts behind its fractions."""

    def cut(self, name: str, text: str) -> str:
        return text.replace(".000000+00:00", "Z").replace("+00:00", "Z") if name.endswith("_at") else text


@caught_by("test_long_texts_are_told_apart")
class ComparesKeysApart(MemoryStore):
    """Finds the next page where each key is behind the cursor's, and not the row of them."""

    def find(self, query: Query) -> Page:
        page = super().find(query)
        behind = query.place()
        if behind is None or len(query.sort_keys()) < 3:
            return page
        first, downward = query.sort_keys()[0]
        second, second_downward = query.sort_keys()[1]

        def kept(record: Record) -> bool:
            one, two = place_of(record, [first, second])
            return (one == behind[0] or (one < behind[0]) is downward) and (
                two == behind[1] or (two < behind[1]) is second_downward
            )

        return Page(tuple(one for one in page.records if kept(one)), page.next)


@caught_by("test_conditions_hold_together")
class LimitsHits(MemoryStore):
    """Cuts the page where as many entries fit as records were asked for: several hits make a page shorter."""

    def hits(self, query: Query, record: Record) -> int:
        """How many entries of a record fit."""
        happened = query.happened
        return 1 if happened is None else sum(matching.fits(happened, one) for one in self._history(record.id))

    def find(self, query: Query) -> Page:
        page = super().find(query)
        shown: list[Record] = []
        left = query.limit
        for record in page.records:
            if left <= 0:
                break
            shown.append(record)
            left -= self.hits(query, record)
        if len(shown) == len(page.records):
            return page
        return Page(tuple(shown), query.cursor_after(place_of(shown[-1], [name for name, _ in query.sort_keys()])))


@caught_by("test_conditions_hold_together")
class ShowsEachHit(MemoryStore):
    """Joins the entries: a record with two that fit is on the page twice."""

    def find(self, query: Query) -> Page:
        page = super().find(query)
        if query.happened is None or query.happened.trigger is None:
            return page
        hits = [
            record for record in page.records for one in self._history(record.id) if matching.fits(query.happened, one)
        ]
        return Page(tuple(hits), page.next)


@caught_by("test_conditions_hold_together")
class EndsAShortPage(MemoryStore):
    """Takes a page that is filtered afterwards for the last one when it is short."""

    def find(self, query: Query) -> Page:
        if query.text is None:
            return super().find(query)
        page = super().find(attrs.evolve(query, text=None))
        fits = [one for one in page.records if matching.matches(query, one, self._history)]
        return Page(tuple(fits), page.next if fits else None)


@caught_by("test_ids_far_apart")
class TakesAThousandAtTheMost(MemoryStore):
    """Gives a thousand records or entries at the most, and says nothing of the rest."""

    def find(self, query: Query) -> Page:
        return super().find(attrs.evolve(query, limit=min(query.limit, 1000)))

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        return super().feed(after, min(limit, 1000))


@caught_by("test_numbers_come_back")
class BeginsAtARecordThatIsThere(MemoryStore):
    """Begins behind an entry that it looks up: where there is none, it gives nothing."""

    def sealed(self, after: tuple[str, int] | None = None, limit: int = 1000) -> list[Sealed]:
        return [] if after is not None and after[0] not in ("", *self._sealed) else super().sealed(after, limit)


@caught_by("test_numbers_come_back")
class KeepsPositionsIn32Bits(MemoryStore):
    """Begins again behind the last position that 32 bits hold."""

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        return super().feed(after and after % 2**31, limit)


@caught_by("test_conditions_hold_together")
class SortsByTwoKeys(MemoryStore):
    """Sorts by two keys of an order, and then by the id."""

    def find(self, query: Query) -> Page:
        if len(query.order) < 3 or query.limit < 3:
            return super().find(query)
        page = super().find(attrs.evolve(query, order=query.order[:2], cursor=None, limit=LIMIT))
        return page if len(page.records) <= query.limit else super().find(query)


@caught_by("test_times_are_told_apart")
class SortsDueDatesByDay(CutPlaces):
    """Sorts by the day that something is due, and not by the time."""

    def cut(self, name: str, text: str) -> str:
        return text[:10] if name == "due_at" else text
