"""What is asked at the same time: each condition with each other, in each order, group, page, and under each rule."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

import attrs

from reportflow.model.actor import ANY, OWN, UNIT, Actor, Secrecy
from reportflow.model.query import (
    ENTRY_GROUPS,
    LABEL_GROUPS,
    ORDERS,
    RECORD_GROUPS,
    Grant,
    Happened,
    Interval,
    Query,
    Visibility,
)
from reportflow.office.report import Adoption, Author, Classification, Comment, Level, Retraction, Revision
from reportflow.storage.base import Change
from reportflow.testing.acts import Aside, Note, Undo, acted, created, day, joined, report, sample
from reportflow.testing.axes.question import Question, Scenario, counted, found, kept, paged, turned
from reportflow.testing.axes.values import OF

PEOPLE: Final = tuple(Actor(id=id, name=id, unit=unit) for id, unit in (("li", "u1"), ("wu", "u2"), ("ma", "")))
#: What may be asked of a record: a name for each condition, and the field and value.
CONDITIONS: Final[tuple[tuple[str, Any], ...]] = (
    ("id", {"s0", "s3", "s4", "r0", "r1", "r4"}),
    ("kind", "conformance"),
    ("kind", "report"),
    ("state", {"open", "adopted"}),
    ("state", {"draft", "edited", "closed"}),
    ("unit", "u1"),
    ("unit", {"", "u2"}),
    ("parent", {None, "p1"}),
    ("category", "c0"),
    ("assignee", {None}),
    ("assignee", "li"),
    ("secrecy", {"internal", "top_secret"}),
    ("created_by", "li"),
    ("author", {"wu", None}),
    ("author", "li"),
    ("topic", "ice"),
    ("topic", {"snow", "ice", None}),
    ("text", "road"),
    ("text", {"water", "zzz"}),
    ("created_at", Interval(day(1), day(4))),
    ("updated_at", Interval(day(2))),
    ("due_at", Interval(end=day(20))),
    ("happened", Happened()),
    ("happened", Happened(trigger={"note", "adopt"})),
    ("happened", Happened(trigger="note", actor="wu")),
    ("happened", Happened(party={"a", "council", None}, trigger={"note", "adopt", "comment"})),
    ("happened", Happened(level={"city", "l1"})),
    ("happened", Happened(code={"code", "single"})),
    ("happened", Happened(actor={"li", "ma"}, at=Interval(day(1), day(3)))),
    ("happened", Happened(recorded_at=Interval(day(2), day(5)))),
    ("happened", Happened(trigger={"note", "adopt"}, recorded_at=Interval(end=day(4)))),
    ("happened", Happened(trigger={"aside", "comment", "classify"})),
)
_GROUPS: Final = (*RECORD_GROUPS, *LABEL_GROUPS, *ENTRY_GROUPS)


def together_scenario() -> Scenario:
    """Records of two kinds that share most of what they have, in several states, with several acts of one sort."""
    commits = [[_sample(number)] for number in range(9)] + [[_report(number)] for number in range(7)]
    questions = [*_pairs(), *_sets(), *_pages(), *_groups(), *_rules(), *_turned()]
    return Scenario("conditions together", commits, [*questions, *kept(commits)])


def _fields(number: int) -> dict[str, Any]:
    return {
        "unit": ("u1", "u2", "", "u1", "u3")[number % 5],
        "parent": (None, "p1", "p2")[number % 3],
        "category": f"c{number % 2}",
        "assignee": (None, "li", "", "ma")[number % 4],
        "secrecy": list(Secrecy)[number % 4],
        "due_at": (None, day(10), day(20), day(10))[number * 3 % 4],
        "topics": [["ice"], ["snow", "ice"], [], ["dams", "snow", "ice"]][number % 4],
        "title": ("road", "water road", "Dam", "")[number % 4],
    }


def _sample(number: int) -> Change:
    authors = [["li"], [], ["wu", "li"]][number % 3]
    entered, by = number % 4, PEOPLE[number % 3]
    steps = [created(sample(f"s{number}", authors=authors, **_fields(number)), by=by, now=day(entered), at=day(0))]
    for turn in range(number % 5):
        note = Note(party="ab"[turn // 2 % 2], level=f"l{turn % 3 // 2}", code=turn == 1)
        by = PEOPLE[(number + turn // 2) % 3]
        at = day(min(number % 3, entered))
        steps.append(acted(steps[-1].record, "note", note, by=by, now=day(entered + turn), at=at))
    if number % 5 in (2, 4):
        steps.append(acted(steps[-1].record, "undo", Undo(sequence=number % 5), by=PEOPLE[0], now=day(entered + 4)))
    if number % 3:
        aside = Aside(to=(None, {"one"}, {"other"}, {"one", "other"})[number % 4])
        steps.append(acted(steps[-1].record, "aside", aside, by=PEOPLE[1], now=day(entered + 4)))
    if number % 4 == 3:
        steps.append(acted(steps[-1].record, "close", now=day(7)))
    return joined(*steps)


def _report(number: int) -> Change:
    authors = [Author(name="x", id=id) for id in ("li", "wu", None)[number % 3 :]] or [Author(name="x")]
    text = ("water", "the road", "none")[number % 3]
    draft = report(f"r{number}", text=text, authors=authors, **{**_fields(number + 1), "title": f"t{number % 2}"})
    steps = [created(draft, by=PEOPLE[number % 3], now=day(number % 5))]
    if number % 2:
        lower = Classification(secrecy=list(Secrecy)[number // 2 % 3])
        steps.append(acted(steps[-1].record, "classify", lower, by=PEOPLE[(number + 1) % 3], now=day(number % 5)))
    acts: list[tuple[str, object]] = [
        ("edit", Revision(text=f"{text} again")), ("review", None),
        *[("adopt", Adoption(body=f"{'council' if one else 'office'}", level=Level.CITY)) for one in (1, 0, 1)],
        ("adopt", Adoption(body="council", level=Level.PROVINCE)),
        ("retract", Retraction(sequence=len(steps) + 3)), ("comment", Comment(text="x", internal=number % 2 == 0)),
    ]  # fmt: skip
    for turn, (trigger, details) in enumerate(acts[: (0, 1, 6, 8, 2, 8, 3)[number]]):
        by = PEOPLE[(number + turn) % 3]
        steps.append(acted(steps[-1].record, trigger, details, by=by, now=day(number % 5 + turn)))
    return joined(*steps)


def _orders() -> Iterator[tuple[str, ...]]:
    """Every order alone and in pairs, each key its own way, again and again."""
    keys = [way + name for name in ORDERS for way in ("", "-")]
    pairs = [(one, other) for one, other in itertools.permutations(keys, 2) if one.strip("-") != other.strip("-")]
    single = [(key,) for key in keys]
    more = [
        ("state", "-unit", "title"),
        ("-kind", "category", "-due_at"),
        ("unit", "-category", "-title", "updated_at"),
    ]
    # a step that has no divisor in common with the number of pairs meets each of them
    return itertools.cycle(itertools.chain.from_iterable(zip(single * 16, [*more, *pairs[::17]] * 16, strict=False)))


def _pairs() -> Iterator[Question]:
    """Each condition alone, and with each other one: found, and counted by some group."""
    groups = itertools.cycle(itertools.product(_GROUPS, OF))
    for name, value in CONDITIONS:
        yield found(**{name: value})
    for one, other in itertools.combinations(CONDITIONS, 2):
        if one[0] != other[0]:
            asked = dict([one, other])
            group, of = next(groups)
            yield found(**asked)
            yield counted(of, [group], **asked)


#: More values than a statement or an index takes at once, some of them before and some behind all that are kept.
_OTHERS: Final = tuple(f"{letter}{number}" for number in range(1_100) for letter in ("!", "~"))


def _sets() -> Iterator[Question]:
    """Each condition on texts with very many values, few of which any record has."""
    for name, value in CONDITIONS:
        if isinstance(value, str | set) and name not in ("kind", "state", "text", "secrecy"):
            many = {value} if isinstance(value, str) else value
            yield found(**{name: {*many, *_OTHERS}})
            yield counted("records", [], **{name: {*_OTHERS[::2], *many}})
    for happened in (Happened(party={"a", *_OTHERS}), Happened(level={"l1", *_OTHERS})):
        yield found(happened=happened)
    yield found(happened=Happened(actor={"wu", *_OTHERS}, party={"b", *_OTHERS}))


def _pages() -> Iterator[Question]:
    """Each condition in pages of several lengths, each time in another order."""
    orders = _orders()
    limits = itertools.cycle((1, 2, 3, 5, 2))
    for name, value in (*CONDITIONS, *CONDITIONS):
        yield paged(next(limits), order=next(orders), **{name: value})
    for order in itertools.islice(_orders(), 40):
        yield paged(4, order=order)


def _groups() -> Iterator[Question]:
    """Each group under each condition on the history, and each with others under some condition."""
    conditions = itertools.cycle([{}, *({name: value} for name, value in CONDITIONS)])
    of = itertools.cycle(OF)
    for name, each in itertools.product(_GROUPS, OF):
        yield counted(each, [name])
    for name, happened in itertools.product(_GROUPS, (one for field, one in CONDITIONS if field == "happened")):
        yield counted(next(of), [name], happened=happened)
    for pair in itertools.combinations(_GROUPS, 2):
        yield counted(next(of), pair, **next(conditions))
        yield counted(next(of), pair[::-1], **next(conditions))
    for three in itertools.islice(itertools.combinations(_GROUPS, 3), 0, None, 13):
        yield counted(next(of), three, **next(conditions))


def _grants() -> list[Grant]:
    kinds = ("report", "conformance")
    scopes = [frozenset(one) for one in ([OWN], [UNIT], [ANY], [OWN, UNIT])]
    states = (None, frozenset({"draft", "open"}), frozenset({"adopted", "closed", "edited"}))
    versions = (None, frozenset({1}), frozenset({2}))
    roles = [frozenset(one.split()) for one in ("", "one editor", "other auditor", "on contributor", "one other")]
    return [
        Grant(
            kind=kind,
            scopes=scope,
            states=some,
            versions=versions[(place + number) % 3],
            roles=roles[(place + number) % 5],
        )
        for place, kind in enumerate(kinds)
        for number, (scope, some) in enumerate(itertools.product(scopes, states))
    ]


def _visibilities() -> Iterator[Visibility]:
    """Each grant alone and each two of them, by people with and without a unit, of every clearance."""
    grants = _grants()
    people = itertools.cycle(itertools.product(PEOPLE, reversed(Secrecy)))
    for chosen in [*((one,) for one in grants), *itertools.combinations(grants, 2)]:
        by, clearance = next(people)
        yield Visibility(actor=by.id, unit=by.unit, clearance=clearance, grants=chosen)


def _rules() -> Iterator[Question]:
    """Each rule alone, and with a condition: found, counted, and in pages."""
    conditions, orders, turns = itertools.cycle(CONDITIONS), _orders(), itertools.count()
    for rule in _visibilities():
        (name, value), turn = next(conditions), next(turns)
        if turn % 2:
            yield found(visible=rule)
            yield counted("entries", ["kind", "trigger"], visible=rule)
        elif turn % 4:
            yield counted("records", ["kind"], visible=rule, **{name: value})
        else:
            yield paged(2, visible=rule, order=next(orders), **{name: value})


def _turned() -> Iterator[Question]:
    """A cursor brought to another query of the same order: to a narrower one, a wider one, under another rule."""
    orders = _orders()
    rules = list(_visibilities())[:24:3]
    asked: list[dict[str, Any]] = [{name: value} for name, value in CONDITIONS]
    asked += [{"visible": rule} for rule in rules]
    for one in asked:
        order = next(orders)
        wide, narrow = Query(order=order, limit=3), Query(order=order, limit=3, **one)
        yield turned(wide, narrow)
        yield turned(narrow, wide)
        yield turned(narrow, attrs.evolve(narrow, limit=50, visible=rules[2]))
