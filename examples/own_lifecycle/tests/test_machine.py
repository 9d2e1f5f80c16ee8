"""Whatever people do, in whatever order: what reportflow promises of every lifecycle holds, and what this one adds."""

from __future__ import annotations

import pytest
from hypothesis import settings

from own_lifecycle import DELIVERY, PROCUREMENT
from reportflow import Entry, Record
from reportflow.testing import LifecycleMachine

# a short run need not come to every row; it says which were left out
pytestmark = pytest.mark.filterwarnings("default::reportflow.testing.broken.NeverFired")

PurchaseMachine = LifecycleMachine.of(PROCUREMENT, DELIVERY)


@PurchaseMachine.invariant
def what_was_received_was_approved(record: Record, history: list[Entry]) -> None:
    """Nothing is ordered or received that nobody approved."""
    done = [entry.trigger for entry in history]
    assert "order" not in done or "approve" in done[: done.index("order")]
    assert record.state != "received" or "order" in done


TestPurchases = PurchaseMachine.TestCase
TestPurchases.settings = settings(max_examples=15, stateful_step_count=40, deadline=None)
