"""Any acts in any order: the properties of every lifecycle hold, and one of this lifecycle."""

from __future__ import annotations

import pytest
from hypothesis import settings

from own_lifecycle import DELIVERY, PROCUREMENT
from reportflow import Entry, Record
from reportflow.testing import LifecycleMachine

# a short run need not reach every row; a warning names those that it missed
pytestmark = pytest.mark.filterwarnings("default::reportflow.testing.broken.NeverFired")

PurchaseMachine = LifecycleMachine.of(PROCUREMENT, DELIVERY)


@PurchaseMachine.invariant
def what_was_received_was_approved(record: Record, history: list[Entry]) -> None:
    """Nothing is ordered or received without an approval."""
    done = [entry.trigger for entry in history]
    assert "order" not in done or "approve" in done[: done.index("order")]
    assert record.state != "received" or "order" in done


TestPurchases = PurchaseMachine.TestCase
TestPurchases.settings = settings(max_examples=15, stateful_step_count=40, deadline=None)
