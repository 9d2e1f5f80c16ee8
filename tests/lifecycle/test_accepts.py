"""What a draft may bring: a creation keeps what its row accepts, and refuses all else by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    ANY,
    NOBODY,
    SAME,
    Command,
    Create,
    Entry,
    Fire,
    InvalidValue,
    Lifecycle,
    MemoryStore,
    Record,
    ReportFlow,
    Secrecy,
    State,
    Step,
    Transition,
    UnknownTrigger,
)
from reportflow.lifecycle.decision import decide
from reportflow.office import REPORT, Author, Report
from reportflow.testing.strategies import lifecycles
from reportflow.testing.strategies.definitions import Casework
from tests.lifecycles import OVERSEER, all_fields

NOW: Final = datetime(2022, 3, 1, 9, tzinfo=UTC)
#: A value of each field of a case, other than its default.
OTHERS: Final[dict[str, Any]] = {
    "id": "mine", "state": "s0", "head": "0" * 64, "lifecycle_version": 7, "unit": "elsewhere",
    "parent": "p", "title": "t",
    "category": "c", "assignee": "bo", "due_at": NOW, "secrecy": Secrecy.SECRET, "created_by": "bo",
    "created_for": "cy",
    "created_at": NOW, "updated_at": datetime(2099, 1, 1, tzinfo=UTC), "note": "n", "count": 1, "tags": ("x",),
    "helpers": ("bo",),
}  # fmt: skip


def create(lifecycle: Lifecycle, draft: Record, trigger: str = "create") -> Record:
    """The record that a draft becomes; not judged for roles, as a step."""
    return decide(lifecycle, draft, Command(trigger=trigger, actor=OVERSEER, now=NOW, step=True, id="new")).record


def refusal(call: Callable[[], object]) -> tuple[str, str, object]:
    """The field and the problem of what is refused, and all fields that the refusal names."""
    with pytest.raises(InvalidValue) as raised:
        call()
    return raised.value.field, raised.value.problem, raised.value.details.get("brought")


# ---------------------------------------------------------------------------------------------------------------
# What is accepted


def test_every_field_of_a_case_is_tried() -> None:
    """The values above are of all fields but the kind and the version, and none is the default."""
    assert set(OTHERS) == {field.name for field in attrs.fields(Casework)} - {"kind", "version"}
    assert not any(getattr(Casework(), name) == value for name, value in OTHERS.items())


@given(lifecycle=lifecycles())
def test_a_row_accepts_what_it_names_or_what_no_row_sets(lifecycle: Lifecycle) -> None:
    """`accepted` is what the row names; where it names nothing, five fields of each record and those never set."""
    (row,) = [row for row in lifecycle.transitions if row.source is None]
    never_set = {"note", "count", "tags", "helpers"}
    for one in lifecycle.transitions:
        never_set -= set(one.sets)
    default = {"title", "category", "parent", "due_at", "secrecy", *never_set}
    assert lifecycle.accepted("create") == (default if row.accepts is None else row.accepts)
    assert lifecycle.accepted("tick") == frozenset()
    with pytest.raises(UnknownTrigger):
        lifecycle.accepted("creat")


@given(lifecycle=lifecycles(), names=st.sets(st.sampled_from(sorted(OTHERS))))
def test_what_is_brought_and_not_accepted_is_refused_by_name(lifecycle: Lifecycle, names: set[str]) -> None:
    """A draft is created as it is, but for what its creation does not accept: then all of that is named, in order."""
    rows = [attrs.evolve(row, guards=(), sets={}) if row.source is None else row for row in lifecycle.transitions]
    lifecycle = attrs.evolve(lifecycle, transitions=rows)
    draft = Casework(**{name: OTHERS[name] for name in names})
    brought = tuple(field.name for field in attrs.fields(Casework) if field.name in names)
    refused = tuple(name for name in brought if name not in lifecycle.accepted("create"))
    if refused:
        assert refusal(lambda: create(lifecycle, draft)) == (refused[0], "not_accepted", refused)
    else:
        made = create(lifecycle, draft)
        assert {name: getattr(made, name) for name in names} == {name: OTHERS[name] for name in names}
        assert (made.id, made.unit) == (draft.id or "new", draft.unit or OVERSEER.unit)


def test_a_report_brings_what_its_contributor_may_say() -> None:
    """The creation of a report accepts these fields and no others."""
    assert REPORT.accepted("create") == {
        "title", "text", "authors", "source", "topics", "category", "attachments", "commission", "origin", "secrecy",
        "parent",
    }  # fmt: skip


def test_the_refusal_says_what_to_do() -> None:
    """A developer reads the trigger, what it accepts and what to leave out; a clerk the labels of the fields."""
    draft = Report(title="t", text="x", authors=[Author(name="a")], number="7", due_at=NOW)
    with pytest.raises(InvalidValue) as raised:
        create(REPORT, draft)
    error = raised.value
    assert "due_at is not accepted by 'create', which accepts: parent, category," in str(error)
    assert "leave out of the draft: due_at, number" in str(error)
    assert "请勿写入草稿：due_at、number" in error.message("zh", reader="developer")
    assert "due_at" not in error.message("en") + error.message("zh")


# ---------------------------------------------------------------------------------------------------------------
# Classes that fill fields themselves


def _total(order: Any) -> int:
    return int(order.pieces * 2)


def _tripled(value: int | None, order: Any) -> int:
    return order.pieces * 3 if value is None else value


@attrs.frozen(kw_only=True)
class AcceptedOrder(Record):
    """A record whose class makes four fields from another one."""

    pieces: int
    doubled: int = attrs.field(default=attrs.Factory(_total, takes_self=True))
    tripled: int = attrs.field(default=None, converter=attrs.Converter(_tripled, takes_self=True))  # type: ignore[misc]
    parts: dict[str, int] = attrs.field(factory=dict)
    _seal: str = ""

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_seal", self._seal or f"sealed {self.pieces}")
        super().__attrs_post_init__()


ORDERS: Final = Lifecycle(
    name="accepted_order",
    version=1,
    record=AcceptedOrder,
    roles={"overseer": ANY},
    states=[State("on", final=True)],
    transitions=[Transition("create", source=None, dest="on", roles={"overseer"}, accepts={"pieces"})],
)


@given(pieces=st.integers(0, 100))
def test_what_a_class_fills_in_is_not_brought(pieces: int) -> None:
    """A field that the class makes of others is nobody's to refuse, but another value of it is."""
    made = create(ORDERS, AcceptedOrder.draft(pieces=pieces))
    assert made == attrs.evolve(AcceptedOrder(pieces=pieces), **_of_the_flow(made))
    forged: dict[str, Any] = {"doubled": -1, "tripled": -1, "parts": {"a": 1}, "seal": "mine"}
    for name, value in forged.items():
        field = "_seal" if name == "seal" else name
        found = refusal(lambda name=name, value=value: create(ORDERS, AcceptedOrder(pieces=pieces, **{name: value})))  # type: ignore[misc]
        assert found == (field, "not_accepted", (field,))
    found = refusal(lambda: create(ORDERS, AcceptedOrder(pieces=pieces, **forged)))
    assert found == ("doubled", "not_accepted", ("doubled", "tripled", "parts", "_seal"))


def _of_the_flow(record: Record) -> dict[str, Any]:
    names = {field.name for field in attrs.fields(Record)}
    return {name: getattr(record, name) for name in names}


# ---------------------------------------------------------------------------------------------------------------
# Kinds


def test_a_draft_goes_by_the_lifecycle_of_its_class() -> None:
    """A kind whose records are of another class is refused, and so is a draft of a subclass or with another kind."""

    @attrs.frozen(kw_only=True)
    class AcceptedRush(AcceptedOrder):
        """A class that has no lifecycle."""

    drafts = [
        Casework.draft(kind="accepted_order"),
        AcceptedRush.draft(pieces=1, kind="accepted_order"),
        AcceptedOrder.draft(pieces=1, kind="casework"),
        Record.draft(),
    ]
    for draft in drafts:
        assert refusal(lambda draft=draft: create(ORDERS, draft))[:2] == ("kind", "other_kind")  # type: ignore[misc]
    assert create(ORDERS, AcceptedOrder.draft(pieces=1, kind="accepted_order")).kind == "accepted_order"


# ---------------------------------------------------------------------------------------------------------------
# Every way to create


@attrs.frozen(kw_only=True)
class AcceptedPart(Record):
    """What the steps below create."""


PARTS: Final = Lifecycle(
    name="accepted_part",
    version=1,
    record=AcceptedPart,
    roles={"overseer": ANY},
    states=[State("on", final=True)],
    transitions=[Transition("add", source=None, dest="on", roles=NOBODY, accepts={"title", "id"})],
)


def _adds(**fields: Any) -> Callable[[Record, Entry], Iterator[Step]]:
    def then(before: Record, entry: Entry) -> Iterator[Step]:
        yield Step(target=AcceptedPart.draft(**fields), trigger="add")

    return then


#: A part with a title of its own; the draft of the second one brings a unit too.
WHOLES: Final = Lifecycle(
    name="accepted_whole",
    version=1,
    record=Casework,
    roles={"overseer": ANY},
    states=[State("on", final=True)],
    transitions=[
        Transition("create", source=None, dest="on", roles={"overseer"}),
        Transition("one", source="on", dest=SAME, roles={"overseer"}, then=_adds(title="t", id="part")),
        Transition("two", source="on", dest=SAME, roles={"overseer"}, then=_adds(title="t", unit="b", due_at=NOW)),
    ],
)


def test_no_way_of_creating_goes_round_it() -> None:
    """`create`, `batch`, `run` and steps refuse a draft by the same names, and nothing is written."""
    numbers = count(1)
    flow = ReportFlow(MemoryStore(), [WHOLES, PARTS], new_id=lambda: f"n{next(numbers)}")
    whole = flow.create(Casework.draft(), by=OVERSEER)
    before = flow.store.feed()
    forged = Create(Casework(unit="b", created_by="bo"), by=OVERSEER)
    ways: list[Callable[[], object]] = [
        lambda: flow.create(forged.draft, by=OVERSEER),
        lambda: flow.batch([Create(Casework.draft(), by=OVERSEER), forged]),
        lambda: list(flow.run([forged])),
        lambda: list(flow.run([forged, forged], chunk=2)),
    ]
    for way in ways:
        assert refusal(way) == ("unit", "not_accepted", ("unit", "created_by"))
    (skipped,) = flow.run([forged], on_error="skip")
    assert isinstance(skipped.error, InvalidValue)
    assert refusal(lambda: flow.fire(whole, "two", by=OVERSEER)) == ("unit", "not_accepted", ("unit", "due_at"))
    assert refusal(lambda: flow.batch([Fire(whole, "two", by=OVERSEER)]))[1] == "not_accepted"
    assert flow.store.feed() == before


def test_a_step_brings_what_its_creation_accepts() -> None:
    """A step's draft with an accepted id gets that one; its unit is the actor's, as that of any draft without one."""
    flow = ReportFlow(MemoryStore(), [WHOLES, PARTS])
    flow.fire(flow.create(Casework.draft(), by=OVERSEER), "one", by=OVERSEER)
    part = flow.get("part", by=OVERSEER)
    assert (part.title, part.unit, part.version) == ("t", OVERSEER.unit, 1)


def test_a_record_has_the_id_of_its_command() -> None:
    """Without an id of its own a draft becomes the record of the command's id; an accepted one comes first."""
    anything = attrs.evolve(
        WHOLES, transitions=[attrs.evolve(row, accepts=all_fields(Casework)) if row.source is None else row
                             for row in WHOLES.transitions],
    )  # fmt: skip
    assert create(WHOLES, Casework.draft()).id == "new"
    assert create(anything, Casework.draft(id="own")).id == "own"
    command = Command(trigger="create", actor=OVERSEER, now=NOW)
    assert refusal(lambda: decide(WHOLES, Casework.draft(), command))[:2] == ("id", "blank")
    assert refusal(lambda: Command(trigger="create", actor=OVERSEER, now=NOW, id=7))[0] == "id"  # type: ignore[arg-type]
