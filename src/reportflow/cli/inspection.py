"""What `reportflow check` shows: the findings about a definition, each with its example, or its matrix."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any, Final

from reportflow.analysis.checks import check
from reportflow.analysis.finding import Finding, Severity
from reportflow.analysis.matrix import Matrix, matrix
from reportflow.cli.lookup import find_lifecycle, find_module
from reportflow.cli.show import FIXED, RIGHT, WIDE, clean, console, table
from reportflow.cli.translation import CommandFailed, language, text
from reportflow.errors import InvalidDefinition, InvalidValue, MissingExtra
from reportflow.i18n.catalog import STANDARD
from reportflow.lifecycle.definition import Lifecycle
from reportflow.office.report import REPORT

#: Imported by name: the terminal needs no Hypothesis, it only takes what there is.
_DRAWN: Final = "reportflow.testing.drawn"
_STYLES: Final[Mapping[Severity, str]] = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
#: What `--matrix` takes.
MATRICES: Final = {"markdown": Matrix.markdown, "html": Matrix.html, "csv": Matrix.csv}


def neighbours(lifecycle: Lifecycle, own: Iterable[ModuleType], named: Iterable[ModuleType]) -> tuple[Lifecycle, ...]:
    """The other lifecycles of some modules, the newest of each name.

    `REPORT` is most often imported for something else: of a lifecycle's own module it is left out.
    """
    every = [one for module in named for one in vars(module).values()]
    every += [one for module in own for one in vars(module).values() if one is not REPORT]
    found: dict[str, Lifecycle] = {}
    for one in every:
        if isinstance(one, Lifecycle) and one.name != lifecycle.name:
            known = found.get(one.name)
            found[one.name] = one if known is None or known.version < one.version else known
    return tuple(found.values())


def find_with(given: str, modules: Sequence[str]) -> tuple[Lifecycle, tuple[Lifecycle, ...]]:
    """The lifecycle of a name, and the others of its module and of some further ones.

    Raises:
        CommandFailed: there is none, or a module cannot be imported.
    """
    named = [find_module(one, one, "wrong.module") for one in modules]
    found = find_lifecycle(given)
    own = [sys.modules[given.partition(":")[0]]] if given else []
    return found, neighbours(found, own, named)


def find_whole(given: str, modules: Sequence[str]) -> tuple[Lifecycle, tuple[Lifecycle, ...]] | None:
    """As `find_with`; None where the table has faults, which are shown."""
    try:
        return find_with(given, modules)
    except CommandFailed as failed:
        if not isinstance(failed.__cause__, InvalidDefinition):
            raise
        _show_faults(failed.__cause__)
        return None


def inspect(lifecycle: Lifecycle, others: Sequence[Lifecycle], accept: Sequence[str]) -> bool:
    """Check a lifecycle and show what was found; whether there is nothing above a note.

    Raises:
        CommandFailed: what is accepted is not written as CODE=REASON, or there is no such code.
    """
    accepted = {code.strip(): reason for code, _, reason in (one.partition("=") for one in accept)}
    samples = _samples(lifecycle, *others)
    try:
        found = check(lifecycle, *others, samples=samples, accept=accepted)
    except InvalidValue as error:
        raise CommandFailed(error.message(language())) from error
    sound = _show(found, lifecycle.label_of("lifecycle", lifecycle.name, language()))
    console().print(clean(text("check.enumerated") if samples is None else text("check.drawn")))
    return sound


def _show_faults(error: InvalidDefinition) -> None:
    """Show why a definition could not be built at all."""
    given = ({"given": fault.text(language())} for fault in error.faults)
    _show([Finding(code="fault", level=Severity.ERROR, facts=facts) for facts in given], error.name)


def draw_matrix(lifecycle: Lifecycle, kind: str) -> str:
    """The matrix of a lifecycle as text."""
    return MATRICES[kind](matrix(lifecycle), language())


def _samples(*lifecycles: Lifecycle) -> dict[type[Any], tuple[Any, ...]] | None:
    """What Hypothesis draws for a check; None where it is not installed."""
    try:
        drawn = importlib.import_module(_DRAWN).drawn
    except (MissingExtra, ModuleNotFoundError):
        return None
    found: dict[type[Any], tuple[Any, ...]] = drawn(*lifecycles)
    return found


def _show(findings: Sequence[Finding], name: str) -> bool:
    shown = console()
    rows = table({"": RIGHT, "check.level": FIXED, "check.finding": WIDE}, text("check.title", name=name))
    for number, one in enumerate(findings, 1):
        level = STANDARD.label("severity", one.level.value, language())
        rows.add_row(str(number), level, clean(one.text(language())), style=_STYLES[one.level])
    if findings:
        shown.print(rows)
    for number, one in enumerate(findings, 1):
        if one.example:
            shown.print(clean(text("check.example", number=number)), style="bold")
            for line in one.example:
                shown.print(clean(f"  {line}"), soft_wrap=True)
    grave = [one for one in findings if one.level is not Severity.NOTE]
    shown.print(clean(text("check.unsound", number=len(grave)) if grave else text("check.sound", name=name)))
    return not grave
