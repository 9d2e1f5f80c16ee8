"""What axe finds on a page: its findings, and what it could not decide about contrast."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


def findings(page: Page) -> list[str]:
    """Each finding of axe on a page, and each contrast that it could not decide, with where it is.

    What lies behind the texts of a drawing, axe cannot find out: tests/web/test_charts.py computes their contrast.
    """
    page.evaluate(_axe())
    found: dict[str, Any] = page.evaluate(
        "axe.run({exclude: ['svg text']}, {resultTypes: ['violations', 'incomplete']})"
    )
    undecided = [one for one in found["incomplete"] if one["id"] == "color-contrast"]
    return [
        f"{one['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for one in [*found["violations"], *undecided]
        for node in one["nodes"]
    ]
