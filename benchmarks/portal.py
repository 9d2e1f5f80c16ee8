"""How fast the portal's pages are with many records in PostgreSQL and many people at once.

``python -m benchmarks.portal --records 1000000 --users 50 --seconds 60``. The server runs in a process of its own; the
people are tasks of this one, who read a page every few seconds. Beside the pages stand handlers that do only the
indexed SQL of a page, by hand, and write the rows as JSON: the floor. The bare floor reads less than the page shows: of
the inbox only the rows of the records, of a record no others that belong to it. A page's time is taken in the server,
from the first byte of the request to the last of the answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx

#: Page -> its share of what people read.
PAGES: Final = {"inbox": 4, "record": 5, "find": 2, "history": 1, "form": 1}
#: The pages that are compared with a floor.
MEASURED: Final = ("inbox", "record")
#: Seconds between two pages of one person: between the half of it and one and a half.
PAUSE: Final = 4.0
UNITS: Final = 50
#: How many real records are made through the flow; the others are copies of their rows under other ids.
REAL: Final = 200


def fill(url: str, records: int) -> None:
    """Make some records through the flow, and copy their rows until there are so many."""
    import psycopg

    from reportflow import Actor, open_flow
    from reportflow.office import Author, Report, Revision

    with open_flow(url) as flow:
        for number in range(REAL):
            unit = f"unit-{number % UNITS}"
            author = Actor(id=f"author-{number}", name="Qian", roles={"contributor"}, unit=unit)
            editor = Actor(id=f"editor-{number % UNITS}", name="Li", post="Editor", roles={"editor"}, unit=unit)
            text = "The lamps at the north gate have been dark since spring. " * 20
            draft = Report.draft(title=f"Dark lamps {number}", text=text, authors=[Author(name="Qian", id=author.id)])
            report = flow.create(draft, by=author)
            if stage := number // UNITS % 4:  # so that each unit has some in each stage
                report = flow.fire(report, "edit", Revision(text=text + "Two lamps more."), by=editor)
                if stage > 1:
                    flow.fire(report, "keep", by=editor, reason="Known already.")
    plain = url.replace("postgresql+psycopg://", "postgresql://")
    copies = records // REAL - 1
    # each copy in a minute of its own, so that the units come one after another, as they do in an office
    earlier = (
        "to_char({0}::timestamptz AT TIME ZONE 'UTC' - n * interval '1 minute', 'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00')"
    )
    copied = {f'"{name}"': earlier.format(name) for name in ("created_at", "updated_at")}
    with psycopg.connect(plain, autocommit=True) as connection:
        for table, id in (("record", "id"), ("entry", "record_id"), ("label", "record_id")):
            found = connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND column_name NOT IN "
                "('id', 'position', 'key') ORDER BY ordinal_position" if table == "entry" else
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position",
                [f"reportflow_{table}"],
            ).fetchall()  # fmt: skip
            names = [f'"{name}"' for (name,) in found]
            taken = [copied.get(name, f"{id} || '-' || n" if name == f'"{id}"' else name) for name in names]
            connection.execute(
                f"INSERT INTO reportflow_{table} ({', '.join(names)}) SELECT {', '.join(taken)} "
                f"FROM reportflow_{table}, generate_series(1, {copies}) AS n"
            )
        connection.execute("ANALYZE")


INBOX: Final = (
    "SELECT id, kind, state, version, head, unit, title, category, assignee, due_at, secrecy, created_by, created_at, "
    "updated_at, data FROM reportflow_record WHERE kind = 'report' AND state = 'draft' AND unit = %s AND secrecy = "
    "'internal' AND (assignee IS NULL OR assignee = %s) ORDER BY due_at, created_at, id LIMIT 51"
)
#: Since when each record of a page is in its state.
SINCE: Final = (
    "SELECT DISTINCT ON (record_id) record_id, at, secrecy, reason FROM reportflow_entry WHERE record_id = ANY(%s) "
    "AND source IS DISTINCT FROM dest ORDER BY record_id, sequence DESC"
)
DRAFTS: Final = "SELECT * FROM reportflow_web_draft WHERE actor = %s ORDER BY saved_at DESC LIMIT 100"
RECORD: Final = "SELECT * FROM reportflow_record WHERE id = %s AND unit = %s"
HISTORY: Final = "SELECT * FROM reportflow_entry WHERE record_id = %s ORDER BY sequence"
CHILDREN: Final = (
    "SELECT id, title, kind, state FROM reportflow_record WHERE parent = %s AND unit = %s AND kind = 'report' AND "
    "secrecy = 'internal' ORDER BY created_at, id LIMIT 20"
)


class Timed:
    """An application whose answers are timed in the server: ``/times`` gives and forgets them."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._times: dict[str, list[float]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == "/times":
            body = json.dumps(self._times).encode()
            self._times = {}
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})
            return
        name = dict(scope["headers"]).get(b"x-page", b"").decode()
        start = time.perf_counter()
        await self._app(scope, receive, send)
        self._times.setdefault(name, []).append(time.perf_counter() - start)


def application() -> Any:
    """The portal and the floor, as one application: for the server's process."""
    import psycopg
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Mount, Route

    from reportflow import Actor, open_async_flow, open_flow
    from reportflow.web import portal

    url = os.environ["PORTAL_DATABASE"]
    opened: Any = open_async_flow if os.environ["PORTAL_FLOW"] == "async" else open_flow
    flow: Any = opened(url, zone="Asia/Shanghai")
    plain = url.replace("postgresql+psycopg://", "postgresql://")
    idle: list[Any] = []

    def who(request: Request) -> Actor:
        id, _, unit = request.headers["x-who"].partition("@")
        return Actor(id=id, name="Li", post="Editor", roles={"editor"}, unit=unit)

    async def asked(request: Request) -> Actor:  # not in a thread, since nothing waits
        return who(request)

    @asynccontextmanager
    async def connected() -> AsyncIterator[Any]:
        connection = idle.pop() if idle else await psycopg.AsyncConnection.connect(plain, autocommit=True)
        try:
            yield connection
        finally:
            idle.append(connection)

    async def rows(connection: Any, text: str, *values: Any) -> list[Any]:
        found: list[Any] = await (await connection.execute(text, values, prepare=True)).fetchall()
        return found

    async def inbox(request: Request) -> Response:
        actor = who(request)
        async with connected() as one:
            found = [await rows(one, INBOX, actor.unit, actor.id)]
            if "bare" not in request.query_params:
                found += [await rows(one, SINCE, [row[0] for row in found[0]]), await rows(one, DRAFTS, actor.id)]
        return JSONResponse(found)

    async def record(request: Request) -> Response:
        id, actor = request.path_params["id"], who(request)
        async with connected() as one:
            found = [await rows(one, RECORD, id, actor.unit), await rows(one, HISTORY, id)]
            if "bare" not in request.query_params:
                found.append(await rows(one, CHILDREN, id, actor.unit))
        return JSONResponse(found)

    return Timed(
        Starlette(
            routes=[
                Route("/floor/inbox", inbox),
                Route("/floor/r/{id}", record),
                Mount("/office", portal(flow, authenticate=asked, rate=None)),
            ]
        )
    )


def _address(page: str, ids: list[str], chance: random.Random) -> str:
    id = chance.choice(ids)
    return {
        "inbox": "/office/",
        "record": f"/office/r/{id}",
        "history": f"/office/r/{id}/history",
        "find": "/office/find?state=kept",
        "form": f"/office/r/{id}/do/comment",
        "floor inbox": "/floor/inbox",
        "floor record": f"/floor/r/{id}",
        "bare floor inbox": "/floor/inbox?bare",
        "bare floor record": f"/floor/r/{id}?bare",
    }[page]


async def _read(
    base: str, ids: dict[str, list[str]], users: int, seconds: float, pages: dict[str, int]
) -> dict[str, Any]:
    """Let people read pages for some seconds; gives the times in the server, by page, and what failed."""
    failed: list[str] = []
    end = time.monotonic() + seconds

    async def person(client: httpx.AsyncClient, number: int) -> None:
        chance = random.Random(number)
        unit = f"unit-{number % UNITS}"
        await asyncio.sleep(chance.uniform(0, PAUSE))
        while time.monotonic() < end:
            page = chance.choices(list(pages), list(pages.values()))[0]
            heads = {"x-who": f"editor-{number % UNITS}@{unit}", "x-page": page}
            answer = await client.get(base + _address(page, ids[unit], chance), headers=heads)
            if answer.status_code != 200:
                failed.append(f"{page}: {answer.status_code}")
            await asyncio.sleep(chance.uniform(PAUSE / 2, PAUSE * 3 / 2))

    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=users)) as client:
        await client.get(f"{base}/times")
        await asyncio.gather(*(person(client, number) for number in range(users)))
        times: dict[str, Any] = (await client.get(f"{base}/times")).json()
    return {"times": times, "failed": failed}


async def _alone(base: str, ids: dict[str, list[str]], rounds: int) -> dict[str, list[float]]:
    """One person, page and floor in turn, without pauses: gives the times in the server, by page."""
    chance = random.Random(0)
    async with httpx.AsyncClient(timeout=60) as client:
        for turn in range(2):  # the first time around warms up
            await client.get(f"{base}/times")
            for _ in range(rounds if turn else 20):
                for page in (f"{floor}{page}" for page in MEASURED for floor in ("", "floor ", "bare floor ")):
                    heads = {"x-who": "editor-1@unit-1", "x-page": page}
                    (await client.get(base + _address(page, ids["unit-1"], chance), headers=heads)).raise_for_status()
        times: dict[str, list[float]] = (await client.get(f"{base}/times")).json()
    return times


def _percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


def main() -> None:
    """Measure, and print a table."""
    from tests.servers import database

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--flow", choices=["sync", "async"], default="sync")
    parser.add_argument("--port", type=int, default=8399)
    given = parser.parse_args()
    with database("postgresql") as url:
        began = time.monotonic()
        fill(url, given.records)
        print(f"{given.records:,} records in {time.monotonic() - began:.0f} s")
        ids: dict[str, list[str]] = {}
        import psycopg

        with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://")) as connection:
            for id, unit in connection.execute("SELECT id, unit FROM reportflow_record TABLESAMPLE SYSTEM (1)"):
                ids.setdefault(unit, []).append(id)
            for unit in range(UNITS):
                if f"unit-{unit}" not in ids:
                    found = "SELECT id FROM reportflow_record WHERE unit = %s LIMIT 20"
                    ids[f"unit-{unit}"] = [id for (id,) in connection.execute(found, [f"unit-{unit}"])]
        serving = ["uvicorn", "benchmarks.portal:application", "--factory", "--log-level", "error"]
        command = [sys.executable, "-m", *serving, "--port", str(given.port)]
        server = subprocess.Popen(command, env={**os.environ, "PORTAL_DATABASE": url, "PORTAL_FLOW": given.flow})
        base = f"http://127.0.0.1:{given.port}"
        try:
            while True:
                try:
                    httpx.get(f"{base}/times")
                    break
                except httpx.TransportError:
                    time.sleep(0.2)
            alone = asyncio.run(_alone(base, ids, 200))
            together = asyncio.run(_read(base, ids, given.users, given.seconds, PAGES))
        finally:
            server.terminate()
            server.wait(10)
    print("| page | share of its floor (medians, one reader) | of the bare one | median, ms | floor, ms | bare, ms |")
    print("| --- | --- | --- | --- | --- | --- |")
    for page in MEASURED:
        several = [alone[f"{floor}{page}"] for floor in ("", "floor ", "bare floor ")]
        own, floor, bare = (statistics.median(times) * 1000 for times in several)
        print(f"| {page} | {floor / own:.2f} | {bare / own:.2f} | {own:.1f} | {floor:.1f} | {bare:.1f} |")
    print(f"| page, {given.users} people | number | p50, ms | p95, ms |")
    print("| --- | --- | --- | --- |")
    for page, times in together["times"].items():
        if page:
            print(f"| {page} | {len(times)} | {_percentile(times, 0.5):.0f} | {_percentile(times, 0.95):.0f} |")
    print("failed:", together["failed"] or "none")


if __name__ == "__main__":
    main()
