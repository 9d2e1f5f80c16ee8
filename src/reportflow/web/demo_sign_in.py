"""The log-in of the demonstration: a page with its people, one click each, and no password.

It is for a server that listens on its own machine only. Who has signed in stands in a cookie that the portal signs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from reportflow.flow.sync import ReportFlow
from reportflow.model.actor import Actor
from reportflow.web.pages.preferences import is_secure, keep
from reportflow.web.portal import Portal, portal
from reportflow.web.routes import Route
from reportflow.web.visit import Visit

COOKIE: Final = "reportflow_demo"
_SIGN_IN: Final = "sign-in"
_SIGN_OUT: Final = "sign-out"
_HAN: Final = re.compile("[\u4e00-\u9fff]")


class DemoSignIn:
    """Who has signed in, and the pages for it.

    Args:
        people: Who may.
        note: What the page says above them, in each language.
    """

    def __init__(self, people: Iterable[Actor], note: Mapping[str, str]) -> None:
        self._people = {one.id: one for one in people}
        self._note = note
        self._portal: Portal | None = None

    def portal(self, flow: ReportFlow, **settings: Any) -> Portal:
        """The portal of a flow, at the root of a server, for those who sign in here."""
        routes = (
            Route("GET", f"/{_SIGN_IN}", self.choose, public=True),
            Route("POST", f"/{_SIGN_IN}", self.sign_in, public=True),
            Route("POST", f"/{_SIGN_OUT}", self.sign_out, public=True),
        )
        places: dict[str, Any] = {"sign_in": f"/{_SIGN_IN}", "sign_out": f"/{_SIGN_OUT}"}
        self._portal = portal(flow, authenticate=self.authenticate, pages=routes, **places, **settings)
        return self._portal

    async def authenticate(self, request: Request) -> Actor | None:
        """The person of the cookie."""
        assert self._portal is not None, "it is the portal that asks"
        signer = await self._portal.site.signer()
        id = signer.opened(COOKIE, request.cookies.get(COOKIE, ""))
        return None if id is None else self._people.get(id)

    async def choose(self, visit: Visit) -> Response:
        """The page with the people."""
        people = [
            (one, self._roles(visit, one), "zh-Hans" if _HAN.search(one.name + one.post) else visit.t.tag)
            for one in self._people.values()
        ]
        following = visit.request.query_params.get("next", "")
        return visit.page("demo_sign_in.html", people=people, note=self._note, next=following)

    async def sign_in(self, visit: Visit) -> Response:
        """Sign a person in, or change the language of the page."""
        form = await visit.unchecked_form()  # that it comes from here, its browser says
        following = str(form.get("next", ""))
        person = self._people.get(str(form.get("person", "")))
        if person is None:
            return keep(visit, form, visit.redirect(visit.urls.to(_SIGN_IN, next=following)))
        answer = visit.redirect(visit.urls.own(following, visit.urls.to("")))
        signer = await visit.site.signer()
        answer.set_cookie(
            COOKIE,
            signer.sealed(COOKIE, person.id),
            path=visit.urls.prefix or "/",
            secure=is_secure(visit),
            httponly=True,
            samesite="lax",
        )
        return answer

    async def sign_out(self, visit: Visit) -> Response:
        """Sign out."""
        answer = visit.redirect(visit.urls.to(_SIGN_IN))
        answer.delete_cookie(COOKIE, path=visit.urls.prefix or "/")
        return answer

    def _roles(self, visit: Visit, person: Actor) -> list[str]:
        """What they are, in words."""
        kinds = visit.site.lifecycles.items()
        labels = [
            visit.t.label("role", role, kind) for kind, one in kinds for role in one.roles if role in person.roles
        ]
        return [*dict.fromkeys(labels)]
