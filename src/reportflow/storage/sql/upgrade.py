"""The tables of an older version brought to today's, by Alembic; and the SQL of it, for those who may not connect.

Needs the extra ``reportflow[migrations]``.
"""

from __future__ import annotations

import io
import threading
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Column, Connection, Engine, Executable, MetaData, String, Table, delete, insert, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.schema import CreateTable

from reportflow.errors import InvalidURL, InvalidValue, MissingExtra, SchemaMismatch
from reportflow.model.checks import type_problem
from reportflow.storage.sql import provision
from reportflow.storage.sql.dialects import (
    BACKENDS,
    engine_name,
    safe_url,
    translate_driver_errors,
)
from reportflow.storage.sql.engines import host_schema
from reportflow.storage.sql.migrations.host import BRANCH, VERSIONS, version_table
from reportflow.storage.sql.schema import PREFIX, SCHEMA_VERSION, Tables, make_tables

try:
    from alembic import command
    from alembic.config import Config
except ModuleNotFoundError as _error:
    raise MissingExtra("alembic", '"reportflow[migrations]"') from _error

#: Alembic keeps in globals what it works on.
_ONE_AT_A_TIME: Final = threading.Lock()


def upgrade(database: str | Engine, *, prefix: str = PREFIX, schema: str | None = None) -> str | None:
    """Bring the tables to the version that this library reads, and make them where there are none.

    One process at a time does it. On SQLite and PostgreSQL it is one transaction: what fails leaves all as it was. On
    MariaDB each change of a table stands by itself. Nothing else should write meanwhile.

    Views of `make_views` are dropped before the tables are changed; make them again.

    Args:
        database: A database URL, also one with an asynchronous driver, or an `Engine` of the host.
        prefix: What the tables' names begin with.
        schema: The schema that they are in.

    Returns:
        The version that they were of; None where there were none. `SCHEMA_VERSION` if there was nothing to do.

    Raises:
        InvalidURL, MissingExtra: see `make_engine`.
        SchemaMismatch: they are of a newer version, or are not reportflow's.
        StorageUnavailable: the database cannot be reached or written, or is an SQLite file that is not there.
        StorageBusy: another process writes; nothing was changed.
    """
    schema = host_schema(database, schema)
    tables = make_tables(MetaData(), prefix=prefix, schema=schema)
    with provision.connected(database) as connection:
        if connection.dialect.name == "sqlite" and _known(connection, tables) is None:
            use_wal = translate_driver_errors(connection.engine)(partial(provision.use_wal, connection))
            provision.retry_while_busy(use_wal)
        with _ONE_AT_A_TIME, provision.exclusive_ddl(connection, tables):
            before = _known(connection, tables)  # not sooner: an upgrade on MariaDB may be seen in the middle of it
            if before is None and provision.standing(connection, tables):  # a process was killed while it made them
                provision.make(connection, tables)
            if before != SCHEMA_VERSION:
                config = _config(prefix, schema, connection=connection)
                # the version in the tables counts: Alembic's own note is replaced by it first
                command.stamp(config, "base" if before is None else _revision(before), purge=True)
                command.upgrade(config, _revision(SCHEMA_VERSION))
        provision.create_or_verify(connection, tables, create=False)
    return before


def current(database: str | Engine, *, prefix: str = PREFIX, schema: str | None = None) -> str | None:
    """The version of the tables that are there; None where there are none.

    Raises:
        InvalidURL, MissingExtra, StorageUnavailable: see `upgrade`.
        SchemaMismatch: they are not reportflow's.
    """
    schema = host_schema(database, schema)
    with provision.connected(database) as connection:
        return provision.version(connection, make_tables(MetaData(), prefix=prefix, schema=schema))


def offline_sql(url: str, *, prefix: str = PREFIX, schema: str | None = None, since: str | None = None) -> str:
    """The SQL that `upgrade` would run, to be given to the database by hand. Nothing is connected to.

    Args:
        url: A database URL, of which only the engine counts: ``postgresql://`` will do.
        prefix: What the tables' names begin with.
        schema: The schema that they are in.
        since: The version of the tables that are there, as `current` gives it; None where there are none.

    Raises:
        InvalidURL: it names no engine that is supported.
        InvalidValue: there is nothing to upgrade since that version.
    """
    older = [str(number) for number in range(1, int(SCHEMA_VERSION))]
    if since is not None and since not in older:
        raise InvalidValue("since", *type_problem(" | ".join(older) or "None", since))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise InvalidURL(url) from None  # what SQLAlchemy says quotes parts of it
    engine = engine_name(parsed)
    if engine not in BACKENDS:
        raise InvalidURL(parsed.render_as_string(), "engine")
    text = io.StringIO()
    options: dict[str, Any] = {"dialect_name": engine, "dialect_opts": {"paramstyle": "named"}, "literal_binds": True}
    config = _config(prefix, schema, text, **options, transactional_ddl=engine != "mysql")
    if since is not None:
        config.attributes["first"] = _stamp(since, prefix, schema)
    begin = "" if since is None else f"{_revision(since)}:"
    with _ONE_AT_A_TIME:
        command.upgrade(config, begin + _revision(SCHEMA_VERSION), sql=True)
    return text.getvalue()


def _stamp(version: str, prefix: str, schema: str | None) -> list[Executable]:
    """Notes for Alembic which version the tables are of: a store may have made them without it."""
    number = Column("version_num", String(32), primary_key=True)
    noted = Table(version_table(prefix), MetaData(), number, schema=schema)
    row = insert(noted).values(version_num=_revision(version))
    return [CreateTable(noted, if_not_exists=True), delete(noted), row]


def _revision(version: str) -> str:
    return f"{BRANCH}_{version}"


def _config(prefix: str, schema: str | None, text: io.StringIO | None = None, **options: Any) -> Config:
    """Alembic's configuration, with the prefix and schema of the tables, and what `env.py` configures."""
    config = Config(output_buffer=text)
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", VERSIONS)
    options |= {"version_table": version_table(prefix), "version_table_schema": schema}
    config.attributes.update(reportflow_prefix=prefix, reportflow_schema=schema, configure=options)
    return config


def _known(connection: Connection, tables: Tables) -> str | None:
    """The version of the tables that are there, if this library can upgrade it.

    Raises:
        SchemaMismatch: it is newer, or none of reportflow's.
    """
    found = provision.version(connection, tables)
    if found is not None and not (found.isdecimal() and 1 <= int(found) <= int(SCHEMA_VERSION)):
        advice = "newer" if found.isdecimal() and int(found) else "foreign"
        raise SchemaMismatch(safe_url(connection.engine), found, SCHEMA_VERSION, advice)
    return found
