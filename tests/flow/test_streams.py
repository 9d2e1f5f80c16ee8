"""The stream of a `run`: what goes on after an interruption, awaited streams, errors with their texts and places."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    STANDARD,
    AlreadyExists,
    AsyncReportFlow,
    AsyncSqlStore,
    Change,
    Create,
    Entry,
    Fire,
    InvalidValue,
    MemoryStore,
    Query,
    ReportFlow,
    ReportflowError,
    SqlStore,
    StorageError,
    StorageUnavailable,
    Store,
    TransitionRefused,
    UnknownTrigger,
)
from tests.flow.test_bulk import CHIEF, CLERK, Watched, drafts, flow_on, stored
from tests.flow.test_keys_and_creations import CHIEF as ELSEWHERE
from tests.flow.test_keys_and_creations import CLERK as LETTER_CLERK
from tests.flow.test_keys_and_creations import LETTERS, EnteredLetter
from tests.lifecycles import START
from tests.servers import SERVERS, database
from tests.testing.test_lifecycle_machine import LOAN, REMINDER, LoanTerms, MachineLoan

ENGINES = ["sqlite", *(pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in SERVERS)]
Requests = list[Create | Fire]


def loans(number: int) -> Requests:
    """An import of loans with keys and times: each is created, lent, which makes a reminder, and returned."""
    requests: Requests = []
    for one in range(number):
        id, then = f"loan-{one}", START - timedelta(days=30)
        requests += [
            Create(MachineLoan(id=id, title=id), by=CLERK, at=then, key=f"{id}/create"),
            Fire(id, "lend", LoanTerms(days=3), by=CLERK, at=then + timedelta(days=1), key=f"{id}/lend"),
            Fire(
                id, "return", by=CLERK, at=then + timedelta(days=one % 4), key=f"{id}/return"
            ),  # some before it was lent
            Fire(id, "lend", LoanTerms(days=9), by=CLERK, key=f"{id}/again"),
        ]
    return requests


class Interrupted(MemoryStore):
    """Is lost at one of its commits, before it or after it."""

    def __init__(self, at: int, *, kept: bool) -> None:
        super().__init__()
        self.left = at
        self.kept = kept

    def commit(self, changes: Sequence[Change]) -> None:
        self.left -= 1
        if self.left == 0:
            if self.kept:
                super().commit(changes)
            raise StorageUnavailable("lost:", "gone", "unknown")
        super().commit(changes)


@given(
    number=st.integers(1, 5),
    chunks=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    at=st.integers(1, 4),
    kept=st.booleans(),
)
def test_an_interrupted_import_goes_on_and_makes_nothing_twice(
    number: int, chunks: tuple[int, int], at: int, kept: bool
) -> None:
    """Wherever it was interrupted, an import that is run again by its keys ends as one that was not interrupted."""
    whole, interrupted = MemoryStore(), Interrupted(at, kept=kept)
    once = list(flow_on(whole).run(loans(number), on_error="skip", chunk=chunks[0]))
    flow = flow_on(interrupted)
    with contextlib.suppress(StorageUnavailable):  # where there are so many commits
        list(flow.run(loans(number), on_error="skip", chunk=chunks[0]))
    interrupted.left = 0
    for chunk in chunks:
        again = list(flow.run(loans(number), on_error="skip", chunk=chunk))
        assert [type(one.error) for one in again] == [type(one.error) for one in once]
    assert all(one.repeated for one in again if one.error is None)
    assert stored(flow) == stored(flow_on(whole))
    assert _times(interrupted) == _times(whole)


def _times(store: Store) -> list[tuple[str, str, object]]:
    entries: list[Entry] = [item.entry for item in store.feed(limit=1000) if item.entry is not None]
    return sorted((one.key, one.trigger, one.at) for one in entries if one.key is not None and "again" not in one.key)


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.booleans()), max_size=14), st.integers(1, 5))
def test_keys_result_in_the_same_as_single_calls(acts: list[tuple[int, str, bool]], chunk: int) -> None:
    """Whatever keys repeat, within a chunk or over several, for the same request or another, `run` and `fire` agree."""
    bulk, single = flow_on(MemoryStore()), flow_on(MemoryStore())
    ids = [[flow.create(draft, by=CLERK).id for draft in drafts(2)] for flow in (bulk, single)]

    def requests(ids: list[str]) -> Iterator[Fire]:
        for number, key, keyed in acts:
            trigger = ("lend", "return", "remark")[number % 3]
            details = LoanTerms(days=2) if trigger == "lend" else None
            yield Fire(ids[number % 2], trigger, details, by=CLERK, key=key if keyed else None)

    expected: list[tuple[type[Exception], bool] | tuple[int, bool]] = []
    used: dict[str, int] = {}
    for number, one in enumerate(requests(ids[1])):
        before = len(single.store.feed(limit=1000))
        try:
            done = single.fire(one.id, one.trigger, one.details, by=one.by, key=one.key)
        except ReportflowError as error:
            expected.append((type(error), False))
            continue
        expected.append((done.version, len(single.store.feed(limit=1000)) == before))
        used.setdefault(one.key or "", number)
    found = [
        (type(one.error), one.repeated) if one.record is None else (one.record.version, one.repeated)
        for one in bulk.run(requests(ids[0]), on_error="skip", chunk=chunk)
    ]
    assert found == expected
    assert stored(bulk) == stored(single)


def test_keys_of_a_first_import_are_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk of unused keys asks for none of them, and is one commit; repeated, it asks for each once."""
    store, asked = Watched(), list[str]()

    def by_key(actor_id: str, key: str) -> Entry | None:
        asked.append(key)
        return MemoryStore.by_key(store, actor_id, key)

    monkeypatch.setattr(store, "by_key", by_key)
    flow = flow_on(store)
    for _ in range(2):
        list(flow.run((Create(draft, by=CLERK, key=draft.title) for draft in drafts(4)), chunk=2))
        if store.commits == 2:
            assert asked == []
    assert asked == [f"loan {number}" for number in range(4)]
    assert store.count(Query()) == {(): 4}


def test_an_error_has_the_texts_of_its_flow() -> None:
    """The error of an outcome, and one that ends a run, speak by the flow's own catalog."""
    texts = {"error.record_not_found@developer": {"en": "nowhere"}}
    flow = ReportFlow(MemoryStore(), [LOAN, REMINDER], catalog=STANDARD.with_texts(texts))
    (outcome,) = flow.run([Fire("none", "remark", by=CLERK)], on_error="skip")
    assert str(outcome.error) == "nowhere"
    with pytest.raises(ReportflowError) as raised:
        list(flow.run([Fire("none", "remark", by=CLERK)]))
    assert (str(raised.value), raised.value.place) == ("nowhere", 0)
    assert "place 0" in raised.value.__notes__[0]


def test_an_error_of_the_stream_that_is_ours_has_its_place() -> None:
    """A draft that cannot be built inside the stream ends the run with its own error, at its place."""

    def rows() -> Iterator[Create]:
        for title in ("one", "two", "\0"):
            yield Create(MachineLoan.draft(title=title), by=CLERK)

    flow = flow_on(MemoryStore())
    outcomes = flow.run(rows(), on_error="skip")
    assert [one.place for one in islice(outcomes, 2)] == [0, 1]
    with pytest.raises(InvalidValue) as raised:
        next(outcomes)
    assert (raised.value.field, raised.value.place) == ("title", 2)


@pytest.mark.parametrize("given", [None, 7, "text", b"", object(), Create, {}, [Fire("x", "remark", by=CLERK)]])
def test_an_object_that_is_no_request_is_named_by_its_place(given: object) -> None:
    """An object of the stream that is no request is `InvalidValue` in its place; the others are done."""
    flow = flow_on(MemoryStore())
    one, other = (Create(draft, by=CLERK) for draft in drafts(2))
    stream: Any = [one, given, other]
    outcomes = list(flow.run(stream, on_error="skip"))
    assert [type(one.error) for one in outcomes] == [type(None), InvalidValue, type(None)]
    assert outcomes[1].error is not None
    assert outcomes[1].error.place == 1
    with pytest.raises(InvalidValue) as raised:
        list(flow.run(stream))
    assert raised.value.place == 1


def test_a_closed_flow_ends_a_run_at_its_place() -> None:
    """A flow that is closed in between ends the run, with the place that was reached."""
    flow = flow_on(MemoryStore())
    outcomes = flow.run((Create(draft, by=CLERK) for draft in drafts(4)), chunk=2, on_error="skip")
    assert [one.place for one in islice(outcomes, 2)] == [0, 1]
    flow.close()
    with pytest.raises(StorageError) as raised:
        next(outcomes)
    assert raised.value.place == 2


def test_what_the_store_refuses_of_one_request_is_its_outcome() -> None:
    """A failure that the store reports without being lost is the outcome of its request; the others are done."""

    class Particular(MemoryStore):
        def commit(self, changes: Sequence[Change]) -> None:
            if any(change.record.title == "loan 1" for change in changes):
                raise StorageError("a trigger of the host raised")
            super().commit(changes)

    outcomes = list(flow_on(Particular()).run((Create(one, by=CLERK) for one in drafts(3)), on_error="skip"))
    assert [type(one.error) for one in outcomes] == [type(None), StorageError, type(None)]


def test_a_taken_id_leaves_the_others_of_its_chunk() -> None:
    """Ids that are taken, by the store or by the stream itself, are outcomes of their own."""
    flow = flow_on(MemoryStore())
    flow.create(MachineLoan(id="a"), by=CLERK)
    stream = [Create(MachineLoan(id=id), by=CLERK) for id in "bacb"]
    outcomes = list(flow.run(stream, on_error="skip"))
    assert [type(one.error) for one in outcomes] == [type(None), AlreadyExists, type(None), AlreadyExists]


def test_a_creation_of_several_is_by_the_row_that_its_request_names() -> None:
    """`Create(trigger=)` in a run: the named row, else the first that permits; refusals and unknown names by place."""
    flow = ReportFlow(MemoryStore(), LETTERS)
    asked = [(None, LETTER_CLERK), ("write", LETTER_CLERK), ("file", LETTER_CLERK), ("pass", LETTER_CLERK),
             ("fiel", LETTER_CLERK), (None, ELSEWHERE)]  # fmt: skip

    def requests() -> Iterator[Create]:
        for number, (trigger, actor) in enumerate(asked):
            yield Create(EnteredLetter.draft(title="t"), by=actor, trigger=trigger, key=f"k{number}")

    for repeated in (False, True):
        outcomes = list(flow.run(requests(), on_error="skip"))
        ways = [one.record.way if isinstance(one.record, EnteredLetter) else type(one.error) for one in outcomes]
        assert ways == ["written", "written", "filed", TransitionRefused, UnknownTrigger, TransitionRefused]
        assert [one.repeated for one in outcomes] == [repeated] * 3 + [False] * 3


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("how", ["by itself", "in a host's transaction"])
def test_faults_and_keys_of_many_requests_on_each_engine(engine: str, how: str, tmp_path: Path) -> None:
    """On each engine each fault is its request's own, and an import that is started again makes nothing twice."""
    stream: list[Any] = [*loans(8), "no request", Fire("none", "remark", by=CLERK), *loans(1)]
    lifecycles = flow_on(MemoryStore()).lifecycles
    with contextlib.ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'loans.db'}" if engine == "sqlite" else stack.enter_context(database(engine))
        store = SqlStore(url)
        flow = used = stack.enter_context(ReportFlow(store, lifecycles))
        if how != "by itself":
            used = flow.bound_to(stack.enter_context(store.engine.begin()))
        first, again = (list(used.run(stream, on_error="skip", chunk=40)) for _ in range(2))
        assert [type(one.error) for one in first] == [type(one.error) for one in again]
        assert [one.record for one in again] == [one.record for one in first]
        assert [one.place for one in again if one.record and not one.repeated] == []
        assert used.store.count(Query(kind=LOAN.name)) == {(): 8}


# ---------------------------------------------------------------------------------------------------------------
# Awaited


Found = list[tuple[int, type[Exception] | None, bool]]


def awaited_run(requests: Callable[[], Any], **arguments: Any) -> tuple[Found, Exception | None]:
    """The outcomes of an asynchronous run, of a second one where it came to its end; and what ended it."""

    async def run() -> tuple[Found, Exception | None]:
        found: Found = []
        async with AsyncReportFlow(AsyncSqlStore("sqlite+aiosqlite://"), flow_on(MemoryStore()).lifecycles) as flow:
            try:
                for _ in range(2):
                    found = []
                    async for one in flow.run(requests(), **arguments):
                        found.append((one.place, type(one.error) if one.error else None, one.repeated))
            except Exception as error:
                return found, error
        return found, None

    return asyncio.run(run())


def test_an_awaited_stream_gives_the_same_outcomes() -> None:
    """An asynchronous iterable and a plain one have the outcomes of the blocking flow; `progress` may be awaited."""
    done: list[int] = []

    async def progress(number: int) -> None:
        done.append(number)

    async def stream() -> AsyncIterator[Any]:
        for one in (*loans(2), None):
            await asyncio.sleep(0)
            yield one

    flow = flow_on(MemoryStore())
    plain: list[Any] = [*loans(2), None]
    for _ in range(2):
        expected = [
            (one.place, type(one.error) if one.error else None, one.repeated)
            for one in flow.run(plain, on_error="skip", chunk=4)
        ]
    given_plain = awaited_run(lambda: plain, on_error="skip", chunk=4, progress=progress)
    assert awaited_run(stream, on_error="skip", chunk=4) == given_plain == (expected, None)
    assert done == [4, 8, 9] * 2


def test_an_awaited_stream_that_raises_names_the_place() -> None:
    """What an asynchronous iterable raises is raised unchanged, with its place, after the outcomes of what it gave."""

    async def stream() -> AsyncIterator[Any]:
        for one in loans(1):
            yield one
        raise OSError("the connection ends here")

    found, error = awaited_run(stream, on_error="skip", chunk=3)
    assert [place for place, _, _ in found] == [0, 1, 2, 3]
    assert isinstance(error, OSError)
    assert "place 4" in error.__notes__[0]


def test_an_awaited_stream_is_for_the_awaited_flow() -> None:
    """The blocking flow refuses an asynchronous iterable at the call, and both refuse what is none."""

    async def stream() -> AsyncIterator[Any]:
        yield attrs.NOTHING

    flow: Any = flow_on(MemoryStore())
    with pytest.raises(InvalidValue) as raised:
        flow.run(stream())
    assert raised.value.field == "requests"
    _, error = awaited_run(lambda: 7)
    assert isinstance(error, InvalidValue)
    assert CHIEF != CLERK
