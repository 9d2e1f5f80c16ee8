"""A store held against the contract, and the tour of a lifecycle, shown on a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.box import SIMPLE_HEAD
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from reportflow.cli.lookup import current_folder_importable, find_object
from reportflow.cli.show import clean, console
from reportflow.cli.translation import CommandFailed, language, text
from reportflow.i18n.catalog import STANDARD
from reportflow.lifecycle.definition import Lifecycle
from reportflow.testing.broken import SuiteRefused

if TYPE_CHECKING:
    from reportflow.testing.conformance.report import ConformanceReport

#: Outcome -> how it is shown.
_STYLES: Final = {"passed": "green", "failed": "bold red", "skipped": "yellow"}


def prove(factory: str, reopen: str | None, profile: str, seed: int | None) -> bool:
    """Run the suite on the stores of a factory, show the report, and say whether the contract is kept.

    Raises:
        CommandFailed: the factory, or `reopen`, is not there or is no function; or asserts are not run (``-O``).
        MissingExtra: pytest is not installed.
    """
    for given in (factory, *([] if reopen is None else [reopen])):
        _check_function(given)
    try:
        # only here: the other commands run without pytest
        from reportflow.testing.conformance.run import conform
        from reportflow.testing.conformance.whole import every_test

        with current_folder_importable(), _progress_bar() as bar:
            task = bar.add_task(text("conform.running"), total=len(every_test()))
            report = conform(
                factory, reopen=reopen, profile=profile, seed=seed, progress=lambda finding: bar.advance(task)
            )
    except SuiteRefused as refused:
        raise CommandFailed(refused.message(language())) from refused
    show_report(report)
    return report.passed


def cover(lifecycle: Lifecycle, others: Sequence[Lifecycle]) -> None:
    """Make the tour of a lifecycle on a store in memory, and show what it covered and how long it took.

    Raises:
        MissingExtra: Hypothesis is not installed.
        BrokenPromise: a promise was not kept.
    """
    from reportflow.testing.lifecycle_machine import LifecycleMachine

    started = time.process_time()
    machine = LifecycleMachine.of(lifecycle, *others)
    machine.tour()
    lines = machine.coverage().lines(language())
    seconds = f"{time.process_time() - started:.1f}"
    for line in (*lines, text("cover.time", seconds=seconds)):
        console().print(clean(line), soft_wrap=True)


def _check_function(given: str) -> None:
    found = find_object(given, "wrong.factory")
    if not callable(found):
        raise CommandFailed(
            text("wrong.factory", given=given, why=text("wrong.not_callable", kind=type(found).__name__))
        )


def _progress_bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    terminal = console(stderr=True)
    return Progress(*columns, console=terminal, disable=not terminal.is_terminal, transient=True)


def show_report(report: ConformanceReport) -> None:
    """A row for each test, then each failure and each skipped test with its reason, and the verdict."""
    from reportflow.testing.conformance.report import lines

    shown = console()
    shown.print(_rows(report))
    for finding in (*report.failures, *report.skipped):
        first, *rest = lines(finding, language())
        shown.print(clean(first), style=_STYLES[finding.outcome], soft_wrap=True)
        for line in rest:
            shown.print(clean(f"    {line}"), soft_wrap=True)
    shown.print(clean(report.summary(language())), style="bold", soft_wrap=True)


def _rows(report: ConformanceReport) -> Table:
    rows = Table(box=SIMPLE_HEAD)
    rows.add_column(text("conform.call"), no_wrap=True)
    rows.add_column(text("conform.sentence"), ratio=1, overflow="fold")
    rows.add_column(text("conform.outcome"), no_wrap=True)
    for finding in report:
        cells = (
            STANDARD.label("testing.call", finding.call, language()),
            finding.promise(language()),
            STANDARD.label("testing.outcome", finding.outcome, language()),
        )
        rows.add_row(*(clean(cell) for cell in cells), style=_STYLES[finding.outcome])
    return rows
