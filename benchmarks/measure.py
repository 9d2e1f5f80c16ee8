"""Measuring beside a floor: the thing and the least that could do its work, alternately, in the same run.

A machine's speed changes from minute to minute, and from one machine to the next; the ratio of two neighbours hardly
does.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import attrs

#: Does the work some times and gives the seconds that one time took.
Sample = Callable[[], float]


class Missing(Exception):
    """A program or package that a row needs is not installed; the text names it."""


def duration(seconds: float) -> str:
    """A short time as text."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.1f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} µs"


def rate(seconds: float) -> str:
    """The same as how many there are in a second."""
    return f"{1 / seconds:,.0f} a second"


def megabytes(size: float) -> str:
    """A number of bytes as text."""
    return f"{size / 1e6:,.0f} MB"


@attrs.frozen(kw_only=True)
class Found:
    """What was measured for one row: a number for each round, less is better.

    Attributes:
        ours: What reportflow took.
        floor: What the floor took, in the same rounds; empty where there is none.
        floor_name: What the floor is.
        note: A note on ours.
        as_text: Writes one of these numbers.
    """

    ours: Sequence[float]
    floor: Sequence[float] = ()
    floor_name: str = "by hand"
    note: str = ""
    as_text: Callable[[float], str] = duration

    @property
    def shares(self) -> list[float]:
        """For each round, what the floor took as a share of what ours took: 1 is as fast, 0.5 half as fast."""
        return [least / mine for mine, least in zip(self.ours, self.floor, strict=True)]


#: The columns of a table of rows.
HEAD = ("what", "reportflow", "floor", "share min / median / max", "at least", "wanted", "verdict")


@attrs.frozen
class Row:
    """One row of the table, and what fills it.

    Attributes:
        name: What is done.
        at_least: The share that is promised at the median; None where nothing is.
        wanted: The share that is wanted.
    """

    name: str
    at_least: float | None = None
    wanted: float | None = None

    def cells(self, found: Found | Missing) -> Iterator[str]:
        """The row as texts, for `HEAD`."""
        yield self.name
        if isinstance(found, Missing):
            yield from ("", "", "", _bound(self.at_least), _bound(self.wanted), str(found))
            return
        ours = found.as_text(statistics.median(found.ours))
        yield f"{ours}, {found.note}" if found.note else ours
        if not found.floor:
            yield from ("", "", "", "", "")
            return
        yield f"{found.as_text(statistics.median(found.floor))}, {found.floor_name}"
        shares = found.shares
        median = statistics.median(shares)
        yield f"{min(shares):.2f} / {median:.2f} / {max(shares):.2f}"
        yield _bound(self.at_least)
        yield _bound(self.wanted)
        yield self._verdict(median)

    def _verdict(self, share: float) -> str:
        if self.wanted is not None and share >= self.wanted:
            return "as wanted"
        if self.at_least is None:
            return "" if self.wanted is None else "less than wanted"
        return "held" if share >= self.at_least else "NOT HELD"


def _bound(bound: float | None) -> str:
    return "" if bound is None else f"{bound:.2f}"


def timed(work: Callable[[int], object], times: int) -> Sample:
    """A sample of calling ``work(0)``, ``work(1)``, … up to `times`: the mean of them."""

    def sample() -> float:
        start = time.perf_counter()
        for number in range(times):
            work(number)
        return (time.perf_counter() - start) / times

    return sample


def quantile(work: Callable[[int], object], times: int, per_cent: int) -> Sample:
    """The same, but of each call by itself, and of all these the time that so many per cent keep to."""

    def sample() -> float:
        taken = []
        for number in range(times):
            start = time.perf_counter()
            work(number)
            taken.append(time.perf_counter() - start)
        return statistics.quantiles(taken, n=100, method="inclusive")[per_cent - 1]

    return sample


def measure(*samples: Sample, rounds: int, warm: bool = True) -> list[list[float]]:
    """Take the samples alternately, in the opposite order each time; gives the seconds of each sample, round by round.

    One round before them all is not counted: caches and files are warm after it.
    """
    found: list[list[float]] = [[] for _ in samples]
    pairs = list(zip(samples, found, strict=True))
    if warm:
        for sample in samples:
            sample()
    gc.collect()
    gc.disable()  # a collection would count for the sample that runs then
    try:
        for _ in range(rounds):
            for sample, seconds in pairs:
                seconds.append(sample())
            pairs.reverse()
            gc.collect()
    finally:
        gc.enable()
    return found


def table(lines: Sequence[Sequence[str]]) -> str:
    """Rows of cells, `HEAD` above them, as a Markdown table that can also be read as it is."""
    lines = [HEAD, *lines]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    shown = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    rule = "|".join("-" * (width + 2) for width in widths)
    head, *body = (f"| {line} |" for line in shown)
    return "\n".join([head, f"|{rule}|", *body])
