"""What a caller hands in is an id and what was seen of it; all else of a record is read from the store."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from reportflow import (
    Actor,
    Fire,
    InvalidValue,
    Query,
    RecordNotFound,
    ReportFlow,
    SqlStore,
    StaleRecord,
    TransitionRefused,
    open_flow,
    replay,
)
from reportflow.model.record import Record, given_by
from reportflow.office import REPORT, Author, Classification, Comment, Report, Revision
from tests import servers

LI = Actor(id="li", roles={"editor"}, unit="yulin", clearance="secret")
WU = Actor(id="wu", roles={"editor", "reviewer"}, unit="yulin")
SUN = Actor(id="sun", roles={"editor"}, unit="elsewhere", clearance="secret")


def draft(**fields: Any) -> Report:
    """A draft of a report."""
    return Report.draft(**{"title": "t", "text": "the text", "authors": [Author(name="x")], **fields})


@pytest.fixture(name="database", params=["sqlite", "postgresql", "mariadb"])
def _database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/office.db"
    else:
        with servers.database(request.param) as url:
            yield url


@pytest.fixture(name="flow", params=["memory", "sqlite"])
def _flow(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReportFlow]:
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/office.db"
    with open_flow(url) as flow:
        yield flow


def test_a_record_of_a_transaction_that_was_rolled_back_is_stale(database: str) -> None:
    """What a bound flow returned before the host rolled back is no version of the record: nobody's text is lost."""
    engine = create_engine(database)
    flow = ReportFlow(SqlStore(engine), REPORT)
    made = flow.create(draft(), by=LI)
    with engine.connect() as connection:
        phantom = flow.bound_to(connection).fire(made, "edit", Revision(text="never kept"), by=LI)
        connection.rollback()
    other = flow.fire(made.id, "edit", Revision(text="another person's"), by=WU)
    assert (phantom.version, phantom.head == other.head) == (other.version, False)
    for trigger, by, details in (("edit", LI, Revision(text="on a phantom")), ("review", WU, None)):
        with pytest.raises(StaleRecord) as caught:
            flow.fire(phantom, trigger, details, by=by)
        assert (caught.value.seen, caught.value.stored) == (2, 2)
        assert "other content" in str(caught.value)
    kept = flow.get(made.id, by=LI, type=Report)
    assert kept.text == "another person's"
    assert replay(flow.store.history([made.id]), REPORT) == kept
    engine.dispose()


def test_the_objects_of_a_bound_flow_are_known_to_that_flow_alone(tmp_path: Path) -> None:
    """Each flow knows the objects that it gave out itself; those of another one are read again."""
    engine = create_engine(f"sqlite:///{tmp_path}/office.db")
    flow = ReportFlow(SqlStore(engine), REPORT)
    with engine.connect() as connection:
        bound = flow.bound_to(connection)
        made = bound.create(draft(), by=LI)
        assert given_by(made) is not None
        edited = bound.fire(made, "edit", Revision(text="new"), by=LI)
        connection.commit()
    assert given_by(flow.get(made.id, by=LI)) is not given_by(edited)
    assert flow.fire(edited, "edit", Revision(text="read again"), by=LI).version == 3
    engine.dispose()


FORGED: list[Callable[[Report], Report]] = [
    lambda record: attrs.evolve(record, text="[hidden]"),
    lambda record: attrs.evolve(record, state="reviewed", edited_by="nobody"),
    lambda record: attrs.evolve(record, unit="elsewhere", secrecy="internal", created_by="sun"),
    copy.copy,
    copy.deepcopy,
    lambda record: pickle.loads(pickle.dumps(record)),
]


@pytest.mark.parametrize("forge", FORGED, ids=["text", "state", "unit", "copy", "deepcopy", "pickle"])
def test_only_the_id_and_what_was_seen_are_taken(flow: ReportFlow, forge: Callable[[Report], Report]) -> None:
    """The other fields of a record that is handed in are never believed: neither kept, nor judged by."""
    made = flow.create(draft(), by=LI)
    forged = forge(made)
    done = flow.fire(forged, "classify", Classification(topics=["water"]), by=LI)
    assert (done.text, done.state, done.unit, done.edited_by) == ("the text", "draft", "yulin", None)
    assert flow.get(made.id, by=LI) == done == replay(flow.store.history([made.id]), REPORT)
    with pytest.raises(RecordNotFound):
        flow.fire(forge(done), "edit", Revision(text="mine now"), by=SUN)
    with pytest.raises(RecordNotFound):
        flow.options(forge(done), by=SUN)


def test_a_forged_record_does_not_pass_a_guard(flow: ReportFlow) -> None:
    """Who edited last is what the store says."""
    edited = flow.fire(flow.create(draft(), by=LI), "edit", Revision(text="by wu"), by=WU)
    with pytest.raises(TransitionRefused, match="edited"):
        flow.fire(attrs.evolve(edited, edited_by="another"), "review", by=WU)
    refused = next(one for one in flow.options(attrs.evolve(edited, edited_by=None), by=WU) if one.trigger == "review")
    assert not refused.allowed


def test_another_head_or_version_is_stale(flow: ReportFlow) -> None:
    """With an id, `version` and `head` say what was seen; with a record they must be the record's own."""
    made = flow.create(draft(), by=LI)
    edited = flow.fire(made, "edit", Revision(text="new"), by=LI)
    for seen in ({"head": made.head}, {"version": 1}, {"version": 2, "head": made.head}, {"head": ""}):
        with pytest.raises(StaleRecord):
            flow.fire(made.id, "edit", Revision(text="late"), by=LI, **seen)
    for wrong in ({"head": made.head}, {"version": 1}, {"head": 7}):
        with pytest.raises(InvalidValue):
            flow.fire(edited, "edit", Revision(text="late"), by=LI, **wrong)
    done = flow.fire(made.id, "edit", Revision(text="newer"), by=LI, version=2, head=edited.head, type=Report)
    assert (done.version, done.text) == (3, "newer")


def test_what_was_never_committed_is_stale(flow: ReportFlow) -> None:
    """A record with a blank head, such as one made by hand, is no version of anything."""
    made = flow.create(draft(), by=LI)
    with pytest.raises(StaleRecord):
        flow.fire(attrs.evolve(made, head=""), "edit", Revision(text="new"), by=LI)


class Counting:
    """A store that counts its reads."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        if name == "get":
            self.reads += 1
        return getattr(self.store, name)


@given(way=st.sampled_from(["commit", "get", "find", "inbox", "batch", "run"]))
def test_the_very_object_that_a_flow_gave_out_spares_the_read(way: str) -> None:
    """By a commit or a read of its own: that object is decided on as it is; an equal one is read first."""
    with open_flow("memory:") as plain:
        store = Counting(plain.store)
        flow = ReportFlow(store, REPORT)
        made: Record = flow.create(draft(), by=LI)
        if way == "get":
            made = flow.get(made.id, by=LI)
        elif way == "find":
            made = flow.find(_of(made), by=LI).records[0]
        elif way == "inbox":
            made = flow.inbox(by=LI).records[0]
        elif way == "batch":
            (made,) = flow.batch([_comment(made)])
        elif way == "run":
            (outcome,) = flow.run([_comment(made)])
            assert outcome.record is not None
            made = outcome.record
        store.reads = 0
        equal = copy.copy(made)
        flow.fire(made, "edit", Revision(text="new"), by=LI)
        assert store.reads == 0
        with pytest.raises(StaleRecord):
            flow.fire(equal, "edit", Revision(text="late"), by=LI)
        assert store.reads == 1


def _of(record: Record) -> Query:
    return Query(id=record.id)


def _comment(record: Record) -> Fire:
    return Fire(record.id, "comment", Comment(text="x"), by=LI)
