"""What is wrong with a table: all of it at once, before anything runs on it."""

from __future__ import annotations

import contextlib
import typing
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, cast

import attrs

from reportflow.errors import Fault, InvalidDefinition
from reportflow.lifecycle.erasable import faults_of_erasing
from reportflow.lifecycle.table import EVERYBODY, NOBODY, SAME, START, State, Transition, is_field_name
from reportflow.model.annotations import keepers
from reportflow.model.checks import shown
from reportflow.model.record import SET_BY_FOLD, Record, required_fields
from reportflow.model.values import field_names, is_frozen
from reportflow.serialization.evolution import schema_faults

#: What `sets` may not name: the fold sets it, or nothing ever may.
_FIXED: Final = SET_BY_FOLD | {"id"}
#: Of the fields of every record, those that a creation accepts unless its row says otherwise,
_BY_DEFAULT: Final = frozenset({"title", "category", "parent", "due_at", "secrecy"})
#: and those that it accepts only where its row names them.
_WHERE_NAMED: Final = frozenset({"id", "unit"})
#: What the machine takes for every state.
_WILDCARD: Final = "*"
#: Where the machine's models keep their state; the machine takes no trigger of this name.
_MODEL_STATE: Final = "state"


def faults(
    name: str,
    record: object,
    roles: Mapping[str, object],
    states: Sequence[State],
    transitions: Sequence[Transition],
    audits: frozenset[str] = frozenset(),
) -> tuple[Fault, ...]:
    """Every fault of a table; none means that a `Lifecycle` can be built of it."""
    unnamed = tuple(_faults_of_types(name, {*roles, *audits}, states, transitions))
    if unnamed:
        return unnamed  # the rest compares names
    return (
        *(_fault("unknown_auditor", name=role) for role in sorted(audits - set(roles))),
        *_faults_of_names(name, roles, states, transitions),
        *_faults_of_states(states, transitions),
        *_faults_of_paths(states, transitions),
        *_faults_of_classes(record, transitions),
    )


def _fault(code: str, **facts: object) -> Fault:
    return Fault(code, facts)


def _faults_of_types(
    name: object, roles: Iterable[object], states: Sequence[State], transitions: Sequence[Transition]
) -> Iterator[Fault]:
    """Names that are no text: a member of an enum that is no str enum, a number."""
    sources = chain.from_iterable(row.sources - {None} for row in transitions)
    awaited = chain.from_iterable(state.awaits for state in states)
    permitted = chain.from_iterable(row.roles for row in transitions)
    reading = chain.from_iterable(row.audience for row in transitions if isinstance(row.audience, frozenset))
    for room, every in (
        ("lifecycle", {name}),
        ("role", {*roles, *awaited, *permitted, *reading}),
        ("state", {*sources, *(state.name for state in states), *chain.from_iterable(map(_named_dests, transitions))}),
        ("trigger", {row.trigger for row in transitions}),
    ):
        for given in sorted(shown(one) for one in every if not isinstance(one, str)):
            yield _fault("name_type", name=room, given=given)


def _faults_of_names(
    name: str, roles: Mapping[str, object], states: Sequence[State], transitions: Sequence[Transition]
) -> Iterator[Fault]:
    for room, every in (
        ("lifecycle", [name]),
        ("role", list(roles)),
        ("state", [state.name for state in states]),
        ("trigger", [row.trigger for row in transitions]),
    ):
        if any(not one.strip() for one in every):
            yield _fault("blank_name", name=room)
    if any(row.audience is not None for row in transitions):
        for role in sorted(role for role in roles if "," in role):
            yield _fault("role_comma", name=role)  # an entry's audience is stored as one text
    for role in sorted({EVERYBODY, NOBODY} & set(roles)):
        yield _fault("reserved_role", name=role)
    for reserved in sorted({SAME, START, _WILDCARD} & {state.name for state in states}):
        yield _fault("reserved_state", name=reserved)
    if any(row.trigger == _MODEL_STATE for row in transitions):
        yield _fault("reserved_trigger", name=_MODEL_STATE)
    known = {*roles, EVERYBODY, NOBODY}
    for row in transitions:
        for role in sorted(row.roles - known):
            yield _fault("unknown_role", trigger=row.trigger, name=role)
        audience = row.audience if isinstance(row.audience, frozenset) else None
        for role in sorted((audience or frozenset()) - set(roles)):
            yield _fault("unknown_audience", trigger=row.trigger, name=role)
        if audience is not None and not audience:
            yield _fault("no_audience", trigger=row.trigger)
        if NOBODY in row.roles and len(row.roles) > 1:
            yield _fault("nobody_and", trigger=row.trigger, roles=sorted(row.roles - {NOBODY}))
    for state in states:
        for role in sorted(state.awaits - set(roles)):
            yield _fault("unknown_awaited_role", state=state.name, name=role)


def _faults_of_states(states: Sequence[State], transitions: Sequence[Transition]) -> Iterator[Fault]:
    for name, number in Counter(state.name for state in states).items():
        if number > 1:
            yield _fault("duplicate_state", name=name)
    known = {state.name for state in states}
    if not any(None in row.sources for row in transitions):
        yield _fault("no_creation")
    for row in transitions:
        named = {*(row.sources - {None}), *_named_dests(row)}
        for name in sorted(str(one) for one in named - known):
            yield _fault("unknown_state", trigger=row.trigger, name=name)
        if not row.sources:
            yield _fault("no_source", trigger=row.trigger)
        if None in row.sources and row.dest == SAME:
            yield _fault("creation_same", trigger=row.trigger)
        if None in row.sources and (row.details is not None or row.reason_required):
            yield _fault("creation_told", trigger=row.trigger)
    rows = Counter((source, row.trigger) for row in transitions for source in row.sources)
    for (source, trigger), number in rows.items():
        if number > 1:
            yield _fault("two_rows", trigger=trigger, state="–" if source is None else source)


def _named_dests(row: Transition) -> tuple[str, ...]:
    """The states that a row names as what it leads to."""
    return () if row.dest == SAME else row.dests(None)


def _faults_of_paths(states: Sequence[State], transitions: Sequence[Transition]) -> Iterator[Fault]:
    forward: dict[str | None, set[str | None]] = {}
    backward: dict[str | None, set[str | None]] = {}
    for row in transitions:
        for source in row.sources:
            forward.setdefault(source, set()).update(row.dests(source))
            for dest in row.dests(source):
                backward.setdefault(dest, set()).add(source)
    reached = _closure({None}, forward)
    ending = _closure({state.name for state in states if state.final}, backward)
    for name in dict.fromkeys(state.name for state in states):
        if name not in reached:
            yield _fault("unreachable", name=name)
        if name not in ending:
            yield _fault("no_way_out", name=name)


def _closure(start: Iterable[str | None], edges: Mapping[str | None, set[str | None]]) -> set[str | None]:
    """All that can be reached from the start, the start with it."""
    found, todo = set(start), list(start)
    while todo:
        fresh = edges.get(todo.pop(), set()) - found
        found |= fresh
        todo.extend(fresh)
    return found


def _faults_of_classes(record: object, transitions: Sequence[Transition]) -> Iterator[Fault]:
    fields: Sequence[str] | None = None
    classes: list[type[Any]] = []
    if isinstance(record, type) and issubclass(record, Record) and attrs.has(record):
        fields = field_names(record)
        classes.append(record)
    else:
        yield _fault("record_class", given=record)
    for row in transitions:
        if row.details is not None and not _is_attrs(row.details):
            yield _fault("details_class", trigger=row.trigger, given=row.details)
        yield from _faults_of_sets(row, fields, record)
        if fields is not None:
            yield from _faults_of_accepts(row, transitions, record)
            yield from faults_of_erasing(row, cast("type[Any]", record), transitions)
    by_trigger: dict[str, dict[str, type[Any] | None]] = {}
    for row in transitions:
        by_trigger.setdefault(row.trigger, {})[getattr(row.details, "__name__", "nothing")] = row.details
    for trigger, several in by_trigger.items():
        if len(several) > 1:
            yield _fault("two_details", trigger=trigger, choices=sorted(several))
        classes += [cls for cls in several.values() if cls is not None and _is_attrs(cls)]
    for cls in _with_nested(classes):
        if not is_frozen(cls):
            yield _fault("not_frozen", name=cls.__name__)
        yield from _faults_of_fields(cls)
        yield from schema_faults(cls)


def _is_attrs(cls: object) -> bool:
    return isinstance(cls, type) and attrs.has(cls)


def _with_nested(classes: Iterable[type[Any]]) -> Iterable[type[Any]]:
    """Classes with those that their fields name, and so on; each once."""
    found: dict[type[Any], None] = {}
    todo: list[Any] = [*classes][::-1]
    while todo:
        kind = todo.pop()
        if not _is_attrs(kind):
            todo += typing.get_args(kind)[::-1]
        elif kind not in found:
            found[kind] = None
            with contextlib.suppress(NameError):  # a fault of the field, said with it
                todo += [*typing.get_type_hints(kind).values()][::-1]
    return found


def _faults_of_fields(cls: type[Any]) -> Iterator[Fault]:
    try:
        keepers(cls)
    except InvalidDefinition as error:
        yield from (fault for fault in error.faults if isinstance(fault, Fault))


def _faults_of_sets(row: Transition, fields: Sequence[str] | None, record: object) -> Iterator[Fault]:
    known = field_names(row.details) if _is_attrs(row.details) and row.details else ()
    for field, setting in row.sets.items():
        if fields is not None and field not in fields:
            yield _fault("sets_unknown_field", trigger=row.trigger, name=field, owner=_name(record))
        elif field in _FIXED:
            yield _fault("sets_own_field", trigger=row.trigger, name=field)
        if is_field_name(setting) and setting not in known:
            owner = _name(row.details) if row.details else "nothing"
            yield _fault("sets_unknown_detail", trigger=row.trigger, field=field, name=setting, owner=owner)


def _faults_of_accepts(row: Transition, transitions: Sequence[Transition], record: Any) -> Iterator[Fault]:
    if None not in row.sources:
        if row.accepts is not None:
            yield _fault("accepts_elsewhere", trigger=row.trigger)
        return
    accepted = accepted_fields(row, transitions, record)
    for field in sorted(accepted, key=str):
        if field not in field_names(record):
            yield _fault("accepts_unknown_field", trigger=row.trigger, name=field, owner=_name(record))
        elif field in SET_BY_FOLD:
            yield _fault("accepts_own_field", trigger=row.trigger, name=field)
    for field in required_fields(record):
        if field not in accepted | SET_BY_FOLD:
            yield _fault("accepts_too_little", trigger=row.trigger, name=field, owner=_name(record))


def accepted_fields(row: Transition, transitions: Iterable[Transition], record: type[Record]) -> frozenset[str]:
    """The fields that a draft of a creation may bring; of a row that does not say, see `Transition.accepts`."""
    if row.accepts is not None:
        return row.accepts
    ever_set = {field for one in transitions for field in one.sets}
    own = set(field_names(record)) - set(field_names(Record)) - ever_set
    return frozenset((own | _BY_DEFAULT | set(required_fields(record))) - SET_BY_FOLD - _WHERE_NAMED)


def _name(cls: object) -> str:
    return getattr(cls, "__name__", str(cls))
