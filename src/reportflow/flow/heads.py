"""The heads of all records as lines of text, to be kept elsewhere, and a file of such lines read again.

Theory of operation. A chain in a database has no secret: a person who may write there can rewrite it from some entry
on. But a head that was written down elsewhere stands for all entries up to it, so the noted version must lead to that
head for ever. A file of heads has a line with the form, one line a record in the order of the ids, and a last line with
their number and the *root*: the SHA-256 of all bytes of the file before its digits. The root alone, on paper, holds the
file; ``head -c -65 FILE | sha256sum`` computes it again.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from reportflow.errors import InvalidValue

#: The first line. A later form has another number.
FORMAT: Final = "reportflow/heads/1"

_LINE: Final = re.compile(r'("(?:[^"\\]|\\.)*")\t([1-9][0-9]{0,9})\t([0-9a-f]{64})\n')
_ROOT: Final = re.compile(r"root\t(0|[1-9][0-9]*)\t([0-9a-f]{64})\n")
#: Longer lines are none of ours: they would have to be held in memory to be refused.
_LONGEST: Final = 1_000_000

#: A path, as `open` takes it.
FilePath = str | os.PathLike[str]


class NotedHead(NamedTuple):
    """The version and head that a record had when they were written down."""

    id: str
    version: int
    head: str


class HeadsWriter:
    """Writes the lines of one file of heads, each with its line end, and hashes them on the way."""

    def __init__(self) -> None:
        self._hash = sha256()
        self._number = 0

    def first(self) -> str:
        """The line with the form."""
        return self._hashed(f"{FORMAT}\n")

    def line(self, noted: NotedHead) -> str:
        """The line of a record. Its id is written as JSON in ASCII, so that any id survives."""
        self._number += 1
        return self._hashed(f"{json.dumps(noted.id)}\t{noted.version}\t{noted.head}\n")

    def last(self) -> str:
        """The line with the root."""
        begin = self._hashed(f"root\t{self._number}\t")
        return f"{begin}{self._hash.hexdigest()}\n"

    def _hashed(self, text: str) -> str:
        self._hash.update(text.encode())
        return text


def read_heads(path: FilePath) -> Iterator[NotedHead]:
    """The heads that a file notes, one by one. What is wrong with the end of the file is known at the end only.

    Raises:
        InvalidValue: the file cannot be read, is none of heads, or was altered or cut; names the line.
    """
    name = os.fspath(path)
    try:
        with open(name, encoding="utf-8", newline="\n", errors="surrogateescape") as lines:
            yield from _read(name, iter(lambda: lines.readline(_LONGEST), ""))
    except InvalidValue:
        raise
    except (OSError, ValueError) as error:  # the latter of a path with NUL in it
        given = getattr(error, "strerror", None) or str(error)
        raise InvalidValue("against", "heads_unreadable", {"path": repr(name), "given": given}) from error


def _read(name: str, lines: Iterator[str]) -> Iterator[NotedHead]:
    if next(lines, "") != f"{FORMAT}\n":
        raise InvalidValue("against", "heads_form", {"path": name, "form": FORMAT})
    writer, number, before = HeadsWriter(), 1, b""
    writer.first()
    for number, text in enumerate(lines, 2):
        if _ROOT.fullmatch(text) is not None:
            if text != writer.last():
                raise InvalidValue("against", "heads_root", _at(name, number))
            if next(lines, ""):
                raise InvalidValue("against", "heads_behind", _at(name, number + 1))
            return
        found = _LINE.fullmatch(text)
        if found is None:
            raise InvalidValue("against", "heads_line", _at(name, number))
        noted = _noted(name, number, found)
        if number > 2 and not before < order_key(noted.id):
            raise InvalidValue("against", "heads_order", _at(name, number))
        before = order_key(noted.id)
        writer.line(noted)
        yield noted
    raise InvalidValue("against", "heads_cut", _at(name, number))


def _noted(name: str, number: int, found: re.Match[str]) -> NotedHead:
    try:
        return NotedHead(json.loads(found[1]), int(found[2]), found[3])
    except ValueError:
        raise InvalidValue("against", "heads_line", _at(name, number)) from None


def _at(name: str, line: int) -> dict[str, object]:
    return {"path": name, "line": line}


def order_key(id: str) -> bytes:
    """By what ids are in order: their code points, and the bytes themselves where an altered id is no UTF-8."""
    try:
        return id.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return id.encode("utf-8", "surrogatepass")
