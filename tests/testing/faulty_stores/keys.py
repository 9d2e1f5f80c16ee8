"""Faults of keys and ids: what is taken for another, and what is far apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from reportflow import (
    Change,
    Conflict,
    DuplicateKey,
    Entry,
    MemoryStore,
    Record,
)
from reportflow.serialization.digest import Sealed
from reportflow.storage.refusing import keys_of
from tests.testing.faulty_stores.commit import without_keys
from tests.testing.faulty_stores.fault import caught_by

T = TypeVar("T")


class Rekeying(MemoryStore):
    """Keeps idempotency keys under a name of its own."""

    def name(self, actor_id: str, key: str, entry: Entry | None) -> Any:
        """What it keeps the key of an actor under."""
        return actor_id, key

    def __init__(self) -> None:
        super().__init__()
        self._named: dict[Any, Entry] = {}

    def _compare(self, changes: Sequence[Change]) -> None:
        super()._compare([without_keys(change) for change in changes])
        used = set(self._named)
        again = []
        for one in (one for change in changes for one in change.entries if one.key is not None):
            name = self.name(one.actor.id, one.key or "", one)
            if name in used:
                again.append(one)
            used.add(name)
        if again:
            raise DuplicateKey([one.record_id for one in again], [one.key or "" for one in again])

    def _set(self, changes: Sequence[Change]) -> None:
        super()._set(changes)
        for one in (one for change in changes for one in change.entries if one.key is not None):
            self._named[self.name(one.actor.id, one.key or "", one)] = one

    def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        super().restore(sealed, records, more=more)
        self._named |= {self.name(*pair, entry): entry for pair, entry in self._keys.items()}

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        with self._lock:
            entry = self._named.get(self.name(actor_id, key, None)) or self._keys.get((actor_id, key))
            return entry and self._histories[entry.record_id][entry.sequence - 1]


@caught_by("test_keys_and_ids_are_used_once")
class KeepsKeysByKind(Rekeying):
    """Has a table of keys for each kind: one key is used for two."""

    def name(self, actor_id: str, key: str, entry: Entry | None) -> Any:
        return actor_id, key, entry and entry.kind


@caught_by("test_joined_texts_are_told_apart")
class JoinsActorAndKey(Rekeying):
    """Joins actor and key by a colon."""

    def name(self, actor_id: str, key: str, entry: Entry | None) -> Any:
        return f"{actor_id}:{key}"


@caught_by("test_joined_texts_are_told_apart")
class JoinsActorAndKeyByAControl(Rekeying):
    """Joins actor and key by a character that it takes nobody to use."""

    def name(self, actor_id: str, key: str, entry: Entry | None) -> Any:
        return f"{actor_id}\x1f{key}"


@caught_by("test_joined_texts_are_told_apart")
class WritesActorAndKeyTogether(Rekeying):
    """Writes actor and key one behind the other."""

    def name(self, actor_id: str, key: str, entry: Entry | None) -> Any:
        return f"{actor_id}{key}"


@caught_by("test_keys_and_ids_are_used_once")
class TrimsKeys(Rekeying):
    """Takes the blanks off a key."""

    def name(self, actor_id: str, key: str, entry: Entry | None) -> Any:
        return actor_id, key.strip()


@caught_by("test_keys_and_ids_are_used_once")
class LetsARecordUseItsKeyAgain(Rekeying):
    """Takes a key that its own record used for a retry, and lets it in."""

    def name(self, actor_id: str, key: str, entry: Entry | None) -> Any:
        return (actor_id, key) if entry is None else (actor_id, key, entry.record_id, entry.sequence)

    def _compare(self, changes: Sequence[Change]) -> None:
        super()._compare(changes)
        owners = {pair: entry.record_id for pair, entry in self._keys.items()}
        taken = [(id, pair) for pair, id in keys_of(changes) if owners.get(pair, id) != id or _twice(pair, changes)]
        if taken:
            raise DuplicateKey([id for id, _ in taken], [key for _, (_, key) in taken])


def _twice(pair: tuple[str, str], changes: Sequence[Change]) -> bool:
    return [one for one, _ in keys_of(changes)].count(pair) > 1


@caught_by("test_a_long_history")
class ReadsHistoriesByPrefix(MemoryStore):
    """Scans the entries whose key begins with the id."""

    def history(self, ids: Sequence[str]) -> list[Entry]:
        with self._lock:
            names = sorted(self._histories)
            return [entry for id in ids for name in names if name.startswith(id) for entry in self._histories[name]]


@caught_by("test_texts_are_told_apart")
class ReadsHistoriesUpToASlash(MemoryStore):
    """Keeps an entry under id, slash and sequence, and scans by id and slash."""

    def history(self, ids: Sequence[str]) -> list[Entry]:
        with self._lock:
            names = sorted(self._histories)
            return [
                entry
                for id in ids
                for name in names
                if f"{name}/".startswith(f"{id}/")
                for entry in self._histories[name]
            ]


@caught_by("test_joined_texts_are_told_apart")
class SealsByJoinedKeys(MemoryStore):
    """Gives what is sealed in the order of id, slash and sequence, joined."""

    def sealed(self, after: tuple[str, int] | None = None, limit: int = 1000) -> list[Sealed]:
        every = super().sealed(limit=1_000_000)
        every.sort(key=lambda one: f"{one.record_id}/{one.sequence:010}")
        if after is not None:
            every = [one for one in every if f"{one.record_id}/{one.sequence:010}" > f"{after[0]}/{after[1]:010}"]
        return every[:limit]


@caught_by("test_a_long_history")
class SortsSequencesAsTexts(MemoryStore):
    """Gives a history in the order of its sequences as texts: 10 before 2."""

    def history(self, ids: Sequence[str]) -> list[Entry]:
        return [
            entry
            for id in ids
            for entry in sorted(super(SortsSequencesAsTexts, self).history([id]), key=lambda one: str(one.sequence))
        ]


@caught_by("test_a_long_history")
class TellsAHundred(MemoryStore):
    """Gives the first hundred entries of a history."""

    def history(self, ids: Sequence[str]) -> list[Entry]:
        return [entry for id in ids for entry in super(TellsAHundred, self).history([id])[:100]]


@caught_by("test_a_long_history")
class TellsByWhenItHappened(MemoryStore):
    """Gives a history in the order in which things happened, and not in which they were entered."""

    def history(self, ids: Sequence[str]) -> list[Entry]:
        return [
            entry
            for id in ids
            for entry in sorted(super(TellsByWhenItHappened, self).history([id]), key=lambda one: one.at)
        ]


@caught_by("test_ids_far_apart")
class NamesTheMissingOfOnePart(MemoryStore):
    """Gets ids by parts of 500, and names what is missing of the first part where something is."""

    def get(self, ids: Sequence[str]) -> list[Record]:
        return [
            record
            for start in range(0, len(ids), 500)
            for record in super(NamesTheMissingOfOnePart, self).get(ids[start : start + 500])
        ]


@caught_by("test_ids_far_apart")
class GetsPartsInAnyOrder(MemoryStore):
    """Gets many ids by parts, the last part first."""

    def get(self, ids: Sequence[str]) -> list[Record]:
        found = super().get(ids)
        return found if len(ids) <= 500 else [*found[500:], *found[:500]]


@caught_by("test_ids_far_apart")
class RefusesThePartItLooksAt(MemoryStore):
    """Compares a commit by parts of 500, and names the conflicts of the first part that has some."""

    def _compare(self, changes: Sequence[Change]) -> None:
        for start in range(0, len(changes) or 1, 500):
            super()._compare([without_keys(change) for change in changes[start : start + 500]])
        super()._compare(changes)


@caught_by("test_keys_and_ids_are_used_once")
class UsesKeysOfTheRefused(MemoryStore):
    """Notes keys before it compares versions: a key that came with a refused change is used."""

    def __init__(self) -> None:
        super().__init__()
        self._noted: set[tuple[str, str]] = set()

    def _compare(self, changes: Sequence[Change]) -> None:
        keys = keys_of(changes)
        again = [(id, key) for (actor, key), id in keys if (actor, key) in self._noted - set(self._keys)]
        try:
            super()._compare(changes)
        except Conflict:
            self._noted.update(pair for pair, _ in keys)
            raise
        if again:
            raise DuplicateKey([id for id, _ in again], [key for _, key in again])


@caught_by("test_names_longer_than_promised")
class CutsLongKeys(Rekeying):
    """Has room for 255 letters of a key."""

    def name(self, actor_id: str, key: str, entry: Entry | None) -> Any:
        return actor_id, key[:255]


@caught_by("test_a_long_history")
class GivesTheLastEntryOfAKey(MemoryStore):
    """Keeps the record of a key, and gives the last entry that its actor made there."""

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        entry = super().by_key(actor_id, key)
        if entry is None:
            return None
        return [one for one in self.history([entry.record_id]) if one.actor.id == actor_id and one.key is not None][-1]
