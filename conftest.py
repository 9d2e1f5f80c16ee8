"""The Python snippets of README.md, README.zh-CN.md and of the docs are tests: what is shown is run.

The snippets of one page share their names and run in order, in an empty folder of their own. A snippet that is not
run has the line `<!--- skip: next -->` before it, such as one that shows a part of a file: see docs/shown.py.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import tempfile
import threading
from types import FrameType
from typing import Any, cast

import pytest
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser, SkipParser

PAGE = "reportflow_page"
"""The module that a snippet's classes are from: the same on each page, so that pages may repeat a class."""

_around = contextlib.ExitStack()


class Page:
    """What stands for the module: its attributes are the page's names."""


def enter_page(namespace: dict[str, Any]) -> None:
    """Give a page an empty folder, and make its names those of a module, as a script's are."""
    _around.enter_context(contextlib.chdir(_around.enter_context(tempfile.TemporaryDirectory())))
    namespace["__name__"] = PAGE
    page = Page()
    page.__dict__ = namespace
    sys.modules[PAGE] = cast(Any, page)


def leave_page(namespace: dict[str, Any]) -> None:
    """Go back, and take away the folder and the module."""
    del sys.modules[PAGE]
    namespace.clear()
    _around.close()


def pytest_report_header() -> str:
    """Say which reportflow is tested: the tree's or an installed one."""
    spec = importlib.util.find_spec("reportflow")
    return f"reportflow: {spec.origin if spec else 'not installed'}"


_kept: list[object] = []
"""The main greenlets of all threads of a session that measures coverage."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Where coverage is measured, keep the main greenlet of each thread until the end.

    Coverage has a weak reference to it, whose callback would run when the thread has ended: in a pending call of the
    main thread. If another thread ends at that moment, Python 3.11 with a trace function never comes back from there,
    and no timeout ends it.
    """
    installed: Any = threading.gettrace()
    if installed is None:
        return
    getcurrent = importlib.import_module("greenlet").getcurrent  # it has no types

    def install(frame: FrameType, event: str, argument: Any) -> Any:
        _kept.extend([getcurrent()] * 2)  # for one reference alone greenlet would search all objects for its holder
        return installed(frame, event, argument)

    threading.settrace(install)


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "README.zh-CN.md", "docs/*.md", "docs/*/*.md", "docs/*/*/*.md"],
    setup=enter_page,
    teardown=leave_page,
).pytest()
