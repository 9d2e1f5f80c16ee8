"""The sentences of a text, and which of them stand in another one too: in moderate time, whatever the texts are."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final

#: The end of a sentence: its marks, closing quotes and the blanks behind it; a line ends one too.
_END: Final = re.compile(r"(?:[。！？；!?;\n]+[”’」』）)\"']*|\.(?=\s))\s*")
#: How many sentences a text has at the most; a longer one is taken in larger pieces.
_MOST: Final = 10_000
#: How many sentences on both sides, multiplied, are compared each with each.
_EACH_WITH_EACH: Final = 40_000

#: Whether two stretches are the same, and where they begin and end in both.
Run = tuple[bool, int, int, int, int]


def sentences(text: str) -> list[str]:
    """The sentences of a text, which joined are the text again; of a text of very many, larger pieces."""
    ends = [found.end() for found in _END.finditer(text)]
    ends = ends[:: len(ends) // _MOST + 1]
    places = [0, *ends] if ends and ends[-1] == len(text) else [0, *ends, len(text)]
    return [text[start:end] for start, end in pairwise(places) if start < end]


def matched(old: Sequence[str], new: Sequence[str]) -> list[Run]:
    """Stretches of sentences that are the same, and between them those that are not."""
    runs: list[Run] = []
    i = j = 0
    for a, b, size in [*_blocks(old, new), (len(old), len(new), 0)]:
        if i < a or j < b:
            runs.append((False, i, a, j, b))
        if size and runs and runs[-1][0]:
            _, i1, _, j1, _ = runs.pop()
            runs.append((True, i1, a + size, j1, b + size))
        elif size:
            runs.append((True, a, a + size, b, b + size))
        i, j = a + size, b + size
    return runs


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Where both have the same sentences: place in the old, in the new, how many; in order."""
    start, shorter = 0, min(len(old), len(new))
    while start < shorter and old[start] == new[start]:
        start += 1
    end = 0
    while end < shorter - start and old[-1 - end] == new[-1 - end]:
        end += 1
    if start:
        yield 0, 0, start
    i, j = start, start
    last = len(old) - end, len(new) - end
    for a, b in [*_anchors(old[start : last[0]], new[start : last[1]], start), last]:
        if 0 < (a - i) * (b - j) <= _EACH_WITH_EACH:
            for block in SequenceMatcher(None, old[i:a], new[j:b], autojunk=False).get_matching_blocks()[:-1]:
                yield i + block.a, j + block.b, block.size
        if (a, b) != last:
            yield a, b, 1
            i, j = a + 1, b + 1
    if end:
        yield *last, end


def _anchors(old: Sequence[str], new: Sequence[str], start: int) -> list[tuple[int, int]]:
    """The most sentences that stand once in both, in the same order (the longest increasing sequence)."""
    once_old, once_new = Counter(old), Counter(new)
    places = {text: place for place, text in enumerate(new)}
    pairs = [(i, places[text]) for i, text in enumerate(old) if once_old[text] == 1 == once_new[text]]
    tops: list[int] = []  # the last place of the best sequence of each length
    best: list[int] = []  # which pair that is
    before: list[int] = []  # which pair stands before a pair
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(tops, place)
        tops[length:] = [place, *tops[length + 1 :]] if length < len(tops) else [place]
        best[length : length + 1] = [number]
        before.append(best[length - 1] if length else -1)
    chain: list[tuple[int, int]] = []
    number = best[-1] if best else -1
    while number >= 0:
        chain.append((start + pairs[number][0], start + pairs[number][1]))
        number = before[number]
    return chain[::-1]
