"""What the tests of bad input share: an office with one report, checks of errors, and junk of every type."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from datetime import UTC, timedelta, timezone
from typing import Any

import attrs
from hypothesis import strategies as st

from reportflow import (
    STANDARD,
    Actor,
    Fire,
    Happened,
    Interval,
    InvalidValue,
    Query,
    Record,
    ReportFlow,
    ReportflowError,
    TransitionRefused,
)
from reportflow.office import REPORT, Author, Level, Merge, Report, Revision

MIB = 1 << 20
ZHANG = Actor(id="zhang", name="张三", roles={"contributor"}, unit="yulin")
LI = Actor(id="li", roles={"editor"}, unit="yulin")
WANG = Actor(id="wang", roles={"reviewer"}, unit="yulin")


def draft(**fields: Any) -> Report:
    """A draft that is in order, but for these fields."""
    return Report.draft(**{"title": "校园安全", "text": "…", "authors": [Author(name="张三", id="zhang")], **fields})


HOUR = timedelta(hours=1)


@attrs.frozen
class Office:
    """A flow with one report: `old` is version 1, `now` is version 2, edited."""

    flow: ReportFlow
    old: Report
    now: Report

    @property
    def id(self) -> str:
        return self.now.id

    def fire(self, target: object = None, trigger: object = "edit", details: object = None, **more: Any) -> object:
        """Fire a transition of the report by its id, as the editor, unless other arguments are given."""
        more.setdefault("by", LI)
        at = self.id if target is None else target
        given = Revision(text="again") if details is None and trigger == "edit" else details
        return self.flow.fire(at, trigger, given, **more)  # type: ignore[call-overload]  # bad input is the point

    def content(self) -> object:
        """Everything that the store holds."""
        store = self.flow.store
        return store.find(Query(limit=10_000)).records, store.feed(limit=10_000)


def set_up(flow: ReportFlow) -> Office:
    """An office with its one report."""
    old = flow.create(draft(), by=ZHANG)
    now = flow.fire(old, "edit", Revision(text="edited"), by=LI, key="used")
    return Office(flow=flow, old=old, now=now)


def clear(error: ReportflowError, *words: str) -> None:
    """The error has these words; in both languages it names its record, version, field or URL, and fills all gaps.

    A creation has no record, and so no version.

    The text for a clerk has the label of the field.
    """
    english, chinese = str(error), error.message("zh", reader="developer")
    for word in words:
        assert word in english
    assert re.search("[\u4e00-\u9fff]", chinese)
    for text in (english, chinese, error.message("en"), error.message("zh")):
        assert not re.search(r"\{[a-z_]*\}", text), "a gap was not filled"
    for name, value in vars(error).items():
        if (
            value is not None
            and (name, value) != ("version", 0)
            and name
            in {
                "id",
                "version",
                "seen",
                "stored",
                "url",
                "found",
                "expected",
                "package",
                "ids",
                "keys",
            }
        ):
            for one in value if isinstance(value, tuple) else [value]:
                assert str(one) in english
                assert str(one) in chinese or one == "unknown"
    if isinstance(error, InvalidValue):
        assert english.startswith(error.field)
        assert chinese.startswith(error.field)
        assert error.message("en").startswith(f"'{STANDARD.label('field', error.field, 'en')}' ")
        assert error.message("zh").startswith(f"“{STANDARD.label('field', error.field, 'zh')}”")


def refused(codes: set[str]) -> Callable[[ReportflowError], None]:
    """Expect `TransitionRefused` with just these codes."""

    def check(error: ReportflowError) -> None:
        assert isinstance(error, TransitionRefused)
        assert {one.code for one in error.refusals} == codes

    return check


def invalid(field: str, problem: str) -> Callable[[ReportflowError], None]:
    """Expect `InvalidValue` about this field."""

    def check(error: ReportflowError) -> None:
        assert isinstance(error, InvalidValue)
        assert (error.field, error.problem) == (field, problem)
        assert error.field in str(error)

    return check


def exactly(kind: type[ReportflowError]) -> Callable[[ReportflowError], None]:
    """Expect an error of just this class."""

    def check(error: ReportflowError) -> None:
        assert type(error) is kind

    return check


class Junk(enum.Enum):
    A = 1


TEXTS = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    ["", " ", "\0", "\ud800", "edit", "review", "draft", "kind"]
)
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.binary(max_size=8),
    TEXTS,
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.sampled_from([UTC, timezone(8 * HOUR), timezone(-8 * HOUR)])),
    st.timedeltas(),
    st.sampled_from([object(), Junk.A, Junk, Level.CITY, Report, Revision, len, ..., NotImplemented]),
)
JUNK: st.SearchStrategy[Any] = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=3),
    st.tuples(SCALARS),
    st.frozensets(TEXTS, max_size=3),
    st.dictionaries(TEXTS, SCALARS, max_size=3),
    st.lists(st.lists(SCALARS, max_size=2), min_size=1, max_size=2),
    st.builds(draft),
    st.sampled_from(
        [
            Record(),
            Record(id="x", kind="report", state="draft", version=1),
            Revision(text="x"),
            Merge(target="x"),
            ZHANG,
            LI,
            Query(),
            Interval(),
            Happened(),
            REPORT,
            Fire("x", "edit", by=LI),
        ]
    ),
)
