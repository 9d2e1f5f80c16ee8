"""The test kit: proof for stores and lifecycles of your own, and Hypothesis strategies for what reportflow keeps.

`conform(factory)` holds a store against the whole contract and gives a report; `StoreConformance` is the same as a
class for pytest; `awaited` drives an asynchronous store through it; `Twin` compares two stores call by call.
These need nothing but a runner. `strategies` and the machines need the extra ``reportflow[testing]``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from reportflow.testing.conformance.report import ConformanceReport, Finding
    from reportflow.testing.conformance.run import conform
    from reportflow.testing.conformance.whole import StoreConformance
    from reportflow.testing.lifecycle_machine import LifecycleMachine
    from reportflow.testing.loop import awaited
    from reportflow.testing.twin import Difference, Twin, run_on_both

__all__ = [
    "ConformanceReport",
    "Difference",
    "Finding",
    "LifecycleMachine",
    "StoreConformance",
    "Twin",
    "awaited",
    "conform",
    "run_on_both",
]

#: Name -> the module that owns it: nothing is loaded before it is asked for, Hypothesis least of all.
_OWNERS: Final = {
    "ConformanceReport": "conformance.report",
    "Difference": "twin",
    "Finding": "conformance.report",
    "LifecycleMachine": "lifecycle_machine",
    "StoreConformance": "conformance.whole",
    "Twin": "twin",
    "awaited": "loop",
    "conform": "conformance.run",
    "run_on_both": "twin",
}


def __getattr__(name: str) -> Any:
    """The names of the kit."""
    if name not in _OWNERS:
        raise AttributeError(f"module 'reportflow.testing' has no attribute '{name}'")
    return getattr(import_module(f"reportflow.testing.{_OWNERS[name]}"), name)
