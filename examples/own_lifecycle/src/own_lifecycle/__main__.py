"""One purchase from the request to the delivery, printed on the terminal: ``python -m own_lifecycle``."""

from __future__ import annotations

from decimal import Decimal

from own_lifecycle import DELIVERY, PROCUREMENT, Approval, Complaint, Ground, Offer, Order, Purchase
from reportflow import Actor, MemoryStore, Query, ReportFlow, TransitionRefused

MEI = Actor(id="mei", roles={"requester"}, unit="lab")
BO = Actor(id="bo", roles={"buyer"}, unit="lab")
HAN = Actor(id="han", roles={"manager"}, unit="lab")


def main() -> None:
    """Buy a microscope; the first one arrives broken."""
    with ReportFlow(MemoryStore(), [PROCUREMENT, DELIVERY]) as flow:
        purchase = flow.create(Purchase.draft(title="A microscope", estimate=Decimal(18_000)), by=MEI)
        for supplier, price in (("Lens & Co", 17_500), ("Optik", 16_900), ("北光", 17_200)):
            try:
                flow.fire(purchase.id, "approve", Approval(supplier="Optik"), by=HAN)
            except TransitionRefused as refused:
                print(refused)
            flow.fire(purchase.id, "offer", Offer(supplier=supplier, price=Decimal(price)), by=BO)
        flow.fire(purchase.id, "approve", Approval(supplier="Optik"), by=HAN)
        for number, trigger, details in (
            ("A-1", "send_back", Complaint(ground=Ground.BROKEN)),
            ("A-2", "accept", None),
        ):
            flow.fire(purchase.id, "order", Order(number=number), by=BO)
            (delivery,) = flow.find(Query(kind="delivery", state="expected"), by=MEI)
            flow.fire(delivery, trigger, details, by=MEI)
        for entry in flow.history(purchase.id, by=MEI):
            print(
                f"{entry.sequence:>2} {entry.trigger:<8} {entry.source or '':<10} -> {entry.dest:<10} {entry.actor.id}"
            )


if __name__ == "__main__":
    main()
