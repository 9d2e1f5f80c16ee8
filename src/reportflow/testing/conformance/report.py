"""What came of the suite: a finding for each test, and all of them as a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import attrs

from reportflow.i18n.catalog import ENGLISH
from reportflow.testing.conformance import texts

Outcome = Literal["passed", "failed", "skipped"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("passed", "failed", "skipped")


@attrs.frozen(kw_only=True)
class Finding:
    """What came of one test of the suite.

    Attributes:
        test: Its name.
        call: The call of the contract that it is about.
        sentence: The sentence of the contract that it proves.
        outcome: "passed", "failed" or "skipped".
        code: Why it failed or was left out: a code of the suite's texts.
        facts: What the text is filled with.
    """

    test: str
    call: str
    sentence: str
    outcome: Outcome
    code: str = ""
    facts: Mapping[str, Any] = attrs.field(factory=dict, hash=False)

    @property
    def reason(self) -> str:
        """Why it failed or was left out; blank where it passed."""
        return self.said()

    def said(self, language: str = ENGLISH) -> str:
        """The reason in a language."""
        if not self.code:
            return ""
        steps = str(self.facts.get("steps", ""))
        return "\n".join([texts.CATALOG.text(f"conformance.{self.code}", language, self.facts), *steps.splitlines()])

    def promise(self, language: str = ENGLISH) -> str:
        """The sentence of the contract in a language."""
        return self.sentence if language == ENGLISH else texts.sentence(self.test, language) or self.sentence


@attrs.frozen
class ConformanceReport:
    """What came of the whole suite. `str` of it is a text to read; only one in which nothing failed has passed."""

    findings: tuple[Finding, ...]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The sentences of the contract that the store does not keep."""
        return self._that("failed")

    @property
    def skipped(self) -> tuple[Finding, ...]:
        """The sentences that were not looked at, each with what is missing."""
        return self._that("skipped")

    @property
    def passed(self) -> bool:
        """Whether something was looked at, and nothing failed."""
        return bool(self._that("passed")) and not self.failures

    def _that(self, outcome: Outcome) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.outcome == outcome)

    def summary(self, language: str = ENGLISH) -> str:
        """The verdict and the numbers, in one line."""
        numbers = Counter(one.outcome for one in self.findings)
        code = "kept" if self.passed else "not_kept"
        return texts.CATALOG.text(f"conformance.{code}", language, {name: numbers[name] for name in OUTCOMES})

    def text(self, language: str = ENGLISH) -> str:
        """The failures and what was left out, each with its sentence and its reason, and the summary."""
        told = [one for outcome in ("failed", "skipped") for one in self.findings if one.outcome == outcome]
        return "\n".join([*(_lines(one, language) for one in told), self.summary(language)])

    def __str__(self) -> str:
        return self.text()


def _lines(finding: Finding, language: str) -> str:
    outcome = texts.CATALOG.label("conformance.outcome", finding.outcome, language)
    first = f"{outcome} {finding.call} · {finding.test}"
    return "\n    ".join([first, finding.promise(language), *finding.said(language).splitlines()]) + "\n"
