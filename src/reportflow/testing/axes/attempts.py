"""Commits that go in or are refused: every key, id and expectation beside others that look like it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from reportflow.model.actor import Actor
from reportflow.model.record import Record
from reportflow.office.report import Comment
from reportflow.storage.base import Change
from reportflow.testing.acts import Note, acted, created, joined, report, sample

#: Texts that a store could take for ``key``, and one that it could not.
LOOK_ALIKE: Final = (
    "key",
    "KEY",
    "key ",
    " key",
    "key\t",
    "kéy",
    "ke\u0301y",
    "ｋey",
    "key\u200b",
    "ke",
    "keyy",
    "other",
)


def attempts() -> Iterator[tuple[str, Sequence[Change]]]:
    """Commits one after the other, each with its words; some repeat what another has used, and are to be refused."""
    one, other = created(report("used"), by=Actor(id="key"), key="key"), created(sample("free"))
    yield "a report by 'key', with the key 'key'", [one, other]
    number = itertools.count(1)
    for actor, key in itertools.product(LOOK_ALIKE, LOOK_ALIKE):
        words = f"with the key {key!r} of {actor!r}"
        by = Actor(id=actor)
        for draft in (report, sample):
            yield f"another {draft.__name__} {words}", [created(draft(f"d{next(number)}"), by=by, key=key)]
    for record, act in ((one.record, _commented), (other.record, _noted)):
        yield f"an act on {record.id!r} with a key used before", [act(record, "key")]
        twice = act(record, "new")
        yield f"two acts on {record.id!r} with one new key", [joined(twice, act(twice.record, "new"))]
    for id in LOOK_ALIKE:
        for draft in (report, sample):
            yield f"the id {id!r} for a {draft.__name__}", [created(draft(id))]
    for id in LOOK_ALIKE:
        missing = created(sample(f"{id}?")).record
        yield f"an act on {missing.id!r}, which is not there", [acted(missing, "close")]

    yield from _refusals(one.record)


def _refusals(record: Record) -> Iterator[tuple[str, Sequence[Change]]]:
    """Commits with one change that does not go in, before or behind others, and then these others by themselves."""
    missing = created(sample("missing")).record
    commented = _commented(record, "first")
    moved = created(sample("moved"))
    yield "a comment, and a note on a new record", [commented, joined(moved, _noted(moved.record, "second"))]
    wrong = {
        "an act on a record that is not there": acted(missing, "close"),
        "the creation of a record that is there": created(sample("free")),
        "an act on a version that was replaced": _noted(moved.record, "late"),
        "a key that was used": created(sample("keyed"), by=Actor(id="key"), key="key"),
    }
    for number, (words, change) in enumerate(wrong.items()):
        act = _commented(commented.record, f"act{number}")
        good = [created(report(f"good{number}", topics=["good"]), key=f"good{number}"), act]
        yield f"{words}, behind good changes", [*good, change]
        yield f"{words}, before good changes", [change, *good]
        yield f"the good changes without {words}", good
        commented = act


def _commented(record: Record, key: str) -> Change:
    return acted(record, "comment", Comment(text="x"), by=Actor(id="key"), key=key)


def _noted(record: Record, key: str) -> Change:
    return acted(record, "note", Note(), by=Actor(id="key"), key=key)


#: How many changes are in the largest commits: more than a statement has variables, or a part of one.
MANY: Final = 1_100


def many_creations(prefix: str, key: str | None = None) -> list[Change]:
    """Creations of so many records, each with a key of its own where one is given."""
    return [
        created(sample(f"{prefix}{number:04}"), key=None if key is None else f"{key}{number}") for number in range(MANY)
    ]
