"""The same office in a browser: the portal, and a page to sign in with a token, which a cookie then carries."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from fastapi_office.office import Here, Office
from fastapi_office.people import find_actor
from reportflow import Actor
from reportflow.web import Portal, portal

COOKIE = "office_token"

PAGE = """<!doctype html>
<html lang="en"><title>Sign in</title>
<form method="post">
<p><label>Token <input type="password" name="token" autofocus></label> <button>Sign in</button>
</form></html>
"""

sign_in_router = APIRouter(include_in_schema=False)


def make_portal(office: Office) -> Portal:
    """The portal of an open office."""

    async def authenticate(request: Request) -> Actor | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return await find_actor(office, token if scheme.lower() == "bearer" else request.cookies.get(COOKIE, ""))

    return portal(office.flow, authenticate=authenticate, sign_in="/sign-in", sign_out="/sign-out", title="An office")


@sign_in_router.get("/sign-in")
async def ask() -> HTMLResponse:
    """The page to sign in."""
    return HTMLResponse(PAGE)


@sign_in_router.post("/sign-in")
async def sign_in(office: Here, token: Annotated[str, Form()], next: str = "") -> RedirectResponse:
    """Sign in, and go on to a page of the portal."""
    if await find_actor(office, token) is None:
        return RedirectResponse("/sign-in", 303)
    answer = RedirectResponse(next if next.startswith("/office/") else "/office/", 303)
    answer.set_cookie(COOKIE, token, httponly=True, samesite="lax")
    return answer


@sign_in_router.post("/sign-out")
async def sign_out() -> RedirectResponse:
    """Sign out."""
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE)
    return answer
