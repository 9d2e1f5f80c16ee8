"""Offers beyond the record itself: the steps of a transition without details, and the lifecycle's own labels."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import attrs
import pytest

from reportflow import (
    NOBODY,
    SAME,
    UNIT,
    Actor,
    Guard,
    Lifecycle,
    MemoryStore,
    Option,
    Record,
    RecordNotFound,
    ReportFlow,
    State,
    Step,
    Transition,
    TransitionRefused,
)
from reportflow.lifecycle.decision import options
from reportflow.office import REPORT, Author, Report


@attrs.frozen(kw_only=True)
class Folder(Record):
    """A folder, perhaps in another."""


def _closing(before: Folder, entry: object) -> list[Step]:
    return [] if before.parent is None else [Step(target=before.parent, trigger="note")]


FOLDER = Lifecycle(
    name="folder",
    version=1,
    record=Folder,
    roles={"clerk": UNIT},
    states=[
        State("open", label={"en": "still open", "zh": "未归档"}),
        State("closed", label={"en": "put away", "zh": "已归档"}, final=True),
    ],
    transitions=[
        Transition("create", source=None, dest="open", roles={"clerk"}),
        Transition("note", source="open", dest=SAME, roles=NOBODY),
        Transition(
            "close",
            source="open",
            dest="closed",
            roles={"clerk"},
            then=_closing,
            reason_required=True,
            label={"en": "put away", "zh": "归档"},
        ),
        Transition(
            "burn",
            source="closed",
            dest=SAME,
            roles={"clerk"},
            guards=[Guard(code="never", test=lambda record, command: False, texts={"en": "Not '{trigger}'."})],
            label="set fire to",
        ),
    ],
)
ANN = Actor(id="ann", roles={"clerk"}, unit="here")
BEN = Actor(id="ben", roles={"clerk"}, unit="there")


def _offered(flow: ReportFlow, record: Record, trigger: str) -> Option:
    return next(option for option in flow.options(record, by=ANN) if option.trigger == trigger)


def test_an_offer_judges_steps_that_need_no_details() -> None:
    """A transition without details whose step would be refused is not offered; it has the step's refusals."""
    with ReportFlow(MemoryStore(), FOLDER) as flow:
        parent = flow.create(Folder.draft(), by=ANN)
        child = flow.create(Folder.draft(parent=parent.id), by=ANN)
        assert _offered(flow, child, "close").allowed
        flow.fire(parent, "close", by=ANN, reason="done")
        option = _offered(flow, child, "close")
        with pytest.raises(TransitionRefused) as refused:
            flow.fire(child, "close", by=ANN, reason="done")
        assert not option.allowed
        assert option.refusals == refused.value.refusals


def test_an_offer_names_a_step_whose_record_is_not_visible() -> None:
    """A step on a record that the actor may not see is a refusal of its transition, and of no other.

    Its id is for developers: it would show a clerk what is hidden.
    """
    with ReportFlow(MemoryStore(), FOLDER) as flow:
        hidden = flow.create(Folder.draft(), by=BEN)
        child = flow.create(Folder.draft(parent=hidden.id), by=ANN)
        option = _offered(flow, child, "close")
        assert (option.allowed, [one.code for one in option.refusals]) == (False, ["step"])
        assert hidden.id in option.refusals[0].message
        assert hidden.id not in option.refusals[0].text("zh")
        with pytest.raises(RecordNotFound):
            flow.fire(child, "close", by=ANN, reason="done")


def test_a_refusal_uses_the_lifecycle_s_own_labels() -> None:
    """For a clerk, states and triggers have the labels of their own table, in each language; for a developer, names."""
    with ReportFlow(MemoryStore(), FOLDER) as flow:
        made = flow.create(Folder.draft(), by=ANN)
        made = flow.fire(made, "close", by=ANN, reason="done")
        with pytest.raises(TransitionRefused) as refused:
            flow.fire(made, "close", by=ANN, reason="again")
        again = pickle.loads(pickle.dumps(refused.value))
        for error in (refused.value, again):
            assert "'close' cannot be done in state 'closed'; it can in: open." in str(error)
            assert "This is 'put away' now; 'put away' is only for: still open." in error.message()
            assert "此件目前为“已归档”，不能办理“归档”；该操作限于：未归档。" in error.message("zh")
        with pytest.raises(TransitionRefused) as refused:
            flow.fire(made, "burn", by=ANN)
        assert "Not 'set fire to'" in refused.value.message()


def test_everybody_are_the_actors_that_see_the_record() -> None:
    """An actor without a role that reaches the record is offered nothing of it, not even the rows of `EVERYBODY`."""
    editor = Actor(id="editor", roles={"editor"}, unit="here")
    with ReportFlow(MemoryStore(), REPORT) as flow:
        made = flow.create(Report.draft(title="t", text="x", authors=[Author(name="x")]), by=editor)
        assert any(option.allowed for option in options(REPORT, made, editor, now=datetime.now(UTC)))
        assert not any(option.allowed for option in options(REPORT, made, Actor(id="x"), now=datetime.now(UTC)))
