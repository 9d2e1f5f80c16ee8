"""What a check finds: a stable code, how bad it is, its facts, and the lines of Python that show it."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import attrs

from reportflow.errors import InvalidValue
from reportflow.i18n.catalog import ENGLISH, NO_LABELS, STANDARD, Labels
from reportflow.model.checks import is_blank
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
        accepted: Why it may be so, where its code was accepted: it is a note then.
    """

    code: str
    level: Severity
    facts: Mapping[str, object] = attrs.field(factory=dict)
    example: tuple[str, ...] = ()
    labels: Labels = attrs.field(default=NO_LABELS, eq=False, repr=False)
    accepted: str = ""

    def text(self, language: str = ENGLISH) -> str:
        """What was found, and what to do, in a language; and why it was accepted."""
        found = STANDARD.text(f"finding.{self.code}", language, self.facts, labels=self.labels)
        if not self.accepted:
            return found
        return STANDARD.text("finding.accepted", language, {"given": found, "reason": self.accepted})


#: The codes of what may be accepted: all that is graver than a note.
ACCEPTABLE: Final = frozenset(
    {
        "unbuildable", "step_unknown", "rule_raises", "rule_effect", "rule_differs", "guard_undeclared",
        "state_unreachable", "state_trap", "record_trap", "row_never", "row_shadowed", "row_unasked", "guard_never",
        "guard_always",
        "detour_fired", "detour_reached", "not_commuting", "steps_endless", "steps_may_circle",
    }
)  # fmt: skip


def accepting(findings: Iterable[Finding], accept: Mapping[str, str], name: str) -> tuple[Finding, ...]:
    """The findings with those of accepted codes as notes; then a warning for each code that nothing was found of.

    Args:
        findings: What was found.
        accept: Code -> why it may be so.
        name: The lifecycle's name.

    Raises:
        InvalidValue: a code that no finding can have, or a reason that is blank.
    """
    for code, reason in accept.items():
        if code not in ACCEPTABLE:
            raise InvalidValue("accept", "choice", {"given": repr(code), "choices": sorted(ACCEPTABLE)})
        if is_blank(reason):
            raise InvalidValue(f"accept[{code!r}]", "blank", {})
    found = [
        attrs.evolve(one, level=Severity.NOTE, accepted=accept[one.code])
        if one.code in accept and one.level is not Severity.NOTE
        else one
        for one in findings
    ]
    unused = [code for code in accept if not any(one.accepted and one.code == code for one in found)]
    facts = [{"lifecycle": name, "codes": (code,)} for code in unused]
    return (*found, *(Finding(code="acceptance_unused", level=Severity.WARNING, facts=one) for one in facts))


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
