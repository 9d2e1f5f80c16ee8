"""The public names: a sorted list, each name documented, with the signatures that the design fixes."""

from __future__ import annotations

import importlib
import inspect
import re
from importlib.resources import files
from typing import Any

import attrs
import pytest

import reportflow
from reportflow import AsyncReportFlow, AsyncSqlStore, ReportFlow, SqlStore, office, open_async_flow, open_flow
from reportflow.storage.base import AsyncStore


def kind_of(name: str) -> int:
    """Constants first, then classes, then functions, as ruff sorts `__all__`."""
    if name.isupper():
        return 0
    return 1 if name[0].isupper() else 2


def test_the_names_are_one_sorted_list() -> None:
    """`__all__` is sorted, each name once: constants, classes, functions."""
    names = list(reportflow.__all__)
    assert names == sorted(set(names), key=lambda name: (kind_of(name), name))


@pytest.mark.parametrize("name", reportflow.__all__)
def test_every_name_can_be_imported(name: str) -> None:
    """Every name of `__all__` can be imported, and is the same object each time."""
    value = getattr(reportflow, name)
    assert value is not None
    assert value is getattr(reportflow, name)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in reportflow.__all__
        if inspect.isclass(getattr(reportflow, name)) or (kind_of(name) == 2 and name != "__version__")
    ],
)
def test_every_name_is_documented(name: str) -> None:
    """Every public class and function has a docstring of its own."""
    value = getattr(reportflow, name)
    own = value.__dict__.get("__doc__") if inspect.isclass(value) else value.__doc__
    assert own
    assert re.match(r"\S.*[.:]", own)


@pytest.mark.parametrize(
    ("name", "member"),
    [
        (name, member)
        for name in reportflow.__all__
        if inspect.isclass(value := getattr(reportflow, name)) and value.__module__.startswith("reportflow.")
        for member, found in vars(value).items()
        if not member.startswith("_") and (inspect.isfunction(found) or isinstance(found, property | classmethod))
    ],
)
def test_every_method_is_documented(name: str, member: str) -> None:
    """Every public method and property of a public class has a docstring."""
    assert inspect.getdoc(getattr(getattr(reportflow, name), member))


def test_a_lazy_name_is_the_class_of_its_module() -> None:
    """`reportflow.SqlStore` is the class of the module that defines it."""
    assert importlib.import_module("reportflow.storage.sql.store").SqlStore is SqlStore is reportflow.SqlStore


def test_an_unknown_name_is_an_attribute_error() -> None:
    """An unknown name of the package is an `AttributeError` with the name, so that `hasattr` works."""
    with pytest.raises(AttributeError, match="no attribute 'Repot'"):
        reportflow.Repot  # noqa: B018  # the lookup is the point
    assert not hasattr(reportflow, "sqlalchemy")


def test_the_types_are_shipped() -> None:
    """The package carries `py.typed`, so that type checkers read its annotations."""
    assert files("reportflow").joinpath("py.typed").is_file()


#: Names that the design fixes, beside the methods below.
NAMES = [
    "Actor",
    "Record",
    "Report",
    "Entry",
    "Revision",
    "Classification",
    "Assignment",
    "Adoption",
    "Forwarding",
    "Instruction",
    "Uptake",
    "Rejection",
    "Merge",
    "Comment",
    "Attachment",
    "Author",
    "State",
    "Transition",
    "SAME",
    "OneOf",
    "OWN",
    "UNIT",
    "ANY",
    "EVERYBODY",
    "NOBODY",
    "Step",
    "Refusal",
    "Option",
    "Query",
    "Happened",
    "Interval",
    "Lifecycle",
    "REPORT",
    "MemoryStore",
    "SqlStore",
    "Store",
    "Change",
    "Capabilities",
    "FeedItem",
    "Level",
    "ReportFlow",
    "AsyncReportFlow",
    "AsyncSqlStore",
    "open_async_flow",
    "open_flow",
    "replay",
    "RecordNotFound",
    "AlreadyExists",
    "Conflict",
    "DuplicateKey",
    "StaleRecord",
    "TransitionRefused",
    "InvalidValue",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_names_of_the_design_are_public(name: str) -> None:
    """Names of the design can be imported from `reportflow` or `reportflow.office`."""
    assert name in (*reportflow.__all__, *office.__all__)


#: Class -> the fields that the design names.
FIELDS: dict[str, str] = {
    "Actor": "id name roles unit clearance kind on_behalf_of",
    "Record": "id kind state version lifecycle_version unit parent title category assignee due_at secrecy created_by"
    " created_at updated_at",
    "Report": "number text authors source topics attachments commission origin merged_into credits revision edited_by",
    "Entry": "record_id sequence trigger source dest actor at recorded_at reason details key cause",
    "Revision": "text title",
    "Classification": "topics category secrecy",
    "Assignment": "assignee due_at",
    "Adoption": "body level carrier usage",
    "Forwarding": "to level upward due_at",
    "Instruction": "leader level text post principal",
    "Uptake": "department measure evidence",
    "Rejection": "code",
    "Merge": "target",
    "Comment": "text",
    "Attachment": "name media_type size sha256",
    "State": "name label final awaits",
    "Transition": "trigger source dest roles guards details reason_required sets then on_conflict label",
    "Refusal": "code params",
    "Option": "trigger allowed refusals details",
    "Query": "kind state unit parent category topic assignee author text happened order limit cursor",
    "Happened": "trigger party level code actor at recorded_at",
    "Change": "record expected entries",
    "Lifecycle": "name version record roles states transitions",
    "FeedItem": "position entry",
}


@pytest.mark.parametrize("name", FIELDS)
def test_classes_have_the_fields_of_the_design(name: str) -> None:
    """Each class has the fields that the design names."""
    cls: Any = getattr(reportflow if name in reportflow.__all__ else office, name)
    fields = {field.name for field in attrs.fields(cls)} if attrs.has(cls) else set(cls._fields)
    assert set(FIELDS[name].split()) <= fields


#: The calls of programs outside the project, without annotations.
SIGNATURES: dict[Any, str] = {
    ReportFlow.create: "(self, draft, *, by, trigger=None, at=None, key=None)",
    ReportFlow.fire: (
        "(self, target, trigger, details=None, *, by, "
        "reason='', at=None, key=None, version=None, head=None, type=Record)"
    ),
    ReportFlow.run: "(self, requests, *, on_error='stop', progress=None, chunk=500)",
    ReportFlow.bound_to: "(self, host)",
    ReportFlow.batch: "(self, requests)",
    ReportFlow.options: "(self, target, *, by)",
    ReportFlow.get: "(self, id, *, by, type=Record)",
    ReportFlow.find: "(self, query, *, by, type=Record)",
    ReportFlow.inbox: "(self, *, by, limit=100, cursor=None)",
    ReportFlow.count: "(self, query, *, by, of='records', group=())",
    ReportFlow.history: "(self, id, *, by)",
    ReportFlow.histories: "(self, query, *, by)",
    ReportFlow.visible: "(self, query, *, by, of='records', on=None)",
    ReportFlow.feed: "(self, after=None, *, by, limit=100)",
    ReportFlow.as_of: "(self, id, *, by, version=None, time=None, happened=None, type=Record)",
    ReportFlow.by_key: "(self, key, *, by)",
    ReportFlow.upload: "(self, content, *, name, by, media_type='', size=None)",
    ReportFlow.download: "(self, id, attachment, *, by)",
    ReportFlow.sweep_files: "(self, *, grace=86400.0)",
    ReportFlow.people: "(self, asked, *, by, limit=20)",
    ReportFlow.verify: "(self, *, by=None, after=None, limit=100, against=None, progress=None)",
    ReportFlow.heads: "(self, *, by=None)",
    ReportFlow.erase: "(self, target, *, by, fields=(), person=None, reason='', plan=False, key=None)",
    ReportFlow.close: "(self)",
}


def bare(function: Any) -> str:
    """A signature without annotations."""
    signature = inspect.signature(function)
    empty = inspect.Parameter.empty
    parameters = [one.replace(annotation=empty) for one in signature.parameters.values()]
    bared = str(signature.replace(parameters=parameters, return_annotation=empty))
    return bared.replace("<class 'reportflow.model.record.Record'>", "Record")


@pytest.mark.parametrize("method", SIGNATURES, ids=lambda method: method.__name__)
def test_the_calls_have_the_signatures_of_the_design(method: Any) -> None:
    """Each call of `ReportFlow` has exactly the parameters of the design."""
    assert bare(method) == SIGNATURES[method]


def calls_of(flow: type[Any]) -> set[str]:
    """The public methods of a flow."""
    return {name for name, value in inspect.getmembers(flow, inspect.isfunction) if name[0] != "_"}


def test_a_flow_has_these_calls_and_no_others() -> None:
    """The public methods of `ReportFlow` are those of the design."""
    assert calls_of(ReportFlow) == {method.__name__ for method in SIGNATURES}


@pytest.mark.parametrize("method", SIGNATURES, ids=lambda method: method.__name__)
def test_the_asynchronous_calls_have_the_same_signatures(method: Any) -> None:
    """Each call of `AsyncReportFlow` has the parameters of `ReportFlow`'s, and is a coroutine unless it is lazy."""
    awaited = getattr(AsyncReportFlow, method.__name__)
    assert bare(awaited) == SIGNATURES[method]
    assert inspect.iscoroutinefunction(awaited) == (
        method.__name__ not in ("run", "histories", "heads", "bound_to", "visible")
    )


def test_an_asynchronous_flow_has_these_calls_and_no_others() -> None:
    """The public methods of `AsyncReportFlow` are those of `ReportFlow`; both are built and opened alike."""
    assert calls_of(AsyncReportFlow) == {method.__name__ for method in SIGNATURES}
    assert bare(AsyncReportFlow) == bare(ReportFlow)
    assert bare(open_async_flow) == bare(open_flow)


def test_the_entry_points_have_the_signatures_of_the_design() -> None:
    """`open_flow(url, *, create=True)` and `ReportFlow(store, lifecycles, *, clock=…, new_id=…)`."""
    opening = inspect.signature(open_flow).parameters
    assert next(iter(opening)) == "url"
    assert (opening["create"].kind, opening["create"].default) == (inspect.Parameter.KEYWORD_ONLY, True)
    flow = inspect.signature(ReportFlow).parameters
    assert list(flow)[:2] == ["store", "lifecycles"]
    assert {"clock", "new_id"} <= {name for name, one in flow.items() if one.kind is inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize(
    "name", ["commit", "get", "find", "count", "history", "by_key", "feed", "sealed", "restore", "close"]
)
def test_the_stores_have_the_calls_of_the_contract(name: str) -> None:
    """All stores have exactly the parameters of the contract."""
    contract = bare(getattr(reportflow.Store, name))
    assert bare(getattr(reportflow.MemoryStore, name)) == bare(getattr(SqlStore, name)) == contract
    awaited = getattr(AsyncSqlStore, name)
    assert bare(awaited) == bare(getattr(AsyncStore, name)) == contract
    assert inspect.iscoroutinefunction(awaited)
