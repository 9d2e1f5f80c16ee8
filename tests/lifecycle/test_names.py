"""Names of a table may be members of a str enum, wherever one is written; those of another enum are a fault."""

from __future__ import annotations

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from reportflow import (
    ANY,
    SAME,
    Actor,
    Details,
    Entry,
    Guard,
    Happened,
    InvalidDefinition,
    InvalidValue,
    Lifecycle,
    MemoryStore,
    Query,
    Record,
    ReportFlow,
    SqlStore,
    State,
    Step,
    Store,
    Transition,
    TransitionRefused,
    replay,
)


class S(enum.StrEnum):
    """Names as a StrEnum."""

    LOAN = "loan"
    ASKED = "asked"
    LENT = "lent"
    ASK = "ask"
    LEND = "lend"
    NUDGE = "nudge"
    CLERK = "clerk"
    READER = "reader"
    LATE = "late"


class Old(str, enum.Enum):  # noqa: UP042  # hosts have such classes
    """The same in the older way: the `str` of a member is ``Old.ASKED``."""

    LOAN = "loan"
    ASKED = "asked"
    LENT = "lent"
    ASK = "ask"
    LEND = "lend"
    NUDGE = "nudge"
    CLERK = "clerk"
    READER = "reader"
    LATE = "late"


class Plain(enum.Enum):
    """The values are texts, the members are not."""

    LOAN = "loan"
    ASKED = "asked"
    ASK = "ask"
    CLERK = "clerk"


@attrs.frozen(kw_only=True)
class Lending(Details):
    """What lending is told."""

    other: str = ""


@attrs.frozen(kw_only=True)
class Loan(Record):
    """A record with a text that the table sets."""

    word: str = ""


def table(names: Any) -> Lifecycle:
    """A lifecycle of which every name is a member of an enum."""

    def nudge(before: Record, entry: Entry) -> list[Step]:
        return [Step(target=entry.details.other, trigger=names.NUDGE)] if entry.details.other else []  # type: ignore[attr-defined]  # Lending

    return Lifecycle(
        name=names.LOAN,
        version=1,
        record=Loan,
        roles={names.CLERK: ANY, names.READER: "own"},
        states=[
            State(names.ASKED, awaits=names.CLERK, label={"en": "asked for"}),
            State(names.LENT, awaits={names.READER}, final=True),
        ],
        transitions=[
            Transition(names.ASK, source=None, dest=names.ASKED, roles={names.READER, names.CLERK}),
            Transition(
                names.LEND, source={names.ASKED}, dest=names.LENT, roles=names.CLERK, details=Lending, then=nudge,
                sets={"word": names.LATE}, guards=[Guard(code=names.LATE, test=lambda record, command: True)],
            ),
            Transition(names.NUDGE, source=[names.ASKED, names.LENT], dest=SAME, roles=[names.CLERK]),
        ],
    )  # fmt: skip


def plain(value: object) -> bool:
    """Whether a name, or each of several, is plain text."""
    several = [value] if isinstance(value, str) else value
    assert isinstance(several, list | tuple | set | frozenset)
    return all(type(one) is str for one in several)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store of each kind that needs no server."""
    if request.param == "memory":
        return MemoryStore()
    return SqlStore(f"sqlite:///{tmp_path / 'names.db'}", create=True)


@pytest.mark.parametrize("names", [S, Old])
def test_names_of_a_str_enum_are_plain_texts(names: Any) -> None:
    """A definition of such names is the one of plain texts, name by name."""
    made = table(names)
    assert plain(made.name)
    assert plain(list(made.roles))
    assert plain([state.name for state in made.states])
    assert all(plain(state.awaits) for state in made.states)
    for row in made.transitions:
        assert plain(row.trigger)
        assert plain(row.dest)
        assert plain(row.roles)
        assert plain(row.sources - {None})
    assert plain(made.triggers)
    assert plain(made.transitions[1].guards[0].code)
    assert plain(Step(target="x", trigger=names.ASK).trigger)
    assert plain(Actor(id="a", roles={names.CLERK}).roles)
    assert plain(Actor(id="a", roles=names.CLERK).roles)
    assert plain(Query(state=names.ASKED, kind={names.LOAN}).state)
    assert plain(Happened(trigger=[names.ASK]).trigger)
    assert made.label_of("state", names.ASKED) == "asked for"
    assert made.state(names.ASKED).name == "asked"
    assert set(made.machine.events) == {"ask", "lend", "nudge"}


@pytest.mark.parametrize("names", [S, Old])
def test_a_flow_works_with_names_of_a_str_enum(store: Store, names: Any) -> None:
    """Creating, firing, stepping, the inbox, finding and counting take them, and give plain texts."""
    flow = ReportFlow(store, table(names))
    clerk = Actor(id="kai", roles={names.CLERK})
    reader = Actor(id="rea", roles=names.READER)
    one, two = (flow.create(Loan.draft(kind=names.LOAN, title=names.ASKED), by=reader) for _ in range(2))
    assert (one.state, one.kind, one.title) == ("asked", "loan", "asked")
    assert plain([one.state, one.kind, one.title])
    assert [record.id for record in flow.inbox(by=clerk)] == [one.id, two.id]
    assert [option.trigger for option in flow.options(one.id, by=clerk) if option.allowed] == ["lend", "nudge"]
    lent = flow.fire(one, names.LEND, Lending(other=two.id), by=clerk)
    assert plain([lent.state, lent.word])
    assert (lent.state, lent.word) == ("lent", "late")
    with pytest.raises(TransitionRefused) as refused:
        flow.fire(one.id, names.LEND, Lending(), by=clerk)
    assert "Old." not in str(refused.value)
    history = store.history([one.id, two.id])
    assert [entry.trigger for entry in history] == ["ask", "lend", "ask", "nudge"]
    assert all(plain([entry.trigger, entry.dest, entry.source or ""]) for entry in history)
    assert all(plain(entry.actor.roles) for entry in history)
    assert replay(store.history([one.id]), flow.lifecycles) == lent == store.get([one.id])[0]
    assert [record.id for record in flow.find(Query(state=names.LENT), by=clerk)] == [one.id]
    assert [record.id for record in flow.find(Query(state={names.ASKED}), by=clerk)] == [two.id]
    happened = Query(kind=names.LOAN, happened=Happened(trigger=names.NUDGE))
    assert [record.id for record in flow.find(happened, by=clerk)] == [two.id]
    assert flow.count(Query(state=names.LENT), by=clerk, group="state") == {("lent",): 1}
    assert [record.id for record in flow.inbox(by=reader)] == [one.id]


def lifecycle(**changes: Any) -> Callable[[], Lifecycle]:
    """What builds a small definition with something else in it."""
    row = Transition("ask", source=None, dest="asked", roles={"clerk"})
    plainly: dict[str, Any] = {"name": "loan", "version": 1, "record": Record, "roles": {"clerk": ANY}}
    return lambda: Lifecycle(**{**plainly, "states": [State("asked", final=True)], "transitions": [row], **changes})


def rows(**changes: Any) -> Callable[[], Lifecycle]:
    """The same with another row beside the first."""

    def build() -> Lifecycle:
        first = Transition("ask", source=None, dest="asked", roles={"clerk"})
        fields: dict[str, Any] = {"trigger": "nudge", "source": "asked", "dest": SAME, "roles": {"clerk"}, **changes}
        return lifecycle(transitions=[first, Transition(**fields)])()

    return build


FAULTS: dict[str, tuple[Callable[[], Lifecycle], str]] = {
    "lifecycle": (lifecycle(name=Plain.LOAN), "<Plain.LOAN: 'loan'>"),
    "role": (lifecycle(roles={"clerk": ANY, Plain.CLERK: ANY}), "<Plain.CLERK: 'clerk'>"),
    "state": (lifecycle(states=[State("asked", final=True), State(Plain.ASKED)]), "<Plain.ASKED: 'asked'>"),
    "role awaited": (lifecycle(states=[State("asked", final=True, awaits=Plain.CLERK)]), "<Plain.CLERK: 'clerk'>"),
    "trigger": (rows(trigger=Plain.ASK), "<Plain.ASK: 'ask'>"),
    "state that is a source": (rows(source=Plain.ASKED), "<Plain.ASKED: 'asked'>"),
    "state among several": (rows(source={"asked", Plain.ASKED}), "<Plain.ASKED: 'asked'>"),
    "state that is a dest": (rows(dest=Plain.ASKED), "<Plain.ASKED: 'asked'>"),
    "role of a row": (rows(roles=Plain.CLERK), "<Plain.CLERK: 'clerk'>"),
    "role among several": (rows(roles={"clerk", Plain.CLERK}), "<Plain.CLERK: 'clerk'>"),
    "trigger that is a number": (rows(trigger=7), "7"),
    "state that is a number": (rows(source=7), "7"),
    "role that is a number": (rows(roles=7), "7"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_names_of_another_enum_are_a_fault(case: str) -> None:
    """A member of an enum that is no str enum, or a number, is a fault that names it, with what to write."""
    build, given = FAULTS[case]
    with pytest.raises(InvalidDefinition) as raised:
        build()
    (fault,) = raised.value.faults
    assert (fault.code, dict(fault.facts)) == ("name_type", {"name": case.split()[0], "given": given})
    assert "StrEnum" in fault.text("en")
    assert "StrEnum" in fault.text("zh")


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: Actor(id="a", roles={Plain.CLERK}), "roles"),  # type: ignore[arg-type]  # bad input
        (lambda: Actor(id="a", roles=Plain.CLERK), "roles"),  # type: ignore[arg-type]  # bad input
        (lambda: Query(state=Plain.ASKED), "state"),
        (lambda: Query(state={"asked", Plain.ASKED}), "state"),
        (lambda: Query(kind=Plain.LOAN), "kind"),
        (lambda: Happened(trigger=Plain.ASK), "trigger"),
    ],
)
def test_they_are_invalid_where_people_ask(build: Callable[[], object], field: str) -> None:
    """An actor's role and a query's state, kind and trigger are refused with the field."""
    with pytest.raises(InvalidValue) as raised:
        build()
    assert (raised.value.field, raised.value.problem) == (field, "type")


# ---------------------------------------------------------------------------------------------------------------
# Classes that could be changed


@attrs.define(kw_only=True)
class Soft(Details):
    """Its fields can be set."""

    text: str = ""


@attrs.frozen(kw_only=True)
class Holder(Details):
    """Holds one that can be changed."""

    several: tuple[Soft | None, ...] = ()


@attrs.define(kw_only=True)
class SoftPlain:
    """The same, derived from nothing."""

    text: str = ""


@attrs.mutable
class SoftRecordPart:
    """Inside a record."""

    text: str = ""


@attrs.frozen(kw_only=True)
class HoldingRecord(Record):
    """Holds one that can be changed, deep inside."""

    parts: dict[str, list[SoftRecordPart]] = attrs.field(factory=dict)


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (rows(details=Soft), "Soft"),
        (rows(details=Holder), "Soft"),
        (rows(details=SoftPlain), "SoftPlain"),
        (lifecycle(record=HoldingRecord), "SoftRecordPart"),
    ],
)
def test_a_class_that_can_be_changed_is_a_fault(build: Callable[[], Lifecycle], name: str) -> None:
    """Details, records and what they hold are frozen: else one could change what was checked, and what is stored."""
    with pytest.raises(InvalidDefinition) as raised:
        build()
    (fault,) = raised.value.faults
    assert (fault.code, fault.facts) == ("not_frozen", {"name": name})
    assert "@attrs.frozen" in fault.text("en")
    assert "@attrs.frozen" in fault.text("zh")


def test_a_frozen_class_is_none() -> None:
    """Classes that hold themselves and each other are looked at once, and frozen ones are in order."""

    @attrs.frozen(slots=False)
    class Older:
        text: str = ""

    assert rows(details=Older)().triggers == ("ask", "nudge")
