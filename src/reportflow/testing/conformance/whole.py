"""The whole suite as one class for pytest."""

from __future__ import annotations

from reportflow.testing.conformance.chance import ChanceTests
from reportflow.testing.conformance.commit import CommitTests
from reportflow.testing.conformance.count import CountTests
from reportflow.testing.conformance.factory import CapabilityTests, FactoryTests
from reportflow.testing.conformance.feed import FeedTests
from reportflow.testing.conformance.find import MatchTests, OrderTests
from reportflow.testing.conformance.handles import HandleTests
from reportflow.testing.conformance.read import ReadTests
from reportflow.testing.conformance.threads import ThreadTests
from reportflow.testing.conformance.values import ValueTests
from reportflow.testing.conformance.visibility import VisibilityTests


# pytest runs the tests of the last base first
class StoreTests(
    ChanceTests,
    HandleTests,
    ThreadTests,
    FeedTests,
    CountTests,
    VisibilityTests,
    OrderTests,
    MatchTests,
    ValueTests,
    ReadTests,
    CommitTests,
    CapabilityTests,
    FactoryTests,
):
    """All tests of the contract. A backend's test class gives ``new_store``, and where it can do more ``reopen``."""


def every_test() -> tuple[str, ...]:
    """The tests of the suite, in the order in which they are run."""
    return tuple(name for part in reversed(StoreTests.__mro__) for name in vars(part) if name.startswith("test_"))
