"""Faults of `get`, `history`, `by_key` and `close`, and values that do not come back as they were."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Self

import attrs

from reportflow import Capabilities, Change, Entry, MemoryStore, Record, RecordNotFound
from tests.testing.faulty_stores.fault import DurableStore, caught_by


@caught_by("test_get_in_the_order_asked")
class GetsSorted(MemoryStore):
    """Gets records as an IN of SQL does: by id, each once."""

    def get(self, ids: Sequence[str]) -> list[Record]:
        super().get(ids)
        return super().get(sorted(set(ids)))


@caught_by("test_get_names_all_that_are_missing")
class GetsOneByOne(MemoryStore):
    """Names one missing record of several."""

    def get(self, ids: Sequence[str]) -> list[Record]:
        return [record for id in ids for record in super(GetsOneByOne, self).get([id])]


@caught_by("test_get_names_all_that_are_missing")
class LeavesOutTheMissing(MemoryStore):
    """Gives the records that are there, and says nothing of the others."""

    def get(self, ids: Sequence[str]) -> list[Record]:
        with self._lock:
            return [self._records[id] for id in ids if id in self._records]


@caught_by("test_get_names_all_that_are_missing")
class LeaksKeyErrors(MemoryStore):
    """Lets a KeyError of its own out."""

    def get(self, ids: Sequence[str]) -> list[Record]:
        with self._lock:
            return [self._records[id] for id in ids]


@caught_by("test_history_in_the_order_of_the_ids")
class MixesHistories(MemoryStore):
    """Gives the entries of several records by time."""

    def history(self, ids: Sequence[str]) -> list[Entry]:
        return sorted(super().history(ids), key=lambda entry: (entry.recorded_at, entry.sequence))


@caught_by("test_history_in_the_order_of_the_ids")
class GivesHistoriesOnce(MemoryStore):
    """Gives the entries of a record once, however often it is asked for."""

    def history(self, ids: Sequence[str]) -> list[Entry]:
        return super().history(list(dict.fromkeys(ids)))


@caught_by("test_history_in_the_order_of_the_ids")
class WantsKnownIds(MemoryStore):
    """Takes an unknown id for an error when it is asked for a history."""

    def history(self, ids: Sequence[str]) -> list[Entry]:
        self.get(ids)
        return super().history(ids)


@caught_by("test_a_change_may_hold_several_entries")
class TellsBackward(MemoryStore):
    """Gives a history newest first."""

    def history(self, ids: Sequence[str]) -> list[Entry]:
        return [entry for id in ids for entry in reversed(super(TellsBackward, self).history([id]))]


@caught_by("test_what_a_read_gives_is_the_readers_own")
class HandsOutItsLists(MemoryStore):
    """Hands out the very list that it keeps a history in."""

    def history(self, ids: Sequence[str]) -> list[Entry]:
        if len(ids) == 1 and ids[0] in self._histories:
            return self._histories[ids[0]]
        return super().history(ids)


@caught_by("test_every_read_shows_the_commits_before_it")
class RemembersWhatItRead(MemoryStore):
    """Keeps what was read once, and gives it again after a commit."""

    def __init__(self) -> None:
        super().__init__()
        self._read: dict[str, Record] = {}

    def get(self, ids: Sequence[str]) -> list[Record]:
        self._read = {**{record.id: record for record in super().get(ids)}, **self._read}
        return [self._read[id] for id in ids]


@caught_by("test_what_a_writer_gave_is_the_stores_own")
class WritesWhenItIsAsked(MemoryStore):
    """Keeps the list that the writer gave, and takes from it when it is next asked for something."""

    def __init__(self) -> None:
        super().__init__()
        self._lock: Any = Asked(self)
        self.given: list[Sequence[Change]] = []

    def _set(self, changes: Sequence[Change]) -> None:
        self.given.append(changes)

    def write(self) -> None:
        """Write what was given so far; the lock is held."""
        while self.given:
            super()._set(self.given.pop(0))


class Asked:
    """A lock that has the store write before anything else is done."""

    def __init__(self, store: WritesWhenItIsAsked) -> None:
        self._store, self._lock = store, threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()
        self._store.write()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@caught_by("test_a_refused_read_changes_nothing")
class MakesWhatIsMissing(MemoryStore):
    """Makes a history for each id that it is asked for in vain, and posts that it did."""

    def get(self, ids: Sequence[str]) -> list[Record]:
        try:
            return super().get(ids)
        except RecordNotFound:
            with self._lock:
                self._feed += self._feed[-1:]
            raise


@caught_by("test_what_may_not_be_kept_is_not_there")
class CutsAtNul(MemoryStore):
    """Takes a text to end at NUL, as C does: another id is found."""

    def get(self, ids: Sequence[str]) -> list[Record]:
        return super().get([id.partition("\0")[0] for id in ids])

    def history(self, ids: Sequence[str]) -> list[Entry]:
        return super().history([id.partition("\0")[0] for id in ids])

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        return super().by_key(actor_id.partition("\0")[0], key.partition("\0")[0])


class Rewriting(MemoryStore):
    """Changes records or entries on their way in."""

    def rewritten(self, record: Record) -> Record:
        """What becomes of a record."""
        return record

    def retold(self, entry: Entry) -> Entry:
        """What becomes of an entry."""
        return entry

    def _set(self, changes: Sequence[Change]) -> None:
        super()._set(
            [
                attrs.evolve(one, record=self.rewritten(one.record), entries=map(self.retold, one.entries))
                for one in changes
            ]
        )


@caught_by("test_times_come_back_to_the_microsecond")
class CutsTimes(Rewriting):
    """Keeps the times of records to the second."""

    def rewritten(self, record: Record) -> Record:
        names = ("created_at", "updated_at", "due_at")
        times: dict[str, Any] = {name: time for name in names if (time := getattr(record, name))}
        return attrs.evolve(record, **{name: time.replace(microsecond=0) for name, time in times.items()})


@caught_by("test_times_come_back_to_the_microsecond")
class TakesLocalTimeForUtc(Rewriting):
    """Writes a due date as an office's clock shows it, and reads it as UTC."""

    def rewritten(self, record: Record) -> Record:
        return attrs.evolve(record, due_at=record.due_at and record.due_at + timedelta(hours=8))


@caught_by("test_times_come_back_to_the_microsecond")
class TakesOneTimeForTheOther(Rewriting):
    """Keeps when an entry was entered, and forgets when it happened."""

    def retold(self, entry: Entry) -> Entry:
        return attrs.evolve(entry, at=entry.recorded_at)


@caught_by("test_every_text_comes_back")
class NormalisesTexts(Rewriting):
    """Keeps titles in Unicode's normal form."""

    def rewritten(self, record: Record) -> Record:
        return attrs.evolve(record, title=unicodedata.normalize("NFC", record.title))


@caught_by("test_every_text_comes_back")
class ManglesChinese(Rewriting):
    """Keeps titles in Latin-1: Chinese becomes question marks."""

    def rewritten(self, record: Record) -> Record:
        return attrs.evolve(record, title=record.title.encode("latin-1", "replace").decode("latin-1"))


@caught_by("test_every_text_comes_back")
class KeepsTheBasicPlane(Rewriting):
    """Keeps three bytes of UTF-8 a letter: emoji and rare Chinese in reasons are lost."""

    def retold(self, entry: Entry) -> Entry:
        return attrs.evolve(entry, reason="".join(letter for letter in entry.reason if letter <= "\uffff"))


@caught_by("test_every_text_comes_back")
class TrimsTexts(Rewriting):
    """Takes the blanks off the end of a title."""

    def rewritten(self, record: Record) -> Record:
        return attrs.evolve(record, title=record.title.rstrip(" "))


@caught_by("test_the_longest_text_comes_back")
class CutsLongTexts(Rewriting):
    """Keeps 65,535 letters of a text."""

    def rewritten(self, record: Record) -> Record:
        fields: dict[str, Any] = {"text": record.text[:65_535]} if hasattr(record, "text") else {}
        return attrs.evolve(record, **fields)


@caught_by("test_none_is_not_blank")
class TakesBlankForNone(Rewriting):
    """Keeps a blank assignee as none."""

    def rewritten(self, record: Record) -> Record:
        return attrs.evolve(record, assignee=record.assignee or None)


@caught_by("test_every_field_type_comes_back")
class KeepsFloats(Rewriting):
    """Keeps decimal numbers as floats."""

    def rewritten(self, record: Record) -> Record:
        amount = getattr(record, "amount", None)
        fields: dict[str, Any] = {} if amount is None else {"amount": Decimal(float(amount))}
        return attrs.evolve(record, **fields)


@caught_by("test_every_details_class_of_the_report_comes_back")
class ForgetsDetails(Rewriting):
    """Keeps that a record was adopted, and not by whom."""

    def retold(self, entry: Entry) -> Entry:
        return attrs.evolve(entry, details=None) if entry.trigger == "adopt" else entry


@caught_by("test_ids_and_keys_are_told_apart_letter_for_letter")
class FoldsIds(MemoryStore):
    """Takes ids for the same that differ in case alone."""

    def get(self, ids: Sequence[str]) -> list[Record]:
        with self._lock:
            folded = {id.lower(): record for id, record in self._records.items()}
        missing = [id for id in ids if id.lower() not in folded]
        if missing:
            raise RecordNotFound(dict.fromkeys(missing))
        return [folded[id.lower()] for id in ids]


@caught_by("test_the_factory_gives_fresh_stores")
class SharesItsData(MemoryStore):
    """Holds its records once for all stores of its class."""

    _shared: ClassVar[dict[str, Record]] = {}

    def __init__(self) -> None:
        super().__init__()
        self._records = self._shared


@caught_by("test_capabilities_are_declared")
class BecomesDurable(DurableStore):
    """Says that it is durable as soon as there is something to lose."""

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]  # that it changes is the fault
        """What it can do at present."""
        return Capabilities(durable=bool(self._records))


@caught_by("test_closing_twice")
class ClosesOnce(MemoryStore):
    """Cannot be closed twice."""

    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


@caught_by("test_what_was_committed_outlives_the_store")
class LosesTheLastCommit(DurableStore):
    """Writes a commit to the disk when the next one comes."""

    def _set(self, changes: Sequence[Change]) -> None:
        self._written = dict(self._records)
        super()._set(changes)

    def reopened(self) -> Self:
        again = super().reopened()
        again._records = self._written
        return again


@caught_by("test_a_store_opened_anew_goes_on")
class ForgetsKeysWhenReopened(DurableStore):
    """Keeps its keys in memory alone."""

    def reopened(self) -> Self:
        again = super().reopened()
        again._keys = {}
        return again


@caught_by("test_what_was_committed_outlives_the_store")
class NumbersAnewWhenReopened(DurableStore):
    """Numbers the feed anew when it is opened, record by record."""

    def reopened(self) -> Self:
        again = super().reopened()
        again._feed = sorted(self._feed, key=lambda entry: entry.record_id, reverse=True)
        return again
