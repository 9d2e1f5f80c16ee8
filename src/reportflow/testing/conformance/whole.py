"""All parts of the suite in one class."""

from __future__ import annotations

from reportflow.testing.conformance.chance import ChanceSuite
from reportflow.testing.conformance.commit import CommitSuite
from reportflow.testing.conformance.count import CountSuite
from reportflow.testing.conformance.factory import CapabilitySuite, FactorySuite
from reportflow.testing.conformance.feed import FeedSuite
from reportflow.testing.conformance.find import MatchSuite, OrderSuite
from reportflow.testing.conformance.handles import HandleSuite
from reportflow.testing.conformance.read import ReadSuite
from reportflow.testing.conformance.threads import ThreadSuite
from reportflow.testing.conformance.values import ValueSuite
from reportflow.testing.conformance.visibility import VisibilitySuite


class StoreConformance(
    FactorySuite,
    CapabilitySuite,
    CommitSuite,
    ReadSuite,
    ValueSuite,
    MatchSuite,
    OrderSuite,
    VisibilitySuite,
    CountSuite,
    FeedSuite,
    ThreadSuite,
    HandleSuite,
    ChanceSuite,
):
    """All of them. Its holes are `make_store`, and for stores that can do more `reopen` and `rolled_back`."""
