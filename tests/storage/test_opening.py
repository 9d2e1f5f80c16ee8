"""Several programs open one fresh database at the same moment, and databases whose tables are made only in part."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection, inspect, text

from reportflow import AsyncSqlStore, SchemaMismatch, SqlStore, StorageError, StorageUnavailable
from reportflow.storage.sql import provision
from reportflow.storage.sql.pool import make_engine
from reportflow.storage.sql.schema import PREFIX, Tables, make_tables
from reportflow.storage.sql.upgrade import upgrade
from reportflow.testing import awaited
from tests.storage.next_version import empty

SERVERS: Final = [pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in ("postgresql", "mariadb")]
PROGRAMS: Final = 4
ROUNDS: Final = 4


@pytest.fixture(name="server", params=SERVERS)
def fixture_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, on each engine that is a server."""
    with empty(request.param, tmp_path) as url:
        yield url


_start: Barrier


def _begin(start: Barrier) -> None:
    global _start
    _start = start


def open_all(url: str, is_awaited: bool) -> list[str]:
    """One program: open one store after another, each with the others at the same moment; what went wrong."""
    wrong = []
    for number in range(ROUNDS):
        _start.wait(120)
        try:
            if is_awaited:
                asynchronous = AsyncSqlStore(url, prefix=f"t{number}_")
                assert awaited(asynchronous).feed() == []
                awaited(asynchronous).close()
            else:
                store = SqlStore(url, prefix=f"t{number}_")
                assert store.feed() == []
                store.close()
        except StorageError as error:
            wrong.append(str(error))
    return wrong


def test_programs_open_one_fresh_database(server: str) -> None:
    """Programs that open one fresh database at the same moment all succeed, awaited or not."""
    arguments = [(server, False), (server.replace("pymysql", "asyncmy"), True)] * (PROGRAMS // 2)
    context = multiprocessing.get_context("spawn")
    with context.Pool(PROGRAMS, _begin, (context.Barrier(PROGRAMS),)) as pool:
        wrong = pool.starmap(open_all, arguments, chunksize=1)
    assert wrong == [[]] * PROGRAMS


def begun(connection: Connection, tables: Tables, *, tables_made: int) -> None:
    """Make the first tables only, the last of them without its indexes."""
    some = tables.all[:tables_made]
    indexes, some[-1].indexes = some[-1].indexes, set()
    try:
        for table in some:
            table.create(connection)
    finally:
        some[-1].indexes = indexes


@pytest.mark.parametrize("tables_made", [1, 4, 6])
def test_who_opens_waits_for_who_makes_the_tables(server: str, tables_made: int) -> None:
    """While another program makes the tables, opening waits, with and without `create`; then it succeeds."""
    tables = make_tables(None)
    opened: list[bool | StorageError] = []

    def open_it(create: bool) -> None:
        try:
            SqlStore(server, create=create).close()
            opened.append(create)
        except StorageError as error:
            opened.append(error)

    engine = make_engine(server)
    threads = [threading.Thread(target=open_it, args=(create,)) for create in (True, False)]
    with engine.connect() as connection, engine.connect() as other:
        with provision.exclusive_ddl(connection, tables):
            begun(other, tables, tables_made=tables_made)
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(0.2)
            assert opened == []
            provision.make(other, tables)
        for thread in threads:
            thread.join(30)
    engine.dispose()
    assert sorted(map(str, opened)) == ["False", "True"]


@pytest.mark.parametrize("by_upgrade", [False, True])
@pytest.mark.parametrize("tables_made", [1, 4, 6])
def test_tables_that_a_killed_program_left_are_completed(server: str, tables_made: int, by_upgrade: bool) -> None:
    """Where a program was killed while it made the tables, the next one completes them, or says that there are none."""
    tables, engine = make_tables(None), make_engine(server)
    with engine.connect() as connection:
        begun(connection, tables, tables_made=tables_made)
        with pytest.raises(StorageUnavailable, match="create=True"):
            SqlStore(server, create=False)
        if by_upgrade:
            assert upgrade(server) is None
        else:
            SqlStore(server).close()
        found = inspect(connection)
        for table in tables.all:
            names = {index["name"] for index in found.get_indexes(table.name)}
            assert names >= {index.name for index in table.indexes}
        rows = connection.execute(text(f"SELECT name, value FROM {PREFIX}meta")).all()
        assert sorted(map(tuple, rows)) == [("position", "0"), ("schema_version", "1")]
    engine.dispose()
    SqlStore(server, create=False).close()


@pytest.mark.parametrize("create", [True, False])
def test_foreign_tables_on_a_server_are_left_alone(server: str, create: bool) -> None:
    """A table of our names that is another program's is named as such, and nothing is made beside it."""
    engine = make_engine(server)
    with engine.connect() as connection:
        connection.execute(text(f"CREATE TABLE {PREFIX}label (id INTEGER)"))
        with pytest.raises(SchemaMismatch, match="prefix="):
            SqlStore(server, create=create)
        assert inspect(connection).get_table_names() == [f"{PREFIX}label"]
    engine.dispose()


def test_two_prefixes_do_not_wait_for_each_other(server: str) -> None:
    """The lock is that of one prefix in one database: a store of another one opens meanwhile."""
    engine = make_engine(server)
    with engine.connect() as connection, provision.exclusive_ddl(connection, make_tables(None)):
        SqlStore(server, prefix="other_").close()
    engine.dispose()
