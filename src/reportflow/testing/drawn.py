"""Instances for a check of a definition: those that it would try anyway, and more, drawn by Hypothesis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import HypothesisException
from hypothesis.strategies import SearchStrategy

from reportflow.analysis import cases
from reportflow.errors import Unbuildable
from reportflow.lifecycle.definition import Lifecycle
from reportflow.testing.strategies import values, walks

#: How many of a class are drawn.
_NUMBER: Final = 12


def drawn(*lifecycles: Lifecycle) -> dict[type[Any], tuple[Any, ...]]:
    """Instances of the record and details classes of some lifecycles, for `check(…, samples=…)`.

    Of a class with a registered strategy only those that it gave; the same each time.
    """
    registered = values.given()
    found = dict(registered)
    for lifecycle in lifecycles:
        for cls, strategy, plain in _asked(lifecycle):
            if cls not in found:
                try:
                    found[cls] = (*plain(registered), *_some(strategy(), _NUMBER))
                except Unbuildable:
                    continue  # the check says so
    return found


def _asked(lifecycle: Lifecycle) -> Iterator[tuple[type[Any], Any, Any]]:
    """Each class, with what makes its strategy and its plain instances."""
    yield (
        lifecycle.record,
        lambda: walks.drafts(lifecycle),
        lambda registered: cases.drafts(lifecycle, registered, ()),
    )
    for row in lifecycle.transitions:
        if row.details is not None:
            yield (
                row.details,
                lambda row=row: values.details(row),
                lambda registered, row=row: cases.details_of([row], registered, ()),
            )


def _some(strategy: SearchStrategy[Any], number: int) -> Iterable[Any]:
    found: list[Any] = []

    @settings(
        max_examples=number,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    try:
        collect()
    except HypothesisException:
        return ()  # what is made from the annotations is tried all the same
    return found
