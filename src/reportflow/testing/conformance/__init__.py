"""The storage contract as tests: whoever writes a store hands in a factory, and has them all.

Without a test runner ``conform(factory)`` gives a report. In pytest::

    class TestMyStore(StoreConformance):
        def make_store(self) -> Store:
            return MyStore(...)

        def reopen(self, store: Store) -> Store:  # only for a store that says it is durable or shared
            return MyStore(...)  # one more, on the same data

Every sentence of `reportflow.storage.base` is a test here, whose docstring repeats it. pytest shows the values of
a failed comparison if it is told so before the import: ``pytest.register_assert_rewrite("reportflow.testing")``.
"""

from __future__ import annotations

from reportflow.testing.conformance.report import ConformanceReport, Finding
from reportflow.testing.conformance.run import conform
from reportflow.testing.conformance.whole import StoreConformance

__all__ = ["ConformanceReport", "Finding", "StoreConformance", "conform"]
