"""The entry of a command: what will be in the history, and at which times. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from reportflow.errors import InvalidValue
from reportflow.model.annotations import check
from reportflow.model.entry import Command, Entry, retracts_of
from reportflow.model.record import Record
from reportflow.model.values import in_utc, is_valid_when_built, maker


def entry_of(
    kind: str,
    version: int,
    record: Record,
    command: Command,
    source: str | None,
    dest: str,
    audience: frozenset[str] | None = None,
) -> Entry:
    """The entry of an allowed command.

    It is never recorded before the record's last entry. When it happened is what the caller says or the clock's now,
    whatever the entries before it say. The kind and version are those of the record's definition.

    Raises:
        InvalidValue: the caller's time lies after the clock's now or before the creation, or the details cannot be
            stored.
    """
    recorded_at = command.now
    if record.updated_at is not None and record.updated_at > recorded_at:
        recorded_at = record.updated_at
    at = command.at or command.now
    if command.at is not None and not command.step:
        _check_time(record, command, at)
    details: object = record if source is None else command.details
    if source is not None and details is not None and not is_valid_when_built(type(details)):
        check(details)
    made: Entry = maker(Entry)(  # its parts were checked: in the command, the record and the definition
        record.id,
        record.version + 1,
        command.trigger,
        source,
        dest,
        command.actor,
        in_utc(at),
        recorded_at,
        command.reason,
        details,
        command.key,
        command.cause,
        kind,
        version,
        record.secrecy,
        audience,
        None if source is None or details is None else retracts_of(details),
        "",  # digest
        (),  # erased
    )
    return made


def _check_time(record: Record, command: Command, at: datetime) -> None:
    """Refuse a caller's time after the clock's now, or before the creation, beyond what clocks may differ by.

    Raises:
        InvalidValue: it is such a time.
    """
    tolerance = timedelta(seconds=command.clock_tolerance)
    if at - command.now > tolerance:
        raise InvalidValue("at", "in_future", {"given": at, "now": command.now})
    created = record.created_at if record.version else None
    # a creation that the clock has not reached yet was written by a clock that was ahead
    if created is not None and min(created, command.now) - at > tolerance:
        raise InvalidValue("at", "before_creation", {"given": at, "created": created})
