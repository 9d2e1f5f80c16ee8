"""Passwords in database URLs, and in what drivers say, replaced: whatever the spelling, also of what is no URL.

What is replaced is rather too much than too little: of a mistyped URL nobody can say where its password ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

#: What stands for a password.
REDACTED: Final = "***"

# Patterns are compiled, and what else it needs is imported, when the first error is made: most programs see none.
#: The user, and a colon: what follows is a password up to the last ``@``, which may be in it.
_USER: Final = r"(?i)(\w[\w+.\-]*:/{1,2}(?!/)[^\s:/'\"]*?(?::|%3a))"
_IN_URL: Final = _USER + r"(?s:.*)(@|%40)"
_IN_TEXT: Final = _USER + r"\S*(@|%40)"
#: Without slashes behind the scheme, or without a scheme.
_WITHOUT_SLASHES: Final = r"(?is)\A((?:\w[\w+.\-]*:)?[^\s:/@'\"]+(?::|%3a))(?!//).*(@|%40)"
#: Without a host: what is behind the colon is no port.
_WITHOUT_HOST: Final = r"(\w[\w+.\-]*:/{1,2}[^\s:/@\[\]]+:)(?!\d*(?:[/?#\s]|$))[^\s/?#]+"
#: The name of a value, as in the query of a URL, or in the words of a driver; it may be percent-encoded.
_NAME: Final = r"""(?i)([\w%.\-]+?)(?:["']?\s*(?:=|%3d)|["']\s*:)\s*"""
_VALUE: Final = r"""'(?:[^'\\]|\\.)*'|"[^"]*"|[^&;,\s'"]+"""
_SECRET: Final = "(?i)pass|pwd|secret|token"


def redacted(url: str) -> str:
    """A database URL, or what should be one, without what is or may be a password in it."""
    url = _without_secrets(url)
    found, number = re.subn(_IN_URL, rf"\1{REDACTED}\2", url)
    if not number:
        found, number = re.subn(_WITHOUT_SLASHES, rf"\1{REDACTED}\2", url)
    if not number:
        found = re.sub(_WITHOUT_HOST, rf"\1{REDACTED}", url)
    return found


def redacted_text(text: str, secrets: Iterable[str] = ()) -> str:
    """A text, such as what a driver says, without the passwords of URLs in it, and without these.

    Args:
        text: Any text.
        secrets: Passwords that are known; a very short one is replaced only where it is a word of its own.
    """
    from urllib.parse import quote, quote_plus

    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        spellings = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), repr(secret)[1:-1]}
        for spelling in sorted(spellings, key=len, reverse=True):
            edge = "" if len(secret) > 3 else r"\b"
            text = re.sub(f"{edge}{re.escape(spelling)}{edge}", REDACTED, text)
    return re.sub(_IN_TEXT, rf"\1{REDACTED}\2", _without_secrets(text))


def is_secret(name: str) -> bool:
    """Whether the value of this name is to be replaced."""
    return re.search(_SECRET, name) is not None


def _without_secrets(text: str) -> str:
    """A text without the values whose names say that they are secret."""
    from urllib.parse import unquote_plus

    kept, end = [], 0
    for name in re.finditer(_NAME, text):
        value = re.compile(_VALUE).match(text, name.end())
        if name.start() >= end and value is not None and is_secret(unquote_plus(name[1])):
            kept += [text[end : value.start()], REDACTED]
            end = value.end()
    return "".join([*kept, text[end:]])
