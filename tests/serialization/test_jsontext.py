"""JSON is written and read as `json` does it, whatever the text."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reportflow.serialization.jsontext import json_text, parse_json

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=10,
)


def outcome(read: Callable[[str], Any], text: str) -> Any:
    """What reading a text gives: a value, or that it is refused."""
    try:
        return "read", read(text)
    except ValueError:
        return ("refused",)


@given(value=plain)
def test_plain_data_is_written_as_json_does_without_blanks(value: Any) -> None:
    """The text is that of `json.dumps` without blanks and with every character as it is, and comes back equal."""
    text = json_text(value)
    assert text == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert parse_json(text) == value


@given(
    before=st.sampled_from(["", " ", "\n\t", "\ufeff", "x", "{"]), value=plain, behind=st.sampled_from(["", " ", "}"])
)
@example(before="", value=[], behind=" []")
def test_a_text_is_read_or_refused_as_by_json(before: str, value: Any, behind: str) -> None:
    """Blanks around a text do not matter; what stands there beside makes it no JSON."""
    text = before + json.dumps(value) + behind
    assert outcome(parse_json, text) == outcome(json.loads, text)


@pytest.mark.parametrize("text", ["", " ", "tru", "[1", "[1]]", '"', "1 2", "nul", "{'a': 1}", "[" * 9])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    """A text that was altered or cut is refused with `ValueError`."""
    with pytest.raises(ValueError, match="line 1"):
        parse_json(text)
