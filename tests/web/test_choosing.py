"""What forms offer to choose from: all that the flow takes of this person, and nothing that it refuses."""

from __future__ import annotations

import re
from typing import Any

import attrs
import pytest

from reportflow import ANY, SAME, Actor, Lifecycle, Record, Secrecy, State, Transition, TransitionRefused, open_flow
from reportflow.lifecycle.table import Setting
from reportflow.office import Author, Classification, Report
from tests.web.client import Client
from tests.web.desk import BY_ID, LI, Office, summary_of
from tests.web.offices import portal_for


def clerk(clearance: Secrecy) -> Actor:
    """A clerk who does all that the tests need."""
    roles = {"contributor", "editor", "registrar"}
    return Actor(id="clerk", name="郑华", roles=roles, unit="u", clearance=clearance)


def offered(page: str, name: str = "secrecy") -> set[str]:
    """The values of a field of choices, but for "not given"."""
    return set(re.findall(rf'name="{name}" value="([^"]+)"', page))


@attrs.frozen(kw_only=True)
class Marking:
    """How secret a thing is, under a name of its own."""

    mark: Secrecy = Secrecy.INTERNAL
    other: Secrecy = Secrecy.INTERNAL


def _marked(record: Record, entry: Any) -> Secrecy:
    return max(record.secrecy, entry.details.mark)  # type: ignore[no-any-return]  # of the details


def things(setting: Setting, *, hands_over: bool = False) -> Lifecycle:
    """A table with one act that makes a thing more secret."""
    return Lifecycle(
        name="thing", version=1, record=Record, roles={"editor": ANY}, states=[State("there", final=True)],
        transitions=[
            Transition("put", source=None, dest="there", roles={"editor"}),
            Transition(
                "mark", source="there", dest=SAME, roles={"editor"}, details=Marking, sets={"secrecy": setting},
                hands_over=hands_over,
            ),
        ],
    )  # fmt: skip


def taken(call: Any) -> bool:
    """Whether the flow takes an act."""
    try:
        call()
    except TransitionRefused:
        return False
    return True


@pytest.mark.parametrize("clearance", list(Secrecy))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_secrecy_of_a_report_is_offered_up_to_the_clearance(clearance: Secrecy, language: str) -> None:
    """What the forms of a new and of a classified report offer is what the flow takes, for every clearance."""
    flow, me = open_flow("memory:"), clerk(clearance)

    def made(**more: Any) -> Record:
        return flow.create(Report.draft(title="t", text="x", authors=[Author(name="甲")], **more), by=me)

    create = {one.value for one in Secrecy if taken(lambda one=one: made(secrecy=one))}
    details = {one.value: Classification(secrecy=one) for one in Secrecy}
    classify = {
        level for level, one in details.items() if taken(lambda one=one: flow.fire(made().id, "classify", one, by=me))
    }
    with Client(portal_for(flow, me), language=language) as client:
        assert offered(client.get("/new/report/create").text) == create
        assert offered(client.get(f"/r/{made().id}/do/classify").text) == classify
    assert create == classify == {one.value for one in Secrecy.up_to(clearance)}


@pytest.mark.parametrize("setting", ["mark", _marked])
@pytest.mark.parametrize("hands_over", [False, True])
def test_the_rule_of_a_row_says_what_is_offered(setting: Setting, hands_over: bool) -> None:
    """Whatever field a row takes the secrecy from; all of it where the row may hand the record over."""
    table, me = things(setting, hands_over=hands_over), clerk(Secrecy.CONFIDENTIAL)
    flow = open_flow("memory:", lifecycles=table)

    def made() -> str:
        return str(flow.create(Record.draft(kind="thing", title="t"), by=me).id)

    details = {one.value: Marking(mark=one) for one in Secrecy}
    wanted = {level for level, one in details.items() if taken(lambda one=one: flow.fire(made(), "mark", one, by=me))}
    with Client(portal_for(flow, me)) as client:
        page = client.get(f"/r/{made()}/do/mark").text
    assert offered(page, "mark") == wanted
    assert len(wanted) == (4 if hands_over else 2)
    assert offered(page, "other") == set(details)


def test_a_form_that_was_made_up_is_refused_all_the_same() -> None:
    """Who sends a choice that was not offered is refused by the flow, in words, and nothing is written."""
    office = Office()
    report = office.report()
    with office.browser(BY_ID["li"], "zh") as li:
        form = li.get(f"/r/{report.id}/do/classify")
        assert offered(form.text) == {"internal"}
        answer = li.submit(form, {"secrecy": "secret"})
    assert answer.status_code in (403, 409, 422)
    assert summary_of(answer)
    assert office.flow.get(report.id, by=LI).secrecy is Secrecy.INTERNAL
