"""What an idempotency key came to, and creations that are named by their row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    ANY,
    OWN,
    SAME,
    UNIT,
    Actor,
    Create,
    DuplicateKey,
    Fire,
    InvalidValue,
    KeyUse,
    Lifecycle,
    MemoryStore,
    Record,
    ReportFlow,
    ReportflowError,
    SqlStore,
    State,
    Step,
    Transition,
    TransitionRefused,
    UnknownTrigger,
)
from reportflow.office import REPORT, Author, Classification, Report, Revision

LI = Actor(id="li", roles={"editor"}, unit="here")
HIGH = Actor(id="high", roles={"editor"}, unit="here", clearance="secret")


@pytest.fixture(params=["memory", "sqlite"])
def flow(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReportFlow]:
    """A flow of reports on each store."""
    store = MemoryStore() if request.param == "memory" else SqlStore(f"sqlite:///{tmp_path / 'office.db'}")
    with ReportFlow(store, REPORT) as opened:
        yield opened


def draft(title: str = "t") -> Report:
    """A draft."""
    return Report.draft(title=title, text="x", authors=[Author(name="a")])


@given(data=st.data())
def test_a_key_tells_what_it_came_to(data: st.DataObject) -> None:
    """Whatever was done since, a key gives the entry that used it and the record after that; others give None."""
    flow = ReportFlow(MemoryStore(), REPORT)
    used: dict[str, Record] = {}
    for number in range(data.draw(st.integers(1, 6))):
        key = data.draw(st.sampled_from((None, f"k{number}")))
        if not used or data.draw(st.booleans()):
            done: Record = flow.create(draft(), by=LI, key=key)
        else:
            id = data.draw(st.sampled_from(sorted({one.id for one in used.values()})))
            done = flow.fire(id, "edit", Revision(text=f"text {number}"), by=LI, key=key)
        if key is not None:
            used[key] = done
    for key, then in used.items():
        found = flow.by_key(key, by=LI)
        assert found == KeyUse(record_id=then.id, sequence=then.version, record=then)
        assert flow.by_key(key, by=HIGH) is None
    assert flow.by_key("unused", by=LI) is None


def test_a_click_that_came_to_nothing_used_no_key(flow: ReportFlow) -> None:
    """A key of an act that was refused is free; that of one request of a batch is that of its own record."""
    report = flow.create(draft(), by=LI, key="c")
    with pytest.raises(TransitionRefused):
        flow.fire(report, "review", by=LI, key="r")
    assert flow.by_key("r", by=LI) is None
    one, other = flow.batch(
        [Fire(report.id, "edit", Revision(text="y"), by=LI, key="e"), Create(draft("o"), by=LI, key="o")]
    )
    assert [flow.by_key(key, by=LI) for key in "ceo"] == [
        KeyUse(record_id=done.id, sequence=done.version, record=done) for done in (report, one, other)
    ]


def test_a_key_tells_nothing_of_what_became_invisible(flow: ReportFlow) -> None:
    """Of a record above today's clearance, now or as it was then, a key still tells which one it was, and no more."""
    report = flow.create(draft(), by=LI, key="k")
    flow.fire(report.id, "classify", Classification(secrecy="secret"), by=HIGH)
    found = flow.by_key("k", by=LI)
    assert found == KeyUse(record_id=report.id, sequence=1, record=None)
    cleared = attrs.evolve(LI, clearance="secret")
    flow.fire(report.id, "edit", Revision(text="secret"), by=cleared, key="s")
    assert flow.by_key("s", by=cleared) is not None
    flow.fire(report.id, "classify", Classification(secrecy="internal"), by=HIGH)
    assert [one and one.record for one in (flow.by_key("k", by=LI), flow.by_key("s", by=LI))] == [report, None]


@pytest.mark.parametrize("key", ["", " ", "a\0b", None, 1])
def test_what_is_no_key_is_refused(flow: ReportFlow, key: object) -> None:
    """A blank text, and what is no text, is no key."""
    with pytest.raises(InvalidValue) as raised:
        flow.by_key(key, by=LI)  # type: ignore[arg-type]  # bad input
    assert raised.value.field == "key"


def test_a_host_asks_inside_its_transaction(tmp_path: Path) -> None:
    """Inside a host's transaction a key tells what was done there, and after a roll-back it was not used."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'office.db'}")
    with ReportFlow(SqlStore(engine), REPORT) as flow, engine.connect() as connection:
        bound = flow.bound_to(connection)
        made = bound.create(draft(), by=LI, key="k")
        assert bound.by_key("k", by=LI) == KeyUse(record_id=made.id, sequence=1, record=made)
        connection.rollback()
        assert flow.by_key("k", by=LI) is None
    engine.dispose()


# ---------------------------------------------------------------------------------------------------------------
# Creations by name


@attrs.frozen(kw_only=True)
class EnteredLetter(Record):
    """A record that comes to be in several ways."""

    way: str = ""


def _copy(before: Record, entry: object) -> list[Step]:
    return [Step(target=EnteredLetter.draft(title="copy"), trigger="file")]


LETTERS = Lifecycle(
    name="entered_letter",
    version=1,
    record=EnteredLetter,
    roles={"writer": OWN, "clerk": UNIT, "chief": ANY},
    states=[State("open"), State("filed", final=True)],
    transitions=[
        Transition("write", source=None, dest="open", roles={"writer", "clerk"}, sets={"way": lambda *_: "written"}),
        Transition("file", source=None, dest="filed", roles={"clerk"}, sets={"way": lambda *_: "filed"}),
        Transition("pass", source="open", dest=SAME, roles={"clerk"}, then=_copy),
        Transition("close", source="open", dest="filed", roles={"clerk"}),
    ],
)
WRITER = Actor(id="writer", roles={"writer"}, unit="here")
CLERK = Actor(id="clerk", roles={"clerk"}, unit="here")
CHIEF = Actor(id="chief", roles={"chief"}, unit="there")


def test_a_creation_is_by_the_row_that_is_named() -> None:
    """`trigger=` says by which row; without it the first that permits the actor is meant."""
    flow = ReportFlow(MemoryStore(), LETTERS)
    for trigger, way in ((None, "written"), ("write", "written"), ("file", "filed")):
        made = flow.create(EnteredLetter.draft(title="t"), by=CLERK, trigger=trigger)
        (entry,) = flow.history(made.id, by=CLERK)
        assert (made.way, entry.trigger) == (way, trigger or "write")
        (again,) = flow.batch([Create(EnteredLetter.draft(title="t"), by=CLERK, trigger=trigger)])
        assert (again.state, again.way) == (made.state, way)  # type: ignore[attr-defined]  # a letter


@pytest.mark.parametrize(
    ("call", "expected", "codes"),
    [
        (lambda flow: flow.create(EnteredLetter.draft(), by=WRITER, trigger="file"), TransitionRefused, {"role"}),
        (lambda flow: flow.create(EnteredLetter.draft(), by=CHIEF), TransitionRefused, {"role"}),
        (lambda flow: flow.create(EnteredLetter.draft(), by=CLERK, trigger="pass"), TransitionRefused, {"state"}),
        (lambda flow: flow.create(EnteredLetter.draft(), by=CLERK, trigger="fiel"), UnknownTrigger, set()),
        (lambda flow: flow.create(EnteredLetter.draft(), by=CLERK, trigger=""), UnknownTrigger, set()),
        (lambda flow: flow.create(EnteredLetter.draft(), by=CLERK, trigger=7), InvalidValue, set()),
    ],
)
def test_a_creation_that_cannot_be_is_refused_by_its_own_row(
    call: Callable[[ReportFlow], object], expected: type[ReportflowError], codes: set[str]
) -> None:
    """Another row that would permit the actor does not step in for the one that is named; nothing is written."""
    store = MemoryStore()
    with pytest.raises(expected) as raised:
        call(ReportFlow(store, LETTERS))
    if isinstance(raised.value, TransitionRefused):
        assert {getattr(one, "code", "") for one in raised.value.refusals} == codes
    assert store.feed() == []


def test_a_key_is_of_one_creation() -> None:
    """The same draft by another row under a used key is another request."""
    flow = ReportFlow(MemoryStore(), LETTERS)
    made = flow.create(EnteredLetter.draft(title="t"), by=CLERK, trigger="file", key="k")
    assert flow.create(EnteredLetter.draft(title="t"), by=CLERK, trigger="file", key="k") == made
    with pytest.raises(DuplicateKey):
        flow.create(EnteredLetter.draft(title="t"), by=CLERK, trigger="write", key="k")
