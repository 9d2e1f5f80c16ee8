"""The calls that a lifecycle's machine makes, drawn for the records in the store at that moment."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Final, Literal, Protocol

import attrs

from reportflow.analysis.tries import Judge, way
from reportflow.analysis.ways import FoundAct
from reportflow.errors import MissingExtra, RuleFailed
from reportflow.flow.requests import Create, Fire, Request, request_of
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import NOBODY, OnConflict, Transition
from reportflow.model.actor import Actor
from reportflow.model.entry import Command
from reportflow.model.record import Record
from reportflow.model.values import changed
from reportflow.testing.broken import BrokenPromise
from reportflow.testing.lifecycle_model import Model
from reportflow.testing.lines import Lines, call, plain_text
from reportflow.testing.strategies.commands import around, commands
from reportflow.testing.strategies.found import searched
from reportflow.testing.strategies.path import renamed
from reportflow.testing.strategies.people import actors
from reportflow.testing.strategies.values import details, plain_instances
from reportflow.testing.strategies.walks import drafts

try:
    from hypothesis import strategies as st
except ImportError as _error:
    raise MissingExtra("hypothesis", "reportflow[testing]") from _error

_KEYS: Final = (None, None, None, "key 1", "key 2")
#: How a record is named: by its id, by a snapshot, or by its id and the expected version.
_AIMS: Final = ("id", "in hand", "version")
#: How many records an act and its steps may create, at most.
_CREATED: Final = 10
_WRONG_AIMS: Final = (*_AIMS, "id", "other version", "nowhere")


#: What draws: `st.composite` gives it, or `st.data`.
Draw = Callable[..., Any]


_ONE_OF_THREE: Final = st.sampled_from((False, False, True))


class Room(Protocol):
    """What a draw needs of the machine: Hypothesis hands it out as the runner."""

    lifecycles: ClassVar[tuple[Lifecycle, ...]]
    model: Model
    lines: Lines
    now: datetime


@attrs.frozen(repr=False)
class DrawnRequests:
    """Requests, the time at which they are made, and what an error ends. Shown as the calls that they are."""

    requests: tuple[Request, ...]
    now: datetime
    on_error: Literal["stop", "skip"] = "stop"

    def __repr__(self) -> str:
        return ", ".join(plain_text(call(request)) for request in self.requests)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


def standing(room: Room, lifecycle: Lifecycle, row: Transition) -> list[Record]:
    """The records on which a row applies."""
    mine = (record for record in room.model.records.values() if room.model.lifecycle_of(record) is lifecycle)
    return [record for record in mine if record.state in row.sources]


@st.composite
def firing(draw: st.DrawFn, lifecycle: Lifecycle, row: Transition) -> DrawnRequests | None:
    """A row fired, as it is allowed; None where no such command could be found."""
    room: Room = draw(st.runner())
    return firing_on(draw, draw(st.sampled_from(standing(room, lifecycle, row))), row.trigger)


def firing_on(draw: Draw, record: Record, trigger: str) -> DrawnRequests | None:
    """A trigger fired on a record, as it is allowed; None where no such command could be found."""
    room: Room = draw(st.runner())
    command = _allowed(draw, room, room.model.lifecycle_of(record), record, trigger)
    if command is None:
        return None
    return DrawnRequests(
        (_aimed(record, command, draw(st.sampled_from(_AIMS)), draw(st.sampled_from(_KEYS))),), command.now
    )


@st.composite
def creating(draw: st.DrawFn, lifecycle: Lifecycle, row: Transition) -> DrawnRequests | None:
    """A record created by a row, as it is allowed; None where no such command could be found."""
    room: Room = draw(st.runner())
    draft = _drafts(draw, lifecycle)
    command = _allowed(draw, room, lifecycle, draft, row.trigger)
    if command is None:
        return None
    return DrawnRequests((_create(draft, command, draw(st.sampled_from(_KEYS))),), command.now)


def known_way(room: Room, row: Transition) -> list[DrawnRequests]:
    """What leads to a row from creations on, as a search found it; nothing where it found no way."""
    with contextlib.suppress(RuleFailed):  # the machine comes upon that too, and says it with the calls
        found = searched(room.lifecycles).rows.get(row)
        return [] if found is None else acts_of(room, found.acts)
    return []


def acts_of(room: Room, acts: Sequence[FoundAct]) -> list[DrawnRequests]:
    """Acts that a search found, from now on: each as one request, with the ids that the flow will give."""
    later = room.now - acts[0].command.now
    ids = {f"r{number}": f"r{number + room.model.number}" for number in range(1, len(acts) * _CREATED)}
    made: list[DrawnRequests] = []
    for act in acts:
        one, now = act.command, act.command.now + later
        request: Request
        if act.draft is not None:
            kind = act.draft.kind or next(each.name for each in room.lifecycles if each.record is type(act.draft))
            request = Create(changed(act.draft, {"kind": kind}), by=one.actor)
        else:
            id, chosen = ids.get(act.id, act.id), renamed(one.details, ids)
            request = Fire(id, one.trigger, chosen, by=one.actor, reason=one.reason)
        made.append(DrawnRequests((request,), now))
    return made


@st.composite
def refused(draw: st.DrawFn) -> DrawnRequests:
    """A command with something wrong about it: the state, the actor, the details, the reason, the time, the target."""
    room: Room = draw(st.runner())
    records = list(room.model.records.values())
    lifecycle = draw(st.sampled_from(room.lifecycles))
    creates: bool = not records or draw(st.integers(0, 5)) == 5
    if creates:
        draft = _drafts(draw, lifecycle)
        command = _refused(draw, room, lifecycle, draft)
        taken = ["", *(record.id for record in records if record.kind == lifecycle.name)]
        draft = changed(draft, {"id": draw(st.sampled_from(taken))})
        return DrawnRequests((_create(draft, command, None),), command.now)
    record = draw(st.sampled_from(records))
    command = _refused(draw, room, room.model.lifecycle_of(record), record)
    return DrawnRequests((_aimed(record, command, draw(st.sampled_from(_WRONG_AIMS)), None),), command.now)


@st.composite
def rivals(draw: st.DrawFn) -> DrawnRequests:
    """Two requests by two users with the same expected version of a record."""
    room: Room = draw(st.runner())
    record = draw(st.sampled_from(list(room.model.records.values())))
    # rows that are not simply retried, and concurrent writes after which the row still applies
    one = _some(draw, room, record, lambda row: row.on_conflict is not OnConflict.RETRY)
    other = _some(draw, room, record, lambda row: record.state in row.dests(record.state))
    if draw(_ONE_OF_THREE):
        other = _refused(draw, room, room.model.lifecycle_of(record), record)
    aims = [draw(st.sampled_from(_AIMS)) for _ in "12"]
    requests = (_aimed(record, one, aims[0], None), _aimed(record, other, aims[1], None))
    return DrawnRequests(requests, max(one.now, other.now))


@st.composite
def batches(draw: st.DrawFn) -> DrawnRequests:
    """Up to three requests, to be decided together."""
    room: Room = draw(st.runner())
    requests: list[Request] = []
    now = room.now
    for _ in range(draw(st.integers(1, 3))):
        records = list(room.model.records.values())
        if not records or draw(st.booleans()):
            lifecycle = draw(st.sampled_from(room.lifecycles))
            draft = _drafts(draw, lifecycle)
            creations = [row.trigger for row in lifecycle.transitions if None in row.sources]
            command = _allowed(draw, room, lifecycle, draft, creations[0])
            command = command or Command(trigger=creations[0], actor=draw(_people(lifecycle)), now=now)
            requests.append(_create(draft, command, None))
        else:
            record = draw(st.sampled_from(records))
            command = _some(draw, room, record)
            requests.append(_aimed(record, command, draw(st.sampled_from(("id", "version"))), None))
        now = max(now, command.now)
    return DrawnRequests(tuple(requests), now)


@st.composite
def bulks(draw: st.DrawFn) -> DrawnRequests:
    """A command that fits one record, on up to three."""
    room: Room = draw(st.runner())
    records = list(room.model.records.values())
    chosen = draw(st.lists(st.sampled_from(records), min_size=1, max_size=3, unique_by=lambda record: record.id))
    command = _some(draw, room, chosen[0])
    aims = ["in hand" if draw(st.booleans()) else "id" for _ in chosen]
    command = attrs.evolve(command, at=None)
    requests = tuple(_aimed(record, command, aim, None) for record, aim in zip(chosen, aims, strict=True))
    return DrawnRequests(requests, command.now, draw(st.sampled_from(("skip", "stop"))))


@st.composite
def onlookers(draw: st.DrawFn) -> Actor:
    """An actor who reads."""
    room: Room = draw(st.runner())
    actor = draw(_people(draw(st.sampled_from(room.lifecycles))))
    homes = sorted({actor.unit, *(record.unit for record in room.model.records.values())})
    return attrs.evolve(actor, unit=draw(st.sampled_from(homes)))


# ---------------------------------------------------------------------------------------------------------------


def _drafts(draw: st.DrawFn, lifecycle: Lifecycle) -> Record:
    """A draft that leaves its id to the flow, and names its kind."""
    draft: Record = draw(drafts(lifecycle))
    return changed(draft, {"id": "", "kind": lifecycle.name})


_people = cache(actors)


def _allowed(draw: Draw, room: Room, lifecycle: Lifecycle, target: Record, trigger: str) -> Command | None:
    """A command that goes through, its steps too; None where none could be found."""
    judge, ids = _judge(room, target), _others(room, target)
    plain = way(lifecycle, target, trigger, now=room.now, judge=judge, plain=plain_instances, ids=ids)
    if plain is None:
        return None
    varied: Command = draw(around(lifecycle, target, plain, judge=judge, ids=ids))
    return varied


def _refused(draw: Draw, room: Room, lifecycle: Lifecycle, target: Record) -> Command:
    """A command that is not allowed."""
    try:
        found: Command = draw(commands(lifecycle, target, legal=False, now=room.now, ids=_others(room, target)))
    except RuleFailed as error:
        raise BrokenPromise("rule", given=str(error)) from error
    return found


def _judge(room: Room, target: Record) -> Judge:
    def judge(command: Command) -> None:
        try:
            room.model.tried(target, command)
        except BrokenPromise:
            room.lines.clock(command.now)
            room.lines.trying(call(request_of(target, command)))
            raise

    return judge


def _some(draw: Draw, room: Room, record: Record, favour: Callable[[Transition], bool] = bool) -> Command:
    """A command that applies in the record's state; one that goes through, if there is any."""
    lifecycle = room.model.lifecycle_of(record)
    rows = [found[0] for trigger in lifecycle.triggers if (found := lifecycle.row(record.state, trigger))]
    rows = [row for row in rows if NOBODY not in row.roles] or list(lifecycle.transitions)
    row = draw(st.sampled_from([*rows, *filter(favour, rows)]))
    command = _allowed(draw, room, lifecycle, record, row.trigger)
    if command is not None:
        return command
    actor, given = draw(_people(lifecycle)), draw(details(row))
    return Command(trigger=row.trigger, actor=actor, now=room.now, details=given, reason="because")


def _others(room: Room, record: Record) -> Sequence[str]:
    """The ids that details may name, those of other records first."""
    return sorted(room.model.versions, key=lambda id: id == record.id)


def _create(draft: Record, command: Command, key: str | None) -> Create:
    return Create(draft, by=command.actor, at=command.at, key=key)


def _aimed(record: Record, command: Command, aim: str, key: str | None) -> Fire:
    """The command as a request, that names the record in one of the ways."""
    version = {"version": record.version, "other version": record.version + 1}.get(aim)
    target: Record | str = record if aim == "in hand" else "nowhere" if aim == "nowhere" else record.id
    return Fire(
        target, command.trigger, command.details, by=command.actor, reason=command.reason, at=command.at, key=key,
        version=version,
    )  # fmt: skip
