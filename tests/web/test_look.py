"""A host's own look: templates, stylesheets, links, pages of its own beside the portal's."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse, Response

from reportflow.web import Route, Visit
from tests.web.client import Client
from tests.web.hosts import office


async def own(visit: Visit) -> Response:
    """A page of the host's."""
    return visit.page("own.html", name="<b>Li</b>")


async def open_to_all(visit: Visit) -> Response:
    """A page for those who have not signed in."""
    return visit.complete(PlainTextResponse(f"{visit.is_known} {visit.params['name']}"))


def test_a_template_of_the_hosts_takes_the_place_of_the_portals(tmp_path: Path) -> None:
    """A template of the same name is used on every page, and may extend the portal's, with its words and addresses."""
    (tmp_path / "base.html").write_text(
        '{% extends "reportflow/base.html" %}{% block footer %}<p id="own">{{ to("find") }}</p>{% endblock %}'
    )
    with Client(office(templates=[tmp_path])) as client:
        for path in ("/", "/no/such"):
            page = client.get(path)
            assert '<p id="own">/find</p>' in page.text
            assert 'class="foot"' not in page.text
            assert "script-src 'self'" in page.headers["Content-Security-Policy"]


def test_the_first_folder_counts(tmp_path: Path) -> None:
    """Of several folders the first that has a template gives it."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "error.html").write_text(name)
    (tmp_path / "two" / "own.html").write_text("of the second: {{ name }}")
    app = office(templates=[tmp_path / "one", str(tmp_path / "two")], pages=[Route("GET", "/own", own)])
    with Client(app) as client:
        assert client.get("/no").text == "one"
        assert client.get("/own").text == "of the second: &lt;b&gt;Li&lt;/b&gt;"


@pytest.mark.parametrize(("language", "title", "link"), [("en", "Our office", "Intranet"), ("zh", "本单位", "内网")])
def test_title_links_and_stylesheets_are_the_hosts(language: str, title: str, link: str) -> None:
    """The head has the host's title and links in the reader's language, and its stylesheets after the portal's."""
    app = office(
        title={"en": "Our office", "zh": "本单位"},
        links={"/in/?a=1&b=2": {"en": "Intranet", "zh": "内网"}, "https://help.test/": "?"},
        stylesheets=["/own/look.css"],
    )
    with Client(app, language=language) as client:
        page = client.get("/").text
        assert f"– {title}</title>" in page
        assert f'href="/in/?a=1&amp;b=2">{link}</a>' in page
        assert 'href="https://help.test/"' in page
        assert page.index("portal.css") < page.index("/own/look.css")


def test_a_page_of_the_hosts_comes_before_the_portals(tmp_path: Path) -> None:
    """A route of the same path is answered by the host's, and what is not the host's by the portal."""
    (tmp_path / "own.html").write_text("{{ t.person(visit.actor) }}")
    with Client(office(templates=tmp_path, pages=[Route("GET", "/", own)])) as client:
        assert client.get("/").text == "李娜 科长"
        assert client.get("/settings").status_code == 405


def test_a_public_page_is_for_those_too_who_have_not_signed_in() -> None:
    """A public route answers without an actor, with the heads of all answers, and with its own methods only."""
    pages = [Route("GET", "/help/{name}", open_to_all, public=True)]
    with Client(office(pages=pages, authenticate=lambda request: None, rate=3)) as client:
        answer = client.get("/help/a~2Fb")
        assert answer.text == "False a/b"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert client.post("/help/x").status_code == 405
        assert client.post("/help/x", headers={"Origin": "http://evil.test"}).status_code == 403
        assert client.get("/").status_code == 401
        assert client.get("/help/x").status_code == 200
        assert client.get("/help/x").status_code == 429
