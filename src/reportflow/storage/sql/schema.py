"""The tables. Name prefix, schema and `MetaData` are the host's to choose; there are no triggers.

``record`` holds each record as it is: what is found by stands in columns of its own, the rest of its class in
``data``. ``entry`` is the append-only history, in one line for all records (`position`). ``label`` holds what a record
has several of, its authors and topics. ``meta`` says which version of the tables this is. ``relay`` says how far each
relay has read the feed, and ``delivery`` which entries it read and could not hand out yet.

Times are texts in UTC of one width, so that they sort as the times do, to the microsecond. Texts are compared by code
point on every engine, blanks at the end and accents included: the columns name the collation.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any, Final

import attrs
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import mysql, postgresql

from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.model.values import field_names
from reportflow.serialization.digest import Sealed

#: The version of the tables that this library reads and writes: the latest revision in `migrations`.
SCHEMA_VERSION: Final = "1"
PREFIX: Final = "reportflow_"
#: The first rows of the table ``meta``: the version of the tables, and the last position of the feed.
FIRST_ROWS: Final = ({"name": "schema_version", "value": SCHEMA_VERSION}, {"name": "position", "value": "0"})

#: The name of a row of ``meta`` that is there while a `restore` is under way.
RESTORING: Final = "restoring"

#: The fields that every record has; each is a column.
BASE: Final = field_names(Record)
#: The columns that a record is read from. The fields of the classes derived from `Record` are in the last two.
RECORD_COLUMNS: Final = (*BASE, "text", "data")
#: The columns that an entry is read from; its details are read last, for which the others say the class. What it
#: erased stands in the details.
ENTRY_COLUMNS: Final = tuple(name for name in field_names(Entry) if name not in ("details", "erased"))
#: The columns of what is stored of an entry, as `Sealed` has them.
SEALED_COLUMNS: Final = Sealed._fields
#: The columns of what can be erased of an entry, and the salt of its commitment.
CONTENT_COLUMNS: Final = ("actor", "reason", "details", "party", "salt")

_BINARY: Final[dict[str, Any]] = {"charset": "utf8mb4", "collation": "utf8mb4_nopad_bin"}


def varchar(length: int) -> sa.String:
    """A short text, compared by code point."""
    exact = sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")
    return exact.with_variant(mysql.VARCHAR(length, **_BINARY), "mysql", "mariadb")


def text() -> sa.Text:
    """A text of any length, compared by code point."""
    exact = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
    return exact.with_variant(mysql.LONGTEXT(**_BINARY), "mysql", "mariadb")


#: Ids and names: as long as an index may be on every engine.
NAME: Final = varchar(255)
#: Kinds, states and triggers, which definitions name.
WORD: Final = varchar(100)
TIME: Final = varchar(32)
#: SHA-256 in hexadecimal digits.
DIGEST: Final = varchar(64)
#: Counts by itself; in SQLite only under this name.
_COUNTER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


@attrs.frozen(kw_only=True)
class Tables:
    """The six tables of one store."""

    record: sa.Table
    entry: sa.Table
    label: sa.Table
    meta: sa.Table
    relay: sa.Table
    delivery: sa.Table

    @property
    def all(self) -> list[sa.Table]:
        """All six, in the order of their foreign keys."""
        return [self.record, self.entry, self.label, self.meta, self.relay, self.delivery]


def make_tables(metadata: sa.MetaData | None, *, prefix: str = PREFIX, schema: str | None = None) -> Tables:
    """Put the tables into a `MetaData`, one of their own unless given. Two prefixes make two stores in one database.

    A second time they are those of the first. ``metadata.create_all`` makes them as a store would: it may then be
    opened on them.

    Raises:
        sqlalchemy.exc.InvalidRequestError: the `MetaData` has another table of such a name.
    """
    metadata = sa.MetaData() if metadata is None else metadata
    known: dict[tuple[str, str | None], Tables] = metadata.info.setdefault("reportflow", {})
    made = known.get((prefix, schema))
    if made is None or made.meta.key not in metadata.tables:
        made = known[prefix, schema] = _define(metadata, prefix, schema)
        event.listen(metadata, "after_create", partial(_insert_first_rows, made.meta))
    return made


def _insert_first_rows(
    meta: sa.Table, _: sa.MetaData, connection: sa.Connection, *, tables: Collection[sa.Table] = (), **__: object
) -> None:
    """Note in new tables which version they are."""
    if meta in tables:
        connection.execute(sa.insert(meta), list(FIRST_ROWS))


def _define(metadata: sa.MetaData, prefix: str, schema: str | None) -> Tables:
    def table(name: str, *columns: sa.Column[Any]) -> sa.Table:
        engine: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_default_charset": "utf8mb4"}
        return sa.Table(f"{prefix}{name}", metadata, *columns, schema=schema, **engine)

    def index(on: sa.Table, name: str, *columns: str, unique: bool = False, only: Any = None) -> None:
        """An index; where the engine can, of some rows `only`."""
        some = {} if only is None else {"sqlite_where": only, "postgresql_where": only}
        sa.Index(f"{on.name}_{name}", *(on.c[column] for column in columns), unique=unique, **some)

    record = table(
        "record",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("head", DIGEST, nullable=False, comment="the digest of its last entry"),
        sa.Column("lifecycle_version", sa.Integer, nullable=False),
        sa.Column("unit", NAME, nullable=False),
        sa.Column("parent", NAME),
        sa.Column("title", text(), nullable=False),
        sa.Column("category", NAME, nullable=False),
        sa.Column("assignee", NAME),
        sa.Column("due_at", TIME, nullable=False, comment="'never' where there is none, so that it sorts last"),
        sa.Column("secrecy", WORD, nullable=False),
        sa.Column("created_by", NAME, nullable=False),
        sa.Column("created_for", NAME),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("text", text()),
        sa.Column("data", text(), nullable=False, comment="JSON: the class and its other fields"),
        sa.Column("folded", text(), nullable=False, comment="the title and the text without case, to be searched"),
    )
    index(record, "queue", "kind", "state", "due_at", "created_at", "id")
    # the same for one unit, and all that is of it; without the kind, with which MariaDB has no room for the key
    index(record, "unit", "unit", "state", "due_at", "created_at", "id")
    index(record, "creator", "created_by")
    index(record, "changed", "updated_at", "id")
    index(record, "kind", "kind", "lifecycle_version")
    index(record, "line", "kind", "created_at", "id")
    index(record, "age", "created_at", "id")
    index(record, "parent", "parent")
    entry = table(
        "entry",
        sa.Column("id", _COUNTER, primary_key=True, autoincrement=True),
        sa.Column("record_id", NAME, sa.ForeignKey(record.c.id), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column(
            "position", sa.BigInteger, comment="in the feed; NULL until it is read there, where commits overtake"
        ),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("lifecycle_version", sa.Integer, nullable=False),
        sa.Column("trigger", WORD, nullable=False),
        sa.Column("source", WORD),
        sa.Column("dest", WORD, nullable=False),
        sa.Column("actor_id", NAME, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("precision", WORD, comment="of the time `at`; NULL until used"),
        sa.Column("cause", varchar(300)),
        sa.Column("cause_digest", DIGEST),
        sa.Column("key", NAME),
        sa.Column("secrecy", WORD, nullable=False, comment="the higher one of before and after"),
        sa.Column("audience", text(), comment="the roles that may read it, sorted, joined by commas"),
        sa.Column("level", NAME),
        sa.Column("code", NAME),
        sa.Column("retracts", sa.Integer),
        sa.Column("irregular", WORD, comment="of an act outside the table; NULL until used"),
        sa.Column("actor", text(), nullable=False, comment="JSON"),
        sa.Column("reason", text(), nullable=False),
        sa.Column("details", text(), comment="JSON"),
        sa.Column("party", NAME),
        sa.Column("salt", varchar(32), nullable=False),
        sa.Column("commitment", DIGEST, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
    )
    index(entry, "sequence", "record_id", "sequence", unique=True)
    index(entry, "position", "position", unique=True)
    index(entry, "key", "actor_id", "key", unique=True)
    index(entry, "happened", "trigger", "at", "record_id")
    index(entry, "retracts", "record_id", "retracts", only=entry.c.retracts.is_not(None))
    label = table(
        "label",
        sa.Column("record_id", NAME, sa.ForeignKey(record.c.id), primary_key=True),
        sa.Column("name", WORD, primary_key=True),
        sa.Column("value", NAME, primary_key=True),
    )
    index(label, "value", "name", "value", "record_id")
    meta = table("meta", sa.Column("name", NAME, primary_key=True), sa.Column("value", text(), nullable=False))
    relay = table(
        "relay",
        sa.Column("name", NAME, primary_key=True),
        sa.Column("position", sa.BigInteger, comment="in the feed, read up to here; NULL: nothing yet"),
        sa.Column("owner", NAME, nullable=False),
        sa.Column(
            "token", sa.BigInteger, nullable=False, comment="counts the claims: an older one moves nothing any more"
        ),
        sa.Column("lease_until", TIME, nullable=False),
    )
    delivery = table(
        "delivery",
        sa.Column("relay", NAME, primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("record_id", NAME, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("error", text(), nullable=False),
    )
    return Tables(record=record, entry=entry, label=label, meta=meta, relay=relay, delivery=delivery)
