"""The fold of a history: the record as it is, and as it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from reportflow.errors import InvalidValue, UnknownLifecycle
from reportflow.lifecycle.definition import Lifecycle, built
from reportflow.model.checks import time_problem, type_problem
from reportflow.model.entry import Entry
from reportflow.model.record import Record


def replay(history: Iterable[Entry], lifecycle: Lifecycle | None = None) -> Record:
    """The record that a history leads to. ``replay(history) == record``, always.

    Without `lifecycle`, the definition of the kind and version that the history names is taken, if this process
    has built it.

    Raises:
        InvalidValue: not the whole history of one record from its creation on, without a gap.
        UnknownLifecycle: the definition was not built in this process.
        RuleFailed: the definition does not know an entry.
    """
    entries = list(history)
    _hold_together(entries)
    lifecycle = lifecycle or _lifecycle_of(entries[0])
    record: Record | None = None
    for entry in entries:
        record = lifecycle.fold(record, entry)
    assert record is not None, "a history has a first entry"
    return record


def as_of(
    history: Sequence[Entry],
    lifecycle: Lifecycle | None = None,
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
        return replay(history[:version], lifecycle)
    assert time is not None
    problem = time_problem(time)
    if problem:
        raise InvalidValue("time", *problem)
    known = [entry for entry in history if entry.recorded_at <= time]
    if not known:
        created = history[0].recorded_at if history else "?"
        raise InvalidValue("time", "no_such_time", {"given": time, "created": created})
    return replay(known, lifecycle)


def _hold_together(entries: Sequence[Entry]) -> None:
    said = None
    if not entries:
        said = "no entries"
    elif not isinstance(entries[0].details, Record) or entries[0].source is not None:
        said = "the first entry creates nothing"
    elif any(entry.record_id != entries[0].record_id for entry in entries):
        said = "entries of several records"
    elif [entry.sequence for entry in entries] != list(range(1, len(entries) + 1)):
        said = f"sequences {[entry.sequence for entry in entries][:20]}"
    if said:
        raise InvalidValue("history", "history", {"given": said})


def _lifecycle_of(first: Entry) -> Lifecycle:
    draft = first.details
    assert isinstance(draft, Record)
    found = built(draft.kind, draft.lifecycle_version)
    if found is None:
        raise UnknownLifecycle(draft.kind, draft.lifecycle_version, [])
    return found
