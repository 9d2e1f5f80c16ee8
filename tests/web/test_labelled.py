"""Codes by their labels: topics are read and typed in words, and kept as codes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reportflow.i18n.catalog import STANDARD
from reportflow.office.report import REPORT
from reportflow.web.labelled import code_of, label_of
from reportflow.web.words import Words


def words(language: str) -> Words:
    """The words of a language."""
    return Words(STANDARD, language, UTC, {REPORT.name: REPORT}, datetime(2026, 11, 28, tzinfo=UTC))


@pytest.mark.parametrize(("language", "label"), [("zh", "文化旅游"), ("en", "culture and tourism")])
def test_a_code_is_shown_and_typed_by_its_label(language: str, label: str) -> None:
    """A topic is shown by its label, and its label comes back to the code, whatever the case of its letters."""
    t = words(language)
    assert label_of("culture_tourism", "topics", t, (REPORT,)) == label
    assert code_of(f" {label.upper()} ", "topics", t, (REPORT,)) == "culture_tourism"


def test_a_label_of_another_language_is_known_too() -> None:
    """Who changes the language of a form half way loses nothing."""
    assert code_of("文化旅游", "topic", words("en"), (REPORT,)) == "culture_tourism"


def test_what_has_no_label_stays_as_it_is() -> None:
    """A topic of the office's own is kept and shown as it was typed."""
    t = words("zh")
    assert code_of("数字政府", "topics", t, (REPORT,)) == "数字政府"
    assert label_of("数字政府", "topics", t, (REPORT,)) == "数字政府"


def test_a_label_that_two_codes_share_is_shown_for_one_of_them_only() -> None:
    """A form that is sent unchanged changes no code."""
    catalog = STANDARD.with_texts({"topic.a": {"en": "same"}, "topic.b": {"en": "same"}})
    t = Words(catalog, "en", UTC, {REPORT.name: REPORT}, datetime(2026, 11, 28, tzinfo=UTC))
    shown = [label_of(code, "topics", t, (REPORT,)) for code in ("a", "b")]
    assert [code_of(one, "topics", t, (REPORT,)) for one in shown] == ["a", "b"]
