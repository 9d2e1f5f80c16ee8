"""`fire_all` and `create_all`: many at once come to what each alone would, in few commits and little memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    REPORT,
    Actor,
    Assignment,
    Author,
    Change,
    Comment,
    Conflict,
    MemoryStore,
    Merge,
    Query,
    Record,
    RecordNotFound,
    Report,
    ReportFlow,
    Secrecy,
    SqlStore,
    StaleRecord,
    Store,
    TransitionRefused,
    UnknownTrigger,
    replay,
)
from reportflow.analysis.samples import START
from reportflow.testing.strategies.definitions import Casework
from tests.testing.test_lifecycle_machine import LOAN, REMINDER, LoanTerms, MachineLoan

CLERK = Actor(id="ana", roles={"clerk", "borrower"}, unit="north")
CHIEF = Actor(id="cy", roles={"chief"}, unit="north")


class Watched(MemoryStore):
    """Counts its commits, and lets a rival go first."""

    def __init__(self) -> None:
        super().__init__()
        self.commits = 0
        self.rival: Any = None

    def commit(self, changes: Sequence[Change]) -> None:
        if self.rival is not None:
            rival, self.rival = self.rival, None
            rival()
        self.commits += 1
        super().commit(changes)


def flow_on(store: Store) -> ReportFlow:
    """A flow whose times and ids are the same each time."""
    times, ids = count(), count(1)
    return ReportFlow(
        store,
        [LOAN, REMINDER],
        clock=lambda: START + timedelta(seconds=next(times)),
        new_id=lambda: f"r{next(ids):04}",
    )


def drafts(number: int, **fields: Any) -> Iterator[MachineLoan]:
    """Some drafts, one after the other."""
    return (MachineLoan.draft(title=f"loan {n}", **fields) for n in range(number))


def told(flow: ReportFlow) -> list[tuple[str, str, int, list[str]]]:
    """Each record with its history, less times: a chunk takes the time once."""
    found = flow.store.find(Query(order="id", limit=1000)).records
    return [
        (one.title, one.state, one.version, [entry.trigger for entry in flow.store.history([one.id])]) for one in found
    ]


ACTS = st.sampled_from(("lend", "return", "remark", "show"))
WHO = st.sampled_from((CLERK, CHIEF))


@given(
    acts=st.lists(st.tuples(ACTS, WHO, st.lists(st.integers(0, 5), max_size=9), st.booleans()), max_size=4),
    chunk=st.integers(1, 7),
)
def test_many_come_to_what_each_alone_would(acts: list[tuple[str, Actor, list[int], bool]], chunk: int) -> None:
    """Whatever is done to whatever records, twice to one too, bulk and one by one leave and refuse the same."""
    bulk, single = flow_on(MemoryStore()), flow_on(MemoryStore())
    made = [[flow.create(draft, by=CLERK) for draft in drafts(6)] for flow in (bulk, single)]
    for trigger, actor, numbers, by_id in acts:
        details = LoanTerms(days=2) if trigger == "lend" else None
        ids = [made[0][number].id for number in numbers]
        aims: list[Any] = list(ids) if by_id else [bulk.store.get([id])[0] for id in dict.fromkeys(ids)]
        outcomes = list(bulk.fire_all(aims, trigger, details, by=actor, on_refusal="skip", chunk=chunk))
        refused: list[list[str] | None] = []
        for aim in aims:
            id = aim if by_id else aim.id
            try:
                single.fire(id, trigger, details, by=actor)
                refused.append(None)
            except TransitionRefused as error:
                refused.append(sorted(one.code for one in error.refusals))
        assert [one.id for one in outcomes] == [aim if by_id else aim.id for aim in aims]
        assert [one.refused and sorted(r.code for r in one.refused.refusals) for one in outcomes] == refused
    assert told(bulk) == told(single)
    for record in bulk.store.find(Query(limit=1000)).records:
        assert replay(bulk.store.history([record.id]), LOAN if record.kind == LOAN.name else REMINDER) == record


@pytest.mark.parametrize("store", [MemoryStore, lambda: SqlStore("sqlite://")], ids=["memory", "sqlite"])
def test_what_is_created_has_its_history(store: Any) -> None:
    """Each draft becomes a record with its first entry, in the order of the drafts."""
    with flow_on(store()) as flow:
        outcomes = list(flow.create_all(drafts(25), by=CLERK, chunk=10))
        assert [one.record.title for one in outcomes if one.record] == [draft.title for draft in drafts(25)]
        for one in outcomes:
            assert one.record is not None
            assert replay(flow.store.history([one.id]), LOAN) == one.record == flow.store.get([one.id])[0]


def test_a_chunk_is_one_commit_and_progress_is_told() -> None:
    """A chunk is one commit; after each the number done is told."""
    store, told = Watched(), list[int]()
    flow = flow_on(store)
    assert len(list(flow.create_all(drafts(25), by=CLERK, chunk=10, progress=told.append))) == 25
    assert (store.commits, told) == (3, [10, 20, 25])


def test_an_iterable_is_read_a_chunk_at_a_time() -> None:
    """No more than a chunk is taken from the iterable ahead of what was given back."""
    taken = 0

    def endless() -> Iterator[MachineLoan]:
        nonlocal taken
        while True:
            taken += 1
            yield MachineLoan.draft(title="loan")

    outcomes = flow_on(MemoryStore()).create_all(endless(), by=CLERK, chunk=10)
    for number in range(1, 100):
        next(outcomes)
        assert taken - number < 10


def test_a_refusal_ends_it_and_what_came_before_is_kept() -> None:
    """With "abort" the refusal is raised in its turn: what came before it in its chunk is kept, and nothing after."""
    flow = flow_on(MemoryStore())
    ids = [flow.create(draft, by=CLERK).id for draft in drafts(5)]
    flow.fire(ids[2], "lend", LoanTerms(), by=CLERK)
    outcomes = flow.fire_all(ids, "lend", LoanTerms(), by=CLERK)
    assert [next(outcomes).id for _ in range(2)] == ids[:2]
    with pytest.raises(TransitionRefused):
        next(outcomes)
    assert [flow.get(id, by=CLERK).state for id in ids] == ["lent", "lent", "lent", "asked", "asked"]


def test_a_refused_act_leaves_none_of_its_steps() -> None:
    """Of an act whose steps are refused nothing is kept, though the others of its chunk are."""
    flow = flow_on(MemoryStore())
    lent = [flow.create(draft, by=CLERK) for draft in drafts(3)]
    for one in lent:
        flow.fire(one, "lend", LoanTerms(), by=CLERK)
    notes = [one.id for one in flow.find(Query(kind=REMINDER.name, order="id"), by=CLERK)]
    flow.fire(lent[1].id, "return", by=CLERK)  # so that its reminder cannot be counted
    outcomes = list(flow.fire_all(notes, "send", by=CLERK, on_refusal="skip"))
    assert [one.refused is None for one in outcomes] == [True, False, True]
    assert [flow.get(id, by=CLERK).state for id in notes] == ["sent", "noted", "sent"]
    assert [flow.get(one.id, by=CLERK).reminders for one in lent] == [1, 0, 1]


def test_somebody_faster_costs_a_commit_and_no_record() -> None:
    """Where a rival writes to one record of a chunk, each has its own chance; by id it is decided again."""
    store = Watched()
    flow = flow_on(store)
    ids = [flow.create(draft, by=CLERK).id for draft in drafts(4)]
    store.rival = lambda: flow.fire(ids[1], "remark", by=CLERK)
    outcomes = list(flow.fire_all(ids, "hide", by=CHIEF))
    assert [one.record.version for one in outcomes if one.record] == [2, 3, 2, 2]


def test_a_record_in_hand_that_moved_is_stale() -> None:
    """Who has an outdated record in hand hears of it; what came before is kept."""
    flow = flow_on(MemoryStore())
    made = [flow.create(draft, by=CLERK) for draft in drafts(3)]
    flow.fire(made[1].id, "remark", by=CLERK)
    outcomes = flow.fire_all(made, "lend", LoanTerms(), by=CLERK, on_refusal="skip")
    assert next(outcomes).record is not None
    with pytest.raises(StaleRecord):
        next(outcomes)
    assert flow.get(made[2].id, by=CLERK).state == "asked"


def test_what_is_not_there_is_told_in_its_turn() -> None:
    """An id that nobody has is `RecordNotFound` in its turn, and what came before is kept."""
    flow = flow_on(MemoryStore())
    id = flow.create(MachineLoan.draft(), by=CLERK).id
    outcomes = flow.fire_all([id, "nobody"], "remark", by=CLERK, on_refusal="skip")
    assert next(outcomes).id == id
    with pytest.raises(RecordNotFound):
        next(outcomes)


def test_a_store_that_always_moves_is_told() -> None:
    """A conflict that does not end is raised, as `fire` does."""

    class Moving(MemoryStore):
        def commit(self, changes: Sequence[Change]) -> None:
            if any(change.expected for change in changes):
                raise Conflict([change.record.id for change in changes])
            super().commit(changes)

    store = Moving()
    flow = ReportFlow(store, [LOAN, REMINDER], retry_timeout=0.01)
    id = flow.create(MachineLoan.draft(), by=CLERK).id
    with pytest.raises(Conflict):
        list(flow.fire_all([id], "remark", by=CLERK))
    assert isinstance(store.get([id])[0], Record)
    assert not isinstance(store.get([id])[0], Casework)


LI = Actor(id="li", roles={"editor"}, unit="yulin")


def reports(number: int) -> tuple[ReportFlow, list[Report]]:
    """A flow of the office, with some reports."""
    ids = count(1)
    flow = ReportFlow(MemoryStore(), REPORT, new_id=lambda: f"r{next(ids)}")
    author = Author(name="张三", id="zhang")
    made = [flow.create(Report.draft(title="t", text="x", authors=[author]), by=LI) for _ in range(number)]
    return flow, made


def test_a_record_in_hand_that_the_bulk_itself_moved_is_stale() -> None:
    """What an earlier one of the same chunk did to a record nobody has seen: allowed or refused, it is stale."""
    flow, (first, second, third) = reports(3)
    merged = flow.fire_all([second.id, first], "merge", Merge(target=first.id), by=LI)
    assert next(merged).id == second.id
    with pytest.raises(StaleRecord) as caught:
        next(merged)
    assert (caught.value.id, caught.value.seen, caught.value.stored) == (first.id, 1, 2)
    assert flow.get(second.id, by=LI).state == "merged"
    twice = flow.fire_all([third, third], "assign", Assignment(assignee="li"), by=LI, on_refusal="skip")
    assert next(twice).id == third.id
    with pytest.raises(StaleRecord):
        next(twice)
    assert flow.get(third.id, by=LI).version == 2


def test_what_commutes_is_never_stale_in_a_bulk() -> None:
    """An act that goes by the stored record is done, or refused for what it is, whatever its caller has seen."""
    flow, [report] = reports(1)
    flow.fire(report.id, "assign", Assignment(assignee="li"), by=LI)
    outcomes = list(flow.fire_all([report, report], "comment", Comment(text="x"), by=LI))
    assert [outcome.record.version for outcome in outcomes if outcome.record] == [3, 4]
    [refused] = flow.fire_all([report], "comment", by=LI, on_refusal="skip")
    assert refused.refused is not None


def test_a_trigger_that_a_record_in_hand_does_not_know_is_told_as_by_itself() -> None:
    """Where an earlier one moved a record that the caller may not see, it tells what it alone tells."""
    flow = flow_on(MemoryStore())
    loan = flow.create(MachineLoan.draft(title="loan"), by=CLERK)
    loan = flow.fire(loan, "lend", LoanTerms(days=3), by=CLERK)
    secret = Actor(id="cy", roles={"chief"}, unit="north", clearance=Secrecy.SECRET)
    hidden = flow.fire(loan, "hide", by=secret)
    [reminder] = [one for one in flow.store.find(Query()).records if one.kind != hidden.kind]
    with pytest.raises(UnknownTrigger):
        flow.fire(hidden, "send", by=CLERK)
    outcomes = flow.fire_all([reminder, hidden], "send", by=CLERK, on_refusal="skip")
    assert next(outcomes).record is not None
    with pytest.raises(UnknownTrigger):
        next(outcomes)
