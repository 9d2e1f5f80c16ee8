"""Strategies of the property tests: paths through any valid lifecycle, and an office that follows them.

A lifecycle is valid by construction: its states are a tree under the creation, the leaves are final, and further rows
are laid over that. All records are of two classes, `Casework` and the `Errand` that a case's steps create.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import attrs
from hypothesis import strategies as st

from reportflow import (
    EVERYBODY,
    NOBODY,
    Actor,
    Lifecycle,
    Record,
    ReportFlow,
    ReportflowError,
    Secrecy,
    Store,
)
from reportflow.model.record import SET_BY_FOLD
from reportflow.office import REPORT
from reportflow.testing.strategies import lifecycles
from reportflow.testing.strategies.definitions import Casework, Remark, ShiftHandover, valid_details

START: Final = datetime(2022, 3, 1, 9, tzinfo=UTC)


def all_fields(record: type[Record]) -> frozenset[str]:
    """All that a creation may accept: for tests that say ids, units and what else a draft does not bring by default."""
    return frozenset(field.name for field in attrs.fields(record)) - SET_BY_FOLD


def accepting_everything(lifecycle: Lifecycle) -> Lifecycle:
    """A lifecycle that differs in what its creations accept: all that they may."""
    rows = lifecycle.transitions
    accepts = all_fields(lifecycle.record)
    return attrs.evolve(
        lifecycle, transitions=[attrs.evolve(row, accepts=accepts) if None in row.sources else row for row in rows]
    )


#: `REPORT` with a creation that accepts everything.
OPEN_REPORT: Final = accepting_everything(REPORT)


# ---------------------------------------------------------------------------------------------------------------
# People

ANA: Final = Actor(id="ana", roles={"clerk"}, unit="a")
BO: Final = Actor(id="bo", roles={"clerk", "chief"}, unit="a")
CY: Final = Actor(id="cy", roles={"chief"}, unit="b")
DEE: Final = Actor(id="dee", roles={"clerk", "warden"}, unit="b", clearance=Secrecy.SECRET)
GUEST: Final = Actor(id="guest", roles=(), unit="a")
#: Holds the one role that sees everything in each lifecycle.
OVERSEER: Final = Actor(id="eve", roles={"overseer"}, unit="c", clearance=Secrecy.TOP_SECRET)
PEOPLE: Final = (OVERSEER, ANA, BO, CY, DEE, GUEST)


# ---------------------------------------------------------------------------------------------------------------
# Paths


@attrs.frozen(kw_only=True)
class Act:
    """One command to try.

    Attributes:
        record: The number of the record, modulo the number of records; a creation ignores it.
        snapshot: Whether the record itself is passed, or its id.
        later: How far the clock moves before it, in seconds; it may be negative.
        ago: How long ago it happened, in seconds; None for now.
    """

    trigger: str
    actor: Actor = OVERSEER
    details: object = None
    reason: str = ""
    record: int = 0
    snapshot: bool = False
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
    """Any act of a trigger, most often refused."""
    cls = lifecycle.rows(trigger)[0].details if trigger in lifecycle.triggers else None
    return st.builds(
        Act,
        trigger=st.just(trigger),
        actor=st.sampled_from(PEOPLE),
        details=st.one_of(st.just(valid_details(cls)), _details),
        reason=st.sampled_from(("because", "", " ")),
        record=st.integers(0, 3),
        snapshot=st.booleans(),
        later=st.integers(-2, 3),
        ago=st.sampled_from((None, None, 0, 1, 100)),
        draft=_drafts,
    )


@st.composite
def _fitting_act(draw: st.DrawFn, lifecycle: Lifecycle, state: str) -> Act:
    """An act on the first record that the table permits in this state; guards aside, it is allowed."""
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
        snapshot=draw(st.booleans()),
        later=draw(st.integers(-2, 3)),
    )


@st.composite
def paths(draw: st.DrawFn, lifecycle: Lifecycle, *, most: int = 10) -> list[Act]:
    """A sequence of acts, allowed and refused: a creation, then acts that fit the expected state, and any others."""
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
            state = state if NOBODY in found[0].roles else found[1] or state
        else:
            made.append(draw(_any_act(lifecycle, draw(st.sampled_from(triggers)))))
    return made


@st.composite
def stories(draw: st.DrawFn, *, most: int = 10) -> tuple[Lifecycle, list[Act]]:
    """A lifecycle and a path through it."""
    lifecycle = draw(lifecycles())
    return lifecycle, draw(paths(lifecycle, most=most))


class Office:
    """A flow on a store, with a clock that the acts move and predictable ids."""

    def __init__(self, store: Store, lifecycles: Iterable[Lifecycle]) -> None:
        self.now = START
        self.ids: list[str] = []
        self._numbers = iter(range(1, 1_000_000))
        self.flow = ReportFlow(store, lifecycles, clock=lambda: self.now, new_id=lambda: f"r{next(self._numbers)}")

    def do(self, act: Act) -> Record | ReportflowError:
        """The result of an act: the record after it, or the error; `ids` then has the ids of all records."""
        self.now += timedelta(seconds=act.later)
        at = None if act.ago is None else self.now - timedelta(seconds=act.ago)
        try:
            if act.trigger == "create" or not self.ids:
                return self.flow.create(act.draft, by=act.actor, at=at)
            id = self.ids[act.record % len(self.ids)]
            target = self.flow.get(id, by=OVERSEER) if act.snapshot else id
            done: Record = self.flow.fire(target, act.trigger, act.details, by=act.actor, reason=act.reason, at=at)
            return done
        except ReportflowError as error:
            return error
        finally:
            self.ids = list(dict.fromkeys(item.entry.record_id for item in self.flow.store.feed(limit=10_000)))
