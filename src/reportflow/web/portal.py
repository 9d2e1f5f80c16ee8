"""The portal: an ASGI application that shows the records of a flow, and takes what people do with them.

How one request goes: `Portal` finds out under which prefix it is mounted, and who is asking; the table of routes names
the handler; the handler asks the flow, as that person, and renders a template or writes JSON. No handler knows a rule:
what is shown, offered and refused comes from the flow, and what a form asks for from the class of the details.

Nothing is opened in the lifespan of the host, since hosts do not run that of what is mounted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from reportflow.errors import InvalidValue, ReportflowError
from reportflow.flow.aio import AsyncReportFlow
from reportflow.flow.sync import ReportFlow
from reportflow.model.actor import Actor
from reportflow.model.checks import type_problem
from reportflow.serialization.problem import PROBLEM_JSON, problem
from reportflow.web import assets, guard
from reportflow.web.pages import errors
from reportflow.web.portal_store import PortalStore
from reportflow.web.routes import Route, Router
from reportflow.web.settings import Authenticate, Settings
from reportflow.web.site import LOG, Site
from reportflow.web.table import ROUTES
from reportflow.web.urls import Urls, as_sent, mounted, quoted, with_next
from reportflow.web.visit import Visit

#: The path under which the JSON API stands; it is answered with problem documents instead of pages.
API: Final = "/api"


class Portal:
    """An ASGI application; made by `portal`.

    Attributes:
        site: Its parts.
    """

    def __init__(self, site: Site, routes: Iterable[Route]) -> None:
        self.site = site
        self._router = Router(routes)
        self._rates = guard.Rates(site.settings.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of a server or host."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        prefix, path = mounted(scope["path"], scope.get("root_path", ""), self.site.settings.prefix)
        inside = {
            "app": self,
            **scope,
            "path": prefix + path,
            "root_path": prefix,
            "app_root_path": prefix,
            "router": None,
        }
        answer = await self._answer(inside, receive, prefix, as_sent(path, scope.get("raw_path")))
        if answer is not None:
            await answer(inside, receive, guard.without_body(send) if scope["method"] == "HEAD" else send)

    async def _answer(self, scope: Scope, receive: Receive, prefix: str, path: str) -> ASGIApp | None:
        settings, headers = self.site.settings, Headers(scope=scope)
        body = guard.Body(receive, headers, settings.max_body)
        visit = Visit(Request(scope, body.receive), self.site, Urls(quoted(prefix)), path)
        try:
            body.check()
            return await self._handle(visit, headers)
        except ClientDisconnect:
            return None
        except Exception as error:
            try:
                return await self._failed(visit, error)
            except Exception as another:  # such as a fault of a host's own template
                LOG.error("an error could not be shown: %s", type(another).__name__, exc_info=another)
                return visit.complete(PlainTextResponse("500 Internal Server Error", 500))
        finally:
            await visit.request.close()

    async def _handle(self, visit: Visit, headers: Headers) -> Response:
        method = visit.request.method
        if assets.is_asset(visit.path):
            if method not in ("GET", "HEAD"):
                raise HTTPException(405, headers={"Allow": "GET, HEAD"})
            return visit.complete(assets.serve(visit.path))
        if method not in guard.SAFE and not guard.comes_from_here(headers, self.site.settings):
            raise HTTPException(403)
        if self._router.is_public(visit.path):
            self._check_address(visit)
            handler, visit.params = self._router.find(method, visit.path)
            return await handler(visit)
        actor = await self._who(visit)
        if actor is None:
            return await self._nobody(visit)
        visit.enter(actor, await self.site.signer())
        self._rates.check(actor.id)
        handler, visit.params = self._router.find(method, visit.path)
        return await handler(visit)

    async def _who(self, visit: Visit) -> Actor | None:
        """Who is asking, as the host says.

        Raises:
            HTTPException: 503, the host cannot say; what it raised is logged.
        """
        try:
            actor: Any = await self.site.call(self.site.authenticate, visit.request)
        except Exception as error:
            LOG.error("authenticate failed: %s", type(error).__name__, exc_info=error)
            raise HTTPException(503, headers={"Retry-After": "5"}) from error
        if actor is not None and not isinstance(actor, Actor):
            LOG.error("authenticate gave a %s, which is no Actor", type(actor).__name__)
            raise HTTPException(503, headers={"Retry-After": "5"})
        return actor

    async def _nobody(self, visit: Visit) -> Response:
        """Nobody has signed in: lead them there, or keep what they sent."""
        sign_in = self.site.settings.sign_in
        if self._is_api(visit):
            return _problem(visit, 401)
        if visit.request.method in guard.SAFE:
            if sign_in is None or visit.is_partial:
                return errors.page(visit, 401)
            return visit.complete(RedirectResponse(with_next(sign_in, visit.here), 303))
        self._check_address(visit)  # what is sent back is read whole
        return await errors.expired(visit)

    def _check_address(self, visit: Visit) -> None:
        """Count the request of a visitor who has not signed in, by their address."""
        client = visit.request.client
        self._rates.check(f"address {client.host if client else ''}")

    def _is_api(self, visit: Visit) -> bool:
        return visit.path == API or visit.path.startswith(f"{API}/")

    async def _failed(self, visit: Visit, error: Exception) -> Response:
        """The answer that says what went wrong: nothing of what is inside."""
        if isinstance(error, HTTPException):
            status, headers = error.status_code, dict(error.headers or {})
            if self._is_api(visit):
                return _problem(visit, status, headers)
            return errors.page(visit, status, headers)
        if isinstance(error, ReportflowError):
            document = problem(error, visit.language)
            if document.status >= 500:
                LOG.error("%s: %s", visit.request.method, type(error).__name__, exc_info=error)
            if self._is_api(visit):
                return visit.complete(JSONResponse(document, document.status, dict(document.headers)))
            return errors.of_the_flow(visit, error, document)
        LOG.error("%s: %s", visit.request.method, type(error).__name__, exc_info=error)
        return _problem(visit, 500) if self._is_api(visit) else errors.page(visit, 500)


def _problem(visit: Visit, status: int, headers: dict[str, str] | None = None) -> Response:
    """A problem document of a status that no error of the library has."""
    code = errors.code_of(visit, status)
    document = {
        "type": "about:blank",
        "title": visit.t(f"error.title_{code}"),
        "status": status,
        "detail": visit.t(f"error.detail_{code}"),
    }
    return visit.complete(
        JSONResponse(
            document, status, {**(headers or {}), "Content-Type": PROBLEM_JSON, "Content-Language": visit.t.tag}
        )
    )


async def _live(receive: Receive, send: Send) -> None:
    """The lifespan, where a server runs the portal by itself: there is nothing to open or close."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return


def portal(
    flow: ReportFlow | AsyncReportFlow,
    *,
    authenticate: Authenticate,
    portal_store: PortalStore | None = None,
    pages: Iterable[Route] = (),
    **settings: Any,
) -> Portal:
    """A portal of a flow, as an ASGI application: mount it under any path.

    Args:
        flow: Whose records it shows. What each person sees and may do, the flow says.
        authenticate: Who is asking, or None; nothing is shown without one. Sync (then it runs in a thread) or async.
        portal_store: Keeps drafts and saved views; beside the records of an SQL store, else in memory, unless given.
        pages: More pages, of the host's own; they come before the portal's.
        **settings: See `Settings`.

    Raises:
        TypeError: without `authenticate`, or an unknown setting.
        InvalidValue: `authenticate` cannot be called, the flow is none, or a setting is wrong.
    """
    if not isinstance(flow, ReportFlow | AsyncReportFlow):
        raise InvalidValue("flow", *type_problem("ReportFlow | AsyncReportFlow", flow))
    if not callable(authenticate):
        raise TypeError("portal() needs authenticate=: a function of the request that gives an Actor, or None")
    return Portal(Site(flow, authenticate, Settings(**settings), portal_store), [*pages, *ROUTES])
