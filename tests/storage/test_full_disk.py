"""A server whose disk is full: a disk of a few megabytes is mounted for it and filled with another file."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from reportflow import Actor, Create, Query, Record, ReportFlow, SqlStore, StorageUnavailable, open_flow, replay
from reportflow.office import REPORT, Author, Report, Revision
from tests.lifecycles import OPEN_REPORT
from tests.servers import MariaDB, PostgreSQL, postgresql

LI: Final = Actor(id="li", roles={"editor"}, unit="yulin")
#: The size of the disks, and what is left on them for the records, in bytes.
SIZE: Final = 256 << 20
ROOM: Final = 4 << 20


@contextmanager
def _disk() -> Iterator[Path]:
    """A disk of its own, which the servers' users may write to; skips where none can be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="rf-disk-"))  # not in the folders of pytest, which are its user's alone
    try:
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0777", "tmpfs", str(folder)]
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        folder.rmdir()
        pytest.skip("a small disk cannot be mounted here: only root may do that.")
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)
        folder.rmdir()


@contextmanager
def _postgresql(disk: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """A database whose tables are on the disk, on the server of all tests."""
    server = postgresql()
    assert isinstance(server, PostgreSQL)
    place = disk / "space"
    place.mkdir()
    if server.server.system_user is not None:
        shutil.chown(place, server.server.system_user)
    admin = create_engine(server.url(), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE TABLESPACE small LOCATION '{place}'"))
        connection.execute(text("CREATE DATABASE small TABLESPACE small"))
        try:
            yield server.url("small"), lambda: None
        finally:
            connection.execute(text("DROP DATABASE small WITH (FORCE)"))
            connection.execute(text("DROP TABLESPACE small"))
    admin.dispose()


@contextmanager
def _mariadb(disk: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """A database of a server that has its data on the disk, and what starts it again if it died."""
    server = MariaDB(disk / "server")
    try:
        admin = create_engine(server.url(), isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        with admin.connect() as connection:
            connection.execute(text("CREATE DATABASE small"))

        def revive() -> None:
            try:
                admin.connect().close()
            except OperationalError:
                server.process.wait(60)
                server.restart()

        yield server.url("small"), revive
        admin.dispose()
    finally:
        server.stop()


ENGINES: Final = {"postgresql": _postgresql, "mariadb": _mariadb}


def _fill(disk: Path) -> Path:
    """Leave little room on a disk."""
    ballast = disk / "ballast"
    free = shutil.disk_usage(disk).free - ROOM
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free)
    return ballast


@pytest.mark.parametrize("engine", [pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in ENGINES])
def test_a_server_with_a_full_disk_loses_nothing(engine: str) -> None:
    """Writes are `StorageUnavailable` with the disk as the cause; stored data is intact; with room writes succeed."""
    chance = random.Random(7)

    def draft(id: str) -> Report:
        # what no server can pack
        text = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=2000))
        return Report(id=id, title="t", text=text, authors=[Author(name="Qian")])

    with ExitStack() as stack:
        disk = stack.enter_context(_disk())
        url, revive = stack.enter_context(ENGINES[engine](disk))
        flow = stack.enter_context(open_flow(url, lifecycles=OPEN_REPORT))
        expected: dict[str, Record] = {"first": flow.create(draft("first"), by=LI)}
        ballast = _fill(disk)
        with pytest.raises(StorageUnavailable, match="room on the disk"):
            expected.update((made.id, made) for made in (flow.create(draft(f"r{n}"), by=LI) for n in range(10_000)))
        with suppress(StorageUnavailable):  # what is small may still find a place
            expected["first"] = flow.fire("first", "edit", Revision(text="y"), by=LI)
        drafts = [draft(f"b{number}") for number in range(1000)]
        with pytest.raises(StorageUnavailable):  # MariaDB 10.11 may die of it: it wants room to roll back as well
            flow.batch([Create(one, by=LI) for one in drafts])
        ballast.unlink()
        revive()
        assert {one.id: one for one in flow.store.get(list(expected))} == expected
        assert flow.count(Query(), by=LI) == {(): len(expected)}
        after = flow.batch([Create(one, by=LI) for one in drafts])
        expected.update((one.id, one) for one in after)
        with ReportFlow(SqlStore(url), REPORT) as other:
            for record in expected.values():
                assert other.get(record.id, by=LI) == record == replay(other.history(record.id, by=LI), REPORT)
            feed = other.store.feed(limit=10_000)
        assert {item.entry.record_id for item in feed} == set(expected)
