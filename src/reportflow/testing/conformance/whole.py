"""The tests of the factory, and the whole suite as one class for pytest."""

from __future__ import annotations

from reportflow.storage.base import Capabilities, Store
from reportflow.testing.acts import created, report
from reportflow.testing.conformance.axes import AxisTests
from reportflow.testing.conformance.chance import ChanceTests
from reportflow.testing.conformance.commit import CommitTests
from reportflow.testing.conformance.count import CountTests
from reportflow.testing.conformance.edges import EdgeTests
from reportflow.testing.conformance.feed import FeedTests
from reportflow.testing.conformance.find import MatchTests, OrderTests
from reportflow.testing.conformance.handles import HandleTests
from reportflow.testing.conformance.read import ReadTests, ValueTests
from reportflow.testing.conformance.restore import RestoreTests
from reportflow.testing.conformance.sight import VisibilityTests
from reportflow.testing.conformance.suite import StoreFixtures, Stores, bounded, keep
from reportflow.testing.conformance.threads import ThreadTests
from reportflow.testing.factory import looks_empty


@bounded
class FactoryTests(StoreFixtures):
    """The factory itself."""

    def test_the_factory_gives_fresh_stores(self, stores: Stores) -> None:
        """A factory takes nothing and gives a fresh, empty store each time."""
        stores.factory.check()


@bounded
class CapabilityTests(StoreFixtures):
    """What a store says of itself."""

    def test_capabilities_are_declared(self, store: Store) -> None:
        """`capabilities` is a `Capabilities`, and stays the same."""
        declared = store.capabilities
        assert type(declared) is Capabilities
        keep(store, created(report("r1")))
        assert store.capabilities == declared
        assert not looks_empty(store)


# pytest runs the tests of the last base first
class StoreTests(
    ChanceTests,
    EdgeTests,
    AxisTests,
    HandleTests,
    ThreadTests,
    RestoreTests,
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
