"""What may be created: the options of a kind, each creation that people may fire, allowed or refused."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    ANY,
    EVERYBODY,
    NOBODY,
    OWN,
    UNIT,
    Actor,
    Guard,
    Lifecycle,
    MemoryStore,
    Person,
    Record,
    ReportFlow,
    Secrecy,
    State,
    Transition,
    TransitionRefused,
)
from reportflow.office import REPORT

#: Who may create a sheet, and what their draft may bring, by row.
ROLES: dict[str, Any] = {"mine": OWN, "ours": UNIT, "all": ANY}
FREE = {"secrecy", "unit", "title"}


@attrs.frozen(kw_only=True)
class Sheet(Record):
    """A record that is secret unless its draft says otherwise."""

    secrecy: Secrecy = Secrecy.SECRET


def never(record: Record, command: object) -> bool:
    """A guard that never passes."""
    return False


def table(version: int = 1, **more: Any) -> Lifecycle:
    """A table with many ways to create."""
    rows = {
        "file": {"roles": {"mine"}, "accepts": FREE},
        "enter": {"roles": {"ours"}, "accepts": FREE},
        "lock": {"roles": {"all", "ours"}, "accepts": {"title"}},
        "drop": {"roles": EVERYBODY, "accepts": FREE},
        "copy": {"roles": NOBODY},
        **more,
    }
    creations = [Transition(trigger, source=None, dest="open", **row) for trigger, row in rows.items()]
    return Lifecycle(
        name="sheet", version=version, record=Sheet, roles=ROLES, states=[State("open", final=True)],
        transitions=creations,
    )  # fmt: skip


ACTORS = st.builds(
    Actor,
    id=st.just("li"),
    roles=st.sets(st.sampled_from([*ROLES, "stranger"])),
    unit=st.sampled_from(["yulin", "", " "]),
    clearance=st.sampled_from(Secrecy),
)


@given(actor=ACTORS)
def test_a_creation_is_allowed_where_some_draft_is_taken(actor: Actor) -> None:
    """Each row that people may fire is there: allowed if some draft passes, else refused as the best draft is."""
    with ReportFlow(MemoryStore(), table()) as flow:
        options = flow.options("sheet", by=actor)
        assert [one.trigger for one in options] == ["file", "enter", "lock", "drop"]
        drafts = [Sheet.draft(), *(Sheet.draft(secrecy=one, unit=unit) for one in Secrecy for unit in ("", "yulin"))]
        for option in options:
            assert (option.lifecycle, None in option.row.sources) == ("sheet", True)
            taken, refused = 0, list[Any]()
            for draft in drafts if option.trigger != "lock" else drafts[:1]:
                try:
                    flow.create(draft, by=actor, trigger=option.trigger)
                    taken += 1
                except TransitionRefused as error:
                    refused.append(error.refusals)
            assert option.allowed == (taken > 0) == (not option.refusals)
            assert option.allowed or option.refusals in refused


@pytest.mark.parametrize(
    ("actor", "codes"),
    [
        (Actor(id="a", roles={"all"}), "file: role, enter: role, lock: clearance, drop: "),
        (Actor(id="b", roles={"ours"}, clearance="secret"), "file: role, enter: role, lock: role, drop: "),
        (Actor(id="c"), "file: role, enter: role, lock: clearance role, drop: "),
    ],
)
def test_why_nothing_may_be_created(actor: Actor, codes: str) -> None:
    """What a creation lays down counts: a role without a unit reaches nothing, and a fixed secrecy must be cleared."""
    with ReportFlow(MemoryStore(), table()) as flow:
        offered = flow.options("sheet", by=actor)
        assert ", ".join(f"{one.trigger}: {' '.join(why.code for why in one.refusals)}" for one in offered) == codes


def test_guards_wait_for_the_draft() -> None:
    """A guard of a creation is not asked, since it judges the draft; the newest definition of the kind counts."""
    guards = [Guard(code="never", test=never, texts={"en": "Never."})]
    newer = table(2, late={"roles": EVERYBODY, "guards": guards, "accepts": FREE})
    person = Actor(id="li")
    with ReportFlow(MemoryStore(), [newer, table()]) as flow:
        late = flow.options("sheet", by=person)[-1]
        assert (late.trigger, late.allowed, late.refusals) == ("late", True, ())
        with pytest.raises(TransitionRefused, match="Never"):
            flow.create(Sheet.draft(secrecy=Secrecy.INTERNAL), by=person, trigger="late")


def test_a_report_is_created_by_contributors_and_editors() -> None:
    """Of `REPORT`: whom it is offered to, and what a clerk reads who may not, with the name that the host gives."""
    with ReportFlow(MemoryStore(), REPORT, people={"wu": Person("吴刚")}) as flow:
        for role in REPORT.roles:
            (create,) = flow.options("report", by=Actor(id="x", roles={role}, unit="yulin"))
            assert (create.trigger, create.allowed) == ("create", role in {"contributor", "editor"})
        (create,) = flow.options("report", by=Actor(id="wu", roles={"auditor"}, unit="yulin"))
        (why,) = create.refusals
        assert (why.text("zh"), why.people["actor"]) == ("“提交”由反映人或编辑办理；您目前的身份：查阅人。", "吴刚")


def test_a_text_that_is_a_kind_is_no_id() -> None:
    """A record whose id is the name of a kind is offered by the record itself."""
    person = Actor(id="li", roles={"all"})
    with ReportFlow(MemoryStore(), table(), new_id=lambda: "sheet") as flow:
        made = flow.create(Sheet.draft(secrecy=Secrecy.INTERNAL), by=person, trigger="drop")
        with suppress(TransitionRefused):
            flow.create(Sheet.draft(), by=person)
        assert made.id == "sheet"
        assert flow.options(made, by=person) == ()
        assert len(flow.options("sheet", by=person)) == 4
