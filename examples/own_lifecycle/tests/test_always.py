"""Properties of every purchase: Hypothesis generates the histories."""

from __future__ import annotations

from hypothesis import given, settings

from own_lifecycle import DELIVERY, PROCUREMENT, Purchase
from reportflow import Entry
from reportflow.testing.strategies import histories, records

SETTINGS = settings(deadline=None, max_examples=50)


@SETTINGS
@given(histories(PROCUREMENT, DELIVERY))
def test_separation_of_duties(history: list[Entry]) -> None:
    """Requester, approver and orderer are three persons."""
    by = {entry.trigger: entry.actor.id for entry in history if entry.trigger in ("request", "approve", "order")}
    assert len(set(by.values())) == len(by)


@SETTINGS
@given(records(PROCUREMENT, others=[DELIVERY]))
def test_the_price_is_that_of_the_chosen_offer(purchase: Purchase) -> None:
    """Each supplier has one offer, and the price paid is that of the chosen one."""
    prices = {offer.supplier: offer.price for offer in purchase.offers}
    assert len(prices) == len(purchase.offers)
    assert purchase.supplier is None or purchase.price == prices[purchase.supplier]
