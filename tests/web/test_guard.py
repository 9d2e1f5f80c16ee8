"""What keeps the portal safe: forms of other pages, bodies without end, hosts that fail, and the heads of answers."""

from __future__ import annotations

import hashlib
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, nodes
from starlette.responses import Response

import reportflow.web
from reportflow import Actor, StorageUnavailable, open_flow
from reportflow.model.actor import Secrecy
from reportflow.web import Portal, portal
from reportflow.web.portal_store import PortalStore
from reportflow.web.rendering import environment
from reportflow.web.routes import Route
from reportflow.web.visit import Visit
from tests.web.client import Client, forms_of
from tests.web.hosts import LI, office

WEB = Path(str(reportflow.web.__file__)).parent
ZHOU = Actor(id="zhou", name="周", roles={"editor"}, unit="u")


async def echo(visit: Visit) -> Response:
    """What was sent, by somebody whose form it is."""
    form = await visit.form()
    return Response(str(form.get("text", "")))


async def tagged(visit: Visit) -> Response:
    """A page that a browser may keep."""
    return visit.page("error.html", tag="1", title="Tagged", detail="It may be kept.", sign_in=None)


async def secret(visit: Visit) -> Response:
    """A page of what is secret."""
    visit.shows(Secrecy.SECRET)
    return visit.page("error.html", title="Secret", detail="It may not be kept.", sign_in=None)


async def broken(visit: Visit) -> Response:
    """A mistake of a page."""
    raise RuntimeError("sqlite:////secret/place.db")


OWN = (
    Route("POST", "/echo", echo),
    Route("GET", "/tagged", tagged),
    Route("GET", "/secret", secret),
    Route("GET", "/broken", broken),
)


def fields(client: Client, **more: str) -> dict[str, str]:
    """The fields of a form of the person, with others."""
    return {**dict(forms_of(client.get("/").text)[0].fields), **more}


# -- where a form comes from --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://office.test"}, 200),
        ({"Origin": "http://OFFICE.test:80"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://office.test"}, 200),
        ({"Origin": "https://proxy.test"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://proxy.test"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://inside.test"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": ""}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "http://office.test.evil.test"}, 403),
        ({"Origin": "http://office.test:8080"}, 403),
        ({"Origin": "http://office.test@evil.test"}, 403),
        ({"Origin": "file://"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "null", "Host": "null"}, 403),
        ({"Origin": "chrome-extension://office.test"}, 403),
    ],
)
def test_a_form_comes_from_the_portals_own_pages(headers: dict[str, str], status: int) -> None:
    """A form with a right token is taken from the portal's own pages and trusted origins, from nowhere else."""
    with Client(office(pages=OWN, trusted_origins=["https://proxy.test"])) as client:
        answer = client.post("/echo", fields(client, text="taken"), headers=headers)
        assert answer.status_code == status
        assert ("taken" in answer.text) == (status == 200)


def test_a_token_is_of_one_person_and_one_portal() -> None:
    """A form without a token, with an altered one, with another person's or another portal's changes nothing."""
    now = [LI]
    with Client(office(pages=OWN, authenticate=lambda request: now[0])) as client:
        mine = fields(client, text="taken")
        assert client.post("/echo", mine).text == "taken"
        assert client.post("/echo", mine).text == "taken"  # a page may be sent twice: the key of an act decides
        assert fields(client)["_token"] != mine["_token"]  # it looks different in each page
        token = mine["_token"]
        altered = [token[:-4] + "AAAA", "A" * 86, token[:20], "", "é" * 86, "\x00", token + token, "=" * 9, "A"]
        for one in altered:
            assert client.post("/echo", {**mine, "_token": one}).status_code == 403, one
        assert client.post("/echo", {"text": "x"}).status_code == 403
        now[0] = ZHOU
        assert client.post("/echo", mine).status_code == 403
    with Client(office(pages=OWN)) as other:
        assert other.post("/echo", mine).status_code == 403


def test_a_token_holds_across_processes_that_share_the_key() -> None:
    """Two portals with the same key take each other's forms, as two workers must."""
    apps = [office(pages=OWN, secret=b"k" * 32) for _ in range(2)]
    with Client(apps[0]) as one, Client(apps[1]) as two:
        assert two.post("/echo", fields(one, text="taken")).text == "taken"


def test_nothing_is_changed_by_get() -> None:
    """What a form does, an address does not."""
    with Client(office(pages=OWN)) as client:
        for path in ("/settings?language=zh", "/echo?text=x"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert "待办" not in client.get("/").text


# -- how much it may be -------------------------------------------------------------------------------------------


def test_a_body_that_is_too_large_is_refused() -> None:
    """Too large a body is 413, whether its head says so, or lies, or says nothing; one that fits is taken."""
    with Client(office(pages=OWN, max_body=5000)) as client:
        right = fields(client, text="x" * 3000)
        assert len(client.post("/echo", right).text) == 3000
        assert client.post("/echo", {**right, "text": "x" * 5000}).status_code == 413

        async def chunks() -> Any:
            for _ in range(100):
                yield b"text=" + b"x" * 1000

        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.request("POST", "/echo", content=chunks(), headers=form).status_code == 413
        for length in ("9" * 5000, "99999", "9" * 18):
            refused = client.request("POST", "/echo", content=b"x", headers={**form, "Content-Length": length})
            assert refused.status_code == 413, length
        assert (
            client.request("POST", "/echo", content=b"x=1", headers={**form, "Content-Length": "-1"}).status_code == 403
        )


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % one for one in range(1500))),
        ("multipart/form-data; boundary=x", b"--x\r\nnothing"),
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=x; charset=no-such",
         b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--x--\r\n'),
        ("multipart/form-data; boundary=" + "x" * 3000, b""),
    ],
)  # fmt: skip
def test_what_is_no_form_is_refused(kind: str, body: bytes) -> None:
    """Too many fields, and what is no form, is 400 or 403, of somebody who is known or not."""
    for authenticate in (lambda request: LI, lambda request: None):
        with Client(office(pages=OWN, authenticate=authenticate)) as client:
            answer = client.request("POST", "/echo", content=body, headers={"Content-Type": kind})
            assert answer.status_code in (400, 401, 403)
            assert "Traceback" not in answer.text


def test_a_part_of_a_form_may_have_a_megabyte() -> None:
    """A text of a megabyte beside a file is read, as the limit of the whole request allows."""
    with Client(office(pages=OWN)) as client:
        sent = fields(client, text="长" * 700_000)
        assert len(client.post("/echo", sent, files={"file": ("a.txt", b"x" * 2_000_000)}).text) == 700_000


def test_too_many_requests_are_refused_for_one_person() -> None:
    """Who asks too often is asked to wait; others go on."""
    now = [LI]
    with Client(office(pages=OWN, rate=5, authenticate=lambda request: now[0])) as client:
        statuses = [client.get("/").status_code for _ in range(7)]
        assert statuses[:5] == [200] * 5
        refused = client.get("/")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
        now[0] = ZHOU
        assert client.get("/").status_code == 200
    with Client(office(rate=2, authenticate=lambda request: None)) as nobody:
        assert [nobody.post("/x", {"text": "y"}).status_code for _ in range(4)] == [401, 401, 429, 429]
    with Client(office(rate=None)) as client:
        assert {client.get("/").status_code for _ in range(9)} == {200}


def test_of_ten_thousand_people_the_oldest_are_forgotten() -> None:
    """What is remembered of rates has an end."""
    from reportflow.web.guard import Rates

    rates = Rates(1)
    for number in range(10_050):
        rates.check(str(number))
    assert len(rates._buckets) == 10_000


# -- who asks -----------------------------------------------------------------------------------------------------


class Authenticates:
    """An object that says who asks."""

    def __call__(self, request: Any) -> Actor:
        return LI


class AuthenticatesLater:
    """The same, awaited."""

    async def __call__(self, request: Any) -> Actor:
        return LI


async def li(request: Any) -> Actor:
    """The same, as a coroutine function."""
    return LI


@pytest.mark.parametrize("authenticate", [lambda request: LI, li, Authenticates(), AuthenticatesLater()])
def test_who_asks_is_said_by_any_callable(authenticate: Any) -> None:
    """A function or an object, sync or async, says who asks; it sees the heads and cookies of the request."""
    with Client(office(authenticate=authenticate)) as client:
        assert "科长李娜" in client.get("/", headers={"Accept-Language": "zh"}).text


def raises(request: Any) -> Actor:
    """A host that fails."""
    raise RuntimeError("ldap://secret.place")


def is_slow(request: Any) -> Actor:
    """A host that is slow."""
    SLOW.wait(5)
    return LI


SLOW = threading.Event()


@pytest.mark.parametrize("authenticate", [raises, is_slow, lambda request: "li", lambda request: {"id": "li"}])
@pytest.mark.parametrize(("language", "text"), [("en", "Not available"), ("zh", "系统正忙")])
def test_a_host_that_cannot_say_who_asks_lets_nobody_in(authenticate: Any, language: str, text: str) -> None:
    """An `authenticate` that raises, is slow or gives no actor is 503, in the reader's language, and leaks nothing."""
    with Client(office(authenticate=authenticate, timeout=0.05), language=language) as client:
        for path in ("/", "/r/x"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert answer.headers["Retry-After"]
            assert text in answer.text
            assert "secret.place" not in answer.text
        document = client.get("/api/records")
        assert (document.status_code, document.headers["Content-Type"]) == (503, "application/problem+json")
        assert client.post("/settings", {"language": "zh"}).status_code == 503


def test_nobody_sees_nothing() -> None:
    """Without somebody who asks every page leads to the host's log-in, else is 401; files are for all."""
    with Client(office(authenticate=lambda request: None, sign_in="/login?way=1", pages=OWN)) as client:
        for path in ("/", "/tagged", "/r/x", "/no/such"):
            answer = client.get(f"{path}?a=1&b=2", follow=False)
            assert answer.status_code == 303
            assert answer.headers["Location"] == f"/login?way=1&next={path.replace('/', '%2F')}%3Fa%3D1%26b%3D2"
            assert "Dark lamps" not in answer.text
        assert client.get("/", headers={"HX-Request": "true"}, follow=False).status_code == 401
        assert client.get("/api/records", follow=False).status_code == 401
    with Client(office(authenticate=lambda request: None)) as client:
        page = client.get("/")
        assert page.status_code == 401
        assert "Dark lamps" not in page.text
        [style] = re.findall(r'href="([^"]*portal.css)"', page.text)
        assert client.get(style).status_code == 200


@pytest.mark.parametrize(
    "text", ["short", "Eight lamps at the gate are dark, since Monday.\n\n<b>“x”</b>", "\n\nfirst" * 9]
)
def test_an_expired_form_is_sent_again_after_signing_in(text: str) -> None:
    """What was typed into a form of somebody who was signed out is kept, and is sent when they have signed in."""
    now: list[Actor | None] = [LI]
    with Client(office(pages=OWN, authenticate=lambda request: now[0], sign_in="/login")) as client:
        sent = fields(client, text=text)
        now[0] = None
        kept = client.post("/echo?a=1", sent)
        assert kept.status_code == 401
        assert "nothing is lost" in kept.text
        assert 'href="/login?next=%2F"' in kept.text
        assert kept.headers["Cache-Control"] == "no-store"
        files = {"paper": ("照片.jpg", b"x")}
        assert "照片.jpg" in client.post("/echo", sent, files=files).text
        now[0] = ZHOU
        assert client.submit(kept).status_code == 403
        now[0] = LI
        again = client.submit(kept)
        assert str(again.url).endswith("/echo?a=1")
        assert again.text.replace("\r\n", "\n") == text


# -- the database is gone -----------------------------------------------------------------------------------------


class Gone:
    """A store that fails, as one whose database is gone."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.is_gone = False

    def __getattr__(self, name: str) -> Any:
        if self.is_gone and name in ("find", "get", "history", "commit", "count", "by_key"):
            raise StorageUnavailable("postgresql://db.inside/office", "no route to db.inside")
        return getattr(self.store, name)


@pytest.mark.parametrize(("language", "text"), [("en", "try again"), ("zh", "稍后")])
def test_a_database_that_is_gone_is_said_and_comes_back(language: str, text: str) -> None:
    """While the database is gone a page says so with 503, leaks nothing and writes nothing; then it goes on."""
    app = office(pages=OWN)
    flow = app.site.flow
    flow._store = gone = Gone(flow.store)
    assert flow.store is gone
    with Client(app, language=language) as client:
        assert client.get("/").status_code == 200
        gone.is_gone = True
        answer = client.get("/")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert text in answer.text.lower()
        assert "db.inside" not in answer.text
        gone.is_gone = False
        assert client.get("/").status_code == 200


def test_the_portals_own_tables_may_be_gone() -> None:
    """Where the portal's own database cannot be reached the answer is 503 with nothing of where it is."""
    kept = PortalStore("sqlite:////no/such/folder/portal.db")
    with Client(office(portal_store=kept)) as client:
        answer = client.get("/")
        assert answer.status_code == 503
        assert "folder" not in answer.text


def test_a_mistake_of_a_page_is_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    """An error that nobody foresaw is 500 without a word of what is inside, and stands in the log."""
    with Client(office(pages=OWN)) as client:
        answer = client.get("/broken")
        assert answer.status_code == 500
        assert "place.db" not in answer.text
        assert "Traceback" not in answer.text
        assert "RuntimeError" in caplog.text


def test_an_error_page_that_fails_is_said_in_plain_text(tmp_path: Path) -> None:
    """A host's own template for errors that fails itself leaves an answer of one line, with the heads of all."""
    (tmp_path / "error.html").write_text("{{ no_such_name }}")
    with Client(office(templates=tmp_path)) as client:
        answer = client.get("/no/such")
        assert (answer.status_code, answer.text) == (500, "500 Internal Server Error")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


# -- the heads of answers -----------------------------------------------------------------------------------------


def test_every_answer_has_the_heads_that_keep_it_safe() -> None:
    """Pages, files, redirects, errors and problem documents have the policy, and are kept by nobody else."""
    with Client(office(pages=OWN)) as client:
        page = client.get("/")
        style = re.findall(r'href="([^"]*portal.css)"', page.text)[0]
        answers = {
            200: page,
            303: client.submit(page, button=("theme", "dark"), follow=False),
            304: client.get("/tagged", headers={"If-None-Match": client.get("/tagged").headers["ETag"]}),
            403: client.post("/settings", {}),
            404: client.get("/no"),
            405: client.request("PUT", "/settings"),
            500: client.get("/broken"),
        }
        for status, answer in answers.items():
            assert answer.status_code == status
            assert answer.headers["Cache-Control"] == "private, no-cache"
            assert {"Cookie", "HX-Request", "Accept-Language"} <= set(answer.headers["Vary"].split(", "))
        files = [client.get(style), client.get("/static/x/portal.css"), client.request("POST", style)]
        assert [one.status_code for one in files] == [200, 404, 405]
        for answer in [*answers.values(), *files, client.get("/api/no")]:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answers[304].content == b""
        assert client.get("/secret").headers["Cache-Control"] == "no-store"


def test_who_may_show_the_portal_in_a_frame_is_a_setting() -> None:
    """With sites that may show it in a frame the policy names them."""
    with Client(office(frame_ancestors="'self' https://intranet.test")) as client:
        heads = client.get("/").headers
        assert "frame-ancestors 'self' https://intranet.test;" in heads["Content-Security-Policy"]
        assert "X-Frame-Options" not in heads


def test_a_page_is_kept_for_one_person_language_and_look() -> None:
    """The tag of a page differs by person, rights and language, so that nobody gets what another one saw."""
    now = [LI]
    with Client(office(pages=OWN, authenticate=lambda request: now[0])) as client:

        def tag(**headers: str) -> str:
            return str(client.get("/tagged", headers=headers).headers["ETag"])

        first = tag()
        assert tag() == first
        assert tag(**{"Accept-Language": "zh"}) != first
        assert tag(**{"HX-Request": "true"}) != first
        seen = {first}
        for other in (
            ZHOU,
            Actor(id="li", name="李娜", roles={"editor"}, unit="u"),
            Actor(id="li", roles=LI.roles, unit="v"),
        ):
            now[0] = other
            seen.add(tag())
        assert len(seen) == 4


@pytest.mark.parametrize("cookie", ["zh; HttpOnly", "../../etc", "xx", '"', "zh\u00e9", "x" * 4000])
def test_a_cookie_that_is_none_of_ours_is_left_out(cookie: str) -> None:
    """A language or look that there is not in a cookie is as if there was none."""
    heads = {"Cookie": f"reportflow_language={cookie}; reportflow_theme={cookie}".encode("latin-1")}
    with Client(office()) as client:
        page = client.get("/", headers=heads)
        assert page.status_code == 200
        assert 'data-theme="auto"' in page.text


def test_cookies_are_sent_back_to_the_portal_alone() -> None:
    """The cookies of language and look are for the portal's path, out of reach of scripts, over https only there."""
    cases: list[tuple[dict[str, Any], str, bool]] = [
        ({}, "http://office.test", False),
        ({}, "https://office.test", True),
        ({"secure": True}, "http://office.test", True),
    ]
    for settings, base, is_secure in cases:
        with Client(office(**settings), base=base) as client:
            cookie = client.submit(client.get("/"), button=("theme", "dark"), follow=False).headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=lax" in cookie
            assert ("Secure" in cookie) == is_secure


@pytest.mark.parametrize(
    "following",
    ["//evil.test", "https://evil.test/", "/\\evil.test", "javascript:alert(1)", "/office/../x", "/\t/evil.test", "",
     "evil", "/%2e%2e/x", "/\u2028/x"],
)  # fmt: skip
def test_no_form_leads_out_of_the_portal(following: str) -> None:
    """The page to go back to is one of the portal's, whatever the form says."""
    with Client(office()) as client:
        page = client.get("/")
        answer = client.submit(page, {"next": following}, button=("theme", "dark"), follow=False)
        assert answer.headers["Location"] == "/"


# -- what is in the wheel -----------------------------------------------------------------------------------------


def test_only_one_module_makes_markup() -> None:
    """No template turns escaping off, and no module but `markup` makes text that is not escaped."""
    for path in (WEB / "templates").rglob("*.html"):
        source = path.read_text("utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape|\bMarkup\b", source), path.name
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son[a-z]+=|javascript:|hx-on", source), path.name
    for path in WEB.rglob("*.py"):
        if path.name != "markup.py":
            made = re.search(r"import.*\bMarkup\b.*from|\bMarkup\(|autoescape=False|\.safe\b", path.read_text("utf-8"))
            assert not made, path.name


def test_every_template_escapes(tmp_path: Path) -> None:
    """Templates of any ending escape, those of a host too, and a name that is not there is an error."""
    for name in ("own.html", "own.jinja", "own.txt", "own"):
        (tmp_path / name).write_text("{{ text }}")
    made: Environment = environment([tmp_path])
    for name in made.list_templates():
        if name.startswith("own"):
            assert made.get_template(name).render(text="<b>&'\"") == "&lt;b&gt;&amp;&#39;&#34;"
        elif not name.startswith("reportflow/"):
            source = (WEB / "templates" / name).read_text("utf-8")
            assert not list(made.parse(source).find_all(nodes.MarkSafe))


def test_assets_are_small_and_the_vendored_script_is_the_published_one() -> None:
    """All files of the pages are 100 kB at most; htmx is byte for byte that of its release 4.0.1."""
    files = [path for path in (WEB / "static").iterdir() if path.suffix in (".css", ".js", ".svg")]
    assert sum(path.stat().st_size for path in files) <= 100_000
    htmx = (WEB / "static" / "htmx.min.js").read_bytes()
    assert hashlib.sha256(htmx).hexdigest() == HTMX


HTMX = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"


def test_a_flow_in_memory_has_a_portal_too() -> None:
    """A flow whose store is no SQL keeps the portal's tables in memory."""
    app: Portal = portal(open_flow("memory:"), authenticate=lambda request: LI)
    with Client(app) as client:
        assert client.get("/").status_code == 200
