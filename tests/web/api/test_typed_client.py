"""The typed client against a portal on a real server: for reports, and for lifecycles of other houses."""

from __future__ import annotations

import sys
import threading
import time
import types
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from own_lifecycle import PROCUREMENT
from reportflow import Actor, Lifecycle, open_flow
from reportflow.lifecycle.client import client_source
from reportflow.office import REPORT
from reportflow.web import Portal, portal
from tests.web.api.offices import HEAD, LEAVE

ALL = Actor(id="li", name="Li", roles={*REPORT.roles, *PROCUREMENT.roles}, unit="u")


def client_of(lifecycle: Lifecycle, url: str, **headers: str) -> tuple[Any, Any]:
    """The module of a definition's client, and a client."""
    module = types.ModuleType("written_client")
    sys.modules[module.__name__] = module
    exec(compile(client_source(lifecycle, "x:Y"), "written_client.py", "exec"), vars(module))
    [cls] = [one for name, one in vars(module).items() if name.endswith("Client")]
    return module, cls(url, headers=headers)


@contextmanager
def served(app: Portal, prefix: str = "") -> Iterator[str]:
    """The address of the API of a portal that a server runs, by itself or mounted."""
    mounted: Any = Starlette(routes=[Mount(prefix, app=app)]) if prefix else app
    server = uvicorn.Server(uvicorn.Config(mounted, port=0, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}{prefix}/api"
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("prefix", ["", "/office"])
def test_reports_by_the_typed_client(prefix: str) -> None:
    """Created, offered, edited on what was read, refused, found page by page, and their history read."""
    app = portal(open_flow("memory:"), authenticate=lambda request: ALL, rate=None)
    with served(app, prefix) as url:
        module, client = client_of(REPORT, url)
        draft = {"title": "Dark lamps", "text": "Eight.", "authors": [{"name": "Qian"}]}
        made = client.create(draft, key="one")
        assert client.create(draft, key="one") == made
        assert [one["trigger"] for one in client.creations() if one["allowed"]] == ["create"]
        assert "edit" in [one["trigger"] for one in client.options(made["id"]) if one["allowed"]]
        edited = client.edit(made, {"text": "Nine."})
        with pytest.raises(module.ProblemRaised) as stale:
            client.edit(made, {"text": "Ten."})
        assert stale.value.status == 412
        with pytest.raises(module.ProblemRaised) as wrong:
            client.edit(made["id"], {"text": ""})
        assert [one["pointer"] for one in wrong.value.errors] == ["#/details/text"]
        with pytest.raises(module.ProblemRaised) as refused:
            client.reopen(edited, reason="so")
        assert [one["code"] for one in refused.value.refusals] == ["state"]
        for number in range(4):
            client.create({**draft, "title": f"Lamps {number}"})
        assert [one["title"] for one in client.every(limit=2)] == ["Dark lamps", *(f"Lamps {n}" for n in range(4))]
        assert len(client.find(state=["draft"], text="lamps")["records"]) == 4
        assert [one["trigger"] for one in client.history(made["id"])] == ["create", "edit"]
        assert client.get(made["id"]) == edited
        with pytest.raises(module.ProblemRaised) as missing:
            client.get("a/b")
        assert missing.value.status == 404


def test_a_lifecycle_of_another_house_by_its_client() -> None:
    """A definition that was written yesterday has its API and its client, which understand each other."""
    with served(portal(open_flow("memory:", lifecycles=PROCUREMENT), authenticate=lambda request: ALL)) as url:
        _, client = client_of(PROCUREMENT, url)
        [offer] = [one for one in client.creations() if one["allowed"]][:1]
        assert offer["schema"]["properties"]
    with served(portal(open_flow("memory:", lifecycles=[LEAVE, REPORT]), authenticate=lambda request: HEAD)) as url:
        _, client = client_of(LEAVE, url)
        made = client.ask({"id": "a/b ~41%c", "title": "Rest"})
        signed = client.sign_off__41__x_(made, {"name": "Head"}, reason="so")
        assert client.get("a/b ~41%c")["state"] == signed["state"] == "granted"
        assert len(client.history("a/b ~41%c")) == 2


def test_a_stream_by_a_real_server_ends_with_its_reader() -> None:
    """A stream goes out as it comes, and a reader who goes away leaves nobody behind."""
    app = portal(open_flow("memory:"), authenticate=lambda request: ALL, rate=None)
    with served(app) as url:
        with urllib.request.urlopen(f"{url}/events", timeout=10) as stream:
            assert stream.readline() == b"retry: 3000\n"
        deadline = time.monotonic() + 10
        while any(room._readers for room in _rooms(app)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not any(room._readers for room in _rooms(app))


def _rooms(app: Portal) -> list[Any]:
    return [room for made in app.site._made.values() for room in getattr(made, "_rooms", {}).values()]
