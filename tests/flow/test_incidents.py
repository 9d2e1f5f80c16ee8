"""Incidents of a flow: in the log ``reportflow.flow`` and to the hook `observe`, without any text of a record."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from reportflow import (
    Actor,
    Change,
    Conflict,
    Create,
    Fire,
    MemoryStore,
    ReportFlow,
    StorageBusy,
    StorageError,
)
from reportflow.flow.incidents import Incident
from reportflow.office import REPORT, Author, Comment, Report

LI = Actor(id="li", name="李四", roles={"editor"}, unit="yulin")
LOG = "reportflow.flow"
#: Texts of the records, the request and the store's error, which no incident may hold.
TEXTS = ("校园安全", "confidential text", "张三", "李四", "private comment", "private reason", "db-host")


class Unlucky(MemoryStore):
    """A store that fails some commits with an error before the next one succeeds."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[StorageError] = []

    def commit(self, changes: Sequence[Change]) -> None:
        if self.errors:
            raise self.errors.pop(0)
        super().commit(changes)


@pytest.fixture
def store() -> Unlucky:
    """A store that fails no commit yet."""
    return Unlucky()


@pytest.fixture
def incidents() -> list[Incident]:
    """What the hook was given."""
    return []


def flow_on(store: Unlucky, incidents: list[Incident], retry_timeout: float = 5.0) -> tuple[ReportFlow, Report]:
    """A flow with the hook, and a report."""
    ids = iter(["first", "new"])
    flow = ReportFlow(store, REPORT, new_id=ids.__next__, observe=incidents.append, retry_timeout=retry_timeout)
    draft = Report.draft(title="校园安全", text="confidential text", authors=[Author(name="张三")])
    return flow, flow.create(draft, by=LI)


def comment(flow: ReportFlow, id: str) -> None:
    """A comment, the request that fails."""
    flow.fire(id, "comment", Comment(text="private comment"), by=LI, reason="private reason")


def check_log(caplog: pytest.LogCaptureFixture, ids: Sequence[str], levels: Sequence[int]) -> None:
    """The log has one line a level, each with the ids and without any text."""
    assert [(one.name, one.levelno) for one in caplog.records] == [(LOG, level) for level in levels]
    for line in caplog.messages:
        assert all(id in line for id in ids)
        assert not [text for text in TEXTS if text in line]


@pytest.mark.parametrize("error", [Conflict(["x"]), StorageBusy("db-host", "locked by 张三")], ids=["conflict", "busy"])
def test_each_retry_is_logged_and_observed(
    store: Unlucky, incidents: list[Incident], error: StorageError, caplog: pytest.LogCaptureFixture
) -> None:
    """Each retry is one incident with the error's code, the record's id, the trigger and the attempt."""
    flow, report = flow_on(store, incidents)
    store.errors = [error, error]
    with caplog.at_level(logging.INFO, LOG):
        comment(flow, report.id)
    assert incidents == [
        Incident(kind="retry", code=error.code, ids=(report.id,), trigger="comment", attempt=attempt)
        for attempt in (1, 2)
    ]
    check_log(caplog, [report.id, error.code], [logging.INFO] * 2)


@pytest.mark.parametrize("error", [Conflict(["x"]), StorageBusy("db-host", "locked by 张三")], ids=["conflict", "busy"])
def test_a_conflict_that_is_given_up_is_logged_and_observed(
    store: Unlucky, incidents: list[Incident], error: StorageError, caplog: pytest.LogCaptureFixture
) -> None:
    """After the deadline the last failure is a ``gave_up`` incident, logged as a warning, and the error is raised."""
    flow, report = flow_on(store, incidents, retry_timeout=-1.0)
    store.errors = [error]
    with caplog.at_level(logging.INFO, LOG), pytest.raises(type(error)):
        comment(flow, report.id)
    assert incidents == [Incident(kind="gave_up", code=error.code, ids=(report.id,), trigger="comment", attempt=1)]
    check_log(caplog, [report.id, error.code], [logging.WARNING])


def test_an_incident_of_a_batch_names_all_its_records(
    store: Unlucky, incidents: list[Incident], caplog: pytest.LogCaptureFixture
) -> None:
    """The incident of a batch has the id of each of its records once, and no trigger."""
    flow, report = flow_on(store, incidents)
    store.errors = [StorageBusy("db-host", "locked")]
    draft = Report.draft(title="校园安全", text="confidential text", authors=[Author(name="张三")])
    text = Comment(text="private comment")
    with caplog.at_level(logging.INFO, LOG):
        flow.batch(
            [Fire(report.id, "comment", text, by=LI), Create(draft, by=LI), Fire(report.id, "comment", text, by=LI)]
        )
    assert incidents == [Incident(kind="retry", code="storage_busy", ids=(report.id, "new"), attempt=1)]
    check_log(caplog, [report.id, "new"], [logging.INFO])


def test_a_refusal_is_no_incident(store: Unlucky, incidents: list[Incident], caplog: pytest.LogCaptureFixture) -> None:
    """What the caller is refused, or does without a conflict, is neither logged nor observed."""
    flow, report = flow_on(store, incidents)
    with caplog.at_level(logging.DEBUG, LOG):
        comment(flow, report.id)
        outcomes = list(flow.run([Fire(report.id, "adopt", by=LI)], on_error="skip"))
    assert outcomes[0].error is not None
    assert (incidents, caplog.records) == ([], [])
