"""The terminal: what each command prints, in both languages, and how what is wrong ends in one sentence."""

from __future__ import annotations

import json
import os
import re
import string
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from reportflow import Actor, Page, Query, ReportFlow, open_flow
from reportflow.cli import commands, tables
from reportflow.cli.environment import LANGUAGES, language_of_environment
from reportflow.demo import plan, vocabulary, year
from reportflow.i18n.catalog import STANDARD
from reportflow.lifecycle.client import client_source
from reportflow.lifecycle.diagram import dot, mermaid
from reportflow.office import REPORT, Author, Classification, Report
from reportflow.office.figures import CIRCULAR, NAMES

SIX = {"collected": 446, "issued": 87, "submitted": 78, "adopted": 5, "instructed": 3, "livelihood": 281}
BOTH = pytest.mark.parametrize("language", LANGUAGES)
EDITOR = Actor(id="e", roles={"editor"}, unit="somewhere")


def run(*arguments: str, language: str = "en", env: dict[str, str | None] | None = None) -> Result:
    """One command, in a terminal of 80 columns."""
    settings = {"COLUMNS": "80", "REPORTFLOW_LANGUAGE": language, "REPORTFLOW_DATABASE": None, **(env or {})}
    return CliRunner().invoke(commands.reportflow, list(arguments), env=settings, prog_name="reportflow")


def fails(*arguments: str, language: str = "en", code: int = 1) -> str:
    """The one sentence on stderr of a command that fails, with exit code 1 unless said otherwise."""
    result = run(*arguments, language=language)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    return result.stderr.strip()


def text(code: str, language: str = "en", **facts: object) -> str:
    """A text of the terminal, as it is printed."""
    return STANDARD.text(f"cli.{code}", language, facts)


@BOTH
def test_a_record_that_cannot_be_read_is_left_out_and_said(tmp_path: Path, language: str) -> None:
    """An inbox and a search by number leave out what cannot be read, and say how many were and which."""
    url = f"sqlite:///{tmp_path}/office.db"
    with open_flow(url) as flow:
        made = [
            flow.create(Report.draft(title=f"t{n}", text="x", authors=[Author(name="a")]), by=EDITOR) for n in range(3)
        ]
        with flow.store.engine.connect() as connection:  # type: ignore[attr-defined]  # an SqlStore
            connection.exec_driver_sql("UPDATE reportflow_record SET data = '{' WHERE id = ?", (made[1].id,))
    shown = run("inbox", "--as", "editor", "--database", url, language=language)
    assert shown.exit_code == 0
    assert "t0" in shown.stdout
    assert "t1" not in shown.stdout
    assert shown.stderr.strip() == text("inbox.left_out", language, number=1, ids=[made[1].id])
    missing = run("history", "77", "--database", url, language=language)
    assert missing.exit_code == 1
    assert made[1].id in missing.stderr
    broken = run("history", made[1].id, "--database", url, language=language)
    assert (broken.exit_code, broken.stdout) == (1, "")
    whole = run("history", made[0].id, "--database", url, language=language)
    assert whole.exit_code == 0


def every(flow: ReportFlow) -> Page:
    """All records of the year."""
    return flow.store.find(Query(limit=1000))


def is_chinese(said: str) -> bool:
    """Whether there is a Chinese character in it."""
    return any("一" <= one <= "鿿" for one in said)


@pytest.fixture(name="played", scope="module")
def fixture_played(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Result]:
    """A database that the demonstration has filled, and what it printed."""
    url = f"sqlite:///{tmp_path_factory.mktemp('year') / 'office.db'}"
    result = run("demo", "--database", url)
    assert result.exit_code == 0, result.output
    return url, result


@pytest.fixture(name="url")
def fixture_url(played: tuple[str, Result]) -> str:
    """The database that the demonstration has filled."""
    return played[0]


@pytest.fixture(name="small")
def fixture_small(tmp_path: Path) -> str:
    """A database with one draft, whose title would clear the screen of who prints it raw."""
    url = f"sqlite:///{tmp_path / 'small.db'}"
    with open_flow(url, new_id=lambda: "the-id") as flow:
        draft = Report.draft(title="[bold]x\x1b[2J\u202ey[/bold]", text="t", authors=[Author(name="a")])
        flow.create(draft, by=EDITOR)
    return url


def test_demo_prints_figures_a_timeline_and_what_to_type(played: tuple[str, Result]) -> None:
    """The demo shows the six figures with their shares, the history of an instructed report, and commands that work."""
    url, result = played
    assert result.stdout.startswith(vocabulary.NOTE["en"])  # that all of it is invented
    for number, share in (("87", "19.5%"), ("78", "17.5%"), ("5", "6.4%"), ("281", "63.0%")):
        assert re.search(rf"\b{number} +{share}", result.stdout)
    assert "· instructed on" in result.stdout
    assert text("figures.instructed", number=3, events=4, principal=1) in result.stdout
    assert "《协商建言》" in result.stdout
    offered = [line.split()[1:] for line in result.stdout.splitlines() if line.startswith("  reportflow ")]
    assert [line[0] for line in offered] == ["figures", "history", "inbox", "diagram"]
    assert all(url in line for line in offered[:3])
    assert all(run(*line).exit_code == 0 for line in offered)


def test_a_second_demo_shows_the_same_and_writes_nothing(played: tuple[str, Result]) -> None:
    """Typed again, the demo prints the same and leaves every entry as it was."""
    url, result = played
    with open_flow(url) as flow:
        before = flow.store.count(Query(), "entries")

    assert run("demo", "--database", url).stdout == result.stdout
    with open_flow(url) as flow:
        assert flow.store.count(Query(), "entries") == before


@BOTH
def test_demo_in_memory_keeps_nothing(language: str) -> None:
    """Played in memory, the demo shows the year and says how to keep one."""
    result = run("demo", "--database", "memory:", "--seed", "9", language=language)

    assert result.exit_code == 0
    assert "63.0%" in result.stdout
    assert result.stdout.splitlines()[-1].endswith("reportflow demo --database sqlite:///office.db")


@BOTH
def test_another_seed_is_refused_in_a_sentence(url: str, language: str) -> None:
    """A database that holds one seed's year refuses another's."""
    said = fails("demo", "--database", url, "--seed", "5", language=language)

    assert said == text("demo.other_seed", language, url=url)


@BOTH
def test_demo_leaves_an_office_in_use_alone(small: str, language: str) -> None:
    """Where there are records that are no demonstration, the demo writes nothing and says so."""
    said = fails("demo", "--database", small, language=language)

    assert said == text("demo.not_empty", language, url=small, number=1)
    with open_flow(small) as flow:
        assert flow.store.count(Query()) == {(): 1}


def test_an_interrupted_demo_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the demo in a sentence, and what was done stays."""
    url, play = f"sqlite:///{tmp_path / 'office.db'}", year.play

    def stopped(flow: Any, acts: Any) -> Iterator[year.DemoAct]:
        yield from play(flow, acts[:7])
        raise KeyboardInterrupt

    monkeypatch.setattr(year, "play", stopped)

    assert fails("demo", "--database", url) == text("demo.interrupted")
    with open_flow(url) as flow:
        assert flow.store.count(Query(), "entries") == {(): 7}


@BOTH
def test_figures_as_json_are_one_object(url: str, language: str) -> None:
    """`--json` prints exactly one JSON object, the same in each language."""
    result = run("figures", "--database", url, "--year", "2022", "--json", language=language)
    plain = json.loads(result.stdout)

    assert result.stdout.count("\n") == 1
    assert {name: plain[name] for name in SIX} == SIX
    assert sum(plain["sources"].values()) == SIX["collected"]


def test_figures_go_by_zone_body_and_unit(url: str) -> None:
    """`--body` narrows what is issued, `--unit` whose reports are counted, `--utc-offset` when a year begins."""

    def counted(*more: str) -> Any:
        return json.loads(run("figures", "--database", url, "--year", "2022", "--json", *more).stdout)

    assert counted("--body", vocabulary.BODY)["issued"] == 87
    assert counted("--body", "别的政协")["issued"] == 0
    assert counted("--unit", "elsewhere")["collected"] == 0
    assert counted("--utc-offset", "-12:00")["collected"] == 446


@BOTH
def test_figures_are_a_table_of_80_columns(url: str, language: str) -> None:
    """The table names each figure in the language, those of the circular first; no line is wider than a terminal."""
    result = run("figures", "--database", url, "--year", "2022", language=language)

    names = [STANDARD.label("figure", name, language) for name in (*CIRCULAR, *NAMES[len(CIRCULAR) :])]
    places = [result.stdout.index(f"  {name} ") for name in names]
    assert places == sorted(places)
    assert places[len(CIRCULAR)] > result.stdout.index(text("figures.process", language)) > places[len(CIRCULAR) - 1]
    assert max(cell_len(line) for line in result.stdout.splitlines()) <= 80
    assert "\x1b" not in result.stdout


@BOTH
def test_an_empty_year_is_a_sentence(url: str, language: str) -> None:
    """A year in which nothing happened is said, with what to try."""
    result = run("figures", "--database", url, "--year", "1999", language=language)

    assert result.exit_code == 0
    assert result.stdout.strip() == text("figures.empty", language, year=1999, url=url)


@BOTH
def test_history_is_a_timeline(played: tuple[str, Result], language: str) -> None:
    """A report's history shows each act by its direction, with its date, its actor and its details, in 80 columns."""
    url, result = played
    number = next(line.split()[-1] for line in result.stdout.splitlines() if line.startswith("  reportflow history"))
    shown = run("history", number, "--database", url, language=language).stdout

    with open_flow(url) as flow:
        record = next(one for one in every(flow) if one.reference == number)
        history = flow.store.history([record.id])
    for entry in history:
        assert entry.at.astimezone(plan.ZONE).strftime("%Y-%m-%d %H:%M") in shown
        assert entry.actor.name in shown
        assert REPORT.describe(entry, language) in shown
    assert {"市政府主要领导", "省政府有关领导"} <= set(re.findall(r"[市省]政府[主有][要关]领导", shown))
    labels = {"en": ("issue", "send up", "refer"), "zh": ("编发", "报送", "转办")}[language]
    assert all(label in shown for label in labels)
    assert max(cell_len(line) for line in shown.splitlines()) <= 80


@BOTH
def test_a_clerk_reads_no_ids(url: str, language: str) -> None:
    """People, merged reports and grounds stand in a history by name, title and number; an inbox has numbers."""
    with open_flow(url) as flow:
        target = next(one for one in every(flow) if isinstance(one, Report) and one.credits)
        merged = flow.store.get([target.credits[0]])[0].reference
        rejected = next(iter(flow.store.find(Query(kind="report", state="rejected")))).reference
    for number in (merged, target.number, rejected):
        shown = run("history", number, "--database", url, language=language).stdout
        assert number in shown
        codes = r"[0-9a-f]{8}-|editor-|reviewer-|routine_|already_|personal_|no_sugg|in_lit|shuochuan"
        assert not re.search(codes, shown)
    assert target.title[:8] in re.sub(r"\s", "", run("history", merged, "--database", url).stdout)


def test_several_reports_of_one_number_ask_for_the_id(small: str) -> None:
    """Where two units gave the same number, the terminal asks which is meant, and takes an id too."""
    with open_flow(small, new_id=iter(["id-a", "id-b"]).__next__) as flow:
        for unit in ("a", "b"):
            editor = Actor(id="f", roles={"editor"}, unit=unit)
            report = flow.create(Report.draft(title=unit, text="t", authors=[Author(name="a")]), by=editor)
            flow.fire(report, "classify", Classification(number="7"), by=editor)

    assert fails("history", "7", "--database", small) == text("wrong.number", given="7", choices=["id-a", "id-b"])
    assert "No. 7" in run("history", "id-b", "--database", small).stdout


def test_a_reason_is_in_the_history(url: str) -> None:
    """Why a report was returned stands in its timeline."""
    with open_flow(url) as flow:
        record = next(iter(flow.store.find(Query(state="returned"))))
        reason = flow.store.history([record.id])[-1].reason

    shown = run("history", record.id, "--database", url).stdout

    assert reason in re.sub(r"\s", "", shown)


def test_times_are_those_of_the_offset(url: str) -> None:
    """With another offset the same act is shown at another time of day."""
    with open_flow(url) as flow:
        record = next(iter(flow.store.find(Query(state="returned"))))
        at = flow.store.history([record.id])[0].at

    assert (
        at.strftime("%Y-%m-%d %H:%M") in run("history", record.id, "--database", url, "--utc-offset", "+00:00").stdout
    )


@BOTH
def test_an_unknown_id_is_a_sentence(url: str, language: str) -> None:
    """A history of nothing ends in the error's own sentence."""
    assert fails("history", "nobody", "--database", url, language=language) == STANDARD.text(
        "error.record_not_found", language
    )


@BOTH
@pytest.mark.parametrize(("role", "state"), [("editor", "draft"), ("reviewer", "edited"), ("registrar", "reviewed")])
def test_an_inbox_shows_what_waits_for_a_role(url: str, role: str, state: str, language: str) -> None:
    """What waits for a role is shown with its number, all of it, and what is due comes first."""
    shown = run("inbox", "--as", role, "--database", url, language=language).stdout

    with open_flow(url) as flow:
        waiting = flow.store.find(Query(state=state, order=("due_at", "created_at"))).records
    numbers = re.findall(r"\b2022-\d{3}\b", shown)
    assert numbers == [record.reference for record in waiting]
    assert len(numbers) == plan.ENDS[f"in_{state}"]
    assert REPORT.label_of("state", state, language) in shown
    assert max(cell_len(line) for line in shown.splitlines()) <= 80


def test_a_contributors_inbox_is_their_own(url: str) -> None:
    """A contributor must be named, and sees what was returned to them."""
    with open_flow(url) as flow:
        record = next(iter(flow.store.find(Query(state="returned"))))

    assert fails("inbox", "--as", "contributor", "--database", url) == text("inbox.own", given="contributor")
    shown = run("inbox", "--as", "contributor", "--id", record.created_by, "--database", url).stdout
    assert record.reference in shown


@BOTH
def test_an_empty_inbox_is_a_sentence(url: str, language: str) -> None:
    """Nothing waits for an auditor."""
    result = run("inbox", "--as", "auditor", "--database", url, language=language)

    role = REPORT.label_of("role", "auditor", language)
    assert result.stdout.strip() == text("inbox.empty", language, given=role)


def test_a_long_inbox_says_that_there_is_more(url: str) -> None:
    """Beyond the limit the inbox says how to see the rest."""
    shown = run("inbox", "--as", "editor", "--limit", "3", "--database", url).stdout

    assert text("inbox.more", number=30) in shown


def test_an_unknown_role_is_refused_with_the_choices(url: str) -> None:
    """An unknown role is answered with those that there are, as they are typed and as they are called."""
    said = fails("inbox", "--as", "boss", "--database", url, language="zh")

    assert "contributor（反映人）、editor（编辑）、reviewer（审核人）、registrar（文书）或auditor（查阅人）" in said


#: What a terminal would obey, or would not show: a code that erases, marks that turn text round, and an invisible one.
OBEYED = "\x1b[2J\x07\u202e\u2066\u200b\x9b"


@BOTH
def test_several_units_are_shown_together(small: str, language: str) -> None:
    """With several units in the store the terminal shows all of them, and of which each is; named, that one's."""
    with open_flow(small) as flow:
        flow.create(
            Report.draft(title="b", text="t", authors=[Author(name="a")]),
            by=Actor(id="f", roles={"editor"}, unit=f"el{OBEYED}se"),
        )
        flow.create(
            Report.draft(title="nowhere", text="t", authors=[Author(name="a")]),
            by=Actor(id="f", roles={"contributor"}),
        )
    year = str(datetime.now(UTC).year)

    shown = run("inbox", "--as", "editor", "--database", small, language=language, env={"COLUMNS": "200"})
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert all(one in shown.stdout for one in ("the-id", "somewhere", "nowhere", text("inbox.unit", language)))
    assert not set(OBEYED[:1] + OBEYED[4:]) & set(shown.stdout)
    counted = run("figures", "--json", "--year", year, "--database", small, language=language)
    assert json.loads(counted.stdout)["collected"] == 3
    one = run("inbox", "--as", "editor", "--unit", "somewhere", "--database", small, language=language).stdout
    assert "the-id" in one
    assert "nowhere" not in one
    with open_flow(small) as flow:
        found = {record.title: record.id for record in flow.store.find(Query())}
    assert "nowhere" in run("history", found["nowhere"], "--database", small, language=language).stdout


@BOTH
@pytest.mark.parametrize(
    "arguments",
    [
        ("history", OBEYED),
        (OBEYED,),
        ("inbox", "--as", OBEYED),
        ("inbox", f"--{OBEYED}"),
        ("figures", "--year", OBEYED),
        ("inbox", "--as", "editor", "--database", f"sqlite:///{OBEYED}.db"),
    ],
)
def test_what_is_typed_is_quoted_and_never_obeyed(small: str, arguments: tuple[str, ...], language: str) -> None:
    """An error quotes what was typed or stored with escapes for all that a terminal would obey or hide."""
    said = run(*arguments, language=language, env={"REPORTFLOW_DATABASE": small})

    assert said.exit_code in (1, 2)
    assert not set(OBEYED.replace("[2J", "")) & set(said.output)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp437", "gbk"])
@BOTH
def test_a_terminal_without_the_characters_is_served(url: str, encoding: str, language: str) -> None:
    """Where the terminal lacks a character, an escape stands in its place, and each command ends well."""
    settings = {"COLUMNS": "80", "REPORTFLOW_LANGUAGE": language, "REPORTFLOW_DATABASE": url}
    terminal = CliRunner(charset=encoding)
    for arguments in (
        ["figures", "--year", "2022"],
        ["inbox", "--as", "editor"],
        ["history", "2022-081"],
        ["history", "没有"],
        ["check", "--help"],
    ):
        result = terminal.invoke(commands.reportflow, arguments, env=settings, prog_name="reportflow")
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert result.exit_code == (1 if "没有" in arguments else 0)


@pytest.mark.parametrize("command", [("history", "the-id"), ("inbox", "--as", "editor")])
def test_what_stands_in_a_record_is_shown_and_never_obeyed(small: str, command: tuple[str, ...]) -> None:
    """Escape codes, marks that turn text round and markup in a title reach no terminal as such."""
    shown = run(*command, "--database", small).stdout

    assert "[bold]x [2J y[/bold]" in shown
    assert "\x1b" not in shown


@BOTH
@pytest.mark.parametrize("kind", ["mermaid", "dot"])
def test_a_diagram_is_the_drawing_of_the_table(language: str, kind: str) -> None:
    """`diagram` prints what the library draws, with and without loops."""
    draw = {"mermaid": mermaid, "dot": dot}[kind]
    for flag, loops in (("--loops", True), ("--no-loops", False)):
        shown = run("diagram", "--format", kind, flag, language=language).stdout
        assert shown == draw(REPORT, language, loops=loops)


def test_a_diagram_of_ones_own_lifecycle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`package.module:LIFECYCLE` draws a lifecycle of a module beside which the command is typed."""
    (tmp_path / "cli_test_errands.py").write_text(
        "from reportflow import *\n"
        "class CliTestErrand(Record):\n    pass\n"
        "ERRAND = Lifecycle(name='cli-test-errand', version=1, record=CliTestErrand, roles={'clerk': ANY},\n"
        "    states=[State('run', final=True)],\n"
        "    transitions=[Transition('create', source=None, dest='run', roles={'clerk'})])\n"
    )
    monkeypatch.chdir(tmp_path)

    assert "[*] --> s0 : create" in run("diagram", "cli_test_errands:ERRAND").stdout
    assert "cli_test_errands" in sys.modules
    assert "" not in sys.path[:1]


@BOTH
def test_a_client_is_written_and_checked(tmp_path: Path, language: str) -> None:
    """`client` prints the module; with `--check` it says where a file is another one, or cannot be read."""
    written = run("client", language=language).stdout
    assert written == client_source(REPORT, "")
    file = tmp_path / "client.py"
    file.write_text(written, encoding="utf-8")
    assert run("client", "--check", str(file), language=language).stdout == ""
    file.write_text(written + "# mine\n", encoding="utf-8")
    assert f"reportflow client > {file}" in fails("client", "--check", str(file), language=language)
    assert "IsADirectoryError" in fails("client", "--check", str(tmp_path), language=language)


def test_a_definition_without_a_client_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a class that JSON cannot say `client` names the field."""
    (tmp_path / "cli_test_places.py").write_text(
        "import enum, attrs\nfrom reportflow import *\n"
        "class Place(enum.Enum):\n    HERE = (1, 2)\n"
        "@attrs.frozen(kw_only=True)\nclass CliTestPlace(Record):\n    place: Place = Place.HERE\n"
        "PLACES = Lifecycle(name='cli-test-place', version=1, record=CliTestPlace, roles={'clerk': ANY},\n"
        "    states=[State('run', final=True)],\n"
        "    transitions=[Transition('create', source=None, dest='run', roles={'clerk'})])\n"
    )
    monkeypatch.chdir(tmp_path)

    assert "CliTestPlace.place" in fails("client", "cli_test_places:PLACES", language="en")


@BOTH
@pytest.mark.parametrize(
    ("given", "why"),
    [("json", "no_colon"), ("json:nothing", "no_attribute"), ("json:loads", "not_a_lifecycle"), ("no.such:X", "")],
)
def test_a_wrong_lifecycle_is_a_sentence(given: str, why: str, language: str) -> None:
    """What names no lifecycle is said with the reason."""
    said = fails("diagram", given, language=language)

    assert given in said
    if why:
        assert text(f"wrong.{why}", language, name="nothing", kind="function") in said


@BOTH
@pytest.mark.parametrize(
    "command", [("figures", "--year", "2022"), ("history", "x"), ("inbox", "--as", "editor")], ids=lambda one: one[0]
)
def test_a_mistyped_path_makes_no_file(tmp_path: Path, command: tuple[str, ...], language: str) -> None:
    """Reading commands on a path that is not there say so, and leave it so."""
    said = fails(*command, "--database", f"sqlite:///{tmp_path / 'ofice.db'}", language=language)

    assert f"reportflow demo --database sqlite:///{tmp_path / 'ofice.db'}" in said
    assert is_chinese(said) is (language == "zh")
    assert list(tmp_path.iterdir()) == []


@BOTH
@pytest.mark.parametrize(
    "arguments",
    [
        ("figures", "--year", "2022", "--database", "office.db"),
        ("figures", "--year", "2022", "--database", "postgresql://x/y"),
        ("figures", "--year", "0", "--database", "memory:"),
        ("figures", "--year", "2022", "--utc-offset", "noon", "--database", "memory:"),
        ("demo", "--database", "sqlite:///"),
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_errors_are_sentences_in_the_language(arguments: tuple[str, ...], language: str) -> None:
    """What the library refuses ends in one sentence of the chosen language."""
    assert is_chinese(fails(*arguments, language=language)) is (language == "zh")


def test_a_file_that_is_no_database_stays_as_it_is(tmp_path: Path) -> None:
    """A demo on a file of something else ends in a sentence, and the file is untouched."""
    file = tmp_path / "thesis.doc"
    file.write_text("not a database, but a thesis" * 100)

    assert str(file) in fails("demo", "--database", f"sqlite:///{file}", code=4)
    assert file.read_text().startswith("not a database, but a thesis")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": ""}, "en"),
        ({"LANG": "en_US.UTF-8", "REPORTFLOW_LANGUAGE": "zh"}, "zh"),
    ],
)
def test_the_language_is_the_environments(environment: dict[str, str], language: str) -> None:
    """REPORTFLOW_LANGUAGE counts, then LC_ALL, then LANG; else it is English."""
    assert language_of_environment(environment) == language


def test_the_option_outdoes_the_environment() -> None:
    """`--language` counts before and after the command."""
    chinese = text("figures.empty", "zh", year=2022, url="memory:")
    rest = ("figures", "--year", "2022", "--database", "memory:")

    assert run("--language", "zh", *rest).stdout.strip() == chinese
    assert run(*rest, "--language", "zh").stdout.strip() == chinese


def test_the_database_is_the_environments(url: str) -> None:
    """REPORTFLOW_DATABASE names the database where no option does."""
    result = run("figures", "--year", "2022", "--json", env={"REPORTFLOW_DATABASE": url})

    assert SIX.items() <= json.loads(result.stdout).items()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("figurs",), "没有此命令“figurs”。"),
        (("db", "nope"), "没有此命令“nope”。"),
        (("figures",), "缺少 --year。"),
        (("history",), "缺少 来稿编号。"),
        (("history", "a", "b"), "参数过多或过少。"),
        (("figures", "--year", "x"), "“--year”的值有误，应为整数。"),
        (("figures", "--yaer", "1"), "没有此选项“--yaer”。"),
        (("diagram", "--format", "x"), "“--format”的值有误；可选：mermaid或dot。"),
        (("figures", "--year"), "选项“--year”的写法有误。"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_usage_errors_are_in_the_language(arguments: tuple[str, ...], message: str) -> None:
    """What is typed wrongly ends with exit code 2: in Chinese where that is the language, else as click writes it."""
    for before in ((), ("--language", "zh")):
        result = run(*before, *arguments, language="en" if before else "zh")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.splitlines()[-1] == f"错误：{message}"
    for before in ((), ("--language", "en")):
        result = run(*before, *arguments, language="zh" if before else "en")
        assert (result.exit_code, result.stdout) == (2, "")
        assert not is_chinese(result.stderr)
        assert "Error: " in result.stderr


@BOTH
def test_a_failure_of_the_database_has_its_technical_reason(tmp_path: Path, language: str) -> None:
    """A clerk reads what to do; the operator's technical reason stands behind it."""
    said = fails("demo", "--database", f"sqlite:///{tmp_path}", language=language, code=4)

    clerk, _, technical = said.partition({"en": " Technical: ", "zh": "技术信息："}[language])
    assert str(tmp_path) not in clerk
    assert str(tmp_path) in technical


HELPED = ["demo", "figures", "history", "inbox", "diagram", "check", "client", "new", "fire", "options", "show", "find"]
HELPED += ["diff", "upload", "download", "sweep", "relay", "completion"]


@BOTH
@pytest.mark.parametrize("command", [*HELPED, ""])
def test_help_is_in_the_language(command: str, language: str) -> None:
    """Each command's help is in the language, for each of its options and click's own words, in 80 columns."""
    result = run(*([command] if command else []), "--help", language=language)

    assert result.exit_code == 0
    assert text(f"help.{command or 'reportflow'}", language) in " ".join(result.stdout.split())
    assert text("help.language", language) in result.stdout
    assert "cli." not in result.stdout
    if language == "zh":
        assert not re.search(r"Usage|Options|Commands|OPTIONS|ARGS|default|required|选项:|NUMBER", result.stdout)
    assert "help." not in result.stdout
    assert max(cell_len(line) for line in result.stdout.splitlines()) <= 80


def fields(template: str) -> set[str]:
    """The facts that fill a text."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


#: The codes of the terminal's texts, without their first room.
CODES = sorted(code.removeprefix("cli.") for code in STANDARD.codes() if code.startswith("cli."))


@pytest.mark.parametrize("code", CODES)
def test_each_text_has_both_languages_with_the_same_facts(code: str) -> None:
    """No text of the terminal lacks a language, and both are filled with the same facts."""
    english, chinese = (STANDARD.template(f"cli.{code}", language) for language in LANGUAGES)

    assert english
    assert chinese
    letters = re.sub(r"\{\w+\}", "", english)
    assert is_chinese(chinese) or not re.search("[A-Za-z]", letters) or code.startswith("phrase.")
    assert fields(english) == fields(chinese)


def test_each_code_of_the_terminal_is_in_its_texts() -> None:
    """Every code in the sources of the terminal has a text, and no text is left over."""
    rooms = "help|demo|figures|history|check|inbox|db|conform|cover|verify|wrong"
    rooms += "|field|done|options|sheet|diff|find|files|relay|serve"
    sources = [file.read_text("utf-8") for file in Path(str(commands.__file__)).parent.glob("*.py")]
    found = {code for source in sources for code in re.findall(rf'"(?:cli\.)?((?:{rooms})\.[\w.]+)"', source)}
    found |= {f"help.{name}" for name in commands.reportflow.commands}
    found |= {f"help.db.{name}" for name in tables.db.commands}
    found |= {f"db.{name}" for name in ("made", "already", "upgraded")}
    found |= {f"db.so_far.{name}" for name in ("verifying", "copying", "comparing", "finished")}
    looked_up = {code for code in CODES if code.partition(".")[0] in ("click", "usage", "phrase")}

    assert found == set(CODES) - looked_up


def test_each_phrase_fits_an_act() -> None:
    """A phrase of the terminal belongs to a trigger of the report, and names fields of its details."""
    for code in CODES:
        if code.startswith("phrase."):
            trigger = code.split(".")[1]
            details = REPORT.rows(trigger)[0].details
            assert details is not None
            assert fields(STANDARD.template(f"cli.{code}") or "") <= {one.name for one in attrs.fields(details)}


@pytest.mark.parametrize("package", ["click", "rich"])
@BOTH
def test_without_the_extra_the_terminal_says_what_to_install(package: str, language: str) -> None:
    """Where click or rich is missing, `main` ends in one sentence that names the extra."""
    code = f"import sys; sys.modules['{package}'] = None; from reportflow.cli import main; main()"
    environment = {**os.environ, "REPORTFLOW_LANGUAGE": language, "PYTHONUTF8": "1"}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, encoding="utf-8")

    assert (result.returncode, result.stdout) == (1, "")
    assert 'pip install "reportflow[cli]"' in result.stderr
    assert package in result.stderr
    assert result.stderr.count("\n") == 1


SCRIPT = Path(sys.executable).with_name("reportflow")


@pytest.mark.parametrize(
    "program",
    [
        pytest.param([sys.executable, "-m", "reportflow.cli"], id="module"),
        pytest.param(
            [str(SCRIPT)],
            id="script",
            marks=pytest.mark.skipif(not SCRIPT.exists(), reason="reportflow is not installed here"),
        ),
    ],
)
@BOTH
def test_the_real_program_says_the_same(url: str, program: list[str], language: str) -> None:
    """The console script, and the module, run the same commands: an answer on stdout, an error on stderr."""
    environment = {**os.environ, "REPORTFLOW_LANGUAGE": language, "REPORTFLOW_DATABASE": url, "PYTHONUTF8": "1"}

    def typed(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*program, *arguments], env=environment, capture_output=True, encoding="utf-8")

    counted = typed("figures", "--year", "2022", "--json")
    assert counted.stderr == ""
    assert SIX.items() <= json.loads(counted.stdout).items()
    unknown = typed("history", "nobody")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr.strip() == STANDARD.text("error.record_not_found", language)


@pytest.mark.parametrize(
    ("started", "found", "shown"),
    [
        ("pytest", None, "reportflow"),
        ("venv/bin/reportflow", None, "venv/bin/reportflow"),
        ("venv/bin/reportflow", "venv/bin/reportflow", "reportflow"),
        ("venv/bin/reportflow", "other/reportflow", "venv/bin/reportflow"),
        ("some/reportflow/cli/__main__.py", None, "python -m reportflow.cli"),
    ],
)
def test_what_comes_next_can_be_typed_as_it_stands(
    started: str, found: str | None, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands shown at the end name the program as it was started, unless the bare name finds the same one."""
    for name in ("venv/bin/reportflow", "other/reportflow"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [started])
    monkeypatch.setenv("PATH", str(tmp_path / found).removesuffix("/reportflow") if found else "")
    assert commands._program() == shown
