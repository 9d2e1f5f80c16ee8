"""Each error as a problem document: one table of statuses, texts in both languages, no secrets of the server."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportflow import (
    Actor,
    Conflict,
    Create,
    Fire,
    InvalidValue,
    Outcome,
    RecordNotFound,
    Refusal,
    ReportflowError,
    Secrecy,
    StaleRecord,
    TransitionRefused,
    errors,
    open_flow,
    parse,
    problem,
    to_plain,
)
from reportflow.office import REPORT, Adoption, Author, Report, Revision
from reportflow.serialization.problem import STATUSES, status_of

LI = Actor(id="li", roles={"contributor", "editor"}, unit="yulin")
WANG = Actor(id="wang", roles={"registrar", "reviewer"}, unit="elsewhere")
DRAFT = Report.draft(title="t", text="x", authors=[Author(name="Qian")])

#: Each class of errors -> the status of one that says nothing in particular.
EXPECTED = {
    "ReportflowError": 500, "InvalidValue": 422, "InvalidDefinition": 500, "UnknownTrigger": 404,
    "UnknownLifecycle": 500, "RuleFailed": 500, "Unbuildable": 500, "StepsUnbounded": 500, "TransitionRefused": 409,
    "ContentErased": 410, "StaleRecord": 412, "MissingExtra": 500, "BrokerUnavailable": 503, "StorageError": 500,
    "RecordNotFound": 404, "AlreadyExists": 409, "Conflict": 409, "DuplicateKey": 409, "UnreadableRecord": 500,
    "AttachmentNotFound": 404, "UnreadableFile": 500,
    "InvalidURL": 500, "SchemaMismatch": 500, "StorageClosed": 503, "StorageUnavailable": 503, "StorageBusy": 503,
    "TransactionRolledBack": 503,
}  # fmt: skip
#: What a class is made of, by the names of its parameters; all else is a text.
FACTS: dict[str, Any] = {
    "ids": ["7"], "keys": ["k"], "version": 1, "seen": 1, "stored": 2, "sequence": 1, "refusals": [], "faults": [],
    "problems": (), "details": {}, "labels": {}, "triggers": ["a"], "choices": ["a"], "path": ["a"], "problem": "blank",
    "named": True, "advice": "retry",
}  # fmt: skip


def classes() -> Iterator[type[ReportflowError]]:
    """Every public class of errors."""
    todo: list[type[ReportflowError]] = [ReportflowError]
    while todo:
        cls = todo.pop()
        todo += cls.__subclasses__()
        if cls.__module__ == errors.__name__ and not cls.__name__.startswith("_"):
            yield cls


CLASSES = sorted(classes(), key=lambda cls: cls.__name__)


def made(cls: type[ReportflowError]) -> ReportflowError:
    """An error of a class, each of its facts a text that would be noticed."""
    if cls is ReportflowError:
        return cls()
    return cls(**{name: FACTS.get(name, "SECRET-PATH") for name in inspect.signature(cls).parameters})


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.code)
def test_each_error_has_its_row(cls: type[ReportflowError]) -> None:
    """Each class of errors has a status, a title of its own and a text in both languages, and is plain JSON."""
    error = made(cls)
    assert status_of(error) == EXPECTED[cls.__name__]
    for language in ("en", "zh"):
        document = problem(error, language)
        assert document["type"] == f"urn:reportflow:error:{cls.code}"
        assert document.status == document["status"] == EXPECTED[cls.__name__]
        assert document["title"] != problem(ReportflowError(), language)["title"] or cls is ReportflowError
        assert "{" not in document["title"] + document["detail"]
        assert document.headers["Content-Type"] == "application/problem+json"
        assert document.headers["Content-Language"] == language
        assert ("Retry-After" in document.headers) == (document.status == 503)
        assert json.loads(json.dumps(document)) == document
        if document.status >= 500:
            assert "SECRET-PATH" not in json.dumps(document)
    assert to_plain(error)["code"] == cls.code
    json.dumps(to_plain(error), allow_nan=False)


def test_each_row_of_the_table_is_known() -> None:
    """The table of statuses names classes of this library only, and the test above knows each class."""
    assert {cls.__name__ for cls in classes()} == set(EXPECTED)
    assert set(STATUSES) <= set(classes())


def refused(*codes: str) -> TransitionRefused:
    """A refusal with some codes."""
    return TransitionRefused("report", "7", 1, "review", [Refusal(code=code) for code in codes])


@given(st.lists(st.sampled_from(["state", "role", "clearance", "details", "reason", "missing"]), min_size=1))
@settings(max_examples=60)
def test_a_refusal_has_the_status_of_all_its_codes(codes: list[str]) -> None:
    """403 where only another person is asked for, 422 where only more is to be filled in, else 409."""
    person, form = {"role", "clearance"}, {"details", "reason"}
    expected = 403 if set(codes) <= person else 422 if set(codes) <= form else 409
    document = problem(refused(*codes), "zh")
    assert document.status == expected
    assert [one["code"] for one in document["refusals"]] == codes


def test_stale_is_a_failed_precondition_where_one_was_named() -> None:
    """412 where the caller named a version, a head or a record; 409 where they named an id alone."""
    flow = open_flow("memory:")
    report = flow.create(DRAFT, by=LI)
    flow.fire(report.id, "edit", Revision(text="y"), by=LI)
    for seen in ({"version": 1}, {"head": report.head}):
        with pytest.raises(StaleRecord) as caught:
            flow.fire(report.id, "edit", Revision(text="z"), by=LI, **seen)
        assert status_of(caught.value) == 412
    with pytest.raises(StaleRecord) as caught:
        flow.fire(report, "edit", Revision(text="z"), by=LI)
    assert status_of(caught.value) == 412
    assert status_of(StaleRecord("7", 1, 2, named=False)) == 409
    assert status_of(Conflict(["7"])) == 409


def test_hidden_and_missing_are_one_document() -> None:
    """A record that the caller may not see and one that does not exist give the same document, but for its id."""
    flow = open_flow("memory:")
    hidden = flow.create(DRAFT, by=LI)
    found = []
    for id in (hidden.id, "0" * len(hidden.id)):
        with pytest.raises(RecordNotFound) as caught:
            flow.get(id, by=WANG)
        document = problem(caught.value, "zh")
        assert document.status == 404
        found.append(json.dumps(document).replace(id, "ID"))
    assert found[0] == found[1]


def test_a_subclass_of_the_hosts_is_what_it_derives_from() -> None:
    """An error class of the host's has the status of the class above it, and the title of an error."""

    class OwnRefusal(RecordNotFound):
        code = "own"

    document = problem(OwnRefusal(["7"]), "zh")
    assert (document.status, document["type"], document["title"]) == (404, "urn:reportflow:error:own", "发生错误")
    with pytest.raises(InvalidValue):
        problem(ValueError("x"))  # type: ignore[arg-type]


def test_each_bad_field_is_in_the_document() -> None:
    """The document of an `InvalidValue` has each field: a pointer as a fragment, a code, a text in the language."""
    with pytest.raises(InvalidValue) as caught:
        parse(Adoption, {"body": "", "level": "moon", "x/y": 1}, at="/details")
    document = problem(caught.value, "zh")
    assert document.status == 422
    assert [(one["pointer"], one["code"]) for one in document["errors"]] == [
        ("#/details/x~1y", "unknown_field"),
        ("#/details/body", "blank"),
        ("#/details/level", "choice"),
    ]
    assert document["errors"][1]["message"] in document["detail"]
    single = problem(InvalidValue("title", "blank"), "en")
    assert single["errors"] == [
        {"pointer": "#/title", "code": "blank", "message": "'title' must not be blank; fill it in.", "params": {}}
    ]


@given(st.text(st.characters(categories=["Cs", "Ll"]), min_size=1, max_size=5))
@settings(max_examples=20)
def test_a_document_can_always_be_sent(name: str) -> None:
    """Whatever a field was called that there is not, half of a surrogate pair included, the document is UTF-8."""
    with pytest.raises(InvalidValue) as refused:
        parse(Revision, {"text": "Eight.", f"{name}_": 1})
    document = problem(refused.value)
    assert json.loads(json.dumps(document, ensure_ascii=False).encode()) == document
    assert document["errors"][0]["code"] == "unknown_field"


def test_an_unknown_language_is_english() -> None:
    """A language that the catalog does not have falls back to English, and the head of the answer says so."""
    document = problem(refused("role"), "fr")
    assert document.headers["Content-Language"] == "en"
    assert document["title"] == problem(refused("role"), "en")["title"]


def test_facts_of_any_class_are_plain() -> None:
    """A guard may give facts of any class; refusals, options, outcomes and problem documents write them as JSON."""
    facts = {
        "at": datetime(2022, 1, 1, tzinfo=UTC), "price": Decimal("1.5"), "names": {"b", "a"},
        "who": Author(name="Qian"), "level": Secrecy.SECRET, "nan": float("nan"), "it": object, "pair": (1, None),
    }  # fmt: skip
    refusal = Refusal(code="own", params=facts, texts={"en": "No.", "zh": "不行。"})
    error = TransitionRefused("report", "7", 1, "edit", [refusal])
    request = Fire("7", "edit", Revision(text="y"), by=LI)
    outcomes = [Outcome(place=0, request=request, error=error), Outcome(place=1, request=Create(DRAFT, by=LI))]
    written = json.loads(json.dumps([to_plain(refusal), to_plain(outcomes), problem(error, "zh")], allow_nan=False))
    params = {
        "at": "2022-01-01T00:00:00.000000+00:00", "price": "1.5", "names": ["a", "b"], "level": "secret", "nan": "nan",
        "who": {"$type": "reportflow.Author", "name": "Qian", "id": None, "unit": "", "level": None},
        "it": "object", "pair": [1, None],
    }  # fmt: skip
    assert written[0]["params"] == written[2]["refusals"][0]["params"] == params
    assert written[2]["refusals"][0]["message"] == "不行。"
    [failed, created] = written[1]
    assert failed["error"]["$type"] == "reportflow.TransitionRefused"
    assert failed["error"]["refusals"][0]["params"] == params
    assert failed["request"]["details"] == {"$type": "reportflow.Revision", "text": "y", "title": None}
    assert created["request"]["$type"] == "reportflow.Create"
    assert created["request"]["draft"]["title"] == "t"


def test_an_option_is_described_for_a_form() -> None:
    """An option has its label, its refusals with texts, and the schema of its details or of its draft."""
    flow = open_flow("memory:")
    [offered] = flow.options("report", by=LI)
    assert offered.draft is Report
    assert set(offered.accepts) == REPORT.accepted("create")
    described = json.loads(json.dumps(offered.describe("zh")))
    assert (described["trigger"], described["label"], described["allowed"]) == ("create", "提交", True)
    assert set(described["schema"]["properties"]) == {*offered.accepts, "kind", "$type"}
    assert described["schema"]["properties"]["title"]["title"] == "标题"
    assert to_plain(offered)["draft"] == "reportflow.Report"
    report = flow.create(DRAFT, by=LI)
    options = {one.trigger: one for one in flow.options(report, by=LI)}
    review = options["review"].describe("zh")
    assert [one["code"] for one in review["refusals"]] == ["state", "role"]
    assert all(one["message"].endswith("。") for one in review["refusals"])
    assert review["schema"] is None
    assert options["edit"].describe()["schema"]["title"] == "Revision"
    assert to_plain(options["edit"])["details"] == "reportflow.Revision"
    [denied] = flow.options("report", by=WANG)
    assert [one["code"] for one in denied.describe()["refusals"]] == ["role"]
