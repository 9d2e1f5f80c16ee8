"""The plan of the demonstration: what happens to each report of a year. Pure, by a seed.

The year's numbers hold by construction: there are so many reports of each kind, distributed at random.
"""

from __future__ import annotations

from datetime import date, timedelta, timezone
from itertools import product
from random import Random
from typing import Final, NamedTuple

from reportflow.demo import vocabulary
from reportflow.demo.vocabulary import Matter
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
ABOVE, INSTRUCTED, ABSORBED, RETURNED, COMMENTED, ASSIGNED = 5, 3, 24, 44, 60, 200

ISSUED: Final = frozenset({"both", "issued"})
SUBMITTED: Final = frozenset({"both", "submitted"})
OUT: Final = ISSUED | SUBMITTED | {"handled"}
WAITING: Final = frozenset({"in_draft", "in_edited", "in_reviewed", "in_returned"})
_CLOSED: Final = TOTAL - sum(ENDS[end] for end in WAITING)
#: Up to this number, reports arrive early enough for what takes months; those that are merged arrive after it.
_EARLY: Final = 200
#: The last working days, by index, on which reports arrive: those that are closed in the year, and all.
_LAST_CLOSED, _LAST = 222, 240
#: When the office opens, and the latest start of a day's first act; in minutes of the day.
OPENS, LATEST_START = 8 * 60 + 40, 16 * 60


#: The working days of the year.
DAYS: Final = tuple(
    day
    for day in (date(YEAR, 1, 1) + timedelta(days=number) for number in range(365))
    if day in vocabulary.WORKED_WEEKENDS or (day.weekday() < 5 and day not in vocabulary.HOLIDAYS)
)


class ReportPlan(NamedTuple):
    """What happens to one report.

    Attributes:
        number: Its place in the year, from 1.
        day: The working day on which it arrives, by index.
        minute: The minute of that day.
        matter: What it is about.
        place: Where.
        end: One of `ENDS`.
        into: The number of the report that it is merged into.
        leaders: The leaders who instruct on it.
        marks: "above" (adopted by the higher body), "absorbed" (by a department), "returned" (once, and revised),
            "commented" (by a reviewer), "assigned" (to its editor).
    """

    number: int
    day: int
    minute: int
    matter: Matter
    place: str
    end: str
    into: int | None
    leaders: tuple[int, ...]
    marks: frozenset[str]


def plan_year(seed: int) -> list[ReportPlan]:
    """The year's reports, by number. Their sums do not depend on the seed."""
    rng = Random(seed)
    slow = rng.sample(range(2, _EARLY + 1), ABOVE + INSTRUCTED - 1 + ABSORBED)
    # One report is both adopted above and instructed on.
    above, instructed, absorbed = slow[:ABOVE], slow[ABOVE - 1 : ABOVE + 2], slow[ABOVE + 2 :]
    ends = _ends(rng, both=[1, *slow[: ABOVE + 1]], issued=[slow[ABOVE + 1], *absorbed[::2]], handled=absorbed[1::2])
    moments = _moments(rng)
    matters = _matters(rng)
    into: dict[int, int] = {}
    for number in (number for number, end in ends.items() if end == "merged"):
        topic = matters[number][0].topic
        earlier = [one for one in range(1, number) if ends[one] in OUT and moments[one][0] < moments[number][0]]
        into[number] = max(earlier, key=lambda one: (matters[one][0].topic == topic, one))
    # A returned report can be no target, so what is merged into something is never returned.
    may_return = [
        one for one in range(1, _CLOSED + 1) if one not in into.values() and ends[one] not in ("merged", "withdrawn")
    ]
    marks = {
        "above": above,
        "absorbed": absorbed,
        "returned": rng.sample(may_return, RETURNED),
        "commented": rng.sample(range(1, _CLOSED + 1), COMMENTED),
        "assigned": rng.sample(range(1, _CLOSED + 1), ASSIGNED),
    }
    leaders = dict(zip(instructed, ((0, 1), (2,), (3,)), strict=True))  # one report, two leaders: 1 件, 2 件次
    return [
        ReportPlan(
            number,
            *moments[number],
            *matters[number],
            end=ends[number],
            into=into.get(number),
            leaders=leaders.get(number, ()),
            marks=frozenset(mark for mark, numbers in marks.items() if number in numbers),
        )
        for number in range(1, TOTAL + 1)
    ]


def _ends(rng: Random, **fixed: list[int]) -> dict[int, str]:
    """The end of each number: some are fixed, the merged ones are late, the rest are random."""
    ends = {number: end for end, numbers in fixed.items() for number in numbers}
    for number in rng.sample(range(_EARLY + 1, _CLOSED + 1), ENDS["merged"]):
        ends[number] = "merged"
    left = {end: many - list(ends.values()).count(end) for end, many in ENDS.items()}
    for waiting in (False, True):
        pool = [end for end, many in left.items() for _ in range(many) if (end in WAITING) is waiting]
        rng.shuffle(pool)
        span = range(_CLOSED + 1, TOTAL + 1) if waiting else range(1, _CLOSED + 1)
        ends.update(zip((number for number in span if number not in ends), pool, strict=True))
    return ends


def _moments(rng: Random) -> dict[int, tuple[int, int]]:
    """The working day and the minute at which each number arrives: spread over the year, in order.

    For every seed the first one arrives when the office opens, so that the first act of another seed meets its key.
    """
    closed = sorted(
        (max(0, number * _LAST_CLOSED // _CLOSED - rng.randint(0, 1)), rng.randint(OPENS + 1, LATEST_START))
        for number in range(_CLOSED)
    )
    waiting = sorted(
        (rng.randint(_LAST_CLOSED + 1, _LAST), rng.randint(OPENS, LATEST_START)) for _ in range(TOTAL - _CLOSED)
    )
    return dict(enumerate([(0, OPENS), *closed[1:], *waiting], start=1))


def _matters(rng: Random) -> dict[int, tuple[Matter, str]]:
    """A matter and a place for each number, no pair twice."""
    lively = frozenset(rng.sample(range(1, TOTAL + 1), LIVELIHOOD_TOTAL))
    found: dict[int, tuple[Matter, str]] = {}
    for wanted in (True, False):
        matters = [one for one in vocabulary.MATTERS if (one.topic in LIVELIHOOD) is wanted]
        pairs = list(product(matters, vocabulary.PLACES))
        rng.shuffle(pairs)
        found.update(zip((n for n in range(1, TOTAL + 1) if (n in lively) is wanted), pairs, strict=False))
    return found
