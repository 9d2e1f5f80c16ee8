"""`reportflow conform`: a store held against the contract, on a terminal and by its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

import reportflow
from reportflow.cli import commands
from reportflow.cli.environment import LANGUAGES
from reportflow.i18n.catalog import STANDARD
from reportflow.testing.conformance import run
from reportflow.testing.conformance.report import TESTS
from reportflow.testing.conformance.whole import every_test

BOTH = pytest.mark.parametrize("language", LANGUAGES)

STORES = '''
from reportflow import Capabilities, MemoryStore

NUMBER = 3


class Deaf(MemoryStore):
    """Has no history."""

    def history(self, ids):
        return []


class Lasting(MemoryStore):
    capabilities = Capabilities(durable=True)


def again(store):
    other = Lasting()
    vars(other).update(vars(store), _lock=vars(other)["_lock"])
    return other


class Given:
    store = MemoryStore
'''


@pytest.fixture(autouse=True)
def _in_a_folder_with_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a module of one's own."""
    (tmp_path / "shelf_of_stores.py").write_text(STORES, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "shelf_of_stores", raising=False)


def conform(*arguments: str, language: str = "en", columns: int = 80) -> Result:
    """The command, in a terminal of 80 columns."""
    settings = {"COLUMNS": str(columns), "REPORTFLOW_LANGUAGE": language}
    return CliRunner().invoke(commands.reportflow, ["conform", *arguments], env=settings, prog_name="reportflow")


def flat(shown: str) -> str:
    """A text without its blanks, which a table puts where it likes."""
    return "".join(shown.split())


@BOTH
def test_a_store_that_passes(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that keeps the contract: a row for each promise in the language, what was skipped, and exit code 0."""
    if language == "en":  # the whole suite once is enough
        few = (*TESTS, "test_the_factory_gives_fresh_stores")
        monkeypatch.setattr(run, "every_test", lambda: tuple(name for name in every_test() if name in few))
    result = conform("reportflow:MemoryStore", "--profile", "brief", "--seed", "1", language=language, columns=300)
    assert (result.exit_code, result.stderr) == (0, "")
    shown = flat(result.stdout)
    for test, call in TESTS.items():
        assert test in every_test()
        assert language != "zh" or flat(STANDARD.text(f"promise.{call}.{test}", "zh")) in shown
    if language == "en":
        assert flat("A factory takes nothing and gives a fresh, empty store each time.") in shown
        return
    why = STANDARD.text("testing.skip.capability", language, {"capability": "shared"})
    assert why in result.stdout
    numbers = {"passed": len(every_test()) - 10, "failed": 0, "skipped": 10}
    assert result.stdout.splitlines()[-1] == STANDARD.text("testing.kept", language, numbers)


@BOTH
def test_a_store_that_fails(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that breaks the contract: each failure with its sentence and its reason, the numbers, exit code 1."""
    monkeypatch.setattr(run, "every_test", lambda: ("test_what_was_committed_is_there", "test_a_commit_of_nothing"))
    result = conform("shelf_of_stores:Deaf", language=language)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    outcome = STANDARD.text("testing.outcome.failed", language)
    first = lines.index(f"{outcome} commit · test_what_was_committed_is_there")
    assert lines[first + 1].strip() == (
        "A commit keeps a record together with its entries."
        if language == "en"
        else STANDARD.text("promise.commit.test_what_was_committed_is_there", "zh")
    )
    assert 'assert store.history(["r1"]) == list(change.entries)' in lines[first + 2]
    assert lines[-1].startswith("The contract is not kept" if language == "en" else "契约未得到遵守")
    table = lines[: next(number for number, line in enumerate(lines) if line.startswith(f"{outcome} "))]
    assert max(cell_len(line) for line in table) <= 80


def test_a_factory_may_be_inside_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dotted name after the colon is followed."""
    monkeypatch.setattr(run, "every_test", lambda: ("test_the_factory_gives_fresh_stores",))
    assert conform("shelf_of_stores:Given.store").exit_code == 0


def test_a_durable_store_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--reopen` names the function that opens a durable store once more; without it the store does not pass."""
    monkeypatch.setattr(run, "every_test", lambda: ("test_what_was_committed_outlives_the_store",))
    assert conform("shelf_of_stores:Lasting", "--reopen", "shelf_of_stores:again").exit_code == 0
    result = conform("shelf_of_stores:Lasting")
    assert result.exit_code == 1
    assert "Give reopen: it takes a store and returns one more" in result.stdout


@BOTH
@pytest.mark.parametrize(
    ("given", "why", "facts"),
    [
        ("shelf_of_stores", "no_colon", {}),
        ("shelf_of_stores:Nobody", "no_attribute", {"name": "Nobody"}),
        ("shelf_of_stores:NUMBER", "not_callable", {"kind": "int"}),
    ],
)
def test_a_name_that_is_no_factory_is_one_sentence(given: str, why: str, facts: dict[str, str], language: str) -> None:
    """What names no function, for the store or for `--reopen`, is one sentence that shows the form."""
    reason = STANDARD.text(f"cli.wrong.{why}", language, facts)
    for arguments in ([given], ["reportflow:MemoryStore", "--reopen", given]):
        result = conform(*arguments, language=language)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.strip() == STANDARD.text("cli.wrong.factory", language, {"given": given, "why": reason})


def test_a_module_that_is_not_there_is_one_sentence() -> None:
    """A module that cannot be imported is said with what the import said."""
    result = conform("no_such_shelf:Store")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "No module named 'no_such_shelf'" in result.stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (
            ["-c", "import sys; sys.modules['pytest'] = None\n{run}"],
            "pytest is not installed; type: pip install reportflow[testing]",
        ),
        (["-O", "-c", "{run}"], "Python runs without assert statements (-O or PYTHONOPTIMIZE)"),
    ],
)
def test_what_the_suite_needs_is_one_sentence(flags: list[str], said: str, tmp_path: Path) -> None:
    """Without pytest, or under ``python -O``, the command ends in one sentence with the remedy and exit code 1."""
    code = "import sys, reportflow.cli\nsys.argv[1:] = ['conform', 'shelf_of_stores:Deaf']\nreportflow.cli.main()\n"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    environment["PYTHONPATH"] = str(Path(str(reportflow.__file__)).parents[1])
    command = [sys.executable, *(flag.format(run=code) for flag in flags)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
