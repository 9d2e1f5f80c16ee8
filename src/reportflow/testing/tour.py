"""A tour of some definitions: acts that together meet each row, pair of rows and refusal that a search found."""

from __future__ import annotations

from collections.abc import Iterator

from reportflow.analysis.ways import FoundAct
from reportflow.errors import RuleFailed
from reportflow.lifecycle.definition import Lifecycle
from reportflow.testing.coverage import CoverageTally
from reportflow.testing.strategies.found import completed


def tours(lifecycles: tuple[Lifecycle, ...], covered: CoverageTally) -> Iterator[tuple[FoundAct, ...]]:
    """The acts of one run after the other; a run that would meet nothing new is left out.

    What was met is looked up in `covered` when the next run is asked for.
    """
    try:
        search = completed(lifecycles)
    except RuleFailed:  # the rules of the machine come upon that too, and say it with the calls
        return
    ways = [(pair, found) for pair, found in search.pairs.items()]
    # the longest first: on their way they meet what others would be gone for
    for pair, found in sorted(ways, key=lambda one: -len(one[1].acts)):
        if pair not in covered.pairs:
            yield found.acts
    for row, found in search.rows.items():
        if row not in covered.rows:
            yield found.acts
    for reason, (found, act) in search.refusals.items():
        if reason not in covered.refusals:
            yield (*found.acts, act)
