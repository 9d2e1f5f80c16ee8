"""How far relays have read the feed, and what they could not hand out yet: what is promised, and its plain meaning.

This is no part of the storage contract, so that a store stays small. Who keeps records elsewhere may keep this
elsewhere again: `Relay` takes any `Offsets`. Correctness rests on one comparison: each claim has a token of its own,
and whoever comes with an older one writes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

import attrs

#: How far an entry has come that was read and not handed out: `waiting` behind another one of its record, `failing`
#: and tried again, or `parked` until somebody releases it.
DeliveryState = Literal["waiting", "failing", "parked"]


@attrs.frozen(kw_only=True)
class Claim:
    """One relay's right to read the feed under a name, until it runs out.

    Attributes:
        name: The name that relays share.
        owner: Who has it, for people to read.
        token: Counts the claims of this name; a later one makes this one worth nothing.
        position: Everything up to here was handed out, or is a `Delivery`; None: nothing yet.
        lease_until: When others may take it.
    """

    name: str
    owner: str
    token: int
    position: int | None
    lease_until: datetime


@attrs.frozen(kw_only=True)
class Delivery:
    """An entry that a relay has read and not handed out.

    Attributes:
        position: Its place in the feed.
        record_id: Whose entry it is.
        sequence: Its place in the record's history.
        state: ``waiting``, ``failing`` or ``parked``.
        tries: How often it failed.
        due_at: When it is tried again; for one that is parked, when that was.
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
class Offsets(Protocol):
    """What keeps the claims and deliveries of relays. All calls may be made by many threads and processes at once."""

    def claim(self, name: str, owner: str, *, now: datetime, until: datetime) -> Claim | None:
        """The claim on a name, up to a time: a fresh one where none holds, the owner's own one for longer.

        At most one owner gets it, however many ask at once. A fresh one has a token that no other had.

        Returns:
            None where it is another owner's and has not run out.
        """
        ...

    def holder(self, name: str) -> Claim | None:
        """The last claim on a name, whether or not it ran out; None where there never was one."""
        ...

    def advance(
        self,
        claim: Claim,
        *,
        position: int | None,
        until: datetime,
        put: Sequence[Delivery] = (),
        drop: Iterable[int] = (),
    ) -> Claim | None:
        """Move the position, hold the claim for longer, and write deliveries: all of it, or none.

        Args:
            claim: The claim in hand.
            position: Where the position is then.
            until: When the claim runs out then.
            put: Deliveries that are new, or replace those at their positions.
            drop: The positions of deliveries that are no more.

        Returns:
            The claim as it is now; None where the name was claimed anew meanwhile: then nothing was written.
        """
        ...

    def deliveries(self, name: str, *, parked: bool) -> list[Delivery]:
        """Those that are parked, or those that are not, in the order of the feed."""
        ...

    def release(self, name: str, id: str, *, now: datetime) -> bool:
        """Make a parked delivery one that is due, as if it never failed; whether there was one of this id."""
        ...


class MemoryOffsets:
    """Claims and deliveries that live as long as their process. One lock makes each call one moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: dict[str, Claim] = {}
        self._deliveries: dict[str, dict[int, Delivery]] = {}

    def claim(self, name: str, owner: str, *, now: datetime, until: datetime) -> Claim | None:
        """See `Offsets.claim`."""
        with self._lock:
            claim = next_claim(self._claims.get(name), name, owner, now, until)
            if claim is not None:
                self._claims[name] = claim
            return claim

    def holder(self, name: str) -> Claim | None:
        """See `Offsets.holder`."""
        with self._lock:
            return self._claims.get(name)

    def advance(
        self,
        claim: Claim,
        *,
        position: int | None,
        until: datetime,
        put: Sequence[Delivery] = (),
        drop: Iterable[int] = (),
    ) -> Claim | None:
        """See `Offsets.advance`."""
        with self._lock:
            if self._claims[claim.name].token != claim.token:
                return None
            kept = self._deliveries.setdefault(claim.name, {})
            for gone in drop:
                kept.pop(gone, None)
            kept.update((one.position, one) for one in put)
            self._claims[claim.name] = moved = attrs.evolve(claim, position=position, lease_until=until)
            return moved

    def deliveries(self, name: str, *, parked: bool) -> list[Delivery]:
        """See `Offsets.deliveries`."""
        with self._lock:
            kept = sorted(self._deliveries.get(name, {}).items())
        return [one for _, one in kept if (one.state == "parked") is parked]

    def release(self, name: str, id: str, *, now: datetime) -> bool:
        """See `Offsets.release`."""
        with self._lock:
            kept = self._deliveries.get(name, {})
            for one in kept.values():
                if one.id == id and one.state == "parked":
                    kept[one.position] = attrs.evolve(one, state="failing", tries=0, due_at=now)
                    return True
        return False


def next_claim(last: Claim | None, name: str, owner: str, now: datetime, until: datetime) -> Claim | None:
    """What becomes of a claim when an owner asks for it; None where it stays another's."""
    if last is None:
        return Claim(name=name, owner=owner, token=1, position=None, lease_until=until)
    if last.owner == owner:
        return attrs.evolve(last, lease_until=until)
    if last.lease_until > now:
        return None
    return attrs.evolve(last, owner=owner, token=last.token + 1, lease_until=until)
