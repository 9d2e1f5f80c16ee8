"""Any valid lifecycle, any path through it, and an office that walks it: what the property tests draw from.

A lifecycle is valid by construction: its states are a tree under the creation, the leaves are final, and further rows
are laid over that. All records are of two classes, `Casework` and the `Errand` that a case's steps create.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs
from hypothesis import strategies as st

from reportflow import (
    ANY,
    EVERYBODY,
    NOBODY,
    OWN,
    SAME,
    UNIT,
    Actor,
    Command,
    Constant,
    Details,
    Entry,
    Guard,
    Lifecycle,
    OnConflict,
    Record,
    ReportFlow,
    ReportflowError,
    Secrecy,
    State,
    Step,
    Store,
    Transition,
    guard,
    has,
    not_the_creator,
    only_the_assignee,
)

START: Final = datetime(2022, 3, 1, 9, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class Casework(Record):
    """The record that every drawn lifecycle moves."""

    note: str = ""
    count: int = 0
    tags: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Its helpers count as its authors."""
        return {"author": self.helpers, "topic": self.tags}


@attrs.frozen(kw_only=True)
class Errand(Record):
    """What the steps of a case create."""


@attrs.frozen(kw_only=True)
class Remark(Details):
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
# People

ANA: Final = Actor(id="ana", roles={"clerk"}, unit="a")
BO: Final = Actor(id="bo", roles={"clerk", "chief"}, unit="a")
CY: Final = Actor(id="cy", roles={"chief"}, unit="b")
DEE: Final = Actor(id="dee", roles={"clerk", "warden"}, unit="b", clearance=Secrecy.SECRET)
GUEST: Final = Actor(id="guest", roles=(), unit="a")
#: Holds the one role that every lifecycle lets see everything.
OVERSEER: Final = Actor(id="eve", roles={"overseer"}, unit="c", clearance=Secrecy.TOP_SECRET)
PEOPLE: Final = (OVERSEER, ANA, BO, CY, DEE, GUEST)
_ROLES: Final = ("overseer", "clerk", "chief", "warden")


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
    st.sets(st.sampled_from(_ROLES), min_size=1, max_size=3),
    st.sets(st.sampled_from(_ROLES), max_size=2).map(lambda some: {"overseer", *some}),
    st.just({EVERYBODY}),
    st.just({"warden", EVERYBODY}),
    st.just({NOBODY}),
)


def _rules(choices: tuple[Rule, ...]) -> st.SearchStrategy[dict[str, object]]:
    several: st.SearchStrategy[list[Rule]] = st.lists(
        st.sampled_from(choices), max_size=2, unique_by=lambda rule: rule[0]
    )
    return several.map(dict)


def _some_guards(choices: tuple[Guard, ...]) -> st.SearchStrategy[list[Guard]]:
    return st.lists(st.sampled_from(choices), max_size=2, unique_by=lambda one: one.code)


@st.composite
def _row(draw: st.DrawFn, trigger: str, source: str | set[str], dest: str, details: type[Any] | None) -> Transition:
    guards, sets, steps = _BY_DETAILS[details]
    return Transition(
        trigger,
        source=source,
        dest=dest,
        roles=draw(_some_roles),
        guards=draw(st.one_of(st.just(()), _some_guards(guards + _GUARDS))),
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
    dests = st.sampled_from([SAME, *states])
    parts = [part for part in (sources[:cut], sources[cut:]) if part]
    return [draw(_row(trigger, set(part), draw(dests), details)) for part in parts]


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
            awaits=draw(st.sets(st.sampled_from(_ROLES), max_size=1)),
        )
        for index, name in enumerate(names)
    ]
    creation = Transition(
        "create",
        source=None,
        dest=names[0],
        roles={"overseer", *draw(st.sets(st.sampled_from(_ROLES)))},
        guards=draw(st.lists(st.sampled_from((_count_low, _same_unit, has("title"))), max_size=1)),
        sets=draw(_rules(_SETS)),
        then=draw(st.sampled_from((None, None, _spawn))),
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
        rows.append(draw(_row(f"go{index}", names[upper], names[index], details)))
    for index in range(draw(st.integers(1, 3))):
        rows += draw(_rows_of(f"do{index}", names))
    scopes = st.sampled_from((UNIT, OWN, ANY))
    return Lifecycle(
        name="casework",
        version=1,
        record=Casework,
        roles={"overseer": ANY, **{role: draw(scopes) for role in _ROLES[1:]}},
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
        Transition("create", source=None, dest="open", roles={"overseer"}),
        Transition("finish", source="open", dest="done", roles=EVERYBODY, then=_tick_parent),
    ],
)


# ---------------------------------------------------------------------------------------------------------------
# Paths


@attrs.frozen(kw_only=True)
class Act:
    """One thing that somebody tries.

    Attributes:
        record: Which of the records that are there, counted round; a creation does not look at it.
        in_hand: Whether the record itself is handed in, or its id.
        later: How far the clock moves before it, in seconds; it may run backward.
        ago: How long ago it happened, in seconds; None for now.
    """

    trigger: str
    actor: Actor = OVERSEER
    details: object = None
    reason: str = ""
    record: int = 0
    in_hand: bool = False
    later: int = 1
    ago: int | None = None
    draft: Casework = attrs.field(factory=lambda: Casework.draft(title="case"))


_drafts: Final = st.builds(
    Casework.draft,
    title=st.sampled_from(("case", "", "案卷")),
    count=st.integers(0, 2),
    assignee=st.sampled_from((None, "ana")),
    helpers=st.sampled_from(((), ("cy",))),
    secrecy=st.sampled_from((Secrecy.INTERNAL, Secrecy.SECRET)),
)
_details: Final = st.one_of(
    st.sampled_from((Remark(text="fine", count=2), Remark(text="odd", count=1))),
    st.builds(
        ShiftHandover,
        to=st.sampled_from(("zoe", "ana", "eve")),
        tags=st.just(("t",)),
        target=st.sampled_from((None, "r1", "r2", "r9")),
    ),
    st.none(),
)


def _any_act(lifecycle: Lifecycle, trigger: str) -> st.SearchStrategy[Act]:
    """An act as it comes, most often refused."""
    cls = lifecycle.rows(trigger)[0].details if trigger in lifecycle.triggers else None
    return st.builds(
        Act,
        trigger=st.just(trigger),
        actor=st.sampled_from(PEOPLE),
        details=st.one_of(st.just(valid_details(cls)), _details),
        reason=st.sampled_from(("because", "", " ")),
        record=st.integers(0, 3),
        in_hand=st.booleans(),
        later=st.integers(-2, 3),
        ago=st.sampled_from((None, None, 0, 1, 100)),
        draft=_drafts,
    )


@st.composite
def _fitting_act(draw: st.DrawFn, lifecycle: Lifecycle, state: str) -> Act:
    """An act on the first record that its table takes in this state; guards aside, it is allowed."""
    fitting = [one for one in lifecycle.triggers if lifecycle.row(state, one)]
    trigger = draw(st.sampled_from([one for one in fitting if one != "tick"] or fitting))
    found = lifecycle.row(state, trigger)
    assert found is not None
    roles = found[0].roles
    able = [who for who in PEOPLE if who.roles & (lifecycle.roles.keys() if EVERYBODY in roles else roles)]
    target = draw(st.sampled_from((None, "r1", "r2"))) if found[0].details is ShiftHandover else None
    return Act(
        trigger=trigger,
        actor=draw(st.sampled_from([OVERSEER, *able] if OVERSEER in able else able or [OVERSEER])),
        details=ShiftHandover(to="zoe", tags=("t",), target=target) if target else valid_details(found[0].details),
        reason="because",
        in_hand=draw(st.booleans()),
        later=draw(st.integers(-2, 3)),
    )


@st.composite
def paths(draw: st.DrawFn, lifecycle: Lifecycle, *, most: int = 10) -> list[Act]:
    """A sequence of legal and illegal acts: a creation, then such as fit the state it should have come to, and any."""
    made = [Act(trigger="create", draft=attrs.evolve(draw(_drafts), title="first", count=0))]
    found = lifecycle.row(None, "create")
    assert found is not None
    state = found[1]
    triggers = (*lifecycle.triggers, "finish", "nonsense")
    for _ in range(draw(st.integers(2, most))):
        if draw(st.sampled_from((True, True, False))) and any(lifecycle.row(state, one) for one in triggers):
            made.append(draw(_fitting_act(lifecycle, state)))
            found = lifecycle.row(state, made[-1].trigger)
            assert found is not None
            state = state if NOBODY in found[0].roles else found[1]
        else:
            made.append(draw(_any_act(lifecycle, draw(st.sampled_from(triggers)))))
    return made


@st.composite
def stories(draw: st.DrawFn, *, most: int = 10) -> tuple[Lifecycle, list[Act]]:
    """A lifecycle and a path through it."""
    lifecycle = draw(lifecycles())
    return lifecycle, draw(paths(lifecycle, most=most))


class Office:
    """A flow on a store, with a clock that the acts move and ids that can be foretold."""

    def __init__(self, store: Store, lifecycles: Iterable[Lifecycle]) -> None:
        self.now = START
        self.ids: list[str] = []
        self._numbers = iter(range(1, 1_000_000))
        self.flow = ReportFlow(store, lifecycles, clock=lambda: self.now, new_id=lambda: f"r{next(self._numbers)}")

    def do(self, act: Act) -> Record | ReportflowError:
        """What comes of an act: the record after it, or the error; `ids` then names all the records that there are."""
        self.now += timedelta(seconds=act.later)
        at = None if act.ago is None else self.now - timedelta(seconds=act.ago)
        try:
            if act.trigger == "create" or not self.ids:
                return self.flow.create(act.draft, by=act.actor, at=at)
            id = self.ids[act.record % len(self.ids)]
            target = self.flow.get(id, by=OVERSEER) if act.in_hand else id
            done: Record = self.flow.fire(target, act.trigger, act.details, by=act.actor, reason=act.reason, at=at)
            return done
        except ReportflowError as error:
            return error
        finally:
            self.ids = list(dict.fromkeys(posted.entry.record_id for posted in self.flow.store.feed(limit=10_000)))
