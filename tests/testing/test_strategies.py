"""The strategies of the test kit: what they draw is what they promise, quickly, and it shrinks to the plainest."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import Phase, find, given, note, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from reportflow import (
    ANY,
    EVERYBODY,
    OWN,
    SAME,
    UNIT,
    Actor,
    Command,
    Details,
    Entry,
    InvalidDefinition,
    InvalidValue,
    Lifecycle,
    Record,
    ReportFlow,
    ReportflowError,
    Secrecy,
    State,
    Step,
    Transition,
    TransitionRefused,
    UnknownTrigger,
    guard,
    not_the_creator,
    replay,
)
from reportflow.analysis.people import able
from reportflow.analysis.samples import PEOPLE, START, UNITS
from reportflow.errors import RuleFailed, Unbuildable
from reportflow.lifecycle import validation
from reportflow.lifecycle.decision import decide
from reportflow.model.annotations import check
from reportflow.office import (
    REPORT,
    Adoption,
    Attachment,
    Author,
    Classification,
    Comment,
    Level,
    Merge,
    Report,
    Revision,
)
from reportflow.testing import strategies
from reportflow.testing.differences import without_digests
from reportflow.testing.strategies import values
from reportflow.testing.strategies.definitions import ERRAND, Casework, Errand, Remark
from reportflow.testing.strategies.tables import distances
from reportflow.testing.strategies.walks import routes

# A definition with a guard that nobody passes is said to have one; that has a test of its own.
pytestmark = pytest.mark.filterwarnings("ignore::reportflow.testing.broken.NeverFired")

#: Without a database: what an earlier run found must not be what a later one finds. What could vary in the plainest
#: value without a loss is not looked for: nobody reads it.
FRESH = settings(database=None, max_examples=4000, phases=[Phase.generate, Phase.shrink])


def least(strategy: st.SearchStrategy[Any], wanted: Any = lambda value: True) -> Any:
    """The plainest value that is wanted."""
    return find(strategy, wanted, settings=FRESH)


@cache
def plainest_report() -> Any:
    """The plainest draft of a report."""
    return least(strategies.drafts(REPORT))


def drawn(
    strategy: st.SearchStrategy[Any], names: Callable[[Any], Iterable[str]], wanted: set[str], *, most: int
) -> set[str]:
    """What random values name, of so many at most; no more are drawn once all that is wanted was named."""
    seen: set[str] = set()

    def name_all(value: Any) -> bool:
        seen.update(names(value))
        return seen >= wanted

    with contextlib.suppress(NoSuchExample):
        find(strategy, name_all, settings=settings(FRESH, max_examples=most, phases=[Phase.generate], derandomize=True))
    return seen


# ---------------------------------------------------------------------------------------------------------------
# A lifecycle of a user's own, with guards that are hard to pass


@attrs.frozen(kw_only=True)
class Trip(Record):
    """A journey that an employee asks for."""

    since: date
    until: date
    days: int = 0

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.until < self.since:
            raise InvalidValue("until", "range", {"given": self.until, "least": self.since, "most": "any"})


@attrs.frozen(kw_only=True)
class Longer(Details):
    """Until when, and why that is no accident: a check over two fields."""

    since: date
    until: date

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.until <= self.since:
            raise ValueError("until must come after since")


def _stripped(text: str) -> str:
    return text.strip()


@attrs.frozen
class Cost:
    """A plain attrs class: positional, with a validator and a converter of attrs' own."""

    euros: int = attrs.field(validator=attrs.validators.in_(range(100, 20_000)))
    what_for: str = attrs.field(converter=_stripped, validator=attrs.validators.min_len(3))


@guard("budget", reads_details=True)
def within_budget(record: Trip, command: Command) -> bool:
    """Only one of the numbers passes, and only for people of the south."""
    return command.details.euros == 10_000 and command.actor.unit == "south"


@guard("waits")
def after_a_week(record: Trip, command: Command) -> bool:
    """Not in the first week."""
    assert record.created_at is not None
    return command.now - record.created_at >= timedelta(days=7)


@guard("never")
def never(record: Trip, command: Command) -> bool:
    """Nobody passes."""
    return False


TRIP = Lifecycle(
    name="trip",
    version=1,
    record=Trip,
    roles={"traveller": OWN, "manager": UNIT, "treasurer": ANY},
    states=[State("asked"), State("granted"), State("paid", final=True), State("lost", final=True)],
    transitions=[
        Transition("create", source=None, dest="asked", roles={"traveller"}),
        Transition(
            "extend", source="asked", dest=SAME, roles={"traveller"}, details=Longer, sets={"until": "until"}
        ),
        Transition("grant", source="asked", dest="granted", roles={"manager"}, guards=[not_the_creator]),
        Transition(
            "pay", source="granted", dest="paid", roles={"treasurer"}, details=Cost,
            guards=[within_budget, after_a_week], reason_required=True,
        ),
        Transition("lose", source="granted", dest="lost", roles=EVERYBODY, guards=[never]),
    ],
)  # fmt: skip

EVERY = (REPORT, TRIP)
each = pytest.mark.parametrize("lifecycle", EVERY, ids=lambda one: one.name)


# ---------------------------------------------------------------------------------------------------------------
# Values


@given(text=strategies.texts())
def test_texts_may_be_kept(text: str) -> None:
    """Every text that is drawn may be kept."""
    check(Revision(text=f"x{text}"))


@pytest.mark.parametrize("wanted", ["[一-鿿]", "[\U00010000-\U0010ffff]", "[א-ת]", "[؀-ۿ]", "\u0301"])
def test_texts_of_all_scripts(wanted: str) -> None:
    """Chinese, what lies beyond the first plane, Hebrew, Arabic and combining marks are drawn."""
    assert least(strategies.texts(), lambda text: re.search(wanted, text))


@pytest.mark.parametrize(
    ("kind", "plain", "rare"),
    [
        (str, "text", lambda value: len(value) > 12),
        (int, 1, lambda value: abs(value) > 2**40),
        (float, 1.0, lambda value: 0 < value < 0.1),
        (date, date(2022, 1, 3), lambda value: value.year > 3000),
        (date | None, None, lambda value: value and value.year > 3000),
        (tuple[int, ...], (), lambda value: len(value) == 3),
        (frozenset[str], frozenset(), lambda value: len(value) == 2),
        (Mapping[str, int], {}, lambda value: -1 in value.values()),
        (tuple[int, str], (1, "text"), lambda value: value[1] == ""),
        (Level, Level.COUNTY, lambda value: value is Level.CENTRAL),
        (str | int, "text", lambda value: isinstance(value, int)),
    ],
    ids=lambda given: "" if callable(given) and not isinstance(given, type) else str(given),
)
def test_values_of_an_annotation(kind: Any, plain: object, rare: Any) -> None:
    """Values of an annotation shrink to the plainest one, and reach far beyond the plain ones."""
    assert least(strategies.of(kind)) == plain
    assert least(strategies.of(kind), rare) is not None


@attrs.frozen(kw_only=True)
class Branch:
    """A class that holds others of its own."""

    name: str
    twigs: tuple[Branch, ...] = ()
    bark: Branch | None = None


@given(branch=strategies.details(Branch))
def test_a_class_that_holds_itself(branch: Branch) -> None:
    """A class that holds others of its own is drawn, and may be kept."""
    check(branch)


def test_a_class_that_holds_itself_shrinks() -> None:
    """A class that holds others of its own is drawn with and without them."""
    assert least(strategies.details(Branch)) == Branch(name="text")
    assert least(strategies.details(Branch), lambda one: one.twigs and one.twigs[0].bark) == Branch(
        name="text", twigs=(Branch(name="text", bark=Branch(name="text")),)
    )


# ---------------------------------------------------------------------------------------------------------------
# Details


DETAILS = list(dict.fromkeys(row.details for one in (*EVERY, ERRAND) for row in one.transitions if row.details))


@pytest.mark.parametrize("cls", DETAILS, ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_details_may_be_kept(cls: type[Any], data: st.DataObject) -> None:
    """Details of any attrs class are instances of it that may be kept."""
    told = data.draw(strategies.details(cls))
    assert type(told) is cls
    check(told)


def test_details_shrink_to_the_plainest() -> None:
    """What is of no interest keeps its default, or the first sample; only what must be otherwise is otherwise."""
    assert least(strategies.details(Revision)) == Revision(text="text")
    assert least(strategies.details(Cost)) == Cost(100, "text")
    assert least(strategies.details(Classification), lambda one: one.secrecy) == Classification(secrecy="internal")
    found = least(strategies.details(Adoption), lambda one: len(one.carrier) > 8)
    assert found == Adoption(body="text", level="county", carrier=found.carrier)


def test_details_vary() -> None:
    """All fields vary, beyond the samples, and a check over two fields is no obstacle."""
    assert least(strategies.details(Longer), lambda one: one.since.year < 2000 < 2100 < one.until.year)
    assert least(strategies.details(Cost), lambda one: one.euros not in (100, 10_000) and len(one.what_for) > 9)


def test_details_of_a_transition() -> None:
    """A transition has the details of its class; one without details has None."""
    rows = {row.trigger: row for row in TRIP.transitions}
    assert least(strategies.details(rows["pay"])) == Cost(100, "text")
    assert least(strategies.details(rows["grant"])) is None
    assert least(strategies.details(None)) is None


@pytest.mark.parametrize("wrong", [int, "Revision", Revision(text="x")])
def test_details_of_no_class(wrong: Any) -> None:
    """What is no attrs class is refused in one sentence."""
    with pytest.raises(InvalidValue, match="attrs class"):
        strategies.details(wrong)


@attrs.frozen(kw_only=True)
class Sealed(Details):
    """A class that refuses whatever its annotations suggest."""

    seal: str

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if len(self.seal) != 23:
            raise ValueError("a seal has 23 letters")


@attrs.frozen(kw_only=True)
class Sealing(Details):
    """A class that cannot do without one that refuses."""

    sealed: Sealed


@pytest.fixture
def registry() -> Iterator[None]:
    """What a test registers is forgotten after it."""
    known, drawn = dict(values._REGISTERED), dict(values._GIVEN)
    yield
    for now, before in ((values._REGISTERED, known), (values._GIVEN, drawn)):
        now.clear()
        now.update(before)  # type: ignore[arg-type]  # each has the values that it had
    values._BUILT.clear()
    values._PLAIN.clear()
    values._REMEMBERED.clear()


def test_what_cannot_be_built_is_said() -> None:
    """A class that refuses everything is named, with what it said and what to give; there is no empty pass."""
    for cls in (Sealed, Sealing):
        with pytest.raises(Unbuildable, match="Sealed") as raised:
            strategies.details(cls)
        assert "a seal has 23 letters" in str(raised.value)
        assert "reportflow.testing.strategies.register(Sealed" in str(raised.value)


@pytest.mark.usefixtures("registry")
def test_registered_strategies_are_used_everywhere() -> None:
    """A registered strategy makes a class, and whatever holds it, known; registering again replaces it."""
    strategies.register(Sealed, st.builds(Sealed, seal=st.sampled_from("ab").map(lambda letter: letter * 23)))
    assert least(strategies.details(Sealed)) == Sealed(seal="a" * 23)
    assert least(strategies.details(Sealing)) == Sealing(sealed=Sealed(seal="a" * 23))
    strategies.register(Sealed, st.just(Sealed(seal="c" * 23)))
    assert least(strategies.details(Sealing)) == Sealing(sealed=Sealed(seal="c" * 23))
    strategies.register(Trip, st.just(Trip(since=date(2030, 1, 1), until=date(2030, 1, 2))))
    assert least(strategies.paths(TRIP)).record.since == date(2030, 1, 1)


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("cls", "strategy", "error"),
    [
        ("Sealed", st.none(), InvalidValue),
        (Sealed, Sealed, InvalidValue),
        (Sealed, st.just("text"), InvalidValue),
        (Sealed, st.nothing(), Unbuildable),
        (Sealed, st.text().filter(lambda text: False), Unbuildable),
    ],
)
def test_a_wrong_strategy_is_refused(cls: Any, strategy: Any, error: type[Exception]) -> None:
    """A strategy that gives nothing, or something else, is refused when it is registered."""
    with pytest.raises(error):
        strategies.register(cls, strategy)
    with pytest.raises(Unbuildable):
        strategies.details(Sealed)


# ---------------------------------------------------------------------------------------------------------------
# People and drafts


@each
@given(data=st.data())
def test_actors(lifecycle: Lifecycle, data: st.DataObject) -> None:
    """Actors are of a few people and units and have roles of the lifecycle."""
    actor = data.draw(strategies.actors(lifecycle))
    assert actor.id in PEOPLE
    assert actor.unit in UNITS
    assert actor.roles <= set(lifecycle.roles)


def test_actors_shrink() -> None:
    """The plainest actor has no role; one with several and a clearance has no more than that."""
    assert least(strategies.actors(REPORT)) == Actor(id="ana", unit="north")
    found = least(strategies.actors(REPORT), lambda one: len(one.roles) == 2 and one.clearance > Secrecy.SECRET)
    assert found == Actor(id="ana", unit="north", roles=found.roles, clearance=Secrecy.TOP_SECRET)
    assert least(strategies.actors(REPORT), lambda one: one.roles == set(REPORT.roles))


@pytest.mark.parametrize("unseen", ["\u200b", "\x1f", "\u2060 \u200d", ""])
def test_nobody_is_called_by_what_no_one_sees(unseen: str) -> None:
    """A text of a record that has only invisible characters is no person's id; any other may be one."""
    draft = Report.draft(title="t", text="x", authors=[Author(name="n", id="nan")], commission=unseen, origin="zhou")
    row = next(row for row in REPORT.transitions if row.trigger == "comment")
    called = {one.id for one in able(REPORT, row, draft)}
    assert called >= {*PEOPLE, "nan", "zhou", "system"}
    assert unseen not in called


@each
@given(data=st.data())
def test_drafts(lifecycle: Lifecycle, data: st.DataObject) -> None:
    """Drafts are version-0 records of the lifecycle's class, without what the flow sets, and may be kept."""
    draft = data.draw(strategies.drafts(lifecycle))
    assert type(draft) is lifecycle.record
    assert (draft.version, draft.state, draft.id, draft.created_by) == (0, "", "", "")
    check(draft)


def test_drafts_shrink() -> None:
    """A draft has what it must have, and else its defaults."""
    assert least(strategies.drafts(TRIP)) == Trip.draft(since=date(2022, 1, 3), until=date(2022, 1, 3))
    found = least(strategies.drafts(REPORT), lambda one: one.attachments)
    assert len(found.attachments) == 1
    assert isinstance(found.attachments[0], Attachment)


# ---------------------------------------------------------------------------------------------------------------
# Commands


def allowed(lifecycle: Lifecycle, record: Record, command: Command) -> bool:
    """Whether `decide` allows it."""
    try:
        decide(lifecycle, record, command)
    except ReportflowError:
        return False
    return True


@each
@given(data=st.data())
def test_commands_are_as_legal_as_asked(lifecycle: Lifecycle, data: st.DataObject) -> None:
    """Legal commands are such as `decide` allows, illegal ones such as it does not; both may be asked for together."""
    record = data.draw(strategies.records(lifecycle))
    right = strategies.commands(lifecycle, record, legal=True)
    if not right.is_empty:
        assert allowed(lifecycle, record, data.draw(right))
    assert not allowed(lifecycle, record, data.draw(strategies.commands(lifecycle, record, legal=False)))
    assert isinstance(data.draw(strategies.commands(lifecycle, record)), Command)


@given(data=st.data())
def test_commands_for_a_draft(data: st.DataObject) -> None:
    """For a draft the commands are creations, with an id for it."""
    draft = data.draw(strategies.drafts(TRIP))
    command = data.draw(strategies.commands(TRIP, draft, legal=True))
    assert command.trigger == "create"
    made = decide(TRIP, draft, command).record
    assert (made.state, made.id) == ("asked", "r1")


def test_nothing_is_legal() -> None:
    """Where nothing is allowed the strategy of legal commands is empty and says so; illegal ones there are."""
    record = least(strategies.records(TRIP, "paid"))
    assert strategies.commands(TRIP, record, legal=True).is_empty
    assert least(strategies.commands(TRIP, record)).trigger not in TRIP.triggers


def test_commands_are_refused_for_every_reason() -> None:
    """State, role, details, reason, each guard alone, an unknown trigger, a time out of range: all are drawn."""
    record = least(strategies.records(TRIP, "granted"))
    wrong = strategies.commands(TRIP, record, legal=False)

    def why(command: Command) -> object:
        try:
            decide(TRIP, record, command)
        except TransitionRefused as error:
            return [one.code for one in error.refusals if hasattr(one, "code")]
        except InvalidValue as error:
            return error.problem
        except UnknownTrigger:
            return "unknown"
        return "allowed"

    for reason in ("unknown", "before_creation", "in_future", ["state"], ["role"], ["details"], ["reason"], ["never"]):
        assert least(wrong, lambda command, reason=reason: why(command) == reason)
    assert least(wrong, lambda command: "budget" in why(command) and "waits" in why(command))  # type: ignore[operator]  # it is a list or a text


def test_a_command_names_another_record() -> None:
    """Details of a row that asks for steps name the records that there are."""
    record = least(strategies.records(REPORT, "draft"))
    right = strategies.commands(REPORT, record, legal=True, ids=["r7"])
    assert least(right, lambda command: command.trigger == "merge").details == Merge(target="r7")


# ---------------------------------------------------------------------------------------------------------------
# Paths


def replayed(path: strategies.Path, **names: Any) -> Record:
    """What the lines of a path come to."""
    exec("\n".join(path.lines()), names)
    record: Record = names["record"]
    return record


@each
@given(data=st.data())
def test_a_path_is_a_script(lifecycle: Lifecycle, data: st.DataObject) -> None:
    """The lines of a path, run as they stand, give the path's record; a flow gives it too, and so does `replay`."""
    path = data.draw(strategies.paths(lifecycle))
    assert without_digests(replayed(path)) == path.record
    assert without_digests(path.play(path.open())) == path.record
    assert replay(path.history, lifecycle) == path.record
    assert repr(path) == "\n".join(path.lines())


@given(data=st.data())
def test_paths_of_any_lifecycle(data: st.DataObject) -> None:
    """Of any lifecycle paths are drawn and can be replayed, with the steps that its rows ask for."""
    path = data.draw(strategies.paths(data.draw(strategies.lifecycles()), ERRAND))
    assert without_digests(replayed(path, lifecycle=path.lifecycle)) == path.record
    with path.open() as flow:
        assert without_digests(path.play(flow)) == path.record
        for id, entries in path.desk.histories.items():
            assert tuple(without_digests(flow.store.history([id]))) == entries


@given(path=strategies.paths(REPORT))
def test_a_path_in_another_flow(path: strategies.Path) -> None:
    """A flow with ids of its own, where others have been before, comes to the same, but for the ids."""
    with path.open() as own:
        clock = iter([one for one in path._times() for _ in (1,)])
        numbers = iter(range(1000))
        flow = ReportFlow(own.store, REPORT, clock=clock.__next__, new_id=lambda: f"other {next(numbers)}")
        record = path.play(flow)
    assert (record.state, record.version, record.title) == (path.record.state, path.record.version, path.record.title)
    assert record.id.startswith("other")


@pytest.mark.parametrize(
    ("state", "triggers"),
    [
        ("draft", ["create"]),
        ("instructed", ["create", "edit", "review", "instruct"]),
        ("kept", ["create", "keep"]),
        ("merged", ["create", "merge"]),
    ],
)
def test_paths_shrink_to_the_shortest(state: str, triggers: list[str]) -> None:
    """The plainest path to a state is the shortest, and every act on it the plainest."""
    path = least(strategies.paths(REPORT), lambda one: one.record.state == state)
    assert [one.trigger for one in path.commands] == triggers
    assert path.draft == plainest_report()
    assert {one.actor.unit for one in path.commands} == {"north"}
    assert all(len(one.actor.roles) == 1 and one.at is None for one in path.commands)
    assert {one.reason for one in path.commands} <= {"", "because"}


def test_a_guard_that_is_hard_to_pass_is_passed() -> None:
    """The one number, the one unit and the week that the guards want are found, and shrink to just that."""
    path = least(strategies.paths(TRIP), lambda one: one.record.state == "paid")
    assert [one.trigger for one in path.commands] == ["create", "grant", "pay"]
    assert path.commands[-1].details == Cost(10_000, "text")
    assert path.commands[-1].actor.unit == "south"


@each
def test_paths_come_to_every_state(lifecycle: Lifecycle) -> None:
    """Each state that can be reached is reached by random paths, not by shrinking only."""
    wanted = {state.name for state in lifecycle.states} - {"lost"}
    walk = strategies.paths(lifecycle)
    assert drawn(walk, lambda path: [entry.dest for entry in path.history], wanted, most=300) == wanted


@each
@given(data=st.data(), least_size=st.integers(1, 6), more=st.integers(0, 3))
def test_paths_are_as_long_as_asked(lifecycle: Lifecycle, data: st.DataObject, least_size: int, more: int) -> None:
    """A path keeps to the sizes; it is shorter only where nothing more is allowed."""
    path = data.draw(strategies.paths(lifecycle, min_size=least_size, max_size=least_size + more))
    assert len(path) <= least_size + more
    if len(path) < least_size:
        assert strategies.commands(lifecycle, path.record, legal=True).is_empty


@pytest.mark.parametrize(("least_size", "most"), [(0, 3), (4, 3)])
def test_sizes_that_cannot_be(least_size: int, most: int) -> None:
    """Sizes that contradict one another are refused."""
    with pytest.raises(InvalidValue):
        strategies.paths(REPORT, min_size=least_size, max_size=most)


def test_the_falsifying_example_is_the_script() -> None:
    """What Hypothesis prints of a failing path are the lines that replay it, from the margin."""

    @settings(database=None, print_blob=False, derandomize=True, max_examples=500)
    @given(path=strategies.paths(TRIP))
    def fails(path: strategies.Path) -> None:
        note("said")
        assert path.record.state != "granted"

    with pytest.raises(AssertionError) as raised:
        fails()
    said = "\n".join(raised.value.__notes__)
    script = said[said.index("from datetime") : said.index("\n,", said.index("flow.fire"))]
    names: dict[str, Any] = {}
    exec(script, names)
    assert names["record"].state == "granted"
    assert script.count("flow.fire") == 1
    assert "record = flow.fire(record, 'grant', by=Actor(id='bo', roles={'manager'}, unit='north'))" in script


def test_a_failing_strategy_says_little() -> None:
    """Where drawing itself fails, the strategy is named in a line, not with its whole table."""
    broken = _with(TRIP, guards={"grant": raising})

    @settings(database=None)
    @given(path=strategies.paths(broken))
    def draws(path: strategies.Path) -> None:
        """Nothing: drawing is what is tested."""

    with pytest.raises(RuleFailed, match="guard 'raising'") as raised:
        draws()
    assert all(len(line) < 200 for line in getattr(raised.value, "__notes__", ()))


@guard("raising")
def raising(record: Record, command: Command) -> bool:
    """A guard with a mistake in it."""
    raise LookupError("no such thing")


def _with(lifecycle: Lifecycle, *, guards: Mapping[str, Any]) -> Lifecycle:
    """A lifecycle with one more guard on some of its triggers."""
    rows = [
        attrs.evolve(row, guards=[*row.guards, guards[row.trigger]]) if row.trigger in guards else row
        for row in lifecycle.transitions
    ]
    return Lifecycle(
        name=lifecycle.name,
        version=9,
        record=lifecycle.record,
        roles=lifecycle.roles,
        states=lifecycle.states,
        transitions=rows,
    )


def test_a_record_that_nobody_may_create() -> None:
    """A creation that no guard lets pass is said, with what to give, and is no empty pass."""
    with pytest.raises(Unbuildable, match="no draft was found that may be created"):
        strategies.paths(_with(TRIP, guards={"create": never}))


# ---------------------------------------------------------------------------------------------------------------
# Records and histories


@each
@given(data=st.data())
def test_records_in_a_state(lifecycle: Lifecycle, data: st.DataObject) -> None:
    """Records of a state are stored records in that state, as the fold leaves them."""
    state = data.draw(st.sampled_from([one.name for one in lifecycle.states if one.name != "lost"]))
    record = data.draw(strategies.records(lifecycle, state))
    assert record.state == state
    assert record.version >= 1
    check(record)


def test_records_shrink() -> None:
    """The plainest record of a state is where the shortest path ends; one with a wish differs in that."""
    assert least(strategies.records(REPORT, "reviewed")).version == 3
    assert least(strategies.records(REPORT)).version == 1
    assert least(strategies.records(REPORT, "edited"), lambda one: one.topics).topics == ("text",)


def test_a_state_that_is_not_to_be_had() -> None:
    """A state that no allowed path reaches is said, with what to give; an unknown state is refused."""
    with pytest.raises(Unbuildable, match="lead to 'lost'"):
        strategies.records(TRIP, "lost")
    with pytest.raises(InvalidValue, match="nowhere"):
        strategies.records(TRIP, "nowhere")


@given(lifecycle=strategies.lifecycles())
def test_routes_are_the_shortest(lifecycle: Lifecycle) -> None:
    """The route to a state is no shorter than the table allows, and ends there."""
    for state, path in routes(lifecycle, ERRAND).items():
        assert path.record.state == state
        near = distances(lifecycle, state)
        first = path.history[0].dest
        assert (
            len(path) == 1 or near.get(first) is None or len(path) - 1 >= near[first] or len(path.history) > len(path)
        )


@each
@given(data=st.data())
def test_histories_replay(lifecycle: Lifecycle, data: st.DataObject) -> None:
    """A history is that of one record, whole, and `replay` makes a record of it."""
    history = data.draw(strategies.histories(lifecycle))
    assert [entry.sequence for entry in history] == list(range(1, len(history) + 1))
    assert replay(history, lifecycle).version == len(history)


def _again(before: Record, entry: Entry) -> list[Step]:
    return [Step(target=before.id, trigger="stamp", system=True)]


STAMPED = Lifecycle(
    name="stamped",
    version=1,
    record=Record,
    roles={"clerk": ANY},
    states=[State("open", final=True)],
    transitions=[
        Transition("create", source=None, dest="open", roles={"clerk"}),
        Transition("touch", source="open", dest=SAME, roles={"clerk"}, then=_again),
        Transition("stamp", source="open", dest=SAME, roles="nobody"),
    ],
)


def test_histories_have_steps() -> None:
    """Steps are in the histories: of an act on the record itself, and of an act on another."""
    own = least(strategies.histories(STAMPED), lambda one: any(entry.cause for entry in one))
    assert [entry.trigger for entry in own] == ["create", "touch", "stamp"]
    others = least(strategies.histories(REPORT), lambda one: any(entry.cause for entry in one))
    assert [entry.trigger for entry in others] == ["create", "credit"]


# ---------------------------------------------------------------------------------------------------------------
# Definitions


@given(data=st.data())
def test_lifecycles_are_whole(data: st.DataObject) -> None:
    """A drawn lifecycle has no fault, and its records, commands and histories can be drawn."""
    lifecycle = data.draw(strategies.lifecycles())
    record = data.draw(strategies.records(lifecycle, others=[ERRAND]))
    assert isinstance(data.draw(strategies.commands(lifecycle, record)), Command)
    assert data.draw(strategies.histories(lifecycle, ERRAND))


def test_lifecycles_shrink() -> None:
    """The plainest lifecycle has one state, and the rows that every one has."""
    found = least(strategies.lifecycles())
    assert [state.name for state in found.states] == ["s0"]
    assert found.triggers == ("create", "tick", "do0")


@given(broken=strategies.broken_lifecycles())
def test_broken_lifecycles_have_their_faults(broken: Any) -> None:
    """Building a broken definition names the faults that it says it has, and no others."""
    with pytest.raises(InvalidDefinition) as raised:
        broken.build()
    assert {fault.code for fault in raised.value.faults} == broken.codes
    assert all(code in repr(broken) for code in broken.codes)


def test_every_fault_is_drawn() -> None:
    """Each fault that a table can have is drawn."""
    wanted = {*re.findall(r'_fault\("(\w+)"', inspect.getsource(validation)), "field_type"}
    assert drawn(strategies.broken_lifecycles(), lambda broken: broken.codes, wanted, most=500) == wanted


@pytest.mark.parametrize(("code", "codes"), [("no_way_out", ()), ("two_rows", ()), ("no_creation", ("unreachable",))])
def test_broken_lifecycles_shrink(code: str, codes: tuple[str, ...]) -> None:
    """A fault shrinks to a table that has it alone, or with what it brings."""
    found = least(strategies.broken_lifecycles(), lambda one: code in one.codes)
    assert found.codes == {code, *codes}
    assert len(found.arguments["states"]) <= 2


class TestQuickness:
    """No strategy gives Hypothesis cause for complaint, with its own settings and every health check on."""

    strict: ClassVar[settings] = settings(database=None, max_examples=30, suppress_health_check=[], deadline=None)

    @pytest.mark.parametrize(
        "strategy",
        [
            strategies.paths(REPORT, min_size=8),
            strategies.paths(TRIP),
            strategies.histories(REPORT),
            strategies.records(TRIP, "paid"),
            strategies.drafts(REPORT),
            strategies.details(Comment),
            strategies.of(Report),
            strategies.lifecycles().flatmap(lambda one: strategies.paths(one, ERRAND)),
            strategies.broken_lifecycles(),
        ],
        ids=["report", "trip", "histories", "paid", "drafts", "comment", "stored", "any", "broken"],
    )
    def test_nothing_is_thrown_away(self, strategy: st.SearchStrategy[Any]) -> None:
        """Hardly anything is drawn in vain: of the examples that were begun nearly all are finished."""
        done = 0

        @settings(self.strict)
        @given(strategy)
        def draws(value: object) -> None:
            nonlocal done
            done += 1

        draws()
        assert done >= 20


def test_a_path_whose_neighbours_bring_others_along() -> None:
    """Ids in details are put right by the record that was created beside the path, not by what its steps created."""
    definition = Lifecycle(
        name="spawning",
        version=1,
        record=Casework,
        roles={"clerk": UNIT},
        states=[State("open", final=True)],
        transitions=[
            Transition(
                "create", source=None, dest="open", roles={"clerk"},
                then=lambda before, entry: [Step(target=Errand.draft(title="for it", unit="north"), trigger="create")],
            ),
            Transition("note", source="open", dest=SAME, roles={"clerk"}, details=Remark, sets={"note": "text"}),
        ],
    )  # fmt: skip
    clerk = Actor(id="ana", roles={"clerk"}, unit="north")
    created = Command(trigger="create", actor=clerk, now=START)
    noted = Command(trigger="note", actor=clerk, now=START, details=Remark(text="r4"))
    path = strategies.Path(
        lifecycle=definition,
        draft=Casework.draft(),
        commands=(created, noted),
        others=(ERRAND,),
        beside=((Casework.draft(), created),),
    )
    assert isinstance(path.record, Casework)
    assert path.record.note == "r4"
    assert without_digests(path.play(path.open())) == path.record
