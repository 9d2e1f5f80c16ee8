"""`reportflow db`: the version of the tables on a terminal, their upgrade, and its SQL."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len
from sqlalchemy import make_url

from reportflow import SchemaMismatch, SqlStore, open_flow
from reportflow.cli import commands
from reportflow.cli.environment import LANGUAGES
from reportflow.i18n.catalog import STANDARD
from reportflow.storage.sql import provision
from reportflow.storage.sql.upgrade import offline_sql
from reportflow.testing.acts import created, sample
from tests.storage.next_version import NEXT, begin_next, empty, make_old

BOTH = pytest.mark.parametrize("language", LANGUAGES)


def run(*arguments: str, language: str = "en") -> Result:
    """One command, in a terminal of 80 columns."""
    settings = {"COLUMNS": "80", "REPORTFLOW_LANGUAGE": language, "REPORTFLOW_DATABASE": None}
    return CliRunner().invoke(commands.reportflow, list(arguments), env=settings, prog_name="reportflow")


def said(code: str, language: str, **facts: object) -> str:
    """A text of the terminal, as it is printed."""
    return STANDARD.text(f"cli.db.{code}", language, facts) + "\n"


@pytest.fixture(autouse=True)
def _next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This library reads version 2 of the tables."""
    begin_next(tmp_path, monkeypatch)


def old(file: Path) -> str:
    """A database of version 1."""
    make_old(f"sqlite:///{file}")
    return f"sqlite:///{file}"


@BOTH
@pytest.mark.parametrize("name", ["office.db", "our office's.db"])
def test_what_a_store_says_to_type_can_be_typed(tmp_path: Path, name: str, language: str) -> None:
    """The command in the error of an older database works as it is printed, and the database opens then."""
    url = old(tmp_path / name)
    with pytest.raises(SchemaMismatch) as caught:
        open_flow(url)
    _, _, typed = caught.value.message(language, reader="developer").partition("reportflow db ")
    arguments = shlex.split(typed)
    assert arguments[:2] == ["upgrade", "--database"]
    assert make_url(arguments[2]) == make_url(url)

    done = run("db", *arguments, language=language)

    assert (done.exit_code, done.stdout) == (0, said("upgraded", language, before="1", number=NEXT))
    with open_flow(url) as flow:
        assert len(flow.store.feed()) == 6
    again = run("db", *arguments, language=language)
    assert (again.exit_code, again.stdout) == (0, said("already", language, number=NEXT))


def test_what_it_says_to_type_names_the_tables(tmp_path: Path) -> None:
    """Under another prefix, the command in the error names it."""
    with empty("sqlite", tmp_path) as url:
        make_old(url, prefix="our office_")
        with pytest.raises(SchemaMismatch) as caught:
            SqlStore(url, prefix="our office_")
        _, _, typed = str(caught.value).partition("reportflow db ")
        assert run("db", *shlex.split(typed)).exit_code == 0
        SqlStore(url, prefix="our office_", create=False).close()


@BOTH
def test_current_says_the_version(tmp_path: Path, language: str) -> None:
    """`db current` says of which version the tables are, and that there are none."""
    url = old(tmp_path / "office.db")

    done = run("db", "current", "--database", url, language=language)
    assert done.stdout == said("current", language, before="1", number=NEXT)
    done = run("db", "current", "--database", url, "--prefix", "other_", language=language)
    assert done.stdout == said("none", language, number=NEXT)


@BOTH
def test_upgrade_makes_tables(tmp_path: Path, language: str) -> None:
    """Where there are no tables, `db upgrade` makes them, and says so."""
    with empty("sqlite", tmp_path) as url:
        done = run("db", "upgrade", "--database", url, language=language)
        assert done.stdout == said("made", language, number=NEXT)
        SqlStore(url, create=False).close()


@pytest.mark.parametrize(("since", "words"), [((), 'COLLATE "C"'), (("--since", "1"), "ALTER TABLE office.rf_record")])
def test_sql_prints_what_can_be_fed_to_a_database(since: tuple[str, ...], words: str) -> None:
    """`db sql` prints the SQL and nothing else, for the engine of the URL, with prefix and schema."""
    done = run("db", "sql", "--database", "postgresql://", "--prefix", "rf_", "--schema", "office", *since)

    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "BEGIN;"
    assert words in done.stdout
    assert done.stdout == offline_sql("postgresql://", prefix="rf_", schema="office", since="1" if since else None)


@BOTH
@pytest.mark.parametrize(
    "arguments",
    [
        ("upgrade", "--database", "sqlite:///no/such.db"),
        ("current", "--database", "sqlite:///no/such.db"),
        ("upgrade", "--database", "memory:"),
        ("sql", "--database", "oracle://x"),
        ("copy", "sqlite:///no/such.db", "sqlite:///to.db"),
        ("copy", "sqlite:///same.db", "sqlite:///./same.db"),
        ("copy", "memory:", "sqlite:///to.db"),
        ("sql", "--database", "sqlite://", "--since", "0"),
    ],
    ids=" ".join,
)
def test_errors_are_sentences_in_the_language(arguments: tuple[str, ...], language: str) -> None:
    """What cannot be done ends in one sentence of the language, with exit code 1."""
    done = run("db", *arguments, language=language)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert any("一" <= one <= "鿿" for one in done.stderr) is (language == "zh")


@BOTH
def test_copy_says_what_was_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    """`db copy` copies the records of the report's lifecycle, and says how many; a second time it says why not."""
    url, to = old(tmp_path / "office.db"), f"sqlite:///{tmp_path}/to.db"
    monkeypatch.setattr(provision, "SCHEMA_VERSION", "1")

    done = run("db", "copy", url, to, language=language)

    assert (done.exit_code, done.stdout) == (0, said("copied", language, records=2, entries=6))
    with open_flow(url) as flow, open_flow(to) as copied:
        assert copied.store.feed() == flow.store.feed()
    again = run("db", "copy", url, to, language=language)
    assert (again.exit_code, again.stdout) == (1, "")
    why = STANDARD.text("value.not_empty", language, reader="developer")
    assert again.stderr == said("no_copy", language, url=to, why=why)


def test_copy_takes_the_lifecycles_of_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kinds of another lifecycle are listed, and copied where it is named."""
    url, to = f"sqlite:///{tmp_path}/from.db", f"sqlite:///{tmp_path}/to.db"
    monkeypatch.setattr(provision, "SCHEMA_VERSION", "1")
    store = SqlStore(url)
    store.commit([created(sample("s"))])
    store.close()

    refused = run("db", "copy", url, to)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "conformance 2 (1)" in refused.stderr
    assert not (tmp_path / "to.db").exists()

    both = ("--lifecycle", "reportflow.testing.acts:SAMPLE", "--lifecycle", "reportflow.office:REPORT")
    assert run("db", "copy", url, to, *both).exit_code == 0
    assert run("db", "copy", url, to, "--lifecycle", "no.such:THING").exit_code == 1


@BOTH
@pytest.mark.parametrize("command", ["", "upgrade", "current", "sql", "views", "copy"])
def test_help_is_in_the_language(command: str, language: str) -> None:
    """The group and each of its commands say in the language what they do, in 80 columns."""
    done = run("db", *([command] if command else []), "--help", language=language)

    assert done.exit_code == 0
    told = "".join(done.stdout.split())
    code = f"help.db.{command}".rstrip(".")
    assert "".join(STANDARD.text(f"cli.{code}", language).split()) in told
    assert "help." not in done.stdout
    assert max(cell_len(line) for line in done.stdout.splitlines()) <= 80


def test_without_alembic_the_extra_is_named(tmp_path: Path) -> None:
    """Where Alembic is not installed, `db` ends in one sentence that names the extra; the other commands work."""
    code = "import sys; sys.modules['alembic'] = None; from reportflow.cli import main; main()"

    def typed(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, encoding="utf-8")

    done = typed("db", "upgrade", "--database", f"sqlite:///{tmp_path}/office.db", "--language", "en")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == 'alembic is not installed; type: pip install "reportflow[migrations]"'
    assert typed("diagram").returncode == 0
