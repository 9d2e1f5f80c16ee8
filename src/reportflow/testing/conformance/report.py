"""The results of the suite: a finding for each test, and all of them as a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import attrs

from reportflow.i18n.catalog import CHINESE, ENGLISH, STANDARD

Outcome = Literal["passed", "failed", "skipped"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("passed", "failed", "skipped")
_PROMISES: Final = (code.split(".") for code in STANDARD.codes(CHINESE) if code.startswith("promise."))
#: Test -> the call that it is about.
TESTS: Final[Mapping[str, str]] = {test: call for _, call, test in _PROMISES}


@attrs.frozen(kw_only=True)
class ConformanceFinding:
    """The result of one test of the suite.

    Attributes:
        test: Its name.
        sentence: The sentence of the contract that it proves.
        outcome: "passed", "failed" or "skipped".
        code: Why it failed or was skipped: a code of the catalog, below ``testing``.
        facts: What the text is filled with.
    """

    test: str
    sentence: str
    outcome: Outcome
    code: str = ""
    facts: Mapping[str, Any] = attrs.field(factory=dict, hash=False)

    @property
    def call(self) -> str:
        """The call of the contract that it is about."""
        return TESTS[self.test]

    @property
    def reason(self) -> str:
        """Why it failed or was skipped; blank where it passed."""
        return self.explain()

    def explain(self, language: str = ENGLISH) -> str:
        """The reason in a language."""
        if not self.code:
            return ""
        steps = str(self.facts.get("steps", ""))
        return "\n".join([STANDARD.text(f"testing.{self.code}", language, self.facts), *steps.splitlines()])

    def promise(self, language: str = ENGLISH) -> str:
        """The sentence of the contract in a language."""
        return STANDARD.template(f"promise.{self.call}.{self.test}", language) or self.sentence


@attrs.frozen
class ConformanceReport:
    """The results of the whole suite. `str` of it is a text to read; only one in which nothing failed has passed."""

    findings: tuple[ConformanceFinding, ...]

    def __iter__(self) -> Iterator[ConformanceFinding]:
        return iter(self.findings)

    @property
    def failures(self) -> tuple[ConformanceFinding, ...]:
        """The sentences of the contract that the store does not keep."""
        return self._with("failed")

    @property
    def skipped(self) -> tuple[ConformanceFinding, ...]:
        """The sentences that were not tested, each with what is missing."""
        return self._with("skipped")

    @property
    def passed(self) -> bool:
        """Whether something was tested, and nothing failed."""
        return bool(self._with("passed")) and not self.failures

    def _with(self, outcome: Outcome) -> tuple[ConformanceFinding, ...]:
        return tuple(one for one in self.findings if one.outcome == outcome)

    def summary(self, language: str = ENGLISH) -> str:
        """The verdict and the numbers, in one line."""
        numbers = Counter(one.outcome for one in self.findings)
        code = "testing.kept" if self.passed else "testing.not_kept"
        return STANDARD.text(code, language, {name: numbers[name] for name in OUTCOMES})

    def text(self, language: str = ENGLISH) -> str:
        """The failures and what was skipped, each with its sentence and its reason, and the summary."""
        shown = (*self.failures, *self.skipped)
        return "\n".join([*("\n    ".join(lines(one, language)) + "\n" for one in shown), self.summary(language)])

    def __str__(self) -> str:
        return self.text()


def lines(finding: ConformanceFinding, language: str) -> list[str]:
    """A finding as lines: the outcome and the test, the sentence, the reason."""
    outcome = STANDARD.label("testing.outcome", finding.outcome, language)
    first = f"{outcome} {finding.call} · {finding.test}"
    return [first, finding.promise(language), *finding.explain(language).splitlines()]
