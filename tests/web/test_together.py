"""Several people, and one person in several tabs: nothing typed is lost, nothing is overwritten, nothing leaks."""

from __future__ import annotations

import pytest

from reportflow import Secrecy, StorageUnavailable
from reportflow.office import Report
from reportflow.web.conflicts import combined
from tests.web.client import forms_of
from tests.web.desk import CHIEF, LI, QIAN, WANG, Office


@pytest.mark.parametrize("awaits", [False, True])
@pytest.mark.parametrize(("language", "on_top"), [("en", "on top of the version of"), ("zh", "的文稿上编辑")])
def test_two_editors_of_different_sentences(awaits: bool, language: str, on_top: str) -> None:
    """The second of two editors sees who changed what; both changes are in the form, and go on top of the other."""
    office = Office(awaits=awaits)
    record = office.report(text="第一句。第二句。第三句。")
    address = f"/r/{record.id}/do/edit"
    with office.browser(LI, language) as li, office.browser(WANG, language) as wang:
        mine, theirs = li.get(address), wang.get(address)
        assert wang.submit(theirs, {"text": "第一句改。第二句。第三句。", "title": "路灯暗"}).status_code == 200
        page = li.submit(mine, {"text": "第一句。第二句。第三句也改。"})
        assert page.status_code == 409
        assert "王强" in page.text
        assert "<ins>" in page.text
        assert on_top in page.text
        assert office.flow.get(record.id, by=LI).version == 2, "nothing was written"
        assert li.submit(page).status_code == 200
        now = office.flow.get(record.id, by=LI, type=Report)
        assert (now.text, now.title) == ("第一句改。第二句。第三句也改。", "路灯暗")


def test_sentences_that_clash_are_marked() -> None:
    """Where both changed the same sentence, one's own stays in the form, and both are listed."""
    office = Office()
    record = office.report(text="第一句。第二句。")
    address = f"/r/{record.id}/do/edit"
    with office.browser(LI) as li, office.browser(WANG) as wang:
        mine, theirs = li.get(address), wang.get(address)
        wang.submit(theirs, {"text": "第一句。完全另写。"})
        page = li.submit(mine, {"text": "第一句。我这样写。"})
        assert "我这样写。</textarea>" in page.text
        assert "1 place(s) that both changed" in page.text
        assert "完全另写。" in page.text


def test_an_act_that_is_over_keeps_what_was_typed() -> None:
    """Where the act is no longer allowed, the page says why, and what was typed can be read and copied."""
    office = Office()
    record = office.report()
    with office.browser(LI, "zh") as li, office.browser(WANG) as wang:
        mine = li.get(f"/r/{record.id}/do/edit")
        wang.submit(wang.get(f"/r/{record.id}/do/keep"), {"_reason": "later"})
        page = li.submit(mine, {"text": "很多字</textarea><b>", "_reason": "改得更好"})
        assert page.status_code == 409
        assert "很多字&lt;/textarea&gt;&lt;b&gt;" in page.text
        assert "改得更好" in page.text
        assert "留存" in page.text


def test_a_change_that_one_may_not_read_stays_hidden() -> None:
    """Who may not read what was done since learns that there was something, and no more."""
    office = Office()
    record = office.report()
    with office.browser(QIAN) as qian, office.browser(LI) as li:
        mine = qian.get(f"/r/{record.id}/do/revise")
        li.submit(li.get(f"/r/{record.id}/do/comment"), {"text": "internal thought", "internal": "on"})
        page = qian.submit(mine, {"text": "Mine."})
        assert page.status_code == 409
        assert "not for you to read" in page.text
        assert "internal thought" not in page.text
        assert "李娜" not in page.text.partition("<main")[2]


def test_a_form_that_names_no_version_or_a_wrong_one() -> None:
    """A head or version that is none does no harm: the form is compared with what is stored, or only with itself."""
    office = Office()
    record = office.report()
    with office.browser(LI) as li:
        form = li.get(f"/r/{record.id}/do/edit")
        for head, version in (("forged", "1"), ("forged", "99"), ("forged", "x"), ("\x00", "1")):
            page = li.submit(form, {"text": "New.", "_head": head, "_version": version})
            assert page.status_code in (409, 422)
            assert "New.</textarea>" in page.text
        assert li.submit(form, {"text": "New.", "_head": "", "_key": "!"}).status_code == 200


def test_combining_forms() -> None:
    """What only one of two changed is kept, and what both changed alike; else one's own; long texts merge."""
    base = {"a": ["1"], "b": ["1"], "c": ["1"], "d": [""], "long": ["One. Two."], "g/0/x": ["1"], "same": ["1"]}
    mine = {"a": ["2"], "b": ["1"], "c": ["3"], "long": ["One!\r\n Two."], "g/0/x": ["1"], "same": ["9"]}
    theirs = {"a": ["1"], "b": ["2"], "c": ["4"], "d": [""], "long": ["One. Two. Three."], "new": ["n"], "same": ["9"]}
    found = combined(base, mine, theirs, frozenset({"long"}))
    assert found.typed["a"] == ["2"]
    assert found.typed["b"] == ["2"]
    assert found.typed["c"] == ["3"]
    assert found.typed["new"] == ["n"]
    assert "g/0/x" not in found.typed
    assert found.merged == {"long"}
    assert "Three." in found.typed["long"][0]


def test_a_draft_without_script() -> None:
    """A draft is kept by a plain button, offered when the form is opened, and gone when it was sent."""
    office = Office()
    record = office.report()
    address = f"/r/{record.id}/do/edit"
    with office.browser(LI, "zh") as li:
        page = li.submit(li.get(address), {"text": "一半"}, button=("_keep", "1"))
        assert page.status_code == 200
        assert "尚未提交" in page.text
        assert office.flow.get(record.id, by=LI).version == 1
        opened = li.get(address)
        assert "一半" not in opened.text
        assert "?draft=-" in opened.text
        resumed = li.get(f"{address}?draft=-")
        assert "一半</textarea>" in resumed.text
        assert "一半</textarea>" not in li.get(f"{address}?draft=other").text
        listed = li.get("/drafts")
        assert "路灯" in listed.text
        with office.browser(WANG) as wang:
            assert "draft=-" not in wang.get(address).text
            wang.submit(wang.get(address), {"text": "王的稿"})
        older = li.get(f"{address}?draft=-")
        assert "较早的一稿" in older.text
        page = li.submit(older)
        assert page.status_code == 409
        assert li.submit(page).status_code == 200
        assert "draft=-" not in li.get("/drafts").text


def test_a_draft_of_a_new_record() -> None:
    """What is not created yet has drafts too, under its kind."""
    office = Office()
    with office.browser(LI) as li:
        li.submit(li.get("/new/report/create"), {"title": "Half"}, button=("_keep", "1"))
        assert "Half" in li.get("/drafts").text
        page = li.get("/new/report/create?draft=-")
        assert 'value="Half"' in page.text
        assert li.submit(page, {"text": "x"}).status_code == 200
        assert "Half" not in li.get("/drafts").text


def test_a_script_keeps_drafts_by_tab() -> None:
    """Each tab has a draft of its own; one is dropped by itself, or all are; too large a one is refused."""
    office = Office()
    record = office.report()
    with office.browser(LI) as li:
        form = li.get(f"/r/{record.id}/do/edit")
        fields = dict(forms_of(form.text)[-1].fields)
        address = f"/draft/{record.id}/edit"
        for tab in ("a1", "b2"):
            answer = li.post(address, {**fields, "_tab": tab, "text": f"of {tab}"})
            assert "not submitted" in answer.json()["text"]
        assert all(f"?draft={tab}" in li.get(f"/r/{record.id}/do/edit").text for tab in ("a1", "b2"))
        assert li.post(address, {**fields, "_tab": "c", "text": "x" * 2_000_001}).status_code == 413
        assert li.post(address, {"text": "x"}).status_code == 403
        li.post(address, {**fields, "_drop": "a1"})
        assert "draft=a1" not in li.get("/drafts").text
        assert "draft=b2" in li.get("/drafts").text
        li.post(address, {**fields, "_drop": "*"})
        assert "draft=b2" not in li.get("/drafts").text
        li.post(address, {**fields, "_tab": "<b>"})
        assert "draft=-" in li.get("/drafts").text
        li.submit(li.get("/drafts"), to="/forget")
        assert "draft=-" not in li.get("/drafts").text


def test_the_draft_of_what_is_hidden_now_is_not_listed() -> None:
    """A draft of a record that its person may no longer see, or of an unknown kind, shows nothing of it."""
    office = Office()
    record = office.report("公开的题目")
    with office.browser(LI) as li, office.browser(CHIEF) as chief:
        li.submit(li.get(f"/r/{record.id}/do/edit"), {"text": "一半"}, button=("_keep", "1"))
        fields = dict(forms_of(li.get("/new/report/create").text)[-1].fields)
        li.post("/draft/:nothing/x", fields)
        chief.submit(chief.get(f"/r/{record.id}/do/classify"), {"secrecy": "secret"})
        assert "公开的题目" not in li.get("/drafts").text
        token = {"_token": fields["_token"], "text": "一半多"}
        page = li.post(f"/r/{record.id}/do/edit", token)
        assert (page.status_code, "一半多" in page.text, "公开的题目" in page.text) == (404, True, False)


def test_others_see_who_has_a_form_open() -> None:
    """The office sees who opened a form of a record, until it is sent; a contributor does not; nothing is locked."""
    office = Office()
    record = office.report()
    address = f"/r/{record.id}/do/comment"
    with office.browser(LI) as li, office.browser(WANG) as wang, office.browser(QIAN) as qian:
        form = li.get(address)
        assert "has just opened a form of this report" in wang.get(address).text
        assert "opened a form" not in qian.get(address).text
        assert "李娜 编辑 opened" not in form.text
        assert li.submit(form, {"text": "x"}).status_code == 200
        assert "李娜 编辑 opened" not in wang.get(address).text
        assert li.get("/r/nothing/do/comment").status_code == 404


def test_tables_of_the_portal_that_fail_hold_up_no_act(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drafts and presence that cannot be read or written do not keep a form from being opened and sent."""
    office = Office()
    record = office.report()

    async def broken(*args: object, **named: object) -> None:
        raise StorageUnavailable("web:", "gone")

    with office.browser(LI) as li:
        for name in ("open_form", "close_form", "present", "drafts", "drop_drafts"):
            monkeypatch.setattr(office.kept, name, broken)
        form = li.get(f"/r/{record.id}/do/comment")
        assert form.status_code == 200
        assert li.submit(form, {"text": "x"}).status_code == 200


def test_who_acts_themselves_out_of_sight_has_a_receipt() -> None:
    """Who passes a record on, and no longer sees it, reads that it was entered; nobody else reads anything."""
    office = Office()
    key = office.app.site.settings
    assert key.browser_drafts is Secrecy.INTERNAL
    with office.browser(LI) as li:
        li.get("/drafts")
        assert office.app.site is not None
        signer = office.app.site._signer
        assert signer is not None
        done = signer.sealed("receiptli", "gone/3")
        assert "You no longer see" in li.get("/receipt/gone/3", params={"done": done}).text
        assert li.get("/receipt/gone/4", params={"done": done}).status_code == 404
        with office.browser(WANG) as wang:
            assert wang.get("/receipt/gone/3", params={"done": done}).status_code == 404
