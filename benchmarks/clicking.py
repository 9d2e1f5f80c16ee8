"""People who click at random through the demonstration's portal: errors, memory, files that stay open, what was typed.

``python -m benchmarks.clicking --minutes 60``. The server is `reportflow serve` on a file of its own, in a process of
its own. Each person signs in, follows links of the page that they see, and now and then writes a comment, which must
then stand on the record's page. It ends with exit code 1 where a page failed or a comment was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
from tests.web.client import forms_of

_LINK: Final = re.compile(r'href="([^"]+)"')
#: Seconds between two clicks of one person: between the half of it and one and a half.
PAUSE: Final = 1.0
#: How often somebody who sees a record writes a comment on it.
WRITES: Final = 0.2


class Seen:
    """What was seen in all: the statuses of answers, their seconds, what failed, and how many comments were written."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []
        self.failed: list[str] = []
        self.written = 0


class Clicker:
    """One person at the portal."""

    def __init__(self, client: httpx.AsyncClient, chance: random.Random, seen: Seen) -> None:
        self._client = client
        self._chance = chance
        self._seen = seen

    async def _ask(self, method: str, address: str, data: list[tuple[str, str]] | None = None) -> str:
        start = time.perf_counter()
        body = None if data is None else {name: [value for key, value in data if key == name] for name, _ in data}
        answer = await self._client.request(method, address, data=body)
        self._seen.seconds.append(time.perf_counter() - start)
        self._seen.statuses[answer.status_code] += 1
        if answer.status_code >= 500 or answer.status_code == 404:
            self._seen.failed.append(f"{answer.status_code} {method} {address}")
        return answer.text if answer.headers.get("content-type", "").startswith("text/html") else ""

    async def click(self, until: float) -> None:
        """Sign in, and click until then."""
        page = await self._ask("GET", "/")
        signs = [form for form in forms_of(page) if "sign-in" in form.action]
        form = self._chance.choice(signs)
        page = await self._ask("POST", form.action, [*form.filled({}), self._chance.choice(form.buttons)])
        while time.monotonic() < until:
            await asyncio.sleep(PAUSE * self._chance.uniform(0.5, 1.5))
            links = self._links(page)
            address = self._chance.choice(links) if links else "/"
            comments = [one for one in links if urlsplit(one).path.endswith("/do/comment")]
            if comments and self._chance.random() < WRITES:
                page = await self._comment(comments[0])
            else:
                page = await self._ask("GET", address) or await self._ask("GET", "/")

    @staticmethod
    def _links(page: str) -> list[str]:
        found = (html.unescape(one) for one in _LINK.findall(page))
        return [one for one in found if one.startswith("/") and "/static/" not in one and "sign-out" not in one]

    async def _comment(self, address: str) -> str:
        form = next((one for one in forms_of(await self._ask("GET", address)) if "text" in one.names), None)
        if form is None:
            return ""
        text = f"Seen in passing, {self._chance.getrandbits(64):x}."
        sent = await self._ask("POST", form.action or address, form.filled({"text": text}))
        record = urlsplit(address).path.removesuffix("/do/comment")
        page = await self._ask("GET", record)
        if text not in page:
            heading = re.sub(r"<[^>]+>", " ", sent.partition("<main")[2])[:300].split()
            self._seen.failed.append(f"lost {address}: {' '.join(heading)}")
        self._seen.written += 1
        return page


def _held(process: int) -> tuple[float, int]:
    """How much memory a process has, in MB, and how many files and connections it holds open."""
    status = Path(f"/proc/{process}/status").read_text()
    [kilobytes] = re.findall(r"VmRSS:\s+(\d+) kB", status)
    return int(kilobytes) / 1024, len(list(Path(f"/proc/{process}/fd").iterdir()))


async def _all(base: str, people: int, minutes: float, process: int) -> Seen:
    seen = Seen()
    start = time.monotonic()
    until = start + 60 * minutes

    async def one(number: int) -> None:
        async with httpx.AsyncClient(base_url=base, follow_redirects=True, timeout=30) as client:
            await Clicker(client, random.Random(number), seen).click(until)

    async def watch() -> None:
        while time.monotonic() < until:
            await asyncio.sleep(min(60 * minutes / 6, 600))
            memory, files = _held(process)
            passed = (time.monotonic() - start) / 60
            print(f"after {passed:.1f} min: {memory:.0f} MB, {files} open, {len(seen.seconds)} answers", flush=True)

    await asyncio.gather(watch(), *(one(number) for number in range(people)))
    return seen


def main() -> int:
    """Print what was seen; 1 where something failed."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.clicking", description=__doc__)
    asked.add_argument("--minutes", type=float, default=60.0)
    asked.add_argument("--people", type=int, default=20)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log, database = Path(folder) / "log", f"sqlite:///{folder}/office.db"
        command = [sys.executable, "-m", "reportflow.cli", "serve", "--port", "0", "--database", database]
        with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as server:
            try:
                while not (found := re.search(r"http://[^ ]+", log.read_text())):
                    time.sleep(0.1)
                seen = asyncio.run(_all(found[0], given.people, given.minutes, server.pid))
            finally:
                server.terminate()
    times = sorted(seen.seconds)
    print(f"{len(times)} answers, p95 {times[int(len(times) * 0.95)] * 1000:.0f} ms, statuses {dict(seen.statuses)}")
    print(f"{seen.written} comments; failed: {seen.failed or 'none'}")
    return bool(seen.failed)


if __name__ == "__main__":
    sys.exit(main())
