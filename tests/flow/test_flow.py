"""The calls of a flow: what they promise beyond the decision of one command."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

from reportflow import (
    ANY,
    EVERYBODY,
    NOBODY,
    SAME,
    UNIT,
    Actor,
    Change,
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
    Query,
    Record,
    RecordNotFound,
    Refusal,
    ReportFlow,
    ReportflowError,
    SqlStore,
    StaleRecord,
    State,
    Step,
    Store,
    Transition,
    TransitionRefused,
    UnknownLifecycle,
    UnknownTrigger,
    open_flow,
    replay,
)
from reportflow.errors import RuleFailed, StepsUnbounded
from reportflow.office import REPORT, Author, Report, Revision
from tests.lifecycles import all_fields
from tests.many import fires


@attrs.frozen(kw_only=True)
class Parcel(Record):
    count: int = 0
    note: str = ""


@attrs.frozen(kw_only=True)
class Pebble(Record):
    """A record class without a lifecycle."""


@attrs.frozen(kw_only=True)
class Label(Details):
    text: str
    target: str | None = None


def _more(before: Parcel, entry: Entry) -> int:
    return before.count + 1


def _child(before: Parcel, entry: Entry) -> list[Step]:
    """As many descendants as the count says, each the step of the one before."""
    if before.count <= 0:
        return []
    return [Step(target=Parcel.draft(title="child", count=before.count - 1, parent=before.id), trigger="create")]


def _other(trigger: str, *, system: bool = False) -> Callable[[Parcel, Entry], list[Step]]:
    def then(before: Parcel, entry: Entry) -> list[Step]:
        assert isinstance(entry.details, Label)
        label = Label(text="back", target=before.id)
        return [Step(target=entry.details.target or before.id, trigger=trigger, details=label, system=system)]

    return then


def make(*rows: Transition, version: int = 1, name: str = "parcel") -> Lifecycle:
    """The lifecycle of parcels, with further rows."""
    return Lifecycle(
        name=name,
        version=version,
        record=Parcel,
        roles={"packer": UNIT, "boss": ANY},
        states=[State("open"), State("sealed", final=True)],
        transitions=[
            Transition(
                "create", source=None, dest="open", roles={"packer", "boss"}, then=_child, accepts=all_fields(Parcel)
            ),
            Transition("add", source={"open", "sealed"}, dest=SAME, roles={"packer"}, sets={"count": _more}),
            Transition("label", source="open", dest=SAME, roles={"packer"}, details=Label, sets={"note": "text"}),
            Transition("seal", source="open", dest="sealed", roles={"packer"}, on_conflict="stale"),
            Transition("remark", source={"open", "sealed"}, dest=SAME, roles=EVERYBODY, on_conflict="commutes"),
            Transition("drop", source="open", dest="sealed", roles={"boss"}, reason_required=True),
            *rows,
        ],
    )


PARCEL = make(
    Transition("knock", source="open", dest=SAME, roles={"packer"}, details=Label, then=_other("jolt")),
    Transition("push", source="open", dest=SAME, roles={"packer"}, details=Label, then=_other("jolt", system=True)),
    Transition("jolt", source="open", dest=SAME, roles=NOBODY, details=Label, sets={"note": "text"}),
    Transition("ping", source="open", dest=SAME, roles={"packer"}, details=Label, then=_other("pong")),
    Transition("pong", source="open", dest=SAME, roles={"packer"}, details=Label, then=_other("ping")),
)
ANN = Actor(id="ann", roles={"packer"}, unit="a")
BEN = Actor(id="ben", roles={"packer"}, unit="b")
BOSS = Actor(id="boss", roles={"boss"}, unit="a")


class Watched:
    """A store that counts its commits; `before_commit` runs once, just before the next one."""

    def __init__(self, store: Store) -> None:
        self.inner = store
        self.commits = 0
        self.before_commit: Callable[[], object] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def commit(self, changes: list[Change]) -> None:
        before_commit, self.before_commit = self.before_commit, None
        if before_commit is not None:
            before_commit()
        self.inner.commit(changes)
        self.commits += 1


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watched]:
    """Each store that ships, inside a `Watched`."""
    inner = MemoryStore() if request.param == "memory" else SqlStore(f"sqlite:///{tmp_path / 'office.db'}")
    yield Watched(inner)
    inner.close()


def flow_on(store: object, lifecycles: Lifecycle | Iterable[Lifecycle] = PARCEL, **options: Any) -> ReportFlow:
    """A flow on a watched store."""
    return ReportFlow(cast(Store, store), lifecycles, **options)


@pytest.fixture
def flow(store: Watched) -> ReportFlow:
    """A flow of parcels."""
    return flow_on(store)


def parcel(flow: ReportFlow, by: Actor = ANN, **fields: Any) -> Parcel:
    """A new parcel."""
    return flow.create(Parcel.draft(title="parcel", **fields), by=by)


def everything(store: Watched) -> object:
    """Everything that a store returns: entries and records."""
    items = store.feed(limit=1000)
    ids = sorted({one.entry.record_id for one in items})
    return [one.entry for one in items], store.get(ids)


def codes(refused: TransitionRefused) -> list[str]:
    """The codes of the refusals."""
    return [refusal.code for refusal in refused.refusals if isinstance(refusal, Refusal)]


# ---------------------------------------------------------------------------------------------------------------
# Calls


def test_each_call_names_the_actor() -> None:
    """Each call has its fixed parameters, and `by` is keyword-only and required."""
    expected = {
        "create": ["draft", "by", "at", "key"],
        "fire": ["target", "trigger", "details", "by", "reason", "at", "key", "version"],
        "options": ["target", "by"],
        "get": ["id", "by", "type"],
        "find": ["query", "by"],
        "inbox": ["by"],
        "count": ["query", "by", "of", "group"],
        "history": ["id", "by"],
        "as_of": ["id", "by", "version", "time", "type"],
    }
    assert [*inspect.signature(ReportFlow.run).parameters][:4] == ["self", "requests", "on_error", "progress"]
    for name, parameters in expected.items():
        found = inspect.signature(getattr(ReportFlow, name)).parameters
        assert [one for one in found if one in parameters] == parameters
        assert found["by"].kind is inspect.Parameter.KEYWORD_ONLY
        assert found["by"].default is inspect.Parameter.empty


def test_a_creation_sets_the_fields_of_the_flow(flow: ReportFlow) -> None:
    """A created record has an id, kind, state, version 1, its creator, the creator's unit and the time."""
    made = parcel(flow)
    assert (made.kind, made.state, made.version, made.lifecycle_version) == ("parcel", "open", 1, 1)
    assert (made.created_by, made.unit) == ("ann", "a")
    assert made.created_at == made.updated_at
    assert len(made.id) == 36
    assert flow.get(made.id, by=ANN) == made == replay(flow.history(made.id, by=ANN), PARCEL)


def test_a_host_provides_clock_and_ids(store: Watched) -> None:
    """`clock` gives the times and `new_id` the ids; a taken id is `AlreadyExists`."""
    now = datetime(2022, 5, 1, tzinfo=UTC)
    flow = flow_on(store, clock=lambda: now, new_id=lambda: "P-1")
    made = parcel(flow)
    assert (made.id, made.created_at) == ("P-1", now)
    with pytest.raises(ReportflowError) as raised:
        parcel(flow)
    assert raised.value.code == "already_exists"


def test_a_draft_may_bring_its_id(flow: ReportFlow) -> None:
    """A draft's own id is kept."""
    assert parcel(flow, id="mine").id == "mine"


def test_fire_takes_a_record_or_an_id(flow: ReportFlow) -> None:
    """`fire` takes a record, or its id with or without the version seen."""
    made = parcel(flow)
    one = flow.fire(made, "add", by=ANN)
    two = flow.fire(made.id, "add", by=ANN, version=one.version, type=Parcel)
    assert (one.count, two.count, two.version) == (1, 2, 3)


def test_a_flow_closes_its_store(tmp_path: Path) -> None:
    """A flow is a context manager; closing it twice is allowed."""
    with open_flow("memory:") as flow:
        assert flow.lifecycles == (REPORT,)
        flow.close()


def test_invalid_arguments_name_their_field(flow: ReportFlow) -> None:
    """Each kind of invalid argument is `InvalidValue` with its field, and nothing is written."""
    made = parcel(flow)
    wrong: list[tuple[str, Callable[[], object]]] = [
        ("at", lambda: flow.fire(made, "add", by=ANN, at=datetime(2022, 1, 1))),
        ("by", lambda: flow.fire(made, "add", by=cast(Actor, "ann"))),
        ("by", lambda: flow.get(made.id, by=cast(Actor, None))),
        ("id", lambda: flow.fire(cast(str, 7), "add", by=ANN)),
        ("id", lambda: flow.get(cast(str, None), by=ANN)),
        ("target", lambda: flow.fire(Parcel.draft(title="x"), "add", by=ANN)),
        ("target", lambda: flow.options(Parcel.draft(title="x"), by=ANN)),
        ("draft", lambda: flow.create(made, by=ANN)),
        ("draft", lambda: flow.create(cast(Record, {"title": "x"}), by=ANN)),
        ("key", lambda: flow.fire(made, "add", by=ANN, key=" ")),
        ("key", lambda: flow.fire(made, "add", by=ANN, key="a\0b")),
        ("reason", lambda: flow.fire(made, "add", by=ANN, reason="\ud800")),
        ("version", lambda: flow.fire(made, "add", by=ANN, version=9)),
        ("as_of", lambda: flow.as_of(made.id, by=ANN)),
        ("as_of", lambda: flow.as_of(made.id, by=ANN, version=1, time=made.created_at)),
        ("version", lambda: flow.as_of(made.id, by=ANN, version=2)),
        ("time", lambda: flow.as_of(made.id, by=ANN, time=datetime(2022, 1, 1))),
        ("time", lambda: flow.as_of(made.id, by=ANN, time=datetime(2000, 1, 1, tzinfo=UTC))),
        ("group", lambda: flow.count(Query(), by=ANN, group="colour")),
        ("cursor", lambda: flow.find(Query(cursor="nonsense"), by=ANN)),
    ]
    for field, call in wrong:
        with pytest.raises(InvalidValue) as raised:
            call()
        assert raised.value.field == field
    assert flow.get(made.id, by=ANN) == made


def test_an_unknown_trigger_names_the_known_ones(flow: ReportFlow) -> None:
    """A mistyped trigger is `UnknownTrigger` with the known triggers, the most similar first."""
    with pytest.raises(UnknownTrigger) as raised:
        flow.fire(parcel(flow), "seel", by=ANN)
    assert raised.value.triggers[0] == "seal"
    assert set(raised.value.triggers) == set(PARCEL.triggers)


def test_wrong_details_are_refused(flow: ReportFlow) -> None:
    """Missing details, details of another class, and details where none are taken are the refusal `details`."""
    made = parcel(flow)
    for trigger, details in (("label", None), ("label", Revision(text="x")), ("label", "x"), ("add", Label(text="x"))):
        with pytest.raises(TransitionRefused) as refused:
            flow.fire(made, trigger, details, by=ANN)
        assert codes(refused.value) == ["details"]


def test_all_refusals_come_at_once(flow: ReportFlow) -> None:
    """Role, details and reason are refused together, each once, in English and Chinese."""
    with pytest.raises(TransitionRefused) as refused:
        flow.fire(parcel(flow), "drop", Label(text="x"), by=ANN)
    assert codes(refused.value) == ["role", "details", "reason"]
    for refusal in refused.value.refusals:
        assert refusal.message in str(refused.value)
        assert refusal.text("zh") in refused.value.message("zh")


# ---------------------------------------------------------------------------------------------------------------
# Batches


def test_a_batch_is_one_commit(store: Watched, flow: ReportFlow) -> None:
    """Creations and transitions, also several of one record, are decided in order and committed at once."""
    seen = parcel(flow)
    before = store.commits
    results = flow.batch(
        [
            Fire(seen, "add", by=ANN),
            Fire(seen, "add", by=ANN),
            Create(Parcel.draft(id="new", title="new"), by=ANN),
            Fire("new", "add", by=ANN),
            Fire(seen.id, "seal", by=ANN),
        ]
    )
    assert store.commits == before + 1
    assert [(one.version, one.state) for one in results] == [
        (2, "open"),
        (3, "open"),
        (1, "open"),
        (2, "open"),
        (4, "sealed"),
    ]
    for last in results[3:]:
        assert flow.get(last.id, by=ANN) == last == replay(flow.history(last.id, by=ANN), PARCEL)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_batch_is_all_or_nothing(store: Watched, flow: ReportFlow, place: int) -> None:
    """If one request of a batch is refused, wherever it stands, nothing is written."""
    made = parcel(flow)
    requests: list[Create | Fire] = [Fire(made.id, "add", by=ANN), Create(Parcel.draft(title="new"), by=ANN)]
    requests.insert(place, Fire(made.id, "drop", by=ANN))
    before = everything(store)
    with pytest.raises(TransitionRefused):
        flow.batch(requests)
    assert everything(store) == before


def test_an_empty_batch_does_nothing(store: Watched, flow: ReportFlow) -> None:
    """No requests: no results and no commit."""
    assert flow.batch([]) == []
    assert store.commits == 0


def test_a_batch_decides_each_on_what_came_before(flow: ReportFlow) -> None:
    """A later request of a batch is refused for the state that an earlier one led to."""
    made = parcel(flow)
    with pytest.raises(TransitionRefused) as refused:
        flow.batch([Fire(made, "seal", by=ANN), Fire(made, "seal", by=ANN)])
    assert codes(refused.value) == ["state"]
    assert flow.get(made.id, by=ANN) == made


def test_a_commuting_request_does_not_lend_its_snapshot_to_later_ones(flow: ReportFlow) -> None:
    """After a commuting request with an old snapshot, later requests of a batch are decided on what is stored."""
    old = parcel(flow)
    flow.fire(old, "add", by=ANN)
    results = flow.batch([Fire(old, "remark", by=ANN), Fire(old.id, "seal", by=ANN)])
    assert [(one.version, one.state) for one in results] == [(3, "open"), (4, "sealed")]
    other = parcel(flow)
    flow.fire(other.id, "add", by=ANN)
    with pytest.raises(StaleRecord):
        flow.batch([Fire(other, "add", by=ANN), Fire(other.id, "seal", by=ANN)])


def test_an_id_twice_in_a_batch_is_refused(store: Watched, flow: ReportFlow) -> None:
    """Two creations under one id are `InvalidValue`, and neither is written."""
    draft = Parcel.draft(id="one", title="x")
    with pytest.raises(InvalidValue):
        flow.batch([Create(draft, by=ANN), Create(draft, by=ANN)])
    assert store.feed() == []


# ---------------------------------------------------------------------------------------------------------------
# Keys


def test_the_same_command_with_its_key_is_done_once(store: Watched, flow: ReportFlow) -> None:
    """The same command with a used key gives the record of then, though the record has changed since."""
    made = parcel(flow)
    label = Label(text="x")
    first = flow.fire(made, "label", label, by=ANN, key="k")
    flow.fire(made.id, "seal", by=ANN)
    before = everything(store)
    assert flow.fire(made, "label", label, by=ANN, key="k") == first
    assert flow.fire(made.id, "label", label, by=ANN, key="k") == first
    assert everything(store) == before


def test_a_creation_with_its_key_is_done_once(store: Watched, flow: ReportFlow) -> None:
    """A draft created again under its key gives the same record, with the same id; another draft is refused."""
    first = flow.create(Parcel.draft(title="x"), by=ANN, key="k")
    assert flow.create(Parcel.draft(title="x"), by=ANN, key="k") == first
    for other in (Parcel.draft(title="y"), Parcel.draft(title="x", count=1)):
        with pytest.raises(DuplicateKey) as raised:
            flow.create(other, by=ANN, key="k")
        assert (raised.value.ids, raised.value.keys) == ((first.id,), ("k",))
    assert len(store.feed()) == 1


def test_another_command_with_a_used_key_is_refused(store: Watched, flow: ReportFlow) -> None:
    """Another trigger, record, reason or details under a used key is `DuplicateKey`, and nothing is written."""
    made, other = parcel(flow), parcel(flow)
    flow.fire(made, "label", Label(text="x"), by=ANN, key="k")
    before = everything(store)
    calls: list[Callable[[], object]] = [
        lambda: flow.fire(made.id, "label", Label(text="y"), by=ANN, key="k"),
        lambda: flow.fire(made.id, "label", Label(text="x"), by=ANN, reason="other", key="k"),
        lambda: flow.fire(made.id, "add", by=ANN, key="k"),
        lambda: flow.fire(other, "label", Label(text="x"), by=ANN, key="k"),
        lambda: flow.create(Parcel.draft(title="x"), by=ANN, key="k"),
    ]
    for call in calls:
        with pytest.raises(DuplicateKey) as raised:
            call()
        assert raised.value.keys == ("k",)
    assert everything(store) == before


def test_keys_are_unique_for_an_actor(flow: ReportFlow) -> None:
    """Two actors may use the same key."""
    made = parcel(flow)
    flow.fire(made, "add", by=ANN, key="k")
    ann_too = Actor(id="ann2", roles={"packer"}, unit="a")
    assert flow.fire(made.id, "add", by=ann_too, key="k", type=Parcel).count == 2


def test_a_concurrent_duplicate_is_found_by_snapshot_and_after_later_changes(store: Watched, flow: ReportFlow) -> None:
    """Its result is returned for a snapshot too, and where the record has changed so that the command is refused."""
    made = parcel(flow)
    duplicate = flow_on(store)
    store.before_commit = lambda: duplicate.fire(made, "add", by=ANN, key="k")
    added = flow.fire(made, "add", by=ANN, key="k")
    assert (added.count, added.version) == (1, made.version + 1)
    store.before_commit = lambda: duplicate.fire(added, "add", by=ANN)
    with pytest.raises(StaleRecord):
        flow.fire(added, "add", by=ANN, key="another")
    store.before_commit = lambda: duplicate.fire(added.id, "seal", by=ANN, key="s")
    assert flow.fire(flow.get(added.id, by=ANN), "seal", by=ANN, key="s").state == "sealed"


def test_a_replay_includes_the_steps_on_the_record(flow: ReportFlow) -> None:
    """The record of an idempotent replay includes the steps of the command on the record itself."""
    made = parcel(flow)
    done = flow.fire(made, "knock", Label(text="x"), by=ANN, key="k")
    flow.fire(made.id, "add", by=ANN)
    assert flow.fire(made, "knock", Label(text="x"), by=ANN, key="k") == done


def test_a_concurrent_duplicate_is_found(store: Watched, flow: ReportFlow) -> None:
    """When the same command with the same key was committed just before, its record is returned; it is done once."""
    made = parcel(flow)
    duplicate = flow_on(store)
    store.before_commit = lambda: duplicate.fire(made.id, "add", by=ANN, key="k")
    assert flow.fire(made.id, "add", by=ANN, key="k", type=Parcel).count == 1
    store.before_commit = lambda: duplicate.create(Parcel.draft(title="t"), by=ANN, key="c")
    created = flow.create(Parcel.draft(title="t"), by=ANN, key="c")
    assert [one.id for one in flow.find(Query(text="t"), by=ANN)].count(created.id) == 1
    assert len(store.feed()) == 3


# ---------------------------------------------------------------------------------------------------------------
# Many


def test_run_skips_what_is_refused(flow: ReportFlow) -> None:
    """With "skip" each request has its outcome, the record after it or the refusal; the others are done."""
    first, second, third = (parcel(flow) for _ in range(3))
    flow.fire(second, "seal", by=ANN)
    outcomes = list(flow.run(fires([first, second.id, third.id], "seal", by=ANN), on_error="skip"))
    assert [one.place for one in outcomes] == [0, 1, 2]
    assert [one.record.state if one.record else None for one in outcomes] == ["sealed", None, "sealed"]
    refused = outcomes[1].error
    assert isinstance(refused, TransitionRefused)
    assert codes(refused) == ["state"]


def test_run_stops_at_the_first_refusal(flow: ReportFlow) -> None:
    """By default a refusal is raised; requests before it stay done, requests after it are not started."""
    first, second, third = (parcel(flow) for _ in range(3))
    flow.fire(second, "seal", by=ANN)
    done = flow.run(fires([first.id, second.id, third.id], "seal", by=ANN))
    assert next(done).record == flow.get(first.id, by=ANN)
    with pytest.raises(TransitionRefused) as raised:
        next(done)
    assert raised.value.place == 1
    assert flow.get(third.id, by=ANN).state == "open"


def test_run_is_lazy(store: Watched, flow: ReportFlow) -> None:
    """Nothing is done before the first outcome is requested, and one commit is made for each chunk."""
    made = [parcel(flow) for _ in range(3)]
    before = store.commits
    done = flow.run(fires(made, "label", Label(text="x"), by=ANN), chunk=2)
    assert store.commits == before
    next(done)
    assert store.commits == before + 1
    next(done)
    assert store.commits == before + 1
    next(done)
    assert store.commits == before + 2


# ---------------------------------------------------------------------------------------------------------------
# Conflicts


@pytest.mark.parametrize("how", ["id", "snapshot", "version"])
@pytest.mark.parametrize("trigger", ["add", "seal", "remark"])
def test_a_concurrent_writer(store: Watched, flow: ReportFlow, trigger: str, how: str) -> None:
    """After a conflict "retry" is retried by id only, "stale" never, "commutes" always; else it is `StaleRecord`."""
    made = parcel(flow)
    store.before_commit = lambda: flow_on(store).fire(made.id, "add", by=ANN)
    target: Parcel | str = made if how == "snapshot" else made.id
    version = made.version if how == "version" else None
    retried = trigger == "remark" or (trigger == "add" and how == "id")
    if retried:
        done: Any = flow.fire(target, trigger, by=ANN, version=version)
        assert (done.version, done.count) == (3, 2 if trigger == "add" else 1)
    else:
        with pytest.raises(StaleRecord) as raised:
            flow.fire(target, trigger, by=ANN, version=version)
        assert (raised.value.id, raised.value.seen, raised.value.stored) == (made.id, 1, 2)
        assert flow.get(made.id, by=ANN).version == 2
    assert replay(flow.history(made.id, by=ANN), PARCEL) == flow.get(made.id, by=ANN)


@pytest.mark.parametrize("how", ["snapshot", "version"])
@pytest.mark.parametrize("trigger", ["add", "seal", "remark"])
def test_the_version_seen_is_no_longer_stored(flow: ReportFlow, trigger: str, how: str) -> None:
    """A snapshot or version that is outdated is `StaleRecord`; a commuting transition is done all the same."""
    made = parcel(flow)
    flow.fire(made.id, "add", by=ANN)
    target: Parcel | str = made if how == "snapshot" else made.id
    version = made.version if how == "version" else None
    if trigger == "remark":
        assert flow.fire(target, trigger, by=ANN, version=version).version == 3
    else:
        with pytest.raises(StaleRecord):
            flow.fire(target, trigger, by=ANN, version=version)
        assert flow.get(made.id, by=ANN).version == 2


def test_a_refusal_of_an_outdated_snapshot_is_stale(flow: ReportFlow) -> None:
    """A refused snapshot that is outdated is `StaleRecord`; by id it is the refusal."""
    made = parcel(flow)
    sealed = flow.fire(made.id, "seal", by=ANN)
    with pytest.raises(StaleRecord):
        flow.fire(made, "drop", by=ANN)
    for target in (made.id, sealed):
        with pytest.raises(TransitionRefused) as refused:
            flow.fire(target, "drop", by=ANN)
        assert codes(refused.value) == ["state", "role", "reason"]


def test_a_retry_may_be_refused(store: Watched, flow: ReportFlow) -> None:
    """A command that the concurrent change made impossible is refused on its retry, and nothing is written."""
    made = parcel(flow)
    store.before_commit = lambda: flow_on(store).fire(made.id, "seal", by=ANN)
    with pytest.raises(TransitionRefused) as refused:
        flow.fire(made.id, "label", Label(text="x"), by=ANN)
    assert (codes(refused.value), refused.value.version) == (["state"], 2)


def test_a_conflict_on_the_target_of_a_step_is_retried(store: Watched, flow: ReportFlow) -> None:
    """A conflict on a record without an expected version is retried, though the command has a snapshot of another."""
    made, target = parcel(flow), parcel(flow)
    store.before_commit = lambda: flow_on(store).fire(target.id, "add", by=ANN)
    flow.fire(made, "knock", Label(text="x", target=target.id), by=ANN)
    after = flow.get(target.id, by=ANN, type=Parcel)
    assert (after.version, after.count, after.note) == (3, 1, "back")


class AlwaysConflicting(Watched):
    """A store in which another writer always commits first."""

    def commit(self, changes: list[Change]) -> None:
        raise Conflict([change.record.id for change in changes])


def test_retries_end_at_the_deadline(flow: ReportFlow, store: Watched) -> None:
    """After `retry_timeout` seconds of conflicts, `Conflict` is raised."""
    made = parcel(flow)
    with pytest.raises(Conflict) as raised:
        flow_on(AlwaysConflicting(store.inner), retry_timeout=0.02).fire(made.id, "add", by=ANN)
    assert raised.value.ids == (made.id,)


# ---------------------------------------------------------------------------------------------------------------
# Steps


def test_steps_are_committed_with_their_cause(store: Watched, flow: ReportFlow) -> None:
    """A creation with descendants is one commit; each names its cause, and has its time."""
    first = parcel(flow, count=3)
    assert store.commits == 1
    entries = [item.entry for item in store.feed()]
    assert [entry.trigger for entry in entries] == ["create"] * 4
    assert [entry.cause for entry in entries] == [None, *(entry.ref for entry in entries[:-1])]
    assert {(entry.at, entry.recorded_at, entry.actor) for entry in entries} == {
        (first.created_at, first.created_at, ANN)
    }
    for entry in entries:
        assert replay(flow.history(entry.record_id, by=ANN), PARCEL) == flow.get(entry.record_id, by=ANN)


def test_steps_are_bounded_in_depth(store: Watched, flow: ReportFlow) -> None:
    """Eight steps deep is allowed; one more is `StepsUnbounded` with its path, and nothing is written."""
    parcel(flow, count=8)
    assert len(store.feed()) == 9
    before = everything(store)
    with pytest.raises(StepsUnbounded) as raised:
        parcel(flow, count=9)
    assert len(raised.value.path) == 10
    assert everything(store) == before


def test_a_cycle_of_steps_is_refused(store: Watched, flow: ReportFlow) -> None:
    """A cycle of steps, between two records or on one, is `StepsUnbounded`, and nothing is written."""
    made, target = parcel(flow), parcel(flow)
    before = everything(store)
    for other in (target.id, made.id):
        with pytest.raises(StepsUnbounded) as raised:
            flow.fire(made, "ping", Label(text="x", target=other), by=ANN)
        assert raised.value.path[0] == raised.value.path[-1] == f"ping {made.id}"
    assert everything(store) == before


def test_a_step_is_not_judged_for_role(flow: ReportFlow) -> None:
    """A step may fire a row of `NOBODY`, which a caller may not."""
    made, target = parcel(flow), parcel(flow)
    with pytest.raises(TransitionRefused) as refused:
        flow.fire(target, "jolt", Label(text="x"), by=ANN)
    assert codes(refused.value) == ["role"]
    flow.fire(made, "knock", Label(text="x", target=target.id), by=ANN)
    assert flow.get(target.id, by=ANN, type=Parcel).note == "back"


def test_a_step_is_judged_for_state(store: Watched, flow: ReportFlow) -> None:
    """A step on a record in a wrong state refuses the whole command, and names that record."""
    made, target = parcel(flow), parcel(flow)
    flow.fire(target, "seal", by=ANN)
    before = everything(store)
    with pytest.raises(TransitionRefused) as refused:
        flow.fire(made, "knock", Label(text="x", target=target.id), by=ANN)
    assert (codes(refused.value), refused.value.id, refused.value.trigger) == (["state"], target.id, "jolt")
    assert everything(store) == before


def test_a_step_is_judged_for_visibility(store: Watched, flow: ReportFlow) -> None:
    """A step on a record of another unit is `RecordNotFound`, unless it has ``system=True``."""
    made, target = parcel(flow), parcel(flow, by=BEN)
    before = everything(store)
    with pytest.raises(RecordNotFound) as raised:
        flow.fire(made, "knock", Label(text="x", target=target.id), by=ANN)
    assert raised.value.ids == (target.id,)
    assert everything(store) == before
    flow.fire(made, "push", Label(text="x", target=target.id), by=ANN)
    assert flow.get(target.id, by=BEN, type=Parcel).note == "back"


def test_fire_returns_the_record_after_its_steps(flow: ReportFlow) -> None:
    """A step on the record itself is in what `fire` returns, and in its history."""
    made = parcel(flow)
    done = flow.fire(made, "knock", Label(text="x"), by=ANN)
    assert (done.version, done.note) == (3, "back")
    assert done == flow.get(made.id, by=ANN)


# ---------------------------------------------------------------------------------------------------------------
# Rules that fail


def _raise(*_: object) -> Any:
    raise ZeroDivisionError("no such rule")


@pytest.mark.parametrize(
    ("part", "row"),
    [
        ("guard 'g'", {"guards": [Guard(code="g", test=_raise)]}),
        ("guard 'g'", {"guards": [Guard(code="g", test=cast(Any, lambda *_: None))]}),
        ("guard 'g'", {"guards": [Guard(code="g", test=cast(Any, lambda *_: "yes"))]}),
        ("sets", {"sets": {"note": _raise}}),
        ("then", {"then": _raise}),
        ("then", {"then": lambda *_: ["no step"]}),
        ("then", {"then": lambda *_: 7}),
    ],
)
def test_a_failing_rule_is_named(store: Watched, part: str, row: Mapping[str, Any]) -> None:
    """A guard, `sets` or `then` that raises or returns a wrong type is `RuleFailed`, and nothing is written."""
    flow = flow_on(store, make(Transition("try", source="open", dest=SAME, roles={"packer"}, **row)))
    made = parcel(flow)
    with pytest.raises(RuleFailed) as raised:
        flow.fire(made, "try", by=ANN)
    assert (raised.value.part, raised.value.lifecycle, raised.value.trigger) == (part, "parcel", "try")
    assert raised.value.id == made.id
    assert flow.get(made.id, by=ANN) == made


def test_sets_with_a_value_of_the_wrong_type(store: Watched) -> None:
    """A value of the wrong type from `sets` is `InvalidValue` with its field, and nothing is written."""
    row = Transition("try", source="open", dest=SAME, roles={"packer"}, sets={"count": lambda *_: "seven"})
    flow = flow_on(store, make(row))
    made = parcel(flow)
    with pytest.raises(InvalidValue) as raised:
        flow.fire(made, "try", by=ANN)
    assert raised.value.field == "count"
    assert flow.get(made.id, by=ANN) == made


# ---------------------------------------------------------------------------------------------------------------
# Several lifecycles


def test_two_versions_in_one_flow(store: Watched) -> None:
    """New records have the newest version, old ones keep theirs, each with its own rows."""
    old = parcel(flow_on(store))
    newer = make(Transition("burn", source="open", dest="sealed", roles={"packer"}), version=2)
    flow = flow_on(store, [newer, PARCEL])
    new = parcel(flow)
    assert (old.lifecycle_version, new.lifecycle_version) == (1, 2)
    assert "knock" in {option.trigger for option in flow.options(old, by=ANN)}
    assert "burn" not in {option.trigger for option in flow.options(old, by=ANN)}
    assert flow.fire(new, "burn", by=ANN).state == "sealed"
    with pytest.raises(UnknownTrigger):
        flow.fire(old, "burn", by=ANN)
    done = flow.fire(old, "add", by=ANN)
    assert done.lifecycle_version == 1
    assert flow.as_of(old.id, by=ANN, version=1) == old
    assert {one.id for one in flow.find(Query(kind="parcel"), by=ANN)} == {old.id, new.id}


def test_a_record_of_an_unknown_version_is_named(store: Watched) -> None:
    """A record of a version that the flow does not have is `UnknownLifecycle` with the known ones."""
    old = parcel(flow_on(store))
    flow = flow_on(store, make(version=2))
    with pytest.raises(UnknownLifecycle) as raised:
        flow.fire(old.id, "add", by=ANN)
    assert (raised.value.name, raised.value.version, raised.value.choices) == ("parcel", 1, ("parcel 2",))


def test_a_draft_without_a_lifecycle_is_unknown(flow: ReportFlow) -> None:
    """A draft whose class or kind has no lifecycle is `UnknownLifecycle`."""
    for draft in (Pebble.draft(), Parcel.draft(kind="pebble")):
        with pytest.raises(UnknownLifecycle):
            flow.create(draft, by=ANN)


def test_a_draft_of_an_ambiguous_class_names_its_kind(store: Watched) -> None:
    """Where two lifecycles have one record class, a draft without a kind is `InvalidValue`."""
    flow = flow_on(store, [PARCEL, make(name="crate")])
    with pytest.raises(InvalidValue) as raised:
        flow.create(Parcel.draft(title="x"), by=ANN)
    assert (raised.value.field, raised.value.problem) == ("kind", "ambiguous")
    assert flow.create(Parcel.draft(title="x", kind="crate"), by=ANN).kind == "crate"


def test_two_kinds_in_one_flow(store: Watched) -> None:
    """Records of different classes are in one store, each found by its kind and visible to its own roles."""
    flow = flow_on(store, [PARCEL, REPORT])
    made = parcel(flow)
    editor = Actor(id="li", roles={"editor"}, unit="a")
    report = flow.create(Report.draft(title="t", text="t", authors=[Author(name="x")]), by=editor)
    assert [one.id for one in flow.find(Query(), by=ANN)] == [made.id]
    assert [one.id for one in flow.find(Query(), by=editor)] == [report.id]
    both = Actor(id="both", roles={"editor", "packer"}, unit="a")
    assert flow.count(Query(), by=both, group="kind") == {("parcel",): 1, ("report",): 1}
    assert [one.id for one in flow.find(Query(kind="report"), by=both)] == [report.id]
