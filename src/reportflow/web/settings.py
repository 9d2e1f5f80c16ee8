"""What a host may choose of its portal, checked when the portal is built."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import attrs
from starlette.requests import Request

from reportflow.errors import InvalidValue
from reportflow.i18n.catalog import ENGLISH
from reportflow.model.actor import Actor, Secrecy, as_secrecy
from reportflow.model.checks import type_problem
from reportflow.model.values import as_texts

#: Who is asking, or None where nobody has signed in: the host's answer, once a request. It may be a coroutine function.
Authenticate = Callable[[Request], Actor | None] | Callable[[Request], Awaitable[Actor | None]]

MEGABYTE: Final = 1024 * 1024

#: A path of the same host: no second slash or backslash, which browsers take for the beginning of another host.
_PATH: Final = re.compile(r"/(?![/\\])[^\s\\\x00-\x1f]*")
_ADDRESS: Final = re.compile(r"https?://[^\s\\\x00-\x1f]+")
_ORIGIN: Final = re.compile(r"https?://[^\s/?#]+")
_ANCESTORS: Final = re.compile(r"[!-+\--:<-~ ]+")


def _prefix(value: str | None) -> str | None:
    """A path without a slash at its end."""
    return None if value is None else "/" + value.strip("/") if value.strip("/") else ""


def _folders(value: str | Path | Iterable[str | Path]) -> tuple[Path, ...]:
    return (Path(value),) if isinstance(value, str | Path) else tuple(map(Path, value))


def _frozen(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(value))


@attrs.frozen(kw_only=True)
class Settings:
    """What a host may choose.

    Attributes:
        title: The name of the office, in the head of each page: one text, or one for each language.
        prefix: Where the portal is mounted, such as ``/office``, for a host that does not say it in ``root_path``
            (Litestar); None: the host says it.
        language: The language for a reader who asks for none that there are texts in.
        sign_in: The host's address for signing in, a path: who is not signed in is led there, with ``?next=``, the
            address to go on to. The host sees to it that this is a path of its own before it goes there.
        sign_out: The host's address for signing out, a path to which a form is posted.
        trusted_origins: Other origins whose forms are taken, such as ``https://office.example``, for a proxy that
            rewrites the header Host.
        frame_ancestors: Which sites may show the portal in a frame, as the policy of that name says it.
        templates: Folders with templates of the host's that take the place of the portal's of the same name. One of
            them can extend the portal's by ``{% extends "reportflow/base.html" %}``.
        stylesheets: Paths of the host's stylesheets, after the portal's: for colours and fonts, see `portal.css`.
        links: More links in the head: path or address -> text, or a text for each language.
        secret: The key of the signatures of forms and cursors; one that is made once and kept in the portal's own
            table unless given.
        timeout: How many seconds `authenticate` and a call of the flow may take.
        threads: How many calls of a blocking flow run at once.
        max_body: How many bytes a request may have.
        rate: How many requests a person may send in a minute, in one process; None: any number.
        browser_drafts: The highest secrecy of a record whose drafts a browser may keep; None: none are kept there.
        figures: kind -> the declarations of its yearly figures; those of this library unless given. A kind without any
            is counted by trigger and state.
        secure: Whether cookies are sent over https only; None: as the request came.
    """

    title: str | Mapping[str, str] = ""
    prefix: str | None = attrs.field(default=None, converter=_prefix)
    language: str = ENGLISH
    sign_in: str | None = None
    sign_out: str | None = None
    trusted_origins: Sequence[str] = attrs.field(default=(), converter=as_texts)
    frame_ancestors: str = "'none'"
    templates: tuple[Path, ...] = attrs.field(default=(), converter=_folders)
    stylesheets: Sequence[str] = attrs.field(default=(), converter=as_texts)
    links: Mapping[str, str | Mapping[str, str]] = attrs.field(factory=dict, converter=_frozen)
    secret: bytes | None = attrs.field(default=None, repr=False)
    timeout: float = 10.0
    threads: int = 8
    max_body: int = 20 * MEGABYTE
    rate: int | None = 600
    browser_drafts: Secrecy | None = attrs.field(
        default=Secrecy.INTERNAL, converter=attrs.converters.optional(as_secrecy)
    )
    figures: Mapping[str, Any] | None = None
    secure: bool | None = None

    def __attrs_post_init__(self) -> None:
        own = [
            ("sign_in", self.sign_in),
            ("sign_out", self.sign_out),
            *(("stylesheets", one) for one in self.stylesheets),
        ]
        for name, given in own:
            if given is not None and not _PATH.fullmatch(given):
                raise InvalidValue(name, *type_problem("a path that begins with one slash", given))
        for given in self.links:
            if not _PATH.fullmatch(given) and not _ADDRESS.fullmatch(given):
                raise InvalidValue("links", *type_problem("a path that begins with one slash, or an address", given))
        for given in self.trusted_origins:
            if not _ORIGIN.fullmatch(given):
                raise InvalidValue("trusted_origins", *type_problem("an origin such as https://office.example", given))
        if not _ANCESTORS.fullmatch(self.frame_ancestors):
            raise InvalidValue("frame_ancestors", *type_problem("sources of a policy", self.frame_ancestors))
        if self.secret is not None and (not isinstance(self.secret, bytes) or len(self.secret) < 16):
            raise InvalidValue("secret", *type_problem("at least 16 bytes", "fewer"))
        for name, value in (("timeout", self.timeout), ("threads", self.threads), ("max_body", self.max_body),
                            ("rate", self.rate)):  # fmt: skip
            if value is not None and not value > 0:
                raise InvalidValue(name, *type_problem("a number above 0", value))
        missing = [one for one in self.templates if not one.is_dir()]
        if missing:
            raise InvalidValue("templates", *type_problem("a folder", str(missing[0])))
