"""A hundred tasks of one event loop, beside the synchronous flow whose threads hold as many connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.measure import Found, Sample, measure, rate
from benchmarks.setting import Setting
from benchmarks.work import OFFICE, REGISTRAR, Ours, adopted, adoption, ids

from reportflow import AsyncReportFlow, open_async_flow, open_flow
from reportflow.office import Report
from reportflow.storage.sql.pool import CONNECTIONS

TASKS = 100
#: How many acts each of them does in a round.
ACTS = 4


def _by_tasks(runner: asyncio.Runner, flow: AsyncReportFlow, records: Sequence[Report]) -> Sample:
    async def acts(number: int) -> None:
        for _ in range(ACTS):
            held[number] = await flow.fire(held[number], "adopt", adoption(), by=REGISTRAR)

    async def all_of_them() -> None:
        await asyncio.gather(*map(acts, range(len(held))))

    held = list(records)
    return _each(lambda: runner.run(all_of_them()))


def _by_threads(pool: ThreadPoolExecutor, flow: Ours) -> Sample:
    def acts(number: int) -> None:
        for _ in range(ACTS):
            flow.fire_snapshot(number)

    return _each(lambda: list(pool.map(acts, range(TASKS))))


def _each(work: Callable[[], object]) -> Sample:
    def sample() -> float:
        start = time.perf_counter()
        work()
        return (time.perf_counter() - start) / (TASKS * ACTS)

    return sample


def tasks(setting: Setting) -> Found:
    """Tasks that each act on a snapshot of their own record, on PostgreSQL."""
    with setting.postgresql() as first, setting.postgresql() as second, asyncio.Runner() as runner:
        with open_flow(first.url, lifecycles=OFFICE) as flow:
            mine = adopted(flow, ids(TASKS))
        awaited = open_async_flow(first.url)
        runner.run(awaited.__aenter__())
        try:
            with open_flow(second.url, lifecycles=OFFICE) as flow, ThreadPoolExecutor(CONNECTIONS) as pool:
                theirs = Ours(flow, adopted(flow, ids(TASKS)))
                samples = _by_tasks(runner, awaited, mine), _by_threads(pool, theirs)
                ours, floor = measure(*samples, rounds=setting.rounds)
        finally:
            runner.run(awaited.close())
    return Found(ours=ours, floor=floor, as_text=rate, floor_name=f"`ReportFlow`, {CONNECTIONS} threads")
