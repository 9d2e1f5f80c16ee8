"""`show`, `find`, `inbox`, `history` and `diff`, with filters, pages, zones and plain data."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from reportflow import Actor, open_flow
from reportflow.cli.environment import LANGUAGES
from reportflow.cli.widths import columns, wrapped
from reportflow.i18n.catalog import STANDARD
from reportflow.office import REPORT, Author, Merge, Report, Revision
from tests.cli.terminal import EDITOR, Shell

BOTH = pytest.mark.parametrize("language", LANGUAGES)
LI = Actor(id="li", name="李娜", roles={"editor"}, unit="yulin")
REGISTRY = Actor(id="chen", name="陈静", roles={"registrar"}, unit="yulin")


def text(code: str, language: str = "en", **facts: object) -> str:
    """A text of the terminal."""
    return STANDARD.text(f"cli.{code}", language, facts)


@pytest.fixture(name="shell")
def fixture_shell(tmp_path: Path) -> Shell:
    """A shell on an office with three reports, the second one edited, the third of another unit."""
    shell = Shell.on(tmp_path)
    with open_flow(shell.url) as flow:
        for title, topic in (("Eight lamps 灯", "housing"), ("Roads 路", "education")):
            draft = Report.draft(
                title=title, text="One. Two lamps are dark.", authors=[Author(name="Qian")], topics=[topic]
            )
            report = flow.create(draft, by=LI)
        flow.fire(report, "edit", Revision(text="One. Three lamps are dark.\nFour.", title="Wide roads 路"), by=LI)
        other = Actor(id="x", roles={"editor"}, unit="suide")
        flow.create(Report.draft(title="Other", text="t", authors=[Author(name="a")]), by=other)
    return shell


def titles(found: Any) -> list[str]:
    """The titles of a page."""
    return [one["title"] for one in found["records"]]


def id_of(shell: Shell, *typed: str) -> str:
    """The id of the one record that is found."""
    [one] = shell.plain("find", *typed)["records"]
    return str(one["id"])


@BOTH
def test_a_sheet_has_what_a_clerk_looks_for(shell: Shell, language: str) -> None:
    """Title, state, whose turn, people by name, facts by their labels, the text; no wide line and no foreign id."""
    id = id_of(shell, "Wide")
    shown = Shell(shell.url, language).says("show", id)
    assert shown.startswith("Wide roads 路\n")
    for room, name in (("state", "edited"), ("role", "reviewer")):
        assert REPORT.label_of(room, name, language) in shown
    for word in ("李娜", "Qian", "Three lamps are dark.", "  Four.", STANDARD.label("topic", "education", language)):
        assert word in shown
    assert " li" not in shown
    assert max(cell_len(line) for line in shown.splitlines()) <= 80
    assert "Two lamps" in Shell(shell.url, language).says("show", id, "--version", "1")
    assert shell.plain("show", id, "--version", "1")["version"] == 1
    shell.wrong("show", id, "--version", "9")


def test_find_filters(shell: Shell) -> None:
    """Words, states by name or label, topics, units, people, times and what was done narrow what is found."""
    both = ["Eight lamps 灯", "Wide roads 路"]
    for typed, expected in (
        ((), [*both, "Other"]),
        (("Eight",), both[:1]),
        (("--state", "edited"), both[1:]),
        (("--state", "来稿", "--state", "awaiting review", "--of-unit", "yulin"), both),
        (("--topic", "housing"), both[:1]),
        (("--of-unit", "suide"), ["Other"]),
        (("--created-by", "li"), both),
        (("--kind", "report", "--secrecy", "secret"), []),
        (("--done", "编辑"), both[1:]),
        (("--done", "edit", "--done-at", "2001"), []),
        (("--party", "nobody"), []),
        (("--created", "2001..2002-03"), []),
        (("--created", "2001-02-03.."), [*both, "Other"]),
        (("--created", "..2001-02-03 14:00"), []),
        (("--updated", "2001-02-03T14:00:00+00:00..2001-02-04"), []),
        (("--due", ".."), []),
        (("--as", "editor", "--unit", "suide"), ["Other"]),
        (("--as", "editor"), [*both, "Other"]),
    ):
        assert titles(shell.plain("find", "--order", "created_at", *typed)) == expected, typed


def test_pages_follow_each_other(shell: Shell) -> None:
    """`--limit` and `--cursor` page, the last page has no cursor; a list and an inbox say how to go on."""
    first = shell.plain("find", "--limit", "2", "--order", "-title")
    rest = shell.plain("find", "--limit", "2", "--order", "-title", "--cursor", first["next"])
    assert titles(first) + titles(rest) == ["Wide roads 路", "Other", "Eight lamps 灯"]
    assert rest["next"] is None
    shown = shell.says("find", "--limit", "2", "--order", "-title")
    assert text("find.more", cursor=first["next"]) in shown
    assert shell.wrong("find", "--cursor", "made up")
    assert titles(shell.plain("inbox", "--as", "editor")) == ["Eight lamps 灯", "Other"]
    assert text("inbox.more", number=10) in shell.says("inbox", "--as", "editor", "--limit", "1")
    assert text("inbox.empty", given="auditor") in shell.says("inbox", "--as", "auditor")
    assert shell.plain("inbox", "--as", "auditor") == {"records": [], "next": None, "unreadable": []}
    assert "Eight lamps" in shell.says("inbox"), "the operator has every role"


@BOTH
def test_what_is_asked_wrongly_is_said(shell: Shell, language: str) -> None:
    """Nothing found, an unknown state, a stretch of time that is none, a role that is none."""
    shell = Shell(shell.url, language)
    assert shell.says("find", "no such words").strip() == text("find.none", language)
    said = shell.wrong("find", "--state", "moon")
    assert REPORT.label_of("state", "edited", language) in said
    for given in ("noon", "2001-13", "2001-02-30", "2001-1-1-1", "2002..2001x", "9999-12-31 23:59:30"):
        assert given in shell.wrong("find", "--created", given, expected=2)
    assert "boss" in shell.wrong("find", "--as", "boss")
    assert "wrong.choice" not in shell.wrong("find", "--as", "contributor")


@BOTH
def test_a_difference_reads_without_colour(shell: Shell, language: str) -> None:
    """Sentences that were changed stand with what was removed and added, other fields as before and after."""
    id = id_of(shell, "Wide")
    shown = Shell(shell.url, language).says("diff", id)
    assert "One. [-Two-]{+Three+} lamps are dark.{+\nFour.+}" in shown
    assert "[-Roads 路-]{+Wide roads 路+}" in shown
    label = REPORT.label_of("field", "state", language)
    states = [REPORT.label_of("state", one, language) for one in ("draft", "edited")]
    assert text("diff.field", language, name=label, old=states[0], new=states[1]) in shown
    assert "\x1b" not in shown
    assert text("diff.none", language) in Shell(shell.url, language).says("diff", id, "--from", "2", "--to", "2")
    fields = shell.plain("diff", id, "--from", "1", "--to", "2")["fields"]
    assert fields["state"] == {"from": "draft", "to": "edited"}
    assert set(fields) == {"state", "title", "text", "revision"}
    with open_flow(shell.url) as flow:
        flow.fire(id, "edit", Revision(text="Five."), by=Actor(id="o", roles={"editor"}, unit="yulin"))
    own = shell.plain("diff", id, *EDITOR)
    assert (own["from"], own["to"]) == (2, 3), "since the person's last act"
    assert shell.plain("diff", id)["from"] == 1


@BOTH
def test_a_history_is_one_object_too(shell: Shell, language: str) -> None:
    """`history --json` has each entry; a record that another was merged into stands in it by title."""
    lamps, roads = id_of(shell, "Eight"), id_of(shell, "Wide")
    entries = shell.plain("history", roads)["entries"]
    assert [one["trigger"] for one in entries] == ["create", "edit"]
    with open_flow(shell.url) as flow:
        flow.fire(lamps, "merge", Merge(target=roads), by=LI)
    shown = re.sub(r"\s", "", Shell(shell.url, language).says("history", lamps))
    assert "Wideroads路" in shown
    assert roads not in shown


@BOTH
def test_what_was_verified_is_one_object_too(shell: Shell, language: str) -> None:
    """`verify --json` says how much was verified and what is wrong, with the exit code of the text."""
    shell = Shell(shell.url, language)
    found = shell.plain("verify")
    assert (found["ok"], found["records"], found["entries"], found["finished"]) == (True, 3, 4, True)
    with open_flow(shell.url) as flow, flow.store.engine.begin() as connection:  # type: ignore[attr-defined]  # an SqlStore
        connection.exec_driver_sql("UPDATE reportflow_record SET title = 'x' WHERE unit = 'suide'")
    found = shell.plain("verify", expected=1)
    assert [one["code"] for one in found["flaws"]] == ["record_differs"]
    assert found["flaws"][0]["message"]


def test_times_are_shown_in_a_zone_by_name_or_offset(shell: Shell) -> None:
    """`--zone` takes a name or an offset, as `--utc-offset` and the environment do; another word is refused."""
    id = id_of(shell, "Wide")
    names = ("Asia/Shanghai", "+08:00", "America/New_York")
    china, offset, other = (shell.says("show", id, "--zone", zone) for zone in names)
    assert china == offset == shell.says("show", id, "--utc-offset", "+08:00") == shell.says("show", id)
    assert china != other == Shell(shell.url, env={"REPORTFLOW_ZONE": "America/New_York"}).says("show", id)
    assert "Asia/Nowhere" in shell.wrong("show", id, "--zone", "Asia/Nowhere")


def test_a_list_of_mixed_widths_is_even(shell: Shell) -> None:
    """Columns begin in the same cell in each row, whatever the characters before take."""
    shown = shell.says("find", "--order", "created_at").splitlines()
    rows = [line for line in shown if "yulin" in line or "suide" in line]
    places = {cell_len(line[: re.search("yulin|suide", line).start()]) for line in rows}  # type: ignore[union-attr]  # found above
    assert len(rows) == 3
    assert len(places) == 1


def test_help_is_wrapped_in_cells() -> None:
    """Lines keep to their width in cells, closing marks stay with the word before, and nothing is lost."""
    said = "一、情况（据调研）：《大漠诤言》第3期，wide words and 宽的字，全部写出。"
    for width in range(6, 40):
        lines = wrapped(said, width)
        assert "".join(lines).replace(" ", "") == said.replace(" ", "")
        assert not any(line[0] in "，。：、）》" for line in lines)
        assert all(cell_len(line) <= width for line in lines if " " in line or "一" <= line[0] <= "鿿")
    assert wrapped("", 10) == [""]
    assert columns([], 0, 80) == ""
    assert columns([("名", "meaning of it"), ("a name too wide", "x"), ("bare", "")], 2, 20, most=6) == (
        "  名      meaning of\n          it\n  a name too wide\n          x\n  bare\n"
    )


def test_a_broken_pipe_is_quiet(shell: Shell) -> None:
    """Where the reader of a pipe ends first, the terminal ends without a word."""
    program = [sys.executable, "-m", "reportflow.cli", "find", "--json"]
    environment = {**os.environ, "REPORTFLOW_DATABASE": shell.url, "PYTHONUTF8": "1"}
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(program, env=environment, stdout=write, stderr=subprocess.PIPE, encoding="utf-8")
    finally:
        os.close(write)
    assert "Traceback" not in done.stderr
    assert "Errno" not in done.stderr


def test_storage_that_fails_has_exit_code_4(tmp_path: Path) -> None:
    """A file that is no database, and tables of another version, end in exit code 4, as a problem document too."""
    file = tmp_path / "thesis.doc"
    file.write_text("no database" * 100)
    shell = Shell(f"sqlite:///{file}")
    shell.wrong("find", expected=4)
    assert shell.plain("find", expected=4)["status"] == 503
    missing = Shell(f"sqlite:///{tmp_path / 'none.db'}")
    assert "reportflow demo" in missing.plain("find", expected=1)["detail"]


def test_an_error_of_the_terminal_is_a_document_too(shell: Shell) -> None:
    """With `--json` what is no error of the library is a problem document as well, on one line."""
    result = shell.run("find", "--as", "boss", "--json", expected=1)
    document = json.loads(result.stdout)
    assert document["type"] == "urn:reportflow:error:terminal"
    assert "boss" in document["detail"]
