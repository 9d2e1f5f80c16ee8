"""The suite, run by pytest in this process: each test becomes a finding, as soon as it has ended.

`main` is the child process that `conform` starts.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Collection, Generator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from reportflow.errors import ReportflowError
from reportflow.testing.broken import BrokenPromise
from reportflow.testing.conformance.report import ConformanceFinding, Outcome
from reportflow.testing.conformance.rewriting import rewrite_asserts
from reportflow.testing.conformance.suite import RolledBack, Skipped
from reportflow.testing.differences import first_difference, shown

#: After so many tests that did not come back, the rest is not run: each leaves threads behind, and takes its time.
_HUNG: Final = 2
#: How many characters of a line, how many lines of Hypothesis, and how many characters of an explanation are shown.
_LINE: Final = 300
_STEPS: Final = 40
_WHOLE: Final = 4_000
_PACKAGE: Final = "reportflow.testing."
#: Modules of the kit that stand between a test and the store: a line of theirs says nothing.
_BETWEEN: Final = tuple(
    f"{_PACKAGE}{name}" for name in ("conformance.suite", "conformance.races", "factory", "loop", "twin")
)
#: The configuration of the project in whose folder it runs does not count.
_ARGUMENTS: Final = (
    "-s", "--noconftest", "-p", "no:terminal", "-p", "no:cacheprovider", "-c", os.devnull,
    "-p", "no:unraisableexception",  # it collects garbage ten times at the end
    "--rootdir", str(Path(__file__).parent), "--import-mode=importlib",
    "-o", "truncation_limit_lines=0", "-o", "truncation_limit_chars=0",
)  # fmt: skip


@attrs.frozen(kw_only=True)
class Subject:
    """What the suite is run on, and how; see `conform`."""

    factory: Callable[[], Any]
    reopen: Callable[[Any], Any] | None = None
    rolled_back: RolledBack | None = None
    profile: str = "default"
    seed: int | None = None


#: Where the configuration of pytest has it.
SUBJECT: Final = pytest.StashKey[Subject]()


def run(
    subject: Subject,
    only: Collection[str] | None = None,
    emit: Callable[[ConformanceFinding], object] = lambda finding: None,
) -> tuple[ConformanceFinding, ...]:
    """Run the suite, or some of its tests, and emit each finding."""
    recorder = Recorder(subject, only, emit)
    pytest.main([*_ARGUMENTS, str(Path(__file__).with_name("subject.py"))], plugins=[recorder])
    return tuple(recorder.findings)


class Recorder:
    """The plugin of pytest that makes findings of its reports."""

    def __init__(
        self, subject: Subject, only: Collection[str] | None, emit: Callable[[ConformanceFinding], object]
    ) -> None:
        self.findings: list[ConformanceFinding] = []
        self._subject = subject
        self._only = only
        self._emit = emit
        self._ended: tuple[Outcome, str, Mapping[str, Any]] = ("passed", "", {})
        self._hung = 0
        self._unrun: Skipped | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        """Give the subject to the tests."""
        config.stash[SUBJECT] = self._subject
        config.option.tbstyle = "native"  # the cheapest: a finding is made of the error, not of pytest's traceback
        rewrite_asserts()

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(self, name: str) -> list[pytest.Item] | None:
        """Leave out what was not asked for, before pytest looks for its fixtures."""
        left_out = self._only is not None and name.startswith("test_") and name not in self._only
        return [] if left_out else None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Show why the suite could not be collected."""
        if report.failed:
            sys.stderr.write(report.longreprtext)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """Skip a test that would prove nothing any more."""
        self._ended = ("passed", "", {})
        if self._unrun is not None:
            raise self._unrun

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> list[str] | None:
        """Both sides of a comparison, and where they differ first."""
        found = first_difference(left, right) if op == "==" else None
        sides = [f"left:  {shown(left)}", f"right: {shown(right)}"]
        if found is None or not found.path:
            return [f"left {op} right", *sides]
        inside = f"left{found.path} is {shown(found.one)}, and right{found.path} is {shown(found.other)}"
        return ["left == right", inside, *sides]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note how a phase ended; after the first failure no other counts."""
        caught = call.excinfo  # before pytest puts an error of its own in the place of a `Skipped`
        report = yield
        if caught is not None and self._ended[0] != "failed":
            if isinstance(caught.value, Skipped):
                self._ended = ("skipped", caught.value.code, caught.value.facts)
            elif report.skipped:  # by the factory
                self._ended = ("skipped", "skip.other", {"given": str(caught.value)})
            else:
                self._ended = ("failed", *why(caught))
        if call.when == "teardown":
            self._record(item)
        return report

    def _record(self, item: pytest.Item) -> None:
        outcome, code, facts = self._ended
        sentence = " ".join((inspect.getdoc(getattr(item, "function", None)) or "").split())
        finding = ConformanceFinding(test=item.name, sentence=sentence, outcome=outcome, code=code, facts=facts)
        self.findings.append(finding)
        self._emit(finding)
        if outcome == "failed":
            self._hung += code == "hung"
            if len(self.findings) == 1 and item.name == "test_the_factory_gives_fresh_stores":
                self._unrun = Skipped("skip.factory")
            elif self._hung == _HUNG:
                self._unrun = Skipped("skip.hung", number=self._hung)


# -- why a test failed ------------------------------------------------------------------------------------------


def why(caught: pytest.ExceptionInfo[BaseException]) -> tuple[str, Mapping[str, Any]]:
    """The cause of a failure: a code of the kit's texts, and its facts."""
    error, modules = caught.value, [str(entry.frame.f_globals.get("__name__")) for entry in caught.traceback]
    facts = {"kind": _kind(error), "given": _brief(str(error)), "line": _line(caught), "steps": _steps(error)}
    is_ours = modules[-1].startswith(_PACKAGE)
    if isinstance(error, BrokenPromise):
        code = "reason.due" if error.code == "due" else error.code
        return code, {**facts, **{name: _plain(fact) for name, fact in error.facts.items()}}
    if facts["kind"].startswith("hypothesis."):
        return "reason.flaky", facts
    if isinstance(error, AssertionError) and is_ours:
        return "reason.failed", {**facts, "given": _explanation(error)}
    if isinstance(error, ReportflowError):
        return "reason.not_due", facts
    return "reason.misshapen" if is_ours else "reason.foreign", facts


def _plain(fact: object) -> object:
    return fact if isinstance(fact, int | list) else str(fact)


def _kind(error: BaseException) -> str:
    module = type(error).__module__
    return type(error).__qualname__ if module == "builtins" else f"{module}.{type(error).__qualname__}"


def _brief(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LINE else f"{text[:_LINE]} …"


def _explanation(error: AssertionError) -> str:
    """What pytest says of a failed assertion, without the comparison itself, which stands in the line."""
    lines = [line.strip() for line in str(error).splitlines()]
    return "\n".join(line for line in lines if not line.startswith("assert left "))[:_WHOLE]


def _line(caught: pytest.ExceptionInfo[BaseException]) -> str:
    """The last line of a test that an error passed."""
    for entry in reversed(caught.traceback):
        module = str(entry.frame.f_globals.get("__name__"))
        if module.startswith(_PACKAGE) and not module.startswith(_BETWEEN):
            return _brief(str(entry.statement))
    return ""


def _steps(error: BaseException) -> str:
    """The calls that Hypothesis made, where it was Hypothesis; what failed stands at the end."""
    lines = [line for note in getattr(error, "__notes__", ()) for line in str(note).splitlines()]
    return "\n".join(line[:_LINE] for line in (lines if len(lines) <= _STEPS else ["…", *lines[-_STEPS:]]))


# -- the child process ------------------------------------------------------------------------------------------


def resolve(name: str) -> Any:
    """What 'package.module:name' names, by a dotted name inside a class too.

    Raises:
        ImportError, AttributeError: there is no such thing.
    """
    module, _, path = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def main() -> None:
    """Run the suite as the first argument says, and write each finding as a line of JSON."""
    asked = json.loads(sys.argv[1])
    # stdout is for the findings: whatever a store prints goes to stderr
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)

        def emit(finding: ConformanceFinding) -> None:
            out.write(f"{json.dumps(attrs.asdict(finding))}\n")
            out.flush()

        named = {name: resolve(given) for name, given in asked["named"].items()}
        run(Subject(**named, **asked["plain"]), asked["only"], emit)
