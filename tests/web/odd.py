"""A lifecycle of one's own, in no word like that of a report: details that a form can show, of every kind, and not."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import attrs

from reportflow import (
    CODE,
    EVERYBODY,
    LONG_TEXT,
    OWN,
    PERSON,
    REFERENCE,
    SAME,
    UNIT,
    Details,
    Lifecycle,
    Record,
    State,
    Transition,
)
from reportflow.model.values import Value, not_blank, not_empty


class Colour(enum.Enum):
    """Few choices."""

    RED = "red"
    BLUE = 2


@attrs.frozen(kw_only=True)
class Leg(Value):
    """A group in a group."""

    place: str = attrs.field(validator=not_blank)
    miles: int = 0


@attrs.frozen(kw_only=True)
class Trip(Value):
    """A group with groups in it."""

    day: date
    legs: tuple[Leg, ...] = ()
    paid: bool = True


@attrs.frozen(kw_only=True)
class Journey(Details):
    """What a form can show, all of it at once."""

    trips: tuple[Trip, ...] = attrs.field(validator=not_empty)
    price: Decimal
    colour: Colour = Colour.RED
    colours: tuple[Colour, ...] = ()
    settled: bool | None = None
    share: float | None = None
    size: Literal["small", "large", 3] | None = None
    due: datetime | None = None
    words: tuple[str, ...] = ()
    numbers: tuple[int, ...] | None = None
    counts: Mapping[str, int] = attrs.field(factory=dict)
    place: tuple[str, int] | None = None
    base: Leg | None = None
    essay: str = attrs.field(default="", metadata=LONG_TEXT)
    ground: str | None = attrs.field(default=None, metadata=CODE)
    guide: str | None = attrs.field(default=None, metadata=PERSON)
    after: str | None = attrs.field(default=None, metadata=REFERENCE)


@attrs.frozen(kw_only=True)
class Puzzle(Details):
    """What no form can show: a mapping of mappings."""

    table: Mapping[str, Mapping[str, int]]


@attrs.frozen(kw_only=True)
class Loose(Details):
    """What a form can show but for a part that may be left out."""

    name: str
    table: Mapping[str, Mapping[str, int]] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Story(Details):
    """A text that is put back into the record."""

    essay: str = attrs.field(metadata=LONG_TEXT)
    mood: str = ""


@attrs.frozen(kw_only=True)
class Case(Record):
    """A record without a text or authors."""

    essay: str = attrs.field(default="", metadata=LONG_TEXT)
    mood: str = ""


CASE = Lifecycle(
    name="case",
    version=1,
    record=Case,
    roles={"clerk": UNIT, "guest": OWN},
    states=[State("open", label={"en": "open case", "zh": "在办件"}, awaits={"clerk"}), State("over", final=True)],
    labels={"ground.wet": {"en": "wet weather", "zh": "天气不好"}, "hint.price": {"en": "In yuan.", "zh": "以元计。"}},
    transitions=[
        Transition("begin", source=None, dest="open", roles={"clerk", "guest"}, accepts={"title", "essay", "secrecy"}),
        Transition("travel", source="open", dest=SAME, roles={"clerk"}, details=Journey),
        Transition("puzzle", source="open", dest=SAME, roles={"clerk"}, details=Puzzle),
        Transition("loosen", source="open", dest=SAME, roles={"clerk"}, details=Loose),
        Transition(
            "tell", source="open", dest=SAME, roles={"clerk"}, details=Story, sets={"essay": "essay", "mood": "mood"}
        ),
        Transition("end", source="open", dest="over", roles={"clerk"}, reason_required=True),
        Transition("wave", source={"open", "over"}, dest=SAME, roles=EVERYBODY),
    ],
)
