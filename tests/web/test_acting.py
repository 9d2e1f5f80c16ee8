"""Acting by forms: what may be created and done, what is wrong, what was entered; for any lifecycle, sync and async."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reportflow import AsyncReportFlow, Person, ReportFlow, Secrecy, StorageBusy
from reportflow.office import Adoption, Author, Report, Revision
from reportflow.web import portal
from tests.web.client import Client, forms_of
from tests.web.desk import BY_ID, CHIEF, LI, QIAN, WANG, Office, summary_of

PDF = b"%PDF-2.0 %%EOF"


@pytest.mark.parametrize("awaits", [False, True])
@pytest.mark.parametrize(("language", "done"), [("en", "Submitted"), ("zh", "已提交")])
def test_a_report_is_submitted_and_edited(awaits: bool, language: str, done: str) -> None:
    """From the list of what may be written to the receipt, without script, by a blocking and an asynchronous flow."""
    office = Office(awaits=awaits)
    with office.browser(LI, language) as li:
        assert "/new/report/create" in li.get("/new").text
        page = li.get("/new/report/create")
        assert 'value="李娜"' in page.text, "the first author is the person, at first"
        receipt = li.submit(page, {"title": "路灯", "text": "很暗。", "topics": "城建、交通"})
        assert done in receipt.text
        id = str(receipt.url).split("/")[-2]
        record = office.flow.get(id, by=LI, type=Report)
        assert (record.title, record.text, record.topics) == ("路灯", "很暗。", ("城建", "交通"))
        assert record.authors == (Author(name="李娜", id="li"),)
        form = li.get(f"/r/{id}/do/edit?from=/find%3Fq%3D1")
        assert "很暗。" in form.text
        receipt = li.submit(form, {"text": "很暗，\r\n很久。", "_reason": "压缩"})
        assert receipt.status_code == 200
        assert 'href="/find?q=1"' in receipt.text, "back to the list"
        entry = office.flow.history(id, by=LI)[-1]
        assert (entry.reason, entry.details.text) == ("压缩", "很暗，\n很久。")  # type: ignore[attr-defined]  # Revision


def test_one_thing_to_create_leads_straight_to_its_form() -> None:
    """Where there is one kind with one creation there is nothing to choose; without a right to it the page says why."""
    flow = ReportFlow(Office().flow.store, Office().flow.lifecycles[:1])
    app = portal(flow, authenticate=lambda request: BY_ID[request.headers["x-actor"]])
    with Client(app, headers={"x-actor": "li"}) as li:
        assert li.get("/new", follow=False).headers["location"].endswith("/new/report/create")
    with Client(app, headers={"x-actor": "nobody"}) as nobody:
        BY_ID["nobody"] = LI.__class__(id="nobody", name="N", roles={"reviewer"}, unit="u")
        page = nobody.get("/new")
        assert page.status_code == 200
        assert "is done by" in page.text
        refused = nobody.get("/new/report/create")
        assert refused.status_code == 403
        assert "<textarea" not in refused.text
        assert nobody.get("/new/other/create").status_code == 404
        assert nobody.get("/new/report/edit").status_code == 404


def test_every_error_at_once_with_what_was_typed() -> None:
    """A form with faults comes back with all of them, linked to the fields, and with what was typed."""
    office = Office()
    with office.browser(LI, "zh") as li:
        page = li.submit(
            li.get("/new/report/create"),
            {"title": "  ", "text": "", "authors/0/name": "", "authors/0/unit": "市<b>", "source": "moon"},
        )
        assert page.status_code == 422
        assert "<title>错误：" in page.text
        summary = summary_of(page)
        for name in ("title", "text", "authors-0-name", "source"):
            assert f'href="#f-{name}"' in summary
            assert f'id="f-{name}"' in page.text
        assert 'aria-invalid="true"' in page.text
        assert "市&lt;b&gt;" in page.text
        fixed = li.submit(page, {"title": "灯", "text": "暗", "authors/0/name": "钱", "source": "public"})
        assert fixed.status_code == 200


def test_a_text_that_is_too_long_is_said_at_its_field() -> None:
    """A text beyond what can be stored comes back with the form; a request beyond all measure is refused."""
    office = Office()
    with office.browser(LI) as li:
        page = li.submit(li.get("/new/report/create"), {"title": "t", "text": "长" * 350_000})
        assert page.status_code == 422
        assert "#f-text" in summary_of(page)
        assert "长长长" in page.text
        assert li.submit(page, {"text": "x" * 9_000_000}).status_code == 413
        many = [(f"x{number}", "1") for number in range(1100)]
        assert li.submit(page, dict(many)).status_code == 400


def test_a_group_more_by_a_plain_button() -> None:
    """Another author is added and removed without script, and nothing that was typed is lost."""
    office = Office()
    with office.browser(LI) as li:
        page = li.submit(li.get("/new/report/create"), {"title": "Lamps"}, button=("_add", "authors"))
        assert page.status_code == 200
        assert 'name="authors/1/name"' in page.text
        page = li.submit(page, {"authors/1/name": "Qian"}, button=("_remove", "authors/0"))
        assert 'name="authors/0/name"' not in page.text
        assert 'value="Lamps"' in page.text
        receipt = li.submit(page, {"text": "Dark."})
        record = office.flow.get(str(receipt.url).split("/")[-2], by=LI, type=Report)
        assert record.authors == (Author(name="Qian"),)


def test_what_is_not_allowed_has_no_form() -> None:
    """A form that is not offered says every reason, with a status; what does not exist or is hidden is not found."""
    office = Office()
    record, hidden = office.report(), office.report(secrecy="secret")
    with office.browser(QIAN) as qian:
        page = qian.get(f"/r/{record.id}/do/edit")
        assert page.status_code == 403
        assert "<textarea" not in page.text
        assert qian.get(f"/r/{record.id}/do/nothing").status_code == 404
        assert qian.get(f"/r/{record.id}/do/create").status_code == 404
        texts = {qian.get(f"/r/{id}/do/edit").text.replace(id, "") for id in (hidden.id, "nothing")}
        assert len({re.sub(r'value="[^"]*"', "", one) for one in texts}) == 1
        assert office.kept is not None
    with office.browser(WANG) as wang:
        assert wang.get(f"/r/{record.id}/do/review").status_code == 409


def test_a_reason_is_asked_for_at_its_field() -> None:
    """A missing reason, a wrong time and a time before the record are said at their fields, at once with the others."""
    office = Office()
    record = office.report()
    with office.browser(WANG, "zh") as wang:
        page = wang.submit(wang.get(f"/r/{record.id}/do/reject"), {"_at/date": "昨天"})
        assert page.status_code == 422
        summary = summary_of(page)
        for name in ("_reason", "_at-date", "code"):
            assert f"#f-{name}" in summary
        page = wang.submit(page, {"_at/date": "2001-01-01", "_reason": "无建议", "code": "no_suggestion"})
        assert page.status_code == 422
        assert "#f-_at-date" in summary_of(page)
        page = wang.submit(page, {"_at/date": "", "code": "", "code/other": "own"})
        assert page.status_code == 200
        assert office.flow.get(record.id, by=WANG).state == "rejected"


def test_a_day_without_a_time_is_up_to_now() -> None:
    """What happened today may be entered by its day alone."""
    office = Office()
    record = office.report()
    today = office.flow.zone
    with office.browser(WANG) as wang:
        day = datetime.now(today).date().isoformat()
        page = wang.submit(wang.get(f"/r/{record.id}/do/keep"), {"_at/date": day, "_reason": "later"})
        assert page.status_code == 200


def test_people_are_found_by_their_names() -> None:
    """One person found is taken, of several one is chosen, an id is accepted, and nobody is an error at the field."""
    office = Office()
    record = office.report()
    address = f"/r/{record.id}/do/assign"
    with office.browser(CHIEF) as chief:
        receipt = chief.submit(chief.get(address), {"assignee": "李娜", "due_at/date": "2099-01-02"})
        assert "李娜" in receipt.text
        assert "editor" in receipt.text
        assert office.flow.get(record.id, by=CHIEF).assignee == "li"
        page = chief.get(address)
        assert 'value="李娜 编辑 榆林"' in page.text
        assert chief.submit(page).status_code == 200, "sent unchanged, it stays"
        assert office.flow.get(record.id, by=CHIEF).assignee == "li"
        page = chief.submit(chief.get(address), {"assignee": "王强"})
        assert page.status_code == 422
        assert {"王强 审核 榆林", "王强 编辑 府谷"} <= set(re.findall(r">([^<]+)</label>", page.text))
        page = chief.submit(page, {"assignee/pick": "wang"})
        assert page.status_code == 200
        assert office.flow.get(record.id, by=CHIEF).assignee == "wang"
        assert "(twin1)" in chief.submit(chief.get(address), {"assignee": "孙涛"}).text
        assert chief.submit(chief.get(address), {"assignee": "王强 审核 榆林"}).status_code == 200
        assert chief.submit(chief.get(address), {"assignee": "li"}).status_code == 200
        page = chief.submit(chief.get(address), {"assignee": "没有"})
        assert "Nobody is found" in summary_of(page)
        assert chief.submit(page, {"assignee": ""}).status_code == 200
        assert office.flow.get(record.id, by=CHIEF).assignee is None
        found = chief.get("/people?field=assignee&assignee=王强")
        assert found.text.count("<option") == 2
        assert "<option" not in chief.get("/people", params={"q": "\x00"}).text
        assert "<option" not in chief.get("/people").text


def test_without_people_an_id_is_for_the_flow_to_judge() -> None:
    """Where the host's people cannot be searched, what was typed is the id."""
    office = Office(people=None)
    record = office.report()
    with office.browser(CHIEF) as chief:
        assert chief.submit(chief.get(f"/r/{record.id}/do/assign"), {"assignee": "x9-of-x9"}).status_code == 200
        assert office.flow.get(record.id, by=CHIEF).assignee == "x9-of-x9"
        assert "<option" not in chief.get("/people?q=x").text
        receipt = chief.get(f"/receipt/{record.id}/2")
        assert "x9-of-x9" not in receipt.text.replace(record.id, "")

    def known(ids: object) -> dict[str, Person]:
        return {"x9-of-x9": Person("许九")} if "x9-of-x9" in ids else {}  # type: ignore[operator]  # a collection of ids

    office = Office(people=known)
    record = office.report()
    with office.browser(CHIEF) as chief:
        assert chief.submit(chief.get(f"/r/{record.id}/do/assign"), {"assignee": "x9-of-x9"}).status_code == 200
        assert "许九" in chief.get(f"/receipt/{record.id}/2").text


def test_an_author_is_chosen_from_those_who_are_found() -> None:
    """A name that was chosen with post and unit brings its id; a name alone brings none."""
    office = Office()
    with office.browser(LI) as li:
        page = li.get("/new/report/create")
        receipt = li.submit(page, {"title": "t", "text": "x", "authors/0/name": "王强 审核 榆林"})
        record = office.flow.get(str(receipt.url).split("/")[-2], by=LI, type=Report)
        assert record.authors == (Author(name="王强", id="wang"),)


def test_another_record_is_found_by_its_title() -> None:
    """A reference is found by a title; of several one is chosen; one that is hidden is as one that is not there."""
    office = Office()
    record = office.report("路灯太暗")
    other, hidden = office.report("路灯不亮"), office.report("路灯机密", secrecy="secret")
    office.report("路灯不亮了")
    address = f"/r/{record.id}/do/merge"
    with office.browser(WANG, "zh") as wang:
        page = wang.submit(wang.get(address), {"target": "路灯"})
        assert page.status_code == 422
        assert "路灯机密" not in page.text
        gone = [wang.submit(wang.get(address), {"target": one}) for one in (hidden.id, "nothing at all", "路灯机密")]
        assert [one.status_code for one in gone] == [422] * 3
        assert len({summary_of(one) for one in gone}) == 1
        assert "没有可由您" not in gone[0].text
        assert wang.submit(page, {"target/pick": other.id}).status_code == 200
        assert office.flow.get(record.id, by=WANG).state == "merged"
        assert wang.submit(wang.get(f"/r/{other.id}/do/merge"), {"target": "《路灯不亮了》"}).status_code == 200


def test_files_are_kept_over_a_form_that_comes_back(tmp_path: Path) -> None:
    """A file that was taken stays chosen until it is taken off; one that is not what its name says is refused."""
    office = Office(files=tmp_path)
    with office.browser(LI) as li:
        sent = [("attachments", ("附件.pdf", PDF, "application/pdf"))]
        page = li.submit(li.get("/new/report/create"), {"title": "t"}, files=sent)
        assert page.status_code == 422
        assert "附件.pdf" in page.text
        bad = [("attachments", ("<b>.pdf", b"MZ no", "application/pdf")), ("attachments", ("x.exe", b"MZ", ""))]
        page = li.submit(page, {"text": "x"}, files=bad)
        assert page.status_code == 422
        assert "&lt;b&gt;.pdf" in page.text
        assert "<b>.pdf" not in page.text
        receipt = li.submit(page, {"text": "x"})
        record = office.flow.get(str(receipt.url).split("/")[-2], by=LI, type=Report)
        assert [one.name for one in record.attachments] == ["附件.pdf"]
    with Office().browser(LI) as li:
        assert "elsewhere" in li.get("/new/report/create").text


def test_a_title_that_is_there_already_is_named() -> None:
    """Titles like the one that is typed are named, as far as the person may see them; nothing is held up."""
    office = Office()
    office.report("夜间路灯太暗")
    office.report("夜间路灯机密", secrecy="secret")
    with office.browser(LI) as li:
        assert "夜间路灯太暗" in li.get("/similar?title=路灯").text
        assert "机密" not in li.get("/similar?title=路灯").text
        for short in ("", "路", "\x00\x00"):
            assert "<li>" not in li.get("/similar", params={"title": short}).text
        page = li.submit(li.get("/new/report/create"), {"title": "夜间路灯"})
        assert "夜间路灯太暗" in page.text
        assert li.submit(page, {"text": "x"}).status_code == 200


def test_an_own_lifecycle_has_every_page() -> None:
    """Details of every kind are filled in, an act without details is confirmed, and what no form can show says so."""
    office = Office()
    case = office.case()
    with office.browser(LI) as li:
        form = li.get(f"/r/{case.id}/do/travel")
        page = li.submit(form, {"trips/0/day": "2022年4月27日", "trips/0/legs/0/place": "府谷", "price": "x"})
        assert page.status_code == 422
        assert "wet weather" in page.text
        typed = {
            "price": "12.5", "settled": "false", "colours": ["red", "2"], "size": "3", "due/date": "2022-04-27",
            "place/0": "here", "place/1": "7", "counts": "a: 1", "ground": "wet", "essay": "Long.", "guide": "李娜",
            "after": "A case",
        }  # fmt: skip
        receipt = li.submit(page, typed)
        assert receipt.status_code == 200, summary_of(receipt)
        details = office.flow.history(case.id, by=LI)[-1].details
        assert (details.place, details.guide, details.after) == (("here", 7), "li", case.id)  # type: ignore[attr-defined]
        puzzle = li.get(f"/r/{case.id}/do/puzzle")
        assert "has no page" in puzzle.text
        token = dict(forms_of(form.text)[-1].fields)["_token"]
        assert "has no page" in li.post(f"/r/{case.id}/do/puzzle", {"_token": token}).text
        assert "cannot ask for: table" in li.get(f"/r/{case.id}/do/loosen").text
        assert li.submit(li.get(f"/r/{case.id}/do/wave")).status_code == 200
        page = li.submit(li.get(f"/r/{case.id}/do/end"))
        assert (page.status_code, "#f-_reason" in summary_of(page)) == (422, True)
        receipt = li.submit(page, {"_reason": "done"})
        assert "nothing more is expected" in receipt.text
        assert li.submit(li.get("/new/case/begin"), {"title": "Another"}).status_code == 200


def test_a_second_click_does_one_thing() -> None:
    """The same form sent twice gives the same receipt; with another text it says that it was submitted."""
    office = Office()
    record = office.report()
    with office.browser(LI) as li:
        form = li.get(f"/r/{record.id}/do/comment")
        first = li.submit(form, {"text": "Once."})
        again = li.submit(form, {"text": "Once."})
        assert (first.status_code, str(first.url)) == (200, str(again.url))
        assert office.flow.get(record.id, by=LI).version == 2
        other = li.submit(form, {"text": "Twice <i>."})
        assert other.status_code == 409
        assert "Twice &lt;i&gt;." in other.text
        assert f"/receipt/{record.id}/2" in other.text
        assert office.flow.get(record.id, by=LI).version == 2


def test_the_receipt_leads_on() -> None:
    """It names the entry, the state, whose turn it is and who can read it, and leads to the next of the list."""
    office = Office()
    record, following = office.report(), office.report("下一件")
    with office.browser(LI, "zh") as li:
        form = li.get(f"/r/{record.id}/do/comment", params={"from": "/", "next": following.id})
        receipt = li.submit(form, {"text": "内部", "internal": "on"})
        assert "下一件" in receipt.text
        readers = receipt.text.partition("哪些人可以看到")[2].partition("</dd>")[0]
        assert "反映人" not in readers
        assert "审核人" in readers
        receipt = li.submit(li.get(f"/r/{record.id}/do/comment", params={"from": "/"}), {"text": "x"})
        assert "下一件" in receipt.text, "the next one that waits"
        assert li.get(f"/receipt/{record.id}/1", params={"next": "nothing"}).status_code == 200
        assert li.get(f"/receipt/{record.id}/99").status_code == 404
        assert li.get("/receipt/nothing/1").status_code == 404
        assert 'href="//evil' not in li.get(f"/receipt/{record.id}/1", params={"from": "//evil.test/"}).text


def test_a_form_of_what_is_secret_is_kept_by_no_browser() -> None:
    """The form of a secret record is noted as read, is not cached, and its drafts stay out of the browser."""
    office = Office()
    record = office.report(secrecy="secret")
    with office.browser(CHIEF) as chief:
        page = chief.get(f"/r/{record.id}/do/edit")
        assert page.headers["cache-control"] == "no-store"
        assert 'data-browser=""' in page.text
        assert chief.get("/new/report/create").headers["cache-control"] == "private, no-cache"
        assert "not in this browser" in page.text


def test_a_revision_is_shown_to_who_must_judge_it() -> None:
    """The form of the next act has what the last revision changed; a remark in between does not hide it."""
    office = Office()
    record = office.report()
    with office.browser(LI) as li:
        li.submit(li.get(f"/r/{record.id}/do/edit"), {"text": "第一句。第二句改过。第三句。"})
        li.submit(li.get(f"/r/{record.id}/do/comment"), {"text": "x"})
    with office.browser(WANG) as wang:
        page = wang.get(f"/r/{record.id}/do/review")
        assert "What 编辑李娜 changed" in page.text or "What 李娜 编辑 changed" in page.text
        assert "<ins>" in page.text
        assert wang.submit(page).status_code == 200
        page = wang.get(f"/r/{record.id}/do/adopt")
        assert "<ins>" not in page.text
        assert wang.submit(page, {"body": "省政协", "level": "province"}).status_code == 200
        retract = wang.get(f"/r/{record.id}/do/retract")
        assert re.search(r'<option value="5">[^<]*王强', retract.text)
        assert wang.submit(retract, {"sequence": "5", "_reason": "in error"}).status_code == 200


def test_when_the_database_is_gone_nothing_typed_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that cannot be stored comes back as a page with all that was typed, to be sent again."""
    office = Office()
    record = office.report()
    with office.browser(LI) as li:
        form = li.get(f"/r/{record.id}/do/comment")

        def busy(*args: object, **named: object) -> None:
            raise StorageBusy("sqlite://", "locked")

        for verb in ("fire", "get"):
            monkeypatch.setattr(office.flow, verb, busy)
            page = li.submit(form, {"text": "A long thought <b>."})
            assert page.status_code == 503
            assert "A long thought &lt;b&gt;." in page.text
            assert "sqlite" not in page.text
            monkeypatch.undo()
        assert li.submit(page).status_code == 200
        assert office.flow.get(record.id, by=LI).version == 2


HOSTILE = st.sampled_from(
    ['"><script>alert(1)</script>', "'><img src=x onerror=alert(1)>", "</textarea><script>x</script>", "{{7*7}}",
     "javascript:alert(1)", "\u202e<svg/onload=x>", "a\x00b", "<!--", "&lt;", "-->]]>"]
)  # fmt: skip
FIELDS = st.sampled_from(
    ["title", "text", "authors/0/name", "authors/0/unit", "topics", "origin", "category", "source", "secrecy",
     "commission", "parent", "authors/0/id", "attachments/kept", "_from", "_next", "_tab", "_key", "_head", "x\"y"]
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(FIELDS, HOSTILE, min_size=1))
def test_hostile_texts_are_echoed_safely(typed: dict[str, str]) -> None:
    """Whatever stands in a field, the page that shows it again has no element of it."""
    office = _HOSTILE_OFFICE
    for language in ("en", "zh"):
        with office.browser(LI, language) as li:
            page: httpx.Response = li.submit(li.get("/new/report/create"), typed)
            assert page.status_code in (200, 422)
            for bad in ("<script>alert", "<img src=x", "<svg/onload", "<script>x", ' y="'):
                assert bad not in page.text


_HOSTILE_OFFICE = Office()


def test_verbs_of_both_flows_are_the_same() -> None:
    """Both flows say whether they keep files and find people."""
    for flow in (ReportFlow, AsyncReportFlow):
        assert isinstance(flow.keeps_files, property)
        assert isinstance(flow.finds_people, property)
    assert Secrecy.INTERNAL < Secrecy.SECRET


@pytest.mark.parametrize(
    ("language", "title", "text", "after", "tag"),
    [
        ("en", "路灯不亮", "八盏不亮。\n建议更换。", "九盏不亮。\n建议更换。", "zh-Hans"),
        ("zh", "Dark lamps", "Eight are dark.\nReplace them.", "Nine are dark.\nReplace them.", "en"),
    ],
)
def test_a_text_beside_a_form_has_its_language(language: str, title: str, text: str, after: str, tag: str) -> None:
    """A text in the other language says so beside a form, in what changed, in a conflict, a receipt and a list."""
    office = Office()
    report = office.report(title, text)
    office.flow.fire(report.id, "edit", Revision(text=after), by=CHIEF, reason=text)
    with office.browser(CHIEF, language) as chief:
        form = chief.get(f"/r/{report.id}/do/edit")
        assert f'<h2 lang="{tag}">{title}</h2>' in form.text
        assert f'lang="{tag}">{title}</a>' in form.text
        assert form.text.count(f'<div class="paper" lang="{tag}">') == 2  # the text, and what changed of it last
        office.flow.fire(report.id, "edit", Revision(text=text), by=CHIEF, reason=title)
        conflict = chief.submit(form, {"text": after + after})
        assert conflict.status_code == 409
        assert f'<span lang="{tag}">{title}</span>' in conflict.text
        assert f'<div class="paper" lang="{tag}">' in conflict.text
        receipt = chief.submit(conflict, {"_reason": title})
        assert f'<dd lang="{tag}">{title}</dd>' in receipt.text
        assert f'lang="{tag}">{title}</a>' in chief.get("/find").text
        assert f'lang="{tag}">{title}</a>' in chief.get("/similar", params={"title": title}).text
    with office.browser(CHIEF, {"en": "zh", "zh": "en"}[language]) as chief:
        own = chief.get(f"/r/{report.id}/do/edit").text
        assert ' lang="' not in own[own.index("<main") : own.index("</main>")], "in its own language it says nothing"


OWN_LABELS = [
    (
        "en",
        {"instruct": "instruction", "reply": "reply", "comment": "comment"},
        "reason for the return",
        "Reason for the return",
    ),
    ("zh", {"instruct": "批示内容", "reply": "办复内容", "comment": "批注内容"}, "退回意见", "退回意见"),
]


@pytest.mark.parametrize(("language", "labels", "reason", "said"), OWN_LABELS)
def test_a_field_is_called_by_what_it_is_in_its_act(
    language: str, labels: dict[str, str], reason: str, said: str
) -> None:
    """The text of an instruction, a reply and a comment is called so, also where it is missing; so is a reason."""
    office = Office()
    report = office.report()
    with office.browser(CHIEF, language) as chief:
        form = chief.get(f"/r/{report.id}/do/return")
        assert f'<label for="f-_reason">{reason}</label>' in form.text
        assert chief.submit(form, {"_reason": "字数不足。"}).status_code == 200
        assert f'<span class="soft">{said}</span>' in chief.get(f"/r/{report.id}").text
        office.flow.fire(report.id, "revise", Revision(text="改。"), by=QIAN)
        office.flow.fire(report.id, "edit", Revision(text="再改。"), by=CHIEF)
        office.flow.fire(report.id, "review", by=WANG)
        adoption = Adoption(body="市政协", level="city", carrier="《协商建言》", issue="第21期")
        office.flow.fire(report.id, "adopt", adoption, by=CHIEF)
        table = chief.get("/lifecycle/report").text
        for trigger, label in labels.items():
            form = chief.get(f"/r/{report.id}/do/{trigger}")
            assert f'<label for="f-text">{label}' in form.text
            assert label in table
        assert labels["comment"] in summary_of(chief.submit(form))
