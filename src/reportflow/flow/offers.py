"""What an actor may do with a record, and why not: the offers of `decision.options`, with those of their steps."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from reportflow.errors import InvalidValue, RecordNotFound, Refusal, TransitionRefused, UnreadableRecord
from reportflow.flow.effects import Effects
from reportflow.flow.handler import Handler
from reportflow.flow.loading import load
from reportflow.flow.requests import actor_of, checked_id
from reportflow.flow.unit_of_work import UnitOfWork
from reportflow.lifecycle import decision
from reportflow.lifecycle.decision import Option
from reportflow.model.actor import Actor
from reportflow.model.entry import Command
from reportflow.model.record import Record, given_by


def options(handler: Handler, target: Record | str, actor: Actor) -> Effects[tuple[Option, ...]]:
    """What the actor may do with a record, or may create of a kind, and why not.

    Raises:
        RecordNotFound: there is none that the actor may see.
    """
    if isinstance(target, str) and handler.definitions.has(target):
        lifecycle = handler.definitions.of(Record(kind=target))
        return tuple((yield from _named(handler, decision.creations(lifecycle, actor_of(actor)), None, actor)))
    record: Record
    if isinstance(target, Record):
        if not target.version:
            raise InvalidValue("target", "not_stored")
        if given_by(target) is handler:
            record = target
        else:  # of a record that is handed in only the id counts
            record = yield from load(handler.definitions, target.id, actor)
    else:
        record = yield from load(handler.definitions, checked_id(target), actor)
    handler.definitions.check_visible(record, actor)
    lifecycle = handler.definitions.of(record)
    now = handler.clock()
    offered = []
    for option in decision.options(lifecycle, record, actor, now=now):
        row = option.row
        if option.allowed and option.details is None and (row.then is not None or (row.sets and handler.people)):
            refusals = yield from _refusals_of_steps(handler, record, option, actor, now)
            option = attrs.evolve(option, allowed=not refusals, refusals=refusals)
        offered.append(option)
    return tuple((yield from _named(handler, offered, record, actor)))


def _named(handler: Handler, options: Iterable[Option], record: Record | None, actor: Actor) -> Effects[list[Option]]:
    """Options whose refusals have the names of the people in them."""
    named = []
    for option in options:
        refusals = option.refusals
        if refusals:
            refusals = yield from handler.people.name_all(refusals, record, actor)
        named.append(option if refusals is option.refusals else attrs.evolve(option, refusals=refusals))
    return named


def _refusals_of_steps(
    handler: Handler, record: Record, option: Option, actor: Actor, now: datetime
) -> Effects[tuple[Refusal, ...]]:
    """Why the steps of a transition without details would be refused; found by deciding it without a commit."""
    reason = "?" if option.reason_required else ""
    command: Command = Command(trigger=option.trigger, actor=actor, now=now, reason=reason)
    try:
        yield from handler.act(UnitOfWork(), record, command, ())
    except TransitionRefused as refused:
        return refused.refusals
    except (RecordNotFound, UnreadableRecord) as missing:
        params = {"lifecycle": record.kind, "trigger": option.trigger, "ids": missing.ids}
        return (Refusal(code="step", params=params, labels=option.labels),)
    return ()
