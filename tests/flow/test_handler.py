"""What the flow's generators ask of the outside, call by call: retries, time-outs, keys, steps, errors."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import attrs
import pytest

from reportflow import (
    ANY,
    NOBODY,
    OWN,
    SAME,
    UNIT,
    Actor,
    Conflict,
    Create,
    Details,
    DuplicateKey,
    Entry,
    Fire,
    Guard,
    InvalidValue,
    Lifecycle,
    MemoryStore,
    Record,
    RecordNotFound,
    Refusal,
    ReportflowError,
    StaleRecord,
    State,
    Step,
    StorageBusy,
    Transition,
    TransitionRefused,
    UnknownTrigger,
)
from reportflow.errors import StepsUnbounded
from reportflow.flow import handler, offers
from reportflow.flow.definitions import Definitions
from reportflow.flow.effects import Effects, Pause, StoreCall
from reportflow.flow.handler import Handler
from reportflow.lifecycle.decision import DEPTH
from reportflow.storage.base import Change

NOW = datetime(2022, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@attrs.frozen(kw_only=True)
class Slip(Record):
    """What is handed on."""

    count: int = 0
    next: str = ""


@attrs.frozen(kw_only=True)
class Handing(Details):
    to: str


def _to_next(trigger: str, **changes: Any) -> Callable[[Slip, Entry], list[Step]]:
    def then(before: Slip, entry: Entry) -> list[Step]:
        return [Step(target=before.next, trigger=trigger, **changes)] if before.next else []

    return then


def _more(before: Slip, entry: Entry) -> int:
    return before.count + 1


def _copies(before: Slip, entry: Entry) -> list[Step]:
    return [Step(target=Slip.draft(count=before.count - 1), trigger="create", reason="copy")] if before.count else []


def row(trigger: str, **changes: Any) -> Transition:
    """A row of a clerk, from "open" to itself."""
    return Transition(trigger, **{"source": "open", "dest": SAME, "roles": {"clerk"}, **changes})


SLIPS = Lifecycle(
    name="slip",
    version=1,
    record=Slip,
    roles={"clerk": UNIT, "boss": ANY, "owner": OWN},
    states=[State("open"), State("done", final=True)],
    transitions=[
        row("create", source=None, dest="open", then=_copies),
        row("raise", source=None, dest="open", roles={"boss"}),
        row("add", sets={"count": _more}),
        row("remark", on_conflict="commutes"),
        row("close", dest="done", on_conflict="stale"),
        row("hand", details=Handing, sets={"next": "to"}),
        row("push", then=_to_next("add", reason="pushed")),
        row("pull", then=_to_next("boss_only")),
        row("force", then=_to_next("add", system=True)),
        row("ask", then=_to_next("told", details=Handing(to="x")), reason_required=True),
        row("chain", then=_to_next("chain")),
        row("boss_only", roles=NOBODY, sets={"count": _more}),
        row("told", details=Handing, roles=NOBODY, sets={"next": "to"}),
        row("seal_next", then=_to_next("close")),
    ],
)
ANN = Actor(id="ann", roles={"clerk"}, unit="a")
BEN = Actor(id="ben", roles={"clerk"}, unit="b")
BOSS = Actor(id="boss", roles={"boss"}, unit="c")


class Desk:
    """Drives a handler over a memory store, and writes down all that it asks for."""

    def __init__(self, lifecycle: Lifecycle = SLIPS, **options: Any) -> None:
        self.now = NOW
        self.store = MemoryStore()
        ids = (f"N{number}" for number in range(100))
        given = {"clock": lambda: self.now, "new_id": lambda: next(ids), **options}
        self.handler = Handler(Definitions([lifecycle]), **given)
        self.asked: list[tuple[Any, ...]] = []
        #: What happens instead of the next commits: an error, or something to do before the commit.
        self.instead: list[Exception | Callable[[], object]] = []

    def drive(self, steps: Effects[Any]) -> Any:
        """Answer everything from the store."""
        send: Callable[[], Any] = lambda: next(steps)  # noqa: E731  # the first of several forms
        while True:
            try:
                wanted = send()
            except StopIteration as done:
                return done.value
            if isinstance(wanted, Pause):
                self.asked.append(("wait",))
                send = lambda: steps.send(None)  # noqa: E731  # as above
                continue
            assert isinstance(wanted, StoreCall)
            self.asked.append((wanted.name, *(wanted.arguments if wanted.name != "commit" else ())))
            try:
                if wanted.name == "commit" and self.instead:
                    first = self.instead.pop(0)
                    if isinstance(first, Exception):
                        raise first
                    first()
                answer = wanted.run(self.store)
            except ReportflowError as error:
                send = lambda error=error: steps.throw(error)  # type: ignore[misc]  # noqa: E731  # bound now
            else:
                send = lambda answer=answer: steps.send(answer)  # type: ignore[misc]  # noqa: E731  # bound now

    def run(self, *requests: Any) -> list[Any]:
        """Do some requests together."""
        self.asked.clear()
        return cast(list[Any], self.drive(self.handler.run(requests)))

    def create(self, by: Actor = ANN, **fields: Any) -> Slip:
        """A new slip."""
        return cast(Slip, self.run(Create(Slip.draft(**fields), by=by))[0])

    def fire(self, target: Any, trigger: str, details: object = None, by: Actor = ANN, **given: Any) -> Slip:
        """One act."""
        return cast(Slip, self.run(Fire(target, trigger, details, by=by, **given))[0])

    def rival(self, id: str, trigger: str = "add", by: Actor = ANN) -> Callable[[], object]:
        """Somebody who is faster, each time."""

        def act() -> None:
            other = Desk()
            other.store = self.store
            other.fire(id, trigger, by=by)

        return act


@pytest.fixture(name="desk")
def _desk() -> Desk:
    return Desk()


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the monotonic clock will say, the last for ever."""
    times = [100.0]
    monkeypatch.setattr(
        handler, "time", SimpleNamespace(monotonic=lambda: times.pop(0) if len(times) > 1 else times[0])
    )
    return times


def problem(call: Callable[[], object]) -> tuple[str, str, dict[str, object]]:
    """The field, the problem and all the facts with which something is refused."""
    with pytest.raises(InvalidValue) as raised:
        call()
    return raised.value.field, raised.value.problem, raised.value.details


# ---------------------------------------------------------------------------------------------------------------
# Calls


def test_a_call_reads_once_and_writes_once(desk: Desk) -> None:
    """By id the record is read, in hand it is not, unless the act commutes; nothing else is asked."""
    made = desk.create(id="S")
    assert desk.asked == [("commit",)]
    made = desk.fire("S", "add")
    assert desk.asked == [("get", ["S"]), ("commit",)]
    made = desk.fire(made, "add")
    assert desk.asked == [("commit",)]
    desk.fire(made, "remark")
    assert desk.asked == [("get", ["S"]), ("commit",)]
    desk.run(Fire("S", "add", by=ANN), Fire("S", "add", by=ANN))
    assert desk.asked == [("get", ["S"]), ("commit",)]
    assert desk.run() == []
    assert desk.asked == []


def test_what_is_kept_says_what_it_replaces(desk: Desk) -> None:
    """A change has the next record, the version and the record before, and all the entries in between."""
    made = desk.create(id="S")
    kept: list[Any] = []
    inner = desk.store.commit

    def watched(changes: Sequence[Change]) -> None:
        kept.extend(changes)
        inner(changes)

    desk.store.commit = watched  # type: ignore[method-assign]  # to see what is kept
    done = desk.run(Fire(made, "add", by=ANN), Fire("S", "add", by=ANN), Create(Slip.draft(id="T"), by=ANN))
    assert [(one.record, one.expected, one.before) for one in kept] == [(done[1], 1, made), (done[2], None, None)]
    assert [[entry.sequence for entry in one.entries] for one in kept] == [[2, 3], [1]]
    assert [one.count for one in done] == [1, 2, 0]


def test_an_act_carries_what_it_was_given(desk: Desk) -> None:
    """Trigger, details, reason, key and time of a call stand in its entry; the time entered is the clock's."""
    made = desk.run(Create(Slip.draft(id="S"), by=ANN, at=NOW - 2 * HOUR, key="c"))[0]
    desk.fire(made, "hand", Handing(to="T"), reason="why", key="k", at=NOW - HOUR)
    first, second = desk.store.history(["S"])
    assert (first.trigger, first.actor, first.at, first.recorded_at, first.key) == (
        "create",
        ANN,
        NOW - 2 * HOUR,
        NOW,
        "c",
    )
    assert second == Entry(
        record_id="S",
        sequence=2,
        trigger="hand",
        source="open",
        dest="open",
        actor=ANN,
        at=NOW - HOUR,
        recorded_at=NOW,
        reason="why",
        details=Handing(to="T"),
        key="k",
    )


def test_ids_are_taken_once(desk: Desk) -> None:
    """A draft without an id gets one, the same however often it is decided; a draft's own stays."""
    desk.instead = [StorageBusy("u", "x"), StorageBusy("u", "x")]
    assert desk.create().id == "N0"
    assert desk.asked == [("commit",), ("wait",), ("commit",), ("wait",), ("commit",)]
    assert desk.create(id="mine").id == "mine"
    assert desk.create().id == "N1"


def test_what_is_no_request_is_told(desk: Desk) -> None:
    """A draft that is none, a record in its place, and one id twice, each with the facts."""
    made = desk.create(id="S")
    assert problem(lambda: desk.run(Create(cast(Any, {"a": 1}), by=ANN))) == (
        "draft",
        "type",
        {"expected": "Record", "given": "dict {'a': 1}"},
    )
    assert problem(lambda: desk.run(cast(Any, 7))) == ("draft", "type", {"expected": "Record", "given": "int 7"})
    assert problem(lambda: desk.run(Create(made, by=ANN))) == (
        "draft",
        "not_a_draft",
        {"version": 1, "owner": "Slip"},
    )
    stated = attrs.evolve(Slip.draft(), state="open")
    assert problem(lambda: desk.run(Create(stated, by=ANN))) == (
        "draft",
        "not_a_draft",
        {"version": 0, "owner": "Slip"},
    )
    twice = Create(Slip.draft(id="T"), by=ANN)
    assert problem(lambda: desk.run(twice, twice)) == ("id", "twice", {"given": "T"})
    assert problem(lambda: desk.fire(7, "add"))[0] == "id"
    with pytest.raises(UnknownTrigger):
        desk.fire("S", "ad")
    with pytest.raises(RecordNotFound) as raised:
        desk.fire("S", "add", by=BEN)
    assert raised.value.ids == ("S",)


def test_the_creation_that_takes_the_actor_is_taken(desk: Desk) -> None:
    """Of several creations the first that takes the actor; the first of all, where none does."""
    desk.create(id="S", by=BOSS)
    desk.create(id="T", by=ANN)
    assert [one.trigger for one in desk.store.history(["S", "T"])] == ["raise", "create"]
    with pytest.raises(TransitionRefused) as raised:
        desk.create(by=Actor(id="x", roles={"owner"}))
    assert raised.value.trigger == "create"


# ---------------------------------------------------------------------------------------------------------------
# Conflicts


@pytest.mark.parametrize("error", [Conflict(["S"]), StorageBusy("u", "locked")], ids=["conflict", "busy"])
def test_patience_ends(desk: Desk, clock: list[float], error: Exception) -> None:
    """It is tried again up to the last moment of the retry_timeout, and behind it the error is the caller's."""
    desk.create(id="S")
    clock[:] = [100.0, 104.0, 105.0, 105.1]
    desk.instead = [error] * 9
    with pytest.raises(type(error)):
        desk.fire("S", "add")
    assert [one[0] for one in desk.asked] == ["get", "commit", "wait", "get", "commit", "wait", "get", "commit"]
    assert len(desk.instead) == 6
    hasty = Desk(retry_timeout=0.5)
    hasty.create(id="S")
    clock[:] = [100.0, 100.6]
    hasty.instead = [error]
    with pytest.raises(type(error)):
        hasty.fire("S", "add")
    clock[:] = [100.0, 100.5]
    hasty.instead = [error]
    assert hasty.fire("S", "add").count == 1


def test_pauses_grow_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause is drawn from nothing up to a bound that doubles, and ends at two thousandths of a second."""
    drawn: list[tuple[float, ...]] = []

    def uniform(*ends: float) -> float:
        drawn.append(ends)
        return 0.5

    monkeypatch.setattr(random, "uniform", uniform)
    assert [handler._back_off(attempt) for attempt in (1, 2, 3, 11, 5000)] == [0.5] * 5
    assert drawn == [(0, bound) for bound in (0.001, 0.002, 0.002, 0.002, 0.002)]


def test_a_pause_is_waited(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first pause is that of the first attempt, the next of the next."""
    attempts: list[int] = []

    def pause(attempt: int) -> float:
        attempts.append(attempt)
        return 0.0

    monkeypatch.setattr(handler, "_back_off", pause)
    desk.instead = [StorageBusy("u", "x")] * 3
    desk.create(id="S")
    assert attempts == [1, 2, 3]


def test_a_conflict_by_id_is_decided_again(desk: Desk) -> None:
    """What somebody else wrote meanwhile is read, and decided on."""
    desk.create(id="S")
    desk.instead = [desk.rival("S")]
    assert (desk.fire("S", "add").count, desk.store.get(["S"])[0].version) == (2, 3)


@pytest.mark.parametrize("how", ["in hand", "version"])
def test_a_conflict_about_a_version_seen_is_its_holder_s(desk: Desk, how: str) -> None:
    """Who saw a version hears which one is stored, and nothing is tried again."""
    made = desk.create(id="S")
    desk.instead = [desk.rival("S")]
    with pytest.raises(StaleRecord) as raised:
        desk.fire(made if how == "in hand" else "S", "add", version=1)
    assert (raised.value.id, raised.value.seen, raised.value.stored) == ("S", 1, 2)
    assert ("wait",) not in desk.asked
    with pytest.raises(StaleRecord) as raised:
        desk.fire("S", "add", version=1)
    assert (raised.value.id, raised.value.seen, raised.value.stored) == ("S", 1, 2)


def test_a_conflict_in_a_batch_is_told_to_who_asked(desk: Desk) -> None:
    """Of several actors the one whose record moved hears of it, as one who may see it."""
    desk.create(id="S")
    desk.create(id="T", by=BEN)
    desk.instead = [desk.rival("T", by=BEN)]
    with pytest.raises(StaleRecord) as raised:
        desk.run(Fire("S", "add", by=ANN, version=1), Fire("T", "add", by=BEN, version=1))
    assert (raised.value.id, raised.value.seen, raised.value.stored) == ("T", 1, 2)


def test_a_stale_act_is_never_decided_again(desk: Desk) -> None:
    """By id too: what it passed was read before; as a step of another act as well."""
    desk.create(id="S", next="T")
    desk.create(id="T")
    for trigger, id, target in (("close", "S", "S"), ("seal_next", "S", "T")):
        desk.instead = [desk.rival(target)]
        seen = desk.store.get([target])[0].version
        with pytest.raises(StaleRecord) as raised:
            desk.fire(id, trigger)
        assert (raised.value.id, raised.value.seen, raised.value.stored) == (target, seen, seen + 1)


def test_a_commuting_act_in_hand_is_decided_again(desk: Desk) -> None:
    """Whoever wrote first: it goes by what is stored."""
    made = desk.create(id="S")
    desk.instead = [desk.rival("S")]
    assert desk.fire(made, "remark").version == 3
    desk.fire("S", "add")
    assert desk.fire("S", "remark", version=1).version == 5


def test_a_conflict_that_is_none_is_decided_again(desk: Desk) -> None:
    """Where the stored version is the one seen, and for ids that are no part of the plan, it is tried again."""
    made = desk.create(id="S")
    desk.instead = [Conflict(["S"]), Conflict(["other"])]
    assert desk.fire(made, "add").count == 1
    assert [one[0] for one in desk.asked] == ["commit", "get", "wait", "get", "commit", "wait", "get", "commit"]


def test_a_refusal_of_what_moved_is_stale(desk: Desk) -> None:
    """A record in hand that has moved meanwhile is stale, not refused; one that has not is refused."""
    made = desk.create(id="S")
    closed = desk.fire("S", "close")
    with pytest.raises(StaleRecord) as raised:
        desk.run(Fire(attrs.evolve(made, state="done"), "add", by=ANN))
    assert (raised.value.id, raised.value.seen, raised.value.stored) == ("S", 1, 2)
    with pytest.raises(TransitionRefused) as refused:
        desk.fire(closed, "add")
    assert (refused.value.id, refused.value.version, refused.value.trigger) == ("S", 2, "add")
    assert desk.asked == [("get", ["S"])]
    with pytest.raises(TransitionRefused):
        desk.fire("S", "add")
    assert desk.asked == [("get", ["S"])]
    strange = attrs.evolve(closed, id="gone")
    with pytest.raises(RecordNotFound):
        desk.fire(strange, "add")


def test_who_may_not_see_it_any_more_hears_nothing(desk: Desk) -> None:
    """A conflict about a record that its holder may no longer see is `RecordNotFound`."""
    made = desk.create(id="S")

    def hide() -> None:
        stored = desk.store._records["S"]
        desk.store._records["S"] = attrs.evolve(stored, unit="b", version=2)

    desk.instead = [hide]
    with pytest.raises(RecordNotFound) as raised:
        desk.fire(made, "add")
    assert raised.value.ids == ("S",)


# ---------------------------------------------------------------------------------------------------------------
# Keys


def test_a_key_gives_what_it_gave(desk: Desk) -> None:
    """The same command under its key is done once, whatever came after; its own steps on the record are in it."""
    made = desk.create(id="S", next="S")
    done = desk.fire("S", "push", key="k")
    assert (done.version, done.count) == (3, 1)
    desk.fire("S", "add")
    asked_before = len(desk.store.feed())
    assert desk.fire("S", "push", key="k") == done
    assert desk.asked == [("by_key", "ann", "k"), ("history", ["S"])]
    assert desk.fire(made, "push", key="k") == done
    assert len(desk.store.feed()) == asked_before
    assert desk.fire("S", "push", by=attrs.evolve(ANN, id="other"), key="k").version == 6


@pytest.mark.parametrize(
    "other",
    [
        Fire("S", "hand", Handing(to="U"), by=ANN, key="k", reason="r"),
        Fire("S", "hand", Handing(to="T"), by=ANN, key="k"),
        Fire("S", "add", by=ANN, key="k"),
        Fire("V", "hand", Handing(to="T"), by=ANN, key="k", reason="r"),
        Create(Slip.draft(), by=ANN, key="k"),
    ],
    ids=["details", "reason", "trigger", "record", "a creation"],
)
def test_a_key_is_one_command_s(desk: Desk, other: Any) -> None:
    """Under a key that was used, another command is refused with the record and the key."""
    desk.create(id="S")
    desk.create(id="V")
    desk.fire("S", "hand", Handing(to="T"), reason="r", key="k")
    with pytest.raises(DuplicateKey) as raised:
        desk.run(other)
    assert (raised.value.ids, raised.value.keys) == (("S",), ("k",))


def test_a_creation_s_key_is_its_draft_s(desk: Desk) -> None:
    """The same draft under the key gives the same record, whatever its id; another draft is refused."""
    made = desk.run(Create(Slip.draft(title="t"), by=ANN, key="k"))[0]
    assert desk.run(Create(Slip.draft(title="t"), by=ANN, key="k")) == [made]
    assert desk.run(Create(Slip.draft(title="t", unit="a"), by=ANN, key="k")) == [made]
    for draft in (Slip.draft(title="u"), Slip.draft(title="t", unit="z"), Record.draft(title="t", kind="slip")):
        with pytest.raises(DuplicateKey):
            desk.run(Create(draft, by=ANN, key="k"))
    with pytest.raises(RecordNotFound):
        desk.run(Create(Slip.draft(title="t"), by=attrs.evolve(ANN, unit="b"), key="k"))


def test_a_twin_that_was_faster_is_the_answer(desk: Desk) -> None:
    """Whether the store says that the key is used, or the version, the twin's outcome is this call's."""

    def twin() -> None:
        other = Desk()
        other.store = desk.store
        other.fire("S", "add", key="k")

    for in_hand in (True, False):
        desk.store = MemoryStore()
        made = desk.create(id="S")
        desk.instead = [twin]
        done = desk.fire(made if in_hand else "S", "add", key="k")
        assert (done.version, done.count, len(desk.store.history(["S"]))) == (2, 1, 2)


def test_a_key_of_another_command_is_looked_for_once(desk: Desk) -> None:
    """Where the key belongs to something else the store's error is raised, without going round."""
    desk.create(id="S")
    desk.instead = [DuplicateKey(["S"], ["k"])]
    with pytest.raises(DuplicateKey):
        desk.fire("S", "add", key="k")
    assert [one[0] for one in desk.asked] == ["by_key", "get", "commit", "by_key"]
    desk.instead = [DuplicateKey(["S"], ["k"])]
    with pytest.raises(DuplicateKey):
        desk.fire("S", "add")
    assert [one[0] for one in desk.asked] == ["get", "commit"]


# ---------------------------------------------------------------------------------------------------------------
# Steps


def test_a_step_has_its_cause(desk: Desk) -> None:
    """It is kept with the act, by the same actor and time, with its own reason and the act's entry as its cause."""
    desk.create(id="T")
    desk.create(id="S", next="T")
    desk.now = NOW + HOUR
    done = desk.fire("S", "push", reason="mine", key="k", at=NOW + HOUR / 2)
    assert [one[0] for one in desk.asked] == ["by_key", "get", "get", "commit"]
    step = desk.store.history(["T"])[-1]
    assert step == Entry(
        record_id="T",
        sequence=2,
        trigger="add",
        source="open",
        dest="open",
        actor=ANN,
        at=NOW + HOUR / 2,
        recorded_at=NOW + HOUR,
        reason="pushed",
        cause="S@2",
    )
    assert (done.id, done.version) == ("S", 2)
    assert desk.fire("S", "ask", reason="r").id == "S"
    assert desk.store.history(["T"])[-1].details == Handing(to="x")


def test_a_step_happens_when_its_record_was_there(desk: Desk) -> None:
    """Nothing happens to a record before its creation; what is entered never goes back before its cause."""
    desk.create(id="S", next="T")
    desk.now = NOW + HOUR
    desk.create(id="T")
    desk.fire("S", "push", at=NOW)
    assert desk.store.history(["T"])[-1].at == NOW + HOUR
    desk.now = NOW
    desk.fire("T", "hand", Handing(to="U"))
    desk.create(id="U")
    desk.fire("T", "push")
    assert desk.store.history(["U"])[-1].recorded_at == NOW + HOUR


def test_a_step_may_create(desk: Desk) -> None:
    """A draft without an id gets one, is created by the actor at the act's time, and named by the answer's cause."""
    made = desk.run(Create(Slip.draft(id="S", count=2), by=ANN, at=NOW - HOUR))[0]
    assert (made.id, made.count) == ("S", 2)
    entries = [one.entry for one in desk.store.feed()]
    assert [(one.record_id, one.trigger, one.at, one.cause, one.reason) for one in entries] == [
        ("S", "create", NOW - HOUR, None, ""),
        ("N0", "create", NOW - HOUR, "S@1", "copy"),
        ("N1", "create", NOW - HOUR, "N0@1", "copy"),
    ]


def test_a_step_names_its_target_in_any_way(desk: Desk) -> None:
    """By id, by the record itself, or by a draft, whose own id is kept."""
    target = desk.create(id="T")

    def then(before: Slip, entry: Entry) -> list[Step]:
        return [Step(target=target, trigger="add"), Step(target=Slip.draft(id="own"), trigger="create")]

    stepping = Desk(attrs.evolve(SLIPS, transitions=[*SLIPS.transitions, row("step", then=then)]))
    stepping.store = desk.store
    stepping.create(id="S")
    stepping.fire("S", "step")
    assert [(one.id, one.version) for one in desk.store.get(["T", "own"])] == [("T", 2), ("own", 1)]


def test_a_step_needs_no_role_but_sight(desk: Desk) -> None:
    """What nobody may do, a step may, on what the actor sees; `system` waives that."""
    desk.create(id="T")
    desk.create(id="S", next="T")
    desk.create(id="H", by=BEN)
    desk.create(id="R", next="H")
    assert desk.fire("S", "pull").version == 2
    assert desk.store.get(["T"])[0].version == 2
    with pytest.raises(RecordNotFound) as raised:
        desk.fire("R", "pull")
    assert raised.value.ids == ("H",)
    desk.fire("R", "force")
    assert desk.store.get(["H"])[0].version == 2


def test_steps_that_come_back_are_told_their_path(desk: Desk) -> None:
    """A circle, and a chain that is too long, are refused with every act on the way."""
    desk.create(id="A", next="B")
    desk.create(id="B", next="A")
    with pytest.raises(StepsUnbounded) as raised:
        desk.fire("A", "chain")
    assert (raised.value.id, raised.value.trigger) == ("A", "chain")
    assert raised.value.path == ("chain A", "chain B", "chain A")
    for number in range(DEPTH + 3):
        desk.create(id=f"L{number}", next=f"L{number + 1}" if number < DEPTH + 2 else "")
    with pytest.raises(StepsUnbounded) as raised:
        desk.fire("L0", "chain")
    assert raised.value.path == tuple(f"chain L{number}" for number in range(DEPTH + 2))
    assert raised.value.id == f"L{DEPTH + 1}"
    assert desk.fire("L2", "chain").version == 2
    assert DEPTH == 8


# ---------------------------------------------------------------------------------------------------------------
# Offers


def offered(desk: Desk, target: Any, by: Actor = ANN) -> dict[str, Any]:
    """The options by their triggers."""
    desk.asked.clear()
    return {one.trigger: one for one in desk.drive(offers.options(desk.handler, target, by))}


def test_an_offer_decides_its_steps(desk: Desk) -> None:
    """Acts that need no details are offered only where all their steps would be allowed; nothing is written."""
    desk.create(id="T")
    made = desk.create(id="S", next="T")
    found = offered(desk, made)
    assert list(found) == [one for one in SLIPS.triggers if one not in ("create", "raise")]
    assert {one for one, option in found.items() if option.allowed} == set(found) - {"boss_only", "told"}
    assert ("commit",) not in desk.asked
    assert offered(desk, "S") == found
    desk.fire("T", "close")
    found = offered(desk, "S")
    refusal = found["push"].refusals
    assert not found["push"].allowed
    assert [(one.code, one.params["state"]) for one in refusal] == [("state", "done")]
    assert found["add"].allowed
    assert found["ask"].refusals[0].code == "state"


def test_an_offer_says_what_cannot_be_seen(desk: Desk) -> None:
    """A step on a record that the actor may not see, or that is not there, is refused as `step` with its id."""
    desk.create(id="H", by=BEN)
    for id, target in (("S", "H"), ("R", "gone")):
        desk.create(id=id, next=target)
        option = offered(desk, id)["push"]
        params = {"lifecycle": "slip", "trigger": "push", "ids": (target,)}
        assert (option.allowed, option.refusals) == (False, (Refusal(code="step", params=params),))
    assert offered(desk, "S")["force"].allowed


def test_offers_are_for_stored_records_that_are_seen(desk: Desk) -> None:
    """A draft has no options; who may not see the record is told that there is none."""
    made = desk.create(id="S")
    assert problem(lambda: offered(desk, Slip.draft())) == ("target", "not_stored", {})
    for target in (made, "S"):
        with pytest.raises(RecordNotFound) as raised:
            offered(desk, target, BEN)
        assert raised.value.ids == ("S",)


def test_an_offer_is_of_this_moment(desk: Desk) -> None:
    """Guards see the clock's time, in an offer as in the steps that it decides."""
    seen: list[datetime] = []

    def watching(record: Slip, command: Any) -> bool:
        seen.append(command.now)
        return True

    watched = attrs.evolve(
        SLIPS,
        transitions=[
            *SLIPS.transitions,
            row("look", guards=[Guard(code="watching", test=watching)], then=_to_next("add"), reason_required=True),
        ],
    )
    desk = Desk(watched)
    desk.create(id="T")
    desk.create(id="S", next="T")
    desk.now = NOW + HOUR
    assert offered(desk, "S")["look"].allowed
    assert seen == [NOW + HOUR, NOW + HOUR]
