"""Differences of two texts as HTML."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow.analysis.wording import differences
from reportflow.i18n.catalog import STANDARD
from reportflow.web.diffing import diff_markup, sides, summary_text
from reportflow.web.markup import lang_of
from reportflow.web.words import Words

CHUNKS = [
    "路灯不亮。",
    "路灯不太亮。",
    "建议：由市住建局修；",
    "尽快。\n",
    "\n\n",
    "<script>alert(1)</script>",
    "&amp; ",
    "\"'>",
    "x",
]
TEXTS = st.lists(st.sampled_from(CHUNKS), max_size=12).map("".join)


def words(language: str = "zh") -> Words:
    """The words of a language."""
    return Words(STANDARD, language, UTC, {}, datetime(2022, 4, 27, tzinfo=UTC))


def read(markup: str, *without: str) -> str:
    """What a browser shows of some HTML, but for some elements and the words for readers who see no colours."""
    markup = re.sub(r'<span class="visually-hidden">.*?</span>|<summary>.*?</summary>|<h2.*?</h2>', "", markup)
    for tag in without:
        markup = re.sub(rf"<{tag}[^>]*>.*?</{tag}>", "", markup)
    return re.sub(r"\s|¶", "", unescape(re.sub(r"<[^>]*>", "", markup)))


@given(TEXTS, TEXTS)
def test_both_texts_are_in_the_difference(old: str, new: str) -> None:
    """Without what is struck, the difference reads as the new text; without what is underlined, as the old one."""
    markup = str(diff_markup(old, new, words()))
    assert read(markup, "del") == re.sub(r"\s", "", new)
    assert read(markup, "ins") == re.sub(r"\s", "", old)
    before, after = str(sides(old, new, words())).split("</section>")[:2]
    assert (read(before), read(after)) == (re.sub(r"\s", "", old), re.sub(r"\s", "", new))
    assert "<script" not in markup + before + after


def test_a_change_is_said_in_words_too() -> None:
    """Who sees no colours hears what was added and removed."""
    markup = diff_markup("增加夜间巡查频次。", "由公安部门增派夜间巡查频次。", words())
    assert '<del><span class="visually-hidden">删除：</span>增加</del>' in markup
    assert '<ins><span class="visually-hidden">新增：</span>由公安部门增派</ins>' in markup
    moved = diff_markup("第一句话。第二句话很长。第三句话。", "第三句话。第一句话。第二句话很长。", words("en"))
    assert '<ins class="moved"><span class="visually-hidden">moved here: </span>第三句话。</ins>' in moved
    assert '<del class="moved"><span class="visually-hidden">moved away: </span>第三句话。</del>' in moved


def test_long_unchanged_stretches_are_folded() -> None:
    """Of many unchanged paragraphs those beside a change are shown, the others are folded, and nothing is lost."""
    same = [f"第{number}段，" + "字" * 60 + "。" for number in range(8)]
    markup = diff_markup("\n".join([*same, "旧的结尾。"]), "\n".join([*same, "新的结尾在此。"]), words())
    assert markup.count("<details") == 1
    assert "未修改的7段" in markup
    assert read(markup, "del") == "".join([*same, "新的结尾在此。"])
    assert "<details" not in diff_markup(
        "\n".join(same), "\n".join(same), words()
    )  # where nothing changed, all is shown
    short = diff_markup("甲。\n乙。\n丙。\n丁。", "甲。\n乙。\n丙。\n戊己。", words())
    assert "<details" not in short


def test_a_replaced_paragraph_stays_one() -> None:
    """A paragraph that another one replaces is shown with it, without an empty one between."""
    markup = diff_markup("此段讲的是旧事。\n结尾。", "另写一些全新内容\n结尾。", words())
    assert markup.count("<p>") == 2
    assert markup.index("此段讲的是旧事") < markup.index("另写一些全新内容") < markup.index("</p>")


def test_a_new_line_end_is_seen() -> None:
    """A paragraph that was only parted is shown so."""
    assert "<ins" in diff_markup("第一句。第二句。", "第一句。\n第二句。", words())


@pytest.mark.parametrize(
    ("old", "new", "zh", "en"),
    [
        ("一句话说完。", "一句话已经说完。另有一件新事。", "1句修改，1句新增", "1 sentence(s) changed, 1 added"),
        ("一句。二句。", "一句。", "1句删除", "1 removed"),
        ("第一句话。第二句话。", "第二句话。第一句话。", "1句移动", "1 moved"),
        ("一。", "一。", "文字没有改动。", "The wording did not change."),
    ],
)
def test_a_summary_counts_sentences(old: str, new: str, zh: str, en: str) -> None:
    """How much changed is said in both languages."""
    assert summary_text(differences(old, new), words()) == zh
    assert summary_text(differences(old, new), words("en")) == en


def test_chinese_on_an_english_page_says_so() -> None:
    """A Chinese text gets its own fonts on a page of another language; Japanese is none."""
    assert lang_of("路灯", language="en") == ' lang="zh-Hans"'
    assert not lang_of("路灯", language="zh")
    assert not lang_of("lamps", language="en")
    assert not lang_of("街灯のこと", language="en")
    assert lang_of("Eight lamps.", language="zh") == ' lang="en"'
    for text in ("第3盏 lamp", "2022-081", "A4 PDF", "", "Фонари", "Lumières", "街灯のこと", "八盏"):
        assert not lang_of(text, language="zh")
