"""Values are checked once, when they are built, with the field named."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Any, Literal, cast

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    Actor,
    Command,
    Details,
    Entry,
    Happened,
    Interval,
    InvalidDefinition,
    InvalidValue,
    Page,
    Query,
    Record,
    Secrecy,
    Value,
)
from reportflow.i18n.catalog import STANDARD
from reportflow.model.values import (
    changed,
    field_names,
    maker,
    plainly_built,
)
from reportflow.office import Attachment, Author, Comment, Level, Report, Revision
from reportflow.serialization.plain import to_plain

NOW = datetime(2022, 3, 1, tzinfo=UTC)
#: The longest text, in bytes of UTF-8.
TEXT_LIMIT = 1 << 20
ANN = Actor(id="ann")


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


@attrs.frozen(kw_only=True)
class Checked(Details):
    """One field of each kind that can be stored."""

    text: str = ""
    number: int = 0
    share: float = 0.0
    amount: Decimal = Decimal(0)
    day: date = date(2022, 1, 1)
    time: datetime = NOW
    flag: bool = False
    mood: Mood = Mood.GOOD
    words: tuple[str, ...] = ()
    pair: tuple[int, str] = (0, "")
    some: frozenset[int] = frozenset()
    table: Mapping[str, int] = attrs.field(factory=dict)
    maybe: str | None = None
    either: int | str = 0
    choice: Literal["a", "b"] = "a"
    author: Author = attrs.field(factory=lambda: Author(name="x"))
    anything: Any = None


def refused(call: Callable[[], object]) -> tuple[str, str]:
    """The field and the problem with which something is refused."""
    with pytest.raises(InvalidValue) as raised:
        call()
    assert raised.value.field in str(raised.value)
    assert STANDARD.label("field", raised.value.field) in raised.value.message()
    return raised.value.field, raised.value.problem


# ---------------------------------------------------------------------------------------------------------------
# Times


def entry(**changes: Any) -> Entry:
    """An entry, with some changes."""
    fields = {"record_id": "r", "sequence": 1, "trigger": "t", "source": None, "dest": "d", "actor": ANN}
    return Entry(**{**fields, "at": NOW, "recorded_at": NOW, **changes})


@given(naive=st.datetimes())
def test_a_naive_time_is_refused_everywhere(naive: datetime) -> None:
    """A time without a time zone is `naive` in every field, which is named."""
    cases: list[tuple[str, Callable[[], object]]] = [
        ("due_at", lambda: Record.draft(due_at=naive)),
        ("at", lambda: entry(at=naive)),
        ("recorded_at", lambda: entry(recorded_at=naive)),
        ("now", lambda: Command(trigger="t", actor=ANN, now=naive)),
        ("at", lambda: Command(trigger="t", actor=ANN, now=NOW, at=naive)),
        ("start", lambda: Interval(naive)),
        ("end", lambda: Interval(None, naive)),
        ("time", lambda: Checked(time=naive)),
    ]
    for field, call in cases:
        assert refused(call) == (field, "naive")


_zones = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))


@given(time=st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31), timezones=_zones))
def test_an_aware_time_is_the_same_moment_in_utc(time: datetime) -> None:
    """A time in any zone is stored as the same moment in UTC."""
    stored = Record.draft(due_at=time).due_at
    assert stored == time
    assert stored is not None
    assert stored.tzinfo is UTC


@pytest.mark.parametrize(("year", "hours"), [(1, 12), (9999, -12)])
def test_a_time_out_of_the_range_of_utc_is_refused(year: int, hours: int) -> None:
    """A time outside the years 1 to 9999 in UTC is `time_range`, no foreign error."""
    zone = timezone(timedelta(hours=hours))
    edge = datetime(year, 1, 1, tzinfo=zone) if year == 1 else datetime(year, 12, 31, 23, tzinfo=zone)
    for call in (lambda: Record.draft(due_at=edge), lambda: entry(at=edge), lambda: Interval(edge)):
        assert refused(call)[1] == "time_range"


def test_an_interval_has_its_start_and_not_its_end() -> None:
    """A year holds its first moment in its zone and not the first of the next; open ends hold everything."""
    zone = timezone(timedelta(hours=8))
    year = Interval.year(2022, zone)
    assert datetime(2022, 1, 1, tzinfo=zone) in year
    assert datetime(2022, 12, 31, 23, 59, 59, tzinfo=zone) in year
    assert datetime(2023, 1, 1, tzinfo=zone) not in year
    assert datetime(2021, 12, 31, 17, tzinfo=UTC) in year
    assert NOW in Interval()
    assert NOW not in Interval(end=NOW)
    assert NOW in Interval(NOW)
    assert "2022" not in year


@given(start=st.datetimes(timezones=st.just(UTC)), end=st.datetimes(timezones=st.just(UTC)))
def test_an_interval_does_not_end_before_it_starts(start: datetime, end: datetime) -> None:
    """An interval whose end is before its start is `InvalidValue`."""
    if end < start:
        assert refused(lambda: Interval(start, end)) == ("interval", "interval")
    else:
        assert (start in Interval(start, end)) == (start < end)


@pytest.mark.parametrize("year", [1, 0, 9999, -3])
def test_a_year_out_of_range_is_refused(year: int) -> None:
    """Years whose start and end are not times in every zone are `range`."""
    assert refused(lambda: Interval.year(year, UTC)) == ("year", "range")


# ---------------------------------------------------------------------------------------------------------------
# Texts

TEXTS: list[tuple[str, Callable[[str], object]]] = [
    ("title", lambda text: Report.draft(title=text, text="t", authors=[Author(name="a")])),
    ("text", lambda text: Report.draft(title="t", text=text, authors=[Author(name="a")])),
    ("topics", lambda text: Report.draft(title="t", text="t", authors=[Author(name="a")], topics=["x", text])),
    ("name", lambda text: Author(name=text)),
    ("id", lambda text: Actor(id=text)),
    ("roles", lambda text: Actor(id="x", roles={text})),
    ("name", lambda text: Attachment(name=text, media_type="text/plain", size=1, sha256="0" * 64)),
    ("media_type", lambda text: Attachment(name="x", media_type=text, size=1, sha256="0" * 64)),
    ("text", lambda text: Comment(text=text)),
    ("title", lambda text: Revision(text="x", title=text)),
    ("reason", lambda text: entry(reason=text)),
    ("text", lambda text: Checked(text=text)),
    ("words", lambda text: Checked(words=("a", text))),
    ("pair", lambda text: Checked(pair=(1, text))),
    ("table", lambda text: Checked(table={text: 1})),
    ("maybe", lambda text: Checked(maybe=text)),
    ("either", lambda text: Checked(either=text)),
    ("category", lambda text: Record.draft(category=text)),
    ("state", lambda text: Query(state={text})),
    ("party", lambda text: Happened(party=text)),
]


@pytest.mark.parametrize(("field", "make"), TEXTS, ids=[field for field, _ in TEXTS])
@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ("a\0b", "nul"),
        ("\0", "nul"),
        ("a\ud800", "surrogate"),
        ("\udfff\ud83d", "surrogate"),
        ("x" * (TEXT_LIMIT + 1), "too_long"),
        ("中" * (TEXT_LIMIT // 3 + 1), "too_long"),
    ],
    ids=["nul in", "nul", "surrogate", "surrogates", "long", "long in Chinese"],
)
def test_bad_text_is_refused(field: str, make: Callable[[str], object], bad: str, problem: str) -> None:
    """NUL, lone surrogates and more than 1 MiB of UTF-8 are refused before any store sees them, with the field."""
    assert refused(lambda: make(bad)) == (field, problem)


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_all_other_text_is_accepted(text: str) -> None:
    """Chinese, emoji, right-to-left text, control characters: any text that is short enough stays as it is."""
    assert Checked(text=text).text == text
    assert entry(reason=text).reason == text


@pytest.mark.parametrize("text", ["x" * TEXT_LIMIT, "é" * (TEXT_LIMIT // 2), "😀" * (TEXT_LIMIT // 4)])
def test_one_mebibyte_is_accepted(text: str) -> None:
    """A text of exactly 1 MiB is accepted."""
    assert Checked(text=text).text == text


@pytest.mark.parametrize("blank", ["", " ", "\n\t", "　"])
def test_what_must_not_be_blank(blank: str) -> None:
    """A title, a text, a name, an id of spaces alone is `blank`."""
    assert refused(lambda: Report.draft(title=blank, text="t", authors=[Author(name="a")])) == ("title", "blank")
    assert refused(lambda: Author(name=blank)) == ("name", "blank")
    assert refused(lambda: Actor(id=blank)) == ("id", "blank")
    assert refused(lambda: Comment(text=blank)) == ("text", "blank")
    assert refused(lambda: Command(trigger="t", actor=ANN, now=NOW, key=blank)) == ("key", "blank")


# ---------------------------------------------------------------------------------------------------------------
# Types

WRONG: dict[str, list[object]] = {
    "text": [1, None, b"x", ["x"]],
    "number": [1.0, True, "1", None],
    "share": ["1", True, None],
    "amount": [1, 1.0, "1"],
    "day": ["2022-01-01", NOW, None],
    "time": ["2022-01-01", date(2022, 1, 1), None],
    "flag": [0, "yes", None],
    "mood": ["good", None],
    "words": ["ab", ["a"], (1,), None],
    "pair": [(1,), (1, 2), ("1", "x"), [1, "x"]],
    "some": [{1}, (1,), frozenset({"1"})],
    "table": [{"a": "1"}, {1: 1}, [("a", 1)]],
    "maybe": [1],
    "either": [1.5, None, ()],
    "author": ["x", None, ANN],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, several in WRONG.items() for value in several])
def test_a_value_of_the_wrong_type_is_refused(field: str, value: object) -> None:
    """A value of another type than its annotation is `type`, with the field named."""
    assert refused(lambda: Checked(**cast(Any, {field: value}))) == (field, "type")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_are_finite(value: float) -> None:
    """NaN and the infinities are refused: JSON does not have them."""
    assert refused(lambda: Checked(share=value)) == ("share", "not_finite")
    assert refused(lambda: Checked(amount=Decimal(value))) == ("amount", "not_finite")


def test_a_literal_is_one_of_its_values() -> None:
    """A value that a `Literal` does not list is `choice`."""
    assert refused(lambda: Checked(choice=cast(Any, "c"))) == ("choice", "choice")


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Attachment(name="x", media_type="t", size=-1, sha256="0" * 64), "size"),
        (lambda: Attachment(name="x", media_type="t", size=1, sha256="0" * 63), "sha256"),
        (lambda: Attachment(name="x", media_type="t", size=1, sha256="G" * 64), "sha256"),
        (lambda: Query(limit=0), "limit"),
        (lambda: Query(limit=10_001), "limit"),
        (lambda: Query(order="colour"), "order"),
        (lambda: Actor(id="x", clearance=cast(Any, "none")), "clearance"),
        (lambda: Actor(id="x", kind=cast(Any, "robot")), "kind"),
        (lambda: Query(state=cast(Any, 7)), "state"),
        (lambda: Actor(id="x", roles=cast(Any, 7)), "roles"),
        (lambda: Report.draft(title="t", text="t", authors=cast(Any, 7)), "authors"),
        (lambda: Report.draft(title="t", text="t", authors=[]), "authors"),
        (lambda: Report.draft(title="t", text="t", authors=["a"]), "authors"),  # type: ignore[list-item]  # bad input
    ],
)
def test_values_out_of_bounds_are_refused(make: Callable[[], object], field: str) -> None:
    """Each is `InvalidValue` with its field, never a foreign error."""
    assert refused(make)[0] == field


@pytest.mark.parametrize(
    "kind",
    [Decimal | str, date | datetime, Mood | str | None, Author | Actor, Mapping[int, str], bytes, Callable[[], int]],
    ids=str,
)
def test_an_annotation_that_plain_data_cannot_distinguish_is_a_fault(kind: Any) -> None:
    """An annotation whose values could not be read back is refused where the class is first used, with the field."""
    body = {"__module__": __name__, "__annotations__": {"amount": kind}}
    vague: Any = attrs.frozen(type("Vague", (Value,), body))
    with pytest.raises(InvalidDefinition, match=r"Vague\.amount") as raised:
        vague(amount=None)
    assert [getattr(fault, "code", "?") for fault in raised.value.faults] == ["field_type"]


# ---------------------------------------------------------------------------------------------------------------
# Drafts, copies, names, ranks


def test_a_draft_takes_the_fields_of_its_class() -> None:
    """A field that is unknown, missing, or set by the flow is refused by name, with the fields that there are."""
    whole: dict[str, Any] = {"title": "t", "text": "t", "authors": [Author(name="a")]}
    for name in ("state", "version", "lifecycle_version", "created_by", "created_at", "updated_at"):
        given: dict[str, Any] = {**whole, name: "x"}
        assert refused(partial(Report.draft, **given)) == (name, "set_by_flow")
    with pytest.raises(InvalidValue, match="attachments") as raised:
        Report.draft(**whole, colour="red")  # type: ignore[call-arg]  # bad input
    assert (raised.value.field, raised.value.problem) == ("colour", "unknown_field")
    assert refused(lambda: Report.draft(title="t", text="t")) == ("authors", "missing_field")  # type: ignore[call-arg]  # bad input
    draft = Report.draft(**whole, kind="report", number="1")  # type: ignore[call-arg]  # the creation does not accept it
    assert (draft.version, draft.state, draft.kind, draft.number) == (0, "", "report", "1")


@given(changes=st.dictionaries(st.sampled_from(["text", "number", "flag", "words"]), st.none()))
def test_changed_keeps_everything_else(changes: dict[str, None]) -> None:
    """A changed copy has the new fields and all the others unchanged; the original stays as it is."""
    before = Checked(text="t", number=7, table={"a": 1})
    after = changed(before, changes)
    assert type(after) is Checked
    for name in field_names(Checked):
        assert getattr(after, name) == (None if name in changes else getattr(before, name))
    assert before == Checked(text="t", number=7, table={"a": 1})
    assert (after == before) == (not changes)


def test_values_are_frozen() -> None:
    """No field of a value can be set."""
    for value in (ANN, Author(name="x"), Query(), Page(()), entry()):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            value.id = "x"  # type: ignore[union-attr,misc]  # the assignment that must fail


def test_a_host_may_use_the_names_of_the_library() -> None:
    """A host's class may have the name of a class of the library."""

    @attrs.frozen(kw_only=True)
    class Comment(Record):
        """Not the library's."""

    @attrs.frozen(kw_only=True)
    class Page(Record):
        """Not the library's either."""

    assert (Comment.draft().version, Page.draft().version) == (0, 0)


def test_a_class_may_take_another_name() -> None:
    """With `name=` a class is written under that name."""

    @attrs.frozen(kw_only=True)
    class Checked(Details, name="CheckedElsewhere"):
        text: str = ""

    assert to_plain(Checked()) == {"$type": "CheckedElsewhere", "text": ""}
    assert to_plain(globals()["Checked"](text="x"))["$type"] == "Checked"


@pytest.mark.parametrize("ranked", [Secrecy, Level])
def test_ranked_enums_are_ordered_as_written(ranked: type[Secrecy] | type[Level]) -> None:
    """Members compare by their place, not by their text; with a member of another enum they do not compare."""
    members = list(ranked)
    for low, one in enumerate(members):
        assert one.rank == low
        assert ranked.up_to(cast(Any, one)) == tuple(members[: low + 1])
        for high, other in enumerate(members):
            assert (one < other, one <= other) == (low < high, low <= high)
            assert (one > other, one >= other) == (low > high, low >= high)
    with pytest.raises(TypeError):
        _ = Secrecy.SECRET < Level.CITY
    assert max(Secrecy) is Secrecy.TOP_SECRET
    assert sorted([Level.CENTRAL, Level.CITY, Level.PROVINCE]) == [Level.CITY, Level.PROVINCE, Level.CENTRAL]


def test_a_query_takes_one_or_several() -> None:
    """One text, an enum's member and a set of texts are all sets; None is no condition."""
    query = Query(state="a", secrecy=Secrecy.SECRET, unit=["a", "b"], assignee={None, "x"})
    assert query.state == frozenset({"a"})
    assert query.secrecy == frozenset({"secret"})
    assert query.unit == frozenset({"a", "b"})
    assert query.assignee == frozenset({None, "x"})
    assert query.kind is None
    assert Happened(level={Level.CITY}).level == frozenset({"city"})


# ---------------------------------------------------------------------------------------------------------------
# Values that are put together from parts


def _tupled(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(value)


@attrs.frozen
class Part(Value):
    """A value that is nothing but its fields."""

    one: int
    _two: str = ""
    three: tuple[str, ...] = attrs.field(default=(), converter=_tupled)


@attrs.frozen
class Alone(Value):
    """A value of one field."""

    one: int


@attrs.frozen
class Empty(Value):
    """A value without a field."""


@attrs.frozen
class PostInit(Part):
    """A value with `__attrs_post_init__`."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()


@attrs.frozen
class PreInit(Part):
    """A value with `__attrs_pre_init__`."""

    def __attrs_pre_init__(self) -> None:
        pass


@attrs.frozen(init=False)
class OwnInit(Part):
    """A value with an `__init__` of its own."""

    def __init__(self, one: int) -> None:
        self.__attrs_init__(one=one)


@attrs.frozen
class NoArgument(Part):
    """A value with a field that is no argument."""

    four: int = attrs.field(init=False, default=4)


_TAKES_SELF: Any = attrs.Converter(lambda given, self: given, takes_self=True)


@attrs.frozen
class TakesSelf(Part):
    """A value whose converter takes the instance."""

    four: int = attrs.field(default=4, converter=_TAKES_SELF)  # type: ignore[misc]  # a kind that mypy does not follow


class Derived(Part):
    """A value of no fields of its own, not made by attrs."""


@attrs.frozen(slots=False)
class Open(Part):
    """A value with a dict."""

    four: int = 4


@pytest.mark.parametrize(
    ("cls", "plain"),
    [
        (Part, True), (Alone, True), (Empty, True), (Open, True), (Report, True), (Actor, True),
        (PostInit, False), (PreInit, False), (OwnInit, False), (NoArgument, False), (TakesSelf, False),
        (Derived, False),
    ],
    ids=lambda one: getattr(one, "__name__", str(one)),
)  # fmt: skip
def test_which_classes_are_built_from_their_fields_alone(cls: type[Any], plain: bool) -> None:
    """A class with code of its own that runs when it is built is distinguished from one without."""
    assert plainly_built(cls) is plain


@pytest.mark.parametrize("value", [Part(1, "x", ("y",)), Alone(1), Empty(), Open(1, four=7), NoArgument(3)], ids=repr)
def test_a_copy_is_equal_and_a_change_changes_what_it_names(value: Any) -> None:
    """A copy has all fields, with a dict or with slots, and a change sets those that it names and no others."""
    names = field_names(type(value))
    assert changed(value, {}) == value
    assert changed(value, {}) is not value
    fields = {name: getattr(value, name) for name in names}
    assert maker(type(value))(*fields.values()) == value
    for name in names:
        other = changed(value, {name: "other"})
        assert {one: getattr(other, one) for one in names} == {**fields, name: "other"}
