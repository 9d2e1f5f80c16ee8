"""The portal's table of routes: each module of `pages` has its part, and so has the API."""

from __future__ import annotations

from typing import Final

from reportflow.web.pages import files, preferences, record, versions, work
from reportflow.web.routes import Route

ROUTES: Final[tuple[Route, ...]] = (
    *work.ROUTES,
    *record.ROUTES,
    *versions.ROUTES,
    *files.ROUTES,
    *preferences.ROUTES,
)
