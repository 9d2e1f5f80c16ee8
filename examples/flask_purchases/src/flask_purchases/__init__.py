"""What an office buys, with three levels of approval: a lifecycle of its own, and an application of Flask."""

from flask_purchases.app import create_app
from flask_purchases.purchase import PURCHASE, Order, Purchase

__all__ = ["PURCHASE", "Order", "Purchase", "create_app"]
