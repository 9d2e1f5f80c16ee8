"""Who may do what, where: state × role × trigger, read from the table alone, as Markdown, HTML and CSV."""

from __future__ import annotations

import csv
import enum
import html
import io
from collections.abc import Iterable, Iterator
from itertools import groupby, product
from typing import Final

import attrs

from reportflow.i18n.catalog import ENGLISH, STANDARD
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import EVERYBODY, NOBODY, Transition


class May(enum.StrEnum):
    """Whether a role may do something in a state, its scope granted.

    ``guarded``: if the row's guards pass. ``steps``: nobody may, it happens as a step of another act.
    """

    YES = "yes"
    GUARDED = "guarded"
    STEPS = "steps"
    NO = "no"


@attrs.frozen(kw_only=True)
class Cell:
    """One answer.

    Attributes:
        state: The state before; None where the record does not exist yet.
        dests: The state after, or all of them where the record decides; none where it cannot be done in this state.
        guards: The codes of the guards that must pass.
    """

    state: str | None
    role: str
    trigger: str
    may: May
    dests: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()

    @property
    def dest(self) -> str | None:
        """The states after, as one text; None without any."""
        return " / ".join(self.dests) or None


@attrs.frozen(kw_only=True)
class Matrix:
    """All cells of a lifecycle: by state, then by trigger, then by role, each in the order of the definition."""

    lifecycle: Lifecycle
    cells: tuple[Cell, ...]

    def markdown(self, language: str = ENGLISH) -> str:
        """One table for each state: a line for each act that it has, a column for each role."""
        words = _Words(self.lifecycle, language)
        lines = [f"# {_plain(words.title)}", "", words.text("legend"), ""]
        for caption, rows in self._tables(words):
            lines += [f"## {_plain(caption)}", "", _line(words.heads), _line(["---"] * len(words.heads))]
            lines += [_line([trigger, *map(words.cell, cells)]) for trigger, cells in rows]
            lines.append("")
        return "\n".join(lines)

    def html(self, language: str = ENGLISH) -> str:
        """A whole page in the language, with a table for each state, whose headings say what they head."""
        words, escape = _Words(self.lifecycle, language), html.escape
        head = "".join(f'<th scope="col">{escape(one)}</th>' for one in words.heads)
        parts = [
            f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(words.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>",
            f"<h1>{escape(words.title)}</h1>\n<p>{escape(words.text('legend'))}</p>",
        ]
        for caption, rows in self._tables(words):
            parts.append(f"<table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>")
            for trigger, cells in rows:
                row = "".join(f'<td class="{one.may}">{escape(words.cell(one))}</td>' for one in cells)
                parts.append(f'<tr><th scope="row">{escape(trigger)}</th>{row}</tr>')
            parts.append("</tbody>\n</table>")
        return "\n".join([*parts, "</main>\n</body>\n</html>\n"])

    def csv(self, language: str = ENGLISH) -> str:
        """A line for each state, trigger and role, with the names as the table has them and as people call them."""
        words = _Words(self.lifecycle, language)
        written = io.StringIO()
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for one in self.cells:
            names = (one.state or "", one.role, one.trigger, one.may.value, one.dest or "", " ".join(one.guards))
            labels = (words.state(one.state), words.label("role", one.role), words.label("trigger", one.trigger))
            after = (words.text(one.may.value), words.states(one.dests))
            writer.writerow([_cell(text) for text in (*names, *labels, *after)])
        return written.getvalue()

    def _tables(self, words: _Words) -> Iterator[tuple[str, list[tuple[str, list[Cell]]]]]:
        """The caption of each state that has acts, with the acts' labels and the cells of each."""
        possible = (cell for cell in self.cells if cell.dests)
        for state, cells in groupby(possible, key=lambda cell: cell.state):
            caption = words.state(None) if state is None else words.text("caption", state=state)
            by_trigger = groupby(cells, key=lambda cell: cell.trigger)
            yield caption, [(words.label("trigger", trigger), list(row)) for trigger, row in by_trigger]


def matrix(lifecycle: Lifecycle) -> Matrix:
    """Who may do what in each state of a lifecycle, and before there is a record."""
    states = (None, *(state.name for state in lifecycle.states))
    places = product(states, lifecycle.triggers, lifecycle.roles)
    return Matrix(lifecycle=lifecycle, cells=tuple(_cell_of(lifecycle, *place) for place in places))


def _cell_of(lifecycle: Lifecycle, state: str | None, trigger: str, role: str) -> Cell:
    found = lifecycle.row(state, trigger)
    if found is None:
        return Cell(state=state, role=role, trigger=trigger, may=May.NO)
    row = found[0]
    guards = tuple(guard.code for guard in row.guards)
    return Cell(state=state, role=role, trigger=trigger, may=_may(row, role), dests=row.dests(state), guards=guards)


def _may(row: Transition, role: str) -> May:
    if not row.roles or NOBODY in row.roles:
        return May.STEPS
    if role not in row.roles and EVERYBODY not in row.roles:
        return May.NO
    return May.GUARDED if row.guards else May.YES


class _Words:
    """What states, roles and acts are called in a language."""

    def __init__(self, lifecycle: Lifecycle, language: str) -> None:
        self._lifecycle = lifecycle
        self._language = language
        self.title = self.text("title", name=self.label("lifecycle", lifecycle.name))
        self.heads = [self.text("trigger"), *(self.label("role", role) for role in lifecycle.roles)]

    def text(self, code: str, **facts: object) -> str:
        facts["lifecycle"] = self._lifecycle.name
        return STANDARD.text(f"may.{code}", self._language, facts, labels=self._lifecycle.labels)

    def label(self, room: str, name: str) -> str:
        return self._lifecycle.label_of(room, name, self._language)

    def state(self, name: str | None) -> str:
        return self.text("nothing yet") if name is None else self.label("state", name)

    def states(self, names: Iterable[str]) -> str:
        return " / ".join(map(self.state, names))

    def cell(self, cell: Cell) -> str:
        if cell.may is May.NO:
            return self.text("no")
        guards = f" ({', '.join(self.label('guard', one) for one in cell.guards)})" if cell.guards else ""
        return f"{self.text(cell.may.value)} → {self.states(cell.dests)}{guards}"


_COLUMNS: Final = (
    "state", "role", "trigger", "may", "dest", "guards", "state_label", "role_label", "trigger_label", "may_label",
    "dest_label",
)  # fmt: skip
_STYLE: Final = (
    "body{font-family:sans-serif;margin:1rem}table{border-collapse:collapse;margin:0 0 2rem}"
    "caption{text-align:start;font-weight:bold;padding:.5rem 0}"
    "th,td{border:1px solid #767676;padding:.3rem .6rem;text-align:start}td.no{color:#595959}"
)


def _line(texts: list[str]) -> str:
    return f"| {' | '.join(_plain(text).replace('|', chr(92) + '|') for text in texts)} |"


def _plain(text: str) -> str:
    """A text on one line, with nothing in it that Markdown or HTML would obey."""
    shown = "".join(one if one.isprintable() else " " for one in text)
    for sign in "\\`*_[]":
        shown = shown.replace(sign, f"\\{sign}")
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
