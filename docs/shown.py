"""The parts of files that pages show. ``python docs/shown.py`` writes them anew into the pages; then ``make format``.

A page says what it shows in the comment before it: ``<!--- from: path | start | end -->``. It shows the file from the
first line with `start` in it, and the decorators above that, up to the next line with `end` in it. Without `end` it
shows what begins there, up to the next two empty lines; with ``$`` the rest of the file.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(
    r"(<!--- from: (\S+) \| (.+?)(?: \| (.+?))? -->\n.*?```\w+\n)(.*?)(?=^```$)", re.DOTALL | re.MULTILINE
)


def part(path: str, start: str, end: str | None) -> str:
    """The part of a file.

    Raises:
        LookupError: no line has `start`, or none behind it has `end`.
    """
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    first = next((number for number, line in enumerate(lines) if start in line), None)
    if first is None:
        raise LookupError(f"{path} has no line with {start!r}")
    if end is None:
        last = next((n for n in range(first, len(lines)) if lines[n : n + 2] == ["", ""]), len(lines))
    elif end == "$":
        last = len(lines)
    else:
        last = next((n for n in range(first + 1, len(lines)) if end in lines[n]), -1)
    if last < 0:
        raise LookupError(f"{path} has no line with {end!r} behind {start!r}")
    while first and lines[first - 1].lstrip().startswith("@"):
        first -= 1
    return textwrap.dedent("\n".join(lines[first:last])).strip("\n") + "\n"


def shown(page: str) -> Iterator[tuple[str, str]]:
    """What a page shows of files: each as it stands there, and as the file has it."""
    for _, path, start, end, code in BLOCK.findall(page):
        yield code, part(path, start, end or None)


if __name__ == "__main__":
    for page in sorted((ROOT / "docs").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        page.write_text(BLOCK.sub(lambda found: found[1] + part(found[2], found[3], found[4]), text), encoding="utf-8")
