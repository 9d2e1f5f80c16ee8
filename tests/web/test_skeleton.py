"""The frame of every page: who asks, where it is mounted, what is refused, what every answer says."""

from __future__ import annotations

from typing import Any

import pytest

from reportflow import Actor, InvalidValue, open_flow
from reportflow.office import Author, Report
from reportflow.web import Portal, portal
from tests.web.client import Client, forms_of

LI = Actor(id="li", name="李娜", roles={"contributor", "editor"}, unit="u")


def made(**settings: Any) -> Portal:
    """A portal with one report."""
    flow = open_flow("memory:")
    flow.create(Report.draft(title="Dark lamps", text="Eight.", authors=[Author(name="Qian")]), by=LI)
    return portal(flow, **{"authenticate": lambda request: LI, **settings})


def test_without_authenticate_there_is_no_portal() -> None:
    """A portal is not built without a function that says who asks."""
    with pytest.raises(TypeError):
        portal(open_flow("memory:"))  # type: ignore[call-arg]  # what is refused
    with pytest.raises(TypeError):
        made(authenticate=None)
    with pytest.raises(InvalidValue):
        portal("sqlite://", authenticate=lambda request: LI)  # type: ignore[arg-type]  # what is refused


@pytest.mark.parametrize(("language", "text"), [("en", "My work"), ("zh", "待办")])
def test_the_first_page_is_in_the_readers_language(language: str, text: str) -> None:
    """The page is in the language that the browser asks for, and says so."""
    with Client(made(), language=language) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert text in page.text
        assert page.headers["Content-Language"] == {"en": "en", "zh": "zh-Hans"}[language]
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]


def test_language_and_theme_are_switched_by_a_form() -> None:
    """The buttons of the head change language and theme, and lead back to the page."""
    with Client(made()) as client:
        page = client.get("/")
        switched = client.submit(page, to="/settings", button=("language", "zh"))
        assert "待办" in switched.text
        assert client.submit(switched, to="/settings", button=("theme", "dark")).text.count('data-theme="dark"') == 1


def test_a_form_without_its_token_changes_nothing() -> None:
    """A form of another page, of another person or without a token is refused."""
    with Client(made()) as client:
        assert client.post("/settings", {"language": "zh"}).status_code == 403
        form = forms_of(client.get("/").text)[0]
        fields = dict(form.fields) | {"language": "zh"}
        for head in ({"Origin": "http://evil.test"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            assert client.post("/settings", fields, headers=head).status_code == 403
        assert client.post("/settings", fields, headers={"Origin": "http://office.test"}).status_code == 200
