"""The fold of a history: the record as it is, and as it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from reportflow.errors import InvalidValue, UnknownLifecycle
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.checks import time_problem, type_problem
from reportflow.model.entry import Entry
from reportflow.model.record import Record


def replay(history: Iterable[Entry], lifecycles: Lifecycle | Iterable[Lifecycle]) -> Record:
    """The record that a history leads to. ``replay(store.history([id]), lifecycles) == record``, always.

    Args:
        history: All entries of one record, from its creation on.
        lifecycles: The definition; or several, and each entry is folded by the kind and version that it names.

    Raises:
        InvalidValue: not the whole history of one record from its creation on, without a gap.
        UnknownLifecycle: its definition is not among those given.
        RuleFailed: the definition does not know an entry.
    """
    entries = list(history)
    _check_whole(entries)
    given = lifecycles if isinstance(lifecycles, Lifecycle) else None
    known = () if isinstance(lifecycles, Lifecycle) else tuple(lifecycles)
    record: Record | None = None
    for entry in entries:
        record = (given or lifecycle_of(entry, known)).fold(record, entry)
    assert record is not None, "a history has a first entry"
    return record


def as_of(
    history: Sequence[Entry],
    lifecycles: Lifecycle | Iterable[Lifecycle],
    *,
    version: int | None = None,
    time: datetime | None = None,
) -> Record:
    """The record as it was at a version, or at a time: by `recorded_at`, what was known then.

    Raises:
        InvalidValue: not exactly one of the two, a naive time, or there was no such version or record then.
        UnknownLifecycle: as `replay`.
    """
    if (version is None) == (time is None):
        raise InvalidValue("as_of", "version_or_time")
    if version is not None:
        if type(version) is not int:
            raise InvalidValue("version", *type_problem("int", version))
        if not 1 <= version <= len(history):
            raise InvalidValue("version", "range", {"given": version, "least": 1, "most": len(history)})
        return replay(history[:version], lifecycles)
    assert time is not None
    problem = time_problem(time)
    if problem:
        raise InvalidValue("time", *problem)
    known = [entry for entry in history if entry.recorded_at <= time]
    if not known:
        created = history[0].recorded_at if history else "?"
        raise InvalidValue("time", "no_such_time", {"given": time, "created": created})
    return replay(known, lifecycles)


def _check_whole(entries: Sequence[Entry]) -> None:
    problem = None
    if not entries:
        problem = "no entries"
    elif not isinstance(entries[0].details, Record) or entries[0].source is not None:
        problem = "the first entry creates nothing"
    elif any(entry.record_id != entries[0].record_id for entry in entries):
        problem = "entries of several records"
    elif [entry.sequence for entry in entries] != list(range(1, len(entries) + 1)):
        problem = f"sequences {[entry.sequence for entry in entries][:20]}"
    if problem:
        raise InvalidValue("history", "history", {"given": problem})


def lifecycle_of(entry: Entry, lifecycles: Iterable[Lifecycle]) -> Lifecycle:
    """The definition by which an entry was made.

    Raises:
        UnknownLifecycle: it is not among those given.
    """
    for one in lifecycles:
        if one.version == entry.lifecycle_version and one.name == entry.kind:
            return one
    raise UnknownLifecycle(entry.kind, entry.lifecycle_version, [f"{one.name} {one.version}" for one in lifecycles])


def is_erased(history: Sequence[Entry], sequence: int) -> bool:
    """Whether something of an entry was erased."""
    return any(one.sequence == sequence for entry in history for one in entry.erased)
