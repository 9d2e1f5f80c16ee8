"""One table of texts: no code lacks a language, and every error tells people what it is about."""

from __future__ import annotations

import ast
import pickle
import re
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import reportflow
from reportflow import ReportflowError, Secrecy, errors
from reportflow.errors import Fault, Refusal
from reportflow.i18n import catalog as messages
from reportflow.office import REPORT, Level, Source, Usage

LANGUAGES = frozenset({"en", "zh"})
PACKAGE = Path(str(reportflow.__file__)).parent
#: Every module of the package, parsed, by its path in it.
TREES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "definitions.py" or path.parent.name != "strategies"  # what it draws is nobody's to read
}


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test adds to the table is gone after it."""
    monkeypatch.setattr(messages, "_TABLE", {code: dict(texts) for code, texts in messages._TABLE.items()})


def template(code: str, language: str) -> str:
    """The template of a code, unfilled."""
    return messages._TABLE[code][language]


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


def own_codes() -> list[str]:
    """The codes of the package itself: those of the rooms that its source fills."""
    rooms = literals("_rows", 0)
    return [code for code in messages.codes() if code.split(".")[0] in rooms]


def test_every_code_has_every_language() -> None:
    """No code of the table lacks English or Chinese, and no text is blank."""
    assert len(own_codes()) > 100
    for code in own_codes():
        assert messages.languages(code) >= LANGUAGES, code
        assert all(template(code, language).strip() for language in LANGUAGES), code


def test_languages_are_filled_with_the_same_facts() -> None:
    """What the English text of a code tells, the Chinese one tells too."""
    for code in own_codes():
        assert placeholders(template(code, "en")) == placeholders(template(code, "zh")), code


def test_chinese_texts_are_chinese() -> None:
    """No Chinese sentence is the English one, forgotten."""
    for code in own_codes():
        words = re.sub(r"\{\w+\}", "", template(code, "zh"))
        assert re.search("[一-鿿]", words) or not re.search("[A-Za-z]", words), code


def test_the_scan_of_the_source_finds_what_is_there() -> None:
    """The scans below see the codes that are certainly there."""
    assert {"blank", "naive", "choice", "set_by_flow", "in_future"} <= problems()
    assert {"nul", "surrogate", "too_long", "not_finite"} <= problems()
    assert {"unknown_state", "two_rows", "no_creation"} <= literals("_fault", 0)
    assert {"registered_twice", "lifecycle_twice"} <= literals("Fault", 0)
    assert {"state", "role", "details", "reason"} <= literals("Refusal", 0, "code")
    assert {"same_person", "missing"} <= literals("Guard", 0, "code")


@pytest.mark.parametrize(
    ("room", "codes"),
    [
        ("value", problems()),
        ("fault", literals("_fault", 0) | literals("Fault", 0)),
        ("refusal", literals("Refusal", 0, "code") | literals("Guard", 0, "code") | literals("guard", 0)),
        ("state", {state.name for state in REPORT.states}),
        ("trigger", set(REPORT.triggers)),
        ("role", {*REPORT.roles, *(role for row in REPORT.transitions for role in row.roles)}),
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
        assert messages.languages(f"{room}.{code}") >= LANGUAGES, code


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
    "StaleRecord": ("r1", 3, 4),
    "BrokerUnavailable": ("nats://127.0.0.1:4222", "connection refused"),
    "MissingExtra": ("rich", "reportflow[cli]"),
    "StorageError": ("disk on fire",),
    "RecordNotFound": (["r1", "r2"],),
    "AlreadyExists": (["r1"],),
    "Conflict": (["r1"],),
    "DuplicateKey": (["r1"], ["k"]),
    "InvalidURL": ("sqlit:///x", "url"),
    "SchemaMismatch": ("sqlite:///x", "2", "1", "newer"),
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
def test_an_error_speaks_both_languages(cls: type[ReportflowError]) -> None:
    """Its code is its own, and its English and Chinese texts are whole sentences with every fact filled in."""
    error = cls(*FACTS[cls.__name__])
    assert messages.languages(f"error.{cls.code}") >= LANGUAGES
    assert [one for one in _PUBLIC if one.code == cls.code] == [cls]
    english, chinese = error.message(), error.message("zh")
    assert str(error) == english != chinese
    for text in (english, chinese):
        assert "{" not in text
        assert text.endswith((".", "。", "pip install reportflow[cli]"))
    assert not any("一" <= one <= "鿿" for one in english)


@pytest.mark.parametrize("cls", _PUBLIC, ids=lambda cls: cls.__name__)
def test_an_error_crosses_processes(cls: type[ReportflowError]) -> None:
    """Pickled and back it has the same class, facts and texts."""
    error = cls(*FACTS[cls.__name__])
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is cls
    assert vars(back) == vars(error)
    assert (str(back), back.message("zh")) == (str(error), error.message("zh"))


#: The facts that say what an error is about.
NAMED = {"id", "ids", "keys", "field", "name", "trigger", "seen", "stored", "url", "found"}


@pytest.mark.parametrize("cls", _PUBLIC, ids=lambda cls: cls.__name__)
def test_an_error_names_what_it_is_about(cls: type[ReportflowError]) -> None:
    """Record, version, field, key, URL: every text among its facts stands in its message."""
    error = cls(*FACTS[cls.__name__])
    names: Mapping[str, object] = {name: value for name, value in vars(error).items() if name in NAMED}
    assert names or cls in (ReportflowError, errors.StorageError)
    for value in names.values():
        for one in value if isinstance(value, tuple) else (value,):
            assert str(one) in str(error)


def test_a_host_adds_a_language() -> None:
    """A language that a host adds is used, and what it lacks is English."""
    messages.add({"state.draft": {"fr": "brouillon"}})
    assert messages.label("state", "draft", "fr") == "brouillon"
    assert messages.label("state", "edited", "fr") == "edited"
    assert messages.label("state", "draft", "zh") == "草稿"
    error = errors.StaleRecord("r1", 1, 2)
    assert error.message("fr") == error.message("en")
    refusal = Refusal(code="reason", params={"trigger": "edit"})
    assert refusal.text("fr") == refusal.text("en")
    messages.add({"refusal.reason": {"fr": "« {trigger} » demande un motif"}, "trigger.edit": {"fr": "réviser"}})
    assert refusal.text("fr") == "« réviser » demande un motif"


def test_a_host_adds_its_own_names() -> None:
    """States and guards of a host's own lifecycle get their texts the same way; without one the name is said."""
    messages.add({"state.on_leave": {"en": "on leave", "zh": "休假中"}})
    assert messages.label("state", "on_leave", "zh") == "休假中"
    assert messages.label("state", "unheard_of", "zh") == "unheard_of"
    assert Refusal(code="unheard_of", params={"days": 7}).text("zh") == "refusal.unheard_of {'days': 7}"
    own = Refusal(code="too_long", params={"days": 7}, texts={"en": "Not {days} days.", "zh": "不能{days}天。"})
    assert (own.message, own.text("zh"), own.text("fr")) == ("Not 7 days.", "不能7天。", "Not 7 days.")


def test_a_wrong_template_hides_nothing() -> None:
    """A template that asks for a fact that is not there still tells the rest."""
    messages.add({"refusal.reason": {"en": "{trigger} needs {nothing}."}})
    assert Refusal(code="reason", params={"trigger": "edit"}).message == "edit needs {nothing}."


def test_names_in_a_message_are_said_in_its_language() -> None:
    """States, triggers and roles in a refusal are called by their labels."""
    refusal = Refusal(code="state", params={"trigger": "review", "state": "draft", "states": ["edited"]})
    assert refusal.text("zh") == "“草稿”状态下不能“审核”；可以的状态：已编辑。"
    none = Refusal(code="role", params={"trigger": "edit", "roles": ["editor"], "actor": "zhang", "held": []})
    assert none.text("zh").endswith("无。")
    assert none.text().endswith("none.")
