"""For pytest: what the machines of a user's own lifecycles covered stands in the summary of the test run.

Registered by the machine's ``TestCase`` itself, or by ``-p reportflow.testing.plugin``: under xdist it must be, since
the workers then send what they found along with the results of the tests. It is no entry point: each run of pytest in
an environment would import the package, before a measurement of coverage begins. It loads nothing of the kit.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import Any, Final

import pytest

#: The module of the machine: what did not load it has no machine.
_MACHINE: Final = "reportflow.testing.lifecycle_machine"
#: What it is called on the report of a test: plain data, so that it gets from a worker to the process that sums up.
_ATTRIBUTE: Final = "reportflow_coverage"
#: Report of a test -> the lines to show.
_LINES: Final = pytest.StashKey[dict[str, list[str]]]()


class CoverageSummary:
    """The hooks, for one run of pytest."""

    def __init__(self, config: pytest.Config) -> None:
        config.stash[_LINES] = {}
        self._config = config

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note on the report of a machine's test what was covered."""
        report = yield
        loaded = sys.modules.get(_MACHINE)
        if loaded is not None and call.when == "call" and isinstance(item, pytest.Function):
            vars(report)[_ATTRIBUTE] = loaded.lines_of_test(item.cls)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a report says, a worker's too."""
        lines = vars(report).get(_ATTRIBUTE)
        if lines:
            self._config.stash[_LINES][report.nodeid] = lines

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show it."""
        found = self._config.stash[_LINES]
        if found:
            terminalreporter.section("lifecycles")
            for nodeid in sorted(found):
                terminalreporter.line(nodeid)
                for line in found[nodeid]:
                    terminalreporter.line(f"  {line}")


def registering() -> Any:
    """A method for the machine's ``TestCase``: it adds the hooks when a test of it is run, where ``-p`` did not."""

    @pytest.fixture(autouse=True)
    def summed_up(self: object, request: pytest.FixtureRequest) -> None:
        register(request.config)

    return summed_up


def pytest_configure(config: pytest.Config) -> None:
    """Begin with a run."""
    register(config)


def register(config: pytest.Config) -> None:
    """Add the hooks to a run, once."""
    name = CoverageSummary.__qualname__
    if not config.pluginmanager.has_plugin(name):
        config.pluginmanager.register(CoverageSummary(config), name)
