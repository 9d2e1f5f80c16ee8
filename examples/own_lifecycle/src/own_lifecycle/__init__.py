"""What an office buys, from the request to the delivery: a lifecycle for reportflow."""

from own_lifecycle.procurement import (
    DELIVERY,
    PROCUREMENT,
    Approval,
    Complaint,
    Delivery,
    Ground,
    Offer,
    Order,
    Purchase,
)

__all__ = [
    "DELIVERY",
    "PROCUREMENT",
    "Approval",
    "Complaint",
    "Delivery",
    "Ground",
    "Offer",
    "Order",
    "Purchase",
]
