"""A report's whole way by eight people, from a phone to the year's page; each page in both languages and looks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from reportflow import Actor, open_flow
from reportflow.office import REPORT
from tests.web.browser.conftest import Served, Someone
from tests.web.browser.walking import TICKED, Walk

UNIT = "office"
TEXT = (
    "据市政协委员何晓燕反映，全市12个县市区中仅3个设有儿科夜间门诊，去冬就诊高峰时平均候诊3.5小时。\n"
    "主要问题：一是夜间儿科医师不足；二是信息发布不及时。\n"
    "建议：一是由市卫健委牵头，年内在4家县级医院开设夜间门诊；二是每日公布接诊安排。"
)
EDITED = TEXT.replace("去冬就诊高峰时", "2021年冬季就诊高峰时").replace("不足；", "不足，轮班困难；")


def person(id: str, name: str, post: str, *roles: str) -> Actor:
    """A person of the office."""
    return Actor(id=id, name=name, post=post, roles=set(roles), unit=UNIT)


PEOPLE = {
    one.id: one
    for one in (
        person("he", "何晓燕", "市政协委员", "contributor"),
        person("li", "李娜", "编辑", "editor"),
        person("ma", "马岩", "编辑", "editor"),
        person("wang", "王强", "科长", "reviewer"),
        person("chen", "陈静", "文书", "registrar"),
        person("gao", "高燕", "文书", "registrar"),
        person("sun", "孙立民", "副秘书长", "auditor", "reviewer"),
        person("tian", "田卫东", "系统管理员", "auditor"),
    )
}


@pytest.mark.parametrize(
    ("language", "locale", "dark"), [("zh", "zh-CN", False), ("en", "en-GB", True)], ids=["zh", "en"]
)
def test_the_whole_way_of_a_report(
    serve: Callable[..., Served],
    someone: Callable[..., Someone],
    shots: Path,
    tmp_path: Path,
    language: str,
    locale: str,
    dark: bool,
) -> None:
    """From a contributor's phone to the serial, the province, a department, a leader and the year: by eight people."""
    with open_flow(f"sqlite:///{tmp_path / 'office.db'}", zone="Asia/Shanghai", people=PEOPLE) as flow:
        served = serve(flow, PEOPLE)
        at = {id: someone(served, id, language=locale, dark=dark, phone=id == "he") for id in PEOPLE}
        walk = Walk(REPORT, language, shots)
        title = "关于增设儿科夜间门诊缓解就诊难的建议"
        walk.judged(at["he"].go(), "contributor-first-page")
        walk.create(at["he"], "create", {"title": title, "text": TEXT})
        inbox = at["li"].go()
        walk.judged(inbox, "inbox")
        expect(inbox.get_by_role("link", name=title)).to_be_visible()
        walk.act(at["li"], "classify", {"number": "2026-001"})
        walk.act(at["ma"], "assign")
        walk.act(at["li"], "edit", {"text": EDITED})
        walk.judged(at["wang"].go(f"/r/{walk.id}/changes"), "changes")
        walk.act(at["wang"], "comment", {"text": "候诊时间请注明来源。"})
        walk.act(at["sun"], "review")
        adoption = {"body": "市政协", "level": "city", "carrier": "《协商建言》", "issue": "2026年第21期"}
        walk.act(at["chen"], "adopt", adoption)
        walk.act(at["chen"], "forward", {"to": "省政协", "level": "province", "upward": TICKED})
        walk.act(at["chen"], "adopt", {"body": "省政协", "level": "province"})
        walk.act(at["gao"], "forward", {"to": "市卫健委", "level": "city"})
        walk.act(at["gao"], "reply", {"department": "市卫健委", "text": "已增设夜间门诊2个。"})
        walk.act(at["chen"], "instruct", {"leader": "市政府分管领导", "level": "city", "text": "请市卫健委阅研。"})
        record = at["he"].go(f"/r/{walk.id}")
        walk.judged(record, "what-became-of-it")
        expect(record.get_by_text("请市卫健委阅研。").first).to_be_visible()
        walk.judged(at["he"].go(f"/r/{walk.id}/print"), "print")
        for path, name in (("/find", "find"), ("/year", "year"), ("/lifecycle/report", "lifecycle"), ("/new", "new")):
            walk.judged(at["chen"].go(path), name)
        audit = at["tian"].go("/audit")
        walk.judged(audit, "audit")
        assert flow.verify().ok
        assert flow.get(walk.id, by=PEOPLE["li"]).state == "instructed"


def test_an_own_lifecycle_has_its_pages(
    serve: Callable[..., Served], someone: Callable[..., Someone], shots: Path, tmp_path: Path
) -> None:
    """A lifecycle of one's own is walked through without a line for the web, and counted by trigger and state."""
    from own_lifecycle import DELIVERY, PROCUREMENT

    people = {
        id: Actor(id=id, name=name, post=post, roles={role}, unit=UNIT)
        for id, name, post, role in (
            ("zhou", "周敏", "科员", "requester"),
            ("wu", "吴磊", "采购员", "buyer"),
            ("zheng", "郑洁", "部门负责人", "manager"),
        )
    }
    with open_flow(
        f"sqlite:///{tmp_path / 'own.db'}", lifecycles=(PROCUREMENT, DELIVERY), zone="Asia/Shanghai", people=people
    ) as flow:
        served = serve(flow, people)
        at = {id: someone(served, id, phone=id == "zhou") for id in people}
        walk = Walk(PROCUREMENT, "zh", shots)
        walk.judged(at["zhou"].go("/new"), "own-new")
        walk.create(at["zhou"], "request", {"title": "打印机", "estimate": "8000"})
        walk.judged(at["wu"].go(), "own-inbox")
        walk.act(at["wu"], "offer", {"supplier": "甲公司", "price": "7800.50"})
        walk.act(at["zheng"], "approve", {"supplier": "甲公司"})
        walk.act(at["wu"], "order", {"number": "2026-07"})
        walk.judged(at["zhou"].go(f"/r/{walk.id}"), "own-record")
        assert flow.get(walk.id, by=people["wu"]).state == "ordered"
        for path, name in (("/year", "year"), ("/lifecycle/procurement", "lifecycle"), ("/find?kind=delivery", "find")):
            walk.judged(at["wu"].go(path), f"own-{name}")
        year = at["wu"].go("/year")
        for trigger in ("request", "offer", "approve", "order"):
            expect(year.get_by_text(walk.label("trigger", trigger)).first).to_be_visible()
