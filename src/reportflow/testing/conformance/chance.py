"""The random part: any calls in any order, made up by Hypothesis, against a naive model."""

from __future__ import annotations

from typing import Any, ClassVar, Final, NamedTuple

from reportflow.errors import MissingExtra
from reportflow.testing.conformance.suite import Missing, Suite, within


class Profile(NamedTuple):
    """How hard Hypothesis tries: how many runs, how many calls in each, and for how long at the most in seconds."""

    runs: int
    calls: int
    retry_timeout: float


PROFILES: Final[dict[str, Profile]] = {
    "brief": Profile(runs=5, calls=15, retry_timeout=600.0),
    "default": Profile(runs=20, calls=20, retry_timeout=600.0),
    "thorough": Profile(runs=3_000, calls=50, retry_timeout=12 * 3600.0),
}


class ChanceSuite(Suite):
    """After all others: what nobody thought of.

    Attributes:
        profile: "default", "brief" for a look in between, or "thorough" for the night.
        seed: Makes Hypothesis ask the same again; None for something else each time.
        shrinks: Whether the shortest calls that fail are looked for.
    """

    profile: ClassVar[str] = "default"
    seed: ClassVar[int | None] = None
    shrinks: ClassVar[bool] = True

    def test_any_calls_in_any_order(self) -> None:
        """Whatever is called in whatever order, a store answers as a naive model of the contract does."""
        try:
            from reportflow.testing.machine import store_machine
        except MissingExtra as error:
            raise Missing("skip.extra", package=error.package) from None
        from hypothesis import HealthCheck, Phase, seed, settings
        from hypothesis.stateful import run_state_machine_as_test

        chosen = PROFILES[self.profile]
        machine: Any = store_machine(self.fresh_store, self.reopened_store)
        if self.seed is not None:
            machine = seed(self.seed)(machine)
        how = settings(
            max_examples=chosen.runs,
            stateful_step_count=chosen.calls,
            database=None,
            deadline=None,
            derandomize=False,
            print_blob=False,
            report_multiple_bugs=False,
            phases=[Phase.generate, *([Phase.shrink] if self.shrinks else [])],
            suppress_health_check=list(HealthCheck),  # a slow store is not a wrong one
        )
        within(chosen.retry_timeout, lambda: run_state_machine_as_test(machine, settings=how))
