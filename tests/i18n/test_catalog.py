"""The texts: no code lacks a language, a clerk reads no technical word, and every error names what it is about."""

from __future__ import annotations

import ast
import pickle
import re
import string
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import reportflow
from reportflow import Actor, Entry, Secrecy, errors
from reportflow.errors import Fault, Refusal, ReportflowError
from reportflow.i18n.catalog import CLERK, DEVELOPER, STANDARD, Catalog, Reader
from reportflow.office import REPORT, Adoption, Forwarding, Instruction, Level, Source, Uptake, Usage

LANGUAGES = ("en", "zh")
NOW = datetime(2022, 4, 27, tzinfo=UTC)
CODES = sorted(STANDARD.codes())
PACKAGE = Path(str(reportflow.__file__)).parent
#: Every module of the package, parsed, by its path in it.
TREES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "definitions.py" or path.parent.name != "strategies"  # its texts are drawn for tests
}


def template(code: str, language: str, reader: Reader = CLERK) -> str:
    """The template of a code, unfilled."""
    found = STANDARD.template(code, language, reader)
    assert found is not None, code
    return found


def placeholders(text: str) -> set[str]:
    """The facts that a template is filled with."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def calls(name: str) -> Iterator[ast.Call]:
    """Every call of a function or class of this name in the package's source."""
    for tree in TREES.values():
        for node in ast.walk(tree):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Name | ast.Attribute):
                found = called.id if isinstance(called, ast.Name) else called.attr
                if found == name:
                    assert isinstance(node, ast.Call)
                    yield node


def literals(name: str, place: int, keyword: str = "") -> set[str]:
    """The texts that are written in calls of this name, in a place or as a keyword."""
    found: set[str] = set()
    for call in calls(name):
        given = [call.args[place]] if len(call.args) > place else []
        given += [one.value for one in call.keywords if one.arg == keyword]
        for argument in given:
            both = [argument.body, argument.orelse] if isinstance(argument, ast.IfExp) else [argument]
            found |= {one.value for one in both if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return found


def problems() -> set[str]:
    """Every problem of a value that the package's source names: in `InvalidValue(…)` and in what tests return."""
    found = literals("InvalidValue", 1)
    for node in ast.walk(TREES["model/checks.py"]):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[1], ast.Dict):
            code = node.elts[0]
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                found.add(code.value)
    return found


def test_every_code_has_every_language() -> None:
    """No code lacks English or Chinese, no text is blank, and a developer's text stands beside a clerk's."""
    assert len(CODES) > 300
    # a test of the suite has its sentence in English as its docstring: tests/testing/test_conform.py holds both
    promises = {code for code in STANDARD.codes("zh") if code.startswith("promise.")}
    assert STANDARD.codes("en") == STANDARD.codes("zh") - promises
    for code in CODES:
        assert all(template(code, language).strip() for language in LANGUAGES) or code == "word.space"
        assert code.removesuffix("@developer") in CODES


@pytest.mark.parametrize("reader", [CLERK, DEVELOPER])
def test_languages_are_filled_with_the_same_facts(reader: Reader) -> None:
    """The English and the Chinese text of a code are filled with the same facts, for each reader."""
    for code in CODES:
        assert placeholders(template(code, "en", reader)) == placeholders(template(code, "zh", reader)), code


def test_chinese_texts_are_chinese() -> None:
    """No Chinese sentence is the English one, forgotten."""
    for code in CODES:
        words = re.sub(r"\{\w+\}", "", template(code, "zh"))
        assert re.search("[一-鿿]", words) or not re.search("[A-Za-z]", words), code


#: What a clerk does not read. 被 and ！ are no office's tone; the others are a program's words.
TECHNICAL = re.compile("记录|状态|角色|版本|触发|键|读取|写入|被|！|UUID|reason=|[a-z]+\\(|=|://|字节|UTC|[A-Za-z]{2}")
#: Texts that no clerk meets, by their codes, and why.
NO_CLERKS = {
    "a program passed a wrong value: forms cannot": {
        "value.ambiguous",
        "value.change",
        "value.cursor",
        "value.digest",
        *(
            f"value.heads_{name}"
            for name in ("behind", "cut", "elsewhere", "form", "line", "order", "root", "unreadable")
        ),
        "value.history",
        "value.not_in_order",
        "value.not_whole",
        "value.leftover",
        "value.not_a_draft",
        "value.not_stored",
        "value.other_class",
        "value.other_version",
        "value.plain",
        "value.schema_version",
        "value.unknown_field",
        "value.unknown_zone",
        "value.upgrade",
        "value.version_or_time",
    },
    "raised where a program gives the connection of a host": {
        *(f"value.{name}" for name in ("django_copy", "django_engine", "other_engine")),
    },
    "read by who moves a database": {
        *(f"value.{name}" for name in ("damaged", "differs", "not_empty", "same", "unknown_kinds", "written")),
    },
    "raised before an office can open, to the person who installs or writes it": {
        "error.broker_unavailable",
        "error.invalid_definition",
        "error.invalid_url",
        "error.missing_extra",
        "error.schema_mismatch",
        "error.unbuildable",
        *(f"advice.{name}" for name in ("awaited", "driver", "engine", "foreign", "incomplete", "install", "newer")),
        *(f"advice.{name}" for name in ("not_awaited", "older", "option", "synchronous", "url")),
    },
}
CLERKS = [
    code
    for code in CODES
    if code.split(".")[0] in ("refusal", "value", "error", "advice")
    and not code.endswith("@developer")
    and not any(code in codes for codes in NO_CLERKS.values())
]


@pytest.mark.parametrize("code", CLERKS)
def test_a_clerk_reads_no_technical_word(code: str) -> None:
    """A clerk's refusal or error has no word of programs, no id, no address, and asks at most once (请)."""
    text = template(code, "zh")
    assert not TECHNICAL.search(re.sub(r"\{\w+\}", "", text)), text
    assert text.count("请") <= (2 if code.startswith("advice") else 1) + text.count("；如仍不行")
    assert placeholders(text).isdisjoint({"id", "ids", "actor", "assignee", "keys", "url", "version", "owner"})
    assert not re.search(r" [0-9{]|[0-9}] |[,;:!?]", text), "no blanks round digits, full-width punctuation"


def test_the_exceptions_are_there() -> None:
    """The list of texts that no clerk meets names codes that exist, and that have one text for developers only."""
    for code in (code for codes in NO_CLERKS.values() for code in codes):
        assert code in CODES
        assert f"{code}@developer" not in CODES


PAGE = Path(__file__).with_name("clerks.txt")


def page() -> str:
    """All that a clerk may read of refusals and errors, Chinese above English."""
    lines = (f"{code}\n  {template(code, 'zh')}\n  {template(code, 'en')}" for code in CLERKS)
    return "\n".join(lines) + "\n"


def test_what_clerks_read_can_be_read_on_one_page() -> None:
    """``clerks.txt`` has every text of a clerk, for an office's editor to read.

    Written anew by ``python -m tests.i18n.test_catalog``.
    """
    assert PAGE.read_text("utf-8") == page()


def test_the_scan_of_the_source_finds_what_is_there() -> None:
    """The scans below see the codes that are certainly there."""
    assert {"blank", "naive", "choice", "set_by_flow", "in_future"} <= problems()
    assert {"nul", "surrogate", "too_long", "not_finite"} <= problems()
    assert {"unknown_state", "two_rows", "no_creation"} <= literals("Fault", 0) | literals("_fault", 0)
    assert {"classes_differ", "lifecycle_twice"} <= literals("Fault", 0)
    assert {"state", "details", "reason"} <= literals("refuse", 0)
    assert "step" in literals("Refusal", 0, "code")
    assert {"same_person", "missing"} <= literals("Guard", 0, "code")


@pytest.mark.parametrize(
    ("room", "codes"),
    [
        ("value", problems()),
        ("fault", literals("_fault", 0) | literals("Fault", 0)),
        (
            "refusal",
            literals("refuse", 0)
            | literals("Refusal", 0, "code")
            | literals("Guard", 0, "code")
            | literals("guard", 0),
        ),
        ("report.state", {state.name for state in REPORT.states}),
        ("report.state_long", {state.name for state in REPORT.states}),
        ("report.trigger", set(REPORT.triggers)),
        ("report.role", set(REPORT.roles)),
        ("report.guard", {guard.code for row in REPORT.transitions for guard in row.guards}),
        ("role", {"everybody", "nobody"}),
        ("level", {one.value for one in Level}),
        ("secrecy", {one.value for one in Secrecy}),
        ("source", {one.value for one in Source}),
        ("usage", {one.value for one in Usage}),
        ("lifecycle", {REPORT.name}),
        ("refusal", {guard.code for row in REPORT.transitions for guard in row.guards}),
    ],
)
def test_what_the_package_names_is_in_the_table(room: str, codes: set[str]) -> None:
    """Each problem, fault, refusal, state, trigger, role and enum's value has an English and a Chinese text."""
    assert codes
    for code in codes:
        assert f"{room}.{code}" in CODES


def classes(base: type[ReportflowError] = ReportflowError) -> list[type[ReportflowError]]:
    """All error classes of the package."""
    below = [one for sub in base.__subclasses__() for one in classes(sub)]
    return [one for one in [base, *below] if one.__module__.startswith("reportflow")]


FACTS: dict[str, tuple[Any, ...]] = {
    "ReportflowError": (),
    "InvalidValue": ("title", "blank"),
    "InvalidDefinition": ("leave", [Fault("no_creation", {}), Fault("unreachable", {"name": "x"})]),
    "UnknownTrigger": ("leave", "edti", ["edit", "review"]),
    "UnknownLifecycle": ("leave", None, ["report 1"]),
    "RuleFailed": ("leave", "edit", "guard 'x'", "r1", "ZeroDivisionError: no"),
    "Unbuildable": ("Extension", "InvalidValue: until lies before since"),
    "StepsUnbounded": ("r1", "edit", ["edit r1", "edit r1"]),
    "TransitionRefused": ("report", "r1", 3, "edit", [Refusal(code="reason", params={"trigger": "edit"})]),
    "ContentErased": ("r1", 3),
    "StaleRecord": ("r1", 3, 4),
    "BrokerUnavailable": ("nats://127.0.0.1:4222", "connection refused"),
    "MissingExtra": ("rich", "reportflow[cli]"),
    "StorageError": ("disk on fire",),
    "RecordNotFound": (["r1", "r2"],),
    "AttachmentNotFound": ("r1", "0" * 64),
    "AlreadyExists": (["r1"],),
    "Conflict": (["r1"],),
    "UnreadableRecord": (["r1"], "data", "value", "Report", 1, 2),
    "UnreadableFile": ("r1", "0" * 64, "missing"),
    "DuplicateKey": (["r1"], ["k"]),
    "InvalidURL": ("sqlit:///x", "url"),
    "SchemaMismatch": ("sqlite:///x", "2", "1", "newer"),
    "StorageClosed": ("sqlite:///x",),
    "TransactionRolledBack": ("sqlite:///x", "deadlock found"),
    "StorageUnavailable": ("sqlite:///x", "no such file", "folder"),
    "StorageBusy": ("sqlite:///x", "database is locked"),
}
_PUBLIC = [one for one in classes() if not one.__name__.startswith("_")]


def test_every_error_class_is_tried() -> None:
    """The tests below are about each class of the tree, and the tree in the module's docstring names each."""
    assert {one.__name__ for one in _PUBLIC} == set(FACTS)
    for one in _PUBLIC:
        assert one.__name__ in str(errors.__doc__)


@pytest.mark.parametrize("cls", _PUBLIC, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("reader", [CLERK, DEVELOPER])
def test_an_error_has_both_languages(cls: type[ReportflowError], reader: Reader) -> None:
    """Its code is its own, and its English and Chinese texts are whole sentences with every fact filled in."""
    error = cls(*FACTS[cls.__name__])
    assert [one for one in _PUBLIC if one.code == cls.code] == [cls]
    english, chinese = error.message(reader=reader), error.message("zh", reader=reader)
    assert str(error) == error.message(reader=DEVELOPER)
    assert english != chinese
    for text in (english, chinese):
        assert "{" not in text
        assert text.endswith((".", "。", "pip install reportflow[cli]"))
    assert not any("一" <= one <= "鿿" for one in english)


@pytest.mark.parametrize("cls", _PUBLIC, ids=lambda cls: cls.__name__)
def test_a_clerk_reads_no_technical_fact(cls: type[ReportflowError]) -> None:
    """No id, key, address or message of a driver stands in what a clerk reads of an error."""
    error = cls(*FACTS[cls.__name__])
    if f"error.{cls.code}" in CLERKS:
        for language in LANGUAGES:
            assert not re.search(r"\br\d\b|\bk\b|sqlite|fire|locked|guard|edti", error.message(language)), language


@pytest.mark.parametrize("cls", _PUBLIC, ids=lambda cls: cls.__name__)
def test_an_error_crosses_processes(cls: type[ReportflowError]) -> None:
    """Pickled and back it has the same class, facts and texts."""
    error = cls(*FACTS[cls.__name__])
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is cls
    assert vars(back) == vars(error)
    assert (str(back), back.message("zh")) == (str(error), error.message("zh"))


#: The facts that say what an error is about.
NAMED = {"store", "id", "ids", "keys", "field", "name", "trigger", "seen", "stored", "url", "found"}


@pytest.mark.parametrize("cls", _PUBLIC, ids=lambda cls: cls.__name__)
def test_an_error_names_what_it_is_about(cls: type[ReportflowError]) -> None:
    """Record, version, field, key, URL: every text among its facts stands in its message."""
    error = cls(*FACTS[cls.__name__])
    names: Mapping[str, object] = {name: getattr(error, name) for name in NAMED if hasattr(error, name)}
    assert names or cls in (ReportflowError, errors.StorageError)
    for value in names.values():
        for one in value if isinstance(value, tuple) else (value,):
            assert str(one) in str(error)


def test_a_host_adds_a_language() -> None:
    """A language that a host adds is used, what it lacks is English, and the library's catalog stays as it is."""
    own = STANDARD.with_texts(
        {
            "report.state.draft": {"fr": "reçu"},
            "refusal.reason": {"fr": "« {trigger} » demande un motif"},
            "report.trigger.edit": {"fr": "réviser"},
        }
    )
    assert REPORT.label_of("state", "draft", "fr", own) == "reçu"
    assert REPORT.label_of("state", "edited", "fr", own) == "awaiting review"
    assert REPORT.label_of("state", "draft", "zh", own) == "来稿"
    error = errors.StaleRecord("r1", 1, 2)
    error.use(own)
    assert error.message("fr") == error.message("en")
    refusal = Refusal(code="reason", params={"lifecycle": "report", "trigger": "edit"})
    assert refusal.text("fr", catalog=own) == "« réviser » demande un motif"
    assert refusal.text("fr") == refusal.text("en")


def test_a_host_adds_its_own_names() -> None:
    """States and guards of a host's own lifecycle get their texts the same way; without one the name is shown."""
    own = STANDARD.with_texts({"leave.state.on_leave": {"en": "on leave", "zh": "休假中"}})
    assert own.label("state", "on_leave", "zh", lifecycle="leave") == "休假中"
    assert own.label("state", "unknown", "zh", lifecycle="leave") == "unknown"
    assert Refusal(code="unheard_of", params={"days": 7}).text("zh") == "refusal.unheard_of {'days': 7}"
    texts = {"en": "Not {days} days.", "zh": "不能{days}天。"}
    refusal = Refusal(code="too_long", params={"days": 7}, texts=texts)
    assert (refusal.message, refusal.text("zh"), refusal.text("fr")) == ("Not 7 days.", "不能7天。", "Not 7 days.")


def test_the_labels_of_reports_are_theirs() -> None:
    """Another lifecycle with a state 'draft' or a role 'editor' is not shown in the words of reports."""
    for room, name in (("state", "draft"), ("trigger", "edit"), ("role", "editor")):
        assert STANDARD.label(room, name, "zh") == name
        assert STANDARD.label(room, name, "zh", lifecycle="report") != name
    assert STANDARD.label("role", "everybody", "zh", lifecycle="leave") == "所有可查阅人员"


@pytest.mark.parametrize(
    ("trigger", "details", "labels"),
    [
        ("forward", Forwarding(to="a", level="province", upward=True), ("send up", "报送")),
        ("forward", Forwarding(to="a", level="city", due_at=NOW), ("refer", "转办")),
        ("forward", Forwarding(to="a", level="city"), ("forward", "转送")),
        ("adopt", Adoption(body="a", level="city", carrier="《协商建言》"), ("issue", "编发")),
        ("adopt", Adoption(body="a", level="province"), ("record an adoption", "登记采用")),
        ("instruct", Instruction(leader="a", level="city"), ("record an instruction", "登记批示")),
        ("absorb", Uptake(department="a"), ("record an uptake", "登记采纳")),
    ],
)
@pytest.mark.parametrize("source", ["reviewed", "adopted"])
def test_history_names_the_direction(trigger: str, details: object, labels: tuple[str, str], source: str) -> None:
    """What is sent up, referred, forwarded, issued or registered is called so in a history, from every state."""
    row = REPORT.row(source, trigger) or REPORT.row("adopted", trigger)
    assert row is not None
    actor = Actor(id="chen", name="陈静")
    source = source if REPORT.row(source, trigger) else "adopted"
    entry = Entry(
        record_id="r",
        sequence=5,
        trigger=trigger,
        source=source,
        dest=row[1],
        actor=actor,
        at=NOW,
        recorded_at=NOW,
        details=details,
    )
    assert tuple(REPORT.describe(entry, language) for language in LANGUAGES) == labels


def test_a_wrong_template_hides_nothing() -> None:
    """A template that asks for a fact that is not there still shows the rest."""
    own = Catalog({"en": {"refusal.reason": "{trigger} needs {nothing}."}})
    assert Refusal(code="reason", params={"trigger": "edit"}).text(catalog=own) == "edit needs {nothing}."


def test_clerks_read_labels_and_developers_names() -> None:
    """States, triggers, roles and fields are labels for a clerk, and what a program writes for a developer."""
    params = {"lifecycle": "report", "trigger": "review", "state": "draft", "states": ["edited", "reviewed"]}
    refusal = Refusal(code="state", params=params)
    assert refusal.text("zh") == "此件目前为“来稿”，不能办理“审核通过”；该操作限于：待审核或待编发。"
    assert (
        refusal.text() == "This report is 'submitted' now; 'review' is only for: awaiting review or awaiting sign-off."
    )
    assert refusal.message == "'review' cannot be done in state 'draft'; it can in: edited or reviewed."
    other = Refusal(code="state", params={**params, "lifecycle": "leave"})
    assert other.text() == "This is 'draft' now; 'review' is only for: edited or reviewed."
    roles = {"lifecycle": "report", "trigger": "edit", "roles": ["editor", "registrar"], "name": "张", "held": []}
    role = Refusal(code="role", params={**roles, "actor": "zhang"})
    assert role.text("zh") == "“编辑”由编辑或文书办理；您目前的身份：无。"
    assert role.message.endswith("editor or registrar; 张 holds: none.")
    level = errors.InvalidValue("level", "choice", {"given": "'town'", "choices": ["county", "city"]})
    assert level.message("zh") == "“层级”请从以下选项中选择：县级或市级。"
    assert str(level) == "level 'town' is not known; take one of: county or city."


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
