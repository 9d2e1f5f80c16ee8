"""A client of a portal, in one process: it keeps cookies, and fills in forms as a browser without script does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

Pairs = list[tuple[str, str]]


class Form:
    """A form of a page: where it is sent, and what stands in it."""

    def __init__(self, action: str, method: str, enctype: str) -> None:
        self.action = action
        self.method = method
        self.enctype = enctype
        self.fields: Pairs = []
        self.buttons: Pairs = []
        self.names: list[str] = []

    def filled(self, values: Mapping[str, str | Sequence[str]]) -> Pairs:
        """Its fields, some with other values."""
        kept = [(name, value) for name, value in self.fields if name not in values]
        for name, value in values.items():
            kept += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        return kept


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select: str | None = None
        self._chosen: str | None = None
        self._first: str | None = None
        self._area: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower(), given.get("enctype", ""))
            self.forms.append(self._form)
            return
        form, name = self._form, given.get("name", "")
        if form is None:
            return
        if name:
            form.names.append(name)
        if tag == "input" and name:
            kind = given.get("type", "text")
            if kind in ("radio", "checkbox"):
                if "checked" in given:
                    form.fields.append((name, given.get("value", "on")))
            elif kind == "submit":
                form.buttons.append((name, given.get("value", "")))
            elif kind != "file":
                form.fields.append((name, given.get("value", "")))
        elif tag == "button":
            form.buttons.append((name, given.get("value", "")))
        elif tag == "textarea":
            self._area, self._text = name, ""
        elif tag == "select":
            self._select, self._chosen, self._first = name, None, None
        elif tag == "option" and self._select is not None:
            value = given.get("value", "")
            self._first = value if self._first is None else self._first
            if "selected" in given:
                self._chosen = value

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if self._form is None:
            return
        if tag == "textarea" and self._area is not None:
            self._form.fields.append((self._area, self._text.removeprefix("\n")))
            self._area = None
        elif tag == "select" and self._select is not None:
            chosen = self._first if self._chosen is None else self._chosen
            if chosen is not None:
                self._form.fields.append((self._select, chosen))
            self._select = None
        elif tag == "form":
            self._form = None


def forms_of(html: str) -> list[Form]:
    """The forms of a page, in order."""
    parser = _Forms()
    parser.feed(html)
    return parser.forms


class Client:
    """A browser without script, of one person: ``with Client(app) as client: client.get("/")``.

    Args:
        app: An ASGI application.
        language: The language that its reader likes.
        headers: Heads of each request.
        base: The address of the server.
    """

    def __init__(
        self,
        app: Any,
        *,
        language: str = "en",
        headers: Mapping[str, str] | None = None,
        base: str = "http://office.test",
    ) -> None:
        self._base = base
        self._transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
        self._headers = {"Accept-Language": language, **(headers or {})}
        self._opening = start_blocking_portal()
        self.last: httpx.Response | None = None

    def __enter__(self) -> Self:
        self._loop: BlockingPortal = self._opening.__enter__()
        self._client = httpx.AsyncClient(
            transport=self._transport, base_url=self._base, headers=self._headers, follow_redirects=False, timeout=30
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call(self._client.aclose)
        self._opening.__exit__(kind, error, trace)

    def request(self, method: str, url: str, *, follow: bool = True, **more: Any) -> httpx.Response:
        """One request; a redirect is followed by GET, as browsers do, unless told otherwise."""

        async def send() -> httpx.Response:
            return await self._client.request(method, url, follow_redirects=follow, **more)

        self.last = self._loop.call(send)
        return self.last

    def get(self, url: str, **more: Any) -> httpx.Response:
        """A GET."""
        return self.request("GET", url, **more)

    def post(self, url: str, data: Pairs | Mapping[str, Any] | None = None, **more: Any) -> httpx.Response:
        """A POST of a form."""
        fields: Any = dict(data) if isinstance(data, Mapping) else _grouped(data or [])
        return self.request("POST", url, data=fields, **more)

    def submit(
        self,
        page: httpx.Response,
        values: Mapping[str, str | Sequence[str]] | None = None,
        *,
        to: str = "",
        button: tuple[str, str] | None = None,
        files: Any = None,
        **more: Any,
    ) -> httpx.Response:
        """Fill in a form of a page and send it.

        Args:
            page: The page.
            values: What is typed, by the names of the fields.
            to: Part of the form's address; by default that of the page itself, else its last form that posts.
            button: Which button is pressed: its name and value.
            files: Files, as httpx takes them.
            **more: Of the request.
        """
        posting = [one for one in forms_of(page.text) if one.method == "post"]
        wanted = to or page.url.path
        fitting = [one for one in posting if wanted in one.action] or posting
        form = fitting[-1]
        fields = form.filled(values or {}) + ([button] if button else [])
        return self.post(urljoin(str(page.url), form.action), fields, files=files, **more)


def _grouped(pairs: Pairs) -> dict[str, list[str]]:
    """What httpx takes for a form in which a name may stand several times."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
