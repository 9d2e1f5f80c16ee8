"""The floors of the benchmark store the very rows that reportflow stores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks import bulk
from benchmarks.measure import Found
from benchmarks.setting import Setting

Measured = Callable[[bulk.Places], Callable[[Setting], Found]]


@pytest.mark.parametrize("measured", [bulk.create_many, bulk.fire_many])
def test_what_is_written_by_hand_is_what_reportflow_stores(measured: Measured, tmp_path: Path) -> None:
    """The comparison at the end of a bulk on SQLite finds no difference, but for what is hashed."""
    found = measured(bulk.on_sqlite)(Setting(tmp_path, rounds=1, bulk=3, imported=1, read=1))
    assert len(found.ours) == len(found.floor) == 1
