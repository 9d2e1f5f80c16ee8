"""What two texts differ in, and how two changes of one text become one."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow.analysis.sentences import sentences
from reportflow.analysis.wording import (
    Clash,
    Merged,
    Span,
    Summary,
    differences,
    merge,
    new_text,
    old_text,
    summary,
)

CHUNKS = [
    "路灯不亮。",
    "路灯不太亮。",
    "建议：",
    "由市住建局修；",
    "尽快。\n",
    "\n",
    "A lamp is out. ",
    "Mend it! ",
    "“好。”",
    "x",
    " ",
]
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(CHUNKS), max_size=14).map("".join))


@given(TEXTS)
def test_sentences_are_the_text(text: str) -> None:
    """The sentences of a text, joined, are the text, and none is empty."""
    assert "".join(sentences(text)) == text
    assert all(sentences(text))


@given(TEXTS, TEXTS)
def test_differences_hold_both_texts(old: str, new: str) -> None:
    """Without what was added, differences are the old text; without what was removed, the new one."""
    spans = differences(old, new)
    assert (old_text(spans), new_text(spans)) == (old, new)
    assert all(one.text for one in spans)
    assert all(one.kind != other.kind for one, other in pairwise(spans))
    assert all(number >= 0 for number in summary(spans))


@given(TEXTS)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    """Equal texts have no difference."""
    assert differences(text, text) == ((Span("same", text),) if text else ())
    assert summary(differences(text, text)) == (0, 0, 0, 0)


@given(TEXTS, TEXTS)
def test_who_changed_alone_is_followed(base: str, other: str) -> None:
    """Where one side changed nothing, or both the same, the merged text is the other's, without a clash."""
    for merged in (merge(base, base, other), merge(base, other, base), merge(base, other, other)):
        assert merged == Merged(other, ())


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8, unique=True), st.data())
def test_changes_of_different_sentences_are_merged(numbers: list[int], data: st.DataObject) -> None:
    """Where two people changed different sentences, both changes are in the merged text."""
    base = [f"第{one}条意见。" for one in numbers]
    whose = [data.draw(st.sampled_from(["mine", "theirs", "nobody"])) for _ in base]

    def changed(*by: str) -> str:
        return "".join(f"{one[:-1]}（已改）。" if who in by else one for one, who in zip(base, whose, strict=True))

    assert merge("".join(base), changed("mine"), changed("theirs")) == Merged(changed("mine", "theirs"), ())


@given(TEXTS, TEXTS, TEXTS)
def test_nothing_written_is_lost(base: str, mine: str, theirs: str) -> None:
    """Without a clash the merged text is the same whoever is called mine; a clash is one for both."""
    one, other = merge(base, mine, theirs), merge(base, theirs, mine)
    assert [(clash.mine, clash.theirs) for clash in one.clashes] == [(two.theirs, two.mine) for two in other.clashes]
    if not one.clashes:
        assert one.text == other.text


def test_a_clash_keeps_mine_and_names_theirs() -> None:
    """Where both changed a sentence, mine stands in the text, and theirs is named; the rest is merged."""
    merged = merge("一。二。三。", "一。二甲。三。", "零。一。二乙。三。")
    assert merged == Merged("零。一。二甲。三。", (Clash("二甲。", "二乙。"),))
    both = merge("一。", "一。我加。", "一。他加。")
    assert both == Merged("一。我加。", (Clash("我加。", "他加。"),))


def test_a_chinese_edit_is_shown_by_characters_without_islands() -> None:
    """A single equal character between two changes belongs to them."""
    spans = differences("增加夜间巡查频次。", "由公安部门在重点时段增派夜间巡查频次。")
    assert spans == (
        Span("removed", "增加"),
        Span("added", "由公安部门在重点时段增派"),
        Span("same", "夜间巡查频次。"),
    )
    assert summary(spans) == Summary(1, 0, 0, 0)


def test_words_and_numbers_of_other_scripts_stay_whole() -> None:
    """A word or a number is never taken apart."""
    spans = differences(
        "The lamps of the old street are dark, 3.5 km.", "The lights of the old street are dark, 3.6 km."
    )
    assert [span.text for span in spans if span.kind != "same"] == ["lamps", "lights", "3.5", "3.6"]


def test_a_rewritten_sentence_is_replaced_as_a_whole() -> None:
    """Sentences that have little in common are shown one instead of the other, beside one that changed a little."""
    old = "城区路灯损坏较多。群众意见很大。建议抓紧维修。"
    new = "城区路灯损坏较多。据统计共有一百二十盏。建议由市住建局抓紧维修。"
    spans = differences(old, new)
    assert Span("removed", "群众意见很大。") in spans
    assert summary(spans) == Summary(1, 1, 1, 0)


def test_the_same_characters_in_another_order_are_no_edit() -> None:
    """Sentences of the same characters that read otherwise are shown one instead of the other."""
    assert differences("甲乙丙丁戊己庚辛。", "辛庚己戊丁丙乙甲。") == (
        Span("removed", "甲乙丙丁戊己庚辛。"),
        Span("added", "辛庚己戊丁丙乙甲。"),
    )


def test_a_sentence_that_stands_elsewhere_was_moved() -> None:
    """An equal sentence at another place is no new one."""
    old, new = "第一句话。第二句话很长。第三句话。", "第三句话。第一句话。第二句话很长。"
    spans = differences(old, new)
    assert {span.kind for span in spans} == {"same", "moved", "moved_away"}
    assert summary(spans) == Summary(0, 0, 0, 1)
    beside = differences("甲句在此。乙句在此。旧的内容。", "新写一段话。旧的内容也变。甲句在此。")
    assert (old_text(beside), new_text(beside)) == (
        "甲句在此。乙句在此。旧的内容。",
        "新写一段话。旧的内容也变。甲句在此。",
    )


def test_a_sentence_cut_short_has_changed() -> None:
    """A sentence from which only something was removed has changed, and so has one that only grew; blanks are none."""
    assert summary(differences("路灯已经坏了很久，无人修。完。", "路灯已经坏了很久。完。")) == (1, 0, 0, 0)
    assert summary(differences("路灯坏了很久。完。", "城区路灯坏了很久。完。")) == (1, 0, 0, 0)
    assert summary(differences("一句话说完。", "一句话说完。\n\n再来一句不同内容。")) == (0, 1, 0, 0)
    assert summary(differences("", "一。二。")) == (0, 2, 0, 0)


def _half(text: str) -> str:
    return text[: len(text) // 2]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("字" * 1_000_000, "字" * 999_999 + "好"),
        ("a\n" * 500_000, "a\n" * 499_000 + "b\n" * 9),
        ("一二。" * 300_000, "二一。" * 300_000),
        (". " * 500_000, "a. " * 300_000),
        ("".join(f"{one}号，" for one in range(150_000)), "".join(f"{one}号，" for one in reversed(range(150_000)))),
        ("".join(f"{one}号。" for one in range(9_000)), "".join(f"{one * 7919 % 9001}号。" for one in range(9_000))),
        tuple("".join("甲乙丙"[one * step % 11 % 3] for one in range(3_900)) for step in (3, 5)),
    ],
    ids=["one sentence", "one line", "one another", "dots", "commas", "shuffled", "tokens"],
)  # fmt: skip
def test_no_text_takes_long(old: str, new: str) -> None:
    """A megabyte is compared, counted and merged in moderate time, whatever it consists of."""
    started = time.process_time()
    spans = differences(old, new)
    summary(spans)
    merge(old, new, _half(old))
    assert time.process_time() - started < 5  # about 0.3 s; the limit is for machines that are busy
    assert (old_text(spans), new_text(spans)) == (old, new)
