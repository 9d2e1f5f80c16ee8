"""The suite without pytest: a factory of stores to a report."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

from reportflow.errors import InvalidValue
from reportflow.testing.conformance import texts
from reportflow.testing.conformance.chance import PROFILES
from reportflow.testing.conformance.factory import FactorySuite
from reportflow.testing.conformance.reasons import Cause, why
from reportflow.testing.conformance.report import ConformanceReport, Finding, Outcome
from reportflow.testing.conformance.suite import Missing, Unmet, within
from reportflow.testing.conformance.whole import StoreConformance

#: After so many tests that did not end, the rest is not run: each leaves threads behind, and takes its time.
_HUNG: Final = 2
#: How long a reason may be looked for, in seconds: the store is asked again.
_ASKING: Final = 10.0


def conform(
    factory: Callable[[], Any],
    *,
    reopen: Callable[[Any], Any] | None = None,
    rolled_back: Callable[[Any], AbstractContextManager[object]] | None = None,
    profile: str = "default",
    seed: int | None = None,
    only: Collection[str] | None = None,
) -> ConformanceReport:
    """Hold the stores of a factory against the whole contract. Whatever a store does, the answer is a report.

    Args:
        factory: Takes nothing and gives a fresh, empty store each time, synchronous or asynchronous.
        reopen: Takes a store and gives one more on the same data; for stores that are durable or shared.
        rolled_back: Takes a store and gives a transaction of the host's around it, which is rolled back at its end;
            for stores that write inside one.
        profile: "default", "brief" for a look in between, or "thorough" for the night.
        seed: Makes the random part ask the same again.
        only: The names of the tests to run, and no others; all unless given.

    Raises:
        InvalidValue: there is no such profile.
    """
    found = findings(factory, reopen=reopen, rolled_back=rolled_back, profile=profile, seed=seed, only=only)
    return ConformanceReport(tuple(found))


def tests() -> tuple[str, ...]:
    """The tests of the suite, in the order in which they are run."""
    return tuple(name for part in StoreConformance.__mro__ for name in vars(part) if name.startswith("test_"))


def findings(
    factory: Callable[[], Any],
    *,
    reopen: Callable[[Any], Any] | None = None,
    rolled_back: Callable[[Any], AbstractContextManager[object]] | None = None,
    profile: str = "default",
    seed: int | None = None,
    only: Collection[str] | None = None,
) -> Iterator[Finding]:
    """The findings of `conform`, one after the other."""
    if profile not in PROFILES:
        raise InvalidValue("profile", "choice", {"given": repr(profile), "choices": list(PROFILES)})
    given = {"make_store": lambda self: factory(), "profile": profile, "seed": seed}
    if reopen is not None:
        given["reopen"] = lambda self, store: reopen(store)
    if rolled_back is not None:
        given["rolled_back"] = lambda self, store: rolled_back(store)
    suite: Any = type("Suite", (StoreConformance,), given)
    unrun: Cause | None = None
    hung = 0
    for name in tests():
        if only is not None and name not in only:
            continue
        outcome, (code, facts) = _run(suite, name) if unrun is None else _not_run(unrun)
        sentence = " ".join((inspect.getdoc(getattr(suite, name)) or "").split())
        yield Finding(test=name, call=texts.call(name), sentence=sentence, outcome=outcome, code=code, facts=facts)
        if outcome == "failed":
            suite.shrinks = False  # the facts say it better than the shortest of random calls
            hung += code == "hung"
            if name in vars(FactorySuite):
                unrun = ("skip.factory", {})
            elif hung == _HUNG:
                unrun = ("skip.hung", {"number": hung})


def _not_run(cause: Cause) -> tuple[Outcome, Cause]:
    return "skipped", cause


def _run(suite: type[StoreConformance], name: str) -> tuple[Outcome, Cause]:
    one = suite()
    try:
        try:
            getattr(one, name)()
        except Unmet as unmet:
            if unmet.code == "hung":
                one.abandon()
            raise
        finally:
            one.teardown_method()
    except Missing as missing:
        return "skipped", (missing.code, missing.facts)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a store may raise anything
        return "failed", _cause(error)
    return "passed", ("", {})


def _cause(error: BaseException) -> Cause:
    try:
        return within(_ASKING, lambda: why(error))[0]
    except KeyboardInterrupt:
        raise
    except BaseException:  # asked again, a store may raise anything, or not come back
        return "reason.foreign", {"line": "", "kind": type(error).__name__, "given": str(error)}
