"""The commands that look at records: `show`, `find`, `inbox`, `history` and `diff`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta, tzinfo
from typing import Any, Final, cast

import attrs
import click
from rich.text import Text

from reportflow.analysis.wording import Span, differences, summary
from reportflow.cli import sheets
from reportflow.cli import show as timeline
from reportflow.cli.completing import complete_kinds, complete_states, complete_triggers
from reportflow.cli.lookup import called
from reportflow.cli.outcome import USAGE, json_line
from reportflow.cli.show import clean, console
from reportflow.cli.translation import (
    CommandFailed,
    language,
    option,
    text,
)
from reportflow.cli.typed import time_of
from reportflow.cli.whose import Office, asking, roles_of, say_left_out
from reportflow.exports.phrases import Phrases
from reportflow.i18n.catalog import STANDARD, Renderer, printable
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Secrecy
from reportflow.model.query import ORDERS, Happened, Interval, Page, Query
from reportflow.model.record import Record
from reportflow.model.values import REFERS
from reportflow.serialization.plain import to_plain

_LIMIT: Final = option(
    "--limit", type=click.IntRange(min=1, max=10_000), default=20, show_default=True, help="help.limit"
)
_CURSOR: Final = option("--cursor", metavar="CURSOR", help="help.cursor")
#: How many sentences there are of each sort, in the order of `Summary`.
_COUNTED: Final = ("diff.changed", "diff.added", "diff.removed", "diff.moved")
#: What each act changes.
_NO_CONTENT: Final = frozenset({"version", "head", "updated_at"})
#: How a stretch of a text is marked, without colour and with it.
_MARKS: Final[Mapping[str, tuple[str, str, str]]] = {
    "same": ("", "", ""),
    "removed": ("[-", "-]", "red strike"),
    "added": ("{+", "+}", "green underline"),
    "moved_away": ("[<", "<]", "dim strike"),
    "moved": ("{>", ">}", "blue underline"),
}


_number = click.argument("number", metavar="NUMBER")


@asking("show", _number, option("--version", type=click.IntRange(min=1), help="help.version"), about="help.show")
def show(office: Office, number: str, *, as_json: bool, version: int | None) -> None:
    """Show one record."""
    record = office.record(number)
    actor = office.on(record)
    if version is not None:
        record = office.wide.as_of(record.id, by=actor, version=version)
    if as_json:
        click.echo(json_line(to_plain(record)))
        return
    history = office.wide.history(record.id, by=actor)
    sheets.show_record(record, history, office.lifecycle(record.kind), office.zone)


# -- one record's past ------------------------------------------------------------------------------------------------


@asking("history", _number, about="help.history")
def history(office: Office, number: str, *, as_json: bool) -> None:
    """Show what happened to one record."""
    record = office.record(number)
    entries = office.wide.history(record.id, by=office.on(record))
    if as_json:
        click.echo(json_line({"entries": [to_plain(one) for one in entries]}))
        return
    show_past(office, record)


def show_past(office: Office, record: Record) -> None:
    """What happened to a record, with the names of the people and of the other records in it."""
    entries = office.wide.history(record.id, by=office.on(record))
    names = {entry.actor.id: entry.actor.name for entry in entries if entry.actor.name}
    others = {id for entry in entries for id in _referred(entry.details)}
    names.update(office.names(others))
    timeline.show_history(record, entries, office.lifecycle(record.kind), office.zone, names)


def _referred(details: object) -> Iterator[str]:
    """The ids in the fields of details that refer to another record."""
    if details is not None and not isinstance(details, Record):
        for one in attrs.fields(cast(Any, type(details))):
            value = getattr(details, one.name)
            if REFERS in one.metadata and isinstance(value, str):
                yield value


@asking(
    "diff",
    _number,
    option("--from", "first", type=click.IntRange(min=1), help="help.from"),
    option("--to", "last", type=click.IntRange(min=1), help="help.to"),
    about="help.diff",
)
def diff(office: Office, number: str, *, as_json: bool, first: int | None, last: int | None) -> None:
    """Show what differs between two versions."""
    record = office.record(number)
    actor = office.on(record)
    last = record.version if last is None else last
    if first is None:  # what the person did last, else the beginning
        own = [one.sequence for one in office.wide.history(record.id, by=actor) if one.actor.id == actor.id]
        first = max([one for one in own if one < last], default=1)
    old, new = (office.wide.as_of(record.id, by=actor, version=one) for one in (first, last))
    lifecycle = office.lifecycle(record.kind)
    changes = [
        one.name
        for one in attrs.fields(type(record))
        if one.name not in _NO_CONTENT
        and REFERS not in one.metadata
        and getattr(old, one.name) != getattr(new, one.name)
    ]
    if as_json:
        before, after = to_plain(old), to_plain(new)
        fields = {name: {"from": before.get(name), "to": after.get(name)} for name in changes}
        click.echo(json_line({"from": first, "to": last, "fields": fields}))
        return
    console().print(clean(text("diff.title", first=first, last=last)), style="bold")
    phrases = Phrases(STANDARD, language(), office.zone, {})
    shown = [_show_change(name, old, new, lifecycle, phrases) for name in changes]
    if not any(shown):
        console().print(clean(text("diff.none")))


def _show_change(name: str, old: Record, new: Record, lifecycle: Lifecycle, phrases: Phrases) -> bool:
    """One field that differs: a text by its sentences, else what it was and is; whether there is anything to see."""
    label = lifecycle.label_of("field", name, language())
    before, after = getattr(old, name), getattr(new, name)
    if isinstance(before, str) and isinstance(after, str) and before and after and name != "state":
        spans = differences(before, after)
        _show_spans(label, spans)
        return True
    if name == "state":
        before, after = (lifecycle.label_of("state", one, language()) if one else "" for one in (before, after))
    else:
        before, after = (phrases.field(one, name, lifecycle) for one in (old, new))
    if before != after:
        console().print(clean(text("diff.field", name=label, old=before or "–", new=after or "–")))
    return bool(before != after)


def _show_spans(label: str, spans: Sequence[Span]) -> None:
    counted = zip(_COUNTED, summary(spans), strict=True)
    several = [text(code, number=number) for code, number in counted if number]
    heading = clean(label).append("  ").append(Renderer(STANDARD, language()).join(several or ["–"]), style="dim")
    console().print(heading)
    line = Text(overflow="fold")
    for kind, part in spans:
        before, behind, style = _MARKS[kind]
        line.append(f"{before}{printable(part)}{behind}", style=style)
    console().print(line)


# -- lists ------------------------------------------------------------------------------------------------------------


@asking("inbox", _LIMIT, _CURSOR, about="help.inbox")
def inbox(office: Office, *, as_json: bool, limit: int, cursor: str | None) -> None:
    """Show what waits."""
    actor = office.actor
    page = office.wide.inbox(by=actor, limit=limit, cursor=cursor)
    several = {
        label
        for one in office.flow.lifecycles
        for label in [roles_of(one, actor.roles & set(one.roles))]
        if actor.roles & set(one.roles)
    }
    whose = Renderer(STANDARD, language()).join(sorted(several))
    if as_json:
        _print_page(page)
    elif not page.records:
        say_left_out(page.unreadable)
        click.echo(text("inbox.empty", given=whose))
    else:
        say_left_out(page.unreadable)
        sheets.show_records(page.records, office.lifecycles, office.zone, text("inbox.title", given=whose))
        if page.next:
            click.echo(text("inbox.more", number=limit * 10))


def _print_page(page: Page) -> None:
    plain = {"records": [to_plain(one) for one in page.records], "next": page.next, "unreadable": [*page.unreadable]}
    click.echo(json_line(plain))


_FILTERS: Final = (
    option("--kind", multiple=True, metavar="KIND", help="help.f_kind", shell_complete=complete_kinds),
    option("--state", multiple=True, metavar="STATE", help="help.f_state", shell_complete=complete_states),
    option("--of-unit", "units", multiple=True, metavar="UNIT", help="help.f_unit"),
    option("--category", multiple=True, metavar="WORD", help="help.f_category"),
    option("--topic", multiple=True, metavar="TOPIC", help="help.f_topic"),
    option("--author", multiple=True, metavar="ID", help="help.f_author"),
    option("--assignee", multiple=True, metavar="ID", help="help.f_assignee"),
    option("--created-by", multiple=True, metavar="ID", help="help.f_created_by"),
    option("--parent", multiple=True, metavar="ID", help="help.f_parent"),
    option("--secrecy", multiple=True, type=click.Choice([one.value for one in Secrecy]), help="help.f_secrecy"),
    option("--created", "created_at", metavar="FROM..TO", help="help.f_created"),
    option("--updated", "updated_at", metavar="FROM..TO", help="help.f_updated"),
    option("--due", "due_at", metavar="FROM..TO", help="help.f_due"),
    option("--done", multiple=True, metavar="ACT", help="help.f_done", shell_complete=complete_triggers),
    option("--done-at", metavar="FROM..TO", help="help.f_done_at"),
    option("--party", multiple=True, metavar="NAME", help="help.f_party"),
    option("--order", metavar="FIELD", multiple=True, type=click.Choice([*ORDERS, *map("-{}".format, ORDERS)]),
           default=["-created_at"], help="help.order"),
)  # fmt: skip


@asking("find", click.argument("words", metavar="[TEXT]...", nargs=-1), *_FILTERS, _LIMIT, _CURSOR, about="help.find")
def find(
    office: Office, *, as_json: bool, words: tuple[str, ...], state: tuple[str, ...], units: tuple[str, ...],
    created_at: str | None, updated_at: str | None, due_at: str | None, done: tuple[str, ...], done_at: str | None,
    party: tuple[str, ...], order: tuple[str, ...], limit: int, cursor: str | None, **same: tuple[str, ...],
) -> None:  # fmt: skip
    """Find records."""
    lifecycles = office.lifecycles.values()
    times = {"created_at": created_at, "updated_at": updated_at, "due_at": due_at}
    chosen: dict[str, Any] = {name: frozenset(one) for name, one in same.items() if one}
    chosen.update({name: _interval(one, office.zone) for name, one in times.items() if one})
    if words:
        chosen["text"] = " ".join(words)
    if units:
        chosen["unit"] = frozenset(units)
    if state:
        chosen["state"] = _names(state, "state", {one.name: each for each in lifecycles for one in each.states})
    if done or done_at or party:
        known = {one: each for each in lifecycles for one in each.triggers}
        happened: dict[str, Any] = {"trigger": _names(done, "trigger", known)} if done else {}
        happened |= {"party": frozenset(party)} if party else {}
        happened |= {"at": _interval(done_at, office.zone)} if done_at else {}
        chosen["happened"] = Happened(**happened)
    query = Query(**chosen, order=order, limit=limit, cursor=cursor)
    page = office.wide.find(query, by=office.actor)
    if as_json:
        _print_page(page)
        return
    say_left_out(page.unreadable)
    if not page.records:
        click.echo(text("find.none"))
        return
    sheets.show_records(page.records, office.lifecycles, office.zone)
    if page.next:
        click.echo(text("find.more", cursor=page.next))


def _names(given: Iterable[str], room: str, known: Mapping[str, Lifecycle]) -> frozenset[str]:
    """Names of a table, from names or from what people call them; an unknown one as it is, for the query to refuse."""
    found: set[str] = set()
    for one in given:
        meant = [name for name, lifecycle in known.items() if one in called(lifecycle, room, name)]
        found.update(meant or [one])
    return frozenset(found)


def _interval(given: str, zone: tzinfo) -> Interval:
    """A stretch of time: a year, a month, a day or a time, or two of them with ``..`` between; open where one is blank.

    Raises:
        CommandFailed: it is none.
    """
    first, dots, last = given.partition("..")
    start = _stretch(first, given, zone) if first else Interval()
    end = (_stretch(last, given, zone) if last else Interval()) if dots else start
    return Interval(start.start, end.end)


def _stretch(part: str, given: str, zone: tzinfo) -> Interval:
    pieces = part.strip().split("-")
    try:
        if len(pieces) <= 3 and all(one.isdecimal() for one in pieces):
            numbers = [int(one) for one in pieces]
            if len(numbers) == 1:
                return Interval.year(numbers[0], zone)
            if len(numbers) == 2:
                return Interval.month(numbers[0], numbers[1], zone)
            return Interval.day(date(*numbers), zone)
        found = time_of(part, zone)
        if found is not None:
            return Interval(found, found + timedelta(minutes=1))
    except (ValueError, OverflowError):  # an `InvalidValue` is a ValueError too
        pass
    raise CommandFailed(text("wrong.interval", given=given), USAGE)
