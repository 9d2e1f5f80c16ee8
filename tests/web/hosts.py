"""The hosts that a portal is mounted in: each as an ASGI application with the portal under ``/office``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from reportflow import Actor, open_flow
from reportflow.office import Author, Report
from reportflow.web import Portal, portal

LI: Final = Actor(id="li", name="李娜", post="科长", roles={"contributor", "editor"}, unit="u")

#: Makes a portal with some settings.
Make = Callable[..., Portal]


def office(about: str = "Dark lamps", **settings: Any) -> Portal:
    """A portal with one report."""
    flow = open_flow("memory:")
    flow.create(Report.draft(title=about, text="Eight.", authors=[Author(name="Qian")]), by=LI)
    return portal(flow, **{"authenticate": lambda request: LI, **settings})


async def _own(request: Any) -> PlainTextResponse:
    return PlainTextResponse("the host's own")


def starlette(make: Make) -> Any:
    """Starlette, with a route of its own that has the name of a function of the portal's."""
    own = [Route("/r/{id}", _own, name="record"), Route("/settings", _own, methods=["POST"], name="switch")]
    return Starlette(routes=[*own, Mount("/office", make())])


def fastapi(make: Make) -> Any:
    """FastAPI."""
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/r/{id}", name="record")
    async def own(id: str) -> str:
        return "the host's own"

    app.mount("/office", make())
    return app


def litestar(make: Make) -> Any:
    """Litestar, which leaves the root as it is: the portal is given its prefix."""
    from litestar import Litestar, asgi

    inside = make(prefix="/office")

    @asgi("/office", is_mount=True, copy_scope=True)
    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await inside(scope, receive, send)

    return Litestar([mounted])


def dispatcher(make: Make) -> Any:
    """What stands in the ``asgi.py`` of a project of Django, before Django's own application."""
    inside = make()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        root = scope.get("root_path", "")
        path = scope["path"].removeprefix(root)
        if path == "/office" or path.startswith("/office/"):
            await inside({**scope, "root_path": f"{root}/office"}, receive, send)
        else:
            await PlainTextResponse("Django's own", 404)(scope, receive, send)

    return application


def flask(make: Make) -> Any:
    """Flask by a bridge: an ASGI application in a WSGI one, here in a server of ASGI again."""
    from a2wsgi import ASGIMiddleware, WSGIMiddleware
    from flask import Flask
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    app = Flask(__name__)
    office: Any = make()
    inside: Any = ASGIMiddleware(office)
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/office": inside})  # type: ignore[method-assign]  # as Flask says
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outside: Any = app
        return WSGIMiddleware(outside)


#: Host -> what mounts a portal in it.
HOSTS: Final[dict[str, Callable[[Make], Any]]] = {
    "starlette": starlette,
    "fastapi": fastapi,
    "litestar": litestar,
    "dispatcher": dispatcher,
    "flask": flask,
}


def behind_a_proxy(app: Any, root: str, *, strips: bool) -> Any:
    """A host behind a proxy whose prefix the server says in the root; it leaves the path whole, or strips it.

    The path that is asked for is the one before the proxy.
    """

    async def application(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"].removeprefix(root) if strips else scope["path"]
        await app({**scope, "path": path, "raw_path": path.encode(), "root_path": root}, receive, send)

    return application
