"""Bad database URLs, files and tables: each ends in one clear error, and stays as it is."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import attrs
import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.pool import Pool

from reportflow import (
    Create,
    Fire,
    InvalidURL,
    InvalidValue,
    MissingExtra,
    Query,
    RecordNotFound,
    ReportFlow,
    ReportflowError,
    SchemaMismatch,
    Secrecy,
    SqlStore,
    StorageBusy,
    StorageError,
    StorageUnavailable,
    UnreadableRecord,
    open_flow,
)
from reportflow.office import REPORT, Comment, Revision
from tests.bad_input import LI, ZHANG, clear, draft, set_up


@pytest.mark.parametrize(
    ("url", "kind", "words"),
    [
        ("sqlit:///x", InvalidURL, ("sqlite:///office.db",)),
        ("office.db", InvalidURL, ("sqlite:///office.db",)),
        ("", InvalidURL, ("sqlite:///office.db",)),
        ("  ", InvalidURL, ("sqlite:///office.db",)),
        ("memory", InvalidURL, ("memory:",)),
        ("sqlite:///", InvalidURL, ("sqlite:///office.db",)),
        ("sqlite:/x.db", InvalidURL, ("three slashes",)),
        ("sqlite://x.db", InvalidURL, ("three slashes",)),
        ("sqlite:office.db", InvalidURL, ("three slashes",)),
        ("sqlite:///a\0b.db", InvalidURL, ()),
        ("sqlite:///\ud800.db", InvalidURL, ()),
        ("sqlite:///x.db?synchronous=LOUD", InvalidURL, ("OFF, NORMAL, FULL, EXTRA",)),
        ("sqlite:///x.db?mode=ro", InvalidURL, ("uri=true",)),
        ("http://h/db", InvalidURL, ("sqlite:///office.db",)),
        ("C:\\office.db", InvalidURL, ("sqlite:///office.db",)),
        ("postgresql://h/db", InvalidURL, ("name the driver", "postgresql+psycopg://")),
        ("postgresql+psycopg://h:port/db", InvalidURL, ()),
        (5, InvalidValue, ("url", "str")),
        (None, InvalidValue, ("url", "str")),
        ("sqlite:////no/such/folder/x.db", StorageUnavailable, ("/no/such/folder/x.db", "folder exists")),
        ("sqlite:///file:/no/such.db?mode=ro&uri=true", StorageUnavailable, ("such.db",)),
    ],
)
def test_a_bad_url_is_refused(
    url: Any, kind: type[ReportflowError], words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped database URL is refused with what to write instead, and no file is made."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReportflowError) as caught:
        open_flow(url)
    assert type(caught.value) is kind
    clear(caught.value, *words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "mysql+pymysql", "sqlite+aiosqlite", "mysql+asyncmy"])
def test_a_url_whose_driver_is_missing_names_the_package(driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL whose driver is not installed is `MissingExtra`, which names the package, and not the password."""
    package = driver.split("+")[1]
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra) as caught:
        open_flow(f"{driver}://user:s3cret@host/db")
    assert caught.value.package == package
    clear(caught.value, f"pip install {package}")
    assert "s3cret" not in str(caught.value)


def test_an_asynchronous_driver_is_for_the_asynchronous_flow() -> None:
    """An asynchronous driver, given to the blocking flow, is refused with the function to call instead."""
    with pytest.raises(InvalidURL) as caught:
        open_flow("sqlite+aiosqlite://")
    clear(caught.value, "open_async_flow")


@pytest.mark.parametrize("url", ["postgresql://user:s3cret@host/db", "oracle+x://user:s3cret@host/db"])
def test_a_url_in_a_message_has_no_password(url: str) -> None:
    """The password of a URL is in no message."""
    with pytest.raises(InvalidURL) as caught:
        open_flow(url)
    assert "s3cret" not in str(caught.value) + caught.value.message("zh") + repr(caught.value)


# -- files --------------------------------------------------------------------------------------------------------


def rows_of(path: Path) -> object:
    """All tables of a SQLite file with all their rows."""
    connection = sqlite3.connect(path)
    try:
        found = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        names = [name for name, sql in found if sql and sql.startswith("CREATE TABLE")]
        return found, {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
    finally:
        connection.close()


def filled(folder: Path) -> tuple[str, Path, str]:
    """A database with one report: its URL, its file and the report's id."""
    path = folder / "office.db"
    with open_flow(f"sqlite:///{path}") as flow:
        return f"sqlite:///{path}", path, set_up(flow).id


def altered(path: Path, *commands: str) -> None:
    """Change a database without the store."""
    connection = sqlite3.connect(path)
    for command in commands:
        connection.execute(command)
    connection.commit()
    connection.close()


def test_a_read_only_file_is_read_and_not_written(tmp_path: Path) -> None:
    """A file opened read-only gives its records; each write is `StorageUnavailable` and changes nothing."""
    _, path, id = filled(tmp_path)
    before = rows_of(path)
    with open_flow(f"sqlite:///file:{path}?mode=ro&uri=true") as flow:
        assert flow.get(id, by=LI).version == 2
        for call in (
            lambda: flow.fire(id, "comment", Comment(text="x"), by=LI),
            lambda: flow.create(draft(), by=ZHANG),
            lambda: flow.batch([Create(draft(), by=ZHANG), Fire(id, "comment", Comment(text="x"), by=LI)]),
        ):
            with pytest.raises(StorageUnavailable) as caught:
                call()
            assert type(caught.value) is StorageUnavailable
            clear(caught.value, "office.db", "right to write")
        assert flow.get(id, by=LI).version == 2
    assert rows_of(path) == before


READ_ONLY = """
import os, sys
from reportflow import Actor, StorageUnavailable, open_flow, open_store
from reportflow.office import Comment
from tests.many import fires
open_store("sqlite://").close()  # everything is imported while it still can be
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
by = Actor(id="li", roles={"editor"}, unit="yulin")
try:
    with open_flow(sys.argv[1]) as flow:
        flow.fire(sys.argv[2], "comment", Comment(text="x"), by=by)
except StorageUnavailable as error:
    assert type(error) is StorageUnavailable
    print(error)
    print(error.message("zh", reader="developer"))
"""


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="only where files have owners")
@pytest.mark.parametrize("folder_mode", [0o555, 0o777])
def test_a_file_of_another_user_is_not_written(folder_mode: int) -> None:
    """A file without permission to write stays as it is, with and without permission for its folder, and says so."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url, path, id = filled(folder)
        before = rows_of(path)
        path.chmod(0o444)
        folder.chmod(folder_mode)
        command = [sys.executable, "-c", READ_ONLY, url, id]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
        environment["PYTHONIOENCODING"] = "utf-8"
        done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, timeout=60, check=False)
        folder.chmod(0o700)
        assert (done.returncode, done.stderr) == (0, "")
        english, chinese = done.stdout.splitlines()
        assert "office.db" in english
        assert "office.db" in chinese
        assert "writ" in english
        assert "写" in chinese
        assert rows_of(path) == before


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    """A folder as database is `StorageUnavailable`."""
    (tmp_path / "office").mkdir()
    with pytest.raises(StorageUnavailable) as caught:
        open_flow(f"sqlite:///{tmp_path}/office")
    clear(caught.value, "no folder itself")


@pytest.mark.parametrize(
    "content", [b"hi", b"hello, this is a letter. " * 1000, bytes(5000), b"SQLite format 3\0" + b"x" * 5000]
)
@pytest.mark.parametrize("create", [True, False])
def test_a_file_that_is_no_database_stays_as_it_is(tmp_path: Path, content: bytes, create: bool) -> None:
    """A file that is no database is `StorageUnavailable`, and stays the same byte by byte."""
    path = tmp_path / "letter.txt"
    path.write_bytes(content)
    with pytest.raises(StorageUnavailable) as caught:
        open_flow(f"sqlite:///{path}", create=create)
    clear(caught.value, "letter.txt", "another file")
    assert path.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir()] == ["letter.txt"]


def test_a_damaged_database_is_unavailable(tmp_path: Path) -> None:
    """A database whose pages were overwritten is `StorageUnavailable`, when it is opened or read."""
    url, path, id = filled(tmp_path)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(bytes(content))
    with pytest.raises(StorageUnavailable) as caught, open_flow(url) as flow:
        flow.get(id, by=LI)
    clear(caught.value, "office.db")


@pytest.mark.parametrize("made", [False, True])
def test_a_database_without_tables_and_without_create(tmp_path: Path, made: bool) -> None:
    """With ``create=False`` a database without tables is refused; no file is made, and an empty one stays empty."""
    path = tmp_path / "office.db"
    if made:
        path.touch()
    with pytest.raises(StorageUnavailable) as caught:
        open_flow(f"sqlite:///{path}", create=False)
    clear(caught.value, "office.db", "create=True")
    assert [(one.name, one.stat().st_size) for one in tmp_path.iterdir()] == ([("office.db", 0)] if made else [])


FOREIGN = [
    "CREATE TABLE reportflow_record (id, what)",
    "CREATE TABLE reportflow_meta (name, what)",
    "CREATE TABLE reportflow_meta (name, value)",
    "CREATE TABLE reportflow_label (id)",
    "CREATE VIEW reportflow_entry AS SELECT 1 AS position",
]


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("foreign", FOREIGN)
def test_foreign_tables_with_our_names_stay_as_they_are(tmp_path: Path, foreign: str, create: bool) -> None:
    """A database with foreign tables of our names is `SchemaMismatch` and stays as it is; a prefix avoids them."""
    path = tmp_path / "office.db"
    altered(path, foreign)
    before = rows_of(path)
    with pytest.raises(SchemaMismatch) as caught:
        open_flow(f"sqlite:///{path}", create=create)
    clear(caught.value, "office.db", "prefix=")
    assert rows_of(path) == before
    store = SqlStore(f"sqlite:///{path}", prefix="ours_")
    assert store.feed() == []
    store.close()


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ("0", ("version 0", "reads version 1", "reportflow db upgrade")),
        ("2", ("version 2", "reads version 1", "newer reportflow")),
        ("17", ("version 17", "newer reportflow")),
        ("one", ("version one",)),
    ],
)
def test_tables_of_another_version_stay_as_they_are(tmp_path: Path, found: str, words: tuple[str, ...]) -> None:
    """Tables of an older or newer version are refused with both versions and the remedy, and stay as they are."""
    url, path, _ = filled(tmp_path)
    altered(path, f"UPDATE reportflow_meta SET value = '{found}' WHERE name = 'schema_version'")
    before = rows_of(path)
    with pytest.raises(SchemaMismatch) as caught:
        open_flow(url)
    assert (caught.value.found, caught.value.expected) == (found, "1")
    clear(caught.value, "office.db", *words)
    assert rows_of(path) == before


def test_a_missing_table_is_not_created_again(tmp_path: Path) -> None:
    """A database without one of our tables is refused, and no empty table is made in its place."""
    url, path, _ = filled(tmp_path)
    altered(path, "DROP TABLE reportflow_label")
    before = rows_of(path)
    with pytest.raises(SchemaMismatch) as caught:
        open_flow(url)
    clear(caught.value, "office.db", "backup")
    assert rows_of(path) == before


#: Statements that put an unreadable value, in which there is a 7719, into one cell: of an entry the second one's.
CELLS = {
    "a time of an entry": "UPDATE reportflow_entry SET at = 'day 7719' WHERE sequence = 2",
    "the actor of an entry": "UPDATE reportflow_entry SET actor = '{\"id\": 7719}' WHERE sequence = 2",
    "the details of an entry": """UPDATE reportflow_entry SET details = '{"$type": "No7719"}' WHERE sequence = 2""",
    "the level of an entry": "UPDATE reportflow_entry SET secrecy = 'level 7719' WHERE sequence = 2",
    "a time of a record": "UPDATE reportflow_record SET created_at = 'day 7719'",
    "the rest of a record": """UPDATE reportflow_record SET data = '{"$type": "reportflow.Report", "authors": 7719}'""",
}


@pytest.mark.parametrize("cell", CELLS)
def test_an_unreadable_cell_is_an_unreadable_record(tmp_path: Path, cell: str) -> None:
    """A row that cannot be read is `UnreadableRecord`, which says where and not what; it is left as it is."""
    url, path, id = filled(tmp_path)
    altered(path, CELLS[cell])
    before = rows_of(path)
    with open_flow(url) as flow, pytest.raises(UnreadableRecord) as caught:
        flow.history(id, by=LI)
    assert isinstance(caught.value, StorageError)
    assert caught.value.ids == (id,)
    assert caught.value.sequence == (2 if "entry" in cell else None)
    assert caught.value.where
    clear(caught.value, id)
    assert "7719" not in f"{caught.value} {caught.value.message('zh')} {vars(caught.value)}"
    assert rows_of(path) == before


def test_a_record_of_an_unreadable_level_is_seen_by_nobody(tmp_path: Path) -> None:
    """Whether somebody may see a record whose secrecy cannot be read is not known: to every actor it is not there."""
    url, path, id = filled(tmp_path)
    altered(path, "UPDATE reportflow_record SET secrecy = 'level 7719'")
    before = rows_of(path)
    with open_flow(url) as flow:
        for actor in (LI, attrs.evolve(LI, clearance=Secrecy.TOP_SECRET)):
            for call in (flow.get, flow.history, flow.options):
                with pytest.raises(RecordNotFound) as caught:
                    call(id, by=actor)
                clear(caught.value, id)
                assert "7719" not in f"{caught.value} {vars(caught.value)}"
            assert flow.find(Query(), by=actor).records == ()
        with pytest.raises(UnreadableRecord):  # the store itself says what is the matter
            flow.store.get([id])
    assert rows_of(path) == before


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """On a full disk a write is `StorageUnavailable` and what was stored stays; with room it succeeds."""
    url, path, id = filled(tmp_path)
    before = rows_of(path)

    def fill(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 20")

    event.listen(Pool, "connect", fill)
    try:
        with open_flow(url) as flow:
            for call in (
                lambda: flow.fire(id, "edit", Revision(text="x" * 500_000), by=LI),
                lambda: flow.batch([Create(draft(), by=ZHANG), Create(draft(text="x" * 500_000), by=ZHANG)]),
            ):
                with pytest.raises(StorageUnavailable) as caught:
                    call()
                clear(caught.value, "office.db", "room on the disk")
                assert flow.get(id, by=LI).version == 2
    finally:
        event.remove(Pool, "connect", fill)
    assert rows_of(path) == before
    with open_flow(url) as flow:
        assert flow.fire(id, "edit", Revision(text="x" * 500_000), by=LI).version == 3


def test_a_lock_of_another_writer_is_busy(tmp_path: Path) -> None:
    """While another program holds the write lock beyond the deadline, writes are `StorageBusy`; reads go on."""
    url, path, id = filled(tmp_path)
    engine = create_engine(url, connect_args={"timeout": 0.01})
    other = sqlite3.connect(path, isolation_level=None)
    with ReportFlow(SqlStore(engine), REPORT, retry_timeout=0.05) as flow:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageBusy) as caught:
            flow.fire(id, "comment", Comment(text="x"), by=LI)
        clear(caught.value, "office.db", "locked by another writer", "try again")
        assert flow.get(id, by=LI).version == 2
        other.execute("ROLLBACK")
        assert flow.fire(id, "comment", Comment(text="x"), by=LI).version == 3
    other.close()
    engine.dispose()


def test_an_error_of_the_driver_is_translated(tmp_path: Path) -> None:
    """A store whose table was changed raises an error of the tree, not the driver's."""
    url, path, id = filled(tmp_path)
    with open_flow(url) as flow:
        altered(path, "ALTER TABLE reportflow_record RENAME COLUMN title TO headline")
        with pytest.raises(ReportflowError) as caught:
            flow.get(id, by=LI)
        clear(caught.value, "title")
