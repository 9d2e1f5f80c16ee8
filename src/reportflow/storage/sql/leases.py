"""The leases and deliveries of relays in the tables ``relay`` and ``delivery``.

Two words of the tables are older than those of `reportflow.storage.leases`: the column ``owner`` has the holder of a
lease, and a delivery in the state ``parked`` is a dead letter. Programs may read the tables, so they stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final

import attrs
from sqlalchemy import delete, insert, select, update

from reportflow.model.values import time_text
from reportflow.storage.closing import Closed
from reportflow.storage.leases import Delivery, Lease, next_lease
from reportflow.storage.sql.dialects import is_conflict
from reportflow.storage.sql.executor import Executor, OpenExecutor, Row
from reportflow.storage.sql.statements import StatementCache, bound, equals

_PARKED: Final = "parked"
_LEASE: Final = ("name", "owner", "token", "position", "lease_until")
_DELIVERY: Final = ("position", "record_id", "sequence", "state", "tries", "due_at", "error")


class SqlLeases:
    """See `Leases`. The fencing token is compared inside the UPDATE, whose row count is the verdict, without a lock."""

    def __init__(
        self,
        statements: StatementCache,
        checkout: OpenExecutor,
        transaction: Callable[[Executor], AbstractContextManager[None]],
    ) -> None:
        self._checkout = checkout
        self._transaction = transaction
        self._url = statements.url
        self._backend = statements.backend
        self._conflicts = statements.conflicts
        lease, delivery = statements.tables.relay, statements.tables.delivery
        name, token = equals(lease.c.name, "its_name"), equals(lease.c.token, "its_token")
        until = equals(lease.c.lease_until, "its_until")
        relay, position = equals(delivery.c.relay, "its_relay"), equals(delivery.c.position, "its_position")
        parked = delivery.c.state == _PARKED
        prepare = statements.prepare
        self._current = prepare(select(*(lease.c[one] for one in _LEASE)).where(name))
        self._insert = prepare(insert(lease).values(bound(*_LEASE)))
        self._acquire = prepare(update(lease).where(name, token, until).values(bound("owner", "token", "lease_until")))
        self._advance = prepare(update(lease).where(name, token).values(bound("position", "lease_until")))
        self._put = prepare(insert(delivery).values(bound("relay", *_DELIVERY)))
        self._drop = prepare(delete(delivery).where(relay, position))
        found = select(*(delivery.c[one] for one in _DELIVERY)).order_by(delivery.c.position)
        self._open = prepare(found.where(relay, ~parked))
        self._dead = prepare(found.where(relay, parked))
        again = {"state": "failing", "tries": 0, **bound("due_at")}
        self._requeue = prepare(update(delivery).where(relay, position, parked).values(again))

    def close(self) -> None:
        """No call reaches the database any more: the store was closed."""
        self._checkout = Closed(self._url)

    def acquire(self, name: str, holder: str, *, now: datetime, until: datetime) -> Lease | None:
        """See `Leases.acquire`."""
        with self._checkout() as executor:
            last = self._last(executor, name)
            lease = next_lease(last, name, holder, now, until)
            if lease is None:
                return None
            if last is None:
                try:
                    executor.write(self._insert, _lease_row(lease))
                except self._conflicts:
                    return None  # another relay was faster
                return lease
            # the expiry too: its holder may have renewed it since it was read
            seen = {"its_name": name, "its_token": last.token, "its_until": time_text(last.expires_at)}
            try:
                return lease if executor.write(self._acquire, {**_lease_row(lease), **seen}) == 1 else None
            except Exception as error:
                if not is_conflict(self._backend, error):
                    raise
                return None

    def current(self, name: str) -> Lease | None:
        """See `Leases.current`."""
        with self._checkout() as executor:
            return self._last(executor, name)

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
        after = attrs.evolve(lease, position=position, expires_at=until)
        moved = {**_lease_row(after), "its_name": lease.name, "its_token": lease.token}
        gone = sorted({*drop, *(one.position for one in put)})
        with self._checkout() as executor:
            if not gone:
                return after if executor.write(self._advance, moved) == 1 else None
            with self._transaction(executor):
                if executor.write(self._advance, moved) != 1:
                    return None
                rows = [{"its_relay": lease.name, "its_position": number} for number in gone]
                executor.write_all(self._drop, rows)
                if put:
                    executor.write_all(self._put, [_delivery_row(lease.name, one) for one in put])
            return after

    def deliveries(self, name: str, *, dead: bool) -> list[Delivery]:
        """See `Leases.deliveries`."""
        with self._checkout() as executor:
            rows = executor.read(self._dead if dead else self._open, {"its_relay": name})
            return [_delivery(row) for row in rows]

    def requeue(self, name: str, id: str, *, now: datetime) -> bool:
        """See `Leases.requeue`."""
        positions = [one.position for one in self.deliveries(name, dead=True) if one.id == id]
        with self._checkout() as executor:
            rows = [{"its_relay": name, "its_position": number, "due_at": time_text(now)} for number in positions]
            return any(executor.write(self._requeue, row) == 1 for row in rows)

    def _last(self, executor: Executor, name: str) -> Lease | None:
        rows = executor.read(self._current, {"its_name": name})
        return _lease(rows[0]) if rows else None


def _lease_row(lease: Lease) -> dict[str, Any]:
    until = time_text(lease.expires_at)
    return dict(zip(_LEASE, (lease.name, lease.holder, lease.token, lease.position, until), strict=True))


def _lease(row: Row) -> Lease:
    name, holder, token, position, until = row
    expires_at = datetime.fromisoformat(until)
    return Lease(name=name, holder=holder, token=token, position=position, expires_at=expires_at)


def _delivery_row(relay: str, delivery: Delivery) -> dict[str, Any]:
    state = _PARKED if delivery.state == "dead" else delivery.state
    return {**attrs.asdict(delivery), "relay": relay, "state": state, "due_at": time_text(delivery.due_at)}


def _delivery(row: Row) -> Delivery:
    fields = dict(zip(_DELIVERY, row, strict=True))
    state = "dead" if fields["state"] == _PARKED else fields["state"]
    return Delivery(**{**fields, "state": state, "due_at": datetime.fromisoformat(fields["due_at"])})
