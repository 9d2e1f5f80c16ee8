"""Some records, and what comes of a call on them with all its steps, by nothing but `decide`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs

from reportflow.analysis.cases import MAIN
from reportflow.analysis.finding import Move
from reportflow.errors import (
    RecordNotFound,
    ReportflowError,
    RuleFailed,
    TransitionRefused,
    UnknownLifecycle,
)
from reportflow.lifecycle.decision import Decision, check_step_cycle, command_for_step, decide, initialize_draft
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import Step, Transition
from reportflow.model.entry import Command, Entry
from reportflow.model.record import Record
from reportflow.model.values import changed, field_names


@attrs.frozen(eq=False, kw_only=True)
class World:
    """Some records, and how they came to be as they are.

    Attributes:
        records: id -> record: those that the path created or moved.
        before: The world before the last move.
        move: The last move.
        main: The record that the path began with.
    """

    records: Mapping[str, Record]
    before: World | None = None
    move: Move | None = None

    @property
    def moves(self) -> tuple[Move, ...]:
        """The path."""
        found: list[Move] = []
        world: World | None = self
        while world is not None and world.move is not None:
            found.append(world.move)
            world = world.before
        return tuple(reversed(found))

    @property
    def states(self) -> frozenset[str]:
        """The states in which the record that the path began with ever was."""
        world: World | None = self
        found = set()
        while world is not None:
            found |= {one.state for id, one in world.records.items() if id == MAIN}
            world = world.before
        return frozenset(found)


@attrs.frozen(eq=False, kw_only=True)
class Case:
    """One thing that was tried: a move in a world, and what came of it."""

    world: World
    move: Move
    error: ReportflowError | None = None

    @property
    def moves(self) -> tuple[Move, ...]:
        """The path, and the move after it."""
        return (*self.world.moves, self.move)


@attrs.frozen(eq=False, kw_only=True)
class Act:
    """One decision on the way of a move: the move itself, or a step that followed from it."""

    lifecycle: Lifecycle
    before: Record
    command: Command
    decision: Decision


#: Told of each act that is to be judged: the lifecycle, its row, the record before, the command.
Judge = Callable[[Lifecycle, Transition, Record, Command], None]


class Office:
    """Lifecycles, with some records that are there beside those that a path creates; moves are made in worlds."""

    def __init__(self, lifecycles: Sequence[Lifecycle], there: Mapping[str, World] | None = None) -> None:
        self.lifecycles = tuple(lifecycles)
        self.there = dict(there or {})
        self._by_kind = {one.name: one for one in reversed(self.lifecycles)}

    def of(self, record: Record) -> Lifecycle:
        """The lifecycle of a record or draft.

        Raises:
            UnknownLifecycle: it is not among those given.
        """
        found = self._by_kind.get(record.kind)
        if found is None and not record.kind:
            found = next((one for one in self.lifecycles if one.record is type(record)), None)
        if found is None:
            raise UnknownLifecycle(record.kind or type(record).__name__, None, list(self._by_kind))
        return found

    def needed(self, moves: Sequence[Move]) -> tuple[Move, ...]:
        """Moves after those that bring about the records which they name."""
        named = [id for id in self.there if any(_names(move, id) for move in moves)]
        return (*(move for id in named for move in self.there[id].moves), *moves)

    def act(
        self, world: World, move: Move, judge: Judge | None = None, acts: list[Act] | None = None
    ) -> tuple[World, list[Act]]:
        """What comes of a move and its steps, as `flow.fire` or `flow.create` would have it.

        `acts` is filled on the way, up to where it fails.

        Raises:
            ReportflowError: whatever the flow would raise.
        """
        records, acts = dict(world.records), [] if acts is None else acts
        record = records[move.id] if move.draft is None else move.draft
        if move.draft is None and not self.of(record).roles_held(record, move.command.actor):
            raise RecordNotFound([move.id])  # what somebody may not see is not there for them
        self._decide(records, acts, record, move.command, (), judge)
        return World(records=records, before=world, move=move), acts

    def _decide(
        self,
        records: dict[str, Record],
        acts: list[Act],
        record: Record,
        command: Command,
        path: tuple[str, ...],
        judge: Judge | None,
    ) -> None:
        path = check_step_cycle(path, record, command.trigger)
        lifecycle = self.of(record)
        if judge is not None:
            found = lifecycle.row(record.state if record.version else None, command.trigger)
            if found:
                before = record if record.version else initialize_draft(lifecycle, record, command)
                judge(lifecycle, found[0], before, command)
        decision = decide(lifecycle, record, command)
        records[record.id] = decision.record
        acts.append(Act(lifecycle=lifecycle, before=record, command=command, decision=decision))
        for step in decision.steps:
            self._step(records, acts, step, decision.entry, command, path, judge)

    def _step(
        self,
        records: dict[str, Record],
        acts: list[Act],
        step: Step,
        cause: Entry,
        command: Command,
        path: tuple[str, ...],
        judge: Judge | None,
    ) -> None:
        if isinstance(step.target, Record) and not step.target.version:
            id = step.target.id or f"s{1 + sum(is_of_step(one) for one in records)}"
            target = changed(step.target, {"id": id})
        else:
            target = self._found(records, step)
            if not step.system and not self.of(target).roles_held(target, command.actor):
                raise RecordNotFound([target.id])
        self._decide(records, acts, target, command_for_step(command, step, cause, target), path, judge)

    def _found(self, records: Mapping[str, Record], step: Step) -> Record:
        id = step.target if isinstance(step.target, str) else step.target.id
        if id in records:
            return records[id]
        if id in self.there:
            return self.there[id].records[id]
        raise RecordNotFound([id])


def is_of_step(id: str) -> bool:
    """Whether an id is one of those that records get here which a step creates."""
    return id[:1] == "s" and id[1:].isdigit()


def _names(move: Move, id: str) -> bool:
    """Whether a record's id stands in what a move is told."""
    told = move.command.details if move.draft is None else move.draft
    return attrs.has(type(told)) and any(getattr(told, name) == id for name in field_names(type(told)))


def refusals(error: ReportflowError) -> tuple[str, ...]:
    """Why something was not done, as codes."""
    if isinstance(error, TransitionRefused):
        return tuple(str(getattr(one, "code", one)) for one in error.refusals)
    return (error.code,)


def said(error: ReportflowError) -> str:
    """Why something was not done, in a few words."""
    given = f": {error.given}" if isinstance(error, RuleFailed) else ""
    return f"{'refused' if isinstance(error, TransitionRefused) else 'fails'}: {', '.join(refusals(error))}{given}"
