"""What a machine reaches of a user's own lifecycle, and what the summary of a test run says of it."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from reportflow import Command, Guard, Lifecycle, MemoryStore, Record
from reportflow.analysis.samples import START
from reportflow.analysis.ways import pairs_of
from reportflow.cli import commands
from reportflow.testing import LifecycleMachine
from reportflow.testing import lifecycle_calls as calls
from reportflow.testing.broken import BrokenPromise
from reportflow.testing.coverage import Coverage, CoveredPart
from tests.testing.test_reach import THREE, Panel, panel


def _never(record: Panel, command: Command) -> bool:
    return False


def part(coverage: Coverage, kind: str) -> CoveredPart:
    """One part of what was covered."""
    return next(one for one in coverage.parts if one.kind == kind)


def test_a_row_that_wants_several_acts_is_fired() -> None:
    """Rules that no record at hand fits lead one there: so no row is said to fit no command that one fits."""
    machine = LifecycleMachine.of(THREE)
    short = settings(
        max_examples=12, stateful_step_count=12, deadline=None, database=None, derandomize=True, phases=[Phase.generate]
    )
    acts_only: type[LifecycleMachine] = type("ActsOnly", (machine,), {"looks_around": None, "offers": None})
    run_state_machine_as_test(acts_only, settings=short)
    assert machine.fired["panel.decide"]
    assert not machine.unfit["panel.decide"]


def test_what_a_search_found_goes_through_later_too() -> None:
    """A way that a search found is gone with the ids and at the time of a run that has begun, on other records."""
    run = LifecycleMachine.of(THREE)()
    run.now = START + timedelta(days=5)
    row = next(row for row in THREE.transitions if row.trigger == "decide")
    for number in (1, 2):
        way = calls.known_way(run, row)
        assert way[0].now == run.now
        for act in way:
            run.model.call(act.requests, act.now)
            run.now = act.now
        assert [record.state for record in run.records.values()].count("decided") == number


def test_a_tour_covers_all_that_can_be() -> None:
    """After a tour each row, guard outcome, refusal and pair of rows was met, but the pairs that cannot be."""
    machine = LifecycleMachine.of(THREE)
    before = machine.coverage()
    assert part(before, "rows").percent == 0
    assert "panel.decide" in part(before, "rows").missing
    machine.tour()
    coverage = machine.coverage()
    assert {one.kind: one.percent for one in coverage.parts} == dict.fromkeys(
        ("rows", "guards", "refusals", "pairs"), 100
    )
    pairs = part(coverage, "pairs")
    assert pairs.total + pairs.never == len(pairs_of(THREE))
    met = {(one.trigger, other.trigger) for one, other in machine.covered.pairs}
    assert ("join", "decide") in met
    assert ("create", "decide") not in met, "three members are wanted"
    assert Coverage.of_plain(coverage.plain()) == coverage


def test_what_nobody_passes_is_not_covered() -> None:
    """A row that nobody passes is missing among the rows, and that its guard passes among the guards."""
    machine = LifecycleMachine.of(panel(Guard(code="never", test=_never)))
    machine.tour()
    coverage = machine.coverage()
    assert part(coverage, "rows").missing == ("panel.decide",)
    assert part(coverage, "guards").missing == ("panel.decide: never passes",)
    assert part(coverage, "guards").percent == 50
    lines = coverage.lines()
    assert lines[1] == "  rows: 88 % (8 of 9); not covered: panel.decide"
    assert lines[1] != coverage.lines("zh")[1]


def test_per_cent_is_rounded_down() -> None:
    """100 per cent is all; of nothing all is covered. Many names are cut short, and their number is said."""
    assert CoveredPart(kind="rows", done=999, total=1000).percent == 99
    assert CoveredPart(kind="rows", done=0, total=0).percent == 100
    many = CoveredPart(kind="pairs", done=0, total=10, missing=tuple("abcdefghij"), never=3)
    assert many.text() == (
        "pairs of rows: 0 % (0 of 10); not covered: a, b, c, d, e, f, g, h and 2 more; "
        "no way was found to 3 more of the tables"
    )


class Forgetful(MemoryStore):
    """Finds nothing that is decided."""

    def find(self, query: Any) -> Any:
        """Less than there is."""
        found = super().find(query)
        return type(found)(tuple(one for one in found.records if one.state != "decided"), found.next)


def test_a_tour_finds_what_is_wrong() -> None:
    """A store that is wrong about what only a long way leads to fails on the tour, with the lines that repeat it."""
    machine = LifecycleMachine.of(THREE, store=Forgetful)
    with pytest.raises(BrokenPromise) as found:
        machine.tour()
    assert found.value.code == "stored"
    assert "these lines repeat it" in "\n".join(found.value.__notes__)


OWN = """
from hypothesis import Phase, settings

from reportflow.testing import LifecycleMachine
from tests.testing.test_reach import HARD

TestPanel = LifecycleMachine.of(HARD["three members"]).TestCase
TestPanel.settings = settings(max_examples=1, stateful_step_count=1, database=None, phases=[Phase.generate])


def test_of_their_own(request):
    assert request.node.name == "test_of_their_own"
"""


@pytest.mark.parametrize("more", [(), ("-p", "reportflow.testing.plugin", "-n", "1")])
def test_the_summary_of_a_run_says_what_was_covered(tmp_path: Path, more: tuple[str, ...]) -> None:
    """Pytest's summary has the lines for the `TestCase` of a user's machine; under xdist too, where the plugin is."""
    (tmp_path / "test_own.py").write_text(OWN, "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), *more]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    assert "What was covered of the lifecycle 'panel':" in done.stdout
    assert "rows: 100 % (9 of 9)" in done.stdout
    assert "outcomes of guards: 100 % (2 of 2)" in done.stdout
    assert "refusals: 100 % " in done.stdout
    assert "pairs of rows: 100 % " in done.stdout


def test_the_command_prints_what_a_tour_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    """`reportflow cover` makes the tour of a lifecycle, and prints what it covered and the time that it took."""
    done = CliRunner().invoke(
        commands.reportflow, ["cover", "tests.testing.test_reach:THREE"], env={"LANG": "en_US.UTF-8", "COLUMNS": "200"}
    )
    assert done.exit_code == 0, done.output
    assert "rows: 100 % (9 of 9)" in done.output
    assert "CPU time: " in done.output


def test_lifecycles_that_share_a_class_are_toured() -> None:
    """Where two lifecycles have one record class, what is created says of which of them it is."""
    other = Lifecycle(
        name="second",
        version=1,
        record=Panel,
        roles=THREE.roles,
        states=[state for state in THREE.states if state.name != "decided"],
        transitions=[row for row in THREE.transitions if row.trigger != "decide"],
    )
    machine = LifecycleMachine.of(THREE, other)
    machine.tour()
    assert part(machine.coverage(), "rows").percent == 100
    assert {record for record, _, _ in machine.covered.refusals} == {"panel", "second"}


def test_of_what_no_search_ends_what_was_met_counts() -> None:
    """A rule that fails stops the search; the summary then counts what the runs met."""

    def fails(record: Record, command: Command) -> bool:
        raise OSError("no such file")

    machine = LifecycleMachine.of(panel(Guard(code="fails", test=fails)))
    machine.tour()
    assert part(machine.coverage(), "pairs") == CoveredPart(
        kind="pairs", done=0, total=0, never=len(pairs_of(machine.lifecycles[0]))
    )
