"""A history that is not one is refused, and says what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from reportflow import (
    Actor,
    Author,
    Entry,
    InvalidValue,
    Report,
    ReportFlow,
    Revision,
    RuleFailed,
    UnknownLifecycle,
    as_of,
    open_flow,
    replay,
)

LI = Actor(id="li", roles={"editor"}, unit="yulin")


def draft(id: str) -> Report:
    """A draft that brings its id."""
    return Report.draft(id=id, title="t", text="x", authors=[Author(name="x")])


@pytest.fixture(name="flow")
def _flow() -> ReportFlow:
    return open_flow("memory:")


@pytest.fixture(name="history")
def _history(flow: ReportFlow) -> list[Entry]:
    for id in ("one", "two"):
        made = flow.create(draft(id), by=LI)
        for text in ("a", "b"):
            made = flow.fire(made, "edit", Revision(text=text), by=LI)
    return [*flow.history("one", by=LI), *flow.history("two", by=LI)]


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        (lambda entries: [], "no entries"),
        (lambda entries: entries[1:3], "creates nothing"),
        (lambda entries: entries[:4], "several records"),
        (lambda entries: [entries[0], entries[2]], "sequences"),
        (lambda entries: [entries[0], entries[2], entries[1]], "sequences"),
    ],
    ids=["nothing", "no creation", "several records", "a gap", "out of order"],
)
def test_what_is_no_history_is_refused(
    history: list[Entry], cut: Callable[[list[Entry]], list[Entry]], said: str
) -> None:
    """Only the whole history of one record, from its creation on and without a gap, is replayed."""
    with pytest.raises(InvalidValue, match=said) as raised:
        replay(cut(history))
    assert raised.value.field == "history"


def test_a_history_finds_the_definition_it_names(history: list[Entry]) -> None:
    """Without a lifecycle the one that the draft names is taken; one that was never built is `UnknownLifecycle`."""
    assert replay(history[:3]).state == "edited"
    begun = history[0].details
    assert isinstance(begun, Report)
    stranger = attrs.evolve(history[0], details=attrs.evolve(begun, kind="never built"))
    with pytest.raises(UnknownLifecycle, match="never built"):
        replay([stranger, *history[1:3]])


def test_an_entry_that_the_table_does_not_know_is_named(history: list[Entry]) -> None:
    """An entry of a trigger that its state does not have is `RuleFailed`, and names the record."""
    with pytest.raises(RuleFailed, match="one"):
        replay([history[0], attrs.evolve(history[1], trigger="juggle")])


def test_a_version_that_is_none_is_refused(history: list[Entry]) -> None:
    """`as_of` takes a whole version within the history."""
    for version in (0, 4, "1", True):
        with pytest.raises(InvalidValue) as raised:
            as_of(history[:3], version=version)  # type: ignore[arg-type]  # bad input
        assert raised.value.field == "version"
