"""Which calls of the store each command makes: retries, deadlines, idempotency keys, steps, errors."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
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
    Change,
    Conflict,
    Constant,
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
    ReportFlow,
    StaleRecord,
    State,
    Step,
    StorageBusy,
    Transition,
    TransitionRefused,
    UnknownTrigger,
)
from reportflow.errors import StepsUnbounded
from tests.lifecycles import all_fields

NOW = datetime(2022, 6, 1, 12, tzinfo=UTC)
#: How many steps deep a command may go.
DEPTH = 8
HOUR = timedelta(hours=1)


@attrs.frozen(kw_only=True)
class Slip(Record):
    """A record that names the next one."""

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
        row("create", source=None, dest="open", then=_copies, accepts=all_fields(Slip)),
        row("raise", source=None, dest="open", roles={"boss"}, accepts=all_fields(Slip)),
        row("add", sets={"count": _more}),
        row("remark", on_conflict="commutes"),
        row("close", dest="done", on_conflict="stale"),
        row("hand", details=Handing, sets={"next": "to"}),
        row("push", then=_to_next("add", reason="pushed")),
        row("pull", then=_to_next("boss_only")),
        row("force", then=_to_next("add", system=True)),
        row("ask", then=_to_next("note_next", details=Handing(to="x")), reason_required=True),
        row("chain", then=_to_next("chain")),
        row("boss_only", roles=NOBODY, sets={"count": _more}),
        row("note_next", details=Handing, roles=NOBODY, sets={"next": "to"}),
        row("close_next", then=_to_next("close")),
        row("move", sets={"unit": Constant("b")}, hands_over=True),
    ],
)
ANN = Actor(id="ann", roles={"clerk"}, unit="a")
BEN = Actor(id="ben", roles={"clerk"}, unit="b")
BOSS = Actor(id="boss", roles={"boss"}, unit="c")


class RecordingStore(MemoryStore):
    """A memory store that records its calls, and where something can happen just before a commit."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, ...]] = []
        self.changes: list[Change] = []
        #: One for each of the next commits: an error to raise instead, or something to do before it.
        self.before_commit: list[Exception | Callable[[], object]] = []

    def get(self, ids: Sequence[str]) -> list[Record]:
        self.calls.append(("get", ids))
        return super().get(ids)

    def history(self, ids: Sequence[str]) -> list[Entry]:
        self.calls.append(("history", ids))
        return super().history(ids)

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        self.calls.append(("by_key", actor_id, key))
        return super().by_key(actor_id, key)

    def commit(self, changes: Sequence[Change]) -> None:
        self.calls.append(("commit",))
        if self.before_commit:
            first, *later = self.before_commit
            if isinstance(first, Exception):
                self.before_commit = later
                raise first
            calls, self.calls, self.before_commit = self.calls, [], []
            first()
            self.calls, self.before_commit = calls, later
        super().commit(changes)
        self.changes.extend(changes)


class Desk:
    """A flow over a recording store. `calls` are those of its last request, with each retry."""

    def __init__(self, lifecycle: Lifecycle = SLIPS, store: RecordingStore | None = None, **options: Any) -> None:
        self.now = NOW
        self.store = RecordingStore() if store is None else store
        ids = (f"N{number}" for number in range(100))
        given = {"clock": lambda: self.now, "new_id": lambda: next(ids), "observe": self.observe, **options}
        self.flow = ReportFlow(self.store, lifecycle, **given)

    def observe(self, incident: Any) -> None:
        """Record a retry among the calls."""
        if incident.kind == "retry":
            self.store.calls.append(("retry",))

    @property
    def calls(self) -> list[tuple[Any, ...]]:
        """The calls of the store."""
        return self.store.calls

    def run(self, *requests: Any) -> list[Any]:
        """Run some requests together."""
        self.store.calls.clear()
        return self.flow.batch(requests)

    def create(self, by: Actor = ANN, **fields: Any) -> Slip:
        """A new slip."""
        return cast(Slip, self.run(Create(Slip.draft(**fields), by=by))[0])

    def fire(self, target: Any, trigger: str, details: object = None, by: Actor = ANN, **given: Any) -> Slip:
        """One transition."""
        return cast(Slip, self.run(Fire(target, trigger, details, by=by, **given))[0])

    def concurrent(
        self, id: str, trigger: str = "add", by: Actor = ANN, key: str | None = None
    ) -> Callable[[], object]:
        """A transition by another flow on the same store."""
        return lambda: Desk(store=self.store).fire(id, trigger, by=by, key=key)


@pytest.fixture(name="desk")
def _desk() -> Desk:
    return Desk()


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The readings of the monotonic clock, the last one for ever."""
    times = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: times.pop(0) if len(times) > 1 else times[0])
    return times


def problem(call: Callable[[], object]) -> tuple[str, str, dict[str, object]]:
    """The field, the problem and all the facts with which something is refused."""
    with pytest.raises(InvalidValue) as raised:
        call()
    return raised.value.field, raised.value.problem, raised.value.details


# ---------------------------------------------------------------------------------------------------------------
# Calls of the store


def test_a_call_reads_once_and_writes_once(desk: Desk) -> None:
    """By id the record is read; a snapshot spares the read, unless the transition commutes. No other calls."""
    made = desk.create(id="S")
    assert desk.calls == [("commit",)]
    made = desk.fire("S", "add")
    assert desk.calls == [("get", ["S"]), ("commit",)]
    made = desk.fire(made, "add")
    assert desk.calls == [("commit",)]
    desk.fire(made, "remark")
    assert desk.calls == [("get", ["S"]), ("commit",)]
    desk.run(Fire("S", "add", by=ANN), Fire("S", "add", by=ANN))
    assert desk.calls == [("get", ["S"]), ("commit",)]
    assert desk.run() == []
    assert desk.calls == []


def test_a_change_names_what_it_replaces(desk: Desk) -> None:
    """A change has the next record, the version and the record before, and all the entries in between."""
    made = desk.create(id="S")
    desk.store.changes.clear()
    done = desk.run(Fire(made, "add", by=ANN), Fire("S", "add", by=ANN), Create(Slip.draft(id="T"), by=ANN))
    assert [(one.record, one.expected, one.before) for one in desk.store.changes] == [
        (done[1], made.seen, made),
        (done[2], None, None),
    ]
    assert [[entry.sequence for entry in one.entries] for one in desk.store.changes] == [[2, 3], [1]]
    assert [one.count for one in done] == [1, 2, 0]


def test_an_entry_holds_what_the_call_was_given(desk: Desk) -> None:
    """Trigger, details, reason, key and time of a call are in its entry; `recorded_at` is the clock's."""
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
        kind=SLIPS.name,
        lifecycle_version=SLIPS.version,
        digest=desk.flow.get("S", by=ANN).head,
    )


def test_an_id_is_generated_once(desk: Desk) -> None:
    """A draft without an id gets one, the same one at each retry; an id of its own stays."""
    desk.store.before_commit = [StorageBusy("u", "x"), StorageBusy("u", "x")]
    assert desk.create().id == "N0"
    assert desk.calls == [("commit",), ("retry",), ("commit",), ("retry",), ("commit",)]
    assert desk.create(id="mine").id == "mine"
    assert desk.create().id == "N1"


def test_an_invalid_request_is_refused_with_the_facts(desk: Desk) -> None:
    """Something that is no draft, a stored record in its place, and one id twice are `InvalidValue` with the facts."""
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


def test_the_creation_row_that_permits_the_actor_is_used(desk: Desk) -> None:
    """Of several creation rows the first that permits the actor is used; where none does, the first one refuses."""
    desk.create(id="S", by=BOSS)
    desk.create(id="T", by=ANN)
    assert [one.trigger for one in desk.store.history(["S", "T"])] == ["raise", "create"]
    with pytest.raises(TransitionRefused) as raised:
        desk.create(by=Actor(id="x", roles={"owner"}))
    assert raised.value.trigger == "create"


# ---------------------------------------------------------------------------------------------------------------
# Conflicts


@pytest.mark.parametrize("error", [Conflict(["S"]), StorageBusy("u", "locked")], ids=["conflict", "busy"])
def test_retries_end_at_the_deadline(desk: Desk, clock: list[float], error: Exception) -> None:
    """A command is retried until `retry_timeout` seconds have passed; then the error is raised.

    After a conflict there is one more try, however long the first took; who waited for a lock has waited enough.
    """
    desk.create(id="S")
    clock[:] = [100.0, 104.0, 105.0, 105.1]
    desk.store.before_commit = [error] * 9
    with pytest.raises(type(error)):
        desk.fire("S", "add")
    assert [one[0] for one in desk.calls] == ["get", "commit", "retry", "get", "commit", "retry", "get", "commit"]
    assert len(desk.store.before_commit) == 6
    brief = Desk(retry_timeout=0.5)
    brief.create(id="S")
    clock[:] = [100.0, 100.6, 100.7]
    brief.store.before_commit = [error] * 2
    with pytest.raises(type(error)):
        brief.fire("S", "add")
    clock[:] = [100.0, 900.0]
    brief.store.before_commit = [error]
    if isinstance(error, StorageBusy):
        with pytest.raises(StorageBusy):
            brief.fire("S", "add")
    else:
        assert brief.fire("S", "add").count == 1


def test_retries_back_off_exponentially_with_jitter(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before each retry it sleeps for a random time up to a bound that doubles, and that is 2 ms at the most."""
    bounds: list[tuple[float, ...]] = []
    slept: list[float] = []

    def uniform(*ends: float) -> float:
        bounds.append(ends)
        return len(bounds) / 1000

    monkeypatch.setattr(random, "uniform", uniform)
    monkeypatch.setattr(time, "sleep", slept.append)
    desk.store.before_commit = [StorageBusy("u", "x")] * 5
    desk.create(id="S")
    assert bounds == [(0, bound) for bound in (0.001, 0.002, 0.002, 0.002, 0.002)]
    assert slept == [0.001, 0.002, 0.003, 0.004, 0.005]


def test_a_conflict_by_id_is_retried(desk: Desk) -> None:
    """By id, a command is decided again on what another writer has stored."""
    desk.create(id="S")
    desk.store.before_commit = [desk.concurrent("S")]
    assert (desk.fire("S", "add").count, desk.store.get(["S"])[0].version) == (2, 3)


@pytest.mark.parametrize("how", ["snapshot", "version"])
def test_a_conflict_about_an_expected_version_is_stale(desk: Desk, how: str) -> None:
    """A caller who named a version gets `StaleRecord` with the stored version, without a retry."""
    made = desk.create(id="S")
    desk.store.before_commit = [desk.concurrent("S")]
    with pytest.raises(StaleRecord) as raised:
        desk.fire(made if how == "snapshot" else "S", "add", version=1)
    assert (raised.value.id, raised.value.seen, raised.value.stored) == ("S", 1, 2)
    assert ("retry",) not in desk.calls
    with pytest.raises(StaleRecord) as raised:
        desk.fire("S", "add", version=1)
    assert (raised.value.id, raised.value.seen, raised.value.stored) == ("S", 1, 2)


def test_a_conflict_in_a_batch_names_the_record_that_changed(desk: Desk) -> None:
    """In a batch of several actors, `StaleRecord` names the record that changed, which its actor may see."""
    desk.create(id="S")
    desk.create(id="T", by=BEN)
    desk.store.before_commit = [desk.concurrent("T", by=BEN)]
    with pytest.raises(StaleRecord) as raised:
        desk.run(Fire("S", "add", by=ANN, version=1), Fire("T", "add", by=BEN, version=1))
    assert (raised.value.id, raised.value.seen, raised.value.stored) == ("T", 1, 2)


def test_a_transition_with_on_conflict_stale_is_never_retried(desk: Desk) -> None:
    """Neither by id nor as a step of another transition: the conflict is `StaleRecord`."""
    desk.create(id="S", next="T")
    desk.create(id="T")
    for trigger, id, target in (("close", "S", "S"), ("close_next", "S", "T")):
        desk.store.before_commit = [desk.concurrent(target)]
        seen = desk.store.get([target])[0].version
        with pytest.raises(StaleRecord) as raised:
            desk.fire(id, trigger)
        assert (raised.value.id, raised.value.seen, raised.value.stored) == (target, seen, seen + 1)


def test_a_commuting_transition_ignores_the_version_seen(desk: Desk) -> None:
    """A transition with ``on_conflict="commutes"`` is decided on what is stored, whatever version the caller saw."""
    made = desk.create(id="S")
    desk.store.before_commit = [desk.concurrent("S")]
    assert desk.fire(made, "remark").version == 3
    desk.fire("S", "add")
    assert desk.fire("S", "remark", version=1).version == 5


def test_a_conflict_without_a_changed_version_is_retried(desk: Desk) -> None:
    """Where the stored version is the expected one, or the conflict names an id of no request, it is retried."""
    made = desk.create(id="S")
    desk.store.before_commit = [Conflict(["S"]), Conflict(["other"])]
    assert desk.fire(made, "add").count == 1
    assert [one[0] for one in desk.calls] == ["commit", "get", "retry", "get", "commit", "retry", "get", "commit"]


def test_a_refusal_of_an_outdated_snapshot_is_stale(desk: Desk) -> None:
    """A refused snapshot that is no longer current is `StaleRecord`; a current one is refused."""
    made = desk.create(id="S")
    closed = desk.fire("S", "close")
    with pytest.raises(StaleRecord) as raised:
        desk.run(Fire(attrs.evolve(made, state="done"), "add", by=ANN))
    assert (raised.value.id, raised.value.seen, raised.value.stored) == ("S", 1, 2)
    with pytest.raises(TransitionRefused) as refused:
        desk.fire(closed, "add")
    assert (refused.value.id, refused.value.version, refused.value.trigger) == ("S", 2, "add")
    assert desk.calls == [("get", ["S"])]
    with pytest.raises(TransitionRefused):
        desk.fire("S", "add")
    assert desk.calls == [("get", ["S"])]
    strange = attrs.evolve(closed, id="gone")
    with pytest.raises(RecordNotFound):
        desk.fire(strange, "add")


def test_a_conflict_about_a_record_that_became_invisible_is_not_found(desk: Desk) -> None:
    """A conflict about a record that the caller may no longer see is `RecordNotFound`."""
    made = desk.create(id="S")

    desk.store.before_commit = [desk.concurrent("S", "move")]
    with pytest.raises(RecordNotFound) as raised:
        desk.fire(made, "add")
    assert raised.value.ids == ("S",)


# ---------------------------------------------------------------------------------------------------------------
# Keys


def test_a_used_key_is_an_idempotent_replay(desk: Desk) -> None:
    """The same command with its key is done once; later calls return its result, with its steps on the record."""
    made = desk.create(id="S", next="S")
    done = desk.fire("S", "push", key="k")
    assert (done.version, done.count) == (3, 1)
    desk.fire("S", "add")
    asked_before = len(desk.store.feed())
    assert desk.fire("S", "push", key="k") == done
    assert desk.calls == [("by_key", "ann", "k"), ("history", ["S"])]
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
def test_a_key_belongs_to_one_command(desk: Desk, other: Any) -> None:
    """Another command with a used key is `DuplicateKey`, with the record and the key."""
    desk.create(id="S")
    desk.create(id="V")
    desk.fire("S", "hand", Handing(to="T"), reason="r", key="k")
    with pytest.raises(DuplicateKey) as raised:
        desk.run(other)
    assert (raised.value.ids, raised.value.keys) == (("S",), ("k",))


def test_the_key_of_a_creation_belongs_to_its_draft(desk: Desk) -> None:
    """The same draft with the key gives the same record, whatever its id; another draft is refused."""
    made = desk.run(Create(Slip.draft(title="t"), by=ANN, key="k"))[0]
    assert desk.run(Create(Slip.draft(title="t"), by=ANN, key="k")) == [made]
    assert desk.run(Create(Slip.draft(title="t", unit="a"), by=ANN, key="k")) == [made]
    for draft in (Slip.draft(title="u"), Slip.draft(title="t", unit="z"), Record.draft(title="t", kind="slip")):
        with pytest.raises(DuplicateKey):
            desk.run(Create(draft, by=ANN, key="k"))
    with pytest.raises(RecordNotFound):
        desk.run(Create(Slip.draft(title="t"), by=attrs.evolve(ANN, unit="b"), key="k"))


def test_a_concurrent_duplicate_gives_the_result() -> None:
    """If the same request with the same key was committed concurrently, its result is returned."""
    for by_snapshot in (True, False):
        desk = Desk()
        made = desk.create(id="S")
        desk.store.before_commit = [desk.concurrent("S", key="k")]
        done = desk.fire(made if by_snapshot else "S", "add", key="k")
        assert (done.version, done.count, len(desk.store.history(["S"]))) == (2, 1, 2)


def test_a_duplicate_key_of_another_command_is_raised(desk: Desk) -> None:
    """If no entry has the key, the store's `DuplicateKey` is raised without a retry."""
    desk.create(id="S")
    desk.store.before_commit = [DuplicateKey(["S"], ["k"])]
    with pytest.raises(DuplicateKey):
        desk.fire("S", "add", key="k")
    assert [one[0] for one in desk.calls] == ["by_key", "get", "commit", "by_key"]
    desk.store.before_commit = [DuplicateKey(["S"], ["k"])]
    with pytest.raises(DuplicateKey):
        desk.fire("S", "add")
    assert [one[0] for one in desk.calls] == ["get", "commit"]


# ---------------------------------------------------------------------------------------------------------------
# Steps


def test_a_step_has_its_cause(desk: Desk) -> None:
    """A step is committed with its command: same actor and time, its own reason, the command's entry as its cause."""
    desk.create(id="T")
    desk.create(id="S", next="T")
    desk.now = NOW + HOUR
    done = desk.fire("S", "push", reason="mine", key="k", at=NOW + HOUR / 2)
    assert [one[0] for one in desk.calls] == ["by_key", "get", "get", "commit"]
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
        kind=SLIPS.name,
        lifecycle_version=SLIPS.version,
        digest=desk.flow.get("T", by=ANN).head,
    )
    assert (done.id, done.version) == ("S", 2)
    assert desk.fire("S", "ask", reason="r").id == "S"
    assert desk.store.history(["T"])[-1].details == Handing(to="x")


def test_a_step_is_not_before_its_record(desk: Desk) -> None:
    """A step happens with its cause, but no earlier than its record's creation."""
    desk.create(id="S", next="T")
    desk.now = NOW + HOUR
    desk.create(id="T")
    desk.fire("S", "push", at=NOW)
    assert desk.store.history(["T"])[-1].at == NOW + HOUR


def test_a_clock_that_was_ahead_poisons_nothing(desk: Desk) -> None:
    """After a time when the clock was ahead, what happens has the right time again, also by a step and in its record.

    `recorded_at` alone waits for the clock, in the record that was written then and in no other.
    """
    desk.now = NOW + 10_000 * HOUR
    desk.create(id="S", next="T")
    desk.fire("S", "add")
    desk.now = NOW
    desk.create(id="T", next="S")
    desk.fire("S", "push")
    desk.fire("T", "push")
    late = desk.fire("S", "add", at=NOW)
    assert late.updated_at == NOW + 10_000 * HOUR
    assert [entry.at for entry in desk.store.history(["S"])[2:]] == [NOW, NOW, NOW]
    assert {(entry.at, entry.recorded_at) for entry in desk.store.history(["T"])} == {(NOW, NOW)}


def test_the_flow_s_tolerance_counts(desk: Desk) -> None:
    """A flow says by how much its callers' clocks may differ."""
    desk.create(id="S")
    for flow, seconds in ((desk.flow, 5), (ReportFlow(desk.store, SLIPS, clock=lambda: NOW, clock_tolerance=60), 60)):
        flow.fire("S", "add", by=ANN, at=NOW + timedelta(seconds=seconds))
        with pytest.raises(InvalidValue):
            flow.fire("S", "add", by=ANN, at=NOW + timedelta(seconds=seconds + 1))


def test_a_step_may_create(desk: Desk) -> None:
    """A step's draft gets an id, and is created by the command's actor at its time, with its entry as the cause."""
    made = desk.run(Create(Slip.draft(id="S", count=2), by=ANN, at=NOW - HOUR))[0]
    assert (made.id, made.count) == ("S", 2)
    entries = [one.entry for one in desk.store.feed()]
    assert [(one.record_id, one.trigger, one.at, one.cause, one.reason) for one in entries] == [
        ("S", "create", NOW - HOUR, None, ""),
        ("N0", "create", NOW - HOUR, "S@1", "copy"),
        ("N1", "create", NOW - HOUR, "N0@1", "copy"),
    ]


def test_the_target_of_a_step_is_an_id_a_record_or_a_draft(desk: Desk) -> None:
    """A step takes an id, a record or a draft, whose own id is kept."""
    target = desk.create(id="T")

    def then(before: Slip, entry: Entry) -> list[Step]:
        return [Step(target=target, trigger="add"), Step(target=Slip.draft(id="own"), trigger="create")]

    stepping = Desk(attrs.evolve(SLIPS, transitions=[*SLIPS.transitions, row("step", then=then)]), desk.store)
    stepping.create(id="S")
    stepping.fire("S", "step")
    assert [(one.id, one.version) for one in desk.store.get(["T", "own"])] == [("T", 2), ("own", 1)]


def test_a_step_needs_visibility_and_no_role(desk: Desk) -> None:
    """A step may fire a row of `NOBODY` on a record that the actor sees; ``system=True`` waives visibility."""
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


def test_a_cycle_of_steps_is_refused_with_its_path(desk: Desk) -> None:
    """A cycle and a chain of more than 8 steps are `StepsUnbounded` with each transition of the path."""
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


# ---------------------------------------------------------------------------------------------------------------
# Offers


def offered(desk: Desk, target: Any, by: Actor = ANN) -> dict[str, Any]:
    """The options by their triggers."""
    desk.calls.clear()
    return {one.trigger: one for one in desk.flow.options(target, by=by)}


def test_an_offer_decides_its_steps(desk: Desk) -> None:
    """A transition without details is offered only if all its steps are allowed; nothing is written."""
    desk.create(id="T")
    made = desk.create(id="S", next="T")
    found = offered(desk, made)
    assert list(found) == [one for one in SLIPS.triggers if one not in ("create", "raise")]
    assert {one for one, option in found.items() if option.allowed} == set(found) - {"boss_only", "note_next"}
    assert ("commit",) not in desk.calls
    assert offered(desk, "S") == found
    desk.fire("T", "close")
    found = offered(desk, "S")
    refusal = found["push"].refusals
    assert not found["push"].allowed
    assert [(one.code, one.params["state"]) for one in refusal] == [("state", "done")]
    assert found["add"].allowed
    assert found["ask"].refusals[0].code == "state"


def test_an_offer_names_the_step_target_that_is_not_visible(desk: Desk) -> None:
    """A step on a record that is missing or not visible is the refusal `step` with its id."""
    desk.create(id="H", by=BEN)
    for id, target in (("S", "H"), ("R", "gone")):
        desk.create(id=id, next=target)
        option = offered(desk, id)["push"]
        params = {"lifecycle": "slip", "trigger": "push", "ids": (target,)}
        assert (option.allowed, option.refusals) == (False, (Refusal(code="step", params=params),))
    assert offered(desk, "S")["force"].allowed


def test_offers_need_a_stored_visible_record(desk: Desk) -> None:
    """A draft is `InvalidValue`; a record that the actor may not see is `RecordNotFound`."""
    made = desk.create(id="S")
    assert problem(lambda: offered(desk, Slip.draft())) == ("target", "not_stored", {})
    for target in (made, "S"):
        with pytest.raises(RecordNotFound) as raised:
            offered(desk, target, BEN)
        assert raised.value.ids == ("S",)


def test_an_offer_is_judged_at_the_time_of_the_clock(desk: Desk) -> None:
    """Guards get the clock's time, in an offer and in the steps that it decides."""
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
