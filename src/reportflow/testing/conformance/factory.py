"""What a factory promises, and what a store declares: before all other tests."""

from __future__ import annotations

from reportflow.storage.base import Capabilities, Store
from reportflow.testing.acts import created, report
from reportflow.testing.conformance.suite import StoreFixtures, Stores, bounded, keep
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
