"""What each store refuses of a commit, in the order of the contract."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from reportflow.errors import AlreadyExists, Conflict, DuplicateKey, InvalidValue, RecordNotFound
from reportflow.storage.base import Change


def check_changes(changes: Sequence[Change]) -> None:
    """What a store refuses before it looks at what it holds.

    Raises:
        InvalidValue: one record is named by two changes.
    """
    seen: set[str] = set()
    for change in changes:
        if change.record.id in seen:
            raise InvalidValue("changes", "twice", {"given": change.record.id})
        seen.add(change.record.id)


def keys_of(changes: Sequence[Change]) -> list[tuple[tuple[str, str], str]]:
    """The idempotency keys of a commit: ((actor, key), record id)."""
    return [
        ((entry.actor.id, entry.key), entry.record_id)
        for change in changes
        for entry in change.entries
        if entry.key is not None
    ]


def refuse_stale(changes: Sequence[Change], stored: Mapping[str, tuple[int, str]]) -> None:
    """Refuse changes that do not fit what is stored: id -> (version, head), of those records that are there.

    Raises:
        RecordNotFound, AlreadyExists, Conflict: the first that applies; names all the records concerned.
    """
    missing, taken, moved = [], [], []
    for change in changes:
        id = change.record.id
        found = stored.get(id)
        if change.expected is None:
            if found is not None:
                taken.append(id)
        elif found is None:
            missing.append(id)
        elif found != change.expected:
            moved.append(id)
    if missing:
        raise RecordNotFound(missing)
    if taken:
        raise AlreadyExists(taken)
    if moved:
        raise Conflict(moved)


def refuse_keys(changes: Sequence[Change], used: Collection[tuple[str, str]]) -> None:
    """Refuse keys that were used before, or are used twice in this commit.

    Raises:
        DuplicateKey: names all the records and keys concerned.
    """
    refuse_used(keys_of(changes), used)


def refuse_used(keys: Iterable[tuple[tuple[str, str], str]], used: Collection[tuple[str, str]]) -> None:
    """As `refuse_keys`, for keys as `keys_of` gives them."""
    wrong: list[tuple[str, str]] = []
    here: set[tuple[str, str]] = set()
    for pair, record_id in keys:
        if pair in used or pair in here:
            wrong.append((record_id, pair[1]))
        here.add(pair)
    if wrong:
        raise DuplicateKey([record_id for record_id, _ in wrong], [key for _, key in wrong])
