"""The relay of the transactional outbox: publishes each entry at least once, in order for each record.

The feed of a store is the outbox: an entry is in it exactly when its commit is. Relays of one name share one position
in the feed. One of them at a time has the lease on the name: it reads a batch, publishes each entry, and advances the
position; the others stand by, and one of them takes over when the lease expires. A relay whose lease has expired may
still be running, and publish an entry that is published again; but it can write nothing, for its fencing token is an
old one. So each entry is published at least once, and a duplicate has the same id.

The entries of a record are published in the order of its history. One that fails holds up the later ones of its own
record only; these deliveries are written beside the position, in the same write. A failed one is retried with
exponential back-off, and becomes a dead letter after its last try. Then the later ones go on: an entry that no broker
accepts would otherwise silence its record for ever. A reader that needs every entry sees the gap by `sequence`. An
entry whose row cannot be read is a dead letter at once: trying again reads the same row.
"""

from __future__ import annotations

import math
import os
import platform
import threading
import uuid
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from reportflow.errors import (
    BrokerUnavailable,
    InvalidValue,
    ReportflowError,
    StorageBusy,
    StorageUnavailable,
    UnreadableRecord,
)
from reportflow.flow.base import now
from reportflow.flow.incidents import Incident, Observer, note
from reportflow.model.checks import time_problem, type_problem
from reportflow.model.entry import Entry
from reportflow.outbox.cloudevents import Message, check_installed, make_message
from reportflow.storage.base import FeedItem, Store
from reportflow.storage.leases import Delivery, Lease, Leases, SupportsLeases

#: The longest text of an error that is stored.
_ERROR_LIMIT: Final = 500
#: How long it waits after another writer was faster, in seconds.
_BUSY_PAUSE: Final = 0.05


class Relay:
    """Publishes every entry of a store: at least once, in order for each record.

    Any number of relays of one name may run, in threads and processes and on several machines: one works, the others
    stand by. The clocks of the machines must agree to well within a lease. Relays of different names each publish
    everything.

    Args:
        store: Its feed is read, from the start or from the position of the relays of this name.
        publish: Takes a `Message`, and returns when the broker has stored it. If it raises, the message has failed;
            `BrokerUnavailable` means that no message could be sent, and is not counted against this one.
        name: The name that relays share which do the same work.
        batch: How many entries are read at a time.
        lease: How long a lease is valid without a renewal, in seconds: longer than one call of `publish` takes.
        clock: Gives the time, aware.
        source: The `source` of the events, a URI reference.
        tries: After how many failures a message becomes a dead letter.
        pause: How long after the first failure it is retried, in seconds; doubled after each further one.
        longest_pause: The limit of that.
        max_in_flight: With as many deliveries failing or waiting, no new entries are read.
        leases: Where the lease and the deliveries are kept; the store's own unless given.
        observe: Takes each incident: dead letters, a lost lease, an unavailable broker or store; see `flow.incidents`.
            They are logged under ``reportflow.outbox`` too. Neither has the text of an error.

    Raises:
        MissingExtra: the package `cloudevents` is not installed.
        InvalidValue: a number out of range, or a store without leases, and none were given.
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
        observe: Observer | None = None,
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
        self._lease_time = timedelta(seconds=lease)
        self._clock = clock
        self._source = source
        self._tries = tries
        self._pause = pause
        self._longest_pause = longest_pause
        self._max_in_flight = max_in_flight
        self._leases = leases
        self._observe = observe
        self._instance = uuid.uuid4().hex[:12]
        self._lock = threading.Lock()
        self._lease: Lease | None = None
        #: How often the broker was unavailable since it last accepted a message, and when it is tried again.
        self._outages = 0
        self._resume_at: datetime | None = None

    @property
    def holder(self) -> str:
        """Its name as the holder of a lease: the machine, the process (a fork has its own), and this instance."""
        return f"{platform.node()} {os.getpid()} {self._instance}"

    def run_once(self) -> int:
        """Publish what is due and one batch of new entries, if it has the lease or can acquire it.

        Returns:
            How many messages were published.

        Raises:
            StorageError: the store cannot be used. Nothing is lost: what was published and not written will be
                published again.
        """
        with self._lock:
            time = self._now()
            if self._resume_at is not None and time < self._resume_at:
                return 0
            lease, self._lease = self._acquire(time), None
            if lease is None:
                return 0
            batch = _Batch(self, lease)
            self._lease = batch.run()
            return batch.published

    def run(self, stop: threading.Event | None = None, poll: float = 1.0) -> None:
        """Publish entries as they are committed, until it is stopped; then give up the lease.

        While the store is unavailable it tries again after each `poll`, and at once where another writer was faster;
        each time is an incident.

        Args:
            stop: Set to stop it after the current batch.
            poll: How long to wait when there is nothing to publish, in seconds.
        """
        stop = threading.Event() if stop is None else stop
        try:
            while not stop.is_set():
                try:
                    wait = 0.0 if self.run_once() else poll
                except StorageUnavailable as error:
                    self._note("store_unavailable", error.code)
                    # what another writer holds is free in a moment
                    wait = min(poll, _BUSY_PAUSE) if isinstance(error, StorageBusy) else poll
                if wait:
                    stop.wait(wait)
        finally:
            try:
                self.close()
            except StorageUnavailable as error:  # then the lease expires by itself
                self._note("store_unavailable", error.code)

    def close(self) -> None:
        """Give up the lease, if it has it, so that another relay need not wait until it expires.

        It may be run again after that.
        """
        with self._lock:
            self._lease = None
            current = self._leases.current(self._name)
            if current is not None and current.holder == self.holder:
                self._leases.advance(current, position=current.position, until=self._now())

    def dead_letters(self) -> list[Delivery]:
        """The messages that failed too often, in the order of the feed, each with the error of its last try."""
        return self._leases.deliveries(self._name, dead=True)

    def requeue(self, id: str) -> bool:
        """Have a dead letter retried, with all its tries; whether there was one of this id.

        It is published late, after entries of its record that went on without it. Any relay of this name may be called.
        """
        return self._leases.requeue(self._name, id, now=self._now())

    # ---------------------------------------------------------------------------------------------------------------

    def _now(self) -> datetime:
        time = self._clock()
        problem = time_problem(time)
        if problem:
            raise InvalidValue("clock", *problem)
        return time

    def _acquire(self, time: datetime) -> Lease | None:
        own = self._lease
        # with half of its time left it is long enough to begin: a batch renews it
        if own is not None and own.holder == self.holder and time < own.expires_at - self._lease_time / 2:
            return own
        return self._leases.acquire(self._name, self.holder, now=time, until=time + self._lease_time)

    def _pause_after(self, failures: int) -> timedelta:
        return timedelta(seconds=min(self._longest_pause, self._pause * 2.0 ** min(failures - 1, 60)))

    def _note(self, kind: str, code: str, *ids: str, attempt: int = 0) -> None:
        note(Incident(kind=kind, code=code, ids=ids, attempt=attempt, relay=self._name), self._observe)


class _LeaseLost(Exception):
    """Another relay has the lease now."""


class _Batch:
    """One batch under one lease: what it publishes, and what is to be written."""

    def __init__(self, relay: Relay, lease: Lease) -> None:
        self.published = 0
        self._relay = relay
        self._lease = lease
        self._position = lease.position
        self._put: dict[int, Delivery] = {}
        self._drop: set[int] = set()
        #: The new dead letters, each with the code of its error: an incident once they are written.
        self._dead_letters: list[tuple[Delivery, str]] = []
        #: Record id -> the delivery that is failing, and those that wait behind it, in order.
        self._in_flight: dict[str, deque[Delivery]] = {}

    def run(self) -> Lease | None:
        """Run it; the lease as it is then, None where it was given up or lost."""
        relay = self._relay
        try:
            try:
                self._retry_due()
                self._publish_new()
            except BrokerUnavailable as error:
                relay._outages += 1
                time = relay._now()
                relay._resume_at = time + relay._pause_after(relay._outages)
                relay._note("broker_unavailable", error.code, attempt=relay._outages)
                self._write(until=time)  # another relay may be able to reach it
                return None
            relay._outages, relay._resume_at = 0, None
            if self._put or self._drop or self._position != self._lease.position:
                self._write()
            return self._lease
        except _LeaseLost:
            return None

    def _retry_due(self) -> None:
        """Retry what is due: the first delivery of each record, and once it is gone those behind it."""
        relay = self._relay
        for one in relay._leases.deliveries(relay._name, dead=False):
            self._in_flight.setdefault(one.record_id, deque()).append(one)
        for queue in self._in_flight.values():
            while queue and queue[0].due_at <= relay._now():
                first = queue[0]
                error = self._publish_again(first)
                if error is None:
                    self._drop.add(first.position)
                elif (failed := self._failed(first, error)).state == "failing":
                    queue[0] = failed
                    break
                queue.popleft()

    def _publish_new(self) -> None:
        """Publish the next entries, in the order of the feed."""
        relay = self._relay
        if sum(map(len, self._in_flight.values())) >= relay._max_in_flight:
            return
        items = relay._store.feed(self._position, relay._batch)
        for item in items:
            if item.unreadable is None:
                self._publish_or_queue(item)
            else:
                self._bury(item.position, item.unreadable)
            self._position = item.position

    def _bury(self, position: int, error: UnreadableRecord) -> None:
        """Make an entry that cannot be read a dead letter; nothing waits behind it."""
        delivery = Delivery(
            position=position,
            record_id=error.ids[0],
            sequence=error.sequence or 0,
            state="waiting",
            tries=0,
            due_at=self._relay._now(),
        )
        self._failed(delivery, error)

    def _publish_or_queue(self, item: FeedItem) -> None:
        entry = item.entry
        queue = self._in_flight.setdefault(entry.record_id, deque())
        delivery = Delivery(
            position=item.position,
            record_id=entry.record_id,
            sequence=entry.sequence,
            state="waiting",
            tries=0,
            due_at=self._relay._now(),
        )
        if queue:
            self._put[delivery.position] = delivery
            queue.append(delivery)
            return
        error = self._publish(entry)
        if error is not None and (failed := self._failed(delivery, error)).state == "failing":
            queue.append(failed)

    def _publish_again(self, delivery: Delivery) -> Exception | None:
        items = self._relay._store.feed(delivery.position - 1, 1)
        if not items or items[0].position != delivery.position:
            return UnreadableRecord((delivery.record_id,), "entry", "gone", sequence=delivery.sequence)
        return items[0].unreadable or self._publish(items[0].entry)

    def _publish(self, entry: Entry) -> Exception | None:
        """Publish an entry; the error, or None.

        Raises:
            BrokerUnavailable: it is not counted against this entry.
            _LeaseLost: the lease expired, and another relay has it.
        """
        relay = self._relay
        if relay._now() >= self._lease.expires_at - relay._lease_time / 2:
            self._write()
        try:
            relay._publish(make_message(entry, entry.kind, relay._source))
        except BrokerUnavailable:
            raise
        except Exception as error:
            return error
        self.published += 1
        return None

    def _failed(self, delivery: Delivery, error: Exception) -> Delivery:
        """The delivery after one more failure, which is to be written."""
        relay = self._relay
        tries = delivery.tries + 1
        dead = tries >= relay._tries or isinstance(error, UnreadableRecord)
        failed = self._put[delivery.position] = Delivery(
            position=delivery.position,
            record_id=delivery.record_id,
            sequence=delivery.sequence,
            state="dead" if dead else "failing",
            tries=tries,
            due_at=relay._now() + (timedelta() if dead else relay._pause_after(tries)),
            error=_text_of(error),
        )
        if dead:
            code = error.code if isinstance(error, ReportflowError) else type(error).__name__
            self._dead_letters.append((failed, code))
        return failed

    def _write(self, until: datetime | None = None) -> None:
        """Write the position and the deliveries, and renew the lease.

        Raises:
            _LeaseLost: another relay has the lease.
        """
        relay = self._relay
        renewed = relay._leases.advance(
            self._lease,
            position=self._position,
            until=relay._now() + relay._lease_time if until is None else until,
            put=list(self._put.values()),
            drop=self._drop,
        )
        if renewed is None:
            relay._note("lease_lost", "stale_token")
            raise _LeaseLost
        self._lease = renewed
        self._put.clear()
        self._drop.clear()
        written, self._dead_letters = self._dead_letters, []
        for one, code in written:
            relay._note("dead_letter", code, one.id, attempt=one.tries)


def _text_of(error: Exception) -> str:
    """An error as a text that can be stored."""
    text = f"{type(error).__name__}: {error}".replace("\0", "\\0")
    return text.encode(errors="backslashreplace").decode()[:_ERROR_LIMIT]
