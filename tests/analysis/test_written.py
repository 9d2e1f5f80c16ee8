"""What a check and its neighbours say, whole and word for word: pages that a person has read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import attrs
import pytest

from reportflow import (
    ANY,
    EVERYBODY,
    NOBODY,
    OWN,
    SAME,
    UNIT,
    Command,
    Constant,
    Details,
    Guard,
    Lifecycle,
    Record,
    State,
    Step,
    Transition,
    has,
    only_the_assignee,
)
from reportflow.analysis import cases
from reportflow.analysis.checks import check
from reportflow.analysis.finding import Finding, Move, lines
from reportflow.analysis.matrix import matrix
from reportflow.analysis.samples import START, Given
from reportflow.office import REPORT, Level
from tests.analysis.test_checks import (
    CHILD,
    IMPURE,
    LOST,
    OF_A_CHILD,
    ROLES,
    TWINS,
    CheckedCase,
    CheckedChild,
    CheckedNote,
    CheckedRange,
    CheckedStrict,
    again,
    ask_parent,
    codes,
    declared,
    large,
    never,
    row,
    small,
    softly,
    spawn,
    table,
    words,
)
from tests.analysis.written import hold

# ---------------------------------------------------------------------------------------------------------------
# Findings


def page(findings: Sequence[Finding]) -> str:
    """Findings as they are printed, with their facts; how many cases were tried is the bounds' affair."""
    lines: list[str] = []
    for one in findings:
        if "number" in one.facts:
            one = attrs.evolve(one, facts={**one.facts, "number": "so many"})
        lines += [f"{one.level.value} {one.code}", one.text(), one.text("zh")]
        lines += [f"    {name}: {fact!r}" for name, fact in one.facts.items()]
        lines += [f"    > {line}" for line in one.example]
        lines.append("")
    return "\n".join(lines)


#: Of a guard that answers by turns, the turn decides what is said.
STEADY: Final = [code for code in TWINS if code != "rule_differs"]


@pytest.mark.parametrize("code", STEADY)
def test_what_is_said_of_a_flaw(code: str) -> None:
    """Each flaw, and what little there is to say of its sound twin, in both languages and with the example's lines."""
    flawed, sound = TWINS[code]
    hold(f"findings/{code}.txt", f"{page(check(flawed))}\n--- without the flaw\n\n{page(check(sound))}")


def asks_nothing(before: Record, entry: Any) -> Any:
    """What is no step."""
    return [7]


def asks_the_unknown(before: Record, entry: Any) -> Step:
    """A step with a trigger that there is not."""
    return Step(target=before.id, trigger="vanish", system=True)


def draws_circles(before: Record, entry: Any) -> list[Step]:
    """A child whose creation asks for the same again."""
    return [Step(target=CheckedChild.draft(parent=before.id, unit=before.unit), trigger="create")]


def cuts(before: Record, entry: Any) -> int:
    """Fails where there is much."""
    if before.amount > 5:  # type: ignore[attr-defined]
        raise ValueError("Too much...")
    return 3


@attrs.frozen(kw_only=True)
class WrittenForm(Details):
    """Details with fields of many kinds."""

    who: str
    level: Level = Level.CITY
    until: datetime | None = None
    copies: int = 1
    names: tuple[str, ...] = ()


def ask_of(id: str) -> Any:
    """A `then` that asks for the end of a record of that id."""
    return lambda before, entry: Step(target=id, trigger="close", system=True)


def merges(before: Record, entry: Any) -> Step:
    """Asks the record that the details name."""
    return Step(target=entry.details.text, trigger="hear")


@attrs.frozen(kw_only=True)
class CheckedFollower(Record):
    """A record that names another one."""

    follows: str = ""


def takes_over(before: CheckedFollower, entry: Any) -> list[Step]:
    """Asks the record that the draft names, if it names one."""
    return [Step(target=before.follows, trigger="hear")] if before.follows else []


def tells(before: Record, entry: Any) -> str:
    """Goes by one field of the details."""
    return f"{entry.details.copies}"


WAITING: Final = "checked_child-waiting"
SENDING: Final = table(row("send", then=spawn), row("hear", roles=NOBODY, dest="closed"), row("close", source="closed"))
LOSING: Final = table(
    row("lose", dest="lost", details=CheckedRange), row("find", source="lost", dest="closed"), states=[LOST]
)
TURN: Final = attrs.evolve(
    CHILD,
    transitions=[
        Transition(
            "create",
            source=None,
            dest="waiting",
            roles=NOBODY,
            accepts=OF_A_CHILD,
            then=ask_parent("hear"),
        ),
        Transition("finish", source="waiting", dest="done", roles={"clerk"}),
    ],
)
NOTED: Final = {**ROLES, "auditor": ANY, "owner": OWN}

#: One guard for each effect, by the name of its page.
EFFECTS: Final = {f"effect_{effect}": one for effect, (one, *_) in IMPURE.items()}

#: What is checked beside the twins -> the definitions, the samples.
OTHERS: Final[Mapping[str, tuple[Sequence[Lifecycle], Given]]] = {
    **{name: ([table(row(guards=[one]))], {}) for name, one in EFFECTS.items()},
    "effect_twice": ([table(row(guards=[small, IMPURE["writes"][0]]), row("b", guards=[IMPURE["writes"][0]]))], {}),
    "guard_answers_a_word": ([table(row(guards=[words]))], {}),
    "guard_reads_details_softly": ([table(row(details=CheckedNote, guards=[softly]))], {}),
    "sets_fails_sometimes": ([table(row(sets={"amount": cuts}), row("add", sets={"amount": 7}))], {}),
    "then_is_no_step": ([table(row(then=asks_nothing))], {}),
    "then_brings_too_much": (
        [
            table(row("send", then=spawn)),
            attrs.evolve(CHILD, transitions=[attrs.evolve(CHILD.transitions[0], accepts=None), *CHILD.transitions[1:]]),
        ],
        {},
    ),
    "then_asks_the_unknown": ([table(row(then=asks_the_unknown))], {}),
    "details_cannot_be_made": (
        [LOSING],
        {},
    ),
    "records_cannot_be_made": ([table(row(), record=CheckedStrict)], {}),
    "records_given_are_no_drafts": (
        [table(row(), record=CheckedStrict)],
        {CheckedStrict: [CheckedStrict(word=CheckedRange(code="the word"), state="open", version=3)]},
    ),
    "roles_unused": ([table(row("create", source=None, dest="open"), roles=NOTED)], {}),
    "details_of_many_kinds": (
        [
            table(
                row("fill", details=WrittenForm, sets={"title": tells}, reason_required=True),
                row("fill_again", details=WrittenForm, sets={"category": "who"}),
                row("file", details=WrittenForm),
            )
        ],
        {},
    ),
    "steps_into_the_unknown": (
        [SENDING],
        {},
    ),
    "a_round_between_two": ([table(row("hear", then=spawn)), TURN], {}),
    "an_endless_child": (
        [
            attrs.evolve(
                CHILD,
                transitions=[
                    Transition(
                        "create", source=None, dest="waiting", roles={"clerk"}, accepts=OF_A_CHILD, then=draws_circles
                    ),
                    Transition("finish", source="waiting", dest="done", roles={"clerk"}),
                ],
            )
        ],
        {},
    ),
    "refused_for_their_role_first": (
        [
            table(
                row("send", dest="lost", sets={"unit": Constant("south")}),
                row("find", source="lost", dest="closed", guards=[small, large]),
                row("give_up", source="lost", dest="closed", roles="chief"),
                states=[LOST],
                roles={"clerk": UNIT, "chief": ANY},
            )
        ],
        {},
    ),
    "names_another_record": (
        [table(row("merge", details=CheckedNote, then=merges), row("hear", roles=NOBODY, guards=[never]))],
        {},
    ),
    "names_another_in_its_draft": (
        [
            table(
                row("create", source=None, dest="open", roles={"clerk"}, then=takes_over),
                row("hear", roles=NOBODY, guards=[never]),
                record=CheckedFollower,
            )
        ],
        {},
    ),
    "several_flaws": (
        [
            table(
                row("act", guards=[never, small], reason_required=True),
                row("hear", roles=NOBODY),
                row("lose", dest="lost", roles={"chief"}),
                row("find", source="lost", dest="closed", guards=[never]),
                row("ask", then=again("act")),
                states=[LOST],
                roles={**ROLES, "auditor": ANY},
            )
        ],
        {},
    ),
}  # fmt: skip

#: What is sound -> the definitions, the samples.
SOUND: Final[Mapping[str, tuple[Sequence[Lifecycle], Given]]] = {
    "a_guard_of_details_where_there_are_none": (
        [
            table(
                row("create", source=None, dest="open", roles=EVERYBODY, accepts={"assignee", "amount"}),
                row(guards=[declared(small), only_the_assignee]),
            )
        ],
        {},
    ),
    "a_rare_value": (
        [table(row(guards=[Guard(code="rare", test=lambda record, command: record.amount == 4711)]))],
        {CheckedCase: [CheckedCase(), CheckedCase(amount=4711)]},
    ),
    "one_trigger_of_both": (
        [
            table(row("send", then=spawn), row("close", roles=NOBODY, dest="closed")),
            attrs.evolve(
                CHILD,
                transitions=[
                    Transition("create", source=None, dest="waiting", roles=NOBODY, accepts=OF_A_CHILD),
                    Transition("close", source="waiting", dest="done", roles={"clerk"}, then=ask_parent("close")),
                    Transition("again", source="done", dest=SAME, roles={"clerk"}, then=ask_of(WAITING)),
                ],
            ),
        ],
        {},
    ),
    "steps_asked_from_another": (
        [CHILD, SENDING],
        {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound_is_not_blamed(name: str) -> None:
    """Declared guards without details, rare values that were given, and triggers of one name have no finding."""
    lifecycles, given = SOUND[name]
    assert codes(check(*lifecycles, samples=given)) == set()


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_said_of_others(name: str) -> None:
    """Guards, `sets` and `then` that fail or reach outside; steps; roles, details and records that want something."""
    lifecycles, given = OTHERS[name]
    hold(f"findings/{name}.txt", page(check(*lifecycles, samples=given)))


@attrs.frozen(kw_only=True)
class WrittenSlip(Record):
    """As small a record as can be."""


def test_the_lines_of_a_path() -> None:
    """The clock is set where it moves on, and what the last line comes to stands behind it, on one line."""
    ana = cases.able("ana", ["clerk"])
    later = START + timedelta(days=30)
    draft = WrittenSlip.draft()
    path = [
        Move(id="r1", command=Command(trigger="create", actor=ana, now=START), draft=draft),
        Move(id="r1", command=Command(trigger="hold", actor=ana, now=later, details=CheckedNote(text="x"), reason="y")),
        Move(id="r1", command=Command(trigger="close", actor=ana, now=later)),
        Move(id="r1", command=Command(trigger="close", actor=ana, now=START)),
    ]
    by = "by=Actor(id='ana', roles={'clerk'}, unit='north', clearance=Secrecy.TOP_SECRET)"
    expected = (
        "new_id = 'r1'",
        f"flow.create(WrittenSlip.draft(), {by})",
        "now = datetime(2022, 2, 2, 9, tzinfo=UTC)",
        f"flow.fire('r1', 'hold', CheckedNote(text='x'), {by}, reason='y')",
        f"flow.fire('r1', 'close', {by})",
        "now = datetime(2022, 1, 3, 9, tzinfo=UTC)",
        f"flow.fire('r1', 'close', {by})",
    )
    assert lines(path, START) == expected
    assert lines(path, START, ends="refused:\n  it is") == (*expected[:-1], f"{expected[-1]}  # refused: it is")
    assert lines([], START, ends="done") == ()


# ---------------------------------------------------------------------------------------------------------------
# The matrix

#: Labels with all that a page, a table or a spreadsheet would take for more than text.
RISKY: Final = Lifecycle(
    name="risky",
    version=1,
    record=Record,
    label={"en": "<b>risky</b> & |co| \"q\"", "zh": "<b>刁钻</b>|表"},
    roles={"=clerk": UNIT, "the|chief": ANY, "+plus": OWN, "-minus": OWN, "@at": OWN, "editor": ANY},
    states=[
        State("a|b", label={"en": "<i>*first*\n| x |</i>", "zh": "<i>首</i>"}),
        State("\ttab", label="\rreturn `code` _under_ [link](x)\\"),
        State("end", final=True),
    ],
    transitions=[
        Transition("create", source=None, dest="a|b", roles=EVERYBODY),
        Transition("=1+1", source="a|b", dest=SAME, roles={"=clerk"}, guards=[has("title")], label="=LINK(1)"),
        Transition("+2", source="a|b", dest="\ttab", roles={"editor"}, guards=[has("title"), has("unit")]),
        Transition("@go", source="\ttab", dest="end", roles={"editor"}, label={"en": "-go & <stop>", "zh": "走"}),
        Transition("step", source=["a|b", "\ttab"], dest="end", roles=NOBODY),
    ],
)  # fmt: skip


def test_the_matrix_in_each_form() -> None:
    """The matrix of the office as people read it in both languages, and in each form of what is hard to write."""
    hold("matrix/report.en.md", matrix(REPORT).markdown())
    hold("matrix/report.zh.md", matrix(REPORT).markdown("zh"))
    risky = matrix(RISKY)
    hold("matrix/risky.en.md", risky.markdown())
    hold("matrix/risky.en.html", risky.html())
    hold("matrix/risky.en.csv", risky.csv())
