"""Cursors of any content, on a store that matches in Python and on one that queries a database."""

from __future__ import annotations

import base64
import json

from hypothesis import example, given
from hypothesis import strategies as st

from reportflow import InvalidValue, MemoryStore, Query, SqlStore, Store

STORES: tuple[Store, ...] = (MemoryStore(), SqlStore("sqlite://"))

plain = st.none() | st.booleans() | st.integers() | st.floats() | st.characters() | st.text(max_size=5)
ORDER = "created_at,id"


def _cursor(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def _problem(store: Store, cursor: str) -> str | None:
    """What is wrong with a cursor, as a store sees it."""
    try:
        store.find(Query(cursor=cursor))
    except InvalidValue as error:
        return f"{error.field}: {error.problem}"
    return None


@given(st.text() | st.recursive(plain, lambda inner: st.lists(inner, max_size=4)).map(_cursor))
@example(_cursor([ORDER, "\ud800", "x"]))
@example(_cursor([ORDER, "\0", "x"]))
@example(_cursor([ORDER, "x"]))
@example(_cursor([ORDER, "x", 1]))
@example(base64.urlsafe_b64encode(b"[" * 100_000).decode())
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    """Any text that is no cursor is `InvalidValue`, and never another error."""
    try:
        Query(cursor=cursor)
    except InvalidValue:
        return
    assert [_problem(store, cursor) for store in STORES] == ["cursor: cursor"] * 2


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5))
def test_a_forged_place_is_a_place(text: str) -> None:
    """A cursor of the query's order at a position that no record has is a position, for each store alike."""
    assert [_problem(store, _cursor([ORDER, text, text])) for store in STORES] == [None] * 2
