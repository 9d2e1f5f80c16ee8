"""What a search finds out about definitions, kept until another strategy is registered."""

from __future__ import annotations

from reportflow.analysis.search import Search
from reportflow.lifecycle.definition import Lifecycle
from reportflow.testing.strategies.values import plain_instances, remembered


def searched(lifecycles: tuple[Lifecycle, ...], *, alone: bool = False) -> Search:
    """The search for each row, done once.

    Raises:
        RuleFailed: a guard, `sets` or `then` of a definition raised.
    """
    return remembered((lifecycles, alone), lambda: Search(lifecycles, plain_instances, alone=alone).run())


def completed(lifecycles: tuple[Lifecycle, ...]) -> Search:
    """The search for each pair of rows and each refusal too, done once.

    Raises:
        RuleFailed: a guard, `sets` or `then` of a definition raised.
    """
    return remembered((lifecycles,), lambda: searched(lifecycles).complete())
