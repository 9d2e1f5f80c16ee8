"""`new`, `fire` and `options`: options made from the fields of a table, receipts, refusals, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from rich.cells import cell_len

from reportflow import Actor, open_flow
from reportflow.cli.environment import LANGUAGES
from reportflow.cli.forms import FIELDS
from reportflow.flow.sync import ReportFlow
from reportflow.i18n.catalog import STANDARD
from reportflow.office import REPORT
from reportflow.office.report import Level
from reportflow.serialization.plain import to_plain
from tests.cli.terminal import EDITOR, OBEYED, REGISTRAR, REVIEWER, Shell

BOTH = pytest.mark.parametrize("language", LANGUAGES)


def text(code: str, language: str = "en", **facts: object) -> str:
    """A text of the terminal."""
    return STANDARD.text(f"cli.{code}", language, facts)


@pytest.fixture(name="shell")
def fixture_shell(tmp_path: Path) -> Shell:
    """A shell on an empty office."""
    return Shell.on(tmp_path)


def stored(shell: Shell, id: str) -> Any:
    """A record as it is stored."""
    with open_flow(shell.url) as flow:
        return flow.store.get([id])[0]


def test_a_report_goes_its_way_in_a_shell(shell: Shell) -> None:
    """Created, edited, passed, numbered and adopted by three people, each act with the options of its fields."""
    id = shell.new("--topics", "education", "--topics", "housing", "--source", "政协委员")
    shell.run("fire", id, "edit", "--text", "Eight lamps are dark.", *EDITOR)
    shell.run("fire", id, "审核通过", *REVIEWER)
    shell.run("fire", id, "classify", "--number", "2022-7", "--secrecy", "秘密", *REGISTRAR)
    before = ("--at", "2022-04-27")
    shell.run("fire", "2022-7", "adopt", "--body", "省政协", "--level", "省级", *before, *REGISTRAR, expected=1)
    shown = shell.says("fire", "2022-7", "adopt", "--body", "省政协", "--level", "province", *REGISTRAR)

    assert text("done.entered", act="record an adoption", given="'Eight lamps' (2022-7)") in shown
    record = stored(shell, id)
    assert (record.state, record.topics, record.unit) == ("adopted", ("education", "housing"), "yulin")
    with open_flow(shell.url) as flow:
        history = flow.store.history([id])
    assert [entry.actor.name for entry in history] == ["李娜", "李娜", "王强", "陈静", "陈静"]
    assert all(entry.actor.unit == "yulin" for entry in history)
    assert history[-1].details is not None
    assert getattr(history[-1].details, "level", None) is Level.PROVINCE


@BOTH
def test_a_receipt_says_whose_turn_it_is(tmp_path: Path, language: str) -> None:
    """After an act stand what was entered, how far the record is, and who is next."""
    shell = Shell.on(tmp_path, language=language)
    shown = shell.says("new", "--title", "灯", "--text", "坏了。", "--authors", "name=钱,unit=榆林,level=city", *EDITOR)

    state, role = REPORT.label_of("state", "draft", language), REPORT.label_of("role", "editor", language)
    assert text("done.state_next", language, given=state, roles=role) in shown


@BOTH
def test_every_fault_is_named_by_its_option(tmp_path: Path, language: str) -> None:
    """All that is wrong is said at once, a line for each option, with exit code 2; nothing is written."""
    shell = Shell.on(tmp_path, language=language)
    typed = ("--title", " ", "--source", "nowhere", "--secrecy", "very", "--text", "@/no/such", "--topics", "a")
    said = shell.wrong("new", *typed, *EDITOR, expected=2)
    names = [line.partition(":")[0] for line in said.splitlines()]
    assert sorted(names) == ["--authors", "--secrecy", "--source", "--text", "--title"]

    document = shell.plain("new", *typed[2:], *EDITOR, expected=2)
    assert document["type"] == "urn:reportflow:error:invalid_value"
    assert {"#/authors", "#/source", "#/secrecy", "#/title"} <= {one["pointer"] for one in document["errors"]}
    with open_flow(shell.url) as flow:
        assert flow.store.feed() == []


def test_a_faulty_part_is_its_options(shell: Shell) -> None:
    """What is wrong inside a value of several parts, or stands in no option, is said of its option or of --details."""
    about = ("new", "--title", "a", "--text", "b")
    assert shell.wrong(*about, "--authors", "name=x,level=moon", *EDITOR, expected=2).startswith("--authors: ")
    assert shell.wrong(*about, "--authors", "nobody=x", *EDITOR, expected=2).startswith("--authors: ")
    assert shell.wrong(*about, "--authors", "{", *EDITOR, expected=2).startswith("--authors: ")
    assert shell.wrong(*about, "--details", '{"colour": 1}', *EDITOR, expected=2).count("--details: ") == 1
    assert shell.wrong(*about, "--authors", "name=x\ry", *EDITOR, expected=2).startswith("--authors: ")
    assert shell.wrong("new", "--details", "[1]", *EDITOR, expected=2).startswith("--details: ")
    assert shell.wrong("new", "--details", "@/no/such", *EDITOR, expected=2).startswith("--details: ")
    assert shell.wrong(*about, "--authors", "x", "--text", "@/no/such", *EDITOR, expected=2).count("\n") == 1


def test_long_texts_come_from_files_and_from_the_standard_input(shell: Shell, tmp_path: Path) -> None:
    """`@path` and `-` are read, `@@` begins a text with an @; whole details come as JSON, and options outdo them."""
    file = tmp_path / "text.txt"
    file.write_text("\ufeffFirst.\nSecond.\n", encoding="utf-8")
    id = shell.new("--text", f"@{file}", "--origin", "@@home")
    assert (stored(shell, id).text, stored(shell, id).origin) == ("First.\nSecond.", "@home")
    shell.run("fire", id, "edit", "--text", "-", *EDITOR, given="第三。\n")
    assert stored(shell, id).text == "第三。"
    shell.run("fire", id, "edit", "--details", '{"text": "x", "title": "t"}', "--title", "T", *EDITOR)
    assert (stored(shell, id).text, stored(shell, id).title) == ("x", "T")
    details = tmp_path / "details.json"
    details.write_text('{"text": "from a file"}', encoding="utf-8")
    shell.run("fire", id, "edit", "--details", f"@{details}", *EDITOR)
    assert stored(shell, id).text == "from a file"
    file.write_bytes(b"\xff")
    assert "--text: " in shell.wrong("fire", id, "edit", "--text", "-", *EDITOR, expected=2, given="\udcff")
    assert "--text: " in shell.wrong("fire", id, "edit", "--text", f"@{file}", *EDITOR, expected=2)
    assert "--reason: " in shell.wrong("fire", id, "return", "--reason", f"@{file}", *EDITOR, expected=2)


def test_a_text_is_written_in_the_editor(shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`--edit` begins with the text of the record; what is written is not lost where the act is refused."""
    id = shell.new()
    seen: list[str] = []

    def write(given: str, extension: str) -> str | None:
        seen.append(given)
        return answer

    monkeypatch.setattr(click, "edit", write)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    answer: str | None = "Nine lamps.\n"
    shell.run("fire", id, "edit", "--edit", "text", *EDITOR)
    assert (seen, stored(shell, id).text) == (["They are dark."], "Nine lamps.")
    said = shell.wrong("fire", id, "edit", "--edit", "text", "--as", "reviewer", "--id", "w")
    [kept] = tmp_path.glob("*.txt")
    assert str(kept) in said
    assert kept.read_text("utf-8") == "Nine lamps."
    for nothing in (None, "  \n"):
        answer = nothing
        assert text("wrong.not_edited") in shell.wrong("fire", id, "edit", "--edit", "--text", *EDITOR)
    assert "'colour'" in shell.wrong("fire", id, "edit", "--edit", "colour", *EDITOR, expected=2)
    answer = "New."
    shell.run("new", "--title", "x", "--authors", "y", "--edit", "text", *EDITOR)
    assert seen[-1] == ""


@BOTH
def test_a_refusal_has_every_reason_and_exit_code_1(tmp_path: Path, language: str) -> None:
    """What is refused is said in one sentence after the other, or as one problem document."""
    shell = Shell.on(tmp_path, language=language)
    id = shell.new()
    with open_flow(shell.url) as flow:
        who = Actor(id="li", name="李娜", roles={"editor"}, unit="yulin")
        option = next(one for one in flow.options(id, by=who) if one.trigger == "review")
    said = shell.wrong("fire", id, "review", *EDITOR)
    assert len(option.refusals) >= 2
    assert all(one.text(language) in said for one in option.refusals)
    document = shell.plain("fire", id, "review", *EDITOR, expected=1)
    assert [one["code"] for one in document["refusals"]] == [one.code for one in option.refusals]


def test_a_stale_view_and_a_used_key_are_conflicts(shell: Shell) -> None:
    """`--seen` and `--head` say what was seen: exit code 3 where it moved on, as for a key of another act."""
    id = shell.new()
    head = stored(shell, id).head
    shell.run("fire", id, "comment", "--text", "a", "--key", "k", "--head", head[:10], *EDITOR)
    shell.run("fire", id, "comment", "--text", "a", "--key", "k", *EDITOR)
    assert stored(shell, id).version == 2
    shell.wrong("fire", id, "comment", "--text", "b", "--key", "k", *EDITOR, expected=3)
    shell.wrong("fire", id, "edit", "--text", "b", "--head", head, *EDITOR, expected=3)
    assert shell.plain("fire", id, "edit", "--text", "b", "--seen", "1", *EDITOR, expected=3)["status"] == 412
    assert shell.plain("fire", id, "edit", "--text", "b", "--seen", "2", *EDITOR)["version"] == 3


def test_a_hidden_record_is_as_one_that_is_missing(shell: Shell) -> None:
    """What the person may not see is answered as what there is not, by id and by number."""
    id = shell.new("--secrecy", "secret")
    shell.run("fire", id, "classify", "--number", "7", *EDITOR)
    for command in (("show",), ("options",), ("history",), ("diff",)):
        missing = shell.wrong(*command, "nothing", *EDITOR)
        for hidden in (id, "7"):
            assert shell.wrong(*command, hidden, *EDITOR, "--clearance", "internal") == missing
            assert shell.wrong(*command, hidden, "--as", "editor", "--unit", "elsewhere") == missing
    comment = ("comment", "--text", "x", "--as", "contributor", "--id", "no")
    assert shell.wrong("fire", id, *comment) == shell.wrong("fire", "nothing", *comment)


def test_who_acts_must_be_said(shell: Shell) -> None:
    """An act needs a person and a role, from the options or from the environment; a new report needs a unit."""
    id = shell.new()
    assert text("wrong.nobody") in shell.wrong("fire", id, "comment", "--text", "x", expected=2)
    assert text("wrong.nobody") in shell.wrong("fire", id, "comment", "--text", "x", "--id", "li", expected=2)
    typed = ("new", "--title", "a", "--text", "b", "--authors", "c", "--as", "editor", "--id", "li")
    assert text("wrong.no_unit") in shell.wrong(*typed, expected=2)
    usual = Shell(shell.url, env={"REPORTFLOW_ACTOR": "mei: contributor, editor @ yulin"})
    usual.run("fire", id, "comment", "--text", "x")
    usual.run(*typed[:-4], "--post", "组长")
    with open_flow(shell.url) as flow:
        actor = flow.store.history([id])[-1].actor
    assert (actor.id, sorted(actor.roles), actor.unit) == ("mei", ["contributor", "editor"], "yulin")
    assert "boss" in shell.wrong("fire", id, "comment", "--text", "x", "--as", "boss", "--id", "li")


@BOTH
def test_what_is_typed_wrongly_is_said(tmp_path: Path, language: str) -> None:
    """An unknown act, an option of no field, a time that is none, a missing act, fields for an act without any."""
    shell = Shell.on(tmp_path, language=language)
    id = shell.new()
    assert "fly" in shell.wrong("fire", id, "fly", *EDITOR, expected=2)
    assert "--body" in shell.wrong("fire", id, "edit", "--body", "x", *EDITOR, expected=2)
    assert "noon" in shell.wrong("fire", id, "edit", "--text", "x", "--at", "noon", *EDITOR, expected=2)
    shell.wrong("fire", id, expected=2)
    label = REPORT.label_of("trigger", "review", language)
    assert text("wrong.no_details", language, given=label) in shell.wrong(
        "fire", id, "review", "--details", "{}", *REVIEWER
    )
    assert "moon" in shell.wrong("new", "moon", *EDITOR, expected=2)
    assert "fly" in shell.wrong("new", "--trigger", "fly", *EDITOR, expected=2)
    assert "no.such" in shell.wrong("new", "--lifecycle", "no.such:X", *EDITOR)


@BOTH
def test_the_help_of_an_act_has_its_fields(tmp_path: Path, language: str) -> None:
    """Help shows the fields of an act, with labels, choices and what must be given; without an act, all of them."""
    shell = Shell.on(tmp_path, language=language)
    shown = shell.says("fire", "7", "adopt", "--help")
    for word in ("--body TEXT", "--level CODE", "province", STANDARD.label("level", "province", language)):
        assert word in shown
    assert text("field.required", language) in shown
    every = shell.says("fire", "--help")
    assert all(f"  {row} " in every for row in ("adopt", "review", "comment"))
    assert "credit" not in every, "no person fires it"
    draft = shell.says("new", "--help")
    assert "--authors name=…,id=…,…" in draft
    assert shell.says("new", "--lifecycle", "no.such:X", "--help")
    for shown in (every, draft):
        assert max(cell_len(line) for line in shown.splitlines()) <= 80


@BOTH
def test_options_are_grouped(tmp_path: Path, language: str) -> None:
    """What can be done now stands first, then what others may do, then how much is not for now; --all says why."""
    shell = Shell.on(tmp_path, language=language)
    id = shell.new()
    shown = shell.says("options", id, *EDITOR)
    now, others, later = (shown.index(text(f"options.{one}", language)) for one in ("now", "others", "later"))
    assert now < shown.index("  edit") < others < shown.index("  withdraw") < later
    assert "adopt" not in shown
    every = shell.says("options", id, "--all", *EDITOR)
    assert REPORT.label_of("trigger", "adopt", language) in every[every.index(text("options.later", language)) :]
    offers = {one["trigger"]: one for one in shell.plain("options", id, *EDITOR)["options"]}
    assert offers["edit"]["allowed"]
    assert not offers["adopt"]["allowed"]
    assert offers["adopt"]["refusals"][0]["message"]
    assert offers["edit"]["schema"]["required"] == ["text"]
    created = shell.says("options", "report", *EDITOR)
    assert text("options.now", language) in created
    assert shell.says("options", id), "the operator asks with every role"


def test_ctrl_c_says_what_was_entered(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted act says whether it was entered; an interrupted reading that nothing was."""
    id, fire = shell.new(), ReportFlow.fire

    def early(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    def late(*given: Any, **named: Any) -> Any:
        fire(*given, **named)
        raise KeyboardInterrupt

    typed = ("fire", id, "comment", "--text", "x", *EDITOR)
    monkeypatch.setattr(ReportFlow, "fire", early)
    assert shell.wrong(*typed, expected=130).strip() == text("wrong.interrupted_before")
    monkeypatch.setattr(ReportFlow, "fire", late)
    assert shell.wrong(*typed, expected=130).strip() == text("wrong.interrupted_after")
    assert stored(shell, id).version == 2
    monkeypatch.setattr(ReportFlow, "get", early)
    assert shell.wrong("show", id, expected=130).strip() == text("wrong.interrupted")


def test_hostile_texts_are_never_obeyed(shell: Shell) -> None:
    """What a terminal would obey or hide is escaped or left out, in receipts, sheets, lists, JSON and errors."""
    title = f"[bold]a{OBEYED}b[/bold]"
    typed = ("new", "--title", title, "--text", f"t{OBEYED}\n{OBEYED}", "--authors", f"name=n{OBEYED}")
    shown = shell.says(*typed, *EDITOR)
    [id] = [one["id"] for one in shell.plain("find")["records"]]
    shell.run("fire", id, "edit", "--text", f"u{OBEYED}", *EDITOR)
    for command in (("show", id), ("find",), ("history", id), ("diff", id), ("inbox", "--as", "reviewer")):
        for more in ((), ("--json",)):
            if not (command[0] == "diff" and more):
                shown += shell.run(*command, *more).output
    shown += shell.wrong("fire", id, OBEYED, *EDITOR, expected=2)
    shown += shell.wrong("fire", id, "review", *EDITOR)
    assert "[bold]a" in shown
    assert not set(OBEYED.replace("[2J", "")) & set(shown)
    assert stored(shell, id).title == title


def test_options_are_made_for_no_other_command(shell: Shell) -> None:
    """The options of one command's fields are not seen by the next one in the same process."""
    shell.new()
    context = click.Context(click.Command("x"))
    assert FIELDS not in context.meta
    assert "--title" not in shell.says("fire", "7", "comment", "--help")


def test_a_record_is_written_as_the_library_writes_it(shell: Shell) -> None:
    """`--json` of an act and of `show` is `to_plain` of the record."""
    id = shell.new(title="灯\u3000坏")
    plain = shell.plain("show", id)
    assert plain == to_plain(stored(shell, id))
    assert plain["title"] == "灯\u3000坏"
    assert "灯\u3000坏" in json.dumps(plain, ensure_ascii=False)
