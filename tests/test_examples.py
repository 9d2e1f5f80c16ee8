"""The examples on the real data, where it is available: their output is counted again from the files."""

from __future__ import annotations

import contextlib
import csv
import gzip
import importlib.util
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from reportflow import Actor, Entry, Query, ReportFlow, open_flow, replay
from tests.tampering import played

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def load(name: str) -> ModuleType:
    """An example as a module; by its path, because `examples` is no package."""
    plain = name.replace("/", "_")
    spec = importlib.util.spec_from_file_location(f"reportflow_example_{plain}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # annotations are looked up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def petitions() -> ModuleType:
    """examples/petitions.py."""
    return load("petitions")


@pytest.fixture(scope="module")
def permits() -> ModuleType:
    """examples/permits.py."""
    return load("permits")


def printed(text: str) -> dict[str, list[str]]:
    """The lines of a table: the words of the label -> the numbers after them."""
    lines = {}
    for line in filter(str.strip, text.splitlines()):
        label, *numbers = (part.strip() for part in line.split("  ") if part.strip())
        lines[label] = [number.strip() for number in numbers]
    return lines


def replayed(flow: ReportFlow, reader: Actor, kind: str) -> int:
    """How many records there are; each of them equals its replay, or this fails."""
    ids: list[str] = []
    cursor: str | None = None
    while True:
        page = flow.find(Query(kind=kind, limit=1000, cursor=cursor), by=reader)
        histories: dict[str, list[Entry]] = {}
        for entry in flow.store.history([record.id for record in page]):
            histories.setdefault(entry.record_id, []).append(entry)
        lifecycle = flow.lifecycles[0]
        assert [replay(histories[record.id], lifecycle) for record in page] == list(page)
        ids.extend(record.id for record in page)
        cursor = page.next
        if cursor is None:
            assert len(set(ids)) == len(ids)
            return len(ids)


def database(kind: str, folder: Path) -> str:
    """A URL of a store of a kind."""
    return "memory:" if kind == "memory" else f"sqlite:///{folder / 'example.db'}"


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_petitions_print_the_figures_of_the_file(
    kind: str, data_dir: Path, tmp_path: Path, petitions: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """All 4,134 petitions go through `REPORT`, and the counts of the store are those of the file."""
    with gzip.open(data_dir / petitions.FILE, "rt", encoding="utf-8") as lines:
        every = [json.loads(line) for line in lines]
    codes = Counter(one["rejection_code"] for one in every if one["rejected_at"])
    expected = {
        "created": len(every),
        "rejected": codes.total(),
        "answered": sum(1 for one in every if one["government_response"]),
        "debated": sum(1 for one in every if one["debate"]),
        **{f"rejected: {code}": number for code, number in codes.items()},
        **{
            f"created in {year}": sum(1 for one in every if one["created_at"].startswith(year))
            for year in ("2020", "2021", "2022")
        },
    }
    assert [expected[name] for name in ("created", "rejected", "answered", "debated")] == [4134, 2864, 106, 18]

    url = database(kind, tmp_path)
    assert petitions.main([str(data_dir), "--database", url]) == 0
    figures = printed(capsys.readouterr().out)
    assert {name: figures[name] for name in expected} == {
        name: [f"{number:,}", f"{number:,}"] for name, number in expected.items()
    }
    if kind == "sqlite":
        with open_flow(url, create=False) as flow:
            assert replayed(flow, petitions.AUDITOR, "report") == len(every)


def test_petitions_equal_their_replay(data_dir: Path, petitions: ModuleType) -> None:
    """Each petition in memory is the replay of its history, and entering all of them again changes nothing."""
    every = petitions.read_petitions(data_dir)
    with open_flow("memory:") as flow:
        assert petitions.enter(flow, every) == 0
        assert replayed(flow, petitions.AUDITOR, "report") == len(every)
        assert petitions.enter(flow, every[:50]) == 50
        assert flow.count(Query(), by=petitions.AUDITOR)[()] == len(every)


def test_petitions_notice_a_difference(
    data_dir: Path, tmp_path: Path, petitions: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """A store with other petitions than the file results in exit code 1 and a message."""
    url = database("sqlite", tmp_path)
    every = petitions.read_petitions(data_dir)
    folder = tmp_path / "fewer"
    folder.mkdir()
    for number in (3, 2):
        with gzip.open(folder / petitions.FILE, "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(one) + "\n" for one in every[:number])
        code = petitions.main([str(folder), "--database", url])
        assert code == (0 if number == 3 else 1)
    output = capsys.readouterr()
    assert "2 petitions were there already." in output.out
    assert output.err == "The figures of the store differ from those of the file.\n"


def test_petitions_have_the_times_of_the_file(data_dir: Path, petitions: ModuleType) -> None:
    """The history of a petition that was debated has the file's times and departments."""
    every = petitions.read_petitions(data_dir)
    one = next(one for one in every if one["debate"] and len(one["departments"]) == 1)
    with open_flow("memory:") as flow:
        petitions.enter(flow, [one])
        (record,) = flow.find(Query(kind="report"), by=petitions.AUDITOR)
        history = flow.history(record.id, by=petitions.AUDITOR)
    times = {trigger: one[field] for trigger, field in petitions.FIGURES.values() if one[field]}
    assert {e.trigger: e.at for e in history} == {t: petitions.datetime.fromisoformat(at) for t, at in times.items()}
    assert [e.at for e in history] == sorted(e.at for e in history)
    assert [e.mark("party") for e in history if e.trigger == "forward"] == one["departments"]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_permits_have_the_histories_of_the_file(
    kind: str, data_dir: Path, tmp_path: Path, permits: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """All 1,434 cases are replayed, their histories are the file's, and an order never seen is refused."""
    with gzip.open(data_dir / permits.FILE, "rt", encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    cases = len({line["case:concept:name"] for line in lines})
    assert (cases, len(lines)) == (1434, 8577)

    url = database(kind, tmp_path)
    assert permits.main([str(data_dir), "--database", url]) == 0
    text = capsys.readouterr().out
    assert printed("\n".join(text.splitlines()[:5])) == {
        "cases": [f"{cases:,}"],
        "events": [f"{len(lines):,}"],
        "activities": [str(len({line["concept:name"] for line in lines}))],
        "resources": [str(len({line["org:resource"] for line in lines}))],
        "histories equal": [f"{cases:,} of {cases:,}"],
    }
    assert "an order never seen: 'T02 Check confirmation of receipt' on record case-10011" in text

    if kind == "sqlite":
        table = permits.make_lifecycle(permits.read_cases(data_dir))
        with open_flow(url, create=False, lifecycles=table) as flow:
            assert replayed(flow, permits.READER, "permit") == cases
            stored = [
                (entry.record_id, entry.trigger, entry.actor.id, entry.at)
                for item in flow.store.feed(limit=10_000)
                for entry in [item.entry]
            ]
        assert sorted(stored) == sorted(
            (
                line["case:concept:name"],
                line["concept:name"],
                line["org:resource"],
                permits.datetime.fromisoformat(line["time:timestamp"]),
            )
            for line in lines
        )


def test_permits_equal_their_replay(data_dir: Path, permits: ModuleType) -> None:
    """Each case in memory is the replay of its history, and a changed event is found."""
    cases = permits.read_cases(data_dir)
    with open_flow("memory:", lifecycles=permits.make_lifecycle(cases)) as flow:
        assert permits.enter(flow, cases) == 0
        assert replayed(flow, permits.READER, "permit") == len(cases)
        name, events = next(iter(cases.items()))
        other = permits.attrs.evolve(events[-1], resource="another resource")
        assert permits.find_differing(flow, {**cases, name: [*events[:-1], other]}) == [name]


@pytest.mark.parametrize("name", ["petitions", "permits", "imports/questions", "imports/information_requests"])
def test_a_missing_file_is_reported(name: str, tmp_path: Path) -> None:
    """An example run by its path on a missing file prints one line with its name, and exits with code 2."""
    missing = tmp_path / "nothing.gz"
    run = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), str(missing)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 1
    assert str(missing) in run.stderr


# -- a stranger computes the digests again ------------------------------------------------------------------------


def recomputed(folder: Path) -> subprocess.CompletedProcess[str]:
    """examples/recompute.py on a database, by a Python that cannot import reportflow."""
    command = [sys.executable, "-I", "-S", str(EXAMPLES / "recompute.py"), str(folder / "office.db")]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def test_a_stranger_recomputes_every_digest_in_sixty_lines(tmp_path: Path) -> None:
    """A program of 60 lines of the standard library recomputes all digests, and finds nothing wrong."""
    lines = (EXAMPLES / "recompute.py").read_text("utf-8").splitlines()
    assert len(lines) <= 60
    assert not any("reportflow" in line for line in lines if line.startswith(("import", "from")))
    played(f"sqlite:///{tmp_path}/office.db").close()
    done = recomputed(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "4 records: all digests and heads fit\n", "")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE reportflow_entry SET reason = '?' WHERE record_id = 'r1' AND sequence = 2",
            "r1, entry 2: it does not",
        ),
        ("UPDATE reportflow_entry SET dest = '?' WHERE record_id = 'r2' AND sequence = 1", "r2, entry 1: it does not"),
        ("DELETE FROM reportflow_entry WHERE record_id = 'r1' AND sequence = 3", "r1, entry 3: it does not"),
        ("DELETE FROM reportflow_entry WHERE record_id = 'r3' AND sequence = 3", "r3: its head is not"),
        ("DELETE FROM reportflow_record WHERE id = 'r4'", "r4: its head is not"),
    ],
)
def test_a_stranger_finds_what_was_altered(tmp_path: Path, statement: str, said: str) -> None:
    """That program names the first entry or record that does not fit."""
    played(f"sqlite:///{tmp_path}/office.db").close()
    with contextlib.closing(sqlite3.connect(tmp_path / "office.db")) as connection:
        connection.execute(statement)
        connection.commit()
    done = recomputed(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(said)
