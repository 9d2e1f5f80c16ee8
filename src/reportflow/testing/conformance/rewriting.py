"""What must be so before a part of the suite is imported: pytest is there, and asserts are statements that it shows."""

from __future__ import annotations

from typing import Final

from reportflow.errors import MissingExtra
from reportflow.testing.broken import SuiteRefused

try:
    import pytest
except ImportError as _error:
    raise MissingExtra("pytest", "reportflow[testing]") from _error

if not __debug__:
    raise SuiteRefused("refused.optimized")

_ASSERTING: Final = (
    "chance",
    "commit",
    "count",
    "edges",
    "feed",
    "files",
    "find",
    "handles",
    "read",
    "restore",
    "sight",
    "threads",
    "whole",
)


def rewrite_asserts() -> None:
    """Let pytest show both sides of a failed comparison of the suite: before any part of it is imported."""
    pytest.register_assert_rewrite(
        *(f"reportflow.testing.conformance.{part}" for part in _ASSERTING), "reportflow.testing.machine"
    )
