"""The requests of a flow's callers, as values: a creation or a transition, with its actor, time and key."""

from __future__ import annotations

from datetime import UTC, datetime
from os import urandom
from typing import Any

import attrs

from reportflow.errors import InvalidValue
from reportflow.model.actor import Actor
from reportflow.model.annotations import VALUE, keep_value
from reportflow.model.checks import is_blank, plain_text, text_problem, time_problem, type_problem
from reportflow.model.entry import Command, Entry
from reportflow.model.record import Record
from reportflow.model.values import field_names, in_utc, maker, not_blank


def _at(value: datetime | None) -> datetime | None:
    problem = None if value is None else time_problem(value)
    if problem:
        raise InvalidValue("at", *problem)
    return None if value is None else in_utc(value, "at")


def actor_of(value: Any) -> Actor:
    """The actor of a call.

    Raises:
        InvalidValue: not an `Actor`.
    """
    if not isinstance(value, Actor):
        raise InvalidValue("by", *type_problem("Actor", value))
    return value


def _text(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    problem = None if value is None or value == "" else text_problem(value)
    if problem:
        raise InvalidValue(attribute.name, *problem)


def _key(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None:
        _text(instance, attribute, value)
        not_blank(instance, attribute, value)


def _details(value: object) -> object:
    return keep_value(value)


@attrs.frozen
class Create:
    """A request to create a record, with the arguments of `ReportFlow.create`."""

    draft: Record
    by: Actor = attrs.field(kw_only=True, converter=actor_of)
    trigger: str | None = attrs.field(default=None, kw_only=True, converter=plain_text, validator=_text)
    at: datetime | None = attrs.field(default=None, kw_only=True, converter=_at)
    key: str | None = attrs.field(default=None, kw_only=True, validator=_key)


@attrs.frozen
class Fire:
    """A request for a transition, with the arguments of `ReportFlow.fire`."""

    target: Record | str = attrs.field(metadata={VALUE: True})
    trigger: str = attrs.field(converter=plain_text)
    details: object = attrs.field(default=None, converter=_details, metadata={VALUE: True})
    by: Actor = attrs.field(kw_only=True, converter=actor_of)
    reason: str = attrs.field(default="", kw_only=True, validator=_text)
    at: datetime | None = attrs.field(default=None, kw_only=True, converter=_at)
    key: str | None = attrs.field(default=None, kw_only=True, validator=_key)
    version: int | None = attrs.field(default=None, kw_only=True)
    head: str | None = attrs.field(default=None, kw_only=True, validator=_text)

    @property
    def id(self) -> str:
        """The id of the record."""
        return self.target if isinstance(self.target, str) else self.target.id

    @property
    def saw_something(self) -> bool:
        """Whether the caller says which version or head they saw; else only an id was named."""
        return isinstance(self.target, Record) or self.version is not None or self.head is not None

    @property
    def saw_nothing_stored(self) -> bool:
        """Whether the record that was handed in is none that was ever stored: its head is blank."""
        return isinstance(self.target, Record) and not self.target.head

    def saw(self, record: Record) -> bool:
        """Whether a record is at the version and head that the caller saw, as far as they say."""
        if isinstance(self.target, Record):
            return self.target.seen == record.seen
        return self.version in (None, record.version) and self.head in (None, record.head)

    @property
    def version_seen(self) -> int:
        """The version that the caller saw; 0 where they do not say."""
        return self.target.version if isinstance(self.target, Record) else self.version or 0


Request = Create | Fire


def request_of(target: Record, command: Command) -> Request:
    """The request of a caller of the flow."""
    if not target.version:
        return Create(target, by=command.actor, at=command.at)
    chosen = command.details
    return Fire(target.id, command.trigger, chosen, by=command.actor, reason=command.reason, at=command.at)


def may_be_of(request: Request, entry: Entry) -> bool:
    """Whether an entry may be the result of a request, as far as its header says."""
    if isinstance(request, Fire):
        return entry.record_id == request.id and entry.trigger == request.trigger
    named = request.trigger in (None, entry.trigger)
    return named and isinstance(entry.details, Record) and type(entry.details) is type(request.draft)


def command_of(
    request: Request, trigger: str, now: datetime, salt: str, clock_tolerance: float, id: str = ""
) -> Command:
    """The command of a request. What a request was found to be when it was built is not checked again.

    `id` is that of what is created.
    """
    details, reason = (request.details, request.reason) if isinstance(request, Fire) else (None, "")
    given: Any = (trigger, request.by, now, request.at, details, reason, request.key, None, None)
    given = (*given, False, salt, id, clock_tolerance)
    plain = type(trigger) is str and trigger.isprintable() and type(reason) is str and type(id) is str
    if plain and type(now) is datetime and now.tzinfo is UTC:
        made: Command = maker(Command)(*given)
        return made
    return Command(**dict(zip(field_names(Command), given, strict=True)))


def checked_id(id: object) -> str:
    """An id.

    Raises:
        InvalidValue: it is no text.
    """
    problem = text_problem(id)
    if problem:
        raise InvalidValue("id", *problem)
    assert isinstance(id, str)
    if is_blank(id):
        raise InvalidValue("id", "blank")
    return id


def new_salt() -> str:
    """16 random bytes as hexadecimal digits."""
    return urandom(16).hex()


def check_target(request: Fire) -> None:
    """Check the target of a transition, and the version and head that the caller saw.

    Raises:
        InvalidValue: neither a stored record nor an id, no version, or a record and another version or head beside it.
    """
    if request.version is not None and type(request.version) is not int:
        raise InvalidValue("version", *type_problem("int", request.version))
    if not isinstance(request.target, Record):
        checked_id(request.target)
    elif not request.target.version:
        raise InvalidValue("target", "not_stored")
    elif request.version not in (None, request.target.version):
        raise InvalidValue("version", "other_version", {"given": request.version, "version": request.target.version})
    elif request.head not in (None, request.target.head):
        raise InvalidValue("head", "other_version", {"given": request.head, "version": request.target.head})
