"""The storage contract as tests: whoever writes a store subclasses `StoreConformance`, and has them all.

::

    class TestMyStore(StoreConformance):
        def make_store(self) -> Store:
            return MyStore(...)

        def reopen(self, store: Store) -> Store:  # only for a store that says it is durable
            store.close()
            return MyStore(...)

Every sentence of `reportflow.storage.contract` is a test here, whose docstring repeats it. pytest shows the values of
a failed comparison if it is told so before the import: ``pytest.register_assert_rewrite("reportflow.testing")``.
"""

from __future__ import annotations

from reportflow.testing.conformance.commit import CommitSuite
from reportflow.testing.conformance.count import CountSuite
from reportflow.testing.conformance.feed import FeedSuite
from reportflow.testing.conformance.find import MatchSuite, OrderSuite
from reportflow.testing.conformance.read import ReadSuite
from reportflow.testing.conformance.threads import ThreadSuite
from reportflow.testing.conformance.visibility import VisibilitySuite


class StoreConformance(
    CommitSuite, ReadSuite, MatchSuite, OrderSuite, VisibilitySuite, CountSuite, FeedSuite, ThreadSuite
):
    """All of them. Its only hole is `make_store` (and `reopen`, for a durable store)."""
