"""The conformance suite run in this process: for stores that no other process could import."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reportflow.testing import ConformanceReport
from reportflow.testing.conformance.session import Subject, run


def session(factory: Callable[[], Any], *tests: str, **given: Any) -> ConformanceReport:
    """The report of some tests of the suite on the stores of a factory; of all of them where none is named."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        patch.delenv("PYTEST_ADDOPTS", raising=False)
        return ConformanceReport(run(Subject(factory=factory, **given), tests or None))
