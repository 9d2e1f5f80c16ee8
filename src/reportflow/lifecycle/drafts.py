"""What a draft brings, and whether its creation accepts it. Pure.

A draft is a record that its caller has built, so any of its fields may say anything. It brings what differs from the
default of its class; of that, a creation keeps what its row accepts, and refuses the rest by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

import attrs

from reportflow.errors import InvalidValue
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Actor, Secrecy
from reportflow.model.checks import cache_by_class
from reportflow.model.record import Record
from reportflow.model.values import field_names


def check_accepted(lifecycle: Lifecycle, draft: Record, trigger: str) -> None:
    """Refuse a draft of another lifecycle, or with fields that its creation does not accept.

    Raises:
        UnknownTrigger: the lifecycle has no such trigger.
        InvalidValue: `kind`, or the first of the fields; its details name all of them.
    """
    if type(draft) is not lifecycle.record or draft.kind not in ("", lifecycle.name):
        facts = {"kind": draft.kind or lifecycle.name, "cls": type(draft).__name__, "name": lifecycle.name}
        raise InvalidValue("kind", "other_kind", {**facts, "owner": lifecycle.record.__name__})
    refused = unaccepted(lifecycle, draft, trigger)
    if refused:
        named = {"lifecycle": lifecycle.name, "trigger": trigger}
        accepted = accepted_in_order(lifecycle, trigger)
        raise InvalidValue(refused[0], "not_accepted", {**named, "brought": refused, "accepted": accepted})


def accepted_in_order(lifecycle: Lifecycle, trigger: str) -> tuple[str, ...]:
    """The fields that a draft may bring to a trigger, in the order of the class.

    Raises:
        UnknownTrigger: the lifecycle has no such trigger.
    """
    accepted = lifecycle.accepted(trigger)
    return tuple(name for name in field_names(lifecycle.record) if name in accepted)


def unaccepted(lifecycle: Lifecycle, draft: Record, trigger: str) -> tuple[str, ...]:
    """The fields that a draft brings and a trigger does not accept, in order; none where it creates nothing.

    A draft brings what differs from the default of its class; its kind aside, which says whose draft it is.
    """
    if lifecycle.row(None, trigger) is None:
        return ()  # it is refused for its state
    accepted = lifecycle.accepted(trigger)
    names, read, usual = _to_compare(type(draft), accepted)  # type: ignore[arg-type]  # a class is hashable
    given = read(draft)
    if given == usual:
        return ()
    brought = [name for name, one, other in zip(names, given, usual, strict=True) if one != other]
    return _not_by_itself(draft, brought) if brought else ()


@lru_cache(maxsize=256)
def _to_compare(
    cls: type[Any], accepted: frozenset[str]
) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]], tuple[object, ...]]:
    """The fields that a draft must leave at their default, what reads them, and the defaults."""
    usual = {name: default for name, default in _defaults(cls).items() if name not in accepted}
    names = tuple(usual)
    read = attrgetter(*names) if len(names) > 1 else lambda draft: tuple([getattr(draft, name) for name in names])
    return names, read, tuple(usual.values())


def most_open(lifecycle: Lifecycle, trigger: str, actor: Actor) -> Record:
    """What a creation makes of the draft that is most open to its creator: of their own unit, of the lowest secrecy.

    Where the creation does not accept these, they are the defaults of the class. It has only what access is judged by.
    """
    usual, accepted = _defaults(lifecycle.record), lifecycle.accepted(trigger)
    best = {"unit": actor.unit, "secrecy": Secrecy.INTERNAL}
    fixed = {name: usual[name] for name in best if name not in accepted and usual[name] not in ("", attrs.NOTHING)}
    return Record(kind=lifecycle.name, created_by=actor.id, **{**best, **fixed})  # type: ignore[arg-type]  # of the class


@cache_by_class
def _defaults(cls: type[Any]) -> Mapping[str, object]:
    """What each field is where a draft does not bring it; NOTHING where that takes building the draft."""
    return {field.name: _default(field) for field in attrs.fields(cls) if field.init and field.name != "kind"}


def _default(field: attrs.Attribute[Any]) -> object:
    default: Any = field.default
    by_factory = isinstance(default, attrs.Factory)  # type: ignore[arg-type]  # a class, though typed as a function
    if default is attrs.NOTHING or isinstance(field.converter, attrs.Converter) or (by_factory and default.takes_self):
        return attrs.NOTHING
    try:
        made = default.factory() if by_factory else default
        return made if field.converter is None else field.converter(made)
    except Exception:  # then every draft has to bring it
        return attrs.NOTHING


def _not_by_itself(draft: Record, brought: Sequence[str]) -> tuple[str, ...]:
    """Of some fields those that differ once the draft is built without them: a class may derive one from others."""
    fields = attrs.fields(type(draft))
    try:
        bare = type(draft)(
            **{one.alias: getattr(draft, one.name) for one in fields if one.init and one.name not in brought}
        )
    except Exception:  # it cannot do without them
        return tuple(brought)
    return tuple(name for name in brought if getattr(draft, name) != getattr(bare, name))
