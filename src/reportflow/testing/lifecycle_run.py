"""One run of a lifecycle's machine: a flow, its model, and the comparison of the two after each step."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import accumulate
from typing import Any, ClassVar, Final, cast

import attrs

from reportflow.analysis.samples import START
from reportflow.errors import MissingExtra, RuleFailed, TransitionRefused
from reportflow.flow.requests import Create, Fire, Request
from reportflow.flow.sync import ReportFlow
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.history import replay
from reportflow.model.entry import Entry
from reportflow.model.query import LIMIT, Query
from reportflow.model.record import Record, given_by
from reportflow.model.values import changed
from reportflow.serialization.digest import digest_of
from reportflow.storage.base import Store
from reportflow.testing.broken import BrokenPromise, Raised, outcome
from reportflow.testing.coverage import CoverageTally
from reportflow.testing.differences import first_difference, shown, without_digests
from reportflow.testing.doubles import InterceptedStore
from reportflow.testing.factory import Factory
from reportflow.testing.lifecycle_model import Model
from reportflow.testing.lines import Expression, Lines, Literally, call

try:
    from hypothesis import event, note
    from hypothesis.stateful import RuleBasedStateMachine
    from hypothesis.stateful import invariant as always
except ImportError as _error:
    raise MissingExtra("hypothesis", "reportflow[testing]") from _error

#: What the user says must hold of every record, with its history.
Held = Callable[[Any, list[Entry]], object]
#: All records, ordered so that they can be compared.
_EVERY: Final = Query(order="id", limit=LIMIT)


class Run(RuleBasedStateMachine):
    """The beginning of a run, how calls are made and compared, and the invariants after each step.

    Attributes:
        flow: The flow under test, with a clock and ids that the machine knows beforehand.
        now: What its clock says.
        model: What must be there.
        lines: The run so far, as Python.
        lifecycles: The definitions.
        fired: row -> how often it was fired, in all runs of this class.
        covered: What was met in these runs.
        unfit: row -> how often no command was found that it takes, though a record was in the state.
    """

    lifecycles: ClassVar[tuple[Lifecycle, ...]] = ()
    fired: ClassVar[Counter[str]]
    covered: ClassVar[CoverageTally]
    unfit: ClassVar[Counter[str]]
    _factory: ClassVar[Factory]
    _rows: ClassVar[dict[int, str]]
    _held: ClassVar[list[Held]]

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = START
        self.lines: Lines = Lines(self.lifecycles, type(self)._factory, START)
        self.model: Model = Model(self.lifecycles)
        self._number = 0
        #: The very objects that the flow gave out, by id and version.
        self._given_out: dict[tuple[str, int], Record] = {}
        self._store = InterceptedStore(type(self)._factory.checked())
        self.flow: ReportFlow = ReportFlow(
            cast(Store, self._store), self.lifecycles, clock=lambda: self.now, new_id=self._new_id
        )

    @property
    def records(self) -> dict[str, Record]:
        """Each record as it is, by its id."""
        return self.model.records

    def history(self, id: str) -> list[Entry]:
        """The entries of a record, oldest first."""
        return list(self.model.entries[id])

    def _new_id(self) -> str:
        self._number += 1
        return f"r{self._number}"

    def teardown(self) -> None:
        """Restart the store once more, note the run as Python, and close the store."""
        failing = sys.exc_info()[0] is not None
        try:
            if type(self)._factory.reopen is not None and not failing:
                self.reopen()
                self.everything_holds()
        finally:
            note(self.lines)
            with contextlib.suppress(Exception) if failing else contextlib.nullcontext():
                self._store.close()

    def reopen(self) -> None:
        """Close the store, and open the same data again.

        Raises:
            BrokenPromise: `reopen` raised, or gave no store.
        """
        self.lines.reopened()
        self._store.reopen(type(self)._factory.reopened)

    # -- doing and comparing ------------------------------------------------------------------------------------

    def _same(self, code: str, given: Any, due: Any, expression: Expression, **facts: object) -> None:
        """Compare a result with the due one.

        Raises:
            BrokenPromise: they differ.
        """
        given = without_digests(given)
        difference = first_difference(given, without_digests(due))
        if difference is None:
            return
        self.lines.failed(expression, due)
        if isinstance(given, Raised) and given.kind is RuleFailed:
            raise BrokenPromise("rule", given=str(given.error)) from given.error
        if code == "outcome":
            self.model.ask_again()
        at = f" ({difference.path.lstrip('.')})" if difference.path else ""
        chosen = {"place": at, "one": shown(difference.one), "other": shown(difference.other)}
        raise BrokenPromise(code, **chosen, **facts) from (given.error if isinstance(given, Raised) else None)

    def _at(self, now: datetime) -> None:
        self.now = now
        self.lines.clock(now)

    def _does(self, expression: Expression, due: Callable[[], Any], does: Callable[[], Any]) -> Any:
        """Make a call that writes: the due result is computed first, the call is made, and the two are compared."""
        self.lines.trying(expression)
        before = {id: len(entries) for id, entries in self.model.entries.items()}
        wanted = due()
        given = outcome(does)
        self._same("outcome", given, wanted, expression)
        self._remember(given)
        self.lines.did(expression, wanted)
        self._same("outcome", self._number, self.model.number, ("next(numbers) - 1", ()))
        for id, entries in self.model.entries.items():
            for entry in entries[before.get(id, 0) :]:
                self._count(entry)
        if isinstance(wanted, Raised) and isinstance(wanted.error, TransitionRefused):
            self._count_refused(wanted.error)
        event(f"refused: {wanted.kind.__name__}" if isinstance(wanted, Raised) else "done")
        return wanted

    def _remember(self, given: Any) -> None:
        """Keep the records that the flow gave out: it knows these very objects again, and no others."""
        for one in given if isinstance(given, list) else [given]:
            record = one[1] if isinstance(one, tuple) else one
            if isinstance(record, Record) and given_by(record) is not None:
                self._given_out[record.id, record.version] = record
                self.model.given_out.add((record.id, record.version))

    def _handed_in(self, request: Request) -> Request:
        """A request as a user makes it: a record in it is the object that they were given, or another with its head."""
        if not isinstance(request, Fire) or not isinstance(request.target, Record):
            return request
        id, version = request.target.id, request.target.version
        target = self._given_out.get((id, version))
        if target is None:
            heads = [entry.digest for entry in self._store.history([id])]
            target = changed(request.target, {"head": heads[version - 1] if version <= len(heads) else ""})
        return attrs.evolve(request, target=target)

    def _count(self, entry: Entry) -> None:
        lifecycle = self.model.lifecycle_of(self.records[entry.record_id])
        found = lifecycle.row(entry.source, entry.trigger)
        if found is not None:
            name = self._rows[id(found[0])]
            type(self).fired[name] += 1
            event(f"fired: {name}")
            before = self.model.entries[entry.record_id][: entry.sequence - 1]
            earlier = lifecycle.row(before[-1].source, before[-1].trigger) if before else None
            self.covered.fired(found[0], None if earlier is None else earlier[0])

    def _count_refused(self, error: TransitionRefused) -> None:
        record = self.records.get(error.id)
        known = record is not None and record.version == error.version
        found = self.model.lifecycle_of(record).row(record.state, error.trigger) if record and known else None
        codes = [str(getattr(one, "code", one)) for one in error.refusals]
        self.covered.refused(error.lifecycle, error.trigger, codes, None if found is None else found[0])

    def _one(self, request: Request, now: datetime, hand: str = "") -> Any:
        self._at(now)
        return self._does(
            call(request, hand), lambda: only(self.model.call([request], now)), lambda: self._fire(request)
        )

    def _fire(self, request: Request) -> Any:
        request = self._handed_in(request)
        if isinstance(request, Create):
            return self.flow.create(request.draft, by=request.by, at=request.at, key=request.key)
        return self.flow.fire(
            request.target, request.trigger, request.details, by=request.by, reason=request.reason, at=request.at,
            key=request.key, version=request.version,
        )  # fmt: skip

    # -- what always holds --------------------------------------------------------------------------------------

    @always()
    def everything_holds(self) -> None:
        """The store holds what was written, its histories replay, and the invariants of the user hold."""
        self._what_is_kept_is_what_was_done()
        for id, record in self.records.items():
            self._what_happened_leads_to_what_is(id, record)
        for function in type(self)._held:
            for id, record in self.records.items():
                self.lines.checking(function, id)
                function(record, self.history(id))
        self.lines.checked()

    def _what_is_kept_is_what_was_done(self) -> None:
        """The store holds each record and each entry that was written, and no other."""
        store, ids = self._store, list(self.model.versions)
        records = list(self.records.values())
        entries = [entry for id in ids for entry in self.model.entries[id]]
        in_order = tuple(sorted(records, key=lambda one: one.id))
        self._same("stored", outcome(lambda: store.get(ids)), records, ("store.get({})", (ids,)))
        self._same("stored", store.history(ids), entries, ("store.history({})", (ids,)))
        self._same("stored", store.find(_EVERY).records, in_order, ("store.find({}).records", (_EVERY,)))
        posted = sorted(posted.entry.ref for posted in store.feed(None, LIMIT))
        expression = ("sorted(posted.entry.ref for posted in store.feed(None, {}))", (LIMIT,))
        self._same("stored", posted, sorted(entry.ref for entry in entries), expression)

    def _what_happened_leads_to_what_is(self, id: str, record: Record) -> None:
        """The replay of a history is the record; its entries count from 1 and chain, and time runs forward in it."""
        history, lifecycle = self._store.history([id]), self.model.lifecycle_of(record)
        expression = ("replay(store.history([{}]), {})", (id, lifecycle))
        self._same("replay", outcome(lambda: replay(history, lifecycle)), record, expression)
        entries = self._store.sealed((id, 0), record.version)
        heads = [*accumulate(entries, lambda head, one: digest_of(head, one), initial="")][1:]
        self._same("gap", [one.digest for one in entries], heads, ("store.sealed(({}, 0), {})", (id, record.version)))
        self._same("gap", self._store.get([id])[0].head, history[-1].digest, ("store.get([{}])[0].head", (id,)))
        for name, due in (
            ("sequence", list(range(1, record.version + 1))),
            ("source", [None, *(entry.dest for entry in history[:-1])]),
            ("recorded_at", sorted(entry.recorded_at for entry in history)),
            ("record_id", [id] * record.version),
        ):
            given = [getattr(entry, name) for entry in history]
            self._same("gap", given, due, ("[entry.{} for entry in store.history([{}])]", (Literally(name), id)))


def only(given: Any) -> Any:
    """The record of a call with one request."""
    return given if isinstance(given, Raised) else given[0]
