"""The templates: every one escapes, and a name that is not there is an error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from jinja2.runtime import Context

_OWN: Final = Path(__file__).parent / "templates"


def environment(folders: Sequence[Path]) -> Environment:
    """The templates of the portal, behind those of a host, which may extend the portal's as ``reportflow/…``."""
    own = FileSystemLoader(_OWN)
    loader = ChoiceLoader([*map(FileSystemLoader, folders), PrefixLoader({"reportflow": own}), own])
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.do"],
    )
    made.context_class = _DirectContext
    return made


class _DirectContext(Context):
    """What a template calls is called at once.

    Jinja looks each time whether it wants the context beside its arguments, which takes a third of the time of a page;
    here that is only asked of what is marked so itself.
    """

    def call(
        self, obj: Callable[..., Any], /, *args: Any, _block_vars: Any = None, _loop_vars: Any = None, **named: Any
    ) -> Any:
        """The result of a call in a template."""
        if hasattr(obj, "jinja_pass_arg"):
            return super().call(obj, *args, _block_vars=_block_vars, _loop_vars=_loop_vars, **named)
        return obj(*args, **named)
