"""What tests covered of some definitions: rows, outcomes of guards, refusals, and pairs of rows; each in per cent.

Of rows and guards the tables say how many there are. Which refusals and pairs can be met a search finds out; what it
did not find and a test met counts too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from reportflow.analysis.search import Search
from reportflow.analysis.ways import Pair, Row, pairs_of
from reportflow.i18n.catalog import ENGLISH, STANDARD
from reportflow.lifecycle.definition import Lifecycle

#: How many of what is missing are named.
_NAMED: Final = 8


@attrs.frozen(kw_only=True)
class CoveredPart:
    """How many of one kind of thing were covered.

    Attributes:
        kind: ``rows``, ``guards``, ``refusals`` or ``pairs``.
        done: How many were covered.
        total: How many can be.
        missing: The names of the rest.
        never: How many more the tables have, of which no search found that they can be.
    """

    kind: str
    done: int
    total: int
    missing: tuple[str, ...] = ()
    never: int = 0

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 is all."""
        return 100 * self.done // self.total if self.total else 100

    def text(self, language: str = ENGLISH) -> str:
        """A line for a summary, in a language."""
        facts = {**attrs.asdict(self), "percent": self.percent, "names": list(self.missing[:_NAMED])}
        parts = ["covered_part"]
        if self.missing:
            parts.append("covered_missing" if len(self.missing) <= _NAMED else "covered_missing_more")
            facts["number"] = len(self.missing) - _NAMED
        if self.never:
            parts.append("covered_never")
        facts["kind"] = STANDARD.label("testing.covered", self.kind, language)
        return "".join(STANDARD.text(f"testing.{part}", language, facts) for part in parts)


@attrs.frozen(kw_only=True)
class Coverage:
    """What was covered of some lifecycles.

    Attributes:
        name: The name of the first of them.
        parts: Rows, guards, refusals, pairs.
    """

    name: str
    parts: tuple[CoveredPart, ...]

    def lines(self, language: str = ENGLISH) -> list[str]:
        """A heading, and a line for each part."""
        heading = STANDARD.text("testing.covered", language, {"lifecycle": self.name})
        return [heading, *(f"  {part.text(language)}" for part in self.parts)]

    def plain(self) -> dict[str, Any]:
        """As plain data, which `of_plain` reads."""
        return attrs.asdict(self)

    @classmethod
    def of_plain(cls, given: Mapping[str, Any]) -> Coverage:
        """What `plain` gave."""
        parts = (CoveredPart(**{**part, "missing": tuple(part["missing"])}) for part in given["parts"])
        return cls(name=given["name"], parts=tuple(parts))


@attrs.define
class CoverageTally:
    """What was met so far: rows by identity, refusals by (kind, trigger, code)."""

    rows: set[Row] = attrs.field(factory=set)
    pairs: set[Pair] = attrs.field(factory=set)
    guards: set[tuple[Row, str, bool]] = attrs.field(factory=set)
    refusals: set[tuple[str, str, str]] = attrs.field(factory=set)

    def fired(self, row: Row, before: Row | None) -> None:
        """A row was fired on a record, after another one that was the last there."""
        self.rows.add(row)
        self.guards.update((row, guard.code, True) for guard in row.guards)
        if before is not None:
            self.pairs.add((before, row))

    def refused(self, kind: str, trigger: str, codes: Iterable[str], row: Row | None) -> None:
        """A trigger was refused; the row is the one that was meant, where there was one."""
        codes = set(codes)
        self.refusals.update((kind, trigger, code) for code in codes)
        if row is not None:
            self.guards.update((row, guard.code, False) for guard in row.guards if guard.code in codes)


def row_names(lifecycles: Sequence[Lifecycle]) -> dict[Row, str]:
    """Each row with its name: the kind, the trigger, and a number from the second row of a trigger on."""
    found: dict[Row, str] = {}
    for lifecycle in lifecycles:
        seen: dict[str, int] = {}
        for row in lifecycle.transitions:
            number = seen[row.trigger] = seen.get(row.trigger, 0) + 1
            found[row] = f"{lifecycle.name}.{row.trigger}{f' {number}' if number > 1 else ''}"
    return found


def coverage(lifecycles: Sequence[Lifecycle], tally: CoverageTally, search: Search | None) -> Coverage:
    """What was covered; without a search, only what was met counts as what can be met."""
    names = row_names(lifecycles)
    outcomes = {
        (row, guard.code, passed): f"{name}: {guard.code} {'passes' if passed else 'refuses'}"
        for row, name in names.items()
        for guard in row.guards
        for passed in (True, False)
    }
    reasons = tally.refusals | (set() if search is None else set(search.refusals))
    pairs = tally.pairs | (set() if search is None else set(search.pairs))
    allowed = {pair for one in lifecycles for pair in pairs_of(one)}
    return Coverage(
        name=lifecycles[0].name,
        parts=(
            _part("rows", tally.rows, names),
            _part("guards", tally.guards, outcomes),
            _part("refusals", tally.refusals, {one: f"{one[0]}.{one[1]}: {one[2]}" for one in sorted(reasons)}),
            _part(
                "pairs",
                tally.pairs,
                {(one, other): f"{names[one]} → {names[other]}" for one, other in pairs},
                never=len(allowed - pairs),
            ),
        ),
    )


def _part(kind: str, met: set[Any], every: Mapping[Any, str], never: int = 0) -> CoveredPart:
    missing = tuple(sorted(name for one, name in every.items() if one not in met))
    return CoveredPart(kind=kind, done=len(every) - len(missing), total=len(every), missing=missing, never=never)
