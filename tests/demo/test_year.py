"""The year of the demonstration: its figures come out for every seed, and no interruption loses or doubles anything."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportflow import Actor, DuplicateKey, Entry, Interval, Query, Record, ReportFlow, open_flow, replay
from reportflow.demo import people, plan, vocabulary, year
from reportflow.office import REPORT, Report
from reportflow.office.figures import LIVELIHOOD, Figures, figures

OPERATOR = Actor(id="operator", roles=REPORT.roles, unit=vocabulary.UNIT)
PUBLISHED = {"collected": 446, "issued": 87, "submitted": 78, "adopted": 5, "instructed": 3, "livelihood": 281}
"""What the office of a city published of its year 2022."""

SEEDS = st.integers(-(2**31), 2**31)


def counted(flow: ReportFlow) -> Figures:
    """The figures of the year, by the office's own body."""
    interval = Interval.year(plan.YEAR, plan.ZONE)
    return figures(flow, by=OPERATOR, interval=interval, body=vocabulary.BODY)


def six(flow: ReportFlow) -> dict[str, int]:
    """The six published figures."""
    return {name: getattr(counted(flow), name) for name in PUBLISHED}


def run(flow: ReportFlow, acts: list[year.DemoAct]) -> int:
    """Play acts; how many there were."""
    return sum(1 for _ in year.play(flow, acts))


def entries(flow: ReportFlow) -> list[Entry]:
    """All entries of the store, in the order of their commits."""
    found: list[Entry] = []
    position = None
    while page := flow.store.feed(position, 1000):
        found += [posted.entry for posted in page]
        position = page[-1].position
    return found


def records(flow: ReportFlow) -> list[Record]:
    """All records of the store."""
    return list(flow.find(Query(kind="report", limit=1000), by=OPERATOR))


def all_replay(flow: ReportFlow) -> bool:
    """Whether every record is the fold of its hireport."""
    return all(replay(flow.store.history([record.id]), REPORT) == record for record in records(flow))


def outline(flow: ReportFlow) -> dict[str, tuple[object, ...]]:
    """The result of a year, apart from ids and the time of its entry."""
    return {
        record.number: (record.title, record.state, record.version, record.created_at, len(record.credits))
        for record in records(flow)
        if isinstance(record, Report)
    }


@settings(max_examples=10)
@given(SEEDS)
def test_every_plan_has_the_same_number_of_each_end(seed: int) -> None:
    """For every seed, a plan has exactly so many reports of each end, and 281 on topics of livelihood."""
    reports = plan.plan_year(seed)

    assert Counter(report.end for report in reports) == plan.ENDS
    assert sum(report.topic in LIVELIHOOD for report in reports) == PUBLISHED["livelihood"]
    assert sum(report.text is not None and report.text.has("instruct") for report in reports) == PUBLISHED["instructed"]
    assert sum(report.text is not None and report.text.has("above") for report in reports) == PUBLISHED["adopted"]
    assert sum(report.end in plan.ISSUED for report in reports) == PUBLISHED["issued"]
    assert sum(report.end in plan.SUBMITTED for report in reports) == PUBLISHED["submitted"]


@settings(max_examples=10)
@given(SEEDS)
def test_acts_lie_on_working_days_and_run_forward(seed: int) -> None:
    """Each act lies on a working day in office hours, all but two uptakes in 2022, and a report's follow in order."""
    acts = year.acts(seed)

    assert {act.at.date() for act in acts} <= set(plan.DAYS)
    late = [act for act in acts if act.at.year != plan.YEAR]
    assert [act.trigger for act in late] == ["absorb"] * plan.LATE
    assert all(8 <= act.at.hour < 18 and act.at.utcoffset() == plan.ZONE.utcoffset(None) for act in acts)
    for number in range(1, plan.TOTAL + 1):
        times = [act.at for act in acts if act.number == number]
        assert times == sorted(set(times))


@settings(max_examples=10)
@given(SEEDS)
def test_no_two_titles_are_equal(seed: int) -> None:
    """446 reports have 446 titles."""
    titles = {act.details.title for act in year.acts(seed) if act.trigger == "create"}

    assert len(titles) == PUBLISHED["collected"]


@settings(max_examples=10)
@given(SEEDS, SEEDS)
def test_creations_have_one_key_and_one_actor_for_all_seeds(one: int, other: int) -> None:
    """Who hands in which number, and under which key, does not depend on the seed; no key is used twice."""
    mine, theirs = year.acts(one), year.acts(other)

    assert len({(act.by.id, act.key) for act in mine}) == len(mine)
    created = [[(a.number, a.by.id, a.key) for a in acts if a.trigger == "create"] for acts in (mine, theirs)]
    assert created[0] == created[1] == sorted(created[0])
    assert (mine[0].trigger, mine[0].key) == (theirs[0].trigger, theirs[0].key) == ("create", created[0][0][2])


@settings(max_examples=2)
@given(SEEDS)
def test_figures_are_those_published_in_memory(seed: int) -> None:
    """Played in memory, every seed's year is counted to the six published figures, and every record is its replay."""
    with open_flow("memory:") as flow:
        run(flow, year.acts(seed))

        assert six(flow) == PUBLISHED
        assert all_replay(flow)


@pytest.mark.parametrize("seed", [1, plan.SEED])
def test_figures_are_those_published_in_a_file(tmp_path: Path, seed: int) -> None:
    """Played on SQLite, the year is counted to the same figures as in memory, with the same records."""
    acts = year.acts(seed)
    with open_flow(f"sqlite:///{tmp_path / 'office.db'}") as flow, open_flow("memory:") as model:
        run(flow, acts)
        run(model, acts)

        assert six(flow) == PUBLISHED
        assert counted(flow) == counted(model)
        assert outline(flow) == outline(model)
        assert all_replay(flow)


def test_sources_are_as_planned() -> None:
    """The store counts the creations by where they came from, as planned."""
    with open_flow("memory:") as flow:
        run(flow, year.acts(3))

        assert counted(flow).sources == {source.value: row[0] for source, row in people.SOURCES.items()}
        assert sum(counted(flow).sources.values()) == PUBLISHED["collected"]


def test_a_report_with_two_instructions_counts_once() -> None:
    """One of the three instructed reports has two instructions: 3 件, 4 件次."""
    with open_flow("memory:") as flow:
        run(flow, year.acts(5))

        instructions = [entry for entry in entries(flow) if entry.trigger == "instruct"]
        assert len(instructions) == 4
        assert len({entry.record_id for entry in instructions}) == counted(flow).instructed == 3


def test_issues_are_numbered_in_the_order_of_time() -> None:
    """The serial's issues are 1 to 85, each later than the one before, and two are supplements (增刊)."""
    issues = [act for act in year.acts(11) if act.trigger == "adopt" and act.details.body == vocabulary.BODY]

    numbers = [act.details.issue for act in issues if "增刊" not in act.details.issue]
    assert numbers == [f"2022年第{number}期" for number in range(1, 86)]
    assert sorted({act.details.issue for act in issues} - set(numbers)) == ["2022年增刊第1期", "2022年增刊第2期"]
    assert all(act.details.carrier == "《协商建言》" and act.details.level == "city" for act in issues)


@settings(max_examples=3)
@given(SEEDS, st.data())
def test_an_interrupted_year_continues_where_it_ended(seed: int, data: st.DataObject) -> None:
    """Interrupted after any acts, and again, and started once more, the year has the same result as undisturbed."""
    acts = year.acts(seed)
    stops = data.draw(st.lists(st.integers(0, len(acts)), min_size=1, max_size=3))
    with open_flow("memory:") as flow, open_flow("memory:") as undisturbed:
        for stop in stops:
            run(flow, acts[:stop])
            assert all_replay(flow)
        run(flow, acts)
        run(undisturbed, acts)

        assert six(flow) == PUBLISHED
        assert outline(flow) == outline(undisturbed)
        assert len(entries(flow)) == len(entries(undisturbed))
        assert all_replay(flow)


def test_a_second_run_writes_nothing() -> None:
    """On a finished store the year writes no entry at all."""
    acts = year.acts(plan.SEED)
    with open_flow("memory:") as flow:
        run(flow, acts)
        before = entries(flow)

        assert run(flow, acts) == len(acts)
        assert entries(flow) == before


@pytest.mark.parametrize("done", [1, 2, 500])
def test_another_seed_is_refused_at_its_first_act(done: int) -> None:
    """Where a year of one seed was begun, another seed's first act meets a taken key, and nothing is written."""
    with open_flow("memory:") as flow:
        run(flow, year.acts(1)[:done])
        before = entries(flow)

        with pytest.raises(DuplicateKey):
            next(year.play(flow, year.acts(2)))
        assert entries(flow) == before


def kept(file: Path) -> int:
    """How many entries a database file holds that another process writes."""
    try:
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return 0
    try:
        return int(connection.execute("SELECT count(*) FROM reportflow_entry").fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # no tables yet, or another one has locked them
    finally:
        connection.close()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_demo_leaves_only_replays_and_goes_on(tmp_path: Path) -> None:
    """Killed with SIGKILL again and again, the demo leaves only replays of histories; run once more, it ends right."""
    file = tmp_path / "office.db"
    url = f"sqlite:///{file}"
    command = [sys.executable, "-m", "reportflow.cli", "demo", "--database", url]
    environment = {**os.environ, "REPORTFLOW_LANGUAGE": "en"}
    for more in (1, 137, 611, 402):
        goal = kept(file) + more
        child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        with child:
            while kept(file) < goal:
                assert child.poll() is None, child.stderr and child.stderr.read()
                time.sleep(0.002)
            child.kill()
        assert child.returncode == -signal.SIGKILL
        with open_flow(url, create=False) as flow:
            assert goal <= len(entries(flow)) < len(year.acts(plan.SEED))
            assert all_replay(flow)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    with open_flow(url, create=False) as flow, open_flow("memory:") as undisturbed:
        run(undisturbed, year.acts(plan.SEED))
        assert six(flow) == PUBLISHED
        assert outline(flow) == outline(undisturbed)
        assert len(entries(flow)) == len(entries(undisturbed))
        assert all_replay(flow)
