"""Why not: every reason for which a command is refused, in one order, and the error that has them all. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from reportflow.errors import Refusal, RuleFailed, TransitionRefused
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.drafts import most_open
from reportflow.lifecycle.table import Transition
from reportflow.model.actor import Actor
from reportflow.model.checks import is_blank
from reportflow.model.entry import Command, retracts_of
from reportflow.model.record import Record

_NOBODY: Final[Mapping[str, str]] = {}


def refusals(lifecycle: Lifecycle, record: Record, command: Command, *, offer: bool) -> Iterator[Refusal]:
    """Every reason why not. An offer leaves out what is not yet known: details and reason."""
    every = lifecycle.rows(command.trigger)
    found = lifecycle.row(record.state if record.version else None, command.trigger)
    rows = (found[0],) if found else every

    def refuse(code: str, **params: object) -> Refusal:
        return refusal(lifecycle, command, code, params)

    if not found:
        known = {source for row in rows for source in row.sources}
        states = tuple(state.name for state in lifecycle.states if state.name in known)
        yield refuse("state", state=record.state, states=states)
    if not command.step and not lifecycle.permits(rows[0], record, command.actor):
        for code, params in lifecycle.why_not(rows, record, command.actor):
            yield refuse(code, **params)
    fitting = offer or _fits(rows[0], command)
    if found:
        yield from _guards(lifecycle, found[0], record, command, with_details=not offer and fitting)
    if not fitting:
        expected = "nothing" if rows[0].details is None else rows[0].details.__name__
        given = "nothing" if command.details is None else type(command.details).__name__
        yield refuse("details", expected=expected, given=given)
    taken = None if offer or not fitting or command.details is None else retracts_of(command.details)
    if taken is not None and (type(taken) is not int or not 2 <= taken <= record.version):
        yield refuse("not_retractable", sequence=taken, last=record.version)
    if not offer and is_blank(command.reason) and all(row.reason_required for row in rows):
        yield refuse("reason")


def refusals_of_creation(lifecycle: Lifecycle, row: Transition, actor: Actor) -> Iterator[Refusal]:
    """Why an actor may create nothing by a row, whatever they draft: for clearance, for role. Guards are left out."""
    for code, params in lifecycle.why_not((row,), most_open(lifecycle, row.trigger, actor), actor):
        named = {"lifecycle": lifecycle.name, "trigger": row.trigger, **params}
        yield Refusal(code=code, params=named, labels=lifecycle.labels)


def _guards(
    lifecycle: Lifecycle, row: Transition, record: Record, command: Command, *, with_details: bool
) -> Iterator[Refusal]:
    for guard in row.guards:
        if guard.reads_details and not with_details:
            continue
        try:
            found = guard.refusal(record, command, lifecycle.labels)
        except Exception as error:
            given = f"{type(error).__name__}: {error}"
            raise RuleFailed(lifecycle.name, command.trigger, f"guard '{guard.code}'", record.id, given) from error
        if found:
            yield found


def _fits(row: Transition, command: Command) -> bool:
    """Whether the details are of the row's class (one for a trigger), and none where it has none."""
    if row.details is None:
        return command.details is None
    return isinstance(command.details, row.details)


def refusal(
    lifecycle: Lifecycle, command: Command, code: str, params: Mapping[str, object], people: Mapping[str, str] = _NOBODY
) -> Refusal:
    """One reason why a command is refused, with what is known of the case, and what the people in it are called."""
    named = {"lifecycle": lifecycle.name, "trigger": command.trigger, **params}
    return Refusal(code=code, params=named, people=people, labels=lifecycle.labels)


def refused(lifecycle: Lifecycle, record: Record, trigger: str, refusals: tuple[Refusal, ...]) -> TransitionRefused:
    """The error of a command on a record, with every refusal; of a creation the id is the draft's own, if any."""
    return TransitionRefused(
        lifecycle.name,
        record.id,
        record.version,
        trigger,
        refusals,
        title=record.title,
        reference=record.reference,
        labels=lifecycle.labels,
    )


def refused_for_step(lifecycle: Lifecycle, record: Record, command: Command) -> TransitionRefused:
    """The error of an act whose step a record refuses that the actor does not see: it tells nothing of that one."""
    return refused(lifecycle, record, command.trigger, (refusal(lifecycle, command, "hidden_step", {}),))
