"""What is kept: the frozen base of everything with a lifecycle."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, Self

import attrs

from reportflow.errors import InvalidValue
from reportflow.model.actor import Actor, Scope, Secrecy, as_secrecy
from reportflow.model.checks import cache_by_class, is_blank
from reportflow.model.values import Extended, field_names, in_utc_or_none

#: What the fold of a history sets; no draft and no `sets` may name them.
SET_BY_FOLD: Final = frozenset(
    {"kind", "state", "version", "head", "lifecycle_version", "created_by", "created_for", "created_at", "updated_at"}
)
#: Of these a draft may name its kind alone.
_NOT_GIVEN: Final = SET_BY_FOLD - {"kind"}


@cache_by_class
def required_fields(cls: type[Any]) -> tuple[str, ...]:
    """The fields of a record class that have no default, in order: every draft brings them."""
    return tuple(field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING)


class Seen(NamedTuple):
    """What was seen of a record: its version and its head. Two contents may have one version, never one head."""

    version: int
    head: str


class GivenOut(Extended):
    """A value that knows by which flow it was given out. A copy of it knows nothing."""

    __slots__ = ("_given_by",)
    _given_by: object


@attrs.frozen(kw_only=True)
class Record(GivenOut):
    """One thing with a lifecycle, as it is at one version. A change is a new value.

    Attributes:
        id: A UUIDv7 as text, given by the flow unless the draft brings one and its creation accepts that.
        kind: The name of its lifecycle.
        state: One of the lifecycle's states; blank in a draft.
        version: The number of its entries; 0 in a draft.
        head: The digest of its last entry, which stands for its whole history; blank in a draft.
        lifecycle_version: The version of the definition that it was created under.
        unit: The unit it belongs to; its creator's unless the draft says otherwise.
        parent: The id of the record that it belongs to.
        title: What people call it.
        category: One word to sort by.
        assignee: The id of the person whose turn it is.
        due_at: When it is due.
        secrecy: Nobody reads it below this clearance.
        created_by: The id of the actor who created it.
        created_for: The id of the person for whom they acted; None where they acted for themselves.
        created_at: When it came to be: `at` of its first entry.
        updated_at: When its last entry was recorded.
    """

    id: str = ""
    kind: str = ""
    state: str = ""
    version: int = 0
    head: str = ""
    lifecycle_version: int = 0
    unit: str = ""
    parent: str | None = None
    title: str = ""
    category: str = ""
    assignee: str | None = None
    due_at: datetime | None = attrs.field(default=None, converter=in_utc_or_none)
    secrecy: Secrecy = attrs.field(default=Secrecy.INTERNAL, converter=as_secrecy)
    created_by: str = ""
    created_for: str | None = None
    created_at: datetime | None = attrs.field(default=None, converter=in_utc_or_none)
    updated_at: datetime | None = attrs.field(default=None, converter=in_utc_or_none)

    @classmethod
    def draft(cls, *unnamed: Any, **fields: Any) -> Self:
        """The version-0 record that `create` takes: the fields of the class, less those that the flow sets.

        Which of them it may bring, the row of its creation says (`Transition.accepts`).

        Type checkers see the fields where the class says them again, as `Report` does.

        Raises:
            InvalidValue: a field is unknown, missing, set by the flow, or its value cannot be stored.
            TypeError: a field is given without its name.
        """
        if unnamed:
            raise TypeError(f"{cls.__name__}.draft() takes its fields by name")
        for name in fields:
            if name in _NOT_GIVEN:
                raise InvalidValue(name, "set_by_flow")
            if name not in field_names(cls):
                choices = [field for field in field_names(cls) if field not in SET_BY_FOLD]
                raise InvalidValue(name, "unknown_field", {"owner": cls.__name__, "choices": choices})
        for name in required_fields(cls):
            if name not in fields:
                raise InvalidValue(name, "missing_field", {"owner": cls.__name__})
        return cls(**fields)

    @property
    def seen(self) -> Seen:
        """Its version and its head."""
        return Seen(self.version, self.head)

    @property
    def reference(self) -> str:
        """The number by which people refer to it, where its kind has one; blank otherwise."""
        return ""

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """What a `Query` finds by beside the columns, each with any number of values: ``author``, ``topic``."""
        return {}

    def belongs_to(self, actor_id: str) -> bool:
        """Whether the person is its creator or one of its authors."""
        return self.created_by == actor_id or actor_id in self.labels().get("author", ())

    def within(self, scope: Scope, actor_id: str, unit: str) -> bool:
        """Whether a scope of a person holds for the record; a blank unit reaches nothing."""
        if scope is Scope.UNIT:
            return self.unit == unit and not is_blank(unit)
        return scope is Scope.ANY or self.belongs_to(actor_id)

    def readable_by(self, actor: Actor) -> bool:
        """Whether the actor's clearance reaches it."""
        return self.secrecy <= actor.clearance


#: Notes on a record by which flow it was given out; see `given_by`.
give_out: Final = GivenOut.__dict__["_given_by"].__set__


def given_by(record: Record) -> object:
    """What `give_out` noted on this very object; None where nothing was, as on every copy."""
    return getattr(record, "_given_by", None)
