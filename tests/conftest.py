"""What all tests share: the profiles of Hypothesis, and the folder of the real data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

DATA = "REPORTFLOW_DATA"

settings.register_profile(
    "default",
    settings.get_profile("default"),  # named, because Hypothesis starts from another one where CI is set
    deadline=None,
    derandomize=False,
    max_examples=25,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # the machine may be busy
)
# The gate runs the same examples each time; random ones are for development, and what they find becomes a test.
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
# The installed package is tested after the tree, by what is the same code: some of the same examples are enough.
settings.register_profile("wheel", settings.get_profile("ci"), max_examples=20)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=1000)
# Thousands of mutants: the same few examples for each, and the first failure is enough.
settings.register_profile(
    "mutants", settings.get_profile("ci"), max_examples=10, database=None, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(os.environ.get("REPORTFLOW_PROFILE", "default"))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of the real data: `REPORTFLOW_DATA`, or ../shared/data beside the checkout; else a skip."""
    named = os.environ.get(DATA)
    if named:
        if not Path(named).is_dir():
            pytest.fail(f"{DATA} names no folder: {named}")
        return Path(named)
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not beside.is_dir():
        pytest.skip("skipped: no data")
    return beside
