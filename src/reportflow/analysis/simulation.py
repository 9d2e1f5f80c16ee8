"""Worlds of records in memory, and what a call on them results in: the flow's own handler, over a dict."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, count
from typing import Final, cast

import attrs

from reportflow.analysis.cases import MAIN
from reportflow.analysis.finding import Move
from reportflow.errors import AlreadyExists, RecordNotFound, ReportflowError, RuleFailed, TransitionRefused
from reportflow.flow.definitions import Definitions
from reportflow.flow.driving import drive
from reportflow.flow.handler import Handler
from reportflow.flow.requests import Create, Fire
from reportflow.lifecycle.decision import Decision, decide, initialize_draft
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import Transition
from reportflow.model.entry import Command, Entry
from reportflow.model.record import Record
from reportflow.model.values import field_names
from reportflow.serialization.digest import Sealed
from reportflow.storage.base import Change, Store

#: The entries of a record, each with what is stored of it.
History = tuple[tuple[Entry, Sealed], ...]


@attrs.frozen(eq=False, kw_only=True)
class World:
    """Some records, and the path that led to them.

    Attributes:
        records: id -> record: those that the path created or changed.
        histories: id -> what happened to each of them, and the same as it is stored.
        before: The world before the last move.
        move: The last move.
    """

    records: Mapping[str, Record]
    histories: Mapping[str, History] = attrs.field(factory=dict)
    before: World | None = None
    move: Move | None = None

    def _path(self) -> Iterator[World]:
        """This world and those before it, the latest first."""
        world: World | None = self
        while world is not None:
            yield world
            world = world.before

    @property
    def moves(self) -> tuple[Move, ...]:
        """The path."""
        return tuple(world.move for world in self._path() if world.move is not None)[::-1]

    @property
    def states(self) -> frozenset[str]:
        """The states in which the record that the path began with ever was."""
        return frozenset(world.records[MAIN].state for world in self._path() if MAIN in world.records)


@attrs.frozen(eq=False, kw_only=True)
class Trial:
    """A move in a world, and the error that it ended in, if any."""

    world: World
    move: Move
    error: ReportflowError | None = None

    @property
    def moves(self) -> tuple[Move, ...]:
        """The path, and the move after it."""
        return (*self.world.moves, self.move)


@attrs.frozen(eq=False, kw_only=True)
class Decided:
    """One decision on the way of a move: about the move itself, or about a step that followed from it."""

    lifecycle: Lifecycle
    before: Record
    decision: Decision


#: Called before each decision: the lifecycle, its row, the record before, the command.
Judge = Callable[[Lifecycle, Transition, Record, Command], None]


@attrs.frozen(eq=False)
class _Records:
    """As much of a store as the handler calls for one request without a key."""

    records: dict[str, Record]
    histories: dict[str, History]
    changed: dict[str, Record] = attrs.field(factory=dict)

    def get(self, ids: Sequence[str]) -> list[Record]:
        missing = [id for id in ids if id not in self.records]
        if missing:
            raise RecordNotFound(missing)
        return [self.records[id] for id in ids]

    def commit(self, changes: Sequence[Change]) -> None:
        taken = [one.record.id for one in changes if one.expected is None and one.record.id in self.records]
        if taken:
            raise AlreadyExists(taken)
        for one in changes:
            id, erased = one.record.id, {entry.sequence: (entry, sealed) for entry, sealed in one.erased}
            self.changed[id] = one.record
            before = [erased.get(entry.sequence, (entry, sealed)) for entry, sealed in self.histories.get(id, ())]
            self.histories[id] = (*before, *zip(one.entries, one.sealed, strict=True))

    def history(self, ids: Sequence[str]) -> list[Entry]:
        return [entry for id in ids for entry, _ in self.histories.get(id, ())]

    def sealed(self, after: tuple[str, int], limit: int) -> list[Sealed]:
        return [sealed for _, sealed in self.histories.get(after[0], ())][:limit]


class Simulation:
    """Makes moves in worlds.

    Args:
        lifecycles: The definitions, each of another name.
        existing: Records that exist beside those of a path, each with the world in which it came to be.
    """

    def __init__(self, lifecycles: Sequence[Lifecycle], existing: Mapping[str, World] | None = None) -> None:
        self.lifecycles: Final = tuple(lifecycles)
        self.existing: Final = dict(existing or {})
        self._stored = {id: world.records[id] for id, world in self.existing.items()}
        self._histories = {id: world.histories[id] for id, world in self.existing.items()}
        self._definitions = Definitions(self.lifecycles)
        self._lock = threading.Lock()
        #: The definition of a record or draft; raises UnknownLifecycle.
        self.lifecycle_of: Final = self._definitions.of

    def stored(self, world: World, id: str) -> Record | None:
        """A record of a world, or one that exists beside it."""
        return world.records.get(id) or self._stored.get(id)

    def needed(self, moves: Sequence[Move]) -> tuple[Move, ...]:
        """Moves after those that create the existing records which they name."""
        named = [id for id in self.existing if any(_names(move, id) for move in moves)]
        return (*(move for id in named for move in self.existing[id].moves), *moves)

    def perform(
        self, world: World, move: Move, *, judge: Judge | None = None, decisions: list[Decided] | None = None
    ) -> World:
        """The world after a move and its steps, as `flow.fire` or `flow.create` would have it.

        `judge` is called before each decision; `decisions` is filled with them, up to the one that fails.

        Raises:
            ReportflowError: what the flow would raise.
        """

        def decide_and_note(lifecycle: Lifecycle, record: Record, command: Command) -> Decision:
            found = lifecycle.row(record.state if record.version else None, command.trigger)
            if judge is not None and found:
                before = record if record.version else initialize_draft(lifecycle, record, command)
                judge(lifecycle, found[0], before, command)
            decision = decide(lifecycle, record, command)
            if decisions is not None:
                decisions.append(Decided(lifecycle=lifecycle, before=record, decision=decision))
            return decision

        command = move.command
        numbers = (f"s{number}" for number in count(1 + sum(map(is_of_step, world.records))))
        ids = numbers if move.draft is None else chain([move.id], numbers)
        handler = Handler(
            self._definitions,
            clock=lambda: command.now,
            new_id=ids.__next__,
            decide=decide_and_note,
        )
        request: Create | Fire
        if move.draft is not None:
            request = Create(move.draft, by=command.actor)
        else:
            request = Fire(move.id, command.trigger, command.details, by=command.actor, reason=command.reason)
        store = _Records({**self._stored, **world.records}, {**self._histories, **world.histories})
        drive(cast(Store, store), handler.run([request]), self._lock)
        histories = {**world.histories, **{id: store.histories[id] for id in store.changed}}
        return World(records={**world.records, **store.changed}, histories=histories, before=world, move=move)


def is_of_step(id: str) -> bool:
    """Whether an id is one of those that a simulation gives to records which a step creates."""
    return id[:1] == "s" and id[1:].isdigit()


def _names(move: Move, id: str) -> bool:
    """Whether a record's id stands in the details or the draft of a move."""
    given = move.command.details if move.draft is None else move.draft
    return attrs.has(type(given)) and any(getattr(given, name) == id for name in field_names(type(given)))


def refusals(error: ReportflowError) -> tuple[str, ...]:
    """The codes of the reasons for an error."""
    if isinstance(error, TransitionRefused):
        return tuple(str(getattr(one, "code", one)) for one in error.refusals)
    return (error.code,)


def outcome(error: ReportflowError | None) -> str:
    """The result of a move in a few words."""
    if error is None:
        return "done"
    given = f": {error.given}" if isinstance(error, RuleFailed) else ""
    return f"{'refused' if isinstance(error, TransitionRefused) else 'fails'}: {', '.join(refusals(error))}{given}"
