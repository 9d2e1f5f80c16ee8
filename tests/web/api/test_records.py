"""Records by the API: read, created, acted on; what is refused, and how."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reportflow import Actor, Query, open_async_flow, open_flow
from reportflow.model.actor import Secrecy
from reportflow.web import Portal, portal
from reportflow.web.urls import as_sent, read
from tests.web.api.offices import LEAVE, LI, WU, draft, leaves, office, sent
from tests.web.client import Client


def test_a_record_is_read_with_its_head_as_tag() -> None:
    """The tag of a record is its head; who has that content gets 304."""
    app = office()
    made = app.site.flow.create(draft(), by=LI)
    with Client(app) as client:
        answer = client.get(f"/api/records/{made.id}")
        assert answer.json()["title"] == "Dark lamps"
        assert answer.headers["ETag"] == f'"{made.head}"'
        for tag in (f'"{made.head}"', f'"x", W/"{made.head}"', "*"):
            again = client.get(f"/api/records/{made.id}", headers={"If-None-Match": tag})
            assert (again.status_code, again.content) == (304, b"")
        assert client.get(f"/api/records/{made.id}", headers={"If-None-Match": '"x"'}).status_code == 200


def test_hidden_and_missing_are_answered_alike() -> None:
    """Whether a record is there and hidden, or is not there, or cannot be there: the same answer, for all of it."""
    flow = open_flow("memory:")
    hidden = flow.create(draft(), by=LI)
    with Client(portal(flow, authenticate=lambda request: WU)) as client:
        for rest in ("", "/history", "/options", "/at?version=1", "/diff?from=1", f"/files/{'0' * 64}"):
            answers = [client.get(f"/api/records/{id}{rest}") for id in (hidden.id, "missing", "%00", "%20")]
            assert {one.status_code for one in answers} == {404}
            assert len({one.text for one in answers}) == 1
        acts = [sent(client, f"/api/records/{id}/edit", {"details": 7}) for id in (hidden.id, "missing")]
        assert acts[0].text == acts[1].text
        assert acts[0].status_code == 404
        assert client.get("/api/records").json() == {"records": [], "next": None, "unreadable": []}
        assert client.get("/api/count").json()["counts"] in ([], [{"group": [], "number": 0}])
        assert client.get("/api/feed").json() == {"items": [], "after": None}


def test_an_act_is_done_once_and_on_what_was_seen() -> None:
    """A key makes an act happen once, `If-Match` only on the content that was seen; both are refused where wrong."""
    with Client(office()) as client:
        body = {"kind": "report", "draft": {"title": "a", "text": "b", "authors": [{"name": "c"}]}}
        made = [sent(client, "/api/records", body, Idempotency_Key="one") for _ in range(2)]
        assert [one.status_code for one in made] == [201, 201]
        assert made[0].json() == made[1].json()
        where = made[0].headers["Location"]
        assert where == f"/api/records/{made[0].json()['id']}"
        tag = made[0].headers["ETag"]
        edit = {"details": {"text": "c"}}
        done = sent(client, f"{where}/edit", edit, If_Match=tag, Idempotency_Key="two")
        assert done.json()["text"] == "c"
        assert sent(client, f"{where}/edit", edit, If_Match=tag, Idempotency_Key="two").json() == done.json()
        assert sent(client, f"{where}/edit", edit, If_Match=tag).status_code == 412
        assert sent(client, f"{where}/edit", edit, If_Match="*").json()["refusals"][0]["code"] == "unchanged"
        for name, value in (("If_Match", "x"), ("If_Match", 'W/"x"'), ("Idempotency_Key", " "), ("If_Match", "")):
            assert sent(client, f"{where}/edit", edit, **{name: value}).status_code == 422
        assert sent(client, f"{where}/edit", edit, Idempotency_Key="k" * 256).status_code == 422
        assert sent(client, f"{where}/edit", {"details": {"text": "d"}}, Idempotency_Key="two").status_code == 409


def test_history_options_versions_and_changes_of_a_record() -> None:
    """What happened, what may be done, how it was, and what changed: each is read."""
    app = office()
    made = app.site.flow.create(draft(), by=LI)
    with Client(app, language="zh") as client:
        where = f"/api/records/{made.id}"
        sent(client, f"{where}/edit", {"details": {"text": "Nine.", "title": "Lamps"}})
        assert [one["trigger"] for one in client.get(f"{where}/history").json()] == ["create", "edit"]
        options = {one["trigger"]: one for one in client.get(f"{where}/options").json()}
        assert options["edit"]["label"] == "编辑"
        assert [one["code"] for one in options["review"]["refusals"]] == ["role", "same_person"]
        assert client.get(f"{where}/at").json()["text"] == "Nine."
        assert client.get(f"{where}/at?version=1").json()["text"] == "Eight at the gate."
        assert client.get(f"{where}/at", params={"time": "2999-01-01T00:00:00Z"}).json()["version"] == 2
        assert client.get(f"{where}/at", params={"happened": "2999-01-01T00:00:00Z"}).json()["head"] == ""
        assert client.get(f"{where}/at?version=3").status_code == 404
        both = client.get(f"{where}/at", params={"version": 1, "time": "2999-01-01T00:00:00Z"})
        assert both.status_code == 422
        changes = {one["field"]: one for one in client.get(f"{where}/diff?from=1").json()["changes"]}
        assert (changes["title"]["from"], changes["title"]["to"]) == ("Dark lamps", "Lamps")
        assert changes["title"]["label"] == "标题"
        assert client.get(f"{where}/diff?from=2&to=2").json() == {"from": 2, "to": 2, "changes": []}
        missing = client.get(f"{where}/diff").json()
        assert [one["pointer"] for one in missing["errors"]] == ["#/from"]
        assert client.get(f"{where}/diff?from=x&to=0").json()["errors"][1]["pointer"] == "#/to"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"#/kind", "#/draft"}),
        (7, {"#"}),
        ({"kind": "nix", "draft": {}}, {"#/kind"}),
        ({"kind": 7, "draft": {}}, {"#/kind"}),
        ({"kind": "report", "trigger": "edit", "draft": {}}, {"#/trigger"}),
        ({"kind": "report", "trigger": None, "draft": {}}, {"#/trigger"}),
        ({"kind": "report", "draft": {"title": "", "state": "x"}, "at": "then"},
         {"#/at", "#/draft/state", "#/draft/title", "#/draft/text", "#/draft/authors"}),
        ({"kind": "report", "draft": {"kind": "other", "title": "a", "text": "b", "authors": [{"name": "c"}]}},
         {"#/draft/kind"}),
    ],
)  # fmt: skip
def test_all_that_is_wrong_with_a_draft_is_named_at_once(body: Any, pointers: set[str]) -> None:
    """A creation is refused with a pointer to each thing that is wrong."""
    with Client(office()) as client:
        answer = sent(client, "/api/records", body)
        assert answer.status_code == 422
        assert {one["pointer"] for one in answer.json()["errors"]} == pointers
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "text",
    ["{", "[" * 9999, '"', '{"a": NaN}',
     '{"a": Infinity}', '{"a": 1, "a": 2}', '{"draft": {"b": 1, "b": 1}}', '{"a": "\xff"'],
)  # fmt: skip
def test_what_is_no_json_is_refused(text: str) -> None:
    """Broken JSON, numbers that JSON does not know, a name twice and what goes too deep are 400, and nothing worse."""
    with Client(office()) as client:
        heads = {"Content-Type": "application/json"}
        for content in (text.encode(), b"\xff" + text.encode()):
            assert client.request("POST", "/api/records", content=content, headers=heads).status_code == 400


def test_a_page_of_another_site_changes_nothing() -> None:
    """What a form or a page of another site can send is refused: its types, its origin, its cookies."""
    app = office()
    made = app.site.flow.create(draft(), by=LI)
    with Client(app) as client:
        where = f"/api/records/{made.id}/withdraw"
        for heads in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}):
            assert client.request("POST", where, content=b"{}", headers=heads).status_code == 415
        token = {"Authorization": "Bearer x"}
        assert client.request("POST", where, content=b"{}", headers={**token, "Cookie": "a=b"}).status_code == 415
        assert (
            client.request("POST", where, content=b"a=b", headers={**token, "Content-Type": "text/plain"}).status_code
            == 415
        )
        foreign = {"Origin": "http://evil.test"}
        assert client.request("POST", where, json={}, headers=foreign).status_code == 403
        assert client.request("POST", where, headers=token).json()["refusals"][0]["code"] == "reason"
        done = client.request("POST", where, content=b'{"reason": "so"}', headers=token)
        assert done.json()["state"] == "withdrawn"


def test_too_large_a_body_is_413() -> None:
    """A body above the limit is refused before it is read."""
    with Client(office(max_body=100)) as client:
        assert sent(client, "/api/records", {"a": "x" * 200}).status_code == 413


def test_refusals_say_all_reasons_and_whether_another_may() -> None:
    """A refused act is a problem document with each reason; an unknown act and a part of a record are two things."""
    app = office()
    made = app.site.flow.create(draft(), by=LI)
    with Client(app, language="zh") as client:
        where = f"/api/records/{made.id}"
        refused = sent(client, f"{where}/review", {})
        assert refused.status_code == 409
        assert {one["code"] for one in refused.json()["refusals"]} == {"state", "role"}
        assert refused.headers["Content-Language"] == "zh"
        assert sent(client, f"{where}/return", {}).json()["refusals"]
        assert sent(client, f"{where}/nix", {}).status_code == 404
        parts = sent(client, f"{where}/history", {})
        assert (parts.status_code, parts.headers["Allow"]) == (405, "GET, HEAD")
        assert sent(client, f"{where}/edit?x=1", {}).status_code == 422
        assert client.request("PUT", where).headers["Allow"] == "GET, HEAD"
        assert client.get(f"{where}/history?x=1").json()["errors"][0]["pointer"] == "#/x"


@pytest.mark.parametrize("writing", ["percent", "tilde"])
def test_names_of_any_letters_stand_in_a_path(writing: str) -> None:
    """Ids, kinds and triggers with slashes, braces, tildes and Chinese letters are found, written either way."""

    def part(name: str) -> str:
        percent = quote(name, safe="").replace("~", "%7E")
        return percent.replace("%", "~") if writing == "tilde" else percent

    with Client(leaves()) as client:
        made = sent(client, "/api/records", {"kind": LEAVE.name, "draft": {"id": "a/b ~41%c", "title": "Rest"}})
        assert made.status_code == 201
        where = f"/api/records/{part('a/b ~41%c')}"
        assert client.get(where).json()["id"] == "a/b ~41%c"
        assert client.get(made.headers["Location"]).json() == made.json()
        assert client.get(f"/api/kinds/{part(LEAVE.name)}").json()["label"] == "leave"
        signed = sent(client, f"{where}/{part('sign/off ~41 {x}')}", {"details": {"name": "Head"}, "reason": "so"})
        assert signed.json()["state"] == "granted"
        # an act that is called like a part: written by POST, read by GET
        assert sent(client, f"{where}/history", {}).json()["version"] == 3
        assert len(client.get(f"{where}/history").json()) == 3
        late = {"kind": LEAVE.name, "trigger": "ask late", "draft": {"title": "Late"}}
        assert sent(client, "/api/records", late).json()["title"] == "Late"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=3), st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_path_as_it_was_sent_gives_back_its_names(names: list[str], mounted: bool) -> None:
    """Whatever names a program writes with percent signs, behind a prefix or not: the portal reads the same."""
    sent_as = "/".join(quote(one, safe="").replace("~", "%7E") for one in names)
    path = as_sent("/" + "/".join(names).strip("/"), f"{'/office' * mounted}/{sent_as}".encode())
    decoded = [read(one) for one in path[1:].split("/")]
    if "%" in sent_as and all(one.strip("/") for one in names):
        assert decoded == names


@pytest.mark.parametrize("path", ["/a/b", "/"])
def test_a_path_that_was_sent_plainly_stays(path: str) -> None:
    """Without percent signs, without a raw path, or with one of something else, a path is taken as it is."""
    for raw in (None, path.encode(), b"/quite%20else"):
        assert as_sent(path, raw) == path


def test_what_is_secret_is_noted_and_not_kept_by_caches() -> None:
    """Each reading of what is above internal secrecy is noted, in lists too, and no cache keeps the answer."""
    flow = open_flow("memory:")
    boss = Actor(id="boss", name="Boss", roles={"contributor", "editor"}, unit="u", clearance=Secrecy.SECRET)
    made = flow.create(draft(secrecy=Secrecy.SECRET), by=boss)
    app = portal(flow, authenticate=lambda request: boss)
    paths = [f"/api/records/{made.id}{rest}" for rest in ("", "/history", "/at?version=1", "/diff?from=1")]
    with Client(app) as client:
        for path in (*paths, "/api/records", "/api/inbox", "/api/feed"):
            assert client.get(path).headers["Cache-Control"] == "no-store"
        assert client.get(f"/api/records/{made.id}/options").headers["Cache-Control"] == "no-store"
        readings = client._loop.call(app.site.kept.readings)
    assert [(one.actor, one.record, one.secrecy) for one in readings] == [("boss", made.id, Secrecy.SECRET)] * 7


def test_an_asynchronous_flow_answers_the_same() -> None:
    """The API of an asynchronous flow is the same."""

    async def make() -> Portal:
        return portal(await open_async_flow("memory:"), authenticate=lambda request: LI)

    with Client(office()) as client:
        app = client._loop.call(make)
        with Client(app) as other:
            body = {"kind": "report", "draft": {"title": "a", "text": "b", "authors": [{"name": "c"}]}}
            made = sent(other, "/api/records", body).json()
            assert other.get(f"/api/records/{made['id']}/history").json()[0]["trigger"] == "create"
            for path in ("options", "diff?from=1", "at?version=1"):
                assert other.get(f"/api/records/{made['id']}/{path}").status_code == 200
            for path in ("records", "inbox", "count", "feed", "figures/2026", "people", "openapi.json"):
                assert other.get(f"/api/{path}").status_code == 200


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda one: st.lists(one) | st.dictionaries(st.text(), one),
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_json_is_answered_clearly(body: Any) -> None:
    """Whatever JSON is sent, the answer is a problem document of the caller's fault, and nothing is written."""
    with Client(APP) as client:
        for path in ("/api/records", f"/api/records/{MADE.id}/edit"):
            content = json.dumps(body).encode()
            answer = client.request("POST", path, content=content, headers={"Content-Type": "application/json"})
            assert 400 <= answer.status_code < 500
            assert answer.json()["status"] == answer.status_code
    assert APP.site.flow.count(Query(), by=LI) == {(): 1}


APP = office()
MADE = APP.site.flow.create(draft(), by=LI)
