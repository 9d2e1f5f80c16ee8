"""What is wrong with the stored entries of one record, and with the record beside them. Pure.

Theory of operation. The digest of each entry is computed again from its header and the digest before it, so the first
entry that was altered, left out, put in or moved does not give the digest that stands there. The commitment is computed
again from the content. The record is folded again from its entries, and compared field by field. Which of the four it
was is found by trying the other places at which the row would be right; where none is, the row itself was altered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import attrs

from reportflow.i18n.catalog import ENGLISH, STANDARD, Catalog
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.record import Record, Seen
from reportflow.model.values import field_names
from reportflow.serialization.classes import Classes
from reportflow.serialization.digest import ERASED, Sealed, commitment_of, digest_of

#: At how many places of a record a row that does not fit is tried.
_PLACES: Final = 1000


@attrs.frozen(kw_only=True)
class Flaw:
    """One thing that is wrong with what is stored. It names places only, never a content.

    Attributes:
        code: Stable; see the table of codes in the reference. Of the chain the first one of a record: ``altered``,
            ``missing``, ``reordered``, ``inserted``, ``no_record``, ``no_entries``. Of an entry: ``content_altered``,
            ``content_missing``, ``content_back``, ``cause``, ``unreadable_entry``, ``no_fold``. Of the record:
            ``record_differs``, ``unreadable_record``. Against noted heads: ``removed``, ``truncated``, ``rewritten``.
        record_id: The record.
        sequence: The place of the entry in its history; None where it is about the record.
        fields: The fields of the record that are not what its entries lead to.
    """

    code: str
    record_id: str
    sequence: int | None = None
    fields: tuple[str, ...] = ()

    def text(self, language: str = ENGLISH, *, catalog: Catalog = STANDARD) -> str:
        """What is wrong, in a language; the record and the place stand beside it."""
        return catalog.text(f"flaw.{self.code}", language, {"fields": self.fields, "number": self.sequence})


class StoredRecord(NamedTuple):
    """The row of a record: the record, None where it cannot be read."""

    id: str
    record: Record | None


class Judged(NamedTuple):
    """What was found about one record.

    Attributes:
        flaws: What is wrong.
        unknown: The kind and version for which there is no definition: then the record was not folded.
    """

    flaws: list[Flaw]
    unknown: tuple[str, int] | None = None


class Chain:
    """Judges the chains and folds of records of some lifecycles."""

    def __init__(self, lifecycles: Iterable[Lifecycle], classes: Classes) -> None:
        self._lifecycles = {(one.name, one.version): one for one in lifecycles}
        self._classes = classes

    def judge(self, id: str, row: StoredRecord | None, entries: Sequence[Sealed]) -> Judged:
        """What is wrong with a record and its entries, as they are stored.

        Args:
            id: The id of both.
            row: The row of the record; None where there is none.
            entries: All its entries, by their sequence.
        """
        if not entries:
            return Judged([Flaw(code="no_entries", record_id=id)] if row else [])
        if row is None:
            return Judged([Flaw(code="no_record", record_id=id, sequence=entries[0].sequence)])
        version = None if row.record is None else row.record.version
        broken = _first_flaw(id, entries, version)
        flaws = [] if broken is None else [broken]
        flaws += _content_flaws(id, entries, broken)
        if row.record is None:
            unknown = self._unknown(entries)
            flaws += [] if unknown else [Flaw(code="unreadable_record", record_id=id)]
            return Judged(flaws, unknown)
        record = row.record
        if broken is None and len(entries) < record.version:
            return Judged([*flaws, Flaw(code="missing", record_id=id, sequence=len(entries) + 1)])
        if broken is not None and (broken.code != "altered" or len(entries) != record.version):
            return Judged(flaws)  # these are not the entries of the record: there is nothing to compare
        return self._compared(record, entries, flaws)

    def _unknown(self, entries: Sequence[Sealed]) -> tuple[str, int] | None:
        named = ((one.kind, one.lifecycle_version) for one in entries)
        return next((one for one in named if one not in self._lifecycles), None)

    def _compared(self, record: Record, entries: Sequence[Sealed], flaws: list[Flaw]) -> Judged:
        """The flaws, and whether the record is the fold of the entries, where they can be folded."""
        found = self._folded(record.id, entries)
        unknown = None
        if isinstance(found, Record):
            if found != record:
                flaws.append(Flaw(code="record_differs", record_id=record.id, fields=differences(found, record)))
        elif isinstance(found, Flaw):
            if not flaws:  # else that is why
                flaws.append(found)
        elif not flaws:
            unknown = found
            if record.seen != (last := Seen(len(entries), entries[-1].digest)):
                names = [name for name, one, other in zip(Seen._fields, record.seen, last, strict=True) if one != other]
                flaws.append(Flaw(code="record_differs", record_id=record.id, fields=tuple(names)))
        return Judged(flaws, unknown)

    def _folded(self, id: str, entries: Sequence[Sealed]) -> Record | Flaw | tuple[str, int]:
        """The record that the entries lead to; else why there is none."""
        from reportflow.serialization.unsealing import unseal  # only a verification reads entries here

        record: Record | None = None
        for one in entries:
            lifecycle = self._lifecycles.get((one.kind, one.lifecycle_version))
            if lifecycle is None:
                return one.kind, one.lifecycle_version
            try:
                entry = unseal(one, self._classes)
            except Exception:  # whatever an altered row, or a class that is another one today, makes of it
                return Flaw(code="unreadable_entry", record_id=id, sequence=one.sequence)
            try:
                record = lifecycle.fold(record, entry)
            except Exception:  # as above: a rule of the definition may raise anything
                return Flaw(code="no_fold", record_id=id, sequence=one.sequence)
        assert record is not None, "there is a first entry"
        return record


def differences(one: Record, other: Record) -> tuple[str, ...]:
    """The fields in which two records differ; ``kind`` where they are of two classes."""
    if type(one) is not type(other):
        return ("kind",)
    return tuple(name for name in field_names(type(one)) if getattr(one, name) != getattr(other, name))


def _first_flaw(id: str, entries: Sequence[Sealed], version: int | None) -> Flaw | None:
    """The first entry that is not the one which the chain has there."""
    previous = ""
    for number, sealed in enumerate(entries, 1):
        if sealed.sequence != number or not _fits(previous, sealed):
            code, sequence = _what(entries, number, previous, version)
            return Flaw(code=code, record_id=id, sequence=sequence)
        previous = sealed.digest
    return None


def _fits(previous: str, sealed: Sealed) -> bool:
    try:
        return digest_of(previous, sealed) == sealed.digest
    except (TypeError, ValueError):  # a column has a value that no entry has
        return False


def _what(entries: Sequence[Sealed], number: int, previous: str, version: int | None) -> tuple[str, int]:
    """What became of the entry at a place (from 1) that does not fit there, and the place to name."""
    sealed = entries[number - 1]
    if not isinstance(sealed.sequence, int) or sealed.sequence < number:
        return "inserted", sealed.sequence if isinstance(sealed.sequence, int) else number
    if sealed.sequence > number:
        return "missing", number
    if sum(one.digest == sealed.digest for one in entries) > 1:
        return "inserted", number
    if _fits_elsewhere(entries, sealed):
        return "reordered", number
    if version is not None and number > version:
        return "inserted", number
    if number < len(entries) and _fits(previous, entries[number]._replace(sequence=number)):
        return "inserted", number
    return "altered", number


def _fits_elsewhere(entries: Sequence[Sealed], sealed: Sealed) -> bool:
    """Whether a row would be right at another place of its record; those before that may have been moved by one."""
    digests = ["", *(one.digest for one in entries[:_PLACES])]
    for place in range(1, len(digests)):
        moved = sealed._replace(sequence=place)
        if any(_fits(before, moved) for before in digests[max(0, place - 2) : place + 2]):
            return True
    return False


def _content_flaws(id: str, entries: Sequence[Sealed], broken: Flaw | None) -> list[Flaw]:
    """The first entry whose content gives neither its commitment nor the newest one that an erasure left for it."""
    newest = erasures(entries)
    for one in entries:
        now = newest.get(one.sequence, one.commitment)
        if _content_is(one, now) or (broken is not None and broken.sequence == one.sequence):
            continue
        code = "content_altered" if one.salt else "content_missing"
        if now != one.commitment and _content_is(one, one.commitment):
            code = "content_back"
        return [Flaw(code=code, record_id=id, sequence=one.sequence)]
    return []


def _content_is(sealed: Sealed, commitment: str) -> bool:
    try:
        # only the one way in which salts are written: capitals would be the same bytes
        proper = len(sealed.salt) == 32 and bytes.fromhex(sealed.salt).hex() == sealed.salt
        contents = sealed.actor, sealed.reason, sealed.details, sealed.party
        return proper and commitment_of(sealed.salt, *contents) == commitment
    except (AttributeError, TypeError, ValueError):  # no salt, or a column has a value that no entry has
        return False


def erasures(entries: Iterable[Sealed]) -> dict[int, str]:
    """The commitments that the erasures of a record left: the sequence of an erased entry -> the newest one."""
    found: dict[int, str] = {}
    for one in entries:
        if isinstance(one.details, str) and _MARK in one.details:
            found.update(_erased(one.details, one.sequence))
    return found


_MARK: Final = f'"{ERASED}"'


def _erased(details: str, before: int) -> Iterable[tuple[int, str]]:
    """What the details of one erasure say of entries before it."""
    try:
        plain: Any = json.loads(details)
        several = plain.get(ERASED, ()) if isinstance(plain, dict) else ()
        triples = [(sequence, commitment) for sequence, _, commitment in several]
    except (TypeError, ValueError, RecursionError):
        return ()
    return (
        (sequence, str(commitment)) for sequence, commitment in triples if type(sequence) is int and sequence < before
    )
