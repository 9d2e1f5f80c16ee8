"""The portal's table of routes: each module of `pages` has its part, and so has the API."""

from __future__ import annotations

from typing import Final

from reportflow.web.api.table import API_ROUTES
from reportflow.web.pages import (
    acting,
    audit,
    beside,
    creating,
    drafts,
    files,
    finding,
    lifecycle,
    preferences,
    receipts,
    record,
    versions,
    views,
    work,
    year,
)
from reportflow.web.routes import Route

ROUTES: Final[tuple[Route, ...]] = (
    *work.ROUTES,
    *finding.ROUTES,
    *views.ROUTES,
    *record.ROUTES,
    *beside.ROUTES,
    *versions.ROUTES,
    *files.ROUTES,
    *creating.ROUTES,
    *acting.ROUTES,
    *receipts.ROUTES,
    *drafts.ROUTES,
    *year.ROUTES,
    *lifecycle.ROUTES,
    *audit.ROUTES,
    *preferences.ROUTES,
    *API_ROUTES,
)
