"""The reports of the demonstration as texts: those that are written out in full, and the matters that others are of.

They lie in `texts/`, so that they can be read and corrected as an office would: blocks that begin with ``=== name``,
lines ``key: value``, and for a full text its paragraphs after ``text:``. In a full text ``{raw|edited}`` is what the
contributor wrote and what the editor made of it. In a matter ``{p}`` is the place and ``<3-9>`` a number between two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from random import Random
from typing import Final, NamedTuple

from reportflow.demo.vocabulary import REGIONS

_CHOICE: Final = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")
_NUMBER: Final = re.compile(r"<(\d+)-(\d+)>")


class FullText(NamedTuple):
    """A report that is written out.

    Attributes:
        name: Of the block.
        title: The contributor's, and the editor's.
        text: The contributor's, and the editor's.
        authors: The names of its authors, the first one hands it in.
        topic: What it is about.
        month: The month in which it arrives.
        earliest: The first day of that month on which it may arrive: after what it speaks of.
        end: What becomes of it, one of `reportflow.demo.plan.ENDS`.
        matter: The matter of the reports that are merged into it, or "".
        combine: How many are merged into it.
        events: What happens to it further, in order: key and parts.
    """

    name: str
    title: tuple[str, str]
    text: tuple[str, str]
    authors: tuple[str, ...]
    topic: str
    month: int
    earliest: int
    end: str
    matter: str
    combine: int
    events: tuple[tuple[str, tuple[str, ...]], ...]

    def has(self, key: str) -> bool:
        """Whether something of this key happens to it."""
        return any(one == key for one, _ in self.events)


class Matter(NamedTuple):
    """What many reports are about, each from another place.

    Attributes:
        name: Of the block.
        topic: One of the topics that figures count.
        department: Which department handles it.
        places: Where it is found.
        months: When it is written about; empty for all the year.
        titles: The contributors' titles, with ``{p}``.
        edited: The editors' titles.
        facts: Two findings, with ``{p}``.
        problems: Three problems.
        advice: One suggestion for each problem.
        wish: What contributors ask for, before it is edited.
        uptake: What a department did, or "".
    """

    name: str
    topic: str
    department: str
    places: tuple[str, ...]
    months: frozenset[int]
    titles: tuple[str, ...]
    edited: tuple[str, ...]
    facts: tuple[str, ...]
    problems: tuple[str, ...]
    advice: tuple[str, ...]
    wish: str
    uptake: str

    def at(self, place: str, rng: Random) -> Matter:
        """The matter in one place, with its numbers drawn."""

        def filled(text: str) -> str:
            drawn = _NUMBER.sub(lambda found: str(rng.randint(int(found[1]), int(found[2]))), text)
            return drawn.replace("{p}", place)

        return self._replace(
            titles=tuple(map(filled, self.titles)),
            facts=tuple(map(filled, self.facts)),
            problems=tuple(map(filled, self.problems)),
        )


@cache
def full_texts() -> tuple[FullText, ...]:
    """The reports that are written out, in the order of the files."""
    return tuple(_full(name, pairs, text) for name, pairs, text in _blocks("full"))


@cache
def matters() -> tuple[Matter, ...]:
    """The matters of the other reports."""
    return tuple(_matter(name, dict(pairs)) for name, pairs, _ in _blocks("matters"))


def _blocks(folder: str) -> Iterator[tuple[str, list[tuple[str, str]], str]]:
    """The blocks of a folder: name, pairs of key and value, and the text."""
    for file in sorted(files("reportflow.demo").joinpath("texts", folder).iterdir(), key=lambda one: one.name):
        for block in file.read_text("utf-8").split("=== ")[1:]:
            head, _, text = block.partition("\ntext:\n")
            name, *lines = head.strip().splitlines()
            pairs = [(key, value.strip()) for key, _, value in (line.partition(":") for line in lines)]
            yield name, pairs, text.strip()


def _both(text: str) -> tuple[str, str]:
    return _CHOICE.sub(r"\1", text), _CHOICE.sub(r"\2", text)


def _full(name: str, pairs: list[tuple[str, str]], text: str) -> FullText:
    facts = dict(pairs)
    named = {"title", "by", "topic", "month", "from", "end", "matter", "combine"}
    return FullText(
        name=name,
        title=_both(facts["title"]),
        text=_both(text),
        authors=tuple(facts["by"].split("、")),
        topic=facts["topic"],
        month=int(facts["month"]),
        earliest=int(facts.get("from", 2)),
        end=facts["end"],
        matter=facts.get("matter", ""),
        combine=int(facts.get("combine", 0)),
        events=tuple((key, tuple(value.split(" | "))) for key, value in pairs if key not in named),
    )


def _matter(name: str, facts: dict[str, str]) -> Matter:
    def parts(key: str) -> tuple[str, ...]:
        return tuple(facts[key].split("；"))

    places = tuple(dict.fromkeys(place for region in facts["places"].split() for place in REGIONS[region]))
    return Matter(
        name=name,
        topic=facts["topic"],
        department=facts["to"],
        places=places,
        months=frozenset(map(int, facts.get("months", "").split())),
        titles=parts("T"),
        edited=parts("E"),
        facts=parts("S"),
        problems=parts("P"),
        advice=parts("A"),
        wish=facts["W"],
        uptake=facts.get("U", ""),
    )
