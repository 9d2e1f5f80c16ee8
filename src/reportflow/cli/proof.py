"""A store held against the contract, shown on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from reportflow.cli.lookup import current_folder_importable, find_object
from reportflow.cli.show import clean, console
from reportflow.cli.texts import CATALOG
from reportflow.cli.translation import CommandFailed, language, text
from reportflow.testing.conformance.report import ConformanceReport, Finding
from reportflow.testing.conformance.run import findings, tests

#: Outcome -> how it is shown.
_STYLES: Final = {"passed": "green", "failed": "bold red", "skipped": "yellow"}


def prove(factory: str, reopen: str | None, profile: str, seed: int | None) -> bool:
    """Run the suite on the stores of a factory, show what came of it, and say whether all is well.

    Raises:
        CommandFailed: the factory, or `reopen`, is not there or is no function.
    """
    make = _function(factory)
    again = None if reopen is None else _function(reopen)
    with current_folder_importable():
        found = findings(make, reopen=again, profile=profile, seed=seed)
        report = ConformanceReport(tuple(_watched(found)))
    show_report(report)
    return report.passed


def _function(given: str) -> Callable[..., Any]:
    found = find_object(given, "wrong.factory")
    if not callable(found):
        raise CommandFailed(
            text("wrong.factory", given=given, why=text("wrong.not_callable", kind=type(found).__name__))
        )
    return found


def _watched(found: Iterable[Finding]) -> Iterable[Finding]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    terminal = console(stderr=True)
    with Progress(*columns, console=terminal, disable=not terminal.is_terminal, transient=True) as progress:
        yield from progress.track(found, total=len(tests()), description=text("conform.running"))


def show_report(report: ConformanceReport) -> None:
    """A row for each test, then each failure and each test left out with its reason, and the verdict."""
    shown = console()
    shown.print(_rows(report))
    for finding in (*report.failures, *report.skipped):
        outcome = CATALOG.label("conformance.outcome", finding.outcome, language())
        line = clean(f"{outcome} {finding.call} · {finding.test}")
        shown.print(line, style=_STYLES[finding.outcome], soft_wrap=True)
        for said in (finding.promise(language()), *finding.said(language()).splitlines()):
            shown.print(clean(f"    {said}"), soft_wrap=True)
    shown.print(clean(report.summary(language())), style="bold", soft_wrap=True)


def _rows(report: ConformanceReport) -> Table:
    rows = Table(box=SIMPLE_HEAD)
    rows.add_column(text("conform.call"), no_wrap=True)
    rows.add_column(text("conform.sentence"), ratio=1, overflow="fold")
    rows.add_column(text("conform.outcome"), no_wrap=True)
    for finding in report:
        outcome = CATALOG.label("conformance.outcome", finding.outcome, language())
        call = CATALOG.label("conformance.call", finding.call, language())
        rows.add_row(call, clean(finding.promise(language())), clean(outcome), style=_STYLES[finding.outcome])
    return rows
