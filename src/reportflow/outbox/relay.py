"""Entries out to the world, none lost, none skipped.

Relays of one name share one position in the feed. One of them at a time has the claim on it: it reads a batch, hands
each entry to the publisher, and moves the position; the others stand by, and one of them takes over when the claim
runs out. Who had it before may still be at work then, and hand out what is handed out again; but it can write nothing
any more, for its token is an old one. So each entry goes out at least once, and a repeated one has the same id.

The entries of a record go out in the order of its history. One that fails keeps those behind it waiting, of its own
record only; what waits is written down beside the position, in the same write. It is tried again after a pause that
doubles, and after the last try it is parked. Those behind it then go on: what no broker takes would otherwise silence
its record for good, with nobody the wiser. Whoever must not go on without it sees the hole by `sequence`.
"""

from __future__ import annotations

import logging
import math
import os
import platform
import threading
import uuid
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from reportflow.errors import BrokerUnavailable, InvalidValue, StorageUnavailable
from reportflow.flow.base import now
from reportflow.model.checks import time_problem, type_problem
from reportflow.model.entry import Entry
from reportflow.outbox.cloudevents import Message, check_installed, make_message
from reportflow.storage.base import FeedItem, Store
from reportflow.storage.leases import Delivery, Lease, Leases, SupportsLeases

_LOG: Final = logging.getLogger("reportflow.relay")
#: The longest text of an error that is kept.
_SAID: Final = 500


class Relay:
    """Hands every entry of a store to a publisher: at least once, in order for each record.

    Any number of relays of one name may run, in threads and processes and on several machines: one works, the others
    stand by. The clocks of the machines must agree to well within a lease. Relays of different names each hand out
    everything.

    Args:
        store: Its feed is read, from the start or from where the last relay of this name was.
        publish: Takes a `Message`, and returns when the message is safe. What it raises means that the message failed;
            `BrokerUnavailable` means that no message could have been sent: nothing is counted against this one.
        name: What relays share that are one and the same.
        batch: How many entries are read at a time.
        lease: How long a claim holds without a sign of life, in seconds: longer than one call of `publish` takes.
        clock: Gives the time, aware.
        source: The `source` of the events, a URI reference.
        tries: After how many failures a message is parked.
        pause: How long after the first failure it is tried again, in seconds; doubled after each one more.
        longest_pause: The most that this grows to.
        max_in_flight: With as many entries failing or waiting nothing more is read, until there are fewer.
        leases: Keep how far it is; the store's own unless given.

    Raises:
        MissingExtra: the package `cloudevents` is not installed.
        InvalidValue: a number out of range, or a store that keeps no leases, and none were given.
    """

    def __init__(
        self,
        store: Store,
        publish: Callable[[Message], object],
        *,
        name: str = "relay",
        batch: int = 100,
        lease: float = 30.0,
        clock: Callable[[], datetime] = now,
        source: str = "/reportflow",
        tries: int = 10,
        pause: float = 1.0,
        longest_pause: float = 300.0,
        max_in_flight: int = 1000,
        leases: Leases | None = None,
    ) -> None:
        check_installed()
        for field, number, least in (("batch", batch, 1), ("tries", tries, 1), ("max_in_flight", max_in_flight, 1)):
            if type(number) is not int or number < least:
                raise InvalidValue(field, "range", {"given": number, "least": least, "most": "∞"})
        for field, seconds in (("lease", lease), ("pause", pause), ("longest_pause", longest_pause)):
            if type(seconds) not in (int, float) or not 0 < seconds < math.inf:
                raise InvalidValue(field, "range", {"given": seconds, "least": "0 <", "most": "∞"})
        for field, text in (("name", name), ("source", source)):
            if not isinstance(text, str) or not text.strip():
                raise InvalidValue(field, "blank")
        if leases is None and isinstance(store, SupportsLeases):
            leases = store.leases
        if not isinstance(leases, Leases):
            raise InvalidValue("leases", *type_problem("Leases", leases))
        self._store = store
        self._publish = publish
        self._name = name
        self._batch = batch
        self._lease = timedelta(seconds=lease)
        self._clock = clock
        self._source = source
        self._tries = tries
        self._pause = pause
        self._longest_pause = longest_pause
        self._most_open = max_in_flight
        self._leases = leases
        self._self = uuid.uuid4().hex[:12]
        self._turn = threading.Lock()
        self._claim: Lease | None = None
        self._away = 0
        self._away_until: datetime | None = None

    @property
    def owner(self) -> str:
        """What it calls itself where it has the claim: the machine, the process (a fork's own), and itself."""
        return f"{platform.node()} {os.getpid()} {self._self}"

    def run_once(self) -> int:
        """Hand out what is due and a batch of what is new, if it has the claim or can have it.

        Returns:
            How many messages were handed out.

        Raises:
            StorageError: the store cannot be used. Nothing is lost: what was handed out and not written down will be
                handed out again.
        """
        with self._turn:
            time = self._now()
            if self._away_until is not None and time < self._away_until:
                return 0
            claim, self._claim = self._claimed(time), None
            if claim is None:
                return 0
            work = _Round(self, claim)
            self._claim = work.run()
            return work.handed

    def run(self, stop: threading.Event | None = None, poll: float = 1.0) -> None:
        """Hand out entries as they come, until told to stop; then let another relay have the claim.

        A store that cannot be used for a while is waited for; that is logged as ``reportflow.relay``.

        Args:
            stop: Set by whoever wants it to stop, after the batch in hand.
            poll: How long to wait where there is nothing to do, in seconds.
        """
        stop = threading.Event() if stop is None else stop
        try:
            while not stop.is_set():
                try:
                    handed = self.run_once()
                except StorageUnavailable as error:
                    _LOG.warning("%s: %s", self._name, error)
                    handed = 0
                if not handed:
                    stop.wait(poll)
        finally:
            try:
                self.close()
            except StorageUnavailable as error:  # then the claim runs out by itself
                _LOG.warning("%s: %s", self._name, error)

    def close(self) -> None:
        """Give up the claim, if it has it, so that another relay need not wait until it runs out.

        It may be run again after that.
        """
        with self._turn:
            self._claim = None
            held = self._leases.current(self._name)
            if held is not None and held.holder == self.owner:
                self._leases.advance(held, position=held.position, until=self._now())

    def parked(self) -> list[Delivery]:
        """The messages that failed too often, in the order of the feed, each with what its last try raised."""
        return self._leases.deliveries(self._name, dead=True)

    def release(self, id: str) -> bool:
        """Have a parked message tried again, with all its tries; whether there was one of this id.

        It comes late, behind entries of its record that went on without it. Any relay of this name may be asked.
        """
        return self._leases.requeue(self._name, id, now=self._now())

    # ---------------------------------------------------------------------------------------------------------------

    def _now(self) -> datetime:
        time = self._clock()
        problem = time_problem(time)
        if problem:
            raise InvalidValue("clock", *problem)
        return time

    def _claimed(self, time: datetime) -> Lease | None:
        held = self._claim
        # half a lease in hand is enough to begin with: a round renews it by itself
        if held is not None and held.holder == self.owner and time < held.expires_at - self._lease / 2:
            return held
        return self._leases.acquire(self._name, self.owner, now=time, until=time + self._lease)

    def _pause_after(self, failures: int) -> timedelta:
        return timedelta(seconds=min(self._longest_pause, self._pause * 2.0 ** min(failures - 1, 60)))


class _Lost(Exception):
    """Another relay has the claim now."""


class _Round:
    """One batch under one claim: what it hands out, and what there is to write down."""

    def __init__(self, relay: Relay, claim: Lease) -> None:
        self.handed = 0
        self._relay = relay
        self._claim = claim
        self._position = claim.position
        self._put: dict[int, Delivery] = {}
        self._drop: set[int] = set()
        #: Record id -> what is failing, and what waits behind it, in order.
        self._open: dict[str, deque[Delivery]] = {}

    def run(self) -> Lease | None:
        """Do it; the claim that is left, None where there is none."""
        relay = self._relay
        try:
            try:
                self._again()
                self._onward()
            except BrokerUnavailable as error:
                _LOG.warning("%s: %s", relay._name, error)
                relay._away += 1
                time = relay._now()
                relay._away_until = time + relay._pause_after(relay._away)
                self._write(until=time)  # perhaps another relay can reach it
                return None
            relay._away, relay._away_until = 0, None
            if self._changed():
                self._write()
            return self._claim
        except _Lost:
            return None

    def _again(self) -> None:
        """Try again what is due: of each record the first, and when it is gone those behind it."""
        relay = self._relay
        for one in relay._leases.deliveries(relay._name, dead=False):
            self._open.setdefault(one.record_id, deque()).append(one)
        for queue in self._open.values():
            while queue and queue[0].due_at <= relay._now():
                first = queue[0]
                error = self._hand_out(self._entry_of(first), None)
                if error is None:
                    self._drop.add(first.position)
                elif (failed := self._failed(first, error)).state == "failing":
                    queue[0] = failed
                    break
                queue.popleft()

    def _onward(self) -> None:
        """Hand out what is new, in the order of the feed."""
        relay = self._relay
        if sum(map(len, self._open.values())) >= relay._most_open:
            return
        posted = relay._store.feed(self._position, relay._batch)
        ids = list(dict.fromkeys(one.entry.record_id for one in posted))
        kinds = {record.id: record.kind for record in relay._store.get(ids)} if ids else {}
        for one in posted:
            self._pass_on(one, kinds)
            self._position = one.position

    def _pass_on(self, posted: FeedItem, kinds: dict[str, str]) -> None:
        entry = posted.entry
        queue = self._open.setdefault(entry.record_id, deque())
        fresh = Delivery(
            position=posted.position,
            record_id=entry.record_id,
            sequence=entry.sequence,
            state="waiting",
            tries=0,
            due_at=self._relay._now(),
        )
        if queue:
            self._put[fresh.position] = fresh
            queue.append(fresh)
            return
        error = self._hand_out(entry, kinds[entry.record_id])
        if error is not None and (failed := self._failed(fresh, error)).state == "failing":
            queue.append(failed)

    def _entry_of(self, delivery: Delivery) -> Entry:
        history = self._relay._store.history([delivery.record_id])
        return history[delivery.sequence - 1]

    def _hand_out(self, entry: Entry, kind: str | None) -> str | None:
        """Hand out an entry; what went wrong, or None.

        Raises:
            BrokerUnavailable: it is no fault of this one.
            _Lost: the claim ran out, and another relay has it.
        """
        relay = self._relay
        if relay._now() >= self._renew_at():
            self._write()
        if kind is None:
            kind = relay._store.get([entry.record_id])[0].kind
        try:
            relay._publish(make_message(entry, kind, relay._source))
        except BrokerUnavailable:
            raise
        except Exception as error:
            return _said(error)
        self.handed += 1
        return None

    def _failed(self, delivery: Delivery, error: str) -> Delivery:
        """Write down that it failed once more."""
        relay = self._relay
        tries = delivery.tries + 1
        parked = tries >= relay._tries
        failed = self._put[delivery.position] = Delivery(
            position=delivery.position,
            record_id=delivery.record_id,
            sequence=delivery.sequence,
            state="dead" if parked else "failing",
            tries=tries,
            due_at=relay._now() + (timedelta() if parked else relay._pause_after(tries)),
            error=error,
        )
        if parked:
            _LOG.error("%s: %s is parked after %d tries: %s", relay._name, failed.id, tries, error)
        return failed

    def _changed(self) -> bool:
        return bool(self._put or self._drop) or self._position != self._claim.position

    def _renew_at(self) -> datetime:
        return self._claim.expires_at - self._relay._lease / 2

    def _write(self, until: datetime | None = None) -> None:
        """Write down how far it is.

        Raises:
            _Lost: another relay has the claim.
        """
        relay = self._relay
        moved = relay._leases.advance(
            self._claim,
            position=self._position,
            until=relay._now() + relay._lease if until is None else until,
            put=list(self._put.values()),
            drop=self._drop,
        )
        if moved is None:
            _LOG.warning("%s: another relay took over", relay._name)
            raise _Lost
        self._claim = moved
        self._put.clear()
        self._drop.clear()


def _said(error: Exception) -> str:
    """An error as a text that may be kept."""
    said = f"{type(error).__name__}: {error}".replace("\0", "\\0")
    return said.encode(errors="backslashreplace").decode()[:_SAID]
