"""Charts: what stands in them, how long labels are broken, and that they are read in the light and in the dark."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow.web import assets, charts
from reportflow.web.charts import Series, Stage

TEXTS = st.text(st.sampled_from("ab 政协、委员“”<&\"'…"), max_size=60)


def parsed(svg: object) -> ElementTree.Element:
    """An SVG, read as XML."""
    return ElementTree.fromstring(str(svg))


def texts(svg: object) -> list[str]:
    """The texts that are written in an SVG."""
    return [one.text or "" for one in parsed(svg).iter("text")]


@given(TEXTS, st.integers(2, 20), st.integers(1, 4))
def test_no_line_is_wider_than_its_room(text: str, width: int, most: int) -> None:
    """A label is broken into lines that fit; nothing of it is lost unless the last line says so by "…"."""
    lines = charts.lines_of(text, width, most)

    assert 1 <= len(lines) <= most
    assert all(charts.width_of(line) <= width for line in lines)
    together = "".join("".join(lines).split())
    whole = "".join(text.split())
    assert together == whole or (together.endswith("…") and whole.startswith(together[:-1]))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a rather long label", ["a rather", "long label"]),
        ("在自己的刊物上编发", ["在自己的刊物", "上编发"]),
        ("Unbreakable", ["Unbreakabl", "e"]),
        ("采用report", ["采用report"]),
        ("ab，采用", ["ab，采用"]),
    ],
)
def test_latin_breaks_between_words_and_chinese_anywhere(text: str, lines: list[str]) -> None:
    """Words stay whole where they fit, and Chinese breaks at any character."""
    assert charts.lines_of(text, 6) == lines


def test_a_chart_is_a_picture_with_a_name() -> None:
    """A chart has a role, a name, a title and no style; its inner texts are hidden from those who read the table."""
    svg = parsed(charts.columns("Collected <b>", ["1月"], [Series("收集", [3])]))

    assert (svg.get("role"), svg.get("aria-label")) == ("img", "Collected <b>")
    assert svg.findtext("title") == "Collected <b>"
    assert all("style" not in one.attrib and not [name for name in one.attrib if name.startswith("on")]
               for one in svg.iter())  # fmt: skip
    assert svg.find("g[@aria-hidden='true']") is not None


@given(st.lists(st.tuples(st.text(st.sampled_from("a<政"), max_size=9), st.integers(0, 10**6)), max_size=6))
def test_a_funnel_has_a_bar_for_each_stage(stages: list[tuple[str, int]]) -> None:
    """Each stage has its text, and a bar in proportion to the largest, at least a line wide, within the picture."""
    svg = parsed(charts.funnel("f", [Stage(label, number, f"{number}!") for label, number in stages]))
    bars = [(float(one.get("x", "")), float(one.get("width", ""))) for one in svg.iter("rect")]
    numbers = [number for _, number in stages]

    assert len(bars) == len(stages)
    assert [text.text for text in svg.iter("text") if (text.text or "").endswith("!")] == [f"{n}!" for n in numbers]
    for (_, wide), number in zip(bars, numbers, strict=True):
        assert wide == pytest.approx(max(2, 380 * number / (max(numbers) or 1)), rel=0.01)
    assert all(x >= 190 - 1 and x + wide <= 571 for x, wide in bars)


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=12), st.lists(st.integers(0, 99), min_size=12, max_size=12))
def test_columns_are_as_high_as_their_numbers(first: list[int], second: list[int]) -> None:
    """Columns of all series share one scale, stay inside the picture, and their numbers stand on them."""
    series = [Series("a", first), Series("b", second[: len(first)])]
    places = [f"{place}月" for place in range(1, len(first) + 1)]
    svg = parsed(charts.columns("c", places, series))
    bars = [one for one in svg.iter("rect") if one.find("title") is not None]
    heights = [float(one.get("height", "")) for one in bars]
    numbers = [number for pair in zip(*(one.numbers for one in series), strict=True) for number in pair]
    written = texts(charts.columns("c", places, series))

    assert [int((one.findtext("title") or "").rpartition(" ")[2].replace(",", "")) for one in bars] == numbers
    assert max(heights) <= 196
    most = max(numbers)
    for height, number in zip(heights, numbers, strict=True):
        assert most == 0 or height / max(heights) == pytest.approx(number / most, abs=0.001)
    assert all(f"{number:,}" in written for number in numbers if number)


@given(st.integers(1, 10**9))
def test_the_axis_ends_at_a_round_number(number: int) -> None:
    """The top of the axis is not below the largest number, and not much above it."""
    svg = charts.columns("c", ["a"], [Series("a", [number])])
    top = max(int(one.replace(",", "")) for one in texts(svg) if one.replace(",", "").isdecimal())

    assert top >= number


@pytest.mark.parametrize(("number", "most", "wide"), [(0, 0, 0), (0, 5, 0), (1, 1000, 0.5), (5, 10, 50), (10, 10, 100)])
def test_a_bar_is_as_long_as_its_share(number: int, most: int, wide: float) -> None:
    """A bar of nothing has no length, and one of little is still seen."""
    (rect,) = parsed(charts.bar(number, most)).iter("rect")
    assert float(rect.get("width", "")) == wide


def luminance(colour: str) -> float:
    """The relative luminance of a colour, as the guidelines for contrast define it."""
    digits = colour.lstrip("#")
    digits = "".join(one * 2 for one in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    ("text", "ground"),
    [("ink", "paper"), ("ink", "brand-soft"), ("ink-soft", "paper"), ("ink-soft", "brand-soft"), ("series-2", "paper")],
)
def test_texts_of_pictures_are_read_in_the_light_and_in_the_dark(text: str, ground: str, dark: bool) -> None:
    """The colours of the texts in charts and drawings contrast 4.5 to 1 with what is behind them."""
    css = assets._assets()["portal.css"][1].decode()
    tokens = {name: (light, deep) for name, light, deep in re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", css)}
    lights = sorted((luminance(tokens[name][dark]) for name in (text, ground)), reverse=True)

    assert (lights[0] + 0.05) / (lights[1] + 0.05) >= 4.5
