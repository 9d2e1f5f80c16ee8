"""Faults of `restore`, and of `sealed`."""

from __future__ import annotations

from collections.abc import Sequence

from reportflow import Change, Entry, MemoryStore, Record
from reportflow.serialization.digest import Sealed
from tests.testing.faulty_stores.fault import caught_by


@caught_by("test_sealed_reads_on")
class ReadsTheLastAgain(MemoryStore):
    """Takes `after` for the first entry to give."""

    def sealed(self, after: tuple[str, int] | None = None, limit: int = 1000) -> list[Sealed]:
        return super().sealed(after and (after[0], after[1] - 1), limit)


@caught_by("test_a_copy_holds_what_the_source_holds")
class RestoresNoKeys(MemoryStore):
    """Forgets the keys of what it restores."""

    def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        super().restore(sealed, records, more=more)
        self._keys.clear()


@caught_by("test_a_copy_in_parts")
class KeepsTheLastPart(MemoryStore):
    """Posts the entries of the last part only."""

    def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        if self._arrived is not None:
            self._arrived = []
        super().restore(sealed, records, more=more)


@caught_by("test_a_copy_goes_on")
class PostsBeforeTheRestored(MemoryStore):
    """Posts what is committed later before what was restored."""

    def _set(self, changes: Sequence[Change]) -> None:
        super()._set(changes)
        if self._restored:
            self._feed.insert(0, self._feed.pop())


@caught_by("test_places_are_kept_and_given")
class ClosesTheGaps(MemoryStore):
    """Numbers what it restores anew, in the same order."""

    def _end_restoring(self, arrived: Sequence[tuple[int | None, Entry]]) -> None:
        super()._end_restoring(arrived)
        self._restored = []


@caught_by("test_only_into_an_empty_store")
class RestoresBesideOthers(MemoryStore):
    """Restores into a store that holds records."""

    def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        if self._records:
            self._arrived = []
        super().restore(sealed, records, more=more)


@caught_by("test_only_whole_records")
class RestoresWhatItCan(MemoryStore):
    """Leaves out the entries that have no record."""

    def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        named = {record.id for record in records}
        super().restore([one for one in sealed if one.record_id in named], records, more=more)
