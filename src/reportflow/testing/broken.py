"""Errors of the test kit, each a sentence that says what to do; and results of calls that can be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from reportflow.errors import ReportflowError, TransitionRefused
from reportflow.i18n.catalog import ENGLISH, STANDARD


class Explained(Exception):
    """An error with the code of a text, and its facts. `str` is English, ``message("zh")`` is Chinese."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts

    def message(self, language: str = ENGLISH) -> str:
        """The cause and the remedy, in a language."""
        return STANDARD.text(f"testing.{self.code}", language, self.facts)

    def __str__(self) -> str:
        return self.message()


class BrokenPromise(Explained, AssertionError):
    """A promise that was not kept by a store, a definition, or what gives the stores."""


class SuiteRefused(Explained, ValueError):
    """The conformance suite cannot be run like this."""


class NeverFired(UserWarning):
    """Transitions of which a run proved nothing."""


@attrs.frozen(repr=False)
class Raised:
    """The error that a call raised: equal to another of the same class with the same facts."""

    kind: type[ReportflowError]
    facts: Mapping[str, Any]
    error: ReportflowError = attrs.field(eq=False)

    @property
    def codes(self) -> list[str] | None:
        """The codes of the refusals, where it is one."""
        if not isinstance(self.error, TransitionRefused):
            return None
        return [getattr(one, "code", "?") for one in self.error.refusals]

    def __repr__(self) -> str:
        return f"{self.kind.__name__}: {self.error}"


def raised(error: ReportflowError) -> Raised:
    """An error as a value."""
    return Raised(type(error), {name: fact for name, fact in vars(error).items() if name[:1] != "_"}, error)


def outcome(call: Callable[[], Any]) -> Any:
    """What a call gives, or `Raised`."""
    try:
        return call()
    except ReportflowError as error:
        return raised(error)
