"""What is typed into a form, and the plain data that it comes to: one form of both for pages, drafts and conflicts.

A form's fields have the names of the data's fields, with ``/`` between the levels: ``authors/0/name``. What was typed
stays as it was typed, whatever is wrong with it, so a page can show it again, a draft keep it, and a conflict merge it.
`read` makes plain data of it, which `serialization.parse` takes, and says which field each pointer is about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, NamedTuple

import attrs

from reportflow.errors import ReportflowError, pointer_of
from reportflow.serialization.plain import write_fact
from reportflow.serialization.shapes import TEXT
from reportflow.serialization.widgets import Widget

#: The name of each field -> what was typed into it.
Typed = dict[str, list[str]]

#: What ends the name of a hidden field: a group that is there, an id, what an id or a time stands for, a file.
HERE, ID, WAS, KEPT, PICKED, OTHER = "/_", "/id", "/was", "/kept", "/pick", "/other"
#: The most groups that one form has.
MOST_GROUPS: Final = 200

_DATE: Final = re.compile(r"\s*(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?\s*")
_CLOCK: Final = re.compile(r"\s*(\d{1,2})\s*[:：时]\s*(\d{1,2})\s*分?\s*")
_BETWEEN_TAGS: Final = re.compile(r"[、,，;；\n]")
_PAIR: Final = re.compile(r"([^:：=]+)[:：=](.*)")
#: Tags that may hold a comma are one a line.
_LINES: Final = re.compile(r"\n")


def name_in(prefix: str, name: str) -> str:
    """The name of a field in the form, under that of its group; the portal's own names begin with ``_``."""
    if prefix:
        return f"{prefix}/{name}"
    return f"/{name}" if name.startswith("_") else name


def first(typed: Mapping[str, Sequence[str]], name: str) -> str:
    """What was typed into a field; blank where nothing was."""
    several = typed.get(name)
    return several[0] if several else ""


def constant_text(constant: Any) -> str:
    """A constant of a choice as the value of its field."""
    return constant if isinstance(constant, str) else json.dumps(constant)


def places(typed: Mapping[str, Sequence[str]], name: str) -> list[int]:
    """The numbers of the groups that a form has under a name, in order."""
    start = f"{name}/"
    found = {
        int(place)
        for one in typed
        if one.startswith(start) and (place := one[len(start) :].partition("/")[0]).isascii() and place.isdecimal()
        if len(place) < 6
    }
    return sorted(found)[:MOST_GROUPS]


def inner(
    widgets: Sequence[Widget], typed: Mapping[str, Sequence[str]], prefix: str = ""
) -> Iterator[tuple[Widget, str, str]]:
    """Every widget of a form that has no parts, with the name of its field and of the group that it is in."""
    for one in widgets:
        name = name_in(prefix, one.name)
        if one.kind in ("group", "row"):
            yield from inner(one.parts, typed, name)
        elif one.kind == "groups":
            for place in places(typed, name):
                yield from inner(one.parts, typed, f"{name}/{place}")
        else:
            yield one, name, prefix


# -- what stands in a form ------------------------------------------------------------------------------------------


def plain_defaults(widgets: Sequence[Widget]) -> dict[str, Any]:
    """What fields hold unless they are filled in, as plain data."""
    found = {}
    for one in widgets:
        if one.default is not attrs.NOTHING:
            try:
                found[one.name] = write_fact(one.default)
            except ReportflowError:
                continue
    return found


def typed_of(
    widgets: Sequence[Widget], plain: Mapping[str, Any], zone: tzinfo, seal: Callable[[Any], str], prefix: str = ""
) -> Typed:
    """Plain data as it stands in a form.

    Args:
        widgets: Of the form.
        plain: The data; a field that is not there is blank.
        zone: In which times are shown.
        seal: Makes of a file's data the text by which it stays chosen.
        prefix: The name of the group that it is in.
    """
    typed: Typed = {}
    for one in widgets:
        name, value = name_in(prefix, one.name), plain.get(one.name)
        if one.kind == "groups":
            several = value if isinstance(value, list | tuple) and value else [None]
            for place, each in enumerate(several):
                typed[f"{name}/{place}{HERE}"] = ["1"]
                given = each if isinstance(each, Mapping) else plain_defaults(one.parts)
                typed.update(typed_of(one.parts, given, zone, seal, f"{name}/{place}"))
        elif one.kind == "group":
            given = value if isinstance(value, Mapping) else plain_defaults(one.parts)
            typed.update(typed_of(one.parts, given, zone, seal, name))
        elif one.kind == "row":
            row = value if isinstance(value, list | tuple) else ()
            typed.update(typed_of(one.parts, {str(place): each for place, each in enumerate(row)}, zone, seal, name))
        elif one.kind == "identity":
            typed[name], typed[name + WAS] = [value or ""], [plain.get("name") or ""]
        else:
            typed.update(_typed_of_one(one, name, value, zone, seal))
    return typed


def _typed_of_one(one: Widget, name: str, value: Any, zone: tzinfo, seal: Callable[[Any], str]) -> Typed:
    match one.kind:
        case "time":
            day, clock = time_typed(value, zone)
            return {f"{name}/date": [day], f"{name}/time": [clock], name + WAS: [value or ""]}
        case "flag":
            return {name: ["on"] if value else []}
        case "choice":
            blank = value is None and None not in one.constants
            return {name: [] if blank else [constant_text(value)]}
        case "choices":
            return {name: [constant_text(each) for each in value or ()]}
        case "pairs":
            pairs = value if isinstance(value, Mapping) else {}
            return {name: ["\n".join(f"{key}: {each}" for key, each in pairs.items())]}
        case "tags":
            return {name: ["\n".join(map(str, value or ()))]}
        case "file" | "files":
            several = value if isinstance(value, list | tuple) else [value] if value else []
            return {name + KEPT: [seal(each) for each in several]}
        case "none":
            return {}
    return {name: ["" if value is None else str(value)]}


def time_typed(value: object, zone: tzinfo) -> tuple[str, str]:
    """A time, as RFC 3339 has it, as its date and its time of day in a zone; blank where it is none."""
    if not isinstance(value, str) or not value:
        return "", ""
    try:
        local = datetime.fromisoformat(value).astimezone(zone)
    except (ValueError, OverflowError):
        return value, ""
    return f"{local.year:04}-{local.month:02}-{local.day:02}", f"{local:%H:%M}"


# -- what it comes to -----------------------------------------------------------------------------------------------


class ReadForm(NamedTuple):
    """What a form comes to.

    Attributes:
        data: Plain data.
        names: The pointer of each part of the data -> the name of the field that it is about.
    """

    data: dict[str, Any]
    names: dict[str, str]


def read(
    widgets: Sequence[Widget], typed: Mapping[str, Sequence[str]], zone: tzinfo, opened: Callable[[str], Any]
) -> ReadForm:
    """What was typed, as plain data: what cannot be read stays as it was typed, for `parse` to refuse.

    Args:
        widgets: Of the form.
        typed: What was typed.
        zone: In which times are meant.
        opened: Gives the data of a file that stays chosen; None where it is none of this form.
    """
    reader = _FormReader(typed, zone, opened)
    return ReadForm(reader.read(widgets, "", ""), reader.names)


class _FormReader:
    def __init__(self, typed: Mapping[str, Sequence[str]], zone: tzinfo, opened: Callable[[str], Any]) -> None:
        self._typed = typed
        self._zone = zone
        self._opened = opened
        self.names: dict[str, str] = {}

    def read(self, widgets: Sequence[Widget], prefix: str, pointer: str) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for one in widgets:
            name, here = name_in(prefix, one.name), pointer + pointer_of(one.name)
            self.names[here] = name
            value = self._value(one, name, here, prefix)
            if value is not attrs.NOTHING:
                data[one.name] = value
        return data

    def _value(self, one: Widget, name: str, here: str, prefix: str) -> Any:
        """What one field comes to; NOTHING where it is not given."""
        match one.kind:
            case "none":
                return attrs.NOTHING
            case "groups":
                several: list[Any] = []
                for place in places(self._typed, name):
                    if not self._is_blank(one.parts, f"{name}/{place}"):
                        self.names[f"{here}/{len(several)}"] = f"{name}/{place}"
                        several.append(self.read(one.parts, f"{name}/{place}", f"{here}/{len(several)}"))
                return None if not several and one.nullable else several
            case "group":
                if not one.required and self._is_blank(one.parts, name):
                    return None if one.nullable else attrs.NOTHING
                return self.read(one.parts, name, here)
            case "row":
                if not one.required and self._is_blank(one.parts, name):
                    return None if one.nullable else attrs.NOTHING
                row = self.read(one.parts, name, here)
                return [row.get(part.name) for part in one.parts]
            case "identity":
                same = first(self._typed, f"{prefix}/name").strip() == first(self._typed, name + WAS).strip()
                return (first(self._typed, name) or None) if same else None
            case "flag":
                return bool(self._typed.get(name))
            case "choices":
                return [_constant(one, each) for each in self._typed.get(name, ()) if each]
            case "file" | "files":
                files = [data for each in self._typed.get(name + KEPT, ()) if (data := self._opened(each)) is not None]
                if one.kind == "files":
                    return files or (None if one.nullable else [])
                return files[-1] if files else self._blank(one)
            case "time":
                return self._time(one, name)
        return self._text(one, name)

    def _blank(self, one: Widget) -> Any:
        """What a field comes to into which nothing was typed."""
        if one.nullable:
            return None
        return attrs.NOTHING if one.required or one.shape != TEXT else ""

    def _text(self, one: Widget, name: str) -> Any:
        text = first(self._typed, name)
        if one.kind == "choice":
            return _constant(one, text) if text else self._blank(one)
        if one.kind == "coded":
            text = first(self._typed, name + OTHER).strip() or text
        if one.kind == "tags":
            several = [_number(one, each) for each in tags_of(one, text)]
            return None if not several and one.nullable else list(dict.fromkeys(several))
        if one.kind == "pairs":
            return self._pairs(one, text)
        id, was = first(self._typed, name + ID), first(self._typed, name + WAS)
        if one.kind in ("person", "record") and id and was.strip() == text.strip():
            return id
        if one.kind != "long":
            text = text.strip()
        return _number(one, text) if text else self._blank(one)

    def _pairs(self, one: Widget, text: str) -> Any:
        """Lines of a name, a colon and a value; the text itself where a line is none."""
        pairs = [_PAIR.fullmatch(line.strip()) for line in text.split("\n") if line.strip()]
        found = {pair[1].strip(): _number(one, pair[2].strip()) for pair in pairs if pair}
        if len(found) < len(pairs):
            return text
        return None if not found and one.nullable else found

    def _time(self, one: Widget, name: str) -> Any:
        day, clock = first(self._typed, f"{name}/date").strip(), first(self._typed, f"{name}/time").strip()
        if not day and not clock:
            return self._blank(one)
        was = first(self._typed, name + WAS)
        # what was not changed keeps its seconds
        return was if was and time_typed(was, self._zone) == (day, clock) else time_read(day, clock, self._zone)

    def _is_blank(self, widgets: Sequence[Widget], prefix: str) -> bool:
        """Whether nothing was typed into a group: what it was offered with is nothing, too."""
        defaults = plain_defaults(widgets)
        for one in widgets:
            name = name_in(prefix, one.name)
            given = [each for each in self._typed.get(name, ()) if each.strip()]
            if one.kind == "groups":
                if not all(self._is_blank(one.parts, f"{name}/{place}") for place in places(self._typed, name)):
                    return False
            elif one.kind in ("group", "row"):
                if not self._is_blank(one.parts, name):
                    return False
            elif one.kind in ("flag", "choice", "choices"):
                if given and given != _typed_of_one(one, name, defaults.get(one.name), self._zone, str)[name]:
                    return False
            elif one.kind == "time":
                if first(self._typed, f"{name}/date").strip() or first(self._typed, f"{name}/time").strip():
                    return False
            elif one.kind in ("file", "files"):
                if self._typed.get(name + KEPT):
                    return False
            elif one.kind != "identity" and given and given != [str(defaults.get(one.name, ""))]:
                return False
        return True


def _constant(one: Widget, text: str) -> Any:
    return next((constant for constant in one.constants if constant_text(constant) == text), text)


def _number(one: Widget, text: str) -> Any:
    """What a text comes to in a field of numbers or dates; the text itself where it is none."""
    shape = getattr(one.shape, "item", one.shape)
    kind = getattr(shape, "kind", "")
    if kind == "date":
        return date_read(text)
    if kind == "date-time":
        day, _, clock = text.partition(" ")
        return time_read(day, clock, UTC)
    if kind == "decimal":
        return text.replace(",", "").replace("，", "")
    if kind not in ("integer", "number"):
        return text
    try:
        return (int if kind == "integer" else float)(text.replace(",", "").replace("，", ""))
    except ValueError:
        return text


def tags_of(one: Widget, text: str) -> list[str]:
    """The tags that were typed: one a line, or with commas between where they are texts."""
    between = _BETWEEN_TAGS if getattr(one.shape, "item", None) == TEXT else _LINES
    return [each.strip() for each in between.split(text) if each.strip()]


def date_read(text: str) -> str:
    """A date as RFC 3339 has it: ``2022-04-07`` of 2022年4月7日. What cannot be read stays as it was typed."""
    found = _DATE.fullmatch(text)
    return "{:04}-{:02}-{:02}".format(*map(int, found.groups())) if found else text


def time_read(day: str, clock: str, zone: tzinfo) -> str:
    """A date and a time of day in a zone as RFC 3339 has it: without a time of day, the end of the day.

    What cannot be read stays as it was typed.
    """
    found, at = _DATE.fullmatch(day), _CLOCK.fullmatch(clock) if clock else None
    try:
        if found is None or (clock and at is None):
            raise ValueError
        hour, minute = (int(at[1]), int(at[2])) if at else (23, 59)
        year, month, number = map(int, found.groups())
        moment = datetime(year, month, number, hour, minute, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return f"{day} {clock}".strip()
    return moment.isoformat(timespec="seconds")
