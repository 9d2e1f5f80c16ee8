"""What the portal keeps beside the records: drafts of forms, saved views, who has a form open, who read what is secret.

It stands in tables of the portal's own, ``{prefix}web_…``, and is never part of a history. On an SQL store they are in
the same database; for any other store they are kept in memory, unless the portal is given
a `PortalStore` on a database.

Each call is one or two short statements in a transaction of its own.
"""

from __future__ import annotations

import json
import secrets
import weakref
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeVar

import anyio
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import StaticPool

from reportflow.errors import StorageBusy, StorageError, StorageUnavailable
from reportflow.model.actor import Secrecy
from reportflow.model.values import time_text
from reportflow.storage.sql.dialects import in_memory, translate_driver_errors
from reportflow.storage.sql.pool import make_engine
from reportflow.storage.sql.schema import PREFIX, Tables
from reportflow.web.calling import Caller
from reportflow.web.portal_tables import make_web_tables

T = TypeVar("T")

#: For how long a draft is kept that nobody goes on with.
DRAFT_KEPT: Final = timedelta(days=30)
#: For how long a person counts as having a form open that they opened and did not send.
FORM_OPEN: Final = timedelta(minutes=30)
#: How many drafts and how many saved views a person has at the most. Of drafts, the oldest ones go.
DRAFTS: Final = 100
VIEWS: Final = 100
_SWEPT_EVERY: Final = timedelta(hours=1)
#: How often making the tables is tried: another process may be a table ahead each time.
_TRIES: Final = 8
#: How long names and words may be, see `reportflow.storage.sql.schema`.
_NAME, _WORD = 255, 100


class Draft(NamedTuple):
    """What a person typed into a form and has not sent.

    Attributes:
        actor: Whose it is.
        record: The id of the record; of a new one its kind, after a colon.
        trigger: Which form.
        tab: In which tab of the browser, so that two tabs do not overwrite each other; blank without script.
        head: The head of the record that the form showed; blank for a new one.
        fields: The fields of the form: name -> values.
        saved_at: When.
    """

    actor: str
    record: str
    trigger: str
    tab: str
    head: str
    fields: Mapping[str, Sequence[str]]
    saved_at: datetime


class Presence(NamedTuple):
    """A person who has a form of a record open."""

    actor: str
    name: str
    trigger: str
    opened_at: datetime


class Reading(NamedTuple):
    """That a person read a record above internal secrecy."""

    actor: str
    name: str
    record: str
    secrecy: Secrecy
    at: datetime


def _now() -> datetime:
    return datetime.now(UTC)


class PortalStore:
    """Drafts, saved views, open forms and readings, in a database.

    Args:
        database: A database URL or an engine, which then stays the host's to dispose of; in memory unless given.
        prefix: What the tables' names begin with.
        schema: The database schema that they are in.
        create: Whether to make the tables where there are none, at the first call.
        clock: Gives the time, aware.
    """

    def __init__(
        self,
        database: str | sa.Engine | AsyncEngine | None = None,
        *,
        prefix: str = PREFIX,
        schema: str | None = None,
        create: bool = True,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        if database is None:
            self._engine: sa.Engine | AsyncEngine = sa.create_engine(
                "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
            )
        else:
            self._engine = make_engine(database) if isinstance(database, str) else database
        if database is None or isinstance(database, str):
            weakref.finalize(self, self._engine.dispose)
        self._tables = make_web_tables(prefix=prefix, schema=schema)
        self._made = not create
        self._clock = clock
        self._swept = datetime.min.replace(tzinfo=UTC)
        # one connection for all threads takes one call at a time
        self._caller = Caller(threads=1 if database is None else 4, timeout=10.0)

    @classmethod
    def of(cls, store: object) -> PortalStore:
        """That beside a store: in its database where it is an SQL store, else in memory."""
        engine, tables = getattr(store, "engine", None), getattr(store, "tables", None)
        if isinstance(engine, sa.Engine | AsyncEngine) and isinstance(tables, Tables) and not in_memory(engine.url):
            record = tables.record
            return cls(engine, prefix=record.name.removesuffix("record"), schema=record.schema)
        return cls()

    async def _run(self, work: Callable[[sa.Connection], T]) -> T:
        """The result of some statements, in one transaction."""
        for tries_left in () if self._made else reversed(range(_TRIES)):
            try:
                await self._transaction(self._tables.metadata.create_all)
            except (SQLAlchemyError, StorageError) as error:
                # another process may make the same tables at the same moment, one after another
                if not tries_left or (isinstance(error, StorageUnavailable) and not isinstance(error, StorageBusy)):
                    raise
                await anyio.sleep(0.02)
            else:
                self._made = True
                break
        return await self._transaction(work)

    async def _transaction(self, work: Callable[[sa.Connection], T]) -> T:
        engine = self._engine
        done: T
        if isinstance(engine, AsyncEngine):
            done = await self._caller(_awaited, engine, work)
        else:
            done = await self._caller(_blocking, engine, work)
        return done

    async def _put(self, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
        """Write one row: the one that is there, or another; gives whether it is another."""
        same = sa.and_(*(table.c[name] == value for name, value in key.items()))

        def update(connection: sa.Connection) -> bool:
            return connection.execute(sa.update(table).where(same).values(values)).rowcount > 0

        if await self._run(update):
            return False
        if await self._insert(table, {**key, **values}):
            return True
        await self._run(update)
        return False

    async def _insert(self, table: sa.Table, row: Mapping[str, Any]) -> bool:
        """Write a new row; False where another process was faster."""

        def insert(connection: sa.Connection) -> bool:
            connection.execute(sa.insert(table).values(row))
            return True

        try:
            return await self._run(insert)
        except StorageError as error:
            if isinstance(error.__cause__, IntegrityError):
                return False
            raise

    async def _sweep(self) -> None:
        """Delete what is too old; once an hour, since nobody waits for it."""
        now, tables = self._clock(), self._tables
        if now - self._swept < _SWEPT_EVERY:
            return
        self._swept = now

        def sweep(connection: sa.Connection) -> None:
            draft, presence = tables.draft.c.saved_at, tables.presence.c.opened_at
            connection.execute(sa.delete(tables.draft).where(draft < time_text(now - DRAFT_KEPT)))
            connection.execute(sa.delete(tables.presence).where(presence < time_text(now - FORM_OPEN)))

        await self._run(sweep)

    # -- drafts --------------------------------------------------------------------------------------------------

    async def save_draft(self, draft: Draft) -> datetime:
        """Keep a draft in place of the one of the same form and tab; gives the time by which it is kept.

        A person has `DRAFTS` at the most: behind these, the oldest one makes room.
        """
        await self._sweep()
        now = self._clock()
        key = {"actor": draft.actor, "record": draft.record, "trigger": draft.trigger, "tab": _word(draft.tab)}
        fields = json.dumps({name: list(values) for name, values in draft.fields.items()}, ensure_ascii=False)
        values = {"head": _word(draft.head), "fields": fields, "saved_at": time_text(now)}
        if await self._put(self._tables.draft, key, values):
            await self._make_room(draft.actor)
        return now

    async def _make_room(self, actor: str) -> None:
        """Delete the oldest of a person's drafts, where they are too many."""
        table = self._tables.draft
        own = table.c.actor == actor
        behind = sa.select(table.c.saved_at).where(own).order_by(table.c.saved_at.desc()).offset(DRAFTS).limit(1)

        def work(connection: sa.Connection) -> None:
            last = connection.execute(behind).scalar()
            if last is not None:
                connection.execute(sa.delete(table).where(own, table.c.saved_at <= last))

        await self._run(work)

    async def drafts(self, actor: str, record: str | None = None, trigger: str | None = None) -> list[Draft]:
        """A person's drafts, of one form or of all, the newest first, a hundred at the most."""
        table = self._tables.draft

        def work(connection: sa.Connection) -> Sequence[Any]:
            found = sa.select(table).where(table.c.actor == actor, table.c.saved_at >= oldest)
            found = found.order_by(table.c.saved_at.desc())
            if record is not None:
                found = found.where(table.c.record == record)
            if trigger is not None:
                found = found.where(table.c.trigger == trigger)
            return connection.execute(found.limit(DRAFTS)).all()

        oldest = time_text(self._clock() - DRAFT_KEPT)
        return [
            Draft(row.actor, row.record, row.trigger, row.tab, row.head, json.loads(row.fields), _time(row.saved_at))
            for row in await self._run(work)
        ]

    async def drop_drafts(
        self, actor: str, record: str | None = None, trigger: str | None = None, tab: str | None = None
    ) -> None:
        """Delete a person's drafts of a tab, a form, a record, or all."""
        table = self._tables.draft
        gone = sa.delete(table).where(table.c.actor == actor)
        for name, value in (("record", record), ("trigger", trigger), ("tab", None if tab is None else _word(tab))):
            if value is not None:
                gone = gone.where(table.c[name] == value)
        await self._run(lambda connection: connection.execute(gone))

    # -- saved views ---------------------------------------------------------------------------------------------

    async def save_view(self, actor: str, name: str, query: str) -> None:
        """Keep the query of a list under a name, in place of the one of that name."""
        await self._put(
            self._tables.view,
            {"actor": actor, "name": _word(name)},
            {"query": query, "saved_at": time_text(self._clock())},
        )

    async def views(self, actor: str) -> dict[str, str]:
        """A person's saved views: name -> query, by name."""
        table = self._tables.view
        found = sa.select(table.c.name, table.c.query).where(table.c.actor == actor).order_by(table.c.name).limit(VIEWS)
        rows = await self._run(lambda connection: connection.execute(found).all())
        return {row.name: row.query for row in rows}

    async def drop_view(self, actor: str, name: str) -> None:
        """Delete a saved view."""
        table = self._tables.view
        gone = sa.delete(table).where(table.c.actor == actor, table.c.name == _word(name))
        await self._run(lambda connection: connection.execute(gone))

    # -- who has a form open -------------------------------------------------------------------------------------

    async def open_form(self, record: str, actor: str, name: str, trigger: str) -> None:
        """Note that a person has opened a form of a record."""
        await self._sweep()
        values = {"name": name[:_NAME], "trigger": trigger, "opened_at": time_text(self._clock())}
        await self._put(self._tables.presence, {"record": record, "actor": actor}, values)

    async def close_form(self, record: str, actor: str) -> None:
        """Note that they have sent it, or left it."""
        table = self._tables.presence
        gone = sa.delete(table).where(table.c.record == record, table.c.actor == actor)
        await self._run(lambda connection: connection.execute(gone))

    async def present(self, record: str, *, but: str) -> list[Presence]:
        """Who else has a form of a record open, the last one first."""
        table = self._tables.presence
        since = time_text(self._clock() - FORM_OPEN)
        found = (
            sa.select(table)
            .where(table.c.record == record, table.c.actor != but, table.c.opened_at >= since)
            .order_by(table.c.opened_at.desc())
            .limit(10)
        )
        rows = await self._run(lambda connection: connection.execute(found).all())
        return [Presence(row.actor, row.name, row.trigger, _time(row.opened_at)) for row in rows]

    # -- who read what is secret ---------------------------------------------------------------------------------

    async def note_reading(self, actor: str, name: str, record: str, secrecy: Secrecy) -> None:
        """Note that a person read a record above internal secrecy."""
        await self.note_readings(actor, name, {record: secrecy})

    async def note_readings(self, actor: str, name: str, secrecies: Mapping[str, Secrecy]) -> None:
        """Note that a person read some records above internal secrecy, by their ids, all at once."""
        at = time_text(self._clock())
        rows = [
            {"actor": actor, "name": name[:_NAME], "record": record, "secrecy": secrecy.value, "at": at}
            for record, secrecy in secrecies.items()
        ]
        if rows:  # in one statement, however many there are
            await self._run(lambda connection: connection.execute(sa.insert(self._tables.read).values(rows)))

    async def readings(self, records: Sequence[str] | None = None, *, limit: int = 200) -> list[Reading]:
        """Who read secret records, of some or of all, the last one first."""
        table = self._tables.read
        found = sa.select(table).order_by(table.c.id.desc()).limit(limit)
        if records is not None:
            found = found.where(table.c.record.in_(list(records)))
        rows = await self._run(lambda connection: connection.execute(found).all())
        return [Reading(row.actor, row.name, row.record, Secrecy(row.secrecy), _time(row.at)) for row in rows]

    # -- the key of signatures -----------------------------------------------------------------------------------

    async def secret(self) -> bytes:
        """The key of the portal's signatures: made once, the same in every process."""
        table = self._tables.secret
        found = sa.select(table.c.value).where(table.c.name == "signing")
        made = await self._run(lambda connection: connection.execute(found).scalar())
        if made is None:
            await self._insert(table, {"name": "signing", "value": secrets.token_hex(32)})
            made = await self._run(lambda connection: connection.execute(found).scalar())
        return bytes.fromhex(str(made))


def _blocking(engine: sa.Engine, work: Callable[[sa.Connection], T]) -> T:
    """One transaction of an engine that blocks."""
    with translate_driver_errors(engine), engine.begin() as connection:
        return work(connection)


async def _awaited(engine: AsyncEngine, work: Callable[[sa.Connection], T]) -> T:
    """One transaction of an asynchronous engine."""
    with translate_driver_errors(engine.sync_engine):
        async with engine.begin() as connection:
            return await connection.run_sync(work)


def _word(text: str) -> str:
    """What a browser says, as a column of names has room for it."""
    return text.replace("\x00", "")[:_WORD]


def _time(written: str) -> datetime:
    return datetime.fromisoformat(written)
