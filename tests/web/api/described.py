"""schemathesis over every operation of the API: what the document says is what the API does."""

from __future__ import annotations

import re
from tempfile import TemporaryDirectory
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import allow_header_conformance, negative_data_rejection

from reportflow import Actor, open_flow
from reportflow.office import Author, Report
from reportflow.storage.directory import DirectoryFiles
from reportflow.web import Portal, portal
from reportflow.web.api import feed, openapi
from reportflow.web.api.asking import TAG_PATTERN
from reportflow.web.api.listening import Listening
from reportflow.web.api.records import PARTS
from tests.web.client import Client

LI = Actor(id="li", name="Li", roles={"contributor", "editor", "reviewer", "registrar"}, unit="u")
REPORTS = 5
FOLDER = TemporaryDirectory()


def office() -> Portal:
    """A portal with a few reports, whose streams end at once."""
    flow = open_flow("memory:", people={"li": LI}, files=DirectoryFiles(FOLDER.name))
    for number in range(REPORTS):
        flow.create(Report.draft(title=f"Lamps {number}", text="Eight.", authors=[Author(name="Qian")]), by=LI)
    made = portal(flow, authenticate=lambda request: LI, rate=None)
    listening = Listening(flow, 5, look=0.01, life=0)
    made.site._made[feed.listening] = listening
    return made


def handy(part: Any) -> Any:
    """A document without the pattern that names every character unseen, nor texts of a megabyte: they take minutes.

    What takes their place is the same for ASCII; the tests of `schema` and `parse` have the whole.
    """
    if isinstance(part, list):
        return [handy(one) for one in part]
    if not isinstance(part, dict):
        return part
    kept = {name: handy(one) for name, one in part.items() if not (name == "maxLength" and one > 10_000)}
    if isinstance(kept.get("pattern"), str) and len(kept["pattern"]) > 200:
        kept["pattern"] = r"^(?=[\s\S]*[^\u0000-\u0020\u007f])[^\u0000]*$"
    return kept


def prepared() -> Portal:
    """The office, whose document is one that can be worked with."""
    made = office()
    with Client(made) as client:
        document = client.get("/api/openapi.json").json()
    made.site.once(openapi._documents)["en"] = handy(document)
    return made


OFFICE = prepared()
CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {"deterministic": True, "max-examples": 5, "allow-x00": False, "codec": "ascii"},
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", "403", "404", "409", "412"]}},
    }
)
schema = schemathesis.openapi.from_asgi("/api/openapi.json", OFFICE, config=CONFIG)


@schema.parametrize()
@settings(max_examples=5, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_the_api_is_as_its_document_says(case: Any) -> None:
    """Each operation answers with what the document says, takes what fits it, and refuses what does not."""
    if case.meta is None or case.meta.generation.mode.is_positive:
        fit(case)
    excluded = []
    if case.operation.path.rpartition("/")[2] in PARTS:  # an act of another kind could have that name
        excluded.append(allow_header_conformance)
    if case.operation.path == "/files":  # whose content `fit` has set right
        excluded.append(negative_data_rejection)
    case.call_and_validate(excluded_checks=excluded)


def fit(case: Any) -> None:
    """Leave out, or set right, what no schema can say of data that fits it."""
    query, heads, body = case.query or {}, case.headers or {}, case.body
    for name in ("cursor", "after"):  # signed, or hidden
        query.pop(name, None)
    heads.pop("Last-Event-ID", None)
    if not re.fullmatch(TAG_PATTERN, heads.get("If-Match", "*")):  # whose quotes the tool has lost
        heads["If-Match"] = f'"{heads["If-Match"]}"'
    for name in [one for one in query if one.endswith("_to")]:  # not before the beginning
        query.pop(name)
    if case.operation.path == "/records/{id}/at" and "version" in query:  # one way or another
        query.pop("time", None), query.pop("happened", None)
    if isinstance(body, dict) and "at" in body:  # not in the future
        body["at"] = None
    if case.operation.path == "/files":  # a name and a content that belong together
        query["name"], case.body = "a.txt", b"Eight." if isinstance(body, bytes) else {"file": b"Eight."}
