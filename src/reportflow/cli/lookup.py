"""What is typed as ``package.module:name``, found; or the sentence that says why it is not."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from reportflow.cli.speech import Told, say


@contextmanager
def beside() -> Iterator[None]:
    """Let modules of one's own be imported, beside which the command is typed."""
    sys.path.insert(0, "")
    try:
        yield
    finally:
        sys.path.remove("")


def named(given: str, wrong: str) -> object:
    """The attribute of a module.

    Raises:
        Told: there is no such thing; `wrong` is the code of the sentence around why.
    """
    module, colon, name = given.partition(":")
    if not colon or not module or not name:
        raise Told(say(wrong, given=given, why=say("wrong.no_colon")))
    found: object = imported(module, given, wrong)
    for part in name.split("."):
        found = getattr(found, part, None)
        if found is None:
            raise Told(say(wrong, given=given, why=say("wrong.no_attribute", name=name)))
    return found


def imported(module: str, given: str, wrong: str) -> ModuleType:
    """A module.

    Raises:
        Told: it cannot be imported; the cause is what it raised.
    """
    try:
        with beside():
            return importlib.import_module(module)
    except Exception as error:  # whatever the module does when it is imported
        raise Told(say(wrong, given=given, why=f"{type(error).__name__}: {error}")) from error
