"""A query as the parameters of an address, and back: one way for pages and API, so that a list is its address.

Several values of a field are one parameter several times. A field's "has none" has no value to write, so the parameter
``without`` names the field. Dates are days of the flow's zone, the first and the last one both included; a whole time
of RFC 3339 may stand in their place, and then the last one is excluded. Entries are asked for by ``happened`` (a
trigger), ``party``, ``level``, ``code``, ``by`` (a person's id) and their dates.

A cursor goes out signed, together with the query that it belongs to: no other query takes it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Any, Final, Protocol

from reportflow.errors import InvalidValue
from reportflow.model.checks import text_problem
from reportflow.model.query import LIMIT, ORDERS, TEXTS, Happened, Interval, Query
from reportflow.web.signing import Signer

#: The fields of a query that are one parameter of the same name, with any number of values.
FIELDS: Final = (
    "id", "kind", "state", "unit", "parent", "category", "assignee", "secrecy", "created_by", "author", "topic", "text",
)  # fmt: skip
#: Parameter -> the field of `Happened`.
ENTRY_FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {"happened": "trigger", "party": "party", "level": "level", "code": "code", "by": "actor"}
)
#: What stands before ``_from`` and ``_to`` -> the field of a query that is an interval.
TIMES: Final[Mapping[str, str]] = MappingProxyType({"created": "created_at", "updated": "updated_at", "due": "due_at"})
#: The same for those of `Happened`.
ENTRY_TIMES: Final[Mapping[str, str]] = MappingProxyType({"happened": "at", "known": "recorded_at"})
#: What names the fields that are to have no value.
WITHOUT: Final = "without"
#: All parameters of a query; others are none of it.
PARAMETERS: Final[tuple[str, ...]] = (
    *FIELDS,
    *ENTRY_FIELDS,
    *(f"{name}_{end}" for name in (*TIMES, *ENTRY_TIMES) for end in ("from", "to")),
    WITHOUT, "order", "limit", "cursor",
)  # fmt: skip
#: The order of a query that says none, and the size of its page.
ORDER: Final = Query().order
_LIMIT: Final = Query().limit
#: How many values one parameter has at the most.
MOST: Final = 200

#: What each field of a record has where it has no value, but for those where that is None.
_BLANK: Final = frozenset({"unit", "category", "created_by"})
_CURSOR: Final = "cursor"
_DAY: Final = timedelta(days=1)


class Several(Protocol):
    """Parameters of which each may have several values, such as Starlette's ``QueryParams`` and ``FormData``."""

    def multi_items(self) -> Iterable[tuple[str, Any]]:
        """Each parameter with each of its values."""
        ...


#: The parameters of an address or a form.
Given = Several | Mapping[str, str | Iterable[str]]


def values_of(params: Given) -> dict[str, list[str]]:
    """The parameters of a query: name -> values in their order, each once; blank ones and others are left out.

    Raises:
        InvalidValue: a parameter has more than 200 values, or one that is no text.
    """
    known: dict[str, dict[str, None]] = {}
    for name, value in _pairs(params):
        if name in PARAMETERS and isinstance(value, str) and value.strip():
            known.setdefault(name, {})[value] = None
    found = {name: list(values) for name, values in known.items()}
    for name, values in found.items():
        if len(values) > MOST:
            raise InvalidValue(name, "range", {"given": len(values), "least": 0, "most": MOST})
        for problem in filter(None, map(text_problem, values)):
            raise InvalidValue(name, *problem)
    return found


def _pairs(params: Given) -> Iterable[tuple[str, Any]]:
    several: Any = getattr(params, "multi_items", None)  # Starlette's are mappings too, with one value of each
    if several is not None:
        yield from several()
    elif isinstance(params, Mapping):
        for name, value in params.items():
            for one in [value] if isinstance(value, str) else value:
                yield name, one


# -- parameters -> a query ---------------------------------------------------------------------------------------------


def query_of(params: Given, zone: tzinfo, signer: Signer | None = None, *, order: tuple[str, ...] = ORDER) -> Query:
    """The query that parameters say.

    Args:
        params: Of an address. What is blank is not given, and what is no parameter of a query is left alone.
        zone: In which dates are days: that of the flow.
        signer: Has signed the cursor; None: the cursor is the flow's own.
        order: That of a query which says none.

    Raises:
        InvalidValue: a parameter has a wrong value; the error's field is its name. The names of kinds, states,
            triggers and levels are checked by the flow.
    """
    given = values_of(params)
    without = _checked_without(given.get(WITHOUT, []))
    chosen: dict[str, Any] = {}
    for name in FIELDS:
        _put(chosen, name, _chosen(name, given, without))
    for name, field in TIMES.items():
        _put(chosen, field, _interval(name, given, zone))
    entry: dict[str, Any] = {}
    for name, field in ENTRY_FIELDS.items():
        _put(entry, field, _chosen(name, given, without))
    for name, field in ENTRY_TIMES.items():
        _put(entry, field, _interval(name, given, zone))
    if entry:
        chosen["happened"] = Happened(**entry)
    if "text" in chosen and len(chosen["text"]) > TEXTS:
        raise InvalidValue("text", "too_many_texts", {"given": len(chosen["text"]), "limit": TEXTS})
    chosen["order"] = _order(given["order"]) if "order" in given else order
    if "limit" in given:
        chosen["limit"] = _limit(_single("limit", given))
    if _CURSOR in given:
        chosen[_CURSOR] = opened_cursor(_single(_CURSOR, given), given, signer)
    query = Query(**chosen)
    query.place()  # refuses a cursor that is none
    return query


def _put(chosen: dict[str, Any], name: str, value: object) -> None:
    if value is not None:
        chosen[name] = value


def _chosen(name: str, given: Mapping[str, list[str]], without: Iterable[str]) -> frozenset[str | None] | None:
    """The values of a field, "has none" among them; None where nothing is said of it."""
    values: list[str | None] = [*given.get(name, [])]
    if name in without:
        values.append("" if name in _BLANK else None)
    return frozenset(values) or None


def _checked_without(names: Iterable[str]) -> frozenset[str]:
    choices = (*FIELDS, *ENTRY_FIELDS)
    for name in names:
        if name not in choices:
            raise InvalidValue(WITHOUT, "choice", {"given": repr(name), "choices": choices})
    return frozenset(names)


def _single(name: str, given: Mapping[str, list[str]]) -> str:
    values = given[name]
    if len(values) > 1:
        raise InvalidValue(name, "twice", {"given": values[1]})
    return values[0]


def _order(names: list[str]) -> tuple[str, ...]:
    for name in names:
        if name.removeprefix("-") not in ORDERS:
            raise InvalidValue("order", "choice", {"given": repr(name), "choices": ORDERS})
    return tuple(names)


def _limit(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
    if not 1 <= number <= LIMIT:
        raise InvalidValue("limit", "range", {"given": text, "least": 1, "most": LIMIT})
    return number


def _interval(name: str, given: Mapping[str, list[str]], zone: tzinfo) -> Interval | None:
    first, last = f"{name}_from", f"{name}_to"
    start = _time(first, _single(first, given), zone, 0) if first in given else None
    end = _time(last, _single(last, given), zone, 1) if last in given else None
    if start is None and end is None:
        return None
    if start is not None and end is not None and end < start:
        raise InvalidValue(last, "interval", {"start": start, "end": end})
    return Interval(start, end)


def _time(name: str, text: str, zone: tzinfo, days: int) -> datetime:
    """A time of the text of a parameter: of a date the beginning of that day, or of the day after it."""
    try:
        if len(text) == 10:
            return _midnight(date.fromisoformat(text) + days * _DAY, zone)
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidValue(name, "not_a_date", {"given": repr(text[:40])})


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


# -- a query -> parameters ---------------------------------------------------------------------------------------------


def params_of(
    query: Query, zone: tzinfo, signer: Signer | None = None, *, order: tuple[str, ...] = ORDER
) -> dict[str, list[str]]:
    """The parameters that say a query: ``query_of(params_of(query, zone, signer), zone, signer)`` is the query again.

    Args:
        query: The query. Its visibility rule is the flow's, and stays out; so do what is the default of order and
            limit.
        zone: In which dates are days.
        signer: Signs the cursor; None: the cursor is written as it is.
        order: That which is left out: it is the same for `query_of`.

    Raises:
        InvalidValue: a set of no values, or a value that no address can give.
    """
    found: dict[str, list[str]] = {}
    without: list[str] = []
    for name in FIELDS:
        _write(name, getattr(query, name), found, without)
    for name, field in TIMES.items():
        _write_interval(name, getattr(query, field), found, zone)
    if query.happened is not None:
        for name, field in ENTRY_FIELDS.items():
            _write(name, getattr(query.happened, field), found, without)
        for name, field in ENTRY_TIMES.items():
            _write_interval(name, getattr(query.happened, field), found, zone)
    if without:
        found[WITHOUT] = without
    if query.order != order:
        found["order"] = list(query.order)
    if query.limit != _LIMIT:
        found["limit"] = [str(query.limit)]
    if query.cursor is not None:
        found[_CURSOR] = [sealed_cursor(query.cursor, found, signer)]
    return found


def _write(name: str, values: frozenset[str | None] | None, found: dict[str, list[str]], without: list[str]) -> None:
    if values is None:
        return
    none = "" if name in _BLANK else None
    texts = sorted(one for one in values - {none} if one is not None and one.strip())
    if not values or len(texts) != len(values - {none}):
        raise InvalidValue(name, "blank" if values else "empty")
    if texts:
        found[name] = texts
    if none in values:
        without.append(name)


def _write_interval(name: str, interval: Interval | None, found: dict[str, list[str]], zone: tzinfo) -> None:
    if interval is None:
        return
    if interval.start is not None:
        found[f"{name}_from"] = [_written(interval.start, zone, 0)]
    if interval.end is not None:
        found[f"{name}_to"] = [_written(interval.end, zone, 1)]


def _written(time: datetime, zone: tzinfo, days: int) -> str:
    """A time as a date where it begins a day, or the day after it; else whole."""
    try:
        day = time.astimezone(zone).date() - days * _DAY
        if _midnight(day + days * _DAY, zone) == time:
            return day.isoformat()
    except OverflowError:
        pass
    return time.isoformat()


# -- cursors -----------------------------------------------------------------------------------------------------------


def sealed_cursor(cursor: str, given: Mapping[str, Iterable[str]], signer: Signer | None) -> str:
    """A cursor of the flow, signed together with the parameters of its query."""
    return cursor if signer is None else signer.sealed(_CURSOR, f"{_mark(given)}:{cursor}")


def opened_cursor(text: str, given: Mapping[str, Iterable[str]], signer: Signer | None) -> str:
    """The cursor of the flow that was sealed together with these parameters.

    Raises:
        InvalidValue: it was altered, made elsewhere, or belongs to other parameters.
    """
    if signer is None:
        return text
    opened = signer.opened(_CURSOR, text) if text.isascii() else None
    mark, _, cursor = (opened or "").partition(":")
    if opened is None or mark != _mark(given):
        raise InvalidValue(_CURSOR, "cursor")
    return cursor


def _mark(given: Mapping[str, Iterable[str]]) -> str:
    """What stands for a query in the signature of its cursor; the limit may differ from page to page."""
    said = {name: sorted(values) for name, values in given.items() if name not in (_CURSOR, "limit", "order")}
    plain = json.dumps([sorted(said.items()), list(given.get("order", ()))], ensure_ascii=False)
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:16]
