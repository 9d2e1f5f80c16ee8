"""What the portal keeps beside the records: drafts of forms, saved views, who has a form open, who read what is secret.

It stands in tables of the portal's own, ``{prefix}web_…``, and is never part of a history. On an SQL store they are in
the same database; for any other store they are kept in memory, unless the portal is given
a `PortalStore` on a database.

Each call is one or two short statements in a transaction of its own.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeVar

import attrs
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import StaticPool

from reportflow.model.actor import Secrecy
from reportflow.model.values import time_text
from reportflow.storage.sql.dialects import in_memory, translate_driver_errors
from reportflow.storage.sql.schema import NAME, PREFIX, TIME, WORD, Tables, text
from reportflow.web.calling import Caller

T = TypeVar("T")

#: For how long a draft is kept that nobody goes on with.
DRAFT_KEPT: Final = timedelta(days=30)
#: For how long somebody counts as having a form open that they opened and did not send.
FORM_OPEN: Final = timedelta(minutes=30)


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


@attrs.frozen
class _Tables:
    """The portal's tables."""

    draft: sa.Table
    view: sa.Table
    presence: sa.Table
    read: sa.Table
    secret: sa.Table
    metadata: sa.MetaData


def make_web_tables(metadata: sa.MetaData | None = None, *, prefix: str = PREFIX, schema: str | None = None) -> _Tables:
    """Put the portal's tables into a `MetaData`, one of their own unless given: for a host's own migrations."""
    held = sa.MetaData() if metadata is None else metadata

    def table(name: str, *columns: sa.Column[Any]) -> sa.Table:
        engine: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_default_charset": "utf8mb4"}
        return sa.Table(f"{prefix}web_{name}", held, *columns, schema=schema, **engine)

    def key(name: str, kind: sa.String = NAME) -> sa.Column[Any]:
        return sa.Column(name, kind, primary_key=True)

    draft = table(
        "draft",
        key("actor"),
        key("record"),
        key("trigger", WORD),
        key("tab", WORD),
        sa.Column("head", WORD, nullable=False),
        sa.Column("fields", text(), nullable=False, comment="JSON"),
        sa.Column("saved_at", TIME, nullable=False),
    )
    view = table(
        "view", key("actor"), key("name", WORD), sa.Column("query", text(), nullable=False), sa.Column("saved_at", TIME)
    )
    presence = table(
        "presence",
        key("record"),
        key("actor"),
        sa.Column("name", NAME, nullable=False),
        sa.Column("trigger", WORD, nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
    )
    read = table(
        "read",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("actor", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("record", NAME, nullable=False),
        sa.Column("secrecy", WORD, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    sa.Index(f"{prefix}web_read_record", read.c.record, read.c.id)
    secret = table("secret", key("name", WORD), sa.Column("value", WORD, nullable=False))
    return _Tables(draft, view, presence, read, secret, held)


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
            self._engine = sa.create_engine(database) if isinstance(database, str) else database
        self._tables = make_web_tables(prefix=prefix, schema=schema)
        self._made = not create
        self._clock = clock
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

        def whole(connection: sa.Connection) -> T:
            if not self._made:
                self._tables.metadata.create_all(connection)
            return work(connection)

        engine = self._engine
        if isinstance(engine, AsyncEngine):
            with translate_driver_errors(engine.sync_engine):
                async with engine.begin() as connection:
                    done = await connection.run_sync(whole)
        else:

            def in_a_thread() -> T:
                with translate_driver_errors(engine), engine.begin() as connection:
                    return whole(connection)

            done = await self._caller(in_a_thread)
        self._made = True
        return done

    async def _put(self, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Write one row: the one that is there, or another."""
        same = sa.and_(*(table.c[name] == value for name, value in key.items()))

        def update(connection: sa.Connection) -> bool:
            return connection.execute(sa.update(table).where(same).values(values)).rowcount > 0

        if not await self._run(update) and not await self._insert(table, {**key, **values}):
            await self._run(update)

    async def _insert(self, table: sa.Table, row: Mapping[str, Any]) -> bool:
        """Write a new row; False where another process was faster."""

        def insert(connection: sa.Connection) -> bool:
            try:
                connection.execute(sa.insert(table).values(row))
            except IntegrityError:
                return False
            return True

        return await self._run(insert)

    # -- drafts --------------------------------------------------------------------------------------------------

    async def save_draft(self, draft: Draft) -> datetime:
        """Keep a draft in place of the one of the same form and tab; gives the time by which it is kept."""
        now = self._clock()
        key = {"actor": draft.actor, "record": draft.record, "trigger": draft.trigger, "tab": draft.tab}
        fields = json.dumps({name: list(values) for name, values in draft.fields.items()}, ensure_ascii=False)
        await self._put(self._tables.draft, key, {"head": draft.head, "fields": fields, "saved_at": time_text(now)})
        return now

    async def drafts(self, actor: str, record: str | None = None, trigger: str | None = None) -> list[Draft]:
        """A person's drafts, of one form or of all, the newest first; those that are too old are deleted."""
        table = self._tables.draft

        def work(connection: sa.Connection) -> Sequence[Any]:
            found = sa.select(table).where(table.c.actor == actor).order_by(table.c.saved_at.desc())
            if record is not None:
                found = found.where(table.c.record == record)
            if trigger is not None:
                found = found.where(table.c.trigger == trigger)
            return connection.execute(found.limit(100)).all()

        oldest = self._clock() - DRAFT_KEPT
        drafts = [
            Draft(row.actor, row.record, row.trigger, row.tab, row.head, json.loads(row.fields), _time(row.saved_at))
            for row in await self._run(work)
        ]
        if any(one.saved_at < oldest for one in drafts):
            old = sa.delete(table).where(table.c.saved_at < time_text(oldest))
            await self._run(lambda connection: connection.execute(old))
        return [one for one in drafts if one.saved_at >= oldest]

    async def drop_drafts(
        self, actor: str, record: str | None = None, trigger: str | None = None, tab: str | None = None
    ) -> None:
        """Delete a person's drafts of a tab, a form, a record, or all."""
        table = self._tables.draft
        gone = sa.delete(table).where(table.c.actor == actor)
        for name, value in (("record", record), ("trigger", trigger), ("tab", tab)):
            if value is not None:
                gone = gone.where(table.c[name] == value)
        await self._run(lambda connection: connection.execute(gone))

    # -- saved views ---------------------------------------------------------------------------------------------

    async def save_view(self, actor: str, name: str, query: str) -> None:
        """Keep the query of a list under a name, in place of the one of that name."""
        await self._put(
            self._tables.view, {"actor": actor, "name": name}, {"query": query, "saved_at": time_text(self._clock())}
        )

    async def views(self, actor: str) -> dict[str, str]:
        """A person's saved views: name -> query, by name."""
        table = self._tables.view
        found = sa.select(table.c.name, table.c.query).where(table.c.actor == actor).order_by(table.c.name).limit(100)
        rows = await self._run(lambda connection: connection.execute(found).all())
        return {row.name: row.query for row in rows}

    async def drop_view(self, actor: str, name: str) -> None:
        """Delete a saved view."""
        table = self._tables.view
        gone = sa.delete(table).where(table.c.actor == actor, table.c.name == name)
        await self._run(lambda connection: connection.execute(gone))

    # -- who has a form open -------------------------------------------------------------------------------------

    async def open_form(self, record: str, actor: str, name: str, trigger: str) -> None:
        """Note that a person has opened a form of a record."""
        values = {"name": name, "trigger": trigger, "opened_at": time_text(self._clock())}
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
            {"actor": actor, "name": name, "record": record, "secrecy": secrecy.value, "at": at}
            for record, secrecy in secrecies.items()
        ]
        if rows:
            await self._run(lambda connection: connection.execute(sa.insert(self._tables.read), rows))

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


def _time(written: str) -> datetime:
    return datetime.fromisoformat(written)
