"""What people do to records of any lifecycle: the rules of a lifecycle's machine beside those of its rows."""

from __future__ import annotations

import functools
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final, cast

import attrs

from reportflow.analysis.samples import START
from reportflow.errors import MissingExtra, RecordNotFound
from reportflow.flow.bulk import Outcome
from reportflow.flow.requests import Fire, Request
from reportflow.lifecycle.decision import Option
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import NOBODY, Transition
from reportflow.model.actor import Actor
from reportflow.model.entry import Entry
from reportflow.model.query import LIMIT, Query
from reportflow.model.record import Record
from reportflow.testing import lifecycle_calls as calls
from reportflow.testing.broken import Raised, outcome, raised
from reportflow.testing.lifecycle_run import Run, only
from reportflow.testing.lines import Literally, call
from reportflow.testing.strategies.values import details

try:
    from hypothesis import strategies as st
    from hypothesis.stateful import precondition, rule
except ImportError as _error:
    raise MissingExtra("hypothesis", "reportflow[testing]") from _error

#: How far the clock is moved, in seconds; it may run backward.
_MOVES: Final = (1, 60, 86_400, 40_000_000, 0, -1, -3600)


def _some_records(machine: Run) -> bool:
    return bool(machine.model.versions)


#: Why an entry may not be taken back: only the details say which one it is.
_OF_RETRACTION: Final = frozenset({"not_retractable", "already_retracted", "retraction"})
#: Why an act may not have its result: where the details say what that is, an offer cannot know.
_OF_RESULTS: Final = frozenset({"clearance", "out_of_sight"})


class Rules(Run):
    """The rules that hold for every lifecycle."""

    @rule(data=st.data())
    def onward(self, data: st.DataObject) -> None:
        """A record is led to where some row applies, and the row is fired."""
        name = data.draw(st.sampled_from(list(self._rows.values())))
        lifecycle, row = next(
            (one, row) for one in self.lifecycles for row in one.transitions if self._rows[id(row)] == name
        )
        mine = [record for record in self.records.values() if self.model.lifecycle_of(record) is lifecycle]
        ways = [(record, way) for record in mine if (way := _way(lifecycle, record.state, row)) is not None]
        if None in row.sources or NOBODY in row.roles or not ways:
            self.led_to(name)
            return
        chosen = data.draw(st.sampled_from([record.id for record, _ in ways]))
        record, way = next(pair for pair in ways if pair[0].id == chosen)
        for one in (*way, row):
            act = calls.firing_on(data.draw, record, one.trigger)
            # what stays in the state may be what the row waits for: an offer, before one can be taken
            for before in _staying(lifecycle, record.state) if act is None else ():
                first = calls.firing_on(data.draw, record, before.trigger)
                if first is not None and not isinstance(self._one(first.requests[0], first.now), Raised):
                    record = self.records[record.id]
                    act = calls.firing_on(data.draw, record, one.trigger)
                if act is not None:
                    break
            if act is None:
                self.led_to(name)
            if act is None or isinstance(self._one(act.requests[0], act.now), Raised):
                break
            record = self.records[record.id]

    def led_to(self, name: str) -> bool:
        """Whether a row could be fired on a record that is created and led to it, the way that a search found."""
        row = next(row for one in self.lifecycles for row in one.transitions if self._rows[id(row)] == name)
        before = type(self).fired[name]
        for act in calls.known_way(self, row):
            if isinstance(self._one(act.requests[0], act.now), Raised):
                break
        return type(self).fired[name] > before

    @rule(act=calls.refused())
    def refused(self, act: calls.DrawnRequests) -> None:
        """A command with something wrong about it ends in the due error, and leaves the store as it was."""
        self._one(act.requests[0], act.now)

    @rule()
    def nothing_happens(self) -> None:
        """Hypothesis shrinks a step that does not matter to this one."""

    @rule(seconds=st.sampled_from(_MOVES))
    def time_passes(self, seconds: int) -> None:
        """The clock moves, forward or backward."""
        self._at(max(START, self.now + timedelta(seconds=seconds)))

    @precondition(_some_records)
    @rule(act=calls.rivals())
    def two_saw_the_same(self, act: calls.DrawnRequests) -> None:
        """Two users with the same expected version act one after the other: the second meets `on_conflict`."""
        self._at(act.now)
        self._seen(act.requests[0])
        first, second = act.requests
        seen = self.records[_id(first)]
        self._one(first, act.now, "seen")
        for aim in ("in hand", "version", "id"):
            self._one(_aimed(second, seen, aim), act.now, "seen")

    @precondition(_some_records)
    @rule(act=calls.rivals())
    def rival_between_load_and_commit(self, act: calls.DrawnRequests) -> None:
        """Another user writes between load and commit: the act is retried, or is StaleRecord."""
        mine, others = act.requests
        id = _id(mine)
        for aim in ("version", "in hand", "id"):
            seen = self.records[id]
            self._rivalled(_aimed(mine, seen, aim), _aimed(others, seen, "id"), act.now)

    def _rivalled(self, mine: Fire, others: Fire, now: datetime) -> None:
        self._at(now)
        self._seen(mine)
        template, values = call(others, "seen")
        self.lines.did((f"store.rival = lambda: {template}", values))
        self._store.rival, self._store.rivalled = (lambda: self._fire(others)), None
        rivalled: list[Any] = [None]

        def due() -> Any:
            def between() -> None:
                rivalled[0] = only(self.model.call([others], now))

            return only(self.model.call([mine], now, between))

        try:
            self._does(call(mine, "seen"), due, lambda: self._fire(mine))
        finally:
            self._store.rival = None
        self._same("outcome", self._store.rivalled, rivalled[0], ("store.rivalled", ()))
        self.lines.did(("store.rival = None", ()))

    @precondition(_some_records)
    @rule(act=calls.rivals(), key=st.sampled_from(("key 1", "twin")))
    def twins_with_one_key(self, act: calls.DrawnRequests, key: str) -> None:
        """Concurrent duplicate requests under one idempotency key are done once, and both get the same result."""
        request = attrs.evolve(act.requests[0], key=key)
        assert isinstance(request, Fire), "only what is there is fired"
        if (request.by.id, key) not in self.model.keys:
            self._rivalled(request, request, act.now)

    def _seen(self, request: Request) -> None:
        """Note the snapshot that both requests were made from."""
        self.lines.reads("seen", f"store.get([{_id(request)!r}])[0]")

    @precondition(lambda self: bool(self.model.keys))
    @rule(data=st.data(), other=st.booleans())
    def same_key_again(self, data: st.DataObject, other: bool) -> None:
        """An idempotent replay gives the record of then, writes nothing; another command under the key is refused."""
        used = data.draw(st.sampled_from(sorted(self.model.keys)))
        request = self.model.keys[used].request
        if other and isinstance(request, Fire):
            request = attrs.evolve(request, reason=f"{request.reason}, and again")
        elif other:
            request = Fire(self.model.keys[used].record.id, "create", by=request.by, key=request.key)
        if isinstance(request, Fire) and isinstance(request.target, Record):
            request = attrs.evolve(request, target=request.id)
        self._one(request, self.now)

    @rule(act=calls.batches())
    def batch(self, act: calls.DrawnRequests) -> None:
        """Several requests in one commit: all of them, each upon the ones before, or none."""
        self._at(act.now)
        self._does(
            ("flow.batch({})", (list(act.requests),)),
            lambda: self.model.call(act.requests, act.now),
            lambda: self.flow.batch(act.requests),
        )

    @precondition(_some_records)
    @rule(bulk=calls.bulks())
    def run_many(self, bulk: calls.DrawnRequests) -> None:
        """The same on many records, each for itself: an error is skipped, or ends it, as asked."""
        self._at(bulk.now)
        handed_in = [self._handed_in(request) for request in bulk.requests]

        def due() -> Any:
            done: list[tuple[str, Record | None, Raised | None]] = []
            for place, request in enumerate(bulk.requests):
                wanted = only(self.model.call([request], bulk.now))
                if not isinstance(wanted, Raised):
                    done.append((_id(request), wanted, None))
                    continue
                wanted = attrs.evolve(wanted, facts={**wanted.facts, "place": place})
                if bulk.on_error == "stop":
                    return wanted
                done.append((_id(request), None, wanted))
            return done

        self._does(
            ("list(flow.run({}, on_error={}))", (list(bulk.requests), bulk.on_error)),
            due,
            lambda: [_as_value(each) for each in self.flow.run(handed_in, on_error=bulk.on_error)],
        )

    @precondition(_some_records)
    @rule(data=st.data(), actor=calls.onlookers())
    def looks_back(self, data: st.DataObject, actor: Actor) -> None:
        """`as_of` gives each version as it was, and the last one recorded by a time, to who may see it now and then."""
        id = data.draw(st.sampled_from(list(self.records)))
        versions = self.model.versions[id]
        visible = self.model.sees(actor, versions[-1])
        version = data.draw(st.integers(1, len(versions)))
        entry = self.model.entries[id][version - 1]
        time = entry.recorded_at + timedelta(microseconds=data.draw(st.integers(0, 1)))
        known = sum(one.recorded_at <= time for one in self.model.entries[id])
        for asked, value, then in (("version", version, version), ("time", time, known)):
            was = versions[then - 1]
            due = was if visible and self.model.sees(actor, was) else raised(RecordNotFound([id]))
            given = outcome(lambda asked=asked, value=value: self.flow.as_of(id, by=actor, **{asked: value}))  # type: ignore[misc]  # mypy cannot infer a lambda with defaults
            self._same("as_of", given, due, (f"flow.as_of({{}}, by={{}}, {asked}={{}})", (id, actor, value)))

    @rule(actor=calls.onlookers())
    def looks_around(self, actor: Actor) -> None:
        """Every read shows an actor exactly what the definition lets them see, and nothing of the rest."""
        visible = [record for record in self.records.values() if self.model.sees(actor, record)]
        read = self._read_by(actor)
        for id, record in self.records.items():
            unseen = None if record in visible else raised(RecordNotFound([id]))
            self._sees(unseen or record, "get", id, by=actor)
            self._sees(unseen or read[id], "history", id, by=actor)
            if unseen:
                self._sees(unseen, "options", id, by=actor)
        in_order = sorted(visible, key=lambda one: (one.created_at, one.id))
        self._sees(tuple(in_order), "find", Query(limit=LIMIT), by=actor)
        by_state = Counter((one.state,) for one in visible)
        for state in sorted({record.state for record in self.records.values()}):
            there = tuple(record for record in in_order if record.state == state)
            self._sees(there, "find", Query(state=state, limit=LIMIT), by=actor)
        self._sees({(): len(visible)}, "count", Query(), by=actor)
        gone = {id: {one.retracts for one in self.model.entries[id]} for id in read}
        standing = sum(one.sequence not in gone[id] for id, entries in read.items() for one in entries)
        self._sees({(): standing}, "count", Query(), by=actor, of="entries")
        self._sees(dict(by_state), "count", Query(), by=actor, group="state")
        inbox = [record for record in in_order if self.model.awaits(actor, record)]
        inbox.sort(key=lambda one: (one.due_at is None, one.due_at or START, one.created_at, one.id))
        self._sees(tuple(inbox), "inbox", by=actor, limit=LIMIT)

    def _read_by(self, actor: Actor) -> dict[str, list[Entry]]:
        """What an actor reads of the history of each record that they see."""
        shown: dict[str, list[tuple[Record, Entry]]] = {}
        for id, record in self.records.items():
            versions, entries = self.model.versions[id], self.model.entries[id]
            before = (cast(Record, entries[0].details), *versions)  # before a creation there is its draft
            acts = zip(before, versions, entries, strict=False)
            shown[id] = [(old, one) for old, new, one in acts if self.model.reads(actor, record, old, new, one)]
        known = {entry.ref for acts in shown.values() for _, entry in acts}
        return {
            id: [
                one if self.model.audits(actor, self.records[id]) else self.model.reduced(one, old, known)
                for old, one in acts
            ]
            for id, acts in shown.items()
        }

    def _sees(self, due: Any, name: str, *words: Any, **chosen: Any) -> None:
        """Hold a read of the flow against what is due; of a page, its records."""
        page = name in ("find", "inbox")
        given = outcome(lambda: getattr(self.flow, name)(*words, **chosen))
        places = ["{}"] * len(words) + [f"{key}={{}}" for key in chosen]
        template = f"flow.{name}({', '.join(places)})"
        if page and not isinstance(given, Raised):
            given, template = given.records, f"{template}.records"
        self._same("leak", given, due, (template, (*words, *chosen.values())))

    @precondition(_some_records)
    @rule(data=st.data(), actor=calls.onlookers())
    def offers(self, data: st.DataObject, actor: Actor) -> None:
        """`options` allows exactly what `fire` does with valid details and a reason, and names exactly its refusals."""
        record = self.records[data.draw(st.sampled_from(list(self.records)))]
        expression = ("flow.options({}, by={})", (record.id, actor))
        number = self._number
        self.lines.trying(expression)
        offered = outcome(lambda: self.flow.options(record.id, by=actor))
        self._number = number  # nothing is created
        if isinstance(offered, Raised):
            self._same("leak", offered, raised(RecordNotFound([record.id])), expression)
            return
        lifecycle = self.model.lifecycle_of(record)
        triggers = tuple(one for one in lifecycle.triggers if any(row.sources - {None} for row in lifecycle.rows(one)))
        names = Literally("[option.trigger for option in flow.options"), record.id, actor
        self._same("offer", tuple(one.trigger for one in offered), triggers, ("{}({}, by={})]", names), trigger="*")
        chosen = data.draw(st.lists(st.sampled_from(triggers), max_size=4, unique=True))
        for option in (one for one in offered if one.trigger in chosen):
            drawn = data.draw(details(option.details))
            request = Fire(record.id, option.trigger, drawn, by=actor, reason="because")
            self._store.dry_run = True
            fired = outcome(functools.partial(self._fire, request))
            self._store.dry_run, self._number = False, number
            self._hold_offer(lifecycle, record, option, drawn, fired, actor)

    def _hold_offer(
        self, lifecycle: Lifecycle, record: Record, option: Option, drawn: Any, fired: Any, actor: Actor
    ) -> None:
        """An offer leaves out what the details decide: guards that read them, and steps that name what they say."""
        due: tuple[Any, ...] = ()
        if isinstance(fired, Raised):
            about = getattr(fired.error, "id", None), getattr(fired.error, "trigger", None)
            if about == (record.id, option.trigger) or (drawn is None and fired.codes is not None):
                due = tuple(fired.facts["refusals"])
            elif drawn is not None:
                return
            elif isinstance(fired.error, RecordNotFound):
                due = tuple(option.refusals) if [one.code for one in option.refusals] == ["step"] else (fired,)
            else:
                due = (fired,)
        rows = lifecycle.rows(option.trigger)
        left_out = _OF_RETRACTION.union(guard.code for row in rows for guard in row.guards if guard.reads_details)
        if drawn is not None:
            left_out |= _OF_RESULTS
        due = tuple(one for one in due if getattr(one, "code", "") not in left_out)
        place = {"trigger": option.trigger}
        chosen = "next(option for option in flow.options({}, by={}) if option.trigger == {})"
        values = (record.id, actor, option.trigger)
        self._same("offer", option.refusals, due, (f"{chosen}.refusals", values), **place)
        self._same("offer", option.allowed, not due, (f"{chosen}.allowed", values), **place)

    @precondition(lambda self: self._factory.reopen is not None)
    @rule()
    def restart(self) -> None:
        """What was committed is there when the store is opened again."""
        self.reopen()


# ---------------------------------------------------------------------------------------------------------------


def _id(request: Request) -> str:
    assert isinstance(request, Fire), "only what is there is fired"
    return request.id


def _aimed(request: Request, seen: Record, aim: str) -> Fire:
    """The request of a user who saw a version, and names it in one of the ways or not at all."""
    assert isinstance(request, Fire), "only what is there is seen"
    target = seen if aim == "in hand" else seen.id
    return attrs.evolve(request, target=target, version=seen.version if aim == "version" else None)


def _as_value(one: Outcome) -> tuple[str, Record | None, Raised | None]:
    assert isinstance(one.request, Fire), "only what is there is fired"
    return one.request.id, one.record, None if one.error is None else raised(one.error)


def _way(lifecycle: Lifecycle, state: str, goal: Transition) -> tuple[Transition, ...] | None:
    """The fewest rows that lead from a state to one where a row applies, by the table alone."""
    todo: list[tuple[str, tuple[Transition, ...]]] = [(state, ())]
    seen = {state}
    for here, way in todo:  # it grows as it is walked
        if here in goal.sources:
            return way
        for row in lifecycle.transitions:
            if here in row.sources and NOBODY not in row.roles:
                fresh = [there for there in row.dests(here) if there not in seen]
                seen.update(fresh)
                todo += [(there, (*way, row)) for there in fresh]
    return None


def _staying(lifecycle: Lifecycle, state: str) -> list[Transition]:
    """The rows by which a person changes a record and leaves it in its state."""
    rows = [row for row in lifecycle.transitions if state in row.sources and row.dests(state) == (state,)]
    return [row for row in rows if row.sets and NOBODY not in row.roles]
