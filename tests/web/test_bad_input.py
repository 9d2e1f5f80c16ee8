"""Whatever is sent, the portal answers: a page or a problem document, nothing of what is inside, nothing written."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportflow import InvalidValue, open_flow
from reportflow.web import Portal, portal
from tests.web.client import Client, forms_of
from tests.web.hosts import LI, office

#: What has broken servers, in paths, heads and fields.
HOSTILE = st.sampled_from(
    [
        "\r\nSet-Cookie: a=b", "\x00", "%00", "%0d%0a", "../../etc/passwd", "..", ".", "//", "\\", "\ud800", "é", "李",
        "🏮", "{{7*7}}", "<script>alert(1)</script>", "'\"><img src=x onerror=alert(1)>", "~", "~2", "~ZZ", "~FF",
        "~2F", "a" * 9000, "\u202e", "\ufeff", "%s%n", "${x}", "';--", "\u2028",
    ]
)  # fmt: skip
TEXTS = st.lists(HOSTILE | st.text(max_size=20), max_size=4).map("".join)


def ask(app: Portal, method: str, path: str, query: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> Any:
    """One request as a server hands it on, whatever stands in it: status, heads and body of the answer."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "query_string": query, "headers": headers,
        "scheme": "http", "server": ("office.test", 80), "client": None, "http_version": "1.1",
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    start, *rest = sent
    return start["status"], start["headers"], b"".join(one.get("body", b"") for one in rest)


APPS = (
    office(rate=None, secret=b"k" * 16),
    office(rate=None, secret=b"k" * 16, authenticate=lambda request: None),
    office(rate=None, secret=b"k" * 16, authenticate=lambda request: None, sign_in="/login"),
)


@settings(deadline=None, max_examples=150)
@given(
    app=st.sampled_from(APPS),
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE", "BREW"]),
    path=TEXTS.map(lambda text: f"/{text}") | TEXTS,
    query=TEXTS,
    heads=st.lists(
        st.tuples(
            st.sampled_from(["accept-language", "cookie", "origin", "host", "content-type", "content-length",
                             "if-none-match", "hx-request", "sec-fetch-site", "authorization", "x-forwarded-prefix"]),
            TEXTS,
        ),
        max_size=5,
    ),
    body=st.binary(max_size=60) | TEXTS.map(lambda text: text.encode("utf-8", "replace")),
)  # fmt: skip
def test_whatever_is_sent_is_answered(
    app: Portal, method: str, path: str, query: str, heads: list[tuple[str, str]], body: bytes
) -> None:
    """Any path, query, heads and body have an answer below 500, with safe heads, and no person's text as markup."""
    headers = [(name.encode(), text.encode("utf-8", "replace")) for name, text in heads]
    status, answered, content = ask(app, method, path, query.encode("utf-8", "replace"), headers, body)
    assert status < 500
    for name, value in answered:
        assert not set(name + value) & set(b"\r\n\x00"), (name, value)
        if name == b"location":
            assert value.startswith(b"/")
            assert not value.startswith((b"//", b"/\\"))
    assert b"content-security-policy" in {name for name, _ in answered}
    assert b"<script>alert" not in content
    assert b"<img src=x" not in content
    assert b"Traceback" not in content


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(TEXTS.map(lambda text: text.encode("utf-8", "replace").decode()), TEXTS.map(
    lambda text: text.encode("utf-8", "replace").decode()), max_size=6))  # fmt: skip
def test_whatever_is_typed_comes_back_as_text(typed: dict[str, str]) -> None:
    """What stood in an expired form comes back as it was typed, as text and not as markup."""
    with Client(APPS[1]) as client:
        typed.pop("", None)
        page = client.post("/x", typed)
        assert page.status_code == 401
        assert "<img src=x" not in page.text
        if typed:
            [form] = forms_of(page.text)
            assert len(form.fields) == len(typed)
            for name, value in form.fields:
                if name in typed and name.isprintable() and typed[name].isprintable():
                    assert value == typed[name]


@pytest.mark.parametrize(
    "wrong",
    [
        {"sign_in": "https://evil.test"},
        {"sign_in": "//evil.test"},
        {"sign_in": "/\\evil.test"},
        {"sign_out": "logout"},
        {"stylesheets": ["https://cdn.test/a.css"]},
        {"stylesheets": ["//cdn.test/a.css"]},
        {"links": {"javascript:alert(1)": "x"}},
        {"links": {"//evil.test": "x"}},
        {"trusted_origins": ["office.test"]},
        {"trusted_origins": ["https://office.test/"]},
        {"trusted_origins": ["*"]},
        {"frame_ancestors": "*; script-src *"},
        {"frame_ancestors": "a\r\nb"},
        {"frame_ancestors": ""},
        {"secret": b"short"},
        {"secret": "a text of sixteen characters"},
        {"timeout": 0},
        {"threads": -1},
        {"max_body": 0},
        {"rate": 0},
        {"templates": "/no/such/folder"},
        {"browser_drafts": "public"},
    ],
)
def test_a_setting_that_is_wrong_is_said_when_the_portal_is_built(wrong: dict[str, Any]) -> None:
    """A wrong setting is an `InvalidValue` that names it, at once."""
    with pytest.raises(InvalidValue) as raised:
        portal(open_flow("memory:"), authenticate=lambda request: LI, **wrong)
    assert next(iter(wrong)) in str(raised.value) or "secrecy" in str(raised.value).lower()


def test_an_unknown_setting_is_a_type_error() -> None:
    """A setting that there is not is a `TypeError`, as of any function."""
    with pytest.raises(TypeError):
        portal(open_flow("memory:"), authenticate=lambda request: LI, colour="red")
