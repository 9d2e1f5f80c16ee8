"""Two texts compared by sentences, and inside a sentence by characters or words, readable without colour. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, Literal, NamedTuple

Kind = Literal["same", "gone", "new"]

_SENTENCE: Final = re.compile(r"[^。！？；!?;\n]*[。！？；!?;\n]+|[^。！？；!?;\n]+")
#: One Han character, a run of letters and figures, a run of blanks, or one other character.
_TOKEN: Final = re.compile(r"[㐀-鿿豈-﫿]|[^\W㐀-鿿豈-﫿]+|\s+|.", re.DOTALL)
#: From which likeness on two sentences are shown as one that was changed.
_ALIKE: Final = 0.5
#: Longer stretches are compared as a whole: the time for parts grows with the square.
_LONGEST: Final = 4000
#: Equal stretches of at most so many characters between two changes are shown as changed too.
_ISLAND: Final = 1


class Piece(NamedTuple):
    """A stretch of two texts: in both, in the old one only, or in the new one only."""

    kind: Kind
    text: str


def compare(old: str, new: str) -> list[Piece]:
    """The stretches by which an old text becomes a new one."""
    pieces: list[Piece] = []
    before, after = _SENTENCE.findall(old), _SENTENCE.findall(new)
    for kind, a, b in _blocks(before, after):
        if kind == "equal":
            pieces.append(Piece("same", a))
        else:
            pieces += _replaced(a, b)
    return _merged(pieces)


def changed_sentences(old: str, new: str) -> int:
    """How many sentences of a new text are changed or added, or were left out where more are missing."""
    before, after = _SENTENCE.findall(old), _SENTENCE.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return sum(max(b - a, d - c) for kind, a, b, c, d in matcher.get_opcodes() if kind != "equal")


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        yield kind, "".join(old[a:b]), "".join(new[c:d])


def _replaced(old: str, new: str) -> list[Piece]:
    whole = [Piece("gone", old), Piece("new", new)]
    if not old or not new or len(old) + len(new) > _LONGEST:
        return whole
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    if SequenceMatcher(None, before, after, autojunk=False).ratio() < _ALIKE:
        return whole
    found: list[Piece] = []
    for kind, a, b in _blocks(before, after):
        island = kind == "equal" and len(a) <= _ISLAND and a.isalnum() and bool(found) and found[-1].kind != "same"
        found += [Piece("same", a)] if kind == "equal" and not island else [Piece("gone", a), Piece("new", b)]
    return found


def _merged(pieces: Sequence[Piece]) -> list[Piece]:
    """The same with neighbours of one kind joined; of a run of changes what is gone stands first."""
    made: list[Piece] = []
    gone = new = ""
    for one in (*pieces, Piece("same", "")):
        if one.kind == "gone":
            gone += one.text
        elif one.kind == "new":
            new += one.text
        else:
            for kind, several in (("gone", gone), ("new", new)):
                if several:
                    made.append(Piece(kind, several))  # type: ignore[arg-type]  # one of the kinds above
            gone = new = ""
            if one.text:
                if made and made[-1].kind == "same":
                    made[-1] = Piece("same", made[-1].text + one.text)
                else:
                    made.append(one)
    return made
