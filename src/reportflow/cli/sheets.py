"""What the terminal shows of a record and of a list of records, whatever their class; no id where a name is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

import attrs
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reportflow.cli.show import FIXED, WIDE, clean, console, table
from reportflow.cli.translation import language, text
from reportflow.cli.whose import roles_of
from reportflow.exports.phrases import Phrases
from reportflow.i18n.catalog import STANDARD, printable
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.model.values import REFERS

#: From how many characters on, or lines, a text is shown by itself.
_LONG: Final = 48
#: The fields of every record, which stand in the head of its sheet.
_HEAD: Final = frozenset(field.name for field in attrs.fields(Record))


def show_record(record: Record, history: Sequence[Entry], lifecycle: Lifecycle, zone: tzinfo) -> None:
    """A record as a clerk reads it: title, number, how far it is and whose turn, what is known of it, its texts."""
    shown = console()
    state = lifecycle.state(record.state)
    shown.print(clean(record.title or lifecycle.label_of("lifecycle", lifecycle.name, language())), style="bold")
    people = {entry.actor.id: entry.actor.name for entry in history if entry.actor.name}
    rows = Table.grid(padding=(0, 2))
    rows.add_column(no_wrap=True, style="dim")
    rows.add_column(ratio=1, overflow="fold")
    number = record.reference or record.id
    head = {
        text("sheet.number" if record.reference else "sheet.id"): number,
        text("sheet.state"): lifecycle.label_of("state", record.state, language()),
        text("sheet.turn"): roles_of(lifecycle, state.awaits) if state.awaits else "",
        **_known(record, lifecycle, zone, people, ("assignee", "due_at", "unit", "category", "secrecy")),
        text("sheet.created"): " ".join(filter(None, (_time(record.created_at, zone), _creator(record, people)))),
        text("sheet.changed"): _time(record.updated_at, zone),
        text("sheet.seen"): text("sheet.version", number=record.version, head=record.head[:12]),
    }
    own = [one for one in attrs.fields(type(record)) if one.name not in _HEAD and one.name != _number_of(record)]
    several = [one.name for one in own if REFERS not in one.metadata]
    known = _known(record, lifecycle, zone, people, several)
    short = {name: one for name, one in known.items() if not _is_long(one)}
    for name, one in {**head, **short}.items():
        if one:
            rows.add_row(clean(name), clean(one))
    shown.print(rows)
    for name, one in known.items():
        if _is_long(one):
            shown.print()
            shown.print(clean(name), style="bold")
            for line in one.splitlines():
                shown.print(Padding(Text(clean(line).plain, overflow="fold"), (0, 0, 0, 2)))


def _number_of(record: Record) -> str:
    """The field that holds the number by which people refer to the record, where one does."""
    texts = (one.name for one in attrs.fields(type(record)))
    return next((one for one in texts if record.reference and getattr(record, one) == record.reference), "")


def _is_long(shown: str) -> bool:
    return len(shown) > _LONG or "\n" in shown


def _creator(record: Record, people: Mapping[str, str]) -> str:
    return people.get(record.created_by, record.created_by)


def _time(time: datetime | None, zone: tzinfo) -> str:
    return "" if time is None else time.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _known(
    record: Record, lifecycle: Lifecycle, zone: tzinfo, people: Mapping[str, str], names: Iterable[str]
) -> dict[str, str]:
    """Some fields of a record by what people call them, those that say something."""
    found, phrases = {}, Phrases(STANDARD, language(), zone, people)
    for name in names:
        shown = value_text(record, name, lifecycle, phrases, people)
        if shown:
            found[lifecycle.label_of("field", name, language())] = shown
    return found


def value_text(holder: Any, field: str, lifecycle: Lifecycle, phrases: Phrases, people: Mapping[str, str]) -> str:
    """What a field holds, in words; blank where it says nothing to a clerk."""
    value = getattr(holder, field)
    named = people.get(value) if isinstance(value, str) else None
    return named or phrases.field(holder, field, lifecycle)


# -- lists ------------------------------------------------------------------------------------------------------------


def show_records(records: Sequence[Record], lifecycles: Mapping[str, Lifecycle], zone: tzinfo, title: str = "") -> None:
    """Some records, with the numbers to type; the id of what has none. Of several units or kinds, whose and which."""
    units = ("inbox.unit",) if len({record.unit for record in records}) > 1 else ()
    kinds = ("inbox.kind",) if len({record.kind for record in records}) > 1 else ()
    fixed = ("inbox.due", "inbox.since", *kinds, "inbox.state", *units, "inbox.number")
    rows = table({**dict.fromkeys(fixed, FIXED), "inbox.title_of": WIDE}, title)
    for record in records:
        lifecycle = lifecycles[record.kind]
        days = [_day(record.due_at, zone), _day(record.created_at, zone)]
        words = [lifecycle.label_of("lifecycle", record.kind, language())] if kinds else []
        words += [lifecycle.label_of("state", record.state, language()), *(record.unit for _ in units)]
        called = clean(record.title)
        if not record.reference:
            called.append("\n").append(clean(record.id).plain, style="dim")
        rows.add_row(*map(clean, (*days, *words, record.reference)), called)
    console().print(rows)


def _day(time: datetime | None, zone: tzinfo) -> str:
    return "–" if time is None else time.astimezone(zone).strftime("%Y-%m-%d")


def show_facts(facts: Mapping[str, object]) -> None:
    """Some facts, one a line, each after its name."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(no_wrap=True, style="dim")
    rows.add_column(ratio=1, overflow="fold")
    for name, fact in facts.items():
        rows.add_row(clean(name), Text(printable(str(fact))))
    console().print(rows)
