"""Lists, counts, tables, figures, people and files by the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from reportflow import Person, open_flow
from reportflow.storage.directory import DirectoryFiles
from reportflow.web import portal
from reportflow.web.api import openapi
from reportflow.web.table import ROUTES
from tests.web.api.offices import LEAVE, LI, WU, draft, leaves, office, sent
from tests.web.client import Client


def test_pages_are_followed_by_signed_cursors() -> None:
    """A list is read page by page, by its cursor or its link; a forged or foreign cursor is refused."""
    app = office()
    for number in range(5):
        app.site.flow.create(draft(f"Lamps {number}"), by=LI)
    with Client(app) as client:
        for path in ("/api/records", "/api/inbox"):
            titles, url = [], f"{path}?limit=2"
            while True:
                page = client.get(url)
                titles += [one["title"] for one in page.json()["records"]]
                if page.json()["next"] is None:
                    assert "Link" not in page.headers
                    break
                assert page.headers["Link"].endswith('>; rel="next"')
                url = page.headers["Link"][1:].partition(">")[0]
            assert titles == [f"Lamps {number}" for number in range(5)]
            cursor = client.get(f"{path}?limit=2").json()["next"]
            for wrong in (f"{cursor[:-1]}x", "é.0", "x"):
                assert client.get(path, params={"cursor": wrong}).status_code == 422
        cursor = client.get("/api/records?limit=2").json()["next"]
        assert client.get("/api/records", params={"state": "draft", "cursor": cursor}).status_code == 422
        assert client.get("/api/inbox", params={"cursor": cursor}).status_code == 422


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("colour=red&state=", ["#/colour", "#/state"]),
        ("kind=nix", ["#/kind"]),
        ("limit=1001", ["#/limit"]),
        ("limit=0", ["#/limit"]),
        ("limit=1&limit=2", ["#/limit"]),
        ("created_from=then", ["#/created_from"]),
    ],
)
def test_wrong_parameters_are_named(query: str, pointers: list[str]) -> None:
    """A parameter that is unknown, blank, twice or wrong is refused by its name."""
    with Client(office()) as client:
        answer = client.get(f"/api/records?{query}")
        assert answer.status_code == 422
        assert [one["pointer"] for one in answer.json()["errors"]] == pointers
        if query.startswith("limit=1&"):
            assert client.get(f"/api/inbox?{query}&x=1").json()["errors"][0]["code"] == "twice"


def test_records_are_counted_by_group() -> None:
    """Counts are of what fits, by any group, in one order."""
    app = office()
    for title in ("a", "b"):
        app.site.flow.create(draft(title), by=LI)
    with Client(app) as client:
        assert client.get("/api/count").json()["counts"] == [{"group": [], "number": 2}]
        counted = client.get("/api/count?group=state&group=category&of=entries&happened=create").json()
        assert counted == {
            "of": "entries", "group": ["state", "category"], "counts": [{"group": ["draft", ""], "number": 2}],
        }  # fmt: skip
        assert client.get("/api/count?of=x").status_code == 422
        assert client.get("/api/count?group=x").status_code == 422
        assert client.get("/api/count?limit=1").status_code == 422


def test_tables_are_data() -> None:
    """Kinds, their states, roles and rows, and what may be created of them, with labels of the reader's language."""
    with Client(leaves(), language="zh") as client:
        assert next((one["kind"], one["label"]) for one in client.get("/api/kinds").json()) == (LEAVE.name, "请假")
        table = client.get("/api/kinds/report").json()
        assert {"name": "draft", "label": "来稿", "final": False, "awaits": ["editor"]} in table["states"]
        row = next(one for one in table["rows"] if one["name"] == "return")
        assert row["reason_required"]
        assert not row["creates"]
        assert row["dests"] == ["returned"]
        assert client.get("/api/kinds/nix").status_code == 404
        options = client.get("/api/kinds/report/options").json()
        assert [(one["trigger"], one["label"]) for one in options] == [("create", "提交")]
        assert client.get("/api/kinds/nix/options").status_code == 404
        assert client.get("/api/records/report/options").status_code == 404  # a kind is no record


def test_figures_are_those_that_are_declared_or_counted_by_trigger_and_state() -> None:
    """The figures of a year are the declared ones; a kind without any is counted by what happened, and by state."""
    app = leaves()
    app.site.flow.create(draft(), by=LI)
    with Client(app) as client:
        sent(client, "/api/records", {"kind": LEAVE.name, "draft": {"title": "Rest"}})
        year = app.site.words("en").now.year
        leave, report = client.get(f"/api/figures/{year}").json()["kinds"]
        assert {"name": "ask", "label": "ask", "records": 1, "entries": 1} in leave["triggers"]
        assert [one["records"] for one in leave["states"]] == [1, 0]
        figures = {one["name"]: one for one in report["figures"]}
        assert (figures["collected"]["number"], figures["issued"]["share"]) == (1, 0)
        assert figures["adopted"]["share"] is None
        assert {one["name"]: one["values"] for one in report["breakdowns"]}["unit"][0]["number"] == 1
        other = client.get(f"/api/figures/{year - 1}?kind=report").json()["kinds"]
        assert [one["kind"] for one in other] == ["report"]
        assert not any(one["number"] for one in other[0]["figures"])
        assert client.get(f"/api/figures/{year}?kind=nix").status_code == 422
        assert {client.get(f"/api/figures/{one}").status_code for one in ("x", "1", "9999", "²")} == {404}


def test_people_are_found_where_they_can_be() -> None:
    """People are found by a text, with name, post and unit only; where the host's cannot be searched there are none."""
    flow = open_flow("memory:", people={"qian": Person(name="Qian", post="member", unit="u")})
    with Client(portal(flow, authenticate=lambda request: LI)) as client:
        [found] = client.get("/api/people?q=qia").json()["people"]
        assert found == {"id": "qian", "name": "Qian", "post": "member", "unit": "u"}
        assert client.get("/api/people?q=qia&limit=0").status_code == 422
    with Client(portal(open_flow("memory:", people=lambda ids: {}), authenticate=lambda request: LI)) as client:
        assert client.get("/api/people?q=x").json() == {"people": []}


def test_files_are_brought_named_and_read(tmp_path: Path) -> None:
    """A file is brought as a raw body or as a part, named by a draft, and read by those who see the record."""
    flow = open_flow("memory:", files=DirectoryFiles(tmp_path))
    heads = {"X-Requested-With": "fetch"}
    with Client(portal(flow, authenticate=lambda request: LI)) as client:
        raw = client.request("POST", "/api/files?name=a.txt", content=b"Eight.", headers=heads)
        part = client.request("POST", "/api/files", files={"file": ("灯.txt", b"Nine.", "text/plain")}, headers=heads)
        assert (raw.status_code, raw.json()["size"], part.json()["name"]) == (201, 6, "灯.txt")
        authors = [{"name": "Qian"}]
        body = {"title": "a", "text": "b", "authors": authors, "attachments": [raw.json(), part.json()]}
        made = sent(client, "/api/records", {"kind": "report", "draft": body}).json()
        where = f"/api/records/{made['id']}/files/"
        read = client.get(where + raw.json()["sha256"])
        assert read.content == b"Eight."
        assert "attachment" in read.headers["Content-Disposition"]
        assert read.headers["X-Content-Type-Options"] == "nosniff"
        assert client.get(where + "0" * 64).text == client.get(where + "x").text
        # a form of another site, wrong names and contents, broken or several parts
        assert client.request("POST", "/api/files?name=a.txt", content=b"x").status_code == 403
        assert client.request("POST", "/api/files", files={"file": ("a.txt", b"x")}).status_code == 403
        broken = {**heads, "Content-Type": "multipart/form-data"}
        assert client.request("POST", "/api/files", content=b"x", headers=broken).status_code == 400
        several = [("file", ("a.txt", b"x")), ("file", ("b.txt", b"y"))]
        assert client.request("POST", "/api/files", files=several, headers=heads).status_code == 422
        assert client.request("POST", "/api/files", files={"other": ("a.txt", b"x")}, headers=heads).status_code == 422
        for query in ("", "?name=a.pdf", "?name=a.txt&name=b.txt", "?name=a.txt&x=1"):
            answer = client.request("POST", f"/api/files{query}", content=b"x", headers=heads)
            assert answer.status_code == 422, query
    with Client(portal(flow, authenticate=lambda request: WU)) as client:
        assert client.get(where + raw.json()["sha256"]).text == client.get("/api/records/missing").text


def test_without_files_there_is_no_such_address() -> None:
    """An office that keeps no files has none to bring or read."""
    app = office()
    made = app.site.flow.create(draft(), by=LI)
    with Client(app) as client:
        bring = client.request("POST", "/api/files?name=a.txt", content=b"x", headers={"Idempotency-Key": "1"})
        assert bring.status_code == 404
        assert client.get(f"/api/records/{made.id}/files/{'0' * 64}").status_code == 404


def test_the_document_has_every_route_and_every_act() -> None:
    """The document names each route of the API, and each act of each kind; its texts are in the language asked for."""
    with Client(leaves(), language="zh") as client:
        document: dict[str, Any] = client.get("/api/openapi.json").json()
        english = client.get("/api/openapi.json?language=en-GB").json()
        assert client.get("/api/openapi.json?language=é").status_code == 422
        assert client.get("/api/openapi.json?language=fr").json() == document
    assert document["servers"] == [{"url": "/api"}]
    paths = document["paths"]
    described = {(method.upper(), f"/api{path}") for path, several in paths.items() for method in several}
    for route in ROUTES:
        if route.path.startswith("/api/") and "{trigger}" not in route.path:
            assert (route.method, route.path) in described
    assert set(paths["/records/{id}/history"]) == {"get", "post"}
    assert paths["/records/{id}/edit"]["post"]["summary"] == "编辑"
    assert english["paths"]["/records/{id}/edit"]["post"]["summary"] == "edit"
    assert "/records/{id}/sign~2Foff~20~7E41~20~7Bx~7D" in paths
    ids = [one["operationId"] for several in paths.values() for one in several.values()]
    assert len(set(ids)) == len(ids)
    assert len(openapi.FIXED) == len({one.name for one in openapi.FIXED})


def test_two_kinds_with_classes_of_one_name_do_not_collide() -> None:
    """Each kind's classes are components of their own, and every reference leads to one."""
    with Client(leaves()) as client:
        document = client.get("/api/openapi.json").json()
    names = set(document["components"]["schemas"])
    assert "report.Report" in names
    assert any(name.endswith(".Leave") for name in names)

    def references(part: Any) -> set[str]:
        if isinstance(part, dict):
            own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
            return own.union(*map(references, part.values()))
        return set().union(*map(references, part)) if isinstance(part, list) else set()

    assert {one.rpartition("/")[2] for one in references(document)} <= names


def test_a_record_takes_few_statements(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Reading a record takes at most six statements, its options and a list at most twelve."""
    flow = open_flow(f"sqlite:///{tmp_path}/office.db")
    made = flow.create(draft(), by=LI)
    statements: list[str] = []
    note = statements.append

    def listen(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        note(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", listen)
    request.addfinalizer(lambda: sa.event.remove(sa.Engine, "before_cursor_execute", listen))
    with Client(portal(flow, authenticate=lambda request: LI)) as client:
        client.get("/api/kinds")  # the key of the signatures
        for path, most in (("", 6), ("/options", 12), ("/history", 12), ("/diff?from=1", 12)):
            statements.clear()
            assert client.get(f"/api/records/{made.id}{path}").status_code == 200
            assert len(statements) <= most, statements
        for path in ("records", "inbox", "count", "feed"):
            statements.clear()
            assert client.get(f"/api/{path}").status_code == 200
            assert len(statements) <= 12, statements
    flow.close()
