"""``reportflow serve``: the portal for this machine only, with a log-in of one click."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from reportflow import open_flow
from reportflow.cli import commands, serving
from reportflow.demo.people import PEOPLE
from reportflow.office import REPORT, Author, Report
from tests.web.client import Client

SERVE = [sys.executable, "-W", "error", "-m", "reportflow.cli", "serve"]


@contextmanager
def served(*more: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a server, and its process."""
    process = subprocess.Popen(
        [*SERVE, "--port", "0", *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://[^\s（(]+", said)
        assert found, said + (process.stderr.read() if process.stderr else "")
        yield found[0], process
    finally:
        process.kill()
        process.communicate()


def an_office(folder: Path) -> str:
    """A database with one report, so that no year is played."""
    url = f"sqlite:///{folder}/office.db"
    with open_flow(url) as flow:
        flow.create(Report.draft(title="路灯不亮", text="八盏。", authors=[Author(name="Qian")]), by=PEOPLE[0])
    return url


def test_a_newcomer_signs_in_and_ends_it(tmp_path: Path) -> None:
    """It prints its address; there a click signs a person in; Ctrl-C ends it cleanly, with a sentence."""
    with served("--database", an_office(tmp_path), "--language", "zh") as (address, process):
        with httpx.Client(base_url=address, follow_redirects=True, headers={"Accept-Language": "zh"}) as client:
            people = client.get("/")
            assert people.url.path == "/sign-in"
            assert all(one.name in people.text for one in PEOPLE)
            assert "虚构" in people.text
            work = client.post("/sign-in", data={"person": PEOPLE[0].id, "next": "/"})
            assert PEOPLE[0].name in work.text
            assert client.get("/", headers={"Host": "evil.test"}).status_code == 421
            assert "server" not in work.headers
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (0, "")
        assert "已结束" in out
    assert not (tmp_path / "office.db-wal").exists()


def test_an_own_lifecycle_is_served_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a lifecycle of one's own each role has a person, and no year of the demonstration is played."""
    examples = Path(__file__).resolve().parents[2] / "examples" / "own_lifecycle" / "src"
    monkeypatch.setenv("PYTHONPATH", f"{examples}:{':'.join(filter(None, sys.path))}")
    database = f"sqlite:///{tmp_path}/own.db"
    with (
        served("--database", database, "--lifecycle", "own_lifecycle:PROCUREMENT") as (address, _),
        httpx.Client(base_url=address, follow_redirects=True) as client,
    ):
        ids = re.findall(r'name="person" value="(demo-[^"]+)"', client.get("/").text)
        assert len(ids) > 2
        assert client.post("/sign-in", data={"person": ids[0], "next": "/"}).url.path == "/"


class Served:
    """Stands in for the server, and keeps what it was to serve."""

    def __init__(self) -> None:
        self.apps: list[Any] = []

    def __call__(self, app: Any, listening: socket.socket) -> None:
        self.apps.append(app)


def test_an_empty_database_gets_the_year(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The year is played where there is nothing yet, and not a second time, nor for an own lifecycle."""
    server, played = Served(), []
    monkeypatch.setattr(serving, "run", server)
    monkeypatch.setattr(commands, "_play", lambda flow, acts, database: played.append(database))
    url = f"sqlite:///{tmp_path}/empty.db"
    run = CliRunner()
    for database in (url, an_office(tmp_path)):
        done = run.invoke(commands.reportflow, ["serve", "--database", database, "--port", "0"])
        assert (done.exit_code, done.output) == (0, "")
    assert played == [url]
    with Client(server.apps[1], base="http://localhost:8300") as client:
        assert client.get("/").url.path == "/sign-in"
    with Client(server.apps[1], base="http://[::1]") as client:
        assert client.get("/").status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "office.example", ""])
@pytest.mark.parametrize(("language", "text"), [("en", "no password"), ("zh", "无需密码")])
def test_it_listens_on_no_other_address(host: str, language: str, text: str) -> None:
    """Since nobody needs a password, an address that others can reach is refused, and how to serve an office said."""
    command = ["serve", "--host", host, "--database", "memory:", "--language", language]
    done = CliRunner().invoke(commands.reportflow, command)
    assert done.exit_code == 1
    assert text in done.output


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_addresses_of_this_machine_are_taken(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All addresses of the loopback are taken: the portal is served there."""
    listening = Served()
    monkeypatch.setattr(serving, "run", listening)
    monkeypatch.setattr(serving, "listen", lambda host, port: socket.create_server(("127.0.0.1", 0)))
    monkeypatch.setattr(commands, "_play", lambda flow, acts, database: None)
    done = CliRunner().invoke(commands.reportflow, ["serve", "--host", host, "--database", "memory:", "--port", "0"])
    assert (done.exit_code, done.output) == (0, "")
    assert len(listening.apps) == 1


def test_a_port_that_is_taken_is_said() -> None:
    """A port that another program has is one sentence with what to do, before anything is played."""
    with serving.listen("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(commands.reportflow, ["serve", "--database", "memory:", "--port", port])
    assert done.exit_code == 1
    assert f"Port {port}" in done.output
    assert "--port" in done.output


WITHOUT = """
import sys
sys.modules[sys.argv.pop(1)] = None
from reportflow.cli import main
main()
"""


@pytest.mark.parametrize("package", ["starlette", "jinja2", "uvicorn"])
def test_without_the_extra_it_says_what_to_install(package: str, tmp_path: Path) -> None:
    """Where the portal's packages are not installed, one sentence names the extra."""
    command = [sys.executable, "-c", WITHOUT, package, "serve", "--database", an_office(tmp_path), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "reportflow[web]" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_each_role_of_a_lifecycle_has_one_person() -> None:
    """The people of an own lifecycle are its roles, each once, called by their labels."""
    people = serving.people_of([REPORT, REPORT])
    assert [next(iter(one.roles)) for one in people] == list(REPORT.roles)
    assert all(one.name for one in people)
