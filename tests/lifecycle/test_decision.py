"""Decisions, refusals, offers and failing rules, each with all facts."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

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
    UNIT,
    Actor,
    Command,
    Constant,
    Details,
    Entry,
    Guard,
    InvalidDefinition,
    InvalidValue,
    Lifecycle,
    OneOf,
    Record,
    Refusal,
    Secrecy,
    State,
    Step,
    Transition,
    TransitionRefused,
    UnknownTrigger,
    guard,
    has,
    nobody_from,
    not_the_creator,
    only_the_assignee,
    persons,
)
from reportflow.errors import RuleFailed
from reportflow.i18n.catalog import STANDARD
from reportflow.lifecycle.decision import decide, options
from reportflow.lifecycle.history import replay
from reportflow.model.query import Grant
from tests.lifecycles import all_fields

NOW = datetime(2022, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _stripped(value: str) -> str:
    return value.strip()


def _below_ten(instance: object, attribute: object, value: int) -> None:
    if value > 9:
        raise ValueError("too many")


@attrs.frozen(kw_only=True)
class Barrel(Record):
    """The record of the table below."""

    mark: str = attrs.field(default="", converter=_stripped)
    count: int = attrs.field(default=0, validator=_below_ten)
    port: str = ""
    _Xmas: str = ""


@attrs.frozen(kw_only=True)
class Marking(Details):
    mark: str
    count: int = 0


@attrs.frozen(kw_only=True)
class Hasty(Marking):
    """Details that leave out the check of their base."""

    def __attrs_post_init__(self) -> None:
        pass


@attrs.frozen(kw_only=True)
class PlainMarking:
    """Details that check nothing themselves."""

    mark: str = ""


@guard("too_many", {"en": "{count} are too many.", "zh": "{count}太多。"}, reads_details=True)
def few(record: Barrel, command: Command) -> bool | Mapping[str, object]:
    """Refuses with a fact."""
    return command.details.count < 5 or {"count": command.details.count}


@guard("locked")
def unlocked(record: Barrel, command: Command) -> bool:
    """Refuses without a fact, and has no texts of its own."""
    return record.port != "locked"


def _raises(*_: object) -> Any:
    raise ZeroDivisionError("by hand")


def _notes(before: Barrel, entry: Entry) -> Any:
    return (
        {
            "one": Step(target="other", trigger="mark"),
            "several": [Step(target="a", trigger="x"), Step(target="b", trigger="y")],
            "none": None,
            "wrong": [Step(target="a", trigger="x"), "not a step"],
            "raises": None,
        }[before.port]
        if before.port != "raises"
        else _raises()
    )


ROWS = [
    Transition(
        "create",
        source=None,
        dest="afloat",
        roles={"owner", "master"},
        sets={"port": Constant("home")},
        accepts=all_fields(Barrel),
    ),
    Transition("found", source=None, dest="ashore", roles={"master"}, accepts=all_fields(Barrel)),
    Transition(
        "mark",
        source={"afloat", "ashore"},
        dest=SAME,
        roles={"owner", "clerk"},
        guards=[few, unlocked],
        details=Marking,
        sets={"mark": "mark", "count": lambda before, entry: before.count + entry.details.count, "port": ANY},
        label={"en": "put a mark on", "zh": "做标记"},
    ),
    Transition("land", source="afloat", dest="ashore", roles={"clerk"}, reason_required=True, on_conflict="stale"),
    Transition("land", source="ashore", dest=SAME, roles={"owner"}, reason_required=True),
    Transition("shout", source="afloat", dest=SAME, roles=EVERYBODY, on_conflict="commutes", label="shout at"),
    Transition("sink", source="ashore", dest="gone", roles=NOBODY, then=_notes),
    Transition("plain", source="ashore", dest=SAME, roles={"clerk"}, details=PlainMarking),
    Transition("burst", source="ashore", dest=SAME, roles={"clerk"}, sets={"mark": _raises}),
    Transition("swell", source="ashore", dest=SAME, roles={"clerk"}, sets={"count": 10}),
    Transition("blur", source="ashore", dest=SAME, roles={"clerk"}, sets={"title": Constant(7)}),
    Transition("fail", source="afloat", dest=SAME, roles={"clerk"}, guards=[Guard(code="odd", test=_raises)]),
]
DOCKS = Lifecycle(
    name="barrel",
    version=3,
    record=Barrel,
    roles={"owner": OWN, "clerk": "unit", "master": ANY},
    states=[
        State("afloat", awaits={"clerk", "owner"}, label={"en": "at sea", "zh": "在海上"}),
        State("ashore", awaits="clerk"),
        State("gone", final=True, label="lost"),
    ],
    transitions=ROWS,
    label={"en": "cask", "zh": "桶"},
)
ANN = Actor(id="ann", roles={"owner"}, unit="a")
KAI = Actor(id="kai", roles={"clerk"}, unit="a", name="Kai")
ZOE = Actor(id="zoe", roles={"clerk", "stranger"}, unit="z")
MAX = Actor(id="max", roles={"master"}, unit="m")


def barrel(**changes: Any) -> Barrel:
    """A barrel as a store would give it."""
    fields: dict[str, Any] = {
        "id": "B1",
        "kind": "barrel",
        "state": "afloat",
        "version": 4,
        "lifecycle_version": 3,
        "unit": "a",
        "created_by": "ann",
        "created_at": NOW - 2 * HOUR,
        "updated_at": NOW - HOUR,
    }
    return Barrel(**{**fields, **changes})


def ask(trigger: str, actor: Actor = KAI, **changes: Any) -> Command:
    """A command, now."""
    return Command(trigger=trigger, actor=actor, **{"now": NOW, **changes})


def refused(record: Record, command: Command) -> list[tuple[str, dict[str, object]]]:
    """The code and all the facts of each refusal, in their order."""
    with pytest.raises(TransitionRefused) as raised:
        decide(DOCKS, record, command)
    error = raised.value
    assert (error.lifecycle, error.id, error.version, error.trigger) == (
        "barrel",
        record.id,
        record.version,
        command.trigger,
    )
    return [(one.code, dict(one.params)) for one in error.refusals if isinstance(one, Refusal)]


# ---------------------------------------------------------------------------------------------------------------
# Decisions


def test_a_decision_is_the_next_record_and_its_entry() -> None:
    """Every field of the record and of the entry comes from the record before, the command or the row."""
    before = barrel(mark="old", count=1)
    details = Marking(mark=" new ", count=2)
    command = ask("mark", details=details, reason="why", key="k", cause="X@1", at=NOW - HOUR)
    made = decide(DOCKS, before, command)
    assert made.entry == Entry(
        record_id="B1",
        sequence=5,
        trigger="mark",
        source="afloat",
        dest="afloat",
        actor=KAI,
        at=NOW - HOUR,
        recorded_at=NOW,
        reason="why",
        details=details,
        key="k",
        cause="X@1",
        kind="barrel",
        lifecycle_version=DOCKS.version,
    )
    assert made.record == attrs.evolve(before, mark="new", count=3, port=ANY, version=5, updated_at=NOW)
    assert made.steps == ()


def test_a_creation_initializes_the_draft() -> None:
    """The first entry has the initialized draft as its details and no source; the record is version 1."""
    draft = Barrel.draft(id="B2", title="t")
    made = decide(DOCKS, draft, ask("create", ANN, key="k"))
    initialized = Barrel(
        id="B2", title="t", kind="barrel", lifecycle_version=3, unit="a", created_by="ann", created_at=NOW
    )
    assert made.entry == Entry(
        record_id="B2",
        sequence=1,
        trigger="create",
        source=None,
        dest="afloat",
        actor=ANN,
        at=NOW,
        recorded_at=NOW,
        details=initialized,
        key="k",
        kind="barrel",
        lifecycle_version=DOCKS.version,
    )
    assert made.record == attrs.evolve(initialized, state="afloat", version=1, updated_at=NOW, port="home")


def test_a_draft_keeps_its_unit_and_its_own_time() -> None:
    """A draft that names a unit keeps it; `created_at` is when it happened, in UTC, not when it was recorded."""
    draft = Barrel.draft(id="B2", unit="u")
    found = decide(DOCKS, draft, ask("create", ANN, at=NOW - HOUR)).entry.details
    assert found == Barrel(
        id="B2", kind="barrel", lifecycle_version=3, unit="u", created_by="ann", created_at=NOW - HOUR
    )
    for id in ("", " "):
        with pytest.raises(InvalidValue) as raised:
            decide(DOCKS, Barrel.draft(id=id), ask("create", ANN))
        assert (raised.value.field, raised.value.problem) == ("id", "blank")
    with pytest.raises(InvalidValue) as raised:
        decide(DOCKS, attrs.evolve(Barrel.draft(id="x"), id=cast(str, 7)), ask("create", ANN))
    assert (raised.value.field, raised.value.problem) == ("id", "type")


def test_recorded_at_never_decreases() -> None:
    """If the clock is behind the record's last entry, `recorded_at` is the time of that entry, `at` the clock's."""
    made = decide(DOCKS, barrel(updated_at=NOW + HOUR), ask("shout"))
    assert (made.entry.recorded_at, made.entry.at) == (NOW + HOUR, NOW)
    made = decide(DOCKS, barrel(updated_at=NOW), ask("shout"))
    assert (made.entry.recorded_at, made.entry.at) == (NOW, NOW)
    made = decide(DOCKS, barrel(updated_at=None, created_at=None), ask("shout", at=NOW - 9 * HOUR))
    assert (made.entry.recorded_at, made.entry.at) == (NOW, NOW - 9 * HOUR)


def test_at_is_between_the_creation_and_now() -> None:
    """Both ends are allowed; beyond them the command is `InvalidValue` with both times."""
    for at in (NOW, NOW - 2 * HOUR):
        assert decide(DOCKS, barrel(), ask("shout", at=at)).entry.at == at
    with pytest.raises(InvalidValue) as raised:
        decide(DOCKS, barrel(), ask("shout", at=NOW + HOUR))
    error = raised.value
    assert (error.field, error.problem, error.details) == ("at", "in_future", {"given": NOW + HOUR, "now": NOW})
    with pytest.raises(InvalidValue) as raised:
        decide(DOCKS, barrel(), ask("shout", at=NOW - 3 * HOUR))
    error = raised.value
    facts = {"given": NOW - 3 * HOUR, "created": NOW - 2 * HOUR}
    assert (error.field, error.problem, error.details) == ("at", "before_creation", facts)


def test_a_caller_s_clock_may_differ_a_little() -> None:
    """Up to the tolerance, 5 s unless the flow says otherwise, `at` may lie after now or before the creation."""
    for seconds, tolerance in ((5, None), (-5, None), (60, 60.0), (-60, 60.0)):
        base = NOW if seconds > 0 else NOW - 2 * HOUR
        given: dict[str, Any] = {} if tolerance is None else {"clock_tolerance": tolerance}
        at = base + timedelta(seconds=seconds)
        assert decide(DOCKS, barrel(), ask("shout", at=at, **given)).entry.at == at
        with pytest.raises(InvalidValue):
            decide(DOCKS, barrel(), ask("shout", at=base + timedelta(seconds=seconds * 1.01), **given))


@given(
    created=st.integers(-50, 50), updated=st.integers(-50, 50), at=st.none() | st.integers(-60, 20), step=st.booleans()
)
def test_only_a_caller_s_time_is_judged(created: int, updated: int, at: int | None, step: bool) -> None:
    """Whatever the record's times are, the clock's now is taken as it is and never refused, and so is a step's time.

    A caller's time is refused after now, and before the creation as far as the clock has reached that.
    """
    record = barrel(created_at=NOW + created * HOUR, updated_at=NOW + updated * HOUR)
    given = None if at is None else NOW + at * HOUR
    command = ask("shout", at=given, step=step)
    if given is not None and not step and not min(created, 0) * HOUR <= given - NOW <= 0 * HOUR:
        with pytest.raises(InvalidValue) as raised:
            decide(DOCKS, record, command)
        assert raised.value.problem == ("in_future" if given > NOW else "before_creation")
    else:
        entry = decide(DOCKS, record, command).entry
        assert entry.at == (given or NOW)
        assert entry.recorded_at == max(NOW, record.updated_at or NOW)


@attrs.frozen(kw_only=True)
class Motion(Record):
    """A record whose votes decide."""

    votes: int = 0


@attrs.frozen(kw_only=True)
class Vote(Details):
    times: int = 1


def _by_votes(record: Motion, details: Vote | None) -> str:
    if record.votes == 7:
        raise ZeroDivisionError("by hand")
    if details is None:
        return "urgent" if record.title == "fire" else "open"
    return "passed" if record.votes > 2 else "nonsense" if record.votes < 0 else record.state


MOTIONS = Lifecycle(
    name="motion",
    version=1,
    record=Motion,
    roles={"member": ANY},
    states=[State("open"), State("urgent"), State("passed", final=True)],
    transitions=[
        Transition("create", source=None, dest=OneOf(("open", "urgent"), _by_votes), roles="member"),
        Transition(
            "vote",
            source={"open", "urgent"},
            dest=OneOf(("open", "urgent", "passed"), _by_votes),
            roles="member",
            details=Vote,
            sets={"votes": lambda before, entry: before.votes + entry.details.times + len(entry.dest)},
        ),
    ],
)
MEMBER = Actor(id="mo", roles={"member"})


@given(title=st.sampled_from(["fire", ""]), votes=st.lists(st.integers(0, 2), max_size=4))
def test_the_record_and_the_details_choose_the_state(title: str, votes: list[int]) -> None:
    """`OneOf` chooses by what the act has made of the record; the history replays, whatever `choose` would say now."""
    made = decide(MOTIONS, Motion.draft(title=title), ask("create", MEMBER, id="M", salt="00" * 16))
    history = [made.entry]
    assert made.record.state == ("urgent" if title else "open")
    for times in votes:
        if made.record.state == "passed":
            break
        before = made.record
        made = decide(MOTIONS, before, ask("vote", MEMBER, details=Vote(times=times), salt="00" * 16))
        history.append(made.entry)
        assert isinstance(made.record, Motion)
        assert isinstance(before, Motion)
        assert made.record.votes == before.votes + times  # no function of `sets` sees a state that is not chosen yet
        assert made.entry.dest == made.record.state == ("passed" if made.record.votes > 2 else before.state)
        assert made.entry.source == before.state
    assert replay(history, MOTIONS) == made.record


@pytest.mark.parametrize(("times", "given"), [(7, "ZeroDivisionError: by hand"), (-1, "'nonsense' is none of open")])
def test_a_choice_that_fails_is_said(times: int, given: str) -> None:
    """A function that raises, or names another state, is `RuleFailed`."""
    record = decide(MOTIONS, Motion.draft(), ask("create", MEMBER, id="M")).record
    with pytest.raises(RuleFailed, match=given):
        decide(MOTIONS, record, ask("vote", MEMBER, details=Vote(times=times)))


def test_a_choice_needs_states_and_a_function() -> None:
    """No states, and what is no function, are refused when the row is written; unknown states with the table."""
    for states, choose in (((), _by_votes), (("open",), "open")):
        with pytest.raises(InvalidValue):
            OneOf(states, cast(Any, choose))
    with pytest.raises(InvalidDefinition) as raised:
        attrs.evolve(MOTIONS, states=[State("open", final=True)])
    assert "urgent" in str(raised.value)


def test_plain_details_are_checked_when_they_are_used() -> None:
    """Details of a plain attrs class are checked by their annotations before they are stored."""
    made = decide(DOCKS, barrel(state="ashore"), ask("plain", details=PlainMarking(mark="x")))
    assert made.entry.details == PlainMarking(mark="x")
    with pytest.raises(InvalidValue) as raised:
        decide(DOCKS, barrel(state="ashore"), ask("plain", details=PlainMarking(mark=cast(str, 7))))
    assert (raised.value.field, raised.value.problem) == ("mark", "type")


def test_details_whose_class_checks_nothing_are_checked_when_they_are_used() -> None:
    """A class of details with an `__attrs_post_init__` that leaves the check out is checked like a plain one."""
    assert decide(DOCKS, barrel(state="ashore"), ask("mark", details=Hasty(mark="x"))).entry.details == Hasty(mark="x")
    with pytest.raises(InvalidValue) as raised:
        decide(DOCKS, barrel(state="ashore"), ask("mark", details=Hasty(mark=cast(str, 7))))
    assert (raised.value.field, raised.value.problem) == ("mark", "type")


@pytest.mark.parametrize(
    ("port", "targets"), [("one", ["other"]), ("several", ["a", "b"]), ("none", [])], ids=["one", "several", "none"]
)
def test_then_returns_one_step_or_several_or_none(port: str, targets: list[str]) -> None:
    """`then` may return one step, any number of steps, or None."""
    made = decide(DOCKS, barrel(state="ashore", port=port), ask("sink", step=True))
    assert [step.target for step in made.steps] == targets


# ---------------------------------------------------------------------------------------------------------------
# Refusals


def test_every_reason_has_its_facts() -> None:
    """State, role, details and reason are refused together, in this order, each with what is allowed instead."""
    details = Marking(mark="x")
    assert refused(barrel(state="gone"), ask("land", ZOE, details=details)) == [
        ("state", {"lifecycle": "barrel", "trigger": "land", "state": "gone", "states": ("afloat", "ashore")}),
        (
            "role",
            {
                "lifecycle": "barrel",
                "trigger": "land",
                "roles": ("clerk", "owner"),
                "held": (),
                "elsewhere": ("clerk",),
                "unknown": ("stranger",),
                "actor": "zoe",
                "name": "zoe",
            },
        ),
        ("details", {"lifecycle": "barrel", "trigger": "land", "expected": "nothing", "given": "Marking"}),
        ("reason", {"lifecycle": "barrel", "trigger": "land"}),
    ]


def test_a_role_is_refused_with_the_roles_held() -> None:
    """The refusal names the roles of the row that applies, and those that the actor holds for the record."""
    both = Actor(id="ann", roles={"owner", "clerk", "master"}, unit="z")
    assert refused(barrel(), ask("land", both, reason="r")) == [
        (
            "role",
            {
                "lifecycle": "barrel",
                "trigger": "land",
                "roles": ("clerk",),
                "held": ("master", "owner"),
                "elsewhere": ("clerk",),
                "actor": "ann",
                "name": "ann",
            },
        )
    ]


@pytest.mark.parametrize("details", [None, PlainMarking()])
def test_details_are_of_the_class_of_the_row(details: object) -> None:
    """The refusal names the given and the expected class; guards that read details are not judged then."""
    given = "nothing" if details is None else "PlainMarking"
    assert refused(barrel(port="locked"), ask("mark", details=details)) == [
        ("locked", {"lifecycle": "barrel", "id": "B1", "actor": "kai", "name": "Kai", "trigger": "mark"}),
        ("details", {"lifecycle": "barrel", "trigger": "mark", "expected": "Marking", "given": given}),
    ]


def test_guards_refuse_with_their_facts() -> None:
    """Each guard refuses on its own, with its own facts beside those of the command."""
    known = {"lifecycle": "barrel", "id": "B1", "actor": "kai", "name": "Kai", "trigger": "mark"}
    assert refused(barrel(port="locked"), ask("mark", details=Marking(mark="x", count=5))) == [
        ("too_many", {**known, "count": 5}),
        ("locked", known),
    ]


def test_a_blank_reason_is_no_reason() -> None:
    """A blank reason is refused; a reason is stored in the entry."""
    assert refused(barrel(), ask("land", reason=" \n")) == [("reason", {"lifecycle": "barrel", "trigger": "land"})]
    assert decide(DOCKS, barrel(), ask("land", reason="storm")).entry.reason == "storm"


def test_a_step_is_not_judged_for_role() -> None:
    """A step may fire a row of `NOBODY`, but only in the right state."""
    assert [code for code, _ in refused(barrel(state="ashore", port="none"), ask("sink", MAX))] == ["role"]
    assert decide(DOCKS, barrel(state="ashore", port="none"), ask("sink", MAX, step=True)).record.state == "gone"
    assert [code for code, _ in refused(barrel(), ask("sink", MAX, step=True))] == ["state"]


def test_a_creation_is_judged_for_its_creator() -> None:
    """A creation is refused without one of its roles for the draft; another trigger on a draft is refused by state."""
    facts = {
        "lifecycle": "barrel",
        "trigger": "create",
        "roles": ("master", "owner"),
        "held": ("clerk",),
        "actor": "kai",
        "name": "Kai",
    }
    assert refused(Barrel.draft(id="N"), ask("create", KAI)) == [("role", facts)]
    found = refused(Barrel.draft(id="N"), ask("shout", MAX))
    assert found == [("state", {"lifecycle": "barrel", "trigger": "shout", "state": "", "states": ("afloat",)})]


# ---------------------------------------------------------------------------------------------------------------
# Rules that fail


def failure(record: Record, command: Command) -> tuple[str, str, str, str, str]:
    """The facts of a `RuleFailed`."""
    with pytest.raises(RuleFailed) as raised:
        decide(DOCKS, record, command)
    error = raised.value
    return error.lifecycle, error.trigger, error.part, error.id, error.given


def test_a_rule_that_raises_is_named() -> None:
    """A guard, `sets` or `then` that raises is `RuleFailed`, with the part of the row and the error."""
    given = "ZeroDivisionError: by hand"
    assert failure(barrel(), ask("fail")) == ("barrel", "fail", "guard 'odd'", "B1", given)
    assert failure(barrel(state="ashore"), ask("burst")) == ("barrel", "burst", "sets", "B1", given)
    sunk = barrel(state="ashore", port="raises")
    assert failure(sunk, ask("sink", step=True)) == ("barrel", "sink", "then", "B1", given)
    sunk = barrel(state="ashore", port="wrong")
    assert failure(sunk, ask("sink", step=True)) == ("barrel", "sink", "then", "B1", "'not a step' is no Step")


def test_a_record_that_its_class_refuses_is_an_invalid_value() -> None:
    """The values of `sets` are checked by the record's class; the error names the class and what it raised."""
    with pytest.raises(InvalidValue) as raised:
        decide(DOCKS, barrel(state="ashore"), ask("swell"))
    error = raised.value
    assert (error.field, error.problem, error.details) == ("Barrel", "refused", {"given": "ValueError: too many"})
    assert isinstance(error.__cause__, ValueError)
    with pytest.raises(InvalidValue) as raised:
        decide(DOCKS, barrel(state="ashore"), ask("blur"))
    assert (raised.value.field, raised.value.problem) == ("title", "type")


def test_a_record_class_that_changes_its_values_is_refused() -> None:
    """A record class that changes its values each time it is built is `RuleFailed` with the fields."""

    @attrs.frozen(kw_only=True)
    class Growing(Record):
        size: str = ""
        other: str = ""

        def __attrs_post_init__(self) -> None:
            object.__setattr__(self, "size", self.size + "+")
            object.__setattr__(self, "other", self.other + "-")

    growing = Lifecycle(
        name="growing",
        version=1,
        record=Growing,
        roles={"r": ANY},
        states=[State("on", final=True)],
        transitions=[
            Transition("create", source=None, dest="on", roles={"r"}, sets={"title": Constant("t")}, accepts={"id"})
        ],
    )
    with pytest.raises(RuleFailed) as raised:
        decide(growing, Growing.draft(id="G"), ask("create", Actor(id="x", roles={"r"})))
    assert (raised.value.part, raised.value.given) == ("sets", "Growing converts size, other into something else")


def test_an_entry_without_a_row_cannot_be_folded() -> None:
    """Folding an entry that no row allows is `RuleFailed` with the missing row; so is a creation without its draft."""
    stray = Entry(
        record_id="B1", sequence=5, trigger="land", source="gone", dest="x", actor=KAI, at=NOW, recorded_at=NOW
    )
    for before, entry in ((barrel(), stray), (None, attrs.evolve(stray, source=None, trigger="create"))):
        with pytest.raises(RuleFailed) as raised:
            DOCKS.fold(before, entry)
        error = raised.value
        assert (error.lifecycle, error.trigger, error.part, error.id) == ("barrel", entry.trigger, "the row", "B1")
        assert error.given == f"none from '{entry.source}' for this entry"


# ---------------------------------------------------------------------------------------------------------------
# Offers


def test_options_have_all_reasons() -> None:
    """Each option has its trigger, whether it is allowed, each refusal, and its row."""
    calm = attrs.evolve(DOCKS, transitions=[row for row in ROWS if row.trigger != "fail"])
    found = options(calm, barrel(port="locked"), KAI, now=NOW)
    assert [one.trigger for one in found] == ["mark", "land", "shout", "sink", "plain", "burst", "swell", "blur"]
    mark, land, shout, sink, plain, *_ = found
    assert (mark.allowed, [one.code for one in mark.refusals], mark.details) == (False, ["locked"], Marking)
    assert (mark.reason_required, mark.row.trigger) == (False, "mark")
    assert (land.allowed, land.refusals, land.details, land.reason_required) == (True, (), None, True)
    assert (land.row.dest, shout.allowed, shout.reason_required) == ("ashore", True, False)
    assert [one.code for one in sink.refusals] == ["state", "role"]
    assert (sink.row.trigger, plain.details, plain.allowed) == ("sink", PlainMarking, False)
    ashore = {one.trigger: one for one in options(calm, barrel(state="ashore"), ANN, now=NOW)}
    assert (ashore["land"].row.dest, ashore["land"].allowed) == (SAME, True)
    assert {one.row.trigger: one.row.dest for one in options(calm, barrel(state="gone"), ANN, now=NOW)}[
        "land"
    ] == "ashore"


def test_an_option_has_a_text() -> None:
    """The text of an option is the label of its row in the language, or in English."""
    option = options(attrs.evolve(DOCKS, transitions=ROWS[:-1]), barrel(), KAI, now=NOW)[0]
    assert (option.text(), option.text("zh"), option.text("xx")) == ("put a mark on", "做标记", "put a mark on")


def test_a_failing_guard_fails_the_offer() -> None:
    """A guard that raises is `RuleFailed` in `options` as in `decide`."""
    with pytest.raises(RuleFailed) as raised:
        options(DOCKS, barrel(), KAI, now=NOW)
    assert (raised.value.lifecycle, raised.value.trigger, raised.value.part) == ("barrel", "fail", "guard 'odd'")


# ---------------------------------------------------------------------------------------------------------------
# Guards


def test_a_guard_returns_true_false_or_facts() -> None:
    """True allows, False refuses, a mapping refuses with its facts, also an empty one; anything else is `TypeError`."""
    known = {"lifecycle": "barrel", "id": "B1", "actor": "kai", "name": "Kai", "trigger": "x"}

    def answer(value: object) -> Refusal | None:
        texts = {"en": "no"}
        return Guard(code="g", test=lambda record, command: cast(bool, value), texts=texts).refusal(barrel(), ask("x"))

    assert answer(True) is None
    assert answer(False) == Refusal(code="g", params=known, texts={"en": "no"})
    assert answer({}) == Refusal(code="g", params=known, texts={"en": "no"})
    assert answer({"n": 1, "id": "mine"}) == Refusal(
        code="g", params={**known, "n": 1, "id": "mine"}, texts={"en": "no"}
    )
    mistakes: list[object] = [None, 1, 0, "yes", []]
    for value in mistakes:
        message = rf"^the guard 'g' returned {value!r}; it must return True, False or a mapping$".replace("[]", r"\[\]")
        with pytest.raises(TypeError, match=message):
            answer(value)


def test_a_guard_is_given_the_record_and_the_command() -> None:
    """The test of a guard gets the record and the command that are judged."""
    seen: list[object] = []
    record, command = barrel(), ask("x")

    @guard("seen")
    def watcher(given: Any, judged: Any) -> bool:
        seen.extend([given, judged])
        return True

    assert watcher.refusal(record, command) is None
    assert seen == [record, command]
    assert (watcher.code, watcher.texts, watcher.reads_details) == ("seen", {}, False)
    reading = guard("reading", {"en": "no"}, reads_details=True)(lambda record, command: True)
    assert (reading.code, reading.texts, reading.reads_details) == ("reading", {"en": "no"}, True)
    assert (few.code, few.texts["zh"], few.reads_details) == ("too_many", "{count}太多。", True)


def test_a_refusal_has_a_text_in_each_language() -> None:
    """A refusal uses the guard's text in the language, else its English one; without any, the catalog's."""
    own = Refusal(code="g", params={"n": 3}, texts={"en": "{n} no", "zh": "{n}不"})
    assert (own.message, own.text(), own.text("zh"), own.text("xx")) == ("3 no", "3 no", "3不", "3 no")
    named = Refusal(code="g", params={"trigger": "edit", "lifecycle": "report"}, texts={"en": "<{trigger}>"})
    assert named.text("zh") == f"<{STANDARD.label('trigger', 'edit', 'zh', lifecycle='report')}>" != named.text()
    table = Refusal(code="same_person", params={"field": "created_by", "trigger": "x", "lifecycle": "barrel"})
    assert len({table.text("zh"), table.text(), table.message}) == 3
    assert "refusal." not in table.text()


def test_the_guards_that_ship() -> None:
    """Each guard of the library allows the right actor or record, and refuses others with its code and fact."""

    def refusal_of(one: Guard, actor: Actor, **changes: Any) -> tuple[str, object] | None:
        refusal = one.refusal(barrel(**changes), ask("x", actor))
        facts = {} if refusal is None else {**refusal.params}
        for name in ("lifecycle", "id", "actor", "name", "trigger"):
            facts.pop(name, None)
        return None if refusal is None else (refusal.code, facts)

    assert refusal_of(not_the_creator, ANN) == ("same_person", {"field": "created_by"})
    assert refusal_of(not_the_creator, KAI) is None
    for_ann, for_cy = (attrs.evolve(KAI, on_behalf_of=one) for one in ("ann", "cy"))
    assert refusal_of(not_the_creator, for_ann) == ("same_person", {"field": "created_by"})
    assert refusal_of(not_the_creator, for_cy) is None
    assert refusal_of(not_the_creator, KAI, created_for="kai") == ("same_person", {"field": "created_for"})
    assert refusal_of(not_the_creator, for_cy, created_for="cy") == ("same_person", {"field": "created_for"})
    assert refusal_of(only_the_assignee, for_cy, assignee="cy") is None
    assert refusal_of(only_the_assignee, for_cy, assignee="kai") is None
    assert refusal_of(only_the_assignee, for_cy, assignee="ann") == ("not_assignee", {"assignee": "ann"})
    assert (sorted(persons(KAI)), sorted(persons(for_cy))) == (["kai"], ["cy", "kai"])
    assert refusal_of(nobody_from("assignee"), KAI, assignee="kai") == ("same_person", {"field": "assignee"})
    assert refusal_of(nobody_from("assignee"), KAI, assignee="ann") is None
    assert refusal_of(has("title"), KAI) == ("missing", {"field": "title"})
    assert refusal_of(has("title"), KAI, title="t") is None
    assert refusal_of(only_the_assignee, KAI, assignee="ann") == ("not_assignee", {"assignee": "ann"})
    assert refusal_of(only_the_assignee, KAI, assignee="kai") is None
    assert refusal_of(only_the_assignee, KAI) is None


# ---------------------------------------------------------------------------------------------------------------
# The table


def test_the_labels_of_a_table() -> None:
    """Lifecycle, states and rows have labels, the English one where the language has none."""
    name = DOCKS.label_of
    assert [name("lifecycle", "barrel", language) for language in ("en", "zh", "xx")] == ["cask", "桶", "cask"]
    assert (name("state", "afloat", "zh"), name("state", "afloat")) == ("在海上", "at sea")
    assert (name("state", "gone", "zh"), name("state", "ashore", "zh")) == ("lost", "ashore")
    assert (name("trigger", "shout", "zh"), name("trigger", "mark")) == ("shout at", "put a mark on")
    with pytest.raises(KeyError):
        DOCKS.state("nowhere")


def test_a_table_keeps_its_labels_to_itself() -> None:
    """A second version of a lifecycle changes neither the labels of the first one nor the catalog."""

    @attrs.frozen
    class BilgeWater:
        depth: int = 0

    def version(number: int, dry: str) -> Lifecycle:
        return Lifecycle(
            name="bilge",
            version=number,
            record=Barrel,
            roles={"r": ANY},
            labels={"role.r": {"en": "rower", "zh": "桨手"}},
            states=[
                State("dry", label={"en": dry, "zh": "干"}),
                State("wet", label="soaked", final=True),
                State("off", final=True),
            ],
            transitions=[
                Transition("create", source=None, dest="dry", roles={"r"}, label={"en": "build", "zh": "造"}),
                Transition("pour", source="dry", dest="wet", roles={"r"}, details=BilgeWater, label="fill up"),
                Transition("pour", source="wet", dest="off", roles={"r"}, details=BilgeWater, label="fill more"),
            ],
        )

    first, second = version(1, "bone dry"), version(2, "drained")
    assert second.classes.of_details("bilge", 2, "pour", creation=False) is BilgeWater
    assert [one.label_of("state", "dry") for one in (first, second)] == ["bone dry", "drained"]
    labelled = [("state", "wet"), ("state", "off"), ("trigger", "create"), ("trigger", "pour"), ("role", "r")]
    assert [first.label_of(*one) for one in labelled] == ["soaked", "off", "build", "fill up", "rower"]
    assert [first.label_of(*one, "zh") for one in labelled] == ["soaked", "off", "造", "fill up", "桨手"]
    assert not [code for code in STANDARD.codes() if code.startswith("bilge.")]
    record = Barrel(id="b", kind="bilge", state="dry", version=1, lifecycle_version=2)
    for one, dry in ((first, "bone dry"), (second, "drained")):
        with pytest.raises(TransitionRefused) as refused:
            decide(one, record, Command(trigger="create", actor=Actor(id="x", roles={"r"}), now=NOW))
        assert f"'{dry}'" in refused.value.message("en")
        assert f"'{dry}'" in pickle.loads(pickle.dumps(refused.value)).message("en")


@pytest.mark.parametrize(
    ("label", "language", "expected"),
    [
        ("own", "zh", "own"),
        ("", "zh", "编辑"),
        ("", "en", "edit"),
        ({"zh": "自"}, "zh", "自"),
        ({"en": "own"}, "zh", "own"),
        ({"fr": "à"}, "zh", "编辑"),
        ({}, "en", "edit"),
    ],
)
def test_a_label_of_the_table_comes_first(label: Any, language: str, expected: str) -> None:
    """The table's own label in the language, else its English one, else the catalog's."""
    labels = {"trigger.edit": {"en": label} if isinstance(label, str) and label else label or {}}
    catalog = STANDARD.with_texts({"trigger.edit": {"en": "edit", "zh": "编辑"}})
    assert catalog.label("trigger", "edit", language, labels=labels) == expected


def test_an_unknown_trigger_names_all_the_others() -> None:
    """The most similar triggers come first, then all the others in the order of the table, each once."""
    with pytest.raises(UnknownTrigger) as raised:
        DOCKS.rows("lend")
    assert (raised.value.lifecycle, raised.value.trigger) == ("barrel", "lend")
    triggers = ["create", "found", "mark", "land", "shout", "sink", "plain", "burst", "swell", "blur", "fail"]
    assert raised.value.triggers == ("land", *(one for one in triggers if one != "land"))
    assert DOCKS.triggers == tuple(triggers)
    assert DOCKS.rows("land") == (ROWS[3], ROWS[4])
    assert DOCKS.row("ashore", "land") == (ROWS[4], "ashore")
    assert DOCKS.row(None, "land") is None


def test_roles_count_where_their_scope_holds() -> None:
    """Roles are held by OWN, UNIT and ANY; a role of another lifecycle never is, and none is above the clearance."""
    all_roles = {"owner", "clerk", "master", "stranger"}
    record = barrel()
    assert DOCKS.roles_held(record, Actor(id="ann", roles=all_roles, unit="z")) == {"owner", "master"}
    assert DOCKS.roles_held(record, Actor(id="kai", roles=all_roles, unit="a")) == {"clerk", "master"}
    secret = barrel(secrecy=Secrecy.SECRET)
    assert DOCKS.roles_held(secret, Actor(id="ann", roles=all_roles, unit="a")) == frozenset()
    assert DOCKS.roles_held(secret, Actor(id="ann", roles=all_roles, unit="a", clearance="secret")) == {
        "owner",
        "clerk",
        "master",
    }


def test_everybody_are_all_actors_that_see_the_record() -> None:
    """A row of `EVERYBODY` permits actors with any role for the record; for a draft, those within their clearance."""
    row = DOCKS.rows("shout")[0]
    assert DOCKS.permits(row, barrel(), MAX)
    assert not DOCKS.permits(row, barrel(), ZOE)
    assert DOCKS.permits(row, Barrel.draft(), ZOE)
    assert not DOCKS.permits(row, Barrel.draft(secrecy="secret"), ZOE)
    land = DOCKS.rows("land")[0]
    assert DOCKS.permits(land, barrel(), KAI)
    assert not DOCKS.permits(land, barrel(), MAX)


def test_grants_are_data() -> None:
    """What an actor sees is a grant of their roles' scopes; their inbox is one grant a state that awaits a role."""
    both = Actor(id="x", roles={"owner", "clerk", "stranger"}, unit="a")
    assert DOCKS.grants(both) == (
        Grant(kind="barrel", scopes=frozenset({OWN}), roles=frozenset({"owner"})),
        Grant(kind="barrel", scopes=frozenset({UNIT}), roles=frozenset({"clerk"})),
    )
    assert DOCKS.grants(Actor(id="x", roles={"stranger"})) == ()
    assert DOCKS.awaiting_grants(both) == (
        Grant(kind="barrel", scopes=frozenset({OWN, UNIT}), states=frozenset({"afloat"})),
        Grant(kind="barrel", scopes=frozenset({UNIT}), states=frozenset({"ashore"})),
    )
    assert DOCKS.awaiting_grants(both, ["owner", "stranger"]) == (
        Grant(kind="barrel", scopes=frozenset({OWN}), states=frozenset({"afloat"})),
    )
    assert DOCKS.awaiting_grants(MAX) == ()


def test_a_table_takes_any_collections() -> None:
    """States and rows may come from generators; scopes by name, and an unknown one is `InvalidValue`."""
    made = Lifecycle(
        name="loose",
        version=1,
        record=Record,
        roles={"r": cast(Any, "any")},
        states=(state for state in [State("on", final=True)]),
        transitions=(row for row in [Transition("create", source=None, dest="on", roles="r")]),
    )
    assert made.roles == {"r": ANY}
    assert [state.name for state in made.states] == ["on"]
    assert [row.roles for row in made.transitions] == [frozenset({"r"})]
    with pytest.raises(InvalidValue) as raised:
        attrs.evolve(made, roles={"r": cast(Any, "all")})
    assert (raised.value.field, raised.value.problem) == ("roles", "choice")


# ---------------------------------------------------------------------------------------------------------------
# Rows


def test_the_sources_and_the_destination_of_a_row() -> None:
    """A row leads from one state, several or none; `SAME` leads back to the source."""
    assert ROWS[0].sources == {None}
    assert ROWS[2].sources == {"afloat", "ashore"}
    assert ROWS[3].sources == {"afloat"}
    assert [ROWS[2].leads_to(source) for source in ("afloat", "ashore")] == ["afloat", "ashore"]
    assert (ROWS[3].leads_to("afloat"), ROWS[0].leads_to(None)) == ("ashore", "afloat")
    assert Transition("x", source=["a", "b"], dest=SAME, roles=[]).sources == {"a", "b"}
    assert Transition("x", source=None, dest=SAME, roles=[]).leads_to(None) == SAME


def test_a_setting_is_a_field_a_constant_or_a_function() -> None:
    """In `sets`, a text is a field of the details unless it is an enum's member; other values are used, or called."""
    entry = Entry(
        record_id="B1",
        sequence=5,
        trigger="mark",
        source="afloat",
        dest="afloat",
        actor=KAI,
        at=NOW,
        recorded_at=NOW,
        details=Marking(mark="m", count=2),
    )
    before = barrel(count=3)
    row = Transition(
        "x",
        source="a",
        dest="a",
        roles="r",
        sets={
            "a": "mark",
            "b": Constant("mark"),
            "c": 7,
            "d": OWN,
            "e": lambda given, folded: (given, folded),
            "f": None,
            "g": Constant(len),
        },
    )
    assert row.changes(before, entry) == {
        "a": "m",
        "b": "mark",
        "c": 7,
        "d": OWN,
        "e": (before, entry),
        "f": None,
        "g": len,
    }


@pytest.mark.parametrize(
    ("make", "field", "details"),
    [
        (lambda: Transition("x", source="a", dest="a", roles="r", guards=[few, cast(Any, len)]), "guards", "Guard"),
        (lambda: Transition("x", source="a", dest="a", roles="r", on_conflict=cast(Any, "wait")), "on_conflict", None),
    ],
)
def test_an_invalid_row_names_the_field(make: Callable[[], object], field: str, details: str | None) -> None:
    """A guard that is no `Guard`, and an unknown `on_conflict`, are `InvalidValue` with the field."""
    with pytest.raises(InvalidValue) as raised:
        make()
    assert raised.value.field == field
    if details:
        assert raised.value.details["expected"] == details
        assert raised.value.details["given"] == f"builtin_function_or_method {len!r}"
    else:
        assert raised.value.details["choices"] == ["retry", "stale", "commutes"]


def test_a_row_keeps_its_guards_in_order() -> None:
    """Guards keep the order that they were given in."""
    assert Transition("x", source="a", dest="a", roles="r", guards=[few, unlocked]).guards == (few, unlocked)
    assert Transition("x", source="a", dest="a", roles="r", on_conflict="stale").on_conflict == "stale"


# ---------------------------------------------------------------------------------------------------------------
# The machine


def test_the_machine_is_the_table() -> None:
    """The machine has the table's states and triggers and no others, no models and no queue, and calls the guards."""
    machine = DOCKS.machine
    assert list(machine.states) == ["[*]", "afloat", "ashore", "gone"]
    assert machine.initial == "[*]"
    assert list(machine.events) == list(DOCKS.triggers)
    assert machine.models == []
    assert (machine.send_event, machine.has_queue, machine.ignore_invalid_triggers) == (True, False, False)
    model = SimpleNamespace(state="[*]")
    assert machine.events["create"].trigger(model, record=barrel(), command=ask("create"))
    assert model.state == "afloat"
    assert not machine.events["mark"].trigger(
        model, record=barrel(), command=ask("mark", details=Marking(mark="x", count=7))
    )


def _sealed(value: str) -> str:
    return value if len(value) >= 3 else f"{value}-"


@attrs.frozen(kw_only=True)
class Crate(Record):
    """A record with a validator that compares two fields, and a converter that changes some values twice."""

    least: int = attrs.field(default=0)
    most: int = 10
    seal: str = attrs.field(default="", converter=_sealed)

    @least.validator
    def _hold(self, attribute: object, value: int) -> None:
        if value > self.most:
            raise InvalidValue("least", "range", {"given": value, "least": 0, "most": self.most})


def crates(**sets: Any) -> Lifecycle:
    """A lifecycle of crates with one transition that sets fields."""
    return Lifecycle(
        name="crate",
        version=1,
        record=Crate,
        roles={"clerk": ANY},
        states=[State("on", final=True)],
        transitions=[
            Transition("create", source=None, dest="on", roles={"clerk"}, accepts=all_fields(Crate)),
            Transition("set", source="on", dest=SAME, roles={"clerk"}, sets=sets),
        ],
    )


def set_on(**sets: Any) -> Record:
    """A crate after that transition."""
    lifecycle = crates(**sets)
    crate = decide(lifecycle, Crate.draft(id="C", least=5, seal="abc"), ask("create")).record
    return decide(lifecycle, crate, ask("set")).record


def test_a_changed_field_is_checked_with_the_unchanged_ones() -> None:
    """Validators of other fields see the new value; a converter must give the same result when it is applied again."""
    after = set_on(most=7)
    assert isinstance(after, Crate)
    assert (after.least, after.most, after.version) == (5, 7, 2)
    with pytest.raises(InvalidValue) as caught:
        set_on(most=4)
    assert (caught.value.field, caught.value.details["most"]) == ("least", 4)
    with pytest.raises(InvalidValue) as caught:
        set_on(most=Constant("many"))
    assert (caught.value.field, caught.value.problem) == ("most", "type")
    with pytest.raises(InvalidValue) as caught:
        set_on(title=b"no text")
    assert (caught.value.field, caught.value.problem) == ("title", "type")
    with pytest.raises(RuleFailed) as failed:
        set_on(seal=Constant("a"))
    assert failed.value.given == "Crate converts seal into something else"
    assert set_on(seal=Constant("sealed")).seal == "sealed"  # type: ignore[attr-defined]  # it is a crate
