"""Lines of a width in cells of a terminal, where a Chinese character takes two: for the help of click. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

#: What does not begin a line, nor end one.
_CLOSING: Final = "，。；：、！？）》”’】.,;:!?)"
_OPENING: Final = "（《“‘【("
_WIDE: Final = "⺀-鿿豈-﫿︰-﹏！-｠“”‘’…"
#: A wide character with what must stand beside it, a word with the blanks behind it, or some blanks.
_UNIT: Final = re.compile(f"[{_OPENING}]*(?:[{_WIDE}]|[^\\s{_WIDE}]+)[{_CLOSING}]*\\s*|\\s+")


def wrapped(text: str, width: int) -> list[str]:
    """A text as lines of at most so many cells; a word that is longer stands by itself."""
    lines = [""]
    for unit in _UNIT.findall(" ".join(text.split())):
        if lines[-1] and cell_len(lines[-1]) + cell_len(unit.rstrip()) > width:
            lines.append("")
        lines[-1] += unit
    return [line.rstrip() for line in lines]


def columns(rows: Sequence[tuple[str, str]], indent: int, width: int, most: int = 30, apart: int = 2) -> str:
    """Names and what they mean in two columns; a name that is too wide has a line of its own."""
    widest = max((cell_len(name) for name, _ in rows), default=0)
    first = min(widest, most) + apart
    room = max(width - first - indent, 10)
    made = []
    for name, meaning in rows:
        lines = wrapped(meaning, room) if meaning else []
        margin = " " * (first + indent)
        head = " " * indent + name
        if lines and cell_len(name) <= first - apart:
            head += " " * (first - cell_len(name)) + lines.pop(0)
        made += [head, *(margin + line for line in lines)]
    return "".join(line.rstrip() + "\n" for line in made)
