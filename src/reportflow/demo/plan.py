"""The plan of the demonstration: who hands in what in the year, and what becomes of it. Pure, by a seed.

The year's numbers hold by construction: there are so many reports of each kind. Who hands in which number is the same
for every seed, for keys are an actor's own; so are the places in the year of the texts that are written out. The seed
draws the matters and places of the others, what becomes of them, and the times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta, timezone
from functools import cache
from itertools import accumulate
from random import Random
from typing import Final, NamedTuple

from reportflow.demo import people, vocabulary
from reportflow.demo.people import Contributor
from reportflow.demo.texts import FullText, Matter, full_texts, matters
from reportflow.office.figures import LIVELIHOOD

YEAR: Final = 2022
SEED: Final = 2022
ZONE: Final = timezone(timedelta(hours=8))

#: End -> how many reports. Those that leave the office are issued, submitted upward, or forwarded to a department.
ENDS: Final = {
    "both": 60,  # issued in the serial and submitted upward
    "issued": 27,
    "submitted": 18,
    "handled": 40,  # forwarded to a department, not issued
    "merged": 31,
    "kept": 176,
    "rejected": 52,
    "withdrawn": 14,
    "in_draft": 9,  # these wait when the year ends
    "in_edited": 7,
    "in_reviewed": 6,
    "in_returned": 6,
}
TOTAL: Final = sum(ENDS.values())
LIVELIHOOD_TOTAL: Final = 281
#: Uptakes in all, of which some are of the next January.
ABSORBED, LATE = 26, 2
RETURNED, COMMENTED, ASSIGNED, SUPPLEMENTED, REFUSED_BY_DEPARTMENT = 44, 60, 200, 12, 3

ISSUED: Final = frozenset({"both", "issued"})
SUBMITTED: Final = frozenset({"both", "submitted"})
OUT: Final = ISSUED | SUBMITTED | {"handled"}
WAITING: Final = frozenset({"in_draft", "in_edited", "in_reviewed", "in_returned"})
_CLOSED: Final = TOTAL - sum(ENDS[end] for end in WAITING)
#: The last number that arrives early enough for a department to have taken it up in the year.
_EARLY: Final = 300
#: A matter is issued so often at most, beside what is written out of it.
_ISSUED_OF_A_MATTER: Final = 2
#: When the office opens, and the latest start of a day's first act; in minutes of the day.
OPENS, LATEST_START = 8 * 60 + 40, 16 * 60

#: The working days of the year, and those of the next January on which late things happen.
DAYS: Final = tuple(
    day
    for day in (date(YEAR, 1, 1) + timedelta(days=number) for number in range(385))
    if day in vocabulary.WORKED_WEEKENDS or (day.weekday() < 5 and day not in vocabulary.HOLIDAYS)
)
#: The index of the year's last working day.
LAST_DAY: Final = max(place for place, day in enumerate(DAYS) if day.year == YEAR)
#: The last working days, by index, on which reports arrive: those that are closed in the year, and all.
_LAST_CLOSED, _LAST = 221, 240


class ReportPlan(NamedTuple):
    """What happens to one report.

    Attributes:
        number: Its place in the year, from 1.
        day: The working day on which it arrives, by index.
        minute: The minute of that day.
        contributor: Who hands it in.
        authors: Who wrote it, its contributor first.
        matter: What it is about; None where it is written out.
        place: Where; "" for the whole city.
        turn: Which of the matter's titles it has.
        text: What is written out, or None.
        end: One of `ENDS`.
        into: The number of the report that it is merged into.
        sources: The numbers of the reports that are merged into it.
        marks: "absorbed" (by a department), "returned" (once, and revised), "commented" (by a reviewer), "assigned"
            (to its editor), "supplemented" (with a file), "refused" (by the first department), "error" (an adoption
            was recorded in error).
    """

    number: int
    day: int
    minute: int
    contributor: Contributor
    authors: tuple[Contributor, ...]
    matter: Matter | None
    place: str
    turn: int
    text: FullText | None
    end: str
    into: int | None
    sources: tuple[int, ...]
    marks: frozenset[str]

    @property
    def topic(self) -> str:
        """What it is about, as figures count it."""
        found = self.text or self.matter
        assert found is not None
        return found.topic


class _Slot(NamedTuple):
    """What is the same for every seed: who hands in a number, whether on daily life, and what is written out."""

    day: int
    contributor: Contributor
    lively: bool
    text: FullText | None


def plan_year(seed: int) -> list[ReportPlan]:
    """The year's reports, by number. Their sums do not depend on the seed."""
    rng = Random(seed)
    slots = _slots()
    moments = _moments(rng, slots)
    found: dict[int, tuple[Matter, str, int]] = {}
    into = _merged(rng, slots, found)
    _find_matters(rng, slots, found)
    ends, absorbed = _ends(rng, slots, found, into)
    marks = _marks(rng, slots, ends, absorbed)
    reports = []
    for number, slot in slots.items():
        day, minute = moments[number]
        matter, place, turn = found[number] if slot.text is None else (None, "", 0)
        reports.append(
            ReportPlan(
                number=number,
                day=day,
                minute=minute,
                contributor=slot.contributor,
                authors=_authors(rng, slot),
                matter=matter,
                place=place,
                turn=turn,
                text=slot.text,
                end=ends[number],
                into=into.get(number),
                sources=tuple(sorted(source for source, target in into.items() if target == number)),
                marks=frozenset(mark for mark, numbers in marks.items() if number in numbers),
            )
        )
    return reports


# ---------------------------------------------------------------------------------------------------------------
# What is the same for every seed


def _weight(day: date) -> float:
    """How much comes in on a day: little round the Spring Festival, much at the plenary, in June and in November."""
    if date(YEAR, 1, 24) <= day <= date(YEAR, 2, 11):
        return 0.25
    if date(YEAR, 2, 21) <= day <= date(YEAR, 3, 4):
        return 2.4
    return {1: 1.0, 2: 0.8, 3: 1.0, 6: 1.7, 7: 0.8, 8: 0.6, 10: 0.9, 11: 2.0, 12: 1.0}.get(day.month, 0.9)


def _base_days() -> list[int]:
    """The working day of each number, by number less 1: those that are closed in the year, then those that wait."""
    found: list[int] = []
    for first, last, many in ((0, _LAST_CLOSED, _CLOSED), (_LAST_CLOSED + 1, _LAST, TOTAL - _CLOSED)):
        sums = list(accumulate(_weight(day) for day in DAYS[first : last + 1]))
        goals = (sums[-1] * number / many for number in range(many))
        found += [first + next(place for place, total in enumerate(sums) if total > goal) for goal in goals]
    return found


@cache
def _slots() -> dict[int, _Slot]:
    """Who hands in which number, and where the written texts stand in the year."""
    rng = Random(YEAR)
    days = _base_days()
    by_name = {one.author.name: one for one in people.CONTRIBUTORS.values()}
    texts: dict[int, FullText] = {}
    for text in full_texts():
        month = [
            number
            for number in range(2, _CLOSED + 1)
            if DAYS[days[number - 1]].month == text.month
            and DAYS[days[number - 1] - 1].day >= text.earliest
            and number not in texts
            and number > 3 * text.combine + 3
        ]
        texts[rng.choice(month[: max(3, len(month) // 2)])] = text
    rest = [one for many, found in people.SOURCES.values() for one in (found * many)[:many]]
    for text in texts.values():
        rest.remove(by_name[text.authors[0]])
    rng.shuffle(rest)
    by = {number: rest.pop() for number in range(1, TOTAL + 1) if number not in texts}
    left = LIVELIHOOD_TOTAL - sum(text.topic in LIVELIHOOD for text in texts.values())
    must = [number for number, one in by.items() if one.topics and one.topics <= LIVELIHOOD]
    may = [number for number, one in by.items() if not one.topics or 0 < len(one.topics & LIVELIHOOD) < len(one.topics)]
    lively = {*must, *rng.sample(may, left - len(must))}
    return {
        number: _Slot(
            days[number - 1],
            by_name[texts[number].authors[0]] if number in texts else by[number],
            texts[number].topic in LIVELIHOOD if number in texts else number in lively,
            texts.get(number),
        )
        for number in range(1, TOTAL + 1)
    }


# ---------------------------------------------------------------------------------------------------------------
# What the seed draws


def _moments(rng: Random, slots: dict[int, _Slot]) -> dict[int, tuple[int, int]]:
    """The working day and the minute at which each number arrives, in order.

    For every seed the first one arrives when the office opens, so that the first act of another seed meets its key.
    """
    drawn = sorted(
        (max(0, slot.day - (number <= _CLOSED and rng.randint(0, 1))), rng.randint(OPENS + 1, LATEST_START))
        for number, slot in slots.items()
    )
    return dict(enumerate([(0, OPENS), *drawn[1:]], start=1))


def _fits(slot: _Slot, matter: Matter) -> bool:
    """Whether a contributor writes about a matter at that time of the year."""
    one = slot.contributor
    return (
        (matter.topic in LIVELIHOOD) is slot.lively
        and (not one.topics or matter.topic in one.topics)
        and bool(_places(one, matter))
        and (not matter.months or DAYS[slot.day].month in matter.months)
    )


def _places(one: Contributor, matter: Matter) -> tuple[str, ...]:
    """Where a contributor writes of a matter."""
    return tuple(place for place in matter.places if not one.places or place in one.places)


def _merged(rng: Random, slots: dict[int, _Slot], found: dict[int, tuple[Matter, str, int]]) -> dict[int, int]:
    """The number of each report that is merged -> into which; each of the same matter, handed in shortly before."""
    by_name = {one.name: one for one in matters()}
    into: dict[int, int] = {}
    for number, slot in slots.items():
        if slot.text is None or not slot.text.combine:
            continue
        matter = by_name[slot.text.matter]
        pool = [
            one
            for one in range(number - 1, 1, -1)
            if slots[one].text is None and one not in into and _fits(slots[one], matter)
        ]
        for source in rng.sample(pool[: 2 * slot.text.combine + 2], slot.text.combine):
            into[source] = number
            found[source] = _placed(rng, slots[source], [matter], Counter(_pairs(found)))
    return into


def _pairs(found: dict[int, tuple[Matter, str, int]]) -> Iterable[tuple[str, str]]:
    return ((matter.name, place) for matter, place, _ in found.values())


def _placed(
    rng: Random, slot: _Slot, suitable: list[Matter], used: Counter[tuple[str, str]]
) -> tuple[Matter, str, int]:
    """A matter and a place that are not used up, the least used matter first; and which of its titles."""
    free = [
        (matter, place)
        for matter in suitable
        for place in _places(slot.contributor, matter)
        if used[matter.name, place] < len(matter.titles)
    ]
    often = Counter[str]()
    for (name, _), many in used.items():
        often[name] += many
    rng.shuffle(free)
    matter, place = min(free, key=lambda pair: (used[pair[0].name, pair[1]], often[pair[0].name] // 3))
    first = sum(map(ord, place)) % len(matter.titles)
    return matter, place, (first + used[matter.name, place]) % len(matter.titles)


def _find_matters(rng: Random, slots: dict[int, _Slot], found: dict[int, tuple[Matter, str, int]]) -> None:
    """A matter and a place for each number that has none, those who write of little first."""
    used = Counter(_pairs(found))
    suitable = {
        number: [one for one in matters() if _fits(slot, one)]
        for number, slot in slots.items()
        if slot.text is None and number not in found
    }
    order = list(suitable)
    rng.shuffle(order)
    for number in sorted(order, key=lambda one: len(suitable[one])):
        found[number] = _placed(rng, slots[number], suitable[number], used)
        used[found[number][0].name, found[number][1]] += 1


def _ends(
    rng: Random, slots: dict[int, _Slot], found: dict[int, tuple[Matter, str, int]], into: dict[int, int]
) -> tuple[dict[int, str], list[int]]:
    """The end of each number, and which of those that are handled were taken up."""
    ends = {number: slot.text.end for number, slot in slots.items() if slot.text is not None}
    ends |= dict.fromkeys(into, "merged")
    written = sum(slot.text is not None and slot.text.has("uptake") for slot in slots.values())
    free = [number for number in range(1, _CLOSED + 1) if number not in ends]
    rng.shuffle(free)
    absorbed = _first(
        free, ABSORBED - written, lambda one: found[one][0].name, 1, lambda one: one < _EARLY and found[one][0].uptake
    )
    ends |= dict.fromkeys(absorbed, "handled")
    issued = len([end for end in ends.values() if end in ISSUED])
    pool = [number for number in free if number not in ends]
    chosen = _first(pool, ENDS["both"] + ENDS["issued"] - issued, lambda one: found[one][0].name, _ISSUED_OF_A_MATTER)
    left = Counter(ENDS) - Counter(ends.values())
    plain = [end for end in ("both", "issued") for _ in range(left[end])]
    ends.update(zip(chosen, plain, strict=True))
    left = Counter(ENDS) - Counter(ends.values())
    for waiting in (False, True):
        ends_left = [end for end, many in left.items() for _ in range(many) if (end in WAITING) is waiting]
        rng.shuffle(ends_left)
        span = range(_CLOSED + 1, TOTAL + 1) if waiting else range(1, _CLOSED + 1)
        ends.update(zip((number for number in span if number not in ends), ends_left, strict=True))
    return ends, absorbed


def _first(
    pool: list[int], many: int, name: Callable[[int], str], most: int, wanted: Callable[[int], object] = bool
) -> list[int]:
    """The first so many of a pool that are wanted, with at most so many of one name."""
    seen = Counter[str]()
    found: list[int] = []
    for number in pool:
        if len(found) < many and wanted(number) and seen[name(number)] < most:
            seen[name(number)] += 1
            found.append(number)
    assert len(found) == many
    return found


def _marks(rng: Random, slots: dict[int, _Slot], ends: dict[int, str], absorbed: list[int]) -> dict[str, list[int]]:
    """Mark -> the numbers that have it."""
    composed = [number for number in range(1, _CLOSED + 1) if slots[number].text is None]
    handled = [number for number in composed if ends[number] == "handled" and number not in absorbed]
    return {
        "absorbed": absorbed,
        "returned": rng.sample([one for one in composed if ends[one] not in ("merged", "withdrawn")], RETURNED),
        "commented": rng.sample(range(1, _CLOSED + 1), COMMENTED),
        "assigned": rng.sample(range(1, _CLOSED + 1), ASSIGNED),
        "supplemented": rng.sample([one for one in composed if ends[one] in ("both", "kept")], SUPPLEMENTED),
        "refused": rng.sample([one for one in handled if one < _EARLY], REFUSED_BY_DEPARTMENT),
        "error": rng.sample([one for one in composed if ends[one] == "both" and one < _EARLY], 1),
    }


def _authors(rng: Random, slot: _Slot) -> tuple[Contributor, ...]:
    """Who wrote it: one, those that a written text names, or now and then a colleague of the same field too."""
    if slot.text is not None:
        by_name = {one.author.name: one for one in people.CONTRIBUTORS.values()}
        return tuple(by_name[name] for name in slot.text.authors)
    one = slot.contributor
    colleagues = [
        other
        for other in people.CONTRIBUTORS.values()
        if other.source == one.source and other != one and other.topics & one.topics
    ]
    if one.source in ("member", "special_contributor") and colleagues and rng.random() < 0.12:
        return one, rng.choice(colleagues)
    return (one,)
