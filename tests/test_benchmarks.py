"""The floors of the benchmark store the very rows that reportflow stores, and no act of several writers is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks import bulk, crowds, sharing
from benchmarks.measure import Found
from benchmarks.setting import Setting

Measured = Callable[[bulk.Places], Callable[[Setting], Found]]


@pytest.mark.parametrize("measured", [bulk.create_many, bulk.fire_many])
def test_what_is_written_by_hand_is_what_reportflow_stores(measured: Measured, tmp_path: Path) -> None:
    """The comparison at the end of a bulk on SQLite finds no difference, but for what is hashed."""
    found = measured(bulk.on_sqlite)(Setting(tmp_path, rounds=1, bulk=3, imported=1, read=1))
    assert len(found.ours) == len(found.floor) == 1


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    """A setting for a moment of eight records."""
    monkeypatch.setattr(sharing, "RECORDS", 8)
    monkeypatch.setattr(crowds, "SPELL", 0.05)
    return Setting(tmp_path, rounds=1, bulk=1, imported=1, read=1)


@pytest.mark.parametrize("make", [crowds.thread_crowd, crowds.task_crowd, crowds.process_crowd])
def test_each_act_that_a_crowd_had_an_answer_for_is_stored(make: crowds.MakeCrowd, few: Setting) -> None:
    """Ours and by hand: the comparison at the end finds each writer's acts."""
    with sharing.crowds(few, make, 4, "FULL") as both:
        for crowd in both:
            crowd.each()
    assert all(sum(crowd.acts) > 0 for crowd in both)


def test_an_answer_without_an_act_is_noticed(few: Setting) -> None:
    """The comparison at the end names the writer."""

    def one_too_many() -> None:
        with sharing.crowds(few, crowds.thread_crowd, 4, "FULL") as (ours, _):
            ours.acts[1] += 1

    with pytest.raises(RuntimeError, match="the writer of report-1 had 1 answers, and 0 acts"):
        one_too_many()
