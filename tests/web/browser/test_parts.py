"""Parts of pages in a browser, in both languages, on a phone and at a desk: the masthead, the list, long choices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from reportflow import Actor, open_flow
from reportflow.office import Author, Comment, Report, Revision
from tests.web.browser.axe import findings
from tests.web.browser.conftest import Served, Someone

CHEN = Actor(id="chen", name="陈静", post="文书", roles={"contributor", "editor", "reviewer", "registrar"}, unit="u")


@pytest.fixture
def office(serve: Callable[..., Served]) -> tuple[Served, list[str]]:
    """An office with three reports, and their ids, the last one first."""
    flow = open_flow("memory:")
    made = [
        flow.create(Report.draft(title=title, text="八盏不亮。", authors=[Author(name="钱学礼")]), by=CHEN)
        for title in ("路灯不亮", "Dark lamps", "校门口拥堵")
    ]
    flow.fire(made[1].id, "edit", Revision(text="Eight are dark.\nReplace them."), by=CHEN)
    flow.fire(made[1].id, "comment", Comment(text="已核实。"), by=CHEN)
    ids = [one.id for one in reversed(made)]
    return serve(flow, {"chen": CHEN}, title={"zh": "榆林市政协", "en": "Yulin"}), ids


def judged(page: Page, shots: Path, name: str) -> None:
    """Axe finds nothing, nothing is wider than the screen; and there is a picture."""
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.screenshot(path=shots / f"part-{name}.png", full_page=True)


@pytest.mark.parametrize("phone", [False, True])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_record_is_printed_under_the_masthead(
    office: tuple[Served, list[str]], someone: Callable[..., Someone], shots: Path, language: str, phone: bool
) -> None:
    """On paper the head of the office stands over the title, on its red line; on the screen only the paper has it."""
    served, ids = office
    person = someone(served, "chen", language=language, phone=phone)
    page = person.go(f"/r/{ids[1]}/print")
    expect(page.locator(".masthead")).to_be_visible()
    judged(page, shots, f"print-{language}-{phone}")
    page = person.go(f"/r/{ids[1]}")
    expect(page.locator(".masthead")).to_be_hidden()
    page.emulate_media(media="print")
    expect(page.locator(".masthead")).to_be_visible()
    expect(page.locator("header .top")).to_be_hidden()
    line = page.locator(".masthead-line")
    assert line.evaluate("one => getComputedStyle(one).borderBottomColor") == "rgb(192, 0, 0)"
    assert "Georgia" in page.locator(".paper").first.evaluate("one => getComputedStyle(one).fontFamily")
    head, title = page.locator(".masthead").bounding_box(), page.locator("h1").bounding_box()
    assert head
    assert title
    assert head["y"] + head["height"] <= title["y"]
    page.screenshot(path=shots / f"part-paper-{language}-{phone}.png", full_page=True)


@pytest.mark.parametrize("script", [False, True])
@pytest.mark.parametrize(("language", "words"), [("zh-CN", ("上一件", "下一件")), ("en", ("Previous", "Next"))])
def test_a_list_is_gone_through(
    office: tuple[Served, list[str]],
    someone: Callable[..., Someone],
    shots: Path,
    language: str,
    words: tuple[str, str],
    script: bool,
) -> None:
    """From the list to a record, on to the next one, back, and after the last one to the list, without script too."""
    served, _ = office
    page = someone(served, "chen", language=language, phone=True, script=script).go("/find")
    before, after = words
    page.locator("table.records a").first.click()
    expect(page.locator("h1")).to_have_text("校门口拥堵")
    expect(page.get_by_role("link", name=before, exact=True)).to_have_count(0)
    for title in ("Dark lamps", "路灯不亮"):
        page.get_by_role("link", name=after, exact=True).click()
        expect(page.locator("h1")).to_have_text(title)
    page.get_by_role("link", name=before, exact=True).click()
    expect(page.locator("h1")).to_have_text("Dark lamps")
    if script:
        judged(page, shots, f"record-{language}")
    for _ in range(2):
        page.get_by_role("link", name=after, exact=True).click()
    expect(page.locator("table.records")).to_be_visible()


@pytest.mark.parametrize("phone", [False, True])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_what_is_erased_is_chosen_with_a_finger(
    office: tuple[Served, list[str]], someone: Callable[..., Someone], shots: Path, language: str, phone: bool
) -> None:
    """The boxes fit the screen and are reached by the summary of what is wrong; an English text looks English."""
    served, ids = office
    page = someone(served, "chen", language=language, phone=phone).go(f"/r/{ids[1]}/do/erase")
    judged(page, shots, f"erase-{language}-{phone}")
    page.locator('[name="_reason"]').fill("本人要求")
    page.locator("form.act button.primary").last.click()
    page.locator('#summary a[href="#f-fields-0"]').click()
    expect(page.locator("#f-fields-0")).to_be_focused()
    text = page.locator(".aside .paper")
    assert text.get_attribute("lang") == ("en" if language == "zh-CN" else None)
    assert text.locator("p").first.evaluate("one => getComputedStyle(one).textIndent") == "0px"
    assert "PingFang" not in text.evaluate("one => getComputedStyle(one).fontFamily")
    page.locator('[name="fields"][value="comment.text"]').check()
    page.locator("form.act button.primary").last.click()
    expect(page.locator(".banner-good")).to_be_visible()
