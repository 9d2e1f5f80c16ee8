"""A lifecycle is checked when it is built, with all its faults at once; diagrams are drawn from its table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    ANY,
    EVERYBODY,
    NOBODY,
    OWN,
    SAME,
    Constant,
    Details,
    InvalidDefinition,
    InvalidValue,
    Lifecycle,
    MemoryStore,
    Record,
    ReportFlow,
    State,
    Transition,
)
from reportflow.errors import Fault
from reportflow.lifecycle.diagram import dot, mermaid
from reportflow.office import REPORT
from reportflow.testing.strategies import lifecycles
from reportflow.testing.strategies.definitions import ERRAND, Casework, ShiftHandover


@attrs.frozen(kw_only=True)
class Sketch(Record):
    note: str = ""


@attrs.frozen(kw_only=True)
class TextDetails(Details):
    text: str


class Unattributed:
    """No attrs class."""


@attrs.frozen(kw_only=True)
class Unstorable:
    """An attrs class with a field that cannot be stored."""

    work: bytearray = attrs.field(factory=bytearray)


@attrs.frozen(kw_only=True)
class Stamped(Record):
    """A record with a field that every draft brings."""

    stamp: str


CREATE = Transition("create", source=None, dest="a", roles={"r"})
FINISH = Transition("finish", source="a", dest="z", roles={"r"})
STATES = (State("a"), State("z", final=True))


def row(trigger: str = "do", **changes: Any) -> Transition:
    """A row from "a" to itself, with some changes."""
    return Transition(trigger, **{"source": "a", "dest": SAME, "roles": {"r"}, **changes})


def build(
    *rows: Transition,
    states: tuple[State, ...] = STATES,
    record: Any = Sketch,
    roles: Mapping[str, Any] | None = None,
    base: tuple[Transition, ...] = (CREATE, FINISH),
    name: str = "sketch",
) -> Lifecycle:
    """A small lifecycle with further rows."""
    return Lifecycle(
        name=name,
        version=1,
        record=record,
        roles={"r": ANY} if roles is None else roles,
        states=states,
        transitions=[*base, *rows],
    )


def codes_of(error: InvalidDefinition) -> list[str]:
    """The codes of the faults."""
    return [fault.code for fault in error.faults if isinstance(fault, Fault)]


def test_the_small_lifecycle_has_no_fault() -> None:
    """The lifecycle that the tests below break is valid."""
    assert build().triggers == ("create", "finish")


FAULTS: dict[str, tuple[str, Mapping[str, Any], list[Transition]]] = {
    "unknown source": ("unknown_state", {}, [row(source="nowhere")]),
    "unknown dest": ("unknown_state", {}, [row(dest="nowhere")]),
    "unknown role": ("unknown_role", {}, [row(roles={"stranger"})]),
    "unknown awaited role": (
        "unknown_awaited_role",
        {"states": (State("a", awaits={"stranger"}), State("z", final=True))},
        [],
    ),
    "unreachable": ("unreachable", {"states": (*STATES, State("island", final=True))}, []),
    "no way out": ("no_way_out", {"states": (*STATES, State("trap"))}, [row(dest="trap")]),
    "two rows": ("two_rows", {}, [row(), row(dest="z")]),
    "two creations by one trigger": ("two_rows", {}, [row("create", source=None, dest="a")]),
    "a state twice": ("duplicate_state", {"states": (*STATES, State("a"))}, []),
    "a state named as SAME": ("reserved_state", {"states": (*STATES, State(SAME, final=True))}, []),
    "a state named as the start": ("reserved_state", {"states": (*STATES, State("[*]", final=True))}, []),
    "a state named as all states": ("reserved_state", {"states": (*STATES, State("*", final=True))}, []),
    "a trigger that machines refuse": ("reserved_trigger", {}, [row("state")]),
    "sets no field": ("sets_unknown_field", {}, [row(sets={"nothing": 1})]),
    "sets no detail": ("sets_unknown_detail", {}, [row(details=TextDetails, sets={"note": "test"})]),
    "sets a detail without details": ("sets_unknown_detail", {}, [row(sets={"note": "text"})]),
    "sets a detail of no class": ("sets_unknown_detail", {}, [row(details="TextDetails", sets={"note": "text"})]),
    "sets own field": ("sets_own_field", {}, [row(sets={"version": 7})]),
    "sets the id": ("sets_own_field", {}, [row(sets={"id": Constant("x")})]),
    "details no attrs class": ("details_class", {}, [row(details=Unattributed)]),
    "details no class": ("details_class", {}, [row(details="TextDetails")]),
    "two details classes": ("two_details", {}, [row(details=TextDetails), row(source="z", details=ShiftHandover)]),
    "details and none": ("two_details", {}, [row(details=TextDetails), row(source="z")]),
    "unkeepable details": ("field_type", {}, [row(details=Unstorable)]),
    "creation to SAME": ("creation_same", {}, [row("make", source=None)]),
    "NOBODY and another": ("nobody_and", {}, [row(roles={NOBODY, "r"})]),
    "NOBODY and EVERYBODY": ("nobody_and", {}, [row(roles={NOBODY, EVERYBODY})]),
    "reserved role": ("reserved_role", {"roles": {"r": ANY, EVERYBODY: OWN}}, []),
    "reserved roles": ("reserved_role", {"roles": {"r": ANY, NOBODY: OWN, EVERYBODY: OWN}}, []),
    "no creation": ("no_creation", {"base": (FINISH,)}, []),
    "no record class": ("record_class", {"record": TextDetails}, []),
    "a record that is no class": ("record_class", {"record": "Sketch"}, []),
    "a creation with details": ("creation_told", {}, [row("make", source=None, dest="a", details=TextDetails)]),
    "a creation with a reason": ("creation_told", {}, [row("make", source=None, dest="a", reason_required=True)]),
    "accepts without a draft": ("accepts_elsewhere", {}, [row(accepts={"title"})]),
    "accepts no field": ("accepts_unknown_field", {}, [row("make", source=None, dest="a", accepts={"nothing", "id"})]),
    "accepts own fields": (
        "accepts_own_field",
        {},
        [row("make", source=None, dest="a", accepts={"version", "kind", "title"})],
    ),
    "accepts too little": (
        "accepts_too_little",
        {"record": Stamped},
        [row("make", source=None, dest="a", accepts={"title"})],
    ),
    "a row from nowhere": ("no_source", {}, [row(source=())]),
    "blank lifecycle": ("blank_name", {"name": " "}, []),
    "blank trigger": ("blank_name", {}, [row(" ")]),
    "blank role": ("blank_name", {"roles": {"r": ANY, "": OWN}}, []),
    "blank state": ("blank_name", {"states": (*STATES, State("", final=True))}, [row(dest="")]),
    "several of a kind": (
        "unknown_role",
        {"states": (State("a", awaits={"y", "x"}), State("z", final=True))},
        [row(source=["a", "there"], dest="here", roles={"two", "one", "r"})],
    ),
    "sets own field of no record": (
        "sets_own_field",
        {"record": "Sketch"},
        [row(sets={"kind": Constant("x"), "any": 1})],
    ),
}


@pytest.mark.parametrize(("code", "changes", "rows"), list(FAULTS.values()), ids=list(FAULTS))
def test_a_fault_is_named(code: str, changes: Mapping[str, Any], rows: list[Transition]) -> None:
    """Each fault is found when the lifecycle is built, under its code, with an English and a Chinese text."""
    with pytest.raises(InvalidDefinition) as raised:
        build(*rows, **changes)
    assert code in codes_of(raised.value)
    for fault in raised.value.faults:
        english, chinese = fault.text("en"), fault.text("zh")
        assert english in str(raised.value)
        assert chinese in raised.value.message("zh")
        assert re.search("[一-鿿]", chinese)
        assert not re.search(r"[一-鿿]|\{\w+\}", english)
        assert not re.search(r"\{\w+\}", chinese)


_WRITE: Final = "write str, int, float, bool, Decimal, date, an aware datetime, an Enum or an attrs class"
#: The faults of each of the tables above, with all facts.
FACTS: dict[str, list[tuple[str, dict[str, object]]]] = {
    "unknown source": [("unknown_state", {"trigger": "do", "name": "nowhere"})],
    "unknown dest": [("unknown_state", {"trigger": "do", "name": "nowhere"})],
    "unknown role": [("unknown_role", {"trigger": "do", "name": "stranger"})],
    "unknown awaited role": [("unknown_awaited_role", {"state": "a", "name": "stranger"})],
    "unreachable": [("unreachable", {"name": "island"})],
    "no way out": [("no_way_out", {"name": "trap"})],
    "two rows": [("two_rows", {"trigger": "do", "state": "a"})],
    "two creations by one trigger": [("two_rows", {"trigger": "create", "state": "–"})],
    "a state twice": [("duplicate_state", {"name": "a"})],
    "a state named as SAME": [("reserved_state", {"name": "="}), ("unreachable", {"name": "="})],
    "a state named as the start": [("reserved_state", {"name": "[*]"}), ("unreachable", {"name": "[*]"})],
    "a state named as all states": [("reserved_state", {"name": "*"}), ("unreachable", {"name": "*"})],
    "a trigger that machines refuse": [("reserved_trigger", {"name": "state"})],
    "sets no field": [("sets_unknown_field", {"trigger": "do", "name": "nothing", "owner": "Sketch"})],
    "sets no detail": [
        ("sets_unknown_detail", {"trigger": "do", "field": "note", "name": "test", "owner": "TextDetails"})
    ],
    "sets a detail without details": [
        ("sets_unknown_detail", {"trigger": "do", "field": "note", "name": "text", "owner": "nothing"})
    ],
    "sets a detail of no class": [
        ("details_class", {"trigger": "do", "given": "TextDetails"}),
        ("sets_unknown_detail", {"trigger": "do", "field": "note", "name": "text", "owner": "TextDetails"}),
    ],
    "sets own field": [("sets_own_field", {"trigger": "do", "name": "version"})],
    "sets the id": [("sets_own_field", {"trigger": "do", "name": "id"})],
    "details no attrs class": [("details_class", {"trigger": "do", "given": Unattributed})],
    "details no class": [("details_class", {"trigger": "do", "given": "TextDetails"})],
    "two details classes": [("two_details", {"trigger": "do", "choices": ["ShiftHandover", "TextDetails"]})],
    "details and none": [("two_details", {"trigger": "do", "choices": ["TextDetails", "nothing"]})],
    "unkeepable details": [("field_type", {"owner": "Unstorable", "name": "work", "given": bytearray, "why": _WRITE})],
    "creation to SAME": [("creation_same", {"trigger": "make"})],
    "NOBODY and another": [("nobody_and", {"trigger": "do", "roles": ["r"]})],
    "NOBODY and EVERYBODY": [("nobody_and", {"trigger": "do", "roles": ["everybody"]})],
    "reserved role": [("reserved_role", {"name": "everybody"})],
    "reserved roles": [("reserved_role", {"name": "everybody"}), ("reserved_role", {"name": "nobody"})],
    "no creation": [("no_creation", {}), ("unreachable", {"name": "a"}), ("unreachable", {"name": "z"})],
    "no record class": [("record_class", {"given": TextDetails})],
    "a record that is no class": [("record_class", {"given": "Sketch"})],
    "a creation with details": [("creation_told", {"trigger": "make"})],
    "a creation with a reason": [("creation_told", {"trigger": "make"})],
    "accepts without a draft": [("accepts_elsewhere", {"trigger": "do"})],
    "accepts no field": [("accepts_unknown_field", {"trigger": "make", "name": "nothing", "owner": "Sketch"})],
    "accepts own fields": [
        ("accepts_own_field", {"trigger": "make", "name": "kind"}),
        ("accepts_own_field", {"trigger": "make", "name": "version"}),
    ],
    "accepts too little": [("accepts_too_little", {"trigger": "make", "name": "stamp", "owner": "Stamped"})],
    "a row from nowhere": [("no_source", {"trigger": "do"})],
    "blank lifecycle": [("blank_name", {"name": "lifecycle"})],
    "blank trigger": [("blank_name", {"name": "trigger"})],
    "blank role": [("blank_name", {"name": "role"})],
    "blank state": [("blank_name", {"name": "state"})],
    "several of a kind": [
        ("unknown_role", {"trigger": "do", "name": "one"}),
        ("unknown_role", {"trigger": "do", "name": "two"}),
        ("unknown_awaited_role", {"state": "a", "name": "x"}),
        ("unknown_awaited_role", {"state": "a", "name": "y"}),
        ("unknown_state", {"trigger": "do", "name": "here"}),
        ("unknown_state", {"trigger": "do", "name": "there"}),
    ],
    "sets own field of no record": [
        ("record_class", {"given": "Sketch"}),
        ("sets_own_field", {"trigger": "do", "name": "kind"}),
    ],
}


@pytest.mark.parametrize("case", list(FAULTS))
def test_a_fault_has_its_facts(case: str) -> None:
    """The faults of a broken table have every fact, come in a fixed order, and are no others."""
    _, changes, rows = FAULTS[case]
    with pytest.raises(InvalidDefinition) as raised:
        build(*rows, **changes)
    assert [(fault.code, dict(fault.facts)) for fault in raised.value.faults if isinstance(fault, Fault)] == FACTS[case]


@given(kinds=st.sets(st.sampled_from(["source", "role", "field", "detail", "own", "mixed", "twice"]), min_size=1))
def test_all_faults_are_reported_together(kinds: set[str]) -> None:
    """The error names every fault of a table, and no other."""
    broken = {
        "source": (row("t1", source="nowhere"), "unknown_state"),
        "role": (row("t2", roles={"stranger"}), "unknown_role"),
        "field": (row("t3", sets={"nothing": 1}), "sets_unknown_field"),
        "detail": (row("t4", details=TextDetails, sets={"note": "test"}), "sets_unknown_detail"),
        "own": (row("t5", sets={"state": Constant("z")}), "sets_own_field"),
        "mixed": (row("t6", roles={NOBODY, "r"}), "nobody_and"),
        "twice": (FINISH, "two_rows"),
    }
    with pytest.raises(InvalidDefinition) as raised:
        build(*(broken[kind][0] for kind in sorted(kinds)))
    assert sorted(codes_of(raised.value)) == sorted(broken[kind][1] for kind in kinds)
    assert raised.value.name == "sketch"
    assert f"has {len(kinds)} fault(s)" in str(raised.value)


def test_five_faults_are_five() -> None:
    """A definition with five faults names five."""
    with pytest.raises(InvalidDefinition) as raised:
        build(
            row("t1", dest="nowhere"),
            row("t2", roles={"stranger"}),
            row("t3", sets={"nothing": 1}),
            row("t4", details=Unattributed),
            states=(*STATES, State("island", final=True)),
        )
    found = codes_of(raised.value)
    assert sorted(found) == ["details_class", "sets_unknown_field", "unknown_role", "unknown_state", "unreachable"]


def test_a_record_that_cannot_be_stored_is_a_fault() -> None:
    """A record class with a field that cannot be stored is refused with the field."""

    @attrs.frozen(kw_only=True)
    class Unkept(Record):
        work: bytearray = attrs.field(factory=bytearray)

        def __attrs_post_init__(self) -> None:
            """Not checked: the definition is what is tested."""

    with pytest.raises(InvalidDefinition, match=r"Unkept\.work") as raised:
        build(record=Unkept)
    assert codes_of(raised.value) == ["field_type"]


def test_a_version_given_twice_is_a_fault() -> None:
    """A flow refuses two lifecycles of one name and version."""
    with pytest.raises(InvalidDefinition) as raised:
        ReportFlow(MemoryStore(), [build(), build()])
    assert codes_of(raised.value) == ["lifecycle_twice"]


def test_a_table_is_frozen() -> None:
    """A lifecycle that was built cannot be changed, nor its rows, roles and `sets`."""
    lifecycle = build(row(details=TextDetails, sets={"note": "text"}))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        lifecycle.version = 2  # type: ignore[misc]  # the assignment that must fail
    with pytest.raises(TypeError):
        lifecycle.roles["r"] = OWN  # type: ignore[index]  # the assignment that must fail
    with pytest.raises(TypeError):
        lifecycle.transitions[-1].sets["note"] = 1  # type: ignore[index]  # the assignment that must fail


# ---------------------------------------------------------------------------------------------------------------
# Drawings


def arrows_of_mermaid(text: str) -> list[tuple[str, str, str]]:
    """Every arrow of a Mermaid text, by the names of its states, and its label; a line of no known form fails."""
    lines = text.splitlines()
    assert lines[0] == "stateDiagram-v2"
    names = {"[*]": "[*]"}
    found = []
    for line in lines[1:]:
        state = re.fullmatch(r"    (s\d+) : ([^:;#]*)", line)
        arrow = re.fullmatch(r"    (s\d+|\[\*\]) --> (s\d+|\[\*\])(?: : ([^:;#]*))?", line)
        if state:
            names[state[1]] = state[2]
        else:
            assert arrow, line
            found.append((names[arrow[1]], names[arrow[2]], arrow[3] or ""))
    return found


def arrows_of_dot(text: str) -> list[tuple[str, str, str]]:
    """Every arrow of a DOT text; a line of no known form fails."""
    quoted = r'"((?:[^"\\\n]|\\.)*)"'
    lines = text.splitlines()
    assert re.fullmatch(rf"digraph {quoted} \{{", lines[0])
    assert lines[1:3] == ["    rankdir=LR;", '    "" [shape=point];']
    assert lines[-1] == "}"
    found = []
    for line in lines[3:-1]:
        arrow = re.fullmatch(rf"    {quoted} -> {quoted} \[label={quoted}\];", line)
        assert arrow or re.fullmatch(rf"    {quoted} \[label={quoted} shape=(double)?circle\];", line), line
        if arrow:
            found.append((arrow[1], arrow[2], arrow[3]))
    return found


def expected_arrows(lifecycle: Lifecycle, *, loops: bool) -> set[tuple[str, str, str]]:
    """(from, to, label of a row) for every row and source, by names."""
    return {
        (source or "", dest, lifecycle.label_of("trigger", row.trigger))
        for row in lifecycle.transitions
        for source in row.sources
        for dest in row.dests(source)
        if loops or dest != source
    }


@given(lifecycle=lifecycles(), loops=st.booleans())
def test_a_drawing_shows_every_row(lifecycle: Lifecycle, loops: bool) -> None:
    """Mermaid and DOT show every row from each of its states, and without `loops` only those that move."""
    drawn = {
        (start.replace("[*]", ""), end, label_of_row)
        for start, end, label in arrows_of_mermaid(mermaid(lifecycle, loops=loops))
        if end != "[*]"
        for label_of_row in label.split(", ")
    }
    assert drawn == expected_arrows(lifecycle, loops=loops)
    drawn = {
        (start, end, label_of_row)
        for start, end, label in arrows_of_dot(dot(lifecycle, loops=loops))
        for label_of_row in label.split(", ")
    }
    assert drawn == expected_arrows(lifecycle, loops=loops)


@given(lifecycle=lifecycles())
def test_a_drawing_shows_which_states_are_final(lifecycle: Lifecycle) -> None:
    """In Mermaid an arrow leads out of each final state; in DOT it has a double border."""
    final = {state.name for state in lifecycle.states if state.final}
    assert {start for start, end, _ in arrows_of_mermaid(mermaid(lifecycle)) if end == "[*]"} == final
    assert set(re.findall(r'"(s\d+)" \[.* shape=doublecircle\]', dot(lifecycle))) == final


def test_the_report_is_drawn_in_chinese() -> None:
    """Labels are in the given language."""
    assert ("来稿", "待审核", "编辑") in arrows_of_mermaid(mermaid(REPORT, "zh", loops=False))
    assert ("draft", "edited", "编辑") in arrows_of_dot(dot(REPORT, "zh", loops=False))
    assert ("[*]", "submitted", "create") in arrows_of_mermaid(mermaid(REPORT))


def test_a_drawing_is_the_same_each_time() -> None:
    """The text depends on the table alone, so that a drawing in a README can be compared with it."""
    assert mermaid(ERRAND) == (
        "stateDiagram-v2\n    s0 : open\n    s1 : done\n    [*] --> s0 : create\n    s0 --> s1 : finish\n"
        "    s1 --> [*]\n"
    )


def test_arrows_are_in_the_order_of_the_states() -> None:
    """Arrows are ordered by source, then by destination, creations first; one arrow for all rows between two states."""
    made = build(
        row("up", source=["z", "a"], dest="m"),
        row("on", source="a", dest="m", label={"en": 'go "on"; \\ now', "zh": "去"}),
        row("stay", source="m"),
        row("down", source="m", dest="z"),
        row("begin", source=None, dest="z"),
        states=(State("z", final=True), State("m", label={"en": "mid:waX", "zh": "中"}), State("a")),
    )
    assert mermaid(made).splitlines() == [
        "stateDiagram-v2",
        "    s0 : z",
        "    s1 : mid waX",
        "    s2 : a",
        "    [*] --> s0 : begin",
        "    [*] --> s2 : create",
        "    s0 --> s1 : up",
        "    s1 --> s0 : down",
        "    s1 --> s1 : stay",
        "    s2 --> s0 : finish",
        '    s2 --> s1 : up, go "on"  \\ now',
        "    s0 --> [*]",
    ]
    assert dot(made, "zh", loops=False).splitlines() == [
        'digraph "sketch" {',
        "    rankdir=LR;",
        '    "" [shape=point];',
        '    "z" [label="z" shape=doublecircle];',
        '    "m" [label="中" shape=circle];',
        '    "a" [label="a" shape=circle];',
        '    "" -> "z" [label="begin"];',
        '    "" -> "a" [label="create"];',
        '    "z" -> "m" [label="up"];',
        '    "m" -> "z" [label="down"];',
        '    "a" -> "z" [label="finish"];',
        '    "a" -> "m" [label="up, 去"];',
        "}",
    ]
    assert '"a" -> "m" [label="up, go \\"on\\"; \\\\ now"]' in dot(made)
    assert '"m" -> "m" [label="stay"]' in dot(made)
    assert dot(build(states=(State("a", label="one\ntwo"), State("z", final=True)))).count('label="one two"') == 1
    assert dot(made).endswith("\n}\n")


_odd = st.one_of(
    st.sampled_from(
        ["end", "state", "note", "fork", '"', "a b", "已采用", "a;b", "a:b", "a\nb", "-->", "\\", "s0", "%%"]
    ),
    st.text(min_size=1).filter(lambda text: bool(text.strip()) and text not in (SAME, "[*]", "*")),
)


@given(
    names=st.lists(_odd, min_size=2, max_size=4, unique=True),
    triggers=st.lists(_odd.filter(lambda text: text != "state"), min_size=3, unique=True),
)
def test_odd_names_stay_valid(names: list[str], triggers: list[str]) -> None:
    """With any names of states and triggers, each line of the drawing is a statement of its language."""
    states = [State(name, final=True) for name in names]
    rows = [Transition(triggers[0], source=None, dest=names[0], roles=EVERYBODY)]
    rows += [Transition(triggers[1], source=names[0], dest=name, roles=EVERYBODY) for name in names[1:2]]
    rows += [
        Transition(f"{triggers[2]}{number}", source=names[0], dest=name, roles=EVERYBODY)
        for number, name in enumerate(names[2:])
    ]
    odd = Lifecycle(name='odd "name"', version=1, record=Casework, roles={"r": ANY}, states=states, transitions=rows)
    assert len(arrows_of_mermaid(mermaid(odd))) == len(rows) + len(states)
    assert len(arrows_of_dot(dot(odd))) == len(rows)


@pytest.mark.parametrize(
    "call",
    [
        lambda: build(roles={"r": "everywhere"}),
        lambda: row(on_conflict="shrug"),
        lambda: row(guards=[print]),
    ],
    ids=["scope", "on_conflict", "guard"],
)
def test_an_invalid_field_of_a_table_is_an_invalid_value(call: Callable[[], object]) -> None:
    """An unknown scope, an unknown `on_conflict` and a guard that is no `Guard` are `InvalidValue`."""
    with pytest.raises(InvalidValue):
        call()


@pytest.mark.parametrize("changes", [{"source": frozenset(), "dest": "a"}, {"dest": "*"}], ids=["no source", "*"])
def test_a_row_needs_a_source_and_a_state_that_is_not_a_wildcard(changes: Mapping[str, Any]) -> None:
    """A row from no state, and a state that is named "*", are `InvalidDefinition`."""
    with pytest.raises(InvalidDefinition):
        build(row(**changes), states=(*STATES, State("*", final=True)))
