"""Migrations: what leads from one version of the tables to the next.

There is one version so far. That an upgrade keeps everything is proven on a second one that is made up.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, event, inspect, text

from reportflow import (
    InvalidURL,
    InvalidValue,
    Query,
    ReportFlow,
    SchemaMismatch,
    SqlStore,
    StorageBusy,
    StorageError,
    StorageUnavailable,
    Store,
    replay,
)
from reportflow.office import REPORT, Author, Comment, Report
from reportflow.storage.sql import provision
from reportflow.storage.sql import upgrade as module
from reportflow.storage.sql.migrations.host import VERSIONS, include_object, version_table
from reportflow.storage.sql.migrations.versions import version_1
from reportflow.storage.sql.pool import make_engine
from reportflow.storage.sql.schema import PREFIX, SCHEMA_VERSION, make_tables
from reportflow.storage.sql.upgrade import current, offline_sql, upgrade
from tests.storage.next_version import LI, NEXT, begin_next, empty, host, locations, make_old

ENGINES: Final = [
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql")),
    pytest.param("mariadb", marks=pytest.mark.xdist_group("mariadb")),
]


@pytest.fixture(name="url", params=ENGINES)
def fixture_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, on each engine."""
    with empty(request.param, tmp_path) as url:
        yield url


@pytest.fixture(name="lite")
def fixture_lite(tmp_path: Path, next_version: None) -> str:
    """A database of SQLite of version 1, with an office in it, which may be upgraded."""
    url = f"sqlite:///{tmp_path / 'office.db'}"
    make_old(url)
    return url


@pytest.fixture(name="next_version")
def fixture_next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This library reads version 2."""
    begin_next(tmp_path, monkeypatch)


@contextlib.contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection that is closed after use, and its engine too."""
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def dump(url: str) -> list[str]:
    """All that is in an SQLite database."""
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return list(connection.iterdump())


def shape(connection: Connection, prefix: str = PREFIX, schema: str | None = None) -> dict[str, Any]:
    """The tables of a store, as the database describes them."""
    look = inspect(connection)
    there = set(look.get_table_names(schema))
    found: dict[str, Any] = {}
    for table in make_tables(MetaData(), prefix=prefix).all:
        if table.name not in there:
            continue  # an older version has fewer
        columns = [{**one, "type": repr(one["type"])} for one in look.get_columns(table.name, schema)]
        # the condition of a partial index is an object that equals no other
        indexes = [
            {**one, "dialect_options": {name: str(value) for name, value in one.get("dialect_options", {}).items()}}
            for one in look.get_indexes(table.name, schema)
        ]
        found[table.name.removeprefix(prefix)] = {
            "columns": columns,
            "primary key": look.get_pk_constraint(table.name, schema),
            "foreign keys": look.get_foreign_keys(table.name, schema),
            "indexes": sorted(indexes, key=lambda one: str(one["name"])),
            "unique": look.get_unique_constraints(table.name, schema),
        }
    return found


def differences(connection: Connection, **options: Any) -> Sequence[Any]:
    """The changes that Alembic would make to reach `schema.py`."""
    metadata = MetaData()
    make_tables(metadata)
    context = MigrationContext.configure(connection, opts={"version_table": version_table(), **options})
    found: Sequence[Any] = compare_metadata(context, metadata)
    return found


# -- the shape ------------------------------------------------------------------------------------------------------


def test_the_revision_makes_what_a_store_makes(url: str) -> None:
    """Columns, types, collations, nullability, comments, keys and indexes are those of a store that was made today."""
    assert upgrade(url) is None
    SqlStore(url, prefix="fresh_").close()
    with connected(url) as connection:
        upgraded = json.dumps(shape(connection), default=str)
        fresh = json.dumps(shape(connection, prefix="fresh_"), default=str)
        names = [name for name in inspect(connection).get_table_names() if not name.startswith("fresh_")]
    assert upgraded == fresh.replace("fresh_", PREFIX)
    assert sorted(names) == sorted([*(one.name for one in make_tables(MetaData()).all), version_table()])


@pytest.mark.parametrize("begin", ["a store", "the revision"])
def test_alembic_finds_nothing_to_do(url: str, begin: str) -> None:
    """Alembic's comparison of the tables with `schema.py` is empty, whoever has made them."""
    with connected(url) as connection:
        assert differences(connection)
    SqlStore(url).close() if begin == "a store" else upgrade(url)
    with connected(url) as connection:
        assert differences(connection) == []


# -- data --------------------------------------------------------------------------------------------------------


def everything(store: Store) -> object:
    """All that a store holds."""
    records = store.get(["r1", "r2"])
    return records, store.history(["r1", "r2"]), store.feed(), store.sealed(), store.by_key("chen", "k1")


def test_an_upgrade_preserves_all_data(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records, entries as stored, keys and positions are unchanged, what is new is filled, and writing goes on."""
    make_old(url)
    before = everything(old := SqlStore(url, REPORT.classes))
    old.close()
    begin_next(tmp_path, monkeypatch)
    with pytest.raises(SchemaMismatch, match="reportflow db upgrade"):
        SqlStore(url)

    assert upgrade(url) == "1"

    with ReportFlow(SqlStore(url, create=False), REPORT) as flow:
        assert everything(flow.store) == before
        one, other = flow.store.get(["r1", "r2"])
        assert replay(flow.store.history(["r1"]), REPORT) == one
        assert [record.id for record in flow.store.find(Query(author="qian"))] == ["r1"]
        assert [record.id for record in flow.store.find(Query(topic="transport"))] == ["r1"]
        with connected(url) as connection:
            letters = connection.execute(text(f"SELECT id, letter FROM {PREFIX}record ORDER BY id")).all()
        assert [tuple(row) for row in letters] == [("r1", "路"), ("r2", "L")]
        flow.fire(other, "comment", Comment(text="z"), by=LI)
        assert [(posted.position, posted.entry.sequence) for posted in flow.store.feed(after=5)] == [(6, 2), (7, 3)]


@pytest.mark.usefixtures("next_version")
def test_nothing_is_led_through_all_versions(url: str) -> None:
    """Where there are no tables, all revisions run, and the first entry has the first position."""
    assert upgrade(url) is None
    assert current(url) == NEXT
    with ReportFlow(SqlStore(url, create=False), REPORT) as flow:
        assert flow.store.feed() == []
        flow.create(Report.draft(title="t", text="x", authors=[Author(name="a")]), by=LI)
        assert [posted.position for posted in flow.store.feed()] == [1]


# -- once, whole, alone ---------------------------------------------------------------------------------------------


def test_a_second_upgrade_does_nothing(lite: str) -> None:
    """A second upgrade reports that the tables are of today's version, and changes nothing."""
    assert current(lite) == "1"
    assert upgrade(lite) == "1"
    before = dump(lite)
    assert upgrade(lite) == NEXT == current(lite)
    assert dump(lite) == before


def test_a_fresh_store_needs_no_upgrade(url: str) -> None:
    """Tables that a store has made are of today's version; Alembic leaves no trace in them."""
    assert current(url) is None
    SqlStore(url).close()
    assert current(url) == upgrade(url) == SCHEMA_VERSION
    with connected(url) as connection:
        assert version_table() not in inspect(connection).get_table_names()


@pytest.mark.usefixtures("next_version")
@pytest.mark.parametrize("engine", ENGINES[:2])
def test_what_fails_leaves_all_as_it_was(tmp_path: Path, engine: str) -> None:
    """An upgrade is one transaction: one that fails at its end changes nothing, and can be done again."""
    with empty(engine, tmp_path) as url:
        make_old(url)
        with connected(url) as connection:
            old = shape(connection)
            connection.execute(text(f"INSERT INTO {PREFIX}meta (name, value) VALUES ('seal', 'in the way')"))
        with pytest.raises(StorageError):
            upgrade(url)
        assert current(url) == "1"
        with connected(url) as connection:
            assert shape(connection) == old
            assert not any("version" in name for name in inspect(connection).get_table_names())
            connection.execute(text(f"DELETE FROM {PREFIX}meta WHERE name = 'seal'"))
        assert upgrade(url) == "1"


def test_two_processes_upgrade_at_once(tmp_path: Path, url: str) -> None:
    """Of two processes that upgrade at the same moment one does it, and the other finds it done."""
    make_old(url)
    script = f"""
from reportflow.storage.sql import provision, upgrade
upgrade.VERSIONS = {locations(tmp_path)!r}
upgrade.SCHEMA_VERSION = provision.SCHEMA_VERSION = {NEXT!r}
input()
print(upgrade.upgrade({url!r}))
"""
    both = [
        subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1, stderr=-1, text=True) for _ in range(2)
    ]
    for one in both:
        assert one.stdin
        one.stdin.write("\n")
        one.stdin.flush()
    ends = [one.communicate(timeout=60) for one in both]
    assert {one.returncode for one in both} == {0}, ends
    assert sorted(out.strip() for out, _ in ends) == ["1", NEXT]
    with connected(url) as connection:
        assert connection.scalar(text(f"SELECT count(*) FROM {PREFIX}seal")) == 0


def test_threads_upgrade_at_once(lite: str) -> None:
    """Threads of one process may upgrade too, the same database or others."""
    with ThreadPoolExecutor(4) as pool:
        before = list(pool.map(lambda number: upgrade(lite, prefix=PREFIX if number % 2 else f"t{number}_"), range(6)))
    assert sorted(map(str, before[1::2])) == ["1", NEXT, NEXT]
    assert before[::2] == [None] * 3


@pytest.mark.usefixtures("next_version")
@pytest.mark.xdist_group("mariadb")
def test_an_upgrade_that_cannot_get_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process holds the lock, an upgrade on MariaDB is an error, and changes nothing."""
    monkeypatch.setattr(provision, "OPENING_TIMEOUT", 0.0)
    with empty("mariadb", tmp_path) as url:
        make_old(url)
        with connected(url) as other, provision.exclusive_ddl(other, make_tables(None)), pytest.raises(StorageBusy):
            upgrade(url)
        assert current(url) == "1"


# -- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("next_version")
def test_a_prefix_is_a_separate_store(url: str) -> None:
    """With a prefix its tables are upgraded and no others; the command in the error names the prefix."""
    make_old(url, prefix="north_")
    make_old(url, prefix="south_")
    with pytest.raises(SchemaMismatch, match="--prefix north_"):
        SqlStore(url, prefix="north_")
    assert upgrade(url, prefix="north_") == "1"
    assert current(url, prefix="south_") == "1"
    assert current(url) is None
    store = SqlStore(url, REPORT.classes, prefix="north_", create=False)
    assert len(store.feed()) == 6
    store.close()
    assert upgrade(url, prefix="south_") == "1"


@pytest.mark.usefixtures("next_version")
@pytest.mark.xdist_group("postgresql")
def test_a_schema_is_the_hosts_to_choose(tmp_path: Path) -> None:
    """With a schema everything is in it, also the version table; the command in the error names the schema."""
    with empty("postgresql", tmp_path) as url:
        with connected(url) as connection:
            connection.execute(text("CREATE SCHEMA office"))
        make_old(url, schema="office", prefix="rf_")
        with pytest.raises(SchemaMismatch, match="--prefix rf_ --schema office"):
            SqlStore(url, prefix="rf_", schema="office")
        assert upgrade(url, prefix="rf_", schema="office") == "1"
        store = SqlStore(url, REPORT.classes, prefix="rf_", schema="office", create=False)
        assert [posted.position for posted in store.feed()] == [1, 2, 3, 4, 5, 6]
        store.close()
        with connected(url) as connection:
            assert inspect(connection).get_table_names() == []
            assert "rf_alembic_version" in inspect(connection).get_table_names("office")


def test_an_engine_of_the_hosts_is_taken(tmp_path: Path, lite: str) -> None:
    """A host's engine is upgraded on, with a schema that only it knows, and stays open."""
    engine = make_engine(f"sqlite:///{tmp_path}/host.db")
    file = lite.removeprefix("sqlite:///")

    @event.listens_for(engine, "connect")
    def attach(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"ATTACH '{file}' AS archive")

    (tmp_path / "host.db").touch()
    pool = engine.pool
    assert current(engine, schema="archive") == "1"
    assert upgrade(engine, schema="archive") == "1"
    assert engine.pool is pool
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == []
    engine.dispose()
    assert current(lite) == NEXT


# -- what cannot be upgraded ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("found", "advice"), [("3", "newer"), ("x", "foreign"), ("0", "foreign")])
def test_what_is_newer_or_strange_is_refused(lite: str, found: str, advice: str) -> None:
    """Tables of a newer or an unknown version stay as they are."""
    with connected(lite) as connection:
        connection.execute(text(f"UPDATE {PREFIX}meta SET value = '{found}' WHERE name = 'schema_version'"))
    before = dump(lite)
    with pytest.raises(SchemaMismatch) as caught:
        upgrade(lite)
    assert (caught.value.found, caught.value.expected, caught.value.advice) == (found, NEXT, advice)
    assert dump(lite) == before


def test_tables_of_others_are_refused(tmp_path: Path) -> None:
    """Foreign tables of these names stay as they are."""
    url = f"sqlite:///{tmp_path}/other.db"
    with connected(url) as connection:
        connection.execute(text(f"CREATE TABLE {PREFIX}meta (x INTEGER)"))
    for act in (upgrade, current):
        with pytest.raises(SchemaMismatch) as caught:
            act(url)
        assert caught.value.advice == "foreign"


def test_a_mistyped_path_makes_no_file(tmp_path: Path) -> None:
    """An SQLite file that is not there is not made."""
    for act in (upgrade, current):
        with pytest.raises(StorageUnavailable) as caught:
            act(f"sqlite:///{tmp_path}/ofice.db")
        assert caught.value.advice == "create"
    assert list(tmp_path.iterdir()) == []


def test_the_url_of_an_awaited_driver_is_taken(lite: str) -> None:
    """Who opens the database with a driver that is awaited upgrades it under the same URL."""
    assert upgrade(lite.replace("sqlite:", "sqlite+aiosqlite:")) == "1"


def test_there_is_no_way_back() -> None:
    """The revision takes nothing away."""
    with pytest.raises(NotImplementedError):
        version_1.downgrade()


# -- SQL for who may not connect ------------------------------------------------------------------------------------


def feed(url: str, sql: str) -> None:
    """Run a script on a database, as its own client does."""
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.executescript(sql)
        return
    with connected(url) as connection:
        for statement in sql.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement.replace("%", "%%"))


@pytest.mark.usefixtures("next_version")
@pytest.mark.parametrize("since", [None, "1"])
def test_the_sql_does_what_an_upgrade_does(url: str, since: str | None) -> None:
    """The SQL, fed to a database, leaves it as an upgrade does, with all that was in it."""
    if since:
        make_old(url)
    feed(url, offline_sql(url, since=since))
    assert upgrade(url) == NEXT
    make_old(url, prefix="other_")
    upgrade(url, prefix="other_")
    with connected(url) as connection:
        assert json.dumps(shape(connection), default=str) == json.dumps(
            shape(connection, prefix="other_"), default=str
        ).replace("other_", PREFIX)
        noted = connection.scalar(text(f"SELECT version_num FROM {version_table()}"))
    assert noted == f"reportflow_{NEXT}"
    store = SqlStore(url, REPORT.classes, create=False)
    assert [posted.position for posted in store.feed()] == ([1, 2, 3, 4, 5, 6] if since else [])
    store.close()


@pytest.mark.usefixtures("next_version")
@pytest.mark.parametrize("since", [None, "1"])
@pytest.mark.parametrize("url", ["sqlite://", "postgresql://", "mariadb://", "mysql+pymysql://me:secret@nowhere/x"])
def test_the_sql_needs_no_server_and_no_driver(url: str, since: str | None) -> None:
    """Of the URL only the engine counts; prefix and schema are in every statement."""
    sql = offline_sql(url, prefix="rf_", schema="office", since=since)
    assert "office.rf_record" in sql.replace("`", "")
    assert "secret" not in sql
    assert "reportflow_record" not in sql
    for line in re.findall(r"^(?:CREATE TABLE|INSERT INTO|ALTER TABLE|UPDATE) .*", sql, re.MULTILINE):
        assert "office.rf_" in line.replace("`", "")


@pytest.mark.parametrize(("url", "advice"), [("office.db", "url"), ("oracle://x", "engine"), ("x://a:b@c:d", "url")])
def test_the_sql_of_no_engine_is_refused(url: str, advice: str) -> None:
    """A URL of an unsupported engine is refused, without its password."""
    with pytest.raises(InvalidURL) as caught:
        offline_sql(url)
    assert caught.value.advice == advice
    assert ":b@" not in str(caught.value)


@pytest.mark.usefixtures("next_version")
@pytest.mark.parametrize("since", ["0", NEXT, "9", "x", ""])
def test_the_sql_since_no_older_version_is_refused(since: str) -> None:
    """There is SQL since each older version, and since no other."""
    with pytest.raises(InvalidValue, match="since"):
        offline_sql("sqlite://", since=since)


def test_the_first_version_has_none_before_it() -> None:
    """Of the first version there is no SQL since another one."""
    with pytest.raises(InvalidValue, match="since"):
        offline_sql("sqlite://", since=SCHEMA_VERSION)


# -- a host's own Alembic -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("next_version")
@pytest.mark.parametrize("begin", ["nothing", "version 1", "version 2"])
def test_a_host_runs_the_revisions_among_its_own(tmp_path: Path, url: str, begin: str) -> None:
    """A host's Alembic finds the branch by `version_locations`, and starts at the version of the existing tables."""
    if begin != "nothing":
        make_old(url, prefix="rf_")
    if begin == "version 2":
        upgrade(url, prefix="rf_")
    command.upgrade(host(tmp_path, url, prefix="rf_", ours=locations(tmp_path)), "reportflow@head")
    assert current(url, prefix="rf_") == NEXT
    assert upgrade(url, prefix="rf_") == NEXT
    store = SqlStore(url, REPORT.classes, prefix="rf_", create=False)
    assert len(store.feed()) == (0 if begin == "nothing" else 6)
    store.close()


def test_a_host_may_say_the_names_in_python(tmp_path: Path) -> None:
    """Attributes of the configuration count before its file."""
    with empty("sqlite", tmp_path) as url:
        config = host(tmp_path, url, prefix="rf_")
        config.attributes["reportflow_prefix"] = "mine_"
        command.upgrade(config, "reportflow@head")
        assert (current(url, prefix="mine_"), current(url, prefix="rf_")) == (SCHEMA_VERSION, None)


def test_a_host_need_not_say_the_names(tmp_path: Path) -> None:
    """The default prefix and schema are those of a store."""
    with empty("sqlite", tmp_path) as url, connected(url) as connection:
        with Operations.context(MigrationContext.configure(connection)):
            version_1.upgrade()
        SqlStore(connection.engine, create=False).close()


def proposed(engine: Engine, metadata: MetaData, **options: Any) -> list[tuple[str, str]]:
    """What a host's autogenerate proposes, of tables."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        changes = compare_metadata(context, metadata)
    return [(what, str(one.name)) for what, one, *_ in changes]


@pytest.mark.parametrize("known", [False, True], ids=["apart", "in the host's MetaData"])
def test_a_hosts_autogenerate_leaves_our_tables_alone(url: str, known: bool) -> None:
    """With `include_object` a host's autogenerate sees its own tables only, whether it knows ours or not."""
    upgrade(url)
    metadata = MetaData()
    Table("members", metadata, Column("id", Integer, primary_key=True))
    if known:
        make_tables(metadata, prefix="other_")
    both = [include_object(), include_object(prefix="other_")]

    def agreed(*arguments: Any) -> bool:
        return all(one(*arguments) for one in both)

    engine = make_engine(url)
    assert ("remove_table", "reportflow_record") in proposed(engine, metadata)
    assert proposed(engine, metadata, include_object=agreed) == [("add_table", "members")]
    engine.dispose()


def test_include_object_recognises_the_tables_of_its_store_only() -> None:
    """Tables of another prefix or schema, and host's tables with a similar name, are left to the host."""
    include = include_object(prefix="rf_", schema="office")

    def included(name: str, schema: str | None) -> bool:
        return include(Table(name, MetaData(), schema=schema), name, "table", True, None)

    assert not included("rf_record", "office")
    assert not included("rf_alembic_version", "office")
    assert included("rf_record", None)
    assert included("rf_members", "office")
    assert included("reportflow_record", "office")
    assert include(None, None, "schema", True, None)


# -- the revisions --------------------------------------------------------------------------------------------------

FOLDER: Final = Path(str(module.__file__)).with_name("migrations")


def test_there_is_a_revision_for_each_version() -> None:
    """The branch is one line, of one revision a version, and ends at the version of the tables."""
    script = ScriptDirectory(str(FOLDER))
    walked = [one.revision for one in script.walk_revisions()]
    assert walked == [f"reportflow_{number}" for number in range(int(SCHEMA_VERSION), 0, -1)]
    assert script.get_heads() == [f"reportflow_{SCHEMA_VERSION}"]
    assert all(one.branch_labels == {"reportflow"} for one in script.walk_revisions())
    assert VERSIONS == "reportflow.storage.sql.migrations:versions"


def test_only_the_latest_revision_is_by_todays_tables() -> None:
    """An older revision defines its own tables, so `schema.py` may change."""
    by_today = [path.stem for path in (FOLDER / "versions").glob("*.py") if ".today()" in path.read_text("utf-8")]
    assert by_today in ([f"version_{SCHEMA_VERSION}"], [])


def test_without_alembic_the_extra_is_named() -> None:
    """Without Alembic, the module names the extra to install; the stores do not need it."""
    script = """
import sys
sys.modules["alembic"] = None
from reportflow import MissingExtra, SqlStore
SqlStore("sqlite://").close()
try:
    import reportflow.storage.sql.upgrade
except MissingExtra as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == 'alembic is not installed; type: pip install "reportflow[migrations]"'
