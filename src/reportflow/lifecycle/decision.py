"""Deciding: is a command allowed, why not, and what is the next record. Offering and enforcing are one function.

Pure: values in, values out; no clock, no I/O, no randomness. `refusing.refusals` is that function: it yields every
reason why not, in one order. `decide` raises with all of them, `options` shows them; neither knows a rule of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Self

import attrs

from reportflow.errors import InvalidValue, Refusal, ReportflowError, StepsUnbounded, TransitionRefused
from reportflow.i18n.catalog import ENGLISH, NO_LABELS, STANDARD, Catalog, Labels, Renderer
from reportflow.lifecycle import refusing
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.drafts import accepted_in_order, check_accepted
from reportflow.lifecycle.entering import entry_of
from reportflow.lifecycle.soundness import audience_of, check_erasing, check_whole
from reportflow.lifecycle.table import NOBODY, OneOf, Step, Transition
from reportflow.model.actor import Actor
from reportflow.model.annotations import VALUE, check
from reportflow.model.checks import is_blank
from reportflow.model.entry import Command, Entry
from reportflow.model.record import Record
from reportflow.model.values import changed, in_utc, maker, setters
from reportflow.serialization.digest import Sealed, seal

#: How deep `then` steps may go.
DEPTH: Final = 8


class Remains(NamedTuple):
    """What remains of an entry, a part of whose content was erased.

    Attributes:
        entry: The entry without it; its digest stays.
        sealed: The same as it is to be stored: the header as it was, the rest of the content under a new salt.
        removed: How many bytes of its stored content are gone.
    """

    entry: Entry
    sealed: Sealed
    removed: int


@attrs.frozen(kw_only=True)
class Decision:
    """The result of an allowed command: the next record, its entry, and the steps that the row asks for.

    Attributes:
        record: The record after it.
        entry: What happened.
        sealed: The entry as it is to be stored; None where the command has no salt, and so nothing can be committed.
        steps: What the row asks for beside it.
        erased: What remains of the entries before it that it erases something of; see `lifecycle.erasure`.
    """

    record: Record
    entry: Entry
    sealed: Sealed | None = None
    steps: tuple[Step, ...] = ()
    erased: tuple[Remains, ...] = ()


@attrs.frozen(kw_only=True)
class Option:
    """A trigger as offered to an actor.

    It can be pickled whatever functions its row has, for these stay behind: an option that comes out of a pickle tells
    the same, and its `row` has no guards, no `sets`, no `then`, no `direction`, no function as its `audience`, and does
    not choose a state.

    Attributes:
        trigger: What may be asked for.
        allowed: Whether `fire` succeeds with valid details and a reason; of a creation, whether clearance and role let
            the actor `create` by it.
        refusals: Every reason why not; empty where it is allowed.
        details: The class of its details, or None.
        reason_required: Whether it needs a reason.
        row: The row that applies in this state, or the trigger's first.
        lifecycle: The kind of record.
        labels: What its lifecycle calls states and triggers.
        draft: For a creation, the class of its draft; else None.
        accepts: For a creation, the fields that its draft may bring, in the order of the class.
    """

    trigger: str
    allowed: bool
    refusals: tuple[Refusal, ...]
    details: type[Any] | None = attrs.field(metadata={VALUE: True})  # written as the name of the class
    reason_required: bool
    row: Transition = attrs.field(eq=False, repr=False)
    lifecycle: str = ""
    labels: Labels = attrs.field(default=NO_LABELS, eq=False, repr=False)
    draft: type[Record] | None = attrs.field(default=None, metadata={VALUE: True})
    accepts: tuple[str, ...] = ()

    def describe(self, language: str = ENGLISH, *, catalog: Catalog = STANDARD) -> dict[str, Any]:
        """The offer as an API or a form shows it, with its texts in a language, as plain data.

        ``trigger``, ``label``, ``allowed``, ``refusals`` (each with ``code``, ``message`` and ``params``),
        ``reason_required``, and ``schema``: that of its details or its draft, None where it takes neither.

        Raises:
            InvalidDefinition: a field of the details or the draft is of no type that JSON can say.
        """
        from reportflow.serialization.plain import write_fact  # these take long to import
        from reportflow.serialization.schema import describe_class

        cls, accepts = (self.details, None) if self.draft is None else (self.draft, self.accepts)
        return {
            "trigger": self.trigger,
            "label": self.text(language, catalog=catalog),
            "allowed": self.allowed,
            "refusals": [
                {"code": one.code, "message": one.text(language, catalog=catalog), "params": write_fact(one.params)}
                for one in self.refusals
            ],
            "reason_required": self.reason_required,
            "schema": cls
            and describe_class(cls, Renderer(catalog, language, labels=self.labels), self.lifecycle, accepts),
        }

    def text(self, language: str = ENGLISH, *, catalog: Catalog = STANDARD) -> str:
        """What its button says, in a language."""
        return catalog.label("trigger", self.trigger, language, lifecycle=self.lifecycle, labels=self.labels)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        fields = {one.name: getattr(self, one.name) for one in attrs.fields(Option)}
        dest = attrs.evolve(self.row.dest, choose=_not_here) if isinstance(self.row.dest, OneOf) else self.row.dest
        away: dict[str, Any] = {one: None for one in ("erases", "audience") if callable(getattr(self.row, one))}
        bare = attrs.evolve(self.row, dest=dest, guards=(), sets={}, then=None, direction=None, **away)
        return _option_of, ({**fields, "row": bare},)


def _not_here(record: object, details: object) -> str:
    """In a row that came out of a pickle, stands for the function that chose a state."""
    raise LookupError("an option that was pickled chooses no state")


def _option_of(fields: Mapping[str, Any]) -> Option:
    return Option(**fields)


def decide(lifecycle: Lifecycle, record: Record, command: Command) -> Decision:
    """The result of a command on a record; on a draft (version 0), of a creation.

    The id of what is created is the draft's, where its creation accepts one, else the command's.

    Of a row that erases this is the act alone; `lifecycle.erasure` completes it, by the history of the record.

    Raises:
        TransitionRefused: with every refusal.
        UnknownTrigger: the lifecycle has no such trigger.
        InvalidValue: `at` lies before the creation or after `now`, a value cannot be stored, a draft brings what its
            creation does not accept, or what is to be erased is unknown or may not be.
        RuleFailed: a guard, `sets`, `erases`, `audience`, `then` or the choice of a state raised, or `audience` gave no
            roles of the table.
    """
    at_hand = record
    if record.version == 0:
        check_accepted(lifecycle, record, command.trigger)
        record = initialize_draft(lifecycle, record, command)
    refusals = tuple(refusing.refusals(lifecycle, record, command, offer=False))
    if refusals:
        raise refusing.refused(lifecycle, at_hand, command.trigger, refusals)
    source = _source(record)
    found = lifecycle.row(source, command.trigger)
    assert found is not None, "it is allowed, so the row is there"
    row, dest = found
    readers = None if row.audience is None else audience_of(lifecycle, row, record, command)
    entry = entry_of(lifecycle.name, lifecycle.version, record, command, source, dest, readers)
    if row.erases is not None:
        check_erasing(lifecycle, row, record, entry)
    after = lifecycle.fold(record if record.version else None, entry)
    if row.chooses:  # both values were just made and are nobody else's yet
        dest = lifecycle.choose(row, after, entry)
        _put_dest(entry, dest)
        setters(type(after))["state"](after, dest)
    if row.sets:
        check_whole(lifecycle, row, record, after, entry)
        if not row.hands_over and not lifecycle.sees(after, command.actor):
            why_not = lifecycle.lost(record, after, command.actor)
            lost = tuple(refusing.refusal(lifecycle, command, *why) for why in why_not)
            if lost:
                raise refusing.refused(lifecycle, at_hand, command.trigger, lost)
    sealed = complete(entry, record, after, command)
    made: Decision = maker(Decision)(after, entry, sealed, steps_of(lifecycle, row, record, entry), ())
    return made


def complete(entry: Entry, before: Record, after: Record, command: Command) -> Sealed | None:
    """Set what is only known once the record was folded: the entry's secrecy and digest, and the record's head.

    Both values were just made and are nobody else's yet, so they are completed in place.
    """
    if before.secrecy is not after.secrecy and before.secrecy < after.secrecy:
        _put_secrecy(entry, after.secrecy)
    if not command.salt:
        return None
    sealed = seal(entry, previous=before.head, salt=command.salt, cause_digest=command.cause_digest)
    _put_digest(entry, sealed.digest)
    setters(type(after))["head"](after, sealed.digest)
    return sealed


_put_secrecy: Final = setters(Entry)["secrecy"]
_put_digest: Final = setters(Entry)["digest"]
_put_dest: Final = setters(Entry)["dest"]


def initialize_draft(lifecycle: Lifecycle, draft: Record, command: Command) -> Record:
    """A draft completed by its creation: kind, creator, time, and the creator's unit where it names none.

    Raises:
        InvalidValue: neither the draft nor the command has an id, or a value of the draft cannot be stored.
    """
    complete = changed(
        draft,
        {
            "kind": lifecycle.name,
            "lifecycle_version": lifecycle.version,
            "state": "",
            "id": draft.id or command.id,
            "unit": draft.unit or command.actor.unit,
            "created_by": command.actor.id,
            "created_for": command.actor.on_behalf_of,
            "created_at": in_utc(command.at or command.now),
        },
    )
    check(complete)
    if is_blank(complete.id):
        raise InvalidValue("id", "blank")
    return complete


def creation(lifecycle: Lifecycle, draft: Record, command: Command) -> str:
    """The trigger that creates a draft: of several the first that permits the actor, else the first."""
    first, *others = lifecycle.creations
    if others:
        complete = initialize_draft(lifecycle, draft, command)
        return next((row for row in (first, *others) if lifecycle.permits(row, complete, command.actor)), first).trigger
    return first.trigger


def command_for_step(
    command: Command, step: Step, cause: Entry, target: Record, *, id: str = "", salt: str = ""
) -> Command:
    """The command of a step on its target, a stored record or a draft, with a salt of its own.

    `id` is that of what a draft becomes.

    It happens with its cause, but not before the record was created; a creation that the clock has not reached yet
    counts as now, so that a clock that was once ahead passes nothing on.
    """
    created = target.created_at if target.version else None
    return attrs.evolve(
        command,
        trigger=step.trigger,
        at=cause.at if created is None else max(cause.at, min(created, command.now)),
        details=step.details,
        reason=step.reason,
        key=None,
        cause=cause.ref,
        cause_digest=cause.digest or None,
        step=True,
        salt=salt,
        id=id,
    )


def check_step_cycle(path: Sequence[str], id: str, trigger: str) -> tuple[str, ...]:
    """The chain of commands that led here, with one more.

    Raises:
        StepsUnbounded: it is a cycle, or deeper than `DEPTH`.
    """
    here = f"{trigger} {id}"
    if here in path or len(path) > DEPTH:
        raise StepsUnbounded(id, trigger, [*path, here])
    return (*path, here)


def options(lifecycle: Lifecycle, record: Record, actor: Actor, *, now: datetime) -> tuple[Option, ...]:
    """Every trigger of the lifecycle, creations aside, as offered to an actor: allowed or not, and every reason.

    Details, reason and guards that read details are left out: they are not known yet.

    Raises:
        RuleFailed: a guard raised.
    """
    command: Command = Command(trigger="", actor=actor, now=now)  # which is checked once, and not for each trigger
    return tuple(
        _option(lifecycle, record, changed(command, {"trigger": trigger}))
        for trigger in lifecycle.triggers
        if any(row.sources - {None} for row in lifecycle.rows(trigger))
    )


def creations(lifecycle: Lifecycle, actor: Actor) -> tuple[Option, ...]:
    """What an actor may create: each row that creates and is not for steps only, allowed or not, and every reason.

    The draft is not known yet. So guards are left out, and its secrecy is the lowest one that it may bring.
    """
    offers = [
        (row, _offer(lifecycle, row, tuple(refusing.refusals_of_creation(lifecycle, row, actor))))
        for row in lifecycle.creations
        if NOBODY not in row.roles
    ]
    return tuple(
        attrs.evolve(offer, draft=lifecycle.record, accepts=accepted_in_order(lifecycle, row.trigger))
        for row, offer in offers
    )


def _option(lifecycle: Lifecycle, record: Record, command: Command) -> Option:
    found = lifecycle.row(record.state, command.trigger)
    row = found[0] if found else lifecycle.rows(command.trigger)[0]
    refusals = tuple(refusing.refusals(lifecycle, record, command, offer=True))
    if not refusals and row.details is None and row.sets:
        refusals = _refusals_of_result(lifecycle, record, command)
    return _offer(lifecycle, row, refusals)


def _offer(lifecycle: Lifecycle, row: Transition, refusals: tuple[Refusal, ...]) -> Option:
    return Option(
        trigger=row.trigger,
        allowed=not refusals,
        refusals=refusals,
        details=row.details,
        reason_required=row.reason_required,
        row=row,
        lifecycle=lifecycle.name,
        labels=lifecycle.labels,
    )


def _refusals_of_result(lifecycle: Lifecycle, record: Record, command: Command) -> tuple[Refusal, ...]:
    """Why an act that takes no details is refused for its result; found by deciding it."""
    try:
        decide(lifecycle, record, attrs.evolve(command, reason="?"))
    except TransitionRefused as error:
        return error.refusals
    except ReportflowError:  # for `fire` to say: it is no refusal
        return ()
    return ()


def _source(record: Record) -> str | None:
    return record.state if record.version else None


def steps_of(lifecycle: Lifecycle, row: Transition, before: Record, entry: Entry) -> tuple[Step, ...]:
    """What a row asks for beside an act, by `then`.

    Raises:
        RuleFailed: the function raised, or gave something else than steps.
    """
    if row.then is None:
        return ()
    try:
        asked = row.then(before, entry)
        steps = (asked,) if isinstance(asked, Step) else tuple(asked or ())
    except Exception as error:
        raise lifecycle.failed(entry, "then", f"{type(error).__name__}: {error}") from error
    wrong = [step for step in steps if not isinstance(step, Step)]
    if wrong:
        raise lifecycle.failed(entry, "then", f"{wrong[0]!r} is no Step")
    return steps
