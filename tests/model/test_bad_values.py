"""Bad values: each is `InvalidValue` with its field where it is built."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import Actor, Happened, Interval, InvalidValue, MemoryStore, Query, ReportFlow, replay
from reportflow.office import REPORT, Adoption, Attachment, Author, Rejection, Report, Revision
from tests.bad_input import JUNK, MIB, clear, draft, invalid

#: How a value is built -> the field and the problem.
VALUES: dict[str, tuple[Callable[[], object], str, str]] = {
    "a blank title": (lambda: draft(title=" \n"), "title", "blank"),
    "a blank text": (lambda: draft(text=""), "text", "blank"),
    "no title": (lambda: Report.draft(text="x", authors=[]), "title", "missing_field"),  # type: ignore[call-arg]  # bad input
    "no author": (lambda: draft(authors=[]), "authors", "empty"),
    "authors None": (lambda: draft(authors=None), "authors", "empty"),
    "authors as text": (lambda: draft(authors="zhang"), "authors", "type"),
    "topics None": (lambda: draft(topics=None), "topics", "type"),
    "topics a number": (lambda: draft(topics=5), "topics", "type"),
    "a mistyped field": (lambda: draft(tilte="x"), "tilte", "unknown_field"),
    "a state in a draft": (lambda: draft(state="edited"), "state", "set_by_flow"),
    "a version in a draft": (lambda: draft(version=3), "version", "set_by_flow"),
    "an unknown secrecy": (lambda: draft(secrecy="x"), "secrecy", "choice"),
    "an unknown source": (lambda: draft(source="x"), "source", "choice"),
    "a naive due date": (lambda: draft(due_at=datetime(2022, 1, 1)), "due_at", "naive"),
    "a text as due date": (lambda: draft(due_at="2022"), "due_at", "type"),
    "NUL in a text": (lambda: draft(text="a\0b"), "text", "nul"),
    "NUL in a topic": (lambda: draft(topics=["a\0b"]), "topics", "nul"),
    "a lone surrogate in a text": (lambda: draft(text="a\udc00"), "text", "surrogate"),
    "a text too long": (lambda: draft(text="x" * (MIB + 1)), "text", "too_long"),
    "a Chinese text too long": (lambda: draft(text="好" * (MIB // 3 + 1)), "text", "too_long"),
    "a title too long": (lambda: draft(title="x" * (MIB + 1)), "title", "too_long"),
    "a revision too long": (lambda: Revision(text="x" * (MIB + 1)), "text", "too_long"),
    "an author without name": (lambda: Author(name=" "), "name", "blank"),
    "a file of negative size": (
        lambda: Attachment(name="a", media_type="b", size=-1, sha256="0" * 64),
        "size",
        "negative",
    ),
    "a file without digest": (lambda: Attachment(name="a", media_type="b", size=1, sha256="x"), "sha256", "digest"),
    "a rejection without ground": (lambda: Rejection(code=""), "code", "blank"),
    "an actor without id": (lambda: Actor(id=" "), "id", "blank"),
    "a number as actor's id": (lambda: Actor(id=5), "id", "type"),  # type: ignore[arg-type]  # bad input
    "roles None": (lambda: Actor(id="a", roles=None), "roles", "type"),  # type: ignore[arg-type]  # bad input
    "roles of numbers": (lambda: Actor(id="a", roles=[5]), "roles", "type"),  # type: ignore[list-item]  # bad input
    "roles of lists": (lambda: Actor(id="a", roles=[[]]), "roles", "type"),  # type: ignore[list-item]  # bad input
    "an unknown clearance": (lambda: Actor(id="a", clearance="x"), "clearance", "choice"),
    "a page of no size": (lambda: Query(limit=0), "limit", "range"),
    "a page too large": (lambda: Query(limit=10_001), "limit", "range"),
    "a text as limit": (lambda: Query(limit="5"), "limit", "type"),  # type: ignore[arg-type]  # bad input
    "an unknown order": (lambda: Query(order="nope"), "order", "choice"),
    "a number as order": (lambda: Query(order=5), "order", "type"),  # type: ignore[arg-type]  # bad input
    "a number as kind": (lambda: Query(kind=5), "kind", "type"),
    "numbers as kinds": (lambda: Query(kind=[5]), "kind", "type"),
    "lists as kinds": (lambda: Query(kind=[[]]), "kind", "type"),
    "a text as interval": (lambda: Query(created_at="2022"), "created_at", "type"),  # type: ignore[arg-type]  # bad input
    "a naive interval": (lambda: Interval(datetime(2022, 1, 1)), "start", "naive"),
    "an interval that ends before its start": (
        lambda: Interval(datetime(2023, 1, 1, tzinfo=UTC), datetime(2022, 1, 1, tzinfo=UTC)),
        "interval",
        "interval",
    ),
    "a year out of range": (lambda: Interval.year(0, UTC), "year", "range"),
    "a flow without a store": (lambda: ReportFlow(None, REPORT), "store", "type"),  # type: ignore[arg-type]  # bad input
    "a URL as store": (lambda: ReportFlow("memory:", REPORT), "store", "type"),  # type: ignore[arg-type]  # bad input
    "a flow of numbers": (lambda: ReportFlow(MemoryStore(), [5]), "lifecycles", "type"),  # type: ignore[list-item]  # bad input
    "a history of nothing": (lambda: replay([], REPORT), "history", "history"),
}


@pytest.mark.parametrize("case", VALUES)
def test_a_bad_value_cannot_be_built(case: str) -> None:
    """A value that may not be stored is refused where it is built, and the error names its field."""
    build, field, problem = VALUES[case]
    with pytest.raises(InvalidValue) as caught:
        build()
    invalid(field, problem)(caught.value)
    clear(caught.value)


@pytest.mark.parametrize(
    ("build", "fields"),
    [
        (Report.draft, {"title": "t", "text": "x", "authors": [Author(name="a")]}),
        (Actor, {"id": "a"}),
        (Author, {"name": "a"}),
        (Attachment, {"name": "a", "media_type": "b", "size": 1, "sha256": "0" * 64}),
        (Revision, {"text": "x"}),
        (Adoption, {"body": "a", "level": "city"}),
        (Query, {}),
        (Happened, {}),
        (Interval, {}),
    ],
    ids=lambda given: getattr(given, "__qualname__", ""),
)
@given(data=st.data())
def test_junk_in_a_value_is_invalid(build: Callable[..., Any], fields: dict[str, Any], data: st.DataObject) -> None:
    """With any fields, a value is built, or it is `InvalidValue`."""
    cls: Any = getattr(build, "__self__", build)
    known = [field.alias for field in attrs.fields(cls)]
    junk = data.draw(st.dictionaries(st.sampled_from(known), JUNK, min_size=1, max_size=3))
    with contextlib.suppress(InvalidValue):
        assert isinstance(build(**{**fields, **junk}), cls)
