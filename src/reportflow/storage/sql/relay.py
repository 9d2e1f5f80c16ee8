"""The claims and deliveries of relays in the tables ``relay`` and ``delivery``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy import Connection, Engine, RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from reportflow.model.values import time_text
from reportflow.storage.leases import Claim, Delivery, next_claim
from reportflow.storage.sql.engine import Backend
from reportflow.storage.sql.meanings import Border
from reportflow.storage.sql.tables import Tables


class SqlOffsets:
    """See `Offsets`. The token is compared inside the UPDATE, its row count is the verdict; no lock is relied on.

    Args:
        engine: In autocommit mode.
        tables: Those of the store.
        backend: The engine's row.
    """

    def __init__(self, engine: Engine, tables: Tables, backend: Backend) -> None:
        self._engine = engine
        self._relay = tables.relay
        self._delivery = tables.delivery
        self._backend = backend

    def claim(self, name: str, owner: str, *, now: datetime, until: datetime) -> Claim | None:
        """See `Offsets.claim`."""
        table = self._relay
        with self._connected() as connection:
            last = self._last(connection, name)
            claim = next_claim(last, name, owner, now, until)
            if claim is None:
                return None
            if last is None:
                try:
                    connection.execute(insert(table).values(_plain(claim)))
                except IntegrityError:
                    return None  # another one was faster
                return claim
            # the lease too: its owner may have held it for longer since it was read
            same = (table.c.token == last.token, table.c.lease_until == time_text(last.lease_until))
            held = {"owner": owner, "token": claim.token, "lease_until": time_text(until)}
            moved = connection.execute(update(table).where(table.c.name == name, *same).values(held))
            return claim if moved.rowcount == 1 else None

    def holder(self, name: str) -> Claim | None:
        """See `Offsets.holder`."""
        with self._connected() as connection:
            return self._last(connection, name)

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
        table, kept = self._relay, self._delivery
        mine = update(table).where(table.c.name == claim.name, table.c.token == claim.token)
        mine = mine.values(position=position, lease_until=time_text(until))
        gone = sorted({*drop, *(one.position for one in put)})
        with self._connected() as connection:
            if not gone:
                return _moved(claim, position, until) if connection.execute(mine).rowcount == 1 else None
            with self._transaction(connection):
                if connection.execute(mine).rowcount != 1:
                    return None
                connection.execute(delete(kept).where(kept.c.relay == claim.name, kept.c.position.in_(gone)))
                if put:
                    rows = [{"relay": claim.name, **_plain(one)} for one in put]
                    connection.execute(insert(kept), rows)
            return _moved(claim, position, until)

    def deliveries(self, name: str, *, parked: bool) -> list[Delivery]:
        """See `Offsets.deliveries`."""
        table = self._delivery
        these = table.c.state == "parked" if parked else table.c.state != "parked"
        asked = select(table).where(table.c.relay == name, these).order_by(table.c.position)
        with self._connected() as connection:
            return [_delivery(row) for row in connection.execute(asked).mappings()]

    def release(self, name: str, id: str, *, now: datetime) -> bool:
        """See `Offsets.release`."""
        table = self._delivery
        due = {"state": "failing", "tries": 0, "due_at": time_text(now)}
        for one in self.deliveries(name, parked=True):
            if one.id == id:
                its = (table.c.relay == name, table.c.position == one.position, table.c.state == "parked")
                with self._connected() as connection:
                    return connection.execute(update(table).where(*its).values(due)).rowcount == 1
        return False

    # ---------------------------------------------------------------------------------------------------------------

    def _last(self, connection: Connection, name: str) -> Claim | None:
        table = self._relay
        row = connection.execute(select(table).where(table.c.name == name)).mappings().one_or_none()
        return None if row is None else Claim(**{**row, "lease_until": datetime.fromisoformat(row["lease_until"])})

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with Border(self._engine), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _transaction(self, connection: Connection) -> Iterator[None]:
        connection.exec_driver_sql(self._backend.begin)
        try:
            yield
            connection.exec_driver_sql("COMMIT")
        except Exception:
            with suppress(Exception):  # what went wrong first is what must be heard
                connection.exec_driver_sql("ROLLBACK")
            raise
        except BaseException:  # whoever is stopped in the middle leaves no half of it behind
            connection.invalidate()
            raise


def _moved(claim: Claim, position: int | None, until: datetime) -> Claim:
    return attrs.evolve(claim, position=position, lease_until=until)


def _plain(value: Claim | Delivery) -> dict[str, Any]:
    plain = attrs.asdict(value)
    return {name: time_text(one) if isinstance(one, datetime) else one for name, one in plain.items()}


def _delivery(row: RowMapping) -> Delivery:
    plain = {name: one for name, one in row.items() if name != "relay"}
    return Delivery(**{**plain, "due_at": datetime.fromisoformat(row["due_at"])})
