"""The rules of purchases, case by case, on a store in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from flask_purchases.purchase import PURCHASE, Order, Purchase
from reportflow import Actor, MemoryStore, ReportFlow, TransitionRefused
from reportflow.analysis.matrix import May, matrix

MEI = Actor(id="mei", roles={"requester"}, unit="lab")
HAN = Actor(id="han", roles={"requester", "head"}, unit="lab")
WEI = Actor(id="wei", roles={"requester", "head"}, unit="library")
DONG = Actor(id="dong", roles={"director", "buyer"}, unit="office")
LIN = Actor(id="lin", roles={"board"}, unit="office")
BO = Actor(id="bo", roles={"buyer"}, unit="office")
CLOCK = Actor(id="clock", roles={"clock"})

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The office's clock."""
    return Clock()


@pytest.fixture
def flow(clock: Clock) -> Iterator[ReportFlow]:
    """A flow on an empty store."""
    with ReportFlow(MemoryStore(), PURCHASE, clock=clock) as flow:
        yield flow


def codes(flow: ReportFlow, purchase: Purchase, trigger: str, by: Actor, details: object = None) -> list[str]:
    """The codes with which an act is refused."""
    with pytest.raises(TransitionRefused) as refused:
        flow.fire(purchase.id, trigger, details, by=by)
    return [refusal.code for refusal in refused.value.refusals]


def test_who_may_do_what() -> None:
    """Each level decides on what is before it, and nobody else does."""
    found: dict[tuple[str | None, str], set[str]] = {}
    for cell in matrix(PURCHASE).cells:
        if cell.may is not May.NO and cell.trigger != "comment":
            found.setdefault((cell.state, cell.trigger), set()).add(cell.role)
    assert found == {
        (None, "request"): {"requester"},
        ("department", "approve"): {"head"},
        ("department", "reject"): {"head"},
        ("department", "escalate"): {"clock"},
        ("department", "withdraw"): {"requester"},
        ("division", "approve"): {"director"},
        ("division", "reject"): {"director"},
        ("division", "escalate"): {"clock"},
        ("division", "withdraw"): {"requester"},
        ("board", "approve"): {"board"},
        ("board", "reject"): {"board"},
        ("board", "withdraw"): {"requester"},
        ("approved", "order"): {"buyer"},
        ("ordered", "receive"): {"requester"},
    }


@pytest.mark.parametrize(
    ("amount", "levels"),
    [
        ("0.01", 1),
        ("5000", 1),
        ("5000.01", 2),
        ("50000", 2),
        ("50000.01", 3),
        ("100000000", 3),
    ],
)
def test_the_amount_decides_who_approves(flow: ReportFlow, amount: str, levels: int) -> None:
    """A purchase goes up the levels until one may decide on its amount; each has its days from then on."""
    purchase = flow.create(Purchase.draft(title="Lamps", amount=Decimal(amount)), by=MEI)
    states, days = ["department", "division", "board"][:levels], [3, 5, 14]
    for state, person, allowed in zip(states, (HAN, DONG, LIN), days, strict=False):
        assert (purchase.state, purchase.due_at) == (state, MONDAY + timedelta(days=allowed))
        purchase = flow.fire(purchase, "approve", by=person)
    assert (purchase.state, purchase.due_at) == ("approved", MONDAY + timedelta(days=10))
    assert purchase.decided_by == ("han", "dong", "lin")[:levels]


@pytest.mark.parametrize("amount", ["0", "-1", "100000000.01"])
def test_a_request_needs_its_amount_and_title(flow: ReportFlow, amount: str) -> None:
    """A request without a title, or for nothing, is refused with both reasons."""
    with pytest.raises(TransitionRefused) as refused:
        flow.create(Purchase.draft(amount=Decimal(amount)), by=MEI)
    assert [one.code for one in refused.value.refusals] == ["missing", "no_amount"]


def test_four_eyes(flow: ReportFlow) -> None:
    """Nobody decides on their own request, nor orders what they approved; other departments see nothing of it."""
    own = flow.create(Purchase.draft(title="Lamps", amount=Decimal(6_000)), by=HAN)
    assert codes(flow, own, "approve", HAN) == ["same_person"]
    purchase = flow.create(Purchase.draft(title="Lamps", amount=Decimal(6_000)), by=MEI)
    flow.fire(purchase.id, "approve", by=HAN)
    flow.fire(purchase.id, "approve", by=DONG)
    order = Order(supplier="optik", number="A 1", due=date(2026, 4, 1))
    assert codes(flow, purchase, "order", DONG, order) == ["same_person"]
    ordered = flow.fire(purchase.id, "order", order, by=BO, type=Purchase)
    assert (ordered.supplier, ordered.due_at) == ("optik", datetime(2026, 4, 1, 23, 59, 59, 999999, UTC))
    assert [len(flow.inbox(by=one)) for one in (MEI, BO)] == [1, 0]
    assert len(flow.inbox(by=WEI)) == 0


def test_what_is_late_goes_to_the_next_level(flow: ReportFlow, clock: Clock) -> None:
    """After its deadline a purchase is passed on, not before; the board has nobody above it."""
    purchase = flow.create(Purchase.draft(title="Lamps", amount=Decimal(100)), by=MEI)
    clock.now = MONDAY + timedelta(days=3)
    assert codes(flow, purchase, "escalate", CLOCK) == ["in_time"]
    clock.now += timedelta(seconds=1)
    passed = flow.fire(purchase.id, "escalate", by=CLOCK)
    assert (passed.state, passed.due_at) == ("division", clock.now + timedelta(days=5))
    clock.now += timedelta(days=6)
    assert flow.fire(purchase.id, "escalate", by=CLOCK).state == "board"
    clock.now += timedelta(days=30)
    assert codes(flow, purchase, "escalate", CLOCK) == ["state"]
    assert flow.fire(purchase.id, "approve", by=LIN).state == "approved"
