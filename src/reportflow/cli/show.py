"""What the terminal shows: figures, a timeline, an inbox. What stands in a record is shown, never obeyed."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reportflow.cli.speech import language, say
from reportflow.cli.texts import CATALOG
from reportflow.i18n.catalog import CHINESE
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.model.values import field_names
from reportflow.office.figures import DENOMINATORS, NAMES, Figures
from reportflow.office.report import Report

#: Fields of details that need no label: their value says what it is.
_PLAIN: Final = frozenset(
    {"body", "carrier", "department", "issue", "leader", "level", "measure", "post", "text", "title", "to", "usage"}
)
#: How many characters of a text are shown.
_LONGEST: Final = 48


def console(*, stderr: bool = False) -> Console:
    """Where to show: without colour where nobody looks, and with nothing in a text taken for an order."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def clean(text: str) -> Text:
    """A text on one line, without what a terminal would obey."""
    return Text("".join(one if one.isprintable() else " " for one in text))


def _table(*columns: tuple[str, dict[str, Any]], title: str = "") -> Table:
    table = Table(box=SIMPLE_HEAD, title=clean(title) if title else None, title_justify="left", title_style="bold")
    for heading, settings in columns:
        table.add_column(heading, **settings)
    return table


def _day(time: datetime | None, zone: tzinfo) -> str:
    return "–" if time is None else time.astimezone(zone).strftime("%Y-%m-%d")


def show_figures(figures: Figures, title: str) -> None:
    """A year's figures with their shares, and where the reports came from."""
    right = {"justify": "right", "no_wrap": True}
    table = _table(
        (say("figures.figure"), {}),
        (say("figures.number"), right),
        (say("figures.share"), right),
        (say("figures.of"), {}),
        title=title,
    )
    for name in NAMES:
        share, of = figures.share(name), DENOMINATORS.get(name)
        table.add_row(
            CATALOG.label("figure", name, language()),
            str(getattr(figures, name)),
            "" if share is None else f"{share:.1%}",
            CATALOG.label("figure", of, language()) if of else "",
            style="bold" if name == "collected" else None,
        )
    table.add_section()
    for source, number in figures.sources.items():
        share_of_all = f"{number / figures.collected:.1%}"
        said = say("figures.source", given=CATALOG.label("source", source, language()))
        table.add_row(said, str(number), share_of_all, CATALOG.label("figure", "collected", language()))
    shown = console()
    shown.print(table)
    shown.print(Text(say("figures.note")))


def show_history(record: Record, history: Iterable[Entry], lifecycle: Lifecycle, zone: tzinfo) -> None:
    """One record and what happened to it, oldest first."""
    number = record.number if isinstance(record, Report) and record.number else record.kind
    state = lifecycle.label_of("state", record.state, language())
    shown = console()
    shown.print(clean(record.title), style="bold")
    line = say("history.state", number=number, state=state, version=record.version, id=record.id)
    shown.print(clean(line), soft_wrap=True)
    table = _table(
        (say("history.when"), {"no_wrap": True}),
        (say("history.act"), {"min_width": 8}),
        (say("history.who"), {"min_width": 6}),
        (say("history.what"), {"ratio": 1, "overflow": "fold"}),
    )
    for entry in history:
        table.add_row(
            entry.at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
            lifecycle.describe(entry, language()),
            clean(entry.actor.name or entry.actor.id),
            clean(describe(entry, zone)),
        )
    shown.print(table)


def describe(entry: Entry, zone: tzinfo) -> str:
    """The reason and the details of an entry, in words."""
    joint = "；" if language() == CHINESE else "; "
    if isinstance(entry.details, Report):
        parts = _of_draft(entry.details)
    else:
        told = [(name, getattr(entry.details, name)) for name in _fields(entry.details)]
        parts = [_said(name, value, zone) for name, value in told if value not in (None, "", False, ())]
    return joint.join([*([entry.reason] if entry.reason else []), *parts])


def _fields(details: object) -> tuple[str, ...]:
    return () if details is None else field_names(type(details))


def _of_draft(draft: Report) -> list[str]:
    authors = [f"{one.name}（{one.unit}）" if one.unit else one.name for one in draft.authors]
    topics = [CATALOG.label("topic", one, language()) for one in draft.topics]
    said = [CATALOG.label("source", draft.source.value, language()), _listed(authors), _listed(topics)]
    return [one for one in said if one]


def _listed(texts: Sequence[str]) -> str:
    return ("、" if language() == CHINESE else ", ").join(texts)


def _said(name: str, value: Any, zone: tzinfo) -> str:
    label = CATALOG.label("cli.detail", name, language())
    if value is True:
        return label
    if isinstance(value, datetime):
        said = _day(value, zone)
    elif isinstance(value, enum.Enum):
        said = CATALOG.label(type(value).__name__.lower(), value.value, language())
    elif isinstance(value, tuple):
        said = _listed([CATALOG.label("topic", one, language()) for one in value])
    else:
        said = str(value)
    said = said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"
    return said if name in _PLAIN else f"{label} {said}"


def show_inbox(records: Iterable[Record], lifecycle: Lifecycle, title: str, zone: tzinfo) -> None:
    """What waits, with the ids to type."""
    table = _table(
        (say("inbox.due"), {"no_wrap": True}),
        (say("inbox.since"), {"no_wrap": True}),
        (say("inbox.state"), {"no_wrap": True}),
        (say("inbox.report"), {"ratio": 1, "overflow": "fold"}),
        title=title,
    )
    for record in records:
        state = lifecycle.label_of("state", record.state, language())
        named = clean(record.title).append(f"\n{record.id}", style="dim")
        table.add_row(_day(record.due_at, zone), _day(record.created_at, zone), state, named)
    console().print(table)
