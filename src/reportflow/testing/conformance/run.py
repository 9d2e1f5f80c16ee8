"""`conform`: a factory of stores to a report, by a process of its own that runs the suite."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Generator
from contextlib import AbstractContextManager
from typing import IO, Any

from reportflow.errors import InvalidValue
from reportflow.testing.broken import SuiteRefused
from reportflow.testing.conformance.chance import PROFILES
from reportflow.testing.conformance.report import ConformanceFinding, ConformanceReport
from reportflow.testing.conformance.session import resolve
from reportflow.testing.conformance.whole import StoreTests, every_test

_CHILD = "from reportflow.testing.conformance.session import main; main()"


def conform(
    factory: Callable[[], Any] | str,
    *,
    reopen: Callable[[Any], Any] | str | None = None,
    rolled_back: Callable[[Any], AbstractContextManager[object]] | str | None = None,
    profile: str = "default",
    seed: int | None = None,
    only: Collection[str] | None = None,
    progress: Callable[[ConformanceFinding], object] = lambda finding: None,
) -> ConformanceReport:
    """Hold the stores of a factory against the whole contract. Whatever a store does, the answer is a report.

    The tests run in a process of their own, which imports the functions: each is at the top of a module or in a class
    there, or is named as ``"package.module:name"``.

    Args:
        factory: Takes nothing and returns a fresh, empty store at each call, synchronous or asynchronous.
        reopen: Takes a store and returns one more on the same data; for stores that are durable or shared.
        rolled_back: Takes a store and returns a transaction of the host around it, which is rolled back at its end;
            for stores that write inside one.
        profile: "default", "brief" for a quick look, or "thorough" for the night.
        seed: Makes the random part repeat its calls.
        only: The names of the tests to run, and no others; all unless given.
        progress: Takes each finding as soon as its test has ended.

    Raises:
        InvalidValue: there is no such profile.
        SuiteRefused: a function cannot be imported, or Python runs without assert statements.
    """
    if profile not in PROFILES:
        raise InvalidValue("profile", "choice", {"given": repr(profile), "choices": list(PROFILES)})
    given = {"factory": factory, "reopen": reopen, "rolled_back": rolled_back}
    chosen = [test for test in every_test() if only is None or test in only]
    asked = {
        "named": {name: importable(one) for name, one in given.items() if one is not None},
        "plain": {"profile": profile, "seed": seed},
        "only": chosen,
    }
    found = []
    with contextlib.closing(_findings(json.dumps(asked), chosen)) as findings:
        for finding in findings:
            found.append(finding)
            progress(finding)
    return ConformanceReport(tuple(found))


def importable(given: Any) -> str:
    """The name by which another process imports a function: 'package.module:name'.

    Raises:
        SuiteRefused: it cannot.
    """
    name = given if isinstance(given, str) else _name(given)
    try:
        found = resolve(name)
    except Exception as error:  # whatever a module does when it is imported
        raise SuiteRefused("refused.not_importable", name=name) from error
    if name.startswith("__main__:") or not (isinstance(given, str) or found is given):
        raise SuiteRefused("refused.not_importable", name=name)
    return name


def _name(given: Any) -> str:
    """The name that a function or class says of itself; anything else as it is shown."""
    module, name = getattr(given, "__module__", None), getattr(given, "__qualname__", None)
    return f"{module}:{name}" if module and name else repr(given)


def _findings(asked: str, chosen: list[str]) -> Generator[ConformanceFinding, None, None]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    environment["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
    command = [sys.executable, "-c", _CHILD, asked]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, encoding="utf-8"
        ) as child,
    ):
        assert child.stdout is not None
        left = list(chosen)
        try:
            for line in child.stdout:
                finding = ConformanceFinding(**json.loads(line))
                left.remove(finding.test)
                yield finding
        except BaseException:  # the caller stops here
            child.kill()
            raise
        code = child.wait()
        for number, test in enumerate(left):
            facts = {"code": code, "given": _tail(log)}
            died: Any = {"outcome": "skipped", "code": "skip.died"}
            if not number:
                died = {"outcome": "failed", "code": "reason.died", "facts": facts}
            sentence = " ".join(str(getattr(StoreTests, test).__doc__).split())
            yield ConformanceFinding(test=test, sentence=sentence, **died)


def _tail(log: IO[str]) -> str:
    log.seek(0)
    lines = log.read().splitlines()
    return "\n".join(lines[-10:]) or "-"
