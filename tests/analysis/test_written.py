"""What a check and its neighbours say, whole and word for word: pages that a person has read."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

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
    guard,
    has,
    only_the_assignee,
)
from reportflow.analysis import cases
from reportflow.analysis.checks import check
from reportflow.analysis.finding import Finding, Move, lines
from reportflow.analysis.matrix import matrix
from reportflow.analysis.samples import START, Given, instances, samples
from reportflow.analysis.walk import Walk, find_there
from reportflow.analysis.world import Act, Case, Office, said
from reportflow.office import REPORT, Adoption, Attachment, Author, Level, Revision
from reportflow.serialization.source import python
from tests.analysis.test_checks import (
    CHILD,
    IMPURE,
    LOST,
    ROLES,
    TWINS,
    CheckedCase,
    CheckedChild,
    CheckedNote,
    CheckedRange,
    CheckedStrict,
    again,
    ask_parent,
    ask_with_note,
    declared,
    failing,
    large,
    never,
    row,
    small,
    softly,
    spawn,
    table,
    undeclared,
    words,
)
from tests.analysis.written import hold

# ---------------------------------------------------------------------------------------------------------------
# Findings


def page(findings: Sequence[Finding]) -> str:
    """Findings as they are printed, with their facts."""
    lines: list[str] = []
    for one in findings:
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
        Transition("create", source=None, dest="waiting", roles=NOBODY, then=ask_parent("hear")),
        Transition("finish", source="waiting", dest="done", roles={"clerk"}),
    ],
)
NOTED: Final = {**ROLES, "auditor": ANY, "owner": OWN}

#: What is checked beside the twins -> the definitions, the samples.
OTHERS: Final[Mapping[str, tuple[Sequence[Lifecycle], Given]]] = {
    **{
        f"effect_{effect}_{one.code}": ([table(row(guards=[one]))], {})
        for effect, several in IMPURE.items()
        for one in several
    },
    "effect_twice": ([table(row(guards=[small, IMPURE["writes"][0]]), row("b", guards=[IMPURE["writes"][0]]))], {}),
    "guard_answers_a_word": ([table(row(guards=[words]))], {}),
    "guard_reads_details_softly": ([table(row(details=CheckedNote, guards=[softly]))], {}),
    "guards_read_details": (
        [
            table(
                row("note", details=CheckedNote, guards=[declared(softly), undeclared]),
                row("plain", guards=[small], details=CheckedNote),
            )
        ],
        {},
    ),
    "sets_fails": ([table(row(sets={"title": failing}))], {}),
    "sets_fails_sometimes": ([table(row(sets={"amount": cuts}), row("add", sets={"amount": 7}))], {}),
    "then_is_no_step": ([table(row(then=asks_nothing))], {}),
    "then_asks_the_unknown": ([table(row(then=asks_the_unknown))], {}),
    "details_cannot_be_made": (
        [LOSING],
        {},
    ),
    "details_were_given": (
        [LOSING],
        {CheckedRange: [CheckedRange(code="the word")]},
    ),
    "records_cannot_be_made": ([table(row(), record=CheckedStrict)], {}),
    "records_given_are_no_drafts": (
        [table(row(), record=CheckedStrict)],
        {CheckedStrict: [CheckedStrict(word=CheckedRange(code="the word"), state="open", version=3)]},
    ),
    "a_rare_value": (
        [table(row(guards=[Guard(code="rare", test=lambda record, command: record.amount == 4711)]))],
        {CheckedCase: [CheckedCase(), CheckedCase(amount=4711)]},
    ),
    "roles_idle": ([table(row(), roles=NOTED)], {}),
    "roles_unused": ([table(row("create", source=None, dest="open"), roles=NOTED)], {}),
    "details_unread": ([table(row(details=CheckedNote, sets={"title": "text"}))], {}),
    "details_read_by_steps": (
        [table(row(details=CheckedNote, roles=NOBODY, sets={"title": "text"}), row("ask", then=ask_with_note))],
        {},
    ),
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
    "steps_into_another": (
        [SENDING, CHILD],
        {},
    ),
    "steps_into_the_unknown": (
        [SENDING],
        {},
    ),
    "steps_asked_from_another": (
        [CHILD, SENDING],
        {},
    ),
    "a_round_between_two": ([table(row("hear", then=spawn)), TURN], {}),
    "a_round_from_the_other_side": ([TURN, table(row("hear", then=spawn))], {}),
    "an_endless_child": (
        [
            attrs.evolve(
                CHILD,
                transitions=[
                    Transition("create", source=None, dest="waiting", roles={"clerk"}, then=draws_circles),
                    Transition("finish", source="waiting", dest="done", roles={"clerk"}),
                ],
            )
        ],
        {},
    ),
    "refused_for_their_unit_first": (
        [
            table(
                row("send", dest="lost", sets={"unit": Constant("south")}),
                row("find", source="lost", dest="closed", guards=[small, large]),
                states=[LOST],
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
    "a_guard_of_details_where_there_are_none": ([table(row(guards=[declared(small), only_the_assignee]))], {}),
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
    "one_trigger_of_both": (
        [
            table(row("send", then=spawn), row("close", roles=NOBODY, dest="closed")),
            attrs.evolve(
                CHILD,
                transitions=[
                    Transition("create", source=None, dest="waiting", roles=NOBODY),
                    Transition("close", source="waiting", dest="done", roles={"clerk"}, then=ask_parent("close")),
                    Transition("again", source="done", dest=SAME, roles={"clerk"}, then=ask_of(WAITING)),
                ],
            ),
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


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_said_of_others(name: str) -> None:
    """Guards, `sets` and `then` that fail or reach outside; steps; roles, details and records that want something."""
    lifecycles, given = OTHERS[name]
    hold(f"findings/{name}.txt", page(check(*lifecycles, samples=given)))


# ---------------------------------------------------------------------------------------------------------------
# What is tried


def tried(lifecycle: Lifecycle, named: Sequence[str], given: Given) -> Iterable[str]:
    """Drafts, people, and all that they ask for."""
    yield f"read by rules: {sorted(cases.read_by_rules(lifecycle))}"
    people = cases.people([lifecycle])
    yield from ("", "people", *map(python, people))
    yield from ("", "drafts", *map(python, cases.drafts(lifecycle, given, named)))
    for trigger in lifecycle.triggers:
        rows = lifecycle.rows(trigger)
        if None in {source for one in rows for source in one.sources}:
            continue
        asked = cases.asked(lifecycle, trigger, given, named, people)
        yield from ("", f"{trigger}: {len(asked.few)} few, {len(asked.many)} many")
        yield from ("  " + python(one) for one in asked.details)
        yield from (f"  few {python(one)}" for one in asked.few)
        yield from (f"  many {python(one)}" for one in asked.many[len(asked.few) :])


OWNED: Final = table(
    row("note", details=CheckedNote, guards=[softly], reason_required=True),
    row("name", source="open", details=CheckedNote, sets={"title": "text"}),
    row("again", source="closed", reason_required=True),
    row("again", source="open"),
    row("close", dest="closed"),
    roles={"clerk": UNIT},
)


@pytest.mark.parametrize(
    ("name", "lifecycle", "named", "given"),
    [
        ("plain", OWNED, (), {}),
        ("named", OWNED, ("r7", "r8"), {CheckedNote: [CheckedNote(text="given", amount=4)]}),
        ("two_roles", table(row(guards=[small])), (), {CheckedCase: [CheckedCase(amount=9), CheckedCase(title="x")]}),
    ],
)
def test_what_is_tried(name: str, lifecycle: Lifecycle, named: Sequence[str], given: Given) -> None:
    """The drafts, the people and the commands that a check tries, the simplest first."""
    hold(f"tried/{name}.txt", "\n".join([*tried(lifecycle, named, given), ""]))


class Shade(enum.Enum):
    """An enum of other values than texts."""

    DARK = 1
    LIGHT = 2


KINDS: Final = (
    str, bool, int, float, date, datetime, Decimal, UUID, Any, object, Level, Shade, Author, type(None),
    str | None, int | str, str | int | None, Author | None, Level | None, Literal["a", 7, None], tuple[()],
    tuple[int, str, Level], tuple[str, ...], list[int], set[str], frozenset[Level], frozenset[str], tuple[Author, ...],
    Mapping[str, int], dict[str, tuple[int, ...]], Mapping[Level, str], tuple[Attachment, ...],
)  # fmt: skip


def test_the_samples_of_each_annotation() -> None:
    """The few values that stand for each kind of annotation."""
    hold("samples.txt", "".join(f"{kind}\n  {[python(one) for one in samples(kind)]}\n" for kind in KINDS))


@pytest.mark.parametrize(
    "cls", [Author, Revision, Adoption, CheckedNote, CheckedCase, WrittenForm], ids=lambda one: one.__name__
)
def test_the_instances_of_a_class(cls: type[Any]) -> None:
    """The few instances that stand for a class: all, few of them, some fields left alone, some given."""
    pages = [
        instances(cls),
        instances(cls, limit=4),
        instances(cls, leave=frozenset({attrs.fields(cls)[-1].name})),
        instances(cls, {cls: [instances(cls)[-1], instances(cls)[0]]}, limit=1),
    ]
    hold(
        f"instances/{cls.__name__}.txt", "\n".join("".join(f"{python(one)}\n" for one in several) for several in pages)
    )


# ---------------------------------------------------------------------------------------------------------------
# The walk


@attrs.frozen(kw_only=True)
class WrittenSlip(Record):
    """As small a record as can be."""


def slips(name: str, *rows: Transition, **roles: Any) -> Lifecycle:
    """A lifecycle of slips: open, held, closed."""
    return Lifecycle(
        name=name,
        version=1,
        record=WrittenSlip,
        roles=roles or {"clerk": UNIT, "chief": ANY},
        states=[State("open"), State("held"), State("closed", final=True)],
        transitions=[
            Transition("create", source=None, dest="open", roles={"clerk", "chief"}),
            Transition("hold", source={"open", "held"}, dest="held", roles={"clerk"}, details=CheckedNote),
            Transition("close", source={"open", "held"}, dest="closed", roles={"chief"}, guards=[titled]),
            Transition("hear", source="open", dest=SAME, roles=NOBODY),
            *rows,
        ],
    )


@guard("titled")
def titled(record: WrittenSlip, command: Command) -> bool:
    """Goes by a field that each slip has."""
    return record.title != "text" or command.actor.unit == record.unit


def walked(lifecycles: Sequence[Lifecycle], there: bool) -> Iterable[str]:
    """Each case of a walk on a line, then what was kept."""
    found = find_there(lifecycles, {}) if there else {}
    yield from (f"there: {id} by {[one.line() for one in world.moves]}" for id, world in found.items())
    walk = Walk(Office(lifecycles, found), {})
    lines: list[str] = []

    def note(case: Case, acts: Sequence[Act]) -> None:
        came = "done" if case.error is None else said(case.error)
        did = ", ".join(f"{one.lifecycle.name} {one.decision.entry.trigger} {one.decision.record.id}" for one in acts)
        who = case.move.command.actor
        lines.append(
            f"{case.move.id} {case.move.command.trigger} after {len(case.world.moves)} "
            f"by {who.id} {sorted(who.roles)} {who.unit} {who.clearance.value}: {came} [{did}]"
        )

    walk.run(note)
    yield f"{walk.cases} cases, {'bounded' if walk.bounded else 'all'}"
    yield from lines[:400]
    for (kind, state), kept in walk.kept.items():
        yield f"{kind} {state}: {len(kept)}"
        yield from (f"  {id} after {len(world.moves)}: {python(world.records[id])}" for world, id in kept)


@pytest.mark.parametrize(
    ("name", "lifecycles", "there"),
    [
        ("one", [slips("slip")], False),
        ("two_of_a_class", [slips("slip"), slips("note", clerk=OWN, chief=UNIT)], False),
        ("with_steps", [SENDING, CHILD], True),
        ("with_steps_between_slips", [slips("slip", row("ask", then=ask_of("slip-held"))), CHILD], True),
    ],
)
def test_the_way_of_a_walk(name: str, lifecycles: Sequence[Lifecycle], there: bool) -> None:
    """Who tries what on which record in which order, what comes of it, and from which records the walk goes on."""
    hold(f"walks/{name}.txt", "\n".join([*walked(lifecycles, there), ""]))


def test_the_lines_of_a_path() -> None:
    """The clock is set where it moves on, and what the last line comes to stands behind it, on one line."""
    ana = cases.able("ana", ["clerk"])
    later = START + timedelta(days=30)
    draft = WrittenSlip.draft(id="r1")
    path = [
        Move(id="r1", command=Command(trigger="create", actor=ana, now=START), draft=draft),
        Move(id="r1", command=Command(trigger="hold", actor=ana, now=later, details=CheckedNote(text="x"), reason="y")),
        Move(id="r1", command=Command(trigger="close", actor=ana, now=later)),
        Move(id="r1", command=Command(trigger="close", actor=ana, now=START)),
    ]
    by = "by=Actor(id='ana', roles={'clerk'}, unit='north', clearance=Secrecy.TOP_SECRET)"
    expected = (
        f"flow.create(WrittenSlip.draft(id='r1'), {by})",
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


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_matrix_in_each_form(language: str) -> None:
    """The matrix in both languages: of the office as people read it, and in each form of what is hard to write."""
    hold(f"matrix/report.{language}.md", matrix(REPORT).markdown(language))
    risky = matrix(RISKY)
    hold(f"matrix/risky.{language}.md", risky.markdown(language))
    hold(f"matrix/risky.{language}.html", risky.html(language))
    hold(f"matrix/risky.{language}.csv", risky.csv(language))
