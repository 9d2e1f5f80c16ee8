"""The random part: any calls in any order, made up by Hypothesis, against a naive model."""

from __future__ import annotations

import contextlib
import math
import sys
import time
from typing import Any, Final, NamedTuple
from unittest import SkipTest

from reportflow.errors import MissingExtra
from reportflow.testing.conformance.races import within
from reportflow.testing.conformance.suite import Skipped, StoreFixtures, Stores


class Profile(NamedTuple):
    """How hard Hypothesis tries.

    Attributes:
        runs: How many runs.
        calls: How many calls in each.
        shrinking: How long the shortest calls that fail are looked for, in seconds.
        timeout: How long all of it may take, in seconds.
    """

    runs: int
    calls: int
    shrinking: float = 5.0
    timeout: float = 600.0


PROFILES: Final[dict[str, Profile]] = {
    "brief": Profile(runs=5, calls=15),
    "default": Profile(runs=20, calls=20),
    "thorough": Profile(runs=3_000, calls=50, shrinking=600.0, timeout=12 * 3600.0),
}


class TimeIsUp(BaseException):
    """Ends a run of Hypothesis, which takes no `Exception` for an end."""


class ChanceTests(StoreFixtures):
    """After all others: what no test was written for."""

    def test_any_calls_in_any_order(self, stores: Stores) -> None:
        """Whatever is called in whatever order, a store answers as a naive model of the contract does."""
        try:
            from reportflow.testing.machine import store_machine
        except MissingExtra as error:
            raise Skipped("skip.extra", package=error.package) from None
        profile = PROFILES[self.profile]
        machine = store_machine(stores.factory.make, stores.factory.reopen)
        within(profile.timeout, lambda: _run(machine, profile, self.seed))


def _run(machine: type[Any], profile: Profile, chosen: int | None) -> None:
    """Run a machine. Its shortest failure is looked for as long as the profile says, and not as Hypothesis would."""
    from hypothesis import Phase, seed, settings
    from hypothesis.database import InMemoryExampleDatabase
    from hypothesis.stateful import run_state_machine_as_test

    from reportflow.testing.strategies.values import HEALTH_CHECKS

    errors: list[Exception] = []
    seconds, end = profile.shrinking or math.inf, math.inf

    class Limited(machine):  # type: ignore[misc]  # its base is made by a call
        def teardown(self) -> None:
            nonlocal end
            error = sys.exc_info()[1]
            super().teardown()
            if time.monotonic() > end:  # only here: a run that draws less than before would count as flaky
                raise TimeIsUp
            if isinstance(error, Exception) and not type(error).__module__.startswith("hypothesis."):
                errors.append(error)
                end = min(end, time.monotonic() + seconds)

    if chosen is not None:
        seed(chosen)(Limited)
    how = settings(
        max_examples=profile.runs,
        stateful_step_count=profile.calls,
        database=InMemoryExampleDatabase(),
        deadline=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        phases=[Phase.generate, *([Phase.shrink] if profile.shrinking else [])],
        suppress_health_check=HEALTH_CHECKS,
    )
    try:
        run_state_machine_as_test(Limited, settings=how)
    except TimeIsUp:
        seconds = end = math.inf
        # the shortest calls so far are in the database; a store that does not fail again fails all the same
        with contextlib.suppress(SkipTest):  # none is there where it was interrupted at the first failure
            run_state_machine_as_test(Limited, settings=settings(how, phases=[Phase.reuse]))
        raise errors[0] from None
