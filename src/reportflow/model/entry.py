"""What happened: one entry of an append-only history, and the command that asks for one."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import attrs

from reportflow.model.actor import Actor, Secrecy, as_secrecy
from reportflow.model.annotations import VALUE
from reportflow.model.checks import cache_by_class
from reportflow.model.values import MARK, Value, field_names, in_utc, names, not_blank

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    D = TypeVarWithDefault("D", default=Any)
else:  # Python 3.11 knows no defaults of type variables
    D = TypeVar("D")


#: By how many seconds a caller's clock may differ from the flow's, unless the flow says otherwise.
CLOCK_TOLERANCE: Final = 5.0


class Details(Value):
    """A base for details classes: what a transition needs, beside the reason.

    Any frozen attrs class will do; one derived from this is checked by its annotations when it is built.
    """

    __slots__ = ()


@attrs.frozen(kw_only=True)
class Command(Value, Generic[D]):
    """A call as a value: what `decide` works on. The time was taken once, by the shell around it.

    `D` is the class of the details: a guard on ``Command[Ask]`` reads ``command.details.days`` as its type says.

    Attributes:
        trigger: The transition to fire.
        actor: Who asks.
        now: When it is recorded, by the clock.
        at: When it happened, as the caller says; None for `now`.
        details: The details of the transition.
        reason: Why, in the actor's words.
        key: The idempotency key.
        cause: The `ref` of the entry that this act follows from, for a step.
        cause_digest: The digest of that entry.
        step: Whether it is a step of another act: then it is not judged for role.
        salt: 16 random bytes as hexadecimal digits, for the commitment of the entry. Without it the entry has no
            digest, and cannot be committed.
        id: The id of a record that is created, where the draft brings none.
        clock_tolerance: By how many seconds the caller's clock may differ: so far `at` may lie after `now` or before
            the creation.
    """

    trigger: str
    actor: Actor
    now: datetime = attrs.field(converter=in_utc)
    at: datetime | None = None
    details: D = attrs.field(default=None, metadata={VALUE: True})  # None where a transition has no details
    reason: str = ""
    key: str | None = attrs.field(default=None, validator=not_blank)
    cause: str | None = None
    cause_digest: str | None = None
    step: bool = False
    salt: str = ""
    id: str = ""
    clock_tolerance: float = CLOCK_TOLERANCE


def _audience(value: str | Iterable[str] | None) -> frozenset[str] | None:
    return None if value is None else names(value)


@attrs.frozen(kw_only=True)
class Erased(Value):
    """What one act of erasing removed from one entry before it.

    Attributes:
        sequence: Which entry of the record.
        fields: What was removed from it: fields of its details by their names, ``reason``, ``actor``.
        commitment: The commitment to what remains of its content, under a new salt; the newest one counts.
    """

    sequence: int
    fields: tuple[str, ...]
    commitment: str


@attrs.frozen(kw_only=True)
class Entry(Value):
    """One thing that happened to one record.

    Attributes:
        record_id: Whose history this is.
        sequence: Its place there, from 1: the record's version after it.
        trigger: What was done.
        source: The state before; None for a creation.
        dest: The state after.
        actor: Who did it, as they were then.
        at: When it happened: what the caller said, else the clock's now. It is no order: a late fact lies before
            entries that were made earlier.
        recorded_at: When it was entered; never runs backward in a record, even where a clock does.
        reason: Why.
        details: Its details; for a creation the draft.
        key: The idempotency key of the call.
        cause: The `ref` of the entry that this one followed from.
        kind: The kind of its record.
        lifecycle_version: The version of the definition under which it was made.
        secrecy: The higher one of the record's before and after it: nobody reads it below this clearance.
        audience: The roles that may read it; None for everybody who may see the record.
        retracts: The sequence of the entry that it takes back.
        digest: The head of the record after it: the digest of this entry and, through it, of all before.
        erased: What it erased from entries before it.
    """

    record_id: str
    sequence: int
    trigger: str
    source: str | None
    dest: str
    actor: Actor
    at: datetime = attrs.field(converter=in_utc)
    recorded_at: datetime = attrs.field(converter=in_utc)
    reason: str = ""
    details: object = attrs.field(default=None, metadata={VALUE: True})
    key: str | None = None
    cause: str | None = None
    kind: str = ""
    lifecycle_version: int = 0
    secrecy: Secrecy = attrs.field(default=Secrecy.INTERNAL, converter=as_secrecy)
    audience: frozenset[str] | None = attrs.field(default=None, converter=_audience)
    retracts: int | None = None
    digest: str = ""
    erased: tuple[Erased, ...] = ()

    @property
    def ref(self) -> str:
        """What other entries call this one, ``record id @ sequence``."""
        return f"{self.record_id}@{self.sequence}"

    def mark(self, name: str) -> str | None:
        """The value of the details' field with a mark (``party``, ``level``, ``code``, ``person``); None without.

        A flag counts under its field's name where it is true, an enum under its value.
        """
        field = marked(type(self.details)).get(name)
        return None if field is None else _counted(field, getattr(self.details, field))

    @property
    def marks(self) -> tuple[str | None, str | None, str | None]:
        """The values of ``party``, ``level`` and ``code``."""
        if not marked(type(self.details)):
            return None, None, None
        return self.mark("party"), self.mark("level"), self.mark("code")


def _counted(field: str, value: object) -> str | None:
    """What a marked field counts under."""
    if isinstance(value, bool):
        return field if value else None
    if isinstance(value, enum.Enum):
        return str(value.value)
    return None if value is None else str(value)


def retracts_of(details: object) -> object:
    """What the field of the details that is marked `RETRACTS` holds; None without such a field."""
    field = marked(type(details)).get("retracts")
    return None if field is None else getattr(details, field)


@cache_by_class
def marked(cls: type[Any]) -> Mapping[str, str]:
    """The fields of a details class that are marked, by their mark."""
    if not attrs.has(cls):
        return {}
    return {field.metadata[MARK]: field.name for field in attrs.fields(cls) if MARK in field.metadata}


def same_content(one: object, other: object, *, but: frozenset[str]) -> bool:
    """Whether two values of one class are equal, some fields left aside."""
    if type(one) is not type(other):
        return False
    return all(getattr(one, name) == getattr(other, name) for name in field_names(type(one)) if name not in but)
