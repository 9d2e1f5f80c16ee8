"""Commands for a record that are refused, mostly for one reason each, made of those that are allowed; none is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property

import attrs

from reportflow.analysis.people import named
from reportflow.analysis.samples import PEOPLE, UNITS
from reportflow.analysis.tries import REASON, Plain, naming_details, refusal, tries, way
from reportflow.errors import TransitionRefused
from reportflow.lifecycle.decision import decide
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Actor, Secrecy
from reportflow.model.entry import Command
from reportflow.model.record import Record


class Asked:
    """What is known of a record before anything is drawn; its short `repr` is what a failure shows."""

    def __init__(self, lifecycle: Lifecycle, record: Record, now: datetime, ids: Sequence[str], plain: Plain) -> None:
        self.lifecycle = lifecycle
        self.record = record
        self.now = now
        self.ids = ids
        self.plain = plain
        #: The id that a command brings, where its draft does not.
        self.id = "" if record.id else "r1"
        judge = self.judge
        found = (way(lifecycle, record, one, now=now, judge=judge, plain=plain, ids=ids) for one in lifecycle.triggers)
        self.ways: list[Command] = [one for one in found if one is not None]

    def __repr__(self) -> str:
        return f"{self.lifecycle.name} in {self.record.state or 'draft'!r}"

    def judge(self, command: Command) -> object:
        """As `decide` does."""
        return decide(self.lifecycle, self.record, attrs.evolve(command, id=self.id) if self.id else command)

    @cached_property
    def refused(self) -> list[Command]:
        """Commands with one thing wrong each, then such as only the guards are against."""
        spoilt = [one for one in _spoilt(self) if refusal(self.judge, one) is not None]
        guarded = (_guarded(self, trigger) for trigger in self.lifecycle.triggers)
        return [*spoilt, *(one for one in guarded if one is not None)]


def unknown_trigger(lifecycle: Lifecycle) -> str:
    """A trigger that a lifecycle does not have."""
    return "?".join(lifecycle.triggers) + "?"


def _spoilt(asked: Asked) -> Iterator[Command]:
    """Commands with one thing wrong each; some of them may be allowed all the same."""
    lifecycle, record, now = asked.lifecycle, asked.record, asked.now
    roles = frozenset(lifecycle.roles)
    unit = record.unit or UNITS[0]
    master = Actor(id=record.created_by or PEOPLE[0], roles=roles, unit=unit, clearance=Secrecy.TOP_SECRET)
    first = [*asked.ways, Command(trigger=lifecycle.triggers[0], actor=master, now=now)][0]
    yield attrs.evolve(first, trigger=unknown_trigger(lifecycle))
    for one in asked.ways:
        row, _ = lifecycle.row(record.state if record.version else None, one.trigger) or (None, "")
        assert row is not None, "it is allowed, so the row is there"
        yield attrs.evolve(one, actor=attrs.evolve(one.actor, roles=()))
        yield attrs.evolve(one, actor=attrs.evolve(one.actor, roles=roles - row.roles))
        yield attrs.evolve(one, actor=attrs.evolve(one.actor, id="nobody", unit="nowhere"))
        for name in named(record):
            yield attrs.evolve(one, actor=attrs.evolve(one.actor, on_behalf_of=name))
        yield attrs.evolve(one, actor=attrs.evolve(one.actor, clearance=Secrecy.INTERNAL))
        yield attrs.evolve(one, reason=" ")
        yield attrs.evolve(one, details="text" if one.details is None else None)
        yield attrs.evolve(one, at=one.now + timedelta(days=1))
        if record.created_at is not None:
            yield attrs.evolve(one, at=record.created_at - timedelta(seconds=2 * one.clock_tolerance))
    for row in lifecycle.transitions:
        yield Command(
            trigger=row.trigger,
            actor=master,
            now=now,
            details=naming_details(lifecycle, row, asked.plain, ())[0],
            reason=REASON,
        )


def _guarded(asked: Asked, trigger: str) -> Command | None:
    """A command against which nothing is but the guards."""
    found = asked.lifecycle.row(asked.record.state if asked.record.version else None, trigger)
    if found is None or not found[0].guards:
        return None
    codes = {guard.code for guard in found[0].guards}
    # such as name the record itself too: a guard may be against that
    chosen = naming_details(asked.lifecycle, found[0], asked.plain, (*asked.ids, asked.record.id))
    for one in tries(asked.lifecycle, asked.record, found[0], asked.now, chosen):
        error = refusal(asked.judge, one)
        if isinstance(error, TransitionRefused) and {getattr(each, "code", "") for each in error.refusals} <= codes:
            return one
    return None
