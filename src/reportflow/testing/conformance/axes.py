"""The promises of the contract at the values between its sentences: every axis of `reportflow.testing.axes`."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any, Final

from reportflow.model.query import LIMIT, Query
from reportflow.storage.base import Store
from reportflow.storage.memory import MemoryStore
from reportflow.testing.acts import CLASSES
from reportflow.testing.axes.question import Question, Scenario, answer, committed, compare, spoil
from reportflow.testing.axes.together import together_scenario
from reportflow.testing.axes.values import (
    FAMILIES,
    joins_scenario,
    kilobytes_scenario,
    long_scenario,
    numbers_scenario,
    texts_scenario,
    times_scenario,
)
from reportflow.testing.conformance.suite import StoreFixtures, Stores, bounded

#: Of the questions about a part of what is kept, each so manieth is asked once more: of a store opened anew, of a copy.
_EACH: Final = 4
#: For a quick look each so manieth question is asked at all.
_BRIEF: Final = 5


@functools.cache
def _prepared(make: Callable[..., Scenario], *given: str) -> tuple[Scenario, list[Any]]:
    """A scenario and the right answers to its questions: the same each time."""
    scenario, oracle = make(*given), MemoryStore(CLASSES)
    for changes in scenario.commits:
        oracle.commit(changes)
    return scenario, [answer(question, lambda: oracle) for question in scenario.questions]


def _hold(test: StoreFixtures, stores: Stores, make: Callable[..., Scenario], *given: str) -> None:
    """Write a scenario, and ask all its questions: of the store or of two handles in turn, then by each other way.

    These are the handle that is left when the other was closed, the store opened anew, and a copy by `restore`.
    """
    scenario, answers = _prepared(make, *given)
    asked = list(zip(scenario.questions, answers, strict=True))[:: _BRIEF if test.profile == "brief" else 1]
    handles = _written(stores, scenario)
    moment = "as it was written" if len(handles) == 1 else "through two handles in turn"
    for place, (question, due) in enumerate(asked):
        first = handles[place % len(handles)]
        turns = itertools.cycle([first, *(one for one in handles if one is not first)])
        often = question.whole or place % _EACH == 0
        for _ in handles if question.whole else handles[:1]:
            shown = answer(question, lambda: next(turns))  # noqa: B023  # it is called at once
            compare(scenario.name, moment, question.text, shown, due)
            spoil(shown)
        if often:  # what was spoiled was the reader's own
            shown = answer(question, lambda: first)  # noqa: B023  # the same
            compare(scenario.name, "after the answer before was changed", question.text, shown, due)
    store = handles[0]
    if len(handles) > 1:
        handles.pop().close()
        _ask(scenario, "when another handle was closed", asked, store, -1)
    if store.capabilities.durable:
        store.close()
        store = stores.again(store)
        _ask(scenario, "opened anew", asked, store, 1)
    copy = stores.fresh()
    copy.restore(store.sealed(limit=LIMIT), store.find(Query(order="id", limit=LIMIT)).records)
    _ask(scenario, "in a copy by restore", asked, copy, 2)


def _written(stores: Stores, scenario: Scenario) -> list[Store]:
    """The store with what a scenario commits; where it can be shared, two handles that wrote it in turn."""
    handles = [stores.fresh()]
    for place, changes in enumerate(scenario.commits):
        writer = handles[place % len(handles)]
        compare(scenario.name, "as it is written", "commit()", committed(writer, changes), None)
        if writer.capabilities.shared and len(handles) == 1:
            handles.append(stores.again(writer))
    return handles


def _ask(scenario: Scenario, moment: str, asked: Sequence[tuple[Question, Any]], store: Store, part: int) -> None:
    """Ask what is about all that is kept, and a part of the rest, if any."""
    for place, (question, due) in enumerate(asked):
        if question.whole or place % _EACH == part:
            compare(scenario.name, moment, question.text, answer(question, lambda: store), due)


@bounded
class AxisTests(StoreFixtures):
    """Each field, operator and call at the values where stores go wrong; one handle or two, opened anew, and copied."""

    def test_texts_are_told_apart(self, stores: Stores) -> None:
        """Texts of any letters are distinguished, ordered, grouped and found by every field that holds them."""
        for family in FAMILIES:
            _hold(self, stores, texts_scenario, family)
            stores.close()

    def test_joined_texts_are_told_apart(self, stores: Stores) -> None:
        """Two texts are never taken for one, nor an id for the beginning of another, whatever is in them."""
        _hold(self, stores, joins_scenario)

    def test_long_texts_are_told_apart(self, stores: Stores) -> None:
        """Texts that are alike for kilobytes are distinguished, found, ordered and come back whole."""
        _hold(self, stores, kilobytes_scenario)

    def test_times_are_told_apart(self, stores: Stores) -> None:
        """Times are compared by the moment in every interval and order: with a fraction or not, and far from today."""
        _hold(self, stores, times_scenario)

    def test_numbers_come_back(self, stores: Stores) -> None:
        """Numbers, days and mappings come back equal whatever their size, and each entry shows its actor as of then."""
        _hold(self, stores, numbers_scenario)

    def test_conditions_hold_together(self, stores: Stores) -> None:
        """Conditions, rules, orders, pages and groups hold together; a cursor is a place for any query of its order."""
        _hold(self, stores, together_scenario)

    def test_a_long_history(self, stores: Stores) -> None:
        """A history of any length is in the order of its sequence, whatever happened earlier."""
        _hold(self, stores, long_scenario)
