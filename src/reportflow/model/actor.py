"""Who asks, and how far a role reaches."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Final

import attrs

from reportflow.errors import InvalidValue
from reportflow.model.checks import type_problem
from reportflow.model.values import Ranked, Value, choice, names, not_blank


class Secrecy(Ranked):
    """密级: how secret a record is, and up to where a person may read. Lowest first."""

    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    SECRET = "secret"
    TOP_SECRET = "top_secret"


class Scope(enum.StrEnum):
    """How far a role reaches: `OWN` its creator's or author's, `UNIT` the actor's unit's, `ANY` all records."""

    OWN = "own"
    UNIT = "unit"
    ANY = "any"


#: Short for `Scope.OWN`.
OWN: Final = Scope.OWN
#: Short for `Scope.UNIT`.
UNIT: Final = Scope.UNIT
#: Short for `Scope.ANY`.
ANY: Final = Scope.ANY


class ActorKind(enum.StrEnum):
    """A person, or a system that acts by itself."""

    PERSON = "person"
    SYSTEM = "system"


def as_secrecy(value: Secrecy | str) -> Secrecy:
    """A level of secrecy, from itself or its value; raises `InvalidValue` where there is no such level."""
    return choice(Secrecy, value, "secrecy")


def _clearance(value: Secrecy | str) -> Secrecy:
    return choice(Secrecy, value, "clearance")


def _roles(value: str | Iterable[str]) -> frozenset[str]:
    try:
        return names(value)
    except TypeError:
        raise InvalidValue("roles", *type_problem("str | set[str]", value)) from None


def _kind(value: ActorKind | str) -> ActorKind:
    return choice(ActorKind, value, "kind")


@attrs.frozen(kw_only=True)
class Actor(Value):
    """Who asks. The host answers for who that is; the library keeps no users.

    Attributes:
        id: The host's id of the person or system; not blank.
        name: What people call them.
        roles: The roles that they hold; each counts only where its scope holds.
        unit: The unit they belong to. A blank one reaches nothing: what has no unit is not the unit of who has none.
        clearance: The highest secrecy that they may read.
        kind: A person, or a system.
        on_behalf_of: The id of whom they act for; kept in the history, it lends no rights.
        post: Their post, as people call it: shown with their name.
    """

    id: str = attrs.field(validator=not_blank)
    name: str = ""
    roles: frozenset[str] = attrs.field(default=frozenset(), converter=_roles)
    unit: str = ""
    clearance: Secrecy = attrs.field(default=Secrecy.INTERNAL, converter=_clearance)
    kind: ActorKind = attrs.field(default=ActorKind.PERSON, converter=_kind)
    on_behalf_of: str | None = None
    post: str = ""


def _roles_or_none(value: str | Iterable[str] | None) -> frozenset[str] | None:
    return None if value is None else _roles(value)


def _clearance_or_none(value: Secrecy | str | None) -> Secrecy | None:
    return None if value is None else _clearance(value)


@attrs.frozen(kw_only=True)
class Person(Value):
    """Whom a host knows under an id, as far as it says: `people=` of a flow gives such ones.

    Attributes:
        name: What people call them.
        post: Their post.
        unit: The unit they belong to.
        roles: The roles that they hold; None where the host does not say, so that nobody judges what they see.
        clearance: The highest secrecy that they may read; None where the host does not say.
    """

    name: str = attrs.field(default="", kw_only=False)
    post: str = attrs.field(default="", kw_only=False)
    unit: str = attrs.field(default="", kw_only=False)
    roles: frozenset[str] | None = attrs.field(default=None, converter=_roles_or_none)
    clearance: Secrecy | None = attrs.field(default=None, converter=_clearance_or_none)
