"""A lifecycle of one's own, files, relays and completion in a shell: nothing is written for the terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from reportflow import ANY, Lifecycle, MemoryStore, Record, State, Transition, open_flow
from reportflow.cli import commands
from reportflow.cli.environment import LANGUAGES
from reportflow.cli.typed import FieldOption, TypedValues, options_of, time_of
from reportflow.i18n.catalog import STANDARD
from reportflow.office import REPORT
from reportflow.outbox.relay import Relay
from tests.cli.terminal import EDITOR, REGISTRAR, Shell

BOTH = pytest.mark.parametrize("language", LANGUAGES)
EXAMPLE = Path(__file__).parents[2] / "examples/own_lifecycle/src"


def text(code: str, language: str = "en", **facts: object) -> str:
    """A text of the terminal."""
    return STANDARD.text(f"cli.{code}", language, facts)


@pytest.fixture(name="shop")
def fixture_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell on an empty database of purchases and deliveries, named by the environment."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    from own_lifecycle import DELIVERY, PROCUREMENT

    names = {"REPORTFLOW_LIFECYCLE": "own_lifecycle:PROCUREMENT own_lifecycle:DELIVERY"}
    return Shell.on(tmp_path, PROCUREMENT, DELIVERY, env=names)


def who(id: str, role: str) -> tuple[str, ...]:
    """Who acts in the laboratory."""
    return ("--id", id, "--as", role, "--unit", "lab")


@BOTH
def test_a_purchase_goes_its_way(shop: Shell, language: str) -> None:
    """Requested, offered for, approved, ordered and received by the names of its own table, in both languages."""
    shop = attrs.evolve(shop, language=language)
    made = shop.plain("new", "--title", "显微镜 microscope", "--estimate", "9000.50", *who("mei", "requester"))
    id = str(made["id"])
    for price in ("much", "1"):
        offer = ("fire", id, "登记报价", "--supplier", "Optik", "--price", price)
        shop.run(*offer, *who("bo", "采购员"), expected=2 if price == "much" else 0)
    assert "approve" in shop.says("options", id, *who("han", "manager"))
    shop.run("fire", id, "approve", "--supplier", "Optik", *who("mei", "manager"), expected=1)
    shop.run("fire", id, "approve", "--supplier", "Optik", *who("han", "manager"))
    shop.run("fire", id, "order", "--number", "A-1", "--due-at", "2030-01-02 10:00", *who("bo", "buyer"))
    [delivery] = shop.plain("find", "--kind", "delivery")["records"]
    assert delivery["due_at"].startswith("2030-01-02T02:00")
    state = {"en": "ordered", "zh": "已下单"}[language]
    for shown in (shop.says("show", id), shop.says("find")):
        assert state in shown
    assert {"9000.50", "Optik"} <= set(shop.says("show", id).split())
    assert "Optik" in shop.says("history", id)
    assert {"delivery", "procurement"} == {one["kind"] for one in shop.plain("find")["records"]}
    shop.run("fire", str(delivery["id"]), "accept", *who("mei", "requester"))
    assert shop.plain("show", id)["state"] == "received"
    assert text("options.none", language) not in shop.says("options", id, "--all")


@BOTH
def test_kinds_and_acts_are_those_of_the_tables(shop: Shell, language: str) -> None:
    """One kind that people create is meant without a name; an unknown act names those that there are."""
    shop = attrs.evolve(shop, language=language)
    assert "procurement" in shop.wrong("new", "delivery", *who("mei", "requester"), expected=2)
    said = shop.wrong("fire", "x", "receive", *who("mei", "requester"), expected=2)
    assert "send_back" in said
    assert "reorder" not in said, "no person fires it"
    shown = shop.says("fire", "x", "send_back", "--help")
    assert "--ground CODE" in shown
    assert "broken" in shown
    assert "--estimate NUMBER" in shop.says("new", "采购", "--help")
    assert "request" in shop.says("options", "procurement")
    assert text("options.none", language) in shop.says("options", "delivery")


@attrs.frozen(kw_only=True)
class CliTestCase(Record):
    """Fields whose names the terminal uses itself, and of all sorts."""

    key: str = ""
    urgent: bool | None = None
    pages: int | None = None
    weight: float | None = None
    scores: tuple[int, ...] = ()
    pair: tuple[str, int] | None = None
    extra: object = None
    when: datetime | None = None


CASES = Lifecycle(
    name="cli-test-case",
    version=1,
    record=CliTestCase,
    roles={"clerk": ANY},
    states=[State("open", final=True)],
    transitions=[
        Transition("open", source=None, dest="open", roles={"clerk"}),
        Transition("enter", source=None, dest="open", roles={"clerk"}, label="open"),
        Transition("touch", source="open", dest="open", roles={"clerk"}, label="do"),
        Transition("move", source="open", dest="open", roles={"clerk"}, label="do"),
    ],
)


def test_fields_of_all_sorts_are_options(tmp_path: Path) -> None:
    """Flags, numbers, rows, plain data and taken names; an empty text takes a value away, and a label may mean one."""
    shell = Shell.on(tmp_path, CASES, env={"REPORTFLOW_LIFECYCLE": f"{__name__}:CASES"})
    clerk = ("--as", "clerk", "--id", "c")
    typed = ("--urgent", "--pages", "3", "--weight", "1.5", "--scores", "1", "--scores", "2", "--field-key", "k")
    more = ("--pair", '["a", 1]', "--extra", "not JSON", "--when", "")
    made = shell.plain("new", *typed, *more, "--key", "real", *clerk)
    expected = {"urgent": True, "pages": 3, "weight": 1.5, "scores": [1, 2], "key": "k", "pair": ["a", 1]}
    assert expected.items() <= made.items()
    assert (made["extra"], made["when"]) == ("not JSON", None)
    assert shell.plain("new", "--no-urgent", "--scores", "", *clerk)["urgent"] is False
    said = shell.wrong("new", "--pages", "x", "--weight", "y", "--pair", "z", "--when", "noon", *clerk, expected=2)
    assert [line.partition(":")[0] for line in said.splitlines()] == ["--pages", "--weight", "--pair", "--when"]
    assert shell.plain("new", "--trigger", "enter", *clerk)["state"] == "open"
    id = str(made["id"])
    assert "touch" in shell.wrong("fire", id, "do", *clerk, expected=2), "two acts are called so"
    shell.run("fire", id, "touch", *clerk)
    assert "3" in shell.says("show", id)
    assert "touch" in shell.says("fire", "--help")


def test_times_and_options_are_read_as_they_are_typed() -> None:
    """A time with a zone keeps it, one without is the office's; an option says how it is spelt."""
    zone = UTC
    assert time_of("2022-04-27", zone) == datetime(2022, 4, 27, tzinfo=UTC)
    found = time_of("2022-04-27T10:00+08:00", zone)
    assert found is not None
    assert found.utcoffset() == timedelta(hours=8)
    assert time_of("soon", zone) is None
    options = options_of(CliTestCase, {"key"}, CASES, {"--key"})
    assert [(type(one), one.spelt) for one in options] == [(FieldOption, "--field-key")]
    assert TypedValues(zone).plain(options, {}) == {}


# -- files ------------------------------------------------------------------------------------------------------------


@BOTH
def test_files_come_and_go(tmp_path: Path, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is named by its path in an act, or kept before; saved again under its name, and never over another."""
    monkeypatch.chdir(tmp_path)
    shell = Shell.on(tmp_path, language=language)
    (tmp_path / "note.txt").write_text("evidence", encoding="utf-8")
    (tmp_path / "wrong.pdf").write_text("no PDF", encoding="utf-8")
    files = ("--files", str(tmp_path / "files"))
    assert text("wrong.no_files", language) in shell.wrong("upload", "note.txt", *EDITOR, expected=2)
    about = ("new", "--title", "t", "--text", "x", "--authors", "a")
    assert "--attachments" in shell.wrong(*about, "--attachments", "@note.txt", *EDITOR, expected=2)
    assert "--attachments" in shell.wrong(*about, "--attachments", "@none.txt", *files, *EDITOR, expected=2)
    assert "--attachments" in shell.wrong(*about, "--attachments", "@wrong.pdf", *files, *EDITOR, expected=2)
    id = str(shell.plain(*about, "--attachments", "@note.txt", *files, *EDITOR)["id"])
    [kept] = shell.plain("upload", "note.txt", *files, *EDITOR)["attachments"]
    assert kept["sha256"] in shell.says("upload", "note.txt", *files, *EDITOR).replace("\n", "").replace(" ", "")
    assert "none.txt" in shell.wrong("upload", "none.txt", *files, *EDITOR)
    assert "note.txt" in shell.wrong("download", id, *files)
    assert "note.txt" in shell.wrong("download", id, "note.txt", *files)
    assert "copy.txt" in shell.says("download", id, "note.txt", "--to", "copy.txt", *files)
    assert (tmp_path / "copy.txt").read_text("utf-8") == "evidence"
    found = shell.plain("download", id, kept["sha256"], "--to", "again.txt", *files)
    assert found["attachment"]["name"] == "note.txt"
    other = shell.new()
    assert text("files.none", language) in shell.wrong("download", other, "x", *files)
    assert "0" in shell.says("sweep", *files)
    assert shell.plain("sweep", "--grace", "0", *files)["removed"] is not None


# -- relays -----------------------------------------------------------------------------------------------------------


@BOTH
def test_a_relay_shows_its_dead_letters(tmp_path: Path, language: str) -> None:
    """What was not published stands with its reason, and can be queued again; nothing is said of a lease before one."""
    shell = Shell.on(tmp_path, language=language)
    shell.new()
    assert text("relay.never", language, name="relay") in shell.says("relay")
    assert shell.plain("relay")["unread"] == 1

    def refuse(_: Any) -> None:
        raise RuntimeError("no\x1b[2J")

    with open_flow(shell.url) as flow:
        relay = Relay(flow.store, refuse, tries=1)
        relay.run_once()
        [letter] = relay.dead_letters()
    shown = shell.says("relay")
    assert text("relay.unread", language, number=0, more="", failing=0, dead=1) in shown
    assert "\x1b" not in shown
    assert [one["state"] for one in shell.plain("relay")["dead"]] == ["dead"]
    assert text("relay.no_letter", language, given="x@1") in shell.wrong("relay", "--requeue", "x@1")
    assert text("relay.requeued", language, number=1) in shell.says("relay", "--requeue", letter.id)
    assert [one["state"] for one in shell.plain("relay")["waiting"]] == ["failing"]


def test_a_store_without_leases_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where a store keeps no leases, the command says so."""

    def bare(*_: Any, **__: Any) -> Any:
        class _Bare(MemoryStore):
            leases: Any = property()

        return open_flow.__globals__["ReportFlow"](_Bare(), REPORT)

    shell = Shell.on(tmp_path)
    monkeypatch.setattr("reportflow.cli.whose.open_flow", bare)
    assert text("relay.no_leases") in shell.wrong("relay")


# -- completion -------------------------------------------------------------------------------------------------------


def complete(*words: str) -> list[str]:
    """What a shell is offered for the last of some words."""
    from click.shell_completion import BashComplete

    found = BashComplete(commands.reportflow, {}, "reportflow", "_REPORTFLOW_COMPLETE")
    *before, last = words
    return [one.value for one in found.get_completions(list(before), last)]


def test_names_of_the_table_complete() -> None:
    """Acts, states, roles, kinds, choices of a field and the fields themselves complete from the table."""
    assert complete("fire", "7", "re") == ["revise", "return", "review", "reply", "retract", "reject", "reopen"]
    assert complete("find", "--state", "re") == ["reviewed", "returned", "rejected"]
    assert complete("inbox", "--as", "ed") == ["editor"]
    assert complete("new", "re") == ["report"]
    assert complete("fire", "7", "adopt", "--level", "c") == ["county", "city", "central"]
    assert "--carrier" in complete("fire", "7", "adopt", "--")
    assert complete("fire", "7", "adopt", "--body", "c") == []
    assert complete("find", "--lifecycle", "no.such:X", "--state", "re") == []
    assert "--title" not in complete("new", "--lifecycle", "no.such:X", "--")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_of_completion_is_printed(tmp_path: Path, shell: str) -> None:
    """`completion SHELL` prints what that shell runs at its start."""
    shown = Shell.on(tmp_path).says("completion", shell)
    assert "_REPORTFLOW_COMPLETE" in shown
    assert shell in shown


def test_the_operator_sees_all_kinds_of_records(tmp_path: Path) -> None:
    """Records of a kind that was not named are left out, and those that were are found by number too."""
    shell = Shell.on(tmp_path)
    id = shell.new()
    shell.run("fire", id, "classify", "--number", "2030-1", *REGISTRAR)
    assert shell.plain("show", "2030-1")["id"] == id
