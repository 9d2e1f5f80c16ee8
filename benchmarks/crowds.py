"""Writers that act at one moment, ours and by hand: threads, processes of some threads, tasks of one event loop.

Each has records of its own and fires at them in turn, so that no record's list of facts grows long. By hand an act is
one commit; a writer has a connection of its own, and waits for the lock as SQLite has it, or takes turns by a lock of
the process. Run as a program it is one of the processes: a spell of its threads for each line of the input, and a line
that says what they did.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from datetime import UTC, datetime
from itertools import count, cycle
from pathlib import Path
from threading import Barrier, Lock
from typing import Any, Final, TypeVar

import aiosqlite
import attrs
from benchmarks.by_hand import INSERT_ENTRY, UPDATE_RECORD, Values, adopting, opened, read, time_of
from benchmarks.measure import duration
from benchmarks.work import OFFICE, REGISTRAR, Ours, adoption

from reportflow import AsyncReportFlow, StorageBusy, open_async_flow, open_flow
from reportflow.office import Report

PROCESSES: Final = 4
#: How long the writers act in a round, in seconds; and where the slowest of many acts is asked for.
SPELL: Final = 0.5
LONG_SPELL: Final = 2.0
#: How long one by hand waits for SQLite's lock, in milliseconds: none of them may give up.
PATIENCE: Final = 60_000
#: The connections that the tasks by hand share: with 8 they are no faster, with 1 or 2 slower.
HAND_CONNECTIONS: Final = 4

#: The ids of the records of each writer.
Shares = Sequence[Sequence[str]]
Act = Callable[[], object]
T = TypeVar("T")


@attrs.define
class Spell:
    """What one writer did in a spell.

    Attributes:
        in_time: The acts that were answered before it was over.
        waits: How long the writer waited for each answer, in seconds; it ends with the act that it is in.
        busy: How often the store was busy for so long that it raised that, and the writer tried again.
    """

    in_time: int = 0
    waits: list[float] = attrs.field(factory=list)
    busy: int = 0

    def note(self, begun: float) -> float:
        """One more act is answered now; gives the time."""
        now = time.perf_counter()
        self.waits.append(now - begun)
        return now


def acting(act: Act, end: float) -> Spell:
    """One act after the other until then, at least one."""
    spell = Spell()
    while True:
        begun = time.perf_counter()
        while True:
            try:
                act()
                break
            except StorageBusy:
                spell.busy += 1
        if spell.note(begun) > end:
            return spell
        spell.in_time += 1


async def acting_awaited(act: Callable[[], Awaitable[object]], end: float) -> Spell:
    """As `acting`, awaited."""
    spell = Spell()
    while True:
        begun = time.perf_counter()
        while True:
            try:
                await act()
                break
            except StorageBusy:
                spell.busy += 1
        if spell.note(begun) > end:
            return spell
        spell.in_time += 1


#: Has all writers act for so many seconds.
Run = Callable[[float], Sequence[Spell]]


class Crowd:
    """Writers that act at the same time, and what all of them did so far.

    Args:
        run: Has all of them act.
        writers: How many there are.
    """

    def __init__(self, run: Run, writers: int) -> None:
        self._run = run
        self._waits: list[float] = []
        self._busy = 0
        #: The acts of each writer.
        self.acts = [0] * writers
        #: Of each long spell: acts a second, the median wait and the longest.
        self.long: list[tuple[float, float, float]] = []

    def _spell(self, seconds: float) -> tuple[int, list[float]]:
        waits: list[float] = []
        spells = self._run(seconds)
        for number, spell in enumerate(spells):
            self.acts[number] += len(spell.waits)
            self._busy += spell.busy
            waits += spell.waits
        self._waits += waits
        return sum(spell.in_time for spell in spells), waits

    def each(self) -> float:
        """A sample: the seconds of one act, all writers counted."""
        return SPELL / max(self._spell(SPELL)[0], 1)

    def _long(self) -> list[float]:
        in_time, waits = self._spell(LONG_SPELL)
        self.long.append((in_time / LONG_SPELL, statistics.median(waits), max(waits)))
        return waits

    def p99(self) -> float:
        """A sample: the seconds that 99 of 100 callers do not wait longer than."""
        return percentile(self._long(), 99)

    def longest(self) -> float:
        """A sample: how long the unluckiest caller waited."""
        return max(self._long())

    @property
    def summary(self) -> str:
        """How long the slowest of all acts took, as text."""
        busy = f", {self._busy} times busy" if self._busy else ""
        return f"p99 {duration(percentile(self._waits, 99))}{busy}"

    @property
    def fairness(self) -> str:
        """Acts a second, and the median wait beside the longest, at the median of the long spells, as text."""
        a_second, median, longest = (statistics.median(one) for one in zip(*self.long, strict=True))
        busy = f", {self._busy} times busy" if self._busy else ""
        return f"{a_second:,.0f} a second, median wait {duration(median)}, longest {duration(longest)}{busy}"


def percentile(taken: Sequence[float], per_cent: int) -> float:
    """The time that so many per cent of some keep to."""
    if len(taken) < 2:
        return max(taken)
    return statistics.quantiles(taken, n=100, method="inclusive")[per_cent - 1]


# -- what acts --------------------------------------------------------------------------------------------------------


def in_turn(act: Callable[[int], T], records: Sequence[int]) -> Callable[[], T]:
    """An act on the first of some records, then on the next one, and round again."""
    numbers = cycle(records)
    return lambda: act(next(numbers))


class ThreadHand:
    """One writer by hand: a connection and records of its own, one act a commit, and a turn where there are turns."""

    def __init__(self, path: Path, mode: str, names: Sequence[str], turn: AbstractContextManager[Any]) -> None:
        self._turn = turn
        self._connection = opened(path, mode)
        self._connection.execute(f"PRAGMA busy_timeout = {PATIENCE}")
        self._rows = [read(self._connection, name) for name in names]

    def fire_snapshot(self, number: int) -> None:
        """Adopt a record once more."""
        row = self._rows[number]
        after, entry = adopting(row, time_of(datetime.now(UTC)))
        execute = self._connection.execute
        with self._turn:
            execute("BEGIN IMMEDIATE")
            if execute(UPDATE_RECORD, _expecting(after, row)).rowcount != 1:
                raise RuntimeError("another program wrote to the benchmark's file")
            execute(INSERT_ENTRY, entry)
            execute("COMMIT")
        self._rows[number] = after

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _expecting(after: Values, before: Mapping[str, Any]) -> Values:
    return {**after, "expected": before["version"], "seen": before["head"]}


@contextmanager
def _acts(how: str, path: Path, mode: str, shares: Shares) -> Iterator[list[Act]]:
    """The writers of one process, each with its records."""
    with ExitStack() as stack:
        if how == "ours":
            flow = stack.enter_context(open_flow(f"sqlite:///{path}?synchronous={mode}", lifecycles=OFFICE))
            writers: list[Ours | ThreadHand] = [
                Ours(flow, [flow.get(name, by=REGISTRAR, type=Report) for name in share]) for share in shares
            ]
        else:
            turn = Lock() if how == "turns" else nullcontext()
            writers = [stack.enter_context(closing(ThreadHand(path, mode, share, turn))) for share in shares]
        yield [in_turn(one.fire_snapshot, range(len(share))) for one, share in zip(writers, shares, strict=True)]


@contextmanager
def _ready(how: str, path: Path, mode: str, shares: Shares) -> Iterator[Run]:
    """Threads that are started, and act for so many seconds when they are asked to."""
    started = Barrier(len(shares))
    with _acts(how, path, mode, shares) as acts, ThreadPoolExecutor(len(shares)) as pool:
        list(pool.map(lambda _: started.wait(), shares))

        def run(seconds: float) -> list[Spell]:
            end = time.perf_counter() + seconds
            return list(pool.map(acting, acts, [end] * len(acts)))

        yield run


@contextmanager
def thread_crowd(how: str, path: Path, mode: str, shares: Shares) -> Iterator[Crowd]:
    """Threads of this process."""
    with _ready(how, path, mode, shares) as run:
        yield Crowd(run, len(shares))


# -- processes --------------------------------------------------------------------------------------------------------


def _serve(how: str, path: str, mode: str, shares: str) -> None:
    with _ready(how, Path(path), mode, json.loads(shares)) as run:
        print("[]", flush=True)
        for line in sys.stdin:
            print(json.dumps([attrs.asdict(one) for one in run(float(line))]), flush=True)


@contextmanager
def process_crowd(how: str, path: Path, mode: str, shares: Shares) -> Iterator[Crowd]:
    """Processes with some threads each, all of them ready before the clock starts."""
    part = len(shares) // PROCESSES
    parts = [json.dumps(shares[start : start + part]) for start in range(0, len(shares), part)]
    command = [sys.executable, "-m", "benchmarks.crowds", how, str(path), mode]
    root = Path(__file__).parents[1]
    serving = [
        subprocess.Popen([*command, one], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for one in parts
    ]

    def answers() -> list[Any]:
        found = [one.stdout.readline() for one in serving if one.stdout is not None]
        if "" in found:
            raise RuntimeError("a process of the benchmark ended")
        return [json.loads(one) for one in found]

    def run(seconds: float) -> list[Spell]:
        for one in serving:
            assert one.stdin is not None
            one.stdin.write(f"{seconds}\n")
            one.stdin.flush()
        return [Spell(**spell) for answer in answers() for spell in answer]

    try:
        answers()
        yield Crowd(run, len(shares))
    finally:
        for one in serving:
            one.communicate()


# -- tasks ------------------------------------------------------------------------------------------------------------


class TaskHand:
    """Tasks by hand: a few connections of aiosqlite, one of them for each act, one act a commit."""

    def __init__(self) -> None:
        self._free: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        self._rows: list[Values] = []

    async def open(self, path: Path, mode: str, names: Sequence[str]) -> None:
        """Open the connections, and read the records."""
        with closing(opened(path)) as reading:
            self._rows = [read(reading, name) for name in names]
        for _ in range(HAND_CONNECTIONS):
            connection = await aiosqlite.connect(path, isolation_level=None)
            for pragma in (f"synchronous = {mode}", "foreign_keys = ON", f"busy_timeout = {PATIENCE}"):
                await connection.execute(f"PRAGMA {pragma}")
            self._free.put_nowait(connection)

    async def fire_snapshot(self, number: int) -> None:
        """Adopt a record once more."""
        row = self._rows[number]
        after, entry = adopting(row, time_of(datetime.now(UTC)))
        connection = await self._free.get()
        try:
            await connection.execute("BEGIN IMMEDIATE")
            moved = await connection.execute(UPDATE_RECORD, _expecting(after, row))
            if moved.rowcount != 1:
                raise RuntimeError("another program wrote to the benchmark's file")
            await connection.execute(INSERT_ENTRY, entry)
            await connection.execute("COMMIT")
        finally:
            self._free.put_nowait(connection)
        self._rows[number] = after

    async def close(self) -> None:
        """Close the connections."""
        while not self._free.empty():
            await self._free.get_nowait().close()


class TaskOurs:
    """Tasks that each fire at the snapshot that the flow gave them last."""

    def __init__(self) -> None:
        self._flow: AsyncReportFlow | None = None
        self._records: list[Report] = []

    async def open(self, path: Path, mode: str, names: Sequence[str]) -> None:
        """Open the flow, and read the records."""
        self._flow = await open_async_flow(f"sqlite+aiosqlite:///{path}?synchronous={mode}", lifecycles=OFFICE)
        self._records = [await self._flow.get(name, by=REGISTRAR, type=Report) for name in names]

    async def fire_snapshot(self, number: int) -> None:
        """Adopt a record once more."""
        assert self._flow is not None
        self._records[number] = await self._flow.fire(self._records[number], "adopt", adoption(), by=REGISTRAR)

    async def close(self) -> None:
        """Close the flow."""
        if self._flow is not None:
            await self._flow.close()


@contextmanager
def task_crowd(how: str, path: Path, mode: str, shares: Shares) -> Iterator[Crowd]:
    """Tasks of one event loop."""
    writer = TaskOurs() if how == "ours" else TaskHand()
    names, places = [name for share in shares for name in share], count()
    acts = [in_turn(writer.fire_snapshot, [next(places) for _ in share]) for share in shares]

    async def all_of_them(seconds: float) -> list[Spell]:
        end = time.perf_counter() + seconds
        return await asyncio.gather(*(acting_awaited(act, end) for act in acts))

    with asyncio.Runner() as runner:
        try:
            runner.run(writer.open(path, mode, names))
            yield Crowd(lambda seconds: runner.run(all_of_them(seconds)), len(shares))
        finally:
            runner.run(writer.close())


#: Makes the writers of one side: of "ours", by "hand", or by hand in "turns"; on a file, with a mode of SQLite's
#: waiting for the disk, and with the records of each writer.
MakeCrowd = Callable[[str, Path, str, Shares], AbstractContextManager[Crowd]]


if __name__ == "__main__":
    _serve(*sys.argv[1:])
