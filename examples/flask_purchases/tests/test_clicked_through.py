"""The office as a person meets it: the server is started, and clicked through by HTTP."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path

import httpx
import pytest


class Browser:
    """A person's browser: keeps cookies, follows redirects, sends the hidden fields of a form with those filled in."""

    def __init__(self, address: str, account: str, password: str = "") -> None:
        self._client = httpx.Client(
            base_url=address, follow_redirects=True, timeout=30, headers={"Accept": "text/html"}
        )
        self.logged_in = self._client.post("/login", data={"id": account, "password": password or account})

    def close(self) -> None:
        """Close it."""
        self._client.close()

    def get(self, path: str) -> httpx.Response:
        """A page."""
        return self._client.get(path)

    def page(self, path: str, part: str = "") -> str:
        """A page, or one section of it, as text."""
        answer = self.get(path)
        assert answer.status_code == 200
        opening = f'<section id="{part}">' if part else "<main>"
        found = re.search(rf"{opening}(.*?)</{'section' if part else 'main'}>", answer.text, re.DOTALL)
        assert found is not None
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[1])).split())

    def hidden(self, path: str, trigger: str) -> dict[str, str]:
        """The hidden fields of the form of an act."""
        found = re.search(
            rf'<form method="post" action="{path}/{trigger}">(.*?)</form>', self.get(path).text, re.DOTALL
        )
        assert found is not None, f"{trigger} is not offered"
        return dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', found[1]))

    def act(self, path: str, trigger: str, **filled_in: str) -> httpx.Response:
        """Fill in the form of an act, and send it."""
        return self.post(f"{path}/{trigger}", **self.hidden(path, trigger), **filled_in)

    def post(self, path: str, accept: str = "text/html", language: str = "en", **fields: str) -> httpx.Response:
        """Send fields, whatever forms there are."""
        return self._client.post(path, data=fields, headers={"Accept": accept, "Accept-Language": language})

    def request(self, title: str, amount: str, **more: str) -> str:
        """Request a purchase; gives the path of its page."""
        answer = self.post("/purchases/new", title=title, amount=amount, **more)
        assert answer.status_code == 200, answer.text
        return answer.url.path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the office keeps its data."""
    return tmp_path_factory.mktemp("office")


def environment(folder: Path) -> dict[str, str]:
    """The environment of the office's processes."""
    own = {
        "OFFICE_DATABASE": os.environ.get("OFFICE_DATABASE", f"sqlite:///{folder}/purchases.db"),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    return {**os.environ, **own}


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """Where the office answers. A warning in it is an error, and ends up in its log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "log"
    with log.open("w") as written:
        serve = [sys.executable, "-W", "error", "-m", "flask", "--app", "flask_purchases", "run", "--port", str(port)]
        server = subprocess.Popen(serve, env=environment(folder), stdout=written, stderr=written)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)
    said = log.read_text()
    assert "GET / " in said
    assert "Traceback" not in said, said


@pytest.fixture(scope="module")
def people(address: str) -> Iterator[dict[str, Browser]]:
    """Each person, logged in."""
    browsers = {account: Browser(address, account) for account in ("mei", "han", "dong", "bo", "wei")}
    yield browsers
    for browser in browsers.values():
        browser.close()


def ordered(person: Browser, supplier: str) -> float:
    """For how much was ordered from a supplier."""
    found = re.search(rf"{supplier} ([\d.]+)", person.page("/suppliers"))
    assert found is not None
    return float(found[1])


def approved(people: dict[str, Browser], title: str, amount: str = "100") -> str:
    """A purchase that its department has approved."""
    path = people["mei"].request(title, amount)
    assert people["han"].act(path, "approve").status_code == 200
    return path


def test_a_purchase_from_the_request_to_the_delivery(people: dict[str, Browser]) -> None:
    """Each finds in the inbox what waits for them, and in the page of a purchase the forms of what they may do."""
    mei, han, dong, bo, wei = people.values()
    path = mei.request("A microscope", "7000.50")
    assert "A microscope" in han.page("/", "inbox")
    assert "approve" not in mei.page(path, "offered")
    assert "before the division" in unescape(han.act(path, "approve").text)
    dong.act(path, "approve")
    assert "A microscope" in bo.page("/", "inbox")
    before = ordered(bo, "Optik")
    bo.act(path, "order", supplier="optik", number="A 1", due="2030-04-01")
    assert ordered(bo, "Optik") == before + 7000.50
    mei.act(path, "receive")
    assert re.findall(r"(\w+): (\w+)", mei.page(path, "history")) == [
        ("Mei", "request"),
        ("Han", "approve"),
        ("Dong", "approve"),
        ("Bo", "order"),
        ("Mei", "receive"),
    ]
    assert wei.get(path).status_code == 404
    assert "A microscope" not in wei.page("/")


def test_the_portal_is_the_same_office(people: dict[str, Browser], address: str) -> None:
    """Who has logged in to Flask is known in the portal, and acts there on the same purchases; others log in first."""
    mei, han, wei = people["mei"], people["han"], people["wei"]
    path = mei.request("A centrifuge", "300")
    id = path.rpartition("/")[2]
    assert "A centrifuge" in han.get("/office/").text
    click_through(han, id, "approve")
    assert "Han" in mei.page(path, "history")
    assert "approve" in mei.page(path, "history")
    assert wei.get(f"/office/r/{id}").status_code == 404
    stranger = Browser(address, "mei", "wrong")
    asked = stranger.get("/office/find?order=due_at")
    assert asked.url.path == "/login"
    back = stranger.post(f"{asked.url.path}?{asked.url.query.decode()}", id="mei", password="mei")
    assert str(back.url).endswith("/office/find?order=due_at")
    stranger.close()


def click_through(browser: Browser, id: str, trigger: str, **filled_in: str) -> None:
    """Open a record's page, from there the form of an act, fill it in, send it, and see that it is done."""
    page = browser.get(f"/office/r/{id}")
    assert page.status_code == 200
    link = re.search(rf'href="(/office/r/[^"]+/do/{trigger}[^"]*)"', page.text)
    assert link, f"{trigger} is not offered"
    form = browser.get(unescape(link[1])).text
    [sent] = re.findall(r'<form[^>]*method="post"[^>]*action="(/office/r/[^"]*/do/[^"]*)"', form)
    inputs = [dict(re.findall(r'(\w+)="([^"]*)"', one)) for one in re.findall(r"<input[^>]*hidden[^>]*>", form)]
    hidden = {one["name"]: unescape(one.get("value", "")) for one in inputs if "name" in one}
    done = browser.post(unescape(sent), **{**hidden, **filled_in})
    assert done.status_code == 200, done.text
    assert "/receipt/" in done.url.path


def test_an_order_and_its_supplier_are_kept_both_or_neither(people: dict[str, Browser]) -> None:
    """An order from a blocked supplier leaves the purchase as it was; one that is refused leaves the supplier so."""
    bo, mei = people["bo"], people["mei"]
    path = approved(people, "A lens")
    blocked = bo.act(path, "order", supplier="grau", number="A 2", due="2030-04-01")
    assert blocked.status_code == 422
    assert "100, approved" in bo.page(path)
    before = ordered(bo, "Optik")
    refused = mei.post(f"{path}/order", supplier="optik", number="A 2", due="2030-04-01")
    assert (refused.status_code, ordered(bo, "Optik")) == (409, before)
    assert "is done by buyer" in unescape(refused.text)


def test_a_form_is_done_once_and_on_what_was_read(people: dict[str, Browser]) -> None:
    """A form that is sent twice is done once; one that was opened before another act is not done."""
    mei, han = people["mei"], people["han"]
    first = mei.request("Lamps", "100", key="k1")
    assert mei.request("Lamps", "100", key="k1") == first
    opened = han.hidden(first, "reject")
    han.act(first, "comment", text="Which ones?")
    assert han.post(f"{first}/reject", **opened, reason="Too many.").status_code == 412
    sent = {**han.hidden(first, "reject"), "reason": "Too many."}
    assert han.post(f"{first}/reject", **sent).status_code == 200
    assert han.post(f"{first}/reject", **sent).status_code == 200
    assert han.page(first, "history").count("reject") == 1


def test_what_is_wrong_is_said(people: dict[str, Browser], address: str) -> None:
    """A person reads every reason on a page, in their language; a program gets them as a problem document."""
    mei, bo = people["mei"], people["bo"]
    answer = mei.post("/purchases/new", title="", amount="much", at="May")
    assert answer.status_code == 422
    path = approved(people, "A chair")
    answer = bo.post(f"{path}/order", accept="application/problem+json", language="zh-CN", due="soon")
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert {one["pointer"]: one["code"] for one in answer.json()["errors"]} == {
        "#/supplier": "missing_field",
        "#/number": "missing_field",
        "#/due": "not_a_date",
    }
    assert "供应商" in answer.json()["detail"]
    assert bo.post(f"{path}/explode").status_code == 404
    stranger = Browser(address, "mei", "wrong")
    assert stranger.logged_in.status_code == 403
    assert stranger.get(path).url.path == "/login"
    stranger.close()


def test_what_is_late_is_passed_on(people: dict[str, Browser], folder: Path) -> None:
    """What was not decided in time is listed as late, and a command passes it on to the next level."""
    mei, dong = people["mei"], people["dong"]
    path = mei.request("A desk", "200", at="2026-01-05")
    mei.request("A new desk", "200")
    assert "A desk , 200, before the department, until 2026-01-08" in mei.page("/", "late")
    command = [sys.executable, "-W", "error", "-m", "flask", "--app", "flask_purchases", "escalate"]
    done = subprocess.run(command, env=environment(folder), capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["A desk"]
    assert "A desk" in dong.page("/", "inbox")
    assert "Clock: pass on" in dong.page(path, "history")


def test_orders_at_the_same_moment_are_all_counted(people: dict[str, Browser]) -> None:
    """Orders from one supplier that are sent at once are each done, and each is in its sum."""
    bo = people["bo"]
    forms = {path: bo.hidden(path, "order") for path in [approved(people, f"Box {number}") for number in range(6)]}
    before = ordered(bo, "Lens & Co")

    def order(path: str) -> int:
        fields = {"supplier": "lens", "number": path[-4:], "due": "2030-04-01"}
        return bo.post(f"{path}/order", **forms[path], **fields).status_code

    with ThreadPoolExecutor(6) as threads:
        assert set(threads.map(order, forms)) == {200}
    assert ordered(bo, "Lens & Co") == before + 600
