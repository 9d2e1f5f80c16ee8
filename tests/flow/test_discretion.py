"""Nothing is told of a record that one may not see, by any call, and nothing is lost from sight by one's own act."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Collection, Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    ANY,
    OWN,
    PERSON,
    SAME,
    UNIT,
    Actor,
    AlreadyExists,
    AsyncReportFlow,
    Constant,
    Details,
    Fire,
    InvalidValue,
    Lifecycle,
    MemoryStore,
    Person,
    Record,
    RecordNotFound,
    ReportFlow,
    Secrecy,
    State,
    Step,
    Transition,
    TransitionRefused,
    guard,
    only_the_assignee,
)
from reportflow.office import Assignment, Author, Classification, Merge, Report, Revision
from reportflow.office.report import REPORT
from reportflow.storage.memory import AsyncMemoryStore

ZHAO = Actor(id="zhao", name="赵敏", roles={"contributor"}, unit="yulin")
LI = Actor(id="li", name="李娜", roles={"editor"}, unit="yulin", clearance="secret")
LOW = attrs.evolve(LI, id="low", name="刘洋", clearance="internal")


def draft(**fields: Any) -> Report:
    """The draft of a report."""
    return Report.draft(**{"title": "题", "text": "文", "authors": [Author(name="赵敏", id="zhao")], **fields})


def office(**settings: Any) -> ReportFlow:
    """A flow of reports in memory."""
    return ReportFlow(MemoryStore(), REPORT, **settings)


def refused(call: Callable[[], object]) -> TransitionRefused:
    """What a call is refused with."""
    with pytest.raises(TransitionRefused) as raised:
        call()
    assert pickle.loads(pickle.dumps(raised.value)).refusals == raised.value.refusals
    return raised.value


def codes(error: TransitionRefused) -> list[str]:
    """The codes of the reasons."""
    return [one.code for one in error.refusals]


# -- one's own act -----------------------------------------------------------------------------------------------------


@given(
    clearance=st.sampled_from(Secrecy),
    before=st.sampled_from(Secrecy),
    after=st.sampled_from(Secrecy),
    own=st.booleans(),
)
def test_nobody_raises_secrecy_above_their_clearance(
    clearance: Secrecy, before: Secrecy, after: Secrecy, own: bool
) -> None:
    """A draft and a classification go up to one's own clearance, and are refused above it with the code clearance."""
    with office() as flow:
        editor = attrs.evolve(LI, clearance=clearance)
        creator = editor if own else attrs.evolve(ZHAO, clearance="top_secret")
        if own and before > clearance:
            error = refused(lambda: flow.create(draft(secrecy=before), by=creator))
            assert (codes(error), error.id, error.version) == (["clearance"], "", 0)
            return
        report = flow.create(draft(secrecy=before), by=creator)
        if before > clearance:
            return
        change = Classification(secrecy=after)
        if after > clearance:
            error = refused(lambda: flow.fire(report, "classify", change, by=editor))
            assert codes(error) == ["clearance"]
            assert error.refusals[0].params["secrecy"] == after.value
            assert flow.get(report.id, by=editor).version == 1
        else:
            assert flow.fire(report, "classify", change, by=editor).secrecy is after


@attrs.frozen(kw_only=True)
class Move(Details):
    """To which unit, and whose it is then."""

    unit: str = "yulin"
    owner: str = "zhao"


@attrs.frozen(kw_only=True)
class File(Record):
    """A record that belongs to somebody."""

    owner: str = ""
    readers: tuple[str, ...] = attrs.field(default=(), metadata=PERSON)

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        return {"author": (self.owner,)}


def files(**row: Any) -> Lifecycle:
    """Files that can be moved to another unit, given to another owner, and made secret."""
    roles = {"clerk", "owner", "boss"}
    return Lifecycle(
        name="file", version=1, record=File, roles={"clerk": UNIT, "owner": OWN, "boss": ANY},
        states=[State("open", final=True)],
        transitions=[
            Transition(
                "open", source=None, dest="open", roles={"boss"},
                accepts={"id", "owner", "unit", "assignee", "readers"},
            ),
            Transition(
                "move", source="open", dest=SAME, roles=roles, details=Move,
                sets={"unit": "unit", "owner": "owner"}, **row,
            ),
            Transition("hide", source="open", dest=SAME, roles=roles, sets={"secrecy": Constant("secret")}, **row),
            Transition("leave", source="open", dest=SAME, roles=roles, sets={"unit": Constant("else")}, **row),
            Transition("take", source="open", dest=SAME, roles=roles, sets={"assignee": _actor}),
        ],
    )  # fmt: skip


def _actor(before: File, entry: Any) -> str:
    actor: str = entry.actor.id
    return actor


@pytest.mark.parametrize("role", ["clerk", "owner", "boss"])
@pytest.mark.parametrize(
    ("trigger", "details", "lost"),
    [
        ("move", Move(), set()),
        ("move", Move(unit="else"), {"clerk"}),
        ("move", Move(owner="other"), {"owner"}),
        ("hide", None, {"clerk", "owner", "boss"}),
        ("leave", None, {"clerk"}),
    ],
)
@pytest.mark.parametrize("meant", [False, True])
def test_nothing_is_lost_from_sight_by_ones_own_act(
    role: str, trigger: str, details: Move | None, lost: set[str], meant: bool
) -> None:
    """An act after which its actor would not see the record is refused and so offered, unless its row means it."""
    boss = Actor(id="boss", roles={"boss"})
    me = Actor(id="zhao", roles={role}, unit="yulin")
    with ReportFlow(MemoryStore(), files(hands_over=meant)) as flow:
        file = flow.create(File.draft(owner="zhao", unit="yulin"), by=boss)
        offered = {one.trigger: one for one in flow.options(file, by=me)}[trigger]
        if role not in lost or meant:
            assert offered.allowed
            flow.fire(file, trigger, details, by=me)
            return
        error = refused(lambda: flow.fire(file, trigger, details, by=me))
        assert codes(error) == ["clearance" if trigger == "hide" else "out_of_sight"]
        assert offered.refusals == (() if details else error.refusals)
        assert flow.get(file.id, by=me).version == 1


# -- what one may not see ----------------------------------------------------------------------------------------------


def test_a_hidden_target_tells_nothing() -> None:
    """An act whose step a hidden record refuses tells neither its state nor its version, nor does the offer of it."""

    def to_parent(before: Record, entry: Any) -> Step:
        return Step(target=str(before.parent), trigger="count", system=True)

    def never(record: Record, command: Any) -> bool:
        return False

    table = Lifecycle(
        name="file", version=1, record=Record, roles={"clerk": UNIT, "boss": ANY},
        states=[State("open"), State("shut", final=True)],
        transitions=[
            Transition("open", source=None, dest="open", roles={"clerk", "boss"}, accepts={"parent", "unit", "title"}),
            Transition("shut", source="open", dest="shut", roles={"boss"}),
            Transition("push", source="open", dest=SAME, roles={"clerk"}, then=to_parent),
            Transition("count", source="open", dest=SAME, roles="nobody", guards=[guard("never")(never)]),
        ],
    )  # fmt: skip
    boss = Actor(id="boss", roles={"boss"}, unit="a")
    clerk = Actor(id="clerk", roles={"clerk"}, unit="b")
    with ReportFlow(MemoryStore(), table) as flow:
        said = []
        for shut in (False, True):
            hidden: Record = flow.create(Record.draft(title="geheim"), by=boss)
            if shut:
                hidden = flow.fire(hidden, "shut", by=boss)
            part = flow.create(Record.draft(parent=hidden.id), by=clerk)
            error = refused(lambda part=part: flow.fire(part, "push", by=clerk))  # type: ignore[misc]
            offered = {one.trigger: one for one in flow.options(part, by=clerk)}["push"]
            assert (error.id, error.version, error.trigger) == (part.id, 1, "push")
            assert offered.refusals == error.refusals
            text = str(error) + error.message("zh") + error.message()
            assert hidden.id not in text
            assert "geheim" not in text
            said.append([(one.code, dict(one.params)) for one in error.refusals])
            seen = refused(lambda part=part: flow.fire(part, "push", by=attrs.evolve(clerk, roles={"clerk", "boss"})))  # type: ignore[misc]
            assert seen.id == hidden.id
        assert said[0] == said[1]


def test_unmerge_tells_nothing_of_a_hidden_target() -> None:
    """Issue 12: whatever became of a target that one does not see, `unmerge` and its offer say the same."""
    with office() as flow:
        target = flow.create(draft(), by=ZHAO)
        source = flow.create(draft(), by=ZHAO)
        source = flow.fire(source, "merge", Merge(target=target.id), by=LI)
        flow.fire(target.id, "classify", Classification(secrecy="secret"), by=LI)
        with pytest.raises(RecordNotFound):
            flow.get(target.id, by=LOW)
        offered = {one.trigger: one for one in flow.options(source, by=LOW)}["unmerge"]
        for one in offered.refusals:
            assert target.id not in str(one.params)
        if offered.allowed:
            assert flow.fire(source, "unmerge", by=LOW).merged_into is None


def test_a_keyed_retry_gives_nothing_above_todays_clearance() -> None:
    """The result of an earlier call is given to those who may see what it was then."""
    with office() as flow:
        report = flow.create(draft(secrecy="secret"), by=attrs.evolve(ZHAO, clearance="secret"), key="k")
        flow.fire(report, "classify", Classification(secrecy="internal"), by=LI)
        again = flow.create(draft(secrecy="secret"), by=attrs.evolve(ZHAO, clearance="secret"), key="k")
        assert again.secrecy is Secrecy.SECRET
        with pytest.raises(RecordNotFound):
            flow.create(draft(secrecy="secret"), by=ZHAO, key="k")


def test_a_taken_id_tells_nothing_more() -> None:
    """Where a table accepts ids, one that is taken is refused alike whoever sees the record; else the flow gives it."""
    boss = Actor(id="boss", roles={"boss"}, unit="a", clearance="secret")
    blind = attrs.evolve(boss, clearance="internal")
    with ReportFlow(MemoryStore(), files()) as flow:
        flow.create(File.draft(id="7"), by=boss)
        flow.create(File.draft(id="8"), by=boss)
        flow.fire("8", "hide", by=boss)
        said = []
        for id in ("7", "8"):
            with pytest.raises(AlreadyExists) as raised:
                flow.create(File.draft(id=id), by=blind)
            said.append(str(raised.value).replace(id, "?") + raised.value.message("zh").replace(id, "?"))
        assert said[0] == said[1]
    with office() as flow:
        hidden = flow.create(draft(secrecy="secret"), by=LI)
        for id in (hidden.id, "free"):
            with pytest.raises(InvalidValue) as refusal:
                flow.create(draft(id=id), by=LOW)
            assert (refusal.value.field, refusal.value.problem) == ("id", "not_accepted")


# -- what a refusal says -----------------------------------------------------------------------------------------------


def test_unknown_roles_are_named() -> None:
    """A misspelt role is named in the refusal, and one that does not reach the record, in both languages."""
    with office() as flow:
        report = flow.create(draft(), by=ZHAO)
        asker = Actor(id="he", name="何军", roles={"editr", "auditor", "contributor"}, unit="yulin")
        error = refused(lambda: flow.fire(report, "edit", Revision(text="x"), by=asker))
        (role,) = error.refusals
        assert (role.params["held"], role.params["elsewhere"], role.params["unknown"]) == (
            ("auditor",), ("contributor",), ("editr",),
        )  # fmt: skip
        for text in (str(error), error.message(), error.message("zh"), error.message("zh", reader="developer")):
            assert "editr" in text
            assert "he" not in text.split()
        assert "何军 holds: auditor." in str(error)


def test_a_refused_creation_speaks_of_no_record() -> None:
    """There is no record yet: no id and no version is in the error or its texts."""
    with ReportFlow(MemoryStore(), REPORT, new_id=lambda: "THE-ID") as flow:
        error = refused(lambda: flow.create(draft(secrecy="secret"), by=Actor(id="he", name="何军", roles={"x"})))
        assert codes(error) == ["clearance", "role"]
        assert (error.id, error.version) == ("", 0)
        for text in (str(error), error.message("zh", reader="developer"), error.message(), error.message("zh")):
            assert "THE-ID" not in text + repr(error.refusals)
            assert "version 0" not in text
            assert "第 0 版" not in text
        assert str(error).startswith("'create' of a new record is refused: ")


def test_people_are_called_by_name() -> None:
    """Who is named in a refusal is called by name: the actor, one of the history, one whom the host knows."""
    colleague = attrs.evolve(LI, id="wang", name="王强", roles={"editor", "reviewer"})
    table = attrs.evolve(
        REPORT,
        transitions=[
            attrs.evolve(row, guards=(only_the_assignee,)) if row.trigger == "edit" else row
            for row in REPORT.transitions
        ],
    )
    with ReportFlow(MemoryStore(), table) as flow:
        report = flow.create(draft(), by=ZHAO)
        report = flow.fire(report, "assign", Assignment(assignee="li"), by=LI)
        error = refused(lambda: flow.fire(report, "edit", Revision(text="x"), by=colleague))
        assert "assigned to 李娜; 王强 cannot" in str(error)
        assert "李娜" in error.message("zh")
        assert error.refusals[0].params["assignee"] == "li"
        offered = {one.trigger: one for one in flow.options(report, by=colleague)}["edit"]
        assert offered.refusals[0].people == {"assignee": "李娜", "actor": "王强"}
        report = flow.fire(report, "assign", Assignment(), by=LI)
        report = flow.fire(report, "edit", Revision(text="x"), by=LI)
        deputy = attrs.evolve(colleague, on_behalf_of="li")  # who edited it may not review it by another's hand
        error = refused(lambda: flow.fire(report, "review", by=deputy))
        assert codes(error) == ["same_person"]
        for text in (str(error), error.message("zh")):
            assert "李娜" in text
            assert "li " not in text
    known = {"gao": Person("高山"), "li": Person("李娜")}
    with ReportFlow(MemoryStore(), table, people=known) as flow:
        report = flow.create(draft(), by=ZHAO)
        report = flow.fire(report, "assign", Assignment(assignee="gao"), by=LI)
        error = refused(lambda: flow.fire(report, "edit", Revision(text="x"), by=colleague))
        assert "高山" in str(error)
        assert "高山" in error.message("zh")


def test_the_text_of_a_guard_calls_people_by_name() -> None:
    """The own text of a table's guard, which quotes the fact `actor`, has the name in its place; the fact is the id."""

    def never(record: Record, command: Any) -> Any:
        return {"assignee": "li"}

    shut = guard("shut", {"en": "Not {actor}, but {assignee}.", "zh": "须由{assignee}办理，不是{actor}。"})(never)
    row = Transition("shut", source="open", dest=SAME, roles={"boss"}, guards=[shut])
    table = attrs.evolve(files(), transitions=[*files().transitions, row])
    boss = Actor(id="boss", name="老板", roles={"boss"}, unit="a")
    with ReportFlow(MemoryStore(), table, people={"li": "李娜", "boss": boss}) as flow:
        file = flow.create(File.draft(), by=boss)
        (said,) = refused(lambda: flow.fire(file, "shut", by=boss)).refusals
        assert (said.message, said.text("zh")) == ("Not 老板, but 李娜.", "须由李娜办理，不是老板。")
        assert (said.params["actor"], said.params["assignee"]) == ("boss", "li")


# -- people= -----------------------------------------------------------------------------------------------------------

PEOPLE: dict[str, Person | Actor | str] = {
    "li": LI,
    "low": LOW,
    "else": Person("别处", unit="mizhi", roles={"editor"}),
    "any": Person("某人"),
    "any-low": Person("某人", clearance="internal"),
    "stranger": Person("外人", roles=()),
    "named": "有名",
}


def by_function(ids: Collection[str]) -> Mapping[str, Person | Actor | str]:
    """As a host that asks its own table would."""
    return {id: PEOPLE[id] for id in ids if id in PEOPLE}


async def by_coroutine(ids: Collection[str]) -> Mapping[str, Person | Actor | str]:
    """The same, awaited."""
    await asyncio.sleep(0)
    return by_function(ids)


@pytest.mark.parametrize("people", [None, PEOPLE, by_function], ids=["none", "mapping", "function"])
@pytest.mark.parametrize(
    ("assignee", "code"),
    [
        ("li", None), ("any", None), ("named", None), (None, None), ("gone", "unknown_person"), ("", "unknown_person"),
        ("low", "person_out_of_sight"), ("else", "person_out_of_sight"), ("any-low", "person_out_of_sight"),
        ("stranger", "person_out_of_sight"),
    ],
)  # fmt: skip
def test_whom_an_act_names_exists_and_sees_it(people: Any, assignee: str | None, code: str | None) -> None:
    """Where the host says who exists, an assignee whom nobody knows, or who would not see the record, is refused."""
    with office(people=people) as flow:
        report = flow.create(draft(secrecy="secret"), by=LI)
        given = Assignment(assignee=assignee)
        if people is None or code is None:
            assert flow.fire(report, "assign", given, by=LI).assignee == assignee
            return
        calls: list[Callable[[], object]] = [
            lambda: flow.fire(report, "assign", given, by=LI),
            lambda: flow.batch([Fire(report, "assign", given, by=LI)]),
            lambda: list(flow.run([Fire(report, "assign", given, by=LI)])),
        ]
        for call in calls:
            error = refused(call)
            assert codes(error) == [code]
            assert error.refusals[0].params["field"] == "assignee"
            if assignee in PEOPLE:
                person = PEOPLE[assignee]
                assert not isinstance(person, str)
                assert person.name in error.message("zh")
                assert person.name in str(error)
        assert flow.get(report.id, by=LI).version == 1
        other = flow.fire(report, "edit", Revision(text="x"), by=LI)
        assert other.assignee is None


def test_a_draft_and_a_row_without_details_name_people_too() -> None:
    """The assignee of a draft is judged, and that of a row that takes no details, which is offered as it is decided."""
    boss = Actor(id="boss", name="老板", roles={"boss"}, unit="a")
    with ReportFlow(MemoryStore(), files(), people={"boss": boss}) as flow:
        error = refused(lambda: flow.create(File.draft(assignee="gone"), by=boss))
        assert (codes(error), error.id, error.version) == (["unknown_person"], "", 0)
        error = refused(lambda: flow.create(File.draft(readers=("boss", "gone", "lost")), by=boss))
        assert [(one.code, one.params["field"], one.params["person"]) for one in error.refusals] == [
            ("unknown_person", "readers", "gone"), ("unknown_person", "readers", "lost"),
        ]  # fmt: skip
        file = flow.create(File.draft(assignee="boss", readers=("boss",)), by=boss)
        visitor = Actor(id="visitor", roles={"boss"})
        offered = {one.trigger: one for one in flow.options(file, by=visitor)}["take"]
        error = refused(lambda: flow.fire(file, "take", by=visitor))
        assert codes(error) == ["unknown_person"]
        assert offered.refusals == error.refusals


def test_an_asynchronous_flow_awaits_who_exists() -> None:
    """The function of an asynchronous flow may be a coroutine function, or not."""

    async def act(people: Any) -> list[str]:
        async with AsyncReportFlow(AsyncMemoryStore(), REPORT, people=people) as flow:
            report = await flow.create(draft(), by=LI)
            assert (await flow.fire(report, "assign", Assignment(assignee="li"), by=LI)).assignee == "li"
            with pytest.raises(TransitionRefused) as raised:
                await flow.fire(report.id, "assign", Assignment(assignee="gone"), by=LI)
            return codes(raised.value)

    for people in (PEOPLE, by_function, by_coroutine):
        assert asyncio.run(act(people)) == ["unknown_person"]


@pytest.mark.parametrize("people", [3, {"li": 7}, lambda ids: None, lambda ids: {"li": 3}])
def test_people_of_another_kind_are_refused(people: Any) -> None:
    """What is no mapping of ids to people is an error that says so, and nothing is written."""

    def act() -> None:
        with office(people=people) as flow:
            report = flow.create(draft(), by=LI)
            flow.fire(report, "assign", Assignment(assignee="li"), by=LI)

    with pytest.raises(InvalidValue, match="people"):
        act()
