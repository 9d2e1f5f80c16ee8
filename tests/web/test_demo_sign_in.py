"""The log-in of the demonstration: one click a person, a signed cookie, nothing without one."""

from __future__ import annotations

from typing import Any

import pytest

from reportflow import Actor, open_flow
from reportflow.office import Author, Report
from reportflow.web.demo_sign_in import COOKIE, DemoSignIn
from tests.web.client import Client

LI = Actor(id="li", name="李娜", post="编辑", roles={"contributor", "editor"}, unit="u")
ANN = Actor(id="ann", name="Ann", roles={"reviewer"}, unit="u")
NOTE = {"en": "All of it is invented.", "zh": "均为虚构。"}


@pytest.fixture
def app() -> Any:
    """A portal with that log-in, and one report."""
    flow = open_flow("memory:")
    flow.create(Report.draft(title="Dark lamps", text="Eight.", authors=[Author(name="Qian")]), by=LI)
    return DemoSignIn([LI, ANN], NOTE).portal(flow)


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ["invented", "editor", "contributor", "Sign in as"]), ("zh", ["均为虚构", "编辑", "反映人", "登录"])],
)
def test_a_person_is_chosen_by_one_click(app: Any, language: str, words: list[str]) -> None:
    """Who opens a page is led to the people, with posts and roles in words; one click leads on to that page."""
    with Client(app, language=language) as client:
        page = client.get("/?late=yes")
        assert page.url.path == "/sign-in"
        for one in [*words, "李娜"]:
            assert one.lower() in page.text.lower()
        assert "Dark lamps" not in page.text
        work = client.submit(page, button=("person", "li"))
        assert str(work.url).endswith("/?late=yes")
        assert "Dark lamps" in work.text


def test_signing_out_ends_it(app: Any) -> None:
    """After signing out nothing is shown, and another person can be chosen."""
    with Client(app) as client:
        work = client.submit(client.get("/"), button=("person", "li"))
        out = client.submit(work, to="/sign-out")
        assert out.url.path == "/sign-in"
        assert client.get("/", follow=False).status_code == 303
        assert "Ann" in client.submit(out, button=("person", "ann")).text
        assert client.get("/sign-out").status_code == 405


def test_the_cookie_is_signed_and_out_of_reach(app: Any) -> None:
    """The cookie is for this portal alone and no script; one that was altered, or names nobody, lets nobody in."""
    with Client(app) as client:
        answer = client.submit(client.get("/"), button=("person", "li"), follow=False)
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        right = cookie.partition(";")[0].partition("=")[2]
    signer = app.site._signer
    for wrong in (
        "",
        "li",
        right[:-1] + ("0" if right[-1] != "0" else "1"),
        signer.sealed("other", "li"),
        signer.sealed(COOKIE, "gao"),
    ):
        with Client(app, headers={"Cookie": f"{COOKIE}={wrong}"}) as client:
            assert client.get("/", follow=False).status_code == 303
    with Client(app, headers={"Cookie": f"{COOKIE}={right}"}) as client:
        assert client.get("/", follow=False).status_code == 200


def test_no_other_site_signs_anybody_in_or_leads_away(app: Any) -> None:
    """A form of another site is refused; where to go on is a page of the portal, and an unknown person none."""
    with Client(app) as client:
        page = client.get("/")
        assert client.submit(page, button=("person", "li"), headers={"Origin": "http://evil.test"}).status_code == 403
        away = client.submit(page, {"next": "//evil.test/"}, button=("person", "li"), follow=False)
        assert away.headers["Location"] == "/"
        nobody = client.submit(page, {"next": "/find"}, button=("person", "gao"), follow=False)
        assert nobody.headers["Location"] == "/sign-in?next=%2Ffind"
        assert COOKIE not in nobody.headers.get("Set-Cookie", "")


def test_its_language_is_switched_too(app: Any) -> None:
    """The page of the people has a button for the other language, and leads on to the same page afterwards."""
    with Client(app) as client:
        page = client.submit(client.get("/find"), button=("language", "zh"))
        assert "均为虚构" in page.text
        assert client.submit(page, button=("person", "li"), follow=False).headers["Location"] == "/find"
