"""`conform`: a factory of stores to a report, whatever the factory and its stores do."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from reportflow import (
    Capabilities,
    Change,
    Entry,
    InvalidValue,
    MemoryStore,
    Record,
    RecordNotFound,
    StorageUnavailable,
    Store,
)
from reportflow.storage.refusing import check_changes
from reportflow.testing import ConformanceFinding, ConformanceReport, SuiteRefused, conform
from reportflow.testing.broken import BrokenPromise
from reportflow.testing.conformance import chance, races, suite
from reportflow.testing.conformance.handles import HandleTests
from reportflow.testing.conformance.report import TESTS
from reportflow.testing.conformance.whole import every_test
from reportflow.testing.differences import first_difference, shown
from reportflow.testing.factory import CALLS
from tests.testing.sessions import session

FEW = chance.Profile(runs=2, calls=3)


@pytest.fixture(autouse=True)
def _few_random_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The random part is tried in tests of its own; here it is to be quick."""
    monkeypatch.setitem(chance.PROFILES, "default", FEW)


def failure(report: ConformanceReport, test: str) -> ConformanceFinding:
    """The failure of one test."""
    (found,) = [one for one in report.failures if one.test == test]
    return found


def failure_in(test: str, factory: Callable[[], Any], **given: Any) -> ConformanceFinding:
    """The failure of one test, when no other is run."""
    return failure(session(factory, test, **given), test)


@pytest.fixture(name="sound", scope="module")
def fixture_sound() -> ConformanceReport:
    """The report on a store that keeps the contract."""
    return conform(MemoryStore, profile="brief", seed=1)


def test_a_sound_store_passes(sound: ConformanceReport) -> None:
    """A store that keeps the contract passes, and what it does not declare is skipped with the reason."""
    assert sound.passed
    assert sound.failures == ()
    told = {one.test: one.reason for one in sound.skipped}
    assert told == {
        "test_what_was_committed_outlives_the_store": "The store does not declare the capability durable.",
        "test_a_store_opened_anew_goes_on": "The store does not declare the capability durable.",
        "test_what_was_committed_needs_no_close": "The store does not declare the capability durable.",
        "test_a_store_that_was_closed": "The store does not declare the capability durable.",
        "test_two_stores_use_a_key_and_an_id_once": "The store does not declare the capability shared.",
        "test_what_a_cancelled_commit_leaves": "The store is not asynchronous: there is no task to cancel.",
        "test_what_a_cancelled_read_leaves": "The store is not asynchronous: there is no task to cancel.",
        "test_two_stores_see_each_other": "The store does not declare the capability shared.",
        "test_two_stores_replace_a_version_once": "The store does not declare the capability shared.",
        "test_a_rollback_of_the_host_takes_everything_back": (
            "The store does not declare the capability host_transaction."
        ),
    }


def test_every_test_of_the_suite_is_run(sound: ConformanceReport) -> None:
    """The report has each test of the suite once, the factory's first and the random one last."""
    names = [one.test for one in sound]
    assert tuple(names) == every_test()
    assert names[0] == "test_the_factory_gives_fresh_stores"
    assert names[-1] == "test_any_calls_in_any_order"


def test_every_test_says_its_sentence_in_both_languages(sound: ConformanceReport) -> None:
    """Each test has its call, a sentence in English that is its docstring, and one in Chinese."""
    assert set(TESTS) == {one.test for one in sound}
    for one in sound:
        assert one.call in (*CALLS, "make_store", "every call")
        assert re.fullmatch(r"\S.*\.", one.sentence)
        assert one.promise("en") == one.sentence
        assert re.search(r"[一-鿿].*。$", one.promise("zh")), one.test


def test_a_report_can_be_read(sound: ConformanceReport) -> None:
    """The text of a report says what failed, what was skipped and why, and the verdict, in either language."""
    assert str(sound).splitlines()[-1] == f"The contract is kept: {len(sound.findings) - 10} passed, 10 skipped."
    assert "    The store does not declare the capability durable." in str(sound)
    assert sound.text("zh").splitlines()[-1].startswith("契约得到遵守")


def test_nothing_run_is_no_pass() -> None:
    """A report in which nothing passed has not passed."""
    assert not ConformanceReport(()).passed


# -- why a test failed ------------------------------------------------------------------------------------------------


class CutsTitles(MemoryStore):
    """Keeps a title without its blanks."""

    def _set(self, changes: Sequence[Change]) -> None:
        cut = [attrs.evolve(one.record, title=one.record.title.strip()) for one in changes]
        super()._set([attrs.evolve(one, record=record) for one, record in zip(changes, cut, strict=True)])


def test_a_failed_comparison_shows_its_line_and_both_sides() -> None:
    """A failure names the sentence, the line that failed, where the sides differ first, and both of them."""
    found = failure_in("test_every_text_comes_back", CutsTitles)
    assert found.call == "get"
    assert found.sentence.startswith("Texts come back letter for letter")
    assert "assert store.get([second.record.id]) == [second.record]" in found.reason
    assert "left[0].title is 'around', and right[0].title is ' around '" in found.reason
    assert "以下不成立：assert" in found.explain("zh")


class LeaksErrors(MemoryStore):
    """Raises what its driver raises."""

    def history(self, ids: Sequence[str]) -> list[Entry]:
        raise sqlite3.OperationalError("no such table: entry")


def test_a_foreign_error_is_named_with_what_to_do() -> None:
    """An error that is not of reportflow is a failure that says so."""
    found = failure_in("test_history_in_the_order_of_the_ids", LeaksErrors)
    assert found.reason.startswith("sqlite3.OperationalError: no such table: entry\n")
    assert "A store raises errors of reportflow.errors only; translate this one" in found.reason


class SaysGone(MemoryStore):
    """Is unavailable when asked for a count."""

    def count(self, *_: object, **__: object) -> Any:
        raise StorageUnavailable("x", "gone")


def test_an_error_that_is_not_due_is_named() -> None:
    """An error of reportflow where none is due is a failure that names it, and its line."""
    found = failure_in("test_records_and_entries", SaysGone)
    assert found.reason.startswith("reportflow.errors.StorageUnavailable was raised where it is not due")


class SaysTheWrongError(MemoryStore):
    """Takes a missing record for another thing."""

    def get(self, ids: Sequence[str]) -> list[Record]:
        try:
            return super().get(ids)
        except RecordNotFound:
            raise InvalidValue("ids", "unknown") from None


def test_another_error_than_the_due_one_is_named() -> None:
    """Where one error is due and another comes, both are said."""
    found = failure_in("test_get_names_all_that_are_missing", SaysTheWrongError)
    assert found.reason.startswith("RecordNotFound was due, not InvalidValue(")
    assert "In: error = raised(RecordNotFound, store.get" in found.reason


class GivesNothing(MemoryStore):
    """Gives None where a list of one or none is due."""

    def get(self, ids: Sequence[str]) -> list[Record]:
        found = super().get(ids)
        return found if len(found) > 1 else None  # type: ignore[return-value]  # this is its fault


def test_an_answer_of_the_wrong_form_is_told_from_an_error() -> None:
    """What goes wrong in the suite, because of what the store gave, is not taken for an error of the store."""
    assert "left:  None" in failure_in("test_get_in_the_order_asked", GivesNothing).reason
    found = failure_in("test_times_come_back_to_the_microsecond", GivesNothing)
    assert "The result of the store cannot be used as the contract says. In: (record,), (entry,) =" in found.reason


def test_a_reason_survives_values_that_cannot_be_shown() -> None:
    """A value whose repr raises is shown as such, and differences are found inside values."""

    class Rude:
        def __repr__(self) -> str:
            raise RuntimeError

    assert shown(Rude()) == "<Rude whose repr raises RuntimeError>"
    assert len(shown("x" * 10_000)) < 400
    found = first_difference({"a": [1, (2, 3)]}, {"a": [1, (2, 4)]})
    assert found == ("['a'][1][1]", 3, 4)
    shorter = first_difference([1], [1, 2])
    assert shorter is not None
    assert (shorter.path, shorter.other) == ("[1]", 2)
    assert first_difference((1,), (1,)) is None


class StopsTheProgram(MemoryStore):
    """Ends the program instead of raising an error."""

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        sys.exit(3)


def test_a_store_cannot_end_the_program() -> None:
    """`conform` gives its report even where a store calls for the end of the program."""
    assert "SystemExit: 3" in failure_in("test_keyed_gives_the_entry_of_the_key", StopsTheProgram).reason


class LeavesItsLock(MemoryStore):
    """Keeps its lock where a commit is refused."""

    def commit(self, changes: Sequence[Change]) -> None:
        check_changes(changes)
        self._lock.acquire()
        self._compare(changes)
        self._set(changes)
        self._lock.release()


def test_a_store_that_waits_for_itself_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that does not come back fails with that sentence, and after two such tests the rest is not run."""
    monkeypatch.setattr(suite.StoreFixtures, "timeout", 1.0)
    report = session(LeavesItsLock)
    assert [one.code for one in report.failures] == ["hung", "hung"]
    assert "did not come back in 1 s: the store waits for itself" in report.failures[0].reason
    assert report.findings[-1].reason == "Not run: 2 tests before it did not come back."
    assert not report.passed


def test_threads_that_wait_for_each_other_are_a_failure() -> None:
    """Calls at the same moment that never end are a failure, not a silence."""
    gate = threading.Event()
    try:
        with pytest.raises(BrokenPromise, match=r"2 call\(s\) did not come back"):
            races.together([gate.wait, gate.wait, lambda: True], timeout=0.5)
    finally:
        gate.set()


# -- bad input --------------------------------------------------------------------------------------------------------


class Shared(MemoryStore):
    """New objects on the same data."""

    DATA = MemoryStore()

    def __init__(self) -> None:
        self.__dict__ = self.DATA.__dict__


def full() -> Store:
    """A store with a record in it."""
    from reportflow.testing.acts import created, report

    store = MemoryStore()
    store.commit([created(report("r0"))])
    return store


def raising() -> Store:
    """No store at all."""
    raise OSError("no space left")


ONE = MemoryStore()
#: What is wrong with a factory -> the factory, and what the report says.
FACTORIES: dict[str, tuple[Callable[[], Any], str]] = {
    "the same store": (lambda: ONE, "The factory gives the same store twice."),
    "the same data": (Shared, "The factory gives a new object on the same data"),
    "not empty": (full, "The factory gives a store that is not empty."),
    "raises": (raising, "The factory raised OSError: no space left"),
    "no store": (dict, "The factory gives a dict, which lacks calls of the contract: capabilities, commit"),
    "nothing": (lambda: None, "The factory gives a NoneType, which lacks calls"),
    "takes an argument": (lambda path: path, "The factory raised TypeError"),  # type: ignore[misc, dict-item]  # this is wrong
    "not a function": (3, "The factory raised TypeError: 'int' object is not callable"),  # type: ignore[dict-item]  # as well
}


@pytest.mark.parametrize("wrong", FACTORIES)
def test_a_wrong_factory_is_said_and_nothing_else_is_run(wrong: str) -> None:
    """A factory that gives no fresh store is a failure that says what to give; the rest is listed as not run."""
    factory, said = FACTORIES[wrong]
    report = session(factory)
    assert not report.passed
    (found,) = report.failures
    assert (found.test, found.call) == ("test_the_factory_gives_fresh_stores", "make_store")
    assert found.reason.startswith(said)
    assert len(report.skipped) == len(report.findings) - 1
    assert {one.reason for one in report.skipped} == {
        "Not run: without a fresh store for each test none of them would prove anything."
    }


def test_an_unknown_profile_is_an_invalid_value() -> None:
    """A profile that there is not is refused with those that there are."""
    with pytest.raises(InvalidValue, match="thorough"):
        conform(MemoryStore, profile="quick")


# -- capabilities -----------------------------------------------------------------------------------------------------


class Lasting(MemoryStore):
    """A store whose data outlives it, for as long as the process."""

    capabilities = Capabilities(durable=True, shared=True)

    def close(self) -> None:
        """Nothing: what it holds is another one's too."""


def lasting_again(store: Lasting) -> Lasting:
    """One more store on the same data."""
    again = Lasting()
    again.__dict__ = store.__dict__
    return again


def test_a_durable_and_shared_store_is_opened_again() -> None:
    """With `reopen` a store that says it is durable and shared is held to both."""
    only = [name for name in vars(HandleTests) if name.startswith("test_")]
    report = conform(Lasting, reopen=lasting_again, only=only)
    assert len(report.findings) == 5
    assert report.failures == ()
    assert [one.test for one in report.skipped] == ["test_a_rollback_of_the_host_takes_everything_back"]


@pytest.mark.parametrize(
    ("reopen", "said"),
    [
        (None, "The store declares durable or shared, and there is no function that opens it again. Give reopen"),
        (lambda store: Lasting(), "reopen gives an empty store"),
        (lambda store: None, "reopen gives a NoneType, which lacks calls"),
        (lambda store: store.path, "reopen raised AttributeError"),
    ],
)
def test_a_wrong_reopen_is_said(reopen: Any, said: str) -> None:
    """A durable store without `reopen`, or with one that opens something else, fails with what to give."""
    for test in ("test_what_was_committed_outlives_the_store", "test_two_stores_see_each_other"):
        assert failure_in(test, Lasting, reopen=reopen).reason.startswith(said)


class Forgetful(Lasting):
    """Says that it is shared, and each of two stores on the same data remembers what it saw."""

    def get(self, ids: Sequence[str]) -> list[Record]:
        seen = vars(self).setdefault(f"seen by {id(self)}", {})
        return [seen.setdefault(one, super(Forgetful, self).get([one])[0]) for one in ids]

    def commit(self, changes: Sequence[Change]) -> None:
        super().commit(changes)
        vars(self).pop(f"seen by {id(self)}", None)


def test_a_stale_read_through_another_store_is_found() -> None:
    """What another store on the same data committed must be seen."""

    def again(store: Forgetful) -> Forgetful:
        other = Forgetful()
        other.__dict__ = store.__dict__
        return other

    found = failure_in("test_two_stores_see_each_other", Forgetful, reopen=again)
    assert "left[0] is 2, and right[0] is 3" in found.reason


class Hosted(MemoryStore):
    """Writes inside a transaction of the host: here, a copy to go back to."""

    capabilities = Capabilities(host_transaction=True)
    forgets: tuple[str, ...] = ("_records", "_histories", "_keys", "_feed")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        before = {name: type(held)(held) for name, held in vars(self).items() if name in self.forgets}
        histories = {id: list(entries) for id, entries in self._histories.items()}
        yield
        vars(self).update(before)
        self._histories = histories


class KeepsTheOutbox(Hosted):
    """Rolls back all but the feed."""

    forgets = ("_records", "_histories", "_keys")


def test_a_rollback_of_the_host_is_tried() -> None:
    """With `rolled_back` a store that writes in a host's transaction is held to it; a feed that stays is found."""
    rolled_back: Any = Hosted.transaction
    test = "test_a_rollback_of_the_host_takes_everything_back"
    assert session(Hosted, test, rolled_back=rolled_back).passed
    assert "assert after == before" in failure_in(test, KeepsTheOutbox, rolled_back=rolled_back).reason
    skipped = {one.test: one.reason for one in session(Hosted, test).skipped}
    assert skipped[test].startswith("The store declares host_transaction, and there is no function that begins one")


# -- the random part --------------------------------------------------------------------------------------------------


class CountsToThree(MemoryStore):
    """Gives the fourth entry of a history twice: no test is made for that."""

    def history(self, ids: Sequence[str]) -> list[Entry]:
        entries = super().history(ids)
        return entries[:-1] + entries[-1:] * (1 + (len(ids) == 1 and len(entries) == 4))


def test_the_random_part_finds_what_no_test_is_made_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The random part is held against the model, and its reason has the calls that fail."""
    monkeypatch.setitem(chance.PROFILES, "default", chance.Profile(runs=200, calls=20, shrinking=0.0))
    found = failure_in("test_any_calls_in_any_order", CountsToThree, seed=2)
    assert "state.histories_replay()\nstate.teardown()" in found.reason


class Slow(CountsToThree):
    """Takes its time, as a server does."""

    def get(self, ids: Sequence[str]) -> list[Record]:
        time.sleep(0.005)
        return super().get(ids)


@pytest.mark.parametrize("seconds", [1e-9, 0.5])
def test_shrinking_ends_with_its_time(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that only chance finds is shrunk for so long and no longer, and the calls shown do fail."""
    monkeypatch.setitem(chance.PROFILES, "default", chance.Profile(runs=200, calls=20, shrinking=seconds))
    started = time.monotonic()
    found = failure_in("test_any_calls_in_any_order", Slow, seed=2)
    assert time.monotonic() - started < 15  # without an end it takes minutes
    assert found.code == "reason.not_due"
    assert "state.histories_replay()\nstate.teardown()" in found.reason


def test_a_seed_makes_the_same_calls_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one seed the random part makes the same calls twice, with another one others."""
    calls: list[str] = []

    class Noting(MemoryStore):
        def commit(self, changes: Sequence[Change]) -> None:
            calls.append(repr(changes))
            super().commit(changes)

    def made(seed: int) -> list[str]:
        calls.clear()
        assert session(Noting, "test_any_calls_in_any_order", seed=seed).passed
        return list(calls)

    monkeypatch.setitem(chance.PROFILES, "default", chance.Profile(runs=5, calls=5))
    assert made(1) == made(1) != made(2)


def test_without_hypothesis_the_random_part_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Hypothesis is not installed all else is run, and the report says which extra to install."""
    assert session(MemoryStore, "test_a_commit_of_nothing", "test_any_calls_in_any_order").skipped == ()
    for name in [name for name in sys.modules if name.split(".")[0] == "hypothesis"]:
        monkeypatch.setitem(sys.modules, name, None)
    for name in [
        name for name in sys.modules if name.startswith(("reportflow.testing.machine", "reportflow.testing.st"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    report = session(MemoryStore, "test_a_commit_of_nothing", "test_any_calls_in_any_order")
    assert report.passed
    assert report.skipped[-1].test == "test_any_calls_in_any_order"
    assert 'pip install "reportflow[testing]"' in report.skipped[-1].reason


def test_the_profiles_differ_in_how_hard_they_try() -> None:
    """The profile for the night makes more runs of more calls."""
    night = chance.PROFILES["thorough"]
    assert (night.runs, night.calls) > (20, 20)
    assert tuple(chance.PROFILES) == ("brief", "default", "thorough")


# -- the process of the tests -----------------------------------------------------------------------------------------


class Dies(MemoryStore):
    """Ends the process."""

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        os.write(2, b"no more memory")
        os._exit(9)


def test_a_store_that_ends_the_process_is_a_failure() -> None:
    """The test in which the process of the tests died fails with its last words, and the rest is listed as not run."""
    report = conform(
        Dies,
        only={"test_a_commit_of_nothing", "test_keyed_gives_the_entry_of_the_key", "test_one_version_is_replaced_once"},
    )
    passed, failed, skipped = report
    assert (passed.test, passed.outcome) == ("test_a_commit_of_nothing", "passed")
    assert failed.reason == (
        "The process of the tests ended with exit code 9 in this test. The last it wrote: no more memory"
    )
    assert skipped.reason == "Not run: the process of the tests had ended before."
    assert not report.passed


class Shelf:
    """Functions may be inside a class."""

    store = MemoryStore


def local() -> Callable[[], Store]:
    """A factory that has no name in its module."""

    def factory() -> Store:
        return MemoryStore()

    return factory


@pytest.mark.parametrize(
    "factory",
    [local(), lambda: MemoryStore(), functools.partial(MemoryStore), 3, "no_such_module:factory", "tests:nothing"],
    ids=["local", "lambda", "partial", "number", "module", "name"],
)
def test_a_function_that_cannot_be_imported_is_refused(factory: Any) -> None:
    """What the process of the tests could not import is refused at the call, as a factory and as `reopen`."""
    for given in ({"factory": factory}, {"factory": MemoryStore, "reopen": factory}):
        with pytest.raises(SuiteRefused, match="Give a function or class at the top of a module") as caught:
            conform(**given)
        assert "模块顶层" in caught.value.message("zh")


def test_a_function_may_be_named() -> None:
    """A factory may be given by its name, with a dotted one inside a class."""
    only = {"test_the_factory_gives_fresh_stores"}
    for factory in (Shelf.store, f"{__name__}:Shelf.store", "reportflow:MemoryStore"):
        assert conform(factory, only=only).passed


def test_progress_is_reported() -> None:
    """Each finding is given to the function as soon as its test has ended; what the function raises ends the run."""
    only = {"test_the_factory_gives_fresh_stores", "test_capabilities_are_declared"}
    given: list[ConformanceFinding] = []
    assert conform(MemoryStore, only=only, progress=given.append).findings == tuple(given)

    def stop(finding: ConformanceFinding) -> None:
        raise LookupError(finding.test)

    with pytest.raises(LookupError, match="test_the_factory_gives_fresh_stores"):
        conform(MemoryStore, only=only, progress=stop)


def test_without_assert_statements_the_suite_is_refused() -> None:
    """Under ``python -O``, where no test could fail, the suite is not even imported."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    for code in ("from reportflow.testing import StoreTests", "from reportflow.testing import conform"):
        done = subprocess.run(
            [sys.executable, "-O", "-c", code], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "Python runs without assert statements" in done.stderr.splitlines()[-1]


def test_without_pytest_the_suite_says_which_extra_it_needs() -> None:
    """Where pytest is absent, what needs it names the extra to install, and the rest of the kit is there."""
    script = """
import sys
sys.modules["pytest"] = None
from reportflow import MissingExtra, testing
assert testing.Twin and testing.awaited and testing.LifecycleMachine
for name in ("StoreTests", "conform", "ConformanceReport"):
    try:
        getattr(testing, name)
    except MissingExtra as missing:
        print(missing)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["pytest is not installed; type: pip install reportflow[testing]"] * 3


# -- pytest in a project of one's own ---------------------------------------------------------------------------------

PROJECT = """
import pytest
from reportflow import MemoryStore
from reportflow.testing import StoreTests


class Reversed(MemoryStore):
    def find(self, query):
        page = super().find(query)
        return type(page)(page.records[::-1], page.next)


def full():
    from reportflow.testing.acts import created, report
    store = MemoryStore()
    store.commit([created(report("r0"))])
    return store


class TestReversed(StoreTests):
    @pytest.fixture
    def new_store(self):
        return Reversed


class TestFull(StoreTests):
    @pytest.fixture
    def new_store(self):
        return full
"""


def test_a_class_with_one_fixture_is_all_that_pytest_needs(tmp_path: Path) -> None:
    """In a project of its own, with nothing configured, a failure shows both sides, a wrong factory what to give."""
    (tmp_path / "test_own.py").write_text(PROJECT, "utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    chosen = "test_ids_by_code_point or test_a_commit_of_nothing"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", chosen],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "1 failed, 1 passed" in done.stdout, done.stdout
    assert "2 errors" in done.stdout
    assert "At index 0 diff: '𠮷' != '-'" in done.stdout
    assert "The factory gives a store that is not empty. Give a fresh one each time" in done.stdout
