"""Queries as data, with their visibility rule, so that each store can turn them into its own."""

from __future__ import annotations

import binascii
import enum
import typing
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import attrs

from reportflow.errors import InvalidValue
from reportflow.model.actor import Scope, Secrecy
from reportflow.model.checks import plain_text, text_problem, type_problem
from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.model.values import Value, as_texts, in_utc_or_none, limits, time_text
from reportflow.model.zones import zone_of

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    R = TypeVarWithDefault("R", bound=Record, default=Record)
else:  # Python 3.11 knows no defaults of type variables
    R = TypeVar("R", bound=Record)

#: What records can be ordered by; a leading "-" turns one round. Without a due date comes after all dates.
ORDERS: Final = ("id", "kind", "state", "unit", "category", "title", "due_at", "created_at", "updated_at")
#: In an order, what stands for no due date: it comes after every time.
NEVER: Final = "never"

#: What `count` can group by: fields of the record, its labels, and fields of the entries.
RECORD_GROUPS: Final = (
    "kind", "state", "unit", "parent", "category", "assignee", "secrecy", "created_by", "lifecycle_version",
)  # fmt: skip
LABEL_GROUPS: Final = ("author", "topic")
ENTRY_GROUPS: Final = ("trigger", "source", "dest", "actor", "party", "level", "code")

LIMIT: Final = 10_000
#: How many texts one query looks for at the most: each is looked for in the whole text of each record.
TEXTS: Final = 20

#: A cursor goes into web addresses as it is.
_TO_URL: Final = str.maketrans("+/", "-_")
_FROM_URL: Final = str.maketrans("-_", "+/")


def _values(value: Any) -> frozenset[str | None] | None:
    """One value or a set of them, as a set; None for "does not matter". Inside a set, None means "has none"."""
    return _as_set(value, lambda one: one.value if isinstance(one, enum.Enum) else one)


def _names(value: Any) -> frozenset[str | None] | None:
    """The same for names of a table, which no other enum than a str enum has."""
    return _as_set(value, plain_text)


def _as_set(value: Any, plain: Callable[[Any], Any]) -> frozenset[str | None] | None:
    if value is None:
        return None
    several = [value] if isinstance(value, str | enum.Enum) else value
    try:
        return frozenset(map(plain, several))
    except TypeError:
        return typing.cast(frozenset[str | None], value)  # for the check to refuse, which knows the field


#: Stands between the title and the text of a record where they are searched as one; no folded text has it.
BETWEEN: Final = "\x1f"


def folded(text: str) -> str:
    """A text as it is searched: without regard to case, by the full case folding of Unicode, the same in each store."""
    return text.casefold().replace(BETWEEN, " ")


def searched(record: Record) -> str:
    """What the texts of a query are looked for in: the title and the text of a record, folded."""
    body = getattr(record, "text", "")
    return folded(record.title) + BETWEEN + (folded(body) if isinstance(body, str) else "")


def check_range(name: str, given: int, least: int, most: int) -> None:
    """Refuse what is no whole number, or is out of a range.

    Raises:
        InvalidValue: it is.
    """
    if type(given) is not int:
        raise InvalidValue(name, *type_problem("int", given))
    if not least <= given <= most:
        raise InvalidValue(name, "range", {"given": given, "least": least, "most": most})


@attrs.frozen
class Interval(Value):
    """A stretch of time, from `start` up to but not with `end`; None is open."""

    start: datetime | None = attrs.field(default=None, converter=in_utc_or_none)
    end: datetime | None = attrs.field(default=None, converter=in_utc_or_none)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.start is not None and self.end is not None and self.end < self.start:
            raise InvalidValue("interval", "interval", {"start": self.start, "end": self.end})

    @classmethod
    def year(cls, year: int, zone: tzinfo | str | None = None) -> Interval:
        """A calendar year in a time zone, or in one of that name; in that of the machine unless given.

        A flow has a zone of its own: ``Interval.year(2022, flow.zone)``.

        Raises:
            InvalidValue: the year lies outside 2 to 9998, or the zone is none.
        """
        check_range("year", year, 2, 9998)
        return cls._between(date(year, 1, 1), date(year + 1, 1, 1), zone)

    @classmethod
    def month(cls, year: int, month: int, zone: tzinfo | str | None = None) -> Interval:
        """A calendar month; as `year`.

        Raises:
            InvalidValue: as `year`; or the month lies outside 1 to 12.
        """
        check_range("year", year, 2, 9998)
        check_range("month", month, 1, 12)
        return cls._between(date(year, month, 1), date(year + month // 12, month % 12 + 1, 1), zone)

    @classmethod
    def day(cls, day: date, zone: tzinfo | str | None = None) -> Interval:
        """A calendar day; as `year`.

        Raises:
            InvalidValue: as `year`; or it is no date.
        """
        if not isinstance(day, date) or isinstance(day, datetime):
            raise InvalidValue("day", *type_problem("date", day))
        check_range("year", day.year, 2, 9998)
        return cls._between(day, day + timedelta(days=1), zone)

    @classmethod
    def _between(cls, first: date, end: date, zone: tzinfo | str | None) -> Interval:
        start, stop = (datetime(one.year, one.month, one.day, tzinfo=zone_of(zone)) for one in (first, end))
        return cls(start, stop)

    def __contains__(self, time: object) -> bool:
        return (
            isinstance(time, datetime)
            and (self.start is None or self.start <= time)
            and (self.end is None or time < self.end)
        )


@attrs.frozen(kw_only=True)
class Happened(Value):
    """What must be in the history: one entry that fits all that is given. Texts take one value or a set.

    What a later entry takes back is not found. Where `recorded_at` has an end, what is taken back only then or later
    still is: so the same question gives what was known at a time.
    """

    trigger: frozenset[str | None] | None = attrs.field(default=None, converter=_names)
    party: frozenset[str | None] | None = attrs.field(default=None, converter=_values)
    level: frozenset[str | None] | None = attrs.field(default=None, converter=_values)
    code: frozenset[str | None] | None = attrs.field(default=None, converter=_values)
    actor: frozenset[str | None] | None = attrs.field(default=None, converter=_values)
    at: Interval | None = None
    recorded_at: Interval | None = None


@attrs.frozen(kw_only=True)
class Grant(Value):
    """Records of a kind, in some states, of some versions of its definition (None: any), within any of the scopes.

    `roles` are those by which the actor has it: an entry with an audience is read by one of them.
    """

    kind: str
    scopes: frozenset[Scope]
    states: frozenset[str] | None = None
    versions: frozenset[int] | None = None
    roles: frozenset[str] = frozenset()


@attrs.frozen(kw_only=True)
class Visibility(Value):
    """What one actor may see: any of the grants, within clearance.

    Of what happened to such a record they read what was not above their clearance, before and after it, and is for
    everybody or for a role of a grant that covers the record. Whatever looks at entries for an actor looks at these.
    """

    actor: str
    unit: str
    clearance: Secrecy
    grants: tuple[Grant, ...]

    def covers(self, record: Record) -> bool:
        """Whether the actor may see the record."""
        if record.secrecy is not self.clearance and not record.secrecy <= self.clearance:
            return False
        return any(self._reaches(grant, record) for grant in self.grants)

    def reads(self, record: Record, entry: Entry) -> bool:
        """Whether the actor, who may see the record, may read an entry of it."""
        if not entry.secrecy <= self.clearance:
            return False
        return entry.audience is None or self.holds(entry.audience, record)

    def holds(self, roles: frozenset[str], record: Record) -> bool:
        """Whether one of these roles is the actor's, and reaches a record."""
        return any(roles & grant.roles and self._reaches(grant, record) for grant in self.grants)

    def _reaches(self, grant: Grant, record: Record) -> bool:
        if (
            grant.kind == record.kind
            and (grant.states is None or record.state in grant.states)
            and (grant.versions is None or record.lifecycle_version in grant.versions)
        ):
            for scope in grant.scopes:
                if record.within(scope, self.actor, self.unit):
                    return True
        return False


@attrs.frozen(kw_only=True)
class Query(Value):
    """What to find. Texts take one value or a set of values (any of them fits), times an `Interval`.

    Attributes:
        text: Found in the title or the text, whatever the case of its letters (`folded`); accents and widths count. 20
            values at the most, since no index serves.
        happened: What must be in the history.
        visible: The visibility rule; the flow sets it, and no caller of the flow can loosen it.
        order: Fields of `ORDERS`, "-" before one turns it round; the id ends every order.
        limit: How many records a page has at the most, 1 to 10,000.
        cursor: `Page.next` of the page before.
    """

    id: frozenset[str | None] | None = attrs.field(default=None, converter=_values)
    kind: frozenset[str | None] | None = attrs.field(default=None, converter=_names)
    state: frozenset[str | None] | None = attrs.field(default=None, converter=_names)
    unit: frozenset[str | None] | None = attrs.field(default=None, converter=_values)
    parent: frozenset[str | None] | None = attrs.field(default=None, converter=_values)
    category: frozenset[str | None] | None = attrs.field(default=None, converter=_values)
    assignee: frozenset[str | None] | None = attrs.field(default=None, converter=_values)
    secrecy: frozenset[str | None] | None = attrs.field(default=None, converter=_values)
    created_by: frozenset[str | None] | None = attrs.field(default=None, converter=_values)
    author: frozenset[str | None] | None = attrs.field(default=None, converter=_values)
    topic: frozenset[str | None] | None = attrs.field(default=None, converter=_values)
    text: frozenset[str | None] | None = attrs.field(default=None, converter=_values, metadata=limits(maxItems=TEXTS))
    created_at: Interval | None = None
    updated_at: Interval | None = None
    due_at: Interval | None = None
    happened: Happened | None = None
    visible: Visibility | None = None
    order: tuple[str, ...] = attrs.field(
        default=("created_at",),
        converter=as_texts,
        metadata=limits(items={"enum": [*ORDERS, *map("-{}".format, ORDERS)]}),
    )
    limit: int = attrs.field(default=100, metadata=limits(minimum=1, maximum=LIMIT))
    cursor: str | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        for key in self.order:
            if key.removeprefix("-") not in ORDERS:
                raise InvalidValue("order", "choice", {"given": repr(key), "choices": ORDERS})
        if self.text is not None and len(self.text) > TEXTS:
            raise InvalidValue("text", "too_many_texts", {"given": len(self.text), "limit": TEXTS})
        if not 1 <= self.limit <= LIMIT:
            raise InvalidValue("limit", "range", {"given": self.limit, "least": 1, "most": LIMIT})

    def sort_keys(self) -> tuple[tuple[str, bool], ...]:
        """The total order: each field and whether it runs downward; the id last, the way of the key before it."""
        chosen: dict[str, bool] = {}
        for key in self.order:
            chosen.setdefault(key.removeprefix("-"), key.startswith("-"))
        downward = next(reversed(chosen.values()), False)
        chosen.setdefault("id", downward)
        return tuple(chosen.items())

    def cursor_after(self, place: Iterable[str]) -> str:
        """The opaque cursor of a place: the last record's values of the order's keys."""
        import json  # only paging needs it

        plain = json.dumps([self._order_text(), *place], ensure_ascii=False)
        return binascii.b2a_base64(plain.encode(), newline=False).decode().translate(_TO_URL)

    def place(self) -> tuple[str, ...] | None:
        """What the cursor says: where the page before ended; None for the first page.

        Raises:
            InvalidValue: not a cursor, or one of another order.
        """
        if self.cursor is None:
            return None
        import json  # only paging needs it

        try:
            order, *place = json.loads(binascii.a2b_base64(self.cursor.translate(_FROM_URL), strict_mode=True))
        except (ValueError, TypeError, RecursionError):
            raise InvalidValue("cursor", "cursor") from None
        fits = order == self._order_text() and len(place) == len(self.sort_keys())
        if not fits or any(text_problem(one) for one in place):
            raise InvalidValue("cursor", "cursor")
        return tuple(place)

    def _order_text(self) -> str:
        return ",".join("-" * down + name for name, down in self.sort_keys())


@attrs.frozen
class Page(Value, Generic[R]):
    """One page of what was found, in the query's order.

    Attributes:
        records: The records.
        next: The cursor of the page after it; None at the end.
        unreadable: The ids of records that were found among these and left out, since their rows cannot be read.
    """

    records: tuple[R, ...]
    next: str | None = None
    unreadable: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[R]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)


def place_of(record: Record, keys: Iterable[str]) -> tuple[str, ...]:
    """A record's values of some order keys, as texts that sort by code point the way the order says."""
    return tuple(_place(getattr(record, name)) for name in keys)


def _place(value: object) -> str:
    if value is None:
        return NEVER
    return time_text(value) if isinstance(value, datetime) else str(value)


def grouping(of: str, group: str | Iterable[str]) -> tuple[str, ...]:
    """The group of a `count`, checked: a tuple of names from `RECORD_GROUPS`, `LABEL_GROUPS` and `ENTRY_GROUPS`.

    Raises:
        InvalidValue: an unknown name, one twice, or `of` is neither "records" nor "entries".
    """
    if of not in ("records", "entries"):
        raise InvalidValue("of", "choice", {"given": repr(of), "choices": ("records", "entries")})
    chosen = as_texts(group)
    if not isinstance(chosen, tuple):
        raise InvalidValue("group", *type_problem("str | list[str]", group))
    choices = RECORD_GROUPS + LABEL_GROUPS + ENTRY_GROUPS
    for index, name in enumerate(chosen):
        if name not in choices:
            raise InvalidValue("group", "choice", {"given": repr(name), "choices": choices})
        if name in chosen[:index]:
            raise InvalidValue("group", "twice", {"given": name})
    return chosen
