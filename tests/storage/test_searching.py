"""Texts are searched without regard to case, and every store finds the same ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import MemoryStore, Query, Record, SqlStore, Store
from reportflow.model.query import folded
from reportflow.office import REPORT, Author, Report
from reportflow.testing.acts import created

#: Letters with a case, some whose case is several letters, and such as are none.
LETTERS = "aAéÉßẞſsSkKK σςΣοΟıIİiǅǆǄﬁfiｗＷдД榆%_\\*[\u0301\x1f\n"
STORES: list[Callable[[], Store]] = [MemoryStore, lambda: SqlStore("sqlite://", REPORT.classes)]


def report(id: str, title: str, text: str) -> Record:
    """A report with these texts."""
    return Report(id=id, title=f"«{title}", text=f"{text}»", authors=[Author(name="a")])


@pytest.mark.parametrize("store", STORES, ids=["memory", "sqlite"])
@given(
    texts=st.lists(st.tuples(st.text(LETTERS, max_size=4), st.text(LETTERS, max_size=4)), min_size=1, max_size=4),
    sought=st.sets(st.text(LETTERS, min_size=1, max_size=3), min_size=1, max_size=3),
)
def test_texts_are_found_in_any_case(
    store: Callable[[], Store], texts: list[tuple[str, str]], sought: set[str]
) -> None:
    """A text is found where its folding stands in that of the title or of the text, and nowhere else."""
    kept = {f"r{number}": pair for number, pair in enumerate(texts)}
    with_case = {
        id
        for id, (title, text) in kept.items()
        if any(folded(one) in folded(body) for one in sought for body in (f"«{title}", f"{text}»"))
    }
    opened = store()
    try:
        opened.commit([created(report(id, *pair)) for id, pair in kept.items()])
        assert {one.id for one in opened.find(Query(text=sought))} == with_case
        assert {one.id for one in opened.find(Query(text={one.swapcase() for one in ("«", *sought)}))} == set(kept)
    finally:
        opened.close()
