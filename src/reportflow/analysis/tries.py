"""The commands by which a person may fire a row now: tried in a fixed order, the plainest first; nothing is drawn."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, Final, Protocol, cast

import attrs

from reportflow.analysis.cases import of_entries
from reportflow.analysis.people import able
from reportflow.analysis.purity import mentioned
from reportflow.analysis.samples import Given, instances, nearest
from reportflow.errors import RecordNotFound, ReportflowError, RuleFailed
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.erasable import erasable_names
from reportflow.lifecycle.guards import Guard
from reportflow.lifecycle.table import NOBODY, Transition
from reportflow.model.entry import Command
from reportflow.model.record import Record

#: Raises unless a command is allowed.
Judge = Callable[[Command], object]


class Plain(Protocol):
    """What makes a few instances of a class, the plainest first, some fields left as they are by default."""

    def __call__(self, cls: type[Any], leave: frozenset[str] = frozenset(), /) -> Sequence[Any]:
        """The instances; raises Unbuildable where there are none."""
        ...


#: How many commands are tried before a trigger counts as one that cannot be fired now.
_TRIES: Final = 400
#: How many of these may be refused because a step does not find its record: others will hardly find it.
_LOST: Final = 20
#: A reason, where one is wanted.
REASON: Final = "because"
_LATER: Final = tuple(timedelta(days=days) for days in (0, 1, 7, 60, 400))
#: What a guard reads of a command.
_OF_COMMAND: Final = frozenset({"actor", "details", "now", "at", "reason", "key", "step"})


def plain_of(given: Given) -> Plain:
    """Makes instances as a check does, each class once: of the given ones where there are any."""
    made: dict[tuple[type[Any], frozenset[str]], Sequence[Any]] = {}

    def plain(cls: type[Any], leave: frozenset[str] = frozenset(), /) -> Sequence[Any]:
        if (cls, leave) not in made:
            made[cls, leave] = instances(cls, given, leave=leave)
        return made[cls, leave]

    return plain


def refusal(judge: Judge, command: Command) -> ReportflowError | None:
    """Why a command is not allowed, or None where it is.

    Raises:
        RuleFailed: the definition itself is at fault.
    """
    try:
        judge(command)
    except RuleFailed:
        raise
    except ReportflowError as error:
        return error
    return None


def way(
    lifecycle: Lifecycle,
    record: Record,
    trigger: str,
    *,
    now: datetime,
    judge: Judge,
    plain: Plain,
    ids: Sequence[str] = (),
) -> Command | None:
    """The plainest command by which a person may fire a trigger now; None where none was found.

    Raises:
        RuleFailed: a guard, `sets` or `then` of the definition raised.
    """
    found = lifecycle.row(record.state if record.version else None, trigger)
    if found is None:
        return None
    return next(allowed(lifecycle, record, found[0], now=now, judge=judge, plain=plain, ids=ids), None)


def allowed(
    lifecycle: Lifecycle,
    record: Record,
    row: Transition,
    *,
    now: datetime,
    judge: Judge,
    plain: Plain,
    ids: Sequence[str] = (),
    chosen: Sequence[Any] | None = None,
    refused: set[str] | None = None,
) -> Iterator[Command]:
    """The commands by which a person may fire a row now, the plainest first.

    Searched in a fixed order among a bounded number: who, which details (those of `chosen`, where given), with a reason
    or without, and how much later. The codes of what is against the others are added to `refused`.

    Raises:
        RuleFailed: a guard, `sets` or `then` of the definition raised.
    """
    lost = 0
    pool = naming_details(lifecycle, row, plain, ids) if chosen is None else chosen
    for one in tries(lifecycle, record, row, now, pool):
        error = refusal(judge, one)
        if error is None:
            yield one
            continue
        codes = {str(getattr(each, "code", each)) for each in getattr(error, "refusals", (error,))}
        if refused is not None:
            refused |= codes
        lost += isinstance(error, RecordNotFound)
        if lost > _LOST or not codes.isdisjoint(_of_the_record(row.guards, cast(Hashable, lifecycle.record))):
            break


@lru_cache
def _of_the_record(guards: tuple[Guard, ...], cls: Hashable) -> frozenset[str]:
    """The codes of the guards that only look at the record: if they refuse one command, they refuse every one."""
    read = {guard.code: mentioned(guard.test, cast(type[Any], cls)) for guard in guards}
    return frozenset(code for code, names in read.items() if names is not None and names.isdisjoint(_OF_COMMAND))


def tries(
    lifecycle: Lifecycle, record: Record, row: Transition, now: datetime, chosen: Sequence[Any]
) -> Iterator[Command]:
    """What is tried with a row, of which the guards and steps are not asked yet, the plainest first."""
    people = iter(()) if NOBODY in row.roles else able(lifecycle, row, record)
    first = next(people, None)
    if first is None:
        return
    reasons = (REASON,) if row.reason_required else ("", REASON) if record.version else ("",)
    yield from of_entries(
        Command(trigger=row.trigger, actor=first, now=now, details=chosen[0], reason=reasons[0]), record
    )
    # only now, for mostly the first will do
    pools: list[Sequence[Any]] = [[first, *people], chosen, reasons, _LATER if row.guards else _LATER[:1]]
    for actor, each, reason, later in islice(nearest(pools), 1, _TRIES):
        one = Command(trigger=row.trigger, actor=actor, now=now + later, details=each, reason=reason)
        yield from of_entries(one, record)


def naming_details(lifecycle: Lifecycle, row: Transition, plain: Plain, ids: Sequence[str]) -> Sequence[Any]:
    """The plain details of a row; where it asks for steps or erases, first such as name another record or a field."""
    if row.details is None:
        return (None,)
    made = plain(row.details)
    named: list[Any] = []
    if isinstance(row.erases, str):
        field = attrs.fields_dict(row.details)[row.erases]
        for name in erasable_names(lifecycle.record, lifecycle.transitions):
            with suppress(Exception):  # whatever a validator of the host's class raises: it takes no such name
                named.append(attrs.evolve(made[0], **{field.alias or field.name: (name,)}))
    if row.then is not None:
        named += [one for chosen in made[:3] for one in _naming(chosen, ids)]
    return [*named, *made] if named else made


def _naming(chosen: Any, ids: Sequence[str]) -> Iterator[Any]:
    """Details with one of their texts an id."""
    for field in attrs.fields(type(chosen)):
        if field.init and isinstance(getattr(chosen, field.name), str | None):
            for id in ids:
                try:
                    yield attrs.evolve(chosen, **{field.alias or field.name: id})
                except Exception:  # whatever a validator of the host's class raises: it takes no such text
                    break
