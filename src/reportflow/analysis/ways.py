"""Acts on the records of a desk, one after the other; what the table allows next; and what people may create.

Nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

import attrs

from reportflow.analysis.desk import Desk
from reportflow.analysis.samples import START
from reportflow.analysis.tries import Plain, allowed
from reportflow.errors import ReportflowError, Unbuildable, UnknownTrigger
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import NOBODY, Transition
from reportflow.model.entry import Command
from reportflow.model.record import Record
from reportflow.model.values import changed, field_names

#: A row of a lifecycle, and two that followed upon each other in one record's history.
Row = Transition
Pair = tuple[Row, Row]

#: How long a round of acts may be.
_ROUND: Final = 3


@attrs.frozen(eq=False)
class FoundAct:
    """A command on a record, or the creation of a draft."""

    id: str
    command: Command
    draft: Record | None = None


@attrs.frozen(eq=False)
class Found:
    """What is there after some acts.

    Attributes:
        desk: The records and their histories.
        acts: What led there, the creations first.
        about: The id of the record that the last of them was about.
        before: What was there before the last of them.
        begins: When the first of them may be.
    """

    desk: Desk
    acts: tuple[FoundAct, ...]
    about: str
    before: Found | None = attrs.field(default=None, repr=False)
    begins: datetime = START

    @property
    def now(self) -> datetime:
        """When the last act was recorded; where there was none, when it begins."""
        return self.acts[-1].command.now if self.acts else self.begins

    @property
    def beginning(self) -> Found:
        """What was there before the first act."""
        found = self
        while found.before is not None:
            found = found.before
        return found

    def after(self, act: FoundAct) -> Found:
        """What is there after one more.

        Raises:
            ReportflowError: it is refused.
        """
        if act.draft is not None:
            desk = self.desk.created(act.draft, act.command)
        else:
            desk = self.desk.fired(act.id, act.command)
        return Found(desk, (*self.acts, act), act.id, self)

    def news(self, before: Desk) -> Iterator[str]:
        """The ids of the records that are not as they were."""
        return (id for id, record in self.desk.records.items() if before.records.get(id) is not record)


def created(found: Found, lifecycle: Lifecycle, refused: dict[Row, set[str]], plain: Plain) -> Iterator[Found]:
    """What is there after a person created something: by each row that creates, then of each of a few drafts."""
    rows = [row for row in lifecycle.transitions if None in row.sources and NOBODY not in row.roles]
    with suppress(Unbuildable):
        shared = sum(one.record is lifecycle.record for one in found.desk.definitions) > 1
        made = plain(lifecycle.record, not_drafted(lifecycle))
        drafts = [changed(one, {"kind": lifecycle.name}) if shared else one for one in made]
        first = next((one for one in drafts if _by(found, lifecycle, one, rows, refused, plain)), None)
        for draft in (first, *(one for one in drafts if one is not first)) if first is not None else ():
            yield from _by(found, lifecycle, draft, rows if draft is first else rows[:1], refused, plain)


def _by(
    found: Found, lifecycle: Lifecycle, draft: Record, rows: Sequence[Row], refused: dict[Row, set[str]], plain: Plain
) -> list[Found]:
    """What is there after each of some rows created a draft."""
    made: list[Found] = []
    id = draft.id or found.desk.next_id
    target = changed(draft, {"id": id})
    for row in rows:

        def judge(command: Command, row: Row = row) -> object:
            after = found.after(FoundAct(id, command, draft))
            if after.desk.histories[id][0].trigger != row.trigger:
                raise UnknownTrigger(lifecycle.name, row.trigger, ())
            made.append(after)
            return None

        now = found.now
        next(
            allowed(lifecycle, target, row, now=now, judge=judge, plain=plain, refused=refused.setdefault(row, set())),
            None,
        )
    return made


def not_drafted(lifecycle: Lifecycle) -> frozenset[str]:
    """What no draft of a lifecycle brings; its id is the flow's to give."""
    accepted = frozenset().union(*(lifecycle.accepted(row.trigger) for row in lifecycle.transitions))
    return frozenset(field_names(lifecycle.record)) - (accepted - {"id"})


def acts_on(lifecycle: Lifecycle, record: Record) -> list[Row]:
    """The rows that a person may ask for in the state of a record."""
    found = (lifecycle.row(record.state, trigger) for trigger in lifecycle.triggers)
    return [one[0] for one in found if one is not None and NOBODY not in one[0].roles]


def rounds(lifecycle: Lifecycle, state: str) -> Iterator[tuple[Row, ...]]:
    """The shortest rounds of people's acts that return a record to a state, by the table."""
    todo: list[tuple[str, tuple[Row, ...]]] = [(state, ())]
    for here, way in todo:  # it grows as it is walked
        for row in lifecycle.transitions:
            if here in row.sources and NOBODY not in row.roles:
                for there in row.dests(here):
                    if there == state:
                        yield (*way, row)
                    elif len(way) + 1 < _ROUND and row not in way:
                        todo.append((there, (*way, row)))


def pairs_of(lifecycle: Lifecycle) -> frozenset[Pair]:
    """The pairs of rows that the table allows to follow upon each other."""
    rows = lifecycle.transitions
    return frozenset(
        (one, other)
        for one in rows
        for source in one.sources
        for other in rows
        if other.sources.intersection(one.dests(source))
    )


def shortened(found: Found) -> Found:
    """The same last act after as few of the acts before it as it takes, creations kept."""
    acts = list(found.acts)
    for one in [act for act in reversed(acts[:-1]) if act.draft is None]:
        fewer = [act for act in acts if act is not one]
        shorter = found.beginning
        try:
            for act in fewer:
                shorter = shorter.after(act)
        except ReportflowError:
            continue
        acts, found = fewer, shorter
    return found
