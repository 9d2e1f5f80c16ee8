"""The API's part of the table of routes."""

from __future__ import annotations

from typing import Final

from reportflow.web.api import acts, feed, figures, files, lists, openapi, records, tables
from reportflow.web.routes import Route

API_ROUTES: Final[tuple[Route, ...]] = (
    *records.ROUTES,
    *acts.ROUTES,
    *lists.ROUTES,
    *tables.ROUTES,
    *files.ROUTES,
    *feed.ROUTES,
    *figures.ROUTES,
    *openapi.ROUTES,
)
