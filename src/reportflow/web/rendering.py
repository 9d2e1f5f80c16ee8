"""The templates: every one escapes, and a name that is not there is an error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

_OWN: Final = Path(__file__).parent / "templates"


def environment(folders: Sequence[Path]) -> Environment:
    """The templates of the portal, behind those of a host, which may extend the portal's as ``reportflow/…``."""
    own = FileSystemLoader(_OWN)
    loader = ChoiceLoader([*map(FileSystemLoader, folders), PrefixLoader({"reportflow": own}), own])
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.do"],
    )
