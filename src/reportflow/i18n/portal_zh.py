"""The same texts in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Room -> name -> text, as in `reportflow.i18n.zh`.
TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    # every page
    "portal.page": {
        "site": "社情民意信息",
        "skip": "跳到正文",
        "navigation": "主要栏目",
        "nav_work": "待办",
        "nav_find": "全部信息",
        "nav_new": "撰写",
        "nav_year": "年度统计",
        "nav_lifecycle": "办理流程",
        "nav_audit": "查阅核验",
        "theme_auto": "跟随系统",
        "theme_light": "浅色",
        "theme_dark": "深色",
        "sign_out": "退出",
        "not_secret": "本系统为非涉密系统，严禁录入、上传涉密信息",
        "zone": "时间按{zone}显示",
        "nameless": "（姓名不详）",
        "late": "超期{days}天",
        "due_soon": "{date}到期",
        "due": "时限{date}",
        "pages": "翻页",
        "next": "下一页",
    },
    # what went wrong
    "portal.error": {
        "title_400": "内容无法识别",
        "detail_400": "请返回并重新打开页面，再试一次。",
        "title_401": "请先登录",
        "detail_401": "您尚未登录，或登录已过期，请登录后继续。",
        "title_403": "此操作不是从您的页面发出的",
        "detail_403": "未作任何改动。请返回并重新打开页面，再提交一次。",
        "title_404": "没有此页",
        "detail_404": "页面可能已移动，或您无权查阅，请核对网址。",
        "title_405": "此页不支持该操作",
        "detail_405": "请返回，使用页面上的按钮办理。",
        "title_412": "他人已先修改",
        "detail_412": "请重新打开页面，对照后再办理。",
        "title_413": "内容过大",
        "detail_413": "未保存。请压缩正文，或选择较小的文件。",
        "title_415": "不接收此类数据",
        "detail_415": "请使用规定的数据格式。",
        "title_429": "操作过于频繁",
        "detail_429": "请稍候再试。",
        "title_500": "系统出现问题",
        "detail_500": "本次操作未保存。请稍后再试；再次出现时请告知管理员。",
        "title_503": "系统正忙",
        "detail_503": "本次操作未保存，请稍后再试。",
        "sign_in": "登录",
        "sign_in_new": "登录（在新标签页打开）",
        "back": "返回待办",
        "expired_title": "登录已过期：内容没有丢失，尚未提交",
        "expired_detail": "请在新标签页重新登录，再回到本页提交。",
        "expired_files": "届时请重新选择文件：{files}。",
        "expired_typed": "您填写的内容",
        "send_again": "重新提交",
    },
    # my work
    "portal.work": {
        "empty": "没有待办事项。",
    },
    # lists, search, saved views
    "portal.find": {},
    # the page of a record
    "portal.record": {},
    # forms and receipts
    "portal.form": {},
    # drafts, conflicts, people who are at the same form
    "portal.together": {},
    # the year
    "portal.year": {},
    # the lifecycle
    "portal.lifecycle": {},
    # the auditor's view
    "portal.audit": {},
    # the log-in of the demonstration
    "portal.demo": {},
}
