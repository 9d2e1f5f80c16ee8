"""The fold of a history: the record as it is, and as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from reportflow.errors import InvalidValue, UnknownLifecycle
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.retraction import retracted
from reportflow.model.checks import time_problem, type_problem
from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.model.values import changed


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
    lifecycle = _lifecycles(lifecycles)
    record: Record | None = None
    for entry in entries:
        record = lifecycle(entry).fold(record, entry)
    assert record is not None, "a history has a first entry"
    return record


def as_of(
    history: Sequence[Entry],
    lifecycles: Lifecycle | Iterable[Lifecycle],
    *,
    version: int | None = None,
    time: datetime | None = None,
    happened: datetime | None = None,
) -> Record:
    """The record as it was: at a version; as it was known at a time, by `recorded_at`; or as it really was, by `at`.

    Args:
        history: All entries of one record.
        lifecycles: As for `replay`.
        version: The version; instead of the times.
        time: What was recorded by then.
        happened: What had happened by then; with `time`, as far as it was known at that. Each act is folded from the
            state that the record was in when it happened, and what a known entry takes back is left out. The record
            was never stored: its head is blank.

    Raises:
        InvalidValue: neither a version nor times, or both; a naive time; or there was no such version or record then.
        UnknownLifecycle: as `replay`.
        RuleFailed: as `replay`.
    """
    if (version is None) == (time is None and happened is None):
        raise InvalidValue("as_of", "version_or_time")
    if version is not None:
        if type(version) is not int:
            raise InvalidValue("version", *type_problem("int", version))
        if not 1 <= version <= len(history):
            raise InvalidValue("version", "range", {"given": version, "least": 1, "most": len(history)})
        return replay(history[:version], lifecycles)
    if happened is None:
        return replay(_known(history, time), lifecycles)
    lifecycle = _lifecycles(lifecycles)
    record: Record | None = None
    for entry in happened_by(history, happened, time=time):
        record = _fold_from(lifecycle(entry), record, entry)
    assert record is not None, "a history has a first entry"
    return changed(record, {"head": ""})


def happened_by(history: Sequence[Entry], happened: datetime, *, time: datetime | None = None) -> list[Entry]:
    """What had happened by a time, in that order, as far as it was known at another: the creation, then by `at`.

    Raises:
        InvalidValue: a naive time, or there was no record then.
    """
    known = _known(history, time)
    _check_time("happened", happened)
    if not known or known[0].at > happened:
        raise InvalidValue("happened", "no_such_time", {"given": happened, "created": known[0].at if known else "?"})
    gone = retracted(known)
    later = (entry for entry in known[1:] if entry.at <= happened and entry.sequence not in gone)
    return [known[0], *sorted(later, key=lambda entry: (entry.at, entry.sequence))]


def _known(history: Sequence[Entry], time: datetime | None) -> Sequence[Entry]:
    """What was recorded by a time."""
    if time is None:
        return history
    _check_time("time", time)
    known = [entry for entry in history if entry.recorded_at <= time]
    if not known:
        created = history[0].recorded_at if history else "?"
        raise InvalidValue("time", "no_such_time", {"given": time, "created": created})
    return known


def _check_time(name: str, time: object) -> None:
    problem = time_problem(time)
    if problem:
        raise InvalidValue(name, *problem)


def _fold_from(lifecycle: Lifecycle, before: Record | None, entry: Entry) -> Record:
    """The record after an entry, from the state that it is in: another than when the entry was made, it may be.

    Where no row leaves that state, what the entry sets is set, and the state is the one that it led to.
    """
    made = lifecycle.row(entry.source, entry.trigger)
    if before is None or made is None:
        return lifecycle.fold(before, entry)
    now = lifecycle.row(before.state, entry.trigger)
    row = (now or made)[0]
    moved = changed(entry, {"source": before.state}) if now else entry
    after = lifecycle.fold(before, moved)
    if row.chooses:
        return changed(after, {"state": lifecycle.choose(row, after, moved)})
    return changed(after, {"state": row.leads_to(before.state)})


def until_end_of_command(history: Sequence[Entry], entry: Entry) -> Sequence[Entry]:
    """A history up to an entry and the steps of the same command on the same record."""
    last = entry
    for following in history[entry.sequence :]:
        if following.cause not in (entry.ref, last.ref):
            break
        last = following
    return history[: last.sequence]


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


def _lifecycles(given: Lifecycle | Iterable[Lifecycle]) -> Callable[[Entry], Lifecycle]:
    """The definition of each entry: the one that is given, or of several the one that it names."""
    if isinstance(given, Lifecycle):
        return lambda _: given
    known = tuple(given)
    return lambda entry: lifecycle_of(entry, known)


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
