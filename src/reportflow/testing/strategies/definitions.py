"""Random definitions that are whole: a lifecycle is valid by construction, its states a tree under the creation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.guards import Guard, guard, has, not_the_creator, only_the_assignee
from reportflow.lifecycle.table import EVERYBODY, NOBODY, SAME, Constant, OnConflict, OneOf, State, Step, Transition
from reportflow.model.actor import ANY, OWN, UNIT, Secrecy
from reportflow.model.entry import Command, Details, Entry
from reportflow.model.record import SET_BY_FOLD, Record
from reportflow.model.values import field_names

#: The roles of every drawn lifecycle; "overseer" reaches all records.
ROLES: Final = ("overseer", "clerk", "chief", "warden")


@attrs.frozen(kw_only=True)
class Casework(Record, name="strategies.Casework"):
    """The record that every drawn lifecycle moves."""

    note: str = ""
    count: int = 0
    tags: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Its helpers count as its authors."""
        return {"author": self.helpers, "topic": self.tags}


@attrs.frozen(kw_only=True)
class Errand(Record, name="strategies.Errand"):
    """What the steps of a case create."""


@attrs.frozen(kw_only=True)
class Remark(Details, name="strategies.Remark"):
    """Details whose count a guard may read."""

    text: str
    count: int = 0


@attrs.frozen(kw_only=True)
class ShiftHandover:
    """A plain attrs class as details; `target` may name a record for a step to move."""

    to: str
    tags: tuple[str, ...] = ()
    target: str | None = None


# ---------------------------------------------------------------------------------------------------------------
# What rows are made of, the simplest first: Hypothesis shrinks towards it


@guard("count_low", {"en": "The count must be below 2, and is {count}.", "zh": "计数须小于2，现为{count}。"})
def _count_low(record: Casework, command: Command) -> bool | Mapping[str, object]:
    return record.count < 2 or {"count": record.count}


@guard("same_unit")
def _same_unit(record: Casework, command: Command) -> bool:
    return record.unit == command.actor.unit


@guard("even", reads_details=True)
def _even(record: Casework, command: Command) -> bool:
    assert isinstance(command.details, Remark)
    return command.details.count % 2 == 0


@guard("to_oneself", reads_details=True)
def _not_to_oneself(record: Casework, command: Command) -> bool:
    assert isinstance(command.details, ShiftHandover)
    return command.details.to != command.actor.id


def _next_count(before: Casework, entry: Entry) -> int:
    return before.count + 1


def _who(before: Casework, entry: Entry) -> str:
    return entry.actor.id


def _spawn(before: Casework, entry: Entry) -> list[Step]:
    return [Step(target=Errand.draft(title=f"for {before.id}", parent=before.id), trigger="create")]


def _tick(before: Casework, entry: Entry) -> Step:
    return Step(target=before.id, trigger="tick", system=True)


def _spawn_and_tick(before: Casework, entry: Entry) -> list[Step]:
    return [*_spawn(before, entry), _tick(before, entry)]


def _tick_target(before: Casework, entry: Entry) -> list[Step]:
    assert isinstance(entry.details, ShiftHandover)
    target = entry.details.target
    return [] if target is None else [Step(target=target, trigger="tick")]


def _tick_parent(before: Errand, entry: Entry) -> list[Step]:
    return [] if before.parent is None else [Step(target=before.parent, trigger="tick", system=True)]


def _by_count(states: tuple[str, ...], record: Casework, details: object) -> str:
    return states[record.count % len(states)]


def _one_of(states: list[str]) -> OneOf:
    return OneOf(states, partial(_by_count, tuple(states)))


Rule = tuple[str, object]
_SETS: Final[tuple[Rule, ...]] = (
    ("note", Constant("fixed")),
    ("count", _next_count),
    ("assignee", _who),
    ("assignee", None),
    ("secrecy", Secrecy.SECRET),
    ("unit", Constant("b")),
    ("tags", ("x", "y")),
)
#: details class -> the guards that read it, the sets that take from it, the steps that make sense with it.
_BY_DETAILS: Final[Mapping[type[Any] | None, tuple[tuple[Guard, ...], tuple[Rule, ...], tuple[Any, ...]]]] = {
    None: ((), (), (None, None, _spawn, _tick, _spawn_and_tick)),
    Remark: ((_even,), (("note", "text"), ("count", "count")), (None, _spawn)),
    ShiftHandover: ((_not_to_oneself,), (("assignee", "to"), ("tags", "tags")), (None, _tick_target)),
}
_GUARDS: Final = (_count_low, _same_unit, not_the_creator, only_the_assignee, has("assignee"))


def valid_details(cls: type[Any] | None) -> object:
    """Details of a class with which every guard is content."""
    if cls is None:
        return None
    return Remark(text="fine", count=2) if cls is Remark else ShiftHandover(to="zoe", tags=("t",))


_some_roles: Final = st.one_of(
    st.just({"overseer"}),
    st.sets(st.sampled_from(ROLES), min_size=1, max_size=3),
    st.sets(st.sampled_from(ROLES), max_size=2).map(lambda some: {"overseer", *some}),
    st.just({EVERYBODY}),
    st.just({"warden", EVERYBODY}),
    st.just({NOBODY}),
)


def _rules(choices: tuple[Rule, ...]) -> SearchStrategy[dict[str, object]]:
    several: SearchStrategy[list[Rule]] = st.lists(st.sampled_from(choices), max_size=2, unique_by=lambda rule: rule[0])
    return several.map(dict)


#: What a creation says of it: nothing, or any of the fields, with the one that its guards want.
_accepted: Final = st.none() | st.sets(st.sampled_from(sorted(set(field_names(Casework)) - SET_BY_FOLD))).map(
    lambda some: {"title", *some}
)


@st.composite
def _drawn_row(
    draw: st.DrawFn, trigger: str, source: str | set[str], dest: str | OneOf, details: type[Any] | None
) -> Transition:
    guards, sets, steps = _BY_DETAILS[details]
    some_guards = st.sampled_from(guards + _GUARDS)
    return Transition(
        trigger,
        source=source,
        dest=dest,
        roles=draw(_some_roles),
        guards=draw(st.just(()) | st.lists(some_guards, max_size=2, unique_by=lambda one: one.code)),
        details=details,
        reason_required=draw(st.booleans()),
        sets=draw(_rules(sets + _SETS)),
        then=draw(st.sampled_from(steps)),
        on_conflict=draw(st.sampled_from(OnConflict)),
        label=draw(st.sampled_from(("", "做"))),
    )


@st.composite
def _rows_of(draw: st.DrawFn, trigger: str, states: list[str]) -> list[Transition]:
    """One trigger with one row, or two on different states, with one details class."""
    details = draw(st.sampled_from(tuple(_BY_DETAILS)))
    sources = draw(st.lists(st.sampled_from(states), min_size=1, unique=True))
    cut = draw(st.integers(0, len(sources) - 1))
    dests = st.sampled_from([SAME, *states]) | st.lists(
        st.sampled_from(states), min_size=1, max_size=2, unique=True
    ).map(_one_of)
    parts = [part for part in (sources[:cut], sources[cut:]) if part]
    return [draw(_drawn_row(trigger, set(part), draw(dests), details)) for part in parts]


@st.composite
def lifecycles(draw: st.DrawFn) -> Lifecycle:
    """Any valid lifecycle of `Casework`, with the triggers ``create``, ``tick`` (steps only), ``go…`` and ``do…``."""
    number = draw(st.integers(1, 4))
    names = [f"s{index}" for index in range(number)]
    above = {index: draw(st.integers(0, index - 1)) for index in range(1, number)}
    inner = set(above.values())
    states = [
        State(
            name,
            final=index not in inner or draw(st.booleans()),
            awaits=draw(st.sets(st.sampled_from(ROLES), max_size=1)),
        )
        for index, name in enumerate(names)
    ]
    creation = Transition(
        "create",
        source=None,
        dest=names[0],
        roles={"overseer", *draw(st.sets(st.sampled_from(ROLES)))},
        guards=draw(st.lists(st.sampled_from((_count_low, _same_unit, has("title"))), max_size=1)),
        sets=draw(_rules(_SETS)),
        then=draw(st.sampled_from((None, None, _spawn))),
        accepts=draw(_accepted),
    )
    tick = Transition(
        "tick",
        source=draw(st.sets(st.sampled_from(names), min_size=1)),
        dest=draw(st.sampled_from([SAME, *names])),
        roles=NOBODY,
        guards=draw(st.lists(st.just(_count_low), max_size=1)),
        sets={"count": _next_count},
        then=draw(st.sampled_from((None, _spawn))),
    )
    rows = [creation, tick]
    for index, upper in above.items():
        details = draw(st.sampled_from(tuple(_BY_DETAILS)))
        rows.append(draw(_drawn_row(f"go{index}", names[upper], names[index], details)))
    for index in range(draw(st.integers(1, 3))):
        rows += draw(_rows_of(f"do{index}", names))
    scopes = st.sampled_from((UNIT, OWN, ANY))
    return Lifecycle(
        name="casework",
        version=1,
        record=Casework,
        roles={"overseer": ANY, **{role: draw(scopes) for role in ROLES[1:]}},
        states=states,
        transitions=rows,
    )


#: The life of what steps create; finishing an errand moves the case that it was for.
ERRAND: Final = Lifecycle(
    name="errand",
    version=1,
    record=Errand,
    roles={"overseer": ANY, "clerk": UNIT},
    states=[State("open"), State("done", final=True)],
    transitions=[
        Transition("create", source=None, dest="open", roles={"overseer"}, accepts={"id", "unit", "title", "parent"}),
        Transition("finish", source="open", dest="done", roles=EVERYBODY, then=_tick_parent),
    ],
)
