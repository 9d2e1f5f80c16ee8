"""`run`: many requests have the results that each alone would have, in few commits and bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    Actor,
    AlreadyExists,
    Change,
    Conflict,
    Create,
    DuplicateKey,
    Fire,
    InvalidValue,
    MemoryStore,
    Outcome,
    Query,
    RecordNotFound,
    ReportFlow,
    ReportflowError,
    Secrecy,
    SqlStore,
    StaleRecord,
    StorageUnavailable,
    Store,
    TransitionRefused,
    UnknownTrigger,
    replay,
)
from reportflow.office import REPORT, Assignment, Author, Comment, Merge, Report
from tests.lifecycles import START, accepting_everything
from tests.many import creates, fires
from tests.testing.test_lifecycle_machine import LOAN, REMINDER, LoanTerms, MachineLoan

CLERK = Actor(id="ana", roles={"clerk", "borrower"}, unit="north")
CHIEF = Actor(id="cy", roles={"chief"}, unit="north")


class Watched(MemoryStore):
    """Counts its commits; `before_commit` runs once, before the next one."""

    def __init__(self) -> None:
        super().__init__()
        self.commits = 0
        self.before_commit: Any = None

    def commit(self, changes: Sequence[Change]) -> None:
        if self.before_commit is not None:
            before_commit, self.before_commit = self.before_commit, None
            before_commit()
        self.commits += 1
        super().commit(changes)


def flow_on(store: Store) -> ReportFlow:
    """A flow whose times and ids are the same each time."""
    times, ids = count(), count(1)
    return ReportFlow(
        store,
        [accepting_everything(LOAN), REMINDER],
        clock=lambda: START + timedelta(seconds=next(times)),
        new_id=lambda: f"r{next(ids):04}",
    )


def drafts(number: int, **fields: Any) -> Iterator[MachineLoan]:
    """Some drafts, one after the other."""
    return (MachineLoan.draft(title=f"loan {n}", **fields) for n in range(number))


def stored(flow: ReportFlow) -> list[tuple[str, str, int, list[str]]]:
    """Each record with its history, without times: a chunk reads the clock once."""
    found = flow.store.find(Query(order="id", limit=1000)).records
    return [
        (one.title, one.state, one.version, [entry.trigger for entry in flow.store.history([one.id])]) for one in found
    ]


def codes(outcome: Outcome) -> list[str] | None:
    """The codes of a refusal; None where the request was not refused."""
    assert (outcome.record is None) == (outcome.error is not None)
    if not isinstance(outcome.error, TransitionRefused):
        return None
    return sorted(one.code for one in outcome.error.refusals)


ACTS = st.sampled_from(("lend", "return", "remark", "show"))
WHO = st.sampled_from((CLERK, CHIEF))


@given(
    acts=st.lists(st.tuples(ACTS, WHO, st.lists(st.integers(0, 5), max_size=9), st.booleans()), max_size=4),
    chunk=st.integers(1, 7),
)
def test_a_run_results_in_the_same_as_single_calls(acts: list[tuple[str, Actor, list[int], bool]], chunk: int) -> None:
    """For any requests, also several of one record, `run` and `fire` give the same records and refusals."""
    bulk, single = flow_on(MemoryStore()), flow_on(MemoryStore())
    made = [[flow.create(draft, by=CLERK) for draft in drafts(6)] for flow in (bulk, single)]
    for trigger, actor, numbers, by_id in acts:
        details = LoanTerms(days=2) if trigger == "lend" else None
        ids = [made[0][number].id for number in numbers]
        aims: list[Any] = list(ids) if by_id else [bulk.store.get([id])[0] for id in dict.fromkeys(ids)]
        outcomes = list(bulk.run(fires(aims, trigger, details, by=actor), on_error="skip", chunk=chunk))
        refused: list[list[str] | None] = []
        for aim in aims:
            id = aim if by_id else aim.id
            try:
                single.fire(id, trigger, details, by=actor)
                refused.append(None)
            except TransitionRefused as error:
                refused.append(sorted(one.code for one in error.refusals))
        assert [one.place for one in outcomes] == list(range(len(aims)))
        assert [codes(one) for one in outcomes] == refused
    assert stored(bulk) == stored(single)
    for record in bulk.store.find(Query(limit=1000)).records:
        assert replay(bulk.store.history([record.id]), LOAN if record.kind == LOAN.name else REMINDER) == record


@pytest.mark.parametrize("store", [MemoryStore, lambda: SqlStore("sqlite://")], ids=["memory", "sqlite"])
def test_each_created_record_has_its_history(store: Any) -> None:
    """Each draft becomes a record with its first entry, in the order of the drafts."""
    with flow_on(store()) as flow:
        outcomes = list(flow.run(creates(drafts(25), by=CLERK), chunk=10))
        assert [one.record.title for one in outcomes if one.record] == [draft.title for draft in drafts(25)]
        for one in outcomes:
            assert one.record is not None
            assert replay(flow.store.history([one.record.id]), LOAN) == one.record == flow.store.get([one.record.id])[0]


def test_a_chunk_is_one_commit_and_one_call_of_progress() -> None:
    """Each chunk is one commit, after which `progress` gets the number of requests done."""
    store, done = Watched(), list[int]()
    flow = flow_on(store)
    assert len(list(flow.run(creates(drafts(25), by=CLERK), chunk=10, progress=done.append))) == 25
    assert (store.commits, done) == (3, [10, 20, 25])


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("requests", {"requests": None}),
        ("requests", {"requests": 7}),
        ("on_error", {"on_error": "sikp"}),
        ("on_error", {"on_error": None}),
        ("chunk", {"chunk": 0}),
        ("chunk", {"chunk": True}),
        ("chunk", {"chunk": "500"}),
        ("progress", {"progress": 5}),
    ],
)
def test_the_arguments_of_run_are_checked_at_the_call(field: str, arguments: dict[str, Any]) -> None:
    """Invalid arguments are `InvalidValue` before anything is iterated, and no request is taken."""
    taken: list[int] = []

    def requests() -> Iterator[Create]:
        taken.append(1)
        yield from creates(drafts(1), by=CLERK)

    with pytest.raises(InvalidValue) as raised:
        flow_on(MemoryStore()).run(**{"requests": requests(), **arguments})
    assert (raised.value.field, taken) == (field, [])


def test_an_iterable_is_read_a_chunk_at_a_time() -> None:
    """At most one chunk is taken from the iterable ahead of the outcomes that were returned."""
    taken = 0

    def endless() -> Iterator[MachineLoan]:
        nonlocal taken
        while True:
            taken += 1
            yield MachineLoan.draft(title="loan")

    outcomes = flow_on(MemoryStore()).run(creates(endless(), by=CLERK), chunk=10)
    for number in range(1, 100):
        next(outcomes)
        assert taken - number < 10


def test_a_refusal_stops_the_run_and_earlier_requests_stay_done() -> None:
    """With "stop" the refusal is raised in its place; earlier requests of its chunk are committed, later ones not."""
    flow = flow_on(MemoryStore())
    ids = [flow.create(draft, by=CLERK).id for draft in drafts(5)]
    flow.fire(ids[2], "lend", LoanTerms(), by=CLERK)
    outcomes = flow.run(fires(ids, "lend", LoanTerms(), by=CLERK))
    assert [next(outcomes).request for _ in range(2)] == [Fire(id, "lend", LoanTerms(), by=CLERK) for id in ids[:2]]
    with pytest.raises(TransitionRefused) as raised:
        next(outcomes)
    assert raised.value.place == 2
    assert [flow.get(id, by=CLERK).state for id in ids] == ["lent", "lent", "lent", "asked", "asked"]


def test_a_refused_act_leaves_none_of_its_steps() -> None:
    """A request whose steps are refused writes nothing, while the others of its chunk are committed."""
    flow = flow_on(MemoryStore())
    lent = [flow.create(draft, by=CLERK) for draft in drafts(3)]
    for one in lent:
        flow.fire(one, "lend", LoanTerms(), by=CLERK)
    notes = [one.id for one in flow.find(Query(kind=REMINDER.name, order="id"), by=CLERK)]
    flow.fire(lent[1].id, "return", by=CLERK)  # so that its reminder cannot be counted
    outcomes = list(flow.run(fires(notes, "send", by=CLERK), on_error="skip"))
    assert [one.error is None for one in outcomes] == [True, False, True]
    assert [flow.get(id, by=CLERK).state for id in notes] == ["sent", "noted", "sent"]
    assert [flow.get(one.id, by=CLERK, type=MachineLoan).reminders for one in lent] == [1, 0, 1]


def test_after_a_conflict_requests_run_one_by_one() -> None:
    """When a concurrent writer changes one record of a chunk, its requests fall back to one by one; ids are retried."""
    store = Watched()
    flow = flow_on(store)
    ids = [flow.create(draft, by=CLERK).id for draft in drafts(4)]
    store.before_commit = lambda: flow.fire(ids[1], "remark", by=CLERK)
    outcomes = list(flow.run(fires(ids, "hide", by=attrs.evolve(CHIEF, clearance="secret"))))
    assert [one.record.version for one in outcomes if one.record] == [2, 3, 2, 2]


def test_a_stale_snapshot_is_an_outcome_of_its_own() -> None:
    """An outdated record is `StaleRecord` in its place; with "skip" the others are done, with "stop" it is raised."""
    flow = flow_on(MemoryStore())
    made = [flow.create(draft, by=CLERK) for draft in drafts(3)]
    flow.fire(made[1].id, "remark", by=CLERK)
    skipped = list(flow.run(fires(made, "lend", LoanTerms(), by=CLERK), on_error="skip"))
    assert [type(one.error) for one in skipped] == [type(None), StaleRecord, type(None)]
    assert [flow.get(one.id, by=CLERK).state for one in made] == ["lent", "asked", "lent"]
    with pytest.raises(StaleRecord):
        list(flow.run(fires(made[1:2], "lend", LoanTerms(), by=CLERK)))


def test_each_error_of_a_request_has_its_place() -> None:
    """Refused, stale, missing, existing, invalid, a used key, unknown trigger: each is its request's outcome."""
    flow = flow_on(MemoryStore())
    first, second = (flow.create(draft, by=CLERK, key=f"k{n}") for n, draft in enumerate(drafts(2)))
    flow.fire(second.id, "remark", by=CLERK)
    stream: list[Any] = [
        Fire(first.id, "lend", LoanTerms(), by=CLERK),
        Fire(first.id, "lend", LoanTerms(), by=CLERK),
        Fire(second, "lend", LoanTerms(), by=CLERK),
        Fire("nobody", "remark", by=CLERK),
        Create(MachineLoan.draft(id=first.id, title="again"), by=CLERK),
        "no request",
        Fire(second.id, "remark", by=CLERK, key="k0"),
        Fire(second.id, "sing", by=CLERK),
        Fire(second.id, "remark", by=CLERK),
    ]
    outcomes = list(flow.run(stream, on_error="skip"))
    assert [type(one.error) for one in outcomes] == [
        type(None), TransitionRefused, StaleRecord, RecordNotFound, AlreadyExists, InvalidValue, DuplicateKey,
        UnknownTrigger, type(None),
    ]  # fmt: skip
    assert [one.place for one in outcomes] == list(range(len(stream)))
    assert [one.error.place for one in outcomes if one.error is not None] == [1, 2, 3, 4, 5, 6, 7]
    for place in range(1, 8):
        with pytest.raises(ReportflowError) as raised:
            list(flow.run(stream[place : place + 1]))
        assert type(raised.value) is type(outcomes[place].error)


def test_an_interrupted_run_is_resumed_by_its_keys() -> None:
    """Requests with used keys are idempotent replays: nothing is written twice, and `repeated` is true."""
    flow = flow_on(MemoryStore())
    stream = [Create(draft, by=CLERK, key=f"k{n}") for n, draft in enumerate(drafts(6))]
    first = list(flow.run(stream[:4], chunk=2))
    again = list(flow.run(stream, chunk=4))
    assert [one.repeated for one in first] == [False] * 4
    assert [one.repeated for one in again] == [True] * 4 + [False] * 2
    assert [one.record for one in again[:4]] == [one.record for one in first]
    assert flow.count(Query(kind=LOAN.name), by=CLERK) == {(): 6}


def test_an_error_of_the_iterable_is_raised_after_all_that_it_gave() -> None:
    """An error that the iterable raises is raised unchanged, with its place as a note; what it gave before is done."""

    def broken() -> Iterator[Create]:
        yield from (Create(draft, by=CLERK) for draft in drafts(3))
        raise OSError("the file ends here")

    flow, done = flow_on(MemoryStore()), list[int]()
    outcomes = flow.run(broken(), chunk=2, on_error="skip", progress=done.append)
    assert [next(outcomes).place for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="ends here") as raised:
        next(outcomes)
    assert "place 3" in raised.value.__notes__[0]
    assert done == [2, 3]
    assert flow.count(Query(kind=LOAN.name), by=CLERK) == {(): 3}


def test_a_chunk_in_doubt_is_not_run_again() -> None:
    """Where it is unknown whether a chunk was committed, the run ends with that error, and nothing is written twice."""

    class InDoubt(MemoryStore):
        def commit(self, changes: Sequence[Change]) -> None:
            super().commit(changes)
            raise StorageUnavailable("lost:", "gone", "unknown")

    store = InDoubt()
    with pytest.raises(StorageUnavailable) as raised:
        list(ReportFlow(store, [LOAN, REMINDER]).run(creates(drafts(5), by=CLERK), on_error="skip", chunk=3))
    assert raised.value.place == 0
    assert store.count(Query()) == {(): 3}


def test_an_error_of_the_store_stops_the_run() -> None:
    """An error of the store itself is raised, with "skip" too."""

    class Unavailable(MemoryStore):
        def commit(self, changes: Sequence[Change]) -> None:
            if any(change.expected for change in changes):
                raise StorageUnavailable("db:", "gone")
            super().commit(changes)

    flow = ReportFlow(Unavailable(), [LOAN, REMINDER])
    id = flow.create(MachineLoan.draft(), by=CLERK).id
    with pytest.raises(StorageUnavailable):
        list(flow.run(fires([id], "remark", by=CLERK), on_error="skip"))


def test_a_conflict_that_lasts_is_raised() -> None:
    """A conflict that lasts beyond the deadline is raised, as by `fire`."""

    class AlwaysConflicting(MemoryStore):
        def commit(self, changes: Sequence[Change]) -> None:
            if any(change.expected for change in changes):
                raise Conflict([change.record.id for change in changes])
            super().commit(changes)

    store = AlwaysConflicting()
    flow = ReportFlow(store, [LOAN, REMINDER], retry_timeout=0.01)
    id = flow.create(MachineLoan.draft(), by=CLERK).id
    with pytest.raises(Conflict):
        list(flow.run(fires([id], "remark", by=CLERK)))
    assert store.get([id])[0].version == 1


LI = Actor(id="li", roles={"editor"}, unit="yulin")


def reports(number: int) -> tuple[ReportFlow, list[Report]]:
    """A flow of the office, with some reports."""
    ids = count(1)
    flow = ReportFlow(MemoryStore(), REPORT, new_id=lambda: f"r{next(ids)}")
    author = Author(name="张三", id="zhang")
    made = [flow.create(Report.draft(title="t", text="x", authors=[author]), by=LI) for _ in range(number)]
    return flow, made


def test_a_snapshot_that_an_earlier_request_outdated_is_stale() -> None:
    """A snapshot of a record that an earlier request of the chunk changed is `StaleRecord`, allowed or refused."""
    flow, (first, second, third) = reports(3)
    merged = flow.run(fires([second.id, first], "merge", Merge(target=first.id), by=LI))
    assert next(merged).place == 0
    with pytest.raises(StaleRecord) as caught:
        next(merged)
    assert (caught.value.id, caught.value.seen, caught.value.stored) == (first.id, 1, 2)
    assert flow.get(second.id, by=LI).state == "merged"
    twice = flow.run(fires([third, third], "assign", Assignment(assignee="li"), by=LI), on_error="skip")
    assert [type(one.error) for one in twice] == [type(None), StaleRecord]
    assert flow.get(third.id, by=LI).version == 2


def test_a_commuting_transition_is_never_stale_in_a_run() -> None:
    """A commuting transition is decided on the stored record, done or refused, whatever version its caller saw."""
    flow, [report] = reports(1)
    flow.fire(report.id, "assign", Assignment(assignee="li"), by=LI)
    outcomes = list(flow.run(fires([report, report], "comment", Comment(text="x"), by=LI)))
    assert [outcome.record.version for outcome in outcomes if outcome.record] == [3, 4]
    [refused] = flow.run(fires([report], "comment", by=LI), on_error="skip")
    assert isinstance(refused.error, TransitionRefused)


def test_an_unknown_trigger_of_a_snapshot_is_reported_as_by_fire() -> None:
    """A snapshot of another kind is `UnknownTrigger`, also where an earlier request changed its record."""
    flow = flow_on(MemoryStore())
    loan = flow.create(MachineLoan.draft(title="loan"), by=CLERK)
    loan = flow.fire(loan, "lend", LoanTerms(days=3), by=CLERK)
    secret = Actor(id="cy", roles={"chief"}, unit="north", clearance=Secrecy.SECRET)
    hidden = flow.fire(loan, "hide", by=secret)
    [reminder] = [one for one in flow.store.find(Query()).records if one.kind != hidden.kind]
    with pytest.raises(UnknownTrigger):
        flow.fire(hidden, "send", by=CLERK)
    outcomes = flow.run(fires([reminder, hidden], "send", by=CLERK), on_error="skip")
    assert [type(one.error) for one in outcomes] == [type(None), UnknownTrigger]
