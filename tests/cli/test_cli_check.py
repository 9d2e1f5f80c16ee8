"""`reportflow check`: findings with their examples, exit codes, matrices, and what is wrong in a sentence."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reportflow.analysis.matrix import matrix
from reportflow.cli import commands
from reportflow.cli.environment import LANGUAGES
from reportflow.i18n.catalog import STANDARD
from reportflow.office import REPORT

BOTH = pytest.mark.parametrize("language", LANGUAGES)

#: What every module of these tests begins with; the names of classes are known once in a process.
HEAD = """
import attrs
from reportflow import *  # REPORT too, which has no part in this

@attrs.frozen(kw_only=True)
class {cls}(Record):
    amount: int = 0
    word: str = ""

brought = {{"amount", "unit"}}

def made(name, *rows, record={cls}):
    return Lifecycle(name=name, version=1, record=record, roles={{"clerk": UNIT}},
        states=[State("open"), State("done", final=True)],
        transitions=[Transition("create", source=None, dest="open", roles="clerk", accepts=brought), *rows])

close = Transition("close", source="open", dest="done", roles="clerk")
"""


def run(*arguments: str, language: str = "en") -> Result:
    """One command, in a terminal of 100 columns."""
    settings = {"COLUMNS": "100", "REPORTFLOW_LANGUAGE": language}
    return CliRunner().invoke(commands.reportflow, ["check", *arguments], env=settings, prog_name="reportflow")


@pytest.fixture(name="folder")
def fixture_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder in which the command is typed; what was imported from it is forgotten after."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("cli_check_")]:
        del sys.modules[name]


def write(folder: Path, name: str, body: str, cls: str) -> None:
    """A module beside which the command is typed."""
    (folder / f"cli_check_{name}.py").write_text(HEAD.format(cls=cls) + body, encoding="utf-8")


def test_the_reports_lifecycle_is_checked_unless_another_is_named() -> None:
    """Without an argument it is the report's: notes, the sentence that nothing is wrong, exit code 0."""
    language = "zh"
    result = run(language=language)
    assert result.exit_code == 0, result.output
    assert (
        STANDARD.text("cli.check.sound", language, {"name": REPORT.label_of("lifecycle", "report", language)})
        in result.stdout
    )
    assert all(name in result.stdout for name in ("Adoption", "Forwarding", "Instruction", "Uptake", "Comment"))
    assert STANDARD.text("cli.check.drawn", language) in result.stdout


@BOTH
def test_a_warning_has_its_example_below_and_exit_code_1(folder: Path, language: str) -> None:
    """A lifecycle with a flaw ends with 1; its level, sentence and example are shown, and how many ask for a change."""
    write(
        folder, "flawed",
        'FLAWED = made("cli_flawed", Transition("go", source="open", dest=SAME, roles="clerk",\n'
        '    guards=[Guard(code="never", test=lambda record, command: record.amount > 5 > record.amount)]), close)\n',
        "CliFlawed",
    )  # fmt: skip
    result = run("cli_check_flawed:FLAWED", language=language)
    assert result.exit_code == 1
    assert STANDARD.label("severity", "warning", language) in result.stdout
    assert "  new_id = 'r1'\n  flow.create(CliFlawed.draft(), by=Actor(" in result.stdout
    assert "# 'never' refuses" in result.stdout
    assert STANDARD.text("cli.check.unsound", language, {"number": 1}) in result.stdout


@BOTH
def test_the_faults_of_a_table_are_findings(folder: Path, language: str) -> None:
    """A module whose table is refused when it is built shows every fault as an error, and ends with 1."""
    write(
        folder, "faulty",
        'FAULTY = made("cli_faulty", Transition("go", source="nowhere", dest="open", roles="clrk"))\n', "CliFaulty"
    )  # fmt: skip
    result = run("cli_check_faulty:FAULTY", language=language)
    assert result.exit_code == 1
    shown = result.stdout.replace("\n", " ")
    assert all(word in shown for word in ("nowhere", "clrk"))
    assert STANDARD.label("severity", "error", language) in shown
    assert "Traceback" not in result.output


def test_lifecycles_beside_it_are_there_for_its_steps(folder: Path) -> None:
    """Other lifecycles of the module, and of those named by --with, are given to the check; without them it is said."""
    child = 'CHILD = made("cli_child", close)\n'
    main = (
        "def spawn(before, entry):\n"
        "    from cli_check_child import CliChild\n"
        '    return [Step(target=CliChild.draft(unit=before.unit), trigger="create")]\n'
        'MAIN = made("cli_main", Transition("go", source="open", dest=SAME, roles="clerk", then=spawn), close)\n'
    )  # fmt: skip
    write(folder, "child", child, "CliChild")
    write(folder, "main", main, "CliMain")
    write(folder, "both", main.replace("cli_main", "cli_both") + "from cli_check_child import CHILD\n", "CliBoth")
    alone = run("cli_check_main:MAIN")
    assert alone.exit_code == 1
    assert "CliChild" in alone.stdout
    assert run("cli_check_main:MAIN", "--with", "cli_check_child").exit_code == 0
    assert run("cli_check_both:MAIN").exit_code == 0


def test_registered_strategies_are_drawn_from(folder: Path) -> None:
    """Details that no enumeration makes are an error, until --with names a module that registers a strategy."""
    body = """
@attrs.frozen(kw_only=True)
class CliWord(Details):
    code: str = attrs.field()

    @code.validator
    def _hold(self, attribute, value):
        if value != "the word":
            raise ValueError("not the word")

TOLD = made("cli_told", Transition("go", source="open", dest=SAME, roles="clerk", details=CliWord,
    sets={"word": "code"}), close)
"""
    write(folder, "told", body, "CliTold")
    (folder / "cli_check_known.py").write_text(
        "from hypothesis import strategies as st\nfrom cli_check_told import CliWord\n"
        "from reportflow.testing.strategies import register\n"
        'register(CliWord, st.just(CliWord(code="the word")))\n',
        encoding="utf-8",
    )
    before = run("cli_check_told:TOLD")
    assert before.exit_code == 1
    assert "CliWord" in before.stdout
    after = run("cli_check_told:TOLD", "--with", "cli_check_known")
    assert after.exit_code == 0, after.output


@BOTH
def test_without_hypothesis_the_enumeration_is_used_and_that_is_said(
    language: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Hypothesis is not installed the check still runs, and says what would try more."""
    write(folder, "plain", 'PLAIN = made("cli_plain", close)\n', "CliPlain")
    for name in [name for name in sys.modules if name.startswith(("reportflow.testing.drawn", "hypothesis"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    result = run("cli_check_plain:PLAIN", language=language)
    assert result.exit_code == 0, result.output
    assert STANDARD.text("cli.check.enumerated", language) in " ".join(result.stdout.split())


@BOTH
@pytest.mark.parametrize("kind", ["markdown", "html", "csv"])
def test_a_matrix_is_what_the_library_writes(kind: str, language: str) -> None:
    """`--matrix` prints just the matrix in its form, to be kept in a file."""
    result = run("--matrix", kind, language=language)
    assert result.exit_code == 0
    assert result.stdout == getattr(matrix(REPORT), kind)(language)
    if kind == "csv":
        assert len(list(csv.reader(io.StringIO(result.stdout)))) == 1 + len(matrix(REPORT).cells)


@BOTH
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["no_such_module:X"], "No module named"),
        (["reportflow.office.report:NOTHING"], "NOTHING"),
        (["reportflow.office.report:Report"], "type"),
        (["reportflow"], ""),
        (["--with", "no_such_module"], "No module named"),
    ],
)
def test_what_is_mistyped_is_a_sentence(arguments: list[str], why: str, language: str) -> None:
    """A module or name that is not there ends with 1 and one sentence on stderr."""
    result = run(*arguments, language=language)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert arguments[-1] in result.stderr
    assert why in result.stderr
