"""A version 2 of the tables, made up to prove what leads from one version to the next; and a host's own Alembic.

Its revision adds a column to the records, fills it from what is there, and makes a table.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from alembic.config import Config

from reportflow import Actor, ReportFlow, SqlStore
from reportflow.office import REPORT, Adoption, Author, Comment, Report, Revision
from reportflow.storage.sql import provision, upgrade
from reportflow.storage.sql.migrations.host import VERSIONS
from reportflow.storage.sql.schema import PREFIX
from tests.servers import database

NEXT: Final = "2"

_REVISION: Final = """
import sqlalchemy as sa
from alembic import op
from reportflow.storage.sql.migrations.place import place

revision, down_revision, branch_labels, depends_on = "reportflow_2", "reportflow_1", None, None


def upgrade():
    here = place()
    if here.standing >= 2:
        return
    here.drop_views()
    today = here.today()
    op.add_column(today.record.name, sa.Column("letter", sa.String(10)), schema=here.schema)
    record = sa.table(today.record.name, sa.column("title"), sa.column("letter"), schema=here.schema)
    op.execute(sa.update(record).values(letter=sa.func.substr(record.c.title, 1, 1)))
    op.create_table(f"{here.prefix}seal", sa.Column("id", sa.Integer, primary_key=True), schema=here.schema)
    op.execute(sa.insert(today.meta).values(name="seal", value="0"))
    op.execute(sa.update(today.meta).where(today.meta.c.name == "schema_version").values(value="2"))
"""

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

LI: Final = Actor(id="li", name="李某", roles={"contributor", "editor"}, unit="yulin")
CHEN: Final = Actor(id="chen", roles={"reviewer", "registrar"}, unit="yulin")


def locations(folder: Path) -> str:
    """Where the revisions are, the one made up among them, as Alembic takes it."""
    (folder / "next").mkdir(exist_ok=True)
    (folder / "next" / "version_2.py").write_text(_REVISION)
    return f"{VERSIONS}\n{folder}/next"


def begin_next(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on this process reads version 2, and can upgrade to it."""
    monkeypatch.setattr(upgrade, "VERSIONS", locations(folder))
    for module in (upgrade, provision):
        monkeypatch.setattr(module, "SCHEMA_VERSION", NEXT)


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


def host(folder: Path, url: str, *, prefix: str = PREFIX, schema: str | None = None, ours: str = VERSIONS) -> Config:
    """The Alembic of a host, which knows where our revisions are."""
    (folder / "host" / "versions").mkdir(parents=True, exist_ok=True)
    (folder / "host" / "env.py").write_text(_ENV)
    ini = folder / "alembic.ini"
    words = {"folder": folder / "host", "prefix": prefix, "schema": schema or "", "url": url}
    ini.write_text(_INI.format(**words, ours=ours.replace("\n", " ")).replace("%", "%%"))
    return Config(ini)


def make_old(url: str, *, prefix: str = PREFIX, schema: str | None = None) -> None:
    """An office in tables of version 1: two records with six entries, keys, labels and positions."""
    store = SqlStore(url, prefix=prefix, schema=schema)
    with ReportFlow(store, REPORT, new_id=iter(["r1", "r2"]).__next__) as flow:
        authors = [Author(name="钱某", id="qian")]
        one = flow.create(Report.draft(title="路灯", text="x", authors=authors, topics=["transport"]), by=LI, key="k1")
        other = flow.create(Report.draft(title="Lamps", text="x", authors=[Author(name="a")]), by=LI)
        one = flow.fire(one, "edit", Revision(text="八盏路灯不亮；it's dark"), by=LI)
        one = flow.fire(one, "review", by=CHEN)
        flow.fire(one, "adopt", Adoption(body="省政协", level="province", usage="combined"), by=CHEN, key="k1")
        flow.fire(other, "comment", Comment(text="y"), by=LI)
        store.feed()  # where commits overtake, it is now that entries get their positions
