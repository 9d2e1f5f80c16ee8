"""The one place where text becomes HTML that is not escaped again. All that a person wrote is escaped here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from markupsafe import Markup, escape

from reportflow.i18n.catalog import CHINESE


def element(tag: str, attributes: Mapping[str, object] | None = None, *content: object) -> Markup:
    """An element: attributes and content are escaped, but for content that is `Markup` already.

    An attribute that is None or False is left out, one that is True has no value.
    """
    written = "".join(
        f" {name}" if value is True else f' {name}="{escape(value)}"'
        for name, value in (attributes or {}).items()
        if value is not None and value is not False
    )
    return Markup(f"<{tag}{written}>") + Markup().join(escape(one) for one in content) + Markup(f"</{tag}>")


def joined(parts: Iterable[object]) -> Markup:
    """Several parts one after another, each escaped unless it is `Markup`."""
    return Markup().join(escape(one) for one in parts)


def paragraphs(text: str) -> Markup:
    """A text as paragraphs, one a line; blank lines are left out."""
    return joined(element("p", None, line) for line in map(str.strip, text.split("\n")) if line)


def marked(text: str, found: Iterable[str], *, around: int | None = None) -> Markup:
    """A text with the places marked where others are found, whatever the case of their letters.

    Args:
        text: The text.
        found: What is looked for.
        around: Only so many characters before and after the first place; None: all of it.
    """
    sought = [re.escape(one) for one in found if one.strip()]
    pattern = re.compile("|".join(sought), re.IGNORECASE) if sought else None
    cut, more_before, more_after = text, "", ""
    if around is not None:
        first = pattern.search(text) if pattern else None
        start = max(0, first.start() - around) if first else 0
        end = (first.end() if first else 0) + around
        cut, more_before, more_after = text[start:end], "…" * (start > 0), "…" * (end < len(text))
    parts: list[object] = [more_before]
    place = 0
    for one in pattern.finditer(cut) if pattern else ():
        parts += [cut[place : one.start()], element("mark", None, one[0])]
        place = one.end()
    return joined([*parts, cut[place:], more_after])


#: Chinese characters, and the kana of Japanese, which is not Chinese.
_HAN, _KANA = re.compile("[\u3400-\u9fff]"), re.compile("[\u3040-\u30ff]")
#: A word, rather than the letters of a number or a name of a file.
_WORD = re.compile("[a-z]{3}")


def language_of(text: str, *, language: str) -> str:
    """The language of a text as HTML says it, where it is another one than the page's; blank where it is the same.

    Chinese is known by its characters. On a Chinese page a text of words in plain Latin letters alone is English.
    """
    if _KANA.search(text):
        return ""
    if language != CHINESE:
        return "zh-Hans" if _HAN.search(text) else ""
    return "en" if _WORD.search(text) and all(one.isascii() for one in text if one.isalpha()) else ""


def lang_of(text: str, *, language: str) -> Markup:
    """The attribute that a text has on a page of another language, so that it gets fonts and a voice of its own."""
    found = language_of(text, language=language)
    return Markup(' lang="{}"').format(found) if found else Markup()
