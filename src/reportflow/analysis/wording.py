"""What two texts differ in, as an editor reads it, and what a third one becomes of two that were written at once.

A text is compared twice. First sentence by sentence: what stands in both stays, and a sentence that stands elsewhere
was moved. Then, where sentences were replaced by some that are like them, token by token: a character of Chinese, a
word or number of other scripts. Between two changes a single equal character is no help to a reader, so it counts as
changed. Sentences that have little in common are shown as a whole, one instead of the other.

All of it is pure, and bounded: what would take too long is compared in coarser steps.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import Final, Literal, NamedTuple

from reportflow.analysis.sentences import matched, sentences

#: ``same`` stands in both texts; ``added`` and ``moved`` only in the new one; ``removed`` and ``moved_away`` only in
#: the old one. What was moved stands in both, at different places.
Kind = Literal["same", "added", "removed", "moved", "moved_away"]

OF_OLD: Final[frozenset[Kind]] = frozenset({"same", "removed", "moved_away"})
OF_NEW: Final[frozenset[Kind]] = frozenset({"same", "added", "moved"})

_CJK: Final = "\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN: Final = re.compile(rf"\d+(?:[.,]\d+)+|[{_CJK}]|[^\W{_CJK}]+|\s+|.", re.DOTALL)
#: From which likeness on sentences are compared by tokens.
_ALIKE: Final = 0.5
#: How many characters of a run of sentences are compared by tokens at the most.
_LONGEST: Final = 4_000
#: How many comparisons one call makes at the most, roughly.
_EFFORT: Final = 1_500_000
#: A sentence of fewer characters is never said to be moved.
_SHORTEST_MOVED: Final = 4


class Span(NamedTuple):
    """A part of one text, or of both.

    Attributes:
        kind: Of which text it is a part.
        text: What it says, never blank of characters.
    """

    kind: Kind
    text: str


class Summary(NamedTuple):
    """How many sentences a new text changed, added, removed and moved."""

    changed: int
    added: int
    removed: int
    moved: int


class Clash(NamedTuple):
    """Sentences that both changed, each in another way."""

    mine: str
    theirs: str


class Merged(NamedTuple):
    """A text that two made of one.

    Attributes:
        text: With the changes of both; where they clash, with mine.
        clashes: Where they clash, in the order of the text.
    """

    text: str
    clashes: tuple[Clash, ...]


def old_text(spans: Iterable[Span]) -> str:
    """The old text of some differences."""
    return "".join(span.text for span in spans if span.kind in OF_OLD)


def new_text(spans: Iterable[Span]) -> str:
    """The new text of some differences."""
    return "".join(span.text for span in spans if span.kind in OF_NEW)


def differences(old: str, new: str) -> tuple[Span, ...]:
    """What two texts differ in.

    Returns:
        Parts such that `old_text` of them is the old text, and `new_text` the new one; two neighbours are never of one
        kind. What was removed stands before what was added in its place.
    """
    if old == new:
        return (Span("same", old),) if old else ()
    return tuple(_joined(_Comparison(sentences(old), sentences(new)).spans()))


def summary(spans: Sequence[Span]) -> Summary:
    """How many sentences changed, were added, removed and moved.

    A change of blanks alone is none.
    """
    old, new = _Side(spans, OF_OLD), _Side(spans, OF_NEW)
    changed = set(new.mixed())
    alone = 0  # sentences from which something was removed and that are otherwise as they were
    for number in old.mixed():
        kept = {new.number_at(place) for place in old.kept_in(number)}
        alone += not kept & changed
    return Summary(
        len(changed) + alone, new.whole("added"), old.whole("removed"), max(new.whole("moved"), old.whole("moved_away"))
    )


def merge(base: str, mine: str, theirs: str) -> Merged:
    """The text that two people made of one at the same time, by sentences.

    What only one of them changed is as they wrote it. Where both changed the same sentences in different ways, or both
    wrote something at the same place, mine stays, and theirs is a clash.
    """
    parts = sentences(base)
    hunks = sorted(
        [(*hunk, 0) for hunk in _hunks(parts, sentences(mine))]
        + [(*hunk, 1) for hunk in _hunks(parts, sentences(theirs))],
        key=lambda hunk: (hunk[0], hunk[1]),
    )
    written: list[str] = []
    clashes: list[Clash] = []
    place = at = 0
    while at < len(hunks):
        start, end = hunks[at][:2]
        group = [hunks[at]]
        while at + len(group) < len(hunks) and _touches(group[-1], end, hunks[at + len(group)]):
            group.append(hunks[at + len(group)])
            end = max(end, group[-1][1])
        at += len(group)
        ours, others = (_applied(parts, start, end, [hunk for hunk in group if hunk[3] == side]) for side in (0, 1))
        sides = {hunk[3] for hunk in group}
        written += [*parts[place:start], others if sides == {1} else ours]
        if len(sides) == 2 and ours != others:
            clashes.append(Clash(ours, others))
        place = end
    return Merged("".join([*written, *parts[place:]]), tuple(clashes))


#: In place of base sentences from one place to another stand these; whose.
_Hunk = tuple[int, int, list[str], int]


def _hunks(base: list[str], other: list[str]) -> Iterator[tuple[int, int, list[str]]]:
    for same, i1, i2, j1, j2 in matched(base, other):
        if not same:
            yield i1, i2, other[j1:j2]


def _touches(last: _Hunk, end: int, hunk: _Hunk) -> bool:
    """Whether a hunk concerns the same sentences as those before it, or the same place between two."""
    return hunk[0] < end or (hunk[0] == end and (hunk[0] == hunk[1] or last[0] == last[1]))


def _applied(base: list[str], start: int, end: int, hunks: list[_Hunk]) -> str:
    """The base from one sentence to another, as one person left it."""
    written: list[str] = []
    for first, last, content, _ in hunks:
        written += [*base[start:first], *content]
        start = last
    return "".join([*written, *base[start:end]])


# -- differences --------------------------------------------------------------------------------------------------


class _Comparison:
    """One comparison of two texts, and the effort that is left for it."""

    def __init__(self, old: list[str], new: list[str]) -> None:
        self._old, self._new = old, new
        self._runs = matched(old, new)
        self._effort = _EFFORT
        gone: dict[str, list[int]] = {}
        come: dict[str, list[int]] = {}
        for number, (same, i1, i2, j1, j2) in enumerate(self._runs):
            for where, some in () if same else ((gone, old[i1:i2]), (come, new[j1:j2])):
                for one in some:
                    where.setdefault(one.strip(), []).append(number)
        # one that stands several times might be any of them; one that stays in its run changed its blanks
        self._moved = {
            text
            for text, runs in gone.items()
            if len(text) >= _SHORTEST_MOVED and len(runs) == 1 == len(come.get(text, ())) and runs != come[text]
        }

    def spans(self) -> Iterator[Span]:
        for same, i1, i2, j1, j2 in self._runs:
            if same:
                yield Span("same", "".join(self._old[i1:i2]))
            else:
                yield from self._changed(self._old[i1:i2], self._new[j1:j2])

    def _changed(self, old: list[str], new: list[str]) -> Iterator[Span]:
        """A run of sentences in place of others."""
        if not any(one.strip() in self._moved for one in [*old, *new]):
            tokens = self._by_tokens("".join(old), "".join(new))
            if tokens is not None:
                yield from tokens
                return
        i = j = 0
        for a, b in [*self._alike(old, new), (len(old), len(new))]:
            yield from (self._whole(one, "removed") for one in old[i:a])
            yield from (self._whole(one, "added") for one in new[j:b])
            if a < len(old) and b < len(new):
                pair = self._by_tokens(old[a], new[b])
                yield from pair if pair is not None else [Span("removed", old[a]), Span("added", new[b])]
            i, j = a + 1, b + 1

    def _whole(self, sentence: str, kind: Literal["added", "removed"]) -> Span:
        if sentence.strip() in self._moved:
            return Span("moved" if kind == "added" else "moved_away", sentence)
        return Span(kind, sentence)

    def _alike(self, old: list[str], new: list[str]) -> list[tuple[int, int]]:
        """Pairs of sentences that are like each other, in order: those with the most likeness in all."""
        cost = sum(map(len, old)) * len(new) + sum(map(len, new)) * len(old)
        if (len(old) < 2 and len(new) < 2) or not self._can_afford(cost):
            return []
        tokens = [[Counter(_TOKEN.findall(one)) for one in side] for side in (old, new)]
        best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
        likeness: dict[tuple[int, int], float] = {}
        for i in reversed(range(len(old))):
            for j in reversed(range(len(new))):
                is_moved = old[i].strip() in self._moved or new[j].strip() in self._moved
                alike = 0.0 if is_moved else _likeness(tokens[0][i], tokens[1][j])
                likeness[i, j] = alike if alike >= _ALIKE else 0.0
                best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + likeness[i, j])
        pairs = []
        i = j = 0
        while i < len(old) and j < len(new):
            if best[i][j] == best[i + 1][j]:
                i += 1
            elif best[i][j] == best[i][j + 1]:
                j += 1
            else:
                pairs.append((i, j))
                i, j = i + 1, j + 1
        return pairs

    def _by_tokens(self, old: str, new: str) -> list[Span] | None:
        """Two texts compared by tokens; None where they have little in common, or it would take too long."""
        if not old or not new or max(len(old), len(new)) > _LONGEST:
            return None
        before, after = _TOKEN.findall(old), _TOKEN.findall(new)
        counts = Counter(before), Counter(after)
        cost = sum(number * counts[1][one] for one, number in counts[0].items()) + 10 * (len(before) + len(after))
        if _likeness(*counts) < _ALIKE or not self._can_afford(cost):
            return None
        matcher = SequenceMatcher(None, before, after, autojunk=False)
        if matcher.ratio() < _ALIKE:
            return None
        return list(_without_islands(matcher.get_opcodes(), before, after))

    def _can_afford(self, cost: int) -> bool:
        if cost > self._effort:
            return False
        self._effort -= cost
        return True


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    """How much two bags of tokens have in common, from 0 to 1, with the weight of their characters."""
    shared = sum(min(number, other[token]) * len(token) for token, number in one.items() if not token.isspace())
    every = sum(number * len(token) for bag in (one, other) for token, number in bag.items() if not token.isspace())
    return 2 * shared / every if every else 1.0


def _without_islands(
    opcodes: Sequence[tuple[str, int, int, int, int]], old: list[str], new: list[str]
) -> Iterator[Span]:
    """The parts of two lists of tokens; a single equal character between two changes belongs to them."""
    removed = added = ""
    for number, (kind, i1, i2, j1, j2) in enumerate(opcodes):
        same = "".join(old[i1:i2])
        is_island = 0 < number < len(opcodes) - 1 and len(same) < 2 and (same.isalnum() or same == " ")
        if kind != "equal" or is_island:
            removed, added = removed + same, added + "".join(new[j1:j2])
            continue
        yield from _pair(removed, added)
        removed = added = ""
        yield Span("same", same)
    yield from _pair(removed, added)


def _pair(removed: str, added: str) -> list[Span]:
    both: tuple[tuple[Kind, str], ...] = (("removed", removed), ("added", added))
    return [Span(kind, text) for kind, text in both if text]


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """The spans with neighbours of one kind as one; what is of the old text alone before what is of the new alone."""
    for is_same, run in groupby(spans, key=lambda span: span.kind == "same"):
        every = list(run)
        sides = [every] if is_same else [[one for one in every if one.kind in kinds] for kinds in (OF_OLD, OF_NEW)]
        for side in sides:
            for _, run_of_kind in groupby(side, key=lambda span: span.kind):
                first, *rest = run_of_kind
                yield Span(first.kind, "".join([first.text, *(span.text for span in rest)]))


# -- counting ----------------------------------------------------------------------------------------------------


class _Side:
    """One of the two texts: its sentences, and which kinds each consists of."""

    def __init__(self, spans: Sequence[Span], kinds: frozenset[Kind]) -> None:
        text = "".join(span.text for span in spans if span.kind in kinds)
        self._starts: list[int] = []
        place = 0
        for one in sentences(text):
            self._starts.append(place)
            place += len(one)
        self._kinds: list[set[Kind]] = [set() for _ in self._starts]
        self._kept: list[list[int]] = [[] for _ in self._starts]
        own = other = 0
        for span in spans:
            if span.kind in kinds:
                self._note(span, own, other)
                own += len(span.text)
            if span.kind == "same" or span.kind not in kinds:
                other += len(span.text)

    def _note(self, span: Span, own: int, other: int) -> None:
        first, last = self.number_at(own), self.number_at(own + len(span.text) - 1)
        for number in range(first, last + 1):
            start = max(self._starts[number], own)
            end = self._starts[number + 1] if number + 1 < len(self._starts) else own + len(span.text)
            if span.text[start - own : end - own].strip():
                self._kinds[number].add(span.kind)
            if span.kind == "same":
                self._kept[number].append(other + start - own)

    def number_at(self, place: int) -> int:
        """Which sentence stands at a place."""
        return bisect_right(self._starts, place) - 1

    def mixed(self) -> list[int]:
        """The sentences of which a part is as it was, or that consist of several kinds."""
        return [number for number, kinds in enumerate(self._kinds) if len(kinds) > 1]

    def kept_in(self, number: int) -> list[int]:
        """Where in the other text the parts of a sentence stand that are the same."""
        return self._kept[number]

    def whole(self, kind: Kind) -> int:
        """How many sentences are of one kind only."""
        return sum(kinds == {kind} for kinds in self._kinds)
