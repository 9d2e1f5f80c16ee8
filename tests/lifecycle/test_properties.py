"""What holds for any lifecycle and any path through it, on every store that ships."""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import assume, event, given

from reportflow import (
    Entry,
    Lifecycle,
    MemoryStore,
    Option,
    Query,
    Record,
    RecordNotFound,
    ReportFlow,
    ReportflowError,
    SqlStore,
    Store,
    TransitionRefused,
    as_of,
    replay,
)
from reportflow.lifecycle.decision import options
from reportflow.testing.differences import without_digests
from reportflow.testing.strategies.definitions import ERRAND, valid_details
from tests.lifecycles import OVERSEER, PEOPLE, Act, Office, stories

#: A store with a function that says everything it holds.
Opened = AbstractContextManager[tuple[Store, Callable[[], object]]]


@contextmanager
def memory() -> Iterator[tuple[Store, Callable[[], object]]]:
    """A memory store; its content is the result of all its reads."""
    store = MemoryStore()

    def holds() -> object:
        item = store.feed(limit=10_000)
        ids = list(dict.fromkeys(one.entry.record_id for one in item))
        found = store.find(Query(limit=1000)).records
        return item, store.get(ids), store.history(ids), found, store.count(Query(), "entries", ["trigger"])

    yield store, holds


@contextmanager
def sqlite() -> Iterator[tuple[Store, Callable[[], object]]]:
    """An SQL store in a file; its content is every row of every table, read without reportflow."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "office.db")
        store = SqlStore(f"sqlite:///{path}")

        def holds() -> object:
            with closing(sqlite3.connect(path)) as connection:
                tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
                assert len(tables) >= 4
                return {name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1, 2').fetchall() for name in tables}

        try:
            yield store, holds
        finally:
            store.close()


both = pytest.mark.parametrize("opened", [memory, sqlite])


def walk(store: Store, lifecycle: Lifecycle, path: list[Act]) -> Iterator[tuple[Office, Record | ReportflowError]]:
    """Do one act after another; gives the result of each."""
    office = Office(store, [lifecycle, ERRAND])
    for act in path:
        outcome = office.do(act)
        event(type(outcome).__name__)
        yield office, outcome
    event(f"the longest history: {max((store.get([id])[0].version for id in office.ids), default=0)}")


def walked(store: Store, lifecycle: Lifecycle, path: list[Act]) -> Office:
    """The office after all the acts."""
    *_, (office, _outcome) = walk(store, lifecycle, path)
    return office


@both
@given(story=stories())
def test_a_record_is_the_fold_of_its_history(opened: Callable[[], Opened], story: tuple[Lifecycle, list[Act]]) -> None:
    """After every act, `replay` of each record's history is the record that the store gives."""
    with opened() as (store, _):
        for office, _outcome in walk(store, *story):
            for id in office.ids:
                history = office.flow.history(id, by=OVERSEER)
                record = office.flow.get(id, by=OVERSEER)
                assert replay(history, story[0] if record.kind == "casework" else ERRAND) == record


@both
@given(story=stories())
def test_as_of_is_what_the_store_gave(opened: Callable[[], Opened], story: tuple[Lifecycle, list[Act]]) -> None:
    """`as_of(version=n)` is what the store gave at version n, and `as_of(time=t)` the last that was recorded by t."""
    with opened() as (store, _):
        seen: dict[tuple[str, int], Record] = {}
        for office, outcome in walk(store, *story):
            if isinstance(outcome, Record):
                # Unless a step of the act moved the record again, the act gave the record's next version.
                assert outcome == office.flow.get(outcome.id, by=OVERSEER)
            for id in office.ids:
                record = office.flow.get(id, by=OVERSEER)
                seen[id, record.version] = record
        for (id, version), record in seen.items():
            assert office.flow.as_of(id, by=OVERSEER, version=version) == record
        for id in office.ids:
            history = office.flow.history(id, by=OVERSEER)
            for time in {entry.recorded_at for entry in history}:
                last = max(entry.sequence for entry in history if entry.recorded_at <= time)
                then = office.flow.as_of(id, by=OVERSEER, time=time)
                assert then == office.flow.as_of(id, by=OVERSEER, version=last)
                assert then.version == last


@both
@given(story=stories())
def test_a_refused_command_leaves_the_store_as_it_was(
    opened: Callable[[], Opened], story: tuple[Lifecycle, list[Act]]
) -> None:
    """After any error of a command, the store has the same rows as before."""
    with opened() as (store, holds):
        before = holds()
        for _, outcome in walk(store, *story):
            after = holds()
            assert (after == before) == isinstance(outcome, ReportflowError)
            before = after


@both
@given(story=stories())
def test_versions_have_no_gaps_and_time_runs_forward(
    opened: Callable[[], Opened], story: tuple[Lifecycle, list[Act]]
) -> None:
    """Sequences count from 1 to the version; `recorded_at` never decreases though the clock does."""
    with opened() as (store, _):
        office = walked(store, *story)
        for id in office.ids:
            history = office.flow.history(id, by=OVERSEER)
            record = office.flow.get(id, by=OVERSEER)
            assert [entry.sequence for entry in history] == list(range(1, record.version + 1))
            assert [entry.source for entry in history] == [None, *(entry.dest for entry in history[:-1])]
            recorded = [entry.recorded_at for entry in history]
            assert recorded == sorted(recorded)
            assert all(entry.at <= entry.recorded_at for entry in history)
            assert record.updated_at == recorded[-1]
            assert record.created_at == history[0].at


@given(story=stories())
def test_both_stores_have_the_same_results(story: tuple[Lifecycle, list[Act]]) -> None:
    """The same path gives the same records, entries and errors on every store."""
    results: list[object] = []
    for opened in (memory, sqlite):
        with opened() as (store, _):
            outcomes = [
                str(outcome) if isinstance(outcome, ReportflowError) else without_digests(outcome)
                for _, outcome in walk(store, *story)
            ]
            results.append((outcomes, without_digests([item.entry for item in store.feed(limit=10_000)])))
    assert results[0] == results[1]


@given(story=stories())
def test_every_cause_is_an_earlier_entry(story: tuple[Lifecycle, list[Act]]) -> None:
    """The `cause` of an entry is the `ref` of an entry before it, by the same actor and in the same commit."""
    store = MemoryStore()
    walked(store, *story)
    earlier: dict[str, Entry] = {}
    for entry in (item.entry for item in store.feed(limit=10_000)):
        if entry.trigger == "tick":
            assert entry.cause is not None
        if entry.cause is not None:
            cause = earlier[entry.cause]
            assert cause.actor == entry.actor
            assert cause.at <= entry.at
        earlier[entry.ref] = entry


class Trial:
    """A store that reads as another does and writes nothing: for commands that are only tried."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, changes: object) -> None:
        """Write nothing."""


@given(story=stories(most=5))
def test_offer_and_enforce_are_one(story: tuple[Lifecycle, list[Act]]) -> None:
    """`options` allows exactly what `fire` does with valid details and a reason, and names exactly its refusals."""
    lifecycle, path = story
    store = MemoryStore()
    office = walked(store, lifecycle, path)
    assume(office.ids)
    trial = ReportFlow(cast(Store, Trial(store)), [lifecycle, ERRAND], clock=lambda: office.now)
    for id in office.ids:
        for actor in PEOPLE:
            try:
                offered = trial.options(id, by=actor)
            except RecordNotFound as error:
                with pytest.raises(RecordNotFound, match=re.escape(str(error))):
                    trial.fire(id, "create", by=actor)
                continue
            record = trial.get(id, by=actor)
            its = lifecycle if record.kind == "casework" else ERRAND
            assert [option.trigger for option in offered] == [one for one in its.triggers if one != "create"]
            for option in offered:
                given = [refusal.code for refusal in option.refusals]
                found = enforced(trial, record, option, actor)
                if option.details is not None and not given:  # whether it would be out of sight then, they decide
                    found = [code for code in found if code not in ("clearance", "out_of_sight")]
                assert found == given
                assert option.allowed == (not option.refusals)


def enforced(flow: ReportFlow, record: Record, option: Option, actor: Any) -> list[str]:
    """The codes with which a transition is refused when it is given the details and the reason of its row."""
    try:
        flow.fire(record.id, option.trigger, valid_details(option.details), by=actor, reason="because")
    except TransitionRefused as refused:
        event(f"refused: {' '.join(getattr(one, 'code', '?') for one in refused.refusals)}")
        return [getattr(one, "code", "?") for one in refused.refusals]
    event("allowed")
    return []


@given(story=stories(most=5))
def test_missing_details_and_reason_are_refused_with_the_rest(story: tuple[Lifecycle, list[Act]]) -> None:
    """Without details and reason, `fire` raises every refusal of the offer, and `details` and `reason` where needed."""
    lifecycle, path = story
    store = MemoryStore()
    office = walked(store, lifecycle, path)
    assume(office.ids)
    trial = ReportFlow(cast(Store, Trial(store)), [lifecycle], clock=lambda: office.now)
    id = office.ids[0]
    record = trial.get(id, by=OVERSEER)
    for option in options(lifecycle, record, OVERSEER, now=office.now):  # without what the steps would say
        applies = lifecycle.row(record.state, option.trigger)
        rows = (applies[0],) if applies else lifecycle.rows(option.trigger)
        needs_reason = all(row.reason_required for row in rows)
        if option.details is None and not needs_reason:
            continue
        with pytest.raises(TransitionRefused) as refused:
            trial.fire(id, option.trigger, by=OVERSEER)
        codes = [getattr(one, "code", "?") for one in refused.value.refusals]
        own = [one.code for one in option.refusals]
        assert codes == own + ["details"] * (option.details is not None) + ["reason"] * needs_reason


@given(story=stories())
def test_as_of_a_part_of_a_history_is_its_replay(story: tuple[Lifecycle, list[Act]]) -> None:
    """The pure `as_of` of any first part of a history is the replay of that part."""
    store = MemoryStore()
    office = walked(store, *story)
    for id in office.ids[:1]:
        history = store.history([id])
        for version in range(1, len(history) + 1):
            assert as_of(history, story[0], version=version) == replay(history[:version], story[0])
