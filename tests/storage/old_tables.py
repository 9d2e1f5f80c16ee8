"""Databases of version 1, with an office in them, on each engine; and what a host's own Alembic is.

`version_1.sql` is what the version itself left in an SQLite file.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, MetaData, Table, create_engine, insert, select, text

from reportflow.storage.sql.migrations.host import VERSIONS
from reportflow.storage.sql.pool import make_engine
from reportflow.storage.sql.schema import PREFIX
from tests.servers import database

DUMP: Final = Path(__file__).with_name("version_1.sql").read_text("utf-8")
#: Those that others refer to first.
NAMES: Final = ("record", "entry", "label", "meta")

_INI: Final = """
[alembic]
script_location = {folder}
version_locations = {folder}/versions {ours}
path_separator = space
reportflow_prefix = {prefix}
reportflow_schema = {schema}
sqlalchemy.url = {url}
"""
_ENV: Final = """
from alembic import context
from sqlalchemy import create_engine
engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.begin() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
"""


@contextlib.contextmanager
def empty(engine: str, folder: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    if engine != "sqlite":
        with database(engine) as url:
            yield url
        return
    file = folder / "office.db"
    file.touch()
    yield f"sqlite:///{file}"


def host(folder: Path, url: str, *, prefix: str = PREFIX, schema: str | None = None) -> Config:
    """The Alembic of a host, which knows where our revisions are."""
    (folder / "host" / "versions").mkdir(parents=True, exist_ok=True)
    (folder / "host" / "env.py").write_text(_ENV)
    ini = folder / "alembic.ini"
    words = {"folder": folder / "host", "ours": VERSIONS, "prefix": prefix, "schema": schema or "", "url": url}
    ini.write_text(_INI.format(**words).replace("%", "%%"))
    return Config(ini)


def make_old(folder: Path, url: str, *, prefix: str = PREFIX, schema: str | None = None) -> None:
    """Make the tables of version 1 by the first revision, with the office's rows, and without a trace of Alembic."""
    command.upgrade(host(folder, url, prefix=prefix, schema=schema), "reportflow_1")
    engine = make_engine(url)
    with engine.connect() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    fill(engine, prefix=prefix, schema=schema)
    engine.dispose()


def fill(engine: Engine, *, prefix: str = PREFIX, schema: str | None = None) -> None:
    """Put the rows of the office into tables that are there."""
    source = create_engine("sqlite://")
    with source.connect() as old, engine.connect() as connection:
        raw = old.connection.dbapi_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.executescript(DUMP)
        for name in NAMES:
            table = Table(f"{prefix}{name}", MetaData(), autoload_with=connection, schema=schema)
            left = Table(f"{PREFIX}{name}", MetaData(), autoload_with=old)
            rows = [dict(row) for row in old.execute(select(left)).mappings()]
            rows = [row for row in rows if row.get("name") != "schema_version"]
            if rows:
                connection.execute(insert(table), rows)
    source.dispose()
