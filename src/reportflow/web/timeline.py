"""What happened to a record, as its page shows it: who, when, what and why, and which act wrote its texts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import attrs

from reportflow.exports.phrases import Phrases
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.history import lifecycle_of
from reportflow.lifecycle.table import NOBODY, Transition, is_field_name
from reportflow.model.actor import ActorKind
from reportflow.model.entry import Entry, marked
from reportflow.model.record import Record
from reportflow.model.values import LONG, WIDGET, field_names
from reportflow.web.words import Words


class Happening(NamedTuple):
    """One entry as it is shown.

    Attributes:
        entry: The entry itself.
        what: What was done, with its direction.
        who: Who did it, by name and post; blank for a step of another act.
        behalf: For whom they acted; blank for themselves, or where the name is not known.
        state: What the record has waited for since, where that changed.
        entered: When it was entered, where that is another day than the one when it happened.
        phrase: What it was about.
        readers: Who may read it, where that is not everybody.
        retracted_by: The entry that takes it back.
        retracts: The entry that it takes back, as far as the reader may read that.
        before: The version with whose texts those of this one are compared; None where it changed no text.
        is_fact: Whether it names a party: another body, a department, a leader, that did something with the record.
    """

    entry: Entry
    what: str
    who: str
    behalf: str
    state: str
    entered: datetime | None
    phrase: str
    readers: tuple[str, ...]
    retracted_by: Entry | None
    retracts: Entry | None
    before: int | None
    is_fact: bool


def long_fields(record: Record) -> tuple[str, ...]:
    """The fields that are a record's texts: those that are marked so, else those that hold a long one."""
    fields = [one for one in attrs.fields(type(record)) if isinstance(getattr(record, one.name), str)]
    marked_long = [one.name for one in fields if one.metadata.get(WIDGET) == LONG]
    others = [
        one.name
        for one in fields
        if one.name not in _OF_ALL and one.name not in marked_long and _is_long(getattr(record, one.name))
    ]
    return (*marked_long, *others)


_OF_ALL = frozenset(field_names(Record))


def _is_long(text: str) -> bool:
    return len(text) > 120 or "\n" in text.strip()


def versions(entries: Iterable[Entry], lifecycles: Sequence[Lifecycle], fields: Sequence[str]) -> list[Entry]:
    """The entries that wrote one of a record's texts, its creation first."""
    return [entry for entry in entries if entry.source is None or _texts_of(entry, lifecycles, fields)]


def written_text(entry: Entry, lifecycles: Sequence[Lifecycle], field: str) -> str | None:
    """The text that an entry gave to a field of its record; None where it gave none, or it was erased."""
    details = entry.details
    name = field if isinstance(details, Record) else _texts_of(entry, lifecycles, (field,)).get(field)
    given = getattr(details, name, None) if name else None
    return given if isinstance(given, str) else None


def _texts_of(entry: Entry, lifecycles: Sequence[Lifecycle], fields: Sequence[str]) -> Mapping[str, str]:
    """Which fields of a record an entry sets from which fields of its details."""
    sets: Mapping[str, Any] = row_of(entry, lifecycles).sets
    return {field: str(sets[field]) for field in fields if field in sets and is_field_name(sets[field])}


def row_of(entry: Entry, lifecycles: Sequence[Lifecycle]) -> Transition:
    """The row by which an entry was made."""
    found = lifecycle_of(entry, lifecycles).row(entry.source, entry.trigger)
    assert found is not None, "no entry is made without a row"
    return found[0]


def setter_of(entries: Sequence[Entry], lifecycles: Sequence[Lifecycle], field: str) -> Entry | None:
    """The last entry by whose row a field of the record was set; of one that none set, the creation."""
    found = [entry for entry in entries if entry.source is None or field in row_of(entry, lifecycles).sets]
    return found[-1] if found else None


def happenings(
    record: Record,
    entries: Sequence[Entry],
    lifecycles: Sequence[Lifecycle],
    t: Words,
    phrases: Phrases,
    names: Mapping[str, str],
) -> list[Happening]:
    """The entries that a reader got, oldest first, as they are shown.

    Args:
        record: The record.
        entries: Of its history, in order; some may be missing.
        lifecycles: The definitions.
        t: The words of the reader's language.
        phrases: Writes what an act was about.
        names: What people call ids.
    """
    by_sequence = {entry.sequence: entry for entry in entries}
    takes_back = {entry.retracts: entry for entry in entries if entry.retracts is not None}
    fields = long_fields(record)
    wrote = {entry.sequence for entry in versions(entries, lifecycles, fields)}
    shown: list[Happening] = []
    for entry in entries:
        lifecycle = lifecycle_of(entry, lifecycles)
        is_step = entry.actor.kind is ActorKind.SYSTEM or NOBODY in row_of(entry, lifecycles).roles
        texts = set(_texts_of(entry, lifecycles, fields).values())
        is_other_day = t.date(entry.at) != t.date(entry.recorded_at)
        shown.append(
            Happening(
                entry,
                t.describe(entry),
                "" if is_step else t.person(entry.actor),
                names.get(entry.actor.on_behalf_of or "", ""),
                "" if entry.dest == entry.source else t.label("state", entry.dest, entry.kind),
                entry.recorded_at if is_other_day else None,
                phrases.of(entry, lifecycle, without=texts),
                () if entry.audience is None else tuple(role for role in lifecycle.roles if role in entry.audience),
                takes_back.get(entry.sequence),
                None if entry.retracts is None else by_sequence.get(entry.retracts),
                entry.sequence - 1 if entry.sequence in wrote and entry.source is not None else None,
                "party" in marked(type(entry.details)),
            )
        )
    return shown


def outcomes(shown: Iterable[Happening]) -> dict[str, list[Happening]]:
    """What others did with a record, by what that was, in the order in which it began; with what was taken back."""
    found: dict[str, list[Happening]] = {}
    for one in shown:
        if one.is_fact and one.entry.retracts is None:
            found.setdefault(one.what, []).append(one)
    return found
