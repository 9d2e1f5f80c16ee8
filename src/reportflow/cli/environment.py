"""The language that the environment asks for; needs no extra, for the sentence that names the missing one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from reportflow.i18n.catalog import CHINESE, ENGLISH

LANGUAGES: Final = (ENGLISH, CHINESE)


def language_of_environment(environment: Mapping[str, str] | None = None) -> str:
    """Chinese where the locale is, else English; ``REPORTFLOW_LANGUAGE`` decides where it is set."""
    given = os.environ if environment is None else environment
    if given.get("REPORTFLOW_LANGUAGE") in LANGUAGES:
        return given["REPORTFLOW_LANGUAGE"]
    named = (given.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return CHINESE if next(filter(None, named), "").lower().startswith("zh") else ENGLISH
