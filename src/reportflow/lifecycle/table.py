"""The rows of a lifecycle's table, as frozen data: states, transitions, and the steps that one may ask for.

Two rules hold for this file. All that a definition may say is a field of a row here: deciding, offering, drawing,
checking and documenting read these rows, and nothing else. And a row knows no other row: what a whole table must be is
in `validation`, how it is applied in `decision`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Final

import attrs

from reportflow.errors import InvalidValue
from reportflow.lifecycle.guards import Guard
from reportflow.model.checks import plain_text, type_problem
from reportflow.model.entry import Entry
from reportflow.model.frozen import FrozenDict
from reportflow.model.record import Record
from reportflow.model.values import as_texts, choice, names

#: A label: one text for all languages, or one for each.
Label = str | Mapping[str, str]


# Converters. What is no name at all stays as it is, for the validation of the whole table to name.


def several(value: Any) -> frozenset[Any]:
    """One name or any number of them, as a set of plain texts."""
    try:
        return names(value)
    except TypeError:
        return frozenset({value})


def _sources(value: str | Iterable[str] | None) -> str | frozenset[str] | None:
    return plain_text(value) if value is None or isinstance(value, str) else several(value)


def _label(value: Label) -> Label:
    return FrozenDict(value) if isinstance(value, Mapping) else plain_text(value)


def _frozen(value: Mapping[str, Any]) -> FrozenDict[str, Any]:
    return FrozenDict(value)


#: As `dest`, says that the state stays as it is.
SAME: Final = "="
#: What the machine and the drawings call a record that is not there yet; no state's name.
START: Final = "[*]"
#: As a role of a row, says everybody who may see the record.
EVERYBODY: Final = "everybody"
#: As a role of a row, says no actor, only a `Step` of another act.
NOBODY: Final = "nobody"


class OnConflict(enum.StrEnum):
    """What is right when another writer was faster (optimistic concurrency).

    ``retry``: decided again when the call named an id, stale when it named the version seen. ``stale``: never
    retried, for an act that passes what was read and no other. ``commutes``: retried in any case.
    """

    RETRY = "retry"
    STALE = "stale"
    COMMUTES = "commutes"


@attrs.frozen
class Constant:
    """In `sets`: a fixed value, where a bare text would mean a field of the details."""

    value: object


#: In `sets`: the name of a field of the details, a constant, or a pure function of (record before, entry).
Setting = object
#: In `erases`: the field of the details that holds the names, the names themselves, or a pure function that gives them.
Erasing = str | Constant | tuple[str, ...] | Callable[[Any, Entry], Iterable[str]]


@attrs.frozen
class OneOf:
    """As `dest`, says that the record and the details decide to which of several states a row leads.

    Attributes:
        states: All of them, in the order in which they are drawn; at least one.
        choose: A pure function of (record, details) that gives one of them. The record is what the row's `sets` have
            made of it, still in the state before (in a creation: in none); the details are None where there are none.
    """

    states: tuple[str, ...] = attrs.field(converter=as_texts)
    choose: Callable[[Any, Any], str]

    def __attrs_post_init__(self) -> None:
        if not self.states:
            raise InvalidValue("states", "empty")
        if not callable(self.choose):
            raise InvalidValue("choose", *type_problem("Callable", self.choose))


@attrs.frozen
class State:
    """A state: how far a record has come.

    Attributes:
        name: Unique in the lifecycle.
        label: What people call it: what a record in this state waits for.
        final: Nothing more is expected; it is not forbidden.
        awaits: The roles whose turn it is.
    """

    name: str = attrs.field(converter=plain_text)
    label: Label = attrs.field(default="", kw_only=True, converter=_label)
    final: bool = attrs.field(default=False, kw_only=True)
    awaits: frozenset[str] = attrs.field(default=frozenset(), kw_only=True, converter=several)


@attrs.frozen(kw_only=True)
class Step:
    """What a transition asks for beside itself, in the same commit.

    It is judged for state, details, guards and visibility, not for role.

    Attributes:
        target: The id of a record, or a draft to create.
        trigger: What to do with it.
        details: The details of that transition.
        reason: Why.
        system: The record need not be visible to the actor.
    """

    target: str | Record = attrs.field(converter=plain_text)
    trigger: str = attrs.field(converter=plain_text)
    details: object = None
    reason: str = ""
    system: bool = False


def _accepts(value: str | Iterable[str] | None) -> frozenset[str] | None:
    return None if value is None else names(value)


def _audience(value: Any) -> Any:
    return value if value is None or callable(value) else several(value)


def _guards(value: Iterable[Guard]) -> tuple[Guard, ...]:
    for one in value:
        if not isinstance(one, Guard):
            raise InvalidValue("guards", *type_problem("Guard", one))
    return tuple(value)


def _dest(value: str | OneOf) -> str | OneOf:
    return value if isinstance(value, OneOf) else plain_text(value)


def _on_conflict(value: OnConflict | str) -> OnConflict:
    return choice(OnConflict, value, "on_conflict")


def _erases(value: Erasing | Iterable[str] | None) -> Erasing | None:
    """Names as a constant; anything else as it is."""
    if isinstance(value, Constant):
        return Constant(as_texts(value.value)) if isinstance(value.value, str | Iterable) else value
    if value is None or isinstance(value, str) or callable(value):
        return value
    return Constant(as_texts(value))


@attrs.frozen(eq=False)
class Transition:
    """A row: what may be done, where, by whom, and what it changes.

    Attributes:
        trigger: What is done. At most one row for a (state, trigger).
        source: The state, or states, that it starts from; None for a creation.
        dest: The state that it leads to, `SAME`, or `OneOf` several.
        roles: The roles that may do it, `EVERYBODY` or `NOBODY`.
        guards: Conditions beyond state and role; all must pass.
        details: The attrs class of its details; None for none.
        reason_required: Whether a reason must be given.
        hands_over: Whether who does it may lose the record from sight by it, as by handing it to another unit. An act
            that sets what decides who sees a record (its secrecy, unit or authors) is otherwise refused where its
            actor, who sees it before, would not see it afterwards.
        accepts: Of a creation, the fields that a draft may bring, a step's draft too: what else differs from the
            class's default is refused by name. None for those without a default, those of the class that no row of the
            lifecycle sets, and title, category, parent, due_at and secrecy. `id` and `unit` only where they are named:
            else the flow gives the id, and the unit is the actor's.
        audience: The roles that may read the entry, or a pure function of the details that gives them; None for
            everybody who may see the record. It is for a remark that is not meant for all: what the row changes of the
            record is seen by all who see the record.
        sets: What it changes: record field -> a field of the details (by name), a constant (a text as
            ``Constant("…")``), or a pure function of (record before, entry). For a creation "before" is the draft.
        then: A pure function of (record before, entry) that gives further `Step` values.
        erases: What it erases from the record and its history (see `lifecycle.erasable` for the names): the field of
            the details that holds the names, the names themselves as a tuple, or a pure function of (record before,
            entry) that gives them. Where a field of the details is marked `PERSON`, it erases whom that names, too.
        on_conflict: See `OnConflict`.
        label: What its button says.
        history_label: What the history says of it, where that differs from the button.
        direction: A pure function of the entry that gives the code of the direction in which it went, or "": the
            history then looks for the label of ``<trigger>.<direction>`` first.
    """

    trigger: str = attrs.field(converter=plain_text)
    source: str | frozenset[str] | None = attrs.field(kw_only=True, converter=_sources)
    dest: str | OneOf = attrs.field(kw_only=True, converter=_dest)
    roles: frozenset[str] = attrs.field(kw_only=True, converter=several)
    guards: tuple[Guard, ...] = attrs.field(default=(), kw_only=True, converter=_guards)
    details: type[Any] | None = attrs.field(default=None, kw_only=True)
    reason_required: bool = attrs.field(default=False, kw_only=True)
    hands_over: bool = attrs.field(default=False, kw_only=True)
    accepts: frozenset[str] | None = attrs.field(default=None, kw_only=True, converter=_accepts)
    audience: frozenset[str] | Callable[[Any], Iterable[str] | None] | None = attrs.field(
        default=None, kw_only=True, converter=_audience
    )
    sets: Mapping[str, Setting] = attrs.field(factory=dict, kw_only=True, converter=_frozen)
    then: Callable[[Any, Entry], Iterable[Step] | Step | None] | None = attrs.field(default=None, kw_only=True)
    erases: Erasing | None = attrs.field(default=None, kw_only=True, converter=_erases)
    on_conflict: OnConflict = attrs.field(default=OnConflict.RETRY, kw_only=True, converter=_on_conflict)
    label: Label = attrs.field(default="", kw_only=True, converter=_label)
    history_label: Label = attrs.field(default="", kw_only=True, converter=_label)
    direction: Callable[[Entry], str] | None = attrs.field(default=None, kw_only=True)

    @property
    def sources(self) -> frozenset[str | None]:
        """The states that it starts from, as a set; a creation starts from None."""
        return self.source if isinstance(self.source, frozenset) else frozenset({self.source})

    @cached_property
    def computes(self) -> bool:
        """Whether a function of `sets` reads the entry."""
        return any(callable(setting) for setting in self.sets.values())

    @cached_property
    def chooses(self) -> bool:
        """Whether the record and the details decide which state it leads to."""
        return isinstance(self.dest, OneOf)

    def leads_to(self, source: str | None) -> str:
        """The state after it, from a state before; blank where it `chooses` one of several."""
        if isinstance(self.dest, OneOf):
            return ""
        return source if self.dest == SAME and source is not None else self.dest

    def dests(self, source: str | None) -> tuple[str, ...]:
        """All states that it may lead to, from a state before."""
        return self.dest.states if isinstance(self.dest, OneOf) else (self.leads_to(source),)

    @cached_property
    def _settings(self) -> Mapping[str, Callable[[Record, Entry], object]]:
        """What gives each field that it changes."""
        return {field: _reader(setting) for field, setting in self.sets.items()}

    def changes(self, before: Record, entry: Entry) -> dict[str, object]:
        """The record's fields that it changes, by `sets`."""
        return {field: read(before, entry) for field, read in self._settings.items()}

    def read_by(self, details: object) -> frozenset[str] | None:
        """The roles that may read an entry with such details, by `audience`."""
        if self.audience is None or isinstance(self.audience, frozenset):
            return self.audience
        given = self.audience(details)
        return None if given is None else names(given)

    def names_erased(self, before: Record, entry: Entry) -> tuple[str, ...]:
        """The names of what it erases, by `erases`, each once."""
        given: Any = () if self.erases is None else _reader(self.erases)(before, entry)
        return tuple(dict.fromkeys(as_texts(given)))


def _reader(setting: Setting) -> Callable[[Record, Entry], object]:
    """What gives the value of a setting."""
    if is_field_name(setting):
        return lambda _, entry: getattr(entry.details, str(setting))
    value = setting.value if isinstance(setting, Constant) else setting
    return setting if callable(setting) else lambda *_: value


def is_field_name(setting: Setting) -> bool:
    """Whether a setting names a field of the details: a text that is no member of an enum."""
    return isinstance(setting, str) and not isinstance(setting, enum.Enum)
