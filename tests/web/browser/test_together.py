"""People meeting each other in browsers: nothing typed is lost, nothing is done twice, nothing hostile runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest
from playwright.sync_api import Dialog, Page, expect

from reportflow import Actor, Details, ReportFlow, Secrecy, open_flow
from reportflow.model.attachment import Attachment
from reportflow.office import REPORT, Author, Classification, Comment, Report, Revision
from tests.web.browser.conftest import Served, Someone

TITLE = "关于增设路灯的建议"
TEXT = "第一句话。第二句话。第三句话。"
#: Long enough for a field of its own on the page of an expired session.
TYPED = "由市城管局牵头，年内在老城区十二条背街小巷增设路灯，并由属地街道公布安装时间表。"
LI = Actor(id="li", name="李娜", post="编辑", roles={"contributor", "editor", "registrar"}, unit="u")
WANG = Actor(id="wang", name="王强", post="科长", roles={"editor", "reviewer"}, unit="u")
SUN = Actor(id="sun", name="孙立民", roles={"contributor", "editor"}, unit="u", clearance=Secrecy.SECRET)
#: The links to drafts that the server has.
OFFERED = '.banner a[href^="?draft="]'
#: What a browser would run, were it not shown as text.
HOSTILE = (
    "javascript:alert(1)//\"'></textarea></title><script>alert(2)</script><svg onload=alert(3)>"
    "<img src=x onerror=alert(4)>{{ 7 * 7 }}' onfocus='alert(5)' autofocus='"
)
#: What stands in no page of the portal.
HARM = "main script, main img, main svg[onload], [onerror], [onload], [onfocus], [autofocus], a[href^='javascript:' i]"

Serve = Callable[..., Served]
Sit = Callable[..., Someone]


@pytest.fixture
def flow() -> Iterator[ReportFlow]:
    """A flow in memory."""
    with open_flow("memory:", zone="Asia/Shanghai", people={one.id: one for one in (LI, WANG, SUN)}) as flow:
        yield flow


def everybody() -> dict[str, Actor]:
    """Who can sign in."""
    return {one.id: one for one in (LI, WANG, SUN)}


def report(flow: ReportFlow, **more: Any) -> str:
    """A report that was submitted; its id."""
    draft = Report.draft(title=TITLE, text=TEXT, authors=[Author(name="钱伟")], **more)
    return flow.create(draft, by=SUN).id


def editing(id: str) -> str:
    """The form in which a report is edited."""
    return f"/r/{id}/do/edit"


def text_of(page: Page) -> str:
    """What stands in the field of the text."""
    return page.locator('form.act [name="text"]').input_value()


def write(page: Page, text: str) -> None:
    """Type another text into a form; a script does not wait for its times, which `pass_by` lets pass."""
    page.locator('form.act [name="text"]').fill(text)


def pass_by(page: Page, seconds: int = 5) -> None:
    """Let time pass for the scripts of a page."""
    page.clock.run_for(seconds * 1000)


def send(page: Page) -> None:
    """Press the button of a form."""
    page.locator("form.act button.primary").click()


def kept_here(page: Page) -> str:
    """All that the browser keeps for the portal."""
    found: str = page.evaluate("JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage})")
    return found


def kept_there(page: Page) -> None:
    """Wait until the server has what was typed."""
    pass_by(page)
    expect(page.locator("[data-status]")).to_contain_text("已暂存")


def receipt(page: Page) -> None:
    """That the act was done."""
    expect(page).to_have_url(re.compile("/receipt/"))


def now(flow: ReportFlow, id: str) -> Report:
    """The report as it is."""
    return flow.get(id, by=SUN, type=Report)


# -- nothing typed is lost ------------------------------------------------------------------------------------------


def test_a_text_survives_an_expired_session(flow: ReportFlow, serve: Serve, someone: Sit) -> None:
    """Who sends a form after their session expired finds the text on the page, and sends it after signing in again."""
    id, people = report(flow), everybody()
    page = someone(serve(flow, people), "li").go(editing(id))
    write(page, TYPED)
    gone = people.pop("li")
    with page.expect_response(lambda answer: answer.request.method == "POST" and "/do/" in answer.url) as answered:
        send(page)
    assert answered.value.status == 401
    assert text_of(page) == TYPED
    send(page)
    assert text_of(page) == TYPED
    people["li"] = gone
    send(page)
    receipt(page)
    assert now(flow, id).text == TYPED


def test_a_text_is_back_after_an_expired_session_that_was_left(flow: ReportFlow, serve: Serve, someone: Sit) -> None:
    """Who leaves the page of an expired session finds the text in the form, after signing in again."""
    id, people = report(flow), everybody()
    li = someone(serve(flow, people), "li")
    page = li.go(editing(id))
    write(page, TYPED)
    gone = people.pop("li")
    send(page)
    expect(page.locator("h1")).to_contain_text("登录已过期")
    people["li"] = gone
    assert text_of(li.go(editing(id))) == TYPED


@pytest.mark.parametrize("waited", [True, False], ids=["kept", "at-once"])
def test_a_text_is_back_when_the_page_is_opened_again(
    flow: ReportFlow, serve: Serve, someone: Sit, waited: bool
) -> None:
    """What was typed and not sent is offered in another tab, also where the page was closed at once."""
    id = report(flow)
    li = someone(serve(flow, everybody()), "li")
    li.context.clock.install()
    page = li.go(editing(id))
    write(page, TYPED)
    if waited:
        kept_there(page)
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    li.page = li.opened()
    page = li.go(editing(id))
    assert text_of(page) == TEXT
    page.locator("[data-offers] button").click()
    assert text_of(page) == TYPED
    send(page)
    receipt(page)
    assert TYPED not in kept_here(page)
    page = li.go(editing(id))
    assert text_of(page) == TYPED, "it is the text of the report now"
    expect(page.get_by_text("接着写")).to_have_count(0)


def test_a_text_is_back_after_back_and_reload(flow: ReportFlow, serve: Serve, someone: Sit) -> None:
    """What was typed stands in the form after a look at another page and Back, and after a reload."""
    id = report(flow)
    li = someone(serve(flow, everybody()), "li")
    li.context.clock.install()
    page = li.go(editing(id))
    write(page, TYPED)
    page.locator(".lead a").click()
    expect(page).to_have_url(re.compile(f"/r/{id}$"))
    page.go_back()
    assert text_of(page) == TYPED
    write(page, TYPED + "另有一句。")
    page.reload()
    assert text_of(page) == TYPED + "另有一句。"
    expect(page.locator("[data-status]")).to_contain_text("已恢复")
    send(page)
    receipt(page)
    assert now(flow, id).text == TYPED + "另有一句。"


@pytest.mark.parametrize("duplicated", [False, True], ids=["opened", "duplicated"])
def test_two_tabs_keep_a_draft_each(flow: ReportFlow, serve: Serve, someone: Sit, duplicated: bool) -> None:
    """Two tabs of one form do not overwrite each other's drafts, also where one was made as a copy of the other."""
    id = report(flow)
    li = someone(serve(flow, everybody()), "li")
    li.context.clock.install()
    first = li.go(editing(id))
    if duplicated:  # a window that a page opens has the storage of its tab, as a tab that is duplicated has
        with li.context.expect_page() as opened:
            first.evaluate("window.open(location.href)")
        second = opened.value
        second.wait_for_load_state()
    else:
        second = li.opened()
        second.goto(first.url)
    write(first, "甲稿。")
    write(second, "乙稿。")
    kept_there(first)
    kept_there(second)
    assert all(text in kept_here(first) for text in ("甲稿。", "乙稿。"))
    first.reload()
    second.reload()
    assert (text_of(first), text_of(second)) == ("甲稿。", "乙稿。")
    third = li.opened()
    third.goto(first.url)
    expect(third.locator("[data-offers] button")).to_have_count(2)
    found = set()
    for one in range(2):
        third.goto(first.url)
        third.locator(OFFERED).nth(one).click()
        found.add(text_of(third))
    assert found == {"甲稿。", "乙稿。"}


def test_the_draft_of_a_secret_report_is_on_the_server_only(flow: ReportFlow, serve: Serve, someone: Sit) -> None:
    """Of a report above internal nothing lies in the browser; its draft is on the server, and comes back."""
    id = report(flow, secrecy="confidential")
    sun = someone(serve(flow, everybody()), "sun")
    sun.context.clock.install()
    page = sun.go(editing(id))
    write(page, TYPED)
    kept_there(page)
    assert TYPED not in kept_here(page)
    page.close()
    sun.page = sun.opened()
    page = sun.go(editing(id))
    assert text_of(page) == TEXT
    assert TYPED not in kept_here(page)
    page.locator(OFFERED).click()
    assert text_of(page) == TYPED
    send(page)
    receipt(page)
    assert TYPED not in kept_here(page)
    assert now(flow, id).text == TYPED


def test_a_secret_text_is_kept_when_the_page_is_left_at_once(flow: ReportFlow, serve: Serve, someone: Sit) -> None:
    """What was typed into the form of a secret report, and left before it was saved, is on the server all the same."""
    id = report(flow, secrecy="confidential")
    sun = someone(serve(flow, everybody()), "sun")
    sun.context.clock.install()
    page = sun.go(editing(id))
    write(page, TYPED)
    for _ in range(20):  # what is sent when a page is left comes when it comes
        if sun.go("/drafts").locator(".timeline a").count():
            break
    page.locator(".timeline a").click()
    assert text_of(page) == TYPED
    assert TYPED not in kept_here(page)


def test_a_new_report_that_becomes_secret_leaves_the_browser(flow: ReportFlow, serve: Serve, someone: Sit) -> None:
    """When the form of a new report says that it is secret, what the browser had kept of it is removed."""
    sun = someone(serve(flow, everybody()), "sun")
    sun.context.clock.install()
    page = sun.go("/new/report/create")
    write(page, TYPED)
    kept_there(page)
    assert TYPED in kept_here(page)
    secrecy = page.locator('form.act [name="secrecy"]')
    if secrecy.first.evaluate("one => one.tagName") == "SELECT":
        secrecy.select_option("secret")
    else:
        page.locator('form.act [name="secrecy"][value="secret"]').check()
    kept_there(page)
    assert TYPED not in kept_here(page)


def test_a_report_that_becomes_secret_leaves_the_browser(flow: ReportFlow, serve: Serve, someone: Sit) -> None:
    """What a browser kept of a report that is secret now is offered once more, and removed."""
    id = report(flow)
    sun = someone(serve(flow, everybody()), "sun")
    sun.context.clock.install()
    page = sun.go(editing(id))
    write(page, TYPED)
    kept_there(page)
    assert TYPED in kept_here(page)
    chief = attrs.evolve(LI, clearance=Secrecy.SECRET)
    flow.fire(id, "classify", Classification(secrecy=Secrecy.SECRET), by=chief)
    page.reload()
    assert TYPED not in kept_here(page)
    page.locator("[data-offers] button").click()
    assert text_of(page) == TYPED
    kept_there(page)
    assert TYPED not in kept_here(page)


# -- one act, once --------------------------------------------------------------------------------------------------


def test_a_double_click_enters_one_act(flow: ReportFlow, serve: Serve, someone: Sit) -> None:
    """A double click on the button does one thing, and Back shows an empty form."""
    id = report(flow)
    page = someone(serve(flow, everybody()), "li").go(f"/r/{id}/do/comment")
    write(page, "请补充数据。")
    page.locator("form.act button.primary").dblclick()
    receipt(page)
    assert [one.trigger for one in flow.history(id, by=SUN)] == ["create", "comment"]
    page.go_back()
    assert text_of(page) == ""
    assert len(flow.history(id, by=SUN)) == 2


def test_the_second_of_two_editors_sees_the_first(flow: ReportFlow, serve: Serve, someone: Sit) -> None:
    """The second to send sees who changed what, finds both texts in the form, and sends it again: nothing is lost."""
    id = report(flow)
    served = serve(flow, everybody())
    li, wang = (someone(served, who).go(editing(id)) for who in ("li", "wang"))
    write(wang, TEXT.replace("第一句话", "第一句话由王强改写"))
    send(wang)
    receipt(wang)
    write(li, TEXT.replace("第三句话", "第三句话由李娜改写"))
    with li.expect_response(lambda answer: "/do/edit" in answer.url) as answered:
        send(li)
    assert answered.value.status == 409
    alert = li.get_by_role("alert")
    expect(alert).to_contain_text("王强")
    expect(alert).to_contain_text(REPORT.label_of("trigger", "edit", "zh"))
    expect(alert).to_be_focused()
    expect(li.locator("ins").first).to_contain_text("由王强改写")
    both = "第一句话由王强改写。第二句话。第三句话由李娜改写。"
    assert text_of(li) == both
    assert now(flow, id).version == 2, "nothing was written"
    send(li)
    receipt(li)
    assert now(flow, id).text == both
    assert "由李娜改写" not in kept_here(li)


def test_a_draft_of_an_older_version_is_offered(flow: ReportFlow, serve: Serve, someone: Sit) -> None:
    """A draft on a version that another person changed since is offered as such, and sending it shows the change."""
    id = report(flow)
    served = serve(flow, everybody())
    li = someone(served, "li")
    li.context.clock.install()
    page = li.go(editing(id))
    write(page, TEXT.replace("第三句话", "第三句话由李娜改写"))
    kept_there(page)
    flow.fire(id, "edit", Revision(text=TEXT.replace("第一句话", "第一句话由王强改写")), by=WANG)
    page.reload()
    for _ in range(2):  # taken up and not sent, it is on the older version still
        assert "由王强改写" in text_of(page)
        page.locator("[data-offers] button").click()
        assert "由李娜改写" in text_of(page)
        page.reload()
    page.locator("[data-offers] button").click()
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("王强")
    send(page)
    receipt(page)
    assert now(flow, id).text == "第一句话由王强改写。第二句话。第三句话由李娜改写。"


def test_back_puts_no_old_text_on_a_newer_version(flow: ReportFlow, serve: Serve, someone: Sit) -> None:
    """Back to the form of a secret report that was changed meanwhile: the old text is a draft, no more."""
    id = report(flow, secrecy="confidential")
    sun = someone(serve(flow, everybody()), "sun")
    sun.context.clock.install()
    page = sun.go(editing(id))
    write(page, TEXT.replace("第三句话", "第三句话由孙立民改写"))
    kept_there(page)
    page.locator(".lead a").click()
    expect(page).to_have_url(re.compile(f"/r/{id}$"))
    other = attrs.evolve(WANG, clearance=Secrecy.SECRET)
    flow.fire(id, "edit", Revision(text=TEXT.replace("第一句话", "第一句话由王强改写")), by=other)
    page.go_back()
    assert text_of(page) == "第一句话由王强改写。第二句话。第三句话。"
    page.locator(OFFERED).click()
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("王强")
    send(page)
    receipt(page)
    assert now(flow, id).text == "第一句话由王强改写。第二句话。第三句话由孙立民改写。"


# -- without script, without a mouse, under a prefix ----------------------------------------------------------------


def test_pages_work_without_script(flow: ReportFlow, serve: Serve, someone: Sit) -> None:
    """Without script a report is created, found, edited by way of a draft, and read."""
    li = someone(serve(flow, everybody()), "li", script=False)
    page = li.go("/new/report/create")
    for name, value in {"title": TITLE, "text": TEXT, "topics": "照明"}.items():
        page.locator(f'form.act [name="{name}"]').fill(value)
    send(page)
    receipt(page)
    page = li.go("/find")
    page.locator('[name="text"]').fill("路灯")
    page.locator("form[role=search] button.primary").click()
    page.get_by_role("link", name=TITLE).click()
    id = page.url.partition("/r/")[2].partition("?")[0]
    page.locator(".options").get_by_role("link", name=REPORT.label_of("trigger", "edit", "zh"), exact=True).click()
    write(page, TYPED)
    page.locator('form.act [name="_keep"]').click()
    expect(page.locator("[data-status]")).to_contain_text("已暂存")
    page = li.go(editing(id))
    page.locator(OFFERED).click()
    assert text_of(page) == TYPED
    send(page)
    receipt(page)
    assert now(flow, id).text == TYPED
    expect(li.go(f"/r/{id}").get_by_text(TYPED)).to_be_visible()


def seen_focus(page: Page) -> bool:
    """Whether the element in focus shows it."""
    found: bool = page.evaluate(
        "() => { const style = getComputedStyle(document.activeElement);"
        " return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 }"
    )
    return found


def tabbed(page: Page, selector: str) -> None:
    """Press Tab until an element has the focus; each on the way shows that it has it."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            continue
        assert seen_focus(page), page.evaluate("document.activeElement.outerHTML")
        if page.evaluate("one => document.activeElement.matches(one)", selector):
            return
    raise AssertionError(f"Tab leads to no {selector}")


def test_an_act_by_keyboard(flow: ReportFlow, serve: Serve, someone: Sit) -> None:
    """From the page of a report an act is done by Tab and Enter, and what has the focus is always seen."""
    id = report(flow)
    page = someone(serve(flow, everybody()), "li").go(f"/r/{id}")
    tabbed(page, f'a[href$="/r/{id}/do/comment"]')
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/do/comment"))
    tabbed(page, 'form.act [name="text"]')
    page.keyboard.type("Please add figures.")
    tabbed(page, "form.act button.primary")
    page.keyboard.press("Enter")
    receipt(page)
    assert flow.history(id, by=SUN)[-1].trigger == "comment"


def test_under_a_prefix(flow: ReportFlow, serve: Serve, someone: Sit) -> None:
    """Under the path of a host drafts are kept, and the parts of pages that scripts ask for come."""
    report(flow)
    li = someone(serve(flow, everybody(), mount="/office"), "li")
    li.context.clock.install()
    page = li.go("/new/report/create")
    title = page.locator('form.act [name="title"]')
    with page.expect_response(re.compile("/office/similar")) as alike:
        title.fill(TITLE)
        title.blur()
    assert alike.value.ok
    expect(page.locator("#alike").get_by_role("link", name=TITLE)).to_have_attribute("href", re.compile("^/office/r/"))
    write(page, TYPED)
    with page.expect_response(re.compile("/office/draft/")) as saved:
        kept_there(page)
    assert saved.value.ok
    page = li.go("/drafts")
    page.locator(".timeline a").click()
    assert text_of(page) == TYPED
    send(page)
    receipt(page)
    page = li.go("/find")
    page.locator("details summary").first.click()
    with page.expect_response(re.compile("/office/find")) as found:
        page.locator('[name="state"]').first.check()
    assert found.value.request.headers["hx-request"] == "true"
    assert found.value.ok


# -- hostile texts --------------------------------------------------------------------------------------------------


def hostile_office(flow: ReportFlow, hostile: str, person: Actor) -> str:
    """A report whose every field has a hostile text, after acts of every kind that have texts too."""
    draft = Report.draft(
        title=hostile,
        text=f"{hostile}。\n{hostile}",
        authors=[Author(name=hostile, unit=hostile)],
        topics=[hostile],
        category=hostile,
        origin=hostile,
        attachments=[Attachment(name=hostile, media_type="text/html", size=1, sha256="0" * 64)],
    )
    id = flow.create(draft, by=person).id
    acts: list[tuple[str, Details | None, str]] = [
        ("comment", Comment(text=hostile), hostile),
        ("classify", Classification(number=hostile[:20], topics=[hostile], category=hostile), ""),
        ("edit", Revision(text=f"{hostile}。改。", title=f"{hostile}改"), hostile),
        ("return", None, hostile),
    ]
    for trigger, details, reason in acts:
        flow.fire(id, trigger, details, by=person, reason=reason)
    return id


def test_hostile_texts_are_texts(flow: ReportFlow, serve: Serve, someone: Sit) -> None:
    """In every field, name and post hostile texts are shown as texts, on each page, in both languages; nothing runs."""
    roles = {"contributor", "editor", "reviewer", "registrar", "auditor"}
    person = Actor(id="evil", name=HOSTILE, post=HOSTILE, roles=roles, unit="u")
    id = hostile_office(flow, HOSTILE, person)
    served = serve(flow, {"evil": person})
    dialogs: list[str] = []

    def ran(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    pages = ["/", "/find", "/new/report/create", "/year", "/lifecycle/report", "/drafts", "/views", "/audit"]
    pages += [f"/r/{id}{rest}" for rest in ("", "/history", "/changes", "/print", "/at/1", "/do/revise", "/do/comment")]
    for language in ("zh-CN", "en"):
        one = someone(served, "evil", language=language)
        one.page.on("dialog", ran)
        for path in pages:
            page = one.go(path)
            assert page.evaluate("one => document.querySelectorAll(one).length", HARM) == 0, path
    page = one.go(f"/r/{id}")
    expect(page.locator("h1")).to_have_text(f"{HOSTILE}改")
    expect(page.locator(".top-side span")).to_contain_text(HOSTILE)
    page = one.go(f"/r/{id}/do/comment")
    write(page, HOSTILE)
    send(page)
    receipt(page)
    expect(one.go(f"/r/{id}/history").locator("main")).to_contain_text(HOSTILE)
    assert dialogs == []
