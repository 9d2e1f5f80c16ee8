"""What forms offer to choose from: all that the flow takes of this person, and nothing that it refuses."""

from __future__ import annotations

import re
from typing import Any

import attrs
import pytest

from reportflow import ANY, SAME, Actor, Lifecycle, Record, Secrecy, State, Transition, TransitionRefused, open_flow
from reportflow.lifecycle.erasable import erasable_names
from reportflow.lifecycle.table import Setting
from reportflow.office import REPORT, Author, Classification, Comment, Erasure, Report, Revision
from tests.web.client import Client
from tests.web.desk import BY_ID, CHIEF, LI, Office, summary_of
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


@attrs.frozen(kw_only=True)
class Said:
    """Words."""

    words: str


@attrs.frozen(kw_only=True)
class Forgetting:
    """What is to be forgotten."""

    what: tuple[str, ...] = ()


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


ERASING = [
    ("en", ("text", "authors", "edit › text", "comment", "reason for the return", "name and post of who acted")),
    ("zh", ("正文", "反映人", "编辑 › 正文", "批注内容", "退回意见", "办理人姓名及职务")),
]


@pytest.mark.parametrize(("language", "labels"), ERASING)
def test_what_is_erased_is_chosen(language: str, labels: tuple[str, ...]) -> None:
    """Each name of what can be erased of this record is a box with its label; what is chosen is erased."""
    office = Office()
    report = office.report(text="住在三号楼的钱伟。")
    office.flow.fire(report.id, "edit", Revision(text="三号楼的钱伟。"), by=CHIEF)
    office.flow.fire(report.id, "comment", Comment(text="已电话核实。"), by=CHIEF)
    office.flow.fire(report.id, "return", by=CHIEF, reason="钱伟的电话有误。")
    with office.browser(CHIEF, language) as chief:
        form = chief.get(f"/r/{report.id}/do/erase")
        boxes = re.findall(
            r'<input type="checkbox" [^>]*name="fields" value="([^"]+)"><label [^>]*>([^<]+)<', form.text
        )
        done = {one.trigger for one in office.flow.history(report.id, by=CHIEF)}
        known = erasable_names(REPORT.record, REPORT.transitions)
        of_acts = [one for one in known if "." not in one or one.split(".")[0] in done]
        assert [name for name, _ in boxes] == [*of_acts, "return.reason"]
        assert set(labels) <= {label for _, label in boxes}
        empty = chief.submit(form, {"_reason": "本人要求"})
        assert empty.status_code == 422
        assert 'href="#f-fields-0"' in summary_of(empty)
        again = chief.submit(form, {"fields": ["text", "comment.text", "return.reason"]})
        assert again.status_code == 422
        assert len(re.findall(r'name="fields" value="(?:text|comment.text|return.reason)" checked', again.text)) == 3
        assert chief.submit(again, {"_reason": "本人要求"}).status_code == 200
    *_, comment, returned, erasure = office.flow.history(report.id, by=CHIEF)
    assert erasure.details == Erasure(fields=("text", "comment.text", "return.reason"))
    assert returned.reason == ""
    assert "已电话核实" not in str(comment)
    assert office.flow.get(report.id, by=CHIEF, type=Report).text == ""


def test_names_of_an_own_table_are_chosen_too() -> None:
    """A table that erases by a field of its own, without a label in any language, offers the names as they are."""
    table = Lifecycle(
        name="thing", version=1, record=Record, roles={"editor": ANY}, states=[State("there", final=True)],
        transitions=[
            Transition("put", source=None, dest="there", roles={"editor"}),
            Transition("say", source="there", dest=SAME, roles={"editor"}, details=Said),
            Transition("forget", source="there", dest=SAME, roles={"editor"}, details=Forgetting, erases="what"),
        ],
    )  # fmt: skip
    me = clerk(Secrecy.INTERNAL)
    flow = open_flow("memory:", lifecycles=table)
    made = flow.create(Record.draft(kind="thing", title="t"), by=me)
    with Client(portal_for(flow, me)) as client:
        assert offered(client.get(f"/r/{made.id}/do/forget").text, "what") == {"category", "title", "reason", "actor"}
        flow.fire(made.id, "say", Said(words="w"), by=me)
        page = client.get(f"/r/{made.id}/do/forget")
        assert offered(page.text, "what") == {"category", "title", "reason", "actor", "say.words"}
        assert client.submit(page, {"what": ["say.words"]}).status_code == 200
    assert flow.history(made.id, by=me)[-2].details == Said(words="")
