"""What is hard to reach is reached: guards that want several acts and several people, and details of every kind."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from datetime import timedelta
from typing import Final

import attrs
import pytest
from hypothesis import Phase, given, settings

from reportflow import (
    ANY,
    EVERYBODY,
    SAME,
    UNIT,
    Command,
    Details,
    Entry,
    Guard,
    Lifecycle,
    Record,
    State,
    Transition,
    guard,
)
from reportflow.analysis.desk import Desk
from reportflow.analysis.search import Search
from reportflow.analysis.ways import pairs_of
from reportflow.office import REPORT
from reportflow.testing import strategies
from reportflow.testing.broken import NeverFired
from reportflow.testing.strategies.found import completed, searched
from reportflow.testing.strategies.values import plain_instances


@attrs.frozen(kw_only=True)
class Panel(Record):
    """A panel that is seated, votes, and pays."""

    members: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    votes: tuple[bool, ...] = ()
    total: int = 0
    rounds: int = 0


@attrs.frozen(kw_only=True)
class Ballot(Details):
    """For or against."""

    yes: bool = False


@attrs.frozen(kw_only=True)
class Gift(Details):
    """How much."""

    amount: int


def _joined(before: Panel, entry: Entry) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*before.members, entry.actor.id)))


def _units(before: Panel, entry: Entry) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*before.units, entry.actor.unit)))


def _voted(before: Panel, entry: Entry) -> tuple[bool, ...]:
    assert isinstance(entry.details, Ballot)
    return (*before.votes, entry.details.yes)


def _added(before: Panel, entry: Entry) -> int:
    assert isinstance(entry.details, Gift)
    return before.total + entry.details.amount


def _round(before: Panel, entry: Entry) -> int:
    return before.rounds + 1


def _at_least(field: str, number: int) -> Guard:
    """A guard that wants so many of a field."""

    def test(record: Panel, command: Command) -> bool:
        value = getattr(record, field)
        return (value if isinstance(value, int) else len(value)) >= number

    return Guard(code=f"{field}_{number}", test=test)


@guard("no_member_twice")
def _no_member(record: Panel, command: Command) -> bool:
    return command.actor.id not in record.members


@guard("majority")
def _majority(record: Panel, command: Command) -> bool:
    return record.votes.count(True) >= 3


@guard("a_month")
def _a_month(record: Panel, command: Command) -> bool:
    assert record.updated_at is not None
    return len(record.members) >= 2 and command.now - record.updated_at >= timedelta(days=30)


def panel(goal: Guard, *, joins: tuple[Guard, ...] = ()) -> Lifecycle:
    """A lifecycle whose last act has a guard that one act alone never passes."""
    return Lifecycle(
        name="panel",
        version=1,
        record=Panel,
        roles={"clerk": UNIT, "guest": ANY, "boss": ANY},
        states=[State("open"), State("paused"), State("decided", final=True), State("closed", final=True)],
        transitions=[
            Transition("create", source=None, dest="open", roles={"clerk"}),
            Transition(
                "join", source="open", dest=SAME, roles={"clerk", "guest"}, guards=joins,
                sets={"members": _joined, "units": _units},
            ),
            Transition("remark", source={"open", "paused"}, dest=SAME, roles=EVERYBODY),
            Transition("vote", source="open", dest=SAME, roles={"clerk"}, details=Ballot, sets={"votes": _voted}),
            Transition("give", source="open", dest=SAME, roles={"clerk"}, details=Gift, sets={"total": _added}),
            Transition("pause", source="open", dest="paused", roles={"clerk"}),
            Transition("resume", source="paused", dest="open", roles={"clerk"}, sets={"rounds": _round}),
            Transition("close", source="open", dest="closed", roles={"boss"}),
            Transition("decide", source="open", dest="decided", roles={"boss"}, guards=[goal]),
        ],
    )  # fmt: skip


#: What a guard may want that only several acts bring about.
HARD: Final = {
    "three members": panel(_at_least("members", 3)),
    "six members, none twice": panel(_at_least("members", 6), joins=(_no_member,)),
    "two units": panel(_at_least("units", 2)),
    "a majority of ballots": panel(_majority),
    "a sum": panel(_at_least("total", 5_000)),
    "a sum of many": panel(_at_least("votes", 7)),
    "rounds through two states": panel(_at_least("rounds", 3)),
    "members, and a month": panel(_a_month),
}

#: The same where a module holds it by a name.
THREE: Final = HARD["three members"]

Fired = Counter[str]


def fired(lifecycle: Lifecycle, number: int = 60) -> Fired:
    """In how many of some random histories each trigger stands."""
    seen: Fired = Counter()

    @settings(database=None, max_examples=number, phases=[Phase.generate], derandomize=True, deadline=None)
    @given(history=strategies.histories(lifecycle))
    def draw(history: list[Entry]) -> None:
        seen.update({entry.trigger for entry in history})

    draw()
    return seen


@pytest.mark.parametrize("lifecycle", HARD.values(), ids=HARD)
def test_a_guard_over_several_acts_is_passed(lifecycle: Lifecycle) -> None:
    """A guard that wants several acts, several people or several turns is passed in one of sixty histories at least."""
    assert fired(lifecycle)["decide"] >= 1


def test_what_no_history_has_is_said() -> None:
    """A row that no history has is said once, with what refused it; where all are there, nothing is said."""
    lifecycle = panel(Guard(code="never", test=lambda record, command: False))
    with pytest.warns(NeverFired, match=re.escape("decide (never)")) as said:
        assert fired(lifecycle, 5)["decide"] == 0
    assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fired(HARD["three members"], 5)


def test_details_are_drawn_as_their_class_gives_them() -> None:
    """The details of acts vary as those of their class alone do: about half of the ballots say yes."""
    said: Counter[bool] = Counter()
    votes = Lifecycle(
        name="votes",
        version=1,
        record=Panel,
        roles={"clerk": UNIT},
        states=[State("open", final=True)],
        transitions=[
            Transition("create", source=None, dest="open", roles={"clerk"}),
            Transition("vote", source="open", dest=SAME, roles={"clerk"}, details=Ballot, sets={"votes": _voted}),
        ],
    )

    @settings(database=None, max_examples=60, phases=[Phase.generate], derandomize=True, deadline=None)
    @given(history=strategies.histories(votes))
    def draw(history: list[Entry]) -> None:
        said.update(entry.details.yes for entry in history if isinstance(entry.details, Ballot))

    draw()
    assert said.total() >= 60
    assert 0.3 < said[True] / said.total() < 0.7


def test_people_act_for_others() -> None:
    """Some act on behalf of another person: of a record's creator too, and of who else is named in it."""
    seen: Counter[str] = Counter()

    @settings(database=None, max_examples=80, phases=[Phase.generate], derandomize=True, deadline=None)
    @given(history=strategies.histories(REPORT))
    def draw(history: list[Entry]) -> None:
        creator = history[0].actor.id
        for entry in history[1:]:
            behalf = entry.actor.on_behalf_of
            seen["none" if behalf is None else "creator" if behalf == creator else "another"] += 1

    draw()
    assert min(seen["none"], seen["creator"], seen["another"]) >= 2


# ---------------------------------------------------------------------------------------------------------------
# The search behind it


@pytest.mark.parametrize("lifecycle", HARD.values(), ids=HARD)
def test_the_search_comes_to_every_row(lifecycle: Lifecycle) -> None:
    """The search finds a way to every row, and the way is one: done again it leads to the same."""
    search = searched((lifecycle,))
    assert set(search.rows) == set(lifecycle.transitions)
    for row, found in search.rows.items():
        again = attrs.evolve(found, acts=(), desk=Desk.of((lifecycle,)))
        for act in found.acts:
            again = again.after(act)
        assert again.desk.records == found.desk.records
        assert again.desk.histories[found.acts[-1].id][-1].trigger == row.trigger


def test_all_pairs_of_the_report_are_found() -> None:
    """Each pair of rows of the standard lifecycle that its table allows is found, but the one that cannot be."""
    search = completed((REPORT,))
    missing = {(one.trigger, other.trigger) for one, other in pairs_of(REPORT) - set(search.pairs)}
    assert missing == {("create", "discredit")}, "no credit is taken back that was never given"


def test_the_search_is_bounded_and_steady() -> None:
    """It ends where there is no end of records that differ, and finds the same each time."""
    lifecycle = HARD["a sum of many"]
    one, other = (Search((lifecycle,), plain_instances).run().complete() for _ in "12")
    assert one.bounded
    assert [found.acts[-1].command for found in one.pairs.values()] == [
        found.acts[-1].command for found in other.pairs.values()
    ]
