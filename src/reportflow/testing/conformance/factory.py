"""The promises of who gives the stores: where these are not kept, nothing else proves anything."""

from __future__ import annotations

import contextlib

from reportflow.storage.base import Capabilities
from reportflow.testing.acts import created, report
from reportflow.testing.conformance.suite import Suite, Unmet, looks_empty, undriven


class FactorySuite(Suite, bounded=True):
    """Before all others."""

    def test_the_factory_gives_fresh_stores(self) -> None:
        """A factory takes nothing and gives a fresh, empty store each time."""
        store = self.store
        with contextlib.suppress(Exception):  # a commit that fails is for the other tests to judge
            self.keep(created(report("r1")))
        again = self.closed_later(self.given_store())
        if undriven(again) is undriven(store):
            raise Unmet("factory.same")
        if not looks_empty(again):
            raise Unmet("factory.same_data")


class CapabilitySuite(Suite, bounded=True):
    """What a store says of itself."""

    def test_capabilities_are_declared(self) -> None:
        """`capabilities` is a `Capabilities`, and stays the same."""
        declared = self.store.capabilities
        assert type(declared) is Capabilities
        self.keep(created(report("r1")))
        assert self.store.capabilities == declared
        assert not looks_empty(self.store)
