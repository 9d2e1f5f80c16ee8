"""The lifecycles of a walk, and what is found out about them once: where it may begin, and ways to lead it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property

import attrs

from reportflow.analysis.desk import Desk
from reportflow.analysis.samples import START
from reportflow.analysis.search import Search
from reportflow.analysis.tries import way
from reportflow.analysis.ways import Found, not_drafted
from reportflow.errors import Unbuildable
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import NOBODY, Transition
from reportflow.model.entry import Command
from reportflow.model.record import Record
from reportflow.testing.broken import BrokenPromise, NeverFired
from reportflow.testing.strategies.found import searched
from reportflow.testing.strategies.path import Path
from reportflow.testing.strategies.values import plain_instances


class WalkTables:
    """The lifecycles of a walk; its short `repr` is what a failure shows of a strategy."""

    def __init__(self, lifecycle: Lifecycle, others: tuple[Lifecycle, ...]) -> None:
        self.lifecycle = lifecycle
        self.others = others
        self.empty: Desk = Desk.of((lifecycle, *others))
        self.plainest: tuple[Record, Command] = first_created(self, lifecycle, self.empty)
        self._said = False
        #: Each state -> how far the others are from it.
        self.near: dict[str, Mapping[str, int]] = {
            state.name: distances(lifecycle, state.name) for state in lifecycle.states
        }
        #: What may lie beside the record; of what only steps create, a path has no creation to say.
        self.begun_by_people: list[Lifecycle] = [
            one
            for one in (lifecycle, *others)
            if any(None in row.sources and NOBODY not in row.roles for row in one.transitions)
        ]

    @cached_property
    def found(self) -> Search:
        """What a search for every row comes to: begun when something is drawn, for rules that fail must fail then."""
        return searched((self.lifecycle, *self.others), alone=True)

    @cached_property
    def ways(self) -> dict[Transition, Path]:
        """A path to each row that people may fire."""
        paths = {row: as_path(self, found) for row, found in self.found.rows.items() if NOBODY not in row.roles}
        return {
            row: path
            for row, path in paths.items()
            if path is not None and path.history[-1].kind == self.lifecycle.name
        }

    @cached_property
    def routes(self) -> dict[str, Path]:
        """The shortest path found to each state."""
        paths = [as_path(self, one) for one in self.found.kept(self.lifecycle)]
        found: dict[str, Path] = {}
        for path in sorted((one for one in paths if one is not None), key=len):
            found.setdefault(path.record.state, path)
        return found

    @cached_property
    def unreached(self) -> dict[str, tuple[str, ...]]:
        """The triggers of the rows that no path has, with what refused them."""
        rows = [row for row in self.lifecycle.transitions if NOBODY not in row.roles and row not in self.found.rows]
        return {row.trigger: tuple(sorted(self.found.refused.get(row, ()))) for row in rows}

    def say_what_is_unreached(self) -> None:
        """Warn of rows that no path has, once."""
        if self.unreached and not self._said:
            self._said = True
            names = [f"{name} ({', '.join(codes)})" if codes else name for name, codes in self.unreached.items()]
            text = BrokenPromise("unreached", lifecycle=self.lifecycle.name, names=names)
            warnings.warn(str(text), NeverFired, stacklevel=2)

    def __repr__(self) -> str:
        return self.lifecycle.name

    def named(self, lifecycle: Lifecycle, draft: Record) -> Record:
        """A draft that says its kind, where its class leaves that open."""
        shared = [one for one in (self.lifecycle, *self.others) if one.record is type(draft)]
        return attrs.evolve(draft, kind=lifecycle.name) if len(shared) > 1 else draft


def creation_of(desk: Desk, lifecycle: Lifecycle, draft: Record, now: datetime) -> Command | None:
    """The plainest command that creates a draft, or None."""
    target = draft if draft.id else attrs.evolve(draft, id="?")
    for row in lifecycle.transitions:
        if None in row.sources:
            found = way(
                lifecycle,
                target,
                row.trigger,
                now=now,
                judge=lambda one: desk.created(draft, one),
                plain=plain_instances,
            )
            if found is not None:
                return found
    return None


def first_created(
    tables: WalkTables, lifecycle: Lifecycle, desk: Desk, now: datetime = START
) -> tuple[Record, Command]:
    """The plainest draft that may be created, and the command.

    Raises:
        Unbuildable: there is none.
    """
    cls = lifecycle.record
    for one in plain_instances(cls, not_drafted(lifecycle)):
        draft = tables.named(lifecycle, one)
        command = creation_of(desk, lifecycle, draft, now)
        if command is not None:
            return draft, command
    raise Unbuildable(cls.__name__, f"of the lifecycle '{lifecycle.name}': no draft was found that may be created")


def as_path(tables: WalkTables, found: Found) -> Path | None:
    """What a search has done, as a path; None where it is none: where an act is on another record."""
    first, *rest = found.acts
    beside = [one for one in rest if one.draft is not None]
    commands = [one.command for one in rest if one.id == first.id]
    if first.draft is None or len(beside) + len(commands) < len(rest):
        return None
    path = Path(
        lifecycle=tables.lifecycle,
        draft=first.draft,
        commands=(first.command, *commands),
        others=tables.others,
        beside=tuple((one.draft, one.command) for one in beside if one.draft is not None),
    )
    path.__dict__["desk"] = found.desk  # known already, so it is not walked anew
    return path


def distances(lifecycle: Lifecycle, goal: str) -> Mapping[str, int]:
    """How many acts of people lead from each state to another one, by the table; a state may be missing."""
    found = {goal: 0}
    todo = [goal]
    for state in todo:  # it grows as it is walked
        for row in lifecycle.transitions:
            for source in row.sources - {None}:
                if NOBODY not in row.roles and source not in found and state in row.dests(source):
                    found[str(source)] = found[state] + 1
                    todo.append(str(source))
    return found
