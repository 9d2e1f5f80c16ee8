"""The lifecycle of a purchase: who approves it depends on its amount, and each level has its deadline.

A department approves up to `DEPARTMENT`, the division up to `DIVISION`, and the board all above, each after the level
below it. What a level has not decided in time goes to the level above. Nobody decides twice on the same purchase.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

import attrs
from attrs import validators

from reportflow import (
    ANY,
    EVERYBODY,
    OWN,
    PARTY,
    SAME,
    UNIT,
    Command,
    Details,
    Entry,
    Lifecycle,
    OneOf,
    Record,
    State,
    Transition,
    guard,
    has,
    nobody_from,
)

#: Up to which amount a department decides alone, and up to which the division does.
DEPARTMENT: Final = Decimal(5_000)
DIVISION: Final = Decimal(50_000)
#: No purchase costs more.
MOST: Final = Decimal(100_000_000)

#: The level above a level.
ABOVE: Final = {"department": "division", "division": "board"}

#: How many days each level has, and the buyer after them.
DAYS: Final = {"department": 3, "division": 5, "board": 14, "approved": 10}


@attrs.frozen(kw_only=True)
class Order(Details, name="purchases.Order"):
    """The order: to which supplier, under which number, and when the goods are due."""

    supplier: str = attrs.field(metadata=PARTY, validator=validators.min_len(1))
    number: str = attrs.field(validator=validators.min_len(1))
    due: date


@attrs.frozen(kw_only=True)
class Note(Details, name="purchases.Note"):
    """A remark that stays with the purchase."""

    text: str = attrs.field(validator=validators.min_len(1))


@attrs.frozen(kw_only=True)
class Purchase(Record, name="purchases.Purchase"):
    """Something that is to be bought. The title says what, `amount` what it costs."""

    amount: Decimal
    decided_by: tuple[str, ...] = ()
    supplier: str | None = None
    number: str | None = None


@guard("no_amount", {"en": "An amount above 0 and up to {most} is needed.", "zh": "请填写大于0、不超过{most}的金额。"})
def costs_something(draft: Purchase, command: Command) -> bool | dict[str, object]:
    """A purchase is requested with its amount."""
    return 0 < draft.amount <= MOST or {"most": MOST}


@guard("in_time", {"en": "There is time to decide until {due}.", "zh": "审批期限为{due}，尚未到期。"})
def overdue(purchase: Purchase, command: Command) -> bool | dict[str, object]:
    """Only what was not decided in time goes to the next level."""
    due = purchase.due_at
    return (due is not None and (command.at or command.now) > due) or {"due": due}


another_person = nobody_from("created_by", "decided_by")


def after_approval(level: str, amount: Decimal) -> str:
    """Where a purchase of an amount goes that a level has approved."""
    enough = {"department": amount <= DEPARTMENT, "division": amount <= DIVISION, "board": True}
    return "approved" if enough[level] else ABOVE[level]


def with_actor(purchase: Purchase, entry: Entry) -> tuple[str, ...]:
    """Those who decided so far, and who does it now."""
    return (*purchase.decided_by, entry.actor.id)


def deadline(level: str) -> Callable[[Purchase, Entry], datetime]:
    """When a level is to have decided on what comes to it now."""
    days = timedelta(days=DAYS[level])
    return lambda purchase, entry: entry.at + days


def end_of_day(purchase: Purchase, entry: Entry) -> datetime:
    """When the goods are due: on the day of the order's details, in UTC."""
    assert isinstance(entry.details, Order)
    return datetime.combine(entry.details.due, time.max, UTC)


def decisions(level: str, role: str) -> list[Transition]:
    """The rows of one level: it approves or rejects, and loses the purchase to the level above where it is late."""
    above = ABOVE.get(level)
    states = ("approved",) if above is None else ("approved", above)

    def due(purchase: Purchase, entry: Entry) -> datetime:
        return deadline(after_approval(level, purchase.amount))(purchase, entry)

    rows = [
        Transition(
            "approve",
            source=level,
            dest=OneOf(states, lambda purchase, details: after_approval(level, purchase.amount)),
            roles={role},
            label={"en": "approve", "zh": "批准"},
            guards=[another_person],
            sets={"decided_by": with_actor, "due_at": due},
            on_conflict="stale",
        ),
        Transition(
            "reject",
            source=level,
            dest="rejected",
            roles={role},
            label={"en": "reject", "zh": "不批准"},
            reason_required=True,
            guards=[another_person],
            sets={"decided_by": with_actor, "due_at": None},
            on_conflict="stale",
        ),
    ]
    if above is not None:
        rows.append(
            Transition(
                "escalate",
                source=level,
                dest=above,
                roles={"clock"},
                label={"en": "pass on", "zh": "逾期上报"},
                guards=[overdue],
                sets={"due_at": deadline(above)},
            )
        )
    return rows


PURCHASE = Lifecycle(
    name="purchase",
    version=1,
    record=Purchase,
    label={"en": "purchase", "zh": "采购"},
    labels={
        "role.requester": {"en": "requester", "zh": "申请人"},
        "role.head": {"en": "head of the department", "zh": "部门负责人"},
        "role.director": {"en": "director of the division", "zh": "分管领导"},
        "role.board": {"en": "member of the board", "zh": "领导班子成员"},
        "role.buyer": {"en": "buyer", "zh": "采购员"},
        "role.clock": {"en": "clock", "zh": "定时任务"},
        "field.amount": {"en": "amount", "zh": "金额"},
        "field.supplier": {"en": "supplier", "zh": "供应商"},
        "field.number": {"en": "order number", "zh": "订单号"},
        "field.at": {"en": "handed in on", "zh": "申请日期"},
        "field.due": {"en": "due on", "zh": "交货日期"},
    },
    roles={"requester": OWN, "head": UNIT, "director": ANY, "board": ANY, "buyer": ANY, "clock": ANY},
    states=[
        State("department", awaits={"head"}, label={"en": "before the department", "zh": "待部门审批"}),
        State("division", awaits={"director"}, label={"en": "before the division", "zh": "待分管领导审批"}),
        State("board", awaits={"board"}, label={"en": "before the board", "zh": "待领导班子审批"}),
        State("approved", awaits={"buyer"}, label={"en": "approved", "zh": "已批准"}),
        State("ordered", awaits={"requester"}, label={"en": "ordered", "zh": "已下单"}),
        State("delivered", final=True, label={"en": "delivered", "zh": "已收货"}),
        State("rejected", final=True, label={"en": "rejected", "zh": "未批准"}),
        State("withdrawn", final=True, label={"en": "withdrawn", "zh": "已撤回"}),
    ],
    transitions=[
        Transition(
            "request",
            source=None,
            dest="department",
            roles={"requester"},
            label={"en": "request", "zh": "申请"},
            guards=[has("title"), costs_something],
            accepts={"title", "amount"},
            sets={"due_at": deadline("department")},
        ),
        *decisions("department", "head"),
        *decisions("division", "director"),
        *decisions("board", "board"),
        Transition(
            "order",
            source="approved",
            dest="ordered",
            roles={"buyer"},
            label={"en": "order", "zh": "下单"},
            details=Order,
            guards=[another_person],
            sets={"supplier": "supplier", "number": "number", "due_at": end_of_day},
        ),
        Transition(
            "receive",
            source="ordered",
            dest="delivered",
            roles={"requester"},
            label={"en": "receive", "zh": "收货"},
            sets={"due_at": None},
        ),
        Transition(
            "withdraw",
            source={"department", "division", "board"},
            dest="withdrawn",
            roles={"requester"},
            label={"en": "withdraw", "zh": "撤回"},
            sets={"due_at": None},
        ),
        Transition(
            "comment",
            source={"department", "division", "board", "approved", "ordered"},
            dest=SAME,
            roles=EVERYBODY,
            label={"en": "comment", "zh": "备注"},
            details=Note,
            on_conflict="commutes",
        ),
    ],
)
