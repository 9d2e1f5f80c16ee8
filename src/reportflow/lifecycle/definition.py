"""A lifecycle: the table, validated when it is built, with the lookups that deciding uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

import attrs

from reportflow.errors import InvalidDefinition, InvalidValue, RuleFailed, UnknownTrigger
from reportflow.i18n.catalog import ENGLISH, STANDARD, Catalog, Labels
from reportflow.lifecycle.access import Access
from reportflow.lifecycle.entering import entry_of
from reportflow.lifecycle.interop import Lookup, build_machine, compile_lookup
from reportflow.lifecycle.table import Label, OnConflict, OneOf, State, Transition, several
from reportflow.model.actor import Scope, Secrecy
from reportflow.model.checks import plain_text
from reportflow.model.entry import Command, Entry
from reportflow.model.frozen import FrozenDict
from reportflow.model.record import Record
from reportflow.model.values import changed, choice, conversions
from reportflow.serialization.classes import Classes

if TYPE_CHECKING:
    from transitions import Machine


def _scopes(value: Mapping[str, Scope | str]) -> Mapping[str, Scope]:
    return FrozenDict({plain_text(role): choice(Scope, scope, "roles") for role, scope in value.items()})


def _states(value: Iterable[State]) -> tuple[State, ...]:
    return tuple(value)


def _transitions(value: Iterable[Transition]) -> tuple[Transition, ...]:
    return tuple(value)


#: What of an entry is set after its record was folded: the digest stands for it, the secrecy for its result too.
AS_DECIDED: Final[Mapping[str, object]] = MappingProxyType({"digest": "", "secrecy": Secrecy.INTERNAL})


#: What of the entry of a row that leads to one of several states is set after its record was folded.
UNDECIDED: Final[Mapping[str, object]] = MappingProxyType({**AS_DECIDED, "dest": ""})


def _rebuilt(cls: type[Any], fields: Mapping[str, Any]) -> Any:
    return cls(**fields)


@attrs.frozen(kw_only=True, eq=False)
class Lifecycle(Access):
    """The explicit state machine of one kind of record, as frozen data.

    Attributes:
        name: The `kind` of its records.
        version: The version of this definition; records remember theirs.
        record: The class of its records.
        roles: role -> how far it reaches.
        states: All states, in the order people think of them.
        transitions: All rows.
        audits: The roles whose holders read each entry whole, where one of them reaches its record: everybody else
            gets of a person who acted the name, the post and the role used (see `lifecycle.reading`).
        label: What people call such a record.
        labels: What people call the names of this table, for the texts that show them: given for roles and fields
            (``{"role.editor": {"en": "editor", "zh": "编辑"}}``), and taken from the rows for states and triggers.

    Raises:
        InvalidDefinition: the table has faults; the error names every one.
    """

    name: str = attrs.field(converter=plain_text)
    version: int
    record: type[Record]
    roles: Mapping[str, Scope] = attrs.field(converter=_scopes)
    states: tuple[State, ...] = attrs.field(converter=_states)
    transitions: tuple[Transition, ...] = attrs.field(converter=_transitions)
    audits: frozenset[str] = attrs.field(default=frozenset(), converter=several)
    label: Label = ""
    labels: Labels = attrs.field(factory=dict, repr=False)
    _lookup: Lookup = attrs.field(init=False, repr=False)
    _by_trigger: Mapping[str, tuple[Transition, ...]] = attrs.field(init=False, repr=False)
    _commuting: frozenset[str] = attrs.field(init=False, repr=False)
    _creations: tuple[Transition, ...] = attrs.field(init=False, repr=False)
    _accepted: Mapping[str, frozenset[str]] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        # long, and not needed before the first definition
        from reportflow.lifecycle.validation import accepted_fields, faults

        found = faults(self.name, self.record, self.roles, self.states, self.transitions, self.audits)
        if found:
            raise InvalidDefinition(self.name, found)
        by_trigger: dict[str, tuple[Transition, ...]] = {}
        for row in self.transitions:
            by_trigger[row.trigger] = (*by_trigger.get(row.trigger, ()), row)
        pinned = {row.trigger for row in self.transitions if row.on_conflict is not OnConflict.COMMUTES}
        put = object.__setattr__
        put(self, "labels", FrozenDict({**self.labels, **dict(self._own_labels())}))
        put(self, "_lookup", compile_lookup(self.transitions))
        put(self, "_by_trigger", MappingProxyType(by_trigger))
        put(self, "_commuting", frozenset(by_trigger) - pinned)
        creations = tuple(row for row in self.transitions if None in row.sources)
        put(self, "_creations", creations)
        accepted = {row.trigger: accepted_fields(row, self.transitions, self.record) for row in creations}
        put(self, "_accepted", MappingProxyType(accepted))

    def _own_labels(self) -> Iterable[tuple[str, Mapping[str, str]]]:
        written: list[tuple[str, Label]] = [("lifecycle." + self.name, self.label)]
        written += [(f"state.{state.name}", state.label) for state in self.states]
        for row in reversed(self.transitions):  # the first row of a trigger counts
            written += [(f"trigger.{row.trigger}", row.label), (f"history.{row.trigger}", row.history_label)]
        for code, label in written:
            if label:
                yield code, {ENGLISH: label} if isinstance(label, str) else dict(label)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # what is derived of the table is derived again; the functions of its rows are pickled by name
        given = {field.alias: getattr(self, field.name) for field in attrs.fields(type(self)) if field.init}
        return _rebuilt, (type(self), given)

    @cached_property
    def machine(self) -> Machine:
        """A machine of the package `transitions`, built from the table for the tools of that package."""
        return build_machine(self.states, self.transitions, self._destination)

    def _destination(self, row: Transition, source: str | None, record: Record, command: Command) -> str:
        entry = entry_of(self.name, self.version, record, command, source, "")
        return self.choose(row, self.fold(None if source is None else record, entry), entry)

    def choose(self, row: Transition, after: Record, entry: Entry) -> str:
        """The state that a row leads to of which the record and the details decide it, by `OneOf.choose`.

        Args:
            row: Such a row.
            after: What its `sets` have made of the record.
            entry: What happened; the state after it does not matter.

        Raises:
            RuleFailed: the function raised, or gave something else than one of the states.
        """
        assert isinstance(row.dest, OneOf), "it leads to one of several states"
        try:
            found = row.dest.choose(after, None if entry.source is None else entry.details)
        except Exception as error:
            raise self.failed(entry, "dest", f"{type(error).__name__}: {error}") from error
        if found not in row.dest.states:
            raise self.failed(entry, "dest", f"{found!r} is none of {', '.join(row.dest.states)}")
        return str(plain_text(found))

    @cached_property
    def classes(self) -> Classes:
        """The classes of its records and details, by which a store reads them."""
        return Classes(self)

    def label_of(self, room: str, name: str, language: str = ENGLISH, catalog: Catalog = STANDARD) -> str:
        """What people call a name of the table.

        Args:
            room: "state", "trigger" (its button), "history" (what the history says), "role" or "lifecycle".
            name: The state, trigger or role; for a lifecycle its name.
            language: Falls back to English.
            catalog: Has the labels that the table does not give itself.
        """
        return catalog.label(room, plain_text(name), language, lifecycle=self.name, labels=self.labels)

    def describe(self, entry: Entry, language: str = ENGLISH, catalog: Catalog = STANDARD) -> str:
        """What the history says of an entry, with its direction; the trigger's label where there is no other."""
        found = self.row(entry.source, entry.trigger)
        direction = found[0].direction(entry) if found and found[0].direction else ""
        for name in (f"{entry.trigger}.{direction}", entry.trigger):
            label = self.label_of("history", name, language, catalog)
            if label != name:
                return label
        return self.label_of("trigger", entry.trigger, language, catalog)

    def state(self, name: str) -> State:
        """The state of a name.

        Raises:
            KeyError: there is none.
        """
        return {state.name: state for state in self.states}[name]

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

    def accepted(self, trigger: str) -> frozenset[str]:
        """The fields that a draft may bring to a trigger, by `Transition.accepts`; none where it creates nothing.

        Raises:
            UnknownTrigger: the lifecycle has no such trigger.
        """
        self.rows(trigger)  # refuses an unknown one
        return self._accepted.get(trigger, frozenset())

    def commutes(self, trigger: str) -> bool:
        """Whether each row of a trigger is decided on the stored record, whatever version its caller has seen.

        Raises:
            UnknownTrigger: the lifecycle has no such trigger.
        """
        self.rows(trigger)  # refuses an unknown one
        return trigger in self._commuting

    @property
    def creations(self) -> tuple[Transition, ...]:
        """The rows that create a record, in the order of the table."""
        return self._creations

    def row(self, state: str | None, trigger: str) -> tuple[Transition, str] | None:
        """The row that applies in a state (None: to a draft), with the state that it leads to.

        That state is blank where the record and the details decide it: see `Transition.dests` and `choose`.
        """
        return self._lookup.get((state, trigger))

    def fold(self, before: Record | None, entry: Entry) -> Record:
        """The record after an entry; `before` is None for the first one. Pure: the only way a record changes.

        The functions of `sets` see the entry as it was decided, without its digest and secrecy, and without the state
        after it where the row leads to one of several.

        Raises:
            RuleFailed: the table has no such row, or a function of `sets` raised.
            InvalidValue: a converter of the record's class refuses a value.
        """
        draft = entry.details if before is None else before
        found = self.row(entry.source, entry.trigger)
        if found is None or not isinstance(draft, Record):
            raise self.failed(entry, "the row", f"none from '{entry.source}' for this entry")
        try:
            row = found[0]
            seen = changed(entry, UNDECIDED if row.chooses else AS_DECIDED) if entry.digest and row.computes else entry
            changes: dict[str, Any] = row.changes(draft, seen)
            convert = conversions(type(draft))
            for field in changes:
                if field in convert:
                    changes[field] = convert[field](changes[field])
        except InvalidValue:
            raise
        except Exception as error:
            raise self.failed(entry, "sets", f"{type(error).__name__}: {error}") from error
        changes.update(version=entry.sequence, head=entry.digest, updated_at=entry.recorded_at)
        changes["state"] = entry.dest or entry.source or ""
        return changed(draft, changes)

    def failed(self, entry: Entry, part: str, given: str) -> RuleFailed:
        """The error of a rule that failed on an entry."""
        return RuleFailed(self.name, entry.trigger, part, entry.record_id, given)
