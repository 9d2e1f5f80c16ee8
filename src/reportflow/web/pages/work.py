"""My work: what awaits me, what was returned to me, what I did; for contributors, what is theirs."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from reportflow.web.routes import Route
from reportflow.web.visit import Visit


async def work(visit: Visit) -> Response:
    """What awaits the person, overdue first."""
    page = await visit.ask(visit.flow.inbox, limit=50)
    visit.shows(*(record.secrecy for record in page))
    return visit.page("work.html", page=page)


ROUTES: Final = (Route("GET", "/", work),)
