"""Measuring beside a floor: the thing and the least that could do its work, in turns, in the same run.

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


@attrs.frozen(kw_only=True)
class Row:
    """What was measured: seconds for one time, round by round.

    Attributes:
        name: What was done.
        floor_name: What it is held against; "" where there is nothing, then `floor` is empty.
        bound: How many times the floor it may take at the median; None where nothing was promised.
    """

    name: str
    seconds: Sequence[float]
    floor_name: str = ""
    floor: Sequence[float] = ()
    bound: float | None = None

    @property
    def ratios(self) -> list[float]:
        """How many times the floor, for each round."""
        return [mine / least for mine, least in zip(self.seconds, self.floor, strict=True)]

    def cells(self) -> Iterator[str]:
        """The row as texts, for `HEAD`."""
        middle = statistics.median(self.seconds)
        yield self.name
        yield said(middle)
        if not self.floor:
            yield from (f"{1 / middle:,.0f} a second", "", "", "")
            return
        yield f"{said(statistics.median(self.floor))}, {self.floor_name}"
        ratios = self.ratios
        yield f"{min(ratios):.2f} / {max(ratios):.2f}"
        median = statistics.median(ratios)
        yield f"{median:.2f}"
        if self.bound is None:
            yield ""
        else:
            yield f"{self.bound:.2f}, {'held' if median <= self.bound else 'NOT HELD'}"


#: The columns of a table of rows.
HEAD = ("what", "reportflow", "its floor", "min / max", "median", "bound")


def said(seconds: float) -> str:
    """A short time as text."""
    return f"{seconds * 1e3:.1f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} µs"


def timed(work: Callable[[int], object], times: int) -> Sample:
    """A sample of calling ``work(0)``, ``work(1)``, … up to `times`."""

    def sample() -> float:
        start = time.perf_counter()
        for number in range(times):
            work(number)
        return (time.perf_counter() - start) / times

    return sample


def measure(*samples: Sample, rounds: int) -> list[list[float]]:
    """Take samples in turns, the order turned round each time; gives the seconds of each sample, round by round.

    One round before them all is not counted: caches and files are warm after it.
    """
    found: list[list[float]] = [[] for _ in samples]
    turns = list(zip(samples, found, strict=True))
    for sample in samples:
        sample()
    gc.collect()
    gc.disable()  # a collection would fall to whoever's turn it is
    try:
        for _ in range(rounds):
            for sample, seconds in turns:
                seconds.append(sample())
            turns.reverse()
            gc.collect()
    finally:
        gc.enable()
    return found


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table that can also be read as it is."""
    lines = [HEAD, *(tuple(row.cells()) for row in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    shown = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    rule = "|".join("-" * (width + 2) for width in widths)
    head, *body = (f"| {line} |" for line in shown)
    return "\n".join([head, f"|{rule}|", *body])
