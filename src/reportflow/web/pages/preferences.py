"""Language and theme, which a reader may switch at any moment."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import FormData
from starlette.responses import Response

from reportflow.web.routes import Route
from reportflow.web.visit import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Visit

_YEAR: Final = 365 * 24 * 3600


async def switch(visit: Visit) -> Response:
    """Keep what was chosen in a cookie, and go back to the page."""
    form = await visit.form()
    return keep(visit, form, visit.redirect(visit.urls.own(str(form.get("next", "")), visit.urls.to(""))))


def is_secure(visit: Visit) -> bool:
    """Whether a cookie is sent over https only."""
    chosen = visit.site.settings.secure
    return visit.request.scope.get("scheme") == "https" if chosen is None else chosen


def keep(visit: Visit, form: FormData, answer: Response) -> Response:
    """The answer, with what a form chooses as cookies."""
    for cookie, name, choices in ((LANGUAGE_COOKIE, "language", visit.site.languages), (THEME_COOKIE, "theme", THEMES)):
        chosen = form.get(name)
        if isinstance(chosen, str) and chosen in choices:
            answer.set_cookie(
                cookie,
                chosen,
                max_age=_YEAR,
                path=visit.urls.prefix or "/",
                secure=is_secure(visit),
                httponly=True,
                samesite="lax",
            )
    return answer


ROUTES: Final = (Route("POST", "/settings", switch),)
