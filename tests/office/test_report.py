"""The standard lifecycle: its table, whole paths through it, and the permissions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    EVERYBODY,
    NOBODY,
    OWN,
    SAME,
    UNIT,
    Actor,
    Happened,
    InvalidValue,
    MemoryStore,
    Query,
    RecordNotFound,
    Refusal,
    ReportFlow,
    Secrecy,
    StaleRecord,
    TransitionRefused,
    replay,
)
from reportflow.office import (
    REPORT,
    Adoption,
    Assignment,
    Attachment,
    Author,
    Classification,
    Comment,
    Erasure,
    Forwarding,
    Instruction,
    Level,
    Merge,
    Rejection,
    Reply,
    Report,
    Retraction,
    Revision,
    Source,
    Supplement,
    Uptake,
    Usage,
)
from tests.lifecycles import OPEN_REPORT

UNIT_NAME = "yulin"
ZHANG = Actor(id="zhang", name="张三", roles={"contributor"}, unit="somewhere")
ZHAO = Actor(id="zhao", roles={"contributor"}, unit=UNIT_NAME)
LI = Actor(id="li", roles={"editor"}, unit=UNIT_NAME)
WANG = Actor(id="wang", roles={"reviewer"}, unit=UNIT_NAME)
CHEN = Actor(id="chen", roles={"registrar"}, unit=UNIT_NAME)
WU = Actor(id="wu", roles={"auditor"}, unit=UNIT_NAME)
#: Holds every working role of the unit.
ALL = Actor(id="all", roles={"editor", "reviewer", "registrar"}, unit=UNIT_NAME)
ABROAD = Actor(id="abroad", roles={"editor", "reviewer", "registrar", "auditor"}, unit="elsewhere")
START = datetime(2022, 1, 10, 9, tzinfo=UTC)


class Clock:
    """A clock that advances by a minute each time it is read."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The flow's clock."""
    return Clock()


@pytest.fixture
def flow(clock: Clock) -> ReportFlow:
    """A flow on a memory store, in which a draft may say its unit."""
    return ReportFlow(MemoryStore(), OPEN_REPORT, clock=clock)


def draft(**changes: Any) -> Report:
    """A draft by Zhang in the unit."""
    fields = {"title": "完善校园安全防控体系的建议", "text": "…", "authors": [Author(name="张三", id="zhang")]}
    return Report.draft(**{**fields, "unit": UNIT_NAME, **changes})


#: State -> the triggers from the creation to it.
WAYS: dict[str, list[str]] = {
    "draft": [],
    "edited": ["edit"],
    "reviewed": ["edit", "review"],
    "returned": ["return"],
    "adopted": ["edit", "review", "adopt"],
    "forwarded": ["edit", "review", "forward"],
    "instructed": ["edit", "review", "instruct"],
    "kept": ["keep"],
    "rejected": ["reject"],
    "withdrawn": ["withdraw"],
    "merged": ["merge"],
}
DETAILS: dict[str, Callable[[str], object]] = {
    "revise": lambda _: Revision(text="revised"),
    "edit": lambda target: Revision(text=f"edited{target and ' anew'}"),
    "supplement": lambda _: Supplement(origin="https://office.example/7"),
    "classify": lambda _: Classification(topics=["education"]),
    "assign": lambda _: Assignment(assignee="li"),
    "adopt": lambda _: Adoption(body="协商建言", level="city"),
    "forward": lambda _: Forwarding(to="省政协", level="province", upward=True),
    "instruct": lambda _: Instruction(leader="某某", level="city"),
    "reply": lambda _: Reply(department="教育局", text="已办", result="solved"),
    "absorb": lambda _: Uptake(department="教育局"),
    "retract": lambda _: Retraction(sequence=4),
    "reject": lambda _: Rejection(code="duplicate"),
    "merge": lambda target: Merge(target=target),
    "comment": lambda _: Comment(text="好"),
    "erase": lambda _: Erasure(fields=("comment.text",)),
}


def details_for(trigger: str, target: str = "") -> object:
    """Valid details for a trigger."""
    return DETAILS[trigger](target) if trigger in DETAILS else None


def bring(flow: ReportFlow, state: str, **changes: Any) -> Report:
    """A report in a state."""
    report = flow.create(draft(**changes), by=ZHANG)
    target = flow.create(draft(title="target"), by=ZHANG).id if state == "merged" else ""
    for trigger in WAYS[state]:
        by = WANG if trigger == "review" else CHEN if trigger in ("adopt", "withdraw", "instruct") else LI
        report = flow.fire(report, trigger, details_for(trigger, target), by=by, reason="because")
    assert report.state == state
    return report


def codes(refused: TransitionRefused) -> list[str]:
    """The codes of the refusals."""
    return [refusal.code for refusal in refused.refusals if isinstance(refusal, Refusal)]


# ---------------------------------------------------------------------------------------------------------------
# The table, written by hand from the design

STATES = list(WAYS)
OPEN = ["draft", "edited", "reviewed"]
OUT = ["adopted", "forwarded", "instructed"]
BUT_MERGED = [one for one in STATES if one != "merged"]
EDITOR, REVIEWER, REGISTRAR, CONTRIBUTOR = "editor", "reviewer", "registrar", "contributor"

#: trigger -> (from, to; "" for the same state, several where the facts decide), roles, details, reason needed.
Lines = list[tuple[Iterable[str | None], str]]
TABLE: dict[str, tuple[Lines, set[str], type[Any] | None, bool]] = {
    "create": ([([None], "draft")], {CONTRIBUTOR, EDITOR}, None, False),
    "revise": ([(["draft", "returned"], "draft")], {CONTRIBUTOR}, Revision, False),
    "edit": ([(OPEN, "edited")], {EDITOR}, Revision, False),
    "supplement": ([(BUT_MERGED, "")], {CONTRIBUTOR, EDITOR}, Supplement, False),
    "classify": ([(BUT_MERGED, "")], {EDITOR, REGISTRAR}, Classification, False),
    "assign": ([(BUT_MERGED, "")], {EDITOR, REGISTRAR}, Assignment, False),
    "return": ([(OPEN, "returned")], {EDITOR, REVIEWER}, None, True),
    "review": ([(["edited"], "reviewed")], {REVIEWER}, None, False),
    "adopt": (
        [(["reviewed", "forwarded"], "adopted"), (["adopted", "instructed"], "")],
        {REGISTRAR},
        Adoption,
        False,
    ),
    "forward": ([(["reviewed"], "forwarded"), (OUT, "")], {EDITOR, REGISTRAR}, Forwarding, False),
    "instruct": (
        [(["reviewed", "adopted", "forwarded"], "instructed"), (["instructed"], "")],
        {REGISTRAR},
        Instruction,
        False,
    ),
    "reply": ([(OUT, "")], {REGISTRAR}, Reply, False),
    "absorb": ([(OUT, "")], {REGISTRAR}, Uptake, False),
    "retract": ([(OUT, "instructed adopted forwarded reviewed")], {REGISTRAR}, Retraction, True),
    "keep": ([(OPEN, "kept")], {EDITOR, REVIEWER}, None, True),
    "reject": ([(OPEN, "rejected")], {EDITOR, REVIEWER}, Rejection, True),
    "merge": ([(["draft", "edited"], "merged")], {EDITOR}, Merge, False),
    "unmerge": ([(["merged"], "draft")], {EDITOR}, None, False),
    "withdraw": ([([*OPEN, "returned"], "withdrawn")], {CONTRIBUTOR, REGISTRAR}, None, True),
    "reopen": ([(["kept", "rejected", "withdrawn"], "draft")], {REGISTRAR}, None, True),
    "comment": ([(STATES, "")], {EVERYBODY}, Comment, False),
    "erase": ([(STATES, "")], {REGISTRAR}, Erasure, True),
}
STEPS_ONLY = {"credit", "discredit"}


def test_the_table_is_that_of_the_design() -> None:
    """`REPORT` has exactly the states, roles, transitions, details and reasons of the design."""
    assert [state.name for state in REPORT.states] == STATES
    assert set(REPORT.triggers) == {*TABLE, *STEPS_ONLY}
    expected = {}
    for trigger, (lines, roles, details, reason) in TABLE.items():
        for sources, dest in lines:
            for source in sources:
                expected[source, trigger] = (dest or source, roles, details, reason)
    found = {
        (source, row.trigger): (" ".join(row.dests(source)), set(row.roles), row.details, row.reason_required)
        for row in REPORT.transitions
        for source in row.sources
        if row.trigger not in STEPS_ONLY
    }
    assert found == expected


def test_credits_are_steps_only() -> None:
    """No role may credit or discredit; a merged report is credited with nothing more, and nobody's credit is stuck."""
    for trigger, sources in (("credit", BUT_MERGED), ("discredit", STATES)):
        (row,) = REPORT.rows(trigger)
        assert row.roles == {NOBODY}
        assert row.sources == {*sources}
        assert row.dest == SAME


def test_roles_reach_as_far_as_the_design_says() -> None:
    """A contributor's role holds for their own, the office's roles for their unit."""
    assert REPORT.roles == {CONTRIBUTOR: OWN, EDITOR: UNIT, REVIEWER: UNIT, REGISTRAR: UNIT, "auditor": UNIT}


def test_final_states_and_awaited_roles() -> None:
    """Published and filed states are final; each of the other four awaits one role."""
    assert {state.name for state in REPORT.states if state.final} == {*STATES} - {*OPEN, "returned"}
    awaited = {state.name: set(state.awaits) for state in REPORT.states if state.awaits}
    assert awaited == {
        "draft": {EDITOR},
        "edited": {REVIEWER},
        "reviewed": {REGISTRAR},
        "returned": {CONTRIBUTOR},
    }


def test_only_a_review_is_stale_and_a_comment_commutes() -> None:
    """A review is "stale", a comment "commutes", and all other transitions are "retry"."""
    assert {row.trigger for row in REPORT.transitions if row.on_conflict == "stale"} == {"review"}
    assert {row.trigger for row in REPORT.transitions if row.on_conflict == "commutes"} == {"comment"}


@pytest.mark.parametrize("state", STATES)
def test_every_state_can_be_reached_and_allows_its_rows(flow: ReportFlow, state: str) -> None:
    """In each state each trigger with a row is allowed, and each without one is the refusal `state`."""
    for trigger in TABLE:
        report = bring(flow, state)
        target = bring(flow, "draft").id
        actor = ZHANG if trigger == "revise" else Actor(id="all", roles={*REPORT.roles}, unit=UNIT_NAME)
        mine = flow.get(report.id, by=ALL)
        found = REPORT.row(state, trigger)
        if found is None:
            with pytest.raises(TransitionRefused) as refused:
                flow.fire(mine, trigger, details_for(trigger, target), by=actor, reason="because")
            assert "state" in codes(refused.value)
        else:
            done = flow.fire(mine, trigger, details_for(trigger, target), by=actor, reason="because")
            assert done.state == ("reviewed" if found[0].chooses else found[1])
            assert replay(flow.history(done.id, by=ALL), REPORT) == done


# ---------------------------------------------------------------------------------------------------------------
# Stories


def test_a_creation_needs_title_text_and_author() -> None:
    """A draft without a title, a text or an author, or with blank ones, is refused with the field named."""
    whole: dict[str, Any] = {"title": "t", "text": "t", "authors": [Author(name="a")]}
    assert Report.draft(**whole).version == 0
    for field in whole:
        bads: list[dict[str, Any]] = [{name: whole[name] for name in whole if name != field}, {**whole, field: ""}]
        for bad in bads:
            with pytest.raises(InvalidValue) as raised:
                Report.draft(**bad)
            assert raised.value.field == field


def test_from_draft_to_instructed(flow: ReportFlow) -> None:
    """A report is edited, reviewed, adopted, forwarded, instructed on and absorbed, each with its entry."""
    report = flow.create(draft(), by=ZHANG)
    report = flow.fire(report, "classify", details_for("classify"), by=LI)
    report = flow.fire(report, "edit", Revision(text="better", title="Better"), by=LI)
    assert (report.text, report.title, report.revision, report.edited_by) == ("better", "Better", 1, "li")
    report = flow.fire(report, "review", by=WANG)
    report = flow.fire(report, "adopt", details_for("adopt"), by=CHEN)
    report = flow.fire(report, "forward", details_for("forward"), by=LI)
    assert report.state == "adopted"
    report = flow.fire(report, "instruct", details_for("instruct"), by=CHEN)
    report = flow.fire(report, "adopt", Adoption(body="省政协", level=Level.PROVINCE), by=CHEN)
    report = flow.fire(report, "absorb", details_for("absorb"), by=CHEN)
    assert report.state == "instructed"
    history = flow.history(report.id, by=CHEN)
    assert [entry.trigger for entry in history] == [
        "create", "classify", "edit", "review", "adopt", "forward", "instruct", "adopt", "absorb",
    ]  # fmt: skip
    assert replay(history, REPORT) == report
    assert flow.count(Query(happened=Happened(trigger="adopt")), by=CHEN, of="entries") == {(): 2}
    assert flow.count(Query(happened=Happened(trigger="adopt")), by=CHEN) == {(): 1}


def test_return_and_revise(flow: ReportFlow) -> None:
    """A returned report awaits its contributor, whose revision makes it a draft again, with a new text."""
    report = bring(flow, "returned")
    assert [one.id for one in flow.inbox(by=ZHANG)] == [report.id]
    report = flow.fire(report, "revise", Revision(text="new"), by=ZHANG)
    assert (report.state, report.text, report.revision) == ("draft", "new", 1)
    assert report.title == draft().title


@pytest.mark.parametrize("trigger", ["return", "keep", "withdraw", "reject"])
def test_turning_a_report_away_needs_a_reason(flow: ReportFlow, trigger: str) -> None:
    """Without a reason, or with a blank one, the transition is refused; a rejection also needs its code."""
    report = bring(flow, "draft")
    by = CHEN if trigger == "withdraw" else LI
    for reason in ("", "  \n"):
        with pytest.raises(TransitionRefused) as refused:
            flow.fire(report, trigger, details_for(trigger), by=by, reason=reason)
        assert codes(refused.value) == ["reason"]
    with pytest.raises(TransitionRefused) as refused:
        flow.fire(report, "reject", by=LI)
    assert codes(refused.value) == ["details", "reason"]
    done = flow.fire(report, trigger, details_for(trigger), by=by, reason="重复")
    assert flow.history(done.id, by=LI)[-1].reason == "重复"


def test_the_last_editor_cannot_review(flow: ReportFlow) -> None:
    """The last editor cannot review; an earlier editor can, once another has edited."""
    report = flow.fire(bring(flow, "draft"), "edit", details_for("edit"), by=ALL)
    with pytest.raises(TransitionRefused) as refused:
        flow.fire(report, "review", by=ALL)
    assert codes(refused.value) == ["same_person"]
    report = flow.fire(report, "edit", Revision(text="better"), by=LI)
    assert flow.fire(report, "review", by=ALL).state == "reviewed"


@pytest.mark.parametrize(
    ("editing", "reviewing", "passes"),
    [
        (LI, attrs.evolve(WANG, on_behalf_of="li"), False),
        (LI, attrs.evolve(WANG, on_behalf_of="zhao"), True),
        (attrs.evolve(LI, on_behalf_of="wang"), WANG, False),
        (attrs.evolve(LI, on_behalf_of="wang"), attrs.evolve(ALL, on_behalf_of="wang"), False),
        (attrs.evolve(LI, on_behalf_of="zhao"), WANG, True),
        (attrs.evolve(LI, on_behalf_of="zhao"), attrs.evolve(WANG, on_behalf_of="qian"), True),
        (attrs.evolve(WANG, roles={"editor"}, on_behalf_of="zhao"), WANG, False),
    ],
)
def test_nobody_reviews_their_own_text_through_another(
    flow: ReportFlow, editing: Actor, reviewing: Actor, passes: bool
) -> None:
    """Neither the one who edited last nor the one for whom they did may review, nor may another on their behalf."""
    report = flow.fire(bring(flow, "draft"), "edit", details_for("edit"), by=editing)
    option = next(one for one in flow.options(report, by=reviewing) if one.trigger == "review")
    assert option.allowed == passes
    if passes:
        assert flow.fire(report, "review", by=reviewing).state == "reviewed"
    else:
        with pytest.raises(TransitionRefused) as refused:
            flow.fire(report, "review", by=reviewing)
        assert codes(refused.value) == ["same_person"]


def test_an_edit_that_changes_nothing_is_refused(flow: ReportFlow) -> None:
    """An edit needs another text or title: else it would void the review for nothing."""
    report = bring(flow, "reviewed")
    for same in (Revision(text=report.text), Revision(text=report.text, title=report.title)):
        with pytest.raises(TransitionRefused) as refused:
            flow.fire(report, "edit", same, by=LI)
        assert codes(refused.value) == ["unchanged"]
        for language in ("en", "zh"):
            assert refused.value.message(language)
    assert flow.get(report.id, by=LI) == report
    for other in (Revision(text="other"), Revision(text="other", title="other")):
        report = flow.fire(report, "edit", other, by=LI)
        assert report.state == "edited"


def test_an_edit_revokes_the_review(flow: ReportFlow) -> None:
    """A report that is edited after its review must be reviewed again before it is adopted."""
    report = flow.fire(bring(flow, "reviewed"), "edit", Revision(text="better"), by=LI)
    assert report.state == "edited"
    with pytest.raises(TransitionRefused) as refused:
        flow.fire(report, "adopt", details_for("adopt"), by=CHEN)
    assert codes(refused.value) == ["state"]


def test_a_review_needs_the_current_version(flow: ReportFlow) -> None:
    """A review of an outdated snapshot or version is `StaleRecord`."""
    seen = bring(flow, "edited")
    flow.fire(seen.id, "edit", Revision(text="later"), by=LI)
    with pytest.raises(StaleRecord):
        flow.fire(seen, "review", by=WANG)
    with pytest.raises(StaleRecord):
        flow.fire(seen.id, "review", by=WANG, version=seen.version)
    assert flow.get(seen.id, by=WANG).state == "edited"


def test_merge_credits_the_target_and_unmerge_removes_the_credit(flow: ReportFlow) -> None:
    """A merged report names its target, which names it; unmerging undoes both and keeps the text."""
    target, report = bring(flow, "edited", title="target"), bring(flow, "edited")
    merged = flow.fire(report, "merge", Merge(target=target.id), by=LI)
    credited = flow.get(target.id, by=LI, type=Report)
    assert (merged.state, merged.merged_into) == ("merged", target.id)
    assert (credited.state, credited.credits, credited.version) == ("edited", (report.id,), target.version + 1)
    cause, credit = flow.history(report.id, by=LI)[-1], flow.history(target.id, by=LI)[-1]
    assert (credit.trigger, credit.cause, credit.actor.id) == ("credit", cause.ref, LI.id)
    back = flow.fire(merged, "unmerge", by=LI)
    assert (back.state, back.merged_into, back.text) == ("draft", None, report.text)
    assert flow.get(target.id, by=LI, type=Report).credits == ()
    assert flow.fire(back, "merge", Merge(target=target.id), by=LI).state == "merged"
    assert flow.get(target.id, by=LI, type=Report).credits == (report.id,)


def test_no_merge_into_itself_or_into_a_merged_one(flow: ReportFlow) -> None:
    """A report is no target of its own, a merged one no target at all; nothing is written on either."""
    first, second = bring(flow, "draft"), bring(flow, "draft")
    with pytest.raises(TransitionRefused) as refused:
        flow.fire(first, "merge", Merge(target=first.id), by=LI)
    assert codes(refused.value) == ["itself"]
    merged = flow.fire(first, "merge", Merge(target=second.id), by=LI)
    with pytest.raises(TransitionRefused) as refused:
        flow.fire(second.id, "merge", Merge(target=merged.id), by=LI)
    assert (codes(refused.value), refused.value.id, refused.value.trigger) == (["state"], merged.id, "credit")
    assert flow.get(second.id, by=LI).state == "draft"
    assert flow.get(first.id, by=LI) == merged


def test_no_merge_into_an_invisible_report(flow: ReportFlow) -> None:
    """A target in another unit is `RecordNotFound`, like a missing one."""
    report = bring(flow, "draft")
    for target in (bring(flow, "draft", unit="elsewhere").id, "nothing"):
        with pytest.raises(RecordNotFound) as raised:
            flow.fire(report, "merge", Merge(target=target), by=LI)
        assert raised.value.ids == (target,)
    assert flow.get(report.id, by=LI) == report


def test_a_refusal_of_a_step_is_said(flow: ReportFlow) -> None:
    """A report that was merged is no target: the refusal of the step is that of the merge."""
    first, second, third = (bring(flow, "draft") for _ in "123")
    flow.fire(first, "merge", Merge(target=second.id), by=LI)
    with pytest.raises(TransitionRefused) as refused:
        flow.fire(third, "merge", Merge(target=first.id), by=LI)
    assert codes(refused.value) == ["state"]


#: What may become of a target after something was merged into it: each an act that ends in another state.
_ENDS = ("keep", "reject", "return", "withdraw")


@given(data=st.data())
def test_credits_are_what_was_merged(data: st.DataObject) -> None:
    """Whatever is merged, undone and put away in whatever order, a report is credited with all that leads to it.

    And each merged report can be unmerged, in whatever state its target is: that is offered, and done.
    """
    flow = ReportFlow(MemoryStore(), OPEN_REPORT, clock=lambda: START)
    ids = [flow.create(draft(title=str(number)), by=ZHANG).id for number in range(4)]
    into: dict[str, str] = {}

    def ways(id: str) -> set[str]:
        return {into[id], *ways(into[id])} if id in into else set()

    for _ in range(data.draw(st.integers(1, 12))):
        id = data.draw(st.sampled_from(ids))
        report = flow.get(id, by=LI)
        if id in into:
            if data.draw(st.booleans()):
                assert flow.fire(id, "unmerge", by=LI).state == "draft"
                del into[id]
        elif report.state in ("draft", "edited") and data.draw(st.booleans()):
            target = data.draw(st.sampled_from(ids))
            if target == id or target in into:
                with pytest.raises(TransitionRefused):
                    flow.fire(id, "merge", Merge(target=target), by=LI)
            else:
                flow.fire(id, "merge", Merge(target=target), by=LI)
                into[id] = target
        elif report.state == "draft":
            trigger = data.draw(st.sampled_from(_ENDS))
            by = CHEN if trigger == "withdraw" else LI
            flow.fire(id, trigger, details_for(trigger), by=by, reason="because")
        for one in ids:
            now = flow.get(one, by=LI, type=Report)
            assert set(now.credits) == {other for other in ids if one in ways(other)}
            assert len(now.credits) == len(set(now.credits))
            assert now.merged_into == into.get(one)
            unmerge = next(option for option in flow.options(one, by=LI) if option.trigger == "unmerge")
            assert unmerge.allowed == (one in into)


_FACTS = {"adopt": "adopted", "forward": "forwarded", "instruct": "instructed"}


@given(data=st.data())
def test_the_facts_that_stand_say_how_far_a_report_is(data: st.DataObject) -> None:
    """Whatever is entered and taken back, `facts`, the state, the offers and the figures go by what stands."""
    flow = ReportFlow(MemoryStore(), OPEN_REPORT, clock=Clock())
    report = bring(flow, "reviewed")
    standing: dict[int, str] = {}
    for _ in range(data.draw(st.integers(1, 8))):
        sequence = data.draw(st.integers(1, report.version + 1))
        trigger = data.draw(st.sampled_from([*_FACTS, "retract", "retract", "comment"]))
        details = Retraction(sequence=sequence) if trigger == "retract" else details_for(trigger)
        allowed = trigger != "retract" or sequence in standing
        allowed = allowed and REPORT.row(report.state, trigger) is not None
        if not allowed:
            with pytest.raises(TransitionRefused) as refused:
                flow.fire(report, trigger, details, by=CHEN, reason="entered in error")
            assert {"state", "not_a_fact", "not_retractable"} & set(codes(refused.value))
            continue
        report = flow.fire(report, trigger, details, by=CHEN, reason="entered in error")
        if trigger == "retract":
            del standing[sequence]
        elif trigger in _FACTS:
            standing[report.version] = trigger
        assert {fact.sequence: fact.trigger for fact in report.facts} == standing
        stand = {*standing.values()}
        assert report.state == next(
            (_FACTS[one] for one in ("instruct", "adopt", "forward") if one in stand), "reviewed"
        )
        for one in _FACTS:
            counted = flow.count(Query(happened=Happened(trigger=one)), by=CHEN, of="entries")
            assert counted == {(): [*standing.values()].count(one)}
        assert replay(flow.history(report.id, by=CHEN), REPORT) == report


def test_a_wrong_adoption_is_taken_back(flow: ReportFlow) -> None:
    """A retraction has a reason and names the entry; the history has both, and the right fact can be entered."""
    report = bring(flow, "adopted")
    (fact,) = report.facts
    with pytest.raises(TransitionRefused) as refused:
        flow.fire(report, "retract", Retraction(sequence=fact.sequence), by=CHEN)
    assert codes(refused.value) == ["reason"]
    report = flow.fire(report, "retract", Retraction(sequence=fact.sequence), by=CHEN, reason="wrong report")
    assert (report.state, report.facts) == ("reviewed", ())
    history = flow.history(report.id, by=CHEN)
    assert [(entry.trigger, entry.retracts) for entry in history][-2:] == [("adopt", None), ("retract", fact.sequence)]
    report = flow.fire(report, "adopt", Adoption(body="省政协", level="province"), by=CHEN)
    with pytest.raises(TransitionRefused) as refused:  # the retraction itself
        flow.fire(report, "retract", Retraction(sequence=report.version - 1), by=CHEN, reason="again")
    assert codes(refused.value) == ["not_a_fact"]
    for language, words in (("en", "still stands"), ("zh", "仍有效")):
        assert words in refused.value.message(language)


def test_a_published_report_gets_its_evidence(flow: ReportFlow) -> None:
    """Attachments are added, one of a name that is there takes its place; authors, source and origin are corrected."""
    one = Attachment(name="a.pdf", media_type="application/pdf", size=1, sha256="0" * 64)
    two = attrs.evolve(one, name="b.pdf")
    report = bring(flow, "adopted", attachments=[one])
    report = flow.fire(report, "supplement", Supplement(attachments=[two, attrs.evolve(one, size=2)]), by=LI)
    assert {found.name: found.size for found in report.attachments} == {"a.pdf": 2, "b.pdf": 1}
    fixed = Supplement(authors=[Author(name="李四", id="lisi")], source="party", origin="2022-7")
    report = flow.fire(report, "supplement", fixed, by=ZHANG)
    assert (report.authors[0].name, report.source, report.origin) == ("李四", Source.PARTY, "2022-7")
    assert (report.state, len(report.attachments)) == ("adopted", 2)
    with pytest.raises(InvalidValue):
        flow.fire(report, "supplement", Supplement(authors=[]), by=LI)
    report = flow.fire(report, "classify", Classification(topics=["health"]), by=CHEN)
    assert (report.state, report.topics) == ("adopted", ("health",))


def test_a_department_s_reply_is_entered(flow: ReportFlow) -> None:
    """A reply is entered for a department, with its own time, and counted by its result."""
    report = bring(flow, "forwarded")
    reply = Reply(department="教育局", text="已增设", result="solved")
    report = flow.fire(report, "reply", reply, by=CHEN)
    assert report.state == "forwarded"
    asked = Query(happened=Happened(trigger="reply", party="教育局", code="solved"))
    assert flow.count(asked, by=CHEN) == {(): 1}


@pytest.mark.parametrize("state", ["kept", "rejected", "withdrawn"])
def test_reopen(flow: ReportFlow, state: str) -> None:
    """A filed report becomes a draft again, by the registrar and with a reason."""
    report = bring(flow, state)
    with pytest.raises(TransitionRefused) as refused:
        flow.fire(report, "reopen", by=LI, reason="new facts")
    assert codes(refused.value) == ["role"]
    assert flow.fire(report, "reopen", by=CHEN, reason="new facts").state == "draft"


def test_a_contributor_withdraws_their_own(flow: ReportFlow) -> None:
    """The creator and an author may withdraw; to another contributor the report is not found."""
    report = flow.create(draft(authors=[Author(name="张三", id="zhang"), Author(name="赵六", id="zhao")]), by=LI)
    assert flow.fire(report.id, "withdraw", by=ZHAO, reason="mistake").state == "withdrawn"
    other = bring(flow, "draft")
    with pytest.raises(RecordNotFound):
        flow.fire(other.id, "withdraw", by=ZHAO, reason="mistake")


def test_a_comment_commutes(flow: ReportFlow) -> None:
    """A comment on an outdated version is stored all the same, and changes no field."""
    seen = bring(flow, "draft")
    edited = flow.fire(seen.id, "edit", details_for("edit"), by=LI, type=Report)
    after = flow.fire(seen, "comment", Comment(text="好"), by=WU)
    assert after.version == edited.version + 1
    assert (after.state, after.text) == (edited.state, edited.text)


def test_a_late_adoption_has_its_own_time(flow: ReportFlow, clock: Clock) -> None:
    """An adoption that becomes known in the next year counts in the year when it happened; nothing is rewritten."""
    report = bring(flow, "reviewed")
    happened = clock.now + timedelta(days=30)
    clock.now += timedelta(days=400)
    known_before = flow.history(report.id, by=CHEN)
    adopted = flow.fire(report.id, "adopt", details_for("adopt"), by=CHEN, at=happened)
    last = flow.history(report.id, by=CHEN)[-1]
    assert (last.at, last.recorded_at) == (happened, adopted.updated_at)
    assert flow.history(report.id, by=CHEN)[:-1] == known_before
    assert flow.as_of(report.id, by=CHEN, time=happened + timedelta(days=1)).state == "reviewed"


@pytest.mark.parametrize(("days", "problem"), [(-1, "before_creation"), (500, "in_future")])
def test_a_time_out_of_range_is_refused(flow: ReportFlow, days: int, problem: str) -> None:
    """Nothing happens to a report before its creation or after now."""
    report = bring(flow, "draft")
    assert report.created_at is not None
    with pytest.raises(InvalidValue) as raised:
        flow.fire(report, "edit", details_for("edit"), by=LI, at=report.created_at + timedelta(days=days))
    assert (raised.value.field, raised.value.problem) == ("at", problem)
    assert flow.get(report.id, by=LI) == report


def test_enums_are_given_by_value(flow: ReportFlow) -> None:
    """An enum may be given by its value; any other text is refused with the choices."""
    assert Adoption(body="b", level="city", usage="combined").usage is Usage.COMBINED
    assert Adoption(body="b", level="city").level is Level.CITY
    assert Author(name="n", level="county").level is Level.COUNTY
    assert Classification(secrecy="secret").secrecy is Secrecy.SECRET
    assert draft(source="party", secrecy="confidential").source is Source.PARTY
    for wrong in (lambda: Adoption(body="b", level="town"), lambda: draft(source="x"), lambda: draft(secrecy="x")):
        with pytest.raises(InvalidValue, match="take one of") as raised:
            wrong()
        assert raised.value.problem == "choice"
    assert flow.create(draft(source="public"), by=LI).source is Source.PUBLIC


def test_classify_changes_only_the_fields_given(flow: ReportFlow) -> None:
    """A classification changes the fields that it names, and only those; an empty list of topics empties them."""
    report = bring(flow, "draft", topics=["a"], category="c")
    report = flow.fire(report, "classify", Classification(category="d"), by=LI)
    assert (report.topics, report.category, report.secrecy) == (("a",), "d", Secrecy.INTERNAL)
    report = flow.fire(report, "classify", Classification(topics=[]), by=LI)
    assert (report.topics, report.category) == ((), "d")


# ---------------------------------------------------------------------------------------------------------------
# Who sees and who touches what


@given(
    roles=st.sets(st.sampled_from([*REPORT.roles, "stranger"])),
    unit=st.sampled_from([UNIT_NAME, "elsewhere", ""]),
    who=st.sampled_from(["zhang", "author", "li", "nobody"]),
    clearance=st.sampled_from(Secrecy),
    secrecy=st.sampled_from(Secrecy),
)
def test_who_sees_a_report(roles: set[str], unit: str, who: str, clearance: Secrecy, secrecy: Secrecy) -> None:
    """A contributor sees their own reports, the office's roles those of their unit, within their clearance."""
    flow = ReportFlow(MemoryStore(), OPEN_REPORT)
    trusted = Actor(id="zhang", roles={"contributor"}, clearance=Secrecy.TOP_SECRET)
    report = flow.create(draft(secrecy=secrecy, authors=[Author(name="A", id="author")]), by=trusted)
    actor = Actor(id=who, roles=roles, unit=unit, clearance=clearance)
    mine = "contributor" in roles and who in ("zhang", "author")
    ours = bool(roles & {"editor", "reviewer", "registrar", "auditor"}) and unit == UNIT_NAME
    sees = (mine or ours) and list(Secrecy).index(secrecy) <= list(Secrecy).index(clearance)
    assert [one.id for one in flow.find(Query(), by=actor)] == ([report.id] if sees else [])
    assert flow.count(Query(), by=actor) == {(): int(sees)}
    for read in (flow.get, flow.history, flow.options, lambda id, by: flow.as_of(id, by=by, version=1)):
        if sees:
            assert read(report.id, by=actor)
        else:
            with pytest.raises(RecordNotFound):
                read(report.id, by=actor)


def test_invisible_and_unknown_are_the_same_error(flow: ReportFlow) -> None:
    """In every call, a record that is not visible and one that does not exist give the same error, but for the id."""
    hidden = flow.create(draft(unit="elsewhere"), by=ZHANG).id
    calls: list[Callable[[str], object]] = [
        lambda id: flow.get(id, by=LI),
        lambda id: flow.history(id, by=LI),
        lambda id: flow.options(id, by=LI),
        lambda id: flow.as_of(id, by=LI, version=1),
        lambda id: flow.as_of(id, by=LI, version=99),
        lambda id: flow.fire(id, "edit", details_for("edit"), by=LI),
        lambda id: flow.fire(id, "nonsense", by=LI),
        lambda id: flow.fire(id, "edit", by=LI, version=99),
        lambda id: flow.fire(id, "adopt", by=LI),
        lambda id: flow.fire(id, "edit", details_for("edit"), by=LI, at=START - timedelta(days=999)),
        lambda id: flow.fire(id, "edit", details_for("edit"), by=LI, key="k"),
    ]
    for number, call in enumerate(calls):
        answers = []
        for id in (hidden, "unknown"):
            with pytest.raises(RecordNotFound) as raised:
                call(id)
            answers.append((str(raised.value).replace(id, "ID"), raised.value.message("zh").replace(id, "ID")))
        assert answers[0] == answers[1], number


def test_an_auditor_reads_and_comments_and_no_more(flow: ReportFlow) -> None:
    """In every state an auditor is offered the comment alone."""
    for state in STATES:
        report = bring(flow, state)
        assert flow.get(report.id, by=WU) == report
        assert [option.trigger for option in flow.options(report, by=WU) if option.allowed] == ["comment"]


def test_a_contributor_acts_on_their_own_reports_only(flow: ReportFlow) -> None:
    """A contributor is offered what a contributor does to a draft of their own, whatever unit it is in."""
    report = bring(flow, "draft")
    offered = [option.trigger for option in flow.options(report, by=ZHANG) if option.allowed]
    assert sorted(offered) == ["comment", "revise", "supplement", "withdraw"]


def test_roles_of_another_unit_are_not_held(flow: ReportFlow) -> None:
    """An author with all roles of another unit has the permissions of an author only."""
    both = Actor(id="zhang", roles={*ABROAD.roles, "contributor"}, unit="elsewhere")
    report = bring(flow, "draft")
    offered = [option.trigger for option in flow.options(report, by=both) if option.allowed]
    assert sorted(offered) == ["comment", "revise", "supplement", "withdraw"]
    with pytest.raises(TransitionRefused) as refused:
        flow.fire(report, "edit", details_for("edit"), by=both)
    assert codes(refused.value) == ["role"]


def test_where_roles_may_create(flow: ReportFlow) -> None:
    """A draft gets its creator's unit; an editor may create in their own unit only, and a reviewer in none."""
    assert flow.create(draft(unit=""), by=LI).unit == UNIT_NAME
    assert flow.create(draft(unit=UNIT_NAME), by=ZHANG).created_by == "zhang"
    for unit, by in (("elsewhere", LI), (UNIT_NAME, WANG), (UNIT_NAME, WU)):
        with pytest.raises(TransitionRefused) as refused:
            flow.create(draft(unit=unit), by=by)
        assert codes(refused.value) == ["role"]


def test_secrecy_above_the_clearance_hides_a_report(flow: ReportFlow) -> None:
    """A report classified above somebody's clearance is not found by them, and found by a cleared actor."""
    cleared = Actor(id="li", roles={"editor"}, unit=UNIT_NAME, clearance="secret")
    report = flow.fire(bring(flow, "draft"), "classify", Classification(secrecy="secret"), by=cleared)
    for by in (LI, ZHANG):
        with pytest.raises(RecordNotFound):
            flow.get(report.id, by=by)
    assert flow.get(report.id, by=cleared) == report


def test_the_inbox_is_what_awaits_the_actor(flow: ReportFlow, clock: Clock) -> None:
    """An inbox is what is visible, awaits the actor and is not assigned to others; due first, then oldest."""
    by_state = {state: bring(flow, state).id for state in STATES}
    assert {one.id for one in flow.inbox(by=WANG)} == {by_state["edited"]}
    assert {one.id for one in flow.inbox(by=CHEN)} == {by_state["reviewed"]}
    assert {one.id for one in flow.inbox(by=ZHANG)} == {by_state["returned"]}
    assert list(flow.inbox(by=ZHAO)) == list(flow.inbox(by=WU)) == list(flow.inbox(by=ABROAD)) == []
    first, due = bring(flow, "edited"), bring(flow, "edited")
    others = bring(flow, "edited")
    flow.fire(due, "assign", Assignment(assignee="wang", due_at=clock.now + timedelta(days=3)), by=LI)
    flow.fire(others, "assign", Assignment(assignee="another"), by=LI)
    assert [one.id for one in flow.inbox(by=WANG)] == [due.id, by_state["edited"], first.id]
    page = flow.inbox(by=WANG, limit=2)
    assert page.next is not None
    assert [one.id for one in flow.inbox(by=WANG, limit=2, cursor=page.next)] == [first.id]
