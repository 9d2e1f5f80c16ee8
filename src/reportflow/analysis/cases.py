"""What a check tries: drafts, people, and the commands of each trigger; few of each, the simplest first."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import attrs

from reportflow.analysis.purity import mentioned
from reportflow.analysis.samples import PEOPLE, START, UNITS, Given, instances
from reportflow.errors import Unbuildable
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.drafts import unaccepted
from reportflow.lifecycle.table import OneOf, Transition, is_field_name
from reportflow.model.actor import Actor, ActorKind, Secrecy
from reportflow.model.entry import Command, marked
from reportflow.model.record import SET_BY_FOLD, Record
from reportflow.model.values import changed

#: The id of the record that a trial is about, and that its creation is given.
MAIN: Final = "r1"
#: A person who is named in no record.
STRANGER: Final = "stranger"
REASON: Final = "why"
#: When an act happens, beside `START`: some rules wait.
_LATER: Final = (START + timedelta(days=30), START + timedelta(days=800))

_DRAFTS: Final = 24
_DETAILS: Final = 24
#: How many of the given instances are tried.
_GIVEN: Final = 60
#: How many of the details each person tries, where not one person tries them all.
_FEW: Final = 3
#: How many people hold all roles: two in a unit, one in another, one without clearance.
_ABLE: Final = 4
#: How many ids of existing records a field is tried with.
_NAMED: Final = 16
#: How many of the entries of its record, the last ones, an act is tried with that takes one back.
_TAKEN: Final = 3


@attrs.frozen(kw_only=True)
class Attempts:
    """What is tried with a trigger: on most records a few commands, on some of them many."""

    few: tuple[Command, ...]
    many: tuple[Command, ...]
    details: tuple[object, ...]


def able(name: str, roles: Iterable[str], unit: str = UNITS[0]) -> Actor:
    """A person with all these roles and the highest clearance."""
    return Actor(id=name, roles=frozenset(roles), unit=unit, clearance=Secrecy.TOP_SECRET)


def people(lifecycles: Sequence[Lifecycle]) -> tuple[Actor, ...]:
    """All people: the `_ABLE` with all roles first, then two for each role alone."""
    roles = tuple(dict.fromkeys(role for one in lifecycles for role in one.roles))
    ana, bo, cy = PEOPLE
    return (
        able(ana, roles),
        able(bo, roles),
        able(cy, roles, UNITS[1]),
        Actor(id=cy, roles=frozenset(roles), unit=UNITS[0]),
        *(able(name, {role}) for name in (ana, bo) for role in roles if len(roles) > 1),
        attrs.evolve(able("robot", roles), kind=ActorKind.SYSTEM),
        attrs.evolve(able(cy, roles), on_behalf_of=ana),
    )


#: What the table itself reads: who may see a record, and whose it is.
_BY_TABLE: Final = frozenset({"unit", "created_by", "secrecy"})


def read_by_rules(lifecycle: Lifecycle) -> frozenset[str]:
    """The fields of a record that the rules of its lifecycle may read; all, where a rule cannot be looked into."""
    cls = lifecycle.record
    fields = frozenset(field.name for field in attrs.fields(cls))
    names = mentioned_by(lifecycle.transitions, cls)
    labels = mentioned(cls.labels, cls)
    return fields if names is None or labels is None else fields & (_BY_TABLE | names | labels)


def mentioned_by(rows: Iterable[Transition], cls: type[Any]) -> frozenset[str] | None:
    """All names that the guards and functions of some rows mention; None where one cannot be looked into."""
    found: set[str] = set()
    for row in rows:
        chooses = (row.dest.choose,) if isinstance(row.dest, OneOf) else ()
        for function in (*(guard.test for guard in row.guards), *(one for _, one in functions(row)), *chooses):
            names = mentioned(function, cls)
            if names is None:
                return None
            found |= names
    return frozenset(found)


def functions(row: Transition) -> Iterator[tuple[str, Any]]:
    """The functions of a row of (record before, entry), each with the part of the row that errors name."""
    for field, setting in row.sets.items():
        if callable(setting) and not is_field_name(setting):
            yield f"sets '{field}'", setting
    if callable(row.erases) and not is_field_name(row.erases):
        yield "erases", row.erases
    if row.then is not None:
        yield "then", row.then
    if callable(row.audience):
        yield "audience", row.audience


def drafts(lifecycle: Lifecycle, given: Given, named: Sequence[str]) -> tuple[Record, ...]:
    """Drafts that a creation of the lifecycle accepts, without an id; some name one of the existing records.

    Raises:
        Unbuildable: none could be made.
    """
    creations = [row.trigger for row in lifecycle.transitions if None in row.sources]
    accepted = frozenset().union(*map(lifecycle.accepted, creations))
    if given.get(lifecycle.record):
        made = tuple(changed(one, {"id": ""}) for one in instances(lifecycle.record, given, limit=_GIVEN))
    else:  # they differ in what rules may read
        idle = {one.name for one in attrs.fields(lifecycle.record) if one.default is not attrs.NOTHING}
        left = SET_BY_FOLD | {"id"} | (idle - (read_by_rules(lifecycle) & accepted))
        made = instances(lifecycle.record, given, limit=_DRAFTS, leave=left)
    made = tuple(
        one for one in made if not one.version and not all(unaccepted(lifecycle, one, name) for name in creations)
    )
    if not made:
        raise Unbuildable(lifecycle.record.__name__, "none of the given ones is a draft that a creation accepts")
    fields = (_naming_fields(lifecycle.record) & accepted) - {"id", "title", "category", "unit", "assignee"}
    return (*made, *_naming(made[0], sorted(fields), named[:_NAMED]))


def attempts(
    lifecycle: Lifecycle, trigger: str, given: Given, named: Sequence[str], actors: Sequence[Actor]
) -> Attempts:
    """What is tried with a trigger that is no creation.

    Raises:
        Unbuildable: no details could be made.
    """
    rows = lifecycle.rows(trigger)
    details = details_of(rows, given, named)
    reason = REASON if any(row.reason_required for row in rows) else ""
    by_all = [Command(trigger=trigger, actor=who, now=START, details=details[0], reason=reason) for who in actors]
    first = by_all[0]
    others = [attrs.evolve(one, details=other) for one in by_all[:2] for other in details[1:]]
    few = [*by_all[:_ABLE], *(attrs.evolve(first, now=later) for later in _LATER), *others[: _FEW - 1]]
    if not all(row.reason_required for row in rows):
        few.append(attrs.evolve(first, reason="" if reason else REASON))
    return Attempts(few=tuple(few), many=(*few, *by_all[_ABLE:], *others[_FEW - 1 :]), details=details)


def of_entries(command: Command, record: Record) -> Iterator[Command]:
    """A command; where its details take an entry back, one for each of the last entries of its record."""
    field = marked(type(command.details)).get("retracts") if attrs.has(type(command.details)) else None
    if field is None:
        yield command
        return
    for sequence in range(record.version, max(1, record.version - _TAKEN), -1):
        yield attrs.evolve(command, details=changed(command.details, {field: sequence}))


def details_of(rows: Sequence[Transition], given: Given, named: Sequence[str]) -> tuple[object, ...]:
    """The details that are tried with the rows of a trigger; None alone where it takes none.

    Raises:
        Unbuildable: none could be made.
    """
    cls = rows[0].details
    if cls is None:
        return (None,)
    made = instances(cls, given, limit=_GIVEN if given.get(cls) else _DETAILS)
    if any(row.guards or row.then for row in rows):
        made = (*made, *_naming(made[0], sorted(_naming_fields(cls)), (MAIN, *named[:_NAMED])))
    return made


def _naming(value: Any, fields: Iterable[str], ids: Iterable[str]) -> Iterator[Any]:
    """A value with each of its fields naming each of the records, where its class takes that."""
    for id in ids:
        for field in fields:
            try:
                yield attrs.evolve(value, **{field.lstrip("_"): id})
            except Exception:  # any error of a host's validator; another id may do
                continue


def _naming_fields(cls: type[Any]) -> frozenset[str]:
    """The fields that hold a text, and so may name a record."""
    try:
        hints: Mapping[str, Any] = typing.get_type_hints(cls)
    except NameError:
        return frozenset()
    texts = {name for name, kind in hints.items() if kind is str or str in typing.get_args(kind)}
    return frozenset(texts & {field.name for field in attrs.fields(cls) if field.init})
