"""Any store against a naive model: Hypothesis makes up the calls, the model says what must result.

::

    TestMyStore = store_machine(MyStore).TestCase

The model is lists and dicts and shares no code with a store: its answers were written a second time, as plainly as
can be. Needs the extra ``reportflow[testing]``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any, ClassVar, Final

import attrs

from reportflow.errors import (
    AlreadyExists,
    Conflict,
    DuplicateKey,
    InvalidValue,
    MissingExtra,
    RecordNotFound,
    ReportflowError,
    TransitionRefused,
)
from reportflow.lifecycle.history import replay
from reportflow.model.entry import Entry, marked
from reportflow.model.query import Query
from reportflow.model.record import Record
from reportflow.office.report import REPORT, Comment, Report
from reportflow.storage.base import Change, FeedItem, Group, Of, Store
from reportflow.testing.acts import SAMPLE, START, Note, acted, created, erased, joined
from reportflow.testing.factory import Factory
from reportflow.testing.naive import asked_of, by_ref, fits, group_values, sort_key
from reportflow.testing.strategies import storage as strategies

try:
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
except ImportError as _error:
    raise MissingExtra("hypothesis", "reportflow[testing]") from _error

_LIFECYCLES: Final = (REPORT, SAMPLE)
_STATES: Final = sorted({state.name for one in _LIFECYCLES for state in one.states})
_TRIGGERS: Final = sorted({trigger for one in _LIFECYCLES for trigger in one.triggers})
_DETAILS: Final = {row.details: strategies.details(row.details) for one in _LIFECYCLES for row in one.transitions}
_IDS: Final = tuple(f"r{number}" for number in range(6))
#: The kinds of changes: right ones more often.
_KINDS: Final = ("create", "act", "act", "act", "erase", "stale", "forked", "missing")
#: What is erased from a report, by name.
_ERASED: Final = ("text", "title", "authors", "topics", "reason", "actor", "comment.text", "instruct.leader")
_QUERIES: Final = strategies.queries(
    ids=_IDS, kinds=[one.name for one in _LIFECYCLES], states=_STATES, triggers=_TRIGGERS
)


def store_machine(make_store: Callable[[], Any], reopen: Callable[[Any], Any] | None = None) -> type[StoreMachine]:
    """A state machine for the stores of a factory: each run gets a fresh, empty one, and closes it.

    Args:
        make_store: Gives a fresh, empty store.
        reopen: Gives one more store on the data of this one, which is closed; a durable store is then closed and
            opened anew now and then.
    """
    return type("StoreMachineOfOneStore", (StoreMachine,), {"_factory": Factory(make_store, reopen)})


class StoreMachine(RuleBasedStateMachine):
    """The rules, and the model that they are held against."""

    _factory: ClassVar[Factory]

    def __init__(self) -> None:
        super().__init__()
        self.store: Store = self._factory.fresh()
        self.clock: datetime = START
        self.versions: dict[str, list[Record]] = {}  # id -> the record at each version, oldest first
        self.commits: list[list[Entry]] = []
        self.read: list[FeedItem] = []  # what a reader of the feed has seen so far

    def teardown(self) -> None:
        """Close the store."""
        self.store.close()

    # -- what the model holds -----------------------------------------------------------------------------------

    def _entries(self, id: str | None = None) -> list[Entry]:
        return [entry for commit in self.commits for entry in commit if id in (None, entry.record_id)]

    def _records(self) -> list[Record]:
        return [versions[-1] for versions in self.versions.values()]

    def _verdict(self, changes: Sequence[Change]) -> tuple[type[ReportflowError], tuple[str, ...]] | None:
        """Which error a commit must end in, and the ids that it must name."""
        ids = [change.record.id for change in changes]
        if any(ids.count(id) > 1 for id in ids):
            return InvalidValue, ()
        replaced = [change for change in changes if change.expected is not None]
        if missing := [one.record.id for one in replaced if one.record.id not in self.versions]:
            return RecordNotFound, tuple(missing)
        if taken := [one.record.id for one in changes if one not in replaced and one.record.id in self.versions]:
            return AlreadyExists, tuple(taken)
        moved = []
        for one in replaced:
            stored = self.versions[one.record.id][-1]
            if stored.seen != one.expected:
                moved.append(one.record.id)
        if moved:
            return Conflict, tuple(moved)
        used = [(entry.actor.id, entry.key) for entry in self._entries()]
        again = []
        for entry in [entry for change in changes for entry in change.entries if entry.key]:
            if (entry.actor.id, entry.key) in used:
                again.append(entry.record_id)
            used.append((entry.actor.id, entry.key))
        return (DuplicateKey, tuple(again)) if again else None

    # -- writing ------------------------------------------------------------------------------------------------

    @rule(hours=st.integers(1, 5))
    def let_time_pass(self, hours: int) -> None:
        """The clock of the machine goes on, and only then."""
        self.clock += timedelta(hours=hours)

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Some records are there from the beginning."""
        self._commit([created(data.draw(strategies.drafts(id)), now=self.clock) for id in _IDS[:3]])

    @rule(data=st.data())
    def create(self, data: st.DataObject) -> None:
        """A creation, under an id that may be taken."""
        self._commit([self._creation(data)])

    @rule(data=st.data())
    def act(self, data: st.DataObject) -> None:
        """One to three acts on a record, as one change."""
        self._commit([self._change(data, "act")])

    @rule(data=st.data(), wrong=st.sampled_from(["stale", "forked", "missing"]))
    def act_wrongly(self, data: st.DataObject, wrong: str) -> None:
        """An act on a record as it was, as it might have become, or that never was."""
        self._commit([self._change(data, wrong)])

    @rule(data=st.data(), kinds=st.lists(st.sampled_from(_KINDS), max_size=4))
    def commit_together(self, data: st.DataObject, kinds: list[str]) -> None:
        """Several changes in one commit, right and wrong ones in any order."""
        self._commit([self._change(data, kind) for kind in kinds])

    def _change(self, data: st.DataObject, kind: str) -> Change:
        if kind == "create":
            return self._creation(data)
        if kind == "missing":
            return self._acts(data, created(data.draw(strategies.drafts("nobody's"))).record)
        versions = data.draw(st.sampled_from(list(self.versions.values())))
        if kind == "erase" and isinstance(versions[-1], Report):
            return self._erasure(data, versions[-1])
        if kind in ("act", "erase") or len(versions) == 1:
            return self._acts(data, versions[-1])
        if kind == "stale":
            return self._acts(data, data.draw(st.sampled_from(versions[:-1])))
        forked = self._act(data, versions[-2]).record
        # version and state are all that a store compares: of one state, a fork would pass for what is stored
        return self._acts(data, forked if forked.state != versions[-1].state else versions[-1])

    def _creation(self, data: st.DataObject) -> Change:
        draft = data.draw(st.sampled_from(_IDS).flatmap(strategies.drafts))
        by, key = data.draw(strategies.actors()), self._key(data)
        return created(draft, by=by, now=self.clock, at=data.draw(st.sampled_from([None, START])), key=key)

    def _erasure(self, data: st.DataObject, record: Record) -> Change:
        names = data.draw(st.lists(st.sampled_from(_ERASED), min_size=1, max_size=3, unique=True))
        sealed = self.store.sealed((record.id, 0), record.version)
        return erased(record, self._entries(record.id), sealed, *names)

    def _acts(self, data: st.DataObject, record: Record) -> Change:
        changes: list[Change] = []
        for _ in range(data.draw(st.sampled_from([1, 1, 1, 2, 3]))):
            changes.append(self._act(data, changes[-1].record if changes else record))
        whole = joined(*changes)
        return attrs.evolve(whole, before=record) if data.draw(st.booleans()) else whole

    def _act(self, data: st.DataObject, record: Record) -> Change:
        lifecycle = REPORT if isinstance(record, Report) else SAMPLE
        rows = [row for row in lifecycle.transitions if record.state in row.sources and row.erases is None]
        row = data.draw(st.sampled_from(rows))
        chosen = data.draw(_DETAILS[row.details])
        taken = marked(type(chosen)).get("retracts")
        if taken is not None:
            chosen = attrs.evolve(chosen, **{taken: data.draw(st.integers(2, max(2, record.version)))})
        how: dict[str, Any] = {"by": data.draw(strategies.actors()), "now": self.clock, "key": self._key(data)}
        how["at"] = data.draw(st.sampled_from([None, record.created_at]))
        try:
            return acted(record, row.trigger, chosen, **how)
        except (TransitionRefused, InvalidValue):  # a guard or a field is against it; against a remark there is none
            trigger, remark = ("comment", Comment(text=row.trigger)) if lifecycle is REPORT else ("note", Note())
            return acted(record, trigger, remark, **how)

    def _key(self, data: st.DataObject) -> str | None:
        return data.draw(st.none() | st.none() | st.sampled_from(strategies.KEYS))

    def _commit(self, changes: Sequence[Change]) -> None:
        """Commit, and see that it ends as the model says."""
        verdict = self._verdict(changes)
        ended: tuple[type[ReportflowError], tuple[str, ...]] | None = None
        try:
            self.store.commit(changes)
        except ReportflowError as error:
            ended = type(error), getattr(error, "ids", ())
        assert ended == verdict
        if verdict is not None:
            return
        for change in changes:
            self._erase({entry.ref: entry for entry, _ in change.erased})
        self.commits.append([entry for change in changes for entry in change.entries])
        for change in changes:
            # the versions in between were never stored: what replay makes of them takes their place
            history = self._entries(change.record.id)
            known = self.versions.setdefault(change.record.id, [])
            known += [replay(history[:number], _LIFECYCLES) for number in range(len(known) + 1, len(history))]
            known.append(change.record)

    def _erase(self, remains: Mapping[str, Entry]) -> None:
        """Put what remains of entries in their place: the versions of their records are then without it."""
        self.commits = [[remains.get(one.ref, one) for one in commit] for commit in self.commits]
        self.read = [item._replace(entry=remains.get(item.entry.ref, item.entry)) for item in self.read]
        for id in {entry.record_id for entry in remains.values()}:
            history = self._entries(id)
            self.versions[id] = [replay(history[:number], _LIFECYCLES) for number in range(1, len(history) + 1)]

    @precondition(lambda self: self._factory.reopen is not None and self.store.capabilities.durable)
    @rule()
    def restart(self) -> None:
        """The store is closed, and opened anew on what it kept."""
        self.store.close()
        self.store = self._factory.reopened(self.store)

    # -- reading ------------------------------------------------------------------------------------------------

    @rule(query=_QUERIES)
    def find(self, query: Query) -> None:
        """All pages, one after the other."""
        found = (one for one in self._records() if fits(query, one, self._entries(one.id)))
        expected = sorted(found, key=lambda one: one.id)
        if query.order and query.order[-1].startswith("-"):
            expected.reverse()
        for key in reversed(query.order):  # sorting is stable: the first key is sorted by last
            expected.sort(key=lambda one: sort_key(one, key.removeprefix("-")), reverse=key.startswith("-"))
        cursor: str | None = None
        for first in range(0, len(expected) or 1, query.limit):
            page = self.store.find(attrs.evolve(query, cursor=cursor))
            assert list(page.records) == expected[first : first + query.limit]
            cursor = page.next
        assert cursor is None

    @rule(query=_QUERIES, of=st.sampled_from(["records", "entries"]), group=strategies.groups())
    def count(self, query: Query, of: Of, group: list[str]) -> None:
        """Groups as sets of what is in them, and how large these are."""
        found: dict[Group, set[str]] = {} if group else {(): set()}
        for record in self._records():
            every = self._entries(record.id)
            if fits(query, record, every):
                for entry in asked_of(query, record, every):
                    counted = record.id if of == "records" else entry.ref
                    for one in product(*(group_values(name, record, entry) for name in group)):
                        found.setdefault(one, set()).add(counted)
        assert self.store.count(query, of, group) == {one: len(counted) for one, counted in found.items()}

    @rule(ids=st.lists(st.sampled_from([*_IDS, "nobody's"]), max_size=4))
    def get(self, ids: list[str]) -> None:
        """Records by id, or the ids that are not there."""
        if missing := [id for id in ids if id not in self.versions]:
            try:
                answer: object = self.store.get(ids)
            except RecordNotFound as error:
                answer = error.ids
            assert answer == tuple(dict.fromkeys(missing))
        else:
            assert self.store.get(ids) == [self.versions[id][-1] for id in ids]

    @rule(ids=st.lists(st.sampled_from([*_IDS, "nobody's"]), max_size=4))
    def history(self, ids: list[str]) -> None:
        """The histories of some ids, one after the other."""
        assert self.store.history(ids) == [entry for id in ids for entry in self._entries(id)]

    @rule(actor=st.sampled_from(strategies.PEOPLE), key=st.sampled_from(strategies.KEYS))
    def by_key(self, actor: str, key: str) -> None:
        """The entry of a key."""
        used = [entry for entry in self._entries() if (entry.actor.id, entry.key) == (actor, key)]
        assert self.store.by_key(actor, key) == (used[0] if used else None)

    @rule(limit=st.integers(1, 4))
    def read_on(self, limit: int) -> None:
        """The reader of the feed goes on from where it stopped."""
        some = self.store.feed(self.read[-1].position if self.read else None, limit)
        assert len(some) == min(limit, len(self._entries()) - len(self.read))
        self.read += some

    # -- what always holds --------------------------------------------------------------------------------------

    @invariant()
    def histories_replay(self) -> None:
        """Every record is the replay of its history, whose sequence has no gap."""
        ids = list(self.versions)
        histories = [self.store.history([id]) for id in ids]
        assert [replay(history, _LIFECYCLES) for history in histories] == self.store.get(ids) == self._records()
        for history in histories:
            assert [entry.sequence for entry in history] == list(range(1, len(history) + 1))

    @invariant()
    def the_feed_is_whole(self) -> None:
        """The feed holds each entry once: commit after commit, each record's in sequence; the reader saw its start."""
        feed = self.store.feed(limit=len(self._entries()) + 1)
        assert feed[: len(self.read)] == self.read
        positions = [posted.position for posted in feed]
        assert positions == sorted(set(positions))
        rest = [posted.entry for posted in feed]
        for commit in self.commits:
            part, rest = rest[: len(commit)], rest[len(commit) :]
            assert sorted(part, key=by_ref) == sorted(commit, key=by_ref)
            for entry in part:
                later = [other.sequence for other in part[part.index(entry) :] if other.record_id == entry.record_id]
                assert later == sorted(later)
        assert rest == []
