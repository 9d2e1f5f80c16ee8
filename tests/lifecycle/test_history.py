"""Replaying histories: invalid ones are refused with the problem, valid ones give any earlier version."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from reportflow import Actor, Entry, InvalidValue, ReportFlow, UnknownLifecycle, as_of, open_flow, replay
from reportflow.errors import RuleFailed
from reportflow.office import REPORT, Author, Report, Revision

LI = Actor(id="li", roles={"editor"}, unit="yulin")


def draft() -> Report:
    """A draft."""
    return Report.draft(title="t", text="x", authors=[Author(name="x")])


@pytest.fixture(name="flow")
def _flow() -> ReportFlow:
    return open_flow("memory:", new_id=iter(["one", "two"]).__next__)


@pytest.fixture(name="history")
def _history(flow: ReportFlow) -> list[Entry]:
    for _ in range(2):
        made = flow.create(draft(), by=LI)
        for text in ("a", "b"):
            made = flow.fire(made, "edit", Revision(text=text), by=LI)
    return [*flow.history("one", by=LI), *flow.history("two", by=LI)]


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (lambda entries: [], "no entries"),
        (lambda entries: entries[1:3], "creates nothing"),
        (lambda entries: entries[:4], "several records"),
        (lambda entries: [entries[0], entries[2]], "sequences"),
        (lambda entries: [entries[0], entries[2], entries[1]], "sequences"),
    ],
    ids=["nothing", "no creation", "several records", "a gap", "out of order"],
)
def test_an_invalid_history_is_refused(
    history: list[Entry], cut: Callable[[list[Entry]], list[Entry]], message: str
) -> None:
    """Only the whole history of one record, from its creation on and without a gap, is replayed."""
    with pytest.raises(InvalidValue, match=message) as raised:
        replay(cut(history), REPORT)
    assert raised.value.field == "history"


def test_a_history_finds_the_definition_it_names(history: list[Entry]) -> None:
    """The lifecycle that each entry names is used; one that is not among them is `UnknownLifecycle`."""
    assert replay(history[:3], [REPORT]).state == "edited"
    stranger = attrs.evolve(history[0], kind="never built")
    with pytest.raises(UnknownLifecycle, match="never built"):
        replay([stranger, *history[1:3]], [REPORT])


def test_an_entry_without_a_row_is_named(history: list[Entry]) -> None:
    """An entry of a trigger that its state does not have is `RuleFailed` with the record."""
    with pytest.raises(RuleFailed, match="one"):
        replay([history[0], attrs.evolve(history[1], trigger="juggle")], REPORT)


def test_an_invalid_version_is_refused(history: list[Entry]) -> None:
    """`as_of` takes an integer version within the history."""
    for version in (0, 4, "1", True):
        with pytest.raises(InvalidValue) as raised:
            as_of(history[:3], REPORT, version=version)  # type: ignore[arg-type]  # bad input
        assert raised.value.field == "version"


def problem(call: Callable[[], object]) -> tuple[str, str, dict[str, object]]:
    """The field, the problem and all the facts with which something is refused."""
    with pytest.raises(InvalidValue) as raised:
        call()
    return raised.value.field, raised.value.problem, raised.value.details


def test_the_problem_of_a_history(history: list[Entry]) -> None:
    """The first problem of a history is reported, a gap with at most 20 of the sequences that there are."""
    for cut, given in (
        ([], "no entries"),
        (history[1:3], "the first entry creates nothing"),
        ([attrs.evolve(history[0], details=None)], "the first entry creates nothing"),
        ([attrs.evolve(history[0], source="draft")], "the first entry creates nothing"),
        (history[:4], "entries of several records"),
        ([history[0], history[2]], "sequences [1, 3]"),
        ([history[0]] * 30, f"sequences {[1] * 20}"),
    ):
        assert problem(lambda cut=cut: replay(cut, REPORT)) == ("history", "history", {"given": given})  # type: ignore[misc]  # bound now
    stranger = attrs.evolve(history[0], kind="never built", lifecycle_version=7)
    with pytest.raises(UnknownLifecycle) as raised:
        replay([stranger], [REPORT])
    assert (raised.value.name, raised.value.version, raised.value.choices) == ("never built", 7, ("report 1",))


def test_as_of_a_version_or_a_time(history: list[Entry]) -> None:
    """`as_of` takes a version of the history, or a time from the creation on: what was recorded until then."""
    whole = history[:3]
    start = datetime(2022, 1, 1, tzinfo=UTC)
    timed = [attrs.evolve(one, recorded_at=start + timedelta(days=index)) for index, one in enumerate(whole)]
    timed[0] = attrs.evolve(timed[0], at=start)
    for version in (1, 2, 3):
        assert as_of(whole, REPORT, version=version).version == version
        assert as_of(timed, REPORT, time=start + timedelta(days=version - 1)).version == version
        assert as_of(timed, REPORT, time=start + timedelta(days=version - 1, hours=23)).version == version
    assert problem(lambda: as_of(whole, REPORT)) == ("as_of", "version_or_time", {})
    assert problem(lambda: as_of(whole, REPORT, version=1, time=start)) == ("as_of", "version_or_time", {})
    for wrong_version in (0, 4):
        facts = {"given": wrong_version, "least": 1, "most": 3}
        assert problem(lambda given=wrong_version: as_of(whole, REPORT, version=given)) == ("version", "range", facts)  # type: ignore[misc]  # bound now
    wrong_type = {"expected": "int", "given": "str '1'"}
    assert problem(lambda: as_of(whole, REPORT, version="1")) == ("version", "type", wrong_type)  # type: ignore[arg-type]  # bad input
    early = start - timedelta(seconds=1)
    assert problem(lambda: as_of(timed, REPORT, time=early)) == (
        "time",
        "no_such_time",
        {"given": early, "created": start},
    )
    assert problem(lambda: as_of([], REPORT, time=early)) == ("time", "no_such_time", {"given": early, "created": "?"})
    naive = datetime(2022, 1, 1)
    assert problem(lambda: as_of(timed, REPORT, time=naive)) == ("time", "naive", {"given": "2022-01-01T00:00:00"})


def test_a_given_definition_is_the_one_that_folds(history: list[Entry]) -> None:
    """A given lifecycle is used for the fold, whatever the entries name, by version and by time too."""
    stranger = [attrs.evolve(history[0], kind="never built"), *history[1:3]]
    assert replay(stranger, REPORT).version == 3
    assert as_of(stranger, REPORT, version=2).version == 2
    assert as_of(stranger, REPORT, time=history[2].recorded_at).version == 3
    with pytest.raises(UnknownLifecycle):
        as_of(stranger, [REPORT], version=2)
    with pytest.raises(UnknownLifecycle):
        as_of(stranger, [REPORT], time=history[2].recorded_at)
