"""Commands for a record: such as `decide` allows, and such as it refuses, mostly for a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import Any, Final

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from reportflow.analysis.purity import mentioned
from reportflow.analysis.samples import PEOPLE, START, UNITS, nearest
from reportflow.errors import RecordNotFound, ReportflowError, RuleFailed, TransitionRefused
from reportflow.lifecycle.decision import decide
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.erasable import erasable_names
from reportflow.lifecycle.table import NOBODY, Transition
from reportflow.model.actor import Actor, Secrecy
from reportflow.model.entry import Command
from reportflow.model.record import Record
from reportflow.testing.strategies.people import able, actors, named
from reportflow.testing.strategies.values import details, names, plain_instances, remembered

#: Raises unless a command is allowed.
Judge = Callable[[Command], object]

#: How many commands are tried before a trigger counts as one that cannot be fired now.
_TRIES: Final = 400
#: How many of these may be refused because a step does not find its record: others will hardly find it.
_LOST: Final = 20
_REASON: Final = "because"
_LATER: Final = tuple(timedelta(days=days) for days in (0, 1, 7, 60, 400))
_MINUTE: Final = timedelta(minutes=1)
#: What a guard reads of a command.
_OF_COMMAND: Final = frozenset({"actor", "details", "now", "at", "reason", "key", "step"})
#: How long ago it happened, in parts of the time since the creation.
_PARTS: Final = st.none() | st.integers(0, 4)
_REASONS: Final = st.just("") | names()
_ONE_OF_FOUR: Final = st.sampled_from((False, False, False, True))


def commands(
    lifecycle: Lifecycle,
    record: Record,
    *,
    legal: bool | None = None,
    now: datetime | None = None,
    ids: Sequence[str] = (),
) -> SearchStrategy[Command]:
    """Commands for a record as it is, or creations for a draft; of one without an id they bring the id ``r1``.

    Args:
        lifecycle: The definition by which it is judged.
        record: As it is now.
        legal: True for such as `decide` allows, False for such as it does not, None for both. Where nothing can be
            found that is allowed, True gives `st.nothing()`: its ``is_empty`` says so.
        now: When they are recorded; a minute after the record's last entry unless given.
        ids: The ids of other records, which details may name.

    Raises:
        RuleFailed: a guard, `sets` or `then` of the definition raised.
        Unbuildable: the details of a transition cannot be made; `register` a strategy.
    """
    when = now or (record.updated_at or START) + _MINUTE
    asked = _Asked(lifecycle, record, when, ids)
    found: SearchStrategy[Command] = st.nothing() if legal is False or not asked.ways else _allowed(asked)
    if not legal:
        found |= _refused(asked)
    return found if asked.id == "" else found.map(lambda one: attrs.evolve(one, id=asked.id))


class _Asked:
    """What is known of a record before anything is drawn; its short `repr` is what a failure shows."""

    def __init__(self, lifecycle: Lifecycle, record: Record, now: datetime, ids: Sequence[str]) -> None:
        self.lifecycle = lifecycle
        self.record = record
        self.now = now
        self.ids = ids
        #: The id that a command brings, where its draft does not.
        self.id = "" if record.id else "r1"
        found = (way(lifecycle, record, one, now=now, judge=self.judge, ids=ids) for one in lifecycle.triggers)
        self.ways = [one for one in found if one is not None]

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


# -- allowed ----------------------------------------------------------------------------------------------------


def way(
    lifecycle: Lifecycle, record: Record, trigger: str, *, now: datetime, judge: Judge, ids: Sequence[str] = ()
) -> Command | None:
    """The plainest command by which a person may fire a trigger now; None where none was found.

    Raises:
        RuleFailed: a guard, `sets` or `then` of the definition raised.
    """
    found = lifecycle.row(record.state if record.version else None, trigger)
    if found is None:
        return None
    return next(allowed(lifecycle, record, found[0], now=now, judge=judge, ids=ids), None)


def allowed(
    lifecycle: Lifecycle,
    record: Record,
    row: Transition,
    *,
    now: datetime,
    judge: Judge,
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
    for one in _tries(lifecycle, record, row, now, _chosen(lifecycle, row, ids) if chosen is None else chosen):
        error = refusal(judge, one)
        if error is None:
            yield one
            continue
        codes = {str(getattr(each, "code", each)) for each in getattr(error, "refusals", (error,))}
        if refused is not None:
            refused |= codes
        lost += isinstance(error, RecordNotFound)
        if lost > _LOST or not codes.isdisjoint(_of_the_record(row, lifecycle.record)):
            break


def _of_the_record(row: Transition, cls: type[Record]) -> frozenset[str]:
    """The codes of the guards that only look at the record: if they refuse one command, they refuse every one."""

    def find() -> frozenset[str]:
        read = {guard.code: mentioned(guard.test, cls) for guard in row.guards}
        return frozenset(code for code, names in read.items() if names is not None and names.isdisjoint(_OF_COMMAND))

    return remembered((row, cls), find)


def _tries(
    lifecycle: Lifecycle, record: Record, row: Transition, now: datetime, chosen: Sequence[Any]
) -> Iterator[Command]:
    people = iter(()) if NOBODY in row.roles else able(lifecycle, row, record)
    first = next(people, None)
    if first is None:
        return
    reasons = (_REASON,) if row.reason_required else ("", _REASON) if record.version else ("",)
    yield Command(trigger=row.trigger, actor=first, now=now, details=chosen[0], reason=reasons[0])
    # only now, for mostly the first will do
    pools: list[Sequence[Any]] = [[first, *people], chosen, reasons, _LATER if row.guards else _LATER[:1]]
    for actor, each, reason, later in islice(nearest(pools), 1, _TRIES):
        yield Command(trigger=row.trigger, actor=actor, now=now + later, details=each, reason=reason)


def _chosen(lifecycle: Lifecycle, row: Transition, ids: Sequence[str]) -> Sequence[Any]:
    """The plain details of a row; where it asks for steps or erases, first such as name another record or a field."""
    if row.details is None:
        return (None,)
    plain = plain_instances(row.details)
    named: list[Any] = []
    if isinstance(row.erases, str):
        field = attrs.fields_dict(row.details)[row.erases]
        for name in erasable_names(lifecycle.record, lifecycle.transitions):
            with suppress(Exception):  # whatever a validator of the host's class raises: it takes no such name
                named.append(attrs.evolve(plain[0], **{field.alias or field.name: (name,)}))
    if row.then is not None:
        named += [one for chosen in plain[:3] for one in _naming(chosen, ids)]
    return [*named, *plain] if named else plain


def _naming(chosen: Any, ids: Sequence[str]) -> Iterator[Any]:
    """Details with one of their texts an id."""
    for field in attrs.fields(type(chosen)):
        if field.init and isinstance(getattr(chosen, field.name), str | None):
            for id in ids:
                try:
                    yield attrs.evolve(chosen, **{field.alias or field.name: id})
                except Exception:  # whatever a validator of the host's class raises: it takes no such text
                    break


@attrs.frozen
class _Way:
    """A command that is allowed, and by whom that is said."""

    lifecycle: Lifecycle
    record: Record
    plain: Command
    judge: Judge
    ids: Sequence[str]

    def __repr__(self) -> str:
        return f"{self.lifecycle.name}: {self.plain.trigger}"


def around(
    lifecycle: Lifecycle, record: Record, plain: Command, *, judge: Judge, ids: Sequence[str] = ()
) -> SearchStrategy[Command]:
    """Commands that are allowed, of the same trigger as one that is; they shrink to that one."""
    return _around(_Way(lifecycle, record, plain, judge, ids))


@st.composite
def _around(draw: st.DrawFn, way: _Way) -> Command:
    record, plain = way.record, way.plain
    found = way.lifecycle.row(record.state if record.version else None, plain.trigger)
    assert found is not None, "it is allowed, so the row is there"
    row = found[0]
    actor = draw(st.sampled_from([plain.actor, *able(way.lifecycle, row, record)]))
    chosen = draw(_details_like(way, row))
    # a creation has no details but its draft
    reason = draw(_REASONS) or plain.reason if record.version else ""
    part = draw(_PARTS)
    varied = attrs.evolve(plain, actor=actor, details=chosen, reason=reason)
    if part is not None and record.created_at is not None and record.created_at <= plain.now:
        varied = attrs.evolve(varied, at=plain.now - (plain.now - record.created_at) * part / 4)
    # what a guard refuses is given up one by one, so that nothing is ever thrown away
    of_plain = {"actor": plain.actor, "details": plain.details}
    for kept in ((), ("actor",), ("details",)):
        one = attrs.evolve(varied, **{name: of_plain[name] for name in kept})
        if one == plain or refusal(way.judge, one) is None:
            return one
    return plain


@st.composite
def _details_like(draw: st.DrawFn, way: _Way, row: Transition) -> Any:
    """Details of a row, as its class gives them: those of the plain command are one of many, not every other one.

    Where the plain ones name a record or a field, so do most of these, and all the rest varies.
    """
    plain = way.plain.details
    if row.details is None:
        return plain
    drawn = draw(details(row.details))
    if row.then is None and row.erases is None:
        return drawn
    others = _chosen(way.lifecycle, row, way.ids)
    naming = draw(st.sampled_from([plain, *others]))
    named = _naming_fields(naming, way.ids, row)
    if not named or draw(_ONE_OF_FOUR):
        return drawn
    try:
        return attrs.evolve(drawn, **named)
    except Exception:  # whatever a validator of the host's class raises: it takes them alone, not with the rest
        return naming


def _naming_fields(chosen: Any, ids: Sequence[str], row: Transition) -> dict[str, Any]:
    """The fields of details that name a record, or what is to be erased."""
    fields = [field for field in attrs.fields(type(chosen)) if field.init]
    values = {field: getattr(chosen, field.name) for field in fields}
    return {
        field.alias or field.name: value
        for field, value in values.items()
        if field.name == row.erases or (isinstance(value, str) and value in ids)
    }


# -- refused ----------------------------------------------------------------------------------------------------


@st.composite
def _allowed(draw: st.DrawFn, asked: _Asked) -> Command:
    plain = draw(st.sampled_from(asked.ways))
    return draw(around(asked.lifecycle, asked.record, plain, judge=asked.judge, ids=asked.ids))


@st.composite
def _refused(draw: st.DrawFn, asked: _Asked) -> Command:
    if not draw(st.booleans()):
        return draw(st.sampled_from(asked.refused))
    row = draw(st.sampled_from(asked.lifecycle.transitions))
    chosen = draw(st.sampled_from((None, "text")) | details(row))
    reason = draw(st.sampled_from(("", " ", _REASON)))
    actor = draw(actors(asked.lifecycle))
    one = Command(trigger=row.trigger, actor=actor, now=asked.now, details=chosen, reason=reason)
    return one if refusal(asked.judge, one) is not None else attrs.evolve(one, trigger=_unknown(asked.lifecycle))


def _unknown(lifecycle: Lifecycle) -> str:
    """A trigger that a lifecycle does not have."""
    return "?".join(lifecycle.triggers) + "?"


def _spoilt(asked: _Asked) -> Iterator[Command]:
    """Commands with one thing wrong each; some of them may be allowed all the same."""
    lifecycle, record, now = asked.lifecycle, asked.record, asked.now
    roles = frozenset(lifecycle.roles)
    unit = record.unit or UNITS[0]
    master = Actor(id=record.created_by or PEOPLE[0], roles=roles, unit=unit, clearance=Secrecy.TOP_SECRET)
    first = [*asked.ways, Command(trigger=lifecycle.triggers[0], actor=master, now=now)][0]
    yield attrs.evolve(first, trigger=_unknown(lifecycle))
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
            trigger=row.trigger, actor=master, now=now, details=_chosen(lifecycle, row, ())[0], reason=_REASON
        )


def _guarded(asked: _Asked, trigger: str) -> Command | None:
    """A command against which nothing is but the guards."""
    found = asked.lifecycle.row(asked.record.state if asked.record.version else None, trigger)
    if found is None or not found[0].guards:
        return None
    codes = {guard.code for guard in found[0].guards}
    chosen = _chosen(asked.lifecycle, found[0], asked.ids)
    for one in _tries(asked.lifecycle, asked.record, found[0], asked.now, chosen):
        error = refusal(asked.judge, one)
        if isinstance(error, TransitionRefused) and {getattr(each, "code", "") for each in error.refusals} <= codes:
            return one
    return None
