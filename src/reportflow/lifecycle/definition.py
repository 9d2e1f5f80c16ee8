"""A lifecycle: the table, checked when it is built, with the lookups that judging goes by."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import attrs
from transitions import Machine

from reportflow.errors import InvalidDefinition, InvalidValue, RuleFailed, UnknownTrigger
from reportflow.i18n import catalog as messages
from reportflow.lifecycle.interop import Lookup, build_machine, compile_lookups
from reportflow.lifecycle.table import EVERYBODY, Label, OnConflict, State, Transition, said
from reportflow.lifecycle.validation import faults
from reportflow.model.actor import Actor, Scope
from reportflow.model.entry import Entry
from reportflow.model.query import Grant
from reportflow.model.record import Record
from reportflow.model.values import Value, changed, choice, converters, register

_BUILT: weakref.WeakValueDictionary[tuple[str, int], Lifecycle] = weakref.WeakValueDictionary()


def _scopes(value: Mapping[str, Scope | str]) -> Mapping[str, Scope]:
    return MappingProxyType({role: choice(Scope, scope, "roles") for role, scope in value.items()})


def _states(value: Iterable[State]) -> tuple[State, ...]:
    return tuple(value)


def _transitions(value: Iterable[Transition]) -> tuple[Transition, ...]:
    return tuple(value)


@attrs.frozen(kw_only=True, eq=False)
class Lifecycle:
    """The explicit state machine of one kind of record, as frozen data.

    Attributes:
        name: The `kind` of its records.
        version: The version of this definition; records remember theirs.
        record: The class of its records.
        roles: role -> how far it reaches.
        states: All states, in the order people think of them.
        transitions: All rows.
        label: What people call such a record.
        machine: The `transitions` machine of the table, for that package's tools.

    Raises:
        InvalidDefinition: the table has faults; the error names every one.
    """

    name: str
    version: int
    record: type[Record]
    roles: Mapping[str, Scope] = attrs.field(converter=_scopes)
    states: tuple[State, ...] = attrs.field(converter=_states)
    transitions: tuple[Transition, ...] = attrs.field(converter=_transitions)
    label: Label = ""
    machine: Machine = attrs.field(init=False, repr=False)
    _lookup: Lookup = attrs.field(init=False, repr=False)
    _by_trigger: Mapping[str, tuple[Transition, ...]] = attrs.field(init=False, repr=False)
    _commuting: frozenset[str] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        found = faults(self.name, self.record, self.roles, self.states, self.transitions)
        if found:
            raise InvalidDefinition(self.name, found)
        for row in self.transitions:
            if row.details is not None and not issubclass(row.details, Value):
                register(row.details)
        put = object.__setattr__
        put(self, "machine", build_machine(self.states, self.transitions))
        put(self, "_lookup", compile_lookups(self.machine))
        by_trigger: dict[str, tuple[Transition, ...]] = {}
        for row in self.transitions:
            by_trigger[row.trigger] = (*by_trigger.get(row.trigger, ()), row)
        put(self, "_by_trigger", MappingProxyType(by_trigger))
        seen = {row.trigger for row in self.transitions if row.on_conflict is not OnConflict.COMMUTES}
        put(self, "_commuting", frozenset(by_trigger) - seen)
        messages.add(self._own_labels())
        _BUILT[self.name, self.version] = self

    def _own_labels(self) -> dict[str, Mapping[str, str]]:
        """What the table calls its own states and triggers, for the messages that name them."""
        labels = {f"{self.name}.state.{state.name}": state.label for state in self.states}
        labels.update((f"{self.name}.trigger.{row.trigger}", row.label) for row in reversed(self.transitions))
        return {
            code: {messages.ENGLISH: label} if isinstance(label, str) else label
            for code, label in labels.items()
            if label
        }

    def said(self, language: str = messages.ENGLISH) -> str:
        """What people call such a record."""
        return said(self.label, "lifecycle", self.name, language)

    def state(self, name: str) -> State:
        """The state of a name.

        Raises:
            KeyError: there is none.
        """
        return next(state for state in self.states if state.name == name)

    @property
    def triggers(self) -> tuple[str, ...]:
        """All triggers, in the order of the table."""
        return tuple(self._by_trigger)

    def rows(self, trigger: str) -> tuple[Transition, ...]:
        """The rows of a trigger, never none.

        Raises:
            UnknownTrigger: the lifecycle has no such trigger.
        """
        found = self._by_trigger.get(trigger)
        if found is None:
            from difflib import get_close_matches  # only a mistyped trigger needs it

            alike = get_close_matches(str(trigger), self.triggers)
            raise UnknownTrigger(self.name, trigger, [*alike, *(one for one in self.triggers if one not in alike)])
        return found

    def commutes(self, trigger: str) -> bool:
        """Whether each row of a trigger goes by the stored record, whatever version its caller has seen.

        Raises:
            UnknownTrigger: the lifecycle has no such trigger.
        """
        self.rows(trigger)  # refuses an unknown one
        return trigger in self._commuting

    def row(self, state: str | None, trigger: str) -> tuple[Transition, str] | None:
        """The row that applies in a state (None: to a draft), with the state that it leads to."""
        return self._lookup.get((state, trigger))

    def roles_held(self, record: Record, actor: Actor) -> frozenset[str]:
        """The actor's roles that count for a record: scope holds, and clearance reaches it."""
        if not record.readable_by(actor):
            return frozenset()
        return frozenset([role for role in actor.roles if self._holds(role, record, actor)])

    def _holds(self, role: str, record: Record, actor: Actor) -> bool:
        scope = self.roles.get(role)
        return scope is not None and record.within(scope, actor.id, actor.unit)

    def permits(self, row: Transition, record: Record, actor: Actor) -> bool:
        """Whether a row takes one of the actor's roles for a record."""
        if EVERYBODY in row.roles:
            return bool(self.roles_held(record, actor)) if record.version else record.readable_by(actor)
        mine = row.roles & actor.roles
        return record.readable_by(actor) and any(self._holds(role, record, actor) for role in mine)

    def grants(self, actor: Actor) -> tuple[Grant, ...]:
        """What the actor's roles let them see of this kind; scope by scope, as data for a query."""
        scopes = frozenset(self.roles[role] for role in actor.roles if role in self.roles)
        return (Grant(kind=self.name, scopes=scopes),) if scopes else ()

    def awaiting_grants(self, actor: Actor, roles: Iterable[str] | None = None) -> tuple[Grant, ...]:
        """The records of this kind whose state awaits a role of the actor, where that role's scope holds."""
        mine = {role: self.roles[role] for role in roles or actor.roles if role in self.roles}
        return tuple(
            Grant(kind=self.name, scopes=scopes, states=frozenset({state.name}))
            for state in self.states
            if (scopes := frozenset(scope for role, scope in mine.items() if role in state.awaits))
        )

    def fold(self, before: Record | None, entry: Entry) -> Record:
        """The record after an entry; `before` is None for the first one. Pure: the only way a record changes.

        Raises:
            RuleFailed: the table has no such row, or a function of `sets` raised.
            InvalidValue: a converter of the record's class refuses a value.
        """
        draft = entry.details if before is None else before
        row = self._by_source(entry)
        if row is None or not isinstance(draft, Record):
            raise self.failed(entry, "the row", f"none from '{entry.source}' for this entry")
        try:
            changes: dict[str, Any] = row.changes(draft, entry)
            convert = converters(type(draft))
            for field in changes:
                if field in convert:
                    changes[field] = convert[field](changes[field])
        except InvalidValue:
            raise
        except Exception as error:
            raise self.failed(entry, "sets", f"{type(error).__name__}: {error}") from error
        changes.update(state=entry.dest, version=entry.sequence, updated_at=entry.recorded_at)
        return changed(draft, changes)

    def _by_source(self, entry: Entry) -> Transition | None:
        found = self._lookup.get((entry.source, entry.trigger))
        return found[0] if found else None

    def failed(self, entry: Entry, part: str, given: str) -> RuleFailed:
        """The error of a rule that failed on an entry."""
        return RuleFailed(self.name, entry.trigger, part, entry.record_id, given)


def built(name: str, version: int) -> Lifecycle | None:
    """The lifecycle of a name and version that was built last in this process, if it is still in use."""
    return _BUILT.get((name, version))
