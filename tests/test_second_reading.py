"""What a second reader found: each was wrong once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from reportflow import (
    ANY,
    SAME,
    Actor,
    DuplicateKey,
    Fire,
    InvalidDefinition,
    InvalidValue,
    Lifecycle,
    MemoryStore,
    Query,
    Record,
    RecordNotFound,
    ReportFlow,
    SqlStore,
    StaleRecord,
    State,
    Transition,
    TransitionRefused,
    as_of,
    replay,
)
from reportflow.lifecycle.decision import options
from reportflow.office import REPORT, Author, Classification, Comment, Report, Revision

LOW = Actor(id="low", roles={"editor", "reviewer"}, unit="here")
REVIEWER = Actor(id="reviewer", roles={"reviewer"}, unit="here")
HIGH = Actor(id="high", roles={"editor"}, unit="here", clearance="top_secret")


def _sorted(value: Any) -> tuple[str, ...]:
    return tuple(sorted(value))


def _not_negative(instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    if value < 0:
        raise ValueError("must not be negative")


@attrs.frozen
class Inner:
    """A plain attrs value inside another one."""

    said: str
    at: datetime | None = None


@attrs.frozen(kw_only=True)
class Telling:
    """A plain details class, with values of a class that checks nothing itself."""

    inner: Inner
    several: tuple[Inner, ...] = ()


@attrs.frozen(kw_only=True)
class Setting:
    """What to set."""

    number: int = 0
    words: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Ledger(Record):
    """A record whose class converts, validates and compares."""

    number: int = attrs.field(default=0, validator=_not_negative)
    words: tuple[str, ...] = attrs.field(default=(), converter=_sorted)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.number == len(self.words) == 2:
            raise ValueError("two and two do not go together")


def ledger(*more: Transition, **changes: Any) -> Lifecycle:
    """A small lifecycle of ledgers."""
    rows = [
        Transition("create", source=None, dest="open", roles={"clerk"}),
        Transition("tell", source="open", dest=SAME, roles={"clerk"}, details=Telling),
        Transition(
            "set",
            source="open",
            dest=SAME,
            roles={"clerk"},
            details=Setting,
            sets={"number": "number", "words": "words"},
        ),
        Transition("close", source="open", dest="closed", roles={"clerk"}),
        *more,
    ]
    given: dict[str, Any] = {
        "name": "ledger",
        "version": 1,
        "record": Ledger,
        "roles": {"clerk": ANY, "archivist": ANY},
        "states": [State("open"), State("closed", final=True)],
        "transitions": rows,
    }
    return Lifecycle(**{**given, **changes})


CLERK = Actor(id="clerk", roles={"clerk"})


@pytest.fixture(params=["memory", "sqlite"])
def flow(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReportFlow]:
    """A flow of reports and ledgers on each store."""
    store = MemoryStore() if request.param == "memory" else SqlStore(f"sqlite:///{tmp_path / 'office.db'}")
    with ReportFlow(store, [REPORT, ledger()]) as opened:
        yield opened


def _report(flow: ReportFlow, by: Actor, **fields: Any) -> Report:
    return flow.create(Report.draft(title="t", text="TOP", authors=[Author(name="x")], **fields), by=by)


@pytest.mark.parametrize("setting", [Setting(number=-1), Setting(number=2, words=("a", "b"))])
def test_what_the_record_s_class_refuses_is_not_kept(flow: ReportFlow, setting: Setting) -> None:
    """A value from `sets` that a validator, or the class as a whole, refuses is `InvalidValue`; all stays readable."""
    made = flow.create(Ledger.draft(), by=CLERK)
    with pytest.raises(InvalidValue, match="Ledger"):
        flow.fire(made, "set", setting, by=CLERK)
    assert flow.get(made.id, by=CLERK) == made
    assert list(flow.find(Query(), by=CLERK)) == [made]


def test_the_record_s_converters_hold_in_the_fold(flow: ReportFlow) -> None:
    """What a converter of the class makes of a value is what is given back, kept and replayed."""
    made = flow.create(Ledger.draft(), by=CLERK)
    done = flow.fire(made, "set", Setting(words=("b", "a")), by=CLERK)
    assert done.words == ("a", "b")
    assert replay(flow.history(made.id, by=CLERK), ledger()) == flow.get(made.id, by=CLERK) == done


@pytest.mark.parametrize("inner", [Inner("\0"), Inner("\ud800"), Inner("x", datetime(2026, 1, 1))])
def test_values_inside_values_are_checked(flow: ReportFlow, inner: Inner) -> None:
    """NUL, a lone surrogate and a naive time are refused in plain attrs classes too, however deep they stand."""
    made = flow.create(Ledger.draft(), by=CLERK)
    for telling in (Telling(inner=inner), Telling(inner=Inner("x"), several=(inner,))):
        with pytest.raises(InvalidValue):
            flow.fire(made, "tell", telling, by=CLERK)
    told = Telling(inner=Inner("x", datetime(2026, 1, 1, tzinfo=UTC)))
    flow.fire(made, "tell", told, by=CLERK)
    assert flow.history(made.id, by=CLERK)[-1].details == told


def test_history_stops_at_the_clearance(flow: ReportFlow) -> None:
    """What was done while a record was secret is not in the history shown to who may not read secrets."""
    made = _report(flow, HIGH, secrecy="secret")
    made = flow.fire(made, "edit", Revision(text="clean"), by=HIGH)
    made = flow.fire(made, "classify", Classification(secrecy="internal"), by=HIGH)
    assert [entry.trigger for entry in flow.history(made.id, by=LOW)] == ["classify"]
    assert [entry.sequence for entry in flow.history(made.id, by=HIGH)] == [1, 2, 3]
    with pytest.raises(RecordNotFound):
        flow.as_of(made.id, version=1, by=LOW)
    assert flow.as_of(made.id, version=3, by=LOW) == made
    assert as_of(flow.history(made.id, by=HIGH), REPORT, version=1).secrecy == "secret"


def test_a_record_that_was_hidden_meanwhile_is_not_found(flow: ReportFlow) -> None:
    """Neither a version seen nor a key tells of a record that the asker may no longer see."""
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


def test_a_batch_goes_by_what_is_stored_after_a_comment(flow: ReportFlow) -> None:
    """A comment on an old record in hand does not lend that record to the acts after it."""
    old = _report(flow, LOW)
    flow.fire(old, "edit", Revision(text="y"), by=LOW)
    comment = Fire(old, "comment", Comment(text="c"), by=LOW)
    assert [one.version for one in flow.batch([comment, Fire(old.id, "review", by=REVIEWER)])] == [3, 4]
    old = flow.get(old.id, by=LOW, type=Report)
    flow.fire(old.id, "edit", Revision(text="z"), by=LOW)
    with pytest.raises(StaleRecord):
        flow.batch([Fire(old, "edit", Revision(text="!"), by=LOW), Fire(old.id, "adopt", by=LOW)])


def test_everybody_is_who_may_see_it() -> None:
    """The pure offer and decision hold `EVERYBODY` to those whom a role lets see the record."""
    with ReportFlow(MemoryStore(), REPORT) as opened:
        made = _report(opened, LOW)
    offered = options(REPORT, made, Actor(id="stranger"), now=datetime.now(UTC))
    assert not any(option.allowed for option in offered)


def test_of_several_creations_the_one_for_the_actor_is_taken() -> None:
    """`create` takes the first creation row that takes one of the actor's roles; else the first one refuses."""
    lifecycle = ledger(Transition("register", source=None, dest="closed", roles={"archivist"}))
    with ReportFlow(MemoryStore(), lifecycle) as opened:
        archivist = Actor(id="a", roles={"archivist"})
        assert opened.create(Ledger.draft(), by=archivist).state == "closed"
        assert opened.create(Ledger.draft(), by=CLERK).state == "open"
        with pytest.raises(TransitionRefused) as refused:
            opened.create(Ledger.draft(), by=Actor(id="nobody"))
        assert refused.value.trigger == "create"


def test_junk_in_a_table_is_an_error_of_the_tree() -> None:
    """An unknown scope, an unknown way with conflicts, a guard that is none, no source, and "*" are all refused."""
    for call in (
        lambda: ledger(roles={"clerk": "everywhere"}),
        lambda: Transition("x", source="open", dest=SAME, roles={"clerk"}, on_conflict="shrug"),
        lambda: Transition("x", source="open", dest=SAME, roles={"clerk"}, guards=[print]),  # type: ignore[list-item]  # bad input
    ):
        with pytest.raises(InvalidValue):
            call()
    for row in (
        Transition("x", source=frozenset(), dest="open", roles={"clerk"}),
        Transition("x", source="open", dest="*", roles={"clerk"}),
    ):
        with pytest.raises(InvalidDefinition):
            ledger(row, states=[State("open"), State("closed", final=True), State("*", final=True)])


def test_the_library_s_names_are_the_host_s_too() -> None:
    """A host may call its own classes as this library calls its."""

    @attrs.frozen(kw_only=True)
    class Comment(Record):
        """Not the library's."""

    @attrs.frozen(kw_only=True)
    class Page(Record):
        """Not the library's either."""

    assert (Comment.draft().version, Page.draft().version) == (0, 0)
