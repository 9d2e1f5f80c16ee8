"""A lifecycle as a drawing: states in layers from the start downward, arrows between them, as SVG made on the server.

How it is laid out: a state's layer is the number of acts on the shortest way to it. A layer that is too wide is parted.
Inside a layer the states stand in the order of the means of what leads to them (the barycentre), which keeps arrows
short. An arrow that goes further is drawn strongly, one that goes back thinly. What leads to a state is written in its
box, and not on the arrows: there it can be read whatever the number of arrows. What leaves the state as it is is not
drawn, the list beside the drawing has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from reportflow.lifecycle.definition import Lifecycle
from reportflow.web.charts import lines_of, picture, text_lines
from reportflow.web.markup import element
from reportflow.web.words import Words

#: How many states stand beside each other at the most.
ABREAST: Final = 6
_WIDE, _GAP, _BETWEEN = 150.0, 22.0, 54.0
_LABEL, _SMALL = 15.0, 11.5
_MARGIN: Final = 28.0

#: Arrows: (state before, None for none yet; state after) -> the triggers that lead there.
Arrows = Mapping[tuple[str | None, str], Sequence[str]]


class StateBox(NamedTuple):
    """Where a state is drawn, and what stands in it."""

    name: str
    x: float
    y: float
    height: float
    label: list[str]
    acts: list[str]

    @property
    def middle(self) -> float:
        """The middle of its width."""
        return self.x + _WIDE / 2


def arrows(lifecycle: Lifecycle) -> dict[tuple[str | None, str], list[str]]:
    """What leads from one state to another one, in the order of the table."""
    found: dict[tuple[str | None, str], list[str]] = {}
    for row in lifecycle.transitions:
        for state in (None, *(one.name for one in lifecycle.states)):
            if state in row.sources:
                for dest in row.dests(state):
                    known = found.setdefault((state, dest), [])
                    if dest != state and row.trigger not in known:
                        known.append(row.trigger)
    return {pair: triggers for pair, triggers in found.items() if triggers}


def layers(lifecycle: Lifecycle, drawn: Arrows) -> list[list[str]]:
    """The states by the number of acts on the shortest way to each, ordered so that arrows are short.

    Something leads to each state: a definition is refused otherwise.
    """
    left = [state.name for state in lifecycle.states]
    found: list[list[str]] = []
    reached: set[str | None] = {None}
    while left:
        layer = [name for name in left if any((one, name) in drawn for one in reached)]
        left = [name for name in left if name not in layer]
        reached |= set(layer)
        found += [_ordered(layer, found, drawn)]
    return [part for layer in found for part in _parted(layer)]


def _ordered(layer: list[str], above: list[list[str]], drawn: Arrows) -> list[str]:
    """A layer in the order of the means of the places of what leads to its states from the layers above."""
    places = {name: (place + 0.5) / len(one) for one in above for place, name in enumerate(one)}

    def mean(name: str) -> float:
        before = [places[one] for one in places if (one, name) in drawn]
        return sum(before) / len(before) if before else 0.5

    return sorted(layer, key=mean)  # what is equal stays in the order of the table


def _parted(layer: list[str]) -> list[list[str]]:
    """A layer as rows that are wide enough, each about as long as the others."""
    rows = -(-len(layer) // ABREAST)
    each = -(-len(layer) // rows)
    return [layer[place : place + each] for place in range(0, len(layer), each)]


def _boxes(lifecycle: Lifecycle, words: Words, drawn: Arrows, current: str | None) -> dict[str, StateBox]:
    rows = layers(lifecycle, drawn)
    wide = max((len(row) for row in rows), default=1) * (_WIDE + _GAP) - _GAP
    boxes: dict[str, StateBox] = {}
    y = _MARGIN + 34
    for row in rows:
        written = {name: _written(lifecycle, words, drawn, name) for name in row}
        height = max(
            24 + _LABEL * 1.25 * len(label) + _SMALL * 1.25 * (len(acts) + (name == current))
            for name, (label, acts) in written.items()
        )
        x = _MARGIN + (wide - len(row) * (_WIDE + _GAP) + _GAP) / 2
        for name in row:
            boxes[name] = StateBox(name, x, y, height, *written[name])
            x += _WIDE + _GAP
        y += height + _BETWEEN
    return boxes


def _written(lifecycle: Lifecycle, words: Words, drawn: Arrows, name: str) -> tuple[list[str], list[str]]:
    """The lines of a state's label, and of the acts that lead to it."""
    label = lines_of(words.label("state", name, lifecycle.name), (_WIDE - 24) / _LABEL)
    triggers = dict.fromkeys(one for (_, dest), several in drawn.items() if dest == name for one in several)
    if not triggers:
        return label, []
    acts = words.join(words.label("trigger", one, lifecycle.name) for one in triggers)
    return label, lines_of(words("lifecycle.by", acts=acts), (_WIDE - 16) / _SMALL, most=3)


def drawing(lifecycle: Lifecycle, words: Words, *, state: str | None = None) -> Markup:
    """The drawing of a lifecycle.

    Args:
        lifecycle: The lifecycle.
        words: Of the language.
        state: The state to be marked; None for none.
    """
    drawn = arrows(lifecycle)
    boxes = _boxes(lifecycle, words, drawn, state)
    width = max((box.x + _WIDE for box in boxes.values()), default=_WIDE) + _MARGIN
    height = max((box.y + box.height for box in boxes.values()), default=_WIDE) + _BETWEEN * 0.6
    start = StateBox("", width / 2 - _WIDE / 2, _MARGIN, 8, [], [])
    parts: list[object] = [
        _tips(),
        element("circle", {"class": "start", "cx": f"{width / 2:g}", "cy": f"{_MARGIN + 2:g}", "r": "7"}),
    ]
    late: list[object] = []
    for (source, dest), triggers in drawn.items():
        before = start if source is None else boxes[source]
        further = boxes[dest].y > before.y
        title = f"{_name(lifecycle, words, source)} → {_name(lifecycle, words, dest)}: " + words.join(
            words.label("trigger", one, lifecycle.name) for one in triggers
        )
        kind = "edge" + (" from-current" if source is not None and source == state else "") + " back" * (not further)
        path = _path(before, boxes[dest], width)
        tip = "tip-current" if source is not None and source == state else "tip"
        line = element("path", {"class": kind, "d": path, "marker-end": f"url(#{tip})"}, element("title", None, title))
        (late if source == state else parts).append(line)
    parts += late  # what leads on from the marked state lies on top
    parts += [_box(box, lifecycle, words, current=box.name == state) for box in boxes.values()]
    title = words("lifecycle.drawing", name=words.label("lifecycle", lifecycle.name, lifecycle.name))
    if state in boxes:
        title = words("lifecycle.drawing_at", title=title, state=words.label("state", state, lifecycle.name))
    return picture(title, width, height, *parts, kind="diagram")


def _name(lifecycle: Lifecycle, words: Words, state: str | None) -> str:
    return words("lifecycle.start") if state is None else words.label("state", state, lifecycle.name)


def _tips() -> Markup:
    """The heads of the arrows."""
    heads = [
        element(
            "marker",
            {"id": name, "viewBox": "0 0 8 8", "refX": "7", "refY": "4", "markerWidth": "8", "markerHeight": "8",
             "orient": "auto", "markerUnits": "userSpaceOnUse"},
            element("path", {"d": "M0 0L8 4L0 8z", "class": kind}),
        )
        for name, kind in (("tip", "arrow"), ("tip-current", "arrow arrow-current"))
    ]  # fmt: skip
    return element("defs", None, *heads)


def _path(before: StateBox, after: StateBox, width: float) -> str:
    """The way of an arrow: downward from foot to head, upward along the nearer side, level in an arc below."""
    if after.y > before.y:
        foot, head = before.y + before.height, after.y - 1
        # where it comes in says where it comes from
        x = after.middle + max(-0.4, min(0.4, (before.middle - after.middle) / width)) * _WIDE
        out = before.middle + max(-0.4, min(0.4, (after.middle - before.middle) / width)) * _WIDE
        bend = min(60.0, (head - foot) / 2 + 8)
        return f"M{out:.1f} {foot:.1f}C{out:.1f} {foot + bend:.1f} {x:.1f} {head - bend:.1f} {x:.1f} {head:.1f}"
    if after.y == before.y:
        foot = before.y + before.height
        depth = foot + _BETWEEN * 0.6
        x, out = after.middle - 12, before.middle + 12
        return f"M{out:.1f} {foot:.1f}C{out:.1f} {depth:.1f} {x:.1f} {depth:.1f} {x:.1f} {foot + 1:.1f}"
    side = 1 if before.middle + after.middle > width else -1
    x, out = after.middle + side * (_WIDE / 2 + 1), before.middle + side * _WIDE / 2
    level, start = after.y + after.height / 2, before.y + before.height / 2
    far = max(x * side, out * side) * side + side * _GAP * 1.5
    return f"M{out:.1f} {start:.1f}C{far:.1f} {start:.1f} {far:.1f} {level:.1f} {x:.1f} {level:.1f}"


def _box(box: StateBox, lifecycle: Lifecycle, words: Words, *, current: bool) -> Markup:
    final = lifecycle.state(box.name).final
    kind = "node" + " final" * final + " current" * current
    parts: list[object] = [_frame(box, 0)]
    if final:  # a double border
        parts.append(_frame(box, 4))
    y = box.y + 10 + _LABEL
    parts.append(text_lines(box.label, box.middle, y, _LABEL, text_anchor="middle", font_weight="600"))
    y += len(box.label) * _LABEL * 1.25 - 1
    parts.append(text_lines(box.acts, box.middle, y, _SMALL, text_anchor="middle", class_="acts"))
    if current:
        y += len(box.acts) * _SMALL * 1.25 + 2
        text = words("lifecycle.current")
        parts.append(text_lines([text], box.middle, y, _SMALL, text_anchor="middle", class_="here-text"))
        parts.append(element("path", {"class": "here", "d": f"M{box.x - 8:g} {box.y + 6:g}l12 8l-12 8z"}))
    return element("g", {"class": kind}, *parts)


def _frame(box: StateBox, inner: float) -> Markup:
    return element(
        "rect",
        {"x": f"{box.x + inner:g}", "y": f"{box.y + inner:g}", "width": f"{_WIDE - 2 * inner:g}",
         "height": f"{box.height - 2 * inner:g}", "rx": "4"},
    )  # fmt: skip
