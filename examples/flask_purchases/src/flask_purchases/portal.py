"""The same purchases in the portal, under ``/office``, for those who have logged in to Flask."""

from __future__ import annotations

from typing import Any

from a2wsgi import ASGIMiddleware
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from flask_purchases.people import who_has_logged_in
from reportflow import Actor, ReportFlow
from reportflow.web import portal


def add_portal(app: Flask, flow: ReportFlow) -> None:
    """Mount the portal of a flow: an ASGI application, behind a bridge."""

    def authenticate(request: Any) -> Actor | None:
        with app.request_context(request.scope["wsgi_environ"]):
            return who_has_logged_in()

    office: Any = portal(flow, authenticate=authenticate, sign_in="/login", title={"en": "Purchases", "zh": "采购"})
    bridge: Any = ASGIMiddleware(office)
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/office": bridge})  # type: ignore[method-assign]  # as Flask says
