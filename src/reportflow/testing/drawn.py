"""Instances for a check of a definition: those that it would try anyway, and more, drawn by Hypothesis."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from hypothesis.errors import HypothesisException

from reportflow.analysis import cases
from reportflow.errors import Unbuildable
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import Transition
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
        asked: dict[type[Any], Transition | None] = {lifecycle.record: None}
        asked |= {row.details: row for row in lifecycle.transitions if row.details is not None}
        for cls, row in asked.items():
            if cls not in found:
                with contextlib.suppress(Unbuildable, HypothesisException):  # the check says so
                    strategy = walks.drafts(lifecycle) if row is None else values.details(row)
                    if row is None:
                        found[cls] = tuple(cases.drafts(lifecycle, registered, ()))
                    else:
                        found[cls] = tuple(cases.details_of([row], registered, ()))
                    # the plain ones are tried even where nothing can be drawn
                    found[cls] += values.examples(strategy, _NUMBER)
    return found
