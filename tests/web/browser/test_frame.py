"""The frame in a browser: readable, silent, in both languages and looks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reportflow import Actor, open_flow
from reportflow.office import Author, Report
from tests.web.browser.axe import findings
from tests.web.browser.conftest import Served, Someone

LI = Actor(id="li", name="李娜", post="编辑", roles={"contributor", "editor"}, unit="u")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_axe_finds_nothing(
    serve: Callable[..., Served], someone: Callable[..., Someone], language: str, dark: bool
) -> None:
    """Axe has no finding, and decides about each contrast."""
    flow = open_flow("memory:")
    flow.create(Report.draft(title="亮灯", text="八盏。", authors=[Author(name="钱")]), by=LI)
    page = someone(serve(flow, {"li": LI}), "li", language=language, dark=dark).go()
    assert findings(page) == []
