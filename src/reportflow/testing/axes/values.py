"""Values at which stores go wrong, field by field: texts, times and numbers, and the scenarios that hold them.

Each axis is a table: a new value is a line, and every field, operator and handle meets it. Nothing is drawn by chance.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import attrs

from reportflow.model.actor import OWN, UNIT, Actor, Secrecy
from reportflow.model.checks import is_blank
from reportflow.model.query import ENTRY_GROUPS, LABEL_GROUPS, RECORD_GROUPS, Grant, Happened, Interval, Visibility
from reportflow.office.report import Author, Comment
from reportflow.storage.base import Of
from reportflow.testing.acts import START, Note, acted, created, day, joined, report, sample
from reportflow.testing.axes.question import Question, Scenario, counted, found, kept, paged

OF: Final[tuple[Of, ...]] = ("records", "entries")
#: Names: ids, units, categories, keys and labels of so many characters are kept by every store.
NAME_LENGTH: Final = 255

#: Texts that a store could take for the same, sort wrongly, or take for something else than a text.
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "case": ("a", "A", "ab", "aB", "é", "É", "ß", "ss", "SS", "ſ", "s", "İ", "i", "ı", "σ", "ς", "Σ"),
    "blanks": ("", " ", "a", "a ", " a", "a  ", "a\t", "a\n", "a\u00a0", "a\u3000", "a\u200b", "\u200b"),
    "prefixes": ("a", "ab", "abc", "a0", "a/", "a!", "a~", "a\x01", "a\x7f", "a\U0010ffff", "b"),
    "separators": (
        "a", "b", "a,b", "a|b", "a;b", "a b", "a:b", "a/b", "a\nb",
        "a\x1fb", "a\x1eb", "a-b", "a_b", "a.b", '["a","b"]',
    ),
    "letters": ("é", "e\u0301", "e", "가", "\u1100\u1161", "Å", "\u212b", "ﬁ", "fi", "①", "1", "張", "张", "ａ", "a"),
    "planes": ("\x01", "~", "\x7f", "中", "文", "\ue000", "\uff21", "\ufffd", "\uffff", "😀", "𠮷", "\U0010ffff"),
    "numbers": (
        "0", "1", "01", "1.0", "1e0", "+1", "-1", "１", "10", "9", "9007199254740992", "9007199254740993", "true",
        "null", "None", "never", "NaN", "0x1",
    ),
    "wildcards": ("%", "_", "a%", "a_", "*", "?", "[a]", "\\", "\\%", "'", '"', "''", "--", "$1", ":a", "{a}", "${a}"),
    "long": tuple(letter * (NAME_LENGTH - len(end)) + end for letter in "x长𠮷" for end in ("", "a", "b")),
}  # fmt: skip
#: What authors of stores join two texts by.
SEPARATORS: Final = (*"|:/,;-_.#@+&=~!*'\" \t\n\\\x01\x1e\x1f", "::", "||", "%2F", "")
#: Longer than a key of an index may be, and alike for a kilobyte and more.
KILOBYTES: Final = tuple(
    letter * length + end
    for letter, length in (("x", 1024), ("x", 3072), ("长", 1024), ("x", 8192), ("长", 22_000))
    for end in ("", "a", "b", "中")
)
_MICROSECOND: Final = timedelta(microseconds=1)
#: Times that differ by a fraction, that have none, and that are far from today.
TIMES: Final = tuple(
    sorted(
        [
            *(START + timedelta(seconds=seconds) for seconds in (-1, 0, 0.1, 0.12, 0.5, 0.999999, 1, 60, 86400)),
            START - _MICROSECOND, START + _MICROSECOND,
            datetime(1000, 1, 1, tzinfo=UTC), datetime(1900, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
            datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC),
            datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC), datetime(9998, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        ]
    )
)  # fmt: skip


# -- texts ----------------------------------------------------------------------------------------------------------

#: What takes a text, and how a text of a family gets there: the field of a sample's draft, and the value of it.
_FIELDS: Final = ("unit", "parent", "category", "assignee", "title", "topic", "author")


def named(text: str) -> str:
    """A text as a name, which is not blank."""
    return f"({text})" if is_blank(text) else text


def texts_scenario(family: str) -> Scenario:
    """Each field has each text of a family in one record: the n-th record has its neighbours in its other fields."""
    values = FAMILIES[family]
    number = len(values)
    commits = []
    for place in range(number):
        after = [values[(place + step) % number] for step in range(12)]
        fields: dict[str, Any] = dict(zip(_FIELDS, after, strict=False))
        topics, authors = [fields.pop("topic"), after[8]], [fields.pop("author")]
        if place < 2:  # one has none of what may be missing
            absent: dict[str, Any] = {"parent": None, "assignee": None}
            fields |= {name: absent[name] for name in list(absent)[place : place + 1]}
            topics, authors = (topics, []) if place else ([], authors)
        draft = sample(named(after[0]), topics=topics, authors=authors, **fields)
        first = created(draft, by=Actor(id=named(after[1]), unit=after[0]), key=named(after[2]))
        note = Note(party=after[3], level=after[4])
        by = Actor(id=named(after[5]), name=after[6])
        commits.append([joined(first, acted(first.record, "note", note, by=by, key=named(after[4]), reason=after[7]))])
    return Scenario(f"texts: {family}", commits, [*_questions_of_texts(values), *kept(commits)])


def _questions_of_texts(values: Sequence[str]) -> Iterator[Question]:
    names = [named(text) for text in values]
    fields = {"id": names, "created_by": names, **dict.fromkeys(("unit", "parent", "category", "assignee"), values)}
    fields |= dict.fromkeys(("topic", "author"), values)
    for name, texts in fields.items():
        for text in texts:
            yield found(**{name: text})
        yield found(**{name: {texts[0], texts[-1], None}})
        yield found(**{name: set(texts[1:])})
    for text in values:
        yield found(text=text)
        yield found(happened=Happened(party=text))
        yield found(happened=Happened(level=text))
        yield found(happened=Happened(actor=named(text)))
        rule = Visibility(actor=named(text), unit=text, clearance=Secrecy.SECRET, grants=())
        for scopes in ([OWN], [UNIT], [OWN, UNIT]):
            grant = Grant(kind="conformance", scopes=frozenset(scopes))
            yield found(visible=attrs.evolve(rule, grants=(grant,)))
    for name in ("id", "unit", "category", "title"):
        for order, limit in itertools.product((name, f"-{name}"), (1, 3)):
            yield paged(limit, order=order)
    for name in (*RECORD_GROUPS, *LABEL_GROUPS, *ENTRY_GROUPS):
        yield counted("records", [name])
        yield counted("entries", [name], happened=Happened(trigger="note"))


def joins_scenario() -> Scenario:
    """Pairs of texts that are one text when they are joined by a separator; ids that begin with one another."""
    commits = [[created(sample("a")), created(sample("a0000000001")), created(sample("a1"))]]
    questions = []
    for number, by in enumerate(SEPARATORS):
        pairs = ((f"x{number}", f"y{by}z"), (f"x{number}{by}y", "z"))
        changes = []
        for place, (one, two) in enumerate(pairs):
            draft = sample(f"n{number}/{place}", unit=one, category=two, topics=[f"{one}{by}{two}"], authors=[one, two])
            first = created(draft, by=Actor(id=one), key=two)
            note = Note(party=one, level=two)
            changes.append(joined(first, acted(first.record, "note", note, by=Actor(id=two), key=f"{one}{by}{two}")))
            questions.append(found(unit=one, category=two))
            questions.append(found(happened=Happened(party=one, level=two)))
        commits.append(changes)
        if by not in ("/", ""):
            commits.append([created(sample(f"a{by}")), created(sample(f"a{by}1")), created(sample(f"a{by}0000000001"))])
    for group in (["unit", "category"], ["category", "unit"], ["topic", "author"], ["party", "level"]):
        questions += [counted("records", group), counted("entries", group)]
    return Scenario("joined texts", commits, [*questions, *kept(commits)])


# -- times ----------------------------------------------------------------------------------------------------------


def times_scenario() -> Scenario:
    """Each time is each time of a record and of an entry once."""
    last = len(TIMES) - 1
    commits = []
    for place, time in enumerate(TIMES):
        now, then, behind = (TIMES[min(place + step, last)] for step in (1, 2, 3))
        first = created(
            sample(f"t{last - place:02}", due_at=TIMES[place - 1] if place % 5 != 1 else None), at=time, now=now
        )
        commits.append([joined(first, acted(first.record, "note", Note(), at=then, now=behind))])
    questions = []
    for time in TIMES:
        for interval in (
            Interval(time), Interval(end=time), Interval(time, time + _MICROSECOND), Interval(time - _MICROSECOND, time)
        ):  # fmt: skip
            for name in ("created_at", "updated_at", "due_at"):
                questions.append(found(**{name: interval}))
            for name in ("at", "recorded_at"):
                happened = Happened(**{name: interval})
                questions += [found(happened=happened), counted("entries", ["trigger"], happened=happened)]
    for name in ("created_at", "updated_at", "due_at"):
        for order, limit in itertools.product((name, f"-{name}", ("state", name), ("state", f"-{name}")), (1, 3, 50)):
            questions.append(paged(limit, order=order))
    return Scenario("times", commits, [*questions, *kept(commits)])


def kilobytes_scenario() -> Scenario:
    """Texts that are alike for a kilobyte and more, in all that takes a text of any length."""
    commits = []
    for number, text in enumerate(KILOBYTES):
        other = KILOBYTES[number - 1]
        by = Actor(id=f"a{number}", name=text)
        first = created(sample(f"k{number:02}", title=text), by=by)
        commits.append(
            [joined(first, acted(first.record, "note", Note(), reason=text, by=attrs.evolve(by, name=other)))]
        )
        draft = report(f"l{number:02}", title=other, text=text, authors=[Author(name=text)], origin=other)
        commits.append([joined(first := created(draft), acted(first.record, "comment", Comment(text=text)))])
    questions = [found(text=text) for text in KILOBYTES]
    for order, limit in itertools.product(("title", "-title", ("-title", "id"), ("kind", "title")), (1, 2, 5)):
        questions.append(paged(limit, order=order))
    return Scenario("long texts", commits, [*questions, *kept(commits)])


# -- numbers --------------------------------------------------------------------------------------------------------

#: Whole numbers beyond what floats, 32 and 64 bits hold.
INTEGERS: Final = (
    0, -1, 2**31 - 1, 2**31, -(2**31) - 1, 2**32, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63,
    -(2**63) - 1, 2**64 + 1, 10**40 + 1,
)  # fmt: skip
DECIMALS: Final = ("0", "-0.1", "0.10", "12345678901234567890.123456789", "1E+30", "1E-30", f"{'9' * 40}.5", "-0")
FLOATS: Final = (0.1, -0.5, 1 / 3, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, float(2**53), 1e16)
DAYS: Final = (None, date(1, 1, 1), date(1900, 2, 28), date(2024, 2, 29), date(9999, 12, 31))


def numbers_scenario() -> Scenario:
    """Numbers, days and mappings at their bounds; one person who is described otherwise in each act."""
    commits = []
    for number, whole in enumerate(INTEGERS):
        fields: dict[str, Any] = {
            "numbers": {"n": whole, f"{whole}": -whole, "": number, "长" * 200: 1},
            "amount": Decimal(DECIMALS[number % len(DECIMALS)]),
            "ratio": FLOATS[number % len(FLOATS)],
            "day": DAYS[number % len(DAYS)],
            "token": UUID(int=2**128 - 1 - number) if number % 3 else None,
            "flags": {f"f{one}" for one in range(number % 4)},
            "topics": [f"t{(number * one) % 5}" for one in range(4, 0, -1)],
        }
        by = Actor(
            id="one", name=f"name {number}", unit=f"u{number % 3}", roles={f"r{number}"},
            clearance=list(Secrecy)[number % 4], on_behalf_of="two" if number % 2 else None,
        )  # fmt: skip
        first = created(sample(f"n{number:02}", **fields), by=by)
        note = Note(party="p" if number % 2 else None, level="" if number % 3 else None, code=bool(number % 2))
        commits.append([joined(first, acted(first.record, "note", note, by=by, reason=" " * (number % 3)))])
    return Scenario("numbers", commits, kept(commits))


def long_scenario() -> Scenario:
    """Histories longer than a page, whose sequences sort otherwise as texts, and in which time goes back and forth."""
    steps = [created(sample("long"), now=day(1), at=day(0))]
    short = [created(sample("longer"), now=day(1), at=day(0))]
    for number in range(130):
        at = day((number * 7 % 10) / 10)
        steps.append(acted(steps[-1].record, "note", Note(party=f"p{number % 7}"), now=day(1), at=at, key=f"k{number}"))
    for number in range(11):
        short.append(acted(short[-1].record, "note", Note(), now=day(1), at=day(1 - number / 20)))
    commits = [[joined(*steps[:20])], [joined(*short)], *([change] for change in steps[20:50]), [joined(*steps[50:])]]
    groups = [counted(of, ["party"]) for of in OF]
    return Scenario("long histories", commits, [*groups, *kept(commits)])
