"""The pages: what waits for a person, a purchase with what may be done to it, and the suppliers."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from secrets import token_hex
from typing import Any

import attrs
from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from flask_purchases.people import actor, login_required
from flask_purchases.purchase import PURCHASE, Order, Purchase
from flask_purchases.tables import Supplier, db, transaction
from reportflow import Interval, InvalidValue, Option, Query, ReportFlow, parse
from reportflow.hosts.retry import retrying

purchases = Blueprint("purchases", __name__)


def office() -> ReportFlow:
    """The flow of the application, which was bound to `db.session` when the application started."""
    flow: ReportFlow = current_app.extensions["purchases"]
    return flow


def language() -> str:
    """The language that the reader likes best."""
    return request.accept_languages.best_match(["en", "zh"], "en")


@attrs.frozen(kw_only=True)
class Happened:
    """When it happened, of what was on paper before."""

    at: date | None = None


def filled_in(cls: type[Any], **options: Any) -> Any:
    """What a form has of a class; an empty field is one that was not filled in.

    Raises:
        InvalidValue: with every field that is wrong.
    """
    names = options.get("accepts") or [one.name for one in attrs.fields(cls)]
    return parse(
        cls, {name: request.form[name] for name in names if request.form.get(name)}, lifecycle=PURCHASE, **options
    )


def happened() -> datetime | None:
    """When it happened, as the form says."""
    day = filled_in(Happened).at
    return day and datetime.combine(day, time.min, UTC)


def form_of(option: Option) -> dict[str, Any]:
    """What a template shows of an option: its label, its reasons why not, its fields. `key` makes it done once."""
    described = option.describe(language())
    fields = described["schema"]["properties"] if described["schema"] else {}
    own = {name: field for name, field in fields.items() if name not in ("$type", "kind")}
    return {**described, "fields": own, "key": token_hex(8)}


@purchases.get("/")
@login_required
def index() -> str:
    """What waits for the person, what is late, and all that they may see, page by page."""
    by, flow = actor(), office()
    open_ones = {one.name for one in PURCHASE.states if not one.final}
    late = Query(kind="purchase", state=open_ones, due_at=Interval(end=datetime.now(UTC)), order="due_at")
    page = flow.find(Query(order="-created_at", limit=20, cursor=request.args.get("cursor")), by=by)
    return render_template("index.html", inbox=flow.inbox(by=by), late=flow.find(late, by=by), page=page)


@purchases.get("/purchases/new")
@login_required
def new() -> str:
    """The form of a new purchase."""
    [option] = office().options("purchase", by=actor())
    return render_template("new.html", form=form_of(option))


@purchases.post("/purchases/new")
@login_required
@retrying
def request_purchase() -> Response:
    """Request a purchase."""
    draft = filled_in(Purchase, accepts=PURCHASE.accepted("request"))
    with transaction():
        made = office().create(draft, by=actor(), at=happened(), key=request.form.get("key") or None)
    return redirect(url_for("purchases.purchase", id=made.id), 303)


@purchases.get("/purchases/<id>")
@login_required
def purchase(id: str) -> str:
    """A purchase, what may be done to it, why the rest may not, and what happened."""
    by, flow = actor(), office()
    found = flow.get(id, by=by, type=Purchase)
    return render_template(
        "purchase.html",
        purchase=found,
        forms=[form_of(one) for one in flow.options(found, by=by) if one.row.roles != {"clock"}],
        history=flow.history(id, by=by),
        suppliers=db.session.scalars(db.select(Supplier).where(Supplier.blocked.is_(False))).all(),
    )


@purchases.post("/purchases/<id>/<trigger>")
@login_required
@retrying
def act(id: str, trigger: str) -> Response:
    """One act. An order adds to what was ordered from its supplier, in the same transaction: both or neither."""
    details_class = PURCHASE.rows(trigger)[0].details
    details = details_class and filled_in(details_class)
    form = request.form
    with transaction():
        done = office().fire(
            id, trigger, details, by=actor(), reason=form.get("reason", ""),
            head=form.get("head") or None, key=form.get("key") or None, type=Purchase,
        )  # fmt: skip
        if isinstance(details, Order):
            add_order(details, done)
    return redirect(url_for("purchases.purchase", id=id), 303)


def add_order(order: Order, purchase: Purchase) -> None:
    """Enter an order with its supplier.

    Raises:
        InvalidValue: there is no such supplier, or none that may be ordered from.
    """
    supplier = db.session.get(Supplier, order.supplier, with_for_update=True)
    if supplier is None or supplier.blocked:
        allowed = db.session.scalars(db.select(Supplier.id).where(Supplier.blocked.is_(False)))
        raise InvalidValue("supplier", "choice", {"given": order.supplier, "choices": tuple(allowed)})
    supplier.ordered += purchase.amount


@purchases.get("/suppliers")
@login_required
def suppliers() -> str:
    """The suppliers, and for how much was ordered from each."""
    return render_template("suppliers.html", suppliers=db.session.scalars(db.select(Supplier)).all())
