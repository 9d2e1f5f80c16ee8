"""The pages of a record: what they show, to whom, and what they leave out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
import sqlalchemy as sa

from reportflow import (
    OWN,
    PARTY,
    SAME,
    UNIT,
    Actor,
    Details,
    DirectoryFiles,
    Entry,
    Lifecycle,
    Person,
    Record,
    Secrecy,
    State,
    Step,
    StorageUnavailable,
    Transition,
    open_async_flow,
    open_flow,
)
from reportflow.model.attachment import Attachment
from reportflow.office import (
    REPORT,
    Adoption,
    Assignment,
    Author,
    Classification,
    Comment,
    Erasure,
    Forwarding,
    Instruction,
    Merge,
    Reply,
    Report,
    Retraction,
    Revision,
    Supplement,
)
from reportflow.web import portal
from reportflow.web.portal_store import PortalStore
from tests.web.client import Client


def person(id: str, name: str, post: str, *roles: str, **more: Any) -> Actor:
    """A person of the office."""
    return Actor(id=id, name=name, post=post, roles=roles, **{"unit": "u", "clearance": "secret", **more})


QIAN = person("p-qian", "钱学礼", "", "contributor", clearance="internal")
LI = person("p-li", "李娜", "编辑", "editor")
WANG = person("p-wang", "王强", "副主任", "reviewer")
CHEN = person("p-chen", "陈静", "文书", "registrar")
AUDITOR = person("p-audit", "赵敏", "", "auditor")
STRANGER = person("p-far", "远方", "", "editor", unit="elsewhere")
PEOPLE = {one.id: one for one in (QIAN, LI, WANG, CHEN, AUDITOR, STRANGER)}
TEXT = "全市12个县市区中仅4个设有儿科夜间门诊。\n建议：一是由卫健委牵头，增设夜间门诊；二是加强培训。"
EDITED = "我市12个县市区中仅4个设有儿科夜间门诊。\n建议：一是由市卫健委牵头，年内增设夜间门诊；二是加强培训。"
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF\n"


class Office:
    """A portal on a flow, and a browser for each person."""

    def __init__(self, flow: Any, **settings: Any) -> None:
        self.flow = flow
        self.app = portal(flow, authenticate=lambda request: PEOPLE.get(request.headers.get("who", "")), **settings)

    @contextmanager
    def as_seen_by(self, who: Actor, language: str = "zh") -> Iterator[Client]:
        """A browser of a person."""
        with Client(self.app, language=language, headers={"who": who.id}) as client:
            yield client

    def get(self, address: str, who: Actor = LI, language: str = "zh", status: int = 200) -> str:
        """One page, as a person sees it."""
        with self.as_seen_by(who, language) as client:
            page = client.get(address)
            assert page.status_code == status, page.text
            return page.text


def main_of(page: str) -> str:
    """The content of a page, each run of blanks as one."""
    return re.sub(r"\s+", " ", page[page.index("<main") : page.index("</main>")])


def reads(page: str) -> str:
    """What a page's content says, without its elements."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", main_of(page)))


def handed_in(flow: Any, **more: Any) -> Report:
    """A report."""
    draft: dict[str, Any] = {
        "title": "关于增设儿科夜间门诊的建议",
        "text": TEXT,
        "authors": [Author(name="钱学礼", id=QIAN.id, unit="市第一医院"), Author(name="孙丽")],
        **more,
    }
    made: Report = flow.create(Report.draft(**draft), by=QIAN)
    return made


@pytest.fixture(name="office")
def fixture_office(tmp_path: Path) -> Office:
    """An office with files."""
    flow = open_flow("memory:", files=DirectoryFiles(tmp_path / "files"), zone="Asia/Shanghai", people=PEOPLE)
    return Office(flow)


def lived(flow: Any) -> str:
    """A report that went all the way; gives its id."""
    file = flow.upload(PDF, name="门诊 “情况”.pdf", by=QIAN)
    one = handed_in(flow, attachments=[file])
    other = handed_in(flow, title="儿童夜间就诊难亟待解决")
    due = datetime.now(UTC) + timedelta(days=9)
    flow.fire(one.id, "classify", Classification(number="2022-081", category="医疗卫生"), by=LI)
    flow.fire(one.id, "assign", Assignment(assignee=LI.id, due_at=due), by=CHEN)
    flow.fire(one.id, "edit", Revision(text=EDITED), by=LI)
    flow.fire(other.id, "merge", Merge(target=one.id), by=LI)
    flow.fire(one.id, "comment", Comment(text="数字已核对。", internal=True), by=LI)
    flow.fire(one.id, "review", by=WANG)
    flow.fire(one.id, "adopt", Adoption(body="市政协", level="city", carrier="《协商建言》", issue="第21期"), by=CHEN)
    wrong = flow.fire(one.id, "forward", Forwarding(to="市教育局", level="city"), by=CHEN)
    flow.fire(one.id, "retract", Retraction(sequence=wrong.version), by=CHEN, reason="误登")
    flow.fire(one.id, "forward", Forwarding(to="省政协", level="province", upward=True), by=CHEN)
    flow.fire(one.id, "instruct", Instruction(leader="市委主要领导", level="city", text="请卫健委阅研。"), by=CHEN)
    flow.fire(one.id, "reply", Reply(department="市卫健委", text="已增设2个。", result="solved"), by=CHEN)
    return str(one.id)


def test_a_whole_life_is_on_the_page(office: Office) -> None:
    """Number, authors, text, people with posts, what became of it, files, merged reports: all by name, no id."""
    id = lived(office.flow)
    page = office.get(f"/r/{id}")
    said = reads(page)
    for text in (
        "2022-081", "钱学礼（市第一医院）、孙丽", "责任编辑 编辑李娜", "文书陈静", "副主任王强", "医疗卫生",
        "编发 《协商建言》第21期，单篇采用", "报送 省政协", "市委主要领导批示：“请卫健委阅研。”",
        "市卫健委：已增设2个。（已解决）", "门诊 “情况”.pdf", "并入的来稿 儿童夜间就诊难亟待解决", "数字已核对。",
        "仅限编辑、审核人、文书、查阅人查阅", "误登", "系统办理",
    ):  # fmt: skip
        assert text.replace("“", "“") in said.replace("&#34;", '"'), text
    assert re.search(r"<del>.*市教育局</del>", main_of(page))
    for one in PEOPLE:
        assert one not in main_of(page)
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", said)


def test_english_says_the_same(office: Office) -> None:
    """The page is there in English, with Chinese texts marked as such."""
    page = office.get(f"/r/{lived(office.flow)}", language="en")
    for text in ("You can now", "What became of it", "Attachments", "Particulars", "History", "李娜 编辑"):
        assert text in page
    assert '<section class="card paper" lang="zh-Hans"' in page


def test_acts_come_first_and_the_rest_says_why(office: Office) -> None:
    """What one may do comes before the text; what others may do, and what nobody may do now, says why."""
    one = handed_in(office.flow)
    office.flow.fire(one.id, "edit", Revision(text=EDITED), by=LI)
    page = main_of(office.get(f"/r/{one.id}?from=%2Ffind%3Fstate%3Ddraft"))
    assert page.index("可办理") < page.index("须由他人办理") < page.index("本环节不能办理") < page.index("我市12个县")
    assert f'href="/r/{one.id}/do/edit?from=%2Ffind%3Fstate%3Ddraft"' in page
    assert 'class="button primary"' in page
    assert "李娜是此件的编辑人" in page  # more than the role is in the way: all of it is said
    assert "由文书办理。" in page
    assert "credit" not in page.replace("并入的来稿", "")  # what only steps do is not offered
    assert '<a href="/find?state=draft">返回列表</a>' in page
    for hostile in ("//evil.test", "https://evil.test/", "javascript:alert(1)"):
        assert "evil" not in main_of(office.get(f"/r/{one.id}?from={hostile}"))


def test_who_can_do_nothing_is_told_so() -> None:
    """A person who may do nothing reads that, and no empty list."""
    ends = Lifecycle(
        name="note", version=1, record=Record, roles={"editor": UNIT}, states=[State("there", final=True)],
        transitions=[Transition("put", source=None, dest="there", roles={"editor"})],
    )  # fmt: skip
    office = Office(open_flow("memory:", lifecycles=[ends]))
    note = office.flow.create(Record.draft(kind="note"), by=LI)
    page = office.get(f"/r/{note.id}")
    assert "没有需要您办理的事项" in page
    assert "须由他人办理" not in page
    assert office.get(f"/r/{note.id}/print")
    assert "文字没有改动" in office.get(f"/r/{note.id}/changes")


def test_a_reason_stands_on_top_for_its_author(office: Office) -> None:
    """The reason of a return is on top of the page of everybody who may see it, with who gave it."""
    one = handed_in(office.flow)
    office.flow.fire(one.id, "return", by=LI, reason="请补充数字来源。")
    page = main_of(office.get(f"/r/{one.id}", QIAN))
    assert page.index("请补充数字来源。") < page.index("可办理")
    assert "编辑李娜" in page


def test_what_is_for_the_office_is_not_for_the_author(office: Office) -> None:
    """An internal remark is neither on the author's page nor in the numbers of it."""
    id = lived(office.flow)
    page = office.get(f"/r/{id}/history", QIAN)
    assert "数字已核对" not in page
    assert "数字已核对" in office.get(f"/r/{id}/history", LI)


def test_a_late_fact_shows_both_days(office: Office) -> None:
    """What happened on one day and was entered on another shows both; the printed words follow the act's direction."""
    one = handed_in(office.flow, source="public")
    office.flow.fire(one.id, "edit", Revision(text=EDITED, title="新题"), by=attrs.evolve(LI, on_behalf_of=WANG.id))
    page = reads(office.get(f"/r/{one.id}"))
    assert "编辑李娜（代副主任王强）" in page
    assert "《新题》" in page
    old = datetime(2022, 4, 27, 9, tzinfo=UTC)
    late = office.flow.create(
        Report.draft(title="旧件", text="一。", authors=[Author(name="甲")]), by=LI, at=old
    )  # fmt: skip
    page = reads(office.get(f"/r/{late.id}"))
    assert re.search(r"2022-04-27 17:00 登记于\d{4}-", page)


def test_a_due_date_says_who_set_it(office: Office) -> None:
    """Beside the due date stands the act that set it."""
    one = handed_in(office.flow)
    office.flow.fire(one.id, "assign", Assignment(due_at=datetime.now(UTC) + timedelta(days=30)), by=CHEN)
    assert re.search(r"（文书陈静\d{4}年\d+月\d+日指定责任编辑）", reads(office.get(f"/r/{one.id}")))


def test_what_changed_since_one_acted(office: Office) -> None:
    """By default one sees what changed since one's own last act; in three views; with who changed it."""
    one = handed_in(office.flow)
    office.flow.fire(one.id, "edit", Revision(text=EDITED, title="增设儿科夜间门诊"), by=LI)
    office.flow.fire(one.id, "return", by=WANG, reason="数字？")
    office.flow.fire(one.id, "revise", Revision(text=EDITED.replace("仅4个", "仅5个")), by=QIAN)
    page = main_of(office.get(f"/r/{one.id}/changes", LI))
    assert "<del><span" in page
    assert "我</ins>" not in page  # that was before
    assert "1句修改" in page
    first = main_of(office.get(f"/r/{one.id}/changes", QIAN))  # the author's own act is the last one: the text before
    assert first.count("<ins>") == 1
    whole = main_of(office.get(f"/r/{one.id}/changes?from=4&to=1"))
    whose = reads(whole + "</main>")
    assert re.search(r"仅5个设有儿科夜间门诊。 钱学礼", whose)
    assert re.search(r"年内增设夜间门诊； 编辑李娜", whose)
    assert "我</ins>" in whole
    assert "编辑李娜" in whole
    assert "钱学礼" in whole
    assert "关于增设儿科夜间门诊的建议" in reads(whole + "</main>")
    assert 'class="sides"' in office.get(f"/r/{one.id}/changes?from=1&view=sides")
    result = main_of(office.get(f"/r/{one.id}/changes?from=1&view=result"))
    assert "<ins" not in result
    assert "仅5个" in result
    assert "合并显示" in office.get(f"/r/{one.id}/changes?view=nonsense")
    assert "文字没有改动" in office.get(f"/r/{one.id}/changes?from=2&to=2")


def test_a_record_is_shown_as_it_was(office: Office) -> None:
    """An earlier version has its own text, and says that it is an earlier one; of others there is no page."""
    one = handed_in(office.flow)
    office.flow.fire(one.id, "edit", Revision(text=EDITED), by=LI)
    then = main_of(office.get(f"/r/{one.id}/at/1"))
    assert "全市12个" in then
    assert "此后已有改动" in then
    assert "即现在的稿件" in office.get(f"/r/{one.id}/at/2")
    for number in ("0", "3", "-1", "x", "²", "9" * 30, "1.0", ""):
        office.get(f"/r/{one.id}/at/{number}", status=404)
    for query in ("from=9", "to=0", "from=x"):
        office.get(f"/r/{one.id}/changes?{query}", status=404)


def test_an_unread_entry_has_no_name_but_its_number(office: Office) -> None:
    """A version made by an entry that the reader may not read is named by its number only."""
    id = lived(office.flow)
    entries = office.flow.history(id, by=LI)
    hidden = next(entry.sequence for entry in entries if entry.audience)
    assert f"第{hidden}项办理后" in office.get(f"/r/{id}/at/{hidden}", QIAN)
    page = office.get(f"/r/{id}/changes?from={hidden}", QIAN)
    assert f"第{hidden}项办理后" in page
    assert "批注" not in page


def test_the_printed_page_is_the_official_one(office: Office) -> None:
    """The printed page has the mark, the number, title, text, the authors with their units before, and the files."""
    said = reads(office.get(f"/r/{lived(office.flow)}/print"))
    assert "内部资料 注意保存" in said
    assert "（反映人：市第一医院 钱学礼，孙丽）" in said
    assert "附件：门诊" in said
    assert said.index("2022-081") < said.index("我市12个") < said.index("反映人")


@pytest.mark.parametrize("page", ["", "/print"])
@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("zh", ("内部资料 注意保存", "社情民意信息", "来稿编号2022-081", "榆林市政协")),
        ("en", ("Internal. Keep safe.", "Report", "No. 2022-081", "Yulin")),
    ],
)
def test_printed_pages_have_the_masthead(page: str, language: str, parts: tuple[str, ...]) -> None:
    """Mark, name, number, office and the day of the text stand in this order over the title, in each language."""
    flow = open_flow("memory:", zone="Asia/Shanghai", people=PEOPLE, files=None)
    office = Office(flow, title={"zh": "榆林市政协", "en": "Yulin"})
    one = handed_in(flow)
    flow.fire(one.id, "classify", Classification(number="2022-081", secrecy="internal"), by=LI)
    edited = flow.fire(one.id, "edit", Revision(text=EDITED), by=LI)
    flow.fire(one.id, "review", by=WANG)
    text = office.get(f"/r/{one.id}{page}", language=language)
    head = re.sub(r"\s+", " ", text[text.index('class="masthead"') : text.index("<h1")])
    assert edited.updated_at is not None
    local = edited.updated_at.astimezone(ZoneInfo("Asia/Shanghai"))
    day = f"{local.year}年{local.month}月{local.day}日" if language == "zh" else f"{local.day} {local:%B %Y}"
    places = [head.index(part) for part in (*parts, day)]
    assert places == sorted(places)
    assert ('lang="zh-Hans"' in head) is False, "all of it is in the words of the page"


def test_the_masthead_of_an_own_table(office: Office) -> None:
    """A secret report has its secrecy for a mark; a record without number, office or text has the rest of the head."""
    one = handed_in(office.flow)
    office.flow.fire(one.id, "classify", Classification(secrecy="secret"), by=LI)
    head = office.get(f"/r/{one.id}/print").partition('class="masthead"')[2].partition("<h1")[0]
    assert "机密" in head
    assert "内部资料" not in head
    flow = open_flow("memory:", lifecycles=[LOAN, REPORT], zone="Asia/Shanghai")
    made = flow.create(drawn_up(), by=LI, trigger="add")
    head = Office(flow).get(f"/r/{made.id}/print").partition('class="masthead"')[2].partition("<h1")[0]
    assert "借出物" in head
    assert "masthead-number" not in head


def test_a_file_is_saved_and_never_shown(office: Office) -> None:
    """A file comes as an attachment of its name, in a sandbox; of other digests there is none."""
    id = lived(office.flow)
    with office.as_seen_by(QIAN) as client:
        link = re.search(r'href="(/r/[^"]+/file/[^"]+)"', client.get(f"/r/{id}").text)
        assert link
        file = client.get(link[1])
        assert file.content == PDF
        assert file.headers["Content-Disposition"].startswith("attachment; filename=")
        assert "filename*=UTF-8''%E9%97%A8" in file.headers["Content-Disposition"]
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in file.headers["Content-Security-Policy"]
        head = client.request("HEAD", link[1])
        assert (head.status_code, head.content) == (200, b"")
        for wrong in ("0" * 64, "x", "~2E~2E"):
            assert client.get(f"/r/{id}/file/{wrong}").status_code == 404
    with office.as_seen_by(STRANGER) as client:
        assert client.get(link[1]).status_code == 404


def test_without_files_none_is_linked() -> None:
    """Where the host keeps the files itself, they are named, and not linked."""
    office = Office(open_flow("memory:"))
    one = handed_in(office.flow)
    file = Attachment(name="a.pdf", media_type="application/pdf", size=1, sha256="0" * 64)
    office.flow.fire(one.id, "supplement", Supplement(attachments=(file,)), by=LI)
    page = main_of(office.get(f"/r/{one.id}"))
    assert "a.pdf" in page
    assert "/file/" not in page
    office.get(f"/r/{one.id}/file/{'0' * 64}", status=404)


@pytest.mark.parametrize("page", ["", "/history", "/changes", "/at/1", "/print", f"/file/{'0' * 64}"])
def test_hidden_and_missing_are_alike(office: Office, page: str) -> None:
    """A record that one may not see and one that is not there have the same answer."""
    one = handed_in(office.flow)
    hidden = office.get(f"/r/{one.id}{page}", STRANGER, status=404)
    missing = office.get(f"/r/nothing{page}", STRANGER, status=404)

    def bare(text: str) -> str:
        return re.sub(r'value="[^"]*"', "", text.replace(one.id, "nothing"))

    assert bare(hidden) == bare(missing)


def test_a_merged_report_that_one_may_not_see_is_not_named(office: Office) -> None:
    """Of a secret report that was merged into one, the author of the other reads nothing."""
    one = handed_in(office.flow)
    secret = office.flow.create(
        Report.draft(title="密件标题", text="密。", authors=[Author(name="甲")], secrecy="secret"), by=LI
    )
    office.flow.fire(secret.id, "merge", Merge(target=one.id), by=LI)
    assert "密件标题" not in office.get(f"/r/{one.id}", QIAN)
    with office.as_seen_by(LI) as client:
        page = client.get(f"/r/{one.id}")
        assert "密件标题" in page.text
        assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("page", ["", "/history", "/changes?from=1", "/at/1", "/print"])
def test_reading_what_is_secret_is_noted_first(office: Office, page: str) -> None:
    """Each page of a secret record notes who read it, no browser keeps it, and without the note nothing is shown."""
    one = handed_in(office.flow)
    office.flow.fire(one.id, "classify", Classification(secrecy="secret"), by=LI)
    with office.as_seen_by(LI) as client:
        answer = client.get(f"/r/{one.id}{page}")
        assert answer.headers["Cache-Control"] == "no-store"
        assert "ETag" not in answer.headers
    noted = asyncio.run(office.app.site.kept.readings([one.id]))
    assert [(reading.actor, reading.name, reading.secrecy) for reading in noted] == [(LI.id, "李娜", Secrecy.SECRET)]

    async def broken(*_: object, **__: object) -> None:
        raise StorageUnavailable("sqlite:///gone.db", "gone")

    office.app.site.kept.note_readings = broken  # type: ignore[method-assign]  # a database that is gone
    assert "儿科" not in office.get(f"/r/{one.id}{page}", LI, status=503)


def test_what_was_secret_once_is_noted(office: Office) -> None:
    """A record whose secrecy was lowered is secret in its old versions: reading those is noted."""
    one = handed_in(office.flow)
    for secrecy in ("secret", "internal"):
        office.flow.fire(one.id, "classify", Classification(secrecy=secrecy), by=LI)
    with office.as_seen_by(LI) as client:
        assert client.get(f"/r/{one.id}/at/2").headers["Cache-Control"] == "no-store"
    assert len(asyncio.run(office.app.site.kept.readings([one.id]))) == 1
    office.get(f"/r/{one.id}/at/2", QIAN, status=404)
    office.get(f"/r/{one.id}/at/1", QIAN)


def test_a_page_that_did_not_change_is_not_sent_again(office: Office) -> None:
    """The page has a tag that changes with the record, and with who reads it."""
    one = handed_in(office.flow)
    with office.as_seen_by(LI) as client:
        tag = client.get(f"/r/{one.id}").headers["ETag"]
        assert client.get(f"/r/{one.id}", headers={"If-None-Match": tag}).status_code == 304
        office.flow.fire(one.id, "comment", Comment(text="新批注"), by=WANG)
        assert client.get(f"/r/{one.id}", headers={"If-None-Match": tag}).status_code == 200
    with office.as_seen_by(WANG) as client:
        assert client.get(f"/r/{one.id}", headers={"If-None-Match": tag}).status_code == 200


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}\u202e\u0000"[:-1]


def test_hostile_texts_are_shown_as_they_are(office: Office) -> None:
    """Whatever people write into any field, no page has an element of theirs."""
    evil = person("p-evil", HOSTILE, HOSTILE, "contributor", "editor", "registrar", "reviewer")
    PEOPLE[evil.id] = evil
    try:
        flow = office.flow
        draft = Report.draft(
            title=HOSTILE, text=HOSTILE * 5, authors=[Author(name=HOSTILE, unit=HOSTILE)], topics=[HOSTILE],
            category=HOSTILE[:40], origin=HOSTILE,
        )  # fmt: skip
        id = flow.create(draft, by=evil).id
        flow.fire(id, "edit", Revision(text=HOSTILE * 4 + "b", title=HOSTILE + "b"), by=LI)
        flow.fire(id, "comment", Comment(text=HOSTILE), by=evil)
        flow.fire(id, "return", by=evil, reason=HOSTILE)
        for page in ("", "/history", "/changes?from=1", "/changes?from=1&view=sides", "/at/1", "/print"):
            for language in ("zh", "en"):
                text = office.get(f"/r/{id}{page}", evil, language)
                assert "<script>alert" not in text
                assert "<img" not in text
                assert "{{7*7}}" in text
    finally:
        del PEOPLE[evil.id]


def test_what_was_erased_is_gone_from_all_pages(office: Office) -> None:
    """After an erasure no page of the record has the erased text."""
    one = handed_in(office.flow)
    office.flow.fire(one.id, "edit", Revision(text=EDITED), by=LI)
    office.flow.fire(one.id, "erase", Erasure(fields=("text", "authors")), by=CHEN, reason="本人要求")
    for page in ("", "/history", "/changes?from=1", "/at/1", "/print"):
        text = office.get(f"/r/{one.id}{page}", CHEN)
        assert "儿科夜间门诊。" not in text
        assert "市第一医院" not in text


def test_a_very_long_text_is_compared_in_time(office: Office) -> None:
    """A text of a megabyte without a sentence end is answered."""
    one = handed_in(office.flow, text="字" * 300_000)
    office.flow.fire(one.id, "edit", Revision(text="字" * 299_999 + "好"), by=LI)
    assert "好" in office.get(f"/r/{one.id}/changes")


def test_a_long_history_is_shown_in_part(office: Office) -> None:
    """The page shows the latest entries, and leads to all of them."""
    one = handed_in(office.flow)
    for number in range(25):
        office.flow.fire(one.id, "comment", Comment(text=f"第{number:02}条批注"), by=LI)
    page = office.get(f"/r/{one.id}")
    assert "第24条批注" in page
    assert "第03条批注" not in page
    assert "全部办理过程（26项）" in page
    assert "第03条批注" in office.get(f"/r/{one.id}/history")


# -- statements ----------------------------------------------------------------------------------------------------


def test_no_page_needs_many_statements(tmp_path: Path) -> None:
    """Each page of a record needs twelve statements at the most, the note of a secret one included."""
    url = f"sqlite:///{tmp_path}/office.db"
    files = DirectoryFiles(tmp_path / "files")
    with open_flow(url, create=True, files=files) as flow:  # nobody says who exists: names come from the history
        store: Any = flow.store
        said: list[str] = []
        sa.event.listen(
            store.engine, "connect", lambda connection, _: connection.set_trace_callback(said.append)
        )  # fmt: skip
        store.engine.dispose()
        office = Office(flow, portal_store=PortalStore(store.engine))
        id = lived(flow)
        flow.fire(id, "classify", Classification(secrecy="secret"), by=LI)
        office.get(f"/r/{id}")  # makes the tables of the portal
        for page in ("", "/history", "/changes?from=1&to=6", "/at/2", "/print"):
            said.clear()
            office.get(f"/r/{id}{page}")
            asked = [one for one in said if one.lstrip().upper().startswith(("SELECT", "WITH", "INSERT", "UPDATE"))]
            assert 0 < len(asked) <= 12, (page, asked)
            if page in ("", "/history", "/print"):
                assert len(set(asked)) == len(asked), (page, asked)  # nothing is asked twice


# -- an own lifecycle ------------------------------------------------------------------------------------------------


class Size(StrEnum):
    """How large."""

    SMALL = "small"
    LARGE = "large"


@attrs.frozen(kw_only=True)
class Part(Details):
    """A part of a loan."""

    thing: str
    count: int = 1


@attrs.frozen(kw_only=True)
class Loan(Record):
    """Something that is lent: no text, no authors."""

    worth: Decimal
    back_on: date | None = None
    size: Size = Size.SMALL
    fragile: bool = False
    parts: tuple[Part, ...] = ()
    extra: Mapping[str, str] = attrs.field(factory=dict)
    terms: str = ""


@attrs.frozen(kw_only=True)
class Lending(Details):
    """To whom it is lent."""

    to: str = attrs.field(metadata=PARTY)
    terms: str = ""
    until: date | None = None
    parts: tuple[Part, ...] = ()


def _receipt(before: Record, entry: Entry) -> Step:
    return Step(target=Loan.draft(kind="loan", title="收据", parent=before.id, worth=Decimal(1)), trigger="derive")


LOAN = Lifecycle(
    name="loan", version=1, record=Loan, roles={"contributor": OWN, "editor": UNIT},
    states=[State("in", awaits={"editor"}, label={"en": "in", "zh": "在库"}), State("out", final=True, label="out")],
    labels={"field.worth": {"en": "worth", "zh": "价值"}, "size.large": {"en": "large one", "zh": "大件"}},
    label={"en": "loan", "zh": "借出物"},
    transitions=[
        Transition(
            "add", source=None, dest="in", roles={"editor"},
            accepts={"title", "worth", "back_on", "size", "fragile", "parts", "extra", "terms"},
        ),
        Transition("derive", source=None, dest="in", roles={"editor"}, accepts={"title", "parent", "worth"}),
        Transition("lend", source="in", dest="out", roles={"editor"}, details=Lending, sets={"terms": "terms"},
                   label={"en": "lend", "zh": "借出"}, then=_receipt),
        Transition("take", source="out", dest="in", roles={"editor"}, reason_required=True),
        Transition("ask", source={"in", "out"}, dest=SAME, roles={"contributor"}),
    ],
)  # fmt: skip


def drawn_up() -> Record:
    """A thing."""
    return Loan.draft(
        kind="loan", title="投影仪", worth=Decimal("18.50"), back_on=date(2022, 5, 1), size=Size.LARGE, fragile=True,
        parts=(Part(thing="镜头"), Part(thing="线", count=3)), extra={"颜色": "黑"}, terms="轻拿轻放。" * 30,
    )  # fmt: skip


def check_own(office: Office, id: str) -> list[str]:
    """Every page of such a record; those beside its own page, in both languages."""
    page = reads(office.get(f"/r/{id}"))
    for text in (
        "价值 18.50",
        "2022-05-01",
        "大件",
        "镜头，1；线，3",
        "颜色：黑",
        "借出 to",
        "市档案馆",
        "收据",
        "out",
    ):
        assert text.replace(" to", "") in page, text
    assert page.count("请在五月前归还。") == 1  # it is the record's text now: the history only links to it
    beside = [
        office.get(f"/r/{id}{address}", language=language)
        for address in ("/history", "/print", "/at/1", "/changes?from=1", "/changes?from=1&view=sides")
        for language in ("zh", "en")
    ]
    assert "轻拿轻放" in office.get(f"/r/{id}/at/1")
    assert "<del>" in office.get(f"/r/{id}/changes?from=1")
    return beside


def test_an_own_lifecycle_has_all_pages() -> None:
    """A lifecycle with classes of its own, without texts or authors, has every page, without a further line."""
    flow = open_flow("memory:", lifecycles=[LOAN, REPORT])
    office = Office(flow)
    made = flow.create(drawn_up(), by=LI, trigger="add")
    flow.fire(made.id, "lend", Lending(to="市档案馆", terms="请在五月前归还。\n谢谢。"), by=LI)
    pages = check_own(office, made.id)
    assert ["投影仪" in main_of(page) for page in pages] == [True] * 10


@pytest.mark.parametrize(("language", "said"), [("en", "to be back on: 2022-05-01"), ("zh", "应还：2022-05-01")])
def test_a_field_of_an_own_act_has_its_own_label(language: str, said: str) -> None:
    """What the catalog calls a field of one act stands in the history, before what it calls the field elsewhere."""
    labels = {"field.lend.until": {"en": "to be back on", "zh": "应还"}, "field.until": {"en": "until", "zh": "至"}}
    flow = open_flow("memory:", lifecycles=[attrs.evolve(LOAN, labels={**LOAN.labels, **labels})])
    made = flow.create(drawn_up(), by=LI, trigger="add")
    flow.fire(made.id, "lend", Lending(to="市档案馆", until=date(2022, 5, 1)), by=LI)
    assert said in reads(Office(flow).get(f"/r/{made.id}", language=language))


def test_an_asynchronous_flow_has_the_same_pages(tmp_path: Path) -> None:
    """On an asynchronous flow the pages are the same, files too."""
    files = DirectoryFiles(tmp_path)

    async def fill() -> tuple[Any, str, str, str]:
        flow = open_async_flow("memory:", lifecycles=[LOAN, REPORT], files=files)
        made = await flow.create(drawn_up(), by=LI, trigger="add")
        await flow.fire(made.id, "lend", Lending(to="市档案馆", terms="请在五月前归还。\n谢谢。"), by=LI)
        file = await flow.upload(PDF, name="a.pdf", by=LI)
        draft = Report.draft(title="甲", text="乙。", authors=[Author(name="丙")], attachments=[file])
        report = await flow.create(draft, by=LI)
        return flow, made.id, report.id, file.sha256

    flow, id, report, digest = asyncio.run(fill())
    office = Office(flow)
    check_own(office, id)
    with office.as_seen_by(LI) as client:
        assert client.get(f"/r/{report}/file/{digest}").content == PDF


def test_people_whom_the_host_names_are_shown_by_name() -> None:
    """An assignee who never acted is called what the host calls them; who has no name is not shown by an id."""
    people: dict[str, Person | Actor | str] = {
        LI.id: LI,
        CHEN.id: CHEN,
        "p-new": Person("周平", "科员"),
        "p-blank": Person(""),
    }
    office = Office(open_flow("memory:", people=people))
    made = office.flow.create(
        Report.draft(title="一", text="二。", authors=[Author(name="甲")]), by=attrs.evolve(LI, name="")
    )
    for id, name in (("p-new", "科员周平"), ("p-blank", "")):
        office.flow.fire(made.id, "assign", Assignment(assignee=id), by=CHEN)
        page = office.get(f"/r/{made.id}")
        assert name in page
        assert id not in main_of(page)
    assert "编辑李娜" in page
