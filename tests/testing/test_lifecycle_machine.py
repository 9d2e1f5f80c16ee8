"""The machine made from a lifecycle: it passes what is right, finds what is wrong, and says it as Python lines."""

from __future__ import annotations

import itertools
import re
import tempfile
import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from reportflow import (
    ANY,
    NOBODY,
    OWN,
    SAME,
    UNIT,
    Actor,
    Change,
    Command,
    Details,
    Entry,
    Guard,
    Lifecycle,
    MemoryStore,
    Option,
    Page,
    Query,
    Record,
    ReportFlow,
    ReportflowError,
    Secrecy,
    SqlStore,
    State,
    Step,
    Store,
    Transition,
    as_of,
)
from reportflow.errors import Unbuildable
from reportflow.flow.effects import store as effects
from reportflow.flow.handler import Handler
from reportflow.flow.queries import Queries
from reportflow.lifecycle import decision
from reportflow.office import REPORT
from reportflow.testing import LifecycleMachine
from reportflow.testing.broken import BrokenPromise, NeverFired
from reportflow.testing.differences import without_digests
from reportflow.testing.lifecycle_rules import Rules
from reportflow.testing.strategies import lifecycles
from reportflow.testing.strategies.definitions import ERRAND

# A short run need not come to every row; that it says so has a test of its own.
pytestmark = pytest.mark.filterwarnings("ignore::reportflow.testing.broken.NeverFired")


# ---------------------------------------------------------------------------------------------------------------
# A lifecycle with steps, and what runs it


@attrs.frozen(kw_only=True)
class MachineLoan(Record):
    """A book that a reader wants to borrow."""

    days: int = 0
    reminders: int = 0


@attrs.frozen(kw_only=True)
class MachineReminder(Record):
    """What a loan asks for when it is granted."""


@attrs.frozen(kw_only=True)
class LoanTerms(Details):
    """For how long."""

    days: int = attrs.field(default=1)


def _lendable(record: MachineLoan, command: Command) -> bool:
    assert isinstance(command.details, LoanTerms)
    return command.details.days > 0


def _reminded(before: MachineLoan, entry: Entry) -> int:
    return before.reminders + 1


def _make_reminder(before: MachineLoan, entry: Entry) -> list[Step]:
    return [Step(target=MachineReminder.draft(parent=before.id, unit=before.unit), trigger="note")]


def _count_it(before: MachineReminder, entry: Entry) -> list[Step]:
    return [] if before.parent is None else [Step(target=before.parent, trigger="count", system=True)]


def loan(*more: Transition, guards: Sequence[Guard] = (), sets: dict[str, object] | None = None) -> Lifecycle:
    """The lifecycle of a loan, with further rows, and guards and `sets` on the row that grants it."""
    return Lifecycle(
        name="machine_loan",
        version=1,
        record=MachineLoan,
        roles={"borrower": OWN, "clerk": UNIT, "chief": ANY},
        states=[State("asked", awaits={"clerk"}), State("lent"), State("back", final=True)],
        transitions=[
            Transition("ask", source=None, dest="asked", roles={"borrower", "clerk"}),
            Transition(
                "lend",
                source="asked",
                dest="lent",
                roles={"clerk"},
                guards=[Guard(code="some_days", test=_lendable, reads_details=True), *guards],
                details=LoanTerms,
                sets={"days": "days", **(sets or {})},
                then=_make_reminder,
                on_conflict="stale",
            ),
            Transition("count", source="lent", dest=SAME, roles=NOBODY, sets={"reminders": _reminded}),
            Transition("return", source="lent", dest="back", roles={"borrower", "chief"}),
            Transition("hide", source={"asked", "lent"}, dest=SAME, roles={"chief"}, sets={"secrecy": Secrecy.SECRET}),
            Transition(
                "show", source={"asked", "lent"}, dest=SAME, roles={"chief"}, sets={"secrecy": Secrecy.INTERNAL}
            ),
            Transition("remark", source={"asked", "lent", "back"}, dest=SAME, roles={"clerk"}, on_conflict="commutes"),
            *more,
        ],
    )


REMINDER: Final = Lifecycle(
    name="machine_reminder",
    version=1,
    record=MachineReminder,
    roles={"clerk": UNIT, "borrower": UNIT},
    states=[State("noted"), State("sent", final=True)],
    transitions=[
        Transition("note", source=None, dest="noted", roles=NOBODY, accepts={"parent", "unit"}),
        Transition("send", source="noted", dest="sent", roles={"clerk"}, then=_count_it),
    ],
)
LOAN: Final = loan()

Machine = type[LifecycleMachine]


def run(machine: Machine, *, examples: int = 8, steps: int = 20, shrink: bool = False, steady: bool = False) -> None:
    """Run a machine, with another seed each time; `steady`, always the same way.

    What is right passes whatever is drawn. Of what is wrong in several ways, what is drawn decides which is met first.
    """
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=phases,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        derandomize=steady,
    )
    run_state_machine_as_test(machine, settings=chosen)


def broken(machine: Machine, **how: Any) -> BrokenPromise:
    """What a machine finds wrong."""
    with pytest.raises(BrokenPromise) as found:
        run(machine, **{"examples": 300, "steady": True, **how})
    return found.value


def lines_of(error: BaseException) -> str:
    """The Python lines that a failure shows."""
    found = re.search(r"repeat it:\n(.*?)\n# --$", "\n".join(error.__notes__), re.DOTALL | re.MULTILINE)
    assert found, "a failure shows the lines"
    return found[1]


# ---------------------------------------------------------------------------------------------------------------
# It passes what is right


def test_the_report_passes_in_memory() -> None:
    """The standard lifecycle keeps every promise on `MemoryStore`."""
    run(LifecycleMachine.of(REPORT), examples=10, steps=25)


def test_the_report_passes_on_sqlite_with_restarts() -> None:
    """It does so on an SQL store in a file too, which is closed and opened again in between."""
    numbers = itertools.count()
    urls: dict[int, str] = {}
    reopened: list[str] = []
    with tempfile.TemporaryDirectory() as folder:

        def make() -> Store:
            url = f"sqlite:///{Path(folder, f'{next(numbers)}.db')}"
            store = SqlStore(url)
            urls[id(store)] = url
            return store

        def reopen(store: Store) -> Store:
            url = urls[id(store)]
            again = SqlStore(url)
            urls[id(again)] = url
            reopened.append(url)
            return again

        run(LifecycleMachine.of(REPORT, store=make, reopen=reopen), examples=5, steps=20)
    assert reopened


def test_steps_pass_that_create_and_move_other_records() -> None:
    """So does a lifecycle whose steps create a record of another kind, and are asked for by that."""
    machine = LifecycleMachine.of(LOAN, REMINDER)
    run(machine, examples=25, steps=25)
    assert machine.fired["machine_loan.lend"]
    assert machine.fired["machine_loan.count"], "a step of a reminder that a step of a loan created"


def test_an_act_that_creates_two_records_passes() -> None:
    """Each record that a step creates gets an id of its own, in what an offer is held against too."""

    def makes_two(before: MachineLoan, entry: Entry) -> list[Step]:
        return [*_make_reminder(before, entry), *_make_reminder(before, entry)]

    twice = Transition("remind", source={"asked", "lent"}, dest=SAME, roles={"borrower", "clerk"}, then=makes_two)
    run(few(LifecycleMachine.of(loan(twice), REMINDER), "offers"), examples=40, steps=30, steady=True)


@attrs.frozen(kw_only=True)
class Mark(Details):
    """How secret a loan is."""

    secrecy: Secrecy = Secrecy.SECRET


def test_an_act_whose_details_may_hide_the_record_passes() -> None:
    """Whether its actor would lose the record from sight is no part of an offer where the details decide it."""
    mark = Transition(
        "mark",
        source={"asked", "lent"},
        dest=SAME,
        roles={"borrower", "clerk"},
        details=Mark,
        sets={"secrecy": "secrecy"},
    )
    run(few(LifecycleMachine.of(loan(mark), REMINDER), "offers"), examples=40, steps=30, steady=True)


def test_any_lifecycle_passes() -> None:
    """So does any valid lifecycle that can be drawn."""
    drawn: list[Lifecycle] = []

    @settings(max_examples=6, database=None, phases=[Phase.generate], deadline=None)
    @given(one=lifecycles())
    def draw(one: Lifecycle) -> None:
        drawn.append(one)

    draw()
    for one in drawn:
        run(LifecycleMachine.of(one, ERRAND), examples=3, steps=20)


# ---------------------------------------------------------------------------------------------------------------
# It finds a store that is wrong


class DropsEntries(MemoryStore):
    """Loses the last entry of a longer history."""

    def history(self, ids: Sequence[str]) -> list[Entry]:
        """One too few."""
        found = super().history(ids)
        return found[:-1] if len(found) > 2 else found


class Leaks(MemoryStore):
    """Finds what nobody may see."""

    def find(self, query: Query) -> Page:
        """Without the rule."""
        return super().find(attrs.evolve(query, visible=None))


class CountsAll(MemoryStore):
    """Counts what nobody may see."""

    def count(self, query: Query, *rest: Any) -> Any:
        """Without the rule."""
        return super().count(attrs.evolve(query, visible=None), *rest)


class LosesUpdates(MemoryStore):
    """Compares no versions."""

    def _compare(self, changes: Sequence[Change]) -> None:
        pass


class KeepsHalf(MemoryStore):
    """Keeps the first change of several, and says that it kept them all."""

    def commit(self, changes: Sequence[Change]) -> None:
        """Half of it."""
        super().commit(changes[:1])


class ForgetsKeys(MemoryStore):
    """Knows no key again."""

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        """Never."""
        return None


class RoundsTimes(MemoryStore):
    """Gives records whose times are cut to seconds."""

    def get(self, ids: Sequence[str]) -> list[Record]:
        """A little off."""
        return [
            attrs.evolve(one, updated_at=cast(datetime, one.updated_at).replace(year=2000)) for one in super().get(ids)
        ]


class KeyErrors(MemoryStore):
    """Lets an error of its own get out."""

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        """A dict, asked the wrong way."""
        return {"one key": None}[key]


@pytest.mark.parametrize(
    ("store", "codes"),
    [
        (DropsEntries, {"stored", "outcome", "leak"}),
        (Leaks, {"leak"}),
        (CountsAll, {"leak"}),
        (LosesUpdates, {"outcome", "stored"}),
        (KeepsHalf, {"outcome", "stored"}),
        (ForgetsKeys, {"outcome"}),
        (RoundsTimes, {"outcome", "stored", "leak"}),
        (KeyErrors, {"foreign"}),
    ],
)
def test_a_store_that_is_wrong_is_found(store: type[MemoryStore], codes: set[str]) -> None:
    """A store that breaks a promise ends the run in a failure that says which."""
    assert broken(LifecycleMachine.of(LOAN, REMINDER, store=store)).code in codes


def test_a_store_that_loses_what_was_closed_is_found() -> None:
    """A store that is empty when it is opened again is found by `reopen`, and by nothing else."""
    run(LifecycleMachine.of(LOAN, REMINDER), examples=3)
    assert broken(LifecycleMachine.of(LOAN, REMINDER, reopen=lambda _: MemoryStore())).code == "stored"


# ---------------------------------------------------------------------------------------------------------------
# It finds a flow that is wrong


def _nothing(*_: object) -> Any:
    yield from ()


def _false(*_: object) -> Any:
    yield from ()
    return False


def _as_of_for_all(
    self: Queries, id: str, actor: Actor, version: int | None, time: datetime | None, happened: datetime | None
) -> Any:
    history = yield from effects.history([id])
    return as_of(history, self._definitions, version=version, time=time, happened=happened)


def _whole_history(self: Queries, id: str, actor: Actor) -> Any:
    yield from self.get(id, actor)
    return (yield from effects.history([id]))


def _one_by_one(self: ReportFlow, requests: Iterable[Any]) -> list[Record]:
    return [self._drive(self._handler.run([one]))[0] for one in requests]


def few(machine: Machine, *kept: str) -> Machine:
    """A machine with the rules of its rows, and of the others only these."""
    others = [name for name, one in vars(Rules).items() if hasattr(one, "hypothesis_stateful_rule")]
    assert set(kept) < set(others)
    left_out: dict[str, Any] = dict.fromkeys(set(others) - set(kept))
    few: Machine = type("Few", (machine,), left_out)
    return few


@pytest.mark.parametrize(
    ("owner", "name", "wrong", "rule"),
    [
        (Handler, "_raise_if_pinned", _nothing, "rival_between_load_and_commit"),
        (Handler, "_raise_if_snapshot_is_stale", _nothing, "two_saw_the_same"),
        (Handler, "_key_is_used", _false, "twins_with_one_key"),
        (Handler, "earlier_result", _nothing, "same_key_again"),
        (Queries, "as_of", _as_of_for_all, "looks_back"),
        (Queries, "history", _whole_history, "looks_around"),
        (ReportFlow, "batch", _one_by_one, "batch"),
    ],
)
def test_a_flow_that_is_wrong_is_found(
    owner: type[Any], name: str, wrong: Callable[..., Any], rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the flow leaves out (a version, a twin, a key, a rule of visibility), a rule of the machine sees."""
    machine = few(LifecycleMachine.of(LOAN, REMINDER), rule)
    run(machine, examples=3)
    monkeypatch.setattr(owner, name, wrong)
    assert broken(machine).code in {"outcome", "stored", "leak", "as_of"}


def test_options_that_lie_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An offer that allows what `fire` refuses ends the run in a failure."""
    told = decision.options

    def lying(*arguments: Any, **named: Any) -> tuple[Option, ...]:
        return tuple(attrs.evolve(one, allowed=True, refusals=()) for one in told(*arguments, **named))

    monkeypatch.setattr(decision, "options", lying)
    assert broken(LifecycleMachine.of(LOAN, REMINDER)).code == "offer"


# ---------------------------------------------------------------------------------------------------------------
# It finds a definition that is wrong

SEEN: list[str] = []


def _raises(record: MachineLoan, command: Command) -> bool:
    return 1 // (len(record.title) - len(record.title)) == 1


TURNS: Final = itertools.count()


def _fickle(record: MachineLoan, command: Command) -> bool:
    return next(TURNS) % 2 == 0  # what is tested is that this is found


def _grows(record: MachineLoan, command: Command) -> bool:
    SEEN.append(record.id)
    return True


@pytest.mark.parametrize(("test", "code"), [(_raises, "rule"), (_fickle, "fickle"), (_grows, "side_effect")])
def test_a_guard_that_is_no_rule_is_found(test: Callable[..., bool], code: str) -> None:
    """A guard that raises, changes its mind or changes something else ends the run in a failure that says so."""
    error = broken(LifecycleMachine.of(loan(guards=[Guard(code="wrong", test=test)]), REMINDER))
    assert error.code == code
    assert error.message("zh") != str(error)


def test_a_guard_that_changes_the_details_is_found() -> None:
    """Details must come out of a judgement as they went in: what a frozen class forbids can be got round."""

    @attrs.frozen
    class MachineBasket:
        things: tuple[str, ...] = ()

    def fills(record: MachineLoan, command: Command) -> bool:
        basket = cast(MachineBasket, command.details)
        object.__setattr__(basket, "things", (*basket.things, "more"))
        return True

    row = Transition(
        "fill",
        source="asked",
        dest=SAME,
        roles={"clerk"},
        details=MachineBasket,
        guards=[Guard(code="full", test=fills, reads_details=True)],
    )
    error = broken(LifecycleMachine.of(loan(row), REMINDER))
    assert (error.code, error.facts["what"]) == ("side_effect", "the details")


def test_a_fold_that_is_not_pure_is_found() -> None:
    """A `sets` that reads what acts change gives another record when the history is replayed."""
    lent: set[str] = set()

    def so_far(before: MachineLoan, entry: Entry) -> int:
        return len(lent)

    class Counting(MemoryStore):
        """Not pure either, but that is a store's right."""

        def __init__(self) -> None:
            super().__init__()
            lent.clear()

        def commit(self, changes: Sequence[Change]) -> None:
            """Count what was lent."""
            super().commit(changes)
            lent.update(change.record.id for change in changes if change.record.state == "lent")

    machine = LifecycleMachine.of(loan(sets={"reminders": so_far}), REMINDER, store=Counting)
    assert broken(machine).code in {"replay", "outcome"}


def test_details_that_cannot_be_built_are_refused_at_once() -> None:
    """A details class of which nothing can be made raises `Unbuildable`, which says what to register."""

    @attrs.frozen
    class MachineRiddle:
        answer: str = attrs.field()

        @answer.validator
        def _never(self, attribute: object, value: str) -> None:
            raise ValueError("wrong answer")

    row = Transition("guess", source="asked", dest=SAME, roles={"clerk"}, details=MachineRiddle)
    with pytest.raises(Unbuildable, match="register"):
        LifecycleMachine.of(loan(row), REMINDER)


# ---------------------------------------------------------------------------------------------------------------
# It says what was not proven, and what it was wrongly given


def _never(record: MachineLoan, command: Command) -> bool:
    return False


def test_what_was_never_fired_is_told() -> None:
    """A row that no command fits is named by `never_fired` and in a warning, with what to do."""
    row = Transition("sell", source="asked", dest="back", roles={"clerk"}, guards=[Guard(code="never", test=_never)])
    machine = LifecycleMachine.of(loan(row), REMINDER)
    run(machine, examples=15, steady=True)
    assert "machine_loan.sell" in machine.never_fired()
    assert "machine_loan.ask" not in machine.never_fired()
    machine.TestCase.settings = settings(
        machine.TestCase.settings, max_examples=1, stateful_step_count=1, database=None
    )
    with pytest.warns(NeverFired, match=r"machine_loan\.sell \(no command fits\).*register"):
        machine.TestCase("runTest").run()


def test_what_is_fired_is_not_warned_of() -> None:
    """Where each row was fired, no warning is given."""
    machine = LifecycleMachine.of(LOAN, REMINDER)
    machine.fired.update(machine.never_fired())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        machine.warn_of_never_fired()


class Shared(MemoryStore):
    """Stores with one set of data."""

    _all: MemoryStore

    def __init__(self) -> None:
        if not hasattr(Shared, "_all"):
            Shared._all = MemoryStore()
        vars(self).update(vars(Shared._all))


ONLY: Final = MemoryStore()


def _none_at_all() -> Any:
    raise OSError("no space left")


@pytest.mark.parametrize(
    ("factory", "code", "remedy"),
    [
        (lambda: ONLY, "factory_same", "Make a new one at each call"),
        (Shared, "factory_same_data", "Give each its own file"),
        (lambda: None, "factory_lacks", "Give a store with all calls"),
        (_none_at_all, "factory_raised", "returns a fresh, empty store"),
    ],
)
def test_a_factory_that_gives_no_fresh_stores_is_named(factory: Callable[[], Any], code: str, remedy: str) -> None:
    """A factory that gives the same store twice, shared data, none or an error fails with what to give."""
    error = broken(LifecycleMachine.of(LOAN, REMINDER, store=factory))
    assert error.code == code
    assert remedy in str(error)


def test_the_settings_of_the_test_case_are_the_users() -> None:
    """What the user sets on ``TestCase.settings`` stays set."""
    machine = LifecycleMachine.of(LOAN, REMINDER)
    mine = settings(max_examples=3, phases=[Phase.generate, Phase.explain])
    machine.TestCase.settings = mine
    assert machine.TestCase.settings is mine


# ---------------------------------------------------------------------------------------------------------------
# What the user adds


def test_an_invariant_by_decorator_is_held() -> None:
    """A function given to `invariant` is asked after every step about every record, and fails the run."""
    machine = LifecycleMachine.of(LOAN, REMINDER)
    seen: set[tuple[str, int]] = set()

    @machine.invariant
    def never_lent(record: Record, history: list[Entry]) -> None:
        seen.add((record.id, len(history)))
        assert record.version == len(history)
        assert record.state != "lent"

    with pytest.raises(AssertionError, match="lent"):
        run(machine, examples=100, steady=True)
    assert seen


def test_an_invariant_of_a_subclass_is_held() -> None:
    """Hypothesis's own `invariant` in a subclass sees the records, the histories and the flow."""

    class Mine(LifecycleMachine.of(LOAN, REMINDER)):  # type: ignore[misc]  # mypy knows no class made by a call
        @invariant()
        def nothing_is_ever_back(self) -> None:
            """As it is not."""
            for id, record in self.records.items():
                assert without_digests(self.flow.store.get([id])) == [without_digests(record)]
                assert self.history(id)[-1].dest != "back", "it came back"

    with pytest.raises(AssertionError, match="it came back"):
        run(Mine, examples=150, steady=True)


def test_an_invariant_of_one_machine_is_not_anothers() -> None:
    """What was given to a machine is held by its subclasses, and by no other machine."""
    one, other = LifecycleMachine.of(LOAN, REMINDER), LifecycleMachine.of(LOAN, REMINDER)
    below: Machine = type("Below", (one,), {})

    @below.invariant
    def no(record: Record, history: list[Entry]) -> None:
        raise AssertionError("held")

    run(one, examples=2)
    run(other, examples=2)
    with pytest.raises(AssertionError, match="held"):
        run(below)


# ---------------------------------------------------------------------------------------------------------------
# The lines


def again(lines: str) -> None:
    """Run lines as if they were pasted."""
    exec(compile(lines, "<pasted>", "exec"), {"__name__": "pasted"})  # that is what is tested


@pytest.mark.parametrize("store", [DropsEntries, Leaks, LosesUpdates, KeepsHalf, ForgetsKeys, KeyErrors])
def test_a_failure_shows_the_lines_that_do_it_again(store: type[MemoryStore]) -> None:
    """The lines of a failure, pasted, fail too; on a store that is right they do not."""
    lines = lines_of(broken(LifecycleMachine.of(LOAN, REMINDER, store=store), steps=12))
    with pytest.raises((AssertionError, ReportflowError)):
        again(lines)
    right = re.sub(rf"\b{store.__name__}\(\)", "MemoryStore()", lines)
    again(f"from reportflow import MemoryStore\n{right}")


def test_the_steps_read_as_the_table_does() -> None:
    """A failing run is printed with its rules called after the triggers, and shrunk to the acts that matter."""
    machine = LifecycleMachine.of(LOAN, REMINDER)

    @machine.invariant
    def never_asked(record: Record, history: list[Entry]) -> None:
        assert record.state != "asked"

    with pytest.raises(AssertionError) as found:
        run(machine, steps=4, shrink=True, steady=True)
    assert "state.ask(act=flow.create(MachineLoan.draft(" in "\n".join(found.value.__notes__)
    assert len(re.findall(r"^ *flow\.", lines_of(found.value), re.MULTILINE)) == 1
