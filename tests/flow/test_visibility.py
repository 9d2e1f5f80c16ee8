"""What an actor may no longer see: it is in no history, no error and no idempotent replay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reportflow import (
    Actor,
    DuplicateKey,
    MemoryStore,
    RecordNotFound,
    ReportFlow,
    SqlStore,
    as_of,
)
from reportflow.office import REPORT, Author, Classification, Comment, Report, Revision

LOW = Actor(id="low", roles={"editor", "reviewer"}, unit="here")
HIGH = Actor(id="high", roles={"editor"}, unit="here", clearance="top_secret")


@pytest.fixture(params=["memory", "sqlite"])
def flow(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReportFlow]:
    """A flow of reports on each store."""
    store = MemoryStore() if request.param == "memory" else SqlStore(f"sqlite:///{tmp_path / 'office.db'}")
    with ReportFlow(store, REPORT) as opened:
        yield opened


def _report(flow: ReportFlow, by: Actor, **fields: Any) -> Report:
    return flow.create(Report.draft(title="t", text="TOP", authors=[Author(name="x")], **fields), by=by)


def test_history_stops_at_the_clearance(flow: ReportFlow) -> None:
    """An entry that a secret record had before or after it is not in the history of an actor without the clearance."""
    made = _report(flow, HIGH, secrecy="secret")
    made = flow.fire(made, "edit", Revision(text="clean"), by=HIGH)
    made = flow.fire(made, "classify", Classification(secrecy="internal"), by=HIGH)
    made = flow.fire(made, "comment", Comment(text="open"), by=HIGH)
    assert [entry.trigger for entry in flow.history(made.id, by=LOW)] == ["comment"]
    assert [entry.sequence for entry in flow.history(made.id, by=HIGH)] == [1, 2, 3, 4]
    with pytest.raises(RecordNotFound):
        flow.as_of(made.id, version=1, by=LOW)
    assert flow.as_of(made.id, version=4, by=LOW) == made
    assert as_of(flow.history(made.id, by=HIGH), REPORT, version=1).secrecy == "secret"


def test_a_record_that_became_invisible_is_not_found(flow: ReportFlow) -> None:
    """Neither a snapshot nor a key reveals a record that the actor may no longer see."""
    made = flow.create(Report.draft(title="t", text="x", authors=[Author(name="x")]), by=LOW, key="c")
    flow.fire(made, "edit", Revision(text="y"), by=LOW, key="k")
    flow.fire(made.id, "classify", Classification(secrecy="secret"), by=HIGH)
    calls: list[Callable[[], object]] = [
        lambda: flow.fire(made, "edit", Revision(text="n"), by=LOW),
        lambda: flow.fire(made, "review", by=LOW),
        lambda: flow.fire(made.id, "edit", Revision(text="y"), by=LOW, key="k"),
        lambda: flow.fire(made.id, "edit", Revision(text="other"), by=LOW, key="k"),
        lambda: flow.create(Report.draft(title="t", text="x", authors=[Author(name="x")]), by=LOW, key="c"),
    ]
    for call in calls:
        with pytest.raises(RecordNotFound):
            call()
    other = _report(flow, HIGH)
    flow.fire(other.id, "edit", Revision(text="y"), by=HIGH, key="k")
    with pytest.raises(DuplicateKey):
        flow.fire(other.id, "edit", Revision(text="z"), by=HIGH, key="k")
