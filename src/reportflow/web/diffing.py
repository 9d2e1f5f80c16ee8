"""Differences of two texts as HTML: in one text, side by side; also for readers who see no colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from markupsafe import Markup

from reportflow.analysis.wording import OF_NEW, OF_OLD, Kind, Span, differences, summary
from reportflow.web.markup import element, joined
from reportflow.web.words import Words

#: How a part is shown: its element, its class, and the code of the words before it that are read aloud.
_SHOWN: Final[dict[Kind, tuple[str, str | None, str]]] = {
    "added": ("ins", None, "record.added"),
    "removed": ("del", None, "record.removed"),
    "moved": ("ins", "moved", "record.moved"),
    "moved_away": ("del", "moved", "record.moved_away"),
}
#: Unchanged paragraphs are folded where they have at least so many characters in all.
_FOLDED: Final = 200


class _Paragraph(NamedTuple):
    """A paragraph of both texts: its parts, each with its kind."""

    parts: tuple[Span, ...]

    @property
    def is_same(self) -> bool:
        return all(part.kind == "same" for part in self.parts)

    @property
    def length(self) -> int:
        return sum(len(part.text) for part in self.parts)


def diff_markup(old: str, new: str, t: Words) -> Markup:
    """Two texts as one: what was removed is struck, what was added underlined; long unchanged stretches are folded.

    Args:
        old: The text before.
        new: The text after.
        t: The words of the reader's language.
    """
    return inline(differences(old, new), t)


def inline(spans: Iterable[Span], t: Words) -> Markup:
    """The same of differences that are known already."""
    every = list(_paragraphs(list(spans)))
    written: list[Markup] = []
    place = 0
    for is_same, group in groupby(every, key=lambda one: one.is_same):
        some = list(group)
        before, after = int(place > 0), int(place + len(some) < len(every))  # beside a change, one paragraph is shown
        place += len(some)
        hidden = some[before : len(some) - after]
        if is_same and len(hidden) > 0 and len(every) > len(some) and sum(one.length for one in hidden) >= _FOLDED:
            folded = element("summary", None, t("record.unchanged", number=len(hidden)))
            shown = [_written(one, t) for one in some[:before]]
            shown += [element("details", {"class": "same"}, folded, *(_written(one, t) for one in hidden))]
            written += [*shown, *(_written(one, t) for one in some[len(some) - after :])]
        else:
            written += [_written(one, t) for one in some]
    return joined(written)


def sides(old: str, new: str, t: Words) -> Markup:
    """Two texts side by side: in the one what was removed is struck, in the other what was added is underlined."""
    return beside(differences(old, new), t)


def beside(spans: Iterable[Span], t: Words) -> Markup:
    """The same of differences that are known already."""
    every = list(spans)
    columns = []
    for kinds, heading in ((OF_OLD, "record.before"), (OF_NEW, "record.after")):
        own = _paragraphs([one for one in every if one.kind in kinds])
        columns.append(
            element("section", None, element("h2", {"class": "soft"}, t(heading)), *(_written(one, t) for one in own))
        )
    return element("div", {"class": "sides"}, *columns)


def summary_text(spans: Sequence[Span], t: Words) -> str:
    """How much changed: "3 sentences changed, 1 added"."""
    counts = summary(spans)
    several = [
        t(f"record.sum_{name}", number=number) for name, number in counts._asdict().items() if number
    ]  # fmt: skip
    return t("record.comma").join(several) if several else t("record.sum_none")


def _paragraphs(spans: list[Span]) -> Iterator[_Paragraph]:
    """The paragraphs of differences, one a line; a line end that only changed its sentence ends one paragraph."""
    parts: list[Span] = []
    for number, (kind, text) in enumerate(spans):
        following = spans[number + 1] if number + 1 < len(spans) else None
        ends_again = following is not None and kind in ("removed", "moved_away") and following.kind in OF_NEW - {"same"}
        if ends_again and following is not None and text.endswith("\n") and following.text.endswith("\n"):
            text = text.rstrip("\n")
        if not text.strip() and "\n" in text and kind != "same":
            parts.append(Span(kind, "¶"))
        lines = text.split("\n")
        for place, line in enumerate(lines):
            if line:
                parts.append(Span(kind, line))
            if place < len(lines) - 1 and any(part.text.strip() for part in parts):
                yield _Paragraph(tuple(parts))
                parts = []
    if any(part.text.strip() for part in parts):
        yield _Paragraph(tuple(parts))


def _written(paragraph: _Paragraph, t: Words) -> Markup:
    return element("p", None, *(_part(part, t) for part in paragraph.parts))


def _part(part: Span, t: Words) -> Markup | str:
    if part.kind == "same":
        return part.text
    tag, own, code = _SHOWN[part.kind]
    return element(tag, {"class": own}, element("span", {"class": "visually-hidden"}, t(code)), part.text)
