"""Faults of `commit`, one thread at a time."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from reportflow import AlreadyExists, Change, Conflict, DuplicateKey, Entry, MemoryStore, RecordNotFound, StorageError
from reportflow.serialization.digest import Sealed
from reportflow.storage.refusing import keys_of, refuse_keys
from tests.testing.faulty_stores.fault import caught_by


@caught_by("test_one_version_is_replaced_once")
class LosesUpdates(MemoryStore):
    """Does not compare versions: the last writer wins."""

    def _compare(self, changes: Sequence[Change]) -> None:
        try:
            super()._compare(changes)
        except Conflict:
            refuse_keys(changes, self._keys)


@caught_by("test_the_version_is_compared")
class TakesWhatIsAhead(MemoryStore):
    """Refuses a change that is behind what is stored, and not one that is ahead of it."""

    def _compare(self, changes: Sequence[Change]) -> None:
        try:
            super()._compare(changes)
        except Conflict:
            if any(self._records[one.record.id].version >= one.expected.version for one in changes if one.expected):
                raise


@caught_by("test_the_head_is_compared")
class ForgetsTheHead(MemoryStore):
    """Compares the version alone."""

    def _compare(self, changes: Sequence[Change]) -> None:
        try:
            super()._compare(changes)
        except Conflict:
            if any(self._records[one.record.id].version != one.expected.version for one in changes if one.expected):
                raise


@caught_by("test_what_the_writer_saw_does_not_stand_in_for_what_is_stored")
class TrustsTheWriter(MemoryStore):
    """Compares with what the writer saw, where it is told, and not with what is stored."""

    def _compare(self, changes: Sequence[Change]) -> None:
        try:
            super()._compare(changes)
        except Conflict as error:
            seen = {one.record.id for one in changes if one.before and one.before.seen == one.expected}
            if not seen.issuperset(error.ids):
                raise


@caught_by("test_conflicts_are_all_named")
class SwallowsConflicts(MemoryStore):
    """Reports a conflict as a success: writes nothing, and says nothing."""

    def commit(self, changes: Sequence[Change]) -> None:
        try:
            super().commit(changes)
        except Conflict:
            return


@caught_by("test_a_change_replaces_the_record_and_adds_to_its_history")
class KeepsEntriesAlone(MemoryStore):
    """Adds the entry without its record, which stays as it was."""

    def _set(self, changes: Sequence[Change]) -> None:
        before = dict(self._records)
        super()._set(changes)
        self._records.update(before)


@caught_by("test_what_was_committed_is_there")
class KeepsRecordsAlone(MemoryStore):
    """Keeps the record without its entry: the history stays empty."""

    def _set(self, changes: Sequence[Change]) -> None:
        super()._set(changes)
        self._histories.clear()


@caught_by("test_a_change_may_hold_several_entries")
class KeepsTheLastEntry(MemoryStore):
    """Keeps the last entry of a change that has several."""

    def _set(self, changes: Sequence[Change]) -> None:
        super()._set(changes)
        for change in changes:
            del self._histories[change.record.id][-len(change.entries) : -1]


@caught_by("test_what_the_writer_saw_changes_nothing_in_what_is_kept")
class LeavesTooMuchAlone(MemoryStore):
    """Told what the writer saw, leaves the title alone, which did change."""

    def _set(self, changes: Sequence[Change]) -> None:
        super()._set(changes)
        for one in changes:
            if one.before is not None:
                self._records[one.record.id] = attrs.evolve(one.record, title=one.before.title)


@caught_by("test_all_changes_of_a_commit_are_kept")
class CreatesNothingBeside(MemoryStore):
    """Forgets what a commit creates beside what it replaces."""

    def _set(self, changes: Sequence[Change]) -> None:
        super()._set([one for one in changes if one.expected is not None] or changes)


@caught_by("test_a_refused_commit_changes_nothing")
class KeepsHalf(MemoryStore):
    """Commits change by change, until one is refused."""

    def commit(self, changes: Sequence[Change]) -> None:
        for change in changes:
            super().commit([change])


@caught_by("test_what_is_erased_is_gone_from_every_read")
class KeepsWhatIsErased(MemoryStore):
    """Notes that something was erased, and keeps it in what is sealed."""

    def _replace(self, entry: Entry, sealed: Sealed) -> None:
        kept = self._sealed[entry.record_id][entry.sequence - 1]
        super()._replace(entry, sealed)
        self._sealed[entry.record_id][entry.sequence - 1] = kept


@caught_by("test_a_commit_that_is_refused_erases_nothing")
class ErasesBeforeItCompares(MemoryStore):
    """Removes content before it compares anything."""

    def _compare(self, changes: Sequence[Change]) -> None:
        for change in changes:
            for entry, sealed in change.erased:
                self._replace(entry, sealed)
        super()._compare(changes)


@caught_by("test_one_record_in_two_changes")
class TakesOneRecordTwice(MemoryStore):
    """Does not mind two changes of one record."""

    def commit(self, changes: Sequence[Change]) -> None:
        with self._lock:
            self._compare(changes)
            self._set(changes)


@caught_by("test_a_commit_of_nothing")
class WantsSomething(MemoryStore):
    """Cannot commit nothing."""

    def commit(self, changes: Sequence[Change]) -> None:
        if not changes:
            raise StorageError("nothing to commit")
        super().commit(changes)


@caught_by("test_many_changes_in_one_commit")
class TakesFew(MemoryStore):
    """Takes as many ids as one statement has variables."""

    def commit(self, changes: Sequence[Change]) -> None:
        if len(changes) > 999:
            raise StorageError("too many SQL variables")
        super().commit(changes)


@caught_by("test_conflicts_are_all_named")
class NamesOneOfSeveral(MemoryStore):
    """Stops at the first record that is in the way, and names no other."""

    def commit(self, changes: Sequence[Change]) -> None:
        try:
            super().commit(changes)
        except (RecordNotFound, AlreadyExists, Conflict) as error:
            raise type(error)(error.ids[:1]) from None


@caught_by("test_conflicts_are_all_named")
class NamesAllOfThem(MemoryStore):
    """Names all records of a commit in conflict, those too with which nothing is wrong."""

    def commit(self, changes: Sequence[Change]) -> None:
        try:
            super().commit(changes)
        except Conflict:
            raise Conflict([change.record.id for change in changes]) from None


@caught_by("test_missing_records_are_all_named")
class NamesBackward(MemoryStore):
    """Names the missing records in an order of its own."""

    def commit(self, changes: Sequence[Change]) -> None:
        try:
            super().commit(changes)
        except RecordNotFound as error:
            raise RecordNotFound(sorted(error.ids)) from None


@caught_by("test_existing_records_are_all_named")
class ReplacesWhatExists(MemoryStore):
    """Creates over what is there ("insert or replace")."""

    def _compare(self, changes: Sequence[Change]) -> None:
        try:
            super()._compare(changes)
        except AlreadyExists as error:
            super()._compare([one for one in changes if one.record.id not in error.ids])
            refuse_keys(changes, self._keys)


@caught_by("test_the_order_of_errors")
class ChecksKeysFirst(MemoryStore):
    """Says that a key was used before it says that a record has moved."""

    def _compare(self, changes: Sequence[Change]) -> None:
        refuse_keys(changes, self._keys)
        super()._compare(changes)


@caught_by("test_a_key_used_before")
class TakesAnyKey(MemoryStore):
    """Does not mind a key that was used before."""

    def _compare(self, changes: Sequence[Change]) -> None:
        super()._compare([without_keys(change) for change in changes])


@caught_by("test_a_key_used_twice_in_one_commit")
class LooksForKeysBefore(MemoryStore):
    """Looks for a key in what is stored, and not in the commit itself."""

    def _compare(self, changes: Sequence[Change]) -> None:
        super()._compare([without_keys(change) for change in changes])
        used = [(record_id, key) for (actor, key), record_id in keys_of(changes) if (actor, key) in self._keys]
        if used:
            raise DuplicateKey([record_id for record_id, _ in used], [key for _, key in used])


@caught_by("test_keys_are_an_actors_own")
class OwnsKeysTogether(MemoryStore):
    """Has one set of keys for all actors."""

    def _compare(self, changes: Sequence[Change]) -> None:
        super()._compare(changes)
        used = {key for _, key in self._keys}
        for (_, key), record_id in keys_of(changes):
            if key in used:
                raise DuplicateKey([record_id], [key])
            used.add(key)


@caught_by("test_keyed_gives_the_entry_of_the_key")
class FindsAnybodysKey(MemoryStore):
    """Finds a key whoever used it."""

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        with self._lock:
            return next((entry for (_, used), entry in self._keys.items() if used == key), None)


@caught_by("test_a_refused_commit_uses_no_key")
class UsesKeysUp(MemoryStore):
    """Notes the keys of a commit before it is refused."""

    def _compare(self, changes: Sequence[Change]) -> None:
        try:
            super()._compare(changes)
        except StorageError:
            for change in changes:
                for entry in change.entries:
                    if entry.key is not None:
                        self._keys.setdefault((entry.actor.id, entry.key), entry)
            raise


def without_keys(change: Change) -> Change:
    """A change whose entries bring no keys."""
    return attrs.evolve(change, entries=[attrs.evolve(entry, key=None) for entry in change.entries])
