"""What a check finds: a stable code, how bad it is, its facts, and the lines of Python that show it."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from reportflow.i18n.catalog import ENGLISH, NO_LABELS, STANDARD, Labels
from reportflow.model.entry import Command
from reportflow.model.record import Record
from reportflow.serialization.source import python


class Severity(enum.StrEnum):
    """How bad a finding is, the gravest first.

    ``error``: the definition is wrong, and the example shows it. ``warning``: it never went right among all that was
    tried, or a person is to judge it. ``note``: nothing need be done.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@attrs.frozen(kw_only=True)
class Finding:
    """One result of a check.

    Attributes:
        code: Stable.
        level: How bad it is.
        facts: What its text is filled with.
        example: Python lines that show it, for a ``flow`` that has the lifecycles, whose clock says ``now``, and that
            gives what `create` makes the id ``new_id``; records that a step creates get the ids ``s1``, ``s2`` and so
            on. The result of the last line stands behind it as a comment. Empty where there is nothing to run.
        labels: What the lifecycle calls states and triggers.
    """

    code: str
    level: Severity
    facts: Mapping[str, object] = attrs.field(factory=dict)
    example: tuple[str, ...] = ()
    labels: Labels = attrs.field(default=NO_LABELS, eq=False, repr=False)

    def text(self, language: str = ENGLISH) -> str:
        """What was found, and what to do, in a language."""
        return STANDARD.text(f"finding.{self.code}", language, self.facts, labels=self.labels)


@attrs.frozen(kw_only=True)
class Move:
    """One call: a creation where there is a draft, else an act on the record of an id."""

    id: str
    command: Command
    draft: Record | None = None

    def line(self) -> str:
        """The call as Python."""
        by = python(self.command.actor)
        if self.draft is not None:
            return f"flow.create({python(self.draft)}, by={by})"
        details = "" if self.command.details is None else f", {python(self.command.details)}"
        reason = f", reason={self.command.reason!r}" if self.command.reason else ""
        return f"flow.fire({self.id!r}, {self.command.trigger!r}{details}, by={by}{reason})"


def lines(moves: Iterable[Move], now: datetime, *, ends: str = "") -> tuple[str, ...]:
    """The calls as Python, with the clock set wherever it moves on from `now`, and the id of each new record.

    `ends` is the result of the last.
    """
    found: list[str] = []
    for move in moves:
        if move.command.now != now:
            now = move.command.now
            found.append(f"now = {python(now)}")
        if move.draft is not None and not move.draft.id:
            found.append(f"new_id = {move.id!r}")
        found.append(move.line())
    if found and ends:
        found[-1] += f"  # {' '.join(ends.split())}"
    return tuple(found)
