"""Drawings of lifecycles: every state is there, boxes do not cover each other, and the marked one is said in words."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportflow import ANY, SAME, Lifecycle, Record, State, Transition
from reportflow.i18n.catalog import STANDARD
from reportflow.office import REPORT
from reportflow.web.drawing import ABREAST, arrows, drawing, layers
from reportflow.web.words import Words
from tests.web.offices_of_the_year import NOW, ZONE


def words(lifecycle: Lifecycle, language: str = "en") -> Words:
    """The words of a language."""
    return Words(STANDARD, language, ZONE, {lifecycle.name: lifecycle}, NOW)


def lifecycle(states: int, pairs: list[tuple[int, int]], label: str = "") -> Lifecycle:
    """A lifecycle with a chain through all its states, and some more rows."""
    rows = {(place, place + 1) for place in range(states - 1)} | {pair for pair in pairs if max(pair) < states}
    return Lifecycle(
        name="own",
        version=1,
        record=Record,
        roles={"r": ANY},
        states=[
            State(f"s{one}", final=one % 3 == 2 or one == states - 1, label=label and f"{label} {one}")
            for one in range(states)
        ],
        transitions=[
            Transition("new", source=None, dest="s0", roles="r"),
            *(
                Transition(f"t{a}_{b}", source=f"s{a}", dest=SAME if a == b else f"s{b}", roles="r")
                for a, b in sorted(rows)
            ),
        ],
    )


PAIRS = st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=60)


@settings(max_examples=40)
@given(st.integers(1, 40), PAIRS)
def test_each_state_has_a_box_of_its_own(states: int, pairs: list[tuple[int, int]]) -> None:
    """From 1 to 40 states and any rows, each state has one box; boxes lie in the picture and not on each other."""
    one = lifecycle(states, pairs)
    rows = layers(one, arrows(one))
    svg = ElementTree.fromstring(str(drawing(one, words(one), state="s0")))
    _, _, width, height = map(float, (svg.get("viewBox") or "").split())
    boxes = []
    for group in svg.iter("g"):
        if (group.get("class") or "").startswith("node"):
            rect = group.find("rect")
            assert rect is not None
            boxes.append(tuple(float(rect.get(name, "")) for name in ("x", "y", "width", "height")))

    assert sorted(name for row in rows for name in row) == sorted(state.name for state in one.states)
    assert all(len(row) <= ABREAST for row in rows)
    assert len(boxes) == states
    assert all(x >= 0 and y >= 0 and x + wide <= width and y + high <= height for x, y, wide, high in boxes)
    for (x, y, wide, high), (left, top, broad, deep) in combinations(boxes, 2):
        assert x + wide <= left or left + broad <= x or y + high <= top or top + deep <= y


@settings(max_examples=20)
@given(st.integers(2, 40), PAIRS)
def test_a_layer_is_the_shortest_way(states: int, pairs: list[tuple[int, int]]) -> None:
    """Of two states the one that takes more acts to reach never stands above the other."""
    one = lifecycle(states, pairs)
    drawn = arrows(one)
    far: dict[str | None, int] = {None: 0}
    ring: list[str | None] = [None]
    while ring:
        ring = list({dest for source, dest in drawn if source in ring and dest not in far})
        far.update(dict.fromkeys(ring, max(far.values()) + 1))

    found = [far[name] for row in layers(one, drawn) for name in row]
    assert found == sorted(found)


def test_arrows_are_what_leads_to_another_state() -> None:
    """Acts that leave the state as it is are no arrows, and several acts from one state to another are one arrow."""
    drawn = arrows(lifecycle(3, [(1, 1), (2, 0)]))
    assert drawn == {(None, "s0"): ["new"], ("s0", "s1"): ["t0_1"], ("s1", "s2"): ["t1_2"], ("s2", "s0"): ["t2_0"]}


def test_the_current_state_is_marked_by_shape_and_word() -> None:
    """The marked state has a sign and a word, what leads on from it is marked; a final state has a double border."""
    one = lifecycle(3, [])
    svg = ElementTree.fromstring(str(drawing(one, words(one), state="s1")))
    nodes = {(group.get("class") or ""): group for group in svg.iter("g") if "node" in (group.get("class") or "")}
    current = nodes["node current"]

    assert current.find("path[@class='here']") is not None
    assert "now here" in [one.text for one in current.iter("text")]
    assert "now in: s1" in (svg.get("aria-label") or "")
    assert len(list(nodes["node final"].iter("rect"))) == 2
    assert len([path for path in svg.iter("path") if "from-current" in (path.get("class") or "")]) == 1
    assert "now here" not in str(drawing(one, words(one), state="no such state"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_standard_lifecycle_is_drawn_with_its_labels(language: str) -> None:
    """Each state of the standard lifecycle is in the drawing by its label, and no name of the table is."""
    svg = ElementTree.fromstring(str(drawing(REPORT, words(REPORT, language))))
    written = "".join(one.text or "" for one in svg.iter("text")).replace(" ", "")

    for state in REPORT.states:
        assert REPORT.label_of("state", state.name, language).replace(" ", "") in written
    if language == "zh":
        assert written.isascii() is False
        assert not any(state.name in written for state in REPORT.states)


def test_hostile_labels_are_text() -> None:
    """A label that looks like markup is written as text."""
    one = lifecycle(2, [(1, 0)], label="<script>alert(1)</script>")
    assert "<script" not in str(drawing(one, words(one), state="s1"))
