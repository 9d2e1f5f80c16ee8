"""Erasing: what was named is gone from all that is stored, nothing else is, and the record goes on living."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from reportflow import (
    ANY,
    PARTY,
    PERSON,
    REFERENCE,
    SAME,
    Actor,
    AsyncReportFlow,
    Constant,
    ContentErased,
    Create,
    Details,
    DuplicateKey,
    Entry,
    Fire,
    Happened,
    InvalidDefinition,
    InvalidValue,
    Lifecycle,
    MemoryStore,
    Query,
    Record,
    RecordNotFound,
    ReportFlow,
    SqlStore,
    StaleRecord,
    State,
    Step,
    Store,
    Transition,
    TransitionRefused,
    replay,
)
from reportflow.office import (
    REPORT,
    Adoption,
    Author,
    Classification,
    Comment,
    Erasure,
    Instruction,
    Report,
    Revision,
    Uptake,
)
from reportflow.outbox.relay import Relay
from reportflow.serialization.digest import Sealed, commitment_of, digest_of, take_erased
from reportflow.serialization.plain import from_plain, to_plain
from reportflow.storage.memory import AsyncMemoryStore
from reportflow.storage.sql.aio import AsyncSqlStore

#: Everything in one unit, so that each act is the matter of its state alone.
UNIT = "office"
REGISTRAR = Actor(id="registrar", roles={"registrar"}, unit=UNIT)
STORES: Mapping[str, Callable[[], Store]] = {"memory": MemoryStore, "sqlite": lambda: SqlStore("sqlite://")}
on_each_store = pytest.mark.parametrize("new_store", list(STORES.values()), ids=list(STORES))


class Desk:
    """A flow whose every text is a token of its own; `places` says by which name each is erased."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.places: dict[str, str] = {}
        times = (datetime(2022, 1, 1, tzinfo=UTC) + timedelta(minutes=number) for number in count())
        self.flow = ReportFlow(store, REPORT, clock=times.__next__)
        self.id = ""

    def token(self, place: str) -> str:
        """A text that stands nowhere else."""
        token = f"tok{len(self.places):04}en"
        self.places[token] = place
        return token

    def person(self, number: int) -> Actor:
        """One of three persons with all roles, under a name of this moment."""
        roles = {"contributor", "editor", "reviewer", "registrar"}
        return Actor(id=f"p{number}", name=self.token(f"actor p{number}"), roles=roles, unit=UNIT)

    def authors(self, number: int) -> list[Author]:
        """An author who is an actor, and one who is none."""
        name = self.token("authors")
        return [Author(name=name, id=f"p{number}"), Author(name=self.token("authors"))]

    def create(self, number: int) -> None:
        """The report."""
        draft = Report.draft(
            title=self.token("title"),
            text=self.token("text"),
            authors=self.authors(number),
            topics=[self.token("topics")],
            origin=self.token("origin"),
        )
        self.id = self.flow.create(draft, by=self.person(number)).id

    def act(self, trigger: str, number: int) -> None:
        """One act, if it is allowed."""
        details: Mapping[str, Callable[[], object]] = {
            "revise": lambda: Revision(text=self.token("text")),
            "edit": lambda: Revision(text=self.token("text"), title=self.token("title")),
            "classify": lambda: Classification(topics=(self.token("topics"),), category=self.token("category")),
            "comment": lambda: Comment(text=self.token("comment.text")),
            "adopt": lambda: Adoption(body=self.token("adopt.body"), level="city", issue=self.token("adopt.issue")),
            "instruct": lambda: Instruction(
                leader=self.token("instruct.leader"), level="city", text=self.token("instruct.text")
            ),
            "absorb": lambda: Uptake(department=self.token("absorb.department"), measure=self.token("absorb.measure")),
        }
        known = dict(self.places)
        reason = self.token("reason")
        chosen = details.get(trigger, lambda: None)()
        try:
            self.flow.fire(self.id, trigger, chosen, by=self.person(number), reason=reason)
        except TransitionRefused:
            self.places = known

    @property
    def sealed(self) -> list[Sealed]:
        """All that is stored of the entries."""
        return self.store.sealed()

    def stored(self) -> str:
        """All that is stored, and all that is read."""
        everything = [self.sealed, self.store.get([self.id]), self.store.history([self.id]), self.store.feed()]
        if isinstance(self.store, SqlStore):
            with self.store.engine.connect() as connection:
                for table in ("record", "entry", "label"):
                    rows = connection.exec_driver_sql(f"SELECT * FROM reportflow_{table}").all()
                    everything.append([tuple(row) for row in rows])
        return repr(everything)

    def check(self, gone: set[str]) -> None:
        """Tokens of these places are nowhere, all others are where they were; fold, chain and commitments hold."""
        text = self.stored()
        for token, place in self.places.items():
            assert (token in text) == (place not in gone), (token, place)
        history = self.store.history([self.id])
        assert replay(history, REPORT) == self.store.get([self.id])[0]
        assert [item.entry for item in self.store.feed()] == history
        check_chain(self.sealed)


def check_chain(sealed: Sequence[Sealed]) -> None:
    """Each digest is that of its header behind the one before; each content that of its newest commitment."""
    newest: dict[int, str] = {}
    previous = ""
    for one in sealed:
        assert digest_of(previous, one) == one.digest
        previous = one.digest
        if one.details is not None:
            newest.update((erased.sequence, erased.commitment) for erased in take_erased(json.loads(one.details)))
    for one in sealed:
        made = commitment_of(one.salt, one.actor, one.reason, one.details, one.party)
        assert made == newest.get(one.sequence, one.commitment), one.sequence


TRIGGERS = st.sampled_from(
    ["revise", "edit", "edit", "classify", "review", "adopt", "instruct", "absorb", "comment", "return", "reopen"]
)
ACTS = st.lists(st.tuples(TRIGGERS, st.integers(0, 2)), max_size=10)
ERASABLE = (
    *("text", "title", "authors", "topics", "origin", "category", "reason", "actor", "comment.text"),
    *("adopt.body", "adopt.issue", "instruct.leader", "instruct.text", "absorb.department", "absorb.measure"),
)
NAMES = st.lists(st.sampled_from(ERASABLE), unique=True, min_size=1)


def _stands_for(name: str) -> set[str]:
    return {f"actor p{number}" for number in range(3)} if name == "actor" else {name}


@on_each_store
@given(acts=ACTS, names=NAMES, others=NAMES, more=ACTS)
def test_what_is_named_is_gone_and_nothing_else(
    new_store: Callable[[], Store],
    acts: list[tuple[str, int]],
    names: list[str],
    others: list[str],
    more: list[tuple[str, int]],
) -> None:
    """Of any history any names can be erased, twice over; headers stay as they were; and it goes on after that."""
    desk = Desk(new_store())
    desk.create(0)
    for trigger, number in acts:
        desk.act(trigger, number)
    gone: set[str] = set()
    for chosen in (names, others):
        before = desk.sealed
        record = desk.flow.fire(desk.id, "erase", Erasure(fields=chosen), by=REGISTRAR, reason="as asked")
        gone |= {place for name in chosen for place in _stands_for(name)}
        assert record == desk.store.get([desk.id])[0]
        desk.check(gone)
        content: dict[str, Any] = {"actor": "", "reason": "", "details": "", "party": "", "salt": ""}
        assert [one._replace(**content) for one in before] == [one._replace(**content) for one in desk.sealed[:-1]]
        touched = {one.sequence for one in desk.store.history([desk.id])[-1].erased}
        for old, new in zip(before, desk.sealed, strict=False):
            assert (old.salt != new.salt) == (old.sequence in touched) == (old != new)
    known = len(desk.places)
    for trigger, number in more:
        desk.act(trigger, number)
    desk.places = dict(list(desk.places.items())[known:])
    desk.check(set())
    desk.store.close()


@on_each_store
@given(acts=ACTS, number=st.integers(0, 2))
def test_a_person_is_gone_from_all_that_is_theirs(
    new_store: Callable[[], Store], acts: list[tuple[str, int]], number: int
) -> None:
    """Of a person nothing is left but the id: as an actor, and as a member of a collection."""
    desk = Desk(new_store())
    desk.create(0)
    for trigger, who in acts:
        desk.act(trigger, who)
    about = number == 0 or any(one.actor.id == f"p{number}" for one in desk.store.history([desk.id]))
    erasure = Erasure(person=f"p{number}")
    if not about:
        with pytest.raises(InvalidValue, match=f"p{number}"):
            desk.flow.fire(desk.id, "erase", erasure, by=REGISTRAR, reason="as asked")
        return
    record = desk.flow.fire(desk.id, "erase", erasure, by=REGISTRAR, reason="as asked")
    desk.check({f"actor p{number}", *(["authors"] if number == 0 else [])})
    assert (record.labels()["author"] == ()) == (number == 0)
    assert desk.flow.find(Query(author=f"p{number}"), by=REGISTRAR).records == ()


# ---------------------------------------------------------------------------------------------------------------
# Examples a person reads


@pytest.fixture(params=list(STORES.values()), ids=list(STORES))
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A report that was edited, adopted and commented on."""
    made = Desk(request.param())
    made.create(0)
    for trigger, number in (("edit", 1), ("comment", 0), ("review", 2), ("adopt", 1), ("instruct", 2)):
        made.act(trigger, number)
    yield made
    made.store.close()


def erase(desk: Desk, *fields: str, **how: Any) -> Record:
    """Erase by a plain call of `fire`."""
    return desk.flow.fire(desk.id, "erase", Erasure(fields=fields, **how), by=REGISTRAR, reason="as asked")


def test_readers_see_what_was_erased(desk: Desk) -> None:
    """The entry of the act names each entry that it touched, its fields and the new commitment; plain data too."""
    erase(desk, "text", "comment.text")
    entry = desk.flow.history(desk.id, by=REGISTRAR)[-1]
    assert [(one.sequence, one.fields) for one in entry.erased] == [(1, ("text",)), (2, ("text",)), (3, ("text",))]
    by_sequence = {one.sequence: one for one in desk.sealed}
    for one in entry.erased:
        sealed = by_sequence[one.sequence]
        made = commitment_of(sealed.salt, sealed.actor, sealed.reason, sealed.details, sealed.party)
        assert made == one.commitment != sealed.commitment
    assert entry.details == Erasure(fields=("text", "comment.text"))
    assert from_plain(to_plain(entry), Entry, REPORT.classes) == entry
    assert all(one.erased == () for one in desk.store.history([desk.id])[:-1])


def test_figures_stay_but_those_of_what_was_erased(desk: Desk) -> None:
    """Counts by trigger, state, level, code, unit and actor stay; those by party, author and topic lose it."""
    groups = ("trigger", "source", "dest", "level", "code", "actor", "state", "unit")

    def counted() -> list[Any]:
        past = Happened(trigger=set(REPORT.triggers) - {"erase"})
        return [desk.flow.count(Query(happened=past), by=REGISTRAR, of="entries", group=one) for one in groups]

    before = counted()
    erase(desk, "authors", "topics", "instruct.leader", "adopt.body", "reason", "actor")
    assert counted() == before
    for group in ("party", "author", "topic"):
        assert {name for (name,) in desk.flow.count(Query(), by=REGISTRAR, of="entries", group=group)} <= {None, ""}


def test_what_was_erased_reads_as_blank(desk: Desk) -> None:
    """Texts read as "", optional fields as None, collections as (), an actor as the id."""
    erase(desk, "text", "title", "authors", "reason", "actor")
    created, edited, *_ = desk.store.history([desk.id])
    assert isinstance(created.details, Report)
    assert (created.details.text, created.details.title, created.details.authors) == ("", "", ())
    assert isinstance(edited.details, Revision)
    assert (edited.details.text, edited.details.title) == ("", None)
    assert (created.actor, edited.actor) == (Actor(id="p0"), Actor(id="p1"))
    assert (created.reason, edited.reason) == ("", "")


def test_a_record_without_title_and_authors_goes_on(desk: Desk) -> None:
    """Validators judge only what a row changes: a blank title stands in nobody's way, a new blank one does."""
    erase(desk, "text", "title", "authors")
    record = desk.flow.fire(desk.id, "absorb", Uptake(department="d"), by=REGISTRAR)
    assert (record.title, record.version) == ("", 8)
    other = Desk(desk.store)
    other.create(0)
    erase(other, "text", "title", "authors")
    edited = desk.flow.fire(other.id, "edit", Revision(text="new"), by=other.person(1), type=Report)
    assert (edited.title, edited.text) == ("", "new")
    assert desk.flow.fire(other.id, "edit", Revision(text="new", title="t"), by=other.person(1)).title == "t"
    assert desk.flow.get(other.id, by=REGISTRAR, type=Report).authors == ()


@pytest.mark.parametrize(
    ("fields", "problem", "named"),
    [
        (["state"], "erases_reference", "state"),
        (["secrecy"], "erases_reference", "secrecy"),
        (["created_by"], "erases_reference", "created_by"),
        (["merged_into"], "erases_reference", "merged_into"),
        (["credits"], "erases_reference", "credits"),
        (["commission"], "erases_reference", "commission"),
        (["merge.target"], "erases_reference", "merge.target"),
        (["credit.source"], "erases_reference", "credit.source"),
        (["assign.assignee"], "erases_reference", "assign.assignee"),
        (["text", "revision"], "not_erasable", "revision"),
        (["source"], "not_erasable", "source"),
        (["reject.code"], "not_erasable", "reject.code"),
        (["instruct.level"], "not_erasable", "instruct.level"),
        (["texts"], "not_to_erase", "texts"),
        (["comment.texts"], "not_to_erase", "comment.texts"),
        (["commend.text"], "not_to_erase", "commend.text"),
        ([""], "not_to_erase", ""),
        (["edit.text"], "erases_other", "edit.text"),
        (["topics", "edit.title"], "erases_other", "edit.title"),
        ([], "empty", ""),
    ],
)
def test_what_may_not_be_erased_is_named(desk: Desk, fields: list[str], problem: str, named: str) -> None:
    """References, what figures count by, and what is unknown are refused by name, and nothing is written."""
    before = desk.stored()
    for call in (
        lambda: erase(desk, *fields),
        lambda: desk.flow.erase(desk.id, fields=fields, by=REGISTRAR, reason="as asked"),
        lambda: desk.flow.erase(desk.id, fields=fields, by=REGISTRAR, reason="as asked", plan=True),
        lambda: desk.flow.erase(Query(), fields=fields, by=REGISTRAR, reason="as asked"),
    ):
        with pytest.raises(InvalidValue) as caught:
            call()
        assert caught.value.problem == problem
        assert caught.value.details.get("given", named) == named
    assert desk.stored() == before


def test_a_person_who_is_nowhere(desk: Desk) -> None:
    """A person whom no record tells of is a clear error, alone and over a query, and nothing is written."""
    before = desk.stored()
    for target in (desk.id, Query(), Query(category="none such")):
        with pytest.raises(InvalidValue) as caught:
            desk.flow.erase(target, person="nobody", by=REGISTRAR, reason="as asked")
        assert (caught.value.field, caught.value.problem) == ("person", "person_nowhere")
    assert desk.stored() == before


def test_what_one_may_not_see_is_not_there(desk: Desk) -> None:
    """A record that the actor may not see is not found, by no call; one that they see and may not erase is refused."""
    stranger, auditor = attrs.evolve(REGISTRAR, unit="elsewhere"), attrs.evolve(REGISTRAR, roles={"auditor"})
    for plan in (True, False):
        with pytest.raises(RecordNotFound):
            desk.flow.erase(desk.id, fields=["text"], by=stranger, reason="as asked", plan=plan)
        assert desk.flow.erase(Query(), fields=["text"], by=stranger, reason="as asked", plan=plan).records == ()
        with pytest.raises(TransitionRefused):
            desk.flow.erase(Query(), fields=["text"], by=auditor, reason="as asked", plan=plan)
        with pytest.raises(TransitionRefused):
            desk.flow.erase(desk.id, fields=["text"], by=REGISTRAR, plan=plan)


def test_a_plan_says_what_and_how_much_and_writes_nothing(desk: Desk) -> None:
    """A rehearsal names each entry and field and the bytes that go; the erasure then does just that, once."""
    before = desk.sealed
    plan = desk.flow.erase(Query(), fields=["text", "reason"], by=REGISTRAR, reason="as asked", plan=True)
    assert desk.sealed == before
    done = desk.flow.erase(Query(), fields=["text", "reason"], by=REGISTRAR, reason="as asked", key="k")
    assert done == plan
    [one] = plan.records
    entry = desk.store.history([desk.id])[-1]
    assert [tuple(part) for part in one.entries] == [(part.sequence, part.fields) for part in entry.erased]

    def size(sealed: Sequence[Sealed]) -> int:
        return sum(len((text or "").encode()) for one in sealed for text in (one.reason, one.details))

    assert plan.size == size(before) - size(desk.sealed[:-1]) > 0
    again = desk.flow.erase(Query(), fields=["text", "reason"], by=REGISTRAR, reason="as asked", key="k")
    assert (again.records, again.skipped) == ((), (desk.id,))
    assert len(desk.sealed) == len(before) + 1


def test_erasing_over_a_query_can_be_made_again(desk: Desk) -> None:
    """What an interrupted call erased is skipped by the next one; each record has its own commit and key."""
    ids = [desk.id]
    for number in (0, 1, 2):
        other = Desk(desk.store)
        other.create(number)
        ids.append(other.id)
    desk.flow.erase(sorted(ids)[0], person="p0", by=REGISTRAR, reason="as asked")
    done = desk.flow.erase(Query(kind="report"), person="p0", by=REGISTRAR, reason="as asked", key="case 7")
    # the person is in two of the four records: one was erased before, and those without the person are not named
    assert {one.id for one in done.records} | set(done.skipped) < set(ids)
    assert sorted(ids)[0] in done.skipped
    for one in done.records:
        assert desk.store.by_key("registrar", f"case 7/{one.id}") == desk.store.history([one.id])[-1]
    again = desk.flow.erase(Query(kind="report"), person="p0", by=REGISTRAR, reason="as asked", key="case 7")
    assert again.records == ()


def test_a_keyed_retry_that_meets_erased_content_is_told(desk: Desk) -> None:
    """It cannot be told any more whether it is the same request; another record's is a duplicate as ever."""
    by = desk.person(1)
    told = Comment(text="keyed")
    desk.flow.fire(desk.id, "comment", told, by=by, key="k")
    draft = Report.draft(title="t", text="t", authors=[Author(name="a")])
    made = desk.flow.create(draft, by=by, key="c")
    assert desk.flow.create(draft, by=by, key="c") == made
    erase(desk, "comment.text")
    desk.flow.erase(made, fields=["text"], by=REGISTRAR, reason="as asked")
    calls: list[Callable[[], object]] = [
        lambda: desk.flow.fire(desk.id, "comment", told, by=by, key="k"),
        lambda: desk.flow.fire(desk.id, "comment", Comment(text="another"), by=by, key="k"),
        lambda: desk.flow.create(draft, by=by, key="c"),
    ]
    for call in calls:
        with pytest.raises(ContentErased) as caught:
            call()
        assert caught.value.sequence in (1, 7)
    with pytest.raises(DuplicateKey):
        desk.flow.fire(made.id, "comment", told, by=by, key="k")
    [outcome] = desk.flow.run([Fire(desk.id, "comment", told, by=by, key="k")], on_error="skip")
    assert isinstance(outcome.error, ContentErased)


def test_a_keyed_request_of_which_nothing_that_counts_was_erased_is_repeated(desk: Desk) -> None:
    """What is compared is still there: the actor's name is no part of it."""
    by = desk.person(1)
    first = desk.flow.fire(desk.id, "comment", Comment(text="keyed"), by=by, key="k")
    erase(desk, "comment.actor")
    assert desk.flow.fire(desk.id, "comment", Comment(text="keyed"), by=by, key="k").version == first.version


def test_a_batch_never_stores_what_it_erases(desk: Desk) -> None:
    """What is created and erased in one commit was never stored; a request that is refused erases nothing."""
    draft = Report.draft(title="unstored", text="unstored", authors=[Author(name="a")])
    flow = ReportFlow(desk.store, REPORT, new_id=lambda: "new")
    *_, last = flow.batch(
        [
            Create(draft, by=desk.person(0)),
            Fire("new", "edit", Revision(text="unstored too"), by=desk.person(1)),
            Fire("new", "erase", Erasure(fields=("text", "title")), by=REGISTRAR, reason="as asked"),
            Fire("new", "erase", Erasure(fields=("authors",)), by=REGISTRAR, reason="as asked"),
            Fire("new", "comment", Comment(text="done"), by=REGISTRAR),
        ]
    )
    assert replay(desk.store.history(["new"]), REPORT) == desk.store.get(["new"])[0] == last
    assert "unstored" not in repr(desk.store.sealed())
    check_chain([one for one in desk.store.sealed() if one.record_id == "new"])
    before = desk.stored()
    with pytest.raises(TransitionRefused):
        desk.flow.batch(
            [
                Fire(desk.id, "erase", Erasure(fields=("text",)), by=REGISTRAR, reason="as asked"),
                Fire(desk.id, "erase", Erasure(fields=("text",)), by=REGISTRAR),
            ]
        )
    assert desk.stored() == before


def test_many_requests_erase_each_for_itself(desk: Desk) -> None:
    """In a `run` an erasure stands beside other acts on the same record, and a refused one takes nothing along."""
    wrong = Fire(desk.id, "erase", Erasure(fields=("state",)), by=REGISTRAR, reason="as asked")
    right = Fire(desk.id, "erase", Erasure(fields=("comment.text", "text")), by=REGISTRAR, reason="as asked")
    comment = Fire(desk.id, "comment", Comment(text="later"), by=REGISTRAR)
    outcomes = list(desk.flow.run([comment, wrong, right, comment, wrong, right, comment], on_error="skip"))
    assert [one.error is None for one in outcomes] == [True, False, True, True, False, True, True]
    desk.check({"comment.text", "text"})
    assert "later" in repr(desk.sealed[-1])
    assert repr(desk.sealed).count("later") == 1


def test_a_stale_record_is_not_erased(desk: Desk) -> None:
    """Who names the version that they saw is told that it moved; the object itself, and what commutes, too."""
    seen = desk.flow.get(desk.id, by=REGISTRAR)
    desk.act("comment", 0)
    before = desk.stored()
    with pytest.raises(StaleRecord):
        desk.flow.fire(seen, "erase", Erasure(fields=("text",)), by=REGISTRAR, reason="as asked")
    with pytest.raises(StaleRecord):
        desk.flow.erase(seen, fields=["text"], by=REGISTRAR, reason="as asked")
    with pytest.raises(StaleRecord):
        desk.flow.erase(attrs.evolve(seen), fields=["text"], by=REGISTRAR, reason="as asked")
    assert desk.stored() == before


def test_what_was_altered_is_not_erased() -> None:
    """Stored content that is not what was committed, or has no salt, is an error with its place: nothing is written."""
    for column, value, problem in (
        ("salt", "", "salt_missing"),
        ("reason", "forged", "altered"),
        ("salt", "x", "altered"),
    ):
        store = SqlStore("sqlite://")
        desk = Desk(store)
        desk.create(0)
        desk.act("edit", 1)
        with store.engine.connect() as connection:
            connection.exec_driver_sql(f"UPDATE reportflow_entry SET {column} = '{value}' WHERE sequence = 2")
        before = desk.stored()
        for plan in (True, False):
            with pytest.raises(InvalidValue) as caught:
                desk.flow.erase(desk.id, fields=["text"], by=REGISTRAR, reason="as asked", plan=plan)
            assert caught.value.problem == problem
            assert caught.value.details == {"id": desk.id, "sequence": 2}
        assert desk.stored() == before
        store.close()


def test_the_relay_publishes_the_act_and_what_remains(desk: Desk) -> None:
    """An entry that was erased before it was published is published erased, and the act that erased it with it."""
    erase(desk, "text", "comment.text", "actor")
    messages: list[Any] = []
    Relay(desk.store, messages.append).run_once()
    bodies = [bytes(one.body).decode() for one in messages]
    assert len(bodies) == 7
    for token, place in desk.places.items():
        assert any(token in body for body in bodies) == (place not in {"text", "comment.text"} and "actor" not in place)
    assert messages[-1].entry.erased
    assert '"erased"' in bodies[-1]


def test_inside_a_transaction_of_the_host(tmp_path: Any) -> None:
    """A bound flow erases where the host commits, and leaves all as it was where the host rolls back."""
    desk = Desk(SqlStore(f"sqlite:///{tmp_path}/host.db"))
    desk.create(0)
    desk.act("edit", 1)
    engine = create_engine(f"sqlite:///{tmp_path}/host.db")
    before = desk.stored()
    for commit in (False, True):
        with engine.connect() as connection:
            bound = desk.flow.bound_to(connection)
            bound.erase(desk.id, fields=["text"], by=REGISTRAR, reason="as asked")
            (connection.commit if commit else connection.rollback)()
        assert (desk.stored() == before) is not commit
    desk.check({"text"})
    desk.store.close()
    engine.dispose()


@pytest.mark.parametrize("new_store", [AsyncMemoryStore, lambda: AsyncSqlStore("sqlite+aiosqlite://")])
def test_awaited(new_store: Callable[[], Any]) -> None:
    """The asynchronous flow erases and plans as the blocking one does."""

    async def run() -> None:
        async with AsyncReportFlow(new_store(), REPORT) as flow:
            by = Actor(id="p0", name="token", roles={"contributor"}, unit=UNIT)
            made = await flow.create(Report.draft(title="token", text="token", authors=[Author(name="a")]), by=by)
            asked: dict[str, Any] = {"fields": ["text", "title"], "person": "p0", "by": REGISTRAR, "reason": "as asked"}
            plan = await flow.erase(made.id, **asked, plan=True)
            assert await flow.erase(Query(), **asked) == plan
            assert plan.records[0].entries == ((1, ("actor", "text", "title")),)
            history = await flow.store.history([made.id])
            assert "token" not in repr([history, await flow.store.sealed()])
            assert replay(history, REPORT) == (await flow.store.get([made.id]))[0]

    asyncio.run(run())


# ---------------------------------------------------------------------------------------------------------------
# Other tables


@attrs.frozen(kw_only=True)
class Matter(Record):
    note: str = ""
    copy: str = ""
    other: str | None = None
    people: tuple[Author, ...] = ()
    lead: Author | None = None


@attrs.frozen(kw_only=True)
class Told(Details):
    note: str = ""
    to: str | None = None
    who: str | None = attrs.field(default=None, metadata=PARTY)
    people: tuple[Author, ...] = ()


@attrs.frozen(kw_only=True)
class Forget(Details):
    names: tuple[str, ...] = ()
    whom: str | None = attrs.field(default=None, metadata=PERSON)


FIELDS = ("note", "copy", "other", "people", "lead")
CLERK = Actor(id="clerk", name="the clerk's name", roles={"clerk"})


def _told(before: Matter, entry: Entry) -> list[Step]:
    assert isinstance(entry.details, Told)
    draft = Matter.draft(title="child", note=entry.details.note)
    return [] if entry.details.to is None else [Step(target=draft, trigger="open")]


def matter(*rows: Transition, sets: Mapping[str, object] | None = None, then: Any = None) -> Lifecycle:
    """A lifecycle with one row that tells, and others."""
    return Lifecycle(
        name="matter",
        version=1,
        record=Matter,
        roles={"clerk": ANY},
        states=[State("open", final=True)],
        transitions=[
            Transition("open", source=None, dest="open", roles="clerk", accepts=("title", *FIELDS)),
            Transition("tell", source="open", dest=SAME, roles="clerk", details=Told, sets=sets or {}, then=then),
            *rows,
        ],
    )


def forget(erases: Any = "names", details: Any = Forget, **how: Any) -> Transition:
    """A row that erases."""
    return Transition("forget", source="open", dest=SAME, roles="clerk", details=details, erases=erases, **how)


def opened(lifecycle: Lifecycle, *told: Told, store: Store | None = None, **fields: Any) -> tuple[ReportFlow, Matter]:
    """A record that was told of."""
    flow = ReportFlow(store or MemoryStore(), lifecycle)
    record = flow.create(Matter.draft(**fields), by=CLERK)
    for one in told:
        record = flow.fire(record, "tell", one, by=CLERK)
    return flow, record


@pytest.mark.parametrize(
    "erases",
    [("note", "tell.who"), Constant(("note", "tell.who")), lambda before, entry: [before.note and "note", "tell.who"]],
    ids=["tuple", "constant", "function"],
)
def test_a_row_may_say_itself_what_it_erases(erases: Any) -> None:
    """Names as a tuple or a constant, or a pure function of record and entry; the row then needs no details."""
    store, told = SqlStore("sqlite://"), Told(note="n", who="somebody")
    flow, record = opened(matter(forget(erases, None), sets={"note": "note"}), told, note="first", store=store)
    plan = flow.erase(record.id, by=CLERK)
    assert [one.entries for one in plan.records] == [((1, ("note",)), (2, ("note", "who")))]
    entry = flow.store.history([record.id])[-1]
    assert entry.details is None
    assert len(entry.erased) == 2
    assert "somebody" not in repr(store.sealed())
    asked: list[dict[str, Any]] = [{"fields": ["note"]}, {"person": "clerk"}]
    for named in asked:
        with pytest.raises(InvalidValue) as caught:
            flow.erase(record.id, by=CLERK, **named)
        assert caught.value.problem == "names_fixed"


def test_a_lifecycle_without_a_row_that_erases() -> None:
    """There is a clear error, over a query too, and nothing is written."""
    flow, record = opened(matter(), note="n")
    for target in (record.id, record, Query()):
        with pytest.raises(InvalidValue) as caught:
            flow.erase(target, fields=["note"], by=CLERK)
        assert caught.value.problem == "nothing_erases"
    assert len(flow.store.history([record.id])) == 1


def test_what_a_function_makes_of_it_is_erased_with_it_or_refused() -> None:
    """By folding: nothing that was not named may change, and nothing that was named may stay."""
    sets = {"note": "note", "copy": lambda before, entry: entry.details.note or before.copy}
    flow, record = opened(matter(forget(), sets=sets), Told(note="n"))
    for names, problem in ((["note"], "erases_other"), (["tell.note"], "erases_other"), (["copy"], "erases_derived")):
        with pytest.raises(InvalidValue) as caught:
            flow.erase(record.id, fields=names, by=CLERK)
        assert caught.value.problem == problem
    erased = flow.erase(record.id, fields=["copy", "note"], by=CLERK)
    assert erased.records[0].entries == ((2, ("note",)),)
    after = flow.get(record.id, by=CLERK, type=Matter)
    assert (after.note, after.copy) == ("", "")


def test_a_fixed_text_is_nobodys() -> None:
    """A constant that a row sets stays: it tells of nobody."""
    flow, record = opened(matter(forget(), sets={"note": Constant("closed")}), Told(), note="n")
    flow.erase(record.id, fields=["note"], by=CLERK)
    assert flow.get(record.id, by=CLERK, type=Matter).note == "closed"
    assert replay(flow.store.history([record.id])[:1], flow.lifecycles).note == ""  # type: ignore[attr-defined]


def test_what_a_rule_cannot_do_without_stays() -> None:
    """Where the fold or a step of the past would fail or differ without it, it is refused."""

    def strict(before: Matter, entry: Entry) -> str:
        assert isinstance(entry.details, Told)
        return {"n": "known"}[entry.details.note]

    flow, record = opened(matter(forget(), sets={"other": strict}), Told(note="n"))
    with pytest.raises(InvalidValue) as caught:
        flow.erase(record.id, fields=["tell.note"], by=CLERK)
    assert caught.value.problem == "erases_breaks"
    flow, record = opened(matter(forget(), then=_told), Told(note="n", to="x"))
    with pytest.raises(InvalidValue) as caught:
        flow.erase(record.id, fields=["tell.to"], by=CLERK)
    assert caught.value.problem == "erases_reference"
    flow.erase(record.id, fields=["tell.note"], by=CLERK)  # the step's draft has a copy of it, which stays there


def test_a_person_is_found_in_collections_members_and_parties() -> None:
    """Whole collections with a member of that id, an optional member, and a party of that id; other entries stay."""
    people = (Author(name="A", id="a"), Author(name="B", id="b"))
    told = (Told(note="1", people=people, who="a"), Told(note="2", people=people[1:], who="b"))
    flow, record = opened(matter(forget(), sets={"people": "people"}), *told, people=people, lead=people[0])
    plan = flow.erase(record.id, person="a", by=CLERK)
    assert plan.records[0].entries == ((1, ("lead", "people")), (2, ("people", "who")))
    assert flow.get(record.id, by=CLERK, type=Matter).people == people[1:]
    flow.erase(record.id, person="clerk", by=CLERK)
    assert "the clerk's name" not in repr(flow.store.history([record.id])[:-1])


def test_values_of_each_type_are_erased_or_refused_by_the_table() -> None:
    """A row that erases names by itself what may be erased: all else is a fault of the definition."""
    for erases, code in (
        ("fields", "erases_unknown_detail"),
        (("state",), "erases_unknown_name"),
        (("nothing",), "erases_unknown_name"),
        ((1,), "erases_unknown_name"),
        (Constant("tell.nothing"), "erases_unknown_name"),
    ):
        with pytest.raises(InvalidDefinition) as caught:
            matter(forget(erases))
        assert [fault.code for fault in caught.value.faults] == [code]
    with pytest.raises(InvalidDefinition) as caught:
        matter(Transition("open2", source=None, dest="open", roles="clerk", erases=("note",)))
    assert [fault.code for fault in caught.value.faults] == ["erases_nothing"]


def test_a_field_marked_as_a_reference_stays() -> None:
    """A host marks its own references, of the record and of details."""

    @attrs.frozen(kw_only=True)
    class Linked(Details):
        link: str = attrs.field(default="", metadata={**PARTY, **REFERENCE})

    row = Transition("link", source="open", dest=SAME, roles="clerk", details=Linked)
    flow, record = opened(matter(forget(), row))
    flow.fire(record, "link", Linked(link="l"), by=CLERK)
    with pytest.raises(InvalidValue) as caught:
        flow.erase(record.id, fields=["link.link"], by=CLERK)
    assert caught.value.problem == "erases_reference"


@pytest.mark.parametrize(
    ("target", "how", "field"),
    [
        (5, {}, "target"),
        (None, {}, "target"),
        ("r1", {"fields": 5}, "fields"),
        ("r1", {"fields": ["text", 5]}, "fields"),
        ("r1", {"fields": ["te\0xt"]}, "fields"),
        ("r1", {"person": "p\0"}, "person"),
        ("r1", {"fields": ["text"], "reason": 7}, "reason"),
    ],
)  # fmt: skip
def test_a_call_of_the_wrong_kind_is_refused_by_its_argument(desk: Desk, target: Any, how: Any, field: str) -> None:
    """What is no record, id or query, no names, or no text is an `InvalidValue` about that argument."""
    with pytest.raises(InvalidValue) as refused:
        desk.flow.erase(target, by=REGISTRAR, **how)
    assert refused.value.field == field


def test_a_plan_counts_entries_and_bytes(desk: Desk) -> None:
    """A plan says how many entries it touches and how many bytes go, in all, as its records say one by one."""
    plan = desk.flow.erase(desk.id, by=REGISTRAR, fields=["text"], reason="asked for", plan=True)
    assert plan.entries == sum(len(one.entries) for one in plan.records) > 0
    assert plan.size == sum(one.size for one in plan.records) > 0
