"""Acts as phrases: by the texts of the library, else by the labels of their details."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import attrs
import pytest

from reportflow import PARTY, REFERENCE, UNIT, Actor, Details, Entry, Lifecycle, Record, State, Transition, open_flow
from reportflow.exports.phrases import Phrases
from reportflow.i18n.catalog import STANDARD
from reportflow.office import REPORT, Adoption, Author, Comment, Merge, Report, Revision

LI = Actor(id="li", name="Li", roles={"editor", "reviewer", "registrar"}, unit="u")
CHEN = Actor(id="chen", name="Chen", roles={"reviewer", "registrar"}, unit="u")


@attrs.frozen(kw_only=True)
class Adopted(Details):
    """What the same word means in another office."""

    family: str = attrs.field(metadata=PARTY)
    day: date | None = None
    files: str = attrs.field(default="", metadata=REFERENCE)
    chip: bool = False


PET = Lifecycle(
    name="pet", version=1, record=Record, roles={"editor": UNIT}, states=[State("here", final=True)],
    transitions=[
        Transition("find", source=None, dest="here", roles={"editor"}),
        Transition("adopt", source="here", dest="here", roles={"editor"}, details=Adopted),
    ],
)  # fmt: skip


def phrase(entry: Entry, lifecycle: Lifecycle, language: str = "en", **settings: Any) -> str:
    """What an entry was about."""
    return Phrases(STANDARD, language, UTC, {"r9": "'Lamps'"}, **settings).of(entry, lifecycle)


def test_a_phrase_of_another_lifecycle_is_not_used() -> None:
    """An act that has the name of one with a phrase, and other details, is listed by the labels of its fields."""
    with open_flow("memory:", lifecycles=[PET]) as flow:
        pet = flow.create(Record.draft(kind="pet", title="Cat"), by=LI)
        flow.fire(pet, "adopt", Adopted(family="Wu", day=date(2022, 5, 1), files="r1", chip=True), by=LI)
        created, adopted = flow.history(pet.id, by=LI)
    assert phrase(created, PET) == ""
    assert phrase(adopted, PET) == "family: Wu; day: 2022-05-01; chip: yes"  # an id without a name is not shown
    assert phrase(adopted, PET, "zh") == "family：Wu；day：2022-05-01；chip：是"


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        (Adoption(body="Council", level="city", carrier="Words", issue="7"), "Words7, single"),
        (Adoption(body="Council", level="city"), "Council, single"),  # the own serial's phrase needs a serial
        (Adoption(body="Council", level="province"), "Council, single"),
    ],
)
def test_a_phrase_follows_the_direction(details: Adoption, expected: str) -> None:
    """The phrase of a direction is used where all that it names is there, else that of the act."""
    with open_flow("memory:") as flow:
        made = flow.create(Report.draft(title="T", text="Text.", authors=[Author(name="A")]), by=LI)
        flow.fire(made.id, "edit", Revision(text="Other."), by=LI)
        flow.fire(made.id, "review", by=CHEN)
        flow.fire(made.id, "adopt", details, by=CHEN)
        entry = flow.history(made.id, by=CHEN)[-1]
    assert phrase(entry, REPORT).replace(" ", "") == expected.replace(" ", "")


def test_texts_are_cut_and_ids_named() -> None:
    """A long text is shown up to a length, and an id by what people call it."""
    now = datetime(2022, 4, 27, tzinfo=UTC)
    entry = Entry(
        record_id="r1", sequence=2, trigger="merge", source="draft", dest="merged", actor=LI, at=now, recorded_at=now,
        kind="report", lifecycle_version=1, details=Merge(target="r9"),
    )  # fmt: skip
    assert phrase(entry, REPORT) == "into 'Lamps'"
    edited = attrs.evolve(entry, trigger="edit", details=Revision(text="x" * 80))
    assert phrase(edited, REPORT, longest=48).endswith("…")
    assert phrase(attrs.evolve(entry, details=None), REPORT) == ""
    unmarked = attrs.evolve(entry, trigger="comment", details=Comment(text="r9"))
    assert (
        phrase(unmarked, REPORT) == "'Lamps'"
    )  # an id in a field that is not marked is known by its name all the same
