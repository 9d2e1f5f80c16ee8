"""Any acts in any order: the properties of every lifecycle hold, and some of purchases."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings

from flask_purchases.purchase import DEPARTMENT, DIVISION, PURCHASE, Purchase
from reportflow import Entry, Record
from reportflow.testing import LifecycleMachine
from reportflow.testing.strategies import Path, paths

PurchaseMachine = LifecycleMachine.of(PURCHASE)


@PurchaseMachine.invariant
def nobody_decides_twice(record: Record, history: list[Entry]) -> None:
    """Requester, those who decide, and the buyer are all different persons."""
    acts = ("request", "approve", "reject", "order")
    persons = [entry.actor.id for entry in history if entry.trigger in acts]
    assert len(set(persons)) == len(persons)


@PurchaseMachine.invariant
def what_is_open_has_a_deadline(record: Record, history: list[Entry]) -> None:
    """What waits for a person says until when; what has ended waits for nothing."""
    assert (record.due_at is None) == (record.state in ("delivered", "rejected", "withdrawn"))


TestPurchases = PurchaseMachine.TestCase
TestPurchases.settings = settings(max_examples=5, stateful_step_count=20, deadline=None)


@settings(deadline=None, max_examples=30)
@given(paths(PURCHASE))
def test_the_amount_decides_how_far_it_goes(path: Path) -> None:
    """A level approves what its amount permits; what is above that, or late, goes to the level above."""
    purchase, levels = path.record, ["department", "division", "board"]
    assert isinstance(purchase, Purchase)
    for entry in path.history:
        if entry.trigger == "approve" and entry.dest == "approved":
            limit = {"department": DEPARTMENT, "division": DIVISION}.get(entry.source or "")
            assert limit is None or purchase.amount <= limit
    for before, after in pairwise(entry.dest for entry in path.history if entry.dest in levels):
        assert levels.index(after) - levels.index(before) in (0, 1)
