"""Where a portal is mounted: under any path of any host, behind a proxy, several at once; its addresses fit."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from html import unescape
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from reportflow.web import Portal
from tests.web.client import Client
from tests.web.hosts import HOSTS, behind_a_proxy, dispatcher, fastapi, litestar, office, starlette

ADDRESS = re.compile(r'\b(?:href|src|action|content)="((?:https?:|/)[^"]*)"')


def addresses(page: httpx.Response) -> list[str]:
    """All addresses of a page but the jumps inside it."""
    return [unescape(one) for one in ADDRESS.findall(page.text)]


def walk_through(client: Client, prefix: str) -> list[str]:
    """Walk through all that the frame answers: pages, files, redirects, errors; the addresses that it leads to."""
    page = client.get(f"{prefix}/")
    assert page.status_code == 200, page.text
    found = addresses(page)
    assert len(found) > 8
    for one in found:
        if "/static/" in one:
            file = client.get(one)
            assert file.status_code == 200
            assert "immutable" in file.headers["Cache-Control"]
    switched = client.submit(page, to="/settings", button=("language", "zh"), follow=False)
    assert switched.status_code == 303
    found.append(switched.headers["Location"])
    assert found[-1] == f"{prefix}/"
    assert f"Path={prefix}" in switched.headers["Set-Cookie"]
    assert "待办" in client.get(f"{prefix}/").text
    missing = client.get(f"{prefix}/no/such")
    assert missing.status_code == 404
    assert missing.headers["Content-Language"] == "zh-Hans"
    found += addresses(missing)
    head = client.request("HEAD", f"{prefix}/")
    assert (head.status_code, head.content) == (200, b"")
    assert client.request("DELETE", f"{prefix}/settings").status_code == 405
    assert client.get(f"{prefix}/settings/").headers["Allow"] == "POST"
    assert client.get(f"{prefix}//").status_code == 200
    return found


def outside(found: list[str], prefix: str) -> list[str]:
    """The addresses that leave a prefix."""
    return [one for one in found if not one.startswith(f"{prefix}/")]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:litestar")
def test_it_is_mounted_in_every_host(host: str) -> None:
    """Under a path of each host, pages, files, forms, redirects and errors keep to that path."""
    with Client(HOSTS[host](office)) as client:
        assert outside(walk_through(client, "/office"), "/office") == []


def test_it_stands_alone() -> None:
    """Without a host it answers at the root of the server."""
    with Client(office()) as client:
        assert outside(walk_through(client, ""), "") == []


@pytest.mark.parametrize(
    ("host", "strips"),
    # Litestar knows nothing of roots: behind a proxy, the path must come to it stripped
    [(starlette, True), (starlette, False), (fastapi, True), (fastapi, False), (dispatcher, False), (litestar, True)],
)
def test_it_is_mounted_behind_a_proxy(host: Any, strips: bool) -> None:
    """Behind a proxy with a prefix, all addresses have both, whether the server strips the path or not."""
    with Client(behind_a_proxy(host(office), "/proxy", strips=strips)) as client:
        assert outside(walk_through(client, "/proxy/office"), "/proxy/office") == []


@pytest.mark.parametrize("prefix", ["/办公", "/a b", "/office/of/reports", '/"><script>'])
def test_any_path_will_do(prefix: str) -> None:
    """A path with letters of any script is written as addresses have it."""
    from urllib.parse import quote

    with Client(dispatcher_at(prefix)) as client:
        assert outside(walk_through(client, quote(prefix)), quote(prefix)) == []


def dispatcher_at(prefix: str) -> Any:
    """A portal that the host mounts under any path."""
    inside = office()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await inside({**scope, "root_path": prefix}, receive, send)

    return application


def test_two_portals_in_one_process_keep_apart() -> None:
    """Two portals in one application have addresses and cookies of their own, and show what is theirs."""
    deep = Mount("/deep", Starlette(routes=[Mount("/er", office("Light lamps"))]))
    app = Starlette(routes=[Mount("/office", office()), deep])
    with Client(app) as client:
        assert outside(walk_through(client, "/office"), "/office") == []
        assert outside(walk_through(client, "/deep/er"), "/deep/er") == []
        assert "Dark lamps" in client.get("/office/").text
        assert "Light lamps" in client.get("/deep/er/").text


@pytest.mark.parametrize("path", ["//evil.test/", "//evil.test", "///evil.test/..", "/\\evil.test", "/%5Cevil.test"])
def test_no_path_makes_an_address_lead_elsewhere(path: str) -> None:
    """A path that begins with several slashes, or a backslash, leaves no address that a browser takes for a host."""
    for app in (office(sign_in="/login", authenticate=lambda request: None), office()):
        status: list[int] = []
        with Client(Raw(app, path.replace("%5C", "\\"))) as client:
            for method, data in (("GET", None), ("POST", {"text": "kept " * 20})):
                page = client.request(method, "/", data=data, follow=False)
                status.append(page.status_code)
                for one in [*addresses(page), page.headers.get("Location", "/")]:
                    assert re.match(r"/(?![/\\])", one), one
                    assert "evil.test" not in one.partition("?")[0] or one.startswith(("/evil.test", "/%5Cevil.test"))
        assert set(status) <= {303, 401, 403, 404}


class Raw:
    """A server that hands a path on as it came."""

    def __init__(self, app: Portal, path: str) -> None:
        self._app, self._path = app, path

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope, "path": self._path}, receive, send)


def test_a_websocket_is_closed_and_a_lifespan_ends() -> None:
    """What is no HTTP is answered as the protocol asks: nothing is opened there, so nothing must be closed."""
    app = office()
    with Client(app) as client:

        async def exchange(kind: str, messages: list[dict[str, str]]) -> list[str]:
            sent: list[Any] = []

            async def receive() -> Any:
                return messages.pop(0)

            async def send(message: Any) -> None:
                sent.append(message["type"])

            await app({"type": kind, "path": "/", "headers": []}, receive, send)
            return sent

        live = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
        assert client._loop.call(exchange, "lifespan", live) == [
            "lifespan.startup.complete",
            "lifespan.shutdown.complete",
        ]
        assert client._loop.call(exchange, "websocket", [{"type": "websocket.connect"}]) == ["websocket.close"]


@pytest.fixture(params=["", "/proxy"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A real server with a portal in Starlette, without and with a root path: its address, and the root."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(starlette(office), port=port, root_path=request.param, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}", request.param
    server.should_exit = True
    thread.join(20)


def test_a_real_server_serves_it(served: tuple[str, str]) -> None:
    """Under uvicorn, with its own root path too, pages and files are where their addresses say."""
    address, root = served
    with httpx.Client(base_url=address) as client:
        page = client.get("/office/")
        assert page.status_code == 200
        for one in addresses(page):
            assert one.startswith(f"{root}/office/")
            if "/static/" in one:
                assert client.get(one.removeprefix(root)).status_code == 200
        assert client.get("/office/no").status_code == 404
        head = client.head("/office/")
        assert (head.status_code, head.content) == (200, b"")
        assert client.get("/office/%00%0d%0aX-Evil:1").status_code == 404
