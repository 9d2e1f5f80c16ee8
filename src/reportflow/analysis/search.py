"""What can be done with the records of a lifecycle, found out by trying: a way to each row, and to each pair of rows.

A bounded search, breadth first, that goes on from records which differ in what rules may read. A guard may want what
only several acts bring about, by several people: three members, a sum, two turns through the same states. So what was
refused in every state that was reached is sought anew, by repeating what leaves a record in its state (or returns it
there) with other people and other details. The same definition gives the same result. Nothing is drawn.
"""

from __future__ import annotations

import enum
import itertools
from collections import deque
from collections.abc import Iterator, Sequence, Sized
from contextlib import suppress
from decimal import Decimal
from itertools import islice, pairwise
from typing import Any, Final

import attrs

from reportflow.analysis.cases import read_by_rules
from reportflow.analysis.desk import Desk
from reportflow.analysis.spoilt import Asked
from reportflow.analysis.tries import Plain, allowed
from reportflow.analysis.ways import Found, FoundAct, Pair, Row, acts_on, created, pairs_of, rounds, shortened
from reportflow.errors import ReportflowError, TransitionRefused
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import NOBODY
from reportflow.model.entry import Command
from reportflow.model.record import Record

#: How many acts are tried in all, and how many of them for the rows that are hard to reach.
_TRIALS: Final = 40_000
_LATE: Final = 20_000
#: And how many for the pairs.
_PAIRING: Final = 80_000
#: From how many records of a place (a state, reached by one row) the search goes on.
_KEPT: Final = 4
#: And from how many forms of them.
_FORMS: Final = 24
#: How many drafts it begins with.
_DRAFTS: Final = 8
#: How often an act is repeated, with how many details, from how many records, and among how many people.
_TURNS: Final = 12
_DETAILS: Final = 8
_BASES: Final = 4
#: Among how many commands one is looked for by a person who has not acted yet.
_PEOPLE: Final = 80
_ENOUGH: Final = 40
#: From how many places at which a row passed another one is tried before it.
_PASSED: Final = 40
#: From how many on a collection counts as large.
_MANY: Final = 3
_BESIDE: Final = frozenset({"id", "kind", "version", "lifecycle_version", "created_at", "updated_at"})


#: The kind of a record, a trigger, and the code of a refusal.
Reason = tuple[str, str, str]


class Search:
    """The search for the rows and pairs of some lifecycles.

    Args:
        lifecycles: The definitions.
        plain: Makes the drafts and details that are tried.
        alone: Only acts on the first record count, among others that were just created: what a path may do.

    Attributes:
        rows: row -> what is there after it was fired, by the fewest acts found.
        pairs: (row, the row fired next on the same record) -> the same.
        refused: row -> the codes of the refusals that it met, though a record was in its state.
        refusals: (kind, trigger, code) -> what was there, and an act that was refused with it.
        bounded: Whether there would have been more to try.
        unfinished: The rows sought by repeating acts, where more repetitions would have changed something still.
    """

    def __init__(self, lifecycles: Sequence[Lifecycle], plain: Plain, *, alone: bool = False) -> None:
        self.lifecycles: Final = tuple(lifecycles)
        self.rows: dict[Row, Found] = {}
        self.pairs: dict[Pair, Found] = {}
        self.refused: dict[Row, set[str]] = {}
        self.refusals: dict[Reason, tuple[Found, FoundAct]] = {}
        self.bounded: bool = False
        self.unfinished: set[Row] = set()
        self._plain = plain
        self._alone = alone
        self._left = _TRIALS
        self._read = {one.name: sorted(read_by_rules(one) - _BESIDE) for one in lifecycles}
        self._known: dict[tuple[str, str, Row], tuple[set[str], set[tuple[object, ...]]]] = {}
        #: (kind, state) -> the records that were kept there.
        self._kept: dict[tuple[str, str], list[tuple[Found, str]]] = {}
        #: row -> what was there after it was fired, and the record, a few times.
        self._passed: dict[Row, list[tuple[Found, str]]] = {}
        self._todo: deque[tuple[Found, str]] = deque()

    def run(self) -> Search:
        """Search for the rows, and return this."""
        for found in self._beginnings():
            self._note(found, Desk.of(()))
            self._walk()  # the plainest draft first, and what others add to that
        while self._left > 0 and not self._is_done() and self._reach_more():
            self._walk()
        return self

    def complete(self) -> Search:
        """Search for the pairs and refusals too, after the rows were sought, and return this."""
        self._left = _PAIRING
        self._pair_up()
        self._refuse()
        return self

    def kept(self, lifecycle: Lifecycle) -> list[Found]:
        """What is there after each of the acts from which the search went on, the shortest ways to a state first."""
        return [found for (kind, _), places in self._kept.items() for found, _ in places if kind == lifecycle.name]

    def _is_done(self) -> bool:
        """Whether all was found that is sought alone: each row that people may fire."""
        own = self.lifecycles[0]
        return self._alone and all(row in self.rows or NOBODY in row.roles for row in own.transitions)

    # -- from records that differ

    def _walk(self) -> None:
        while self._todo and self._left > 0 and not self._is_done():
            found, id = self._todo.popleft()
            for about in found.desk.records if not self._alone else (id,):
                record = found.desk.records[about]
                lifecycle = found.desk.definitions.of(record)
                for row in acts_on(lifecycle, record):
                    # on a record beside the one that is new, only what may move that
                    if about == id or row.then is not None:
                        self._try(found, about, row)
        self.bounded = self.bounded or bool(self._todo)

    def _try(self, found: Found, id: str, row: Row) -> Found | None:
        """Fire a row in the plainest way, and note what that leads to."""
        following = next(self._ways(found, id, row), None)
        if following is not None:
            self._note(following, found.desk)
        return following

    def _ways(self, found: Found, id: str, row: Row, details: Sequence[Any] | None = None) -> Iterator[Found]:
        """What is there after a row was fired on a record, in each of the ways that are tried."""
        desk, record = found.desk, found.desk.records[id]
        lifecycle = desk.definitions.of(record)
        others = [one for one in desk.records if one != id]
        refused = self.refused.setdefault(row, set())
        made: list[Found] = []

        def judge(command: Command) -> object:
            self._left -= 1
            act = FoundAct(id, command)
            try:
                made[:] = [found.after(act)]
            except TransitionRefused as error:
                self._note_refusals(found, act, error)
                raise
            return None

        every = allowed(
            lifecycle,
            record,
            row,
            now=found.now,
            judge=judge,
            plain=self._plain,
            ids=others,
            chosen=details,
            refused=refused,
        )
        for _ in every:
            yield made[0]
            if self._left <= 0:
                return

    def _note(self, found: Found, before: Desk) -> None:
        """Keep a way to each row and pair that it is the first to show, and the records from which to go on."""
        for id in found.news(before):
            record, history = found.desk.records[id], found.desk.histories[id]
            lifecycle = found.desk.definitions.of(record)
            known = len(before.histories.get(id, ()))
            fired = [lifecycle.row(entry.source, entry.trigger) for entry in history[max(0, known - 1) :]]
            rows = [one[0] for one in fired if one is not None]
            for row in rows[1 if known else 0 :]:
                self.rows.setdefault(row, found)
                self._passed.setdefault(row, [])
                if len(self._passed[row]) < _PASSED:
                    self._passed[row].append((found, id))
            for pair in pairwise(rows):
                self.pairs.setdefault(pair, found)
            if self._is_news(lifecycle, record, rows[-1]) and not (self._alone and id != found.acts[0].id):
                self._kept.setdefault((record.kind, record.state), []).append((found, id))
                self._todo.append((found, id))

    def _is_news(self, lifecycle: Lifecycle, record: Record, row: Row) -> bool:
        """Whether none like it was kept: any few of a place, and more of them where it is of another form."""
        known, forms = self._known.setdefault((lifecycle.name, record.state, row), (set(), set()))
        looks, form = self._looks(record), self._form(record)
        if looks in known:
            return False
        if len(known) >= _KEPT and (form in forms or len(forms) >= _FORMS):
            self.bounded = True
            return False
        known.add(looks)
        forms.add(form)
        return True

    def _looks(self, record: Record) -> str:
        """What rules may read of a record."""
        return repr([getattr(record, name) for name in self._read[record.kind]])

    def _form(self, record: Record) -> tuple[object, ...]:
        """The same by size: what is empty, how many there are of what, and of what order a number is."""
        return tuple(_size(getattr(record, name)) for name in self._read[record.kind])

    # -- what is hard to reach

    def _reach_more(self) -> bool:
        """Seek the rows that were refused in every state that was reached; whether one was found."""
        wanted = [
            (row, lifecycle)
            for lifecycle in self.lifecycles
            for row in lifecycle.transitions
            if row not in self.rows and NOBODY not in row.roles and row.guards
        ]
        for row, lifecycle in wanted:
            for state in lifecycle.states:
                if state.name in row.sources:
                    kept = self._kept.get((lifecycle.name, state.name), [])
                    bases = kept[:: max(1, len(kept) // _BASES)][:_BASES]
                    for found, id in bases:
                        if self.pursue(found, id, row) is not None:
                            return True
        return False

    def _pair_up(self) -> None:
        """Put a row right before another one, where that one was seen to pass."""
        for lifecycle in self.lifecycles:
            possible = pairs_of(lifecycle)
            for one, other in itertools.product(lifecycle.transitions, repeat=2):
                if (one, other) in possible and NOBODY not in one.roles:
                    for after, id in self._passed.get(other, ()):
                        if (one, other) not in self.pairs and self._left > 0:
                            self._insert(after, id, one, other)

    def _insert(self, after: Found, id: str, one: Row, other: Row) -> None:
        """Do what led to a row again, with another row before it."""
        before, act = after.before, after.acts[-1]
        if before is None or id not in before.desk.records or before.desk.records[id].state not in one.sources:
            return
        middle = self._try(before, id, one)
        if middle is None or middle.desk.records[id].state not in other.sources:
            return
        if act.id == id:
            self._try(middle, id, other)
            return
        with suppress(ReportflowError):  # it was a step of an act on another record
            self._left -= 1
            again = middle.after(attrs.evolve(act, command=attrs.evolve(act.command, now=middle.now)))
            self._note(again, middle.desk)

    def _refuse(self) -> None:
        """Try what has something wrong about it, in each state."""
        for places in self._kept.values():
            found, id = places[0]
            record, others = found.desk.records[id], [one for one in found.desk.records if one != id]
            lifecycle = found.desk.definitions.of(record)
            for command in Asked(lifecycle, record, found.now, others, self._plain).refused:
                try:
                    found.after(FoundAct(id, command))
                except TransitionRefused as error:
                    self._note_refusals(found, FoundAct(id, command), error)
                except ReportflowError:  # another one: it is not seen, or there is no such trigger
                    continue

    def _note_refusals(self, found: Found, act: FoundAct, error: TransitionRefused) -> None:
        if (error.id, error.trigger) == (act.id, act.command.trigger):
            for code in {str(getattr(one, "code", one)) for one in error.refusals}:
                self.refusals.setdefault((error.lifecycle, error.trigger, code), (found, act))

    def pursue(self, found: Found, id: str, row: Row) -> Found | None:
        """What is there after a row was fired on a record, by repeating other acts first; None where that did not help.

        What it leads to is noted.
        """
        limit = max(0, self._left - _LATE)
        ends = [found]
        for _ in "12":  # one act repeated; then another one, after the first
            reached: list[Found] = []
            for start in ends:
                for chain in self._chains(start, id):
                    last = start
                    for following in chain:
                        if self._left <= limit:
                            self.bounded = True
                            self.unfinished.add(row)
                            return None
                        done = next(self._ways(following, id, row), None)
                        if done is not None:
                            done = shortened(done)
                            self._note(done, found.beginning.desk)
                            return done
                        last = following
                    if last is not start:
                        reached.append(last)
                        if len(last.acts) >= len(start.acts) + _TURNS:
                            self.unfinished.add(row)
            ends = reached
        return None

    def _chains(self, found: Found, id: str) -> Iterator[Iterator[Found]]:
        """Each round of acts that returns a record to its state, repeated, with the same details in each chain."""
        record = found.desk.records[id]
        lifecycle = found.desk.definitions.of(record)
        for circle in rounds(lifecycle, record.state):
            pools = [((None,) if row.details is None else self._plain(row.details)[:_DETAILS]) for row in circle]
            for number in range(max(map(len, pools))):
                yield self._chain(found, id, circle, [(pool[number % len(pool)],) for pool in pools])

    def _chain(self, found: Found, id: str, circle: Sequence[Row], chosen: Sequence[Sequence[Any]]) -> Iterator[Found]:
        looks = {self._looks(found.desk.records[id])}
        people = {found.desk.histories[id][-1].actor.id}
        for _ in range(_TURNS):
            here: Found | None = found
            for row, details in zip(circle, chosen, strict=True):
                here = None if here is None else self._fresh(here, id, row, details, looks, people)
            if here is None:
                return
            found = here
            if not self._changes(circle, found, id, looks):
                return
            yield found

    def _changes(self, circle: Sequence[Row], found: Found, id: str, looks: set[str]) -> bool:
        now = self._looks(found.desk.records[id])
        fresh = now not in looks
        looks.add(now)
        return fresh

    def _fresh(
        self, found: Found, id: str, row: Row, details: Sequence[Any], looks: set[str], people: set[str]
    ) -> Found | None:
        """A row fired so that the record is as it never was, by a person who has not acted yet where that can be."""
        best: tuple[int, Found] | None = None
        for number, one in enumerate(islice(self._ways(found, id, row, details), _PEOPLE)):
            after = one.desk.records[id]
            changes = sum(getattr(after, name) != getattr(found.desk.records[id], name) for name in row.sets)
            another = one.acts[-1].command.actor.id not in people
            score = changes + (self._looks(after) not in looks) + another
            if best is None or best[0] < score:
                best = score, one
            if score == len(row.sets) + 2 or (number >= _ENOUGH and best[0] > len(row.sets)):
                break
        if best is None:
            return None
        people.add(best[1].acts[-1].command.actor.id)
        return best[1]

    # -- the beginning

    def _beginnings(self) -> Iterator[Found]:
        """What people create of a few drafts, each beside further records that steps may name."""
        several = any(row.then is not None for one in self.lifecycles for row in one.transitions)
        for lifecycle in self.lifecycles[:1] if self._alone else self.lifecycles:
            for found in created(Found(Desk.of(self.lifecycles), (), ""), lifecycle, self.refused, self._plain):
                yield self._beside(found, lifecycle) if several else found

    def _beside(self, found: Found, lifecycle: Lifecycle) -> Found:
        about = found.about
        more = self.lifecycles if self._alone else (lifecycle, *self.lifecycles)
        for one in more:
            found = next(created(found, one, {}, self._plain), found)
        return attrs.evolve(found, about=about)


def _size(value: object) -> object:
    """How large a value is, in a few steps."""
    if isinstance(value, bool | enum.Enum | None):
        return value
    if isinstance(value, int | float | Decimal):
        return value > 0, len(str(abs(int(value))))
    return min(len(value), _MANY) if isinstance(value, Sized) else True
