"""Facts taken back: any table's act may take an earlier entry back, once, and the figures follow on every store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    ANY,
    PARTY,
    RETRACTS,
    SAME,
    Actor,
    Details,
    Fire,
    Happened,
    Interval,
    InvalidValue,
    Lifecycle,
    MemoryStore,
    Query,
    Record,
    ReportFlow,
    SqlStore,
    State,
    Store,
    Transition,
    TransitionRefused,
)

NOW = datetime(2022, 6, 1, 12, tzinfo=UTC)
CLERK = Actor(id="clerk", roles={"clerk"})


@attrs.frozen(kw_only=True)
class Gift(Details):
    """A fact that is counted."""

    giver: str = attrs.field(metadata=PARTY)


@attrs.frozen(kw_only=True)
class Undoing(Details):
    """Which entry is taken back; None for none."""

    entry: int | None = attrs.field(default=None, metadata=RETRACTS)


GIFTS = Lifecycle(
    name="gifts",
    version=1,
    record=Record,
    roles={"clerk": ANY},
    states=[State("open", final=True)],
    transitions=[
        Transition("create", source=None, dest="open", roles="clerk"),
        Transition("give", source="open", dest=SAME, roles="clerk", details=Gift),
        Transition("undo", source="open", dest=SAME, roles="clerk", details=Undoing),
    ],
)


@contextmanager
def in_memory() -> Iterator[Store]:
    """A store in memory."""
    yield MemoryStore()


@contextmanager
def in_sqlite() -> Iterator[Store]:
    """A store on SQLite."""
    store = SqlStore("sqlite://")
    yield store
    store.close()


both = pytest.mark.parametrize("opened", [in_memory, in_sqlite], ids=["memory", "sqlite"])
_ACTS = st.lists(st.sampled_from("abc") | st.integers(-1, 8), max_size=8)


@both
@given(acts=_ACTS)
def test_an_entry_is_taken_back_once(opened: Callable[[], object], acts: list[str | int]) -> None:
    """Only what stands is taken back, once; what was refused has its reason; counts leave out exactly that."""
    with opened() as store:  # type: ignore[attr-defined]  # a context manager of a store
        flow = ReportFlow(store, GIFTS, clock=lambda: NOW)
        id = flow.create(Record.draft(), by=CLERK).id
        gifts: dict[int, str] = {}
        number, undone = 1, set[int]()
        for act in acts:
            if isinstance(act, str):
                number += 1
                gifts[number] = act
                flow.fire(id, "give", Gift(giver=act), by=CLERK)
                continue
            expected = None
            if not 2 <= act <= number:
                expected = {"not_retractable"}
            elif act not in gifts or act in undone:
                expected = {
                    code
                    for code, holds in (("retraction", act not in gifts), ("already_retracted", act in undone))
                    if holds
                }
            if expected is None:
                number += 1
                undone.add(act)
                assert flow.fire(id, "undo", Undoing(entry=act), by=CLERK).version == number
            else:
                with pytest.raises(TransitionRefused) as refused:
                    flow.fire(id, "undo", Undoing(entry=act), by=CLERK)
                assert {one.code for one in refused.value.refusals} == expected
        standing = [giver for sequence, giver in gifts.items() if sequence not in undone]
        given_ = Query(happened=Happened(trigger="give"))
        assert flow.count(given_, by=CLERK, of="entries") == {(): len(standing)}
        assert flow.count(given_, by=CLERK, of="entries", group="party") == {
            (giver,): standing.count(giver) for giver in standing
        }
        assert len(flow.find(given_, by=CLERK).records) == bool(standing)
        retracts = {entry.retracts for entry in flow.history(id, by=CLERK)} - {None}
        assert retracts == undone


def test_details_may_take_nothing_back() -> None:
    """A field of the details that is None takes nothing back; what is no number is refused."""
    flow = ReportFlow(MemoryStore(), GIFTS, clock=lambda: NOW)
    id = flow.create(Record.draft(), by=CLERK).id
    flow.fire(id, "undo", Undoing(), by=CLERK)
    assert [entry.retracts for entry in flow.history(id, by=CLERK)] == [None, None]


@pytest.mark.parametrize("together", ["batch", "run"])
def test_facts_of_the_same_call_are_known(together: str) -> None:
    """In one batch or run, what was taken back by one request is taken back for the next one."""
    flow = ReportFlow(MemoryStore(), GIFTS, clock=lambda: NOW)
    id = flow.create(Record.draft(), by=CLERK).id
    gift = Fire(id, "give", Gift(giver="a"), by=CLERK)
    undo = Fire(id, "undo", Undoing(entry=2), by=CLERK)
    if together == "batch":
        with pytest.raises(TransitionRefused):
            flow.batch([gift, undo, undo])
        assert flow.get(id, by=CLERK).version == 1
        flow.batch([gift, undo])
    else:
        outcomes = list(flow.run([gift, undo, undo], on_error="skip"))
        assert [isinstance(one.error, TransitionRefused) for one in outcomes] == [False, False, True]
    assert flow.count(Query(happened=Happened(trigger="give")), by=CLERK) == {(): 0}


def test_a_question_about_a_time_gets_what_was_known(tmp_path: Path) -> None:
    """An entry that was taken back later still counts in what had been recorded by a time before."""
    now = [NOW]
    for store in (MemoryStore(), SqlStore(f"sqlite:///{tmp_path / 'gifts.db'}")):
        flow = ReportFlow(store, GIFTS, clock=lambda: now[0])
        now[0] = NOW
        id = flow.create(Record.draft(), by=CLERK).id
        flow.fire(id, "give", Gift(giver="a"), by=CLERK)
        now[0] += timedelta(days=2)
        flow.fire(id, "undo", Undoing(entry=2), by=CLERK)
        for days, number in ((1, 1), (3, 0)):
            known = Happened(trigger="give", recorded_at=Interval(None, NOW + timedelta(days=days)))
            assert flow.count(Query(happened=known), by=CLERK) == {(): number}
        flow.close()


def test_the_field_is_never_erased() -> None:
    """What was taken back stays known: the field is none that can be erased."""
    erasing = attrs.evolve(
        GIFTS,
        transitions=[
            *GIFTS.transitions,
            Transition("erase", source="open", dest=SAME, roles="clerk", erases=("undo.reason",)),
        ],
    )
    assert erasing.row("open", "erase") is not None
    with pytest.raises(Exception, match=r"undo\.entry"):
        attrs.evolve(
            GIFTS,
            transitions=[
                *GIFTS.transitions,
                Transition("erase", source="open", dest=SAME, roles="clerk", erases=("undo.entry",)),
            ],
        )
    with pytest.raises(InvalidValue):
        Undoing(entry="2")  # type: ignore[arg-type]  # the point
