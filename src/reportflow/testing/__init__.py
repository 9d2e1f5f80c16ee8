"""The test kit: proof for stores and lifecycles of your own, and Hypothesis strategies for reportflow's values.

`StoreTests` is the storage contract as a class for pytest, and `conform` runs it on a factory and gives a report;
`FilesTests` is that of a place for files; `awaited` drives an asynchronous store through the suite; `Twin` compares
two stores call by call; `LifecycleMachine` and `strategies` prove definitions; `record_rows` and `check_rows` hold
classes against rows that are stored. All but `awaited`, `Twin` and these two need the extra ``reportflow[testing]``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from reportflow.testing.broken import SuiteRefused
    from reportflow.testing.conformance.files import FilesTests
    from reportflow.testing.conformance.report import ConformanceFinding, ConformanceReport
    from reportflow.testing.conformance.run import conform
    from reportflow.testing.conformance.whole import StoreTests
    from reportflow.testing.lifecycle_machine import LifecycleMachine
    from reportflow.testing.loop import awaited
    from reportflow.testing.recorded import check_rows, record_rows
    from reportflow.testing.twin import StoresDiffer, Twin, run_on_both

__all__ = [
    "ConformanceFinding",
    "ConformanceReport",
    "FilesTests",
    "LifecycleMachine",
    "StoreTests",
    "StoresDiffer",
    "SuiteRefused",
    "Twin",
    "awaited",
    "check_rows",
    "conform",
    "record_rows",
    "run_on_both",
]

#: Name -> the module that owns it: nothing is loaded before it is asked for, Hypothesis and pytest least of all.
_OWNERS: Final = {
    "ConformanceFinding": "conformance.report",
    "ConformanceReport": "conformance.report",
    "FilesTests": "conformance.files",
    "LifecycleMachine": "lifecycle_machine",
    "StoreTests": "conformance.whole",
    "StoresDiffer": "twin",
    "SuiteRefused": "broken",
    "Twin": "twin",
    "awaited": "loop",
    "check_rows": "recorded",
    "conform": "conformance.run",
    "record_rows": "recorded",
    "run_on_both": "twin",
}


def __getattr__(name: str) -> Any:
    """The names of the kit."""
    if name not in _OWNERS:
        raise AttributeError(f"module 'reportflow.testing' has no attribute '{name}'")
    return getattr(import_module(f"reportflow.testing.{_OWNERS[name]}"), name)
