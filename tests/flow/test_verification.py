"""What a verification reads, says and holds, and the heads that are kept elsewhere."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    UNIT,
    Actor,
    InvalidValue,
    Lifecycle,
    MemoryStore,
    Page,
    Query,
    Record,
    ReportFlow,
    SqlStore,
    State,
    Transition,
    open_async_flow,
)
from reportflow.flow import verification
from reportflow.flow.verification import Verification
from reportflow.lifecycle.chain import Flaw
from reportflow.office import REPORT, Comment
from reportflow.serialization.digest import ERASED, Sealed, commitment_of, digest_of
from tests.tampering import LI, STRANGER, Stored, clock, codes, office, play


@pytest.fixture
def flow() -> ReportFlow:
    """Four reports in memory, r1 to r4, with 14 entries."""
    made = office(MemoryStore())
    play(made)
    return made


# -- what is verified ---------------------------------------------------------------------------------------------


def test_nothing_is_wrong(flow: ReportFlow) -> None:
    """A store that was only written by its flow has no flaw, and each record and entry was counted."""
    found = flow.verify()
    assert found == Verification(records=4, entries=14, reached="r4", finished=True)
    assert found.ok


def test_an_empty_store_has_no_flaw() -> None:
    """Of nothing, nothing is wrong."""
    assert ReportFlow(MemoryStore(), REPORT).verify() == Verification(finished=True)


@given(
    id=st.sampled_from(["r1", "r2", "r3", "r4"]),
    column=st.sampled_from([name for name in Sealed._fields if name != "position"]),
    sequence=st.integers(1, 6),
    value=st.one_of(st.none(), st.text(max_size=3), st.integers(0, 9), st.just("ä" * 64)),
)
def test_any_other_value_of_a_column_is_found(id: str, column: str, sequence: int, value: Any) -> None:
    """Whatever else stands in a column of an entry, of whatever type, is found, and the record is named."""
    flow = office(MemoryStore())
    play(flow)
    stored = Stored(flow, id)
    sequence = min(sequence, len(stored.rows))
    if getattr(stored[sequence], column) == value or (column == "record_id" and not isinstance(value, str)):
        return
    stored.change(sequence, **{column: value})
    assert id in {flaw.record_id for flaw in flow.verify().flaws}


@given(
    st.sampled_from(["r1", "r2", "r3", "r4"]), st.sampled_from(["title", "unit", "head", "text", "number", "assignee"])
)
def test_any_field_of_a_record_is_named(id: str, field: str) -> None:
    """A record that is not what its entries lead to is named with the fields that differ."""
    flow = office(MemoryStore())
    play(flow)
    object.__setattr__(flow.store.get([id])[0], field, "other")
    assert flow.verify().flaws == (Flaw(code="record_differs", record_id=id, fields=(field,)),)


def test_a_rewritten_chain_is_found_by_the_record_only(flow: ReportFlow) -> None:
    """Digests computed anew agree with each other: the record still says what was done, and noted heads say it too."""
    stored = Stored(flow, "r3")
    stored.change(3, reason="because I say so")
    stored.chain()
    assert flow.verify().ok  # a reason is no field of a record: without heads kept elsewhere nothing shows it


def test_unknown_kinds_are_listed_apart(flow: ReportFlow) -> None:
    """Chains of records for which there is no definition are verified all the same, and counted by kind and version."""
    other = Lifecycle(
        name="parcel", version=3, record=Record, roles={"editor": UNIT}, states=[State("sent", final=True)],
        transitions=[Transition("send", source=None, dest="sent", roles={"editor"}, accepts={"id"})],
    )  # fmt: skip
    both = ReportFlow(flow.store, [REPORT, other], clock=clock())
    parcel = both.create(Record.draft(kind="parcel", id="p1"), by=LI)
    found = flow.verify()
    assert found.ok
    assert (found.records, found.unknown) == (5, {("parcel", 3): 1})
    assert both.verify().unknown == {}

    Stored(flow, parcel.id).change(1, dest="lost")
    assert codes(flow.verify()) == [("altered", "p1", 1)]
    Stored(flow, parcel.id).change(1, dest="sent")
    object.__setattr__(both.store.get(["p1"])[0], "version", 7)
    assert codes(flow.verify()) == [("missing", "p1", 2)]


def test_an_entry_that_its_definition_does_not_know(flow: ReportFlow) -> None:
    """A record whose definition has lost a row cannot be folded: the first such entry is named."""
    rows = [one for one in REPORT.transitions if one.trigger != "instruct" or "instructed" in one.sources]
    reached = attrs.evolve(rows[0], trigger="enter", dest="instructed")  # else nothing leads there
    smaller = attrs.evolve(REPORT, transitions=[*rows, reached])
    assert codes(ReportFlow(flow.store, smaller).verify()) == [("no_fold", "r1", 5)]


# -- erasures -----------------------------------------------------------------------------------------------------


def erase(flow: ReportFlow, sequence: int, *, salt: str = "0f" * 16, **remains: str | None) -> None:
    """Erase content of an entry of r3 by hand, as the last entry of its history says."""
    stored = Stored(flow, "r3")
    stored.change(sequence, salt=salt, **remains)
    one, last = stored[sequence], len(stored.rows)
    left = commitment_of(salt, one.actor, one.reason, one.details, one.party)
    details = json.loads(stored[last].details or "{}")
    details.setdefault(ERASED, []).append([sequence, sorted(remains), left])
    stored.change(last, details=json.dumps(details))
    contents = stored[last].actor, stored[last].reason, stored[last].details, stored[last].party
    stored.change(last, commitment=commitment_of(stored[last].salt, *contents))
    digest = digest_of(stored[last - 1].digest, stored[last])
    stored.change(last, digest=digest)
    object.__setattr__(flow.store.get(["r3"])[0], "head", digest)


@pytest.fixture
def erased(flow: ReportFlow) -> ReportFlow:
    """The comment, which is the second entry of r3, was erased by its fourth."""
    flow.fire("r3", "comment", Comment(text="erased"), by=LI)
    details = json.loads(str(Stored(flow, "r3")[2].details))
    erase(flow, 2, details=json.dumps({**details, "text": ""}))
    return flow


def test_an_erasure_holds(erased: ReportFlow) -> None:
    """Content that gives the commitment which an erasure left for it is no flaw, and the old one stays in the chain."""
    assert erased.verify().ok
    stored = Stored(erased, "r3")
    contents = stored[2].actor, stored[2].reason, stored[2].details, stored[2].party
    assert commitment_of(stored[2].salt, *contents) != stored[2].commitment


def test_the_newest_erasure_counts(erased: ReportFlow) -> None:
    """What is erased twice must give the last commitment; that of the first does not do any more."""
    before = Stored(erased, "r3")[2]
    erased.fire("r3", "comment", Comment(text="again"), by=LI)
    erase(erased, 2, salt="1e" * 16, actor='{"id":"li"}')
    assert erased.verify().ok
    Stored(erased, "r3").change(2, actor=before.actor, salt=before.salt)
    assert codes(erased.verify()) == [("content_altered", "r3", 2)]


def test_erased_content_that_is_back(flow: ReportFlow) -> None:
    """Content that was put back after it was erased is found, though it gives the commitment of the chain."""
    before = Stored(flow, "r3")[2]
    flow.fire("r3", "comment", Comment(text="erased"), by=LI)
    erase(flow, 2, details=None)
    assert flow.verify().ok
    Stored(flow, "r3").change(2, details=before.details, salt=before.salt)
    assert codes(flow.verify()) == [("content_back", "r3", 2)]


def test_content_that_is_gone_without_an_erasure(flow: ReportFlow) -> None:
    """Content that is missing, and that no erasure names, is found; an erasure of another entry does not excuse it."""
    flow.fire("r3", "comment", Comment(text="erased"), by=LI)
    erase(flow, 3, reason="")
    assert flow.verify().ok
    Stored(flow, "r3").change(2, details=None, salt="")
    assert codes(flow.verify()) == [("content_missing", "r3", 2)]


def test_an_erasure_excuses_no_later_entry(erased: ReportFlow) -> None:
    """An erasure says nothing of entries behind it: what it names there must give its own commitment still."""
    erased.fire("r3", "comment", Comment(text="later"), by=LI)
    stored = Stored(erased, "r3")
    later = stored[5]._replace(reason="altered")
    left = commitment_of(later.salt, later.actor, later.reason, later.details, later.party)
    details = json.loads(str(stored[4].details))
    details[ERASED].append([5, ["reason"], left])
    stored.change(4, details=json.dumps(details))
    stored.chain(2)
    assert erased.verify().ok
    stored.change(5, reason="altered")
    assert codes(erased.verify()) == [("content_altered", "r3", 5)]


# -- who asks, from where, and how far ----------------------------------------------------------------------------


def test_an_actor_is_shown_what_they_may_see(flow: ReportFlow) -> None:
    """With `by=` only records that the actor may see are counted and named: not those of others, nor what is secret."""
    for id in ("r1", "r2"):
        Stored(flow, id).change(1, reason="?")
    assert codes(flow.verify(by=LI)) == [("content_altered", "r1", 1), ("content_altered", "r2", 1)]
    assert flow.verify(by=STRANGER) == Verification(finished=True)
    clerk = Actor(id="xu", roles={"editor"}, unit="yulin")  # r2 is secret
    found = flow.verify(by=clerk)
    assert (found.records, codes(found)) == (3, [("content_altered", "r1", 1)])
    assert len(list(flow.heads(by=clerk))) == 3 + 2


def test_it_stops_and_goes_on(flow: ReportFlow) -> None:
    """After so many flaws it stops, and says from where to go on; nothing is left out, and nothing comes twice."""
    for id in ("r1", "r2", "r4"):
        Stored(flow, id).change(1, reason="?")
    whole = flow.verify()
    assert codes(whole) == [("content_altered", id, 1) for id in ("r1", "r2", "r4")]
    found: list[Flaw] = []
    after, rounds = None, 0
    while True:
        part = flow.verify(after=after, limit=1)
        found += part.flaws
        rounds += 1
        if part.finished:
            break
        assert part.reached is not None
        after = part.reached
    assert tuple(found) == whole.flaws
    assert rounds == 4


@given(st.sampled_from(["r1", "r2", "r3", "r4", "r0", "r21", "r9"]))
def test_it_begins_behind_an_id(after: str) -> None:
    """A verification in two parts finds the same as one, at whatever id it is cut."""
    flow = office(MemoryStore())
    play(flow)
    assert flow.verify(after=after).records == sum(id > after for id in ("r1", "r2", "r3", "r4"))


def test_it_says_how_far_it_has_come() -> None:
    """The hook is called after each thousand entries or records, with what was found so far, and in the end."""
    flow = office(MemoryStore())
    play(flow)
    calls: list[Verification] = []
    found = ReportFlow(Many(flow, 600), REPORT).verify(progress=calls.append)
    assert found.ok
    assert [one.records for one in calls] == sorted({one.records for one in calls})
    assert [(one.entries, one.finished) for one in calls] == [(668, False), (1200, True)]
    assert calls[-1] == found


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": True}, "limit"),
        ({"after": ""}, "id"),
        ({"after": 5}, "id"),
        ({"by": "li"}, "by"),
        ({"against": 5}, "against"),
        ({"against": "a\0b"}, "against"),
    ],
)
def test_wrong_arguments(flow: ReportFlow, settings: dict[str, Any], field: str) -> None:
    """A wrong argument is an `InvalidValue` with its name."""
    with pytest.raises(InvalidValue) as caught:
        flow.verify(**settings)
    assert caught.value.field == field


def test_others_may_write_meanwhile(flow: ReportFlow) -> None:
    """What other users write while it reads is no flaw, though records and entries were read at different moments."""

    class Busy(MemoryStore):
        """Another act comes before each read of entries."""

        def sealed(self, after: tuple[str, int] | None = None, limit: int = 1000) -> list[Sealed]:
            for id in ("r1", "r4") if self.acts else ():
                flow.fire(id, "comment", Comment(text="meanwhile"), by=LI)
            self.acts -= bool(self.acts)
            return super().sealed(after, limit)

        acts = 0

    busy = Busy()
    flow = office(busy)
    play(flow)
    busy.acts = 3
    assert flow.verify().ok


def test_the_asynchronous_flow_finds_the_same(tmp_path: Path) -> None:
    """`AsyncReportFlow` verifies and writes heads as the blocking flow does."""
    url = f"{tmp_path}/office.db"
    with office(SqlStore(f"sqlite:///{url}")) as flow:
        play(flow)
        expected, lines = flow.verify(), list(flow.heads())

    async def run() -> tuple[Verification, list[str]]:
        async with open_async_flow(f"sqlite+aiosqlite:///{url}") as other:
            return await other.verify(), [line async for line in other.heads()]

    assert asyncio.run(run()) == (expected, lines)


# -- memory -------------------------------------------------------------------------------------------------------


class Many(MemoryStore):
    """The record r4 with its entries very often, under other ids, made when they are read.

    Their digests are those of r4, computed anew for each id.
    """

    def __init__(self, flow: ReportFlow, number: int) -> None:
        super().__init__(REPORT.classes)
        self.record = flow.store.get(["r4"])[0]
        self.entries = [one for one in flow.store.sealed(("r3", 99)) if one.record_id == "r4"]
        self.number = number

    def made(self, number: int) -> tuple[Record, list[Sealed]]:
        """The record of a number, and its entries."""
        id, previous, entries = f"x{number:07}", "", []
        for one in self.entries:
            details = one.details if one.details is None else one.details.replace('"id":"r4"', f'"id":"{id}"')
            one = one._replace(record_id=id, details=details, cause=None, cause_digest=None)
            commitment = commitment_of(one.salt, one.actor, one.reason, one.details, one.party)
            one = one._replace(commitment=commitment)
            previous = digest_of(previous, one)
            entries.append(one._replace(digest=previous))
        return attrs.evolve(self.record, id=id, head=previous), entries

    def find(self, query: Query) -> Page:
        place = query.place()
        first = 0 if place is None else int(place[0][1:]) + 1
        last = min(first + query.limit, self.number)
        records = tuple(self.made(number)[0] for number in range(first, last))
        return Page(records, query.cursor_after([records[-1].id]) if last < self.number else None)

    def sealed(self, after: tuple[str, int] | None = None, limit: int = 1000) -> list[Sealed]:
        number = 0 if after is None else int(after[0][1:])
        found: list[Sealed] = []
        while number < self.number and len(found) < limit:
            found += [one for one in self.made(number)[1] if after is None or (one.record_id, one.sequence) > after]
            number += 1
        return found[:limit]


def test_memory_does_not_grow(flow: ReportFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many entries there are, no more is held than two pages, the entries of one record and what was found."""
    monkeypatch.setattr(verification, "_RECORDS", 20)
    monkeypatch.setattr(verification, "_ENTRIES", 40)

    def peak(number: int) -> int:
        many = ReportFlow(Many(flow, number), REPORT)
        tracemalloc.start()
        try:
            assert many.verify().entries == 2 * number
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    ReportFlow(Many(flow, 1200), REPORT).verify()  # Python keeps some tuples, to use them again
    assert peak(1200) < peak(200) + 500_000  # all of the thousand records more are two millions of bytes or more
