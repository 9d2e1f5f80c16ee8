"""What holds of every purchase, whatever happened: Hypothesis makes up the histories."""

from __future__ import annotations

from hypothesis import given, settings

from own_lifecycle import DELIVERY, PROCUREMENT, Purchase
from reportflow import Entry
from reportflow.testing.strategies import histories, records

patient = settings(deadline=None, max_examples=50)


@patient
@given(histories(PROCUREMENT, DELIVERY))
def test_nobody_passes_their_own(history: list[Entry]) -> None:
    """Who asks, who approves and who orders are three persons."""
    by = {entry.trigger: entry.actor.id for entry in history if entry.trigger in ("request", "approve", "order")}
    assert len(set(by.values())) == len(by)


@patient
@given(records(PROCUREMENT, others=[DELIVERY]))
def test_the_price_is_that_of_the_chosen_offer(purchase: Purchase) -> None:
    """Each supplier has one offer, and what is paid is what the chosen one asks for."""
    prices = {offer.supplier: offer.price for offer in purchase.offers}
    assert len(prices) == len(purchase.offers)
    assert purchase.supplier is None or purchase.price == prices[purchase.supplier]
