"""A real browser at a real server: people each with a context of their own, whose console must stay silent."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount
from starlette.types import ASGIApp

from reportflow import Actor
from reportflow.web import portal

#: Where screenshots are put; a folder of the test unless the gate names one.
SHOTS = "REPORTFLOW_SCREENSHOTS"
#: The cookie by which the host of these tests knows people.
WHO = "who"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP office.test 127.0.0.1",  # plain http that is not on loopback, as on an intranet
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium of the machine; of one module, since what drives it keeps the event loop of the thread running."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("REPORTFLOW_SERVERS") == "required":
            pytest.fail("there is no Chromium here")
        pytest.skip("skipped: no Chromium here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


class Served:
    """A portal behind a real server, on plain http.

    Args:
        flow: The flow.
        people: Who can sign in, by id: the cookie `WHO` names one.
        mount: Under which path a host has the portal; blank: the server serves it by itself.
        **settings: Of the portal.
    """

    def __init__(self, flow: Any, people: dict[str, Actor], mount: str = "", **settings: Any) -> None:
        self.flow = flow
        self.people = people
        self.mount = mount

        def authenticate(request: Request) -> Actor | None:
            return people.get(request.cookies.get(WHO, ""))

        app: ASGIApp = portal(flow, authenticate=authenticate, **{"rate": None, **settings})
        if mount:
            app = Starlette(routes=[Mount(mount, app)])
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://office.test:{self.port}{self.mount}"

    def close(self) -> None:
        """Stop the server."""
        self._server.should_exit = True
        self._thread.join(10)


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Makes servers, and stops them in the end."""
    made: list[Served] = []

    def start(flow: Any, people: dict[str, Actor], **settings: Any) -> Served:
        made.append(Served(flow, people, **settings))
        return made[-1]

    yield start
    for one in made:
        one.close()


class Someone:
    """A person at a browser: pages of theirs, and what their console said."""

    def __init__(self, context: BrowserContext, served: Served) -> None:
        self.context = context
        self.served = served
        self.said: list[str] = []
        self.page: Page = self.opened()

    def opened(self) -> Page:
        """Another tab."""
        page = self.context.new_page()
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        return page

    def go(self, path: str = "/") -> Page:
        """Go to a page of the portal."""
        self.page.goto(self.served.url + path)
        return self.page


@pytest.fixture
def someone(browser: Browser) -> Iterator[Callable[..., Someone]]:
    """Puts people at browsers; in the end nobody's console may have said anything but what was expected."""
    made: list[Someone] = []

    def sit(
        served: Served,
        who: str | None,
        *,
        language: str = "zh-CN",
        phone: bool = False,
        dark: bool = False,
        script: bool = True,
    ) -> Someone:
        context = browser.new_context(
            locale=language,
            timezone_id="Asia/Shanghai",
            viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 900},
            color_scheme="dark" if dark else "light",
            has_touch=phone,
            java_script_enabled=script,
        )
        context.set_default_timeout(10_000)
        if who is not None:
            context.add_cookies([{"name": WHO, "value": who, "url": served.url}])
        made.append(Someone(context, served))
        return made[-1]

    yield sit
    said = [line for one in made for line in one.said]
    for one in made:
        one.context.close()
    # an answer that says no is noted by the browser itself
    assert [line for line in said if "Failed to load resource" not in line] == []


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """The folder for screenshots."""
    folder = Path(os.environ.get(SHOTS) or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
