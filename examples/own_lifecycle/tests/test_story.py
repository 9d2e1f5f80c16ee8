"""The rules of purchases, case by case."""

from __future__ import annotations

from decimal import Decimal

import pytest

from own_lifecycle import DELIVERY, PROCUREMENT, Approval, Complaint, Delivery, Ground, Offer, Order, Purchase
from own_lifecycle.__main__ import main
from reportflow import Actor, Happened, InvalidValue, MemoryStore, Query, ReportFlow, TransitionRefused

MEI = Actor(id="mei", roles={"requester"}, unit="lab")
BO = Actor(id="bo", roles={"buyer", "requester"}, unit="lab")
HAN = Actor(id="han", roles={"manager", "buyer", "requester"}, unit="lab")


@pytest.fixture
def flow() -> ReportFlow:
    """A flow of both lifecycles on an empty store."""
    return ReportFlow(MemoryStore(), [PROCUREMENT, DELIVERY])


def bought(flow: ReportFlow, *offers: str, estimate: int = 500, by: Actor = MEI) -> Purchase:
    """A purchase with offers of some suppliers."""
    purchase = flow.create(Purchase.draft(title="Lamps", estimate=Decimal(estimate)), by=by)
    for number, supplier in enumerate(offers):
        purchase = flow.fire(purchase, "offer", Offer(supplier=supplier, price=Decimal(490 + number)), by=BO)
    return purchase


def ordered(flow: ReportFlow) -> tuple[Purchase, Delivery]:
    """A purchase that was ordered, and its delivery."""
    purchase = flow.fire(bought(flow, "Optik"), "approve", Approval(supplier="Optik"), by=HAN)
    purchase = flow.fire(purchase, "order", Order(number="A-1"), by=BO)
    (delivery,) = flow.inbox(by=MEI)
    assert isinstance(delivery, Delivery)
    return purchase, delivery


def codes(flow: ReportFlow, purchase: Purchase, trigger: str, details: object, by: Actor) -> list[str]:
    """The codes with which a transition is refused."""
    with pytest.raises(TransitionRefused) as refused:
        flow.fire(purchase, trigger, details, by=by)
    return [refusal.code for refusal in refused.value.refusals]


def test_what_costs_much_needs_three_offers(flow: ReportFlow) -> None:
    """A small purchase is approved with one offer, a large one with three."""
    assert flow.fire(bought(flow, "a"), "approve", Approval(supplier="a"), by=HAN).state == "approved"
    large = bought(flow, "a", "b", estimate=10_001)
    assert codes(flow, large, "approve", Approval(supplier="a"), by=HAN) == ["too_few_offers"]


def test_a_new_offer_replaces_the_suppliers_old_one(flow: ReportFlow) -> None:
    """Each supplier has one offer, the last one, which can be chosen."""
    purchase = bought(flow, "a", "b", "a")
    assert [(offer.supplier, offer.price) for offer in purchase.offers] == [("b", Decimal(491)), ("a", Decimal(492))]
    assert flow.fire(purchase, "approve", Approval(supplier="a"), by=HAN).price == 492


def test_three_persons_are_needed(flow: ReportFlow) -> None:
    """The requester does not approve; requester and approver do not order."""
    own = bought(flow, "a", by=HAN)
    assert codes(flow, own, "approve", Approval(supplier="a"), by=HAN) == ["same_person"]
    purchase = flow.fire(bought(flow, "a", by=BO), "approve", Approval(supplier="a"), by=HAN)
    for by in (BO, HAN):
        assert codes(flow, purchase, "order", Order(number="A-1"), by=by) == ["same_person"]


def test_a_draft_brings_no_offers(flow: ReportFlow) -> None:
    """A draft with offers, a choice or an approval is refused by the names of these fields."""
    offers = (Offer(supplier="a", price=Decimal(1)),)
    forged = Purchase.draft(title="Lamps", estimate=Decimal(1), offers=offers, supplier="a", approved_by="han")
    with pytest.raises(InvalidValue) as refused:
        flow.create(forged, by=MEI)
    assert refused.value.details["brought"] == ("offers", "supplier", "approved_by")


def test_an_accepted_delivery_ends_the_purchase(flow: ReportFlow) -> None:
    """The delivery awaits the requester; accepting it completes the purchase."""
    purchase, delivery = ordered(flow)
    assert (delivery.parent, delivery.assignee) == (purchase.id, "mei")
    flow.fire(delivery, "accept", by=MEI)
    assert flow.get(purchase.id, by=MEI).state == "received"


def test_a_purchase_is_ordered_again_after_a_complaint(flow: ReportFlow) -> None:
    """A delivery that is sent back makes the purchase orderable again; the grounds are counted."""
    purchase, delivery = ordered(flow)
    flow.fire(delivery, "send_back", Complaint(ground=Ground.BROKEN), by=MEI)
    again = flow.fire(purchase.id, "order", Order(number="A-2"), by=BO, type=Purchase)
    assert (again.state, again.number) == ("ordered", "A-2")
    assert flow.count(Query(happened=Happened(trigger="send_back")), by=MEI, group="code") == {("broken",): 1}


def test_the_program_prints_a_purchase(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m own_lifecycle` prints a purchase up to its receipt."""
    main()
    assert capsys.readouterr().out.splitlines()[-1].split() == ["9", "receive", "ordered", "->", "received", "mei"]
