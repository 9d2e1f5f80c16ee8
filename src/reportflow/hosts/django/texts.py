"""The texts of this application, in the language that Django has active."""

from __future__ import annotations

from typing import Any

from django.utils.functional import lazy
from django.utils.translation import get_language

from reportflow.i18n.catalog import CHINESE, ENGLISH, STANDARD


def language() -> str:
    """The language of the catalog that is nearest to the one active."""
    return CHINESE if (get_language() or "").startswith(CHINESE) else ENGLISH


def text(code: str, **facts: object) -> str:
    """A text of this application."""
    return STANDARD.text(f"django.{code}", language(), facts)


#: The same, in the language that is active when it is shown.
lazy_text: Any = lazy(text, str)
