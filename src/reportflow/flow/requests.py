"""What is asked for: of the flow by its callers, and of the outside by its generators."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import attrs

from reportflow.errors import InvalidValue
from reportflow.model.actor import Actor
from reportflow.model.checks import text_problem, time_problem, type_problem
from reportflow.model.record import Record
from reportflow.model.values import in_utc, not_blank


class Call(NamedTuple):
    """Asks the driver for a call of the store; its answer, or its error, comes back."""

    name: str
    arguments: tuple[Any, ...]


class Wait(NamedTuple):
    """Asks the driver to let some seconds pass."""

    seconds: float


T = TypeVar("T")
#: A generator of the flow: it yields what it wants of the outside, is sent the answer, and returns its result.
Steps = Generator[Call | Wait, Any, T]


def _at(value: datetime | None) -> datetime | None:
    problem = None if value is None else time_problem(value)
    if problem:
        raise InvalidValue("at", *problem)
    return None if value is None else in_utc(value, "at")


def actor_of(value: Any) -> Actor:
    """Who asks.

    Raises:
        InvalidValue: not an `Actor`.
    """
    if not isinstance(value, Actor):
        raise InvalidValue("by", *type_problem("Actor", value))
    return value


def _text(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    problem = None if value is None else text_problem(value)
    if problem:
        raise InvalidValue(attribute.name, *problem)


@attrs.frozen
class Create:
    """A creation asked for, as `ReportFlow.create` takes it."""

    draft: Record
    by: Actor = attrs.field(kw_only=True, converter=actor_of)
    at: datetime | None = attrs.field(default=None, kw_only=True, converter=_at)
    key: str | None = attrs.field(default=None, kw_only=True, validator=[_text, not_blank])


@attrs.frozen
class Fire:
    """A transition asked for, as `ReportFlow.fire` takes it."""

    target: Record | str
    trigger: str
    details: object = None
    by: Actor = attrs.field(kw_only=True, converter=actor_of)
    reason: str = attrs.field(default="", kw_only=True, validator=_text)
    at: datetime | None = attrs.field(default=None, kw_only=True, converter=_at)
    key: str | None = attrs.field(default=None, kw_only=True, validator=[_text, not_blank])
    version: int | None = attrs.field(default=None, kw_only=True)

    @property
    def id(self) -> str:
        """The id of the record."""
        return self.target if isinstance(self.target, str) else self.target.id

    @property
    def seen(self) -> int | None:
        """The version that the caller saw; None where only an id was named."""
        return self.target.version if isinstance(self.target, Record) else self.version


Request = Create | Fire


def checked_id(id: object) -> str:
    """An id.

    Raises:
        InvalidValue: it is no text.
    """
    problem = text_problem(id)
    if problem:
        raise InvalidValue("id", *problem)
    assert isinstance(id, str)
    if not id.strip():
        raise InvalidValue("id", "blank")
    return id


def check_target(request: Fire) -> None:
    """Refuse a target that cannot be one.

    Raises:
        InvalidValue: neither a stored record nor an id, no version, or a record in hand beside another version.
    """
    if request.version is not None and type(request.version) is not int:
        raise InvalidValue("version", *type_problem("int", request.version))
    if not isinstance(request.target, Record):
        checked_id(request.target)
    elif not request.target.version:
        raise InvalidValue("target", "not_stored")
    elif request.version not in (None, request.target.version):
        raise InvalidValue("version", "other_version", {"given": request.version, "version": request.target.version})
