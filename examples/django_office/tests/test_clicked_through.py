"""The office as a person meets it: the server is started, and clicked through by HTTP."""

from __future__ import annotations

import http.cookiejar
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest


class Browser:
    """A person's browser: keeps cookies, follows redirects, fills in the token of a form."""

    def __init__(self, address: str, account: str) -> None:
        self._address = address
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        self.path = ""
        self.get("/accounts/login/")
        assert self.post("/accounts/login/", username=account, password=account)[0] == 200

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """The status and the page."""
        return self._open(urllib.request.Request(self._address + path, headers=headers))

    def post(self, path: str, *, accept: str = "text/html", **fields: str) -> tuple[int, str]:
        """Send a form."""
        token = next(one.value for one in self._cookies if one.name == "csrftoken")
        data = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token}).encode()
        headers = {"Accept": accept, "Referer": self._address}
        return self._open(urllib.request.Request(self._address + path, data, headers))

    def forget(self) -> None:
        """Lose all cookies."""
        self._cookies.clear()

    def look(self, path: str) -> str:
        """The address to which a page leads."""
        self.get(path)
        return self.path

    def _open(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with self._opener.open(request, timeout=30) as answer:
                self.path = urllib.parse.urlsplit(answer.url).path
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the office keeps its data."""
    return tmp_path_factory.mktemp("office")


def environment(folder: Path) -> dict[str, str]:
    """The environment of the office's processes."""
    source = str(Path(__file__).resolve().parents[1] / "src")
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "django_office.settings",
        "OFFICE_DATABASE": str(folder / "office.db"),
        "OFFICE_MAIL": str(folder / "mail"),
        "PYTHONPATH": os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH", "")])),
    }


def command(folder: Path, *arguments: str) -> str:
    """What a command of the office prints."""
    done = subprocess.run(
        [sys.executable, "-m", "django_office", *arguments],
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """Where the office answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = [sys.executable, "-m", "django_office"]
    own = {**environment(folder), "OFFICE_ADDRESS": f"127.0.0.1:{port}"}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(serve, env=own, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert server.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module")
def people(address: str) -> dict[str, Browser]:
    """Each person, logged in."""
    return {account: Browser(address, account) for account in ("wang", "li", "zhao", "gao")}


def test_a_report_from_its_submission_to_its_review(people: dict[str, Browser], folder: Path) -> None:
    """A report is submitted with its letter, edited and reviewed by those who may; others do not see it."""
    wang, li, zhao, gao = people.values()
    status, page = wang.post("/reports/new/", title="Dark lamps", text="Eight at the gate.", letter="A 1")
    assert status == 200
    assert "Letter A 1" in page
    path = wang.path
    assert "Dark lamps" in li.get("/")[1].split("<h2>All")[0], "it waits for the editor"
    assert [one.read_text().count("To: li@office.test") for one in (folder / "mail").iterdir()] == [1]

    status, page = li.post(f"{path}edit/", text="Eight lamps at the north gate.", version="1")
    assert status == 200
    assert "Eight lamps at the north gate." in page
    status, page = zhao.post(f"{path}review/", version="2")
    assert status == 200
    assert len(re.findall("<li>", page.split('class="history"')[1])) == 3

    assert "Dark lamps" not in gao.get("/")[1]
    assert gao.get(path)[0] == 404
    assert gao.post(f"{path}comment/", text="x")[0] == 404


def test_what_is_refused_changes_nothing(people: dict[str, Browser]) -> None:
    """A refusal has its status and its reasons; the letter of a report that is not created is not kept either."""
    wang, li = people["wang"], people["li"]
    assert wang.post("/reports/new/", title="The bridge", text="Closed.", letter="B 1")[0] == 200
    path = wang.path
    status, page = wang.post(f"{path}review/", version="1")
    assert status == 409
    assert "<li>" in page
    status, page = wang.post(f"{path}review/", version="1", accept="application/json")
    assert status == 409
    assert '"code": "role"' in page
    status, page = li.post(f"{path}edit/", text="", version="1")
    assert status == 422
    assert li.post(f"{path}edit/", text="Closed since May.", version="1")[0] == 200
    assert li.post(f"{path}edit/", text="Closed since June.", version="1")[0] == 412

    # the number of a letter is there once: report and letter are written together, or neither
    before = wang.get("/")[1].count("<tr>")
    assert wang.post("/reports/new/", title="Twice", text="x", letter="B 1")[0] == 500
    assert wang.get("/")[1].count("<tr>") == before


def test_the_portal_is_the_same_office(address: str, people: dict[str, Browser]) -> None:
    """Who has logged in to Django is known in the portal, and acts there on the same records; others log in first."""
    wang, li, gao = people["wang"], people["li"], people["gao"]
    assert wang.post("/reports/new/", title="The lift", text="It stands still.", letter="P 1")[0] == 200
    path = wang.path
    id = path.split("/")[2]
    assert "The lift" in li.get("/office/")[1]
    assert gao.get(f"/office/r/{id}")[0] == 404
    click_through(li, id, "edit", text="It has stood still since May.")
    assert "It has stood still since May." in wang.get(path)[1]
    stranger = Browser(address, "li")
    stranger.forget()
    assert "/accounts/login/" in stranger.look("/office/find")
    assert stranger.path == "/accounts/login/"


def click_through(browser: Browser, id: str, trigger: str, **filled_in: str) -> None:
    """Open a record's page, from there the form of an act, fill it in, send it, and see that it is done."""
    status, page = browser.get(f"/office/r/{id}")
    assert status == 200
    link = re.search(rf'href="(/office/r/[^"]+/do/{trigger}[^"]*)"', page)
    assert link, f"{trigger} is not offered"
    form = browser.get(unescape(link[1]))[1]
    [sent] = re.findall(r'<form[^>]*method="post"[^>]*action="(/office/r/[^"]*/do/[^"]*)"', form)
    inputs = [dict(re.findall(r'(\w+)="([^"]*)"', one)) for one in re.findall(r"<input[^>]*hidden[^>]*>", form)]
    hidden = {one["name"]: unescape(one.get("value", "")) for one in inputs if "name" in one}
    assert browser.post(unescape(sent), **{**hidden, **filled_in})[0] == 200
    assert "/receipt/" in browser.path


def test_the_admin_shows_what_the_person_may_see(people: dict[str, Browser]) -> None:
    """List and history of the admin show a person their unit's reports; nothing can be changed there."""
    wang, zhao, gao = people["wang"], people["zhao"], people["gao"]
    wang.post("/reports/new/", title="The well", text="Dry.", letter="C 1")
    id = wang.path.split("/")[2]
    listed = zhao.get("/admin/reportflow/recordrow/")[1]
    assert "The well" in listed
    assert "The well" not in gao.get("/admin/reportflow/recordrow/")[1]
    assert "Wang" in zhao.get(f"/admin/reportflow/recordrow/{id}/history/")[1]
    assert "经办人" in zhao.get(f"/admin/reportflow/recordrow/{id}/history/", **{"Accept-Language": "zh-hans"})[1]
    assert zhao.post(f"/admin/reportflow/recordrow/{id}/delete/", post="yes")[0] == 403


def test_the_relay_publishes_what_was_committed(people: dict[str, Browser], folder: Path) -> None:
    """The relay is a command of the office: it publishes what people have done."""
    people["wang"].post("/reports/new/", title="The road", text="Broken.", letter="D 1")
    assert "reportflow.report.create" in command(folder, "reportflow_relay", "--once")


def test_no_migration_is_missing(folder: Path) -> None:
    """The models have the migrations that they need."""
    assert "No changes detected" in command(folder, "makemigrations", "--check")
