"""Drafts, the paths on which `decide` leads them, and what these leave: records and histories."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from reportflow.analysis.samples import START
from reportflow.analysis.tries import way
from reportflow.analysis.ways import not_drafted
from reportflow.errors import InvalidValue, ReportflowError, RuleFailed, Unbuildable
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import NOBODY, Transition
from reportflow.model.entry import Command, Entry
from reportflow.model.record import Record
from reportflow.testing.strategies.commands import around
from reportflow.testing.strategies.path import Path, initialize_draft
from reportflow.testing.strategies.tables import WalkTables, creation_of, first_created
from reportflow.testing.strategies.values import instances, plain_instances

_LATER: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 60, 1440, 0, -60))
#: Whether a path goes on: six times of seven, and it shrinks to its end.
_MORE: Final = st.sampled_from((False, True, True, True, True, True, True))
#: From how many acts on a way is gone more often, and how much more.
_LONG: Final = 2
_OFTEN: Final = 4
#: Whether an act on a way is left out, if it can be: seldom, but first of all when it shrinks.
_LEFT_OUT: Final = st.sampled_from((True, *11 * (False,)))
_ONE_OF_FOUR: Final = st.sampled_from((False, False, False, True))


def drafts(lifecycle: Lifecycle) -> SearchStrategy[Any]:
    """Drafts as `create` takes them: version 0, without an id, and with what a creation of the lifecycle accepts.

    Raises:
        Unbuildable: no draft of the record class could be made: `register` a strategy for it.
    """
    return instances(lifecycle.record, not_drafted(lifecycle))


def paths(lifecycle: Lifecycle, *others: Lifecycle, min_size: int = 1, max_size: int = 12) -> SearchStrategy[Path]:
    """Paths of allowed commands from a creation on; they shrink to the fewest and plainest.

    Args:
        lifecycle: What the record lives by.
        others: The lifecycles of what its steps may touch.
        min_size: The least number of commands, the creation among them. A path is shorter where nothing more can be
            found that is allowed.
        max_size: The greatest number.

    Raises:
        Unbuildable: no draft can be made, or none that may be created.
        RuleFailed: a guard, `sets` or `then` of the definition raised.
    """
    if not 1 <= min_size <= max_size:
        raise InvalidValue("min_size", "range", {"given": min_size, "least": 1, "most": max_size})
    return _walk(WalkTables(lifecycle, others), min_size, max_size)


def records(lifecycle: Lifecycle, state: str | None = None, *, others: Sequence[Lifecycle] = ()) -> SearchStrategy[Any]:
    """Stored records as allowed commands leave them: in any state, or in one.

    Raises:
        Unbuildable: as `paths`; and no allowed commands were found that lead to the state.
        InvalidValue: the lifecycle has no such state.
    """
    tables = WalkTables(lifecycle, tuple(others))
    if state is None:
        return _walk(tables, 1, 12).map(lambda path: path.record)
    known = [one.name for one in lifecycle.states]
    if state not in known:
        raise InvalidValue("state", "choice", {"given": repr(state), "choices": known})
    found = tables.routes.get(state)
    if found is None:
        raise Unbuildable(lifecycle.record.__name__, f"no allowed commands were found that lead to '{state}'")
    return _varied(tables, found).map(lambda path: path.record)


def histories(lifecycle: Lifecycle, *others: Lifecycle, min_size: int = 1) -> SearchStrategy[list[Entry]]:
    """Whole histories of one record, as `replay` takes them.

    Steps are among them: those that an act asked of its own record, and those that acts on another record asked.

    Raises:
        As `paths`.
    """

    def of_path(path: Path) -> SearchStrategy[list[Entry]]:
        mine = {id: list(entries) for id, entries in path.desk.histories.items() if len(entries) >= min_size}
        kin = [id for id in mine if path.desk.records[id].kind == lifecycle.name]
        found = [mine[id] for id in dict.fromkeys((path.id, *kin)) if id in mine]
        return st.sampled_from(found or [list(path.history)])

    return paths(lifecycle, *others, min_size=min_size, max_size=max(12, min_size)).flatmap(of_path)


# -- walking ----------------------------------------------------------------------------------------------------


@st.composite
def _walk(draw: st.DrawFn, tables: WalkTables, min_size: int, max_size: int) -> Path:
    lifecycle = tables.lifecycle
    tables.say_what_is_unreached()
    # what it heads for: left to chance, it would hardly ever come to the far end of a long table, nor past a guard
    # that wants several acts
    near = [tables.near[state.name] for state in lifecycle.states]
    ways = [way for way in tables.ways.values() if len(way) <= max_size]
    ways += _OFTEN * [way for way in ways if len(way) > _LONG]  # to these chance alone hardly comes
    goal: Any = draw(st.sampled_from([{}, *near, *ways]))
    if isinstance(goal, Path):
        path, goal = draw(_along(tables, goal, max_size)), {}
    else:
        draft, command = _started(draw, tables)
        beside = _beside(draw, tables, draft, command)
        path = Path(lifecycle=lifecycle, draft=draft, commands=(command,), others=tables.others, beside=beside)
    while len(path) < max_size:
        following = draw(_following(path, goal, min_size))
        if following is None:
            break
        path = _longer(path, following)
    return path


@st.composite
def _along(draw: st.DrawFn, tables: WalkTables, way: Path, max_size: int) -> Path:
    """A path that goes a way to its end: each command varied, with others in between, where the rest still follows.

    It shrinks by leaving out the acts that nothing after them needs.
    """
    path = attrs.evolve(way, commands=way.commands[:1])
    draft, command = _started(draw, tables)
    if (draft, command) != (way.draft, way.commands[0]):
        other = attrs.evolve(path, draft=draft, commands=(command,))
        if _leads_on(other, way.commands[1:]):  # another draft may come to the same end, or not
            path = other
    for number, planned in enumerate(way.commands[1:], 1):
        rest = way.commands[number:]
        if draw(_LEFT_OUT) and _leads_on(path, rest[1:]):
            continue
        if len(path) + len(rest) < max_size and draw(_ONE_OF_FOUR):
            following = draw(_following(path, {}, 1))
            if following is not None and _leads_on(longer := _longer(path, following), rest):
                path = longer
        varied = draw(_around(path, planned))
        longer = _longer(path, varied)
        path = longer if varied == planned or _leads_on(longer, rest[1:]) else _longer(path, planned)
    return path


def _leads_on(path: Path, commands: Sequence[Command]) -> bool:
    """Whether commands go through at the end of a path, one after the other."""
    try:
        desk = path.desk
        for command in commands:
            desk = desk.fired(path.id, command)
    except RuleFailed:
        raise
    except ReportflowError:
        return False
    return True


def _longer(path: Path, command: Command) -> Path:
    longer = attrs.evolve(path, commands=(*path.commands, command))
    longer.__dict__["desk"] = path.desk.fired(path.id, command)  # known already, so it is not walked anew
    return longer


def _started(draw: st.DrawFn, tables: WalkTables) -> tuple[Record, Command]:
    desk = tables.empty
    draft, command = tables.plainest
    if draw(st.booleans()):
        other = tables.named(tables.lifecycle, draw(drafts(tables.lifecycle)))
        found = creation_of(desk, tables.lifecycle, other, START)
        draft, command = (draft, command) if found is None else (other, found)
    target = draft if draft.id else attrs.evolve(draft, id="?")
    return draft, draw(around(tables.lifecycle, target, command, judge=lambda one: desk.created(draft, one)))


def _beside(draw: st.DrawFn, tables: WalkTables, draft: Record, command: Command) -> tuple[tuple[Record, Command], ...]:
    """A record of each kind perhaps, where steps may name one."""
    if not any(row.then is not None and row.details is not None for row in tables.lifecycle.transitions):
        return ()
    found: list[tuple[Record, Command]] = []
    desk = initialize_draft(tables.lifecycle, tables.others, draft, command, ())
    unit = next(iter(desk.records.values())).unit
    for lifecycle in tables.begun_by_people:
        if draw(st.booleans()):
            one, its = first_created(tables, lifecycle, desk, command.now)
            there = attrs.evolve(one, unit=unit)
            judged = creation_of(desk, lifecycle, there, command.now)
            one, its = (one, its) if judged is None else (there, judged)
            found.append((one, its))
            desk = desk.created(one, its)
    return tuple(found)


@st.composite
def _following(draw: st.DrawFn, path: Path, near: Mapping[str, int], min_size: int) -> Command | None:
    """An allowed command, or None for the end: drawn together, so that shrinking takes out a whole act.

    Unless the path may end after it, it leads on where that can be.
    """
    if len(path) >= min_size and not draw(_MORE):
        return None
    ends = len(path) + 1 >= min_size
    leads = _leads(path)
    if not leads:
        return None
    here = near.get(path.record.state, 0)
    closer = {trigger for trigger, dests in leads.items() if any(near.get(one, here) < here for one in dests)}
    # of all triggers, so that the choice means the same when shrinking takes out an act before it
    chosen = draw(st.sampled_from(path.lifecycle.triggers).filter((closer or leads).__contains__))
    now = path.commands[-1].now + (draw(st.sampled_from(_LATER)) if draw(st.booleans()) else _LATER[0])
    plain: Command | None = None
    for trigger in dict.fromkeys((chosen, *leads)):
        found = _way_on(path, trigger, now)
        if found is not None:
            plain = plain or found
            if ends or any(row.sources.intersection(leads[trigger]) for row in _acts(path)):
                plain = found
                break
    if plain is None:
        return None
    return draw(_around(path, plain))


def _acts(path: Path) -> list[Transition]:
    """The rows that people fire."""
    return [row for row in path.lifecycle.transitions if NOBODY not in row.roles]


def _leads(path: Path) -> dict[str, tuple[str, ...]]:
    """The triggers that the table knows for people in the record's state -> where they may lead."""
    state = path.record.state
    return {row.trigger: row.dests(state) for row in _acts(path) if state in row.sources}


def _judge_on(path: Path) -> Callable[[Command], object]:
    return lambda command: path.desk.fired(path.id, command)


def _others_ids(path: Path) -> tuple[str, ...]:
    return tuple(id for id in path.desk.records if id != path.id)


def _way_on(path: Path, trigger: str, now: datetime) -> Command | None:
    return way(
        path.lifecycle,
        path.record,
        trigger,
        now=now,
        judge=_judge_on(path),
        plain=plain_instances,
        ids=_others_ids(path),
    )


def _around(path: Path, plain: Command) -> SearchStrategy[Command]:
    return around(path.lifecycle, path.record, plain, judge=_judge_on(path), ids=_others_ids(path))


# -- to a state -------------------------------------------------------------------------------------------------


def routes(lifecycle: Lifecycle, *others: Lifecycle) -> Mapping[str, Path]:
    """The shortest path found to each state, made of the plainest commands; a state may be missing.

    Raises:
        As `paths`.
    """
    return WalkTables(lifecycle, others).routes


@st.composite
def _varied(draw: st.DrawFn, tables: WalkTables, route: Path) -> Path:
    """A path to where a route leads, and perhaps some more acts that stay there."""
    goal = route.record.state
    path = draw(_along(tables, route, len(route) + 2))
    while len(path) < len(route) + 3 and path.record.state == goal and draw(_MORE):
        staying = [row.trigger for row in _acts(path) if goal in row.sources and goal in row.dests(goal)]
        plain = _way_on(path, draw(st.sampled_from(staying)), path.commands[-1].now + _LATER[0]) if staying else None
        longer = path if plain is None else _longer(path, draw(_around(path, plain)))
        if longer is path or longer.record.state != goal:
            break
        path = longer
    return path if path.record.state == goal else route
