"""Saved views: a list that a person comes back to, under a name of theirs."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.responses import Response

from reportflow.model.checks import is_blank
from reportflow.web.filters import find_address, list_params
from reportflow.web.pages.finding import saved_query, views_of
from reportflow.web.portal_store import VIEWS
from reportflow.web.routes import Route
from reportflow.web.urls import query_text
from reportflow.web.visit import Visit

#: How long the name of a view is at the most, and how long its address.
NAME: Final = 60
_LONGEST: Final = 8000


async def views(visit: Visit) -> Response:
    """All saved views of the person."""
    return visit.page("views.html", views=views_of(visit, await visit.site.kept.views(visit.actor.id)))


async def save(visit: Visit) -> Response:
    """Keep a list under a name, in place of the one of that name; then show it."""
    form = await visit.form()
    given, query = (form.get(name) for name in ("name", "query"))
    if not isinstance(given, str) or not isinstance(query, str) or len(query) > _LONGEST:
        raise HTTPException(400)
    params = list_params(visit, saved_query(visit, parse_qs(query)))
    name = " ".join(given.split())
    if is_blank(name) or len(name) > NAME or not name.isprintable():
        shown = views_of(visit, await visit.site.kept.views(visit.actor.id))
        wrong = visit.t("find.view_name_wrong", most=NAME)
        return visit.page("views.html", 422, views=shown, wrong=wrong, typed=given, query=query_text(params))
    kept = await visit.site.kept.views(visit.actor.id)
    if name not in kept and len(kept) >= VIEWS:
        raise HTTPException(413)
    await visit.site.kept.save_view(visit.actor.id, name, query_text(params))
    return visit.redirect(find_address(visit, params))


async def drop(visit: Visit) -> Response:
    """Delete a saved view."""
    form = await visit.form()
    name = form.get("name")
    if not isinstance(name, str):
        raise HTTPException(400)
    await visit.site.kept.drop_view(visit.actor.id, name)
    return visit.redirect(visit.urls.to("views"))


ROUTES: Final = (
    Route("GET", "/views", views),
    Route("POST", "/views", save),
    Route("POST", "/views/delete", drop),
)
