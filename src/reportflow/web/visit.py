"""One request: who asks, for what, in which language; and how it is answered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeVar

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from reportflow.model.actor import Actor, Secrecy
from reportflow.web import assets
from reportflow.web.calling import Steps
from reportflow.web.guard import complete_headers
from reportflow.web.markup import lang_of, marked, paragraphs
from reportflow.web.settings import MEGABYTE
from reportflow.web.signing import Signer
from reportflow.web.site import Site
from reportflow.web.urls import Urls, quoted
from reportflow.web.words import Words

T = TypeVar("T")

LANGUAGE_COOKIE: Final = "reportflow_language"
THEME_COOKIE: Final = "reportflow_theme"
THEMES: Final = ("auto", "light", "dark")
#: What a language calls itself; another one is shown by its code.
LANGUAGE_NAMES: Final[Mapping[str, str]] = MappingProxyType({"en": "English", "zh": "中文"})
#: The name of the field that carries a form's token.
TOKEN: Final = "_token"
#: How many fields and files a form may have.
_FIELDS, _FILES = 1000, 50
#: How many bytes a field may have as it is sent: several times what the longest text that can be stored has.
_FIELD: Final = 8 * MEGABYTE


class Visit:
    """One request, and what a handler needs to answer it.

    Attributes:
        request: The request.
        site: The portal.
        urls: Writes addresses.
        path: The path inside the portal.
        params: The names in the path.
        language: The reader's.
        theme: ``auto``, ``light`` or ``dark``.
        t: The words of the language.
        secrecy: The highest secrecy of what is shown: raise it by `shows`.
    """

    def __init__(self, request: Request, site: Site, urls: Urls, path: str) -> None:
        self.request = request
        self.site = site
        self.urls = urls
        self.path = path
        self.params: Mapping[str, str] = {}
        self.language: str = _language(request, site)
        theme = request.cookies.get(THEME_COOKIE, "auto")
        self.theme: str = theme if theme in THEMES else "auto"
        self.t: Words = site.words(self.language)
        self.secrecy: Secrecy = Secrecy.INTERNAL
        self._actor: Actor | None = None
        self._signer: Signer | None = None
        self._form: FormData | None = None

    # -- who asks ------------------------------------------------------------------------------------------------

    @property
    def actor(self) -> Actor:
        """Who asks. No handler runs without one."""
        assert self._actor is not None, "no handler runs before it is known who asks"
        return self._actor

    @property
    def is_known(self) -> bool:
        """Whether it is known who asks."""
        return self._actor is not None

    def enter(self, actor: Actor, signer: Signer) -> None:
        """Note who asks."""
        self._actor, self._signer = actor, signer

    @property
    def signer(self) -> Signer:
        """Signs forms and cursors."""
        assert self._signer is not None, "no handler runs before it is known who asks"
        return self._signer

    @property
    def is_staff(self) -> bool:
        """Whether the person works in an office, rather than only with what is their own."""
        return self.site.is_staff(self.actor)

    async def ask(self, verb: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Call a verb of the flow as the person who asks: ``await visit.ask(flow.get, id)``."""
        return await self.site.call(verb, *args, by=self.actor, **named)

    async def ask_in_turn(self, steps: Steps[T]) -> T:
        """Call several verbs one after another: ``record = yield visit.asking(flow.get, id)`` in a generator."""
        return await self.site.call.in_turn(steps, awaits=self.site.is_async)

    def asking(self, verb: Callable[..., Any], *args: Any, **named: Any) -> Callable[[], Any]:
        """The call that `ask` makes, as a step."""
        return partial(verb, *args, by=self.actor, **named)

    @property
    def flow(self) -> Any:
        """The flow, whose verbs `ask` calls."""
        return self.site.flow

    def shows(self, *secrecies: Secrecy) -> None:
        """Note how secret what is shown is: above internal no browser keeps the page."""
        self.secrecy = max((self.secrecy, *secrecies))

    @property
    def here(self) -> str:
        """The address of the request."""
        query = self.request.scope.get("query_string", b"").decode("latin-1")
        return self.urls.prefix + quoted(self.path) + (f"?{query}" if query else "")

    # -- what came in --------------------------------------------------------------------------------------------

    @property
    def is_partial(self) -> bool:
        """Whether a script asks for a part of the page only."""
        return self.request.headers.get("HX-Request") == "true"

    async def form(self) -> FormData:
        """The form that was sent; its token is checked.

        Raises:
            HTTPException: 400, it is no form, or too much of one; 403, it is not one of this person's.
        """
        form = await self.unchecked_form()
        token = form.get(TOKEN)
        if not isinstance(token, str) or not self.signer.is_token(token, self.actor.id):
            raise HTTPException(403)
        return form

    async def unchecked_form(self) -> FormData:
        """The form that was sent, by whomever: nothing may be done as it says.

        Raises:
            HTTPException: 400, it is no form, or has too many fields; 413, a field is too large.
        """
        if self._form is None:
            try:
                self._form = await self.request.form(max_fields=_FIELDS, max_files=_FILES, max_part_size=_FIELD)
            except (MultiPartException, HTTPException) as error:  # Starlette raises either, by who mounts
                said = error.message if isinstance(error, MultiPartException) else f"{error.status_code} {error.detail}"
                raise HTTPException(413 if "maximum size" in said or said.startswith("413") else 400) from error
            except (ValueError, LookupError) as error:  # what is no form, or in no known encoding
                raise HTTPException(400) from error
        return self._form

    # -- what goes out -------------------------------------------------------------------------------------------

    def context(self) -> dict[str, Any]:
        """What every template has."""
        settings = self.site.settings
        return {
            "visit": self,
            "t": self.t,
            "urls": self.urls,
            "to": self.urls.to,
            "settings": settings,
            "asset": lambda name: self.urls.to(*assets.address(name)),
            "marked": marked,
            "paragraphs": paragraphs,
            "lang_of": partial(lang_of, language=self.language),
            "languages": {one: LANGUAGE_NAMES.get(one, one) for one in self.site.languages},
            "token": self.signer.token(self.actor.id) if self.is_known else "",
            "navigation": self._navigation() if self.is_known else (),
            "here": self.here,
        }

    def _navigation(self) -> tuple[tuple[str, str, bool], ...]:
        """The entries of the head: address, text, whether it is this one."""
        pages = [
            ("work" if self.is_staff else "own",),
            ("find", "find"),
            ("new", "new"),
            ("year", "year"),
            ("lifecycle", "lifecycle"),
        ]
        if self.site.audits(self.actor):
            pages.append(("audit", "audit"))
        first = "/" + self.path.strip("/").partition("/")[0]
        return tuple(
            (self.urls.to(*parts), self.t(f"page.nav_{name}"), first == "/" + "".join(parts)) for name, *parts in pages
        )

    def page(self, template: str, status: int = 200, *, tag: str = "", **context: Any) -> Response:
        """A page.

        Args:
            template: Its template.
            status: The status of the answer.
            tag: What the page depends on beside the person, the language and the version of this library: then a
                browser that has it learns so. Blank: it is always sent.
            **context: What the template shows.
        """
        headers = {"Content-Language": self.t.tag}
        if tag:
            headers["ETag"] = etag = self._etag(tag)
            if etag in (one.strip() for one in self.request.headers.get("if-none-match", "").split(",")):
                return self.complete(Response(status_code=304, headers=headers))
        body = self.site.templates.get_template(template).render({**self.context(), **context})
        return self.complete(HTMLResponse(body, status, headers))

    def _etag(self, tag: str) -> str:
        rights = (self.actor.id, self.actor.unit, self.actor.clearance.value, *sorted(self.actor.roles))
        parts = (tag, self.language, self.theme, str(self.is_partial), self.urls.prefix, *rights)
        digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()
        return f'W/"{digest[:24]}"'

    def complete(self, response: Response) -> Response:
        """An answer with the heads that every one has."""
        complete_headers(response.headers, self.site.settings, self.secrecy)
        return response

    def redirect(self, address: str) -> Response:
        """Lead to another page of the portal, by GET."""
        return self.complete(RedirectResponse(address, 303))


def _language(request: Request, site: Site) -> str:
    """The language that the reader chose, or likes best of those that there are texts in."""
    known = site.languages
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in known:
        return chosen
    best, weight = site.settings.language, 0.0
    for part in request.headers.get("accept-language", "")[:400].split(","):
        name, _, given = part.strip().lower().partition(";q=")
        try:
            given_weight = float(given or 1)
        except ValueError:
            continue
        if (language := name.partition("-")[0]) in known and given_weight > weight:
            best, weight = language, given_weight
    return best
