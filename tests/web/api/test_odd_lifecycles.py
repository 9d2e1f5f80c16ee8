"""Lifecycles that nobody foresaw: details that JSON cannot say, classes of one name, acts of the system alone."""

from __future__ import annotations

import enum
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings

from reportflow import ANY, NOBODY, SAME, Actor, Details, Lifecycle, Record, State, Transition, open_flow
from reportflow.testing import strategies
from reportflow.web import portal
from tests.web.api.offices import sent
from tests.web.client import Client

ACTOR = Actor(id="a", name="A", roles={"clerk"}, unit="u")


class Pair(enum.Enum):
    """An enum whose members are no constants of JSON."""

    ONE = (1, 2)


@attrs.frozen(kw_only=True)
class Unsayable(Details):
    """What JSON cannot say."""

    pair: Pair


def nested(kind: type[Any]) -> type[Details]:
    """Details that hold a class which is called like others."""
    inner = attrs.make_class("Inner", {"value": attrs.field(type=kind)}, frozen=True, kw_only=True)
    made: type[Details] = attrs.make_class(
        "Outer", {"inner": attrs.field(type=inner)}, bases=(Details,), frozen=True, kw_only=True
    )
    return made


def table(**rows: Any) -> Lifecycle:
    """A lifecycle with a creation and some acts."""
    return Lifecycle(
        name="thing", version=1, record=Record, roles={"clerk": ANY}, states=[State("here"), State("over", final=True)],
        transitions=[
            Transition("make", source=None, dest="here", roles={"clerk"}),
            Transition("end", source="here", dest="over", roles={"clerk"}),
            *(Transition(name, source="here", dest=SAME, **{"roles": {"clerk"}, **row}) for name, row in rows.items()),
        ],
    )  # fmt: skip


def test_details_that_json_cannot_say_are_left_out() -> None:
    """Such an act is offered without a schema, stands in no document and cannot be sent; all else works."""
    lifecycle = table(odd={"details": Unsayable}, plain={}, later={"roles": {NOBODY}})
    with Client(portal(open_flow("memory:", lifecycles=lifecycle), authenticate=lambda request: ACTOR)) as client:
        made = sent(client, "/api/records", {"kind": "thing", "draft": {"title": "t"}}).json()
        options = {one["trigger"]: one for one in client.get(f"/api/records/{made['id']}/options").json()}
        assert options["odd"]["schema"] is None
        paths = client.get("/api/openapi.json").json()["paths"]
        assert "/records/{id}/plain" in paths
        assert "/records/{id}/odd" not in paths
        assert "/records/{id}/later" not in paths
        assert sent(client, f"/api/records/{made['id']}/odd", {"details": {}}).status_code == 404
        assert sent(client, f"/api/records/{made['id']}/later", {}).status_code == 403
        assert sent(client, f"/api/records/{made['id']}/plain", {}).status_code == 200


def test_classes_of_one_name_in_one_kind_do_not_collide() -> None:
    """Two details classes of one name, with inner classes of one name, have two components each."""
    lifecycle = table(first={"details": nested(str)}, second={"details": nested(int)})
    with Client(portal(open_flow("memory:", lifecycles=lifecycle), authenticate=lambda request: ACTOR)) as client:
        document = client.get("/api/openapi.json").json()
    schemas = document["components"]["schemas"]
    values = set()
    for trigger in ("first", "second"):
        body = document["paths"][f"/records/{{id}}/{trigger}"]["post"]["requestBody"]["content"]["application/json"]
        outer = schemas[body["schema"]["properties"]["details"]["$ref"].rpartition("/")[2]]
        inner = schemas[outer["properties"]["inner"]["$ref"].rpartition("/")[2]]
        values.add(inner["properties"]["value"]["type"])
    assert values == {"string", "integer"}


@given(strategies.lifecycles())
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_lifecycle_has_an_api(lifecycle: Lifecycle) -> None:
    """Of any definition there is a document, and each of its kinds can be asked for."""
    actor = Actor(id="a", roles=frozenset(lifecycle.roles), unit="u")
    with Client(portal(open_flow("memory:", lifecycles=lifecycle), authenticate=lambda request: actor)) as client:
        for path in ("openapi.json", "kinds", "records", "inbox", "count", "feed", "figures/2026"):
            assert client.get(f"/api/{path}").status_code == 200
        [kind] = client.get("/api/kinds").json()
        operations = client.get("/api/openapi.json").json()["paths"]["/kinds/{kind}"]["get"]
        assert operations["parameters"][0]["schema"]["enum"] == [kind["kind"]]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_text_of_the_document_is_missing(language: str) -> None:
    """Each operation has a summary in each language."""
    with Client(portal(open_flow("memory:"), authenticate=lambda request: ACTOR), language=language) as client:
        document = client.get("/api/openapi.json").json()
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["summary"]
            assert "portal." not in operation["summary"]
