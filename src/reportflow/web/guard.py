"""What keeps a portal safe beside escaping: where a request comes from, how much it may be, and the heads of answers.

A form that changes something must come from a page of the portal. Browsers say where a request comes from in
``Sec-Fetch-Site``, and on the plain http of many intranets, where they leave that out, in ``Origin``. A form carries a
token that is bound to its person, besides.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Send

from reportflow.model.actor import Secrecy
from reportflow.web.settings import Settings

#: What changes nothing.
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
#: More digits than the length of any body has.
_DIGITS: Final = 18
#: The ports that an address may leave out.
_PORTS: Final = {"http": ":80", "https": ":443"}
#: How many people's rates are remembered.
_REMEMBERED: Final = 10_000


def comes_from_here(headers: Headers, settings: Settings) -> bool:
    """Whether a request that changes something comes from the portal's own pages, as far as its browser says.

    A program that is no browser says nothing, and is let through: what it needs besides is a token, or a head that no
    page of another site can send.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if origin is not None and origin in settings.trusted_origins:
        return True
    if site is not None:
        return site == "same-origin"
    return origin is None or _is_of(origin, headers.get("host", ""))


def _is_of(origin: str, host: str) -> bool:
    """Whether an origin is a host, whatever the scheme: where a proxy speaks https, only the proxy knows that."""
    scheme, _, named = origin.lower().partition("://")
    port = _PORTS.get(scheme)
    return port is not None and bool(named) and named.removesuffix(port) == host.lower().removesuffix(port)


def is_programs(headers: Headers) -> bool:
    """Whether a request shows that no page of another site made it: it names who asks itself, or sends JSON."""
    if headers.get("authorization") and not headers.get("cookie"):
        return True
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


class Body:
    """The body of a request, which ends with 413 where it is too large."""

    def __init__(self, receive: Receive, headers: Headers, most: int) -> None:
        self._receive = receive
        self._said = headers.get("content-length", "")
        self._most = most
        self._taken = 0

    def check(self) -> None:
        """See what its head says.

        Raises:
            HTTPException: 413, it says that it is too large.
        """
        if self._said.isdecimal() and (len(self._said) > _DIGITS or int(self._said) > self._most):
            raise HTTPException(413)

    async def receive(self) -> Message:
        """The next part of it.

        Raises:
            HTTPException: 413, it is too large.
        """
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        if self._taken > self._most:
            raise HTTPException(413)
        return message


def without_body(send: Send) -> Send:
    """Sends the head of an answer only, as ``HEAD`` asks: servers differ in whether they see to that."""

    async def send_head(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_head


class Rates:
    """A token bucket for each person: so many requests in a minute, in this process; a proxy does it for all."""

    def __init__(self, rate: int | None) -> None:
        self._rate = rate
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, actor: str) -> None:
        """Count a request.

        Raises:
            HTTPException: 429, there were too many.
        """
        if self._rate is None:
            return
        now = time.monotonic()
        left, then = self._buckets.pop(actor, (float(self._rate), now))
        left = min(float(self._rate), left + (now - then) * self._rate / 60) - 1
        self._buckets[actor] = max(left, 0.0), now
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        if left < 0:
            raise HTTPException(429, headers={"Retry-After": "5"})


def policy(settings: Settings) -> str:
    """The content security policy: nothing but the portal's own files, no script or style inside a page."""
    own = "'self'"
    return (
        f"default-src 'none'; script-src {own}; style-src {own}; img-src {own}; font-src {own}; connect-src {own}; "
        f"form-action {own}; frame-ancestors {settings.frame_ancestors}; base-uri 'none'"
    )


def complete_headers(
    headers: MutableHeaders, settings: Settings, secrecy: Secrecy, extra: Mapping[str, Any] | None = None
) -> None:
    """Set the heads that every answer has, where the answer does not say them itself.

    Args:
        headers: Of the answer.
        settings: Of the portal.
        secrecy: The highest secrecy of what is shown: above internal, no browser keeps the page.
        extra: More of them.
    """
    headers.setdefault("Content-Security-Policy", policy(settings))
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    if settings.frame_ancestors == "'none'":
        headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Cache-Control", "no-store" if secrecy > Secrecy.INTERNAL else "private, no-cache")
    headers.setdefault("Vary", "Cookie, HX-Request, Accept-Language")
    for name, value in (extra or {}).items():
        headers.setdefault(name, value)
