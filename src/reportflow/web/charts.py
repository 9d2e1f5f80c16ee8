"""Charts as SVG, made on the server: labels and numbers in, an element out.

They carry no style of their own: colours are those of the stylesheet, so that they are read in the dark and in print.
Each one has its title as its name for people who do not see it; its table stands beside it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import log10
from typing import Final, NamedTuple

from markupsafe import Markup

from reportflow.web.markup import element, joined

#: How wide a Latin letter is, in the height of the font; a Chinese one is as wide as high.
_LATIN: Final = 0.56
_MORE: Final = "…"


class Stage(NamedTuple):
    """A stage of a funnel.

    Attributes:
        label: What it is called.
        number: How many.
        text: What is written on it: the number, perhaps with its share.
    """

    label: str
    number: int
    text: str


class Series(NamedTuple):
    """The numbers of one thing, one for each place of a chart's axis."""

    label: str
    numbers: Sequence[int]


# -- text --------------------------------------------------------------------------------------------------------------


def width_of(text: str) -> float:
    """About how wide a text is, in the height of its font."""
    return sum(1 if unicodedata.east_asian_width(one) in "WF" else _LATIN for one in text)


def lines_of(text: str, width: float, most: int = 2) -> list[str]:
    """A text in lines that are not wider than `width`, in the height of its font.

    Latin text breaks between words, where that is possible, and Chinese anywhere. What does not go into the last line
    is cut, and ends in "…".
    """
    lines = [""]
    for word in _words(text):
        if lines[-1] and width_of(lines[-1] + word.rstrip()) > width:
            lines.append("")
        lines[-1] += word if lines[-1] else word.lstrip()
        while width_of(lines[-1].rstrip()) > width and len(lines[-1]) > 1:
            cut = _fitting(lines[-1], width)
            lines[-1:] = [lines[-1][:cut], lines[-1][cut:]]
    lines = [line for line in lines if line.strip()] or [""]
    if len(lines) > most:
        last = lines[most - 1] + lines[most]  # a line ends with the blank behind its last word
        lines[most - 1 :] = [last[: _fitting(last, width - 1)].rstrip() + _MORE]
    return [line.strip() for line in lines]


def _words(text: str) -> Iterable[str]:
    """The parts of a text between which a line may end, each with the blank behind it."""
    word = ""
    for one in text:
        wide = unicodedata.east_asian_width(one) in "WF"
        if wide and word and not unicodedata.category(one).startswith("P"):
            yield word
            word = ""
        word += one
        if one.isspace():
            yield word
            word = ""
    if word:
        yield word


def _fitting(text: str, width: float) -> int:
    """How many characters from the start go into a width; at least one."""
    place = 0
    while place < len(text) and width_of(text[: place + 1]) <= width:
        place += 1
    return max(1, place)


def text_lines(lines: Sequence[str], x: float, y: float, size: float, **attributes: object) -> Markup:
    """Lines of text below each other, the first with its foot at `y`."""
    given = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    return joined(
        element("text", {"x": f"{x:g}", "y": f"{y + place * size * 1.25:g}", "font-size": f"{size:g}", **given}, line)
        for place, line in enumerate(lines)
    )


def picture(title: str, width: float, height: float, *content: object, kind: str = "chart") -> Markup:
    """An SVG with its name."""
    attributes = {
        "class": kind,
        "viewBox": f"0 0 {width:g} {height:g}",
        "width": f"{width:g}",
        "height": f"{height:g}",
        "role": "img",
        "aria-label": title,
    }
    # a picture is one thing to those who do not see it: what is inside has no part in the page's text
    return element("svg", attributes, element("title", None, title), element("g", {"aria-hidden": "true"}, *content))


def _rect(x: float, y: float, width: float, height: float, kind: str, *content: object) -> Markup:
    places = {"x": f"{x:g}", "y": f"{y:g}", "width": f"{width:g}", "height": f"{height:g}"}
    return element("rect", {**places, "class": kind}, *content)


# -- charts ------------------------------------------------------------------------------------------------------------


def bar(number: float, most: float) -> Markup:
    """A bar in a row of a table, as long as its share of the longest one; the number stands beside it."""
    length = 100 * number / most if most > 0 else 0
    content = _rect(0, 0, max(length, 0.5 if number else 0), 10, "bar-1")
    attributes = {"class": "bar", "viewBox": "0 0 100 10", "preserveAspectRatio": "none", "aria-hidden": "true"}
    return element("svg", attributes, content)


_LEFT: Final = 190
_RIGHT: Final = 690


def funnel(title: str, stages: Sequence[Stage]) -> Markup:
    """Stages below each other, each a bar in the middle, as wide as its share of the largest one."""
    most = max((stage.number for stage in stages), default=0) or 1
    middle, room, step, thick = (_LEFT + _RIGHT - 120) / 2, _RIGHT - 120 - _LEFT, 46, 30
    halves = [max(1.0, room * stage.number / most / 2) for stage in stages]
    parts: list[object] = []
    for place, (one, after) in enumerate(pairwise(halves)):
        top = 8 + place * step + thick
        points = ((middle - one, top), (middle + one, top), (middle + after, top + step - thick),
                  (middle - after, top + step - thick))  # fmt: skip
        parts.append(element("polygon", {"class": "between", "points": _points(points)}))
    for place, (stage, half) in enumerate(zip(stages, halves, strict=True)):
        top = 8 + place * step
        lines = lines_of(stage.label, (_LEFT - 16) / 14)
        parts.append(_rect(middle - half, top, 2 * half, thick, "bar-1"))
        parts.append(text_lines(lines, _LEFT - 12, top + 20 - 9 * (len(lines) - 1), 14, text_anchor="end"))
        parts.append(text_lines([stage.text], _RIGHT - 112, top + 20, 14))
    return picture(title, _RIGHT, 16 + max(0, (len(stages) - 1) * step + thick), *parts, kind="chart funnel")


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def columns(title: str, places: Sequence[str], series: Sequence[Series]) -> Markup:
    """Columns side by side at each place of the axis, one for each series; their numbers stand on them."""
    left, right, top, foot = 44.0, 720.0, 34.0, 230.0
    most = _above(max((number for one in series for number in one.numbers), default=0))
    step = (right - left) / max(1, len(places))
    wide = min(26.0, step * 0.76 / max(1, len(series)))
    parts: list[object] = []
    for part in range(5):
        y = foot - (foot - top) * part / 4
        line = {"x1": f"{left:g}", "x2": f"{right:g}", "y1": f"{y:g}", "y2": f"{y:g}"}
        parts.append(element("line", {**line, "class": "axis" if not part else "grid"}))
        if most * part % 4 == 0:
            parts.append(text_lines([f"{most * part // 4:,}"], left - 6, y + 4, 11, text_anchor="end"))
    for place, label in enumerate(places):
        middle = left + step * (place + 0.5)
        parts.append(text_lines(lines_of(label, step / 11), middle, foot + 16, 12, text_anchor="middle"))
        for number, one in enumerate(series):
            value = one.numbers[place]
            height = (foot - top) * value / most
            x = middle + wide * (number - len(series) / 2)
            kind = f"bar-{number % 2 + 1}"
            name = element("title", None, f"{label} {one.label} {value:,}")
            parts.append(_rect(x + 1, foot - height, wide - 2, height, kind, name))
            if value:
                parts.append(text_lines([f"{value:,}"], x + wide / 2, foot - height - 4, 10, text_anchor="middle"))
    x = left
    for number, one in enumerate(series):
        parts.append(_rect(x, 4, 12, 12, f"bar-{number % 2 + 1}"))
        parts.append(text_lines([one.label], x + 17, 15, 12))
        x += 17 + 12 * width_of(one.label) + 24
    return picture(title, right + 8, foot + 42, joined(parts), kind="chart columns")


def _above(number: int) -> int:
    """A round number for the top of an axis, not below a number."""
    if number <= 4:
        return 4
    power = int(10 ** int(log10(number)))
    steps = (10, 12, 16, 20, 24, 32, 40, 60, 80, 100)
    return next(step * power // 10 for step in steps if step * power >= number * 10)
