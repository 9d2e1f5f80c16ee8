"""Whom a host knows: found by a text or by ids for a form, and named in histories."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import Actor, AsyncReportFlow, InvalidValue, MemoryStore, Person, Query, ReportFlow
from reportflow.office import REPORT, Author, Erasure, Report, Revision
from reportflow.storage.memory import AsyncMemoryStore

ZHAO = Actor(id="u17", roles={"contributor"}, unit="yulin")
LI = Actor(id="u2", name="李娜（时任）", roles={"editor"}, unit="yulin")
CHEN = Actor(id="u3", roles={"registrar", "auditor"}, unit="yulin")
PEOPLE: dict[str, Person | Actor | str] = {
    "u17": Person("赵敏", post="社区书记", unit="yulin", roles={"contributor"}, clearance="secret"),
    "u2": Actor(id="u2", name="Li Na", post="Head of Editing", unit="yulin/office", roles={"editor"}),
    "u3": "陈明",
    "U4": Person("LI Wei", unit="mizhi"),
    "u5": Person(),
}
WORDS = st.sampled_from(
    ["赵", "li", "LI", "u", "yulin", "书记", "head OF", "mizhi li", "", "ß", "SS", "\x1f", "nobody"]
)


class Staff:
    """A host that asks its own tables, by ids and by a text."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, str]] = []

    def __call__(self, ids: Collection[str]) -> Mapping[str, Person | Actor | str]:
        """By ids."""
        return {id: PEOPLE[id] for id in ids if id in PEOPLE}

    def search(self, text: str, *, limit: int, by: Actor) -> Mapping[str, Person | Actor | str]:
        """By a text; it gives more than it was asked for."""
        self.asked.append((text, limit, by.id))
        return dict(reversed(PEOPLE.items()))


class AwaitedStaff(Staff):
    """The same, awaited."""

    async def __call__(self, ids: Collection[str]) -> Mapping[str, Any]:  # type: ignore[override]
        """By ids."""
        await asyncio.sleep(0)
        return super().__call__(ids)

    async def search(self, text: str, *, limit: int, by: Actor) -> Mapping[str, Any]:  # type: ignore[override]
        """By a text."""
        await asyncio.sleep(0)
        return super().search(text, limit=limit, by=by)


def office(people: Any) -> ReportFlow:
    """A flow whose host says who exists."""
    return ReportFlow(MemoryStore(), REPORT, people=people)


def draft() -> Report:
    """The draft of a report."""
    return Report.draft(title="题", text="文", authors=[Author(name="赵敏", id="u17")])


@given(words=WORDS, limit=st.integers(1, 6))
def test_a_mapping_is_searched_by_itself(words: str, limit: int) -> None:
    """Each word of a text is in the id, name, post or unit of each one found, whatever the case, and of no other."""
    shown = {
        id: (one, one, "", "") if isinstance(one, str) else (id, one.name, one.post, one.unit)
        for id, one in PEOPLE.items()
    }
    expected = [
        id
        for id, (_, *rest) in shown.items()
        if all(any(word.casefold() in place.casefold() for place in (id, *rest)) for word in words.split())
    ]
    with office(PEOPLE) as flow:
        assert list(flow.people(words, by=LI, limit=limit)) == expected[:limit]


def test_a_form_shows_no_roles_and_no_clearance() -> None:
    """What is found has name, post and unit; roles and clearance stay with the host. By ids it is the same."""
    with office(PEOPLE) as flow:
        found = flow.people("赵", by=LI)
        assert found == {"u17": Person("赵敏", "社区书记", "yulin")}
        assert flow.people(["u17", "gone"], by=LI) == found
        assert flow.people({"u2"}, by=LI) == {"u2": Person("Li Na", "Head of Editing", "yulin/office")}
        assert flow.people([], by=LI) == {}


def test_a_host_searches_itself() -> None:
    """An object with `search` is asked with the text, the limit and the actor; its order holds, up to the limit."""
    staff = Staff()
    with office(staff) as flow:
        assert list(flow.people("l", by=LI, limit=2)) == ["u5", "U4"]
        assert staff.asked == [("l", 2, "u2")]
        assert list(flow.people(["u17"], by=LI)) == ["u17"]
        assert flow.create(draft(), by=ZHAO).version == 1


def test_an_asynchronous_flow_awaits_a_search() -> None:
    """The search of an asynchronous flow's host may be a coroutine function, or not."""

    async def ask(people: Any) -> list[str]:
        async with AsyncReportFlow(AsyncMemoryStore(), REPORT, people=people) as flow:
            report = await flow.create(draft(), by=ZHAO)
            (entry,) = await flow.history(report.id, by=LI)
            return [entry.actor.name, *(await flow.people("", by=LI, limit=2))]

    for people, found in ((PEOPLE, ["u17", "u2"]), (Staff(), ["u5", "U4"]), (AwaitedStaff(), ["u5", "U4"])):
        assert asyncio.run(ask(people)) == ["赵敏", *found]


@pytest.mark.parametrize(
    ("people", "asked", "field"),
    [
        (None, "x", "people"), (lambda ids: {}, "x", "people"), (PEOPLE, 7, "asked"), (PEOPLE, [7], "asked"),
        (PEOPLE, "a\0", "asked"),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_says_so(people: Any, asked: Any, field: str) -> None:
    """No people, a function of ids alone, and what is neither a text nor ids are errors that name the remedy."""
    with office(people) as flow:
        with pytest.raises(InvalidValue) as raised:
            flow.people(asked, by=LI)
        assert raised.value.field == field
        assert "people" in str(raised.value) or field == "asked"
        with pytest.raises(InvalidValue, match="limit"):
            flow.people("x", by=LI, limit=0)


@pytest.mark.parametrize("answer", [None, [("u2", "Li")], {"u2": 7}])
def test_an_answer_that_is_no_mapping_is_refused(answer: Any) -> None:
    """What a host's search gives is held to be a mapping of ids to people."""
    staff = Staff()
    staff.search = lambda text, *, limit, by: answer  # type: ignore[method-assign]
    with office(staff) as flow, pytest.raises(InvalidValue, match="people"):
        flow.people("x", by=LI)


@pytest.mark.parametrize("people", [PEOPLE, Staff()], ids=["mapping", "object"])
@pytest.mark.parametrize("reader", [LI, CHEN], ids=["colleague", "auditor"])
def test_histories_name_who_acted(people: Any, reader: Actor) -> None:
    """Where an entry has no name, every call that reads gives that of the host; a name of then stays."""
    with office(people) as flow:
        report = flow.create(draft(), by=ZHAO)
        flow.fire(report.id, "edit", Revision(text="改"), by=LI)
        ((_, entries),) = flow.histories(Query(), by=reader)
        told = [flow.history(report.id, by=reader), entries, [item.entry for item in flow.feed(by=reader)]]
        for history in told:
            assert [(one.actor.name, one.actor.post) for one in history] == [("赵敏", "社区书记"), ("李娜（时任）", "")]
        assert [one.actor.name for one in flow.store.history([report.id])] == ["", LI.name]


def test_an_erased_name_does_not_come_back() -> None:
    """What was erased of an actor is not filled in again, though the host knows the id."""
    with office(PEOPLE) as flow:
        report = flow.create(draft(), by=Actor(id="u17", name="赵敏", roles={"contributor"}, unit="yulin"))
        flow.fire(report.id, "erase", Erasure(fields=("create.actor",)), by=CHEN, reason="本人要求")
        assert [one.actor.name for one in flow.history(report.id, by=LI)] == ["", "陈明"]


def test_without_people_nothing_is_named() -> None:
    """A flow whose host does not say who exists gives entries as they are."""
    with office(None) as flow:
        report = flow.create(draft(), by=ZHAO)
        assert [one.actor.name for one in flow.history(report.id, by=LI)] == [""]
