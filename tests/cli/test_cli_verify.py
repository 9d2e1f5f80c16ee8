"""`reportflow verify` and `reportflow heads` on a terminal."""

from __future__ import annotations

import contextlib
import json
import shlex
import sqlite3
from pathlib import Path

import pytest

from reportflow import ReportFlow, open_flow
from reportflow.cli.environment import LANGUAGES
from reportflow.flow.verification import Verification
from reportflow.i18n.catalog import STANDARD
from reportflow.lifecycle.chain import Flaw
from tests.cli.test_cli import BOTH, is_chinese, run, text
from tests.tampering import played


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with four reports."""
    made = f"sqlite:///{tmp_path / 'office.db'}"
    played(made).close()
    return made


def alter(url: str, statement: str) -> None:
    """Change rows behind the back of the store."""
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute(statement)
        connection.commit()


@BOTH
def test_nothing_is_wrong(url: str, language: str) -> None:
    """Where all is well it says how much was verified, and ends with 0."""
    done = run("verify", "--database", url, language=language)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == text("verify.sound", language, records=4, entries=14) + "\n"


@BOTH
def test_each_flaw_has_a_line(url: str, language: str) -> None:
    """Each finding is named with its record and its place, none with a content, and the exit code is 1."""
    alter(url, "UPDATE reportflow_entry SET reason = 'a secret' WHERE record_id = 'r1' AND sequence = 2")
    alter(url, "UPDATE reportflow_record SET title = 'another secret' WHERE id = 'r3'")
    done = run("verify", "--database", url, language=language)
    altered = Flaw(code="content_altered", record_id="r1", sequence=2).text(language)
    differs = Flaw(code="record_differs", record_id="r3", fields=("title",)).text(language)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        text("verify.place", language, id="r1", number=2, given=altered),
        text("verify.record", language, id="r3", given=differs),
        text("verify.unsound", language, number=2, records=4, entries=14),
    ]
    assert "secret" not in done.output
    assert is_chinese(altered) == (language == "zh")


def test_it_stops_and_says_how_to_go_on(url: str) -> None:
    """After as many findings as are asked for it stops; what it says to add goes on behind them, and finds the rest."""
    for id in ("r1", "r3"):
        alter(url, f"UPDATE reportflow_entry SET reason = '?' WHERE record_id = '{id}' AND sequence = 1")
    first = run("verify", "--database", url, "--limit", "1")
    assert (first.exit_code, first.stdout.count("entry 1")) == (1, 1)
    more = shlex.split(first.stderr.partition("add: ")[2])
    assert more == ["--after", "r1"]
    second = run("verify", "--database", url, *more)
    assert second.exit_code == 1
    assert second.stdout.startswith("r3, entry 1")
    assert second.stderr == ""


def test_an_id_cannot_clear_the_screen(url: str) -> None:
    """An id with control characters is shown as JSON."""
    alter(url, "UPDATE reportflow_entry SET record_id = 'r4\x1b[2J' WHERE record_id = 'r4'")
    done = run("verify", "--database", url)
    assert "\x1b" not in done.output
    assert json.dumps("r4\x1b[2J") in done.stdout


def test_an_interruption_says_how_to_go_on(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C shows what was found so far, and how to go on; the exit code is not that of a whole verification."""

    def verify(self: ReportFlow, **settings: object) -> Verification:
        settings["progress"](Verification(records=2, entries=9, reached="r2"))  # type: ignore[operator]
        raise KeyboardInterrupt

    monkeypatch.setattr(ReportFlow, "verify", verify)
    done = run("verify", "--database", url)
    assert (done.exit_code, done.stderr) == (2, text("verify.more", given="r2") + "\n")
    assert done.stdout == text("verify.sound", records=2, entries=9) + "\n"


# -- heads --------------------------------------------------------------------------------------------------------


@BOTH
def test_heads_that_are_kept_elsewhere(url: str, tmp_path: Path, language: str) -> None:
    """`heads` writes the file that `verify --against` reads; what was cut since is found by it alone."""
    written = run("heads", "--database", url, language=language)
    assert (written.exit_code, written.stderr) == (0, "")
    with open_flow(url) as flow:
        assert written.stdout == "".join(flow.heads())
    kept = tmp_path / "heads"
    kept.write_text(written.stdout, encoding="utf-8")
    assert run("verify", "--database", url, "--against", str(kept), language=language).exit_code == 0

    alter(url, "DELETE FROM reportflow_label WHERE record_id = 'r4'")
    alter(url, "DELETE FROM reportflow_entry WHERE record_id = 'r4'")
    alter(url, "DELETE FROM reportflow_record WHERE id = 'r4'")
    assert run("verify", "--database", url, language=language).exit_code == 0
    done = run("verify", "--database", url, "--against", str(kept), language=language)
    assert done.exit_code == 1
    assert done.stdout.startswith(f"r4{'：' if language == 'zh' else ': '}")


@BOTH
def test_a_wrong_file_of_heads(url: str, tmp_path: Path, language: str) -> None:
    """A wrong or missing file ends with one sentence, with file and line, and with 2: 1 is for findings."""
    path = tmp_path / "wrong"
    path.write_text("r1 3\n", encoding="utf-8")
    done = run("verify", "--database", url, "--against", str(path), language=language)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert str(path) in done.stderr
    assert ("line 1" if language == "en" else "第 1 行") in done.stderr
    assert run("verify", "--database", url, "--against", str(tmp_path / "none"), language=language).exit_code == 2


@pytest.mark.parametrize("command", ["verify", "heads"])
def test_a_database_that_is_not_there(tmp_path: Path, command: str) -> None:
    """Where there is no database there is one sentence, and no file is made; nothing was verified: 2."""
    done = run(command, "--database", f"sqlite:///{tmp_path}/none.db")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2 if command == "verify" else 1, "", 1)
    assert list(tmp_path.iterdir()) == []


def test_a_limit_below_one(url: str) -> None:
    """A limit that is none is a wrong usage, with exit code 2."""
    for language in LANGUAGES:
        assert run("verify", "--database", url, "--limit", "0", language=language).exit_code == 2


def test_every_flaw_has_a_text() -> None:
    """Each code that the package names has a sentence in both languages, and the reference lists it."""
    named = {code.removeprefix("flaw.") for code in STANDARD.codes() if code.startswith("flaw.")}
    page = Path(__file__).parents[2] / "docs" / "reference" / "verification.md"
    assert all(f"| `{code}` |" in page.read_text("utf-8") for code in named)
    assert len(named) == 17
