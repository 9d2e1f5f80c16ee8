"""Definitions, options and questions cross a process: they can be pickled and copied."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from reportflow import (
    ANY,
    PARTY,
    SAME,
    Actor,
    Command,
    Fire,
    Guard,
    Happened,
    Interval,
    Lifecycle,
    MemoryStore,
    Option,
    Page,
    Query,
    Record,
    Refusal,
    ReportFlow,
    State,
    Step,
    Transition,
    guard,
    has,
    nobody_from,
    not_the_creator,
    only_the_assignee,
)
from reportflow.lifecycle.decision import decide
from reportflow.model.query import Visibility
from reportflow.office import REPORT, Author, Comment, Report, Revision
from reportflow.serialization.plain import from_plain, to_plain

NOW = datetime(2022, 3, 1, tzinfo=UTC)
LI = Actor(id="li", roles={"editor"}, unit="yulin")
WANG = Actor(id="wang", roles={"reviewer"}, unit="yulin")


def small(record: Record, command: Command) -> bool | Mapping[str, object]:
    """A guard of a module."""
    return len(record.title) < 3 or {"length": len(record.title)}


@guard("short", {"en": "Too long."})
def short(record: Record, command: Command) -> bool:
    """A guard that took the place of its function in the module."""
    return len(record.title) < 9


def loud(before: Record, entry: Any) -> str:
    """A setting of a module."""
    return before.title.upper()


NOTE = Lifecycle(
    name="note",
    version=1,
    record=Record,
    roles={"editor": ANY},
    label={"en": "note", "zh": "便条"},
    labels={"role.editor": {"en": "editor", "zh": "编辑"}},
    states=[State("open", label={"en": "open", "zh": "开"}, final=True)],
    transitions=[
        Transition("create", source=None, dest="open", roles={"editor"}),
        Transition(
            "shout",
            source="open",
            dest=SAME,
            roles={"editor"},
            guards=[Guard(code="small", test=small, texts={"en": "Too long: {length}."}), has("title"), short],
            sets={"title": loud},
            label={"en": "shout", "zh": "喊"},
        ),
    ],
)
#: Rows whose functions no pickle takes.
LOCAL = Lifecycle(
    name="local",
    version=1,
    record=Record,
    roles={"editor": ANY},
    states=[State("open", final=True)],
    transitions=[
        Transition("create", source=None, dest="open", roles={"editor"}),
        Transition(
            "shout",
            source="open",
            dest=SAME,
            roles={"editor"},
            guards=[Guard(code="small", test=lambda record, command: len(record.title) < 3 or {"n": 1})],
            sets={"title": lambda before, entry: before.title.upper()},
        ),
    ],
)


def ways(value: Any) -> list[Any]:
    """A value, copied in each way that there is."""
    protocols = [pickle.loads(pickle.dumps(value, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    return [*protocols, copy.copy(value), copy.deepcopy(value)]


def test_a_lifecycle_decides_the_same_out_of_a_pickle() -> None:
    """Names, labels and rows are equal; guards, settings and lookups answer as those of the original do."""
    flow = ReportFlow(MemoryStore(), REPORT, clock=lambda: NOW)
    report = flow.create(
        Report.draft(title="t", text="x", authors=[Author(name="a")]),
        by=Actor(id="zhang", roles={"contributor"}, unit="yulin"),
    )
    for made in ways(REPORT):
        assert (made.name, made.version, made.roles, made.labels) == (
            REPORT.name, REPORT.version, REPORT.roles, REPORT.labels,
        )  # fmt: skip
        assert (made.states, made.triggers, made.record) == (REPORT.states, REPORT.triggers, Report)
        assert [(row.trigger, row.sources, row.dest, row.roles) for row in made.transitions] == [
            (row.trigger, row.sources, row.dest, row.roles) for row in REPORT.transitions
        ]
        actor = attrs.evolve(LI, unit=report.unit)
        command: Command = Command(trigger="edit", actor=actor, now=NOW, details=Revision(text="y"))
        edited = decide(made, report, command).record
        assert edited == decide(REPORT, report, command).record
        review: Command = Command(trigger="review", actor=attrs.evolve(actor, roles={"reviewer"}), now=NOW)
        (row,) = made.rows("review")
        assert [one.code for one in row.guards] == ["same_person"]
        assert row.guards[0].refusal(edited, review) is not None
    for made in ways(NOTE):
        assert made.label_of("state", "open", "zh") == "开"
        assert made.transitions[1].guards[0].texts == {"en": "Too long: {length}."}
        assert made.transitions[1].label == {"en": "shout", "zh": "喊"}


def test_a_lifecycle_of_local_functions_can_be_copied() -> None:
    """A copy is the definition itself, whatever its functions are; a pickle says which of them it cannot take."""
    assert copy.copy(LOCAL) is LOCAL
    assert copy.deepcopy({"flow": [LOCAL]})["flow"][0] is LOCAL
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(LOCAL)


@pytest.mark.parametrize("lifecycle", [NOTE, LOCAL], ids=lambda one: one.name)
def test_an_option_tells_the_same_out_of_a_pickle(lifecycle: Lifecycle) -> None:
    """What is allowed, why not, its details and its texts are there; the functions of its row stay behind."""
    flow = ReportFlow(MemoryStore(), lifecycle)
    note = flow.create(Record.draft(title="long", kind=lifecycle.name), by=LI)
    for option in flow.options(note, by=LI):
        for made in ways(option):
            assert isinstance(made, Option)
            assert made == option
            assert made.text("zh") == option.text("zh")
            assert [one.text("en") for one in made.refusals] == [one.text("en") for one in option.refusals]
            assert (made.row.trigger, made.row.roles, made.row.label) == (
                option.row.trigger, option.row.roles, option.row.label,
            )  # fmt: skip
        out: Option = pickle.loads(pickle.dumps(option))
        assert (out.row.guards, dict(out.row.sets), out.row.then) == ((), {}, None)
        assert copy.copy(option).row is option.row


def test_options_of_a_report_can_be_pickled() -> None:
    """All that is offered on a report, with the classes of its details."""
    flow = ReportFlow(MemoryStore(), REPORT)
    zhang = Actor(id="zhang", roles={"contributor"}, unit="yulin")
    report = flow.create(Report.draft(title="t", text="x", authors=[Author(name="a")]), by=zhang)
    for actor in (zhang, LI, WANG):
        offered = flow.options(report, by=actor)
        assert len(offered) > 10
        assert pickle.loads(pickle.dumps(offered)) == offered


@pytest.mark.parametrize(
    "value",
    [
        *NOTE.states,
        nobody_from("created_by"),
        has("title"),
        not_the_creator,
        only_the_assignee,
        NOTE.transitions[1].guards[0],
        short,
        attrs.evolve(short, code="shorter"),
        Refusal(code="x", params={"a": (1, 2)}, texts={"en": "{a}"}),
        Query(state={"a", None}, due_at=Interval(NOW), happened=Happened(trigger="t")),
        Visibility(actor="a", unit="u", clearance=LI.clearance, grants=NOTE.grants(LI)),
        Page((Record(id="x", created_at=NOW),), "next"),
        Step(target="x", trigger="t", details=Comment(text="x")),
        Fire("x", "t", Comment(text="x"), by=LI),
        PARTY,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_data_can_be_pickled_and_copied(value: Any) -> None:
    """Rows' parts, questions and answers are equal out of a pickle and as copies."""
    for made in ways(value):
        if isinstance(value, Guard) and not isinstance(value.test, type(small)):
            # a partial equals itself alone
            assert (made.test.func, made.test.args) == (value.test.func, value.test.args)  # type: ignore[attr-defined]
            made = attrs.evolve(made, test=value.test)
        assert made == value


def test_rows_can_be_pickled_and_copied() -> None:
    """A row equals itself alone; out of a pickle its fields are equal."""
    for row in (*NOTE.transitions, *REPORT.transitions):
        for made in ways(row):
            for name in ("trigger", "source", "dest", "roles", "details", "on_conflict", "label", "then"):
                assert getattr(made, name) == getattr(row, name)
            assert list(made.sets) == list(row.sets)
            with pytest.raises(TypeError):
                made.sets.clear()


def test_a_state_with_labels_can_be_hashed() -> None:
    """Labels in several languages are data too: whoever changes the mapping afterwards changes nothing."""
    label = {"en": "open"}
    state = State("open", label=label)
    label["en"] = "shut"
    assert state.label == {"en": "open"}
    assert len({state, State("open", label={"en": "open"})}) == 1


def test_a_refusal_goes_to_plain_data_with_any_keys() -> None:
    """The facts of a refusal are open data, and come back as they went in."""
    refusal = Refusal(code="x", params={"$type": {"$type": "reportflow.Actor"}})
    assert from_plain(to_plain(refusal), Refusal) == refusal
