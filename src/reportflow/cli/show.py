"""What the terminal shows: figures, a history, an inbox. Control characters and markup in a record are never obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reportflow.cli.translation import language, text
from reportflow.exports.phrases import Phrases
from reportflow.i18n.catalog import CHINESE, STANDARD
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.office.figures import CIRCULAR, DENOMINATORS, NAMES, Figures

#: How many characters of a text are shown.
_LONGEST: Final = 48
#: What a column is like: as wide as its content, that and on the right, or as wide as there is room.
FIXED: Final[Mapping[str, Any]] = MappingProxyType({"no_wrap": True})
RIGHT: Final[Mapping[str, Any]] = MappingProxyType({"no_wrap": True, "justify": "right"})
WIDE: Final[Mapping[str, Any]] = MappingProxyType({"ratio": 1, "overflow": "fold"})


def console(*, stderr: bool = False) -> Console:
    """Where to show: without colour where no terminal is, and without markup."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def clean(shown: str) -> Text:
    """A text on one line, without control characters."""
    return Text("".join(one if one.isprintable() or one == "　" else " " for one in shown))


def table(columns: Mapping[str, Mapping[str, Any]], title: str = "") -> Table:
    """A table without rows, of columns by the code of their heading ("" for none)."""
    made = Table(box=SIMPLE_HEAD, title=clean(title) if title else None, title_justify="left", title_style="bold")
    for code, settings in columns.items():
        made.add_column(text(code) if code else "", **settings)
    return made


def _day(time: datetime | None, zone: tzinfo) -> str:
    return "–" if time is None else time.astimezone(zone).strftime("%Y-%m-%d")


def _label(room: str, name: str) -> str:
    return STANDARD.label(room, name, language())


def _joined(parts: Iterable[str], mark: str) -> str:
    return (mark if language() == CHINESE else {"、": ", ", "；": "; ", "　": " · "}[mark]).join(filter(None, parts))


def show_figures(figures: Figures, title: str, instructions: tuple[int, int]) -> None:
    """A year's figures with their shares, those of the circular first, and the sources of the reports.

    `instructions` are how many there were (件次), and how many by principal leaders.
    """
    rows = table({"figures.figure": {}, "figures.number": RIGHT, "figures.share": RIGHT, "": {}}, title)

    def add(name: str, number: int, share: float | None, of: str = "collected", style: str | None = None) -> None:
        shares = ("", "") if share is None else (f"{share:.1%}", text("figures.of", given=_label("figure", of)))
        rows.add_row(name, str(number), *shares, style=style)

    for name in NAMES:
        if name == NAMES[len(CIRCULAR)]:
            rows.add_section()
            rows.add_row(text("figures.process"), style="dim")
        style = "bold" if name == "collected" else None
        add(_label("figure", name), getattr(figures, name), figures.share(name), DENOMINATORS.get(name, ""), style)
    rows.add_section()
    rows.add_row(text("figures.sources"), style="dim")
    for source, number in figures.sources.items():
        add(_label("source", source), number, number / figures.collected)
    shown = console()
    shown.print(rows)
    events, principal = instructions
    shown.print(Text(text("figures.instructed", number=figures.instructed, events=events, principal=principal)))
    shown.print(Text(text("figures.note")))


def show_history(
    record: Record, history: Iterable[Entry], lifecycle: Lifecycle, zone: tzinfo, names: Mapping[str, str]
) -> None:
    """One record and what happened to it, oldest first. `names` are what people call ids in it."""
    state = lifecycle.label_of("state", record.state, language())
    number = text("history.number", number=record.reference) if record.reference else ""
    shown = console()
    shown.print(clean(record.title), style="bold")
    shown.print(clean(_joined([number, state], "　")), soft_wrap=True)
    act, who = {"min_width": 8}, {"min_width": 6}
    rows = table({"history.when": FIXED, "history.act": act, "history.who": who, "history.what": WIDE})
    for entry in history:
        rows.add_row(
            entry.at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
            clean(lifecycle.describe(entry, language())),
            clean(entry.actor.name or entry.actor.id),
            clean(_describe(entry, lifecycle, zone, names)),
        )
    shown.print(rows)


def _describe(entry: Entry, lifecycle: Lifecycle, zone: tzinfo, names: Mapping[str, str]) -> str:
    """The details and the reason of an entry, in one sentence."""
    phrase = Phrases(STANDARD, language(), zone, names, longest=_LONGEST).of(entry, lifecycle)
    return _joined([phrase.rstrip("。") if entry.reason else phrase, entry.reason], "；")
