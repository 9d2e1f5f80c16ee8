"""Language and theme, which a reader may switch at any moment."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from reportflow.web.routes import Route
from reportflow.web.visit import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Visit

_YEAR: Final = 365 * 24 * 3600


async def switch(visit: Visit) -> Response:
    """Keep what was chosen in a cookie, and go back to the page."""
    form = await visit.form()
    answer = visit.redirect(visit.urls.own(str(form.get("next", "")), visit.urls.to("")))
    secure = visit.site.settings.secure
    for cookie, name, choices in ((LANGUAGE_COOKIE, "language", visit.site.languages), (THEME_COOKIE, "theme", THEMES)):
        chosen = form.get(name)
        if isinstance(chosen, str) and chosen in choices:
            answer.set_cookie(
                cookie,
                chosen,
                max_age=_YEAR,
                path=visit.urls.prefix or "/",
                secure=visit.request.scope.get("scheme") == "https" if secure is None else secure,
                httponly=True,
                samesite="lax",
            )
    return answer


ROUTES: Final = (Route("POST", "/settings", switch),)
