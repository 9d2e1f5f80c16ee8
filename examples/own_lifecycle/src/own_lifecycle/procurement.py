"""Purchases and their deliveries: the details, the records, the guards and steps, and the two tables."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import attrs

from reportflow import (
    ANY,
    CODE,
    EVERYBODY,
    NOBODY,
    OWN,
    PARTY,
    SAME,
    UNIT,
    Command,
    Details,
    Entry,
    Lifecycle,
    Record,
    State,
    Step,
    Transition,
    guard,
    nobody_from,
    not_the_creator,
    only_the_assignee,
)
from reportflow.office import Comment

# -- the details of transitions -----------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Offer(Details, name="procurement.Offer"):
    """An offer of a supplier."""

    supplier: str = attrs.field(metadata=PARTY)
    price: Decimal


@attrs.frozen(kw_only=True)
class Approval(Details, name="procurement.Approval"):
    """The choice of an offer."""

    supplier: str = attrs.field(metadata=PARTY)


@attrs.frozen(kw_only=True)
class Order(Details, name="procurement.Order"):
    """The order's number, and when the goods are due."""

    number: str
    due_at: datetime | None = None


class Ground(enum.StrEnum):
    """Why goods are sent back."""

    BROKEN = "broken"
    WRONG = "wrong"
    LATE = "late"


@attrs.frozen(kw_only=True)
class Complaint(Details, name="procurement.Complaint"):
    """What is wrong with the goods."""

    ground: Ground = attrs.field(metadata=CODE)


# -- the records ------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Purchase(Record, name="procurement.Purchase"):
    """Something that is to be bought. The title says what, `estimate` what it may cost."""

    estimate: Decimal
    offers: tuple[Offer, ...] = ()
    supplier: str | None = None
    price: Decimal | None = None
    approved_by: str | None = None
    number: str | None = None


@attrs.frozen(kw_only=True)
class Delivery(Record, name="procurement.Delivery"):
    """What was ordered, on its way. Its parent is the purchase."""


# -- guards -----------------------------------------------------------------------------------------------------

#: Up to here one offer is enough.
SMALL = Decimal(10_000)


@guard("no_estimate", {"en": "An estimate above 0 is needed.", "zh": "请填写大于0的预算。"})
def estimated(draft: Purchase, command: Command) -> bool:
    """A purchase is requested with an estimate."""
    return draft.estimate > 0


@guard("no_price", {"en": "A price above 0 is needed.", "zh": "请填写大于0的报价。"}, reads_details=True)
def priced(purchase: Purchase, command: Command) -> bool:
    """An offer has a price."""
    assert isinstance(command.details, Offer)
    return command.details.price > 0


@guard(
    "too_few_offers",
    {
        "en": "{needed} offers are needed, there are {there}: ask more suppliers.",
        "zh": "需要{needed}家报价，现有{there}家：请继续询价。",
    },
)
def enough_offers(purchase: Purchase, command: Command) -> bool | dict[str, object]:
    """A large purchase is approved with three offers."""
    needed = 3 if purchase.estimate > SMALL else 1
    return len(purchase.offers) >= needed or {"needed": needed, "there": len(purchase.offers)}


@guard(
    "no_such_offer",
    {"en": "{supplier} has made no offer: choose one who has.", "zh": "{supplier}没有报价：请另选一家。"},
    reads_details=True,
)
def has_offered(purchase: Purchase, command: Command) -> bool | dict[str, object]:
    """Only an offer that was made can be chosen."""
    assert isinstance(command.details, Approval)
    supplier = command.details.supplier
    return any(offer.supplier == supplier for offer in purchase.offers) or {"supplier": supplier}


not_the_approver = nobody_from("approved_by")


# -- what rows set ----------------------------------------------------------------------------------------------


def offers_with(purchase: Purchase, entry: Entry) -> tuple[Offer, ...]:
    """The offers and the new one; a supplier's new offer replaces the old one."""
    assert isinstance(entry.details, Offer)
    return (*(one for one in purchase.offers if one.supplier != entry.details.supplier), entry.details)


def price_of_chosen(purchase: Purchase, entry: Entry) -> Decimal:
    """The price of the chosen offer."""
    assert isinstance(entry.details, Approval)
    return next(offer.price for offer in purchase.offers if offer.supplier == entry.details.supplier)


def id_of_actor(record: Record, entry: Entry) -> str:
    """The id of the actor."""
    return entry.actor.id


# -- what follows from a transition ------------------------------------------------------------------------------


def expect_delivery(purchase: Purchase, entry: Entry) -> Iterable[Step]:
    """The delivery of the order is expected by the requester."""
    assert isinstance(entry.details, Order)
    draft = Delivery.draft(
        title=purchase.title,
        parent=purchase.id,
        unit=purchase.unit,
        secrecy=purchase.secrecy,
        assignee=purchase.created_by,
        due_at=entry.details.due_at,
    )
    return [Step(target=draft, trigger="expect")]


def receive_purchase(delivery: Delivery, entry: Entry) -> Iterable[Step]:
    """An accepted delivery completes its purchase."""
    return [Step(target=delivery.parent or "", trigger="receive", system=True)]


def reorder_purchase(delivery: Delivery, entry: Entry) -> Iterable[Step]:
    """After a delivery was sent back, its purchase can be ordered again."""
    return [Step(target=delivery.parent or "", trigger="reorder", system=True)]


# -- the tables -------------------------------------------------------------------------------------------------

PROCUREMENT = Lifecycle(
    name="procurement",
    version=1,
    record=Purchase,
    label={"en": "purchase", "zh": "采购"},
    labels={
        "role.requester": {"en": "requester", "zh": "申请人"},
        "role.buyer": {"en": "buyer", "zh": "采购员"},
        "role.manager": {"en": "head of the unit", "zh": "部门负责人"},
    },
    roles={"requester": OWN, "buyer": UNIT, "manager": UNIT, "auditor": ANY},
    states=[
        State("requested", awaits={"buyer", "manager"}, label={"en": "requested", "zh": "已申请"}),
        State("approved", awaits={"buyer"}, label={"en": "approved", "zh": "已批准"}),
        State("ordered", label={"en": "ordered", "zh": "已下单"}),
        State("received", final=True, label={"en": "received", "zh": "已收货"}),
        State("rejected", final=True, label={"en": "rejected", "zh": "未批准"}),
        State("cancelled", final=True, label={"en": "cancelled", "zh": "已取消"}),
    ],
    transitions=[
        Transition(
            "request",
            source=None,
            dest="requested",
            roles={"requester"},
            label={"en": "request", "zh": "申请"},
            guards=[estimated],
        ),
        Transition(
            "offer",
            source="requested",
            dest=SAME,
            roles={"buyer"},
            label={"en": "enter an offer", "zh": "登记报价"},
            details=Offer,
            guards=[priced],
            sets={"offers": offers_with},
            on_conflict="commutes",
        ),
        Transition(
            "approve",
            source="requested",
            dest="approved",
            roles={"manager"},
            label={"en": "approve", "zh": "批准"},
            details=Approval,
            guards=[not_the_creator, enough_offers, has_offered],
            sets={"supplier": "supplier", "price": price_of_chosen, "approved_by": id_of_actor},
            on_conflict="stale",
        ),
        Transition(
            "reject",
            source="requested",
            dest="rejected",
            roles={"manager"},
            label={"en": "reject", "zh": "不批准"},
            reason_required=True,
        ),
        Transition(
            "order",
            source="approved",
            dest="ordered",
            roles={"buyer"},
            label={"en": "order", "zh": "下单"},
            details=Order,
            guards=[not_the_creator, not_the_approver],
            sets={"number": "number", "due_at": "due_at"},
            then=expect_delivery,
        ),
        Transition(
            "receive",
            source="ordered",
            dest="received",
            roles=NOBODY,
            label={"en": "receive", "zh": "收货"},
        ),
        Transition(
            "reorder",
            source="ordered",
            dest="approved",
            roles=NOBODY,
            label={"en": "put back to be ordered", "zh": "退回待下单"},
            sets={"number": None, "due_at": None},
        ),
        Transition(
            "cancel",
            source={"requested", "approved"},
            dest="cancelled",
            roles={"requester"},
            label={"en": "cancel", "zh": "取消"},
        ),
        Transition(
            "comment",
            source={"requested", "approved", "ordered"},
            dest=SAME,
            roles=EVERYBODY,
            label={"en": "comment", "zh": "备注"},
            details=Comment,
            on_conflict="commutes",
        ),
    ],
)

DELIVERY = Lifecycle(
    name="delivery",
    version=1,
    record=Delivery,
    label={"en": "delivery", "zh": "到货"},
    labels={"role.requester": {"en": "requester", "zh": "申请人"}, "role.buyer": {"en": "buyer", "zh": "采购员"}},
    roles={"requester": UNIT, "buyer": UNIT, "auditor": ANY},
    states=[
        State("expected", awaits={"requester"}, label={"en": "expected", "zh": "待收货"}),
        State("accepted", final=True, label={"en": "accepted", "zh": "已验收"}),
        State("sent_back", final=True, label={"en": "sent back", "zh": "已退货"}),
    ],
    transitions=[
        Transition(
            "expect",
            source=None,
            dest="expected",
            roles=NOBODY,
            label={"en": "expect", "zh": "登记待收货"},
            accepts={"title", "parent", "unit", "secrecy", "assignee", "due_at"},
        ),
        Transition(
            "accept",
            source="expected",
            dest="accepted",
            roles={"requester"},
            label={"en": "accept", "zh": "验收"},
            guards=[only_the_assignee, not_the_creator],
            then=receive_purchase,
        ),
        Transition(
            "send_back",
            source="expected",
            dest="sent_back",
            roles={"requester"},
            label={"en": "send back", "zh": "退货"},
            details=Complaint,
            guards=[only_the_assignee],
            then=reorder_purchase,
        ),
        Transition(
            "comment",
            source="expected",
            dest=SAME,
            roles=EVERYBODY,
            label={"en": "comment", "zh": "备注"},
            details=Comment,
            on_conflict="commutes",
        ),
    ],
)
