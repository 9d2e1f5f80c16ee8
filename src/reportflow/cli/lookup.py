"""Finds what is typed as ``package.module:name``, or fails with a sentence that says why not."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from reportflow.cli.translation import CommandFailed, text
from reportflow.i18n.catalog import STANDARD
from reportflow.lifecycle.definition import Lifecycle
from reportflow.office.report import REPORT


@contextmanager
def current_folder_importable() -> Iterator[None]:
    """Let modules of the folder in which the command is typed be imported."""
    sys.path.insert(0, "")
    try:
        yield
    finally:
        sys.path.remove("")


def find_object(given: str, wrong: str) -> object:
    """The attribute of a module; where there is none, `CommandFailed` with the text `wrong` around the reason."""
    module, colon, name = given.partition(":")
    if not colon or not module or not name:
        raise CommandFailed(text(wrong, given=given, why=text("wrong.no_colon")))
    found: object = find_module(module, given, wrong)
    for part in name.split("."):
        found = getattr(found, part, None)
        if found is None:
            raise CommandFailed(text(wrong, given=given, why=text("wrong.no_attribute", name=name)))
    return found


def find_lifecycle(given: str) -> Lifecycle:
    """The lifecycle of that name, as above; the report's where none is given."""
    if not given:
        return REPORT
    found = find_object(given, "wrong.lifecycle")
    if not isinstance(found, Lifecycle):
        kind = type(found).__name__
        raise CommandFailed(text("wrong.lifecycle", given=given, why=text("wrong.not_a_lifecycle", kind=kind)))
    return found


def called(lifecycle: Lifecycle, room: str, name: str) -> set[str]:
    """A name of a table, and what people call it in each language: each of them may be typed."""
    return {name, *(lifecycle.label_of(room, name, language) for language in STANDARD.languages())}


def find_module(module: str, given: str, wrong: str) -> ModuleType:
    """A module; where it cannot be imported, `CommandFailed` as above, whose cause is what it raised."""
    try:
        with current_folder_importable():
            return importlib.import_module(module)
    except Exception as error:  # whatever the module does when it is imported
        raise CommandFailed(text(wrong, given=given, why=f"{type(error).__name__}: {error}")) from error
