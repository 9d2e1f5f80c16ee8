"""The leases of relays: how far each has read the feed, and which entries it could not publish yet.

This is no part of the storage contract, so that a store stays small: a program that keeps its records elsewhere may
keep its leases elsewhere again, since `Relay` takes any `Leases`. Correctness rests on one comparison: each lease has a
fencing token, and a relay that comes with an older one writes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

import attrs

#: How far an entry has come that was read and not published: `waiting` behind another one of its record, `failing` and
#: to be retried, or `dead`, a dead letter, until it is requeued.
DeliveryState = Literal["waiting", "failing", "dead"]


@attrs.frozen(kw_only=True)
class Lease:
    """One relay's right to read the feed under a name, until it expires.

    Attributes:
        name: The name that relays share.
        holder: Which relay has it, for people to read.
        token: The fencing token: counts the leases of this name, and a later one makes this one void.
        position: Everything up to here was published, or is a `Delivery`; None: nothing yet.
        expires_at: When another relay may take it.
    """

    name: str
    holder: str
    token: int
    position: int | None
    expires_at: datetime


@attrs.frozen(kw_only=True)
class Delivery:
    """An entry that a relay has read and not published.

    Attributes:
        position: Its position in the feed.
        record_id: The id of its record.
        sequence: Its place in the record's history.
        state: ``waiting``, ``failing`` or ``dead``.
        tries: How often it failed.
        due_at: When it is retried; for a dead letter, when it became one.
        error: What the last try raised.
    """

    position: int
    record_id: str
    sequence: int
    state: DeliveryState
    tries: int
    due_at: datetime
    error: str = ""

    @property
    def id(self) -> str:
        """The entry's `ref`, which is the id of its message."""
        return f"{self.record_id}@{self.sequence}"


@runtime_checkable
class Leases(Protocol):
    """Where relays keep leases and deliveries. All calls may be made by many threads and processes at once."""

    def acquire(self, name: str, holder: str, *, now: datetime, until: datetime) -> Lease | None:
        """The lease on a name, up to a time: a new one where none is valid, or the holder's own one, renewed.

        At most one holder gets it, however many ask at once. A new one has a token that no other had.

        Returns:
            None where another holder has it and it has not expired.
        """
        ...

    def current(self, name: str) -> Lease | None:
        """The latest lease on a name, whether or not it has expired; None where there never was one."""
        ...

    def advance(
        self,
        lease: Lease,
        *,
        position: int | None,
        until: datetime,
        put: Sequence[Delivery] = (),
        drop: Iterable[int] = (),
    ) -> Lease | None:
        """Move the position, renew the lease, and write deliveries: all of it, or none.

        Args:
            lease: The lease.
            position: The new position.
            until: When the lease expires then.
            put: Deliveries that are new, or replace those at their positions.
            drop: The positions of deliveries to remove.

        Returns:
            The lease as it is now; None where the name was leased anew meanwhile: then nothing was written.
        """
        ...

    def deliveries(self, name: str, *, dead: bool) -> list[Delivery]:
        """The dead letters, or the other deliveries, in the order of the feed."""
        ...

    def requeue(self, name: str, id: str, *, now: datetime) -> bool:
        """Make a dead letter a delivery that is due, as if it never failed; whether there was one of this id."""
        ...


@runtime_checkable
class SupportsLeases(Protocol):
    """A store with the capability `leases`: it keeps the leases of its relays beside its records."""

    @property
    def leases(self) -> Leases:
        """The leases; written outside any transaction of a host's."""
        ...


class MemoryLeases:
    """Leases and deliveries that live as long as their process. One lock makes each call atomic."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leases: dict[str, Lease] = {}
        self._deliveries: dict[str, dict[int, Delivery]] = {}

    def acquire(self, name: str, holder: str, *, now: datetime, until: datetime) -> Lease | None:
        """See `Leases.acquire`."""
        with self._lock:
            lease = next_lease(self._leases.get(name), name, holder, now, until)
            if lease is not None:
                self._leases[name] = lease
            return lease

    def current(self, name: str) -> Lease | None:
        """See `Leases.current`."""
        with self._lock:
            return self._leases.get(name)

    def advance(
        self,
        lease: Lease,
        *,
        position: int | None,
        until: datetime,
        put: Sequence[Delivery] = (),
        drop: Iterable[int] = (),
    ) -> Lease | None:
        """See `Leases.advance`."""
        with self._lock:
            if self._leases[lease.name].token != lease.token:
                return None
            stored = self._deliveries.setdefault(lease.name, {})
            for gone in drop:
                stored.pop(gone, None)
            stored.update((one.position, one) for one in put)
            self._leases[lease.name] = moved = attrs.evolve(lease, position=position, expires_at=until)
            return moved

    def deliveries(self, name: str, *, dead: bool) -> list[Delivery]:
        """See `Leases.deliveries`."""
        with self._lock:
            stored = sorted(self._deliveries.get(name, {}).items())
        return [one for _, one in stored if (one.state == "dead") is dead]

    def requeue(self, name: str, id: str, *, now: datetime) -> bool:
        """See `Leases.requeue`."""
        with self._lock:
            stored = self._deliveries.get(name, {})
            for one in stored.values():
                if one.id == id and one.state == "dead":
                    stored[one.position] = attrs.evolve(one, state="failing", tries=0, due_at=now)
                    return True
        return False


def next_lease(last: Lease | None, name: str, holder: str, now: datetime, until: datetime) -> Lease | None:
    """The lease that a holder gets where `last` is the latest one; None where that is another's and still valid."""
    if last is None:
        return Lease(name=name, holder=holder, token=1, position=None, expires_at=until)
    if last.holder == holder:
        return attrs.evolve(last, expires_at=until)
    if last.expires_at > now:
        return None
    return attrs.evolve(last, holder=holder, token=last.token + 1, expires_at=until)
