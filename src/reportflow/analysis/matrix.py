"""Who may do what, where: state × role × trigger, read from the table alone, as Markdown, HTML and CSV."""

from __future__ import annotations

import csv
import enum
import html
import io
from collections.abc import Iterable, Iterator
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
        state: The state before; None where the record is not there yet.
        role: The role.
        trigger: What is to be done.
        may: Whether it may.
        dest: The state after; None where it cannot be done in this state at all.
        guards: The codes of the guards that must pass.
    """

    state: str | None
    role: str
    trigger: str
    may: May
    dest: str | None = None
    guards: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Matrix:
    """All cells of a lifecycle: by state, then by trigger, then by role, each in the order of the definition."""

    lifecycle: Lifecycle
    cells: tuple[Cell, ...]

    def markdown(self, language: str = ENGLISH) -> str:
        """One table for each state: a line for each act that it has, a column for each role."""
        speech = _Speech(self.lifecycle, language)
        lines = [f"# {_plain(speech.title())}", "", speech.say("legend"), ""]
        for state, triggers in self._tables():
            heads = [speech.say("trigger"), *map(speech.role, self.lifecycle.roles)]
            lines += [f"## {_plain(speech.caption(state))}", "", _line(heads), _line(["---"] * len(heads))]
            lines += [_line([speech.trigger(name), *map(speech.cell, cells)]) for name, cells in triggers]
            lines.append("")
        return "\n".join(lines)

    def html(self, language: str = ENGLISH) -> str:
        """A whole page in the language, with a table for each state, whose headings say what they head."""
        speech = _Speech(self.lifecycle, language)
        title = html.escape(speech.title())
        parts = [
            f'<!DOCTYPE html>\n<html lang="{html.escape(language)}">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>",
            f"<h1>{title}</h1>\n<p>{html.escape(speech.say('legend'))}</p>",
        ]
        for state, triggers in self._tables():
            heads = [speech.say("trigger"), *map(speech.role, self.lifecycle.roles)]
            head = "".join(f'<th scope="col">{html.escape(one)}</th>' for one in heads)
            parts.append(f"<table>\n<caption>{html.escape(speech.caption(state))}</caption>")
            parts.append(f"<thead><tr>{head}</tr></thead>\n<tbody>")
            for name, cells in triggers:
                row = "".join(f'<td class="{one.may}">{html.escape(speech.cell(one))}</td>' for one in cells)
                parts.append(f'<tr><th scope="row">{html.escape(speech.trigger(name))}</th>{row}</tr>')
            parts.append("</tbody>\n</table>")
        return "\n".join([*parts, "</main>\n</body>\n</html>\n"])

    def csv(self, language: str = ENGLISH) -> str:
        """A line for each state, trigger and role, with the names as the table has them and as people call them."""
        speech = _Speech(self.lifecycle, language)
        written = io.StringIO()
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for one in self.cells:
            dest = "" if one.dest is None else one.dest
            names = (one.state or "", one.role, one.trigger, one.may.value, dest, " ".join(one.guards))
            labels = (
                speech.state(one.state),
                speech.role(one.role),
                speech.trigger(one.trigger),
                speech.say(one.may.value),
                speech.state(one.dest) if one.dest else "",
            )
            writer.writerow([_cell(text) for text in (*names, *labels)])
        return written.getvalue()

    def _tables(self) -> Iterator[tuple[str | None, list[tuple[str, list[Cell]]]]]:
        """Each state with the acts that it has, and the cells of each."""
        states: dict[str | None, dict[str, list[Cell]]] = {}
        for cell in self.cells:
            if cell.dest is not None:
                states.setdefault(cell.state, {}).setdefault(cell.trigger, []).append(cell)
        for state, triggers in states.items():
            yield state, list(triggers.items())


def matrix(lifecycle: Lifecycle) -> Matrix:
    """Who may do what in each state of a lifecycle, and before there is a record."""
    states = (None, *(state.name for state in lifecycle.states))
    cells = (
        _judged(lifecycle, state, trigger, role)
        for state in states
        for trigger in lifecycle.triggers
        for role in lifecycle.roles
    )
    return Matrix(lifecycle=lifecycle, cells=tuple(cells))


def _judged(lifecycle: Lifecycle, state: str | None, trigger: str, role: str) -> Cell:
    found = lifecycle.row(state, trigger)
    if found is None:
        return Cell(state=state, role=role, trigger=trigger, may=May.NO)
    row, dest = found
    guards = tuple(guard.code for guard in row.guards)
    return Cell(state=state, role=role, trigger=trigger, may=_may(row, role), dest=dest, guards=guards)


def _may(row: Transition, role: str) -> May:
    if not row.roles or NOBODY in row.roles:
        return May.STEPS
    if role not in row.roles and EVERYBODY not in row.roles:
        return May.NO
    return May.GUARDED if row.guards else May.YES


class _Speech:
    """What states, roles and acts are called."""

    def __init__(self, lifecycle: Lifecycle, language: str) -> None:
        self._lifecycle = lifecycle
        self._language = language

    def say(self, code: str, **facts: object) -> str:
        return STANDARD.text(
            f"may.{code}", self._language, {"lifecycle": self._lifecycle.name, **facts}, labels=self._lifecycle.labels
        )

    def title(self) -> str:
        return self.say("title", name=self._lifecycle.label_of("lifecycle", self._lifecycle.name, self._language))

    def caption(self, state: str | None) -> str:
        return self.state(state) if state is None else self.say("caption", state=state)

    def state(self, name: str | None) -> str:
        return self.say("nothing yet") if name is None else self._lifecycle.label_of("state", name, self._language)

    def trigger(self, name: str) -> str:
        return self._lifecycle.label_of("trigger", name, self._language)

    def role(self, name: str) -> str:
        return self._lifecycle.label_of("role", name, self._language)

    def cell(self, cell: Cell) -> str:
        said = self.say(cell.may.value)
        if cell.may is May.NO:
            return said
        guards = f" ({', '.join(cell.guards)})" if cell.guards else ""
        return f"{said} → {self.state(cell.dest)}{guards}"


_COLUMNS: Final = (
    "state", "role", "trigger", "may", "dest", "guards", "state_label", "role_label", "trigger_label", "may_label",
    "dest_label",
)  # fmt: skip
_STYLE: Final = (
    "body{font-family:sans-serif;margin:1rem}table{border-collapse:collapse;margin:0 0 2rem}"
    "caption{text-align:start;font-weight:bold;padding:.5rem 0}"
    "th,td{border:1px solid #767676;padding:.3rem .6rem;text-align:start}td.no{color:#595959}"
)


def _line(texts: Iterable[str]) -> str:
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
