"""The portal's own addresses: paths only, behind whatever prefix it is mounted under.

A name that stands in a path (an id, a trigger, a kind) may hold any character. All but the unreserved ones are written
as ``~`` and two hexadecimal digits a byte: a host's router and a proxy leave that as it is, whereas they decode, merge
or refuse what is written with ``%``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import quote, quote_plus, unquote, urlencode

_ESCAPED: Final = re.compile(r"~([0-9A-Fa-f]{2})")
#: As a client that is no page writes it, too.
_SENT: Final = re.compile(r"[~%]([0-9A-Fa-f]{2})")
#: How many parts the prefix of a mount has at the most.
_DEPTH: Final = 32
#: A name that stands in a path as it is.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]*[A-Za-z0-9_-]")
_KEPT: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")

#: A text as it stands in a parameter. The addresses of one list are written again and again.
_value: Final = lru_cache(512)(quote_plus)
#: The value of one parameter: a text, or several.
Given = str | int | None | Iterable[str]


def written(name: str) -> str:
    """A name as one part of a path."""
    if _PLAIN.fullmatch(name):
        return name
    bare = "".join(one if one in _KEPT else "".join(f"~{byte:02X}" for byte in one.encode()) for one in name)
    return bare.replace(".", "~2E") if not bare.strip(".") else bare


def read(part: str) -> str:
    """The name that a part of a path stands for; what is no text becomes a name that nothing has."""
    latin = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), part)
    try:
        return latin.encode("latin-1").decode()
    except UnicodeError:
        return part.encode("utf-8", "replace").decode()


def as_sent(path: str, raw: bytes | None) -> str:
    """A path inside the portal whose names are all written with ``~``, where the server says how the path was sent.

    A server decodes what was written with ``%``, a slash in a name too. A program that writes a name as
    ``urllib.parse.quote(name, safe="")`` is understood all the same, where it writes ``~`` itself as ``%7E``.

    Args:
        path: The path, decoded.
        raw: The whole path as it was sent, the prefix of a mount included; None where the server does not say it.
    """
    sent = (raw or b"").partition(b"?")[0].decode("latin-1")
    if "%" not in sent:
        return path
    wanted, parts = path.strip("/"), sent.strip("/").split("/")
    decoded = [unquote(part) for part in parts]
    for first in range(min(len(parts), _DEPTH)):
        if "/".join(decoded[first:]).strip("/") == wanted:
            return "/" + "/".join(_SENT.sub(lambda found: f"~{found[1].upper()}", part) for part in parts[first:])
    return path


def query_text(query: Mapping[str, Given]) -> str:
    """Parameters as they stand behind the question mark; what is None or blank is left out."""
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        several = [value] if isinstance(value, str | int) else () if value is None else value
        pairs += [(name, str(one)) for one in several if one != ""]
    return "&".join([f"{_value(name)}={_value(value)}" for name, value in pairs])


def quoted(path: str) -> str:
    """A path as it stands in an address; what an address cannot hold is written with ``%``."""
    return quote(path.encode("utf-8", "replace"), safe="/~-._:@!$&'()*+,;=")


def with_next(address: str, following: str) -> str:
    """An address of the host's, and which page is to follow."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode({'next': following})}"


class Urls:
    """Writes addresses behind a prefix, such as ``/office``."""

    __slots__ = ("prefix",)

    def __init__(self, prefix: str) -> None:
        self.prefix: str = prefix

    def to(self, *parts: str, fragment: str = "", **query: Given) -> str:
        """The address of a page: its parts are names, and its query's parameters texts.

        ``to("r", record.id, "do", trigger, from_="/find")``: a ``_`` at the end of a parameter's name is left out.
        """
        path = self.prefix + "/" + "/".join(map(written, parts))
        text = query_text({name.removesuffix("_"): value for name, value in query.items()}) if query else ""
        return path + (f"?{text}" if text else "") + (f"#{fragment}" if fragment else "")

    def own(self, address: str | None, default: str) -> str:
        """An address that a request gave, where it is one of the portal's; else the default.

        What leads elsewhere is none: another host, a scheme, a backslash, a control character.
        """
        given = address or ""
        inside = given.startswith(f"{self.prefix}/") and not given.startswith("//")
        plain = given.isprintable() and "\\" not in given
        path = unquote(re.split("[?#]", given)[0])
        return given if inside and plain and not {"..", "."} & set(path.split("/")) else default


def mounted(path: str, root: str, prefix: str | None) -> tuple[str, str]:
    """Where a portal is mounted, and the path inside it, of what a server or host says.

    Hosts differ (see `Settings.prefix`): some leave the path whole and name the mount in the root, some strip it, some
    do both behind a proxy that strips another part.

    Returns:
        The prefix of all addresses, without a slash at its end, and the own path, with one slash at its start and none
        at its end.
    """
    root = "/" + root.strip("/") if root.strip("/") else ""
    if prefix is not None:
        base = root if root.endswith(prefix) else root + prefix
        strips: tuple[str, ...] = (base, prefix)
    else:
        base = root
        # the longest tail of the root that starts the path: of "/proxy/office" perhaps "/office"
        slashes = [place for place, one in enumerate(root) if one == "/"]
        strips = tuple(root[place:] for place in slashes)
    path = "/" + path.lstrip("/")
    for strip in strips:
        if strip and (path == strip or path.startswith(f"{strip}/")):
            path = path[len(strip) :]
            break
    own = "/" + path.strip("/")
    return base, own
