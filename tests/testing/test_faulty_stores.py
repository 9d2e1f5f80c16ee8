"""The suite finds faults: each of these stores breaks the contract in one place, and is caught there."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest

from reportflow import SqlStore, Store
from reportflow.storage.awaited import AsyncCalls
from reportflow.testing import ConformanceReport, StoreTests
from reportflow.testing.conformance import races
from reportflow.testing.conformance.axes import AxisTests
from reportflow.testing.conformance.edges import EdgeTests
from reportflow.testing.conformance.threads import ThreadTests
from reportflow.testing.conformance.whole import every_test
from tests.testing.faulty_stores import FAULTS, commit, feed, find, found_by_chance, held, read
from tests.testing.faulty_stores.__main__ import main

#: What the faulty stores are made of -> the tests that their faults fail.
SOUND: dict[type, list[str]] = {
    base: sorted({test for store, test in FAULTS.items() if base in store.__mro__})
    for store in FAULTS
    for base in store.__mro__
    if base not in (*FAULTS, *SqlStore.__mro__, *AsyncCalls.__mro__)
}
#: Tests that no fault is made for: one needs a store inside a host's transaction, the other is made for all of them.
UNPROVEN = {"test_a_rollback_of_the_host_takes_everything_back", "test_any_calls_in_any_order"}
#: Faults that random calls come upon soon.
SOON_FOUND = (
    commit.KeepsEntriesAlone,
    commit.KeepsHalf,
    commit.KeepsRecordsAlone,
    commit.KeepsTheLastEntry,
    commit.LosesUpdates,
    commit.ReplacesWhatExists,
    commit.SwallowsConflicts,
    commit.TrustsTheWriter,
    feed.NumbersEachAnswer,
    feed.PostsAgain,
    feed.PostsBackward,
    feed.PostsNewestFirst,
    feed.PostsTheRefused,
    feed.SortsTheFeed,
    find.PromisesMore,
    find.SkipsARecord,
    find.TurnsAllKeysRound,
    read.RemembersWhatItRead,
    read.TakesLocalTimeForUtc,
    read.TellsBackward,
)


@cache
def caught(store: type[Store]) -> ConformanceReport:
    """The result of the test that is made for a fault."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(races, "IDLE", 1.0)  # some of them wait for themselves
        return held(store, FAULTS[store], seed=1)


@pytest.mark.parametrize("store", SOUND)
def test_a_sound_store_passes(store: type[Store]) -> None:
    """What a faulty store is made of passes each test that is made for one of its faults."""
    report = held(store, *SOUND[store], seed=1)
    assert report.passed, str(report)
    assert [finding.test for finding in report if finding.outcome == "passed"]


@pytest.mark.parametrize("store", FAULTS)
def test_a_fault_is_caught(store: type[Store]) -> None:
    """A faulty store fails the test that is made for its fault, and the report names the sentence that it breaks."""
    report = caught(store)
    (finding,) = report.failures
    assert not report.passed
    assert finding.test == FAULTS[store]
    assert finding.sentence == getattr(StoreTests, finding.test).__doc__
    assert finding.sentence in str(report)
    assert finding.reason
    assert finding.reason.splitlines()[0] in str(report)


def test_every_fault_is_one_of_its_own() -> None:
    """No two faults are the same to the suite: each fails another test, or for another reason."""
    reasons = Counter(
        (issubclass(store, SqlStore), finding.test, finding.reason)
        for store in FAULTS
        for finding in caught(store).failures
        # how often a race was lost may come to the same, and many faults answer one question of an axis alike
        if finding.test not in {*vars(ThreadTests), *vars(AxisTests), *vars(EdgeTests)}
    )
    assert [why for why, number in reasons.items() if number > 1] == []


def test_every_test_is_made_for_a_fault() -> None:
    """Each test of the suite can fail: some fault fails it."""
    assert set(every_test()) - set(FAULTS.values()) == UNPROVEN


@pytest.mark.parametrize("store", SOON_FOUND)
def test_random_calls_find_it_too(store: type[Store]) -> None:
    """Random calls against the naive model find a fault without knowing of it, with one of a few seeds.

    What a seed draws also depends on the modules that are loaded, from which Hypothesis takes constants.
    """
    assert any(found_by_chance(store, seed) for seed in range(10))


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """The table says of each fault in how many runs it was found."""
    assert main(["--seeds", "2", "--chance", "TakesWhatIsAhead"]) == 0
    row, summary = capsys.readouterr().out.splitlines()
    test = FAULTS[commit.TakesWhatIsAhead]
    assert re.fullmatch(rf"TakesWhatIsAhead +2 of 2   by chance  [012] of 2   {test}", row)  # chance may miss it
    assert summary == "1 faults, missed in some run: none"
