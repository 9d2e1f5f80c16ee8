"""The office as a program meets it: the server is started, and asked by HTTP."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

LAMPS = {"title": "Dark lamps", "text": "Eight at the gate.", "authors": [{"name": "Qian"}]}

#: Gives what sends requests with the token of a person; without one with none.
As = Callable[..., httpx.Client]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the office answers. A warning in it is an error, and ends up in its log."""
    folder = tmp_path_factory.mktemp("office")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        "OFFICE_DATABASE": os.environ.get("OFFICE_DATABASE", f"sqlite+aiosqlite:///{folder}/office.db"),
        "OFFICE_ADDRESS": f"127.0.0.1:{port}",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    log = folder / "log"
    with log.open("w") as written:
        serve = [sys.executable, "-W", "error", "-m", "fastapi_office"]
        server = subprocess.Popen(serve, env={**os.environ, **own}, stdout=written, stderr=written)
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
    assert "Application shutdown complete" in said
    assert "Traceback" not in said, said


@pytest.fixture(scope="module")
def sender(address: str) -> Iterator[As]:
    """What makes the clients of people."""
    clients = []

    def sends(token: str = "", **headers: str) -> httpx.Client:
        own = {"Authorization": f"Bearer {token}"} if token else {}
        clients.append(httpx.Client(base_url=address, headers={**own, **headers}, timeout=30))
        return clients[-1]

    yield sends
    for client in clients:
        client.close()


def codes(answer: httpx.Response) -> list[str]:
    """The codes of the refusals, or of what is wrong with fields."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    return [one["code"] for one in document.get("refusals") or document.get("errors", ())]


def test_nobody_is_answered_without_a_token(sender: As) -> None:
    """Without a token, or with one that nobody has, the answer is 401, and a problem document like all that failed."""
    for client in (sender(), sender("nobody")):
        answer = client.get("/records")
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert codes(answer) == []
    li = sender("li")
    assert [li.get("/nowhere").status_code, li.put("/records").status_code] == [404, 405]
    assert li.post("/records", content="{").status_code == 400


def test_a_letter_and_its_report_are_kept_both_or_neither(sender: As) -> None:
    """A letter is entered with its report in one transaction; a number that is taken, or a refusal, leaves nothing."""
    li, zhao = sender("li"), sender("zhao")
    letter = {"number": "A 1", "sender": "Qian", "received": "2026-11-02", "draft": LAMPS}
    first = li.post("/letters", json=letter, headers={"Idempotency-Key": "k1"})
    assert first.status_code == 201
    again = li.post("/letters", json=letter, headers={"Idempotency-Key": "k1"})
    assert (again.status_code, again.json()) == (201, first.json())

    before = len(li.get("/records").json()["records"])
    assert li.post("/letters", json=letter).status_code == 409
    refused = zhao.post("/letters", json={**letter, "number": "A 2"})
    assert (refused.status_code, codes(refused)) == (403, ["role"])
    assert len(li.get("/records").json()["records"]) == before

    [listed] = [one for one in zhao.get("/letters").json() if one["number"].startswith("A")]
    assert (listed["report"], listed["title"], listed["state"]) == (first.json()["id"], "Dark lamps", "draft")
    assert sender("gao").get("/letters").json() == []


def test_the_portal_is_the_same_office_in_a_browser(address: str, sender: As) -> None:
    """Who opens the portal signs in with the token, and sees there what the API shows; the token is asked for again."""
    wang = sender("wang")
    made = wang.post("/records", json={"kind": "report", "draft": {**LAMPS, "title": "Lamps in the portal"}}).json()
    with httpx.Client(base_url=address, follow_redirects=True, timeout=30) as browser:
        page = browser.get("/office/?shown=all")
        assert page.url.path == "/sign-in"
        assert browser.post(str(page.url), data={"token": "nobody"}).url.path == "/sign-in"
        work = browser.post(str(page.url), data={"token": "li"})
        assert (work.status_code, work.url.path) == (200, "/office/")
        assert "Lamps in the portal" in work.text
        click_through(browser, made["id"], "edit", {"text": "Eight at the north gate."})
        assert sender("li").get(f"/records/{made['id']}").json()["text"] == "Eight at the north gate."
        assert browser.post("/sign-out").url.path == "/sign-in"
        assert browser.get("/office/").url.path == "/sign-in"
    assert sender("gao").get("/office/").text.count("Lamps in the portal") == 0


def click_through(browser: httpx.Client, id: str, trigger: str, filled_in: dict[str, str]) -> None:
    """Open a record's page, from there the form of an act, fill it in, send it, and see that it is done."""
    page = browser.get(f"/office/r/{id}")
    assert page.status_code == 200
    link = re.search(rf'href="(/office/r/[^"]+/do/{trigger}[^"]*)"', page.text)
    assert link, f"{trigger} is not offered"
    form = browser.get(unescape(link[1]))
    [sent] = re.findall(r'<form[^>]*method="post"[^>]*action="(/office/r/[^"]*/do/[^"]*)"', form.text)
    inputs = [dict(re.findall(r'(\w+)="([^"]*)"', one)) for one in re.findall(r"<input[^>]*hidden[^>]*>", form.text)]
    hidden = {one["name"]: unescape(one.get("value", "")) for one in inputs if "name" in one}
    done = browser.post(unescape(sent), data={**hidden, **filled_in})
    assert done.status_code == 200, done.text
    assert "/receipt/" in done.url.path


def test_every_bad_field_is_named(sender: As) -> None:
    """A body with many faults is answered with all of them at once, each with a pointer, in the reader's language."""
    li = sender("li", **{"Accept-Language": "zh-CN, en;q=0.5"})
    answer = li.post("/letters", json={"number": "", "received": "May", "draft": {**LAMPS, "title": 7, "x": 1}})
    assert (answer.status_code, answer.headers["Content-Language"]) == (422, "zh")
    assert sorted((one["pointer"], one["code"]) for one in answer.json()["errors"]) == [
        ("#/draft/title", "type"),
        ("#/draft/x", "unknown_field"),
        ("#/number", "blank"),
        ("#/received", "not_a_date"),
        ("#/sender", "missing_field"),
    ]
    for body in ("[]", "null", '{"draft": {"\\ud800": 1}}', '{"draft": NaN}'):
        assert li.post("/letters", content=body).status_code == 422
    made = li.post("/records", json={"kind": "report", "draft": LAMPS}).json()
    answer = li.post(f"/records/{made['id']}/edit", json={"details": {"text": ""}, "at": "now"})
    assert [one["pointer"] for one in answer.json()["errors"]] == ["#/at", "#/details/text"]
    for limit in ("many", "9" * 5_000):
        answer = li.get(f"/records?limit={limit}&colour=red")
        assert [one["pointer"] for one in answer.json()["errors"]] == ["#/colour", "#/limit"]


def test_an_act_is_done_on_what_was_read(sender: As) -> None:
    """The tag of a record is its head: with `If-Match`, an act is done on that content or not at all."""
    wang, li, zhao = (sender(name) for name in ("wang", "li", "zhao"))
    made = wang.post("/records", json={"kind": "report", "draft": LAMPS})
    assert (made.status_code, made.headers["Location"]) == (201, f"records/{made.json()['id']}")
    path = f"/records/{made.json()['id']}"
    seen = {"If-Match": li.get(path).headers["ETag"]}
    assert seen["If-Match"] == made.headers["ETag"]

    refused = wang.post(f"{path}/review", json={})
    assert (refused.status_code, codes(refused)) == (409, ["state", "role"])
    edited = li.post(f"{path}/edit", json={"details": {"text": "Eight lamps at the north gate."}}, headers=seen)
    assert (edited.status_code, edited.json()["state"]) == (200, "edited")
    assert li.post(f"{path}/edit", json={"details": {"text": "Nine."}}, headers=seen).status_code == 412
    for tag in ("x", '""', 'W/"x"', f"{edited.headers['ETag']}, {seen['If-Match']}", ""):
        assert zhao.post(f"{path}/review", headers={"If-Match": tag}).status_code == 412
    reviewed = zhao.post(f"{path}/review", headers={"If-Match": edited.headers["ETag"]})
    assert reviewed.json()["state"] == "reviewed"
    returned = zhao.post(f"{path}/return", headers={"If-Match": "*"})
    assert (returned.status_code, codes(returned)) == (422, ["reason"])

    history = zhao.get(f"{path}/history").json()
    assert [(one["trigger"], one["actor"]["name"]) for one in history] == [
        ("create", "Wang"),
        ("edit", "Li"),
        ("review", "Zhao"),
    ]
    assert sender("gao").get(path).status_code == 404
    assert li.post(f"{path}/explode", json={}).status_code == 404


def test_lists_come_page_by_page(sender: As) -> None:
    """Each page has the cursor of the next one, in its body and as a link; together they have each record once."""
    li = sender("li")
    made = [
        li.post("/records", json={"kind": "report", "draft": {**LAMPS, "category": "well"}}).json() for _ in range(3)
    ]
    url, found = "/records?category=well&state=draft&state=edited&limit=2&order=-created_at", []
    while True:
        answer = li.get(url)
        found += answer.json()["records"]
        if "next" not in answer.links:
            break
        url = str(answer.url.join(answer.links["next"]["url"]))
        assert answer.json()["next"] == httpx.URL(url).params["cursor"]
    assert found == made[::-1]
    assert sender("gao").get("/records?category=well").json()["records"] == []
    assert li.get("/records?cursor=x").status_code == 422


def test_options_say_what_to_fill_in(sender: As) -> None:
    """A program that knows nothing of reports creates one and edits it by what the options say."""
    li = sender("li", **{"Accept-Language": "zh"})
    [creation] = li.get("/kinds/report/options").json()
    body = {"kind": "report", "trigger": creation["trigger"], "draft": LAMPS}
    Draft202012Validator(creation["schema"]).validate(LAMPS)
    id = li.post("/records", json=body).json()["id"]
    options = {one["trigger"]: one for one in li.get(f"/records/{id}/options").json()}
    assert options["edit"]["label"] == "编辑"
    assert [one["code"] for one in options["review"]["refusals"]] == ["state", "role"]
    Draft202012Validator(options["edit"]["schema"]).validate({"text": "Nine."})
    assert li.post(f"/records/{id}/edit", json={"details": {"text": "Nine."}}).json()["text"] == "Nine."


def test_many_at_once_are_all_done(sender: As) -> None:
    """Letters that come at the same moment are all entered, and comments on one report are all kept."""
    li = sender("li")
    id = li.post("/records", json={"kind": "report", "draft": LAMPS}).json()["id"]

    def enter(number: int) -> tuple[int, int]:
        letter = {"number": f"M {number}", "sender": "Qian", "received": "2026-11-03", "draft": LAMPS}
        comment = {"details": {"text": f"Lamp {number}."}}
        return li.post("/letters", json=letter).status_code, li.post(f"/records/{id}/comment", json=comment).status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(enter, range(16))) == {(201, 200)}
    assert len({one["report"] for one in li.get("/letters").json() if one["number"].startswith("M")}) == 16
    assert len(li.get(f"/records/{id}/history").json()) == 17


def test_the_document_describes_what_is_sent(sender: As) -> None:
    """OpenAPI: each schema is one, each reference leads somewhere, and answers are as their operations say."""
    li = sender("li")
    document = li.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    for name in schemas:
        Draft202012Validator.check_schema(schemas[name])
    referred = {part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}
    assert referred == schemas.keys()

    def check(answer: httpx.Response, path: str) -> None:
        described = document["paths"][path][answer.request.method.lower()]["responses"][str(answer.status_code)]
        schema = described["content"]["application/json"]["schema"]
        Draft202012Validator({**schema, "components": document["components"]}).validate(answer.json())

    body = {"kind": "report", "draft": LAMPS, "at": "2026-11-01T08:00:00+08:00"}
    taken = document["paths"]["/records"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    Draft202012Validator({**taken, "components": document["components"]}).validate(body)
    made = li.post("/records", json=body)
    check(made, "/records")
    id = made.json()["id"]
    check(li.post(f"/records/{id}/edit", json={"details": {"text": "Nine."}}), "/records/{id}/edit")
    check(li.get("/records?limit=1"), "/records")
    check(li.get(f"/records/{id}"), "/records/{id}")
    check(li.get(f"/records/{id}/history"), "/records/{id}/history")


def test_the_written_client_is_understood(address: str, tmp_path: Path) -> None:
    """What `reportflow client` writes for the definition works against the office."""
    command = [sys.executable, "-m", "reportflow.cli", "client", "reportflow.office:REPORT"]
    own = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    source = subprocess.run(command, capture_output=True, check=True, timeout=60, env=own).stdout
    path = tmp_path / "report_client.py"
    path.write_bytes(source)
    spec = importlib.util.spec_from_file_location("report_client", path)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules["report_client"] = module
    spec.loader.exec_module(module)
    wang, li, zhao = (
        module.ReportClient(address, headers={"Authorization": f"Bearer {name}"}) for name in ("wang", "li", "zhao")
    )

    [creation] = wang.creations()
    assert creation["allowed"]
    report = wang.create({**LAMPS, "category": "client"}, key="c1")
    assert wang.create({**LAMPS, "category": "client"}, key="c1") == report
    edited = li.edit(report, {"text": "Eight lamps at the north gate."})
    with pytest.raises(module.ProblemRaised) as stale:
        li.edit(report, {"text": "Nine."})
    assert stale.value.status == 412
    with pytest.raises(module.ProblemRaised) as refused:
        wang.review(edited)
    assert [one["code"] for one in refused.value.refusals] == ["role"]
    reviewed = zhao.review(edited)
    assert [one["trigger"] for one in zhao.history(report["id"])] == ["create", "edit", "review"]
    assert list(zhao.every(category="client", limit=1)) == [reviewed] == [zhao.get(report["id"])]
    assert "adopt" in {one["trigger"] for one in zhao.options(report["id"]) if one["allowed"]}
